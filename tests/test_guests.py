"""Guests as administrators see them: find, list, block, delete (B8, B9, B29, B31, B32)."""

import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, insert

from guestauth import addresses, engines, guests, invitations, resources, signin
from guestauth.database import db
from guestauth.models import User
from tests.probe import tables
from tests.steps import ask, audited, code_of, enter, is_in, sign_in
from tests.world import ADMIN, ALEX, BY, CONTOSO, FABRIKAM, NICOLE, STRANGER, WOODGROVE, World

MOMENT = datetime(2026, 11, 1, tzinfo=UTC)
ACTIONS: list[Callable[..., Any]] = [guests.block, guests.unblock, guests.delete]


def listed(world: World, **which: str) -> list[str]:
    return [user.mail for user in world.do(guests.of_tenant, FABRIKAM, **which)]


def test_guest_is_found_by_address_in_any_letter_case(world: World) -> None:
    assert world.do(guests.find, FABRIKAM, "NICOLE@firstup.EXAMPLE").mail == NICOLE


@pytest.mark.parametrize("mail", [STRANGER, "stranded@firstup.example"])
def test_who_is_no_guest_here_is_unknown(world: World, mail: str) -> None:
    with pytest.raises(guests.GuestUnknown):
        world.do(guests.find, FABRIKAM, mail)


@pytest.mark.parametrize("action", [guests.find, *ACTIONS])
def test_what_is_no_address_is_refused(sqlite_world: World, action: Callable[..., Any]) -> None:
    more = {} if action is guests.find else {"by": BY}
    with pytest.raises(addresses.NotAnAddress):
        sqlite_world.do(action, FABRIKAM, "no address", **more)


@pytest.mark.parametrize("action", ACTIONS)
def test_no_tenant_can_touch_anothers_guest(world: World, action: Callable[..., Any]) -> None:
    done = sign_in(world)
    with pytest.raises(guests.GuestUnknown):
        world.do(action, WOODGROVE, NICOLE, by=BY)
    assert is_in(world, done)


def test_guests_are_listed_by_address_without_members_and_deleted_ones(world: World) -> None:
    assert listed(world) == [ALEX, NICOLE]
    world.do(guests.delete, FABRIKAM, ALEX, by=BY)
    assert listed(world) == [NICOLE]


@pytest.mark.parametrize(
    ("which", "found"),
    [
        ({"state": "PendingAcceptance"}, [ALEX]),
        ({"state": "Accepted"}, [NICOLE]),
        ({"source": "OTP"}, [NICOLE]),
        ({"source": "otp"}, [NICOLE]),
        ({"source": "Invited user"}, [ALEX]),
        ({"source": "Google"}, []),
        ({"source": "Nonsense"}, []),
        ({"source": "OTP", "state": "PendingAcceptance"}, []),
    ],
)
def test_list_can_be_narrowed(world: World, which: dict[str, str], found: list[str]) -> None:
    assert listed(world, **which) == found


def test_source_shows_only_after_redemption(world: World) -> None:
    assert [user.source for user in world.do(guests.of_tenant, FABRIKAM)] == ["Invited user", "OTP"]


def test_blocked_guest_keeps_the_first_moment(world: World) -> None:
    first = world.do(guests.block, FABRIKAM, NICOLE, by=BY).blocked_at
    world.advance(10)
    assert world.do(guests.block, FABRIKAM, NICOLE, by=BY).blocked_at == first


def test_unblocked_guest_signs_in_again(world: World) -> None:
    world.do(guests.block, FABRIKAM, NICOLE, by=BY)
    world.do(guests.unblock, FABRIKAM, NICOLE, by=BY)
    assert is_in(world, sign_in(world))


def test_code_of_before_the_block_stays_dead_after_it(world: World) -> None:
    started = ask(world)
    code = code_of(world, started)
    world.do(guests.block, FABRIKAM, NICOLE, by=BY)
    world.do(guests.unblock, FABRIKAM, NICOLE, by=BY)
    with pytest.raises(signin.PasscodeWrong):
        enter(world, started, code)


def test_deleted_guest_is_nobody_and_can_be_invited_anew(world: World) -> None:
    old = world.do(guests.delete, FABRIKAM, NICOLE, by=BY)
    with pytest.raises(guests.GuestUnknown):
        world.do(guests.find, FABRIKAM, NICOLE)
    world.do(invitations.invite, FABRIKAM, NICOLE, by=BY)
    new = world.do(guests.find, FABRIKAM, NICOLE)
    assert (new.id != old.id, new.state, new.identity_provider) == (True, "PendingAcceptance", None)


