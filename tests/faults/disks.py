"""A small disk of its own for a database, that can be full and read-only.

It is a file system in memory, which only root may mount; elsewhere the tests that need it are skipped. `fill`
takes all its room, `make_room` gives it back. Called by tests of full disks; it is unmounted at the end.
"""

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.servers.postgresql import _account

BLOCK = 64 * 1024


@dataclass(frozen=True)
class Disk:
    """Where it is."""

    path: Path

    def fill(self) -> None:
        """Leave not a byte."""
        with (self.path / "filler").open("ab", buffering=0) as filler:
            for size in (BLOCK, 4096, 1):
                try:
                    while filler.write(b"x" * size):
                        pass
                except OSError:
                    continue

    def make_room(self) -> None:
        """Give back what `fill` took."""
        (self.path / "filler").unlink()

    def remount(self, how: str) -> None:
        """Make it read-only (`ro`) or writable again (`rw`)."""
        subprocess.run(["mount", "-o", f"remount,{how}", self.path], check=True, capture_output=True)


@contextmanager
def small_disk(megabytes: int) -> Iterator[Disk]:
    """Mount one while the block lasts; it belongs to whoever PostgreSQL runs as."""
    account = _account()
    options = f"size={megabytes}m,mode=0755"
    if account:
        options += f",uid={account['user']},gid={account['group']}"
    with tempfile.TemporaryDirectory(prefix="disk-") as name:
        Path(name).chmod(0o755)
        command = ["mount", "-t", "tmpfs", "-o", options, "disk", name]
        done = subprocess.run(command, check=False, capture_output=True)
        if done.returncode:
            pytest.skip("a small disk can be mounted only by root")
        try:
            yield Disk(Path(name))
        finally:
            subprocess.run(["umount", "--lazy", name], check=True)
