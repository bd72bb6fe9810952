"""What strangers and administrators wrote, shown to others (catalogue, chapter 13: A-09, A-11, A-12; C-07).

The one thing to understand: `hostile_tenant` has hostile words wherever words can be, and Chromium opens each page
of its console; a person complains about each violation of the content security policy (see `tests/e2e/person.py`).
"""

import csv
import io
import uuid

import pytest

from guestauth import guests, import_files, imports, invitations, resources
from guestauth.audit import Caller
from tests.attacks import wire
from tests.attacks.test_administration import CONSOLE, HEADER
from tests.e2e.fixtures import Arrive
from tests.e2e.site import HOME, Site
from tests.hostile import multipart
from tests.world import ADMIN, BY, FABRIKAM, NICOLE

HOSTILE = "=1+1|\"'><img src=x onerror=alert(1)><script>alert(2)</script>{{7*7}}\u202e"
SEEN = [
    "guests",
    "guests?only=deleted",
    "guests/invite",
    "resources",
    "guests/import",
    "resources/add",
    "sign-ins",
]
SEEN += ["settings/details", "policy", "audit", "domain-list", "domains", "administrators", "settings"]


@pytest.fixture
def site(sqlite_secure_site: Site) -> Site:
    return sqlite_secure_site


#


def hostile_tenant(site: Site) -> tuple[str, str, list[str]]:
    """A tenant where every name is hostile: its domain, its administrator, and the pages of its console."""
    domain, run = f"hostile-{uuid.uuid4().hex[:8]}.example", site.world.run
    admin, guest = f"{{{{7*7}}}}'`|@{domain}", f"=1+1'{{{{7*7}}}}@{domain}"
    assert run("tenant", "create", HOSTILE, "--domain", domain, "--admin", admin).exit_code == 0
    tenant = uuid.UUID(str(site.world.rows("SELECT tenant_id FROM domains WHERE name = :n", n=domain)[0][0]))
    by = Caller(actor="administrator", name=HOSTILE, client_address="198.51.100.9", browser=HOSTILE)
    words = {"display_name": HOSTILE, "message": HOSTILE, "target": "/apps/odd", "send_mail": False}
    made = site.world.do(invitations.invite, tenant, guest, by=by, **words)
    site.world.do(guests.block, tenant, made.user_id, by=by)
    site.world.do(guests.unblock, tenant, made.user_id, by=by)
    site.world.do(resources.add, tenant, "odd", title=HOSTILE, text=HOSTILE, by=by)
    site.world.do(resources.add, tenant, "odd-file", title=HOSTILE, file=(f"{HOSTILE}.txt", b"x"), by=by)
    site.world.do(resources.share, tenant, "odd", user_id=made.user_id, by=by)
    plan = site.world.do(import_files.planned, tenant, f"{HEADER}{guest},{HOSTILE},\n{HOSTILE},,".encode())
    file = site.world.do(imports.keep, tenant, f"{HOSTILE}.csv", plan, by=by).id
    pages = [
        f"guests/{made.user_id}{rest}" for rest in ("", "/invited", "/block", "/delete", "/revoke", "/resend")
    ]
    pages += [f"guests/import/{file}{rest}" for rest in ("", "/discard")] + [
        f"domains/{domain}",
        f"guests?q={HOSTILE[:20]}",
    ]
    pages += [f"resources/{slug}{rest}" for slug in ("odd", "odd-file") for rest in ("", "/edit", "/remove")]
    return domain, admin, pages


@pytest.mark.case("A-09", "C-07")
@pytest.mark.parametrize("every", [3, pytest.param(1, marks=pytest.mark.long)], ids=["every third", "every page"])
def test_page_of_the_console_shows_hostile_names_as_text(site: Site, arrive: Arrive, every: int) -> None:
    domain, mail, pages = hostile_tenant(site)
    admin = (
        arrive(site, user_agent=f"{HOSTILE[:-1]} Firefox/1")
        .ask_for_code(mail, f"/{domain}/admin")
        .enter_code(mail)
    )
    admin.page.on("dialog", lambda dialog: admin.complaints.append(f"dialog {dialog.message}") or dialog.dismiss())
    shown = 0
    for path in [*SEEN, *pages][::every]:
        answer = admin.page.goto(f"{site.url}/{domain}/admin/{path}")
        assert answer is not None and answer.status == 200, path
        assert admin.page.locator("img[src=x], main script").count() == 0, path
        text = admin.page.inner_text("body")
        assert "49@" not in text and "{{7*7}}" in text, path
        shown += "<script>alert(2)" in text
    assert shown > 20 / every


@pytest.mark.case("A-09")
def test_no_file_carries_a_formula_of_a_stranger_s(site: Site) -> None:
    domain, mail, pages = hostile_tenant(site)
    admin = wire.signed_in(site, mail, f"/{domain}/admin/guests")
    site.browser().new(language="=cmd|' /C calc'!A0").open(f"/{domain}/sign-in").submit(
        "email-form", email=f"=a+b@{domain}"
    )
    results = next(page for page in pages if "guests/import/" in page) + "/results"
    for path in ("guests/export", "resources/export", "audit/export", "sign-ins/export", results):
        answer = wire.ask(site, f"/{domain}/admin/{path}", browser=admin)
        assert answer.headers["Content-Disposition"].startswith("attachment") and answer.headers[
            "Content-Type"
        ].startswith("text/csv")
        rows = list(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"))))
        assert len(rows) > 1 and not [cell for row in rows for cell in row if cell[:1] in "=+-@\t\r|" and cell]


# What the list did not have


@pytest.mark.case("A-11")
@pytest.mark.parametrize(
    ("name", "content"), [("a.html", b"<script>alert(1)</script>"), ("a.svg", b"<svg onload='alert(1)'/>")]
)
def test_file_that_an_administrator_shares_never_runs_here(site: Site, name: str, content: bytes) -> None:
    slug = f"file-{uuid.uuid4().hex[:8]}"
    admin = wire.signed_in(site, ADMIN, f"{CONSOLE}/resources/add")
    fields = {"csrf_token": wire.form_token(admin), "title": "File", "slug": slug, "kind": "file"}
    sent = multipart([*((each, None, value.encode()) for each, value in fields.items()), ("file", name, content)])
    assert wire.ask(site, admin.path, "POST", browser=admin, **sent).status_code == 303
    site.world.do(resources.share, FABRIKAM, slug, user_id=None, by=BY)
    answer = wire.ask(site, f"{HOME}/apps/{slug}/download", browser=wire.signed_in(site, NICOLE))
    assert answer.headers["Content-Disposition"].startswith("attachment") and answer.content == content
    assert answer.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    site.world.do(resources.remove, FABRIKAM, slug, by=BY)


@pytest.mark.case("A-12")
@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "//evil.example", "vbscript:x"]
)
def test_address_that_an_administrator_shares_is_on_the_web(site: Site, url: str) -> None:
    admin = wire.signed_in(site, ADMIN, f"{CONSOLE}/resources/add")
    form = {"csrf_token": wire.form_token(admin), "title": "Odd", "kind": "url", "url": url}
    assert wire.ask(site, admin.path, "POST", form=form, browser=admin).status_code == 422
    contact = {"name": "Fabrikam", "language": "en", "retention_days": "90", "privacy_statement_url": url}
    contact["csrf_token"] = form["csrf_token"]
    answer = wire.ask(site, f"{CONSOLE}/settings/details", "POST", form=contact, browser=admin)
    assert answer.status_code == 422
