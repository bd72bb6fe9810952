"""Whatever goes wrong is a page, or JSON for who asks for it: INTERFACE "Errors"; C-07, C-08, C-10, R-12, F-06."""

import json
import re
import shutil
import sqlite3
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from guestauth import engines
from tests.guest import at_send_code
from tests.pages import check_page
from tests.probe import Answer, ask, ask_as, change, put_cookie, tables
from tests.world import ALEX, NICOLE, World, make

SIGN_IN, SOMEBODY = "/fabrikam.example/sign-in", uuid.UUID(int=7)
HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
ERRORS: dict[str, tuple[int, dict[str, Any]]] = {
    "no tenant": (400, {"path": "/"}),
    "two tenants": (400, {"path": "/fabrikam.example", "query": "tenantid=contoso.example"}),
    "no text": (400, {"path": "/fabrikam.example", "query": "q=%00"}),
    "query too long": (400, {"path": "/fabrikam.example", "query": "q=" + "x" * 9000}),
    "foreign host": (400, {"path": SIGN_IN, "headers": {"Host": "evil.example"}}),
    "another site": (
        403,
        {"path": SIGN_IN, "method": "POST", "form": {}, "headers": {"Origin": "https://evil.example"}},
    ),
    "nothing": (404, {"path": "/nothing"}),
    "unknown tenant": (404, {"path": "/unknown.example"}),
    "somebody's sign-in": (404, {"path": f"{SIGN_IN}/{SOMEBODY}"}),
    "method": (405, {"path": SIGN_IN, "method": "DELETE", "form": {}}),
    "no length": (411, {"path": SIGN_IN, "method": "POST"}),
    "too large": (413, {"path": SIGN_IN, "method": "POST", "form": {"email": "x" * 70_000}}),
    "no form": (
        415,
        {"path": SIGN_IN, "method": "POST", "body": b"{}", "headers": {"Content-Type": "application/json"}},
    ),
}
ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


def check_headers(answer: Answer, *, dynamic: bool = True) -> None:
    """Check what every answer carries."""
    assert ALWAYS.items() <= dict(answer.headers).items()
    policy = str(answer.header("Content-Security-Policy"))
    for rule in ("default-src 'none'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"):
        assert rule in policy
    assert "unsafe" not in policy and "*" not in policy
    assert not {"server", "x-powered-by", "access-control-allow-origin"} & {
        name.lower() for name, _ in answer.headers
    }
    if dynamic:
        is_page = str(answer.header("Content-Type")).startswith("text/html") and not 300 <= answer.status < 400
        assert answer.header("Vary") == ("Accept-Language, Cookie" if is_page else "Cookie")
        assert answer.header("Cache-Control") == "no-store" and answer.header("Content-Language") == (
            "en" if is_page else None
        )


