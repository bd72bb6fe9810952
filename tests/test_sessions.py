"""Sessions: 24 hours whatever happens, over at once, and nothing brings one back (B5, B12, B28, B29, B34).

Also S-04, S-06, S-10, T-01, T-04, T-05 and F-08 of the catalogue, as far as operations go.
"""

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from guestauth import database, guests, invitations, policies, redemptions, sessions, signin, tenants
from guestauth.audit import Caller
from guestauth.database import db, operation
from guestauth.models import Domain
from tests.steps import BROWSER, another, arriving, ask, audited, code_of, is_in, sign_in
from tests.world import ADMIN, ALEX, BY, CONTOSO, FABRIKAM, NICOLE, WOODGROVE, World

DAY = 86400
OTHER = "fedcba9876543210" * 4
UNKNOWN = uuid.UUID("00000000-0000-4000-8000-000000000000")


def session_of(world: World, done: Any, tenant: uuid.UUID = FABRIKAM) -> sessions.Session:
    arrival = arriving(world, done, tenant)
    assert arrival and arrival.session
    return arrival.session


def reasons(world: World) -> list[str | None]:
    return [row[0] for row in world.rows("SELECT ended_reason FROM sessions ORDER BY created_at")]


def changing(world: World, statement: str, **values: Any) -> None:
    """Change rows past all code of ours."""
    world.do(operation(lambda: db.session.execute(database.text(statement), values)))


# 24 hours.


def test_session_ends_after_24_hours_though_it_is_used_all_the_time(world: World) -> None:
    done = sign_in(world)
    for _ in range(23):
        world.advance(3600)
        assert is_in(world, done)
    world.advance(3500)
    assert is_in(world, done)
    world.advance(100)
    assert not is_in(world, done)


def test_session_is_live_up_to_its_last_moment_and_not_one_longer(sqlite_world: World) -> None:
    done = sign_in(sqlite_world)
    sqlite_world.advance((done.expires_at - sqlite_world.do(database.now)).total_seconds() - 0.2)
    verdicts = []
    while not verdicts or verdicts[-1][1]:
        began = sqlite_world.do(database.now)
        verdicts.append((began, is_in(sqlite_world, done), sqlite_world.do(database.now)))
    assert all(began < done.expires_at for began, live, _ in verdicts if live)
    assert verdicts[-1][2] >= done.expires_at


def test_end_of_a_session_is_24_hours_after_its_begin_and_never_moves(world: World) -> None:
    done = sign_in(world)
    began, ends = (getattr(session_of(world, done), name) for name in ("created_at", "expires_at"))
    assert ends - began == timedelta(seconds=DAY)
    world.advance(DAY / 2)
    assert session_of(world, done).expires_at == ends == done.expires_at


def test_deployment_may_shorten_a_session(world: World) -> None:
    short = another(world, SESSION_LIFETIME="300")
    done = sign_in(short)
    short.advance(290)
    assert is_in(short, done)
    short.advance(10)
    assert not is_in(short, done)


@pytest.mark.parametrize(("seconds", "live"), [(-2, True), (-3600, False), (90000, False)])
@pytest.mark.case("F-08")
def test_session_gains_nothing_when_the_clock_jumps(sqlite_world: World, seconds: int, live: bool) -> None:
    done = sign_in(sqlite_world)
    sqlite_world.advance(seconds)
    assert is_in(sqlite_world, done) == live


# The ends of a session.

WAYS: dict[str, tuple[str, Callable[[World, sessions.Session], Any]]] = {
    "signed out": ("signed out", lambda w, s: w.do(sessions.sign_out, FABRIKAM, s.id, by=BY)),
    "all of a tenant": ("ended by an administrator", lambda w, s: w.do(sessions.end_all, FABRIKAM, by=BY)),
    "all of a guest": (
        "ended by an administrator",
        lambda w, s: w.do(sessions.end_all, FABRIKAM, user_id=s.user_id, by=BY),
    ),
    "deleted": ("guest deleted", lambda w, s: w.do(guests.delete, FABRIKAM, ALEX, by=BY)),
    "blocked": ("guest blocked", lambda w, s: w.do(guests.block, FABRIKAM, ALEX, by=BY)),
    "revoked": ("invitation revoked", lambda w, s: w.do(invitations.revoke, FABRIKAM, ALEX, by=BY)),
    "declined": ("declined", lambda w, s: w.do(redemptions.decline, FABRIKAM, s.id, by=BY)),
    "disabled": ("tenant disabled", lambda w, s: w.do(tenants.disable, FABRIKAM, by=BY)),
    "opted out": (
        "codes turned off",
        lambda w, s: w.do(policies.turn_passcodes, FABRIKAM, on=False, by=BY),
    ),
}


