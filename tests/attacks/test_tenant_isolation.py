"""Tenant isolation (catalogue, chapter 3). T-07's malformed names past every client: `tests/test_common.py`."""

import uuid
from urllib.parse import quote

import pytest

from guestauth import domains, guests, invitations, outbox, resources, tenants
from tests.attacks.hands import SESSION, VISIT, at_code_page, guess, live, tenant, tries
from tests.attacks.wire import ask
from tests.browser import Browser
from tests.e2e.parallel import Shot, aim
from tests.e2e.site import HOME, Site
from tests.probe import masked
from tests.steps import ask as ask_for_code
from tests.world import BY, CONTOSO, FABRIKAM, NICOLE, WOODGROVE, World

SECRET = "Only the other organisation's guests may read this"
PLAN = uuid.uuid5(FABRIKAM, "project-plan")


def other_tenant(site: Site) -> tuple[str, uuid.UUID, uuid.UUID]:
    """Make a tenant with something shared with all its guests; give its domain, its id and the resource's."""
    tenant_id, domain = tenant(site)
    made = site.world.do(resources.add, tenant_id, "theirs", title="Theirs", text=SECRET, by=BY)
    site.world.do(resources.share, tenant_id, "theirs", user_id=None, by=BY)
    return domain, tenant_id, made.id


def guest_at_home(site: Site, path: str = HOME) -> tuple[Browser, str]:
    """Sign a new guest of Fabrikam in."""
    mail = site.guest()
    return site.awaiting_consent(mail, path).submit("consent", button=("decision", "accept")), mail


@pytest.mark.case("T-01")
def test_guest_of_one_tenant_finds_every_door_of_another_shut(secure_site: Site) -> None:
    domain, tenant_id, resource = other_tenant(secure_site)
    browser, mail = guest_at_home(secure_site)
    ways = [f"/{domain}", f"/{tenant_id}", f"/?tenantid={domain}", f"/?TenantId={tenant_id}", f"/{domain}/apps"]
    ways += [f"/{domain}/apps/theirs", f"/{tenant_id}/apps/{resource}", f"/{domain}/apps/theirs/download"]
    ways += [f"/signin/x/{resource}?tenantId={tenant_id}", f"/{domain}/account", f"/{domain}/admin/guests"]
    for way in ways:
        browser.open(way)
        assert browser.path == f"/{browser.path.split('/')[1]}/sign-in", way
        assert browser.path.split("/")[1] in (domain, str(tenant_id))
        assert mail not in browser.text and SECRET not in browser.text and "Theirs" not in browser.text
    assert browser.open(HOME).h1 == "Fabrikam apps"


@pytest.mark.case("T-01")
def test_both_tenants_named_in_one_address_open_neither(sqlite_secure_site: Site) -> None:
    domain, tenant_id, resource = other_tenant(sqlite_secure_site)
    browser, _ = guest_at_home(sqlite_secure_site)
    for way in (
        f"{HOME}?tenantid={domain}",
        f"/{domain}?tenantid={FABRIKAM}",
        f"/?tenantid=fabrikam.example&tenantId={tenant_id}",
        f"/signin/x/{resource}?tenantId={FABRIKAM}&tenantid={tenant_id}",
        f"{HOME}/apps/theirs?tenantid={tenant_id}",
    ):
        assert (browser.open(way).status, SECRET in browser.text) == (400, False), way


@pytest.mark.case("T-04")
def test_signing_out_of_one_tenant_leaves_the_other(secure_site: Site) -> None:
    domain, tenant_id, _ = other_tenant(secure_site)
    browser, mail = guest_at_home(secure_site)
    secure_site.world.do(invitations.invite, tenant_id, mail, by=BY, send_mail=False)
    browser.open(f"/{domain}").submit("email-form", email=mail).submit("send-code")
    browser.submit("enter-code", code=secure_site.code(mail, nth=2)).submit(
        "consent", button=("decision", "accept")
    )
    assert browser.path == f"/{domain}" and browser.open(HOME).h1 == "Fabrikam apps"
    browser.open(f"/{domain}").submit("sign-out")
    assert browser.open(f"/{domain}").path == f"/{domain}/sign-in"
    assert browser.open(HOME).h1 == "Fabrikam apps"
    assert max(len(f"{name}={value}") for name, value in browser.cookies.items()) < 4096


# T-05: a domain that moves


def moving_domain(site: Site) -> tuple[str, uuid.UUID, uuid.UUID]:
    """Make two tenants and a second domain of the first; give the domain and both ids."""
    (first, _), (second, _) = tenant(site), tenant(site)
    domain = f"moving-{uuid.uuid4().hex[:8]}.example"
    site.world.do(domains.add, first, domain, by=BY)
    return domain, first, second


def move(site: Site, domain: str, first: uuid.UUID, second: uuid.UUID) -> None:
    site.world.do(domains.remove, first, domain, by=BY)
    site.world.do(domains.add, second, domain, by=BY)


