"""`flask doctor`: what is wrong with this installation, and how to mend it."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import click
from flask import current_app

from guestauth import outbox, smtp
from guestauth.cli.terminal import as_json, command, show_all
from guestauth.database import clock_offset, dialect, migrated, reachable

Finding = tuple[str, bool, str]


@click.command("doctor")
@as_json
@command
def doctor(as_json: bool) -> None:
    """Check settings, database, mail server, clock and keys; exit 1 if something is wrong."""
    findings = list(_findings())
    rows = [{"check": name, "ok": ok, "says": text} for name, ok, text in findings]
    show_all(rows, as_json=as_json)
    if not all(ok for _, ok, _ in findings):
        raise SystemExit(1)


def _findings() -> Iterator[Finding]:
    config = current_app.config
    mode = "demo: for trying out only" if config["GUESTAUTH_DEMO"] else f"production at {config['PUBLIC_URL']}"
    yield "settings", True, mode
    yield from _database()
    yield _mail_server()
    delayed = outbox.is_delayed() if reachable() and migrated() else False
    advice = "mail is delayed: see flask mail status" if delayed else "nothing is stuck"
    yield "outbox", not delayed, advice
    offset = clock_offset()
    yield "clock", not offset, f"{offset} ahead: the demo's clock was moved" if offset else "the machine's"
    fallbacks = len(config["SECRET_KEY_FALLBACKS"])
    yield "keys", True, f"1 in use, {fallbacks} still accepted"


def _database() -> Iterator[Finding]:
    if not reachable():
        yield "database", False, "it does not answer: check DATABASE_URL and whether it is running"
        return
    yield "database", True, dialect()
    done = migrated()
    yield "migrations", done, "done" if done else "to be done: run flask db upgrade"
    if dialect() == "sqlite":
        file = Path(current_app.config["DATABASE_URL"].removeprefix("sqlite:///").partition("?")[0])
        private = file.exists() and not file.stat().st_mode & 0o077
        yield "database file", private, "mode 0600" if private else f"others can read it: chmod 600 {file}"
        recent = sqlite3.sqlite_version_info >= (3, 35)
        yield "sqlite", recent, sqlite3.sqlite_version if recent else "too old: 3.35 or later is needed"


def _mail_server() -> Finding:
    config = current_app.config
    if not config["MAIL_SERVER"]:
        return "mail server", config["GUESTAUTH_DEMO"], "none: letters go to the demo's mailbox only"
    try:
        smtp.probe()
    except smtp.NotSent as answer:
        return "mail server", False, f"{answer}: check MAIL_SERVER, MAIL_PORT, MAIL_USE_TLS and the password"
    return "mail server", True, f"{config['MAIL_SERVER']}:{config['MAIL_PORT']} takes mail"
