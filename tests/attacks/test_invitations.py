"""Invitations and redirects (catalogue, chapter 7), over https to four processes, to production, and in Chromium.

The one thing to understand: a link carries no authority, so what an attacker does with one, or with the names in
it, gives them nothing; and every address in a mail comes from `PUBLIC_URL`, whatever the request said.
"""

import json
import re
import uuid

import pytest

from guestauth import invitations, resources
from tests.attacks import wire
from tests.attacks.wire import SIGN_IN
from tests.browser import Browser
from tests.e2e.fixtures import Arrive
from tests.e2e.site import HOME, LINK, Site, text
from tests.world import ADMIN, BY, FABRIKAM

EVIL = "evil.example"
HEADERS = {
    "X-Forwarded-Host": f"{EVIL}, {{host}}",
    "Forwarded": f"host={EVIL};proto=https",
    "X-Original-Host": EVIL,
    "X-Host": EVIL,
    "X-Forwarded-Server": EVIL,
    "X-Rewrite-URL": f"https://{EVIL}/",
    "X-Forwarded-Port": "1",
    "Referer": f"https://{EVIL}/",
}
HOSTS = [[("Host", EVIL)], [("Host", "{host}"), ("Host", EVIL)], [("Host", EVIL), ("Host", "{host}")]]
HOSTS += [
    [("Host", f"{EVIL}@{{host}}")],
    [("Host", f"{{host}}.{EVIL}")],
    [("Host", f"{{host}}/{EVIL}")],
    [("Host", "")],
]


@pytest.fixture
def site(sqlite_secure_site: Site) -> Site:
    return sqlite_secure_site


def invited(site: Site, **words: str) -> str:
    """Invite somebody new by mail and give their address."""
    mail = f"guest-{uuid.uuid4().hex[:12]}@firstup.example"
    site.world.do(invitations.invite, FABRIKAM, mail, by=BY, **words)
    return mail


def pressed(site: Site, browser: Browser, place: str, form: dict[str, str]) -> str:
    """Post a form with every header that names another host, and give the way on."""
    headers = {name: value.format(host=wire.host(site)) for name, value in HEADERS.items()}
    form = {**form, "csrf_token": wire.form_token(browser)}
    answer = wire.ask(site, place, "POST", form=form, headers=headers, browser=browser)
    assert answer.status_code == 303 and EVIL not in answer.text + str(answer.headers)
    return answer.headers["Location"]


# I-01


@pytest.mark.case("I-01")
def test_ticket_is_signed_with_160_bits_and_stands_in_no_row_and_no_log(site: Site) -> None:
    path = site.invitation(mail := invited(site)).removeprefix(site.url)
    ticket = path.rpartition("/")[2]
    named, signature = ticket.split(".")
    assert re.fullmatch(r"[\w-]{27}", signature) and len(named) >= 32 and mail not in ticket
    assert wire.ask(site, path).status_code == 200
    assert wire.ask(site, path[:-1] + ("A" if path[-1] != "A" else "B")).status_code == 404
    assert signature not in site.served.stderr()
    rows = [
        site.world.rows(f"SELECT * FROM {table}") for table in ("invitations", "letters", "events", "sign_ins")
    ]
    assert signature not in str(rows)


# I-05


@pytest.mark.case("I-05")
@pytest.mark.parametrize("field", ["email", "mail", "to", "invitedUserEmailAddress", "user_id", "email[]"])
def test_code_goes_to_the_invited_address_whatever_is_sent_along(site: Site, field: str) -> None:
    mail, thief = invited(site), f"thief-{uuid.uuid4().hex}@evil.example"
    browser = site.browser().open(site.invitation(mail))
    place = pressed(site, browser, browser.path, {field: thief})
    assert pressed(site, browser, place, {field: thief}).endswith("/code")
    assert re.fullmatch("[0-9]{8}", site.code(mail)) and not site.letters(thief)


@pytest.mark.case("I-05")
def test_invitation_takes_no_json(site: Site) -> None:
    mail, thief = invited(site), "thief@evil.example"
    browser = site.browser().open(site.invitation(mail))
    for content in (
        {"email": [mail, thief]},
        [thief],
        thief,
        {"csrf_token": wire.form_token(browser), "email": thief},
    ):
        body, headers = json.dumps(content).encode(), {"Content-Type": "application/json"}
        answer = wire.ask(site, browser.path, "POST", body=body, headers=headers, browser=browser)
        assert answer.status_code == 415
    started = "SELECT count(*) FROM sign_ins WHERE address IN (:mail, :thief)"
    assert site.world.rows(started, mail=mail, thief=thief) == [(0,)]


# I-06, I-07


