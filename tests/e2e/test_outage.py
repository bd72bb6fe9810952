"""The mail server is down, hanging, refusing, greylisting; processes end or are killed.

Rules B36 and B37; catalogue F-03, F-04, F-08, F-11, F-13.
Pages answer as usual, nothing committed is lost, each letter arrives once, or more often only after a kill.
"""

import re
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta

import pytest

from guestauth import invitations, outbox
from tests import servers
from tests.browser import Browser
from tests.e2e.site import CODE, HOME, LINK, Prepare, Site, behind, delivering, site, text, wait_until
from tests.servers import Sink
from tests.servers.process import end
from tests.world import BY, FABRIKAM, STRANGER

OUTAGES: dict[str, Callable[[Sink], object]] = {
    "down": Sink.stop,
    "refusing connections": lambda sink: sink.unavailable("connect"),
    "refusing senders": lambda sink: sink.unavailable("mail"),
    "hanging": Sink.hang,
    "greylisting": lambda sink: sink.greylist(1),
    "losing its answer": Sink.drop,
}
OUTCOMES = "SELECT outcome, reason FROM letters JOIN users ON users.id = letters.user_id WHERE mail = :mail"
END_CONNECTIONS = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid != pg_backend_pid()"""
VARIABLE = [
    (r'name="csrf_token" value="[^"]*"', "TOKEN"),
    (r"[0-9a-f]{8}-[0-9a-f-]{27}", "ID"),
    (r"guest-[0-9a-f]{12}", "GUEST"),
    (r"<time .*?</time>", "TIME"),
    (r'data-(until|now)="[^"]*"', "MOMENT"),
    (r'<bdi class="reference">.*?</bdi>', "REFERENCE"),
    (r'<p class="notice">Email is delayed at the moment.*?</p>\n?', ""),
]


@pytest.fixture(scope="module")
def outage_site(prepare: Prepare) -> Iterator[Site]:
    """The demo served by one process, so that one wake-up reaches all who deliver."""
    with site(prepare("sqlite"), workers=1) as served:
        yield served


@pytest.fixture
def mended_site(outage_site: Site) -> Iterator[Site]:
    """The same, with a mail server that is well at the beginning and at the end."""
    yield outage_site
    mend(outage_site)


@pytest.fixture(params=["sqlite", "postgresql"])
def undelivered(request: pytest.FixtureRequest, prepare: Prepare) -> Iterator[Site]:
    """An instance that nobody serves and for which nobody delivers, on each database."""
    with behind(prepare(request.param, MAIL_DELIVERY="worker", MAIL_TIMEOUT="10")) as made:
        yield made


def break_down(sink: Sink, how: str) -> None:
    """Break every connection, then behave like that to new ones."""
    sink.stop()
    OUTAGES[how](sink)
    if how != "down":
        sink.start()


def mend(site: Site) -> None:
    """Make the mail server well, and let time pass until every letter has left."""
    site.sink.accept()
    if site.sink._loop is None:
        site.sink.start()
    for _ in range(10):
        wait_until(lambda: is_settled(site))
        if not site.waiting():
            return
        site.advance(400)  # no letter waits longer for its next try
    raise AssertionError("letters do not leave although the mail server is well")


def is_settled(site: Site) -> bool:
    """Whether no letter is due, and none in anybody's hands: each has left, or waits for a later time."""
    due = site.world.do(outbox.next_due)
    return due != timedelta() and in_hand(site) == 0


def in_hand(site: Site) -> int:
    """Count the letters that somebody has leased."""
    return int(site.world.rows("SELECT count(*) FROM letters WHERE done_at IS NULL AND lease IS NOT NULL")[0][0])


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


def invite(site: Site, count: int) -> list[str]:
    """Post so many invitations and give their addresses."""
    mails = [f"letter-{n}.{site.guest()}" for n in range(count)]
    for mail in mails:
        site.world.do(invitations.invite, FABRIKAM, mail, by=BY)
    return mails


def arrivals(site: Site) -> Counter[str]:
    """Count how often each letter arrived, by its Message-ID."""
    return Counter(str(letter.message["Message-ID"]) for letter in list(site.sink.letters))


# The mail server


@pytest.mark.parametrize("how", OUTAGES)
def test_pages_answer_as_usual_while_the_mail_server_is(mended_site: Site, how: str) -> None:
    usual = walk(mended_site)
    break_down(mended_site.sink, how)
    assert walk(mended_site) == usual
    assert [status for status, _ in usual] == [200, 422, 200, 200, 422, 422, 429]


@pytest.mark.long
def test_nothing_waits_for_a_mail_server_that_stays_silent_for_a_minute(prepare: Prepare) -> None:
    with site(prepare("sqlite", MAIL_TIMEOUT="60"), workers=1) as silent:
        usual = walk(silent)
        break_down(silent.sink, "hanging")
        assert [walk(silent), walk(silent)] == [usual, usual]


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


# The database


def test_connections_that_postgresql_has_ended_are_made_anew(prepare: Prepare) -> None:
    with site(prepare("postgresql"), workers=1) as served:
        browser = served.browser().open(HOME)
        served.world.rows(END_CONNECTIONS)
        mail = served.guest()
        browser.submit("email-form", email=mail).submit("send-code")
        assert browser.submit("enter-code", code=served.code(mail)).h1 == "Review permissions"


# Delivery as a process of its own


def test_delivery_process_delivers_and_ends_cleanly_when_asked_to(undelivered: Site) -> None:
    mails = invite(undelivered, 3)
    with delivering(undelivered) as process:
        undelivered.sink.wait_until(lambda _: all(undelivered.letters(mail, LINK) for mail in mails))
        wait_until(lambda: undelivered.waiting() == 0)
        undelivered.sink.delay(0.3)
        late = invite(undelivered, 1)[0]
        wait_until(lambda: in_hand(undelivered) == 1)
        assert end(process, signal.SIGTERM) == 0
    assert undelivered.waiting() == 0
    assert len(undelivered.letters(late, LINK)) == 1


@pytest.mark.long
def test_delivery_process_takes_no_further_letters_when_asked_to_end(undelivered: Site) -> None:
    undelivered.sink.hang()
    invite(undelivered, 20)
    due = undelivered.waiting()
    with delivering(undelivered) as process:
        undelivered.sink.wait_until(lambda sink: sink.connections == 9)  # a letter each, and one asks how it is
        process.send_signal(signal.SIGTERM)
        undelivered.sink.release()
        assert process.wait(15) == 0
    assert (len(undelivered.sink.letters), undelivered.waiting()) == (8, due - 8)


@pytest.mark.long
def test_delivery_once_delivers_what_is_due_and_ends(undelivered: Site) -> None:
    mails = invite(undelivered, 9)
    due = undelivered.waiting()
    done = servers.flask(undelivered.settings, "mail", "deliver", "--once")
    assert (done.returncode, done.stdout) == (0, f"letters tried: {due}\n")
    assert [len(undelivered.letters(mail, LINK)) for mail in mails] == [1] * 9


@pytest.mark.long
def test_three_delivery_processes_at_once_send_each_letter_once(undelivered: Site) -> None:
    invite(undelivered, 60)
    due = undelivered.waiting()
    with ExitStack() as stack:
        processes = [stack.enter_context(delivering(undelivered)) for _ in range(3)]
        undelivered.sink.wait_for(due, timeout=30)
        wait_until(lambda: undelivered.waiting() == 0)
        assert [end(process, signal.SIGTERM) for process in processes] == [0, 0, 0]
    assert set(arrivals(undelivered).values()) == {1}
    assert len(arrivals(undelivered)) == due
