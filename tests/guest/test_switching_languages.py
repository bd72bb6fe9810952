"""Switching the language keeps page, tenant, address, sign-in, query and what comes after (UX 8)."""

from urllib.parse import parse_qs, urlsplit

import pytest

from guestauth import languages
from tests.guest import at_enter_code
from tests.guest.test_languages import H1, PLAN, SIGN_IN, lang
from tests.probe import ask
from tests.world import ALEX, NICOLE, World

STEPS = [
    *H1.values(),
    *("Get a code to sign in", "Vraag een code aan om u aan te melden", "取得驗證碼以登入"),
    *("Check your email", "Controleer uw e-mail", "請查看您的電子郵件"),
]


def test_every_page_links_to_itself_in_each_language_by_its_own_name(sqlite_world: World) -> None:
    browser = sqlite_world.browser().open(SIGN_IN, to=PLAN, login_hint=ALEX, lang="nl")
    links = browser.page.xpath("//footer//ul[@class='languages']//a")
    named = {link.text: (link.get("lang"), link.get("hreflang"), link.get("aria-current")) for link in links}
    assert named == {
        "English": ("en", "en", None),
        "Nederlands": ("nl", "nl", "true"),
        "繁體中文": ("zh-Hant-TW", "zh-Hant-TW", None),
    }
    for link in links:
        query = parse_qs(urlsplit(link.get("href")).query)
        assert query == {"lang": [link.get("lang")], "to": [PLAN], "login_hint": [ALEX]}
        assert urlsplit(link.get("href")).path == ""


def test_address_that_looks_like_another_site_is_no_link_there(sqlite_world: World) -> None:
    answer = ask(sqlite_world.app, "//evil.example/x")
    assert answer.status == 404 and 'href="//' not in answer.text and 'href="?lang=nl"' in answer.text


@pytest.mark.acceptance(3)
def test_switching_at_every_step_keeps_page_address_sign_in_and_target(world: World) -> None:
    browser, names = world.browser().open(f"{PLAN}?page=2"), list(languages.NAMES.values())
    switched = [browser.click(name).h1 for name in names]
    browser.submit("email-form", email=NICOLE)
    switched += [browser.click(name).h1 for name in names]
    browser.submit("send-code")
    switched += [browser.click(name).h1 for name in names]
    assert switched == STEPS and NICOLE in browser.text
    browser.submit("enter-code", code=world.code(NICOLE))
    assert browser.url.endswith(f"{PLAN}?page=2") and lang(browser) == "zh-Hant-TW"
    assert len(world.letters(NICOLE)) == 1


def test_switching_after_a_mistake_keeps_what_was_typed_and_where_it_leads(sqlite_world: World) -> None:
    browser = sqlite_world.browser().open(PLAN).submit("email-form", email="alexdoe@")
    assert browser.status == 422
    fields = browser.click("Nederlands").form("email-form").fields
    assert (fields["email"], fields["to"]) == ("alexdoe@", PLAN)


def test_switching_after_asking_too_early_leads_to_the_code_page(sqlite_world: World) -> None:
    browser = at_enter_code(sqlite_world, NICOLE).submit("send-code")
    assert browser.status == 429
    assert browser.click("Nederlands").h1 == "Controleer uw e-mail" and browser.has_form("enter-code")


def test_switching_at_review_permissions_keeps_where_it_leads(sqlite_world: World) -> None:
    browser = sqlite_world.browser().open(PLAN).submit("email-form", email=ALEX).submit("send-code")
    browser.submit("enter-code", code=sqlite_world.code(ALEX)).click("繁體中文")
    assert browser.h1 == "檢閱權限"
    assert browser.submit("consent", button=("decision", "accept")).path == PLAN
