"""axe-core, the accessibility rules of the trade, run on a page before a real browser.

`axe` gives its script, or says that it is absent; `found` gives what it has against a page, one line each.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from playwright.sync_api import Page

from tests.servers.policy import Absent

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
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


def found(page: Page) -> list[str]:
    """Run every rule on a page that has the script."""
    return [str(line) for line in page.evaluate(RUN, TAGS)]
