"""Resources: text, file and URL; a guest sees what is shared with them, and nothing else exists (B2, B5, T-10)."""

import uuid
from typing import Any

import pytest

from guestauth import guests, invitations, resources
from guestauth.models import User
from tests.steps import audited
from tests.world import ALEX, BY, CONTOSO, FABRIKAM, NICOLE, WOODGROVE, World

UNKNOWN = uuid.UUID("00000000-0000-4000-8000-000000000000")


def add(world: World, slug: str = "plan", **what: Any) -> resources.Resource:
    if not what.keys() & {"text", "url", "file"}:
        what["text"] = "Words"
    return world.do(resources.add, FABRIKAM, slug, by=BY, **{"title": "A plan", **what})


def user(world: World, mail: str = NICOLE, tenant: uuid.UUID = FABRIKAM) -> User:
    return world.do(guests.find, tenant, mail)


def seen(world: World, mail: str = NICOLE, **search: str) -> list[str]:
    return [each.slug for each in world.do(resources.of_user, user(world, mail), **search)]


def share(world: World, slug: str, mail: str | None = None) -> None:
    world.do(resources.share, FABRIKAM, slug, user_id=user(world, mail).id if mail else None, by=BY)


def unshare(world: World, slug: str, mail: str | None = None) -> None:
    world.do(resources.unshare, FABRIKAM, slug, user_id=user(world, mail).id if mail else None, by=BY)


# Adding.


def test_text_url_and_file_are_kept_as_given(world: World) -> None:
    made = [add(world, "a", text="<b>"), add(world, "b", url="https://a.example/?x=1#y")]
    made.append(add(world, "c", file=("plan.pdf", b"%PDF\x00\xff")))
    assert [each.kind for each in made] == ["text", "url", "file"]
    assert (made[0].text, made[1].url) == ("<b>", "https://a.example/?x=1#y")
    assert (made[2].file_name, made[2].media_type, made[2].size) == ("plan.pdf", "application/pdf", 6)
    assert world.do(resources.content, made[2]) == b"%PDF\x00\xff"


def test_empty_text_and_empty_file_are_things_too(world: World) -> None:
    assert add(world, "a", text="").kind == "text"
    made = add(world, "b", file=("empty.txt", b""))
    assert (made.kind, made.size, world.do(resources.content, made)) == ("file", 0, b"")


@pytest.mark.parametrize(
    ("name", "kept", "media_type"),
    [
        ("../../etc/passwd", ".._.._etc_passwd", "application/octet-stream"),
        ("a\\b\r\nX: y.html", "a_b__X: y.html", "text/html"),
        ("no-ending", "no-ending", "application/octet-stream"),
        ("x" * 300 + ".pdf", "x" * 251 + ".pdf", "application/pdf"),
        ("Plan 計畫 📄.pdf", "Plan 計畫 📄.pdf", "application/pdf"),
        ("\x00\x7f", "__", "application/octet-stream"),
    ],
)
def test_file_name_is_one_name_on_one_line(sqlite_world: World, name: str, kept: str, media_type: str) -> None:
    made = add(sqlite_world, file=(name, b"%PDF"))
    assert (made.file_name, made.media_type) == (kept, media_type)


@pytest.mark.parametrize("slug", ["", "A", "a_b", "a--b", "-a", "a-", "a b", "a/b", "é", "a\n", "..", "x" * 101])
def test_slug_is_of_small_letters_digits_and_single_hyphens(sqlite_world: World, slug: str) -> None:
    with pytest.raises(resources.ResourceRefused, match="slug"):
        add(sqlite_world, slug)


@pytest.mark.parametrize("slug", ["a", "7", "project-plan-2", "x" * 100])
def test_good_slugs_are_taken(sqlite_world: World, slug: str) -> None:
    assert add(sqlite_world, slug).slug == slug


@pytest.mark.parametrize("title", ["", "   ", "x" * 201])
def test_title_has_1_to_200_characters(sqlite_world: World, title: str) -> None:
    with pytest.raises(resources.ResourceRefused, match="title"):
        add(sqlite_world, title=title)


