"""What is exact stays exact under 4 processes at once, on SQLite and on PostgreSQL (B12, B19, B20, B23, B24, F1).

Catalogue: G-04, I-03, X-03, X-04; more in `tests/faults/test_races.py`. Mails leave over real SMTP meanwhile.
"""

from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import httpx
import pytest

from guestauth import courier, guests, invitations, policies, turns
from tests import SOAK
from tests.e2e.parallel import Shot, aim, together, volley
from tests.e2e.site import Prepare, Site, behind
from tests.world import BY, FABRIKAM, WOODGROVE

LIVE = "SELECT count(*) FROM sessions JOIN users ON users.id = user_id WHERE mail = :mail AND ended_at IS NULL"
ALL = "SELECT count(*) FROM sessions JOIN users ON users.id = user_id WHERE mail = :mail"
TRIES = "SELECT tries FROM sign_ins WHERE address = :mail"
REASONS = "SELECT reason, count(*) FROM events WHERE name = 'sign-in' AND address = :mail GROUP BY reason"
EVENTS = "SELECT count(*) FROM events WHERE name = :name AND result = 'success' AND address = :mail"
ROUNDS = 60 if SOAK else 6


def statuses(answers: list[httpx.Response]) -> Counter[int]:
    return Counter(answer.status_code for answer in answers)


def wrong_codes(right: str, count: int) -> list[str]:
    """Make distinct codes that are wrong."""
    return [f"{(int(right) + 1 + n) % 10**8:08d}" for n in range(count)]


def one(site: Site, statement: str, **values: object) -> int:
    return int(site.world.rows(statement, **values)[0][0])


# Codes


@pytest.mark.case("G-04")
def test_two_hundred_wrong_codes_at_once_are_five_tries(each_site: Site) -> None:
    site, mail = each_site, each_site.guest()
    browser = site.awaiting_code(mail)
    shot = aim(browser, "enter-code", code="0")
    guesses = wrong_codes(site.code(mail), 200)
    answers = volley([lambda client, c=code: shot.fire(client, code=c) for code in guesses], connections=20)
    assert statuses(answers) == {422: 200}
    assert one(site, TRIES, mail=mail) == 5
    assert dict(site.world.rows(REASONS, mail=mail)) == {"wrong code": 5, "too many tries": 1}
    browser.post(browser.url, {**shot.data, "code": site.code(mail)})
    assert browser.h1 == "You need a new code"
    assert one(site, ALL, mail=mail) == 0


@pytest.mark.case("G-04")
@pytest.mark.long
def test_right_code_among_wrong_ones_at_once_makes_one_session_at_most(each_site: Site) -> None:
    site, mail = each_site, each_site.guest()
    shot, right = aim(site.awaiting_code(mail), "enter-code", code="0"), site.code(mail)
    codes = [code for wrong in wrong_codes(right, 20) for code in (wrong, right)]
    answers = volley([lambda client, c=code: shot.fire(client, code=c) for code in codes], connections=20)
    assert set(statuses(answers)) <= {303, 404, 422}  # 404: the sign-in has become another visit's
    assert one(site, ALL, mail=mail) == (1 if statuses(answers)[303] else 0)
    assert one(site, TRIES, mail=mail) <= 5


@pytest.mark.both
def test_fifty_right_codes_at_once_make_one_session(each_site: Site) -> None:
    site, mail = each_site, each_site.guest()
    shot = aim(site.awaiting_code(mail), "enter-code", code=site.code(mail))
    answers = volley([shot.fire] * 50, connections=20)
    assert statuses(answers) == {303: 50}
    assert one(site, ALL, mail=mail) == 1
    assert len({answer.cookies["guestauth"] for answer in answers}) == 1
    assert dict(site.world.rows(REASONS, mail=mail)) == {"": 1}


@pytest.mark.both
def test_thirty_requests_for_a_code_at_once_send_one_letter(each_site: Site) -> None:
    site, mail = each_site, each_site.guest()
    browser = site.browser().open("/fabrikam.example").submit("email-form", email=mail)
    answers = volley([aim(browser, "send-code").fire] * 30, connections=15)
    assert statuses(answers) == {303: 1, 429: 29}
    assert site.code(mail)
    assert one(site, "SELECT count(*) FROM letters JOIN users ON users.id = user_id WHERE mail = :m", m=mail) == 1
    assert len(site.letters(mail)) == 1


