"""The invitation's landing page (B16, B18).

What it does: says who invited whom to what, and starts a sign-in for the invited address.

The one thing to understand: opening the page changes nothing, however often and by whatever it is opened.
"""

from typing import Any

from flask import g, redirect, url_for

from guestauth import addresses, invitations, signin
from guestauth.web import cookies, gate
from guestauth.web.fields import Form, page
from guestauth.web.guest import blueprint


class AcceptForm(Form):
    """The Continue button."""


@blueprint.route("/<tenant:tenant>/invitations/<ticket>", methods=["GET", "POST"])
def invitation(ticket: str) -> Any:
    """Show an invitation, and start a sign-in for its address."""
    arrival, form = gate.tenant_arrival(), AcceptForm()
    try:
        opened = invitations.opened(arrival.tenant.id, ticket)
    except invitations.InvitationUnknown:
        return page("guest/invitation_closed.html", reason="unknown", status=404)
    if opened.invitation.closed:
        return page("guest/invitation_closed.html", reason=opened.invitation.closed, status=404)
    target = opened.invitation.target and gate.safe_target(f"/{g.reference}{opened.invitation.target}")
    if form.validate_on_submit():
        return _start(opened, target)
    if arrival.user and arrival.user.id == opened.user.id:
        return redirect(target or gate.home())
    state = "other" if arrival.user else "accepted" if opened.user.accepted_at else "open"
    shown = {
        "inviter": opened.invitation.inviter,
        "mail": opened.user.mail,
        "message": opened.invitation.message,
    }
    return page("guest/invitation.html", form=form, invitation=shown, what=opened.what, state=state)


def _start(opened: invitations.Opened, target: str | None) -> Any:
    """Start a sign-in for the invited address; who came by the link has an allowance of their own."""
    started = signin.start(
        opened.user.tenant_id,
        addresses.parse(opened.user.mail),
        browser=cookies.browser(),
        target=target,
        known=f"invitation {opened.invitation.id}",
        by=gate.caller(),
    )
    return redirect(url_for("guest.send_code", sign_in_id=started.id), 303)
