"""The account page: where somebody is signed in, and leaving (B30)."""

import pytest

from guestauth import guests, invitations
from tests.admin import CONSOLE
from tests.guest import at_send_code
from tests.probe import tables
from tests.world import ADMIN, BY, FABRIKAM, NICOLE, STRANGER, World

ACCOUNT = "/fabrikam.example/account"
HOME = "/fabrikam.example"


def test_page_says_who_one_is_and_where_one_is_signed_in(world: World) -> None:
    world.signed_in(NICOLE)
    browser = world.signed_in(NICOLE).open(ACCOUNT)
    assert browser.h1 == "Your account at Fabrikam"
    assert NICOLE in browser.text and browser.text.count("This browser") == 1
    assert len(browser.page.xpath("//form[@id='sessions']//li")) == 2


def test_account_is_reached_from_every_page(sqlite_world: World) -> None:
    assert sqlite_world.signed_in(NICOLE).click("Account").path == "/fabrikam.example/account"


def test_one_session_is_ended_and_this_one_stays(world: World) -> None:
    other, third, browser = (world.signed_in(NICOLE) for _ in range(3))
    browser.open(ACCOUNT)
    newest = browser.page.xpath("//form[@id='sessions']//button[@name='end']/@value")[0]
    browser.submit("sessions", button=("end", newest))
    assert (browser.status, browser.path) == (200, ACCOUNT)
    assert third.open(HOME).h1 == "Sign in to Fabrikam"
    assert other.open(HOME).h1 == "Fabrikam apps"


def test_all_others_are_ended_at_once(world: World) -> None:
    others, browser = [world.signed_in(NICOLE) for _ in range(2)], world.signed_in(NICOLE)
    browser.open(ACCOUNT).submit("sessions", button=("end", "others"))
    assert [other.open(HOME).h1 for other in others] == ["Sign in to Fabrikam"] * 2
    assert browser.open(HOME).h1 == "Fabrikam apps"


def test_nobody_ends_another_s_session_nor_their_own_by_mistake(world: World) -> None:
    admin, browser = world.signed_in(ADMIN), world.signed_in(NICOLE)
    ids = [str(row[0]) for row in world.rows("SELECT id FROM sessions")]
    browser.open(ACCOUNT)
    form = browser.form("sessions").xpath(".//input[@name='csrf_token']/@value")[0]
    for which in (*ids, "", "x", "00000000-0000-4000-8000-000000000000"):
        assert browser.post(ACCOUNT, {"csrf_token": form, "end": which}).h1 == "Your account at Fabrikam"
    assert admin.open(HOME).h1 == "Fabrikam apps"


def test_leaving_ends_access_at_once_and_for_the_address(world: World) -> None:
    other, browser = world.signed_in(NICOLE), world.signed_in(NICOLE).open(ACCOUNT)
    before = len(world.letters(NICOLE))
    assert browser.submit("leave").h1 == "You've left Fabrikam"
    assert browser.open(HOME).h1 == other.open(HOME).h1 == "Sign in to Fabrikam"
    at_send_code(world, NICOLE).submit("send-code")
    assert len(world.letters(NICOLE)) == before


def test_administrator_restores_who_left_with_what_was_shared(world: World) -> None:
    world.signed_in(NICOLE).open(ACCOUNT).submit("leave")
    world.do(guests.restore, FABRIKAM, NICOLE, by=BY)
    assert "Expense portal" in world.signed_in(NICOLE).text


def test_who_left_is_not_restored_after_thirty_days(world: World) -> None:
    world.signed_in(NICOLE).open(ACCOUNT).submit("leave")
    world.advance(30 * 24 * 3600 + 1)
    with pytest.raises(guests.GuestUnknown):
        world.do(guests.restore, FABRIKAM, NICOLE, by=BY)


def test_leaving_is_in_the_log_as_the_guest_s_own_doing(world: World) -> None:
    world.signed_in(NICOLE).open(ACCOUNT).submit("leave")
    assert world.rows("SELECT actor, address FROM events WHERE name = 'guest.left'") == [("guest", NICOLE)]


def test_looking_at_the_pages_changes_nothing(world: World) -> None:
    browser = world.signed_in(NICOLE)
    before = tables(world)
    for path in (ACCOUNT, f"{ACCOUNT}/leave", f"{ACCOUNT}/left"):
        assert browser.open(path).status == 200
    assert tables(world) == before


def test_member_cannot_leave(sqlite_world: World) -> None:
    browser = sqlite_world.signed_in(ADMIN, f"{CONSOLE}/guests").open(ACCOUNT)
    assert not browser.has_form("leave")
    form = browser.form("sessions").xpath(".//input[@name='csrf_token']/@value")[0]
    assert browser.post(f"{ACCOUNT}/leave", {"csrf_token": form}).status >= 400
    assert sqlite_world.signed_in(ADMIN).h1 == "Fabrikam apps"


def test_new_guest_accepts_before_they_see_their_account(sqlite_world: World) -> None:
    sqlite_world.do(invitations.invite, FABRIKAM, STRANGER, by=BY)
    browser = sqlite_world.browser().open(ACCOUNT).submit("email-form", email=STRANGER).submit("send-code")
    browser.submit("enter-code", code=sqlite_world.code(STRANGER))
    assert browser.h1 == "Review permissions"
    assert browser.submit("consent", button=("decision", "accept")).h1 == "Your account at Fabrikam"
