"""Many invitations from a file: each line once, whoever runs it how often (B20)."""

import uuid
from typing import Any

import pytest

from guestauth import guests, import_files, imports, journal, policies
from guestauth.audit import Caller
from guestauth.models import Import
from guestauth.policies import DomainList
from tests.e2e.parallel import together
from tests.probe import change, tables
from tests.world import ALEX, BY, FABRIKAM, NICOLE, STRANGER, WOODGROVE, World

ROBIN = Caller(actor="administrator", name="Robin Meyer")
HEAD = "[inviteeEmail],[inviteRedirectURL],[sendEmail],[customizedMessageBody],[inviteeName]"


def kept(world: World, *lines: str) -> Import:
    text = "\n".join([HEAD, *lines])
    plan = world.do(import_files.planned, FABRIKAM, text.encode())
    return world.do(imports.keep, FABRIKAM, "people.csv", plan, by=ROBIN)


def people(count: int) -> list[str]:
    return [f"guest{n}@example.com,,true" for n in range(count)]


def run(world: World, made: Import, **more: Any) -> int:
    return world.do(imports.run, FABRIKAM, made.id, by=ROBIN, **more)


def counts(world: World, made: Import) -> dict[str, int]:
    _, found = world.do(imports.progress, FABRIKAM, made.id)
    return {outcome: count for outcome, count in found.items() if count}


def ended(world: World, made: Import) -> list[tuple[int, str | None, str | None]]:
    return [(row.n, row.outcome, row.reason) for row in world.do(imports.rows, FABRIKAM, made.id)]


def invited(world: World) -> list[int]:
    """How many guests the file has made, and how many invitations, letters and events."""
    made = "SELECT id FROM users WHERE mail LIKE 'guest%@example.com'"
    tables = ("users WHERE id", "invitations WHERE user_id", "letters WHERE user_id", "events WHERE user_id")
    return [world.rows(f"SELECT COUNT(*) FROM {table} IN ({made})")[0][0] for table in tables]


def logged(world: World, name: str) -> list[tuple[str, str | None, dict[str, Any]]]:
    found = world.do(journal.newest, FABRIKAM, journal.Which(names=[name]))
    return [(event.actor, event.address, event.detail) for event in found]


# Keeping and running.


def test_nobody_is_invited_before_it_is_run(world: World) -> None:
    made = kept(world, *people(2), f"{NICOLE},,")
    assert counts(world, made) == {"waiting": 2, "skipped": 1}
    assert invited(world) == [0, 0, 0, 0]


def test_run_invites_each_as_one_by_one(world: World) -> None:
    made = kept(world, f'{STRANGER},/apps/welcome-pack,true,"Come in,\nfriend",Sam')
    assert run(world, made) == 1
    (letter,) = world.letters(STRANGER)
    text = letter.part("plain")
    assert "Robin Meyer invited you to Fabrikam" in text and "friend" in text and "Welcome pack" in text
    user = world.do(guests.find, FABRIKAM, STRANGER)
    assert (user.state, user.display_name) == ("PendingAcceptance", "Sam")


def test_mail_goes_only_where_the_line_says_so(world: World) -> None:
    run(world, kept(world, "a@example.com,,true", "b@example.com,,false", "c@example.com,,"))
    world.deliver()
    assert [bool(world.letters(f"{name}@example.com")) for name in "abc"] == [True, False, False]


def test_each_line_has_its_result(world: World) -> None:
    made = kept(world, f"{STRANGER},,", f"{ALEX},,", "nobody,,", f"{STRANGER},,")
    run(world, made)
    assert ended(world, made) == [
        (2, "invited", None),
        (3, "skipped", f"{ALEX} is a guest already; nothing was changed"),
        (4, "refused", "The address is not like name@example.com"),
        (5, "doubled", "Line 2 has the same address"),
    ]


def test_who_has_become_a_guest_since_the_plan_is_skipped_and_stays_as_they_are(world: World) -> None:
    first, second = kept(world, f"{STRANGER},,,,Sam"), kept(world, f"{STRANGER},,true,,Other")
    run(world, first)
    before = tables(world, without=["import_rows", "counters"])
    run(world, second)
    assert tables(world, without=["import_rows", "counters"]) == before
    assert ended(world, second) == [(2, "skipped", f"{STRANGER} is a guest already; nothing was changed")]


def test_domain_shut_out_since_the_plan_is_refused(world: World) -> None:
    made = kept(world, *people(2))
    world.do(policies.limit_domains, FABRIKAM, DomainList("deny", ["example.com"]), by=BY)
    run(world, made)
    assert {row[1:] for row in ended(world, made)} == {
        ("refused", "Fabrikam does not let guests of example.com in")
    }
    assert invited(world) == [0, 0, 0, 0]


# Once, whoever runs it.


def test_running_again_does_nothing(world: World) -> None:
    made = kept(world, *people(3))
    run(world, made)
    before = tables(world)
    assert run(world, made) == 0 and tables(world) == before


def test_run_that_ends_early_is_taken_up_where_it_was(world: World) -> None:
    made = kept(world, *people(5))
    assert run(world, made, seconds=0) == 1
    assert counts(world, made) == {"invited": 1, "waiting": 4} and invited(world) == [1, 1, 1, 1]
    assert run(world, made) == 4
    assert invited(world) == [5, 5, 5, 5]


