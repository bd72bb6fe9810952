"""A provider that is down: the page says so, nothing is lost, and nobody gets a code instead (B6; FD-22)."""

import threading
from urllib.parse import urlsplit

import pytest

from tests.federation.person import NAMES, Person, ready
from tests.probe import ask_as
from tests.steps import audited
from tests.world import ALEX, NICOLE, World

DOWN = {"discovery": 503, "token": 503, "jwks": 503}


def says_down(person: Person) -> None:
    """See the page, and that it offers no code."""
    browser = person.browser
    assert browser.status == 503 and browser.h1 == f"{NAMES[person.provider.kind]} isn't answering"
    assert 55 <= int(browser.headers["Retry-After"]) <= 60
    assert not browser.has_form("send-code") and "code" not in browser.text


@pytest.mark.case("FD-22")
@pytest.mark.both
@pytest.mark.parametrize("endpoint", DOWN)
def test_provider_that_is_down_costs_no_try_and_later_all_is_well(world: World, oidc, endpoint: str) -> None:
    person = ready(world, oidc("google"))
    person.provider.fail(**{endpoint: 503})
    person.asks(ALEX)
    browser = person.browser.click("Continue with Google")
    if endpoint != "discovery":
        browser.open(person.provider.authorize(browser.url, "a-1"))
    says_down(person)
    assert world.rows("SELECT tries FROM sign_ins") == [(0,)] and len(world.letters(ALEX)) == 1
    person.provider.fail()
    assert person.again().h1 == "Review permissions"


@pytest.mark.case("FD-22")
@pytest.mark.parametrize("kind", ["other", "azure_ad", "mock"])
def test_provider_that_is_away_altogether(world: World, oidc, kind: str) -> None:
    person = ready(world, oidc(kind))
    back = person.answered()
    person.provider.stop()
    person.browser.open(back)
    says_down(person)
    Person(world, person.provider).asks(ALEX)
    person.provider.start()
    assert world.rows("SELECT max(tries) FROM sign_ins") == [(0,)]


@pytest.mark.case("FD-22")
def test_silence_is_told_once_in_the_log_however_often_it_is_met(world: World, oidc) -> None:
    person = ready(world, oidc("google"))
    person.provider.fail(token=503)
    back = person.answered()
    for _ in range(7):
        person.browser.open(back)
        says_down(person)
    found = [reason for result, reason in audited(world, "sign-in") if result == "refused"]
    assert len(found) == 1 and found[0].startswith("Google: ")


@pytest.mark.case("FD-22")
@pytest.mark.both
def test_code_that_a_guest_of_a_provider_asks_for_is_not_sent(world: World, oidc) -> None:
    """The button is there for administrators; a guest may press it, and sees what everybody sees."""
    person = ready(world, oidc("google"))
    person.provider.fail(discovery=503)
    browser = person.asks(ALEX).submit("send-code")
    assert browser.h1 == "Check your email" and len(world.letters(ALEX)) == 1
    assert audited(world, "passcode.dropped") == [("refused", "the guest may not sign in")]
    assert browser.submit("enter-code", code="00000000").status == 422


@pytest.mark.case("FD-22")
def test_accepted_guest_of_a_provider_that_is_down_gets_no_code_either(world: World, oidc) -> None:
    person = ready(world, oidc("google"))
    person.accepts().submit("sign-out")
    before = len(world.letters(ALEX))
    person.asks(ALEX).submit("send-code")
    assert len(world.letters(ALEX)) == before


@pytest.mark.case("FD-22")
def test_other_guests_pages_do_not_wait_for_a_provider_that_hangs(sqlite_world: World, oidc) -> None:
    world, person = sqlite_world, ready(sqlite_world, oidc("google"))
    world.app.config["PROVIDER_TIMEOUT"] = 3
    page = urlsplit(person.asks(ALEX).url).path
    person.provider.fail(discovery=0)
    waiting = [
        threading.Thread(target=ask_as, args=(person.browser, world.app, f"{page}/continue")) for _ in range(8)
    ]
    for thread in waiting:
        thread.start()
    assert world.signed_in(NICOLE).status == 200  # in the same process, and with the same database
    busy = [thread for thread in waiting if thread.is_alive()]
    assert len(busy) <= 2
    for thread in waiting:
        thread.join()
    assert ask_as(person.browser, world.app, f"{page}/continue").status == 503


@pytest.mark.case("FD-22")
def test_one_provider_that_is_down_leaves_others_alone(world: World, oidc) -> None:
    ready(world, oidc("google")).provider.stop()
    other = ready(world, oidc("other"), "partner.example", "alexdoe@gmail.com", mail=ALEX)
    oidc("google").start()
    nicole = world.whole_way(NICOLE)
    assert nicole.status == 200 and other.provider.document()["issuer"] == other.provider.issuer
