"""One guest: why they sign in as they do, what happened, and what an administrator does with them (B32)."""

import uuid

import pytest

from guestauth import guests, invitations, policies, resources
from tests.admin import CONSOLE, at_console
from tests.browser import Browser
from tests.probe import tables, token
from tests.steps import audited
from tests.world import ADMIN, ALEX, BY, CONTOSO, FABRIKAM, NICOLE, STRANDED, WOODGROVE, World

IDS = {mail: uuid.uuid5(FABRIKAM, mail) for mail in (ALEX, NICOLE)}
ALL = ["resend", "revoke", "reset", "end-sessions", "block", "unblock", "delete", "restore"]
REPEATED = {  # what is said, when nobody is signed in, and what is done
    "resend": (ALEX, "A new invitation goes to alexdoe@gmail.com", "invitation.resent"),
    "revoke": (ALEX, "The link in the invitation stops working", "invitation.revoked"),
    "reset": (NICOLE, "as things stand: Email one-time passcode", "guest.reset"),
    "block": (NICOLE, "Until you unblock them", "guest.blocked"),
    "delete": (NICOLE, "For 30 days you can restore them", "guest.deleted"),
}


def at_guest(world: World, mail: str = NICOLE, action: str = "") -> Browser:
    return at_console(world, f"/guests/{IDS[mail]}" + (f"/{action}" if action else ""))


def offered(browser: Browser) -> list[str]:
    """The actions that the page offers."""
    links = browser.page.xpath("//nav[@aria-label='What you can do']//a/@href")
    return [link.rpartition("/")[2] for link in links]


# What is seen


def test_page_says_who_it_is_and_how_things_stand(world: World) -> None:
    text = at_guest(world).text
    for words in (f"User name {NICOLE}", "User type Guest", "Source OTP", "Invitation state Accepted"):
        assert words in text


def test_page_says_why_the_guest_signs_in_the_way_they_do(world: World) -> None:
    browser = at_guest(world)
    assert "Email one-time passcode. Their way in was fixed to it when they accepted." in browser.text
    assert "the next redemption would choose: Email one-time passcode" in browser.text
    browser.open(f"{CONSOLE}/guests/{IDS[ALEX]}")
    assert "the email one-time passcode is the fallback" in browser.text and "not fixed yet" in browser.text


def test_stranded_guest_is_explained(world: World) -> None:
    path = f"/guests/{uuid.uuid5(CONTOSO, STRANDED)}"
    text = at_console(world, path, mail="admin@contoso.example", tenant="contoso.example").text
    assert "No way in. Their way in was fixed to the email one-time passcode" in text
    assert "the next redemption would choose: no way in" in text


def test_mails_are_shown_with_what_became_of_them(world: World) -> None:
    world.deliver()
    browser = at_guest(world, ALEX)
    assert "Invitation" in browser.text and "Sent" in browser.text
    world.do(invitations.resend, FABRIKAM, ALEX, by=BY)
    assert "Waiting next try" in browser.open(browser.path).text
    world.do(invitations.revoke, FABRIKAM, ALEX, by=BY)
    world.deliver()
    assert "Dropped" in browser.open(browser.path).text and "the invitation is revoked" in browser.text


def test_sessions_shares_and_history_are_shown(world: World) -> None:
    world.signed_in(NICOLE)
    text = at_guest(world).text
    assert (
        "from 127.0.0.1, since" in text and "Welcome pack (with all guests)" in text and "Expense portal" in text
    )
    assert "somebody entered a code, or came back" in text and "a guest was invited by command line" in text


def test_history_has_the_newest_twenty_and_leads_to_the_log(sqlite_world: World) -> None:
    for _ in range(15):
        sqlite_world.do(guests.block, FABRIKAM, NICOLE, by=BY)
        sqlite_world.do(guests.unblock, FABRIKAM, NICOLE, by=BY)
    browser = at_guest(sqlite_world)
    assert len(browser.page.xpath("//ul[@class='history']/li")) == 20
    assert browser.page.xpath(f"//a[@href='{CONSOLE}/audit?address={NICOLE}']")


def test_invitation_s_link_is_there_to_copy_while_it_works(world: World) -> None:
    path = world.invitation_path(ALEX)
    browser = at_guest(world, ALEX)
    assert [link.endswith(path) for link in browser.page.xpath("//button/@data-copy")] == [True]
    world.do(invitations.revoke, FABRIKAM, ALEX, by=BY)
    browser.open(browser.path)
    assert not browser.page.xpath("//button/@data-copy") and "was revoked" in browser.text


