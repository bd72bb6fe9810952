"""The Sign in page: B1, B2, B16, B27; UX row "Sign in", rules 1, 2 and 4."""

import pytest

from guestauth import tenants
from tests.guest import at_enter_code, at_send_code
from tests.world import ALEX, BY, NICOLE, STRANGER, World

SIGN_IN = "/fabrikam.example/sign-in"
BAD_FORMAT = "Enter an email address in the correct format, like name@example.com"


def test_page_asks_for_the_address_in_the_words_of_the_design(world: World) -> None:
    browser = world.browser().open(SIGN_IN)
    assert (browser.status, browser.h1, browser.title) == (
        200,
        "Sign in to Fabrikam",
        "Sign in to Fabrikam – Fabrikam",
    )
    for words in ("Email address", "Use the address your invitation was sent to", "Continue"):
        assert words in browser.text


@pytest.mark.acceptance(5)
def test_address_field_lets_the_browser_fill_it_in(sqlite_world: World) -> None:
    (field,) = sqlite_world.browser().open(SIGN_IN).form("email-form").xpath(".//input[@name='email']")
    assert (field.get("type"), field.get("autocomplete"), field.get("spellcheck")) == ("email", "email", "false")
    assert field.get("placeholder") is None and field.get("maxlength") is None and field.get("autofocus") is None


def test_guest_typed_an_address_goes_on_to_send_code(sqlite_world: World) -> None:
    browser = at_send_code(sqlite_world)
    assert [answer.status_code for answer in browser.history] == [303]
    assert browser.h1 == "Get a code to sign in"
    assert sqlite_world.rows("SELECT address, sends FROM sign_ins") == [(ALEX, 0)]


@pytest.mark.parametrize(
    ("typed", "problem"),
    [
        ("", "Enter your email address"),
        ("   ", "Enter your email address"),
        ("alexdoe", BAD_FORMAT),
        ("alexdoe@", BAD_FORMAT),
        ("alex doe@gmail.com", BAD_FORMAT),
        ("alexdoe@gmail", BAD_FORMAT),
        ("alexdoe@gmail.com, nicole@firstup.example", BAD_FORMAT),
        ("alexdoe@gmail.com;nicole@firstup.example", BAD_FORMAT),
        ('"alex doe"@gmail.com', BAD_FORMAT),
        ("alexdoe@[127.0.0.1]", BAD_FORMAT),
        ("a" * 65 + "@gmail.com", BAD_FORMAT),
        ("a@" + "b" * 250 + ".example", "An email address has 254 characters at most"),
        ("<b>alex</b>", BAD_FORMAT),
        ("mıke@example.com", BAD_FORMAT),
    ],
)
@pytest.mark.acceptance(7)
def test_address_that_is_none_is_kept_and_told(sqlite_world: World, typed: str, problem: str) -> None:
    browser = sqlite_world.browser().open(SIGN_IN).submit("email-form", email=typed)
    assert (browser.status, browser.errors) == (422, [problem])
    assert browser.title.startswith("Error: ")
    (field,) = browser.form("email-form").xpath(".//input[@name='email']")
    assert field.get("value", "") == typed.strip() or field.get("value") == typed
    assert f"email-error {field.get('id')}-hint" == field.get("aria-describedby")
    assert sqlite_world.rows("SELECT * FROM sign_ins") == []


@pytest.mark.parametrize("typed", ["ALEXDOE@GMAIL.COM", " alexdoe@gmail.com ", "AlexDoe@Gmail.com"])
def test_address_in_any_letter_case_is_the_same_guest(sqlite_world: World, typed: str) -> None:
    browser = at_enter_code(sqlite_world, typed)
    assert browser.submit("enter-code", code=sqlite_world.code(ALEX)).h1 == "Review permissions"


def test_slip_in_a_known_domain_is_offered_as_a_link_and_not_in_the_way(sqlite_world: World) -> None:
    browser = sqlite_world.browser().open(SIGN_IN, login_hint="alexdoe@gmial.com", to="/fabrikam.example?q=a")
    assert "Did you mean alexdoe@gmail.com?" in browser.text
    browser.click(ALEX)
    (field,) = browser.form("email-form").xpath(".//input[@name='email']")
    assert field.get("value") == ALEX and "Did you mean" not in browser.text
    browser.submit("email-form").submit("send-code").submit("enter-code", code=sqlite_world.code(ALEX))
    assert browser.submit("consent", button=("decision", "accept")).url.endswith("/fabrikam.example?q=a")


def test_slip_in_a_known_domain_can_be_mended_after_it_was_typed(sqlite_world: World) -> None:
    browser = at_send_code(sqlite_world, "alexdoe@gmial.com")
    assert (browser.status, browser.h1) == (200, "Get a code to sign in")
    assert "Did you mean alexdoe@gmail.com?" in browser.text
    assert browser.click(ALEX).submit("email-form").has_form("send-code")
    assert "Did you mean" not in browser.text


def test_address_in_the_link_is_filled_in_and_shown_as_text(sqlite_world: World) -> None:
    browser = sqlite_world.browser().open(SIGN_IN, login_hint='x@y.example"><script>')
    (field,) = browser.form("email-form").xpath(".//input[@name='email']")
    assert field.get("value") == 'x@y.example"><script>'
    assert browser.status == 200 and not browser.page.xpath("//form//script")


def test_signed_in_guest_is_told_so_and_can_go_on(sqlite_world: World) -> None:
    browser = sqlite_world.signed_in(NICOLE).open(SIGN_IN, to="/fabrikam.example/apps/welcome-pack")
    assert (browser.status, browser.h1) == (200, "You're already signed in")
    assert f"You're signed in to Fabrikam as {NICOLE}." in browser.text
    assert browser.click("Continue").h1 == "Welcome pack"


@pytest.mark.acceptance(26)
def test_help_contact_of_the_tenant_is_in_the_same_place(sqlite_world: World) -> None:
    assert "Need help? Contact admin@fabrikam.example" in sqlite_world.browser().open(SIGN_IN).text


def test_name_of_the_tenant_is_text_wherever_it_stands(sqlite_world: World) -> None:
    name = "<b>A & B</b> {{7*7}}"
    sqlite_world.do(tenants.create, name, domains=["bold.example"], by=BY)
    browser = at_enter_code(sqlite_world, STRANGER, "/bold.example")
    assert name in browser.text and name in browser.title


@pytest.mark.acceptance(15)
def test_two_tabs_keep_two_addresses_apart(sqlite_world: World) -> None:
    first = at_enter_code(sqlite_world, NICOLE)
    second = first.fork().open(SIGN_IN).submit("email-form", email=ALEX).submit("send-code")
    assert ALEX in second.text and NICOLE not in second.text
    assert first.submit("enter-code", code=sqlite_world.code(NICOLE)).h1 == "Fabrikam apps"


@pytest.mark.acceptance(14)
def test_back_and_reload_leave_everything_as_it_was(sqlite_world: World) -> None:
    browser = at_send_code(sqlite_world)
    for _ in range(3):
        assert browser.open(SIGN_IN).status == 200
    assert sqlite_world.rows("SELECT COUNT(*) FROM sign_ins") == [(1,)]
