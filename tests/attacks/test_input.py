"""Input robustness (catalogue, chapter 9), over the wire to four processes.

What every single route and form does with such input is tried in-process, in `tests/test_hostile_input.py`; here
the server stands before the application, and what the two make of the same bytes must not differ.
"""

import gzip
import re
import uuid
from contextlib import suppress
from pathlib import Path

import pytest

from tests import servers
from tests.attacks import wire
from tests.attacks.wire import SIGN_IN, head, statuses
from tests.e2e.site import HOME, Prepare, Site, site
from tests.hostile import NOT_TEXT
from tests.probe import change
from tests.servers import Certificates
from tests.test_csrf import FORMS, come_to, post
from tests.world import NICOLE, World

MEGABYTE = b"x" * 2**20


def started(site: Site, mail: str) -> int:
    """How many sign-ins there are for an address."""
    return int(site.world.rows("SELECT count(*) FROM sign_ins WHERE address = :mail", mail=mail)[0][0])


def memory(site: Site) -> int:
    """The most memory that the serving processes had so far, in kB."""
    children = Path(f"/proc/{site.served.pid}/task/{site.served.pid}/children").read_text().split()
    peaks = [re.findall(r"VmHWM:\s+(\d+)", Path(f"/proc/{child}/status").read_text())[0] for child in children]
    workers = [int(peak) for peak in peaks if int(peak) > 10_000]  # the guard is a small shell
    assert len(workers) == 4
    return sum(workers)


#


@pytest.mark.case("R-01")
@pytest.mark.parametrize("way", ["length", "chunked"])
@pytest.mark.parametrize("megabytes", [20, pytest.param(100, marks=pytest.mark.long)])
def test_large_body_is_refused_and_kept_nowhere(sqlite_secure_site: Site, way: str, megabytes: int) -> None:
    served = sqlite_secure_site
    chunked = way == "chunked"
    line = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {megabytes * 2**20}"
    chunk = b"100000\r\n" + MEGABYTE + b"\r\n" if chunked else MEGABYTE
    for _ in range(16):  # until each process has answered so before
        assert statuses(served, head(served, "Content-Length: 70000") + MEGABYTE[:70_000]) == [413]
    before = memory(served)
    whole = head(served, line) + chunk * megabytes + (b"0\r\n\r\n" if chunked else b"")
    assert statuses(served, whole) == [411 if chunked else 413]
    assert memory(served) - before < megabytes * 2**10 / 2


@pytest.mark.case("R-01")
def test_chunked_form_is_never_processed_whole_or_cut_off(sqlite_secure_site: Site) -> None:
    served, mail = sqlite_secure_site, f"{uuid.uuid4().hex}@firstup.example"
    body = f"email={mail}".encode()
    whole = head(served, "Transfer-Encoding: chunked") + b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    assert statuses(served, whole) == [411]
    assert statuses(served, whole[:-7])[0] in (400, 411)
    assert started(served, mail) == 0


@pytest.mark.case("R-01")
def test_form_that_breaks_off_is_not_processed(sqlite_secure_site: Site) -> None:
    served, mail = sqlite_secure_site, f"{uuid.uuid4().hex}@firstup.example"
    browser = served.browser().open(SIGN_IN)
    body = f"csrf_token={wire.form_token(browser)}&email={mail}".encode()
    cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    with wire.connected(served) as connection, suppress(OSError):
        connection.sendall(head(served, f"Content-Length: {len(body) + 9}", f"Cookie: {cookies}") + body)
        connection.unwrap()  # it ends well, but for the nine bytes
    assert wire.ask(served, "/healthz").status_code == 200
    assert started(served, mail) == 0


@pytest.mark.case("R-01")
@pytest.mark.parametrize(
    ("line", "status"),
    [
        (f"X: {'y' * 100_000}", 431),
        ("\r\n".join(f"X{n}: y" for n in range(300)), 431),
        ("Cookie: " + "y" * 9000, 431),
    ],
    ids=["100 kB", "300 headers", "long cookie"],
)
def test_large_head_is_refused_by_the_server(sqlite_secure_site: Site, line: str, status: int) -> None:
    assert statuses(sqlite_secure_site, head(sqlite_secure_site, line, start="GET / HTTP/1.1")) == [status]


@pytest.mark.case("R-01")
def test_ten_thousand_fields_are_refused(sqlite_secure_site: Site) -> None:
    browser = sqlite_secure_site.browser().open(SIGN_IN)
    form = {f"f{n}": "" for n in range(10_000)} | {"email": NICOLE, "csrf_token": wire.form_token(browser)}
    small = {name: form[name] for name in [*list(form)[:60], "email", "csrf_token"]}
    assert wire.ask(sqlite_secure_site, SIGN_IN, "POST", form=form, browser=browser).status_code == 413
    assert wire.ask(sqlite_secure_site, SIGN_IN, "POST", form=small, browser=browser).status_code == 400