@pytest.mark.parametrize("where", ["", "/block", "/invited"])
def test_who_is_no_guest_of_the_tenant_is_not_found(world: World, where: str) -> None:
    browser = at_console(world)
    ids = (uuid.uuid5(CONTOSO, STRANDED), uuid.uuid5(FABRIKAM, ADMIN), uuid.UUID(int=7), "x", "0" * 32)
    assert [browser.open(f"{CONSOLE}/guests/{each}{where}").status for each in ids] == [404] * 5


def test_looking_changes_nothing(world: World) -> None:
    browser = at_guest(world)
    before = tables(world)
    for path in ("", "/invited", *(f"/{action}" for action in ALL)):
        assert browser.open(f"{CONSOLE}/guests/{IDS[NICOLE]}{path}").status in (200, 422)
    assert tables(world) == before


# What is done


def test_only_what_makes_sense_now_is_offered(world: World) -> None:
    browser = at_guest(world)
    assert offered(browser) == ["reset", "block", "clear-limits", "delete"]
    world.signed_in(NICOLE)
    assert "end-sessions" in offered(browser.open(browser.path))
    world.do(guests.block, FABRIKAM, NICOLE, by=BY)
    assert offered(browser.open(browser.path)) == ["unblock", "clear-limits", "delete"]


def test_of_an_invitation_only_what_makes_sense_now_is_offered(world: World) -> None:
    browser = at_guest(world, ALEX)
    assert offered(browser) == ["resend", "revoke", "block", "clear-limits", "delete"]
    world.do(invitations.revoke, FABRIKAM, ALEX, by=BY)
    assert offered(browser.open(browser.path)) == ["resend", "block", "clear-limits", "delete"]


@pytest.mark.parametrize("name", REPEATED)
def test_each_action_says_what_will_happen_does_it_and_says_so(world: World, name: str) -> None:
    mail, words, event = REPEATED[name]
    browser = at_guest(world, mail)
    before = len(audited(world, event))
    browser.open(f"{browser.path}/{name}")
    assert words in browser.text and len(audited(world, event)) == before
    browser.submit(name)
    assert browser.path == f"{CONSOLE}/guests/{IDS[mail]}" and browser.page.xpath("//p[@role='status']")
    assert len(audited(world, event)) == before + 1
    assert world.rows("SELECT actor FROM events WHERE name = :name", name=event)[-1] == ("administrator",)


@pytest.mark.parametrize("name", ["reset", "end-sessions", "block", "delete"])
def test_sessions_are_counted_and_end_at_once(world: World, name: str) -> None:
    first, second = world.signed_in(NICOLE), world.signed_in(NICOLE)
    browser = at_guest(world, NICOLE, name)
    assert "2 sessions will end at once." in browser.text
    browser.submit(name)
    assert [each.open("/fabrikam.example").h1 for each in (first, second)] == ["Sign in to Fabrikam"] * 2
    assert "Nowhere now." in browser.text


def test_one_session_is_one(sqlite_world: World) -> None:
    sqlite_world.signed_in(NICOLE)
    assert "1 session will end at once." in at_guest(sqlite_world, NICOLE, "block").text


def test_blocked_guest_is_unblocked(world: World) -> None:
    browser = at_guest(world, NICOLE, "block").submit("block").click("Unblock").submit("unblock")
    assert "is no longer blocked" in browser.text and world.signed_in(NICOLE).h1 == "Fabrikam apps"


def test_deleted_guest_is_restored_with_what_was_shared(world: World) -> None:
    browser = at_guest(world, NICOLE, "delete").submit("delete")
    assert offered(browser) == ["restore"] and "deleted" in browser.text
    browser.click("Restore").submit("restore")
    assert "is a guest again" in browser.text and "Expense portal" in world.signed_in(NICOLE).text


def test_deleted_guest_is_not_restored_after_thirty_days(world: World) -> None:
    world.do(guests.delete, FABRIKAM, NICOLE, by=BY)
    browser = at_guest(world, NICOLE, "restore")
    world.advance(30 * 86400)
    browser = at_guest(world, NICOLE, "restore")
    assert browser.status == 422 and not browser.has_form("restore")
    assert offered(browser.click("See how things stand")) == []


