"""What happens to a test whose server or browser is not on this machine.

On a newcomer's machine the test is skipped with the reason; with `CI=true` absence is a failure, so that
continuous integration never passes by skipping.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import NoReturn, TypeVar

import pytest

Thing = TypeVar("Thing")


class Absent(Exception):  # noqa: N818 - a fact about the machine, not an error
    """Something a test needs cannot be had on this machine; the message is the reason."""


def require(thing: Thing | None, reason: str) -> Thing:
    """Give `thing` back; when it is None, skip the test with the reason (fail it when CI=true)."""
    if thing is None:
        _give_up(reason)
    return thing


@contextmanager
def or_skip(factory: Callable[[], AbstractContextManager[Thing]]) -> Iterator[Thing]:
    """Enter the factory's context for a fixture; when it is `Absent`, skip (fail when CI=true)."""
    with ExitStack() as stack:
        try:
            thing = stack.enter_context(factory())
        except Absent as absent:
            _give_up(str(absent))
        yield thing


def _give_up(reason: str) -> NoReturn:
    if os.environ.get("CI", "").lower() in ("true", "1"):
        pytest.fail(f"absent, and CI=true does not allow that: {reason}", pytrace=False)
    pytest.skip(reason)
