"""A guest's 24 hours are over: B28, B29; UX row "Session over", acceptance 9; S-04."""

import pytest

from guestauth import guests, tenants
from tests.guest import DAY, at_enter_code
from tests.probe import action, drop_cookie, tables, token
from tests.world import BY, FABRIKAM, NICOLE, World

PLAN = "/fabrikam.example/apps/project-plan?page=2"


def over(world: World, path: str = PLAN):
    """A browser whose sign-in is just over."""
    browser = world.whole_way(NICOLE, path)
    world.advance(DAY + 60)
    return browser.open(path)


def test_page_says_what_happened_in_the_words_of_the_design(world: World) -> None:
    browser = over(world)
    assert (browser.status, browser.h1) == (200, "It's time for a new code")
    for words in ("Guest sign-ins last 24 hours. Nothing you did is lost.", NICOLE, "Send code"):
        assert words in browser.text
    assert len(world.letters(NICOLE)) == 1


@pytest.mark.acceptance(9)
def test_new_code_leads_back_to_the_page_asked_for(world: World) -> None:
    browser = over(world).submit("send-code")
    assert browser.h1 == "Check your email" and NICOLE in browser.text
    assert len(world.letters(NICOLE)) == 2
    browser.submit("enter-code", code=world.code(NICOLE))
    assert browser.url.endswith(PLAN) and browser.h1 == "Project plan"


def test_browser_that_dropped_the_cookie_at_its_end_is_asked_the_same(sqlite_world: World) -> None:
    browser = sqlite_world.whole_way(NICOLE, PLAN)
    drop_cookie(browser, "guestauth")
    sqlite_world.advance(DAY + 60)
    assert browser.open(PLAN).h1 == "It's time for a new code" and NICOLE in browser.text
    browser.submit("send-code").submit("enter-code", code=sqlite_world.code(NICOLE))
    assert browser.url.endswith(PLAN)


def test_session_cookie_ends_with_the_session(sqlite_world: World) -> None:
    browser = at_enter_code(sqlite_world, NICOLE)
    browser.submit("enter-code", code=sqlite_world.code(NICOLE))
    (cookie,) = [
        each for each in browser.history[0].headers.get_list("Set-Cookie") if each.startswith("guestauth=")
    ]
    assert "Max-Age=86399" in cookie or "Max-Age=86400" in cookie


@pytest.mark.acceptance(9)
def test_a_minute_before_the_end_the_guest_is_in_however_often_they_came(world: World) -> None:
    browser = world.whole_way(NICOLE, PLAN)
    for _ in range(23):
        world.advance(3600)
        assert browser.open(PLAN).h1 == "Project plan"
    world.advance(59 * 60)
    assert browser.open(PLAN).h1 == "Project plan"
    world.advance(61)
    assert browser.open(PLAN).h1 == "It's time for a new code"


@pytest.mark.parametrize("path", ["/fabrikam.example", "/?tenantid=fabrikam.example", "/fabrikam.example/consent"])
def test_every_page_for_guests_asks_for_a_new_code(sqlite_world: World, path: str) -> None:
    assert over(sqlite_world).open(path).h1 == "It's time for a new code"


def test_download_leads_back_to_the_page_of_its_file(sqlite_world: World) -> None:
    browser = over(sqlite_world).open("/fabrikam.example/apps/project-plan/download")
    assert browser.h1 == "It's time for a new code"
    browser.submit("send-code").submit("enter-code", code=sqlite_world.code(NICOLE))
    assert browser.h1 == "Project plan"


def test_different_address_keeps_where_to_go(sqlite_world: World) -> None:
    browser = over(sqlite_world).click("Use a different email address")
    browser.submit("email-form", email=NICOLE).submit("send-code")
    assert browser.submit("enter-code", code=sqlite_world.code(NICOLE)).url.endswith(PLAN)


def test_opening_the_page_again_and_again_changes_nothing(sqlite_world: World) -> None:
    browser = over(sqlite_world)
    before = tables(sqlite_world)
    for _ in range(5):
        assert browser.open(browser.url).h1 == "It's time for a new code"
    assert tables(sqlite_world) == before


