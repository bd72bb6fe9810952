"""Which language somebody gets, and that switching loses nothing (UX 8)."""

import copy
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from guestauth import guests, languages, tenants
from tests.browser import Browser
from tests.guest import at_enter_code, at_send_code, wrong
from tests.pages import words
from tests.probe import ask
from tests.test_languages import FOREIGN, PLACEHOLDER, forms, messages
from tests.world import ALEX, BY, FABRIKAM, NICOLE, STRANDED, STRANGER, World, make

HOME = "/fabrikam.example"
SIGN_IN = f"{HOME}/sign-in"
PLAN = f"{HOME}/apps/project-plan"
COOKIE = "guestauth-lang"
H1 = {"en": "Sign in to Fabrikam", "nl": "Aanmelden bij Fabrikam", "zh-Hant-TW": "登入 Fabrikam"}
SAME = {"Account", "Console", "Demo", "Welcome"}  # words that two languages share, or a title


def lang(browser: Browser) -> str:
    """The language a page says it is in; its headers say the same."""
    assert browser.headers["Content-Language"] == browser.page.get("lang")
    assert browser.headers["Vary"] == "Accept-Language, Cookie"
    return str(browser.page.get("lang"))


def in_english(browser: Browser, tag: str) -> list[str]:
    """What a page says in English although it is in another language, but for what is marked as English."""
    page = copy.deepcopy(browser.page)
    for marked in page.xpath("//body//*[@lang='en']"):
        marked.drop_tree()
    said = [text for each in messages(tag) if each.id != each.string for text in forms(each.id)]
    pieces = [piece.strip(" .,:()") for each in said for piece in PLACEHOLDER.split(each)]
    own = own_words(tag)
    text = words(page.body)
    found = [
        each
        for each in pieces
        if len(each) > 3 and each in text and re.search(rf"(?<!\w){re.escape(each)}(?!\w)", text)
    ]
    return [each for each in found if each not in SAME and each not in own]


def own_words(tag: str) -> str:
    return " ".join(text for each in messages(tag) for text in forms(each.string))


@pytest.fixture
def https_world(sqlite_template: Path, tmp_path: Path) -> Iterator[World]:
    """A world on https."""
    shutil.copytree(sqlite_template, tmp_path / "instance")
    yield from make(tmp_path / "instance", PUBLIC_URL="https://guests.fabrikam.example")


# Which language


@pytest.mark.parametrize(
    ("query", "cookie", "kept", "header", "tenant", "expected"),
    [
        ("nl", "zh-Hant-TW", "zh-Hant-TW", "zh-TW", "zh-Hant-TW", "nl"),
        ("", "nl", "zh-Hant-TW", "zh-TW", "zh-Hant-TW", "nl"),
        ("", "", "nl", "zh-TW", "zh-Hant-TW", "nl"),
        ("", "", "", "nl", "zh-Hant-TW", "nl"),
        ("", "", "", "", "nl", "nl"),
        ("", "", "", "", "en", "en"),
        ("xx", "yy", "", "nl", "en", "nl"),
        ("en", "nl", "nl", "nl", "nl", "en"),
    ],
)
@pytest.mark.acceptance(4)
def test_address_wins_over_cookie_over_choice_over_browser_over_tenant(
    sqlite_world: World, query: str, cookie: str, kept: str, header: str, tenant: str, expected: str
) -> None:
    sqlite_world.do(tenants.change, FABRIKAM, language=tenant, by=BY)
    if kept:
        sqlite_world.do(languages.prefer, FABRIKAM, sqlite_world.do(guests.find, FABRIKAM, NICOLE).id, kept)
    signed_in = sqlite_world.signed_in(NICOLE)
    cookies = "; ".join(f"{name}={value}" for name, value in signed_in.cookies.items() if name != COOKIE)
    headers = {"Accept-Language": header, "Cookie": f"{cookies}; {COOKIE}={cookie}"}
    answer = ask(sqlite_world.app, HOME, query=f"lang={query}" if query else "", headers=headers)
    assert (answer.status, answer.header("Content-Language")) == (200, expected)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("zh-TW,zh;q=0.9,en;q=0.8", "zh-Hant-TW"),
        ("zh-HK", "zh-Hant-TW"),
        ("zh-MO", "zh-Hant-TW"),
        ("zh-Hant", "zh-Hant-TW"),
        ("zh-Hant-SG", "zh-Hant-TW"),
        ("zh-CN,zh;q=0.9", "en"),
        ("zh-Hans-HK", "en"),
        ("zh", "en"),
        ("zh-CN,nl;q=0.5", "nl"),
        ("nl-BE", "nl"),
        ("en-US,nl;q=0.9", "en"),
        ("fr,nl;q=0.4,en;q=0.3", "nl"),
        ("nl;q=0,en", "en"),
        ("fr", "nl"),
        ("*", "nl"),
        ("\x7f;;q=x,,--", "nl"),
        ("", "nl"),
    ],
)
@pytest.mark.acceptance(4)
def test_browser_that_reads_this_gets_that(sqlite_world: World, header: str, expected: str) -> None:
    sqlite_world.do(tenants.change, FABRIKAM, language="nl", by=BY)
    answer = ask(sqlite_world.app, SIGN_IN, headers={"Accept-Language": header})
    assert (answer.header("Content-Language"), answer.h1) == (expected, H1[expected])


