"""The way in, in a real browser with its scripts, over real SMTP (the seeds' example, B1, B2, B16, B17, B19, B28).

Every test also fails on a console error or a violation of the content security policy (see `person.py`).
"""

import pytest
from playwright.sync_api import Route

from guestauth import resources
from tests.e2e.fixtures import Arrive
from tests.e2e.site import HOME, Site
from tests.world import ALEX, FABRIKAM, NICOLE, WOODGROVE

PLAN = "/fabrikam.example/apps/project-plan"
SHAPES = [f"/?tenantid={FABRIKAM}", "/?tenantId=fabrikam.example", f"/{FABRIKAM}", "/fabrikam.example"]
A_DAY = 24 * 3600 + 60  # seconds: 24 h 1 min
JOURNEY = ["Sign in to Fabrikam", "Get a code to sign in", "Check your email", "Review permissions"]


@pytest.fixture
def site(sqlite_site: Site) -> Site:
    return sqlite_site


def shared_plan(site: Site) -> str:
    """Invite somebody new, share the project plan with them, and give their address."""
    mail = site.guest()
    user = site.world.rows("SELECT id FROM users WHERE mail = :mail", mail=mail)
    site.world.run("resource", "share", str(FABRIKAM), "project-plan", mail)
    assert user
    return mail


# The seeds' example


def test_alex_accepts_the_invitation_in_the_mail(each_site: Site, arrive: Arrive) -> None:
    each_site.reset()
    alex = arrive(each_site).open(each_site.invitation(ALEX))
    assert alex.sees("Fabrikam has invited you")
    alex.press("Continue").press("Send code").enter_code(ALEX)
    assert alex.sees("Review permissions")
    assert alex.press("Accept").sees("Project plan")
    assert each_site.world.rows("SELECT state, identity_provider FROM users WHERE mail = :mail", mail=ALEX) == [
        ("Accepted", "passcode")
    ]


@pytest.mark.case("I-13")
def test_alex_comes_by_a_direct_link_and_lands_exactly_there(each_site: Site, arrive: Arrive) -> None:
    each_site.reset()
    alex = arrive(each_site).sign_in(ALEX, f"{PLAN}?page=2")
    assert alex.sees("Project plan")
    assert alex.path == f"{PLAN}?page=2"


@pytest.mark.long
def test_alex_downloads_the_file(site: Site, arrive: Arrive) -> None:
    site.reset()
    alex = arrive(site).sign_in(ALEX, PLAN)
    with alex.page.expect_download() as download:
        alex.press("Download project-plan.pdf")
    assert download.value.suggested_filename == "project-plan.pdf"
    assert download.value.path().read_bytes().startswith(b"%PDF-")


def test_alex_signs_in_over_https_in_production(production_site: Site, arrive: Arrive) -> None:
    alex = arrive(production_site).open(production_site.invitation(ALEX))
    alex.press("Continue").press("Send code").enter_code(ALEX).press("Accept")
    assert alex.sees("Project plan")
    cookies = {cookie["name"]: cookie for cookie in alex.context.cookies()}
    assert set(cookies) == {"__Host-guestauth", "__Host-guestauth-visit", "__Host-guestauth-known"}
    assert all(each["secure"] and each["httpOnly"] and each["sameSite"] == "Lax" for each in cookies.values())


@pytest.mark.acceptance(32)
@pytest.mark.long
def test_production_has_no_demo_pages(production_site: Site, arrive: Arrive) -> None:
    somebody = arrive(production_site)
    answers = [somebody.page.goto(f"{production_site.url}/dev{rest}") for rest in ("", "/mailbox", "/clock")]
    assert [answer.status for answer in answers if answer] == [404, 404, 404]


# Links


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.acceptance(29)
@pytest.mark.long
def test_each_shape_of_link_leads_to_the_apps(site: Site, arrive: Arrive, shape: str) -> None:
    guest = arrive(site).sign_in(site.guest(), shape)
    assert guest.sees("Fabrikam apps")
    assert guest.open(shape).sees("Fabrikam apps")


