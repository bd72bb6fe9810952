"""The Enter code page: B17, B22 to B25, B28; UX rows "Enter code", "Too many tries"; E-08, L-04."""

import pytest

from tests.guest import at_enter_code, at_send_code, wrong
from tests.probe import action, ask_as, tables, token
from tests.world import ALEX, NICOLE, STRANGER, World

WRONG = "That code is not right. You can try {}."
EXPIRED = "That code has expired. Codes work for 30 minutes. Send a new code."
HALF_AN_HOUR = 1800  # seconds


def test_page_says_what_to_do_in_the_words_of_the_design(world: World) -> None:
    browser = at_enter_code(world)
    reference = browser.page.xpath("//bdi[@class='reference']/text()")[0]
    until = browser.page.xpath("//main//time/text()")[0]
    assert (browser.status, browser.h1, browser.errors) == (200, "Check your email", [])
    for words in (
        f"If {ALEX} is a guest of Fabrikam, we've emailed a one-time code to it.",
        f"The code works until {until}. Reference {reference}.",
        "8-digit code",
        "Sign in",
        "Didn't get the email?",
        "Send a new code",
        "Use a different email address",
    ):
        assert words in browser.text


def test_reference_and_time_are_those_of_the_mail(sqlite_world: World) -> None:
    browser = at_enter_code(sqlite_world, NICOLE)
    (letter,) = sqlite_world.letters(NICOLE)
    reference, until = (
        browser.page.xpath("//bdi[@class='reference']/text()")[0],
        browser.page.xpath("//main//time/text()")[0],
    )
    assert letter.message["Subject"] == f"Your Fabrikam sign-in code (reference {reference})"
    assert until.replace(" UTC on", " UTC on") in letter.part("plain")


@pytest.mark.acceptance(5)
def test_code_field_is_as_rule_1_wants_it(sqlite_world: World) -> None:
    (field,) = at_enter_code(sqlite_world).form("enter-code").xpath(".//input[not(@type='hidden')]")
    wanted = {
        "type": "text",
        "inputmode": "numeric",
        "autocomplete": "one-time-code",
        "dir": "ltr",
        "name": "code",
    }
    assert wanted.items() <= dict(field.attrib).items()
    assert not {"maxlength", "pattern", "placeholder", "autofocus", "required"} & set(field.attrib)


@pytest.mark.parametrize(
    "shape",
    [
        "{0} {1}",
        " {0}{1} ",
        "{0}-{1}",
        "{0}–{1}",
        "{0}\u00a0{1}",
        "\u200b{0}\u200b{1}\ufeff",
        "\t{0}\r\n{1}",
        "\u2066{0}{1}\u2069",
    ],
)
@pytest.mark.acceptance(6)
def test_code_is_taken_as_people_paste_it(sqlite_world: World, shape: str) -> None:
    browser = at_enter_code(sqlite_world, NICOLE)
    code = sqlite_world.code(NICOLE)
    assert browser.submit("enter-code", code=shape.format(code[:4], code[4:])).h1 == "Fabrikam apps"


@pytest.mark.parametrize("zero", ["０", "٠", "०", "𝟎"])
@pytest.mark.acceptance(6)
def test_code_is_taken_in_the_digits_of_other_scripts(sqlite_world: World, zero: str) -> None:
    browser = at_enter_code(sqlite_world, NICOLE)
    digits = {ord("0") + n: chr(ord(zero) + n) for n in range(10)}
    assert browser.submit("enter-code", code=sqlite_world.code(NICOLE).translate(digits)).h1 == "Fabrikam apps"


@pytest.mark.parametrize(
    ("typed", "problem"),
    [
        ("", "Enter the code from the email"),
        (" - \u200b", "Enter the code from the email"),
        ("1", "The code has 8 numbers. You entered 1."),
        ("1234567", "The code has 8 numbers. You entered 7."),
        ("123456789", "The code has 8 numbers. You entered 9."),
        ("1" * 5000, "The code has 8 numbers. You entered 5000."),
        ("1234567O", "The code must only contain numbers"),
        ("abcdefgh", "The code must only contain numbers"),
        ("<script>", "The code must only contain numbers"),
        ("1234½678", "The code must only contain numbers"),
        ("1234567Ⅷ", "The code must only contain numbers"),
        ("一二三四五六七八", "The code must only contain numbers"),
    ],
)
@pytest.mark.acceptance(7, 8)
def test_what_cannot_be_a_code_is_kept_and_told_and_costs_no_try(
    sqlite_world: World, typed: str, problem: str
) -> None:
    browser = at_enter_code(sqlite_world, NICOLE).submit("enter-code", code=typed)
    assert (browser.status, browser.errors) == (422, [problem])
    (field,) = browser.form("enter-code").xpath(".//input[@name='code']")
    assert field.get("value", "") == typed and field.get("aria-invalid") == "true"
    assert sqlite_world.rows("SELECT tries FROM sign_ins") == [(0,)]


@pytest.mark.case("G-09")
def test_right_code_with_one_more_digit_is_refused_not_cut(sqlite_world: World) -> None:
    browser = at_enter_code(sqlite_world, NICOLE)
    browser.submit("enter-code", code=sqlite_world.code(NICOLE) + "0")
    assert browser.errors == ["The code has 8 numbers. You entered 9."]


