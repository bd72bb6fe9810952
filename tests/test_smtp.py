"""The way to the mail server: checked certificates, timeouts, safe headers (F6, M-01, M-04 to M-09, F-03)."""

import email.header
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any

import pytest

from guestauth import letters, smtp
from tests import servers
from tests.servers import Certificates, Letter, Sink
from tests.steps import mailing
from tests.world import World

DATE = datetime(2026, 11, 20, 12, 30, tzinfo=UTC)
SENDER, TO = "no-reply@guestauth.example", "nicole@firstup.example"
Open = Callable[..., tuple[World, Sink]]


@pytest.fixture(scope="module")
def certificates() -> Iterator[Certificates]:
    with servers.certificates() as made:
        yield made


@pytest.fixture(autouse=True)
def hung_up() -> Iterator[None]:
    """Leave no connection open for the next test."""
    yield
    smtp.close()


@pytest.fixture
def opened(sqlite_world: World, certificates: Certificates) -> Iterator[Open]:
    """Open a mail server and an application that sends through it; by name, since certificates are for names."""
    with ExitStack() as stack:

        def open_sink(security: Any = "plain", bad: str = "server", **settings: str) -> tuple[World, Sink]:
            login = ("app", "secret") if "MAIL_USERNAME" in settings else None
            certificate = getattr(certificates, bad)
            sink = stack.enter_context(servers.smtp_sink(security, certificate=certificate, login=login))
            settings = {"MAIL_SERVER": "localhost", "MAIL_CA_FILE": str(certificates.ca), **settings}
            secure = {"starttls": {"MAIL_USE_TLS": "on"}, "tls": {"MAIL_USE_SSL": "on"}}.get(security, {})
            return mailing(sqlite_world, sink, **{**secure, **settings}), sink

        yield open_sink


def send(world: World, *, message_id: str = "id@guestauth.example", **changes: str) -> None:
    """Send a letter."""
    words = {"to": TO, "sender_name": "Fabrikam", "subject": "Hello", "text": "Words\n", "html": "<p>Words</p>\n"}
    content = letters.Content(**{**words, **changes})
    world.do(lambda: smtp.send(smtp.compose(content, message_id=message_id, date=DATE)))


def refusal(action: Callable[[], Any]) -> smtp.NotSent:
    with pytest.raises(smtp.NotSent) as answer:
        action()
    return answer.value


# Ways.


@pytest.mark.parametrize("security", ["plain", "starttls", "tls"])
@pytest.mark.parametrize("login", [{}, {"MAIL_USERNAME": "app", "MAIL_PASSWORD": "secret"}], ids=["open", "login"])
def test_letter_arrives_whichever_way_the_server_wants(opened: Open, security: str, login: dict[str, str]) -> None:
    world, sink = opened(security, **login)
    send(world)
    (letter,) = sink.wait_for(1)
    assert (letter.sender, letter.recipients) == (SENDER, [TO])


@pytest.mark.parametrize("security", ["starttls", "tls"])
@pytest.mark.parametrize("bad", ["wrong_host", "self_signed", "expired"])
@pytest.mark.case("M-09")
def test_letter_does_not_go_to_a_server_with_a_bad_certificate(opened: Open, security: str, bad: str) -> None:
    world, sink = opened(security, bad)
    for action in (lambda: send(world), lambda: world.do(smtp.probe)):
        answer = refusal(action)
        assert "certificate" in str(answer).lower() and not answer.final
    assert sink.letters == []


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_certificate_nobody_vouches_for_is_bad(opened: Open, security: str) -> None:
    world, sink = opened(security, MAIL_CA_FILE="")
    assert not refusal(lambda: send(world)).final
    assert sink.letters == []


@pytest.mark.case("M-09")
def test_letter_and_password_stay_here_when_starttls_was_stripped(opened: Open) -> None:
    world, sink = opened("plain", MAIL_USE_TLS="on", MAIL_USERNAME="app", MAIL_PASSWORD="secret")
    for action in (lambda: send(world), lambda: world.do(smtp.probe)):
        answer = refusal(action)
        assert "STARTTLS" in str(answer) and not answer.final
    assert (sink.letters, sink.refusals) == ([], 0)


def test_wrong_password_is_for_the_operator_to_mend_and_no_fault_of_the_letter(opened: Open) -> None:
    world, sink = opened("starttls", MAIL_USERNAME="app", MAIL_PASSWORD="wrong")
    for action in (lambda: send(world), lambda: world.do(smtp.probe)):
        answer = refusal(action)
        assert str(answer).startswith("535") and not answer.final
    assert sink.letters == []


# Answers.


def test_refused_recipient_is_final(opened: Open) -> None:
    world, sink = opened()
    sink.refuse()
    answer = refusal(lambda: send(world))
    assert (str(answer), answer.final) == ("550 5.1.1 No such person here", True)


