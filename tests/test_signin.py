"""The way in, operation by operation: tries, sends, browsers, repeats, strangers (B5, B17, B22 to B29, B34).

Also G-01, L-02, L-04, L-05, L-08, L-10, S-01, S-04, S-12 and E-01 of the catalogue, as far as operations go.
"""

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event

from guestauth import (
    addresses,
    database,
    guests,
    invitations,
    limits,
    policies,
    sending,
    sessions,
    signin,
    tenants,
)
from guestauth.keys import fingerprint
from guestauth.models import SignIn
from tests.steps import BROWSER, another, ask, ask_again, audited, code_of, enter, is_in, sign_in, wrong
from tests.world import ADMIN, ALEX, BY, CONTOSO, FABRIKAM, NICOLE, STRANDED, STRANGER, WOODGROVE, World

OTHER = "fedcba9876543210" * 4
BLOCKED, DELETED, REVOKED = "blocked@example.com", "deleted@example.com", "revoked@example.com"
ELSEWHERE = "elsewhere@example.com"
KINDS = [NICOLE, ALEX, STRANGER, BLOCKED, DELETED, REVOKED, ELSEWHERE]


def invited(world: World, mail: str, tenant: uuid.UUID = FABRIKAM) -> None:
    world.do(invitations.invite, tenant, mail, by=BY, send_mail=False)


def with_every_kind(world: World) -> World:
    """Add guests who may not sign in, each for another reason."""
    for mail, tenant in ((BLOCKED, FABRIKAM), (DELETED, FABRIKAM), (REVOKED, FABRIKAM), (ELSEWHERE, WOODGROVE)):
        invited(world, mail, tenant)
    world.do(guests.block, FABRIKAM, BLOCKED, by=BY)
    world.do(guests.delete, FABRIKAM, DELETED, by=BY)
    world.do(invitations.revoke, FABRIKAM, REVOKED, by=BY)
    return world


def use_up(world: World, started: SignIn, code: str, *, browser: str = BROWSER) -> list[int]:
    """Enter wrong codes until the sign-in is dead, and return the tries left each time."""
    left = []
    while not left or left[-1]:
        with pytest.raises(signin.PasscodeWrong) as refusal:
            enter(world, started, wrong(code), browser=browser)
        left.append(refusal.value.tries_left)
    return left


def statements(world: World, action: Callable[[], Any]) -> list[str]:
    """Return the SQL of everything that an action does."""
    seen: list[str] = []
    with world.app.app_context():
        engine = database.db.engine

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        seen.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        action()
    finally:
        event.remove(engine, "before_cursor_execute", note)
    return seen


def shapes(world: World, table: str, key: str, value: Any) -> list[dict[str, bool]]:
    """Return which columns of the rows are empty, apart from who it is."""
    rows = world.rows(f"SELECT * FROM {table} WHERE {key} = :value", value=value)
    named = [dict(row._mapping) for row in rows]
    return [{name: cell is None for name, cell in row.items() if name != "user_id"} for row in named]


def test_alex_signs_in_by_a_direct_link_and_lands_on_the_resource(world: World) -> None:
    browser = world.signed_in(ALEX, "/fabrikam.example/apps/project-plan?page=2")
    assert browser.url.endswith("/fabrikam.example/apps/project-plan?page=2")
    assert browser.h1 == "Project plan"
    assert world.rows("SELECT state, identity_provider FROM users WHERE mail = :mail", mail=ALEX) == [
        ("Accepted", "passcode")
    ]


def test_stranger_sees_the_same_pages_and_gets_no_mail(world: World) -> None:
    browser = world.browser().open(f"/{FABRIKAM}").submit("email-form", email=STRANGER).submit("send-code")
    assert browser.h1 == "Check your email"
    assert world.letters(STRANGER) == []


# Starting.


def test_starting_sends_nothing_and_looks_nobody_up(world: World) -> None:
    world.do(signin.start, FABRIKAM, addresses.parse(NICOLE), browser=BROWSER, target="/apps", by=BY)
    assert world.letters(NICOLE) == []
    assert world.rows("SELECT user_id, sends, tries FROM sign_ins") == [(None, 0, 0)]


def test_browser_is_kept_as_a_hash_only(world: World) -> None:
    ask(world)
    assert world.rows("SELECT browser FROM sign_ins") == [(fingerprint(BROWSER),)]


