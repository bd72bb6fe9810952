"""Whoever types an address that a provider is for learns nothing about it, on the way there and back (B27; FD-21).

The steps, and what is compared of them, are those of `tests/test_parity.py`.
"""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import event

from guestauth import federation, guests, invitations, policies, redemptions
from guestauth.database import db
from guestauth.policies import DomainList
from tests.attacks.hands import comparable
from tests.federation.person import Person, parameters, ready
from tests.test_parity import SIGN_IN, Walk, form_token
from tests.world import BY, FABRIKAM, WOODGROVE, World

KINDS = ["pending", "unknown", "revoked", "deleted", "blocked", "accepted", "elsewhere", "member"]


def address(kind: str) -> str:
    """An address of Google's, as long as all others."""
    return f"{kind:x<9}@gmail.com"


def prepare(world: World, oidc: Any) -> Person:
    """Set Google up, and make each kind of address what its name says; who has accepted did so there."""
    person = ready(world, oidc("google"))
    for kind in ("pending", "revoked", "deleted", "blocked", "accepted", "elsewhere"):
        at = WOODGROVE if kind == "elsewhere" else FABRIKAM
        world.do(invitations.invite, at, address(kind), display_name=f"Their {kind} name", by=BY)
    world.do(guests.delete, FABRIKAM, address("deleted"), by=BY)
    world.do(guests.block, FABRIKAM, address("blocked"), by=BY)
    world.do(invitations.revoke, FABRIKAM, address("revoked"), by=BY)
    assert world.run("administrator", "add", "fabrikam.example", address("member")).exit_code == 0
    for kind in KINDS:
        person.provider.add_account(kind, email=address(kind), email_verified=True)
    Person(world, person.provider).accepts(address("accepted"), "accepted")
    return person


@pytest.mark.case("FD-21")
@pytest.mark.both
def test_every_kind_of_address_sees_the_same_pages_after_the_same_work(world: World, oidc) -> None:
    prepare(world, oidc)
    walked = {kind: walk(world, address(kind)) for kind in KINDS}
    for kind in KINDS:
        for ours, theirs in zip(walked[kind], walked["unknown"], strict=True):
            assert ours == theirs, (kind, ours[0])
    statuses = [step[1][0] for step in walked["unknown"]]
    assert statuses.count(303) >= 6 and {200, 303, 422} <= {*statuses}


def walk(world: World, mail: str) -> list[tuple[str, Any]]:
    """Take every step that somebody can take who has no account at the provider."""
    walk = Walk(world, mail, "text/html")

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        walk.statements.append(statement)

    with world.app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        there_and_back(walk)
    finally:
        event.remove(engine, "before_cursor_execute", note)
    return [(name, seen if "there" not in name else without_chance(seen)) for name, seen in walk.seen]


def there_and_back(walk: Walk) -> None:
    form_token(walk)
    page = str(walk.post("type the address", SIGN_IN, email=walk.mail).header("Location"))
    walk.step("page", page)
    walk.step("page, HEAD", page, "HEAD")
    for way in ("GET", "HEAD"):
        there = str(walk.step(f"there, {way}", f"{page}/continue", way).header("Location"))
    walk.step("there, choosing", f"{page}/continue", query="choose=1")
    state = parameters(there)["state"]
    with walk.world.app.app_context():
        callback = urlsplit(parameters(there)["redirect_uri"]).path
        assert federation.read_state(state)
    walk.step("back there, cancelled", callback, query=f"state={state}&error=access_denied")
    for query in (
        f"state={state}&error=access_denied",
        "state=x",
        f"state={state}&code=made-up",
        f"state={state}",
    ):
        walk.step(f"return, {query[-14:]}" if "x" not in query else "return", f"{page}/return", query=query)
    walk.step("page again", page)
    walk.post("send, as an administrator would", page)
    walk.step("code page", f"{page}/code")
    walk.post("wrong code", f"{page}/code", code="00000000")


def without_chance(seen: Any) -> Any:
    """Take state, nonce, verifier and the address out of where an answer leads."""
    status, headers, body, statements = seen
    hidden = [
        (name, re.sub(r"=[^&]*", "=", str(value)) if name == "Location" else value) for name, value in headers
    ]
    return status, hidden, re.sub(r'(?<==)[\w%.-]+|href="[^"]*"', "", body), statements


SHUT_OUT: dict[str, Callable[[World], object]] = {
    "unknown": lambda world: None,
    "revoked": lambda world: None,
    "deleted": lambda world: None,
    "blocked": lambda world: None,
    "elsewhere": lambda world: None,
    "member": lambda world: None,
    "pending": lambda world: world.do(policies.limit_domains, FABRIKAM, DomainList("deny", ["gmail.com"]), by=BY),
}


@pytest.mark.case("FD-21")
@pytest.mark.both
def test_who_proves_an_address_that_may_not_sign_in_sees_what_a_stranger_sees(world: World, oidc) -> None:
    provider, seen = prepare(world, oidc).provider, []
    for kind, shut_out in SHUT_OUT.items():
        shut_out(world)
        browser = Person(world, provider).signs_in(address(kind), kind)
        seen.append((kind, comparable(browser.response, address(kind))))
        assert browser.status == 403 and browser.open("/fabrikam.example").h1 == "Sign in to Fabrikam"
    assert [each for each in seen if each[1] != seen[0][1]] == []


@pytest.mark.case("FD-21")
def test_account_of_another_address_is_told_the_same_whoever_the_address_belongs_to(world: World, oidc) -> None:
    provider, seen = prepare(world, oidc).provider, []
    provider.add_account("thief", email="thief@gmail.com", email_verified=True)
    for kind in KINDS:
        browser = Person(world, provider).signs_in(address(kind), "thief")
        seen.append((kind, comparable(browser.response, address(kind))))
    assert [each for each in seen if each[1] != seen[0][1]] == [] and "thief@gmail.com" in browser.text


@pytest.mark.case("FD-21")
def test_fixed_way_in_is_what_can_be_seen_of_a_guest(world: World, oidc) -> None:
    """As BEHAVIOUR says (B27), and SECURITY.md."""
    world.do(invitations.invite, FABRIKAM, address("accepted"), by=BY)
    world.do(redemptions.redeem, FABRIKAM, world.do(guests.find, FABRIKAM, address("accepted")).id, by=BY)
    person = ready(world, oidc("google"))
    assert person.asks(address("accepted")).h1 == "Get a code to sign in"
    assert person.asks(address("unknown")).h1 == "Continue with Google"
