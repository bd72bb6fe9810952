"""The console's pages of identity providers: list, add, test, remove (B6, B7, B13, B35)."""

import uuid

import pytest

from guestauth import identity_providers, invitations
from guestauth.descriptions import Described
from guestauth.models import AZURE_AD, IdentityProvider
from tests.admin import CONSOLE, at_console
from tests.browser import Browser
from tests.federation.person import Person, set_up
from tests.pages import words as said
from tests.probe import action, token
from tests.steps import audited
from tests.world import ADMIN, ALEX, BY, CONTOSO, FABRIKAM, NICOLE, World

PAGE, SECRET, NOBODY = f"{CONSOLE}/identity-providers", "hush-hush-hush", "https://127.0.0.1:1"
PARTNER = {
    "kind": "openid_connect",
    "name": "Partner login",
    "issuer": NOBODY,
    "covers": "Proseware.example\n kim@firstup.example",
}
CLIENT = {"client_id": "guestauth", "client_secret": SECRET}


def describe(world: World, **typed: str) -> Browser:
    """Go through the first step."""
    return at_console(world, "/identity-providers/add").submit("describe-identity-provider", **typed)


def added(world: World, tenant: uuid.UUID | None = FABRIKAM, **more: object) -> IdentityProvider:
    """A provider that nobody serves."""
    given = {**PARTNER, "covers": ["proseware.example"], **CLIENT, **more}
    return world.do(identity_providers.add, Described(**given), tenant_id=tenant, by=BY)  # type: ignore[arg-type]


def redirect_address(browser: Browser) -> str:
    return said(browser.page.xpath("//main//bdi[contains(., '/sign-in/callback/')]")[0])


def invite(world: World, *mails: str) -> None:
    for mail in mails:
        world.do(invitations.invite, FABRIKAM, mail, send_mail=False, by=BY)


# Adding


def test_provider_is_added_in_two_steps_and_works_at_the_redirect_address_shown(world: World, oidc) -> None:
    google = oidc("google")
    world.app.config["PROVIDER_CA_FILE"] = str(google.ca)
    browser = at_console(world, "/settings").click("Identity providers").click("Add an identity provider")
    browser.submit("describe-identity-provider", issuer=google.issuer)
    assert (browser.h1, browser.status) == ("Register at Google", 200)
    google.allow(redirect_address(browser))
    google.add_account("g-1", email=ALEX, email_verified=True)
    client = {"client_id": google.client_id, "client_secret": google.client_secret}
    browser.submit("add-identity-provider", **client)
    assert "Google is added." in browser.text
    assert "Google answers, has keys, and knows us" in browser.submit("test-identity-provider").text
    assert Person(world, google).signs_in(ALEX, "g-1").h1 == "Review permissions"


def test_provider_of_another_kind_is_kept_as_it_was_described(world: World) -> None:
    browser = describe(world, **PARTNER)
    assert browser.h1 == "Register at Partner login"
    shown = redirect_address(browser)
    browser.submit("add-identity-provider", **CLIENT)
    assert redirect_address(browser) == shown and NOBODY in browser.text
    (kept,) = world.do(identity_providers.listed, FABRIKAM)
    assert (kept.provider.name, kept.provider.issuer) == ("Partner login", NOBODY)
    assert list(kept.covers) == ["kim@firstup.example", "proseware.example"]
    assert world.do(identity_providers.secret, kept.provider) == SECRET
    assert audited(world, "provider.added") == [("success", "")] * 2  # the first is the demo's
    assert "Partner login" in browser.open(PAGE).text and "kim@firstup.example, proseware.example" in browser.text


def test_secret_is_never_shown_again(sqlite_world: World) -> None:
    browser = describe(sqlite_world, **PARTNER)
    browser.submit("add-identity-provider", client_id="é", client_secret=SECRET)
    assert browser.form("add-identity-provider").xpath(".//input[@id='client_secret']/@type") == ["password"]
    seen = [browser.text, browser.submit("add-identity-provider", **CLIENT).text, browser.open(PAGE).text]
    assert not [text for text in seen if SECRET in text] and browser.status == 200
    details = sqlite_world.rows("SELECT detail FROM events WHERE name = 'provider.added'")
    assert SECRET not in str(details) and SECRET not in str(sqlite_world.rows("SELECT * FROM identity_providers"))


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("name", " ", "Give it the name that people know it by, in 100 characters at most"),
        ("issuer", "partner", "Write the issuer as the provider shows it, an https address"),
        ("covers", "", "Say whose addresses are its: at least one domain or address"),
        ("covers", "not_a_domain", "not_a_domain is neither a domain nor an address"),
        ("kind", "azure_ad", "External Azure Active Directory is the installation's: set it up without a tenant"),
        ("kind", "x", "The kinds are azure_ad, microsoft_account, google, openid_connect"),
    ],
)
def test_refusal_of_the_first_step_stands_at_its_field(
    sqlite_world: World, field: str, value: str, words: str
) -> None:
    browser = at_console(sqlite_world, "/identity-providers/add")
    typed = {**PARTNER, field: value}
    browser.post(f"{PAGE}/add", {**typed, "csrf_token": token(browser, "describe-identity-provider")})
    assert (browser.status, browser.errors) == (422, [words])
    form = browser.form("describe-identity-provider")
    assert form.xpath(f".//*[@id='{field}'][@aria-invalid='true']")
    assert all(form.fields[name].strip() == typed[name].strip() for name in typed if name not in ("kind", field))


