"""A person who signs in at an identity provider: `Person` leaves for it, chooses an account, and comes back.

`set_up` sets a provider up as an operator or an administrator would; `ready` does, and gives it an account.
"""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from guestauth import descriptions, identity_providers
from guestauth.descriptions import Described
from guestauth.models import AZURE_AD, MICROSOFT_ACCOUNT, IdentityProvider
from tests.browser import Browser
from tests.probe import ask_as
from tests.providers import KINDS as ALL
from tests.providers import PERSONAL, OpenIdProvider
from tests.world import ALEX, BY, FABRIKAM, World

PATHS = {AZURE_AD: "/organizations/v2.0", MICROSOFT_ACCOUNT: "/consumers/v2.0"}
KINDS = {"google": "google", "other": "openid_connect", "mock": "openid_connect"}
DIRECTORY = "5d0f6f0e-5b0a-4bfa-9c5e-6f6f1c1f0a01"
NAMES = {each: descriptions.NAMES.get(KINDS.get(each, each), "Partner login") for each in ALL}
RIGHT: dict[str, dict[str, Any]] = {  # what a provider says of an account whose address it has made sure of
    "google": {"email_verified": True},
    "microsoft_account": {"tid": PERSONAL, "oid": "00000000-0000-0000-1234-567890abcdef", "xms_edov": True},
    "azure_ad": {"tid": DIRECTORY, "oid": "7c1d9b5e-1111-4222-8333-abcdefabcdef", "xms_edov": True},
    "other": {"email_verified": True},
    "mock": {"email_verified": True},
}
PLAN = "/fabrikam.example/apps/project-plan"


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

    def asks(self, mail: str, path: str = PLAN) -> Browser:
        """Open a link and type an address."""
        return self.browser.open(path).submit("email-form", email=mail)

    def leaves(self) -> str:
        """Press Continue, and return the address at the provider."""
        return self.browser.click(f"Continue with {NAMES[self.provider.kind]}").url

    def answered(self, mail: str = ALEX, account: str | None = "a-1") -> str:
        """Go to the provider and choose an account there (None: cancel); return the address that leads back."""
        self.asks(mail)
        return self.provider.authorize(self.leaves(), account)

    def signs_in(self, mail: str = ALEX, account: str | None = "a-1") -> Browser:
        """Go the whole way there and back."""
        return self.browser.open(self.answered(mail, account))

    def accepts(self, mail: str = ALEX, account: str = "a-1") -> Browser:
        """Go the whole way, as a guest for the first time."""
        return self.signs_in(mail, account).submit("consent", button=("decision", "accept"))

    def again(self, there: str | None = None) -> Browser:
        """Continue from a page that says it did not work, with the account of before."""
        return self.browser.open(self.provider.authorize(there or self.leaves(), "a-1"))


def ready(world: World, provider: OpenIdProvider, *covers: str, mail: str = ALEX, **claims: Any) -> Person:
    """Set a provider up for Gmail's addresses, with an account "a-1" of one of them, right in everything else."""
    set_up(world, provider, *(covers or ("gmail.com",)))
    provider.add_account("a-1", email=mail, **{**RIGHT[provider.kind], **claims})
    return Person(world, provider)


def parameters(url: str) -> dict[str, str]:
    """Return the parameters of an address."""
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


def inner(person: Person, back: str) -> str:
    """Return where a provider's redirect address leads: the page of the sign-in, with what was brought."""
    parts = urlsplit(back)
    return str(ask_as(person.browser, person.world.app, parts.path, query=parts.query).header("Location"))
