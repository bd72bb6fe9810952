"""`flask resource`: text, file or URL; share and unshare; exit codes, JSON, audit (B35)."""

import json
from pathlib import Path
from typing import Any

import pytest

from guestauth import guests, resources
from tests.steps import audited
from tests.world import ALEX, FABRIKAM, NICOLE, World

T = "fabrikam.example"
KEYS = ["id", "slug", "title", "kind", "sharedWithAllGuests", "createdDateTime"]


def shown(world: World, *args: str) -> Any:
    done = world.run("resource", *args, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def of(world: World, mail: str) -> list[str]:
    user = world.do(guests.find, FABRIKAM, mail)
    return [each.slug for each in world.do(resources.of_user, user)]


def found(world: World, slug: str) -> resources.Resource:
    return world.do(resources.named, FABRIKAM, slug)


def test_add_takes_the_text_in_a_file(sqlite_world: World, tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("Grüße 計\n", "utf-8")
    made = shown(sqlite_world, "add", T, "words", "--title", "Words", "--text", str(tmp_path / "words.txt"))
    assert list(made) == KEYS
    assert (made["slug"], made["kind"], made["sharedWithAllGuests"]) == ("words", "text", False)
    assert found(sqlite_world, "words").text == "Grüße 計\n"


def test_add_takes_the_text_from_stdin(sqlite_world: World) -> None:
    assert (
        sqlite_world.run("resource", "add", T, "words", "--title", "Words", "--text", "-", typed="Words").exit_code
        == 0
    )
    assert found(sqlite_world, "words").text == "Words"


def test_add_takes_a_file_and_a_url(world: World, tmp_path: Path) -> None:
    (tmp_path / "plan.pdf").write_bytes(b"%PDF\x00")
    made = shown(world, "add", T, "plan", "--title", "Plan", "--file", str(tmp_path / "plan.pdf"))
    assert made["kind"] == "file"
    assert world.do(resources.content, found(world, "plan")) == b"%PDF\x00"
    assert found(world, "plan").file_name == "plan.pdf"
    assert shown(world, "add", T, "link", "--title", "Link", "--url", "https://a.example")["kind"] == "url"


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (["add", T, "a"], 2, "--title"),
        (["add", T, "a", "--title", "A"], 2, "exactly one"),
        (["add", T, "a", "--title", "A", "--url", "https://a.example", "--text", "-"], 2, "exactly one"),
        (["add", T, "A B", "--title", "A", "--url", "https://a.example"], 2, "slug"),
        (["add", T, "a", "--title", "A", "--url", "javascript:x"], 2, "URL"),
        (["add", T, "a", "--title", "A", "--text", "/nowhere"], 2, "/nowhere"),
        (["add", T, "a", "--title", "A", "--file", "/nowhere"], 2, "/nowhere"),
        (["add", T, "a", "--title", "A", "--file", "/"], 2, "/"),
        (["add", T, "project-plan", "--title", "A", "--url", "https://a.example"], 1, "project-plan already"),
        (["share", T, "welcome-pack"], 2, "--all-guests"),
        (["share", T, "welcome-pack", ALEX, "--all-guests"], 2, "--all-guests"),
        (["unshare", T, "welcome-pack"], 2, "--all-guests"),
        (["share", T, "nothing", "--all-guests"], 1, "no resource named nothing"),
        (["unshare", T, "nothing", ALEX], 1, "no resource named nothing"),
        (["share", T, "welcome-pack", "stranded@firstup.example"], 1, "nobody here has this address"),
        (["share", T, "welcome-pack", "nobody"], 2, "@"),
        (["remove", T, "nothing"], 1, "no resource named nothing"),
        (["remove", "contoso.example", "project-plan"], 1, "no resource named project-plan"),
        (["list", "unknown.example"], 2, "no tenant"),
        (["edit", T, "nothing", "--title", "A"], 1, "no resource named nothing"),
        (["edit", T, "welcome-pack", "--url", "https://a.example"], 2, "stays of the kind it is: text"),
        (["show", T, "nothing"], 1, "no resource named nothing"),
        (["opened", T, "nothing"], 1, "no resource named nothing"),
    ],
)
def test_refusal_says_why_on_stderr_and_changes_nothing(
    sqlite_world: World, args: list[str], code: int, words: str
) -> None:
    before = sqlite_world.rows("SELECT * FROM resources ORDER BY id"), sqlite_world.rows("SELECT * FROM shares")
    done = sqlite_world.run("resource", *args, typed="Words")
    assert (done.exit_code, done.stdout) == (code, "")
    assert words in done.stderr and "Traceback" not in done.stderr
    assert (
        sqlite_world.rows("SELECT * FROM resources ORDER BY id"),
        sqlite_world.rows("SELECT * FROM shares"),
    ) == before


