"""The database is locked, full, read-only, away, or started again (catalogue F-06, F-09, F-10).

What waits a moment succeeds; what cannot be done is a 503 page that says when to try again; nothing is half done,
nobody is signed in who is not told so, and all works again right after.
"""

import shutil
import signal
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest

from guestauth import database
from tests import SOAK, servers
from tests.conftest import _prepare
from tests.e2e.parallel import Shot, together
from tests.e2e.site import HOME, Prepare, Site, behind, delivering, wait_until
from tests.faults.disks import Disk, small_disk
from tests.faults.invariants import check, is_sqlite
from tests.faults.mail import arrivals, invite
from tests.faults.presses import at_each_step, is_understandable, press, press_all, rows, statuses
from tests.faults.restarting import Cluster, cluster
from tests.world import environment

ALL = dict.fromkeys(("email-form", "send-code", "enter-code", "consent", "sign-out"), 303)
NONE = dict.fromkeys(ALL, 503)
LONG = 30 if SOAK else 0  # seconds of a long lock; beyond what a request waits in any case
TABLES = "sign_ins, passcodes, sessions, users, letters, events, tenants"
SESSIONS = "SELECT (SELECT count(*) FROM sessions), (SELECT count(*) FROM sign_ins WHERE consumed_at IS NOT NULL)"
END_CONNECTIONS = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid != pg_backend_pid()"""


@contextmanager
def locked(site: Site) -> Iterator[Callable[[], None]]:
    """Let another process lock the database for writing; what is given unlocks it."""
    if not is_sqlite(site):
        other: Any = psycopg.connect(site.settings["DATABASE_URL"])
        other.execute(f"LOCK TABLE {TABLES} IN EXCLUSIVE MODE")
    else:
        path = site.world.instance / "guestauth.db"
        other = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30)
        other.execute("BEGIN EXCLUSIVE")
    try:
        yield other.rollback
    finally:
        other.close()


# Locked


@pytest.mark.case("F-06")
def test_requests_wait_for_a_lock_of_three_seconds_and_succeed(each_site: Site) -> None:
    shots, before = at_each_step(each_site), rows(each_site)
    with locked(each_site) as unlock:
        timer = threading.Timer(3, unlock)
        timer.start()
        answers = press_all(shots)
        timer.join()
    assert statuses(answers) == ALL
    assert rows(each_site) != before
    wait_until(lambda: each_site.waiting() == 0)
    check(each_site, [])


@pytest.mark.case("F-06")
@pytest.mark.long
def test_long_lock_of_sqlite_is_told_changes_nothing_and_is_over_with_it(sqlite_site: Site) -> None:
    outlast(sqlite_site)


@pytest.mark.case("F-06")
@pytest.mark.long
def test_long_lock_of_postgresql_is_told_changes_nothing_and_is_over_with_it(postgresql_site: Site) -> None:
    outlast(postgresql_site)


def outlast(site: Site) -> None:
    """Press every button while the database is locked for long, and again right after."""
    shots, before, over = at_each_step(site), rows(site), threading.Event()
    with locked(site):
        timer = threading.Timer(LONG, over.set)
        timer.start()
        answers = press_all(shots)
        while not over.is_set():
            answers = press_all(shots)
        assert site.browser().open(HOME).status == 200  # who only reads goes on
    assert (statuses(answers), rows(site)) == (NONE, before)
    assert all(is_understandable(answer) for answer in answers.values())
    assert statuses(press_all(shots)) == ALL
    wait_until(lambda: site.waiting() == 0)
    check(site, [])


# Full, and read-only


@pytest.fixture
def small(prepare: Prepare, request: pytest.FixtureRequest) -> Iterator[tuple[Site, Disk]]:
    """A site whose database is on a small disk, and this disk."""
    with small_disk(32) as disk, ExitStack() as stack:
        settings = prepare(request.param)
        if request.param == "sqlite":
            shutil.copy(Path(settings["INSTANCE_PATH"]) / "guestauth.db", disk.path)
            settings["DATABASE_URL"] = f"sqlite:///{disk.path}/guestauth.db"
        else:
            stack.enter_context(moved(settings["DATABASE_URL"], disk.path))
        with behind(settings) as made:
            yield made, disk


@contextmanager
def moved(url: str, folder: Path) -> Iterator[None]:
    """Move a PostgreSQL database to a folder while the block lasts; then it is gone."""
    name = url.rpartition("/")[2]
    with psycopg.connect(url.replace(name, "postgres"), autocommit=True) as admin:
        admin.execute(f"CREATE TABLESPACE on_{name} LOCATION '{folder}'")
        admin.execute(f"ALTER DATABASE {name} SET TABLESPACE on_{name}")
        yield
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
        admin.execute(f"DROP TABLESPACE on_{name}")


def fill(site: Site, disk: Disk, shot: Shot) -> None:
    """Leave no room on the disk, nor in the pages that the database has already."""
    wait_until(lambda: site.waiting() == 0)
    if is_sqlite(site):
        wait_until(lambda: site.world.rows("PRAGMA wal_checkpoint(TRUNCATE)")[0][0] == 0)
    for _ in range(100):
        disk.fill()
        if {each.status_code for each in together(*[partial(press, shot)] * 8)} == {503}:
            return
    raise AssertionError("the disk is not full")


@pytest.mark.case("F-09")
@pytest.mark.parametrize("small", ["sqlite", "postgresql"], indirect=True)
def test_full_disk_lets_nobody_in_and_half_does_nothing(small: tuple[Site, Disk]) -> None:
    site, disk = small
    with site.serving(workers=4):
        shots = at_each_step(site)
        fill(site, disk, shots["email-form"])
        answers = press_all(shots)
        refused = {name: shot for name, shot in shots.items() if answers[name].status_code != 303}
        assert refused.keys() == shots.keys() or not is_sqlite(site)  # PostgreSQL finds room in its pages for some
        assert all(is_understandable(answers[name]) for name in refused)
        assert site.world.rows(SESSIONS)[0] == ((2, 2) if "enter-code" in refused else (3, 3))
        check(site, [])
        disk.make_room()
        assert set(statuses(press_all({"email-form": shots["email-form"], **refused})).values()) == {303}
        wait_until(lambda: site.waiting() == 0)
        check(site, [])


@pytest.mark.long
@pytest.mark.case("F-09")
@pytest.mark.parametrize("small", ["sqlite"], indirect=True)
def test_read_only_disk_is_told_on_every_page_and_works_when_it_is_writable(small: tuple[Site, Disk]) -> None:
    site, disk = small
    with site.serving():
        shots = at_each_step(site)
        wait_until(lambda: site.waiting() == 0)
    site.world.do(lambda: database.db.engine.dispose())
    disk.remount("ro")
    with site.serving(workers=4):
        answers = press_all(shots)
        assert all(is_understandable(answer) for answer in answers.values())
        assert (health(site, "/healthz"), health(site, "/readyz")) == (200, 503)
        disk.remount("rw")
        assert (statuses(press_all(shots)), health(site, "/readyz")) == (ALL, 200)
    check(site, [])


@pytest.mark.case("F-09")
def test_read_only_postgresql_lets_nobody_in_and_half_does_nothing(postgresql_site: Site) -> None:
    site, name = postgresql_site, postgresql_site.settings["DATABASE_URL"].rpartition("/")[2]
    shots, before = at_each_step(site), rows(site)
    make_writable(site, name, "off")
    answers = press_all(shots)
    make_writable(site, name, "on")
    assert (statuses(answers), rows(site)) == (NONE, before)
    assert all(is_understandable(answer) for answer in answers.values())
    assert statuses(press_all(shots)) == ALL


def make_writable(site: Site, name: str, how: str) -> None:
    """Make a PostgreSQL database take changes or not, as a fail-over does: connections end."""
    with psycopg.connect(site.settings["DATABASE_URL"], autocommit=True) as admin:
        admin.execute("SET default_transaction_read_only = off")
        refuse = "off" if how == "on" else "on"
        admin.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = {refuse}")
        admin.execute(END_CONNECTIONS)


def health(site: Site, path: str) -> int:
    return site.browser().open(path).status


# Started again


@pytest.mark.case("F-10")
def test_connections_that_postgresql_has_ended_are_made_anew(postgresql_site: Site) -> None:
    shots = at_each_step(postgresql_site)
    postgresql_site.world.rows(END_CONNECTIONS)
    assert statuses(press_all(shots)) == ALL


@pytest.fixture
def own(tmp_path: Path) -> Iterator[tuple[Site, Cluster]]:
    """A site with a PostgreSQL of its own, and this PostgreSQL."""
    with cluster() as made:
        url = servers.create_database(made.url, "restarted")
        _prepare(environment(tmp_path, DATABASE_URL=url))
        patient = {"MAIL_TIMEOUT": "10"}  # a mail server on a busy machine is no fault of the database's
        settings = {"GUESTAUTH_DEMO": "on", "INSTANCE_PATH": str(tmp_path), **patient}
        with behind({**settings, "DATABASE_URL": url}) as site:
            yield site, made


@pytest.mark.long
@pytest.mark.case("F-10")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT])
def test_postgresql_that_is_away_is_told_and_back_it_serves_at_once(
    own: tuple[Site, Cluster], how: signal.Signals
) -> None:
    site, postgresql = own
    with site.serving(workers=4):
        shots = at_each_step(site)
        postgresql.stop(how)
        answers = press_all(shots)
        assert all(is_understandable(answer) for answer in answers.values())
        assert (health(site, "/healthz"), health(site, "/readyz"), health(site, HOME)) == (200, 503, 503)
        postgresql.start()
        assert (statuses(press_all(shots)), health(site, "/readyz")) == (ALL, 200)
        wait_until(lambda: site.waiting() == 0)
        check(site, [])


@pytest.mark.long
@pytest.mark.case("F-10")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT])
def test_delivery_goes_on_after_postgresql_was_away_and_sends_each_letter_once(
    own: tuple[Site, Cluster], how: signal.Signals
) -> None:
    site, postgresql = own
    site.settings["MAIL_DELIVERY"] = "worker"
    invite(site, 30)
    site.sink.delay(0.5)
    with delivering(site) as process:
        site.sink.wait_until(lambda sink: sink.letters)
        postgresql.stop(how)
        site.sink.wait_for(8)  # those in hand arrive, and nobody can write it down
        postgresql.start()
        wait_until(lambda: site.waiting() == 0, seconds=30)
        assert process.poll() is None
    assert set(arrivals(site).values()) == {1}
    check(site, [])