def test_address_is_kept_as_typed_and_mail_goes_to_the_stored_one(world: World) -> None:
    started = ask(world, "Nicole@FirstUp.Example")
    assert (started.address, started.mail_key) == ("Nicole@firstup.example", NICOLE)
    (letter,) = world.letters(NICOLE)
    assert letter.message["To"] == NICOLE


def test_each_sign_in_has_a_nonce_of_its_own(sqlite_world: World) -> None:
    assert ask(sqlite_world).nonce != ask(sqlite_world).nonce
    assert len(ask(sqlite_world).nonce) == 32


# A right code.


def test_right_code_gives_a_session_and_the_way_on(world: World) -> None:
    started = ask(world, target="/fabrikam.example/apps/project-plan?page=2")
    done = enter(world, started, code_of(world, started))
    assert done.target == "/fabrikam.example/apps/project-plan?page=2"
    arrival = world.do(sessions.arriving, FABRIKAM, [done.session_secret])
    assert arrival and arrival.user and arrival.user.mail == NICOLE


def test_sign_in_is_audited_with_who_and_how(world: World) -> None:
    started = ask(world)
    enter(world, started, world.code(NICOLE))
    names = "('passcode.requested', 'passcode.mailed', 'sign-in')"
    joined = "events e JOIN users u ON u.id = e.user_id"
    found = world.rows(f"SELECT e.name, e.result, e.address, u.mail FROM {joined} WHERE e.name IN {names}")
    assert {tuple(row)[1:] for row in found} == {("success", NICOLE, NICOLE)}
    assert len(found) == 3


def test_session_secret_is_nowhere_at_rest(world: World) -> None:
    done = sign_in(world)
    assert world.rows("SELECT secret FROM sessions") == [(fingerprint(done.session_secret),)]


def test_last_sign_in_is_noted_at_success_only(world: World) -> None:
    started = ask(world)
    code = code_of(world, started)
    with pytest.raises(signin.PasscodeWrong):
        enter(world, started, wrong(code))
    noted = "SELECT last_sign_in_at IS NULL FROM users WHERE mail = :mail"
    assert [bool(row[0]) for row in world.rows(noted, mail=NICOLE)] == [True]
    enter(world, started, code)
    assert [bool(row[0]) for row in world.rows(noted, mail=NICOLE)] == [False]


def test_signing_in_accepts_nothing(world: World) -> None:
    sign_in(world, ALEX)
    assert world.rows("SELECT state, identity_provider FROM users WHERE mail = :mail", mail=ALEX) == [
        ("PendingAcceptance", None)
    ]


def test_code_works_once(world: World) -> None:
    started = ask(world)
    code = code_of(world, started)
    done = enter(world, started, code)
    world.advance(61)
    for browser in (BROWSER, done.browser):
        with pytest.raises(signin.PasscodeUsed):
            enter(world, started, code, browser=browser)
    assert audited(world, "sign-in")[1:] == [("refused", "used")]


def test_code_of_one_sign_in_is_worthless_in_another(world: World) -> None:
    first = ask(world)
    code = code_of(world, first)
    for mail in (NICOLE, ALEX, STRANGER):
        with pytest.raises(signin.PasscodeWrong):
            enter(world, ask(world, mail), code)
    assert enter(world, first, code)


# Five tries.


def test_five_wrong_codes_end_the_sign_in_and_the_right_one_is_too_late(world: World) -> None:
    started = ask(world)
    code = code_of(world, started)
    assert use_up(world, started, code) == [4, 3, 2, 1, 0]
    for _ in range(2):
        with pytest.raises(signin.TooManyTries):
            enter(world, started, code)
    assert world.rows("SELECT tries, consumed_at FROM sign_ins") == [(5, None)]
    assert world.rows("SELECT id FROM sessions") == []
    assert audited(world, "sign-in") == [("refused", "wrong code")] * 5 + [("refused", "too many tries")]


def test_fifth_try_may_be_the_right_one(world: World) -> None:
    started = ask(world)
    code = code_of(world, started)
    for _ in range(4):
        with pytest.raises(signin.PasscodeWrong):
            enter(world, started, wrong(code))
    assert is_in(world, enter(world, started, code))


