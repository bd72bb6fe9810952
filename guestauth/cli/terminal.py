"""What every command shares: its exit codes, the tenant it is about, and how it shows things."""

import functools
import json
import uuid
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

import click
from flask.cli import with_appcontext
from sqlalchemy.exc import OperationalError, ProgrammingError

from guestauth import (
    addresses,
    administrators,
    branding,
    descriptions,
    domains,
    import_files,
    invitations,
    policies,
    resources,
    spreadsheets,
    tenants,
)
from guestauth.database import Refusal
from guestauth.models import Tenant

BAD_INPUT = (
    addresses.NotAnAddress,
    administrators.AdministratorRefused,
    branding.BrandingRefused,
    domains.DomainRefused,
    tenants.TenantRefused,
    tenants.TenantUnknown,
    policies.NotAPolicy,
    resources.ResourceRefused,
    invitations.InvitationRefused,
    descriptions.ProviderRefused,
    import_files.ImportFileRefused,
    spreadsheets.NotASpreadsheet,
)
as_json = click.option("--json", "as_json", is_flag=True, help="Write JSON.")


def command(function: Callable[..., None]) -> Callable[..., None]:
    """Run within the application; a refusal becomes a message and an exit code."""

    @with_appcontext
    @functools.wraps(function)
    def run(*args: Any, **kwargs: Any) -> None:
        try:
            _check_texts(kwargs)
            if kwargs.get("tenant") is not None:
                kwargs["tenant"] = tenants.find(kwargs["tenant"])
            function(*args, **kwargs)
        except Refusal as refusal:
            click.echo(f"Error: {refusal.text or type(refusal).__name__}", err=True)
            raise SystemExit(2 if isinstance(refusal, BAD_INPUT) else 1) from refusal
        except (OperationalError, ProgrammingError) as fault:
            message = (
                f"The database does not answer or has old tables; see flask doctor ({type(fault.orig).__name__})"
            )
            raise click.ClickException(message) from fault

    return run


def _check_texts(values: Mapping[str, Any]) -> None:
    """Refuse what came in as bytes that are no UTF-8."""
    for name, value in values.items():
        if isinstance(value, str) and not addresses.is_text(value, most=len(value)):
            raise click.UsageError(f"{name} is not text in UTF-8")


def show(thing: Mapping[str, Any], *, as_json: bool) -> None:
    """Write one thing, as lines or as a JSON object."""
    if as_json:
        click.echo(json.dumps(plain(thing), ensure_ascii=False, indent=2))
        return
    for name, value in plain(thing).items():
        click.echo(f"{name}: {_cell(value)}")


def show_all(things: Iterable[Mapping[str, Any]], *, as_json: bool) -> None:
    """Write many things, as a table or as a JSON list."""
    rows = [plain(thing) for thing in things]
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    if not rows:
        click.echo("none")
        return
    table = [list(rows[0]), *([_cell(value) for value in row.values()] for row in rows)]
    widths = [max(len(line[column]) for line in table) for column in range(len(table[0]))]
    for line in table:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def plain(thing: Mapping[str, Any]) -> dict[str, Any]:
    """Return the thing with ids and times as JSON has them."""
    return {name: _plain(value) for name, value in thing.items()}


def tenant_row(tenant: Tenant) -> dict[str, Any]:
    """Describe a tenant."""
    return {
        "id": tenant.id,
        "displayName": tenant.name,
        "domains": list(tenants.domains(tenant.id)),
        "oneTimePasscode": tenant.passcodes_on,
        "enabled": tenant.disabled_at is None,
        "createdDateTime": tenant.created_at,
    }


def _plain(value: Any) -> Any:
    if isinstance(value, uuid.UUID):
        return str(value)
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return value


def _cell(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(str(part) for part in value)
    words = {None: "-", True: "yes", False: "no"}
    return words[value] if value is None or isinstance(value, bool) else str(value)
