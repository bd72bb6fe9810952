"""Samples of every letter: in every language, whatever a tenant is called, both parts say the same (UX 9, 10)."""

import email
import email.policy
import re
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import parseaddr
from pathlib import Path
from typing import Any

import lxml.html
import pytest

from guestauth import languages, outbox, samples
from guestauth.letters import Content
from tests.pages import words
from tests.world import World

NAMES = [f"{letter}-{kind}" for letter in samples.LETTERS for kind in samples.ORGANISATIONS]
SPACE = re.compile(r"\s+")


def written(world: World, lang: str) -> dict[str, Content]:
    """Every letter in a language, by its name."""
    return world.do(lambda: dict(samples.letters_in(lang)))


def shown(content: Content) -> str:
    """What a person reads of the HTML, its quotation without marks as in the text."""
    return SPACE.sub(" ", words(lxml.html.document_fromstring(content.html).body))


def facts(name: str) -> list[str]:
    """What a letter must say, in either part."""
    letter, _, kind = name.rpartition("-")
    given: dict[str, Any] = samples.LETTERS[letter][1]
    told = [fact for key, fact in given.items() if isinstance(fact, str) and (key, letter) not in UNSAID]
    return [samples.ORGANISATIONS[kind], *(line for fact in told for line in fact.splitlines() if line)]


UNSAID = {("to", "passcode"), ("to", "warning")}  # who gets it


@pytest.mark.parametrize("lang", languages.NAMES)
def test_text_and_html_say_the_same(sqlite_world: World, lang: str) -> None:
    for name, content in written(sqlite_world, lang).items():
        text = SPACE.sub(" ", content.text.replace("\n> ", "\n"))
        for fact in facts(name):
            assert fact in text and fact in shown(content), (name, fact)
        numbers = [sorted(set(re.findall(r"\d+", each))) for each in (text, shown(content))]
        assert numbers[0] == numbers[1], name


@pytest.mark.parametrize("lang", languages.NAMES)
def test_sentences_of_the_text_are_in_the_html(sqlite_world: World, lang: str) -> None:
    for name, content in written(sqlite_world, lang).items():
        lines = [line.removeprefix("> ").rstrip(":") for line in content.text.splitlines() if line.strip("> ")]
        seen = shown(content) + content.html  # a link's address is in the HTML only
        assert [
            line for line in lines if line not in seen and "code" not in line and "驗證碼" not in line
        ] == [], name


def test_letters_with_codes_have_no_link_and_no_picture_and_others_one_link(sqlite_world: World) -> None:
    for name, content in ((n, c) for lang in languages.NAMES for n, c in written(sqlite_world, lang).items()):
        page = lxml.html.document_fromstring(content.html)
        assert (
            not page.xpath("//img | //script | //link | //iframe | //form | //@src") and "url(" not in content.html
        )
        assert len(page.xpath("//@href")) == name.startswith("invitation"), name
        assert content.text.count("/invitations/") == name.startswith("invitation"), name


def test_every_letter_is_small_and_says_its_language(sqlite_world: World) -> None:
    for lang in languages.NAMES:
        for name, content in written(sqlite_world, lang).items():
            assert len(content.html.encode()) < 20_000, name
            assert lxml.html.document_fromstring(content.html).get("lang") == lang


def test_every_kind_of_letter_that_leaves_has_a_sample() -> None:
    assert {name.partition("-")[0] for name in samples.LETTERS} == set(outbox._preparers)


# The files.


@pytest.fixture
def folder(sqlite_world: World, tmp_path: Path) -> Path:
    done = sqlite_world.run("mail", "preview", "--out", str(tmp_path / "letters"))
    assert (done.exit_code, done.stdout) == (0, f"{len(NAMES) * 9} files are in {tmp_path / 'letters'}\n")
    return tmp_path / "letters"


def message(path: Path) -> EmailMessage:
    return email.message_from_bytes(path.read_bytes(), _class=EmailMessage, policy=email.policy.default)


def test_files_are_the_letters_in_every_language(sqlite_world: World, folder: Path) -> None:
    for lang in languages.NAMES:
        assert sorted(path.name for path in (folder / lang).iterdir()) == sorted(
            f"{name}.{ending}" for name in NAMES for ending in ("html", "txt", "eml")
        )
        for name, content in written(sqlite_world, lang).items():
            assert (folder / lang / f"{name}.html").read_text("utf-8") == content.html
            assert (folder / lang / f"{name}.txt").read_text("utf-8") == content.text


def test_whole_letters_come_from_our_address_in_the_tenants_name(folder: Path) -> None:
    for lang in languages.NAMES:
        for name in NAMES:
            letter = email.message_from_bytes((folder / lang / f"{name}.eml").read_bytes())
            encoded, address = parseaddr(letter["From"])
            wanted = samples.ORGANISATIONS[name.rpartition("-")[2]]
            assert (str(make_header(decode_header(encoded))), address) == (wanted, "no-reply@guestauth.example")


def test_whole_letters_have_the_headers_and_both_parts(folder: Path) -> None:
    found = {path: message(path) for path in folder.rglob("*.eml")}
    for path, letter in found.items():
        assert (letter["Auto-Submitted"], letter["X-Auto-Response-Suppress"]) == ("auto-generated", "All"), path
        parts = [part.get_content_type() for part in letter.walk() if not part.is_multipart()]
        assert parts == ["text/plain", "text/html"] and str(letter["Subject"]).isprintable()
        assert max(map(len, path.read_bytes().split(b"\r\n"))) <= 998
    assert len({letter["Message-ID"] for letter in found.values()}) == len(found)


def test_code_stands_alone_on_its_line_and_not_in_the_subject(folder: Path) -> None:
    for path in folder.rglob("passcode-*.eml"):
        letter = message(path)
        text = letter.get_body(("plain",))
        assert text and re.findall(r"^[0-9]{8}$", text.get_content().replace("\r", ""), re.MULTILINE) == [
            "00136710"
        ]
        assert "00136710" not in letter["Subject"] and "7K4Q" in letter["Subject"]


def test_same_samples_come_out_each_time(sqlite_world: World, folder: Path, tmp_path: Path) -> None:
    assert sqlite_world.run("mail", "preview", "--out", str(tmp_path / "again"), "--lang", "nl").exit_code == 0
    assert [path.name for path in (tmp_path / "again").iterdir()] == ["nl"]
    boundary = re.compile(rb"=+\d+==")
    for path in (tmp_path / "again" / "nl").iterdir():
        before, after = (each.read_bytes() for each in (folder / "nl" / path.name, path))
        assert boundary.sub(b"", before) == boundary.sub(b"", after), path.name


def test_samples_lie_in_the_instance_folder_unless_told_otherwise(sqlite_world: World) -> None:
    before = sqlite_world.rows("SELECT count(*) FROM letters")
    done = sqlite_world.run("mail", "preview", "--lang", "en")
    assert done.stdout == f"{len(NAMES) * 3} files are in {sqlite_world.instance / 'letters'}\n"
    assert sqlite_world.rows("SELECT count(*) FROM letters") == before and sqlite_world.letters("alexdoe") != []


def test_folder_that_cannot_be_written_and_language_that_is_none_are_said(
    sqlite_world: World, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    done = sqlite_world.run("mail", "preview", "--out", str(tmp_path / "file" / "letters"))
    assert (done.exit_code, done.stdout) == (1, "") and "Not a directory" in done.stderr
    assert sqlite_world.run("mail", "preview", "--lang", "xx").exit_code == 2