@pytest.mark.both
def test_two_who_run_it_at_once_invite_each_guest_once(world: World) -> None:
    made = kept(world, *people(40))
    done = together(*[lambda: run(world, made)] * 3)
    run(world, made)
    assert all(isinstance(each, int) for each in done) and counts(world, made) == {"invited": 40}
    assert invited(world) == [40, 40, 40, 40]


def test_two_files_with_the_same_people_at_once_invite_each_guest_once(world: World) -> None:
    one, other = kept(world, *people(20)), kept(world, *reversed(people(20)))
    done = together(lambda: run(world, one), lambda: run(world, other))
    assert done == [20, 20] and invited(world) == [20, 20, 20, 20]
    results = [row[1] for made in (one, other) for row in ended(world, made)]
    assert sorted(map(str, results)) == ["invited"] * 20 + ["skipped"] * 20


def test_line_that_fails_half_way_leaves_nothing_and_is_done_later(world: World) -> None:
    made = kept(world, *people(2))
    change(world, "ALTER TABLE letters RENAME TO letters_away")
    with pytest.raises(Exception, match="letters"):
        run(world, made)
    change(world, "ALTER TABLE letters_away RENAME TO letters")
    assert counts(world, made) == {"waiting": 2} and invited(world) == [0, 0, 0, 0]
    assert run(world, made) == 2 and invited(world) == [2, 2, 2, 2]


# Seeing and discarding.


def test_page_shows_problems_first_and_fifty_at_a_time(world: World) -> None:
    made = kept(world, *people(60), f"{ALEX},,", "nobody,,", "guest1@example.com,,")
    first = world.do(imports.page, FABRIKAM, made.id)
    assert [row.outcome for row in first.rows[:4]] == ["refused", "doubled", "skipped", None]
    assert (len(first.rows), first.rows[3].n, first.pages) == (50, 2, 2)
    last = world.do(imports.page, FABRIKAM, made.id, number=10**30)
    assert (len(last.rows), last.number) == (13, 2)


@pytest.mark.parametrize(("outcome", "count"), [("waiting", 2), ("skipped", 1), ("invited", 0), ("", 3), ("?", 3)])
def test_page_shows_one_outcome_only(world: World, outcome: str, count: int) -> None:
    made = kept(world, *people(2), f"{ALEX},,")
    assert len(world.do(imports.page, FABRIKAM, made.id, outcome=outcome).rows) == count


def test_imports_are_listed_newest_first_with_how_far_they_are(world: World) -> None:
    one = kept(world, *people(3))
    world.advance(60)
    other = kept(world, f"{ALEX},,")
    run(world, one, seconds=0)
    listed = world.do(imports.listed, FABRIKAM)
    assert [(made.id, total, done) for made, total, done in listed] == [(other.id, 1, 1), (one.id, 3, 1)]
    assert world.do(imports.listed, WOODGROVE) == []


def test_discarding_takes_the_lines_and_leaves_the_guests(world: World) -> None:
    made = kept(world, *people(3))
    run(world, made, seconds=0)
    world.do(imports.discard, FABRIKAM, made.id, by=ROBIN)
    assert world.rows("SELECT COUNT(*) FROM imports, import_rows") == [(0,)] and invited(world) == [1, 1, 1, 1]
    with pytest.raises(imports.ImportUnknown):
        run(world, made)


@pytest.mark.parametrize("action", [imports.progress, imports.page, imports.rows])
def test_import_of_another_tenant_is_unknown(world: World, action: Any) -> None:
    made = kept(world, *people(1))
    for tenant, import_id in ((WOODGROVE, made.id), (FABRIKAM, uuid.UUID(int=1))):
        with pytest.raises(imports.ImportUnknown):
            world.do(action, tenant, import_id)


@pytest.mark.parametrize("action", [imports.run, imports.discard])
def test_import_of_another_tenant_cannot_be_touched(world: World, action: Any) -> None:
    made = kept(world, *people(1))
    before = tables(world)
    with pytest.raises(imports.ImportUnknown):
        world.do(action, WOODGROVE, made.id, by=BY)
    assert tables(world) == before


def test_file_and_each_guest_are_in_the_log(world: World) -> None:
    made = kept(world, *people(2), "nobody,,")
    run(world, made)
    world.do(imports.discard, FABRIKAM, made.id, by=ROBIN)
    assert logged(world, "guests.imported") == [("administrator", None, {"file": "people.csv", "rows": 3})]
    assert [address for _, address, _ in logged(world, "guest.invited")][-2:] == [
        "guest0@example.com",
        "guest1@example.com",
    ]
    assert logged(world, "import.discarded") == [("administrator", None, {"file": "people.csv"})]


def test_odd_names_of_files_are_kept_as_text(world: World) -> None:
    name = "a\x1b\udcff" + "x" * 300
    made = world.do(
        imports.keep, FABRIKAM, name, world.do(import_files.planned, FABRIKAM, HEAD.encode() + b"\nx"), by=BY
    )
    assert made.file_name == "x" * 255