@pytest.mark.parametrize(("answer", "final"), [("554 5.7.1 It is spam", True), ("452 4.3.1 Disk full", False)])
def test_refused_letter_is_final_or_for_now_as_the_server_says(
    opened: Open, monkeypatch: pytest.MonkeyPatch, answer: str, final: bool
) -> None:
    async def refuse(*_: object) -> str:
        return answer

    world, sink = opened()
    monkeypatch.setattr(sink, "handle_DATA", refuse)
    refused = refusal(lambda: send(world))
    assert (str(refused), refused.final) == (answer, final)


def test_greylisting_is_for_now(opened: Open) -> None:
    world, sink = opened()
    sink.greylist(1)
    answer = refusal(lambda: send(world))
    assert (str(answer)[:3], answer.final) == ("451", False)
    send(world)
    assert len(sink.wait_for(1)) == 1


@pytest.mark.parametrize("at", ["connect", "mail"])
def test_unavailable_server_is_for_now(opened: Open, at: Any) -> None:
    world, sink = opened()
    sink.unavailable(at)
    answer = refusal(lambda: send(world))
    assert (str(answer)[:3], answer.final) == ("421", False)
    sink.accept()
    send(world)
    assert len(sink.wait_for(1)) == 1


@pytest.mark.case("F-03")
def test_silent_server_is_given_up_after_the_timeout(opened: Open) -> None:
    world, sink = opened(MAIL_TIMEOUT="1")
    sink.hang()
    for action in (lambda: send(world), lambda: world.do(smtp.probe)):
        answer = refusal(action)
        assert "timed out" in str(answer) and not answer.final


def test_every_answer_is_awaited_as_long_as_the_setting_says(opened: Open) -> None:
    world, _ = opened(MAIL_TIMEOUT="7")
    with world.app.app_context():
        host = smtp.HardenedConnection(world.app.extensions["mail"]).configure_host()
    assert host.sock.gettimeout() == 7
    host.close()


def test_connection_that_breaks_after_the_letter_is_for_now(opened: Open) -> None:
    world, sink = opened()
    sink.drop()
    assert not refusal(lambda: send(world)).final
    assert (len(sink.dropped), sink.letters) == (1, [])


def test_server_that_is_not_there_is_for_now(opened: Open) -> None:
    world, sink = opened()
    sink.stop()
    for action in (lambda: send(world), lambda: world.do(smtp.probe)):
        answer = refusal(action)
        assert "refused" in str(answer) and not answer.final


def test_server_that_cannot_be_reached_is_left_alone_until_it_can(opened: Open) -> None:
    world, sink = opened()
    sink.stop()
    refusal(lambda: send(world))
    assert 0 < smtp.rest() <= smtp.REST
    sink.start()
    send(world)
    assert smtp.rest() == 0


def test_letter_that_was_taken_says_that_the_server_is_back(opened: Open) -> None:
    world, _ = opened()
    send(world)
    smtp._missed["at"] = time.monotonic()  # as another thread has found
    send(world)
    assert not smtp.is_away()


def test_server_that_refuses_a_letter_is_not_left_alone(opened: Open) -> None:
    world, sink = opened()
    sink.greylist(1)
    refusal(lambda: send(world))
    assert smtp.rest() == 0


def test_name_that_is_no_host_is_for_now(opened: Open) -> None:
    world, _ = opened(MAIL_SERVER="x" * 64 + ".example")
    for action in (lambda: send(world), lambda: world.do(smtp.probe)):
        assert not refusal(action).final


# Connections.


def test_connection_stays_open_between_letters(opened: Open) -> None:
    world, sink = opened()
    for _ in range(3):
        send(world)
    assert (len(sink.wait_for(3)), sink.connections) == (3, 1)


def test_connection_left_idle_is_asked_whether_it_stands(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smtp, "IDLE", -1.0)
    world, sink = opened()
    send(world)
    send(world)
    assert (len(sink.wait_for(2)), sink.connections) == (2, 1)


def test_connection_the_server_has_closed_is_opened_anew(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smtp, "IDLE", -1.0)
    world, sink = opened()
    send(world)
    sink.stop()
    sink.start()
    send(world)
    assert (len(sink.wait_for(2)), sink.connections) == (2, 2)


def test_connection_that_broke_while_fresh_costs_one_try(opened: Open) -> None:
    world, sink = opened()
    send(world)
    sink.stop()
    sink.start()
    assert not refusal(lambda: send(world)).final
    send(world)
    assert len(sink.wait_for(2)) == 2


def test_refused_recipient_does_not_cost_the_connection(opened: Open) -> None:
    world, sink = opened()
    sink.refuse()
    refusal(lambda: send(world))
    sink.accept()
    send(world)
    assert (len(sink.wait_for(1)), sink.connections) == (1, 1)


def test_each_thread_has_a_connection_of_its_own(opened: Open) -> None:
    world, sink = opened()
    send(world)
    thread = threading.Thread(target=send, args=(world,))
    thread.start()
    thread.join()
    assert (len(sink.wait_for(2)), sink.connections) == (2, 2)


def test_closing_twice_or_with_nothing_open_does_no_harm(opened: Open) -> None:
    world, _ = opened()
    send(world)
    for _ in range(2):
        smtp.close()


