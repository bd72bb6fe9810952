"""Sending codes: *Send code*, *Send a new code*, and a code for the address of an earlier sign-in (B17, B24, B28).

What it does: `send_code` mails a sign-in its next code; `renew` opens another sign-in for the same address and
mails its first.

The one thing to understand: a send is reserved by one conditional UPDATE, so a double click is one mail; and it is
charged to the ledger of limits, in the guest's own browser to its own allowance, elsewhere to that of strangers.

What must stay true: what is charged, asked and written is the same for a stranger as for a guest (B27).

Called by the pages of the way in. It derives no code.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, func, or_, select, update

from guestauth import guessing, limits, passcodes, signin
from guestauth.audit import Caller
from guestauth.database import Refusal, db, now, operation, row_or_none
from guestauth.keys import fingerprint
from guestauth.languages import N_
from guestauth.limits import Ledger, Limit, Row
from guestauth.models import Passcode, SignIn, User
from guestauth.passcodes import TooManyTries
from guestauth.signin import SignInUsed

MOST_SENDS = 3
RESEND_AFTER = timedelta(seconds=60)


class SendTooEarly(Refusal):
    """A code was sent less than 60 s ago (B24); `next_at` says from when another can be."""

    def __init__(self, sent_at: datetime) -> None:
        super().__init__()
        self.sent_at, self.next_at = sent_at, sent_at + RESEND_AFTER


class TooManySends(Refusal):
    """Three codes were sent for this sign-in (B24); `next_at` says from when a new one can be started."""

    def __init__(self, sent_at: datetime) -> None:
        super().__init__()
        self.next_at = sent_at + RESEND_AFTER


@dataclass(frozen=True)
class Allowance:
    """What a send is charged to.

    Too many mails are no refusal, or it would tell that the ones before were to guests (B27): they are held.
    """

    ledger: Ledger
    asked: list[tuple[Limit, Row]]  # by whoever asks
    guessed: list[tuple[Limit, Row]]  # what is left of it after too many wrong codes
    mails: list[tuple[Limit, Row]]  # that leave
    held: bool  # whether a mail waits until there is room for it

    def check(self, sign_in: SignIn, by: Caller) -> None:
        """Refuse a send if there were too many; the guest's own browser has nothing but its own limit.

        :raises LimitReached:
        """
        for limit, row in (*self.asked, *self.guessed):
            self.ledger.check(limit, row, by=by, tenant_id=sign_in.tenant_id, address=sign_in.address)


@operation
def send_code(tenant_id: uuid.UUID, sign_in_id: uuid.UUID, *, browser: str, by: Caller) -> Passcode:
    """Mail another code for a sign-in: at the earliest 60 s after the last, three at the most (B24).

    :raises SignInUnknown: :raises SignInUsed: :raises TooManyTries: :raises SendTooEarly: :raises TooManySends:
    :raises LimitReached:
    """
    sign_in = signin.mine(tenant_id, sign_in_id, browser)
    allowance = _allowance(sign_in, sign_in.known, by)
    allowance.check(sign_in, by)
    reserved = _reserved_or_none(sign_in)
    if reserved is None:
        raise _why_no_send(sign_in, by)
    return _sent(reserved, allowance, by)


@operation
def renew(
    tenant_id: uuid.UUID,
    earlier_id: uuid.UUID,
    *,
    browser: str,
    target: str | None,
    known: str | None = None,
    by: Caller,
) -> SignIn:
    """Open another sign-in for the address of a used one and mail its code; a second click finds the first's.

    :param known: why the browser is the guest's own, if it is.
    :raises SignInUnknown: if the earlier one is not this browser's.
    :raises LimitReached:
    """
    earlier = signin.mine(tenant_id, earlier_id, browser)
    known = fingerprint(known) if known else earlier.known
    allowance = _allowance(earlier, known, by)  # from here on one click after the other
    same = (SignIn.tenant_id == tenant_id, SignIn.browser == earlier.browser, SignIn.mail_key == earlier.mail_key)
    fresh = (SignIn.consumed_at.is_(None), SignIn.last_sent_at > now() - RESEND_AFTER)
    clicked = db.session.scalar(select(SignIn).where(*same, *fresh).limit(1))
    if clicked is not None:
        return clicked
    allowance.check(earlier, by)
    address, key = earlier.address, earlier.mail_key
    sign_in = signin.opened(tenant_id, address, key, browser=browser, target=target, known=known)
    reserved = _reserved_or_none(sign_in)
    if reserved:
        _sent(reserved, allowance, by)
    return reserved or sign_in


def _allowance(sign_in: SignIn, known: str | None, by: Caller) -> Allowance:
    """Open the ledger for a send."""
    tenant_id, key = sign_in.tenant_id, sign_in.mail_key
    mails = [(limits.TENANT_MAILS, limits.of_tenant(limits.TENANT_MAILS, tenant_id))]
    mails.append((limits.MAILS, limits.of_all(limits.MAILS)))
    guessed = []
    if known:
        asked = [(limits.KNOWN_SENDS, limits.of_address(limits.KNOWN_SENDS, tenant_id, key, known))]
    else:
        sends = limits.of_address(limits.SENDS, tenant_id, key)
        asked = [(limits.SENDS, sends), (limits.CLIENT_SENDS, limits.of_client(limits.CLIENT_SENDS, by))]
        guessed = [(limits.GUESSED_SENDS, sends)] if guessing.is_guessed(sign_in) else []
    ledger = limits.opened(row for _, row in [*asked, *mails])
    return Allowance(ledger, asked, guessed, mails, held=not known)


def _reserved_or_none(sign_in: SignIn) -> SignIn | None:
    """Reserve a send in one statement; None: none may be sent now. Who gets it is looked up with it."""
    moment = now()
    named = {"b_id": sign_in.id, "b_browser": sign_in.browser, "b_now": moment, "b_before": moment - RESEND_AFTER}
    reserved: SignIn | None = row_or_none(_RESERVE, SignIn, **named)
    return reserved


def _sent(sign_in: SignIn, allowance: Allowance, by: Caller) -> Passcode:
    """Issue the code that was reserved, and charge it: a stranger's is no mail, but as much work."""
    tenant_id, mails = sign_in.tenant_id, int(sign_in.user_id is not None)
    full = [allowance.ledger.reached(*mail, by=by, tenant_id=tenant_id) for mail in allowance.mails]
    room = [moment for moment in full if moment and allowance.held]
    allowance.ledger.charge(dict.fromkeys(allowance.asked, 1) | dict.fromkeys(allowance.mails, mails))
    for limit, row in allowance.mails:
        allowance.ledger.alarm(limit, row, by=by, tenant_id=tenant_id)
    signin.record("passcode.requested", sign_in, by)
    return passcodes.issue(sign_in, by=by, not_before=max(room, default=None))


