"""Sessions: who is signed in, since when, until when (B28, B29).

What it does: `arriving` answers a request's first question, which tenant and who; `open_for` makes the one
session of a sign-in; `end` and its kin end them.

The one thing to understand: the cookie holds nothing but random secrets, at most one for each tenant. The
row decides, in the same statement that finds the tenant: ended, expired, blocked, disabled, opted out all
answer with the very next request.

What must stay true: `expires_at` is never updated; nothing brings an ended session back; what ends a guest's
or a tenant's access ends their sessions in the same transaction.

Called by the gate, sign-in, guests, tenants and policies. It sets no cookie.
"""

import functools
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import current_app
from sqlalchemy import ColumnElement, Select, Uuid, and_, bindparam, exists, not_, or_, select, update

from guestauth import audit
from guestauth.audit import Caller
from guestauth.database import CLOCK_SLACK, add, changed, db, now, operation, query, row_or_none
from guestauth.engines import UtcDateTime
from guestauth.keys import fingerprint
from guestauth.models import PASSCODE, CoveredName, Domain, IdentityProvider, Session, SignIn, Tenant, User

MOST_SESSIONS = 10  # tenants one browser can be signed in to; the oldest goes first


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """What a request comes with: the tenant it names, and who is signed in there."""

    tenant: Tenant
    session: Session | None = None
    user: User | None = None


def is_admitted() -> ColumnElement[bool]:
    """Return the condition on a user and their tenant under which they may sign in at all, whatever their way."""
    gone = (User.deleted_at, User.blocked_at, User.revoked_at, Tenant.disabled_at)
    return and_(*(moment.is_(None) for moment in gone))


def takes_codes() -> ColumnElement[bool]:
    """Return the condition on a user and their tenant under which codes are their way in.

    Who has not accepted must have been invited since codes were last turned on (B11), and have no provider (B6).
    """
    in_time = or_(Tenant.passcodes_since.is_(None), User.invited_at >= Tenant.passcodes_since)
    fallback = and_(User.identity_provider.is_(None), in_time, not_(_has_provider()))
    passcodes = and_(Tenant.passcodes_on, or_(User.identity_provider == PASSCODE, fallback))
    return or_(not_(is_guest()), passcodes)


def is_guest() -> ColumnElement[bool]:
    """Return the condition that a user is a guest: only guests sign in at identity providers (B34).

    Else a provider that an administrator has set up could let them in again after they were removed.
    """
    return User.user_type == "Guest"


def may_sign_in() -> ColumnElement[bool]:
    """Return the condition on a user and their tenant under which a code may be sent, or let in."""
    return and_(is_admitted(), takes_codes())


def _is_fixed_to(*there: Any) -> ColumnElement[bool]:
    """Return the condition that a user's way in, once fixed, is this: kind, issuer and subject there (B7)."""
    fixed = (User.identity_provider, User.identity_issuer, User.identity_subject)
    same = (theirs.is_not_distinct_from(this) for theirs, this in zip(fixed, there, strict=True))
    return or_(User.identity_provider.is_(None), and_(*same))


def _has_provider() -> ColumnElement[bool]:
    """Return the condition that a provider is set up for a user's address."""
    theirs = or_(IdentityProvider.tenant_id.is_(None), IdentityProvider.tenant_id == User.tenant_id)
    named = or_(CoveredName.name == User.mail_key, CoveredName.name == User.domain)
    return exists().where(CoveredName.provider_id == IdentityProvider.id, theirs, named)


def is_not_void(issued_at: Any) -> ColumnElement[bool]:
    """Return the condition that a code was issued after codes were last made worthless (B12, B34).

    :param issued_at: when it was, or the column or parameter that says so.
    """
    of_guests = or_(Tenant.codes_void_at.is_(None), Tenant.codes_void_at < issued_at)
    return and_(_is_later(issued_at), or_(User.user_type != "Guest", of_guests))


def _is_later(moment: Any) -> ColumnElement[bool]:
    """Return the condition that nothing has undone since what a user had begun."""
    return or_(User.codes_void_at.is_(None), User.codes_void_at < moment)


