"""The tests' OpenID providers do what tests of sign-in rely on: a plain client goes the whole way by itself."""

import base64
import hashlib
import json
import secrets
import time
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx
import pytest
from joserfc import jwt
from joserfc.errors import BadSignatureError, JoseError
from joserfc.jwk import KeySet

from tests.conftest import Provide
from tests.providers import KINDS, PERSONAL, NodeProvider, OpenIdProvider, Refused
from tests.providers.node import FOLDER

pytestmark = pytest.mark.long  # every day who signs in by them would notice
BACK = "http://127.0.0.1:5000/sign-in/callback/1"
JAMIE = {"email": "jamie.w@gmail.com", "email_verified": True}
TID = "5b1c2d3e-0000-4000-8000-00000000a001"
NODES = [kind for kind in KINDS if kind != "mock"]


class Client:
    """A client as small as can be: what it keeps for one sign-in."""

    def __init__(self, provider: OpenIdProvider) -> None:
        self.provider, self.document = provider, provider.document()
        self.verifier, self.state, self.nonce = (secrets.token_urlsafe(40) for _ in range(3))
        provider.allow(BACK)
        provider.add_account("jamie", **JAMIE, tid=TID, oid="o-1", xms_edov=True)

    def address(self, **changes: str) -> str:
        digest = hashlib.sha256(self.verifier.encode()).digest()
        asked = {
            "client_id": self.provider.client_id,
            "response_type": "code",
            "scope": "openid email profile",
            "redirect_uri": BACK,
            "state": self.state,
            "nonce": self.nonce,
            "code_challenge": base64.urlsafe_b64encode(digest).decode().rstrip("="),
            "code_challenge_method": "S256",
        }
        asked = {name: value for name, value in {**asked, **changes}.items() if value}
        return f"{self.document['authorization_endpoint']}?{urlencode(asked)}"

    def answered(self, account: str | None = "jamie", **changes: str) -> dict[str, str]:
        back = self.provider.authorize(self.address(**changes), account)
        assert back.startswith(f"{BACK}?")
        return dict(parse_qsl(urlsplit(back).query))

    def redeemed(self, code: str, secret: str = "", **changes: str) -> httpx.Response:
        sent = {"grant_type": "authorization_code", "redirect_uri": BACK, "code_verifier": self.verifier}
        login = (self.provider.client_id, secret or self.provider.client_secret)
        with self.provider.client(auth=login) as client:
            return client.post(self.document["token_endpoint"], data={**sent, "code": code, **changes})

    def id_token(self) -> str:
        return str(self.redeemed(self.answered()["code"]).raise_for_status().json()["id_token"])

    def claims(self) -> dict[str, Any]:
        return self.verified(self.id_token())

    def verified(self, token: str) -> dict[str, Any]:
        with self.provider.client() as client:
            keys = KeySet.import_key_set(client.get(self.document["jwks_uri"]).json())
        return jwt.decode(token, keys, algorithms=["RS256"]).claims


def node(oidc: Provide, kind: str = "google") -> NodeProvider:
    provider = oidc(kind)
    assert isinstance(provider, NodeProvider)
    return provider


@pytest.mark.parametrize("kind", KINDS)
def test_plain_client_goes_the_whole_way(oidc: Provide, kind: str) -> None:
    client = Client(oidc(kind))
    claims = client.claims()
    assert claims["iss"] == client.provider.issuer.replace("{tenantid}", TID)
    assert claims["sub"] == "jamie" and claims["aud"] in ("guestauth", ["guestauth"])
    assert claims["nonce"] == client.nonce and claims.items() >= JAMIE.items()
    assert claims["iat"] <= time.time() + 5 < claims["exp"]


@pytest.mark.parametrize("kind", KINDS)
def test_discovery_names_the_issuer_as_the_live_one_does(oidc: Provide, kind: str) -> None:
    provider = oidc(kind)
    assert provider.document()["issuer"] == provider.issuer
    path = {"azure_ad": "/{tenantid}/v2.0", "microsoft_account": f"/{PERSONAL}/v2.0", "other": "/realms/guests"}
    assert provider.issuer == provider.origin + path.get(kind, "")