def test_double_click_sends_one_mail(sqlite_world: World) -> None:
    browser = over(sqlite_world)
    place, form = action(browser, "send-code"), {"csrf_token": token(browser, "send-code")}
    for _ in range(2):
        assert browser.post(place, form).has_form("enter-code")
    assert len(sqlite_world.letters(NICOLE)) == 2
    assert browser.submit("enter-code", code=sqlite_world.code(NICOLE)).h1 == "Fabrikam apps"


def test_page_in_a_second_tab_after_signing_in_again_ends_well(sqlite_world: World) -> None:
    browser = over(sqlite_world)
    page, place = browser.url, action(browser, "send-code")
    form = {"csrf_token": token(browser, "send-code"), "to": PLAN}
    browser.submit("send-code").submit("enter-code", code=sqlite_world.code(NICOLE))
    assert browser.open(page).h1 == "Project plan"
    assert browser.post(place, form).h1 == "Project plan"
    assert len(sqlite_world.letters(NICOLE)) == 2


def test_browser_that_was_never_signed_in_is_asked_for_its_address(sqlite_world: World) -> None:
    browser = sqlite_world.browser().open("/fabrikam.example/session-over", to=PLAN)
    assert browser.h1 == "Sign in to Fabrikam"


def test_who_signed_out_is_asked_for_the_address_and_shown_none(sqlite_world: World) -> None:
    browser = sqlite_world.whole_way(NICOLE).submit("sign-out")
    sqlite_world.advance(DAY + 60)
    assert browser.open(PLAN).h1 == "Sign in to Fabrikam" and NICOLE not in browser.text


def test_who_signed_in_again_and_out_is_shown_no_address_either(sqlite_world: World) -> None:
    browser = over(sqlite_world).submit("send-code")
    browser.submit("enter-code", code=sqlite_world.code(NICOLE)).submit("sign-out")
    assert browser.open(PLAN).h1 == "Sign in to Fabrikam" and NICOLE not in browser.text


def test_session_over_at_one_tenant_shows_no_address_at_another(sqlite_world: World) -> None:
    assert NICOLE not in over(sqlite_world).open("/woodgrove.example").text


def test_new_sign_in_ends_the_old_session_of_this_browser(sqlite_world: World) -> None:
    browser = sqlite_world.whole_way(NICOLE)
    old = browser.fork()
    browser.open(at_enter_code(sqlite_world, NICOLE).path)
    sqlite_world.advance(DAY - 60)
    assert old.open(PLAN).h1 == "Project plan"
    sqlite_world.advance(120)
    browser.open(PLAN).submit("send-code").submit("enter-code", code=sqlite_world.code(NICOLE))
    assert (browser.h1, old.open(PLAN).status) == ("Project plan", 200) and old.h1 != "Project plan"


def test_deleted_guest_is_out_with_the_next_request_and_gets_no_code(world: World) -> None:
    browser = world.whole_way(NICOLE, PLAN)
    world.do(guests.delete, FABRIKAM, NICOLE, by=BY)
    assert browser.open(PLAN).h1 == "Sign in to Fabrikam"
    browser.submit("email-form", email=NICOLE).submit("send-code")
    assert browser.h1 == "Check your email" and len(world.letters(NICOLE)) == 1


def test_blocked_guest_is_out_and_stays_out_after_being_unblocked(sqlite_world: World) -> None:
    browser = sqlite_world.whole_way(NICOLE, PLAN)
    sqlite_world.do(guests.block, FABRIKAM, NICOLE, by=BY)
    assert browser.open(PLAN).h1 == "Sign in to Fabrikam"
    sqlite_world.do(guests.unblock, FABRIKAM, NICOLE, by=BY)
    assert browser.open(PLAN).h1 == "Sign in to Fabrikam"


def test_disabled_tenant_is_gone_and_its_sessions_stay_ended(sqlite_world: World) -> None:
    browser = sqlite_world.whole_way(NICOLE, PLAN)
    sqlite_world.do(tenants.disable, FABRIKAM, by=BY)
    assert browser.open(PLAN).status == 404
    sqlite_world.do(tenants.enable, FABRIKAM, by=BY)
    assert browser.open(PLAN).h1 == "Sign in to Fabrikam"
