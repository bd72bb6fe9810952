"""`flask tenant`: the organisations."""

import uuid
from pathlib import Path
from typing import Any

import click
from flask.cli import AppGroup

from guestauth import branding, domains, languages, tenants
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
    show(_whole(tenant), as_json=as_json)


@tenant.command("change")
@click.argument("tenant")
@click.option("--name", help="Its name.")
@click.option("--help-contact", help="Whom guests ask for help; empty for nobody.")
@click.option("--privacy-statement", "privacy_statement_url", help="URL of its privacy statement; empty for none.")
@click.option(
    "--language",
    type=click.Choice(list(languages.NAMES)),
    help="What invitations are written in.",
)
@click.option("--retention-days", type=int, help="How long its logs are kept: 30 to 3650 days.")
@as_json
@command
def change(tenant: Tenant, as_json: bool, **given: Any) -> None:
    """Change what a tenant says of itself; what is not given stays."""
    show(_whole(tenants.change(tenant.id, **given, by=COMMAND_LINE)), as_json=as_json)


@tenant.command("brand")
@click.argument("tenant")
@click.option(
    "--logo", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A picture, 64 kB at most."
)
@click.option("--accent", help="The colour of buttons and links, like '#2b5797'.")
@click.option("--remove-logo", is_flag=True, help="Have no logo any more.")
@click.option("--remove-accent", is_flag=True, help="Have the usual colour again.")
@as_json
@command
def brand(
    tenant: Tenant, logo: Path | None, accent: str | None, remove_logo: bool, remove_accent: bool, as_json: bool
) -> None:
    """Change the logo and the colour of the pages guests see; what is not given stays."""
    if (logo and remove_logo) or (accent and remove_accent):
        raise click.UsageError("Give a new one or remove it, not both")
    wanted = {"logo": logo.read_bytes() if logo else None, "accent": "" if remove_accent else accent}
    made = branding.change(tenant.id, **wanted, remove_logo=remove_logo, by=COMMAND_LINE)  # type: ignore[arg-type]
    show(_whole(made), as_json=as_json)


@tenant.command("add-domain")
@click.argument("tenant")
@click.argument("domain")
@command
def add_domain(tenant: Tenant, domain: str) -> None:
    """Add a verified domain at once: you know whose it is."""
    made = domains.add(tenant.id, domain, by=COMMAND_LINE)
    click.echo(f"{made.name} is a verified domain of {tenant.name}")


@tenant.command("verify-domain")
@click.argument("tenant")
@click.argument("domain")
@as_json
@command
def verify_domain(tenant: Tenant, domain: str, as_json: bool) -> None:
    """Show the TXT record that proves a domain, and ask the DNS for it."""
    claimed = domains.claim(tenant.id, domain, by=COMMAND_LINE)
    if not as_json:
        click.echo(f"{claimed.name} TXT {domains.record(claimed)}")
    found = domains.check(tenant.id, claimed.name, by=COMMAND_LINE)
    if as_json:
        show({"id": found.name, "isVerified": True, "record": domains.record(found)}, as_json=True)
    else:
        click.echo(f"{found.name} is a verified domain of {tenant.name}")


@tenant.command("remove-domain")
@click.argument("tenant")
@click.argument("domain")
@command
def remove_domain(tenant: Tenant, domain: str) -> None:
    """Remove a domain; the last verified one stays."""
    left = domains.remove(tenant.id, domain, by=COMMAND_LINE)
    click.echo(f"{domain} is removed; {left.domain} is shown")


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


def _whole(tenant: Tenant) -> dict[str, Any]:
    """Describe a tenant with what it says of itself."""
    return {
        **tenant_row(tenant),
        "helpContact": tenant.help_contact,
        "privacyStatementUrl": tenant.privacy_statement_url,
        "preferredLanguage": tenant.language,
        "retentionDays": tenant.retention_days,
        "accentColor": tenant.accent,
        "headerLogoRelativeUrl": f"/{tenant.id}/logo?v={tenant.logo}" if tenant.logo else None,
    }