@pytest.mark.acceptance(29)
@pytest.mark.long
def test_direct_link_with_the_tenant_in_its_query_leads_to_the_resource(site: Site, arrive: Arrive) -> None:
    plan = next(each for each in site.world.do(resources.of_tenant, FABRIKAM) if each.slug == "project-plan")
    link = f"/signin/Our%20plan/{plan.id}?tenantId={FABRIKAM}"
    guest = arrive(site).sign_in(shared_plan(site), link)
    assert guest.sees("Project plan")
    assert guest.path == link


def test_link_without_a_tenant_leads_on_by_the_organisations_address(site: Site, arrive: Arrive) -> None:
    guest = arrive(site).open("/apps").type("Organisation's address", "fabrikam.example").press("Continue")
    assert guest.sees("Sign in to Fabrikam")


@pytest.mark.long
def test_resource_elsewhere_opens_through_a_page_of_ours(site: Site, arrive: Arrive) -> None:
    nicole, told = arrive(site), []
    nicole.ask_for_code(NICOLE, f"{HOME}/apps/expense-portal").enter_code(NICOLE)
    assert nicole.sees("Expense portal")

    def elsewhere(route: Route) -> None:
        told.append(route.request.headers.get("referer"))
        route.fulfill(body="<title>Expenses</title>", content_type="text/html")

    nicole.context.route("https://expenses.fabrikam.example/**", elsewhere)
    nicole.press("Open Expense portal").page.wait_for_url("https://expenses.fabrikam.example/")
    assert told == [None]


# What people do with a browser


@pytest.mark.acceptance(11)
def test_whole_way_works_without_scripts(site: Site, arrive: Arrive) -> None:
    guest = arrive(site, java_script_enabled=False).sign_in(shared_plan(site), f"{PLAN}?page=2")
    assert guest.sees("Project plan")
    assert guest.press("Sign out").sees("You've signed out")


def test_reload_is_harmless_at_every_step(site: Site, arrive: Arrive) -> None:
    mail = site.guest()
    guest, steps = arrive(site).open(HOME), []
    for go_on in (
        lambda: guest.type("Email address", mail).press("Continue"),
        lambda: guest.press("Send code"),
        lambda: guest.enter_code(mail),
        lambda: guest.press("Accept"),
    ):
        guest.page.reload()
        steps.append(guest.page.get_by_role("heading", level=1).inner_text())
        go_on()
    assert steps == JOURNEY
    guest.page.reload()
    assert guest.sees("Fabrikam apps")
    assert len(site.letters(mail)) == 1


@pytest.mark.acceptance(14)
def test_back_and_forward_are_harmless_at_every_step(site: Site, arrive: Arrive) -> None:
    mail = site.guest()
    guest = arrive(site).ask_for_code(mail)
    for heading in reversed(JOURNEY[:2]):
        guest.page.go_back()
        assert guest.sees(heading)
    for heading in JOURNEY[1:3]:
        guest.page.go_forward()
        assert guest.sees(heading)
    guest.enter_code(mail).press("Accept")
    answers = [guest.page.go_back() for _ in range(4)]
    assert [answer.status for answer in answers if answer] == [200] * 4
    assert len(site.letters(mail)) == 1


@pytest.mark.long
@pytest.mark.case("S-09")
def test_back_after_signing_out_shows_nothing(site: Site, arrive: Arrive) -> None:
    guest = arrive(site).sign_in(shared_plan(site), PLAN)
    assert guest.sees("Project plan")
    guest.press("Sign out").page.go_back()
    assert guest.sees("Sign in to Fabrikam")


@pytest.mark.long
@pytest.mark.case("C-12")
def test_old_form_in_a_second_tab_ends_well_and_costs_no_try(site: Site, arrive: Arrive) -> None:
    mail = site.guest()
    first = arrive(site).ask_for_code(mail)
    second = first.new_tab().open(first.path)
    first.enter_code(mail).press("Accept")
    assert second.type("8-digit code", site.code(mail)).press("Sign in").sees("Fabrikam apps")
    assert site.world.rows("SELECT tries FROM sign_ins WHERE address = :mail", mail=mail) == [(0,)]


