"""`flask guest import`: every line with its result, and what ends with which exit code (B20, B35)."""

import json
from pathlib import Path

import pytest

from tests.probe import tables
from tests.world import ALEX, NICOLE, STRANGER, World

T = "fabrikam.example"
HEAD = "version:v1.0\n[inviteeEmail],[inviteRedirectURL],[sendEmail]\n"


@pytest.fixture
def good(tmp_path: Path) -> str:
    return written(tmp_path, f"{STRANGER},/apps/welcome-pack,true", f"{ALEX},,", f"{STRANGER},,")


def written(folder: Path, *lines: str, head: str = HEAD) -> str:
    file = folder / "people.csv"
    file.write_text(head + "\n".join(lines), "utf-8")
    return str(file)


def test_every_line_is_shown_with_what_became_of_it(world: World, good: str) -> None:
    done = world.run("guest", "import", T, good)
    head, *lines = done.stdout.splitlines()
    assert done.exit_code == 0 and head.split() == ["line", "mail", "outcome", "reason"]
    assert [line.split()[:3] for line in lines] == [
        ["3", STRANGER, "invited"],
        ["4", ALEX, "skipped"],
        ["5", STRANGER, "doubled"],
    ]
    assert "Welcome pack" in world.letters(STRANGER)[0].part("plain")


def test_lines_as_json(world: World, good: str) -> None:
    rows = json.loads(world.run("guest", "import", T, good, "--json").stdout)
    assert rows[0] == {"line": 3, "mail": STRANGER, "outcome": "invited", "reason": None}
    assert rows[1]["reason"] == f"{ALEX} is a guest already; nothing was changed"


def test_dry_run_says_the_same_and_changes_nothing(world: World, good: str) -> None:
    before = tables(world)
    dry = world.run("guest", "import", T, good, "--dry-run", "--json")
    assert dry.exit_code == 0 and tables(world) == before
    assert json.loads(dry.stdout) == json.loads(world.run("guest", "import", T, good, "--json").stdout)


@pytest.mark.parametrize("option", [[], ["--dry-run"]])
def test_refused_line_ends_with_one_and_the_others_are_done(
    world: World, tmp_path: Path, option: list[str]
) -> None:
    done = world.run("guest", "import", T, written(tmp_path, "no\x1b[31mbody,,", f"{STRANGER},,"), *option)
    assert done.exit_code == 1 and "refused" in done.stdout and "invited" in done.stdout
    assert "\x1b" not in done.stdout


def test_again_invites_nobody_twice(world: World, good: str) -> None:
    world.run("guest", "import", T, good)
    again = json.loads(world.run("guest", "import", T, good, "--json").stdout)
    assert {row["outcome"] for row in again} == {"skipped"}
    assert len(world.letters(STRANGER)) == 1


def test_file_can_come_from_stdin(world: World) -> None:
    done = world.run("guest", "import", T, "-", typed=f"{HEAD}{STRANGER},,")
    assert done.exit_code == 0 and f"{STRANGER}  invited" in done.stdout


@pytest.mark.parametrize(
    ("head", "words"),
    [
        ("version:v2.0\n", "only version:v1.0 is known"),
        ("Email\n", "not known: Email"),
        (HEAD, "has no guests"),
        ('"', "cannot be read as CSV"),
    ],
)
def test_file_that_is_no_good_ends_with_two(world: World, tmp_path: Path, head: str, words: str) -> None:
    before = tables(world)
    done = world.run("guest", "import", T, written(tmp_path, head=head))
    assert done.exit_code == 2 and words in done.stderr and tables(world) == before


def test_file_that_is_not_there_ends_with_two(world: World) -> None:
    assert world.run("guest", "import", T, "/nowhere.csv").exit_code == 2
    assert world.run("guest", "import", "unknown.example", "-", typed=HEAD).exit_code == 2


def test_guest_who_is_there_stays_as_they_are(world: World, tmp_path: Path) -> None:
    before = world.rows("SELECT * FROM users ORDER BY id")
    done = world.run("guest", "import", T, written(tmp_path, f"{NICOLE},,true"))
    assert done.exit_code == 0 and world.rows("SELECT * FROM users ORDER BY id") == before
