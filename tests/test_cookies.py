"""The two cookies: B5, B29; INTERFACE "Cookies"; S-01, S-04, S-07, S-08, S-09, S-12, T-04, R-05, C-09."""

import base64
import json
import re
import shutil
import uuid
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from itsdangerous import URLSafeSerializer, URLSafeTimedSerializer

from guestauth import invitations, keys, tenants
from tests.browser import Browser
from tests.guest import at_enter_code
from tests.probe import ask, drop_cookie, put_cookie, tables
from tests.world import ALEX, BY, FABRIKAM, NICOLE, World, make

APPS = "/fabrikam.example"
SESSION, VISIT, KNOWN = "guestauth", "guestauth-visit", "guestauth-known"
WEAK = ["", "dev", "secret", "changeme", "password", "SECRET_KEY", "0" * 32, "guestauth", "guestauth session"]


@pytest.fixture
def https_world(sqlite_template: Path, tmp_path: Path) -> Iterator[World]:
    """A world on https."""
    shutil.copytree(sqlite_template, tmp_path / "instance")
    yield from make(tmp_path / "instance", PUBLIC_URL="https://guests.fabrikam.example")


def over_https(world: World) -> Browser:
    return world.browser(url="https://guests.fabrikam.example").open(APPS)


def signed_in_again(browser: Browser, world: World, mail: str, path: str) -> Browser:
    """Sign somebody in, in this browser, at another tenant."""
    browser.open(path).submit("email-form", email=mail).submit("send-code")
    browser.submit("enter-code", code=world.code(mail))
    return browser.submit("consent", button=("decision", "accept")) if browser.has_form("consent") else browser


def is_anonymous(world: World, cookie: str) -> bool:
    """Whether a request with this Cookie header is answered as to somebody without any."""
    answers = [ask(world.app, APPS, headers={"Cookie": cookie}), ask(world.app, APPS)]
    return [answer.status for answer in answers] == [302, 302] and len(
        {a.header("Location") for a in answers}
    ) == 1


# Names, attributes, content


@pytest.mark.case("C-09")
def test_cookies_over_http_have_the_names_and_attributes_agreed(world: World) -> None:
    browser = at_enter_code(world, NICOLE)
    browser.submit("enter-code", code=world.code(NICOLE))
    cookies = dict(header.split("=", 1) for header in browser.history[0].headers.get_list("Set-Cookie"))
    assert set(cookies) == set(browser.cookies) == {SESSION, VISIT, KNOWN}
    for cookie in cookies.values():
        assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))
        assert "Secure" not in cookie and "Domain" not in cookie
    assert re.search(r"Max-Age=(86400|86399)\b", cookies[SESSION])


@pytest.mark.case("C-09")
def test_cookies_over_https_have_the_prefix_and_are_secure(https_world: World) -> None:
    browser = over_https(https_world).submit("email-form", email=NICOLE).submit("send-code")
    browser.submit("enter-code", code=https_world.code(NICOLE))
    cookies = dict(header.split("=", 1) for header in browser.history[0].headers.get_list("Set-Cookie"))
    assert set(cookies) == {f"__Host-{name}" for name in (SESSION, VISIT, KNOWN)} and browser.h1 == "Fabrikam apps"
    for cookie in cookies.values():
        assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))
        assert "Domain" not in cookie
    assert browser.headers["Strict-Transport-Security"].startswith("max-age=31536000")


def test_cookie_without_the_prefix_is_nothing_on_https(https_world: World) -> None:
    browser = over_https(https_world).submit("email-form", email=NICOLE).submit("send-code")
    browser.submit("enter-code", code=https_world.code(NICOLE))
    secret = browser.cookies[f"__Host-{SESSION}"]
    for name, status in ((f"__Host-{SESSION}", 200), (SESSION, 302), (f"=__Host-{SESSION}", 302)):
        headers = {"Cookie": f"{name}={secret}", "Host": "guests.fabrikam.example"}
        assert ask(https_world.app, APPS, headers=headers, wsgi__url_scheme="https").status == status


@pytest.mark.parametrize("name", [SESSION, VISIT])
@pytest.mark.case("S-08")
def test_cookie_says_nothing_of_the_guest(sqlite_world: World, name: str) -> None:
    browser = sqlite_world.signed_in(NICOLE)
    content = base64.urlsafe_b64decode(browser.cookies[name].partition(".")[0] + "==")
    found = json.loads(content)
    values = found if isinstance(found, list) else [found.pop("id"), found.pop("csrf_token")]
    assert all(re.fullmatch("[0-9a-f]{40}|[0-9a-f]{64}", value) for value in values)
    assert found in (values, {"_permanent": True})


