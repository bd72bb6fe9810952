"""`flask guest import`: many invitations from a file (B20)."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

import click

from guestauth import import_files, imports
from guestauth.audit import COMMAND_LINE, one_line
from guestauth.cli.terminal import as_json, command, show_all
from guestauth.import_files import REFUSED, Line
from guestauth.models import ImportRow, Tenant


@click.command("import")
@click.argument("tenant")
@click.argument("file", metavar="FILE.csv", type=click.File("rb"))
@click.option("--dry-run", is_flag=True, help="Show what would become of each line; change nothing.")
@as_json
@command
def import_guests(tenant: Tenant, file: BinaryIO, dry_run: bool, as_json: bool) -> None:
    """Invite everybody in a CSV file; - for stdin. Ends with 1 if a line was refused."""
    plan = import_files.planned(tenant.id, file.read())
    lines: Sequence[Line | ImportRow] = plan
    if not dry_run:
        made = imports.keep(tenant.id, Path(getattr(file, "name", "-")).name, plan, by=COMMAND_LINE)
        imports.run(tenant.id, made.id, by=COMMAND_LINE)
        lines = imports.rows(tenant.id, made.id)
    waiting = imports.INVITED if dry_run else imports.WAITING
    show_all([_row(each, waiting) for each in lines], as_json=as_json)
    if any(each.outcome == REFUSED for each in lines):
        raise SystemExit(1)


def _row(line: Line | ImportRow, waiting: str) -> dict[str, Any]:
    return {"line": line.n, "mail": one_line(line.mail), "outcome": line.outcome or waiting, "reason": line.reason}
