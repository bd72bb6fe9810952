"""The guest's apps: B1, B5; UX row "Apps"; T-01."""

import pytest

from guestauth import invitations, resources
from tests.world import ALEX, BY, FABRIKAM, NICOLE, STRANGER, World


def tiles(browser) -> list[str]:
    return [" ".join(tile.text_content().split()) for tile in browser.page.xpath("//li[@class='tile']")]


def add(world: World, number: int) -> None:
    for n in range(number):
        world.do(resources.add, FABRIKAM, f"app-{n}", title=f"App {n} <i>", text="x", by=BY)
        world.do(resources.share, FABRIKAM, f"app-{n}", user_id=None, by=BY)


def test_page_lists_what_is_shared_in_the_words_of_the_design(world: World) -> None:
    browser = world.signed_in(NICOLE)
    assert (browser.status, browser.h1) == (200, "Fabrikam apps")
    until = browser.page.xpath("//main//time/text()")[0]
    assert f"Signed in as {NICOLE} until {until}. After that we'll email a new code." in browser.text
    assert tiles(browser) == ["Expense portal Link", "Project plan File", "Welcome pack Page"]
    assert browser.click("Project plan").path == "/fabrikam.example/apps/project-plan"


def test_guest_sees_their_own_only(sqlite_world: World) -> None:
    assert tiles(sqlite_world.signed_in(ALEX)) == ["Project plan File", "Welcome pack Page"]


def test_share_is_there_and_gone_with_the_next_request(sqlite_world: World) -> None:
    browser = sqlite_world.signed_in(NICOLE)
    sqlite_world.do(resources.unshare, FABRIKAM, "welcome-pack", user_id=None, by=BY)
    assert "Welcome pack Page" not in tiles(browser.open("/fabrikam.example"))
    sqlite_world.do(resources.share, FABRIKAM, "welcome-pack", user_id=None, by=BY)
    assert "Welcome pack Page" in tiles(browser.open("/fabrikam.example"))


def test_guest_without_apps_is_told_whom_to_ask(sqlite_world: World) -> None:
    sqlite_world.do(resources.unshare, FABRIKAM, "welcome-pack", user_id=None, by=BY)
    sqlite_world.do(invitations.invite, FABRIKAM, STRANGER, by=BY)
    inviter = sqlite_world.rows("SELECT inviter FROM invitations ORDER BY created_at DESC")[0][0]
    browser = sqlite_world.signed_in(STRANGER)
    assert f"There are no apps to show. Ask {inviter} to share one with you." in browser.text


def test_search_is_offered_from_the_ninth_app_on(sqlite_world: World) -> None:
    add(sqlite_world, 5)
    browser = sqlite_world.signed_in(NICOLE)
    assert len(tiles(browser)) == 8 and not browser.has_form("search")
    sqlite_world.do(resources.add, FABRIKAM, "ninth", title="The ninth", text="x", by=BY)
    sqlite_world.do(resources.share, FABRIKAM, "ninth", user_id=None, by=BY)
    browser.open("/fabrikam.example").submit("search", q="NINTH")
    assert tiles(browser) == ["The ninth Page"]
    assert browser.click("Fabrikam").h1 == "Fabrikam apps"


@pytest.mark.parametrize("sought", ["%", "_", "'; DROP TABLE users", "\\", "<b>", "nothing"])
def test_search_for_what_is_not_there_says_so(world: World, sought: str) -> None:
    browser = world.signed_in(NICOLE).open("/fabrikam.example", q=sought)
    assert (browser.status, tiles(browser)) == (200, [])
    assert f"No app has “{sought}” in its title." in browser.text
    assert len(tiles(browser.click("Show all apps"))) == 3


def test_title_is_text(sqlite_world: World) -> None:
    add(sqlite_world, 1)
    assert "App 0 <i> Page" in tiles(sqlite_world.signed_in(NICOLE))


@pytest.mark.parametrize("path", ["/fabrikam.example/apps", "/fabrikam.example/apps/", "/fabrikam.example/"])
def test_shortened_address_leads_to_the_list(sqlite_world: World, path: str) -> None:
    assert sqlite_world.signed_in(NICOLE).open(path).h1 == "Fabrikam apps"


@pytest.mark.parametrize("path", ["/woodgrove.example", "/?tenantid=woodgrove.example", "/woodgrove.example/apps"])
def test_guest_of_one_tenant_is_nobody_at_another(sqlite_world: World, path: str) -> None:
    browser = sqlite_world.signed_in(NICOLE).open(path)
    assert browser.h1 == "Sign in to Woodgrove" and NICOLE not in browser.text
