"""Delivery as a process of its own: as many as one likes, asked to end, killed (B36; catalogue F-11, F-13)."""

import signal
from contextlib import ExitStack

import pytest

from tests import SOAK, servers
from tests.e2e.site import LINK, Site, delivering, wait_until
from tests.faults.mail import arrivals, in_hand, invite
from tests.servers.process import end, kill

ONCE = ("mail", "deliver", "--once")
LEASE = 60 + 12 * 10  # seconds, with the fixture's MAIL_TIMEOUT
MANY = 60 if SOAK else 20


@pytest.mark.case("F-11")
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
@pytest.mark.case("F-11")
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


@pytest.mark.case("F-13")
@pytest.mark.long
def test_three_delivery_processes_at_once_send_each_letter_once(undelivered: Site) -> None:
    invite(undelivered, MANY)
    due = undelivered.waiting()
    with ExitStack() as stack:
        processes = [stack.enter_context(delivering(undelivered)) for _ in range(3)]
        undelivered.sink.wait_for(due, timeout=30)
        wait_until(lambda: undelivered.waiting() == 0)
        assert [end(process, signal.SIGTERM) for process in processes] == [0, 0, 0]
    assert set(arrivals(undelivered).values()) == {1}
    assert len(arrivals(undelivered)) == due


@pytest.mark.long
@pytest.mark.case("F-13")
def test_letter_in_the_hands_of_a_process_that_was_killed_goes_by_another(undelivered: Site) -> None:
    servers.flask(undelivered.settings, *ONCE)
    undelivered.sink.hang()
    mail = invite(undelivered, 1)[0]
    with delivering(undelivered) as process:
        wait_until(lambda: in_hand(undelivered) == 1)
        kill(process)
    undelivered.sink.accept()
    undelivered.world.advance(LEASE - 60)
    assert servers.flask(undelivered.settings, *ONCE).stdout == "letters tried: 0\n"
    undelivered.world.advance(61)
    assert servers.flask(undelivered.settings, *ONCE).stdout == "letters tried: 1\n"
    assert len(undelivered.letters(mail, LINK)) == 1
