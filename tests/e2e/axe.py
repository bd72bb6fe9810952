"""axe-core, the accessibility rules of the trade, run on a page before a real browser.

What it does: `axe` gives its script, or says that it is absent; `wrong_with` gives what it has against a page.
`python -m tests.e2e.axe http://127.0.0.1:5000` looks at every state of the gallery of a demo that is served, in
every language, and prints totals and what is wrong.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from playwright.sync_api import Page

from guestauth.languages import NAMES
from guestauth.web.dev.states import STATES
from tests import servers
from tests.servers.policy import Absent

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
WIDTHS = (320, 1280)
THEMES: dict[Literal["light", "dark"], list[str]] = {"light": TAGS, "dark": ["color-contrast"]}
RUN = """(tags) => axe.run(document, {runOnly: tags, resultTypes: ["violations"]}).then(({violations}) =>
  violations.flatMap((rule) => rule.nodes.map((node) => `${rule.id}: ${node.target} ${node.html}`)))"""
# WCAG 2.2's 2.5.8, and 44 px for buttons: links within a sentence may be as high as its line
SMALL_TARGETS = """() =>
  [...document.querySelectorAll("button, .button, input, select, textarea, summary, a[href]")]
  .filter((each) => each.checkVisibility({visibilityProperty: true}) && !each.matches(".skip, [type=hidden]"))
  .filter((each) => {
    const {width, height} = each.getBoundingClientRect();
    const inText = each.matches("a:not(.button)") && getComputedStyle(each).display === "inline";
    const least = each.matches("button, .button") ? 44 : 24;
    return !inText && (width < 24 || height < least);
  }).map((each) => each.outerHTML.slice(0, 160))"""


@contextmanager
def axe() -> Iterator[str]:
    """Give the script of axe-core, from the package `axe-playwright-python`."""
    package = find_spec("axe_playwright_python")
    if package is None or package.origin is None:
        raise Absent("axe-playwright-python is not installed; it brings axe-core")
    yield (Path(package.origin).parent / "axe.min.js").read_text("utf-8")


def wrong_with(page: Page, rules: str) -> list[str]:
    """Run every rule on a page as wide as a phone and as a desk; in the dark that of colours only."""
    page.evaluate(rules)
    lines = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        for theme, tags in THEMES.items():
            page.emulate_media(color_scheme=theme)
            lines += [f"{width} px, {theme}: {line}" for line in page.evaluate(RUN, tags)]
    return lines


def main(url: str) -> None:
    """Print, for each language, how many pages were looked at and what is wrong with them."""
    with axe() as rules, servers.chromium() as chromium:
        page = chromium.new_context(bypass_csp=True, reduced_motion="reduce").new_page()
        for lang in NAMES:
            lines = []
            for name in STATES:
                page.goto(f"{url}/dev/gallery/{name}?lang={lang}")
                lines += [f"{name}: {line}" for line in wrong_with(page, rules)]
            looked = f"{len(STATES)} states x {len(WIDTHS)} widths x {len(THEMES)} themes"
            sys.stdout.write("\n".join([f"{lang}: {looked}, {len(lines)} violations", *lines, ""]))


if __name__ == "__main__":
    main(sys.argv[1])
