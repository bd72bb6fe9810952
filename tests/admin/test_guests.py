"""The list of guests: search, filters, order, pages, CSV (B31)."""

import csv
import io

import pytest

from guestauth import guests, invitations
from tests.admin import CONSOLE, at_console
from tests.browser import Browser
from tests.pages import words
from tests.test_guests import many
from tests.world import ALEX, BY, FABRIKAM, NICOLE, STRANGER, WOODGROVE, World

GUESTS = f"{CONSOLE}/guests"
EXPORT = f"{GUESTS}/export"


def rows(browser: Browser) -> list[list[str]]:
    """The cells of the list, row by row."""
    return [[words(cell) for cell in row.xpath("./td")] for row in browser.page.xpath("//tbody/tr")]


def mails(browser: Browser) -> list[str]:
    return [row[1] for row in rows(browser)]


def table(browser: Browser) -> list[list[str]]:
    """The CSV file that the answer is."""
    return list(csv.reader(io.StringIO(browser.text.removeprefix("\ufeff"))))


def test_list_has_the_columns_of_b31(world: World) -> None:
    browser = at_console(world, "/guests")
    assert browser.h1 == "Users from other organizations"
    heads = [words(head) for head in browser.page.xpath("//thead//th")]
    assert heads[:5] == ["Name", "User name", "User type", "Source", "Invitation state"]
    alex, nicole = rows(browser)
    assert alex[:5] == ["Alex Doe", ALEX, "Guest", "Invited user", "Pending acceptance"]
    assert nicole[:5] == ["Nicole Wagner", NICOLE, "Guest", "OTP", "Accepted"] and nicole[6] == "Never"


def test_last_sign_in_is_shown(world: World) -> None:
    world.signed_in(NICOLE)
    assert rows(at_console(world, "/guests"))[1][6] != "Never"


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ({"q": "NICOLE"}, [NICOLE]),
        ({"q": "alex doe"}, [ALEX]),
        ({"source": "OTP"}, [NICOLE]),
        ({"source": "Invited user"}, [ALEX]),
        ({"state": "Accepted"}, [NICOLE]),
        ({"only": "blocked"}, [ALEX]),
        ({"only": "deleted"}, [STRANGER]),
    ],
)
def test_list_is_searched_and_narrowed_by_its_form(
    sqlite_world: World, typed: dict[str, str], found: list[str]
) -> None:
    sqlite_world.do(guests.block, FABRIKAM, ALEX, by=BY)
    sqlite_world.do(invitations.invite, FABRIKAM, STRANGER, by=BY)
    sqlite_world.do(guests.delete, FABRIKAM, STRANGER, by=BY)
    assert mails(at_console(sqlite_world, "/guests").submit("filter", **typed)) == found


def test_list_is_sorted_by_links_up_and_down_and_keeps_the_filter(sqlite_world: World) -> None:
    browser = at_console(sqlite_world, "/guests").submit("filter", q="e")
    assert mails(browser.click("Name")) == [ALEX, NICOLE]
    assert browser.page.xpath("//th[@aria-sort='ascending']")[0].text_content() == "Name"
    assert mails(browser.click("Name")) == [NICOLE, ALEX]
    assert browser.page.xpath("//th[@aria-sort='descending']")[0].text_content() == "Name"
    assert "q=e" in browser.url and browser.submit("filter", q="nicole").page.xpath("//th[@aria-sort]")


def test_blocked_and_revoked_guests_are_marked(world: World) -> None:
    world.do(guests.block, FABRIKAM, NICOLE, by=BY)
    world.do(invitations.revoke, FABRIKAM, ALEX, by=BY)
    alex, nicole = rows(at_console(world, "/guests"))
    assert (alex[4], nicole[4]) == ("Pending acceptance Invitation revoked", "Accepted Blocked")


def test_pages_hold_fifty_guests_and_lead_on_and_back(sqlite_world: World) -> None:
    for number in range(49):
        sqlite_world.do(invitations.invite, FABRIKAM, f"g{number:02}@example.com", by=BY, send_mail=False)
    browser = at_console(sqlite_world, "/guests")
    assert (len(rows(browser)), "51 guests" in browser.text, "Page 1 of 2" in browser.text) == (50, True, True)
    assert mails(browser.click("Next page")) == [NICOLE]
    assert len(rows(browser.click("Previous page"))) == 50
    assert mails(browser.open(f"{GUESTS}?page=99")) == [NICOLE]


