"""The machine: which processor does what, and what the system says that processes have used.

The one thing to understand: the server and its database share one processor, the guests' browsers and the mail
server have another; so what is measured is the server's. The system keeps the accounts of each process.
"""

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")
ALL = sorted(os.sched_getaffinity(0))
SERVER, DRIVER = ({ALL[0]}, set(ALL[1:2])) if len(ALL) > 1 else (set(ALL), set(ALL))


@dataclass
class Cost:
    """What a block took: seconds on the clock, processor seconds of the server and of the database.

    `threads` are those of the server's that its processes' other threads took: of sync workers, the mail's.
    """

    seconds: float = 0
    server: float = 0
    database: float = 0
    threads: float = 0

    @property
    def busy(self) -> float:
        """How much of its processor the server and the database took, from 0 to 1."""
        return (self.server + self.database) / self.seconds


@contextmanager
def on(processors: set[int]) -> Iterator[None]:
    """Start processes and threads on these processors while the block lasts."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, processors)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextmanager
def costs(server: int, database: int | None) -> Iterator[Cost]:
    """Measure a block; `server` and `database` are the processes that have all others as children."""
    cost, began = Cost(), time.perf_counter()
    before = used(server), used(database), in_main_threads(server)
    yield cost
    cost.seconds = time.perf_counter() - began
    cost.server, cost.database = used(server) - before[0], used(database) - before[1]
    cost.threads = cost.server - (in_main_threads(server) - before[2])


def used(parent: int | None) -> float:
    """Add up the processor seconds, user and system, of a process and its children, those that ended too."""
    return sum(sum(map(int, _stat(pid)[11 : 15 if pid == parent else 13])) for pid in family(parent)) / TICK


def in_main_threads(parent: int) -> float:
    """Add up the processor seconds of the main threads of a process and its children."""
    return sum(sum(map(int, _stat(f"{pid}/task/{pid}")[11:13])) for pid in family(parent)) / TICK


def memory(parent: int | None) -> float:
    """Add up the MB that a process and its children have in memory, each its share of what is shared (PSS)."""
    found = [Path(f"/proc/{pid}/smaps_rollup").read_text().split("Pss:")[1] for pid in family(parent)]
    return sum(int(text.split()[0]) for text in found) / 1024


def family(parent: int | None) -> list[int]:
    """Return a process and its children."""
    if parent is None:
        return []
    return [parent, *map(int, Path(f"/proc/{parent}/task/{parent}/children").read_text().split())]


def additions() -> float:
    """Time ten million additions in Python: 0.5 s on a usual machine."""
    began, total = time.perf_counter(), 0
    for number in range(10_000_000):
        total += number
    return time.perf_counter() - began


def repeat(action: Callable[[], object], *, at_once: int = 1, seconds: float, least: int = 20) -> list[float]:
    """Do an action again and again, so many at once, for so long; give how long each took, in seconds.

    :param least: how often in any case; ten times as long at the most.
    """
    lasted: list[float] = []
    faults: list[BaseException] = []
    began = time.perf_counter()

    def lane() -> None:
        try:
            while not faults and not _is_over(began, seconds, len(lasted) >= least):
                start = time.perf_counter()
                action()
                lasted.append(time.perf_counter() - start)
        except BaseException as fault:
            faults.append(fault)

    if at_once == 1:  # in this thread: a profile sees no other
        lane()
    lanes = [threading.Thread(target=lane) for _ in range(at_once if at_once > 1 else 0)]
    for each in lanes:
        each.start()
    for each in lanes:
        each.join()
    if faults:
        raise faults[0]
    return lasted


def _is_over(began: float, seconds: float, enough: bool) -> bool:
    lasted = time.perf_counter() - began
    return lasted > seconds and (enough or lasted > 10 * seconds)


def _stat(pid: int | str) -> list[str]:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):  # it has ended meanwhile: its parent has its times
        return ["0"] * 50
