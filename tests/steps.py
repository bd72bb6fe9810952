"""Steps of the way in and of delivery, for tests of operations.

`ask` types an address and asks for a code, `enter` enters one, `sign_in` does both; `code_of` reads the code in
the letter that waits, without sending it; `another` is another process on the same database and folder, with other
settings if given; `mailing` one whose letters really leave; `audited` reads the log.
"""

import uuid
from typing import Any

from guestauth import addresses, create_app, sending, sessions, signin
from guestauth.models import SignIn
from tests.servers import Sink
from tests.world import BY, FABRIKAM, NICOLE, World, environment

BROWSER = "0123456789abcdef" * 4


def ask(
    world: World,
    mail: str = NICOLE,
    *,
    tenant: uuid.UUID = FABRIKAM,
    browser: str = BROWSER,
    target: str | None = None,
    known: str | None = None,
) -> SignIn:
    """Type an address in a browser and ask for a code; `known`: why the browser is the guest's own."""
    typed = addresses.parse(mail)
    started = world.do(signin.start, tenant, typed, browser=browser, target=target, known=known, by=BY)
    world.do(sending.send_code, tenant, started.id, browser=browser, by=BY)
    return started


def ask_again(world: World, started: SignIn, *, browser: str = BROWSER) -> None:
    """Press *Send a new code*."""
    world.do(sending.send_code, started.tenant_id, started.id, browser=browser, by=BY)


def enter(world: World, started: SignIn, code: str, *, browser: str = BROWSER, **more: Any) -> signin.SignedIn:
    """Enter a code."""
    return world.do(signin.enter_code, started.tenant_id, started.id, code, browser=browser, by=BY, **more)


def code_of(world: World, started: SignIn) -> str:
    """Write the letter of the newest code of a sign-in, without sending it, and return the code."""

    return world.do(world.written, started.id).splitlines()[0]


def sign_in(
    world: World, mail: str = NICOLE, *, tenant: uuid.UUID = FABRIKAM, browser: str = BROWSER, **more: Any
) -> signin.SignedIn:
    """Sign somebody in with the code that is to be mailed to them."""
    started = ask(world, mail, tenant=tenant, browser=browser)
    return enter(world, started, code_of(world, started), browser=browser, **more)


def wrong(code: str) -> str:
    """Return another code."""
    return f"{(int(code) + 1) % 10**8:08d}"


def arriving(world: World, done: signin.SignedIn, tenant: uuid.UUID = FABRIKAM) -> sessions.Arrival | None:
    """Make a request with the session's cookie."""
    return world.do(sessions.arriving, tenant, [done.session_secret])


def is_in(world: World, done: signin.SignedIn, tenant: uuid.UUID = FABRIKAM) -> bool:
    """Whether a request with the session's cookie finds somebody signed in."""
    arrival = arriving(world, done, tenant)
    return arrival is not None and arrival.user is not None


def another(world: World, **settings: str) -> World:
    """Start another process on the same database and folder."""
    url = {"DATABASE_URL": world.app.config["DATABASE_URL"], **settings}
    return World(create_app(environment(world.instance, **url)), world.instance)


def mailing(world: World, sink: Sink, **settings: str) -> World:
    """Start another process whose letters really leave."""
    server = {"MAIL_SERVER": sink.host, "MAIL_PORT": str(sink.port), "MAIL_TIMEOUT": "5", **settings}
    return another(world, **server)


def audited(world: World, name: str) -> list[tuple[str, str]]:
    """Return result and reason of the events of one name, oldest first."""
    found = world.rows("SELECT result, reason FROM events WHERE name = :name ORDER BY id", name=name)
    return [tuple(row) for row in found]
