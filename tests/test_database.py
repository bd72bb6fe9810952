"""Transactions, the clock, moments and what two databases need to agree (F1, F9, F-06, F-08, F-12, K-08)."""

import sqlite3
import threading
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import bindparam, select, text, update
from sqlalchemy.exc import IntegrityError, OperationalError, ProgrammingError, StatementError

from guestauth import create_app, database, engines
from guestauth.connections import afterwards, line
from guestauth.database import (
    Model,
    Refusal,
    add,
    change,
    changed,
    db,
    now,
    operation,
    query,
    refusing_doubles,
    rows,
)
from guestauth.models import Domain, MailHealth, Tenant
from tests import servers
from tests.steps import another
from tests.world import FABRIKAM, World, environment

SECRET = "6f1d2c3b4a5968778695a4b3c2d1e0ffa1b2c3d4e5f60718293a4b5c6d7e8f90"

pytestmark = pytest.mark.both


class Taken(Refusal):
    """A refusal of these tests."""


@operation
def rename(name: str, ending: BaseException | None = None) -> Tenant:
    tenant = db.session.get_one(Tenant, FABRIKAM)
    tenant.name = name
    if ending:
        db.session.flush()
        raise ending
    return tenant


@query
def tenant() -> Tenant:
    return db.session.get_one(Tenant, FABRIKAM)


def name(world: World) -> str:
    return str(world.rows("SELECT name FROM tenants WHERE domain = 'fabrikam.example'")[0][0])


# Operations.


def test_operation_commits_when_it_returns(world: World) -> None:
    world.do(rename, "New")
    assert name(world) == "New"


def test_refusal_commits_what_was_done_before_it(world: World) -> None:
    with pytest.raises(Taken):
        world.do(rename, "New", Taken())
    assert name(world) == "New"


@pytest.mark.parametrize("ending", [ValueError(), KeyboardInterrupt(), SystemExit(), LookupError()], ids=repr)
def test_anything_else_rolls_back(world: World, ending: BaseException) -> None:
    with pytest.raises(type(ending)):
        world.do(rename, "New", ending)
    assert name(world) == "Fabrikam"


def test_commit_that_fails_rolls_back_and_the_next_operation_works(world: World) -> None:
    double = operation(lambda: db.session.add(Domain(tenant_id=uuid.uuid4(), name="x.example")))
    with world.app.app_context():
        with pytest.raises(IntegrityError):
            double()
        rename("New")
    assert name(world) == "New"


@pytest.mark.parametrize("ending", [ValueError(), KeyboardInterrupt()], ids=repr)
def test_operation_that_fails_leaves_the_session_usable(world: World, ending: BaseException) -> None:
    with world.app.app_context():
        with pytest.raises(type(ending)):
            rename("New", ending)
        assert tenant().name == "Fabrikam"


