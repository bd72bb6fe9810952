"""The demo kit: a start page, the mailbox and the clock. Demo mode only, from this machine only.

What it does: leads into each scenario; shows every letter that left; moves the time.

What must stay true: in production not even this module is loaded.
"""

import ipaddress
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Blueprint, Response, abort, jsonify, redirect, request, url_for
from wtforms import StringField

from guestauth import courier, demo, guests, invitations, mailbox, tenants
from guestauth.database import Refusal, clock_offset, move_clock, now
from guestauth.web import gate
from guestauth.web.fields import Form, Problem, first, page

blueprint = Blueprint("dev", __name__, url_prefix="/dev")
FURTHEST = 10 * 366 * 24 * 3600  # seconds the clock can be moved
FRAME = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; sandbox"
WITH_FRAMES = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; frame-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
SCENARIOS: list[dict[str, Any]] = [
    {
        "title": "Nicole comes back by a direct link",
        "text": "nicole@firstup.example has accepted before. The link leads to one resource, and after "
        "sign-in she is exactly there.",
        "links": [("Expense portal", "/fabrikam.example/apps/expense-portal")],
    },
    {
        "title": "An administrator runs Fabrikam",
        "text": "admin@fabrikam.example signs in by a code like everybody. The console shows who is a guest "
        "and why they sign in as they do, invites one or many, and says what turning codes off would do.",
        "links": [
            (
                "Fabrikam's console",
                "/fabrikam.example/sign-in?login_hint=admin@fabrikam.example&to=/fabrikam.example/admin",
            )
        ],
    },
    {
        "title": "A stranger",
        "text": "Type any address that is no guest, like stranger@example.com: the pages are the same, "
        "but no mail comes.",
        "links": [("Sign in to Fabrikam", "/fabrikam.example/sign-in")],
    },
    {
        "title": "A link without an organisation",
        "text": "The page says what is missing and offers a field for it.",
        "links": [("Common endpoint", "/myapps")],
    },
    {
        "title": "Stranded by opting out",
        "text": "stranded@firstup.example used codes at Contoso until Contoso turned them off.",
        "links": [("Sign in to Contoso", "/contoso.example/sign-in?login_hint=stranded@firstup.example")],
    },
    {
        "title": "Time passes",
        "text": "A code works for 30 minutes, a sign-in lasts 24 hours. Move the clock and reload.",
        "links": [("Move the clock", "/dev/clock"), ("Start the demo afresh", "/dev/reset")],
    },
]


@blueprint.before_request
def this_machine_only() -> None:
    """Answer nobody but this machine."""
    if not ipaddress.ip_address(request.remote_addr or "0.0.0.0").is_loopback:  # noqa: S104 -- no address
        abort(404)


@blueprint.get("")
def index() -> Any:
    """Lead into each scenario."""
    cast = [_tenant_card(tenant) for tenant in tenants.everyone()]
    return page("dev/index.html", tenants=cast, scenarios=_scenarios(), tasks=None)


@blueprint.get("/mailbox")
def inbox() -> Any:
    """Show every letter that left."""
    to = request.args.get("to", "")
    answer = page("dev/mailbox.html", letters=[_shown(kept) for kept in mailbox.letters(to=to)], to=to)
    answer.headers["Content-Security-Policy"] = WITH_FRAMES
    return answer


@blueprint.get("/mailbox.json")
def inbox_json() -> Any:
    """Show the letters to programs, newest first."""
    kept = mailbox.letters(to=request.args.get("to", ""), since=_since(request.args.get("since", "")))
    return jsonify([_described(letter) for letter in kept])


@blueprint.get("/mailbox/<letter_id>.eml")
def letter_source(letter_id: str) -> Any:
    """Show a letter as it went over the wire."""
    return Response(_letter(letter_id).raw, mimetype="text/plain")


@blueprint.get("/mailbox/<letter_id>.html")
def letter_html(letter_id: str) -> Any:
    """Show a letter's HTML, in a frame of its own."""
    answer = Response(_letter(letter_id).part("html"), mimetype="text/html")
    answer.headers["Content-Security-Policy"] = FRAME
    return answer


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


class ResetForm(Form):
    """The button that puts everything back."""


@blueprint.route("/reset", methods=["GET", "POST"])
def reset() -> Any:
    """Throw everything away and load the cast anew."""
    form = ResetForm()
    if form.validate_on_submit():
        demo.reset()
        return redirect(url_for("dev.index"), 303)
    return page("dev/reset.html", form=form)


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


def _letter(letter_id: str) -> mailbox.Kept:
    kept = mailbox.letter_or_none(letter_id)
    if kept is None:
        abort(404)
    return kept


def _shown(kept: mailbox.Kept) -> dict[str, Any]:
    text = kept.part("plain")
    code = re.search(r"^[0-9]{8}$", text, re.MULTILINE)
    link = re.search(r"\S+/invitations/\S+", text)
    return {
        "id": kept.id,
        "to": kept.message["To"],
        "from_": kept.message["From"],
        "subject": kept.message["Subject"],
        "date": kept.date.astimezone(UTC),
        "text": text,
        "code": code and code[0],
        "link": link and link[0],
        "html_url": url_for("dev.letter_html", letter_id=kept.id),
        "raw_url": url_for("dev.letter_source", letter_id=kept.id),
    }


def _described(kept: mailbox.Kept) -> dict[str, Any]:
    message = kept.message
    return {
        "id": kept.id,
        "to": message["To"],
        "from": message["From"],
        "subject": message["Subject"],
        "date": kept.date.astimezone(UTC).isoformat(),
        "headers": dict(message.items()),
        "text": kept.part("plain"),
        "html": kept.part("html"),
    }


def _since(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text.replace(" ", "+")) if text else None
    except ValueError:
        abort(400, "Write since as a time, like 2026-11-20T12:30:00Z.")
    return moment.replace(tzinfo=moment.tzinfo or UTC) if moment else None


def _tenant_card(tenant: Any) -> dict[str, Any]:
    return {
        "id": tenant.id,
        "name": tenant.name,
        "domain": tenant.domain,
        "note": "Codes are on for guests." if tenant.passcodes_on else "Codes are off for guests.",
        "links": [("By domain", f"/{tenant.domain}"), ("By id", f"/?tenantid={tenant.id}")],
    }


def _scenarios() -> list[dict[str, Any]]:
    alex = {
        "title": "Alex accepts an invitation",
        "text": "alexdoe@gmail.com is invited to Fabrikam. Open the invitation, press Continue, "
        "then Send code. The code is in the mailbox.",
        "links": [("Open Alex's invitation", _invitation_link()), ("Open the mailbox", "/dev/mailbox")],
    }
    return [alex, *SCENARIOS]


def _invitation_link() -> str:
    try:
        alex = guests.find(demo.FABRIKAM, "alexdoe@gmail.com")
        invitation = invitations.of_guest(alex.id)
        return invitations.link(invitation) if invitation else gate.home()
    except Refusal:
        return f"/{demo.CAST[demo.FABRIKAM][1]}/sign-in"
