"""No transaction is open while the site waits for somebody else's server (catalogue X-06; B36).

The mail server is silent, and the name server looks before it answers; meanwhile the database is asked for open
transactions: PostgreSQL by name, SQLite by whether its log can be emptied, which any reader or writer prevents.
One moment without any is proof: who looks for letters opens one now and then, but one held open stays.
"""

import pytest

from tests.e2e.site import Site, wait_until
from tests.faults.invariants import is_sqlite
from tests.faults.mail import in_hand, invite, mend
from tests.faults.presses import administrator, page_of
from tests.servers import NameServer
from tests.world import FABRIKAM

OPEN = """SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND xact_start IS NOT NULL AND pid != pg_backend_pid()"""
pytestmark = pytest.mark.case("X-06")


def is_open(site: Site) -> bool:
    """Whether anybody but us has a transaction open now."""
    statement = "PRAGMA wal_checkpoint(TRUNCATE)" if is_sqlite(site) else OPEN
    return bool(site.world.rows(statement)[0][0])


def test_none_is_open_while_the_mail_server_is_silent(undelivered: Site) -> None:
    undelivered.settings.update(MAIL_DELIVERY="inline")
    undelivered.sink.hang()
    invite(undelivered, 6)
    with undelivered.serving(workers=4):
        browser, posted = undelivered.awaiting_code(undelivered.guest()), undelivered.waiting()
        wait_until(lambda: in_hand(undelivered) == posted and undelivered.sink.connections >= posted)
        wait_until(lambda: not is_open(undelivered), seconds=5)
        assert (browser.h1, in_hand(undelivered)) == ("Check your email", posted)
        mend(undelivered)


def test_none_is_open_while_the_name_server_is_asked(asking: tuple[Site, NameServer]) -> None:
    site, dns = asking
    console, seen = administrator(site, FABRIKAM, "domains"), []
    page = console.open(page_of(FABRIKAM)).submit("add-domain", domain="asked.example")
    dns.when_asked = lambda: seen.append(wait_until(lambda: not is_open(site), seconds=2))
    assert page.submit("verify-domain").status == 422
    assert (dns.asked, seen) == (["asked.example"], [None])
