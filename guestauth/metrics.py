"""Metrics: counts and times for Prometheus, at an address of their own.

What it does: `set_up` begins to count and listens at `METRICS_ADDRESS`; `answer` lets this process answer there;
`served` counts a request. Events of the audit log are counted when they are committed.

The one thing to understand: every process counts in a file of its own and shares the listening socket with the
one that forked it; so whichever answers adds up what all have counted. What is in the database is asked when
Prometheus asks, and is the same from every node.

What must stay true: no label holds an address, a tenant or a code: only names that stand in our code; without
`METRICS_ADDRESS` nothing is loaded, opened or counted.

Called by gunicorn's hooks, `flask mail deliver` and `web/measured.py`. It decides nothing.
"""

import atexit
import functools
import logging
import os
import shutil
import socket
import tempfile
import threading
import tomllib
from collections.abc import Iterator
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from guestauth import audit, checkup, housekeeping, limits, mail_health
from guestauth.audit import EVENTS
from guestauth.config import PROJECT
from guestauth.database import db, now, query
from guestauth.models import Event, MailHealth

log = logging.getLogger(__name__)
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)  # seconds
REASONS = {  # those that are words of ours; a mail server's own may have an address in them
    *("wrong code", "expired", "used", "too many tries", "too many codes", "too early", "may not sign in"),
    *("not a guest", "the sign-in is over", "the code would arrive dead", "the guest may not sign in"),
    *("the tenant does not let this domain in", "no administrator any more"),
    *(each.name for each in vars(limits).values() if isinstance(each, limits.Limit)),
}


class Answering(ThreadingMixIn, WSGIServer):
    """A small web server on a socket that listens already."""

    daemon_threads = True


class Quiet(WSGIRequestHandler):
    """It logs no request, and waits for none longer than this."""

    timeout = 10

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- its name there
        """Say nothing."""


class FromDatabase:
    """What the database knows, as a collector of Prometheus's."""

    def __init__(self, app: Flask) -> None:
        self.app = app

    def collect(self) -> Iterator[Any]:
        """Ask it, when Prometheus asks."""
        from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily

        yield InfoMetricFamily("guestauth_build", "What runs here", value={"version": _version()})
        with self.app.app_context():
            try:
                found = _state()
            except SQLAlchemyError:
                found = {}
        yield GaugeMetricFamily("guestauth_database_up", "Whether the database answers", value=bool(found))
        for name, (meaning, value) in found.items():
            yield GaugeMetricFamily(f"guestauth_{name}", meaning, value=value)


def set_up(app: Flask) -> None:
    """Begin to count, in this process and those it will fork, if `METRICS_ADDRESS` says where to tell."""
    address = app.config["METRICS_ADDRESS"]
    if not address:
        return
    try:
        listening = socket.create_server(
            address, family=socket.AF_INET6 if ":" in address[0] else socket.AF_INET, backlog=16
        )
    except OSError as fault:
        log.error("METRICS_ADDRESS: nobody is told anything: %s", fault)
        return
    listening.setblocking(False)  # whoever comes second to a connection has nothing to wait for
    _make_folder()
    app.extensions["guestauth_metrics"] = listening
    if _count not in audit.listeners:
        audit.listeners.append(_count)


def is_on(app: Flask) -> bool:
    """Whether this application counts."""
    return "guestauth_metrics" in app.extensions


def answer(app: Flask) -> None:
    """Let a thread of this process answer Prometheus, if it is to be told anything."""
    if not is_on(app):
        return
    from prometheus_client import CollectorRegistry, make_wsgi_app
    from prometheus_client.multiprocess import MultiProcessCollector

    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # theirs has no types
    registry.register(FromDatabase(app))
    server = Answering(app.config["METRICS_ADDRESS"], Quiet, bind_and_activate=False)
    server.socket.close()
    server.socket = app.extensions["guestauth_metrics"]
    server.server_name, server.server_port = app.config["METRICS_ADDRESS"]
    server.setup_environ()
    server.set_app(make_wsgi_app(registry))
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()


def served(endpoint: str, status: int, seconds: float) -> None:
    """Count a request.

    :param endpoint: the name of its page, not its address.
    """
    counters = _counters()
    counters["requests"].labels(endpoint, f"{status // 100}xx").inc()
    counters["seconds"].labels(endpoint).observe(seconds)
    if status == 429:
        counters["limits"].labels(endpoint).inc()


def _make_folder() -> None:
    """Give every process a place for its file; the first one takes it away when it ends."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:  # read by the library when it is loaded
        folder = tempfile.mkdtemp(prefix="guestauth-metrics-")
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        atexit.register(_remove, Path(folder), os.getpid())


def _remove(folder: Path, owner: int) -> None:
    if os.getpid() == owner:
        shutil.rmtree(folder, ignore_errors=True)


@functools.cache
def _version() -> str:
    """Return the version of this checkout, or of the package that was installed."""
    project = PROJECT / "pyproject.toml"
    if project.is_file():
        return str(tomllib.loads(project.read_text("utf-8"))["project"]["version"])
    return version("guestauth")


@functools.cache
def _counters() -> dict[str, Any]:
    """Make what counts, once in a process."""
    from prometheus_client import Counter, Histogram

    page = ("endpoint",)
    return {
        "requests": Counter("guestauth_requests", "Requests answered", (*page, "status"), registry=None),
        "seconds": Histogram("guestauth_request_seconds", "Time they took", page, buckets=BUCKETS, registry=None),
        "limits": Counter("guestauth_limits_reached", "Requests refused as too many", page, registry=None),
        "events": Counter("guestauth_events", "The audit log's", ("event", "result", "reason"), registry=None),
    }


def _count(made: Event) -> None:
    name, result, reason = made.name, made.result, made.reason or str(made.detail.get("limit", ""))
    known = reason if not reason or reason in REASONS else "other"
    _counters()["events"].labels(name if name in EVENTS else "other", result, known).inc()


@query
def _state() -> dict[str, tuple[str, float]]:
    """Return what is measured, with its meaning."""
    found, health, turn = checkup.delivery(), db.session.get(MailHealth, 1), housekeeping.last()
    return {
        "letters_waiting": ("Letters in the outbox", found.waiting),
        "letters_oldest_seconds": ("How long the oldest of them has waited", _since(found.oldest)),
        "mail_failing": ("Whether the mail server does not answer", bool(health and health.failing_since)),
        "mail_delayed": ("Whether pages say that mail is delayed", mail_health.is_delayed()),
        "mail_checked_seconds": ("How long ago it was last asked", _since(found.checked_at)),
        "housekeeping_seconds": ("How long ago housekeeping was done", _since(turn.done_at if turn else None)),
    }


def _since(moment: datetime | None) -> float:
    return (now() - moment).total_seconds() if moment else 0.0
