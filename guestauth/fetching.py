"""Fetching: what we ask identity providers for: their settings, their keys, a token.

What it does: `fetch` asks for a JSON object at an address; `check` says whether an address may be asked at all.

The one thing to understand: an administrator of any tenant can make us ask an address of their choice. So it is
asked over https, and connects to no address of our own network: the name is looked up here, each address it stands
for is judged, and the connection goes to the one that was judged.

What must stay true: no redirect is followed; an answer has an end in time and in size, however slowly it comes;
certificates are checked; whoever is slow to answer holds only a few of the threads that serve everybody's pages.

Called by `openid`. It holds no connection open and knows no protocol.
"""

import functools
import ipaddress
import json
import queue
import socket
import ssl
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpcore
from flask import current_app

from guestauth.database import Refusal
from guestauth.languages import N_

MOST_BYTES = 512 * 1024  # of an answer
MOST_OF_ONE = 2  # that one process asks for one tenant, or for the installation, at the same time,
MOST_OF_ALL = 3  # and for all: one thread of its four is always there for pages
SLOW = 1.5  # seconds; whoever takes longer is let rest, as is who does not answer
GENERAL = {"Accept": "application/json", "User-Agent": "GuestAuth"}
UNICAST = ipaddress.IPv6Network("2000::/3")  # the only part of IPv6 with hosts on the public internet;
TUNNEL = ipaddress.IPv6Network("2002::/16")  # in this part of it an address stands for one of IPv4 (6to4)


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


def fetch(
    url: str, *, whose: str = "", form: str | None = None, headers: Mapping[str, str] | None = None
) -> Answer:
    """Ask for a JSON object: by GET, or by POST if there is a form.

    :param whose: the tenant that has us ask; empty: the installation. What one asks keeps no other from asking.
    :param form: its fields, percent-encoded.
    :param headers: to send beside our own.
    :raises Unreachable:
    """
    check(url)
    try:
        with _turn(whose, url):
            status, body = _asked(url, None if form is None else form.encode(), {**GENERAL, **(headers or {})})
    except (
        httpcore.NetworkError,
        httpcore.TimeoutException,
        httpcore.ProtocolError,
        OSError,
        UnicodeError,  # a name that is none
    ) as fault:
        raise Unreachable(
            N_("%(host)s does not answer: %(fault)s", host=_host(url), fault=_words(fault))
        ) from fault
    if 300 <= status < 400:
        raise Unreachable(
            N_("%(host)s answers %(status)s, and no redirect is followed", host=_host(url), status=status)
        )
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError) as fault:
        raise Unreachable(
            N_("%(host)s answers %(status)s without JSON", host=_host(url), status=status)
        ) from fault
    if not isinstance(answer, dict):
        raise Unreachable(N_("%(host)s answers %(status)s without a JSON object", host=_host(url), status=status))
    return Answer(status, answer)


_lock = threading.Lock()
_asking: Counter[str] = Counter()  # tenant → how many threads wait for its providers
_rested: dict[tuple[str, str], float] = {}  # tenant and origin → from when it is asked again (s, monotonic)


def forget() -> None:
    """Ask again at once who has kept us waiting."""
    _rested.clear()


@contextmanager
def _turn(whose: str, url: str) -> Iterator[None]:
    """Ask, unless it keeps others waiting; who is slow, or does not answer, rests for twice as long as that took.

    :raises Unreachable:
    """
    host, place = _host(url), (whose, origin(url))
    with _lock:
        if _rested.get(place, 0) > time.monotonic():
            raise Unreachable(N_("%(host)s did not answer a moment ago", host=host))
        if _asking[whose] >= MOST_OF_ONE or _asking.total() >= MOST_OF_ALL:
            raise Unreachable(N_("%(host)s is slow to answer", host=host))
        _asking[whose] += 1
    began, answered = time.monotonic(), False
    try:
        yield
        answered = True
    finally:
        took = time.monotonic() - began
        with _lock:
            _asking[whose] -= 1
            if not answered or took > SLOW:
                _rested[place] = time.monotonic() + 2 * took
            if len(_rested) > 1000:  # enough to remember
                _rested.pop(next(iter(_rested)))


