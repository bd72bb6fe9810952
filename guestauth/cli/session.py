"""`flask session`: who is signed in."""

import click
from flask.cli import AppGroup

from guestauth import guests, sessions
from guestauth.audit import COMMAND_LINE
from guestauth.cli.terminal import as_json, command, show_all
from guestauth.models import Tenant

session = AppGroup("session", help="Who is signed in.")


@session.command("list")
@click.argument("tenant")
@click.argument("email", required=False)
@as_json
@command
def list_all(tenant: Tenant, email: str | None, as_json: bool) -> None:
    """List the live sessions of a tenant, or of one guest."""
    user_id = guests.find(tenant.id, email).id if email else None
    rows = [
        {
            "id": each.id,
            "mail": user.mail,
            "createdDateTime": each.created_at,
            "expirationDateTime": each.expires_at,
            "clientAddress": each.client_address,
            "browser": each.browser,
        }
        for each, user in sessions.live(tenant.id, user_id)
    ]
    show_all(rows, as_json=as_json)


@session.command("end")
@click.argument("tenant")
@click.argument("email", required=False)
@command
def end(tenant: Tenant, email: str | None) -> None:
    """End all live sessions of a tenant, or of one guest."""
    user_id = guests.find(tenant.id, email).id if email else None
    ended = sessions.end_all(tenant.id, user_id=user_id, by=COMMAND_LINE)
    click.echo(f"sessions ended: {ended}")
