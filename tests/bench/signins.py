"""Sign-ins and signed-in pages, of the floor and of GuestAuth by turns; what they cost, and how that grows."""

import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import click

from tests.bench import Row, table
from tests.bench.driver import Client
from tests.bench.processes import Cost, memory, repeat
from tests.bench.sites import Site

SIGN_INS = (
    "guests ",
    "site        ",
    "at once",
    "sign-ins",
    "per second",
    "server CPU ms",
    "of it threads",
    "database CPU ms",
)
PAGES = ("guests ", "page    ", "site        ", "per second", "CPU ms", ": floor", "p50 ms", "p95 ms", "p99 ms")


@dataclass
class Costs:
    """The processor time of one sign-in or page, in ms, as measured: by what, site and number of guests."""

    found: dict[tuple[str, str, int], float] = field(default_factory=dict)
    guests: list[int] = field(default_factory=list)

    def warm_up(self, *sites: Site) -> None:
        """Let each process and connection have done all of it before."""
        self.guests.append(sites[0].base.guests)
        for site in sites:
            repeat(site.sign_in, at_once=4, seconds=0, least=40)

    def sign_ins(self, floor: Site, ours: Site | None, at_once: Sequence[int], seconds: float) -> None:
        """Measure whole sign-ins."""
        head = (*SIGN_INS, "together", ": floor", "busy", "p50 ms", "p95 ms", "p99 ms")
        table(head, self._sign_ins([floor, ours] if ours else [floor], at_once, seconds))

    def _sign_ins(self, sites: list[Site], at_once: Sequence[int], seconds: float) -> Iterator[Row]:
        for lanes in at_once:
            for site in sites:
                with site.costs() as cost:
                    lasted = repeat(site.sign_in, at_once=lanes, seconds=seconds, least=max(20, lanes * 2))
                each = ms(cost.server, lasted), ms(cost.threads, lasted), ms(cost.database, lasted)
                ratio = self._note(f"sign-in, {lanes} at once", site, each[0] + each[2])
                counted = len(lasted), f"{len(lasted) / cost.seconds:.1f}", *(f"{one:.1f}" for one in each)
                yield (
                    site.base.guests,
                    site.name,
                    lanes,
                    *counted,
                    f"{each[0] + each[2]:.1f}",
                    ratio,
                    share(cost),
                    *spread(lasted),
                )

    def pages(self, floor: Site, ours: Site, seconds: float) -> None:
        """Measure what is shared, and one of it, as its guest sees them."""
        table(PAGES, self._pages([floor, ours], seconds))

    def _pages(self, sites: list[Site], seconds: float) -> Iterator[Row]:
        browsers = {site.name: site.sign_in() for site in sites}
        for words in ("list", "resource"):
            for site in sites:
                path = site.home if words == "list" else site.page
                with site.costs() as cost:
                    lasted = repeat(opening(browsers[site.name], path), seconds=seconds)
                each = ms(cost.server + cost.database, lasted)
                ratio = self._note(words, site, each)
                speed = f"{len(lasted) / cost.seconds:.1f}"
                yield site.base.guests, words, site.name, speed, f"{each:.2f}", ratio, *spread(lasted)

    def growth(self) -> None:
        """Print how costs grow with the number of guests."""
        head = ("what              ", "site        ", *(f"{guests:,} guests" for guests in self.guests), "growth")
        table(head, self._growth())

    def _growth(self) -> Iterator[Row]:
        for what, site in dict.fromkeys((what, site) for what, site, _ in self.found):
            each = [self.found.get((what, site, guests)) for guests in self.guests]
            if each[0] and each[-1]:
                figures = [f"{one:.2f} ms" if one else "" for one in each]
                yield what, site, *figures, f"{100 * (each[-1] / each[0] - 1):+.0f} %"

    def _note(self, what: str, site: Site, cost: float) -> str:
        """Keep a figure; give its ratio to the floor's."""
        self.found[what, site.name, site.base.guests] = cost
        floor = self.found.get((what, "floor", site.base.guests))
        return f"{cost / floor:.2f}" if floor else ""


def processes_of(*sites: Site) -> None:
    """Print what each site has in memory, and how long it took to start."""
    rows = [(site.name, f"{memory(site.served.pid):.0f}", f"{site.started:.1f}") for site in sites]
    table(("site        ", "memory MB (PSS, 3 processes)", "start-up s"), rows)
    if sites[0].base.pid:
        click.echo(f"PostgreSQL has {memory(sites[0].base.pid):.0f} MB for both.\n")


def opening(client: Client, path: str) -> Callable[[], object]:
    """Give the action of opening a page."""
    return lambda: client.open(path).expect(200)


def ms(seconds: float, lasted: Sequence[float]) -> float:
    """Share processor seconds out among what was done, in ms."""
    return 1000 * seconds / len(lasted)


def share(cost: Cost) -> str:
    """Say how busy the server's processor was with it."""
    return f"{100 * cost.busy:.0f} %"


def spread(lasted: Sequence[float]) -> list[str]:
    """Give the median, the 95th and the 99th percentile, in ms."""
    cuts = statistics.quantiles(lasted, n=100)
    return [f"{1000 * cuts[n - 1]:.1f}" for n in (50, 95, 99)]
