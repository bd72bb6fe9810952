"""Resources in the console: add, edit, remove, share, and who opened them (B32; issue 3, point 7)."""

import csv
import io
import uuid

import pytest

from guestauth import guests, resources
from tests.admin import CONSOLE, at_console
from tests.browser import Browser
from tests.pages import words
from tests.probe import ask_as
from tests.steps import audited
from tests.world import ADMIN, ALEX, BY, FABRIKAM, NICOLE, WOODGROVE, World

PLACE = f"{CONSOLE}/resources"
PDF, PNG = b"%PDF-1.7 ...", b"\x89PNG\r\n\x1a\n..."


def console(world: World, path: str = "") -> Browser:
    return at_console(world, f"/resources{path}")


def seen(world: World, mail: str) -> list[str]:
    user = world.do(guests.find, FABRIKAM, mail)
    return [each.slug for each in world.do(resources.of_user, user)]


def rows(browser: Browser) -> list[str]:
    return [words(row) for row in browser.page.xpath("//tbody/tr")]


def add(browser: Browser, **fields: object) -> Browser:
    browser.open(f"{PLACE}/add")
    return browser.submit("add-resource", **{"title": "A plan", "kind": "text", "text": "Words", **fields})


# The list.


def test_list_says_what_there_is_and_who_has_it(world: World) -> None:
    found = rows(console(world))
    assert found[0] == "Expense portal expense-portal Link 1 guest"
    assert found[1].startswith("Project plan project-plan File 2 guests ") and found[1].endswith("Bytes")
    assert found[2] == "Welcome pack welcome-pack Text All guests"


def test_list_sorts_by_links_and_searches(sqlite_world: World) -> None:
    browser = console(sqlite_world)
    assert rows(browser.click("Shared with"))[-1].startswith("Project plan")
    assert rows(browser.click("Shared with"))[0].startswith("Project plan")
    assert [row[:7] for row in rows(browser.submit("filter", q="PLAN"))] == ["Project"]
    assert "No resource has “nothing”" in browser.submit("filter", q="nothing").text


@pytest.mark.parametrize(
    "query", ["page=0", "page=x", "page=" + "9" * 99, "sort=nothing", "sort=-", "q=%25", "sort=id"]
)
def test_odd_queries_are_answered(sqlite_world: World, query: str) -> None:
    browser = console(sqlite_world)
    assert ask_as(browser, sqlite_world.app, PLACE, query=query).status == 200


def test_list_has_pages_of_50(sqlite_world: World) -> None:
    for n in range(50):
        sqlite_world.do(resources.add, FABRIKAM, f"r-{n:02}", title=f"R {n:02}", text="", by=BY)
    browser = console(sqlite_world)
    assert (len(rows(browser)), len(rows(browser.click("Next page")))) == (50, 3)
    assert browser.click("Previous page").text.count("53 resources") == 1


def test_list_comes_as_csv_without_formulas(sqlite_world: World) -> None:
    sqlite_world.do(resources.add, FABRIKAM, "a", title="=1+1", text="", by=BY)
    answer = ask_as(console(sqlite_world), sqlite_world.app, f"{PLACE}/export")
    found = list(csv.reader(io.StringIO(answer.text.lstrip("\ufeff"))))
    assert found[0][:5] == ["title", "slug", "kind", "sharedWithAllGuests", "guests"]
    assert found[1][:2] == ["'=1+1", "a"]
    assert found[2][:5] == ["Expense portal", "expense-portal", "url", "no", "1"]


# Adding.


def test_text_is_added_under_a_name_made_from_its_title(world: World) -> None:
    browser = add(console(world), title="Größe & Plan", text="One\nTwo")
    assert (browser.path, browser.h1) == (f"{PLACE}/groe-plan", "Größe & Plan")
    assert "Größe & Plan is added. Nobody has it yet." in browser.text
    assert world.do(resources.named, FABRIKAM, "groe-plan").text == "One\nTwo"


