"""Imports: many invitations from a file (B20).

What it does: `keep` stores what `import_files` has read; `run` invites line by line; `progress`, `listed`, `page`
and `rows` show how far it is; `discard` throws it away.

The one thing to understand: a line is claimed, invited and marked in one transaction. So it is done once or not
at all, whoever runs the import again, at the same moment or after a crash.

What must stay true: a line that is done is never done again; who is a guest already stays as they are; what may
have changed since the plan is looked at once more when the line is invited.

Called by the console and the command line. It has no worker of its own: who calls `run` does the work.
"""

import math
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import ColumnElement, case, delete, func, insert, select, update

from guestauth import audit, invitations
from guestauth.audit import Caller
from guestauth.database import Refusal, changed, db, now, operation, query
from guestauth.import_files import DOUBLED, REFUSED, SKIPPED, Line
from guestauth.languages import N_, Text
from guestauth.models import Import, ImportRow

PAGE = 50  # rows
LISTED = 50  # imports
WAITING, INVITED = "waiting", "invited"
OUTCOMES = (WAITING, INVITED, SKIPPED, DOUBLED, REFUSED)


class ImportUnknown(Refusal):
    """The tenant has no such import."""


@dataclass(frozen=True, kw_only=True)
class Page:
    """One page of an import's rows."""

    rows: Sequence[ImportRow]
    number: int
    pages: int


@operation
def keep(tenant_id: uuid.UUID, file_name: str, lines: Sequence[Line], *, by: Caller) -> Import:
    """Store a plan (`import_files.planned`), for `run`."""
    name = audit.one_line(file_name.encode("utf-8", "replace").decode())[-255:]
    made = Import(tenant_id=tenant_id, file_name=name, created_at=now())
    db.session.add(made)
    db.session.flush()
    db.session.execute(insert(ImportRow), [_row(made.id, line) for line in lines])
    audit.record("guests.imported", by=by, tenant_id=tenant_id, file=name, rows=len(lines))
    return made


def run(tenant_id: uuid.UUID, import_id: uuid.UUID, *, by: Caller, seconds: float = math.inf) -> int:
    """Invite the guests of the rows that wait, until none does or the time is up; at least one.

    Rows that somebody else is at are left to them.

    :returns: how many rows this call has done.
    :raises ImportUnknown: also if it is discarded meanwhile.
    """
    done, n, end = 0, 0, time.monotonic() + seconds
    while n := _do_one(tenant_id, import_id, after=n, by=by):
        done += 1
        if time.monotonic() >= end:
            break
    return done


@operation
def discard(tenant_id: uuid.UUID, import_id: uuid.UUID, *, by: Caller) -> Import:
    """Throw an import and its rows away; the guests stay.

    :raises ImportUnknown:
    """
    found = _find(tenant_id, import_id)
    if not changed(delete(Import).where(Import.id == import_id)):
        raise ImportUnknown(N_("There is no such import"))
    audit.record("import.discarded", by=by, tenant_id=tenant_id, file=found.file_name)
    return found


@query
def progress(tenant_id: uuid.UUID, import_id: uuid.UUID) -> tuple[Import, Mapping[str, int]]:
    """Return an import, and how many of its rows have come to each of `OUTCOMES`.

    :raises ImportUnknown:
    """
    found = _find(tenant_id, import_id)
    each = select(ImportRow.outcome, func.count()).where(ImportRow.import_id == import_id)
    counts = {outcome or WAITING: count for outcome, count in db.session.execute(each.group_by(ImportRow.outcome))}
    return found, {outcome: counts.get(outcome, 0) for outcome in OUTCOMES}


@query
def listed(tenant_id: uuid.UUID) -> Sequence[tuple[Import, int, int]]:
    """Return the newest imports of a tenant, each with the number of its rows and of those that are done."""
    each = select(Import, func.count(ImportRow.n), func.count(ImportRow.outcome))
    mine = each.join(ImportRow, ImportRow.import_id == Import.id).where(Import.tenant_id == tenant_id)
    newest = mine.group_by(Import.id).order_by(Import.created_at.desc(), Import.id).limit(LISTED)
    return [(found, total, done) for found, total, done in db.session.execute(newest)]


