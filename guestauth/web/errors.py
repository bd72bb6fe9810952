"""Error pages: whatever goes wrong, a page says what happened and what to do next.

What it does: turns refusals, HTTP errors and faults into pages, or JSON for who asks for JSON.

The one thing to understand: an unknown tenant, a disabled one, and a path that is nothing are one and the same
page (B4); a fault shows its correlation id and nothing of itself.
"""

import logging
from datetime import datetime, timedelta
from typing import Any

from flask import Flask, g, redirect, request, url_for
from flask_babel import gettext
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import BadRequest, HTTPException
from werkzeug.http import HTTP_STATUS_CODES

from guestauth import federation, limits, resources, signin
from guestauth.database import Refusal, now
from guestauth.engines import is_busy
from guestauth.languages import N_, said
from guestauth.web import cookies, gate
from guestauth.web.fields import Problem, page, wait

log = logging.getLogger(__name__)
BUSY = timedelta(seconds=5)  # to wait before trying again
WORDS = {
    400: (N_("That didn't work"), N_("The request has something in it that it should not have.")),
    403: (N_("You can't do that"), N_("You don't have access to this.")),
    404: (
        N_("We can't find that page"),
        N_(
            "We can't find an organisation with that address. "
            "Check the spelling or use the link in your invitation."
        ),
    ),
    405: (N_("That didn't work"), N_("This address can't be used like that. Go back and try again.")),
    411: (N_("That didn't work"), N_("The request does not say how long it is.")),
    413: (N_("That is too large"), N_("What was sent is larger than it can be.")),
    415: (N_("That didn't work"), N_("What was sent is not a form.")),
    429: (
        N_("You can't go on just yet"),
        N_("There were too many attempts from your network. Codes that you have go on working until they expire."),
    ),
    500: (N_("Something went wrong"), N_("It was us, not you. Nothing you did is lost. Try again in a moment.")),
    503: (N_("We're busy at the moment"), N_("Nothing you did is lost. Try again in a few seconds.")),
}


def register(app: Flask) -> None:
    """Hand every kind of failure to its page."""
    app.register_error_handler(gate.SignInNeeded, to_sign_in)
    app.register_error_handler(gate.ConsentNeeded, to_consent)
    app.register_error_handler(gate.TenantMissing, no_tenant)
    app.register_error_handler(signin.SignInUnknown, sign_in_unknown)
    app.register_error_handler(federation.StateUnknown, state_unknown)
    app.register_error_handler(resources.ResourceUnknown, resource_unknown)
    app.register_error_handler(limits.LimitReached, limit_reached)
    app.register_error_handler(Refusal, refused)
    app.register_error_handler(HTTPException, http_error)
    app.register_error_handler(SQLAlchemyError, database_fault)
    app.register_error_handler(Exception, fault)


def to_sign_in(_: Exception) -> Any:
    """Lead to sign-in and back here; with the address kept if the 24 hours are over (B28)."""
    to = gate.here() if request.method == "GET" else None
    tenant_id, browser = gate.tenant_arrival().tenant.id, cookies.browser()
    over = None if cookies.is_new_visit() else signin.over_or_none(tenant_id, browser=browser)
    return redirect(url_for("guest.session_over" if over else "guest.sign_in", to=to))


def to_consent(_: Exception) -> Any:
    """Lead to Review permissions and back here."""
    return redirect(url_for("guest.consent", to=gate.here() if request.method == "GET" else None))


def no_tenant(_: Exception) -> Any:
    """Say what is missing, and offer a field for it (B3)."""
    asked = any(key.lower() == "tenantid" for key in request.args)
    problems = [Problem(gettext("Enter the organisation's address"), "tenantid")] if asked else []
    title = gettext("This link doesn't say which organisation you are visiting")
    return page("common/no_tenant.html", title=title, problems=problems, typed="", status=400)