@pytest.mark.parametrize(("field", "value"), [("client_id", ""), ("client_id", "é"), ("client_secret", "")])
def test_refusal_of_the_second_step_stands_at_its_field(sqlite_world: World, field: str, value: str) -> None:
    browser = describe(sqlite_world, **PARTNER)
    shown = redirect_address(browser)
    browser.submit("add-identity-provider", **{**CLIENT, field: value})
    assert (browser.status, browser.h1) == (422, "Register at Partner login")
    assert browser.errors == ["Copy it from where the provider shows it: 255 characters at most"]
    assert browser.form("add-identity-provider").xpath(f".//*[@id='{field}'][@aria-invalid='true']")
    assert redirect_address(browser) == shown
    assert browser.submit("add-identity-provider", **CLIENT).status == 200
    assert len(sqlite_world.do(identity_providers.listed, FABRIKAM)) == 1


@pytest.mark.both
def test_same_provider_twice_is_refused_and_what_was_typed_is_kept(world: World) -> None:
    added(world)
    browser = describe(world, **PARTNER).submit("add-identity-provider", **CLIENT)
    assert browser.errors == ["Partner login is set up already. Remove it first to set it up anew."]
    assert browser.form("describe-identity-provider").fields["issuer"] == NOBODY


@pytest.mark.parametrize("odd", [{}, {"kind": "x"}, {"provider_id": "x"}, {"covers": "@"}, {"csrf_token": "old"}])
def test_second_step_that_no_page_offers_ends_well(sqlite_world: World, odd: dict[str, str]) -> None:
    browser = describe(sqlite_world, **PARTNER)
    given = {"csrf_token": token(browser, "add-identity-provider"), "client_id": "x", **odd}
    browser.post(action(browser, "add-identity-provider"), given)
    assert browser.status in (400, 422) and sqlite_world.do(identity_providers.listed, FABRIKAM) == []


def test_page_open_too_long_keeps_its_step_and_what_was_typed(sqlite_world: World) -> None:
    browser = describe(sqlite_world, **PARTNER)
    browser.post(f"{PAGE}/add", {**PARTNER, **CLIENT, "csrf_token": "old"})
    assert (browser.status, browser.h1) == (400, "Register at Partner login")
    assert browser.form("add-identity-provider").fields["client_id"] == "guestauth"
    assert "Partner login is added." in browser.submit("add-identity-provider", client_secret=SECRET).text


# Whom it concerns


def test_page_says_how_many_will_use_it_before_it_is_added(world: World) -> None:
    assert "1 guest who has not accepted yet will sign in with Google from now on." in describe(world).text
    invite(world, "a@proseware.example", "b@proseware.example", "kim@firstup.example", "c@sub.proseware.example")
    text = describe(world, **PARTNER).text
    assert "3 guests who have not accepted yet will sign in with Partner login from now on." in text
    assert "Guests who have accepted keep their way in." in text
    assert "No guest you have now will sign in with Google" in describe(world, covers="nobody.example").text


def test_guests_of_a_provider_that_comes_first_are_not_counted(world: World) -> None:
    invite(world, "a@proseware.example", "kim@firstup.example")
    directory = "5d0f6f0e-5b0a-4bfa-9c5e-6f6f1c1f0a01"
    added(world, None, kind=AZURE_AD, directories=[directory])
    added(world, CONTOSO, covers=["firstup.example"])
    assert "1 guest who has not accepted yet will sign in with Partner login" in describe(world, **PARTNER).text