def test_text_that_is_no_utf_8_is_refused(sqlite_world: World, tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_bytes(b"\xff\xfe")
    done = sqlite_world.run("resource", "add", T, "a", "--title", "A", "--text", str(tmp_path / "words.txt"))
    assert (done.exit_code, done.stdout) == (2, "")
    assert "UTF-8" in done.stderr


def test_share_with_one_and_take_it_back(sqlite_world: World) -> None:
    assert (
        sqlite_world.run("resource", "share", T, "expense-portal", ALEX).stdout
        == f"expense-portal is shared with {ALEX}\n"
    )
    assert "expense-portal" in of(sqlite_world, ALEX)
    taken = sqlite_world.run("resource", "unshare", T, "expense-portal", ALEX).stdout
    assert taken == f"expense-portal is no longer shared with {ALEX}\n"
    assert ("expense-portal" in of(sqlite_world, ALEX), "expense-portal" in of(sqlite_world, NICOLE)) == (
        False,
        True,
    )


def test_share_with_several_is_all_or_nothing(sqlite_world: World) -> None:
    done = sqlite_world.run("resource", "share", T, "expense-portal", ALEX, "nobody@example.com")
    assert (done.exit_code, done.stdout) == (
        1,
        "",
    ) and "nobody here has this address: nobody@example.com" in done.stderr
    assert "expense-portal" not in of(sqlite_world, ALEX)
    shared = sqlite_world.run("resource", "share", T, "expense-portal", ALEX, NICOLE).stdout
    assert shared == f"expense-portal is shared with {ALEX}, {NICOLE}\n"


def test_edit_changes_what_is_given(world: World, tmp_path: Path) -> None:
    (tmp_path / "new.pdf").write_bytes(b"%PDF new")
    made = shown(world, "edit", T, "project-plan", "--title", "New", "--file", str(tmp_path / "new.pdf"))
    assert (list(made), made["title"]) == (KEYS, "New")
    assert found(world, "project-plan").file_name == "new.pdf"
    assert world.run("resource", "edit", T, "welcome-pack", "--text", "-", typed="Words").exit_code == 0
    assert found(world, "welcome-pack").text == "Words"


def test_show_says_what_it_is_and_who_has_it(world: World) -> None:
    made = shown(world, "show", T, "project-plan")
    assert made["sharedWith"] == [ALEX, NICOLE]
    assert (made["fileName"], made["mediaType"]) == ("project-plan.pdf", "application/pdf")


def test_opened_says_who_opened_it(world: World) -> None:
    assert shown(world, "opened", T, "welcome-pack") == []
    world.signed_in(NICOLE, f"/{T}/apps/welcome-pack")
    (opening,) = shown(world, "opened", T, "welcome-pack")
    assert (opening["event"], opening["address"]) == ("resource.opened", NICOLE)


def test_share_with_all_and_take_it_back(sqlite_world: World) -> None:
    shared = sqlite_world.run("resource", "share", T, "expense-portal", "--all-guests").stdout
    assert (shared, "expense-portal" in of(sqlite_world, ALEX)) == (
        "expense-portal is shared with all guests\n",
        True,
    )
    taken = sqlite_world.run("resource", "unshare", T, "expense-portal", "--all-guests").stdout
    assert taken == "expense-portal is no longer shared with all guests\n"
    assert "expense-portal" not in of(sqlite_world, ALEX)


def test_list_has_everything_of_the_tenant(world: World) -> None:
    listed = shown(world, "list", T)
    assert [(each["slug"], each["kind"], each["sharedWithAllGuests"]) for each in listed] == [
        ("expense-portal", "url", False),
        ("project-plan", "file", False),
        ("welcome-pack", "text", True),
    ]
    assert world.run("resource", "list", "contoso.example").stdout == "none\n"


def test_removed_resource_is_gone(sqlite_world: World) -> None:
    assert sqlite_world.run("resource", "remove", T, "project-plan").stdout == "project-plan is removed\n"
    assert "project-plan" not in of(sqlite_world, ALEX)


def test_every_change_is_audited_as_the_command_line(sqlite_world: World) -> None:
    for args in (["add", T, "a", "--title", "A", "--url", "https://a.example"], ["share", T, "a", "--all-guests"],
                 ["unshare", T, "a", "--all-guests"], ["remove", T, "a"]):  # fmt: skip
        assert sqlite_world.run("resource", *args).exit_code == 0
    for name in ("added", "shared", "unshared", "removed"):
        assert audited(sqlite_world, f"resource.{name}")[-1] == ("success", "")
    assert sqlite_world.rows("SELECT DISTINCT actor FROM events WHERE name LIKE 'resource.%'") == [
        ("command line",)
    ]
