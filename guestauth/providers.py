"""Which way in a guest has, and why (B6, B7, B12).

What it does: `way_in` says how somebody signs in as things stand; `at_redemption` what the next redemption would
choose.

The one thing to understand: both are ordered lists of rules, and the first that applies wins. A provider that is
not set up has no rule that applies; the email one-time passcode is the fallback, so its rule comes last of those
that let anybody in.

What must stay true: what was fixed at redemption is kept until it is reset (B7). The reasons are for
administrators: none is ever shown to who types an address (B27).

Called by the console and the command line. It reads no table and decides about rows handed to it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from guestauth import policies
from guestauth.models import PASSCODE, PENDING, Tenant, User

NAMES = {PASSCODE: "Email one-time passcode"}


@dataclass(frozen=True)
class Way:
    """A way in, or none, and the reason in words for administrators."""

    provider: str | None  # one of NAMES; None: no way in
    reason: str

    @property
    def name(self) -> str | None:
        """What people call it."""
        return NAMES[self.provider] if self.provider else None


Rule = Callable[[Tenant, User], Way | None]


def way_in(tenant: Tenant, user: User) -> Way:
    """Return how somebody signs in now: the first rule that applies to them."""
    return _first(NOW, tenant, user)


def at_redemption(tenant: Tenant, user: User) -> Way:
    """Return what the next redemption would choose, whatever is fixed until then (B6)."""
    return _first(REDEEMING, tenant, user)


def _first(rules: Sequence[Rule], tenant: Tenant, user: User) -> Way:
    return next(way for rule in rules if (way := rule(tenant, user)) is not None)


def _shut_out(tenant: Tenant, user: User) -> Way | None:
    reasons = (
        (tenant.disabled_at, f"{tenant.name} is turned off, so nobody signs in to it."),
        (user.deleted_at, "They are deleted, so they are nobody here. Restored, they sign in as before."),
        (user.blocked_at, "They are blocked. Unblocked, they sign in as before."),
        (user.revoked_at, "Their invitation was revoked before they accepted. Resend it to let them in."),
    )
    return next((Way(None, reason) for since, reason in reasons if since), None)


def _member(tenant: Tenant, user: User) -> Way | None:
    if user.is_guest:
        return None
    return Way(PASSCODE, "Members sign in with a one-time passcode, whatever the setting for guests is.")


def _domain_refused(tenant: Tenant, user: User) -> Way | None:
    if policies.allows_address(tenant, user.mail_key):
        return None
    domain = user.mail_key.rpartition("@")[2]
    return Way(None, f"The list of domains of {tenant.name} does not let guests of {domain} in.")


def _pinned_to_passcode(tenant: Tenant, user: User) -> Way | None:
    if user.identity_provider != PASSCODE:
        return None
    if not tenant.passcodes_on:
        return Way(
            None,
            "Their way in was fixed to the email one-time passcode when they accepted, and one-time passcodes are "
            f"off for guests of {tenant.name}. Turn them on, or give this guest another way in: reset their "
            "redemption status, or delete them and invite them again.",
        )
    return Way(
        PASSCODE,
        "Their way in was fixed to it when they accepted. They keep it, even if their address gets an account "
        "with an identity provider later. To change it, reset their redemption status.",
    )


def _invited_too_early(tenant: Tenant, user: User) -> Way | None:
    since, invited = tenant.passcodes_since, user.invited_at
    if not tenant.passcodes_on or user.state != PENDING or since is None or invited is None or invited >= since:
        return None
    return Way(
        None,
        "They were invited before one-time passcodes were turned on; only guests invited since get codes. Send "
        "the invitation again to let them in.",
    )


def _passcode(tenant: Tenant, user: User) -> Way | None:
    if not tenant.passcodes_on:
        return None
    return Way(
        PASSCODE,
        f"No other identity provider is set up for {tenant.name}, so the email one-time passcode is the fallback.",
    )


def _none(tenant: Tenant, user: User) -> Way:
    return Way(
        None,
        f"No identity provider is set up for {tenant.name}, and one-time passcodes are off for its guests. Turn "
        "them on to let this guest in.",
    )


REDEEMING: tuple[Rule, ...] = (_domain_refused, _invited_too_early, _passcode, _none)
NOW: tuple[Rule, ...] = (_shut_out, _member, _domain_refused, _pinned_to_passcode, *REDEEMING[1:])
