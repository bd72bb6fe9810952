"""OpenID Connect: the protocol, from our side, without the framework.

What it does: `discover` reads what a provider says of itself; `way_out` is where a browser goes; `exchanged` turns
the code it comes back with into claims that were checked.

The one thing to understand: nothing a browser brings is believed. The code is worth something only together with
our secret and the verifier of this sign-in; the token is believed when the provider's key signed it, for us, for
this sign-in (its nonce), by the very issuer that is set up, and not too long ago.

What must stay true: only asymmetric signatures count; the issuer is the one that is set up, or, where one address
speaks for many directories (Azure AD), that of the directory (`tid`) in the token, which must be on the list; an
answer that names its issuer (RFC 9207) names the right one.

Called by `federation`. It keeps what providers say of themselves for an hour, and nothing of anybody.
Sources: OpenID Connect Core 1.0, 3.1; Discovery 1.0, 4; RFC 6749, 7636, 9207, 9700; Microsoft identity platform,
ID token claims.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote_plus, urlencode

from authlib.common.errors import AuthlibBaseError
from authlib.oauth2.client import OAuth2Client
from authlib.oidc.core import CodeIDToken
from cryptography.exceptions import UnsupportedAlgorithm
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from guestauth import fetching
from guestauth.database import Refusal
from guestauth.fetching import Unreachable as Unreachable
from guestauth.languages import N_

SCOPE = "openid email profile"
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
LEEWAY = 60  # s that a provider's clock may be off
KEPT_FOR = 3600  # s that a provider's settings and keys are kept
ASKED_AGAIN_AFTER = 30  # s; a token that none of the keys has signed has them read anew, but not more often
MOST_KEPT = 200  # providers whose settings and keys are kept
ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")
ODD = (TypeError, ValueError, KeyError, AttributeError, ArithmeticError, UnsupportedAlgorithm)  # of odd content
IN_THE_FORM = "client_secret_post"  # how we prove ourselves, where a provider takes it
SETTINGS = (  # of all that a provider says of itself, what we go by
    *("issuer", *ENDPOINTS, "userinfo_endpoint", "token_endpoint_auth_methods_supported"),
    "authorization_response_iss_parameter_supported",
)
DIRECTORY = "{tenantid}"  # stands for the directory in the issuer of an address that speaks for many


class AnswerRefused(Refusal):
    """What a browser brought back, or the provider answered, is not to be believed; the text says why."""


@dataclass(frozen=True, kw_only=True)
class Client:
    """What we are at a provider."""

    issuer: str
    client_id: str
    secret: str = field(repr=False)
    redirect_uri: str
    whose: str = ""  # the tenant it belongs to; empty: the installation
    directories: Sequence[str] = ()  # the only ones whose word counts, where one address speaks for many


@dataclass
class _Kept:
    """What was read of a provider, when (s, monotonic), and for how long it is kept."""

    content: Any
    read_at: float
    kept_for: float = ASKED_AGAIN_AFTER  # until it has been found good


_settings: dict[str, _Kept] = {}
_keys: dict[str, _Kept] = {}


def _keep(kept: dict[str, _Kept], name: str, content: Any) -> _Kept:
    """Keep what was read in the place of what is oldest, if there is much already."""
    kept.pop(name, None)
    while len(kept) >= MOST_KEPT:
        kept.pop(next(iter(kept)))
    kept[name] = _Kept(content, time.monotonic())
    return kept[name]


def forget() -> None:
    """Forget what was read of providers: it is asked anew."""
    _settings.clear()
    _keys.clear()


def discover(client: Client) -> dict[str, Any]:
    """Return what a provider says of itself (Discovery 1.0, 4); it is asked once an hour.

    :raises Unreachable: :raises AnswerRefused: if it is not the issuer that is set up.
    """
    kept = _settings.get(client.issuer)
    if kept is None or time.monotonic() - kept.read_at > kept.kept_for:
        place = f"{client.issuer.rstrip('/')}/.well-known/openid-configuration"
        answer = fetching.fetch(place, whose=client.whose)
        answer.raise_for_status()
        content = {name: answer.content[name] for name in SETTINGS if name in answer.content}
        kept = _keep(_settings, client.issuer, content)
    _check_settings(client, kept.content)
    kept.kept_for = KEPT_FOR
    return dict(kept.content)


def way_out(client: Client, *, state: str, nonce: str, verifier: str, **hints: str) -> str:
    """Return the address to send a browser to (Core 1.0, 3.1.2.1; PKCE, RFC 7636).

    :param hints: `login_hint`, `prompt`, `ui_locales`, as they are.
    :raises Unreachable: :raises AnswerRefused:
    """
    asked = _client(client)
    url, _ = asked.create_authorization_url(
        discover(client)["authorization_endpoint"], state=state, nonce=nonce, code_verifier=verifier, **hints
    )
    return str(url)


def exchanged(
    client: Client, code: str, *, nonce: str, verifier: str, iss: str | None, at: datetime
) -> dict[str, Any]:
    """Turn an authorization code into the checked claims of an ID token (Core 1.0, 3.1.3).

    :param iss: the issuer that the browser's address named (RFC 9207), if it did.
    :param at: the time to judge the token by.
    :raises Unreachable: :raises AnswerRefused:
    """
    settings = discover(client)
    if iss is None and settings.get("authorization_response_iss_parameter_supported"):
        raise AnswerRefused(N_("the answer does not name its issuer"))
    if iss is not None and not client.directories and iss != client.issuer:
        raise AnswerRefused(N_("the answer names another issuer"))
    token = _token(client, settings, code, verifier)
    claims = _signed(client, settings, str(token.get("id_token", "")))
    expected = _issuer_of(client, settings, claims)
    if iss is not None and iss != expected:
        raise AnswerRefused(N_("the answer names another issuer"))
    options = {
        "iss": {"essential": True, "value": expected},
        "aud": {"essential": True, "value": client.client_id},
    }
    told = {"nonce": nonce, "client_id": client.client_id, "access_token": token.get("access_token")}
    try:
        CodeIDToken(claims.claims, claims.header, options, told).validate(int(at.timestamp()), LEEWAY)
    except (JoseError, TypeError, ValueError) as fault:
        raise AnswerRefused(N_("the token is no good: %(fault)s", fault=fault)) from fault
    if "email" in claims.claims or client.directories:
        return dict(claims.claims)
    elsewhere = _of_userinfo(client, settings, token, claims.claims["sub"])
    return {**claims.claims, "email_verified": False, **elsewhere}  # what is said of it here is of no address


def tried(client: Client) -> None:
    """Try what is set up: the provider's settings, its keys, and whether it knows us and our secret.

    :raises Unreachable: :raises AnswerRefused: with what is wrong.
    """
    _settings.pop(client.issuer, None)
    settings = discover(client)
    _keys.pop(settings["jwks_uri"], None)
    _read_keys(client, settings["jwks_uri"])
    try:
        _token(client, settings, "made-up", "made-up-verifier-of-forty-three-characters-")
    except AnswerRefused as refusal:
        if "invalid_grant" in str(refusal):  # it knows us, and not the code
            return
        raise
    raise AnswerRefused(N_("the provider takes a made-up code"))


def _check_settings(client: Client, settings: Mapping[str, Any]) -> None:
    issuer = settings.get("issuer")
    if not isinstance(issuer, str):
        raise AnswerRefused(N_("the provider does not say who it is"))
    same = (
        fetching.origin(issuer) == fetching.origin(client.issuer)
        if client.directories
        else issuer == client.issuer
    )
    if not same:
        raise AnswerRefused(
            N_("the provider says it is %(issuer)s, not %(expected)s", issuer=issuer[:200], expected=client.issuer)
        )
    for name in ENDPOINTS:
        if not isinstance(settings.get(name), str):
            raise AnswerRefused(N_("the provider has no %(name)s", name=name))
        fetching.check(settings[name])


def _issuer_of(client: Client, settings: Mapping[str, Any], token: jwt.Token) -> str:
    """Return who must have issued a token."""
    issuer: str = settings["issuer"]
    if not client.directories:
        return issuer
    directory = token.claims.get("tid")
    if directory not in client.directories:
        raise AnswerRefused(N_("the account is of a directory that is not on the list"))
    return issuer.replace(DIRECTORY, str(directory))


class _Session:
    """What the library asks the token endpoint through."""

    def __init__(self, whose: str) -> None:
        self._whose = whose

    def post(self, url: str, *, data: Mapping[str, str], headers: Mapping[str, str], auth: Any) -> fetching.Answer:
        """Send a form with what proves who we are."""
        url, sent, form = auth.prepare("POST", url, dict(headers), urlencode(data))
        return fetching.fetch(url, whose=self._whose, form=form, headers=sent)


def _client(client: Client) -> OAuth2Client:
    return OAuth2Client(
        _Session(client.whose),
        client_id=client.client_id,
        client_secret=client.secret,
        scope=SCOPE,
        redirect_uri=client.redirect_uri,
        code_challenge_method="S256",
    )


def _token(client: Client, settings: Mapping[str, Any], code: str, verifier: str) -> Mapping[str, Any]:
    """Ask for a token. Where we are to prove ourselves in a header, what is in it is encoded (RFC 6749, 2.3.1)."""
    asking = _client(client)
    if IN_THE_FORM in str(settings.get("token_endpoint_auth_methods_supported")):
        asking.token_endpoint_auth_method = IN_THE_FORM
    else:
        asking.client_id, asking.client_secret = quote_plus(client.client_id), quote_plus(client.secret)
    try:
        token: Mapping[str, Any] = asking.fetch_token(
            settings["token_endpoint"], grant_type="authorization_code", code=code, code_verifier=verifier
        )
    except (AuthlibBaseError, *ODD) as fault:
        raise AnswerRefused(N_("the provider gives no token: %(fault)s", fault=str(fault)[:300])) from fault
    return token


def _signed(client: Client, settings: Mapping[str, Any], id_token: str) -> jwt.Token:
    """Return the content of a token if one of the provider's keys has signed it."""
    uri = settings["jwks_uri"]
    try:
        try:
            return jwt.decode(id_token, _read_keys(client, uri), algorithms=ALGORITHMS)
        except JoseError:  # its keys may have changed
            return jwt.decode(id_token, _read_keys(client, uri, anew=True), algorithms=ALGORITHMS)
    except (JoseError, *ODD) as fault:
        raise AnswerRefused(N_("the token is not signed by the provider: %(fault)s", fault=fault)) from fault


