"""Checkup: what the database can tell of an installation, for `flask doctor`.

What it does: `writable` tries to write; `skew` compares the clocks; `lone_client` finds what a missing
`TRUSTED_PROXIES` looks like; `delivery` says whether anybody delivers, and how long letters have waited.

The one thing to understand: it looks at what has happened, since settings cannot tell what stands in front.

What must stay true: it changes nothing.

Called by `flask doctor`. It judges nothing: the doctor does.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import false, func, select, text, update
from sqlalchemy.exc import SQLAlchemyError

from guestauth.database import changed, clock_offset, db, dialect, now, operation, query
from guestauth.models import Event, Letter, MailHealth

LATELY = 50  # events looked at


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """Whether anybody delivers: when it was last looked after, and since when letters have waited."""

    checked_at: datetime | None
    waiting: int
    oldest: datetime | None


def writable() -> bool:
    """Whether the database takes a write: it is not read-only, full or locked."""
    try:
        _write_nothing()
    except SQLAlchemyError:
        return False
    return True


@query
def skew() -> timedelta:
    """Return how far this machine's clock is behind the database's, or behind the newest event."""
    if dialect() == "postgresql":
        theirs: datetime = db.session.execute(text("SELECT clock_timestamp()")).scalar_one()
        return theirs - (now() - clock_offset())
    newest = db.session.scalar(select(Event.at).order_by(Event.id.desc()).limit(1))
    return max(newest - now(), timedelta()) if newest else timedelta()


def database_file() -> Path:
    """Return where SQLite's file is."""
    return Path(db.engine.url.database or "")


@query
def journal_mode() -> str:
    """Return SQLite's; `wal` lets readers and a writer work side by side."""
    return str(db.session.execute(text("PRAGMA journal_mode")).scalar_one())


@query
def lone_client(least: int = 10) -> str | None:
    """Return the one client address that the newest events all come from, if that many do."""
    newest = select(Event.client_address).where(Event.client_address != "").order_by(Event.id.desc())
    found: Sequence[str] = db.session.scalars(newest.limit(LATELY)).all()
    return found[0] if len(found) >= least and len(set(found)) == 1 else None


@query
def delivery() -> Delivery:
    """Return what the outbox tells of delivery."""
    health = db.session.get(MailHealth, 1)
    waiting = select(func.count(), func.min(Letter.posted_at)).where(Letter.done_at.is_(None))
    number, oldest = db.session.execute(waiting).one()
    return Delivery(checked_at=health.checked_at if health else None, waiting=number, oldest=oldest)


@operation
def _write_nothing() -> None:
    changed(update(MailHealth).where(false()).values(id=1))