@pytest.mark.case("I-06", "I-07")
def test_link_that_is_over_or_another_tenant_s_leads_nowhere(site: Site) -> None:
    mail = invited(site)
    link = site.invitation(mail).removeprefix(site.url)
    tenant, rest = link.strip("/").split("/", 1)
    elsewhere = [f"/woodgrove.example/{rest}", f"/{rest}?tenantid=woodgrove.example"]
    answers = [wire.ask(site, path) for path in elsewhere]
    assert [answer.status_code for answer in answers[:1]] == [404]
    assert answers[1].headers.get("Location", "").startswith("/woodgrove.example/")
    assert wire.ask(site, f"/{tenant}/{rest}?tenantid=woodgrove.example").status_code == 400
    site.world.do(invitations.resend, FABRIKAM, mail, by=BY)
    assert wire.ask(site, link).status_code == 404
    site.sink.wait_until(lambda _: len(site.letters(mail, LINK)) == 2)
    newer = LINK.findall(text(site.letters(mail, LINK)[1]))[0].removeprefix(site.url)
    assert wire.ask(site, newer).status_code == 200
    site.world.do(invitations.revoke, FABRIKAM, mail, by=BY)
    assert wire.ask(site, newer).status_code == 404


# I-09


@pytest.mark.case("I-09")
def test_every_address_in_a_mail_is_the_configured_one(site: Site) -> None:
    mail = f"guest-{uuid.uuid4().hex[:12]}@firstup.example"
    admin = wire.signed_in(site, ADMIN, f"{HOME}/admin/guests/invite")
    pressed(site, admin, admin.path, {"email": mail, "send_mail": "y"})
    browser = site.browser().open(SIGN_IN)
    pressed(site, browser, pressed(site, browser, SIGN_IN, {"email": mail}), {})
    letters = [site.code(mail) and site.letters(mail)[0], site.invitation(mail) and site.letters(mail, LINK)[0]]
    for letter in letters:
        words = [part.get_content() for part in letter.message.walk() if part.get_content_maintype() == "text"]
        whole = "".join([*words, *map(str, letter.message.values())])
        assert EVIL not in whole
        named = re.findall(r"https?://[^/\s\"<]+", whole)
        assert {address.rstrip(".") for address in named} <= {site.url}


@pytest.mark.case("I-09")
@pytest.mark.parametrize("hosts", HOSTS, ids=repr)
@pytest.mark.parametrize("which", ["sqlite_secure_site", "production_site"])
def test_host_that_is_not_ours_is_refused_and_stands_nowhere(
    request: pytest.FixtureRequest, which: str, hosts: list[tuple[str, str]]
) -> None:
    site: Site = request.getfixturevalue(which)
    lines = [f"{name}: {value.format(host=wire.host(site))}" for name, value in hosts]
    for start in (f"GET {SIGN_IN} HTTP/1.1", f"GET {HOME}/apps HTTP/1.1", f"POST {SIGN_IN} HTTP/1.1"):
        raw = "\r\n".join([start, *lines, "Content-Length: 0", "", ""]).encode()
        (answer,) = wire.send(site, raw)
        assert answer.status_code == 400 or (hosts == [("Host", "")] and answer.status_code < 500)
        assert EVIL not in answer.text + str(answer.headers)


@pytest.mark.case("I-09")
@pytest.mark.parametrize("which", ["sqlite_secure_site", "production_site"])
def test_no_forwarded_header_stands_in_a_page_or_redirect(request: pytest.FixtureRequest, which: str) -> None:
    """Behind a proxy what it says of the host counts, and must be ours; without one nothing does."""
    site: Site = request.getfixturevalue(which)
    behind_proxy = site.settings.get("TRUSTED_PROXIES") == "1"
    answer = wire.ask(site, f"{HOME}/apps", headers={"X-Forwarded-Host": EVIL})
    assert answer.status_code == (400 if behind_proxy else 302)
    headers = {name: value.format(host=wire.host(site)) for name, value in HEADERS.items()}
    for start in (SIGN_IN, f"{HOME}/apps", f"https://{EVIL}{HOME}/apps"):
        answer = wire.ask(site, start, headers=headers)
        assert answer.status_code in (200, 302) and EVIL not in answer.text + str(answer.headers)


# I-10


@pytest.mark.case("I-10")
def test_no_ticket_leaves_with_a_link_and_nothing_is_loaded_from_elsewhere(
    site: Site,
    arrive: Arrive,
) -> None:
    asked: list[tuple[str, str]] = []
    guest = arrive(site)
    guest.context.on("request", lambda each: asked.append((each.url, each.headers.get("referer", ""))))
    guest.open(site.invitation(invited(site)))
    assert asked and all(url.startswith(site.url) for url, _ in asked)
    guest.context.route(f"https://{EVIL}/**", lambda route: route.fulfill(body="there"))
    guest.page.evaluate(
        "(to) => { const a = document.createElement('a'); a.href = to; document.body.append(a); a.click() }",
        f"https://{EVIL}/",
    )
    guest.page.wait_for_url(f"https://{EVIL}/")
    assert asked[-1] == (f"https://{EVIL}/", "")


# I-11


