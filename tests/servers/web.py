"""GuestAuth served for real by gunicorn, and its `flask` command line, each with settings of its own only."""

import os
import shlex
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from tests.servers.process import end, held_port, kill, running, wait_until_ready

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Served:
    """A gunicorn that serves the application: its address, its process and what it prints."""

    url: str
    port: int
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def pid(self) -> int:
        """The arbiter's process id; the workers are its children."""
        return self.process.pid

    def stderr(self) -> str:
        """All it has printed so far."""
        return self.log.read_text(errors="replace")

    def terminate(self) -> int:
        """Let it finish its requests and end (SIGTERM); give its return code."""
        return end(self.process, signal.SIGTERM)

    def kill(self) -> int:
        """End it and its workers without warning (SIGKILL), as a power cut would."""
        return kill(self.process)


@contextmanager
def gunicorn(
    env: Mapping[str, str],
    *,
    workers: int = 1,
    cwd: Path = ROOT,
    port: int | None = None,
    certfile: Path | None = None,
    keyfile: Path | None = None,
) -> Iterator[Served]:
    """Serve `app:app` of the folder `cwd` while the block lasts, with the settings in `env` and no others.

    `port` (from `held_port`) is for servers that must know it before or keep it over a restart; otherwise a
    free one. `certfile` and `keyfile` serve https. HOME is a fresh folder, since gunicorn keeps its control
    socket there. Raises `DidNotStart`, with what was printed, when `/healthz` is not 200 within 30 s.
    """
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gunicorn-")))
        port = port or stack.enter_context(held_port())
        url = f"{'https' if certfile else 'http'}://127.0.0.1:{port}"
        command = [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "--workers", str(workers)]
        if certfile:
            command += ["--certfile", str(certfile), "--keyfile", str(keyfile)]
        whole = {"PATH": os.environ["PATH"], "HOME": str(home), **env}
        log = home / "stderr"
        process = stack.enter_context(running([*command, "app:app"], log=log, scrap=home, cwd=cwd, env=whole))
        host = urlsplit(env.get("PUBLIC_URL", url)).netloc  # the one host a production server answers to
        client = stack.enter_context(httpx.Client(verify=False, trust_env=False, headers={"Host": host}))
        wait_until_ready(process, lambda: _is_healthy(client, url), log=log)
        yield Served(url, port, process, log)


def flask(
    env: Mapping[str, str],
    *args: str,
    input: str | None = None,  # noqa: A002 - subprocess's word
    cwd: Path = ROOT,
    seconds: float = 60,
) -> subprocess.CompletedProcess[str]:
    """Run `flask ARGS` in the folder `cwd`, with the settings in `env` and no others, `input` on stdin."""
    whole = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **env}
    command = [sys.executable, "-m", "flask", *args]
    try:
        return subprocess.run(
            command,
            input=input or "",
            env=whole,
            cwd=cwd,
            timeout=seconds,
            check=False,
            capture_output=True,
            text=True,
        )
    except subprocess.TimeoutExpired as late:
        message = f"`{shlex.join(['flask', *args])}` took longer than {seconds} s"
        raise AssertionError(message) from late


def _is_healthy(client: httpx.Client, url: str) -> bool:
    try:
        return client.get(f"{url}/healthz", timeout=5).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False