def undo(world: World) -> None:
    """Give back all that can be given back."""
    world.do(tenants.enable, FABRIKAM, by=BY)
    world.do(policies.turn_passcodes, FABRIKAM, on=True, by=BY)
    if world.rows("SELECT id FROM users WHERE mail = :mail AND deleted_at IS NULL", mail=ALEX):
        world.do(guests.unblock, FABRIKAM, ALEX, by=BY)
        world.do(invitations.resend, FABRIKAM, ALEX, by=BY)
    else:
        world.do(invitations.invite, FABRIKAM, ALEX, by=BY)


@pytest.mark.parametrize("way", WAYS)
def test_session_is_over_with_the_next_request_and_nothing_brings_it_back(world: World, way: str) -> None:
    reason, end = WAYS[way]
    done = sign_in(world, ALEX)
    end(world, session_of(world, done))
    assert not is_in(world, done)
    assert reasons(world) == [reason]
    undo(world)
    assert not is_in(world, done)
    assert is_in(world, sign_in(world, ALEX))


@pytest.mark.parametrize("way", WAYS)
def test_session_that_is_over_is_over_in_every_process(sqlite_world: World, way: str) -> None:
    world, other = sqlite_world, another(sqlite_world)
    done = sign_in(world, ALEX)
    assert is_in(other, done)
    WAYS[way][1](world, session_of(world, done))
    assert not is_in(other, done)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE users SET blocked_at = created_at",
        "UPDATE users SET deleted_at = created_at",
        "UPDATE users SET revoked_at = created_at",
        "UPDATE tenants SET passcodes_on = FALSE",
        "UPDATE tenants SET disabled_at = created_at",
    ],
)
def test_rows_decide_even_if_nobody_ended_the_session(sqlite_world: World, change: str) -> None:
    done = sign_in(sqlite_world)
    changing(sqlite_world, change)
    assert not is_in(sqlite_world, done)


def test_first_reason_stays(world: World) -> None:
    done = sign_in(world)
    world.do(sessions.sign_out, FABRIKAM, session_of(world, done).id, by=BY)
    assert world.do(sessions.end_all, FABRIKAM, by=BY) == 0
    assert reasons(world) == ["signed out"]


def test_signing_out_twice_is_audited_once(world: World) -> None:
    session = session_of(world, sign_in(world))
    for _ in range(2):
        world.do(sessions.sign_out, FABRIKAM, session.id, by=BY)
    assert audited(world, "session.ended") == [("success", "")]


def test_expired_session_is_not_ended_any_more(world: World) -> None:
    sign_in(world)
    world.advance(DAY)
    assert world.do(sessions.end_all, FABRIKAM, by=BY) == 0
    assert reasons(world) == [None]


def test_ending_all_of_one_guest_leaves_the_others(world: World) -> None:
    nicole, alex = sign_in(world), sign_in(world, ALEX, browser=OTHER)
    user_id = session_of(world, nicole).user_id
    assert world.do(sessions.end_all, FABRIKAM, user_id=user_id, by=BY) == 1
    assert (is_in(world, nicole), is_in(world, alex)) == (False, True)


def test_ending_all_says_how_many_and_is_audited(world: World) -> None:
    sign_in(world), sign_in(world, ALEX, browser=OTHER)
    assert world.do(sessions.end_all, FABRIKAM, by=BY) == 2
    (detail,) = world.rows("SELECT detail FROM events WHERE name = 'session.ended'")
    assert "2" in str(detail[0])


def test_opting_out_leaves_administrators_signed_in(world: World) -> None:
    administrator, guest = sign_in(world, ADMIN), sign_in(world, browser=OTHER)
    world.do(policies.turn_passcodes, FABRIKAM, on=False, by=BY)
    assert (is_in(world, administrator), is_in(world, guest)) == (True, False)