@pytest.mark.case("I-11")
def test_what_the_inviter_wrote_is_text_in_the_mail_and_on_the_page(site: Site) -> None:
    message = (
        "<b onclick=x>Hi</b> {{7*7}} ${7*7} \u202eevil\n\nhttps://evil.example/login\n.\nFrom: ceo@victim.example"
    )
    mail = invited(site, message=message, display_name="<i>Eve</i>\r\nBcc: eve@evil.example")
    link = site.invitation(mail)
    (letter,) = site.letters(mail, LINK)
    html = letter.message.get_body(("html",))
    assert html is not None and "<b onclick" not in (shown := html.get_content()) and "{{7*7}}" in shown
    assert 'href="https://evil.example' not in shown and len(re.findall(r"<a\s", shown)) == 1
    assert letter.message["Subject"].startswith("Fabrikam") and "evil" not in str(letter.message["From"])
    page = site.browser().open(link)
    assert "<b onclick=x>Hi</b> {{7*7}}" in page.text and not page.page.xpath("//b | //a[contains(@href, 'evil')]")


@pytest.mark.case("I-11")
def test_message_of_10_kb_is_refused(site: Site) -> None:
    admin = wire.signed_in(site, ADMIN, f"{HOME}/admin/guests/invite")
    form = {"email": f"{uuid.uuid4().hex}@firstup.example", "message": "x" * 10_000}
    form["csrf_token"] = wire.form_token(admin)
    assert wire.ask(site, admin.path, "POST", form=form, browser=admin).status_code == 422


# I-12


@pytest.mark.case("I-12")
def test_who_waited_with_a_stolen_link_has_nothing_when_the_guest_redeems(site: Site) -> None:
    mail = invited(site)
    thief = site.browser().open(site.invitation(mail)).submit("accept-invitation").submit("send-code")
    early = site.code(mail)
    guest = site.browser().open(site.invitation(mail)).submit("accept-invitation").submit("send-code")
    code = site.code(mail, nth=2)
    guest.submit("enter-code", code=code).submit("consent", button=("decision", "accept"))
    assert guest.has_form("sign-out") and code != early
    assert thief.submit("enter-code", code=code).status == 422
    assert thief.open(HOME).h1 == "Sign in to Fabrikam"
    assert thief.open(f"{HOME}/consent").h1 == "Sign in to Fabrikam"
    assert site.world.rows(
        "SELECT count(*) FROM sessions JOIN users ON users.id = user_id WHERE mail = :m", m=mail
    ) == [(1,)]


# I-13


@pytest.mark.case("I-13")
def test_direct_link_is_checked_again_after_the_code(site: Site) -> None:
    slug, mail = f"plan-{uuid.uuid4().hex[:8]}", site.guest()
    site.world.do(resources.add, FABRIKAM, slug, title="Plan", text="secret", by=BY)
    shared = site.world.run("resource", "share", str(FABRIKAM), slug, mail)
    browser = site.awaiting_consent(mail, f"{HOME}/apps/{slug}?page=2")
    assert shared.exit_code == 0 and browser.h1 == "Review permissions"
    site.world.run("resource", "unshare", str(FABRIKAM), slug, mail)
    browser.submit("consent", button=("decision", "accept"))
    assert (browser.status, browser.url) == (404, f"{site.url}{HOME}/apps/{slug}?page=2")
    site.world.run("resource", "share", str(FABRIKAM), slug, mail)
    assert "secret" in browser.open(browser.url).text
    site.world.do(resources.remove, FABRIKAM, slug, by=BY)


# What the list did not have


@pytest.mark.case("I-14")
@pytest.mark.parametrize("start", ["?to={}", "?login_hint=a@b.example&to={}"])
def test_way_back_that_is_not_ours_is_forgotten(site: Site, start: str) -> None:
    for to in (
        "//evil.example",
        "/%09/evil.example",
        "%20//evil.example",
        "https:evil.example",
        "/%5Cevil.example",
        "javascript:alert(1)",
        "/woodgrove.example",
        "/fabrikam.example/sign-out",
        "%00",
        "/%E2%80%A8/evil",
    ):
        answer = wire.ask(site, SIGN_IN + start.format(to))
        assert answer.status_code in (200, 400) and "evil" not in answer.text
        assert re.findall(r'name="to"[^>]*value="([^"]*)"', answer.text) in ([], [""]), to


@pytest.mark.case("I-15")
def test_invitation_stored_to_lead_elsewhere_leads_to_the_apps(site: Site) -> None:
    """However such a path came to be stored: the page takes it apart anew."""
    mail = f"guest-{uuid.uuid4().hex[:12]}@firstup.example"
    site.world.do(invitations.invite, FABRIKAM, mail, by=BY, target="//evil.example")
    browser = site.browser().open(site.invitation(mail)).submit("accept-invitation").submit("send-code")
    browser.submit("enter-code", code=site.code(mail)).submit("consent", button=("decision", "accept"))
    assert (browser.status, browser.path) == (200, f"/{FABRIKAM}")
