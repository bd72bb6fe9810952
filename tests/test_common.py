"""Which tenant an address names, and addresses that name none: B1 to B5; T-05, T-07, T-08, I-13; acceptance 29."""

import uuid

import pytest

from guestauth import resources, tenants
from tests.probe import ask, change, in_path, masked, tables
from tests.world import BY, CONTOSO, FABRIKAM, NICOLE, World

PLAN = uuid.uuid5(FABRIKAM, "project-plan")
APPS = [
    "/?tenantid=fabrikam.example",
    "/?tenantId=fabrikam.example",
    "/?TENANTID=FABRIKAM.EXAMPLE",
    f"/?tenantid={FABRIKAM}",
    f"/?TenantId={str(FABRIKAM).upper()}",
    "/fabrikam.example",
    "/Fabrikam.Example",
    "/FABRIKAM.EXAMPLE/",
    f"/{FABRIKAM}",
    f"/{str(FABRIKAM).upper()}",
    f"/{FABRIKAM}?tenantid=fabrikam.example",
    "/?tenantid=fabrikam.example&q=plan&page=2",
    "/fabrikam.example?q=project%20plan&a=1&a=2&flag&empty=&path=%2Fx%3Fy",
]
RESOURCES = [
    "/fabrikam.example/apps/project-plan",
    "/FABRIKAM.EXAMPLE/apps/Project-Plan",
    f"/{FABRIKAM}/apps/project-plan?page=2&x=a+b%26c",
    f"/{str(FABRIKAM).upper()}/apps/{str(PLAN).upper()}",
    f"/signin/Project/{PLAN}?tenantId={FABRIKAM}",
    f"/signin/Project/{PLAN}?TENANTID=fabrikam.example&page=2",
    f"/signin/Project/{PLAN}?page=2&tenantid=FABRIKAM.example",
    f"/signin/Any%20name%3F%20100%25%20%23!/{str(PLAN).upper()}?tenantId={str(FABRIKAM).upper()}",
    f"/signin/Größe%0A計畫/{PLAN}?tenantId={FABRIKAM}",
    f"/signin/../{PLAN}?tenantId={FABRIKAM}".replace("..", "%2e%2e."),
    "/fabrikam.example/apps/project-plan?q=%E8%A8%88%E7%95%AB&%C3%A4=%C3%B6",
]
COMMON = ["/", "/apps", "/apps/", "/apps/project-plan", "/apps/project-plan/download", "/sign-in", "/account"]
COMMON += ["/sign-in/x", f"/sign-in/{PLAN}/code", "/consent", "/invitations/ticket", "/session-over", "/sign-out"]
COMMON += [
    "/common",
    "/common/oauth2",
    "/organizations",
    "/organizations/x",
    "/myapps",
    "/myapps/x",
    "/signed-out",
]
COMMON += [f"/signin/Project/{PLAN}", "/consent/cancelled"]
NO_TENANT = "This link doesn't say which organisation you are visiting"


def sign_in(world: World, browser) -> None:
    """Sign Nicole in from the Sign in page before her."""
    browser.submit("email-form", email=NICOLE).submit("send-code").submit("enter-code", code=world.code(NICOLE))


def landed(browser) -> str:
    return str(browser.url).removeprefix("http://127.0.0.1:5000")


# B1 and B2: link shapes


@pytest.mark.parametrize("link", APPS)
@pytest.mark.acceptance(29)
def test_every_link_shape_leads_through_sign_in_back_to_itself(sqlite_world: World, link: str) -> None:
    browser = sqlite_world.browser().open(link)
    assert browser.h1 == "Sign in to Fabrikam"
    sign_in(sqlite_world, browser)
    path, _, query = link.partition("?")
    assert browser.h1 == "Fabrikam apps" and landed(browser).partition("?")[2] == query
    assert landed(browser).partition("?")[0] == (path.lower().rstrip("/") or "/")