@query
def arriving(reference: uuid.UUID | str, secrets: Sequence[str]) -> Arrival | None:
    """Find the tenant and the live session of a request, in one statement.

    :param reference: a tenant id, or a domain in lower-case ASCII.
    :param secrets: what the session cookie holds.
    :returns: None if there is no such tenant, or it is disabled (B4).
    """
    by_id, named = isinstance(reference, uuid.UUID), dict[str, Any](reference=reference)
    if not secrets:
        tenant = row_or_none(_named(by_id), Tenant, **named)
        return Arrival(tenant=tenant) if tenant else None
    named |= {f"secret{n}": fingerprint(secret) for n, secret in enumerate(secrets)}
    named |= {"now": now(), "soon": now() + CLOCK_SLACK}
    found = row_or_none(_arriving(by_id, len(secrets)), Tenant, Session, User, **named)
    return Arrival(tenant=found[0], session=found[2] and found[1], user=found[2]) if found else None


@functools.cache
def _named(by_id: bool) -> Select[Tenant]:
    """Build the statement that finds a tenant: by its id, or by a domain that is proven to be its own."""
    verified = select(Domain.tenant_id).where(
        Domain.name == bindparam("reference"), Domain.verified_at.is_not(None)
    )
    its_id = bindparam("reference", type_=Uuid()) if by_id else verified.scalar_subquery()
    return select(Tenant).where(Tenant.id == its_id, Tenant.disabled_at.is_(None))


@functools.cache
def _arriving(by_id: bool, secrets: int) -> Select[Tenant, Session, User]:
    """Build the statement that requests with a session cookie begin with, once for each number of secrets."""
    live = and_(
        Session.tenant_id == Tenant.id,
        or_(*(Session.secret == bindparam(f"secret{n}") for n in range(secrets))),
        Session.ended_at.is_(None),
        Session.created_at <= bindparam("soon"),
        Session.expires_at > bindparam("now"),
    )
    way = or_(and_(Session.way == PASSCODE, takes_codes()), and_(Session.way != PASSCODE, is_guest(), _FIXED))
    who = and_(User.id == Session.user_id, is_admitted(), way)
    found = _named(by_id).add_columns(Session, User).outerjoin(Session, live).outerjoin(User, who)
    return found.order_by(User.id.is_(None)).limit(1)


@dataclass(frozen=True, kw_only=True)
class Proof:
    """How somebody has shown that an address is theirs: by a code, or at an identity provider."""

    since: datetime  # when the code was issued, or they left for the provider
    way: str = PASSCODE
    issuer: str | None = None
    subject: str | None = None


def open_for(
    sign_in: SignIn, proof: Proof, *, secret: str, by: Caller, replacing: uuid.UUID | None
) -> Session | None:
    """Make the session of a sign-in, in the transaction under way, if guest and tenant still may.

    :param sign_in: whose tenant's row is locked, so that opting out waits (`passcodes.let_in_or_none`).
    :param secret: what the cookie will hold.
    :param replacing: the session this browser had at this tenant until now.
    :returns: None if they may not.
    """
    moment, arrived = now(), _ARRIVED_BY_CODE if proof.way == PASSCODE else _ARRIVED_BY_PROVIDER
    named = {"b_user": sign_in.user_id, "b_tenant": sign_in.tenant_id, "b_since": proof.since}
    there = {"b_way": proof.way, "b_issuer": proof.issuer, "b_subject": proof.subject}
    if changed(arrived, b_now=moment, **named, **there) != 1:
        return None
    if replacing:
        _end(Session.id == replacing, "signed in again")
    session = Session(
        secret=fingerprint(secret),
        tenant_id=sign_in.tenant_id,
        user_id=sign_in.user_id,  # type: ignore[arg-type]
        sign_in_id=sign_in.id,
        way=proof.way,
        identity_issuer=proof.issuer,
        identity_subject=proof.subject,
        browser=audit.one_line(by.browser)[:200],
        client_address=by.client_address,
        created_at=moment,
        expires_at=moment + timedelta(seconds=current_app.config["SESSION_LIFETIME"]),
    )
    add(session)
    return session


@query
def of_sign_in_or_none(sign_in_id: uuid.UUID) -> Session | None:
    """Return the live session that a sign-in led to."""
    live = (Session.sign_in_id == sign_in_id, Session.ended_at.is_(None), Session.expires_at > now())
    return db.session.scalar(select(Session).where(*live))


@query
def live(tenant_id: uuid.UUID, user_id: uuid.UUID | None = None) -> Sequence[tuple[Session, User]]:
    """Return a tenant's live sessions, or one user's, the newest first."""
    theirs = Session.user_id == user_id if user_id else Session.tenant_id == tenant_id
    going = (theirs, Session.tenant_id == tenant_id, Session.ended_at.is_(None), Session.expires_at > now())
    both = select(Session, User).join(User, User.id == Session.user_id).where(*going)
    return [(session, user) for session, user in db.session.execute(both.order_by(Session.created_at.desc()))]


