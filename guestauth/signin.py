"""The way in: an address, a code, a session (B17, B22 to B28).

What it does: `start` opens a sign-in for an address in a browser; `send_code` mails it a code; `enter_code`
turns a right code into a session.

The one thing to understand: a stranger's sign-in is the same rows and the same statements as a guest's, with
nobody behind it; so nobody learns from it who is a guest (B27).

What must stay true: a try is reserved by one conditional UPDATE before anything is compared, so five are
five under any concurrency; a sign-in is consumed once and leads to one session; it works only in the browser
that started it, and what others do with the same address does not touch it (B25).

Called by the pages of the way in. It sets no cookie and knows no page.
"""

import hmac
import secrets
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, or_, select, update

from guestauth import audit, passcodes, sessions
from guestauth.addresses import Address
from guestauth.audit import Caller
from guestauth.database import Refusal, changed, db, now, operation, query
from guestauth.keys import fingerprint, keys
from guestauth.models import Passcode, Session, SignIn, User
from guestauth.passcodes import PasscodeExpired, PasscodeUsed, PasscodeWrong, TooManyTries

MOST_TRIES = passcodes.MOST_TRIES
MOST_SENDS = 3
RESEND_AFTER = timedelta(seconds=60)
REPEAT_WITHIN = timedelta(seconds=60)  # a double click or a lost answer gets the same session again


class SignInUnknown(Refusal):
    """This browser has no such sign-in under way (B25)."""


class SignInUsed(Refusal):
    """The sign-in has led to a session already; another one must be started."""


class SendTooEarly(Refusal):
    """A code was sent less than 60 s ago (B24); `next_at` says from when another can be."""

    def __init__(self, sent_at: datetime) -> None:
        super().__init__("too early")
        self.sent_at, self.next_at = sent_at, sent_at + RESEND_AFTER


class TooManySends(Refusal):
    """Three codes were sent for this sign-in (B24); `next_at` says from when a new one can be started."""

    def __init__(self, sent_at: datetime) -> None:
        super().__init__("too many codes")
        self.next_at = sent_at + RESEND_AFTER


@dataclass(frozen=True, kw_only=True)
class SignedIn:
    """What a right code gives: where to go, and what the browser is to hold from now on."""

    target: str | None
    session_secret: str
    browser: str  # the visit cookie's new id
    expires_at: datetime


@operation
def start(tenant_id: uuid.UUID, address: Address, *, browser: str, target: str | None) -> SignIn:
    """Open a sign-in for an address, whoever it belongs to.

    :param browser: the visit cookie's id.
    :param target: path where to go after sign-in.
    """
    return _opened(tenant_id, address.mail, address.key, browser=browser, target=target)


@operation
def send_code(tenant_id: uuid.UUID, sign_in_id: uuid.UUID, *, browser: str, by: Caller) -> Passcode:
    """Mail another code for a sign-in: at the earliest 60 s after the last, three at the most (B24).

    :raises SignInUnknown: :raises SignInUsed: :raises TooManyTries: :raises SendTooEarly: :raises TooManySends:
    """
    passcode = _sent(tenant_id, sign_in_id, browser=browser, by=by)
    if passcode is None:
        raise _why_no_send(tenant_id, sign_in_id, browser, by)
    return passcode


@operation
def renew(tenant_id: uuid.UUID, earlier_id: uuid.UUID, *, browser: str, target: str | None, by: Caller) -> SignIn:
    """Open another sign-in for the address of a used one and mail its code; a second click finds the first's.

    :raises SignInUnknown: if the earlier one is not this browser's.
    """
    mine = _mine(tenant_id, earlier_id, browser)
    earlier = db.session.scalar(select(SignIn).where(*mine).with_for_update())
    if earlier is None:
        raise SignInUnknown("no such sign-in in this browser")
    same = (SignIn.tenant_id == tenant_id, SignIn.browser == earlier.browser, SignIn.mail_key == earlier.mail_key)
    fresh = (SignIn.consumed_at.is_(None), SignIn.last_sent_at > now() - RESEND_AFTER)
    clicked = db.session.scalar(select(SignIn).where(*same, *fresh).limit(1))
    if clicked is not None:
        return clicked
    sign_in = _opened(tenant_id, earlier.address, earlier.mail_key, browser=browser, target=target)
    db.session.flush()
    _sent(tenant_id, sign_in.id, browser=browser, by=by)
    return sign_in


