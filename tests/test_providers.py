"""Which way in a guest has, and why: the first rule that applies wins (B6, B7, B12, B21).

The table has no database: rows are handed in. What follows it asks the database.
"""

import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest

from guestauth import descriptions, guests, identity_providers, invitations, policies, providers, tenants
from guestauth.descriptions import Described
from guestauth.models import (
    ACCEPTED,
    AZURE_AD,
    GOOGLE,
    MICROSOFT_ACCOUNT,
    OPENID_CONNECT,
    PASSCODE,
    PENDING,
    IdentityProvider,
    Tenant,
    User,
)
from guestauth.policies import DomainList
from guestauth.providers import Candidate
from tests.world import ADMIN, ALEX, BY, CONTOSO, FABRIKAM, NICOLE, World

CODE = "Email one-time passcode"


DAY = datetime(2026, 1, 5, tzinfo=UTC)
PARTNER = "https://login.partner.example"
COVERS: Mapping[str, Sequence[str]] = {  # kind → whose addresses are its, in the table
    AZURE_AD: ["work.example", "boss@gmail.com"],
    GOOGLE: ["gmail.com", "googlemail.com"],
    OPENID_CONNECT: ["partner.example", "work.example"],
    MICROSOFT_ACCOUNT: ["outlook.com", "gmail.com"],
}
ALL = list(COVERS)
PINS = {each: {"state": ACCEPTED, "identity_provider": each} for each in (*ALL, PASSCODE)}
PINS[OPENID_CONNECT]["identity_issuer"] = PARTNER
GUESTS: Mapping[str, Mapping[str, Any]] = {
    "pending": {},
    "early": {"invited_at": DAY - timedelta(days=9)},  # before codes were turned on
    "reset": {"identity_issuer": "https://accounts.google.com", "identity_subject": "g-1"},  # what it once was
    "blocked": {"blocked_at": DAY},
    "deleted": {"deleted_at": DAY},
    "revoked": {"revoked_at": DAY},
    "member": {"user_type": "Member", "state": None, "is_administrator": True},
    **{f"pinned to {kind}": pin for kind, pin in PINS.items()},
    "blocked, pinned to google": {**PINS[GOOGLE], "blocked_at": DAY},
    "pinned elsewhere": {**PINS[OPENID_CONNECT], "identity_issuer": "https://gone.example"},
}
SET_UP, FALLBACK, FIXED = "is set up for their address", "is the fallback", "was fixed to"
OFF, NOBODY = "one-time passcodes are off for its guests", "No identity provider is set up"


class Row(NamedTuple):
    """Who, and what each of the three questions answers: a kind (None: no way in) and a part of the reason."""

    set_up: Sequence[str]
    codes: bool
    who: str
    address: str
    now: tuple[str | None, str]
    redeeming: tuple[str | None, str]
    shown: str | None


def row(set_up: Sequence[str], codes: bool, who: str, address: str, *expected: Any) -> Row:
    """Write a line of the table; what is left out is as before."""
    now, redeeming, shown = (*expected, *[None] * (3 - len(expected)))
    redeeming = redeeming or now
    return Row(set_up, codes, who, address, now, redeeming, shown if len(expected) == 3 else redeeming[0])


