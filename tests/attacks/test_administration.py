"""Authorisation of administrators and of the command line (catalogue, chapter 13), over https to four processes.

Each rule is tried in-process too, in `tests/admin` and `tests/test_cli_*.py`. The one thing to understand: an id
in an address or a form is looked up together with the tenant of the request, so another tenant's is as unknown as
one that never was. A-04, how often somebody may try, is a matter of the limits.
"""

import re
import uuid
from pathlib import Path

import click
import pytest
from flask_migrate import upgrade

from guestauth import create_app, database, import_files, imports
from tests.admin.test_access import paths
from tests.attacks import wire
from tests.e2e.site import HOME, Site
from tests.world import ADMIN, BY, FABRIKAM, NICOLE, World, environment

CONSOLE, THEIRS = f"{HOME}/admin", "/woodgrove.example/admin"
PLAN = str(uuid.uuid5(FABRIKAM, "project-plan"))
HEADER = "[inviteeEmail],[inviteRedirectURL],[sendEmail]\n"
OF_A_TENANT = ("users", "domains", "resources", "imports", "sessions", "invitations")


@pytest.fixture
def site(sqlite_secure_site: Site) -> Site:
    return sqlite_secure_site


def everything(site: Site, tenant: uuid.UUID) -> list[str]:
    """Every row of a tenant's, as it is."""
    asked = [f"SELECT * FROM {name} WHERE tenant_id = :t" for name in OF_A_TENANT]
    asked += [
        "SELECT * FROM tenants WHERE id = :t",
        "SELECT s.* FROM shares s JOIN resources r ON r.id = s.resource_id",
    ]
    return [
        str(sorted(map(str, site.world.rows(each, **({"t": tenant.hex} if ":t" in each else {})))))
        for each in asked
    ]


def kept(site: Site, *lines: str, name: str = "guests.csv") -> uuid.UUID:
    """Keep a file of guests at Fabrikam."""
    plan = site.world.do(import_files.planned, FABRIKAM, (HEADER + "\n".join(lines)).encode())
    return site.world.do(imports.keep, FABRIKAM, name, plan, by=BY).id


#


@pytest.mark.case("A-01")
@pytest.mark.parametrize("who", ["nobody", "guest", "administrator of another tenant"])
def test_nobody_else_comes_to_any_page_of_the_console(site: Site, who: str) -> None:
    other = ("admin@woodgrove.example", "/woodgrove.example/admin")
    browser = {"nobody": lambda: site.browser().open(HOME), "guest": lambda: wire.signed_in(site, NICOLE)}.get(
        who, lambda: wire.signed_in(site, *other)
    )()
    form = {"csrf_token": wire.form_token(browser), "enabled": "no", "email": "eve@evil.example"}
    before = everything(site, FABRIKAM)
    for path in sorted({raw.decode() for raw in paths(site.world)}):
        answers = [wire.ask(site, path, browser=browser), wire.ask(site, path, "POST", form=form, browser=browser)]
        for answer in answers:
            assert answer.status_code in ((403, 405) if who == "guest" else (302, 405)), path
            assert "/sign-in" in answer.headers.get("Location", "/sign-in")
    assert everything(site, FABRIKAM)[:3] == before[:3]


#


def foreign(site: Site) -> list[str]:
    """Woodgrove's console with Fabrikam's ids in it."""
    user, admin = uuid.uuid5(FABRIKAM, NICOLE), uuid.uuid5(FABRIKAM, ADMIN)
    made = kept(site, "somebody@firstup.example,,")
    actions = ("", "/invited", "/block", "/delete", "/reset", "/revoke", "/resend", "/end-sessions", "/restore")
    found = [f"guests/{who}{action}" for who in (user, admin) for action in actions]
    found += [f"guests/import/{made}{rest}" for rest in ("", "/discard", "/results")]
    found += [
        f"resources/{name}{rest}" for name in ("project-plan", PLAN) for rest in ("", "/edit", "/remove", "/share")
    ]
    found += ["domains/fabrikam.example", "domains/fabrikam.example/remove", f"administrators/{admin}/remove"]
    return [f"{THEIRS}/{each}" for each in found]