@pytest.mark.parametrize("link", RESOURCES)
def test_direct_link_leads_through_sign_in_to_exactly_that_resource(sqlite_world: World, link: str) -> None:
    browser = sqlite_world.browser().open(link)
    assert browser.h1 == "Sign in to Fabrikam"
    sign_in(sqlite_world, browser)
    assert browser.h1 == "Project plan"
    assert landed(browser).partition("?")[2] == link.partition("?")[2]
    browser.open(link)
    assert browser.h1 == "Project plan" and not browser.history


@pytest.mark.parametrize(
    "link", ["/fabrikam.example/apps/project-plan?page=2", f"/signin/x/{PLAN}?tenantId={FABRIKAM}"]
)
def test_direct_link_works_on_both_databases(world: World, link: str) -> None:
    browser = world.browser().open(link)
    sign_in(world, browser)
    assert (browser.h1, landed(browser)) == ("Project plan", link)


@pytest.mark.parametrize(
    "name",
    [
        "bücher-東京.example",
        "BÜCHER-東京.EXAMPLE",
        "xn--bcher--3ya3220nsuxb.example",
        "XN--BCHER--3YA3220NSUXB.Example",
        "bu\u0308cher-東京.example",
    ],
)
def test_internationalised_domain_is_taken_in_unicode_and_in_punycode(world: World, name: str) -> None:
    world.do(tenants.create, "Bücher", domains=["bücher-東京.example"], administrator="a@b.example", by=BY)
    for answer in (ask(world.app, f"/{name}/sign-in"), ask(world.app, "/", query=f"tenantid={in_path(name)}")):
        assert answer.status in (200, 302)
    assert world.browser().open(f"/{name}").h1 == "Sign in to Bücher"


def test_internationalised_domain_is_kept_through_sign_in(sqlite_world: World) -> None:
    tenant = sqlite_world.do(
        tenants.create, "Straße", domains=["straße.example"], administrator="a@b.example", by=BY
    )
    sqlite_world.do(resources.add, tenant.id, "note", title="Note", text="x", by=BY)
    sqlite_world.do(resources.share, tenant.id, "note", user_id=None, by=BY)
    browser = (
        sqlite_world.browser().open("/straße.example/apps/note?q=1").submit("email-form", email="a@b.example")
    )
    browser.submit("send-code").submit("enter-code", code=sqlite_world.code("a@b.example"))
    assert landed(browser) == "/xn--strae-oqa.example/apps/note?q=1"


def test_second_domain_of_a_tenant_is_as_good_as_the_first(sqlite_world: World) -> None:
    sqlite_world.do(
        tenants.create, "Two", domains=["one.example", "two.example"], administrator="a@b.example", by=BY
    )
    browser = sqlite_world.browser().open("/two.example?q=1").submit("email-form", email="a@b.example")
    browser.submit("send-code").submit("enter-code", code=sqlite_world.code("a@b.example"))
    assert landed(browser) == "/two.example?q=1"


def test_domain_that_is_not_verified_does_not_resolve(sqlite_world: World) -> None:
    change(sqlite_world, "UPDATE domains SET verified_at = NULL WHERE name = 'fabrikam.example'")
    assert sqlite_world.browser().open("/fabrikam.example").status == 404
    assert sqlite_world.browser().open(f"/{FABRIKAM}").h1 == "Sign in to Fabrikam"


@pytest.mark.parametrize(
    "name", ["fabrikаm.example", "fabrikam.exаmple", "ｆabrikam.example.evil", "fabrikam.example.evil"]
)
@pytest.mark.case("T-08")
def test_domain_that_only_looks_alike_is_another(sqlite_world: World, name: str) -> None:
    assert ask(sqlite_world.app, f"/{name}").status == 404


@pytest.mark.parametrize(
    "link", ["/fabrikam.example?tenantid=fabrikam.example", f"/fabrikam.example?tenantid={FABRIKAM}"]
)
def test_same_tenant_twice_is_one(sqlite_world: World, link: str) -> None:
    browser = sqlite_world.browser().open(link)
    assert browser.h1 == "Sign in to Fabrikam" and browser.path == "/fabrikam.example/sign-in"


