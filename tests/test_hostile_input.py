"""Whatever is sent gets a page below 500 and changes nothing: F5 to F8, R-01 to R-11, I-09, K-07; "Bad input".

What is sent stands in `tests/hostile.py`; every answer is looked at, and every table compared with what it was.
"""

import json
import re
import uuid
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.guest import DAY, at_enter_code
from tests.hostile import (
    APPS,
    BODIES,
    ELSEWHERE,
    FIELDS,
    HOSTS,
    METHODS,
    NOT_TEXT,
    ODD,
    SIGN_IN,
    SOAK,
    STATUSES,
    UNKNOWN_FIELDS,
    Actor,
    actors,
    addresses,
    as_actor,
    decent,
    multipart,
    odd_forms,
    variables,
)
from tests.probe import FORM, ask, masked, tables, token
from tests.world import ALEX, NICOLE, World

SAMPLE = METHODS if SOAK else ("GET", "POST", "PUT")
ODDITIES = ODD if SOAK else ODD[::6]


# Every route


def test_every_route_takes_every_method_in_its_stride(sqlite_world: World) -> None:
    for actor in actors(sqlite_world):
        before = tables(sqlite_world)
        for path in addresses(sqlite_world, actor.sign_in):
            for method in SAMPLE:
                request = {} if method in ("GET", "HEAD", "OPTIONS") else {"form": {"x": "y", "csrf_token": "x"}}
                decent(ask(sqlite_world.app, path, method, cookies=actor.cookies, **request), (method, path))
        assert tables(sqlite_world) == before


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE", "FOO", "PROPFIND"])
def test_method_that_no_page_knows_is_refused_on_every_route(sqlite_world: World, method: str) -> None:
    for path in addresses(sqlite_world, str(uuid.UUID(int=7))):
        assert ask(sqlite_world.app, path, method, form={"x": "y"}).status == 405


@pytest.mark.parametrize("kind", BODIES)
def test_no_route_is_moved_by_a_body_that_is_no_form_of_ours(sqlite_world: World, kind: str) -> None:
    _, waiting, guest = actors(sqlite_world)
    before = tables(sqlite_world)
    for actor in (waiting, guest):
        for path in addresses(sqlite_world, actor.sign_in):
            as_actor(sqlite_world, actor, path, "POST", **BODIES[kind])
    assert tables(sqlite_world) == before


@pytest.mark.parametrize(("kind", "status"), STATUSES.items())
def test_body_that_is_no_form_is_told_what_it_is(world: World, kind: str, status: int) -> None:
    browser = world.browser().open(SIGN_IN)
    actor = Actor(browser.cookies, token(browser, "email-form"), "")
    assert as_actor(world, actor, SIGN_IN, "POST", **BODIES[kind]).status == status
    assert world.rows("SELECT COUNT(*) FROM sign_ins") == [(0,)]


@pytest.mark.parametrize("kind", UNKNOWN_FIELDS)
def test_field_that_no_form_has_is_as_none(world: World, kind: str) -> None:
    _, actor, guest = actors(world)
    assert as_actor(world, actor, SIGN_IN, "POST", **UNKNOWN_FIELDS[kind]).status == 422
    assert as_actor(world, actor, f"{SIGN_IN}/{actor.sign_in}/code", "POST", **UNKNOWN_FIELDS[kind]).status == 422
    assert as_actor(world, guest, APPS, "POST", **UNKNOWN_FIELDS[kind]).status == 405
    assert world.rows("SELECT tries FROM sign_ins WHERE consumed_at IS NULL") == [(0,)]


@pytest.mark.parametrize("name", ["email", "to", "csrf_token", "code", "x"])
def test_file_in_the_place_of_a_text_is_refused(sqlite_world: World, name: str) -> None:
    _, waiting, guest = actors(sqlite_world)
    before = tables(sqlite_world)
    for actor in (waiting, guest):
        whole = {"email": ALEX, "to": "", "code": "12345678", "csrf_token": actor.token}
        parts = [(each, None, text.encode()) for each, text in whole.items() if each != name]
        for path in addresses(sqlite_world, actor.sign_in):
            as_actor(sqlite_world, actor, path, "POST", **multipart([*parts, (name, "a.txt", b"x")]))
    assert tables(sqlite_world) == before


