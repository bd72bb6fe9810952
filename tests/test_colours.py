"""Whatever colour a tenant picks, its pages can be read, in light and in dark (UX 5 and 6)."""

import re
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from guestauth import colours
from guestauth.colours import contrast

STYLE = (Path(__file__).resolve().parent.parent / "static" / "style.css").read_text("utf-8")
LIGHT, DARK = colours.behind(STYLE)
COLOURS = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")
SOFT, INK = (list(re.findall(rf"--{name}: (#\w{{6}})", STYLE))[:2] for name in ("soft", "ink"))


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [
        ("#000000", "#ffffff", 21),
        ("#777777", "#ffffff", 4.478),
        ("#767676", "#ffffff", 4.542),
        ("#0b5f55",) * 2 + (1,),
    ],
)
def test_contrast_is_that_of_wcag(one: str, other: str, ratio: float) -> None:
    assert contrast(one, other) == contrast(other, one) == pytest.approx(ratio, abs=0.001)


def test_what_lies_behind_is_what_the_stylesheet_says() -> None:
    assert (len(LIGHT), len(DARK)) == (3, 3)
    assert min(map(colours.luminance, LIGHT)) > 0.8 and max(map(colours.luminance, DARK)) < 0.05


@given(COLOURS)
@example("#ffffff")
@example("#000000")
@example("#00ff00")
@example("#0000ff")
@settings(max_examples=400, deadline=None)
def test_every_colour_can_be_read_in_light_and_in_dark(accent: str) -> None:
    for theme, behind in enumerate((LIGHT, DARK)):
        made = colours.palette(accent, behind)
        for shade in (made["accent"], made["accent-deep"]):
            assert all(contrast(shade, each) >= 4.5 for each in (*behind, made["tint"])), "links"
            assert contrast(made["on-accent"], shade) >= 4.5, "buttons"
        assert all(contrast(words[theme], made["tint"]) >= 4.5 for words in (INK, SOFT)), "notices"


@given(COLOURS)
@settings(max_examples=100, deadline=None)
def test_colour_that_can_be_read_stays_as_it_is(accent: str) -> None:
    for behind in (LIGHT, DARK):
        shade = colours.palette(accent, behind)["accent"]
        assert colours.palette(shade, behind)["accent"] == shade


def test_readable_colour_is_the_one_picked() -> None:
    assert colours.palette("#2b5797", LIGHT)["accent"] == "#2b5797"
    assert colours.palette("#7fd6c5", DARK)["accent"] == "#7fd6c5"


@given(COLOURS)
@settings(max_examples=50, deadline=None)
def test_stylesheet_keeps_all_it_says_and_adds_what_it_knows(accent: str) -> None:
    style = colours.dressed(STYLE, accent)
    added = style.removeprefix(STYLE)
    assert added != style and added.startswith("\n@media screen {") and added.count("{") == added.count("}")
    names = re.findall(r"--([\w-]+):", added)
    assert len(names) == 8 and all(f"--{name}:" in STYLE for name in names)


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("#2b5797", "#2b5797"),
        (" 2B5797\n", "#2b5797"),
        ("#Abc", "#aabbcc"),
        ("", None),
        ("#12345", None),
        ("#1234567", None),
        ("teal", None),
        ("#２b5797", None),
        ("##2b5797", None),
        ("#2b5797;}", None),
    ],
)
def test_colour_is_read_as_people_write_it(typed: str, read: str | None) -> None:
    assert colours.parsed(typed) == read
