"""Mail (catalogue, chapter 8), over https to four processes and from them to a real mail server.

What is an address is said in `tests/test_addresses.py`, what a letter is in `tests/test_letters.py` and
`tests/test_smtp.py`.
The one thing to understand: the mail server is the witness. It saw who was named as a recipient, and the bytes.
M-10, how many mails there may be, is a matter of the limits.
"""

import re
import uuid
from pathlib import Path

import pytest

from guestauth import invitations
from guestauth.audit import Caller
from tests.attacks import wire
from tests.attacks.wire import SIGN_IN
from tests.e2e.site import HOME, LINK, Prepare, Site, site, text, wait_until
from tests.servers import Certificates, Letter
from tests.test_addresses import NO_ADDRESS
from tests.world import ADMIN, BY, FABRIKAM

BREAKS = ["\r\n", "\n", "\r", "\u2028", "\u0085", "\x0b", "%0d%0a", "=?utf-8?q?=0d=0a?="]
AS_WRITTEN = BREAKS[-2:]  # good in a local part, where they mean what they are
SEVERAL = [
    "{a},{b}",
    "{a};{b}",
    "{a} {b}",
    "{a}\n{b}",
    "{a}({b})",
    "<{a}>{b}",
    "{b} <{a}>",
    '"{b}"@victim.example',
    "{a}%0aBcc:{b}",
    "{a}\r\nRCPT TO:<{b}>",
    "{a}\x00{b}",
    "a\uff20{b}",
    "{a}> SIZE=1 RCPT TO:<{b}",
    "|/bin/sh@{b}@x.example",
]


def typed(served: Site, mail: str) -> int:
    """Type an address at sign-in, and ask for a code if it was taken."""
    browser = served.browser().open(SIGN_IN)
    right = {"csrf_token": wire.form_token(browser)}
    answer = wire.ask(served, SIGN_IN, "POST", form={**right, "email": mail}, browser=browser)
    if answer.status_code == 303:
        wire.ask(served, answer.headers["Location"], "POST", form=right, browser=browser)
    return answer.status_code


def settled(served: Site) -> list[Letter]:
    """Wait until nothing waits to be sent, by a letter behind all others, and give what the mail server has."""
    last = served.guest()
    served.awaiting_code(last)
    served.code(last)
    return list(served.sink.letters)


@pytest.mark.case("M-01")
def test_line_breaks_in_words_make_no_header_and_no_recipient(sqlite_secure_site: Site) -> None:
    served, admin = sqlite_secure_site, wire.signed_in(sqlite_secure_site, ADMIN, f"{HOME}/admin/guests/invite")
    typed, named = ([f"guest-{uuid.uuid4().hex[:12]}@firstup.example" for _ in BREAKS] for _ in range(2))
    for odd, one, other in zip(BREAKS, typed, named, strict=True):
        bcc = f"{odd}Bcc: eve@evil.example{odd}X-Evil: 1"
        form = {"email": one, "send_mail": "y", "display_name": f"Ann{bcc}", "message": f"Hi{bcc}"}
        form["csrf_token"] = wire.form_token(admin)
        assert wire.ask(served, admin.path, "POST", form=form, browser=admin).status_code == 303
        ann = Caller(actor="administrator", name=f"Ann{bcc}")  # stands in the subject
        served.world.do(invitations.invite, FABRIKAM, other, by=ann, message=f"Hi{bcc}")
    for mail in (*typed, *named):
        assert served.invitation(mail)
        (letter,) = served.letters(mail, LINK)
        assert letter.message.get_all("To") == [mail] and letter.recipients == [mail]
        assert not {"bcc", "cc", "x-evil", "reply-to"} & {name.lower() for name in letter.message}


@pytest.mark.case("M-01")
def test_line_breaks_in_an_address_are_no_address(sqlite_secure_site: Site) -> None:
    served, mail = sqlite_secure_site, sqlite_secure_site.guest()
    for odd in BREAKS:
        for whole in (f"{mail}{odd}Bcc: eve@evil.example", f"x{odd}{mail}", mail.replace("@", f"{odd}@")):
            assert typed(served, whole) == (303 if odd in AS_WRITTEN and not whole.startswith(mail) else 422)
    assert not [letter for letter in settled(served) if mail in letter.recipients]


@pytest.mark.case("M-04")
def test_one_address_is_one_recipient(sqlite_secure_site: Site) -> None:
    served, guest, thief = sqlite_secure_site, sqlite_secure_site.guest(), sqlite_secure_site.guest()
    admin = wire.signed_in(served, ADMIN, f"{HOME}/admin/guests/invite")
    for shape in SEVERAL:
        mail = shape.format(a=guest, b=thief)
        assert typed(served, mail) in (400, 422), shape
        form = {"email": mail, "send_mail": "y", "csrf_token": wire.form_token(admin)}
        answer = wire.ask(served, admin.path, "POST", form=form, browser=admin)
        assert answer.status_code in (400, 422), shape
    letters = settled(served)
    assert not [letter for letter in letters if {guest, thief} & set(letter.recipients)]
    assert all(len(letter.recipients) == 1 for letter in letters)


@pytest.mark.case("M-05")
def test_other_spellings_reach_the_stored_address_or_nobody(sqlite_secure_site: Site) -> None:
    served, name = sqlite_secure_site, f"Mike.{uuid.uuid4().hex[:8]}"
    stored = f"{name}@firstup.example"
    served.world.do(invitations.invite, FABRIKAM, stored, by=BY, send_mail=False)
    same = [
        stored.upper(),
        stored.lower(),
        stored.replace("firstup", "FIRSTUP"),
        stored.replace(".ex", "\uff0eex"),
    ]
    other = [
        stored.replace("i", "\u0131", 1),
        stored.replace("M", "\u216f"),
        f"{stored}.",
        stored.replace("e", "e\u0301", 1),
        stored.replace("k", "\u212a"),
        stored.replace(".", "", 1),
        stored.replace("@", "+tag@"),
        f"\ufeff{stored}",
    ]
    assert [typed(served, mail) for mail in same] == [303] * len(same)
    assert {typed(served, mail) for mail in other} <= {303, 422}
    letters = [letter for letter in settled(served) if name[5:] in str(letter.recipients).lower()]
    assert [letter.recipients for letter in letters] == [[stored]] * len(same)


