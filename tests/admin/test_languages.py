"""The console in every language (UX 8), with what operations refuse and logs tell; files and JSON are English."""

import pytest

from guestauth import import_files, imports, languages
from tests.admin import CONSOLE, at_console
from tests.guest.test_languages import in_english, lang
from tests.test_languages import FOREIGN
from tests.world import ADMIN, BY, FABRIKAM, NICOLE, STRANGER, World

PAGES = ["guests", "guests?q=nobody", "guests?only=deleted", "guests/invite", "guests/import", "resources"]
PAGES += ["resources?q=nothing", "resources/add", "resources/project-plan", "resources/project-plan/edit"]
PAGES += ["resources/project-plan/remove", "sign-ins", "audit", "audit?from=x", "settings", "settings/details"]
PAGES += ["settings/branding"]
PAGES += ["policy", "domain-list", "domains", "domains/fabrikam.example", "domains/fabrikam.example/remove"]
PAGES += ["administrators", "identity-providers", "identity-providers/add"]
ACTIONS = ["reset", "block", "delete", "resend", "clear-limits"]


@pytest.mark.parametrize("tag", FOREIGN)
def test_pages_of_the_console_say_nothing_in_english(sqlite_world: World, tag: str) -> None:
    browser = at_console(sqlite_world).open(CONSOLE, lang=tag)
    for path in PAGES:
        browser.open(f"{CONSOLE}/{path}")
        assert (in_english(browser, tag), lang(browser)) == ([], tag), path


def test_every_page_of_the_console_links_to_itself_in_each_language(sqlite_world: World) -> None:
    browser = at_console(sqlite_world)
    for path in PAGES:
        browser.open(f"{CONSOLE}/{path}")
        assert browser.page.xpath("//ul[@class='languages']//a/@lang") == list(languages.NAMES), path


@pytest.mark.parametrize("tag", FOREIGN)
def test_pages_of_a_guest_say_nothing_in_english(sqlite_world: World, tag: str) -> None:
    browser = at_console(sqlite_world).open(f"{CONSOLE}/guests", q=NICOLE, lang=tag).click(NICOLE)
    guest = browser.path
    for path in (guest, f"{guest}/invited", *(f"{guest}/{action}" for action in ACTIONS)):
        browser.open(path)
        assert (in_english(browser, tag), lang(browser)) == ([], tag), path


@pytest.mark.parametrize(
    ("tag", "asked", "told"),
    [
        (
            "nl",
            "1 gastgebruiker die codes gebruikt, kan zich niet meer aanmelden, niemand is nu aangemeld.",
            "is uit",
        ),
        ("zh-Hant-TW", "1 位使用驗證碼的來賓使用者將無法登入，目前沒有人登入。", "已關閉"),
    ],
)
def test_turning_codes_off_is_asked_and_told_in_the_language(
    sqlite_world: World, tag: str, asked: str, told: str
) -> None:
    browser = at_console(sqlite_world).open(f"{CONSOLE}/settings", lang=tag)
    browser.submit("one-time-passcode", enabled="no")
    assert asked in browser.text and in_english(browser, tag) == []
    assert told in browser.submit("one-time-passcode").text and in_english(browser, tag) == []


def test_mistakes_in_forms_are_told_in_the_language(sqlite_world: World) -> None:
    browser = at_console(sqlite_world).open(f"{CONSOLE}/guests/invite", lang="nl")
    mistake = "Voer een e-mailadres in de juiste notatie in, zoals naam@example.com"
    assert browser.submit("invite", email="nobody").errors == [mistake]
    assert browser.submit("invite", email=NICOLE).errors == [
        f"{NICOLE} is al gastgebruiker. Er is niets gewijzigd."
    ]
    browser.open(f"{CONSOLE}/settings/details").submit("details", retention_days="x")
    assert browser.errors == ["Voer een aantal dagen in van 30 tot 3650"]


def test_log_is_read_in_the_language_and_its_file_stays_english(sqlite_world: World) -> None:
    browser = at_console(sqlite_world).open(f"{CONSOLE}/audit", lang="nl")
    assert browser.h1 == "Auditlogboek" and "Iemand heeft een code aangevraagd" in browser.text
    assert in_english(browser, "nl") == []
    assert "somebody entered a code" in browser.open(f"{CONSOLE}/audit/export").text


REFUSED = [
    ("policy", "policy", {"definition": "{"}, "Dit is geen JSON vanaf regel 1"),
    ("domain-list", "domain-list", {"kind": "deny", "domains": "-"}, "- is geen domeinnaam"),
    ("domains", "add-domain", {"domain": "?"}, "? is geen domeinnaam"),
    ("administrators", "add-administrator", {"email": ADMIN}, f"{ADMIN} is al beheerder"),
    ("resources/add", "add-resource", {"title": "", "text": "x"}, "De naam in het adres heeft kleine letters"),
    ("resources/project-plan", "share", {"guests": STRANGER}, "omdat niemand hier dit adres heeft: stranger@"),
    ("settings/details", "details", {"name": ""}, "De naam van een organisatie heeft 1 tot 200 tekens"),
    ("guests/invite", "invite", {"email": STRANGER, "message": "x" * 2001}, "maximaal 2.000 tekens"),
]


@pytest.mark.parametrize(("path", "form", "typed", "words"), REFUSED, ids=[each[0] for each in REFUSED])
def test_refusals_of_operations_are_told_in_the_language(
    sqlite_world: World, path: str, form: str, typed: dict[str, str], words: str
) -> None:
    browser = at_console(sqlite_world).open(f"{CONSOLE}/{path}", lang="nl").submit(form, **typed)
    assert browser.status == 422 and words in browser.errors[0]
    assert in_english(browser, "nl") == []


def test_file_of_invitations_tells_of_each_line_in_the_language(sqlite_world: World) -> None:
    table = f"[inviteeEmail],[inviteRedirectURL]\n{NICOLE},\nnobody,\n{STRANGER},https://elsewhere.example\n"
    plan = sqlite_world.do(import_files.planned, FABRIKAM, table.encode())
    made = sqlite_world.do(imports.keep, FABRIKAM, "lijst.csv", plan, by=BY)
    browser = at_console(sqlite_world).open(f"{CONSOLE}/guests/import/{made.id}", lang="zh-Hant-TW")
    assert f"{NICOLE} 已是來賓使用者；未進行任何變更" in browser.text and "地址的格式不是" in browser.text
    assert in_english(browser, "zh-Hant-TW") == []
    assert "nothing was changed" in browser.open(f"{CONSOLE}/guests/import/{made.id}/results").text
