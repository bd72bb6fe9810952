"""Where the time of a sign-in goes: by layer, by function, and in statements to the database.

The one thing to understand: GuestAuth runs in this process, on one thread, with its letters delivered between two
requests; a timer looks again and again at what is being done. It is for finding what to mend;
what a sign-in costs is measured from outside.
"""

import contextlib
import io
import signal
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

import click
from sqlalchemy import event

from guestauth import database, outbox
from tests.bench import table
from tests.bench.driver import Answer, Client, sign_in
from tests.bench.processes import SERVER, on, repeat
from tests.bench.sites import HOST, Base, inside
from tests.servers import Sink
from tests.world import World

EVERY = 0.001  # seconds of processor time; the system may take four times as long
LAYERS = (  # the first that fits, looked for from the innermost function outwards
    ("statements, in the database and its driver", ("say", "do_execute", "do_executemany", "do_ping")),
    ("statements, made and read", ("/sqlalchemy/", "/psycopg/", "guestauth/statements.py")),
    ("templates", ("/jinja2/", "/templates/", "/markupsafe/", "/babel/", "/flask_babel/")),
    ("forms and their tokens", ("/wtforms/", "/flask_wtf/", "/email_validator/", "web/fields.py")),
    ("signing", ("/itsdangerous/", "guestauth/keys.py", "web/cookies.py")),
    ("routing and addresses", ("/werkzeug/routing/", "url_for")),
    ("gate and guard", ("web/gate.py", "web/guard.py")),
    ("letters", ("/email/", "/flask_mail/", "smtplib.py", "guestauth/smtp.py", "guestauth/letters.py")),
    ("logging", ("/logging/", "guestauth/logs.py")),
    ("operations", ("guestauth/",)),
    ("requests and answers", ("/flask/", "/werkzeug/")),
)


@dataclass
class Samples:
    """What was being done at each look, in seconds of this thread's processor time since the last."""

    layers: Counter[str] = field(default_factory=Counter)
    functions: Counter[str] = field(default_factory=Counter)
    total: float = 0
    last: float = 0

    def look(self, _signal: int, frame: FrameType | None) -> None:
        """Note where the program is."""
        spent, self.last = time.thread_time() - self.last, time.thread_time()
        places = []
        while frame is not None:
            places.append(f"{frame.f_code.co_filename}:{frame.f_code.co_name}")
            frame = frame.f_back
        if any(place.endswith((":wsgi_app", ":deliver_all")) for place in places):
            self.total += spent
            self.layers[next(filter(None, map(_layer, places)), "other")] += spent
            for place in {place.rpartition("/guestauth/")[2] for place in places if "/guestauth/" in place}:
                self.functions[place] += spent

    @contextlib.contextmanager
    def taken(self) -> Iterator[None]:
        """Look again and again while the block lasts."""
        before, self.last = signal.signal(signal.SIGPROF, self.look), time.thread_time()
        signal.setitimer(signal.ITIMER_PROF, EVERY, EVERY)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.signal(signal.SIGPROF, before)


@dataclass
class Inside(Client):
    """A browser at the application in this process; `heard` has each request's statements."""

    world: World | None = None
    statements: list[str] = field(default_factory=list)
    heard: list[tuple[str, list[str]]] = field(default_factory=list)

    def _exchange(self, request: bytes) -> bytes:
        head, _, body = request.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        method, path, _ = first.split(" ")
        environ: dict[str, Any] = {
            "REQUEST_METHOD": method,
            "PATH_INFO": path.partition("?")[0],
            "QUERY_STRING": path.partition("?")[2],
            "SERVER_NAME": HOST,
            "SERVER_PORT": "443",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
        }
        for name, value in (line.split(": ", 1) for line in lines):
            key = name.upper().replace("-", "_")
            environ[key if key.startswith("CONTENT_") else f"HTTP_{key}"] = value
        answer: list[str] = []

        def start_response(status: str, headers: list[tuple[str, str]], *_: object) -> None:
            answer.extend([f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in headers), "", ""])

        assert self.world
        self.statements.clear()
        content = b"".join(self.world.app.wsgi_app(environ, start_response))
        self._note(f"{method} {environ['PATH_INFO']}")
        return "\r\n".join(answer).encode() + content

    def post(self, path: str = "", **fields: str) -> Answer:
        answer = super().post(path, **fields)
        self.statements.clear()
        if deliver_all(self.world):
            self._note("delivery")
        return answer

    def _note(self, step: str) -> None:
        self.heard.append((step, [*self.statements]))


def deliver_all(world: World | None) -> int:
    """Deliver what is due in this thread, as the courier's threads do."""
    assert world
    with world.app.app_context():
        leased = outbox.lease(8) if outbox.next_due() is not None else []
        for letter in leased:
            outbox.deliver(letter)
        outbox.next_due()
    return len(leased)


def measure(base: Base, sink: Sink, seconds: float) -> None:
    """Print the statements of a sign-in, then where its time goes."""
    samples, statements = Samples(), list[str]()
    with on(SERVER), contextlib.redirect_stderr(io.StringIO()), inside(base, sink) as world:
        with world.app.app_context():
            _listen(database.db.engine, statements)
        deliver_all(world)
        go = Going(base, sink, world, statements)
        repeat(go.sign_in, seconds=0, least=5)
        with samples.taken():
            done = repeat(go.sign_in, seconds=seconds, least=10)
    _print_statements(go.last.heard)
    _print(samples, len(done))


@dataclass
class Going:
    """Guests who go the way in, one after the other."""

    base: Base
    sink: Sink
    world: World
    statements: list[str]
    number: int = 0
    last: Inside = field(default_factory=lambda: Inside(0, HOST))

    def sign_in(self) -> None:
        """Let the next guest in."""
        self.number += 1
        mail = f"guest-{self.number * 7919 % self.base.guests + 1}@firstup.example"
        self.last = Inside(0, HOST, world=self.world, statements=self.statements)
        sign_in(self.last, self.sink.letters, mail, "/fabrikam.example/apps/welcome-pack")


def _listen(engine: Any, statements: list[str]) -> None:
    event.listen(engine, "before_cursor_execute", lambda *heard: statements.append(heard[2]))


def _print_statements(heard: list[tuple[str, list[str]]]) -> None:
    click.echo("What a sign-in says to the database, by request:\n")
    every = [each for _, statements in heard for each in statements]
    for step, statements in [*heard, ("together", [])]:
        counted = statements or every
        begun = sum(each.startswith("BEGIN") for each in counted)
        asked = sum(not each.startswith(("BEGIN", "COMMIT")) for each in counted)
        click.echo(f"  {step}: {asked} statements, {begun} transactions")
        for each in statements:
            click.echo(f"      {' '.join(each.split())[:150]}")


def _print(samples: Samples, done: int) -> None:
    each = 1000 / max(done, 1)
    share = 100 / (samples.total or 1)
    click.echo(f"\nWhere the time goes, {samples.total * each:.1f} ms of processor time for a sign-in:\n")
    rows = [
        (f"{count * share:.1f}", f"{count * each:.2f}", layer) for layer, count in samples.layers.most_common()
    ]
    table(("per cent", "ms   ", "layer"), rows)
    found = samples.functions.most_common(30)
    table(
        ("per cent", "ms   ", "function, with what it calls"),
        [(f"{n * share:.1f}", f"{n * each:.2f}", f) for f, n in found],
    )


def _layer(place: str) -> str | None:
    """Return the layer that a function belongs to, if it says so."""
    for layer, marks in LAYERS:
        if any(place.endswith(f":{mark}") or mark in place.partition(":")[0] for mark in marks):
            return layer
    return None
