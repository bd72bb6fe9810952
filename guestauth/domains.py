"""Verified domains: the names that lead to a tenant (B1, B4), and how it proves that one is its own.

What it does: `add` takes the operator's word; `claim`, then `check`, take the word of the DNS; `remove`.

The one thing to understand: a claimed domain is nothing yet, and any tenant may claim any. It becomes a
tenant's when the TXT record on that very name says so, and only one tenant can have it then. What the record
says is derived from tenant and name, so nothing is kept.

What must stay true: no transaction is open while the DNS is asked; a tenant keeps at least one domain; the one
that is shown is one of its own.

Called by the console and the command line. It does not look again whether a record is still there.
"""

import hmac
import uuid
from collections.abc import Sequence

import dns.exception
import dns.name
import dns.resolver
from flask import current_app
from sqlalchemy import inspect, select

from guestauth import addresses, audit
from guestauth.audit import Caller
from guestauth.connections import let_go
from guestauth.database import Refusal, db, now, operation, query, refusing_doubles
from guestauth.keys import keys
from guestauth.languages import N_
from guestauth.models import Domain, Tenant

PREFIX = "guestauth-verification="
PATIENCE = 5.0  # seconds to wait for the DNS, in all
MOST_SHOWN = 100  # characters of a record that was found


class DomainRefused(Refusal):
    """What was typed is not a domain name."""


class DomainTaken(Refusal):
    """Another tenant has verified the domain."""


class DomainUnknown(Refusal):
    """The tenant has no such domain."""


class LastDomain(Refusal):
    """The tenant has no other verified domain."""


class NotProved(Refusal):
    """The DNS does not say that the domain is the tenant's; the text says what it says."""


@query
def of_tenant(tenant_id: uuid.UUID) -> Sequence[Domain]:
    """Return a tenant's domains, by name, also those that are not verified."""
    return db.session.scalars(select(Domain).where(Domain.tenant_id == tenant_id).order_by(Domain.name)).all()


@query
def find(tenant_id: uuid.UUID, typed: str) -> Domain:
    """Return a tenant's domain, verified or not.

    :raises DomainUnknown:
    """
    domain = _own_or_none(tenant_id, addresses.domain_or_none(typed) or "")
    if domain is None:
        raise DomainUnknown(N_("The tenant has no domain %(domain)s", domain=typed))
    return domain


@operation
def add(tenant_id: uuid.UUID, typed: str, *, by: Caller) -> Domain:
    """Add a verified domain; the operator knows whose it is.

    :raises DomainRefused: :raises DomainTaken:
    """
    domain = _named(tenant_id, typed)
    _verify(domain, by=by, way="operator")
    return domain


@operation
def claim(tenant_id: uuid.UUID, typed: str, *, by: Caller) -> Domain:
    """Name a domain that is to be verified by its DNS record; what is named already stays as it is.

    :raises DomainRefused:
    """
    domain = _named(tenant_id, typed)
    if not inspect(domain).persistent:
        db.session.add(domain)
        audit.record("domain.claimed", by=by, tenant_id=tenant_id, domain=domain.name)
    return domain


@operation
def remove(tenant_id: uuid.UUID, typed: str, *, by: Caller) -> Tenant:
    """Remove a domain: no link that names it leads to the tenant any more. Another one is shown then.

    :raises DomainUnknown: :raises LastDomain:
    """
    tenant = db.session.get_one(Tenant, tenant_id, with_for_update=True)
    domain = find(tenant_id, typed)
    others = (Domain.tenant_id == tenant_id, Domain.verified_at.is_not(None), Domain.id != domain.id)
    left = db.session.scalars(select(Domain.name).where(*others).order_by(Domain.verified_at, Domain.name)).all()
    if domain.verified_at and not left:
        text = N_(
            "%(domain)s is the only verified domain of %(org)s; add another one first",
            domain=domain.name,
            org=tenant.name,
        )
        raise LastDomain(text)
    if tenant.domain == domain.name and domain.verified_at:
        tenant.domain = left[0]
    db.session.delete(domain)
    audit.record("domain.removed", by=by, tenant_id=tenant_id, domain=domain.name)
    return tenant