@pytest.mark.parametrize("kind", KINDS)
def test_somebody_who_cancels_comes_back_with_an_error(oidc: Provide, kind: str) -> None:
    client = Client(oidc(kind))
    answer = client.answered(None)
    assert (answer["error"], answer.get("state", client.state)) == ("access_denied", client.state)
    assert "code" not in answer


@pytest.mark.parametrize(
    "hints", [{"login_hint": "x@y.example", "ui_locales": "nl"}, {"prompt": "select_account"}]
)
@pytest.mark.parametrize("kind", KINDS)
def test_hints_are_taken(oidc: Provide, kind: str, hints: dict[str, str]) -> None:
    if kind == "other":  # need not know it (Core, 15.1)
        hints = {**hints, "prompt": "login"} if "prompt" in hints else hints
    assert "code" in Client(oidc(kind)).answered(**hints)


@pytest.mark.parametrize("kind", KINDS)
def test_state_comes_back_and_iss_as_the_live_one_sends_it(oidc: Provide, kind: str) -> None:
    client = Client(oidc(kind))
    answer = client.answered()
    announced = client.document.get("authorization_response_iss_parameter_supported", False)
    sent = {"google": client.provider.issuer, "other": client.provider.issuer}
    assert (answer["state"], answer.get("iss"), announced) == (client.state, sent.get(kind), kind == "other")


@pytest.mark.parametrize("kind", KINDS)
def test_new_key_signs_and_the_old_one_is_gone(oidc: Provide, kind: str) -> None:
    client = Client(oidc(kind))
    before = client.id_token()
    client.provider.rotate_keys()
    assert client.claims()["sub"] == "jamie"
    with pytest.raises((JoseError, ValueError)):
        client.verified(before)


def test_old_key_can_be_kept_for_a_while(oidc: Provide) -> None:
    client = Client(node(oidc))
    before = client.id_token()
    node(oidc).rotate_keys(keep_old=True)
    assert client.verified(before)["sub"] == client.claims()["sub"] == "jamie"


@pytest.mark.parametrize("kind", KINDS)
def test_provider_that_is_stopped_refuses_and_comes_back(oidc: Provide, kind: str) -> None:
    provider = oidc(kind)
    provider.stop()
    with pytest.raises(httpx.ConnectError):
        provider.document()
    provider.start()
    assert Client(provider).claims()["email"] == JAMIE["email"]


# What oidc-provider checks of the client


@pytest.mark.parametrize("kind", NODES)
def test_code_works_once(oidc: Provide, kind: str) -> None:
    client = Client(oidc(kind))
    code = client.answered()["code"]
    assert [client.redeemed(code).status_code for _ in range(2)] == [200, 400]


@pytest.mark.parametrize(
    "wrong",
    [{"secret": "x" * 32}, {"code_verifier": "x" * 43}, {"redirect_uri": f"{BACK}0"}, {"code": "x"}],
    ids=str,
)
def test_token_is_for_who_asked_only(oidc: Provide, wrong: dict[str, str]) -> None:
    client = Client(node(oidc))
    assert client.redeemed(**{"code": client.answered()["code"], **wrong}).status_code in (400, 401)


@pytest.mark.parametrize(
    "wrong",
    [
        {"code_challenge": "", "code_challenge_method": ""},
        {"code_challenge_method": "plain"},
        {"redirect_uri": "https://evil.example/"},
        {"client_id": "another"},
        {"response_type": "token"},
    ],
    ids=str,
)
def test_request_that_is_no_good_is_refused(oidc: Provide, wrong: dict[str, str]) -> None:
    with pytest.raises(Refused, match="error"):
        Client(node(oidc)).answered(**wrong)