@operation
def enter_code(
    tenant_id: uuid.UUID,
    sign_in_id: uuid.UUID,
    code: str,
    *,
    browser: str,
    replacing: uuid.UUID | None = None,
    by: Caller,
) -> SignedIn:
    """Turn a right code into a session.

    :param code: 8 ASCII digits.
    :param replacing: the session this browser has at the tenant already; it ends.
    :raises PasscodeWrong: :raises PasscodeExpired: :raises PasscodeUsed: :raises TooManyTries:
    :raises SignInUnknown:
    """
    reserve = (
        update(SignIn)
        .where(*_mine(tenant_id, sign_in_id, browser), SignIn.consumed_at.is_(None))
        .where(SignIn.tries < MOST_TRIES, SignIn.sends > 0)
        .values(tries=SignIn.tries + 1)
        .returning(SignIn)
    )
    sign_in = db.session.scalar(reserve)
    if sign_in is None:
        return _again(tenant_id, sign_in_id, code, browser=browser, by=by)
    passcode = passcodes.matching(sign_in, code)
    if passcode is not None and not passcodes.is_live(passcode):
        _give_back(sign_in)
        raise _refused("sign-in", PasscodeExpired(), "expired", sign_in, by)
    secret, new_browser = _secrets(sign_in, browser)
    let_in = passcode if passcode and passcodes.lets_in(sign_in) else None
    session = let_in and sessions.open_for(sign_in, let_in, secret=secret, by=by, replacing=replacing)
    if session is None:
        reason = "may not sign in" if passcode else "wrong code"
        raise _refused("sign-in", PasscodeWrong(MOST_TRIES - sign_in.tries), reason, sign_in, by)
    _consume(sign_in, browser, new_browser)
    _record("sign-in", sign_in, by, source="OTP")
    return SignedIn(
        target=sign_in.target,
        session_secret=secret,
        browser=new_browser,
        expires_at=session.expires_at,
    )


@query
def find(tenant_id: uuid.UUID, sign_in_id: uuid.UUID, *, browser: str) -> SignIn:
    """Return the browser's sign-in.

    :raises SignInUnknown: if it has none such.
    """
    sign_in = db.session.scalar(select(SignIn).where(*_mine(tenant_id, sign_in_id, browser)))
    if sign_in is None:
        raise SignInUnknown("no such sign-in in this browser")
    return sign_in


@query
def newest(sign_in: SignIn) -> Passcode:
    """Return the code sent last for a sign-in that has been sent one."""
    return passcodes.of_sign_in(sign_in.id)[-1]


@query
def over_or_none(tenant_id: uuid.UUID, *, browser: str) -> SignIn | None:
    """Return the browser's last sign-in if its session came to its natural end; it keeps the address (B28)."""
    mine = (SignIn.tenant_id == tenant_id, SignIn.browser == fingerprint(browser))
    found = select(SignIn, Session).join(Session, Session.sign_in_id == SignIn.id).where(*mine)
    last = db.session.execute(found.order_by(Session.created_at.desc()).limit(1)).first()
    return last[0] if last and last[1].ended_at is None and last[1].expires_at <= now() else None


def _mine(tenant_id: uuid.UUID, sign_in_id: uuid.UUID, browser: str) -> tuple:  # type: ignore[type-arg]
    return SignIn.id == sign_in_id, SignIn.tenant_id == tenant_id, SignIn.browser == fingerprint(browser)


def _opened(tenant_id: uuid.UUID, address: str, key: str, *, browser: str, target: str | None) -> SignIn:
    sign_in = SignIn(
        tenant_id=tenant_id,
        browser=fingerprint(browser),
        address=address,
        mail_key=key,
        nonce=secrets.token_bytes(32),
        target=target,
        created_at=now(),
    )
    db.session.add(sign_in)
    return sign_in


def _sent(tenant_id: uuid.UUID, sign_in_id: uuid.UUID, *, browser: str, by: Caller) -> Passcode | None:
    """Reserve a send in one statement, then issue the code; None if none may be sent now."""
    moment = now()
    named = (User.tenant_id == tenant_id, User.mail_key == SignIn.mail_key, User.deleted_at.is_(None))
    reserve = (
        update(SignIn)
        .where(*_mine(tenant_id, sign_in_id, browser), SignIn.consumed_at.is_(None))
        .where(SignIn.tries < MOST_TRIES, SignIn.sends < MOST_SENDS)
        .where(or_(SignIn.last_sent_at.is_(None), SignIn.last_sent_at <= moment - RESEND_AFTER))
        .values(sends=SignIn.sends + 1, last_sent_at=moment)
        .values(user_id=func.coalesce(SignIn.user_id, select(User.id).where(*named).scalar_subquery()))
        .returning(SignIn)
    )
    sign_in = db.session.scalar(reserve, execution_options={"populate_existing": True})
    if sign_in is None:
        return None
    _record("passcode.requested", sign_in, by)
    return passcodes.issue(sign_in, by=by)


