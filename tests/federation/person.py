"""A person who signs in at an identity provider: `Person` leaves for it, chooses an account, and comes back."""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from guestauth import identity_providers
from guestauth.identity_providers import Described
from guestauth.models import AZURE_AD, MICROSOFT_ACCOUNT, IdentityProvider
from tests.browser import Browser
from tests.providers import OpenIdProvider
from tests.world import BY, FABRIKAM, World

PATHS = {AZURE_AD: "/organizations/v2.0", MICROSOFT_ACCOUNT: "/consumers/v2.0"}
KINDS = {"google": "google", "other": "openid_connect", "mock": "openid_connect"}
DIRECTORY = "5d0f6f0e-5b0a-4bfa-9c5e-6f6f1c1f0a01"


def set_up(world: World, provider: OpenIdProvider, *covers: str, **more: Any) -> IdentityProvider:
    """Set a provider up at Fabrikam, or for the installation if it is of such a kind."""
    kind = KINDS.get(provider.kind, provider.kind)
    path = PATHS.get(kind, "")
    issuer = provider.origin + path if path else provider.issuer
    world.app.config["PROVIDER_CA_FILE"] = str(provider.ca)
    described = Described(
        kind=kind,
        client_id=provider.client_id,
        client_secret=provider.client_secret,
        issuer=issuer,
        name=more.pop("name", "" if kind != "openid_connect" else "Partner login"),
        covers=covers,
        directories=more.pop("directories", [DIRECTORY] if kind == AZURE_AD else []),
    )
    made = world.do(identity_providers.add, described, tenant_id=None if path else FABRIKAM, by=BY)
    provider.allow(f"{world.app.config['PUBLIC_URL']}/sign-in/callback/{made.id}")
    return made


@dataclass
class Person:
    """Somebody with a browser in front of a provider's page."""

    world: World
    provider: OpenIdProvider
    browser: Browser = field(init=False)

    def __post_init__(self) -> None:
        self.browser = self.world.browser()

    def asks(self, mail: str, path: str = "/fabrikam.example/apps/project-plan") -> Browser:
        """Open a link and type an address."""
        return self.browser.open(path).submit("email-form", email=mail)

    def leaves(self, name: str = "Google") -> str:
        """Press Continue, and return the address at the provider."""
        return self.browser.click(f"Continue with {name}").url

    def comes_back(self, there: str, account: str | None) -> Browser:
        """Choose an account at the provider (None: cancel), and follow where it leads."""
        return self.browser.open(self.provider.authorize(there, account))

    def signs_in(self, mail: str, account: str | None, name: str = "Google") -> Browser:
        """Go the whole way."""
        self.asks(mail)
        return self.comes_back(self.leaves(name), account)


def parameters(url: str) -> dict[str, str]:
    """Return the parameters of an address."""
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
