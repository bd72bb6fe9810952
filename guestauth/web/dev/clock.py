"""The demo's clock: moves the time, and says what that ended."""

import re
from datetime import timedelta
from typing import Any

from flask import redirect, request, url_for
from wtforms import StringField

from guestauth import courier, demo
from guestauth.database import clock_offset, move_clock, now
from guestauth.web.dev import blueprint
from guestauth.web.fields import Form, Problem, first, page

FURTHEST = 10 * 366 * 24 * 3600  # seconds the clock can be moved


class ClockForm(Form):
    """By how much to move the clock."""

    advance = StringField("Seconds to move it by")
    reset = StringField()


@blueprint.route("/clock", methods=["GET", "POST"])
def clock() -> Any:
    """Move the time, and say what that ended."""
    form, problems = ClockForm(), []
    if form.validate_on_submit():
        before = demo.living()
        if _move(form):
            courier.wake()
            after = demo.living()
            ended: dict[str, Any] = {noun: n - after[noun] for noun, n in before.items() if n > after[noun]}
            return redirect(url_for("dev.clock", moved="yes", **ended), 303)
        problems = [Problem(f"Enter a whole number of seconds, {FURTHEST} at most in all", "advance")]
    ahead = clock_offset()
    offset = f"That is {ahead} ahead of this computer's clock." if ahead else "That is this computer's clock."
    shown = {"now": now(), "offset_text": offset, "changed": _ended(), "typed": first(form.advance)}
    return page("dev/clock.html", form=form, problems=problems, **shown)


def _move(form: ClockForm) -> bool:
    if first(form.reset):
        move_clock(None)
        return True
    text = first(form.advance).strip()
    if not re.fullmatch("-?[0-9]{1,12}", text):
        return False
    by = timedelta(seconds=int(text))
    if abs(clock_offset() + by) > timedelta(seconds=FURTHEST):
        return False
    move_clock(by)
    return True


def _ended() -> list[str] | None:
    """What the move that led here has ended; None if none did."""
    if request.method != "GET" or "moved" not in request.args:
        return None
    counts = {noun: request.args.get(noun, 0, type=int) for noun in ("code", "session")}
    verbs = {"code": "expired", "session": "ended"}
    return [f"{n} {noun}{'s' if n > 1 else ''} {verbs[noun]}" for noun, n in counts.items() if n > 0]
