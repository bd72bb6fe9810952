"""Settings: codes on and off, the organisation, its domains and administrators (B4, B10 to B13, B34)."""

import pytest

from guestauth import administrators, domains, guests
from tests.admin import CONSOLE, at_console
from tests.browser import Browser
from tests.servers import NameServer
from tests.steps import audited
from tests.world import ADMIN, ALEX, BY, FABRIKAM, NICOLE, World

SETTINGS, SHOP = f"{CONSOLE}/settings", "shop.example"


def is_on(world: World) -> bool:
    return bool(world.rows("SELECT passcodes_on FROM tenants WHERE name = 'Fabrikam'")[0][0])


def add_administrator(world: World, mail: str = "new@fabrikam.example") -> str:
    return str(world.do(administrators.add, FABRIKAM, mail, by=BY).id)


# Codes.


def test_off_asks_first_with_whom_it_locks_out_now(world: World) -> None:
    guest, browser = world.signed_in(NICOLE), at_console(world, "/settings")
    browser.submit("one-time-passcode", enabled="no")
    assert (browser.status, browser.h1, is_on(world)) == (200, "Turn codes off for guests?", True)
    assert "1 guest who uses codes won't be able to sign in, 1 is signed in now." in browser.text
    browser.submit("one-time-passcode")
    assert (browser.path, is_on(world)) == (SETTINGS, False)
    assert "Email one-time passcode for guests is off." in browser.text
    assert guest.open("/fabrikam.example").has_form("email-form")


def test_numbers_are_those_of_the_moment(world: World) -> None:
    browser = at_console(world, "/settings").submit("one-time-passcode", enabled="no")
    assert "1 guest who uses codes won't be able to sign in, none are signed in now." in browser.text
    world.signed_in(ALEX)
    world.signed_in(NICOLE)
    browser.open(SETTINGS).submit("one-time-passcode", enabled="no")
    assert "2 guests who use codes won't be able to sign in, 2 are signed in now." in browser.text


def test_nobody_is_locked_out_where_nobody_uses_codes(world: World) -> None:
    world.do(guests.delete, FABRIKAM, NICOLE, by=BY)
    browser = at_console(world, "/settings")
    assert "No guest uses codes yet" in browser.submit("one-time-passcode", enabled="no").text


def test_on_is_done_at_once_and_so_is_what_is_so_already(world: World) -> None:
    browser = at_console(world, "/settings").submit("one-time-passcode", enabled="yes")
    assert (browser.path, audited(world, "policy.changed")[-1:]) == (SETTINGS, [("success", "")])
    browser.submit("one-time-passcode", enabled="no").submit("one-time-passcode")
    before = len(audited(world, "policy.changed"))
    assert "is off." in browser.submit("one-time-passcode", enabled="no").text
    assert "is on." in browser.submit("one-time-passcode", enabled="yes").text
    assert (is_on(world), len(audited(world, "policy.changed"))) == (True, before + 1)


@pytest.mark.parametrize("value", ["", "maybe", "YES"])
def test_neither_yes_nor_no_is_refused(world: World, value: str) -> None:
    browser = at_console(world, "/settings")
    token = browser.form("one-time-passcode").xpath(".//input[@name='csrf_token']/@value")[0]
    browser.post(SETTINGS, {"enabled": value, "confirmed": "yes", "csrf_token": token})
    assert (browser.status, browser.errors, is_on(world)) == (422, ["Choose Yes or No"], True)


def test_administrator_signs_in_while_codes_are_off(world: World) -> None:
    at_console(world, "/settings").submit("one-time-passcode", enabled="no").submit("one-time-passcode")
    assert at_console(world, "/settings").form("one-time-passcode").xpath(".//*[@id='enabled-no'][@checked]")


# The organisation.


def test_organisation_is_changed_and_audited_with_what_changed(world: World) -> None:
    browser = at_console(world, "/settings").click("Organisation")
    wanted = {"name": "Fabrikam AG", "privacy_statement_url": "https://fabrikam.example/privacy"}
    browser.submit("details", **wanted, help_contact="", language="nl", retention_days=" 90 ")
    assert "The settings are saved." in browser.text and "90 days" in browser.text
    found = world.rows("SELECT name, privacy_statement_url, help_contact, language, retention_days FROM tenants")
    assert (*wanted.values(), None, "nl", 90) in found
    ((detail,),) = world.rows("SELECT detail FROM events WHERE name = 'tenant.changed'")
    assert "Fabrikam AG" in str(detail) and "365" in str(detail)


def test_languages_are_offered_by_their_own_names(world: World) -> None:
    options = at_console(world, "/settings/details").form("details").xpath(".//option/text()")
    assert options == ["English", "Nederlands", "繁體中文"]


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("name", " ", "A tenant's name has 1 to 200 characters"),
        ("name", "x" * 201, "A tenant's name has 1 to 200 characters"),
        ("privacy_statement_url", "javascript:x", "The privacy statement's URL starts with https:// or http://"),
        ("help_contact", "x" * 201, "A help contact has 200 characters at most"),
        ("retention_days", "29", "Keep the logs for 30 to 3650 days"),
        ("retention_days", "3651", "Keep the logs for 30 to 3650 days"),
        ("retention_days", "soon", "Enter a number of days from 30 to 3650"),
    ],
)
def test_refusal_stands_at_its_field_and_what_was_typed_is_kept(
    world: World, field: str, value: str, words: str
) -> None:
    browser = at_console(world, "/settings/details").submit("details", **{"help_contact": "kept", field: value})
    assert (browser.status, browser.errors) == (422, [words])
    form = browser.form("details")
    assert form.xpath(f".//*[@id='{field}'][@aria-invalid='true']") and form.fields[field] == value
    assert field == "help_contact" or form.fields["help_contact"] == "kept"
    assert audited(world, "tenant.changed") == []


