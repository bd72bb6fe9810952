"""Addresses that concern no tenant, or do not say which: common endpoints, health, robots (B3).

What it does: a common endpoint with a tenant in its query leads to that tenant's page; without one it says
what is missing and offers a field for it.
"""

import uuid
from typing import Any

from flask import Blueprint, current_app, g, redirect, request, url_for

from guestauth import federation
from guestauth.database import migrated, reachable
from guestauth.web import gate

blueprint = Blueprint("common", __name__)
health = Blueprint("health", __name__)
LISTS = ("/common", "/organizations", "/myapps", "/apps", "/apps/")  # other names of the list of apps


@blueprint.get("/apps")
@blueprint.get("/apps/<path:rest>")
@blueprint.get("/sign-in")
@blueprint.get("/sign-in/<path:rest>")
@blueprint.get("/session-over")
@blueprint.get("/consent")
@blueprint.get("/consent/<path:rest>")
@blueprint.get("/sign-out")
@blueprint.get("/signed-out")
@blueprint.get("/account")
@blueprint.get("/invitations/<path:rest>")
@blueprint.get("/common")
@blueprint.get("/common/<path:rest>")
@blueprint.get("/organizations")
@blueprint.get("/organizations/<path:rest>")
@blueprint.get("/myapps")
@blueprint.get("/myapps/<path:rest>")
def endpoint(rest: str = "") -> Any:
    """Lead to the tenant's page of that name if the query says which tenant; else B3's page."""
    if "reference" not in g:
        raise gate.TenantMissing
    if request.path in LISTS or request.path.startswith(("/common/", "/organizations/", "/myapps/")):
        return redirect(gate.redirect_to_tenant(""))
    return redirect(gate.redirect_to_tenant(request.path))


@blueprint.get("/sign-in/callback/<uuid:provider_id>")
def callback(provider_id: uuid.UUID) -> Any:
    """Lead who comes back from an identity provider to the page of their sign-in, with what they bring.

    Each provider has an address of its own, so that what one answers is not taken for another's (RFC 9700, 4.4).
    """
    brought: dict[str, Any] = gate.sent_once("state", "code", "iss", "error")
    state = federation.read_state(brought.get("state", ""))
    if state.provider_id != provider_id:
        raise federation.StateUnknown
    there = url_for("guest.come_back", tenant=state.reference, sign_in_id=state.sign_in_id, **brought)
    return redirect(there, 303)


@health.get("/healthz")
def healthz() -> Any:
    """Tell that the process is up."""
    return "up\n", 200, {"Content-Type": "text/plain"}


@health.get("/readyz")
def readyz() -> Any:
    """Tell whether requests can be served: the database answers and its tables are the code's."""
    if not reachable():
        return "the database does not answer\n", 503, {"Content-Type": "text/plain", "Retry-After": "5"}
    if not migrated():
        return "migrations are to be done: flask db upgrade\n", 503, {"Content-Type": "text/plain"}
    return "ready\n", 200, {"Content-Type": "text/plain"}


@health.get("/robots.txt")
def robots() -> Any:
    """Ask search engines to keep out."""
    return current_app.send_static_file("robots.txt")
