"""`flask audit`: who did what, and deleting what is older than a tenant keeps.

The one thing to understand: `flask audit TENANT` shows; a word that is no command of it names a tenant.
"""

import json
from datetime import UTC, datetime
from typing import Any

import click
from flask.cli import AppGroup

from guestauth import audit as log
from guestauth import journal, tenants
from guestauth.cli.terminal import as_json, command, plain, show_all
from guestauth.models import Event, Tenant


class Moment(click.ParamType[datetime]):
    """A moment as ISO 8601 has it, like what this command shows."""

    name = "ISO"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Read it."""
        try:
            moment = datetime.fromisoformat(value)
            return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
        except (ValueError, OverflowError):
            self.fail(f"{value} is not a moment like 2026-11-20T12:30:00Z", param, ctx)


class Showing(AppGroup):
    """A group whose command is `show` when none is named."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take a first word that is no command as the tenant to show."""
        named = args and args[0] in (*self.commands, "--help")
        return super().parse_args(ctx, args if named else ["show", *args])


audit = Showing("audit", help="Show a tenant's audit log: flask audit TENANT; see flask audit show --help.")


@audit.command("show")
@click.argument("tenant")
@click.option("--since", type=Moment(), help="From this moment on; UTC unless it has a zone.")
@click.option("--until", type=Moment(), help="Before this moment.")
@click.option("--event", "name", help="Only this event, like sign-in.")
@click.option(
    "--address", default="", help="Only of whom it is about or who did it: an address, or a part of one."
)
@click.option("--result", type=click.Choice(log.RESULTS), help="Only with this result.")
@as_json
@command
def show(
    tenant: Tenant,
    since: datetime | None,
    until: datetime | None,
    name: str | None,
    address: str,
    result: str | None,
    as_json: bool,
) -> None:
    """Show a tenant's audit log, the newest 1,000 events, oldest first; --json: an object a line."""
    if name and name not in log.EVENTS:
        raise click.UsageError(f"There is no event {name}; there are: {', '.join(log.EVENTS)}")
    names = (name,) if name else ()
    which = journal.Which(names=names, address=address, result=result or "", since=since, until=until)
    found = journal.newest(tenant.id, which)
    if not as_json:
        show_all([_row(event) for event in found], as_json=False)
        return
    for event in found:
        row = _row(event) | {"correlationId": event.correlation_id, "detail": event.detail}
        click.echo(json.dumps(plain(row), ensure_ascii=False))


@audit.command("purge")
@click.argument("which", metavar="[TENANT]", required=False)
@as_json
@command
def purge(which: str | None, as_json: bool) -> None:
    """Delete the events that are older than the tenant keeps them, of one tenant or of all."""
    meant = [tenants.find(which)] if which else tenants.everyone()
    gone = [(tenant, log.purge(tenant, by=log.COMMAND_LINE)) for tenant in meant]
    rows = [{"tenantId": each.id, "displayName": each.name, "purged": number} for each, number in gone]
    show_all(rows, as_json=as_json)


def _row(event: Event) -> dict[str, Any]:
    return {
        "at": event.at,
        "event": event.name,
        "result": event.result,
        "reason": event.reason,
        "actor": event.actor,
        "tenantId": event.tenant_id,
        "userId": event.user_id,
        "address": event.address,
        "clientAddress": event.client_address,
        "browser": event.browser,
    }
