"""Fetching: what we ask identity providers for: their settings, their keys, a token.

What it does: `fetch` asks for a JSON object at an address; `check` says whether an address may be asked at all.

The one thing to understand: an administrator of any tenant can make us ask an address of their choice. So it is
asked over https, and connects to no address of our own network: the name is looked up here, each address it stands
for is judged, and the connection goes to the one that was judged.

What must stay true: no redirect is followed; an answer has an end in time and in size; certificates are checked.

Called by `openid`. It holds no connection open and knows no protocol.
"""

import functools
import ipaddress
import json
import socket
import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpcore
from flask import current_app

from guestauth.database import Refusal
from guestauth.languages import N_

MOST_BYTES = 512 * 1024  # of an answer
GENERAL = {"Accept": "application/json", "User-Agent": "GuestAuth"}


class Unreachable(Refusal):
    """The address may not be asked, does not answer, or not with what it should; the text says which."""


@dataclass(frozen=True)
class Answer:
    """What was answered: the HTTP status and a JSON object."""

    status_code: int
    content: dict[str, Any]

    def json(self) -> dict[str, Any]:
        """Return the JSON object."""
        return self.content

    def raise_for_status(self) -> None:
        """Refuse an answer that says it is none.

        :raises Unreachable:
        """
        if self.status_code >= 400:
            raise Unreachable(N_("The answer is %(status)s", status=self.status_code))


def check(url: str) -> None:
    """Refuse an address that may never be asked: it is none, not https, or has a password in it.

    :raises Unreachable:
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as fault:
        raise Unreachable(N_("%(address)s is no address", address=url)) from fault
    schemes = ("https", "http") if current_app.config["GUESTAUTH_DEMO"] else ("https",)
    if parts.scheme not in schemes or not parts.hostname or port == 0:
        raise Unreachable(N_("%(address)s is not an https address", address=url))
    if parts.username is not None or parts.password is not None or not url.isprintable() or not url.isascii():
        raise Unreachable(N_("An address has no user name, no password and only ASCII characters"))


def fetch(url: str, *, form: str | None = None, headers: Mapping[str, str] | None = None) -> Answer:
    """Ask for a JSON object: by GET, or by POST if there is a form.

    :param form: its fields, percent-encoded.
    :param headers: to send beside our own.
    :raises Unreachable:
    """
    check(url)
    try:
        status, body = _asked(url, None if form is None else form.encode(), {**GENERAL, **(headers or {})})
    except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError, OSError) as fault:
        raise Unreachable(
            N_("%(host)s does not answer: %(fault)s", host=_host(url), fault=_words(fault))
        ) from fault
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError) as fault:
        raise Unreachable(
            N_("%(host)s answers %(status)s without JSON", host=_host(url), status=status)
        ) from fault
    if not isinstance(answer, dict):
        raise Unreachable(N_("%(host)s answers %(status)s without a JSON object", host=_host(url), status=status))
    return Answer(status, answer)


def _asked(url: str, content: bytes | None, headers: Mapping[str, str]) -> tuple[int, bytes]:
    seconds = current_app.config["PROVIDER_TIMEOUT"]
    limits = {"timeout": dict.fromkeys(("connect", "read", "write", "pool"), seconds)}
    trusted = _trust(current_app.config["PROVIDER_CA_FILE"])
    body = b""
    with (
        httpcore.ConnectionPool(ssl_context=trusted, network_backend=_Checked()) as pool,
        pool.stream(
            "GET" if content is None else "POST",
            url,
            headers=list(headers.items()),
            content=content,
            extensions=limits,
        ) as response,
    ):
        for part in response.iter_stream():
            body += part
            if len(body) > MOST_BYTES:
                raise Unreachable(N_("%(host)s answers too much", host=_host(url)))
    return response.status, body


class _Checked(httpcore.SyncBackend):
    """Connects to addresses that were judged, so that no second look-up can lead elsewhere."""

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first address of a host that answers, if none of them is in our own network."""
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        numbers = list(dict.fromkeys(str(each[4][0]) for each in found))
        if not all(map(_may_be_asked, numbers)):
            raise Unreachable(
                N_("%(host)s is in a network that may not be asked; PROVIDER_NETWORKS allows it", host=host)
            )
        for number in numbers[:-1]:
            try:
                return super().connect_tcp(number, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return super().connect_tcp(numbers[-1], port, timeout, local_address, socket_options)


def _may_be_asked(number: str) -> bool:
    address = ipaddress.ip_address(number.partition("%")[0])
    inside = getattr(address, "ipv4_mapped", None) or address
    if current_app.config["GUESTAUTH_DEMO"] and inside.is_loopback:
        return True
    allowed = any(inside in network for network in current_app.config["PROVIDER_NETWORKS"])
    return allowed or (inside.is_global and not inside.is_multicast)


@functools.cache
def _trust(ca_file: str) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=ca_file or None)


def _host(url: str) -> str:
    return urlsplit(url).hostname or url


def _words(fault: Exception) -> str:
    return str(fault)[:200] or type(fault).__name__
