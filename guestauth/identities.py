"""Identities: who somebody is at an identity provider.

What it does: `of_claims` reads it from the claims of an ID token that was checked.

The one thing to understand: an identity is an issuer and a subject there. An address is something it has now: it
counts only when the provider has made sure of it, and only until the guest has accepted.

What must stay true: no claim that the people of one directory can write themselves decides who they are.

Called by `federation`. It reads no table.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from guestauth import addresses, audit
from guestauth.database import Refusal
from guestauth.models import AZURE_AD, MICROSOFT_ACCOUNT

MICROSOFT = (AZURE_AD, MICROSOFT_ACCOUNT)
VERIFIED = (True, 1, "1", "true")  # as `xms_edov` says it


class AddressNotConfirmed(Refusal):
    """The provider does not vouch for the address of the account; `address` is what it says of it."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self.address = address


class OtherAccount(Refusal):
    """Somebody signed in at the provider, but not as who this sign-in is for; `address` says as whom."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self.address = address


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Who somebody is at a provider."""

    issuer: str
    subject: str
    address: str  # as the provider writes it
    key: str | None  # its canonical form
    vouched_for: bool  # the provider has made sure that the address is theirs


def of_claims(kind: str, claims: Mapping[str, Any]) -> Identity:
    """Return who checked claims say somebody is.

    :param kind: of the provider that made them.

    Azure AD writes into `email` whatever an administrator likes: only `xms_edov` says that the domain's owner was
    verified, and only `oid` is the same for all of its clients (Microsoft identity platform, ID token claims).
    """
    microsoft = kind in MICROSOFT
    address = claims.get("email")
    vouched_for = claims.get("xms_edov") in VERIFIED if microsoft else claims.get("email_verified") is True
    try:
        key = addresses.parse(address).key if isinstance(address, str) else None
    except addresses.NotAnAddress:
        key = None
    return Identity(
        issuer=str(claims["iss"]),
        subject=str(claims.get("oid") if microsoft else claims["sub"])[:255],
        address=audit.one_line(str(address or ""))[:254],
        key=key,
        vouched_for=vouched_for,
    )