def test_guest_of_a_provider_is_explained_filtered_exported_and_not_counted_as_using_codes(
    world: World, oidc
) -> None:
    google = oidc("google")
    google.add_account("g-1", email=ALEX, email_verified=True)
    set_up(world, google)
    Person(world, google).signs_in(ALEX, "g-1").submit("consent", button=("decision", "accept"))
    browser = at_console(world, "/guests").submit("filter", source="Google")
    assert ALEX in browser.text and NICOLE not in browser.text
    assert "Google. Their way in was fixed to Google" in browser.click(ALEX).text
    assert f"{ALEX},Guest,Google,Accepted" in browser.open(f"{CONSOLE}/guests/export?source=Google").text
    browser.open(f"{CONSOLE}/settings").submit("one-time-passcode", enabled="no")
    assert "1 guest who uses codes won't be able to sign in, none are signed in now." in browser.text
    assert "1 guest has another way in and goes on as before." in browser.text


def test_name_of_a_provider_is_shown_as_it_is(sqlite_world: World) -> None:
    added(sqlite_world, name="100% <i>Guests</i>", covers=["gmail.com"])
    for path in ("/identity-providers", f"/guests/{uuid.uuid5(FABRIKAM, ALEX)}"):
        assert "100% <i>Guests</i>" in at_console(sqlite_world, path).text
    reset = at_console(sqlite_world, f"/guests/{uuid.uuid5(FABRIKAM, NICOLE)}/reset")
    assert "as things stand: Email one-time passcode." in reset.text


# Testing and removing


def test_provider_that_does_not_answer_is_told_in_words(sqlite_world: World) -> None:
    made = added(sqlite_world)
    browser = at_console(sqlite_world, f"/identity-providers/{made.id}").submit("test-identity-provider")
    assert "Partner login doesn't work as it is set up: 127.0.0.1 does not answer" in browser.text
    assert [hop.status_code for hop in browser.history] == [303]


def test_provider_that_does_not_know_us_is_told_in_words(sqlite_world: World, oidc) -> None:
    google = oidc("google")
    made = set_up(sqlite_world, google)
    sqlite_world.do(identity_providers.remove, made.id, tenant_id=FABRIKAM, by=BY)
    made = added(sqlite_world, issuer=google.issuer)
    browser = at_console(sqlite_world, f"/identity-providers/{made.id}").submit("test-identity-provider")
    assert "doesn't work as it is set up: the provider gives no token: invalid_client" in browser.text


def test_secret_is_renewed_and_nobody_is_signed_out(sqlite_world: World) -> None:
    made = added(sqlite_world)
    browser = at_console(sqlite_world, f"/identity-providers/{made.id}")
    assert browser.submit("renew-client-secret").errors == [
        "Copy it from where the provider shows it: 255 characters at most"
    ]
    assert "The new secret is kept." in browser.submit("renew-client-secret", client_secret="new-one").text
    (kept,) = sqlite_world.do(identity_providers.listed, FABRIKAM)
    assert sqlite_world.do(identity_providers.secret, kept.provider) == "new-one" not in browser.text
    assert audited(sqlite_world, "provider.changed") == [("success", "")]


def test_removing_asks_with_whom_it_locks_out_and_signs_them_out(world: World, oidc) -> None:
    google = oidc("google")
    google.add_account("g-1", email=ALEX, email_verified=True)
    made = set_up(world, google)
    browser = at_console(world, f"/identity-providers/{made.id}").click("Remove")
    assert "No guest has accepted with it yet, so nobody is locked out." in browser.text
    guest = Person(world, google).signs_in(ALEX, "g-1").submit("consent", button=("decision", "accept"))
    browser.open(browser.path)
    assert "1 guest who accepted with it won't be able to sign in, 1 is signed in now." in browser.text
    assert "Google is removed." in browser.submit("remove-identity-provider").text
    assert (browser.path, audited(world, "provider.removed")) == (PAGE, [("success", "")])
    assert guest.open("/fabrikam.example").has_form("email-form")
    guest.submit("email-form", email=ALEX)
    assert guest.h1 == "You can't sign in to Fabrikam at the moment"


# Whose they are


def test_installation_s_are_shown_but_cannot_be_changed(sqlite_world: World) -> None:
    made = added(sqlite_world, None, kind="microsoft_account", name="")
    browser = at_console(sqlite_world, "/identity-providers")
    assert "Set up by the operator" in browser.text and "Microsoft Account" in browser.text
    assert not browser.page.xpath(f"//main//a[contains(@href, '{made.id}')]")
    for rest in ("", "/test", "/secret", "/remove"):
        assert browser.open(f"{PAGE}/{made.id}{rest}").status == 404


@pytest.mark.parametrize("rest", ["", "/test", "/secret", "/remove"])
def test_provider_of_another_tenant_is_unknown(sqlite_world: World, rest: str) -> None:
    made = added(sqlite_world, CONTOSO)
    browser = at_console(sqlite_world, f"/identity-providers/{made.id}{rest}", mail=ADMIN)
    assert browser.status == 404 and len(sqlite_world.do(identity_providers.listed, CONTOSO)) == 1
