"""Requests past every client: bytes over TLS to a served site, and the answers that come back, checked.

What it does: `send` sends bytes on a connection of its own; `ask` writes one request, as a client would
unless told otherwise; `signed_in` gives a browser in which somebody is signed in at a served site.

The one thing to understand: `send` puts a request for `/healthz` behind the bytes, so what the server takes for a
second request (smuggling) shows as one more answer. What must stay true: `ask` checks all headers.

Called by the tests of the catalogue. It follows no redirect.
"""

import secrets
import socket
import ssl
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from http.client import HTTPException, HTTPResponse
from io import BytesIO
from ipaddress import IPv6Address
from typing import Any
from urllib.parse import urlencode

import httpx

from guestauth import keys
from tests.browser import Browser
from tests.e2e.site import HOME, Site
from tests.pages import check_answer

SIGN_IN = f"{HOME}/sign-in"
FORM = "application/x-www-form-urlencoded"
PATIENCE = 10  # seconds
Headers = Mapping[str, str] | Iterable[tuple[str, str]]


def connected(site: Site) -> ssl.SSLSocket:
    """Open a connection to the site."""
    plain = socket.create_connection(("127.0.0.1", site.port), timeout=PATIENCE)
    return ssl.create_default_context(cafile=site.ca).wrap_socket(plain, server_hostname="127.0.0.1")


def host(site: Site) -> str:
    """What a browser sends as Host."""
    return site.url.removeprefix("https://")


def send(site: Site, raw: bytes) -> list[httpx.Response]:
    """Send bytes, then a request for `/healthz`; give every answer but that one's, if it came."""
    last = f"GET /healthz HTTP/1.1\r\nHost: {host(site)}\r\nConnection: close\r\n\r\n".encode()
    found = list(_answers(_exchanged(site, raw + last), "GET", site.url))
    return found[:-1] if found and found[-1].text == "up\n" else found


def head(site: Site, *lines: str, start: str = f"POST {SIGN_IN} HTTP/1.1") -> bytes:
    """The head of a request for the sign-in page, with these lines more."""
    usual = [f"Host: {host(site)}"]
    usual += [f"Content-Type: {FORM}"] if start.startswith("POST") else []
    return "\r\n".join([start, *usual, *lines, "", ""]).encode("latin-1")


def statuses(site: Site, raw: bytes) -> list[int]:
    """Send bytes and give the statuses of all answers."""
    return [answer.status_code for answer in send(site, raw)]


def ask(
    site: Site,
    path: str,
    method: str = "GET",
    *,
    headers: Headers = (),
    form: Mapping[str, Any] | None = None,
    body: bytes | None = None,
    browser: Browser | None = None,
) -> httpx.Response:
    """Send one request as it is written here, with the browser's cookies, and give its one answer, checked.

    `headers` replace what would be sent by the same name; several of one name are sent as they are.
    """
    body = body if form is None else urlencode(form, doseq=True).encode()
    given = list(headers.items() if isinstance(headers, Mapping) else headers)
    usual = {"Host": host(site), "Connection": "close", "X-Forwarded-For": str(IPv6Address(secrets.randbits(128)))}
    usual |= {"Content-Type": FORM} if form is not None else {}
    usual |= {"Content-Length": str(len(body))} if body is not None else {}
    usual |= {"Cookie": "; ".join(f"{name}={value}" for name, value in browser.cookies.items())} if browser else {}
    kept = [(name, value) for name, value in usual.items() if name.lower() not in {n.lower() for n, _ in given}]
    head = "\r\n".join([f"{method} {path} HTTP/1.1", *(f"{n}: {v}" for n, v in [*kept, *given]), "", ""])
    (answer,) = _answers(
        _exchanged(site, head.encode("latin-1") + (body or b"")),
        method,
        site.url + (path if path.startswith("/") else "/"),
    )
    check_whole(answer)
    return answer


def check_whole(answer: httpx.Response) -> None:
    """Check the headers that every answer over https carries, whatever it is (C-07, C-08, C-10)."""
    check_answer(answer)
    have = answer.headers
    assert have["Strict-Transport-Security"].startswith("max-age=31536000")
    assert have["Cross-Origin-Resource-Policy"] == have["Cross-Origin-Opener-Policy"] == "same-origin"
    assert have.get("Server", "gunicorn") == "gunicorn" and "X-Powered-By" not in have
    assert not [name for name in have if name.startswith("access-control-")]


def form_token(browser: Browser) -> str:
    """The form token of a page: the same in all forms of one browser."""
    return str(browser.page.xpath("//input[@name='csrf_token']/@value")[0])


def signed_in(site: Site, mail: str, path: str = "/fabrikam.example") -> Browser:
    """Give a browser at a served site in which somebody is signed in, by the operations behind the pages."""
    browser = site.browser()
    secret, visit = site.world.do(site.world._sign_in, mail, path.split("/")[1])
    prefix = "__Host-" if site.ca else ""
    with site.world.app.app_context():
        kept = {"id": visit, "csrf_token": secrets.token_hex(20), "_permanent": True}
        browser.keep(f"{prefix}guestauth-visit", keys.signer("visit").dumps(kept))
        browser.keep(f"{prefix}guestauth", keys.signer("session").dumps([secret]))
    return browser.open(path)


class _Read(BytesIO):
    """What came back, as a socket from which several answers are read."""

    def makefile(self, *_: object) -> "_Read":
        return self

    def close(self) -> None:
        """Stay open for the next answer."""


def _exchanged(site: Site, raw: bytes) -> bytes:
    parts = []
    with connected(site) as connection:
        with suppress(OSError):  # refused before it was read to its end
            connection.sendall(raw)
        with suppress(OSError):
            while part := connection.recv(65536):
                parts.append(part)
    return b"".join(parts)


def _answers(raw: bytes, method: str, url: str) -> Iterator[httpx.Response]:
    stream = _Read(raw)
    while stream.tell() < len(raw):
        answer = HTTPResponse(stream, method=method)
        try:
            answer.begin()
            body = answer.read()
        except HTTPException:
            return
        headers = [pair for pair in answer.getheaders() if pair[0].lower() != "transfer-encoding"]
        request = httpx.Request(method, url.encode("ascii", "replace").decode().partition("?")[0])
        yield httpx.Response(answer.status, headers=headers, content=body, request=request)
