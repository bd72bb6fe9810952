"""Tenants: made whole or not at all, named by id or verified domain, off and on (B1, B4, B5, B34, X-05, T-09)."""

import uuid
from typing import Any

import pytest

from guestauth import addresses, sessions, tenants
from guestauth.database import db, operation
from guestauth.models import Domain
from tests.steps import arriving, audited, is_in, sign_in
from tests.world import BY, CONTOSO, FABRIKAM, World

ID = uuid.UUID("7a117000-0000-4000-8000-000000000009")


def create(
    world: World, name: str = "Tailspin", domains: tuple[str, ...] = ("tailspin.example",), **more: Any
) -> Any:
    return world.do(tenants.create, name, domains=domains, by=BY, **more)


def counts(world: World) -> list[int]:
    return [world.rows(f"SELECT count(*) FROM {table}")[0][0] for table in ("tenants", "domains", "users")]


def test_tenant_is_found_by_its_id_and_by_each_of_its_domains(world: World) -> None:
    made = create(world, domains=("Tailspin.example", "toys.example"), tenant_id=ID)
    assert (made.id, made.name, made.domain) == (ID, "Tailspin", "tailspin.example")
    for typed in (str(ID), str(ID).upper(), "tailspin.example", "TOYS.example."):
        assert world.do(tenants.find, typed).id == ID
    assert world.do(tenants.domains, ID) == ["tailspin.example", "toys.example"]


def test_new_tenant_has_codes_on_and_is_audited(world: World) -> None:
    before = len(audited(world, "tenant.created"))
    assert create(world).passcodes_on
    assert len(audited(world, "tenant.created")) == before + 1


def test_first_administrator_is_a_member_who_signs_in_by_code(world: World) -> None:
    made = create(world, administrator="Boss@tailspin.example")
    done = sign_in(world, "boss@tailspin.example", tenant=made.id)
    arrival = arriving(world, done, made.id)
    assert arrival and arrival.user
    assert (arrival.user.user_type, arrival.user.is_administrator, arrival.user.state) == ("Member", True, None)
    assert (arrival.user.must_consent, arrival.user.source) == (False, None)


def test_tenant_without_administrator_has_nobody(world: World) -> None:
    create(world, tenant_id=ID)
    assert world.rows(
        "SELECT count(*) FROM users u JOIN tenants t ON t.id = u.tenant_id WHERE t.name = 'Tailspin'"
    ) == [(0,)]


@pytest.mark.parametrize("name", ["", "   ", "\t\r\n", "x" * 201, "\u200b"])
def test_name_has_1_to_200_characters(sqlite_world: World, name: str) -> None:
    with pytest.raises(tenants.TenantRefused):
        create(sqlite_world, name)


def test_name_is_one_line(world: World) -> None:
    assert create(world, " Tail\r\nspin\u2028\u202e ").name.split() == ["Tail", "spin"]


@pytest.mark.parametrize("domains", [(), ("",), ("tailspin",), ("tailspin.example", "no domain")])
def test_domain_must_be_one(sqlite_world: World, domains: tuple[str, ...]) -> None:
    before = counts(sqlite_world)
    with pytest.raises(tenants.TenantRefused):
        create(sqlite_world, domains=domains)
    assert counts(sqlite_world) == before


@pytest.mark.parametrize("typed", ["admin", "static", "sign-in", "healthz", "apps", "dev", "localhost"])
@pytest.mark.case("T-09")
def test_no_tenant_can_be_named_like_a_path_of_ours(sqlite_world: World, typed: str) -> None:
    with pytest.raises(tenants.TenantRefused):
        create(sqlite_world, domains=(typed,))


@pytest.mark.parametrize("taken", [{"tenant_id": FABRIKAM}, {"domains": ("new.example", "FABRIKAM.example")}])
def test_what_another_tenant_has_is_taken_and_nothing_is_made(world: World, taken: dict[str, Any]) -> None:
    before = counts(world)
    with pytest.raises(tenants.TenantTaken):
        create(world, **taken)
    assert counts(world) == before
    assert world.do(tenants.find, "fabrikam.example").id == FABRIKAM


def test_administrators_bad_address_makes_no_tenant(world: World) -> None:
    before = counts(world)
    with pytest.raises(addresses.NotAnAddress):
        create(world, administrator="not an address")
    assert counts(world) == before


def test_domain_given_twice_is_one_domain(world: World) -> None:
    made = create(world, domains=("tailspin.example", "TAILSPIN.example"))
    assert world.do(tenants.domains, made.id) == ["tailspin.example"]


@pytest.mark.parametrize(
    "given",
    [
        {"help_contact": "x" * 201},
        {"privacy_statement_url": "javascript:alert(1)"},
        {"privacy_statement_url": "https://tailspin.example/" + "x" * 2000},
    ],
    ids=["help contact too long", "script as privacy statement", "privacy statement too long"],
)
def test_contact_and_privacy_statement_are_checked(world: World, given: dict[str, str]) -> None:
    with pytest.raises(tenants.TenantRefused):
        create(world, **given)


