"""`flask policy`: what a tenant lets its guests do (B10 to B15)."""

import click
from flask.cli import AppGroup

from guestauth import policies
from guestauth.audit import COMMAND_LINE
from guestauth.cli.terminal import as_json, command, show
from guestauth.models import Tenant

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
            f"signed in now: {effect.signed_in}"
        )
        if not yes:
            click.confirm("Turn codes off?", abort=True)
    policies.turn_passcodes(tenant.id, on=state == "on", by=COMMAND_LINE)
    click.echo(f"one-time passcodes for guests of {tenant.name} are {state}")
