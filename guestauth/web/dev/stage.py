"""A stage for the gallery: a second demo in this process, with data and a clock of its own.

What it does: `Stage.set` puts the stage back to the cast as loaded; its methods bring somebody to a page the way
people get there: real forms, real mail in a mailbox of its own, real rows.

The one thing to understand: it is another application made as this one was, on a SQLite file in a temporary
folder. Nothing of the demo's own data is read or changed.

What must stay true: one state at a time; what a state turns on (a fault, a limit, the clock) ends with it.

Called by the gallery.
"""

import logging
import re
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from datetime import timedelta
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from flask import Flask
from flask_migrate import upgrade
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server
from werkzeug.utils import import_string

from guestauth import courier, database, demo, faults, guests, mailbox, stand_in
from guestauth.web.dev.visitor import Visitor

ORIGIN = "http://127.0.0.1:5000"
HOME = "/fabrikam.example"
CONSOLE = f"{HOME}/admin"
ALEX, NICOLE, ADMIN = "alexdoe@gmail.com", "nicole@firstup.example", "admin@fabrikam.example"
STRANDED = "stranded@firstup.example"
P = ParamSpec("P")
R = TypeVar("R")
_acting: ContextVar[bool] = ContextVar("acting", default=False)


class _Silent(WSGIRequestHandler):
    """Notes no request: the stage's are nobody's concern."""

    def log(self, *_: Any) -> None:
        """Note nothing."""


class Stage:
    """The second demo; `language` is what its visitors read."""

    def __init__(self, like: Flask) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="guestauth-gallery-")
        self._template, self._instance = (Path(self._folder.name) / name for name in ("template", "instance"))
        self._make = import_string(f"{like.import_name}:create_app")
        self._log = {name: like.config[name] for name in ("LOG_LEVEL", "LOG_FORMAT")}
        self.language, self._origin = "en", ORIGIN
        self._server: BaseWSGIServer | None = None
        template = self._application(self._template)
        with template.app_context():
            upgrade()
            demo.load()
            stand_in.public_keys()  # made now: who has read them keeps them from one state to the next
        courier.run_once(template)
        self._close(template)
        shutil.copytree(self._template, self._instance)
        self._app = self._application(self._instance)
        self._settings = dict(self._app.config)
        for handler in logging.getLogger("guestauth").handlers:
            handler.addFilter(lambda _: not _acting.get())

    def set(self, language: str) -> None:
        """Put everything back to how it was, for the next state."""
        self._close(self._app)
        shutil.rmtree(self._instance)
        shutil.copytree(self._template, self._instance)
        self._app.config.clear()
        self._app.config.update(self._settings)
        self.language, self._origin = language, ORIGIN

    def act(self, state: "Callable[[Stage], Visitor]") -> Visitor:
        """Let a state happen; what it logs is nobody's concern."""
        token = _acting.set(True)
        try:
            return state(self)
        finally:
            _acting.reset(token)

    # How people get to a page.

    def person(self) -> Visitor:
        """Return somebody with a browser of their own."""
        return Visitor(self._app, self._origin, self.language)

    def served(self) -> "Stage":
        """Serve the stage on a port of its own: it asks its stand-in over the network, as the demo does."""
        if self._server is None:
            self._server = make_server("127.0.0.1", 0, self._quietly, threaded=True, request_handler=_Silent)
            threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self._origin = f"http://127.0.0.1:{self._server.port}"
        self.configure(PUBLIC_URL=self._origin)
        self.do(demo.load)
        return self

    def at(self, path: str) -> Visitor:
        """Return somebody who has opened a page."""
        return self.person().open(path)

    def at_send_code(self, mail: str = NICOLE, path: str = HOME) -> Visitor:
        """Return somebody who has typed their address."""
        return self.at(path).submit("email-form", email=mail)

    def at_enter_code(self, mail: str = NICOLE, path: str = HOME) -> Visitor:
        """Return somebody to whom a code is on its way."""
        return self.at_send_code(mail, path).submit("send-code")

    def at_consent(self, mail: str = ALEX) -> Visitor:
        """Return a new guest who has entered their code."""
        return self.at_enter_code(mail).submit("enter-code", code=self.code(mail))

    def signed_in(self, path: str = HOME, mail: str = NICOLE) -> Visitor:
        """Return a guest who has signed in on the way to a page."""
        return self.at_enter_code(mail, path).submit("enter-code", code=self.code(mail))

    def console(self, path: str = "") -> Visitor:
        """Return Fabrikam's administrator at a page of the console."""
        return self.signed_in(CONSOLE, ADMIN).open(CONSOLE + path)

    def guest(self, mail: str, rest: str = "") -> Visitor:
        """Return the administrator at the console's page of a guest, or at one behind it."""
        user = self.do(guests.find, demo.FABRIKAM, mail)
        return self.console(f"/guests/{user.id}{rest}")

    # What happens meanwhile.

    def do(self, operation: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run an operation or a query on the stage."""
        with self._app.app_context():
            return operation(*args, **kwargs)

    def code(self, mail: str) -> str:
        """Deliver, and return the newest code in somebody's mailbox."""
        return self._in_mail(mail, r"^([0-9]{8})$")

    def invitation(self, mail: str = ALEX) -> str:
        """Deliver, and return the link in somebody's newest invitation."""
        return self._in_mail(mail, r"(http\S+/invitations/\S+)")

    def wait(self, seconds: int) -> None:
        """Let time pass."""
        self.do(database.move_clock, timedelta(seconds=seconds))

    def break_(self, fault: str) -> None:
        """Turn a fault on."""
        self.do(faults.turn_on, fault)

    def delay_mail(self) -> None:
        """Let the mail server be down, and delivery notice."""
        self.break_(faults.REFUSED)
        courier.check_health(self._app)

    def configure(self, **settings: Any) -> None:
        """Set the stage's settings otherwise for this state."""
        self._app.config.update(settings)

    def _in_mail(self, mail: str, pattern: str) -> str:
        courier.run_once(self._app)
        letters = self.do(mailbox.letters, to=mail)
        found = (re.search(pattern, letter.part("plain"), re.MULTILINE) for letter in letters)
        return next(match[1] for match in found if match)

    def _quietly(self, environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        _acting.set(True)  # of this request's thread
        return self._app(environ, start)

    def _application(self, instance: Path) -> Flask:
        app: Flask = self._make(
            {
                **self._log,
                "GUESTAUTH_DEMO": "on",
                "INSTANCE_PATH": str(instance),
                "PUBLIC_URL": ORIGIN,
                "MAIL_DELIVERY": "worker",
                "MAIL_CONNECTIONS": "1",
            }
        )
        return app

    @staticmethod
    def _close(app: Flask) -> None:
        with app.app_context():
            app.extensions["sqlalchemy"].engine.dispose()
