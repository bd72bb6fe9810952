"""Forms are taken from the page they stand on only: C-01 to C-05, C-11, C-12, F3, F4; acceptance 14 to 17.

`FORMS` has for every rule that takes a POST how to come to its page; a rule without an entry fails a test.
"""

import shutil
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from itsdangerous import TimestampSigner, URLSafeTimedSerializer

from guestauth import administrators, courier, create_app, domains, identity_providers, keys, tenants
from guestauth.descriptions import Described
from guestauth.policies import WITH_PASSCODES
from tests import servers
from tests.admin import at_console
from tests.browser import Browser
from tests.dev.test_stand_in import REQUEST
from tests.guest import DAY, at_consent, at_enter_code, at_send_code
from tests.hostile import multipart
from tests.probe import Answer, action, ask, put_cookie, tables, token
from tests.world import ALEX, BY, FABRIKAM, NICOLE, STRANGER, World, environment, make

SIGN_IN = "/fabrikam.example/sign-in"
TOLD = "This page was open too long, so nothing was done. Check what is here and try again."
FOREIGN = [
    "",
    "https://evil.example",
    "null",
    "http://127.0.0.1:5001",
    "https://127.0.0.1:5000",
    "http://127.0.0.1",
]
FOREIGN += ["http://127.0.0.1:5000.evil.example", "http://evil.example/http://127.0.0.1:5000"]
PRODUCTION = {"GUESTAUTH_DEMO": "off", "SECRET_KEY": "0f4c1e7a9b2d8365c7f0a1b2e3d4f5968778695a4b3c2d1e"}


def at_session_over(world: World) -> Browser:
    browser = world.signed_in(NICOLE)
    world.advance(DAY + 60)
    return browser.open("/fabrikam.example")


def at_account(world: World) -> Browser:
    world.signed_in(NICOLE)
    return world.signed_in(NICOLE).open("/fabrikam.example/account")


def opened(path: str) -> Callable[[World], Browser]:
    return lambda world: world.browser().open(path)


def at_delete(world: World) -> Browser:
    return at_console(world, f"/guests/{uuid.uuid5(FABRIKAM, NICOLE)}/delete")


def at_domain(world: World, page: str = "") -> Browser:
    """A domain's page; by the time its form is sent the operator has verified it."""
    world.do(domains.claim, FABRIKAM, "shop.example", by=BY)
    browser = at_console(world, f"/domains/shop.example{page}")
    world.do(domains.add, FABRIKAM, "shop.example", by=BY)
    return browser


def at_administrator(world: World) -> Browser:
    made = world.do(administrators.add, FABRIKAM, STRANGER, by=BY)
    return at_console(world, f"/administrators/{made.id}/remove")


def at_import(world: World, page: str = "") -> Browser:
    browser = at_console(world, "/guests/import").submit("import", file=("a.csv", FILE.encode()))
    return browser.open(browser.path + page)


def at_stand_in(world: World) -> Browser:
    return world.browser().open(f"/dev/stand-in/authorize?{urlencode(REQUEST)}")


FILE = "[inviteeEmail],[inviteRedirectURL]\nstranger@example.com,"  # a field with this text is a file
DETAILS = {"name": "Fabrikam", "language": "nl", "retention_days": "30"}


def at_register(world: World) -> Browser:
    """The second step of adding an identity provider, which asks for what the first has told."""
    browser = at_console(world, "/identity-providers/add")
    return browser.submit("describe-identity-provider", **{name: PROVIDER[name] for name in DESCRIBED})


def at_provider(world: World, page: str = "") -> Browser:
    """The page of a provider that does not answer."""
    made = world.do(
        identity_providers.add, Described(**{**PROVIDER, "covers": ["a.example"]}), tenant_id=FABRIKAM, by=BY
    )
    return at_console(world, f"/identity-providers/{made.id}{page}")


