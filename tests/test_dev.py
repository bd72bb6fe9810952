"""The demo kit, and none of it in production: INTERFACE `/dev`; UX "The demo kit", acceptance 32 and 33."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from email import message_from_string
from urllib.parse import quote

import pytest

from guestauth import database, demo
from tests.guest import DAY, at_enter_code
from tests.probe import ask, tables
from tests.servers import ROOT
from tests.world import ALEX, NICOLE, STRANGER, World

PRODUCTION = {
    "SECRET_KEY": "0f4c1e7a9b2d8365c7f0a1b2e3d4f5968778695a4b3c2d1e",
    "PUBLIC_URL": "https://guests.fabrikam.example",
    "MAIL_SERVER": "127.0.0.1",
}
DEV = [
    "/dev",
    "/dev/mailbox",
    "/dev/mailbox.json",
    "/dev/mailbox/x.eml",
    "/dev/mailbox/x.html",
    "/dev/clock",
    "/dev/reset",
]
CHANGED = "//div[@class='notice']//li/text()"


def now(world: World) -> datetime:
    return world.do(database.now)


# The start page


def test_every_link_of_the_start_page_works(world: World) -> None:
    world.deliver()
    links = world.browser().open("/dev").page.xpath("//main//a/@href")
    assert len(links) > 12
    for link in links:
        browser = world.browser().open(link)
        assert browser.status == (400 if link == "/myapps" else 200), link


@pytest.mark.parametrize(
    ("link", "h1"),
    [
        ("Open Alex's invitation", "Fabrikam has invited you"),
        ("Expense portal", "Sign in to Fabrikam"),
        ("Common endpoint", "This link doesn't say which organisation you are visiting"),
        ("Sign in to Contoso", "Sign in to Contoso"),
        ("Move the clock", "Clock"),
        ("Open the mailbox", "Mailbox"),
    ],
)
def test_scenario_leads_where_it_says(sqlite_world: World, link: str, h1: str) -> None:
    assert sqlite_world.browser().open("/dev").click(link).h1 == h1


def test_start_page_names_the_cast(sqlite_world: World) -> None:
    browser = sqlite_world.browser().open("/dev")
    for tenant_id, (name, domain) in demo.CAST.items():
        assert name in browser.text and domain in browser.text and str(tenant_id) in browser.text


def test_newcomer_signs_alex_in_with_nothing_but_links_and_buttons(sqlite_world: World) -> None:
    browser = sqlite_world.browser().open("/dev").click("Open Alex's invitation")
    browser.submit("accept-invitation").submit("send-code")
    sqlite_world.deliver()
    code = browser.fork().open("/dev").click("Mailbox").page.xpath("//span[@class='digits']/text()")[0]
    browser.submit("enter-code", code=code).submit("consent", button=("decision", "accept"))
    assert browser.h1 == "Project plan"


@pytest.mark.parametrize(
    "path", ["/dev", "/dev/mailbox", "/dev/clock", "/dev/reset", "/fabrikam.example/sign-in", "/x"]
)
def test_every_page_of_the_demo_has_the_bar(sqlite_world: World, path: str) -> None:
    browser = sqlite_world.browser().open(path)
    assert [browser.fork().open(path).click(link).h1 for link in ("Start", "Mailbox", "Clock")] == [
        "Try GuestAuth",
        "Mailbox",
        "Clock",
    ]


# The mailbox


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


# The clock


def test_clock_moves_by_its_steps_and_back(world: World) -> None:
    before, browser = now(world), world.browser().open("/dev/clock")
    for seconds in ("60", "1860", "86460"):
        browser.submit("clock-steps", button=("advance", seconds))
        assert browser.status == 200 and "The clock was moved." in browser.text
    ahead = now(world) - before
    assert timedelta(seconds=88380) <= ahead < timedelta(seconds=88440)
    browser.submit("clock-reset")
    assert now(world) - datetime.now(UTC) < timedelta(seconds=1)


def test_clock_moves_by_any_number_of_seconds(sqlite_world: World) -> None:
    before = now(sqlite_world)
    browser = sqlite_world.browser().open("/dev/clock").submit("clock", advance="3600")
    assert timedelta(seconds=3600) <= now(sqlite_world) - before < timedelta(seconds=3660)
    assert "ahead of this computer's clock" in browser.text
    browser.submit("clock", advance="-3600")
    assert now(sqlite_world) - before < timedelta(seconds=60)


def test_clock_says_what_it_changed(sqlite_world: World) -> None:
    sqlite_world.signed_in(NICOLE)
    at_enter_code(sqlite_world, ALEX)
    at_enter_code(sqlite_world, NICOLE)
    at_enter_code(sqlite_world, STRANGER)
    browser = sqlite_world.browser().open("/dev/clock")
    browser.submit("clock-steps", button=("advance", "60"))
    assert "Nothing else changed." in browser.text
    assert browser.submit("clock-steps", button=("advance", "1860")).page.xpath(CHANGED) == ["2 codes expired"]
    assert browser.submit("clock-steps", button=("advance", "86460")).page.xpath(CHANGED) == ["1 session ended"]


def test_reload_after_moving_the_clock_moves_it_no_further(sqlite_world: World) -> None:
    browser = sqlite_world.browser().open("/dev/clock").submit("clock", advance="3600")
    assert [hop.status_code for hop in browser.history] == [303]
    before = now(sqlite_world)
    browser.open(browser.url)
    assert now(sqlite_world) - before < timedelta(seconds=60)


@pytest.mark.parametrize(
    "typed", ["", "soon", "1.5", "1e3", "٣", "60\u200b", "--1", "9" * 12, "9" * 5000, "1_000", "<b>", "0x10"]
)
def test_clock_refuses_what_is_no_number_and_keeps_it(sqlite_world: World, typed: str) -> None:
    browser = sqlite_world.browser().open("/dev/clock").submit("clock", advance=typed)
    assert (
        browser.status == 422 and len(browser.errors) == 1 and browser.errors[0].startswith("Enter a whole number")
    )
    assert browser.form("clock").xpath(".//input[@name='advance']/@value") == ([typed] if typed else [])
    assert now(sqlite_world) - datetime.now(UTC) < timedelta(seconds=1)


def test_clock_cannot_be_moved_out_of_the_calendar(sqlite_world: World) -> None:
    browser = sqlite_world.browser().open("/dev/clock")
    for seconds in ("316224000", "316224000", "-316224000", "-316224000", "-316224000"):
        browser.submit("clock", advance=seconds)
    assert browser.status == 422 and abs(now(sqlite_world) - datetime.now(UTC)) < timedelta(days=3700)
    assert browser.open("/fabrikam.example/sign-in").status == 200


def test_clock_without_the_page_s_token_stands_still(sqlite_world: World) -> None:
    assert ask(sqlite_world.app, "/dev/clock", "POST", form={"advance": "3600"}).status == 400
    assert ask(sqlite_world.app, "/dev/clock", query="advance=3600").status == 200
    assert now(sqlite_world) - datetime.now(UTC) < timedelta(seconds=1)


# Starting afresh


def test_reset_gives_the_same_data_again(world: World) -> None:
    names = {"tenants": "id", "users": "id", "resources": "id", "domains": "name", "shares": "user_id"}
    before = {table: sorted(world.rows(f"SELECT {name} FROM {table}")) for table, name in names.items()}
    browser = world.signed_in(ALEX)
    world.advance(DAY // 2)
    assert browser.open("/dev/reset").submit("reset").h1 == "Try GuestAuth"
    assert {table: sorted(world.rows(f"SELECT {name} FROM {table}")) for table, name in names.items()} == before


def test_reset_ends_sessions_empties_the_mailbox_and_puts_the_clock_right(sqlite_world: World) -> None:
    browser = sqlite_world.signed_in(ALEX)
    sqlite_world.advance(DAY // 2)
    browser.open("/dev/reset").submit("reset")
    assert browser.open("/fabrikam.example").h1 == "Sign in to Fabrikam"
    assert [letter.message["To"] for letter in sqlite_world.letters()] == [ALEX]
    assert now(sqlite_world) - datetime.now(UTC) < timedelta(seconds=1)
    assert sqlite_world.rows("SELECT state FROM users WHERE mail = :mail", mail=ALEX) == [("PendingAcceptance",)]


def test_reset_by_get_or_without_the_token_changes_nothing(sqlite_world: World) -> None:
    before = tables(sqlite_world)
    assert ask(sqlite_world.app, "/dev/reset").status == 200
    assert ask(sqlite_world.app, "/dev/reset", "POST", form={}).status == 400
    assert tables(sqlite_world) == before


# From this machine only, in the demo only


@pytest.mark.parametrize("path", DEV)
@pytest.mark.parametrize("address", ["192.0.2.1", "::ffff:192.0.2.1", "2001:db8::1", "", "10.0.0.1", "0.0.0.0"])
def test_other_machines_see_nothing(sqlite_world: World, path: str, address: str) -> None:
    answer = ask(sqlite_world.app, path, REMOTE_ADDR=address)
    assert (answer.status, answer.h1) == (404, "We can't find that page")


@pytest.mark.parametrize(
    "header", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "True-Client-IP", "X_Forwarded_For"]
)
def test_no_header_makes_another_machine_this_one(sqlite_world: World, header: str) -> None:
    value = "for=127.0.0.1" if header == "Forwarded" else "127.0.0.1"
    assert ask(sqlite_world.app, "/dev", headers={header: value}, REMOTE_ADDR="192.0.2.1").status == 404


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.8.8", "::1"])
def test_this_machine_by_any_of_its_names_sees_all(sqlite_world: World, address: str) -> None:
    assert ask(sqlite_world.app, "/dev", REMOTE_ADDR=address).status == 200


def test_production_has_no_rule_of_the_demo_and_not_even_its_code(tmp_path) -> None:
    script = (
        "import sys, guestauth\n"
        "app = guestauth.create_app(dict(pair.split('=', 1) for pair in sys.argv[1:]))\n"
        "assert 'guestauth.web.dev' not in sys.modules, 'loaded'\n"
        "assert not [rule for rule in app.url_map.iter_rules() if rule.rule.startswith('/dev')], 'registered'\n"
        "client = app.test_client()\n"
        "print({client.get(path, base_url='https://guests.fabrikam.example').status_code"
        f" for path in {DEV}}})\n"
    )
    settings = [f"{name}={value}" for name, value in {**PRODUCTION, "INSTANCE_PATH": str(tmp_path)}.items()]
    done = subprocess.run(
        [sys.executable, "-c", script, *settings], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert (done.stdout.strip(), done.returncode) == ("{404}", 0), done.stderr


def test_letters_lie_in_the_mailbox_for_nobody_else_to_read(sqlite_world: World) -> None:
    sqlite_world.deliver()
    assert (sqlite_world.instance / "mailbox").stat().st_mode & 0o077 == 0
