"""What `docs/running.md` and the files beside it say is so: commands, settings, limits, metrics, times."""

import re

import click
import pytest
from flask_migrate.cli import db as migrations

from guestauth import guests, housekeeping, metrics, passcodes
from guestauth.cli import audit, database, demo, doctor, guest, mail, provider, purge, resource, session, tenant
from guestauth.config import SETTINGS
from guestauth.web import cookies
from tests.servers import ROOT
from tests.world import World

TOLD = ("docs/running.md", "docs/identity-providers.md", "SECURITY.md", "README.md")
TEXTS = {name: (ROOT / name).read_text("utf-8") for name in TOLD}
UNITS = ("docs/guestauth.service", "docs/guestauth-mail.service")
RUNNING = TEXTS["docs/running.md"]
GROUPS = (tenant.tenant, provider.provider, guest.guest, mail.mail, resource.resource, session.session)
MORE = (audit.audit, database.database, demo.demo, doctor.doctor, purge.purge)
COMMANDS: dict[str | None, click.Command] = {
    **{each.name: each for each in (*GROUPS, *MORE)},
    "db": migrations,
}


def commands(text: str) -> list[str]:
    """Every command of ours that stands in a code block, or as code in a line."""
    blocks = [line.strip() for line in text.splitlines() if line.startswith("    ")]
    parts = [part for line in blocks for part in re.split(r"&& |; |  +#", line)]
    found = [re.fullmatch(r"(?:\.venv/bin/flask|guestauth|flask) ([a-z].*)", part.strip()) for part in parts]
    return [each[1] for each in found if each] + re.findall(r"`flask ([a-z][^`·]*)`", text)


@pytest.mark.parametrize("name", TEXTS)
def test_every_command_named_exists(name: str) -> None:
    assert commands(TEXTS[name])
    for line in (each for each in commands(TEXTS[name]) if each.split()[0] in COMMANDS or pytest.fail(each)):
        words = line.split()
        command = COMMANDS[words[0]]
        if isinstance(command, click.Group) and len(words) > 1 and words[1].islower():
            assert words[1] in command.commands, line
            command = command.commands[words[1]]
        options = {option for each in command.params for option in each.opts}
        assert {word for word in words if word.startswith("--")} <= options, line


@pytest.mark.parametrize("file", ["docs/running.md", "SECURITY.md", "docs/guestauth.env.example", *UNITS])
def test_every_setting_named_exists(file: str) -> None:
    text = (ROOT / file).read_text("utf-8")
    named = set(re.findall(r"\b([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)(?==|`)", text)) - {"NAME_FILE"}
    assert named and named <= {each.name for each in SETTINGS}


def test_example_of_settings_has_no_secret() -> None:
    text = (ROOT / "docs" / "guestauth.env.example").read_text("utf-8")
    assert re.search(r"^SECRET_KEY=$", text, re.MULTILINE) and re.search(r"^MAIL_PASSWORD=$", text, re.MULTILINE)


def test_every_limit_stands_in_the_table_with_its_default() -> None:
    """Mend: change the table of limits in docs/running.md."""
    limits = [each for each in SETTINGS if each.name.startswith("LIMIT_")]
    lines = [f"| `{each.name}` | {each.default} {each.unit} | {each.meaning} |" for each in limits]
    assert lines and [line for line in lines if line not in RUNNING] == []
    assert len(re.findall(r"^\| `LIMIT_", RUNNING, re.MULTILINE)) == len(lines)


def test_every_metric_stands_in_the_table(world: World) -> None:
    """Mend: change the table of metrics in docs/running.md."""
    counted = {"guestauth_requests_total", "guestauth_request_seconds", "guestauth_limits_reached_total"}
    asked = {f"guestauth_{name}" for name in world.do(metrics._state)} | {"guestauth_events_total"}
    there = counted | asked | {"guestauth_database_up", "guestauth_build_info"}
    assert set(re.findall(r"^\| `(guestauth_\w+)` \|", RUNNING, re.MULTILINE)) == there


def test_times_that_data_are_kept_are_those_of_housekeeping() -> None:
    assert (housekeeping.UNUSED_FOR.days, housekeeping.USED_FOR.days, guests.KEPT_FOR.days) == (1, 30, 30)
    assert housekeeping.DELETED_FOR.days == 30 and cookies.KNOWN_FOR.days == 90
    assert all(words in RUNNING for words in ("| 24 hours |", "| 30 days |", "After 90 days"))


@pytest.mark.parametrize("name", TEXTS)
def test_links_between_the_documents_lead_somewhere(name: str) -> None:
    here = (ROOT / name).parent
    for path, _, anchor in (each.partition("#") for each in re.findall(r"\]\((?!https?:)([^)]+)\)", TEXTS[name])):
        file = (here / path).resolve() if path else ROOT / name
        assert file.exists(), path
        heads = re.findall(r"^#+ (.+)$", file.read_text("utf-8"), re.MULTILINE) if anchor else []
        anchors = {re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads}
        assert not anchor or anchor in anchors, anchor


def test_operators_are_told_what_the_standards_say() -> None:
    text = TEXTS["SECURITY.md"]
    assert all(words in text for words in ("SP 800-63B-4", "ASVS 6.3.6", "ASVS 6.5.5", "no multi-factor"))


def test_figures_of_what_an_attacker_can_do_follow_from_the_limits() -> None:
    text = re.sub(r"\s+", " ", TEXTS["SECURITY.md"].partition("<!-- FIGURES")[2])
    limits = {each.name: int(each.default or 0) for each in SETTINGS if each.name.startswith("LIMIT_")}
    day, known = limits["LIMIT_SENDS_PER_DAY"], limits["LIMIT_KNOWN_SENDS_PER_DAY"]
    tries, mails = passcodes.MOST_TRIES, 24 * limits["LIMIT_TENANT_MAILS_PER_HOUR"]
    sends, codes = 24 * limits["LIMIT_CLIENT_SENDS_PER_HOUR"], 144 * limits["LIMIT_CLIENT_CODES_PER_10_MINUTES"]
    figures = [f"{day} by browsers", f"{limits['LIMIT_SENDS_PER_HOUR']} of them in any hour", f"{known} more"]
    figures += [f"{day * tries} on the first day", f"{day * tries + 364 * tries:,}", f"{365 * day * tries:,}"]
    figures += [f"{mails:,} and {24 * limits['LIMIT_MAILS_PER_HOUR']:,}", f"{mails * tries:,} a day"]
    figures += [f"{144 * limits['LIMIT_CLIENT_ADDRESSES_PER_10_MINUTES']:,} sign-ins and {sends:,} codes"]
    figures += [f"{2 * sends:,} for codes asked for", f"{codes:,} for codes entered"]
    figures += [f"after {limits['LIMIT_WRONG_CODES']} wrong codes in a row"]
    assert [each for each in figures if each not in text] == []
