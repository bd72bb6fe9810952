"""Limits: how often something may be done, by whom or to whom, kept in one ledger in the database.

What it does: `opened` locks and reads the rows of the ledger that a step concerns; `Ledger.check` refuses what
is too often; `Ledger.charge` writes down what was done.

The one thing to understand: a row keeps when it was done lately, so "five in an hour" holds for every hour,
whenever it begins. What a stranger's browser does with an address is counted apart from what the guest's own
browser does, or one that came by the guest's invitation; so nobody can use up the guest's own way in.

What must stay true: rows are locked in one order, before any other row, until the transaction ends: all processes
count as one; what is counted is the address, never whether there is a guest behind it (B27); a row that says
nothing any more is deleted.

Called by the operations of the way in. It knows no browser and no page; a limit can be raised, not removed.
"""

import functools
import hashlib
import ipaddress
import json
import logging
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import current_app
from sqlalchemy import BindParameter, Insert, bindparam, delete, literal, select, update
from sqlalchemy.sql.dml import ReturningInsert

from guestauth import addresses, audit, database
from guestauth.audit import Caller
from guestauth.database import CLOCK_SLACK, Refusal, change, changed, now, row_or_none
from guestauth.engines import UtcDateTime
from guestauth.languages import N_
from guestauth.models import Counter

log = logging.getLogger(__name__)
MINUTES, HOUR, DAY = timedelta(minutes=10), timedelta(hours=1), timedelta(days=1)
EXACT = 60  # up to so many every single time is kept; above, what is close together is kept as one
PARTS = 10  # into which the shortest window is divided then
ALARM = 0.8  # of the mails of an hour: the operator is told

Entry = tuple[float, int]  # seconds since 1970, and how often then


@dataclass(frozen=True)
class Limit:
    """How often at the most: for each window the setting that says so, or the number itself."""

    name: str
    caps: tuple[tuple[str | int, timedelta], ...]

    @property
    def longest(self) -> timedelta:
        """Return its longest window."""
        return max(window for _, window in self.caps)

    def most(self) -> Mapping[timedelta, int]:
        """Return how often it may be in each window."""
        config = current_app.config
        return {window: cap if isinstance(cap, int) else config[cap] for cap, window in self.caps}


SENDS = Limit("sends", (("LIMIT_SENDS_PER_HOUR", HOUR), ("LIMIT_SENDS_PER_DAY", DAY)))
KNOWN_SENDS = Limit("known sends", (("LIMIT_KNOWN_SENDS_PER_DAY", DAY),))
GUESSED_SENDS = Limit("sends", ((1, DAY),))  # what is left of SENDS, and on its rows, after too many WRONG_CODES
WRONG_CODES = Limit("wrong codes", (("LIMIT_WRONG_CODES", timedelta(days=30)),))
WARNINGS = Limit("warnings", ((1, DAY),))  # to the administrators of a tenant
CLIENT_SENDS = Limit(
    "client sends", (("LIMIT_CLIENT_SENDS_PER_10_MINUTES", MINUTES), ("LIMIT_CLIENT_SENDS_PER_HOUR", HOUR))
)
CLIENT_CODES = Limit("client codes", (("LIMIT_CLIENT_CODES_PER_10_MINUTES", MINUTES),))
CLIENT_ADDRESSES = Limit("client addresses", (("LIMIT_CLIENT_ADDRESSES_PER_10_MINUTES", MINUTES),))
TENANT_MAILS = Limit("tenant mails", (("LIMIT_TENANT_MAILS_PER_HOUR", HOUR),))
MAILS = Limit("mails", (("LIMIT_MAILS_PER_HOUR", HOUR),))
REFUSALS = Limit("refusals", ((1, DAY),))  # of a sign-in, for the same reason, that the audit log is told
INVITATIONS = Limit("invitations", (("LIMIT_SENDS_PER_HOUR", HOUR), ("LIMIT_SENDS_PER_DAY", DAY)))


class LimitReached(Refusal):
    """It was too often; `next_at` says from when it can be again."""

    def __init__(self, limit: Limit, next_at: datetime) -> None:
        super().__init__(N_("Too often: it can be done again after %(time)s", time=next_at))
        self.limit, self.next_at = limit, next_at


@dataclass(frozen=True, order=True)
class Row:
    """Which row of the ledger: of which limit, and about whom."""

    name: str
    key: str


def of_address(limit: Limit, tenant_id: uuid.UUID, mail_key: str, *more: str) -> Row:
    """Return the row about an address at a tenant; dots and `+tags` lead to the same mailbox (F12)."""
    return _row(limit, str(tenant_id), addresses.mailbox(mail_key), *more)


