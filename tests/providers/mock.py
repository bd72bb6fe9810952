"""oidc-provider-mock, served by gunicorn: an independent second provider, as simple as they come.

It takes any client id, secret and redirect address, ignores PKCE and sends no `iss` in its responses. It keeps
everything in memory, so starting it again gives a new key and no account.
"""

import importlib.util
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tests.providers.provider import OpenIdProvider
from tests.servers import Absent


class MockProvider(OpenIdProvider):
    """An oidc-provider-mock; its ID tokens have whatever claims an account was given."""

    field = "sub"
    cancel = {"action": "deny"}  # noqa: RUF012

    def command(self) -> Sequence[str | Path]:
        if importlib.util.find_spec("oidc_provider_mock") is None:
            raise Absent("no oidc-provider-mock: make test sets it up")
        bind = ["--bind", f"127.0.0.1:{self.port}", "--threads", "4", "--no-control-socket"]
        certificate = self.certificates.server
        files = ["--certfile", certificate.chain, "--keyfile", certificate.key]
        return [sys.executable, "-m", "gunicorn", *bind, *files, "oidc_provider_mock:app()"]

    def options(self) -> dict[str, Any]:
        return {"cwd": self.folder, "env": {"PATH": os.environ["PATH"], "HOME": str(self.folder)}}

    def reset(self) -> None:
        self.accounts = {}
        self.start()

    def allow(self, *redirect_uris: str) -> None:
        """Do nothing: it allows any."""

    def add_account(self, sub: str, **claims: Any) -> None:
        self.accounts[sub] = claims
        with self.client() as client:
            client.put(f"{self.origin}/users/{quote(sub, safe='')}", json=claims).raise_for_status()

    def rotate_keys(self) -> None:
        self.start()
        for sub, claims in self.accounts.items():
            self.add_account(sub, **claims)
