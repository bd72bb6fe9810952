"""The Send code page: B17, B24, B12, B34; UX rows "Send code" and "Too many codes"; acceptance 10 and 15."""

import pytest

from guestauth import policies
from guestauth.mailbox import letters
from tests.browser import Browser
from tests.guest import at_enter_code, at_send_code, wrong
from tests.probe import UUID, action, ask_as, tables, token
from tests.world import ADMIN, ALEX, BY, CONTOSO, FABRIKAM, NICOLE, STRANDED, STRANGER, World


def send_twice_more(world: World, browser: Browser) -> None:
    for _ in range(2):
        world.deliver()
        world.advance(61)
        browser.submit("send-code")
    world.deliver()


def test_page_says_where_the_code_goes_in_the_words_of_the_design(world: World) -> None:
    browser = at_send_code(world)
    assert (browser.status, browser.h1) == (200, "Get a code to sign in")
    for words in (
        f"We'll send a one-time code to {ALEX}. It works for 30 minutes.",
        "The mail comes from no-reply@guestauth.example.",
        "Send code",
        "Use a different email address",
    ):
        assert words in browser.text
    assert world.letters(ALEX)[0].message["Subject"] == "Robin Meyer invited you to Fabrikam"


def test_code_is_mailed_when_the_button_is_pressed_and_not_before(world: World) -> None:
    browser = at_send_code(world, NICOLE)
    assert world.letters(NICOLE) == []
    assert [answer.status_code for answer in browser.submit("send-code").history] == [303]
    assert browser.h1 == "Check your email" and browser.path.endswith("/code")
    assert len(world.letters(NICOLE)) == 1


def test_address_is_shown_as_typed_not_as_stored(sqlite_world: World) -> None:
    browser = at_send_code(sqlite_world, "NICOLE@firstup.example")
    assert "NICOLE@firstup.example" in browser.text and "Wagner" not in browser.text


def test_different_address_keeps_where_to_go(sqlite_world: World) -> None:
    browser = at_send_code(sqlite_world, STRANGER, "/fabrikam.example/apps/project-plan?page=2")
    browser.click("Use a different email address").submit("email-form", email=NICOLE).submit("send-code")
    browser.submit("enter-code", code=sqlite_world.code(NICOLE))
    assert browser.url.endswith("/fabrikam.example/apps/project-plan?page=2")


@pytest.mark.acceptance(10)
def test_double_click_sends_one_mail_and_shows_where_to_enter_it(sqlite_world: World) -> None:
    browser = at_send_code(sqlite_world, NICOLE)
    place, form = action(browser, "send-code"), {"csrf_token": token(browser, "send-code")}
    first, second = browser.post(place, form).status, browser.post(place, form).status
    assert (first, second) == (200, 429)
    assert browser.has_form("enter-code") and len(sqlite_world.letters(NICOLE)) == 1


@pytest.mark.parametrize("seconds", [0, 30, 58])
@pytest.mark.acceptance(10)
def test_early_resend_is_told_the_time_and_sends_nothing(sqlite_world: World, seconds: int) -> None:
    browser = at_enter_code(sqlite_world, NICOLE)
    sqlite_world.advance(seconds)
    browser.submit("send-code")
    assert browser.status == 429 and browser.h1 == "Check your email"
    assert 0 < int(browser.headers["Retry-After"]) <= 60 - seconds
    sent_at, next_at = browser.page.xpath("//p[@class='notice']/time/text()")
    assert f"We sent a code at {sent_at}. You can ask for another after {next_at}." in browser.text
    assert len(sqlite_world.letters(NICOLE)) == 1


def test_after_a_minute_a_second_code_is_sent_and_either_works(world: World) -> None:
    browser = at_enter_code(world, NICOLE)
    first = world.code(NICOLE)
    world.advance(61)
    browser.submit("send-code")
    reference = browser.page.xpath("//bdi[@class='reference']/text()")[0]
    told = f"We've sent another code. Either code works until it expires. Reference {reference}."
    assert (browser.status, len(world.letters(NICOLE))) == (200, 2) and told in browser.text
    assert reference in world.letters(NICOLE)[0].message["Subject"]
    assert browser.submit("enter-code", code=first).h1 == "Fabrikam apps"


def test_fourth_code_is_refused_with_the_time(sqlite_world: World) -> None:
    browser = at_enter_code(sqlite_world, NICOLE)
    send_twice_more(sqlite_world, browser)
    browser.submit("send-code")
    assert (browser.status, browser.h1) == (429, "You can't ask for more codes yet")
    assert f"You can ask again after {browser.page.xpath('//main//time/text()')[0]}." in browser.text
    assert browser.headers["Retry-After"].isdigit() and len(sqlite_world.letters(NICOLE)) == 3


def test_who_waits_until_the_time_told_gets_a_code_that_works(sqlite_world: World) -> None:
    browser = at_enter_code(sqlite_world, NICOLE, "/fabrikam.example/apps/project-plan")
    send_twice_more(sqlite_world, browser)
    page = browser.fork().open(browser.url)
    assert browser.submit("send-code").status == 429
    sqlite_world.advance(int(browser.headers["Retry-After"]))
    assert page.submit("send-code").h1 == "Check your email"
    assert page.submit("enter-code", code=sqlite_world.code(NICOLE)).h1 == "Project plan"


