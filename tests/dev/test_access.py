"""The demo kit answers this machine alone, and in production there is none (UX acceptance 32)."""

import subprocess
import sys

import pytest

from tests.probe import ask
from tests.servers import ROOT
from tests.world import World

PRODUCTION = {
    "SECRET_KEY": "0f4c1e7a9b2d8365c7f0a1b2e3d4f5968778695a4b3c2d1e",
    "PUBLIC_URL": "https://guests.fabrikam.example",
    "MAIL_SERVER": "127.0.0.1",
}
DEV = [
    "/dev",
    "/dev/mailbox",
    "/dev/mailbox.json",
    "/dev/mailbox/x.eml",
    "/dev/mailbox/x.html",
    "/dev/clock",
    "/dev/faults",
    "/dev/gallery",
    "/dev/gallery/sign-in",
    "/dev/gallery/style-dark.css",
    "/dev/qa",
    "/dev/qa/alex",
    "/dev/qa.md",
    "/dev/reset",
    "/dev/stand-in/.well-known/openid-configuration",
    "/dev/stand-in/keys",
    "/dev/stand-in/authorize",
]


@pytest.mark.parametrize("path", DEV)
@pytest.mark.parametrize("address", ["192.0.2.1", "::ffff:192.0.2.1", "2001:db8::1", "", "10.0.0.1", "0.0.0.0"])
def test_other_machines_see_nothing(sqlite_world: World, path: str, address: str) -> None:
    answer = ask(sqlite_world.app, path, REMOTE_ADDR=address)
    assert (answer.status, answer.h1) == (404, "We can't find that page")


@pytest.mark.parametrize(
    "header", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "True-Client-IP", "X_Forwarded_For"]
)
def test_no_header_makes_another_machine_this_one(sqlite_world: World, header: str) -> None:
    value = "for=127.0.0.1" if header == "Forwarded" else "127.0.0.1"
    assert ask(sqlite_world.app, "/dev", headers={header: value}, REMOTE_ADDR="192.0.2.1").status == 404


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.8.8", "::1"])
def test_this_machine_by_any_of_its_names_sees_all(sqlite_world: World, address: str) -> None:
    assert ask(sqlite_world.app, "/dev", REMOTE_ADDR=address).status == 200


@pytest.mark.acceptance(32)
def test_production_has_no_rule_of_the_demo_and_not_even_its_code(tmp_path) -> None:
    script = (
        "import sys, guestauth\n"
        "app = guestauth.create_app(dict(pair.split('=', 1) for pair in sys.argv[1:]))\n"
        "assert not {'guestauth.web.dev', 'guestauth.faults'} & set(sys.modules), 'loaded'\n"
        "assert not [rule for rule in app.url_map.iter_rules() if rule.rule.startswith('/dev')], 'registered'\n"
        "client = app.test_client()\n"
        "print({client.get(path, base_url='https://guests.fabrikam.example').status_code"
        f" for path in {DEV}}})\n"
    )
    settings = [f"{name}={value}" for name, value in {**PRODUCTION, "INSTANCE_PATH": str(tmp_path)}.items()]
    done = subprocess.run(
        [sys.executable, "-c", script, *settings], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert (done.stdout.strip(), done.returncode) == ("{404}", 0), done.stderr


def test_letters_lie_in_the_mailbox_for_nobody_else_to_read(sqlite_world: World) -> None:
    sqlite_world.deliver()
    assert (sqlite_world.instance / "mailbox").stat().st_mode & 0o077 == 0
