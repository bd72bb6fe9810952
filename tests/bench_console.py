"""`make bench`, second part: the list of guests with 100,000 of them, and how each database finds a page of it.

Fills a tenant past all code of ours, then asks the whole page in-process as an administrator (routing, gate,
query, template), for every sort in both directions and for the filters; prints the time and the query's plan.
"""

import random
import statistics
import tempfile
import time
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import click
from sqlalchemy import Engine, event, insert, text

from guestauth import create_app, database, guests
from guestauth.models import User
from tests.bench import instances, table
from tests.world import ADMIN, FABRIKAM, World

GUESTS = 100_000
ROUNDS = 7
SORTS = [direction + key for key in guests.SORTS for direction in ("", "-")]
QUERIES = [
    *(f"sort={key}" for key in SORTS),
    "sort=mail&page=1000",
    "state=PendingAcceptance",
    "source=OTP",
    "only=blocked",
    "q=guest-09999",
]


def main() -> None:
    """Measure on both databases and print."""
    for name, settings in instances():
        with tempfile.TemporaryDirectory(prefix="bench-"):
            app = create_app({**settings, "MAIL_DELIVERY": "worker"})
            world = World(app, Path(settings["INSTANCE_PATH"]))
            fill(world)
            click.echo(f"## {name}, {GUESTS:,} guests\n")
            table(("list of guests", "median ms", "most ms"), pages(world))
            plans(world)
            with app.app_context():
                database.db.engine.dispose()


def fill(world: World) -> None:
    """Add the guests, a thousand at a time."""
    rolls = random.Random(7)
    with world.app.app_context(), database.db.engine.begin() as connection:
        began = database.now()
        for start in range(0, GUESTS, 1000):
            connection.execute(insert(User), [row(n, rolls, began) for n in range(start, start + 1000)])
        connection.execute(text("ANALYZE"))


def row(n: int, rolls: random.Random, began: datetime) -> dict[str, object]:
    """Describe one guest of many."""
    accepted = rolls.random() < 0.8
    mail = f"guest-{n:06d}@{rolls.choice(('firstup', 'contoso', 'litware'))}.example"
    moment = began - timedelta(seconds=rolls.randrange(10**7))
    return {
        "id": uuid.uuid4(),
        "tenant_id": FABRIKAM,
        "mail": mail,
        "mail_key": mail,
        "display_name": f"{rolls.choice(('Ana', 'Bo', 'Chen', 'Dirk'))} Guest {rolls.randrange(10**6)}",
        "user_type": "Guest",
        "is_administrator": False,
        "state": "Accepted" if accepted else "PendingAcceptance",
        "identity_provider": "passcode" if accepted else None,
        "created_at": moment,
        "accepted_at": moment if accepted else None,
        "last_sign_in_at": moment if accepted and rolls.random() < 0.9 else None,
        "blocked_at": moment if rolls.random() < 0.001 else None,
    }


def pages(world: World) -> Iterator[tuple[object, ...]]:
    """Time whole pages."""
    browser = world.signed_in(ADMIN, "/fabrikam.example/admin/guests")
    headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in browser.cookies.items())}
    client = world.app.test_client(use_cookies=False)
    for query in QUERIES:
        lasted = []
        for _ in range(ROUNDS):
            began = time.perf_counter()
            answer = client.get(f"/fabrikam.example/admin/guests?{query}", headers=headers, base_url=URL)
            lasted.append((time.perf_counter() - began) * 1000)
            if answer.status_code != 200:
                raise SystemExit(f"{query} answered {answer.status_code}")
        yield query.ljust(24), f"{statistics.median(lasted):.1f}", f"{max(lasted):.1f}"


URL = "http://127.0.0.1:5000"


def plans(world: World) -> None:
    """Print how the database finds the first page of each sort."""
    with world.app.app_context():
        engine = database.db.engine
        explain = "EXPLAIN QUERY PLAN" if engine.dialect.name == "sqlite" else "EXPLAIN"
        for key in SORTS:
            statement, values = asked(engine, key)
            with engine.connect() as connection:
                found = connection.exec_driver_sql(f"{explain} {statement}", values).all()
            lines = [str(line[-1]).strip() for line in found]
            click.echo(f"{key}: {' / '.join(line for line in lines if 'Filter' not in line)}")
    click.echo("")


def asked(engine: Engine, key: str) -> tuple[str, Any]:
    """Return the statement that asks for the first page of a sort, as the driver gets it."""
    heard: list[tuple[str, Any]] = []

    def hear(_connection: object, _cursor: object, statement: str, values: Any, *_rest: object) -> None:
        heard.append((statement, values))

    event.listen(engine, "before_cursor_execute", hear)
    guests.listed(FABRIKAM, guests.Listing(sort=key))
    event.remove(engine, "before_cursor_execute", hear)
    return next((statement, values) for statement, values in heard if "ORDER BY" in statement)


if __name__ == "__main__":
    main()
