"""Guessing shuts nobody out: strangers' browsers get less, the guest's own and their invitation go on (RL-05)."""

import uuid

import pytest

from guestauth import addresses, administrators, guests, invitations, sending, signin
from guestauth.audit import Caller
from guestauth.limits import LimitReached
from guestauth.models import SignIn
from tests.steps import BROWSER, ask, code_of, enter, wrong
from tests.world import ADMIN, ALEX, BY, FABRIKAM, NICOLE, STRANGER, World

LATER = 61  # seconds
DAY = 24 * 3600


def guess(world: World, mail: str = NICOLE, *, codes: int = 5) -> SignIn:
    """Ask for a code in a stranger's browser and enter wrong ones."""
    started = ask(world, mail)
    code = wrong(code_of(world, started)) if mail != STRANGER else "00000000"
    for _ in range(codes):
        with pytest.raises(signin.PasscodeWrong):
            enter(world, started, code)
    return started


def guessed(world: World, mail: str = NICOLE) -> None:
    """Make it known that an address is guessed, by wrong codes in a row."""
    world.app.config["LIMIT_WRONG_CODES"] = 5
    guess(world, mail)


def may_ask(world: World, mail: str = NICOLE, *, known: str | None = None) -> bool:
    try:
        ask(world, mail, known=known)
    except LimitReached:
        return False
    return True


def warned(world: World) -> list[str]:
    return [str(letter.message["To"]) for letter in world.letters() if "guessing" in letter.message["Subject"]]


def test_guessed_address_gets_one_code_a_day_in_strangers_browsers(world: World) -> None:
    guessed(world)
    assert not may_ask(world)
    world.advance(DAY)
    assert may_ask(world)
    assert not may_ask(world)


def test_guests_own_browser_goes_on(world: World) -> None:
    guessed(world)
    assert [may_ask(world, known="browser 1") for _ in range(11)] == [True] * 10 + [False]
    assert may_ask(world, known="browser 2")


@pytest.mark.case("L-07")
def test_code_that_is_out_works_on(world: World) -> None:
    mine = ask(world, browser="f" * 64)
    guessed(world)
    assert enter(world, mine, code_of(world, mine), browser="f" * 64).mail_key == NICOLE


def test_success_begins_anew(world: World) -> None:
    world.app.config["LIMIT_WRONG_CODES"] = 6
    guess(world)
    mine = ask(world)
    enter(world, mine, code_of(world, mine))
    guess(world)
    assert may_ask(world)


def test_expired_code_is_no_guess(world: World) -> None:
    world.app.config["LIMIT_WRONG_CODES"] = 1
    mine = ask(world)
    code = code_of(world, mine)
    world.advance(1801)
    with pytest.raises(signin.PasscodeExpired):
        enter(world, mine, code)
    assert may_ask(world)


def test_administrators_are_told_once_a_day(world: World) -> None:
    world.do(administrators.add, FABRIKAM, "second@fabrikam.example", by=BY)
    guessed(world)
    guess(world, ALEX)
    world.deliver()
    assert sorted(warned(world)) == [ADMIN, "second@fabrikam.example"]
    world.advance(DAY)
    guess(world, STRANGER)
    world.deliver()
    assert len(warned(world)) == 4


def test_letter_to_who_is_no_administrator_any_more_is_dropped(world: World) -> None:
    world.do(administrators.add, FABRIKAM, "second@fabrikam.example", by=BY)
    guessed(world)
    world.do(administrators.remove, FABRIKAM, "second@fabrikam.example", by=BY)
    world.deliver()
    assert warned(world) == [ADMIN]


def test_audit_log_is_told_once_that_an_address_is_guessed(world: World) -> None:
    world.app.config["LIMIT_WRONG_CODES"] = 5
    guess(world)
    told = "SELECT address FROM events WHERE name = 'limit.reached'"
    assert world.rows(told) == [(NICOLE,)]


def test_log_of_wrong_codes_does_not_grow(world: World) -> None:
    world.app.config["LIMIT_WRONG_CODES"] = 2
    guess(world)
    ((log,),) = world.rows("SELECT log FROM counters WHERE name = 'wrong codes'")
    assert log.count("[") == 3


def test_cleared_limits_let_strangers_browsers_ask_again(world: World) -> None:
    guessed(world)
    world.do(guests.clear_limits, FABRIKAM, NICOLE, by=BY)
    assert may_ask(world)
    assert world.rows("SELECT address FROM events WHERE name = 'limit.cleared'") == [(NICOLE,)]


def test_send_that_is_refused_leaves_the_sign_in_as_it_was(world: World) -> None:
    for _ in range(5):
        last = ask(world)
    with pytest.raises(LimitReached):
        ask(world)
    world.advance(LATER)
    with pytest.raises(LimitReached):
        world.do(sending.send_code, FABRIKAM, last.id, browser=BROWSER, by=BY)
    assert world.rows("SELECT sum(sends) FROM sign_ins") == [(5,)]


def test_click_that_came_too_early_costs_nothing(world: World) -> None:
    started = ask(world)
    for _ in range(9):
        with pytest.raises(sending.SendTooEarly):
            world.do(sending.send_code, FABRIKAM, started.id, browser=BROWSER, by=BY)
    assert [may_ask(world) for _ in range(5)] == [True] * 4 + [False]


