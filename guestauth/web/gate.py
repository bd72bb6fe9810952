"""The gate: which tenant a request names, and who is asking.

What it does: finds tenant and session in one query; `signed_in` lets a view through or sends the visitor
where they belong; `safe_target` and `here` keep the way back.

The one thing to understand: everything a view may believe about the caller stands in `g.arrival`, decided
here and by rows only.

What must stay true: a tenant in the path wins over one in the query, and two different ones are refused (B4);
a path to return to is one of ours, within the tenant (F5).

Called before every request, and by every view. It decides nothing about resources or codes.
"""

import functools
import uuid
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode

from flask import abort, current_app, g, redirect, request, url_for
from flask.globals import app_ctx, request_ctx
from werkzeug.exceptions import HTTPException, NotFound
from werkzeug.routing import BaseConverter

from guestauth import courier, sessions, tenants
from guestauth.audit import Caller
from guestauth.languages import N_
from guestauth.models import User
from guestauth.sessions import Arrival
from guestauth.web import cookies, guard, language

TARGETS = {"guest.apps", "guest.resource", "guest.direct_resource", "guest.account"}  # where a sign-in may lead
CONSOLE = "admin."  # and to every page of the console
UPLOADS = {  # the pages that take a file, and how many bytes at the most
    "admin.import_guests": 5 * 1024 * 1024,
    "admin.add_resource": 21 * 1024 * 1024,
    "admin.edit_resource": 21 * 1024 * 1024,
    "admin.branding": 5 * 1024 * 1024,  # far more than a logo, so that the page says what is wrong with one
}
LONG_TEXTS = {"admin.policy": 320 * 1024}  # 25,000 characters, escaped
SHOWN_BY = {"guest.download": "guest.resource"}  # a file is asked for on its page
MOST_CHARACTERS = 2000  # of a target
KEPT = "!$&'()*+,;=:@/?%-._~"  # what stays as it is in an address (RFC 3986)
LASTING = {"static", "branding.stylesheet", "branding.logo"}  # the same for everybody
BARE = {None, *LASTING, "health.healthz", "health.readyz", "health.robots"}  # concern nobody


class SignInNeeded(Exception):  # noqa: N818 -- a way on, not an error
    """The page is for somebody who is signed in at this tenant."""


class ConsentNeeded(Exception):  # noqa: N818 -- a way on, not an error
    """The guest has to answer Review permissions first (B19)."""


class TenantMissing(Exception):  # noqa: N818 -- a way on, not an error
    """The address does not say which tenant it is about (B3)."""


class TenantConverter(BaseConverter):
    """A tenant id, or anything with a dot in it: a domain. No other path of ours looks like that."""

    regex = r"(?:[^/]*\.[^/]*|[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})"
    part_isolating = True  # else Werkzeug would not know a trailing slash behind it


def arrive() -> Any:
    """Find out which tenant and who, before every request but static files and health checks."""
    courier.ensure_running(app_ctx.app)
    asked, here = request_ctx.request, app_ctx.g
    guard.check(asked)
    if asked.endpoint in BARE:
        guard.check_body(asked, _own_origins)
        return _in_small_letters()
    takes_much = asked.endpoint in UPLOADS or asked.endpoint in LONG_TEXTS
    if not takes_much:
        guard.check_body(asked, _own_origins)
    cookies.browser()
    cookies.keep_form_token()
    reference = _reference()
    if reference is not None:
        here.reference = str(reference)
        here.arrival = sessions.arriving(reference, cookies.secrets())
        if here.arrival is None:
            raise NotFound("no such tenant")
    if takes_much:
        _take_much()
    return None


def _own_origins() -> list[str]:
    return [current_app.config["PUBLIC_URL"], request.host_url.rstrip("/")]


def _take_much() -> None:
    """Take a file or a long text from administrators only: nobody else's body is read any further than usual."""
    user, endpoint = g.arrival.user if g.get("arrival") else None, request.endpoint or ""
    trusted = user is not None and user.is_administrator
    files = trusted and endpoint in UPLOADS and request.mimetype == "multipart/form-data"
    if files:
        request.max_content_length = request.max_form_memory_size = UPLOADS[endpoint]
    elif trusted and endpoint in LONG_TEXTS:
        request.max_content_length = LONG_TEXTS[endpoint]
    guard.check_body(request, _own_origins, files=files)


def _in_small_letters() -> Any:
    """Lead from an address that is none to the same in small letters, if that is a page of ours (B1, B2)."""
    small = request.path.lower()
    if request.endpoint or small == request.path or request.method not in ("GET", "HEAD"):
        return None
    try:
        current_app.url_map.bind("").match(small, method="GET")
    except HTTPException:
        return None
    query = request.query_string.decode("ascii", "replace")
    return redirect(f"{quote(small)}?{query}" if query else quote(small))


def tenant_arrival() -> Arrival:
    """Return the tenant of the request, and who is signed in there if anybody is.

    :raises TenantMissing:
    """
    arrival: Arrival | None = g.get("arrival")
    if arrival is None:
        raise TenantMissing
    return arrival