def test_title_is_one_line(world: World) -> None:
    assert add(world, title=" A plan\r\nhttps://evil.example/\u202e\x1b[31m ").title.isprintable()


@pytest.mark.parametrize(
    "url",
    ["", "javascript:alert(1)", "ftp://a.example", "//a.example", "/apps", "https://", "https:a", "data:text/x,y",
     "https://a.example/" + "x" * 2000, "https://[::1", "https://a.example/\r\nX: y"],
    ids=lambda url: ascii(url)[:30],
)  # fmt: skip
def test_url_is_on_the_web(sqlite_world: World, url: str) -> None:
    with pytest.raises(resources.ResourceRefused, match="URL"):
        add(sqlite_world, url=url)


@pytest.mark.parametrize("what", [{"text": "x", "url": "https://a.example"}, {"text": "x", "file": ("a", b"")}])
def test_resource_is_exactly_one_thing(sqlite_world: World, what: dict[str, Any]) -> None:
    with pytest.raises(resources.ResourceRefused, match="exactly one"):
        add(sqlite_world, **what)
    with pytest.raises(resources.ResourceRefused, match="exactly one"):
        sqlite_world.do(resources.add, FABRIKAM, "nothing", title="Nothing", by=BY)


@pytest.mark.parametrize("text", ["a\x00b", "\ud800"])
def test_text_is_one_that_both_databases_can_keep(sqlite_world: World, text: str) -> None:
    with pytest.raises(resources.ResourceRefused, match="text"):
        add(sqlite_world, text=text)


def test_file_has_20_megabytes_at_most(sqlite_world: World) -> None:
    add(sqlite_world, "most", file=("a", bytes(resources.MOST_BYTES)))
    with pytest.raises(resources.ResourceRefused, match="20 MB"):
        add(sqlite_world, "more", file=("a", bytes(resources.MOST_BYTES + 1)))


def test_slug_is_taken_once_in_each_tenant(world: World) -> None:
    with pytest.raises(resources.ResourceTaken, match="project-plan"):
        add(world, "project-plan")
    assert world.do(resources.add, WOODGROVE, "project-plan", title="Theirs", text="", by=BY)


@pytest.mark.parametrize(
    ("title", "slug"),
    [("Project plan", "project-plan"), (" Größe & 計畫 2! ", "groe-2"), ("計畫", ""), ("---", ""),
     ("x" * 150, "x" * 100), ("a" * 99 + " b", "a" * 99)],
)  # fmt: skip
def test_slug_is_suggested_from_the_title(title: str, slug: str) -> None:
    assert resources.suggested_slug(title) == slug


@pytest.mark.parametrize("slug", ["add", "export"])
def test_slug_of_a_page_of_the_console_is_refused(sqlite_world: World, slug: str) -> None:
    with pytest.raises(resources.ResourceRefused, match="console"):
        add(sqlite_world, slug)


GOOD = {"a.pdf": b"%PDF-1", "a.png": b"\x89PNG\r\n\x1a\n", "a.JPG": b"\xff\xd8\xff\xe0", "a.jpeg": b"\xff\xd8\xff"}
GOOD |= {"a.gif": b"GIF89a", "a.zip": b"PK\x05\x06", "a.docx": b"PK\x03\x04", "a.txt": b"<html>", "a": b"MZ"}


@pytest.mark.parametrize("name", GOOD)
def test_file_that_is_what_its_name_says_is_taken(sqlite_world: World, name: str) -> None:
    assert add(sqlite_world, file=(name, GOOD[name])).file_name == name


@pytest.mark.parametrize("name", [name for name in GOOD if name not in ("a.txt", "a")])
@pytest.mark.parametrize("content", [b"", b"<!doctype html>", b"MZ\x90", b"\x7fELF", b" %PDF PK GIF89a"])
def test_file_that_is_something_else_is_refused(sqlite_world: World, name: str, content: bytes) -> None:
    with pytest.raises(resources.ResourceRefused, match="something else"):
        add(sqlite_world, file=(name, content))
    with pytest.raises(resources.ResourceRefused, match="something else"):
        sqlite_world.do(resources.edit, FABRIKAM, "project-plan", file=(name, content), by=BY)


# Editing.


def test_edit_changes_what_is_given_and_nothing_else(world: World) -> None:
    edited = world.do(resources.edit, FABRIKAM, "welcome-pack", title=" New\n", by=BY)
    assert edited.title == "New" and edited.text.startswith("Welcome") and edited.shared_with_all
    assert world.do(resources.edit, FABRIKAM, "welcome-pack", text="", by=BY).text == ""
    assert world.do(resources.edit, FABRIKAM, "expense-portal", url="https://b.example", by=BY).url[8] == "b"
    assert audited(world, "resource.changed") == [("success", "")] * 3


def test_edit_replaces_the_bytes_of_a_file(world: World) -> None:
    world.do(resources.edit, FABRIKAM, "project-plan", file=("new.txt", b"new"), by=BY)
    found = world.do(resources.named, FABRIKAM, "project-plan")
    assert (found.file_name, found.size, found.media_type) == ("new.txt", 3, "text/plain")
    assert world.do(resources.content, found) == b"new"
    assert len(world.rows("SELECT * FROM resource_files")) == 1


def test_edit_that_changes_nothing_is_no_event(world: World) -> None:
    found = world.do(resources.named, FABRIKAM, "expense-portal")
    world.do(resources.edit, FABRIKAM, "expense-portal", title=found.title, url=found.url, by=BY)
    assert audited(world, "resource.changed") == []


@pytest.mark.parametrize(
    "what",
    [{"text": "x"}, {"file": ("a", b"")}, {"title": ""}, {"url": "x"}, {"url": "https://a.example", "text": "x"}],
    ids=str,
)
def test_edit_that_is_no_good_changes_nothing(world: World, what: dict[str, Any]) -> None:
    before = world.rows("SELECT * FROM resources ORDER BY slug")
    with pytest.raises(resources.ResourceRefused):
        world.do(resources.edit, FABRIKAM, "expense-portal", by=BY, **{"title": "New", **what})
    assert world.rows("SELECT * FROM resources ORDER BY slug") == before


def test_no_tenant_can_edit_anothers_resource(sqlite_world: World) -> None:
    for tenant, slug in ((CONTOSO, "project-plan"), (FABRIKAM, "nothing")):
        with pytest.raises(resources.ResourceUnknown):
            sqlite_world.do(resources.edit, tenant, slug, title="Theirs", by=BY)


# Sharing.


def test_new_resource_is_shared_with_nobody(world: World) -> None:
    add(world)
    assert "plan" not in seen(world)


def test_share_with_one_guest_is_theirs_only(world: World) -> None:
    add(world)
    share(world, "plan", NICOLE)
    assert ("plan" in seen(world), "plan" in seen(world, ALEX)) == (True, False)


def test_share_with_all_is_everybodys_also_of_later_guests(world: World) -> None:
    world.do(invitations.invite, FABRIKAM, "late@example.com", by=BY)
    assert seen(world, "late@example.com") == ["welcome-pack"]


def test_sharing_twice_changes_nothing(world: World) -> None:
    for _ in range(2):
        share(world, "welcome-pack", NICOLE)
    assert seen(world) == ["expense-portal", "project-plan", "welcome-pack"]


def test_unsharing_takes_it_away_at_once(world: World) -> None:
    unshare(world, "project-plan", NICOLE)
    assert ("project-plan" in seen(world), "project-plan" in seen(world, ALEX)) == (False, True)
    unshare(world, "project-plan", NICOLE)


def test_unsharing_with_all_leaves_those_it_is_shared_with_by_name(world: World) -> None:
    share(world, "welcome-pack", NICOLE)
    unshare(world, "welcome-pack")
    assert ("welcome-pack" in seen(world), "welcome-pack" in seen(world, ALEX)) == (True, False)


@pytest.mark.parametrize("slug", ["nothing", "", "PROJECT-PLAN-X"])
def test_unknown_resource_can_be_neither_shared_nor_removed(sqlite_world: World, slug: str) -> None:
    for action in (resources.share, resources.unshare):
        with pytest.raises(resources.ResourceUnknown):
            sqlite_world.do(action, FABRIKAM, slug, user_id=None, by=BY)
    with pytest.raises(resources.ResourceUnknown):
        sqlite_world.do(resources.remove, FABRIKAM, slug, by=BY)