@pytest.mark.parametrize("kind", KINDS)
def test_secret_is_taken_in_the_header_and_in_the_form(oidc: Provide, kind: str) -> None:
    client = Client(oidc(kind))
    document, code = client.document, client.answered()["code"]
    secret = {"client_id": client.provider.client_id, "client_secret": client.provider.client_secret}
    sent = {
        "grant_type": "authorization_code",
        "redirect_uri": BACK,
        "code_verifier": client.verifier,
        "code": code,
    }
    with client.provider.client() as http:
        assert http.post(document["token_endpoint"], data={**sent, **secret}).status_code == 200
    methods = document.get("token_endpoint_auth_methods_supported", ["client_secret_basic", "client_secret_post"])
    assert methods == ["client_secret_basic", "client_secret_post"]


# What a test makes wrong


def test_each_tenant_of_azure_ad_has_its_own_issuer(oidc: Provide) -> None:
    client, other = Client(node(oidc, "azure_ad")), TID.replace("a001", "a002")
    client.provider.add_account("jamie", **JAMIE, tid=other, oid="o-2")
    claims = client.claims()
    assert (claims["iss"], claims["tid"]) == (node(oidc, "azure_ad").issuer_of(other), other)
    assert "xms_edov" not in claims


def test_clock_of_the_provider_is_moved(oidc: Provide) -> None:
    client = Client(node(oidc))
    node(oidc).skew_clock(-7200)
    assert client.claims()["exp"] < time.time()


@pytest.mark.parametrize("claims", [{"aud": "another"}, {"nonce": None}, {"iss": "https://evil.example"}], ids=str)
def test_claims_are_forged_under_a_signature_that_is_right(oidc: Provide, claims: dict[str, Any]) -> None:
    client = Client(node(oidc))
    node(oidc).forge(**claims)
    ((name, value),) = claims.items()
    assert client.claims().get(name) == value


@pytest.mark.parametrize("signature", ["none", "stranger", "secret", "public"])
def test_signature_is_forged(oidc: Provide, signature: str) -> None:
    client = Client(node(oidc))
    node(oidc).forge(signature=signature, email="boss@fabrikam.example")
    token = client.id_token()
    header, claims, _ = token.split(".")
    assert json.loads(base64.urlsafe_b64decode(claims + "=="))["email"] == "boss@fabrikam.example"
    alg = json.loads(base64.urlsafe_b64decode(header + "=="))["alg"]
    assert alg == {"none": "none", "stranger": "RS256"}.get(signature, "HS256")
    with pytest.raises((BadSignatureError, JoseError, ValueError)):
        client.verified(token)


@pytest.mark.parametrize(("iss", "sent"), [("", None), ("https://evil.example", "https://evil.example")])
def test_iss_of_the_response_is_forged(oidc: Provide, iss: str, sent: str | None) -> None:
    client = Client(node(oidc))
    node(oidc).send_iss(iss)
    assert (client.answered().get("iss"), client.answered(None).get("iss")) == (sent, sent)


def test_discovery_is_forged_and_endpoints_fail(oidc: Provide) -> None:
    provider = node(oidc)
    provider.publish(issuer="https://evil.example")
    assert provider.document()["issuer"] == "https://evil.example"
    client = Client(provider)
    provider.fail(token=503, discovery=500)
    assert client.redeemed("x").status_code == 503
    with pytest.raises(ValueError):
        provider.document()


def test_what_the_client_asked_is_known(oidc: Provide) -> None:
    client = Client(node(oidc))
    client.claims()
    (asked,), (redeemed,) = node(oidc).asked("authorization"), node(oidc).asked("token")
    assert asked["params"]["nonce"] == client.nonce
    assert (
        redeemed["basic"] and redeemed["status"] == 200 and redeemed["params"]["code_verifier"] == client.verifier
    )


def test_next_test_gets_it_as_new(oidc: Provide) -> None:
    provider = node(oidc)
    provider.forge(aud="another")
    provider.stop()
    provider.reset()
    assert Client(provider).claims()["aud"] == "guestauth"


def test_lock_file_names_no_registry() -> None:
    """Mend: npm install --package-lock-only --omit-lockfile-registry-resolved."""
    lock = json.loads((FOLDER / "package-lock.json").read_text("utf-8"))
    assert len(lock["packages"]) > 50
    assert [name for name, package in lock["packages"].items() if "resolved" in package] == []
    assert [name for name, package in lock["packages"].items() if name and "integrity" not in package] == []
