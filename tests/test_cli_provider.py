"""`flask provider`: identity providers of the installation and of tenants, as in the console (B6, B35)."""

import json
import uuid
from pathlib import Path
from typing import Any

import pytest

from guestauth import identity_providers
from tests.federation.person import DIRECTORY, Person, set_up
from tests.steps import audited
from tests.world import ALEX, FABRIKAM, World

T, SECRET, NOBODY = "fabrikam.example", "hush-hush-hush", "https://127.0.0.1:1"
KEYS = ["id", "kind", "displayName", "issuer", "clientId", "covers", "directories", "redirectUri"]
KEYS += ["createdDateTime"]
GOOGLE = ["google", "--tenant", T, "--client-id", "guestauth"]
PARTNER = ["openid_connect", "--tenant", T, "--client-id", "guestauth", "--name", "Partner", "--issuer", NOBODY]
PARTNER += ["--covers", "Proseware.example", "--covers", "kim@firstup.example"]
AZURE_AD = ["azure_ad", "--client-id", "guestauth", "--covers", "proseware.example", "--directory", DIRECTORY]


def shown(world: World, *args: str, typed: str | None = None) -> Any:
    done = world.run("provider", *args, "--json", typed=typed)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout[done.stdout.index("{" if args[0] in ("add", "show") else "[") :])


def added(world: World, *args: str) -> Any:
    return shown(world, "add", *args, "--client-secret-file", "-", typed=f"{SECRET}\n")


def test_provider_of_a_tenant_is_added_listed_and_shown(world: World) -> None:
    made = added(world, *PARTNER)
    assert (list(made), made["displayName"], made["issuer"]) == (KEYS, "Partner", NOBODY)
    assert made["covers"] == ["kim@firstup.example", "proseware.example"]
    assert made["redirectUri"] == f"http://127.0.0.1:5000/sign-in/callback/{made['id']}"
    assert shown(world, "list", "--tenant", T) == [made] == [shown(world, "show", made["id"], "--tenant", T)]
    assert shown(world, "list") == []
    actors = world.rows("SELECT actor FROM events WHERE name = 'provider.added' ORDER BY id DESC LIMIT 1")
    assert actors == [("command line",)]


def test_provider_of_the_installation_is_no_tenant_s(sqlite_world: World) -> None:
    made = added(sqlite_world, *AZURE_AD)
    assert (made["displayName"], made["directories"]) == ("Microsoft", [DIRECTORY])
    assert shown(sqlite_world, "list", "--tenant", T) == []
    assert sqlite_world.run("provider", "show", made["id"], "--tenant", T).exit_code == 1


def test_google_needs_no_more_than_what_google_gives(sqlite_world: World) -> None:
    made = added(sqlite_world, *GOOGLE)
    assert (made["displayName"], made["issuer"]) == ("Google", "https://accounts.google.com")
    assert made["covers"] == ["gmail.com", "googlemail.com"]


def test_secret_is_taken_from_a_prompt_a_file_or_stdin_and_never_shown(
    sqlite_world: World, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text(f"{SECRET}\n")
    given = [([], f"{SECRET}\n"), (["--client-secret-file", str(tmp_path / "secret")], None)]
    for how, typed in [*given, (["--client-secret-file", "-"], f" {SECRET} ")]:
        done = sqlite_world.run("provider", "add", *PARTNER, *how, typed=typed)
        (kept,) = sqlite_world.do(identity_providers.listed, FABRIKAM)
        assert (done.exit_code, sqlite_world.do(identity_providers.secret, kept.provider)) == (0, SECRET)
        seen = done.output + sqlite_world.run("provider", "show", str(kept.provider.id), "--tenant", T).output
        assert SECRET not in seen and "sealed" not in seen
        sqlite_world.run("provider", "remove", str(kept.provider.id), "--tenant", T, "--yes")


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (["add", "google", "--tenant", T], 2, "--client-id"),
        (["add", "myspace", "--tenant", T, "--client-id", "x"], 2, "myspace"),
        (["add", "google", "--client-id", "x"], 2, "say which tenant's"),
        (["add", *GOOGLE, "--tenant", "unknown.example"], 2, "no tenant"),
        (["add", *AZURE_AD, "--tenant", T], 2, "is the installation's"),
        (["add", *AZURE_AD, "--directory", "x"], 2, "named by its tenant id"),
        (["add", *PARTNER, "--issuer", "partner"], 2, "https address"),
        (["add", *PARTNER, "--covers", "a b"], 2, "neither a domain nor an address"),
        (["add", *GOOGLE, "--client-secret-file", "/nowhere"], 2, "/nowhere"),
        (["show", "x"], 2, "x"),
        (["show", str(uuid.UUID(int=9))], 1, "There is no such identity provider"),
        (["remove", str(uuid.UUID(int=9)), "--tenant", T, "--yes"], 1, "There is no such identity provider"),
        (["test", str(uuid.UUID(int=9))], 1, "There is no such identity provider"),
    ],
)
def test_refusal_says_why_and_changes_nothing(sqlite_world: World, args: list[str], code: int, words: str) -> None:
    done = sqlite_world.run("provider", *args, typed=f"{SECRET}\n")
    assert (done.exit_code, words in done.stderr) == (code, True), done.output
    assert SECRET not in done.output and "Traceback" not in done.output
    assert shown(sqlite_world, "list", "--tenant", T) == shown(sqlite_world, "list") == []