def test_deleted_guests_row_stays(world: World) -> None:
    world.do(guests.delete, FABRIKAM, NICOLE, by=BY)
    assert world.rows("SELECT deleted_at IS NULL FROM users WHERE mail = :mail", mail=NICOLE)[0][0] in (0, False)


@pytest.mark.parametrize("action", ACTIONS)
def test_members_are_no_guests(world: World, action: Callable[..., Any]) -> None:
    done = sign_in(world, ADMIN)
    with pytest.raises(guests.GuestUnknown):
        world.do(action, FABRIKAM, ADMIN, by=BY)
    assert is_in(world, done)


@pytest.mark.parametrize(
    ("action", "name"),
    [(guests.block, "guest.blocked"), (guests.unblock, "guest.unblocked"), (guests.delete, "guest.deleted")],
)
def test_each_change_is_audited(world: World, action: Callable[..., User], name: str) -> None:
    user = world.do(action, FABRIKAM, NICOLE, by=BY)
    found = world.rows("SELECT result, actor, address FROM events WHERE name = :name", name=name)
    assert [tuple(row) for row in found] == [("success", "command line", user.mail)]


def test_audit_says_how_many_sessions_ended(world: World) -> None:
    sign_in(world)
    sign_in(world, browser="another")
    world.do(guests.block, FABRIKAM, NICOLE, by=BY)
    ((detail,),) = world.rows("SELECT detail FROM events WHERE name = 'guest.blocked'")
    assert "2" in str(detail)


def test_refused_action_is_not_audited_as_done(world: World) -> None:
    with pytest.raises(guests.GuestUnknown):
        world.do(guests.block, CONTOSO, NICOLE, by=BY)
    assert audited(world, "guest.blocked") == []


# Restoring (B32).


def test_restored_guest_is_the_same_with_the_same_shares_and_signs_in_anew(world: World) -> None:
    done = sign_in(world)
    before = world.do(guests.find, FABRIKAM, NICOLE)
    shared = [each.slug for each in world.do(resources.of_user, before)]
    world.do(guests.delete, FABRIKAM, NICOLE, by=BY)
    world.advance(29 * 86400)
    after = world.do(guests.restore, FABRIKAM, NICOLE, by=BY)
    assert (after.id, after.state, after.deleted_at) == (before.id, "Accepted", None)
    assert [each.slug for each in world.do(resources.of_user, after)] == shared
    assert (is_in(world, done), is_in(world, sign_in(world))) == (False, True)
    assert audited(world, "guest.restored") == [("success", "")]


def test_code_of_before_the_deletion_stays_dead_after_restoring(world: World) -> None:
    started = ask(world)
    code = code_of(world, started)
    world.do(guests.delete, FABRIKAM, NICOLE, by=BY)
    world.do(guests.restore, FABRIKAM, NICOLE, by=BY)
    with pytest.raises(signin.PasscodeWrong):
        enter(world, started, code)


def test_nobody_is_restored_after_thirty_days_or_without_having_been_deleted(world: World) -> None:
    with pytest.raises(guests.GuestUnknown):
        world.do(guests.restore, FABRIKAM, NICOLE, by=BY)
    world.do(guests.delete, FABRIKAM, NICOLE, by=BY)
    world.advance(30 * 86400)
    with pytest.raises(guests.GuestUnknown):
        world.do(guests.restore, FABRIKAM, NICOLE, by=BY)


def test_guest_whose_address_was_invited_again_is_not_restored(world: World) -> None:
    world.do(guests.delete, FABRIKAM, NICOLE, by=BY)
    world.do(invitations.invite, FABRIKAM, NICOLE, by=BY)
    with pytest.raises(guests.AddressTaken):
        world.do(guests.restore, FABRIKAM, NICOLE, by=BY)
    assert listed(world) == [ALEX, NICOLE]


def test_last_deleted_of_an_address_is_the_one_restored(world: World) -> None:
    world.do(guests.delete, FABRIKAM, NICOLE, by=BY)
    world.advance(10)
    world.do(invitations.invite, FABRIKAM, NICOLE, by=BY)
    newer = world.do(guests.delete, FABRIKAM, NICOLE, by=BY)
    assert world.do(guests.restore, FABRIKAM, NICOLE, by=BY).id == newer.id


# Pages of guests (B31).


def page(world: World, **which: Any) -> guests.Page:
    return world.do(guests.listed, FABRIKAM, guests.Listing(**which))


def mails(world: World, **which: Any) -> list[str]:
    return [user.mail for user in page(world, **which).guests]


