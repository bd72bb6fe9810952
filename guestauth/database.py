"""The database: its session, its transactions, its clock, and what SQLite and PostgreSQL need to agree.

What it does: `operation` makes a function one transaction that writes; `query` one that only reads;
`now` tells the time; `UtcDateTime` keeps it.

The one thing to understand: a refusal is a fact. An operation that raises `Refusal` commits what it has
counted and recorded so far (a wrong code must be counted although it is refused); anything else that it
raises rolls back.

What must stay true: only this module commits and reads the clock; operations never call operations; rows
that leave an operation or a query are detached and keep their values.

Called by every noun. It will not know any table.
"""

import functools
import os
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar, ParamSpec, TypeVar

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask, current_app
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import JSON, DateTime, Dialect, Insert, MetaData, Uuid, insert, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, MappedAsDataclass
from sqlalchemy.sql.dml import UpdateBase
from sqlalchemy.types import TypeDecorator

from guestauth import engines

P = ParamSpec("P")
R = TypeVar("R")

UNDER_WAY = "guestauth_under_way"  # an operation, or a query that is not a part of one
CLOCK_SLACK = timedelta(seconds=5)  # how far the clocks of two nodes may differ


class Refusal(Exception):  # noqa: N818 -- a refusal is not an error
    """A rule says no. The operation's transaction is committed: what was counted stays counted."""

    def __init__(self, text: str = "", field: str | None = None) -> None:
        """`text`: why, a `languages.Text`, unless a page has words of its own; `field`: what it is about."""
        super().__init__(text)
        self.text, self.field = text, field


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
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: UtcDateTime,
        uuid.UUID: Uuid,
        dict[str, Any]: JSON,
        list[str]: JSON,
    }


db = SQLAlchemy(metadata=Model.metadata, session_options={"expire_on_commit": False})


def operation(function: Callable[P, R]) -> Callable[P, R]:
    """Make `function` one writing transaction: commit on return and on `Refusal`, else roll back."""

    @functools.wraps(function)
    def transaction(*args: P.args, **kwargs: P.kwargs) -> R:
        with engines.turn(dialect()):
            try:
                _begin("write")
                result = function(*args, **kwargs)
            except Refusal:
                _commit()
                raise
            except BaseException:
                _roll_back()
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
        session = db.session()
        if session.info.get(UNDER_WAY):
            return function(*args, **kwargs)
        try:
            _begin("read")
            return function(*args, **kwargs)
        except Refusal:
            raise
        except BaseException:
            _roll_back()
            raise
        finally:
            session.info[UNDER_WAY] = False
            session.expunge_all()

    return reading


def let_go() -> None:
    """Give the connection back before waiting for somebody else: a mail server, a name server."""
    db.session.rollback()


@contextmanager
def refusing_doubles(refusal: Refusal) -> Iterator[None]:
    """Raise `refusal` if what is added within is there already; what came before stays."""
    try:
        with db.session.begin_nested():
            yield
            db.session.flush()
    except IntegrityError as fault:
        raise refusal from fault


def add(row: Model) -> None:
    """Insert a row in the transaction under way, at once, and let go of it: later changes of it are not kept."""
    table = type(row)
    values = {column.key: getattr(row, column.key) for column in table.__table__.columns}
    if values.get("id", ...) is None:  # counted up by the database
        del values["id"]
    db.session.connection().execute(_insert(table), values)


def inserting(table: type[Model]) -> sqlite.Insert | postgresql.Insert:
    """Return an INSERT that may say ON CONFLICT: each database has the same words, in a class of its own."""
    return sqlite.insert(table) if dialect() == "sqlite" else postgresql.insert(table)


@functools.cache
def _insert(table: type[Model]) -> Insert:
    return insert(table).inline()


def changed(statement: UpdateBase, **values: Any) -> int:
    """Run an UPDATE or DELETE in the transaction under way and return how many rows it changed.

    :param values: of the parameters of a statement that is built once.
    """
    db.session.flush()
    return db.session.connection().execute(statement, values).rowcount


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


def _begin(purpose: str) -> None:
    session = db.session()
    if session.info.get(UNDER_WAY):  # raised outside of the transaction that is under way
        raise RuntimeError("an operation within a transaction: operations never call operations")
    if session.in_transaction() and purpose == "write":
        session.rollback()  # gives the connection of the queries before back
    if not session.in_transaction():
        session.expunge_all()
        session.connection(execution_options=engines.BEGINNING[purpose][dialect()])
    session.info[UNDER_WAY] = True


def _commit() -> None:
    try:
        db.session.commit()
    except BaseException:
        db.session.rollback()
        raise
    finally:
        db.session().info[UNDER_WAY] = False


def _roll_back() -> None:
    db.session.rollback()
    db.session().info[UNDER_WAY] = False