def _consume(sign_in: SignIn, browser: str, new_browser: str) -> None:
    """Use the sign-in up, and hand all that this browser has under way to its new id."""
    unused = (SignIn.id == sign_in.id, SignIn.consumed_at.is_(None))
    if changed(update(SignIn).where(*unused).values(consumed_at=now())) != 1:
        raise RuntimeError("a sign-in consumed twice")
    _give_back(sign_in)  # the right code was no wrong try
    theirs = select(SignIn.id).where(SignIn.browser == fingerprint(browser)).with_for_update(skip_locked=True)
    changed(update(SignIn).where(SignIn.id.in_(theirs)).values(browser=fingerprint(new_browser)))


def _give_back(sign_in: SignIn) -> None:
    """Undo the try that was reserved for a code that turned out right."""
    changed(update(SignIn).where(SignIn.id == sign_in.id).values(tries=SignIn.tries - 1))


def _again(tenant_id: uuid.UUID, sign_in_id: uuid.UUID, code: str, *, browser: str, by: Caller) -> SignedIn:
    """Answer a code that cannot be tried: for a used sign-in within a minute, the same session again."""
    named = (SignIn.id == sign_in_id, SignIn.tenant_id == tenant_id)
    sign_in = db.session.scalar(select(SignIn).where(*named))
    if sign_in is None:
        raise SignInUnknown("no such sign-in")
    secret, new_browser = _secrets(sign_in, browser)
    if sign_in.browser not in (fingerprint(browser), fingerprint(new_browser)) or not sign_in.sends:
        raise SignInUnknown("no such sign-in in this browser")
    if sign_in.consumed_at is None:
        raise _refused("sign-in", TooManyTries(), "too many tries", sign_in, by)
    spare = update(SignIn).where(*named, SignIn.tries < MOST_TRIES).values(tries=SignIn.tries + 1)
    in_time = now() - sign_in.consumed_at <= REPEAT_WITHIN and changed(spare) == 1
    session = sessions.of_sign_in_or_none(sign_in.id)
    known = session is not None and session.secret == fingerprint(secret)
    if session is None or not (in_time and known and passcodes.matching(sign_in, code)):
        raise _refused("sign-in", PasscodeUsed(), "used", sign_in, by)
    _give_back(sign_in)
    return SignedIn(
        target=sign_in.target,
        session_secret=secret,
        browser=new_browser,
        expires_at=session.expires_at,
    )


def _secrets(sign_in: SignIn, browser: str) -> tuple[str, str]:
    """Derive the session's secret and the browser's next id: a post repeated gets the same answer again."""
    message = sign_in.id.bytes + browser.encode()
    first, second = (hmac.digest(keys(purpose)[0], message, "sha256") for purpose in ("session", "visit"))
    return first.hex(), second.hex()


def _why_no_send(tenant_id: uuid.UUID, sign_in_id: uuid.UUID, browser: str, by: Caller) -> Refusal:
    sign_in = db.session.scalar(select(SignIn).where(*_mine(tenant_id, sign_in_id, browser)))
    if sign_in is None:
        return SignInUnknown("no such sign-in in this browser")
    refusal: Refusal
    if sign_in.consumed_at:
        refusal, reason = SignInUsed(), "used"
    elif sign_in.tries >= MOST_TRIES:
        refusal, reason = TooManyTries(), "too many tries"
    elif sign_in.sends >= MOST_SENDS and sign_in.last_sent_at:
        refusal, reason = TooManySends(sign_in.last_sent_at), "too many codes"
    else:
        refusal, reason = SendTooEarly(sign_in.last_sent_at or now()), "too early"
    return _refused("passcode.requested", refusal, reason, sign_in, by)


def _refused(event: str, refusal: Refusal, reason: str, sign_in: SignIn, by: Caller) -> Refusal:
    _record(event, sign_in, by, refused=reason)
    return refusal


def _record(event: str, sign_in: SignIn, by: Caller, **detail: str) -> None:
    tenant_id, user_id = sign_in.tenant_id, sign_in.user_id
    audit.record(event, by=by, tenant_id=tenant_id, user_id=user_id, address=sign_in.address, **detail)