@query
def page(tenant_id: uuid.UUID, import_id: uuid.UUID, *, outcome: str = "", number: int = 1) -> Page:
    """Return one page of an import's rows, problems first.

    :param outcome: only those that came to it; no word of `OUTCOMES`: all.
    :raises ImportUnknown:
    """
    wanted = _wanted(_find(tenant_id, import_id), outcome)
    total = db.session.scalar(select(func.count()).select_from(ImportRow).where(*wanted)) or 0
    pages = max(1, -(-total // PAGE))
    number = min(max(number, 1), pages)
    order = case({REFUSED: 0, DOUBLED: 1, SKIPPED: 2}, value=ImportRow.outcome, else_=3)
    found = select(ImportRow).where(*wanted).order_by(order, ImportRow.n).limit(PAGE).offset((number - 1) * PAGE)
    return Page(rows=db.session.scalars(found).all(), number=number, pages=pages)


@query
def rows(tenant_id: uuid.UUID, import_id: uuid.UUID) -> Sequence[ImportRow]:
    """Return all rows of an import, in the order of the file.

    :raises ImportUnknown:
    """
    wanted = _wanted(_find(tenant_id, import_id), "")
    return db.session.scalars(select(ImportRow).where(*wanted).order_by(ImportRow.n)).all()


@operation
def _do_one(tenant_id: uuid.UUID, import_id: uuid.UUID, *, after: int, by: Caller) -> int:
    """Invite the guest of the next row that waits after that one; return its number, 0 if there is none."""
    _find(tenant_id, import_id)
    row = _claimed(import_id, after)
    if row is None:
        return 0
    try:
        guest = invitations.described(tenant_id, row.mail, display_name=row.display_name)
        words = invitations.Words(message=row.message or None, target=row.target or None)
        invitations.add(guest, words, send_mail=row.send_mail, by=by)
    except Refusal as refusal:
        row.outcome = SKIPPED if isinstance(refusal, invitations.AlreadyAGuest) else REFUSED
        row.reason, row.said = _kept(refusal.text)
    return row.n


def why(row: ImportRow) -> str:
    """Return why a row was not invited, as a `Text`; empty if it was, or waits."""
    return Text(*row.said) if row.said else row.reason or ""


def _row(import_id: uuid.UUID, line: Line) -> dict[str, Any]:
    reason, said = _kept(line.reason) if line.reason else (None, None)
    return {"import_id": import_id, **asdict(line), "reason": reason, "said": said}


def _kept(text: str) -> tuple[str, list[Any] | None]:
    """Return a text as it is kept: in English, and what it can be said from in any language."""
    return str(text)[:300], list(text.__getnewargs__()) if isinstance(text, Text) else None


def _claimed(import_id: uuid.UUID, after: int) -> ImportRow | None:
    """Mark a row as invited before it is, in the transaction under way: nobody else gets it."""
    waits = (ImportRow.import_id == import_id, ImportRow.n > after, ImportRow.outcome.is_(None))
    first = select(ImportRow.n).where(*waits).order_by(ImportRow.n).limit(1)
    free = first.with_for_update(skip_locked=True).cte("free")
    claim = update(ImportRow).where(*waits, ImportRow.n.in_(select(free.c.n))).values(outcome=INVITED)
    options = {"synchronize_session": False}
    return db.session.scalars(claim.returning(ImportRow), execution_options=options).first()


def _find(tenant_id: uuid.UUID, import_id: uuid.UUID) -> Import:
    found = db.session.get(Import, import_id)
    if found is None or found.tenant_id != tenant_id:
        raise ImportUnknown(N_("There is no such import"))
    return found


def _wanted(found: Import, outcome: str) -> list[ColumnElement[bool]]:
    mine = [ImportRow.import_id == found.id]
    if outcome in OUTCOMES:
        mine.append(ImportRow.outcome.is_(None) if outcome == WAITING else ImportRow.outcome == outcome)
    return mine