def _of_userinfo(
    client: Client, settings: Mapping[str, Any], token: Mapping[str, Any], subject: str
) -> dict[str, Any]:
    """Return what a provider says of an address elsewhere: some keep it out of the token (Core 1.0, 5.3)."""
    url, access = settings.get("userinfo_endpoint"), token.get("access_token")
    if not isinstance(url, str) or not isinstance(access, str) or not access.isascii() or not access.isprintable():
        return {}
    answer = fetching.fetch(url, whose=client.whose, headers={"Authorization": f"Bearer {access}"})
    answer.raise_for_status()
    if answer.content.get("sub") != subject:
        raise AnswerRefused(N_("the provider tells of somebody else"))
    return {name: answer.content[name] for name in ("email", "email_verified") if name in answer.content}


def _read_keys(client: Client, uri: str, *, anew: bool = False) -> KeySet:
    kept = _keys.get(uri)
    if kept is None or time.monotonic() - kept.read_at > (ASKED_AGAIN_AFTER if anew else KEPT_FOR):
        answer = fetching.fetch(uri, whose=client.whose)
        answer.raise_for_status()
        kept = _keep(_keys, uri, _imported(answer.content))
    keys: KeySet = kept.content
    return keys


def _imported(content: Mapping[str, Any]) -> KeySet:
    """Return those of the provider's keys that can sign a token."""
    found = content.get("keys")
    if not isinstance(found, list):
        raise AnswerRefused(N_("the provider has no keys"))
    usable = [
        each for each in found
        if isinstance(each, dict) and each.get("kty") in ("RSA", "EC", "OKP") and each.get("use", "sig") == "sig"
    ]  # fmt: skip
    try:
        return KeySet.import_key_set({"keys": usable})
    except (JoseError, *ODD) as fault:
        raise AnswerRefused(N_("the provider's keys cannot be read: %(fault)s", fault=fault)) from fault
