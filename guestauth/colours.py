"""Colours: from the one a tenant picks, those of its pages, readable in light and in dark.

What it does: `parsed` reads what somebody typed; `palette` derives the colours of one theme; `dressed` gives the
stylesheet with them.

The one thing to understand: a colour is made darker on light pages, and lighter on dark ones, just so far that
words in it, and words on it, can be read: a contrast of 4.5 to 1 with all that may lie behind them (WCAG 2.2,
1.4.3). One that can be read as it is stays as it is.

What must stay true: it holds for every colour there is; what lies behind is read from the stylesheet itself.

Called by branding and its pages. It knows no tenant.
"""

import re
from collections.abc import Sequence

ENOUGH = 4.5  # to 1
BLACK, WHITE = "#000000", "#ffffff"
TINT, DEEPER = 0.12, 0.25  # how much of the accent is in its tint, and of black or white in what is pointed at
TYPED = re.compile(r"\s*#?([0-9a-f]{6}|[0-9a-f]{3})\s*", re.IGNORECASE)
BEHIND = re.compile(r"--(page|card|well):\s*(#[0-9a-f]{6}|#[0-9a-f]{3})\b", re.IGNORECASE)
IN_THE_DARK = "(prefers-color-scheme: dark)"
DRESS = "\n@media screen {{\n:root {{ {light} }}\n@media {dark_if} {{ :root {{ {dark} }} }}\n}}\n"


def parsed(typed: str) -> str | None:
    """Read a colour as people write it, `2b5797` or `#ABC`; return it like `#2b5797`, None if it is none."""
    found = TYPED.fullmatch(typed)
    if found is None:
        return None
    digits = found[1].lower()
    return "#" + (digits if len(digits) == 6 else "".join(digit * 2 for digit in digits))


def luminance(colour: str) -> float:
    """Return the relative luminance of WCAG: 0 for black, 1 for white."""
    parts = (part / 255 for part in _parts(colour))
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of WCAG, to 1: from 1 to 21."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def mixed(one: str, other: str, share: float) -> str:
    """Mix two colours.

    :param share: how much of the other, 0 to 1.
    """
    pairs = zip(_parts(one), _parts(other), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def behind(style: str) -> tuple[Sequence[str], Sequence[str]]:
    """Return what may lie behind words, by a stylesheet: in light, and in dark."""
    halves = style.partition(IN_THE_DARK)[::2]
    light, dark = ([_long(colour) for _, colour in BEHIND.findall(half)][:3] for half in halves)
    return light, dark


def palette(accent: str, behind: Sequence[str]) -> dict[str, str]:
    """Derive the colours of a theme: for links and buttons, pointed at or not, words on buttons, and a tint.

    :param accent: as the tenant picked it.
    :param behind: the colours of its pages, cards and wells; the second is the cards'.
    """
    end = BLACK if min(map(luminance, behind)) > 0.4 else WHITE
    shades = (mixed(accent, end, step / 100) for step in range(101))
    shade = next(each for each in shades if _is_readable(each, behind))
    return {
        "accent": shade,
        "accent-deep": mixed(shade, end, DEEPER),
        "on-accent": max(behind, key=lambda colour: contrast(colour, shade)),
        "tint": mixed(behind[1], shade, TINT),
    }


def dressed(style: str, accent: str) -> str:
    """Return a stylesheet in a tenant's colours: itself, and after it what is different; print stays as it is."""
    light, dark = (
        "; ".join(f"--{name}: {colour}" for name, colour in palette(accent, each).items())
        for each in behind(style)
    )
    return style + DRESS.format(light=light, dark=dark, dark_if=IN_THE_DARK)


def _is_readable(shade: str, behind: Sequence[str]) -> bool:
    everything = (*behind, mixed(behind[1], shade, TINT))
    return all(contrast(shade, each) >= ENOUGH for each in everything)


def _parts(colour: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(colour[1:]))


def _long(colour: str) -> str:
    return parsed(colour) or colour
