"""The courier: the threads that carry letters from the outbox to the mail server.

What it does: `start` lets one thread lease letters and several send them side by side; `run_once` sends
what is due and returns; `check_health` asks the mail server now and then.

The one thing to understand: one sender alone is capped at one letter per round trip of the mail server, and
one slow recipient would hold up all others; so every process has `MAIL_CONNECTIONS` of them.

What must stay true: a new letter wakes the courier at once; a fault of one letter stops no other; stopping
waits for what is on its way.

Called by gunicorn's hooks, the first request, and `flask mail deliver`. It knows nothing of what it carries.
"""

import logging
import math
import os
import queue
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta

from flask import Flask, current_app
from sqlalchemy.exc import SQLAlchemyError

from guestauth import housekeeping, mail_health, outbox, smtp, turns
from guestauth.connections import let_go
from guestauth.models import Letter

SOON = 0.05  # seconds until it is looked again whether the mail server is back
POLL = timedelta(seconds=2)  # another process's letters are found this late at the most
CHECK = timedelta(seconds=30)  # between two questions to the mail server
ASK = timedelta(minutes=1)  # between two questions whether housekeeping is due
log = logging.getLogger(__name__)


class Bell:
    """An event that a signal's handler may set: a `threading.Event` could wait for its own lock then."""

    def __init__(self) -> None:
        self._rung: queue.SimpleQueue[None] = queue.SimpleQueue()

    def set(self) -> None:
        """Ring, once however often."""
        if self._rung.empty():
            self._rung.put(None)

    def wait(self, seconds: float) -> bool:
        """Wait until it is rung, or the time is over, and forget that it was; say whether."""
        with suppress(queue.Empty):
            self._rung.get(timeout=seconds)
            return True
        return False


@dataclass
class Courier:
    """What the threads of one process share."""

    process: int = 0
    wake: Bell = field(default_factory=Bell)
    stopping: bool = False
    starting: threading.Lock = field(default_factory=threading.Lock)
    thread: threading.Thread | None = None
    asked: float = -math.inf  # seconds of the monotonic clock: last asked what else is due
    house_kept: float = -math.inf  # seconds of the monotonic clock: last asked whether it is due

    def is_running(self) -> bool:
        """Whether this process delivers; a fork has none of its parent's threads."""
        return self.process == os.getpid() and self.thread is not None and self.thread.is_alive()


def of(app: Flask) -> Courier:
    """Return the courier of this app in this process."""
    courier: Courier = app.extensions["guestauth_courier"]
    return courier


def wake() -> None:
    """Look at the outbox, and ask the mail server if that is due, right now."""
    courier = of(current_app)
    courier.asked = -math.inf
    courier.wake.set()


def ensure_running(app: Flask) -> None:
    """Start delivering in this process unless it does already (after a fork threads are gone)."""
    courier = of(app)
    if app.config["MAIL_DELIVERY"] != "inline" or courier.is_running():
        return
    with courier.starting:
        if not courier.is_running():
            courier.process = os.getpid()
            courier.thread = threading.Thread(target=run, args=(app,), name="courier", daemon=True)
            courier.thread.start()


def stop(app: Flask, *, within: float = 15.0) -> None:
    """Let the letters on their way arrive, then stop.

    :param within: seconds to wait at the most.
    """
    courier = of(app)
    courier.stopping = True
    courier.wake.set()
    if courier.thread is not None and courier.is_running():
        courier.thread.join(within)


def run(app: Flask) -> None:
    """Deliver until told to stop."""
    courier, hands = of(app), app.config["MAIL_CONNECTIONS"]
    slots = threading.Semaphore(hands)
    with ThreadPoolExecutor(hands, "courier") as threads, ThreadPoolExecutor(2, "courier's house") as house:
        others = {task: house.submit(task, app) for task in (check_health, keep_house)}
        is_rung = True
        while not courier.stopping:
            if time.monotonic() > courier.asked + POLL.total_seconds():
                courier.asked = time.monotonic()
                others |= {task: house.submit(task, app) for task, last in others.items() if last.done()}
            if rest := smtp.rest():  # whoever rings now is heard after it
                courier.wake.wait(rest)
                is_rung = False
                continue
            pause = 0.0 if is_rung else _pause(app)  # who rings has posted a letter: no need to look
            if not pause:
                alone = smtp.is_away()
                carried = _carry(app, threads, slots, most=1 if alone else hands)
                while alone and smtp.is_away() and not courier.stopping and wait(carried, SOON).not_done:
                    pass  # one letter finds out whether the mail server is back
                pause = 0.0 if carried else POLL.total_seconds()
            is_rung = pause > 0 and courier.wake.wait(pause)


def run_once(app: Flask) -> int:
    """Send everything that is due now and return how many letters were tried."""
    hands, tried = app.config["MAIL_CONNECTIONS"], 0
    slots = threading.Semaphore(hands)
    with ThreadPoolExecutor(hands, "courier") as threads:
        while carried := _carry(app, threads, slots, most=hands):
            tried += len(carried)
    return tried


def check_health(app: Flask) -> None:
    """Ask the mail server whether it would take a letter, if it is time to, and note the answer."""
    with app.app_context():
        try:
            if turns.take("mail check", every=CHECK):
                mail_health.note_health(_fault(app))
        except Exception:
            log.exception("the mail server's health could not be noted")


def keep_house(app: Flask) -> None:
    """Delete what nobody needs any more, if that is due; asked once a minute, and ended when delivery is."""
    courier, moment = of(app), time.monotonic()
    if moment < courier.house_kept + ASK.total_seconds():
        return
    courier.house_kept = moment
    with app.app_context():
        try:
            housekeeping.run_if_due(lambda: courier.stopping)
        except Exception:
            log.exception("housekeeping stopped half way; it goes on in an hour")


def _fault(app: Flask) -> str | None:
    let_go()
    if app.config["MAIL_SERVER"]:
        try:
            smtp.probe()
        except smtp.NotSent as answer:
            return str(answer)
    return None


def _carry(
    app: Flask, threads: ThreadPoolExecutor, slots: threading.Semaphore, *, most: int
) -> list[Future[None]]:
    """Lease as many letters as there are free hands, `most` at the most, and hand them out."""
    slots.acquire()
    free = 1 + sum(slots.acquire(blocking=False) for _ in range(most - 1))
    leased = [] if of(app).stopping else _lease(app, free)  # asked to stop while all hands were full?
    for _ in range(free - len(leased)):
        slots.release()
    return [threads.submit(_deliver, app, letter, slots) for letter in leased]


def _lease(app: Flask, most: int) -> Sequence[Letter]:
    with app.app_context():
        try:
            return outbox.lease(most)
        except SQLAlchemyError:
            log.warning("the outbox could not be read", exc_info=True)
    return []


def _deliver(app: Flask, letter: Letter, slots: threading.Semaphore) -> None:
    try:
        with app.app_context():
            outbox.deliver(letter)
    except Exception:
        log.exception("letter %s could not be delivered; it goes again when its lease runs out", letter.id)
    finally:
        slots.release()


def _pause(app: Flask) -> float:
    with app.app_context():
        try:
            due = outbox.next_due()
        except SQLAlchemyError:
            due = None
    return (POLL if due is None else min(due, POLL)).total_seconds()
