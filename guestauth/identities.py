"""Identities: who somebody is at an identity provider.

What it does: `of_claims` reads it from the claims of an ID token that was checked.

The one thing to understand: an identity is an issuer and a subject there. An address is something it has now: it
counts only when the provider has made sure of it, and only until the guest has accepted.

What must stay true: no claim that the people of one directory can write themselves decides who they are; who has
no name of their own at the provider is nobody.

Called by `federation`. It reads no table.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from guestauth import addresses, audit
from guestauth.database import Refusal
from guestauth.descriptions import COVERS
from guestauth.languages import N_
from guestauth.models import AZURE_AD, GOOGLE, MICROSOFT_ACCOUNT
from guestauth.openid import AnswerRefused

MOST_OF_SUBJECT = 255  # characters (OpenID Connect Core 1.0, 2)
MICROSOFT = (AZURE_AD, MICROSOFT_ACCOUNT)
VERIFIED = (True, 1, "1", "true")  # as `xms_edov` says it


class AddressNotConfirmed(Refusal):
    """The provider does not vouch for the address of the account; `address` is what it says of it."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self.address = address


class AccountChanged(Refusal):
    """The address is theirs, but the guest has accepted with another account that had the same address."""


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
    :raises AnswerRefused: if they name nobody.

    Azure AD writes into `email` whatever an administrator likes: only `xms_edov` says that the domain's owner was
    verified, and only `oid` is the same for all of its clients (Microsoft identity platform, ID token claims).
    Google's `email_verified` counts where Google speaks for the domain: its own, and the Workspace one in `hd`.
    """
    microsoft = kind in MICROSOFT
    subject, address = claims.get("oid" if microsoft else "sub"), claims.get("email")
    if not isinstance(subject, str) or not 0 < len(subject) <= MOST_OF_SUBJECT:
        raise AnswerRefused(N_("the token does not say whose it is"))
    try:
        key = addresses.parse(address).key if isinstance(address, str) else None
    except addresses.NotAnAddress:
        key = None
    vouched_for = claims.get("xms_edov") in VERIFIED if microsoft else claims.get("email_verified") is True
    return Identity(
        issuer=str(claims["iss"]),
        subject=subject,
        address=audit.one_line(str(address or ""))[:254],
        key=key,
        vouched_for=vouched_for and (kind != GOOGLE or _is_googles(key, claims.get("hd"))),
    )


def _is_googles(key: str | None, hosted: Any) -> bool:
    """Whether Google speaks for the domain of an address, and did not only see a mail to it read once.

    :param hosted: the Workspace domain that an account is of, as the token says.
    """
    domain = (key or "").rpartition("@")[2]
    return domain in COVERS[GOOGLE] or (isinstance(hosted, str) and hosted.lower() == domain)
