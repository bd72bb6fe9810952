"""Housekeeping: delete what nobody needs any more.

What it does: `run` deletes it now; `run_if_due` once an hour, in one process of all; `last` says when that was.

The one thing to understand: what is old is looked for by reading, which nobody waits for, and deleted in small
portions, each a short transaction of its own with a pause after it as long as it took. So others write meanwhile.

What must stay true: nothing that still works is deleted (the condition stands in the DELETE, too); a deleted guest
can be restored for 30 days, and the log can name them as long as it speaks of them.

Called by the courier and `flask purge`. What each thing is kept for stands in `docs/running.md`.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, delete, func, inspect, or_, select, tuple_

from guestauth import audit, turns
from guestauth.audit import Caller
from guestauth.database import CLOCK_SLACK, Model, changed, db, now, operation, query
from guestauth.models import (
    Counter,
    Event,
    Import,
    ImportRow,
    Invitation,
    Letter,
    Session,
    Share,
    SignIn,
    Tenant,
    Turn,
    User,
)

TURN, EVERY = "housekeeping", timedelta(hours=1)
UNUSED_FOR = timedelta(hours=24)  # a sign-in that led nowhere, with its codes; a letter that had nobody to go to
USED_FOR = timedelta(days=30)  # as long as the visit cookie: until then an address need not be typed again
DELETED_FOR = timedelta(days=30)  # a deleted guest can be restored so long (B30)
PORTION = 200  # rows deleted in one transaction
FEW = 10  # users: the database looks through all sign-ins and sessions for each
CHUNK = 10_000  # rows looked for at once
HOUSEKEEPING = Caller(actor="housekeeping")
Stopping = Callable[[], bool]


@dataclass(frozen=True, kw_only=True)
class Old:
    """Rows of one table that may go."""

    name: str  # as `run` counts them
    table: type[Model]
    where: ColumnElement[bool]
    portion: int = PORTION

    @property
    def key(self) -> Any:
        """Return what names a row."""
        columns = inspect(self.table).primary_key
        return tuple_(*columns) if len(columns) > 1 else columns[0]


def run_if_due(stopping: Stopping = lambda: False) -> Mapping[str, int]:
    """Do it if nobody has in the last hour, and no other process takes the turn; say what was deleted."""
    return _run(stopping, HOUSEKEEPING) if turns.take(TURN, every=EVERY) else {}


def run(*, by: Caller) -> Mapping[str, int]:
    """Do it now, whoever has done it when; say how many rows of what were deleted."""
    turns.take(TURN, every=timedelta())
    return _run(lambda: False, by)


def last() -> Turn | None:
    """Return when it was last begun and done."""
    return turns.last(TURN)


def _run(stopping: Stopping, by: Caller) -> Mapping[str, int]:
    """Do it.

    :param stopping: asked between two portions; True ends it, the rest can wait for the next time.
    """
    gone = dict.fromkeys(("signIns", "sessions", "letters", "limits", "imports", "guests", "events"), 0)
    for old in _old(now(), _tenants()):
        gone[old.name] += _delete_all(old, stopping)
    for tenant in _tenants():
        if not stopping() and _has_old_events(tenant):
            gone["events"] += audit.purge(tenant, by=by)
    if not stopping():
        turns.finish(TURN)
    return gone


def _old(moment: datetime, tenants: Sequence[Tenant]) -> Iterator[Old]:
    """Say what may go, in an order in which nothing is left that names what is gone."""
    unused, used = moment - UNUSED_FOR, moment - USED_FOR
    led_nowhere = and_(SignIn.consumed_at.is_(None), SignIn.created_at < unused)
    no_code_lives = or_(SignIn.last_sent_at.is_(None), SignIn.last_sent_at < unused)
    yield Old(name="signIns", table=SignIn, where=and_(led_nowhere, no_code_lives))
    yield Old(name="signIns", table=SignIn, where=SignIn.consumed_at < used)
    yield Old(name="sessions", table=Session, where=func.coalesce(Session.ended_at, Session.expires_at) < used)
    to_nobody = and_(Letter.user_id.is_(None), Letter.done_at < unused)
    yield Old(name="letters", table=Letter, where=or_(Letter.done_at < used, to_nobody))
    yield Old(name="limits", table=Counter, where=Counter.expires_at < moment - CLOCK_SLACK)
    for tenant in tenants:
        yield from _old_of(tenant, moment)


def _old_of(tenant: Tenant, moment: datetime) -> Iterator[Old]:
    """Say what of a tenant may go: beyond what its guests can be restored with, what its log speaks of stays."""
    logged = moment - timedelta(days=tenant.retention_days)
    files = and_(Import.tenant_id == tenant.id, Import.created_at < logged)
    rows = ImportRow.import_id.in_(select(Import.id).where(files))
    yield Old(name="imports", table=ImportRow, where=rows)
    yield Old(name="imports", table=Import, where=and_(files, Import.id.not_in(select(ImportRow.import_id))))
    restorable = moment - DELETED_FOR - CLOCK_SLACK
    nobody = and_(User.tenant_id == tenant.id, User.deleted_at < restorable)
    theirs = select(User.id).where(nobody)
    yield Old(name="guests", table=Share, where=Share.user_id.in_(theirs))
    yield Old(name="guests", table=Invitation, where=Invitation.user_id.in_(theirs))
    waiting = select(Letter.user_id).where(Letter.done_at.is_(None), Letter.user_id.is_not(None))
    forgotten = and_(nobody, User.deleted_at < logged, User.id.not_in(waiting))
    yield Old(name="guests", table=User, where=forgotten, portion=FEW)


def _delete_all(old: Old, stopping: Stopping) -> int:
    gone = 0
    while not stopping() and (found := _find(old)):
        before = gone
        for start in range(0, len(found), old.portion):
            if stopping():
                break
            began = time.monotonic()
            gone += _delete(old, found[start : start + old.portion])
            # SQLite queues nobody, it lets write whoever asks first: who waited for this portion gets as long
            time.sleep(time.monotonic() - began)
        if gone == before:  # all of them have come to be needed since
            break
    return gone


@query
def _find(old: Old) -> Sequence[Any]:
    return _keys(select(*inspect(old.table).primary_key).where(old.where).limit(CHUNK))


@operation
def _delete(old: Old, keys: Sequence[Any]) -> int:
    """Delete those that may still go, and that nobody else is at: it waits for nobody."""
    still = select(*inspect(old.table).primary_key).where(old.key.in_(keys), old.where)
    going = _keys(still.with_for_update(skip_locked=True))
    return changed(delete(old.table).where(old.key.in_(going))) if going else 0


def _keys(rows: Select[Any]) -> Sequence[Any]:
    return [tuple(row) if len(row) > 1 else row[0] for row in db.session.execute(rows)]


@query
def _tenants() -> Sequence[Tenant]:
    return db.session.scalars(select(Tenant).order_by(Tenant.id)).all()


@query
def _has_old_events(tenant: Tenant) -> bool:
    until = now() - timedelta(days=tenant.retention_days)
    old = select(Event.id).where(Event.tenant_id == tenant.id, Event.at < until)
    return db.session.scalar(old.limit(1)) is not None
