"""The B2BManagementPolicy and what turning codes on and off does (B10, B12, B14, B15)."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from guestauth import guests, invitations, passcodes, policies, signin, tenants
from guestauth.database import db, operation
from guestauth.keys import fingerprint
from tests.guest import at_send_code
from tests.steps import another, ask, ask_again, audited, code_of, enter, is_in, sign_in
from tests.world import ADMIN, ALEX, BY, CONTOSO, FABRIKAM, NICOLE, STRANGER, WOODGROVE, World

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


@pytest.mark.acceptance(31)
def test_turning_off_takes_one_entry_out_and_leaves_all_else_as_it_was() -> None:
    assert policies.turned(FULL, on=False) == FULL.replace('"OneTimePasscode",', "")


@pytest.mark.acceptance(31)
def test_turning_on_adds_one_entry_and_leaves_all_else_as_it_was() -> None:
    off = FULL.replace('"OneTimePasscode",', "")
    assert policies.turned(off, on=True) == FULL.replace('"OneTimePasscode","After"', '"After","OneTimePasscode"')


def test_removing_the_last_feature_leaves_an_empty_list() -> None:
    assert policies.turned(policies.WITH_PASSCODES, on=False) == definition()


@pytest.mark.parametrize("spaced", [True, False])
@pytest.mark.parametrize("on", [True, False])
def test_turning_to_what_it_is_already_changes_nothing(on: bool, spaced: bool) -> None:
    text = FULL if on else FULL.replace('"OneTimePasscode",', "")
    text = json.dumps(json.loads(text), indent=4) if spaced else text
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


# What the seeds' PowerShell makes of a definition, written out by Windows PowerShell's ConvertTo-Json.

EXISTING = '{"B2BManagementPolicy":{"AutoRedeemPolicy":{"AdminConsentedForUsersIntoTenantIds":["a"]}}}'
ADDED = """{
    "B2BManagementPolicy":  {
                                "AutoRedeemPolicy":  {
                                                         "AdminConsentedForUsersIntoTenantIds":  [
                                                                                                     "a"
                                                                                                 ]
                                                     },
                                "PreviewPolicy":  {
                                                      "Features":  [
                                                                       "OneTimePasscode"
                                                                   ]
                                                  }
                            }
}"""
WITHOUT = """{
    "B2BManagementPolicy":  {
                                "PreviewPolicy":  {
                                                      "Features":  [

                                                                   ]
                                                  }
                            }
}"""


def test_policy_that_the_seeds_make_new_is_that_of_a_new_tenant(world: World) -> None:
    made = '{`"B2BManagementPolicy`":{`"PreviewPolicy`":{`"Features`":[`"OneTimePasscode`"]}}}'.replace("`", "")
    define(world, made)
    assert stored(world) == (policies.WITH_PASSCODES, True)


def test_add_member_with_force_opts_in_and_its_result_is_taken_as_it_is(world: World) -> None:
    define(world, EXISTING)
    assert stored(world) == (EXISTING, False)
    define(world, ADDED.replace("\n", "\r\n"))
    assert stored(world) == (ADDED, True)
    assert json.loads(ADDED) == json.loads(policies.turned(EXISTING, on=True))


def test_add_member_with_force_replaces_the_features_there_were(world: World) -> None:
    define(world, definition("Other"))
    define(world, policies.WITH_PASSCODES)
    assert policies.turned(definition("Other"), on=True) == definition("Other", "OneTimePasscode")
    assert stored(world) == (policies.WITH_PASSCODES, True)


@pytest.mark.parametrize("others", [(), ("Other",), ("Before", "After")])
def test_features_where_not_equal_is_what_turning_off_does(world: World, others: tuple[str, ...]) -> None:
    define(world, definition(*others[:1], "OneTimePasscode", *others[1:]))
    turn(world, on=False)
    assert stored(world) == (definition(*others), False)


def test_features_where_leaves_an_empty_list_and_its_result_is_taken(world: World) -> None:
    define(world, WITHOUT)
    assert stored(world) == (WITHOUT, False)
    assert json.loads(WITHOUT) == json.loads(policies.turned(policies.WITH_PASSCODES, on=False))


def test_like_finds_what_the_definition_says(world: World) -> None:
    assert "OneTimePasscode" in ADDED and policies.allows_passcodes(ADDED)
    assert "OneTimePasscode" not in WITHOUT and not policies.allows_passcodes(WITHOUT)


def test_definition_may_nest_fifty_levels_and_no_more(world: World) -> None:
    deep = [f'{{"B2BManagementPolicy":{{"x":{"[" * n}{"]" * n}}}}}' for n in (47, 60, 900, 5000)]
    define(world, deep[0])
    for each in deep[1:]:
        with pytest.raises(policies.NotAPolicy):
            define(world, each)
    assert stored(world)[0] == deep[0]


def test_opting_out_counts_who_is_signed_in_whether_they_have_accepted_or_not(world: World) -> None:
    sign_in(world, ALEX)
    sign_in(world, NICOLE)
    assert world.do(policies.effect_of_opting_out, FABRIKAM) == policies.Effect(locked_out=1, signed_in=2)


def test_domain_denied_after_the_code_was_mailed_is_not_let_in(world: World) -> None:
    started = ask(world, NICOLE)
    code = code_of(world, started)
    world.do(policies.limit_domains, FABRIKAM, policies.DomainList("deny", ["firstup.example"]), by=BY)
    with pytest.raises(passcodes.PasscodeWrong):
        enter(world, started, code)
    world.do(policies.limit_domains, FABRIKAM, None, by=BY)
    assert is_in(world, enter(world, started, code))


def test_administrator_is_let_in_whatever_domains_guests_may_not_have(world: World) -> None:
    denied = policies.DomainList("deny", ["fabrikam.example"])
    world.do(policies.limit_domains, FABRIKAM, denied, by=BY)
    assert is_in(world, sign_in(world, ADMIN))


def test_opting_out_waits_for_who_is_being_let_in(postgresql_world: World) -> None:
    started = ask(postgresql_world, NICOLE)
    lock = text("SELECT 1 FROM tenants WHERE name = 'Fabrikam' FOR UPDATE NOWAIT")

    @operation
    def meanwhile() -> None:
        assert passcodes.let_in_or_none(db.session.merge(started))
        with db.engine.connect() as other, pytest.raises(OperationalError, match="could not obtain lock"):
            other.execute(lock)

    postgresql_world.do(meanwhile)


@pytest.mark.parametrize("again", [invitations.resend, invitations.reset])
def test_nobody_is_invited_again_who_could_not_come(world: World, again: Callable[..., object]) -> None:
    world.do(guests.block, FABRIKAM, ALEX, by=BY)
    with pytest.raises(invitations.InvitationRefused):
        world.do(again, FABRIKAM, ALEX, by=BY)
    world.do(guests.unblock, FABRIKAM, ALEX, by=BY)
    world.do(policies.limit_domains, FABRIKAM, policies.DomainList("deny", ["gmail.com"]), by=BY)
    with pytest.raises(invitations.DomainRefused):
        world.do(again, FABRIKAM, ALEX, by=BY)


@pytest.mark.parametrize(
    "cut", ['"@{Name=a}"', '{"b": "System.Object[]"}', '["x", "System.Collections.Hashtable"]']
)
def test_convert_to_json_of_depth_3_holds_the_features_but_cuts_what_lies_deeper(world: World, cut: str) -> None:
    assert policies.allows_passcodes(ADDED)
    with pytest.raises(policies.NotAPolicy, match="was cut off"):
        define(world, ADDED.replace('"a"', cut))
    assert stored(world) == (policies.WITH_PASSCODES, True)


def test_domain_that_begins_like_what_was_cut_off_is_one() -> None:
    text = (
        policies.WITH_PASSCODES[:-2]
        + ',"InvitationsAllowedAndBlockedDomainsPolicy":{"AllowedDomains":["System.example"]}}}'
    )
    assert policies.domain_list(text) == policies.DomainList("allow", ["system.example"])


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
    code = code_of(world, started)
    turn(world, on=False)
    with pytest.raises((signin.PasscodeWrong, signin.PasscodeExpired)):
        enter(world, started, code)


def test_code_mailed_before_opting_out_stays_dead_after_opting_in(world: World) -> None:
    started = ask(world)
    code = code_of(world, started)
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
    assert is_in(world, enter(world, started, code_of(world, started)))


def test_opting_in_lets_the_stranded_guest_in_again(world: World) -> None:
    turn(world, on=True, tenant=CONTOSO)
    assert is_in(world, sign_in(world, "stranded@firstup.example", tenant=CONTOSO), CONTOSO)


def test_opting_out_leaves_the_administrators_codes_alive(world: World) -> None:
    started = ask(world, "admin@fabrikam.example")
    ask(world, ALEX, browser="another browser")
    code = code_of(world, started)
    turn(world, on=False)
    turn(world, on=True)
    assert is_in(world, enter(world, started, code))


# A whole definition (B14).


def define(world: World, text: str) -> None:
    world.do(policies.define, FABRIKAM, text, by=BY)


def test_definition_is_set_whole_as_it_was_written(world: World) -> None:
    spaced = json.dumps(json.loads(FULL), indent=4)
    define(world, spaced)
    assert stored(world) == (spaced, True)
    define(world, definition("Other"))
    assert stored(world) == (definition("Other"), False)


def test_definition_without_the_feature_ends_sessions_and_codes(world: World) -> None:
    done, started = sign_in(world), ask(world, ALEX)
    code = code_of(world, started)
    define(world, definition())
    define(world, policies.WITH_PASSCODES)
    assert not is_in(world, done)
    with pytest.raises(signin.PasscodeWrong):
        enter(world, started, code)


def test_definition_that_is_none_is_refused_and_the_old_one_stays(world: World) -> None:
    longest = policies.WITH_PASSCODES + " " * (25_000 - len(policies.WITH_PASSCODES))
    define(world, longest)
    for each in (longest + " ", "{}", definition("A").replace('"A"', "1")):
        with pytest.raises(policies.NotAPolicy):
            define(world, each)
    assert stored(world) == (longest, True)


def test_same_definition_again_is_not_audited(world: World) -> None:
    before = len(audited(world, "policy.changed"))
    define(world, policies.WITH_PASSCODES)
    assert len(audited(world, "policy.changed")) == before


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"B2BManagementPolicy":{"a":1,"a":2}}', "same name twice"),
        ('{"B2BManagementPolicy":{"a":NaN}}', "NaN is not JSON"),
        ('{"B2BManagementPolicy":{"a":Infinity}}', "Infinity is not JSON"),
        ('{"B2BManagementPolicy":{"a":"System.Object[]"}}', "a was cut off"),
    ],
)
def test_definition_that_says_something_twice_or_cut_off_is_refused(text: str, reason: str) -> None:
    with pytest.raises(policies.NotAPolicy, match=reason):
        policies.allows_passcodes(text)


@pytest.mark.parametrize("part", ['"x":1e400', '"x":"\\ud800"', '"x":1.10', '"x":1E5', '"x":0.1'])
def test_turning_keeps_odd_values_of_siblings_or_refuses_them(sqlite_world: World, part: str) -> None:
    text = f'{{"B2BManagementPolicy":{{{part},"PreviewPolicy":{{"Features":[]}}}}}}'
    try:
        define(sqlite_world, text)
    except policies.NotAPolicy:
        return
    turn(sqlite_world, on=True)
    assert json.loads(stored(sqlite_world)[0])["B2BManagementPolicy"]["x"] == json.loads(f"{{{part}}}")["x"]
    assert policies.allows_passcodes(stored(sqlite_world)[0])


# Whom opting out locks out (B13).


def test_effect_counts_guests_who_use_codes_and_those_signed_in_now(world: World) -> None:
    assert world.do(policies.effect_of_opting_out, FABRIKAM) == policies.Effect(1, 0)
    sign_in(world)
    sign_in(world, browser="another browser")
    sign_in(world, "admin@fabrikam.example", browser="a third")
    assert world.do(policies.effect_of_opting_out, FABRIKAM) == policies.Effect(1, 1)
    world.advance(86400)
    assert world.do(policies.effect_of_opting_out, FABRIKAM) == policies.Effect(1, 0)
    assert world.do(policies.effect_of_opting_out, WOODGROVE) == policies.Effect(1, 0)


# Lists of domains (B21).

ALLOW, DENY = (policies.DomainList(kind, ("firstup.example", "*.partner.example")) for kind in ("allow", "deny"))


@pytest.mark.parametrize(
    ("address", "listed"),
    [
        ("a@firstup.example", True),
        ("a@sub.firstup.example", False),
        ("a@notfirstup.example", False),
        ("a@x.partner.example", True),
        ("a@x.y.partner.example", True),
        ("a@partner.example", False),
        ("a@xpartner.example", False),
    ],
)
def test_list_means_its_domains_and_subdomains_only_if_it_says_so(address: str, listed: bool) -> None:
    assert (ALLOW.allows(address), DENY.allows(address)) == (listed, not listed)


def test_one_list_takes_the_place_of_the_other_and_leaves_all_else() -> None:
    text = policies.limited(FULL, DENY)
    assert policies.domain_list(text) == policies.DomainList("deny", ["firstup.example", "*.partner.example"])
    assert "AllowedDomains" not in text
    none = policies.limited(text, None)
    assert policies.domain_list(none) is None
    assert none == FULL.replace(
        '"InvitationsAllowedAndBlockedDomainsPolicy":{"AllowedDomains":["firstup.example"]},', ""
    )


def test_listed_domain_is_kept_in_lower_case_ascii() -> None:
    found = policies.limited(
        policies.WITH_PASSCODES, policies.DomainList("allow", [" BÜCHER.example ", "*.A.Example"])
    )
    assert policies.domain_list(found) == policies.DomainList("allow", ["xn--bcher-kva.example", "*.a.example"])


@pytest.mark.parametrize(
    "lists",
    ['{"AllowedDomains":["a.example"],"BlockedDomains":["b.example"]}', '{"AllowedDomains":"a.example"}',
     '{"BlockedDomains":[1]}', '{"AllowedDomains":["no domain"]}', '["a.example"]', '"a.example"'],
)  # fmt: skip
def test_lists_that_are_none_are_refused(world: World, lists: str) -> None:
    text = f'{{"B2BManagementPolicy":{{"InvitationsAllowedAndBlockedDomainsPolicy":{lists}}}}}'
    with pytest.raises(policies.NotAPolicy):
        define(world, text)
    assert stored(world) == (policies.WITH_PASSCODES, True)


def test_empty_list_is_no_list() -> None:
    text = '{"B2BManagementPolicy":{"InvitationsAllowedAndBlockedDomainsPolicy":{"AllowedDomains":[]}}}'
    assert policies.domain_list(text) is None


def test_tenant_keeps_its_list_in_its_policy(world: World) -> None:
    world.do(policies.limit_domains, FABRIKAM, ALLOW, by=BY)
    tenant = world.do(tenants.find, "fabrikam.example")
    assert policies.allows_address(tenant, NICOLE) and not policies.allows_address(tenant, ALEX)
    assert tenant.passcodes_on
    with pytest.raises(policies.NotAPolicy):
        world.do(policies.limit_domains, FABRIKAM, policies.DomainList("deny", ["no domain"]), by=BY)
    world.do(policies.limit_domains, FABRIKAM, None, by=BY)
    assert stored(world) == (policies.WITH_PASSCODES, True)


def test_code_is_asked_for_in_vain_from_a_domain_that_is_not_let_in(world: World) -> None:
    world.deliver()
    world.do(policies.limit_domains, FABRIKAM, policies.DomainList("deny", ["firstup.example"]), by=BY)
    ask(world)
    assert world.letters(NICOLE) == []


def test_guests_of_now_whom_a_list_shuts_out_are_counted(world: World) -> None:
    def count(kind: str, *names: str) -> int:
        return world.do(policies.shut_out, FABRIKAM, policies.DomainList(kind, names))

    assert (count("allow", "gmail.com"), count("deny", "gmail.com"), count("deny", "fabrikam.example")) == (
        1,
        1,
        0,
    )
    assert (count("allow", "a.example"), world.do(policies.shut_out, FABRIKAM, None)) == (2, 0)
    world.do(guests.delete, FABRIKAM, ALEX, by=BY)
    assert (count("allow", "a.example"), count("deny", "gmail.com")) == (1, 0)


def test_list_that_makes_the_definition_too_long_is_refused(world: World) -> None:
    names = [f"{n}.{'x' * 50}.example" for n in range(500)]
    with pytest.raises(policies.NotAPolicy, match="25,000"):
        world.do(policies.limit_domains, FABRIKAM, policies.DomainList("deny", names), by=BY)
    assert stored(world) == (policies.WITH_PASSCODES, True)


# Compared before it is saved.


def test_definition_is_set_only_in_place_of_the_one_expected(world: World) -> None:
    seen = fingerprint(policies.WITH_PASSCODES)
    turn(world, on=False)
    with pytest.raises(policies.PolicyChanged):
        world.do(policies.define, FABRIKAM, FULL, expecting=seen, by=BY)
    assert stored(world) == (definition(), False)
    world.do(policies.define, FABRIKAM, FULL, expecting=fingerprint(definition()), by=BY)
    assert stored(world) == (FULL, True)


def test_line_breaks_of_a_definition_are_line_feeds(world: World) -> None:
    spaced = json.dumps(json.loads(FULL), indent=1)
    for other in ("\r\n", "\r"):
        define(world, definition())
        define(world, spaced.replace("\n", other))
        assert stored(world) == (spaced, True)


# Who gets codes after opting in (B11)


def has_code(world: World, mail: str) -> bool:
    """Ask for a code as somebody and look whether one arrives."""
    at_send_code(world, mail).submit("send-code")
    return any("sign-in code" in letter.message["Subject"] for letter in world.letters(mail))


def test_guest_invited_before_the_opt_in_gets_codes_only_when_invited_again(world: World) -> None:
    world.do(policies.turn_passcodes, FABRIKAM, on=False, by=BY)
    world.do(invitations.invite, FABRIKAM, STRANGER, by=BY)
    world.advance(60)
    world.do(policies.turn_passcodes, FABRIKAM, on=True, by=BY)
    assert not has_code(world, STRANGER)
    world.do(invitations.resend, FABRIKAM, STRANGER, by=BY)
    assert has_code(world, STRANGER)


def test_guest_invited_after_the_opt_in_gets_codes(world: World) -> None:
    for on in (False, True):
        world.do(policies.turn_passcodes, FABRIKAM, on=on, by=BY)
    world.do(invitations.invite, FABRIKAM, STRANGER, by=BY)
    assert has_code(world, STRANGER)


def test_guest_who_redeemed_with_codes_gets_them_again_after_the_opt_in(world: World) -> None:
    for on in (False, True):
        world.do(policies.turn_passcodes, FABRIKAM, on=on, by=BY)
        world.advance(60)
    assert has_code(world, NICOLE)
    assert not has_code(world, ALEX)


def test_turning_on_what_is_on_shuts_nobody_out(world: World) -> None:
    world.advance(60)
    world.do(policies.turn_passcodes, FABRIKAM, on=True, by=BY)
    assert has_code(world, ALEX)
