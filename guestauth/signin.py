"""The way in: an address, a code, a session (B17, B22 to B28).

What it does: `start` opens a sign-in for an address in a browser; `enter_code` turns a right code into a session.
Between them `sending` mails it codes.

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

from sqlalchemy import bindparam, select, update

from guestauth import audit, guessing, identity_providers, limits, passcodes, sessions
from guestauth.addresses import Address
from guestauth.audit import Caller
from guestauth.database import Refusal, add, change, changed, now, operation, query, row_or_none
from guestauth.keys import fingerprint, keys
from guestauth.languages import N_
from guestauth.models import PASSCODE, SOURCES, Passcode, Session, SignIn
from guestauth.passcodes import PasscodeExpired, PasscodeUsed, PasscodeWrong, TooManyTries

MOST_TRIES = passcodes.MOST_TRIES
REPEAT_WITHIN = timedelta(seconds=60)  # a double click or a lost answer gets the same session again


class SignInUnknown(Refusal):
    """This browser has no such sign-in under way (B25)."""


class SignInUsed(Refusal):
    """The sign-in has led to a session already; another one must be started."""


@dataclass(frozen=True, kw_only=True)
class SignedIn:
    """What a proof of the address gives: where to go, and what the browser is to hold from now on."""

    mail_key: str
    target: str | None
    session_secret: str
    browser: str  # the visit cookie's new id
    expires_at: datetime
    by_code: bool  # so whoever holds the browser reads the mail; who a provider lets in may not


@operation
def start(
    tenant_id: uuid.UUID,
    address: Address,
    *,
    browser: str,
    target: str | None,
    known: str | None = None,
    by: Caller,
) -> SignIn:
    """Open a sign-in for an address, whoever it belongs to.

    :param browser: the visit cookie's id.
    :param target: path where to go after sign-in.
    :param known: why the browser is the guest's own, if it is: what it has by it is counted apart.
    :raises LimitReached:
    """
    if not known:
        row = limits.of_client(limits.CLIENT_ADDRESSES, by)
        limits.spend(limits.CLIENT_ADDRESSES, row, by=by, tenant_id=tenant_id, address=address.mail)
    known = known and fingerprint(known)
    return opened(tenant_id, address.mail, address.key, browser=browser, target=target, known=known)


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
    :raises SignInUnknown: :raises LimitReached:
    """
    sign_in: SignIn | None = row_or_none(_NAMED, SignIn, b_id=sign_in_id, b_tenant=tenant_id)
    if sign_in is None:
        raise SignInUnknown()
    if not sign_in.known:
        row = limits.of_client(limits.CLIENT_CODES, by)
        limits.spend(limits.CLIENT_CODES, row, by=by, tenant_id=tenant_id, address=sign_in.address)
    reserved: SignIn | None = row_or_none(_RESERVE, SignIn, b_id=sign_in_id, b_browser=fingerprint(browser))
    if reserved is None:
        return _again(sign_in, code, browser=browser, by=by)
    sign_in = reserved
    passcode = passcodes.matching(sign_in, code)
    if passcode is not None and not passcodes.is_live(passcode):
        _give_back(sign_in)
        raise refused("sign-in", PasscodeExpired(), N_("expired"), sign_in, by)
    done = None
    if passcode is not None:
        proof = sessions.Proof(since=passcode.issued_at)
        done = let_in_or_none(sign_in, proof, browser=browser, replacing=replacing, by=by)
    if done is None:
        guessing.wrong(sign_in, by=by)
        record("sign-in", sign_in, by, refused=N_("may not sign in") if passcode else N_("wrong code"))
        raise PasscodeWrong(MOST_TRIES - sign_in.tries)
    guessing.right(sign_in)
    return done


def let_in_or_none(
    sign_in: SignIn, proof: sessions.Proof, *, browser: str, replacing: uuid.UUID | None, by: Caller
) -> SignedIn | None:
    """Turn a sign-in whose address was proven into a session, in the transaction under way.

    :param replacing: the session this browser has at the tenant already; it ends.
    :returns: None if there is nobody behind it who may sign in.
    """
    let_in = passcodes.let_in_or_none(sign_in)
    if let_in is None:
        return None
    secret, new_browser = _secrets(sign_in, browser)
    session = sessions.open_for(sign_in, proof, secret=secret, by=by, replacing=replacing)
    if session is None:
        return None
    _consume(sign_in, browser, new_browser)
    record("sign-in", sign_in, by, source=SOURCES[proof.way], why=identity_providers.why(*let_in))
    return _signed_in(sign_in, session, secret, new_browser)


def _signed_in(sign_in: SignIn, session: Session, secret: str, new_browser: str) -> SignedIn:
    return SignedIn(
        mail_key=sign_in.mail_key,
        target=sign_in.target,
        session_secret=secret,
        browser=new_browser,
        expires_at=session.expires_at,
        by_code=session.way == PASSCODE,
    )


@query
def find(tenant_id: uuid.UUID, sign_in_id: uuid.UUID, *, browser: str) -> SignIn:
    """Return the browser's sign-in.

    :raises SignInUnknown: if it has none such.
    """
    return mine(tenant_id, sign_in_id, browser)


@query
def newest(sign_in: SignIn) -> Passcode:
    """Return the code sent last for a sign-in that has been sent one."""
    return passcodes.of_sign_in(sign_in.id)[-1]


@query
def over_or_none(tenant_id: uuid.UUID, *, browser: str) -> SignIn | None:
    """Return the browser's last sign-in if its session came to its natural end; it keeps the address (B28)."""
    last = row_or_none(_LAST, SignIn, Session, b_tenant=tenant_id, b_browser=fingerprint(browser))
    return last[0] if last and last[1].ended_at is None and last[1].expires_at <= now() else None


