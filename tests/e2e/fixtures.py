"""What the end-to-end tests can ask for: a prepared instance, a served site on each database, Chromium."""

import secrets
import shutil
import uuid
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser as Chromium

from tests import servers
from tests.e2e.person import Person
from tests.e2e.site import Prepare, Site, site

Arrive = Callable[..., Person]


@pytest.fixture(scope="session")
def prepare(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Prepare:
    """`prepare("sqlite", …)` makes an instance, migrated and with the cast, and gives its settings."""

    def prepare(database: str, **settings: str) -> dict[str, str]:
        instance = tmp_path_factory.mktemp("e2e") / "instance"
        made = {"GUESTAUTH_DEMO": "on", "INSTANCE_PATH": str(instance), "MAIL_TIMEOUT": "1", **settings}
        if database == "sqlite":
            shutil.copytree(request.getfixturevalue("sqlite_template"), instance)
            return made
        admin, template = (request.getfixturevalue(name) for name in ("postgresql", "postgresql_template"))
        instance.mkdir()
        shutil.copy(request.getfixturevalue("postgresql_instance") / "secret_key", instance)
        name = f"e2e_{uuid.uuid4().hex[:12]}"
        return {**made, "DATABASE_URL": servers.create_database(admin, name, template=template)}

    return prepare


@pytest.fixture(scope="module")
def sqlite_site(prepare: Prepare) -> Iterator[Site]:
    """The demo on SQLite, served by four processes."""
    with site(prepare("sqlite"), workers=4) as served:
        yield served


@pytest.fixture(scope="session")
def gallery_site(prepare: Prepare) -> Iterator[Site]:
    """The demo for who only looks, served by one process: it makes each picture of the gallery once."""
    with site(prepare("sqlite")) as served:
        yield served


@pytest.fixture(scope="module")
def postgresql_site(prepare: Prepare) -> Iterator[Site]:
    """The demo on PostgreSQL, served by four processes."""
    with site(prepare("postgresql"), workers=4) as served:
        yield served


@pytest.fixture(params=["sqlite", "postgresql"])
def each_site(request: pytest.FixtureRequest) -> Site:
    """The demo on each database in turn."""
    served: Site = request.getfixturevalue(f"{request.param}_site")
    return served


@pytest.fixture(scope="module")
def production_site(prepare: Prepare, certificates: servers.Certificates) -> Iterator[Site]:
    """Production: https, STARTTLS to the mail server, on PostgreSQL; the cast is in it as if it were real."""
    tls = {"MAIL_USE_TLS": "on", "MAIL_CA_FILE": str(certificates.ca)}
    settings = prepare("postgresql", GUESTAUTH_DEMO="off", SECRET_KEY=secrets.token_hex(32), **tls)
    chain, key = certificates.server.chain, certificates.server.key
    with site(settings, ca=certificates.ca, certfile=chain, keyfile=key) as served:
        yield served


@pytest.fixture(scope="module")
def chromium() -> Iterator[Chromium]:
    """One Chromium for all tests of a module."""
    with servers.or_skip(servers.chromium) as browser:
        yield browser


@pytest.fixture
def arrive(chromium: Chromium) -> Iterator[Arrive]:
    """`arrive(site)` is a person with a browser of their own; at the end it must not have complained."""
    people: list[Person] = []

    def arrive(at: Site, **settings: object) -> Person:
        people.append(Person(at, chromium.new_context(**{"ignore_https_errors": bool(at.ca), **settings})))
        return people[-1]

    yield arrive
    for person in people:
        person.context.close()
    assert [complaint for person in people for complaint in person.complaints] == []