DESCRIBED = ("kind", "name", "issuer", "covers")
PROVIDER = {"kind": "openid_connect", "name": "Partner", "issuer": "https://127.0.0.1:1", "covers": "a.example"}
PROVIDER |= {"client_id": "guestauth", "client_secret": "hush"}


def at_resource(world: World) -> Browser:
    return at_console(world, "/resources/expense-portal")


FORMS: dict[str, tuple[Callable[[World], Browser], str, dict[str, str]]] = {
    "guest.sign_in": (opened(SIGN_IN), "email-form", {"email": ALEX}),
    "guest.send_code": (at_send_code, "send-code", {}),
    "guest.enter_code": (lambda world: at_enter_code(world, NICOLE), "enter-code", {"code": "CODE"}),
    "guest.session_over": (at_session_over, "send-code", {}),
    "guest.consent": (at_consent, "consent", {"decision": "accept"}),
    "guest.sign_out": (lambda world: world.signed_in(NICOLE), "sign-out", {}),
    "guest.account": (at_account, "sessions", {"end": "others"}),
    "guest.language": (at_account, "language-form", {"language": "nl"}),
    "guest.leave": (at_account, "leave", {}),
    "guest.invitation": (lambda world: world.browser().open(world.invitation_path(ALEX)), "accept-invitation", {}),
    "admin.invite": (lambda world: at_console(world, "/guests/invite"), "invite", {"email": STRANGER}),
    "admin.import_guests": (lambda world: at_console(world, "/guests/import"), "import", {"file": FILE}),
    "admin.import_progress": (at_import, "run", {}),
    "admin.discard_import": (lambda world: at_import(world, "/discard"), "discard", {}),
    "admin.guest_action": (at_delete, "delete", {}),
    "admin.settings": (lambda world: at_console(world, "/settings"), "one-time-passcode", {"enabled": "yes"}),
    "admin.details": (lambda world: at_console(world, "/settings/details"), "details", DETAILS),
    "admin.branding": (lambda world: at_console(world, "/settings/branding"), "branding", {"accent": "#2b5797"}),
    "admin.policy": (lambda world: at_console(world, "/policy"), "policy", {"definition": WITH_PASSCODES}),
    "admin.domain_list": (lambda world: at_console(world, "/domain-list"), "domain-list", {"kind": "everyone"}),
    "admin.domains": (lambda world: at_console(world, "/domains"), "add-domain", {"domain": "shop.example"}),
    "admin.verify_domain": (at_domain, "verify-domain", {}),
    "admin.remove_domain": (lambda world: at_domain(world, "/remove"), "remove-domain", {}),
    "admin.administrators": (
        lambda world: at_console(world, "/administrators"),
        "add-administrator",
        {"email": STRANGER},
    ),
    "admin.remove_administrator": (at_administrator, "remove-administrator", {}),
    "admin.add_identity_provider": (at_register, "add-identity-provider", PROVIDER),
    "admin.test_identity_provider": (at_provider, "test-identity-provider", {}),
    "admin.renew_client_secret": (at_provider, "renew-client-secret", {"client_secret": "hush"}),
    "admin.remove_identity_provider": (
        lambda world: at_provider(world, "/remove"),
        "remove-identity-provider",
        {},
    ),
    "admin.add_resource": (
        lambda world: at_console(world, "/resources/add"),
        "add-resource",
        {"slug": "new", "title": "New", "kind": "text", "text": "Words"},
    ),
    "admin.edit_resource": (
        lambda world: at_console(world, "/resources/welcome-pack/edit"),
        "edit-resource",
        {"title": "New", "text": "Words"},
    ),
    "admin.remove_resource": (
        lambda world: at_console(world, "/resources/welcome-pack/remove"),
        "remove-resource",
        {},
    ),
    "admin.share_resource": (at_resource, "share", {"guests": ALEX}),
    "admin.share_with_all": (at_resource, "share-with-all", {"all_guests": "yes"}),
    "admin.unshare_resource": (at_resource, "unshare-1", {"guest": str(uuid.uuid5(FABRIKAM, NICOLE))}),
    "dev.clock": (opened("/dev/clock"), "clock", {"advance": "60"}),
    "dev.faults": (opened("/dev/faults"), "mail-hanging", {"fault": "mail-hanging", "switch": "on"}),
    "dev.outcome": (opened("/dev/qa"), "outcome-alex", {"result": "pass", "notes": "Good."}),
    "dev.clear_outcomes": (opened("/dev/qa"), "clear", {}),
    "dev.reset": (opened("/dev/reset"), "reset", {}),
    "dev.stand_in_authorize": (at_stand_in, "other", {"email": ALEX, "email_verified": "yes"}),
}
FOR_MACHINES = {"dev.stand_in_token"}  # asks for a secret of its own instead
LEADING_AWAY = {"dev.stand_in_authorize"}  # to the callback of a sign-in, which was not begun here
BUTTONS = {"guest.consent": ("decision", "accept"), "guest.account": ("end", "others")}


