"""The demo's stand-in for Google: a small OpenID provider, so that a tester sees a federated sign-in.

What it does: `read` takes an authorization request; `let_in` and `turn_away` answer it; `redeem` gives the ID
token for a code; `metadata` and `public_keys` are what discovery says.

The one thing to understand: it has no accounts and asks for no password; whoever sits at the demo says who they
are. Nothing but the pages under `/dev/stand-in` serves it, so in production there is none. Its clock is the
demo's.

What must stay true: a code is a file in the instance folder that one request gets to remove, so it works once in
any process; it is bound to the redirect address and to the PKCE challenge; people are sent back to a callback of
this installation only.

Called by the `/dev` pages, and by the demo for the issuer, the client id and its secret. It knows no guest.
"""

import functools
import hashlib
import hmac
import json
import re
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from flask import current_app
from joserfc import jwt
from joserfc.jwk import RSAKey

from guestauth.addresses import Address
from guestauth.config import made_once
from guestauth.database import Refusal, now
from guestauth.descriptions import COVERS
from guestauth.keys import fingerprint, keys
from guestauth.models import GOOGLE

CLIENT_ID = "guestauth-demo"
CODE_LIVES = timedelta(seconds=60)
TOKEN_LIVES = timedelta(hours=1)
CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")  # of a SHA-256, in base64url
CALLBACK = re.compile(r"/sign-in/callback/[A-Za-z0-9_-]{1,64}")
MOST_CHARACTERS = 2000  # of state and nonce


class RequestRefused(Refusal):
    """What came is no authorization request of this installation."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """An authorization request that was found good."""

    redirect_uri: str
    state: str
    nonce: str
    challenge: str


def issuer() -> str:
    """Return the issuer, and where its pages begin."""
    return f"{current_app.config['PUBLIC_URL']}/dev/stand-in"


def client_secret() -> str:
    """Return the secret of its one client, `CLIENT_ID`."""
    return keys("stand-in client")[0].hex()


def metadata() -> dict[str, Any]:
    """Return the discovery document (OpenID Connect Discovery 1.0, section 3)."""
    return {
        "issuer": issuer(),
        "authorization_endpoint": f"{issuer()}/authorize",
        "token_endpoint": f"{issuer()}/token",
        "jwks_uri": f"{issuer()}/keys",
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "scopes_supported": ["openid", "email", "profile"],
        "claims_supported": ["iss", "sub", "aud", "exp", "iat", "nonce", "email", "email_verified", "hd"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
    }


def public_keys() -> dict[str, Any]:
    """Return the keys that its tokens are checked with."""
    return {"keys": [_key().as_dict(private=False, use="sig", alg="RS256")]}


def read(request: Mapping[str, str]) -> Asked:
    """Read an authorization request (RFC 6749, 4.1.1; RFC 7636).

    :param request: its parameters.
    :raises RequestRefused: with what is wrong; nobody is sent anywhere with it.
    """
    callback = request.get("redirect_uri", "").removeprefix(current_app.config["PUBLIC_URL"])
    texts = request.get("state", ""), request.get("nonce", "")
    wrong = {
        "client_id": request.get("client_id") != CLIENT_ID,
        "redirect_uri": not CALLBACK.fullmatch(callback) or callback == request.get("redirect_uri"),
        "response_type": request.get("response_type") != "code",
        "scope": "openid" not in request.get("scope", "").split(),
        "code_challenge": not CHALLENGE.fullmatch(request.get("code_challenge", "")),
        "code_challenge_method": request.get("code_challenge_method") != "S256",
        "state or nonce": max(map(len, texts)) > MOST_CHARACTERS,
    }
    if any(wrong.values()):
        names = ", ".join(name for name, is_wrong in wrong.items() if is_wrong)
        raise RequestRefused(f"The stand-in is for sign-ins of this demo only. Not as it should be: {names}.")
    return Asked(
        redirect_uri=request["redirect_uri"], state=texts[0], nonce=texts[1], challenge=request["code_challenge"]
    )


def let_in(asked: Asked, address: Address, *, verified: bool) -> str:
    """Return where somebody goes back to with a code.

    :param address: who they say they are.
    :param verified: what the token says of the address.
    """
    code, folder = secrets.token_urlsafe(32), _codes()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    expires_at = (now() + CODE_LIVES).timestamp()
    domain = address.key.rpartition("@")[2]
    hosted = {} if domain in COVERS[GOOGLE] else {"hd": domain}  # all others are as of Google Workspace
    claims = {"sub": _subject(address.key), "email": address.mail, "email_verified": verified, **hosted}
    content = json.dumps({"asked": asdict(asked), "claims": claims, "expires_at": expires_at})
    (folder / fingerprint(code)).write_text(content)
    _clear(folder, newest=folder / fingerprint(code))
    return _back(asked, code=code)


def turn_away(asked: Asked) -> str:
    """Return where somebody goes back to who does not want to sign in (RFC 6749, 4.1.2.1)."""
    return _back(asked, error="access_denied")


def knows(client_id: str, secret: str) -> bool:
    """Whether these are its client's name and secret."""
    right = f"{CLIENT_ID}:{client_secret()}"
    return hmac.compare_digest(f"{client_id}:{secret}".encode(), right.encode())


