"""The demo's mailbox: every letter that left, as its recipient has it.

What it does: shows letters newest first, each as text, HTML, headers and source; hands them to programs as JSON.

What must stay true: a letter's HTML is shown in a sandboxed frame under a policy of its own; nothing of it runs.
"""

import re
import uuid
from datetime import UTC, datetime
from typing import Any

from flask import Response, abort, jsonify, request, url_for

from guestauth import demo, mailbox
from guestauth.web.dev import WITH_FRAMES, blueprint
from guestauth.web.fields import page

FRAME = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; sandbox"


@blueprint.get("/mailbox")
def inbox() -> Any:
    """Show every letter that left."""
    to = request.args.get("to", "")
    kept = mailbox.letters(to=to)
    pages = demo.asked_by(letter.id for letter in kept)
    answer = page("dev/mailbox.html", letters=[_shown(each, pages.get(each.id)) for each in kept], to=to)
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


def _letter(letter_id: str) -> mailbox.Kept:
    kept = mailbox.letter_or_none(letter_id)
    if kept is None:
        abort(404)
    return kept


def _shown(kept: mailbox.Kept, asked: tuple[uuid.UUID, uuid.UUID] | None) -> dict[str, Any]:
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
        "page": asked and url_for("guest.enter_code", tenant=asked[0], sign_in_id=asked[1]),
        "headers": list(kept.message.items()),
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