def test_no_tenant_can_touch_anothers_resource(world: World) -> None:
    for action in (resources.share, resources.unshare):
        with pytest.raises(resources.ResourceUnknown):
            world.do(action, CONTOSO, "project-plan", user_id=None, by=BY)
    with pytest.raises(resources.ResourceUnknown):
        world.do(resources.remove, CONTOSO, "project-plan", by=BY)


def test_resource_cannot_be_shared_with_another_tenants_guest(world: World) -> None:
    world.do(invitations.invite, WOODGROVE, ALEX, by=BY)
    theirs = user(world, ALEX, WOODGROVE)
    with pytest.raises(resources.ResourceUnknown):
        world.do(resources.share, FABRIKAM, "expense-portal", user_id=theirs.id, by=BY)
    assert [each.slug for each in world.do(resources.of_user, theirs)] == ["trail-map"]  # Woodgrove's own


def test_removed_resource_is_gone_with_its_bytes_and_shares(world: World) -> None:
    world.do(resources.remove, FABRIKAM, "project-plan", by=BY)
    assert "project-plan" not in seen(world)
    assert world.rows("SELECT * FROM resource_files") == []
    assert len(world.rows("SELECT * FROM shares")) == 1
    assert add(world, "project-plan")


def test_every_change_is_audited(world: World) -> None:
    add(world)
    share(world, "plan")
    unshare(world, "plan")
    world.do(resources.remove, FABRIKAM, "plan", by=BY)
    for name in ("added", "shared", "unshared", "removed"):
        assert audited(world, f"resource.{name}")[-1] == ("success", "")


# Finding.


@pytest.mark.parametrize("name", ["project-plan", "PROJECT-PLAN", str(uuid.uuid5(FABRIKAM, "project-plan"))])
def test_resource_is_found_by_slug_and_by_id(world: World, name: str) -> None:
    assert world.do(resources.find, user(world), name).title == "Project plan"


@pytest.mark.parametrize("name", ["nothing", "", str(UNKNOWN), "../project-plan", "project-plan\x01"])
def test_what_is_not_there_is_unknown(world: World, name: str) -> None:
    with pytest.raises(resources.ResourceUnknown):
        world.do(resources.find, user(world), name)


@pytest.mark.parametrize("name", ["expense-portal", str(uuid.uuid5(FABRIKAM, "expense-portal"))])
def test_what_is_not_shared_is_as_unknown_as_what_is_not_there(world: World, name: str) -> None:
    with pytest.raises(resources.ResourceUnknown):
        world.do(resources.find, user(world, ALEX), name)


def test_another_tenants_resource_is_unknown_though_shared_with_all(world: World) -> None:
    stranded = user(world, "stranded@firstup.example", CONTOSO)
    for name in ("welcome-pack", str(uuid.uuid5(FABRIKAM, "welcome-pack"))):
        with pytest.raises(resources.ResourceUnknown):
            world.do(resources.find, stranded, name)
    assert world.do(resources.of_user, stranded) == []


def test_list_is_sorted_by_title(world: World) -> None:
    share(world, add(world, title="Z").slug)
    share(world, add(world, "first", title="A").slug)
    assert seen(world) == ["first", "expense-portal", "project-plan", "welcome-pack", "plan"]


@pytest.mark.parametrize(
    ("search", "found"),
    [("PLAN", ["project-plan"]), ("p", ["expense-portal", "project-plan", "welcome-pack"]), ("%", []), ("_", []),
     ("nothing", []), ("", ["expense-portal", "project-plan", "welcome-pack"])],
)  # fmt: skip
def test_list_can_be_searched_by_title(world: World, search: str, found: list[str]) -> None:
    assert seen(world, search=search) == found


def test_tenants_own_list_has_everything_by_slug(world: World) -> None:
    assert [each.slug for each in world.do(resources.of_tenant, FABRIKAM)] == [
        "expense-portal",
        "project-plan",
        "welcome-pack",
    ]
    assert world.do(resources.of_tenant, CONTOSO) == []