def come_to(world: World, endpoint: str) -> tuple[Browser, str, dict[str, str], str]:
    """Come to the page of a form: the browser, where the form leads, what is typed, and its token."""
    come, form_id, fields = FORMS[endpoint]
    browser = come(world)
    typed = {name: world.code(NICOLE) if value == "CODE" else value for name, value in fields.items()}
    return browser, action(browser, form_id), typed, token(browser, form_id)


def post(world: World, browser: Browser, place: str, form: dict[str, str], **request: object) -> Answer:
    place, _, query = place.partition("?")
    request = {"query": query, **request}
    if FILE not in form.values():
        return ask(world.app, place, "POST", form=form, cookies=browser.cookies, **request)
    sent = multipart([(name, "a.csv" if text == FILE else None, text.encode()) for name, text in form.items()])
    sent["headers"] |= request.pop("headers", {})
    return ask(world.app, place, "POST", cookies=browser.cookies, **sent, **request)


def aged(world: World, browser: Browser, seconds: int) -> str:
    """A form token of this browser's that was made so many seconds ago."""

    class Aged(TimestampSigner):
        def get_timestamp(self) -> int:
            return int(time.time()) - seconds

    with world.app.app_context():
        visit = keys.signer("visit").loads(browser.cookies["guestauth-visit"])
        secret = world.app.config["WTF_CSRF_SECRET_KEY"]
    return str(URLSafeTimedSerializer(secret, salt="wtf-csrf-token", signer=Aged).dumps(visit["csrf_token"]))


def test_tokens_of_two_visits_differ_even_in_one_context(sqlite_world: World) -> None:
    with sqlite_world.app.app_context():
        tokens = [token(sqlite_world.browser().open(SIGN_IN).open(SIGN_IN), "email-form") for _ in range(2)]
    assert tokens[0] != tokens[1]


def test_every_rule_that_takes_a_post_is_known_here(sqlite_world: World) -> None:
    rules = {rule.endpoint for rule in sqlite_world.app.url_map.iter_rules() if "POST" in (rule.methods or ())}
    assert rules - FOR_MACHINES == set(FORMS), "add how to come to the new form's page to FORMS"


@pytest.mark.parametrize("endpoint", FORMS)
def test_form_with_its_token_is_taken(sqlite_world: World, endpoint: str) -> None:
    browser, place, typed, right = come_to(sqlite_world, endpoint)
    assert post(sqlite_world, browser, place, {**typed, "csrf_token": right}).status == 303


@pytest.mark.parametrize("endpoint", FORMS)
@pytest.mark.case("C-01")
def test_form_without_its_token_changes_nothing_and_comes_back_usable(world: World, endpoint: str) -> None:
    browser, place, typed, _ = come_to(world, endpoint)
    before = tables(world)
    answer = post(world, browser, place, typed)
    assert answer.status == 400 and tables(world) == before and TOLD in answer.text
    browser.post(place, typed)
    anew: dict[str, object] = {name: ("a.csv", FILE.encode()) for name, text in typed.items() if text == FILE}
    anew |= {name: text for name, text in typed.items() if name == "client_secret"}  # is not given back
    browser.submit(FORMS[endpoint][1], BUTTONS.get(endpoint), **anew)
    assert browser.status == 200 or endpoint in LEADING_AWAY
    assert [hop.status_code for hop in browser.history][:1] == [303]


