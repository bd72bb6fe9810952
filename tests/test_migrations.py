"""Migrations: one head, up twice, down and up again, and then the models' tables, on both databases (F-12)."""

import threading
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask_migrate import downgrade, upgrade
from sqlalchemy import inspect

from guestauth import create_app, database, demo
from guestauth.database import Model, db
from tests import servers
from tests.world import World, environment

pytestmark = pytest.mark.both


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """An application on an empty database, of each kind in turn."""
    if request.param == "sqlite":
        yield World(create_app(environment(tmp_path)), tmp_path)
        return
    admin, name = request.getfixturevalue("postgresql"), f"empty_{uuid.uuid4().hex[:12]}"
    url = servers.create_database(admin, name)
    yield World(create_app(environment(tmp_path, DATABASE_URL=url)), tmp_path)
    servers.drop_database(admin, name)


def tables(world: World) -> set[str]:
    return set(world.do(lambda: inspect(db.engine).get_table_names()))


def differences(world: World) -> list[Any]:
    """Return what a new migration would have to change."""
    with world.app.app_context(), db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, Model.metadata))


def indexes(world: World) -> list[tuple[Any, ...]]:
    """Return every index with its columns and the rows it concerns."""
    found = []
    for table in sorted(tables(world)):
        for index in world.do(lambda table=table: inspect(db.engine).get_indexes(table)):
            where = {key: text for key, text in index.get("dialect_options", {}).items() if key.endswith("_where")}
            found.append((index["name"], index["column_names"], bool(index["unique"]), str(*where.values())))
    return sorted(found)


def test_there_is_one_head(sqlite_world: World) -> None:
    with sqlite_world.app.app_context():
        scripts = ScriptDirectory.from_config(sqlite_world.app.extensions["migrate"].migrate.get_config())
    assert len(scripts.get_heads()) == 1
    assert len(scripts.get_bases()) == 1


def test_upgraded_tables_are_those_of_the_models(empty: World) -> None:
    empty.do(upgrade)
    assert tables(empty) == {*Model.metadata.tables, "alembic_version"}
    assert differences(empty) == []


def test_a_difference_would_be_found(empty: World) -> None:
    empty.do(upgrade)
    empty.do(
        database.operation(lambda: db.session.execute(database.text("ALTER TABLE users DROP COLUMN accepted_at")))
    )
    assert "accepted_at" in str(differences(empty))


def test_migrations_and_models_make_the_same_indexes(empty: World) -> None:
    empty.do(upgrade)
    migrated = indexes(empty)
    empty.do(downgrade, revision="base")
    empty.do(lambda: Model.metadata.create_all(db.engine))
    assert migrated == indexes(empty)
    assert [each for each in migrated if each[0] == "uq_users_tenant_id_mail_key"]


@pytest.mark.case("F-12")
def test_upgrading_twice_does_no_harm(empty: World) -> None:
    empty.do(upgrade)
    empty.do(demo.load)
    before = empty.rows("SELECT * FROM users ORDER BY id")
    empty.do(upgrade)
    assert empty.rows("SELECT * FROM users ORDER BY id") == before
    assert empty.do(database.migrated)


def test_down_to_nothing_and_up_again(empty: World) -> None:
    empty.do(upgrade)
    empty.do(downgrade, revision="base")
    assert tables(empty) == {"alembic_version"}
    assert not empty.do(database.migrated)
    empty.do(upgrade)
    assert (differences(empty), empty.do(database.migrated)) == ([], True)
    empty.do(demo.load)


@pytest.mark.long
def test_two_that_upgrade_at_once_end_in_good_tables(empty: World) -> None:
    settings = environment(empty.instance, DATABASE_URL=empty.app.config["DATABASE_URL"])
    codes: list[int] = []
    threads = [
        threading.Thread(target=lambda: codes.append(servers.flask(settings, "db", "upgrade").returncode))
        for _ in range(2)
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert 0 in codes
    assert (differences(empty), empty.do(database.migrated)) == ([], True)


def test_only_one_address_of_a_tenant_is_current_but_many_may_be_deleted(world: World) -> None:
    found = {name: where for name, _, unique, where in indexes(world) if unique}
    assert "deleted_at IS NULL" in found["uq_users_tenant_id_mail_key"]
    assert "verified_at IS NOT NULL" in found["uq_domains_verified_name"]
