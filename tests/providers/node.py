"""panva's oidc-provider, run by Node: plays Google, Microsoft account, multi-tenant Azure AD, or any other.

Called by `openid_provider`. What it does otherwise than the live ones, and how, stands in `server.mjs`.
"""

import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.providers.provider import OpenIdProvider
from tests.servers import Absent

FOLDER = Path(__file__).parent
PERSONAL = "9188040d-6c67-4c5b-b112-36a304b66dad"  # the tenant of all Microsoft accounts
PATHS = {  # kind → before the endpoints, and the issuer's
    "google": ("", ""),
    "microsoft_account": ("/consumers/v2.0", f"/{PERSONAL}/v2.0"),
    "azure_ad": ("/organizations/v2.0", "/{tenantid}/v2.0"),
    "other": ("/realms/guests", "/realms/guests"),
}
OLDEST = 18  # of Node, for oidc-provider 8


class NodeProvider(OpenIdProvider):
    """An oidc-provider; `tell` it what to do wrong."""

    cancel = {"account": ""}  # noqa: RUF012

    @property
    def path(self) -> str:
        return PATHS[self.kind][0]

    @property
    def issuer(self) -> str:
        return self.origin + PATHS[self.kind][1]

    def issuer_of(self, tid: str) -> str:
        """Give the issuer of the tokens of one tenant of Azure AD."""
        return self.issuer.replace("{tenantid}", tid)

    def command(self) -> Sequence[str | Path]:
        certificate = self.certificates.server
        told = {
            "kind": self.kind,
            "port": self.port,
            "chain": str(certificate.chain),
            "key": str(certificate.key),
            "state": str(self.folder / "state.json"),
            "client": {"client_id": self.client_id, "client_secret": self.client_secret},
        }
        return [_node(), FOLDER / "server.mjs", json.dumps(told)]

    def reset(self) -> None:
        if self.process.poll() is not None:
            self.start()
        self.accounts = {}
        self.tell(reset=True)

    def allow(self, *redirect_uris: str) -> None:
        self.tell(redirect_uris=redirect_uris)

    def add_account(self, sub: str, **claims: Any) -> None:
        self.accounts[sub] = claims
        self.tell(accounts=self.accounts)

    def rotate_keys(self, *, keep_old: bool = False) -> None:
        """Sign with a new key from now on; `keep_old`: the old one is still published."""
        self.tell(rotate="keep" if keep_old else "drop")

    def skew_clock(self, seconds: int) -> None:
        """Put the times of its tokens so many seconds ahead (or behind, below zero)."""
        self.tell(skew=seconds)

    def forge(self, *, signature: str = "own", **claims: Any) -> None:
        """Put these claims into ID tokens instead of what is right; None leaves a claim out.

        `signature`: `own` (right), `none` (unsigned), `stranger` (another key under the same key id), `secret`
        (HS256 with the client secret), `public` (HS256 with the public key).
        """
        self.tell(claims=claims, signature=signature)

    def send_iss(self, iss: str | None) -> None:
        """Put this as `iss` into its responses (RFC 9207); "": none; None: as the live one does."""
        self.tell(iss=iss)

    def publish(self, **metadata: Any) -> None:
        """Put these into the discovery document instead of what is right."""
        self.tell(metadata=metadata)

    def fail(self, **endpoints: int) -> None:
        """Let `discovery`, `jwks`, `token`, `authorization`, `userinfo` answer with a status; 0: never answer."""
        self.tell(failing=endpoints)

    def asked(self, endpoint: str) -> list[dict[str, Any]]:
        """Give what was asked of an endpoint, oldest first: `status`, `params`, `basic` (authentication)."""
        return [each for each in self.tell()["asked"] if each["endpoint"] == endpoint]

    def tell(self, **changes: Any) -> dict[str, Any]:
        """Change what it does (see `fresh` in server.mjs)."""
        with self.client() as client:
            answer = client.post(f"{self.origin}/control", json=changes)
            told: dict[str, Any] = answer.raise_for_status().json()
            return told


def _node() -> str:
    """Find Node, and what it needs of others."""
    node = shutil.which("node")
    if node is None:
        raise Absent("no node: oidc-provider needs Node.js 18 or later (Debian: apt-get install nodejs npm)")
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    if int(version.removeprefix("v").partition(".")[0]) < OLDEST:
        raise Absent(f"node {version} is too old: oidc-provider needs Node.js {OLDEST} or later")
    if not (FOLDER / "node_modules" / "oidc-provider").is_dir():
        raise Absent("no oidc-provider: run `npm ci` in tests/providers")
    return node