@pytest.mark.parametrize(
    "link",
    [
        f"/fabrikam.example?tenantid={CONTOSO}",
        "/contoso.example/sign-in?tenantId=fabrikam.example",
        "/?tenantid=fabrikam.example&tenantId=contoso.example",
        f"/signin/x/{PLAN}?tenantId=fabrikam.example&TENANTID=woodgrove.example",
        "/fabrikam.example?tenantid=unknown.example",
        "/fabrikam.example?tenantid=x",
    ],
)
def test_two_different_tenants_are_refused(sqlite_world: World, link: str) -> None:
    browser = sqlite_world.browser().open(link)
    assert browser.status == 400 and "The address names two different organisations." in browser.text
    assert browser.cookies.keys() <= {"guestauth-visit"}


@pytest.mark.parametrize(
    "link",
    [
        "/FABRIKAM.EXAMPLE/APPS/PROJECT-PLAN?Page=2",
        f"/{str(FABRIKAM).upper()}/Apps/project-plan?Page=2",
        f"/SignIn/Project/{PLAN}?TenantId=fabrikam.example&Page=2",
        "/Apps/Project-Plan?tenantid=fabrikam.example&Page=2",
    ],
)
def test_capitals_anywhere_in_a_link_lead_to_the_same_place(sqlite_world: World, link: str) -> None:
    browser = sqlite_world.browser().open(link)
    sign_in(sqlite_world, browser)
    assert browser.h1 == "Project plan" and browser.url.endswith("Page=2")


@pytest.mark.parametrize("path", ["/MyApps", "/COMMON", "/Sign-In"])
def test_capitals_in_a_common_endpoint_are_one_too(sqlite_world: World, path: str) -> None:
    assert sqlite_world.browser().open(path).h1 == NO_TENANT


@pytest.mark.parametrize("path", ["/Nothing", "/A/B/C", "/\\Evil.Example", "/Static/style.css"])
def test_capitals_lead_nowhere_else(sqlite_world: World, path: str) -> None:
    answer = ask(sqlite_world.app, path)
    assert answer.status == 404 or (answer.header("Location"), path) == ("/static/style.css", "/Static/style.css")


# B3: common endpoints


@pytest.mark.parametrize("path", COMMON)
def test_common_endpoint_says_what_is_missing_and_offers_the_field(sqlite_world: World, path: str) -> None:
    browser = sqlite_world.browser().open(path)
    assert (browser.status, browser.h1) == (400, NO_TENANT)
    words = "Use the link in your invitation, or ask the person who invited you for a new one."
    assert words in browser.text and "Organisation's address For example, fabrikam.example" in browser.text
    assert "Fabrikam" not in browser.text and "Contoso" not in browser.text
    assert browser.submit("organisation", tenantid="Fabrikam.example").h1 == "Sign in to Fabrikam"


@pytest.mark.parametrize("path", COMMON)
@pytest.mark.parametrize("method", ["HEAD", "GET"])
def test_common_endpoint_is_400_for_whoever_asks(sqlite_world: World, path: str, method: str) -> None:
    before = tables(sqlite_world)
    assert ask(sqlite_world.app, path, method).status == 400
    assert tables(sqlite_world) == before


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("/apps", "/fabrikam.example"),
        ("/myapps", "/fabrikam.example"),
        ("/common", "/fabrikam.example"),
        ("/organizations", "/fabrikam.example"),
        ("/apps/project-plan", "/fabrikam.example/apps/project-plan"),
        ("/sign-in", "/fabrikam.example/sign-in"),
        ("/consent", "/fabrikam.example/consent"),
    ],
)
def test_common_endpoint_with_a_tenant_leads_to_that_tenant_s_page(
    sqlite_world: World, path: str, place: str
) -> None:
    answer = ask(sqlite_world.app, path, query="x=1&tenantId=fabrikam.example&y=a%26b")
    assert (answer.status, answer.header("Location")) == (302, f"{place}?x=1&y=a%26b")


def test_field_left_empty_is_told(sqlite_world: World) -> None:
    browser = sqlite_world.browser().open("/").submit("organisation", tenantid="")
    assert (browser.status, browser.errors) == (400, ["Enter the organisation's address"])


