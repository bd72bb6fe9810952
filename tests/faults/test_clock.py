"""The clock jumps, on the machine or by the change to summer time (catalogue F-08).

Nothing gains a life by it, nothing crashes, and nothing is stuck afterwards: no letter waits for the hour to come.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import pytest

from guestauth import database
from tests.browser import Browser
from tests.e2e.site import HOME, LINK, Prepare, Site, site, text, wait_until
from tests.faults.invariants import check
from tests.faults.mail import OUTCOMES, break_down, invite

HOUR = 3600
SUMMER = datetime(2027, 3, 28, 0, 50, 20, tzinfo=UTC)  # ten minutes before clocks in Amsterdam go from 2 to 3
pytestmark = pytest.mark.case("F-08")


@pytest.fixture(params=["sqlite", "postgresql"])
def local(request: pytest.FixtureRequest, prepare: Prepare) -> Iterator[Site]:
    """A site on a machine whose time is that of Amsterdam."""
    with site(prepare(request.param, TZ="Europe/Amsterdam"), workers=4) as served:
        yield served


def signed_in(site: Site) -> Browser:
    return site.awaiting_consent(site.guest()).submit("consent", button=("decision", "accept"))


def gets_in(site: Site) -> bool:
    """Whether somebody new gets in, with the mail that takes."""
    return signed_in(site).h1 == "Fabrikam apps"


@pytest.mark.parametrize("jump", [-HOUR, 25 * HOUR])
def test_no_code_and_no_session_lives_on_after_a_jump(local: Site, jump: int) -> None:
    mail = local.guest()
    asked, inside, waiting = local.awaiting_code(mail), signed_in(local), local.browser().open(HOME)
    code = local.code(mail)
    local.advance(jump)
    assert "expired" in asked.submit("enter-code", code=code).text
    inside.open(HOME)
    assert inside.h1 in ("It's time for a new code", "Sign in to Fabrikam")
    assert waiting.submit("email-form", email=local.guest()).submit("send-code").h1 == "Check your email"
    assert gets_in(local)
    assert "Traceback" not in local.served.stderr()


@pytest.mark.parametrize("jump", [-HOUR, 25 * HOUR])
@pytest.mark.long
def test_nothing_is_stuck_after_a_jump(local: Site, jump: int) -> None:
    break_down(local.sink, "down")
    mail, invited = local.guest(), invite(local, 1)[0]
    local.awaiting_code(mail)
    wait_until(lambda: bool(local.world.rows(OUTCOMES, mail=mail)[0][1]))
    local.advance(jump)
    local.sink.start()
    wait_until(lambda: local.waiting() == 0, seconds=20)
    assert local.world.rows(OUTCOMES, mail=mail) == [("dropped", "the code would arrive dead")]
    assert len(local.letters(invited, LINK)) == 1
    local.advance(31)  # then the mail server is asked again how it is
    wait_until(lambda: "Email is delayed" not in local.awaiting_code(local.guest()).text)
    check(local, [])


@pytest.mark.long
def test_change_to_summer_time_changes_nothing(local: Site) -> None:
    local.advance(int((SUMMER - local.world.do(database.now)).total_seconds()))
    mail = local.guest()
    browser, code = local.awaiting_code(mail), local.code(mail)
    letter = local.letters(mail)[0]
    local.advance(20 * 60)
    assert browser.submit("enter-code", code=code).h1 == "Review permissions"
    assert "01:20 UTC on 28 March 2027" in text(letter)
    assert abs((parsedate_to_datetime(letter.message["Date"]) - SUMMER).total_seconds()) < 60
