"""Enumeration (catalogue, chapter 5).

Every step for every kind of address, with every statement to the database: `tests/test_parity.py`. Here a few on
the real stack, and what else could tell who or what there is. How long an answer takes is for the bench.
"""

import re
import uuid
from collections.abc import Callable

import pytest
from sqlalchemy import event, select

from guestauth import guests, invitations, passcodes, policies, redemptions
from guestauth.database import db
from guestauth.keys import keys
from guestauth.models import SignIn
from tests.admin import at_console
from tests.attacks.hands import at_code_page, comparable, earlier, guess, tenant
from tests.attacks.wire import ask
from tests.e2e.parallel import aim
from tests.e2e.site import HOME, Site
from tests.probe import change, masked
from tests.world import BY, FABRIKAM, NICOLE, World

SIGN_IN = f"{HOME}/sign-in"
ONLY_OTHERS = policies.DomainList("allow", ["elsewhere.example"])
KINDS = ("accepted", "pending", "unknown", "revoked", "deleted", "blocked", "elsewhere")


def address_of(site: Site, kind: str) -> str:
    """Make an address of this kind at Fabrikam; all are equally long."""
    mail = f"{uuid.uuid4().hex[:12]}@firstup.example"
    elsewhere = kind == "elsewhere"
    if kind != "unknown":
        at = tenant(site)[0] if elsewhere else FABRIKAM
        made = site.world.do(invitations.invite, at, mail, by=BY, send_mail=False, display_name="Their Name")
        if kind not in ("pending", "revoked"):
            site.world.do(redemptions.redeem, at, made.user_id, by=BY)
    ends: dict[str, Callable[..., object]] = {
        "revoked": invitations.revoke,
        "deleted": guests.delete,
        "blocked": guests.block,
    }
    if kind in ends:
        site.world.do(ends[kind], FABRIKAM, mail, by=BY)
    return mail


def way_in(site: Site, mail: str) -> list[object]:
    """Type an address, have a code sent, enter a wrong one; give every answer without what differs by chance."""
    browser = site.browser().open(SIGN_IN)
    seen = []
    for form, fields in (("email-form", {"email": mail}), ("send-code", {}), ("enter-code", {"code": "00000000"})):
        browser.submit(form, **fields)
        seen += [*browser.history, browser.response]
    seen.append(browser.open(browser.url).response)
    return [comparable(answer, mail) for answer in seen]


@pytest.mark.case("E-01")
def test_way_in_answers_every_kind_of_address_alike(secure_site: Site) -> None:
    wanted = way_in(secure_site, address_of(secure_site, "accepted"))
    assert [each[0] for each in wanted] == [303, 200, 303, 200, 422, 200]
    for kind in KINDS[1:]:
        assert way_in(secure_site, address_of(secure_site, kind)) == wanted, kind


@pytest.mark.case("E-01")
def test_way_in_answers_an_address_of_a_denied_domain_alike(secure_site: Site) -> None:
    tenant_id, domain = tenant(secure_site)
    seen, mails = [], [secure_site.guest(tenant=tenant_id), f"{uuid.uuid4().hex[:18]}@firstup.example"]
    secure_site.world.do(policies.limit_domains, tenant_id, ONLY_OTHERS, by=BY)
    for mail in mails:
        browser = secure_site.awaiting_code(mail, f"/{domain}")
        seen.append((comparable(browser.history[0], mail), comparable(browser.response, mail)))
    assert seen[0] == seen[1] and len(mails[0]) == len(mails[1])


