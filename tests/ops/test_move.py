"""Moving from SQLite to PostgreSQL: every row, and nothing else; who is signed in stays so."""

import sqlite3
import uuid
from pathlib import Path

import pytest
from flask_migrate import downgrade, upgrade
from sqlalchemy import Table
from sqlalchemy.engine import make_url

from guestauth import copying, create_app, engines
from guestauth.database import Model
from tests.ops.conftest import url
from tests.probe import change, tables
from tests.steps import another, ask, code_of, enter, is_in, sign_in
from tests.world import ADMIN, NICOLE, World, environment


def moved(lived: World, empty: World) -> World:
    """Move, and start a process on the new database in the old folder, which has the secret."""
    done = empty.run("database", "copy", "--from", url(lived), "--json")
    assert done.exit_code == 0, done.output
    return another(lived, DATABASE_URL=url(empty))


def rows(world: World) -> dict[str, int]:
    return {name: len(found) for name, found in tables(world).items()}


# Moving.


def test_every_row_of_every_table_is_there_with_its_ids_and_times(lived: World, empty: World) -> None:
    new = moved(lived, empty)
    assert rows(new) == rows(lived)
    for table in Model.metadata.sorted_tables:
        assert summed(table, new) == summed(table, lived)


def summed(table: Table, world: World) -> tuple[int, int]:
    with world.app.app_context(), copying.db.engine.connect() as connection:
        engines.begin(connection)
        return copying._sum(table, connection)


def test_who_is_signed_in_stays_so_and_a_mailed_code_works(lived: World, empty: World) -> None:
    done, started = sign_in(lived, ADMIN, browser="b" * 64), ask(lived, NICOLE, browser="c" * 64)
    code = code_of(lived, started)
    new = moved(lived, empty)
    assert is_in(new, done)
    assert is_in(new, enter(new, started, code, browser="c" * 64))


def test_new_rows_go_on_after_the_old(lived: World, empty: World) -> None:
    new = moved(lived, empty)
    highest = new.rows("SELECT max(id) FROM events")[0][0]
    sign_in(new, ADMIN, browser="d" * 64)
    assert new.rows("SELECT min(id) FROM events WHERE id > :id", id=highest) == [(highest + 1,)]


def test_file_comes_byte_for_byte(lived: World, empty: World) -> None:
    whole = lived.rows("SELECT content FROM resource_files")
    assert [bytes(each) for (each,) in moved(lived, empty).rows("SELECT content FROM resource_files")] == [
        each for (each,) in whole
    ]


def test_command_says_how_many_rows_of_what(lived: World, empty: World) -> None:
    done = empty.run("database", "copy", "--from", url(lived))
    assert f"tenants: {len(lived.rows('SELECT id FROM tenants'))}" in done.stdout.splitlines()


def refused(empty: World, source: str) -> str:
    before = tables(empty)
    done = empty.run("database", "copy", "--from", source)
    assert done.exit_code == 1, done.output
    assert tables(empty) == before
    return done.stderr


def test_target_that_has_rows_is_refused(lived: World, postgresql_world: World) -> None:
    assert "is not empty: " in refused(postgresql_world, url(lived))


def test_source_of_another_migration_is_refused(lived: World, empty: World) -> None:
    change(lived, "UPDATE alembic_version SET version_num = '0001'")
    assert "at migration 0001" in refused(empty, url(lived))


def test_target_without_tables_is_refused(lived: World, empty: World) -> None:
    empty.do(downgrade, revision="base")
    done = empty.run("database", "copy", "--from", url(lived))
    assert (done.exit_code, "run flask db upgrade" in done.stderr) == (1, True)


def test_source_that_is_not_there_is_refused(empty: World, tmp_path: Path) -> None:
    assert "There is no database" in refused(empty, f"sqlite:///{tmp_path}/nothing.db")
    assert not (tmp_path / "nothing.db").exists()


def test_source_with_tables_of_others_is_refused(lived: World, empty: World) -> None:
    change(lived, "CREATE TABLE strange (id INTEGER)")
    assert "not ours: strange" in refused(empty, url(lived))


def test_address_that_is_none_is_bad_input(empty: World) -> None:
    assert empty.run("database", "copy", "--from", "mysql://x/y").exit_code == 2


def test_row_that_would_be_lost_on_the_way_gives_everything_up(
    lived: World, empty: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(empty, "CREATE FUNCTION lose() RETURNS trigger AS 'BEGIN RETURN NULL; END' LANGUAGE plpgsql")
    change(empty, "CREATE TRIGGER lose BEFORE INSERT ON shares FOR EACH ROW EXECUTE FUNCTION lose()")
    assert "shares is not the same on both sides" in refused(empty, url(lived))


def test_row_that_would_be_changed_on_the_way_gives_everything_up(lived: World, empty: World) -> None:
    body = "BEGIN NEW.display_name = NEW.display_name || ''x''; RETURN NEW; END"
    change(empty, f"CREATE FUNCTION spoil() RETURNS trigger AS '{body}' LANGUAGE plpgsql")
    change(empty, "CREATE TRIGGER spoil BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION spoil()")
    assert "users is not the same on both sides" in refused(empty, url(lived))


def test_row_that_names_nothing_gives_everything_up(lived: World, empty: World) -> None:
    file = make_url(url(lived)).database
    change(lived, "PRAGMA foreign_keys = OFF")
    with sqlite3.connect(str(file)) as past:
        past.execute("UPDATE passcodes SET sign_in_id = ? WHERE rowid = 1", [uuid.uuid4().hex])
    past.close()
    assert "The copy was given up" in refused(empty, url(lived))


def test_way_back_from_postgresql_works_too(postgresql_world: World, tmp_path: Path) -> None:
    back = World(create_app(environment(tmp_path / "back")), tmp_path / "back")
    back.do(upgrade)
    assert back.run("database", "copy", "--from", url(postgresql_world)).exit_code == 0
    assert rows(back) == rows(postgresql_world)
