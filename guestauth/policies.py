"""The B2BManagementPolicy: the JSON definition that says what a tenant lets its guests do (B10 to B15, B21).

What it does: `allows_passcodes`, `turned` and `allows_address` read and change a definition; `turn_passcodes`,
`limit_domains` and `define` do it to a tenant; `effect_of_opting_out` and `shut_out` say beforehand whom it hits.

The one thing to understand: the definition *is* the setting. `Tenant.passcodes_on` repeats what it says,
so that a database statement can ask, and is written together with it only.

What must stay true: siblings, unknown keys and their order survive; removing leaves `"Features":[]`; what is
no definition is refused with the reason, and the old one stays.

Called by tenants' creation, invitations, sign-in, the console and the command line.
"""

import json
import re
import uuid
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import distinct, func, select

from guestauth import addresses, audit, sessions
from guestauth.audit import Caller
from guestauth.database import Refusal, db, now, operation, query
from guestauth.keys import fingerprint
from guestauth.languages import N_
from guestauth.models import PASSCODE, Session, Tenant, User

FEATURE = "OneTimePasscode"
WITH_PASSCODES = '{"B2BManagementPolicy":{"PreviewPolicy":{"Features":["OneTimePasscode"]}}}'
MOST_CHARACTERS = 25_000  # of a definition
MOST_NESTED = 50  # levels of it
MOST_PRETTY = 250_000  # characters of one that is written out
DOMAINS = "InvitationsAllowedAndBlockedDomainsPolicy"
LISTS = {"allow": "AllowedDomains", "deny": "BlockedDomains"}
TOO_SHALLOW = re.compile(r"@\{|System\.(\w+\[\]|Collections\.)")  # written for what lies deeper than it goes


class NotAPolicy(Refusal):
    """The text is not a B2BManagementPolicy definition; the text says why."""


class PolicyChanged(Refusal):
    """Somebody else has changed the definition since it was looked at; nothing was done."""


@dataclass(frozen=True)
class Effect:
    """What opting out does now (B13): guests who can no longer sign in, and guests who are signed in."""

    locked_out: int
    signed_in: int
    other_ways: int = 0  # guests who go on as before


@dataclass(frozen=True)
class DomainList:
    """Which domains may be invited (B21): those of an allow list, or all but those of a deny list."""

    kind: str  # allow, deny
    domains: Sequence[str]

    def allows(self, key: str) -> bool:
        """Whether a canonical address, or a domain, may be invited and sign in."""
        name = key.rpartition("@")[2]
        listed = any(name == each or (each.startswith("*.") and name.endswith(each[1:])) for each in self.domains)
        return listed == (self.kind == "allow")


def allows_passcodes(definition: str) -> bool:
    """Whether the definition's features contain `OneTimePasscode`.

    :raises NotAPolicy: if it is not such a definition.
    """
    return FEATURE in _features(_parsed(definition))


def turned(definition: str, *, on: bool) -> str:
    """Return the definition with `OneTimePasscode` in its features, or without; all else as it was."""
    policy = _parsed(definition)
    features = _features(policy)
    if on == (FEATURE in features) and "Features" in policy["B2BManagementPolicy"].get("PreviewPolicy", {}):
        return definition
    if on != (FEATURE in features):
        features = [*features, FEATURE] if on else [feature for feature in features if feature != FEATURE]
    policy["B2BManagementPolicy"].setdefault("PreviewPolicy", {})["Features"] = features
    return _text(policy)


def limited(definition: str, domains: DomainList | None) -> str:
    """Return the definition with this list of domains instead of the one it had; None: with neither."""
    policy = _parsed(definition)
    part = policy["B2BManagementPolicy"].setdefault(DOMAINS, {})
    for kind, name in LISTS.items():
        part.pop(name, None)
        if domains is not None and kind == domains.kind:
            part[name] = listed(domains).domains
    if not part:
        del policy["B2BManagementPolicy"][DOMAINS]
    return _text(policy)


def listed(domains: DomainList) -> DomainList:
    """Return the list as it is kept: each domain once, in lower-case ASCII.

    :raises NotAPolicy: if one of them is no domain.
    """
    return DomainList(domains.kind, list(dict.fromkeys(_listed(typed) for typed in domains.domains)))


