"""CSRF, headers and cookies (catalogue, chapter 6), over https to four processes and in Chromium.

That no form at all is taken without its token is tried in-process, in `tests/test_csrf.py`. The one thing to
understand: `wire.ask` checks every answer's headers whole, so a test that asks has checked C-07, C-08 and C-10.
"""

import re
import uuid
from collections.abc import Callable

import httpx
import pytest

from tests.attacks import wire
from tests.attacks.wire import SIGN_IN
from tests.browser import Browser
from tests.e2e.fixtures import Arrive
from tests.e2e.person import Person
from tests.e2e.site import HOME, Site
from tests.probe import change
from tests.world import ADMIN, FABRIKAM, NICOLE

EVIL = "https://evil.example"
COOKIE = re.compile(
    r"__Host-guestauth(-visit|-known)?=[\w.-]*; (Expires=[^;]+; )?(Max-Age=\d+; )?"
    r"Secure; HttpOnly; Path=/; SameSite=Lax"
)
Ask = Callable[[Site, Browser], httpx.Response]


def asked(path: str, method: str = "GET", **request: object) -> Ask:
    """A request of somebody who is signed in; a form gets its token."""

    def ask(site: Site, browser: Browser) -> httpx.Response:
        form = request.get("form")
        right = {"form": {**form, "csrf_token": wire.form_token(browser)}} if isinstance(form, dict) else {}
        return wire.ask(site, path, method, browser=browser, **{**request, **right})

    return ask


def asked_twice(site: Site, browser: Browser) -> httpx.Response:
    """Press Send code again, at once."""
    waiting = site.awaiting_code(site.guest())
    place, form = waiting.path.removesuffix("/code"), {"csrf_token": wire.form_token(waiting)}
    return wire.ask(site, place, "POST", form=form, browser=waiting)


ANSWERS: dict[str, tuple[int, Ask]] = {
    "page": (200, asked(HOME)),
    "HEAD": (200, asked(HOME, "HEAD")),
    "OPTIONS": (200, asked(SIGN_IN, "OPTIONS", headers={"Origin": EVIL, "Access-Control-Request-Method": "POST"})),
    "download": (200, asked(f"{HOME}/apps/project-plan/download")),
    "static file": (200, asked("/static/style.css")),
    "unchanged": (304, asked("/static/icon.svg", headers={"If-Modified-Since": "Fri, 20 Nov 2099 00:00:00 GMT"})),
    "robots": (200, asked("/robots.txt")),
    "up": (200, asked("/healthz")),
    "ready": (200, asked("/readyz")),
    "redirect": (302, lambda site, _: wire.ask(site, HOME)),
    "done": (303, asked(f"{HOME}/account", "POST", form={"end": "others"})),
    "no tenant": (400, asked("/")),
    "no token": (400, asked(f"{HOME}/sign-out", "POST", body=b"", headers={"Content-Type": wire.FORM})),
    "other host": (400, asked(SIGN_IN, headers={"Host": "evil.example"})),
    "other site": (403, asked(f"{HOME}/sign-out", "POST", form={}, headers={"Origin": EVIL})),
    "no administrator": (403, asked(f"{HOME}/admin/guests")),
    "nothing": (404, asked(f"{HOME}/nothing")),
    "no tenant of ours": (404, asked("/unknown.example")),
    "no static file": (404, asked("/static/../app.py")),
    "method": (405, asked(SIGN_IN, "DELETE", body=b"")),
    "no length": (411, asked(SIGN_IN, "POST")),
    "too large": (413, asked(SIGN_IN, "POST", form={"email": "x" * 70_000})),
    "no form": (415, asked(SIGN_IN, "POST", body=b"{}", headers={"Content-Type": "application/json"})),
    "not filled in": (422, asked(SIGN_IN, "POST", form={"email": ""})),
    "too early": (429, asked_twice),
}


@pytest.fixture
def site(sqlite_secure_site: Site) -> Site:
    return sqlite_secure_site


# C-01 to C-03, C-11


def at_the_forms(site: Site) -> list[tuple[Browser, str, dict[str, str]]]:
    """Somebody before each kind of form: the browser, where the form leads, what it says."""
    waiting, code = site.awaiting_code(mail := site.guest()), site.code(mail)
    guest, admin = wire.signed_in(site, NICOLE), wire.signed_in(site, ADMIN, f"{HOME}/admin")
    return [
        (waiting, SIGN_IN, {"email": f"csrf-{uuid.uuid4().hex}@firstup.example"}),
        (waiting, waiting.path.removesuffix("/code"), {}),
        (waiting, waiting.path, {"code": code}),
        (guest, f"{HOME}/sign-out", {}),
        (guest, f"{HOME}/account/leave", {}),
        (admin, f"{HOME}/admin/settings", {"enabled": "no", "confirmed": "yes"}),
        (admin, f"{HOME}/admin/guests/invite", {"email": f"csrf-{uuid.uuid4().hex}@firstup.example"}),
    ]


def state(site: Site) -> list[object]:
    """What a form could have changed."""
    columns = {"sign_ins": "id, tries, sends, consumed_at", "sessions": "id, ended_at", "tenants": "policy"}
    columns |= {"users": "id, deleted_at", "letters": "id"}
    return [sorted(map(str, site.world.rows(f"SELECT {which} FROM {name}"))) for name, which in columns.items()]


