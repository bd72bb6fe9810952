"""The B2BManagementPolicy and what turning codes on and off does (B10, B12, B14, B15)."""

import json
from typing import Any

import pytest

from guestauth import policies, signin, tenants
from tests.steps import another, ask, ask_again, audited, enter, is_in, sign_in
from tests.world import ALEX, BY, CONTOSO, FABRIKAM, NICOLE, WOODGROVE, World

FULL = (
    '{"Version":2,"B2BManagementPolicy":{"InvitationsAllowedAndBlockedDomainsPolicy":{"AllowedDomains":'
    '["firstup.example"]},"PreviewPolicy":{"Zeta":[1.5,null,"é"],"Features":["Before","OneTimePasscode","After"],'
    '"Alpha":{"b":1,"a":2}},"AutoRedeemPolicy":{"x":true}},"Trailing":"last"}'
)


def definition(*features: str) -> str:
    return json.dumps({"B2BManagementPolicy": {"PreviewPolicy": {"Features": features}}}, separators=(",", ":"))


def turn(world: World, on: bool, tenant: Any = FABRIKAM) -> None:
    world.do(policies.turn_passcodes, tenant, on=on, by=BY)


def stored(world: World, name: str = "Fabrikam") -> tuple[str, bool]:
    ((policy, on),) = world.rows("SELECT policy, passcodes_on FROM tenants WHERE name = :name", name=name)
    return policy, bool(on)


# The definition.


def test_new_tenants_definition_has_codes_on(world: World) -> None:
    assert stored(world, "Woodgrove") == (policies.WITH_PASSCODES, True)
    assert policies.allows_passcodes(policies.WITH_PASSCODES)


@pytest.mark.parametrize(
    ("text", "allows"),
    [
        (definition("OneTimePasscode"), True),
        (definition("Other", "OneTimePasscode"), True),
        (definition("onetimepasscode"), False),
        (definition(), False),
        ('{"B2BManagementPolicy":{"PreviewPolicy":{}}}', False),
        ('{"B2BManagementPolicy":{}}', False),
        (FULL, True),
    ],
)
def test_definition_says_whether_codes_are_on(text: str, allows: bool) -> None:
    assert policies.allows_passcodes(text) is allows


def test_turning_off_takes_one_entry_out_and_leaves_all_else_as_it_was() -> None:
    assert policies.turned(FULL, on=False) == FULL.replace('"OneTimePasscode",', "")


def test_turning_on_adds_one_entry_and_leaves_all_else_as_it_was() -> None:
    off = FULL.replace('"OneTimePasscode",', "")
    assert policies.turned(off, on=True) == FULL.replace('"OneTimePasscode","After"', '"After","OneTimePasscode"')


def test_removing_the_last_feature_leaves_an_empty_list() -> None:
    assert policies.turned(policies.WITH_PASSCODES, on=False) == definition()


@pytest.mark.parametrize("on", [True, False])
def test_turning_to_what_it_is_already_changes_nothing(on: bool) -> None:
    text = FULL if on else FULL.replace('"OneTimePasscode",', "")
    assert policies.turned(text, on=on) == text


@pytest.mark.parametrize("text", ['{"B2BManagementPolicy":{}}', '{"B2BManagementPolicy":{"PreviewPolicy":{}}}'])
@pytest.mark.parametrize("on", [True, False])
def test_missing_list_is_made(text: str, on: bool) -> None:
    assert policies.turned(text, on=on) == definition(*["OneTimePasscode"][: int(on)])


