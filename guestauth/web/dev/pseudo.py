"""Pseudo-locales: a page in longer words, and a page that runs from right to left.

The one thing to understand: they are made from the English page, so that whoever reads English sees at once what
breaks when words are 40 % longer, or the other way round.

Called by the gallery.
"""

import re

LONG, MIRRORED = "en-XA", "en-XB"
NAMES = {LONG: "English, 40 % longer", MIRRORED: "English, from right to left"}
ACCENTED = str.maketrans("aceinouyACEINOU", "åçéîñöûýÅÇÉÎÑÖÛ")
PIECE = re.compile(r"(<(title|script|pre|textarea|time|bdi)\b.*?</\2>|<[^>]*>|&\w+;|&#\d+;)", re.DOTALL)


def written(html: str, lang: str) -> str:
    """Return a page as it would be in one of them; as it is in any other language."""
    if lang == MIRRORED:
        return re.sub(r'<html lang="[^"]*"', f'<html lang="{MIRRORED}" dir="rtl"', html)
    if lang != LONG:
        return html
    html = re.sub(r'<html lang="[^"]*"', f'<html lang="{LONG}"', html)
    pieces = PIECE.split(html)
    texts = set(range(0, len(pieces), 3))  # between them what `PIECE` found, and the name of its tag
    return "".join(
        _longer(piece) if at in texts else piece
        for at, piece in enumerate(pieces)
        if piece is not None and at % 3 != 2
    )


def _longer(text: str) -> str:
    """Make words 40 % longer, with letters that have something above them."""
    words = text.strip()
    if not re.search(r"[A-Za-z]{2}", words):
        return text
    padding = "~" * max(1, round(len(words) * 0.4))
    broken = " ".join(padding[at : at + 9] for at in range(0, len(padding), 9))
    return text.replace(words, f"[{words.translate(ACCENTED)} {broken}]", 1)
