"""Sessions (catalogue, chapter 4). Every bend of a cookie, in-process: `tests/test_cookies.py`."""

import threading
import uuid
from collections.abc import Callable
from functools import partial

import pytest
from itsdangerous import URLSafeSerializer, URLSafeTimedSerializer

from guestauth import guests, policies, sessions, tenants
from guestauth.keys import signer
from tests.attacks.hands import SESSION, VISIT, at_code_page, at_once, client_of, decoded, guess, live, tenant
from tests.attacks.wire import ask
from tests.browser import Browser
from tests.e2e.parallel import aim, together
from tests.e2e.site import HOME, Site
from tests.test_passcodes import everything
from tests.world import BY, FABRIKAM

SECRETS = "SELECT secret FROM sessions JOIN users ON users.id = user_id WHERE mail = :mail"
WEAK = [
    "",
    "dev",
    "secret",
    "changeme",
    "password",
    "SECRET_KEY",
    "0" * 32,
    "guestauth",
    "guestauth session",
    "key",
]
SALTS = ("cookie-session", "guestauth session", "guestauth visit", "itsdangerous")


def signed_in(site: Site, mail: str, path: str = HOME) -> Browser:
    """Sign a guest in who has not been here before, the whole way."""
    return site.awaiting_consent(mail, path).submit("consent", button=("decision", "accept"))


def again(site: Site, mail: str, nth: int) -> Browser:
    """Sign a guest in who has accepted, with the `nth` code they are sent."""
    return site.awaiting_code(mail).submit("enter-code", code=site.code(mail, nth=nth))


def is_in(browser: Browser) -> bool:
    return browser.open(HOME).h1 == "Fabrikam apps"


def visit(site: Site, browser: Browser) -> str:
    """Give the id in a browser's visit cookie."""
    with site.world.app.app_context():
        return str(signer("visit").loads(browser.cookies[VISIT])["id"])


@pytest.mark.both
@pytest.mark.case("S-01")
def test_visit_planted_before_sign_in_is_replaced_and_gives_its_planter_nothing(secure_site: Site) -> None:
    attacker, victim = secure_site.browser().open(f"{HOME}/sign-in"), secure_site.browser()
    victim.keep(VISIT, attacker.cookies[VISIT])
    mail = secure_site.guest()
    victim.open(HOME).submit("email-form", email=mail).submit("send-code")
    page, planted = victim.url, victim.cookies[VISIT]
    victim.submit("enter-code", code=secure_site.code(mail)).submit("consent", button=("decision", "accept"))
    assert planted == attacker.cookies[VISIT] and visit(secure_site, victim) != visit(secure_site, attacker)
    assert is_in(victim) and not is_in(attacker)
    assert attacker.open(page).status == attacker.open(page.removesuffix("/code")).status == 404
    assert attacker.open(f"{HOME}/session-over").path == f"{HOME}/sign-in" and mail not in attacker.text


@pytest.mark.case("S-01")
def test_sign_ins_that_a_planter_began_go_on_for_the_victim_only(sqlite_secure_site: Site) -> None:
    site, mails = sqlite_secure_site, [sqlite_secure_site.guest() for _ in range(2)]
    attacker = site.awaiting_code(mails[0])
    victim = site.browser()
    victim.keep(VISIT, attacker.cookies[VISIT])
    victim.open(HOME).submit("email-form", email=mails[1]).submit("send-code")
    victim.submit("enter-code", code=site.code(mails[1]))
    attacker.submit("enter-code", code=site.code(mails[0]))
    assert (attacker.status, live(site, mails[0]), live(site, mails[1])) == (404, 0, 1)


@pytest.mark.case("S-04")
def test_signing_in_again_ends_the_session_before_also_in_a_copy(secure_site: Site) -> None:
    mails = [secure_site.guest(), secure_site.guest()]
    browser = signed_in(secure_site, mails[0])
    thief, code = browser.fork(), partial(secure_site.code, mails[1])
    browser.open(f"{HOME}/sign-in")
    token = aim(browser.open(f"{HOME}/account"), "sign-out").data["csrf_token"]
    browser.post(f"{HOME}/sign-in", {"email": mails[1], "csrf_token": token}).submit("send-code")
    browser.submit("enter-code", code=code()).submit("consent", button=("decision", "accept"))
    assert is_in(browser) and not is_in(thief)
    assert (live(secure_site, mails[0]), live(secure_site, mails[1])) == (0, 1)


