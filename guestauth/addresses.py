"""Email addresses and domain names: what is one, and when two are the same.

What it does: `parse` turns what somebody typed into the address mail goes to and the key it is found by;
`domain` turns a domain name into lower-case ASCII.

The one thing to understand: two spellings are one guest exactly when their keys are equal. The key is the
ASCII address (domain by IDNA 2008) in lower case. Dots and `+tags` are part of an identity (F12).

What must stay true: mail goes to the stored address, never to the one typed at sign-in.

Called by tenants, guests, sign-in and the forms. It asks no name server.
"""

import difflib
import functools
from dataclasses import dataclass
from urllib.parse import urlsplit

import idna
from email_validator import EmailNotValidError, validate_email

from guestauth.database import Refusal
from guestauth.languages import N_

MOST_CHARACTERS = 254  # RFC 5321, 4.5.3.1.3, less the angle brackets


TOO_LONG = N_("An email address has %(most)s characters at most", most=MOST_CHARACTERS)
NOT_LIKE_ONE = N_("Enter an email address in the correct format, like name@example.com")


class NotAnAddress(Refusal):
    """What was typed is not an email address."""


@dataclass(frozen=True)
class Address:
    """An address: as mail is sent to it, and as it is looked up."""

    mail: str
    key: str


def parse(typed: str) -> Address:
    """Read an email address (RFC 5321; no quoted local parts, no address literals).

    :raises NotAnAddress: if it is none, is longer than 254 characters, or needs SMTPUTF8.
    """
    if len(typed) > MOST_CHARACTERS:
        raise NotAnAddress(TOO_LONG)
    try:
        found = validate_email(typed.strip(), check_deliverability=False, allow_smtputf8=False, strict=True)
    except EmailNotValidError as fault:
        raise NotAnAddress(NOT_LIKE_ONE) from fault
    mail = found.ascii_email
    if mail is None or len(mail) > MOST_CHARACTERS:
        raise NotAnAddress(TOO_LONG)
    return Address(mail=mail, key=mail.lower())


def mailbox(key: str) -> str:
    """Return a key that spellings of one mailbox share, where dots and `+tags` do not count; for limits only."""
    local, _, name = key.rpartition("@")
    return f"{local.partition('+')[0].replace('.', '') or local}@{name}"


@functools.lru_cache(maxsize=1024)
def domain_or_none(typed: str) -> str | None:
    """Return a domain name in lower-case ASCII (IDNA 2008 after UTS 46 mapping), or None if it is none."""
    if len(typed) > 253:
        return None
    try:
        name = idna.encode(typed.strip().rstrip("."), uts46=True).decode().lower()
    except (idna.IDNAError, UnicodeError):
        return None
    return name if "." in name and len(name) <= 253 else None


def in_unicode(name: str) -> str:
    """Return a domain name as people write it, with its `*.`; it stays where that is not possible."""
    wild = "*." if name.startswith("*.") else ""
    try:
        return wild + idna.decode(name.removeprefix("*."))
    except (idna.IDNAError, UnicodeError):
        return name


def is_web_address(text: str) -> bool:
    """Whether it is an http or https address of 2,000 characters at most."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return (
        parts.scheme in ("http", "https")
        and bool(parts.hostname)
        and text.isprintable()
        and is_text(text, most=2000)
    )


def is_text(text: str, *, most: int = 200) -> bool:
    """Whether both databases can keep it: no NUL, no lone surrogate, not too long."""
    return len(text) <= most and "\x00" not in text and not any("\ud800" <= char <= "\udfff" for char in text)


PROVIDERS = (  # domains that are no slip of each other
    *("gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "live.com", "yahoo.com", "ymail.com"),
    *("icloud.com", "mail.com", "email.com", "aol.com", "proton.me", "gmx.com", "gmx.de", "gmx.net"),
)


def suggestion_or_none(typed: str) -> str | None:
    """Return the address somebody may have meant, if its domain is one slip away from a well-known one."""
    local, at, name = typed.strip().rpartition("@")
    if not at or not local or name.lower() in PROVIDERS:
        return None
    close = difflib.get_close_matches(name.lower(), PROVIDERS[:5], n=1, cutoff=0.85)
    return f"{local}@{close[0]}" if close else None
