"""A tenant's look in Chromium: its colours in light and dark, its logo, and what a page costs (UX 6 and 7)."""

import base64

import pytest

from guestauth import branding, colours, demo, pictures, tenants
from tests.e2e.fixtures import Arrive
from tests.e2e.site import Site
from tests.test_colours import DARK, LIGHT
from tests.world import ADMIN, BY, FABRIKAM

SIGN_IN = "/woodgrove.example/sign-in"
BUTTON = "getComputedStyle(document.querySelector('main button')).backgroundColor"
LOADED = "[...document.images].map((each) => [each.naturalWidth, each.clientHeight > 20, each.alt])"
FETCHED = """performance.getEntriesByType("resource").filter((each) => each.transferSize > 0)
  .map((each) => each.name).filter((name) => !name.includes("icon"))"""
DRAWN = """(kind) => { const canvas = document.createElement("canvas"); canvas.width = 120; canvas.height = 48;
  canvas.getContext("2d").fillRect(10, 10, 50, 20); return canvas.toDataURL(kind).split(",") }"""


def as_rgb(colour: str) -> str:
    return f"rgb({', '.join(str(part) for part in bytes.fromhex(colour[1:]))})"


@pytest.mark.parametrize(("scheme", "behind"), [("light", LIGHT), ("dark", DARK)])
def test_button_has_the_tenants_colour_as_it_can_be_read(
    sqlite_site: Site, arrive: Arrive, scheme: str, behind: list[str]
) -> None:
    person = arrive(sqlite_site, color_scheme=scheme).open(SIGN_IN)
    assert person.page.evaluate(BUTTON) == as_rgb(colours.palette(demo.ACCENT, behind)["accent"])
    assert person.page.evaluate(LOADED) == [[64, True, ""]]


def test_first_page_takes_three_requests_with_its_icon_and_one_for_the_logo_which_are_kept(
    sqlite_site: Site, arrive: Arrive
) -> None:
    person = arrive(sqlite_site).open(SIGN_IN)
    assert [address.split("/")[-1].partition("?")[0] for address in person.page.evaluate(FETCHED)] == [
        f"{demo.ACCENT[1:]}.css",
        "logo",
    ]  # and the icon, which is not told here
    person.open("/woodgrove.example/sign-in?login_hint=x").page.wait_for_load_state("networkidle")
    assert person.page.evaluate(FETCHED) == []


@pytest.mark.parametrize(
    "kind", ["image/png", *(pytest.param(kind, marks=pytest.mark.long) for kind in ("image/jpeg", "image/webp"))]
)
def test_picture_that_a_browser_writes_is_taken_and_shown(sqlite_site: Site, arrive: Arrive, kind: str) -> None:
    person = arrive(sqlite_site).open("/fabrikam.example/sign-in")
    said, content = person.page.evaluate(DRAWN, kind)
    picture = base64.b64decode(content)
    assert said == f"data:{kind};base64" and pictures.read(picture) == pictures.Picture(kind, 120, 48)
    sqlite_site.world.do(branding.change, FABRIKAM, logo=picture, by=BY)
    assert person.open("/fabrikam.example/sign-in").page.evaluate(LOADED) == [[120, True, ""]]
    sqlite_site.world.do(branding.change, FABRIKAM, remove_logo=True, by=BY)


def test_administrator_chooses_a_logo_without_scripts(sqlite_site: Site, arrive: Arrive) -> None:
    person = arrive(sqlite_site, java_script_enabled=False)
    person.ask_for_code(ADMIN, "/fabrikam.example/admin/settings").enter_code(ADMIN).press("Logo and colour")
    person.page.get_by_label("Logo").set_input_files(
        {"name": "a.png", "mimeType": "image/png", "buffer": demo.LOGO}
    )
    person.type("Colour", "#2B5797").press("Save")
    assert person.sees("Logo and colour") and person.page.get_by_role("img", name="The logo now").is_visible()
    assert sqlite_site.world.do(tenants.find, str(FABRIKAM)).accent == "#2b5797"
    sqlite_site.reset()
