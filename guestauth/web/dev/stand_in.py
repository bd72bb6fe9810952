"""The pages of the stand-in for Google: discovery, keys, the page that asks who signs in, tokens.

The one thing to understand: the page is for the person, the other three are what GuestAuth itself asks over the
network, as it would ask Google. The answer to the form leads to a callback on this very origin, so the policy's
`form-action 'self'` lets it pass (F15).

What must stay true: tokens are given to the one client that knows its secret; that is no form, so it has no
form's token.
"""

from typing import Any

from flask import abort, jsonify, redirect, request
from wtforms import HiddenField
from wtforms.validators import AnyOf

from guestauth import addresses, faults, stand_in
from guestauth.web import gate
from guestauth.web.dev import blueprint
from guestauth.web.fields import Address, Form, first, page

FOR_MACHINES = ("dev.stand_in_discovery", "dev.stand_in_keys", "dev.stand_in_token")
YES, NO = "yes", "no"


@blueprint.before_request
def stand_in_may_be_down() -> None:
    """Answer GuestAuth nothing while the fault is on."""
    if request.endpoint in FOR_MACHINES and faults.is_on(faults.PROVIDER):
        abort(503)


@blueprint.get("/stand-in/.well-known/openid-configuration")
def stand_in_discovery() -> Any:
    """Say where everything is."""
    return jsonify(stand_in.metadata())


@blueprint.get("/stand-in/keys")
def stand_in_keys() -> Any:
    """Show the keys that tokens are checked with."""
    return jsonify(stand_in.public_keys())


class AddressForm(Form):
    """Who signs in, and whether Google would vouch for the address."""

    email = Address("Another address")
    email_verified = HiddenField(default=YES, validators=[AnyOf([YES, NO], "Choose Yes or No")])  # shown as a list


class CancelForm(Form):
    """The button of somebody who does not want to sign in."""

    cancel = HiddenField()


@blueprint.route("/stand-in/authorize", methods=["GET", "POST"])
def stand_in_authorize() -> Any:
    """Ask who signs in, and lead back."""
    asked = stand_in.read(request.args)
    form = CancelForm() if "cancel" in request.form else AddressForm()
    if form.validate_on_submit():
        if isinstance(form, CancelForm):
            return redirect(stand_in.turn_away(asked), 303)
        verified = first(form.email_verified) == YES
        return redirect(stand_in.let_in(asked, form.email.parsed, verified=verified), 303)
    own = form if isinstance(form, AddressForm) else AddressForm(formdata=None)
    return page("dev/stand_in.html", form=form, own=own, hint=_hint(), here=gate.here())


@blueprint.post("/stand-in/token")
def stand_in_token() -> Any:
    """Give the token for a code to the client that asked for it (RFC 6749, 4.1.3)."""
    form = request.form
    if not stand_in.knows(*_client()):
        return jsonify(error="invalid_client"), 401, {"WWW-Authenticate": 'Basic realm="stand-in"'}
    if form.get("grant_type") != "authorization_code":
        return jsonify(error="unsupported_grant_type"), 400
    verifier, redirect_uri = form.get("code_verifier", ""), form.get("redirect_uri", "")
    token = stand_in.redeem(form.get("code", ""), verifier=verifier, redirect_uri=redirect_uri)
    return jsonify(token) if token else (jsonify(error="invalid_grant"), 400)


def _client() -> tuple[str, str]:
    """Return the client's id and secret, from the header or else from the form (RFC 6749, 2.3.1)."""
    basic = request.authorization
    if basic is not None and basic.type == "basic":
        return basic.username or "", basic.password or ""
    return request.form.get("client_id", ""), request.form.get("client_secret", "")


def _hint() -> str | None:
    """Return the address that GuestAuth suggests, if it is one."""
    try:
        return addresses.parse(request.args.get("login_hint", "")).mail
    except addresses.NotAnAddress:
        return None
