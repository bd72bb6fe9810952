"""The stand-in for Google: it speaks OpenID Connect as Google does, to this demo only (issue "other ways in")."""

import base64
import hashlib
import threading
from datetime import timedelta
from json import loads
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from guestauth import database, faults, stand_in
from tests.browser import Browser
from tests.probe import Answer, ask
from tests.steps import another
from tests.world import ALEX, STRANGER, World

JAMIE = "jamie.w@gmail.com"
ORIGIN = "http://127.0.0.1:5000"
BACK = f"{ORIGIN}/sign-in/callback/7"
VERIFIER = "v" * 43
REQUEST = {
    "client_id": stand_in.CLIENT_ID,
    "response_type": "code",
    "scope": "openid email profile",
    "redirect_uri": BACK,
    "state": "s-1",
    "nonce": "n-1",
    "code_challenge": base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("="),
    "code_challenge_method": "S256",
    "login_hint": JAMIE,
}


def at_page(world: World, **changes: str) -> Browser:
    asked = {name: value for name, value in {**REQUEST, **changes}.items() if value}
    return world.browser().open(f"/dev/stand-in/authorize?{urlencode(asked)}")


def sent_back(browser: Browser) -> dict[str, str]:
    to = browser.history[0].headers["Location"]
    assert to.startswith(f"{BACK}?")
    return dict(parse_qsl(urlsplit(to).query))


def code(world: World) -> str:
    return sent_back(at_page(world).submit("suggested"))["code"]


def redeem(world: World, code: str, **changes: str) -> Answer:
    secret = world.do(stand_in.client_secret)
    login = {"client_id": stand_in.CLIENT_ID, "client_secret": secret}
    form = {"grant_type": "authorization_code", "redirect_uri": BACK, "code_verifier": VERIFIER, **login}
    return ask(world.app, "/dev/stand-in/token", "POST", form={**form, "code": code, **changes})


def json(answer: Answer) -> dict[str, Any]:
    return dict(loads(answer.text))


def claims(world: World, code: str) -> dict[str, Any]:
    keys = KeySet.import_key_set(json(ask(world.app, "/dev/stand-in/keys")))
    return jwt.decode(json(redeem(world, code))["id_token"], keys, algorithms=["RS256"]).claims


def test_suggested_address_comes_back_as_a_token_of_the_stand_in(sqlite_world: World) -> None:
    found = claims(sqlite_world, code(sqlite_world))
    now = sqlite_world.do(database.now).timestamp()
    assert found.pop("iat") <= now < found.pop("exp") <= now + 3600
    assert found.pop("sub").isdigit()
    issuer = f"{ORIGIN}/dev/stand-in"
    named = {"iss": issuer, "aud": "guestauth-demo", "nonce": "n-1"}
    assert found == {**named, "email": JAMIE, "email_verified": True}


def test_any_address_is_taken_verified_or_not_and_always_known_by_the_same_number(sqlite_world: World) -> None:
    found = []
    for typed, verified in ((STRANGER, "no"), (STRANGER.upper(), "yes"), (ALEX, "yes")):
        browser = at_page(sqlite_world).submit("other", email=typed, email_verified=verified)
        found.append(claims(sqlite_world, sent_back(browser)["code"]))
    assert [each["email_verified"] for each in found] == [False, True, True]
    assert found[0]["sub"] == found[1]["sub"] != found[2]["sub"]


def test_address_of_another_domain_than_googles_is_as_of_its_workspace(sqlite_world: World) -> None:
    browser = at_page(sqlite_world).submit("other", email="jo@FirstUp.example", email_verified="yes")
    assert claims(sqlite_world, sent_back(browser)["code"])["hd"] == "firstup.example"


def test_answer_has_state_and_says_who_answers(sqlite_world: World) -> None:
    answer = sent_back(at_page(sqlite_world).submit("suggested"))
    assert (answer["state"], answer["iss"]) == ("s-1", f"{ORIGIN}/dev/stand-in")


def test_somebody_who_cancels_goes_back_without_a_code(sqlite_world: World) -> None:
    answer = sent_back(at_page(sqlite_world).submit("cancel", button=("cancel", "yes")))
    assert answer == {"error": "access_denied", "state": "s-1", "iss": f"{ORIGIN}/dev/stand-in"}


def test_page_says_what_it_is_and_that_there_is_no_password(sqlite_world: World) -> None:
    browser = at_page(sqlite_world)
    assert "Stand-in for Google – demo only, no real account, no password." in browser.text
    assert not browser.page.xpath("//input[@type='password']")


@pytest.mark.parametrize("hint", ["", "not an address", "<script>alert(1)</script>@x", "x" * 300])
def test_page_suggests_addresses_only(sqlite_world: World, hint: str) -> None:
    assert not at_page(sqlite_world, login_hint=hint).has_form("suggested")


@pytest.mark.parametrize("typed", ["", "no address"])
def test_address_that_is_none_is_asked_for_again(sqlite_world: World, typed: str) -> None:
    browser = at_page(sqlite_world).submit("other", email=typed)
    assert browser.status == 422 and len(browser.errors) == 1
    assert sent_back(browser.submit("other", email=STRANGER))["code"]


