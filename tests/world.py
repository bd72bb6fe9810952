"""The world a test lives in: the demo's cast on a fresh database, an application, its mailbox and its clock.

`world.do(operation, …)` runs an operation as a request or a command would; `world.browser()` is a browser at
the application; `world.letters(to)` delivers what waits and reads the mailbox; `world.advance(seconds)` moves
the time.
"""

import atexit
import re
import secrets
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from click.testing import Result
from flask import Flask
from jinja2 import Environment, FileSystemBytecodeCache
from jinja2.bccache import Bucket
from sqlalchemy import select, text

from guestauth import (
    addresses,
    config,
    courier,
    create_app,
    database,
    demo,
    keys,
    mailbox,
    passcodes,
    redemptions,
    sending,
    sessions,
    signin,
    templating,
    tenants,
)
from guestauth.audit import Caller
from guestauth.models import Letter
from tests.browser import Browser

FABRIKAM, CONTOSO, WOODGROVE = demo.FABRIKAM, demo.CONTOSO, demo.WOODGROVE
ALEX, NICOLE, ADMIN = "alexdoe@gmail.com", "nicole@firstup.example", "admin@fabrikam.example"
STRANDED, STRANGER = "stranded@firstup.example", "stranger@example.com"
VISITOR = Caller(actor="visitor", client_address="127.0.0.1", browser="Mozilla/5.0 (GuestAuth tests)")
BY = Caller(actor="command line", correlation_id="0123456789abcdef")
P = ParamSpec("P")
R = TypeVar("R")


class Compiled(FileSystemBytecodeCache):
    """Keeps the templates of each language apart: each has its words in it."""

    def get_bucket(self, environment: Environment, name: str, filename: str | None, source: str) -> Bucket:
        """Return the place of a template."""
        assert isinstance(environment, templating.Environment)
        word = environment.spoken.gettext("Sign out") if environment.spoken else ""
        return super().get_bucket(environment, name, f"{filename} {word}", source)


COMPILED = Compiled(tempfile.mkdtemp(prefix="guestauth-templates-"))
atexit.register(shutil.rmtree, COMPILED.directory, ignore_errors=True)


@dataclass
class World:
    """An application with the cast, for one test."""

    app: Flask
    instance: Path
    browsers: list[Browser] = field(default_factory=list)

    def do(self, operation: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run an operation or a query in an application context of its own."""
        with self.app.app_context():
            return operation(*args, **kwargs)

    def browser(self, **settings: Any) -> Browser:
        """Open another browser."""
        self.browsers.append(Browser(self.app, **settings))
        return self.browsers[-1]

    def advance(self, seconds: float) -> None:
        """Move the clock."""
        self.do(database.move_clock, timedelta(seconds=seconds))

    def deliver(self) -> int:
        """Deliver what is due; returns how many letters were tried."""
        return courier.run_once(self.app)

    def letters(self, to: str = "") -> list[mailbox.Kept]:
        """Deliver what is due and return the letters to an address, newest first."""
        self.deliver()
        return self.do(mailbox.letters, to=to)

    def code(self, to: str) -> str:
        """Return the code of the newest code letter to an address."""
        found = (re.search(r"^[0-9]{8}$", letter.part("plain"), re.MULTILINE) for letter in self.letters(to))
        return next(match[0] for match in found if match)

    def invitation_path(self, to: str) -> str:
        """Return the path of the link in the newest invitation to an address."""
        found = (
            re.search(r"https?://[^/]+(/\S+/invitations/\S+)", letter.part("plain")) for letter in self.letters(to)
        )
        return next(match[1] for match in found if match)

    def rows(self, statement: str, **values: Any) -> list[Any]:
        """Look into the database past all code of ours."""
        with self.app.app_context(), database.db.engine.connect() as connection:
            return list(connection.execute(text(statement), values))

    def run(self, *args: str, typed: str | None = None) -> Result:
        """Run `flask …` in this process."""
        return self.app.test_cli_runner().invoke(args=list(args), input=typed)

    def signed_in(self, mail: str, path: str = "/fabrikam.example") -> Browser:
        """Return a browser in which somebody has come to `path`, signed in by the operations behind the pages.

        That is quicker than `whole_way`, which takes every page, and leaves the same rows and cookies.
        """
        browser = self.browser()
        secret, visit = self.do(self._sign_in, mail, path.split("/")[1])
        with self.app.app_context():
            kept = {"id": visit, "csrf_token": secrets.token_hex(20), "_permanent": True}
            browser.keep("guestauth-visit", keys.signer("visit").dumps(kept))
            browser.keep("guestauth", keys.signer("session").dumps([secret]))
        return browser.open(path)

    def _sign_in(self, mail: str, reference: str) -> tuple[str, str]:
        """Sign somebody in at a tenant, and redeem for them if they have not."""
        tenant, visit = tenants.find(reference).id, secrets.token_hex(32)
        started = signin.start(tenant, addresses.parse(mail), browser=visit, target=None, by=VISITOR)
        sending.send_code(tenant, started.id, browser=visit, by=VISITOR)
        code = re.findall(r"^[0-9]{8}$", self.written(started.id), re.MULTILINE)[0]
        done = signin.enter_code(tenant, started.id, code, browser=visit, by=VISITOR)
        arrival = sessions.arriving(tenant, [done.session_secret])
        assert arrival and arrival.user, f"{mail} may not sign in"
        if arrival.user.must_consent:
            redemptions.redeem(tenant, arrival.user.id, by=VISITOR)
        return done.session_secret, done.browser

    @staticmethod
    def written(sign_in_id: uuid.UUID) -> str:
        """Write the letter of a sign-in's newest code, without sending it."""

        @database.query
        def written() -> str:
            newest = select(Letter).where(Letter.subject_id == sign_in_id).order_by(Letter.n.desc()).limit(1)
            return passcodes.write_letter(database.db.session.scalars(newest).one()).text

        return written()

    def whole_way(self, mail: str, path: str = "/fabrikam.example") -> Browser:
        """Return a browser in which somebody has come to `path` the whole way, accepting if asked."""
        browser = self.browser().open(path).submit("email-form", email=mail).submit("send-code")
        browser.submit("enter-code", code=self.code(mail))
        return browser.submit("consent", button=("decision", "accept")) if browser.has_form("consent") else browser


NO_LIMITS = {  # as good as none, for tests that are about something else
    setting.name: "1000000" for setting in config.SETTINGS if setting.name.startswith("LIMIT_")
}


def environment(instance: Path, **more: str) -> dict[str, str]:
    """Return the settings of a test's demo: letters are delivered when the test says so."""
    return {"GUESTAUTH_DEMO": "on", "INSTANCE_PATH": str(instance), "MAIL_DELIVERY": "worker", **more}


def make(instance: Path, **settings: str) -> Iterator[World]:
    """Make a world with settings of its own on a prepared database, and close it."""
    yield from lent(prepared(create_app(environment(instance, **settings)), instance))


def prepared(app: Flask, instance: Path) -> World:
    """Return a world whose application keeps its compiled templates, as a server's does."""
    app.jinja_env.bytecode_cache = COMPILED
    return World(app, instance)


def lent(world: World) -> Iterator[World]:
    """Lend an application to one test, and take it back as it was."""
    settings = dict(world.app.config)
    world.app.extensions["guestauth_courier"] = courier.Courier()
    yield World(world.app, world.instance)
    world.app.config.clear()
    world.app.config.update(settings)
    with world.app.app_context():
        database.db.engine.dispose()
