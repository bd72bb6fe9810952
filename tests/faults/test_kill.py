"""Processes are killed without warning at moments that nobody chose, amid people signing in (B36; L-11, F-13).

After each kill all that must be true is asked of the rows (`invariants.py`). A sample here; in a soak 200 kills
of web processes, which deliver too, and 100 of delivery processes, which take longer to start, on each database.
"""

import os
import random
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests import SOAK
from tests.e2e.site import Site, delivering, wait_until
from tests.faults.invariants import check
from tests.faults.mail import arrivals, invite, recover
from tests.faults.travel import Travels, finish, travelling
from tests.servers import Served
from tests.servers.process import kill

KILLS = 100 if SOAK else 6
ROUND = 20 if SOAK else 3  # kills until all of it is killed at once, arbiter and workers
LATE = 40 if SOAK else 6  # of those whose letter did not come in time, who enter their code at the end
LONGEST = 240  # seconds for the kills of one test, however slow the machine
DELIVERING = 3  # processes at once
ENDS = "SELECT outcome, reason, count(*) FROM letters GROUP BY outcome, reason"
Note = Callable[[str, object], None]
pytestmark = pytest.mark.soak


class Kills:
    """Counts kills until there were enough or the time is over."""

    def __init__(self, most: int) -> None:
        self.most, self.number, self.began = most, 0, time.monotonic()

    def more(self) -> bool:
        return self.number < self.most and self.minutes() * 60 < LONGEST

    def count(self) -> None:
        self.number += 1

    def minutes(self) -> float:
        return (time.monotonic() - self.began) / 60


def pause(travels: Travels) -> None:
    """Wait until people get on, and then for a moment that nobody chose."""
    before = len(travels.told)
    wait_until(lambda: len(travels.told) > before, seconds=30)
    threading.Event().wait(random.uniform(0, 0.15))


def a_worker(served: Served) -> int:
    """Find a process that serves, and lives; beside them gunicorn has its guard."""
    wait_until(lambda: bool(workers(served)))
    return random.choice(workers(served))


def workers(served: Served) -> list[int]:
    children = Path(f"/proc/{served.pid}/task/{served.pid}/children").read_text().split()
    return [int(child) for child in children if is_worker(child)]


def is_worker(pid: str) -> bool:
    try:
        _, _, stat = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")
        return not stat.startswith("Z") and Path(f"/proc/{pid}/comm").read_text() != "sh\n"
    except OSError:
        return False


def kill_workers(site: Site, travels: Travels, kills: Kills) -> None:
    """Serve it, kill one worker after the other, and at last all of it."""
    with site.serving(workers=4) as served:
        for _ in range(ROUND - 1):
            pause(travels)
            os.kill(a_worker(served), signal.SIGKILL)
            kills.count()
            check(site, travels.untold())
            if not kills.more():
                return
        pause(travels)
        served.kill()
        kills.count()


def settle(site: Site, travels: Travels) -> None:
    """Let every letter leave and those in who waited for one; then look at everything once more."""
    recover(site)
    finish(travels, LATE)
    check(site, travels.told)


def report(note: Note, site: Site, travels: Travels, kills: Kills, minutes: float) -> None:
    """Note in the report what was killed, and what came of it."""
    note("kills", kills.number)
    note("kills a minute", round(kills.number / minutes))
    note("pages", travels.counts())
    note("letters", [tuple(row) for row in site.world.rows(ENDS)])
    note("letters that arrived more than once", sum(n > 1 for n in arrivals(site).values()))


@pytest.mark.case("L-11", "F-13")
def test_kills_of_web_processes_lose_and_invent_nothing(unserved: Site, record_property: Note) -> None:
    kills = Kills(KILLS)
    with travelling(unserved) as travels:
        while kills.more():
            kill_workers(unserved, travels, kills)
            check(unserved, travels.untold())
        minutes = kills.minutes()
    with unserved.serving():
        settle(unserved, travels)
    report(record_property, unserved, travels, kills, minutes)


@pytest.mark.long
@pytest.mark.case("F-13")
def test_kills_of_delivery_lose_no_letter(undelivered: Site, record_property: Note) -> None:
    kills = Kills(KILLS // 2)
    with undelivered.serving(workers=2), ExitStack() as stack:
        at_work = [stack.enter_context(delivering(undelivered)) for _ in range(DELIVERING)]
        with travelling(undelivered) as travels:
            while kills.more():
                kill_delivery(undelivered, travels, at_work)
                kills.count()
                at_work.append(stack.enter_context(delivering(undelivered)))
                check(undelivered, travels.untold())
            minutes = kills.minutes()
        settle(undelivered, travels)
    report(record_property, undelivered, travels, kills, minutes)


def kill_delivery(site: Site, travels: Travels, at_work: list[subprocess.Popen[bytes]]) -> None:
    """Kill the process that has delivered longest, once another letter has arrived."""
    came = len(site.sink.letters)
    invite(site, 1)
    site.sink.wait_until(lambda sink: len(sink.letters) > came, 30)
    threading.Event().wait(random.uniform(0, 0.1))
    kill(at_work.pop(0))
