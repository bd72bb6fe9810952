"""Rate limits and lock-out (catalogue, chapter 10), with the limits as they are set from the start."""

import re
import secrets
from collections.abc import Iterator

import pytest

from guestauth import invitations
from guestauth.config import SETTINGS
from tests.browser import Browser
from tests.e2e.parallel import aim, volley
from tests.e2e.site import HOME, Prepare, Site, behind, site, wait_until
from tests.world import BY, FABRIKAM, NICOLE

FROM_THE_START = {each.name: str(each.default) for each in SETTINGS if each.name.startswith("LIMIT_")}
HOUR = 3600
LATER = 61  # seconds


@pytest.fixture(params=["sqlite", "postgresql"], scope="module")
def limited(request: pytest.FixtureRequest, prepare: Prepare) -> Iterator[Site]:
    """The site with its limits, behind one proxy."""
    with site(prepare(request.param, TRUSTED_PROXIES="1", **FROM_THE_START), workers=4) as served:
        yield served


def may_ask(browser: Browser, mail: str, path: str = HOME) -> bool:
    """Come by a link, type an address and ask for a code."""
    browser.open(path).submit("email-form", email=mail)
    if browser.status == 429:
        return False
    browser.submit("send-code")
    assert browser.status in (200, 429)
    return browser.status == 200


def use_up(limited: Site, mail: str) -> None:
    """Ask for codes for an address in browsers of strangers until there are none."""
    assert [may_ask(limited.browser(), mail) for _ in range(6)] == [True] * 5 + [False]


def signed_in(limited: Site, mail: str) -> Browser:
    """Sign somebody in and accept, and sign them out again: a browser that knows them."""
    browser = limited.awaiting_consent(mail).submit("consent", button=("decision", "accept"))
    return browser.submit("sign-out")


@pytest.mark.case("RL-01", "M-10")
@pytest.mark.long
def test_thirty_addresses_of_clients_get_five_codes_for_one_mailbox(limited: Site) -> None:
    mail = limited.guest()
    asked = [limited.browser().open(HOME).submit("email-form", email=mail) for _ in range(30)]
    shots = [aim(browser, "send-code") for browser in asked]
    addresses = [f"203.0.113.{n}" for n in range(30)]
    fired = [
        lambda client, shot=shot, address=address: client.post(
            shot.url, data=shot.data, headers={**shot.headers, "X-Forwarded-For": address}
        )
        for shot, address in zip(shots, addresses, strict=True)
    ]
    answers = volley(fired, connections=10)
    assert sorted(answer.status_code for answer in answers) == [303] * 5 + [429] * 25
    waits = {int(answer.headers["Retry-After"]) for answer in answers if answer.status_code == 429}
    assert all(HOUR - 60 < wait <= HOUR for wait in waits)
    wait_until(lambda: limited.waiting() == 0)
    assert len(limited.letters(mail)) == 5


@pytest.mark.case("RL-01")
def test_page_names_the_time_and_is_the_same_for_a_stranger(limited: Site) -> None:
    pages = []
    for mail in (limited.guest(), "guest-0123456789ab@firstup.example"):
        use_up(limited, mail)
        browser = limited.browser().open(HOME).submit("email-form", email=mail).submit("send-code")
        assert browser.h1 == "You can't ask for more codes yet" and "You can ask again after" in browser.text
        pages.append(re.sub(r"\d\d?[:.]\d\d|[0-9a-f-]{36}|guest-\w+|value=\"[^\"]+\"", "X", browser.text))
    assert pages[0] == pages[1]


@pytest.mark.long
@pytest.mark.case("RL-02")
def test_client_address_that_a_visitor_makes_up_is_none(limited: Site) -> None:
    peer = "198.51.100.7"
    forged = [
        {"X-Forwarded-For": f"10.0.0.{n}, {peer}", "X-Real-IP": f"10.1.0.{n}", "Forwarded": f"for=10.2.0.{n}"}
        for n in range(61)
    ]
    sent = 0
    for n, headers in enumerate(forged):
        browser = limited.browser()
        browser._client.headers.update({**headers, "True-Client-IP": f"10.3.0.{n}", "X_Forwarded_For": "10.4.0.1"})
        sent += may_ask(browser, f"nobody-{n}@example.com")
    assert sent == 60
    seen = (
        "SELECT DISTINCT client_address FROM events WHERE name = 'passcode.requested' AND address LIKE 'nobody-%'"
    )
    assert limited.world.rows(seen) == [(peer,)]


