"""A PostgreSQL that can be stopped and started again, on the same port with the same data.

Called by the tests of its restart; all others share one that stays up (`tests/servers/postgresql.py`).
"""

import secrets
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.servers.postgresql import (
    ENV,
    SETTINGS,
    _account,
    _answers,
    _make_cluster,
    _own_folder,
    _place,
    _programs,
)
from tests.servers.process import end, held_port, running, wait_until_ready

HONEST = {"synchronous_commit": "on"}  # what it has said is done outlives its crash


@dataclass
class Cluster:
    """The programs, where the data are, and who serves them now."""

    command: list[str | Path]
    folder: Path
    url: str
    stack: ExitStack = field(default_factory=ExitStack)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Serve, and wait until it answers."""
        log = self.folder / "log"
        options = {"stop": signal.SIGQUIT, "cwd": self.folder, "env": ENV, **_account()}
        self.process = self.stack.enter_context(running(self.command, log=log, **options))
        wait_until_ready(self.process, lambda: _answers(self.url), log=log)

    def stop(self, how: signal.Signals) -> None:
        """Stop: SIGINT ends every connection first, SIGQUIT is a crash; it recovers at the next start."""
        assert self.process
        end(self.process, how)


@contextmanager
def cluster() -> Iterator[Cluster]:
    """Make one and serve it; at the end it is stopped if it is up, and its data are gone."""
    with (
        _own_folder(_place()) as folder,
        _own_folder() as copies,
        held_port() as port,
        ExitStack() as stack,
    ):
        programs, password = _programs(copies), secrets.token_hex(16)
        _make_cluster(programs, folder, password)
        settings = [f"-c{name}={value}" for name, value in {**SETTINGS, **HONEST}.items()]
        command = [programs / "postgres", "-D", folder / "data", "-p", str(port), *settings]
        made = Cluster(command, folder, f"postgresql://postgres:{password}@127.0.0.1:{port}/postgres", stack)
        made.start()
        yield made
