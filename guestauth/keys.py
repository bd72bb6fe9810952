"""Keys: everything that is derived from `SECRET_KEY`, each for one purpose.

What it does: `keys` derives, `signer` signs, `seal` and `unseal` keep what must be read again, `fingerprint`
hashes what a row must only know again.

The one thing to understand: the purpose is part of every key, so what is made for one cannot be used for
another; each fallback secret gives a key of its own, so what it made lives on while it is configured.

Called by passcodes, sign-in, invitations, identity providers and the cookies. It keeps nothing.
"""

import functools
import hashlib
import hmac
from base64 import urlsafe_b64encode
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from flask import current_app
from itsdangerous import URLSafeSerializer
from itsdangerous.encoding import base64_encode
from itsdangerous.serializer import Serializer


class Signer(URLSafeSerializer):
    """A URL-safe serializer that does not compress: equal content has equal length (B27)."""

    def dump_payload(self, obj: Any) -> bytes:
        """Write the content."""
        return base64_encode(Serializer.dump_payload(self, obj))


def keys(purpose: str) -> list[bytes]:
    """Return the keys of one purpose: the current one first, then one for each fallback secret."""
    return _derived(purpose, _secrets())


def signer(purpose: str) -> Signer:
    """Return what signs, and knows again, content of one purpose; its time is for rows to decide (F3)."""
    return _signer(purpose, _secrets())


def seal(purpose: str, secret: str) -> str:
    """Encrypt what a row keeps and we must read again, so that a dump gives nothing (Fernet: AES-CBC, HMAC)."""
    return _safe(purpose).encrypt(secret.encode()).decode()


def unseal(purpose: str, sealed: str) -> str:
    """Decrypt what was sealed for the same purpose, under any of the keys.

    :raises InvalidToken: (cryptography) if none of the keys sealed it.
    """
    return _safe(purpose).decrypt(sealed.encode()).decode()


def opens(purpose: str, sealed: str) -> bool:
    """Whether the current key opens what was sealed, without any fallback."""
    try:
        Fernet(urlsafe_b64encode(keys(purpose)[0])).decrypt(sealed.encode())
    except InvalidToken:
        return False
    return True


def _safe(purpose: str) -> MultiFernet:
    return MultiFernet([Fernet(urlsafe_b64encode(key)) for key in keys(purpose)])


def fingerprint(secret: str) -> str:
    """Hash a long random secret for storing: the row knows the secret again, a dump gives nothing."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _secrets() -> tuple[str, ...]:
    config = current_app.config
    return config["SECRET_KEY"], *config["SECRET_KEY_FALLBACKS"]


@functools.lru_cache(maxsize=64)
def _derived(purpose: str, secrets: tuple[str, ...]) -> list[bytes]:
    return [hmac.digest(secret.encode(), b"guestauth " + purpose.encode(), "sha256") for secret in secrets]


@functools.lru_cache(maxsize=64)
def _signer(purpose: str, secrets: tuple[str, ...]) -> Signer:
    return Signer(_derived(purpose, secrets)[::-1], salt=f"guestauth {purpose}")
