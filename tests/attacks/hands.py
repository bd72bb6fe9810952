"""What an attacker does beyond a person's reach, for tests against a served site.

`guess` posts a code whether or not the page has a form for it; `at_once` fires shots over many connections;
`earlier` lets what is known of an address have happened earlier; `decoded` opens cookies without their key;
`comparable` takes out of an answer what differs by chance; `workers` are the processes that serve.
Called by the tests of the catalogue. It knows no page.
"""

import base64
import re
import ssl
import uuid
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from http.cookies import SimpleCookie
from ipaddress import IPv6Address
from pathlib import Path

import httpx
from sqlalchemy import select

from guestauth import database, policies, tenants
from guestauth.models import Passcode, SignIn
from tests.browser import Browser
from tests.e2e.parallel import Shot, aim, together
from tests.e2e.site import Site
from tests.probe import UUID, masked
from tests.world import BY

SESSION, VISIT = "__Host-guestauth", "__Host-guestauth-visit"
LIVE = "SELECT count(*) FROM sessions JOIN users ON users.id = user_id WHERE mail = :mail AND ended_at IS NULL"
TRIES = "SELECT tries FROM sign_ins WHERE address = :mail ORDER BY created_at"
Fired = Callable[[httpx.Client], httpx.Response]


def at_code_page(site: Site, mail: str) -> tuple[Browser, Shot]:
    """Give a browser that awaits a code, and its form with no code in it."""
    browser = site.awaiting_code(mail)
    return browser, aim(browser, "enter-code", code="")


def guess(browser: Browser, shot: Shot, code: str, **more: str) -> Browser:
    """Post a code as the form would, with more fields if given."""
    return browser.post(shot.url, {**shot.data, "code": code, **more})


def wrong(code: str, by: int = 1) -> str:
    """Give another code."""
    return f"{(int(code) + by) % 10**8:08d}"


def client_of(site: Site) -> httpx.Client:
    """Give a client that checks no page, from a client address of its own."""
    return httpx.Client(
        base_url=site.url,
        verify=ssl.create_default_context(cafile=site.ca),
        trust_env=False,
        timeout=30,
        headers={"X-Forwarded-For": str(IPv6Address(uuid.uuid4().int))},
    )


def at_once(site: Site, shots: Sequence[Fired], *, connections: int = 20) -> list[httpx.Response]:
    """Fire all shots over so many connections at once, each from a client address of its own."""

    def lane(number: int) -> list[tuple[int, httpx.Response]]:
        with client_of(site) as client:
            return [(n, shots[n](client)) for n in range(number, len(shots), connections)]

    found: dict[int, httpx.Response] = {}
    for done in together(*[partial(lane, number) for number in range(connections)]):
        assert not isinstance(done, BaseException), done
        found.update(done)
    return [found[number] for number in range(len(shots))]


def live(site: Site, mail: str) -> int:
    """Count the sessions of an address that nobody has ended."""
    return int(site.world.rows(LIVE, mail=mail)[0][0])


def tries(site: Site, mail: str) -> list[int]:
    """Give the tries counted at each sign-in of an address, the oldest first."""
    return [row[0] for row in site.world.rows(TRIES, mail=mail)]


def earlier(site: Site, mail: str, seconds: float) -> None:
    """Let the sign-ins of an address have begun, and their codes been sent, so much earlier."""
    ago = timedelta(seconds=seconds)

    @database.operation
    def move() -> None:
        for sign_in in database.db.session.scalars(select(SignIn).where(SignIn.address == mail)):
            sign_in.created_at -= ago
            sign_in.last_sent_at = sign_in.last_sent_at and sign_in.last_sent_at - ago
            sent = select(Passcode).where(Passcode.sign_in_id == sign_in.id)
            for passcode in database.db.session.scalars(sent):
                passcode.issued_at, passcode.expires_at = passcode.issued_at - ago, passcode.expires_at - ago

    site.world.do(move)


def tenant(site: Site, *, codes: bool = True) -> tuple[uuid.UUID, str]:
    """Make a tenant of the test's own; give its id and its domain."""
    domain = f"{uuid.uuid4().hex[:12]}.example"
    made = site.world.do(tenants.create, f"Tenant {domain[:4]}", domains=[domain], by=BY)
    if not codes:
        site.world.do(policies.turn_passcodes, made.id, on=False, by=BY)
    return made.id, domain


def decoded(text: str) -> str:
    """Give all that can be read in a text without a key: itself, and whatever in it is base64."""
    found = [text]
    for part in re.findall(r"[A-Za-z0-9_+/-]{8,}", text):
        for start in range(4):
            piece = part[start:]
            piece = piece[: len(piece) // 4 * 4].replace("-", "+").replace("_", "/")
            found.append(base64.b64decode(piece).decode("latin-1"))
    return "\n".join(found)


def whole(answer: httpx.Response) -> str:
    """Give an answer's headers and body as one text."""
    return "\n".join([*(f"{name}: {value}" for name, value in answer.headers.multi_items()), answer.text])


def comparable(answer: httpx.Response, mail: str) -> tuple[int, list[tuple[str, str]], str]:
    """Give status, headers in their order and body, without what differs by chance."""
    hidden = {
        "set-cookie": lambda value: repr([(k, len(m.value)) for k, m in SimpleCookie(value).items()]),
        "location": lambda value: UUID.sub("UUID", value),
        "date": lambda _: "",
        "retry-after": lambda value: str(value.isdigit()),
    }
    raw = [(name.decode(), value.decode()) for name, value in answer.headers.raw]
    headers = [(name, hidden.get(name.lower(), str)(value)) for name, value in raw]
    return answer.status_code, headers, masked(answer.text).replace(mail, "ADDRESS")


def workers(site: Site) -> set[int]:
    """Give the ids of the processes that serve the site now."""
    children = Path(f"/proc/{site.served.pid}/task/{site.served.pid}/children").read_text().split()
    return {int(child) for child in children if Path(f"/proc/{child}/comm").read_text() != "sh\n"}
