"""The threads that carry letters: woken at once, side by side, stopped with care (B36, F-03, F-11, F-13)."""

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import Envelope

from guestauth import courier, create_app, invitations, mail_health, outbox, smtp
from guestauth.courier import Courier
from tests.e2e.site import wait_until
from tests.probe import change
from tests.servers import Sink
from tests.steps import ask, mailing
from tests.world import ALEX, BY, FABRIKAM, NICOLE, World, environment

GUESTS = [f"guest{number}@example.com" for number in range(6)]


@pytest.fixture
def inline(sqlite_world: World, sink: Sink) -> Iterator[World]:
    """A world whose web process delivers, and nothing waiting."""
    sqlite_world.deliver()
    made = mailing(sqlite_world, sink, MAIL_DELIVERY="inline", MAIL_CONNECTIONS="3")
    yield made
    sink.accept()
    courier.stop(made.app)


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody looks for letters unless woken."""
    monkeypatch.setattr(courier, "POLL", timedelta(hours=1))


def running(world: World) -> Courier:
    courier.ensure_running(world.app)
    return courier.of(world.app)


def asked_for_health(sink: Sink) -> None:
    """Wait until the courier has asked for the server's health and so is at work."""
    sink.wait_until(lambda sink: sink.connections == 1)


@pytest.mark.usefixtures("patient")
def test_new_letter_wakes_the_courier(inline: World, sink: Sink) -> None:
    running(inline)
    asked_for_health(sink)
    for number, guest in enumerate(GUESTS[:3], 1):
        inline.do(invitations.invite, FABRIKAM, guest, by=BY)
        assert sink.wait_for(number)[-1].recipients == [guest]


@pytest.mark.usefixtures("patient")
def test_letter_that_waited_before_the_start_leaves(inline: World, sink: Sink) -> None:
    ask(inline)
    running(inline)
    assert sink.wait_for(1)[0].recipients == [NICOLE]


@pytest.mark.usefixtures("patient")
def test_letters_are_not_even_taken_while_the_mail_server_is_left_alone(
    inline: World, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smtp, "REST", 3600.0)
    monkeypatch.setitem(smtp._missed, "at", time.monotonic())
    rung = running(inline).wake._rung
    ask(inline)
    wait_until(rung.empty)
    assert inline.rows("SELECT tries, lease FROM letters WHERE kind = 'passcode'") == [(0, None)]
    monkeypatch.setattr(smtp, "REST", 0.0)
    inline.do(courier.wake)
    assert sink.wait_for(1)[0].recipients == [NICOLE]


def slow_until(over: threading.Event) -> Callable[..., Coroutine[Any, Any, str]]:
    """Let the mail server think about whoever is called slow until it is over."""

    async def take(_server: object, _session: object, envelope: Envelope, address: str, _options: object) -> str:
        while address.startswith("slow") and not over.is_set():
            await asyncio.sleep(0.01)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    return take


