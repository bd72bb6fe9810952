"""Every letter as a mail program shows it: in Chromium, in light and in dark, also on a phone (UX 27, 28)."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Page

from guestauth import languages, samples
from tests.e2e.axe import axe, wrong_with
from tests.e2e.person import SIDEWAYS
from tests.servers import or_skip
from tests.world import World

NAMES = [f"{letter}-{kind}" for letter in samples.LETTERS for kind in samples.ORGANISATIONS]
PAPER = "getComputedStyle(document.querySelector('.card')).backgroundColor"


@pytest.fixture
def window(chromium: Chromium) -> Iterator[Page]:
    context = chromium.new_context(offline=True)  # nothing is fetched from anywhere
    yield context.new_page()
    context.close()


def wrong_with_letter(page: Page, rules: str, path: Path) -> list[str]:
    """Give what axe has against a letter, in both themes, and whether a phone must scroll sideways."""
    page.goto(path.as_uri())
    lines = wrong_with(page, rules)
    page.set_viewport_size({"width": 320, "height": 640})
    return [f"{path.name}: {line}" for line in lines] + [f"{path.name} is too wide"] * (
        page.evaluate(SIDEWAYS) > 0
    )


@pytest.mark.parametrize("lang", languages.NAMES)
@pytest.mark.long
def test_axe_finds_nothing_in_a_letter(sqlite_world: World, window: Page, tmp_path: Path, lang: str) -> None:
    sqlite_world.do(samples.save, tmp_path, [lang])
    with or_skip(axe) as rules:
        assert [
            line for name in NAMES for line in wrong_with_letter(window, rules, tmp_path / lang / f"{name}.html")
        ] == []


def test_letter_is_dark_in_the_dark(sqlite_world: World, window: Page, tmp_path: Path) -> None:
    sqlite_world.do(samples.save, tmp_path, ["en"])
    window.goto((tmp_path / "en" / "passcode-usual.html").as_uri())
    colours = [window.emulate_media(color_scheme=theme) or window.evaluate(PAPER) for theme in ("light", "dark")]
    assert colours == ["rgb(255, 255, 255)", "rgb(25, 34, 31)"]
