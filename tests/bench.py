"""`make bench`: what a sign-in costs on the real stack; prints tables and asserts nothing about time.

Measures whole sign-ins (link → address → Send code → mail → code → resource) through gunicorn with two
processes and a real mail server, on SQLite and on PostgreSQL: how many a second, how long each takes, and the
processor time that the server processes spend on one. Then single pages: a signed-in page, and Send code while
the mail server is well, hanging, and down (B36: the three should be alike).

The one thing to understand: this process plays the guests, the browsers and the mail server, and takes
processor time of its own, so the sign-ins per second are a lower bound; the processor time per sign-in is the
figure to compare. It is read from the kernel's accounts of the server processes alone.
"""

import os
import re
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import click
import httpx
from flask_migrate import upgrade

from guestauth import create_app, database, demo
from tests import servers
from tests.e2e.parallel import aim
from tests.e2e.site import CODE, HOME, Site, site, text
from tests.world import ALEX, NICOLE

SIGN_INS = 100
WORKERS = 2
REQUESTS = 300
SENDS = 40
TICK = os.sysconf("SC_CLK_TCK")
MINE = re.compile(r'name="csrf_token" value="([^"]+)"')


class Mailbox:
    """The codes that arrived, by address; a thread that waits for one is told of each letter."""

    def __init__(self, made: Site) -> None:
        self.sink, self.read, self.codes = made.sink, 0, dict[str, str]()
        self.lock = threading.Lock()

    def code(self, to: str) -> str:
        """Wait for the code to an address."""
        self.sink.wait_until(lambda _: self._find(to), timeout=30)
        return self.codes.pop(to)

    def _find(self, to: str) -> bool:
        with self.lock:
            for letter in self.sink.letters[self.read :]:
                if found := CODE.search(text(letter)):
                    self.codes[letter.recipients[0]] = found[0]
                self.read += 1
        return to in self.codes


def main() -> None:
    """Measure on both databases and print."""
    began = time.monotonic()
    click.echo(
        f"Python {sys.version.split()[0]}, {os.cpu_count()} processors, gunicorn with {WORKERS} processes\n"
    )
    for name, instance in instances():
        click.echo(f"## {name}\n")
        with site(instance, workers=WORKERS) as made:
            table(("sign-ins", "at once", "per second", "CPU ms each", "p50 ms", "p95 ms"), sign_ins(made))
            table(("page", "per second", "CPU ms each", "p50 ms", "p95 ms"), pages(made))
            table(("Send code while the mail server is", "p50 ms", "p95 ms", "most ms"), sends(made))
    click.echo(f"took {time.monotonic() - began:.0f} s")


def instances() -> Iterator[tuple[str, dict[str, str]]]:
    """Prepare an instance on each database."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, ExitStack() as stack:
        common = {"GUESTAUTH_DEMO": "on", "MAIL_TIMEOUT": "2", "LOG_LEVEL": "WARNING"}
        sqlite = {**common, "INSTANCE_PATH": f"{folder}/sqlite"}
        prepare(sqlite)
        yield "SQLite", sqlite
        try:
            admin = stack.enter_context(servers.postgresql())
        except servers.Absent as absent:
            click.echo(f"no PostgreSQL: {absent}")
            return
        url = servers.create_database(admin, "bench")
        postgresql = {**common, "INSTANCE_PATH": f"{folder}/postgresql", "DATABASE_URL": url}
        prepare(postgresql)
        yield "PostgreSQL (without fsync)", postgresql


def prepare(settings: dict[str, str]) -> None:
    """Make the tables and the cast."""
    app = create_app(settings)
    with app.app_context():
        upgrade()
        demo.load()
        database.db.engine.dispose()


# What is measured


def sign_ins(made: Site) -> Iterator[tuple[object, ...]]:
    """Measure whole sign-ins, one after the other and eight at once."""
    mailbox = Mailbox(made)
    sign_in(made, mailbox, ALEX)
    for at_once in (1, 8):
        mails = [invited(made) for _ in range(SIGN_INS)]
        with measured(made) as taken:
            lasted = run([lambda mail=mail: sign_in(made, mailbox, mail) for mail in mails], at_once)
        seconds, cpu = taken
        yield SIGN_INS, at_once, per_second(lasted, seconds), each(cpu, lasted), *spread(lasted)


def pages(made: Site) -> Iterator[tuple[object, ...]]:
    """Measure single pages."""
    mailbox = Mailbox(made)
    with sign_in_as(made, mailbox, NICOLE) as client:
        for words, path in (("signed-in list of apps", HOME), ("signed-in resource", f"{HOME}/apps/project-plan")):
            with measured(made) as taken:
                lasted = run([lambda path=path: expect(client.get(path), 200)] * REQUESTS, 1)
            seconds, cpu = taken
            yield words, per_second(lasted, seconds), each(cpu, lasted), *spread(lasted)


def sends(made: Site) -> Iterator[tuple[object, ...]]:
    """Measure Send code, with the mail server in several states."""
    for words, change in (("well", made.sink.accept), ("hanging", made.sink.hang), ("down", made.sink.stop)):
        browsers = [made.browser().open(HOME).submit("email-form", email=invited(made)) for _ in range(SENDS)]
        shots = [aim(browser, "send-code") for browser in browsers]
        made.sink.stop()
        made.sink.start()
        change()
        with httpx.Client(trust_env=False) as client:
            lasted = run([lambda shot=shot: expect(shot.fire(client), 303) for shot in shots], 1)
        yield words, *spread(lasted), f"{max(lasted) * 1000:.1f}"


# How


def invited(made: Site) -> str:
    """Invite somebody new and share the project plan with them through the invitation's target."""
    return made.guest("/apps/welcome-pack")


