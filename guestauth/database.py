"""The database: its session, its transactions, its clock, and what SQLite and PostgreSQL need to agree.

What it does: `operation` makes a function one transaction that writes; `query` one that only reads;
`rows`, `row_or_none`, `add`, `changed` and `change` run its statements; `now` tells the time.

The one thing to understand: a refusal is a fact. An operation that raises `Refusal` commits what it has
counted and recorded so far (a wrong code must be counted although it is refused); anything else that it
raises rolls back.

What must stay true: only this module commits and reads the clock; operations never call operations; rows
that leave an operation or a query are detached and keep their values.

Called by every noun. It will not know any table.
"""

import functools
import logging
import os
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar, ParamSpec, TypeVar, cast

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask, current_app
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import JSON, Connection, Executable, Insert, MetaData, Table, Uuid, bindparam, insert, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, MappedAsDataclass
from sqlalchemy.sql.dml import UpdateBase

from guestauth import connections, engines, statements
from guestauth.connections import Line, let_go, line, say, settled, soon
from guestauth.engines import UtcDateTime

log = logging.getLogger(__name__)
P = ParamSpec("P")
R = TypeVar("R")

CLOCK_SLACK = timedelta(seconds=5)  # how far the clocks of two nodes may differ


class Refusal(Exception):  # noqa: N818 -- a refusal is not an error
    """A rule says no. The operation's transaction is committed: what was counted stays counted."""

    def __init__(self, text: str = "", field: str | None = None) -> None:
        """`text`: why, a `languages.Text`, unless a page has words of its own; `field`: what it is about."""
        super().__init__(text)
        self.text, self.field = text, field


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
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: UtcDateTime,
        uuid.UUID: Uuid,
        dict[str, Any]: JSON,
        list[str]: JSON,
    }


db = SQLAlchemy(
    metadata=Model.metadata, session_options={"expire_on_commit": False, "class_": connections.Session}
)


def operation(function: Callable[P, R]) -> Callable[P, R]:
    """Make `function` one writing transaction: commit on return and on `Refusal`, else roll back."""

    @functools.wraps(function)
    def transaction(*args: P.args, **kwargs: P.kwargs) -> R:
        with engines.turn(dialect()):
            try:
                soon(_begin(), engines.BEGIN[dialect()])
                result = function(*args, **kwargs)
            except Refusal:
                _commit()
                raise
            except BaseException:
                let_go()
                raise
            _commit()
            return result

    return transaction


def query(function: Callable[P, R]) -> Callable[P, R]:
    """Make `function` read: as a part of the operation under way, else each statement by itself.

    PostgreSQL's statements see what is committed when they begin, in a transaction or not; so a transaction would
    only cost its beginning and its end. The connection is kept for the next query or operation of the request.
    """

    @functools.wraps(function)
    def reading(*args: P.args, **kwargs: P.kwargs) -> R:
        mine = line()
        if mine.is_busy:
            return function(*args, **kwargs)
        mine.is_busy = True
        try:
            return function(*args, **kwargs)
        except Refusal:
            raise
        except BaseException:
            let_go()
            raise
        finally:
            mine.is_busy = False
            if mine.session:
                mine.session.expunge_all()

    return reading


@contextmanager
def refusing_doubles(refusal: Refusal) -> Iterator[None]:
    """Raise `refusal` if what is added within is there already; what came before stays."""
    try:
        with db.session.begin_nested():
            db.session.connection()  # says what waits, then SAVEPOINT, which else waits for what the ORM says next
            yield
            under_way()
    except IntegrityError as fault:
        raise refusal from fault


def add(row: Model) -> None:
    """Insert a row in the transaction under way, and let go of it: nobody changes it from now on."""
    values = {column.key: getattr(row, column.key) for column in type(row).__table__.columns}
    change(_insert(type(row)), **values)


def inserting(table: type[Model]) -> sqlite.Insert | postgresql.Insert:
    """Return an INSERT that may say ON CONFLICT: each database has the same words, in a class of its own."""
    return sqlite.insert(table) if dialect() == "sqlite" else postgresql.insert(table)


@functools.cache
def _insert(table: type[Model]) -> Insert:
    """Build the statement that adds a row; an id that the database counts up is not in it."""
    counted = cast(Table, table.__table__).autoincrement_column
    columns = [column for column in table.__table__.columns if column is not counted]
    return (
        insert(table).inline().values({column.key: bindparam(column.key, type_=column.type) for column in columns})
    )


def changed(statement: UpdateBase, **values: Any) -> int:
    """Run an UPDATE or DELETE in the transaction under way and return how many rows it changed.

    :param values: of the parameters of a statement that is built once.
    """
    if values:
        return statements.run(_flushed(), statement, values)[1]
    return under_way().execute(statement).rowcount


def change(statement: UpdateBase, **values: Any) -> None:
    """Run a statement that is built once, in the transaction under way, whatever it changes: soon is enough.

    :param values: of its parameters.
    """
    statements.run_soon(_flushed(), statement, values)


def rows(statement: Executable, *tables: type[Model], **values: Any) -> list[Any]:
    """Run a statement that is built once, in the transaction under way, and return its rows.

    :param tables: of which it returns all columns, side by side and before all else: of each comes one object.
    :param values: of its parameters.
    """
    found, _ = statements.run(_flushed(), statement, values)
    return [statements.objects(row, tables) for row in found] if tables else found


def row_or_none(statement: Executable, *tables: type[Model], **values: Any) -> Any:
    """Return the first of such rows; of one that is one thing only, this thing."""
    found = rows(statement, *tables, **values)
    row = found[0] if found else None
    return row[0] if row and len(row) == 1 else row


def under_way() -> Connection:
    """Return the connection of the operation or query under way, which knows all that was added before."""
    return settled(_flushed())


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
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = engines.options(url)
    demo = app.config["GUESTAUTH_DEMO"]
    app.extensions["guestauth_clock"] = Path(app.config["INSTANCE_PATH"]) / "clock" if demo else None
    connections.set_up(app)
    db.init_app(app)
    with app.app_context():
        engines.prepare(db.engine)


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


def _begin() -> Line:
    """Take the line for the operation or query that begins."""
    mine = line()
    if mine.is_busy:  # raised outside of the transaction that is under way
        raise RuntimeError("an operation within a transaction: operations never call operations")
    mine.is_busy = True
    return mine


def _flushed() -> Line:
    """Return the line, with all that the ORM knows said on it."""
    mine = line()
    if mine.session:
        mine.session.flush()
    return mine


def _commit() -> None:
    try:
        say(_flushed(), "COMMIT")
    except BaseException:
        let_go()
        raise
    mine = line()
    mine.is_busy, done, mine.afterwards = False, mine.afterwards, []
    if mine.session:
        mine.session.expunge_all()
    for do in done:
        try:
            do()
        except Exception:
            log.exception("what follows a commit failed; the commit stands")
