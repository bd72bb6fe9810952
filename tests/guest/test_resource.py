"""A shared resource: B2, B5; UX row "Resource"; I-13, T-10, F15, R-11; issue 2, point 8."""

import uuid

import pytest

from guestauth import resources
from tests.probe import ask_as
from tests.world import ADMIN, ALEX, BY, FABRIKAM, NICOLE, WOODGROVE, World

PLAN = "/fabrikam.example/apps/project-plan"
NOTHING = "There is nothing here for you"


def add_file(world: World, name: str, content: bytes = b"%PDF-1.7 content", slug: str = "a-file") -> str:
    world.do(resources.add, FABRIKAM, slug, title="A file", file=(name, content), by=BY)
    world.do(resources.share, FABRIKAM, slug, user_id=None, by=BY)
    return f"/fabrikam.example/apps/{slug}"


def test_file_page_names_it_and_downloads_it_whole(world: World) -> None:
    browser = world.signed_in(NICOLE, PLAN)
    (content,) = world.rows("SELECT content FROM resource_files")[0]
    assert (browser.status, browser.h1) == (200, "Project plan")
    assert "project-plan.pdf" in browser.text and "Bytes" in browser.text
    browser.click("Download project-plan.pdf")
    assert browser.response.content == bytes(content)
    assert browser.headers["Content-Type"] == "application/pdf"


def test_text_page_shows_the_text(world: World) -> None:
    browser = world.signed_in(NICOLE, "/fabrikam.example/apps/welcome-pack")
    assert browser.h1 == "Welcome pack" and "On this page you find what Fabrikam shares with you." in browser.text
    assert browser.click("All apps").h1 == "Fabrikam apps"


def test_address_on_the_web_opens_from_a_page_of_ours(world: World) -> None:
    browser = world.signed_in(NICOLE, "/fabrikam.example/apps/expense-portal")
    assert browser.h1 == "Expense portal" and browser.path == "/fabrikam.example/apps/expense-portal"
    assert "Leads to https://expenses.fabrikam.example/" in browser.text
    (link,) = browser.page.xpath("//a[contains(., 'Open Expense portal')]")
    assert link.get("rel") == "noopener noreferrer"
    assert browser.click("Open Expense portal").url == "https://expenses.fabrikam.example/"


@pytest.mark.parametrize(
    "path",
    [
        "/apps/expense-portal",
        "/apps/no-such",
        "/apps/expense-portal/download",
        f"/apps/{uuid.UUID(int=1)}",
    ],
)
def test_resource_not_shared_is_as_one_that_is_not_there_and_names_the_contact(
    sqlite_world: World, path: str
) -> None:
    browser = sqlite_world.signed_in(ALEX).open(f"/fabrikam.example{path}")
    assert (browser.status, browser.h1) == (404, NOTHING)
    assert f"It may have been removed, or not shared with you. Ask {ADMIN} at Fabrikam." in browser.text
    assert "Expense" not in browser.text
    assert browser.click("Go to Fabrikam apps").h1 == "Fabrikam apps"


def test_resource_of_another_tenant_is_not_there_by_its_id_either(sqlite_world: World) -> None:
    other = sqlite_world.do(resources.add, WOODGROVE, "secret", title="Secret", text="s", by=BY)
    sqlite_world.do(resources.share, WOODGROVE, "secret", user_id=None, by=BY)
    browser = sqlite_world.signed_in(NICOLE)
    for path in (f"/fabrikam.example/apps/{other.id}", f"/signin/Secret/{other.id}?tenantId=fabrikam.example"):
        assert browser.open(path).h1 == NOTHING


