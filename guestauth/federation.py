"""Federation: signing in at an identity provider instead of by a code (B6).

What it does: `way_shown` says which way the pages offer for a sign-in; `leave` gives the address at the provider;
`come_back` turns what the browser brings back into a session.

The one thing to understand: it is the same sign-in as for codes, in the same browser (B25), used up once. What
is sent to the provider (state, nonce, PKCE verifier) derives from it and from a random part that travels in the
signed state; so leaving writes nothing, and nothing of it is stored.

What must stay true: the address must be vouched for by the provider *and* be the one the sign-in is for; who has
accepted is known by issuer and subject, whatever their address is by now. A guest with another way gets no code.

Called by the pages of the way in. It knows no page, and the protocol is `openid`'s.
"""

import hmac
import secrets
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from flask import current_app
from itsdangerous import BadData
from sqlalchemy import and_, bindparam, select, update

from guestauth import audit, identities, identity_providers, limits, openid, providers, sessions, signin
from guestauth.audit import Caller
from guestauth.connections import let_go
from guestauth.database import CLOCK_SLACK, Refusal, changed, db, now, operation, query, row_or_none
from guestauth.identities import AccountChanged, AddressNotConfirmed, Identity, OtherAccount
from guestauth.keys import keys, signer
from guestauth.languages import N_, Text
from guestauth.models import OPENID_CONNECT, IdentityProvider, SignIn, Tenant, User
from guestauth.passcodes import TooManyTries
from guestauth.providers import Way
from guestauth.signin import SignedIn, SignInUnknown, SignInUsed

RETURN_WITHIN = timedelta(minutes=30)  # of leaving for the provider
ASKING = {
    OPENID_CONNECT: "login"
}  # what makes a provider ask for the account: this every one must know (Core, 15.1)
MOST_TRIES = signin.MOST_TRIES  # answers of a provider that are looked at for one sign-in
ERRORS = {  # that the log names (RFC 6749, 4.1.2.1; OpenID Connect Core, 3.1.2.6); anybody can write another
    *("access_denied", "invalid_request", "invalid_scope", "server_error", "temporarily_unavailable"),
    *("unauthorized_client", "unsupported_response_type", "login_required", "interaction_required"),
    *("account_selection_required", "consent_required"),
}


class StateUnknown(Refusal):
    """What came back belongs to no sign-in that left in the last half hour."""


class WayChanged(Refusal):
    """The provider is not the way in of this address, or not any more."""


class NotFinished(Refusal):
    """The provider says that nobody signed in there: cancelled, or refused."""


class NotAdmitted(Refusal):
    """The address is theirs, but it is no guest's who may sign in."""