@pytest.mark.parametrize("endpoint", FORMS)
@pytest.mark.case("C-01")
def test_form_with_another_token_changes_nothing(sqlite_world: World, endpoint: str) -> None:
    browser, place, typed, right = come_to(sqlite_world, endpoint)
    foreign = token(sqlite_world.browser().open(SIGN_IN), "email-form")
    before = tables(sqlite_world)
    for wrong in (foreign, "", "x" * 90, right[:-1], right.rpartition(".")[0], right + "x", "é", right.upper()):
        assert post(sqlite_world, browser, place, {**typed, "csrf_token": wrong}).status == 400, wrong
    assert tables(sqlite_world) == before


@pytest.mark.parametrize("endpoint", FORMS)
@pytest.mark.case("C-03")
def test_token_in_the_query_or_a_header_is_none(sqlite_world: World, endpoint: str) -> None:
    browser, place, typed, right = come_to(sqlite_world, endpoint)
    path, _, _ = place.partition("?")
    before = tables(sqlite_world)
    for request in (
        {"query": f"csrf_token={right}"},
        {"headers": {"X-CSRFToken": right, "X-CSRF-Token": right, "X-XSRF-Token": right}},
    ):
        assert post(sqlite_world, browser, path, typed, **request).status == 400
    for name in ("xcsrf_token", "csrf_token[]", "CSRF_TOKEN", "csrf-token"):
        assert post(sqlite_world, browser, path, {**typed, name: right}).status == 400
    assert tables(sqlite_world) == before


@pytest.mark.parametrize("endpoint", FORMS)
@pytest.mark.case("C-11")
def test_form_from_another_site_is_refused_although_its_token_is_right(sqlite_world: World, endpoint: str) -> None:
    browser, place, typed, right = come_to(sqlite_world, endpoint)
    before = tables(sqlite_world)
    for origin in FOREIGN:
        headers = {"Origin": origin} if origin else {"Sec-Fetch-Site": "cross-site"}
        answer = post(sqlite_world, browser, place, {**typed, "csrf_token": right}, headers=headers)
        assert (answer.status, answer.h1) == (403, "You can't do that"), origin
        assert answer.header("Access-Control-Allow-Origin") is None
    assert tables(sqlite_world) == before


@pytest.mark.parametrize("endpoint", FORMS)
@pytest.mark.case("C-02")
def test_form_sent_by_another_site_s_page_without_cookies_changes_nothing(
    sqlite_world: World, endpoint: str
) -> None:
    _, place, typed, right = come_to(sqlite_world, endpoint)
    before = tables(sqlite_world)
    answer = ask(sqlite_world.app, place, "POST", form={**typed, "csrf_token": right})
    assert 300 <= answer.status < 500 and tables(sqlite_world) == before


@pytest.mark.parametrize("endpoint", FORMS)
def test_get_with_everything_in_the_query_changes_nothing(sqlite_world: World, endpoint: str) -> None:
    browser, place, typed, right = come_to(sqlite_world, endpoint)
    before = tables(sqlite_world)
    query = "&".join(f"{name}={value}" for name, value in {**typed, "csrf_token": right}.items())
    path, _, asked = place.partition("?")
    for method in ("GET", "HEAD"):
        assert ask(sqlite_world.app, path, method, query=f"{asked}&{query}", cookies=browser.cookies).status in (
            200,
            303,
        )
    assert tables(sqlite_world) == before


@pytest.mark.parametrize("endpoint", FORMS)
def test_every_form_address_answers_get(sqlite_world: World, endpoint: str) -> None:
    browser, place, _, _ = come_to(sqlite_world, endpoint)
    assert browser.open(place).status == 200


