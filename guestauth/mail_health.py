"""The mail server's health: whether mail is delayed as a whole (B37).

What it does: `is_delayed` says so; `check_is_due`, `claim_check` and `note_health` keep one row about it.

The one thing to understand: the mail server is asked by the clock and never on account of a letter, so what pages
say of it tells nothing of anybody.

Called by the courier, which asks the mail server, and by pages and commands. It asks nobody itself.
"""

from contextlib import suppress
from datetime import timedelta

from sqlalchemy import func, update

from guestauth.database import Refusal, changed, db, now, operation, query, refusing_doubles
from guestauth.models import MailHealth

STALE = timedelta(minutes=3)  # a check older than that: nobody delivers


class Quicker(Refusal):
    """Another process asks the mail server for the first time."""


@query
def is_delayed() -> bool:
    """Whether mail is delayed as a whole (B37).

    It follows the clock's checks of the mail server and no letter's fate, so it tells nothing of anybody.
    """
    health = db.session.get(MailHealth, 1)
    return health is not None and (health.failing_since is not None or health.checked_at < now() - STALE)


@query
def check_is_due(every: timedelta) -> bool:
    """Whether nobody has asked the mail server in the last `every`, or the clock has jumped."""
    health = db.session.get(MailHealth, 1)
    return health is None or abs(now() - health.checked_at) >= every


@operation
def claim_check(every: timedelta) -> bool:
    """Take the turn to ask the mail server; False: another process was quicker."""
    moment = now()
    if db.session.get(MailHealth, 1) is None:
        with suppress(Quicker), refusing_doubles(Quicker()):
            db.session.add(MailHealth(checked_at=moment))
            return True
        return False
    due = ~MailHealth.checked_at.between(moment - every, moment + every)
    return changed(update(MailHealth).where(due).values(checked_at=moment)) == 1


@operation
def note_health(fault: str | None) -> None:
    """Keep what the mail server answered to `smtp.probe`; None: it would take a letter."""
    since = func.coalesce(MailHealth.failing_since, now()) if fault else None
    changed(update(MailHealth).values(checked_at=now(), failing_since=since, reason=fault))
