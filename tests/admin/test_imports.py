"""Invitations from a file, in the console: hand it in, see it first, invite, see what became of it (B20)."""

import csv
import io

import pytest

from guestauth.web.admin import imports
from tests.admin import CONSOLE, at_console
from tests.browser import Browser
from tests.forms import Upload
from tests.probe import action, ask_as, tables, token
from tests.world import ALEX, STRANGER, World

HEAD = "version:v1.0\n[inviteeEmail],[inviteRedirectURL],[sendEmail]\n"
PLACE = f"{CONSOLE}/guests/import"


def file(*lines: str, name: str = "people.csv", head: str = HEAD) -> Upload:
    return name, (head + "\n".join(lines)).encode()


def people(count: int) -> list[str]:
    return [f"guest{n:03d}@example.com,,true" for n in range(count)]


def handed_in(world: World, *lines: str, name: str = "people.csv") -> Browser:
    return at_console(world, "/guests/import").submit("import", file=file(*lines, name=name))


def guests(world: World) -> int:
    return int(world.rows("SELECT COUNT(*) FROM users WHERE mail LIKE 'guest%@example.com'")[0][0])


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """A request works off one row and no more."""
    monkeypatch.setattr(imports, "SECONDS", 0)


# Handing it in


def test_file_is_shown_before_anybody_is_invited(world: World) -> None:
    browser = handed_in(world, *people(3), f"{ALEX},,", "nobody,,", "guest001@example.com,,")
    assert browser.h1 == "Invitations from people.csv" and "Nobody is invited yet" in browser.text
    for words in ("To be invited 3", "Guest already 1", "Twice in the file 1", "Refused 1"):
        assert words in browser.text
    assert "Invite 3 people" in browser.text and guests(world) == 0


def test_problems_come_first(world: World) -> None:
    browser = handed_in(world, *people(60), "nobody,,")
    first = browser.page.xpath("//tbody/tr")[0]
    assert "63" in first.text_content() and "not like name@example.com" in first.text_content()
    assert len(browser.page.xpath("//tbody/tr")) == 50
    assert len(browser.click("Next page").page.xpath("//tbody/tr")) == 11


@pytest.mark.parametrize(
    ("upload", "words"),
    [
        (("a.csv", b"Email\nx"), "The file has a column that is not known: Email."),
        (("a.csv", b""), "The file is empty"),
        (("a.xlsx", b"PK\x03\x04\xff\xfe"), "The file is not text in UTF-8: save it as “CSV UTF-8”"),
        (("", b""), "Choose a CSV file"),
    ],
)
def test_file_that_is_no_good_says_why(world: World, upload: Upload, words: str) -> None:
    browser = at_console(world, "/guests/import")
    browser.submit("import", file=upload) if upload[0] else browser.submit("import")
    assert browser.status == 422 and browser.errors[0].startswith(words)
    assert world.rows("SELECT COUNT(*) FROM imports") == [(0,)]


def test_text_in_the_place_of_the_file_is_no_file(world: World) -> None:
    browser = at_console(world, "/guests/import")
    browser.post(PLACE, {"csrf_token": token(browser, "import"), "file": "a@b.example"})
    assert (browser.status, browser.errors) == (422, ["Choose a CSV file"])


def test_five_megabytes_are_the_most(world: World) -> None:
    browser = at_console(world, "/guests/import")
    assert browser.submit("import", file=("a.csv", b"x" * 5 * 2**20)).status == 413
    assert world.rows("SELECT COUNT(*) FROM imports") == [(0,)]


def test_odd_texts_of_a_file_are_shown_as_text(world: World) -> None:
    browser = handed_in(world, "<script>alert(1)</script>,,", f"{'x' * 3000},,", name="<b>a.csv")
    assert browser.h1 == "Invitations from <b>a.csv" and "<script>alert(1)</script>" in browser.text


def test_file_with_nobody_to_invite_says_so(world: World) -> None:
    browser = handed_in(world, f"{ALEX},,")
    assert "There is nobody to invite in this file." in browser.text and not browser.has_form("run")


def test_template_can_be_handed_in_as_it_is(world: World) -> None:
    browser = at_console(world, "/guests/import").click("download a template")
    assert browser.headers["Content-Disposition"] == 'attachment; filename="guests.csv"'
    content = browser.response.content
    browser.open(PLACE).submit("import", file=("guests.csv", content))
    assert "To be invited 1" in browser.text


# Inviting