@pytest.mark.parametrize("content", NOT_TEXT.values(), ids=NOT_TEXT)
def test_multipart_that_is_no_text_is_refused(sqlite_world: World, content: bytes) -> None:
    _, actor, _ = actors(sqlite_world)
    before = tables(sqlite_world)
    for name in ("email", "to", "code", "a\x00b", "\ufffd"):
        parts = [("csrf_token", None, actor.token.encode()), (name, None, content)]
        assert as_actor(sqlite_world, actor, SIGN_IN, "POST", **multipart(parts)).status == 400
    assert tables(sqlite_world) == before


def test_multipart_of_a_thousand_parts_is_refused(sqlite_world: World) -> None:
    _, actor, _ = actors(sqlite_world)
    for count in (41, 999, 1001):
        parts = multipart([(f"f{n}", None, b"") for n in range(count)])
        assert as_actor(sqlite_world, actor, SIGN_IN, "POST", **parts).status in (400, 413)


def test_well_formed_multipart_is_as_good_as_urlencoded(sqlite_world: World) -> None:
    browser = sqlite_world.browser().open(SIGN_IN)
    parts = [("csrf_token", None, token(browser, "email-form").encode()), ("email", None, NICOLE.encode())]
    assert ask(sqlite_world.app, SIGN_IN, "POST", cookies=browser.cookies, **multipart(parts)).status == 303


# Every part of every path, every field


@pytest.mark.parametrize("content", NOT_TEXT.values(), ids=NOT_TEXT)
def test_path_that_is_no_text_is_no_page_anywhere(world: World, content: bytes) -> None:
    _, actor, _ = actors(world)
    before = tables(world)
    for name in variables(world):
        for path in addresses(world, actor.sign_in, **{name: content}):
            for method, request in (("GET", {}), ("POST", {"form": {"x": "y"}})):
                assert as_actor(world, actor, path, method, **request).status == 404
    assert tables(world) == before


def test_odd_text_in_any_part_of_a_path_ends_well(world: World) -> None:
    _, waiting, guest = actors(world)
    before = tables(world)
    for name in variables(world):
        for odd in ODDITIES:
            for path in addresses(world, waiting.sign_in, **{name: odd}):
                as_actor(world, guest, path)
    assert tables(world) == before


@pytest.mark.parametrize("content", NOT_TEXT.values(), ids=NOT_TEXT)
def test_query_that_is_no_text_is_refused_everywhere(world: World, content: bytes) -> None:
    _, actor, guest = actors(world)
    before = tables(world)
    for path in addresses(world, actor.sign_in):
        assert as_actor(world, guest, path, query=f"x={quote(content)}").status in (400, 405)
    for name in set(FIELDS) - {"tenantid"}:
        for query in (f"{name}={quote(content)}", f"{quote(content)}={name}"):
            assert as_actor(world, guest, APPS, query=query).status == 400
    assert tables(world) == before


def test_odd_text_in_any_query_ends_well(sqlite_world: World) -> None:
    nobody, actor, guest = actors(sqlite_world)
    before = tables(sqlite_world)
    for query in list(odd_forms(most=600))[:: 4 if SOAK else 16]:  # every text on every page
        for path in addresses(sqlite_world, actor.sign_in):
            as_actor(sqlite_world, guest, path, query=urlencode(query))
        as_actor(sqlite_world, nobody, "/", query=urlencode({"tenantid": query["q"]}))
    assert tables(sqlite_world) == before


def test_odd_text_in_any_field_ends_well(world: World) -> None:
    _, waiting, guest = actors(world)
    places = [(waiting, SIGN_IN), (waiting, f"{SIGN_IN}/{waiting.sign_in}/code"), (guest, f"{APPS}/consent")]
    for form in list(odd_forms(most=6000))[:: 1 if SOAK else 5]:
        for actor, path in places:
            as_actor(world, actor, path, "POST", form=form)
            as_actor(world, actor, path, "POST", form={text: name for name, text in form.items()})
    assert world.rows("SELECT tries FROM sign_ins WHERE consumed_at IS NULL AND sends > 0") == [(0,)]


