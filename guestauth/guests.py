"""Guests: the people from outside, as the tenant's administrators see them (B31, B32).

What it does: `find`, `listed`, `block`, `unblock`, `delete`, `restore`.

The one thing to understand: a deleted guest's row stays for 30 days but is nobody any more; the same address
invited again is a new guest (B8).

What must stay true: what takes a guest's access away ends their sessions in the same transaction.

Called by the command line and the console. It invites nobody and signs nobody in.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import ColumnElement, false, func, or_, select

from guestauth import addresses, audit, sessions
from guestauth.audit import Caller
from guestauth.database import Refusal, db, now, operation, query, refusing_doubles
from guestauth.models import SOURCES, User

PAGE = 50  # guests
KEPT_FOR = timedelta(days=30)  # a deleted guest can be restored so long
SORTS = {"mail": "mail_key", "name": "display_name", "created": "created_at", "last": "last_sign_in_at"}


class GuestUnknown(Refusal):
    """The tenant has no such guest."""


class AddressTaken(Refusal):
    """Somebody else has the address by now."""


@dataclass(frozen=True, kw_only=True)
class Listing:
    """Which of a tenant's guests, in which order: an empty word does not narrow."""

    search: str = ""  # in name and address, whatever the letter case
    source: str = ""  # a word of B31
    state: str = ""  # PendingAcceptance, Accepted
    only: str = ""  # blocked, deleted; else all but the deleted
    sort: str = "mail"  # one of SORTS, with a hyphen before it the other way round
    page: int = 1


@dataclass(frozen=True, kw_only=True)
class Page:
    """One page of guests, and how many there are on how many pages."""

    guests: Sequence[User]
    total: int
    pages: int


@query
def find(tenant_id: uuid.UUID, typed: str) -> User:
    """Return the user with that address.

    :raises GuestUnknown: if the tenant has none, or only a deleted one.
    :raises NotAnAddress:
    """
    return _current(tenant_id, addresses.parse(typed).key)


@query
def by_id(tenant_id: uuid.UUID, user_id: uuid.UUID) -> User:
    """Return a guest of the tenant, also a deleted one.

    :raises GuestUnknown: if the tenant has none such, or it is a member.
    """
    return _known(tenant_id, user_id)


@query
def of_tenant(tenant_id: uuid.UUID, *, source: str | None = None, state: str | None = None) -> Sequence[User]:
    """Return a tenant's guests, by address, without the deleted ones.

    :param source: only those with this word of B31.
    :param state: `PendingAcceptance` or `Accepted`.
    """
    wanted = _matching(tenant_id, Listing(source=source or "", state=state or ""))
    return db.session.scalars(select(User).where(*wanted).order_by(User.mail_key, User.id)).all()