def test_probe_sends_nothing(opened: Open) -> None:
    world, sink = opened("starttls", MAIL_USERNAME="app", MAIL_PASSWORD="secret")
    world.do(smtp.probe)
    assert (sink.letters, sink.connections) == ([], 1)


def test_nothing_of_a_letter_is_printed(opened: Open, capfd: pytest.CaptureFixture[str]) -> None:
    world, sink = opened(LOG_LEVEL="DEBUG", MAIL_DEBUG="1")
    world.app.debug = True
    send(world, text="00012345", subject="Subject 00012345")
    sink.refuse()
    refusal(lambda: send(world, text="00012345"))
    assert "00012345" not in "".join(capfd.readouterr())


# What goes over the wire.

NAMES = [
    ("Fabrikam", "Fabrikam"),
    ("Contoso, Inc.", "Contoso, Inc."),
    ("ceo@victim.com", "ceo@victim.com"),
    ("<ceo@victim.com>", "<ceo@victim.com>"),
    ('"Quoted" \\ (comment); x:y', '"Quoted" \\ (comment); x:y'),
    ("🎉 Party", "🎉 Party"),
    ("計" * 200, "計" * 200),
    ("é, ü <ceo@victim.com>", "é, ü <ceo@victim.com>"),
    ("x" * 200, "x" * 200),
    ("=?utf-8?b?Y2VvQHZpY3RpbS5jb20=?=", "= ?utf-8?b?Y2VvQHZpY3RpbS5jb20= ?="),
]


def decoded(header: str) -> str:
    return str(email.header.make_header(email.header.decode_header(header)))


def sent(opened: Open, **changes: str) -> Letter:
    world, sink = opened()
    send(world, **changes)
    (letter,) = sink.wait_for(1)
    return letter


@pytest.mark.parametrize(("name", "shown"), NAMES, ids=lambda name: ascii(name)[:30])
def test_from_is_our_address_whatever_the_tenant_is_called(opened: Open, name: str, shown: str) -> None:
    letter = sent(opened, sender_name=name, subject=f"Your {name} code")
    assert [address.addr_spec for address in letter.message["From"].addresses] == [SENDER]
    raw = email.message_from_bytes(letter.content)
    named, address = email.utils.parseaddr(raw["From"].replace("\r\n", ""))
    assert (decoded(named), address) == (shown, SENDER)
    assert decoded(raw["Subject"].replace("\r\n", "")) == f"Your {shown} code"


HEADERS = ["Content-Type", "MIME-Version", "Subject", "From", "To", "Date", "Message-ID"]


@pytest.mark.parametrize("name", [name for name, _ in NAMES], ids=lambda name: ascii(name)[:30])
@pytest.mark.case("M-01")
def test_no_name_adds_a_header_or_a_recipient(opened: Open, name: str) -> None:
    letter = sent(opened, sender_name=name, subject=name)
    assert letter.message.keys() == [*HEADERS, "Auto-Submitted", "X-Auto-Response-Suppress"]
    assert (letter.recipients, letter.message["To"]) == ([TO], TO)


@pytest.mark.parametrize("bad", ["A\r\nBcc: eve@evil.example", "A\nB", "A\r\n\r\nbody"])
@pytest.mark.parametrize("place", ["sender_name", "subject"])
@pytest.mark.case("M-01")
def test_header_with_a_line_break_never_leaves(opened: Open, place: str, bad: str) -> None:
    world, sink = opened()
    with pytest.raises(Exception):  # noqa: B017 -- whoever notices first
        send(world, **{place: bad})
    assert sink.letters == []


def test_headers_say_that_a_machine_wrote_it_and_which_letter_it_is(opened: Open) -> None:
    message = sent(opened).message
    assert (message["Auto-Submitted"], message["X-Auto-Response-Suppress"]) == ("auto-generated", "All")
    assert message["Message-ID"] == "<id@guestauth.example>"
    assert message["Date"].datetime == DATE


def parts(message: EmailMessage) -> dict[str, str]:
    return {kind: message.get_body((kind,)).get_content().replace("\r\n", "\n") for kind in ("plain", "html")}


@pytest.mark.parametrize(
    "text",
    [
        "12345678\n\nis your code\n",
        ".\n..\n.a line that begins with a dot\nFrom the beginning\n",
        "é 計 🎉\n",
        "x" * 5000 + "\n",
        "計" * 2000 + "\n",
        "trailing space \n\ttab\n=3D = equals\n",
    ],
    ids=lambda text: ascii(text)[:20],
)
@pytest.mark.case("M-07")
def test_words_arrive_as_they_were_written(opened: Open, text: str) -> None:
    letter = sent(opened, text=text, html=f"<p>{text}</p>\n")
    assert parts(letter.message) == {"plain": text, "html": f"<p>{text}</p>\n"}
    assert max(len(line) for line in letter.content.split(b"\r\n")) <= 998
    assert b"\n" not in letter.content.replace(b"\r\n", b"")
    assert b": \r\n" not in letter.content


def test_code_stands_on_its_line_in_the_bytes_too(opened: Open) -> None:
    assert b"\r\n00012345\r\n" in sent(opened, text="00012345\n\nis your code\n").content
