"""Samples: every letter as somebody gets it, with made-up facts.

What it does: `letters_in` writes each letter in a language, from tenants of several kinds of name; `save` puts
them into a folder, as web page, as text, and whole as they go over the wire.

The one thing to understand: they are written by the very functions that write the mail, so what is seen here is
what people get; only the facts are made up.

What must stay true: nothing is sent and no row is read; the same samples come out each time.

Called by `flask mail preview` and the tests of what letters look like.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from flask import current_app

from guestauth import languages, letters, passcodes, smtp
from guestauth.letters import Content

AT = datetime(2026, 11, 20, 12, 5, tzinfo=UTC)
ORGANISATIONS = {  # by the kind of name
    "usual": "Fabrikam",
    "long": "The Royal and Ancient Fabrikam Society for the Advancement of Cross-Border Collaboration in "
    "Northern and Western Europe, Department of External Partners and Guests",
    "cjk": "方布里康國際股份有限公司對外合作夥伴與來賓服務部",
    "comma": 'Fabrikam, "Guests & Partners", Inc.',
}
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
GUEST, INVITER = "alexdoe@gmail.com", "Robin Meyer"
PASSCODE: dict[str, Any] = {
    "to": GUEST,
    "code": "00136710",
    "reference": "7K4Q",
    "lifetime_minutes": 30,
    "expires_at": AT + timedelta(minutes=30),
    "asked_at": AT,
}
BARE: dict[str, Any] = {
    "to": GUEST,
    "domain": "fabrikam.example",
    "inviter": INVITER,
    "message": None,
    "what": None,
    "privacy_statement_url": None,
    "help_contact": None,
}
INVITATION: dict[str, Any] = BARE | {
    "message": "Hello Alex,\n\nhere is the plan we spoke about. Tell me what you think.\n\nRobin",
    "what": "Project plan",
    "privacy_statement_url": "https://fabrikam.example/privacy",
    "help_contact": "admin@fabrikam.example",
}
WARNING: dict[str, Any] = {"to": "admin@fabrikam.example", "guessed": GUEST}
LETTERS: dict[str, tuple[Callable[..., Content], dict[str, Any]]] = {
    "passcode": (letters.passcode, PASSCODE),
    "invitation": (letters.invitation, INVITATION),
    "invitation-bare": (letters.invitation, BARE),
    "warning": (letters.warning, WARNING),
}


def letters_in(lang: str) -> Iterator[tuple[str, Content]]:
    """Write every letter in a language, each with its name, like `passcode-long`.

    :param lang: one of `languages.NAMES`.
    """
    for name, (write, facts) in LETTERS.items():
        for kind, org in ORGANISATIONS.items():
            yield f"{name}-{kind}", write(org=org, lang=lang, **_more(write, lang), **facts)


def save(folder: Path, langs: Iterable[str]) -> list[Path]:
    """Write every letter into a folder for each language, and return the files.

    :raises OSError: if they cannot be written.
    """
    saved = []
    for lang in langs:
        (folder / lang).mkdir(parents=True, exist_ok=True)
        for name, content in letters_in(lang):
            for ending, written in _parts(f"{name}.{lang}", content).items():
                saved.append(folder / lang / f"{name}.{ending}")
                saved[-1].write_bytes(written)
    return saved


def _parts(name: str, content: Content) -> dict[str, bytes]:
    """Return what is kept of a letter, by the ending of its file."""
    domain = current_app.config["MAIL_DEFAULT_SENDER"].partition("@")[2]
    message = smtp.compose(content, message_id=f"sample.{name}@{domain}", date=AT)
    return {"html": content.html.encode(), "txt": content.text.encode(), "eml": message.as_bytes()}


def _more(write: Callable[..., Content], lang: str) -> dict[str, str]:
    """Return the facts that depend on the language or the installation."""
    if write is letters.passcode:
        with languages.speaking(lang):
            return {"asked_from": passcodes.browser_label(BROWSER)}
    if write is letters.invitation:
        return {"url": f"{current_app.config['PUBLIC_URL']}/fabrikam.example/invitations/sample"}
    return {}
