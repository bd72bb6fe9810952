"""The tests' mail server does what the tests rely on."""

import smtplib
import socket
import ssl
import time
from contextlib import contextmanager
from email.message import EmailMessage

import pytest

from tests import servers


@pytest.fixture(scope="module")
def certificates():
    with servers.certificates() as made:
        yield made


def letter(to="guest@firstup.example", subject="Hello"):
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "app@fabrikam.example", to, subject
    message.set_content(".a line that starts with a dot\n")
    return message


def post(sink, **words):
    with smtplib.SMTP(sink.host, sink.port, timeout=10) as client:
        client.send_message(letter(**words))


@contextmanager
def refused(code):
    """The block's mail is refused with this SMTP code."""
    with pytest.raises(smtplib.SMTPException) as caught:
        yield
    refusals = getattr(caught.value, "recipients", None) or {"": (getattr(caught.value, "smtp_code", 0),)}
    assert [answer[0] for answer in refusals.values()] == [code]


@pytest.mark.parametrize("security", ["plain", "starttls", "tls"])
def test_mail_arrives_as_it_was_sent(security, certificates):
    trust = ssl.create_default_context(cafile=certificates.ca)
    with servers.smtp_sink(security, certificate=certificates.server, login=("app", "secret")) as sink:
        implicit = {"tls": lambda host, port: smtplib.SMTP_SSL(host, port, context=trust)}
        with implicit.get(security, smtplib.SMTP)("localhost", sink.port) as client:
            if security == "starttls":
                client.starttls(context=trust)
            client.login("app", "secret")
            client.send_message(letter())
        (arrived,) = sink.wait_for(1)
    assert (arrived.sender, arrived.recipients) == ("app@fabrikam.example", ["guest@firstup.example"])
    assert b"\r\n.a line that starts with a dot\r\n" in arrived.content
    assert arrived.message["Subject"] == "Hello"


def test_letter_in_the_clear_is_refused_where_starttls_is_offered(certificates):
    with servers.smtp_sink("starttls", certificate=certificates.server) as sink, refused(530):
        post(sink)


def test_letter_without_the_login_is_refused_where_one_is_asked():
    with servers.smtp_sink(login=("app", "secret")) as sink, refused(530):
        post(sink)


@pytest.mark.parametrize("bad", ["wrong_host", "self_signed", "expired"])
def test_bad_certificate_is_not_trusted(bad, certificates):
    trust = ssl.create_default_context(cafile=certificates.ca)
    with (
        servers.smtp_sink("tls", certificate=getattr(certificates, bad)) as sink,
        pytest.raises(ssl.SSLCertVerificationError),
    ):
        smtplib.SMTP_SSL("localhost", sink.port, context=trust)


def test_recipient_is_refused_for_good_until_the_sink_accepts_again(sink):
    sink.refuse()
    with refused(550):
        post(sink)
    sink.accept()
    post(sink)
    assert (len(sink.wait_for(1)), sink.refusals) == (1, 1)


def test_greylisting_counts_tries_by_recipient(sink):
    sink.greylist(2)
    for _ in range(2):
        with refused(451):
            post(sink)
    with refused(451):
        post(sink, to="other@firstup.example")
    post(sink)
    assert len(sink.wait_for(1)) == 1


@pytest.mark.parametrize("at", ["connect", "mail"])
def test_unavailable_sink_refuses_everything_for_now(at, sink):
    sink.unavailable(at)
    with refused(421):
        post(sink)
    assert sink.letters == []


def test_hanging_sink_stays_silent_until_it_is_released(sink):
    sink.hang()
    with socket.create_connection((sink.host, sink.port), timeout=10) as client:
        sink.wait_until(lambda sink: sink.connections == 1)
        client.setblocking(False)
        with pytest.raises(BlockingIOError):
            client.recv(1)
        client.settimeout(10)
        sink.release()
        assert client.recv(3) == b"220"


def test_sink_that_drops_has_the_letter_but_never_says_so(sink):
    sink.drop()
    with pytest.raises((smtplib.SMTPServerDisconnected, ConnectionResetError)):
        post(sink)
    assert (len(sink.dropped), sink.letters) == (1, [])


def test_slow_sink_answers_late_but_accepts(sink):
    sink.delay(0.2)
    started = time.monotonic()
    post(sink)
    assert time.monotonic() - started >= 0.2
    assert len(sink.letters) == 1


def test_sink_goes_down_with_its_connections_and_comes_up_on_the_same_port(sink):
    with smtplib.SMTP(sink.host, sink.port, timeout=10) as client:
        sink.stop()
        with pytest.raises(OSError):
            client.send_message(letter())
    with pytest.raises(ConnectionRefusedError):
        post(sink)
    sink.start()
    post(sink)
    assert len(sink.wait_for(1)) == 1


def test_waiting_in_vain_says_what_did_arrive(sink):
    post(sink, subject="The only one")
    with pytest.raises(AssertionError, match="The only one"):
        sink.wait_for(2, timeout=0.05)