@pytest.mark.parametrize("name", ["page", "sort", "source", "state", "only", "q"])
@pytest.mark.parametrize("path", [GUESTS, EXPORT])
def test_odd_address_gives_a_list_all_the_same(sqlite_world: World, path: str, name: str) -> None:
    browser = at_console(sqlite_world, "/guests")
    for value in ("", "x", "-1", "0", str(10**20), "9" * 5000, "1e9", "½", "%", "'", "--mail", "-", "mail,name"):
        assert browser.open(path, **{name: value}).status == 200, value


def test_empty_list_says_what_to_do(sqlite_world: World) -> None:
    for mail in ("riley.moore@gmail.com", "jamie.wood@gmail.com", "casey@firstup.example"):
        sqlite_world.do(guests.delete, WOODGROVE, mail, by=BY)
    browser = at_console(sqlite_world, "/guests", mail="admin@woodgrove.example", tenant="woodgrove.example")
    assert "No guests yet" in browser.text and not browser.has_form("filter")
    assert browser.click("Invite a guest").h1 == "Invite a guest"


def test_search_without_a_match_says_so_and_leads_back(sqlite_world: World) -> None:
    browser = at_console(sqlite_world, "/guests").submit("filter", q="nobody of that name")
    assert "No guest matches" in browser.text
    assert mails(browser.click("Show all guests")) == [ALEX, NICOLE]


def test_list_leads_to_the_guest_and_to_the_import(sqlite_world: World) -> None:
    browser = at_console(sqlite_world, "/guests")
    assert browser.page.xpath(f"//a[@href='{GUESTS}/import']")
    assert browser.click(NICOLE).h1 == "Nicole Wagner"


def test_no_guest_of_another_tenant_is_listed(world: World) -> None:
    browser = at_console(world, "/guests", mail="admin@contoso.example", tenant="contoso.example")
    assert mails(browser) == ["stranded@firstup.example"]
    assert [row[1] for row in table(browser.click("Export as CSV"))[1:]] == ["stranded@firstup.example"]


# As a CSV file


def test_export_is_the_list_as_narrowed(world: World) -> None:
    browser = at_console(world, "/guests").submit("filter", state="Accepted").click("Export as CSV")
    assert browser.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert browser.headers["Content-Disposition"] == 'attachment; filename="guests.csv"'
    assert [row[:5] for row in table(browser)] == [
        ["Name", "User name", "User type", "Source", "Invitation state"],
        ["Nicole Wagner", NICOLE, "Guest", "OTP", "Accepted"],
    ]


def test_export_carries_no_formula(sqlite_world: World) -> None:
    formula = "=HYPERLINK(1)"
    sqlite_world.do(invitations.invite, FABRIKAM, "+x@example.com", display_name=formula, by=BY)
    first = table(at_console(sqlite_world, "/guests").click("Export as CSV"))[1]
    assert first[:2] == ["'=HYPERLINK(1)", "'+x@example.com"]


def test_command_line_exports_the_same(sqlite_world: World) -> None:
    browser = at_console(sqlite_world, "/guests").click("Export as CSV")
    assert sqlite_world.run("guest", "export", "fabrikam.example").stdout_bytes == browser.response.content
    narrowed = sqlite_world.run("guest", "export", "fabrikam.example", "--search", "nicole", "--source", "otp")
    assert NICOLE in narrowed.stdout and ALEX not in narrowed.stdout


def test_command_line_searches_too(sqlite_world: World) -> None:
    found = sqlite_world.run("guest", "list", "fabrikam.example", "--search", "NICOLE").stdout
    assert NICOLE in found and ALEX not in found


def test_list_and_file_of_very_many_guests_are_whole(sqlite_world: World) -> None:
    many(sqlite_world, 5000)
    browser = at_console(sqlite_world, "/guests")
    assert "5,002 guests" in browser.text and len(rows(browser.click("Last sign-in"))) == 50
    assert len({row[1] for row in table(browser.click("Export as CSV"))[1:]}) == 5002