@pytest.mark.case("C-01", "C-03", "C-11")
def test_form_without_its_own_token_or_from_elsewhere_changes_nothing(site: Site) -> None:
    forms, foreign = at_the_forms(site), wire.form_token(site.browser().open(SIGN_IN))
    before = state(site)
    for browser, place, said in forms:
        right = wire.form_token(browser)
        for form in (said, {**said, "csrf_token": foreign}, {**said, "xcsrf_token": right}):
            assert wire.ask(site, place, "POST", form=form, browser=browser).status_code == 400
        in_header = {"X-CSRFToken": right, "X-CSRF-Token": right}
        place_with_token = f"{place}?csrf_token={right}"
        answer = wire.ask(site, place_with_token, "POST", form=said, headers=in_header, browser=browser)
        assert answer.status_code == 400
        for elsewhere in ({"Origin": EVIL}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}):
            whole = {**said, "csrf_token": right}
            assert wire.ask(site, place, "POST", form=whole, headers=elsewhere, browser=browser).status_code == 403
    assert state(site) == before


# C-07 to C-10


@pytest.fixture(scope="module")
def nicole(sqlite_secure_site: Site) -> Browser:
    return wire.signed_in(sqlite_secure_site, NICOLE)


@pytest.mark.case("C-07", "C-08", "C-10")
def test_every_kind_of_answer_carries_every_header(site: Site, nicole: Browser) -> None:
    found = {kind: answer(site, nicole) for kind, (_, answer) in ANSWERS.items()}
    assert {kind: each.status_code for kind, each in found.items()} == {
        kind: status for kind, (status, _) in ANSWERS.items()
    }
    assert not [
        kind for kind, each in found.items() if re.search(r"gunicorn/|Werkzeug|Python/|\bnginx", each.text)
    ]


@pytest.mark.case("C-09")
def test_every_cookie_on_the_way_in_and_out_is_locked_to_the_host(site: Site) -> None:
    mail, answers = site.guest(), []
    browser = site.browser()
    steps = [lambda: browser.open(HOME), lambda: browser.submit("email-form", email=mail)]
    steps += [lambda: browser.submit("send-code"), lambda: browser.submit("enter-code", code=site.code(mail))]
    steps += [lambda: browser.submit("consent", button=("decision", "accept")), lambda: browser.submit("sign-out")]
    for step in steps:
        step()
        answers += [*browser.history, browser.response]
    cookies = [header for answer in answers if answer for header in answer.headers.get_list("Set-Cookie")]
    assert len(cookies) >= 4 and not [cookie for cookie in cookies if not COOKIE.fullmatch(cookie)]


@pytest.mark.case("C-09")
def test_mount_that_a_proxy_might_name_moves_no_cookie(site: Site) -> None:
    answer = wire.ask(site, SIGN_IN, headers={"X-Forwarded-Prefix": "/app", "X-Forwarded-Proto": "http"})
    assert COOKIE.fullmatch(answer.headers["Set-Cookie"]) and "/app" not in answer.text


# In Chromium


@pytest.mark.case("C-07")
def test_every_page_before_sign_in_obeys_the_policy(site: Site, arrive: Arrive) -> None:
    mail = site.guest()
    site.world.run("guest", "resend", str(FABRIKAM), mail)
    link, somebody = site.invitation(mail), arrive(site)
    pages = [
        SIGN_IN,
        "/",
        "/?tenantid=",
        "/unknown.example",
        f"{HOME}/nothing",
        "/contoso.example",
        link,
        link[:-9],
    ]
    pages += [
        f"{HOME}/{page}" for page in ("consent/cancelled", "signed-out", "account/left", "sign-in?login_hint=a")
    ]
    walk(somebody, pages)
    somebody.open(SIGN_IN).type("Email address", "nobody").press("Continue")
    assert "correct format" in somebody.page.inner_text("main")
    assert somebody.ask_for_code(mail).press("Send a new code").sees("Check your email")
    for _ in range(5):
        somebody.type("8-digit code", f"{(int(site.code(mail)) + 1) % 10**8:08d}").press("Sign in")
    assert somebody.sees("You need a new code")


@pytest.mark.case("C-07")
def test_every_page_of_a_guest_obeys_the_policy(site: Site, arrive: Arrive) -> None:
    guest = arrive(site).ask_for_code(mail := site.guest()).enter_code(mail)
    assert guest.sees("Review permissions") and guest.press("Accept").sees("Fabrikam apps")
    site.world.run("resource", "share", str(FABRIKAM), "project-plan", mail)
    apps = [f"{HOME}/apps/{slug}" for slug in ("welcome-pack", "project-plan", "expense-portal", "nothing")]
    walk(guest, [HOME, f"{HOME}?q=x", *apps, f"{HOME}/account", f"{HOME}/sign-out", SIGN_IN, f"{HOME}/admin"])
    over = "UPDATE sessions SET expires_at = created_at WHERE user_id = (SELECT id FROM users WHERE mail = :mail)"
    change(site.world, over, mail=mail)
    walk(guest, [HOME])
    assert "session-over" in guest.path


def walk(person: Person, paths: list[str]) -> None:
    """Open pages, each with its stylesheet; whatever Chromium complains about fails the test."""
    for path in paths:
        person.open(path)
        assert person.page.locator("h1").count() == 1, path
        assert person.page.evaluate("document.styleSheets.length") == 1, path
