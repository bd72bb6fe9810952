"""Processes are killed at random moments, or asked to end, amid people signing in (B36, L-11, F-11, F-13).

A sample here; hundreds of kills on each database under `make soak`. What must stay true stands in `NEVER`.
"""

import os
import random
import signal
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path

import httpx
import pytest

from tests.browser import Browser
from tests.e2e.conftest import SOAK
from tests.e2e.parallel import together
from tests.e2e.site import HOME, Prepare, Site, behind, delivering, wait_until
from tests.servers import Served
from tests.servers.process import kill

KILLS = 200 if SOAK else 2
LONGEST = 120  # seconds for the kills of one test, however slow the machine
TRAVELLERS = 4
NEVER = {
    "a session without a sign-in that was used for it": """
        SELECT s.id FROM sessions s LEFT JOIN sign_ins i ON i.id = s.sign_in_id WHERE i.consumed_at IS NULL""",
    "a used sign-in without its session": """
        SELECT i.id FROM sign_ins i LEFT JOIN sessions s ON s.sign_in_id = i.id
        WHERE i.consumed_at IS NOT NULL AND s.id IS NULL""",
    "a sign-in that counted other codes than it was sent": """
        SELECT i.id FROM sign_ins i
        WHERE i.sends != (SELECT count(*) FROM passcodes p WHERE p.sign_in_id = i.id)""",
    "a code without its letter": """
        SELECT p.sign_in_id FROM passcodes p LEFT JOIN letters l ON l.subject_id = p.sign_in_id AND l.n = p.n
        WHERE l.id IS NULL""",
    "a letter that waits": "SELECT id FROM letters WHERE done_at IS NULL",
    "a letter that was not sent for no reason": """
        SELECT id FROM letters WHERE done_at IS NOT NULL AND outcome != 'sent' AND reason IS NULL""",
    "a guest who accepted other than once": """
        SELECT u.id FROM users u WHERE u.user_type = 'Guest' AND (u.state = 'Accepted') !=
        (1 = (SELECT count(*) FROM events e WHERE e.name = 'invitation.redeemed' AND e.user_id = u.id))""",
}
TOLD = {  # what a page said → what then is in the database for good
    "Check your email": "SELECT 1 FROM sign_ins WHERE address = :mail AND sends = 1",
    "Review permissions": "SELECT 1 FROM sessions JOIN users ON users.id = user_id WHERE mail = :mail",
    "Fabrikam apps": "SELECT 1 FROM users WHERE mail = :mail AND state = 'Accepted'",
}


@pytest.fixture(params=["sqlite", "postgresql"])
def killed(request: pytest.FixtureRequest, prepare: Prepare) -> Iterator[Site]:
    """A site that is not served yet, on each database."""
    with behind(prepare(request.param)) as made:
        yield made


def rounds(record_property: Callable[[str, object], None]) -> Iterator[int]:
    """Count two kills a round until there were enough or the time is over; say in the report how many."""
    deadline = time.monotonic() + LONGEST
    for kills in range(2, KILLS + 1, 2):
        if time.monotonic() < deadline:
            yield kills
            record_property("kills", kills)


def travel(site: Site, over: threading.Event, told: list[tuple[str, str]]) -> None:
    """Sign in as one new guest after the other until it is over; note what each page says."""
    while not over.is_set():
        mail = site.guest()
        try:
            browser = site.awaiting_code(mail)
            told.append((browser.h1, mail))
            wait_until(lambda mail=mail: over.is_set() or bool(site.letters(mail)), seconds=60)
            if not over.is_set():
                told.append((browser.submit("enter-code", code=site.code(mail)).h1, mail))
                told.append((browser.submit("consent", button=("decision", "accept")).h1, mail))
        except httpx.TransportError:
            continue


@contextmanager
def travelling(site: Site, told: list[tuple[str, str]]) -> Iterator[threading.Event]:
    """Let people sign in while the block lasts; it may end them earlier by the event."""
    over = threading.Event()
    with ThreadPoolExecutor(TRAVELLERS) as threads:
        travels = [threads.submit(travel, site, over, told) for _ in range(TRAVELLERS)]
        try:
            yield over
        finally:
            over.set()
    for done in travels:
        done.result()


def kill_amid_travel(site: Site, told: list[tuple[str, str]]) -> None:
    """Serve, and kill first a worker and then all of it, at moments that nobody chose."""
    before = len(told)
    with site.serving(workers=2) as served, travelling(site, told) as over:
        wait_until(lambda: len(told) > before)
        over.wait(random.uniform(0, 0.3))
        os.kill(random.choice(workers(served)), signal.SIGKILL)
        over.wait(random.uniform(0, 0.3))
        served.kill()