@pytest.mark.case("S-06")
def test_nothing_is_shown_to_a_request_made_after_the_guest_was_taken_away(secure_site: Site) -> None:
    mail, gone, begun = secure_site.guest(), threading.Event(), threading.Semaphore(0)
    cookie = {"Cookie": f"{SESSION}={signed_in(secure_site, mail).cookies[SESSION]}"}

    def look() -> list[tuple[bool, int]]:
        seen: list[tuple[bool, int]] = []
        with client_of(secure_site) as client:
            while sum(after for after, _ in seen) < 5:
                after = gone.is_set()
                begun.release()
                seen.append((after, client.get(f"{HOME}/apps/welcome-pack", headers=cookie).status_code))
        return seen

    *seen, fault = together(
        *[look] * 10, partial(take_away, secure_site, partial(guests.delete, FABRIKAM, mail), begun, gone)
    )
    assert fault is None
    assert {status for each in seen for after, status in each if after} == {302}
    assert (False, 200) in [pair for each in seen for pair in each] and live(secure_site, mail) == 0


def take_away(site: Site, end: Callable[..., object], begun: threading.Semaphore, gone: threading.Event) -> None:
    """End a guest's access once so many requests have begun, and say when it is done."""
    try:
        for _ in range(50):
            begun.acquire()
        site.world.do(end, by=BY)
    finally:
        gone.set()


@pytest.mark.case("S-07")
def test_cookie_that_is_bent_cut_or_signed_with_a_guessed_key_makes_nobody(sqlite_secure_site: Site) -> None:
    site, mail = sqlite_secure_site, sqlite_secure_site.guest()
    good = signed_in(site, mail).cookies[SESSION]
    content, _, signature = good.partition(".")
    stored = site.world.rows(SECRETS, mail=mail)[0][0]
    bent = [good[:at] + chr(ord(good[at]) ^ 1) + good[at + 1 :] for at in range(0, len(good) - 1, 9)]
    bent += [f"{signature}.{content}", content, f"{content}.", f".{signature}", "", "." * 9, good * 2, good + "."]
    makers = (URLSafeSerializer, URLSafeTimedSerializer)
    bent += [make(key, salt=salt).dumps([stored]) for key in WEAK for salt in SALTS for make in makers]
    headers = [{"Cookie": f"{SESSION}={each}"} for each in (good, *bent)]
    answers = at_once(site, [lambda c, h=each: c.get(f"{site.url}{HOME}", headers=h) for each in headers])
    assert [answer.status_code for answer in answers] == [200] + [302] * len(bent)


@pytest.mark.case("S-08")
def test_cookies_say_nothing_of_anybody(sqlite_secure_site: Site) -> None:
    site, mail = sqlite_secure_site, sqlite_secure_site.guest()
    browser = signed_in(site, mail)
    ids = [*map(str, site.world.rows("SELECT id, tenant_id FROM users WHERE mail = :mail", mail=mail)[0])]
    text = decoded("\n".join(browser.cookies.values()))
    assert SESSION in browser.cookies and '"csrf_token"' in text
    assert not [
        each for each in (mail, mail.partition("@")[0], "firstup", "abrikam", str(FABRIKAM), *ids) if each in text
    ]


