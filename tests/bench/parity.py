"""Whether time tells a stranger who is a guest (B27; E-02), or how much of a code is right (G-11).

The one thing to understand: a difference counts when it is both large enough to be measured from afar (2 ms) and
not by chance (p < 0.01, by the rank test of Mann and Whitney). This prints both and judges nothing.
"""

import math
import random
import statistics
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

import click

from tests.bench import Row, table
from tests.bench.driver import Client
from tests.bench.sites import Site, inside
from tests.servers import Sink
from tests.test_parity import address, prepare

KINDS = ("accepted", "unknown", "blocked", "deleted", "elsewhere")
STEPS = ("Send code", "page after it", "wrong code")
HEAD = ("mail server", "step          ", "address  ", "times", "median ms", "difference ms", "p     ")
Times = dict[tuple[str, str], list[float]]


def measure(site: Site, sink: Sink, seconds: float) -> None:
    """Measure with the mail server up and down, then how wrong a code is."""
    with inside(site.base) as world:
        prepare(world)
    click.echo("How long an answer takes, by whose address it is:\n")
    table(HEAD, _walks(site, sink, seconds))
    click.echo("How long a wrong code takes, by how many of its first digits are right:\n")
    table(("digits right", "times", "median ms", "difference ms", "p     "), _digits(site, seconds / 2))


def _walks(site: Site, sink: Sink, seconds: float) -> Iterator[Row]:
    for state, change, share in (("up", sink.accept, 2 / 3), ("down", sink.stop, 1 / 3)):
        change()
        times = _interleaved(site, seconds * share)
        for step in STEPS:
            for kind in KINDS:
                lasted, guests = times[step, kind], times[step, KINDS[0]]
                compared = _compared(lasted, guests) if kind != KINDS[0] else ("", "")
                yield state, step, kind, len(lasted), f"{1000 * statistics.median(lasted):.2f}", *compared
    sink.start()


def _interleaved(site: Site, seconds: float) -> Times:
    """Take every step for every kind of address, in another order each time."""
    times: Times = defaultdict(list)
    page, rolls = f"{site.home}/sign-in", random.Random(7)
    clients = {kind: site.client(number).open(page) for number, kind in enumerate(KINDS)}
    for _ in _rounds(seconds):
        for kind in rolls.sample(KINDS, len(KINDS)):
            client = clients[kind].submit(page, email=address(kind)).expect(200)
            sent = client.post()
            times["Send code", kind].append(sent.seconds)
            times["page after it", kind].append(client.open(sent.location).expect(200).page.seconds)
        for kind in rolls.sample(KINDS, len(KINDS)):
            times["wrong code", kind].append(clients[kind].post(code="00000000").seconds)
    return times


def _digits(site: Site, seconds: float) -> Iterator[Row]:
    times: dict[int, list[float]] = defaultdict(list)
    rolls = random.Random(7)
    for _ in _rounds(seconds):
        right = rolls.sample(range(8), 8)
        for some in (right[:4], right[4:]):
            client, code = _with_code(site)
            for digits in some:
                wrong = "".join(str((int(digit) + 1) % 10) for digit in code[digits:])
                times[digits].append(client.post(code=code[:digits] + wrong).seconds)
    for digits in range(8):
        lasted = times[digits]
        compared = _compared(lasted, times[0]) if digits else ("", "")
        yield digits, len(lasted), f"{1000 * statistics.median(lasted):.2f}", *compared


def _with_code(site: Site) -> tuple[Client, str]:
    """Give a browser at Enter code, and the code."""
    client, mail = site.guest()
    client.open(f"{site.home}/sign-in").submit(email=mail).expect(200)
    arrives = site.mailbox.expect(mail)
    client.submit().expect(200)
    return client, arrives.get(timeout=60)


def _rounds(seconds: float) -> Iterator[int]:
    """Count the rounds, three at least, for so long."""
    until, number = time.monotonic() + seconds, 0
    while number < 3 or time.monotonic() < until:
        yield number
        number += 1


def _compared(some: Sequence[float], others: Sequence[float]) -> tuple[str, str]:
    difference = 1000 * (statistics.median(some) - statistics.median(others))
    return f"{difference:+.2f}", f"{mann_whitney(some, others):.4f}"


def mann_whitney(some: Sequence[float], others: Sequence[float]) -> float:
    """Return how likely ranks at least so different are by chance (both sides, normal, ties accounted for)."""
    n, m = len(some), len(others)
    together = sorted([*some, *others])
    ties = Counter(together)
    first = {value: rank for rank, value in reversed(list(enumerate(together, 1)))}
    ranks = sum(first[value] + (ties[value] - 1) / 2 for value in some)
    mean, total = n * m / 2, n + m
    tied = sum(count**3 - count for count in ties.values())
    variance = n * m / 12 * (total + 1 - tied / (total * (total - 1)))
    away = abs(ranks - n * (n + 1) / 2 - mean) - 0.5
    return math.erfc(max(away, 0) / math.sqrt(2 * variance)) if variance else 1.0
