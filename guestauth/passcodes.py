"""The email one-time passcode: derive, issue and check one (B22 to B26).

What it does: `issue` gives a sign-in its next code and posts the letter; `matching` says which of the codes
sent it was that somebody typed.

The one thing to understand: a code is nowhere. It is an HMAC of the sign-in's random nonce, under a key that
the database does not have, computed when the letter is sent and when somebody types one.

What must stay true: the code leaves by mail only; every configured key is tried, so a code survives the
change of keys; each code lives to its own end.

Called by sign-in and by the outbox. It counts no tries and opens no session.
"""

import hashlib
import hmac
import unicodedata
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

from flask import current_app
from flask_babel import gettext
from sqlalchemy import bindparam, select

from guestauth import audit, letters, outbox, policies, sessions
from guestauth.audit import Caller
from guestauth.database import CLOCK_SLACK, Refusal, add, now, row_or_none, rows
from guestauth.keys import keys
from guestauth.languages import N_, NN_
from guestauth.models import Letter, Passcode, SignIn, Tenant, User

DIGITS = 8
MOST_TYPED = 5000  # characters of the field that are looked at; one can become eighteen
MOST_TRIES = 5  # wrong codes for a sign-in (B23)
REFERENCE_LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # none that is taken for another
TOO_LATE_TO_SEND = timedelta(seconds=60)  # a code with less life left than this would arrive dead,
LEAST_OF_LIFE = 0.5  # unless that is still so much of its life: a deployment may set 60 seconds


class TooManyTries(Refusal):
    """Five wrong codes: the sign-in is dead (B23)."""


class PasscodeWrong(Refusal):
    """The code is none of those sent. `tries_left` says how often it can still be tried."""

    def __init__(self, tries_left: int) -> None:
        text = NN_(
            "That code is not right. You can try %(num)s more time.",
            "That code is not right. You can try %(num)s more times.",
            tries_left,
        )
        super().__init__(text)
        self.tries_left = tries_left


class PasscodeExpired(Refusal):
    """The code is right but its time is over (B22); the try was given back."""

    def __init__(self) -> None:
        """Say how long codes work."""
        text = NN_(
            "That code has expired. Codes work for %(num)s minute. Send a new code.",
            "That code has expired. Codes work for %(num)s minutes. Send a new code.",
            current_app.config["PASSCODE_LIFETIME"] // 60,
        )
        super().__init__(text)


class PasscodeUsed(Refusal):
    """The code, or one sent with it, has been used."""

    def __init__(self) -> None:
        """Say what to do next."""
        super().__init__(N_("That code has already been used. Send a new code."))


def typed_code(text: str) -> str:
    """Return what somebody meant by what they typed into the code field.

    Takes away spaces, hyphens and invisible characters; any script's digits become ASCII ones (UX rule 1).
    """
    kept = []
    for char in unicodedata.normalize("NFKC", text[:MOST_TYPED]):
        if char.isspace() or unicodedata.category(char) in ("Cf", "Pd", "Cc", "Zs") or char == "\u2212":
            continue
        digit = unicodedata.digit(char, None)
        kept.append(char if digit is None else str(digit))
    return "".join(kept)


def is_code(text: str) -> bool:
    """Whether the text is 8 ASCII digits, and nothing before or after (F7)."""
    return len(text) == DIGITS and text.isascii() and text.isdigit()


def issue(sign_in: SignIn, *, by: Caller, not_before: datetime | None = None) -> Passcode:
    """Issue the sign-in's next code and post its letter, in the transaction under way.

    :param sign_in: with `sends` counted up already; a stranger's gets the same rows.
    :param not_before: when its letter may leave; None: now.
    """
    moment = now()
    lifetime = timedelta(seconds=current_app.config["PASSCODE_LIFETIME"])
    passcode = Passcode(sign_in_id=sign_in.id, n=sign_in.sends, issued_at=moment, expires_at=moment + lifetime)
    add(passcode)
    outbox.post(
        "passcode",
        tenant_id=sign_in.tenant_id,
        user_id=sign_in.user_id,
        subject_id=sign_in.id,
        n=sign_in.sends,
        by=by,
        not_before=not_before,
        browser=browser_label(by.browser),
        lang=by.language,
        address=sign_in.address,
    )
    return passcode


def matching(sign_in: SignIn, code: str) -> Passcode | None:
    """Return the sent code that equals what was typed, be it live or expired; every one is compared.

    :param code: 8 ASCII digits.
    """
    found = None
    for passcode in of_sign_in(sign_in.id):
        for key in keys("passcode"):
            if hmac.compare_digest(_derive(sign_in, passcode.n, key).encode(), code.encode()):
                found = passcode
    return found


def is_live(passcode: Passcode) -> bool:
    """Whether it is within its 30 minutes (B22), with some seconds' grace for a slow clock elsewhere."""
    return passcode.issued_at - CLOCK_SLACK <= now() < passcode.expires_at


