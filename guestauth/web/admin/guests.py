"""Guests."""

from typing import Any

from guestauth.web.admin import blueprint
from guestauth.web.fields import page


@blueprint.get("/guests")
def guests() -> Any:
    """To be written."""
    return page("admin/base.html")
