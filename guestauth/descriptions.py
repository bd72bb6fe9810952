"""Descriptions: what somebody says of an identity provider, and whether it can be set up so.

What it does: `checked` turns a description into the row and the names to keep, or refuses it.

The one thing to understand: what a description leaves out has the default of its kind; what only the provider can
give, the client's id and secret, is asked for last.

What must stay true: an installation's kind is no tenant's; an issuer is an https address; only the accounts of
directories that are named may sign in by Azure AD.

Called by `identity_providers` and by who describes one: the console, the command line, the demo. It reads no
table.
"""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from guestauth import addresses, fetching
from guestauth.database import Refusal, now
from guestauth.keys import seal
from guestauth.languages import N_
from guestauth.models import AZURE_AD, GOOGLE, MICROSOFT_ACCOUNT, OPENID_CONNECT, SOURCES, IdentityProvider

MOST_NAMES = 1000  # domains and addresses of one provider
INSTALLATIONS = (AZURE_AD, MICROSOFT_ACCOUNT)
TENANTS = (GOOGLE, OPENID_CONNECT)
MICROSOFT = "https://login.microsoftonline.com"
ISSUERS = {
    AZURE_AD: f"{MICROSOFT}/organizations/v2.0",
    MICROSOFT_ACCOUNT: f"{MICROSOFT}/consumers/v2.0",
    GOOGLE: "https://accounts.google.com",
}
NAMES = {AZURE_AD: "Microsoft", MICROSOFT_ACCOUNT: "Microsoft", GOOGLE: "Google"}  # where they are known from
CONSUMERS = "9188040d-6c67-4c5b-b112-36a304b66dad"  # the directory of all Microsoft accounts
COVERS = {
    GOOGLE: ("gmail.com", "googlemail.com"),  # B6
    MICROSOFT_ACCOUNT: ("outlook.com", "hotmail.com", "live.com", "msn.com"),
}


class ProviderRefused(Refusal):
    """The provider cannot be set up as described; `field` says what it is about: one of `Described`."""


@dataclass(frozen=True, kw_only=True)
class Described:
    """An identity provider as somebody describes it; what is empty has its kind's default."""

    kind: str
    client_id: str
    client_secret: str = field(repr=False)
    name: str = ""
    issuer: str = ""
    covers: Sequence[str] = ()  # domains and single addresses
    directories: Sequence[str] = ()  # Azure AD tenants (`tid`)


def checked(described: Described, tenant_id: uuid.UUID | None) -> tuple[IdentityProvider, Sequence[str]]:
    """Return the provider that a description means, and whose addresses are its; nothing is kept.

    :raises ProviderRefused: for the first thing that is wrong; what only the provider can give comes last.
    """
    kind, name = described.kind, described.name.strip() or NAMES.get(described.kind, "")
    _check_kind(kind, tenant_id)
    if not 0 < len(name) <= 100 or not name.isprintable():
        raise ProviderRefused(N_("Give it the name that people know it by, in 100 characters at most"), "name")
    issuer, names = _issuer(described.issuer.strip() or ISSUERS.get(kind, "")), covered(described)
    directories = _directories(kind, described.directories)
    client_id = _copied(described.client_id, "client_id")
    provider = IdentityProvider(
        tenant_id=tenant_id,
        kind=kind,
        name=name,
        issuer=issuer,
        client_id=client_id,
        sealed_secret=sealed(described.client_secret, issuer, client_id),
        directories=directories,
        created_at=now(),
    )
    return provider, names


def covered(described: Described) -> list[str]:
    """Return whose addresses are to be its: domains and addresses in canonical form, each once.

    :raises ProviderRefused:
    """
    typed = described.covers or COVERS.get(described.kind, ())
    names = list(dict.fromkeys(_name(each) for each in typed if each.strip()))
    if not names:
        raise ProviderRefused(N_("Say whose addresses are its: at least one domain or address"), "covers")
    if len(names) > MOST_NAMES:
        raise ProviderRefused(N_("%(most)s domains and addresses at most", most=MOST_NAMES), "covers")
    return names


def sealed(client_secret: str, issuer: str, client_id: str) -> str:
    """Return a client's secret as it is kept: it opens for no other issuer and client.

    :raises ProviderRefused:
    """
    return seal(purpose(issuer, client_id), _copied(client_secret, "client_secret"))


def purpose(issuer: str, client_id: str) -> str:
    """Return what a client's secret is sealed for."""
    return f"client secret of {client_id} at {issuer}"


def _copied(typed: str, which: str) -> str:
    value = typed.strip()
    if not 0 < len(value) <= 255 or not value.isascii() or not value.isprintable():
        raise ProviderRefused(N_("Copy it from where the provider shows it: 255 characters at most"), which)
    return value


def _check_kind(kind: str, tenant_id: uuid.UUID | None) -> None:
    if kind not in (*INSTALLATIONS, *TENANTS):
        raise ProviderRefused(N_("The kinds are %(kinds)s", kinds=", ".join((*INSTALLATIONS, *TENANTS))), "kind")
    if kind in INSTALLATIONS and tenant_id:
        text = N_("%(kind)s is the installation's: set it up without a tenant", kind=SOURCES[kind])
        raise ProviderRefused(text, "kind")
    if kind in TENANTS and not tenant_id:
        raise ProviderRefused(N_("A provider of this kind is a tenant's own: say which tenant's"), "kind")


def _issuer(text: str) -> str:
    try:
        fetching.check(text)
    except fetching.Unreachable as fault:
        text = N_("Write the issuer as the provider shows it, an https address")
        raise ProviderRefused(text, "issuer") from fault
    if len(text) > 500 or "?" in text or "#" in text:
        raise ProviderRefused(N_("An issuer has 500 characters at most, without ? and #"), "issuer")
    return text


def _name(typed: str) -> str:
    name = typed.strip().removeprefix("@")
    try:
        key = addresses.parse(name).key if "@" in name else addresses.domain_or_none(name)
    except addresses.NotAnAddress:
        key = None
    if key is None:
        raise ProviderRefused(N_("%(typed)s is neither a domain nor an address", typed=typed), "covers")
    return key


def _directories(kind: str, typed: Iterable[str]) -> list[str]:
    """Return the directories whose people a provider may vouch for: nobody else's word counts (F-nOAuth)."""
    if kind == MICROSOFT_ACCOUNT:
        return [CONSUMERS]
    if kind != AZURE_AD:
        return []
    try:
        found = list(dict.fromkeys(str(uuid.UUID(each.strip())) for each in typed if each.strip()))
    except ValueError as fault:
        raise ProviderRefused(N_("A directory is named by its tenant id, a UUID"), "directories") from fault
    if not found:
        raise ProviderRefused(N_("Name the directories (tenant ids) whose accounts may sign in"), "directories")
    return found
