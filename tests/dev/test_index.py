"""The start page of the demo: one click into each scenario (UX "The demo kit")."""

import pytest

from guestauth import demo
from tests.world import World


def test_every_link_of_the_start_page_works(world: World) -> None:
    world.deliver()
    links = world.browser().open("/dev").page.xpath("//main//a/@href")
    assert len(links) > 12
    for link in links:
        browser = world.browser().open(link)
        assert browser.status == (400 if link == "/myapps" else 200), link


@pytest.mark.parametrize(
    ("link", "h1"),
    [
        ("Open Alex's invitation", "Fabrikam has invited you"),
        ("Expense portal", "Sign in to Fabrikam"),
        ("Common endpoint", "This link doesn't say which organisation you are visiting"),
        ("Sign in to Contoso", "Sign in to Contoso"),
        ("Move the clock", "Clock"),
        ("Open the mailbox", "Mailbox"),
    ],
)
def test_scenario_leads_where_it_says(sqlite_world: World, link: str, h1: str) -> None:
    assert sqlite_world.browser().open("/dev").click(link).h1 == h1


def test_start_page_names_the_cast(sqlite_world: World) -> None:
    browser = sqlite_world.browser().open("/dev")
    for tenant_id, (name, domain) in demo.CAST.items():
        assert name in browser.text and domain in browser.text and str(tenant_id) in browser.text


def test_newcomer_signs_alex_in_with_nothing_but_links_and_buttons(sqlite_world: World) -> None:
    browser = sqlite_world.browser().open("/dev").click("Open Alex's invitation")
    browser.submit("accept-invitation").submit("send-code")
    sqlite_world.deliver()
    code = browser.fork().open("/dev").click("Mailbox").page.xpath("//span[@class='digits']/text()")[0]
    browser.submit("enter-code", code=code).submit("consent", button=("decision", "accept"))
    assert browser.h1 == "Project plan"


@pytest.mark.parametrize(
    "path", ["/dev", "/dev/mailbox", "/dev/clock", "/dev/reset", "/fabrikam.example/sign-in", "/x"]
)
def test_every_page_of_the_demo_has_the_bar(sqlite_world: World, path: str) -> None:
    browser = sqlite_world.browser().open(path)
    assert [browser.fork().open(path).click(link).h1 for link in ("Start", "Mailbox", "Clock")] == [
        "Try GuestAuth",
        "Mailbox",
        "Clock",
    ]