@pytest.mark.parametrize(
    ("which", "found"),
    [
        ({"search": "NICOLE"}, [NICOLE]),
        ({"search": " doe "}, [ALEX]),
        ({"search": "%"}, []),
        ({"search": "_"}, []),
        ({"state": "Accepted"}, [NICOLE]),
        ({"source": "Invited user"}, [ALEX]),
        ({"source": "Nonsense"}, []),
        ({"only": "blocked"}, []),
        ({"only": "deleted"}, []),
        ({"sort": "-mail"}, [NICOLE, ALEX]),
        ({"sort": "name"}, [ALEX, NICOLE]),
        ({"sort": "nonsense"}, [ALEX, NICOLE]),
        ({"page": 0}, [ALEX, NICOLE]),
        ({"page": 2}, [ALEX, NICOLE]),
    ],
)
def test_page_can_be_searched_narrowed_and_sorted(world: World, which: dict[str, Any], found: list[str]) -> None:
    assert mails(world, **which) == found


def test_blocked_and_deleted_guests_have_lists_of_their_own(world: World) -> None:
    world.do(guests.block, FABRIKAM, ALEX, by=BY)
    world.do(guests.delete, FABRIKAM, NICOLE, by=BY)
    assert (mails(world, only="blocked"), mails(world, only="deleted"), mails(world)) == ([ALEX], [NICOLE], [ALEX])


def test_pages_hold_fifty_and_say_how_many_there_are(sqlite_world: World) -> None:
    assert (page(sqlite_world).total, page(sqlite_world).pages) == (2, 1)
    for number in range(49):
        sqlite_world.do(invitations.invite, FABRIKAM, f"guest{number}@example.com", by=BY, send_mail=False)
    first, second = page(sqlite_world), page(sqlite_world, page=2)
    assert (first.total, first.pages, len(first.guests), len(second.guests)) == (51, 2, 50, 1)
    assert page(sqlite_world, only="deleted").pages == 1


def test_guest_is_found_by_id_also_when_deleted_and_only_by_their_tenant(world: World) -> None:
    nicole, administrator = (world.do(guests.find, FABRIKAM, mail) for mail in (NICOLE, ADMIN))
    world.do(guests.delete, FABRIKAM, NICOLE, by=BY)
    assert world.do(guests.by_id, FABRIKAM, nicole.id).mail == NICOLE
    for tenant, user_id in ((CONTOSO, nicole.id), (FABRIKAM, administrator.id), (FABRIKAM, FABRIKAM)):
        with pytest.raises(guests.GuestUnknown):
            world.do(guests.by_id, tenant, user_id)


def test_page_past_the_end_is_the_last_one(world: World) -> None:
    found = page(world, page=10**20)
    assert (found.page, [user.mail for user in found.guests]) == (1, [ALEX, NICOLE])


def test_who_never_signed_in_comes_last_in_either_direction(world: World) -> None:
    for mail in ("a@example.com", "b@example.com"):
        world.do(invitations.invite, FABRIKAM, mail, by=BY, send_mail=False)
    for mail in ("b@example.com", NICOLE):
        sign_in(world, mail)
        world.advance(10)
    assert mails(world, sort="last")[:2] == ["b@example.com", NICOLE]
    assert mails(world, sort="-last")[:2] == [NICOLE, "b@example.com"]
    assert set(mails(world, sort="-last")[2:]) == set(mails(world, sort="last")[2:]) == {"a@example.com", ALEX}


@pytest.mark.parametrize("sort", ["last", "-last", "name", "-created"])
def test_every_guest_is_on_exactly_one_page(sqlite_world: World, sort: str) -> None:
    many(sqlite_world, 110)
    pages = [mails(sqlite_world, sort=sort, page=number) for number in (1, 2, 3)]
    assert [len(each) for each in pages] == [50, 50, 12]
    assert len({mail for each in pages for mail in each}) == 112


@pytest.mark.both
@pytest.mark.parametrize("sort", [way + key for key in guests.SORTS for way in ("", "-")])
def test_every_sort_is_answered_by_an_index_in_either_direction(world: World, sort: str) -> None:
    many(world, 300)
    statement, values = next(asked(world, sort))
    with world.app.app_context(), db.engine.begin() as connection:
        engines.begin(connection)
        sqlite = db.engine.dialect.name == "sqlite"
        if not sqlite:  # so few rows are sorted faster than found by an index
            connection.exec_driver_sql("SET LOCAL enable_sort = off")
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        explain = "EXPLAIN QUERY PLAN" if sqlite else "EXPLAIN"
        plan = " ".join(str(row[-1]) for row in connection.exec_driver_sql(f"{explain} {statement}", values))
    assert "ix_users_tenant_id_" in plan or "uq_users_tenant_id_mail_key" in plan, plan
    assert "TEMP B-TREE" not in plan and "Sort" not in plan, plan


