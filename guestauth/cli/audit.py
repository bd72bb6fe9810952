"""`flask audit`: who did what."""

import json
from datetime import UTC, datetime
from typing import Any

import click

from guestauth import audit as log
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


@click.command("audit")
@click.argument("tenant")
@click.option("--since", type=Moment(), help="From this moment on; UTC unless it has a zone.")
@click.option("--event", "name", help="Only this event, like sign-in.")
@as_json
@command
def audit(tenant: Tenant, since: datetime | None, name: str | None, as_json: bool) -> None:
    """Show a tenant's audit log, oldest first; --json: an object a line."""
    if name and name not in log.EVENTS:
        raise click.UsageError(f"There is no event {name}; there are: {', '.join(log.EVENTS)}")
    found = log.events(tenant.id, since=since, name=name)
    if not as_json:
        show_all([_row(event) for event in found], as_json=False)
        return
    for event in found:
        row = _row(event) | {"correlationId": event.correlation_id, "detail": event.detail}
        click.echo(json.dumps(plain(row), ensure_ascii=False))


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
