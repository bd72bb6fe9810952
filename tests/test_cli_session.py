"""`flask session`: who is signed in, and ending it at once (B29, B32, B35)."""

import json
from typing import Any

import pytest

from tests.steps import audited, is_in, sign_in
from tests.world import ALEX, NICOLE, STRANGER, World

T = "fabrikam.example"
KEYS = ["id", "mail", "createdDateTime", "expirationDateTime", "clientAddress", "browser"]


def listed(world: World, *args: str) -> Any:
    done = world.run("session", "list", T, *args, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def both(world: World) -> list[Any]:
    nicole = sign_in(world)
    world.advance(5)
    return [nicole, sign_in(world, ALEX, browser="another")]


def test_list_has_the_live_sessions_newest_first(world: World) -> None:
    both(world)
    found = listed(world)
    assert [list(each) for each in found] == [KEYS, KEYS]
    assert [each["mail"] for each in found] == [ALEX, NICOLE]
    assert found[0]["createdDateTime"][:10] < found[0]["expirationDateTime"][:10]


def test_list_of_one_guest(sqlite_world: World) -> None:
    both(sqlite_world)
    assert [each["mail"] for each in listed(sqlite_world, NICOLE)] == [NICOLE]


def test_list_shows_where_a_browser_signed_in(sqlite_world: World) -> None:
    sqlite_world.signed_in(NICOLE)
    (found,) = listed(sqlite_world)
    assert (found["clientAddress"], found["browser"]) == ("127.0.0.1", "Mozilla/5.0 (GuestAuth tests)")


def test_nobody_signed_in_is_none(sqlite_world: World) -> None:
    assert listed(sqlite_world) == []
    assert sqlite_world.run("session", "list", T).stdout == "none\n"


def test_end_ends_all_sessions_of_a_tenant_at_once(sqlite_world: World) -> None:
    signed_in = both(sqlite_world)
    assert sqlite_world.run("session", "end", T).stdout == "sessions ended: 2\n"
    assert [is_in(sqlite_world, each) for each in signed_in] == [False, False]
    assert listed(sqlite_world) == []


def test_end_of_one_guest_leaves_the_others(sqlite_world: World) -> None:
    nicole, alex = both(sqlite_world)
    assert sqlite_world.run("session", "end", T, NICOLE).stdout == "sessions ended: 1\n"
    assert (is_in(sqlite_world, nicole), is_in(sqlite_world, alex)) == (False, True)
    assert audited(sqlite_world, "session.ended") == [("success", "")]


def test_ending_in_one_tenant_leaves_the_others(sqlite_world: World) -> None:
    done = sign_in(sqlite_world)
    assert sqlite_world.run("session", "end", "woodgrove.example").stdout == "sessions ended: 0\n"
    assert is_in(sqlite_world, done)


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (["list", "unknown.example"], 2, "no tenant"),
        (["list", T, STRANGER], 1, "no guest"),
        (["list", T, "nobody"], 2, "@"),
        (["end", "unknown.example"], 2, "no tenant"),
        (["end", T, STRANGER], 1, "no guest"),
        (["end", T, "nobody"], 2, "@"),
        (["end"], 2, "TENANT"),
    ],
)
def test_refusal_says_why_on_stderr_and_ends_nothing(
    sqlite_world: World, args: list[str], code: int, words: str
) -> None:
    done = sign_in(sqlite_world)
    refused = sqlite_world.run("session", *args)
    assert (refused.exit_code, refused.stdout) == (code, "")
    assert words in refused.stderr and "Traceback" not in refused.stderr
    assert is_in(sqlite_world, done)