TABLE = [
    # B6: the order, and that what is not set up is skipped
    row([], True, "pending", "alex@gmail.com", (PASSCODE, FALLBACK)),
    row([GOOGLE], True, "pending", "alex@gmail.com", (GOOGLE, SET_UP)),
    row([GOOGLE], True, "pending", "alex@googlemail.com", (GOOGLE, SET_UP)),
    row([GOOGLE], True, "pending", "alex@sub.gmail.com", (PASSCODE, FALLBACK)),
    row([GOOGLE], True, "pending", "alex@notgmail.com", (PASSCODE, FALLBACK)),
    row([GOOGLE], True, "pending", "alex@work.example", (PASSCODE, FALLBACK)),
    row([MICROSOFT_ACCOUNT], True, "pending", "alex@outlook.com", (MICROSOFT_ACCOUNT, SET_UP)),
    row([MICROSOFT_ACCOUNT], True, "pending", "alex@gmail.com", (MICROSOFT_ACCOUNT, SET_UP)),
    row([MICROSOFT_ACCOUNT, GOOGLE], True, "pending", "alex@gmail.com", (GOOGLE, SET_UP)),
    row(ALL, True, "pending", "alex@gmail.com", (GOOGLE, SET_UP)),
    row(ALL[::-1], True, "pending", "alex@work.example", (AZURE_AD, SET_UP)),
    row(ALL, True, "pending", "boss@gmail.com", (AZURE_AD, SET_UP)),  # a single address
    row(ALL, True, "pending", "my.boss@gmail.com", (GOOGLE, SET_UP)),
    row([OPENID_CONNECT], True, "pending", "alex@work.example", (OPENID_CONNECT, SET_UP)),
    row(ALL, True, "pending", "alex@elsewhere.example", (PASSCODE, FALLBACK)),
    # codes are off (B12)
    row([], False, "pending", "alex@gmail.com", (None, OFF)),
    row(ALL, False, "pending", "alex@elsewhere.example", (None, NOBODY)),
    row(ALL, False, "pending", "alex@gmail.com", (GOOGLE, SET_UP)),
    row([GOOGLE], False, "pinned to passcode", "alex@gmail.com", (None, FIXED), (GOOGLE, SET_UP), None),
    row([GOOGLE], False, "pinned to google", "alex@gmail.com", (GOOGLE, FIXED), (GOOGLE, SET_UP)),
    # invited before codes were turned on (B11)
    row([], True, "early", "alex@gmail.com", (None, "before one-time passcodes"), None, PASSCODE),
    row([GOOGLE], True, "early", "alex@gmail.com", (GOOGLE, SET_UP)),
    # what was fixed is kept (B7), until it is reset (B8)
    row(ALL, True, "pinned to passcode", "alex@gmail.com", (PASSCODE, FIXED[:9]), (GOOGLE, SET_UP), PASSCODE),
    row(ALL, True, "pinned to google", "boss@gmail.com", (GOOGLE, FIXED), (AZURE_AD, SET_UP), GOOGLE),
    row(ALL, True, "pinned to azure_ad", "alex@gmail.com", (AZURE_AD, FIXED), (GOOGLE, SET_UP), AZURE_AD),
    row(
        ALL,
        True,
        "pinned to microsoft_account",
        "alex@gmail.com",
        (MICROSOFT_ACCOUNT, FIXED),
        (GOOGLE, SET_UP),
        MICROSOFT_ACCOUNT,
    ),
    row(
        ALL,
        True,
        "pinned to openid_connect",
        "alex@gmail.com",
        (OPENID_CONNECT, FIXED),
        (GOOGLE, SET_UP),
        OPENID_CONNECT,
    ),
    row(ALL, True, "reset", "alex@gmail.com", (GOOGLE, SET_UP)),
    row([], True, "reset", "alex@gmail.com", (PASSCODE, FALLBACK)),
    # the provider is gone
    row([], True, "pinned to google", "alex@gmail.com", (None, "no longer set up"), (PASSCODE, FALLBACK), None),
    row(ALL, True, "pinned elsewhere", "a@partner.example", (None, "no longer"), (OPENID_CONNECT, SET_UP), None),
    # who may not sign in at all; the pages do not tell (B27)
    row(ALL, True, "blocked", "alex@gmail.com", (None, "blocked"), (GOOGLE, SET_UP), GOOGLE),
    row([], True, "blocked", "alex@gmail.com", (None, "blocked"), (PASSCODE, FALLBACK), PASSCODE),
    row(ALL, True, "blocked, pinned to google", "alex@gmail.com", (None, "blocked"), (GOOGLE, SET_UP), GOOGLE),
    row(ALL, True, "deleted", "alex@gmail.com", (None, "deleted"), (GOOGLE, SET_UP), GOOGLE),
    row([], False, "revoked", "alex@gmail.com", (None, "revoked"), (None, OFF), None),
    row(ALL, False, "member", "alex@gmail.com", (PASSCODE, "Members"), (GOOGLE, SET_UP), GOOGLE),
    row([], False, "member", "alex@gmail.com", (PASSCODE, "Members"), (None, OFF), None),
]


@pytest.mark.parametrize("case", TABLE, ids=lambda case: f"{case.who} {case.address} {case.codes} {case.set_up}")
def test_first_rule_that_applies_wins(case: Row) -> None:
    fabrikam, user, found = tenant(case.codes), somebody(case.who, case.address), set_up(case.set_up, case.address)
    for rules, (kind, words) in ((providers.way_in, case.now), (providers.at_redemption, case.redeeming)):
        way = rules(fabrikam, user, found)
        assert (way.provider, words in way.reason) == (kind, True), way
        assert (way.through.kind if way.through else way.provider) == kind
    assert providers.shown(fabrikam, user, found).provider == case.shown


