"""Faults: what each breaks, and that real code meets it (UX "The demo kit"; B36, B37).

The mail server that fails is a real one on a port of its own; `deliver` is the courier's usual round.
"""

import pytest

from guestauth import courier, demo, faults, outbox
from tests.browser import Browser
from tests.guest import at_enter_code, at_send_code
from tests.probe import ask
from tests.servers import smtp_sink
from tests.steps import another, mailing
from tests.world import NICOLE, STRANGER, World

BUSY = "421 4.3.2 Too busy, try again later"
MAIL = [faults.DELAYED, faults.REFUSED, faults.HANGING]
REASONS = {faults.DELAYED: "421 4.3.2 Too busy", faults.REFUSED: "refused", faults.HANGING: "timed out"}
DELAYED = "Email is delayed at the moment."


def switched(world: World, name: str, to: str = "on") -> Browser:
    return world.browser().open("/dev/faults").submit(name, button=("switch", to))


def tags(browser: Browser) -> list[str]:
    return [tag.text for tag in browser.page.xpath("//h2/span[contains(@class, 'tag')]")]


@pytest.fixture
def world(sqlite_world: World) -> World:
    sqlite_world.app.config.update(MAIL_TIMEOUT=0.3)
    return sqlite_world


# Switching


@pytest.mark.parametrize("name", faults.FAULTS)
def test_fault_is_switched_on_and_off_and_stands_in_the_bar(world: World, name: str) -> None:
    browser, words = switched(world, name), faults.FAULTS[name].words
    assert tags(browser).count("On") == 1
    assert words in browser.page.find(".//nav").text_content()
    browser.submit(name, button=("switch", "off"))
    assert tags(browser).count("On") == 0 and words not in browser.page.find(".//nav").text_content()


def test_mail_server_fails_in_one_way_at_a_time(world: World) -> None:
    for name in MAIL:
        switched(world, name)
    assert world.do(faults.are_on) == [faults.HANGING]


def test_everything_is_switched_off_by_one_button_and_by_a_reset(world: World) -> None:
    switched(world, faults.DATABASE)
    switched(world, faults.REFUSED).submit("all-off", button=("switch", "off"))
    assert world.do(faults.are_on) == []
    switched(world, faults.DATABASE).open("/dev/reset").submit("reset")
    assert world.do(faults.are_on) == []


def test_fault_holds_in_every_process(world: World) -> None:
    switched(world, faults.DATABASE)
    other = another(world)
    assert at_send_code(other).status == 503


@pytest.mark.parametrize("form", [{"fault": "all", "switch": "no"}, {"fault": "../x", "switch": "on"}, {}])
def test_nothing_but_a_fault_is_switched(world: World, form: dict[str, str]) -> None:
    browser = world.browser().open("/dev/faults")
    token = browser.page.xpath("//input[@name='csrf_token']/@value")[0]
    assert browser.post("/dev/faults", {**form, "csrf_token": token}).status == 422
    assert world.do(faults.are_on) == []


def test_fault_is_not_switched_without_the_page_s_token(world: World) -> None:
    assert ask(world.app, "/dev/faults", "POST", form={"fault": faults.DATABASE, "switch": "on"}).status == 400
    assert world.do(faults.are_on) == []


# Mail


@pytest.mark.parametrize("name", MAIL)
def test_letter_waits_while_the_mail_server_fails_and_goes_afterwards(world: World, name: str) -> None:
    world.deliver()
    switched(world, name)
    browser = at_enter_code(world, NICOLE)
    assert (world.deliver(), world.letters(NICOLE)) == (1, [])
    assert REASONS[name] in world.do(outbox.status)["lastReason"]
    switched(world, name, "off")
    world.advance(10)
    browser.submit("enter-code", code=world.code(NICOLE))
    assert browser.h1 == "Fabrikam apps"


@pytest.mark.parametrize("mail", [NICOLE, STRANGER])
@pytest.mark.parametrize("name", MAIL)
def test_pages_say_that_mail_is_delayed_to_everybody(world: World, name: str, mail: str) -> None:
    assert DELAYED not in at_enter_code(world, mail).text
    switched(world, name)
    world.advance(31)
    courier.check_health(world.app)
    assert DELAYED in at_send_code(world, mail).text


def test_connection_from_before_is_not_used_while_the_mail_server_fails(world: World) -> None:
    with smtp_sink("plain") as sink:
        served = mailing(world, sink)
        for name in ("", faults.REFUSED, faults.DELAYED):
            if name:
                served.do(faults.turn_on, name)
            at_enter_code(served, NICOLE)
            for letter in served.do(outbox.lease, 1):
                served.do(outbox.deliver, letter)  # all in this thread, which keeps its connection
        reasons = served.rows("SELECT reason FROM letters WHERE kind = 'passcode' ORDER BY posted_at")
        assert len(sink.letters) == 1
    told = ["None", "[Errno 111] Connection refused", f"{BUSY}"[:30]]
    assert [str(reason)[:30] for (reason,) in reasons] == told


# The database, and a request


def test_busy_database_takes_nothing_and_loses_nothing(world: World) -> None:
    browser = at_send_code(world)
    switched(world, faults.DATABASE)
    assert browser.submit("send-code").status == 503 and browser.response.headers["Retry-After"]
    assert world.browser().open("/fabrikam.example/sign-in").status == 200
    switched(world, faults.DATABASE, "off")
    assert browser.open(browser.path).submit("send-code").h1 == "Check your email"


def test_next_request_fails_once_and_the_demo_s_pages_are_spared(world: World) -> None:
    switched(world, faults.REQUEST).open("/dev").open("/dev/clock").open("/static/style.css")
    browser = world.browser().open("/fabrikam.example/sign-in")
    assert (browser.status, browser.h1) == (500, "Something went wrong")
    assert browser.open("/fabrikam.example/sign-in").status == 200


def test_nothing_fails_that_was_not_switched_on(world: World) -> None:
    assert world.app.config["MAIL_SERVER"] == "" and world.do(faults.are_on) == []
    assert world.do(faults.claim, faults.REQUEST) is False


def test_resetting_the_demo_turns_every_fault_off(world: World) -> None:
    world.do(faults.turn_on, faults.DATABASE)
    world.do(demo.reset)
    assert world.do(faults.are_on) == []
