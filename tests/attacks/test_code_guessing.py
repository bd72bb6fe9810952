"""Code guessing (catalogue, chapter 1)."""

import json
from collections import Counter

import httpx
import pytest
from sqlalchemy import event

from guestauth.database import db
from tests.attacks.hands import at_code_page, at_once, comparable, guess, live, tries, wrong
from tests.e2e.parallel import aim
from tests.e2e.site import Site
from tests.guest import at_enter_code
from tests.world import NICOLE, World

STRANGER = "guest-xxxxxxxxxxxx@firstup.example"  # as long as `site.guest()`


@pytest.mark.both
@pytest.mark.case("G-01")
def test_after_five_wrong_codes_the_right_one_is_refused_and_only_starting_again_helps(secure_site: Site) -> None:
    mail = secure_site.guest()
    browser, shot = at_code_page(secure_site, mail)
    code = secure_site.code(mail)
    for _ in range(5):
        guess(browser, shot, wrong(code))
    assert guess(browser, shot, code).h1 == "You need a new code"
    assert live(secure_site, mail) == 0
    browser.submit("start-again").submit("send-code")
    assert browser.submit("enter-code", code=secure_site.code(mail, nth=2)).has_form("consent")


@pytest.mark.case("G-04")
def test_right_code_among_guesses_at_once_makes_one_session_at_most(secure_site: Site) -> None:
    mail = secure_site.guest()
    _, shot = at_code_page(secure_site, mail)
    right = secure_site.code(mail)
    codes = [wrong(right, n) for n in range(1, 81)] + [right] * 20
    answers = at_once(secure_site, [lambda client, c=code: shot.fire(client, code=c) for code in codes])
    statuses = Counter(answer.status_code for answer in answers)
    assert set(statuses) <= {303, 404, 422}  # 404: the sign-in has become another visit's
    assert live(secure_site, mail) == (1 if statuses[303] else 0)
    assert tries(secure_site, mail)[0] <= 5


@pytest.mark.case("G-06")
def test_success_elsewhere_gives_no_tries_back(sqlite_secure_site: Site) -> None:
    site, mail = sqlite_secure_site, sqlite_secure_site.guest()
    browser, shot = at_code_page(site, mail)
    code = site.code(mail)
    for _ in range(4):
        guess(browser, shot, wrong(code))
    other = site.awaiting_code(mail)
    other.submit("enter-code", code=site.code(mail, nth=2)).submit("sign-out")
    assert other.h1 == "You've signed out"
    assert guess(browser, shot, wrong(code)).h1 == "You need a new code"
    assert guess(browser, shot, code).h1 == "You need a new code"


@pytest.mark.case("G-09")
def test_right_code_with_anything_more_is_refused_and_costs_no_try(sqlite_secure_site: Site) -> None:
    mail = sqlite_secure_site.guest()
    browser, shot = at_code_page(sqlite_secure_site, mail)
    code = sqlite_secure_site.code(mail)
    for typed in (
        f"{code}0",
        f"0{code}",
        code * 2,
        f"{code}\n{code}",
        f"{code}.0",
        f"+{code}",
        f"{code}%00",
        code[1:],
    ):
        assert guess(browser, shot, typed).status == 422
    assert (live(sqlite_secure_site, mail), tries(sqlite_secure_site, mail)) == (0, [0])
    assert guess(browser, shot, code).has_form("consent")


@pytest.mark.case("G-10")
def test_guessing_at_a_strangers_address_is_answered_like_guessing_at_a_guests(secure_site: Site) -> None:
    seen = []
    for mail in (secure_site.guest(), STRANGER):
        browser, shot = at_code_page(secure_site, mail)
        answers = [guess(browser, shot, typed).response for typed in ("", "1234", *["00000000"] * 8)]
        answers.append(browser.open(shot.url).response)
        seen.append([comparable(answer, mail) for answer in answers])
    assert seen[0] == seen[1]
    assert "5 times" in seen[1][-1][2]


