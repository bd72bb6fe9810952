"""The systemd units: what systemd itself says of them."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests import servers

DOCS = servers.ROOT / "docs"
UNITS = ["guestauth.service", "guestauth-mail.service"]
MOST_EXPOSED = 2.0  # of 10, by systemd's own count; a usual service has 9


@pytest.fixture(params=UNITS)
def unit(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A unit whose program is there."""
    servers.require(shutil.which("systemd-analyze"), "systemd-analyze is not installed")
    text = (DOCS / request.param).read_text("utf-8").replace("/opt/guestauth", str(tmp_path))
    for program in re.findall(r"^ExecStart=(\S+)", text, re.MULTILINE):
        Path(program).parent.mkdir(parents=True, exist_ok=True)
        Path(program).write_text("#!/bin/sh\n")
        Path(program).chmod(0o755)
    (tmp_path / request.param).write_text(text)
    return tmp_path / request.param


def analyze(*args: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["systemd-analyze", *args], capture_output=True, text=True, check=False)


def test_systemd_finds_nothing_wrong_with_it(unit: Path) -> None:
    done = analyze("verify", "--man=no", "--recursive-errors=no", unit)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_systemd_counts_little_exposure(unit: Path) -> None:
    done = analyze("security", "--offline=yes", unit)
    found = re.search(r"exposure level for \S+: ([0-9.]+)", done.stdout)
    assert found and float(found[1]) <= MOST_EXPOSED, done.stdout


def test_both_units_are_equally_hardened() -> None:
    hardening = [(DOCS / name).read_text("utf-8").partition("Nothing else.")[2] for name in UNITS]
    assert hardening[0] == hardening[1] and "NoNewPrivileges=yes" in hardening[0]


@pytest.mark.parametrize("name", UNITS)
def test_programs_it_starts_are_those_of_the_installation(name: str) -> None:
    command = re.search(r"^ExecStart=/opt/guestauth/(\S+)", (DOCS / name).read_text("utf-8"), re.MULTILINE)
    assert command and (servers.ROOT / command[1]).exists()