def test_what_follows_a_commit_can_fail_and_the_commit_stands(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    said: list[str] = []

    def both() -> None:
        db.session.get_one(Tenant, FABRIKAM).name = "New"
        afterwards(lambda: said.append(str(1 / 0)))
        afterwards(lambda: said.append("second"))

    world.do(operation(both))
    assert (name(world), said) == ("New", ["second"])
    assert "what follows a commit failed" in caplog.text


def test_what_follows_a_commit_is_not_done_without_it(world: World) -> None:
    said: list[str] = []

    def broken() -> None:
        afterwards(lambda: said.append("done"))
        raise LookupError

    with world.app.app_context():
        with pytest.raises(LookupError):
            operation(broken)()
        rename("New")
    assert said == []


def test_connection_that_dies_amid_an_operation_spoils_nothing_that_comes_after(postgresql_world: World) -> None:
    def dying() -> None:
        db.session.get_one(Tenant, FABRIKAM).name = "Half"
        db.session.flush()
        (backend,) = db.session.execute(text("SELECT pg_backend_pid()")).one()
        with db.engine.connect() as other:
            other.execute(text("SELECT pg_terminate_backend(:backend, 5000)"), {"backend": backend})
        raise ZeroDivisionError

    with postgresql_world.app.app_context():
        with pytest.raises((ZeroDivisionError, OperationalError)):
            operation(dying)()
        rename("New")
    assert name(postgresql_world) == "New"


def test_what_needs_no_answer_is_said_in_its_order(world: World) -> None:
    def both() -> list[str]:
        add(MailHealth(id=1, checked_at=now()))
        change(update(MailHealth).where(MailHealth.id == bindparam("b_id")).values(reason="slow"), b_id=1)
        return [row[0] for row in rows(select(MailHealth.reason))]

    assert world.do(operation(both)) == ["slow"]


def test_orm_sees_what_was_added_before(world: World) -> None:
    def both() -> MailHealth | None:
        add(MailHealth(id=1, checked_at=now()))
        return db.session.get(MailHealth, 1)

    assert world.do(operation(both)) is not None


def test_fault_of_what_needs_no_answer_undoes_the_whole_operation(world: World) -> None:
    def twice() -> None:
        db.session.get_one(Tenant, FABRIKAM).name = "New"
        add(MailHealth(id=1, checked_at=now()))
        add(MailHealth(id=1, checked_at=now()))

    with world.app.app_context():
        with pytest.raises(IntegrityError):
            operation(twice)()
        rename("Later")
    assert name(world) == "Later" and world.do(query(lambda: db.session.get(MailHealth, 1))) is None


@pytest.mark.parametrize("adding", [add, db.session.add])
def test_doubles_are_refused_however_late_they_are_said(world: World, adding: Callable[[Model], None]) -> None:
    def again() -> None:
        db.session.get_one(Tenant, FABRIKAM)  # the ORM has a transaction of its own by now
        add(MailHealth(id=1, checked_at=now()))
        with refusing_doubles(Taken("there already")):
            adding(MailHealth(id=1, checked_at=now()))

    with pytest.raises(Taken):
        world.do(operation(again))
    assert world.do(query(lambda: db.session.get(MailHealth, 1))) is not None


def test_what_is_refused_as_a_double_leaves_what_was_added_with_it_undone(world: World) -> None:
    def again() -> None:
        db.session.get_one(Tenant, FABRIKAM).name = "New"
        with refusing_doubles(Taken("there already")):
            add(MailHealth(id=1, checked_at=now()))
            add(MailHealth(id=1, checked_at=now()))

    with pytest.raises(Taken):
        world.do(operation(again))
    assert name(world) == "New" and world.do(query(lambda: db.session.get(MailHealth, 1))) is None


def test_what_needs_no_answer_goes_with_the_next_on_postgresql(postgresql_world: World) -> None:
    with postgresql_world.app.app_context():
        mine = line()
        before = list(mine.waiting)
        operation(lambda: (add(MailHealth(id=1, checked_at=now())), before.extend(mine.waiting)))()
        assert [words.partition(" ")[0] for words, _ in before] == ["BEGIN", "INSERT"] and not mine.waiting


def test_operations_never_call_operations(world: World) -> None:
    with pytest.raises(RuntimeError, match="operations never call operations"):
        world.do(operation(lambda: rename("New")))
    assert name(world) == "Fabrikam"


def test_query_is_no_place_for_an_operation_either(world: World) -> None:
    with pytest.raises(RuntimeError, match="operations never call operations"):
        world.do(query(lambda: rename("New")))
    assert name(world) == "Fabrikam"


def test_query_within_an_operation_is_part_of_it(world: World) -> None:
    def both() -> str:
        db.session.get_one(Tenant, FABRIKAM).name = "New"
        found = tenant().name
        raise Taken(found)

    with pytest.raises(Taken, match="New"):
        world.do(operation(both))
    assert name(world) == "New"


def test_query_that_fails_leaves_the_session_usable(world: World) -> None:
    with world.app.app_context():
        with pytest.raises(ProgrammingError if "postgresql" in str(db.engine.url) else OperationalError):
            query(lambda: db.session.execute(text("SELECT * FROM nothing")))()
        assert tenant().name == "Fabrikam"


def test_rows_keep_their_values_after_the_transaction(world: World) -> None:
    with world.app.app_context():
        found = tenant()
        rename("New")
    assert (found.name, found.id, found.disabled_at) == ("Fabrikam", FABRIKAM, None)
    assert found.created_at.tzinfo is UTC


def test_changed_row_has_its_new_value(world: World) -> None:
    assert world.do(rename, "New").name == "New"


def test_next_transaction_sees_what_others_have_committed(world: World) -> None:
    other = another(world)
    with world.app.app_context():
        assert tenant().name == "Fabrikam"
        other.do(rename, "New")
        assert tenant().name == "New"


def test_operation_says_that_it_is_one() -> None:
    assert rename.__name__ == "rename"


def test_change_says_how_many_rows_it_changed(world: World) -> None:
    renaming = update(Tenant).where(Tenant.name != "Fabrikam").values(name="x")
    assert world.do(operation(lambda: changed(renaming))) == 2


# Doubles.


@operation
def claim(domain: str) -> None:
    db.session.get_one(Tenant, FABRIKAM).name = "Before"
    with refusing_doubles(Taken(domain)):
        db.session.add(Domain(tenant_id=FABRIKAM, name="first.example", verified_at=now()))
        db.session.add(Domain(tenant_id=FABRIKAM, name=domain, verified_at=now()))


def domains(world: World) -> set[str]:
    return {row[0] for row in world.rows("SELECT name FROM domains")}


def test_double_is_refused_and_only_what_came_before_stays(world: World) -> None:
    with pytest.raises(Taken, match=r"contoso\.example"):
        world.do(claim, "contoso.example")
    assert (name(world), "first.example" in domains(world)) == ("Before", False)


def test_what_is_no_double_is_added(world: World) -> None:
    world.do(claim, "new.example")
    assert {"first.example", "new.example"} <= domains(world)


# Moments.


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2026, 11, 20, 12, 30, 15, 123456, tzinfo=UTC),
        datetime(2026, 11, 20, 12, 30, 15, 123456, tzinfo=timezone(timedelta(hours=8))),
        datetime(2026, 3, 29, 2, 30, tzinfo=timezone(timedelta(hours=-9, minutes=-30))),
        datetime(1970, 1, 1, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC),
    ],
)
def test_moment_comes_back_as_it_was_in_utc(world: World, moment: datetime) -> None:
    world.do(operation(lambda: changed(update(Tenant).values(disabled_at=moment))))
    found = world.do(tenant).disabled_at
    assert found == moment and found.tzinfo is UTC


