"""A tenant's logo and colour: set, changed and removed, both or neither, with its event (B33, B35)."""

from typing import Any

import pytest

from guestauth import branding, demo, tenants
from guestauth.models import Tenant
from tests.steps import audited
from tests.test_pictures import GIF, JPEG, KINDS, PNG
from tests.world import BY, CONTOSO, FABRIKAM, WOODGROVE, World

LARGE = PNG + bytes(branding.MOST_BYTES - len(PNG))


def change(world: World, **what: Any) -> Tenant:
    return world.do(branding.change, FABRIKAM, by=BY, **what)


def logos(world: World) -> list[Any]:
    found = world.rows("SELECT media_type, content FROM logos WHERE tenant_id = :id", id=_as_stored(world))
    return [(kind, bytes(content)) for kind, content in found]


def _as_stored(world: World) -> Any:
    return FABRIKAM.hex if "sqlite" in world.app.config["DATABASE_URL"] else FABRIKAM


def test_logo_and_colour_are_kept_and_audited_once(world: World) -> None:
    for _ in range(2):
        made = change(world, logo=PNG, accent="2B5797")
    assert (made.accent, made.logo_width, made.logo_height) == ("#2b5797", 120, 48)
    assert logos(world) == [("image/png", PNG)]
    ((detail,),) = world.rows(
        "SELECT detail FROM events WHERE name = 'tenant.branded' AND tenant_id = :id", id=_as_stored(world)
    )
    assert "#2b5797" in str(detail) and str(made.logo) in str(detail)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_picture_is_taken(sqlite_world: World, kind: str) -> None:
    change(sqlite_world, logo=KINDS[kind])
    assert logos(sqlite_world) == [(f"image/{kind.split()[0]}", KINDS[kind])]


def test_what_is_not_given_stays(world: World) -> None:
    change(world, logo=PNG, accent="#2b5797")
    assert change(world, accent="#123").logo and logos(world) == [("image/png", PNG)]
    assert (change(world, logo=JPEG).accent, logos(world)) == ("#112233", [("image/jpeg", JPEG)])


def test_what_is_removed_is_gone(world: World) -> None:
    change(world, logo=PNG, accent="#2b5797")
    made = change(world, remove_logo=True, accent=" ")
    assert (made.accent, made.logo, made.logo_width, made.logo_height, logos(world)) == (None,) * 4 + ([],)
    change(world, remove_logo=True, accent="")
    assert len(audited(world, "tenant.branded")) == 3  # with Woodgrove's


def test_new_logo_wins_over_removing_the_old(sqlite_world: World) -> None:
    change(sqlite_world, logo=PNG)
    change(sqlite_world, logo=GIF, remove_logo=True)
    assert logos(sqlite_world) == [("image/gif", GIF)]


def test_other_tenants_stay_as_they_are(sqlite_world: World) -> None:
    change(sqlite_world, logo=PNG, accent="#2b5797")
    assert sqlite_world.do(tenants.find, str(CONTOSO)).logo is None
    woodgrove = sqlite_world.do(tenants.find, str(WOODGROVE))
    found = sqlite_world.do(branding.logo_or_none, woodgrove)
    assert found and (found.content, woodgrove.accent) == (demo.LOGO, demo.ACCENT)


def test_logo_may_have_64_kilobytes(sqlite_world: World) -> None:
    change(sqlite_world, logo=LARGE)
    assert logos(sqlite_world) == [("image/png", LARGE)]


@pytest.mark.parametrize(
    ("what", "field", "words"),
    [
        ({"logo": b"<svg/>"}, "logo", "PNG, JPEG, WebP or GIF"),
        ({"logo": b""}, "logo", "PNG, JPEG, WebP or GIF"),
        ({"logo": LARGE + b"x"}, "logo", "64 kB"),
        ({"logo": GIF.replace(b"\x78\0", b"\x0f\0")}, "logo", "15 × 48"),
        ({"logo": GIF.replace(b"\x30\0", b"\x01\x04")}, "logo", "120 × 1025"),
        ({"logo": GIF + b"NETSCAPE2.0"}, "logo", "moves"),
        ({"accent": "teal"}, "accent", "#2b5797"),
        ({"accent": "teal", "logo": PNG}, "accent", "#2b5797"),
        ({"accent": "#123456", "logo": b"x"}, "logo", "PNG"),
    ],
)
def test_what_is_no_good_is_refused_and_nothing_changes(
    sqlite_world: World, what: dict[str, Any], field: str, words: str
) -> None:
    before = change(sqlite_world, logo=JPEG, accent="#2b5797")
    with pytest.raises(branding.BrandingRefused, match=words) as caught:
        change(sqlite_world, **what)
    assert caught.value.field == field
    after = sqlite_world.do(tenants.find, str(FABRIKAM))
    assert (after.logo, after.accent, logos(sqlite_world)) == (before.logo, "#2b5797", [("image/jpeg", JPEG)])
