"""What we ask of identity providers: where it may be asked, and how much of an answer is taken (FD-15, FD-16)."""

import socket
import threading
import time
from ipaddress import ip_network

import pytest

from guestauth import fetching, openid
from guestauth.fetching import Unreachable
from tests.e2e.site import wait_until
from tests.federation import rude
from tests.federation.person import ready
from tests.federation.rude import drops, flood, silence, whole
from tests.servers import Certificates
from tests.world import ALEX, World

INSIDE = [
    "127.0.0.1",
    "127.8.9.1",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "169.254.169.254",
    "0.0.0.0",
    "255.255.255.255",
    "224.0.0.1",
    "240.0.0.1",
    "2130706433",
    "0x7f.1",
    "0177.0.0.1",
    "127.1",
    "localhost",
    "[::1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:a9fe:a9fe]",
    "[::7f00:1]",
    "[64:ff9b::a9fe:a9fe]",
    "[64:ff9b:1::7f00:1]",
    "[2002:7f00:1::]",
    "[2001:0:7f00:1::]",
    "[fd00::1]",
    "[fe80::1]",
    "[fec0::1]",
    "[ff02::1]",
]
NO_ADDRESS = [
    "http://accounts.google.com/",
    "ftp://accounts.google.com/",
    "file:///etc/passwd",
    "https://",
    "https:///x",
    "https://user:password@accounts.google.com/",
    "https://accounts.google.com:0/",
    "https://accounts.google.com:99999/",
    "https://[::1/",
    "https://accounts.google.com/\r\nHost: x",
    "https://g\u00f6\u00f6gle.example/",
    "//accounts.google.com/",
    "accounts.google.com",
    "",
]
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKS = OK + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.fixture
def outside(sqlite_world: World) -> World:
    """Production's rules: https only, and no network of our own."""
    sqlite_world.app.config.update(GUESTAUTH_DEMO=False, PROVIDER_NETWORKS=[], PROVIDER_TIMEOUT=1)
    return sqlite_world


@pytest.mark.case("FD-15")
@pytest.mark.parametrize("host", INSIDE)
def test_address_in_our_own_network_is_not_asked(outside: World, host: str) -> None:
    with socket.create_server(("", 0)) as listening:
        listening.setblocking(False)
        with pytest.raises(Unreachable, match="may not be asked"):
            outside.do(fetching.fetch, f"https://{host}:{listening.getsockname()[1]}/latest/meta-data")
        with pytest.raises(BlockingIOError):
            listening.accept()


@pytest.mark.case("FD-15")
@pytest.mark.parametrize("url", NO_ADDRESS)
def test_what_is_no_https_address_is_not_asked(outside: World, url: str) -> None:
    with pytest.raises(Unreachable):
        outside.do(fetching.fetch, url)


@pytest.mark.case("FD-15")
@pytest.mark.parametrize("found", [["10.0.0.7"], ["8.8.8.8", "10.0.0.7"], ["2606:4700::1", "::ffff:10.0.0.7"]])
def test_name_that_leads_into_our_own_network_is_not_asked(
    outside: World, monkeypatch: pytest.MonkeyPatch, found: list[str]
) -> None:
    answers = [(0, 0, 0, "", (number, 443)) for number in found]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answers)
    with pytest.raises(Unreachable, match="may not be asked"):
        outside.do(fetching.fetch, "https://rebound.example/")


@pytest.mark.case("FD-15")
def test_name_is_looked_up_once_and_what_was_judged_is_asked(
    outside: World, monkeypatch: pytest.MonkeyPatch, certificates: Certificates
) -> None:
    """Else a second answer of its name server could lead elsewhere (DNS rebinding)."""
    outside.app.config.update(PROVIDER_NETWORKS=[ip_network("127.0.0.0/8")], PROVIDER_CA_FILE=str(certificates.ca))
    asked, real = [], socket.getaddrinfo
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda *given, **more: asked.append(given[0]) or real(*given, **more)
    )
    with rude.rude(certificates, whole(b"{}")) as url:
        assert outside.do(fetching.fetch, url).content == {}
    assert [each for each in asked if each == "localhost"] == ["localhost"]


@pytest.mark.case("FD-15")
@pytest.mark.parametrize("name", ["token_endpoint", "jwks_uri", "authorization_endpoint"])
@pytest.mark.parametrize("url", ["https://169.254.169.254/latest", "http://localhost/token", "https://[::1]/x"])
def test_provider_that_names_addresses_of_our_own_network_gets_no_answer_of_them(
    outside: World, oidc, name: str, url: str
) -> None:
    person = ready(outside, oidc("google"))
    outside.app.config.update(PROVIDER_NETWORKS=[ip_network("127.0.0.0/8")])
    person.provider.publish(**{name: url})
    person.asks(ALEX)
    if name == "authorization_endpoint" and not url.startswith("http:"):  # the person's browser goes there, not we
        return
    browser = person.browser.click("Continue with Google")
    if browser._left_for:
        browser.open(person.provider.authorize(browser.url, "a-1"))
    assert browser.status == 503 and "isn't answering" in browser.h1


