"""What the letters say: one function per letter, text and HTML (UX rules 9 and 10).

What it does: `passcode` and `invitation` write a letter from plain facts.

The one thing to understand: a letter is written at the moment it is sent, so nothing written is ever kept.

What must stay true: the passcode letter has no link and no code in its subject; the invitation has exactly
one link; a tenant's or an inviter's words are text, wherever they stand (I-11).

Called by the outbox's preparers in passcodes and invitations. It reads no table and sends nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import current_app
from flask_babel import gettext

from guestauth import languages
from guestauth.audit import one_line

MOST_OF_A_NAME = 60  # characters of it in a subject


@dataclass(frozen=True, kw_only=True)
class Content:
    """A written letter: the address it goes to, the name it comes from, and its words."""

    to: str
    sender_name: str
    subject: str
    text: str
    html: str


def passcode(
    *,
    to: str,
    org: str,
    code: str,
    reference: str,
    lifetime_minutes: int,
    expires_at: datetime,
    asked_from: str,
    asked_at: datetime,
    lang: str = "en",
) -> Content:
    """The letter that carries a code.

    :param code: 8 digits.
    :param lifetime_minutes: how long the code works from when it was issued.
    :param asked_from: the browser that asked, in a few words.
    :param lang: tag of the language it is written in.
    """
    return _written(
        "passcode",
        to=to,
        org=org,
        lang=lang,
        subject=lambda: gettext(
            "Your %(org)s sign-in code (reference %(reference)s)", org=_short(org), reference=reference
        ),
        code=code,
        reference=reference,
        lifetime_minutes=lifetime_minutes,
        expires_at=expires_at,
        asked_from=asked_from,
        asked_at=asked_at,
    )


def invitation(
    *,
    to: str,
    org: str,
    domain: str,
    inviter: str,
    message: str | None,
    url: str,
    what: str | None,
    privacy_statement_url: str | None,
    help_contact: str | None,
    lang: str = "en",
) -> Content:
    """The letter that invites a guest.

    :param url: the one link, from `PUBLIC_URL`.
    :param what: the title of what they will be taken to.
    :param lang: tag of the language it is written in.
    """
    return _written(
        "invitation",
        to=to,
        org=org,
        lang=lang,
        subject=lambda: gettext("%(inviter)s invited you to %(org)s", inviter=_short(inviter), org=_short(org)),
        mail=to,
        domain=domain,
        inviter=inviter,
        message=message,
        url=url,
        what=what,
        privacy_statement_url=privacy_statement_url,
        help_contact=help_contact,
    )


def warning(*, to: str, org: str, guessed: str, lang: str = "en") -> Content:
    """The letter that tells an administrator that somebody guesses codes.

    :param guessed: the address whose codes are guessed, as somebody typed it.
    :param lang: tag of the language it is written in.
    """
    return _written(
        "warning",
        to=to,
        org=org,
        lang=lang,
        subject=lambda: gettext("Somebody is guessing sign-in codes at %(org)s", org=_short(org)),
        guessed=guessed,
    )


def _written(name: str, *, to: str, org: str, subject: Callable[[], str], lang: str, **facts: Any) -> Content:
    lines = {name: one_line(fact) if isinstance(fact, str) else fact for name, fact in facts.items()}
    lines |= {"org": one_line(org), "public_url": current_app.config["PUBLIC_URL"], "lang": languages.known(lang)}
    facts = lines | {"message": facts.get("message")}  # the one that may have several
    with languages.speaking(lang):
        pages = [
            current_app.jinja_env.get_template(f"email/{name}.{ending}").render(facts)
            for ending in ("txt", "html")
        ]
        line = one_line(subject())
    return Content(to=to, sender_name=one_line(org), subject=line, text=pages[0], html=pages[1])


def _short(name: str) -> str:
    """Cut a name so that what a subject says after it is still read."""
    return name if len(name) <= MOST_OF_A_NAME else f"{name[: MOST_OF_A_NAME - 1]}…"