@pytest.mark.parametrize(
    "query", ["q=" + "x" * 9000, "&" * 9000, "a=1&" * 4000, "=" * 8000, "tenantid=" + "&tenantid=" * 600]
)
def test_long_query_is_refused_or_harmless(sqlite_world: World, query: str) -> None:
    for path in addresses(sqlite_world, str(uuid.UUID(int=7))):
        decent(ask(sqlite_world.app, path, query=query), (path, query[:20]))


@pytest.mark.parametrize("raw", [b"q=\xff", "q=é".encode(), b"\x00", b"q=\x00", b"q=\r\nX: y"])
def test_query_with_bytes_that_must_be_escaped_is_refused_or_harmless(sqlite_world: World, raw: bytes) -> None:
    for path in addresses(sqlite_world, str(uuid.UUID(int=7))):
        decent(ask(sqlite_world.app, path, query=raw), (path, raw))


@pytest.mark.parametrize(
    "mail",
    [
        "a" * 64 + "@" + "b" * 63 + ".example",
        "a" * 65 + "@b.example",
        "@".join("a" * 60_000),
        "a@" + "xn--" * 50 + ".example",
        "a@" + "ü" * 240 + ".example",
        "a" * 60_000 + "@b.example",
        "(" * 5000 + "@b.example",
        '"' + "\\" * 100 + '"@b.example',
        "a@b.example" + "\u3002" * 99,
        "a@\u212a.example",
    ],
    ids=lambda mail: f"{len(mail)}",
)
@pytest.mark.case("R-08")
def test_odd_addresses_are_told_or_taken(world: World, mail: str) -> None:
    browser = world.browser().open(SIGN_IN).submit("email-form", email=mail)
    assert browser.status in (200, 413, 422)
    if browser.status == 200:
        assert browser.submit("send-code").h1 == "Check your email"


def test_same_name_in_query_and_body_means_the_body(sqlite_world: World) -> None:
    browser = sqlite_world.browser().open(SIGN_IN)
    form = {"csrf_token": token(browser, "email-form"), "email": NICOLE}
    answer = ask(sqlite_world.app, SIGN_IN, "POST", query=f"email={ALEX}", form=form, cookies=browser.cookies)
    assert answer.status == 303 and sqlite_world.rows("SELECT address FROM sign_ins") == [(NICOLE,)]


# Headers


@pytest.mark.parametrize("other", ["POST", "DELETE"])
def test_no_header_or_field_makes_another_method(sqlite_world: World, other: str) -> None:
    _, actor, guest = actors(sqlite_world)
    names = ("X-HTTP-Method-Override", "X-Method-Override", "X-HTTP-Method", "_method")
    request = {"headers": dict.fromkeys(names, other), "query": urlencode(dict.fromkeys(names, other))}
    before = tables(sqlite_world)
    for path in addresses(sqlite_world, actor.sign_in):
        plain, bent = as_actor(sqlite_world, guest, path), as_actor(sqlite_world, guest, path, **request)
        assert bent.status == plain.status
    assert tables(sqlite_world) == before


