"""A page, a header or a cookie that is not good is refused, with a hint."""

import pytest

from tests.browser import Browser
from tests.pages import check_page
from tests.test_browser import FORM, HEADERS, answer, page

SUMMARY = '<div class="error-summary"><ul><li><a href="#code">Enter the code</a></li></ul></div>'
INVALID = '<label for="code">Code</label><input id="code" name="code" aria-invalid="true">'


def test_good_page_passes_with_all_it_may_have():
    rich = (
        '<h1>Hi</h1><ul><li>a<li>b</ul><p>x<br>y &amp; z</p><img src="/a.png" alt=""><dl><dt>a<dd>b</dl>'
        '<svg viewBox="0 0 1 1"><title>Dot</title><path d="M0 0"/></svg><a href="/x" aria-label="X"></a>'
        "<table><tr><td>1<tr><td>2</table><details><summary>More</summary>text</details>"
        '<span id="hint">8 digits</span><label for="c">Code</label><input id="c" aria-describedby="hint">'
    )
    check_page(page(rich + FORM + '<script src="/static/a.js" defer></script>', h1=""), "/")
    check_page(page(SUMMARY + INVALID, title="Error: Enter code"), "/")


@pytest.mark.parametrize(
    ("html", "hint"),
    [
        (page()[15:], "must begin with <!doctype html>"),
        (page().replace(' lang="en"', ""), "language"),
        (page(h1=""), "exactly one <h1>, not 0"),
        (page("<h1>Two</h1>"), "exactly one <h1>, not 2"),
        (page(h1="<h1> </h1>"), "<h1> is empty"),
        (page(title=" "), "<title> is empty"),
        (page("<main>x</main>"), "exactly one <main>, not 2"),
        (page('<p id="a">x</p><p id="a">y</p>'), 'id="a" stands 2 times'),
        (page('<p class="a" class="b">x</p>'), "attribute class 2 times"),
        (page("<div><p>x</p>"), "<div> is open"),
        (page("</div>"), "</div> closes nothing"),
        (page('<input name="a">'), "has no label"),
        (page('<select name="a"><option>1</select>'), "has no label"),
        (page('<textarea name="a"></textarea>'), "has no label"),
        (page('<label for="a"> </label><input id="a">'), "has no label"),
        (page('<label for="b">B</label>'), 'for names "b"'),
        (page('<p aria-describedby="a b" id="a">x</p>'), 'aria-describedby names "b"'),
        (page('<p aria-labelledby="c">x</p>'), 'aria-labelledby names "c"'),
        (page('<form method="get"></form>'), "has no action"),
        (page('<form action="/"></form>'), 'say method="post"'),
        (page('<form action="/" method="post"></form>'), "no csrf_token"),
        (page('<form action="/" method="get"><form></form></form>'), "form inside a form"),
        (page('<p style="color: red">x</p>'), "blocks style="),
        (page('<p onclick="x()">x</p>'), "blocks onclick="),
        (page("<style>p {}</style>"), "inline <style>"),
        (page("<script>x()</script>"), "inline <script>"),
        (page('<a href=" JavaScript:x()">x</a>'), "a button in a form"),
        (page('<a href="/"><span></span></a>'), "has no text"),
        (page('<img src="/a.png">'), "has no alt"),
        (page(SUMMARY + INVALID), 'starts with "Error: "'),
        (page(SUMMARY, title="Error: x"), "must lead to a field"),
        (page(SUMMARY + INVALID.replace("true", "false"), title="Error: x"), 'aria-invalid="true"'),
    ],
)
def test_page_that_is_not_good_is_refused_with_a_hint(html, hint):
    with pytest.raises(AssertionError) as caught:
        check_page(html, "/x")
    assert hint in str(caught.value)


def test_errors_are_the_texts_of_the_error_summary():
    html = page(SUMMARY + INVALID, title="Error: Enter code")
    browser = Browser(answer(html, status=422)).open("/")
    assert (browser.errors, browser.status, browser.title) == (["Enter the code"], 422, "Error: Enter code")
    assert Browser(answer()).open("/").errors == []


@pytest.mark.parametrize(
    ("header", "value", "hint"),
    [
        ("Content-Security-Policy", "", "default-src 'none'"),
        (
            "Content-Security-Policy",
            HEADERS["Content-Security-Policy"] + " 'unsafe-inline'",
            "nothing unsafe-",
        ),
        ("Content-Security-Policy", HEADERS["Content-Security-Policy"] + "; frame-src 'self'", "under /dev"),
        ("X-Content-Type-Options", "", "nosniff"),
        ("Referrer-Policy", "no-referrer", "same-origin"),
        ("Cross-Origin-Opener-Policy", "", "is missing"),
        ("Permissions-Policy", "", "is missing"),
        ("Cache-Control", "private", "no-store"),
        ("Vary", "Accept", "Vary must name Cookie"),
        ("Set-Cookie", "a=1; Path=/; SameSite=Lax", "lacks HttpOnly"),
        ("Set-Cookie", "a=1; HttpOnly; Path=/; SameSite=Lax; Domain=a.example", "no Domain"),
        ("Set-Cookie", "__Host-a=1; HttpOnly; Path=/; SameSite=Lax", "begin with __Host-"),
    ],
)
def test_answer_without_its_headers_is_refused_with_a_hint(header, value, hint):
    with pytest.raises(AssertionError, match=hint):
        Browser(answer(headers={header: value})).open("/")


def test_pages_for_developers_may_frame_and_static_files_may_be_kept():
    framing = HEADERS["Content-Security-Policy"] + "; frame-src 'self'"
    assert Browser(answer(headers={"Content-Security-Policy": framing})).open("/dev/gallery").status == 200
    kept = answer("<!x", headers={"Cache-Control": "max-age=60", "Vary": ""}, mimetype="text/css")
    assert Browser(kept).open("/static/a.css").text == "<!x"


def test_answer_to_a_redirect_is_checked_at_each_hop():
    bad = answer(status=303, headers={"Location": "/", "Permissions-Policy": ""})
    with pytest.raises(AssertionError, match="Permissions-Policy is missing"):
        Browser(bad).open("/")
    with pytest.raises(AssertionError, match="redirected 10 times"):
        Browser(answer(status=303, headers={"Location": "/"})).open("/")


def test_words_of_a_page_are_read_as_a_person_reads_them():
    html = page("<p>a<b>b</b>c<!-- x --> d</p><p>e<br>f</p>")
    assert Browser(answer(html)).open("/").text == "Apps abc d e f"
