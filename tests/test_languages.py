"""What is said in each language: whole, with nothing lost, and nothing said past the catalogues (UX 8)."""

import ast
import copy
import re
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from jinja2 import Environment, nodes

from guestauth import audit, languages, letters, passcodes
from guestauth.languages import N_, said
from tests.test_letters import INVITATION, PASSCODE
from tests.world import World

ROOT = Path(__file__).resolve().parent.parent
CATALOGUES = ROOT / "guestauth" / "translations"
FOREIGN = [tag for tag in languages.LOCALES if tag != "en"]
KEYWORDS = {**DEFAULT_KEYWORDS, "NN_": (1, 2)}  # as in the Makefile
METHODS = [("guestauth/**.py", "python"), ("templates/**.html", "jinja2"), ("templates/**.txt", "jinja2")]
PLACEHOLDER = re.compile(r"%\(\w+\)s")
SPOKEN = ("guest", "common", "errors", "admin", "base.html", "macros.html")
TEMPLATES = sorted(
    path
    for name in SPOKEN
    for path in ([ROOT / "templates" / name] if "." in name else (ROOT / "templates" / name).iterdir())
)
MODULES = [path for name in ("guest", "admin") for path in (ROOT / "guestauth/web" / name).glob("*.py")]
MODULES += [ROOT / "guestauth/web" / name for name in ("errors.py", "fields.py", "gate.py", "guard.py")]
READ_OUT = ("title", "aria-label", "alt", "placeholder", "data-copied", "data-left", "data-over", "data-moment")
NAMES = {"GuestAuth", "UTC", "guest wide", "admin wide", "Accepted", "PendingAcceptance"}  # no words for people
JINJA = Environment(extensions=["jinja2.ext.i18n"], autoescape=True)


def folder(tag: str) -> Path:
    return CATALOGUES / languages.LOCALES[tag].removesuffix("_NL") / "LC_MESSAGES"


@cache
def catalogue(tag: str) -> Catalog:
    return read_po((folder(tag) / "messages.po").open("rb"))


def messages(tag: str) -> list[Message]:
    return [message for message in catalogue(tag) if message.id]


def forms(text: object) -> tuple[str, ...]:
    """A message's words, or all its plural forms."""
    return tuple(map(str, text)) if isinstance(text, list | tuple) else (str(text or ""),)


def messages_said() -> set[object]:
    """Everything the code and the templates say."""
    return {found[2] for top in ("guestauth", "templates") for found in extract_from_dir(ROOT / top, [
        (pattern.partition("/")[2], method) for pattern, method in METHODS if pattern.startswith(top)
    ], keywords=KEYWORDS)}  # fmt: skip


@pytest.mark.parametrize("tag", FOREIGN)
def test_everything_is_translated(tag: str) -> None:
    """Mend: make messages, then fill in the empty ones and run it again."""
    assert (
        messages_said() - {each.id for each in messages(tag) if all(forms(each.string)) and not each.fuzzy}
        == set()
    )


@pytest.mark.parametrize("tag", FOREIGN)
def test_every_plural_form_is_there(tag: str) -> None:
    """Mend: fill in each msgstr[n] that the language has."""
    wanted = catalogue(tag).num_plurals
    assert not [each.id for each in messages(tag) if each.pluralizable and len(forms(each.string)) != wanted]


@pytest.mark.parametrize("tag", FOREIGN)
def test_nothing_is_translated_that_is_no_longer_said(tag: str) -> None:
    """Mend: make messages."""
    assert {message.id for message in messages(tag)} - messages_said() == set()


@pytest.mark.parametrize("tag", FOREIGN)
def test_no_placeholder_is_lost_or_added(tag: str) -> None:
    for message in messages(tag):
        wanted = {tuple(sorted(set(PLACEHOLDER.findall(text)))) for text in forms(message.id)}
        found = {tuple(sorted(set(PLACEHOLDER.findall(text)))) for text in forms(message.string)}
        assert wanted == found and len(found) == 1, message.id
        assert "%" not in PLACEHOLDER.sub("", "".join(forms(message.string))), message.id


@pytest.mark.parametrize("tag", FOREIGN)
def test_nothing_that_is_said_has_markup_in_it(tag: str) -> None:
    """Mend: hand the marked-up part over as a placeholder, as the letters do."""
    for message in messages(tag):
        assert not re.search(r"<|&\w+;", "".join(forms(message.id) + forms(message.string))), message.id