def sign_in(made: Site, mailbox: Mailbox, mail: str) -> None:
    """Go the whole way as a new guest, by nothing but requests."""
    with sign_in_as(made, mailbox, mail) as client:
        page = client.get(f"{HOME}/apps/welcome-pack", follow_redirects=True)
        consented = client.post(page.url, data={"csrf_token": token(page), "decision": "accept", "to": ""})
        expect(consented, 303)


@contextmanager
def sign_in_as(made: Site, mailbox: Mailbox, mail: str) -> Iterator[httpx.Client]:
    """Give a client that has entered its code."""
    with httpx.Client(base_url=made.url, trust_env=False, timeout=30) as client:
        page = client.get(f"{HOME}/apps/welcome-pack", follow_redirects=True)
        page = client.post(page.url.path, data={"csrf_token": token(page), "email": mail}, follow_redirects=True)
        page = client.post(page.url.path, data={"csrf_token": token(page)}, follow_redirects=True)
        expect(client.post(page.url.path, data={"csrf_token": token(page), "code": mailbox.code(mail)}), 303)
        yield client


def token(page: httpx.Response) -> str:
    """Read the token of a page's forms."""
    expect(page, 200)
    return MINE.findall(page.text)[0]


def expect(answer: httpx.Response, status: int) -> None:
    """Stop if the site does not answer as it should: a wrong answer is quick."""
    if answer.status_code != status:
        raise SystemExit(f"{answer.request.method} {answer.url} answered {answer.status_code}, not {status}")


def run(actions: list[Callable[[], None]], at_once: int) -> list[float]:
    """Do all, so many at once, and give how long each took, in seconds."""

    def timed(action: Callable[[], None]) -> float:
        began = time.perf_counter()
        action()
        return time.perf_counter() - began

    with ThreadPoolExecutor(at_once) as threads:
        return list(threads.map(timed, actions))


@contextmanager
def measured(made: Site) -> Iterator[list[float]]:
    """Give the seconds that the block took, and the processor seconds that the server took meanwhile."""
    taken: list[float] = []
    began, before = time.perf_counter(), processor_seconds(made)
    yield taken
    taken += [time.perf_counter() - began, processor_seconds(made) - before]


def processor_seconds(made: Site) -> float:
    """Add up what gunicorn's processes have used, of user and system time."""
    arbiter = made.served.pid
    children = Path(f"/proc/{arbiter}/task/{arbiter}/children").read_text().split()
    stats = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in [arbiter, *children]]
    return sum(int(stat[11]) + int(stat[12]) for stat in stats) / TICK


def per_second(lasted: list[float], seconds: float) -> str:
    return f"{len(lasted) / seconds:.1f}"


def each(cpu: float, lasted: list[float]) -> str:
    return f"{cpu / len(lasted) * 1000:.1f}"


def spread(lasted: list[float]) -> tuple[str, str]:
    """Give the median and the 95th percentile, in ms."""
    return f"{statistics.median(lasted) * 1000:.1f}", f"{statistics.quantiles(lasted, n=20)[-1] * 1000:.1f}"


def table(head: tuple[str, ...], rows: Iterator[tuple[object, ...]]) -> None:
    """Print a table, each row as soon as it is there."""
    click.echo(" | ".join(head))
    click.echo(" | ".join("-" * len(word) for word in head))
    for row in rows:
        click.echo(" | ".join(str(cell).rjust(len(word)) for cell, word in zip(row, head, strict=True)))
    click.echo("")


if __name__ == "__main__":
    main()
