"""Web processes are asked to end amid requests, or lose their power, and are started again (F-11, L-11)."""

import threading
from contextlib import suppress
from functools import partial

import httpx
import pytest

from tests.browser import Browser
from tests.e2e.parallel import together
from tests.e2e.site import HOME, Site, wait_until
from tests.faults.invariants import check


@pytest.mark.long
@pytest.mark.case("L-11")
def test_code_asked_for_before_a_power_cut_works_after_it(unserved: Site) -> None:
    mail = unserved.guest()
    with unserved.serving() as served:
        page = unserved.awaiting_code(mail)
        code = unserved.code(mail)
        served.kill()
    with unserved.serving():
        assert page.submit("enter-code", code=code).h1 == "Review permissions"


@pytest.mark.long
@pytest.mark.case("F-11")
def test_ending_gunicorn_amid_requests_loses_nothing(unserved: Site) -> None:
    answered = threading.Event()
    unserved.sink.delay(0.2)
    with unserved.serving(workers=2) as served:
        pages = {mail: at_send_code(unserved, mail) for mail in [unserved.guest() for _ in range(8)]}
        presses = [partial(press, page, answered) for page in pages.values()]
        *arrived, code = together(*presses, lambda: answered.wait(10) and served.terminate())
    assert code == 0
    told = [("Check your email", mail) for mail, there in zip(pages, arrived, strict=True) if there]
    with unserved.serving():
        wait_until(lambda: unserved.waiting() == 0)
        assert {len(unserved.letters(mail)) for _, mail in told} == {1}
        check(unserved, told)


def at_send_code(site: Site, mail: str) -> Browser:
    return site.browser().open(HOME).submit("email-form", email=mail)


def press(page: Browser, answered: threading.Event) -> bool:
    """Press Send code; whether the site took it, even if it was gone before the next page."""
    with suppress(httpx.TransportError):
        page.submit("send-code")
        answered.set()
    return page.status == httpx.codes.SEE_OTHER or page.h1 == "Check your email"