def test_new_sign_in_helps_after_five_wrong_codes(world: World) -> None:
    started = ask(world)
    use_up(world, started, code_of(world, started))
    assert is_in(world, sign_in(world))


def test_expired_code_costs_no_try(world: World) -> None:
    started = ask(world)
    code = code_of(world, started)
    for _ in range(4):
        with pytest.raises(signin.PasscodeWrong):
            enter(world, started, wrong(code))
    world.advance(1800)
    for _ in range(3):
        with pytest.raises(signin.PasscodeExpired):
            enter(world, started, code)
    ask_again(world, started)
    assert is_in(world, enter(world, started, code_of(world, started)))


def test_wrong_code_still_costs_a_try_when_the_right_one_has_expired(world: World) -> None:
    started = ask(world)
    code = code_of(world, started)
    world.advance(1800)
    assert use_up(world, started, code) == [4, 3, 2, 1, 0]
    with pytest.raises(signin.TooManyTries):
        enter(world, started, code)


def test_code_cannot_be_tried_before_one_was_sent(world: World) -> None:
    started = world.do(signin.start, FABRIKAM, addresses.parse(NICOLE), browser=BROWSER, target=None, by=BY)
    with pytest.raises(signin.SignInUnknown):
        enter(world, started, "00000000")
    assert world.rows("SELECT tries FROM sign_ins") == [(0,)]


# Sending again.


def test_another_code_can_be_sent_sixty_seconds_after_the_last(world: World) -> None:
    started = ask(world)
    world.advance(60)
    ask_again(world, started)
    assert len(world.letters(NICOLE)) == 2


def test_too_early_names_the_moment_and_sends_nothing(world: World) -> None:
    started = ask(world)
    world.advance(45)
    with pytest.raises(sending.SendTooEarly) as refusal:
        ask_again(world, started)
    assert refusal.value.sent_at == world.do(signin.find, FABRIKAM, started.id, browser=BROWSER).last_sent_at
    assert refusal.value.next_at - refusal.value.sent_at == timedelta(seconds=60)
    assert len(world.letters(NICOLE)) == 1
    assert audited(world, "passcode.requested") == [("success", ""), ("refused", "too early")]


@pytest.mark.parametrize("mail", [NICOLE, STRANGER])
def test_clicks_that_are_refused_fill_no_log(world: World, mail: str) -> None:
    started = ask(world, mail)
    for _ in range(9):
        with pytest.raises(sending.SendTooEarly):
            ask_again(world, started)
    world.advance(86401)
    ask_again(world, started)
    with pytest.raises(sending.SendTooEarly):
        ask_again(world, started)
    wanted = ["success", "refused"] * 2
    assert [result for result, _ in audited(world, "passcode.requested")] == wanted


def test_asking_too_early_does_not_put_the_next_moment_off(world: World) -> None:
    started = ask(world)
    world.advance(40)
    with pytest.raises(sending.SendTooEarly):
        ask_again(world, started)
    world.advance(20)
    ask_again(world, started)


def test_three_codes_are_sent_and_never_a_fourth(world: World) -> None:
    started = ask(world)
    for _ in range(2):
        world.advance(60)
        ask_again(world, started)
    for seconds in (60, 3600):
        world.advance(seconds)
        with pytest.raises(sending.TooManySends) as refusal:
            ask_again(world, started)
    (sends, last) = world.do(signin.find, FABRIKAM, started.id, browser=BROWSER), refusal.value.next_at
    assert (sends.sends, last - sends.last_sent_at) == (3, timedelta(seconds=60))
    assert audited(world, "passcode.requested")[3:] == [("refused", "too many codes")]


@pytest.mark.parametrize("which", [0, 1, 2])
def test_each_of_the_codes_works(world: World, which: int) -> None:
    started = ask(world)
    codes = [code_of(world, started)]
    for _ in range(2):
        world.advance(60)
        ask_again(world, started)
        codes.append(code_of(world, started))
    assert len(set(codes)) == 3
    assert is_in(world, enter(world, started, codes[which]))


def test_each_code_lives_to_its_own_end(world: World) -> None:
    started = ask(world)
    first = code_of(world, started)
    world.advance(1500)
    ask_again(world, started)
    second = code_of(world, started)
    world.advance(400)
    with pytest.raises(signin.PasscodeExpired):
        enter(world, started, first)
    assert is_in(world, enter(world, started, second))


