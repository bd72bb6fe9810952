"""Prints the catalogue as a table: id, severity, words, and the tests that prove each case.

Run as `python -m tests.attacks`; it runs no test.
"""

import sys

from tests.attacks.catalogue import CATALOGUE, proofs


def main() -> None:
    """Print it."""
    found, lines = proofs(), []
    for number, (chapter, cases) in enumerate(CATALOGUE.items(), start=1):
        lines.append(f"\n### {number} {chapter}\n")
        lines += ["| id | severity | what is tried, what must come of it | proven by |", "|---|---|---|---|"]
        for name, case in cases.items():
            why = f"does not apply: {case.not_applicable}" if case.not_applicable else ""
            where = "<br>".join(found.get(name, [])) or why or "**nothing yet**"
            lines.append(f"| {name} | {case.severity} | {case.words} | {where} |")
    sys.stdout.write("\n".join([*lines, ""]))


if __name__ == "__main__":
    main()
