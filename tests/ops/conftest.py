"""What the tests of running it for real can ask for: an instance that has lived, an empty database to move to."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask_migrate import upgrade

from guestauth import create_app
from tests import servers
from tests.probe import change, tables
from tests.steps import ask, sign_in
from tests.world import STRANGER, World, environment


@pytest.fixture
def lived(sqlite_world: World) -> World:
    """The cast on SQLite, with a row in every table."""
    sign_in(sqlite_world)
    ask(sqlite_world, STRANGER, browser="a" * 64)
    sqlite_world.deliver()
    sqlite_world.run("purge")
    change(sqlite_world, "INSERT INTO counters (name, key, log, expires_at) VALUES ('x', 'y', '[]', '2099-01-01')")
    change(sqlite_world, "INSERT INTO mail_health (id, checked_at) VALUES (1, '2026-01-01')")
    change(sqlite_world, "INSERT INTO imports SELECT id, id, 'f', '2099-01-01' FROM tenants")
    rows = "SELECT id, 2, 'm', '', '', '', true FROM imports"
    change(
        sqlite_world,
        f"INSERT INTO import_rows (import_id, n, mail, display_name, message, target, send_mail) {rows}",
    )
    assert [name for name, found in tables(sqlite_world).items() if not found] == []
    return sqlite_world


@pytest.fixture
def empty(postgresql: str, tmp_path: Path) -> Iterator[World]:
    """A migrated PostgreSQL database without a row, with the same secret and clock as any demo's."""
    name = f"moved_{uuid.uuid4().hex[:12]}"
    made = environment(tmp_path / "moved", DATABASE_URL=servers.create_database(postgresql, name))
    world = World(create_app(made), tmp_path / "moved")
    world.do(upgrade)
    yield world
    servers.drop_database(postgresql, name)


def url(world: World) -> str:
    return str(world.app.config["DATABASE_URL"])
