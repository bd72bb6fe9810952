"""Imports."""

from typing import Any

from guestauth.web.admin import blueprint
from guestauth.web.fields import page


@blueprint.get("/guests/import")
def import_guests() -> Any:
    """To be written."""
    return page("admin/base.html")
