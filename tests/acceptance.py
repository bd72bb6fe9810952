"""The acceptance list of the design: every promise to the people who use the pages, and the tests that prove it.

What it does: `ACCEPTANCE` is the list, by number; `python -m tests.acceptance` prints it with the tests of each.

The one thing to understand: a test says by `@pytest.mark.acceptance(number)` what it proves; `attacks.catalogue`
reads the marks.

What must stay true: every number has a test, and no test names a number that is not here (`test_acceptance.py`).

Called by `test_acceptance.py` and by hand. It runs no test.
"""

import sys

from tests.attacks.catalogue import proofs

ACCEPTANCE = {
    1: "axe finds nothing in any state of any page, in every language, both themes, on a phone and on a desk",
    2: "one h1, landmarks, a skip link that works, titles that differ",
    3: "the right `lang`; switching keeps tenant, address and sign-in",
    4: "the order in which a language is chosen; `Vary`",
    5: "the fields of email address and code have the attributes that browsers and keyboards go by",
    6: "codes are taken as people paste them: spaces, hyphens, invisible and full-width characters, leading zeros",
    7: "errors: in the title, in a summary with links, at the field; what was typed is kept",
    8: "every error with a code has its own words and a next step that works",
    9: "a code ends after 30 minutes and a new one works; a session after 24 hours, then back where one was",
    10: "too early a resend: 429, `Retry-After`, no mail; a double click: one mail",
    11: "without JavaScript: every journey of guests and administrators",
    12: "at most six announcements in the half hour on the code page",
    13: "times are UTC in `<time>`, and right in Taipei and Amsterdam",
    14: "GET on the address of any form, and Back: never 405, never blank",
    15: "two tabs do not disturb each other",
    16: "opening an invitation twenty times changes nothing",
    17: "a page open too long keeps what was typed",
    18: "known and unknown addresses are answered alike",
    19: "the keyboard alone; the focus is seen, and never hidden",
    20: "what is pressed is large enough",
    21: "320 px, a zoom of 400 %, and more space in the text: nothing scrolls sideways",
    22: "contrast in both themes, forced colours, no motion for who wants none",
    23: "pages on paper",
    24: "words 40 % longer, and pages from right to left",
    25: "few bytes, few requests, soon there over slow 3G",
    26: "help is in the same place on every page",
    27: "the code's mail: the code first, no link, no picture; axe finds nothing",
    28: "the invitation's mail: one link, who invites, where it leads; axe finds nothing",
    29: "every shape of link leads where it says",
    30: "codes off: a page that says so; a reset brings the guest back, with the same id",
    31: "console, JSON and command line have the same policy; unknown keys survive",
    32: "production has no demo pages",
    33: "a reset gives the same data; a page looks the same each time",
}


def main() -> None:
    """Print it."""
    found, lines = proofs("acceptance"), ["| | what is promised | proven by |", "|---|---|---|"]
    for number, words in ACCEPTANCE.items():
        lines.append(f"| {number} | {words} | {'<br>'.join(found.get(number, ['**nothing yet**']))} |")
    sys.stdout.write("\n".join([*lines, ""]))


if __name__ == "__main__":
    main()
