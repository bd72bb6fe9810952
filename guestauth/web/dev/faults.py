"""The demo's faults: a page to switch each on and off, and the request that is made to fail.

What must stay true: the demo's own pages, static files and health checks are spared, or nothing could be mended.
"""

from typing import Any

from flask import redirect, request, url_for
from wtforms import HiddenField
from wtforms.validators import AnyOf

from guestauth import courier, faults
from guestauth.web.dev import blueprint
from guestauth.web.fields import Form, first, page

SPARED = ("static", "branding.", "health.", "dev.")
TOLD = {"on": "is on now.", "off": "is off now."}


class FailedOnPurpose(Exception):  # noqa: N818 -- the fault itself
    """What the tester asked for."""


@blueprint.before_app_request
def fail_once() -> None:
    """Let a request fail if that was asked for, before any view sees it."""
    endpoint = request.endpoint or "static"
    if not endpoint.startswith(SPARED) and faults.claim(faults.REQUEST):
        raise FailedOnPurpose("the demo's fault “next request fails” was on")


class FaultForm(Form):
    """Which fault, and whether it is to be on."""

    fault = HiddenField(validators=[AnyOf([*faults.FAULTS, "all"], "Choose a fault")])
    switch = HiddenField(validators=[AnyOf(list(TOLD), "Choose on or off")])


@blueprint.route("/faults", methods=["GET", "POST"], endpoint="faults")
def switches() -> Any:
    """Show what can go wrong, and switch it."""
    form = FaultForm()
    if form.validate_on_submit():
        name, on = first(form.fault), first(form.switch) == "on"
        if name == "all":
            faults.turn_all_off()
        else:
            (faults.turn_on if on else faults.turn_off)(name)
        courier.wake()
        return redirect(url_for("dev.faults"), 303)
    return page("dev/faults.html", form=form, faults=faults.FAULTS, on=faults.are_on())