@pytest.mark.parametrize("tag", H1)
def test_address_with_a_language_sets_the_cookie_and_later_pages_follow(sqlite_world: World, tag: str) -> None:
    browser = sqlite_world.browser().open(SIGN_IN, lang=tag)
    assert (browser.h1, lang(browser), browser.cookies[COOKIE]) == (H1[tag], tag, tag)
    assert lang(browser.open(SIGN_IN)) == tag and "Set-Cookie" not in browser.headers


def test_language_cookie_over_https_has_the_prefix_and_is_secure(https_world: World) -> None:
    browser = https_world.browser(url="https://guests.fabrikam.example").open(SIGN_IN, lang="nl")
    (cookie,) = (each for each in browser.headers.get_list("Set-Cookie") if "-lang=" in each)
    assert cookie.startswith("__Host-guestauth-lang=nl; ")
    assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=31536000"} <= set(cookie.split("; "))


@pytest.mark.parametrize("tag", ["xx", "", "fr", "zh", "zh-CN", "../nl", "nl\x00", "n" * 3000, "<b>"])
def test_unknown_language_in_the_address_is_ignored(sqlite_world: World, tag: str) -> None:
    answer = ask(sqlite_world.app, SIGN_IN, query=f"lang={tag}" if tag.isprintable() else "lang=%01")
    assert answer.header("Content-Language") == "en"
    assert COOKIE not in str(answer.headers)


def test_redirects_keep_the_language_asked_for(sqlite_world: World) -> None:
    browser = sqlite_world.browser().open("/", tenantid="fabrikam.example", lang="nl")
    assert (browser.h1, lang(browser)) == (H1["nl"], "nl")
    assert sqlite_world.browser().open("/APPS", tenantid="fabrikam.example", lang="nl").h1 == H1["nl"]


def test_language_asked_for_first_does_not_come_back_after_switching(sqlite_world: World) -> None:
    browser = sqlite_world.browser().open(PLAN, lang="nl", page="2").click("繁體中文")
    browser.submit("email-form", email=NICOLE).submit("send-code")
    browser.submit("enter-code", code=sqlite_world.code(NICOLE))
    assert browser.url.endswith(f"{PLAN}?page=2") and lang(browser) == "zh-Hant-TW"


# The choice kept with a user


def test_choice_on_the_account_page_is_kept_and_spoken_in_every_browser(world: World) -> None:
    browser = world.signed_in(NICOLE, f"{HOME}/account").submit("language-form", language="nl")
    assert (browser.path, browser.h1) == (f"{HOME}/account", "Uw account bij Fabrikam")
    elsewhere = world.signed_in(NICOLE)
    assert COOKIE not in elsewhere.cookies and elsewhere.h1 == "Apps van Fabrikam"


def test_choice_shows_nothing_before_sign_in(sqlite_world: World) -> None:
    sqlite_world.signed_in(NICOLE, f"{HOME}/account").submit("language-form", language="nl")
    for mail in (NICOLE, STRANGER):
        assert lang(at_enter_code(sqlite_world, mail)) == "en"


def test_choice_is_one_of_ours(sqlite_world: World) -> None:
    browser = sqlite_world.signed_in(NICOLE, f"{HOME}/account")
    token = browser.form("language-form").fields["csrf_token"]
    browser.post(f"{HOME}/account/language", {"csrf_token": token, "language": "xx"})
    assert (browser.status, browser.errors) == (422, ["Choose one of the languages"])
    assert browser.open(f"{HOME}/account/language").h1 == "Your account at Fabrikam"


def test_switching_by_the_footer_changes_nothing_that_is_kept(sqlite_world: World) -> None:
    sqlite_world.signed_in(NICOLE).click("Nederlands")
    assert sqlite_world.rows("SELECT language FROM users WHERE mail = :mail", mail=NICOLE) == [(None,)]


# What is said


