"""The QA walkthrough's scenarios: what to do, what to see, and which rules of the behaviour that covers.

The one thing to understand: they are read from `walkthrough.toml` beside this module, so that a tester can write
one without knowing any of the code.

Called by the walkthrough's page, and by the test that every rule is covered.
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """One thing to try: steps (do this, see that) and links (words, address) into the demo."""

    name: str
    title: str
    rules: str
    steps: list[tuple[str, str]]
    links: list[tuple[str, str]]


def _read() -> list[Scenario]:
    text = Path(__file__).with_suffix(".toml").read_text("utf-8")
    return [Scenario(**{"links": [], **each}) for each in tomllib.loads(text)["scenario"]]


SCENARIOS = _read()
