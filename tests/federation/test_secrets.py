"""The client's secret: sealed, sent to its provider only, and shown nowhere (FD-20)."""

import json
import logging
import re
import secrets
from urllib.parse import urlsplit

import pytest

from guestauth import fetching, identity_providers
from tests.admin import at_console
from tests.federation.person import inner, parameters, ready
from tests.probe import ask_as, tables
from tests.world import FABRIKAM, World


def found_in(text: str, *secret: str) -> list[str]:
    return [each for each in secret if each in text]


@pytest.mark.case("FD-20")
@pytest.mark.both
def test_dump_of_the_database_has_no_secret_of_a_client_and_nothing_of_an_answer(world: World, oidc) -> None:
    person = ready(world, oidc("google"))
    back = person.answered()
    person.browser.open(back).submit("consent", button=("decision", "accept"))
    asked = person.provider.asked("token")[0]["params"]
    dump = json.dumps(tables(world))
    assert asked["code_verifier"] and person.provider.asked("authorization")[0]["params"]["nonce"]
    nonce = person.provider.asked("authorization")[0]["params"]["nonce"]
    brought = (parameters(back)["code"], parameters(back)["state"], asked["code_verifier"], nonce)
    assert found_in(dump, person.provider.client_secret, *brought) == []


@pytest.mark.case("FD-20")
def test_logs_at_their_most_talkative_have_no_secret(world: World, oidc, caplog: pytest.LogCaptureFixture) -> None:
    person = ready(world, oidc("azure_ad"))
    back = person.answered()
    there = urlsplit(inner(person, back))
    caplog.set_level(logging.DEBUG)  # the browser of the tests logs too; now it stands still
    assert ask_as(person.browser, world.app, there.path, query=there.query).status == 303
    assert ask_as(person.browser, world.app, urlsplit(back).path, query=urlsplit(back).query).status == 303
    said = caplog.text
    asked = person.provider.asked("token")[0]["params"]
    brought = (*parameters(back).values(), asked["code_verifier"], person.provider.client_secret)
    assert "localhost" in said and found_in(said, *brought) == []
    assert not re.search(r"eyJ[\w-]+\.eyJ[\w-]+\.", said)  # nor a token


@pytest.mark.case("FD-20")
def test_commands_pages_and_the_audit_log_show_no_secret(sqlite_world: World, oidc) -> None:
    world, person = sqlite_world, ready(sqlite_world, oidc("google"))
    person.accepts()
    made = world.do(identity_providers.listed, FABRIKAM)[0].provider
    at = ["--tenant", "fabrikam.example"]
    said = [world.run("provider", "list", *at).output, world.run("provider", "list", *at, "--json").output]
    said += [world.run("provider", "show", str(made.id), *at, "--json").output, repr(made)]
    said += [world.run("audit", "fabrikam.example", "--json").output]
    said += [at_console(world, each).response.text for each in ("/settings", "/audit", "/sign-ins")]
    assert made.client_id in said[1]
    assert found_in("\n".join(said), person.provider.client_secret, made.sealed_secret) == []


@pytest.mark.case("FD-20")
def test_secret_is_readable_through_the_fallbacks_of_a_new_key_and_without_them_by_nobody(
    world: World, oidc
) -> None:
    person, config = ready(world, oidc("google")), world.app.config
    made = world.do(identity_providers.listed, FABRIKAM)[0].provider
    config["SECRET_KEY_FALLBACKS"], config["SECRET_KEY"] = [config["SECRET_KEY"]], secrets.token_hex(32)
    assert person.signs_in().h1 == "Review permissions"
    config["SECRET_KEY_FALLBACKS"] = []
    with pytest.raises(fetching.Unreachable, match="No key opens"):
        world.do(identity_providers.secret, made)


@pytest.mark.case("FD-20")
def test_key_changed_while_a_guest_is_at_the_provider_costs_them_another_press(world: World, oidc) -> None:
    person, config = ready(world, oidc("google")), world.app.config
    back = person.answered()
    config["SECRET_KEY_FALLBACKS"], config["SECRET_KEY"] = [config["SECRET_KEY"]], secrets.token_hex(32)
    assert "didn't work" in person.browser.open(back).h1
    assert person.again().h1 == "Review permissions"


@pytest.mark.case("FD-20")
def test_sealed_secret_is_of_no_use_at_another_issuer_or_client(world: World, oidc) -> None:
    """Who can write into the table cannot have it sent to a host of their own."""
    ready(world, oidc("google"))
    for column, value in (("issuer", "https://evil.example"), ("client_id", "another")):
        made = world.do(identity_providers.listed, FABRIKAM)[0].provider
        setattr(made, column, value)
        with pytest.raises(fetching.Unreachable, match="No key opens"):
            world.do(identity_providers.secret, made)


@pytest.mark.case("FD-20")
def test_secret_is_sent_to_the_token_endpoint_and_nowhere_else(world: World, oidc) -> None:
    person = ready(world, oidc("google"))
    person.signs_in()
    sent = {
        each: json.dumps(person.provider.asked(each)) for each in ("authorization", "discovery", "jwks", "token")
    }
    assert [each for each, text in sent.items() if found_in(text, person.provider.client_secret)] == ["token"]


@pytest.mark.case("FD-20")
def test_page_that_says_it_did_not_work_has_nothing_of_the_answer_and_its_links_cost_no_try(
    world: World, oidc
) -> None:
    person = ready(world, oidc("google"), email_verified=False)
    back = person.answered()
    browser = person.browser.open(back)
    brought = [parameters(back)[name] for name in ("state", "code")]
    assert browser.status == 403 and found_in(browser.response.text, *brought) == []
    assert browser.click("Nederlands").status == 200
    assert world.rows("SELECT tries FROM sign_ins") == [(1,)]
