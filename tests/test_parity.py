"""Whoever types an address learns nothing about it: B27, B36; E-01, E-04, E-08, E-09, G-10.

Every step of the way in, for every kind of address, in browsers of their own: same status, same headers in the
same order, same cookies, same body, same statements to the database.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any

import pytest
from sqlalchemy import event

from guestauth import guests, invitations, redemptions
from guestauth.database import db
from tests import SOAK
from tests.probe import UUID, Answer, ask, change, masked
from tests.world import BY, FABRIKAM, NO_LIMITS, WOODGROVE, World

SIGN_IN = "/fabrikam.example/sign-in"
KINDS = ["accepted", "pending", "unknown", "revoked", "deleted", "blocked", "elsewhere"]
WALKED = KINDS if SOAK else ["accepted", "unknown", "revoked", "blocked"]
LOST = ["accepted", "unknown"]
HTML = "text/html,*/*;q=0.8"


def address(kind: str) -> str:
    """An address as long as all others."""
    return f"{kind:x<9}@firstup.example"


def prepare(world: World) -> None:
    """Make each kind of address what its name says."""
    for kind in KINDS[:2] + KINDS[3:]:
        tenant = WOODGROVE if kind == "elsewhere" else FABRIKAM
        made = world.do(invitations.invite, tenant, address(kind), display_name=f"Their {kind} name", by=BY)
        if kind not in ("pending", "revoked"):
            world.do(redemptions.redeem, tenant, made.user_id, by=BY)
    world.do(guests.delete, FABRIKAM, address("deleted"), by=BY)
    world.do(guests.block, FABRIKAM, address("blocked"), by=BY)
    world.do(invitations.revoke, FABRIKAM, address("revoked"), by=BY)


@dataclass
class Walk:
    """Somebody on the way in: what each step answered, with what differs by chance taken out."""

    world: World
    mail: str
    accept: str
    cookies: dict[str, str] = field(default_factory=dict)
    seen: list[tuple[str, object]] = field(default_factory=list)
    token: str = ""
    statements: list[str] = field(default_factory=list)

    def step(self, name: str, path: str, method: str = "GET", **request: Any) -> Answer:
        """Take a step and note everything about its answer."""
        headers = {"Accept": self.accept, "User-Agent": "Mozilla/5.0"}
        self.statements.clear()
        answer = ask(self.world.app, path, method, headers=headers, cookies=self.cookies, **request)
        for header in [value for key, value in answer.headers if key == "Set-Cookie"]:
            self.cookies.update({key: morsel.value for key, morsel in SimpleCookie(header).items()})
        if found := re.search(r'name="csrf_token" value="([^"]+)"', answer.text):
            self.token = found[1]
        self.seen.append((name, (answer.status, self._headers(answer), self._body(answer), [*self.statements])))
        return answer

    def post(self, name: str, path: str, **form: str) -> Answer:
        return self.step(name, path, "POST", form={"csrf_token": self.token, **form})

    def _headers(self, answer: Answer) -> list[tuple[str, object]]:
        hidden = {"Set-Cookie": lambda value: [len(part) for part in value.split(";") if "xpires" not in part]}
        hidden |= {"Location": lambda value: UUID.sub("UUID", value), "Retry-After": str.isdigit}
        return [(key, hidden.get(key, str)(value)) for key, value in answer.headers]

    def _body(self, answer: Answer) -> str:
        return masked(answer.text).replace(self.mail, "ADDRESS")


@contextmanager
def hearing(world: World, statements: list[str]) -> Iterator[None]:
    """Note what is said to the database while the block lasts."""

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        statements.append(statement)

    with world.app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield
    finally:
        event.remove(engine, "before_cursor_execute", note)


def walk(world: World, mail: str, accept: str) -> list[tuple[str, object]]:
    """Take every step that somebody without the right code can take."""
    walk = Walk(world, mail, accept)
    with hearing(world, walk.statements):
        page = start(walk)
        wrong_codes(walk, page)
        too_many_sends(walk, start(walk))
        after_half_an_hour(walk, start(walk))
    return walk.seen


def start(walk: Walk) -> str:
    """Type the address and ask for a code."""
    form_token(walk)
    walk.step("sign in, HEAD", SIGN_IN, "HEAD")
    walk.step("type the address, bad token", SIGN_IN, "POST", form={"email": walk.mail, "csrf_token": "x"})
    page = str(walk.post("type the address", SIGN_IN, email=walk.mail).header("Location"))
    walk.step("send page", page)
    walk.step("send page, HEAD", page, "HEAD")
    walk.step("code page before", f"{page}/code")
    walk.post("code before", f"{page}/code", code="00000000")
    walk.step("send, bad token", page, "POST", form={"csrf_token": "x"})
    walk.post("send", page)
    walk.step("code page", f"{page}/code")
    walk.post("send, too early", page)
    return page


def form_token(walk: Walk) -> None:
    """Open a page as a page, to have a token also where errors are JSON."""
    accept, walk.accept = walk.accept, "text/html"
    walk.step("sign in", SIGN_IN)
    walk.accept = accept


def wrong_codes(walk: Walk, page: str) -> None:
    for typed in ("", "1234", "abcdefgh"):
        walk.post(f"enter {typed!r}", f"{page}/code", code=typed)
    walk.step("enter, bad token", f"{page}/code", "POST", form={"code": "00000000"})
    for n in range(6):
        walk.post(f"enter a wrong code, {n}", f"{page}/code", code="00000000")
    walk.step("code page, dead", f"{page}/code")
    walk.step("send page, dead", page)
    walk.world.advance(61)
    walk.post("send, dead", page)


def too_many_sends(walk: Walk, page: str) -> None:
    for n in range(2):
        walk.world.advance(61)
        walk.post(f"send again, {n}", page)
        walk.step(f"code page again, {n}", f"{page}/code")
    walk.post("send too many", page)
    walk.step("code page, too many", f"{page}/code")
    walk.world.advance(61)
    walk.post("send after the wait", page)


def after_half_an_hour(walk: Walk, page: str) -> None:
    walk.world.advance(1801)
    walk.step("code page, expired", f"{page}/code")
    walk.post("enter, expired", f"{page}/code", code="00000000")
    walk.post("send, expired", page)
    walk.step("session over", "/fabrikam.example/session-over")
    walk.step("apps", "/fabrikam.example/apps/project-plan")
    walk.step("consent", "/fabrikam.example/consent")


def without_limits(world: World) -> None:
    world.app.config.update(dict.fromkeys(NO_LIMITS, 1_000_000))


def compare(world: World, accept: str) -> None:
    """Compare every step of every kind of address with a guest's."""
    prepare(world)
    wanted = walk(world, address("accepted"), accept)
    assert len(wanted) > 60
    for kind in WALKED[1:]:
        change(world, "DELETE FROM counters")  # the administrators are warned once a day, whoever is guessed
        for wanted_step, step in zip(wanted, walk(world, address(kind), accept), strict=True):
            assert step == wanted_step, (kind, step[0])


