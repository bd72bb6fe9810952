"""Which way in a guest has, and why: the first rule that applies wins (B6, B7, B12, B21)."""

from collections.abc import Callable
from typing import Any

import pytest

from guestauth import guests, identity_providers, invitations, policies, providers, tenants
from guestauth.policies import DomainList
from tests.world import ADMIN, ALEX, BY, FABRIKAM, NICOLE, World

CODE = "Email one-time passcode"


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
