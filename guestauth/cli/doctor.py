"""`flask doctor`: what is wrong with this installation, and how to mend it.

The one thing to understand: each check says in a line what it found, and, if that is wrong, what to do; the later
ones are left out when an earlier one says why they cannot be made.
"""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

import click
from flask import current_app
from werkzeug.sansio.utils import host_is_trusted

from guestauth import checkup, housekeeping, identity_providers, mail_health, smtp
from guestauth.cli.terminal import as_json, command, show_all
from guestauth.database import CLOCK_SLACK, clock_offset, dialect, migrated, now, reachable

Finding = tuple[str, bool, str]
SECRETS = ("SECRET_KEY", "SECRET_KEY_FALLBACKS", "MAIL_PASSWORD", "DATABASE_URL")
MOST_FALLBACKS = 2
LEAST_FREE = 500 * 2**20  # bytes
LONG_WAIT = timedelta(hours=1)  # of a letter
NEGLECT = timedelta(hours=25)  # of housekeeping; it is due every hour


@click.command("doctor")
@as_json
@command
def doctor(as_json: bool) -> None:
    """Check settings, keys, database, mail, clock and housekeeping; exit 1 if something is wrong."""
    findings = list(_findings())
    rows = [{"check": name, "ok": ok, "says": text} for name, ok, text in findings]
    show_all(rows, as_json=as_json)
    if not all(ok for _, ok, _ in findings):
        raise SystemExit(1)


def _findings() -> Iterator[Finding]:
    yield from (_settings(), _hosts(), _keys(), *_secret_files())
    yield from _database()
    yield _mail_server()
    ready = reachable() and migrated()
    yield _outbox(ready)
    yield _providers(ready)
    yield _clock(ready)
    if ready:
        yield from (_delivery(), _letters(), _housekeeping(), _proxies())


def _settings() -> Finding:
    config = current_app.config
    mode = "demo: for trying out only" if config["GUESTAUTH_DEMO"] else f"production at {config['PUBLIC_URL']}"
    return "settings", True, mode


def _hosts() -> Finding:
    host, trusted = urlsplit(current_app.config["PUBLIC_URL"]).netloc, current_app.config["TRUSTED_HOSTS"]
    if host_is_trusted(host, trusted):
        return "hosts", True, f"answers to {', '.join(trusted)}"
    return "hosts", False, f"links in mail lead to {host}, which is not answered to: add it to TRUSTED_HOSTS"


def _keys() -> Finding:
    secret, fallbacks = current_app.config["SECRET_KEY"], current_app.config["SECRET_KEY_FALLBACKS"]
    if len({secret, *fallbacks}) <= len(fallbacks):
        return "keys", False, "the same secret stands twice in SECRET_KEY and SECRET_KEY_FALLBACKS: take one away"
    if len(fallbacks) > MOST_FALLBACKS:
        left_over = f"{len(fallbacks)} earlier ones are still accepted: take the oldest from SECRET_KEY_FALLBACKS"
        return "keys", False, left_over
    return "keys", True, f"1 in use, {len(fallbacks)} still accepted"


def _secret_files() -> Iterator[Finding]:
    """Look at who can read the files that have secrets."""
    folder = Path(current_app.config["INSTANCE_PATH"])
    named = [Path(os.environ[f"{name}_FILE"]) for name in SECRETS if f"{name}_FILE" in os.environ]
    for file in (*named, folder / "secret_key", folder / "config.toml"):
        if file.is_file() and file.stat().st_mode & 0o007:
            yield "secrets", False, f"everybody on this machine can read it: chmod o= {file}"


def _database() -> Iterator[Finding]:
    if not reachable():
        yield "database", False, "it does not answer: check DATABASE_URL and whether it is running"
        return
    yield "database", True, dialect()
    done = migrated()
    yield "migrations", done, "done" if done else "to be done: run flask db upgrade"
    if done:
        takes = checkup.writable()
        advice = "yes" if takes else "no: it is read-only, or locked by something that takes long; see its own log"
        yield "database takes writes", takes, advice
    if dialect() == "sqlite":
        yield from _sqlite(checkup.database_file())