@pytest.fixture
def impatient_world(sqlite_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A world whose requests wait for the database for a moment only."""
    monkeypatch.setattr(engines, "BUSY_TIMEOUT", 0.05)
    shutil.copytree(sqlite_template, tmp_path / "instance")
    yield from make(tmp_path / "instance")


@pytest.fixture
def locked(impatient_world: World) -> Iterator[World]:
    """A world whose database another connection is writing to, with somebody at Send code."""
    at_send_code(impatient_world, NICOLE)
    with sqlite3.connect(impatient_world.instance / "guestauth.db", isolation_level=None) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield impatient_world
        other.execute("ROLLBACK")


@pytest.fixture
def broken(sqlite_world: World) -> World:
    """A world with a fault in it: a tenant's row that cannot be read."""
    change(sqlite_world, "UPDATE tenants SET created_at = 'SECRET nonsense'")
    return sqlite_world


@pytest.mark.parametrize("kind", ERRORS)
@pytest.mark.case("C-07")
def test_error_is_a_page_that_says_what_to_do(sqlite_world: World, kind: str) -> None:
    status, request = ERRORS[kind]
    answer = ask(sqlite_world.app, **{**request, "headers": {**HTML, **request.get("headers", {})}})
    assert answer.status == status and answer.header("Content-Type") == "text/html; charset=utf-8"
    page = check_page(answer.text, kind)
    assert len(page.xpath("//main//p[normalize-space()]")) >= 1
    check_headers(answer)


@pytest.mark.parametrize("kind", [kind for kind in ERRORS if kind != "no tenant"])
def test_error_page_has_what_support_asks_for(sqlite_world: World, kind: str) -> None:
    status, request = ERRORS[kind]
    answer = ask(sqlite_world.app, **request)
    page = check_page(answer.text, kind)
    facts = {term.text: value.text_content() for term, value in zip(page.iter("dt"), page.iter("dd"), strict=True)}
    assert facts["Error"].startswith(f"{status} ")
    assert re.fullmatch(r"\d\d:\d\d UTC on \d+ \w+ \d{4}", facts["Time"])
    assert re.fullmatch(r"[0-9a-f]{16}", facts["Correlation id"])
    (button,) = page.xpath("//button[@data-copy]")
    assert facts["Correlation id"] in button.get("data-copy") and str(status) in button.get("data-copy")


@pytest.mark.parametrize("kind", ERRORS)
def test_error_page_has_a_way_on(sqlite_world: World, kind: str) -> None:
    page = check_page(ask(sqlite_world.app, **ERRORS[kind][1]).text, kind)
    assert page.xpath("//main//form | //main//a[@href]"), "a link or a form that leads on"


@pytest.mark.parametrize("kind", ERRORS)
def test_error_is_json_for_who_asks_for_json(sqlite_world: World, kind: str) -> None:
    status, request = ERRORS[kind]
    headers = {**request.get("headers", {}), "Accept": "application/json"}
    answer = ask(sqlite_world.app, **{**request, "headers": headers})
    assert (answer.status, answer.header("Content-Type")) == (status, "application/json")
    error = json.loads(answer.body)["error"]
    assert set(error) == {"code", "message", "correlationId"} and all(error.values())
    check_headers(answer)


@pytest.mark.parametrize(
    "accept", ["*/*", "text/html", "", "nonsense", "application/json;q=0.1,text/html", "image/png"]
)
def test_error_is_a_page_for_everybody_else(sqlite_world: World, accept: str) -> None:
    answer = ask(sqlite_world.app, "/nothing", headers={"Accept": accept})
    assert (answer.status, answer.header("Content-Type")) == (404, "text/html; charset=utf-8")


@pytest.mark.parametrize("kind", ERRORS)
def test_error_changes_nothing(sqlite_world: World, kind: str) -> None:
    before = tables(sqlite_world)
    ask(sqlite_world.app, **ERRORS[kind][1])
    assert tables(sqlite_world) == before


def test_wrong_method_says_which_are_right(sqlite_world: World) -> None:
    answer = ask(sqlite_world.app, "/fabrikam.example", "DELETE", form={})
    assert set(str(answer.header("Allow")).split(", ")) == {"GET", "HEAD", "OPTIONS"}


def test_form_that_asks_for_json_is_told_its_problem_in_json(sqlite_world: World) -> None:
    browser = sqlite_world.browser().open(SIGN_IN)
    answer = ask_as(browser, sqlite_world.app, SIGN_IN, "POST", form={}, headers={"Accept": "application/json"})
    assert answer.status == 400 and "open too long" in json.loads(answer.body)["error"]["message"]


# Faults


@pytest.mark.parametrize(
    "path", ["/fabrikam.example", SIGN_IN, "/?tenantid=fabrikam.example", "/no.example/../x.y"]
)
@pytest.mark.case("R-12")
def test_fault_shows_a_page_without_anything_of_itself(broken: World, path: str) -> None:
    path, _, query = path.partition("?")
    answer = ask(broken.app, path, query=query)
    assert answer.status == (500 if "fabrikam" in path + query else 404)
    for secret in ("SECRET", "Traceback", "sqlalchemy", "SELECT", ".py", "ValueError", str(broken.instance)):
        assert secret not in answer.text
    check_headers(answer)


def test_fault_says_whom_to_tell_what(broken: World, caplog: pytest.LogCaptureFixture) -> None:
    answer = ask(broken.app, SIGN_IN)
    page = check_page(answer.text, SIGN_IN)
    assert answer.h1 == "Something went wrong"
    assert "It was us, not you. Nothing you did is lost. Try again in a moment." in page.text_content()
    correlation_id = page.xpath("//bdi[@class='mono']/text()")[0]
    assert any(correlation_id in record.getMessage() and record.exc_info for record in caplog.records)


def test_fault_leads_back_to_where_it_was(broken: World) -> None:
    page = check_page(ask(broken.app, SIGN_IN).text, SIGN_IN)
    assert page.xpath("//main//a[@href='']/text()") == ["Try again"]


def test_fault_is_json_for_who_asks_for_json(broken: World) -> None:
    answer = ask(broken.app, SIGN_IN, headers={"Accept": "application/json"})
    assert answer.status == 500 and json.loads(answer.body)["error"]["message"] == "Something went wrong"


def test_fault_while_posting_changes_nothing(sqlite_world: World) -> None:
    browser = at_send_code(sqlite_world, NICOLE)
    change(sqlite_world, "UPDATE sign_ins SET created_at = 'nonsense'")
    before = tables(sqlite_world)
    browser.submit("send-code")
    assert (browser.status, browser.h1) == (500, "Something went wrong")
    assert tables(sqlite_world) == before


@pytest.mark.parametrize("path", ["/console", "/?__debugger__=yes&cmd=resource&f=style.css", "/__debugger__"])
@pytest.mark.case("K-02")
def test_there_is_no_debugger(sqlite_world: World, path: str) -> None:
    path, _, query = path.partition("?")
    assert ask(sqlite_world.app, path, query=query).status in (400, 404)


# The database is busy


@pytest.mark.case("R-12", "F-06")
def test_busy_database_is_told_with_the_time_to_wait(locked: World) -> None:
    browser = locked.browsers[0].submit("send-code")
    assert (browser.status, browser.h1) == (503, "We're busy at the moment")
    assert browser.headers["Retry-After"] == "5" and "Try again after" in browser.text
    assert "Nothing you did is lost." in browser.text


def test_busy_database_is_json_for_who_asks_for_json(locked: World) -> None:
    browser = locked.browsers[0]
    form = {"csrf_token": browser.form("send-code").xpath(".//input[@name='csrf_token']/@value")[0]}
    answer = ask_as(browser, locked.app, browser.path, "POST", form=form, headers={"Accept": "application/json"})
    assert (answer.status, answer.header("Retry-After")) == (503, "5")
    assert json.loads(answer.body)["error"]["code"] == "Service Unavailable"
    check_headers(answer)


def test_busy_database_lets_readers_go_on(locked: World) -> None:
    assert locked.browser().open(SIGN_IN).status == 200


@pytest.mark.case("F-06")
def test_what_was_refused_while_busy_works_afterwards_and_once(impatient_world: World) -> None:
    browser = at_send_code(impatient_world, NICOLE)
    page = browser.fork().open(browser.url)
    with sqlite3.connect(impatient_world.instance / "guestauth.db", isolation_level=None) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert browser.submit("send-code").status == 503
        other.execute("ROLLBACK")
    page.submit("send-code").submit("enter-code", code=impatient_world.code(NICOLE))
    assert page.h1 == "Fabrikam apps" and len(impatient_world.letters(NICOLE)) == 1


# Headers of what is no error


@pytest.mark.parametrize("path", ["/static/style.css", "/static/guestauth.js", "/static/icon.svg", "/robots.txt"])
@pytest.mark.case("C-07")
def test_static_files_carry_the_headers_too(sqlite_world: World, path: str) -> None:
    answer = ask(sqlite_world.app, path)
    assert answer.status == 200 and not answer.header("Set-Cookie")
    check_headers(answer, dynamic=False)


@pytest.mark.parametrize("path", ["/static/none.css", "/static/", "/static/../app.py", "/static/%2e%2e/app.py"])
def test_static_file_that_is_not_there_is_the_usual_page(sqlite_world: World, path: str) -> None:
    answer = ask(sqlite_world.app, path)
    assert (answer.status, answer.h1) == (404, "We can't find that page")
    check_headers(answer)


@pytest.mark.case("K-09")
def test_health_says_so_in_text_and_sets_no_cookie(world: World) -> None:
    for path, text in (("/healthz", "up"), ("/readyz", "ready")):
        answer = ask(world.app, path)
        assert (answer.status, answer.text.strip(), answer.header("Content-Type").partition(";")[0]) == (
            200,
            text,
            "text/plain",
        )
        assert not answer.header("Set-Cookie")
        check_headers(answer, dynamic=False)


def test_readiness_is_denied_while_migrations_are_to_be_done(sqlite_world: World) -> None:
    change(sqlite_world, "UPDATE alembic_version SET version_num = 'older'")
    answer = ask(sqlite_world.app, "/readyz")
    assert (answer.status, ask(sqlite_world.app, "/healthz").status) == (503, 200)
    assert "flask db upgrade" in answer.text and str(sqlite_world.instance) not in answer.text


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
@pytest.mark.parametrize(
    "path", ["/fabrikam.example", SIGN_IN, "/fabrikam.example/apps", f"{SIGN_IN}/{SOMEBODY}", "/x"]
)
def test_pages_and_redirects_carry_the_headers(sqlite_world: World, path: str, method: str) -> None:
    check_headers(ask(sqlite_world.app, path, method))


def test_head_is_get_without_the_body(sqlite_world: World) -> None:
    browser = sqlite_world.signed_in(NICOLE)
    for path in ("/fabrikam.example", "/fabrikam.example/apps/project-plan", SIGN_IN, "/nothing", "/"):
        get, head = (ask_as(browser, sqlite_world.app, path, method) for method in ("GET", "HEAD"))
        assert (get.status, get.headers, head.body) == (head.status, head.headers, b"")


@pytest.mark.case("C-08")
def test_answers_with_a_cookie_are_never_kept(sqlite_world: World) -> None:
    browser = at_send_code(sqlite_world, ALEX)
    put_cookie(browser, "guestauth-visit", "forged")
    answer = ask_as(browser, sqlite_world.app, "/fabrikam.example")
    assert answer.header("Set-Cookie") and answer.status == 302
    check_headers(answer)


@pytest.mark.acceptance(14)
def test_address_of_every_form_answers_get(sqlite_world: World) -> None:
    rules = [rule for rule in sqlite_world.app.url_map.iter_rules() if "POST" in (rule.methods or ())]
    pages = [rule for rule in rules if rule.endpoint.partition(".")[0] in ("guest", "admin", "common")]
    assert len(pages) > 30 and [rule.rule for rule in pages if "GET" not in (rule.methods or ())] == []
