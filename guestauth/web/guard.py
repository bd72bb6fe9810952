"""The guard: refuses what no browser filling in our forms would send, before anything looks at it (F7).

What it does: `check` looks at the address, `check_body` at method, body and form fields of every request.

The one thing to understand: a page's form has a handful of fields, each once, as a form body with a length,
in UTF-8 without NUL. Whatever else arrives is a mistake or a probe and is answered with a 4xx page.

What must stay true: it reads no row and changes nothing; uploads are the one exception to the size limit.

Called by the gate before every request.
"""

import re
from collections.abc import Callable, Iterable
from urllib.parse import unquote_to_bytes

from flask import Request, abort

from guestauth.languages import N_

SAFE = ("GET", "HEAD", "OPTIONS")
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
NO_CHARACTER = re.compile("[\x00\ufffd\ud800-\udfff]")
MOST_FIELDS = 40
MOST_QUERY = 8192  # bytes
NO_FORM = N_("The form has fields that it should not have.")
NO_TEXT = N_("The text has characters that are none.")


def check(request: Request) -> None:
    """Refuse an address that is no good with 400 or 404.

    What is no text names nothing: in the path, or as the tenant in the query, it is unknown like any other (B4).
    """
    query = request.query_string
    if len(query) > MOST_QUERY or not query.isascii() or not _is_utf8(query):
        abort(400, N_("The address is too long or has characters that must be escaped."))
    if not _is_text(request.path):
        abort(404)
    _check_texts(_pairs((name, values) for name, values in request.args.lists() if name.lower() != "tenantid"))


def check_body(request: Request, own_origins: Callable[[], Iterable[str]], *, files: bool = False) -> None:
    """Refuse a form that is no good with 400, 403, 411, 413 or 415.

    :param own_origins: gives what an Origin header may say, like `https://guests.example.org`.
    :param files: whether files are taken; else they are refused.
    """
    if request.method not in SAFE:
        _check_source(request, set(own_origins()))
        _check_body(request, files=files)


def _check_source(request: Request, own_origins: set[str]) -> None:
    """Refuse what another site sends; the token in each form comes on top."""
    origin = request.headers.get("Origin")
    if request.headers.get("Sec-Fetch-Site") == "cross-site" or (origin and origin not in own_origins):
        abort(403, "The form was sent from another site.")


def _check_body(request: Request, *, files: bool) -> None:
    if request.content_length is None:
        abort(411)
    if request.content_length and request.mimetype not in FORMS:
        abort(415, "Send a form.")
    raw = request.get_data() if request.mimetype == FORMS[0] else b""
    if request.mimetype == FORMS[0] and len(raw) != request.content_length:  # the server hands on what has come
        abort(400, N_("The form broke off on its way."))
    if raw.count(b"&") > MOST_FIELDS:  # before parsing: thousands of fields take their time
        abort(400, NO_FORM)
    if not _is_utf8(raw):
        abort(400, NO_TEXT)
    fields = list(request.form.lists())
    if (
        (request.files and not files)
        or len(request.files) > 1
        or len(fields) > MOST_FIELDS
        or any(len(values) > 1 for _, values in fields)
    ):
        abort(400, NO_FORM)
    _check_texts(_pairs(fields))
    _check_texts(file.filename or "" for file in request.files.values())


def _pairs(fields: Iterable[tuple[str, list[str]]]) -> Iterable[str]:
    for name, values in fields:
        yield name
        yield from values


def _check_texts(texts: Iterable[str]) -> None:
    if not all(map(_is_text, texts)):
        abort(400, NO_TEXT)


def _is_utf8(escaped: bytes) -> bool:
    """Whether percent-encoded text is UTF-8: parsing would keep what is not as it was escaped."""
    try:
        unquote_to_bytes(escaped).decode()
    except UnicodeDecodeError:
        return False
    return True


def _is_text(text: str) -> bool:
    return NO_CHARACTER.search(text) is None
