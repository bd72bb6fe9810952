"""Code lifetime and replay (catalogue, chapter 2); L-07, others who ask for the same address, is about limits."""

import base64
import hashlib
import hmac
import signal
from collections.abc import Callable
from functools import partial
from urllib.parse import urlencode

import pytest

from guestauth import guests, invitations
from tests.attacks.hands import at_code_page, decoded, earlier, guess, live, tries, whole, workers, wrong
from tests.attacks.wire import connected, host
from tests.browser import Browser
from tests.e2e.parallel import Shot
from tests.e2e.site import HOME, Site, wait_until
from tests.test_passcodes import everything, traces
from tests.world import BY, FABRIKAM

HALF_HOUR = 1800


@pytest.mark.case("L-01")
def test_code_works_in_its_half_hour_and_a_second_later_no_more(secure_site: Site) -> None:
    early, late = secure_site.guest(), secure_site.guest()
    in_time, shot = at_code_page(secure_site, early)
    too_late, late_shot = at_code_page(secure_site, late)
    codes = secure_site.code(early), secure_site.code(late)
    earlier(secure_site, early, HALF_HOUR - 30)  # to the second: tests/test_passcodes.py
    earlier(secure_site, late, HALF_HOUR + 1)
    assert guess(in_time, shot, codes[0]).has_form("consent")
    guess(too_late, late_shot, codes[1])
    assert too_late.errors == ["That code has expired. Codes work for 30 minutes. Send a new code."]
    assert (live(secure_site, late), tries(secure_site, late)) == (0, [0])


@pytest.mark.both
@pytest.mark.case("L-02")
def test_used_code_is_nothing_after_signing_out_in_this_browser_and_in_any_other(secure_site: Site) -> None:
    mail = secure_site.guest()
    browser, shot = at_code_page(secure_site, mail)
    as_it_was, code = browser.fork(), secure_site.code(mail)
    guess(browser, shot, code).submit("sign-out")
    other = secure_site.awaiting_code(secure_site.guest())
    for thief in (as_it_was, browser.fork(), browser, other):
        assert "consent" not in guess(thief, shot, code).path
        assert thief.open(HOME).h1 == "Sign in to Fabrikam"
    assert live(secure_site, mail) == 0
    assert secure_site.world.rows(
        "SELECT count(*) FROM sessions JOIN users ON users.id = user_id WHERE mail = :mail", mail=mail
    ) == [(1,)]


@pytest.mark.case("L-04")
def test_double_click_whose_first_answer_was_lost_ends_signed_in(secure_site: Site) -> None:
    mail = secure_site.guest()
    browser, shot = at_code_page(secure_site, mail)
    code = secure_site.code(mail)
    post_and_hang_up(secure_site, shot, code)
    wait_until(lambda: live(secure_site, mail) == 1)
    assert guess(browser, shot, code).has_form("consent")
    assert (live(secure_site, mail), tries(secure_site, mail)) == (1, [0])


@pytest.mark.case("L-04")
def test_two_posts_one_right_after_the_other_end_signed_in(secure_site: Site) -> None:
    mail = secure_site.guest()
    browser, shot = at_code_page(secure_site, mail)
    code = secure_site.code(mail)
    post_and_hang_up(secure_site, shot, code)
    assert guess(browser, shot, code).has_form("consent")
    assert (live(secure_site, mail), tries(secure_site, mail)) == (1, [0])


def post_and_hang_up(site: Site, shot: Shot, code: str) -> None:
    """Post a code over a connection that is gone before the answer."""
    body = urlencode({**shot.data, "code": code}, doseq=True)
    lines = [f"POST {shot.url.removeprefix(site.url)} HTTP/1.1", f"Host: {host(site)}"]
    lines += [f"{name}: {value}" for name, value in shot.headers.items()]
    lines += ["Content-Type: application/x-www-form-urlencoded", f"Content-Length: {len(body)}", "", body]
    with connected(site) as connection:
        connection.sendall("\r\n".join(lines).encode())


@pytest.mark.case("L-05")
@pytest.mark.parametrize("which", [0, 1])
def test_either_of_two_codes_works_and_ends_the_other(sqlite_secure_site: Site, which: int) -> None:
    site, mail = sqlite_secure_site, sqlite_secure_site.guest()
    browser, shot, codes = with_two_codes(site, mail)
    fork = browser.fork()
    assert guess(browser, shot, codes[which]).has_form("consent")
    browser.submit("sign-out")
    for each in (browser, fork):
        assert "consent" not in guess(each, shot, codes[1 - which]).path
    assert live(site, mail) == 0


