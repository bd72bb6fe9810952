"""Nothing but a keyboard, few words read out, the device's own colours, no motion (UX acceptance 12, 19, 22)."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Page

from guestauth.web.dev.states import STATES
from tests.e2e.fixtures import Arrive
from tests.e2e.person import Person
from tests.e2e.site import HOME, Site

MOST_STOPS = 120
# What has the focus: its name; "" at the end of the page; and what is wrong with how that is seen.
FOCUS = """() => {
  const it = document.activeElement;
  if (!it || it === document.body) return ["", ""];
  const ring = [getComputedStyle(it), getComputedStyle(it, "::after")]
    .some((style) => style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2);
  const {left, top, right, bottom} = it.getClientRects()[0] ?? it.getBoundingClientRect();
  const middle = (from, to, most) => (Math.max(from, 0) + Math.min(to, most)) / 2;  // of what is in the window
  const under = document.elementFromPoint(middle(left, right, innerWidth), middle(top, bottom, innerHeight));
  const seen = under && (it.contains(under) || under.contains(it));
  const name = it.tagName + " " + (it.id || it.textContent.trim()).slice(0, 60);
  return [name, ring ? (seen ? "" : `hidden: ${name}`) : `no ring: ${name}`];
}"""
LISTEN = """addEventListener("DOMContentLoaded", () => {
  window.announced = [];
  for (const region of document.querySelectorAll("[role=status], [role=alert], [aria-live]"))
    new MutationObserver(() => { if (region.textContent.trim()) announced.push(region.textContent); })
      .observe(region, {childList: true, characterData: true, subtree: true});
})"""
UNBOUNDED = """() =>
  [...document.querySelectorAll("button, .button, input:not([type=hidden]), select, textarea, main")]
  .filter((each) => each.checkVisibility() && !["radio", "checkbox"].includes(each.type))
  .filter((each) => { const style = getComputedStyle(each);
    return style.borderTopStyle === "none" || parseFloat(style.borderTopWidth) === 0; })
  .map((each) => each.outerHTML.slice(0, 120))"""
MOVING = """() => [...document.querySelectorAll("*")].filter((each) => {
  const style = getComputedStyle(each), times = style.transitionDuration.split(",");
  return style.animationName !== "none" || times.some((time) => parseFloat(time) > 0);
}).map((each) => each.outerHTML.slice(0, 120))"""


@pytest.fixture
def site(sqlite_site: Site) -> Site:
    return sqlite_site


@pytest.fixture(scope="module")
def page(chromium: Chromium) -> Iterator[Page]:
    """A window on a phone."""
    context = chromium.new_context(viewport={"width": 375, "height": 667}, bypass_csp=True)
    yield context.new_page()
    context.close()


def tab_to(person: Person, name: str) -> None:
    """Press Tab until this has the focus; each stop on the way must be seen."""
    for _ in range(MOST_STOPS):
        person.page.keyboard.press("Tab")
        stop, wrong = person.page.evaluate(FOCUS)
        assert wrong == ""
        if stop.endswith(name):
            return
    raise AssertionError(f"{name} is never reached")


def enter(person: Person) -> None:
    """Press Enter and wait for the next page."""
    with person.page.expect_navigation():
        person.page.keyboard.press("Enter")


@pytest.mark.acceptance(19)
def test_newcomer_gets_in_by_the_keyboard_alone(site: Site, arrive: Arrive) -> None:
    mail = site.guest()
    guest = arrive(site, viewport={"width": 375, "height": 500}).open(HOME)
    tab_to(guest, " email")
    guest.page.keyboard.type(mail)
    enter(guest)
    tab_to(guest, "Send code")
    enter(guest)
    assert guest.sees("Check your email")
    tab_to(guest, " code")
    guest.page.keyboard.type(site.code(mail))
    enter(guest)
    assert guest.sees("Review permissions")
    tab_to(guest, "Accept")
    enter(guest)
    assert guest.sees("Fabrikam apps")


@pytest.mark.acceptance(2)
def test_skip_link_is_the_first_stop_and_leads_to_the_page(gallery_site: Site, arrive: Arrive) -> None:
    guest = arrive(gallery_site).open("/dev/gallery/apps")
    guest.page.keyboard.press("Tab")
    assert guest.page.evaluate(FOCUS) == ["A Skip to main content", ""]
    guest.page.keyboard.press("Enter")
    assert guest.page.evaluate("document.activeElement.id") == "main"


@pytest.mark.parametrize("name", STATES)
@pytest.mark.acceptance(19)
def test_every_stop_of_the_keyboard_is_seen(gallery_site: Site, page: Page, name: str) -> None:
    page.goto(f"{gallery_site.url}/dev/gallery/{name}")
    page.evaluate("document.activeElement.blur()")  # an error summary has it
    stops: list[str] = []
    for _ in range(MOST_STOPS):
        page.keyboard.press("Tab")
        stop, wrong = page.evaluate(FOCUS)
        assert wrong == ""
        if not stop:
            break
        stops.append(stop)
    assert stops


@pytest.mark.acceptance(12)
def test_half_an_hour_on_the_code_page_is_announced_five_times(gallery_site: Site, page: Page) -> None:
    page.add_init_script(LISTEN)
    page.clock.install()
    page.goto(f"{gallery_site.url}/dev/gallery/enter-code")
    page.clock.run_for(31 * 60 * 1000)
    announced = page.evaluate("announced")
    assert len(announced) == 5
    assert announced[0].startswith("10 minutes") and announced[-1].startswith("The code has expired")


@pytest.mark.parametrize("name", STATES)
@pytest.mark.acceptance(22)
def test_forced_colours_leave_every_part_its_edge(gallery_site: Site, page: Page, name: str) -> None:
    page.emulate_media(forced_colors="active")
    page.goto(f"{gallery_site.url}/dev/gallery/{name}")
    assert page.evaluate(UNBOUNDED) == []
    page.emulate_media(forced_colors="none")


@pytest.mark.parametrize("name", STATES)
@pytest.mark.acceptance(22)
def test_nothing_moves_for_who_wants_no_motion(gallery_site: Site, page: Page, name: str) -> None:
    page.emulate_media(reduced_motion="reduce")
    page.goto(f"{gallery_site.url}/dev/gallery/{name}")
    assert page.evaluate(MOVING) == []
