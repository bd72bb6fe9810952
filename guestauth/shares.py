"""Shares, as administrators see them: who has which resource, and who opened it when (B32, B33).

What it does: `listed` has a tenant's resources with how many have each, `with_guests` shares one with several,
`guests_of` and `losing` say whose it is; `opened` and `downloaded` write down what `openings` shows.

The one thing to understand: a resource shared with all guests is everybody's, and keeps those it is shared with by
name besides.

What must stay true: each look-up names the tenant (B5); opening writes one event and nothing else.

Called by the guest pages, the console and the command line. What a guest may see is decided by `resources`.
"""

import uuid
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import defer

from guestauth import addresses, audit, resources
from guestauth.audit import Caller
from guestauth.database import Refusal, db, operation, query
from guestauth.languages import N_
from guestauth.models import Event, Resource, Share, User

PAGE = 50  # resources
OPENINGS = ("resource.opened", "resource.downloaded")
HAVING = (Share.resource_id == Resource.id, Share.user_id == User.id, User.deleted_at.is_(None))
GUESTS = select(func.count()).where(*HAVING).correlate(Resource).scalar_subquery()
SORTS = ("title", "slug", "kind", "guests", "size")


NAMED = 20  # addresses in a refusal, at the most


class NotGuests(Refusal):
    """Some addresses are nobody's here. Nothing was shared."""

    def __init__(self, typed: Sequence[str]) -> None:
        """`typed`: the addresses, as they came."""
        some, more = ", ".join(typed[:NAMED]), len(typed) - NAMED
        named = N_("%(some)s and %(count)s more", some=some, count=more) if more > 0 else some
        super().__init__(N_("Nothing is shared yet, since nobody here has this address: %(typed)s", typed=named))


@dataclass(frozen=True, kw_only=True)
class Page:
    """One page of resources, each with how many guests have it by name, and how many there are on how many."""

    rows: Sequence[tuple[Resource, int]]
    total: int
    pages: int


@query
def listed(tenant_id: uuid.UUID, *, search: str = "", sort: str = "title", page: int = 1) -> Page:
    """Return one page of a tenant's resources, without the texts.

    :param search: in title and slug, whatever the letter case.
    :param sort: one of SORTS, with a hyphen before it the other way round.
    """
    wanted = [Resource.tenant_id == tenant_id]
    if search:
        wanted.append(or_(*(each.icontains(search, autoescape=True) for each in (Resource.title, Resource.slug))))
    columns: dict[str, ColumnElement[Any]] = {"guests": GUESTS, "size": func.coalesce(Resource.size, -1)}
    name = sort.removeprefix("-") if sort.removeprefix("-") in SORTS else "title"
    column = columns[name] if name in columns else getattr(Resource, name)
    order = column.desc() if sort.startswith("-") else column.asc()
    found = _with_counts().where(*wanted).order_by(order, Resource.slug)
    total = db.session.scalar(select(func.count()).select_from(Resource).where(*wanted)) or 0
    rows = db.session.execute(found.limit(PAGE).offset((max(page, 1) - 1) * PAGE)).all()
    return Page(rows=rows, total=total, pages=max(1, -(-total // PAGE)))


@query
def everything(tenant_id: uuid.UUID) -> Sequence[tuple[Resource, int]]:
    """Return all of a tenant's resources by slug, each with how many guests have it by name, without the texts."""
    found = _with_counts().where(Resource.tenant_id == tenant_id).order_by(Resource.slug)
    return db.session.execute(found).all()


@operation
def with_guests(tenant_id: uuid.UUID, slug: str, typed: Iterable[str], *, by: Caller) -> Sequence[User]:
    """Share a resource with everybody of these addresses, or with none; return those who did not have it.

    :raises ResourceUnknown: :raises NotGuests: if one of them is nobody's.
    """
    resource, keys = resources.named(tenant_id, slug), {each: _key(each) for each in typed}
    db.session.refresh(resource, with_for_update=True)  # two who share it, one after the other
    mine = (User.tenant_id == tenant_id, User.mail_key.in_(keys.values()), User.deleted_at.is_(None))
    found = {user.mail_key: user for user in db.session.scalars(select(User).where(*mine).order_by(User.mail_key))}
    if unknown := [each for each, key in keys.items() if key not in found]:
        raise NotGuests(unknown)
    having = set(db.session.scalars(select(Share.user_id).where(Share.resource_id == resource.id)))
    new = [user for user in found.values() if user.id not in having]
    for user in new:
        db.session.add(Share(resource_id=resource.id, user_id=user.id))
        audit.record("resource.shared", by=by, resource=resource.slug, **_who(user))
    return new


@query
def guests_of(resource: Resource) -> Sequence[User]:
    """Return whom a resource is shared with by name, by address."""
    current = (Share.resource_id == resource.id, User.deleted_at.is_(None))
    return db.session.scalars(select(User).join(Share).where(*current).order_by(User.mail_key)).all()


@query
def losing(resource: Resource) -> int:
    """Count the guests who lose a resource that is removed."""
    everybody = (User.tenant_id == resource.tenant_id, User.user_type == "Guest", User.deleted_at.is_(None))
    of_them = select(Share.user_id).where(Share.resource_id == resource.id)
    having = everybody if resource.shared_with_all else (*everybody, User.id.in_(of_them))
    return db.session.scalar(select(func.count()).select_from(User).where(*having)) or 0


@operation
def opened(resource: Resource, user: User, *, by: Caller) -> None:
    """Write down that somebody opened a resource's page."""
    audit.record("resource.opened", by=by, resource=resource.slug, **_who(user))


@operation
def downloaded(resource: Resource, user: User, *, by: Caller) -> None:
    """Write down that somebody downloaded a resource's file."""
    audit.record("resource.downloaded", by=by, resource=resource.slug, **_who(user))


@query
def openings(resource: Resource, *, most: int = 50) -> Sequence[Event]:
    """Return who opened or downloaded a resource when, newest first.

    :param most: how many at the most.
    """
    wanted = (Event.tenant_id == resource.tenant_id, Event.name.in_(OPENINGS))
    this = (Event.at >= resource.created_at, Event.detail["resource"].as_string() == resource.slug)
    newest = select(Event).where(*wanted, *this).order_by(Event.at.desc(), Event.id.desc()).limit(most)
    return db.session.scalars(newest).all()


def _with_counts() -> Select[Any]:
    return select(Resource, GUESTS).options(defer(Resource.text))


def _who(user: User) -> dict[str, Any]:
    return {"tenant_id": user.tenant_id, "user_id": user.id, "address": user.mail}


def _key(typed: str) -> str | None:
    with suppress(addresses.NotAnAddress):
        return addresses.parse(typed).key
    return None
