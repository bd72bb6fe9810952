"""`flask administrator`: who may use the console, with the rules and the audit of the page (B34, B35)."""

import json
from typing import Any

import pytest

from tests.steps import audited, is_in, sign_in
from tests.world import ADMIN, World

T = "fabrikam.example"
NEW = "new@fabrikam.example"
KEYS = ["id", "displayName", "mail", "userType", "createdDateTime", "lastSignInDateTime"]


def shown(world: World, *args: str) -> Any:
    done = world.run("administrator", *args, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_added_administrator_is_listed_and_signs_in(world: World) -> None:
    made = shown(world, "add", T, "New@fabrikam.example", "--name", "New One")
    assert (list(made), made["displayName"], made["userType"]) == (KEYS, "New One", "Member")
    assert [each["mail"] for each in shown(world, "list", T)] == [ADMIN, "New@fabrikam.example"]
    assert is_in(world, sign_in(world, NEW))


def test_removed_administrator_is_signed_out(sqlite_world: World) -> None:
    shown(sqlite_world, "add", T, NEW)
    done = sign_in(sqlite_world, NEW)
    gone = sqlite_world.run("administrator", "remove", T, NEW.upper())
    assert (gone.exit_code, gone.stdout) == (0, f"{NEW} is no longer an administrator of Fabrikam\n")
    assert not is_in(sqlite_world, done)
    actors = sqlite_world.rows("SELECT DISTINCT actor FROM events WHERE name LIKE 'administrator.%'")
    assert (actors, audited(sqlite_world, "administrator.removed")) == ([("command line",)], [("success", "")])


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (["add", T], 2, "EMAIL"),
        (["add", T, "nobody"], 2, "@"),
        (["add", T, NEW, "--name", "x" * 201], 2, "200 characters"),
        (["add", T, "alexdoe@gmail.com"], 1, "is a guest"),
        (["add", T, ADMIN], 1, "is an administrator already"),
        (["add", "unknown.example", NEW], 2, "no tenant"),
        (["remove", T, ADMIN], 1, "the only administrator"),
        (["remove", T, "alexdoe@gmail.com"], 1, "no administrator"),
        (["remove", T, "admin@contoso.example"], 1, "no administrator"),
    ],
)
def test_refusal_says_why_and_changes_nothing(sqlite_world: World, args: list[str], code: int, words: str) -> None:
    done = sqlite_world.run("administrator", *args)
    assert (done.exit_code, done.stdout) == (code, "")
    assert words in done.stderr and "Traceback" not in done.stderr
    assert [each["mail"] for each in shown(sqlite_world, "list", T)] == [ADMIN]
