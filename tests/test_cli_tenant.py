"""`flask tenant`: exit codes, JSON, the same rules and audit as operations (B34, B35, A-07)."""

import json
from pathlib import Path
from typing import Any

import pytest

from guestauth import tenants
from tests.servers import NameServer
from tests.steps import audited, is_in, sign_in
from tests.test_pictures import PNG
from tests.world import CONTOSO, FABRIKAM, World

ID = "7a117000-0000-4000-8000-000000000009"
CREATE = ["tenant", "create", "Tailspin", "--domain", "Tailspin.example"]
KEYS = ["id", "displayName", "domains", "oneTimePasscode", "enabled", "createdDateTime"]


def shown(world: World, *args: str) -> Any:
    done = world.run(*args, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_create_makes_a_tenant_with_its_domains_and_administrator(world: World) -> None:
    made = shown(world, *CREATE, "--domain", "toys.example", "--id", ID, "--admin", "boss@tailspin.example")
    assert list(made) == KEYS
    assert (made["id"], made["displayName"], made["domains"]) == (
        ID,
        "Tailspin",
        ["tailspin.example", "toys.example"],
    )
    assert (made["oneTimePasscode"], made["enabled"]) == (True, True)
    tenant = world.do(tenants.find, ID)
    assert is_in(world, sign_in(world, "boss@tailspin.example", tenant=tenant.id), tenant.id)


def test_create_keeps_contact_and_privacy_statement(sqlite_world: World) -> None:
    extra = ["--help-contact", "help@tailspin.example", "--privacy-statement", "https://tailspin.example/privacy"]
    assert sqlite_world.run(*CREATE, *extra).exit_code == 0
    tenant = sqlite_world.do(tenants.find, "tailspin.example")
    assert (tenant.help_contact, tenant.privacy_statement_url) == (extra[1], extra[3])


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (["create", "Tailspin"], 2, "--domain"),
        (["create", " ", "--domain", "a.example"], 2, "name"),
        (["create", "A", "--domain", "no domain"], 2, "no domain is not a domain name"),
        (["create", "A", "--domain", "a.example", "--id", "7"], 2, "7"),
        (["create", "A", "--domain", "a.example", "--admin", "nobody"], 2, "@"),
        (["create", "A", "--domain", "a.example", "--privacy-statement", "javascript:x"], 2, "https://"),
        (["create", "A\udcff", "--domain", "a.example"], 2, "UTF-8"),
        (["create", "A", "--domain", "fabrikam.example"], 1, "belongs to a tenant already"),
        (["create", "A", "--domain", "a.example", "--id", str(FABRIKAM)], 1, "belongs to a tenant already"),
        (["show", "unknown.example"], 2, "There is no tenant unknown.example"),
        (["disable", "Fabrikam"], 2, "There is no tenant Fabrikam"),
        (["enable", ""], 2, "There is no tenant"),
        (["nonsense"], 2, "nonsense"),
    ],
)
def test_refusal_says_why_on_stderr_and_makes_nothing(
    sqlite_world: World, args: list[str], code: int, words: str
) -> None:
    done = sqlite_world.run("tenant", *args)
    assert (done.exit_code, done.stdout) == (code, "")
    assert words in done.stderr and "Traceback" not in done.stderr
    assert len(sqlite_world.rows("SELECT id FROM tenants")) == 3


def test_list_has_all_tenants_by_name(world: World) -> None:
    found = shown(world, "tenant", "list")
    assert [each["displayName"] for each in found] == ["Contoso", "Fabrikam", "Woodgrove"]
    assert [each["oneTimePasscode"] for each in found] == [False, True, True]
    assert all(list(each) == KEYS for each in found)


@pytest.mark.parametrize("typed", [str(CONTOSO), str(CONTOSO).upper(), "contoso.example", "Contoso.Example."])
def test_show_takes_an_id_or_a_domain(sqlite_world: World, typed: str) -> None:
    assert shown(sqlite_world, "tenant", "show", typed)["id"] == str(CONTOSO)


def test_moments_are_utc_in_json(sqlite_world: World) -> None:
    assert shown(sqlite_world, "tenant", "show", "contoso.example")["createdDateTime"].endswith("Z")


def test_table_and_lines_are_for_people(sqlite_world: World) -> None:
    head, *rows = sqlite_world.run("tenant", "list").stdout.splitlines()
    assert head.split() == KEYS
    assert len(rows) == 3 and "  no  " in rows[0] and "  yes  " in rows[1]
    assert (
        "domains: contoso.example\noneTimePasscode: no\n"
        in sqlite_world.run("tenant", "show", str(CONTOSO)).stdout
    )


def test_disabled_tenant_is_shown_and_can_be_enabled(sqlite_world: World) -> None:
    done = sign_in(sqlite_world)
    assert sqlite_world.run("tenant", "disable", "fabrikam.example").stdout == (
        "Fabrikam is disabled; its sessions have ended\n"
    )
    assert not is_in(sqlite_world, done)
    assert shown(sqlite_world, "tenant", "show", "fabrikam.example")["enabled"] is False
    assert sqlite_world.run("tenant", "enable", str(FABRIKAM)).stdout == "Fabrikam is enabled\n"
    assert shown(sqlite_world, "tenant", "show", "fabrikam.example")["enabled"] is True