@pytest.mark.parametrize("case", TABLE, ids=lambda case: f"{case.who} {case.address} {case.codes} {case.set_up}")
def test_pages_show_a_stranger_what_they_show_everybody_whose_way_is_not_fixed(case: Row) -> None:
    fabrikam, found = tenant(case.codes), set_up(case.set_up, case.address)
    if "pinned" not in case.who:
        ours = providers.shown(fabrikam, somebody(case.who, case.address), found)
        assert providers.shown(fabrikam, None, found) == ours


def tenant(codes: bool) -> Tenant:
    """Make a tenant that turned codes on a day before, or off."""
    since = DAY - timedelta(days=1)
    return Tenant(
        name="Fabrikam",
        domain="fabrikam.example",
        policy='{"B2BManagementPolicy": {}}',
        passcodes_on=codes,
        passcodes_since=since,
        created_at=DAY,
    )


def somebody(who: str, address: str) -> User:
    """Make one of GUESTS."""
    facts = {"state": PENDING, "invited_at": DAY, **GUESTS[who]}
    return User(tenant_id=uuid.uuid4(), mail=address, mail_key=address, created_at=DAY, **facts)


def set_up(kinds: Sequence[str], address: str) -> Sequence[Candidate]:
    """Make providers, and say of each whether the address is one of COVERS."""
    names = {address, address.rpartition("@")[2]}
    return [Candidate(provider(kind), bool(names & {*COVERS[kind]})) for kind in kinds]


def provider(kind: str) -> IdentityProvider:
    name = descriptions.NAMES.get(kind, "Partner login")
    issuer = descriptions.ISSUERS.get(kind, PARTNER)
    return IdentityProvider(kind=kind, name=name, issuer=issuer, client_id="x", sealed_secret="x", created_at=DAY)


# Against the database


def add(world: World, kind: str, *covers: str, at: uuid.UUID | None = FABRIKAM) -> IdentityProvider:
    at = None if kind in descriptions.INSTALLATIONS else at
    directories = [str(uuid.uuid4())] if kind == AZURE_AD else []
    described = Described(
        kind=kind,
        client_id="us",
        client_secret="s",
        covers=covers,
        directories=directories,
        name="Some login",
        issuer=PARTNER if kind == OPENID_CONNECT else "",
    )
    return world.do(identity_providers.add, described, tenant_id=at, by=BY)


def covering(world: World, key: str, at: uuid.UUID = FABRIKAM) -> list[str]:
    return [each.provider.kind for each in world.do(identity_providers.candidates, at, key) if each.covers]


@pytest.mark.both
def test_candidates_cover_the_very_domain_or_the_very_address(world: World) -> None:
    add(world, GOOGLE)
    add(world, OPENID_CONNECT, "Partner.EXAMPLE", "@bücher.example", "One.Person@elsewhere.example")
    assert [covering(world, f"alex@{domain}") for domain in ("gmail.com", "googlemail.com")] == [[GOOGLE]] * 2
    for stranger in (
        "alex@sub.gmail.com",
        "alex@xgmail.com",
        "gmail.com@elsewhere.example",
        "two@elsewhere.example",
    ):
        assert covering(world, stranger) == [], stranger
    for one in ("alex@partner.example", "alex@xn--bcher-kva.example", "one.person@elsewhere.example"):
        assert covering(world, one) == [OPENID_CONNECT], one


@pytest.mark.both
def test_what_one_tenant_sets_up_is_nothing_at_another(world: World) -> None:
    add(world, GOOGLE, at=CONTOSO)
    add(world, MICROSOFT_ACCOUNT, "gmail.com")
    assert covering(world, ALEX, CONTOSO) == [GOOGLE, MICROSOFT_ACCOUNT]
    assert covering(world, ALEX) == [MICROSOFT_ACCOUNT]
    assert way(world, ALEX)[0] == "Some login"