@pytest.mark.parametrize(
    "headers",
    [
        {"Accept": "*;q=x,,;"},
        {"Accept": "text/html;q=9"},
        {"Accept": "\xff/\xfe"},
        {"Accept-Language": "xx-" + "y" * 5000},
        {"Accept-Language": ";;q=,,*;q=é"},
        {"Accept-Language": "\x00"},
        {"Accept-Encoding": "gzip;q=nan"},
        {"Accept-Charset": "utf-7"},
        {"Range": "bytes=0-1"},
        {"Range": "bytes=-1,5-2,x"},
        {"If-Modified-Since": "Fri, 20 Nov 2099 00:00:00 GMT"},
        {"If-Modified-Since": "x"},
        {"If-None-Match": "*"},
        {"If-Range": "x"},
        {"If-Match": "x"},
        {"User-Agent": "\x1b[31m\x00\xff" * 500},
        {"User-Agent": ""},
        {"Referer": "javascript:alert(1)"},
        {"Authorization": "Basic \xff"},
        {"Authorization": "Bearer " + "x" * 5000},
        {"Content-Length": "5"},
        {"Content-Type": "multipart/form-data; boundary=" + "x" * 500},
        {"Content-Encoding": "gzip"},
        {"Expect": "100-continue"},
        {"Forwarded": "for=1.2.3.4;host=evil.example;proto=https"},
        {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https", "X-Forwarded-Prefix": "/evil"},
        {"X-Forwarded-For": "\xff, 1.2.3.4", "X-Real-IP": "x"},
        {"X-Original-URL": "/dev", "X-Rewrite-URL": "/dev", "X-Script-Name": "/evil"},
        {"Sec-Fetch-Site": "x", "Sec-Fetch-Mode": "\xff"},
    ],
    ids=str,
)
@pytest.mark.case("R-09", "R-11")
def test_odd_headers_change_nothing_about_a_page(sqlite_world: World, headers: dict[str, str]) -> None:
    guest = actors(sqlite_world)[2]
    for path in (APPS, f"{APPS}/apps/project-plan", SIGN_IN, "/nothing", "/"):
        plain, odd = (as_actor(sqlite_world, guest, path, headers=each) for each in ({}, headers))
        assert (odd.status, masked(odd.text)) == (plain.status, masked(plain.text))


@pytest.mark.parametrize("host", HOSTS)
def test_host_that_is_not_ours_gets_a_page_and_stands_nowhere(sqlite_world: World, host: str) -> None:
    for path in (SIGN_IN, f"{APPS}/", "/", "/fabrikam.example/apps", "/static/style.css"):
        answer = decent(ask(sqlite_world.app, path, headers={"Host": host}), (path, host))
        assert answer.status == 400 and "evil.example" not in answer.text + str(answer.headers)


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1:5001"])
def test_no_host_header_comes_into_a_mail(sqlite_world: World, host: str) -> None:
    browser = sqlite_world.browser().open(SIGN_IN)
    headers = {"X-Forwarded-Host": host, "Forwarded": f"host={host}", "X-Original-Host": host}
    form = {"csrf_token": token(browser, "email-form"), "email": NICOLE}
    place = ask(sqlite_world.app, SIGN_IN, "POST", form=form, cookies=browser.cookies, headers=headers).header(
        "Location"
    )
    del form["email"]
    ask(sqlite_world.app, str(place), "POST", form=form, cookies=browser.cookies, headers=headers)
    assert host not in sqlite_world.letters(NICOLE)[0].raw.decode()


def test_odd_client_ends_in_one_line_of_the_log(world: World, caplog: pytest.LogCaptureFixture) -> None:
    agent = "Mozilla\r\nINFO forged\x1b[31m\u2028".encode().decode("latin-1")
    browser = at_enter_code(world, NICOLE)
    form = {"csrf_token": token(browser, "enter-code"), "code": "00000000"}
    ask(world.app, browser.path, "POST", form=form, cookies=browser.cookies, headers={"User-Agent": agent})
    (stored,) = world.rows("SELECT browser FROM events WHERE name = 'sign-in'")[0]
    assert stored.startswith("Mozilla  INFO forged") and stored.isprintable()
    assert not [record for record in caplog.records if "\n" in record.getMessage()]


# Open redirects (F5)


@pytest.mark.parametrize("to", ELSEWHERE)
@pytest.mark.case("T-11")
def test_nothing_leads_out_of_the_tenant_after_sign_in(sqlite_world: World, to: str) -> None:
    browser = sqlite_world.browser().open(SIGN_IN, to=to).submit("email-form", email=NICOLE).submit("send-code")
    browser.submit("enter-code", code=sqlite_world.code(NICOLE))
    assert (browser.status, browser.path, browser.h1) == (200, APPS, "Fabrikam apps")


def test_nothing_leads_out_of_the_tenant_from_any_page(sqlite_world: World) -> None:
    browser = sqlite_world.signed_in(NICOLE)
    for to in ELSEWHERE:
        assert browser.open(f"{APPS}/consent", to=to).path == APPS
        assert browser.open(SIGN_IN, to=to).click("Continue").path == APPS


def test_no_page_hands_on_where_it_must_not_lead(sqlite_world: World) -> None:
    browser = sqlite_world.signed_in(NICOLE)
    sqlite_world.advance(DAY + 60)
    for to in ELSEWHERE:
        for page in (f"{APPS}/session-over", SIGN_IN):
            assert browser.open(page, to=to).page.xpath("//input[@name='to']/@value") in ([], [""])
            assert not browser.page.xpath("//main//a[contains(@href, 'to=')]")


# Anything at all


TEXT = st.one_of(st.text(max_size=40), st.sampled_from(ODD), st.text("0123456789-./:@%?&=#\\\x00 ", max_size=20))
BYTES = st.one_of(TEXT.map(lambda text: text.encode()), st.binary(max_size=30))
PARTS = st.one_of(BYTES, st.just(b"fabrikam.example"), st.just(b"project-plan"))
PAIRS = st.lists(st.tuples(st.one_of(st.sampled_from(FIELDS), TEXT), TEXT), max_size=6)
TRIED = settings(
    max_examples=2000 if SOAK else 50,
    deadline=None,
    derandomize=not SOAK,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@st.composite
def requests(draw: st.DrawFn) -> dict[str, Any]:
    """A request of any kind; its path is one of the application's rules, with anything in its variables."""
    path, parts = draw(st.integers(0)), draw(st.lists(PARTS, min_size=4, max_size=4))
    request = {
        "rule": path,
        "parts": parts,
        "query": urlencode(draw(PAIRS)),
        "method": draw(st.sampled_from(METHODS)),
    }
    request |= draw(st.sampled_from([{}, {"form": draw(PAIRS)}, {"body": draw(BYTES)}]))
    return {
        **request,
        "headers": {"Cookie": draw(BYTES).decode("latin-1"), "Accept": draw(TEXT.filter(str.isascii))},
    }


@TRIED
@given(request=requests())
def test_no_request_at_all_gets_a_5xx_or_changes_a_row(sqlite_world: World, request: dict[str, Any]) -> None:
    rules = sorted({rule.rule for rule in sqlite_world.app.url_map.iter_rules()})
    rule, parts = rules[request.pop("rule") % len(rules)], iter(request.pop("parts"))
    path = b"".join(next(parts) if each.startswith("<") else each.encode() for each in re.split("(<[^>]+>)", rule))
    before = tables(sqlite_world)
    decent(ask(sqlite_world.app, path, **request), (path, request))
    assert tables(sqlite_world) == before


@TRIED
@given(form=st.dictionaries(st.sampled_from(FIELDS), TEXT, max_size=5), page=st.integers(0, 5))
def test_no_form_with_its_right_token_gets_a_5xx(sqlite_world: World, form: dict[str, str], page: int) -> None:
    world = sqlite_world
    if not hasattr(world, "fuzzed"):
        world.fuzzed = actors(world)[1:]
    waiting, guest = world.fuzzed
    place = f"{SIGN_IN}/{waiting.sign_in}"
    paths = [(waiting, SIGN_IN), (waiting, place), (waiting, f"{place}/code"), (waiting, f"{APPS}/session-over")]
    actor, path = [*paths, (guest, f"{APPS}/consent"), (waiting, world.invitation_path(ALEX))][page]
    form.pop("csrf_token", None)
    as_actor(world, actor, path, "POST", form=form)


def test_answer_to_json_is_json_whatever_was_sent(sqlite_world: World) -> None:
    for kind, request in BODIES.items():
        headers = {**request.get("headers", {"Content-Type": FORM}), "Accept": "application/json"}
        answer = ask(sqlite_world.app, SIGN_IN, "POST", **{**request, "headers": headers})
        assert 400 <= answer.status < 500 and json.loads(answer.body)["error"]["correlationId"], kind
