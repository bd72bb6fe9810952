"""What other sites can do with a visitor's browser (catalogue, chapter 6), in Chromium over https.

The one thing to understand: the other site is served for real, at `localhost` where ours is at `127.0.0.1`. So it
is another site to Chromium, and as near as ours: what keeps it out is what we say, not how far away it is.
"""

import threading
import uuid
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from guestauth import resources
from tests.attacks import wire
from tests.attacks.wire import SIGN_IN
from tests.e2e.fixtures import Arrive
from tests.e2e.person import Person
from tests.e2e.site import HOME, Site
from tests.world import BY, FABRIKAM

PORTAL = "https://portal.example"
Evil = Callable[[Person, str], None]


@pytest.fixture
def site(sqlite_secure_site: Site) -> Site:
    return sqlite_secure_site


@pytest.fixture
def evil() -> Iterator[Evil]:
    """`evil(person, body)` shows somebody a page of another site."""
    pages: list[str] = []

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(f"<!doctype html><title>Evil</title><link rel=icon href=data:,>{pages[-1]}".encode())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()

        def show(person: Person, body: str) -> None:
            pages.append(body)
            person.page.goto(f"http://localhost:{server.server_port}/")

        yield show
        server.shutdown()


@pytest.mark.case("C-02")
def test_form_that_another_site_sends_by_itself_signs_nobody_in(site: Site, arrive: Arrive, evil: Evil) -> None:
    mine = site.awaiting_code(mail := site.guest())  # the attacker's own sign-in, to be had by the victim
    token, code = wire.form_token(mine), site.code(mail)
    victim = arrive(site).open(SIGN_IN)
    fields = {"csrf_token": token, "code": code}
    inputs = "".join(f'<input name="{name}" value="{value}">' for name, value in fields.items())
    evil(victim, f'<form method="post" action="{mine.url}">{inputs}</form>')
    with victim.page.expect_navigation():
        victim.page.evaluate("document.forms[0].submit()")
    assert victim.sees("You can't do that")
    assert {each["name"] for each in victim.context.cookies(site.url)} == {"__Host-guestauth-visit"}
    assert mine.submit("enter-code", code=code).h1 == "Review permissions"


@pytest.mark.case("C-13")
def test_guest_is_led_to_what_lies_elsewhere_after_the_code(site: Site, arrive: Arrive) -> None:
    slug, mail = f"elsewhere-{uuid.uuid4().hex[:8]}", site.guest()
    site.world.do(resources.add, FABRIKAM, slug, title="Elsewhere", url=f"{PORTAL}/portal", by=BY)
    site.world.do(resources.share, FABRIKAM, slug, user_id=None, by=BY)
    guest = arrive(site)
    guest.context.route(
        f"{PORTAL}/**", lambda route: route.fulfill(content_type="text/html", body="<h1>There</h1>")
    )
    guest.sign_in(mail, f"{HOME}/apps/{slug}")
    site.world.do(resources.remove, FABRIKAM, slug, by=BY)
    assert guest.sees("Elsewhere") and guest.press("Open Elsewhere").page.url == f"{PORTAL}/portal"


@pytest.mark.case("C-14")
def test_page_shows_in_no_frame_of_another_site(site: Site, arrive: Arrive, evil: Evil) -> None:
    victim = arrive(site).open(SIGN_IN)
    evil(victim, f'<iframe src="{site.url}{SIGN_IN}"></iframe>')
    frames = [frame.url for frame in victim.page.frames[1:]]
    assert frames and not any(frame.startswith(site.url) for frame in frames)
    victim.complaints.clear()  # Chromium may say why


@pytest.mark.case("C-15")
def test_another_site_s_page_reads_and_embeds_nothing(site: Site, arrive: Arrive, evil: Evil) -> None:
    victim = arrive(site).open(SIGN_IN)
    evil(victim, "<p>Hello</p>")
    read = """async (address) => Promise.all([
        ...["cors", "no-cors"].map((mode) => fetch(address, {mode, credentials: "include"}).catch(() => "no")),
        new Promise((done) => Object.assign(new Image(), {src: address, onload: done, onerror: () => done("no")})),
    ])"""
    for path in (HOME, "/static/icon.svg", f"{HOME}/admin/guests/export"):
        assert victim.page.evaluate(read, site.url + path) == ["no", "no", "no"]
    victim.complaints.clear()  # Chromium says that it kept them out


@pytest.mark.case("C-16")
def test_another_site_that_opened_the_page_has_no_hold_on_it(site: Site, arrive: Arrive, evil: Evil) -> None:
    victim = arrive(site)
    evil(victim, "<p>Hello</p>")
    with victim.context.expect_page() as opened:
        victim.page.evaluate("(address) => { window.held = open(address) }", site.url + SIGN_IN)
    opened.value.get_by_role("heading", level=1).wait_for()
    assert opened.value.evaluate("window.opener") is None
    assert victim.page.evaluate("window.held.closed") is True
