"""The way through an identity provider of another site and back, in a real browser (B6, F15).

Every test also fails on a console error or a violation of the content security policy (see `person.py`).
"""

from collections.abc import Iterator

import pytest

from guestauth import identity_providers
from tests.conftest import Provide
from tests.e2e.fixtures import Arrive
from tests.e2e.person import Person
from tests.e2e.site import HOME, Prepare, Site, site
from tests.federation.person import set_up
from tests.providers import OpenIdProvider
from tests.servers import Certificates
from tests.world import FABRIKAM

PLACE = f"{HOME}/apps/welcome-pack"
HOME_PAGE, CHOOSE, WELCOME = "Fabrikam apps", "Choose an account", "Welcome pack"


@pytest.fixture(scope="module")
def google_site(prepare: Prepare, certificates: Certificates) -> Iterator[Site]:
    """The demo, that trusts the providers of the tests."""
    with site(prepare("sqlite", PROVIDER_CA_FILE=str(certificates.ca)), workers=2) as served:
        yield served


def guest(at: Site, google: OpenIdProvider) -> str:
    """Invite somebody whose address is Google's, with an account there."""
    there = [each.provider for each in at.world.do(identity_providers.listed, FABRIKAM)]
    made = there[0] if there else set_up(at.world, google, "firstup.example")
    google.allow(f"{at.url}/sign-in/callback/{made.id}")
    mail = at.guest()
    google.add_account(mail, email=mail, email_verified=True, hd="firstup.example")
    return mail


def leaves(person: Person, mail: str, path: str = PLACE) -> Person:
    """Go from a link to the provider's page."""
    person.open(path).type("Email address", mail).press("Continue").press("Continue with Google")
    assert person.sees(CHOOSE)
    return person


@pytest.mark.parametrize("scripts", [False, pytest.param(True, marks=pytest.mark.long)])
def test_guest_goes_there_and_back_with_and_without_scripts(
    google_site: Site, arrive: Arrive, oidc: Provide, scripts: bool
) -> None:
    mail = guest(google_site, oidc("google"))
    person = leaves(arrive(google_site, ignore_https_errors=True, java_script_enabled=scripts), mail)
    person.press(f"Sign in as {mail}")
    assert person.sees("Review permissions") and "code=" not in person.path
    assert person.press("Accept").sees(WELCOME) and person.path == PLACE


@pytest.mark.long
def test_reload_and_back_after_coming_back_end_well(google_site: Site, arrive: Arrive, oidc: Provide) -> None:
    mail = guest(google_site, oidc("google"))
    person = leaves(arrive(google_site, ignore_https_errors=True), mail)
    returned: list[str] = []
    person.page.on("request", lambda request: returned.append(request.url) if "callback" in request.url else None)
    person.press(f"Sign in as {mail}")
    person.page.reload()
    assert person.sees("Review permissions")
    person.press("Accept").page.go_back()
    assert person.open(PLACE).sees(WELCOME)
    assert person.open(returned[0]).sees(WELCOME)  # the answer once more, as from the browser's history


@pytest.mark.long
def test_two_tabs_both_end_signed_in(google_site: Site, arrive: Arrive, oidc: Provide) -> None:
    mail = guest(google_site, oidc("google"))
    first = leaves(arrive(google_site, ignore_https_errors=True), mail)
    second = leaves(first.new_tab(), mail, HOME)
    first.press(f"Sign in as {mail}").press("Accept")
    assert first.sees(WELCOME)
    second.press(f"Sign in as {mail}")
    assert second.sees(HOME_PAGE)


def test_who_cancels_there_comes_back_to_a_page_that_lets_them_go_on(
    google_site: Site, arrive: Arrive, oidc: Provide
) -> None:
    mail = guest(google_site, oidc("google"))
    person = leaves(arrive(google_site, ignore_https_errors=True), mail)
    assert person.press("Cancel").sees("You haven't signed in")
    person.press("Continue with Google").press(f"Sign in as {mail}")
    assert person.sees("Review permissions")


@pytest.mark.long
def test_who_uses_another_account_there_is_told_which(google_site: Site, arrive: Arrive, oidc: Provide) -> None:
    mail, other = guest(google_site, oidc("google")), guest(google_site, oidc("google"))
    person = leaves(arrive(google_site, ignore_https_errors=True), mail)
    assert person.press(f"Sign in as {other}").sees("You used another account")
    assert other in person.page.inner_text("main") and mail in person.page.inner_text("main")
    person.press("Nederlands")
    assert "code=" not in person.path
