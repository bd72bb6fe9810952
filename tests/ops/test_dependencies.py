"""Dependencies: each with a reason, a version, a hash and a licence that is written down."""

import re
import tomllib
from importlib.metadata import PackageNotFoundError, metadata

import pytest

from tests.servers import ROOT

PINNED = ["requirements.txt", "requirements-dev.txt"]
ONLY_ELSEWHERE = {"tzdata", "colorama"}  # what other systems need
SHORT = {"MIT License": "MIT", "BSD License": "BSD-3-Clause", "The Unlicense (Unlicense)": "Unlicense"}
SHORT["Mozilla Public License 2.0 (MPL 2.0)"] = "MPL-2.0"


def requirements(name: str) -> list[str]:
    """The entries of a requirement file, each with its hashes, without comments."""
    lines = [line for line in (ROOT / name).read_text("utf-8").splitlines() if not line.strip().startswith("#")]
    return [each for each in "\n".join(lines).replace("\\\n", " ").split("\n") if each.strip()]


def licence(package: str) -> str:
    """The licence that an installed package names, as SPDX has it."""
    found = metadata(package)
    if expression := found.get("License-Expression"):
        return expression
    classified = [
        each.rpartition(" :: ")[2] for each in found.get_all("Classifier") or () if each[:7] == "License"
    ]
    return SHORT[classified[0]]


@pytest.mark.parametrize("name", PINNED)
def test_nothing_is_unpinned(name: str) -> None:
    """Mend: make lock."""
    entries = requirements(name)
    assert len(entries) > 20
    assert [
        each for each in entries if not re.match(r"[\w.-]+(\[\w+\])?==\S+ .*--hash=sha256:[0-9a-f]{64}", each)
    ] == []


@pytest.mark.parametrize("name", PINNED)
def test_no_address_of_a_registry_is_in_them(name: str) -> None:
    assert "://" not in (ROOT / name).read_text("utf-8")


def test_every_dependency_says_why() -> None:
    """Mend: write the reason behind it, as a comment."""
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    project = tomllib.loads(text)
    named = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    reasons = dict(re.findall(r'^    "([^"]+)", *# (\S.*)$', text, re.MULTILINE))
    assert [each for each in named if each not in reasons] == []


def test_every_dependency_is_pinned() -> None:
    """Mend: make lock."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = {re.split(r"[\[><=]", each)[0].lower() for each in project["dependencies"]}
    assert wanted <= {each.partition("==")[0].partition("[")[0] for each in requirements("requirements.txt")}


def test_licences_written_down_are_those_of_what_is_installed() -> None:
    """Mend: write the package's line into docs/licences.md."""
    table = dict(
        re.findall(r"^\| `([^`]+)` \| ([^|]+) \|", (ROOT / "docs/licences.md").read_text("utf-8"), re.MULTILINE)
    )
    packages = {each.partition("==")[0] for each in requirements("requirements.txt")}
    assert set(table) == packages
    for package in packages - ONLY_ELSEWHERE:
        try:
            assert table[package] == licence(package), package
        except PackageNotFoundError:
            pytest.fail(f"{package} is not installed: make test sets it up")
