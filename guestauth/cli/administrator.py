"""`flask administrator`: who may use a tenant's console."""

from typing import Any

import click
from flask.cli import AppGroup

from guestauth import administrators
from guestauth.audit import COMMAND_LINE
from guestauth.cli.terminal import as_json, command, show, show_all
from guestauth.models import Tenant, User

administrator = AppGroup("administrator", help="Who may use a tenant's console.")


@administrator.command("add")
@click.argument("tenant")
@click.argument("email")
@click.option("--name", "display_name", default="", help="Their name.")
@as_json
@command
def add(tenant: Tenant, email: str, display_name: str, as_json: bool) -> None:
    """Make somebody an administrator; they sign in at the console with a code."""
    made = administrators.add(tenant.id, email, display_name=display_name, by=COMMAND_LINE)
    show(_row(made), as_json=as_json)


@administrator.command("list")
@click.argument("tenant")
@as_json
@command
def list_all(tenant: Tenant, as_json: bool) -> None:
    """List a tenant's administrators."""
    show_all([_row(each) for each in administrators.listed(tenant.id)], as_json=as_json)


@administrator.command("remove")
@click.argument("tenant")
@click.argument("email")
@command
def remove(tenant: Tenant, email: str) -> None:
    """Remove an administrator; their sessions end at once. The last one stays."""
    gone = administrators.remove(tenant.id, administrators.find(tenant.id, email).id, by=COMMAND_LINE)
    click.echo(f"{gone.mail} is no longer an administrator of {tenant.name}")


def _row(user: User) -> dict[str, Any]:
    return {
        "id": user.id,
        "displayName": user.display_name,
        "mail": user.mail,
        "userType": user.user_type,
        "createdDateTime": user.created_at,
        "lastSignInDateTime": user.last_sign_in_at,
    }
