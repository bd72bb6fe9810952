"""The demo kit: start page, mailbox, clock, faults, gallery, walkthrough, stand-in. For the demo on this machine.

What it does: leads into each scenario; shows every letter that left; moves the time; breaks things on purpose;
shows every state of every page; takes a tester by the hand; plays the identity provider.

The one thing to understand: each module is one tool with its page; none is needed by anything outside.

What must stay true: in production not even this package is loaded; it answers this machine alone; whatever
changes something is a POST with the page's token.

Called by `web.set_up` in demo mode. It decides nothing about guests or tenants.
"""

import ipaddress
from typing import Any, cast

from flask import Blueprint, Flask, abort, request

from guestauth import faults as broken

WITH_FRAMES = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; frame-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
blueprint = Blueprint("dev", __name__, url_prefix="/dev")
blueprint.record_once(lambda state: broken.set_up(cast("Flask", state.app)))


@blueprint.before_request
def this_machine_only() -> None:
    """Answer nobody but this machine."""
    if not ipaddress.ip_address(request.remote_addr or "0.0.0.0").is_loopback:  # noqa: S104 -- no address
        abort(404)


@blueprint.app_context_processor
def bar() -> dict[str, Any]:
    """Tell the Demo bar which faults are on."""
    return {"faults_on": [broken.FAULTS[name].words for name in broken.are_on()]}


from guestauth.web.dev import clock, faults, gallery, index, mailbox, qa, reset, stand_in
