"""Identity providers: what is set up, for whose addresses (B6).

What it does: `add` and `remove` one, `renew_secret` of one; `listed` shows them; `candidates` finds those that a
tenant can use for an address; `secret` opens what was sealed.

The one thing to understand: Azure AD and Microsoft account belong to the installation and serve every tenant;
Google and any other OpenID Connect provider are each tenant's own.

What must stay true: the client's secret is sealed for one issuer and one client, so it is sent to no other; who is
signed in by a provider is signed out when it is removed.

Called by the way in, the console and the command line. It fetches nothing.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.fernet import InvalidToken
from sqlalchemy import ColumnElement, bindparam, delete, distinct, exists, func, or_, select

from guestauth import audit, sessions
from guestauth.audit import Caller
from guestauth.database import Refusal, db, now, operation, query, refusing_doubles, rows
from guestauth.database import add as insert
from guestauth.descriptions import Described, ProviderRefused, checked, covered, purpose, sealed
from guestauth.fetching import Unreachable
from guestauth.keys import opens, unseal
from guestauth.languages import N_
from guestauth.models import (
    OPENID_CONNECT,
    PENDING,
    CoveredName,
    IdentityProvider,
    Session,
    Tenant,
    User,
)
from guestauth.policies import Effect
from guestauth.providers import ORDER, Candidate, way_in

MOST = 20  # of one tenant


class ProviderUnknown(Refusal):
    """There is no such identity provider."""


@dataclass(frozen=True, kw_only=True)
class Listed:
    """An identity provider and whose addresses are its."""

    provider: IdentityProvider
    covers: Sequence[str]


@operation
def add(
    described: Described,
    *,
    tenant_id: uuid.UUID | None = None,
    provider_id: uuid.UUID | None = None,
    by: Caller,
) -> IdentityProvider:
    """Set up an identity provider; those who have not accepted yet use it from now on (B6, B7).

    :param tenant_id: whose it is; None: the installation's.
    :raises ProviderRefused: what is wrong with it, or that it is there already.
    """
    provider, names = checked(described, tenant_id)
    if (db.session.scalar(select(func.count()).select_from(IdentityProvider).where(_of(tenant_id))) or 0) >= MOST:
        raise ProviderRefused(N_("%(most)s identity providers at most", most=MOST), "kind")
    provider.id = provider_id or provider.id
    taken = N_("%(provider)s is set up already. Remove it first to set it up anew.", provider=provider.name)
    with refusing_doubles(ProviderRefused(taken, "kind")):
        insert(provider)
    for name in names:
        insert(CoveredName(provider_id=provider.id, name=name))
    covers = ", ".join(names)[:1000]
    kind, issuer = provider.kind, provider.issuer
    audit.record("provider.added", by=by, tenant_id=tenant_id, kind=kind, issuer=issuer, covers=covers)
    return provider


@operation
def renew_secret(
    provider_id: uuid.UUID, client_secret: str, *, tenant_id: uuid.UUID | None = None, by: Caller
) -> None:
    """Keep another secret of ours at a provider, since the last one ends; nobody is signed out.

    :param tenant_id: whose provider it is; None: the installation's.
    :raises ProviderUnknown: :raises ProviderRefused:
    """
    provider = _one(provider_id, tenant_id)
    kind, issuer = provider.kind, provider.issuer
    provider.sealed_secret = sealed(client_secret, issuer, provider.client_id)
    audit.record("provider.changed", by=by, tenant_id=tenant_id, kind=kind, issuer=issuer)


@operation
def remove(provider_id: uuid.UUID, *, tenant_id: uuid.UUID | None = None, by: Caller) -> int:
    """Remove an identity provider and end the sessions that came by it; return how many those were.

    Guests whose way in is fixed to it have none until it is set up again or they are reset.

    :param tenant_id: whose it is; None: the installation's.
    :raises ProviderUnknown:
    """
    provider = _one(provider_id, tenant_id)
    kind, issuer = provider.kind, provider.issuer
    only = issuer if kind == OPENID_CONNECT else None
    db.session.execute(delete(CoveredName).where(CoveredName.provider_id == provider_id))
    db.session.execute(delete(IdentityProvider).where(IdentityProvider.id == provider_id))
    ended = sessions.end_of_provider(kind, tenant_id=tenant_id, issuer=only)  # who came in until now is seen
    audit.record("provider.removed", by=by, tenant_id=tenant_id, kind=kind, issuer=issuer, sessions=ended)
    return ended


@query
def effect_of_removing(provider: IdentityProvider) -> Effect:
    """Count whom removing a provider would lock out, and who is signed in by it now."""
    pinned = [User.identity_provider == provider.kind, User.deleted_at.is_(None)]
    live = [Session.way == provider.kind, Session.ended_at.is_(None), Session.expires_at > now()]
    if provider.tenant_id:
        pinned.append(User.tenant_id == provider.tenant_id)
        live.append(Session.tenant_id == provider.tenant_id)
    if provider.kind == OPENID_CONNECT:
        pinned.append(User.identity_issuer == provider.issuer)
        live.append(Session.identity_issuer == provider.issuer)
    signed_in = select(func.count(distinct(Session.user_id))).where(*live)
    return Effect(
        locked_out=db.session.scalar(select(func.count()).select_from(User).where(*pinned)) or 0,
        signed_in=db.session.scalar(signed_in) or 0,
    )


@query
def will_use(described: Described, tenant_id: uuid.UUID) -> int:
    """Count the guests who have not accepted yet and would sign in with what is described (B6)."""
    names, before = covered(described), ORDER[: ORDER.index(described.kind) + 1]
    usable = (_of(None) | _of(tenant_id), IdentityProvider.kind.in_(before))
    theirs = (CoveredName.provider_id == IdentityProvider.id, CoveredName.name.in_([User.mail_key, User.domain]))
    pending = (User.tenant_id == tenant_id, User.state == PENDING, User.deleted_at.is_(None))
    mine = or_(User.mail_key.in_(names), User.domain.in_(names))
    counted = select(func.count()).select_from(User).where(*pending, mine, ~exists().where(*usable, *theirs))
    return db.session.scalar(counted) or 0


@query
def listed(tenant_id: uuid.UUID | None) -> Sequence[Listed]:
    """Return the identity providers of a tenant, or the installation's, the oldest first."""
    theirs = select(IdentityProvider).where(_of(tenant_id)).order_by(IdentityProvider.created_at)
    return [Listed(provider=each, covers=_covers(each.id)) for each in db.session.scalars(theirs).all()]


