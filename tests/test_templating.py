"""Templates have the words of a language in them, and say them as the languages module does."""

import re

import pytest
from jinja2 import DictLoader, Template
from markupsafe import Markup

from guestauth import languages, templating
from tests.servers import ROOT
from tests.world import World

SOURCES = {
    "page.html": "{{ _('Sign out') }}|{{ _('Signed in as %(mail)s until %(time)s.', mail=mail, time='<b>') }}",
    "letter.txt": "{{ _('Need help? Contact %(contact)s', contact=mail) }}",
    "late.html": "{{ _(mail) }}",
    "unknown.html": "{% set words = {'contact': mail} %}{{ _('Need help? Contact %(contact)s', **words) }}",
    "style.html": "{{ static('style.css') }}",
    "percent.html": "{{ _('100%% sure') }}",
    "with.html": "{% include 'page.html' %}",
}


def template(world: World, name: str, tag: str) -> Template:
    with languages.speaking(tag):
        return pages(world).get_template(name)


def pages(world: World) -> templating.Environment:
    made = templating.Environment(
        world.app, loader=DictLoader(SOURCES), autoescape=world.app.select_jinja_autoescape
    )
    made.globals.update(world.app.jinja_env.globals)
    return made


@pytest.mark.parametrize(("tag", "words"), [("en", "Sign out|"), ("nl", "Afmelden|"), ("zh-Hant-TW", "登出|")])
def test_a_template_has_the_words_of_its_language(world: World, tag: str, words: str) -> None:
    with world.app.test_request_context(), languages.speaking(tag):
        assert pages(world).get_template("page.html").render(mail="a").startswith(words)


def test_no_template_has_what_would_be_compiled_otherwise() -> None:
    """Mend: join words with what stands around them in the page, not with `~`; a file is escaped by its name."""
    told = re.compile(r"~\s*_\(|_\([^()]*\)\s*~|\{%-?\s*autoescape")
    pages = [path for path in (ROOT / "templates").rglob("*.*") if told.search(path.read_text("utf-8"))]
    assert pages == []


def test_what_one_template_alone_knows_is_told_in_its_context(world: World) -> None:
    with world.app.test_request_context(), pytest.raises(TypeError, match="context"):
        pages(world).get_template("page.html", globals={"mail": "a"})


def test_languages_take_turns(world: World) -> None:
    with world.app.test_request_context():
        every = pages(world)
        said = []
        for tag in ("nl", "en", "nl"):
            with languages.speaking(tag):
                said.append(every.get_template("page.html").render(mail="a").partition("|")[0])
    assert said == ["Afmelden", "Sign out", "Afmelden"]


def test_a_template_keeps_its_words_wherever_it_is_rendered(world: World) -> None:
    with world.app.test_request_context():
        dutch = template(world, "with.html", "nl")
        assert dutch.render(mail="a").startswith("Afmelden|")


def test_what_is_inserted_is_escaped_in_a_page_alone(world: World) -> None:
    with world.app.test_request_context():
        assert "&lt;i&gt; until &lt;b&gt;" in template(world, "page.html", "en").render(mail="<i>")
        assert template(world, "letter.txt", "en").render(mail="<i>") == "Need help? Contact <i>"
        assert "<bdi>" in template(world, "page.html", "en").render(mail=Markup("<bdi>"))


def test_a_text_that_is_not_known_before_is_looked_up(world: World) -> None:
    with world.app.test_request_context(), languages.speaking("nl"):
        assert pages(world).get_template("late.html").render(mail="Sign out") == "Afmelden"


def test_values_that_are_not_known_before_are_inserted(world: World) -> None:
    with world.app.test_request_context(), languages.speaking("nl"):
        said = pages(world).get_template("unknown.html").render(mail="a@example.com")
    assert said == "Hulp nodig? Neem contact op met a@example.com"


def test_a_doubled_percent_sign_is_one(world: World) -> None:
    with world.app.test_request_context():
        assert template(world, "percent.html", "en").render() == "100% sure"


def test_a_static_file_lies_where_flask_serves_it(world: World) -> None:
    with world.app.test_request_context():
        assert template(world, "style.html", "en").render() == "/static/style.css"
