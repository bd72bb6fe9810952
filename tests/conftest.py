"""What every test can ask for: a world, on SQLite and on PostgreSQL."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest

from guestauth import connections, create_app, database, demo
from tests import SOAK, servers
from tests.providers import OpenIdProvider, openid_provider
from tests.world import World, environment, lent, prepared

pytest_plugins = ["tests.e2e.fixtures"]  # served sites and Chromium: also for faults, attacks, ops
MEMORY = Path("/dev/shm")  # a database that lives for a test needs no disk
if os.access(MEMORY, os.W_OK):
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))

SAMPLE = 3  # of the cases of a test that needs a database, a server or a browser
SLOW = ("faults", "e2e", "dev", "ops", "attacks", "federation")  # folders of tests
DATABASES = ("sqlite", "postgresql")
Provide = Callable[[str], OpenIdProvider]


def pytest_xdist_auto_num_workers() -> int:
    """Run two for each core: half of the time they wait for servers and browsers of their own."""
    return (os.cpu_count() or 1) * 2


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the daily run short; a soak is what it leaves out, and what does more in a soak.

    A test on both databases runs on one of them, by turns, unless it is marked `both`; what is marked `long` waits
    for a soak; of a test with many cases that take time a sample is taken, evenly spread. A module that does more
    in a soak knows `SOAK`.
    """
    cases: dict[str, list[pytest.Item]] = {}
    for item in items:
        if not item.get_closest_marker("long"):
            cases.setdefault(item.nodeid.partition("[")[0], []).append(item)
    kept = {item for turn, each in enumerate(cases.values()) for item in _sample(_on_one(each, turn))}
    if SOAK:
        kept = {item for item in items if item not in kept or hasattr(getattr(item, "module", None), "SOAK")}
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = sorted((item for item in items if item in kept), key=_turn)


def _turn(item: pytest.Item) -> int:
    """Slow files first: workers take whole files, and the last ones shall not wait for one another."""
    folder = item.path.parent.name
    return SLOW.index(folder) if folder in SLOW else len(SLOW)


def _on_one(cases: list[pytest.Item], turn: int) -> list[pytest.Item]:
    if cases[0].get_closest_marker("both"):
        return cases
    other = DATABASES[turn % 2]
    return [each for each in cases if other not in _parameters(each).values()] or cases


def _sample(cases: list[pytest.Item]) -> list[pytest.Item]:
    costly = any(
        word in name
        for name in getattr(cases[0], "fixturenames", ())
        for word in ("world", "site", "prepare", "oidc")
    )
    if not costly or len(cases) <= SAMPLE:
        return cases
    return [cases[round(n * (len(cases) - 1) / (SAMPLE - 1))] for n in range(SAMPLE)]


def _parameters(item: pytest.Item) -> dict[str, object]:
    spec = getattr(item, "callspec", None)
    return {name: value for name, value in spec.params.items() if isinstance(value, str)} if spec else {}


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file with the cast."""
    folder = tmp_path_factory.mktemp("template")
    _prepare(environment(folder))
    return folder


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """A real PostgreSQL, for this worker of pytest."""
    with servers.or_skip(servers.postgresql) as url:
        yield url


@pytest.fixture(scope="session")
def postgresql_instance(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder whose key sealed what is sealed in the PostgreSQL database with the cast."""
    return tmp_path_factory.mktemp("postgresql") / "instance"


@pytest.fixture(scope="session")
def postgresql_template(postgresql: str, postgresql_instance: Path) -> str:
    """A migrated PostgreSQL database with the cast."""
    url = servers.create_database(postgresql, "template_cast")
    _prepare(environment(postgresql_instance, DATABASE_URL=url))
    return "template_cast"


@pytest.fixture(scope="session")
def sqlite_app(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> World:
    """An application on SQLite that this worker's tests share, each with a fresh database and mailbox."""
    instance = tmp_path_factory.mktemp("sqlite") / "instance"
    shutil.copytree(sqlite_template, instance)
    return prepared(create_app(environment(instance)), instance)


@pytest.fixture(scope="session")
def postgresql_app(postgresql: str, postgresql_template: str, postgresql_instance: Path) -> World:
    """The same on PostgreSQL."""
    url = servers.create_database(postgresql, "world", template=postgresql_template)
    return prepared(create_app(environment(postgresql_instance, DATABASE_URL=url)), postgresql_instance)


@pytest.fixture
def sqlite_world(sqlite_app: World, sqlite_template: Path) -> Iterator[World]:
    """A world on SQLite."""
    shutil.rmtree(sqlite_app.instance)
    shutil.copytree(sqlite_template, sqlite_app.instance)
    yield from lent(sqlite_app)


@pytest.fixture
def postgresql_world(postgresql_app: World, postgresql: str, postgresql_template: str) -> Iterator[World]:
    """A world on PostgreSQL."""
    for left_behind in ("mailbox", "clock", "faults", "qa"):
        _remove(postgresql_app.instance / left_behind)
    servers.drop_database(postgresql, "world")
    servers.create_database(postgresql, "world", template=postgresql_template)
    yield from lent(postgresql_app)


@pytest.fixture(params=DATABASES)
def world(request: pytest.FixtureRequest) -> World:
    """A world on each database in turn."""
    made: World = request.getfixturevalue(f"{request.param}_world")
    return made


@pytest.fixture
def sink() -> Iterator[servers.Sink]:
    """A mail server of the test's own."""
    with servers.smtp_sink() as sink:
        yield sink


@pytest.fixture
def dns(request: pytest.FixtureRequest) -> Iterator[servers.NameServer]:
    """A name server that the test's world asks."""
    mine: World = request.getfixturevalue("world" if "world" in request.fixturenames else "sqlite_world")
    with servers.dns_server() as server:
        host, port = server.address.split(":")
        mine.app.config["DNS_SERVER"] = (host, int(port))
        yield server


@pytest.fixture(scope="session")
def certificates() -> Iterator[servers.Certificates]:
    """Certificates for the tests' web servers, mail servers and OpenID providers."""
    with servers.certificates() as made:
        yield made


@pytest.fixture(scope="session")
def started_providers(certificates: servers.Certificates) -> Iterator[Provide]:
    """The OpenID providers that this worker's tests share, each started when it is first asked for."""
    with ExitStack() as stack:
        started: dict[str, OpenIdProvider] = {}

        def provide(kind: str) -> OpenIdProvider:
            if kind not in started:
                run = servers.or_skip(partial(openid_provider, kind, certificates))
                started[kind] = stack.enter_context(run)
            return started[kind]

        yield provide


@pytest.fixture
def oidc(started_providers: Provide) -> Provide:
    """`oidc(kind)` is a real OpenID provider, as new; the kinds are `tests.providers.KINDS`."""
    mine: dict[str, OpenIdProvider] = {}

    def oidc(kind: str) -> OpenIdProvider:
        if kind not in mine:
            mine[kind] = started_providers(kind)
            mine[kind].reset()
        return mine[kind]

    return oidc


def _prepare(settings: dict[str, str]) -> None:
    from flask_migrate import upgrade

    app = create_app(settings)
    with app.app_context():
        upgrade()
        demo.load()
        connections.let_go()
        database.db.engine.dispose()


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
