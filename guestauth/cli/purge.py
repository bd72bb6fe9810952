"""`flask purge`: delete what nobody needs any more, now; by itself that happens once an hour."""

import click

from guestauth import housekeeping
from guestauth.audit import COMMAND_LINE
from guestauth.cli.terminal import as_json, command, show


@click.command("purge")
@as_json
@command
def purge(as_json: bool) -> None:
    """Delete what nobody needs any more: see "Data kept, and for how long" in docs/running.md."""
    show(housekeeping.run(by=COMMAND_LINE), as_json=as_json)
