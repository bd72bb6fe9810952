"""The web: pages by audience. Views ask, choose and answer; they decide nothing.

What it does: `set_up` puts blueprints, gate, error pages, headers and cookies onto the application.
"""

import functools
import logging
import time
import uuid
from typing import Any

from flask import Flask, Response, current_app, g
from flask.globals import app_ctx, request_ctx
from flask_wtf.csrf import generate_csrf
from werkzeug.middleware.proxy_fix import ProxyFix

from guestauth import passcodes
from guestauth.keys import keys
from guestauth.web import admin, branding, common, cookies, errors, gate, guest, language

log = logging.getLogger("guestauth.request")
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
KEPT_TOKENS = 4096  # of visits whose forms' tokens a process has signed
MOST_BYTES = 64 * 1024  # of a request's body


def set_up(app: Flask) -> None:
    """Make the application answer requests."""
    hops = app.config["TRUSTED_PROXIES"]
    if hops:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]  # as Flask says to
    secure = app.config["PUBLIC_URL"].startswith("https://")
    app.config.update(
        MAX_CONTENT_LENGTH=MOST_BYTES,
        SESSION_COOKIE_NAME=cookies.names(app.config)[1],
        SESSION_COOKIE_SECURE=secure,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_REFRESH_EACH_REQUEST=False,
        PERMANENT_SESSION_LIFETIME=30 * 24 * 3600,
        SEND_FILE_MAX_AGE_DEFAULT=3600,
        WTF_I18N_ENABLED=False,  # every word is ours (F14)
        WTF_CSRF_TIME_LIMIT=None,  # a form's token lives as long as the visit (C-05, F3)
    )
    app.session_interface = cookies.VisitInterface()
    app.extensions["guestauth_form_tokens"] = functools.lru_cache(KEPT_TOKENS)(lambda _token: generate_csrf())
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    app.url_map.converters["tenant"] = gate.TenantConverter
    files = app.static_url_path
    app.jinja_env.globals.update(csrf_token=generate_csrf, static=lambda name: f"{files}/{name}")
    app.jinja_env.filters["in_few_words"] = passcodes.browser_label
    with app.app_context():
        app.config["WTF_CSRF_SECRET_KEY"] = keys("form")[::-1]  # signs with the last, knows all (F4)
    app.before_request(_begin)
    app.before_request(gate.arrive)
    language.set_up(app)
    app.after_request(cookies.leave)
    app.after_request(_finish)
    app.url_defaults(_add_tenant)
    app.context_processor(_context)
    errors.register(app)
    for blueprint in (common.health, branding.blueprint, common.blueprint, guest.blueprint, admin.blueprint):
        app.register_blueprint(blueprint)
    if app.config["GUESTAUTH_DEMO"]:
        from guestauth.web import dev

        app.register_blueprint(dev.blueprint)


def _begin() -> None:
    g.correlation_id, g.began = uuid.uuid4().hex[:16], time.monotonic()
    if request_ctx.url_adapter is None:  # a Host that is not ours (F8): the error page has addresses too
        request_ctx.url_adapter = current_app.url_map.bind("")


def _finish(response: Response) -> Response:
    """Add the headers of every response, and log it by its rule, never by its path (a ticket is in some)."""
    asked, here, headers = request_ctx.request, app_ctx.g, response.headers
    own = {name for name, _ in headers}
    headers.extend([(name, value) for name, value in HEADERS.items() if name not in own])
    if cookies.is_secure():
        headers.add("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
    if asked.endpoint not in gate.LASTING or response.status_code >= 400:
        headers["Cache-Control"] = "no-store"
        language.finish(response)
    rule = asked.url_rule.rule if asked.url_rule else "-"
    spent = round((time.monotonic() - here.began) * 1000) if "began" in here else 0
    log.info("%s %s %s %s %d ms", here.get("correlation_id", "-"), asked.method, rule, response.status_code, spent)
    return response


def _add_tenant(endpoint: str, values: dict[str, Any]) -> None:
    """Name the tenant in every address as this request did."""
    reference = g.get("reference")
    if reference is not None and gate.expects_tenant(endpoint):
        values.setdefault("tenant", reference)


def _context() -> dict[str, Any]:
    arrival = g.get("arrival")
    return {
        "tenant": arrival.tenant if arrival else None,
        "user": arrival.user if arrival else None,
        "demo": gate.is_demo(),
        "lang": language.current(),
        "languages": language.links,
    }
