"""Guests: the people from outside, as the tenant's administrators see them (B31, B32).

What it does: `find`, `of_tenant`, `block`, `unblock`, `delete`.

The one thing to understand: a deleted guest's row stays for 30 days but is nobody any more; the same address
invited again is a new guest (B8).

What must stay true: what takes a guest's access away ends their sessions in the same transaction.

Called by the command line and the console. It invites nobody and signs nobody in.
"""

import uuid
from collections.abc import Sequence

from sqlalchemy import select

from guestauth import addresses, audit, sessions
from guestauth.audit import Caller
from guestauth.database import Refusal, db, now, operation, query
from guestauth.models import SOURCES, User


class GuestUnknown(Refusal):
    """The tenant has no such guest."""


@query
def find(tenant_id: uuid.UUID, typed: str) -> User:
    """Return the user with that address.

    :raises GuestUnknown: if the tenant has none, or only a deleted one.
    :raises NotAnAddress:
    """
    return _current(tenant_id, addresses.parse(typed).key)


@query
def of_tenant(tenant_id: uuid.UUID, *, source: str | None = None, state: str | None = None) -> Sequence[User]:
    """Return a tenant's guests, by address, without the deleted ones.

    :param source: only those with this word of B31.
    :param state: `PendingAcceptance` or `Accepted`.
    """
    statement = select(User).where(
        User.tenant_id == tenant_id, User.user_type == "Guest", User.deleted_at.is_(None)
    )
    if state:
        statement = statement.where(User.state == state)
    if source:
        provider = next((key for key, word in SOURCES.items() if word.lower() == source.lower()), None)
        statement = statement.where(User.identity_provider == provider)
    return db.session.scalars(statement.order_by(User.mail_key)).all()


@operation
def block(tenant_id: uuid.UUID, typed: str, *, by: Caller) -> User:
    """Block a guest: no codes, no sign-in, and their sessions end at once and for good.

    :raises GuestUnknown:
    """
    user = _current(tenant_id, addresses.parse(typed).key)
    user.blocked_at = user.blocked_at or now()
    user.codes_void_at = now()
    db.session.flush()
    ended = sessions.end_of_user(user.id, "guest blocked")
    audit.record("guest.blocked", by=by, tenant_id=tenant_id, user_id=user.id, address=user.mail, sessions=ended)
    return user


@operation
def unblock(tenant_id: uuid.UUID, typed: str, *, by: Caller) -> User:
    """Let a blocked guest sign in again.

    :raises GuestUnknown:
    """
    user = _current(tenant_id, addresses.parse(typed).key)
    user.blocked_at = None
    audit.record("guest.unblocked", by=by, tenant_id=tenant_id, user_id=user.id, address=user.mail)
    return user


@operation
def delete(tenant_id: uuid.UUID, typed: str, *, by: Caller) -> User:
    """Delete a guest: they are nobody here from now on, and their sessions end at once and for good.

    :raises GuestUnknown: also for a member, whom this does not concern.
    """
    user = _current(tenant_id, addresses.parse(typed).key)
    if not user.is_guest:
        raise GuestUnknown(f"{user.mail} is a member, not a guest")
    user.deleted_at = user.codes_void_at = now()
    db.session.flush()
    ended = sessions.end_of_user(user.id, "guest deleted")
    audit.record("guest.deleted", by=by, tenant_id=tenant_id, user_id=user.id, address=user.mail, sessions=ended)
    return user


def _current(tenant_id: uuid.UUID, key: str) -> User:
    mine = (User.tenant_id == tenant_id, User.mail_key == key, User.deleted_at.is_(None))
    user = db.session.scalar(select(User).where(*mine))
    if user is None:
        raise GuestUnknown(f"There is no guest {key}")
    return user
