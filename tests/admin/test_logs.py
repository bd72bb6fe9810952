"""The sign-in log and the audit log in the console: filters, pages, CSV (B33; issue 3, point 8)."""

import csv
import io
import re

import pytest

from guestauth import audit, guests, journal
from guestauth.audit import Caller
from guestauth.database import db, now, operation
from guestauth.models import Event
from tests.admin import CONSOLE, at_console
from tests.browser import Browser
from tests.pages import words
from tests.probe import ask_as, change
from tests.world import ADMIN, ALEX, FABRIKAM, NICOLE, WOODGROVE, World

HOSTILE = '=1+1"><script>alert(1)</script>{{7*7}}'


def rows(browser: Browser) -> list[str]:
    return [words(row) for row in browser.page.xpath("//tbody/tr")]


def table(browser: Browser, world: World, path: str, query: str = "") -> list[list[str]]:
    answer = ask_as(browser, world.app, CONSOLE + path, query=query)
    assert answer.status == 200 and answer.header("Content-Type").startswith("text/csv")
    return list(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"))))


@operation
def many(count: int) -> None:
    """Record events one minute apart, named by number in their reason."""
    for n in range(count):
        db.session.add(
            Event(
                at=now(), name="sign-in", result="refused", reason=f"n{n:04}", actor="visitor", tenant_id=FABRIKAM
            )
        )


# What stands there.


def test_sign_in_log_says_what_who_when_and_from_where(world: World) -> None:
    first = rows(at_console(world, "/sign-ins"))[0]
    assert "Somebody entered a code" in first and "success" in first and ADMIN in first
    assert "127.0.0.1, a browser" in first and re.match(r"\d+ \w+ \d{4} \d\d:\d\d UTC ", first)


def test_sign_in_log_has_signing_in_only_and_the_audit_log_everything(world: World) -> None:
    browser = at_console(world, "/sign-ins")
    assert not [row for row in rows(browser) if "invited" in row]
    assert [row for row in rows(browser.click("Audit")) if "A guest was invited" in row]
    assert [row for row in rows(browser) if "Somebody entered a code" in row]


def test_audit_log_says_who_did_it_to_whom(world: World) -> None:
    browser = at_console(world, "/audit")
    administrator = world.do(guests.find, FABRIKAM, ADMIN)
    by = Caller(actor="administrator", user_id=administrator.id, correlation_id="c0ffee")
    world.do(guests.block, FABRIKAM, NICOLE, by=by)
    (row,) = [row for row in rows(browser.open(f"{CONSOLE}/audit")) if "A guest was blocked" in row]
    assert f"administrator {ADMIN} {NICOLE}" in row and "c0ffee" in row
    assert len(rows(browser.submit("filter", address=ADMIN, event="guest.blocked"))) == 1


def test_another_tenants_events_are_not_there(sqlite_world: World) -> None:
    sqlite_world.do(guests.find, FABRIKAM, ADMIN)
    other = at_console(sqlite_world, "/audit", mail="admin@woodgrove.example", tenant="woodgrove.example")
    assert not [row for row in rows(other) if NICOLE in row or ALEX in row]
    assert "fabrikam" not in ask_as(other, sqlite_world.app, "/woodgrove.example/admin/audit/export").text
    assert len(sqlite_world.rows("SELECT * FROM events WHERE tenant_id = :id", id=WOODGROVE.hex)) == len(
        rows(other)
    )


def test_what_came_from_outside_is_text_on_the_page_and_no_formula_in_the_file(sqlite_world: World) -> None:
    browser = at_console(sqlite_world, "/audit")
    change(
        sqlite_world,
        "UPDATE events SET browser = :x, address = :x, client_address = :x, reason = :x",
        x=HOSTILE[:45],
    )
    assert HOSTILE[:45] in browser.open(f"{CONSOLE}/audit").text
    (_, *found) = table(browser, sqlite_world, "/audit/export")
    assert all(cell.startswith("'=1+1") for row in found for cell in row if "script" in cell)


# Filters.


@pytest.mark.parametrize(
    ("fields", "event"),
    [
        ({"address": "NICOLE@firstup"}, "passcode.requested"),
        ({"address": NICOLE, "event": "sign-in"}, "sign-in"),
        ({"result": "refused"}, "sign-in"),
    ],
)
def test_log_is_narrowed(sqlite_world: World, fields: dict[str, str], event: str) -> None:
    sqlite_world.signed_in(NICOLE)
    sqlite_world.do(many, 1)
    browser = at_console(sqlite_world, "/sign-ins").submit("filter", **fields)
    found = rows(browser)
    assert found and not [row for row in found if ADMIN in row]
    assert [row for row in found if audit.EVENTS[event][1:] in row]


def test_log_is_narrowed_by_days_both_included(world: World) -> None:
    browser = at_console(world, "/sign-ins")
    today, tomorrow = world.do(now), world.do(now).replace(year=2999)
    day, later = today.strftime("%Y-%m-%d"), tomorrow.strftime("%Y-%m-%d")
    assert rows(browser.submit("filter", **{"from": day, "to": day}))
    assert "There are no such events." in browser.submit("filter", **{"from": later, "to": ""}).text
    assert "There are no such events." in browser.submit("filter", **{"from": "", "to": "2020-01-01"}).text


@pytest.mark.parametrize("path", ["/sign-ins", "/audit", "/sign-ins/export", "/audit/export"])
@pytest.mark.parametrize(
    ("query", "error"),
    [
        ("event=nonsense", "Choose an event from the list"),
        ("result=odd", "Choose a result from the list"),
        ("from=yesterday", "Enter a day like 2026-11-20"),
        ("to=2026-13-01", "Enter a day like 2026-11-20"),
        ("to=9999-12-31", "Enter a day like 2026-11-20"),
    ],
)
def test_odd_filter_is_a_problem_at_its_field(sqlite_world: World, path: str, query: str, error: str) -> None:
    browser = at_console(sqlite_world).open(f"{CONSOLE}{path}?{query}")
    assert (browser.status, browser.errors, rows(browser)) == (422, [error], [])


ODD = ["before=x", "before=2026-01-01_", "before=2026-01-01_9" + "9" * 40, "after=0001-01-01T00:00:00%2B14:00_1"]
ODD += ["before=2026-01-01_-1", "address=%25", "address=" + "x" * 4000, "from=0001-01-01", "after=9999-12-31_1"]


@pytest.mark.parametrize("query", ODD, ids=lambda query: query[:30])
def test_odd_places_and_addresses_are_answered(world: World, query: str) -> None:
    browser = at_console(world)
    for path in ("/sign-ins", "/audit", "/audit/export"):
        assert ask_as(browser, world.app, CONSOLE + path, query=query).status == 200


# Pages.


def test_pages_of_50_lead_to_older_ones_and_back_and_do_not_move(world: World) -> None:
    world.do(many, 120)
    browser = at_console(world, "/sign-ins").submit("filter", result="refused")
    seen = [rows(browser), rows(browser.click("Older")), rows(browser.click("Older"))]
    assert [len(each) for each in seen] == [50, 50, 20]
    assert [row.split("refused ")[1][:5] for each in seen for row in each] == [
        f"n{n:04}" for n in range(119, -1, -1)
    ]
    world.do(many, 1)
    assert rows(browser.click("Newer")) == seen[1]
    assert rows(browser.click("Newer")) == seen[0]
    assert len(rows(browser.click("Newer"))) == 50 and "Newer" not in browser.text


def test_page_before_the_newest_is_whole(sqlite_world: World) -> None:
    sqlite_world.do(many, 60)
    browser = at_console(sqlite_world, "/sign-ins").submit("filter", result="refused").click("Older")
    assert len(rows(browser)) == 10
    assert len(rows(browser.click("Newer"))) == 50


# CSV.


def test_file_has_what_is_narrowed_and_all_of_it(world: World) -> None:
    world.do(many, 120)
    browser = at_console(world, "/audit").submit("filter", event="sign-in", result="refused")
    head, *found = table(browser, world, "/audit/export", "event=sign-in&result=refused")
    assert head[:4] == ["time", "event", "what", "result"] and len(found) == 120
    assert found[0][1:5] == [
        "sign-in",
        "somebody entered a code, or came back from an identity provider",
        "refused",
        "n0119",
    ]
    assert browser.page.xpath("//a[.='Download as CSV']/@href")[0].endswith(
        "/audit/export?event=sign-in&result=refused"
    )


def test_file_of_more_than_is_read_at_once_is_whole(world: World) -> None:
    count = 2 * journal.CHUNK + 50
    world.do(many, count)
    _, *found = table(at_console(world), world, "/sign-ins/export", "result=refused")
    assert [row[4] for row in found] == [f"n{n:04}" for n in range(count - 1, -1, -1)]


def test_file_says_what_else_there_is_to_know(sqlite_world: World) -> None:
    *_, made = table(at_console(sqlite_world), sqlite_world, "/audit/export", "event=tenant.created")
    assert made[-1] == "domains: fabrikam.example"