def test_resource_unshared_is_gone_with_the_next_request(sqlite_world: World) -> None:
    browser = sqlite_world.signed_in(NICOLE, PLAN)
    user = sqlite_world.rows("SELECT user_id FROM sessions")[0][0]
    sqlite_world.do(resources.unshare, FABRIKAM, "project-plan", user_id=uuid.UUID(user), by=BY)
    for path in (PLAN, f"{PLAN}/download"):
        assert browser.open(path).status == 404


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("page.html", "text/html"),
        ("picture.svg", "image/svg+xml"),
        ("script.js", "text/javascript"),
        ("feed.xml", ("application/xml", "text/xml")),
        ("table.csv", "text/csv"),
        ("nothing", "application/octet-stream"),
    ],
)
def test_file_is_never_shown_in_the_browser(sqlite_world: World, name: str, media_type: str) -> None:
    path = add_file(sqlite_world, name, b"<script>alert(1)</script>")
    browser = sqlite_world.signed_in(NICOLE)
    answer = ask_as(browser, sqlite_world.app, f"{path}/download")
    assert answer.header("Content-Disposition") == f"attachment; filename={name}"
    assert answer.header("Content-Type").partition(";")[0] in media_type
    assert answer.header("X-Content-Type-Options") == "nosniff"
    assert "sandbox" in answer.header("Content-Security-Policy")
    assert answer.header("Cache-Control") == "no-store"


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("Jahresplan für alle.pdf", "Jahresplan%20f%C3%BCr%20alle.pdf"),
        ("計畫.pdf", "%E8%A8%88%E7%95%AB.pdf"),
        ("🎉.pdf", "%F0%9F%8E%89.pdf"),
    ],
)
def test_file_keeps_its_name_in_any_script(world: World, name: str, header: str) -> None:
    path = add_file(world, name)
    browser = world.signed_in(NICOLE, path)
    assert name in browser.text
    disposition = ask_as(browser, world.app, f"{path}/download").header("Content-Disposition")
    assert disposition.startswith("attachment; ") and f"filename*=UTF-8''{header}" in disposition


@pytest.mark.parametrize(
    "name", ['a"; filename="b.html', "a\r\nSet-Cookie: x=y.pdf", "../../etc/passwd", "a;b=c.pdf"]
)
def test_name_of_a_file_never_becomes_another_header(sqlite_world: World, name: str) -> None:
    path = add_file(sqlite_world, name)
    answer = ask_as(sqlite_world.signed_in(NICOLE), sqlite_world.app, f"{path}/download")
    disposition = answer.header("Content-Disposition")
    assert answer.status == 200 and not [value for name, value in answer.headers if name == "Set-Cookie"]
    assert "\n" not in disposition and "/" not in disposition and disposition.startswith("attachment; filename=")


@pytest.mark.case("R-11")
def test_download_ignores_ranges_and_dates(sqlite_world: World) -> None:
    browser = sqlite_world.signed_in(NICOLE)
    plain = ask_as(browser, sqlite_world.app, f"{PLAN}/download")
    for headers in (
        {"Range": "bytes=0-1"},
        {"If-Modified-Since": "Fri, 20 Nov 2099 00:00:00 GMT"},
        {"If-None-Match": "*"},
    ):
        answer = ask_as(browser, sqlite_world.app, f"{PLAN}/download", headers=headers)
        assert (answer.status, answer.body) == (200, plain.body)


def test_download_of_what_is_no_file_is_not_there(sqlite_world: World) -> None:
    assert sqlite_world.signed_in(NICOLE).open("/fabrikam.example/apps/welcome-pack/download").status == 404


def test_empty_file_and_one_of_a_megabyte_arrive_whole(world: World) -> None:
    browser = world.signed_in(NICOLE)
    for slug, content in (("empty", b""), ("large", bytes(range(256)) * 4096)):
        path = add_file(world, f"{slug}.bin", content, slug)
        assert ask_as(browser, world.app, f"{path}/download").body == content


def test_text_is_never_markup(sqlite_world: World) -> None:
    text = "<script>alert(1)</script>\n{{7*7}} & more"
    sqlite_world.do(resources.add, FABRIKAM, "note", title="<u>Note</u>", text=text, by=BY)
    sqlite_world.do(resources.share, FABRIKAM, "note", user_id=None, by=BY)
    browser = sqlite_world.signed_in(NICOLE, "/fabrikam.example/apps/note")
    assert browser.h1 == "<u>Note</u>" and browser.page.xpath("//div[@class='text']")[0].text == text


def test_direct_link_shows_the_resource_of_its_id(sqlite_world: World) -> None:
    resource = uuid.uuid5(FABRIKAM, "project-plan")
    path = f"/signin/Any name at all/{resource}?tenantId={FABRIKAM}"
    browser = sqlite_world.whole_way(NICOLE, path)
    assert browser.h1 == "Project plan" and browser.url.endswith(f"/{resource}?tenantId={FABRIKAM}")
    browser.click("Download project-plan.pdf")
    assert browser.response.content.startswith(b"%PDF")
