"""The pictures of the documentation: the same pages give the same bytes (UX acceptance 33)."""

import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Browser as Chromium

from tests.servers import ROOT

SAMPLE = ("enter-code-dark", "mailbox", "guest-accepted-zh-Hant-TW", "passcode-mail-nl")


def taken(to: Path, *names: str) -> dict[str, bytes]:
    command = [sys.executable, "-m", "tests.screenshots", *names, "--to", str(to)]
    subprocess.run(command, check=True, cwd=ROOT, capture_output=True)
    return {path.stem: path.read_bytes() for path in to.iterdir()}


@pytest.mark.long
def test_two_runs_take_the_same_pictures_whatever_is_taken_beside_them(chromium: Chromium, tmp_path: Path) -> None:
    first = taken(tmp_path / "first", *SAMPLE)
    assert set(first) == set(SAMPLE)
    assert taken(tmp_path / "second", *reversed(SAMPLE[1:])) == {name: first[name] for name in SAMPLE[1:]}


@pytest.mark.long
def test_picture_that_there_is_not_is_refused(tmp_path: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        taken(tmp_path, "nothing")
