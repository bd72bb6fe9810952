"""`flask guest`: invite people, and see and end what they have."""

from collections.abc import Callable
from typing import Any

import click
from flask.cli import AppGroup

from guestauth import guests, identity_providers, invitations, outbox, providers, spreadsheets
from guestauth.audit import COMMAND_LINE
from guestauth.cli.terminal import as_json, command, plain, show, show_all
from guestauth.languages import LOCALES
from guestauth.models import SOURCES, Invitation, Letter, Tenant, User

WORDS = ["Invited user", *SOURCES.values()]
STATES = ["PendingAcceptance", "Accepted"]
guest = AppGroup("guest", help="The people from outside.")
source = click.option(
    "--source", type=click.Choice(WORDS, case_sensitive=False), help="Only those with this source."
)
state = click.option("--state", type=click.Choice(STATES), help="Only those.")
search = click.option("--search", help="Only those with this in name or address.")


@guest.command("invite")
@click.argument("tenant")
@click.argument("email")
@click.option("--name", "display_name", default="", help="Their name.")
@click.option("--message", help="Your own words to them, as plain text.")
@click.option("--redirect", "target", help="Where they land: a path within the tenant, like /apps/plan.")
@click.option("--language", type=click.Choice(list(LOCALES)), help="Of the letter; if not given, the tenant's.")
@click.option("--no-mail", is_flag=True, help="Send no mail; show the link only.")
@as_json
@command
def invite(
    tenant: Tenant,
    email: str,
    display_name: str,
    message: str | None,
    target: str | None,
    language: str | None,
    no_mail: bool,
    as_json: bool,
) -> None:
    """Invite somebody."""
    made = invitations.invite(
        tenant.id,
        email,
        display_name=display_name,
        message=message,
        target=target,
        language=language,
        send_mail=not no_mail,
        by=COMMAND_LINE,
    )
    show(_invitation(made, guests.find(tenant.id, email)), as_json=as_json)


@guest.command("list")
@click.argument("tenant")
@source
@state
@search
@as_json
@command
def list_all(tenant: Tenant, source: str | None, state: str | None, search: str | None, as_json: bool) -> None:
    """List a tenant's guests."""
    found = guests.of_tenant(tenant.id, source=source, state=state, search=search)
    show_all([_row(each) for each in found], as_json=as_json)


@guest.command("export")
@click.argument("tenant")
@source
@state
@search
@click.option("--only", type=click.Choice(["blocked", "deleted"]), help="Only those; else all but the deleted.")
@command
def export(tenant: Tenant, **narrowed: Any) -> None:
    """Write a tenant's guests to stdout as CSV, as the console exports them."""
    listing = guests.Listing(**{name: value for name, value in narrowed.items() if value})
    for line in spreadsheets.written(guests.exported(tenant.id, listing)):
        click.echo(line, nl=False)


@guest.command("show")
@click.argument("tenant")
@click.argument("email")
@as_json
@command
def show_one(tenant: Tenant, email: str, as_json: bool) -> None:
    """Show one guest: their invitation, why they sign in the way they do, and their last mails."""
    user = guests.find(tenant.id, email)
    newest = invitations.of_guest(user.id)
    way = providers.way_in(tenant, user, identity_providers.candidates(tenant.id, user.mail_key))
    found = _row(user) | (_invitation(newest, user) if newest else {}) | {"id": user.id}
    found |= {"signInMethod": way.name, "signInReason": way.reason}
    mails = [plain(_mail(each)) for each in outbox.of_user(tenant.id, user.id)]
    if as_json:
        show(found | {"mails": mails}, as_json=True)
        return
    show(found, as_json=False)
    click.echo("mails:")
    show_all(mails, as_json=False)


@guest.command("resend")
@click.argument("tenant")
@click.argument("email")
@as_json
@command
def resend(tenant: Tenant, email: str, as_json: bool) -> None:
    """Send a pending guest a new invitation; the old link dies."""
    made = invitations.resend(tenant.id, email, by=COMMAND_LINE)
    show(_invitation(made, guests.find(tenant.id, email)), as_json=as_json)


@guest.command("reset")
@click.argument("tenant")
@click.argument("email")
@as_json
@command
def reset(tenant: Tenant, email: str, as_json: bool) -> None:
    """Reset a guest's redemption status: same guest, pending again, with a new invitation."""
    made = invitations.reset(tenant.id, email, by=COMMAND_LINE)
    show(_invitation(made, guests.find(tenant.id, email)), as_json=as_json)


@guest.command("revoke")
@click.argument("tenant")
@click.argument("email")
@command
def revoke(tenant: Tenant, email: str) -> None:
    """Revoke a guest's invitation; its link dies."""
    invitations.revoke(tenant.id, email, by=COMMAND_LINE)
    click.echo(f"the invitation of {email} is revoked")


def _simple(name: str, action: Callable[..., User], done: str) -> None:
    @guest.command(name, help=(action.__doc__ or "").splitlines()[0])
    @click.argument("tenant")
    @click.argument("email")
    @command
    def run(tenant: Tenant, email: str) -> None:
        user = action(tenant.id, email, by=COMMAND_LINE)
        click.echo(f"{user.mail} {done}")


_simple("block", guests.block, "is blocked")
_simple("unblock", guests.unblock, "may sign in again")
_simple("clear-limits", guests.clear_limits, "can be asked codes for again")
_simple("delete", guests.delete, "is deleted")
_simple("restore", guests.restore, "is a guest again")


def _row(user: User) -> dict[str, Any]:
    return {
        "id": user.id,
        "displayName": user.display_name,
        "mail": user.mail,
        "userType": user.user_type,
        "source": user.source,
        "externalUserState": user.state,
        "accountEnabled": user.blocked_at is None,
        "createdDateTime": user.created_at,
        "lastSignInDateTime": user.last_sign_in_at,
    }


def _mail(letter: Letter) -> dict[str, Any]:
    return {
        "kind": letter.kind,
        "postedDateTime": letter.posted_at,
        "status": letter.outcome or "waiting",
        "reason": letter.reason,
        "nextTryDateTime": None if letter.done_at else letter.due_at,
    }


def _invitation(made: Invitation, user: User) -> dict[str, Any]:
    status = made.closed or ("Completed" if user.accepted_at else user.state)
    return {
        "id": made.id,
        "invitedUserEmailAddress": user.mail,
        "inviteRedeemUrl": None if made.closed else invitations.link(made),
        "status": status,
    }