def test_revoking_the_invitation_of_who_has_accepted_ends_nothing(world: World) -> None:
    done = sign_in(world)
    world.do(invitations.revoke, FABRIKAM, NICOLE, by=BY)
    assert is_in(world, done)


# Tenants.


def in_two_tenants(world: World) -> list[Any]:
    """Sign Nicole in at Fabrikam and at Woodgrove, in one browser."""
    world.do(invitations.invite, WOODGROVE, NICOLE, by=BY, send_mail=False)
    here = sign_in(world)
    return [here, sign_in(world, tenant=WOODGROVE, browser=here.browser)]


def test_browser_can_be_signed_in_to_several_tenants_at_once(world: World) -> None:
    secrets = [done.session_secret for done in in_two_tenants(world)]
    for tenant in (FABRIKAM, WOODGROVE):
        arrival = world.do(sessions.arriving, tenant, secrets)
        assert arrival and arrival.user and arrival.user.tenant_id == tenant == arrival.tenant.id


def test_session_of_one_tenant_is_worthless_in_another(world: World) -> None:
    here, there = in_two_tenants(world)
    assert not is_in(world, here, WOODGROVE)
    assert not is_in(world, there, FABRIKAM)
    assert not is_in(world, here, CONTOSO)


def test_signing_out_of_one_tenant_leaves_the_other(world: World) -> None:
    here, there = in_two_tenants(world)
    world.do(sessions.sign_out, FABRIKAM, session_of(world, here).id, by=BY)
    assert (is_in(world, here), is_in(world, there, WOODGROVE)) == (False, True)


@pytest.mark.parametrize("way", ["signed out", "declined"])
def test_no_tenant_can_end_anothers_session(world: World, way: str) -> None:
    done = sign_in(world)
    operation = {"signed out": sessions.sign_out, "declined": redemptions.decline}[way]
    world.do(operation, CONTOSO, session_of(world, done).id, by=BY)
    assert world.do(sessions.end_all, CONTOSO, by=BY) == 0
    assert world.do(sessions.end_all, CONTOSO, user_id=session_of(world, done).user_id, by=BY) == 0
    assert is_in(world, done)


def test_what_ends_one_tenants_sessions_leaves_the_others(world: World) -> None:
    here, there = in_two_tenants(world)
    world.do(policies.turn_passcodes, FABRIKAM, on=False, by=BY)
    world.do(tenants.disable, FABRIKAM, by=BY)
    assert (is_in(world, here), is_in(world, there, WOODGROVE)) == (False, True)


def test_session_stays_with_the_tenants_id_when_its_domain_moves(world: World) -> None:
    done = sign_in(world)
    changing(world, "UPDATE domains SET tenant_id = :to WHERE name = 'fabrikam.example'", to=key(world, CONTOSO))
    arrival = world.do(sessions.arriving, "fabrikam.example", [done.session_secret])
    assert arrival and (arrival.tenant.id, arrival.user) == (CONTOSO, None)
    assert is_in(world, done)


def key(world: World, tenant: uuid.UUID) -> str:
    """Return an id as its database has it."""
    return tenant.hex if "sqlite" in world.app.config["DATABASE_URL"] else str(tenant)


# Arriving.


@pytest.mark.parametrize("reference", [FABRIKAM, "fabrikam.example"])
def test_tenant_is_found_by_its_id_and_by_its_domain(world: World, reference: Any) -> None:
    arrival = world.do(sessions.arriving, reference, [])
    assert arrival and (arrival.tenant.name, arrival.session, arrival.user) == ("Fabrikam", None, None)


@pytest.mark.parametrize("reference", [UNKNOWN, "unknown.example", "Fabrikam", ""])
def test_unknown_tenant_is_none(sqlite_world: World, reference: Any) -> None:
    assert sqlite_world.do(sessions.arriving, reference, []) is None


@pytest.mark.parametrize("reference", [FABRIKAM, "fabrikam.example"])
def test_disabled_tenant_is_unknown(world: World, reference: Any) -> None:
    world.do(tenants.disable, FABRIKAM, by=BY)
    assert world.do(sessions.arriving, reference, []) is None


