"""The audit log: who did what, there exactly when it happened, a line an event (B33, K-06, K-07)."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert

from guestauth import audit, database, journal, tenants
from guestauth.audit import Caller, one_line
from guestauth.database import Refusal, db, operation
from guestauth.models import Event, User
from tests.probe import change
from tests.steps import ask, enter, wrong
from tests.world import BY, CONTOSO, FABRIKAM, NICOLE, World

FULL = Caller(
    actor="guest", client_address="2001:db8::7", browser="Firefox\r\nX: y\u2028\x1b[31m", correlation_id="c1"
)


@operation
def recording(by: Caller = FULL, name: str = "sign-in", ending: Exception | None = None, **more: Any) -> None:
    audit.record(name, **{"by": by, "tenant_id": FABRIKAM, **more})
    if ending:
        raise ending


@operation
def recording_many(count: int) -> None:
    row = {"name": "sign-in", "result": "success", "actor": "guest", "tenant_id": FABRIKAM, "detail": {}}
    row |= {"reason": "", "client_address": "", "browser": "", "correlation_id": ""}
    db.session.execute(insert(Event), [{**row, "at": database.now()} for _ in range(count)])


def events(world: World, *, most: int = 1000, of: uuid.UUID = FABRIKAM, **which: Any) -> list[Event]:
    return list(world.do(journal.newest, of, journal.Which(**which), most=most))


def last(world: World) -> Event:
    return events(world)[-1]


def test_event_says_who_what_when_where_and_how_it_ended(world: World) -> None:
    before = world.do(database.now)
    world.do(recording, address=NICOLE, extra="more", refused="because")
    event = last(world)
    assert before <= event.at <= world.do(database.now)
    assert (event.name, event.result, event.reason, event.actor) == ("sign-in", "refused", "because", "guest")
    assert (event.client_address, event.correlation_id, event.address) == ("2001:db8::7", "c1", NICOLE)
    assert event.detail == {"extra": "more"}


def test_event_without_a_reason_is_a_success(world: World) -> None:
    world.do(recording)
    assert (last(world).result, last(world).reason) == ("success", "")


def test_browser_and_reason_are_kept_on_one_line_and_short(world: World) -> None:
    by = Caller(actor="visitor", browser=FULL.browser + "z" * 300)
    world.do(recording, by, refused="r" * 300)
    event = last(world)
    assert event.browser.isprintable() and len(event.browser) == 200
    assert event.reason == "r" * 200


def test_caller_is_the_user_unless_another_is_named(world: World) -> None:
    guest, other = world.do(database.query(lambda: db.session.query(User).limit(2).all()))
    by = Caller(actor="guest", user_id=guest.id)
    world.do(recording, by)
    world.do(recording, by, user_id=other.id)
    assert [event.user_id for event in events(world)[-2:]] == [guest.id, other.id]


def test_letters_event_carries_the_correlation_id_of_who_caused_it(world: World) -> None:
    ask(world)
    world.deliver()
    found = world.rows("SELECT DISTINCT correlation_id FROM events WHERE name LIKE 'passcode.%'")
    assert found == [(BY.correlation_id,)]


def test_event_of_no_known_name_is_refused(world: World) -> None:
    before = len(events(world))
    with pytest.raises(LookupError, match="sign-inn"):
        world.do(recording, name="sign-inn")
    assert len(events(world)) == before


@pytest.mark.parametrize(("ending", "recorded"), [(Refusal(), 1), (ValueError(), 0), (KeyboardInterrupt(), 0)])
def test_record_is_there_exactly_when_what_it_tells_of_is(world: World, ending: Any, recorded: int) -> None:
    before = len(events(world))
    with pytest.raises(type(ending)):
        world.do(recording, ending=ending)
    assert len(events(world)) == before + recorded


# Reading.


def test_events_of_one_tenant_come_oldest_first(world: World) -> None:
    found = events(world)
    assert [event.id for event in found] == sorted(event.id for event in found)
    assert {event.tenant_id for event in found} == {FABRIKAM}
    assert {event.tenant_id for event in events(world, of=CONTOSO)} == {CONTOSO}


def test_events_can_be_narrowed_by_time_and_name(world: World) -> None:
    world.advance(3600)
    since = world.do(database.now)
    world.do(recording)
    world.do(recording, name="passcode.requested")
    assert [event.name for event in events(world, since=since)] == ["sign-in", "passcode.requested"]
    assert [event.name for event in events(world, names=["sign-in"])] == ["sign-in"]
    assert events(world, since=since + timedelta(hours=1)) == []


def test_most_are_the_newest(world: World) -> None:
    for name in ("sign-in", "session.ended"):
        world.do(recording, name=name)
    assert [event.name for event in events(world, most=2)] == ["sign-in", "session.ended"]
    assert [event.name for event in events(world, most=1)] == ["session.ended"]


# Deleting what is older than the tenant keeps.


def purge(world: World) -> int:
    tenant = world.do(tenants.find, "fabrikam.example")
    return world.do(audit.purge, tenant, by=BY)


def test_events_older_than_the_tenant_keeps_go_and_the_rest_stays(world: World) -> None:
    old, others = len(events(world)), len(events(world, of=CONTOSO))
    world.advance(366 * 24 * 3600)
    world.do(recording)
    assert purge(world) == old
    assert [event.name for event in events(world)] == ["sign-in", "audit.purged"]
    assert last(world).detail["events"] == old and last(world).detail["until"].endswith("+00:00")
    assert len(events(world, of=CONTOSO)) == others


def test_nothing_within_the_retention_goes_and_no_event_says_so(world: World) -> None:
    before = len(events(world))
    world.advance(364 * 24 * 3600)
    assert purge(world) == 0
    assert len(events(world)) == before


def test_retention_is_the_tenants_own(world: World) -> None:
    change(world, "UPDATE tenants SET retention_days = 30 WHERE domain = 'fabrikam.example'")
    world.advance(31 * 24 * 3600)
    before = len(events(world))
    assert purge(world) == before > 0
    assert purge(world) == 0


def test_many_events_go_in_portions_and_one_event_says_so(world: World) -> None:
    world.do(recording_many, audit.PORTION * 2 - len(events(world)))
    world.advance(366 * 24 * 3600)
    assert purge(world) == audit.PORTION * 2
    (event,) = events(world)
    assert (event.name, event.detail["events"]) == ("audit.purged", audit.PORTION * 2)


def test_administrator_who_does_it_to_somebody_else_is_named_too(world: World) -> None:
    guest, other = world.do(database.query(lambda: db.session.query(User).limit(2).all()))
    by = Caller(actor="administrator", user_id=guest.id)
    world.do(recording, by)
    world.do(recording, by, user_id=other.id)
    assert [event.detail for event in events(world)[-2:]] == [{}, {"by": str(guest.id)}]


# What is never in it.


def test_no_code_ticket_or_secret_is_in_it(world: World) -> None:
    started = ask(world)
    code, path = world.code(NICOLE), world.invitation_path("alexdoe@gmail.com")
    with pytest.raises(Refusal):
        enter(world, started, wrong(code))
    done = enter(world, started, code)
    text = str(world.rows("SELECT * FROM events"))
    for secret in (code, wrong(code), path.rpartition("/")[2], done.session_secret, done.browser):
        assert secret not in text


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("plain", "plain"),
        ("a\r\nb\tc\x00d\x1be\x7ff\x85g", "a  b c d e f g"),
        ("a\u2028b\u2029c\u202ed\ufeffe\u200bf", "a b c d e f"),
        ("é 計 🎉", "é 計 🎉"),
        ("می\u200cخواهم 👩\u200d🔬", "می\u200cخواهم 👩\u200d🔬"),
        ("", ""),
    ],
)
def test_one_line_has_no_control_or_format_characters(text: str, line: str) -> None:
    assert one_line(text) == line


def test_every_event_says_what_it_means() -> None:
    assert all(meaning and len(name) <= 40 for name, meaning in audit.EVENTS.items())
