"""Fifty guests sign in at the same time, again and again, through four processes (catalogue X-01).

Bounded: a moment every day, a minute on each database in a soak. What a request cost is for the bench to say.
"""

import re
import threading
import time
from collections import Counter
from functools import partial

import pytest

from tests import SOAK
from tests.e2e.parallel import together
from tests.e2e.site import Site, wait_until
from tests.faults.invariants import check

GUESTS = 50 if SOAK else 8
SECONDS = 30 if SOAK else 0
INVITING = threading.Lock()  # fifty threads of one process are not what is tried here
ANSWER = re.compile(r" (\d{3}) \d+ ms")


def come_again_and_again(site: Site, until: float) -> Counter[str]:
    """Sign in as one new guest after the other until the time is over; count what was reached."""
    reached: Counter[str] = Counter()
    while not reached or time.monotonic() < until:
        with INVITING:
            mail = site.guest()
        browser = site.awaiting_consent(mail, "/fabrikam.example/apps/welcome-pack")
        reached[browser.submit("consent", button=("decision", "accept")).h1] += 1
    return reached


@pytest.mark.soak
@pytest.mark.case("X-01")
def test_crowd_gets_in_without_a_single_fault(unserved: Site) -> None:
    with unserved.serving(workers=4) as served:
        until = time.monotonic() + SECONDS
        reached = together(*[partial(come_again_and_again, unserved, until)] * GUESTS)
        wait_until(lambda: unserved.waiting() == 0)
        answers, said = Counter(ANSWER.findall(served.stderr())), served.stderr()
    assert not [each for each in reached if isinstance(each, BaseException)]
    assert sum(reached, Counter()).keys() == {"Welcome pack"}
    assert {status for status in answers if status >= "400"} == set()
    assert "locked" not in said and "Traceback" not in said
    check(unserved, [])