def check(tenant_id: uuid.UUID, typed: str, *, by: Caller) -> Domain:
    """Ask the DNS for the record of a claimed domain; if it is there, the domain is verified.

    :raises DomainUnknown: :raises NotProved: :raises DomainTaken:
    """
    domain = find(tenant_id, typed)
    if domain.verified_at is None:
        let_go()
        _compare(domain, _texts(domain.name))
        _verified(tenant_id, domain.name, by=by)
    return find(tenant_id, typed)


def record(domain: Domain) -> str:
    """Return the text of the TXT record that proves the domain to be its tenant's."""
    return _records(domain)[0]


@operation
def _verified(tenant_id: uuid.UUID, name: str, *, by: Caller) -> None:
    """Make a claimed domain a verified one, unless it is gone, verified already or another's by now."""
    db.session.get_one(Tenant, tenant_id, with_for_update=True)
    domain = find(tenant_id, name)
    _verify(domain, by=by, way="DNS")


def _verify(domain: Domain, *, by: Caller, way: str) -> None:
    if domain.verified_at is None:
        taken = N_("%(domain)s is a verified domain of another organisation", domain=domain.name)
        with refusing_doubles(DomainTaken(taken)):
            domain.verified_at = now()
            db.session.add(domain)
        audit.record("domain.verified", by=by, tenant_id=domain.tenant_id, domain=domain.name, way=way)


def _named(tenant_id: uuid.UUID, typed: str) -> Domain:
    """Return the tenant's row of a domain, or a new one that is not added yet; one at a time."""
    db.session.get_one(Tenant, tenant_id, with_for_update=True)
    name = addresses.domain_or_none(typed)
    if name is None:
        text = N_("%(typed)s is not a domain name", typed=typed) if typed.strip() else N_("Enter a domain name")
        raise DomainRefused(text, "domain")
    return _own_or_none(tenant_id, name) or Domain(tenant_id=tenant_id, name=name)


def _own_or_none(tenant_id: uuid.UUID, name: str) -> Domain | None:
    return db.session.scalar(select(Domain).where(Domain.tenant_id == tenant_id, Domain.name == name))


def _records(domain: Domain) -> list[str]:
    """Return what the record may say: by the current key first, then by those of before."""
    about = domain.tenant_id.bytes + domain.name.encode()
    return [PREFIX + hmac.digest(key, about, "sha256").hex()[:40] for key in keys("domain")]


def _compare(domain: Domain, found: Sequence[str]) -> None:
    """Refuse unless one of the texts is the record."""
    if set(found) & set(_records(domain)):
        return
    ours = [text for text in found if text.startswith(PREFIX)]
    shown = ", ".join(f"“{audit.one_line(text)[:MOST_SHOWN]}”" for text in (ours or found)[:5])
    if ours:
        raise NotProved(
            N_("The record of %(domain)s has another value. Found: %(found)s", domain=domain.name, found=shown)
        )
    text = N_(
        "%(domain)s has no TXT record that starts with %(start)s. Found: %(found)s",
        domain=domain.name,
        start=PREFIX,
        found=shown,
    )
    raise NotProved(text)


def _texts(name: str) -> Sequence[str]:
    """Ask the DNS for the TXT records of exactly this name: one that is elsewhere by an alias proves nothing."""
    try:
        asked = dns.name.from_text(f"{name}.")
        answer = _resolver().resolve(asked, "TXT", lifetime=PATIENCE, search=False)
    except dns.resolver.NXDOMAIN as fault:
        raise NotProved(N_("The DNS knows no domain %(domain)s. Check the spelling.", domain=name)) from fault
    except dns.resolver.NoAnswer as fault:
        raise NotProved(
            N_("%(domain)s has no TXT record yet. A new record can take an hour to appear.", domain=name)
        ) from fault
    except (dns.exception.DNSException, OSError) as fault:
        raise NotProved(N_("The DNS does not answer at the moment. Try again in a few minutes.")) from fault
    if answer.canonical_name != asked:
        real = answer.canonical_name.to_text(omit_final_dot=True)
        raise NotProved(
            N_(
                "%(domain)s is an alias of %(other)s, so it can have no TXT record of its own",
                domain=name,
                other=real,
            )
        )
    return [b"".join(each.strings).decode("utf-8", "replace") for each in answer]


def _resolver() -> dns.resolver.Resolver:
    """Return who is asked: the server of the settings, or the machine's own."""
    server = current_app.config["DNS_SERVER"]
    resolver = dns.resolver.Resolver(configure=server is None)
    if server:
        resolver.nameservers, resolver.port = [server[0]], server[1]
    return resolver
