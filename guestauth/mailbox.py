"""The demo's local mailbox: it stands for the mailboxes of everybody the demo writes to.

What it does: `keep` stores a letter as it left; `letters` reads them back, newest first; `empty` clears it.

The one thing to understand: it is what a recipient has, so letters lie here readable, codes and all. That is
why it exists in demo mode only.

Called by the outbox and the `/dev` pages. It knows nothing of tenants or guests.
"""

import email
import email.policy
import os
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from pathlib import Path

from flask import current_app


@dataclass(frozen=True)
class Kept:
    """A letter in the mailbox."""

    id: str
    raw: bytes

    @property
    def message(self) -> EmailMessage:
        """The letter, parsed."""
        return email.message_from_bytes(self.raw, _class=EmailMessage, policy=email.policy.default)

    @property
    def date(self) -> datetime:
        """Its Date header."""
        moment: datetime = self.message["Date"].datetime
        return moment

    def part(self, subtype: str) -> str:
        """Its words: `plain` or `html`; empty if it has none such."""
        body = self.message.get_body((subtype,))
        return str(body.get_content()).replace("\r\n", "\n") if body else ""


def keep(letter_id: str, raw: bytes) -> None:
    """Store a letter; the same letter again replaces it."""
    folder = _folder()
    draft = folder / f"{letter_id}.{os.getpid()}"
    draft.write_bytes(raw)
    draft.rename(folder / f"{letter_id}.eml")


def letters(*, to: str = "", since: datetime | None = None) -> list[Kept]:
    """Return the letters, newest first.

    :param to: only those to this address, whatever its letter case; without an @ it may be a part of one.
    :param since: only those written at or after this moment.
    """
    files = sorted(_folder().glob("*.eml"), key=lambda path: path.stat().st_mtime_ns, reverse=True)
    kept = [Kept(path.stem, path.read_bytes()) for path in files]
    kept = [letter for letter in kept if _is_to(letter, to.strip().lower())]
    return [letter for letter in kept if since is None or letter.date >= since.replace(microsecond=0)]


def letter_or_none(letter_id: str) -> Kept | None:
    """One letter by its id."""
    return next((letter for letter in letters() if letter.id == letter_id), None)


def empty() -> None:
    """Throw every letter away."""
    for path in _folder().glob("*.eml"):
        path.unlink(missing_ok=True)


def _is_to(letter: Kept, to: str) -> bool:
    address = str(letter.message["To"]).lower()
    return to == address if "@" in to else to in address


def _folder() -> Path:
    folder = Path(current_app.config["INSTANCE_PATH"]) / "mailbox"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder
