"""Who may use the console: administrators of the tenant, and nobody else (B34; A-01, A-10)."""

import uuid

import pytest

from tests.admin import CONSOLE, at_console
from tests.hostile import addresses, multipart
from tests.probe import ask, change, token
from tests.test_csrf import FORMS, come_to, post
from tests.world import ADMIN, FABRIKAM, NICOLE, WOODGROVE, World

ID = "00000000-0000-4000-8000-000000000009"


def paths(world: World) -> list[bytes]:
    """Every address of the console."""
    return [path for _ in range(3) for path in addresses(world, ID) if b"/admin" in path]


def test_route_map_has_the_console(sqlite_world: World) -> None:
    assert len(set(paths(sqlite_world))) >= 10


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.case("A-01")
def test_anonymous_is_led_to_sign_in_from_every_address(sqlite_world: World, method: str) -> None:
    for path in paths(sqlite_world):
        form = {"form": {"x": "y"}} if method == "POST" else {}
        answer = ask(sqlite_world.app, path, method, **form)
        assert answer.status in (302, 405)
        assert answer.status == 405 or "/sign-in" in str(answer.header("Location"))


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.case("A-01", "S-11")
def test_guest_is_refused_at_every_address(sqlite_world: World, method: str) -> None:
    cookies = sqlite_world.signed_in(NICOLE).cookies
    for path in paths(sqlite_world):
        form = {"form": {"x": "y"}} if method == "POST" else {}
        assert ask(sqlite_world.app, path, method, cookies=cookies, **form).status in (403, 405), path


@pytest.mark.case("A-01")
def test_administrator_of_another_tenant_is_nobody_here(sqlite_world: World) -> None:
    cookies = at_console(sqlite_world, mail="admin@woodgrove.example", tenant="woodgrove.example").cookies
    for path in paths(sqlite_world):
        answer = ask(sqlite_world.app, path, cookies=cookies)
        assert answer.status in (302, 405)
        assert answer.status == 405 or "/sign-in" in str(answer.header("Location"))


@pytest.mark.case("A-02", "K-06")
def test_who_asks_for_what_is_not_theirs_is_written_down(world: World) -> None:
    world.signed_in(NICOLE).open("/fabrikam.example/admin/settings")
    world.signed_in(ADMIN).open(f"/fabrikam.example/admin/guests/{uuid.uuid4()}")
    world.browser().open("/fabrikam.example/admin/settings")
    told = world.rows("SELECT actor, reason FROM events WHERE name = 'console.refused' ORDER BY id")
    assert told == [("guest", "403 admin.settings"), ("administrator", "404 admin.guest")]


@pytest.mark.case("A-10")
def test_right_is_read_afresh_with_every_request(world: World) -> None:
    browser = at_console(world)
    assert browser.open(CONSOLE).status == 200
    change(world, "UPDATE users SET is_administrator = false WHERE mail = :mail", mail=ADMIN)
    assert browser.open(CONSOLE).status == 403


def test_administrator_comes_back_to_the_page_of_the_console_they_asked_for(world: World) -> None:
    browser = at_console(world, "/sign-ins")
    assert browser.path == f"{CONSOLE}/sign-ins"


# Mass assignment

MORE = {"tenant_id": str(WOODGROVE), "user_type": "Member", "is_administrator": "1", "role": "admin"}
MORE |= {"state": "Accepted", "verified_at": "2026-01-01", "created_at": "2000-01-01", "id": ID, "user_id": ID}
TAKEN = """SELECT count(*) FROM users WHERE id = :id OR created_at < '2001-01-01'
    OR (is_administrator AND mail != 'admin@fabrikam.example' AND tenant_id = :t)"""


def woodgrove(world: World) -> list[object]:
    """Everything of another tenant's."""
    names = ("users", "domains", "resources")
    theirs = "SELECT * FROM {} WHERE tenant_id = :t ORDER BY id"
    return [world.rows(theirs.format(name), t=WOODGROVE.hex) for name in names]


@pytest.mark.parametrize("endpoint", [each for each in FORMS if each.startswith("admin.")])
@pytest.mark.case("A-05")
def test_fields_that_a_form_does_not_have_are_as_none(sqlite_world: World, endpoint: str) -> None:
    browser, place, typed, right = come_to(sqlite_world, endpoint)
    before = woodgrove(sqlite_world)
    assert post(sqlite_world, browser, place, {**MORE, **typed, "csrf_token": right}).status == 303
    assert woodgrove(sqlite_world) == before
    made = sqlite_world.rows(TAKEN, t=FABRIKAM.hex, id=uuid.UUID(ID).hex)[0][0]
    assert made == (1 if endpoint == "admin.administrators" else 0)


# Much is taken from administrators only

MUCH = b"%41" * 60_000


@pytest.mark.parametrize("path", ["/resources/add", "/guests/import", "/policy"])
def test_large_body_of_nobody_is_refused_before_it_is_read(sqlite_world: World, path: str) -> None:
    cookies = sqlite_world.signed_in(NICOLE).cookies
    for kind in ("application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        for who in ({}, cookies):
            headers = {"Content-Type": kind}
            answer = ask(sqlite_world.app, CONSOLE + path, "POST", body=MUCH, headers=headers, cookies=who)
            assert answer.status == 413, (path, kind)


def test_text_of_a_megabyte_is_taken_from_an_administrator(sqlite_world: World) -> None:
    browser = at_console(sqlite_world, "/resources/add")
    typed = {
        "csrf_token": token(browser, "add-resource"),
        "title": "Long",
        "kind": "text",
        "text": "x" * 1_000_000,
    }
    form = multipart([(name, None, text.encode()) for name, text in typed.items()])
    answer = ask(sqlite_world.app, browser.path, "POST", cookies=browser.cookies, **form)
    assert (answer.status, answer.header("Location")) == (303, f"{CONSOLE}/resources/long")