@pytest.mark.case("L-05")
def test_wrong_tries_are_shared_by_both_codes(sqlite_secure_site: Site) -> None:
    site, mail = sqlite_secure_site, sqlite_secure_site.guest()
    browser, shot, codes = with_two_codes(site, mail)
    for n in range(1, 6):
        guess(browser, shot, wrong(codes[n % 2], n))
    for code in codes:
        assert guess(browser, shot, code).h1 == "You need a new code"


@pytest.mark.case("L-05")
def test_each_of_two_codes_has_its_own_end(sqlite_secure_site: Site) -> None:
    site, mail = sqlite_secure_site, sqlite_secure_site.guest()
    browser, shot, codes = with_two_codes(site, mail)
    earlier(site, mail, HALF_HOUR - 30)
    assert "has expired" in guess(browser, shot, codes[0]).errors[0]
    assert guess(browser, shot, codes[1]).has_form("consent")


def with_two_codes(site: Site, mail: str) -> tuple[Browser, Shot, list[str]]:
    """Have two codes sent, a minute apart."""
    browser, shot = at_code_page(site, mail)
    codes = [site.code(mail)]
    earlier(site, mail, 61)
    browser.open(shot.url).submit("send-code")
    return browser, shot, [*codes, site.code(mail, nth=2)]


@pytest.mark.both
@pytest.mark.case("L-08", "L-09")
def test_code_of_one_address_is_nothing_for_another_in_the_same_browser(secure_site: Site) -> None:
    alice, bob = secure_site.guest(), secure_site.guest()
    browser, alices = at_code_page(secure_site, alice)
    code = secure_site.code(alice)
    browser.open(f"{HOME}/sign-in").submit("email-form", email=bob).submit("send-code")
    _, bobs = browser, Shot(browser.url, alices.data, alices.headers)
    assert "That code is not right" in guess(browser, bobs, code).errors[0]
    named = {"email": alice, "mail": alice, "sign_in": alices.url.split("/")[-2], "user": alice}
    assert "That code is not right" in guess(browser, bobs, code, **named).errors[0]
    assert (live(secure_site, alice), live(secure_site, bob), tries(secure_site, bob)) == (0, 0, [2])
    guess(browser, alices, code, email=bob)
    assert (live(secure_site, alice), live(secure_site, bob)) == (1, 0)


@pytest.mark.case("L-09")
def test_code_of_one_browser_is_nothing_at_another_browsers_sign_in(secure_site: Site) -> None:
    alice, bob = secure_site.guest(), secure_site.guest()
    (mine, my_shot), (_, theirs) = at_code_page(secure_site, alice), at_code_page(secure_site, bob)
    codes = secure_site.code(alice), secure_site.code(bob)
    for code in codes:
        crossed = Shot(theirs.url, my_shot.data, my_shot.headers)
        assert guess(mine, crossed, code).status == 404
    assert "That code is not right" in guess(mine, my_shot, codes[1]).errors[0]
    assert (live(secure_site, alice), live(secure_site, bob), tries(secure_site, bob)) == (0, 0, [0])


ENDINGS: dict[str, Callable[..., object]] = {
    "deleted": guests.delete,
    "blocked": guests.block,
    "revoked": invitations.revoke,
    "reset": invitations.reset,
}


@pytest.mark.case("L-10")
@pytest.mark.parametrize("ending", ENDINGS)
def test_code_of_who_lost_access_meanwhile_is_a_wrong_one(secure_site: Site, ending: str) -> None:
    mail = secure_site.guest()
    browser, shot = at_code_page(secure_site, mail)
    code = secure_site.code(mail)
    secure_site.world.do(ENDINGS[ending], FABRIKAM, mail, by=BY)
    guess(browser, shot, code)
    assert (browser.status, browser.errors) == (422, ["That code is not right. You can try 4 more times."])
    assert live(secure_site, mail) == 0