def workers(served: Served) -> list[int]:
    """Find the processes that serve; beside them gunicorn has its guard."""
    children = Path(f"/proc/{served.pid}/task/{served.pid}/children").read_text().split()
    return [int(child) for child in children if Path(f"/proc/{child}/comm").read_text() != "sh\n"]


def recover(site: Site) -> None:
    """Let leases run out and letters leave."""
    for _ in range(20):
        if not site.waiting():
            return
        site.advance(400)
        wait_until(lambda: site.waiting() == 0 or bool(site.world.rows(RETRIED)), seconds=5)
    raise AssertionError("letters do not leave although all is well")


RETRIED = "SELECT 1 FROM letters WHERE done_at IS NULL AND lease IS NULL AND tries > 0"


def check(site: Site, told: list[tuple[str, str]]) -> None:
    """Check that nothing is there that must never be, and everything that somebody was told."""
    for what, statement in NEVER.items():
        assert not site.world.rows(statement), what
    for heading, mail in told:
        assert site.world.rows(TOLD[heading], mail=mail), f"{mail} saw {heading!r}, and it is not so"
    arrived = {str(letter.message["Message-ID"]).strip("<>").partition("@")[0] for letter in site.sink.letters}
    sent = site.world.rows("SELECT id FROM letters WHERE outcome = 'sent'")
    assert {str(uuid.UUID(str(row[0]))) for row in sent} <= arrived
    if "DATABASE_URL" not in site.settings:
        assert site.world.rows("PRAGMA integrity_check") == [("ok",)]
        assert site.world.rows("PRAGMA foreign_key_check") == []


@pytest.mark.soak
def test_kills_of_web_processes_lose_and_invent_nothing(
    killed: Site, record_property: Callable[[str, object], None]
) -> None:
    told: list[tuple[str, str]] = []
    for _ in rounds(record_property):
        kill_amid_travel(killed, told)
    with killed.serving():
        recover(killed)
        check(killed, told)


@pytest.mark.soak
@pytest.mark.long
def test_kills_of_delivery_lose_no_letter(killed: Site, record_property: Callable[[str, object], None]) -> None:
    killed.settings["MAIL_DELIVERY"] = "worker"
    told: list[tuple[str, str]] = []
    with killed.serving(workers=2):
        with travelling(killed, told):
            for _ in rounds(record_property):
                kill_amid_delivery(killed, processes=2)
        with delivering(killed):
            recover(killed)
            check(killed, told)


def kill_amid_delivery(site: Site, *, processes: int) -> None:
    """Deliver with so many processes, and kill each at a moment that nobody chose."""
    with ExitStack() as stack:
        started = [stack.enter_context(delivering(site)) for _ in range(processes)]
        came = len(site.sink.letters)
        site.sink.wait_until(lambda sink: len(sink.letters) > came)
        for process in started:
            threading.Event().wait(random.uniform(0, 0.2))
            kill(process)


@pytest.mark.long
def test_code_asked_for_before_a_power_cut_works_after_it(killed: Site) -> None:
    mail = killed.guest()
    with killed.serving() as served:
        page = killed.awaiting_code(mail)
        code = killed.code(mail)
        served.kill()
    with killed.serving():
        assert page.submit("enter-code", code=code).h1 == "Review permissions"


@pytest.mark.long
def test_ending_gunicorn_amid_requests_loses_nothing(killed: Site) -> None:
    answered = threading.Event()
    killed.sink.delay(0.2)
    with killed.serving(workers=2) as served:
        pages = {mail: at_send_code(killed, mail) for mail in [killed.guest() for _ in range(8)]}
        presses = [partial(press, page, answered) for page in pages.values()]
        *arrived, code = together(*presses, lambda: answered.wait(10) and served.terminate())
    assert code == 0
    told = [("Check your email", mail) for mail, there in zip(pages, arrived, strict=True) if there]
    with killed.serving():
        wait_until(lambda: killed.waiting() == 0)
        assert {len(killed.letters(mail)) for _, mail in told} == {1}
        check(killed, told)


def at_send_code(site: Site, mail: str) -> Browser:
    return site.browser().open(HOME).submit("email-form", email=mail)


def press(page: Browser, answered: threading.Event) -> bool:
    """Press Send code; whether the site took it, even if it was gone before the next page."""
    with suppress(httpx.TransportError):
        page.submit("send-code")
        answered.set()
    return page.status == httpx.codes.SEE_OTHER or page.h1 == "Check your email"
