"""Which way in a guest has, and why (B6, B7, B12).

What it does: `way_in` says how somebody signs in as things stand; `at_redemption` what the next redemption would
choose; `shown` which way the pages offer for an address, whoever it belongs to.

The one thing to understand: each is an ordered list of rules, and the first that applies wins. A provider that is
not set up has no rule that applies; the email one-time passcode is the fallback, so its rule comes last of those
that let anybody in.

What must stay true: what was fixed at redemption is kept until it is reset (B7). The reasons are for
administrators: none is ever shown to who types an address (B27).

Called by the way in, the console and the command line. It reads no table and decides about rows handed to it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from guestauth import policies
from guestauth.languages import N_, Text
from guestauth.models import (
    AZURE_AD,
    GOOGLE,
    MICROSOFT_ACCOUNT,
    OPENID_CONNECT,
    PASSCODE,
    PENDING,
    SOURCES,
    IdentityProvider,
    Tenant,
    User,
)

NAMES = {
    PASSCODE: N_("Email one-time passcode"),
    **{kind: word for kind, word in SOURCES.items() if kind != PASSCODE},
}
ORDER = (AZURE_AD, GOOGLE, OPENID_CONNECT, MICROSOFT_ACCOUNT)  # of B6; a tenant's own come after work accounts


@dataclass(frozen=True)
class Way:
    """A way in, or none, and the reason in words for administrators."""

    provider: str | None  # one of NAMES; None: no way in
    reason: Text
    through: IdentityProvider | None = None  # where they sign in, unless it is by a code

    @property
    def name(self) -> str | None:
        """What people call it."""
        return self.through.name if self.through else NAMES[self.provider] if self.provider else None

    @property
    def is_by_code(self) -> bool:
        """Whether it is the email one-time passcode."""
        return self.provider == PASSCODE


@dataclass(frozen=True)
class Candidate:
    """A provider that a tenant can use, and whether an address is one of those it is for."""

    provider: IdentityProvider
    covers: bool


Candidates = Sequence[Candidate]
Rule = Callable[[Tenant, User, Candidates], Way | None]


def way_in(tenant: Tenant, user: User, candidates: Candidates) -> Way:
    """Return how somebody signs in now: the first rule that applies to them.

    :param candidates: the providers of the tenant and of the installation.
    """
    return _first(NOW, tenant, user, candidates)


def at_redemption(tenant: Tenant, user: User, candidates: Candidates) -> Way:
    """Return what the next redemption would choose, whatever is fixed until then (B6)."""
    return _first(REDEEMING, tenant, user, candidates)


def shown(tenant: Tenant, user: User | None, candidates: Candidates) -> Way:
    """Return the way in that pages offer: from the domain, so the same for a stranger (B27).

    Only that a guest's way in is fixed can make a difference; whether they are blocked, or a member, does not.

    :param user: whose address it is; None: a stranger's.
    """
    pinned = user is not None and user.is_guest and user.identity_provider
    anybody = user or User(tenant_id=tenant.id, mail="", mail_key="", created_at=tenant.created_at)
    return _first(PINNED if pinned else BY_ADDRESS, tenant, anybody, candidates)


def _first(rules: Sequence[Rule], tenant: Tenant, user: User, candidates: Candidates) -> Way:
    return next(way for rule in rules if (way := rule(tenant, user, candidates)) is not None)


def _shut_out(tenant: Tenant, user: User, candidates: Candidates) -> Way | None:
    reasons = (
        (tenant.disabled_at, N_("%(org)s is turned off, so nobody signs in to it.", org=tenant.name)),
        (user.deleted_at, N_("They are deleted, so they are nobody here. Restored, they sign in as before.")),
        (user.blocked_at, N_("They are blocked. Unblocked, they sign in as before.")),
        (user.revoked_at, N_("Their invitation was revoked before they accepted. Resend it to let them in.")),
    )
    return next((Way(None, reason) for since, reason in reasons if since), None)


def _member(tenant: Tenant, user: User, candidates: Candidates) -> Way | None:
    if user.is_guest:
        return None
    return Way(PASSCODE, N_("Members sign in with a one-time passcode, whatever the setting for guests is."))


def _domain_refused(tenant: Tenant, user: User, candidates: Candidates) -> Way | None:
    if policies.allows_address(tenant, user.mail_key):
        return None
    text = "The list of domains of %(org)s does not let guests of %(domain)s in."
    return Way(None, N_(text, org=tenant.name, domain=user.domain))


def _pinned_to_passcode(tenant: Tenant, user: User, candidates: Candidates) -> Way | None:
    if user.identity_provider != PASSCODE:
        return None
    if not tenant.passcodes_on:
        return Way(
            None,
            N_(
                "Their way in was fixed to the email one-time passcode when they accepted, and one-time passcodes "
                "are off for guests of %(org)s. Turn them on, or give this guest another way in: reset their "
                "redemption status, or delete them and invite them again.",
                org=tenant.name,
            ),
        )
    return Way(
        PASSCODE,
        N_(
            "Their way in was fixed to it when they accepted. They keep it, even if their address gets an account "
            "with an identity provider later. To change it, reset their redemption status."
        ),
    )


def _pinned_to_provider(tenant: Tenant, user: User, candidates: Candidates) -> Way | None:
    kind = user.identity_provider
    if kind is None:
        return None
    for provider in (each.provider for each in candidates):
        if provider.kind == kind and (kind != OPENID_CONNECT or provider.issuer == user.identity_issuer):
            reason = N_(
                "Their way in was fixed to %(provider)s when they accepted. They keep it, even if another "
                "comes first for their address later. To change it, reset their redemption status.",
                provider=provider.name,
            )
            return Way(kind, reason, provider)
    return Way(
        None,
        N_(
            "Their way in was fixed to %(provider)s when they accepted, and that is no longer set up for "
            "%(org)s. Set it up again, or reset their redemption status to give them another way in.",
            provider=NAMES[kind],
            org=tenant.name,
        ),
    )


def _through(kind: str) -> Rule:
    """Return the rule of one kind of provider: it is set up, and the address is one of those it is for."""

    def rule(tenant: Tenant, user: User, candidates: Candidates) -> Way | None:
        for each in candidates:
            if each.provider.kind == kind and each.covers:
                text = "%(provider)s is set up for their address, and comes before a passcode."
                return Way(kind, N_(text, provider=each.provider.name), each.provider)
        return None

    return rule


def _invited_too_early(tenant: Tenant, user: User, candidates: Candidates) -> Way | None:
    since, invited = tenant.passcodes_since, user.invited_at
    if not tenant.passcodes_on or user.state != PENDING or since is None or invited is None or invited >= since:
        return None
    return Way(
        None,
        N_(
            "They were invited before one-time passcodes were turned on; only guests invited since get codes. "
            "Send the invitation again to let them in."
        ),
    )


def _passcode(tenant: Tenant, user: User, candidates: Candidates) -> Way | None:
    if not tenant.passcodes_on:
        return None
    return Way(
        PASSCODE,
        N_(
            "No other identity provider is set up for their address at %(org)s, so the email one-time passcode is "
            "the fallback.",
            org=tenant.name,
        ),
    )


def _none(tenant: Tenant, user: User, candidates: Candidates) -> Way:
    return Way(
        None,
        N_(
            "No identity provider is set up for their address at %(org)s, and one-time passcodes are off for its "
            "guests. Turn them on to let this guest in.",
            org=tenant.name,
        ),
    )


PROVIDERS: tuple[Rule, ...] = tuple(_through(kind) for kind in ORDER)
PINNED: tuple[Rule, ...] = (_pinned_to_passcode, _pinned_to_provider)
BY_ADDRESS: tuple[Rule, ...] = (*PROVIDERS, _passcode, _none)
REDEEMING: tuple[Rule, ...] = (_domain_refused, *PROVIDERS, _invited_too_early, _passcode, _none)
NOW: tuple[Rule, ...] = (_shut_out, _member, _domain_refused, *PINNED, *REDEEMING[1:])
