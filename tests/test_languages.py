"""What is said in each language: whole, with nothing lost (UX 8)."""

import re
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po

from guestauth import languages, letters
from tests.test_letters import INVITATION, PASSCODE
from tests.world import World

ROOT = Path(__file__).resolve().parent.parent
CATALOGUES = ROOT / "guestauth" / "translations"
FOREIGN = [tag for tag in languages.LOCALES if tag != "en"]
METHODS = [("guestauth/**.py", "python"), ("templates/**.html", "jinja2"), ("templates/**.txt", "jinja2")]
PLACEHOLDER = re.compile(r"%\(\w+\)s")


def catalogue(tag: str) -> Catalog:
    name = {"nl": "nl", "zh-Hant-TW": "zh_Hant_TW"}[tag]
    return read_po((CATALOGUES / name / "LC_MESSAGES" / "messages.po").open("rb"))


def said() -> set[str]:
    """Everything the code and the templates say."""
    return {found[2] for top in ("guestauth", "templates") for found in extract_from_dir(ROOT / top, [
        (pattern.partition("/")[2], method) for pattern, method in METHODS if pattern.startswith(top)
    ])}  # fmt: skip


@pytest.mark.parametrize("tag", FOREIGN)
def test_everything_is_translated(tag: str) -> None:
    """Mend: make messages, then fill in the empty ones and run it again."""
    translated = {message.id for message in catalogue(tag) if message.id and message.string}
    assert said() - translated == set()


@pytest.mark.parametrize("tag", FOREIGN)
def test_nothing_is_translated_that_is_no_longer_said(tag: str) -> None:
    """Mend: make messages."""
    assert {message.id for message in catalogue(tag) if message.id} - said() == set()


@pytest.mark.parametrize("tag", FOREIGN)
def test_no_placeholder_is_lost(tag: str) -> None:
    for message in catalogue(tag):
        wanted, found = (sorted(PLACEHOLDER.findall(str(text))) for text in (message.id, message.string))
        assert wanted == found or not message.id, message.id


@pytest.mark.parametrize("tag", FOREIGN)
def test_compiled_catalogue_is_the_written_one(tag: str) -> None:
    """Mend: make messages."""
    name = {"nl": "nl", "zh-Hant-TW": "zh_Hant_TW"}[tag]
    compiled = read_mo((CATALOGUES / name / "LC_MESSAGES" / "messages.mo").open("rb"))
    wanted = {message.id: message.string for message in catalogue(tag) if message.id}
    assert {message.id: message.string for message in compiled if message.id} == wanted


@pytest.mark.parametrize("tag", FOREIGN)
def test_letters_say_the_same_in_text_and_html(sqlite_world: World, tag: str) -> None:
    for write, facts in ((letters.passcode, PASSCODE), (letters.invitation, INVITATION)):
        content = sqlite_world.do(write, **facts, lang=tag)
        assert f'<html lang="{tag}">' in content.html
        assert content.subject != sqlite_world.do(write, **facts).subject
        assert facts["org"] in content.text and facts["org"] in content.html


def test_unknown_language_is_english(sqlite_world: World) -> None:
    for tag in ("xx", "", None, "en-US", "../nl"):
        assert sqlite_world.do(letters.passcode, **PASSCODE, lang=tag).subject.startswith("Your Fabrikam")