def test_file_and_address_are_added(world: World) -> None:
    browser = add(console(world), kind="file", slug="paper", file=("Plan 計畫.pdf", PDF))
    assert (browser.path, "Plan 計畫.pdf" in browser.text) == (f"{PLACE}/paper", True)
    assert world.do(resources.content, world.do(resources.named, FABRIKAM, "paper")) == PDF
    assert "Leads to https://a.example/" in add(browser, slug="out", kind="url", url="https://a.example/").text
    assert audited(world, "resource.added")[-2:] == [("success", "")] * 2


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"title": " "}, "A slug has small letters, digits and single hyphens, like project-plan"),
        ({"title": " ", "slug": "a"}, "A title has 1 to 200 characters"),
        ({"title": "計畫"}, "A slug has small letters, digits and single hyphens, like project-plan"),
        ({"slug": "add"}, "The slug add is taken by a page of the console; choose another"),
        ({"slug": "project-plan"}, "There is a resource named project-plan already"),
        ({"text": ""}, "Enter the text"),
        ({"kind": "url"}, "Enter the address"),
        ({"kind": "url", "url": "javascript:alert(1)"}, "A URL starts with https:// or http://"),
        ({"kind": "file"}, "Choose a file"),
    ],
)
def test_what_is_wrong_stands_at_its_field_and_what_was_typed_stays(
    sqlite_world: World, fields: dict[str, str], error: str
) -> None:
    browser = add(console(sqlite_world), **fields)
    assert (browser.status, browser.errors) == (422, [error])
    typed = {"title": "A plan", "text": "Words", **fields}
    assert browser.form("add-resource").fields["title"] == typed["title"]
    assert browser.form("add-resource").fields["text"].strip() == typed["text"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("plan.pdf", b"<!doctype html><script>alert(1)</script>"),
        ("plan.PDF", b"MZ\x90\x00"),
        ("photo.jpg", PNG),
        ("photo.png", b"GIF89a"),
        ("sheet.xlsx", b"\x7fELF"),
        ("plan.pdf. ", b"<html>"),
    ],
)
def test_file_that_is_not_what_its_name_says_is_refused(sqlite_world: World, name: str, content: bytes) -> None:
    browser = add(console(sqlite_world), kind="file", file=(name, content))
    assert browser.status == 422 and "but what is in it is something else" in browser.errors[0]
    assert browser.page.xpath("//input[@id='file']/@aria-invalid") == ["true"]


def test_file_of_20_megabytes_is_taken_and_more_is_refused_with_words(sqlite_world: World) -> None:
    browser = add(console(sqlite_world), kind="file", file=("a.bin", bytes(resources.MOST_BYTES)))
    assert "21.0 MB" in browser.text
    add(browser, slug="more", kind="file", file=("a.bin", bytes(resources.MOST_BYTES + 1)))
    assert (browser.status, browser.errors) == (422, ["A file has 20 MB at most"])
    add(browser, slug="most", kind="file", file=("a.bin", bytes(22 * 1024 * 1024)))
    assert browser.status == 413 and "The file is too large: this page takes 21 MB at most" in browser.text


def test_kind_that_no_page_offers_is_refused(sqlite_world: World) -> None:
    browser = console(sqlite_world, "/add")
    token = browser.form("add-resource").fields["csrf_token"]
    browser.post(f"{PLACE}/add", {"csrf_token": token, "title": "A", "kind": "odd", "text": "x"})
    assert (browser.status, browser.errors) == (422, ["Choose what it is"])


# Editing and removing.


def test_title_and_text_are_edited(world: World) -> None:
    browser = console(world, "/welcome-pack/edit")
    assert "On this page you find" in browser.form("edit-resource").fields["text"]
    browser.submit("edit-resource", title="Read this", text="New words")
    assert (browser.h1, "Read this is saved." in browser.text) == ("Read this", True)
    found = world.do(resources.named, FABRIKAM, "welcome-pack")
    assert (found.title, found.text, found.shared_with_all) == ("Read this", "New words", True)


def test_file_is_kept_or_replaced(world: World) -> None:
    browser = console(world, "/project-plan/edit").submit("edit-resource", title="Plan 2")
    found = world.do(resources.named, FABRIKAM, "project-plan")
    assert (found.title, found.file_name) == ("Plan 2", "project-plan.pdf")
    browser.click("Edit").submit("edit-resource", file=("plan.png", PNG))
    found = world.do(resources.named, FABRIKAM, "project-plan")
    assert (found.file_name, found.media_type, found.size) == ("plan.png", "image/png", len(PNG))
    assert world.do(resources.content, found) == PNG


def test_edit_that_is_no_good_comes_back_as_it_was_typed(sqlite_world: World) -> None:
    browser = console(sqlite_world, "/expense-portal/edit")
    browser.submit("edit-resource", title="Money", url="nothing")
    assert (browser.status, browser.errors) == (422, ["A URL starts with https:// or http://"])
    assert browser.form("edit-resource").fields["url"] == "nothing"
    assert browser.form("edit-resource").fields["title"] == "Money"


@pytest.mark.parametrize(
    ("slug", "words"),
    [
        ("welcome-pack", "2 guests lose it"),
        ("project-plan", "2 guests lose it"),
        ("expense-portal", "1 guest loses it"),
    ],
)
def test_removing_asks_once_and_says_how_many_lose_it(sqlite_world: World, slug: str, words: str) -> None:
    browser = console(sqlite_world, f"/{slug}").click("Remove")
    assert words in browser.text and sqlite_world.do(resources.named, FABRIKAM, slug)
    browser.submit("remove-resource")
    assert browser.path == PLACE and "is removed." in browser.text
    assert len(rows(browser)) == 2


# Sharing.


def test_share_with_several_by_their_addresses(world: World) -> None:
    browser = console(world, "/expense-portal").submit("share", guests=f" {ALEX.upper()} \n{NICOLE}\n")
    assert f"It is shared with {ALEX}." in browser.text
    assert "expense-portal" in seen(world, ALEX)
    assert [row.split()[0] for row in rows(browser)] == [ALEX, NICOLE]


