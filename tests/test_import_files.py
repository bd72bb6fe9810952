"""Files of guests to invite: the original's format, and what is said of each line (B20)."""

import uuid

import pytest

from guestauth import import_files, invitations, policies, spreadsheets
from guestauth.import_files import COLUMNS, Line
from guestauth.policies import DomainList
from tests.probe import tables
from tests.steps import another
from tests.world import ADMIN, ALEX, BY, FABRIKAM, NICOLE, STRANGER, World

TITLES = list(COLUMNS.values())[:4]
ORIGINAL = ["version:v1.0,,,", ",".join(TITLES)]
SHORT = "[inviteeEmail],[inviteRedirectURL],[sendEmail],[customizedMessageBody],[inviteeName]"


def plan(world: World, *lines: str, head: list[str] | None = None, encoding: str = "utf-8") -> list[Line]:
    text = "\r\n".join([*(ORIGINAL if head is None else head), *lines])
    return world.do(import_files.planned, FABRIKAM, text.encode(encoding))


def why_not(world: World, *lines: str) -> str:
    with pytest.raises((import_files.ImportFileRefused, spreadsheets.NotASpreadsheet)) as refused:
        plan(world, *lines, head=[])
    return str(refused.value)


def target(world: World, typed: str) -> tuple[str | None, str]:
    (line,) = plan(world, f"{STRANGER},{typed},,")
    return line.outcome, line.target


# The file as a whole.


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("head", [ORIGINAL, ORIGINAL[1:], ["VERSION:v1.0", ORIGINAL[1]], ["", *ORIGINAL]])
def test_original_format_is_read(sqlite_world: World, head: list[str], encoding: str) -> None:
    (line,) = plan(sqlite_world, f'{STRANGER},/apps/x,True,"Ä, b\nc"', head=head, encoding=encoding)
    assert (line.mail, line.target, line.send_mail, line.message) == (STRANGER, "/apps/x", True, "Ä, b\nc")
    assert (line.n, line.outcome, line.reason) == (len(head) + 1, None, None)


@pytest.mark.parametrize("version", ["version:v1.0", "version:v1.0;;;;"])
def test_semicolons_separate_as_well(sqlite_world: World, version: str) -> None:
    (line,) = plan(sqlite_world, f"{STRANGER};;true;a, b;Sam", head=[version, SHORT.replace(",", ";")])
    assert (line.mail, line.message, line.display_name) == (STRANGER, "a, b", "Sam")


def test_columns_stand_in_any_order_and_two_are_enough(sqlite_world: World) -> None:
    (line,) = plan(sqlite_world, f"/apps/x,{STRANGER},,", head=["Where [INVITEREDIRECTURL],Who [inviteeEmail],,"])
    assert line == Line(n=2, mail=STRANGER, display_name="", message="", target="/apps/x")


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["version:v2.0", SHORT, "x"], "says version:v2.0; only version:v1.0"),
        ([], "is empty"),
        (["version:v1.0"], "is empty"),
        ([SHORT], "has no guests"),
        (["[inviteeEmail],[sendEmail]", "x"], "lacks a column that is required: [inviteRedirectURL]"),
        (["[sendEmail]", "x"], "required: [inviteeEmail], [inviteRedirectURL]"),
        ([f"{SHORT},Phone [phone]", "x"], "not known: Phone [phone]. The columns are [inviteeEmail]"),
        (["Email,Url", "x"], "not known: Email."),
        ([f"{SHORT},Again [inviteeEmail]", "x"], "[inviteeEmail] twice"),
        ([SHORT, '"x'], "cannot be read as CSV"),
        ([SHORT, "\x00"], "is not text"),
    ],
)
def test_file_that_is_no_list_of_guests_is_refused_with_the_reason(
    sqlite_world: World, lines: list[str], words: str
) -> None:
    assert words in why_not(sqlite_world, *lines)


def test_file_that_is_no_text_is_refused(sqlite_world: World) -> None:
    with pytest.raises(spreadsheets.NotASpreadsheet, match="UTF-8"):
        sqlite_world.do(import_files.planned, FABRIKAM, b"PK\x03\x04\xff\xfe")


def test_ten_thousand_guests_are_the_most(sqlite_world: World) -> None:
    assert why_not(sqlite_world, SHORT, *["x"] * 10_001).startswith(
        "The file has 10,001 guests; 10,000 are the most"
    )
    assert len(plan(sqlite_world, *["x"] * 10_000)) == 10_000


def test_planning_keeps_nothing(world: World) -> None:
    before = tables(world)
    plan(world, f"{STRANGER},,,", f"{ALEX},,,", "nobody,,,")
    assert tables(world) == before


# Its lines.