# What was typed is kept


def test_address_typed_is_kept_when_the_page_was_open_too_long(sqlite_world: World) -> None:
    browser = sqlite_world.browser().open(SIGN_IN, to="/fabrikam.example/apps/project-plan")
    browser.post(SIGN_IN, {"email": NICOLE, "to": "/fabrikam.example/apps/project-plan"})
    assert (browser.status, browser.errors) == (400, [TOLD])
    browser.submit("email-form").submit("send-code").submit("enter-code", code=sqlite_world.code(NICOLE))
    assert browser.h1 == "Project plan"


def test_code_typed_is_kept_and_no_try_is_counted(world: World) -> None:
    browser = at_enter_code(world, NICOLE)
    for _ in range(6):
        browser.post(browser.path, {"code": world.code(NICOLE), "csrf_token": "x"})
        assert (browser.status, browser.errors) == (400, [TOLD])
    assert world.rows("SELECT tries FROM sign_ins") == [(0,)]
    assert browser.submit("enter-code").h1 == "Fabrikam apps"


def test_answer_at_permissions_can_be_given_again(sqlite_world: World) -> None:
    browser = at_consent(sqlite_world, ALEX, "/fabrikam.example/apps/project-plan")
    browser.post("/fabrikam.example/consent", {"decision": "accept", "to": "/fabrikam.example/apps/project-plan"})
    assert browser.errors == [TOLD]
    assert browser.submit("consent", button=("decision", "accept")).h1 == "Project plan"


# Pages left open


@pytest.mark.parametrize("endpoint", FORMS)
@pytest.mark.parametrize("seconds", [25 * 3600, -5])
def test_token_of_yesterday_or_of_a_host_whose_clock_is_ahead_is_taken(
    sqlite_world: World, endpoint: str, seconds: int
) -> None:
    browser, place, typed, _ = come_to(sqlite_world, endpoint)
    form = {**typed, "csrf_token": aged(sqlite_world, browser, seconds)}
    assert post(sqlite_world, browser, place, form).status == 303


@pytest.mark.parametrize("endpoint", [name for name in FORMS if name != "guest.enter_code"])
def test_page_left_open_for_61_minutes_is_taken_all_the_same(sqlite_world: World, endpoint: str) -> None:
    browser, place, typed, right = come_to(sqlite_world, endpoint)
    sqlite_world.advance(61 * 60)
    assert post(sqlite_world, browser, place, {**typed, "csrf_token": right}).status == 303


@pytest.mark.parametrize("form_id", ["send-code", "enter-code"])
@pytest.mark.case("C-12")
def test_page_left_open_in_a_tab_while_another_signs_in_leads_on(sqlite_world: World, form_id: str) -> None:
    browser = at_enter_code(sqlite_world, NICOLE, "/fabrikam.example/apps/project-plan")
    place, form = action(browser, form_id), {"csrf_token": token(browser, form_id), "code": "12345678"}
    browser.submit("enter-code", code=sqlite_world.code(NICOLE))
    before = tables(sqlite_world)
    assert browser.post(place, form).h1 == "Project plan"
    assert tables(sqlite_world) == before


def test_sign_in_page_left_open_in_a_tab_while_another_signs_in_comes_back_usable(sqlite_world: World) -> None:
    browser = sqlite_world.browser().open(SIGN_IN)
    form = {"csrf_token": token(browser, "email-form"), "email": ALEX}
    browser.submit("email-form", email=NICOLE).submit("send-code")
    browser.submit("enter-code", code=sqlite_world.code(NICOLE))
    assert (browser.post(SIGN_IN, form).status, browser.errors) == (400, [TOLD])
    assert browser.submit("email-form").h1 == "Get a code to sign in" and ALEX in browser.text


