"""The gallery and the walkthrough in a real browser: frames are the pages, nothing in them leads anywhere."""

import pytest
from playwright.sync_api import FrameLocator

from tests.e2e.fixtures import Arrive
from tests.e2e.person import Person
from tests.e2e.site import Site

COLOUR = "getComputedStyle(document.body).backgroundColor"
PAPER, NIGHT = "rgb(243, 245, 242)", "rgb(14, 20, 19)"


@pytest.fixture
def site(sqlite_site: Site) -> Site:
    return sqlite_site


def frame(person: Person, title: str) -> FrameLocator:
    return person.page.frame_locator(f"iframe[title='{title}']")


@pytest.mark.parametrize(("theme", "colour"), [("light", PAPER), ("dark", NIGHT)])
@pytest.mark.long
def test_frames_show_the_pages_in_the_theme_asked_for(
    gallery_site: Site, arrive: Arrive, theme: str, colour: str
) -> None:
    person = arrive(gallery_site).open(f"/dev/gallery?group=Codes&theme={theme}")
    inside = frame(person, "Send code")
    inside.get_by_role("heading", level=1, name="Get a code to sign in").wait_for(timeout=30_000)
    assert inside.locator("body").evaluate("body => getComputedStyle(body).backgroundColor") == colour


def test_nothing_in_a_picture_leads_anywhere(gallery_site: Site, arrive: Arrive) -> None:
    person = arrive(gallery_site).open("/dev/gallery/sign-in-suggestion").press("alexdoe@gmail.com")
    assert person.path == "/dev/gallery/sign-in-suggestion#main"
    person.type("Email address", "alexdoe@gmail.com").press("Continue")
    assert person.sees("That didn't work")
    assert person.path == "/dev/gallery/sign-in-suggestion"


@pytest.mark.parametrize(("scheme", "colour"), [("light", PAPER), ("dark", NIGHT)])
def test_state_alone_follows_the_device(gallery_site: Site, arrive: Arrive, scheme: str, colour: str) -> None:
    person = arrive(gallery_site, color_scheme=scheme).open("/dev/gallery/enter-code")
    assert person.sees("Check your email")
    assert person.page.evaluate(COLOUR) == colour
    person.open(f"/dev/gallery/enter-code?theme={'light' if scheme == 'dark' else 'dark'}")
    assert person.page.evaluate(COLOUR) != colour


def test_tester_writes_down_what_they_saw_without_scripts(site: Site, arrive: Arrive) -> None:
    tester = arrive(site, java_script_enabled=False).open("/dev/qa#alex")
    section = tester.page.locator("#alex")
    section.get_by_label("Fail").check()
    section.get_by_label("Notes").fill("The mail came late.")
    section.get_by_role("button", name="Save").click()
    tester.page.get_by_text("1 failed").wait_for()
    with tester.page.expect_download() as download:
        tester.page.get_by_role("link", name="Download the report (Markdown)").click()
    assert "> The mail came late." in download.value.path().read_text("utf-8")


def test_walkthrough_on_paper_has_the_steps_and_no_forms(site: Site, arrive: Arrive) -> None:
    tester = arrive(site).open("/dev/qa")
    tester.page.emulate_media(media="print")
    assert tester.page.get_by_text("Expected:").first.is_visible()
    assert not tester.page.get_by_role("button", name="Save").first.is_visible()
    assert tester.page.locator(".onlyprint").first.is_visible()


@pytest.mark.long
def test_fault_is_felt_by_every_process_and_shown_in_the_bar(site: Site, arrive: Arrive) -> None:
    tester = arrive(site).open("/dev/faults").press("Turn on “Database is busy”")
    guests = [arrive(site).open("/fabrikam.example/sign-in") for _ in range(6)]
    for guest in guests:
        guest.complaints.clear()
        guest.type("Email address", "nicole@firstup.example").press("Continue")
        assert guest.sees("We're busy at the moment")
        assert guest.page.get_by_role("link", name="Fault: Database is busy").is_visible()
        guest.complaints = [each for each in guest.complaints if "503" not in each]
    tester.press("Turn off “Database is busy”")
    assert guests[0].open("/fabrikam.example/sign-in").type("Email address", "x@firstup.example").press("Continue")
    assert guests[0].sees("Get a code to sign in")
