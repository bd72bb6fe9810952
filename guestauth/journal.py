"""The logs as people read them: the sign-in log and the audit log (B33).

What it does: `page` has a page of them, `every` all of them, `newest` the newest; a `Which` says which.

The one thing to understand: pages are found by a place in the log, the time and id of an event, never by counting
from the start; so they do not move while events are added, and the last is as quick as the first.

What must stay true: only events of the tenant asked for come out, and only addresses of its own users (B5).

Called by the console and the command line. It writes nothing.
"""

import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, or_, select, tuple_

from guestauth.database import db, query
from guestauth.models import Event, User

PAGE = 50  # events
CHUNK = 1000  # events read at once, where all are
Place = tuple[datetime, int]  # of an event in the log: its time and id


@dataclass(frozen=True, kw_only=True)
class Which:
    """Which events: what is empty does not narrow."""

    names: Sequence[str] = ()
    address: str = ""  # of whom it is about or who did it, whole or a part, whatever the letter case
    result: str = ""  # success, refused
    since: datetime | None = None  # from this moment on
    until: datetime | None = None  # before this moment


@dataclass(frozen=True)
class Entry:
    """A line of a log as people read it."""

    event: Event
    address: str  # whom it is about
    by: str  # the address of who did it, if it was a user


@dataclass(frozen=True)
class Page:
    """A page of a log, newest first, and where the next ones begin; None: there are none."""

    entries: Sequence[Entry]
    older: Place | None
    newer: Place | None


@query
def newest(tenant_id: uuid.UUID, which: Which, *, most: int = 1000) -> Sequence[Event]:
    """Return the newest events, oldest first.

    :param most: how many at the most.
    """
    return _newest(tenant_id, which, most)[::-1]


@query
def page(
    tenant_id: uuid.UUID, which: Which, *, older_than: Place | None = None, newer_than: Place | None = None
) -> Page:
    """Return a page of a tenant's log: the newest, or the one next to a place in it."""
    if newer_than:
        wanted = (*_matching(tenant_id, which), tuple_(Event.at, Event.id) > newer_than)
        found = db.session.scalars(select(Event).where(*wanted).order_by(Event.at, Event.id).limit(PAGE + 1)).all()
        if len(found) >= PAGE:  # else it would be a short page before the newest
            shown = found[:PAGE][::-1]
            newer = _place(shown[0]) if len(found) > PAGE else None
            return Page(_entries(tenant_id, shown), _place(shown[-1]), newer)
        older_than = None
    found = _newest(tenant_id, which, PAGE + 1, older_than=older_than)
    shown = found[:PAGE]
    older = _place(shown[-1]) if len(found) > PAGE else None
    return Page(_entries(tenant_id, shown), older, _place(shown[0]) if older_than and shown else None)


def every(tenant_id: uuid.UUID, which: Which) -> Iterator[Entry]:
    """Read all that there is, newest first, a chunk at a time: each is a transaction of its own."""
    older_than = None
    while chunk := _chunk(tenant_id, which, older_than):
        yield from chunk
        older_than = _place(chunk[-1].event)


@query
def _chunk(tenant_id: uuid.UUID, which: Which, older_than: Place | None) -> Sequence[Entry]:
    return _entries(tenant_id, _newest(tenant_id, which, CHUNK, older_than=older_than))


def _newest(tenant_id: uuid.UUID, which: Which, most: int, *, older_than: Place | None = None) -> Sequence[Event]:
    wanted = [*_matching(tenant_id, which), *([tuple_(Event.at, Event.id) < older_than] if older_than else [])]
    newest_first = select(Event).where(*wanted).order_by(Event.at.desc(), Event.id.desc())
    return db.session.scalars(newest_first.limit(most)).all()


def _matching(tenant_id: uuid.UUID, which: Which) -> Sequence[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = [Event.tenant_id == tenant_id]
    if which.names:
        wanted.append(Event.name.in_(which.names))
    if which.address:
        wanted.append(or_(*_concerning(tenant_id, which.address.strip())))
    if which.result:
        wanted.append(Event.result == which.result)
    if which.since:
        wanted.append(Event.at >= which.since)
    if which.until:
        wanted.append(Event.at < which.until)
    return wanted


def _concerning(tenant_id: uuid.UUID, address: str) -> Sequence[ColumnElement[bool]]:
    """Say, in ways of which one is enough, that an event is about a user or by one; about a stranger, too."""
    people = select(User.id).where(User.tenant_id == tenant_id, User.mail.icontains(address, autoescape=True))
    ways = [Event.address.icontains(address, autoescape=True), Event.user_id.in_(people)]
    members = [str(each) for each in db.session.scalars(people.where(User.user_type == "Member"))]
    if members:
        ways.append((Event.actor == "administrator") & Event.detail["by"].as_string().in_(members))
    return ways


def _entries(tenant_id: uuid.UUID, found: Iterable[Event]) -> Sequence[Entry]:
    """Look up who is who, for all of them at once."""
    found = list(found)
    ids = {event.user_id for event in found} | {_doer(event) for event in found}
    people = select(User.id, User.mail).where(User.tenant_id == tenant_id, User.id.in_(ids - {None}))
    mails: dict[uuid.UUID | None, str] = dict(db.session.execute(people).all())
    return [
        Entry(event, event.address or mails.get(event.user_id, ""), mails.get(_doer(event), "")) for event in found
    ]


def _doer(event: Event) -> uuid.UUID | None:
    if by := event.detail.get("by"):
        return uuid.UUID(by)
    return event.user_id if event.actor in ("guest", "administrator") else None


def _place(event: Event) -> Place:
    return event.at, event.id
