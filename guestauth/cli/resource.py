"""`flask resource`: what a tenant shares."""

from pathlib import Path
from typing import Any, TextIO

import click
from flask.cli import AppGroup

from guestauth import addresses, guests, resources, shares
from guestauth.audit import COMMAND_LINE
from guestauth.cli.terminal import as_json, command, show, show_all
from guestauth.models import Event, Resource, Tenant

resource = AppGroup("resource", help="What a tenant shares.")


@resource.command("add")
@click.argument("tenant")
@click.argument("slug")
@click.option("--title", required=True, help="As guests see it.")
@click.option("--url", help="It is an address on the web.")
@click.option(
    "--text", "words", type=click.File(encoding="utf-8"), help="It is the text in this file; - for stdin."
)
@click.option("--file", "path", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="It is a file.")
@as_json
@command
def add(
    tenant: Tenant, slug: str, title: str, url: str | None, words: TextIO | None, path: Path | None, as_json: bool
) -> None:
    """Add something to share: one of --url, --text and --file."""
    file = (path.name, path.read_bytes()) if path else None
    text = _read(words) if words else None
    made = resources.add(tenant.id, slug, title=title, url=url, text=text, file=file, by=COMMAND_LINE)
    show(_row(made), as_json=as_json)


@resource.command("edit")
@click.argument("tenant")
@click.argument("slug")
@click.option("--title", help="As guests see it.")
@click.option("--url", help="The new address, of a URL.")
@click.option("--text", "words", type=click.File(encoding="utf-8"), help="The new text; - for stdin.")
@click.option("--file", "path", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="The new file.")
@as_json
@command
def edit(
    tenant: Tenant, slug: str, title: str | None, url: str | None, words: TextIO | None, path: Path | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Change what is given of a resource; it stays of its kind, shared as it is."""
    file = (path.name, path.read_bytes()) if path else None
    text = _read(words) if words else None
    changed = resources.edit(tenant.id, slug, title=title, url=url, text=text, file=file, by=COMMAND_LINE)
    show(_row(changed), as_json=as_json)


@resource.command("share")
@click.argument("tenant")
@click.argument("slug")
@click.argument("emails", metavar="[EMAIL]...", nargs=-1)
@click.option("--all-guests", is_flag=True, help="With all guests.")
@command
def share(tenant: Tenant, slug: str, emails: tuple[str, ...], all_guests: bool) -> None:
    """Share it with guests, with all of those named or with none; or with --all-guests."""
    if bool(emails) == all_guests:
        raise click.UsageError("Give an email address, or --all-guests")
    if all_guests:
        resources.share(tenant.id, slug, user_id=None, by=COMMAND_LINE)
    else:
        for email in emails:
            addresses.parse(email)
        shares.with_guests(tenant.id, slug, emails, by=COMMAND_LINE)
    click.echo(f"{slug} is shared with {', '.join(emails) or 'all guests'}")


@resource.command("unshare")
@click.argument("tenant")
@click.argument("slug")
@click.argument("email", required=False)
@click.option("--all-guests", is_flag=True, help="With all guests.")
@command
def unshare(tenant: Tenant, slug: str, email: str | None, all_guests: bool) -> None:
    """Share it with one guest, or with --all-guests, no longer."""
    user_id = _whom(tenant, email, all_guests)
    resources.unshare(tenant.id, slug, user_id=user_id, by=COMMAND_LINE)
    click.echo(f"{slug} is no longer shared with {email or 'all guests'}")


@resource.command("list")
@click.argument("tenant")
@as_json
@command
def list_all(tenant: Tenant, as_json: bool) -> None:
    """List what a tenant shares."""
    show_all([_row(each) for each in resources.of_tenant(tenant.id)], as_json=as_json)


@resource.command("show")
@click.argument("tenant")
@click.argument("slug")
@as_json
@command
def show_one(tenant: Tenant, slug: str, as_json: bool) -> None:
    """Show a resource, and whom it is shared with by name."""
    found = resources.named(tenant.id, slug)
    what = {"url": found.url, "fileName": found.file_name, "mediaType": found.media_type, "size": found.size}
    having = [user.mail for user in shares.guests_of(found)]
    show(_row(found) | what | {"sharedWith": having}, as_json=as_json)


@resource.command("opened")
@click.argument("tenant")
@click.argument("slug")
@as_json
@command
def opened(tenant: Tenant, slug: str, as_json: bool) -> None:
    """Show who opened or downloaded a resource when, newest first."""
    found = shares.openings(resources.named(tenant.id, slug), most=1000)
    show_all([_opening(event) for event in found], as_json=as_json)


@resource.command("remove")
@click.argument("tenant")
@click.argument("slug")
@command
def remove(tenant: Tenant, slug: str) -> None:
    """Remove a resource."""
    resources.remove(tenant.id, slug, by=COMMAND_LINE)
    click.echo(f"{slug} is removed")


def _read(words: TextIO) -> str:
    try:
        return words.read()
    except UnicodeDecodeError as fault:
        raise click.UsageError("--text is not text in UTF-8") from fault


def _whom(tenant: Tenant, email: str | None, all_guests: bool) -> Any:
    if bool(email) == all_guests:
        raise click.UsageError("Give an email address, or --all-guests")
    return guests.find(tenant.id, email).id if email else None


def _opening(event: Event) -> dict[str, Any]:
    return {
        "at": event.at,
        "event": event.name,
        "userId": event.user_id,
        "address": event.address,
        "clientAddress": event.client_address,
        "browser": event.browser,
    }


def _row(resource: Resource) -> dict[str, Any]:
    return {
        "id": resource.id,
        "slug": resource.slug,
        "title": resource.title,
        "kind": resource.kind,
        "sharedWithAllGuests": resource.shared_with_all,
        "createdDateTime": resource.created_at,
    }
