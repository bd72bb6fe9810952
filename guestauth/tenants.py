"""Tenants: the organisations that share (B1, B4, B5).

What it does: `create`, `change`, `disable`, `enable`; `reference_or_none` reads how an address names a tenant.

The one thing to understand: a tenant is named by its id or by a verified domain, never by anything else;
all else about it hangs on the id, so a domain that moves takes nothing with it.

What must stay true: unknown and disabled tenants are one and the same to everybody outside.

Called by the gate, the console and the command line. Its domains and administrators have modules of their own.
"""

import re
import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select, update

from guestauth import addresses, audit, languages, sessions
from guestauth.addresses import Address
from guestauth.audit import Caller
from guestauth.database import Refusal, changed, db, now, operation, query, refusing_doubles
from guestauth.languages import N_
from guestauth.models import Domain, Tenant, User
from guestauth.policies import WITH_PASSCODES

UUID = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)


RETENTION = range(30, 3651)  # days


class TenantRefused(Refusal):
    """The tenant cannot be as described; `field` says which value it is about."""


class TenantTaken(Refusal):
    """The id or one of the domains belongs to a tenant already."""


class TenantUnknown(Refusal):
    """There is no such tenant."""


def reference_or_none(typed: str) -> uuid.UUID | str | None:
    """Read how somebody names a tenant: an id or a domain, in any letter case, also internationalised.

    :returns: the id, or the domain in lower-case ASCII; None if it can be neither.
    """
    if UUID.fullmatch(typed.strip()):
        return uuid.UUID(typed.strip())
    return addresses.domain_or_none(typed)


@operation
def create(
    name: str,
    *,
    domains: Sequence[str],
    by: Caller,
    tenant_id: uuid.UUID | None = None,
    administrator: str | None = None,
    administrator_id: uuid.UUID | None = None,
    help_contact: str | None = None,
    privacy_statement_url: str | None = None,
) -> Tenant:
    """Make a tenant with its verified domains and its first administrator.

    :param domains: at least one; the first is the one that is shown.
    :param administrator: their email address (B34); `administrator_id`: made up if not given.
    :raises TenantRefused: if a value is no good. :raises TenantTaken: if a domain or the id is.
    :raises NotAnAddress: if the administrator's address is none.
    """
    names = list(dict.fromkeys(_domain(typed) for typed in domains))
    if not names:
        raise TenantRefused(N_("A tenant needs a domain"), "domain")
    _check(name, help_contact, privacy_statement_url)
    admin = addresses.parse(administrator) if administrator else None
    moment = now()
    tenant = Tenant(
        id=tenant_id or uuid.uuid4(),
        name=audit.one_line(name).strip(),
        domain=names[0],
        policy=WITH_PASSCODES,
        passcodes_on=True,
        help_contact=help_contact,
        privacy_statement_url=privacy_statement_url,
        created_at=moment,
    )
    with refusing_doubles(TenantTaken(N_("The id or one of the domains belongs to a tenant already"))):
        db.session.add(tenant)
        db.session.flush()
        db.session.add_all(Domain(tenant_id=tenant.id, name=name, verified_at=moment) for name in names)
    if admin:
        db.session.add(administrator_of(tenant.id, admin, user_id=administrator_id))
    audit.record("tenant.created", by=by, tenant_id=tenant.id, domains=names)
    return tenant


@operation
def change(
    tenant_id: uuid.UUID,
    *,
    by: Caller,
    name: str | None = None,
    help_contact: str | None = None,
    privacy_statement_url: str | None = None,
    language: str | None = None,
    retention_days: int | None = None,
) -> Tenant:
    """Change what a tenant says of itself; what is None stays, an empty contact or address goes.

    :param language: of its pages and mails, where nobody has chosen another: one of `languages.NAMES`.
    :param retention_days: how long its logs are kept, from 30 to 3650.
    :raises TenantRefused: if a value is no good; nothing changes.
    """
    tenant = db.session.get_one(Tenant, tenant_id, with_for_update=True)
    given = {
        "name": None if name is None else audit.one_line(name).strip(),
        "help_contact": None if help_contact is None else audit.one_line(help_contact).strip(),
        "privacy_statement_url": None if privacy_statement_url is None else privacy_statement_url.strip(),
        "language": language,
        "retention_days": retention_days,
    }
    wanted: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
    _check(wanted.get("name", tenant.name), wanted.get("help_contact"), wanted.get("privacy_statement_url"))
    if wanted.get("language", "en") not in languages.NAMES:
        raise TenantRefused(N_("Choose one of %(tags)s", tags=", ".join(languages.NAMES)), "language")
    if wanted.get("retention_days", 365) not in RETENTION:
        raise TenantRefused(N_("Keep the logs for 30 to 3650 days"), "retention_days")
    changes = {key: value or None for key, value in wanted.items() if (value or None) != getattr(tenant, key)}
    before = {key: getattr(tenant, key) for key in changes}
    for key, value in changes.items():
        setattr(tenant, key, value)
    if changes:
        audit.record("tenant.changed", by=by, tenant_id=tenant_id, before=before, after=changes)
    return tenant


