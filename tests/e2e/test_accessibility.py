"""Every state of the gallery, and the demo kit's pages, under axe-core in Chromium (UX acceptance 1, 20, 21).

Every day a sample is looked at; a soak looks at all states, in every language, in both themes, on a phone and on a
desk. `python -m tests.e2e.axe URL` does it at once at a demo that is served, and prints totals.
"""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Page, ViewportSize

from guestauth import languages
from guestauth.web.dev import pseudo
from guestauth.web.dev.states import STATES
from tests.e2e.axe import SMALL_TARGETS, axe, wrong_with
from tests.e2e.person import SIDEWAYS
from tests.e2e.site import Site
from tests.servers import or_skip

DEV = ["/dev", "/dev/mailbox", "/dev/clock", "/dev/faults", "/dev/gallery?group=Errors", "/dev/qa", "/dev/reset"]
PHONE: ViewportSize = {"width": 320, "height": 640}
H1_EDGES = """() => {
  const range = document.createRange();
  range.selectNodeContents(document.querySelector("h1"));
  const {left, right} = range.getBoundingClientRect();
  return [left, right];
}"""
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


IN_TURN = [("nl", "zh-Hant-TW")[n % 2] for n in range(len(STATES))]  # `python -m tests.e2e.axe` takes all of each


@pytest.mark.parametrize(
    ("name", "lang"), [*((name, "en") for name in STATES), *zip(STATES, IN_TURN, strict=True)]
)
@pytest.mark.acceptance(1, 22)
def test_axe_finds_nothing_in_a_state(gallery_site: Site, page: Page, rules: str, name: str, lang: str) -> None:
    page.goto(f"{gallery_site.url}/dev/gallery/{name}?lang={lang}")
    assert page.evaluate("document.documentElement.lang") == lang
    assert wrong_with(page, rules) == []


@pytest.mark.parametrize("path", DEV)
def test_axe_finds_nothing_in_the_demo_kit(gallery_site: Site, page: Page, rules: str, path: str) -> None:
    page.goto(gallery_site.url + path)
    assert wrong_with(page, rules) == []


def test_axe_would_find_something(gallery_site: Site, page: Page, rules: str) -> None:
    page.goto(f"{gallery_site.url}/dev/gallery/enter-code")
    page.evaluate("document.querySelector('label').remove(); document.querySelector('h1').style.color = '#bbb'")
    wrong = {line.split(": ")[1] for line in wrong_with(page, rules)}
    assert wrong == {"label", "color-contrast"}


@pytest.mark.parametrize("lang", [*languages.NAMES, *pseudo.NAMES])
@pytest.mark.parametrize("name", STATES)
@pytest.mark.acceptance(21, 24)
def test_no_state_scrolls_sideways_on_a_phone(gallery_site: Site, page: Page, name: str, lang: str) -> None:
    page.set_viewport_size(PHONE)
    page.goto(f"{gallery_site.url}/dev/gallery/{name}?lang={lang}")  # 320 px are 1280 at a zoom of 400 %, too
    assert page.evaluate(SIDEWAYS) <= 0
    page.add_style_tag(content=SPACED)
    assert page.evaluate(SIDEWAYS) <= 0, "with more space between lines, words and letters"


@pytest.mark.acceptance(24)
@pytest.mark.parametrize("name", ["enter-code", "account", "guests"])
def test_page_from_right_to_left_is_mirrored_but_codes_and_addresses_are_not(
    gallery_site: Site, page: Page, name: str
) -> None:
    page.set_viewport_size(PHONE)
    sides = {}
    for lang in ("en", pseudo.MIRRORED):
        page.goto(f"{gallery_site.url}/dev/gallery/{name}?lang={lang}")
        left, right = page.evaluate(H1_EDGES)
        sides[lang] = left < 320 - right
    assert sides == {"en": True, pseudo.MIRRORED: False}
    assert page.evaluate("getComputedStyle(document.documentElement).direction") == "rtl"
    assert not page.evaluate(
        "[...document.querySelectorAll('#code')].some(e => getComputedStyle(e).direction != 'ltr')"
    )


@pytest.mark.parametrize("name", STATES)
@pytest.mark.acceptance(20)
def test_what_is_pressed_is_large_enough(gallery_site: Site, page: Page, name: str) -> None:
    page.set_viewport_size(PHONE)
    page.goto(f"{gallery_site.url}/dev/gallery/{name}")
    assert page.evaluate(SMALL_TARGETS) == []