@query
def listed(tenant_id: uuid.UUID, listing: Listing) -> Page:
    """Return one page of a tenant's guests (B31)."""
    wanted = _matching(tenant_id, listing)
    column = getattr(User, SORTS.get(listing.sort.removeprefix("-"), SORTS["mail"]))
    order = column.desc() if listing.sort.startswith("-") else column.asc()
    found = select(User).where(*wanted).order_by(order, User.id)
    found = found.limit(PAGE).offset((max(listing.page, 1) - 1) * PAGE)
    total = db.session.scalar(select(func.count()).select_from(User).where(*wanted)) or 0
    return Page(guests=db.session.scalars(found).all(), total=total, pages=max(1, -(-total // PAGE)))


@operation
def block(tenant_id: uuid.UUID, typed: str, *, by: Caller) -> User:
    """Block a guest: no codes, no sign-in, and their sessions end at once and for good.

    :raises GuestUnknown:
    """
    user = _guest(tenant_id, typed)
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
    user = _guest(tenant_id, typed)
    user.blocked_at = None
    audit.record("guest.unblocked", by=by, tenant_id=tenant_id, user_id=user.id, address=user.mail)
    return user


@operation
def delete(tenant_id: uuid.UUID, typed: str, *, by: Caller) -> User:
    """Delete a guest: they are nobody here from now on, and their sessions end at once and for good.

    :raises GuestUnknown: also for a member, whom this does not concern.
    """
    user = _guest(tenant_id, typed)
    ended = _take_away(user, "guest deleted")
    audit.record("guest.deleted", by=by, tenant_id=tenant_id, user_id=user.id, address=user.mail, sessions=ended)
    return user


@operation
def leave(tenant_id: uuid.UUID, user_id: uuid.UUID, *, by: Caller) -> User:
    """Let a guest go who wants to: as if deleted, and restored the same way (B30).

    :raises GuestUnknown: also for a member, who cannot leave.
    """
    user = _known(tenant_id, user_id)
    ended = _take_away(user, "guest left")
    audit.record("guest.left", by=by, tenant_id=tenant_id, user_id=user.id, address=user.mail, sessions=ended)
    return user


@operation
def restore(tenant_id: uuid.UUID, typed: str, *, by: Caller) -> User:
    """Make a guest deleted in the last 30 days a guest again, with their shares; they sign in anew.

    :raises GuestUnknown: if nobody of that address was deleted in that time.
    :raises AddressTaken: if the address has been invited again since.
    """
    key = addresses.parse(typed).key
    recent = (User.tenant_id == tenant_id, User.mail_key == key, User.deleted_at > now() - KEPT_FOR)
    user = db.session.scalar(select(User).where(*recent).order_by(User.deleted_at.desc()).limit(1))
    if user is None:
        raise GuestUnknown(f"Nobody with the address {key} was deleted in the last {KEPT_FOR.days} days")
    with refusing_doubles(AddressTaken(f"{key} has been invited again; delete that guest first")):
        user.deleted_at = None
    audit.record("guest.restored", by=by, tenant_id=tenant_id, user_id=user.id, address=user.mail)
    return user


def _matching(tenant_id: uuid.UUID, listing: Listing) -> Sequence[ColumnElement[bool]]:
    wanted = [User.tenant_id == tenant_id, User.user_type == "Guest"]
    wanted.append(User.deleted_at.is_not(None) if listing.only == "deleted" else User.deleted_at.is_(None))
    if listing.only == "blocked":
        wanted.append(User.blocked_at.is_not(None))
    if listing.state:
        wanted.append(User.state == listing.state)
    if listing.source:
        words = {word.lower(): provider for provider, word in SOURCES.items()}
        known = listing.source.lower() in (*words, "invited user")
        wanted.append(User.identity_provider == words.get(listing.source.lower()) if known else false())
    if listing.search:
        text = listing.search.strip()
        wanted.append(or_(*(each.icontains(text, autoescape=True) for each in (User.mail_key, User.display_name))))
    return wanted


def _take_away(user: User, reason: str) -> int:
    """Make a guest nobody, in the transaction under way; return how many sessions ended."""
    user.deleted_at = user.codes_void_at = now()
    db.session.flush()
    return sessions.end_of_user(user.id, reason)


def _known(tenant_id: uuid.UUID, user_id: uuid.UUID) -> User:
    user = db.session.get(User, user_id)
    if user is None or user.tenant_id != tenant_id or not user.is_guest:
        raise GuestUnknown("There is no such guest")
    return user


def _guest(tenant_id: uuid.UUID, typed: str) -> User:
    """Return the guest with that address; a member is none (B34)."""
    user = _current(tenant_id, addresses.parse(typed).key)
    if not user.is_guest:
        raise GuestUnknown(f"{user.mail} is a member, not a guest")
    return user


def _current(tenant_id: uuid.UUID, key: str) -> User:
    mine = (User.tenant_id == tenant_id, User.mail_key == key, User.deleted_at.is_(None))
    user = db.session.scalar(select(User).where(*mine))
    if user is None:
        raise GuestUnknown(f"There is no guest {key}")
    return user
