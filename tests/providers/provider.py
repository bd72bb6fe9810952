"""What every provider of the tests can do: start, stop, and let somebody sign in without a browser."""

import ssl
import subprocess
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx
from lxml import html

from tests.servers import Certificates, held_port
from tests.servers.process import running, wait_until_ready

MOST_HOPS = 10


class Refused(Exception):  # noqa: N818 -- what the provider says
    """The provider shows an error to the person instead of sending them back; the message is its page."""


class OpenIdProvider(ABC):
    """A provider at `https://localhost:<port>`: `issuer` (as published), `discovery` (address), `client_id`,
    `client_secret`, and `ca` (PEM file to trust).
    """

    field = "account"  # of its page, names the account
    path = ""  # before its endpoints
    cancel: dict[str, str]
    process: subprocess.Popen[bytes]

    def __init__(self, kind: str, certificates: Certificates) -> None:
        self.kind, self.certificates, self.ca = kind, certificates, certificates.ca
        self.client_id, self.client_secret = "guestauth", "b7d01f4c6e5a4938a2c1-for-tests-only"
        self.accounts: dict[str, dict[str, Any]] = {}
        self.port, self._process, self._held = 0, ExitStack(), ExitStack()

    @property
    def origin(self) -> str:
        """Another host than the site's 127.0.0.1, so that cookies and sites are apart as in reality."""
        return f"https://localhost:{self.port}"

    @property
    def issuer(self) -> str:
        """The issuer that discovery names."""
        return self.origin + self.path

    @property
    def discovery(self) -> str:
        """The address of the discovery document."""
        return f"{self.origin}{self.path}/.well-known/openid-configuration"

    @contextmanager
    def running(self) -> Iterator[None]:
        """Hold a port and serve on it while the block lasts."""
        with self._held:
            self.folder = Path(self._held.enter_context(tempfile.TemporaryDirectory(prefix="provider-")))
            self.port = self._held.enter_context(held_port())
            self._held.callback(self.stop)
            self.start()
            yield

    def start(self) -> None:
        """Serve, always on the same port."""
        self.stop()
        log = self.folder / "log"
        self.process = self._process.enter_context(running(self.command(), log=log, **self.options()))
        with self.client() as client:
            wait_until_ready(self.process, lambda: _answers(client, self.discovery), log=log)

    def stop(self) -> None:
        """End: connections are refused until `start`."""
        self._process.close()

    def client(self, **settings: Any) -> httpx.Client:
        """Give an HTTP client that trusts it."""
        return httpx.Client(verify=ssl.create_default_context(cafile=str(self.ca)), trust_env=False, **settings)

    def document(self) -> dict[str, Any]:
        """Read its discovery document."""
        with self.client() as client:
            read: dict[str, Any] = client.get(self.discovery).json()
            return read

    def authorize(self, address: str, account: str | None) -> str:
        """Go from an authorization request's address to the account (its `sub`; None: cancel).

        Gives the address that the person is sent back to, which is not opened. Raises `Refused`.
        """
        with self.client() as client:
            answer = self._at_page(client, client.get(address))
            form = html.fromstring(answer.text).xpath("//form[@method='post']")[0]
            typed = self.cancel if account is None else {self.field: account}
            answer = client.post(urljoin(str(answer.url), form.get("action") or ""), data=typed)
            for _ in range(MOST_HOPS):
                to = urljoin(str(answer.url), answer.headers.get("location") or self._refused(answer))
                if not to.startswith(f"{self.origin}/"):
                    return to
                answer = client.get(to)
        raise Refused("it sends people round in circles")

    def _at_page(self, client: httpx.Client, answer: httpx.Response) -> httpx.Response:
        while answer.is_redirect:
            to = urljoin(str(answer.url), answer.headers["location"])
            if not to.startswith(f"{self.origin}/"):
                raise Refused(to)  # sent back at once, with an error
            answer = client.get(to)
        return answer if answer.is_success else self._refused(answer)

    @staticmethod
    def _refused(answer: httpx.Response) -> Any:
        raise Refused(f"{answer.status_code} {html.fromstring(answer.text).text_content()}")

    @abstractmethod
    def command(self) -> Sequence[str | Path]:
        """Give what to run; `Absent` if it cannot be."""

    def options(self) -> dict[str, Any]:
        """Give the settings of the process."""
        return {}

    @abstractmethod
    def reset(self) -> None:
        """Be as new: no account, everything right, serving."""

    @abstractmethod
    def allow(self, *redirect_uris: str) -> None:
        """Register where people may be sent back to, in place of those before."""

    @abstractmethod
    def add_account(self, sub: str, **claims: Any) -> None:
        """Add an account, or change its claims."""

    @abstractmethod
    def rotate_keys(self) -> None:
        """Sign with a new key from now on; the old one is gone."""


def _answers(client: httpx.Client, address: str) -> bool:
    try:
        return client.get(address).is_success
    except httpx.TransportError:
        return False
