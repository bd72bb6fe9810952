"""The account page: where somebody is signed in, their language, and leaving the organisation (B30).

What it does: shows a user their own sessions, ends those they choose, keeps their language, lets a guest leave.

The one thing to understand: leaving is what deleting is, asked for by the guest; an administrator restores.
"""

from typing import Any

from flask import Response, redirect, url_for
from flask_babel import gettext
from wtforms import HiddenField, StringField
from wtforms.validators import ValidationError

from guestauth import guests, languages, sessions
from guestauth.models import User
from guestauth.web import cookies, gate
from guestauth.web.fields import Form, first, page
from guestauth.web.guest import blueprint


class SessionsForm(Form):
    """Which session to end: its id, or `others`."""

    end = HiddenField()


@blueprint.route("/<tenant:tenant>/account", methods=["GET", "POST"])
def account() -> Any:
    """Show one's own sessions, and end the one chosen."""
    user, form = gate.signed_in(), SessionsForm()
    if form.validate_on_submit():
        sessions.end_own(user.tenant_id, user.id, first(form.end), keeping=gate.session_id(), by=gate.caller())
        return redirect(url_for("guest.account"), 303)
    return _page(user, form)


class LanguageForm(Form):
    """The language to speak, here and wherever they are signed in."""

    language = StringField()

    def validate_language(self, field: StringField) -> None:
        """Take one of ours."""
        if field.data not in languages.NAMES:
            raise ValidationError(gettext("Choose one of the languages"))


@blueprint.route("/<tenant:tenant>/account/language", methods=["GET", "POST"])
def language() -> Any:
    """Keep the language chosen (UX 8); this browser speaks it from now on, too."""
    user, form = gate.signed_in(), LanguageForm()
    if not form.validate_on_submit():
        return _page(user, form)
    languages.prefer(user.tenant_id, user.id, first(form.language))
    cookies.speak(first(form.language))
    return redirect(url_for("guest.account"), 303)


class LeaveForm(Form):
    """The Leave button."""


@blueprint.route("/<tenant:tenant>/account/leave", methods=["GET", "POST"])
def leave() -> Any:
    """End being a guest here, at once."""
    user, form = gate.signed_in(), LeaveForm()
    if not form.validate_on_submit():
        return _page(user, form)
    guests.leave(user.tenant_id, user.id, by=gate.caller())
    cookies.forget(arrival=gate.tenant_arrival())
    return redirect(url_for("guest.left"), 303)


@blueprint.get("/<tenant:tenant>/account/left")
def left() -> Any:
    """Say that they have left."""
    gate.tenant_arrival()
    return page("guest/left.html")


def _page(user: User, form: Form) -> Response:
    mine = [session for session, _ in sessions.live(user.tenant_id, user.id)]
    return page("guest/account.html", form=form, sessions=mine, current=gate.session_id())
