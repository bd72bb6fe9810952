"""The list of guests: "Users from other organizations" (B31).

What it does: shows a page of the guests as searched, narrowed and sorted by the address of the page, and hands
the same guests out as a CSV file.

The one thing to understand: the address says everything, so that Back, a bookmark and a colleague see the same
list; a value that means nothing is as good as none.
"""

from typing import Any

from flask import request
from flask_babel import gettext

from guestauth import guests
from guestauth.guests import Listing
from guestauth.languages import N_
from guestauth.models import SOURCES
from guestauth.web import gate
from guestauth.web.admin import as_csv, blueprint
from guestauth.web.fields import page

MOST_OF_A_SEARCH = 254  # characters: the longest address
USER_TYPES = (N_("Guest"), N_("Member"))  # shown as they are kept, in the language of the page
FILTERS: dict[str, list[tuple[str, str]]] = {
    "source": [("", N_("Any")), *((word, word) for word in (N_("Invited user"), *SOURCES.values()))],
    "state": [("", N_("Any")), ("PendingAcceptance", N_("Pending acceptance")), ("Accepted", N_("Accepted"))],
    "only": [("", N_("All but deleted")), ("blocked", N_("Blocked")), ("deleted", N_("Deleted"))],
}


@blueprint.get("/guests", endpoint="guests")
def listed_guests() -> Any:
    """List the tenant's guests."""
    listing, query = _asked()
    found = guests.listed(gate.tenant_arrival().tenant.id, listing)
    narrowed = query.keys() & {"q", *FILTERS}
    filters = {name: [(value, gettext(words)) for value, words in each] for name, each in FILTERS.items()}
    return page("admin/guests.html", found=found, query=query, narrowed=narrowed, filters=filters)


@blueprint.get("/guests/export")
def export_guests() -> Any:
    """Hand out the guests of the list, all pages of it, as a CSV file."""
    listing, _ = _asked()
    return as_csv("guests", guests.exported(gate.tenant_arrival().tenant.id, listing))


def _asked() -> tuple[Listing, dict[str, str]]:
    """Return which guests the address asks for, and what of it is not what a bare address means."""
    asked = request.args.get
    narrowed = {name: asked(name, "") for name, options in FILTERS.items() if asked(name, "") in dict(options)}
    search, sort = asked("q", "").strip()[:MOST_OF_A_SEARCH], asked("sort", "")
    sort = sort if sort.removeprefix("-") in guests.SORTS else "mail"
    listing = Listing(search=search, sort=sort, page=asked("page", 1, type=int), **narrowed)
    query = {"q": search, **narrowed, "sort": sort}
    return listing, {name: value for name, value in query.items() if value}