def _sqlite(file: Path) -> Iterator[Finding]:
    private = file.exists() and not file.stat().st_mode & 0o077
    yield "database file", private, "mode 0600" if private else f"others can read it: chmod 600 {file}"
    recent = sqlite3.sqlite_version_info >= (3, 35)
    yield "sqlite", recent, sqlite3.sqlite_version if recent else "too old: 3.35 or later is needed"
    mode = checkup.journal_mode()
    advice = f"the journal is {mode}, not wal: is {file.parent} on a network? It must be on a local disk"
    yield "sqlite journal", mode == "wal", "wal" if mode == "wal" else advice
    free = shutil.disk_usage(file.parent).free
    room = f"{free // 2**20} MB free in {file.parent}"
    yield "disk", free >= LEAST_FREE, room if free >= LEAST_FREE else f"only {room}: make room"


def _mail_server() -> Finding:
    config = current_app.config
    if not config["MAIL_SERVER"]:
        return "mail server", config["GUESTAUTH_DEMO"], "none: letters go to the demo's mailbox only"
    try:
        smtp.probe()
    except smtp.NotSent as answer:
        return "mail server", False, f"{answer}: check MAIL_SERVER, MAIL_PORT, MAIL_USE_TLS and the password"
    return "mail server", True, f"{config['MAIL_SERVER']}:{config['MAIL_PORT']} takes mail"


def _outbox(ready: bool) -> Finding:
    delayed = mail_health.is_delayed() if ready else False
    return "outbox", not delayed, "mail is delayed: see flask mail status" if delayed else "nothing is stuck"


def _providers(ready: bool) -> Finding:
    old = ready and ", ".join(f"{each.name} ({each.id})" for each in identity_providers.sealed_before())
    advice = f"the current SECRET_KEY does not open those of {old}: flask provider renew-secret"
    return "client secrets", not old, advice if old else "the current SECRET_KEY opens them"


def _clock(ready: bool) -> Finding:
    offset = clock_offset()
    if offset:
        return "clock", False, f"{offset} ahead: the demo's clock was moved"
    skew = checkup.skew() if ready else timedelta()
    if abs(skew) > CLOCK_SLACK:
        what = "database's" if dialect() == "postgresql" else "newest event's"
        way = "behind" if skew > timedelta() else "ahead of"
        return "clock", False, f"this machine's is {abs(skew)} {way} the {what}: let NTP set it (timedatectl)"
    return "clock", True, "the machine's"


def _delivery() -> Finding:
    how, found = current_app.config["MAIL_DELIVERY"], checkup.delivery()
    who = "flask mail deliver" if how == "worker" else "the web processes"
    if found.checked_at is None:
        return "delivery", True, f"not begun yet: {who} will"
    still = now() - found.checked_at
    if still > mail_health.STALE:
        return "delivery", False, f"nobody has delivered for {_rounded(still)}: start {who} (MAIL_DELIVERY={how})"
    return "delivery", True, f"{who}: {_rounded(still)} ago"


def _letters() -> Finding:
    found = checkup.delivery()
    waited = now() - found.oldest if found.oldest else timedelta()
    if waited > LONG_WAIT:
        return "letters", False, f"{found.waiting} wait, the oldest for {_rounded(waited)}: see flask mail status"
    return "letters", True, f"{found.waiting} wait"


def _housekeeping() -> Finding:
    turn = housekeeping.last()
    if turn is None:
        return "housekeeping", True, "not begun yet: whoever delivers mail will"
    done = turn.done_at or turn.taken_at
    if now() - done > NEGLECT:
        advice = "is delivery running? flask purge does it now"
        return "housekeeping", False, f"not done for {_rounded(now() - done)}: {advice}"
    return "housekeeping", True, f"done {_rounded(now() - done)} ago"


def _proxies() -> Finding:
    hops, client = current_app.config["TRUSTED_PROXIES"], checkup.lone_client()
    near = client is not None and not ip_address(client).is_global
    if near and not current_app.config["GUESTAUTH_DEMO"]:
        advice = f"set TRUSTED_PROXIES to how many there are (it is {hops}), and let each set X-Forwarded-For"
        return "proxies", False, f"everybody seems to come from {client}, which is a proxy: {advice}"
    return "proxies", True, f"{hops} trusted"


def _rounded(time: timedelta) -> timedelta:
    return timedelta(seconds=round(time.total_seconds()))
