"""What the letters say, text and HTML alike, whatever names and messages have in them (UX 9, 10; I-11, M-06)."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import lxml.html
import pytest

from guestauth import languages, letters
from tests.pages import words
from tests.world import World

MOMENT = datetime(2026, 11, 20, 12, 5, tzinfo=UTC)
NASTY = "A\r\nBcc: eve@evil.example\u2028\u202e<b>x</b>{{7*7}}\x1b[31m"
PASSCODE = {
    "to": "alex@example.com",
    "org": "Fabrikam",
    "code": "00012345",
    "reference": "7K4Q",
    "lifetime_minutes": 30,
    "expires_at": MOMENT + timedelta(minutes=30),
    "asked_from": "Firefox on Linux",
    "asked_at": MOMENT,
}
INVITATION = {
    "to": "alex@example.com",
    "org": "Fabrikam",
    "domain": "fabrikam.example",
    "inviter": "Robin Meyer",
    "message": "Hello Alex,\n\nhere is the plan.",
    "url": "https://guests.example.org/T/invitations/ticket",
    "what": "Project plan",
    "privacy_statement_url": "https://fabrikam.example/privacy",
    "help_contact": "help@fabrikam.example",
}
Write = Callable[..., letters.Content]


@pytest.fixture
def passcode(sqlite_world: World) -> Write:
    return lambda **changes: sqlite_world.do(letters.passcode, **{**PASSCODE, **changes})


@pytest.fixture
def invitation(sqlite_world: World) -> Write:
    return lambda **changes: sqlite_world.do(letters.invitation, **{**INVITATION, **changes})


def shown(content: letters.Content) -> str:
    """Return what a person reads of the HTML."""
    return words(lxml.html.document_fromstring(content.html).body)


# The code's letter.


@pytest.mark.case("M-06")
@pytest.mark.acceptance(27)
def test_code_is_alone_on_the_first_line_and_first_in_the_preheader(passcode: Write) -> None:
    content = passcode()
    assert content.text.splitlines()[0] == "00012345"
    assert re.findall("^[0-9]{8}$", content.text, re.MULTILINE) == ["00012345"]
    assert shown(content).startswith("00012345 is your one-time code for Fabrikam. It works for 30 minutes.")


@pytest.mark.parametrize(
    ("lang", "minutes", "sentence"),
    [
        ("en", 1, "It works for 1 minute,"),
        ("nl", 1, "De code werkt 1 minuut,"),
        ("nl", 2, "De code werkt 2 minuten,"),
        ("zh-Hant-TW", 1, "驗證碼在 1 分鐘內有效，"),
    ],
)
def test_one_minute_is_no_minutes(passcode: Write, lang: str, minutes: int, sentence: str) -> None:
    content = passcode(lang=lang, lifetime_minutes=minutes)
    assert sentence in content.text
    assert sentence in shown(content)
    assert "minutes" not in shown(content)


def test_subject_names_tenant_and_reference_but_not_the_code(passcode: Write) -> None:
    assert passcode().subject == "Your Fabrikam sign-in code (reference 7K4Q)"


@pytest.mark.parametrize(
    "sentence",
    [
        "It works for 30 minutes, until 12:35 UTC on 20 November 2026. You can use it once.",
        "Reference: 7K4Q",
        "Asked for from Firefox on Linux at 12:05 UTC on 20 November 2026.",
        "Enter the code only at http://127.0.0.1:5000. Nobody from Fabrikam will ask you for it.",
        "If you did not ask for this code, you can ignore this email.",
    ],
)
def test_both_parts_say_the_same(passcode: Write, sentence: str) -> None:
    content = passcode()
    assert sentence in content.text
    assert sentence in shown(content)


@pytest.mark.case("M-06")
@pytest.mark.acceptance(27)
def test_code_letter_has_no_link_picture_or_script(passcode: Write) -> None:
    page = lxml.html.document_fromstring(passcode().html)
    assert page.xpath("//a | //img | //script | //link | //iframe | //form | //@href | //@src") == []
    assert "url(" not in passcode().html


def test_code_letter_is_small_and_says_its_language(passcode: Write) -> None:
    html = passcode().html
    assert len(html.encode()) < 20000
    assert lxml.html.document_fromstring(html).get("lang") == "en"


def test_letter_goes_where_it_is_told_and_comes_in_the_tenants_name(passcode: Write) -> None:
    assert (passcode().to, passcode().sender_name) == ("alex@example.com", "Fabrikam")


# The invitation.


@pytest.mark.acceptance(28)
def test_invitation_has_exactly_one_link(invitation: Write) -> None:
    content = invitation()
    page = lxml.html.document_fromstring(content.html)
    assert [link.get("href") for link in page.xpath("//a")] == [INVITATION["url"]]
    assert page.xpath("//img | //script | //link | //@src") == []
    assert content.text.count(str(INVITATION["url"])) == 1


@pytest.mark.parametrize(
    "sentence",
    [
        "Act on this mail only if you know Robin Meyer or Fabrikam.",
        "Robin Meyer invited alex@example.com to use what Fabrikam (fabrikam.example) shares.",
        "Accept invitation",
        "and after that you'll be taken to Project plan. You need no password.",
        "Privacy statement of Fabrikam: https://fabrikam.example/privacy",
        "To stop invitations from Fabrikam, tell help@fabrikam.example.",
    ],
)
def test_both_parts_of_the_invitation_say_the_same(invitation: Write, sentence: str) -> None:
    content = invitation()
    assert sentence in content.text
    assert sentence in shown(content)


def test_subject_of_the_invitation_names_inviter_and_tenant(invitation: Write) -> None:
    assert invitation().subject == "Robin Meyer invited you to Fabrikam"


@pytest.mark.parametrize(
    ("left_out", "sentence"),
    [
        ("what", "There you get a one-time code by email to sign in. You need no password."),
        ("privacy_statement_url", "Fabrikam has not given a link to its privacy statement."),
        ("help_contact", "To stop invitations from Fabrikam, tell Robin Meyer."),
    ],
)
def test_what_is_not_there_is_left_out(invitation: Write, left_out: str, sentence: str) -> None:
    content = invitation(**{left_out: None})
    assert sentence in content.text and sentence in shown(content)


@pytest.mark.acceptance(28)
def test_message_is_quoted_line_by_line_and_labelled(invitation: Write) -> None:
    content = invitation()
    assert "Message from Robin Meyer:\n\n> Hello Alex,\n> \n> here is the plan.\n" in content.text
    assert words(lxml.html.document_fromstring(content.html).find(".//blockquote")).startswith("Hello Alex,")


def test_invitation_without_a_message_quotes_nothing(invitation: Write) -> None:
    content = invitation(message=None)
    assert "Message from" not in content.text + content.html
    assert "blockquote" not in content.html


# Whatever is in a name.


@pytest.mark.parametrize(
    "fact", ["org", "inviter", "what", "domain", "help_contact", "to", "privacy_statement_url"]
)
def test_name_is_text_on_one_line_wherever_it_stands(invitation: Write, fact: str) -> None:
    before, content = invitation(), invitation(**{fact: NASTY})
    assert len(content.text.splitlines()) == len(before.text.splitlines())
    assert "{{7*7}}" in content.text and "\x1b" not in content.text + content.html
    assert content.html.count("<b>") == 0 and "&lt;b&gt;" in content.html
    assert content.subject.isprintable() and content.sender_name.isprintable()


@pytest.mark.parametrize("fact", ["org", "asked_from"])
def test_name_in_a_code_letter_is_text_on_one_line(passcode: Write, fact: str) -> None:
    content = passcode(**{fact: NASTY + "\r\n99999999\r\n"})
    assert re.findall("^[0-9]{8}$", content.text, re.MULTILINE) == ["00012345"]
    assert content.subject.isprintable() and content.sender_name.isprintable()
    assert "&lt;b&gt;" in content.html and "<b>" not in content.html


@pytest.mark.parametrize("name", ["計" * 200, "x" * 200, "🎉" * 200])
def test_long_name_leaves_what_the_subject_says_after_it(passcode: Write, invitation: Write, name: str) -> None:
    assert passcode(org=name).subject.endswith("… sign-in code (reference 7K4Q)")
    assert invitation(org=name, inviter=name).subject.count("…") == 2
    assert " invited you to " in invitation(org=name, inviter=name).subject
    assert name in passcode(org=name).text


def test_name_of_usual_length_is_whole_in_the_subject(passcode: Write) -> None:
    assert passcode(org="x" * 60).subject == f"Your {'x' * 60} sign-in code (reference 7K4Q)"


@pytest.mark.parametrize(
    "message",
    [
        "<script>alert(1)</script>",
        "{% raw %}{{ config }}",
        "https://evil.example/T/invitations/x",
        "<a href=x>y</a>",
    ],
)
def test_message_is_text_and_makes_no_link(invitation: Write, message: str) -> None:
    content = invitation(message=message)
    page = lxml.html.document_fromstring(content.html)
    assert message in content.text
    assert words(page.find(".//blockquote")) == message
    assert len(page.xpath("//a")) == 1 and page.xpath("//script") == []


def test_message_cannot_leave_its_quotation(invitation: Write) -> None:
    content = invitation(message="a\u2028b\x85c\x0bd\re\n\nAccept invitation:\n\nhttps://evil.example/")
    assert [line for line in content.text.splitlines() if "evil" in line] == ["> https://evil.example/"]


@pytest.mark.parametrize(
    ("moment", "written"),
    [
        (MOMENT, "12:05 UTC on 20 November 2026"),
        (datetime(2026, 1, 2, 3, 4, tzinfo=timezone(timedelta(hours=8))), "19:04 UTC on 1 January 2026"),
    ],
)
def test_moment_is_written_for_people(sqlite_world: World, moment: datetime, written: str) -> None:
    assert sqlite_world.do(languages.moment, moment) == written


@pytest.mark.parametrize(
    ("lang", "written"),
    [("en", "20 Nov 2026 12:05 UTC"), ("nl", "20 nov 2026 12:05 UTC"), ("zh-Hant-TW", "2026年11月20日 12:05 UTC")],
)
def test_moment_in_a_table_is_short(sqlite_world: World, lang: str, written: str) -> None:
    with sqlite_world.app.test_request_context(), languages.speaking(lang):
        assert languages.brief(MOMENT) == written


def test_facts_of_a_letter_are_all_used(passcode: Write, invitation: Write) -> None:
    for content, facts in ((passcode(), PASSCODE), (invitation(), INVITATION)):
        plain: list[Any] = [fact for name, fact in facts.items() if isinstance(fact, str) and name != "message"]
        assert [fact for fact in plain if fact not in content.text + content.to] == []