@pytest.mark.parametrize("tag", FOREIGN)
def test_compiled_catalogue_is_the_written_one(tag: str) -> None:
    """Mend: make messages."""
    compiled = read_mo((folder(tag) / "messages.mo").open("rb"))
    wanted = {forms(message.id): forms(message.string) for message in messages(tag)}
    assert {forms(message.id): forms(message.string) for message in compiled if message.id} == wanted


HAN = r"[\u3400-\u9fff\uff00-\uffef\u3000-\u303f]"
UNUSUAL = {  # what a native reader would stumble over
    "nl": r"\b([Jj]e|[Jj]ij|[Jj]ouw?|[Ii]nloggen|[Ll]og in|[Uu]itloggen|[Ss]orry)\b|\.\.\.",
    "zh-Hant-TW": r"你|登錄|登陸|鏈接|文件|設置|郵箱|賬|默認|(?<!租)用戶(?!端)|"
    rf"{HAN}[,;:!?]|{HAN} ?[(]|[,;:!?)]{HAN}|\.\.\.",
}


@pytest.mark.parametrize("tag", FOREIGN)
def test_words_are_those_of_the_country(tag: str) -> None:
    """Mend: u and 您, the glossary's words, and in Chinese the full-width marks of Taiwan."""
    assert [text for each in messages(tag) for text in forms(each.string) if re.search(UNUSUAL[tag], text)] == []


# Nothing is said past the catalogues


class Words(HTMLParser):
    """Collects what a template says by itself: text, and attributes that are read out; not what is in English."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.foreign: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self.foreign or (dict(attrs).get("lang") == "en" and tag != "html"):
            self.foreign.append(tag)
            return
        self.found += [f"{name}={value}" for name, value in attrs if name in READ_OUT and has_letters(value)]

    def handle_endtag(self, tag: str) -> None:
        if self.foreign and tag == self.foreign[-1]:
            self.foreign.pop()

    def handle_data(self, data: str) -> None:
        if not self.foreign and has_letters(data):
            self.found.append(data.strip())


def has_letters(text: str | None) -> bool:
    return any(char.isalpha() for char in text or "")


def written(source: str) -> list[str]:
    """What stands in a template outside all of Jinja's marks."""
    words = Words()
    words.feed("".join(text if kind == "data" else "" for _, kind, text in JINJA.lex(source)))
    return words.found


def constants(node: nodes.Node) -> Iterator[str]:
    """The texts in a template's expressions that are not handed to the catalogue."""
    if isinstance(node, nodes.Call) and getattr(node.node, "name", "") in ("_", "gettext", "ngettext"):
        return
    if isinstance(node, nodes.Const) and isinstance(node.value, str):
        yield node.value.strip()
    for child in node.iter_child_nodes(exclude=("template",)):
        yield from constants(child)


def is_speech(text: str) -> bool:
    """Whether it looks like words for people, not like the name of something."""
    return text not in NAMES and "%" not in text and bool(re.match(r"[A-Z][a-z]|.*[a-z] [a-z]", text))


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_template_says_nothing_by_itself(path: Path) -> None:
    """Mend: {{ _("…") }}, with what differs as %(placeholder)s."""
    source = path.read_text("utf-8")
    assert set(written(source)) - NAMES == set()
    assert [text for text in constants(JINJA.parse(source)) if is_speech(text)] == []


@pytest.mark.parametrize(
    "source",
    [
        "<p>Hello</p>",
        "<p>{{ _('Hello') }} there</p>",
        '<p title="Hello">{{ x }}</p>',
        "<p>{{ 'Hello' }}</p>",
        "{{ text_input('a', 'b', hint='say hello') }}",
        "{% with label = 'Send code' %}{{ label }}{% endwith %}",
    ],
)
def test_template_that_says_something_by_itself_is_found(source: str) -> None:
    assert written(source) or [text for text in constants(JINJA.parse(source)) if is_speech(text)]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_module_says_nothing_past_the_catalogue(path: Path) -> None:
    """Mend: gettext("…"), or N_("…") for a constant that is translated where it is shown."""
    shown = {"Problem", "ValidationError", "abort", "error_page", "Address", "done", "AnyOf", "Regexp"}
    shown |= {"EmailField", "StringField", "TextAreaField", "BooleanField", "FileField"}
    for call in (node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call)):
        if ast.unparse(call.func) in shown:
            given = [*call.args, *(keyword.value for keyword in call.keywords)]
            plain = [ast.unparse(each) for each in given if isinstance(each, ast.Constant | ast.JoinedStr)]
            plain = [text for text in plain if text not in ("True", "False", "None")]
            if ast.unparse(call.func) != "abort" or plain[0] == "400":  # the words of others are not shown
                assert not [text for text in plain if is_speech(text.strip("f'\""))], plain


# What operations say