@pytest.mark.case("R-01")
def test_slow_bodies_hold_up_nobody_else(sqlite_secure_site: Site) -> None:
    served = sqlite_secure_site
    slow = [wire.connected(served) for _ in range(3)]  # fewer than one process has threads
    for connection in slow:
        connection.sendall(head(served, "Content-Length: 60") + b"email=")
    assert [wire.ask(served, SIGN_IN).status_code for _ in range(8)] == [200] * 8
    for connection in slow:
        connection.close()


#


@pytest.mark.case("R-02")
@pytest.mark.parametrize(
    ("body", "query", "status"),
    [
        ("email={a}&email={b}", "", 400),
        ("email={a}&csrf_token=x", "", 400),
        ("email[]={a}", "", 422),
        ("email[x]={a}&email.y={a}", "", 422),
        ("Email={a}&email%20={a}", "", 422),
        ("", "?email={a}", 422),
        ("email={a}", "?email={b}", 303),
    ],
)
def test_field_counts_once_and_in_the_body_only(
    sqlite_secure_site: Site, body: str, query: str, status: int
) -> None:
    served, names = sqlite_secure_site, {each: f"{each}-{uuid.uuid4().hex}@firstup.example" for each in "ab"}
    browser = served.browser().open(SIGN_IN)
    sent = f"{body.format(**names)}&csrf_token={wire.form_token(browser)}".encode()
    kind, place = {"Content-Type": wire.FORM}, SIGN_IN + query.format(**names)
    assert wire.ask(served, place, "POST", headers=kind, body=sent, browser=browser).status_code == status
    assert [started(served, mail) for mail in names.values()] == [int(status == 303), 0]


#


@pytest.mark.both
@pytest.mark.case("R-04")
@pytest.mark.parametrize("field", ["email", "to", "code", "csrf_token", "path", "query", "cookie", "agent"])
def test_what_is_no_text_is_refused_wherever_it_stands(secure_site: Site, field: str) -> None:
    browser = secure_site.awaiting_code(NICOLE)
    place = browser.path if field == "code" else SIGN_IN
    for raw in (*NOT_TEXT.values(), b"\xef\xbb\xbf\x00", "\u202e".encode(), "😀".encode(), b"\xf4\x90\x80\x80"):
        escaped = "".join(f"%{byte:02x}" for byte in raw)
        form = f"csrf_token={wire.form_token(browser)}&{field}={escaped}".encode()
        request = {"method": "POST", "body": form, "browser": browser, "headers": {"Content-Type": wire.FORM}}
        if field in ("path", "query"):
            place, request = (f"/{escaped}.example" if field == "path" else f"{HOME}?q={escaped}"), {}
        if field in ("cookie", "agent"):
            header = "Cookie" if field == "cookie" else "User-Agent"
            value = raw.replace(b"\x00", b"").decode("latin-1")
            place, request = HOME, {"headers": {header: f"__Host-guestauth={value}"}}
        status = wire.ask(secure_site, place, **request).status_code
        told = raw in NOT_TEXT.values() and field not in ("cookie", "agent")
        assert status in (400, 404) if told else status < 500, raw


#


@pytest.mark.case("R-05")
@pytest.mark.parametrize(
    "cookie",
    [
        "; ".join(f"__Host-guestauth=x{n}" for n in range(50)),
        "__Host-guestauth=!!!.???; __Host-guestauth-visit=W10.x",
        f"__Host-guestauth={'x' * 8000}",
        "__Host-guestauth=\xff\xfe\xe9",
        "=__Host-guestauth=x; =__Host-guestauth-visit=y",
        "guestauth=x; guestauth-visit=y; __host-guestauth=z",
    ],
    ids=["fifty", "no base64", "8 kB", "bytes", "nameless", "other names"],
)
def test_hostile_cookie_is_as_none(sqlite_secure_site: Site, cookie: str) -> None:
    answer = wire.ask(sqlite_secure_site, HOME, headers={"Cookie": cookie})
    assert (answer.status_code, answer.headers["Location"]) == (302, f"{SIGN_IN}?to={HOME}")


#


