"""Every state of the gallery, and the demo kit's pages, under axe-core in Chromium (UX acceptance 1, 20, 21).

Every day a sample is looked at; a soak looks at all states, in both themes, on a phone and on a desk.
"""

from collections.abc import Iterator
from typing import Literal

import pytest
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Page, ViewportSize

from guestauth.web.dev.states import STATES
from tests.e2e.axe import SMALL_TARGETS, axe, found
from tests.e2e.person import SIDEWAYS
from tests.e2e.site import Site
from tests.servers import or_skip

DEV = ["/dev", "/dev/mailbox", "/dev/clock", "/dev/faults", "/dev/gallery?group=Errors", "/dev/qa", "/dev/reset"]
WIDTHS = (320, 1280)
PHONE: ViewportSize = {"width": 320, "height": 640}
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
SPACED = """* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important; }
p { margin-block-end: 2em !important; }"""


@pytest.fixture(scope="module")
def rules() -> Iterator[str]:
    """axe-core's script."""
    with or_skip(axe) as script:
        yield script


@pytest.fixture(scope="module")
def page(chromium: Chromium) -> Iterator[Page]:
    """A window; what is tested may be run in it although the page's own policy would not have it."""
    context = chromium.new_context(viewport=PHONE, bypass_csp=True, reduced_motion="reduce")
    yield context.new_page()
    context.close()


def wrong_with(page: Page, rules: str) -> list[str]:
    """Give what axe has against the page in each theme, as wide as a phone and as a desk."""
    page.evaluate(rules)
    lines = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        for theme in THEMES:
            page.emulate_media(color_scheme=theme)
            lines += [f"{width} px, {theme}: {line}" for line in found(page)]
    return lines


@pytest.mark.parametrize("name", STATES)
@pytest.mark.acceptance(1, 22)
def test_axe_finds_nothing_in_a_state(sqlite_site: Site, page: Page, rules: str, name: str) -> None:
    page.goto(f"{sqlite_site.url}/dev/gallery/{name}")
    assert wrong_with(page, rules) == []


@pytest.mark.parametrize("path", DEV)
def test_axe_finds_nothing_in_the_demo_kit(sqlite_site: Site, page: Page, rules: str, path: str) -> None:
    page.goto(sqlite_site.url + path)
    assert wrong_with(page, rules) == []


def test_axe_would_find_something(sqlite_site: Site, page: Page, rules: str) -> None:
    page.goto(f"{sqlite_site.url}/dev/gallery/enter-code")
    page.evaluate("document.querySelector('label').remove(); document.querySelector('h1').style.color = '#bbb'")
    wrong = {line.split(": ")[1] for line in wrong_with(page, rules)}
    assert wrong == {"label", "color-contrast"}


@pytest.mark.parametrize("lang", ["en", "en-XA", "en-XB"])
@pytest.mark.parametrize("name", STATES)
@pytest.mark.acceptance(21, 24)
def test_no_state_scrolls_sideways_on_a_phone(sqlite_site: Site, page: Page, name: str, lang: str) -> None:
    page.set_viewport_size(PHONE)
    page.goto(f"{sqlite_site.url}/dev/gallery/{name}?lang={lang}")  # 320 px are 1280 at a zoom of 400 %, too
    assert page.evaluate(SIDEWAYS) <= 0
    page.add_style_tag(content=SPACED)
    assert page.evaluate(SIDEWAYS) <= 0, "with more space between lines, words and letters"


@pytest.mark.parametrize("name", STATES)
@pytest.mark.acceptance(20)
def test_what_is_pressed_is_large_enough(sqlite_site: Site, page: Page, name: str) -> None:
    page.set_viewport_size(PHONE)
    page.goto(f"{sqlite_site.url}/dev/gallery/{name}")
    assert page.evaluate(SMALL_TARGETS) == []