@pytest.mark.case("A-02")
def test_ids_of_another_tenant_are_not_there(site: Site) -> None:
    browser, places = wire.signed_in(site, "admin@woodgrove.example", THEIRS), foreign(site)
    form = {"csrf_token": wire.form_token(browser), "tenantid": str(FABRIKAM), "tenant_id": str(FABRIKAM)}
    before = everything(site, FABRIKAM)
    for path in places:
        assert wire.ask(site, path, browser=browser).status_code == 404, path
        answer = wire.ask(site, path, "POST", form=form, browser=browser)
        assert answer.status_code in (404, 405), path
        assert wire.ask(site, f"{path}?tenantid={FABRIKAM}", browser=browser).status_code == 400, path
    answer = wire.ask(site, f"/signin/x/{PLAN}?tenantId=woodgrove.example", browser=browser)
    assert answer.status_code == 404
    assert everything(site, FABRIKAM) == before


@pytest.mark.case("A-02")
def test_list_that_mixes_own_and_foreign_changes_nothing(site: Site) -> None:
    browser = wire.signed_in(site, ADMIN, f"{CONSOLE}/resources/expense-portal")
    other, own = "lee@woodgrove.example", site.guest()
    site.world.run("guest", "invite", "woodgrove.example", other, "--no-mail")
    (them,) = site.world.rows("SELECT id FROM users WHERE mail = :m", m=other)
    place, token = f"{CONSOLE}/resources/expense-portal", {"csrf_token": wire.form_token(browser)}
    before = everything(site, FABRIKAM)
    mixed = {**token, "guests": f"{own}\n{other}"}
    assert wire.ask(site, f"{place}/share", "POST", form=mixed, browser=browser).status_code == 422
    swapped = {**token, "guest": str(uuid.UUID(str(them[0])))}
    assert wire.ask(site, f"{place}/unshare", "POST", form=swapped, browser=browser).status_code == 303
    session = {**token, "end": str(uuid.uuid4())}
    assert wire.ask(site, f"{HOME}/account", "POST", form=session, browser=browser).status_code == 303
    assert everything(site, FABRIKAM) == before


#


@pytest.mark.case("A-03")
def test_fresh_installation_has_nobody_and_makes_nobody_by_itself(tmp_path: Path) -> None:
    settings = {
        "GUESTAUTH_DEMO": "off",
        "SECRET_KEY": uuid.uuid4().hex * 2,
        "PUBLIC_URL": "https://guests.example",
    }
    fresh = World(create_app({**environment(tmp_path), "MAIL_SERVER": "mail.example", **settings}), tmp_path)
    with fresh.app.app_context():
        upgrade()
        database.db.engine.dispose()
    assert fresh.rows("SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM tenants)") == [(0, 0)]
    made = fresh.run("tenant", "create", "New", "--domain", "new.example", "--admin", "ann@new.example")
    told = re.sub(r"(?m)^id: .*", "", made.output)  # an id may begin with eight digits
    assert made.exit_code == 0 and not re.search(r"\b[0-9]{8}\b|password|token|http", told)
    assert fresh.rows("SELECT mail, is_administrator FROM users") == [("ann@new.example", True)]
    assert fresh.rows("SELECT count(*) FROM letters") == [(0,)]


@pytest.mark.case("A-05")
def test_guest_makes_themselves_nothing_more_with_fields_of_their_own(site: Site) -> None:
    mail = site.guest()
    more = {"is_administrator": "1", "user_type": "Member", "tenant_id": str(uuid.uuid4()), "state": "Accepted"}
    more |= {
        "role": "admin",
        "user_id": str(uuid.uuid5(FABRIKAM, ADMIN)),
        "expires_at": "2099-01-01",
        "tries": "-9",
    }
    browser = site.awaiting_consent(mail)
    form = {**more, "csrf_token": wire.form_token(browser), "decision": "accept"}
    assert wire.ask(site, browser.path, "POST", form=form, browser=browser).status_code == 303
    found = "SELECT is_administrator, state, blocked_at FROM users WHERE mail = :m AND tenant_id = :t"
    assert [tuple(map(str, row)) for row in site.world.rows(found, m=mail, t=FABRIKAM.hex)] == [
        ("0", "Accepted", "None")
    ]
    assert browser.open(CONSOLE).status == 403


