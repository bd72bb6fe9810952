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


# The list of domains (B21).


def listed(world: World, *args: str, typed: str | None = None) -> Any:
    done = world.run("policy", "domains", T, *args, "--json", typed=typed)
    return json.loads(done.stdout) if done.exit_code == 0 else (done.exit_code, done.stderr)


def test_list_of_domains_is_set_and_shown(sqlite_world: World) -> None:
    assert listed(sqlite_world) == {"kind": "everyone", "domains": []}
    names = ["gmail.com", "firstup.example"]
    wanted = {"kind": "allow", "domains": [*names, "*.xn--bcher-kva.example"]}
    assert listed(sqlite_world, *(f"--allow={each}" for each in [*names, "*.Bücher.example"])) == wanted
    assert listed(sqlite_world) == wanted
    assert sqlite_world.run("policy", "domains", T).stdout.startswith("kind: allow\ndomains: gmail.com, firstup")


def test_guests_shut_out_are_told_and_asked_about(sqlite_world: World) -> None:
    code, said = listed(sqlite_world, "--deny", "gmail.com", typed="n\n")
    assert code == 1 and "Guests of now who won't be let in: 1" in said
    assert listed(sqlite_world) == {"kind": "everyone", "domains": []}
    assert listed(sqlite_world, "--deny", "gmail.com", typed="y\n") == {"kind": "deny", "domains": ["gmail.com"]}


@pytest.mark.parametrize("args", [["--everyone"], ["--allow", "gmail.com", "--allow", "firstup.example"]])
def test_list_that_goes_is_told_and_asked_about(sqlite_world: World, args: list[str]) -> None:
    listed(sqlite_world, "--deny", "a.example")
    code, said = listed(sqlite_world, *args, typed="\n")
    assert code == 1 and "This list goes: deny a.example" in said
    assert listed(sqlite_world, *args, "--yes")["kind"] == args[0].removeprefix("--")
    assert audited(sqlite_world, "policy.changed")[-1] == ("success", "")


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--allow", "a.example", "--deny", "b.example"], "one of"),
        (["--allow", "a.example", "--everyone"], "one of"),
        (["--deny", "no domain"], "no domain is not a domain"),
        (["--deny", "*"], "* is not a domain"),
    ],
)
def test_bad_list_is_refused_and_nothing_changes(sqlite_world: World, args: list[str], words: str) -> None:
    code, said = listed(sqlite_world, *args)
    assert code == 2 and words in said
    assert shown(sqlite_world)["definition"] == policies.WITH_PASSCODES