def many(world: World, count: int) -> None:
    """Add guests, half of whom have signed in."""
    rows = [
        {"id": uuid.uuid4(), "tenant_id": FABRIKAM, "mail": f"g{n}@example.com", "mail_key": f"g{n}@example.com",
         "domain": "example.com",
         "display_name": f"Guest {n % 7}", "user_type": "Guest", "is_administrator": False, "state": "Accepted",
         "created_at": MOMENT + timedelta(seconds=n % 11),
         "last_sign_in_at": MOMENT + timedelta(seconds=n) if n % 2 else None}
        for n in range(count)
    ]  # fmt: skip
    with world.app.app_context(), db.engine.begin() as connection:
        connection.execute(insert(User), rows)


def asked(world: World, sort: str) -> Iterator[tuple[str, Any]]:
    """The statements that ask for a page in this order, as the driver gets them."""
    heard: list[tuple[str, Any]] = []
    with world.app.app_context():
        engine = db.engine

    def hear(_connection: object, _cursor: object, statement: str, values: Any, *_rest: object) -> None:
        heard.append((statement, values))

    event.listen(engine, "before_cursor_execute", hear)
    page(world, sort=sort)
    event.remove(engine, "before_cursor_execute", hear)
    return ((statement, values) for statement, values in heard if "ORDER BY" in statement)


# Exporting them (B31).


def exported(world: World, **which: Any) -> list[Any]:
    return world.do(lambda: list(guests.exported(FABRIKAM, guests.Listing(**which))))


def test_export_has_the_words_of_the_list(world: World) -> None:
    sign_in(world)
    header, alex, nicole = exported(world)
    assert header[:5] == ("Name", "User name", "User type", "Source", "Invitation state")
    assert header[5:] == ("Invited", "Accepted", "Last sign-in", "Blocked", "Deleted")
    assert alex[:5] == ("Alex Doe", ALEX, "Guest", "Invited user", "PendingAcceptance")
    assert nicole[:5] == ("Nicole Wagner", NICOLE, "Guest", "OTP", "Accepted")
    assert (alex[7], nicole[7] is None, nicole[8:]) == (None, False, (None, None))


@pytest.mark.parametrize(("which", "found"), [({"search": "doe"}, [ALEX]), ({"source": "OTP"}, [NICOLE])])
def test_export_is_narrowed_as_the_list_is(world: World, which: dict[str, str], found: list[str]) -> None:
    assert [row[1] for row in exported(world, **which)[1:]] == found


def test_export_has_everybody_once_although_it_is_read_in_portions(world: World) -> None:
    many(world, 2 * guests.BATCH + 54)
    rows = [row[1] for row in exported(world, page=9, sort="-last")[1:]]
    assert len(rows) == len(set(rows)) == 2 * guests.BATCH + 56


def test_export_of_the_deleted_has_each_of_one_address(world: World) -> None:
    for _ in range(2):
        world.do(guests.delete, FABRIKAM, NICOLE, by=BY)
        world.do(invitations.invite, FABRIKAM, NICOLE, by=BY)
    assert [row[1] for row in exported(world, only="deleted")[1:]] == [NICOLE, NICOLE]


# By id: an id means one guest, never another of the same address (B8).


@pytest.mark.parametrize(
    "action", [*ACTIONS, invitations.resend, invitations.reset, invitations.revoke], ids=lambda each: each.__name__
)
def test_what_is_done_to_a_deleted_guest_never_meets_the_next_of_that_address(
    world: World, action: Callable[..., Any]
) -> None:
    old = world.do(guests.delete, FABRIKAM, NICOLE, by=BY)
    world.do(invitations.invite, FABRIKAM, NICOLE, by=BY)
    before = tables(world, without=["events"])
    with pytest.raises((guests.GuestUnknown, invitations.InvitationUnknown)):
        world.do(action, FABRIKAM, old.id, by=BY)
    assert tables(world, without=["events"]) == before


def test_the_one_deleted_first_is_restored_by_its_id(world: World) -> None:
    first = world.do(guests.delete, FABRIKAM, NICOLE, by=BY)
    world.do(invitations.invite, FABRIKAM, NICOLE, by=BY)
    world.do(guests.delete, FABRIKAM, NICOLE, by=BY)
    assert world.do(guests.restore, FABRIKAM, first.id, by=BY).id == first.id


def test_no_tenant_restores_another_s_guest_by_its_id(world: World) -> None:
    nicole = world.do(guests.delete, FABRIKAM, NICOLE, by=BY)
    with pytest.raises(guests.GuestUnknown):
        world.do(guests.restore, WOODGROVE, nicole.id, by=BY)
    assert listed(world) == [ALEX]
