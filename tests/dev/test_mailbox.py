"""The mailbox: every letter that left, in all its parts (INTERFACE `/dev/mailbox`; UX "The demo kit")."""

from datetime import datetime, timedelta
from email import message_from_string
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.dev import now
from tests.guest import DAY, at_enter_code
from tests.probe import ask
from tests.world import ALEX, NICOLE, STRANGER, World


def test_mailbox_shows_letters_newest_first_with_their_code(sqlite_world: World) -> None:
    sqlite_world.deliver()
    at_enter_code(sqlite_world, NICOLE)
    code = sqlite_world.code(NICOLE)
    browser = sqlite_world.browser().open("/dev/mailbox")
    letters = browser.page.xpath("//article")
    assert NICOLE in letters[0].text_content() and ALEX in letters[-1].text_content()
    assert letters[0].xpath(".//span[@class='digits']/text()") == [code]
    assert letters[-1].xpath(".//a[contains(@href, '/invitations/')]")


def test_mailbox_shows_mail_to_one_address(sqlite_world: World) -> None:
    at_enter_code(sqlite_world, NICOLE)
    sqlite_world.deliver()
    browser = sqlite_world.browser().open("/dev/mailbox").submit("filter", to=NICOLE.upper())
    assert NICOLE in browser.text and ALEX not in browser.text
    assert f"No mail to {STRANGER} yet." in browser.submit("filter", to=STRANGER).text
    assert ALEX in browser.click("Show all mail").text


def test_mailbox_without_mail_says_so(sqlite_world: World) -> None:
    assert "No mail yet." in sqlite_world.browser().open("/dev/mailbox").text


def test_mailbox_json_has_every_part_of_a_letter(sqlite_world: World) -> None:
    sqlite_world.deliver()
    at_enter_code(sqlite_world, NICOLE)
    code = sqlite_world.code(NICOLE)
    letters = sqlite_world.browser().open("/dev/mailbox.json").json()
    assert [letter["to"] for letter in letters] == [NICOLE, ALEX]
    assert set(letters[0]) == {"id", "to", "from", "subject", "date", "headers", "text", "html"}
    assert code in letters[0]["text"] and code in letters[0]["html"] and code not in letters[0]["subject"]
    assert letters[0]["headers"]["Auto-Submitted"] == "auto-generated"
    assert datetime.fromisoformat(letters[0]["date"]).utcoffset() == timedelta()


def test_mailbox_json_is_filtered_by_address_and_by_time(sqlite_world: World) -> None:
    sqlite_world.deliver()
    sqlite_world.advance(DAY)
    since = now(sqlite_world)
    at_enter_code(sqlite_world, NICOLE)
    sqlite_world.deliver()
    browser = sqlite_world.browser()
    for moment in (since.isoformat(), since.strftime("%Y-%m-%dT%H:%M:%SZ"), since.strftime("%Y-%m-%d %H:%M:%S")):
        found = browser.open(f"/dev/mailbox.json?since={quote(moment)}").json()
        assert [letter["to"] for letter in found] == [NICOLE]
    assert [letter["to"] for letter in browser.open("/dev/mailbox.json", to=ALEX).json()] == [ALEX]
    assert browser.open("/dev/mailbox.json", to=ALEX, since=since.isoformat()).json() == []


@pytest.mark.parametrize(
    "since", ["yesterday", "2026-13-01", "99999-01-01", "0001-01-01T00:00:00+14:00", "1", "-"]
)
def test_mailbox_json_since_nonsense_is_refused(sqlite_world: World, since: str) -> None:
    sqlite_world.deliver()
    answer = ask(sqlite_world.app, "/dev/mailbox.json", query=f"since={quote(since)}")
    assert answer.status == (200 if since.startswith("0001") else 400)


def test_letter_is_there_as_it_went_over_the_wire(sqlite_world: World) -> None:
    sqlite_world.deliver()
    (letter,) = sqlite_world.browser().open("/dev/mailbox.json").json()
    answer = ask(sqlite_world.app, f"/dev/mailbox/{letter['id']}.eml")
    assert (answer.status, answer.header("Content-Type")) == (200, "text/plain; charset=utf-8")
    message = message_from_string(answer.text)
    assert message["To"] == ALEX and message["Message-ID"] == letter["headers"]["Message-ID"]


def test_letter_s_html_is_sealed_in_a_frame_of_its_own(sqlite_world: World) -> None:
    sqlite_world.deliver()
    browser = sqlite_world.browser().open("/dev/mailbox")
    (frame,) = browser.page.xpath("//iframe")
    answer = ask(sqlite_world.app, frame.get("src"))
    policy = str(answer.header("Content-Security-Policy"))
    assert "sandbox" in frame.attrib and answer.status == 200 and "Accept invitation" in answer.text
    assert "sandbox" in policy and "default-src 'none'" in policy and "script-src" not in policy
    assert "frame-ancestors 'self'" in policy


@pytest.mark.parametrize("name", ["none", "..", "../secret_key", "..%2fsecret_key", "x" * 5000, "é", "*"])
@pytest.mark.parametrize("form", ["eml", "html"])
def test_letter_that_is_not_there_is_not_there(sqlite_world: World, name: str, form: str) -> None:
    assert ask(sqlite_world.app, f"/dev/mailbox/{name}.{form}").status == 404


def test_words_of_a_letter_are_text_in_the_mailbox(sqlite_world: World) -> None:
    at_enter_code(sqlite_world, NICOLE)
    sqlite_world.deliver()
    browser = sqlite_world.browser().open("/dev/mailbox", to="<script>alert(1)</script>")
    assert browser.status == 200 and "<script>alert(1)</script>" in browser.text


def test_code_in_the_mailbox_leads_to_the_page_that_waits_for_it(sqlite_world: World) -> None:
    waiting = at_enter_code(sqlite_world, NICOLE)
    code = sqlite_world.code(NICOLE)
    (link,) = sqlite_world.browser().open("/dev/mailbox").page.xpath("//p[@class='code']/a/@href")
    browser = waiting.fork().open(link)
    assert browser.h1 == "Check your email"
    assert browser.submit("enter-code", code=code).h1 == "Fabrikam apps"


def test_letter_shows_its_headers(sqlite_world: World) -> None:
    at_enter_code(sqlite_world, NICOLE)
    sqlite_world.deliver()
    (letter,) = sqlite_world.browser().open("/dev/mailbox", to=NICOLE).page.xpath("//article")
    headers = [each.text_content() for each in letter.xpath(".//dt")]
    assert {"Subject", "From", "To", "Message-ID", "Auto-Submitted"} <= set(headers)
    assert "auto-generated" in letter.text_content()


def test_letter_of_a_time_before_a_reset_has_no_page_any_more(sqlite_world: World) -> None:
    at_enter_code(sqlite_world, NICOLE)
    (kept,) = (path for path in _files(sqlite_world, NICOLE))
    raw = kept.read_bytes()
    sqlite_world.browser().open("/dev/reset").submit("reset")
    kept.write_bytes(raw)
    kept.with_name("no-letter-of-ours.eml").write_bytes(raw)
    page = sqlite_world.browser().open("/dev/mailbox", to=NICOLE).page
    assert len(page.xpath("//article")) == 2 and not page.xpath("//p[@class='code']/a")


def _files(world: World, to: str) -> list[Path]:
    return [world.instance / "mailbox" / f"{letter.id}.eml" for letter in world.letters(to)]
