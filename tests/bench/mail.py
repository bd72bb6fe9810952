"""A mail server that is slow, and one that is in trouble: B36 wants neither to be felt on a page."""

import itertools
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import click

from tests.bench import Row, table
from tests.bench.driver import Client
from tests.bench.processes import repeat
from tests.bench.signins import share, spread
from tests.bench.sites import Site
from tests.servers import Sink

SLOW = 0.1  # seconds that a mail takes
AT_ONCE = 32
CONNECTIONS = 16  # two processes, eight each


def slow(sink: Sink, floor: Site, ours: Site, seconds: float) -> None:
    """Measure sign-ins with a mail server that takes its time."""
    sink.delay(SLOW)
    click.echo(f"A mail server that takes {1000 * SLOW:.0f} ms for each mail:\n")
    head = ("site        ", "at once", "per second", "busy", "p50 ms", "p95 ms", "p99 ms", "bound by")
    table(head, _slow([floor, ours], seconds))
    sink.accept()


def _slow(sites: list[Site], seconds: float) -> Iterator[Row]:
    for site in sites:
        with site.costs() as cost:
            lasted = repeat(site.sign_in, at_once=AT_ONCE, seconds=seconds, least=2 * AT_ONCE)
        speed, most = len(lasted) / cost.seconds, CONNECTIONS / SLOW
        bound = (
            "the processor"
            if cost.busy > 0.85
            else "the mail"
            if speed > 0.8 * most
            else "neither: at once, or a busy machine"
        )
        yield site.name, AT_ONCE, f"{speed:.1f}", share(cost), *spread(lasted), f"{bound} (mail: {most:.0f}/s)"


def in_trouble(sink: Sink, site: Site, seconds: float) -> None:
    """Measure Send code, and meanwhile a page of somebody else, whatever the mail server does."""
    head = ("mail server     ", "what            ", "times", "p50 ms", "p95 ms", "p99 ms", "most ms")
    table(head, _in_trouble(sink, site, seconds))
    sink.accept()


def _in_trouble(sink: Sink, site: Site, seconds: float) -> Iterator[Row]:
    reader = site.sign_in()
    states: dict[str, Callable[[], None]] = {
        "well": sink.accept,
        "answers 451": lambda: sink.greylist(10**6),
        "hangs": sink.hang,
        "refuses": sink.stop,
    }
    for words, begin in states.items():
        begin()
        sends, pages = Sends(site), list[float]()
        over = threading.Event()
        reading = threading.Thread(target=_read, args=(reader, site.home, pages, over))
        reading.start()
        repeat(sends.send, seconds=seconds)
        over.set()
        reading.join()
        for what, lasted in (("Send code", sends.lasted), ("another's page", pages)):
            yield words, what, len(lasted), *spread(lasted), f"{1000 * max(lasted):.1f}"
    sink.start()


@dataclass
class Sends:
    """Presses of Send code, each timed alone."""

    site: Site
    lasted: list[float] = field(default_factory=list)
    numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    def send(self) -> None:
        """Come to the page as another guest, and press the button."""
        client, mail = self.site.guest()
        answer = client.open(f"{self.site.home}/sign-in").submit(email=mail).expect(200).post()
        client.page = answer
        client.expect(303)
        self.lasted.append(answer.seconds)


def _read(client: Client, path: str, lasted: list[float], over: threading.Event) -> None:
    while not over.wait(0.01):
        lasted.append(client.open(path).expect(200).page.seconds)