@pytest.mark.case("M-04", "M-05")
def test_what_is_no_address_is_refused_on_the_page_too(sqlite_secure_site: Site) -> None:
    texts = [
        mail for mail in NO_ADDRESS if len(mail) < 300 and mail.isascii() and "\x00" not in mail and mail.strip()
    ]
    assert {typed(sqlite_secure_site, mail) for mail in texts} == {422}


@pytest.mark.case("M-06")
def test_letter_of_a_code_says_what_it_must_and_nothing_more(sqlite_secure_site: Site) -> None:
    served, mail = sqlite_secure_site, sqlite_secure_site.guest()
    served.awaiting_code(mail)
    code = served.code(mail)
    (letter,) = served.letters(mail)
    words, headers = text(letter), letter.message
    html = headers.get_body(("html",))
    assert html is not None and words.count(code) == 1 and code not in str(headers["Subject"])
    assert re.search(r"\d\d:\d\d UTC on \d+ \w+ \d{4}", words) and "If you did not ask" in words
    assert "Fabrikam" in words and "href=" not in html.get_content()
    assert headers["Auto-Submitted"] == "auto-generated" and headers["Date"] and headers["Message-ID"]
    ids = [str(each.message["Message-ID"]) for each in served.sink.letters]
    assert len(set(ids)) == len(ids) and letter.sender == headers["From"].addresses[0].addr_spec


@pytest.mark.case("M-07")
def test_letter_is_whole_whatever_was_written(sqlite_secure_site: Site) -> None:
    served, mail = sqlite_secure_site, f"guest-{uuid.uuid4().hex[:12]}@firstup.example"
    message = "é 🎉 計\n.\n..\nFrom here\n" + "x" * 1500 + "\n\u200f\u05d0"
    served.world.do(invitations.invite, FABRIKAM, mail, by=BY, message=message)
    assert served.invitation(mail)
    (letter,) = served.letters(mail, LINK)
    assert all(line in text(letter) for line in message.split("\n"))
    assert max(map(len, letter.content.split(b"\r\n"))) <= 998 and letter.content.isascii()


@pytest.mark.case("M-09")
@pytest.mark.parametrize(
    "trouble", ["certificate nobody vouches for", pytest.param("STARTTLS stripped", marks=pytest.mark.long)]
)
def test_code_does_not_go_to_a_server_that_cannot_be_trusted(
    prepare: Prepare, certificates: Certificates, trouble: str
) -> None:
    chain, key = certificates.server.chain, certificates.server.key
    tls: dict[str, Path] = {"certfile": chain, "keyfile": key} if "certificate" in trouble else {}
    with site(
        prepare("sqlite", MAIL_USE_TLS="on"), workers=1, ca=certificates.ca if tls else None, **tls
    ) as served:
        mail = served.guest()
        browser = served.awaiting_code(mail)
        wait_until(
            lambda: served.world.rows("SELECT tries, done_at FROM letters WHERE kind = 'passcode'") == [(1, None)]
        )
        assert browser.h1 == "Check your email" and not served.sink.letters
        (sign_in,) = served.world.rows("SELECT id FROM sign_ins WHERE address = :mail", mail=mail)
        code = served.world.do(served.world.written, uuid.UUID(str(sign_in[0]))).split()[0]
        assert code not in (log := served.served.stderr()) and mail not in log


# What the list did not have


@pytest.mark.case("M-11")
def test_who_asks_for_a_code_puts_no_words_into_its_letter(sqlite_secure_site: Site) -> None:
    served, mail = sqlite_secure_site, sqlite_secure_site.guest()
    lure = "Your account is locked, call 555-0100 or visit evil.example Firefox/1 Windows"
    headers = {"User-Agent": lure, "Accept-Language": lure, "X-Forwarded-For": "198.51.100.7"}
    browser = served.browser().open(f"{SIGN_IN}?login_hint={mail}&org=Evil")
    form = {
        "csrf_token": wire.form_token(browser),
        "email": mail,
        "org": "Evil",
        "message": lure,
        "reference": "EVIL",
    }
    place = wire.ask(served, SIGN_IN, "POST", form=form, headers=headers, browser=browser).headers["Location"]
    assert wire.ask(served, place, "POST", form=form, headers=headers, browser=browser).status_code == 303
    assert served.code(mail)
    words = text(served.letters(mail)[0])
    assert "Firefox on Windows" in words
    assert not [word for word in ("555", "evil", "Evil", "EVIL", "locked") if word in words]


@pytest.mark.case("M-12")
def test_letters_come_from_one_address_and_nothing_asks_to_answer_elsewhere(sqlite_secure_site: Site) -> None:
    served = sqlite_secure_site
    served.awaiting_code(mail := served.guest())
    served.code(mail)
    sender = "no-reply@guestauth.example"
    for letter in served.sink.letters:
        names = {name.lower() for name in letter.message}
        assert letter.sender == sender == letter.message["From"].addresses[0].addr_spec
        assert not names & {"sender", "reply-to", "return-receipt-to", "disposition-notification-to", "received"}
        assert not [value for value in map(str, letter.message.values()) if str(served.world.instance) in value]