def test_cookies_are_as_long_for_a_guest_as_for_a_stranger_before_sign_in(sqlite_world: World) -> None:
    guest, stranger = at_enter_code(sqlite_world, NICOLE), at_enter_code(sqlite_world, "nobody@firstup.example")
    assert [len(value) for value in guest.cookies.values()] == [len(value) for value in stranger.cookies.values()]


def test_secrets_are_in_no_table(world: World) -> None:
    browser, found = world.signed_in(NICOLE), str(tables(world))
    for name in (SESSION, VISIT):
        payload = base64.urlsafe_b64decode(browser.cookies[name].partition(".")[0] + "==").decode()
        secrets = re.findall("[0-9a-f]{40,64}", payload)
        assert secrets and not [secret for secret in secrets if secret in found]
        assert not [secret for secret in secrets if browser.cookies[name] in found]


def test_no_cookie_is_set_by_what_concerns_nobody(sqlite_world: World) -> None:
    for path in ("/static/style.css", "/healthz", "/readyz", "/robots.txt", "/nothing"):
        assert ask(sqlite_world.app, path).header("Set-Cookie") is None


def test_pages_opened_again_set_no_cookie_again(sqlite_world: World) -> None:
    browser = sqlite_world.signed_in(NICOLE)
    for path in (APPS, f"{APPS}/apps/project-plan", f"{APPS}/sign-in"):
        assert "Set-Cookie" not in browser.open(path).headers


# Tampering


@pytest.mark.case("S-07")
def test_flipped_bit_anywhere_makes_nobody(world: World) -> None:
    cookie = world.signed_in(NICOLE).cookies[SESSION]
    assert ask(world.app, APPS, headers={"Cookie": f"{SESSION}={cookie}"}).status == 200
    flipped = [cookie[:at] + chr(ord(cookie[at]) ^ 1) + cookie[at + 1 :] for at in range(len(cookie) - 1)]
    assert [each for each in flipped if not is_anonymous(world, f"{SESSION}={each}")] == []


def test_halves_swapped_or_stripped_or_of_others_make_nobody(sqlite_world: World) -> None:
    mine, other = (sqlite_world.signed_in(mail).cookies[SESSION] for mail in (NICOLE, ALEX))
    (content, signature), (content_2, signature_2) = mine.split("."), other.split(".")
    forged = [
        f"{signature}.{content}",
        content,
        f"{content}.",
        f".{signature}",
        signature,
        f"{content}.{signature_2}",
    ]
    forged += [f"{content_2}.{signature}", f"{content}.{content}", f"{content}..{signature}", mine * 2, mine + "."]
    forged += [mine.upper(), mine.lower(), mine[:-4], "." * 100, f".{mine}", mine.replace(".", "%2E")]
    assert [each for each in forged if not is_anonymous(sqlite_world, f"{SESSION}={each}")] == []


@pytest.mark.parametrize("key", WEAK)
@pytest.mark.case("S-07")
def test_cookie_signed_with_a_guessed_key_makes_nobody(sqlite_world: World, key: str) -> None:
    sqlite_world.signed_in(NICOLE)
    secret = sqlite_world.rows("SELECT secret FROM sessions")[0][0]
    forged = [
        maker(key or b"", salt=salt).dumps([secret])
        for maker in (URLSafeSerializer, URLSafeTimedSerializer)
        for salt in ("cookie-session", "guestauth session", "itsdangerous", "guestauth visit")
    ]
    assert [each for each in forged if not is_anonymous(sqlite_world, f"{SESSION}={each}")] == []


@pytest.mark.parametrize("purpose", ["visit", "invitation", "passcode", "form"])
def test_cookie_signed_for_another_purpose_makes_nobody(sqlite_world: World, purpose: str) -> None:
    browser = sqlite_world.signed_in(NICOLE)
    with sqlite_world.app.app_context():
        content = keys.signer("session").loads(browser.cookies[SESSION])
        forged = keys.signer(purpose).dumps(content)
    assert is_anonymous(sqlite_world, f"{SESSION}={forged}")
    assert is_anonymous(sqlite_world, f"{SESSION}={browser.cookies[VISIT]}")