@pytest.mark.case("T-05")
def test_code_asked_for_by_a_domain_that_moves_stays_with_its_tenant(secure_site: Site) -> None:
    domain, first, second = moving_domain(secure_site)
    mail = secure_site.guest(tenant=first)
    secure_site.world.do(invitations.invite, second, mail, by=BY, send_mail=False)
    browser = secure_site.awaiting_code(mail, f"/{domain}")
    shot, code = aim(browser, "enter-code", code=""), secure_site.code(mail)
    move(secure_site, domain, first, second)
    assert guess(browser, shot, code).status == 404
    assert live(secure_site, mail) == 0
    guess(browser, Shot(shot.url.replace(domain, str(first)), shot.data, shot.headers), code)
    assert live(secure_site, mail) == 1
    assert browser.open(f"/{first}").has_form("consent")
    assert browser.open(f"/{second}").path == f"/{second}/sign-in"


@pytest.mark.case("T-05")
def test_guest_is_not_led_on_by_a_domain_that_has_become_anothers(sqlite_secure_site: Site) -> None:
    site = sqlite_secure_site
    domain, first, second = moving_domain(site)
    mail = site.guest(tenant=first)
    browser = site.awaiting_code(mail, f"/{domain}")
    url, code = browser.url.replace(domain, str(first)), site.code(mail)
    move(site, domain, first, second)
    assert browser.open(url).submit("enter-code", code=code).path == f"/{first}/consent"


@pytest.mark.case("T-05")
def test_session_and_invitation_by_a_domain_that_moves_stay_with_their_tenant(sqlite_secure_site: Site) -> None:
    site = sqlite_secure_site
    domain, first, second = moving_domain(site)
    mail = site.guest(tenant=first)
    site.world.do(invitations.resend, first, mail, by=BY)
    link = site.invitation(mail)
    browser = site.awaiting_consent(mail, f"/{domain}").submit("consent", button=("decision", "accept"))
    move(site, domain, first, second)
    assert browser.open(f"/{domain}").path == f"/{domain}/sign-in"
    assert browser.open(f"/{first}").path == f"/{first}"
    other = site.browser()
    assert other.open(link.replace(str(first), domain)).status == 404
    assert other.open(link).has_form("accept-invitation")


# T-07, T-08: names of tenants


@pytest.mark.case("T-07")
def test_no_name_tells_whether_there_is_such_a_tenant(sqlite_secure_site: Site) -> None:
    site = sqlite_secure_site
    off, off_domain = tenant(site)
    site.world.do(tenants.disable, off, by=BY)
    names = [
        str(uuid.uuid4()),
        "unknown.example",
        str(off),
        off_domain,
        f"{off}0",
        str(off)[:-1],
        "%00",
        "..%2f..",
    ]
    names += ["..", "...", "%2e%2e", "a" * 3000, "a." * 1500, "%ED%A0%80", "%ff.example", "%0d%0aX:y.example"]
    for tail in ("", "/sign-in"):
        answers = {name: ask(site, f"/{name}{tail}") for name in names}
        assert {name for name, answer in answers.items() if answer.status_code != 404} == set()
        assert len({masked(answer.text) for answer in answers.values()}) == 1
        known = [tuple(name for name, _ in answers[name].headers.raw) for name in names[:4]]
        assert len(set(known)) == 1


@pytest.mark.case("T-08")
def test_domain_that_is_only_claimed_or_looks_alike_leads_nowhere(sqlite_secure_site: Site) -> None:
    site = sqlite_secure_site
    attacker, _ = tenant(site)
    site.world.do(domains.claim, attacker, "claimed.example", by=BY)
    names = ["claimed.example", "fabrіkam.example", "ſabrikam.example", "fabrikam.example.evil.example"]
    names += ["evil.fabrikam.example", "xn--fabrkam-2ih.example", "fabrikam.example%00", "fabrikam..example"]
    assert {name: ask(site, f"/{quote(name, safe='%')}").status_code for name in names} == dict.fromkeys(
        names, 404
    )


@pytest.mark.case("T-08")
def test_claim_to_a_domain_takes_nothing_from_its_owner(sqlite_secure_site: Site) -> None:
    site = sqlite_secure_site
    attacker, _ = tenant(site)
    with pytest.raises(domains.DomainTaken):
        site.world.do(domains.add, attacker, "fabrikam.example", by=BY)
    site.world.do(domains.claim, attacker, "fabrikam.example", by=BY)
    assert site.browser().open(HOME).h1 == "Sign in to Fabrikam"


# T-10, T-11: another tenant's resources


