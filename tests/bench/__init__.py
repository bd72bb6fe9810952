"""`make bench`: what a sign-in costs, beside the least it could; prints tables and asserts nothing about time.

What it does: complete sign-ins and signed-in pages of GuestAuth and of a hand-written floor (`floor/app.py`), in
one run, on SQLite and on PostgreSQL; a mail server in trouble; whether strangers can tell guests by the time an
answer takes; where the time of a sign-in goes.

The one thing to understand: figures of two machines, or of two runs, tell nothing; what counts is ours : floor
within one run. `processes.py` says what is measured on which processor, `driver.py` what a sign-in is.

What must stay true: both sites take the same eight requests, the same gunicorn, the same databases with what a
database promises by default; a wrong answer stops the run, since it is quick.

Called by `make bench`; `GUESTAUTH_BENCH=full` takes longer, for figures to publish, and `smoke` next to nothing.
It changes nothing outside its temporary folder.
"""

from collections.abc import Iterable

import click

Row = Iterable[object]


def table(head: tuple[str, ...], rows: Iterable[Row]) -> None:
    """Print a table, each row as soon as it is there."""
    click.echo(" | ".join(head))
    click.echo(" | ".join("-" * len(word) for word in head))
    for row in rows:
        click.echo(" | ".join(str(cell).rjust(len(word)) for cell, word in zip(row, head, strict=True)))
    click.echo("")
