"""Starts a server process on a held port, waits until it answers, and ends it: it alone, by its id.

The one thing to understand is the guard: a small shell beside the server reads a pipe from the test process.
When the test process is gone, however it went, the pipe closes and the guard stops the server.
"""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

# $0 is the signal's name, $1 a folder to remove when nobody else can, the rest the server.
# `exec` keeps the process id, so the shell's id is the server's.
GUARDED = """scrap=$1; shift
exec 3<&0 </dev/null
(read -r _ <&3 || { kill -s "$0" $$; sleep 2; ${scrap:+rm -rf -- "$scrap"}; }) >/dev/null 2>&1 &
exec 3<&-
exec "$@" """


class DidNotStart(Exception):  # noqa: N818 - a fact about a program, not an error of ours
    """A server ended or stayed silent instead of answering; the message has what it printed."""


@contextmanager
def held_port() -> Iterator[int]:
    """Give a free loopback port that no other program is handed while the block lasts.

    A socket stays bound to it without listening: connections are refused until a server listens there, which
    Linux allows beside the holder because both set SO_REUSEADDR. Elsewhere the port is let go at once.
    """
    with _bound_socket() as holder:
        port = holder.getsockname()[1]
        if sys.platform != "linux":
            holder.close()
        yield port


@contextmanager
def closed_port() -> Iterator[int]:
    """Give a loopback port that refuses every connection while the block lasts."""
    with _bound_socket() as holder:
        yield holder.getsockname()[1]


def _bound_socket() -> socket.socket:
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.bind(("127.0.0.1", 0))
    return holder


@contextmanager
def running(
    command: Sequence[str | Path],
    *,
    log: Path,
    stop: signal.Signals = signal.SIGTERM,
    scrap: Path | None = None,
    **options: Any,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server while the block lasts, its output going to the file `log`; `stop` asks it to end.

    `scrap` is the folder that the guard removes after it had to end the server.
    """
    guarded = ["sh", "-c", GUARDED, stop.name.removeprefix("SIG"), str(scrap or ""), *map(str, command)]
    with log.open("ab") as output:
        process = subprocess.Popen(
            guarded,
            stdin=subprocess.PIPE,
            bufsize=0,
            stdout=output,
            stderr=output,
            start_new_session=True,
            **options,
        )
    try:
        yield process
    finally:
        end(process, stop)
        process.stdin.close()


def end(process: subprocess.Popen[bytes], stop: signal.Signals, *, seconds: float = 15) -> int:
    """Ask the process to end with the signal `stop`, insist after `seconds`; give its return code."""
    with contextlib.suppress(BrokenPipeError):  # it is gone already
        process.stdin.write(b"dismissed\n")  # the guard ends without a signal
    process.send_signal(stop)
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        return kill(process)


def kill(process: subprocess.Popen[bytes]) -> int:
    """End the process and all it started, without warning (SIGKILL); give its return code."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)  # the group is its own: start_new_session
    return process.wait()


def wait_until_ready(
    process: subprocess.Popen[bytes], answers: Callable[[], bool], *, log: Path, seconds: float = 30
) -> None:
    """Ask `answers` until it says yes; raise `DidNotStart` when the process ends or the time is over."""
    deadline = time.monotonic() + seconds
    while not answers():
        ended = process.poll()
        if ended is not None or time.monotonic() > deadline:
            how = f"no answer for {seconds} s" if ended is None else f"ended with {ended}"
            raise DidNotStart(f"{how}: {' '.join(process.args[5:])}\n{log.read_text(errors='replace')}")
        time.sleep(0.02)
