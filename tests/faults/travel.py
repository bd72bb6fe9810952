"""People who sign in, one after the other, while what they talk to is killed.

The one thing to understand: they insist. When an answer is lost they press the same button again, as a person
reloads; so a code that was spent must let them in all the same. What each page says is noted in `told`; who waits
in vain for a letter goes on `waiting` with their browser, and gets in at the end.
Called by tests of kills.
"""

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import httpx

from tests.browser import Browser
from tests.e2e.site import HOME, Site
from tests.forms import submission

TRAVELLERS = 4
PATIENCE = 1.0  # seconds that somebody waits for a letter before the next one sets out
GIVE_UP = 200  # presses of one button, a moment apart
MISTYPED = 0.3  # of the codes at first


class Over(Exception):  # noqa: N818 -- a fact
    """Nobody answers any more, and nobody is to."""


@dataclass
class Travels:
    """What the travellers have seen."""

    site: Site
    over: threading.Event = field(default_factory=threading.Event)
    told: list[tuple[str, str]] = field(default_factory=list)
    waiting: list[tuple[Browser, str]] = field(default_factory=list)
    lost: int = 0  # answers that never came
    checked: int = 0  # of `told`

    def untold(self) -> list[tuple[str, str]]:
        """Give what was told since it was asked last."""
        now = len(self.told)
        fresh, self.checked = self.told[self.checked : now], now
        return fresh

    def counts(self) -> dict[str, int]:
        """Give how often each page was seen, and how many answers were lost."""
        return {**Counter(heading for heading, _ in self.told), "answers lost": self.lost}


@contextmanager
def travelling(site: Site) -> Iterator[Travels]:
    """Let people sign in while the block lasts."""
    travels = Travels(site)
    with ThreadPoolExecutor(TRAVELLERS) as threads:
        running = [threads.submit(_travel, travels) for _ in range(TRAVELLERS)]
        try:
            yield travels
        finally:
            travels.over.set()
    for done in running:
        done.result()


def finish(travels: Travels, most: int) -> None:
    """Let so many of those in who waited in vain, now that their letters have come."""
    travels.over.clear()
    for browser, mail in travels.waiting[:most]:
        _enter(travels, browser, mail)


def _travel(travels: Travels) -> None:
    while not travels.over.is_set():
        mail, browser = travels.site.guest(), travels.site.browser()
        try:
            _insist(travels, lambda browser=browser: browser.open(HOME))
            _press(travels, browser, "email-form", email=mail)
            _press(travels, browser, "send-code")
        except Over:
            return
        travels.told.append((browser.h1, mail))
        travels.waiting.append((browser, mail))
        if _comes(travels, mail):
            travels.waiting.remove((browser, mail))
            _enter(travels, browser, mail)


def _enter(travels: Travels, browser: Browser, mail: str) -> None:
    code = travels.site.code(mail)
    try:
        if random.random() < MISTYPED:
            _press(travels, browser, "enter-code", code=f"{(int(code) + 1) % 10**8:08d}")
        _press(travels, browser, "enter-code", code=code)
        travels.told.append((browser.h1, mail))
        _press(travels, browser, "consent", button=("decision", "accept"))
        travels.told.append((browser.h1, mail))
    except Over:
        return


def _comes(travels: Travels, mail: str) -> bool:
    """Wait a little for the letter."""
    with suppress(AssertionError):
        travels.site.sink.wait_until(lambda _: bool(travels.site.letters(mail)), PATIENCE)
    return bool(travels.site.letters(mail))


def _press(
    travels: Travels, browser: Browser, form: str, button: tuple[str, str] | None = None, **fields: object
) -> None:
    """Press a button until there is an answer, always the same; if it leads on, go there until there is a page."""
    sent = submission(browser.form(form), browser.url, button, fields)

    def act() -> Browser:
        answer = browser.response
        led_on = answer.next_request if answer else None
        return browser.open(str(led_on.url)) if led_on else browser.post(sent.url, sent.data)

    _insist(travels, act)


def _insist(travels: Travels, act: Callable[[], Browser]) -> None:
    for _ in range(GIVE_UP):
        try:
            act()
            return
        except httpx.TransportError as fault:
            travels.lost += not isinstance(fault, httpx.ConnectError)  # nobody heard it then
            if travels.over.wait(0.05):
                raise Over from None
    raise AssertionError("nobody answers")