def test_twelve_codes_in_a_day_and_no_more(world: World) -> None:
    sent = 0
    for _ in range(12):
        sent += sum(may_ask(world) for _ in range(6))
        world.advance(3600)
    assert sent == 12


def test_mails_beyond_a_tenants_limit_are_held_and_no_page_tells(world: World) -> None:
    world.app.config["LIMIT_TENANT_MAILS_PER_HOUR"] = 2
    assert [may_ask(world, f"nobody-{n}@example.com") for n in range(3)] == [True] * 3
    world.deliver()
    assert [may_ask(world, mail) for mail in (NICOLE, ALEX, NICOLE, STRANGER)] == [True] * 4
    assert may_ask(world, ALEX, known="browser 1")
    world.deliver()
    assert sum("code" in letter.message["Subject"] for letter in world.letters()) == 3


def test_operator_is_told_at_four_fifths_of_the_mails(world: World) -> None:
    world.app.config["LIMIT_MAILS_PER_HOUR"] = 5
    for n in range(4):
        assert world.rows("SELECT name FROM events WHERE name = 'limit.near'") == []
        ask(world, [NICOLE, ALEX][n % 2])
    assert world.rows("SELECT count(*) FROM events WHERE name = 'limit.near'") == [(1,)]


def test_operator_who_was_told_that_the_mails_limit_is_near_is_told_that_it_is_reached(world: World) -> None:
    world.app.config["LIMIT_MAILS_PER_HOUR"] = 5
    for n in range(7):
        ask(world, [NICOLE, ALEX][n % 2])
    told = "SELECT name, count(*) FROM events WHERE name LIKE 'limit.%' GROUP BY name ORDER BY name"
    assert world.rows(told) == [("limit.near", 1), ("limit.reached", 1)]


def test_invitations_cannot_fill_a_mailbox(world: World) -> None:
    for _ in range(4):  # the first one was sent when the demo was loaded
        world.do(invitations.resend, FABRIKAM, ALEX, by=BY)
    with pytest.raises(LimitReached):
        world.do(invitations.resend, FABRIKAM, ALEX, by=BY)
    world.do(invitations.resend, FABRIKAM, ALEX, by=BY, send_mail=False)


# Where a request comes from.


def from_client(address: str) -> Caller:
    return Caller(actor="visitor", client_address=address)


def sent(world: World, mail: str, client: str) -> bool:
    try:
        by = from_client(client)
        started = world.do(signin.start, FABRIKAM, addresses.parse(mail), browser=mail, target=None, by=by)
        world.do(sending.send_code, FABRIKAM, started.id, browser=mail, by=by)
    except LimitReached:
        return False
    return True


@pytest.mark.case("RL-10")
def test_fifty_guests_behind_one_address_sign_in_at_nine_o_clock(world: World) -> None:
    for n in range(50):
        mail = f"guest-{n}@firstup.example"
        world.do(invitations.invite, FABRIKAM, mail, by=BY, send_mail=False)
        assert sent(world, mail, "192.0.2.50")
    for sign_in_id, mail in world.rows("SELECT id, address FROM sign_ins"):
        started = world.do(signin.find, FABRIKAM, uuid.UUID(str(sign_in_id)), browser=mail)
        enter(world, started, code_of(world, started), browser=mail)
    assert world.rows("SELECT count(*) FROM sessions WHERE ended_at IS NULL") == [(50,)]


@pytest.mark.case("G-12", "RL-04")
def test_one_site_gets_sixty_codes_in_ten_minutes(sqlite_world: World) -> None:
    tried = [sent(sqlite_world, f"x{n}@example.com", f"2001:db8:1:2::{n}") for n in range(61)]
    assert tried == [True] * 60 + [False]
    assert sent(sqlite_world, "y@example.com", "2001:db8:1:3::1")
    sqlite_world.advance(661)
    assert sent(sqlite_world, "z@example.com", "2001:db8:1:2::1")


def test_known_browser_goes_on_where_its_network_has_none_left(sqlite_world: World) -> None:
    sqlite_world.app.config["LIMIT_CLIENT_SENDS_PER_10_MINUTES"] = 1
    assert [may_ask(sqlite_world), may_ask(sqlite_world), may_ask(sqlite_world, known="b")] == [True, False, True]


def test_codes_entered_from_one_address_are_limited_and_cost_no_try(world: World) -> None:
    world.app.config["LIMIT_CLIENT_CODES_PER_10_MINUTES"] = 2
    guess(world, codes=2)
    mine = ask(world)
    with pytest.raises(LimitReached):
        enter(world, mine, code_of(world, mine))
    world.advance(661)
    assert enter(world, mine, code_of(world, mine)).mail_key == NICOLE


def test_addresses_typed_from_one_address_are_limited(world: World) -> None:
    world.app.config["LIMIT_CLIENT_ADDRESSES_PER_10_MINUTES"] = 2
    assert [sent(world, f"x{n}@example.com", "192.0.2.1") for n in range(3)] == [True, True, False]
    assert world.rows("SELECT count(*) FROM sign_ins") == [(2,)]