WRONG_REQUESTS = [
    {"client_id": "another"},
    {"redirect_uri": "https://evil.example/sign-in/callback/7"},
    {"redirect_uri": f"{ORIGIN}.evil.example/sign-in/callback/7"},
    {"redirect_uri": f"{ORIGIN}/sign-in/callback/7?x=y"},
    {"redirect_uri": f"{ORIGIN}/sign-in/callback/../7"},
    {"redirect_uri": f"{ORIGIN}/dev"},
    {"redirect_uri": "/sign-in/callback/7"},
    {"redirect_uri": ""},
    {"response_type": "token"},
    {"scope": "email"},
    {"code_challenge": ""},
    {"code_challenge_method": "plain"},
    {"state": "x" * 2001},
]


def test_request_of_anybody_else_leads_nowhere(sqlite_world: World) -> None:
    for wrong in WRONG_REQUESTS:
        browser = at_page(sqlite_world, **wrong)
        assert (browser.status, browser.h1) == (400, "That didn't work"), wrong
        assert next(iter(wrong)) in browser.text


# Codes


def test_code_works_once_in_any_process_even_at_once(sqlite_world: World) -> None:
    mine, answers = code(sqlite_world), []
    worlds = [sqlite_world, another(sqlite_world)] * 4
    threads = [threading.Thread(target=lambda w=w: answers.append(redeem(w, mine).status)) for w in worlds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [200] + [400] * 7


WRONG_TOKEN_REQUESTS = {
    "invalid_grant": [
        {"code": "x"},
        {"code": "../secret_key"},
        {"code_verifier": "w" * 43},
        {"code_verifier": ""},
        {"redirect_uri": f"{BACK}7"},
    ],
    "unsupported_grant_type": [{"grant_type": "password"}],
    "invalid_client": [{"client_secret": "x"}, {"client_secret": "é"}, {"client_id": "another"}],
}


@pytest.mark.parametrize("error", WRONG_TOKEN_REQUESTS)
def test_code_is_worth_nothing_to_anybody_else(sqlite_world: World, error: str) -> None:
    for wrong in WRONG_TOKEN_REQUESTS[error]:
        answer = redeem(sqlite_world, **{"code": code(sqlite_world), **wrong})
        status = 401 if error == "invalid_client" else 400
        assert (answer.status, json(answer)["error"]) == (status, error), wrong


def test_other_machine_gets_no_token(sqlite_world: World) -> None:
    mine = code(sqlite_world)
    answer = ask(sqlite_world.app, "/dev/stand-in/token", "POST", form={"code": mine}, REMOTE_ADDR="192.0.2.1")
    assert answer.status == 404


def test_code_works_for_a_minute(sqlite_world: World) -> None:
    first, second = code(sqlite_world), code(sqlite_world)
    sqlite_world.advance(58)
    assert redeem(sqlite_world, first).status == 200
    sqlite_world.advance(3)
    assert redeem(sqlite_world, second).status == 400


def test_token_goes_by_the_demo_s_clock(sqlite_world: World) -> None:
    sqlite_world.advance(timedelta(days=3).total_seconds())
    found = claims(sqlite_world, code(sqlite_world))
    assert found["iat"] <= sqlite_world.do(database.now).timestamp() < found["iat"] + 60


def test_client_may_name_itself_in_the_header(sqlite_world: World) -> None:
    secret = sqlite_world.do(stand_in.client_secret)
    form = {"grant_type": "authorization_code", "redirect_uri": BACK, "code_verifier": VERIFIER}
    for given, status in ((secret, 200), ("x", 401), ("", 401)):
        login = base64.b64encode(f"guestauth-demo:{given}".encode()).decode()
        headers = {"Authorization": f"Basic {login}"}
        sent = {**form, "code": code(sqlite_world)}
        assert ask(sqlite_world.app, "/dev/stand-in/token", "POST", form=sent, headers=headers).status == status


def test_codes_and_key_are_for_nobody_else_to_read(sqlite_world: World) -> None:
    mine = code(sqlite_world)
    redeem(sqlite_world, code(sqlite_world))
    folder, key = sqlite_world.instance / "stand-in", sqlite_world.instance / "stand_in_key"
    assert (folder.stat().st_mode & 0o777, key.stat().st_mode & 0o777) == (0o700, 0o600)
    assert len(list(folder.iterdir())) == 1 and mine not in "".join(map(str, folder.iterdir()))


def test_public_keys_have_nothing_secret_and_stay_the_same(sqlite_world: World) -> None:
    answers = [json(ask(each.app, "/dev/stand-in/keys")) for each in (sqlite_world, another(sqlite_world))]
    assert answers[0] == answers[1]
    assert set(answers[0]["keys"][0]) == {"kty", "n", "e", "kid", "use", "alg"}


# Discovery, and its being down


def test_discovery_names_addresses_that_are_there(sqlite_world: World) -> None:
    found = json(ask(sqlite_world.app, "/dev/stand-in/.well-known/openid-configuration"))
    assert found["issuer"] == f"{ORIGIN}/dev/stand-in" == sqlite_world.do(stand_in.issuer)
    statuses = {"authorization_endpoint": 400, "token_endpoint": 405, "jwks_uri": 200}
    for name, status in statuses.items():
        assert ask(sqlite_world.app, found[name].removeprefix(ORIGIN)).status == status


def test_provider_that_is_down_answers_503_to_guestauth_and_comes_back(sqlite_world: World) -> None:
    sqlite_world.do(faults.turn_on, faults.PROVIDER)
    mine = code(sqlite_world)
    for path in ("keys", ".well-known/openid-configuration"):
        assert ask(sqlite_world.app, f"/dev/stand-in/{path}").status == 503
    assert redeem(sqlite_world, mine).status == 503
    sqlite_world.do(faults.turn_off, faults.PROVIDER)
    assert redeem(sqlite_world, mine).status == 200
