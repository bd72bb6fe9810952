"""The two sites that are compared: GuestAuth as in production, and the floor, on each database.

The one thing to understand: both are behind one (played) proxy on https, and each guest comes from an address of
their own. PostgreSQL is as it comes, on the disk: unlike that of the tests, it loses nothing when the power fails.
"""

import importlib
import itertools
import secrets
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock

import click
import psycopg
from flask_migrate import upgrade
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.engine import make_url

from guestauth import config, connections, create_app, database, demo
from guestauth.models import User
from tests import servers
from tests.bench import processes
from tests.bench.driver import Client, Mailbox, sign_in
from tests.servers import Served, Sink
from tests.world import NICOLE, World

HOST = "guests.fabrikam.example"
SYNC, GTHREAD = "--worker-class sync --threads 1", "--worker-class gthread --threads 4"
FLOOR = Path(__file__).parent / "floor"
DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}  # as it comes
SERIES = "WITH RECURSIVE n(i) AS (SELECT {0} + 1 UNION ALL SELECT i + 1 FROM n WHERE i < {1}) "
MAIL = "'guest-' || i || '@firstup.example'"


@dataclass
class Base:
    """A database as both sites use it: its URL for each, and the process to watch."""

    name: str
    folder: Path
    ours: str
    floor: str
    pid: int | None = None
    guests: int = 0

    def settings(self, **more: str) -> dict[str, str]:
        """Return the settings of GuestAuth on it; its secret is made once."""
        secret = self.folder / "secret"
        if not secret.exists():
            secret.write_text(secrets.token_hex(32))
        return {
            "INSTANCE_PATH": str(self.folder),
            "DATABASE_URL": self.ours,
            "SECRET_KEY_FILE": str(secret),
            **more,
        }


@dataclass
class Site:
    """A site that is served: where, and how to take the way in there."""

    name: str
    served: Served
    base: Base
    mailbox: Mailbox
    home: str
    page: str
    started: float  # seconds until it answered
    numbers: "itertools.count[int]" = field(default_factory=itertools.count)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def guest(self) -> tuple[Client, str]:
        """Give the next guest's browser and address; when all had their turn, the first again."""
        with self.lock:
            number = next(self.numbers)
        return self.client(number), f"guest-{number * 7919 % self.base.guests + 1}@firstup.example"

    def client(self, number: int = 0) -> Client:
        """Give a browser at a network address of its own."""
        return Client(self.served.port, HOST, f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}")

    def sign_in(self) -> Client:
        """Let the next guest go the whole way."""
        client, mail = self.guest()
        return sign_in(client, self.mailbox, mail, self.page)

    def costs(self):
        """Measure a block."""
        return processes.costs(self.served.pid, self.base.pid)


def production(base: Base, sink: Sink) -> dict[str, str]:
    """Return the settings of GuestAuth in production, every limit out of the way."""
    limits = {each.name: "1000000" for each in config.SETTINGS if each.name.startswith("LIMIT_")}
    mail = {"MAIL_SERVER": sink.host, "MAIL_PORT": str(sink.port)}
    return base.settings(PUBLIC_URL=f"https://{HOST}", TRUSTED_PROXIES="1", **mail, **limits)


@contextmanager
def serving(name: str, base: Base, sink: Sink, how: str = SYNC) -> Iterator[Site]:
    """Serve `GuestAuth` or the `floor` by two processes while the block lasts."""
    mailbox = sink.letters if isinstance(sink.letters, Mailbox) else Mailbox()
    sink.letters = mailbox
    is_floor = name == "floor"
    mail = {"MAIL_SERVER": sink.host, "MAIL_PORT": str(sink.port)}
    floor = {"DATABASE": base.floor, "SECRET_KEY": (base.folder / "secret").read_text(), **mail}
    env = floor if is_floor else production(base, sink)
    env |= {"GUNICORN_CMD_ARGS": f"{how} --preload"}
    with ExitStack() as stack:
        began = time.perf_counter()
        with processes.on(processes.SERVER):
            cwd = FLOOR if is_floor else servers.ROOT
            served = stack.enter_context(servers.gunicorn(env, workers=2, cwd=cwd))
        started, home = time.perf_counter() - began, "" if is_floor else "/fabrikam.example"
        site = Site(name, served, base, mailbox, home or "/", f"{home}/apps/welcome-pack", started)
        yield site
        served.kill()  # quicker; letters may be on their way to a mail server that hangs


