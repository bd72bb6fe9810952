"""Copying: the whole database, to a file or into another database.

What it does: `back_up` writes a SQLite database to a file, also while it is written to; `copy` brings every row of
one database into another, empty one: that is how an installation moves from SQLite to PostgreSQL.

The one thing to understand: a copy is one transaction, in which both sides are compared, table by table, by the
number of rows and a checksum of their values; so it is whole, or nothing of it is there.

What must stay true: nothing is copied into tables that have rows, nor between tables of different migrations; ids
and times stay as they are; what counts rows goes on after the highest.

Called by `flask database`. It knows no table by name, so none can be forgotten.
"""

import hashlib
import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, Table, create_engine, func, insert, inspect, select
from sqlalchemy.engine import Engine, make_url
from sqlalchemy.exc import SQLAlchemyError

from guestauth import checkup, engines
from guestauth.database import Model, Refusal, db, dialect, migrated

BATCH = 200  # rows; a file's row is up to 20 MB, and theirs come one by one
TABLES = Model.metadata.sorted_tables  # each after those it names


class CopyRefused(Refusal):
    """It cannot be done as asked for; the text says why, and nothing has changed."""


def back_up(file: Path) -> int:
    """Write the SQLite database to a new file, mode 0600, as it is at one moment; return its bytes.

    :raises CopyRefused: if the file is there already or the database is not SQLite.
    """
    if dialect() != "sqlite":
        raise CopyRefused("PostgreSQL is backed up by pg_dump; see docs/running.md")
    draft = file.with_name(f"{file.name}.part")
    try:
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        os.close(os.open(draft, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600))
    except OSError as fault:
        raise CopyRefused(f"{fault.strerror}: {fault.filename}") from fault
    try:
        _copy_file(checkup.database_file(), draft)
    except BaseException:
        draft.unlink()
        file.unlink()
        raise
    draft.replace(file)
    return file.stat().st_size


def copy(source_url: str) -> Mapping[str, int]:
    """Copy all of another database into the configured one, migrated and empty; say how many rows of what.

    :param source_url: as in `DATABASE_URL`; nobody writes to it meanwhile: who tries waits.
    :raises CopyRefused: if one is not as it must be, or the two differ in the end; then nothing is copied.
    """
    if not migrated():
        raise CopyRefused("The tables here are to be made first: run flask db upgrade")
    with _reading(source_url) as source, db.engine.begin() as target:
        engines.begin(target)
        _check(source, target)
        return {table.name: _copy_table(table, source, target) for table in TABLES}


def _copy_file(source: Path, draft: Path) -> None:
    with closing(sqlite3.connect(source)) as here, closing(sqlite3.connect(draft)) as there:
        here.backup(there)  # in one step: a reader, whom nobody waits for
        there.execute("PRAGMA journal_mode = DELETE")  # one file, without companions
        found = there.execute("PRAGMA integrity_check").fetchone()[0]
    if found != "ok":
        raise CopyRefused(f"The copy is not sound: {found}")


@contextmanager
def _reading(url: str) -> Iterator[Connection]:
    """Open the other database as it is at one moment, and keep others from writing to it."""
    engine = _engine(url)
    try:
        with engine.connect() as connection:
            if engine.dialect.name == "sqlite":
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            else:
                connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE READ ONLY")
            yield connection
    except SQLAlchemyError as fault:
        raise CopyRefused(f"The copy was given up, nothing is there: {type(fault).__name__}") from fault
    finally:
        engine.dispose()


def _engine(url: str) -> Engine:
    parts = make_url(url)
    if parts.get_backend_name() != "sqlite":
        return create_engine(url, hide_parameters=True)
    if not Path(parts.database or "").is_file():
        raise CopyRefused(f"There is no database {parts.database}")
    return create_engine(url, hide_parameters=True, connect_args={"isolation_level": None, "timeout": 5})


def _check(source: Connection, target: Connection) -> None:
    """Refuse unless both have our tables, of the same migration, and the target has no row."""
    versions = [MigrationContext.configure(each).get_current_revision() for each in (source, target)]
    if versions[0] != versions[1]:
        raise CopyRefused(
            f"The other database is at migration {versions[0] or 'none'}, this one at {versions[1]}: "
            "run flask db upgrade on it first, with this release"
        )
    unknown = set(inspect(source).get_table_names()) - {"alembic_version", *(table.name for table in TABLES)}
    if unknown:
        raise CopyRefused(f"The other database has tables that are not ours: {', '.join(sorted(unknown))}")
    full = [table.name for table in TABLES if target.execute(select(table).limit(1)).first()]
    if full:
        raise CopyRefused(f"The database here is not empty: {', '.join(full)} have rows")


def _copy_table(table: Table, source: Connection, target: Connection) -> int:
    for batch in _batches(table, source):
        target.execute(insert(table), batch)
    _count_on(table, target)
    counted, there = _sum(table, source), _sum(table, target)
    if counted != there:
        raise CopyRefused(f"{table.name} is not the same on both sides; nothing was copied")
    return counted[0]


def _batches(table: Table, connection: Connection) -> Iterator[list[dict[str, Any]]]:
    size = 1 if table.name == "resource_files" else BATCH
    found = connection.execute(select(table), execution_options={"yield_per": size})
    for rows in found.mappings().partitions():
        yield [dict(row) for row in rows]


def _count_on(table: Table, target: Connection) -> None:
    """Let PostgreSQL give the next row the number after the highest; SQLite does so by itself."""
    column = table.autoincrement_column
    if target.dialect.name == "postgresql" and column is not None and column.default is None:
        sequence = func.pg_get_serial_sequence(table.name, column.name)
        highest = select(func.max(column)).scalar_subquery()
        target.execute(select(func.setval(sequence, func.coalesce(highest, 1), highest.is_not(None))))


def _sum(table: Table, connection: Connection) -> tuple[int, int]:
    """Count the rows, and add up a checksum of each: in which order they come does not matter."""
    number = total = 0
    for batch in _batches(table, connection):
        for row in batch:
            number += 1
            total = (total + _checksum(row.values())) % 2**256
    return number, total


def _checksum(values: Iterable[Any]) -> int:
    text = json.dumps([_as_text(value) for value in values], sort_keys=True)
    return int.from_bytes(hashlib.sha256(text.encode()).digest())


def _as_text(value: Any) -> Any:
    if isinstance(value, bytes | memoryview):
        return hashlib.sha256(value).hexdigest()
    if isinstance(value, datetime):
        return value.isoformat()
    return value if isinstance(value, dict | list | bool | int | None) else str(value)
