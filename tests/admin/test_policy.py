"""The policy editor and the list of domains: shown before they are saved, kept as they were written (B14, B21)."""

import json
from pathlib import Path

import pytest

from guestauth import policies
from tests.admin import CONSOLE, at_console
from tests.browser import Browser
from tests.steps import audited
from tests.world import BY, FABRIKAM, NICOLE, World

POLICY, DOMAIN_LIST = f"{CONSOLE}/policy", f"{CONSOLE}/domain-list"
OFF = '{"B2BManagementPolicy":{"PreviewPolicy":{"Features":[]}}}'
SPACED = (
    ' {\n\t"B2BManagementPolicy": {"x": "計 \'\\"<&>", "PreviewPolicy": {"Features": ["OneTimePasscode"]}}\n}\n\n'
)


def stored(world: World, tenant: str = "Fabrikam") -> str:
    return str(world.rows("SELECT policy FROM tenants WHERE name = :name", name=tenant)[0][0])


def lines(browser: Browser, tag: str) -> list[str]:
    return [each.text_content().strip() for each in browser.page.xpath(f"//*[@class='diff']//{tag}")]


# The editor.


def test_difference_and_its_meaning_are_shown_before_anything_is_saved(world: World) -> None:
    world.signed_in(NICOLE)
    browser = at_console(world, "/policy").submit("policy", definition=OFF)
    assert (browser.status, browser.h1, stored(world)) == (200, "Save the policy?", policies.WITH_PASSCODES)
    assert "Codes for guests are turned off. 1 guest who uses codes won't be able to sign in, 1 is" in browser.text
    assert lines(browser, "ins") == ['"Features": []']
    assert lines(browser, "del") == ['"Features": [', '"OneTimePasscode"', "]"]
    browser.submit("policy")
    assert (browser.path, stored(world)) == (POLICY, OFF) and "The policy is saved." in browser.text
    assert audited(world, "policy.changed")[-1] == ("success", "")


def test_definition_is_kept_to_the_byte_with_line_feeds(world: World) -> None:
    browser = at_console(world, "/policy").submit("policy", definition=SPACED)
    assert "Nothing changes for guests" in browser.text
    browser.submit("policy")
    assert stored(world) == SPACED
    assert browser.form("policy").fields["definition"] == SPACED
    assert f"{len(SPACED)} of 25,000 characters" in browser.text
    assert "nothing was changed" in browser.submit("policy").text


@pytest.mark.parametrize("way", ["form", "editor", "command", "definition"])
@pytest.mark.acceptance(31)
def test_form_editor_and_command_line_give_the_same_bytes(world: World, tmp_path: Path, way: str) -> None:
    world.do(policies.define, FABRIKAM, SPACED, by=BY)
    wanted = policies.turned(SPACED, on=False)
    (tmp_path / "policy.json").write_bytes(wanted.encode())
    if way == "form":
        at_console(world, "/settings").submit("one-time-passcode", enabled="no").submit("one-time-passcode")
    elif way == "editor":
        at_console(world, "/policy").submit("policy", definition=wanted).submit("policy")
    else:
        args = ["one-time-passcode", "fabrikam.example", "off", "--yes"]
        args = (
            args if way == "command" else ["set", "fabrikam.example", "--definition", f"@{tmp_path}/policy.json"]
        )
        assert world.run("policy", *args).exit_code == 0
    assert stored(world) == wanted


def test_definition_with_other_line_breaks_is_the_same_by_editor_and_command(world: World, tmp_path: Path) -> None:
    (tmp_path / "policy.json").write_bytes(SPACED.replace("\n", "\r\n").encode())
    world.run("policy", "set", "fabrikam.example", "--definition", f"@{tmp_path}/policy.json")
    assert stored(world) == SPACED
    assert "nothing was changed" in at_console(world, "/policy").submit("policy", definition=SPACED).text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "This is not JSON"),
        ("not JSON\n<b>", "This is not JSON"),
        ("{}", "needs an object named B2BManagementPolicy"),
        ('{"B2BManagementPolicy":{"PreviewPolicy":"@{Features=System.Object[]}"}}', "PreviewPolicy was cut off"),
        (policies.WITH_PASSCODES + " " * 25_000, "25,000 characters at most; this one has 25,074"),
        ("計😀" * 14_000, "this one has 28,000"),
    ],
    ids=["empty", "no JSON", "another object", "cut off", "too long", "too long in bytes too"],
)
def test_what_is_no_definition_is_refused_at_the_field_and_kept(world: World, text: str, words: str) -> None:
    browser = at_console(world, "/policy").submit("policy", definition=text)
    assert browser.status == 422 and words in browser.errors[0]
    assert browser.form("policy").fields["definition"] == text
    assert browser.form("policy").xpath(".//textarea[@aria-invalid='true']")
    assert stored(world) == policies.WITH_PASSCODES


