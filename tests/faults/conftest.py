"""What the tests of faults can ask for: a site on each database that nobody serves yet, and some that are served.

Who serves it, and who delivers for it, is what these tests start, stop and kill; so most begin with `unserved`.
"""

from collections.abc import Iterator

import pytest

from tests import servers
from tests.e2e.site import Prepare, Site, behind, site
from tests.faults.mail import mend
from tests.servers import NameServer


@pytest.fixture(params=["sqlite", "postgresql"])
def unserved(request: pytest.FixtureRequest, prepare: Prepare) -> Iterator[Site]:
    """An instance that nobody serves, on each database."""
    with behind(prepare(request.param)) as made:
        yield made


@pytest.fixture(params=["sqlite", "postgresql"])
def undelivered(request: pytest.FixtureRequest, prepare: Prepare) -> Iterator[Site]:
    """An instance that nobody serves and for which no web process delivers, on each database."""
    with behind(prepare(request.param, MAIL_DELIVERY="worker", MAIL_TIMEOUT="10")) as made:
        yield made


@pytest.fixture(params=["sqlite", "postgresql"])
def asking(
    request: pytest.FixtureRequest,
    prepare: Prepare,
) -> Iterator[tuple[Site, NameServer]]:
    """A site that asks a name server of the test's, and this name server."""
    with servers.dns_server() as dns, site(prepare(request.param, DNS_SERVER=dns.address), workers=4) as served:
        yield served, dns


@pytest.fixture(scope="module")
def outage_site(prepare: Prepare) -> Iterator[Site]:
    """The demo served by one process, so that one wake-up reaches all who deliver."""
    with site(prepare("sqlite"), workers=1) as served:
        yield served


@pytest.fixture
def mended_site(outage_site: Site) -> Iterator[Site]:
    """The same, with a mail server that is well at the beginning and at the end."""
    yield outage_site
    mend(outage_site)
