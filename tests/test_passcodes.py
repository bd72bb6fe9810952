"""Codes: derived and nowhere at rest, 30 minutes to the second, typed as people type (B22 to B26, L-01, L-12)."""

import hashlib
import itertools
import re
import sys
import uuid
from datetime import timedelta

import pytest
from sqlalchemy import inspect

from guestauth import database, outbox, passcodes, sending, signin
from guestauth.database import query
from guestauth.models import Passcode, SignIn
from tests.steps import another, ask, ask_again, audited, code_of, enter, is_in, sign_in, wrong
from tests.world import ALEX, BY, FABRIKAM, NICOLE, STRANGER, World

LIFETIME = 1800
NICOLES = signin.Address(mail=NICOLE, key=NICOLE)
OLD, NEW = "old-2468013579-abcdefghijklmnopqrstuvwxyz", "new-2468013579-abcdefghijklmnopqrstuvwxyz"


def derived(world: World, count: int) -> list[str]:
    """Derive the first codes of so many sign-ins."""
    with world.app.app_context():
        key = passcodes.keys("passcode")[0]
        rows = [
            SignIn(
                tenant_id=FABRIKAM,
                browser="",
                address="",
                mail_key="",
                nonce=number.to_bytes(32),
                created_at=database.now(),
            )
            for number in range(count)
        ]
        return [passcodes._derive(row, 1, key) for row in rows]


def everything(world: World) -> str:
    """All tables of the database, all columns, as text; bytes as hexadecimal digits."""
    with world.app.app_context():
        tables = inspect(database.db.engine).get_table_names()
    rows = itertools.chain.from_iterable(world.rows(f"SELECT * FROM {table}") for table in tables)
    cells = itertools.chain.from_iterable(rows)
    return "\n".join(cell.hex() if isinstance(cell, bytes) else str(cell) for cell in cells)


def traces(code: str, mail: str) -> list[str]:
    """What a database that had the code in some searchable form would contain."""
    forms = [code, code + mail, mail + code, f"{mail}:{code}", code[::-1], str(int(code))]
    hashes = [hashlib.new(name, form.encode()) for form in forms for name in ("md5", "sha1", "sha256", "sha512")]
    return [code, code.encode().hex(), *(each.hexdigest() for each in hashes)]


# What a code is.


def test_code_has_eight_ascii_digits_leading_zeros_included(sqlite_world: World) -> None:
    codes = derived(sqlite_world, 400)
    assert all(re.fullmatch("[0-9]{8}", code) for code in codes)
    assert any(code.startswith("0") for code in codes)


def test_codes_are_spread_over_all_digits(sqlite_world: World) -> None:
    codes = derived(sqlite_world, 400)
    assert len(set(codes)) == 400
    assert all({code[place] for code in codes} == set("0123456789") for place in range(8))


def test_code_differs_by_tenant_sign_in_nonce_and_send(sqlite_world: World) -> None:
    with sqlite_world.app.app_context():
        facts = {"tenant_id": FABRIKAM, "id": uuid.uuid4(), "nonce": b"n" * 32}
        other = {"tenant_id": uuid.uuid4(), "id": uuid.uuid4(), "nonce": b"m" * 32}
        rest = {"browser": "", "address": "", "mail_key": "", "created_at": database.now()}
        changed = [facts, *({**facts, name: value} for name, value in other.items())]
        codes = [passcodes._derive(SignIn(**each, **rest), 1, b"key") for each in changed]
        codes.append(passcodes._derive(SignIn(**facts, **rest), 2, b"key"))
        codes.append(passcodes._derive(SignIn(**facts, **rest), 1, b"other key"))
    assert len(set(codes)) == 6


def test_code_with_leading_zeros_is_mailed_and_accepted_whole(world: World) -> None:
    for _ in range(400):
        started = world.do(signin.start, FABRIKAM, NICOLES, browser="b", target=None, by=BY)
        with world.app.app_context():
            code = passcodes._derive(started, 1, passcodes.keys("passcode")[0])
        if code.startswith("0"):
            break
    world.do(sending.send_code, FABRIKAM, started.id, browser="b", by=BY)
    assert world.code(NICOLE) == code
    assert enter(world, started, code, browser="b")


# Nowhere at rest.


@pytest.mark.case("L-12")
def test_code_is_in_no_table_in_any_searchable_form(world: World) -> None:
    ask(world, NICOLE)
    before = everything(world)
    code = world.code(NICOLE)
    for dump in (before, everything(world)):
        assert NICOLE in dump
        assert [trace for trace in traces(code, NICOLE) if trace in dump] == []


