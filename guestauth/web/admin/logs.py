"""Logs."""

from typing import Any

from guestauth.web.admin import blueprint
from guestauth.web.fields import page


@blueprint.get("/sign-ins")
def sign_ins() -> Any:
    """To be written."""
    return page("admin/base.html")


@blueprint.get("/audit")
def audit() -> Any:
    """To be written."""
    return page("admin/base.html")
