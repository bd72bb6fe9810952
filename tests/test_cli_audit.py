"""`flask audit`: a tenant's log, as a table or as JSON lines (B33, B35)."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from guestauth import database
from tests.steps import ask, sign_in
from tests.world import FABRIKAM, NICOLE, World

T = "fabrikam.example"
KEYS = ["at", "event", "result", "reason", "actor", "tenantId", "userId", "address", "clientAddress", "browser"]


def lines(world: World, *args: str) -> list[Any]:
    done = world.run("audit", T, *args, "--json")
    assert done.exit_code == 0, done.output
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_json_is_an_object_a_line_oldest_first(world: World) -> None:
    sign_in(world)
    found = lines(world)
    assert all(list(each) == [*KEYS, "correlationId", "detail"] for each in found)
    assert [each["at"] for each in found] == sorted(each["at"] for each in found)
    assert {each["tenantId"] for each in found} == {str(FABRIKAM)}
    last = found[-1]
    assert (last["event"], last["result"], last["address"]) == ("sign-in", "success", NICOLE)
    assert (last["correlationId"], last["detail"]["source"]) == ("0123456789abcdef", "OTP")
    assert "fixed to it when they accepted" in last["detail"]["why"]


def test_table_has_a_line_an_event(sqlite_world: World) -> None:
    head, *rows = sqlite_world.run("audit", T).stdout.splitlines()
    assert head.split() == KEYS
    assert len(rows) == len(lines(sqlite_world))


def test_event_narrows(world: World) -> None:
    ask(world)
    assert [each["event"] for each in lines(world, "--event", "passcode.requested")] == ["passcode.requested"]
    assert lines(world, "--event", "session.ended") == []
    assert world.run("audit", T, "--event", "session.ended").stdout == "none\n"


def test_until_address_and_result_narrow(world: World) -> None:
    sign_in(world)
    middle = world.do(database.now) + timedelta(seconds=1)
    world.advance(60)
    ask(world)
    found = lines(world, "--address", "NICOLE@", "--until", middle.isoformat(), "--event", "passcode.requested")
    assert len(found) == 1 and found[0]["address"] == NICOLE
    assert {each["result"] for each in lines(world, "--result", "success")} == {"success"}
    assert lines(world, "--result", "refused") == lines(world, "--address", "nobody@") == []


def test_show_can_be_named(world: World) -> None:
    assert world.run("audit", "show", T, "--event", "sign-in").stdout == "none\n"
    assert world.run("audit", "--event", "sign-in", T).stdout == "none\n"
    assert "purge" in world.run("audit", "--help").stdout


def test_purge_deletes_what_is_older_than_is_kept(world: World) -> None:
    world.advance(366 * 24 * 3600)
    before = len(lines(world))
    done = json.loads(world.run("audit", "purge", T, "--json").stdout)
    assert done == [{"tenantId": str(FABRIKAM), "displayName": "Fabrikam", "purged": before}]
    assert [(each["event"], each["detail"]["events"]) for each in lines(world)] == [("audit.purged", before)]


def test_purge_is_of_all_tenants_if_none_is_named(sqlite_world: World) -> None:
    sqlite_world.advance(366 * 24 * 3600)
    done = json.loads(sqlite_world.run("audit", "purge", "--json").stdout)
    assert [each["displayName"] for each in done if each["purged"]] == ["Contoso", "Fabrikam", "Woodgrove"]
    assert "Fabrikam" in sqlite_world.run("audit", "purge").stdout
    assert sqlite_world.run("audit", "purge", "unknown.example").exit_code == 2


def moments(moment: datetime) -> list[str]:
    there = (moment + timedelta(hours=8)).strftime("%Y-%m-%dT%H:%M:%S+08:00")
    written = [
        moment.strftime(form) for form in ("%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S.%f")
    ]
    return [*written, there, moment.isoformat()]


def test_since_takes_any_moment_of_iso_8601(world: World) -> None:
    world.advance(3600)
    since = world.do(database.now) - timedelta(minutes=1)
    ask(world)
    for written in moments(since):
        assert [each["event"] for each in lines(world, "--since", written)] == ["passcode.requested"]


def test_since_takes_a_day_and_what_the_log_itself_shows(world: World) -> None:
    found = lines(world)
    assert lines(world, "--since", found[0]["at"]) == found
    assert lines(world, "--since", "2020-01-01") == found
    assert lines(world, "--since", "2999-01-01") == []


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["unknown.example"], "no tenant"),
        ([T, "--event", "nonsense"], "There is no event nonsense; there are: tenant.created"),
        ([T, "--since", "yesterday"], "is not a moment like 2026-11-20T12:30:00Z"),
        ([T, "--since", "2026-13-01"], "is not a moment"),
        ([T, "--since", "0001-01-01T00:00:00+14:00"], "is not a moment"),
        ([T, "--until", "tomorrow"], "is not a moment"),
        ([T, "--result", "odd"], "odd"),
        ([], "TENANT"),
    ],
)
def test_bad_input_is_refused(sqlite_world: World, args: list[str], words: str) -> None:
    done = sqlite_world.run("audit", *args)
    assert (done.exit_code, done.stdout) == (2, "")
    assert words in done.stderr and "Traceback" not in done.stderr