def test_one_press_invites_everybody_if_they_are_few(world: World) -> None:
    browser = handed_in(world, *people(3), "nobody,,").submit("run")
    assert "3 people were invited" in browser.text and not browser.has_form("run")
    assert len(world.letters("guest002@example.com")) == 1 and guests(world) == 3


def test_work_in_parts_goes_on_until_everybody_is_invited(world: World, slow: None) -> None:
    browser = handed_in(world, *people(3)).submit("run")
    assert "1 of 3 done" in browser.text and browser.page.xpath("//progress/@value") == ["1"]
    assert browser.title.startswith("1 of 3 done")
    assert browser.form("run").get("data-continue") is not None
    browser.submit("run").submit("run")
    assert "3 people were invited" in browser.text and guests(world) == 3


def test_pause_shows_where_it_is_and_does_not_go_on_by_itself(world: World, slow: None) -> None:
    browser = handed_in(world, *people(3)).submit("run").click("Pause")
    assert "1 of 3 done" in browser.text and browser.form("run").get("data-continue") is None
    assert "Go on" in browser.text and guests(world) == 1


def test_page_opened_by_a_link_never_starts_by_itself(world: World) -> None:
    browser = handed_in(world, *people(3))
    assert browser.form("run").get("data-continue") is None


def test_button_of_two_browsers_and_pressed_again_invites_each_once(world: World, slow: None) -> None:
    browser = handed_in(world, *people(3))
    other = at_console(world).open(browser.path)
    for each in (browser, other, browser):
        each.submit("run")
    place, form = browser.path, {"csrf_token": token(other, "run")}
    other.post(place, form)
    world.deliver()
    assert guests(world) == 3 and all(len(world.letters(f"guest00{n}@example.com")) == 1 for n in range(3))


# What became of it


def test_results_can_be_narrowed_to_one_outcome(world: World) -> None:
    browser = handed_in(world, *people(2), "nobody,,").submit("run").submit("filter", outcome="refused")
    assert len(browser.page.xpath("//tbody/tr")) == 1 and "nobody" in browser.text
    assert "There is no such line." in browser.submit("filter", outcome="waiting").text


def test_results_are_a_csv_file_without_formulas(world: World) -> None:
    browser = handed_in(world, f"{STRANGER},,", '"=HYPERLINK(""http://evil.example"")",,', "+1@,,").submit("run")
    browser.click("Download as CSV")
    head, *rows = csv.reader(io.StringIO(browser.response.content.decode("utf-8-sig")))
    assert head == ["line", "mail", "displayName", "outcome", "reason"]
    assert [row[:2] for row in rows] == [
        ["3", STRANGER],
        ["4", '\'=HYPERLINK("http://evil.example")'],
        ["5", "'+1@"],
    ]
    assert [row[3] for row in rows] == ["invited", "refused", "refused"]


def test_earlier_files_are_listed(world: World, slow: None) -> None:
    browser = handed_in(world, *people(3)).submit("run").open(PLACE)
    assert "1 of 3" in browser.text
    assert browser.click("people.csv").h1 == "Invitations from people.csv"


def test_discarding_asks_once_and_leaves_the_guests(world: World, slow: None) -> None:
    browser = handed_in(world, *people(3)).submit("run").click("Discard")
    assert (
        "1 person was invited from it and stays a guest." in browser.text
        and "2 lines that wait will not" in browser.text
    )
    browser.submit("discard")
    assert "people.csv is discarded" in browser.text and guests(world) == 1
    assert world.rows("SELECT COUNT(*) FROM import_rows") == [(0,)]


# Whose it is


@pytest.mark.parametrize("page", ["", "/results", "/discard"])
def test_another_tenant_s_import_is_no_page(world: World, page: str) -> None:
    path = handed_in(world, *people(1)).path.removeprefix(CONSOLE)
    other = at_console(world, mail="admin@woodgrove.example", tenant="woodgrove.example")
    form = {"csrf_token": token(other.open("/woodgrove.example/admin/guests/import"), "import")}
    before = tables(world)
    place = f"/woodgrove.example/admin{path}{page}"
    assert ask_as(other, world.app, place).status == 404
    assert ask_as(other, world.app, place, "POST", form=form).status in (404, 405) and tables(world) == before


def test_import_discarded_meanwhile_is_no_page(world: World) -> None:
    browser = handed_in(world, *people(2))
    form = {"csrf_token": token(browser, "run")}
    place = action(browser, "run")
    browser.click("Discard").submit("discard")
    assert browser.post(place, form).status == 404 and guests(world) == 0