@pytest.mark.case("E-01", "E-02", "E-08", "E-09", "G-10")
@pytest.mark.acceptance(18)
def test_every_step_answers_a_guest_as_it_answers_anybody(world: World) -> None:
    without_limits(world)
    compare(world, HTML)


@pytest.mark.long
def test_every_step_answers_programs_alike_too(sqlite_world: World) -> None:
    without_limits(sqlite_world)
    compare(sqlite_world, "application/json")


def test_every_step_that_reaches_a_limit_answers_a_guest_as_it_answers_anybody(world: World) -> None:
    world.app.config["LIMIT_WRONG_CODES"] = 3
    compare(world, HTML)


def test_walks_are_what_they_are_meant_to_be(sqlite_world: World) -> None:
    prepare(sqlite_world)
    without_limits(sqlite_world)
    seen = dict(walk(sqlite_world, address("accepted"), HTML))
    statuses = {name: found[0] for name, found in seen.items()}
    wanted = {"type the address": 303, "send": 303, "send, too early": 429, "send, bad token": 400}
    wanted |= {"enter a wrong code, 0": 422, "code page, dead": 200, "send, dead": 422, "send again, 1": 303}
    wanted |= {"send too many": 429, "send after the wait": 303, "session over": 303, "code page, expired": 200}
    assert wanted.items() <= statuses.items()


def test_nobody_but_guests_gets_mail(world: World) -> None:
    prepare(world)
    world.deliver()
    before = len(world.letters())
    for kind in KINDS:
        browser = world.browser().open(SIGN_IN).submit("email-form", email=address(kind)).submit("send-code")
        assert browser.h1 == "Check your email"
    assert sorted(letter.message["To"] for letter in world.letters()[: len(world.letters()) - before]) == [
        address("accepted"),
        address("pending"),
    ]


@pytest.mark.case("E-02")
def test_letter_of_a_stranger_is_as_much_work_for_the_database(world: World) -> None:
    prepare(world)
    world.deliver()
    said: dict[str, list[str]] = {}
    for kind in KINDS:
        world.browser().open(SIGN_IN).submit("email-form", email=address(kind)).submit("send-code")
        said[kind] = list[str]()
        with hearing(world, said[kind]):
            world.deliver()
    assert len(said["accepted"]) > 5
    in_any_order = {kind: sorted(statements) for kind, statements in said.items()}  # several threads deliver
    assert [kind for kind in KINDS if in_any_order[kind] != in_any_order["accepted"]] == []


def test_rows_of_a_stranger_are_as_many_and_of_the_same_shape(sqlite_world: World) -> None:
    prepare(sqlite_world)
    counted: list[list[Any]] = []
    for kind in KINDS:
        before = {name: len(rows) for name, rows in found(sqlite_world).items()}
        sqlite_world.browser().open(SIGN_IN).submit("email-form", email=address(kind)).submit("send-code")
        counted.append([len(rows) - before[name] for name, rows in found(sqlite_world).items()])
    assert all(each == counted[0] for each in counted) and sum(counted[0]) > 2


def found(world: World) -> dict[str, list[Any]]:
    names = ("sign_ins", "passcodes", "letters", "events", "sessions", "users")
    return {name: world.rows(f"SELECT * FROM {name}") for name in names}


@pytest.mark.parametrize("meddle", [guests.delete, guests.block])
@pytest.mark.parametrize("code_is_out", [False, True])
def test_guest_lost_on_the_way_sees_what_a_stranger_sees(
    world: World, meddle: Callable[..., object], code_is_out: bool
) -> None:
    prepare(world)
    pages = {kind: world.browser().open(SIGN_IN).submit("email-form", email=address(kind)) for kind in LOST}
    if code_is_out:
        codes = {
            kind: page.submit("send-code") and world.code(address("accepted")) for kind, page in pages.items()
        }
    world.do(meddle, FABRIKAM, address("accepted"), by=BY)
    for kind, page in pages.items():
        page.submit("enter-code", code=codes[kind]) if code_is_out else page.submit("send-code")
    texts = {masked(page.response.text).replace(address(kind), "X") for kind, page in pages.items()}
    assert len(texts) == 1
