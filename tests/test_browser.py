"""The tests' browser does what a person's does, and refuses a page that is not good."""

import pytest
from flask import Flask, Response, redirect, request

from tests import servers
from tests.browser import Browser
from tests.forms import submission
from tests.pages import check_page

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'; style-src 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=()",
    "Cache-Control": "no-store",
    "Vary": "Cookie",
}
PAGE = '<!doctype html><html lang="en"><head><title>{}</title></head><body><main>{}</main></body></html>'
FORM = """<form id="f" action="/sent" method="post" enctype="multipart/form-data">
<input type="hidden" name="csrf_token" value="t0">
<label>Name <input name="name" value="Alex" maxlength="8"></label>
<label>Note <textarea name="note"></textarea></label>
<label>Role <select name="role"><option value="g" selected>Guest<option value="m">Member</select></label>
<label>News <input type="checkbox" name="news" value="yes"></label>
<label>One <input type="radio" name="way" value="1"></label>
<label>Two <input type="radio" name="way" value="2"></label>
<label>List <input type="file" name="list"></label>
<label>Fixed <input name="fixed" value="x" readonly></label>
<button name="decision" value="accept">Accept</button><button name="decision" value="cancel">Cancel</button>
</form>"""


def page(body="", title="Apps", h1="<h1>Apps</h1>"):
    return PAGE.format(title, h1 + body)


def answer(body="", headers=(), **options):
    return Response(body if body.startswith("<!") else page(body), headers={**HEADERS, **dict(headers)}, **options)


def site():
    """An application with a form, a visit counted in a cookie, and redirects."""
    app = Flask("site")

    @app.get("/")
    def home():
        return answer(f'{FORM}<a href="/count">Count  me</a><a href="https://other.example/">Away</a>')

    @app.post("/sent")
    def sent():
        fields = [f"{name}={value}" for name, value in sorted(request.form.items(multi=True))]
        files = [f"{name}={file.filename}" for name, file in request.files.items()]
        origin = [request.headers[name] for name in ("Origin", "Referer", "Sec-Fetch-Site")]
        return answer(" ".join(fields + files + origin).replace("\r\n", "⏎"))

    @app.get("/count")
    def count():
        name = "__Host-visits" if request.is_secure else "visits"
        response = redirect("/counted?é", 303)
        response.headers.extend(HEADERS)
        visits = str(int(request.cookies.get(name, "0")) + 1)
        response.set_cookie(name, visits, secure=request.is_secure, httponly=True, samesite="Lax")
        return response

    @app.get("/counted")
    def counted():
        return answer(f"{request.headers['Sec-Fetch-Site']} {sorted(request.cookies.items())}")

    @app.route("/away", methods=["GET", "POST"])
    def away():
        return answer(status=303, headers={"Location": "https://other.example/"})

    @app.get("/<path:rest>")
    def rest(rest):
        return answer(rest)

    return app


@pytest.fixture
def browser():
    return Browser(site()).open("/")


# What a person does


def test_form_is_sent_as_it_stands_with_what_was_filled_in(browser):
    browser.submit("f", button=("decision", "accept"), name="Nicole", note="a\nb", news=True, way=2)
    assert browser.text == (
        "Apps csrf_token=t0 decision=accept fixed=x name=Nicole news=yes note=a⏎b role=g way=2 "
        "http://127.0.0.1:5000 http://127.0.0.1:5000/ same-origin"
    )


def test_file_is_uploaded(browser):
    browser.submit("f", ("decision", "accept"), list=("guests.csv", b"a,b"))
    assert "list=guests.csv" in browser.text
    assert browser.open("/").submit("f", ("decision", "cancel")).status == 200