@pytest.mark.case("RL-02")
def test_without_a_proxy_no_header_counts(prepare: Prepare) -> None:
    limits = {**FROM_THE_START, "LIMIT_CLIENT_SENDS_PER_10_MINUTES": "2"}
    with site(prepare("sqlite", **limits), workers=2) as direct:
        forgers = [Browser(url=direct.url, remote_addr=f"192.0.2.{n}", behind_proxy=True) for n in range(4)]
        asked = [may_ask(browser, f"n{n}@x.example") for n, browser in enumerate(forgers)]
        assert asked == [True, True, False, False]
        told = "SELECT DISTINCT client_address FROM events WHERE name = 'limit.reached'"
        assert direct.world.rows(told) == [("127.0.0.1",)]


@pytest.mark.long
@pytest.mark.case("RL-04")
def test_whole_of_an_ipv6_site_is_one_client(limited: Site) -> None:
    near = [may_ask(limited.browser(f"2001:db8:7:7::{n:x}"), f"six-{n}@example.com") for n in range(1, 62)]
    assert near == [True] * 60 + [False]
    assert may_ask(limited.browser("2001:db8:7:8::1"), "six-62@example.com")


@pytest.mark.case("RL-05")
def test_victim_with_a_live_code_signs_in_whatever_others_do(limited: Site) -> None:
    mail = limited.guest()
    victim = limited.awaiting_code(mail)
    code = limited.code(mail)
    attackers = [limited.browser() for _ in range(5)]
    assert sum(may_ask(browser, mail) for browser in attackers) == 4
    for browser in attackers[:4]:
        for _ in range(5):
            browser.submit("enter-code", code="00000000")
        assert browser.h1 == "You need a new code"
    assert victim.submit("enter-code", code=code).h1 == "Review permissions"


@pytest.mark.case("RL-05")
def test_browser_that_knows_the_guest_gets_codes_whatever_others_do(limited: Site) -> None:
    mail = limited.guest()
    mine = signed_in(limited, mail)
    assert [may_ask(limited.browser(), mail) for _ in range(5)] == [True] * 4 + [False]
    assert may_ask(mine, mail)
    limited.sink.wait_until(lambda _: len(limited.letters(mail)) >= 6)
    assert mine.submit("enter-code", code=limited.code(mail, nth=6)).h1 == "Fabrikam apps"


@pytest.mark.case("RL-05")
def test_known_browser_is_known_for_its_guest_only(limited: Site) -> None:
    mine, other = signed_in(limited, limited.guest()), limited.guest()
    use_up(limited, other)
    assert not may_ask(mine, other)


@pytest.mark.case("RL-05")
def test_mark_of_a_known_browser_cannot_be_made_up_or_moved(limited: Site) -> None:
    mail = limited.guest()
    mine = signed_in(limited, mail)
    [may_ask(limited.browser(), mail) for _ in range(4)]
    cookie = mine.cookies["guestauth-known"]
    for forged in (cookie[:-1] + ("A" if cookie[-1] != "A" else "B"), cookie.split(".")[0], "x", ""):
        thief = limited.browser()
        thief.keep("guestauth-known", forged)
        assert not may_ask(thief, mail)


@pytest.mark.case("RL-05")
def test_invitation_is_a_way_in_whatever_others_do(limited: Site) -> None:
    mail = f"guest-{secrets.token_hex(6)}@firstup.example"
    limited.world.do(invitations.invite, FABRIKAM, mail, by=BY)
    link = limited.invitation(mail)
    use_up(limited, mail)
    browser = limited.browser().open(link).submit("accept-invitation")
    assert browser.submit("send-code").h1 == "Check your email"


@pytest.mark.case("RL-06")
@pytest.mark.long
def test_limit_outlives_a_restart_of_all_workers(prepare: Prepare) -> None:
    with behind(prepare("sqlite", TRUSTED_PROXIES="1", **FROM_THE_START)) as kept:
        with kept.serving(4):
            use_up(kept, NICOLE)
        with kept.serving(4):
            assert not may_ask(kept.browser(), NICOLE)


@pytest.mark.long
@pytest.mark.case("G-12")
def test_one_client_cannot_try_one_code_each_for_many_addresses(limited: Site) -> None:
    guessed = 0
    for n in range(70):
        browser = limited.browser("198.51.100.99")
        if may_ask(browser, f"spread-{n}@example.com"):
            browser.submit("enter-code", code="00000000")
            guessed += browser.status == 422
    assert guessed == 60
    told = "SELECT count(*) FROM events WHERE name = 'limit.reached' AND client_address = '198.51.100.99'"
    assert limited.world.rows(told) == [(1,)]


@pytest.mark.case("A-04")
def test_administrators_sign_in_is_limited_as_a_guests(limited: Site) -> None:
    asked = [may_ask(limited.browser(), "admin@fabrikam.example") for _ in range(6)]
    assert asked == [True] * 5 + [False]
