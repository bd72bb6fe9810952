"""The engines: what SQLite and PostgreSQL need to do the same.

What it does: `options` says how the chosen one is opened; `prepare` sets it up; `turn` lets one thread write at a
time; `is_busy` tells a fault that passes from others.

The one thing to understand: SQLite has one writer at a time and takes its lock when a transaction begins (F9);
PostgreSQL has many, each waiting for rows. Either waits a few seconds at the most, then says that it is busy.

Called by database. It knows no table and no session.
"""

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import URL, Connection, Engine
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

BUSY_TIMEOUT = 5.0  # seconds to wait for another writer, and for a connection
READ_ONLY = "25006"  # PostgreSQL's word for a database that takes no changes, as after a fail-over
CACHE = 32 * 1024  # kB that SQLite may keep of the file, per connection
WRITE = {"guestauth_write": True}
BEGINNING: dict[str, dict[str, dict[str, Any]]] = {  # options of a connection, by what its transaction is for
    "write": {"sqlite": {**WRITE, "guestauth_begin": "BEGIN IMMEDIATE"}, "postgresql": WRITE},
    "read": {"sqlite": {"guestauth_begin": None}, "postgresql": {"isolation_level": "AUTOCOMMIT"}},
}
_writing = threading.RLock()


def options(url: URL) -> dict[str, Any]:
    """Return how the database is opened; SQLite's file is made with a mode of its own if it is not there."""
    if url.get_backend_name() == "sqlite":
        _make_private(Path(url.database or ""))
        return {"hide_parameters": True, "connect_args": {"timeout": BUSY_TIMEOUT}}
    waiting = f"-c lock_timeout={BUSY_TIMEOUT * 1000:.0f}"
    return {
        "hide_parameters": True,
        "pool_pre_ping": True,
        "pool_size": 10,
        "max_overflow": 20,
        "connect_args": {"connect_timeout": round(BUSY_TIMEOUT), "options": waiting},
    }


def prepare(engine: Engine) -> None:
    """Set up each connection as it is made, and each transaction as it begins."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)


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
    connection.isolation_level = None  # transactions are begun below, not guessed by the driver
    for pragma in ("journal_mode = WAL", "foreign_keys = ON", f"cache_size = -{CACHE}"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    """Take the write lock first: a read that becomes a write fails at once, whatever the timeout (F9)."""
    if begin := connection.get_execution_options().get("guestauth_begin", "BEGIN"):
        connection.exec_driver_sql(begin)