@pytest.mark.long
def test_two_sign_ins_of_one_browser_finished_at_once_end_well(each_site: Site) -> None:
    site, mails = each_site, [each_site.guest(), each_site.guest(tenant=WOODGROVE)]
    browser, shots = site.browser(), []
    for mail, home in zip(mails, ("/fabrikam.example", "/woodgrove.example"), strict=True):
        browser.open(home).submit("email-form", email=mail).submit("send-code")
        shots.append(aim(browser, "enter-code", code=site.code(mail)).fire)
    answers = volley([shot for shot in shots for _ in range(10)], connections=20)
    assert max(statuses(answers)) < 500
    assert {one(site, ALL, mail=mail) for mail in mails} <= {0, 1}


@pytest.mark.long
def test_twenty_guests_at_once_all_get_in(each_site: Site) -> None:
    site, mails = each_site, [each_site.guest() for _ in range(20)]

    def sign_in(mail: str) -> str:
        return site.awaiting_consent(mail).submit("consent", button=("decision", "accept")).h1

    assert Counter(together(*[partial(sign_in, mail) for mail in mails])) == {"Fabrikam apps": 20}


# Invitations


@pytest.mark.case("I-03")
def test_twenty_acceptances_at_once_redeem_once(each_site: Site) -> None:
    site, mail = each_site, each_site.guest()
    shot = aim(site.awaiting_consent(mail), "consent", ("decision", "accept"))
    answers = volley([shot.fire] * 20, connections=20)
    assert statuses(answers) == {303: 20}
    assert one(site, EVENTS, name="invitation.redeemed", mail=mail) == 1


@pytest.mark.case("X-04")
def test_twenty_invitations_of_one_address_at_once_make_one_guest(each_site: Site) -> None:
    site, mail = each_site, f"Twice.{each_site.guest()}"
    invite = [lambda: site.world.do(invitations.invite, FABRIKAM, mail, by=BY)] * 20
    made = together(*invite)
    kinds = Counter(type(each) for each in made)
    assert kinds == {invitations.Invitation: 1, invitations.AlreadyAGuest: 19}
    assert one(site, "SELECT count(*) FROM users WHERE mail_key = :key", key=mail.lower()) == 1
    assert one(site, EVENTS, name="guest.invited", mail=mail) == 1


# What ends a guest's access, raced with their right code


def race(site: Site, end_access: Callable[[str], Any]) -> None:
    """Let guests enter their right code at the moment when their access ends: nobody may be signed in after it.

    Who wins is steered towards the closest race: the end comes a little later when it won, else earlier.
    """
    later = 0
    for _ in range(ROUNDS):
        mail = site.guest()
        shot = aim(site.awaiting_code(mail), "enter-code", code=site.code(mail))
        answer, ended = together(partial(enter, shot), partial(end, site, partial(end_access, mail), later))
        assert not isinstance(ended, BaseException)
        assert answer.status_code in (303, 422)
        assert (one(site, ALL, mail=mail), one(site, LIVE, mail=mail)) == (answer.status_code == 303, 0)
        later = later * 2 // 3 if answer.status_code == 303 else later * 2 + 16
        site.world.do(policies.turn_passcodes, FABRIKAM, on=True, by=BY)


def enter(shot: Shot) -> httpx.Response:
    with httpx.Client(trust_env=False, timeout=30) as client:
        return shot.fire(client)


def end(site: Site, access: Callable[[], Any], later: int) -> None:
    for _ in range(later):
        site.world.rows("SELECT 1")
    access()


@pytest.mark.case("X-03")
def test_nobody_is_signed_in_after_the_opt_out_however_close_the_race(each_site: Site) -> None:
    race(each_site, lambda _: each_site.world.do(policies.turn_passcodes, FABRIKAM, on=False, by=BY))


@pytest.mark.case("S-06")
def test_nobody_is_signed_in_after_being_deleted_however_close_the_race(each_site: Site) -> None:
    race(each_site, lambda mail: each_site.world.do(guests.delete, FABRIKAM, mail, by=BY))


# The mail server's health


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_eight_first_checks_at_once_ask_the_mail_server_once(database: str, prepare: Prepare) -> None:
    with behind(prepare(database)) as made:
        had = together(*[partial(made.world.do, turns.take, "mail check", every=courier.CHECK)] * 8)
    assert Counter(had) == {True: 1, False: 7}