def test_share_is_all_or_nothing_and_names_each_address_that_is_nobodys(world: World) -> None:
    typed = f"{ALEX}\nnobody@example.com\nnonsense\nstranded@firstup.example"
    browser = console(world, "/expense-portal").submit("share", guests=typed)
    assert browser.status == 422 and ALEX not in browser.errors[0]
    for each in typed.splitlines()[1:]:
        assert each in browser.errors[0]
    assert browser.form("share").fields["guests"].split() == typed.split()
    assert "expense-portal" not in seen(world, ALEX)


def test_share_with_nobody_asks_for_an_address(sqlite_world: World) -> None:
    browser = console(sqlite_world, "/expense-portal").submit("share", guests=" \n")
    assert (browser.status, browser.errors) == (422, ["Enter an email address"])
    assert "They had it already." in browser.submit("share", guests=NICOLE).text


def test_share_with_all_goes_on_and_off(world: World) -> None:
    browser = console(world, "/expense-portal").submit("share-with-all")
    assert "Everybody has it" in browser.text and "expense-portal" in seen(world, ALEX)
    browser.submit("share-with-all")
    assert "Only these guests have it." in browser.text
    assert ("expense-portal" in seen(world, ALEX), "expense-portal" in seen(world, NICOLE)) == (False, True)


def test_unshare_takes_it_from_one(world: World) -> None:
    browser = console(world, "/project-plan").submit("unshare-1")
    assert f"It is no longer shared with {ALEX}." in browser.text
    assert ("project-plan" in seen(world, ALEX), "project-plan" in seen(world, NICOLE)) == (False, True)


def test_unshare_from_who_does_not_have_it_changes_nothing(sqlite_world: World) -> None:
    browser = console(sqlite_world, "/project-plan")
    form = browser.form("unshare-1").fields
    browser.post(f"{PLACE}/project-plan/unshare", {"csrf_token": form["csrf_token"], "guest": "odd"})
    assert (browser.status, len(rows(browser))) == (200, 2)


# Who opened what when.


def test_page_says_who_opened_and_downloaded_it(world: World) -> None:
    guest = world.signed_in(NICOLE, "/fabrikam.example/apps/project-plan")
    guest.click("Download project-plan.pdf")
    guest.open(f"/signin/Plan/{uuid.uuid5(FABRIKAM, 'project-plan')}?tenantId=fabrikam.example")
    found = rows(console(world, "/project-plan"))[2:]
    assert [f"{NICOLE} {what}" in row for row, what in zip(found, ("Opened", "Downloaded", "Opened"), strict=True)]
    assert all("127.0.0.1, a browser" in row for row in found)


def test_opening_is_recorded_for_get_only_and_once_each(world: World) -> None:
    guest = world.signed_in(NICOLE)
    for path in ("", "/download"):
        for method in ("HEAD", "GET", "OPTIONS", "POST"):
            ask_as(guest, world.app, f"/fabrikam.example/apps/project-plan{path}", method, form={})
    found = world.rows("SELECT name, address, result FROM events WHERE name LIKE 'resource.%ed' ORDER BY id")
    assert [row for row in found if row[1]] == [
        ("resource.opened", NICOLE, "success"),
        ("resource.downloaded", NICOLE, "success"),
    ]


def test_resource_added_anew_under_a_name_has_nothing_of_the_old_one(sqlite_world: World) -> None:
    sqlite_world.signed_in(NICOLE, "/fabrikam.example/apps/welcome-pack")
    sqlite_world.do(resources.remove, FABRIKAM, "welcome-pack", by=BY)
    sqlite_world.do(resources.add, FABRIKAM, "welcome-pack", title="New", text="", by=BY)
    assert "Nobody has opened it yet." in console(sqlite_world, "/welcome-pack").text


# Whose it is.


def test_another_tenants_resource_is_not_there(sqlite_world: World) -> None:
    sqlite_world.do(resources.add, WOODGROVE, "secret", title="Secret", text="s", by=BY)
    browser = console(sqlite_world)
    token = browser.form("sign-out").fields["csrf_token"]
    for path in ("", "/edit", "/remove", "/share", "/share-with-all", "/unshare"):
        assert browser.open(f"{PLACE}/secret{path}").status == 404
        assert ask_as(
            browser, sqlite_world.app, f"{PLACE}/secret{path}", "POST", form={"csrf_token": token}
        ).status in (404, 405)


def test_title_of_a_resource_is_never_markup(sqlite_world: World) -> None:
    title = "<script>alert(1)</script>{{7*7}}"
    browser = add(console(sqlite_world), title=title, slug="odd")
    for path in ("", "/odd", "/odd/edit", "/odd/remove"):
        assert title in browser.open(PLACE + path).text


def test_change_is_audited_with_the_administrator_who_made_it(world: World) -> None:
    console(world, "/expense-portal").submit("share", guests=ALEX)
    (who,) = world.rows(
        "SELECT actor, address FROM events WHERE name = 'resource.shared' ORDER BY id DESC LIMIT 1"
    )
    assert who == ("administrator", ALEX)
    assert (
        ADMIN
        in at_console(world, "/audit")
        .page.xpath("//tbody/tr[contains(., 'A resource was shared')]")[0]
        .text_content()
    )