@pytest.mark.case("S-09")
def test_nothing_but_the_form_signs_out(sqlite_secure_site: Site) -> None:
    site = sqlite_secure_site
    browser = signed_in(site, site.guest())
    token = {"csrf_token": aim(browser, "sign-out").data["csrf_token"]}
    image, cross = {"Sec-Fetch-Dest": "image", "Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "cross-site"}
    for method, form, headers, status in (
        ("GET", None, {}, 200),
        ("GET", None, image, 200),
        ("HEAD", None, {}, 200),
        ("POST", {}, {}, 400),
        ("POST", {"csrf_token": "x"}, {}, 400),
        ("POST", token, cross, 403),
        ("POST", token, {"Origin": "https://evil.example"}, 403),
        ("POST", token, {"Origin": "null"}, 403),
    ):
        answer = ask(site, f"{HOME}/sign-out", method, form=form, headers=headers, browser=browser)
        assert (answer.status_code, is_in(browser)) == (status, True), (method, form, headers)
    browser.submit("sign-out")
    assert not is_in(browser)


@pytest.mark.case("S-09")
def test_every_page_of_who_is_signed_in_has_the_button_and_is_not_kept_by_the_browser(
    sqlite_secure_site: Site,
) -> None:
    browser = signed_in(sqlite_secure_site, sqlite_secure_site.guest())
    for page in ("", "/apps/welcome-pack", "/account", "/apps/nothing", "/sign-in", "/admin/guests"):
        browser.open(f"{HOME}{page}")
        assert browser.has_form("sign-out"), page
        assert browser.headers["Cache-Control"] == "no-store" and "Cookie" in browser.headers["Vary"], page


@pytest.mark.case("S-10")
def test_ending_all_sessions_ends_each_and_a_new_sign_in_works(secure_site: Site) -> None:
    mail = secure_site.guest()
    browsers = [signed_in(secure_site, mail), again(secure_site, mail, 2)]
    assert all(map(is_in, browsers))
    user = secure_site.world.do(guests.find, FABRIKAM, mail)
    assert secure_site.world.do(sessions.end_all, FABRIKAM, user_id=user.id, by=BY) == 2
    assert not any(map(is_in, browsers * 4))  # whichever process answers
    assert is_in(again(secure_site, mail, 3))


@pytest.mark.case("S-11")
def test_session_of_a_guest_opens_no_page_of_the_console_and_an_administrators_ends_with_the_right(
    sqlite_secure_site: Site,
) -> None:
    site, (tenant_id, domain) = sqlite_secure_site, tenant(sqlite_secure_site)
    guest = signed_in(site, site.guest(tenant=tenant_id), f"/{domain}")
    for page in ("/admin", "/admin/guests", "/admin/settings", "/admin/policy", "/admin/audit"):
        assert guest.open(f"/{domain}{page}").status == 403
    mail = "admin@fabrikam.example"
    nth = len(site.letters(mail)) + 1
    admin = site.awaiting_code(mail, f"{HOME}/admin/guests")
    admin.submit("enter-code", code=site.code(mail, nth=nth))
    assert admin.path == f"{HOME}/admin/guests" and admin.open(f"{HOME}/apps/project-plan").status == 404
    assert admin.open(f"/{domain}/admin/guests").path == f"/{domain}/sign-in"
    admin.open(HOME).submit("sign-out")


@pytest.mark.case("S-12")
def test_dump_of_the_database_opens_no_session(secure_site: Site) -> None:
    mail = secure_site.guest()
    browser = signed_in(secure_site, mail)
    dump, stored = everything(secure_site.world), secure_site.world.rows(SECRETS, mail=mail)[0][0]
    with secure_site.world.app.app_context():
        (secret,) = signer("session").loads(browser.cookies[SESSION])
        replayed = signer("session").dumps([stored])
    assert stored in dump and secret not in dump and visit(secure_site, browser) not in dump
    thief = secure_site.browser()
    thief.keep(SESSION, replayed)
    assert is_in(browser) and not is_in(thief)


# Thought of later: what somebody may hold who was near a sign-in


@pytest.mark.case("S-13")
def test_session_that_was_ended_does_not_come_back_by_its_own_code_within_the_minute(secure_site: Site) -> None:
    mail = secure_site.guest()
    browser, shot = at_code_page(secure_site, mail)
    copy, code = browser.fork(), secure_site.code(mail)
    guess(browser, shot, code).submit("sign-out")
    for holder in (copy, browser):
        guess(holder, shot, code)
        assert not is_in(holder)
    assert live(secure_site, mail) == 0


@pytest.mark.case("S-14")
def test_copy_of_a_visit_gives_the_session_to_who_has_the_code_only(sqlite_secure_site: Site) -> None:
    site, mail = sqlite_secure_site, sqlite_secure_site.guest()
    browser, shot = at_code_page(site, mail)
    copy, code = browser.fork(), site.code(mail)
    guess(browser, shot, code).submit("consent", button=("decision", "accept"))
    for number in range(10):
        assert guess(copy, shot, f"{(int(code) + 1 + number) % 10**8:08d}").status in (404, 422)
    guess(copy, shot, code)
    assert not is_in(copy) and is_in(browser)


@pytest.mark.case("S-15")
@pytest.mark.parametrize("way", ["tenant disabled and enabled", "codes off and on", "deleted and restored"])
def test_session_does_not_come_back_with_what_ended_it(sqlite_secure_site: Site, way: str) -> None:
    site, (tenant_id, domain) = sqlite_secure_site, tenant(sqlite_secure_site)
    mail = site.guest(tenant=tenant_id)
    browser = signed_in(site, mail, f"/{domain}")
    ends: dict[str, list[Callable[[], object]]] = {
        "tenant disabled and enabled": [
            partial(each, tenant_id, by=BY) for each in (tenants.disable, tenants.enable)
        ],
        "codes off and on": [partial(policies.turn_passcodes, tenant_id, on=on, by=BY) for on in (False, True)],
        "deleted and restored": [
            partial(each, tenant_id, mail, by=BY) for each in (guests.delete, guests.restore)
        ],
    }
    for step in ends[way]:
        site.world.do(step)
    assert browser.open(f"/{domain}").path == f"/{domain}/sign-in"


@pytest.mark.case("S-16")
def test_form_of_ones_own_account_cannot_end_anothers_session(sqlite_secure_site: Site) -> None:
    site, mail = sqlite_secure_site, sqlite_secure_site.guest()
    victim, attacker = signed_in(site, mail), signed_in(site, site.guest())
    ((theirs,),) = site.world.rows(f"SELECT sessions.id {SECRETS.partition(' secret ')[2]}", mail=mail)
    token = aim(attacker.open(f"{HOME}/account"), "sign-out").data["csrf_token"]
    for name in (str(uuid.UUID(theirs)), theirs, "others", ""):
        attacker.post(f"{HOME}/account", {"end": name, "csrf_token": token})
    assert is_in(victim) and is_in(attacker)
