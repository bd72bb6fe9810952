"""`flask doctor`: says what is wrong and how to mend it; exit 1 if something is (B35, K-08)."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine import make_url

from guestauth import courier, create_app, fetching, identity_providers
from guestauth.cli import doctor
from tests import servers
from tests.probe import change
from tests.servers import Sink
from tests.steps import another, mailing
from tests.world import BY, NICOLE, WOODGROVE, World, environment

SECRETS = {
    "SECRET_KEY": "6f1d2c3b4a5968778695a4b3c2d1e0ffa1b2c3d4e5f60718293a4b5c6d7e8f90",
    "SECRET_KEY_FALLBACKS": "0f8e7d6c5b4a39281706f5e4d3c2b1a0ffe0d1c2b3a495867768594a3b2c1d6f",
}


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
    made = world.do(identity_providers.listed, WOODGROVE)[0].provider
    world.do(identity_providers.remove, made.id, tenant_id=WOODGROVE, by=BY)
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


# What only shows when it has run for a while.


def test_address_in_mails_that_is_not_answered_to(sqlite_world: World) -> None:
    sqlite_world.app.config["TRUSTED_HOSTS"] = ["guests.example.org"]
    ok, says = findings(sqlite_world, code=1)["hosts"]
    assert not ok and "add it to TRUSTED_HOSTS" in says


@pytest.mark.parametrize(("fallbacks", "words"), [(["a"], "stands twice"), (["b", "c", "d"], "take the oldest")])
def test_keys_left_over(sqlite_world: World, fallbacks: list[str], words: str) -> None:
    sqlite_world.app.config.update(SECRET_KEY="a", SECRET_KEY_FALLBACKS=fallbacks)
    ok, says = findings(sqlite_world, code=1)["keys"]
    assert not ok and words in says


def test_secret_everybody_can_read(sqlite_world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "password"
    file.write_text("hush")
    monkeypatch.setenv("MAIL_PASSWORD_FILE", str(file))
    file.chmod(0o644)
    assert findings(sqlite_world, code=1)["secrets"][1].endswith(f"chmod o= {file}")
    file.chmod(0o640)
    assert "secrets" not in findings(sqlite_world, code=0)


def test_database_that_takes_no_writes(postgresql_world: World) -> None:
    name = make_url(postgresql_world.app.config["DATABASE_URL"]).database
    change(postgresql_world, f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    assert not findings(another(postgresql_world), code=1)["database takes writes"][0]


def test_journal_of_sqlite_lets_readers_and_a_writer_work_side_by_side(sqlite_world: World) -> None:
    assert findings(sqlite_world, code=0)["sqlite journal"] == (True, "wal")


def test_disk_that_is_nearly_full(sqlite_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "LEAST_FREE", 2**60)
    ok, says = findings(sqlite_world, code=1)["disk"]
    assert not ok and says.endswith("make room")


def test_clock_that_is_behind_the_newest_event(sqlite_world: World) -> None:
    change(sqlite_world, "UPDATE events SET at = '2099-01-01'")
    assert "behind the newest event's" in findings(sqlite_world, code=1)["clock"][1]


def test_nobody_delivers(world: World) -> None:
    courier.check_health(world.app)
    assert findings(world, code=0)["delivery"][0]
    change(world, "UPDATE mail_health SET checked_at = '2020-01-01'")
    ok, says = findings(world, code=1)["delivery"]
    assert not ok and says.endswith("start flask mail deliver (MAIL_DELIVERY=worker)")


def test_letters_that_have_waited_long(world: World) -> None:
    change(world, "UPDATE letters SET posted_at = '2020-01-01'")
    ok, says = findings(world, code=1)["letters"]
    assert not ok and says.startswith("1 wait, the oldest for")


def test_house_that_nobody_keeps(world: World) -> None:
    world.run("purge")
    assert findings(world, code=0)["housekeeping"][0]
    change(world, "UPDATE turns SET done_at = '2020-01-01'")
    ok, says = findings(world, code=1)["housekeeping"]
    assert not ok and "flask purge does it now" in says


def test_proxy_that_is_taken_for_everybody(world: World) -> None:
    world.app.config["GUESTAUTH_DEMO"] = False
    change(world, "UPDATE events SET client_address = '127.0.0.1'")
    for _ in range(4):
        world.signed_in(NICOLE)
    ok, says = findings(world, code=1)["proxies"]
    assert not ok and "set TRUSTED_PROXIES" in says
    change(world, "UPDATE events SET client_address = '2001:db8::7' WHERE id = (SELECT max(id) FROM events)")
    assert findings(world, code=1)["proxies"][0]


def test_doctor_names_the_providers_whose_secret_only_an_old_key_opens(world: World) -> None:
    assert findings(world, code=0)["client secrets"][0]
    config = world.app.config
    config["SECRET_KEY_FALLBACKS"], config["SECRET_KEY"] = [config["SECRET_KEY"]], "a-new-one" * 8
    ok, advice = findings(world, code=1)["client secrets"]
    assert not ok and "Google" in advice and "renew-secret" in advice
    made = world.do(identity_providers.listed, WOODGROVE)[0].provider
    assert world.do(identity_providers.secret, made)
    config["SECRET_KEY_FALLBACKS"] = []
    with pytest.raises(fetching.Unreachable, match="renew it"):
        world.do(identity_providers.secret, made)