def test_success_ends_all_codes(world: World) -> None:
    started = ask(world)
    first = code_of(world, started)
    world.advance(60)
    ask_again(world, started)
    done = enter(world, started, code_of(world, started))
    with pytest.raises(signin.PasscodeUsed):
        enter(world, started, first, browser=done.browser)
    world.advance(61)
    with pytest.raises(signin.PasscodeUsed):
        enter(world, started, first)
    assert len(world.rows("SELECT id FROM sessions")) == 1


def test_tries_are_shared_by_the_codes_and_not_reset(world: World) -> None:
    started = ask(world)
    for _ in range(3):
        with pytest.raises(signin.PasscodeWrong):
            enter(world, started, wrong(code_of(world, started)))
    world.advance(60)
    ask_again(world, started)
    assert use_up(world, started, code_of(world, started)) == [1, 0]


def test_nothing_is_sent_for_a_sign_in_that_is_dead(world: World) -> None:
    started = ask(world)
    use_up(world, started, code_of(world, started))
    world.advance(60)
    with pytest.raises(signin.TooManyTries):
        ask_again(world, started)
    assert audited(world, "passcode.requested")[1:] == [("refused", "too many tries")]


def test_nothing_is_sent_for_a_sign_in_that_was_used(world: World) -> None:
    started = ask(world)
    done = enter(world, started, code_of(world, started))
    world.advance(60)
    with pytest.raises(signin.SignInUsed):
        ask_again(world, started, browser=done.browser)
    assert audited(world, "passcode.requested")[1:] == [("refused", "used")]


def test_send_when_the_clock_has_gone_back_is_too_early(sqlite_world: World) -> None:
    started = ask(sqlite_world)
    sqlite_world.advance(-3600)
    with pytest.raises(sending.SendTooEarly):
        ask_again(sqlite_world, started)


# The browser.


def test_code_works_only_in_the_browser_that_asked(world: World) -> None:
    started = ask(world)
    code = code_of(world, started)
    for _ in range(6):
        with pytest.raises(signin.SignInUnknown):
            enter(world, started, code, browser=OTHER)
    assert world.rows("SELECT tries FROM sign_ins") == [(0,)]
    assert is_in(world, enter(world, started, code))


def test_used_sign_in_is_unknown_to_another_browser(world: World) -> None:
    started = ask(world)
    code = code_of(world, started)
    enter(world, started, code)
    with pytest.raises(signin.SignInUnknown):
        enter(world, started, code, browser=OTHER)


def test_another_browser_can_neither_see_it_nor_have_a_code_sent(world: World) -> None:
    started = ask(world)
    world.advance(60)
    with pytest.raises(signin.SignInUnknown):
        ask_again(world, started, browser=OTHER)
    with pytest.raises(signin.SignInUnknown):
        world.do(signin.find, FABRIKAM, started.id, browser=OTHER)
    assert len(world.letters(NICOLE)) == 1


def test_what_others_do_with_the_same_address_changes_nothing(world: World) -> None:
    mine = ask(world)
    code = code_of(world, mine)
    theirs = ask(world, browser=OTHER)
    use_up(world, theirs, code, browser=OTHER)
    world.advance(60)
    ask(world, browser=OTHER)
    assert is_in(world, enter(world, mine, code))


def test_sign_in_gives_the_browser_a_new_id_and_the_old_one_is_worth_nothing(world: World) -> None:
    started = ask(world)
    done = enter(world, started, code_of(world, started))
    assert done.browser != BROWSER
    with pytest.raises(signin.SignInUnknown):
        world.do(signin.find, FABRIKAM, started.id, browser=BROWSER)
    assert world.do(signin.find, FABRIKAM, started.id, browser=done.browser).id == started.id


def test_other_open_sign_ins_of_the_browser_survive_a_sign_in(world: World) -> None:
    invited(world, NICOLE, WOODGROVE)
    elsewhere = ask(world, tenant=WOODGROVE)
    code = code_of(world, elsewhere)
    done = sign_in(world)
    later = enter(world, elsewhere, code, browser=done.browser)
    assert is_in(world, done) and is_in(world, later, WOODGROVE)