def of_client(limit: Limit, by: Caller) -> Row:
    """Return the row about where a request comes from, without a port: of IPv6 the /64, which is one site's."""
    text = by.client_address
    has_port = text.count(":") == 1 or "]:" in text  # IPv6 has more colons, and brackets before a port
    host = text.rpartition(":")[0] if has_port else text
    try:
        address = ipaddress.ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        return _row(limit, text)
    if isinstance(address, ipaddress.IPv6Address):
        return _row(limit, str(address.ipv4_mapped or ipaddress.ip_network((address, 64), strict=False)))
    return _row(limit, str(address))


def of_step(limit: Limit, sign_in_id: uuid.UUID, *which: str) -> Row:
    """Return the row about a step of a sign-in."""
    return _row(limit, str(sign_in_id), *which)


def of_tenant(limit: Limit, tenant_id: uuid.UUID) -> Row:
    """Return the row about a tenant."""
    return _row(limit, str(tenant_id))


def of_all(limit: Limit) -> Row:
    """Return the row about everybody."""
    return _row(limit)


class Ledger:
    """Rows of the ledger, locked until the transaction under way ends."""

    def __init__(self, logs: dict[Row, list[Entry]], told: dict[Row, dict[str, datetime | None]]) -> None:
        self._logs, self._told = logs, told

    def next_at(self, limit: Limit, row: Row) -> datetime | None:
        """Return from when it can be done again; None: now."""
        moment, entries = now().timestamp(), self._logs[row]
        waits = [_free_at(entries, window, most, moment, _grain(limit)) for window, most in limit.most().items()]
        return datetime.fromtimestamp(max(waits), UTC) if max(waits) > moment else None

    def check(self, limit: Limit, row: Row, *, by: Caller, tenant_id: uuid.UUID | None, address: str = "") -> None:
        """Refuse if it was as often as it may be.

        :raises LimitReached:
        """
        next_at = self.reached(limit, row, by=by, tenant_id=tenant_id, address=address)
        if next_at is not None:
            raise LimitReached(limit, next_at)

    def reached(
        self, limit: Limit, row: Row, *, by: Caller, tenant_id: uuid.UUID | None, address: str = ""
    ) -> datetime | None:
        """Return from when it can be done again; None: now. The audit log is told once in each window."""
        next_at = self.next_at(limit, row)
        if next_at is not None and self._is_news("noted_at", limit, row):
            audit.record("limit.reached", by=by, tenant_id=tenant_id, address=address or None, limit=limit.name)
        return next_at

    def charge(self, done: Mapping[tuple[Limit, Row], int]) -> None:
        """Write down how often each was done just now; a 0 costs as much work as a 1 (B27)."""
        moment, named = now(), dict[str, Any]()
        for n, ((limit, row), times) in enumerate(done.items()):
            self._logs[row] = entries = _added(self._logs[row], times, moment.timestamp(), limit)
            expires_at = moment + limit.longest + timedelta(seconds=_grain(limit))
            named |= {f"b_name{n}": row.name, f"b_key{n}": row.key}
            named |= {f"b_log{n}": json.dumps(entries), f"b_expires_at{n}": expires_at}
        change(_writing(database.dialect(), len(done)), **named)

    def alarm(self, limit: Limit, row: Row, *, by: Caller, tenant_id: uuid.UUID) -> None:
        """Tell the audit log and the operator, once in each window, that four fifths are used up."""
        used = sum(times for _, times in self._logs[row])
        if used >= min(limit.most().values()) * ALARM and self._is_news("near_at", limit, row):
            log.warning("%d of %s in an hour: the limit is near", used, limit.name)
            audit.record("limit.near", by=by, tenant_id=tenant_id, limit=limit.name, used=used)

    def _is_news(self, column: str, limit: Limit, row: Row) -> bool:
        told, moment = self._told[row][column], now()
        if told is not None and abs(moment - told) < limit.longest:
            return False
        this = (Counter.name == row.name, Counter.key == row.key)
        changed(update(Counter).where(*this).values({column: moment}))
        return True


def opened(rows: Iterable[Row]) -> Ledger:
    """Lock and read rows of the ledger, in the transaction under way and before any other row."""
    moment, wanted = now(), sorted(set(rows))
    named = {f"b_name{n}": row.name for n, row in enumerate(wanted)}
    named |= {f"b_key{n}": row.key for n, row in enumerate(wanted)}
    reading = _reading(database.dialect(), len(wanted))
    logs, told = {}, {}
    for name, key, text, noted_at, near_at in database.rows(reading, b_expires_at=moment + DAY, **named):
        logs[Row(name, key)] = _lately(json.loads(text), moment)
        told[Row(name, key)] = {"noted_at": noted_at, "near_at": near_at}
    return Ledger(logs, told)


