"""The outbox: letters wait in the database and leave from there (B36).

What it does: `post` puts a letter into the transaction under way; `deliver` sends what is due.

The one thing to understand: a letter is leased, then prepared, sent and marked, in three transactions with
the network between them. A process that dies on the way leaves a lease that runs out; the letter goes again
with the same Message-ID and the same code.

What must stay true: no request talks to the mail server; a letter leaves at least once or is dropped for a
stated reason; a letter that could only arrive dead is dropped; a stranger's letter is written like any other, and
then dropped.

Called by passcodes and invitations (post), the courier and the command line (deliver). It does not know
what letters are about: each kind's preparer says so.
"""

import logging
import random
import time
import uuid
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from flask import current_app
from flask_mail import Message
from sqlalchemy import Integer, and_, bindparam, func, or_, select, update
from sqlalchemy.exc import SQLAlchemyError

from guestauth import audit, mail_health, mailbox, smtp
from guestauth.connections import afterwards, let_go
from guestauth.database import P, R, add, changed, db, now, operation, query, row_or_none, rows
from guestauth.engines import is_busy
from guestauth.letters import Content
from guestauth.models import Letter, MailHealth

log = logging.getLogger(__name__)
RANKED = 2000  # letters of which the tenants take turns: as many codes as all may have mailed in an hour
URGENT = "passcode"  # somebody waits for it: it leaves before thousands of invitations
BACKOFF = [timedelta(seconds=seconds) for seconds in (5, 15, 45, 120, 300)]  # and 300 s ever after
GIVE_UP = timedelta(days=3)  # after that an undelivered letter has failed
FURTHEST = timedelta(minutes=30)  # no lease or pause is so long: a clock has gone back if a letter is due later
STUBBORN = (1, 2, 4, 8)  # seconds between tries to write down what became of a letter; its lease is longer


class Dropped(Exception):  # noqa: N818 -- a decision, not an error
    """The letter must not go any more; the text is the reason."""

    def __init__(self, reason: str, content: Content | None = None) -> None:
        """`content`: what would have left, if who it is for is the reason: as much work as for others (B27)."""
        super().__init__(reason)
        self.content = content


Preparer = Callable[[Letter], Content]
_preparers: dict[str, Preparer] = {}


def kind(name: str) -> Callable[[Preparer], Preparer]:
    """Register what writes the letters of one kind, or raises `Dropped` if one must not go any more."""

    def register(preparer: Preparer) -> Preparer:
        _preparers[name] = preparer
        return preparer

    return register


def _stubborn(function: Callable[P, R]) -> Callable[P, R]:
    """Do it again while the database is busy or away: a letter that left and is not marked would leave twice.

    It sleeps in the thread that carries this one letter; the others have their own, and nobody's page waits.
    """

    def insisting(*args: P.args, **kwargs: P.kwargs) -> R:
        for pause in STUBBORN:
            try:
                return function(*args, **kwargs)
            except SQLAlchemyError as fault:
                if not is_busy(fault):
                    raise
            time.sleep(pause)
        return function(*args, **kwargs)

    return insisting


def post(
    kind: str,
    *,
    tenant_id: uuid.UUID,
    user_id: uuid.UUID | None,
    subject_id: uuid.UUID,
    by: audit.Caller,
    n: int = 0,
    not_before: datetime | None = None,
    **facts: Any,
) -> None:
    """Put a letter into the transaction under way; delivery wakes when it commits.

    :param user_id: who gets it; None for a stranger, whose letter takes the same way to its end.
    :param subject_id: the sign-in or the invitation it tells of; `n`: which of the sign-in's codes.
    :param not_before: when it may leave; in half an hour at the latest it leaves or is dropped.
    :param facts: what the letter needs and no row has; never a code or a ticket.
    """
    moment = now()
    letter = Letter(
        kind=kind,
        tenant_id=tenant_id,
        user_id=user_id,
        subject_id=subject_id,
        n=n,
        facts=facts,
        correlation_id=by.correlation_id,
        posted_at=moment,
        due_at=min(not_before or moment, moment + FURTHEST),
    )
    add(letter)
    afterwards(_wake_delivery)


@operation
def lease(most: int) -> Sequence[Letter]:
    """Take letters that are due; nobody else gets them until the lease runs out.

    :param most: how many at the most.
    """
    # longer than one letter can take: a dozen answers of the mail server, each awaited MAIL_TIMEOUT
    lease = timedelta(seconds=60 + 12 * current_app.config["MAIL_TIMEOUT"])
    moment = now()
    named = {"b_now": moment, "b_far": moment + FURTHEST, "b_most": most, "b_until": moment + lease}
    return [letter for (letter,) in rows(_LEASE, Letter, **named, b_lease=uuid.uuid4())]


def deliver(letter: Letter) -> None:
    """Prepare, send and mark one leased letter."""
    try:
        _send(letter, _written(letter))
    except Dropped as reason:
        _mark(letter, "dropped", str(reason))
    except smtp.NotSent as answer:
        _try_later(letter, str(answer), final=answer.final)
    except Exception as fault:
        log.exception("letter %s could not be written or sent", letter.id)
        _try_later(letter, type(fault).__name__, final=False)
    else:
        _mark(letter, "sent", "")


@query
def next_due() -> timedelta | None:
    """How long until the next letter is due; None when none waits."""
    due: datetime | None = row_or_none(_NEXT_DUE)
    wait = None if due is None else max(due - now(), timedelta())
    return timedelta() if wait and wait > FURTHEST else wait


