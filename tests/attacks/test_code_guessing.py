"""Code guessing (catalogue, chapter 1)."""

import pytest

from tests.e2e.site import Site


@pytest.mark.case("G-01")
def test_after_five_wrong_codes_the_right_one_is_refused_too(secure_site: Site) -> None:
    mail = secure_site.guest()
    browser = secure_site.awaiting_code(mail)
    code = secure_site.code(mail)
    for _ in range(5):
        browser.submit("enter-code", code=f"{(int(code) + 1) % 10**8:08d}")
    assert browser.h1 == "You need a new code"
