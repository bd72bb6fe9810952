"""The whole console without JavaScript, in a real browser: every journey of an administrator (UX acceptance 11).

What an administrator does is looked at where it counts: with the guest it is about, in a browser of their own.
"""

import pytest

from tests.e2e.fixtures import Arrive
from tests.e2e.person import Person
from tests.e2e.site import HOME, Site
from tests.e2e.test_console import CONSOLE, HEADER
from tests.world import ADMIN, NICOLE

pytestmark = pytest.mark.acceptance(11)


@pytest.fixture
def site(sqlite_site: Site) -> Site:
    sqlite_site.reset()
    return sqlite_site


def at_console(site: Site, arrive: Arrive, path: str = "", **settings: object) -> Person:
    """Sign the administrator in, in a browser without scripts."""
    return (
        arrive(site, java_script_enabled=False, **settings)
        .ask_for_code(ADMIN, f"{CONSOLE}{path}")
        .enter_code(ADMIN)
    )


def at_guest(admin: Person, mail: str) -> Person:
    """Find a guest on the list, and open their page."""
    admin.open(f"{CONSOLE}/guests").type("Name or user name", mail).press("Apply")
    admin.page.get_by_role("row").filter(has_text=mail).get_by_role("link").first.click()
    return admin


def told(admin: Person) -> str:
    """What the banner says was done."""
    return admin.page.locator("p.notice[role=status]").inner_text()


@pytest.mark.long
def test_invitation_is_sent_again_and_the_old_link_dies(site: Site, arrive: Arrive) -> None:
    mail, admin = "wendy@firstup.example", at_console(site, arrive, "/guests/invite")
    admin.type("Email address", mail).type("Message", "Welcome!").press("Invite")
    assert told(admin) == f"Invited: {mail}"
    first = site.invitation(mail)
    at_guest(admin, mail).press("Resend invitation").press("Resend invitation")
    assert told(admin) == f"A new invitation is on its way to {mail}."
    site.sink.wait_until(lambda _: site.invitation(mail) != first)
    guest = arrive(site, java_script_enabled=False).open(first)
    assert guest.sees("There's a newer invitation")
    guest.open(site.invitation(mail)).press("Continue").press("Send code").enter_code(mail).press("Accept")
    assert guest.sees("Fabrikam apps")


@pytest.mark.long
def test_blocked_guest_is_out_at_once_until_unblocked(site: Site, arrive: Arrive) -> None:
    nicole = arrive(site, java_script_enabled=False).ask_for_code(NICOLE).enter_code(NICOLE)
    admin = at_guest(at_console(site, arrive), NICOLE).press("Block")
    assert "1 session will end at once." in admin.page.inner_text("main")
    assert told(admin.press("Block")) == f"{NICOLE} is blocked."
    assert nicole.open(HOME).sees("Sign in to Fabrikam")
    assert told(admin.press("Unblock").press("Unblock")) == f"{NICOLE} is no longer blocked."
    nicole.ask_for_code(NICOLE).enter_code(NICOLE, nth=2)
    assert nicole.sees("Fabrikam apps")


@pytest.mark.long
def test_codes_are_turned_off_and_on_again(site: Site, arrive: Arrive) -> None:
    admin = at_console(site, arrive, "/settings")
    admin.page.get_by_label("No", exact=True).check()
    admin.press("Save")
    assert admin.sees("Turn codes off for guests?")
    assert told(admin.press("Turn codes off")) == "Email one-time passcode for guests is off."
    nicole = arrive(site).open(HOME).type("Email address", NICOLE).press("Continue")
    assert nicole.sees("Codes are turned off for guests of Fabrikam")
    admin.page.get_by_label("Yes", exact=True).check()
    assert told(admin.press("Save")) == "Email one-time passcode for guests is on."
    assert nicole.ask_for_code(NICOLE).sees("Check your email")


@pytest.mark.long
def test_policy_is_changed_after_a_look_at_the_difference(site: Site, arrive: Arrive) -> None:
    admin = at_console(site, arrive, "/policy")
    admin.type("Definition", "{").press("Show what changes")
    assert admin.page.title().startswith("Error: ") and "This is not JSON" in admin.page.inner_text("main")
    policy = '{"B2BManagementPolicy":{"PreviewPolicy":{"Features":["OneTimePasscode","Other"]}}}'
    admin.type("Definition", policy).press("Show what changes")
    assert '"Other"' in admin.page.locator("pre.diff ins").all_inner_texts()[-1]
    assert told(admin.press("Save")) == "The policy is saved."
    assert admin.page.get_by_label("Definition").input_value() == policy


@pytest.mark.long
def test_resource_is_added_shared_and_taken_away(site: Site, arrive: Arrive) -> None:
    admin = at_console(site, arrive, "/resources").press("Add a resource").type("Title", "Road map")
    admin.page.get_by_role("textbox", name="Text", exact=True).fill("North, then west.")
    admin.press("Add")
    assert told(admin) == "Road map is added. Nobody has it yet."
    assert told(admin.type("Share with more guests", NICOLE).press("Share")) == f"It is shared with {NICOLE}."
    nicole = arrive(site, java_script_enabled=False).ask_for_code(NICOLE).enter_code(NICOLE).press("Road map")
    assert "North, then west." in nicole.page.inner_text("main")
    assert admin.press("Remove").sees("Remove Road map?")
    assert told(admin.press("Remove Road map")) == "Road map is removed."
    nicole.page.reload()
    assert nicole.sees("There is nothing here for you")


def test_guests_are_invited_from_a_file(site: Site, arrive: Arrive) -> None:
    admin = at_console(site, arrive, "/guests/import")
    lines = "Kim,kim@firstup.example,,true,\r\nLee,nobody,,true,\r\n"
    file = {"name": "people.csv", "mimeType": "text/csv", "buffer": f"{HEADER}{lines}".encode()}
    admin.page.set_input_files("#file", [file])
    admin.press("Check the file")
    assert "The address is not like name@example.com" in admin.page.inner_text("main")
    assert told(admin.press("Invite 1 person")) == "1 person was invited"
    assert "/invitations/" in site.invitation("kim@firstup.example")
    with admin.page.expect_download() as download:
        admin.press("Download as CSV")
    assert "kim@firstup.example,Kim,invited" in download.value.path().read_text("utf-8-sig")


@pytest.mark.long
def test_log_is_narrowed_read_and_taken_along(site: Site, arrive: Arrive) -> None:
    arrive(site).ask_for_code(NICOLE).type("8-digit code", "00000000").press("Sign in")
    admin = at_console(site, arrive, "/sign-ins").type("Email address, or a part", "nicole")
    admin.page.get_by_label("Result").select_option("refused")
    admin.press("Show")
    (row,) = admin.page.locator("tbody tr").all_inner_texts()
    assert NICOLE in row and "wrong code" in row
    with admin.page.expect_download() as download:
        admin.press("Download as CSV")
    assert download.value.path().read_text("utf-8-sig").count(NICOLE) == 1


def test_console_is_read_in_another_language_from_one_press_on(site: Site, arrive: Arrive) -> None:
    admin = at_console(site, arrive, "/settings/details").press("Nederlands")
    assert admin.sees("Organisatie")
    admin.type("Naam", "").press("Opslaan")
    assert admin.page.title().startswith("Fout: ")
    assert "De naam van een organisatie heeft 1 tot 200 tekens" in admin.page.inner_text("main")
    admin.press("Gastgebruikers")
    assert admin.sees("Gebruikers van andere organisaties")