def test_code_is_in_no_table_after_it_was_used_or_refused(world: World) -> None:
    started = ask(world, NICOLE)
    code = code_of(world, started)
    with pytest.raises(signin.PasscodeWrong):
        enter(world, started, wrong(code))
    enter(world, started, code)
    dump = everything(world)
    assert [trace for each in (code, wrong(code)) for trace in traces(each, NICOLE) if trace in dump] == []


def test_code_cannot_be_derived_from_the_rows_alone(sqlite_world: World) -> None:
    started = ask(sqlite_world, NICOLE)
    other = another(sqlite_world, SECRET_KEY=NEW)
    with other.app.app_context():
        assert passcodes._derive(started, 1, passcodes.keys("passcode")[0]) != code_of(sqlite_world, started)


# Change of keys.


def test_code_survives_the_change_of_the_secret_key(world: World) -> None:
    before = another(world, SECRET_KEY=OLD)
    started = ask(before, NICOLE)
    code = code_of(before, started)
    after = another(world, SECRET_KEY=NEW, SECRET_KEY_FALLBACKS=f"{'x' + OLD},{OLD}")
    assert is_in(after, enter(after, started, code))


def test_code_dies_with_the_secret_that_made_it(sqlite_world: World) -> None:
    before = another(sqlite_world, SECRET_KEY=OLD)
    started = ask(before, NICOLE)
    code = code_of(before, started)
    with pytest.raises(signin.PasscodeWrong):
        enter(another(sqlite_world, SECRET_KEY=NEW), started, code)


def test_letter_that_waits_over_the_change_of_keys_carries_a_code_that_works(world: World) -> None:
    started = ask(another(world, SECRET_KEY=OLD), NICOLE)
    after = another(world, SECRET_KEY=NEW, SECRET_KEY_FALLBACKS=OLD)
    assert is_in(after, enter(after, started, after.code(NICOLE)))


# 30 minutes.


def test_code_lives_thirty_minutes_from_its_issue_to_the_second(world: World) -> None:
    ask(world, NICOLE)
    (issued,) = world.do(database.query(lambda: database.db.session.query(Passcode).all()))
    assert issued.expires_at - issued.issued_at == timedelta(seconds=LIFETIME)


def test_code_is_live_up_to_its_last_moment_and_not_one_longer(sqlite_world: World) -> None:
    with sqlite_world.app.app_context():
        begin = database.now()
        code = Passcode(sign_in_id=uuid.uuid4(), n=1, issued_at=begin, expires_at=begin + timedelta(seconds=0.1))
        verdicts = []
        while not verdicts or verdicts[-1][1]:
            verdicts.append((database.now(), passcodes.is_live(code), database.now()))
    assert len(verdicts) > 1
    assert all(began < code.expires_at for began, live, _ in verdicts if live)
    assert verdicts[-1][2] >= code.expires_at


@pytest.mark.case("L-01")
def test_code_works_in_the_last_second_of_its_thirty_minutes(world: World) -> None:
    started = ask(world, NICOLE)
    code = code_of(world, started)
    world.advance(LIFETIME - 1)
    in_time = signed_in(world, started, code)
    (expires_at,) = [row.expires_at for row in world.do(passcodes.of_sign_in, started.id)]
    assert in_time or world.do(database.now) >= expires_at  # unless the machine slept over it


def signed_in(world: World, started: SignIn, code: str) -> bool:
    try:
        return bool(enter(world, started, code))
    except signin.PasscodeExpired:
        return False


@pytest.mark.case("L-01")
def test_code_is_refused_at_thirty_minutes_and_the_try_given_back(world: World) -> None:
    started = ask(world, NICOLE)
    code = code_of(world, started)
    world.advance(LIFETIME)
    for _ in range(6):
        with pytest.raises(signin.PasscodeExpired):
            enter(world, started, code)
    assert world.rows("SELECT tries FROM sign_ins") == [(0,)]
    assert audited(world, "sign-in") == [("refused", "expired")]


@pytest.mark.parametrize("back", [-3600, -60, -10])
@pytest.mark.case("F-08")
def test_code_gains_nothing_when_the_clock_goes_back(sqlite_world: World, back: int) -> None:
    started = ask(sqlite_world, NICOLE)
    code = code_of(sqlite_world, started)
    sqlite_world.advance(back)
    with pytest.raises(signin.PasscodeExpired):
        enter(sqlite_world, started, code)


def test_code_issued_on_a_node_whose_clock_is_a_little_ahead_works_at_once(sqlite_world: World) -> None:
    started = ask(sqlite_world, NICOLE)
    code = code_of(sqlite_world, started)
    sqlite_world.advance(-2)
    assert enter(sqlite_world, started, code)