@pytest.mark.parametrize("mail", [NICOLE, STRANGER])
@pytest.mark.acceptance(8)
def test_wrong_codes_count_down_until_a_new_sign_in_is_needed(world: World, mail: str) -> None:
    browser = at_enter_code(world, mail)
    code = wrong(world.code(NICOLE)) if mail == NICOLE else "00000000"
    for left in ("4 more times", "3 more times", "2 more times", "1 more time"):
        assert browser.submit("enter-code", code=code).errors == [WRONG.format(left)]
        assert browser.status == 422
    assert (browser.submit("enter-code", code=code).status, browser.h1) == (422, "You need a new code")
    assert "You entered a wrong code 5 times, so this sign-in no longer works." in browser.text


def test_right_code_after_five_wrong_ones_helps_no_more_but_starting_again_does(sqlite_world: World) -> None:
    browser = at_enter_code(sqlite_world, NICOLE, "/fabrikam.example/apps/project-plan")
    page, code = browser.fork().open(browser.url), sqlite_world.code(NICOLE)
    for _ in range(5):
        browser.submit("enter-code", code=wrong(code))
    assert page.submit("enter-code", code=code).h1 == "You need a new code"
    assert browser.open(browser.url).h1 == "You need a new code" and browser.status == 200
    browser.submit("start-again").submit("send-code").submit("enter-code", code=sqlite_world.code(NICOLE))
    assert browser.h1 == "Project plan"


def test_code_works_until_the_half_hour_and_not_after(world: World) -> None:
    in_time, late = at_enter_code(world, NICOLE), at_enter_code(world, ALEX)
    codes = {mail: world.code(mail) for mail in (NICOLE, ALEX)}
    world.advance(HALF_AN_HOUR - 10)
    assert in_time.submit("enter-code", code=codes[NICOLE]).h1 == "Fabrikam apps"
    world.advance(11)
    assert late.submit("enter-code", code=codes[ALEX]).errors == [EXPIRED]


@pytest.mark.acceptance(8, 9)
def test_expired_code_costs_no_try_and_a_new_one_works(sqlite_world: World) -> None:
    browser = at_enter_code(sqlite_world, NICOLE)
    code = sqlite_world.code(NICOLE)
    sqlite_world.advance(HALF_AN_HOUR + 60)
    assert (browser.submit("enter-code", code=code).status, browser.errors) == (422, [EXPIRED])
    assert sqlite_world.rows("SELECT tries FROM sign_ins") == [(0,)]
    browser.submit("send-code").submit("enter-code", code=sqlite_world.code(NICOLE))
    assert browser.h1 == "Fabrikam apps"


@pytest.mark.case("C-05")
def test_page_left_open_29_minutes_takes_the_code(sqlite_world: World) -> None:
    browser = at_enter_code(sqlite_world, NICOLE)
    code = sqlite_world.code(NICOLE)
    sqlite_world.advance(29 * 60)
    assert browser.submit("enter-code", code=code).h1 == "Fabrikam apps"


@pytest.mark.case("C-05")
@pytest.mark.acceptance(17)
def test_page_left_open_61_minutes_can_send_a_new_code(sqlite_world: World) -> None:
    browser = at_enter_code(sqlite_world, NICOLE)
    sqlite_world.advance(61 * 60)
    assert browser.submit("send-code").h1 == "Check your email"
    assert browser.submit("enter-code", code=sqlite_world.code(NICOLE)).h1 == "Fabrikam apps"


def test_double_click_signs_in_once_and_well(world: World) -> None:
    browser = at_enter_code(world, NICOLE)
    form = {"csrf_token": token(browser, "enter-code"), "code": world.code(NICOLE)}
    place, first, second = action(browser, "enter-code"), browser.fork(), browser
    answers = [ask_as(each, world.app, place, "POST", form=form) for each in (first, second)]
    assert [answer.status for answer in answers] == [303, 303]
    assert len({answer.header("Location") for answer in answers}) == 1
    assert second.post(place, form).h1 == "Fabrikam apps"
    assert world.rows("SELECT COUNT(*) FROM sessions") == [(1,)]


def test_code_used_before_is_nothing_after_signing_out(sqlite_world: World) -> None:
    browser = at_enter_code(sqlite_world, NICOLE)
    place, code = action(browser, "enter-code"), sqlite_world.code(NICOLE)
    browser.submit("enter-code", code=code).submit("sign-out")
    answers = []
    for each in (browser, browser.new()):
        form = {"csrf_token": token(each.open("/fabrikam.example/sign-in"), "email-form"), "code": code}
        answers.append((each.post(place, form).status, each.errors))
    assert answers == [(422, ["That code has already been used. Send a new code."]), (404, [])]
    assert sqlite_world.rows("SELECT COUNT(*) FROM sessions") == [(1,)]


