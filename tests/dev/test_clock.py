"""The clock: how it is moved, and what it says that ended (INTERFACE `/dev/clock`)."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.dev import now
from tests.guest import at_enter_code
from tests.probe import ask
from tests.world import ALEX, NICOLE, STRANGER, World

CHANGED = "//div[@class='notice']//li/text()"


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