@dataclass(frozen=True, kw_only=True)
class State:
    """What travels to the provider and back, signed: which sign-in left, for which provider, when."""

    reference: str  # of the tenant, as the address named it: its id, or a domain
    sign_in_id: uuid.UUID
    provider_id: uuid.UUID
    salt: str
    left_at: datetime


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the browser brought back in its address."""

    state: State
    code: str | None
    iss: str | None
    error: str | None


@query
def way_shown(sign_in: SignIn) -> Way:
    """Return the way in that the pages offer for a sign-in: the same for a stranger as for a guest (B27)."""
    return _way(sign_in)


def redirect_uri(provider_id: uuid.UUID) -> str:
    """Return where a provider sends browsers back to: an address of its own, so that none is taken for another."""
    return f"{current_app.config['PUBLIC_URL']}/sign-in/callback/{provider_id}"


def leave(
    sign_in: SignIn, provider: IdentityProvider, *, reference: str, language: str, choose: bool = False
) -> str:
    """Return the address at the provider to send the browser to; nothing is written.

    :param reference: how the tenant is named in addresses: whoever comes back finds the one they left from.
    :param language: of the pages, as a tag.
    :param choose: whether the provider is to ask which account.
    :raises Unreachable: :raises AnswerRefused: if the provider does not say what it should.
    """
    let_go()
    salt = secrets.token_hex(16)
    parts = (reference, sign_in.id.hex, provider.id.hex, salt, int(now().timestamp() * 10**6))
    hints = {"login_hint": sign_in.address, "ui_locales": language}
    hints |= {"prompt": ASKING.get(provider.kind, "select_account")} if choose else {}
    return openid.way_out(
        _client(provider),
        state=signer("federation").dumps(parts),
        nonce=_derived("nonce", sign_in, salt),
        verifier=_derived("verifier", sign_in, salt),
        **hints,
    )


def tried(provider: IdentityProvider) -> Text:
    """Try a provider as it is set up and return what was found, as a sentence.

    :raises Unreachable: :raises AnswerRefused: with what is wrong.
    """
    let_go()
    openid.tried(_client(provider))
    return N_("%(provider)s answers, has keys, and knows us", provider=provider.name)


def read_state(text: str) -> State:
    """Return what travelled in a state of ours.

    :raises StateUnknown: if it is none, or left more than half an hour ago.
    """
    try:
        reference, sign_in, provider, salt, microseconds = signer("federation").loads(text)
        left_at = datetime.fromtimestamp(microseconds / 10**6, UTC)
        ids = [uuid.UUID(each) for each in (sign_in, provider)]
    except (BadData, ValueError, TypeError, AttributeError) as fault:
        raise StateUnknown() from fault
    if not -CLOCK_SLACK <= now() - left_at <= RETURN_WITHIN:
        raise StateUnknown()
    return State(reference=reference, sign_in_id=ids[0], provider_id=ids[1], salt=salt, left_at=left_at)


def come_back(
    tenant_id: uuid.UUID,
    sign_in_id: uuid.UUID,
    answer: Answer,
    *,
    browser: str,
    replacing: uuid.UUID | None,
    by: Caller,
) -> SignedIn:
    """Turn what a browser brought back from a provider into a session.

    A try is reserved before the provider is asked, and given back if it does not answer.

    :param replacing: the session this browser has at the tenant already; it ends.
    :raises SignInUnknown: :raises SignInUsed: :raises TooManyTries: :raises WayChanged: :raises NotFinished:
    :raises Unreachable: :raises AnswerRefused: :raises AddressNotConfirmed: :raises OtherAccount:
    :raises NotAdmitted: :raises AccountChanged: :raises LimitReached:
    """
    if answer.state.sign_in_id != sign_in_id:
        raise SignInUnknown()
    sign_in, provider = _reserve(tenant_id, answer, browser=browser, by=by)
    let_go()
    try:
        claims = openid.exchanged(
            _client(provider),
            answer.code or "",
            nonce=_derived("nonce", sign_in, answer.state.salt),
            verifier=_derived("verifier", sign_in, answer.state.salt),
            iss=answer.iss,
            at=now(),
        )
        identity = identities.of_claims(provider.kind, claims)
    except (openid.Unreachable, openid.AnswerRefused) as refusal:
        _failed(sign_in, provider, refusal, by=by)
        raise
    return _enter(sign_in, provider, identity, answer, browser=browser, replacing=replacing, by=by)


@operation
def _reserve(tenant_id: uuid.UUID, answer: Answer, *, browser: str, by: Caller) -> tuple[SignIn, IdentityProvider]:
    """Reserve a try of a sign-in that left for a provider, if that is its way in still."""
    sign_in = signin.mine(tenant_id, answer.state.sign_in_id, browser)
    if not sign_in.known:
        row = limits.of_client(limits.CLIENT_CODES, by)
        limits.spend(limits.CLIENT_CODES, row, by=by, tenant_id=tenant_id, address=sign_in.address)
    way = _way(sign_in)
    if way.through is None or way.through.id != answer.state.provider_id:
        raise _refused(sign_in, WayChanged(), "another way in", by)
    if answer.error or not answer.code:
        error = answer.error if answer.error in ERRORS else "not signed in"
        raise _refused(sign_in, NotFinished(), f"{way.through.name}: {error}", by)
    spare = (SignIn.id == sign_in.id, SignIn.consumed_at.is_(None), SignIn.tries < MOST_TRIES)
    if changed(update(SignIn).where(*spare).values(tries=SignIn.tries + 1)) == 1:
        return sign_in, way.through
    if sign_in.consumed_at:
        raise _refused(sign_in, SignInUsed(), "used", by)
    raise _refused(sign_in, TooManyTries(), "too many tries", by)


@operation
def _failed(sign_in: SignIn, provider: IdentityProvider, refusal: Refusal, *, by: Caller) -> None:
    """Record that a provider gave no answer, or none to believe; for its silence no try is counted."""
    if isinstance(refusal, openid.Unreachable):
        changed(update(SignIn).where(SignIn.id == sign_in.id).values(tries=SignIn.tries - 1))
    signin.refused("sign-in", refusal, audit.one_line(f"{provider.name}: {refusal}")[:200], sign_in, by)


@operation
def _enter(
    sign_in: SignIn,
    provider: IdentityProvider,
    identity: Identity,
    answer: Answer,
    *,
    browser: str,
    replacing: uuid.UUID | None,
    by: Caller,
) -> SignedIn:
    """Open the session of who a provider says has signed in there, if they are who the sign-in is for."""
    sign_in = signin.mine(sign_in.tenant_id, sign_in.id, browser)
    there = identity_providers.is_there(provider.id)
    user, way = _user(sign_in), _way(sign_in)
    if sign_in.consumed_at:
        raise _refused(sign_in, SignInUsed(), "used", by)
    if not there or way.through is None or way.through.id != provider.id:
        raise _refused(sign_in, WayChanged(), "another way in", by)
    _check(sign_in, user, identity, by)
    proof = sessions.Proof(
        since=answer.state.left_at, way=provider.kind, issuer=identity.issuer, subject=identity.subject
    )
    if user is not None:
        sign_in.user_id = user.id
        db.session.flush()
    done = signin.let_in_or_none(sign_in, proof, browser=browser, replacing=replacing, by=by)
    if done is None:
        raise _refused(sign_in, NotAdmitted(), "may not sign in", by)
    return done


def _check(sign_in: SignIn, user: User | None, identity: Identity, by: Caller) -> None:
    """Refuse an identity that is not who the sign-in is for.

    Who has accepted is known by issuer and subject. Nobody else learns that the address is a guest's but who has
    proven that it is theirs.
    """
    accepted = user is not None and user.identity_provider is not None
    if user and accepted and (user.identity_issuer, user.identity_subject) == (identity.issuer, identity.subject):
        return
    if identity.key != sign_in.mail_key:
        raise _refused(sign_in, OtherAccount(identity.address), "an account of another address", by)
    if not identity.vouched_for:
        raise _refused(sign_in, AddressNotConfirmed(identity.address), "address not confirmed by the provider", by)
    if accepted:
        raise _refused(sign_in, AccountChanged(), "another account of the same address", by)


def _user(sign_in: SignIn) -> User | None:
    named = (User.tenant_id == sign_in.tenant_id, User.mail_key == sign_in.mail_key, User.deleted_at.is_(None))
    return db.session.scalar(select(User).where(*named))


def _way(sign_in: SignIn) -> Way:
    tenant, user = row_or_none(_WHOSE, Tenant, User, b_tenant=sign_in.tenant_id, b_key=sign_in.mail_key)
    candidates = identity_providers.candidates(sign_in.tenant_id, sign_in.mail_key)
    return providers.shown(tenant, user, candidates)


def _client(provider: IdentityProvider) -> openid.Client:
    return openid.Client(
        issuer=provider.issuer,
        client_id=provider.client_id,
        secret=identity_providers.secret(provider),
        redirect_uri=redirect_uri(provider.id),
        whose=str(provider.tenant_id or ""),
        directories=provider.directories,
    )


def _derived(what: str, sign_in: SignIn, salt: str) -> str:
    """Derive what belongs to one sign-in and one leave only: 64 characters nobody else can know."""
    message = b"|".join([sign_in.id.bytes, sign_in.nonce, salt.encode()])
    return hmac.digest(keys(f"federation {what}")[0], message, "sha256").hex()


def _refused(sign_in: SignIn, refusal: Refusal, reason: str, by: Caller) -> Refusal:
    return signin.refused("sign-in", refusal, reason, sign_in, by)


_ADDRESSED = and_(User.tenant_id == Tenant.id, User.mail_key == bindparam("b_key"), User.deleted_at.is_(None))
_WHOSE = select(Tenant, User).outerjoin(User, _ADDRESSED).where(Tenant.id == bindparam("b_tenant"))
