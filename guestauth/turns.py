"""Turns: what one of all processes does now and then, on behalf of the others.

What it does: `take` takes a turn unless somebody had it lately; `finish` notes that its work is done; `last`
says when both were.

The one thing to understand: a turn is taken by one statement, so of many at once one gets it. Nobody holds it:
if a process dies in the middle, another takes the next turn.

What must stay true: the clock decides, and when it has jumped, either way, the turn is free.

Called by housekeeping and the courier. It does no work itself.
"""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, select, update

from guestauth.database import changed, db, inserting, now, operation, query
from guestauth.models import Turn


def take(name: str, *, every: timedelta) -> bool:
    """Take a turn; False: somebody had it less than `every` ago. Looking first keeps nobody from writing."""
    return _is_free(name, every) and _taken(name, every)


@operation
def finish(name: str) -> None:
    """Note that what the last turn was for is done."""
    changed(update(Turn).where(Turn.name == name).values(done_at=now()))


@query
def last(name: str) -> Turn | None:
    """Return when it was last taken and done."""
    return db.session.get(Turn, name)


@query
def _is_free(name: str, every: timedelta) -> bool:
    had = select(Turn.name).where(Turn.name == name, _lately(now(), every))
    return db.session.scalar(had) is None


@operation
def _taken(name: str, every: timedelta) -> bool:
    moment = now()
    turn = inserting(Turn).values(name=name, taken_at=moment)
    free, taken = ~_lately(moment, every), {"taken_at": moment}
    mine = turn.on_conflict_do_update(index_elements=["name"], set_=taken, where=free).returning(Turn.name)
    return db.session.scalar(mine) is not None


def _lately(moment: datetime, every: timedelta) -> ColumnElement[bool]:
    return (moment - every < Turn.taken_at) & (Turn.taken_at < moment + every)