def test_policy_that_somebody_else_changed_meanwhile_is_not_overwritten(world: World) -> None:
    browser = at_console(world, "/policy").submit("policy", definition=SPACED)
    world.do(policies.turn_passcodes, FABRIKAM, on=False, by=BY)
    browser.submit("policy")
    assert (browser.status, stored(world)) == (422, OFF) and "Somebody else changed the policy" in browser.errors[
        0
    ]
    assert "Codes for guests are turned on" in browser.text and "OneTimePasscode" in " ".join(
        lines(browser, "ins")
    )
    browser.submit("policy")
    assert stored(world) == SPACED


def test_confirmation_that_was_not_looked_at_is_none(world: World) -> None:
    browser = at_console(world, "/policy")
    token = browser.form("policy").xpath(".//input[@name='csrf_token']/@value")[0]
    browser.post(POLICY, {"definition": OFF, "confirmed": "yes", "csrf_token": token})
    assert (browser.status, stored(world)) == (422, policies.WITH_PASSCODES)


def test_definition_with_very_many_lines_is_compared_as_a_whole(world: World) -> None:
    one, other = (
        f'{{"B2BManagementPolicy":{{"x":[{",".join(f"{n % 90},{between}" for n in range(4000))}]}}}}'
        for between in (1, 2)
    )
    browser = at_console(world, "/policy").submit("policy", definition=one).submit("policy").open(POLICY)
    browser.submit("policy", definition=other)
    assert browser.status == 200 and len(browser.page.xpath("//del")) > 7000
    browser.submit("policy")
    assert stored(world) == other


# The list of domains.


def test_list_is_saved_at_once_if_it_takes_nothing_away(world: World) -> None:
    typed = "firstup.example\n\n *.GMAIL.com \ngmail.com\nbücher.example\nfirstup.example"
    browser = at_console(world, "/domain-list").submit("domain-list", kind="allow", domains=typed)
    assert (browser.path, "is saved" in browser.text) == (DOMAIN_LIST, True)
    names = ["firstup.example", "*.gmail.com", "gmail.com", "xn--bcher-kva.example"]
    kept = json.loads(stored(world))["B2BManagementPolicy"]["InvitationsAllowedAndBlockedDomainsPolicy"]
    assert kept == {"AllowedDomains": names}
    assert browser.form("domain-list").fields["domains"] == "\n".join([*names[:3], "bücher.example"])
    assert "nothing was changed" in browser.submit("domain-list").text


def test_guests_of_now_who_are_shut_out_are_told_first(world: World) -> None:
    browser = at_console(world, "/domain-list").submit("domain-list", kind="deny", domains="gmail.com")
    assert "It shuts out 1 of the guests you have now" in browser.text and stored(world) == policies.WITH_PASSCODES
    browser.submit("domain-list")
    assert policies.domain_list(stored(world)) == policies.DomainList("deny", ["gmail.com"])


@pytest.mark.parametrize("kind", ["allow", "everyone"])
def test_list_that_goes_is_told_first(world: World, kind: str) -> None:
    world.do(policies.limit_domains, FABRIKAM, policies.DomainList("deny", ["xn--bcher-kva.example"]), by=BY)
    browser = at_console(world, "/domain-list")
    browser.submit("domain-list", kind=kind, domains="firstup.example\ngmail.com")
    assert "list of blocked domains that you have now is deleted: bücher.example." in browser.text
    browser.submit("domain-list")
    found = policies.domain_list(stored(world))
    assert (found.kind if found else "everyone") == kind


@pytest.mark.parametrize(
    ("kind", "typed", "words"),
    [
        ("allow", " \n ", "Enter at least one domain, or choose everyone"),
        ("deny", "gmail.com\nno domain", "no domain is not a domain"),
        ("deny", "*", "* is not a domain"),
        ("allow", "\n".join(f"{n}.{'x' * 50}.example" for n in range(500)), "25,000 characters at most"),
    ],
    ids=["nothing", "no domain", "star", "too many"],
)
def test_list_that_is_none_is_refused_at_the_field(world: World, kind: str, typed: str, words: str) -> None:
    browser = at_console(world, "/domain-list").submit("domain-list", kind=kind, domains=typed)
    browser = browser.submit("domain-list") if browser.h1.startswith("Save") else browser
    assert browser.status == 422 and words in browser.errors[0]
    assert browser.form("domain-list").fields["domains"].split() == typed.split()
    assert stored(world) == policies.WITH_PASSCODES
