"""How long housekeeping holds the database with 100,000 old rows: `python -m tests.ops.bench_purge [rows]`.

It prints, for each database, how many transactions that write there were and how long the longest took, and how
long others who ask for codes meanwhile waited.
"""

import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path

from flask_migrate import upgrade
from sqlalchemy import event, insert

from guestauth import create_app, database, demo, housekeeping
from guestauth.database import db
from guestauth.models import Counter, Event, Letter, Passcode, Session, SignIn, User
from tests import servers
from tests.steps import ask
from tests.world import BY, FABRIKAM, NICOLE, World, environment

USERS = 500  # deleted guests: the costly ones


def main(rows: int) -> None:
    for name in ("sqlite", "postgresql"):
        with prepared(name) as world:
            world.do(fill, rows)
            with timed(world) as spent, visited(world) as waits:
                began = time.monotonic()
                gone = world.do(housekeeping.run, by=BY)
                whole = time.monotonic() - began
            longest = ", ".join(f"{each * 1000:.0f}" for each in sorted(spent)[-3:][::-1])
            slow = sorted(waits)
            say(f"{name}: {gone} in {whole:.1f} s; {len(spent)} transactions, the longest {longest} ms")
            say(f"  {len(slow)} codes asked for meanwhile: median {slow[len(slow) // 2] * 1000:.0f} ms")
            say(f"  the longest {slow[-1] * 1000:.0f} ms")


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


@contextmanager
def prepared(name: str) -> Iterator[World]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        more = {}
        if name == "postgresql":
            more["DATABASE_URL"] = servers.create_database(stack.enter_context(servers.postgresql()), "bench")
        world = World(create_app(environment(folder, **more)), folder)
        world.do(upgrade)
        world.do(demo.load)
        yield world
        world.do(lambda: db.engine.dispose())


@database.operation
def fill(rows: int) -> None:
    old = database.now() - timedelta(days=400)
    users = [uuid.uuid4() for _ in range(USERS)]
    ids = [uuid.uuid4() for _ in range(rows)]
    many = range(rows)

    def add(table: type, made: list[dict[str, object]]) -> None:
        db.session.execute(insert(table), made)

    person = {"tenant_id": FABRIKAM, "display_name": "", "user_type": "Guest", "is_administrator": False}
    add(User, [{**person, "id": u, "mail": f"{u}@x.example", "mail_key": f"{u}@x.example", "created_at": old,
                "deleted_at": old} for u in users])  # fmt: skip
    tried = {
        "tenant_id": FABRIKAM,
        "nonce": b"n" * 32,
        "sends": 1,
        "tries": 0,
        "created_at": old,
        "address": "a@x",
    }
    tried |= {"mail_key": "a@x", "last_sent_at": old}
    add(SignIn, [{**tried, "id": ids[n], "browser": f"{n:064x}", "user_id": users[n % USERS] if n % 2 else None,
                  "consumed_at": old if n % 2 else None} for n in many])  # fmt: skip
    add(Passcode, [{"sign_in_id": each, "n": 1, "issued_at": old, "expires_at": old} for each in ids])
    letter = {"kind": "passcode", "tenant_id": FABRIKAM, "n": 1, "facts": {"browser": "x"}, "posted_at": old}
    letter |= {"correlation_id": "", "due_at": old, "tries": 1, "done_at": old, "outcome": "sent"}
    add(Letter, [{**letter, "id": uuid.uuid4(), "subject_id": each} for each in ids])
    session = {"tenant_id": FABRIKAM, "browser": "", "client_address": "", "created_at": old, "expires_at": old}
    add(Session, [{**session, "id": uuid.uuid4(), "secret": f"{n:064x}", "user_id": users[n % USERS],
                   "sign_in_id": uuid.uuid4()} for n in many])  # fmt: skip
    add(Counter, [{"name": "x", "key": f"{n:064x}", "log": "[]", "expires_at": old} for n in many])
    entry = {
        "name": "sign-in",
        "result": "success",
        "reason": "",
        "actor": "guest",
        "tenant_id": FABRIKAM,
        "at": old,
    }
    entry |= {"client_address": "127.0.0.1", "browser": "Mozilla", "correlation_id": "c" * 16, "detail": {}}
    add(Event, [{**entry, "address": f"{n}@x.example"} for n in many])


@contextmanager
def timed(world: World) -> Iterator[list[float]]:
    """Note how long each transaction of this thread lasts that writes, up to its COMMIT."""
    spent: list[float] = []
    mine, began = threading.get_ident(), [0.0]

    def hear(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if threading.get_ident() == mine and statement.startswith("BEGIN"):
            began[0] = time.monotonic()
        elif threading.get_ident() == mine and statement == "COMMIT":
            spent.append(time.monotonic() - began[0])

    engine = world.do(lambda: db.engine)
    event.listen(engine, "before_cursor_execute", hear)
    yield spent


@contextmanager
def visited(world: World) -> Iterator[list[float]]:
    """Let somebody ask for codes all the time; note how long each took."""
    waits: list[float] = []
    stop = threading.Event()

    def visit() -> None:
        while not stop.wait(0.05):
            began = time.monotonic()
            ask(world, NICOLE, browser=uuid.uuid4().hex * 2)
            waits.append(time.monotonic() - began)

    visitor = threading.Thread(target=visit)
    visitor.start()
    yield waits
    stop.set()
    visitor.join()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