def test_domain_that_is_not_verified_does_not_resolve(world: World) -> None:
    world.do(operation(lambda: db.session.add(Domain(tenant_id=CONTOSO, name="claimed.example"))))
    assert world.do(sessions.arriving, "claimed.example", []) is None


def test_unverified_claim_does_not_take_a_domain_away(world: World) -> None:
    world.do(operation(lambda: db.session.add(Domain(tenant_id=CONTOSO, name="fabrikam.example"))))
    arrival = world.do(sessions.arriving, "fabrikam.example", [])
    assert arrival and arrival.tenant.id == FABRIKAM


@pytest.mark.parametrize("secret", ["", "x", "0" * 64, "'; DROP TABLE sessions; --", "é" * 9])
def test_unknown_secret_is_nobody(sqlite_world: World, secret: str) -> None:
    sign_in(sqlite_world)
    arrival = sqlite_world.do(sessions.arriving, FABRIKAM, [secret])
    assert arrival and (arrival.session, arrival.user) == (None, None)


def test_hash_from_the_database_is_no_secret(sqlite_world: World) -> None:
    sign_in(sqlite_world)
    ((stored,),) = sqlite_world.rows("SELECT secret FROM sessions")
    arrival = sqlite_world.do(sessions.arriving, FABRIKAM, [stored])
    assert arrival and arrival.user is None


@pytest.mark.parametrize("turn", [1, -1])
def test_live_session_is_found_beside_a_dead_one(world: World, turn: int) -> None:
    dead = sign_in(world)
    world.do(sessions.end_all, FABRIKAM, by=BY)
    live = sign_in(world, ALEX)
    arrival = world.do(sessions.arriving, FABRIKAM, [dead.session_secret, live.session_secret][::turn])
    assert arrival and arrival.user and arrival.user.mail == ALEX


@pytest.mark.parametrize("turn", [1, -1])
def test_session_of_a_blocked_guest_does_not_hide_anothers(world: World, turn: int) -> None:
    blocked, live = sign_in(world), sign_in(world, ALEX)
    changing(world, "UPDATE users SET blocked_at = created_at WHERE mail = :mail", mail=NICOLE)
    arrival = world.do(sessions.arriving, FABRIKAM, [blocked.session_secret, live.session_secret][::turn])
    assert arrival and arrival.user and arrival.session and arrival.user.mail == ALEX


# Lists.


def test_live_sessions_are_listed_newest_first(world: World) -> None:
    sign_in(world)
    world.advance(10)
    sign_in(world, ALEX, browser=OTHER)
    assert [user.mail for _, user in world.do(sessions.live, FABRIKAM)] == [ALEX, NICOLE]
    assert world.do(sessions.live, WOODGROVE) == []


def test_live_sessions_of_one_guest_only(world: World) -> None:
    user_id = session_of(world, sign_in(world)).user_id
    sign_in(world, ALEX, browser=OTHER)
    assert [user.mail for _, user in world.do(sessions.live, FABRIKAM, user_id)] == [NICOLE]


def test_ended_and_expired_sessions_are_not_live(world: World) -> None:
    sign_in(world)
    world.do(sessions.end_all, FABRIKAM, by=BY)
    assert world.do(sessions.live, FABRIKAM) == []
    done = sign_in(world)
    sign_in_id = session_of(world, done).sign_in_id
    assert world.do(sessions.of_sign_in_or_none, sign_in_id)
    world.advance(DAY)
    assert world.do(sessions.live, FABRIKAM) == []
    assert world.do(sessions.of_sign_in_or_none, sign_in_id) is None


def test_session_keeps_where_it_was_made_on_one_line(world: World) -> None:
    started = ask(world)
    by = Caller(actor="visitor", browser="Firefox\r\nX: y" + "z" * 300, client_address="192.0.2.7")
    code = code_of(world, started)
    world.do(signin.enter_code, FABRIKAM, started.id, code, browser=BROWSER, by=by)
    ((browser, address),) = world.rows("SELECT browser, client_address FROM sessions")
    assert (browser, address) == (("Firefox  X: y" + "z" * 300)[:200], "192.0.2.7")
