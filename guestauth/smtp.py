"""The way to the mail server: Flask-Mail's message and settings over a connection without its traps (F6).

What it does: `send` hands one letter to the mail server; `probe` asks whether the server would take one; `rest`
and `is_away` say whether it could be reached lately.

The one thing to understand: each thread keeps its connection open between letters, since connecting and
TLS cost more than the letter itself.

What must stay true: every wait ends after `MAIL_TIMEOUT`; certificates are always checked; nothing of a
letter is logged; a fault after the server has accepted is not a fault.

Called by the outbox, outside any transaction. It does not retry.
"""

import math
import smtplib
import ssl
import threading
import time
from contextlib import suppress
from datetime import datetime
from email.charset import QP, Charset
from email.headerregistry import Address
from email.mime.text import MIMEText
from email.policy import compat32
from urllib.parse import urlsplit

import flask_mail
from flask import current_app

from guestauth.audit import one_line
from guestauth.letters import Content

AS_THEY_ARE = compat32.clone(linesep="\r\n", max_line_length=None)
QUOTED_PRINTABLE = Charset("utf-8")
QUOTED_PRINTABLE.body_encoding = QP
IDLE = 2.0  # seconds after which a kept connection is asked whether it still stands
REST = 1.0  # seconds that a mail server is left alone that could not be reached
mail = flask_mail.Mail()
_thread = threading.local()
_missed = {"at": -math.inf}  # when this process last could not reach it, in seconds of the monotonic clock


class NotSent(Exception):  # noqa: N818 -- an answer of the mail server, not a fault of ours
    """The mail server did not take the letter.

    :param final: it never will: it refused the recipient or the letter itself with a 5xx.
    """

    def __init__(self, reason: str, *, final: bool = False) -> None:
        super().__init__(reason)
        self.final = final


class HardenedConnection(flask_mail.Connection):
    """Flask-Mail's connection with a timeout, checked certificates and no debug output."""

    def configure_host(self) -> smtplib.SMTP | smtplib.SMTP_SSL:
        """Connect, secure the connection and authenticate."""
        config = current_app.config
        certificates = ssl.create_default_context(cafile=config["MAIL_CA_FILE"] or None)
        options = {
            "timeout": config["MAIL_TIMEOUT"],
            "local_hostname": urlsplit(config["PUBLIC_URL"]).hostname,
        }
        if config["MAIL_USE_SSL"]:
            host: smtplib.SMTP = smtplib.SMTP_SSL(
                config["MAIL_SERVER"], config["MAIL_PORT"], context=certificates, **options
            )
        else:
            host = smtplib.SMTP(config["MAIL_SERVER"], config["MAIL_PORT"], **options)
        try:
            if config["MAIL_USE_TLS"]:
                host.starttls(context=certificates)
            if config["MAIL_USERNAME"]:
                host.login(config["MAIL_USERNAME"], config["MAIL_PASSWORD"])
        except BaseException:
            host.close()
            raise
        return host


class Written(flask_mail.Message):
    """Flask-Mail's message without its traps: no line too long for a server, no name taken for an address."""

    def as_bytes(self) -> bytes:
        """Write it down with its headers as they are; the policy of Flask-Mail would take their quotes away.

        Text and HTML are one `multipart/alternative`, without a `multipart/mixed` around it for nothing else.
        """
        around = self._message()
        whole = next(part for part in around.walk() if part.get_content_subtype() == "alternative")
        for name, value in around.raw_items():
            if name not in whole:
                whole[name] = value
        whole.set_boundary(f"={self.msgId.partition('@')[0].strip('<')}=")
        return whole.as_bytes(policy=AS_THEY_ARE)

    def _mimetext(self, text: str | None, subtype: str = "plain") -> MIMEText:
        return MIMEText(text or "", subtype, QUOTED_PRINTABLE)  # type: ignore[arg-type]  # it takes a Charset, too


def compose(content: Content, *, message_id: str, date: datetime) -> flask_mail.Message:
    """Write the message as it goes over the wire.

    :param message_id: without angle brackets; like the date, the same at every retry (B36).
    """
    sender_name, subject = (text.replace("=?", "= ?") for text in (content.sender_name, content.subject))
    sender = Address(sender_name, addr_spec=current_app.config["MAIL_DEFAULT_SENDER"])
    message = Written(
        subject=subject,  # no word of it reads as an encoded one, which could hide anything
        recipients=[content.to],
        body=content.text,
        html=content.html,
        sender=str(sender),
        date=date.timestamp(),
        extra_headers={"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All"},
    )
    message.msgId = f"<{message_id}>"
    return message


def send(message: flask_mail.Message) -> None:
    """Hand one letter to the mail server.

    :raises NotSent: with what the server said; `final` if asking again would not help.
    """
    sender = current_app.config["MAIL_DEFAULT_SENDER"]
    try:
        _open().send(message, envelope_from=sender)
    except smtplib.SMTPRecipientsRefused as fault:
        code, words = next(iter(fault.recipients.values()))
        raise NotSent(_said(code, words), final=code >= 500) from fault
    except smtplib.SMTPDataError as fault:
        raise NotSent(_said(fault.smtp_code, fault.smtp_error), final=fault.smtp_code >= 500) from fault
    except (OSError, ValueError, smtplib.SMTPException) as fault:
        close()
        raise NotSent(_reason(fault)) from fault
    _thread.used, _missed["at"] = time.monotonic(), -math.inf


def rest() -> float:
    """Return for how many seconds yet there is no use in trying: the mail server could not be reached just now.

    However many letters wait, an outage costs each process one try a second, and no page its processor.

    :returns: seconds, 0 if a letter may be tried.
    """
    return max(0.0, _missed["at"] + REST - time.monotonic())


def is_away() -> bool:
    """Whether the mail server could not be reached, not by a new connection nor a letter since."""
    return _missed["at"] > -math.inf


def probe() -> None:
    """Ask the mail server whether it would take a letter now.

    :raises NotSent: if it cannot be reached or trusted, or does not know us.
    """
    try:
        host = HardenedConnection(current_app.extensions["mail"]).configure_host()
        with suppress(OSError, smtplib.SMTPException):
            host.quit()
    except (OSError, ValueError, smtplib.SMTPException) as fault:
        raise NotSent(_reason(fault)) from fault


def close() -> None:
    """Close this thread's connection, if it has one."""
    connection = getattr(_thread, "connection", None)
    _thread.connection = None
    if connection is not None and connection.host is not None:
        with suppress(OSError, smtplib.SMTPException):
            connection.host.close()


def _open() -> HardenedConnection:
    """Return this thread's connection, a new one if there is none or the server has closed it."""
    connection: HardenedConnection | None = getattr(_thread, "connection", None)
    if connection is not None and time.monotonic() - _thread.used > IDLE:
        with suppress(OSError, smtplib.SMTPException):
            if connection.host and connection.host.noop()[0] == 250:
                return connection
        close()
        connection = None
    if connection is None:
        connection = HardenedConnection(current_app.extensions["mail"])
        try:
            connection.host = connection.configure_host()
        except BaseException:
            _missed["at"] = time.monotonic()
            raise
        _missed["at"] = -math.inf
        _thread.connection, _thread.used = connection, time.monotonic()
    return connection


def _said(code: int, words: bytes | str) -> str:
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    return one_line(f"{code} {text}")[:200]


def _reason(fault: Exception) -> str:
    if isinstance(fault, smtplib.SMTPResponseException):
        return _said(fault.smtp_code, fault.smtp_error)
    return one_line(str(fault) or type(fault).__name__)[:200]