@pytest.mark.parametrize(
    ("tag", "subject"), [("nl", "Uw aanmeldcode voor"), ("zh-Hant-TW", "您的 Fabrikam 登入驗證碼")]
)
def test_code_mail_follows_the_page(world: World, tag: str, subject: str) -> None:
    browser = world.browser(language="en").open(SIGN_IN, lang=tag)
    browser.submit("email-form", email=NICOLE).submit("send-code")
    (letter,) = world.letters(NICOLE)
    assert letter.message["Subject"].startswith(subject) and f'<html lang="{tag}">' in letter.part("html")


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("", "Voer de code uit de e-mail in"),
        ("12ab", "De code mag alleen cijfers bevatten"),
        ("1234567", "De code heeft 8 cijfers. U hebt er 7 ingevoerd."),
    ],
)
def test_validators_speak_the_language(sqlite_world: World, typed: str, words: str) -> None:
    browser = at_enter_code(sqlite_world, NICOLE).click("Nederlands").submit("enter-code", code=typed)
    assert browser.errors == [words] and browser.title.startswith("Fout: Controleer uw e-mail")


def test_tries_left_are_counted_in_words_of_the_language(sqlite_world: World) -> None:
    for name, plural, single in (
        ("English", "You can try 4 more times.", "You can try 1 more time."),
        ("Nederlands", "U kunt het nog 4 keer proberen.", "U kunt het nog 1 keer proberen."),
        ("繁體中文", "您還可以再試 4 次。", "您還可以再試 1 次。"),
    ):
        browser = at_enter_code(sqlite_world, NICOLE).click(name)
        code = wrong(sqlite_world.code(NICOLE))
        said = [browser.submit("enter-code", code=code).errors[0] for _ in range(4)]
        assert said[0].endswith(plural) and said[3].endswith(single)
        sqlite_world.advance(61)


def test_times_are_written_as_the_language_does(sqlite_world: World) -> None:
    for name, pattern in (
        ("English", r"\d\d:\d\d UTC on \d+ [A-Z]\w+ \d{4}"),
        ("Nederlands", r"\d\d:\d\d UTC op \d+ [a-z]+ \d{4}"),
        ("繁體中文", r"\d{4}年\d+月\d+日 \d\d:\d\d UTC"),
    ):
        times = at_enter_code(sqlite_world, STRANGER).click(name).page.xpath("//main//time")
        assert times and all(re.fullmatch(pattern, time.text) for time in times)
        assert all(time.get("datetime").endswith("Z") for time in times)


@pytest.mark.parametrize("tag", FOREIGN)
@pytest.mark.parametrize(
    "path", ["/nowhere.example", "/apps", f"{HOME}/nothing", f"{HOME}/invitations/x", "/x%01"]
)
def test_error_pages_say_nothing_in_english(sqlite_world: World, tag: str, path: str) -> None:
    browser = sqlite_world.browser(language=tag).open(path)
    assert browser.status >= 400 and lang(browser) == tag
    assert in_english(browser, tag) == []


@pytest.mark.parametrize("tag", FOREIGN)
def test_way_in_says_nothing_in_english(sqlite_world: World, tag: str) -> None:
    browser, seen = sqlite_world.browser(language=tag).open(f"{HOME}/apps/expense-portal"), []
    for step in (
        lambda: browser.submit("email-form", email=""),
        lambda: browser.submit("email-form", email="alex@gmial.com"),
        lambda: browser.open(SIGN_IN).submit("email-form", email=ALEX).submit("send-code"),
        lambda: browser.submit("send-code"),
        lambda: browser.submit("enter-code", code=sqlite_world.code(ALEX)),
        lambda: browser.submit("consent", button=("decision", "accept")),
        lambda: browser.open(HOME).submit("sign-out"),
    ):
        step()
        seen.append((in_english(browser, tag), lang(browser)))
    assert seen == [([], tag)] * 7


@pytest.mark.parametrize("tag", FOREIGN)
def test_pages_of_who_is_signed_in_say_nothing_in_english(sqlite_world: World, tag: str) -> None:
    browser = sqlite_world.signed_in(NICOLE).open(HOME, lang=tag)
    for path in (
        "",
        "/apps/project-plan",
        "/apps/expense-portal",
        "/account",
        "/sign-in",
        "/account/left",
        "/admin",
    ):
        browser.open(f"{HOME}{path}")
        assert (in_english(browser, tag), lang(browser)) == ([], tag), path


@pytest.mark.parametrize("tag", FOREIGN)
def test_page_of_codes_turned_off_says_nothing_in_english(sqlite_world: World, tag: str) -> None:
    browser = sqlite_world.browser(language=tag).open("/contoso.example").submit("email-form", email=STRANDED)
    assert in_english(browser, tag) == [] and lang(browser) == tag


def test_an_english_word_on_a_dutch_page_would_be_found(sqlite_world: World) -> None:
    browser = at_send_code(sqlite_world, ALEX)
    assert "Use a different email address" in in_english(browser, "nl")


def test_demo_pages_are_in_english_for_everybody(sqlite_world: World) -> None:
    browser = sqlite_world.browser(language="nl").open("/dev")
    assert browser.page.get("lang") == "en" and "Naar hoofdinhoud" not in browser.text