@pytest.mark.parametrize(
    ("fields", "hint"),
    [
        ({"nickname": "x"}, "cannot fill in 'nickname'"),
        ({"csrf_token": "x"}, "cannot fill in 'csrf_token'"),
        ({"fixed": "y"}, "cannot fill in 'fixed'"),
        ({"name": "x" * 9}, "cannot type 9 characters"),
        ({"role": "admin"}, "'role' offers"),
        ({"way": "3"}, "'way' offers"),
        ({"button": ("decision", "delete")}, "cannot press"),
        ({"button": None}, "say which button"),
    ],
)
def test_person_cannot_send_what_the_form_does_not_offer(browser, fields, hint):
    with pytest.raises(AssertionError, match=hint):
        browser.submit("f", **{"button": ("decision", "accept"), **fields})


def test_form_that_reads_puts_its_fields_into_the_address():
    form = check_page(
        page('<form action="/find?old=1" method="get"><input name="q" aria-label="q"><button>Go</button></form>'),
        "/",
    ).find(".//form")
    assert submission(form, "http://here/x", None, {"q": "a b"}).url == "http://here/find?q=a+b"


def test_unknown_form_and_unknown_link_are_named(browser):
    with pytest.raises(AssertionError, match="no form 'g', but \\['f'\\]"):
        browser.submit("g")
    with pytest.raises(AssertionError, match="0 links say 'Apples'"):
        browser.click("Apples")


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:5000", "https://127.0.0.1", "http://localhost:5000", "https://fabrikam.example"]
)
def test_cookies_are_kept_and_redirects_followed_one_by_one(url):
    browser = Browser(site(), url=url).open("/count").open("/").click("Count me")
    name = "__Host-visits" if url.startswith("https") else "visits"
    assert browser.text == f"Apps same-origin [('{name}', '2')]"
    assert (browser.path, [hop.status_code for hop in browser.history]) == ("/counted", [303])
    assert browser.cookies == {name: "2"}


def test_fork_has_the_cookies_and_a_new_browser_has_none(browser):
    browser.open("/count")
    thief, stranger = browser.fork(), browser.new()
    assert thief.open("/counted").text == "Apps none [('visits', '1')]"
    assert stranger.open("/counted").text == "Apps none []"
    thief.open("/count")
    assert browser.cookies == {"visits": "1"}


def test_browser_leaves_by_a_link_but_not_by_the_answer_to_a_form(browser):
    assert browser.click("Away").url == "https://other.example/"
    with pytest.raises(AssertionError, match="left for"):
        _ = browser.page
    assert browser.open("/away").url == "https://other.example/"
    app = site()
    app.view_functions["sent"] = app.view_functions["away"]
    with pytest.raises(AssertionError, match="Chromium blocks"):
        Browser(app).open("/").submit("f", ("decision", "accept"))


def test_raw_post_sends_what_no_form_offers(browser):
    browser.post("/sent", {"csrf_token": "t0", "fixed": ["y", "z"]}, headers={"Origin": "https://evil.example"})
    assert "csrf_token=t0 fixed=y fixed=z https://evil.example http" in browser.text


def test_path_with_letters_beyond_ascii_arrives(browser):
    assert browser.open("/käse").text == "Apps käse"


def test_address_of_another_site_is_not_opened(browser):
    with pytest.raises(AssertionError, match="PUBLIC_URL"):
        browser.open("https://other.example/")


def test_real_server_is_browsed_like_the_application_in_process(tmp_path):
    (tmp_path / "app.py").write_text(
        "from tests.test_browser import site; app = site()\napp.add_url_rule('/healthz', view_func=lambda: 'up')"
    )
    env = {"PYTHONPATH": str(servers.ROOT)}
    with (
        servers.certificates() as made,
        servers.gunicorn(env, cwd=tmp_path, certfile=made.server.chain, keyfile=made.server.key) as served,
    ):
        browser = Browser(url=served.url, ca=made.ca).open("/count")
        assert browser.text == "Apps none [('__Host-visits', '1')]"
        with pytest.raises(Exception, match="CERTIFICATE_VERIFY_FAILED"):
            Browser(url=served.url).open("/")
