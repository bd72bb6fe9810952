"""Turns: of all processes one does what is due, and none waits for one that died."""

import threading
import time
from datetime import timedelta
from functools import partial

import pytest

from guestauth import database, turns
from tests.e2e.parallel import together
from tests.steps import another
from tests.world import World

EVERY = timedelta(seconds=30)


def take(world: World, name: str = "sweep", every: timedelta = EVERY) -> bool:
    return world.do(turns.take, name, every=every)


def test_turn_is_had_by_one_and_then_not_for_a_while(world: World) -> None:
    other = another(world)
    assert [take(each) for each in (world, other, world)] == [True, False, False]
    world.advance(29)
    assert not take(other)
    world.advance(2)
    assert [take(other), take(world)] == [True, False]


@pytest.mark.parametrize("jump", [-3600, 3600])
def test_turn_is_free_when_the_clock_has_jumped(world: World, jump: int) -> None:
    take(world)
    world.advance(jump)
    assert take(world)


def test_turns_of_other_names_are_others(world: World) -> None:
    assert [take(world), take(world, "dust")] == [True, True]


def test_who_wants_it_at_once_has_it_whoever_had_it(world: World) -> None:
    take(world)
    assert take(world, every=timedelta())
    assert not take(world)


def test_it_is_known_when_a_turn_was_taken_and_done(world: World) -> None:
    assert world.do(turns.last, "sweep") is None
    take(world)
    assert world.do(turns.last, "sweep").done_at is None
    world.do(turns.finish, "sweep")
    last = world.do(turns.last, "sweep")
    assert last.done_at >= last.taken_at


@pytest.mark.both
def test_of_eight_at_once_one_has_it_the_first_time_and_the_next(world: World) -> None:
    for _ in range(2):
        assert sum(together(*[partial(take, world)] * 8)) == 1
        world.advance(31)


def blocked(world: World) -> bool:
    """Whether a statement waits for another transaction."""
    waiting = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    return bool(world.rows(waiting)[0][0])


def test_very_first_turn_is_not_had_by_who_waited_for_it(postgresql_world: World) -> None:
    had: list[bool] = []
    second = threading.Thread(target=lambda: had.append(take(postgresql_world)))
    with postgresql_world.app.app_context(), database.db.engine.connect() as other:
        other.execute(database.text("INSERT INTO turns (name, taken_at) VALUES ('sweep', now())"))
        second.start()
        deadline = time.monotonic() + 10
        while not blocked(postgresql_world) and time.monotonic() < deadline:
            pass
        other.commit()
    second.join()
    assert had == [False]