def test_moment_without_a_zone_is_refused(world: World) -> None:
    naive = datetime(2026, 11, 20, 12, 30)  # noqa: DTZ001 -- on purpose
    with pytest.raises(StatementError, match="a time without a zone"):
        world.do(operation(lambda: changed(update(Tenant).values(disabled_at=naive))))
    with pytest.raises(StatementError, match="a time without a zone"):
        world.do(query(lambda: db.session.scalars(select(Tenant).where(Tenant.created_at > naive)).all()))


def test_no_moment_is_none(world: World) -> None:
    assert world.do(tenant).disabled_at is None


# The clock.


def test_clock_is_the_machines_until_it_is_moved(sqlite_world: World) -> None:
    before, found, after = datetime.now(UTC), sqlite_world.do(now), datetime.now(UTC)
    assert before <= found <= after
    assert sqlite_world.do(database.clock_offset) == timedelta()


def test_clock_moves_from_where_it_is_and_back(sqlite_world: World) -> None:
    for seconds in (3600, 0.5, -7200):
        sqlite_world.advance(seconds)
    assert sqlite_world.do(database.clock_offset) == timedelta(seconds=-3599.5)
    for _ in range(2):
        sqlite_world.do(database.move_clock, None)
        assert sqlite_world.do(database.clock_offset) == timedelta()


def test_every_process_of_the_demo_follows_the_clock(sqlite_world: World) -> None:
    other = another(sqlite_world)
    sqlite_world.advance(86400)
    assert other.do(database.clock_offset) == timedelta(days=1)
    assert sorted(path.name for path in sqlite_world.instance.glob("clock*")) == ["clock"]


def test_empty_clock_is_the_machines(sqlite_world: World) -> None:
    (sqlite_world.instance / "clock").write_text("")
    assert sqlite_world.do(database.clock_offset) == timedelta()


def test_production_has_no_clock_to_move(sqlite_world: World) -> None:
    sqlite_world.advance(86400)
    settings = {"SECRET_KEY": SECRET, "PUBLIC_URL": "https://guests.example.org", "MAIL_SERVER": "localhost"}
    app = create_app({**settings, "INSTANCE_PATH": str(sqlite_world.instance)})
    with app.app_context():
        assert database.clock_offset() == timedelta()
        assert abs(now() - datetime.now(UTC)) < timedelta(minutes=1)


# SQLite.


def pragma(world: World, name: str) -> Any:
    return world.rows(f"PRAGMA {name}")[0][0]


def test_sqlite_keeps_foreign_keys_and_a_log_that_readers_do_not_wait_for(sqlite_world: World) -> None:
    assert (pragma(sqlite_world, "foreign_keys"), pragma(sqlite_world, "journal_mode")) == (1, "wal")
    assert pragma(sqlite_world, "busy_timeout") == 5000