@pytest.mark.long
@pytest.mark.acceptance(15)
def test_two_tenants_in_two_tabs_do_not_disturb_each_other(site: Site, arrive: Arrive) -> None:
    here, there = site.guest(), site.guest(tenant=WOODGROVE)
    first = arrive(site).ask_for_code(here)
    second = first.new_tab().ask_for_code(there, "/woodgrove.example")
    first.enter_code(here).press("Accept")
    assert second.enter_code(there).page.title().startswith("Error: ")  # its form is from before the sign-in
    second.press("Sign in").press("Accept")
    assert second.press("Sign out").sees("You've signed out")
    assert first.open(HOME).sees("Fabrikam apps")


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
@pytest.mark.acceptance(10)
def test_double_clicks_send_one_letter_and_make_one_session(site: Site, arrive: Arrive, scripts: bool) -> None:
    mail = site.guest()
    guest = arrive(site, java_script_enabled=scripts).open(HOME).type("Email address", mail).press("Continue")
    assert guest.press("Send code", double=True).sees("Check your email")
    guest.type("8-digit code", site.code(mail)).press("Sign in", double=True)
    assert guest.press("Accept", double=True).sees("Fabrikam apps")
    user = site.world.rows("SELECT id FROM users WHERE mail = :mail", mail=mail)[0][0]
    assert len(site.letters(mail)) == 1
    assert site.world.rows("SELECT count(*) FROM sessions WHERE user_id = :user", user=user) == [(1,)]


@pytest.mark.acceptance(9)
@pytest.mark.long
def test_session_is_over_after_a_day_and_a_new_code_leads_back(site: Site, arrive: Arrive) -> None:
    mail = shared_plan(site)
    guest = arrive(site).sign_in(mail, f"{PLAN}?page=2")
    guest.new_tab().open("/dev/clock").press("+24 h 1 min")
    guest.page.reload()
    assert guest.sees("It's time for a new code")
    assert guest.page.get_by_text(mail).is_visible()
    guest.press("Send code").enter_code(mail, nth=2)
    assert guest.sees("Project plan")
    assert guest.path == f"{PLAN}?page=2"


@pytest.mark.case("C-05")
def test_code_page_left_open_too_long_says_so_and_a_new_code_works(site: Site, arrive: Arrive) -> None:
    mail = site.guest()
    guest = arrive(site).ask_for_code(mail)
    code = site.code(mail)
    site.advance(31 * 60)
    guest.type("8-digit code", code).press("Sign in")
    assert guest.page.get_by_text("That code has expired.").first.is_visible()
    assert guest.press("Send a new code").enter_code(mail, nth=2).sees("Review permissions")


# What it looks like


@pytest.mark.parametrize("path", [f"{HOME}/sign-in", "/apps"])
def test_fresh_browser_asks_three_times_for_a_page(site: Site, arrive: Arrive, path: str) -> None:
    guest, asked = arrive(site), []
    guest.context.on("request", lambda request: asked.append(request.url.removeprefix(site.url)))
    guest.open(path).page.wait_for_load_state("networkidle")
    icon = "/static/icon.svg"  # for the tab, once the page is there
    assert asked[:2] == [path, "/static/style.css"] and asked[2:] in ([], [icon])
    assert asked[3:] in ([], icon)


def test_nothing_scrolls_sideways_at_320_pixels(site: Site, arrive: Arrive) -> None:
    mail = shared_plan(site)
    guest, widths = arrive(site, viewport={"width": 320, "height": 640}).open(HOME), {}

    def measure() -> None:
        widths[guest.page.title()] = guest.sideways

    for go_on in (
        lambda: guest.press("Continue"),
        lambda: guest.type("Email address", mail).press("Continue"),
        lambda: guest.press("Send code"),
        lambda: guest.press("Sign in"),
        lambda: guest.enter_code(mail),
        lambda: guest.press("Accept"),
        lambda: guest.press("Project plan"),
        lambda: guest.open(f"{HOME}/sign-in"),
        lambda: guest.press("Sign out"),
        lambda: guest.open("/apps"),
        lambda: guest.open("/nowhere.example"),
    ):
        measure()
        go_on()
    measure()
    assert len(widths) == 12
    assert {title for title, wider in widths.items() if wider > 0} == set()