def test_used_code_says_so_where_its_session_is_over_and_sends_a_new_one(sqlite_world: World) -> None:
    browser = at_enter_code(sqlite_world, NICOLE, "/fabrikam.example/apps/project-plan")
    place, code = action(browser, "enter-code"), sqlite_world.code(NICOLE)
    browser.submit("enter-code", code=code)
    sqlite_world.advance(24 * 3600 + 60)
    browser.open("/fabrikam.example")
    browser.post(place, {"csrf_token": token(browser, "send-code"), "code": code})
    assert (browser.status, browser.errors) == (422, ["That code has already been used. Send a new code."])
    browser.submit("send-code").submit("enter-code", code=sqlite_world.code(NICOLE))
    assert browser.h1 == "Project plan"


def test_code_of_one_sign_in_is_nothing_in_another(sqlite_world: World) -> None:
    mine, other = at_enter_code(sqlite_world, NICOLE), at_enter_code(sqlite_world, ALEX)
    code = sqlite_world.code(ALEX)
    assert mine.submit("enter-code", code=code).errors == [WRONG.format("4 more times")]
    assert other.submit("enter-code", code=code).h1 == "Review permissions"


def test_address_sent_along_with_the_code_is_ignored(sqlite_world: World) -> None:
    browser = at_enter_code(sqlite_world, NICOLE)
    form = {"csrf_token": token(browser, "enter-code"), "code": sqlite_world.code(NICOLE), "email": ALEX}
    assert NICOLE in browser.post(browser.path, form).text


def test_page_before_any_code_was_sent_leads_to_send_code(sqlite_world: World) -> None:
    browser = at_send_code(sqlite_world)
    page = browser.path
    assert browser.open(f"{page}/code").path == page and browser.has_form("send-code")


def test_code_before_any_was_sent_is_no_code(sqlite_world: World) -> None:
    browser = at_send_code(sqlite_world)
    form = {"csrf_token": token(browser, "send-code"), "code": "12345678"}
    assert browser.post(f"{browser.path}/code", form).status == 404
    assert sqlite_world.rows("SELECT tries FROM sign_ins") == [(0,)]


def test_page_of_another_browser_is_nothing_here(sqlite_world: World) -> None:
    page = at_enter_code(sqlite_world, NICOLE).path
    other = sqlite_world.browser().open("/fabrikam.example/sign-in")
    form = {"csrf_token": token(other, "email-form"), "code": sqlite_world.code(NICOLE)}
    for status in (other.open(page).status, other.open("/fabrikam.example/sign-in").post(page, form).status):
        assert status == 404
    assert sqlite_world.rows("SELECT tries, consumed_at FROM sign_ins") == [(0, None)]


def test_leaving_for_the_mail_and_coming_back_loses_nothing(sqlite_world: World) -> None:
    browser = at_enter_code(sqlite_world, NICOLE)
    before = tables(sqlite_world)
    for method in ("GET", "GET", "HEAD"):
        assert ask_as(browser, sqlite_world.app, browser.path, method).status == 200
    assert tables(sqlite_world) == before
    assert browser.submit("enter-code", code=sqlite_world.code(NICOLE)).h1 == "Fabrikam apps"


@pytest.mark.acceptance(15)
def test_second_tab_with_the_code_page_ends_well(sqlite_world: World) -> None:
    first = at_enter_code(sqlite_world, NICOLE, "/fabrikam.example/apps/project-plan")
    tab, code = first.fork().open(first.url), sqlite_world.code(NICOLE)
    place, form = action(tab, "enter-code"), {"csrf_token": token(tab, "enter-code"), "code": code}
    first.submit("enter-code", code=code)
    assert (first.open(place).status, first.h1) == (200, "Project plan")
    assert (first.post(place, form).status, first.h1) == (200, "Project plan")


def test_second_tab_with_the_send_page_ends_well(sqlite_world: World) -> None:
    first = at_send_code(sqlite_world, NICOLE, "/fabrikam.example/apps/project-plan")
    place, form = action(first, "send-code"), {"csrf_token": token(first, "send-code")}
    first.submit("send-code").submit("enter-code", code=sqlite_world.code(NICOLE))
    assert first.post(place, form).h1 == "Project plan"
    assert len(sqlite_world.letters(NICOLE)) == 1


def test_signed_in_guest_can_sign_in_as_somebody_else(sqlite_world: World) -> None:
    browser = sqlite_world.signed_in(NICOLE)
    browser.open(sqlite_world.invitation_path(ALEX)).submit("accept-invitation").submit("send-code")
    assert browser.h1 == "Check your email"
    assert browser.submit("enter-code", code=sqlite_world.code(ALEX)).h1 == "Review permissions"
    assert ALEX in browser.text
    assert sqlite_world.rows("SELECT ended_reason FROM sessions ORDER BY created_at") == [
        ("signed in again",),
        (None,),
    ]


def test_code_is_on_no_page_and_in_no_cookie_or_header(sqlite_world: World) -> None:
    browser = at_enter_code(sqlite_world, NICOLE)
    code = sqlite_world.code(NICOLE)
    seen = [browser.response.text, str(browser.headers.items()), str(browser.cookies)]
    browser.submit("enter-code", code=wrong(code))
    assert code not in "".join([*seen, browser.response.text, str(browser.headers.items())])
