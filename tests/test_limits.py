"""The ledger of limits: exact in every window, atomic, alike for all (RL-01, RL-04, RL-09; SECURITY "Limits")."""

import json
import uuid
from datetime import timedelta
from functools import partial

import pytest

from guestauth import database, limits
from guestauth.audit import Caller
from guestauth.database import operation
from guestauth.limits import LimitReached
from tests.e2e.parallel import together
from tests.steps import another
from tests.world import FABRIKAM, WOODGROVE, World

THREE = limits.Limit("three", ((3, timedelta(minutes=10)), (5, timedelta(hours=1))))
MANY = limits.Limit("many", ((100, timedelta(minutes=10)),))
VISITOR = Caller(actor="visitor", client_address="192.0.2.7", browser="Firefox")
KEY = "alex@firstup.example"


@operation
def once(limit: limits.Limit = THREE, key: str = KEY, times: int = 1) -> None:
    row = limits.of_address(limit, FABRIKAM, key)
    ledger = limits.opened([row])
    ledger.check(limit, row, by=VISITOR, tenant_id=FABRIKAM, address=key)
    ledger.charge({(limit, row): times})


def often(world: World, limit: limits.Limit = THREE, key: str = KEY, most: int = 200) -> int:
    """Do it until it is refused; return how often it was."""
    for done in range(most):
        try:
            world.do(once, limit, key)
        except LimitReached:
            return done
    return most


def refusal(world: World, limit: limits.Limit = THREE) -> LimitReached:
    with pytest.raises(LimitReached) as refused:
        world.do(once, limit)
    return refused.value


# How often.


def test_it_is_refused_after_so_often_and_says_from_when_it_is_not(world: World) -> None:
    began = world.do(database.now)
    assert often(world) == 3
    wait = refusal(world).next_at - began
    assert timedelta(minutes=10) <= wait < timedelta(minutes=10, seconds=5)


def test_at_the_time_that_was_said_it_is_done_again(world: World) -> None:
    often(world)
    world.advance(590)
    refusal(world)
    world.advance(11)
    world.do(once)


def test_the_longer_window_holds_beside_the_shorter(world: World) -> None:
    often(world)
    world.advance(601)
    assert often(world) == 2
    world.advance(601)
    assert often(world) == 0
    world.advance(2400)
    assert often(world) == 3


@pytest.mark.parametrize("early", [1, 2])
@pytest.mark.case("RL-09")
def test_no_window_has_more_wherever_it_begins(world: World, early: int) -> None:
    for _ in range(early):
        world.do(once)
    world.advance(595)
    assert often(world) == 3 - early
    world.advance(10)  # the window from the first use on is over, those of the others are not
    assert often(world) == early


def test_many_are_kept_as_few_times_and_never_exceed(world: World) -> None:
    assert often(world, MANY) == 100
    ((log,),) = world.rows("SELECT log FROM counters WHERE name = 'many'")
    assert len(json.loads(log)) <= limits.PARTS
    world.advance(540)
    assert often(world, MANY) == 0
    world.advance(125)  # a tenth of the window later at the most
    assert often(world, MANY) == 100


def test_a_nought_is_written_down_and_costs_nothing(world: World) -> None:
    for _ in range(9):
        world.do(once, times=0)
    assert often(world) == 3


@pytest.mark.both
@pytest.mark.case("RL-01")
def test_of_forty_at_once_so_many_are_done_as_may_be(world: World) -> None:
    others = [another(world) for _ in range(4)]

    def attempt(n: int) -> bool:
        try:
            others[n % 4].do(once)
        except LimitReached:
            return False
        return True

    assert sum(together(*[partial(attempt, n) for n in range(40)])) == 3


def test_ledger_outlives_the_process(world: World) -> None:
    often(world)
    with pytest.raises(LimitReached):
        another(world).do(once)


def test_clock_that_was_put_back_leaves_nobody_locked_out(world: World) -> None:
    world.advance(25 * 3600)
    often(world)
    world.advance(-25 * 3600)
    assert often(world) == 3


# Whom it is about.


@pytest.mark.parametrize("same", ["ALEX@firstup.example", "a.lex@firstup.example", "alex+news@firstup.example"])
def test_spellings_of_one_mailbox_count_as_one(sqlite_world: World, same: str) -> None:
    often(sqlite_world)
    assert often(sqlite_world, key=same.lower()) == 0


@pytest.mark.parametrize("other", ["alexa@firstup.example", "alex@other.example"])
def test_other_addresses_have_their_own(sqlite_world: World, other: str) -> None:
    often(sqlite_world)
    assert often(sqlite_world, key=other) == 3


def test_tenants_have_their_own() -> None:
    rows = {limits.of_address(THREE, tenant, KEY) for tenant in (FABRIKAM, WOODGROVE)}
    assert len(rows) == 2


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("fe80::1%eth0", "fe80::2%eth1", True),
        ("", "192.0.2.1", False),
        ("192.0.2.1:5678", "192.0.2.1:9", True),
        ("192.0.2.1:5678", "192.0.2.2:5678", False),
        ("[2001:db8:1:2::1]", "2001:db8:1:2::9", True),
        ("[::ffff:192.0.2.1]:5678", "192.0.2.1", True),
        ("::1", "::ffff:192.0.2.1", False),
        ("[2001:db8:1:2::1]:5678", "2001:db8:1:2::1", True),
    ],
)
def test_of_ipv6_a_whole_site_is_one_client(one: str, other: str, same: bool) -> None:
    rows = {limits.of_client(THREE, Caller(actor="visitor", client_address=each)) for each in (one, other)}
    assert (len(rows) == 1) is same


def test_ledger_holds_no_address_in_clear(world: World) -> None:
    world.do(once)
    assert KEY not in str(world.rows("SELECT * FROM counters"))


# What is told, and what goes.


def test_audit_log_is_told_once_in_each_window(world: World) -> None:
    for _ in range(3):
        often(world)
    told = "SELECT address, client_address FROM events WHERE name = 'limit.reached'"
    assert world.rows(told) == [(KEY, "192.0.2.7")]
    world.advance(3605)
    often(world)
    assert len(world.rows(told)) == 2


def test_unknown_row_is_not_used_up(sqlite_world: World) -> None:
    row = limits.of_address(THREE, uuid.uuid4(), KEY)
    assert not sqlite_world.do(limits.is_used_up, THREE, row)
