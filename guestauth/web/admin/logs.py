"""The sign-in log and the audit log: who did what, when, from where (B33).

What it does: shows them newest first, by address, event, result and days, and hands them out as CSV.

The one thing to understand: both are the same events; the sign-in log has those around signing in only. A page's
place in the log stands in its address, as the time and id of the event it begins after.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import request
from flask_babel import gettext

from guestauth import audit as log
from guestauth import journal
from guestauth.languages import N_, said
from guestauth.models import Event
from guestauth.web import gate
from guestauth.web.admin import as_csv, blueprint
from guestauth.web.fields import Problem, page

FILTERS = ("address", "event", "result", "from", "to")
COLUMNS = ("time", "event", "what", "result", "reason", "actor", "by", "address", "clientAddress", "browser")
MOST_ID = 2**63 - 1
ACTORS = (N_("visitor"), N_("guest"), N_("administrator"), N_("command line"), N_("delivery"))
RESULTS = (N_("success"), N_("refused"))  # shown in the language of the page; files are in English


@blueprint.get("/sign-ins")
def sign_ins() -> Any:
    """Show the sign-in log."""
    return _shown("sign_ins", log.SIGNING_IN)


@blueprint.get("/sign-ins/export")
def export_sign_ins() -> Any:
    """Hand out the sign-in log as CSV."""
    return _exported("sign_ins", log.SIGNING_IN)


@blueprint.get("/audit")
def audit() -> Any:
    """Show the audit log."""
    return _shown("audit", tuple(log.EVENTS))


@blueprint.get("/audit/export")
def export_audit() -> Any:
    """Hand out the audit log as CSV."""
    return _exported("audit", tuple(log.EVENTS))


def _shown(name: str, names: Sequence[str]) -> Any:
    query, tenant = _query(), gate.tenant_arrival().tenant
    problems = _problems(query, names)
    found = journal.Page([], None, None)
    if not problems:
        places = {"older_than": _place("before"), "newer_than": _place("after")}
        found = journal.page(tenant.id, _which(query, names), **places)
    events = [(each, _sentence(said(log.EVENTS[each]))) for each in names]
    context: dict[str, Any] = {"query": query, "events": events, "meaning": dict(events), "here": name}
    return page(
        f"admin/{name}.html", problems=problems, found=found, written=_written, details=_details, **context
    )


def _exported(name: str, names: Sequence[str]) -> Any:
    query, tenant = _query(), gate.tenant_arrival().tenant
    if _problems(query, names):
        return _shown(name, names)
    rows = _rows(journal.every(tenant.id, _which(query, names)))
    return as_csv(name.replace("_", "-"), rows)


def _query() -> Mapping[str, str]:
    """Return what the list is narrowed by, without what is empty."""
    asked = {name: request.args.get(name, "").strip()[:254] for name in FILTERS}
    return {name: value for name, value in asked.items() if value}


def _problems(query: Mapping[str, str], names: Sequence[str]) -> list[Problem]:
    wrong = []
    if query.get("event", names[0]) not in names:
        wrong.append(Problem(gettext("Choose an event from the list"), "event"))
    if query.get("result", log.RESULTS[0]) not in log.RESULTS:
        wrong.append(Problem(gettext("Choose a result from the list"), "result"))
    for name in ("from", "to"):
        if name in query and _day_or_none(query[name]) is None:
            wrong.append(Problem(gettext("Enter a day like 2026-11-20"), name))
    return wrong


def _which(query: Mapping[str, str], names: Sequence[str]) -> journal.Which:
    last = _day_or_none(query.get("to", ""))
    return journal.Which(
        names=(query["event"],) if "event" in query else names if len(names) < len(log.EVENTS) else (),
        address=query.get("address", ""),
        result=query.get("result", ""),
        since=_day_or_none(query.get("from", "")),
        until=last + timedelta(days=1) if last else None,
    )


def _day_or_none(typed: str) -> datetime | None:
    """Return the beginning of a day, in UTC; none of the last year there can be, which has no day after it."""
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", typed) or typed >= "9999":
        return None
    try:
        return datetime.fromisoformat(typed).replace(tzinfo=UTC)
    except ValueError:
        return None


def _written(place: journal.Place | None) -> str | None:
    return place and f"{place[0].isoformat()}_{place[1]}"


def _place(name: str) -> journal.Place | None:
    """Read the place in the log that a link of ours names; anything else is none."""
    at, _, number = request.args.get(name, "").partition("_")
    try:
        moment, event_id = datetime.fromisoformat(at).astimezone(UTC), int(number)
    except (ValueError, OverflowError):
        return None
    return (moment, event_id) if 0 <= event_id <= MOST_ID else None


def _rows(entries: Iterator[journal.Entry]) -> Iterator[Sequence[Any]]:
    yield (*COLUMNS, "correlationId", "detail")
    for entry in entries:
        event = entry.event
        what = (event.at, event.name, log.EVENTS.get(event.name, event.name), event.result, event.reason)
        who = (event.actor, entry.by, entry.address, event.client_address, event.browser, event.correlation_id)
        yield (*what, *who, "; ".join(_details(event)))


def _details(event: Event) -> list[str]:
    """Say what else there is to know of an event; who did it has a place of its own."""
    known = ((name, value) for name, value in event.detail.items() if name != "by")
    return [f"{name}: {', '.join(map(str, value)) if isinstance(value, list) else value}" for name, value in known]


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]
