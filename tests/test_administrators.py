"""Administrators: members who are added and removed, and one always stays (B34; A-07, A-08)."""

import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from guestauth import addresses, administrators, guests, invitations
from guestauth.models import User
from tests.steps import another, arriving, audited, is_in, sign_in
from tests.world import ADMIN, ALEX, BY, CONTOSO, FABRIKAM, NICOLE, World

NEW = "new@fabrikam.example"


def add(world: World, mail: str = NEW, **more: str) -> User:
    return world.do(administrators.add, FABRIKAM, mail, by=BY, **more)


def mails(world: World) -> list[str]:
    return [each.mail for each in world.do(administrators.listed, FABRIKAM)]


def test_added_administrator_signs_in_by_code_and_gets_no_mail_before(world: World) -> None:
    world.letters()
    made = add(world, "New@fabrikam.example", display_name=" New\u202e One ")
    assert (made.mail, made.display_name, made.user_type) == ("New@fabrikam.example", "New  One", "Member")
    assert world.letters("New@fabrikam.example") == []
    arrival = arriving(world, sign_in(world, NEW))
    assert arrival and arrival.user and arrival.user.is_administrator and not arrival.user.must_consent
    assert audited(world, "administrator.added") == [("success", "")]
    assert mails(world) == [ADMIN, "New@fabrikam.example"]


@pytest.mark.parametrize(
    ("mail", "words"),
    [(ALEX, "is a guest"), (NICOLE.upper(), "is a guest"), (ADMIN, "is an administrator already")],
)
def test_address_that_is_somebodys_is_taken(world: World, mail: str, words: str) -> None:
    with pytest.raises(administrators.AddressTaken, match=words):
        add(world, mail)
    assert mails(world) == [ADMIN]


def test_bad_address_and_long_name_are_refused(world: World) -> None:
    with pytest.raises(addresses.NotAnAddress):
        add(world, "nobody")
    with pytest.raises(administrators.AdministratorRefused):
        add(world, display_name="x" * 201)
    assert mails(world) == [ADMIN]


def test_same_address_can_be_administrator_of_two_tenants(world: World) -> None:
    made = world.do(administrators.add, CONTOSO, ADMIN, by=BY)
    world.do(administrators.remove, CONTOSO, made.id, by=BY)
    assert mails(world) == [ADMIN]


def test_removed_administrator_is_signed_out_at_once_and_for_good(world: World) -> None:
    made = add(world)
    done, guest = sign_in(world, NEW), sign_in(world, browser="another browser")
    world.do(administrators.remove, FABRIKAM, made.id, by=BY)
    assert (is_in(world, done), is_in(world, guest)) == (False, True)
    assert mails(world) == [ADMIN]
    assert audited(world, "administrator.removed") == [("success", "")]
    add(world)
    assert not is_in(world, done)


def test_removed_administrator_can_be_invited_as_a_guest(world: World) -> None:
    world.do(administrators.remove, FABRIKAM, add(world).id, by=BY)
    world.do(invitations.invite, FABRIKAM, NEW, by=BY)
    arrival = arriving(world, sign_in(world, NEW))
    assert arrival and arrival.user and (arrival.user.is_guest, arrival.user.is_administrator) == (True, False)


def test_removed_administrator_is_no_guest_to_be_restored(world: World) -> None:
    gone = world.do(administrators.remove, FABRIKAM, add(world).id, by=BY)
    for who in (NEW, gone.id):
        with pytest.raises(guests.GuestUnknown):
            world.do(guests.restore, FABRIKAM, who, by=BY)


@pytest.mark.case("A-10")
def test_last_administrator_stays(world: World) -> None:
    with pytest.raises(administrators.LastAdministrator):
        world.do(administrators.remove, FABRIKAM, world.do(administrators.find, FABRIKAM, ADMIN).id, by=BY)
    assert mails(world) == [ADMIN]


@pytest.mark.both
def test_of_two_who_remove_each_other_at_once_one_stays(world: World) -> None:
    ids = [add(world).id, world.do(administrators.find, FABRIKAM, ADMIN).id]
    worlds = [world, another(world)]
    with ThreadPoolExecutor() as threads:
        done = [
            threads.submit(each.do, administrators.remove, FABRIKAM, who, by=BY)
            for each, who in zip(worlds, ids, strict=True)
        ]
    assert sorted(type(each.exception()).__name__ for each in done) == ["LastAdministrator", "NoneType"]
    assert len(mails(world)) == 1


def test_who_is_no_administrator_here_is_unknown(world: World) -> None:
    guest = uuid.uuid5(FABRIKAM, NICOLE)
    elsewhere = world.do(administrators.find, CONTOSO, "admin@contoso.example").id
    for who in (guest, elsewhere, uuid.uuid4()):
        with pytest.raises(administrators.AdministratorUnknown):
            world.do(administrators.remove, FABRIKAM, who, by=BY)
    for mail in (NICOLE, "admin@contoso.example"):
        with pytest.raises(administrators.AdministratorUnknown):
            world.do(administrators.find, FABRIKAM, mail)
