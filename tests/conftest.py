"""What every test can ask for: a world, on SQLite and on PostgreSQL."""

import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from guestauth import create_app, database, demo
from tests import servers
from tests.world import World, environment, make


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
def postgresql_template(postgresql: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A migrated PostgreSQL database with the cast."""
    url = servers.create_database(postgresql, "template_cast")
    _prepare(environment(tmp_path_factory.mktemp("template"), DATABASE_URL=url))
    return "template_cast"


@pytest.fixture
def sqlite_world(sqlite_template: Path, tmp_path: Path) -> Iterator[World]:
    """A world on SQLite."""
    instance = tmp_path / "instance"
    shutil.copytree(sqlite_template, instance)
    yield from make(instance)


@pytest.fixture
def postgresql_world(postgresql: str, postgresql_template: str, tmp_path: Path) -> Iterator[World]:
    """A world on PostgreSQL."""
    name = f"world_{uuid.uuid4().hex[:12]}"
    url = servers.create_database(postgresql, name, template=postgresql_template)
    yield from make(tmp_path / "instance", DATABASE_URL=url)
    servers.drop_database(postgresql, name)


@pytest.fixture(params=["sqlite", "postgresql"])
def world(request: pytest.FixtureRequest) -> World:
    """A world on each database in turn."""
    made: World = request.getfixturevalue(f"{request.param}_world")
    return made


def _prepare(settings: dict[str, str]) -> None:
    from flask_migrate import upgrade

    app = create_app(settings)
    with app.app_context():
        upgrade()
        demo.load()
        database.db.engine.dispose()
