"""Starting afresh: the cast, and nothing else (UX acceptance 33)."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.dev import now
from tests.guest import DAY
from tests.probe import ask, tables
from tests.world import ALEX, World


@pytest.mark.acceptance(33)
def test_reset_gives_the_same_data_again(world: World) -> None:
    names = {"tenants": "id", "users": "id", "resources": "id", "domains": "name", "shares": "user_id"}
    before = {table: sorted(world.rows(f"SELECT {name} FROM {table}")) for table, name in names.items()}
    browser = world.signed_in(ALEX)
    world.advance(DAY // 2)
    assert browser.open("/dev/reset").submit("reset").h1 == "Try GuestAuth"
    assert {table: sorted(world.rows(f"SELECT {name} FROM {table}")) for table, name in names.items()} == before


def test_reset_ends_sessions_empties_the_mailbox_and_puts_the_clock_right(sqlite_world: World) -> None:
    browser = sqlite_world.signed_in(ALEX)
    sqlite_world.advance(DAY // 2)
    browser.open("/dev/reset").submit("reset")
    assert browser.open("/fabrikam.example").h1 == "Sign in to Fabrikam"
    assert [letter.message["To"] for letter in sqlite_world.letters()] == [ALEX]
    assert now(sqlite_world) - datetime.now(UTC) < timedelta(seconds=1)
    assert sqlite_world.rows("SELECT state FROM users WHERE mail = :mail", mail=ALEX) == [("PendingAcceptance",)]


def test_reset_by_get_or_without_the_token_changes_nothing(sqlite_world: World) -> None:
    before = tables(sqlite_world)
    assert ask(sqlite_world.app, "/dev/reset").status == 200
    assert ask(sqlite_world.app, "/dev/reset", "POST", form={}).status == 400
    assert tables(sqlite_world) == before
