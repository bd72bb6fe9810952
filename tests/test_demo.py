"""The demo's cast: as INTERFACE has it, the same at every load, and nowhere but in the demo."""

import re
import uuid
from typing import Any

import pytest
from sqlalchemy import inspect

from guestauth import create_app, database, demo, guests, mailbox, resources, tenants
from tests.steps import ask, sign_in
from tests.world import ALEX, BY, CONTOSO, FABRIKAM, NICOLE, STRANGER, World

SECRET = "6f1d2c3b4a5968778695a4b3c2d1e0ffa1b2c3d4e5f60718293a4b5c6d7e8f90"


def contents(world: World, *without: str) -> dict[str, list[Any]]:
    """Return the rows of every table, without the columns that tell when or are drawn by lot."""
    drawn = ("_at", "nonce", "lease", "correlation_id", "sealed_secret")
    found = {}
    names = world.do(lambda: inspect(database.db.engine).get_table_names())
    for table in set(names) - {"alembic_version", *without}:
        rows = [dict(row._mapping) for row in world.rows(f"SELECT * FROM {table}")]
        plain = [{key: cell for key, cell in row.items() if not key.endswith(drawn)} for row in rows]
        found[table] = sorted(plain, key=str)
    return found


def ids(world: World) -> list[Any]:
    return [world.rows(f"SELECT id FROM {table} ORDER BY id") for table in ("tenants", "users", "resources")]


@pytest.mark.parametrize(
    ("tenant", "name", "domain", "on"),
    [
        ("fab00000-0000-4000-8000-000000000001", "Fabrikam", "fabrikam.example", True),
        ("c0a00000-0000-4000-8000-000000000002", "Contoso", "contoso.example", False),
        ("a00d0000-0000-4000-8000-000000000003", "Woodgrove", "woodgrove.example", True),
    ],
)
def test_tenants_are_those_of_the_interface(world: World, tenant: str, name: str, domain: str, on: bool) -> None:
    found = world.do(tenants.find, domain)
    assert (str(found.id), found.name, found.passcodes_on, found.disabled_at) == (tenant, name, on, None)
    assert world.do(tenants.domains, found.id) == [domain]


@pytest.mark.parametrize(
    ("tenant", "mail", "facts"),
    [
        (FABRIKAM, ALEX, ("Guest", False, "PendingAcceptance", "Invited user")),
        (FABRIKAM, NICOLE, ("Guest", False, "Accepted", "OTP")),
        (FABRIKAM, "admin@fabrikam.example", ("Member", True, None, None)),
        (CONTOSO, "stranded@firstup.example", ("Guest", False, "Accepted", "OTP")),
        (CONTOSO, "admin@contoso.example", ("Member", True, None, None)),
    ],
)
def test_people_are_those_of_the_interface(
    world: World, tenant: uuid.UUID, mail: str, facts: tuple[Any, ...]
) -> None:
    found = world.do(guests.find, tenant, mail)
    assert (found.user_type, found.is_administrator, found.state, found.source) == facts


@pytest.mark.parametrize(
    ("mail", "slugs"),
    [(ALEX, ["project-plan", "welcome-pack"]), (NICOLE, ["expense-portal", "project-plan", "welcome-pack"])],
)
def test_each_guest_has_what_is_shared_with_them(world: World, mail: str, slugs: list[str]) -> None:
    user = world.do(guests.find, FABRIKAM, mail)
    assert [each.slug for each in world.do(resources.of_user, user)] == slugs


def test_only_alex_has_mail(world: World) -> None:
    (letter,) = world.letters()
    assert (letter.message["To"], letter.message["Subject"]) == (ALEX, "Robin Meyer invited you to Fabrikam")
    assert "you'll be taken to Project plan" in letter.part("plain")


def test_project_plan_is_a_whole_pdf(world: World) -> None:
    user = world.do(guests.find, FABRIKAM, ALEX)
    found = world.do(resources.find, user, "project-plan")
    file = world.do(resources.content, found)
    assert (found.file_name, found.media_type) == ("project-plan.pdf", "application/pdf")
    assert file.startswith(b"%PDF-1.4\n") and file.endswith(b"%%EOF\n")
    begins = [int(match) for match in re.findall(rb"(\d{10}) 00000 n", file)]
    assert [file[place : place + 7] for place in begins] == [b"%d 0 obj" % n for n in range(1, 6)]
    assert file[int(file.rsplit(b"startxref\n")[1].split()[0]) :].startswith(b"xref\n0 6\n")


def test_loading_again_changes_nothing(world: World) -> None:
    before = contents(world, "events", "counters"), ids(world)
    for _ in range(2):
        world.do(demo.load)
    assert (contents(world, "events", "counters"), ids(world)) == before


def test_loading_adds_what_is_missing_and_leaves_what_people_did(world: World) -> None:
    done = sign_in(world)
    world.do(resources.remove, FABRIKAM, "project-plan", by=BY)
    world.do(demo.load)
    user = world.do(guests.find, FABRIKAM, ALEX)
    assert world.do(resources.find, user, "project-plan").id == uuid.uuid5(FABRIKAM, "project-plan")
    assert len(world.rows("SELECT * FROM sessions WHERE ended_at IS NULL")) == 1
    assert done.session_secret


def test_loading_survives_a_guest_who_was_deleted(world: World) -> None:
    world.do(guests.delete, FABRIKAM, NICOLE, by=BY)
    world.do(demo.load)
    with pytest.raises(guests.GuestUnknown):
        world.do(guests.find, FABRIKAM, NICOLE)


def test_reset_throws_everything_away_and_gives_the_same_ids(world: World) -> None:
    before = ids(world)
    sign_in(world)
    ask(world, STRANGER)
    world.do(tenants.create, "Extra", domains=["extra.example"], by=BY)
    world.advance(86400)
    world.do(demo.reset)
    assert ids(world) == before
    assert [world.rows(f"SELECT * FROM {table}") for table in ("sessions", "sign_ins", "passcodes")] == [[]] * 3
    assert (world.do(mailbox.letters), world.do(database.clock_offset).total_seconds()) == ([], 0)


def test_reset_gives_the_same_contents_as_the_first_load(world: World) -> None:
    world.do(demo.reset)
    first = contents(world, "domains", "invitations", "letters", "events", "users", "counters")
    world.do(demo.reset)
    assert contents(world, "domains", "invitations", "letters", "events", "users", "counters") == first


@pytest.mark.parametrize("action", [demo.load, demo.reset])
def test_nothing_of_it_happens_outside_the_demo(world: World, action: Any) -> None:
    settings = {"SECRET_KEY": SECRET, "PUBLIC_URL": "https://guests.example.org", "MAIL_SERVER": "localhost"}
    settings |= {"INSTANCE_PATH": str(world.instance), "DATABASE_URL": world.app.config["DATABASE_URL"]}
    before = contents(world)
    with pytest.raises(demo.NotTheDemo, match="GUESTAUTH_DEMO=on"), create_app(settings).app_context():
        action()
    assert contents(world) == before


def test_living_counts_codes_and_sessions_that_time_can_end(world: World) -> None:
    assert world.do(demo.living) == {"code": 0, "session": 0}
    ask(world, STRANGER)
    ask(world, ALEX)
    sign_in(world)
    assert world.do(demo.living) == {"code": 1, "session": 1}
    world.advance(1800)
    assert world.do(demo.living) == {"code": 0, "session": 1}
    world.advance(86400)
    assert world.do(demo.living) == {"code": 0, "session": 0}
