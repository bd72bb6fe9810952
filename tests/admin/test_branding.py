"""The console's page of logo and colour (B35)."""

import pytest

from guestauth import branding
from tests.admin import CONSOLE, at_console
from tests.browser import Browser
from tests.steps import audited
from tests.test_pictures import JPEG, PNG
from tests.world import FABRIKAM, World

BRANDING = f"{CONSOLE}/settings/branding"


def kept(world: World) -> tuple[str | None, str | None]:
    ((accent, logo),) = world.rows("SELECT accent, logo FROM tenants WHERE name = 'Fabrikam'")
    return accent, logo


def shown(browser: Browser) -> list[str]:
    return [str(each) for each in browser.page.xpath("//form[@id='branding']//img/@src")]


def test_logo_and_colour_are_chosen_seen_and_removed(world: World) -> None:
    browser = at_console(world, "/settings").click("Logo and colour")
    browser.submit("branding", logo=("logo.png", PNG), accent=" 2B5797 ")
    assert "The settings are saved." in browser.text and shown(browser) == [f"/{FABRIKAM}/logo?v={kept(world)[1]}"]
    assert (browser.form("branding").fields["accent"], kept(world)[0]) == ("#2b5797", "#2b5797")
    assert "guests see it as #2b5797 on light pages and as #7995bd on dark ones" in browser.text
    browser.submit("branding", remove_logo=True, accent="")
    assert (kept(world), shown(browser)) == ((None, None), [])


def test_what_is_left_as_it_is_stays(sqlite_world: World) -> None:
    browser = at_console(sqlite_world, "/settings/branding")
    browser.submit("branding", logo=("logo.png", PNG), accent="#2b5797")
    before, events = kept(sqlite_world), len(audited(sqlite_world, "tenant.branded"))
    assert browser.submit("branding").status == 200
    assert (kept(sqlite_world), len(audited(sqlite_world, "tenant.branded"))) == (before, events)


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("accent", "teal", "Write the colour as # and six digits or letters from a to f, like #2b5797"),
        (
            "logo",
            ("logo.svg", b"<svg/>"),
            "The file is not a picture we can show. Choose a PNG, JPEG, WebP or GIF file",
        ),
        (
            "logo",
            ("empty.png", b""),
            "The file is not a picture we can show. Choose a PNG, JPEG, WebP or GIF file",
        ),
        ("logo", ("large.png", PNG + bytes(2**20)), "The file is too large: a logo has 64 kB at most"),
    ],
)
def test_refusal_stands_at_its_field_and_what_was_typed_is_kept(
    sqlite_world: World, field: str, value: object, words: str
) -> None:
    browser = at_console(sqlite_world, "/settings/branding")
    browser.submit("branding", logo=("logo.jpg", JPEG), accent="#2b5797")
    before = kept(sqlite_world)
    browser.submit("branding", **{"accent": "#aabbcc", "remove_logo": True, field: value})
    assert (browser.status, browser.errors, kept(sqlite_world)) == (422, [words], before)
    form = browser.form("branding")
    assert form.xpath(f".//*[@id='{field}'][@aria-invalid='true']") and form.xpath(
        ".//*[@id='remove_logo'][@checked]"
    )
    assert form.fields["accent"] == (value if field == "accent" else "#aabbcc")


def test_file_that_is_no_logo_at_all_is_refused_before_it_is_read(sqlite_world: World) -> None:
    browser = at_console(sqlite_world, "/settings/branding")
    assert browser.submit("branding", logo=("film.png", PNG + bytes(5 * 2**20))).status == 413
    assert kept(sqlite_world) == (None, None)


def test_page_that_was_open_too_long_comes_back_with_what_was_typed(sqlite_world: World) -> None:
    browser = at_console(sqlite_world, "/settings/branding")
    browser.post(BRANDING, {"accent": "#aabbcc", "csrf_token": "old"})
    assert (browser.status, browser.form("branding").fields["accent"]) == (400, "#aabbcc")
    assert kept(sqlite_world) == (None, None)


def test_largest_logo_is_that_of_the_operation(sqlite_world: World) -> None:
    large = PNG + bytes(branding.MOST_BYTES - len(PNG))
    browser = at_console(sqlite_world, "/settings/branding").submit("branding", logo=("large.png", large))
    assert browser.status == 200 and kept(sqlite_world)[1]
