"""Signing out: B5, B29; UX row "Signed out"; S-02, S-09."""

import pytest

from guestauth import journal
from tests.guest import at_consent
from tests.probe import ask_as, tables, token
from tests.world import ALEX, FABRIKAM, NICOLE, World

PLAN = "/fabrikam.example/apps/project-plan"
SIGN_OUT = "/fabrikam.example/sign-out"


def test_page_says_so_and_offers_the_way_back(world: World) -> None:
    browser = world.signed_in(NICOLE).submit("sign-out")
    assert (browser.status, browser.h1) == (200, "You've signed out")
    assert "You're no longer signed in to Fabrikam in this browser." in browser.text
    assert [answer.status_code for answer in browser.history] == [303]
    assert browser.click("Sign in again").h1 == "Sign in to Fabrikam"


def test_session_is_over_at_once_also_for_a_copied_cookie(world: World) -> None:
    browser = world.signed_in(NICOLE, PLAN)
    thief = browser.fork()
    browser.submit("sign-out")
    assert browser.open(PLAN).h1 == "Sign in to Fabrikam"
    assert thief.open(PLAN).h1 == "Sign in to Fabrikam" and NICOLE not in thief.text
    assert world.rows("SELECT ended_reason FROM sessions") == [("signed out",)]


@pytest.mark.parametrize("page", ["", "/apps/project-plan", "/apps/none", "/sign-in", "/invitations/x"])
def test_every_page_of_a_signed_in_guest_has_the_button(sqlite_world: World, page: str) -> None:
    browser = sqlite_world.signed_in(NICOLE).open(f"/fabrikam.example{page}")
    assert browser.submit("sign-out").h1 == "You've signed out"


def test_page_of_permissions_has_the_button(sqlite_world: World) -> None:
    assert at_consent(sqlite_world, ALEX).submit("sign-out").h1 == "You've signed out"


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_get_changes_nothing_and_asks(sqlite_world: World, method: str) -> None:
    browser = sqlite_world.signed_in(NICOLE)
    before = tables(sqlite_world)
    assert ask_as(browser, sqlite_world.app, SIGN_OUT, method).status == 200
    assert tables(sqlite_world) == before
    assert browser.open(SIGN_OUT).submit("sign-out").h1 == "You've signed out"


def test_post_without_the_token_changes_nothing_and_says_so(sqlite_world: World) -> None:
    browser = sqlite_world.signed_in(NICOLE)
    before = tables(sqlite_world)
    browser.post(SIGN_OUT, {})
    assert browser.status == 400 and len(browser.errors) == 1
    assert tables(sqlite_world) == before
    assert browser.submit("sign-out").h1 == "You've signed out"


def test_signing_out_twice_ends_well(sqlite_world: World) -> None:
    browser = sqlite_world.signed_in(NICOLE)
    form = {"csrf_token": token(browser, "sign-out")}
    for _ in range(2):
        assert browser.post(SIGN_OUT, form).h1 == "You've signed out"
    assert len(sqlite_world.do(journal.newest, FABRIKAM, journal.Which(names=["session.ended"]))) == 1


def test_page_in_another_tab_ends_well_after_signing_out(sqlite_world: World) -> None:
    browser = sqlite_world.signed_in(NICOLE)
    browser.submit("sign-out")
    assert browser.open(SIGN_OUT).h1 == "You've signed out"


def test_back_button_shows_nothing(sqlite_world: World) -> None:
    browser = sqlite_world.signed_in(NICOLE, PLAN)
    assert browser.headers["Cache-Control"] == "no-store"


def test_other_sessions_of_the_guest_go_on(sqlite_world: World) -> None:
    one, other = sqlite_world.signed_in(NICOLE), sqlite_world.signed_in(NICOLE)
    one.submit("sign-out")
    assert other.open(PLAN).h1 == "Project plan"


def test_cookies_say_nothing_of_the_guest_afterwards(sqlite_world: World) -> None:
    browser = sqlite_world.signed_in(NICOLE)
    browser.submit("sign-out")
    assert set(browser.cookies) == {"guestauth-visit"}
    assert NICOLE not in browser.open(SIGN_OUT).open("/fabrikam.example/session-over").text
