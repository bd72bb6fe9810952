"""What a state of the gallery is."""

from collections.abc import Callable
from dataclasses import dataclass

from guestauth.web.dev.stage import Stage
from guestauth.web.dev.visitor import Visitor


@dataclass(frozen=True)
class State:
    """A state of a page: its name in addresses, its title, the way there, and the page's status."""

    name: str
    title: str
    journey: Callable[[Stage], Visitor]
    status: int = 200