def test_lines_are_counted_as_a_spreadsheet_counts_them(sqlite_world: World) -> None:
    lines = plan(sqlite_world, 'a@b.example,,,"one\ntwo"', "", ",,,", "c@d.example,,,")
    assert [(line.n, line.mail) for line in lines] == [(3, "a@b.example"), (6, "c@d.example")]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("nobody,,,", "The address is not like name@example.com"),
        (",/apps/x,,", "There is no address"),
        (f"{STRANGER},,yes,", "[sendEmail] is true or false, not yes"),
        (f"{STRANGER},,true,Hello, you", "a message with commas stands in quotes"),
        (f"{STRANGER},,,{'x' * 2001}", "A message has 2,000 characters at most"),
        (f"{STRANGER},/{'x' * 2000},,", "Where to land is a path within the tenant"),
        (f"{STRANGER},https://myapps.microsoft.com,,", "not another site"),
    ],
)
def test_line_that_cannot_be_used_says_why(sqlite_world: World, line: str, words: str) -> None:
    (refused,) = plan(sqlite_world, line)
    assert refused.outcome == "refused" and words in (refused.reason or "")


@pytest.mark.parametrize(
    ("typed", "send"), [("true", True), ("TRUE", True), (" False ", False), ("", False), ("false", False)]
)
def test_mail_is_sent_only_if_the_line_says_so(sqlite_world: World, typed: str, send: bool) -> None:
    (line,) = plan(sqlite_world, f"{STRANGER},,{typed},")
    assert (line.outcome, line.send_mail) == (None, send)


def test_long_name_is_refused(sqlite_world: World) -> None:
    (line,) = plan(sqlite_world, f"{STRANGER},,,,{'x' * 201}", head=[SHORT])
    assert line.reason == "A name has 200 characters at most"


def test_who_is_there_already_is_skipped(world: World) -> None:
    lines = plan(world, f"{ALEX},,,", f"{NICOLE.upper()},,,", f"{ADMIN},,,", f"{STRANGER},,,")
    assert [line.outcome for line in lines] == ["skipped", "skipped", "skipped", None]
    assert lines[0].reason == f"{ALEX} is a guest already; nothing was changed"


def test_address_again_in_the_file_is_doubled_unless_the_one_above_is_refused(world: World) -> None:
    lines = plan(world, f"{STRANGER},,wrong,", f"{STRANGER},,,", f"{STRANGER.upper()},,,")
    assert [line.outcome for line in lines] == ["refused", None, "doubled"]
    assert lines[2].reason == "Line 4 has the same address"


def test_domain_that_is_not_let_in_is_refused_as_inviting_would(world: World) -> None:
    world.do(policies.limit_domains, FABRIKAM, DomainList("deny", ["example.com"]), by=BY)
    (line, other) = plan(world, f"{STRANGER},,,", "a@b.example,,,")
    with pytest.raises(invitations.DomainRefused) as refused:
        world.do(invitations.invite, FABRIKAM, STRANGER, by=BY)
    assert (line.outcome, line.reason, other.outcome) == ("refused", str(refused.value), None)


# Where they land.


@pytest.mark.parametrize(
    ("typed", "path"),
    [
        ("", ""),
        ("/", ""),
        ("/apps/welcome-pack", "/apps/welcome-pack"),
        ("/apps/welcome-pack?a=b", "/apps/welcome-pack?a=b"),
        ("/fabrikam.example/apps/welcome-pack", "/apps/welcome-pack"),
        (f"/{FABRIKAM}", ""),
        ("http://127.0.0.1:5000/fabrikam.example", ""),
        ("http://127.0.0.1:5000/FABRIKAM.example/apps/welcome-pack", "/apps/welcome-pack"),
        (f"HTTP://127.0.0.1:5000/{str(FABRIKAM).upper()}/apps/welcome-pack", "/apps/welcome-pack"),
    ],
)
def test_address_of_ours_or_a_path_is_where_they_land(sqlite_world: World, typed: str, path: str) -> None:
    assert target(sqlite_world, typed) == (None, path)


@pytest.mark.parametrize(
    "typed",
    [
        "https://myapps.microsoft.com",
        "https://127.0.0.1:5000/fabrikam.example",
        "http://127.0.0.1:5000",
        "http://127.0.0.1:5000/apps/welcome-pack",
        "http://127.0.0.1:5000/woodgrove.example/apps/x",
        "http://127.0.0.1:5000@evil.example/fabrikam.example",
        "/woodgrove.example/apps/x",
        f"/{uuid.UUID(int=1)}/apps/x",
        "//evil.example/fabrikam.example",
        "apps/welcome-pack",
        "fabrikam.example/apps",
        "?tenantid=fabrikam.example",
        "javascript:alert(1)",
        "http://[::1",
    ],
)
def test_any_other_address_is_refused(sqlite_world: World, typed: str) -> None:
    assert target(sqlite_world, typed)[0] == "refused"


def test_address_is_compared_with_the_public_url(world: World) -> None:
    served = another(world, PUBLIC_URL="https://guests.example.org")
    assert target(served, "https://guests.example.org/fabrikam.example/apps/x") == (None, "/apps/x")
    assert target(served, "http://127.0.0.1:5000/fabrikam.example/apps/x")[0] == "refused"
