"""The demo's faults: what can go wrong with mail, the database, a request or a provider, for whoever tries it.

What it does: `turn_on` and `turn_off` switch a fault; `set_up` makes an application feel those that are on;
`claim` takes the one that is for a single request.

The one thing to understand: nothing here pretends. A mail fault puts a mail server of our own in the place of the
real one, which refuses, puts off or never answers, so that all code on the way meets what it would meet for real.
A busy database is the driver's own error at the start of each transaction that writes. The stand-in for an
identity provider looks by itself whether it is to be down.

What must stay true: in production not even this module is loaded; a switch is a file in the instance folder, so
that every process follows at once.

Called by the `/dev` pages alone.
"""

import functools
import os
import socket
import sqlite3
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Config, Flask, current_app
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from guestauth import smtp
from guestauth.database import db
from guestauth.engines import BEGIN

DELAYED, REFUSED, HANGING = "mail-delayed", "mail-refused", "mail-hanging"
MAIL = (DELAYED, REFUSED, HANGING)  # one at a time: a mail server fails in one way
DATABASE, REQUEST, PROVIDER = "database-busy", "next-request", "provider-down"
BUSY = b"421 4.3.2 Too busy, try again later\r\n"


@dataclass(frozen=True, kw_only=True)
class Fault:
    """Something that can go wrong: in a few words for the bar, and what it does."""

    words: str
    effect: str


FAULTS = {
    DELAYED: Fault(
        words="Mail is put off",
        effect="The mail server answers every letter with “421 try again later”. Letters wait and go again.",
    ),
    REFUSED: Fault(
        words="Mail server is down",
        effect="Nobody answers at the mail server: each connection is refused. Letters wait and go again.",
    ),
    HANGING: Fault(
        words="Mail server hangs",
        effect="The mail server takes the connection and never says a word. Letters wait; pages stay as quick.",
    ),
    DATABASE: Fault(
        words="Database is busy",
        effect="Nothing can be written, as when another process holds the lock. Pages that only read still work.",
    ),
    REQUEST: Fault(
        words="Next request fails",
        effect="The next page that is asked for ends in an error, once. The demo's own pages are spared.",
    ),
    PROVIDER: Fault(
        words="Identity provider is down",
        effect="The stand-in for Google answers 503 to whatever GuestAuth asks it. Codes go on working.",
    ),
}
_thread = threading.local()
_servers: list[socket.socket] = []


def set_up(app: Flask) -> None:
    """Make an application feel the faults."""
    app.config = Settings(app.root_path, app.config)
    with app.app_context():
        event.listen(db.engine, "before_cursor_execute", _refuse_to_write)


def turn_on(name: str) -> None:
    """Switch a fault on, in every process; of the mail server's the one before goes."""
    for other in MAIL if name in MAIL else ():
        turn_off(other)
    _switch(name).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    _switch(name).touch(mode=0o600)


def turn_off(name: str) -> None:
    """Switch a fault off."""
    _switch(name).unlink(missing_ok=True)


def turn_all_off() -> None:
    """Let everything work again."""
    for name in FAULTS:
        turn_off(name)


def are_on() -> list[str]:
    """Return the faults that are on."""
    return [name for name in FAULTS if is_on(name)]


def is_on(name: str) -> bool:
    """Whether this fault is on."""
    return _switch(name).exists()


def claim(name: str) -> bool:
    """Take a fault that is for one only: of several processes one gets it."""
    with suppress(FileNotFoundError):
        _switch(name).unlink()
        return True
    return False


class Settings(Config):
    """The application's settings, which lead to a mail server that fails while a fault of it is on."""

    def __getitem__(self, name: str) -> Any:
        """Look a setting up as it is now."""
        if not name.startswith("MAIL_"):
            return super().__getitem__(name)
        folder = Path(super().__getitem__("INSTANCE_PATH")) / "faults"
        fault = next((each for each in MAIL if (folder / each).exists()), None)
        if name == "MAIL_SERVER" and getattr(_thread, "fault", None) != fault:
            smtp.close()  # a kept connection leads where it led before
            _thread.fault = fault
        failing = _failing(fault) if fault else {}
        return failing[name] if name in failing else super().__getitem__(name)


def _failing(fault: str) -> dict[str, Any]:
    plain = {"MAIL_USE_TLS": False, "MAIL_USE_SSL": False, "MAIL_USERNAME": ""}
    return {"MAIL_SERVER": "127.0.0.1", "MAIL_PORT": _port(fault, os.getpid()), **plain}


@functools.cache
def _port(fault: str, _process: int) -> int:
    """Open this process's mail server that fails in such a way, and return its port."""
    server = socket.socket()
    server.bind(("127.0.0.1", 0))  # a port that nobody listens on refuses
    if fault != REFUSED:
        server.listen(100)  # the system takes connections, and nobody greets them
    if fault == DELAYED:
        threading.Thread(target=_put_off, args=(server,), name="fault", daemon=True).start()
    _servers.append(server)
    return int(server.getsockname()[1])


def _put_off(server: socket.socket) -> None:
    while True:
        connection, _ = server.accept()
        with connection, suppress(OSError):
            connection.sendall(BUSY)


def _refuse_to_write(_connection: object, _cursor: object, statement: str, *_: object) -> None:
    if statement in BEGIN.values() and current_app and is_on(DATABASE):
        raise OperationalError(statement, None, sqlite3.OperationalError("database is locked"))


def _switch(name: str) -> Path:
    return Path(current_app.config["INSTANCE_PATH"]) / "faults" / name
