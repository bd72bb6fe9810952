"""Shares as administrators see them: with several at once, counted, and who opened what (B32, B33)."""

import uuid

import pytest

from guestauth import guests, invitations, resources, shares
from guestauth.audit import Caller
from guestauth.models import Resource
from tests.steps import audited
from tests.world import ADMIN, ALEX, BY, CONTOSO, FABRIKAM, NICOLE, STRANDED, World

SLUG = "expense-portal"


def named(world: World, slug: str = SLUG) -> Resource:
    return world.do(resources.named, FABRIKAM, slug)


def having(world: World, slug: str = SLUG) -> list[str]:
    return [user.mail for user in world.do(shares.guests_of, named(world, slug))]


def share(world: World, *typed: str, slug: str = SLUG) -> list[str]:
    return [user.mail for user in world.do(shares.with_guests, FABRIKAM, slug, typed, by=BY)]


def test_those_who_did_not_have_it_get_it(world: World) -> None:
    before = len(audited(world, "resource.shared"))
    assert share(world, NICOLE, ALEX.upper(), f" {ALEX} ") == [ALEX]
    assert having(world) == [ALEX, NICOLE]
    assert len(audited(world, "resource.shared")) == before + 1


@pytest.mark.parametrize("nobody", ["nobody@example.com", STRANDED, "nonsense", ""])
def test_all_get_it_or_none(world: World, nobody: str) -> None:
    with pytest.raises(shares.NotGuests) as refused:
        share(world, ALEX, nobody, "other@example.com")
    assert str(refused.value).endswith(f"this address: {nobody}, other@example.com")
    assert having(world) == [NICOLE]


def test_deleted_guest_is_nobody_and_not_counted(world: World) -> None:
    world.do(guests.delete, FABRIKAM, NICOLE, by=BY)
    with pytest.raises(shares.NotGuests):
        share(world, NICOLE)
    assert (having(world), world.do(shares.losing, named(world))) == ([], 0)
    assert {each.slug: n for each, n in world.do(shares.everything, FABRIKAM)}[SLUG] == 0


@pytest.mark.parametrize(("tenant", "slug"), [(CONTOSO, SLUG), (FABRIKAM, "nothing")])
def test_unknown_resource_is_shared_with_nobody(sqlite_world: World, tenant: uuid.UUID, slug: str) -> None:
    with pytest.raises(resources.ResourceUnknown):
        sqlite_world.do(shares.with_guests, tenant, slug, [NICOLE], by=BY)


def test_losing_counts_everybody_where_all_have_it_and_members_never(world: World) -> None:
    share(world, ADMIN, ALEX)
    assert [world.do(shares.losing, named(world, slug)) for slug in (SLUG, "welcome-pack")] == [2, 2]
    world.do(invitations.invite, FABRIKAM, "third@example.com", by=BY)
    assert [world.do(shares.losing, named(world, slug)) for slug in (SLUG, "welcome-pack")] == [2, 3]


@pytest.mark.parametrize("sort", shares.SORTS)
def test_list_sorts_both_ways(world: World, sort: str) -> None:
    up, down = (world.do(shares.listed, FABRIKAM, sort=mark + sort).rows for mark in ("", "-"))
    key = {"guests": lambda row: row[1], "size": lambda row: row[0].size or -1}
    found = [key.get(sort, lambda row: getattr(row[0], sort))(row) for row in up]
    assert found == sorted(found) and len(up) == len(down) == 3
    assert [key.get(sort, lambda row: getattr(row[0], sort))(row) for row in down] == found[::-1]


def test_list_is_searched_by_title_and_slug(world: World) -> None:
    for search, slugs in (
        ("PLAN", ["project-plan"]),
        ("-p", ["expense-portal", "project-plan", "welcome-pack"]),
        ("%", []),
    ):
        found = world.do(shares.listed, FABRIKAM, search=search)
        assert ([each.slug for each, _ in found.rows], found.total) == (slugs, len(slugs))
    assert world.do(shares.listed, CONTOSO).total == 0


def test_openings_are_of_this_resource_newest_first(world: World) -> None:
    nicole, caller = world.do(guests.find, FABRIKAM, NICOLE), Caller(actor="guest", client_address="::1")
    for slug in (SLUG, "project-plan", SLUG):
        world.do(shares.opened, named(world, slug), nicole, by=caller)
    world.do(shares.downloaded, named(world), nicole, by=caller)
    found = world.do(shares.openings, named(world))
    assert [(each.name, each.address) for each in found] == [
        ("resource.downloaded", NICOLE),
        *[("resource.opened", NICOLE)] * 2,
    ]
    assert len(world.do(shares.openings, named(world), most=1)) == 1
