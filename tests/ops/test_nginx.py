"""Behind Debian's nginx, with the committed `docs/nginx.conf`: a sign-in, headers, limits, errors, logs."""

import re
import secrets
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
import pytest

from guestauth.web import HEADERS, MOST_BYTES, gate
from tests import servers
from tests.browser import Browser
from tests.e2e.site import Prepare, Site, behind
from tests.ops.nginx import Nginx, nginx
from tests.servers.process import kill
from tests.world import ADMIN

CONSOLE = "/fabrikam.example/admin"
LARGEST = {  # path -> bytes, as GuestAuth has them
    "/fabrikam.example/sign-in": MOST_BYTES,
    f"{CONSOLE}/policy": gate.LONG_TEXTS["admin.policy"],
    f"{CONSOLE}/guests/import": gate.UPLOADS["admin.import_guests"],
    f"{CONSOLE}/settings/branding": gate.UPLOADS["admin.branding"],
    f"{CONSOLE}/resources/add": gate.UPLOADS["admin.add_resource"],
    f"{CONSOLE}/resources/welcome-pack/edit": gate.UPLOADS["admin.edit_resource"],
}
HSTS = ("Strict-Transport-Security", "max-age=31536000; includeSubDomains")


@dataclass
class Front:
    """A production site behind nginx."""

    site: Site
    nginx: Nginx

    def client(self) -> httpx.Client:
        trusted = ssl.create_default_context(cafile=self.site.ca)
        return httpx.Client(base_url=self.site.url, verify=trusted, trust_env=False, timeout=30)


@contextmanager
def fronted(prepare: Prepare, certificates: servers.Certificates, **settings: str) -> Iterator[Front]:
    with servers.held_port() as port:
        real = {"GUESTAUTH_DEMO": "off", "SECRET_KEY": secrets.token_hex(32), "TRUSTED_PROXIES": "1"}
        real |= {"PUBLIC_URL": f"https://127.0.0.1:{port}", **settings}
        with (
            behind(prepare("sqlite", **real), ca=certificates.ca) as site,
            site.serving(2),
            servers.or_skip(lambda: nginx(site.port, certificates.server, port)) as running,
        ):
            yield Front(site, running)


@pytest.fixture(scope="module")
def front(prepare: Prepare, certificates: servers.Certificates) -> Iterator[Front]:
    with fronted(prepare, certificates) as made:
        yield made


def test_guest_signs_in_through_it(front: Front) -> None:
    mail = front.site.guest("/apps/welcome-pack")
    browser = front.site.awaiting_consent(mail, "/fabrikam.example/apps/welcome-pack")
    browser.submit("consent", button=("decision", "accept"))
    assert browser.path == "/fabrikam.example/apps/welcome-pack"
    assert "__Host-guestauth" in browser.cookies


@pytest.mark.case("RL-02")
def test_log_has_the_true_client_address_whatever_the_client_says(front: Front) -> None:
    mail = front.site.guest()
    front.site.awaiting_consent(mail)  # each browser of a site behind a proxy sends an X-Forwarded-For of its own
    found = front.site.world.rows("SELECT DISTINCT client_address FROM events WHERE address = :mail", mail=mail)
    assert {each for (each,) in found} == {"", "127.0.0.1"}


@pytest.mark.parametrize("header", ["X-Forwarded-Host", "Forwarded", "X-Forwarded-Proto", "X-Forwarded-Prefix"])
def test_forged_header_of_a_proxy_changes_nothing(front: Front, header: str) -> None:
    with front.client() as client:
        answer = client.get("/fabrikam.example/sign-in/", headers={header: "evil.example"})
    assert answer.status_code == 200 and "evil" not in answer.text + str(answer.headers)


def test_static_files_come_from_nginx_with_the_headers_of_all_others(front: Front) -> None:
    with front.client() as client:
        answer = client.get("/static/style.css")
    assert answer.status_code == 200 and answer.headers["Server"] == "nginx"
    assert answer.headers["Content-Type"] == "text/css; charset=utf-8"
    assert answer.headers["Cache-Control"] == "max-age=3600"
    for name, value in (*HEADERS.items(), HSTS):
        assert answer.headers.get_list(name) == [value]


