"""Real OpenID providers for the tests, on loopback over https: the other side of a federated sign-in.

`openid_provider(kind, certificates)` starts one; the fixture `oidc(kind)` hands it to a test, fresh. The one thing
to understand: kinds `google`, `microsoft_account`, `azure_ad` and `other` are panva's oidc-provider (Node), made
to look like the live ones by a thin layer that `server.mjs` tells of; kind `mock` is oidc-provider-mock (Python),
an independent second implementation that knows neither PKCE nor `iss` in the response and takes any secret.
Absent parts are handled as in `tests/servers/policy.py`.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.providers.mock import MockProvider
from tests.providers.node import PERSONAL, NodeProvider
from tests.providers.provider import OpenIdProvider, Refused
from tests.servers import Certificates

KINDS = ("google", "microsoft_account", "azure_ad", "other", "mock")

__all__ = ["KINDS", "PERSONAL", "MockProvider", "NodeProvider", "OpenIdProvider", "Refused", "openid_provider"]


@contextmanager
def openid_provider(kind: str, certificates: Certificates) -> Iterator[OpenIdProvider]:
    """Run a provider of this kind while the block lasts; `Absent` if this machine lacks what it needs."""
    made = MockProvider(kind, certificates) if kind == "mock" else NodeProvider(kind, certificates)
    with made.running():
        yield made