@operation
def sign_out(tenant_id: uuid.UUID, session_id: uuid.UUID, *, by: Caller) -> None:
    """End one session, since its guest asks for it."""
    if end_one(tenant_id, session_id, "signed out"):
        audit.record("session.ended", by=by, tenant_id=tenant_id, reason="signed out")


@operation
def end_all(tenant_id: uuid.UUID, *, user_id: uuid.UUID | None = None, by: Caller) -> int:
    """End all live sessions of a tenant, or of one of its users, and return how many there were."""
    which = Session.tenant_id == tenant_id
    ended = _end(and_(which, Session.user_id == user_id) if user_id else which, "ended by an administrator")
    audit.record("session.ended", by=by, tenant_id=tenant_id, user_id=user_id, sessions=ended)
    return ended


@operation
def end_own(tenant_id: uuid.UUID, user_id: uuid.UUID, which: str, *, keeping: uuid.UUID, by: Caller) -> int:
    """End one of a user's own sessions, or all others, and return how many ended (B30).

    :param which: a session's id, or `others`; what is neither ends nothing.
    :param keeping: the session that asks; it stays.
    """
    mine = and_(Session.tenant_id == tenant_id, Session.user_id == user_id, Session.id != keeping)
    if which != "others":
        mine = and_(mine, Session.id == _id_or_none(which))
    ended = _end(mine, "ended by its user")
    if ended:
        audit.record("session.ended", by=by, tenant_id=tenant_id, reason="ended by its user", sessions=ended)
    return ended


def end_one(tenant_id: uuid.UUID, session_id: uuid.UUID, reason: str) -> int:
    """End one session in the transaction under way."""
    return _end(and_(Session.id == session_id, Session.tenant_id == tenant_id), reason)


def end_of_user(user_id: uuid.UUID, reason: str) -> int:
    """End a user's sessions in the transaction under way."""
    return _end(Session.user_id == user_id, reason)


def end_of_tenant(tenant_id: uuid.UUID) -> int:
    """End a tenant's sessions in the transaction under way."""
    return _end(Session.tenant_id == tenant_id, "tenant disabled")


def end_passcode_guests(tenant_id: uuid.UUID) -> int:
    """End the sessions of guests who sign in with codes, in the transaction under way (B12)."""
    guests = select(User.id).where(User.tenant_id == tenant_id, User.user_type == "Guest")
    by_code = and_(Session.tenant_id == tenant_id, Session.way == PASSCODE)
    return _end(and_(by_code, Session.user_id.in_(guests)), "codes turned off")


def end_of_provider(kind: str, *, tenant_id: uuid.UUID | None, issuer: str | None) -> int:
    """End the sessions that came by a provider, in the transaction under way.

    :param tenant_id: None: at all tenants.
    :param issuer: None: of all providers of the kind.
    """
    theirs = [Session.way == kind]
    theirs += [Session.tenant_id == tenant_id] if tenant_id else []
    theirs += [Session.identity_issuer == issuer] if issuer else []
    return _end(and_(*theirs), "identity provider removed")


def end_other_ways(user_id: uuid.UUID) -> int:
    """End a user's sessions that came another way, or as somebody else there, than is fixed now (B7), likewise."""
    return _end(and_(Session.user_id == user_id, User.id == user_id, not_(_FIXED)), "way in was fixed")


def _id_or_none(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def _end(which: ColumnElement[bool], reason: str) -> int:
    ending = update(Session).where(which, Session.ended_at.is_(None), Session.expires_at > now())
    return changed(ending.values(ended_at=now(), ended_reason=reason))


_FIXED = _is_fixed_to(Session.way, Session.identity_issuer, Session.identity_subject)
_since = bindparam("b_since", type_=UtcDateTime)
_ARRIVED = (
    update(User)
    .where(User.id == bindparam("b_user"), User.tenant_id == bindparam("b_tenant"), Tenant.id == User.tenant_id)
    .where(is_admitted(), _is_later(_since))
    .values(last_sign_in_at=bindparam("b_now"))
)
_ARRIVED_BY_CODE = _ARRIVED.where(takes_codes(), is_not_void(_since))
_there: list[Any] = [bindparam(f"b_{each}") for each in ("way", "issuer", "subject")]
_ARRIVED_BY_PROVIDER = _ARRIVED.where(is_guest(), _is_fixed_to(*_there))
