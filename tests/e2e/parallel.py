"""Many requests at once: what a form sends, sent again and again over many connections.

The one thing to understand: `Shot` is a form as its page would send it, with the browser's cookies, so that
every copy of it is the same browser pressing the same button; `volley` releases all threads at the same time.
Called by tests of races. It checks no page; the tests look at what the rows say.
"""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx

from tests.browser import Browser
from tests.forms import submission

T = TypeVar("T")


@dataclass(frozen=True)
class Shot:
    """One press of a button."""

    url: str
    data: dict[str, list[str]]
    headers: dict[str, str]

    def fire(self, client: httpx.Client, **changes: str) -> httpx.Response:
        """Send it, with some of its fields changed."""
        return client.post(self.url, data={**self.data, **changes}, headers=self.headers)


def aim(browser: Browser, form_id: str, button: tuple[str, str] | None = None, **fields: object) -> Shot:
    """Fill in a form of the browser's page without sending it."""
    sent = submission(browser.form(form_id), browser.url, button, fields)
    cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    return Shot(sent.url, sent.data, {"Cookie": cookies, "Referer": browser.url})


def volley(shots: Sequence[Callable[[httpx.Client], T]], *, connections: int) -> list[T]:
    """Fire all shots over so many connections at once; give what each came to, in their order."""
    barrier = threading.Barrier(connections)
    results: dict[int, Any] = {}

    def fire(lane: int) -> None:
        with httpx.Client(trust_env=False, timeout=30) as client:
            barrier.wait(10)
            for number in range(lane, len(shots), connections):
                results[number] = shots[number](client)

    with ThreadPoolExecutor(connections) as threads:
        for done in [threads.submit(fire, lane) for lane in range(connections)]:
            done.result()
    return [results[number] for number in range(len(shots))]


def together(*actions: Callable[[], Any]) -> list[Any]:
    """Do different things at the same moment; give what each came to, or the exception it ended with."""
    barrier = threading.Barrier(len(actions))

    def act(action: Callable[[], Any]) -> Any:
        barrier.wait(10)
        return action()

    with ThreadPoolExecutor(len(actions)) as threads:
        futures = [threads.submit(act, action) for action in actions]
        return [future.exception() or future.result() for future in futures]
