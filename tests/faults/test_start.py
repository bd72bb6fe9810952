"""Migrations at the start: twice, by two at once, and under processes that serve the tables of before (F-12)."""

import uuid
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests import servers
from tests.e2e.parallel import together
from tests.e2e.site import HOME, Site, behind
from tests.faults.presses import at_each_step, press_all, statuses
from tests.probe import change

LATER = (
    "ALTER TABLE users ADD COLUMN later VARCHAR(20)",
    "ALTER TABLE sign_ins ADD COLUMN later INTEGER DEFAULT 0 NOT NULL",
    "ALTER TABLE sessions ADD COLUMN later VARCHAR(20)",
    "CREATE TABLE later (id INTEGER PRIMARY KEY)",
)
pytestmark = pytest.mark.case("F-12")


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    """An instance without a table, on each database."""
    settings = {"GUESTAUTH_DEMO": "on", "INSTANCE_PATH": str(tmp_path)}
    if request.param == "postgresql":
        name = f"empty_{uuid.uuid4().hex[:12]}"
        settings["DATABASE_URL"] = servers.create_database(request.getfixturevalue("postgresql"), name)
    with behind(settings) as made:
        yield made


@pytest.mark.long
def test_two_that_start_at_once_both_succeed_and_the_site_serves(empty: Site) -> None:
    for command in (("db", "upgrade"), ("demo", "load")):
        done = together(*[partial(servers.flask, empty.settings, *command)] * 2)
        assert [each.returncode for each in done] == [0, 0], [each.stderr for each in done]
    with empty.serving():
        assert empty.browser().open("/readyz").text == "ready\n"
        mail = empty.guest()
        browser = empty.awaiting_code(mail, f"{HOME}/apps/welcome-pack")
        assert browser.submit("enter-code", code=empty.code(mail)).h1 == "Review permissions"


@pytest.mark.long
def test_processes_of_before_go_on_with_the_tables_of_after(each_site: Site) -> None:
    for _ in range(3):  # so that statements are prepared
        press_all(at_each_step(each_site))
    shots = at_each_step(each_site)
    for statement in LATER:
        change(each_site.world, statement)
    assert set(statuses(press_all(shots)).values()) == {303}
    assert set(statuses(press_all(at_each_step(each_site))).values()) == {303}
