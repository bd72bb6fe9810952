"""Secrets and logs (catalogue, chapter 14), on a served site, in the clone and in its history.

The one thing to understand: a secret may be in the environment and in files that only their owner reads; it is in
no log, page, argument, package or commit. K-04, changing the keys, has a test of its own.
"""

import re
import secrets
import shutil
import stat
import subprocess
import tomllib
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests import servers
from tests.attacks import wire
from tests.attacks.wire import SIGN_IN
from tests.e2e.site import HOME, LINK, Site
from tests.servers import ROOT
from tests.world import ADMIN, FABRIKAM

PRIVATE = re.compile(
    r"(^|/)(\.env.*|secret_key.*|id_[a-z0-9]+|[^/]*\.(db|db-wal|db-shm|sqlite3?|pem|key|p12|eml|log))$"
)
KEY = "BEGIN [A-Z ]*PRIVATE" + " KEY"
PLAIN = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} [A-Z]+ guestauth|\[\d{4}-\d\d-\d\d |    |  )")


@pytest.fixture
def site(sqlite_secure_site: Site) -> Site:
    return sqlite_secure_site


def git(*arguments: str) -> list[str]:
    """What git says, as lines; skipped where there is no clone."""
    program = servers.require(shutil.which("git"), "there is no git on this machine")
    done = subprocess.run([program, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    servers.require(None if done.returncode else done, "this is not a clone")
    return [line for line in done.stdout.splitlines() if line]


# K-06

TOLD = [
    ("guest.invited", "success", "", "administrator"),
    ("invitation.mailed", "success", "", "delivery"),
    ("passcode.requested", "success", "", "visitor"),
    ("passcode.mailed", "success", "", "delivery"),
    ("passcode.requested", "refused", "too early", "visitor"),
    ("sign-in", "refused", "wrong code", "visitor"),
    ("sign-in", "success", "", "visitor"),
    ("invitation.redeemed", "success", "", "guest"),
    ("session.ended", "success", "", "guest"),
    ("guest.blocked", "success", "", "administrator"),
    ("guest.unblocked", "success", "", "administrator"),
    ("guest.reset", "success", "", "administrator"),
    ("invitation.revoked", "success", "", "administrator"),
    ("guest.deleted", "success", "", "administrator"),
]


def life(site: Site, mail: str) -> None:
    """Everything that happens to one guest, from being invited to being deleted."""
    admin = wire.signed_in(site, ADMIN, f"{HOME}/admin/guests/invite").submit("invite", email=mail)
    user = re.findall(r"guests/([0-9a-f-]{36})", admin.url)[0]
    guest = (
        site.browser("198.51.100.7").open(site.invitation(mail)).submit("accept-invitation").submit("send-code")
    )
    code = site.code(mail)
    assert guest.submit("send-code").status == 429
    guest.submit("enter-code", code=f"{(int(code) + 1) % 10**8:08d}").submit("enter-code", code=code)
    guest.submit("consent", button=("decision", "accept")).submit("sign-out")
    for action in ("block", "unblock", "reset"):
        admin.open(f"{HOME}/admin/guests/{user}/{action}").submit(action)
    site.sink.wait_until(lambda _: len(site.letters(mail, LINK)) == 2)
    for action in ("revoke", "delete"):
        admin.open(f"{HOME}/admin/guests/{user}/{action}").submit(action)


@pytest.mark.case("K-06")
def test_each_thing_that_happens_is_in_the_log_once_with_who_when_and_whence(site: Site) -> None:
    life(site, mail := f"guest-{uuid.uuid4().hex[:12]}@firstup.example")
    site.world.deliver()
    asked = "SELECT name, result, reason, actor, tenant_id, correlation_id, client_address, at FROM events"
    rows = site.world.rows(
        f"{asked} WHERE address = :mail OR user_id = (SELECT id FROM users WHERE mail = :mail)", mail=mail
    )
    found = sorted(tuple(row[:4]) for row in rows)
    assert found == sorted([*TOLD, TOLD[1]])  # the reset sent a second invitation
    log = site.served.stderr()
    for name, _, _, actor, tenant, correlation_id, address, at in rows:
        assert uuid.UUID(str(tenant)) == FABRIKAM and re.fullmatch("[0-9a-f]{16}", correlation_id), name
        assert abs(datetime.fromisoformat(str(at)).replace(tzinfo=UTC) - datetime.now(UTC)) < timedelta(minutes=5)
        assert actor not in ("visitor", "guest") or (address == "198.51.100.7" and correlation_id in log)


# K-07, K-09


@pytest.mark.case("K-07")
def test_nothing_that_is_sent_makes_a_line_of_its_own_in_the_log(site: Site) -> None:
    before = len(site.served.stderr())
    plain = '\u2028\x85{"level":"INFO"}\',"x'.encode().decode("latin-1")
    odd = f"\x1b[31m\x1b]0;x\x07{plain}"
    lines = (
        f"GET {SIGN_IN}?q=%0aINFO%20forged%1b[31m HTTP/1.1\r\nHost: {wire.host(site)}\r\nUser-Agent: {odd}\r\n\r\n"
    )
    wire.send(site, lines.encode("latin-1"))
    wire.send(site, b"GET /\x1b[31m\xe2\x80\xa8 HTTP/9.9\r\n\r\n")
    wire.send(site, b"GET / HTTP/1.1\r\nBad\x1b[31m Name: x\r\n\r\n")
    wire.ask(site, "/%0aINFO%20forged%0d%1b[31m.example/x")
    browser = site.browser().open(SIGN_IN)
    form = {"csrf_token": wire.form_token(browser), "email": "a\r\nINFO forged\x1b[31m@firstup.example"}
    wire.ask(site, SIGN_IN, "POST", form=form, headers={"User-Agent": plain}, browser=browser)
    written = site.served.stderr()[before:]
    assert "\x1b" not in written and "\u2028" not in written and "forged" not in written
    assert not [line for line in written.splitlines() if not PLAIN.match(line)]


@pytest.mark.case("K-07", "K-08")
def test_log_of_the_whole_site_has_no_address_code_ticket_or_cookie(site: Site) -> None:
    life(site, mail := f"guest-{uuid.uuid4().hex[:12]}@firstup.example")
    log = site.served.stderr()
    ticket = LINK.findall(site.invitation(mail))[0].rpartition("/")[2]
    assert not [each for each in (mail, site.code(mail), ticket, ticket.rpartition(".")[2]) if each in log]
    assert not re.search(r"eyJ[\w-]{10}|@\w+\.example|__Host-", log)


@pytest.mark.case("K-09")
@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/server-status", "/.env", "/.git/config"])
def test_page_for_machines_says_nothing_of_anybody(site: Site, path: str) -> None:
    answer = wire.ask(site, path)
    assert (answer.status_code, answer.text in ("up\n", "ready\n")) == (
        (200, True) if path.endswith("yz") or path == "/healthz" else (404, False)
    )
    assert not re.search(r"\w@|sqlite|postgres|/tmp|/dev/shm|[0-9]+\.[0-9]+\.[0-9]+(?!\.1)", answer.text)


# K-08


@pytest.mark.case("K-08")
def test_files_of_the_instance_are_their_owner_s_alone(site: Site) -> None:
    wire.ask(site, SIGN_IN)
    folder = site.world.instance
    files = {file.relative_to(folder): file for file in folder.rglob("*") if file.is_file()}
    assert {"guestauth.db", "guestauth.db-wal", "guestauth.db-shm", "secret_key"} <= {str(name) for name in files}
    for name, file in files.items():
        ways = [file, *(folder / part for part in name.parents if part != Path())]
        assert any(not stat.S_IMODE(way.stat().st_mode) & 0o077 for way in ways), name


@pytest.mark.case("K-08")
@pytest.mark.parametrize(
    "file", ["instance/guestauth.db", "instance/secret_key", "app.py", "pyproject.toml", ".git/config"]
)
def test_no_address_of_the_static_files_leads_out_of_them(site: Site, file: str) -> None:
    for up in (
        "../",
        "%2e%2e/",
        "..%2f",
        "%2e%2e%2f",
        "....//",
        "..\\",
        "..%5c",
        "%252e%252e%252f",
        "/",
        "../static/../",
    ):
        answer = wire.ask(site, f"/static/{up}{file}")
        assert answer.status_code == 404 and "SQLite" not in answer.text and "hatchling" not in answer.text


@pytest.mark.case("K-08")
def test_nothing_private_is_committed_or_ever_was() -> None:
    committed = git("ls-files", "--cached", "--others", "--exclude-standard")
    ever = git("log", "--all", "--name-only", "--format=", "--diff-filter=A")
    assert not [name for name in {*committed, *ever} if PRIVATE.search(name)]
    assert {name for name in {*committed, *ever} if name.startswith("instance/")} == {"instance/.gitignore"}
    assert git("log", "--all", "--format=%h", f"-G{KEY}") == []


@pytest.mark.case("K-08")
def test_packages_leave_out_what_a_checkout_in_use_has_of_its_own() -> None:
    targets = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]
    assert set(targets["wheel"]["force-include"]) == {"app.py", "gunicorn.conf.py", "templates", "static"}
    assert targets["wheel"]["packages"] == ["guestauth"]
    assert {"/instance", ".env*"} <= set(targets["sdist"]["exclude"])


# What the list did not have


@pytest.mark.case("K-10")
def test_no_process_has_a_secret_among_its_arguments(production_site: Site) -> None:
    served = production_site.served.pid
    children = Path(f"/proc/{served}/task/{served}/children").read_text().split()
    arguments = b"".join(Path(f"/proc/{pid}/cmdline").read_bytes() for pid in (served, *children))
    assert b"app:app" in arguments
    for name in ("SECRET_KEY", "DATABASE_URL", "MAIL_PASSWORD"):
        value = production_site.settings.get(name)
        assert not value or value.encode() not in arguments, name
    environment = Path(f"/proc/{served}/environ").stat()
    assert not environment.st_mode & 0o077


@pytest.mark.case("K-11")
@pytest.mark.parametrize(
    "command", [["doctor", "--json"], pytest.param(["tenant", "list"], marks=pytest.mark.long)], ids=" ".join
)
def test_password_of_a_database_that_is_away_is_shown_nowhere(command: list[str], tmp_path: Path) -> None:
    password = secrets.token_hex(8)
    with servers.closed_port() as port:
        settings = {
            "SECRET_KEY": secrets.token_hex(32),
            "PUBLIC_URL": "https://guests.example",
            "DATABASE_URL": f"postgresql://app:{password}@127.0.0.1:{port}/guests",
            "MAIL_SERVER": "127.0.0.1",
            "MAIL_PORT": str(port),
            "MAIL_USERNAME": "app",
            "MAIL_PASSWORD": password,
            "INSTANCE_PATH": str(tmp_path),
        }
        done = servers.flask(settings, *command)
    assert done.returncode != 0 and done.stderr + done.stdout
    assert not [each for each in (password, settings["SECRET_KEY"]) if each in done.stdout + done.stderr]
