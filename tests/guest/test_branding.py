"""What a tenant's pages look like to guests: its colour and logo, for everybody alike (UX 6, 7)."""

import gzip
from collections.abc import Mapping

import pytest

from guestauth import branding, colours, demo, tenants
from tests.browser import Browser
from tests.probe import Answer, ask, tables
from tests.test_pictures import PNG
from tests.world import BY, FABRIKAM, NICOLE, WOODGROVE, World

HOME, SIGN_IN = "/woodgrove.example", "/woodgrove.example/sign-in"
PLAIN, BRANDED = "/static/style.css", f"/accent/{demo.ACCENT[1:]}.css"
LOGO = f"/{WOODGROVE}/logo"


def style(browser: Browser) -> str:
    return str(browser.page.xpath("//link[@rel='stylesheet']/@href")[0])


def logo(browser: Browser) -> list[str]:
    return [str(each) for each in browser.page.xpath("//header//img/@src")]


def get(world: World, path: str, query: str = "", headers: Mapping[str, str] | None = None) -> Answer:
    return ask(world.app, path, query=query, headers=headers)


def test_pages_of_a_tenant_have_its_colour_and_its_logo_beside_the_name(world: World) -> None:
    browser = world.browser().open(SIGN_IN)
    assert (style(browser), logo(browser)[0].partition("?")[0]) == (BRANDED, LOGO)
    header = browser.page.find(".//header")
    assert header.text_content().split() == ["Woodgrove"] and header.xpath(".//img/@alt") == [""]
    assert not header.xpath(".//*[@class='mark']")
    browser.submit("email-form", email=NICOLE).submit("send-code")
    assert (browser.h1, style(browser)) == ("Check your email", BRANDED)


@pytest.mark.parametrize("path", ["/fabrikam.example/sign-in", "/", "/unknown.example", "/dev", "/dev/mailbox"])
def test_other_pages_have_the_products_look(sqlite_world: World, path: str) -> None:
    browser = sqlite_world.browser().open(path)
    assert (style(browser), logo(browser)) == (PLAIN, [])
    assert browser.page.xpath("//*[@class='mark']")


def test_console_keeps_the_products_look(sqlite_world: World) -> None:
    browser = sqlite_world.signed_in("admin@woodgrove.example", HOME)
    assert style(browser) == BRANDED
    browser.click("Console")
    assert (style(browser), logo(browser)) == (PLAIN, [])


def test_tenant_with_one_of_the_two_has_that_one(sqlite_world: World) -> None:
    sqlite_world.do(branding.change, FABRIKAM, logo=PNG, by=BY)
    browser = sqlite_world.browser().open("/fabrikam.example/sign-in")
    assert (style(browser), len(logo(browser))) == (PLAIN, 1)
    sqlite_world.do(branding.change, FABRIKAM, remove_logo=True, accent="#2b5797", by=BY)
    assert (style(browser.open(SIGN_IN.replace("woodgrove", "fabrikam"))), logo(browser)) == (
        "/accent/2b5797.css",
        [],
    )


# The logo.


def test_logo_is_the_picture_and_nothing_else(world: World) -> None:
    address, _, query = logo(world.browser().open(SIGN_IN))[0].partition("?")
    before, answer = tables(world), get(world, address, query)
    assert (answer.status, answer.body, answer.header("Content-Type")) == (200, demo.LOGO, "image/png")
    assert answer.header("Cache-Control") == "public, max-age=31536000"
    assert answer.header("X-Content-Type-Options") == "nosniff"
    assert str(answer.header("Content-Security-Policy")).startswith("sandbox; default-src 'none'")
    assert (answer.header("Set-Cookie"), answer.header("Vary"), tables(world)) == (None, None, before)


@pytest.mark.parametrize("query", ["", "v=0000000000000000", "lang=nl", "tenantid=contoso.example"])
def test_logo_by_another_address_is_kept_for_an_hour(sqlite_world: World, query: str) -> None:
    answer = get(sqlite_world, "/woodgrove.example/logo", query)
    assert (answer.status, answer.body, answer.header("Set-Cookie")) == (200, demo.LOGO, None)
    assert answer.header("Cache-Control") == "public, max-age=3600"


@pytest.mark.parametrize("path", [LOGO, BRANDED])
def test_what_has_not_changed_is_not_sent_again(sqlite_world: World, path: str) -> None:
    tag = str(get(sqlite_world, path).header("ETag"))
    answer = get(sqlite_world, path, headers={"If-None-Match": tag})
    assert (answer.status, answer.body) == (304, b"")


@pytest.mark.case("T-07")
@pytest.mark.parametrize("tenant", ["fabrikam.example", "unknown.example", "woodgrove.example", "no tenant.x"])
def test_there_is_no_logo_of_a_tenant_without_one_nor_of_one_that_is_off(sqlite_world: World, tenant: str) -> None:
    sqlite_world.do(tenants.disable, WOODGROVE, by=BY)
    answer = get(sqlite_world, f"/{tenant}/logo")
    assert (answer.status, answer.h1) == (404, "We can't find that page")
    assert answer.header("Cache-Control") == "no-store"


def test_new_logo_has_a_new_address_and_a_removed_one_is_gone(sqlite_world: World) -> None:
    browser = sqlite_world.browser().open(SIGN_IN)
    before = logo(browser)
    sqlite_world.do(branding.change, WOODGROVE, logo=PNG, by=BY)
    assert logo(browser.open(SIGN_IN)) != before
    sqlite_world.do(branding.change, WOODGROVE, remove_logo=True, by=BY)
    assert get(sqlite_world, LOGO).status == 404


# The stylesheet.


def test_stylesheet_in_a_colour_is_the_stylesheet_and_that_colour(sqlite_world: World) -> None:
    plain, answer = get(sqlite_world, PLAIN), get(sqlite_world, BRANDED)
    assert answer.header("Content-Type") == "text/css; charset=utf-8"
    assert answer.text == colours.dressed(plain.text, demo.ACCENT)
    assert (answer.header("Cache-Control"), answer.header("Set-Cookie")) == ("public, max-age=3600", None)


@pytest.mark.parametrize("colour", ["B4530A", "b4530", "b4530a0", "zzzzzz", "b4530a;", "..", "%0ab4530a"])
def test_what_is_no_colour_has_no_stylesheet(sqlite_world: World, colour: str) -> None:
    assert get(sqlite_world, f"/accent/{colour}.css").status == 404


def test_page_and_stylesheet_of_a_tenant_stay_within_the_budget(sqlite_world: World) -> None:
    html = sqlite_world.browser().open(SIGN_IN).response
    assert html
    packed = [len(gzip.compress(each)) for each in (html.content, get(sqlite_world, BRANDED).body)]
    assert sum(packed) <= 14_000
