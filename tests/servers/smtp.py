"""A real mail server that keeps what it accepts and misbehaves on demand.

The one thing to understand: the server runs in a thread of its own with its own event loop, while tests
switch its behaviour and wait for its letters from theirs. One condition tells them of every event.
"""

import asyncio
import email
import email.policy
import ssl
import threading
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any, Literal

from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.servers.certificates import Certificate
from tests.servers.process import held_port

Security = Literal["plain", "starttls", "tls"]
DONE = "250 OK"


@dataclass(frozen=True)
class Letter:
    """One message as it arrived: the envelope, the bytes, the same parsed, and when (UTC)."""

    sender: str
    recipients: list[str]
    content: bytes
    message: EmailMessage
    time: datetime


@dataclass
class Behaviour:
    """What the server does at present; `over` is set when it does something else."""

    name: str = "accept"
    tries: int = 0
    seconds: float = 0
    turned_away: Counter[str] = field(default_factory=Counter)
    over: asyncio.Event = field(default_factory=asyncio.Event)


class Sink:
    """A mail server on a loopback port: `letters` it accepted, and a method per way to behave.

    `dropped` holds letters it received whole but did not answer for; `connections` counts conversations,
    `refusals` the recipients, senders and connections turned away. All survive `stop` and `start`.
    """

    host = "127.0.0.1"

    def __init__(self, port: int, security: Security, tls: ssl.SSLContext | None, **options: Any) -> None:
        self.port = port
        self.security = security
        self.letters: list[Letter] = []
        self.dropped: list[Letter] = []
        self.connections = 0
        self.refusals = 0
        self._tls = tls
        self._login: tuple[str, str] | None = options["login"]
        self._smtputf8: bool = options["smtputf8"]
        self._behaviour = Behaviour()
        self._told = threading.Condition()
        self._loop: asyncio.AbstractEventLoop | None = None

    # How it behaves: each lasts until the next.

    def accept(self) -> None:
        """Accept every letter, as at the start; conversations that hang go on."""
        self._behave(Behaviour("accept"))

    release = accept

    def refuse(self) -> None:
        """Refuse every recipient for good: 550 at RCPT."""
        self._behave(Behaviour("refuse"))

    def greylist(self, tries: int) -> None:
        """Turn every recipient away for now (451 at RCPT) the first `tries` times it is named."""
        self._behave(Behaviour("greylist", tries=tries))

    def unavailable(self, at: Literal["connect", "mail"] = "connect") -> None:
        """Refuse everything for now: 421 instead of the greeting, or at MAIL; then hang up."""
        self._behave(Behaviour(f"unavailable at {at}"))

    def hang(self) -> None:
        """Take connections and stay silent, until `release` or another behaviour."""
        self._behave(Behaviour("hang"))

    def drop(self) -> None:
        """Receive the letter whole, then break the connection instead of answering."""
        self._behave(Behaviour("drop"))

    def delay(self, seconds: float) -> None:
        """Accept every letter, but answer only after `seconds`; others are served meanwhile."""
        self._behave(Behaviour("delay", seconds=seconds))

    # What it has seen.

    def wait_for(self, n: int, timeout: float = 10) -> list[Letter]:
        """Wait until it has `n` letters or more and give them, oldest first. Fails after `timeout` s."""
        self.wait_until(lambda sink: len(sink.letters) >= n, timeout)
        return self.letters

    def wait_until(self, condition: "Callable[[Sink], bool]", timeout: float = 10) -> None:
        """Wait until `condition(sink)` holds, looking at every event; Fails after `timeout` s."""
        with self._told:
            happened = self._told.wait_for(lambda: condition(self), timeout)
        assert happened, f"waited {timeout} s in vain; {self}"

    def clear(self) -> None:
        """Forget all letters and counts."""
        with self._told:
            self.letters, self.dropped, self.connections, self.refusals = [], [], 0, 0

    def __str__(self) -> str:
        subjects = [letter.message["subject"] for letter in self.letters]
        return (
            f"mail server ({self._behaviour.name}): letters {subjects}, dropped {len(self.dropped)}, "
            f"connections {self.connections}, refusals {self.refusals}"
        )

    # Up and down, always on the same port.

    def start(self) -> None:
        """Listen again after `stop`."""
        assert self._loop is None, "the mail server is up already"
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="mail server", daemon=True)
        self._thread.start()
        self._server = self._in_loop(self._listen())

    def stop(self) -> None:
        """Stop listening and break every connection; nothing answers on the port until `start`."""
        if self._loop is None:
            return
        self._in_loop(self._hang_up())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()
        self._loop = None

    def _in_loop(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _listen(self) -> asyncio.Server:
        self._transports: list[asyncio.BaseTransport] = []
        implicit = self._tls if self.security == "tls" else None
        loop = asyncio.get_running_loop()
        return await loop.create_server(lambda: Conversation(self), self.host, self.port, ssl=implicit)

    async def _hang_up(self) -> None:
        self._server.close()
        for transport in self._transports:
            transport.abort()
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)

    def _behave(self, behaviour: Behaviour) -> None:
        before, self._behaviour = self._behaviour, behaviour
        if self._loop is not None:
            self._loop.call_soon_threadsafe(before.over.set)

    # What aiosmtpd calls, in the server's thread; the names are its.

    async def greet(self, conversation: "Conversation") -> bool:
        """Count a new connection; say whether to talk to it."""
        with self._told:
            self.connections += 1
            self._told.notify_all()
        if self._behaviour.name == "hang":
            await self._behaviour.over.wait()
        if self._behaviour.name != "unavailable at connect":
            return True
        await conversation.push(self._refusal("421 4.3.2 The service is not available"))
        conversation.transport.close()
        return False

    async def handle_MAIL(  # noqa: N802 - aiosmtpd looks for this name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self._login and not session.authenticated:
            return self._refusal("530 5.7.0 Authentication required")
        if self._behaviour.name == "unavailable at mail":
            return self._refusal("421 4.3.2 The service is not available")
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return DONE

    async def handle_RCPT(  # noqa: N802 - aiosmtpd looks for this name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        behaviour = self._behaviour
        if behaviour.name == "refuse":
            return self._refusal("550 5.1.1 No such person here")
        if behaviour.name == "greylist" and behaviour.turned_away[address] < behaviour.tries:
            behaviour.turned_away[address] += 1
            return self._refusal("451 4.7.1 Greylisted, try again later")
        envelope.rcpt_tos.append(address)
        return DONE

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd looks for this name
        behaviour = self._behaviour
        await asyncio.sleep(behaviour.seconds)
        dropped = behaviour.name == "drop"
        with self._told:
            (self.dropped if dropped else self.letters).append(_letter(envelope))
            self._told.notify_all()
        if dropped:
            server.transport.abort()
            await asyncio.Event().wait()  # the lost connection cancels this
        return DONE

    def _refusal(self, answer: str) -> str:
        with self._told:
            self.refusals += 1
            self._told.notify_all()
        return answer


class Conversation(SMTP):
    """One connection's conversation, by aiosmtpd; only who is talked to at all is decided here."""

    def __init__(self, sink: Sink) -> None:
        offers_starttls = sink.security == "starttls"
        super().__init__(
            sink,
            hostname="localhost",
            enable_SMTPUTF8=sink._smtputf8,
            tls_context=sink._tls if offers_starttls else None,
            require_starttls=offers_starttls,
            auth_require_tls=offers_starttls,
            auth_callback=lambda _, *given: given == tuple(word.encode() for word in sink._login or ()),
        )

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember the connection, so that `stop` can break it."""
        self.event_handler._transports.append(transport)
        super().connection_made(transport)

    async def _handle_client(self) -> None:
        if await self.event_handler.greet(self):
            await super()._handle_client()


@contextmanager
def smtp_sink(
    security: Security = "plain",
    *,
    certificate: Certificate | None = None,
    login: tuple[str, str] | None = None,
    smtputf8: bool = True,
) -> Iterator[Sink]:
    """Run a mail server while the block lasts: plain, with STARTTLS (required), or TLS from the first byte.

    `certificate` (from `certificates()`) is needed with TLS. `login` (name, password) makes it ask for them.
    """
    tls = None
    if security != "plain":
        assert certificate, f"smtp_sink({security!r}) needs a certificate: pass certificates().server"
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(certificate.chain, certificate.key)
    with held_port() as port:
        sink = Sink(port, security, tls, login=login, smtputf8=smtputf8)
        sink.start()
        try:
            yield sink
        finally:
            sink.stop()


def _letter(envelope: Envelope) -> Letter:
    content = bytes(envelope.original_content)
    message = email.message_from_bytes(content, policy=email.policy.default)
    return Letter(envelope.mail_from, list(envelope.rcpt_tos), content, message, datetime.now(UTC))
