"""The engines: what SQLite and PostgreSQL need to do the same.

What it does: `options` says how the chosen one is opened; `prepare` sets it up; `turn` lets one thread write at a
time; `is_busy` tells a fault that passes from others; `UtcDateTime` keeps a moment.

The one thing to understand: SQLite has one writer at a time and takes its lock when a transaction begins (F9);
PostgreSQL has many, each waiting for rows. Either waits a few seconds at the most, then says that it is busy.

Called by database. It knows no table and no session.
"""

import math
import os
import select
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import DateTime, Dialect, event
from sqlalchemy.engine import URL, Connection, Engine
from sqlalchemy.exc import InvalidatePoolError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.types import TypeDecorator

BUSY_TIMEOUT = 5.0  # seconds to wait for another writer, and for a connection
READ_ONLY = "25006"  # PostgreSQL's word for a database that takes no changes, as after a fail-over
CACHE = 32 * 1024  # kB that SQLite may keep of the file, per connection
BEGIN = {"sqlite": "BEGIN IMMEDIATE", "postgresql": "BEGIN"}
IDLE = 10.0  # seconds after which a kept connection is asked whether it still stands
_writing = threading.RLock()


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


def options(url: URL) -> dict[str, Any]:
    """Return how the database is opened; SQLite's file is made with a mode of its own if it is not there."""
    if url.get_backend_name() == "sqlite":
        _make_private(Path(url.database or ""))
        return {"hide_parameters": True, "connect_args": {"timeout": BUSY_TIMEOUT}}
    waiting = f"-c lock_timeout={BUSY_TIMEOUT * 1000:.0f}"
    return {
        "hide_parameters": True,
        "isolation_level": "AUTOCOMMIT",  # who writes says BEGIN, as on SQLite
        "pool_size": 10,
        "max_overflow": 20,
        "connect_args": {"connect_timeout": round(BUSY_TIMEOUT), "options": waiting},
    }


def prepare(engine: Engine) -> None:
    """Set up each connection as it is made."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _set_up_sqlite)
    else:
        _check_kept(engine)


@contextmanager
def turn(dialect: str) -> Iterator[None]:
    """Let one thread of this process write to SQLite at a time: its own waiting is not fair, and starves some."""
    if dialect != "sqlite":
        yield
    elif _writing.acquire(timeout=BUSY_TIMEOUT):
        try:
            yield
        finally:
            _writing.release()
    else:
        raise PoolTimeoutError("other threads write to the database all the time")


def begin(connection: Connection) -> None:
    """Begin a transaction that writes, past operations: no connection begins one by itself."""
    connection.exec_driver_sql(BEGIN[connection.dialect.name])


def is_busy(fault: BaseException) -> bool:
    """Whether a database fault is one that passes: locked, out of reach, restarting, full, read-only."""
    state = getattr(getattr(fault, "orig", None), "sqlstate", None)
    passing = isinstance(fault, OperationalError | PoolTimeoutError) or state == READ_ONLY
    return passing or getattr(fault, "connection_invalidated", False)


def _make_private(path: Path) -> None:
    """Make the SQLite file with mode 0600 before SQLite makes it with the process's."""
    if path.name and not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))


def _set_up_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # a transaction is begun by who writes, not guessed by the driver
    for pragma in ("journal_mode = WAL", "foreign_keys = ON", f"cache_size = -{CACHE}"):
        connection.execute(f"PRAGMA {pragma}")


def _check_kept(engine: Engine) -> None:
    """Let no kept connection be handed out that no longer stands.

    What went away has closed it, and that can be seen from here; only one that was idle for long is asked.
    """

    def back(_connection: object, record: ConnectionPoolEntry) -> None:
        record.info["back"] = time.monotonic()

    def out(connection: Any, record: ConnectionPoolEntry, _proxy: object) -> None:
        if time.monotonic() - record.info.get("back", math.inf) > IDLE or _has_news(connection.fileno()):
            try:
                engine.dialect.do_ping(connection)
            except engine.dialect.loaded_dbapi.Error as fault:
                raise InvalidatePoolError from fault

    event.listen(engine, "checkin", back)
    event.listen(engine, "checkout", out)


def _has_news(socket: int) -> bool:
    """Whether a server has said something that nobody asked for: most often good-bye."""
    poll = select.poll()
    poll.register(socket, select.POLLIN)
    return bool(poll.poll(0))
