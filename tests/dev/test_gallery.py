"""The gallery: every state is really reached, looks as it is, and changes nothing (UX "The demo kit")."""

import re

import pytest

from guestauth.web.dev import gallery
from guestauth.web.dev.states import GROUPS, STATES
from tests import SOAK
from tests.pages import check_page
from tests.probe import ask, tables
from tests.world import World

LOOKED_AT = list(STATES) if SOAK else list(STATES)[::2]


def picture(world: World, name: str, query: str = "") -> str:
    answer = ask(world.app, f"/dev/gallery/{name}", query=query)
    assert answer.status == 200, name
    return answer.text


def main(html: str) -> str:
    """Return what the page says, without what differs each time it is made."""
    words = re.search(r"<main.*</main>", html, re.DOTALL)
    return re.sub(r'(value|id|datetime|href|action|data-\w+)="[^"]*"|\d\d:\d\d', "", words[0] if words else "")


@pytest.mark.long
def test_every_state_ends_where_it_says(sqlite_world: World) -> None:
    with sqlite_world.app.test_request_context():
        found = {name: gallery.rendered(name, "en")[1] for name in STATES}
    assert found == {name: state.status for name, state in STATES.items()}


@pytest.mark.acceptance(2)
def test_every_state_is_a_page_of_its_own_and_well_made(sqlite_world: World) -> None:
    pictures: dict[str, str] = {}
    for name in LOOKED_AT:
        html = picture(sqlite_world, name)
        check_page(html, name)
        assert pictures.setdefault(main(html), name) == name


@pytest.mark.acceptance(26)
def test_help_is_in_the_same_place_in_every_state(sqlite_world: World) -> None:
    for name in LOOKED_AT:
        foot = picture(sqlite_world, name).partition("<footer")[2]
        assert re.match(r"[^>]*>\s*<p>Need help\? ", foot), name


def test_gallery_lists_every_state_once(sqlite_world: World) -> None:
    browser = sqlite_world.browser().open("/dev/gallery")
    assert len(browser.page.xpath("//iframe")) == len(STATES) == sum(map(len, GROUPS.values()))
    assert len(browser.page.xpath("//main//li/p/a")) == len(STATES) > 100
    browser.submit("show", group="Errors", lang="nl", theme="dark")
    links = browser.page.xpath("//main//li/p/a/@href")
    assert len(links) == len(GROUPS["Errors"])
    assert all("lang=nl" in link and "theme=dark" in link for link in links)


def test_looking_changes_nothing_of_the_demo(sqlite_world: World) -> None:
    sqlite_world.deliver()
    before, letters = tables(sqlite_world), len(sqlite_world.letters())
    for name in ("fault", "busy", "enter-code-expired", "left", "settings-saved"):
        gallery._pictures.pop((name, "en"), None)
        picture(sqlite_world, name)
    assert tables(sqlite_world) == before and len(sqlite_world.letters()) == letters
    assert not list((sqlite_world.instance / "faults").glob("*"))
    assert not (sqlite_world.instance / "clock").exists()


@pytest.mark.parametrize("name", ["apps-many", "enter-code", "guests-many", "resource-file"])
def test_picture_leads_nowhere_and_shows_no_bar(sqlite_world: World, name: str) -> None:
    html = picture(sqlite_world, name)
    assert 'class="demo"' not in html
    assert set(re.findall(r'<a\b[^>]*? href="([^"]*)"', html)) <= {"#main", "#code"}
    assert set(re.findall(r'<form\b[^>]*? action="([^"]*)"', html)) <= {f"/dev/gallery/{name}"}
    assert ask(sqlite_world.app, f"/dev/gallery/{name}", "POST", form={}).status == 405


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_theme_is_the_stylesheet_with_its_question_answered(sqlite_world: World, theme: str) -> None:
    assert f'href="/dev/gallery/style-{theme}.css"' in picture(sqlite_world, "enter-code", f"theme={theme}")
    style = ask(sqlite_world.app, f"/dev/gallery/style-{theme}.css")
    assert style.header("Content-Type") == "text/css; charset=utf-8"
    assert "prefers-color-scheme" not in style.text and f"color-scheme: {theme};" in style.text
    assert ("@media all {" in style.text) == (theme == "dark")


def test_visitors_of_the_stage_read_the_language_that_was_asked_for(sqlite_world: World) -> None:
    stages = gallery._stages
    gallery._pictures.pop(("sign-in", "nl"), None)
    picture(sqlite_world, "sign-in", "lang=nl")
    assert stages[0].language == "nl"


@pytest.mark.acceptance(24)
def test_pseudo_locales_are_longer_and_mirrored(sqlite_world: World) -> None:
    plain, longer = (picture(sqlite_world, "enter-code", f"lang={lang}") for lang in ("en", "en-XA"))
    assert "[Çhéçk ýöûr émåîl ~~~~~~]" in longer and 'lang="en-XA"' in longer
    assert plain.count("<") == longer.count("<")
    assert '<html lang="en-XB" dir="rtl"' in picture(sqlite_world, "enter-code", "lang=en-XB")


@pytest.mark.parametrize("path", ["gallery/nothing", "gallery/style-x.css", "gallery/../clock", "gallery/%00"])
def test_what_is_no_state_is_not_there(sqlite_world: World, path: str) -> None:
    assert ask(sqlite_world.app, f"/dev/{path}").status == 404


@pytest.mark.parametrize("query", ["lang=xx", "theme=pink", "lang=en&lang=nl", "group=None", "lang=../.."])
def test_odd_choices_show_the_usual(sqlite_world: World, query: str) -> None:
    assert ask(sqlite_world.app, "/dev/gallery", query=query).status == 200
    assert 'href="/static/style.css"' in picture(sqlite_world, "sign-in", query)
