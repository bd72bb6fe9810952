"""The documentation says what the code does: settings, commands, audit events."""

import re
from pathlib import Path

import click
import pytest

from guestauth.audit import EVENTS
from guestauth.cli import (
    administrator,
    audit,
    database,
    demo,
    doctor,
    guest,
    mail,
    policy,
    provider,
    purge,
    resource,
    session,
    tenant,
)
from guestauth.config import SETTINGS, Setting
from tests.screenshots import PICTURES

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text("utf-8")
GROUPS = [
    administrator.administrator,
    guest.guest,
    mail.mail,
    policy.policy,
    provider.provider,
    resource.resource,
    session.session,
    tenant.tenant,
    database.database,
    demo.demo,
]


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_every_setting_has_its_line_in_the_readme(setting: Setting) -> None:
    """Mend: add `| name | default | unit | meaning |` to the table of settings."""
    assert f"| `{setting.name}` |" in README
    assert setting.meaning in README


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.name)
def test_every_command_has_its_place_in_the_readme(group: click.Group) -> None:
    """Mend: add the command to the README's table."""
    line = next(line for line in README.splitlines() if f"`flask {group.name} " in line and "|" in line)
    assert all(name in line for name in group.commands)


@pytest.mark.parametrize("command", [audit.audit, doctor.doctor, purge.purge], ids=lambda command: command.name)
def test_every_single_command_too(command: click.Command) -> None:
    assert f"`flask {command.name}" in README


def test_every_audit_event_is_explained() -> None:
    """Mend: add the event to docs/audit-events.md."""
    text = (ROOT / "docs" / "audit-events.md").read_text("utf-8")
    assert [
        f"| `{name}` | {meaning} |" for name, meaning in EVENTS.items() if f"| `{name}` | {meaning} |" not in text
    ] == []


def test_every_picture_in_the_documentation_is_taken_by_the_command() -> None:
    """Mend: name the picture in `tests/screenshots.py` and run `make screenshots`."""
    texts = [README, *(path.read_text("utf-8") for path in (ROOT / "docs").glob("*.md"))]
    shown = {name for text in texts for name in re.findall(r"[\w./-]+\.(?:png|jpe?g|gif|svg|webp)", text)}
    assert shown <= {f"docs/screenshots/{name}.png" for name in PICTURES} and len(shown) > 8


def test_pictures_that_are_kept_are_those_of_the_command() -> None:
    """Mend: run `make screenshots`, and delete what it no longer takes."""
    kept = list((ROOT / "docs" / "screenshots").iterdir())
    assert {path.name for path in kept} == {f"{name}.png" for name in PICTURES}
    assert sum(path.stat().st_size for path in kept) < 2_000_000