@pytest.mark.case("K-08")
def test_new_sqlite_file_can_be_read_by_its_owner_only(tmp_path: Path) -> None:
    create_app(environment(tmp_path / "deep" / "instance", DATABASE_URL="sqlite:///other.db"))
    file = tmp_path / "deep" / "instance" / "other.db"
    assert file.stat().st_mode & 0o777 == 0o600


def test_sqlite_file_that_is_there_is_left_as_it_is(sqlite_world: World) -> None:
    another(sqlite_world)
    assert name(sqlite_world) == "Fabrikam"


@pytest.fixture
def locked(sqlite_world: World, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A world whose database another process is writing to, and which does not wait long."""
    monkeypatch.setattr(engines, "BUSY_TIMEOUT", 0.05)
    writer = sqlite3.connect(sqlite_world.instance / "guestauth.db", isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    yield another(sqlite_world)
    writer.close()


def test_reading_goes_on_while_another_process_writes(locked: World) -> None:
    assert locked.do(tenant).name == "Fabrikam"


def test_writing_fails_busy_before_it_has_begun(locked: World) -> None:
    begun: list[int] = []
    with pytest.raises(OperationalError) as fault:
        locked.do(operation(lambda: begun.append(1)))
    assert (engines.is_busy(fault.value), begun) == (True, [])


def test_session_works_again_after_the_database_was_busy(locked: World) -> None:
    with locked.app.app_context():
        with pytest.raises(OperationalError):
            rename("New")
        assert tenant().name == "Fabrikam"


@operation
def count_up() -> None:
    found = db.session.get_one(Tenant, FABRIKAM)
    found.help_contact = str(int(found.help_contact or 0) + 1)


def test_operations_that_read_and_then_write_wait_for_each_other(sqlite_world: World) -> None:
    def often() -> None:
        for _ in range(10):
            sqlite_world.do(count_up)

    sqlite_world.do(operation(lambda: changed(update(Tenant).values(help_contact="0"))))
    threads = [threading.Thread(target=often) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sqlite_world.do(tenant).help_contact == "40"


# Faults.


def fault(world: World, statement: str) -> Exception:
    with pytest.raises(Exception) as raised:
        world.do(operation(lambda: db.session.execute(text(statement))))
    return raised.value


def test_rule_of_a_table_that_is_broken_is_not_taken_for_a_busy_database(world: World) -> None:
    broken = "UPDATE users SET mail_key = 'locked connect', blocked_at = NULL, mail = NULL"
    assert not engines.is_busy(fault(world, broken))


def test_database_that_is_not_there_is_unreachable_and_busy(sqlite_world: World) -> None:
    with servers.closed_port() as port:
        away = another(sqlite_world, DATABASE_URL=f"postgresql://nobody@127.0.0.1:{port}/none")
        assert not away.do(database.reachable)
        assert engines.is_busy(fault(away, "SELECT 1"))


def test_parameters_of_a_statement_that_fails_are_not_shown(sqlite_world: World) -> None:
    with pytest.raises(IntegrityError) as raised:
        sqlite_world.do(operation(lambda: changed(update(Tenant).values(name=None, help_contact="a secret"))))
    assert "a secret" not in str(raised.value)


# What doctor and health checks ask.


def test_database_of_the_newest_migration_is_reachable_and_migrated(world: World) -> None:
    assert world.do(database.reachable) and world.do(database.migrated)
    assert world.do(database.dialect) in world.app.config["DATABASE_URL"]


@pytest.mark.parametrize(
    "left_by", ["DELETE FROM alembic_version", "UPDATE alembic_version SET version_num = 'old'"]
)
def test_database_of_another_migration_is_not_migrated(world: World, left_by: str) -> None:
    world.do(operation(lambda: db.session.execute(text(left_by))))
    assert not world.do(database.migrated)


def test_empty_database_is_reachable_but_not_migrated(tmp_path: Path) -> None:
    empty = World(create_app(environment(tmp_path)), tmp_path)
    assert empty.do(database.reachable) and not empty.do(database.migrated)


CALLS: list[Callable[..., Any]] = [rename, tenant]


@pytest.mark.parametrize("call", CALLS)
def test_documentation_and_name_survive_the_decorator(call: Callable[..., Any]) -> None:
    assert call.__name__ in ("rename", "tenant") and call.__wrapped__