@pytest.mark.case("R-12", "C-07", "C-10")
def test_fault_shows_a_reference_and_nothing_of_itself(sqlite_secure_site: Site) -> None:
    served, domain = sqlite_secure_site, f"broken-{uuid.uuid4().hex[:8]}.example"
    assert served.world.run("tenant", "create", "Broken", "--domain", domain).exit_code == 0
    change(served.world, "UPDATE tenants SET created_at = 'SECRET nonsense' WHERE name = 'Broken'")
    answer = wire.ask(served, f"/{domain}/sign-in?__debugger__=yes&cmd=resource&f=style.css")
    change(served.world, "UPDATE tenants SET created_at = '2026-01-01 00:00:00.000000' WHERE name = 'Broken'")
    assert answer.status_code == 500
    correlation_id = re.findall(r'<bdi class="mono">([0-9a-f]{16})</bdi>', answer.text)[0]
    assert f"{correlation_id} ValueError" in served.served.stderr()
    for inside in ("SECRET", "Traceback", "sqlalchemy", "SELECT", ".py", "ValueError", str(served.world.instance)):
        assert inside not in answer.text


@pytest.mark.case("R-12", "C-07", "K-09")
def test_database_that_is_gone_is_a_page_without_its_name(
    prepare: Prepare, certificates: Certificates, postgresql: str
) -> None:
    settings, (chain, key) = prepare("postgresql"), (certificates.server.chain, certificates.server.key)
    with site(settings, ca=certificates.ca, certfile=chain, keyfile=key) as served:
        name = settings["DATABASE_URL"].rpartition("/")[2].partition("?")[0]
        assert wire.ask(served, SIGN_IN).status_code == 200
        servers.drop_database(postgresql, name)
        answers = [wire.ask(served, path) for path in (SIGN_IN, HOME, "/readyz")]
    assert [answer.status_code for answer in answers] == [503, 503, 503]
    assert all(answer.headers["Retry-After"] == "5" for answer in answers)
    assert not any(word in answer.text for answer in answers for word in (name, "psycopg", "postgres", "SELECT"))


@pytest.mark.case("R-12", "K-02")
@pytest.mark.parametrize("path", ["/console", "/__debugger__", "/?__debugger__=yes&cmd=resource&f=debugger.js"])
def test_there_is_no_debugger(sqlite_secure_site: Site, path: str) -> None:
    answer = wire.ask(sqlite_secure_site, path)
    assert answer.status_code in (400, 404) and "Werkzeug" not in answer.text


# What the list did not have


@pytest.mark.case("R-15")
def test_compressed_body_is_not_unpacked(sqlite_secure_site: Site) -> None:
    served, mail = sqlite_secure_site, f"{uuid.uuid4().hex}@firstup.example"
    browser = served.browser().open(SIGN_IN)
    form = f"csrf_token={wire.form_token(browser)}&email={mail}".encode()
    headers = {"Content-Type": wire.FORM, "Content-Encoding": "gzip"}
    answer = wire.ask(served, SIGN_IN, "POST", headers=headers, body=gzip.compress(form), browser=browser)
    assert answer.status_code == 400 and started(served, mail) == 0


@pytest.mark.case("R-18")
@pytest.mark.parametrize(
    "said",
    [
        "",
        "unknown",
        "1.2.3.4:5678",
        "[2001:db8::1]:443",
        "fe80::1%eth0",
        "1.2.3.4, , ",
        "\xff",
        "9" * 5000,
        "' OR 1=1",
    ],
    ids=ascii,
)
def test_proxy_that_names_no_address_stops_nobody(sqlite_secure_site: Site, said: str) -> None:
    served, headers = sqlite_secure_site, {"X-Forwarded-For": said}
    browser = served.browser().open(SIGN_IN)
    form = {"csrf_token": wire.form_token(browser), "email": served.guest(), "code": "12345678"}
    place = wire.ask(served, SIGN_IN, "POST", form=form, headers=headers, browser=browser).headers["Location"]
    assert wire.ask(served, place, "POST", form=form, headers=headers, browser=browser).status_code == 303
    answer = wire.ask(served, f"{place}/code", "POST", form=form, headers=headers, browser=browser)
    assert answer.status_code == 422


@pytest.mark.case("R-17")
@pytest.mark.parametrize("endpoint", FORMS)
def test_form_with_a_field_missing_or_odd_is_told_so(sqlite_world: World, endpoint: str) -> None:
    browser, place, typed, right = come_to(sqlite_world, endpoint)
    odd = ("", "x" * 9000, "\u202e", "-1", "1e9", "9" * 50, "\x01\x02")
    forms = [{}, *({name: value for name, value in typed.items() if name != left_out} for left_out in typed)]
    forms += [{**typed, name: value} for name in typed for value in odd]
    answers = [post(sqlite_world, browser, place, {**form, "csrf_token": right}) for form in forms]
    goes_on = {200} if endpoint == "admin.add_identity_provider" else set()  # its first half leads to the second
    assert {answer.status for answer in answers} <= {303, 400, 404, 422, 429} | goes_on
