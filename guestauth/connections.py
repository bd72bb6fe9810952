"""The connections: one for each request, command or round of delivery, kept until its end.

What it does: `line` gives the connection, taking one if there is none; `let_go` gives it back; `say` and `soon`
say words on it, `Session` what the ORM says; `afterwards` does something once what is under way is committed.

The one thing to understand: an application context has one line to the database, for statements said to the driver
and for the ORM's. A session is made only where the ORM is used, and costs nothing elsewhere. On PostgreSQL each
answer is awaited over the network, so what nobody needs an answer to waits, and goes with the next statement.

What must stay true: statements are said in their order, and all of them before a commit; at the end of the context
the connection is back in the pool, and nothing is under way on it; a fault of the driver's is raised as one of
SQLAlchemy's; who listens to statements hears these too.

Called by statements and database, and `let_go` by who is about to wait. It writes no statement.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from flask import Flask, current_app
from flask.globals import app_ctx
from flask_sqlalchemy.session import Session as DatabaseSession
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError


@dataclass
class Line:
    """The connection of an application context."""

    connection: Connection
    session: "Session | None" = None
    is_busy: bool = False  # with an operation, or with a query that is not a part of one
    afterwards: list[Callable[[], None]] = field(default_factory=list)
    waiting: list[tuple[str, Any]] = field(default_factory=list)  # words and values that go with the next


class Session(DatabaseSession):
    """The session of those statements that the ORM makes."""

    def __init__(self, *options: Any, **more: Any) -> None:
        super().__init__(*options, **more)
        line().session = self

    def get_bind(self, *_: Any, **__: Any) -> Connection:
        """Return the connection of all others."""
        return settled(line())


def line() -> Line:
    """Return the line that the application context keeps, taking one if it has none."""
    here = app_ctx.g
    mine: Line | None = here.get("line")
    if mine is None or mine.connection.closed:
        let_go()
        mine = here.line = Line(current_app.extensions["sqlalchemy"].engine.connect())
    return mine


def let_go() -> None:
    """Give the connection back, as before waiting for somebody else: a mail server, a name server.

    What was not committed is undone.
    """
    mine: Line | None = app_ctx.g.pop("line", None)
    if mine is None:
        return
    try:
        mine.connection.close()
    finally:  # a session that stayed would be nobody's, and what is added to it never said
        if mine.session:
            current_app.extensions["sqlalchemy"].session.remove()


def say(mine: Line, words: str, values: Any = (), *, rows: bool = False) -> tuple[list[Any], int]:
    """Say words to the driver, after what waits; return the rows if there are any, and how many it changed."""
    _hear(mine, words, values)
    return _said(mine, words, values, rows=rows)


def soon(mine: Line, words: str, values: Any = ()) -> None:
    """Say words whose answer nobody needs: at once on SQLite, on PostgreSQL with the next."""
    _hear(mine, words, values)
    if mine.connection.dialect.name == "postgresql":
        mine.waiting.append((words, values))
    else:
        _said(mine, words, values)


def settled(mine: Line) -> Connection:
    """Say what waits, and return the connection for what SQLAlchemy says itself."""
    if mine.waiting:
        _said(mine, *mine.waiting.pop())
    return mine.connection


def _hear(mine: Line, words: str, values: Any) -> None:
    for hear in mine.connection.dispatch.before_cursor_execute:
        hear(mine.connection, None, words, values, None, False)


def _said(mine: Line, words: str, values: Any, *, rows: bool = False) -> tuple[list[Any], int]:
    connection, dialect = mine.connection, mine.connection.dialect
    before, mine.waiting = mine.waiting, []
    cursor = connection.connection.cursor()
    try:
        if before:
            driver: Any = connection.connection.driver_connection
            with driver.pipeline():
                for each in before:
                    driver.execute(*each)
                cursor.execute(words, values)
        else:
            cursor.execute(words, values)
        return list(cursor.fetchall()) if rows else [], cursor.rowcount
    except dialect.loaded_dbapi.Error as fault:
        gone = dialect.is_disconnect(fault, connection.connection, cursor)
        if gone:
            connection.invalidate(fault)
        about: dict[str, Any] = {"hide_parameters": True, "connection_invalidated": gone, "dialect": dialect}
        together = "; ".join([*(each for each, _ in before), words])
        raise DBAPIError.instance(together, None, fault, dialect.loaded_dbapi.Error, **about) from fault
    finally:
        cursor.close()


def afterwards(do: Callable[[], None]) -> None:
    """Do something once the operation under way is committed; not at all if it is not."""
    line().afterwards.append(do)


def set_up(app: Flask) -> None:
    """Let go at the end of each application context, after all that is set up later has ended."""
    app.teardown_appcontext(lambda _: let_go())
