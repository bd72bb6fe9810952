"""Pages on paper: what there is to read, black on white, and no wider than the sheet (UX acceptance 23)."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Page

from guestauth.web.dev.states import STATES
from tests.e2e.person import SIDEWAYS
from tests.e2e.site import Site

SHEET = {"width": 718, "height": 1047}  # A4 without margins of 1 cm, in CSS pixels
MARGIN = dict.fromkeys(("top", "right", "bottom", "left"), "1cm")
TO_PRESS = (
    ".skip, .me, nav, .filters, .countdown, button, textarea, iframe, input:not([type=radio],[type=checkbox])"
)
SEEN = """(selector) => [...document.querySelectorAll(selector)]
  .filter((each) => each.checkVisibility()).map((each) => each.outerHTML.slice(0, 120))"""
NOT_BLACK_ON_WHITE = """() => [...document.querySelectorAll("body, body *")]
  .filter((each) => each.checkVisibility())
  .map((each) => [getComputedStyle(each).color, getComputedStyle(each).backgroundColor])
  .filter(([ink, paper]) => !["rgb(0, 0, 0)", "rgb(51, 51, 51)"].includes(ink)
    || !["rgb(255, 255, 255)", "rgba(0, 0, 0, 0)"].includes(paper)).map(String)"""


@pytest.fixture(scope="module")
def paper(chromium: Chromium) -> Iterator[Page]:
    """A sheet, at somebody whose screen is dark."""
    context = chromium.new_context(viewport=SHEET, color_scheme="dark")
    page = context.new_page()
    page.emulate_media(media="print")
    yield page
    context.close()


@pytest.mark.parametrize("name", STATES)
def test_state_fits_on_paper_black_on_white_with_nothing_to_press(
    gallery_site: Site, paper: Page, name: str
) -> None:
    paper.goto(f"{gallery_site.url}/dev/gallery/{name}")
    assert paper.evaluate(SIDEWAYS) <= 0
    assert paper.evaluate(SEEN, TO_PRESS) == []
    assert paper.evaluate(NOT_BLACK_ON_WHITE) == []
    assert paper.locator("h1").is_visible()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("enter-code", "Reference"),
        ("resource-url", "Open Expense portal"),
        ("account-sessions", "Firefox on Linux"),
        ("settings", "Email one-time passcode for guests"),
        ("audit", "resource: expense-portal"),
        ("not-shared", "Correlation id"),
    ],
)
def test_what_there_is_to_read_is_on_paper(gallery_site: Site, paper: Page, name: str, words: str) -> None:
    paper.goto(f"{gallery_site.url}/dev/gallery/{name}")
    assert paper.get_by_text(words).first.is_visible()


@pytest.mark.long
def test_long_list_takes_several_sheets_and_its_head_stands_on_each(gallery_site: Site, paper: Page) -> None:
    paper.goto(f"{gallery_site.url}/dev/gallery/guests-many")
    sheets = re.findall(rb"/Type\s*/Page\b", paper.pdf(format="A4", margin=MARGIN))
    assert 1 < len(sheets) <= 3
    assert paper.evaluate("getComputedStyle(document.querySelector('thead')).display") == "table-header-group"