def test_page_open_since_before_signing_out_ends_well(sqlite_world: World) -> None:
    browser = sqlite_world.signed_in(NICOLE)
    form = {"csrf_token": token(browser, "sign-out")}
    browser.submit("sign-out")
    assert browser.post("/fabrikam.example/sign-out", form).h1 == "You've signed out"


def test_changed_key_costs_an_open_page_a_click_at_most(sqlite_world: World) -> None:
    browser = sqlite_world.browser().open(SIGN_IN)
    renewed = {
        "SECRET_KEY": PRODUCTION["SECRET_KEY"],
        "SECRET_KEY_FALLBACKS": sqlite_world.app.config["SECRET_KEY"],
    }
    after = Browser(create_app(environment(sqlite_world.instance, **renewed)))
    for name, value in browser.cookies.items():
        put_cookie(after, name, value)
    after.open("/fabrikam.example").post(SIGN_IN, {"email": NICOLE, "csrf_token": token(browser, "email-form")})
    assert after.status in (200, 400)
    if after.status == 400:
        after.submit("email-form")
    assert after.submit("send-code").h1 == "Check your email"


# Over https, in production


@pytest.fixture
def production(sqlite_template: Path, tmp_path: Path, sink: servers.Sink) -> Iterator[World]:
    """A world as in production: https, no demo, mail over SMTP."""
    shutil.copytree(sqlite_template, tmp_path / "instance")
    mail = {"MAIL_SERVER": "127.0.0.1", "MAIL_PORT": str(sink.port)}
    yield from make(tmp_path / "instance", PUBLIC_URL="https://guests.fabrikam.example", **PRODUCTION, **mail)


@pytest.mark.parametrize("referer", [None, "https://guests.fabrikam.example/fabrikam.example/sign-in"])
def test_forms_work_over_https_with_and_without_a_referer(production: World, referer: str | None) -> None:
    browser = production.browser(url="https://guests.fabrikam.example").open(SIGN_IN)
    headers = {"Host": "guests.fabrikam.example", **({"Referer": referer} if referer else {})}
    form = {"email": NICOLE, "csrf_token": token(browser, "email-form")}
    answer = post(production, browser, SIGN_IN, form, headers=headers, wsgi__url_scheme="https")
    assert answer.status == 303


def test_whole_way_in_works_in_production(production: World, sink: servers.Sink) -> None:
    tenant = production.do(
        tenants.create, "Litware", domains=["litware.example"], administrator="a@b.example", by=BY
    )
    browser = production.browser(url="https://guests.fabrikam.example").open(f"/{tenant.id}")
    browser.submit("email-form", email="a@b.example").submit("send-code")
    courier.run_once(production.app)
    letters = [letter for letter in sink.wait_for(1) if letter.recipients == ["a@b.example"]]
    text = letters[0].message.get_body(("plain",)).get_content()
    code = next(line for line in text.splitlines() if line.isdigit() and len(line) == 8)
    assert browser.submit("enter-code", code=code).h1 == "Litware apps"
    assert browser.submit("sign-out").h1 == "You've signed out"


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://guests.fabrikam.example"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Host": "evil.example"},
        {"Host": "127.0.0.1:5000"},
    ],
    ids=str,
)
def test_production_takes_forms_of_its_own_address_only(production: World, headers: dict[str, str]) -> None:
    browser = production.browser(url="https://guests.fabrikam.example").open(SIGN_IN)
    form = {"email": NICOLE, "csrf_token": token(browser, "email-form")}
    headers = {"Host": "guests.fabrikam.example", **headers}
    answer = post(production, browser, SIGN_IN, form, headers=headers, wsgi__url_scheme="https")
    assert answer.status in (400, 403)
    assert production.rows("SELECT COUNT(*) FROM sign_ins") == [(0,)]


def test_no_page_of_production_has_the_bar_of_the_demo(production: World) -> None:
    browser = production.browser(url="https://guests.fabrikam.example")
    assert "/dev" not in browser.open(SIGN_IN).response.text + browser.open("/nothing").response.text
