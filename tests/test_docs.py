"""The documentation says what the code does: settings, commands, audit events."""

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
    purge,
    resource,
    session,
    tenant,
)
from guestauth.config import SETTINGS, Setting

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text("utf-8")
GROUPS = [
    administrator.administrator,
    guest.guest,
    mail.mail,
    policy.policy,
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