def test_second_sign_in_in_the_same_browser_ends_the_first_session(world: World) -> None:
    first = sign_in(world)
    arrival = world.do(sessions.arriving, FABRIKAM, [first.session_secret])
    assert arrival and arrival.session
    second = sign_in(world, ALEX, browser=first.browser, replacing=arrival.session.id)
    assert (is_in(world, first), is_in(world, second)) == (False, True)
    assert ("signed in again",) in world.rows("SELECT ended_reason FROM sessions")


def test_sign_in_elsewhere_leaves_the_first_browsers_session(world: World) -> None:
    first, second = sign_in(world), sign_in(world, browser=OTHER)
    assert is_in(world, first) and is_in(world, second)


# The same post again.


def test_repeated_post_gets_the_same_session_and_no_second_one(world: World) -> None:
    started = ask(world)
    code = code_of(world, started)
    done = enter(world, started, code)
    world.advance(40)
    assert enter(world, started, code) == done
    assert len(world.rows("SELECT id FROM sessions")) == 1
    assert is_in(world, done)


def test_repeated_post_is_refused_after_a_minute(world: World) -> None:
    started = ask(world)
    code = code_of(world, started)
    enter(world, started, code)
    world.advance(61)
    with pytest.raises(signin.PasscodeUsed):
        enter(world, started, code)


def test_repeated_post_with_a_wrong_code_gets_nothing(world: World) -> None:
    started = ask(world)
    code = code_of(world, started)
    enter(world, started, code)
    with pytest.raises(signin.PasscodeUsed):
        enter(world, started, wrong(code))


def test_repeated_post_does_not_bring_back_what_was_ended(world: World) -> None:
    started = ask(world)
    code = code_of(world, started)
    done = enter(world, started, code)
    world.do(sessions.end_all, FABRIKAM, by=BY)
    with pytest.raises(signin.PasscodeUsed):
        enter(world, started, code)
    assert not is_in(world, done)


# Who may no longer.