# Domains.


def test_domain_is_added_by_its_record(world: World, dns: NameServer) -> None:
    browser = at_console(world, "/domains").submit("add-domain", domain=" Shop.example ")
    assert browser.h1 == f"Verify {SHOP}"
    (record,) = browser.page.xpath("//bdi[starts-with(., 'guestauth-verification=')]/text()")
    browser.submit("verify-domain")
    assert (browser.status, browser.errors) == (422, [f"The DNS knows no domain {SHOP}. Check the spelling."])
    dns.texts[SHOP] = [record]
    assert f"{SHOP} is verified." in browser.submit("verify-domain").text
    assert world.browser().open(f"/{SHOP}").h1 == "Sign in to Fabrikam"


def test_domain_in_other_letters_is_shown_in_them(world: World) -> None:
    browser = at_console(world, "/domains").submit("add-domain", domain="bücher.example")
    assert browser.h1 == "Verify bücher.example" and "xn--bcher-kva.example" in browser.text
    assert "bücher.example" in browser.open(f"{CONSOLE}/domains").text


def test_what_is_no_domain_is_refused_at_its_field(world: World) -> None:
    browser = at_console(world, "/domains").submit("add-domain", domain="no domain")
    assert (browser.status, browser.errors) == (422, ["no domain is not a domain name"])
    assert browser.form("add-domain").fields["domain"] == "no domain"


def test_domain_of_the_address_is_removed_and_the_console_goes_on(world: World) -> None:
    world.do(domains.add, FABRIKAM, SHOP, by=BY)
    browser = at_console(world, "/domains").open(f"{CONSOLE}/domains/fabrikam.example/remove")
    browser.submit("remove-domain")
    assert (browser.status, browser.path) == (200, f"/{FABRIKAM}/admin/domains")
    assert "fabrikam.example is removed." in browser.text
    browser.click(f"Remove {SHOP}").submit("remove-domain")
    assert browser.status == 422 and "the only verified domain" in browser.errors[0]


def test_domain_of_another_tenant_is_unknown(world: World) -> None:
    browser = at_console(world)
    for path in ("domains/contoso.example", "domains/contoso.example/remove", "domains/x"):
        assert browser.open(f"{CONSOLE}/{path}").status == 404


# Administrators.


def removing(browser: Browser, mail: str) -> Browser:
    return browser.open(f"{CONSOLE}/administrators").click(f"Remove {mail}")


def test_administrator_is_added_told_where_to_sign_in_and_removed(world: World) -> None:
    browser = at_console(world, "/administrators")
    assert "http://127.0.0.1:5000/fabrikam.example/admin" in browser.text
    browser.submit("add-administrator", email="New@fabrikam.example", display_name="New One")
    assert "New@fabrikam.example is an administrator" in browser.text
    other = at_console(world, mail="new@fabrikam.example")
    removing(browser, "New@fabrikam.example").submit("remove-administrator")
    assert "New@fabrikam.example is no longer an administrator." in browser.text
    assert other.open(CONSOLE).has_form("email-form")


@pytest.mark.parametrize(
    ("mail", "words"), [(ALEX, "is a guest"), (ADMIN, "is an administrator already"), ("nobody", "correct format")]
)
def test_refusal_stands_at_the_address(world: World, mail: str, words: str) -> None:
    browser = at_console(world, "/administrators")
    browser.submit("add-administrator", email=mail, display_name="Kept")
    assert browser.status == 422 and words in browser.errors[0]
    assert browser.form("add-administrator").fields["display_name"] == "Kept"
    assert browser.form("add-administrator").xpath(".//*[@id='email'][@aria-invalid='true']")


def test_last_administrator_cannot_be_removed_but_one_of_two_can_go(world: World) -> None:
    browser = removing(at_console(world), ADMIN).submit("remove-administrator")
    assert browser.status == 422 and "the only administrator" in browser.errors[0]
    add_administrator(world)
    browser.submit("remove-administrator")
    assert browser.status == 200 and browser.has_form("email-form")
    assert browser.open(CONSOLE).has_form("email-form")


def test_administrator_of_another_tenant_is_unknown(world: World) -> None:
    browser = at_console(world)
    ((elsewhere,),) = world.rows("SELECT id FROM users WHERE mail = 'admin@contoso.example'")
    ((guest,),) = world.rows("SELECT id FROM users WHERE mail = :mail", mail=NICOLE)
    for who in (elsewhere, guest, "7a117000-0000-4000-8000-000000000009", "x"):
        assert browser.open(f"{CONSOLE}/administrators/{who}/remove").status == 404
