"""Forms: what every form of ours has, and the fields that more than one page uses.

What it does: `Form` checks its token like any field; `problems` lists what is wrong, for the error summary
and for the field alike; `page` renders a template with the status that goes with it.

The one thing to understand: a missing or old token is one more thing wrong with a form. The page comes back
fresh, with what was typed, and nothing was done (F4).

What must stay true: every POST view validates a `Form`; every validator has words of ours (F14).

Called by every view with a form.
"""

import math
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Response, g, jsonify, make_response, render_template, request
from flask_babel import gettext
from flask_wtf import FlaskForm
from werkzeug.http import HTTP_STATUS_CODES
from wtforms import EmailField, Field, HiddenField
from wtforms.validators import ValidationError

from guestauth import addresses
from guestauth.database import Refusal, now
from guestauth.languages import N_, said

TOKEN_FAILED = N_("This page was open too long, so nothing was done. Check what is here and try again.")


@dataclass(frozen=True)
class Problem:
    """One line of the error summary; `field` is the id of the field it is about."""

    text: str
    field: str | None = None


def problem(refusal: Refusal, field: str | None = None) -> Problem:
    """Say why an operation refused.

    :param field: what it is about on this page, if the refusal does not say.
    """
    return Problem(said(refusal.text), refusal.field or field)


class Form(FlaskForm):
    """A form with nothing but its token; pages add fields to it."""

    @property
    def token_failed(self) -> bool:
        """Whether the form came without its token or with another visit's."""
        return bool(self.csrf_token.errors)

    @property
    def problems(self) -> list[Problem]:
        """What is wrong, in the order of the fields; only the token's failure if that is it."""
        if self.token_failed:
            return [Problem(gettext(TOKEN_FAILED))]
        wrong = [(self[name], errors[0]) for name, errors in self.errors.items() if name]
        return [Problem(said(text), None if isinstance(field, HiddenField) else field.id) for field, text in wrong]


class Address(EmailField):
    """An email address; `parsed` is what was read."""

    parsed: addresses.Address

    def pre_validate(self, form: Form) -> None:
        """Read it as the whole product does."""
        if not (self.data or "").strip():
            raise ValidationError(gettext("Enter your email address"))
        try:
            self.parsed = addresses.parse(self.data)
        except addresses.NotAnAddress as refusal:
            raise ValidationError(refusal.text) from refusal


class Target(HiddenField):
    """The path to return to, as it came; `gate.safe_target` reads it."""


def page(
    template: str, *, form: Form | None = None, problems: list[Problem] | None = None, **context: Any
) -> Response:
    """Render a page: 200, 422 if something is wrong with its form, 400 if the form's token is.

    An error is JSON for who asks for JSON.

    :param problems: beside the form's own; a `status` in the context wins.
    """
    problems = (form.problems if form and form.is_submitted() else []) + (problems or [])
    usual = 400 if form and form.is_submitted() and form.token_failed else 422 if problems else 200
    status = context.pop("status", None) or usual
    if status >= 400 and _wants_json():
        return _json(status, problems[0].text if problems else context.get("title"))
    return make_response(render_template(template, form=form, problems=problems, **context), status)


def wait(answer: Response, until: datetime) -> Response:
    """Say in an answer from when it is worth trying again."""
    seconds = math.ceil((until - now()).total_seconds())
    answer.headers["Retry-After"] = str(max(1, seconds))
    return answer


def _wants_json() -> bool:
    best = request.accept_mimetypes.best_match(["text/html", "application/json"], default="text/html")
    return best == "application/json"


def _json(status: int, message: str | None) -> Response:
    name = HTTP_STATUS_CODES[status]
    error = {"code": name, "message": message or name, "correlationId": g.correlation_id}
    return make_response(jsonify(error=error), status)


def first(field: Field) -> str:
    """Return a field's text, never None."""
    return str(field.data or "")