BACK: dict[str, tuple[Callable[..., object], Callable[..., object]]] = {
    "deleted and restored": (guests.delete, guests.restore),
    "blocked and unblocked": (guests.block, guests.unblock),
    "revoked and sent again": (invitations.revoke, invitations.resend),
}


@pytest.mark.case("L-14")
@pytest.mark.parametrize("way", BACK)
def test_code_from_before_does_not_come_back_with_its_guest(secure_site: Site, way: str) -> None:
    mail = secure_site.guest()
    browser, shot = at_code_page(secure_site, mail)
    code = secure_site.code(mail)
    for step in BACK[way]:
        secure_site.world.do(step, FABRIKAM, mail, by=BY)
    assert "That code is not right" in guess(browser, shot, code).errors[0]
    assert live(secure_site, mail) == 0
    again = secure_site.awaiting_code(mail)
    assert again.submit("enter-code", code=secure_site.code(mail, nth=2)).has_form("consent")


@pytest.mark.long
@pytest.mark.case("L-11")
def test_sign_in_goes_on_in_processes_that_were_not_there_when_it_began(sqlite_secure_site: Site) -> None:
    site, mail = sqlite_secure_site, sqlite_secure_site.guest()
    browser, shot = at_code_page(site, mail)
    code, before = site.code(mail), workers(site)
    site.served.process.send_signal(signal.SIGHUP)
    wait_until(lambda: len(workers(site)) == len(before) and not workers(site) & before, seconds=30)
    assert guess(browser, shot, code).has_form("consent")


# Nowhere but in the mail


@pytest.mark.case("L-12")
def test_code_is_in_no_row_and_no_file_and_no_line_printed(secure_site: Site) -> None:
    mail = secure_site.guest()
    browser, shot = at_code_page(secure_site, mail)
    code = secure_site.code(mail)
    guess(browser, shot, wrong(code))
    raw = [file.read_bytes() for file in secure_site.world.instance.glob("*.db*")]
    found = "\n".join(
        [everything(secure_site.world), secure_site.served.stderr(), *(each.decode("latin-1") for each in raw)]
    )
    assert mail in found
    keys = secure_site.world.app.config["SECRET_KEY"], "guestauth", "passcode", mail
    keyed = [
        hmac.new(key.encode(), form.encode(), name)
        for key in keys
        for form in (code, code + mail, mail + code)
        for name in ("sha1", "sha256")
    ]
    hidden = [*traces(code, mail), *(each.hexdigest() for each in keyed), base64.b64encode(code.encode()).decode()]
    assert [trace for trace in hidden if trace in found] == []


@pytest.mark.case("L-12")
def test_dump_with_every_key_but_the_right_one_gives_no_code(sqlite_secure_site: Site) -> None:
    site, mail = sqlite_secure_site, sqlite_secure_site.guest()
    site.awaiting_code(mail)
    code = site.code(mail)
    ((nonce, sign_in),) = site.world.rows("SELECT nonce, id FROM sign_ins WHERE address = :mail", mail=mail)
    names = [nonce, sign_in.encode(), FABRIKAM.bytes, mail.encode()]
    keys = [b"", b"passcode", b"guestauth passcode", *names]
    digests = [
        hmac.digest(key, b"|".join([FABRIKAM.bytes, bytes.fromhex(sign_in), nonce, b"\1"]), "sha256")
        for key in keys
    ]
    digests += [hashlib.sha256(b"".join(names[:n])).digest() for n in range(1, 5)]
    assert code not in {f"{int.from_bytes(each[:8]) % 10**8:08d}" for each in digests}


@pytest.mark.case("L-13")
def test_code_is_in_no_answer_and_no_cookie_decoded_or_not(secure_site: Site) -> None:
    mail = secure_site.guest()
    browser = secure_site.browser().open(HOME).submit("email-form", email=mail)
    seen = []
    steps = [partial(browser.submit, "send-code"), partial(browser.submit, "send-code")]
    steps += [partial(browser.submit, "enter-code", code="00000000"), lambda: browser.open(browser.url)]
    for step in steps:
        seen += [whole(answer) for answer in (*step().history, browser.response)]
    text = "\n".join([*seen, *browser.cookies.values()])
    code = secure_site.code(mail)
    assert "wrong" not in text.split() and "not right" in text
    assert not [each for each in (code, code[::-1], code[:4] + " " + code[4:]) if each in decoded(text)]
