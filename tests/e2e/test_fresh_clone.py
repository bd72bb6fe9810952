"""What a newcomer or an operator meets first: make, missing settings, doctor (F16, F19, K-01, K-02).

No committed file may have the address of a package index, or a folder of somebody's machine, in it.
"""

import json
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests import servers
from tests.e2e.site import Prepare, behind

ROOT = servers.ROOT
NEEDED = {"test", "touch", "python3", ".venv/bin/python"}
MACHINE = re.compile(
    r"/(?:root|home|work|Users)/\w|(?i:index[-_]url|find[-]links|py[p]i\.|pythonh[o]sted|/sim[p]le\b)"
)
WHOLE = {
    "SECRET_KEY": secrets.token_hex(32),
    "PUBLIC_URL": "https://guests.example",
    "MAIL_SERVER": "127.0.0.1",
}
FAULTS = [
    ("SECRET_KEY", ""),
    ("SECRET_KEY", "changeme" * 5),
    ("PUBLIC_URL", ""),
    ("PUBLIC_URL", "http://guests.example"),
    ("MAIL_SERVER", ""),
    ("FLASK_DEBUG", "1"),
]
PROGRAMS = {"gunicorn": ["--bind", "127.0.0.1:0", "app:app"], "flask": ["tenant", "list"]}


def programs(target: str, folder: Path) -> set[str]:
    """Find the programs that `make TARGET` would run where nothing is installed and uv is not there."""
    make = servers.require(shutil.which("make"), "there is no make on this machine")
    command = [make, "--dry-run", "--always-make", target]
    env = {"PATH": str(folder)}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=True)
    commands = [part for line in done.stdout.splitlines() for part in re.split(r"\|\||&&|;", line)]
    return {next(word for word in part.split() if "=" not in word) for part in commands}


def committed() -> dict[str, str]:
    """Read every text file that is, or would be, committed."""
    git = servers.require(shutil.which("git"), "there is no git on this machine")
    command = [git, "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    servers.require(None if listed.returncode else listed, "this is not a clone")
    files = [ROOT / name for name in listed.stdout.splitlines()]
    texts = {file: file.read_bytes() for file in files if file.is_file()}
    return {str(file.relative_to(ROOT)): text.decode() for file, text in texts.items() if b"\0" not in text}


def start(program: str, settings: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Start gunicorn or flask in production; it has 15 s to end by itself."""
    env = {"PATH": os.environ["PATH"], **settings}
    command = [sys.executable, "-m", program, *PROGRAMS[program]]
    return subprocess.run(command, cwd=ROOT, env=env, timeout=15, capture_output=True, text=True, check=False)


def findings(settings: dict[str, str]) -> tuple[int, dict[str, str]]:
    """Run `flask doctor` and give its exit code, and what it found wrong."""
    done = servers.flask({**settings, "MAIL_TIMEOUT": "10"}, "doctor", "--json")
    return done.returncode, {row["check"]: row["says"] for row in json.loads(done.stdout) if not row["ok"]}


# The repository


@pytest.mark.parametrize("target", ["run", "test"])
def test_make_needs_nothing_but_make_and_python(target: str, tmp_path: Path) -> None:
    assert programs(target, tmp_path) <= NEEDED


def test_no_committed_file_names_a_registry_or_a_folder_of_a_machine() -> None:
    found = {(name, match[0]) for name, text in committed().items() for match in MACHINE.finditer(text)}
    assert found == set()


# Settings


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize(("name", "value"), FAULTS, ids=[f"{name}={value or 'nothing'}" for name, value in FAULTS])
@pytest.mark.case("K-01", "K-02")
@pytest.mark.long
def test_production_does_not_start_and_says_why(program: str, name: str, value: str, tmp_path: Path) -> None:
    done = start(program, {**WHOLE, "INSTANCE_PATH": str(tmp_path), name: value})
    assert done.returncode not in (0, None)
    assert f"{name}: " in done.stderr
    assert "Traceback" not in done.stderr
    assert "changeme" not in done.stderr


def test_gunicorn_leaves_nothing_in_the_home_folder(prepare: Prepare) -> None:
    with behind(prepare("sqlite")) as made, made.serving() as served:
        served.process.send_signal(signal.SIGINT)
        served.process.wait(15)
        assert list(served.log.parent.iterdir()) == [served.log]


# Doctor


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_doctor_finds_nothing_wrong_with_a_healthy_demo(database: str, prepare: Prepare) -> None:
    with behind(prepare(database)) as healthy:
        assert findings(healthy.settings) == (0, {})


@pytest.mark.long
def test_doctor_names_a_mail_server_that_is_down(prepare: Prepare) -> None:
    with behind(prepare("sqlite")) as ill:
        ill.sink.stop()
        code, wrong = findings(ill.settings)
    assert (code, set(wrong)) == (1, {"mail server"})
    assert "MAIL_SERVER" in wrong["mail server"]


@pytest.mark.long
def test_doctor_names_a_database_that_is_down(prepare: Prepare) -> None:
    with servers.closed_port() as port, behind(prepare("sqlite")) as ill:
        code, wrong = findings({**ill.settings, "DATABASE_URL": f"postgresql://guest@127.0.0.1:{port}/guests"})
    assert (code, set(wrong)) == (1, {"database"})
    assert "DATABASE_URL" in wrong["database"]


@pytest.mark.long
def test_doctor_names_migrations_that_were_not_done(prepare: Prepare, tmp_path: Path) -> None:
    with behind(prepare("sqlite")) as ill:
        code, wrong = findings({**ill.settings, "INSTANCE_PATH": str(tmp_path)})
    assert (code, set(wrong)) == (1, {"migrations"})
    assert "flask db upgrade" in wrong["migrations"]
