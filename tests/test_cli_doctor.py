"""`flask doctor`: says what is wrong and how to mend it; exit 1 if something is (B35, K-08)."""

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from guestauth import courier, create_app
from tests import servers
from tests.servers import Sink
from tests.steps import another, mailing
from tests.world import World, environment

SECRETS = {
    "SECRET_KEY": "6f1d2c3b4a5968778695a4b3c2d1e0ffa1b2c3d4e5f60718293a4b5c6d7e8f90",
    "SECRET_KEY_FALLBACKS": "0f8e7d6c5b4a39281706f5e4d3c2b1a0ffe0d1c2b3a495867768594a3b2c1d6f",
}


@pytest.fixture
def sink() -> Iterator[Sink]:
    with servers.smtp_sink() as sink:
        yield sink


def findings(world: World, *, code: int) -> dict[str, tuple[bool, str]]:
    done = world.run("doctor", "--json")
    assert done.exit_code == code, done.output
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return {each["check"]: (each["ok"], each["says"]) for each in found}


def test_healthy_demo_has_nothing_wrong(world: World) -> None:
    found = findings(world, code=0)
    assert all(ok for ok, _ in found.values())
    assert found["settings"][1] == "demo: for trying out only"
    assert found["database"][1] in world.app.config["DATABASE_URL"]
    assert found["migrations"][1] == "done"
    assert {"mail server", "outbox", "clock", "keys"} <= set(found)


def test_healthy_demo_is_a_table_for_people(world: World) -> None:
    head, *rows = world.run("doctor").stdout.splitlines()
    assert head.split() == ["check", "ok", "says"]
    assert all("  yes  " in row for row in rows)


def test_production_is_named_with_its_address(world: World, sink: Sink) -> None:
    settings = {**SECRETS, "PUBLIC_URL": "https://guests.example.org", "INSTANCE_PATH": str(world.instance)}
    settings |= {"DATABASE_URL": world.app.config["DATABASE_URL"], "MAIL_SERVER": sink.host}
    app = create_app({**settings, "MAIL_PORT": str(sink.port)})
    found = findings(World(app, world.instance), code=0)
    assert found["settings"][1] == "production at https://guests.example.org"
    assert found["keys"][1] == "1 in use, 1 still accepted"
    assert found["mail server"] == (True, f"127.0.0.1:{sink.port} takes mail")


def test_database_that_does_not_answer(sqlite_world: World) -> None:
    with servers.closed_port() as port:
        away = another(sqlite_world, DATABASE_URL=f"postgresql://nobody@127.0.0.1:{port}/none")
        found = findings(away, code=1)
    assert found["database"] == (False, "it does not answer: check DATABASE_URL and whether it is running")
    assert "migrations" not in found and found["outbox"][0]


def test_database_without_tables(tmp_path: Path) -> None:
    found = findings(World(create_app(environment(tmp_path)), tmp_path), code=1)
    assert found["migrations"] == (False, "to be done: run flask db upgrade")


def test_database_file_others_can_read(sqlite_world: World) -> None:
    file = sqlite_world.instance / "guestauth.db"
    assert findings(sqlite_world, code=0)["database file"] == (True, "mode 0600")
    file.chmod(0o644)
    assert findings(sqlite_world, code=1)["database file"] == (False, f"others can read it: chmod 600 {file}")


def test_old_sqlite_is_said(sqlite_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 34, 0))
    assert findings(sqlite_world, code=1)["sqlite"] == (False, "too old: 3.35 or later is needed")


def test_mail_server_that_does_not_answer(world: World, sink: Sink) -> None:
    world = mailing(world, sink)
    sink.stop()
    ok, says = findings(world, code=1)["mail server"]
    assert not ok and "refused" in says and "check MAIL_SERVER, MAIL_PORT" in says


def test_mail_that_is_delayed(world: World, sink: Sink) -> None:
    world = mailing(world, sink)
    sink.stop()
    courier.check_health(world.app)
    sink.start()
    assert findings(world, code=1)["outbox"] == (False, "mail is delayed: see flask mail status")


def test_clock_that_was_moved(sqlite_world: World) -> None:
    sqlite_world.advance(86400)
    ok, says = findings(sqlite_world, code=1)["clock"]
    assert not ok and says.startswith("1 day, 0:00:00 ahead")
