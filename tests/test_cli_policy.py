"""`flask policy`: the definition as text, opting in and out with whom it locks out (B10, B12 to B14, B35)."""

import json
from pathlib import Path
from typing import Any

import pytest

from guestauth import policies
from tests.steps import audited, is_in, sign_in
from tests.world import World

T = "fabrikam.example"
OTHER = '{\n  "B2BManagementPolicy": {"PreviewPolicy": {"Features": ["Other"]}, "x": "計"}\n}'


def shown(world: World) -> Any:
    done = world.run("policy", "show", T, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_show_writes_the_definition_as_it_is(world: World) -> None:
    assert world.run("policy", "show", T).stdout == policies.WITH_PASSCODES + "\n"
    assert shown(world) == {"definition": policies.WITH_PASSCODES, "oneTimePasscode": True}


@pytest.mark.parametrize("way", ["text", "file", "file with a byte order mark", "stdin"])
def test_set_takes_a_text_a_file_or_stdin(sqlite_world: World, tmp_path: Path, way: str) -> None:
    file = tmp_path / "policy.json"
    file.write_text(OTHER, "utf-8-sig" if "mark" in way else "utf-8")
    text = {"text": OTHER, "stdin": "-"}.get(way, f"@{file}")
    done = sqlite_world.run("policy", "set", T, "--definition", text, typed=OTHER)
    assert (done.exit_code, done.stdout) == (0, "the policy of Fabrikam is set\n")
    assert shown(sqlite_world) == {"definition": OTHER, "oneTimePasscode": False}
    assert audited(sqlite_world, "policy.changed")[-1] == ("success", "")


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["set", T], "--definition"),
        (["set", T, "--definition", "{}"], "needs an object named B2BManagementPolicy"),
        (["set", T, "--definition", "not JSON"], "not JSON"),
        (["set", T, "--definition", " " * 25_001], "25,000 characters"),
        (["set", T, "--definition", "@/nowhere"], "/nowhere"),
        (["set", T, "--definition", "{0}"], "not text in UTF-8"),
        (["set", "unknown.example", "--definition", "{}"], "no tenant"),
        (["show", "unknown.example"], "no tenant"),
        (["one-time-passcode", T], "on|off"),
        (["one-time-passcode", T, "maybe"], "maybe"),
        (["one-time-passcode", "unknown.example", "on"], "no tenant"),
    ],
)
def test_bad_input_is_refused_and_the_old_one_stays(
    sqlite_world: World, tmp_path: Path, args: list[str], words: str
) -> None:
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    done = sqlite_world.run("policy", *(f"@{tmp_path}/bytes" if arg == "{0}" else arg for arg in args))
    assert (done.exit_code, done.stdout) == (2, "")
    assert words in done.stderr and "Traceback" not in done.stderr
    assert shown(sqlite_world)["definition"] == policies.WITH_PASSCODES


def test_off_says_whom_it_locks_out_and_asks(sqlite_world: World) -> None:
    signed_in = sign_in(sqlite_world)
    done = sqlite_world.run("policy", "one-time-passcode", T, "off", typed="y\n")
    assert done.exit_code == 0
    assert "won't be able to sign in: 1; signed in now: 1" in done.stdout
    assert done.stdout.endswith("one-time passcodes for guests of Fabrikam are off\n")
    assert (is_in(sqlite_world, signed_in), shown(sqlite_world)["oneTimePasscode"]) == (False, False)


@pytest.mark.parametrize("answer", ["n\n", "\n", ""])
def test_off_changes_nothing_unless_the_answer_is_yes(sqlite_world: World, answer: str) -> None:
    signed_in = sign_in(sqlite_world)
    assert sqlite_world.run("policy", "one-time-passcode", T, "off", typed=answer).exit_code == 1
    assert (is_in(sqlite_world, signed_in), shown(sqlite_world)["oneTimePasscode"]) == (True, True)


def test_off_with_yes_does_not_ask(sqlite_world: World) -> None:
    done = sqlite_world.run("policy", "one-time-passcode", T, "off", "--yes")
    assert (done.exit_code, "Turn codes off?" in done.output) == (0, False)
    assert shown(sqlite_world)["oneTimePasscode"] is False


@pytest.mark.parametrize("state", ["on", "off"])
def test_turning_to_what_it_is_already_says_so_without_asking(sqlite_world: World, state: str) -> None:
    tenant = {"on": T, "off": "contoso.example"}[state]
    before = len(audited(sqlite_world, "policy.changed"))
    done = sqlite_world.run("policy", "one-time-passcode", tenant, state)
    assert (done.exit_code, done.stdout.endswith(f"are {state}\n")) == (0, True)
    assert len(audited(sqlite_world, "policy.changed")) == before


def test_on_lets_guests_in_again(sqlite_world: World) -> None:
    sqlite_world.run("policy", "one-time-passcode", T, "off", "--yes")
    assert sqlite_world.run("policy", "one-time-passcode", T, "on").exit_code == 0
    assert is_in(sqlite_world, sign_in(sqlite_world))
