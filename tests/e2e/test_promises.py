"""What pages promise: names and roles, local times, paper, few bytes, mails (UX acceptance 13 to 28)."""

import gzip
import re
from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Page

from guestauth import languages, letters
from tests.e2e.axe import axe, wrong_with
from tests.e2e.site import Site
from tests.servers import or_skip
from tests.test_letters import INVITATION, PASSCODE

SLOW_3G = 50_000, 0.4  # bytes and round trips a second: what browsers' tools call so
TREES = {
    "sign-in-format": ['textbox "Email address" [invalid]', 'button "Continue"', 'alert "There is a problem"'],
    "enter-code": ['textbox "8-digit code"', 'button "Sign in"', 'button "Send a new code"', "contentinfo"],
    "consent": ['button "Accept"', 'button "Cancel"', 'heading "Review permissions" [level=1]', "main", "banner"],
    "settings": ['radio "Yes" [checked]', 'radio "No"', 'group "Email one-time passcode for guests"'],
    "guests": ['navigation "Console"', 'combobox "Source"', 'columnheader "User name', 'searchbox "Name or user'],
}
WEIGHT = """() => [location.href, ...performance.getEntriesByType("resource").map((each) => each.name)]"""


@pytest.fixture
def site(gallery_site: Site) -> Site:
    return gallery_site


@pytest.fixture
def page(chromium: Chromium) -> Iterator[Page]:
    """A window in which tests may be run."""
    context = chromium.new_context(bypass_csp=True)
    yield context.new_page()
    context.close()


@pytest.mark.acceptance(2, 7)
@pytest.mark.parametrize("name", TREES)
def test_assistive_technology_is_told_names_roles_and_states(site: Site, page: Page, name: str) -> None:
    page.goto(f"{site.url}/dev/gallery/{name}")
    tree = page.locator("body").aria_snapshot()
    assert [each for each in TREES[name] if each not in tree] == []


@pytest.mark.acceptance(13)
@pytest.mark.parametrize("zone", ["Asia/Taipei", "Europe/Amsterdam"])
def test_times_are_right_where_the_guest_is(site: Site, chromium: Chromium, zone: str) -> None:
    context = chromium.new_context(timezone_id=zone)
    page = context.new_page()
    page.goto(f"{site.url}/dev/gallery/apps")
    shown = page.locator("main time").filter(has_not_text="UTC").first  # once the script has been there
    local = datetime.fromisoformat(shown.get_attribute("datetime") or "").astimezone(ZoneInfo(zone))
    assert f"{local:%H:%M}" in shown.inner_text() and str(local.day) in shown.inner_text()
    context.close()


@pytest.mark.acceptance(23)
@pytest.mark.parametrize(
    "name", ["apps", *(pytest.param(name, marks=pytest.mark.long) for name in ("account", "guests", "audit"))]
)
def test_page_on_paper_has_its_words_and_nothing_to_press(site: Site, page: Page, name: str) -> None:
    page.goto(f"{site.url}/dev/gallery/{name}")
    page.emulate_media(media="print", color_scheme="dark")
    assert page.get_by_role("heading", level=1).is_visible()
    assert page.locator(":is(.tabs, .filters, .languages, main form button):visible").count() == 0
    ink, paper = page.evaluate("['color', 'backgroundColor'].map((each) => getComputedStyle(document.body)[each])")
    assert (ink, paper) == ("rgb(0, 0, 0)", "rgb(255, 255, 255)")


@pytest.mark.acceptance(25)
@pytest.mark.parametrize("lang", languages.NAMES)
def test_page_is_there_within_three_seconds_over_slow_3g(site: Site, page: Page, lang: str) -> None:
    page.goto(f"{site.url}/fabrikam.example/sign-in?lang={lang}")
    asked = page.evaluate(WEIGHT)
    size = sum(len(gzip.compress(page.request.get(each).body())) for each in asked)
    speed, trip = SLOW_3G
    assert size / speed + 3 * trip < 3  # to connect, to get the page, to get what it needs, all at once
    assert size <= 30_000 and all(each.startswith(site.url) for each in asked)


@pytest.mark.acceptance(27, 28)
@pytest.mark.parametrize(
    "lang", ["nl", *(pytest.param(tag, marks=pytest.mark.long) for tag in ("en", "zh-Hant-TW"))]
)
def test_axe_finds_nothing_in_a_mail(site: Site, page: Page, lang: str) -> None:
    for write, facts in ((letters.passcode, PASSCODE), (letters.invitation, INVITATION)):
        page.set_content(site.world.do(write, **facts, lang=lang).html)
        with or_skip(axe) as rules:
            assert wrong_with(page, rules) == []
        assert re.fullmatch(r"\S.+", page.title())
