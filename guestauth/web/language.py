"""The language of a page (UX 8).

What it does: `current` says in which language a request is answered; `links` are the same page in each.

The one thing to understand: the address (`?lang=`) wins over the cookie, that over the choice kept with who is
signed in, that over what the browser says, that over the tenant's language; after all comes English.

What must stay true: before sign-in nothing of it depends on who is a guest (B27); asking for a language changes
nothing but its cookie.

Called for every page. What is kept with a user is kept by `languages`.
"""

import functools
import re
from typing import Any
from urllib.parse import urlencode

from babel import Locale
from flask import Flask, Response, g, has_request_context, request
from flask.globals import app_ctx, request_ctx
from werkzeug.datastructures import LanguageAccept
from werkzeug.exceptions import HTTPException
from werkzeug.http import parse_accept_header

from guestauth import languages
from guestauth.web import cookies

IN_ENGLISH = ("dev", "static", "health", "branding")  # blueprints and endpoints that speak nothing else
OUR_PATH = re.compile(r"/(?!/)[!-\[\]-~]*")  # how a way back begins; what does not is no way back
LONGEST = 2000  # characters of a query that the links to other languages keep
KEEP_FORM = ("guest.sign_in", "guest.session_over", "guest.consent")  # what these post is part of their address
PLAIN = "/:@!$,;~"  # need no escape in a query


def set_up(app: Flask) -> None:
    """Let every page be written in its language."""
    app.extensions["babel"].locale_selector = _locale
    app.before_request(_arrive)


def current() -> str:
    """Return the tag of the language of this request's page."""
    here = app_ctx.g
    if "language" not in here:
        here.language = _chosen()
    return str(here.language)


def finish(response: Response) -> None:
    """Say of an answer on what it depends, and of a page in which language it is."""
    response.headers["Vary"] = "Cookie"
    if response.mimetype == "text/html" and not 300 <= response.status_code < 400:
        response.headers["Content-Language"] = current()
        response.headers["Vary"] = "Accept-Language, Cookie"


def links(path: str = "") -> list[dict[str, Any]]:
    """Return a link to this page in each language; none where there is only one.

    :param path: where the page is to be found, if not at the address asked for.
    """
    if not _is_spoken():
        return []
    kept = "" if path else "".join(f"&{urlencode([each], safe=PLAIN)}" for each in _kept())
    return [{"tag": tag, "name": name, "url": f"{path}?lang={tag}{kept}"} for tag, name in languages.NAMES.items()]


def _kept() -> list[tuple[str, str]]:
    """Return what stays of the query: no tenant that is none, and nothing that is too long.

    An answer to a form keeps where it leads and the address typed, too.
    """
    given = _query() if len(request.query_string) <= LONGEST else []
    kept = [(key, value) for key, value in given if key != "lang"]
    if g.get("arrival") is None:
        kept = [(key, value) for key, value in kept if key.lower() != "tenantid"]
    if request.method == "POST" and request.endpoint in KEEP_FORM:
        typed = _typed()
        kept = [(key, value) for key, value in kept if key not in typed] + list(typed.items())
    return [(key, value) for key, value in kept if key != "to" or OUR_PATH.fullmatch(value)]


def _query() -> list[tuple[str, str]]:
    """Return the query; nothing of one that is no text (the guard refuses it)."""
    return list(request.args.items(multi=True)) if request.query_string.isascii() else []


def _typed() -> dict[str, str]:
    """Return what a form has for the address of its page; nothing if it is refused as it is."""
    if request.content_length is None:  # refused, and not to be read
        return {}
    try:
        form = {"to": request.form.get("to", ""), "login_hint": request.form.get("email", "")}
    except HTTPException:
        return {}
    return {name: value for name, value in form.items() if value and len(value) <= LONGEST}


def _arrive() -> None:
    """Notice a wish for a language also where the answer leads on to another page."""
    if request.endpoint and _is_spoken():
        current()


def _is_spoken() -> bool:
    """Whether the page is there in every language."""
    asked = request_ctx.request
    return asked.blueprint not in IN_ENGLISH and asked.endpoint not in IN_ENGLISH


def _chosen() -> str:
    if not _is_spoken():
        return "en"
    asked = languages.nearest(dict(_query()).get("lang", ""))
    if asked:
        cookies.speak(asked)
        return asked
    arrival = g.get("arrival")
    user, tenant = (arrival.user, arrival.tenant) if arrival else (None, None)
    mine = cookies.language() or (user and user.language) or _read(request.headers.get("Accept-Language", ""))
    return languages.known(mine or (tenant and tenant.language))


@functools.lru_cache(maxsize=1024)
def _read(accepted: str) -> str | None:
    """Return which of ours a browser reads; most say the same as others."""
    read = parse_accept_header(accepted, LanguageAccept)
    return languages.agreed([tag for tag, quality in read if quality > 0])


def _locale() -> Locale:
    """Return the locale to write in; English where nobody asks for a page."""
    return languages.locale(current() if has_request_context() else "en")
