"""What pages look like at a tenant: the stylesheet in its colour, and its logo.

What it does: hands out both to everybody, to be kept by browsers.

The one thing to understand: a stylesheet is named by its colour and a logo by its tenant, so nothing of who asks
is in either.

What must stay true: they set no cookie, and of an unknown or disabled tenant there is no logo (B4). A logo is a
picture, whatever else may be in its bytes.

Called by the pages guests see. Console, demo kit, and pages without tenant keep the product's own look.
"""

import re
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, abort, current_app, request

from guestauth import branding, colours, sessions, tenants
from guestauth.web.guest.apps import SEALED

blueprint = Blueprint("branding", __name__)
COLOUR = re.compile("[0-9a-f]{6}")
KEPT_FOR = 3600  # seconds, as static files
FOR_GOOD = 365 * 24 * 3600  # what its address names by its content


@blueprint.get("/accent/<colour>.css")
def stylesheet(colour: str) -> Any:
    """Give the stylesheet in a colour."""
    if not COLOUR.fullmatch(colour):
        abort(404)
    return _kept(Response(dressed(colour), mimetype="text/css"), KEPT_FOR)


@blueprint.get("/<tenant:tenant>/logo")
def logo(tenant: str) -> Any:
    """Give the logo; by its newest address it is kept for good."""
    reference = tenants.reference_or_none(tenant)
    arrival = sessions.arriving(reference, []) if reference else None
    found = branding.logo_or_none(arrival.tenant) if arrival else None
    if arrival is None or found is None:
        abort(404)
    answer = Response(found.content, mimetype=found.media_type)
    answer.headers["Content-Security-Policy"] = SEALED
    return _kept(answer, FOR_GOOD if request.args.get("v") == arrival.tenant.logo else KEPT_FOR)


def dressed(colour: str) -> str:
    """Return the stylesheet in a colour.

    :param colour: six digits.
    """
    return colours.dressed(style(), f"#{colour}")


def shades(accent: str) -> list[str]:
    """Return what a colour becomes on light and on dark pages."""
    return [colours.palette(accent, behind)["accent"] for behind in colours.behind(style())]


def style() -> str:
    """Return the stylesheet in the product's own colour."""
    return (Path(current_app.static_folder or "") / "style.css").read_text("utf-8")


def _kept(answer: Response, seconds: int) -> Any:
    """Let browsers keep an answer, and ask whether it is still the same."""
    answer.cache_control.public, answer.cache_control.max_age = True, seconds
    answer.add_etag()
    return answer.make_conditional(request)
