"""The guests: browsers that do nothing but send requests, and the mailbox in which their codes arrive.

The one thing to understand: both sites are driven by the same eight requests: the page asked for, which leads to
sign-in; the address; Send code; the code from the mail; and the page again. A new connection for each, as a proxy
in front of gunicorn makes one.
"""

import html
import queue
import re
import socket
import time
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import urlencode, urlsplit

from tests.servers import Letter

CODE = re.compile(rb"^([0-9]{8})\r?$", re.MULTILINE)
HIDDEN = re.compile(r'<input [^>]*?name="(csrf_token|to)"[^>]*? value="([^"]*)"')
COOKIE = re.compile(r"^set-cookie: ([^=]+)=([^;\r]*)", re.IGNORECASE | re.MULTILINE)
AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36"


class WrongAnswer(Exception):  # noqa: N818 -- a wrong answer is quick, so nothing that follows would count
    """The site did not answer as it should."""


class Mailbox(list[Letter]):
    """The mail server's list of letters, that hands each code to who waits for it and keeps nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting: dict[str, queue.SimpleQueue[str]] = {}
        self.arrived = 0

    def append(self, letter: Letter) -> None:
        self.arrived += 1
        if waits := self.waiting.get(letter.recipients[0]):
            waits.put(CODE.findall(letter.content)[0].decode())

    def expect(self, to: str) -> "queue.SimpleQueue[str]":
        """Wait for the next letter to an address from now on."""
        self.waiting[to] = queue.SimpleQueue()
        return self.waiting[to]


@dataclass(frozen=True)
class Answer:
    """What came back, and how long it took, in seconds."""

    status: int
    location: str
    text: str
    seconds: float


@dataclass
class Client:
    """A browser at a site: its cookies, and the page before it."""

    port: int
    host: str
    address: str = "192.0.2.1"
    cookies: dict[str, str] = field(default_factory=dict)
    path: str = ""
    page: Answer = field(default_factory=lambda: Answer(0, "", "", 0))

    def open(self, path: str) -> Self:
        """Ask for a page, and go where that leads."""
        self.path, self.page = path, self.send("GET", path)
        return self._follow()

    def submit(self, path: str = "", **fields: str) -> Self:
        """Post the form of the page before us, and go where that leads."""
        self.path, self.page = path or self.path, self.post(path, **fields)
        return self._follow()

    def post(self, path: str = "", **fields: str) -> Answer:
        """Post the form of the page before us, and stay."""
        hidden = {name: html.unescape(value) for name, value in HIDDEN.findall(self.page.text)}
        return self.send("POST", path or self.path.partition("?")[0], urlencode({**hidden, **fields}))

    def send(self, method: str, path: str, body: str = "") -> Answer:
        """Send one request over a connection of its own."""
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        lines = [
            *(f"{method} {path} HTTP/1.1", f"Host: {self.host}", "Connection: close", f"User-Agent: {AGENT}"),
            *("Accept: text/html,*/*;q=0.8", "Accept-Language: en-GB,en;q=0.5", "Sec-Fetch-Site: same-origin"),
            *(f"X-Forwarded-For: {self.address}", "X-Forwarded-Proto: https", f"X-Forwarded-Host: {self.host}"),
            *([f"Cookie: {cookies}"] if cookies else []),
        ]
        if method == "POST":
            lines += ["Content-Type: application/x-www-form-urlencoded", f"Content-Length: {len(body)}"]
        began = time.perf_counter()
        whole = self._exchange("\r\n".join([*lines, "", body]).encode())
        head, _, text = whole.decode().partition("\r\n\r\n")
        found = re.search(r"^location: (\S+)", head, re.IGNORECASE | re.MULTILINE)
        answer = Answer(int(head[9:12]), found[1] if found else "", text, time.perf_counter() - began)
        for name, value in COOKIE.findall(head):
            self.cookies[name] = value
        return answer

    def expect(self, status: int) -> Self:
        """Stop if the page before us is another."""
        return self if self.page.status == status else self._stop()

    def _follow(self) -> Self:
        for _ in range(5):
            if self.page.status not in (302, 303):
                break
            place = urlsplit(self.page.location)
            self.path = f"{place.path}?{place.query}" if place.query else place.path
            self.page = self.send("GET", self.path)
        return self

    def _exchange(self, request: bytes) -> bytes:
        with socket.create_connection(("127.0.0.1", self.port), timeout=60) as connection:
            connection.sendall(request)
            parts = []
            while part := connection.recv(65536):
                parts.append(part)
        return b"".join(parts)

    def _stop(self) -> Self:
        text = re.sub(r"<[^>]+>|\s+", " ", self.page.text)[-600:]
        raise WrongAnswer(f"{self.path} answered {self.page.status}: {text}")


def sign_in(client: Client, mailbox: Mailbox, mail: str, page: str) -> Client:
    """Go the whole way, from the page asked for to the page."""
    client.open(page).expect(200).submit(email=mail).expect(200)
    arrives = mailbox.expect(mail)
    client.submit().expect(200).submit(code=arrives.get(timeout=60)).expect(200)
    if not client.path.endswith(page):
        raise WrongAnswer(f"the way to {page} ended at {client.path}")
    return client
