"""Asks the application what no browser would, and looks at what that changed.

`ask(app, …)` sends any bytes as path, query, headers and body past every client that would mend them;
`tables(world)` has every row of every table, to compare before and after; `masked(text)` takes out what differs
from one answer to the next although it says the same; `change` writes to them;
`put_cookie` and `drop_cookie` reach into a browser.

Called by tests of pages. It knows no page.
"""

import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import lxml.html
from flask import Flask
from sqlalchemy import text as sql
from werkzeug.test import run_wsgi_app

from guestauth.database import Model, db
from tests.browser import Browser
from tests.pages import words
from tests.world import World

UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
FORM = "application/x-www-form-urlencoded"
OPENING = ("resource.opened", "resource.downloaded", "console.refused")


@dataclass(frozen=True)
class Answer:
    """An answer as it came: the headers in their order."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def h1(self) -> str:
        return words(lxml.html.document_fromstring(self.text).find(".//h1"))

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)


def ask(
    app: Flask,
    path: str | bytes = "/",
    method: str = "GET",
    *,
    query: str | bytes = b"",
    form: Mapping[str, Any] | Iterable[tuple[str, str]] | None = None,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    cookies: Mapping[str, str] | None = None,
    **environ: Any,
) -> Answer:
    """Send a request as it is; `path` is decoded (`bytes` for what is no text), `query` is not."""
    if form is not None:
        body = urlencode(form, doseq=True).encode()
    sent = {
        "REQUEST_METHOD": method,
        "PATH_INFO": (path.encode() if isinstance(path, str) else path).decode("latin-1"),
        "QUERY_STRING": query if isinstance(query, str) else query.decode("latin-1"),
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "5000",
        "HTTP_HOST": "127.0.0.1:5000",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body or b""),
        "wsgi.errors": io.StringIO(),
        **({"CONTENT_TYPE": FORM} if form is not None else {}),
        **({"CONTENT_LENGTH": str(len(body))} if body is not None else {}),
        **({"HTTP_COOKIE": "; ".join(f"{name}={value}" for name, value in cookies.items())} if cookies else {}),
    }
    for name, value in (headers or {}).items():
        key = name.upper().replace("-", "_")
        sent[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = value
    sent.update({key.replace("__", "."): value for key, value in environ.items()})
    found, status, answered = run_wsgi_app(
        app, {key: v for key, v in sent.items() if v is not None}, buffered=True
    )
    return Answer(int(status.split()[0]), list(answered), b"".join(found))


def ask_as(browser: Browser, app: Flask, path: str, method: str = "GET", **request: Any) -> Answer:
    """Send a request as it is with the browser's cookies."""
    return ask(app, path, method, cookies=browser.cookies, **request)


def tables(world: World, *, without: Iterable[str] = ()) -> dict[str, list[str]]:
    """Every row of every table but those named, and but the events of opening: those a GET writes."""
    names = [table.name for table in Model.metadata.sorted_tables if table.name not in without]
    asked = {name: f"SELECT * FROM {name}" for name in names}
    if "events" in asked:
        asked["events"] += f" WHERE name NOT IN {OPENING}"
    return {name: sorted(repr(tuple(row)) for row in world.rows(statement)) for name, statement in asked.items()}


def change(world: World, statement: str, **values: Any) -> None:
    """Change the database past all code of ours."""
    with world.app.app_context(), db.engine.begin() as connection:
        connection.execute(sql(statement), values)


def masked(text: str) -> str:
    """Take out ids, form tokens, times and references."""
    text = re.sub(r'name="csrf_token" value="[^"]+"', "TOKEN", text)
    text = UUID.sub("UUID", text)
    text = re.sub(r'<bdi class="mono">[0-9a-f]{16}</bdi>', "CORRELATION", text)
    text = re.sub(r"(Z\n)[0-9a-f]{16}", r"\1CORRELATION", text)
    text = re.sub(r'"correlationId":"[0-9a-f]{16}"', "CORRELATION", text)
    text = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "MOMENT", text)
    text = re.sub(r"\d\d:\d\d UTC on \d+ [A-Z][a-z]+ \d{4}", "TIME", text)
    return re.sub(r'<bdi class="reference">[0-9A-Z]{4}</bdi>', "REFERENCE", text)


def token(browser: Browser, form_id: str) -> str:
    """The form token on the page before the person."""
    return str(browser.form(form_id).xpath(".//input[@name='csrf_token']/@value")[0])


def action(browser: Browser, form_id: str) -> str:
    """Where a form on the page before the person leads."""
    return str(browser.form(form_id).get("action"))


def put_cookie(browser: Browser, name: str, value: str) -> None:
    """Give the browser a cookie, in place of what it had by that name."""
    drop_cookie(browser, name)
    browser._client.cookies.set(name, value, domain="127.0.0.1")


def drop_cookie(browser: Browser, name: str) -> None:
    """Make the browser forget a cookie, as it does when its Max-Age is over."""
    for cookie in [each for each in browser._client.cookies.jar if each.name == name]:
        browser._client.cookies.jar.clear(cookie.domain, cookie.path, cookie.name)


def in_path(text: str) -> str:
    """Write a text as a part of a path."""
    return quote(text, safe="")
