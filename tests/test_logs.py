"""Logs: a line an event whatever is in it, as text or JSON, on stderr; nothing secret in it (B26, K-07)."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from guestauth import logs, signin
from tests.steps import BROWSER, another, ask, enter, wrong
from tests.world import ALEX, NICOLE, STRANGER, World

NASTY = "a\r\nb\x1b[31mc\u2028d\x00e\u202ef"


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    """Leave logging as other tests expect it."""
    root = logging.getLogger("guestauth")
    before = root.handlers, root.propagate, root.level
    yield
    root.handlers, root.propagate = before[0], before[1]
    root.setLevel(before[2])


def logged(world: World, capsys: pytest.CaptureFixture[str], *words: Any, **settings: str) -> str:
    """Log as an application with these settings does."""
    another(world, **settings)
    logging.getLogger("guestauth.test").info(*words)
    return capsys.readouterr().err


def failing() -> tuple[Any, ...]:
    try:
        raise ValueError(NASTY)
    except ValueError as fault:
        return type(fault), fault, fault.__traceback__


def record(message: str, *, fault: bool = False) -> logging.LogRecord:
    return logging.LogRecord("guestauth", logging.INFO, "", 1, message, (), failing() if fault else None)


@pytest.mark.case("K-07")
def test_text_is_one_line_whatever_is_in_it(sqlite_world: World, capsys: pytest.CaptureFixture[str]) -> None:
    line = logged(sqlite_world, capsys, "%s", NASTY)
    assert line.endswith("INFO guestauth.test a  b [31mc d e f\n")
    assert line.removesuffix("\n").isprintable()


@pytest.mark.case("K-07")
def test_json_is_one_object_on_one_line(sqlite_world: World, capsys: pytest.CaptureFixture[str]) -> None:
    line = logged(sqlite_world, capsys, "%s", NASTY, LOG_FORMAT="json")
    assert line.removesuffix("\n").isprintable()
    fields = json.loads(line)
    assert (fields["level"], fields["logger"], fields["message"]) == ("INFO", "guestauth.test", NASTY)
    assert set(fields) == {"time", "level", "logger", "message"}


@pytest.mark.case("K-07")
def test_traceback_follows_its_line_indented_and_cannot_forge_another() -> None:
    first, *rest = logs.OneLine().format(record("it failed", fault=True)).split("\n")
    assert first.endswith("INFO guestauth it failed")
    assert all(line.startswith("    ") and line.isprintable() for line in rest)
    assert "ValueError: a" in "".join(rest)


def test_traceback_is_a_field_of_the_json() -> None:
    fields = json.loads(logs.JsonLine().format(record("it failed", fault=True)))
    assert "ValueError: a" in fields["traceback"]


def test_level_is_the_least_that_is_logged(sqlite_world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert logged(sqlite_world, capsys, "quiet", LOG_LEVEL="WARNING") == ""
    assert "loud" in logged(sqlite_world, capsys, "loud", LOG_LEVEL="DEBUG")


def test_second_application_in_a_process_logs_each_line_once(
    sqlite_world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    another(sqlite_world)
    assert logged(sqlite_world, capsys, "once").count("once") == 1


def test_no_code_ticket_cookie_or_address_is_logged_even_at_debug(
    sqlite_world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    chatty = another(sqlite_world, LOG_LEVEL="DEBUG")
    started = ask(chatty)
    ask(chatty, STRANGER)
    code, path = chatty.code(NICOLE), chatty.invitation_path(ALEX)
    with pytest.raises(signin.PasscodeWrong):
        enter(chatty, started, wrong(code))
    secrets = [code, wrong(code), path.rpartition("/")[2], BROWSER, enter(chatty, started, code).session_secret]
    chatty.browser().open(path)
    text = "".join(capsys.readouterr())
    assert "GET" in text
    assert [secret for secret in secrets if secret in text] == []
