"""`make bench`, second part: the list of guests with 100,000 of them, and how each database finds a page of it.

Fills a tenant past all code of ours, then asks the whole page in-process as an administrator (routing, gate,
query, template), for every sort in both directions and for the filters; prints the time and the query's plan.
"""

import statistics
import time
from collections.abc import Iterator
from typing import Any

import click
from sqlalchemy import Engine, event, text

from guestauth import database, guests
from tests.bench import Row, table
from tests.bench.sites import add_guests, bases, inside
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
    "q=guest-9999",
]
VARIED = """
    UPDATE users SET mail_key = replace(mail_key, 'firstup', substr('firstupcontosolitware', 1 + {0} % 3 * 7, 7)),
        display_name = substr('Ana BoChenDirk', 1 + {0} % 4 * 3, 3) || ' Guest ' || ({0} % 1000 * 7919),
        state = CASE WHEN {0} % 5 = 0 THEN 'PendingAcceptance' ELSE state END,
        identity_provider = CASE WHEN {0} % 5 = 0 THEN NULL ELSE identity_provider END,
        created_at = {1}, last_sign_in_at = CASE WHEN {0} % 4 > 0 THEN {1} ELSE NULL END,
        blocked_at = CASE WHEN {0} % 1000 = 1 THEN created_at ELSE NULL END
    WHERE mail_key LIKE 'guest-%' AND tenant_id = (SELECT id FROM tenants WHERE domain = 'fabrikam.example')
"""
EARLIER = {
    "sqlite": "datetime(created_at, '-' || ({0} * 7919 % 10000000) || ' seconds')",
    "postgresql": "created_at - {0}::bigint * 7919 % 10000000 * interval '1 second'",
}
NUMBER = "CAST(replace(replace(mail_key, 'guest-', ''), '@firstup.example', '') AS INTEGER)"


def main() -> None:
    """Measure on both databases and print."""
    with bases() as found:
        for base in found:
            add_guests(base, 0, GUESTS)
            with inside(base) as world:
                vary(world)
                click.echo(f"## {base.name}, {GUESTS:,} guests\n")
                table(("list of guests          ", "median ms", "most ms"), pages(world))
                plans(world)


def vary(world: World) -> None:
    """Let the guests, all copies of one, differ in what the list sorts by and searches for."""
    with world.app.app_context(), database.db.engine.begin() as connection:
        connection.execute(text(VARIED.format(NUMBER, EARLIER[database.dialect()].format(NUMBER))))
        connection.execute(text("ANALYZE"))


def pages(world: World) -> Iterator[Row]:
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
        yield query, f"{statistics.median(lasted):.1f}", f"{max(lasted):.1f}"


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
