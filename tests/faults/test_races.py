"""Two things at the same moment, again and again, through the pages of four processes (X-02, X-04, X-05).

More races, of codes, tries, consent, opting out and deleting, are in `tests/e2e/test_concurrency.py`.
"""

import uuid
from collections import Counter
from functools import partial

import pytest

from guestauth import domains
from tests import SOAK
from tests.e2e.parallel import aim, together
from tests.e2e.site import Site, wait_until
from tests.faults.presses import ADMINS, administrator, page_of, press
from tests.servers import NameServer
from tests.world import FABRIKAM

SESSIONS = "SELECT count(*) FROM sessions JOIN users ON users.id = user_id WHERE mail = :mail"
GUESTS = "SELECT count(*) FROM users WHERE mail_key = :mail"
OWNER = "SELECT count(*) FROM domains WHERE name = :name AND verified_at IS NOT NULL"


@pytest.mark.case("X-02")
def test_code_entered_at_the_moment_another_is_asked_for_works_and_once(each_site: Site) -> None:
    for _ in range(50 if SOAK else 3):
        mail = each_site.guest()
        page = each_site.awaiting_code(mail)
        enter, again = aim(page, "enter-code", code=each_site.code(mail)), aim(page, "send-code")
        each_site.world.advance(61)
        entered, sent = together(partial(press, enter), partial(press, again))
        assert (entered.status_code, sent.status_code in (303, 404)) == (303, True)  # 404: another visit's by now
        assert each_site.world.rows(SESSIONS, mail=mail) == [(1,)]
        wait_until(lambda: each_site.waiting() == 0)
        press(aim(page, "enter-code", code=each_site.code(mail)))
        assert each_site.world.rows(SESSIONS, mail=mail) == [(1,)]


@pytest.mark.case("X-04")
def test_address_invited_in_two_tabs_at_once_is_one_guest(each_site: Site) -> None:
    page = administrator(each_site, FABRIKAM, "guests/invite")
    for _ in range(30 if SOAK else 3):
        mail = f"tabs-{uuid.uuid4().hex[:12]}@firstup.example"
        tabs = [aim(page, "invite", email=typed) for typed in (mail, mail.upper())]
        answers = together(*[partial(press, tab) for tab in tabs])
        assert Counter(answer.status_code for answer in answers) == {303: 1, 422: 1}
        assert each_site.world.rows(GUESTS, mail=mail) == [(1,)]


@pytest.mark.case("X-05")
def test_domain_that_two_tenants_claim_at_once_is_one_tenants(asking: tuple[Site, NameServer]) -> None:
    site, dns = asking
    consoles = {tenant: administrator(site, tenant, "domains") for tenant in ADMINS}
    for turn in range(30 if SOAK else 3):
        name = f"shop-{turn}.example"
        pages = [console.open(page_of(tenant)) for tenant, console in consoles.items()]
        claims = together(*[partial(press, aim(page, "add-domain", domain=name)) for page in pages])
        assert [claim.status_code for claim in claims] == [303, 303]
        dns.texts[name] = [domains_record(site, tenant, name) for tenant in ADMINS]
        checks = [aim(consoles[each].open(f"{page_of(each)}/{name}"), "verify-domain") for each in ADMINS]
        answers = together(*[partial(press, check) for check in checks])
        assert Counter(answer.status_code for answer in answers) == {303: 1, 422: 1}
        assert site.world.rows(OWNER, name=name) == [(1,)]


def domains_record(site: Site, tenant: uuid.UUID, name: str) -> str:
    return site.world.do(lambda: domains.record(domains.find(tenant, name)))
