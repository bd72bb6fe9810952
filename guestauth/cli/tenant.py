"""`flask tenant`: the organisations."""

import uuid

import click
from flask.cli import AppGroup

from guestauth import tenants
from guestauth.audit import COMMAND_LINE
from guestauth.cli.terminal import as_json, command, show, show_all, tenant_row
from guestauth.models import Tenant

tenant = AppGroup("tenant", help="The organisations that share.")


@tenant.command("create")
@click.argument("name")
@click.option("--domain", "domains", multiple=True, required=True, help="A verified domain; may be repeated.")
@click.option("--id", "tenant_id", type=click.UUID, help="Its id; made up if not given.")
@click.option("--admin", "administrator", help="Email address of its first administrator.")
@click.option("--help-contact", help="Whom guests ask for help.")
@click.option("--privacy-statement", "privacy", help="URL of its privacy statement.")
@as_json
@command
def create(
    name: str,
    domains: tuple[str, ...],
    tenant_id: uuid.UUID | None,
    administrator: str | None,
    help_contact: str | None,
    privacy: str | None,
    as_json: bool,
) -> None:
    """Make a tenant."""
    made = tenants.create(
        name,
        domains=domains,
        tenant_id=tenant_id,
        administrator=administrator,
        help_contact=help_contact,
        privacy_statement_url=privacy,
        by=COMMAND_LINE,
    )
    show(tenant_row(made), as_json=as_json)


@tenant.command("list")
@as_json
@command
def list_all(as_json: bool) -> None:
    """List all tenants."""
    show_all([tenant_row(each) for each in tenants.everyone()], as_json=as_json)


@tenant.command("show")
@click.argument("tenant")
@as_json
@command
def show_one(tenant: Tenant, as_json: bool) -> None:
    """Show one tenant."""
    show(tenant_row(tenant), as_json=as_json)


@tenant.command("disable")
@click.argument("tenant")
@command
def disable(tenant: Tenant) -> None:
    """Turn a tenant off; all its sessions end at once."""
    tenants.disable(tenant.id, by=COMMAND_LINE)
    click.echo(f"{tenant.name} is disabled; its sessions have ended")


@tenant.command("enable")
@click.argument("tenant")
@command
def enable(tenant: Tenant) -> None:
    """Turn a tenant on again."""
    tenants.enable(tenant.id, by=COMMAND_LINE)
    click.echo(f"{tenant.name} is enabled")
