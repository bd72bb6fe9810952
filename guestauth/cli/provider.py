"""`flask provider`: identity providers, the installation's and those of tenants (B6)."""

import uuid
from typing import Any, TextIO

import click
from flask.cli import AppGroup

from guestauth import federation, identity_providers
from guestauth.audit import COMMAND_LINE
from guestauth.cli.terminal import as_json, command, show, show_all
from guestauth.descriptions import INSTALLATIONS, TENANTS, Described
from guestauth.identity_providers import Listed
from guestauth.models import Tenant

provider = AppGroup("provider", help="Where guests can sign in instead of by a code.")
from_file = click.option(
    "--client-secret-file", "secret_file", type=click.File(), help="File with the client's secret; - reads stdin."
)
of_tenant = click.option("--tenant", metavar="TENANT", help="Whose it is; without it, the installation's.")


@provider.command("add")
@click.argument("kind", type=click.Choice([*INSTALLATIONS, *TENANTS]))
@of_tenant
@click.option("--client-id", required=True, help="What the provider calls us.")
@from_file
@click.option("--issuer", default="", help="Where it says what it is; known of all kinds but openid_connect.")
@click.option("--name", default="", help="What people call it.")
@click.option("--covers", multiple=True, help="A domain or an address that is its; give it as often as needed.")
@click.option("--directory", "directories", multiple=True, help="Azure AD: tenant id that may sign in; repeat.")
@as_json
@command
def add(tenant: Tenant | None, secret_file: TextIO | None, as_json: bool, **described: Any) -> None:
    """Set up an identity provider. Asks for the client's secret, unless a file has it."""
    told = Described(client_secret=_secret(secret_file), **described)
    made = identity_providers.add(told, tenant_id=_id(tenant), by=COMMAND_LINE)
    show(_row(identity_providers.find(made.id, made.tenant_id)), as_json=as_json)


@provider.command("list")
@of_tenant
@as_json
@command
def list_all(tenant: Tenant | None, as_json: bool) -> None:
    """List the identity providers of a tenant, or the installation's."""
    show_all([_row(each) for each in identity_providers.listed(_id(tenant))], as_json=as_json)


@provider.command("show")
@click.argument("provider_id", metavar="ID", type=click.UUID)
@of_tenant
@as_json
@command
def show_one(provider_id: uuid.UUID, tenant: Tenant | None, as_json: bool) -> None:
    """Show one, with the redirect address to enter at the provider."""
    show(_row(identity_providers.find(provider_id, _id(tenant))), as_json=as_json)


@provider.command("renew-secret")
@click.argument("provider_id", metavar="ID", type=click.UUID)
@of_tenant
@from_file
@command
def renew_secret(provider_id: uuid.UUID, tenant: Tenant | None, secret_file: TextIO | None) -> None:
    """Keep another client secret, since the last one ends. Asks for it, unless a file has it."""
    identity_providers.renew_secret(provider_id, _secret(secret_file), tenant_id=_id(tenant), by=COMMAND_LINE)
    click.echo("the new secret is kept; try it with: flask provider test")


@provider.command("remove")
@click.argument("provider_id", metavar="ID", type=click.UUID)
@of_tenant
@click.option("--yes", is_flag=True, help="Don't ask.")
@command
def remove(provider_id: uuid.UUID, tenant: Tenant | None, yes: bool) -> None:
    """Remove one: who is signed in by it is signed out, and who accepted with it has no way in."""
    found = identity_providers.find(provider_id, _id(tenant))
    effect = identity_providers.effect_of_removing(found.provider)
    click.echo(
        f"Guests who accepted with it and won't be able to sign in: {effect.locked_out}; "
        f"signed in now: {effect.signed_in}"
    )
    if not yes:
        click.confirm(f"Remove {found.provider.name}?", abort=True)
    ended = identity_providers.remove(provider_id, tenant_id=_id(tenant), by=COMMAND_LINE)
    click.echo(f"{found.provider.name} is removed; sessions ended: {ended}")


@provider.command("test")
@click.argument("provider_id", metavar="ID", type=click.UUID)
@of_tenant
@command
def test(provider_id: uuid.UUID, tenant: Tenant | None) -> None:
    """Ask the provider for its settings and keys, and whether it knows us."""
    found = identity_providers.find(provider_id, _id(tenant))
    click.echo(federation.tried(found.provider))


def _secret(file: TextIO | None) -> str:
    return file.read() if file else str(click.prompt("Client secret", hide_input=True))


def _id(tenant: Tenant | None) -> uuid.UUID | None:
    return tenant.id if tenant else None


def _row(listed: Listed) -> dict[str, Any]:
    found = listed.provider
    return {
        "id": found.id,
        "kind": found.kind,
        "displayName": found.name,
        "issuer": found.issuer,
        "clientId": found.client_id,
        "covers": list(listed.covers),
        "directories": list(found.directories),
        "redirectUri": federation.redirect_uri(found.id),
        "createdDateTime": found.created_at,
    }