NOUNS = sorted((ROOT / "guestauth").glob("*.py"))
UNSEEN = {"NotTheDemo", "CopyRefused", "RequestRefused"}  # but on the command line or in the demo, both English
REASONS = {"Dropped", "refused", "signin.refused"}  # why something is not done, as the log has it


@cache
def refusals() -> set[str]:
    """The names of all refusals, also of those that are refusals by way of another."""
    bases = {
        each.name: {ast.unparse(base).rpartition(".")[2] for base in each.bases}
        for path in NOUNS
        for each in ast.parse(path.read_text("utf-8")).body
        if isinstance(each, ast.ClassDef)
    }
    return {name for name, above in bases.items() if above & {"Refusal", *bases} and name not in UNSEEN}


def texts(module: ast.Module) -> Iterator[ast.expr]:
    """What the refusals and reasons of a module say: their first argument, or the reason."""
    names = refusals() | REASONS
    for call in (node for node in ast.walk(module) if isinstance(node, ast.Call)):
        name = ast.unparse(call.func)
        if name in REASONS - {"Dropped"}:
            yield call.args[2]
        elif {name, name.rpartition(".")[2]} & names or name == "super().__init__":
            yield from call.args[:1]


def is_said(text: ast.expr, module: ast.Module) -> bool:
    """Whether it is a `Text`, or a name for nothing else; what a class is made of besides is no text."""
    if isinstance(text, ast.Name):
        return all(is_said(value, module) for value in named(text.id, module))
    if isinstance(text, ast.IfExp):
        return is_said(text.body, module) and is_said(text.orelse, module)
    return "N_(" in ast.unparse(text) or not isinstance(text, ast.Constant | ast.JoinedStr)


def named(name: str, module: ast.Module) -> Iterator[ast.expr]:
    """Everything that is ever given this name, alone or among several."""
    for node in (each for each in ast.walk(module) if isinstance(each, ast.Assign)):
        target, value = node.targets[-1], node.value
        several = isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple)
        pairs = zip(target.elts, value.elts, strict=True) if several else [(target, value)]
        yield from (given for named, given in pairs if ast.unparse(named) == name != ast.unparse(given))


@pytest.mark.parametrize("path", NOUNS, ids=lambda path: path.name)
def test_what_an_operation_refuses_can_be_said_in_every_language(path: Path) -> None:
    """Mend: N_("… %(name)s …", name=…), or NN_ if a number decides between its forms."""
    module = ast.parse(path.read_text("utf-8"))
    assert [ast.unparse(text) for text in texts(module) if not is_said(text, module)] == []


@pytest.mark.parametrize(
    "source",
    [
        'raise GuestUnknown("There is none")',
        'raise GuestUnknown(f"There is no {one}")',
        'text = f"There is no {one}"\nraise guests.GuestUnknown(text)',
        'raise GuestUnknown(N_("None") if one else "There is none")',
        'raise refused("sign-in", PasscodeUsed(), "used", sign_in, by)',
        'raise outbox.Dropped("not a guest")',
        'refusal, reason = PasscodeUsed(), "used"\nraise signin.refused("sign-in", refusal, reason, sign_in, by)',
    ],
)
def test_refusal_in_english_only_is_found(source: str) -> None:
    module = ast.parse(source)
    assert [text for text in texts(module) if not is_said(text, module)]


def test_every_event_has_words_in_every_language() -> None:
    assert {name for name, words in audit.EVENTS.items() if not isinstance(words, languages.Text)} == set()


def test_text_is_english_for_programs_and_said_as_the_language_has_it(sqlite_world: World) -> None:
    many = N_("%(some)s and %(count)s more", some="a@b.example", count=12345)
    text = N_("Nothing is shared yet, since nobody here has this address: %(typed)s", typed=many)
    assert text.endswith("this address: a@b.example and 12,345 more")
    with sqlite_world.app.app_context(), languages.speaking("nl"):
        assert (
            said(text) == "Er is nog niets gedeeld, omdat niemand hier dit adres heeft: a@b.example en nog 12.345"
        )
    assert copy.deepcopy(text).values == text.values


@pytest.mark.parametrize(("num", "words"), [(1, "1 minuut geldig"), (30, "30 minuten geldig")])
def test_number_in_a_refusal_decides_between_its_forms(sqlite_world: World, num: int, words: str) -> None:
    sqlite_world.app.config["PASSCODE_LIFETIME"] = num * 60
    with sqlite_world.app.app_context(), languages.speaking("nl"):
        assert words in said(passcodes.PasscodeExpired().text)
    sqlite_world.app.config["PASSCODE_LIFETIME"] = 1800


# Letters


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