ANSWERS = {
    "redirect": whole(b"{}", "302 Found", "Location: https://127.0.0.1/"),
    "redirect without a place": whole(b"{}", "307 Temporary Redirect"),
    "huge": whole(b"[" + b'"x",' * 200_000),
    "endless": flood(CHUNKS, b"1000\r\n" + b"x" * 4096 + b"\r\n"),
    "endless headers": flood(OK, b"X-More: " + b"x" * 1000 + b"\r\n"),
    "in drops": drops(CHUNKS, b"1\r\nx\r\n"),
    "headers in drops": drops(OK, b"X: x\r\n"),
    "never": silence,
    "nothing": lambda stream: None,
    "no HTTP": lambda stream: stream.sendall(b"SSH-2.0-OpenSSH\r\n"),
    "cut": lambda stream: stream.sendall(OK + b"Content-Length: 100\r\n\r\n{"),
    "a list": whole(b"[]"),
    "no JSON": whole(b"<html>"),
    "no text": whole(b"\xff\xfe\x00"),
    "deep": whole(b'{"a":' * 100_000),
    "a number of 100,000 digits": whole(b'{"a": ' + b"9" * 100_000 + b"}"),
    "empty": whole(b""),
}


@pytest.mark.case("FD-16")
@pytest.mark.parametrize("kind", ANSWERS)
def test_rude_answer_is_given_up_in_time(outside: World, certificates: Certificates, kind: str) -> None:
    outside.app.config.update(PROVIDER_NETWORKS=[ip_network("127.0.0.0/8")], PROVIDER_CA_FILE=str(certificates.ca))
    began = time.monotonic()
    with rude.rude(certificates, ANSWERS[kind]) as url, pytest.raises(Unreachable):
        outside.do(fetching.fetch, url)
    assert time.monotonic() - began < 4  # PROVIDER_TIMEOUT is 1


@pytest.mark.case("FD-16")
def test_stranger_in_the_providers_place_is_told_by_the_certificate(
    outside: World, certificates: Certificates
) -> None:
    outside.app.config.update(PROVIDER_NETWORKS=[ip_network("127.0.0.0/8")])
    with rude.rude(certificates, whole(b"{}")) as url, pytest.raises(Unreachable, match="certificate"):
        outside.do(fetching.fetch, url)


@pytest.mark.case("FD-22")
def test_host_that_keeps_us_waiting_holds_two_threads_and_is_then_let_rest(
    outside: World, certificates: Certificates
) -> None:
    outside.app.config.update(PROVIDER_NETWORKS=[ip_network("127.0.0.0/8")], PROVIDER_CA_FILE=str(certificates.ca))
    outside.app.config["PROVIDER_TIMEOUT"] = 2
    took = []

    def ask(url: str) -> None:
        began = time.monotonic()
        with pytest.raises(Unreachable):
            outside.do(fetching.fetch, url)
        took.append(time.monotonic() - began)

    with rude.rude(certificates, silence) as url:
        threads = [threading.Thread(target=ask, args=(url,)) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        ask(url)
    assert sorted(each > 1.5 for each in took) == [False] * 5 + [True] * 2


@pytest.mark.case("FD-22")
def test_provider_of_one_tenant_that_hangs_keeps_no_other_tenant_from_asking(
    outside: World, certificates: Certificates
) -> None:
    outside.app.config.update(PROVIDER_NETWORKS=[ip_network("127.0.0.0/8")], PROVIDER_CA_FILE=str(certificates.ca))
    with rude.rude(certificates, silence) as hanging, rude.rude(certificates, whole(b"{}")) as well:
        asks = [threading.Thread(target=_ask_in_vain, args=(outside, hanging, "mallory")) for _ in range(4)]
        for thread in asks:
            thread.start()
        wait_until(lambda: fetching._asking["mallory"] == fetching.MOST_OF_ONE)
        assert outside.do(fetching.fetch, well, whose="contoso").content == {}
        for thread in asks:
            thread.join()
        with pytest.raises(Unreachable, match="a moment ago"):
            outside.do(fetching.fetch, hanging, whose="mallory")
        with pytest.raises(Unreachable, match="does not answer"):  # the same place, asked for another
            outside.do(fetching.fetch, hanging, whose="contoso")


def _ask_in_vain(world: World, url: str, whose: str) -> None:
    with pytest.raises(Unreachable):
        world.do(fetching.fetch, url, whose=whose)


@pytest.mark.case("FD-16")
def test_name_that_nobody_finds_in_time_is_given_up(outside: World, monkeypatch: pytest.MonkeyPatch) -> None:
    found = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found.wait(30) and [])
    began = time.monotonic()
    with pytest.raises(Unreachable, match="not found in time"):
        outside.do(fetching.fetch, "https://slow.example")
    assert time.monotonic() - began < 4  # PROVIDER_TIMEOUT is 1
    found.set()


@pytest.mark.case("FD-16")
@pytest.mark.parametrize("url", ["https://a..b/", f"https://{'a' * 64}.example/"])
def test_name_that_is_none_is_told_so(outside: World, url: str) -> None:
    with pytest.raises(Unreachable):
        outside.do(fetching.fetch, url)


@pytest.mark.case("FD-16")
def test_what_providers_say_is_kept_of_so_many_and_of_each_only_what_we_go_by(outside: World, oidc) -> None:
    google = oidc("google")
    google.publish(x=[[]] * 1000)
    outside.app.config.update(PROVIDER_NETWORKS=[ip_network("127.0.0.0/8")], PROVIDER_CA_FILE=str(google.ca))
    for n in range(openid.MOST_KEPT):
        openid._keep(openid._settings, f"https://{n}.example", {})
    client = openid.Client(issuer=google.issuer, client_id="x", secret="y", redirect_uri="z")
    assert set(outside.do(openid.discover, client)) <= set(openid.SETTINGS)
    assert len(openid._settings) == openid.MOST_KEPT and google.issuer in openid._settings