ENDINGS: dict[str, Callable[[World], Any]] = {
    "deleted": lambda world: world.do(guests.delete, FABRIKAM, ALEX, by=BY),
    "blocked": lambda world: world.do(guests.block, FABRIKAM, ALEX, by=BY),
    "revoked": lambda world: world.do(invitations.revoke, FABRIKAM, ALEX, by=BY),
    "opted out": lambda world: world.do(policies.turn_passcodes, FABRIKAM, on=False, by=BY),
    "disabled": lambda world: world.do(tenants.disable, FABRIKAM, by=BY),
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_right_code_is_refused_like_a_wrong_one_once_they_may_no_longer(world: World, ending: str) -> None:
    started = ask(world, ALEX)
    code = code_of(world, started)
    ENDINGS[ending](world)
    left = []
    for _ in range(5):
        with pytest.raises(signin.PasscodeWrong) as refusal:
            enter(world, started, code)
        left.append(refusal.value.tries_left)
    assert left == [4, 3, 2, 1, 0]
    assert world.rows("SELECT id FROM sessions") == []


@pytest.mark.parametrize("ending", ENDINGS)
def test_letter_that_waits_does_not_go_once_they_may_no_longer(world: World, ending: str) -> None:
    world.deliver()
    ask(world, ALEX)
    ENDINGS[ending](world)
    assert [letter.message["Subject"] for letter in world.letters(ALEX)] == ["Robin Meyer invited you to Fabrikam"]
    assert audited(world, "passcode.dropped") == [("refused", "the guest may not sign in")]


def test_new_guest_of_the_same_address_does_not_revive_the_old_ones_code(world: World) -> None:
    started = ask(world, ALEX)
    code = code_of(world, started)
    world.do(guests.delete, FABRIKAM, ALEX, by=BY)
    invited(world, ALEX)
    with pytest.raises(signin.PasscodeWrong):
        enter(world, started, code)
    world.advance(60)
    ask_again(world, started)
    assert world.rows("SELECT outcome FROM letters WHERE n = 2") == [(None,)]
    world.deliver()
    assert world.rows("SELECT outcome FROM letters WHERE n = 2") == [("dropped",)]


def test_stranger_who_is_invited_meanwhile_gets_the_next_code(world: World) -> None:
    started = ask(world, STRANGER)
    invited(world, STRANGER)
    world.advance(60)
    ask_again(world, started)
    assert is_in(world, enter(world, started, code_of(world, started)))


def test_administrator_signs_in_by_code_though_codes_are_off_for_guests(world: World) -> None:
    assert is_in(world, sign_in(world, "admin@contoso.example", tenant=CONTOSO), CONTOSO)
    ask(world, STRANDED, tenant=CONTOSO)
    assert world.letters(STRANDED) == []


def test_opting_out_leaves_the_administrators_code_alive(world: World) -> None:
    started = ask(world, ADMIN)
    code = code_of(world, started)
    world.do(policies.turn_passcodes, FABRIKAM, on=False, by=BY)
    assert is_in(world, enter(world, started, code))


# Tenants.


def test_code_of_one_tenant_is_worthless_in_another(world: World) -> None:
    invited(world, NICOLE, WOODGROVE)
    here, there = ask(world), ask(world, tenant=WOODGROVE)
    code = next(
        letter.part("plain")[:8] for letter in world.letters(NICOLE) if "Fabrikam" in letter.message["Subject"]
    )
    with pytest.raises(signin.PasscodeWrong):
        enter(world, there, code)
    with pytest.raises(signin.SignInUnknown):
        world.do(signin.enter_code, WOODGROVE, here.id, code, browser=BROWSER, by=BY)
    assert is_in(world, enter(world, here, code))


def test_sign_in_is_unknown_at_another_tenant(world: World) -> None:
    started = ask(world)
    world.advance(60)
    with pytest.raises(signin.SignInUnknown):
        world.do(sending.send_code, CONTOSO, started.id, browser=BROWSER, by=BY)
    with pytest.raises(signin.SignInUnknown):
        world.do(signin.find, CONTOSO, started.id, browser=BROWSER)
    assert len(world.letters(NICOLE)) == 1


# Strangers (B27).


@pytest.mark.parametrize("mail", KINDS)
def test_every_address_costs_the_same_statements(sqlite_world: World, mail: str) -> None:
    with_every_kind(sqlite_world)
    assert way(sqlite_world, mail) == way(sqlite_world, NICOLE)


def way(world: World, mail: str) -> list[list[str]]:
    """Return the SQL of starting, sending, sending too early and entering a wrong code."""
    started: list[SignIn] = []
    start = signin.start, FABRIKAM, addresses.parse(mail)
    done = [statements(world, lambda: started.append(world.do(*start, browser=BROWSER, target=None, by=BY)))]
    done.append(statements(world, lambda: ask_again(world, started[0])))
    for action, refusal in (
        (lambda: ask_again(world, started[0]), sending.SendTooEarly),
        (lambda: enter(world, started[0], "00000000"), signin.PasscodeWrong),
    ):
        with pytest.raises(refusal):
            done.append(statements(world, action))
    return done


@pytest.mark.parametrize("mail", KINDS)
def test_strangers_rows_are_like_guests_rows(world: World, mail: str) -> None:
    with_every_kind(world)
    found = []
    for each in (mail, NICOLE):
        started = ask(world, each)
        with pytest.raises(signin.PasscodeWrong):
            enter(world, started, "00000000")
        places = {"sign_ins": "id", "passcodes": "sign_in_id", "letters": "subject_id"}
        found.append([shapes(world, table, key, key_of(world, started)) for table, key in places.items()])
        found[-1].append(shapes(world, "events", "address", each)[-2:])
    assert found[0] == found[1] and all(found[0])


def key_of(world: World, started: SignIn) -> str:
    """Return a row's id as its database has it."""
    return started.id.hex if "sqlite" in world.app.config["DATABASE_URL"] else str(started.id)


@pytest.mark.parametrize("mail", KINDS)
def test_every_address_has_the_same_answers_from_start_to_end(sqlite_world: World, mail: str) -> None:
    world = with_every_kind(sqlite_world)
    started = ask(world, mail)
    assert use_up(world, started, "00000000") == [4, 3, 2, 1, 0]
    with pytest.raises(signin.TooManyTries):
        enter(world, started, "00000000")
    world.advance(60)
    with pytest.raises(signin.TooManyTries):
        ask_again(world, started)


@pytest.mark.parametrize("mail", [STRANGER, BLOCKED, DELETED, REVOKED, ELSEWHERE])
def test_nobody_but_a_guest_gets_mail(sqlite_world: World, mail: str) -> None:
    world = with_every_kind(sqlite_world)
    ask(world, mail)
    assert world.letters(mail) == []
    assert audited(world, "passcode.dropped")[0][0] == "refused"


# What pages ask about a sign-in.


def over(world: World, browser: str, tenant: uuid.UUID = FABRIKAM) -> str | None:
    """Return the address that is kept for a browser whose session is over."""
    found = world.do(signin.over_or_none, tenant, browser=browser)
    return found and found.address


def test_address_is_kept_when_a_session_has_come_to_its_natural_end(world: World) -> None:
    first = sign_in(world)
    second = sign_in(world, ALEX, browser=first.browser)
    assert over(world, second.browser) is None
    world.advance(86400)
    assert (over(world, second.browser), over(world, second.browser, CONTOSO)) == (ALEX, None)


def test_no_address_is_kept_for_who_signed_out_or_never_signed_in(world: World) -> None:
    ask(world, browser=OTHER)
    done = sign_in(world)
    world.do(sessions.end_all, FABRIKAM, by=BY)
    world.advance(86400)
    assert (over(world, done.browser), over(world, OTHER)) == (None, None)


def renew(world: World, earlier: SignIn, browser: str, target: str | None = "/apps") -> SignIn:
    return world.do(sending.renew, earlier.tenant_id, earlier.id, browser=browser, target=target, by=BY)


def test_renewed_sign_in_is_for_the_same_address_and_has_its_code_mailed(world: World) -> None:
    earlier = ask(world, target="/before")
    done = enter(world, earlier, code_of(world, earlier))
    world.advance(86400)
    renewed = renew(world, earlier, done.browser)
    assert (renewed.address, renewed.target, renewed.sends) == (NICOLE, "/apps", 1)
    assert is_in(world, enter(world, renewed, code_of(world, renewed), browser=done.browser))


def test_renewing_twice_within_a_minute_is_one_sign_in_and_one_code(world: World) -> None:
    earlier = ask(world)
    done = enter(world, earlier, code_of(world, earlier))
    world.advance(86400)
    first = renew(world, earlier, done.browser)
    assert renew(world, earlier, done.browser).id == first.id
    world.advance(60)
    assert renew(world, earlier, done.browser).id != first.id
    assert len(audited(world, "passcode.requested")) == 3


def test_second_click_finds_the_sign_in_of_the_first_that_used_the_limit_up(world: World) -> None:
    world.app.config["LIMIT_SENDS_PER_HOUR"] = 1
    earlier = ask(world)
    done = enter(world, earlier, code_of(world, earlier))
    world.advance(86400)
    first = renew(world, earlier, done.browser)
    assert renew(world, earlier, done.browser).id == first.id
    assert audited(world, "limit.reached") == []


def test_codes_of_a_guests_own_browser_are_counted_together_however_asked_for(world: World) -> None:
    world.app.config["LIMIT_KNOWN_SENDS_PER_DAY"] = 2
    earlier, known = ask(world, known="browser 1"), {"browser": BROWSER, "target": None, "by": BY}
    world.advance(60)
    again = world.do(sending.renew, FABRIKAM, earlier.id, known="browser 1", **known)
    world.advance(60)
    with pytest.raises(limits.LimitReached):
        world.do(sending.renew, FABRIKAM, again.id, **known)


def test_no_other_browser_or_tenant_can_renew_a_sign_in(world: World) -> None:
    earlier = ask(world)
    enter(world, earlier, code_of(world, earlier))
    with pytest.raises(signin.SignInUnknown):
        renew(world, earlier, OTHER)
    with pytest.raises(signin.SignInUnknown):
        world.do(sending.renew, CONTOSO, earlier.id, browser=BROWSER, target=None, by=BY)


def test_newest_code_is_the_one_sent_last(sqlite_world: World) -> None:
    started = ask(sqlite_world)
    sqlite_world.advance(60)
    ask_again(sqlite_world, started)
    assert sqlite_world.do(signin.newest, started).n == 2


@pytest.mark.case("L-11")
def test_sign_in_works_over_a_restart(world: World) -> None:
    started = ask(world)
    code = code_of(world, started)
    assert is_in(world, enter(another(world), started, code))
