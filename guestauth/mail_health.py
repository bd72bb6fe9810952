"""The mail server's health: whether mail is delayed as a whole (B37).

What it does: `is_delayed` says so; `note_health` keeps one row about it.

The one thing to understand: the mail server is asked by the clock and never on account of a letter, so what pages
say of it tells nothing of anybody.

Called by the courier, which asks the mail server, and by pages and commands. It asks nobody itself.
"""

from datetime import timedelta

from sqlalchemy import func, select

from guestauth.database import changed, inserting, now, operation, query, row_or_none
from guestauth.models import MailHealth

_HEALTH = select(MailHealth)
STALE = timedelta(minutes=3)  # a check older than that: nobody delivers


@query
def is_delayed() -> bool:
    """Whether mail is delayed as a whole (B37).

    It follows the clock's checks of the mail server and no letter's fate, so it tells nothing of anybody.
    """
    health: MailHealth | None = row_or_none(_HEALTH, MailHealth)
    return health is not None and (health.failing_since is not None or health.checked_at < now() - STALE)


@operation
def note_health(fault: str | None) -> None:
    """Keep what the mail server answered to `smtp.probe`; None: it would take a letter."""
    moment = now()
    answer = {"checked_at": moment, "failing_since": moment if fault else None, "reason": fault}
    since = func.coalesce(MailHealth.failing_since, moment) if fault else None
    first = inserting(MailHealth).values(id=1, **answer)
    changed(first.on_conflict_do_update(index_elements=["id"], set_={**answer, "failing_since": since}))
