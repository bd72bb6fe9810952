"""Resources."""

from typing import Any

from guestauth.web.admin import blueprint
from guestauth.web.fields import page


@blueprint.get("/resources")
def resources() -> Any:
    """To be written."""
    return page("admin/base.html")


@blueprint.get("/resources/add")
def add_resource() -> Any:
    """To be written."""
    return page("admin/base.html")