@pytest.mark.parametrize("typed", ["unknown.example", "fabrikam", "https://fabrikam.example", "a b", "<b>", "é"])
def test_address_that_is_no_tenant_s_is_told_and_can_be_mended(sqlite_world: World, typed: str) -> None:
    browser = sqlite_world.browser().open("/").submit("organisation", tenantid=typed)
    assert browser.status == 404
    words = (
        "We can't find an organisation with that address. Check the spelling or use the link in your invitation."
    )
    assert words in browser.text
    assert browser.submit("organisation", tenantid=" fabrikam.example ").h1 == "Sign in to Fabrikam"


# B4: unknown and disabled tenants


@pytest.mark.case("T-07")
def test_unknown_disabled_and_malformed_tenants_are_one_and_the_same_page(sqlite_world: World) -> None:
    sqlite_world.do(tenants.disable, CONTOSO, by=BY)
    names = ["unknown.example", "contoso.example", str(CONTOSO), str(uuid.UUID(int=7)), "fab00000", "x", "..", "."]
    names += ["...", "a..b", "-.example", "\x00", "a\x00.example", "\ufffd.example", "a" * 5000, "a." * 2500]
    names += [" .example", "a b.example", "<b>.example", "fab00000-0000-4000-8000-00000000000g", "\r\n.example"]
    paths: list[str | bytes] = [f"/{name}" for name in names]
    paths += [b"/\xff.example", b"/\xed\xa0\x80.example", b"/\xc0\xae.example", "//evil.example", "/.git/config"]
    answers = {path: ask(sqlite_world.app, path) for path in paths}
    assert {path for path, answer in answers.items() if answer.status != 404} == set()
    assert len({masked(answer.text) for answer in answers.values()}) == 1


def test_unknown_tenant_in_the_query_is_the_same_page(sqlite_world: World) -> None:
    sqlite_world.do(tenants.disable, CONTOSO, by=BY)
    names = ["unknown.example", "contoso.example", str(CONTOSO), "x", "..", "%00", "a%00b", "a" * 5000]
    answers = [ask(sqlite_world.app, "/", query=f"tenantid={name}") for name in names]
    answers.append(ask(sqlite_world.app, "/unknown.example"))
    assert {answer.status for answer in answers} == {404}
    assert len({masked(answer.text) for answer in answers}) == 1


@pytest.mark.parametrize(
    "tail", ["", "/sign-in", "/consent", "/apps/x", f"/sign-in/{PLAN}", "/invitations/x", "/no"]
)
def test_every_page_of_an_unknown_tenant_is_that_page_too(sqlite_world: World, tail: str) -> None:
    sqlite_world.do(tenants.disable, CONTOSO, by=BY)
    answers = [
        ask(sqlite_world.app, f"/{name}{tail}") for name in ("unknown.example", "contoso.example", str(CONTOSO))
    ]
    assert {answer.status for answer in answers} == {404}
    assert {masked(answer.text) for answer in answers} == {masked(ask(sqlite_world.app, "/unknown.example").text)}


def test_unknown_and_disabled_tenant_have_the_same_headers_and_cookies(world: World) -> None:
    world.do(tenants.disable, CONTOSO, by=BY)
    one, other = (ask(world.app, f"/{name}/sign-in") for name in ("unknown.example", "contoso.example"))
    assert [name for name, _ in one.headers] == [name for name, _ in other.headers]
    assert len(one.header("Set-Cookie") or "") == len(other.header("Set-Cookie") or "")


def test_tenant_in_the_path_wins(sqlite_world: World) -> None:
    browser = sqlite_world.browser().open(f"/{FABRIKAM}/sign-in?tenantid=fabrikam.example")
    assert browser.form("email-form").get("action") == f"/{FABRIKAM}/sign-in"


def test_domain_that_moves_takes_no_session_with_it(sqlite_world: World) -> None:
    browser = sqlite_world.signed_in(NICOLE)
    owner = "(SELECT tenant_id FROM domains WHERE name = 'woodgrove.example')"
    change(sqlite_world, f"UPDATE domains SET tenant_id = {owner} WHERE name = 'fabrikam.example'")
    assert browser.open("/fabrikam.example").h1 == "Sign in to Woodgrove" and NICOLE not in browser.text
    assert browser.open(f"/{FABRIKAM}").h1 == "Fabrikam apps"