@pytest.mark.long
@pytest.mark.case("G-10")
def test_two_hundred_guesses_at_once_count_for_a_stranger_as_for_a_guest(secure_site: Site) -> None:
    seen = []
    for mail in (secure_site.guest(), secure_site.guest().replace("guest-", "nobody-")):
        _, shot = at_code_page(secure_site, mail)
        answers = at_once(secure_site, [lambda client, s=shot: s.fire(client, code="00000000")] * 200)
        said = Counter(comparable(answer, mail)[2] for answer in answers)
        seen.append((Counter(answer.status_code for answer in answers), said, tries(secure_site, mail)))
    assert seen[0] == seen[1] and seen[0][2] == [5]


@pytest.mark.case("G-11")
@pytest.mark.parametrize("digits", [0, 1, 4, 7])
def test_wrong_code_costs_the_same_statements_however_much_of_it_is_right(
    sqlite_world: World, digits: int
) -> None:
    statements: list[str] = []
    with sqlite_world.app.app_context():
        event.listen(db.engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
    browser, asked = at_enter_code(sqlite_world, NICOLE), []
    code = sqlite_world.code(NICOLE)
    for same in (0, digits):
        statements.clear()
        guessed = code[:same] + "".join(str((int(digit) + 5) % 10) for digit in code[same:])
        browser.submit("enter-code", code=guessed)
        asked.append([*statements])
    assert asked[0] == asked[1] and asked[0]
    assert browser.errors == ["That code is not right. You can try 3 more times."]


# Thought of later: codes by other ways than the form, and others' sign-ins


@pytest.mark.case("G-13")
def test_right_code_by_any_other_way_than_the_form_is_nothing(sqlite_secure_site: Site) -> None:
    site, mail = sqlite_secure_site, sqlite_secure_site.guest()
    browser, shot = at_code_page(site, mail)
    code = site.code(mail)
    form = {"headers": {**shot.headers, "Content-Type": "application/json"}, "content": json.dumps({"code": code})}
    ways: list[tuple[str, str, dict[str, object]]] = [("POST", shot.url, form), ("PUT", shot.url, form)]
    ways += [("GET", f"{shot.url}?code={code}", {"headers": shot.headers})]
    ways += [("POST", f"{shot.url}?code={code}", {"headers": shot.headers, "data": {**shot.data, "code": ""}})]
    ways += [("POST", shot.url, {"headers": {**shot.headers, "X-Code": code}, "data": shot.data})]
    answers = at_once(site, [lambda c, w=way: c.request(w[0], w[1], **w[2]) for way in ways], connections=1)
    assert [answer.status_code for answer in answers] == [415, 415, 200, 422, 422]
    assert (live(site, mail), tries(site, mail)) == (0, [0])
    assert guess(browser, shot, code).has_form("consent")


@pytest.mark.case("G-14")
def test_others_who_know_the_address_of_a_sign_in_can_neither_use_it_nor_use_it_up(secure_site: Site) -> None:
    mail = secure_site.guest()
    victim, shot = at_code_page(secure_site, mail)
    code, attacker = secure_site.code(mail), secure_site.awaiting_code(STRANGER)
    theirs = aim(attacker, "enter-code", code="")
    for typed in (*["00000000"] * 6, code):
        attacker.post(shot.url, {**theirs.data, "code": typed})
        assert (attacker.status, attacker.h1) == (404, "This sign-in isn't open in this browser")
    attacker.post(shot.url.removesuffix("/code"), theirs.data)
    assert (attacker.status, tries(secure_site, mail), len(secure_site.letters(mail))) == (404, [0], 1)
    assert guess(victim, shot, code).has_form("consent")


@pytest.mark.case("G-15")
def test_form_token_of_another_browser_costs_the_victim_no_try(sqlite_secure_site: Site) -> None:
    site, mail = sqlite_secure_site, sqlite_secure_site.guest()
    victim, shot = at_code_page(site, mail)
    token = aim(site.browser().open("/fabrikam.example/sign-in"), "email-form", email=mail).data["csrf_token"]

    def forged(client: httpx.Client) -> httpx.Response:
        return shot.fire(client, code="00000000", csrf_token=token[0])

    assert {answer.status_code for answer in at_once(site, [forged] * 8, connections=4)} == {400}
    assert tries(site, mail) == [0]
    assert guess(victim, shot, site.code(mail)).has_form("consent")