def domain_list(definition: str) -> DomainList | None:
    """Return the definition's list of domains, if it has one.

    :raises NotAPolicy: if it has both, or one that is no list of domains.
    """
    part = _parsed(definition)["B2BManagementPolicy"].get(DOMAINS, {})
    if not isinstance(part, dict):
        raise NotAPolicy(N_("%(name)s is not an object", name=DOMAINS))
    found = [(kind, part[name]) for kind, name in LISTS.items() if part.get(name)]
    if len(found) > 1:
        raise NotAPolicy(N_("Keep either AllowedDomains or BlockedDomains, not both"))
    for _, names in found:
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise NotAPolicy(N_("%(name)s is not a list of names", name=DOMAINS))
    return DomainList(found[0][0], [_listed(name) for name in found[0][1]]) if found else None


def allows_address(tenant: Tenant, key: str) -> bool:
    """Whether the tenant's list of domains, if any, lets this canonical address in (B21)."""
    domains = domain_list(tenant.policy)
    return domains is None or domains.allows(key)


@operation
def turn_passcodes(tenant_id: uuid.UUID, *, on: bool, by: Caller) -> None:
    """Turn guests' passcodes on or off for a tenant, with the next request (B12, B15)."""
    tenant = db.session.get_one(Tenant, tenant_id, with_for_update=True)
    _set(tenant, turned(tenant.policy, on=on), by=by)


@operation
def limit_domains(tenant_id: uuid.UUID, domains: DomainList | None, *, by: Caller) -> None:
    """Keep this list of domains instead of the one there was; None: let every domain in (B21).

    :raises NotAPolicy: if one of them is no domain.
    """
    tenant = db.session.get_one(Tenant, tenant_id, with_for_update=True)
    _set(tenant, checked(limited(tenant.policy, domains)), by=by)


@operation
def define(tenant_id: uuid.UUID, definition: str, *, by: Caller, expecting: str | None = None) -> None:
    """Set a whole definition, as text; it replaces the old one (B14).

    :param expecting: the fingerprint of the definition it was compared with.
    :raises NotAPolicy: if it is none, or longer than 25,000 characters; the old one stays.
    :raises PolicyChanged: if the old one is not the one expected.
    """
    definition = checked(definition)
    tenant = db.session.get_one(Tenant, tenant_id, with_for_update=True)
    if expecting is not None and expecting != fingerprint(tenant.policy):
        raise PolicyChanged(N_("Somebody else changed the policy in the meantime. Look at what would change now."))
    _set(tenant, definition, by=by)


def checked(definition: str) -> str:
    """Return a whole definition as it is kept: as it was written, with line feeds as its line breaks.

    So a browser, which sends other line breaks, and the command line give the same definition.
    :raises NotAPolicy: if it is none, or longer than 25,000 characters.
    """
    definition = definition.replace("\r\n", "\n").replace("\r", "\n")
    most, n = MOST_CHARACTERS, len(definition)
    if n > most:
        raise NotAPolicy(N_("A definition has %(most)s characters at most; this one has %(n)s", most=most, n=n))
    allows_passcodes(definition)
    domain_list(definition)
    return definition


def pretty(definition: str) -> str:
    """Return the definition with a line for each value, to be read and compared; as it is if that is too long."""
    text = json.dumps(_parsed(definition), ensure_ascii=False, indent=2)
    return text if len(text) <= MOST_PRETTY else definition


@query
def effect_of_opting_out(tenant_id: uuid.UUID) -> Effect:
    """Count whom turning passcodes off would lock out (B13)."""
    guests = (User.tenant_id == tenant_id, User.user_type == "Guest", User.deleted_at.is_(None))
    counted = select(func.count()).select_from(User).where(*guests)
    live = (Session.ended_at.is_(None), Session.expires_at > now())
    there = select(func.count(distinct(Session.user_id))).join(User, User.id == Session.user_id)
    return Effect(
        locked_out=db.session.scalar(counted.where(User.identity_provider == PASSCODE)) or 0,
        signed_in=db.session.scalar(there.where(*guests, *live, Session.way == PASSCODE)) or 0,
        other_ways=db.session.scalar(counted.where(User.identity_provider != PASSCODE)) or 0,
    )


