"""`flask database`: back it up, and move it from SQLite to PostgreSQL."""

from pathlib import Path

import click
from flask.cli import AppGroup

from guestauth import copying, values
from guestauth.cli.terminal import as_json, command, show

database = AppGroup("database", help="Back the database up, and move it to another.")


@database.command("backup")
@click.argument("file", type=click.Path(path_type=Path))
@command
def backup(file: Path) -> None:
    """Write the SQLite database to a new FILE, as it is at one moment; the site may run meanwhile."""
    click.echo(f"written: {file}, {copying.back_up(file)} bytes")


@database.command("copy")
@click.option(
    "--from", "source", required=True, metavar="URL", help="Like DATABASE_URL: sqlite:////var/…/guestauth.db"
)
@as_json
@command
def copy(source: str, as_json: bool) -> None:
    """Copy every row of another database into this one, which is migrated and empty.

    Stop the site first: what is written to the old database afterwards is not in the new one.
    """
    try:
        url = values.database(source)
    except ValueError as fault:
        raise click.UsageError(f"--from: {fault}") from fault
    show(copying.copy(url), as_json=as_json)