def mine(tenant_id: uuid.UUID, sign_in_id: uuid.UUID, browser: str) -> SignIn:
    """Return the browser's own sign-in (B25), in the transaction under way.

    :raises SignInUnknown: if it has none such.
    """
    named = {"b_id": sign_in_id, "b_tenant": tenant_id, "b_browser": fingerprint(browser)}
    sign_in: SignIn | None = row_or_none(_MINE, SignIn, **named)
    if sign_in is None:
        raise SignInUnknown()
    return sign_in


def as_it_is(sign_in: SignIn) -> SignIn:
    """Read a sign-in anew, in the transaction under way."""
    found: SignIn = row_or_none(_NAMED, SignIn, b_id=sign_in.id, b_tenant=sign_in.tenant_id)
    return found


def opened(
    tenant_id: uuid.UUID, address: str, key: str, *, browser: str, target: str | None, known: str | None
) -> SignIn:
    """Add a sign-in to the transaction under way.

    :param known: the fingerprint of why the browser is the guest's own.
    """
    sign_in = SignIn(
        tenant_id=tenant_id,
        browser=fingerprint(browser),
        known=known,
        address=address,
        mail_key=key,
        nonce=secrets.token_bytes(32),
        target=target,
        created_at=now(),
    )
    add(sign_in)
    return sign_in


def _consume(sign_in: SignIn, browser: str, new_browser: str) -> None:
    """Use the sign-in up, and hand all that this browser has under way to its new id."""
    if changed(_CONSUME, b_id=sign_in.id, b_now=now()) != 1:
        raise RuntimeError("a sign-in consumed twice")
    change(_HAND_OVER, b_browser=fingerprint(browser), b_new=fingerprint(new_browser))


def _give_back(sign_in: SignIn) -> None:
    """Undo the try that was reserved for a code that turned out right."""
    changed(update(SignIn).where(SignIn.id == sign_in.id).values(tries=SignIn.tries - 1))


def _again(sign_in: SignIn, code: str, *, browser: str, by: Caller) -> SignedIn:
    """Answer a code that cannot be tried: for a used sign-in within a minute, the same session again."""
    sign_in = as_it_is(sign_in)
    secret, new_browser = _secrets(sign_in, browser)
    if sign_in.browser not in (fingerprint(browser), fingerprint(new_browser)) or not sign_in.sends:
        raise SignInUnknown()
    if sign_in.consumed_at is None:
        raise refused("sign-in", TooManyTries(), N_("too many tries"), sign_in, by)
    spare = update(SignIn).where(SignIn.id == sign_in.id, SignIn.tries < MOST_TRIES)
    in_time = now() - sign_in.consumed_at <= REPEAT_WITHIN and changed(spare.values(tries=SignIn.tries + 1)) == 1
    session = sessions.of_sign_in_or_none(sign_in.id)
    known = session is not None and session.secret == fingerprint(secret)
    if session is None or not (in_time and known and passcodes.matching(sign_in, code)):
        raise refused("sign-in", PasscodeUsed(), N_("used"), sign_in, by)
    _give_back(sign_in)
    return _signed_in(sign_in, session, secret, new_browser)


def _secrets(sign_in: SignIn, browser: str) -> tuple[str, str]:
    """Derive the session's secret and the browser's next id: a post repeated gets the same answer again."""
    message = sign_in.id.bytes + browser.encode()
    first, second = (hmac.digest(keys(purpose)[0], message, "sha256") for purpose in ("session", "visit"))
    return first.hex(), second.hex()


def refused(event: str, refusal: Refusal, reason: str, sign_in: SignIn, by: Caller) -> Refusal:
    """Record why a step that costs no try was refused, once for each sign-in a day, and return the refusal.

    Whoever repeats it would fill the audit log else: nothing limits it, since it gives nobody anything.
    """
    if limits.spent_if_room(limits.REFUSALS, limits.of_step(limits.REFUSALS, sign_in.id, event, reason)):
        record(event, sign_in, by, refused=reason)
    return refusal


def record(event: str, sign_in: SignIn, by: Caller, **detail: str) -> None:
    """Record a step of a sign-in."""
    tenant_id, user_id = sign_in.tenant_id, sign_in.user_id
    audit.record(event, by=by, tenant_id=tenant_id, user_id=user_id, address=sign_in.address, **detail)


# Statements that are built once: with the same words for everybody, whoever it is about.
_NAMED = select(SignIn).where(SignIn.id == bindparam("b_id"), SignIn.tenant_id == bindparam("b_tenant"))
_MINE = _NAMED.where(SignIn.browser == bindparam("b_browser"))
_LAST = (
    select(SignIn, Session)
    .join(Session, Session.sign_in_id == SignIn.id)
    .where(SignIn.tenant_id == bindparam("b_tenant"), SignIn.browser == bindparam("b_browser"))
    .order_by(Session.created_at.desc())
    .limit(1)
)
_UNUSED = update(SignIn).where(SignIn.id == bindparam("b_id"), SignIn.consumed_at.is_(None))
_RESERVE = (
    _UNUSED.where(SignIn.browser == bindparam("b_browser"), SignIn.tries < MOST_TRIES, SignIn.sends > 0)
    .values(tries=SignIn.tries + 1)
    .returning(SignIn)
)
_CONSUME = _UNUSED.values(
    consumed_at=bindparam("b_now"), tries=SignIn.tries - 1
)  # the right code was no wrong try
_THEIRS = select(SignIn.id).where(SignIn.browser == bindparam("b_browser")).with_for_update(skip_locked=True)
_HAND_OVER = update(SignIn).where(SignIn.id.in_(_THEIRS)).values(browser=bindparam("b_new"))