@pytest.mark.both
def test_same_provider_twice_is_refused(world: World) -> None:
    added(world, *GOOGLE)
    done = world.run("provider", "add", *GOOGLE, typed=f"{SECRET}\n")
    assert (done.exit_code, "is set up already" in done.stderr) == (2, True)


def test_removing_says_whom_it_locks_out_asks_and_signs_them_out(world: World, oidc) -> None:
    google = oidc("google")
    google.add_account("g-1", email=ALEX, email_verified=True)
    made = str(set_up(world, google).id)
    guest = Person(world, google).signs_in(ALEX, "g-1").submit("consent", button=("decision", "accept"))
    asked = world.run("provider", "remove", made, "--tenant", T, typed="n\n")
    assert "accepted with it and won't be able to sign in: 1; signed in now: 1" in asked.stdout
    assert asked.exit_code == 1
    assert guest.open(guest.path).h1 == "Project plan"
    done = world.run("provider", "remove", made, "--tenant", T, "--yes")
    assert (done.exit_code, "Google is removed; sessions ended: 1" in done.stdout) == (0, True)
    assert guest.open(guest.path).has_form("email-form")
    assert audited(world, "provider.removed") == [("success", "")]


def test_test_says_what_works_and_what_does_not(sqlite_world: World, oidc) -> None:
    google = oidc("google")
    made = str(set_up(sqlite_world, google).id)
    done = sqlite_world.run("provider", "test", made, "--tenant", T)
    assert (done.exit_code, done.stdout) == (0, "Google answers, has keys, and knows us\n")
    nobody = added(sqlite_world, *PARTNER)["id"]
    done = sqlite_world.run("provider", "test", nobody, "--tenant", T)
    assert (done.exit_code, done.stdout) == (1, "") and "127.0.0.1 does not answer" in done.stderr


def test_secret_is_renewed_and_nobody_is_signed_out(world: World, oidc) -> None:
    google = oidc("google")
    google.add_account("g-1", email=ALEX, email_verified=True)
    made = set_up(world, google)
    person = Person(world, google)
    browser = person.signs_in(ALEX, "g-1")
    done = world.run("provider", "renew-secret", str(made.id), "--tenant", T, typed=f"{SECRET}\n")
    assert (done.exit_code, SECRET in done.output) == (0, False)
    assert browser.open("/fabrikam.example").h1 == "Review permissions"
    with world.app.app_context():
        kept = identity_providers.find(made.id, FABRIKAM).provider
        assert identity_providers.secret(kept) == SECRET
    assert audited(world, "provider.changed") == [("success", "")]


def test_tenant_has_twenty_providers_at_the_most(sqlite_world: World) -> None:
    for n in range(20):
        added(sqlite_world, *PARTNER[:-6], "--issuer", f"https://127.0.0.1:{n + 1}", "--covers", f"p{n}.example")
    done = sqlite_world.run("provider", "add", *PARTNER, "--client-secret-file", "-", typed=SECRET)
    assert (done.exit_code, "20 identity providers at most" in done.output) == (2, True)
