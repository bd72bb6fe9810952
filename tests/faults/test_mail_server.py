"""The mail server is down, hanging, refusing, greylisting, losing its answer, or not who it says (B36, B37).

Catalogue F-03, F-04, M-08, M-09. Pages answer as usual, no letter is lost, each arrives once, or more often
only when its receipt was lost; what could only arrive dead is dropped and the log says so.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from tests.browser import Browser
from tests.e2e.site import CODE, HOME, LINK, Prepare, Site, behind, site, text, wait_until
from tests.faults.mail import OUTAGES, OUTCOMES, arrivals, break_down, invite, is_settled, mend
from tests.servers import Certificates
from tests.world import STRANGER

DROPPED = "SELECT reason FROM events WHERE name = 'passcode.dropped' AND address = :mail"
VARIABLE = [
    (r'name="csrf_token" value="[^"]*"', "TOKEN"),
    (r"[0-9a-f]{8}-[0-9a-f-]{27}", "ID"),
    (r"guest-[0-9a-f]{12}", "GUEST"),
    (r"<time .*?</time>", "TIME"),
    (r'data-(until|now)="[^"]*"', "MOMENT"),
    (r'<bdi class="reference">.*?</bdi>', "REFERENCE"),
    (r'<p class="notice">Email is delayed at the moment.*?</p>\n?', ""),
]


def walk(site: Site) -> list[tuple[int, str]]:
    """Go the way in as far as one gets without a mail, and give what each page says."""
    browser, pages = site.browser(), []
    for act in (
        lambda: browser.open(f"{HOME}/apps/project-plan"),
        lambda: browser.submit("email-form", email="nobody"),
        lambda: browser.submit("email-form", email=site.guest()),
        lambda: browser.submit("send-code"),
        lambda: browser.submit("enter-code", code="123"),
        lambda: browser.submit("enter-code", code="12345678"),
        lambda: browser.submit("send-code"),
    ):
        act()
        pages.append((browser.status, masked(browser)))
    return pages


def masked(browser: Browser) -> str:
    """Give the page without what differs between any two visits."""
    assert browser.response is not None
    page = browser.response.text
    for pattern, word in VARIABLE:
        page = re.sub(pattern, word, page)
    return page


# What people see


@pytest.mark.case("F-03", "F-04")
@pytest.mark.parametrize("how", OUTAGES)
def test_pages_answer_as_usual_while_the_mail_server_is(mended_site: Site, how: str) -> None:
    usual = walk(mended_site)
    break_down(mended_site.sink, how)
    assert walk(mended_site) == usual
    assert [status for status, _ in usual] == [200, 422, 200, 200, 422, 422, 429]


@pytest.mark.long
@pytest.mark.case("F-03")
def test_nothing_waits_for_a_mail_server_that_stays_silent_for_a_minute(prepare: Prepare) -> None:
    with site(prepare("sqlite", MAIL_TIMEOUT="60"), workers=1) as silent:
        usual = walk(silent)
        break_down(silent.sink, "hanging")
        assert [walk(silent), walk(silent)] == [usual, usual]


@pytest.mark.case("F-03", "F-04")
@pytest.mark.parametrize("how", OUTAGES)
def test_each_waiting_letter_arrives_once_after_the_mail_server_was(mended_site: Site, how: str) -> None:
    site = mended_site
    break_down(site.sink, how)
    site.sink.clear()
    asked = [site.guest() for _ in range(3)]
    browsers = [site.awaiting_code(mail) for mail in asked]
    invited = invite(site, 2)
    mend(site)
    assert [len(site.letters(mail)) for mail in asked] == [1, 1, 1]
    assert [len(site.letters(mail, LINK)) for mail in invited] == [1, 1]
    browsers[0].submit("enter-code", code=site.code(asked[0]))
    assert browsers[0].h1 == "Review permissions"


@pytest.mark.long
def test_letter_whose_receipt_was_lost_comes_again_the_same(mended_site: Site) -> None:
    site, mail = mended_site, mended_site.guest()
    break_down(site.sink, "losing its answer")
    site.awaiting_code(mail)
    site.sink.wait_until(lambda sink: any(letter.recipients == [mail] for letter in sink.dropped))
    mend(site)
    lost = next(letter for letter in site.sink.dropped if letter.recipients == [mail])
    arrived = site.letters(mail)[0]
    assert [lost.message[name] for name in ("Message-ID", "Date", "Subject")] == [
        arrived.message[name] for name in ("Message-ID", "Date", "Subject")
    ]
    assert CODE.findall(text(lost)) == CODE.findall(text(arrived))


def test_code_that_could_only_arrive_dead_is_dropped_and_the_invitation_is_not(mended_site: Site) -> None:
    site, mail = mended_site, mended_site.guest()
    break_down(site.sink, "down")
    site.awaiting_code(mail)
    invited = invite(site, 1)[0]
    wait_until(lambda: is_settled(site))
    site.advance(29 * 60 + 1)  # 59 s before its end
    mend(site)
    assert site.world.rows(OUTCOMES, mail=mail) == [("dropped", "the code would arrive dead")]
    assert (len(site.letters(mail)), len(site.letters(invited, LINK))) == (0, 1)


@pytest.mark.case("F-04", "M-08")
def test_recipient_who_is_refused_for_good_holds_up_nobody(mended_site: Site) -> None:
    site, refused, other = mended_site, mended_site.guest(), mended_site.guest()
    site.sink.refuse()
    site.awaiting_code(refused)
    wait_until(lambda: site.world.rows(OUTCOMES, mail=refused)[0][0] == "failed")
    site.sink.accept()
    site.awaiting_code(other)
    assert site.code(other)
    assert site.world.rows(OUTCOMES, mail=refused)[0][1].startswith("550 ")


def test_pages_tell_everybody_alike_that_mail_is_delayed_and_when_it_is_not(mended_site: Site) -> None:
    def told(mail: str) -> bool:
        return "Email is delayed" in site.browser().open(HOME).submit("email-form", email=mail).text

    site, guest = mended_site, mended_site.guest()
    break_down(site.sink, "down")
    site.advance(31)
    wait_until(lambda: told(guest))
    assert told(STRANGER)
    site.sink.start()
    site.advance(31)
    wait_until(lambda: not told(guest))
    assert not told(STRANGER)


# How long it is away


@pytest.mark.parametrize("minutes", [pytest.param(5, marks=pytest.mark.long), 31])
def test_after_an_outage_dead_codes_are_dropped_and_all_else_arrives_once(mended_site: Site, minutes: int) -> None:
    site, early, late = mended_site, mended_site.guest(), mended_site.guest()
    break_down(site.sink, "down")
    browsers = {early: site.awaiting_code(early)}
    invited = invite(site, 1)[0]
    pass_in_vain(site, minutes)
    browsers[late] = site.awaiting_code(late)
    mend(site)
    dead = "the code would arrive dead"
    assert site.world.rows(OUTCOMES, mail=early) == [("sent", None) if minutes < 30 else ("dropped", dead)]
    assert [row[0] for row in site.world.rows(DROPPED, mail=early)] == ([] if minutes < 30 else [dead])
    assert (len(site.letters(late)), len(site.letters(invited, LINK))) == (1, 1)
    for mail in [early, late] if minutes < 30 else [late]:
        assert browsers[mail].submit("enter-code", code=site.code(mail)).h1 == "Review permissions"


def pass_in_vain(site: Site, minutes: int) -> None:
    """Let the time pass, with a try to deliver every few minutes."""
    for _ in range(5):
        site.advance(60 * minutes // 5)
        wait_until(lambda: is_settled(site))


@pytest.mark.long
def test_dead_code_can_be_asked_for_anew_in_the_same_place_after_an_outage(mended_site: Site) -> None:
    site, mail = mended_site, mended_site.guest()
    break_down(site.sink, "down")
    browser = site.awaiting_code(mail)
    pass_in_vain(site, 31)
    mend(site)
    browser.submit("send-code").submit("enter-code", code=site.code(mail))
    assert (browser.h1, len(site.letters(mail))) == ("Review permissions", 1)


# Who it says it is


@pytest.fixture(params=["sqlite", "postgresql"])
def misled(
    request: pytest.FixtureRequest, prepare: Prepare, certificates: Certificates, tmp_path: Path
) -> Iterator[Site]:
    """A site over https whose operator trusts somebody who has not signed the mail server's certificate."""
    trustme.CA().cert_pem.write_to_path(tmp_path / "other.pem")
    server = {"certfile": certificates.server.chain, "keyfile": certificates.server.key}
    tls = {"MAIL_USE_TLS": "on", "MAIL_CA_FILE": str(tmp_path / "other.pem")}
    settings = prepare(request.param, **tls, MAIL_TIMEOUT="10")  # patient: a late answer would be a second letter
    with behind(settings, ca=certificates.ca, **server) as made:
        yield made


@pytest.mark.long
@pytest.mark.case("M-09")
def test_letters_wait_for_a_mail_server_that_can_be_trusted(misled: Site, certificates: Certificates) -> None:
    mail = misled.guest()
    with misled.serving() as served:
        browser = misled.awaiting_code(mail)
        wait_until(lambda: "certificate" in str(misled.world.rows(OUTCOMES, mail=mail)))
        assert browser.h1 == "Check your email"
        said = served.stderr()
    misled.settings["MAIL_CA_FILE"] = str(certificates.ca)
    with misled.serving():
        mend(misled)
    assert (len(misled.letters(mail)), set(arrivals(misled).values())) == (1, {1})
    assert misled.code(mail) not in said
