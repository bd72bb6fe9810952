"""The console: what a tenant's administrators see and do (B31 to B34). One module for each noun.

What it does: lets administrators in and nobody else; each module adds its pages.

The one thing to understand: `admit` is the one place that decides, for every page of the blueprint, and it reads
the right afresh from the row with every request.

What must stay true: an id in an address is looked up together with the tenant of the request, so that another
tenant's is a 404 like one that never was (B5). What a page does the command line does too (B35).
"""

from typing import Any

from flask import Blueprint, Response, flash, g, redirect, request, stream_with_context, url_for

from guestauth import audit, spreadsheets
from guestauth.web import gate

blueprint = Blueprint("admin", __name__, url_prefix="/<tenant:tenant>/admin")


@blueprint.before_request
def admit() -> None:
    """Let administrators of the tenant in; everybody else to sign-in, or away with a 403."""
    gate.administrator()


@blueprint.after_request
def note_refusal(answer: Response) -> Response:
    """Tell the audit log who, signed in, asked for what is not theirs (A-02)."""
    arrival = g.get("arrival")  # None for what was refused before anybody looked who it is
    if answer.status_code in (403, 404) and arrival and arrival.user:
        reason = f"{answer.status_code} {request.endpoint}"
        audit.refused("console.refused", reason, by=gate.caller(), tenant_id=arrival.tenant.id)
    return answer


@blueprint.get("")
def index() -> Any:
    """Lead to the guests: what an administrator comes for."""
    return redirect(url_for("admin.guests"))


def done(words: str, endpoint: str, **values: Any) -> Any:
    """Answer what was done: back to a page of the console, with a banner that says it."""
    flash(words)
    return redirect(url_for(f"admin.{endpoint}", **values), 303)


def as_csv(name: str, rows: spreadsheets.Rows) -> Response:
    """Answer with a table as a CSV file."""
    written = stream_with_context(spreadsheets.written(rows))  # rows may ask the database as they go
    answer = Response(written, mimetype="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return answer


from guestauth.web.admin import (
    administrators,
    branding,
    domains,
    guest,
    guests,
    identity_providers,
    imports,
    invite,
    logs,
    policy,
    resources,
    settings,
)
