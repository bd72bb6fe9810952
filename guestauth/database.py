"""The database: its session, its transactions, its clock, and what SQLite and PostgreSQL need to agree.

What it does: `operation` makes a function one transaction that writes; `query` one that only reads;
`now` tells the time; `UtcDateTime` keeps it; `set_up` prepares the engine.

The one thing to understand: a refusal is a fact. An operation that raises `Refusal` commits what it has
counted and recorded so far (a wrong code must be counted although it is refused); anything else that it
raises rolls back.

What must stay true: only this module commits and reads the clock; operations never call operations; rows
that leave an operation or a query are detached and keep their values.

Called by every noun. It will not know any table.
"""

import functools
import os
import sqlite3
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask, current_app
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import JSON, DateTime, Dialect, MetaData, Uuid, event, text
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import DeclarativeBase, MappedAsDataclass
from sqlalchemy.sql.dml import UpdateBase
from sqlalchemy.types import TypeDecorator

P = ParamSpec("P")
R = TypeVar("R")

BUSY_TIMEOUT = 5.0  # seconds SQLite waits for another writer before it says so
CACHE = 32 * 1024  # kB that SQLite may keep of the file, per connection
CLOCK_SLACK = timedelta(seconds=5)  # how far the clocks of two nodes may differ


class Refusal(Exception):  # noqa: N818 -- a refusal is not an error
    """A rule says no. The operation's transaction is committed: what was counted stays counted."""


class UtcDateTime(TypeDecorator[datetime]):
    """A moment, aware and in UTC, on both databases (SQLite drops time zones, F9)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive times; store UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise TypeError("a time without a zone")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give UTC back."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Model(MappedAsDataclass, DeclarativeBase, kw_only=True):
    """Base of every table (F10: its own metadata, so that typed dataclass rows work)."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: UtcDateTime, uuid.UUID: Uuid, dict[str, Any]: JSON}  # noqa: RUF012


db = SQLAlchemy(metadata=Model.metadata, session_options={"expire_on_commit": False})


def operation(function: Callable[P, R]) -> Callable[P, R]:
    """Make `function` one writing transaction: commit on return and on `Refusal`, else roll back."""

    @functools.wraps(function)
    def transaction(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            _begin(write=True)
            result = function(*args, **kwargs)
        except Refusal:
            _commit()
            raise
        except BaseException:
            db.session.rollback()
            raise
        _commit()
        return result

    transaction.is_operation = True  # type: ignore[attr-defined]
    return transaction


def query(function: Callable[P, R]) -> Callable[P, R]:
    """Make `function` one reading transaction, or a part of the one that is under way."""

    @functools.wraps(function)
    def reading(*args: P.args, **kwargs: P.kwargs) -> R:
        if db.session().in_transaction():
            return function(*args, **kwargs)
        try:
            _begin(write=False)
            result = function(*args, **kwargs)
        except BaseException:
            db.session.rollback()
            raise
        _commit()
        return result

    return reading


@contextmanager
def refusing_doubles(refusal: Refusal) -> Iterator[None]:
    """Raise `refusal` if what is added within is there already; what came before stays."""
    try:
        with db.session.begin_nested():
            yield
            db.session.flush()
    except IntegrityError as fault:
        raise refusal from fault


def changed(statement: UpdateBase) -> int:
    """Run an UPDATE or DELETE in the transaction under way and return how many rows it changed."""
    done = db.session.execute(statement, execution_options={"synchronize_session": False})
    return int(done.rowcount)  # type: ignore[attr-defined]


def now() -> datetime:
    """Return the time, in UTC: the machine's, moved by the demo's or the tests' clock."""
    return datetime.now(UTC) + clock_offset()


def clock_offset() -> timedelta:
    """How far the demo's clock is ahead of the machine's; zero in production."""
    path: Path | None = current_app.extensions["guestauth_clock"]
    if path is None:
        return timedelta()
    try:
        return timedelta(seconds=float(path.read_text() or 0))
    except FileNotFoundError:
        return timedelta()


def move_clock(by: timedelta | None) -> None:
    """Move the demo's clock; every process that shares the instance folder follows at once.

    :param by: how far ahead of where it is now; None: back to real time.
    """
    path: Path = current_app.extensions["guestauth_clock"]
    if by is None:
        path.unlink(missing_ok=True)
        return
    seconds = (clock_offset() + by).total_seconds()
    draft = path.with_name(f"{path.name}.{os.getpid()}.{time.monotonic_ns()}")
    draft.write_text(str(seconds))
    draft.replace(path)


def set_up(app: Flask) -> None:
    """Prepare the engine for the chosen database and tell the app's clock whether it may move."""
    url = make_url(app.config["DATABASE_URL"])
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    if url.get_backend_name() == "sqlite":
        _make_private(Path(url.database or ""))
        app.config["SQLALCHEMY_ENGINE_OPTIONS"] = {
            "hide_parameters": True,
            "connect_args": {"timeout": BUSY_TIMEOUT},
        }
    else:
        app.config["SQLALCHEMY_ENGINE_OPTIONS"] = {
            "hide_parameters": True,
            "pool_pre_ping": True,
            "pool_size": 10,
            "max_overflow": 20,
        }
    demo = app.config["GUESTAUTH_DEMO"]
    app.extensions["guestauth_clock"] = Path(app.config["INSTANCE_PATH"]) / "clock" if demo else None
    db.init_app(app)
    with app.app_context():
        if db.engine.dialect.name == "sqlite":
            event.listen(db.engine, "connect", _set_up_sqlite)
            event.listen(db.engine, "begin", _begin_sqlite)


def is_busy(fault: BaseException) -> bool:
    """Whether a database fault is one that passes: locked, out of reach, restarting."""
    return isinstance(fault, OperationalError | PoolTimeoutError) or getattr(
        fault, "connection_invalidated", False
    )


def reachable() -> bool:
    """Whether the database answers."""
    with suppress(Exception), db.engine.connect() as connection:
        return connection.execute(text("SELECT 1")).scalar() == 1
    return False


def dialect() -> str:
    """Return which database it is: `sqlite` or `postgresql`."""
    return db.engine.dialect.name


def migrated() -> bool:
    """Whether the tables are those of the newest migration."""
    config = current_app.extensions["migrate"].migrate.get_config()
    newest = ScriptDirectory.from_config(config).get_current_head()
    with db.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision() == newest


def _begin(*, write: bool) -> None:
    session = db.session()
    if session.in_transaction():  # raised outside of the transaction that is under way
        raise RuntimeError("an operation within a transaction: operations never call operations")
    session.expunge_all()
    session.connection(execution_options={"guestauth_write": write})


def _commit() -> None:
    try:
        db.session.commit()
    except BaseException:
        db.session.rollback()
        raise


def _make_private(path: Path) -> None:
    """Make the SQLite file with mode 0600 before SQLite makes it with the process's."""
    if path.name and not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))


def _set_up_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # transactions are begun below, not guessed by the driver
    for pragma in ("journal_mode = WAL", "foreign_keys = ON", f"cache_size = -{CACHE}"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    """Take the write lock first: a read that becomes a write fails at once, whatever the timeout (F9)."""
    write = connection.get_execution_options().get("guestauth_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
