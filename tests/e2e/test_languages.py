"""The way in in Dutch and in Chinese, in a real browser with its scripts, over real SMTP (UX 8).

Every test also fails on a console error or a violation of the content security policy (see `person.py`).
"""

import pytest

from tests.e2e.fixtures import Arrive
from tests.e2e.person import Person
from tests.e2e.site import HOME, Site, text

NARROW = {"width": 320, "height": 640}
PLAN = f"{HOME}/apps/project-plan"


@pytest.fixture
def site(sqlite_site: Site) -> Site:
    return sqlite_site


def first_time(person: Person, place: str = "main") -> str:
    """The first time that the page says."""
    return person.page.locator(f"{place} time").first.inner_text()


@pytest.mark.acceptance(3, 13)
def test_guest_in_amsterdam_goes_the_whole_way_in_dutch(site: Site, arrive: Arrive) -> None:
    mail = site.guest(path="/apps")
    guest = arrive(site, locale="nl-NL", timezone_id="Europe/Amsterdam", viewport=NARROW).open(HOME)
    assert guest.sees("Aanmelden bij Fabrikam")
    assert guest.page.evaluate("document.documentElement.lang") == "nl"
    guest.type("E-mailadres", mail).press("Doorgaan")
    assert guest.press("Code verzenden").sees("Controleer uw e-mail")
    assert guest.page.locator(".countdown").inner_text() in ("Nog 30 minuten", "Nog 29 minuten")
    assert " CET op " in first_time(guest) or " CEST op " in first_time(guest)
    code = site.code(mail)
    (letter,) = site.letters(mail)
    assert letter.message["Subject"].startswith("Uw aanmeldcode voor Fabrikam")
    assert "is uw eenmalige code voor Fabrikam." in text(letter)
    guest.type("Code van 8 cijfers", "1234").press("Aanmelden")
    assert guest.page.title().startswith("Fout: ") and guest.sideways == 0
    guest.type("Code van 8 cijfers", code).press("Aanmelden")
    assert guest.sees("Machtigingen controleren")
    assert guest.press("Accepteren").sees("Apps van Fabrikam")
    assert guest.press("Afmelden").sees("U bent afgemeld")


@pytest.mark.long
@pytest.mark.acceptance(3, 13)
def test_guest_in_taipei_switches_on_the_way_and_goes_on_in_chinese(site: Site, arrive: Arrive) -> None:
    mail = site.guest()
    guest = arrive(site, locale="en-US", timezone_id="Asia/Taipei", viewport=NARROW).open(f"{PLAN}?page=2")
    guest.type("Email address", mail).press("Continue").press("繁體中文")
    assert guest.sees("取得驗證碼以登入")
    assert guest.page.get_by_text(mail).first.is_visible()
    assert guest.press("傳送驗證碼").sees("請查看您的電子郵件")
    assert guest.page.locator(".countdown").inner_text() in ("剩餘 30 分鐘", "剩餘 29 分鐘")
    assert "年" in first_time(guest) and "台北標準時間" in first_time(guest)
    code = site.code(mail)
    (letter,) = site.letters(mail)
    assert letter.message["Subject"].startswith("您的 Fabrikam 登入驗證碼")
    assert "是您在 Fabrikam 的單次驗證碼。" in text(letter)
    guest.type("8 位數驗證碼", code).press("登入")
    assert guest.sees("檢閱權限")
    guest.press("接受")
    assert guest.path == f"{PLAN}?page=2" and guest.sideways == 0
    assert guest.page.evaluate("document.documentElement.lang") == "zh-Hant-TW"


@pytest.mark.long
def test_language_chosen_on_the_account_page_is_spoken_elsewhere_without_scripts(
    site: Site, arrive: Arrive
) -> None:
    mail = site.guest()
    guest = arrive(site, java_script_enabled=False).sign_in(mail).open(f"{HOME}/account")
    guest.page.get_by_label("Language of pages and code emails").select_option("nl")
    assert guest.press("Save language").sees("Uw account bij Fabrikam")
    elsewhere = arrive(site).ask_for_code(mail)
    assert elsewhere.enter_code(mail, nth=2).sees("Apps van Fabrikam")


def test_han_is_neither_spaced_out_nor_slanted(site: Site, arrive: Arrive) -> None:
    guest = arrive(site, locale="zh-TW").open(f"{HOME}/sign-in")
    styles = "e => [getComputedStyle(e).letterSpacing, getComputedStyle(e).fontStyle]"
    for text_of in ("h1", "label", "button", "footer a[lang=zh-Hant-TW]"):
        assert guest.page.locator(text_of).first.evaluate(styles) in (["normal", "normal"], ["0px", "normal"])
