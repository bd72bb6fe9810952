"""Every state of the gallery, and the demo kit's pages, under axe-core in Chromium (UX acceptance 1, 20, 21).

Every day a sample is looked at; a soak looks at all states, in both themes, on a phone and on a desk.
"""

from collections.abc import Iterator
from typing import Literal

import pytest
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Page

from guestauth.web.dev.states import STATES
from tests.e2e.axe import SMALL_TARGETS, axe, found
from tests.e2e.person import SIDEWAYS
from tests.e2e.site import Site
from tests.servers import or_skip

DEV = ["/dev", "/dev/mailbox", "/dev/clock", "/dev/faults", "/dev/gallery?group=Errors", "/dev/qa", "/dev/reset"]
WIDTHS = [320, 1280]
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
    context = chromium.new_context(viewport={"width": 320, "height": 640}, bypass_csp=True)
    yield context.new_page()
    context.close()


@pytest.fixture(params=WIDTHS)
def each_page(request: pytest.FixtureRequest, page: Page) -> Iterator[Page]:
    """A window as wide as a phone's, and as a desk's."""
    page.set_viewport_size({"width": request.param, "height": 900})
    yield page
    page.set_viewport_size({"width": 320, "height": 640})


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", STATES)
def test_axe_finds_nothing_in_a_state(
    sqlite_site: Site, each_page: Page, rules: str, name: str, theme: str
) -> None:
    each_page.goto(f"{sqlite_site.url}/dev/gallery/{name}?theme={theme}")
    assert found(each_page, rules) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("path", DEV)
def test_axe_finds_nothing_in_the_demo_kit(
    sqlite_site: Site, each_page: Page, rules: str, path: str, theme: Literal["light", "dark"]
) -> None:
    each_page.emulate_media(color_scheme=theme)
    each_page.goto(sqlite_site.url + path)
    assert found(each_page, rules) == []


@pytest.mark.parametrize("lang", ["en", "en-XA", "en-XB"])
@pytest.mark.parametrize("name", STATES)
def test_no_state_scrolls_sideways_on_a_phone(sqlite_site: Site, page: Page, name: str, lang: str) -> None:
    page.goto(f"{sqlite_site.url}/dev/gallery/{name}?lang={lang}")  # 320 px are 1280 at a zoom of 400 %, too
    assert page.evaluate(SIDEWAYS) <= 0
    page.add_style_tag(content=SPACED)
    assert page.evaluate(SIDEWAYS) <= 0, "with more space between lines, words and letters"


@pytest.mark.parametrize("name", STATES)
def test_what_is_pressed_is_large_enough(sqlite_site: Site, page: Page, name: str) -> None:
    page.goto(f"{sqlite_site.url}/dev/gallery/{name}")
    assert page.evaluate(SMALL_TARGETS) == []