@query
def status() -> dict[str, Any]:
    """What waits, what left, and whether the mail server answers; for `flask mail status`."""
    waiting = Letter.done_at.is_(None)
    counts = db.session.execute(
        select(func.coalesce(Letter.outcome, "waiting"), func.count()).group_by(Letter.outcome)
    )
    health = db.session.get(MailHealth, 1)
    return {
        "waiting": 0,
        "sent": 0,
        "dropped": 0,
        "failed": 0,
        **dict(counts.all()),
        "oldestWaiting": db.session.scalar(select(func.min(Letter.posted_at)).where(waiting)),
        "lastReason": db.session.scalar(
            select(Letter.reason).where(waiting, Letter.reason.is_not(None)).order_by(Letter.due_at).limit(1)
        ),
        "failingSince": health.failing_since if health else None,
        "delayed": mail_health.is_delayed(),
    }


@query
def of_user(tenant_id: uuid.UUID, user_id: uuid.UUID, *, most: int = 10) -> Sequence[Letter]:
    """Return the newest letters to a user, with what became of each."""
    theirs = select(Letter).where(Letter.user_id == user_id, Letter.tenant_id == tenant_id)
    return db.session.scalars(theirs.order_by(Letter.posted_at.desc(), Letter.id).limit(most)).all()


def _try_later(letter: Letter, reason: str, *, final: bool) -> None:
    if final or now() > letter.posted_at + GIVE_UP:
        _mark(letter, "failed", reason)
    else:
        _postpone(letter, reason)


def _written(letter: Letter) -> Content:
    """Prepare a letter; one that is dropped for who it is for is written down like others first (B27)."""
    try:
        return _prepare(letter)
    except Dropped as reason:
        if reason.content:
            _composed(letter, reason.content).as_bytes()
        raise


@query
def _prepare(letter: Letter) -> Content:
    return _preparers[letter.kind](letter)


def _composed(letter: Letter, content: Content) -> Message:
    message_id = f"{letter.id}@{current_app.config['MAIL_DEFAULT_SENDER'].partition('@')[2]}"
    return smtp.compose(content, message_id=message_id, date=letter.posted_at)


def _send(letter: Letter, content: Content) -> None:
    config, message = current_app.config, _composed(letter, content)
    let_go()
    if config["MAIL_SERVER"]:
        smtp.send(message)
    if config["GUESTAUTH_DEMO"]:
        mailbox.keep(str(letter.id), message.as_bytes())


@_stubborn
@operation
def _mark(letter: Letter, outcome: str, reason: str) -> None:
    """Write the letter's end down, unless its lease ran out and another process has it now."""
    end = {"b_now": now(), "b_outcome": outcome, "b_reason": reason or None}
    if changed(_DONE, b_id=letter.id, b_lease=letter.lease, **end) == 1:
        audit.record(
            f"{letter.kind}.{'mailed' if outcome == 'sent' else 'dropped'}",
            by=audit.DELIVERY,
            tenant_id=letter.tenant_id,
            user_id=letter.user_id,
            address=letter.facts.get("address"),
            refused=reason,
            correlation_id=letter.correlation_id,
            letter=str(letter.id),
        )


@_stubborn
@operation
def _postpone(letter: Letter, reason: str) -> None:
    wait = BACKOFF[min(letter.tries, len(BACKOFF)) - 1] * random.uniform(0.8, 1.2)  # noqa: S311 -- jitter
    changed(_LATER, b_id=letter.id, b_lease=letter.lease, b_due=now() + wait, b_reason=reason)


def _wake_delivery() -> None:
    if "guestauth_courier" in current_app.extensions:
        current_app.extensions["guestauth_courier"].wake.set()


_WAITING = Letter.done_at.is_(None)
_IS_DUE = and_(_WAITING, or_(Letter.due_at <= bindparam("b_now"), Letter.due_at > bindparam("b_far")))
_OLDEST = select(Letter).where(_IS_DUE).order_by(Letter.kind != URGENT, Letter.due_at).limit(RANKED).subquery()
_EACH = (_OLDEST.c.tenant_id, _OLDEST.c.kind != URGENT)  # tenants take turns: none floods the others
_TURN = func.row_number().over(partition_by=_EACH, order_by=_OLDEST.c.due_at)
_RANKED = select(_OLDEST.c.id, _TURN.label("turn")).subquery()
_DUE = (
    select(Letter.id)
    .join(_RANKED, _RANKED.c.id == Letter.id)
    .where(_IS_DUE)
    .order_by(Letter.kind != URGENT, _RANKED.c.turn, Letter.due_at)
    .limit(bindparam("b_most", type_=Integer))
    .with_for_update(skip_locked=True, of=Letter)
    .cte("due")  # runs once; as a subquery PostgreSQL may run it for each row, and take more than `most`
)
_LEASE = (
    update(Letter)
    .where(Letter.id.in_(select(_DUE.c.id)), _WAITING)
    .values(due_at=bindparam("b_until"), lease=bindparam("b_lease"), tries=Letter.tries + 1)
    .returning(Letter)
)
_NEXT_DUE = select(func.min(Letter.due_at)).where(_WAITING)
_LATER = (
    update(Letter)
    .where(Letter.id == bindparam("b_id"), Letter.lease == bindparam("b_lease"))
    .values(due_at=bindparam("b_due"), lease=None, reason=bindparam("b_reason"))
)
_DONE = (
    update(Letter)
    .where(Letter.id == bindparam("b_id"), Letter.lease == bindparam("b_lease"), _WAITING)
    .values(done_at=bindparam("b_now"), outcome=bindparam("b_outcome"), reason=bindparam("b_reason"))
)