def test_slow_letter_holds_up_no_code_while_the_server_seems_away(
    inline: World, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = threading.Event()
    inline.app.config["MAIL_TIMEOUT"] = 60  # nobody gives up meanwhile
    monkeypatch.setattr(sink, "handle_RCPT", slow_until(slow))
    running(inline)
    inline.do(invitations.invite, FABRIKAM, "slow@firstup.example", by=BY)
    wait_until(lambda: inline.rows("SELECT count(*) FROM letters WHERE lease IS NOT NULL")[0][0] > 0)
    monkeypatch.setitem(smtp._missed, "at", time.monotonic() - smtp.REST)
    ask(inline)
    assert sink.wait_for(1)[0].recipients == [NICOLE]
    slow.set()


def test_round_by_hand_tries_each_letter_once_though_the_server_is_away(sqlite_world: World, sink: Sink) -> None:
    sqlite_world.deliver()
    made = mailing(sqlite_world, sink, MAIL_CONNECTIONS="3")
    for guest in GUESTS:
        made.do(invitations.invite, FABRIKAM, guest, by=BY)
    sink.stop()
    assert courier.run_once(made.app) == len(GUESTS)
    assert made.rows("SELECT DISTINCT tries FROM letters WHERE done_at IS NULL") == [(1,)]


def test_letter_of_another_process_is_found(
    inline: World, sqlite_world: World, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(courier, "POLL", timedelta(milliseconds=20))
    running(inline)
    asked_for_health(sink)
    ask(sqlite_world)
    assert sink.wait_for(1)[0].recipients == [NICOLE]


@pytest.mark.usefixtures("patient")
def test_waking_by_hand_looks_at_once(inline: World, sqlite_world: World, sink: Sink) -> None:
    running(inline)
    asked_for_health(sink)
    ask(sqlite_world)
    inline.do(courier.wake)
    assert sink.wait_for(1)[0].recipients == [NICOLE]


def test_letters_are_carried_side_by_side_but_no_more_than_allowed(inline: World, sink: Sink) -> None:
    sink.hang()
    for guest in GUESTS:
        inline.do(invitations.invite, FABRIKAM, guest, by=BY)
    thread = threading.Thread(target=inline.deliver)
    thread.start()
    sink.wait_until(lambda sink: sink.connections == 3)
    sink.release()
    thread.join()
    assert len(sink.wait_for(6)) == 6
    assert sink.connections == 3


def test_one_connection_carries_all_letters_one_after_the_other(world: World, sink: Sink) -> None:
    world.deliver()
    single = mailing(world, sink, MAIL_CONNECTIONS="1")
    for guest in GUESTS:
        single.do(invitations.invite, FABRIKAM, guest, by=BY)
    assert single.deliver() == 6
    assert (len(sink.wait_for(6)), sink.connections) == (6, 1)


@pytest.mark.case("F-11")
def test_stopping_lets_the_letter_on_its_way_arrive(inline: World, sink: Sink) -> None:
    sink.delay(0.3)
    ask(inline)
    courier_ = running(inline)
    sink.wait_until(lambda sink: sink.connections >= 1)
    courier.stop(inline.app)
    assert courier_.thread and not courier_.thread.is_alive()
    assert len(sink.letters) in (0, 1)
    assert {row[0] for row in inline.rows("SELECT outcome FROM letters WHERE kind = 'passcode'")} == (
        {"sent"} if sink.letters else {None}
    )


def test_stopping_while_all_hands_are_full_leaves_the_rest_waiting(sqlite_world: World, sink: Sink) -> None:
    sqlite_world.deliver()
    single = mailing(sqlite_world, sink, MAIL_DELIVERY="inline", MAIL_CONNECTIONS="1", MAIL_TIMEOUT="20")
    sink.hang()
    for guest in GUESTS[:2]:
        single.do(invitations.invite, FABRIKAM, guest, by=BY)
    running(single)
    sink.wait_until(lambda sink: sink.connections == 2)  # one asks for its health
    courier.of(single.app).stopping = True
    sink.release()
    courier.stop(single.app)
    assert sorted(row[0] or "" for row in single.rows("SELECT outcome FROM letters")) == ["", "sent", "sent"]
    assert len(sink.letters) == 1


def test_stopping_what_never_ran_does_no_harm(sqlite_world: World) -> None:
    courier.stop(sqlite_world.app)
    assert not courier.of(sqlite_world.app).is_running()


def test_process_delivers_with_one_courier_however_often_it_is_asked(inline: World) -> None:
    first = running(inline).thread
    assert first and running(inline).thread is first


def test_dead_courier_is_replaced(inline: World, sink: Sink) -> None:
    of_process = running(inline)
    courier.stop(inline.app)
    of_process.stopping = False
    ask(inline)
    running(inline)
    assert of_process.is_running()
    assert sink.wait_for(1)[0].recipients == [NICOLE]


def test_forked_process_starts_its_own(inline: World) -> None:
    before = running(inline)
    courier.stop(inline.app)
    before.stopping = False
    before.process = -1  # what a child sees of its parent's
    assert not before.is_running()
    assert running(inline).is_running()


def test_process_that_leaves_delivery_to_a_worker_starts_none(sqlite_world: World) -> None:
    assert running(sqlite_world).thread is None
    sqlite_world.browser().open("/fabrikam.example")
    assert courier.of(sqlite_world.app).thread is None


def test_first_request_starts_it(inline: World, sink: Sink) -> None:
    inline.browser().open("/fabrikam.example").submit("email-form", email=ALEX).submit("send-code")
    assert sink.wait_for(1)[0].recipients == [ALEX]


def test_health_is_noted_while_it_runs(inline: World, sink: Sink) -> None:
    running(inline)
    asked_for_health(sink)
    courier.stop(inline.app)
    ((failing, checked),) = inline.rows("SELECT failing_since, checked_at FROM mail_health")
    assert failing is None and checked is not None


def test_demo_without_a_mail_server_is_healthy(world: World) -> None:
    courier.check_health(world.app)
    assert not world.do(mail_health.is_delayed)
    assert world.rows("SELECT reason FROM mail_health") == [(None,)]


@pytest.fixture
def unmigrated(tmp_path: Path, sink: Sink) -> World:
    """A world whose database cannot be read."""
    settings = {"MAIL_SERVER": sink.host, "MAIL_PORT": str(sink.port), "MAIL_DELIVERY": "inline"}
    return World(create_app(environment(tmp_path) | settings), tmp_path)


def test_outbox_that_cannot_be_read_is_logged_and_tried_again(
    capsys: pytest.CaptureFixture[str], unmigrated: World
) -> None:
    assert unmigrated.deliver() == 0
    courier.check_health(unmigrated.app)
    assert "the outbox could not be read" in capsys.readouterr().err


def test_courier_outlives_a_database_that_is_away(unmigrated: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(courier, "POLL", timedelta(milliseconds=5))
    thread = running(unmigrated).thread
    assert thread
    thread.join(0.2)
    assert thread.is_alive()
    courier.stop(unmigrated.app)
    assert not thread.is_alive()


def test_fault_of_one_letter_is_logged_without_its_words(
    capsys: pytest.CaptureFixture[str], inline: World
) -> None:
    slots = threading.Semaphore(0)
    ask(inline)
    change(inline, "UPDATE letters SET kind = 'strange'")  # of whose end no event could tell
    inline.advance(4 * 24 * 3600)
    (letter,) = inline.do(outbox.lease, 1)
    courier._deliver(inline.app, letter, slots)
    assert "could not be delivered" in capsys.readouterr().err
    assert slots.acquire(blocking=False)
