"""`flask demo`: loads and resets the cast in the demo, and refuses anywhere else (B35, A-03)."""

from pathlib import Path

import pytest

from guestauth import create_app
from tests.steps import ask
from tests.world import World, environment

SECRET = "6f1d2c3b4a5968778695a4b3c2d1e0ffa1b2c3d4e5f60718293a4b5c6d7e8f90"


def test_load_says_so_and_can_be_repeated(world: World) -> None:
    for _ in range(2):
        done = world.run("demo", "load")
        assert (done.exit_code, done.stdout) == (0, "the demo's cast is loaded\n")


def test_reset_throws_everything_away(world: World) -> None:
    ask(world)
    done = world.run("demo", "reset")
    assert (done.exit_code, done.stdout) == (0, "the demo starts afresh\n")
    assert world.rows("SELECT * FROM sign_ins") == []


@pytest.mark.parametrize("name", ["load", "reset"])
def test_demo_data_is_refused_outside_the_demo(world: World, name: str) -> None:
    settings = {"SECRET_KEY": SECRET, "PUBLIC_URL": "https://guests.example.org", "MAIL_SERVER": "localhost"}
    settings |= {"INSTANCE_PATH": str(world.instance), "DATABASE_URL": world.app.config["DATABASE_URL"]}
    ask(world)
    done = World(create_app(settings), world.instance).run("demo", name)
    assert (done.exit_code, done.stdout) == (1, "")
    assert "GUESTAUTH_DEMO=on" in done.stderr
    assert len(world.rows("SELECT * FROM sign_ins")) == 1


@pytest.mark.parametrize(
    "args", [["demo", "load"], ["tenant", "list"], ["mail", "status"], ["audit", "a.example"]]
)
def test_database_without_tables_is_said_without_a_traceback(tmp_path: Path, args: list[str]) -> None:
    done = World(create_app(environment(tmp_path)), tmp_path).run(*args)
    assert (done.exit_code, done.stdout) == (1, "")
    assert "flask doctor" in done.stderr and "Traceback" not in done.stderr