def test_entry_that_stands_there_twice_is_taken_out_twice() -> None:
    assert policies.turned(definition("OneTimePasscode", "A", "OneTimePasscode"), on=False) == definition("A")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("[]", "needs an object named B2BManagementPolicy"),
        ('"text"', "needs an object"),
        ("null", "needs an object"),
        ("{}", "needs an object"),
        ('{"B2BManagementPolicy":"@{PreviewPolicy=}"}', "was cut off"),
        (
            '{"B2BManagementPolicy":{"PreviewPolicy":"@{Features=System.Object[]}"}}',
            "was cut off",
        ),
        ('{"B2BManagementPolicy":{"PreviewPolicy":null}}', "PreviewPolicy is not an object"),
        ('{"B2BManagementPolicy":{"PreviewPolicy":{"Features":"OneTimePasscode"}}}', "not a list"),
        ('{"B2BManagementPolicy":{"PreviewPolicy":{"Features":[1]}}}', "not a list"),
        ('{"B2BManagementPolicy":{"PreviewPolicy":{"Features":null}}}', "not a list"),
        ('{"a":' * 12000, "not JSON"),
        ("[" * 25000, "not JSON"),
    ],
    ids=lambda text: text[:30],
)
def test_what_is_no_definition_is_refused_with_the_reason(text: str, reason: str) -> None:
    for reading in (policies.allows_passcodes, lambda text: policies.turned(text, on=True)):
        with pytest.raises(policies.NotAPolicy, match=reason):
            reading(text)


# A tenant.


def test_turning_writes_definition_and_setting_together(world: World) -> None:
    turn(world, on=False)
    assert stored(world) == (definition(), False)
    turn(world, on=True)
    assert stored(world) == (policies.WITH_PASSCODES, True)


def test_turning_is_audited_with_the_new_definition_and_only_if_it_changes(world: World) -> None:
    before = len(audited(world, "policy.changed"))
    for on in (True, False, False):
        turn(world, on=on)
    assert len(audited(world, "policy.changed")) == before + 1
    *_, (detail,) = world.rows("SELECT detail FROM events WHERE name = 'policy.changed' ORDER BY id")
    assert "Features" in str(detail)


def test_turning_concerns_one_tenant_only(world: World) -> None:
    done = sign_in(world)
    turn(world, on=False, tenant=WOODGROVE)
    assert is_in(world, done)
    assert stored(world) == (policies.WITH_PASSCODES, True)


def test_turning_takes_effect_with_the_next_request_in_every_process(world: World) -> None:
    other = another(world)
    assert other.do(tenants.find, "fabrikam.example").passcodes_on
    turn(world, on=False)
    assert not other.do(tenants.find, "fabrikam.example").passcodes_on


# Opting out (B12).


def test_opting_out_ends_live_sessions_for_good(world: World) -> None:
    done = sign_in(world)
    turn(world, on=False)
    assert not is_in(world, done)
    turn(world, on=True)
    assert not is_in(world, done)


def test_opting_out_ends_codes_that_were_mailed(world: World) -> None:
    started = ask(world)
    code = world.code(NICOLE)
    turn(world, on=False)
    with pytest.raises((signin.PasscodeWrong, signin.PasscodeExpired)):
        enter(world, started, code)


def test_code_mailed_before_opting_out_stays_dead_after_opting_in(world: World) -> None:
    started = ask(world)
    code = world.code(NICOLE)
    turn(world, on=False)
    turn(world, on=True)
    with pytest.raises((signin.PasscodeWrong, signin.PasscodeExpired)):
        enter(world, started, code)
    assert world.rows("SELECT id FROM sessions") == []


def test_code_that_waits_to_be_mailed_is_not_mailed_after_opting_out(world: World) -> None:
    ask(world)
    turn(world, on=False)
    assert world.letters(NICOLE) == []


def test_code_that_waited_while_opted_out_is_not_mailed_after_opting_in(world: World) -> None:
    ask(world)
    turn(world, on=False)
    turn(world, on=True)
    assert world.letters(NICOLE) == []


def test_guest_signs_in_with_a_new_code_after_opting_in_again(world: World) -> None:
    started = ask(world)
    world.deliver()
    turn(world, on=False)
    turn(world, on=True)
    world.advance(60)
    ask_again(world, started)
    assert is_in(world, enter(world, started, world.code(NICOLE)))


def test_opting_in_lets_the_stranded_guest_in_again(world: World) -> None:
    turn(world, on=True, tenant=CONTOSO)
    assert is_in(world, sign_in(world, "stranded@firstup.example", tenant=CONTOSO), CONTOSO)


def test_opting_out_leaves_the_administrators_codes_alive(world: World) -> None:
    started = ask(world, "admin@fabrikam.example")
    ask(world, ALEX, browser="another browser")
    code = world.code("admin@fabrikam.example")
    turn(world, on=False)
    turn(world, on=True)
    assert is_in(world, enter(world, started, code))