@pytest.mark.case("A-06")
def test_field_of_a_form_verifies_no_domain(site: Site) -> None:
    name = f"claimed-{uuid.uuid4().hex[:8]}.example"
    browser = wire.signed_in(site, ADMIN, f"{CONSOLE}/domains")
    more = {"verified": "1", "verified_at": "2026-01-01 00:00:00", "tenant_id": str(FABRIKAM), "record": "x"}
    form = {**more, "csrf_token": wire.form_token(browser), "domain": name}
    assert wire.ask(site, f"{CONSOLE}/domains", "POST", form=form, browser=browser).status_code == 303
    assert site.world.rows("SELECT verified_at FROM domains WHERE name = :n", n=name) == [(None,)]
    for spelling in (name, f"{name}.", name.upper(), f"sub.{name}"):
        assert wire.ask(site, f"/{spelling}/sign-in").status_code == 404
    assert site.world.run("tenant", "domain", "remove", "fabrikam.example", name).exit_code in (0, 2)


@pytest.mark.case("A-07")
def test_no_command_takes_a_secret_as_an_argument() -> None:
    def parameters(command: click.Command, name: str) -> list[str]:
        below = command.commands.items() if isinstance(command, click.Group) else []
        own = [f"{name} {each.name}" for each in command.params]
        return [*own, *(each for below_name, one in below for each in parameters(one, f"{name} {below_name}"))]

    with create_app({"GUESTAUTH_DEMO": "on", "INSTANCE_PATH": "/nonexistent"}).app_context() as context:
        found = parameters(context.app.cli, "flask")
    words = ("password", "secret", "token", "otp", "passcode", "code", "key", "ticket", "session_id")
    assert len(found) > 100
    assert not [each for each in found if each.rpartition(" ")[2].lower() in words]


#


@pytest.mark.case("A-08")
@pytest.mark.parametrize("action", ["end-sessions", "delete", "block"])
def test_what_an_administrator_ends_is_over_in_every_process(site: Site, action: str) -> None:
    browser = wire.signed_in(site, mail := site.guest())
    (row,) = site.world.rows("SELECT id FROM users WHERE mail = :m", m=mail)
    user = uuid.UUID(str(row[0]))
    admin = wire.signed_in(site, ADMIN, place := f"{CONSOLE}/guests/{user}/{action}")
    assert [wire.ask(site, HOME, browser=browser).status_code for _ in range(4)] == [200] * 4
    form, address = {"csrf_token": wire.form_token(admin)}, {"X-Forwarded-For": "198.51.100.77"}
    assert wire.ask(site, place, "POST", form=form, headers=address, browser=admin).status_code == 303
    assert [wire.ask(site, HOME, browser=browser).status_code for _ in range(12)] == [302] * 12
    names = {"end-sessions": "session.ended", "delete": "guest.deleted", "block": "guest.blocked"}
    told = "SELECT actor, client_address, correlation_id <> '' FROM events WHERE name = :n AND user_id = :u"
    found = site.world.rows(told, n=names[action], u=user.hex)
    assert [tuple(each) for each in found] == [("administrator", "198.51.100.77", True)]


@pytest.mark.case("A-10")
def test_administrator_whose_right_is_taken_sends_no_form_any_more(site: Site) -> None:
    name = f"ann-{uuid.uuid4().hex[:8]}@fabrikam.example"
    assert site.world.run("administrator", "add", "fabrikam.example", name).exit_code == 0
    ann, mail = wire.signed_in(site, name, f"{CONSOLE}/guests/invite"), f"{uuid.uuid4().hex}@firstup.example"
    form = {"csrf_token": wire.form_token(ann), "email": mail}
    assert site.world.run("administrator", "remove", "fabrikam.example", name).exit_code == 0
    answers = [wire.ask(site, ann.path, "POST", form=form, browser=ann) for _ in range(8)]
    assert {answer.status_code for answer in answers} == {302}
    assert site.world.rows("SELECT count(*) FROM users WHERE mail = :m", m=mail) == [(0,)]
