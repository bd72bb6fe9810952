"""The cookies: which browser this is, what it is signed in to, and who has signed in here before.

What it does: `VisitInterface` makes Flask's own cookie the visit cookie; `secrets`, `remember` and `forget` read
and write the session cookie, `known` and `know` that of guests who were here, `language` and `speak` that of the
language; `leave` sets what was changed.

The one thing to understand: none says anything by itself. The visit cookie has a random id (and the form
tokens' secret), the session cookie a random secret for each tenant; the rows say what they are worth. The third
has marks that only fit an address somebody types. The language's is as it is, and unsigned.

What must stay true: no other module touches a cookie; all are HttpOnly, SameSite=Lax, for the whole site and,
over https, `__Host-`.

Called by the gate and the views of the way in.
"""

import hmac
import secrets as random
import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from flask import Flask, Request, Response, current_app, g, request
from flask import session as visit
from flask.globals import app_ctx
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from itsdangerous import BadData

from guestauth import languages
from guestauth.database import now
from guestauth.keys import fingerprint, keys, signer
from guestauth.sessions import MOST_SESSIONS, Arrival

MOST_KNOWN = 10  # guests that one browser is known for; the oldest goes first
KNOWN_FOR = timedelta(days=90)
SPEAKS_FOR = timedelta(days=365)


class VisitInterface(SecureCookieSessionInterface):
    """Flask's cookie, known by its signature alone: a host whose clock is a second ahead is no reason (F3)."""

    def get_signing_serializer(self, app: Flask) -> Any:
        """Sign as all else is signed."""
        return signer("visit")

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession:
        """Read the visit cookie; an unreadable one is a new visit."""
        try:
            content = self.get_signing_serializer(app).loads(request.cookies.get(self.get_cookie_name(app), ""))
            return self.session_class(content)
        except (BadData, ValueError, TypeError):
            return self.session_class()


def names(config: Mapping[str, Any]) -> tuple[str, str, str, str]:
    """Return the names of the cookies: session, visit, guests who were here, language."""
    name = "__Host-guestauth" if config["PUBLIC_URL"].startswith("https://") else "guestauth"
    return name, f"{name}-visit", f"{name}-known", f"{name}-lang"


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
    g.pop("csrf_token", None)
    visit["id"], visit["csrf_token"] = new_id or random.token_hex(32), random.token_hex(20)
    visit.permanent = True
    g.is_new_visit = new_id is None


def keep_form_token() -> None:
    """Give the forms of a visit the token they had before: once signed, it is good for the whole visit (C-05)."""
    token, here = visit.get("csrf_token"), app_ctx.g
    if isinstance(token, str):
        here.pop("csrf_token", None)
        here.csrf_token = app_ctx.app.extensions["guestauth_form_tokens"](token)


def is_new_visit() -> bool:
    """Whether the browser came without a visit cookie: no row can know it."""
    return bool(g.get("is_new_visit"))


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


def known(tenant_id: uuid.UUID, mail_key: str) -> str | None:
    """Return the name by which this browser is known for an address: its code was entered in it; None: not."""
    name, marks = _known()
    since = (now() - KNOWN_FOR).timestamp()
    fitting = _marks(name, tenant_id, mail_key)
    return f"browser {name}" if any(mark in fitting and at > since for mark, at in marks) else None


def know(tenant_id: uuid.UUID, mail_key: str) -> None:
    """Remember for 90 days that a code of an address was entered in this browser.

    A provider's word is not enough: one that a tenant set up could make any number of browsers known.
    """
    name, marks = _known()
    mine = _marks(name, tenant_id, mail_key)
    others = [(mark, at) for mark, at in marks if mark not in mine]
    g.new_known = name, [*others, (mine[0], int(now().timestamp()))][-MOST_KNOWN:]


def language() -> str | None:
    """Return the language chosen in this browser; None: none that is ours."""
    return languages.nearest(request.cookies.get(names(current_app.config)[3], ""))


def speak(tag: str) -> None:
    """Remember a language for a year."""
    g.new_language = tag


def leave(response: Response) -> Response:
    """Set the cookies that this request changed."""
    (session_name, _, known_name, language_name), here = names(current_app.config), app_ctx.g
    if "new_secrets" in here:
        _set(response, session_name, _signed("session", here.new_secrets), here.new_max_age)
    if "new_known" in here:
        _set(response, known_name, _signed("known", here.new_known), int(KNOWN_FOR.total_seconds()))
    if "new_language" in here:
        _set(response, language_name, here.new_language, int(SPEAKS_FOR.total_seconds()))
    return response


def _signed(purpose: str, content: Any) -> str:
    return str(signer(purpose).dumps(content)) if content else ""


def _set(response: Response, name: str, value: str, max_age: int) -> None:
    response.set_cookie(
        name,
        value,
        max_age=max_age,
        secure=current_app.config["SESSION_COOKIE_SECURE"],
        httponly=True,
        samesite="Lax",
    )


def _known() -> tuple[str, list[tuple[str, int]]]:
    """Return the browser's name and its marks, each with when it was set; a browser without a name gets one."""
    try:
        name, marks = signer("known").loads(request.cookies.get(names(current_app.config)[2], ""))
        return str(name), [(str(mark), int(at)) for mark, at in marks]
    except (BadData, ValueError, TypeError):
        return random.token_hex(16), []


def _marks(name: str, tenant_id: uuid.UUID, mail_key: str) -> list[str]:
    """Return what marks an address, by each of the keys, the current one first; without them it says nothing."""
    about = "\0".join([name, str(tenant_id), mail_key]).encode()
    return [hmac.digest(key, about, "sha256").hex()[:32] for key in keys("known mark")]
