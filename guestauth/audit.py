"""The audit log: who did what, when, with what result (B33).

What it does: `record` adds an event to the transaction under way; `events` reads them.

The one thing to understand: the record is part of the transaction it tells of, so it is there exactly when
what it tells of happened. A refusal is recorded too, since a refusal commits.

What must stay true: this is the only writer of the log; codes, tickets and cookies never come here; every
name stands in `EVENTS`.

Called by every operation. It will not change or delete an event.
"""

import unicodedata
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from guestauth.database import db, now, query
from guestauth.models import Event

EVENTS = {
    "tenant.created": "a tenant was made on the command line",
    "tenant.disabled": "a tenant was turned off; its sessions ended",
    "tenant.enabled": "a tenant was turned on again",
    "policy.changed": "the tenant's B2BManagementPolicy was changed",
    "guest.invited": "a guest was invited",
    "guest.blocked": "a guest was blocked; their sessions ended",
    "guest.unblocked": "a guest may sign in again",
    "guest.deleted": "a guest was deleted; their sessions ended",
    "guest.left": "a guest left the organisation; their sessions ended",
    "guest.restored": "a deleted guest is a guest again",
    "guest.reset": "a guest's redemption status was reset; a new invitation went out",
    "invitation.resent": "a new invitation went out; the old link died",
    "invitation.revoked": "an invitation was revoked",
    "invitation.redeemed": "a guest accepted and their way in was fixed",
    "invitation.declined": "a guest cancelled Review permissions",
    "invitation.mailed": "an invitation left",
    "invitation.dropped": "an invitation was not sent, with the reason",
    "passcode.requested": "somebody asked for a code",
    "passcode.mailed": "a code left",
    "passcode.dropped": "a code was not sent, with the reason",
    "sign-in": "somebody entered a code",
    "session.ended": "a session was ended: signed out, or by an administrator",
    "resource.added": "something to share was added",
    "resource.removed": "something shared was removed",
    "resource.shared": "a resource was shared",
    "resource.unshared": "a resource is shared no longer",
}


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Who asks for an operation, and from where."""

    actor: str  # visitor, guest, administrator, command line, delivery
    user_id: uuid.UUID | None = None
    name: str = ""  # as shown to others: the inviter of an invitation
    client_address: str = ""
    browser: str = ""  # User-Agent, shortened
    correlation_id: str = ""


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
    :param refused: the reason, when the answer was no.
    :param detail: what else a reader needs; never a code, a ticket or a cookie.
    """
    if name not in EVENTS:
        raise LookupError(f"audit.EVENTS does not know {name}")
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
    db.session.add(event)


@query
def events(
    tenant_id: uuid.UUID, *, since: datetime | None = None, name: str | None = None, most: int = 1000
) -> Sequence[Event]:
    """Events of one tenant, oldest first.

    :param since: from this moment on.
    :param most: how many at the most, the newest ones.
    """
    statement = select(Event).where(Event.tenant_id == tenant_id).order_by(Event.id.desc()).limit(most)
    if since:
        statement = statement.where(Event.at >= since)
    if name:
        statement = statement.where(Event.name == name)
    return list(reversed(db.session.scalars(statement).all()))


def one_line(text: str) -> str:
    """Return the text without control and format characters: one event, one line (K-07)."""
    return "".join(" " if unicodedata.category(char) in ("Cc", "Cf", "Zl", "Zp") else char for char in text)