@query
def shut_out(tenant_id: uuid.UUID, domains: DomainList | None) -> int:
    """Count the guests of now whom this list would not let in (B21)."""
    if domains is None:
        return 0
    present = (User.tenant_id == tenant_id, User.user_type == "Guest", User.deleted_at.is_(None))
    keys = db.session.scalars(select(User.mail_key).where(*present))
    counts = Counter(key.rpartition("@")[2] for key in keys)
    return sum(count for name, count in counts.items() if not domains.allows(name))


def _set(tenant: Tenant, definition: str, *, by: Caller) -> None:
    """Keep a definition; if it turns passcodes off, codes and sessions of guests die with it (B12)."""
    on, before = allows_passcodes(definition), tenant.policy
    if definition == before:
        return
    if tenant.passcodes_on and not on:
        tenant.codes_void_at = now()
    if on and not tenant.passcodes_on:
        tenant.passcodes_since = now()
    tenant.policy, tenant.passcodes_on = definition, on
    db.session.flush()
    if not on:
        sessions.end_passcode_guests(tenant.id)
    audit.record("policy.changed", by=by, tenant_id=tenant.id, before=before, definition=definition)


def _parsed(definition: str) -> dict[str, Any]:
    try:
        policy = json.loads(definition, object_pairs_hook=_object, parse_constant=_no_constant)
        _text(policy).encode()
    except (ValueError, RecursionError) as fault:
        raise NotAPolicy(N_("This is not JSON from line %(line)s on", line=getattr(fault, "lineno", 1))) from fault
    if _depth(policy) > MOST_NESTED:
        raise NotAPolicy(N_("It has values nested deeper than %(most)s levels", most=MOST_NESTED))
    if not isinstance(policy, dict) or not isinstance(policy.get("B2BManagementPolicy"), dict):
        raise NotAPolicy(N_("The definition needs an object named %(name)s", name="B2BManagementPolicy"))
    if not isinstance(policy["B2BManagementPolicy"].get("PreviewPolicy", {}), dict):
        raise NotAPolicy(N_("%(name)s is not an object", name="PreviewPolicy"))
    return policy


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse an object that says a thing twice, or holds what was cut off by a too shallow serialiser."""
    if len(dict(pairs)) < len(pairs):
        raise NotAPolicy(N_("An object has the same name twice"))
    for name, value in pairs:
        if _is_cut_off(value):
            raise NotAPolicy(N_("%(name)s was cut off: use ConvertTo-Json -Depth 10", name=name))
    return dict(pairs)


def _depth(value: object) -> int:
    """Count the levels of a value, without going in deep itself."""
    level, depth = [value], 0
    while level := [each for outer in level if isinstance(outer, dict | list) for each in _inside(outer)]:
        depth += 1
    return depth


def _inside(value: Any) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value


def _is_cut_off(value: object) -> bool:
    """Whether it is what a serialiser writes for an object, or a list with such a thing in it."""
    values = [value]
    while values:
        each = values.pop()
        if isinstance(each, str) and TOO_SHALLOW.match(each):
            return True
        values += each if isinstance(each, list) else []
    return False


def _no_constant(name: str) -> None:
    raise NotAPolicy(N_("%(name)s is not JSON", name=name))


def _features(policy: dict[str, Any]) -> list[str]:
    features = policy["B2BManagementPolicy"].get("PreviewPolicy", {}).get("Features", [])
    if not isinstance(features, list) or not all(isinstance(feature, str) for feature in features):
        raise NotAPolicy(N_("%(name)s is not a list of names", name="Features"))
    return features


def _listed(typed: str) -> str:
    """Return a listed domain in lower-case ASCII; sub-domains are meant by an explicit `*.` only."""
    wild = "*." if typed.strip().startswith("*.") else ""
    name = addresses.domain_or_none(typed.strip().removeprefix("*."))
    if name is None:
        raise NotAPolicy(N_("%(typed)s is not a domain name", typed=typed))
    return wild + name


def _text(policy: dict[str, Any]) -> str:
    return json.dumps(policy, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