def test_expired_code_stays_expired_when_the_clock_goes_back_beyond_its_issue(sqlite_world: World) -> None:
    started = ask(sqlite_world, NICOLE)
    code = code_of(sqlite_world, started)
    sqlite_world.advance(LIFETIME)
    sqlite_world.advance(-LIFETIME - 3600)
    with pytest.raises(signin.PasscodeExpired):
        enter(sqlite_world, started, code)


def test_deployment_may_shorten_the_life_of_a_code(world: World) -> None:
    short = another(world, PASSCODE_LIFETIME="300")
    started = ask(short, NICOLE)
    letter = short.letters(NICOLE)[0].part("plain")
    assert "works for 5 minutes" in letter
    code = code_of(short, started)
    short.advance(300)
    with pytest.raises(signin.PasscodeExpired):
        enter(short, started, code)


def test_shortest_life_that_can_be_set_is_long_enough_for_the_mail(world: World) -> None:
    short = another(world, PASSCODE_LIFETIME="60")
    started = ask(short, NICOLE)
    assert enter(short, started, short.code(NICOLE))


def test_letter_promises_no_minute_that_the_code_does_not_live(sqlite_world: World) -> None:
    short = another(sqlite_world, PASSCODE_LIFETIME="119")
    ask(short, NICOLE)
    assert "It works for 1 minute," in short.letters(NICOLE)[0].part("plain")


# The letter.


def test_letter_has_the_code_alone_on_a_line_and_not_in_its_subject(sqlite_world: World) -> None:
    ask(sqlite_world, NICOLE)
    (letter,) = sqlite_world.letters(NICOLE)
    (code,) = re.findall("^[0-9]{8}$", letter.part("plain"), re.MULTILINE)
    assert code in letter.part("html")
    assert code not in str(letter.message["Subject"])


def test_letter_names_the_moment_the_code_ends(sqlite_world: World) -> None:
    started = ask(sqlite_world, NICOLE)
    (issued,) = sqlite_world.do(passcodes.of_sign_in, started.id)
    until = f"{issued.expires_at:%H:%M} UTC on {issued.expires_at.day} {issued.expires_at:%B %Y}"
    (letter,) = sqlite_world.letters(NICOLE)
    assert f"works for 30 minutes, until {until}." in letter.part("plain")


def test_letter_of_a_sign_in_that_is_over_is_dropped(world: World) -> None:
    started = ask(world, NICOLE)
    code = world.code(NICOLE)
    world.advance(60)
    ask_again(world, started)
    enter(world, started, code)
    assert len(world.letters(NICOLE)) == 1
    assert audited(world, "passcode.dropped") == [("refused", "the sign-in is over")]


def test_letter_with_less_than_a_minute_of_life_is_dropped_and_audited(world: World) -> None:
    ask(world, NICOLE)
    world.advance(LIFETIME - 59)
    assert world.letters(NICOLE) == []
    assert audited(world, "passcode.dropped") == [("refused", "the code would arrive dead")]


def test_letter_with_more_than_a_minute_of_life_goes(world: World) -> None:
    ask(world, NICOLE)
    world.advance(LIFETIME - 120)
    assert len(world.letters(NICOLE)) == 1


def test_strangers_letter_is_dropped(world: World) -> None:
    ask(world, STRANGER)
    assert world.letters(STRANGER) == []
    assert world.rows("SELECT outcome, reason FROM letters WHERE kind = 'passcode'") == [
        ("dropped", "not a guest")
    ]


def test_strangers_letter_is_written_before_it_is_dropped(sqlite_world: World) -> None:
    ask(sqlite_world, STRANGER)
    letter = next(each for each in sqlite_world.do(outbox.lease, 9) if each.kind == "passcode")
    with pytest.raises(outbox.Dropped) as dropped:
        sqlite_world.do(query(lambda: passcodes.write_letter(letter)))
    content = dropped.value.content
    assert content and content.to == STRANGER and re.match(r"\d{8}\n", content.text)


@pytest.mark.parametrize("mail", [NICOLE, STRANGER])
def test_letter_is_put_together_whoever_it_is_for(sqlite_world: World, mail: str) -> None:
    ask(sqlite_world, mail)
    letter = next(each for each in sqlite_world.do(outbox.lease, 9) if each.kind == "passcode")
    called: set[str] = set()
    with sqlite_world.app.app_context():
        sys.setprofile(lambda frame, _event, _argument: called.add(frame.f_code.co_qualname))
        try:
            outbox.deliver(letter)
        finally:
            sys.setprofile(None)
    assert {"passcode", "compose", "Written.as_bytes"} <= called