def test_hash_from_a_dump_of_the_table_makes_nobody(sqlite_world: World) -> None:
    sqlite_world.signed_in(NICOLE)
    (stored,) = sqlite_world.rows("SELECT secret FROM sessions")[0]
    with sqlite_world.app.app_context():
        forged = keys.signer("session").dumps([stored])
    assert is_anonymous(sqlite_world, f"{SESSION}={forged}")


@pytest.mark.parametrize(
    "content",
    [None, 1, "x", {}, {"id": 1}, [None], [1, 2], [["x"]], ["\x00"], ["é" * 999], [[]], True],
)
@pytest.mark.parametrize("name", [SESSION, VISIT])
def test_rightly_signed_nonsense_makes_nobody(world: World, name: str, content: object) -> None:
    purpose = {SESSION: "session", VISIT: "visit"}[name]
    with world.app.app_context():
        cookie = keys.signer(purpose).dumps(content)
    assert is_anonymous(world, f"{name}={cookie}")


@pytest.mark.parametrize(
    "cookie",
    [
        "; ".join(f"guestauth=x{n}" for n in range(50)),
        "; ".join(f"{name}=x.y" for name in (SESSION, VISIT) * 25),
        f"guestauth={'x' * 8192}",
        f"guestauth-visit={'.' * 8192}",
        "guestauth=\xff\xfe\xe9; guestauth-visit=\xe9",
        'guestauth="\\377\\000"; guestauth-visit="\\"',
        "=guestauth=x; =__Host-guestauth=y",
        ";;;;===;; ; guestauth; guestauth-visit",
        "guestauth=%00; guestauth-visit=%ED%A0%80",
        "guestauth=eyJ9.x; guestauth-visit=W10.x",
        "\t guestauth = x ;\r",
        "guestauth=😀".encode().decode("latin-1"),
    ],
)
def test_hostile_cookies_are_as_none(sqlite_world: World, cookie: str) -> None:
    assert is_anonymous(sqlite_world, cookie)
    form = {"email": NICOLE, "csrf_token": "x"}
    assert ask(sqlite_world.app, f"{APPS}/sign-in", "POST", form=form, headers={"Cookie": cookie}).status == 400


def test_bomb_of_a_compressed_cookie_is_as_none(sqlite_world: World) -> None:
    bomb = base64.urlsafe_b64encode(zlib.compress(b"[" + b'"x",' * 10**6)).decode().rstrip("=")
    assert is_anonymous(sqlite_world, f"{SESSION}=.{bomb}.x")


# One browser, several tenants (B5, T-04)


def invite_everywhere(world: World, number: int) -> list[str]:
    """Make tenants that have invited Nicole, and give their domains."""
    domains = [f"tenant-{n}.example" for n in range(number)]
    for domain in domains:
        tenant = world.do(tenants.create, domain, domains=[domain], tenant_id=uuid.uuid5(FABRIKAM, domain), by=BY)
        world.do(invitations.invite, tenant.id, NICOLE, by=BY, send_mail=False)
    return domains


@pytest.mark.long
@pytest.mark.case("T-04")
def test_ten_tenants_are_signed_in_to_at_once_and_the_eleventh_ends_the_oldest(sqlite_world: World) -> None:
    domains, browser = invite_everywhere(sqlite_world, 11), sqlite_world.browser()
    for domain in domains[:10]:
        signed_in_again(browser, sqlite_world, NICOLE, f"/{domain}")
    assert [browser.open(f"/{domain}").h1 for domain in domains[:10]] == [
        f"{domain} apps" for domain in domains[:10]
    ]
    signed_in_again(browser, sqlite_world, NICOLE, f"/{domains[10]}")
    assert browser.open(f"/{domains[0]}").h1 == f"Sign in to {domains[0]}"
    assert [browser.open(f"/{domain}").h1 for domain in domains[1:]] == [
        f"{domain} apps" for domain in domains[1:]
    ]
    assert sum(len(f"{name}={value}") for name, value in browser.cookies.items()) < 4096


def test_signing_out_of_one_leaves_the_others(world: World) -> None:
    domains, browser = invite_everywhere(world, 3), world.browser()
    for domain in domains:
        signed_in_again(browser, world, NICOLE, f"/{domain}")
    browser.open(f"/{domains[1]}").submit("sign-out")
    assert [browser.open(f"/{domain}").h1 for domain in domains] == [
        f"{domains[0]} apps",
        f"Sign in to {domains[1]}",
        f"{domains[2]} apps",
    ]