@pytest.mark.both
def test_passcode_guest_keeps_codes_when_a_provider_comes_until_reset_or_invited_anew(world: World) -> None:
    add(world, OPENID_CONNECT, "firstup.example")
    assert way(world, NICOLE)[0] == CODE
    world.do(invitations.reset, FABRIKAM, NICOLE, by=BY)
    assert way(world, NICOLE)[0] == "Some login"
    world.do(guests.delete, FABRIKAM, NICOLE, by=BY)
    world.do(invitations.invite, FABRIKAM, NICOLE, by=BY)
    assert way(world, NICOLE)[0] == "Some login"


def test_removing_a_provider_leaves_the_fallback_to_who_has_not_accepted(world: World) -> None:
    google = add(world, GOOGLE)
    assert way(world, ALEX)[0] == "Some login"
    world.do(identity_providers.remove, google.id, tenant_id=FABRIKAM, by=BY)
    assert way(world, ALEX)[0] == CODE


def turn_off(world: World) -> None:
    world.do(policies.turn_passcodes, FABRIKAM, on=False, by=BY)


def way(world: World, mail: str, rules: Callable[..., providers.Way] = providers.way_in) -> tuple[str | None, str]:
    tenant, user = world.do(tenants.find, str(FABRIKAM)), world.do(guests.find, FABRIKAM, mail)
    found = rules(tenant, user, world.do(identity_providers.candidates, FABRIKAM, user.mail_key))
    return found.name, found.reason


def test_guest_who_has_not_accepted_gets_the_passcode_as_the_fallback(world: World) -> None:
    name, reason = way(world, ALEX)
    assert name == CODE and "No other identity provider is set up for their address at Fabrikam" in reason


def test_guest_who_accepted_keeps_the_passcode(world: World) -> None:
    name, reason = way(world, NICOLE)
    assert name == CODE and "was fixed to it when they accepted" in reason


@pytest.mark.parametrize(("mail", "words"), [(ALEX, "No identity provider is set up"), (NICOLE, "was fixed")])
def test_nobody_has_a_way_in_while_codes_are_off(world: World, mail: str, words: str) -> None:
    turn_off(world)
    name, reason = way(world, mail)
    assert name is None and words in reason and "off for" in reason


def test_next_redemption_decides_by_how_things_stand_then(world: World) -> None:
    assert way(world, NICOLE, providers.at_redemption)[0] == CODE
    turn_off(world)
    assert way(world, NICOLE, providers.at_redemption)[0] is None


def test_reset_guest_is_decided_about_afresh(world: World) -> None:
    world.do(invitations.reset, FABRIKAM, NICOLE, by=BY)
    assert "fallback" in way(world, NICOLE)[1]


@pytest.mark.parametrize("rules", [providers.way_in, providers.at_redemption])
def test_guest_whose_domain_is_refused_has_no_way_in(world: World, rules: Callable[..., Any]) -> None:
    world.do(policies.limit_domains, FABRIKAM, DomainList("deny", ["firstup.example"]), by=BY)
    name, reason = way(world, NICOLE, rules)
    assert name is None and "does not let guests of firstup.example in" in reason
    assert way(world, ALEX, rules)[0] == CODE


def test_who_is_blocked_or_revoked_has_no_way_in(world: World) -> None:
    world.do(guests.block, FABRIKAM, NICOLE, by=BY)
    world.do(invitations.revoke, FABRIKAM, ALEX, by=BY)
    assert way(world, NICOLE)[0] is None and "blocked" in way(world, NICOLE)[1]
    assert way(world, ALEX)[0] is None and "revoked" in way(world, ALEX)[1]


def test_nobody_has_a_way_in_when_deleted_or_when_their_tenant_is_turned_off(world: World) -> None:
    deleted = world.do(guests.delete, FABRIKAM, NICOLE, by=BY)
    assert providers.way_in(world.do(tenants.find, str(FABRIKAM)), deleted, ()).name is None
    world.do(tenants.disable, FABRIKAM, by=BY)
    assert "turned off" in way(world, ALEX)[1]


def test_member_signs_in_with_a_passcode_although_codes_are_off_for_guests(world: World) -> None:
    turn_off(world)
    assert way(world, ADMIN)[0] == CODE


@pytest.mark.parametrize("mail", [ALEX, NICOLE, ADMIN])
def test_command_line_says_the_same(sqlite_world: World, mail: str) -> None:
    name, reason = way(sqlite_world, mail)
    text = sqlite_world.run("guest", "show", "fabrikam.example", mail).stdout
    assert f"signInMethod: {name}\n" in text and f"signInReason: {reason}\n" in text