@operation
def disable(tenant_id: uuid.UUID, *, by: Caller) -> None:
    """Turn a tenant off: it is unknown to everybody, and its sessions end at once and for good."""
    tenant = db.session.get_one(Tenant, tenant_id, with_for_update=True)
    tenant.disabled_at = tenant.disabled_at or now()
    tenant.codes_void_at = now()
    db.session.flush()
    members = update(User).where(User.tenant_id == tenant_id, User.user_type != "Guest")
    changed(members.values(codes_void_at=now()))  # theirs are not the tenant's (B34)
    sessions.end_of_tenant(tenant_id)
    audit.record("tenant.disabled", by=by, tenant_id=tenant_id)


@operation
def enable(tenant_id: uuid.UUID, *, by: Caller) -> None:
    """Turn a tenant on again; its guests sign in anew."""
    db.session.get_one(Tenant, tenant_id, with_for_update=True).disabled_at = None
    audit.record("tenant.enabled", by=by, tenant_id=tenant_id)


@query
def find(typed: str) -> Tenant:
    """Return the tenant so named, also a disabled one.

    :raises TenantUnknown:
    """
    reference = reference_or_none(typed)
    which = Tenant.id == reference
    if isinstance(reference, str):
        owner = select(Domain.tenant_id).where(Domain.name == reference, Domain.verified_at.is_not(None))
        which = Tenant.id == owner.scalar_subquery()
    tenant = db.session.scalar(select(Tenant).where(which)) if reference else None
    if tenant is None:
        raise TenantUnknown(N_("There is no tenant %(typed)s", typed=typed))
    return tenant


@query
def everyone() -> Sequence[Tenant]:
    """Return all tenants, by name."""
    return db.session.scalars(select(Tenant).order_by(Tenant.name)).all()


@query
def domains(tenant_id: uuid.UUID) -> Sequence[str]:
    """Return a tenant's verified domains."""
    mine = (Domain.tenant_id == tenant_id, Domain.verified_at.is_not(None))
    return db.session.scalars(select(Domain.name).where(*mine).order_by(Domain.name)).all()


def administrator_of(
    tenant_id: uuid.UUID, address: Address, *, display_name: str = "", user_id: uuid.UUID | None = None
) -> User:
    """Return a new administrator, to be added in the transaction under way (B34)."""
    return User(
        id=user_id or uuid.uuid4(),
        tenant_id=tenant_id,
        mail=address.mail,
        mail_key=address.key,
        display_name=display_name,
        user_type="Member",
        is_administrator=True,
        state=None,
        created_at=now(),
    )


def _check(name: str, help_contact: str | None, privacy_statement_url: str | None) -> None:
    """Check what a tenant says of itself."""
    if not 1 <= len(audit.one_line(name).strip()) <= 200 or not addresses.is_text(name, most=len(name)):
        raise TenantRefused(N_("A tenant's name has 1 to 200 characters"), "name")
    if privacy_statement_url and not addresses.is_web_address(privacy_statement_url):
        raise TenantRefused(
            N_("The privacy statement's URL starts with https:// or http://"), "privacy_statement_url"
        )
    if not addresses.is_text(help_contact or "", most=200):
        raise TenantRefused(N_("A help contact has 200 characters at most"), "help_contact")


def _domain(typed: str) -> str:
    name = addresses.domain_or_none(typed)
    if name is None:
        raise TenantRefused(N_("%(typed)s is not a domain name", typed=typed), "domain")
    return name
