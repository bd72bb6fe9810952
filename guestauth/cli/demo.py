"""`flask demo`: the demo's cast."""

import click
from flask.cli import AppGroup

from guestauth import demo as cast
from guestauth.cli.terminal import command

demo = AppGroup("demo", help="The demo's cast; demo mode only.")


@demo.command("load")
@command
def load() -> None:
    """Add what is missing of the cast."""
    cast.load()
    click.echo("the demo's cast is loaded")


@demo.command("reset")
@command
def reset() -> None:
    """Throw everything away and load the cast anew."""
    cast.reset()
    click.echo("the demo starts afresh")