def _why_no_send(sign_in: SignIn, by: Caller) -> Refusal:
    sign_in = signin.as_it_is(sign_in)
    refusal: Refusal
    if sign_in.consumed_at:
        refusal, reason = SignInUsed(), N_("used")
    elif sign_in.tries >= passcodes.MOST_TRIES:
        refusal, reason = TooManyTries(), N_("too many tries")
    elif sign_in.sends >= MOST_SENDS and sign_in.last_sent_at:
        refusal, reason = TooManySends(sign_in.last_sent_at), N_("too many codes")
    else:
        refusal, reason = SendTooEarly(sign_in.last_sent_at or now()), N_("too early")
    return signin.refused("passcode.requested", refusal, reason, sign_in, by)


_named = (User.tenant_id == SignIn.tenant_id, User.mail_key == SignIn.mail_key, User.deleted_at.is_(None))
_RESERVE = (
    update(SignIn)
    .where(SignIn.id == bindparam("b_id"), SignIn.browser == bindparam("b_browser"), SignIn.consumed_at.is_(None))
    .where(SignIn.tries < passcodes.MOST_TRIES, SignIn.sends < MOST_SENDS)
    .where(or_(SignIn.last_sent_at.is_(None), SignIn.last_sent_at <= bindparam("b_before")))
    .values(sends=SignIn.sends + 1, last_sent_at=bindparam("b_now"))
    .values(user_id=func.coalesce(SignIn.user_id, select(User.id).where(*_named).scalar_subquery()))
    .returning(SignIn)
)
