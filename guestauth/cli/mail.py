"""`flask mail`: the outbox and the mail server."""

import signal
from pathlib import Path

import click
from flask import current_app
from flask.cli import AppGroup
from flask.globals import app_ctx

from guestauth import addresses, courier, languages, letters, metrics, outbox, samples, smtp
from guestauth.cli.terminal import as_json, command, show
from guestauth.database import now

mail = AppGroup("mail", help="The outbox and the mail server.")


@mail.command("status")
@as_json
@command
def status(as_json: bool) -> None:
    """Say what waits, what left, and whether the mail server answers."""
    show(outbox.status(), as_json=as_json)


@mail.command("deliver")
@click.option("--once", is_flag=True, help="Deliver what is due now, then stop.")
@command
def deliver(once: bool) -> None:
    """Deliver letters, as a process of its own; SIGTERM or Ctrl-C stops it after those on their way."""
    app = app_ctx.app
    if once:
        courier.check_health(app)
        click.echo(f"letters tried: {courier.run_once(app)}")
        return
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: courier.stop(app))
    metrics.set_up(app)
    metrics.answer(app)
    courier.run(app)


@mail.command("preview")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder; default: letters, in the instance folder.",
)
@click.option("--lang", type=click.Choice(list(languages.NAMES)), help="Only in this language.")
@command
def preview(out: Path | None, lang: str | None) -> None:
    """Write every letter as files, with made-up facts, to look at: .html, .txt and .eml; nothing is sent."""
    folder = out or Path(current_app.config["INSTANCE_PATH"]) / "letters"
    try:
        saved = samples.save(folder, [lang] if lang else languages.NAMES)
    except OSError as fault:
        raise click.ClickException(f"{fault.strerror}: {fault.filename}") from fault
    click.echo(f"{len(saved)} files are in {folder}")


@mail.command("test")
@click.argument("to")
@command
def test(to: str) -> None:
    """Send a letter at once, past the outbox, to see whether the mail server takes it."""
    address = addresses.parse(to)
    if not current_app.config["MAIL_SERVER"]:
        raise click.ClickException("MAIL_SERVER is not set; there is no mail server to test")
    words = "This is a test from GuestAuth. If you can read it, mail works."
    content = letters.Content(
        to=address.mail, sender_name="GuestAuth", subject="GuestAuth test", text=words, html=f"<p>{words}</p>"
    )
    domain = current_app.config["MAIL_DEFAULT_SENDER"].partition("@")[2]
    try:
        smtp.send(smtp.compose(content, message_id=f"test-{now().timestamp()}@{domain}", date=now()))
    except smtp.NotSent as answer:
        raise click.ClickException(f"the mail server did not take it: {answer}") from answer
    click.echo(f"the mail server took a letter to {address.mail}")