def spend(limit: Limit, row: Row, *, by: Caller, tenant_id: uuid.UUID, address: str) -> None:
    """Charge one step to one row, in the transaction under way.

    :raises LimitReached:
    """
    ledger = opened([row])
    ledger.check(limit, row, by=by, tenant_id=tenant_id, address=address)
    ledger.charge({(limit, row): 1})


def spent_if_room(limit: Limit, row: Row) -> bool:
    """Charge one step to one row, in the transaction under way, unless it was as often as it may be."""
    ledger = opened([row])
    spent = ledger.next_at(limit, row) is None
    ledger.charge({(limit, row): int(spent)})
    return spent


def is_used_up(limit: Limit, row: Row) -> bool:
    """Whether it was done as often as it may be; the row is read, not locked."""
    text = row_or_none(_LOG, b_name=row.name, b_key=row.key)
    entries = {row: _lately(json.loads(text or "[]"), now())}
    return Ledger(entries, {}).next_at(limit, row) is not None


def forget(*rows: Row) -> None:
    """Delete rows, in the transaction under way."""
    for row in rows:
        change(_FORGET, b_name=row.name, b_key=row.key)


_THIS = (Counter.name == bindparam("b_name"), Counter.key == bindparam("b_key"))
_LOG = select(Counter.log).where(*_THIS)
_FORGET = delete(Counter).where(*_THIS)


@functools.cache
def _reading(dialect: str, count: int) -> ReturningInsert[str, str, str, datetime | None, datetime | None]:
    """Build the statement that locks so many rows and reads them, making those that are not there."""
    same = {"log": literal("[]"), "expires_at": bindparam("b_expires_at", type_=UtcDateTime)}
    insert = database.inserting(Counter).values([{**_named(n), **same} for n in range(count)])
    locking = insert.on_conflict_do_update(index_elements=["name", "key"], set_={"name": insert.excluded.name})
    return locking.returning(Counter.name, Counter.key, Counter.log, Counter.noted_at, Counter.near_at)


@functools.cache
def _writing(dialect: str, count: int) -> Insert:
    """Build the statement that writes so many rows anew."""
    new = [
        {"log": bindparam(f"b_log{n}"), "expires_at": bindparam(f"b_expires_at{n}", type_=UtcDateTime)}
        for n in range(count)
    ]
    insert = database.inserting(Counter).values([{**_named(n), **values} for n, values in enumerate(new)])
    written = {"log": insert.excluded.log, "expires_at": insert.excluded.expires_at}
    return insert.on_conflict_do_update(index_elements=["name", "key"], set_=written)


def _named(n: int) -> dict[str, BindParameter[str]]:
    return {"name": bindparam(f"b_name{n}"), "key": bindparam(f"b_key{n}")}


def _row(limit: Limit, *about: str) -> Row:
    return Row(limit.name, hashlib.sha256("\0".join(about).encode()).hexdigest())


def _grain(limit: Limit) -> float:
    """Return how many seconds may be kept as one time: 0 if every single time is."""
    most = limit.most()
    return min(most).total_seconds() / PARTS if max(most.values()) > EXACT else 0


def _lately(entries: list[Entry], moment: datetime) -> list[Entry]:
    """Leave out what a clock that was put back has left in the future (F-08)."""
    latest = (moment + CLOCK_SLACK).timestamp()
    return [(at, times) for at, times in entries if at <= latest]


def _added(entries: list[Entry], times: int, moment: float, limit: Limit) -> list[Entry]:
    """Return the entries of the longest window, and one more; what is close together becomes one."""
    grain = _grain(limit)
    kept = [(at, n) for at, n in entries if at + grain + limit.longest.total_seconds() > moment]
    if not times:
        return kept
    if kept and grain and moment - kept[-1][0] < grain:
        return [*kept[:-1], (kept[-1][0], kept[-1][1] + times)]
    return [*kept, (round(moment, 3), times)]


def _free_at(entries: list[Entry], window: timedelta, most: int, moment: float, grain: float) -> float:
    """Return when less than `most` will have been in the window; a time kept for several ends with the last."""
    span = window.total_seconds() + grain
    inside = [(at, times) for at, times in entries if at + span > moment]
    spare, free_at = most - sum(times for _, times in inside), moment
    for at, times in inside:
        if spare > 0:
            break
        spare, free_at = spare + times, at + span
    return free_at
