"""Guests: the people from outside, as the tenant's administrators see them (B31, B32).

What it does: `find`, `listed`, `exported`, `block`, `unblock`, `delete`, `restore`, `clear_limits`.

The one thing to understand: a deleted guest's row stays for 30 days but is nobody any more; the same address
invited again is a new guest (B8). So what changes a guest takes an address, or the id of one guest, which never
means another of the same address.

What must stay true: what takes a guest's access away ends their sessions in the same transaction.

Called by the command line and the console. It invites nobody and signs nobody in.
"""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Uuid, false, func, literal, or_, select, tuple_

from guestauth import addresses, audit, limits, sessions
from guestauth.audit import Caller
from guestauth.database import Refusal, db, now, operation, query, refusing_doubles
from guestauth.languages import N_
from guestauth.models import SOURCES, User

PAGE = 50  # guests
BATCH = 1000  # guests of an export that are read at a time
KEPT_FOR = timedelta(days=30)  # a deleted guest can be restored so long
SORTS = {"mail": "mail_key", "name": "display_name", "created": "created_at", "last": "last_sign_in_at"}
MOMENTS = {  # of a guest, as an export names them
    "Invited": User.created_at,
    "Accepted": User.accepted_at,
    "Last sign-in": User.last_sign_in_at,
    "Blocked": User.blocked_at,
    "Deleted": User.deleted_at,
}


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
    page: int  # which one this is: the last one for whoever asks for a later one
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
def of_tenant(
    tenant_id: uuid.UUID, *, source: str | None = None, state: str | None = None, search: str | None = None
) -> Sequence[User]:
    """Return a tenant's guests, by address, without the deleted ones.

    :param source: only those with this word of B31.
    :param state: `PendingAcceptance` or `Accepted`.
    :param search: only those with this in name or address.
    """
    wanted = _matching(tenant_id, Listing(source=source or "", state=state or "", search=search or ""))
    return db.session.scalars(select(User).where(*wanted).order_by(User.mail_key, User.id)).all()


