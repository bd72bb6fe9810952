"""`flask mail`: what waits, delivery as a process of its own, a test letter (B35, B36, F-11)."""

import json
import os
import signal
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from guestauth import smtp
from tests import servers
from tests.servers import Sink
from tests.steps import ask, mailing
from tests.world import NICOLE, STRANGER, World

KEYS = ["waiting", "sent", "dropped", "failed", "oldestWaiting", "lastReason", "failingSince", "delayed"]


@pytest.fixture
def sink() -> Iterator[Sink]:
    with servers.smtp_sink() as sink:
        yield sink
        smtp.close()


@pytest.fixture
def mail(sqlite_world: World, sink: Sink) -> World:
    sqlite_world.deliver()
    return mailing(sqlite_world, sink, MAIL_TIMEOUT="1")


def status(world: World) -> Any:
    done = world.run("mail", "status", "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_status_says_what_waits_and_what_left(mail: World) -> None:
    ask(mail)
    ask(mail, STRANGER)
    before = status(mail)
    assert list(before) == KEYS
    assert (before["waiting"], before["sent"], before["oldestWaiting"][-1]) == (2, 1, "Z")
    mail.deliver()
    after = status(mail)
    assert (after["waiting"], after["sent"], after["dropped"], after["delayed"]) == (0, 2, 1, False)


def test_status_is_for_people_too(mail: World) -> None:
    lines = mail.run("mail", "status").stdout.splitlines()
    assert [line.partition(":")[0] for line in lines] == KEYS
    assert "delayed: no" in lines and "oldestWaiting: -" in lines


def test_deliver_once_sends_what_is_due_and_asks_for_health(mail: World, sink: Sink) -> None:
    ask(mail)
    assert mail.run("mail", "deliver", "--once").stdout == "letters tried: 1\n"
    assert [letter.recipients for letter in sink.wait_for(1)] == [[NICOLE]]
    assert mail.run("mail", "deliver", "--once").stdout == "letters tried: 0\n"
    assert status(mail)["failingSince"] is None


def test_deliver_once_to_a_server_that_is_away_says_so_in_the_status(mail: World, sink: Sink) -> None:
    sink.stop()
    ask(mail)
    assert mail.run("mail", "deliver", "--once").exit_code == 0
    found = status(mail)
    assert (found["waiting"], found["delayed"]) == (1, True)
    assert "refused" in found["lastReason"]


@pytest.fixture
def handlers() -> Iterator[None]:
    """Give the signals back to who had them."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("handlers")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_deliver_goes_on_until_it_is_told_to_stop(mail: World, sink: Sink, number: signal.Signals) -> None:
    ask(mail)

    def stop_when_it_arrived() -> None:
        sink.wait_for(1)
        os.kill(os.getpid(), number)

    thread = threading.Thread(target=stop_when_it_arrived)
    thread.start()
    done = mail.run("mail", "deliver")
    thread.join()
    assert (done.exit_code, [letter.recipients for letter in sink.letters]) == (0, [[NICOLE]])
    assert mail.rows("SELECT outcome FROM letters WHERE kind = 'passcode'") == [("sent",)]


def test_test_sends_a_letter_at_once(mail: World, sink: Sink) -> None:
    done = mail.run("mail", "test", "Operator@Example.com")
    assert (done.exit_code, done.stdout) == (0, "the mail server took a letter to Operator@example.com\n")
    (letter,) = sink.wait_for(1)
    assert (letter.recipients, letter.message["Subject"]) == (["Operator@example.com"], "GuestAuth test")
    assert letter.message["Message-ID"].endswith("@guestauth.example>")


@pytest.mark.parametrize(("trouble", "words"), [("refuse", "550"), ("unavailable", "421"), ("stop", "refused")])
def test_test_says_what_the_server_answered(mail: World, sink: Sink, trouble: str, words: str) -> None:
    getattr(sink, trouble)()
    done = mail.run("mail", "test", "operator@example.com")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "the mail server did not take it" in done.stderr and words in done.stderr


def test_test_without_a_mail_server_says_what_to_set(sqlite_world: World) -> None:
    done = sqlite_world.run("mail", "test", "operator@example.com")
    assert (done.exit_code, "MAIL_SERVER" in done.stderr) == (1, True)


@pytest.mark.parametrize("args", [["test"], ["test", "nobody"], ["deliver", "--twice"], ["nonsense"]])
def test_bad_input_is_refused(sqlite_world: World, args: list[str]) -> None:
    done = sqlite_world.run("mail", *args)
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr
