"""Methods, paths, smuggling and other protocols (catalogue, chapter 9), over the wire to four processes.

The one thing to understand: the server reads a request before the application does, and a proxy before both; what
they could read differently is refused, so that no bytes of one request become another.
"""

import re

import pytest

from tests.attacks import wire
from tests.attacks.wire import SIGN_IN, head, statuses
from tests.e2e.site import HOME, Site
from tests.hostile import METHODS

SMUGGLED = b"GET /fabrikam.example/smuggled HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


#


@pytest.mark.case("R-06")
@pytest.mark.parametrize("path", [SIGN_IN, "/static/style.css", "/healthz"])
def test_no_page_knows_another_method(sqlite_secure_site: Site, path: str) -> None:
    for method in set(METHODS) - {"GET", "HEAD", "POST", "OPTIONS", "get"}:
        answer = wire.ask(sqlite_secure_site, path, method, body=b"", headers={"X-Secret": "echo me"})
        assert (answer.status_code, "GET" in answer.headers["Allow"]) == (405, True)
        assert "echo me" not in answer.text  # TRACE
    assert statuses(sqlite_secure_site, head(sqlite_secure_site, start=f"get {path} HTTP/1.1")) == [400]


@pytest.mark.case("R-06")
def test_no_header_or_field_makes_a_get_another_method(sqlite_secure_site: Site) -> None:
    names = ("X-HTTP-Method-Override", "X-Method-Override", "X-HTTP-Method", "X_HTTP_METHOD_OVERRIDE")
    for method in ("POST", "DELETE"):
        headers = dict.fromkeys(names, method)
        assert wire.ask(sqlite_secure_site, f"{SIGN_IN}?_method={method}", headers=headers).status_code == 200


#


@pytest.mark.case("R-07")
@pytest.mark.parametrize(
    "path",
    [
        *(
            "//evil.example",
            "//evil.example/fabrikam.example/apps",
            "/./fabrikam.example/apps",
            "/fabrikam.example//apps",
        ),
        *("/%2e%2e/fabrikam.example/apps", "/fabrikam.example/../static/style.css", "/static/..%2f..%2fapp.py"),
        *("/fabrikam.example/apps/", "/FABRIKAM.example/APPS", "/fabrikam.example;x/apps", "/\\evil.example/apps"),
        *(
            "/%0d%0aSet-Cookie:%20a=b",
            "/fabrikam.example/%0d%0aLocation:%20//evil.example",
            "/apps?tenantid=//evil.example",
        ),
        *(
            "/apps?tenantid=fabrikam.example&x=%0d%0aX:%20y",
            "/%5c%5cevil.example/%2e%2e",
            "/fabrikam.example/%2fevil.example",
        ),
    ],
)
def test_odd_path_leads_nowhere_else_and_splits_no_header(sqlite_secure_site: Site, path: str) -> None:
    answer = wire.ask(sqlite_secure_site, path)
    assert answer.status_code in (200, 302, 308, 400, 404)
    assert re.fullmatch(r"/(?![/\\])[!-~]*", answer.headers.get("Location", "/"))
    assert "a=b" not in answer.headers.get("Set-Cookie", "") and "x" not in answer.headers


#


@pytest.mark.case("R-10")
@pytest.mark.parametrize(
    "lines",
    [
        ["Content-Length: 5", "Transfer-Encoding: chunked"],
        ["Transfer-Encoding: chunked", "Content-Length: 5"],
        ["Content-Length: 5", "Content-Length: 6"],
        ["Content-Length: 5, 6"],
        ["Content-Length: +5"],
        ["Content-Length: 0x5"],
        ["Content-Length : 5"],
        ["Transfer-Encoding: xchunked"],
        ["Transfer-Encoding: chunked, identity"],
        ["Transfer-Encoding: \x0bchunked"],
        ["X: a\r\n Content-Length: 5"],
        ["X: a\nContent-Length: 5"],
        ["X: a\rContent-Length: 5"],
        ["Host: evil.example"],
    ],
    ids=repr,
)
def test_request_that_two_servers_could_read_differently_is_no_second_one(
    sqlite_secure_site: Site, lines: list[str]
) -> None:
    answers = wire.send(sqlite_secure_site, head(sqlite_secure_site, *lines) + b"0\r\n\r\n" + SMUGGLED)
    assert {answer.status_code for answer in answers} <= {400, 411, 501}
    assert "smuggled" not in "".join(answer.text for answer in answers)


@pytest.mark.case("R-10")
@pytest.mark.parametrize(
    "raw",
    [
        b"GET /fabrikam.example HTTP/1.1\nHost: 127.0.0.1\n\n",
        b"GET /fabrikam.example/sign-in\r\n\r\n",
        b"GET  /fabrikam.example/sign-in HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"GET /fabrikam.example/sign-in HTTP/1.1\r\nHost: 127.0.0.1\r\nBad Name: x\r\n\r\n",
    ],
    ids=["bare LF", "no version", "two spaces", "bad name"],
)
def test_malformed_head_is_refused(sqlite_secure_site: Site, raw: bytes) -> None:
    assert statuses(sqlite_secure_site, raw) == [400]


# What the list did not have


@pytest.mark.case("R-13")
@pytest.mark.parametrize("mount", ["//evil.example", "/x", "/fabrikam.example"])
def test_no_header_moves_the_site_below_another_path(sqlite_secure_site: Site, mount: str) -> None:
    headers = {"SCRIPT_NAME": mount, "X-Forwarded-Prefix": mount, "X-Script-Name": mount}
    answer = wire.ask(sqlite_secure_site, f"{HOME}/apps", headers=headers)
    assert (answer.status_code, answer.headers["Location"]) == (302, HOME)
    assert wire.ask(sqlite_secure_site, f"{mount}{HOME}/apps", headers=headers).status_code == 404


@pytest.mark.case("R-14")
@pytest.mark.parametrize(
    "lines",
    [
        ["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA"],
        ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Key: x", "Sec-WebSocket-Version: 13"],
        ["Connection: X-Forwarded-For, Cookie"],
        ["Expect: 100-continue"],
    ],
    ids=["h2c", "websocket", "hop by hop", "expect"],
)
def test_connection_is_no_other_protocol(sqlite_secure_site: Site, lines: list[str]) -> None:
    raw = head(sqlite_secure_site, *lines, start=f"GET {SIGN_IN} HTTP/1.1")
    answers = wire.send(sqlite_secure_site, raw)
    assert [answer.status_code for answer in answers] in ([200], [400])  # one answer, and never a 101


@pytest.mark.case("R-14")
@pytest.mark.parametrize("first", ["PROXY TCP4 192.0.2.1 127.0.0.1 1 443\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"])
def test_line_of_another_protocol_is_refused(sqlite_secure_site: Site, first: str) -> None:
    raw = first.encode() + head(sqlite_secure_site, start=f"GET {SIGN_IN} HTTP/1.1")
    assert statuses(sqlite_secure_site, raw) == [400]


@pytest.mark.case("R-16")
def test_server_s_own_refusal_repeats_nothing_as_markup(sqlite_secure_site: Site) -> None:
    script = b"<script>alert(1)</script>"
    for raw in (
        b"GET /%b HTTP/9.9\r\n\r\n" % script,
        b"%b / HTTP/1.1\r\n\r\n" % script,
        b"GET / %b\r\n\r\n" % script,
    ):
        for answer in wire.send(sqlite_secure_site, raw):
            assert answer.status_code == 400 and script.decode() not in answer.text
            assert "gunicorn/" not in answer.text + str(answer.headers)
