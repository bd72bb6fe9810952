"""The audit log: who did what, when, with what result (B33).

What it does: `record` adds an event to the transaction under way; `of_user` has a user's newest; `purge` deletes
those that are older than the tenant keeps. `journal` reads the logs.

The one thing to understand: the record is part of the transaction it tells of, so it is there exactly when
what it tells of happened. A refusal is recorded too, since a refusal commits.

What must stay true: this is the only writer of the log; codes, tickets and cookies never come here; every
name stands in `EVENTS`.

Called by every operation. It will not change an event, nor delete one within the tenant's retention.
"""

import functools
import unicodedata
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select

from guestauth.connections import afterwards
from guestauth.database import add, changed, db, now, operation, query
from guestauth.languages import N_
from guestauth.models import Event, Tenant

EVENTS = {
    "tenant.created": N_("a tenant was made on the command line"),
    "tenant.disabled": N_("a tenant was turned off; its sessions ended"),
    "tenant.enabled": N_("a tenant was turned on again"),
    "tenant.changed": N_("a tenant's name, contact, privacy statement, language or retention was changed"),
    "tenant.branded": N_("a tenant's logo or colour was changed or removed"),
    "domain.claimed": N_("a domain was named; it waits for its DNS record to be checked"),
    "domain.verified": N_("a domain was verified, by its DNS record or by the operator"),
    "domain.removed": N_("a domain was removed from its tenant"),
    "administrator.added": N_("somebody was made an administrator"),
    "administrator.removed": N_("an administrator was removed; their sessions ended"),
    "provider.added": N_("an identity provider was set up"),
    "provider.changed": N_("the client's secret at an identity provider was renewed"),
    "provider.removed": N_("an identity provider was removed; the sessions that came by it ended"),
    "policy.changed": N_("the tenant's B2BManagementPolicy was changed"),
    "guest.invited": N_("a guest was invited"),
    "guests.imported": N_("a file of guests to invite was handed in"),
    "import.discarded": N_("such a file and its results were thrown away; the guests stayed"),
    "guest.blocked": N_("a guest was blocked; their sessions ended"),
    "guest.unblocked": N_("a guest may sign in again"),
    "guest.deleted": N_("a guest was deleted; their sessions ended"),
    "guest.left": N_("a guest left the organisation; their sessions ended"),
    "guest.restored": N_("a deleted guest is a guest again"),
    "guest.reset": N_("a guest's redemption status was reset; a new invitation went out"),
    "invitation.resent": N_("a new invitation went out; the old link died"),
    "invitation.revoked": N_("an invitation was revoked"),
    "invitation.redeemed": N_("a guest accepted and their way in was fixed"),
    "invitation.declined": N_("a guest cancelled Review permissions"),
    "invitation.mailed": N_("an invitation left"),
    "invitation.dropped": N_("an invitation was not sent, with the reason"),
    "passcode.requested": N_("somebody asked for a code"),
    "passcode.mailed": N_("a code left"),
    "passcode.dropped": N_("a code was not sent, with the reason"),
    "sign-in": N_("somebody entered a code, or came back from an identity provider"),
    "limit.reached": N_("something was done as often as it may be; told once in each window"),
    "limit.near": N_("four fifths of the mails of an hour have left"),
    "limit.cleared": N_("an address may be asked codes for again at once"),
    "warning.mailed": N_("administrators were told that codes are guessed"),
    "warning.dropped": N_("such a mail was not sent, with the reason"),
    "session.ended": N_("a session was ended: signed out, or by an administrator"),
    "resource.added": N_("something to share was added"),
    "resource.changed": N_("the title or the content of a resource was changed"),
    "resource.removed": N_("something shared was removed"),
    "resource.shared": N_("a resource was shared"),
    "resource.unshared": N_("a resource is shared no longer"),
    "resource.opened": N_("somebody opened a resource"),
    "resource.downloaded": N_("somebody downloaded a file"),
    "console.refused": N_("somebody asked the console for what is not theirs, or not there"),
    "audit.purged": N_("events older than the tenant keeps were deleted"),
}
RESULTS = ("success", "refused")
SIGNING_IN = (  # the events of the sign-in log
    *("passcode.requested", "passcode.mailed", "passcode.dropped", "sign-in", "session.ended"),
    *("invitation.redeemed", "invitation.declined"),
)
listeners: list[Callable[[Event], None]] = []  # are told of each event that is committed
PORTION = 1000  # events deleted in one transaction, so that nobody waits for it


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Who asks for an operation, and from where."""

    actor: str  # visitor, guest, administrator, command line, delivery
    user_id: uuid.UUID | None = None
    name: str = ""  # as shown to others: the inviter of an invitation
    client_address: str = ""
    browser: str = ""  # User-Agent, shortened
    correlation_id: str = ""
    language: str = "en"  # of the page it was asked for on


JOINERS = "\u200c\u200d"  # zero width, non-joiner and joiner
COMMAND_LINE = Caller(actor="command line")
DELIVERY = Caller(actor="delivery")


def record(
    name: str,
    *,
    by: Caller,
    tenant_id: uuid.UUID | None,
    user_id: uuid.UUID | None = None,
    address: str | None = None,
    refused: str = "",
    correlation_id: str = "",
    **detail: Any,
) -> None:
    """Add an event to the transaction under way.

    :param name: one of `EVENTS`.
    :param refused: the reason, when the answer was no; a `Text` without values, since it is kept in English.
    :param detail: what else a reader needs; never a code, a ticket or a cookie.
    """
    if name not in EVENTS:
        raise LookupError(f"audit.EVENTS does not know {name}")
    if user_id and by.user_id not in (None, user_id):
        detail["by"] = str(by.user_id)  # `user_id` says whom it was done to
    event = Event(
        at=now(),
        name=name,
        result="refused" if refused else "success",
        reason=refused[:200],
        actor=by.actor,
        tenant_id=tenant_id,
        user_id=user_id or by.user_id,
        address=address,
        client_address=by.client_address,
        browser=one_line(by.browser)[:200],
        correlation_id=correlation_id or by.correlation_id,
        detail=detail,
    )
    add(event)
    for tell in listeners:
        afterwards(functools.partial(tell, event))


@query
def of_user(tenant_id: uuid.UUID, user_id: uuid.UUID, *, most: int = 20) -> Sequence[Event]:
    """Return the newest events about a user, the newest first."""
    theirs = select(Event).where(Event.user_id == user_id, Event.tenant_id == tenant_id)
    return db.session.scalars(theirs.order_by(Event.at.desc(), Event.id.desc()).limit(most)).all()


@operation
def refused(name: str, reason: str, *, by: Caller, tenant_id: uuid.UUID) -> None:
    """Record by itself that somebody was refused."""
    record(name, by=by, tenant_id=tenant_id, refused=reason)


def purge(tenant: Tenant, *, by: Caller) -> int:
    """Delete the tenant's events that are older than it keeps them, in portions; return how many."""
    until, gone = now() - timedelta(days=tenant.retention_days), 0
    while True:
        portion = _purge_portion(tenant.id, until, gone=gone, by=by)
        gone += portion
        if portion < PORTION:
            return gone


@operation
def _purge_portion(tenant_id: uuid.UUID, until: datetime, *, gone: int, by: Caller) -> int:
    """Delete a portion; the last one records them all, those `gone` before too."""
    old = select(Event.id).where(Event.tenant_id == tenant_id, Event.at < until).order_by(Event.at, Event.id)
    portion = changed(delete(Event).where(Event.id.in_(old.limit(PORTION))))
    if portion < PORTION and gone + portion:
        record("audit.purged", by=by, tenant_id=tenant_id, events=gone + portion, until=until.isoformat())
    return portion


def one_line(text: str) -> str:
    """Return the text without control and format characters: one event, one line (K-07).

    The two joiners stay: Persian names and many emoji are written with them.
    """
    if text.isprintable():
        return text
    return "".join(" " if _is_control(char) and char not in JOINERS else char for char in text)


def _is_control(char: str) -> bool:
    return unicodedata.category(char) in ("Cc", "Cf", "Zl", "Zp")
