"""Housekeeping: what nobody needs any more goes, in small portions; what still works stays (RL-08)."""

import threading
from typing import Any

import pytest

from guestauth import courier, database, engines, guests, housekeeping, journal, signin
from tests.probe import change, tables
from tests.steps import another, ask, ask_again, is_in, sign_in
from tests.world import ALEX, BY, FABRIKAM, NICOLE, STRANGER, World

HOUR, DAY = 3600, 86400
GROWING = ("sign_ins", "passcodes", "letters", "sessions", "counters", "events")


def purge(world: World) -> dict[str, int]:
    world.deliver()
    return dict(world.do(housekeeping.run, by=BY))


def count(world: World, table: str) -> int:
    return int(world.rows(f"SELECT count(*) FROM {table}")[0][0])


def counts(world: World, *names: str) -> list[int]:
    return [count(world, name) for name in names]


def test_nothing_goes_that_is_young(world: World) -> None:
    sign_in(world)
    ask(world, STRANGER)
    world.advance(23 * HOUR)
    world.deliver()
    before = tables(world, without=("turns", "counters"))
    assert {name for name, gone in purge(world).items() if gone} <= {"limits"}
    assert tables(world, without=("turns", "counters")) == before


@pytest.mark.parametrize("address", [STRANGER, NICOLE])
def test_sign_in_that_led_nowhere_goes_after_a_day_with_its_codes(world: World, address: str) -> None:
    ask(world, address)
    world.advance(24 * HOUR + 1)
    assert purge(world)["signIns"] == 1
    assert counts(world, "sign_ins", "passcodes") == [0, 0]


def test_sign_in_stays_as_long_as_its_newest_code_works(world: World) -> None:
    started = ask(world)
    world.advance(24 * HOUR - 60)
    ask_again(world, started)
    world.advance(120)
    assert purge(world)["signIns"] == 0
    assert counts(world, "sign_ins", "passcodes") == [1, 2]


def test_letter_to_nobody_goes_after_a_day_and_a_guests_after_thirty(world: World) -> None:
    world.deliver()
    ask(world)
    ask(world, STRANGER, browser="f" * 64)
    world.deliver()
    world.advance(DAY + 1)
    assert purge(world)["letters"] == 1
    world.advance(29 * DAY)
    assert purge(world)["letters"] == count(world, "letters") + 2  # and the cast's invitation


def test_letter_that_waits_stays_however_old(world: World) -> None:
    waiting = count(world, "letters")
    world.advance(400 * DAY)
    assert dict(world.do(housekeeping.run, by=BY))["letters"] == 0
    assert count(world, "letters") == waiting == 1


def test_used_sign_in_and_its_session_go_after_thirty_days(world: World) -> None:
    done = sign_in(world)
    world.advance(30 * DAY - 60)
    purge(world)
    assert counts(world, "sign_ins", "sessions") == [1, 1]
    assert world.do(signin.over_or_none, FABRIKAM, browser=done.browser).address == NICOLE
    world.advance(DAY + 120)
    purge(world)
    assert counts(world, "sign_ins", "sessions") == [0, 0]


def test_live_session_survives(world: World) -> None:
    done = sign_in(world)
    change(world, "UPDATE sign_ins SET created_at = '2020-01-01', consumed_at = '2020-01-01'")
    assert purge(world)["signIns"] == 1
    assert is_in(world, done)


def test_counters_that_say_nothing_any_more_go(world: World) -> None:
    change(world, "INSERT INTO counters (name, key, log, expires_at) VALUES ('sends', 'k', '[]', '2020-01-01')")
    assert purge(world)["limits"] >= 1
    assert world.rows("SELECT * FROM counters WHERE key = 'k'") == []


def test_events_go_when_their_tenant_keeps_them_no_longer(world: World) -> None:
    old = count(world, "events")
    world.advance(366 * DAY)
    assert purge(world)["events"] >= old
    assert {name for (name,) in world.rows("SELECT name FROM events WHERE reason = ''")} <= {
        "audit.purged",
        "invitation.mailed",
    }


def test_import_goes_with_the_log_of_its_time(world: World) -> None:
    world.run("guest", "import", "fabrikam.example", "-")
    change(
        world,
        "INSERT INTO imports (id, tenant_id, file_name, created_at) SELECT id, id, 'x', '2020-01-01' FROM tenants",
    )
    rows = "SELECT id, 2, 'm', '', '', '', true FROM imports"
    change(world, f"INSERT INTO import_rows (import_id, n, mail, display_name, message, target, send_mail) {rows}")
    assert purge(world)["imports"] == 2 * count(world, "tenants")
    assert counts(world, "imports", "import_rows") == [0, 0]


# Deleted guests.


def deleted(world: World) -> Any:
    world.deliver()
    return world.do(guests.delete, FABRIKAM, NICOLE, by=BY)


def test_deleted_guest_can_be_restored_to_the_last_minute(world: World) -> None:
    shared = count(world, "shares")
    deleted(world)
    world.advance(30 * DAY - 60)
    purge(world)
    world.do(guests.restore, FABRIKAM, NICOLE, by=BY)
    assert count(world, "shares") == shared
    assert housekeeping.DELETED_FOR >= guests.KEPT_FOR


