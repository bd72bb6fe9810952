"""`flask policy`: what a tenant lets its guests do (B10 to B15, B21)."""

import click
from flask.cli import AppGroup

from guestauth import policies
from guestauth.audit import COMMAND_LINE
from guestauth.cli.terminal import as_json, command, show
from guestauth.models import Tenant
from guestauth.policies import DomainList

policy = AppGroup("policy", help="What a tenant lets its guests do: its B2BManagementPolicy.")


class TextOrFile(click.ParamType[str]):
    """A text; or, after an @, the file it is in; or - for standard input."""

    name = "text"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Read the text."""
        if value == "-" or value.startswith("@"):
            file = click.File(encoding="utf-8-sig").convert(value.removeprefix("@"), param, ctx)
            try:
                return str(file.read())
            except UnicodeDecodeError:
                self.fail(f"{value} is not text in UTF-8", param, ctx)
        return value


@policy.command("show")
@click.argument("tenant")
@as_json
@command
def show_definition(tenant: Tenant, as_json: bool) -> None:
    """Write the definition, whole and as it is; --json: with what it says of codes."""
    if as_json:
        show({"definition": tenant.policy, "oneTimePasscode": tenant.passcodes_on}, as_json=True)
    else:
        click.echo(tenant.policy)


@policy.command("set")
@click.argument("tenant")
@click.option("--definition", type=TextOrFile(), required=True, help="The text, @FILE, or - for stdin.")
@command
def define(tenant: Tenant, definition: str) -> None:
    """Replace the definition whole; one that is none is refused and the old one stays."""
    policies.define(tenant.id, definition, by=COMMAND_LINE)
    click.echo(f"the policy of {tenant.name} is set")


@policy.command("one-time-passcode")
@click.argument("tenant")
@click.argument("state", type=click.Choice(["on", "off"]))
@click.option("--yes", is_flag=True, help="Do not ask.")
@command
def one_time_passcode(tenant: Tenant, state: str, yes: bool) -> None:
    """Turn guests' one-time passcodes on or off; off says first whom it locks out, and asks."""
    if state == "off" and tenant.passcodes_on:
        effect = policies.effect_of_opting_out(tenant.id)
        click.echo(
            f"Guests who use codes and won't be able to sign in: {effect.locked_out}; "
            f"signed in now: {effect.signed_in}; with another way in: {effect.other_ways}"
        )
        if not yes:
            click.confirm("Turn codes off?", abort=True)
    policies.turn_passcodes(tenant.id, on=state == "on", by=COMMAND_LINE)
    click.echo(f"one-time passcodes for guests of {tenant.name} are {state}")


@policy.command("domains")
@click.argument("tenant")
@click.option("--allow", multiple=True, metavar="DOMAIN", help="Only these may be invited; may be repeated.")
@click.option("--deny", multiple=True, metavar="DOMAIN", help="All but these may be invited; may be repeated.")
@click.option("--everyone", is_flag=True, help="Keep no list.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@as_json
@command
def domains(
    tenant: Tenant, allow: tuple[str, ...], deny: tuple[str, ...], everyone: bool, yes: bool, as_json: bool
) -> None:
    """Show or set which domains may be invited; says first what a new list takes away, and asks."""
    if bool(allow) + bool(deny) + everyone > 1:
        raise click.UsageError("Give one of --allow, --deny and --everyone")
    new = policies.domain_list(tenant.policy)
    if allow or deny or everyone:
        old, new = new, _list(allow, deny)
        if new != old:
            _warn(tenant, old, new, yes=yes)
            policies.limit_domains(tenant.id, new, by=COMMAND_LINE)
    show({"kind": new.kind if new else "everyone", "domains": list(new.domains) if new else []}, as_json=as_json)


def _list(allow: tuple[str, ...], deny: tuple[str, ...]) -> DomainList | None:
    if not allow and not deny:
        return None
    return policies.listed(DomainList("allow" if allow else "deny", allow or deny))


def _warn(tenant: Tenant, old: DomainList | None, new: DomainList | None, *, yes: bool) -> None:
    """Say on stderr what the new list takes away, and ask, if it does."""
    switched = old is not None and (new is None or new.kind != old.kind)
    out = policies.shut_out(tenant.id, new)
    if old and switched:
        click.echo(f"This list goes: {old.kind} {', '.join(old.domains)}", err=True)
    if out:
        click.echo(f"Guests of now who won't be let in: {out}", err=True)
    if (switched or out) and not yes:
        click.confirm("Set the list?", abort=True, err=True)