def _asked(url: str, content: bytes | None, headers: Mapping[str, str]) -> tuple[int, bytes]:
    until = time.monotonic() + current_app.config["PROVIDER_TIMEOUT"]
    trusted = _trust(current_app.config["PROVIDER_CA_FILE"])
    body = b""
    with (
        httpcore.ConnectionPool(ssl_context=trusted, network_backend=_Checked(until)) as pool,
        pool.stream(
            "GET" if content is None else "POST", url, headers=list(headers.items()), content=content
        ) as response,
    ):
        for part in response.iter_stream():
            body += part
            if len(body) > MOST_BYTES:
                raise Unreachable(N_("%(host)s answers too much", host=_host(url)))
    return response.status, body


class _Checked(httpcore.SyncBackend):
    """Connects to addresses that were judged, so that no second look-up can lead elsewhere, and only so long."""

    def __init__(self, until: float) -> None:
        self._until = until

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first address of a host that answers, if none of them is in our own network."""
        numbers = _looked_up(host, port, self._until)
        if not all(map(_may_be_asked, numbers)):
            raise Unreachable(
                N_("%(host)s is in a network that may not be asked; PROVIDER_NETWORKS allows it", host=host)
            )
        for number in numbers[:-1]:
            try:
                return self._connected(number, port, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return self._connected(numbers[-1], port, local_address, socket_options)

    def _connected(self, number: str, port: int, *options: Any) -> httpcore.NetworkStream:
        left = _left(self._until, httpcore.ConnectTimeout)
        return _Bounded(super().connect_tcp(number, port, left, *options), self._until)


class _Bounded(httpcore.NetworkStream):
    """A connection with an end: each step has only the time that is left, else drops would come for ever."""

    def __init__(self, stream: httpcore.NetworkStream, until: float) -> None:
        self._stream, self._until = stream, until

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read what has come."""
        return self._stream.read(max_bytes, _left(self._until, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send."""
        self._stream.write(buffer, _left(self._until, httpcore.WriteTimeout))

    def close(self) -> None:
        """Hang up."""
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """Go on encrypted."""
        left = _left(self._until, httpcore.ConnectTimeout)
        return _Bounded(self._stream.start_tls(ssl_context, server_hostname, left), self._until)

    def get_extra_info(self, info: str) -> Any:
        """Say what the connection is."""
        return self._stream.get_extra_info(info)


def _looked_up(host: str, port: int, until: float) -> list[str]:
    """Return the addresses of a host; a look-up that takes too long is left to end by itself."""
    answer: queue.SimpleQueue[list[str] | Exception] = queue.SimpleQueue()

    def look() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            answer.put(list(dict.fromkeys(str(each[4][0]) for each in found)))
        except (OSError, UnicodeError) as fault:
            answer.put(fault)

    threading.Thread(target=look, daemon=True).start()
    try:
        found = answer.get(timeout=_left(until, httpcore.ConnectTimeout))
    except queue.Empty:
        raise httpcore.ConnectTimeout("its name was not found in time") from None
    if isinstance(found, Exception):
        raise found
    return found


def _left(until: float, late: type[httpcore.TimeoutException]) -> float:
    """Return how many seconds are left."""
    left = until - time.monotonic()
    if left <= 0:
        raise late("it took too long")
    return left


def _may_be_asked(number: str) -> bool:
    address = ipaddress.ip_address(number.partition("%")[0])
    inside = getattr(address, "ipv4_mapped", None) or address
    if current_app.config["GUESTAUTH_DEMO"] and inside.is_loopback:
        return True
    allowed = any(inside in network for network in current_app.config["PROVIDER_NETWORKS"])
    return allowed or (inside.is_global and not inside.is_multicast and not _stands_for_another(inside))


def _stands_for_another(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Whether a gateway may take an address of IPv6 for one of IPv4, which could be our own (NAT64, 6to4)."""
    return address.version == 6 and (address not in UNICAST or address in TUNNEL)


@functools.cache
def _trust(ca_file: str) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=ca_file or None)


def origin(url: str) -> str:
    """Return the scheme, host and port of an address."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower()


def _host(url: str) -> str:
    return urlsplit(url).hostname or url


def _words(fault: Exception) -> str:
    return str(fault)[:200] or type(fault).__name__