def let_in_or_none(sign_in: SignIn) -> tuple[Tenant, User] | None:
    """Return the tenant and who is to be let in, if there is somebody, whose domain its list lets in now (B21).

    Until the transaction ends, what the tenant's row says stays: opting out and a change of the list wait for it.
    """
    named = {"b_user": sign_in.user_id, "b_tenant": sign_in.tenant_id}
    tenant, user = row_or_none(_LOCKED, Tenant, User, **named)
    allowed = user is not None and (not user.is_guest or policies.allows_address(tenant, user.mail_key))
    return (tenant, user) if allowed else None


def of_sign_in(sign_in_id: uuid.UUID) -> Sequence[Passcode]:
    """Return the codes sent for a sign-in, the newest last."""
    return [passcode for (passcode,) in rows(_SENT, Passcode, b_id=sign_in_id)]


def reference(sign_in: SignIn, n: int) -> str:
    """Return the 4 characters that tell one mail from another; they are not secret."""
    digest = hashlib.sha256(sign_in.id.bytes + bytes([n])).digest()
    return "".join(REFERENCE_LETTERS[byte % 32] for byte in digest[:4])


def browser_label(agent: str) -> str:
    """Say in a few words, in the language of the page, which browser a User-Agent header means."""
    systems = ("Android", "iPhone", "iPad", "Windows", "Mac OS X", "CrOS", "Linux")
    browsers = {"Edg": "Edge", "OPR": "Opera", "Firefox": "Firefox", "Chrome": "Chrome", "Safari": "Safari"}
    browser = next((name for mark, name in browsers.items() if f"{mark}/" in agent), gettext("a browser"))
    system = next((name for name in systems if name in agent), None)
    if system is None:
        return str(browser)
    words: str = gettext("%(browser)s on %(system)s", browser=browser, system=system.replace("Mac OS X", "macOS"))
    return words


@outbox.kind("passcode")
def write_letter(letter: Letter) -> letters.Content:
    """Write the letter of a code, or drop it when it must not go any more or would arrive dead."""
    named = {"b_id": letter.subject_id, "b_n": letter.n, "b_user": letter.user_id}
    found = row_or_none(_LETTER, SignIn, Passcode, User, Tenant, **named)
    if found is None:
        raise outbox.Dropped(N_("the sign-in is over"))
    sign_in, passcode, user, tenant, may = found
    if sign_in.consumed_at or sign_in.tries >= MOST_TRIES:
        raise outbox.Dropped(N_("the sign-in is over"))
    left, life = passcode.expires_at - now(), passcode.expires_at - passcode.issued_at
    if not is_live(passcode) or left < min(TOO_LATE_TO_SEND, life * LEAST_OF_LIFE):
        raise outbox.Dropped(N_("the code would arrive dead"))
    content = letters.passcode(
        to=user.mail if user else sign_in.address,
        org=audit.one_line(tenant.name),
        code=_derive(sign_in, letter.n, keys("passcode")[0]),
        reference=reference(sign_in, letter.n),
        lifetime_minutes=life // timedelta(minutes=1),
        expires_at=passcode.expires_at,
        asked_from=letter.facts["browser"],
        asked_at=passcode.issued_at,
        lang=letter.facts.get("lang", "en"),
    )
    if user is None:
        raise outbox.Dropped(N_("not a guest"), content)
    if not may:
        raise outbox.Dropped(N_("the guest may not sign in"), content)
    if user.is_guest and not policies.allows_address(tenant, user.mail_key):
        raise outbox.Dropped(N_("the tenant does not let this domain in"), content)
    return content


def _derive(sign_in: SignIn, n: int, key: bytes) -> str:
    """Derive the `n`th code of a sign-in: HMAC-SHA256 over what it belongs to, cut to 8 digits as in RFC 4226."""
    message = b"|".join([sign_in.tenant_id.bytes, sign_in.id.bytes, sign_in.nonce, bytes([n])])
    number = int.from_bytes(hmac.digest(key, message, "sha256")[:8])
    return f"{number % 10**DIGITS:0{DIGITS}d}"


_SENT = select(Passcode).where(Passcode.sign_in_id == bindparam("b_id")).order_by(Passcode.n)
_LOCKED = (
    select(Tenant, User)
    .outerjoin(User, User.id == bindparam("b_user", type_=User.id.type))
    .where(Tenant.id == bindparam("b_tenant"))
    .with_for_update(read=True, of=Tenant)
)
_LETTER = (
    select(SignIn, Passcode, User, Tenant, sessions.may_sign_in() & sessions.is_not_void(Passcode.issued_at))
    .join(Passcode, Passcode.sign_in_id == SignIn.id)
    .join(Tenant, Tenant.id == SignIn.tenant_id)
    .outerjoin(User, User.id == bindparam("b_user", type_=User.id.type))
    .where(SignIn.id == bindparam("b_id"), Passcode.n == bindparam("b_n"))
)
