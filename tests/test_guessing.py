"""Guessing shuts nobody out: strangers' browsers get less, the guest's own and their invitation go on (RL-05)."""

import pytest

from guestauth import administrators, guests, invitations, sending, signin
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


def test_mails_of_a_tenant_are_limited_and_strangers_are_no_mail(world: World) -> None:
    world.app.config["LIMIT_TENANT_MAILS_PER_HOUR"] = 2
    assert [may_ask(world, f"nobody-{n}@example.com") for n in range(3)] == [True] * 3
    assert may_ask(world, NICOLE) and may_ask(world, ALEX)
    assert not may_ask(world, NICOLE) and not may_ask(world, STRANGER)
    assert may_ask(world, ALEX, known="browser 1")


def test_operator_is_told_at_four_fifths_of_the_mails(world: World) -> None:
    world.app.config["LIMIT_MAILS_PER_HOUR"] = 5
    for n in range(4):
        assert world.rows("SELECT name FROM events WHERE name = 'limit.near'") == []
        ask(world, [NICOLE, ALEX][n % 2])
    assert world.rows("SELECT count(*) FROM events WHERE name = 'limit.near'") == [(1,)]


def test_invitations_cannot_fill_a_mailbox(world: World) -> None:
    for _ in range(4):  # the first one was sent when the demo was loaded
        world.do(invitations.resend, FABRIKAM, ALEX, by=BY)
    with pytest.raises(LimitReached):
        world.do(invitations.resend, FABRIKAM, ALEX, by=BY)
    world.do(invitations.resend, FABRIKAM, ALEX, by=BY, send_mail=False)