def sign_in_unknown(_: Exception) -> Any:
    """Say that this browser has no such sign-in, or lead on who is signed in already."""
    if gate.tenant_arrival().user:
        return redirect(gate.home(), 303)
    return error_page(
        404,
        title=gettext("This sign-in isn't open in this browser"),
        text=gettext("A code works only in the browser that asked for it. Start again here to get a new one."),
        way_on=[(gettext("Start again"), url_for("guest.sign_in"))],
    )


def state_unknown(_: Exception) -> Any:
    """Say that what came back from an identity provider belongs to no sign-in of the last half hour."""
    return error_page(
        400,
        title=gettext("This sign-in took too long"),
        text=gettext("Open the link in your invitation or the page you wanted, and start again."),
    )


def resource_unknown(_: Exception) -> Any:
    """Say that it does not exist, for this guest, and whom to ask."""
    tenant = gate.tenant_arrival().tenant
    if tenant.help_contact:
        text = gettext(
            "It may have been removed, or not shared with you. Ask %(contact)s at %(org)s.",
            contact=tenant.help_contact,
            org=tenant.name,
        )
    else:
        text = gettext(
            "It may have been removed, or not shared with you. Ask the person who shared it with you at %(org)s.",
            org=tenant.name,
        )
    title, way_on = gettext("There is nothing here for you"), gettext("Go to %(org)s apps", org=tenant.name)
    return error_page(404, title=title, text=text, way_on=[(way_on, gate.home())])


def limit_reached(limit: limits.LimitReached) -> Any:
    """Say from when it can be done again, to guests and strangers alike; it costs no try and loses nothing."""
    return wait(error_page(429, retry_at=limit.next_at), limit.next_at)


def refused(refusal: Refusal) -> Any:
    """Answer a refusal that no view has a place for."""
    return error_page(400, text=said(refusal.text))


def http_error(error: HTTPException) -> Any:
    """Show the page of an HTTP error; redirects pass."""
    code = error.code or 500
    if error.response is not None or code < 400:
        return error
    answer = error_page(code, text=_own_words(error, code))
    answer.headers.extend(h for h in error.get_headers() if h[0] in ("Allow", "Retry-After"))
    return answer


def _own_words(error: HTTPException, code: int) -> str | None:
    """Say more than the page of every such error does; None: there is no more."""
    most = gate.UPLOADS.get(request.endpoint or "")
    if code == 413 and most:
        megabytes = most // 2**20
        return str(gettext("The file is too large: this page takes %(most)s MB at most.", most=megabytes))
    if code == 404 and g.get("arrival"):  # of this organisation, so it is not unknown
        return str(gettext("There is nothing at this address. It may have been removed."))
    own = error.description if type(error) is BadRequest else None
    return str(gettext(own)) if own and own != BadRequest.description else None


def database_fault(error: SQLAlchemyError) -> Any:
    """Show 503 while the database is busy or away, 500 otherwise."""
    if not is_busy(error):
        return fault(error)
    log.warning("%s the database is busy or away", g.get("correlation_id"), exc_info=error)
    retry_at = now() + BUSY
    return wait(error_page(503, retry_at=retry_at), retry_at)


def fault(error: Exception) -> Any:
    """Log a fault with its correlation id; the page shows nothing of it."""
    log.error("%s %s", g.get("correlation_id"), type(error).__name__, exc_info=error)
    return error_page(500)


def error_page(
    code: int,
    *,
    title: str | None = None,
    text: str | None = None,
    way_on: list[tuple[str, str]] | None = None,
    retry_at: datetime | None = None,
) -> Any:
    """Render an error.

    :param retry_at: from when it is worth trying again.
    """
    usual = WORDS.get(code, WORDS[400 if code < 500 else 500])
    return page(
        "errors/error.html",
        code=code,
        status=code,
        title=title or gettext(usual[0]),
        text=text or gettext(usual[1]),
        name=HTTP_STATUS_CODES[code],
        at=now(),
        retry_at=retry_at,
        correlation_id=g.get("correlation_id", ""),
        way_on=way_on or [],
        typed="",
    )