def test_what_a_deleted_guest_had_goes_when_they_cannot_be_restored(world: World) -> None:
    user = deleted(world)
    world.advance(30 * DAY + 60)
    assert purge(world)["guests"] > 0
    mine = (
        f"WHERE user_id = '{user.id}'"
        if world.do(database.dialect) != "sqlite"
        else f"WHERE user_id = '{user.id.hex}'"
    )
    assert [count(world, f"{table} {mine}") for table in ("shares", "invitations")] == [0, 0]


def test_log_names_a_deleted_guest_as_long_as_it_speaks_of_them(world: World) -> None:
    deleted(world)
    world.advance(364 * DAY)
    purge(world)
    found = world.do(journal.page, FABRIKAM, journal.Which(names=["guest.deleted"]))
    assert [entry.address for entry in found.entries] == [NICOLE]


def test_nothing_is_left_of_a_deleted_guest_when_the_log_has_forgotten_them(world: World) -> None:
    deleted(world)
    world.advance(366 * DAY)
    purge(world)
    assert NICOLE not in str(tables(world))
    assert ALEX in str(tables(world))


# Once an hour, by one.


def test_one_of_all_processes_does_it_once_an_hour(world: World) -> None:
    other = another(world)
    assert [bool(each.do(housekeeping.run_if_due)) for each in (world, other, world)] == [True, False, False]
    world.advance(3601)
    assert [bool(each.do(housekeeping.run_if_due)) for each in (other, world)] == [True, False]


def test_of_many_at_once_one_does_it(world: World) -> None:
    done: list[bool] = []
    together = threading.Barrier(6)

    def keep_house() -> None:
        with world.app.app_context():
            together.wait()
            done.append(bool(housekeeping.run_if_due()))

    threads = [threading.Thread(target=keep_house) for _ in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sum(done) == 1


def test_whoever_delivers_keeps_house(world: World) -> None:
    courier.keep_house(world.app)
    assert world.do(housekeeping.last).done_at is not None


def test_it_stops_between_two_portions_when_asked_to_and_says_so(world: World) -> None:
    for number in range(3):
        ask(world, f"stranger{number}@example.com", browser=str(number) * 64)
    world.advance(25 * HOUR)
    assert world.do(housekeeping.run_if_due, lambda: True)["signIns"] == 0
    assert world.do(housekeeping.last).done_at is None
    assert count(world, "sign_ins") == 3


def test_it_waits_for_nobody(postgresql_world: World) -> None:
    world = postgresql_world
    for number in range(3):
        ask(world, f"stranger{number}@example.com", browser=str(number) * 64)
    world.advance(25 * HOUR)
    with world.app.app_context(), database.db.engine.begin() as other:
        engines.begin(other)
        other.execute(database.text("SELECT * FROM sign_ins LIMIT 1 FOR UPDATE"))
        assert dict(housekeeping.run(by=BY))["signIns"] == 2
    assert purge(world)["signIns"] == 1


def test_command_says_what_went(world: World) -> None:
    ask(world, STRANGER)
    world.advance(25 * HOUR)
    done = world.run("purge", "--json")
    assert done.exit_code == 0 and '"signIns": 1' in done.stdout
    assert world.do(housekeeping.last).done_at is not None


# Ten thousand made-up addresses.


def visit(world: World, first: int, many: int) -> None:
    """Type many made-up addresses, and ask for a code for each, as from everywhere: no limit is reached."""
    world.app.config.update({name: 10**6 for name in world.app.config if name.startswith("LIMIT_")})
    with world.app.app_context():
        for number in range(first, first + many):
            ask(world, f"made-up-{number}@example.com", browser=f"{number:064x}")


@pytest.mark.case("RL-08")
@pytest.mark.both
@pytest.mark.parametrize("many", [40, pytest.param(10_000, marks=pytest.mark.long)])
def test_made_up_addresses_do_not_grow_the_database_for_good(world: World, many: int) -> None:
    world.deliver()
    before = counts(world, *GROWING)
    many = many if world.do(database.dialect) == "sqlite" else min(many, 2000)  # it takes its time
    visit(world, 0, many)
    purge(world)
    assert counts(world, "sign_ins")[0] == many
    world.advance(25 * HOUR)
    purge(world)
    assert all(now <= then for now, then in zip(counts(world, *GROWING[:5]), before, strict=False))
    world.advance(366 * DAY)
    purge(world)
    assert count(world, "events") <= before[5]


@pytest.mark.long
@pytest.mark.case("RL-08")
def test_second_wave_takes_the_room_of_the_first(sqlite_world: World) -> None:
    def pages() -> int:
        return int(sqlite_world.rows("PRAGMA page_count")[0][0])

    sizes = []
    for wave in range(3):
        visit(sqlite_world, wave * 1000, 60)
        purge(sqlite_world)
        sizes.append(pages())
        sqlite_world.advance(366 * DAY)
        purge(sqlite_world)
    assert sizes[2] <= sizes[0] * 1.05
