"""Keys: changed while people are on their way in, and what is signed for one purpose used for another (K-04)."""

import secrets
from collections.abc import Iterator

import pytest

from guestauth import create_app
from guestauth.config import BadSettings
from tests import SOAK
from tests.browser import Browser
from tests.e2e.site import HOME, Prepare, Site, behind
from tests.world import World

MANY = 30 if SOAK else 5
OLD, NEW = secrets.token_hex(32), secrets.token_hex(32)
SIGN_IN = f"{HOME}/sign-in"


@pytest.fixture(params=["sqlite", "postgresql"])
def kept(request: pytest.FixtureRequest, prepare: Prepare) -> Iterator[Site]:
    """A site that is not served yet."""
    with behind(prepare(request.param, SECRET_KEY=OLD)) as made:
        yield made


def signed_in(site: Site) -> Browser:
    mail = site.guest()
    return site.awaiting_consent(mail).submit("consent", button=("decision", "accept"))


@pytest.mark.case("K-04")
@pytest.mark.long
def test_change_of_keys_disturbs_nobody(kept: Site) -> None:
    mails = [kept.guest() for _ in range(MANY)]
    with kept.serving(4):
        inside = [signed_in(kept) for _ in range(MANY)]
        waiting = [kept.awaiting_code(mail) for mail in mails]
        typing = [kept.browser().open(HOME) for _ in range(MANY)]
        codes = [kept.code(mail) for mail in mails]
    kept.settings |= {"SECRET_KEY": NEW, "SECRET_KEY_FALLBACKS": OLD}
    with kept.serving(4):
        assert {browser.open(HOME).h1 for browser in inside} == {"Fabrikam apps"}
        entered = [browser.submit("enter-code", code=code) for browser, code in zip(waiting, codes, strict=True)]
        assert {browser.h1 for browser in entered} == {"Review permissions"}
        went_on = [browser.submit("email-form", email="x@example.com").submit("send-code") for browser in typing]
        assert {browser.h1 for browser in went_on} == {"Check your email"}


@pytest.mark.case("K-04")
@pytest.mark.long
def test_retired_key_opens_nothing_any_more(kept: Site) -> None:
    mail = kept.guest()
    with kept.serving(4):
        inside, waiting = signed_in(kept), kept.awaiting_code(mail)
        code = kept.code(mail)
    kept.settings["SECRET_KEY"] = NEW
    with kept.serving(4):
        assert inside.open(HOME).h1 == "Sign in to Fabrikam"
        assert waiting.submit("enter-code", code=code).status in (400, 404)
        assert kept.world.rows("SELECT count(*) FROM sessions") == [(1,)]


@pytest.mark.case("K-04")
@pytest.mark.parametrize("fallbacks", ["short", f"{OLD},changeme", "x" * 40], ids=["short", "weak", "plain"])
def test_fallback_that_is_no_secret_stops_the_start(fallbacks: str) -> None:
    with pytest.raises(BadSettings, match="SECRET_KEY_FALLBACKS"):
        create_app({"GUESTAUTH_DEMO": "on", "SECRET_KEY": NEW, "SECRET_KEY_FALLBACKS": fallbacks})


def signed_values(world: World, browser: Browser) -> dict[str, str]:
    """Everything that is signed and given out, by what it is for."""
    form = world.browser().open(SIGN_IN).page.xpath("//input[@name='csrf_token']/@value")[0]
    ticket = world.invitation_path("alexdoe@gmail.com").rpartition("/")[2]
    names = {"session": "guestauth", "visit": "guestauth-visit", "known": "guestauth-known"}
    return {**{purpose: browser.cookies[name] for purpose, name in names.items()}, "form": form, "ticket": ticket}


@pytest.mark.case("K-12")
@pytest.mark.parametrize("cookie", ["guestauth", "guestauth-visit", "guestauth-known"])
def test_no_signed_value_is_another_cookie(sqlite_world: World, cookie: str) -> None:
    values = signed_values(sqlite_world, sqlite_world.whole_way("nicole@firstup.example"))
    own = {"guestauth": "session", "guestauth-visit": "visit", "guestauth-known": "known"}[cookie]
    for purpose, value in values.items():
        browser = sqlite_world.browser()
        browser.keep(cookie, value)
        shown = browser.open(HOME).h1
        assert shown == ("Fabrikam apps" if purpose == own == "session" else "Sign in to Fabrikam"), purpose


@pytest.mark.case("K-12")
def test_no_signed_value_is_an_invitation(sqlite_world: World) -> None:
    values = signed_values(sqlite_world, sqlite_world.whole_way("nicole@firstup.example"))
    opened = {name: sqlite_world.browser().open(f"{HOME}/invitations/{value}") for name, value in values.items()}
    assert {name: browser.status for name, browser in opened.items()} == {
        **dict.fromkeys(values, 404),
        "ticket": 200,
    }


@pytest.mark.case("K-12")
def test_no_signed_value_is_a_forms_token(sqlite_world: World) -> None:
    values = signed_values(sqlite_world, sqlite_world.whole_way("nicole@firstup.example"))
    for value in values.values():
        browser = sqlite_world.browser().open(SIGN_IN)
        browser.post(SIGN_IN, {"email": "nicole@firstup.example", "csrf_token": value})
        assert browser.status == 400
    assert sqlite_world.rows("SELECT count(*) FROM sign_ins") == [(1,)]  # its own