@pytest.mark.parametrize("path", ["/fabrikam.example", "/nothing", "/static/nothing", "/healthz"])
def test_every_header_is_there_once(front: Front, path: str) -> None:
    with front.client() as client:
        answer = client.get(path)
    for name, value in (*HEADERS.items(), HSTS):
        assert answer.headers.get_list(name) == [value]


def test_pages_are_not_compressed_and_no_version_is_told(front: Front) -> None:
    with front.client() as client:
        answer = client.get("/fabrikam.example/sign-in", headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in answer.headers
    assert not re.search(r"[0-9]+\.[0-9]", answer.headers["Server"])


def test_what_is_the_same_for_everybody_is_compressed(front: Front) -> None:
    with front.client() as client:
        answer = client.get("/static/style.css", headers={"Accept-Encoding": "gzip"})
    assert (answer.headers["Content-Encoding"], answer.headers["Vary"]) == ("gzip", "Accept-Encoding")
    assert "--accent" in answer.text


def test_pages_of_ours_for_errors_are_not_hidden(front: Front) -> None:
    with front.client() as client:
        assert "find an organisation" in client.get("/nothing.example").text
        assert client.get("/").status_code == 400


def test_page_of_ours_for_too_many_requests_is_not_hidden(front: Front) -> None:
    browser = front.site.awaiting_code(front.site.guest()).submit("send-code")
    assert browser.status == 429 and int(browser.headers["Retry-After"]) <= 60
    assert browser.h1 == "Check your email"


def test_http_leads_to_https_at_our_name(front: Front) -> None:
    url = f"http://127.0.0.1:{front.nginx.http}/fabrikam.example?x=1"
    answer = httpx.get(url, headers={"Host": "evil.example"}, trust_env=False)
    assert (answer.status_code, answer.headers["Location"]) == (308, f"{front.site.url}/fabrikam.example?x=1")


def administrator(front: Front) -> Browser:
    return front.site.awaiting_code(ADMIN).submit("enter-code", code=front.site.code(ADMIN))


def test_largest_file_passes(front: Front) -> None:
    browser = administrator(front).open("/fabrikam.example/admin/resources/add")
    content = secrets.token_bytes(1024) * 20 * 1024
    browser.submit("add-resource", title="Large", slug="large", kind="file", file=("f.bin", content))
    assert browser.h1 == "Large"
    assert front.site.world.rows("SELECT content FROM resource_files WHERE length(content) > 9999999") == [
        (content,)
    ]


@pytest.mark.parametrize(("path", "most"), LARGEST.items())
def test_body_is_refused_from_the_byte_on_that_is_too_much_for_us(front: Front, path: str, most: int) -> None:
    with front.client() as client:
        answers = [client.post(path, content=b"x" * size) for size in (most, most + 1)]
    assert ["choose a smaller file" in answer.text for answer in answers] == [False, True]
    assert answers[1].status_code == 413
    assert all(answers[1].headers.get_list(name) == [value] for name, value in (*HEADERS.items(), HSTS))


@pytest.mark.case("K-07")
def test_no_ticket_and_no_address_gets_into_its_logs(front: Front) -> None:
    mail = front.site.guest()
    front.site.world.run("guest", "resend", "fabrikam.example", mail)
    link = front.site.invitation(mail)
    front.site.browser().open(link)
    front.site.browser().open("/fabrikam.example/sign-in", login_hint=mail)
    logs = front.nginx.logs()
    assert "GET 200" in logs
    assert mail not in logs and link.rpartition("/")[2] not in logs and "firstup" not in logs


@pytest.mark.long
def test_while_nobody_serves_a_page_says_so_and_no_address_is_logged(
    prepare: Prepare, certificates: servers.Certificates
) -> None:
    with fronted(prepare, certificates) as front, front.client() as client:
        kill(front.site.served.process)
        answer = client.get("/fabrikam.example/invitations/a-ticket")
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")
        assert "Back in a moment" in answer.text
        assert all(answer.headers.get_list(name) == [value] for name, value in (*HEADERS.items(), HSTS))
        assert "a-ticket" not in front.nginx.logs()