def test_cancelling_at_one_leaves_the_others(sqlite_world: World) -> None:
    (domain,) = invite_everywhere(sqlite_world, 1)
    browser = (
        sqlite_world.signed_in(NICOLE).open(f"/{domain}").submit("email-form", email=NICOLE).submit("send-code")
    )
    browser.submit("enter-code", code=sqlite_world.code(NICOLE)).submit("consent", button=("decision", "cancel"))
    assert browser.open(APPS).h1 == "Fabrikam apps"


def test_session_of_one_tenant_is_nothing_in_another(sqlite_world: World) -> None:
    (domain,) = invite_everywhere(sqlite_world, 1)
    browser = sqlite_world.signed_in(NICOLE).open(f"/{domain}")
    assert browser.h1 == f"Sign in to {domain}" and NICOLE not in browser.text


def test_code_of_one_tenant_is_nothing_in_another(sqlite_world: World) -> None:
    (domain,) = invite_everywhere(sqlite_world, 1)
    here, there = at_enter_code(sqlite_world, NICOLE), at_enter_code(sqlite_world, NICOLE, f"/{domain}")
    codes = [letter.part("plain") for letter in sqlite_world.letters(NICOLE)]
    (code,) = [re.search(r"^\d{8}$", text, re.MULTILINE)[0] for text in codes if "Fabrikam" in text]
    assert there.submit("enter-code", code=code).errors == ["That code is not right. You can try 4 more times."]
    assert here.submit("enter-code", code=code).h1 == "Fabrikam apps"


# Fixation, theft (S-01, S-04)


def test_both_cookies_change_at_sign_in(world: World) -> None:
    browser = at_enter_code(world, NICOLE)
    before = dict(browser.cookies)
    browser.submit("enter-code", code=world.code(NICOLE))
    assert SESSION not in before and browser.cookies[VISIT] != before[VISIT]


def test_planted_visit_is_worth_nothing_after_the_victim_signed_in(world: World) -> None:
    attacker = world.browser().open(f"{APPS}/sign-in")
    victim = world.browser()
    put_cookie(victim, VISIT, attacker.cookies[VISIT])
    victim.open(APPS).submit("email-form", email=NICOLE).submit("send-code")
    page, code = victim.url, world.code(NICOLE)
    assert victim.submit("enter-code", code=code).h1 == "Fabrikam apps"
    assert attacker.open(APPS).h1 == "Sign in to Fabrikam"
    assert attacker.open(page).status == 404 and attacker.open(f"{APPS}/session-over").h1 == "Sign in to Fabrikam"
    assert victim.cookies[VISIT] != attacker.cookies[VISIT]


@pytest.mark.case("S-01")
def test_planted_session_is_replaced_not_shared(sqlite_world: World) -> None:
    attacker = sqlite_world.signed_in(ALEX)
    victim = at_enter_code(sqlite_world, NICOLE)
    put_cookie(victim, SESSION, attacker.cookies[SESSION])
    victim.submit("enter-code", code=sqlite_world.code(NICOLE))
    assert NICOLE in victim.open(APPS).text and attacker.open(APPS).h1 == "Sign in to Fabrikam"


def test_visit_alone_opens_nothing_and_session_alone_is_enough(sqlite_world: World) -> None:
    browser = sqlite_world.signed_in(NICOLE)
    visit_only, session_only = browser.fork(), browser.fork()
    drop_cookie(visit_only, SESSION)
    drop_cookie(session_only, VISIT)
    assert visit_only.open(APPS).h1 == "Sign in to Fabrikam"
    assert session_only.open(APPS).h1 == "Fabrikam apps" and session_only.submit("sign-out").status == 200


def test_signing_in_again_in_the_same_browser_ends_the_old_session(world: World) -> None:
    browser = world.signed_in(NICOLE)
    thief = browser.fork()
    browser.open(world.invitation_path(ALEX)).submit("accept-invitation").submit("send-code")
    browser.submit("enter-code", code=world.code(ALEX)).submit("consent", button=("decision", "accept"))
    assert thief.open(APPS).h1 == "Sign in to Fabrikam"


def test_browser_that_lost_its_cookie_between_send_and_enter_starts_again(sqlite_world: World) -> None:
    browser = at_enter_code(sqlite_world, NICOLE)
    drop_cookie(browser, VISIT)
    browser.submit("enter-code", code=sqlite_world.code(NICOLE))
    assert (browser.status, browser.h1) == (404, "This sign-in isn't open in this browser")
    assert browser.click("Start again").h1 == "Sign in to Fabrikam"
