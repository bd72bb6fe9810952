"""The two cookies: which browser this is, and what it is signed in to.

What it does: `VisitInterface` makes Flask's own cookie the visit cookie; `secrets`, `remember`, `forget` and
`leave` read and write the session cookie.

The one thing to understand: neither says anything by itself. The visit cookie has a random id (and the form
tokens' secret), the session cookie a random secret for each tenant; the rows say what they are worth.

What must stay true: no other module touches a cookie; both are HttpOnly, SameSite=Lax, for the whole site and,
over https, `__Host-`.

Called by the gate and the views of the way in.
"""

import secrets as random
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask import Flask, Request, Response, current_app, g, request
from flask import session as visit
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from itsdangerous import BadData

from guestauth.database import now
from guestauth.keys import fingerprint, signer
from guestauth.sessions import Arrival

MOST_SESSIONS = 10  # tenants one browser can be signed in to at once; the oldest goes first


class VisitInterface(SecureCookieSessionInterface):
    """Flask's cookie, known by its signature alone: a host whose clock is a second ahead is no reason (F3)."""

    def get_signing_serializer(self, app: Flask) -> Any:
        """Sign as all else is signed."""
        with app.app_context():
            return signer("visit")

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession:
        """Read the visit cookie; an unreadable one is a new visit."""
        try:
            content = self.get_signing_serializer(app).loads(request.cookies.get(self.get_cookie_name(app), ""))
            return self.session_class(content)
        except (BadData, ValueError, TypeError):
            return self.session_class()


def names(config: Mapping[str, Any]) -> tuple[str, str]:
    """Return the names of the session cookie and the visit cookie."""
    prefix = "__Host-" if config["PUBLIC_URL"].startswith("https://") else ""
    return f"{prefix}guestauth", f"{prefix}guestauth-visit"


def is_secure() -> bool:
    """Whether the site is on https."""
    return bool(current_app.config["SESSION_COOKIE_SECURE"])


def browser() -> str:
    """Return the visit cookie's id; a browser without one gets one."""
    if not isinstance(visit.get("id"), str):
        renew_browser()
    return str(visit["id"])


def renew_browser(new_id: str | None = None) -> None:
    """Give the browser a new visit: what was planted in the old one is worth nothing (S-01)."""
    visit.clear()
    visit["id"], visit["csrf_token"] = new_id or random.token_hex(32), random.token_hex(20)
    visit.permanent = True


def secrets() -> list[str]:
    """Return the session secrets the browser holds, the newest last."""
    try:
        content = signer("session").loads(request.cookies.get(names(current_app.config)[0], ""))
    except (BadData, ValueError):
        return []
    genuine = isinstance(content, list) and all(isinstance(secret, str) for secret in content)
    return content[-MOST_SESSIONS:] if genuine else []


def remember(secret: str, expires_at: datetime, *, arrival: Arrival) -> None:
    """Put a new session into the cookie, in place of this tenant's old one; the cookie ends with it."""
    old = arrival.session.secret if arrival.session else None
    kept = [other for other in secrets() if other != secret and fingerprint(other) != old]
    g.new_secrets = [*kept, secret][-MOST_SESSIONS:]
    g.new_max_age = max(0, int((expires_at - now()).total_seconds()))


def forget(*, arrival: Arrival) -> None:
    """Take this tenant's session out of the cookie after signing out; those of others stay."""
    old = arrival.session.secret if arrival.session else None
    g.new_secrets = [other for other in secrets() if fingerprint(other) != old]
    g.new_max_age = current_app.config["SESSION_LIFETIME"] if g.new_secrets else 0


def leave(response: Response) -> Response:
    """Set the session cookie, if this request changed it."""
    if "new_secrets" in g:
        response.set_cookie(
            names(current_app.config)[0],
            signer("session").dumps(g.new_secrets) if g.new_secrets else "",
            max_age=g.new_max_age,
            secure=current_app.config["SESSION_COOKIE_SECURE"],
            httponly=True,
            samesite="Lax",
        )
    return response
