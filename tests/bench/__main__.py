"""The order of the measurements, and how long each may take."""

import os
import sys
import time
from dataclasses import dataclass

import click

from tests import servers
from tests.bench import mail, parity, processes, profile, signins
from tests.bench.sites import GTHREAD, Base, bases, fill, serving
from tests.servers import Sink


@dataclass(frozen=True)
class Effort:
    """How many guests, and for how many seconds each figure is measured."""

    guests: tuple[int, ...]
    seconds: float
    parity: float


EFFORTS = {
    "smoke": Effort((1000, 2000), 0.3, 0.5),
    "usual": Effort((1000, 100_000, 1_000_000), 3.5, 60),
    "full": Effort((1000, 100_000, 1_000_000), 20, 300),
}


def main() -> None:
    """Measure on both databases and print."""
    word = os.environ.get("GUESTAUTH_BENCH", "usual")
    if word not in EFFORTS:
        sys.exit(f"GUESTAUTH_BENCH: write one of {', '.join(EFFORTS)}")
    began = time.monotonic()
    os.sched_setaffinity(0, processes.DRIVER)
    sys.setswitchinterval(0.0005)  # guests and mail server share a process: none waits long for its turn
    shared = "" if processes.SERVER != processes.DRIVER else " (which all share: there is but one)"
    click.echo(
        f"Python {sys.version.split()[0]}, gunicorn with 2 processes; server and database on one processor{shared}"
    )
    click.echo(f"ten million additions: {processes.additions():.2f} s at the start\n")
    with bases() as found, servers.smtp_sink() as sink:
        for base in found:
            click.echo(f"## {base.name}\n")
            measure(base, sink, EFFORTS[word])
    click.echo(f"ten million additions: {processes.additions():.2f} s at the end")
    click.echo(f"took {time.monotonic() - began:.0f} s")


def measure(base: Base, sink: Sink, effort: Effort) -> None:
    """Measure everything on one database."""
    with serving("floor", base, sink) as floor, serving("GuestAuth", base, sink) as ours:
        costs = signins.Costs()
        for guests in effort.guests:
            fill(base, guests)
            costs.warm_up(floor, ours)
            costs.sign_ins(floor, ours, (1, 8, 32) if guests == effort.guests[0] else (1,), effort.seconds)
            costs.pages(floor, ours, effort.seconds / 2)
        costs.growth()
        signins.processes_of(floor, ours)
        mail.slow(sink, floor, ours, effort.seconds)
    with serving("with threads", base, sink, GTHREAD) as threaded:
        costs.sign_ins(threaded, None, (1, 8), effort.seconds / 2)
    with serving("GuestAuth", base, sink) as ours:
        parity.measure(ours, sink, effort.parity)
    profile.measure(base, sink, effort.seconds * 2)
    with serving("GuestAuth", base, sink) as ours:  # the last: letters wait behind it
        mail.in_trouble(sink, ours, effort.seconds)


if __name__ == "__main__":
    main()
