"""The console in a real browser: what administrators do, and what that does to guests at once (B10 to B20, B32).

Every test also fails on a console error or a violation of the content security policy (see `person.py`).
"""

import re
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from tests.e2e.fixtures import Arrive
from tests.e2e.person import Person
from tests.e2e.site import HOME, LINK, Site
from tests.world import ADMIN, NICOLE

CONSOLE = f"{HOME}/admin"
HEADER = "version:v1.0\r\nName of invitee [inviteeName],Email address to invite [inviteeEmail] Required,"
HEADER += "Redirection url [inviteRedirectURL] Required,Send invitation message (true or false) [sendEmail],"
HEADER += "Customized invitation message [customizedMessageBody]\r\n"
PAGES = ["guests", "guests/invite", "guests/import", "resources", "resources/add", "resources/project-plan"]
PAGES += [
    "sign-ins",
    "audit",
    "settings",
    "settings/details",
    "policy",
    "domain-list",
    "domains",
    "administrators",
]


@pytest.fixture
def site(sqlite_site: Site) -> Site:
    sqlite_site.reset()
    return sqlite_site


def at_console(site: Site, arrive: Arrive, path: str = "", **settings: object) -> Person:
    """Sign the administrator in; members accept nothing."""
    return arrive(site, **settings).ask_for_code(ADMIN, f"{CONSOLE}{path}").enter_code(ADMIN)


def test_administrator_invites_a_guest_who_then_signs_in(site: Site, arrive: Arrive) -> None:
    mail = "wendy@firstup.example"
    admin = at_console(site, arrive)
    admin.press("Invite a guest").type("Email address", mail).type("Message", "Welcome!").press("Invite")
    guest = arrive(site).open(site.invitation(mail))
    guest.press("Continue").press("Send code").enter_code(mail).press("Accept")
    assert guest.sees("Fabrikam apps")
    admin.open(f"{CONSOLE}/guests?search={mail}&q={mail}")
    assert "OTP" in admin.page.get_by_role("row").filter(has_text=mail).inner_text()


@pytest.mark.long
def test_turning_codes_off_says_whom_it_locks_out_and_does_it_at_once(site: Site, arrive: Arrive) -> None:
    nicole = arrive(site).ask_for_code(NICOLE).enter_code(NICOLE)
    admin = at_console(site, arrive, "/settings")
    admin.page.get_by_label("No", exact=True).check()
    admin.press("Save")
    assert "1 guest who uses codes won't be able to sign in" in admin.page.inner_text("main")
    assert nicole.open(HOME).sees("Fabrikam apps")
    admin.page.locator("#one-time-passcode button").click()
    assert admin.sees("Settings")
    assert nicole.open(HOME).sees("Sign in to Fabrikam")


@pytest.mark.long
def test_hundreds_are_invited_from_a_file_by_one_press(site: Site, arrive: Arrive) -> None:
    admin = at_console(site, arrive, "/guests/import")
    lines = "".join(f"Guest {n},guest-{n}@firstup.example,,false,\r\n" for n in range(300))
    file = {"name": "guests.csv", "mimeType": "text/csv", "buffer": f"\ufeff{HEADER}{lines}".encode()}
    admin.page.set_input_files("#file", [file])
    admin.press("Check the file").press("Invite 300 people")
    admin.page.get_by_text("300 people were invited").wait_for(timeout=60_000)
    assert site.world.rows("SELECT count(*) FROM users WHERE mail LIKE 'guest-%'") == [(300,)]
    assert not site.letters("guest-7@firstup.example", LINK)


def test_times_in_tables_are_short_and_of_the_readers_zone(site: Site, arrive: Arrive) -> None:
    admin = at_console(site, arrive, timezone_id="Asia/Taipei")
    time = admin.page.locator("td time").first
    moment = datetime.fromisoformat(time.get_attribute("datetime") or "").astimezone(ZoneInfo("Asia/Taipei"))
    assert re.fullmatch(rf"{moment.day} {moment:%b}\w* {moment:%Y %H:%M} GMT\+8", time.inner_text())


@pytest.mark.parametrize(
    "scripts", [True, pytest.param(False, marks=pytest.mark.long)], ids=["scripts", "no scripts"]
)
def test_no_page_of_the_console_scrolls_sideways_at_320_pixels(site: Site, arrive: Arrive, scripts: bool) -> None:
    window = {"width": 320, "height": 640}
    admin = at_console(site, arrive, viewport=window, java_script_enabled=scripts)
    alex = site.world.rows("SELECT id FROM users WHERE mail = 'alexdoe@gmail.com'")[0][0]
    widths = {path: admin.open(f"{CONSOLE}/{path}").sideways for path in [*PAGES, f"guests/{alex}"]}
    assert {path: wide for path, wide in widths.items() if wide > 0} == {}
