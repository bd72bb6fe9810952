"""Review permissions, and signing out (B19, B29).

What it does: asks a guest once whether they accept; ends the session of who wants to go.
"""

from typing import Any

from flask import redirect, url_for
from flask_babel import gettext
from wtforms import HiddenField
from wtforms.validators import ValidationError

from guestauth import redemptions, sessions
from guestauth.web import cookies, gate
from guestauth.web.fields import Form, Target, first, page
from guestauth.web.guest import blueprint


class ConsentForm(Form):
    """Accept or Cancel."""

    decision = HiddenField()
    to = Target()

    def validate_decision(self, field: HiddenField) -> None:
        """Take one of the two buttons."""
        if field.data not in ("accept", "cancel"):
            raise ValidationError(gettext("Choose Accept or Cancel"))


@blueprint.route("/<tenant:tenant>/consent", methods=["GET", "POST"])
def consent() -> Any:
    """Ask what the tenant may know, before anything is shown."""
    user, form = gate.signed_in(before_consent=True), ConsentForm()
    to = gate.wanted(first(form.to))
    if not user.must_consent:
        return redirect(to or gate.home(), 303)
    if not form.validate_on_submit():
        return page("guest/consent.html", form=form, to=to)
    if form.decision.data == "cancel":
        redemptions.decline(user.tenant_id, gate.session_id(), by=gate.caller())
        cookies.forget(arrival=gate.tenant_arrival())
        return redirect(url_for("guest.consent_cancelled"), 303)
    redemptions.redeem(user.tenant_id, user.id, session_id=gate.session_id(), by=gate.caller())
    return redirect(to or gate.home(), 303)


@blueprint.get("/<tenant:tenant>/consent/cancelled")
def consent_cancelled() -> Any:
    """Say that nothing was shared."""
    gate.tenant_arrival()
    return page("guest/consent_cancelled.html")


class SignOutForm(Form):
    """The Sign out button."""


@blueprint.route("/<tenant:tenant>/sign-out", methods=["GET", "POST"])
def sign_out() -> Any:
    """End this browser's session at the tenant; those at other tenants go on (B5)."""
    arrival, form = gate.tenant_arrival(), SignOutForm()
    if arrival.user is None:
        return redirect(url_for("guest.signed_out"), 303)
    if not form.validate_on_submit():
        return page("guest/already_signed_in.html", form=form, continue_url=gate.home())
    sessions.sign_out(arrival.tenant.id, gate.session_id(), by=gate.caller())
    cookies.forget(arrival=gate.tenant_arrival())
    return redirect(url_for("guest.signed_out"), 303)


@blueprint.get("/<tenant:tenant>/signed-out")
def signed_out() -> Any:
    """Say that the session has ended."""
    gate.tenant_arrival()
    return page("guest/signed_out.html")