@contextmanager
def bases() -> Iterator[list[Base]]:
    """Prepare each database there is: the demo's cast, and one page for the floor."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name, ExitStack() as stack:
        folders = [Path(name) / each for each in ("sqlite", "postgresql")]
        for folder in folders:
            folder.mkdir()
        sqlite = [f"{folders[0]}/{each}.db" for each in ("ours", "floor")]
        found = [Base("SQLite", folders[0], f"sqlite:///{sqlite[0]}", sqlite[1])]
        try:
            admin = stack.enter_context(_postgresql())
            ours, floor = (servers.create_database(admin, each) for each in ("ours", "floor"))
            found.append(Base("PostgreSQL", folders[1], ours, floor, _postmaster(admin)))
        except servers.Absent as absent:
            click.echo(f"no PostgreSQL: {absent}")
        for base in found:
            prepare(base.settings(GUESTAUTH_DEMO="on"))
        yield found


def prepare(settings: dict[str, str]) -> None:
    """Make the tables and the cast."""
    app = create_app(settings)
    with app.app_context():
        upgrade()
        demo.load()
        connections.let_go()
        database.db.engine.dispose()


@contextmanager
def inside(base: Base, sink: Sink | None = None) -> Iterator[World]:
    """Give GuestAuth in this process: as in production if there is a mail server, else as in the demo."""
    settings = production(base, sink) if sink else base.settings(GUESTAUTH_DEMO="on", LOG_LEVEL="WARNING")
    world = World(create_app({**settings, "MAIL_DELIVERY": "worker"}), base.folder)
    yield world
    with world.app.app_context():
        database.db.engine.dispose()


def fill(base: Base, guests: int) -> None:
    """Let both sites have so many guests, each able to sign in."""
    page = {"body": demo.WELCOME, "slug": "welcome-pack", "title": "Welcome pack"}
    add_guests(base, base.guests, guests)
    with _engine(base.floor).begin() as connection:
        made = f"SELECT 'user-' || i, {MAIL}, 0 FROM n"
        connection.execute(text(SERIES.format(base.guests, guests) + "INSERT INTO users " + made))
        if not base.guests:
            connection.execute(text("INSERT INTO resources VALUES (:slug, :title, :body)"), page)
    for url in (base.ours, base.floor):
        with _engine(url).connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            for statement in ("VACUUM", "ANALYZE") if base.pid else ("ANALYZE", "PRAGMA wal_checkpoint(TRUNCATE)"):
                connection.execute(text(statement))
    base.guests = guests


def add_guests(base: Base, have: int, guests: int) -> None:
    """Let GuestAuth have so many guests: copies of one of the cast."""
    made = {"id": "gen_random_uuid()" if base.pid else "lower(hex(randomblob(16)))"}
    made |= {"mail": MAIL, "mail_key": MAIL, "display_name": "'Guest ' || i"}
    names = [column.name for column in User.__table__.columns]
    values = ", ".join(made.get(name, f"users.{name}") for name in names)
    with _engine(base.ours).begin() as connection:
        copied = (
            f"INSERT INTO users ({', '.join(names)}) SELECT {values} FROM users, n WHERE mail_key = '{NICOLE}'"
        )
        connection.execute(text(SERIES.format(have, guests) + copied))


def _engine(url: str) -> Engine:
    parsed = make_url(url if "://" in url else f"sqlite:///{url}")
    return create_engine(parsed.set(drivername="postgresql+psycopg") if parsed.host else parsed)


@contextmanager
def _postgresql() -> Iterator[str]:
    """Run a PostgreSQL that keeps what it promises, on the disk, on the server's processor."""
    module = importlib.import_module("tests.servers.postgresql")
    with (
        mock.patch.dict(module.SETTINGS, DURABLE),
        mock.patch.object(module, "_place", lambda: None),
        ExitStack() as s,
    ):
        with processes.on(processes.SERVER):
            url = s.enter_context(servers.postgresql())
        yield url


def _postmaster(url: str) -> int:
    """Return the process that is the parent of all others of a PostgreSQL."""
    with psycopg.connect(url) as connection:
        found = connection.execute("SELECT pg_backend_pid()").fetchone()
        assert found
        return int(Path(f"/proc/{found[0]}/stat").read_text().rpartition(")")[2].split()[1])