@pytest.mark.case("T-10")
def test_another_tenants_resource_is_as_one_that_there_is_not(secure_site: Site) -> None:
    _, _, theirs = other_tenant(secure_site)
    browser, _ = guest_at_home(secure_site)
    direct = f"/signin/x/{{}}?tenantId={FABRIKAM}"
    for way in (f"{HOME}/apps/{{}}", f"{HOME}/apps/{{}}/download", direct):
        nowhere = browser.open(way.format(uuid.uuid4())).response
        for name in (theirs, uuid.UUID(int=theirs.int + 1), uuid.UUID(int=theirs.int - 1), "theirs"):
            answer = browser.open(way.format(name)).response
            assert (answer.status_code, masked(answer.text)) == (404, masked(nowhere.text)), way


@pytest.mark.case("T-11")
def test_sign_in_at_one_tenant_does_not_lead_to_another(sqlite_secure_site: Site) -> None:
    site, (domain, tenant_id, resource) = sqlite_secure_site, other_tenant(sqlite_secure_site)
    targets = [f"/{domain}/apps/theirs", f"/signin/x/{resource}?tenantId={domain}"]  # more: test_hostile_input.py
    for to in (*targets, f"{HOME}/apps/x?tenantid={tenant_id}"):
        mail, browser = site.guest(), site.browser().open(f"{HOME}/sign-in", to=to)
        assert to not in browser.form("email-form").xpath(".//input/@value"), to
        token = aim(browser, "email-form", email=mail).data["csrf_token"]
        browser.post(f"{HOME}/sign-in", {"email": mail, "to": to, "csrf_token": token}).submit("send-code")
        browser.submit("enter-code", code=site.code(mail)).submit("consent", button=("decision", "accept"))
        assert (browser.path, browser.h1) == (HOME, "Fabrikam apps"), to


# T-12: one tenant's flood


def flood(world: World, count: int) -> None:
    """Let so many guests of Fabrikam ask for codes, all before anybody else."""
    for number in range(count):
        mail = f"flood-{number}@firstup.example"
        world.do(invitations.invite, FABRIKAM, mail, by=BY, send_mail=False)
        ask_for_code(world, mail, browser=f"{number:064x}")
    world.advance(1)


@pytest.mark.case("T-12")
def test_code_of_a_quiet_tenant_is_among_the_next_to_leave(world: World) -> None:
    world.deliver()
    flood(world, 20)
    world.do(invitations.invite, WOODGROVE, NICOLE, by=BY, send_mail=False)
    ask_for_code(world, NICOLE, tenant=WOODGROVE, browser="w" * 64)
    whose = [letter.tenant_id for letter in world.do(outbox.lease, 8)]
    assert len(whose) == 8
    assert WOODGROVE in whose


# Thought of later: the same address in two tenants, and what is open in one shown to the other


@pytest.mark.case("T-13")
def test_code_and_sign_in_of_one_tenant_are_nothing_at_another_for_the_same_address(secure_site: Site) -> None:
    domain, tenant_id, _ = other_tenant(secure_site)
    mail = secure_site.guest()
    secure_site.world.do(invitations.invite, tenant_id, mail, by=BY, send_mail=False)
    browser, shot = at_code_page(secure_site, mail)
    code = secure_site.code(mail)
    for name in (domain, str(tenant_id)):
        browser.post(shot.url.replace("fabrikam.example", name), {**shot.data, "code": code})
        assert (browser.status, browser.h1) == (404, "This sign-in isn't open in this browser")
    browser.open(f"/{domain}").submit("email-form", email=mail).submit("send-code")
    assert "That code is not right" in browser.submit("enter-code", code=code).errors[0]
    assert (live(secure_site, mail), tries(secure_site, mail)) == (0, [0, 1])


@pytest.mark.case("T-14")
@pytest.mark.parametrize("ending", [guests.delete, guests.block])
def test_what_ends_a_guest_at_one_tenant_leaves_the_same_address_at_another(
    sqlite_secure_site: Site, ending: object
) -> None:
    site, (domain, tenant_id, _) = sqlite_secure_site, other_tenant(sqlite_secure_site)
    browser, mail = guest_at_home(site)
    site.world.do(invitations.invite, tenant_id, mail, by=BY, send_mail=False)
    site.world.do(ending, tenant_id, mail, by=BY)
    assert browser.open(HOME).h1 == "Fabrikam apps"
    browser.open(f"/{domain}").submit("email-form", email=mail).submit("send-code")
    assert browser.h1 == "Check your email" and len(site.letters(mail)) == 1


@pytest.mark.case("T-15")
def test_cookies_of_one_tenant_put_into_a_fresh_browser_open_that_tenant_only(sqlite_secure_site: Site) -> None:
    site, (domain, _, _) = sqlite_secure_site, other_tenant(sqlite_secure_site)
    browser, _ = guest_at_home(site)
    thief = site.browser()
    for name in (SESSION, VISIT):
        thief.keep(name, browser.cookies[name])
    assert thief.open(HOME).h1 == "Fabrikam apps"
    assert thief.open(f"/{domain}").path == f"/{domain}/sign-in"
    assert thief.open(f"/{CONTOSO}").path == f"/{CONTOSO}/sign-in"
