"""Keys: one for each purpose, living on as a fallback; they sign cookies and tickets (K-04, S-07, S-08)."""

import base64
import hashlib
import re

import pytest
from itsdangerous import BadData, URLSafeSerializer

from guestauth import keys
from tests.steps import another
from tests.world import World

OLD, NEW = "old-2468013579-abcdefghijklmnopqrstuvwxyz", "new-2468013579-abcdefghijklmnopqrstuvwxyz"
PURPOSES = ["passcode", "session", "visit", "invitation"]


@pytest.fixture
def old(sqlite_world: World) -> World:
    """An application with one secret."""
    return another(sqlite_world, SECRET_KEY=OLD)


@pytest.fixture
def rotated(sqlite_world: World) -> World:
    """The same after a change of the secret."""
    return another(sqlite_world, SECRET_KEY=NEW, SECRET_KEY_FALLBACKS=OLD)


def test_each_purpose_has_a_key_of_its_own_of_32_bytes(old: World) -> None:
    derived = [old.do(keys.keys, purpose)[0] for purpose in PURPOSES]
    assert len(set(derived)) == len(PURPOSES)
    assert {len(key) for key in derived} == {32}


def test_secret_itself_is_no_key(old: World) -> None:
    assert OLD.encode() not in [old.do(keys.keys, purpose)[0] for purpose in PURPOSES]


def test_current_key_comes_first_and_each_fallback_gives_another(old: World, rotated: World) -> None:
    current, fallback = rotated.do(keys.keys, "passcode")
    assert [fallback] == old.do(keys.keys, "passcode")
    assert current != fallback


def sign(world: World, content: object, purpose: str = "session") -> str:
    with world.app.app_context():
        return str(keys.signer(purpose).dumps(content))


def read(world: World, signed: str, purpose: str = "session") -> object:
    with world.app.app_context():
        return keys.signer(purpose).loads(signed)


def test_signed_content_is_read_again(old: World) -> None:
    assert read(old, sign(old, ["a", 1, None])) == ["a", 1, None]


def test_what_was_signed_with_the_old_secret_is_read_after_the_change(old: World, rotated: World) -> None:
    assert read(rotated, sign(old, "x")) == "x"


def test_after_the_change_the_new_secret_signs(old: World, rotated: World) -> None:
    with pytest.raises(BadData):
        read(old, sign(rotated, "x"))


def test_retired_secret_signs_nothing_any_more(sqlite_world: World, old: World) -> None:
    with pytest.raises(BadData):
        read(another(sqlite_world, SECRET_KEY=NEW), sign(old, "x"))


@pytest.mark.parametrize("purpose", ["visit", "invitation", "passcode"])
def test_what_was_signed_for_one_purpose_is_nothing_for_another(old: World, purpose: str) -> None:
    with pytest.raises(BadData):
        read(old, sign(old, "x"), purpose)


@pytest.mark.parametrize("secret", ["", "dev", "secret", "changeme", OLD])
@pytest.mark.parametrize("digest", [hashlib.sha1, hashlib.sha256])
def test_common_secrets_and_the_plain_one_sign_nothing(old: World, secret: str, digest: object) -> None:
    for salt in ("guestauth session", "cookie-session", "itsdangerous"):
        signer = URLSafeSerializer(secret, salt=salt, signer_kwargs={"digest_method": digest})
        with pytest.raises(BadData):
            read(old, signer.dumps("x"))


def test_every_changed_character_is_noticed(old: World) -> None:
    signed = sign(old, "0123456789abcdef")
    for place in range(len(signed) - 1):  # the last one has bits that do not count
        changed = signed[:place] + ("A" if signed[place] != "A" else "B") + signed[place + 1 :]
        with pytest.raises(BadData):
            read(old, changed)


@pytest.mark.parametrize("bad", ["", ".", "x", "{}.", "{}x.y", "{}{}", "\x00", "é", "e30.", "=" * 5000])
def test_unsigned_content_is_refused(old: World, bad: str) -> None:
    with pytest.raises(BadData):
        read(old, bad.replace("{}", sign(old, "x")))


def test_equal_content_has_equal_length(old: World) -> None:
    assert len({len(sign(old, [f"{number:064x}"])) for number in (0, 1, 16**64 - 1)}) == 1


def test_signed_content_is_readable_so_only_random_ids_belong_in_it(old: World) -> None:
    payload = sign(old, ["opaque"]).partition(".")[0]
    assert base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)) == b'["opaque"]'


def test_fingerprint_is_a_hash_of_64_digits() -> None:
    assert re.fullmatch("[0-9a-f]{64}", keys.fingerprint("secret"))
    assert keys.fingerprint("a") != keys.fingerprint("b")
