"""Providers before a real browser: the demo's stand-in for Google, and one on another site altogether."""

from collections.abc import Iterator
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx
import pytest
from playwright.sync_api import Browser as Chromium

from guestauth import identity_providers, stand_in
from guestauth.descriptions import Described
from tests.conftest import Provide
from tests.dev.test_stand_in import REQUEST, VERIFIER
from tests.e2e.axe import axe, wrong_with
from tests.e2e.fixtures import Arrive
from tests.e2e.site import Prepare, Site, site
from tests.federation.person import DIRECTORY, set_up
from tests.servers import Certificates, or_skip
from tests.world import ALEX, BY, FABRIKAM

BACK = "/sign-in/callback/7"
JAMIE = {"email": "jamie.w@gmail.com", "email_verified": True}


@pytest.fixture(scope="module")
def federated_site(prepare: Prepare, certificates: Certificates) -> Iterator[Site]:
    """The demo, served by one process that has to ask itself, and trusts the providers of the tests."""
    with site(prepare("sqlite", PROVIDER_CA_FILE=str(certificates.ca)), workers=1) as served:
        yield served


def request(site: Site, **changes: str) -> str:
    return urlencode({**REQUEST, "redirect_uri": site.url + BACK, **changes})


@pytest.mark.long
def test_person_is_sent_back_with_a_code_that_another_process_redeems(sqlite_site: Site, arrive: Arrive) -> None:
    person = arrive(sqlite_site).open(f"/dev/stand-in/authorize?{request(sqlite_site)}")
    person.press("Sign in as jamie.w@gmail.com")
    assert person.path.startswith(f"{BACK}?")
    code = dict(parse_qsl(urlsplit(person.path).query))["code"]
    client = stand_in.CLIENT_ID, sqlite_site.world.do(stand_in.client_secret)
    form = {"grant_type": "authorization_code", "redirect_uri": sqlite_site.url + BACK, "code_verifier": VERIFIER}
    address = f"{sqlite_site.url}/dev/stand-in/token"
    answers = [httpx.post(address, data={**form, "code": code}, auth=client, trust_env=False) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 400, 400, 400]


def test_person_says_who_they_are_or_cancels(sqlite_site: Site, arrive: Arrive) -> None:
    page = f"/dev/stand-in/authorize?{request(sqlite_site, login_hint='')}"
    person = arrive(sqlite_site).open(page)
    person.type("Another address", "somebody@gmail.com").press("Sign in with this address")
    assert "code=" in person.path
    assert "error=access_denied" in person.open(page).press("Cancel").path


@pytest.mark.long
def test_axe_finds_nothing_on_the_page_of_the_stand_in(sqlite_site: Site, chromium: Chromium) -> None:
    with or_skip(axe) as rules:
        page = chromium.new_context(bypass_csp=True, reduced_motion="reduce").new_page()
        page.goto(f"{sqlite_site.url}/dev/stand-in/authorize?{request(sqlite_site)}")
        assert wrong_with(page, rules) == []
        page.context.close()


@pytest.mark.long
def test_person_chooses_an_account_at_a_provider_of_another_site(
    sqlite_site: Site, arrive: Arrive, oidc: Provide
) -> None:
    provider = oidc("google")
    provider.allow(sqlite_site.url + BACK)
    provider.add_account("jamie", **JAMIE)
    asked = request(sqlite_site, client_id=provider.client_id)
    person = arrive(sqlite_site, ignore_https_errors=True)
    person.open(f"{provider.document()['authorization_endpoint']}?{asked}")
    assert person.sees("Choose an account") and person.page.url.startswith(provider.origin)
    person.press("Sign in as jamie.w@gmail.com")
    assert "code=" in person.path and person.path.startswith(f"{BACK}?")


def test_guest_signs_in_through_the_stand_in(federated_site: Site, arrive: Arrive) -> None:
    world = federated_site.world
    told = {"client_id": stand_in.CLIENT_ID, "client_secret": world.do(stand_in.client_secret)}
    google = Described(kind="google", issuer=world.do(stand_in.issuer), **told)
    world.do(identity_providers.add, google, tenant_id=FABRIKAM, by=BY)
    person = arrive(federated_site).open("/fabrikam.example/apps/project-plan")
    person.type("Email address", ALEX).press("Continue").press("Continue with Google")
    assert person.sees("Who signs in?")
    person.press(f"Sign in as {ALEX}")
    assert person.press("Accept").sees("Project plan")


@pytest.mark.long
def test_guest_signs_in_at_another_site_and_comes_back_in_the_same_browser(
    federated_site: Site, arrive: Arrive, oidc: Provide
) -> None:
    azure, mail = oidc("azure_ad"), federated_site.guest()
    set_up(federated_site.world, azure, "firstup.example")
    azure.add_account("a-1", email=mail, xms_edov=True, tid=DIRECTORY, oid="o-1")
    person = arrive(federated_site, ignore_https_errors=True).open("/fabrikam.example")
    person.type("Email address", mail).press("Continue").press("Continue with Microsoft")
    assert person.sees("Choose an account")
    person.press(f"Sign in as {mail}")
    assert person.press("Accept").sees("Fabrikam apps")
