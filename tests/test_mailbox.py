"""The demo's local mailbox: every letter as it left, newest first, for the demo only."""

from datetime import timedelta

from guestauth import courier, database, mailbox
from tests.steps import another, ask
from tests.world import ALEX, NICOLE, World


def raw(to: str = NICOLE, subject: str = "Hello", date: str = "Fri, 20 Nov 2026 12:00:00 +0000") -> bytes:
    return f"To: {to}\r\nSubject: {subject}\r\nDate: {date}\r\n\r\nWords\r\n".encode()


def subjects(world: World, to: str = "") -> list[str]:
    return [kept.message["Subject"] for kept in world.do(mailbox.letters, to=to)]


def filled(world: World) -> World:
    world.do(mailbox.empty)
    for number, to in enumerate([NICOLE, ALEX, NICOLE]):
        world.do(mailbox.keep, str(number), raw(to, f"Number {number}"))
    return world


def test_letters_come_newest_first(sqlite_world: World) -> None:
    assert subjects(filled(sqlite_world)) == ["Number 2", "Number 1", "Number 0"]


def test_letters_to_one_address_only_in_any_letter_case(sqlite_world: World) -> None:
    assert subjects(filled(sqlite_world), " NICOLE@FirstUp.example ") == ["Number 2", "Number 0"]


def test_address_that_ends_another_is_not_that_other(sqlite_world: World) -> None:
    assert subjects(filled(sqlite_world), "doe@gmail.com") == []
    assert subjects(filled(sqlite_world), "alexdoe") == ["Number 1"]


def test_letters_since_a_moment_only(sqlite_world: World) -> None:
    world = filled(sqlite_world)
    (date,) = {kept.date for kept in world.do(mailbox.letters)}
    assert len(world.do(mailbox.letters, since=date + timedelta(milliseconds=900))) == 3
    assert world.do(mailbox.letters, since=date + timedelta(seconds=1)) == []


def test_same_letter_again_replaces_it(sqlite_world: World) -> None:
    world = filled(sqlite_world)
    world.do(mailbox.keep, "0", raw(subject="Again"))
    assert subjects(world) == ["Again", "Number 2", "Number 1"]


def test_one_letter_is_found_by_its_id_and_no_file_elsewhere(sqlite_world: World) -> None:
    world = filled(sqlite_world)
    found = world.do(mailbox.letter_or_none, "1")
    assert found and (found.id, found.raw) == ("1", raw(ALEX, "Number 1"))
    for bad in ("", "9", "../secret_key", "../mailbox/1", "1.eml", "1\x00"):
        assert world.do(mailbox.letter_or_none, bad) is None


def test_words_of_a_kind_that_is_not_there_are_empty(sqlite_world: World) -> None:
    kept = filled(sqlite_world).do(mailbox.letters)[0]
    assert (kept.part("plain"), kept.part("html")) == ("Words\n", "")


def test_emptied_mailbox_is_empty(sqlite_world: World) -> None:
    world = filled(sqlite_world)
    for _ in range(2):
        world.do(mailbox.empty)
        assert world.do(mailbox.letters) == []


def test_only_its_owner_can_look_into_it(sqlite_world: World) -> None:
    filled(sqlite_world)
    assert (sqlite_world.instance / "mailbox").stat().st_mode & 0o777 == 0o700


def test_every_process_of_the_demo_shares_it(sqlite_world: World) -> None:
    ask(sqlite_world)
    courier.run_once(another(sqlite_world).app)
    assert len(sqlite_world.do(mailbox.letters, to=NICOLE)) == 1


def test_letters_date_is_the_demos_time(sqlite_world: World) -> None:
    sqlite_world.advance(86400)
    ask(sqlite_world)
    (kept,) = sqlite_world.letters(NICOLE)
    assert abs(kept.date - sqlite_world.do(database.now)) < timedelta(minutes=1)
