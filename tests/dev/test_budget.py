"""What a guest's page weighs, in every state of the gallery (UX rule 7). `pytest -s` prints it as a table.

Pages are never compressed on their way, since they hold a secret beside what was typed; so all that a page needs
is counted as it is, and page and stylesheet once more as if they were.
"""

import gzip
from dataclasses import dataclass

import click
import lxml.html
import pytest

from guestauth.web.dev import gallery
from guestauth.web.dev.states import GROUPS
from tests import SOAK
from tests.probe import ask
from tests.world import World

ARRIVALS = {"sign-in", "sign-in-filled", "invitation", "no-tenant"}  # with nothing kept; elsewhere the icon is
GUESTS = [states for group, states in GROUPS.items() if not group.startswith("Console")]
GUESTS_PAGES = [state.name for states in GUESTS for state in states]
DAILY = {*ARRIVALS, *GUESTS_PAGES[::7]}
PARTS = {
    "style": "//link[@rel='stylesheet']/@href",
    "script": "//script/@src",
    "icon": "//link[@rel='icon']/@href",
    "logo": "//header//img/@src",
}
MOST_ZIPPED, MOST, MOST_SCRIPT, MOST_REQUESTS = 14_000, 30_000, 4_096, 3


@dataclass(frozen=True)
class Weight:
    """Bytes of a page and of each part of it."""

    html: int
    style: int
    script: int
    icon: int
    logo: int
    zipped: int
    requests: int

    @property
    def whole(self) -> int:
        return self.html + self.style + self.script + self.icon

    @property
    def light(self) -> bool:
        small = self.zipped <= MOST_ZIPPED and self.whole <= MOST and self.script <= MOST_SCRIPT
        return small and self.requests <= MOST_REQUESTS + bool(self.logo)


def weighed(world: World, name: str, lang: str) -> Weight:
    """Weigh a page, and count what a browser asks for to show it."""
    with world.app.test_request_context():
        html = gallery.rendered(name, lang)[0]
    page = lxml.html.document_fromstring(html)
    bodies = {part: [answered(world, path) for path in page.xpath(where)] for part, where in PARTS.items()}
    sizes = {part: sum(map(len, found)) for part, found in bodies.items()}
    zipped = sum(len(gzip.compress(each)) for each in (html.encode(), *bodies["style"]))
    requests = 1 + sum(map(len, bodies.values())) - (name not in ARRIVALS)
    return Weight(html=len(html.encode()), zipped=zipped, requests=requests, **sizes)


def answered(world: World, address: str) -> bytes:
    path, _, query = address.partition("?")
    answer = ask(world.app, path, query=query)
    return answer.body if answer.status == 200 else b""


@pytest.mark.parametrize(
    "lang", ["en", *(pytest.param(tag, marks=pytest.mark.long) for tag in ("nl", "zh-Hant-TW"))]
)
def test_every_page_of_a_guest_is_light(sqlite_world: World, lang: str) -> None:
    weights = {name: weighed(sqlite_world, name, lang) for name in (GUESTS_PAGES if SOAK else DAILY)}
    line = "{:26} {:>6} {:>6} {:>6} {:>5} {:>5} {:>6} {:>12} {:>9}".format
    click.echo("\n" + line(lang, "HTML", "CSS", "script", "icon", "logo", "whole", "gzipped H+C", "requests"))
    for name, each in sorted(weights.items(), key=lambda item: -item[1].whole):
        parts = (each.html, each.style, each.script, each.icon, each.logo, each.whole, each.zipped, each.requests)
        click.echo(line(name, *parts))
    assert [name for name, each in weights.items() if not each.light] == []