def test_commands_are_audited_as_the_command_line(sqlite_world: World) -> None:
    for args in (CREATE, ["tenant", "disable", "fabrikam.example"], ["tenant", "enable", "fabrikam.example"]):
        assert sqlite_world.run(*args).exit_code == 0
    for name in ("tenant.created", "tenant.disabled", "tenant.enabled"):
        assert audited(sqlite_world, name)[-1] == ("success", "")
    assert sqlite_world.rows("SELECT DISTINCT actor FROM events WHERE name LIKE 'tenant.%'") == [("command line",)]


def test_change_changes_what_is_given_and_shows_all(sqlite_world: World) -> None:
    more = ["--privacy-statement", "https://fabrikam.example/privacy", "--help-contact", ""]
    args = ["tenant", "change", "fabrikam.example", "--language", "nl", "--retention-days", "90"]
    found = shown(sqlite_world, *args, *more)
    assert list(found.items())[len(KEYS) :] == [
        ("helpContact", None),
        ("privacyStatementUrl", more[1]),
        ("preferredLanguage", "nl"),
        ("retentionDays", 90),
        ("accentColor", None),
        ("headerLogoRelativeUrl", None),
    ]
    assert found["displayName"] == "Fabrikam"
    assert shown(sqlite_world, "tenant", "show", "fabrikam.example") == found


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (["change", "fabrikam.example", "--name", " "], 2, "name"),
        (["change", "fabrikam.example", "--language", "de"], 2, "de"),
        (["change", "fabrikam.example", "--retention-days", "1"], 2, "30 to 3650"),
        (["add-domain", "fabrikam.example", "contoso.example"], 1, "another organisation"),
        (["add-domain", "fabrikam.example", "no domain"], 2, "not a domain name"),
        (["verify-domain", "fabrikam.example", "no domain"], 2, "not a domain name"),
        (["remove-domain", "fabrikam.example", "fabrikam.example"], 1, "only verified domain"),
        (["remove-domain", "fabrikam.example", "contoso.example"], 1, "no domain contoso.example"),
    ],
)
def test_refused_change_changes_nothing(sqlite_world: World, args: list[str], code: int, words: str) -> None:
    before = sqlite_world.rows("SELECT * FROM tenants ORDER BY id"), sqlite_world.rows("SELECT * FROM domains")
    done = sqlite_world.run("tenant", *args)
    assert (done.exit_code, done.stdout) == (code, "") and words in done.stderr
    after = sqlite_world.rows("SELECT * FROM tenants ORDER BY id"), sqlite_world.rows("SELECT * FROM domains")
    assert after == before


def test_domain_is_added_at_once_and_removed(sqlite_world: World) -> None:
    done = sqlite_world.run("tenant", "add-domain", "fabrikam.example", "Shop.example")
    assert (done.exit_code, done.stdout) == (0, "shop.example is a verified domain of Fabrikam\n")
    done = sqlite_world.run("tenant", "remove-domain", "shop.example", "fabrikam.example")
    assert (done.exit_code, done.stdout) == (0, "fabrikam.example is removed; shop.example is shown\n")
    assert shown(sqlite_world, "tenant", "show", "shop.example")["domains"] == ["shop.example"]


def test_domain_is_verified_by_the_record_that_the_first_call_shows(sqlite_world: World, dns: NameServer) -> None:
    args = ["tenant", "verify-domain", "fabrikam.example", "shop.example"]
    done = sqlite_world.run(*args)
    assert done.exit_code == 1 and "knows no domain shop.example" in done.stderr
    name, kind, record = done.stdout.split()
    assert (name, kind) == ("shop.example", "TXT")
    dns.texts[name] = [record]
    assert shown(sqlite_world, *args) == {"id": name, "isVerified": True, "record": record}
    assert sqlite_world.do(tenants.find, "shop.example").id == FABRIKAM


def test_brand_sets_and_removes_logo_and_colour(sqlite_world: World, tmp_path: Path) -> None:
    (tmp_path / "logo.png").write_bytes(PNG)
    args = ["tenant", "brand", "fabrikam.example"]
    made = shown(sqlite_world, *args, "--logo", str(tmp_path / "logo.png"), "--accent", "#2B5797")
    assert made["accentColor"] == "#2b5797" and made["headerLogoRelativeUrl"].startswith(f"/{FABRIKAM}/logo?v=")
    assert shown(sqlite_world, "tenant", "show", "fabrikam.example") == made
    assert shown(sqlite_world, *args, "--remove-logo")["headerLogoRelativeUrl"] is None
    done = sqlite_world.run(*args, "--remove-accent")
    assert (done.exit_code, "accentColor: -\n" in done.stdout) == (0, True)
    assert sqlite_world.rows("SELECT actor FROM events WHERE name = 'tenant.branded'") == [("command line",)] * 4


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--logo", "nowhere.png"], "does not exist"),
        (["--logo", __file__], "not a picture"),
        (["--accent", "teal"], "#2b5797"),
        (["--accent", "#123456", "--remove-accent"], "not both"),
        (["--logo", __file__, "--remove-logo"], "not both"),
    ],
)
def test_brand_refuses_what_is_no_good(sqlite_world: World, args: list[str], words: str) -> None:
    done = sqlite_world.run("tenant", "brand", "fabrikam.example", *args)
    assert (done.exit_code, done.stdout) == (2, "") and words in done.stderr
    assert shown(sqlite_world, "tenant", "show", "fabrikam.example")["accentColor"] is None