def redeem(code: str, *, verifier: str, redirect_uri: str) -> dict[str, Any] | None:
    """Return the token response for a code; None if it is used, over, or somebody else's. It works once.

    :param verifier: the PKCE verifier.
    """
    file, content = _codes() / fingerprint(code), None
    with suppress(FileNotFoundError):
        content = json.loads(file.read_text())
        file.unlink()
        asked = Asked(**content["asked"])
        digest = urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
        theirs = hmac.compare_digest(digest, asked.challenge) and redirect_uri == asked.redirect_uri
        if theirs and now().timestamp() < content["expires_at"]:
            lives = int(TOKEN_LIVES.total_seconds())
            token = {"access_token": secrets.token_urlsafe(32), "token_type": "Bearer", "expires_in": lives}
            return {**token, "id_token": _id_token(content["claims"], asked.nonce)}
    return None


def _id_token(claims: dict[str, Any], nonce: str) -> str:
    issued = int(now().timestamp())
    times = {"iat": issued, "exp": issued + int(TOKEN_LIVES.total_seconds())}
    about = {"iss": issuer(), "aud": CLIENT_ID, **times, **({"nonce": nonce} if nonce else {}), **claims}
    return jwt.encode({"alg": "RS256", "kid": _key().kid}, about, _key())


def _back(asked: Asked, **answer: str) -> str:
    """Return the address to go back to, with who answers (RFC 9207)."""
    state = {"state": asked.state} if asked.state else {}
    return f"{asked.redirect_uri}?{urlencode({**answer, **state, 'iss': issuer()})}"


def _subject(key: str) -> str:
    """Return what an address is known by: the same for ever, and a number as Google's."""
    return str(int.from_bytes(hmac.digest(keys("stand-in subject")[0], key.encode(), "sha256")) % 10**21).zfill(21)


def _codes() -> Path:
    return Path(current_app.config["INSTANCE_PATH"]) / "stand-in"


def _clear(folder: Path, *, newest: Path) -> None:
    """Remove the codes that nobody came for, by the machine's clock."""
    for file in folder.iterdir():
        with suppress(FileNotFoundError):
            if newest.stat().st_mtime - file.stat().st_mtime > CODE_LIVES.total_seconds():
                file.unlink()


def _key() -> RSAKey:
    return _read_key(made_once(Path(current_app.config["INSTANCE_PATH"]) / "stand_in_key", _new_key))


def _new_key() -> str:
    return json.dumps(RSAKey.generate_key(2048, auto_kid=True).as_dict(private=True))


@functools.lru_cache(maxsize=4)
def _read_key(text: str) -> RSAKey:
    return RSAKey.import_key(json.loads(text))
