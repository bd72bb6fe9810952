"""A site as an operator runs it: gunicorn over a prepared database, its mail going to a real mail server.

The one thing to understand: `site.world` is the same instance seen from the inside, by an application of the
test's own process on the same database and clock; it serves no request and delivers no letter. What is shared
with the served processes is what real ones share: rows and files.
Called by the fixtures in `conftest.py`.
"""

import os
import re
import secrets
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from ipaddress import IPv6Address
from pathlib import Path
from typing import Any

from guestauth import create_app, database, invitations
from tests import servers
from tests.browser import Browser
from tests.servers import Letter, Served, Sink
from tests.servers.process import running
from tests.world import BY, FABRIKAM, NO_LIMITS, World

HOME = "/fabrikam.example"
Prepare = Callable[..., dict[str, str]]
CODE = re.compile(r"^[0-9]{8}$", re.MULTILINE)
LINK = re.compile(r"https?://\S+/invitations/\S+")


@dataclass
class Site:
    """A served site, its mail server, and the instance behind both."""

    settings: dict[str, str]
    sink: Sink
    world: World
    port: int
    ca: Path | None = None
    tls: dict[str, Path] = field(default_factory=dict)
    _served: Served | None = None

    @property
    def url(self) -> str:
        return self.settings["PUBLIC_URL"]

    @property
    def served(self) -> Served:
        """The gunicorn that serves it now."""
        assert self._served, "nobody serves the site"
        return self._served

    @contextmanager
    def serving(self, workers: int = 1) -> Iterator[Served]:
        """Serve it by so many processes while the block lasts, always on the same port."""
        with servers.gunicorn(self.settings, workers=workers, port=self.port, **self.tls) as self._served:
            yield self._served

    def browser(self, remote_addr: str | None = None) -> Browser:
        """Open a browser without scripts; behind a proxy it comes from an address of its own."""
        address = remote_addr or str(IPv6Address(secrets.randbits(128)))
        proxied = self.settings.get("TRUSTED_PROXIES") == "1"
        return Browser(url=self.url, ca=self.ca, remote_addr=address, behind_proxy=proxied)

    def reset(self) -> None:
        """Forget all letters, and put the demo back to its start by its own page."""
        self.sink.clear()
        self.browser().open("/dev/reset").submit("reset")

    def guest(self, path: str | None = None, *, tenant: uuid.UUID = FABRIKAM) -> str:
        """Invite somebody new, without a letter, and give their address; `path` is where they are led."""
        mail = f"guest-{uuid.uuid4().hex[:12]}@firstup.example"
        self.world.do(invitations.invite, tenant, mail, by=BY, target=path, send_mail=False)
        return mail

    def letters(self, to: str, kind: re.Pattern[str] = CODE) -> list[Letter]:
        """Give the letters that arrived for an address and have such a thing in them."""
        return [each for each in list(self.sink.letters) if each.recipients == [to] and kind.search(text(each))]

    def code(self, to: str, *, nth: int = 1) -> str:
        """Wait until `nth` letters with a code arrived for an address, and give the newest code."""
        self.sink.wait_until(lambda _: len(self.letters(to)) >= nth)
        return CODE.findall(text(self.letters(to)[-1]))[0]

    def invitation(self, to: str) -> str:
        """Wait for the invitation to an address and give its link."""
        self.sink.wait_until(lambda _: bool(self.letters(to, LINK)))
        return LINK.findall(text(self.letters(to, LINK)[-1]))[0]

    def awaiting_code(self, mail: str, path: str = HOME) -> Browser:
        """Give a browser in which somebody has come to the Enter code page on their way to `path`."""
        return self.browser().open(path).submit("email-form", email=mail).submit("send-code")

    def awaiting_consent(self, mail: str, path: str = HOME) -> Browser:
        """Give a browser in which a new guest has entered their code on their way to `path`."""
        return self.awaiting_code(mail, path).submit("enter-code", code=self.code(mail))

    def waiting(self) -> int:
        """Count the letters in the outbox."""
        return self.world.rows("SELECT count(*) FROM letters WHERE done_at IS NULL")[0][0]

    def advance(self, seconds: int) -> None:
        """Move the clock by its page, which also makes delivery look at what is due now."""
        self.browser().open("/dev/clock").submit("clock", advance=seconds)


def text(letter: Letter) -> str:
    """Give the words of a letter's text part."""
    body = letter.message.get_body(("plain",))
    assert body is not None, "the letter has no text part"
    return str(body.get_content()).replace("\r\n", "\n")


@contextmanager
def behind(settings: dict[str, str], *, ca: Path | None = None, **tls: Path) -> Iterator[Site]:
    """Give a site that nobody serves yet, with a mail server of its own.

    `tls` are the `certfile` and `keyfile` of the web server, and of the mail server: then both speak TLS.
    """
    with ExitStack() as stack:
        scheme, security = ("https", "starttls") if tls else ("http", "plain")
        certificate = servers.Certificate(tls["certfile"], tls["keyfile"]) if tls else None
        sink = stack.enter_context(servers.smtp_sink(security, certificate=certificate))
        port = stack.enter_context(servers.held_port())
        mail = {"MAIL_SERVER": sink.host, "MAIL_PORT": str(sink.port)}
        settings = {"PUBLIC_URL": f"{scheme}://127.0.0.1:{port}", **mail, **NO_LIMITS, **settings}
        world = World(create_app({**settings, "MAIL_DELIVERY": "worker"}), Path(settings["INSTANCE_PATH"]))
        yield Site(settings, sink, world, port, ca, tls)
        with world.app.app_context():
            database.db.engine.dispose()


@contextmanager
def site(settings: dict[str, str], *, workers: int = 2, **options: Any) -> Iterator[Site]:
    """Serve the instance of `settings` while the block lasts."""
    with behind(settings, **options) as made, made.serving(workers):
        yield made
        made.served.kill()  # quicker; how it ends when asked to is a test of its own


@contextmanager
def delivering(site: Site) -> Iterator[subprocess.Popen[bytes]]:
    """Run `flask mail deliver` while the block lasts."""
    command = [sys.executable, "-m", "flask", "mail", "deliver"]
    log = site.world.instance / "deliver.log"
    env = {"PATH": os.environ["PATH"], **site.settings}
    with running(command, log=log, cwd=servers.ROOT, env=env) as process:
        yield process


def wait_until(condition: Callable[[], bool], *, seconds: float = 10) -> None:
    """Ask again and again until the condition holds; fails after `seconds`."""
    never, deadline = threading.Event(), time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds} s in vain"
        never.wait(0.02)
