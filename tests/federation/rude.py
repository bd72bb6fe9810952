"""A server that answers over https, but rudely: `rude(certificates, answer)` lends its address.

`answer(stream)` is called with each connection, after the request was read; it writes whatever it likes.
"""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from tests.servers import Certificates

Answering = Callable[[socket.socket], None]


@contextmanager
def rude(certificates: Certificates, answer: Answering) -> Iterator[str]:
    """Serve at `https://localhost:<port>/` while the block lasts."""
    trusted = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trusted.load_cert_chain(certificates.server.chain, certificates.server.key)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=_serve, args=(listening, trusted, answer), daemon=True).start()
        yield f"https://localhost:{listening.getsockname()[1]}/"
        with suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)


def _serve(listening: socket.socket, trusted: ssl.SSLContext, answer: Answering) -> None:
    with suppress(OSError):  # nobody listens any more
        while True:
            threading.Thread(target=_answer, args=(listening.accept()[0], trusted, answer), daemon=True).start()


def _answer(connection: socket.socket, trusted: ssl.SSLContext, answer: Answering) -> None:
    with suppress(OSError), trusted.wrap_socket(connection, server_side=True) as stream:
        stream.recv(65536)
        answer(stream)


def whole(body: bytes, status: str = "200 OK", *headers: str) -> Answering:
    """Answer with this at once."""
    head = "\r\n".join([f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]).encode()
    return lambda stream: stream.sendall(head + body)


def drops(first: bytes, drop: bytes) -> Answering:
    """Answer with this, and then a drop ten times a second, for longer than anybody should wait."""

    def answer(stream: socket.socket) -> None:
        stream.sendall(first)
        for _ in range(80):
            stream.sendall(drop)
            threading.Event().wait(0.1)

    return answer


def flood(first: bytes, more: bytes) -> Answering:
    """Answer with this and then more, as fast as it is taken: more than anybody should take."""

    def answer(stream: socket.socket) -> None:
        stream.sendall(first)
        for _ in range(3000):
            stream.sendall(more)

    return answer


def silence(stream: socket.socket) -> None:
    """Never answer; hang up when the other does."""
    stream.recv(1)