def test_domain_claimed_but_not_verified_can_be_verified_by_its_owner(world: World) -> None:
    world.do(operation(lambda: db.session.add(Domain(tenant_id=CONTOSO, name="tailspin.example"))))
    assert world.do(tenants.domains, CONTOSO) == ["contoso.example"]
    create(world, tenant_id=ID)
    assert world.do(tenants.find, "tailspin.example").id == ID


@pytest.mark.parametrize(
    "typed", ["", "Fabrikam", "unknown.example", str(ID), "fabrikam.example/x", "%00", "x" * 5000]
)
def test_unknown_tenant_is_refused(sqlite_world: World, typed: str) -> None:
    with pytest.raises(tenants.TenantUnknown):
        sqlite_world.do(tenants.find, typed)


@pytest.mark.parametrize(
    ("typed", "reference"),
    [
        (f" {FABRIKAM} ", FABRIKAM),
        (str(FABRIKAM).upper(), FABRIKAM),
        ("Fabrikam.Example", "fabrikam.example"),
        ("bücher.example", "xn--bcher-kva.example"),
        (FABRIKAM.hex, None),
        (f"{{{FABRIKAM}}}", None),
        (f"urn:uuid:{FABRIKAM}", None),
        (f"{FABRIKAM}\x00", None),
        ("fabrikam", None),
        ("..", None),
    ],
)
def test_reference_is_an_id_or_a_domain(typed: str, reference: Any) -> None:
    assert tenants.reference_or_none(typed) == reference


def test_disabled_tenant_is_unknown_outside_and_its_sessions_are_over(world: World) -> None:
    done = sign_in(world)
    world.do(tenants.disable, FABRIKAM, by=BY)
    assert world.do(sessions.arriving, FABRIKAM, []) is None
    world.do(tenants.enable, FABRIKAM, by=BY)
    assert not is_in(world, done)
    assert is_in(world, sign_in(world))
    assert (audited(world, "tenant.disabled"), audited(world, "tenant.enabled")) == ([("success", "")],) * 2


def test_disabling_twice_keeps_the_first_moment(world: World) -> None:
    since = []
    for _ in range(2):
        world.do(tenants.disable, FABRIKAM, by=BY)
        since.append(world.do(tenants.find, str(FABRIKAM)).disabled_at)
        world.advance(10)
    assert since[0] == since[1] is not None


def test_all_tenants_are_listed_by_name(world: World) -> None:
    create(world, "Adatum")
    assert [each.name for each in world.do(tenants.everyone)] == ["Adatum", "Contoso", "Fabrikam", "Woodgrove"]


# What a tenant says of itself.


def change(world: World, **more: Any) -> Any:
    return world.do(tenants.change, FABRIKAM, by=BY, **more)


def test_change_keeps_what_is_not_given_and_is_audited_with_what_changed(world: World) -> None:
    changed = change(world, name=" Fabri\u202ekam\r\nAG ", language="zh-Hant-TW", retention_days=30)
    assert changed.name.split() == ["Fabri", "kam", "AG"]
    assert (changed.language, changed.retention_days) == ("zh-Hant-TW", 30)
    assert changed.help_contact == "admin@fabrikam.example"
    ((detail,),) = world.rows("SELECT detail FROM events WHERE name = 'tenant.changed'")
    assert "365" in str(detail) and "zh-Hant-TW" in str(detail) and "help_contact" not in str(detail)


def test_empty_contact_and_privacy_statement_go(world: World) -> None:
    change(world, privacy_statement_url=" https://fabrikam.example/privacy ")
    assert world.do(tenants.find, "fabrikam.example").privacy_statement_url == "https://fabrikam.example/privacy"
    changed = change(world, privacy_statement_url="", help_contact=" ")
    assert (changed.privacy_statement_url, changed.help_contact) == (None, None)


def test_change_to_what_it_is_already_is_not_audited(world: World) -> None:
    change(world, name="Fabrikam", language="en", retention_days=365, privacy_statement_url="")
    assert audited(world, "tenant.changed") == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "x" * 201),
        ("help_contact", "x" * 201),
        ("privacy_statement_url", "ftp://fabrikam.example"),
        ("language", "de"),
        ("language", ""),
        ("retention_days", 29),
        ("retention_days", 3651),
    ],
)
def test_change_that_is_no_good_changes_nothing_and_names_the_field(world: World, field: str, value: Any) -> None:
    with pytest.raises(tenants.TenantRefused) as refused:
        change(world, **{"name": "Other", field: value})
    assert refused.value.field == field
    assert (world.do(tenants.find, "fabrikam.example").name, audited(world, "tenant.changed")) == ("Fabrikam", [])