def test_deleted_guest_s_page_never_touches_the_next_guest_of_that_address(world: World) -> None:
    at_page = at_guest(world, NICOLE, "delete")
    world.do(guests.delete, FABRIKAM, NICOLE, by=BY)
    world.do(invitations.invite, FABRIKAM, NICOLE, by=BY)
    assert at_page.submit("delete").status == 422
    new = world.do(guests.find, FABRIKAM, NICOLE)
    assert new.deleted_at is None and "Nothing was changed" in at_page.text
    assert at_page.click("See how things stand").click("another guest").path.endswith(str(new.id))


def test_restoring_over_a_new_guest_is_refused_on_the_page(world: World) -> None:
    world.do(guests.delete, FABRIKAM, NICOLE, by=BY)
    world.do(invitations.invite, FABRIKAM, NICOLE, by=BY)
    browser = at_guest(world, NICOLE, "restore").submit("restore")
    assert browser.status == 422
    assert browser.errors == [f"{NICOLE} has been invited again; delete that guest first"]


def test_the_one_meant_is_restored_of_several_of_an_address(world: World) -> None:
    for _ in range(2):
        world.do(guests.delete, FABRIKAM, NICOLE, by=BY)
        world.advance(10)
        world.do(invitations.invite, FABRIKAM, NICOLE, by=BY)
    world.do(guests.delete, FABRIKAM, NICOLE, by=BY)
    at_guest(world, NICOLE, "restore").submit("restore")
    assert world.do(guests.find, FABRIKAM, NICOLE).id == IDS[NICOLE]


@pytest.mark.parametrize("name", ["unblock", "restore", "resend", "revoke", "end-sessions"])
def test_what_is_not_possible_now_is_a_problem_on_a_page(world: World, name: str) -> None:
    browser = at_guest(world)
    form = {"csrf_token": token(browser, "sign-out")}
    before = tables(world)
    assert browser.post(f"{browser.path}/{name}", form).status == 422
    assert len(browser.errors) == 1 and "not possible as things stand now" in browser.errors[0]
    assert tables(world) == before


@pytest.mark.parametrize("name", ["x", "Delete", "invite", "__class__", "edit", "end_sessions"])
def test_unknown_action_is_not_found(sqlite_world: World, name: str) -> None:
    browser = at_guest(sqlite_world)
    form = {"csrf_token": token(browser, "sign-out")}
    place = f"{browser.path}/{name}"
    assert (browser.post(place, form).status, browser.open(place).status) == (404, 404)
    assert "There is nothing at this address. It may have been removed." in browser.text


def test_administrator_of_another_tenant_can_do_nothing(world: World) -> None:
    browser = at_console(world, mail="admin@woodgrove.example", tenant="woodgrove.example")
    form = {"csrf_token": token(browser, "sign-out")}
    before = tables(world, without=["events"])
    for action in ALL:
        for tenant in ("woodgrove.example", str(WOODGROVE), "fabrikam.example"):
            browser.post(f"/{tenant}/admin/guests/{IDS[NICOLE]}/{action}", form)
    assert tables(world, without=["events", "sign_ins"]) == {k: v for k, v in before.items() if k != "sign_ins"}


def test_reset_with_codes_off_says_that_there_will_be_no_way_in(world: World) -> None:
    world.do(policies.turn_passcodes, FABRIKAM, on=False, by=BY)
    assert "as things stand: no way in" in at_guest(world, NICOLE, "reset").text


def test_reset_guest_keeps_their_shares_and_accepts_again(world: World) -> None:
    browser = at_guest(world, NICOLE, "reset").submit("reset")
    assert "Pending acceptance" in browser.text and "Expense portal" in browser.text
    user = world.do(guests.find, FABRIKAM, NICOLE)
    assert (user.id, len(world.do(resources.of_user, user))) == (IDS[NICOLE], 3)
    assert world.browser().open(world.invitation_path(NICOLE)).h1 == "Fabrikam has invited you"


def test_names_with_marks_of_their_own_are_only_text(sqlite_world: World) -> None:
    name = "<b>{mail}</b>{0.__class__}"
    made = sqlite_world.do(invitations.invite, FABRIKAM, "odd{x}@example.com", display_name=name, by=BY)
    browser = at_console(sqlite_world, f"/guests/{made.user_id}")
    assert browser.h1 == name
    assert "odd{x}@example.com is blocked" in browser.click("Block").submit("block").text
