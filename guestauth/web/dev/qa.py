"""The QA walkthrough: scenarios to try by hand, what came of each, and a report of it.

What it does: shows each scenario with its steps; keeps a result and notes for each; writes it all as Markdown.

The one thing to understand: results are files in the instance folder, one for each scenario, so that two testers
at different scenarios do not disturb each other. They outlive a reset of the demo, which testing needs.

Called by a tester. It judges nothing by itself.
"""

import json
import os
import re
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from flask import Response, abort, current_app, redirect, url_for
from wtforms import HiddenField, TextAreaField
from wtforms.validators import AnyOf

from guestauth.database import now
from guestauth.web.dev import blueprint
from guestauth.web.dev.walkthrough import SCENARIOS, Scenario
from guestauth.web.fields import Form, first, page

RESULTS = {"": "Not tried", "pass": "Pass", "fail": "Fail"}
MOST_CHARACTERS = 4000  # of notes


@dataclass(frozen=True)
class Outcome:
    """What came of a scenario."""

    result: str = ""
    notes: str = ""
    at: str = ""


class OutcomeForm(Form):
    """Pass or fail, and what was seen."""

    result = HiddenField(validators=[AnyOf(list(RESULTS), "Choose a result")])  # shown as radios
    notes = TextAreaField("Notes")


@blueprint.get("/qa", endpoint="qa")
def scenarios() -> Any:
    """Show every scenario with what came of it."""
    return _shown(None)


@blueprint.route("/qa/<name>", methods=["GET", "POST"])
def outcome(name: str) -> Any:
    """Keep what came of a scenario."""
    scenario = next((each for each in SCENARIOS if each.name == name), None) or abort(404)
    form = OutcomeForm()
    if not form.is_submitted():
        return redirect(url_for("dev.qa", _anchor=name), 303)
    typed = Outcome(first(form.result), first(form.notes)[:MOST_CHARACTERS], f"{now():%Y-%m-%d %H:%M} UTC")
    if not form.validate_on_submit():
        return _shown(form, {name: replace(typed, at="")})
    _keep(scenario, typed)
    return redirect(url_for("dev.qa", _anchor=name), 303)


class ClearForm(Form):
    """The button that forgets all results."""


@blueprint.route("/qa/clear", methods=["GET", "POST"])
def clear_outcomes() -> Any:
    """Forget every result, for the next round."""
    form = ClearForm()
    if not form.validate_on_submit():
        return _shown(form)
    for scenario in SCENARIOS:
        _path(scenario).unlink(missing_ok=True)
    return redirect(url_for("dev.qa"), 303)


@blueprint.get("/qa.md")
def report() -> Any:
    """Write the walkthrough with its results as Markdown."""
    answer = Response("\n".join(_report()), mimetype="text/markdown")
    answer.headers["Content-Disposition"] = 'attachment; filename="walkthrough.md"'
    return answer


def _shown(form: Form | None, typed: dict[str, Outcome] | None = None) -> Response:
    """Show all; `typed` is what was not kept, to be sent again."""
    outcomes = {each.name: _outcome(each) for each in SCENARIOS}
    counts = {result: sum(each.result == result for each in outcomes.values()) for result in RESULTS}
    shown: dict[str, Any] = {
        "scenarios": SCENARIOS,
        "outcomes": outcomes | (typed or {}),
        "counts": counts,
        "results": RESULTS,
    }
    return page("dev/qa.html", form=form, **shown)


def _report() -> list[str]:
    lines = ["# QA walkthrough", "", f"Written {now():%Y-%m-%d %H:%M} UTC.", ""]
    lines += ["| scenario | rules | result |", "|---|---|---|"]
    outcomes = [(each, _outcome(each)) for each in SCENARIOS]
    lines += [f"| {each.title} | {each.rules} | {RESULTS[found.result]} |" for each, found in outcomes]
    for number, (each, found) in enumerate(outcomes, 1):
        lines += ["", f"## {number}. {each.title}", "", f"Rules: {each.rules}", ""]
        lines += [f"{n}. {do}\n   Expected: {see}" for n, (do, see) in enumerate(each.steps, 1)]
        when = f" ({found.at})" if found.at else ""
        lines += ["", f"**Result: {RESULTS[found.result]}**{when}"]
        lines += ["", *(f"> {line}" for line in _escaped(found.notes).splitlines())] if found.notes else []
    return [*lines, ""]


def _escaped(notes: str) -> str:
    return re.sub(r"([\\`*_<>\[\]#|])", r"\\\1", notes)


def _outcome(scenario: Scenario) -> Outcome:
    with suppress(FileNotFoundError, ValueError, TypeError):
        found = Outcome(**json.loads(_path(scenario).read_text("utf-8")))
        return found if found.result in RESULTS else Outcome()
    return Outcome()


def _keep(scenario: Scenario, found: Outcome) -> None:
    path = _path(scenario)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_suffix(f".{os.getpid()}")
    draft.write_text(json.dumps(found.__dict__), "utf-8")
    draft.replace(path)


def _path(scenario: Scenario) -> Path:
    return Path(current_app.config["INSTANCE_PATH"]) / "qa" / f"{scenario.name}.json"