@query
def listed(tenant_id: uuid.UUID, listing: Listing) -> Page:
    """Return one page of a tenant's guests (B31)."""
    wanted = _matching(tenant_id, listing)
    total = db.session.scalar(select(func.count()).select_from(User).where(*wanted)) or 0
    pages = max(1, -(-total // PAGE))
    page = min(max(listing.page, 1), pages)
    return Page(guests=_sorted(wanted, listing.sort, (page - 1) * PAGE), total=total, page=page, pages=pages)


def exported(tenant_id: uuid.UUID, listing: Listing) -> Iterator[Sequence[Any]]:
    """Yield a header, and a row for every guest that matches, by address, whatever page and order were asked for.

    They are read a batch at a time, each in a short transaction of its own, so there may be any number.
    """
    yield ("Name", "User name", "User type", "Source", "Invitation state", *MOMENTS)
    after = ("", uuid.UUID(int=0))
    while batch := _batch(tenant_id, listing, after):
        for key, user_id, provider, name, mail, kind, state, *moments in batch:
            yield (name, mail, kind, SOURCES.get(provider, "Invited user"), state, *moments)
            after = (key, user_id)


def can_be_restored(user: User) -> bool:
    """Whether a guest was deleted, and that in the last 30 days."""
    return user.deleted_at is not None and user.deleted_at > now() - KEPT_FOR


@operation
def block(tenant_id: uuid.UUID, who: str | uuid.UUID, *, by: Caller) -> User:
    """Block a guest: no codes, no sign-in, and their sessions end at once and for good.

    :raises GuestUnknown:
    """
    user = _guest(tenant_id, who)
    user.blocked_at = user.blocked_at or now()
    user.codes_void_at = now()
    db.session.flush()
    ended = sessions.end_of_user(user.id, "guest blocked")
    audit.record("guest.blocked", by=by, tenant_id=tenant_id, user_id=user.id, address=user.mail, sessions=ended)
    return user


@operation
def unblock(tenant_id: uuid.UUID, who: str | uuid.UUID, *, by: Caller) -> User:
    """Let a blocked guest sign in again.

    :raises GuestUnknown:
    """
    user = _guest(tenant_id, who)
    user.blocked_at = None
    audit.record("guest.unblocked", by=by, tenant_id=tenant_id, user_id=user.id, address=user.mail)
    return user


@operation
def clear_limits(tenant_id: uuid.UUID, who: str | uuid.UUID, *, by: Caller) -> User:
    """Let every browser ask for codes for a guest's address again, whatever others have done with it (RL-05).

    :raises GuestUnknown:
    """
    user = _guest(tenant_id, who)
    kinds = (limits.SENDS, limits.WRONG_CODES, limits.INVITATIONS)
    limits.forget(*(limits.of_address(kind, tenant_id, user.mail_key) for kind in kinds))
    audit.record("limit.cleared", by=by, tenant_id=tenant_id, user_id=user.id, address=user.mail)
    return user


@operation
def delete(tenant_id: uuid.UUID, who: str | uuid.UUID, *, by: Caller) -> User:
    """Delete a guest: they are nobody here from now on, and their sessions end at once and for good.

    :raises GuestUnknown: also for a member, whom this does not concern.
    """
    user = _guest(tenant_id, who)
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
def restore(tenant_id: uuid.UUID, who: str | uuid.UUID, *, by: Caller) -> User:
    """Make a guest deleted in the last 30 days a guest again, with their shares; they sign in anew.

    :param who: an address: of several, the one deleted last; or an id.
    :raises GuestUnknown: if nobody of that address was deleted in that time.
    :raises AddressTaken: if the address has been invited again since.
    """
    mine = User.id == who if isinstance(who, uuid.UUID) else User.mail_key == addresses.parse(who).key
    guest = (User.tenant_id == tenant_id, User.user_type == "Guest", mine)
    recent = (*guest, User.deleted_at > now() - KEPT_FOR)
    user = db.session.scalar(select(User).where(*recent).order_by(User.deleted_at.desc()).limit(1))
    if user is None:
        raise GuestUnknown(N_("Nobody like that was deleted in the last %(days)s days", days=KEPT_FOR.days))
    key = user.mail_key
    taken = N_("%(mail)s has been invited again; delete that guest first", mail=key)
    with refusing_doubles(AddressTaken(taken)):
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


def _sorted(wanted: Sequence[ColumnElement[bool]], sort: str, first: int) -> Sequence[User]:
    """Return a page of what is wanted; an index gives the order, either way round.

    Who has no moment to sort by comes last: the two databases do not agree where nothing stands in an order.
    """
    column = getattr(User, SORTS.get(sort.removeprefix("-"), SORTS["mail"]))
    order = (column.desc(), User.id.desc()) if sort.startswith("-") else (column, User.id)
    found = select(User).where(*wanted).order_by(*order)
    if not column.nullable:
        return db.session.scalars(found.limit(PAGE).offset(first)).all()
    there = column.is_not(None)
    page = db.session.scalars(found.where(there).limit(PAGE).offset(first)).all()
    if len(page) == PAGE:
        return page
    before = db.session.scalar(select(func.count()).select_from(User).where(*wanted, there)) or 0
    rest = select(User).where(*wanted, column.is_(None)).order_by(User.id)
    rest = rest.limit(PAGE - len(page)).offset(max(first - before, 0))
    return [*page, *db.session.scalars(rest)]


@query
def _batch(tenant_id: uuid.UUID, listing: Listing, after: tuple[str, uuid.UUID]) -> Sequence[Sequence[Any]]:
    columns = (User.mail_key, User.id, User.identity_provider, User.display_name, User.mail, User.user_type)
    rest = tuple_(User.mail_key, User.id) > tuple_(literal(after[0]), literal(after[1], Uuid))
    found = select(*columns, User.state, *MOMENTS.values()).where(*_matching(tenant_id, listing), rest)
    return db.session.execute(found.order_by(User.mail_key, User.id).limit(BATCH)).all()


def _take_away(user: User, reason: str) -> int:
    """Make a guest nobody, in the transaction under way; return how many sessions ended."""
    user.deleted_at = user.codes_void_at = now()
    db.session.flush()
    return sessions.end_of_user(user.id, reason)


def _known(tenant_id: uuid.UUID, user_id: uuid.UUID) -> User:
    user = db.session.get(User, user_id)
    if user is None or user.tenant_id != tenant_id or not user.is_guest:
        raise GuestUnknown(N_("There is no such guest"))
    return user


def _guest(tenant_id: uuid.UUID, who: str | uuid.UUID) -> User:
    """Return the guest with that address or id, not a deleted one; a member is none (B34)."""
    if isinstance(who, uuid.UUID):
        user = _known(tenant_id, who)
        if user.deleted_at:
            raise GuestUnknown(N_("%(mail)s is deleted", mail=user.mail))
        return user
    user = _current(tenant_id, addresses.parse(who).key)
    if not user.is_guest:
        raise GuestUnknown(N_("%(mail)s is a member, not a guest", mail=user.mail))
    return user


def _current(tenant_id: uuid.UUID, key: str) -> User:
    mine = (User.tenant_id == tenant_id, User.mail_key == key, User.deleted_at.is_(None))
    user = db.session.scalar(select(User).where(*mine))
    if user is None:
        raise GuestUnknown(N_("There is no guest %(mail)s", mail=key))
    return user
