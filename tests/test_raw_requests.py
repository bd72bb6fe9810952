"""What comes over the wire to gunicorn and is no request of a browser's: R-01, R-10, I-09, F7, F8."""

import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import servers
from tests.servers import Served
from tests.world import environment

BODY = b"email=nicole%40firstup.example"
HOST = b"Host: 127.0.0.1\r\n"


@pytest.fixture(scope="module")
def served(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    instance = tmp_path_factory.mktemp("raw") / "instance"
    shutil.copytree(sqlite_template, instance)
    with servers.gunicorn(environment(instance)) as served:
        yield served


def send(served: Served, raw: bytes) -> bytes:
    """Send bytes and give all that comes back until the server closes the connection or waits for more."""
    with socket.create_connection(("127.0.0.1", served.port), timeout=5) as connection:
        connection.sendall(raw)
        connection.shutdown(socket.SHUT_WR)
        parts = []
        while part := connection.recv(65536):
            parts.append(part)
    return b"".join(parts)


def post(headers: bytes, body: bytes) -> bytes:
    head = b"POST /fabrikam.example/sign-in HTTP/1.1\r\nConnection: close\r\n" + HOST
    return head + b"Content-Type: application/x-www-form-urlencoded\r\n" + headers + b"\r\n" + body


@pytest.mark.parametrize(
    ("raw", "statuses"),
    [
        (post(b"Transfer-Encoding: chunked\r\n", b"1e\r\n" + BODY + b"\r\n0\r\n\r\n"), {411}),
        (post(b"Transfer-Encoding: chunked\r\n", b"ffff\r\n" + b"x" * 65535 + b"\r\n0\r\n\r\n"), {411}),
        (post(b"Transfer-Encoding: chunked\r\nContent-Length: 30\r\n", b"0\r\n\r\n"), {400, 411}),
        (post(b"Content-Length: 30\r\nContent-Length: 31\r\n", BODY + b"x"), {400}),
        (post(b"Content-Length: +30\r\n", BODY), {400}),
        (post(b"Content-Length: 1048576\r\n", b"x" * 70_000), {413}),
        (post(b"Content-Length: 30\r\nX: " + b"y" * 100_000 + b"\r\n", BODY), {400, 431}),
        (post(b"".join(b"X%d: y\r\n" % n for n in range(500)), BODY), {400, 431}),
        (post(b"Content-Length: 30\r\nBad Header: y\r\n", BODY), {400}),
        (post(b"Content-Length: 30\r\n" + HOST.replace(b"127.0.0.1", b"evil.example"), BODY), {400}),
        (b"GET /fabrikam.example HTTP/1.1\nHost: 127.0.0.1\n\n", {302, 400}),
        (
            b"GET http://evil.example/fabrikam.example/sign-in HTTP/1.1\r\nConnection: close\r\n" + HOST + b"\r\n",
            {200, 400},
        ),
        (b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\n" + HOST + b"\r\n", {400, 404, 414}),
        (b"GET /\x00 HTTP/1.1\r\n" + HOST + b"\r\n", {400, 404}),
        (b"GET /%ff%00 HTTP/1.1\r\nConnection: close\r\n" + HOST + b"\r\n", {404}),
        (b"GET /fabrikam.example/sign-in HTTP/1.0\r\n\r\n", {200, 400}),
        (b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03", set()),
    ],
    ids=range(17),
)
@pytest.mark.case("R-01", "R-10")
def test_odd_request_is_refused_and_the_server_lives_on(served: Served, raw: bytes, statuses: set[int]) -> None:
    answer = send(served, raw)
    assert (int(answer.split()[1]) in statuses) if statuses else b" 200 " not in answer
    assert b"Traceback" not in answer and b"evil.example" not in answer
    alive = send(served, b"GET /healthz HTTP/1.1\r\nConnection: close\r\n" + HOST + b"\r\n")
    assert alive.startswith(b"HTTP/1.1 200 ") and b"gunicorn/" not in alive.partition(b"\r\n\r\n")[0]
    assert "Traceback" not in served.stderr()


@pytest.mark.case("R-01")
def test_body_that_never_comes_does_not_hold_up_others(served: Served) -> None:
    waiting = [socket.create_connection(("127.0.0.1", served.port), timeout=5) for _ in range(2)]
    for connection in waiting:
        connection.sendall(post(b"Content-Length: 30\r\n", b"email="))
    answer = send(served, b"GET /healthz HTTP/1.1\r\nConnection: close\r\n" + HOST + b"\r\n")
    for connection in waiting:
        connection.close()
    assert answer.startswith(b"HTTP/1.1 200 ")