def signed_in(*, before_consent: bool = False) -> User:
    """Return who is signed in at the tenant of the request.

    :param before_consent: whether the page is for guests who have not accepted yet, too.
    :raises SignInNeeded: :raises ConsentNeeded: :raises TenantMissing:
    """
    user = tenant_arrival().user
    if user is None:
        raise SignInNeeded
    if user.must_consent and not before_consent:
        raise ConsentNeeded
    return user


def administrator() -> User:
    """Return the administrator who asks: the one place that decides who may use the console (B34).

    :raises SignInNeeded: :raises TenantMissing: :raises Forbidden: for anybody else who is signed in.
    """
    user = signed_in()
    if not user.is_administrator:
        abort(403)
    return user


@functools.cache
def expects_tenant(endpoint: str) -> bool:
    """Whether the endpoint's address names a tenant."""
    return current_app.url_map.is_endpoint_expecting(endpoint, "tenant")


def is_demo() -> bool:
    """Whether this is the demo."""
    return bool(current_app.config["GUESTAUTH_DEMO"])


def session_id() -> uuid.UUID:
    """Return the session that `signed_in` found."""
    session = tenant_arrival().session
    if session is None:
        raise SignInNeeded
    return session.id


def caller() -> Caller:
    """Return who asks, for operations and the audit log."""
    arrival: Arrival | None = g.get("arrival")
    user = arrival.user if arrival else None
    return Caller(
        actor="visitor" if user is None else "guest" if user.is_guest else "administrator",
        user_id=user.id if user else None,
        name=(user.display_name or user.mail) if user else "",
        client_address=(request.remote_addr or "")[:45],
        browser=request.user_agent.string[:200],
        correlation_id=g.correlation_id,
        language=language.current(),
    )


def safe_target(raw: str) -> str | None:
    """Return a path to go to after sign-in, if it is a page of ours within this tenant; else None.

    It is taken apart and put together anew: nothing of a raw parameter ever becomes a redirect (F5).
    """
    path, _, query = quote(raw, safe=KEPT).partition("?")
    if not path.startswith("/") or path.startswith("//"):
        return None
    addresses = current_app.url_map.bind("")
    try:
        endpoint, matched = addresses.match(unquote(path), method="GET")
    except HTTPException:
        return None
    endpoint, values = SHOWN_BY.get(endpoint, endpoint), dict(matched)
    in_query = [value for key, value in parse_qsl(query) if key.lower() == "tenantid"]
    named = [values.pop("tenant", None), *in_query]
    references = {str(tenants.reference_or_none(name)) for name in named if name}
    known = endpoint in TARGETS or endpoint.startswith(CONSOLE)
    if not known or not references or not all(_is_here(each) for each in references):
        return None
    if named[0]:
        values["tenant"] = g.reference
    target = addresses.build(endpoint, values) + (f"?{query}" if query else "")
    return target if len(target) <= MOST_CHARACTERS else None


def wanted(typed: str) -> str | None:
    """Return where to go after sign-in, from a form's field or else from the query; None: nowhere of ours."""
    return safe_target(typed or request.args.get("to", ""))


def sent_once(*names: str) -> dict[str, str]:
    """Return those parameters of the query that are there; none may be there twice (RFC 6749, 3.1)."""
    if any(len(request.args.getlist(name)) > 1 for name in names):
        abort(400)
    return {name: request.args[name] for name in names if name in request.args}


def here() -> str:
    """Return the address asked for, to come back to, in whichever language will be spoken then."""
    parts = request.query_string.decode("ascii", "replace").split("&")
    query = "&".join(part for part in parts if part.partition("=")[0] != "lang")
    return f"{quote(request.path)}?{query}" if query else quote(request.path)


def home() -> str:
    """Return where a sign-in leads that was not on the way to anything."""
    return url_for("guest.apps")


def _reference() -> uuid.UUID | str | None:
    """Return how the request names its tenant; 404 if by a name that cannot be, 400 if it names two."""
    in_path = (request.view_args or {}).pop("tenant", None)
    in_query = [value for key, value in request.args.items(multi=True) if key.lower() == "tenantid"]
    names = [name for name in (in_path, *in_query) if name]
    references = [tenants.reference_or_none(name) for name in names]
    if not references:
        return None
    if len(set(references)) > 1 and len({_tenant_id(reference) for reference in references}) > 1:
        abort(400, N_("The address names two different organisations."))
    if references[0] is None:
        raise NotFound("no such tenant")
    return references[0]


def _is_here(reference: str) -> bool:
    """Whether a tenant's id or domain means the tenant of this request."""
    tenant = tenant_arrival().tenant
    return reference in (g.reference, str(tenant.id), tenant.domain) or reference in tenants.domains(tenant.id)


def _tenant_id(reference: uuid.UUID | str | None) -> uuid.UUID | None:
    arrival = sessions.arriving(reference, []) if reference else None
    return arrival.tenant.id if arrival else None


def redirect_to_tenant(path: str) -> str:
    """Return the address of a common endpoint's page at the tenant that the query names."""
    rest = [(key, value) for key, value in request.args.items(multi=True) if key.lower() != "tenantid"]
    address = f"/{g.reference}{quote(path)}"
    return f"{address}?{urlencode(rest)}" if rest else address
