"""The connections: one for each request, command or round of delivery, kept until its end.

What it does: `line` gives the connection, taking one if there is none; `let_go` gives it back; `Session` puts what
the ORM says on it; `afterwards` does something once what is under way is committed.

The one thing to understand: an application context has one line to the database, for statements said to the driver
and for the ORM's. A session is made only where the ORM is used, and costs nothing elsewhere.

What must stay true: at the end of the context the connection is back in the pool, and nothing is under way on it.

Called by database, and `let_go` by who is about to wait. It says no statement.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from flask import Flask, current_app
from flask.globals import app_ctx
from flask_sqlalchemy.session import Session as DatabaseSession
from sqlalchemy import Connection

from guestauth import engines


@dataclass
class Line:
    """The connection of an application context."""

    connection: Connection
    session: "Session | None" = None
    is_busy: bool = False  # with an operation, or with a query that is not a part of one
    afterwards: list[Callable[[], None]] = field(default_factory=list)


class Session(DatabaseSession):
    """The session of those statements that the ORM makes."""

    def __init__(self, *options: Any, **more: Any) -> None:
        super().__init__(*options, **more)
        line().session = self

    def get_bind(self, *_: Any, **__: Any) -> Connection:
        """Return the connection of all others."""
        return line().connection


def line() -> Line:
    """Return the line that the application context keeps, taking one if it has none."""
    mine: Line | None = getattr(app_ctx.g, "line", None)
    if mine is None or mine.connection.closed:
        let_go()
        engine = current_app.extensions["sqlalchemy"].engine
        mine = app_ctx.g.line = Line(engine.connect().execution_options(**engines.PLAIN[engine.dialect.name]))
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


def afterwards(do: Callable[[], None]) -> None:
    """Do something once the operation under way is committed; not at all if it is not."""
    line().afterwards.append(do)


def set_up(app: Flask) -> None:
    """Let go at the end of each application context, after all that is set up later has ended."""
    app.teardown_appcontext(lambda _: let_go())
