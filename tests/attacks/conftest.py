"""The site under attack: https, four processes, behind one proxy, on each database.

`secure_site` is served for all tests of a pytest worker; leave it as you found it, or use guests of your own
(`site.guest()`). Each `site.browser()` comes from a client address of its own. It is a demo, so that the clock can
be moved; what only production has is tested on `production_site`.
"""

from collections.abc import Iterator

import pytest

from tests import servers
from tests.e2e.site import Prepare, Site, site


@pytest.fixture(scope="session")
def sqlite_secure_site(prepare: Prepare, certificates: servers.Certificates) -> Iterator[Site]:
    """The site on SQLite."""
    yield from _secure("sqlite", prepare, certificates)


@pytest.fixture(scope="session")
def postgresql_secure_site(prepare: Prepare, certificates: servers.Certificates) -> Iterator[Site]:
    """The site on PostgreSQL."""
    yield from _secure("postgresql", prepare, certificates)


@pytest.fixture(params=["sqlite", "postgresql"])
def secure_site(request: pytest.FixtureRequest) -> Site:
    """The site on each database in turn."""
    served: Site = request.getfixturevalue(f"{request.param}_secure_site")
    return served


def _secure(database: str, prepare: Prepare, certificates: servers.Certificates) -> Iterator[Site]:
    trusting = {"MAIL_USE_TLS": "on", "MAIL_CA_FILE": str(certificates.ca), "TRUSTED_PROXIES": "1"}
    chain, key = certificates.server.chain, certificates.server.key
    settings = prepare(database, **trusting)
    with site(settings, workers=4, ca=certificates.ca, certfile=chain, keyfile=key) as served:
        yield served