@pytest.mark.case("E-02", "E-09")
def test_strangers_answers_cost_the_same_statements_in_every_shape_of_request(sqlite_world: World) -> None:
    statements: list[str] = []
    with sqlite_world.app.app_context():
        event.listen(db.engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
    asked = []
    for mail in (NICOLE, "nobody@firstup.example", "admin@fabrikam.example"):
        statements.clear()
        browser = sqlite_world.browser().open(SIGN_IN).submit("email-form", email=mail).submit("send-code")
        browser.submit("enter-code", code="00000000").open(browser.url)
        browser.post(browser.url, {"code": "00000000", "csrf_token": "x"})
        asked.append([*statements])
    assert asked[0] == asked[1] == asked[2] and len(asked[0]) > 10


@pytest.mark.case("E-04")
def test_address_is_shown_as_typed_and_nothing_stored_of_it(sqlite_secure_site: Site) -> None:
    site = sqlite_secure_site
    stored = f"Stored.{uuid.uuid4().hex[:8]}@firstup.example"
    site.world.do(invitations.invite, FABRIKAM, stored, by=BY, send_mail=False, display_name="Their Name")
    typed = stored.upper()
    browser = site.browser().open(SIGN_IN).submit("email-form", email=typed)
    pages = [browser.text, browser.submit("send-code").text, browser.submit("enter-code", code="00000000").text]
    for page in pages:
        local = typed.partition("@")[0]
        assert local in page and stored.partition("@")[0] not in page and "Their Name" not in page
    assert site.code(stored)


@pytest.mark.case("E-07")
def test_inviting_another_tenants_guest_is_like_inviting_anybody(sqlite_world: World) -> None:
    answers = []
    for mail in ("stranded@firstup.example", "nobody.2@firstup.example"):
        browser = at_console(sqlite_world, "/guests/invite").submit("invite", email=mail)
        text = masked(browser.response.text).replace(mail, "ADDRESS")
        answers.append((browser.status, re.sub(r"invitations/[\w.-]+", "TICKET", text)))
    assert answers[0] == answers[1] and answers[0][0] == 200
    assert sqlite_world.rows("SELECT count(*) FROM users WHERE mail = 'stranded@firstup.example'") == [(2,)]


@pytest.mark.case("E-08")
def test_wrong_expired_and_used_codes_are_told_apart_in_the_browser_that_asked(sqlite_secure_site: Site) -> None:
    site, mail = sqlite_secure_site, sqlite_secure_site.guest()
    browser, shot = at_code_page(site, mail)
    code = site.code(mail)
    said = guess(browser, shot, f"{(int(code) + 1) % 10**8:08d}").errors
    earlier(site, mail, 1801)
    said += guess(browser, shot, code).errors
    earlier(site, mail, -1801)
    guess(browser, shot, code).submit("sign-out")
    fresh = aim(browser.open(SIGN_IN), "email-form", email=mail).data["csrf_token"][0]
    said += guess(browser, shot, code, csrf_token=fresh).errors
    assert [line.split(". ")[0] for line in said] == [
        "That code is not right",
        "That code has expired",
        "That code has already been used",
    ]


@pytest.mark.case("E-08")
def test_right_code_of_a_strangers_sign_in_is_a_wrong_one_and_once_expired_an_expired_one(
    sqlite_world: World,
) -> None:
    said = []
    for mail in (NICOLE, "nobody@firstup.example"):
        browser = sqlite_world.browser().open(SIGN_IN).submit("email-form", email=mail).submit("send-code")
        code = derived(sqlite_world, mail)
        sqlite_world.advance(1801)
        said.append([browser.submit("enter-code", code=typed).errors for typed in ("00000000", code)])
    assert said[0] == said[1]
    assert [line[0].split(". ")[0] for line in said[0]] == ["That code is not right", "That code has expired"]


def derived(world: World, mail: str) -> str:
    """Derive the code that the newest sign-in of an address would be mailed, whoever it is."""
    with world.app.app_context():
        newest = select(SignIn).where(SignIn.address == mail).order_by(SignIn.created_at.desc()).limit(1)
        return passcodes._derive(db.session.scalars(newest).one(), 1, keys("passcode")[0])


@pytest.mark.case("E-09")
def test_other_methods_programs_and_bad_tokens_are_answered_alike(secure_site: Site) -> None:
    seen = []
    for mail in (address_of(secure_site, "accepted"), address_of(secure_site, "unknown")):
        browser = secure_site.awaiting_code(mail)
        json = {"Accept": "application/json"}
        bad = {"csrf_token": "x", "email": mail, "code": "00000000"}
        answers = []
        for path in (SIGN_IN, browser.path.removesuffix("/code"), browser.path):
            for method in ("HEAD", "OPTIONS", "PUT"):
                answers.append(ask(secure_site, path, method, headers=json, browser=browser))
            answers.append(ask(secure_site, path, "POST", form=bad, browser=browser))
            answers.append(ask(secure_site, path, "POST", form=bad, headers=json, browser=browser))
        seen.append([comparable(answer, mail) for answer in answers])
    assert seen[0] == seen[1]
    assert {each[0] for each in seen[0]} == {200, 400, 411}


# Thought of later: what there is besides addresses


@pytest.mark.case("E-10")
def test_nobody_learns_what_there_is_from_where_they_are_sent(sqlite_secure_site: Site) -> None:
    site = sqlite_secure_site
    plan, guest = uuid.uuid5(FABRIKAM, "project-plan"), uuid.uuid5(FABRIKAM, NICOLE)
    pairs = [("apps/project-plan", "apps/project-PLAN"), ("apps/expense-portal", "apps/no-such-portal")]
    pairs += [
        (f"apps/{plan}", f"apps/{uuid.uuid4()}"),
        ("apps/project-plan/download", "apps/welcome-pack/download"),
    ]
    pairs += [
        (f"admin/guests/{guest}", f"admin/guests/{uuid.uuid4()}"),
        ("admin/resources/project-plan", "admin/resources/nothing-here"),
    ]
    for there, nowhere in pairs:
        answers = [ask(site, f"{HOME}/{each}") for each in (there, nowhere)]
        assert [answer.status_code for answer in answers] == [302, 302], there
        lengths = [
            len(answer.headers["Location"]) - len(each)
            for answer, each in zip(answers, (there, nowhere), strict=True)
        ]
        assert lengths[0] == lengths[1] or "download" in there, there


@pytest.mark.case("E-11")
def test_sign_in_of_another_browser_is_as_one_that_there_is_not(sqlite_secure_site: Site) -> None:
    site = sqlite_secure_site
    theirs = site.awaiting_code(site.guest()).path
    nowhere = f"{SIGN_IN}/{uuid.uuid4()}/code"
    browser = site.awaiting_code(site.guest())
    token = aim(browser, "enter-code", code="00000000").data["csrf_token"]
    for tail in ("", "/code"):
        for method, form in (("GET", None), ("HEAD", None), ("POST", {"csrf_token": token, "code": "00000000"})):
            paths = [path.removesuffix("/code") + tail for path in (theirs, nowhere)]
            answers = [ask(site, path, method, form=form, browser=browser) for path in paths]
            assert comparable(answers[0], "") == comparable(answers[1], ""), (method, tail)
            assert answers[0].status_code == 404


@pytest.mark.case("E-12")
def test_guest_who_comes_back_after_their_session_sees_what_a_deleted_one_sees(sqlite_secure_site: Site) -> None:
    site, seen = sqlite_secure_site, []
    for kind in ("accepted", "deleted", "blocked"):
        mail = address_of(site, "accepted")
        browser = site.awaiting_code(mail).submit("enter-code", code=site.code(mail))
        change(
            site.world,
            "UPDATE sessions SET expires_at = created_at WHERE user_id = "
            "(SELECT id FROM users WHERE mail = :mail)",
            mail=mail,
        )
        if kind != "accepted":
            site.world.do({"deleted": guests.delete, "blocked": guests.block}[kind], FABRIKAM, mail, by=BY)
        answers = [browser.open(HOME).response, *browser.history]
        answers += [browser.submit("send-code").response, *browser.history]
        seen.append([comparable(answer, mail) for answer in answers])
    assert seen[0] == seen[1] == seen[2] and len(seen[0]) >= 4


@pytest.mark.case("E-13")
def test_end_of_a_tenants_mails_does_not_tell_whose_address_was_typed_before(sqlite_world: World) -> None:
    sqlite_world.app.config["LIMIT_TENANT_MAILS_PER_HOUR"], seen = 1, []
    for mail in (NICOLE, "nobody@firstup.example"):
        change(sqlite_world, "DELETE FROM counters")
        for each in (mail, f"after-{mail}"):
            browser = sqlite_world.browser().open(SIGN_IN).submit("email-form", email=each).submit("send-code")
        seen.append(browser.status)
    assert seen[0] == seen[1]