def test_too_many_codes_leaves_those_that_arrived_working(sqlite_world: World) -> None:
    browser = at_enter_code(sqlite_world, NICOLE)
    send_twice_more(sqlite_world, browser)
    browser.submit("send-code").click("Enter a code you already have")
    assert browser.submit("enter-code", code=sqlite_world.code(NICOLE)).h1 == "Fabrikam apps"


def test_send_after_five_wrong_tries_asks_to_start_again(sqlite_world: World) -> None:
    browser = at_enter_code(sqlite_world, NICOLE)
    page, code = browser.fork().open(browser.url), wrong(sqlite_world.code(NICOLE))
    for _ in range(5):
        browser.submit("enter-code", code=code)
    sqlite_world.advance(61)
    assert (page.submit("send-code").status, page.h1) == (422, "You need a new code")
    assert len(sqlite_world.letters(NICOLE)) == 1


def test_page_of_another_browser_is_nothing_here(sqlite_world: World) -> None:
    browser = sqlite_world.browser().open(at_send_code(sqlite_world, NICOLE).path)
    assert (browser.status, browser.h1) == (404, "This sign-in isn't open in this browser")
    assert NICOLE not in browser.text and browser.click("Start again").has_form("email-form")


def test_page_of_another_tenant_is_nothing_here(sqlite_world: World) -> None:
    browser = at_send_code(sqlite_world, NICOLE)
    elsewhere = browser.path.replace("fabrikam", "woodgrove")
    assert (browser.open(elsewhere).status, browser.h1) == (404, "This sign-in isn't open in this browser")


def test_get_and_head_send_nothing(sqlite_world: World) -> None:
    browser = at_send_code(sqlite_world, NICOLE)
    before = tables(sqlite_world)
    for method in ("GET", "HEAD"):
        assert ask_as(browser, sqlite_world.app, browser.path, method).status == 200
    assert tables(sqlite_world) == before


def test_used_sign_in_leads_on_to_where_it_led(sqlite_world: World) -> None:
    browser = at_send_code(sqlite_world, NICOLE, "/fabrikam.example/apps/project-plan")
    page = browser.path
    browser.submit("send-code").submit("enter-code", code=sqlite_world.code(NICOLE))
    assert browser.open(page).h1 == "Project plan"


def test_every_send_code_page_has_an_address_of_its_own(sqlite_world: World) -> None:
    pages = {at_send_code(sqlite_world, NICOLE).path for _ in range(3)}
    assert len(pages) == 3 and all(UUID.search(page) for page in pages)


# Codes turned off (B12, B34)


def test_codes_off_page_is_the_same_for_every_address(sqlite_world: World) -> None:
    pages = {
        at_send_code(sqlite_world, mail, "/contoso.example").text.replace(f"it to {mail}", "it to ADDRESS")
        for mail in (STRANDED, STRANGER, "admin@contoso.example", ALEX)
    }
    (page,) = pages
    assert "We'll send it to ADDRESS." in page
    assert "Codes are turned off for guests of Contoso" in page and "Ask admin@contoso.example" in page


def test_codes_off_administrator_gets_a_code_and_is_in(world: World) -> None:
    browser = at_enter_code(world, "admin@contoso.example", "/contoso.example")
    browser.submit("enter-code", code=world.code("admin@contoso.example"))
    assert (browser.status, browser.h1) == (200, "Contoso apps")


@pytest.mark.acceptance(30)
def test_codes_off_guest_gets_none_and_sees_the_same_page(world: World) -> None:
    guest, administrator = (
        at_enter_code(world, mail, "/contoso.example") for mail in (STRANDED, "admin@contoso.example")
    )
    assert world.letters(STRANDED) == [] and len(world.letters("admin@contoso.example")) == 1
    assert guest.h1 == administrator.h1 == "Check your email"
    assert [hop.status_code for hop in guest.history] == [hop.status_code for hop in administrator.history]


def test_code_mailed_before_codes_were_turned_off_is_dead_for_good(sqlite_world: World) -> None:
    browser = at_enter_code(sqlite_world, NICOLE)
    code = sqlite_world.code(NICOLE)
    sqlite_world.do(policies.turn_passcodes, FABRIKAM, on=False, by=BY)
    assert browser.submit("enter-code", code=code).status == 422
    assert browser.errors == ["That code is not right. You can try 4 more times."]


def test_code_waiting_when_codes_are_turned_off_is_never_mailed(sqlite_world: World) -> None:
    at_enter_code(sqlite_world, NICOLE)
    sqlite_world.do(policies.turn_passcodes, FABRIKAM, on=False, by=BY)
    sqlite_world.deliver()
    sqlite_world.do(policies.turn_passcodes, FABRIKAM, on=True, by=BY)
    assert sqlite_world.letters(NICOLE) == []


def test_codes_turned_on_again_show_the_usual_page(sqlite_world: World) -> None:
    sqlite_world.do(policies.turn_passcodes, CONTOSO, on=True, by=BY)
    assert at_send_code(sqlite_world, STRANDED, "/contoso.example").h1 == "Get a code to sign in"


def test_code_letter_goes_to_nobody_but_the_stored_address(sqlite_world: World) -> None:
    at_enter_code(sqlite_world, ADMIN.upper())
    sqlite_world.deliver()
    assert [kept.message["To"] for kept in sqlite_world.do(letters, to=ADMIN)] == [ADMIN]