@query
def find(provider_id: uuid.UUID, tenant_id: uuid.UUID | None) -> Listed:
    """Return one of a tenant's identity providers, or of the installation's.

    :raises ProviderUnknown:
    """
    return Listed(provider=_one(provider_id, tenant_id), covers=_covers(provider_id))


@query
def candidates(tenant_id: uuid.UUID, key: str) -> Sequence[Candidate]:
    """Return every provider that a tenant can use, and whether a canonical address is one of those it is for."""
    named = {"b_tenant": tenant_id, "b_key": key, "b_domain": key.rpartition("@")[2]}
    return [Candidate(*found) for found in rows(_CANDIDATES, IdentityProvider, **named)]


def is_there(provider_id: uuid.UUID) -> bool:
    """Whether a provider is set up, in the transaction under way: until it ends, removing the provider waits."""
    this = select(IdentityProvider.id).where(IdentityProvider.id == provider_id)
    return db.session.scalar(this.with_for_update(read=True)) is not None


def why(tenant: Tenant, user: User) -> str:
    """Return why somebody signs in the way they do, in words for the audit log, in the transaction under way."""
    return str(way_in(tenant, user, candidates(tenant.id, user.mail_key)).reason)


def secret(provider: IdentityProvider) -> str:
    """Return the client's secret in clear; it is for the provider's token endpoint alone.

    :raises Unreachable: if none of the keys opens it any more.
    """
    try:
        return unseal(purpose(provider.issuer, provider.client_id), provider.sealed_secret)
    except InvalidToken as fault:
        text = N_("No key opens our secret at %(provider)s any more: renew it", provider=provider.name)
        raise Unreachable(text) from fault


@query
def sealed_before() -> Sequence[IdentityProvider]:
    """Return the providers whose secret the current key does not open: renew it before the old key goes."""
    every = db.session.scalars(select(IdentityProvider).order_by(IdentityProvider.created_at)).all()
    return [each for each in every if not opens(purpose(each.issuer, each.client_id), each.sealed_secret)]


def _one(provider_id: uuid.UUID, tenant_id: uuid.UUID | None) -> IdentityProvider:
    named = select(IdentityProvider).where(IdentityProvider.id == provider_id, _of(tenant_id))
    provider = db.session.scalar(named)
    if provider is None:
        raise ProviderUnknown(N_("There is no such identity provider"))
    return provider


def _of(tenant_id: uuid.UUID | None) -> ColumnElement[bool]:
    return IdentityProvider.tenant_id == tenant_id if tenant_id else IdentityProvider.tenant_id.is_(None)


def _covers(provider_id: uuid.UUID) -> Sequence[str]:
    mine = select(CoveredName.name).where(CoveredName.provider_id == provider_id)
    return db.session.scalars(mine.order_by(CoveredName.name)).all()


_COVERING = CoveredName.name.in_([bindparam("b_key"), bindparam("b_domain")])
_CANDIDATES = (
    select(IdentityProvider, exists().where(CoveredName.provider_id == IdentityProvider.id, _COVERING))
    .where(or_(IdentityProvider.tenant_id.is_(None), IdentityProvider.tenant_id == bindparam("b_tenant")))
    .order_by(IdentityProvider.created_at)
)