def test_letter_of_a_sign_in_that_is_no_more_is_dropped(sqlite_world: World) -> None:
    ask(sqlite_world, NICOLE)
    with sqlite_world.app.app_context():
        (letter,) = database.db.session.scalars(
            database.db.select(outbox.Letter).where(outbox.Letter.n == 1)
        ).all()
        letter.subject_id = uuid.uuid4()
        with pytest.raises(outbox.Dropped, match="over"):
            passcodes.write_letter(letter)


# References.


def test_references_of_one_sign_ins_codes_differ(sqlite_world: World) -> None:
    started = ask(sqlite_world, NICOLE)
    assert len({passcodes.reference(started, n) for n in (1, 2, 3)}) == 3


def test_reference_has_four_characters_that_are_not_taken_for_another(sqlite_world: World) -> None:
    started = ask(sqlite_world, ALEX)
    found = "".join(passcodes.reference(started, n) for n in range(200))
    assert len(found) == 800
    assert not set(found) & set("01IO")
    assert set(found) <= set("23456789ABCDEFGHJKLMNPQRSTUVWXYZ")


def test_reference_of_the_letter_is_that_of_the_page(sqlite_world: World) -> None:
    started = ask(sqlite_world, NICOLE)
    (letter,) = sqlite_world.letters(NICOLE)
    assert letter.message["Subject"].endswith(f"(reference {passcodes.reference(started, 1)})")


def test_reference_tells_nothing_of_the_code(sqlite_world: World) -> None:
    started = ask(sqlite_world, NICOLE)
    before = passcodes.reference(started, 1)
    with another(sqlite_world, SECRET_KEY=NEW).app.app_context():
        assert passcodes.reference(started, 1) == before


# What people type.


@pytest.mark.parametrize(
    "typed",
    [
        "13606710",
        "1360 6710",
        " 13606710\r\n",
        "1360-6710",
        "1360\u00a06710",
        "1360\u200b6710",
        "\ufeff13606710",
        "13\u20136067\u201410",
        "1360\u22126710",
        "1360\u00ad6710",
        "１３６０６７１０",
        "١٣٦٠٦٧١٠",
        "۱۳۶۰۶۷۱۰",
        "१३६०६७१०",
        "1\t3\u200960\u202f67\u200d10",
    ],
)
def test_code_is_understood_as_people_type_it(typed: str) -> None:
    assert passcodes.typed_code(typed) == "13606710"


def test_leading_zeros_are_kept_as_typed() -> None:
    assert passcodes.typed_code("0000 0042") == "00000042"


@pytest.mark.parametrize(
    "text", ["1360671", "136067100", "1360671O", "", "13606710\n", "１３６０６７１０", "1360671²"]
)
def test_code_is_eight_ascii_digits_and_nothing_else(text: str) -> None:
    assert not passcodes.is_code(text)
    assert passcodes.is_code("00000000")


def test_letters_are_not_taken_for_digits() -> None:
    assert passcodes.typed_code("1360 671O") == "1360671O"


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (
            "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/130.0 Safari/537.36 Edg/130.0",
            "Edge on Windows",
        ),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 14_1) Version/17.1 Safari/605.1.15", "Safari on macOS"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0", "Firefox on Linux"),
        ("Mozilla/5.0 (Linux; Android 14) Chrome/130.0 Mobile Safari/537.36", "Chrome on Android"),
        ("curl/8.5\r\nX: <b>", "a browser"),
        ("", "a browser"),
    ],
)
def test_browser_is_said_in_a_few_words(agent: str, words: str) -> None:
    assert passcodes.browser_label(agent) == words


def test_browser_that_asked_is_in_the_letter_in_our_words_only(sqlite_world: World) -> None:
    started = sqlite_world.do(signin.start, FABRIKAM, NICOLES, browser="b", target=None, by=BY)
    by = signin.Caller(actor="visitor", browser="Evil <a href=x> Firefox/1 Linux")
    sqlite_world.do(sending.send_code, FABRIKAM, started.id, browser="b", by=by)
    (letter,) = sqlite_world.letters(NICOLE)
    assert "Asked for from Firefox on Linux at" in letter.part("plain")
    assert "Evil" not in letter.part("plain") + letter.part("html")


def test_nothing_but_the_mail_leads_to_a_code(sqlite_world: World) -> None:
    done = sign_in(sqlite_world, NICOLE)
    assert not re.search("^[0-9]{8}$", " ".join([done.session_secret, done.browser, done.target or ""]))
