"""What every page and every answer of the application must be, checked on each one a test opens.

Finds everything that is wrong with a page, its headers and its cookies, and says how to mend it. The one
thing to understand: a check is a function that yields hints; no hint means the page is good.
Called by `tests/browser.py`. It does not know any single page; what a page says is for its own test.
"""

import re
from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser
from urllib.parse import urlsplit

import httpx
import lxml.html
from lxml import etree
from lxml.html import HtmlElement

Hints = Iterator[str]

VOID = frozenset(
    ("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr")
)
MAY_STAY_OPEN = frozenset(
    ("body", "colgroup", "dd", "dt", "head", "html", "li", "optgroup", "option", "p", "tbody", "td", "tfoot")
).union(("th", "thead", "tr"))
INLINE = frozenset(
    ("a", "abbr", "b", "bdi", "cite", "code", "em", "i", "kbd", "mark", "q", "s", "samp", "small", "span")
).union(("strong", "sub", "sup", "time", "u", "var", "wbr"))
FIELDS = (
    "//select | //textarea | //input[not(@type='hidden' or @type='submit' or @type='button' "
    "or @type='reset' or @type='image')]"
)
ERROR = {"en": "Error: ", "nl": "Fout: ", "zh-Hant-TW": "錯誤："}  # how a title starts then
SUMMARY = "//*[@id='error-summary' or contains(concat(' ', normalize-space(@class), ' '), ' error-summary ')][1]"


def check_page(html: str, name: str) -> HtmlElement:
    """Parse a page and check it; give its document. AssertionError has a hint for everything wrong."""
    page = lxml.html.document_fromstring(html.encode(), parser=lxml.html.HTMLParser(encoding="utf-8"))
    for area in page.iter("textarea"):
        area.text = (area.text or "").removeprefix("\n")  # as browsers do
    hints = list(_markup(html))
    for check in (_frame, _ids, _labels, _references, _forms, _inline, _links, _images, _summary):
        hints += check(page)
    _report(hints, f"the page {name}")
    return page


def check_answer(response: httpx.Response) -> None:
    """Check the headers and cookies of any answer, errors, redirects and static files included."""
    hints = [*_policy(response), *_headers(response), *_cookies(response)]
    _report(hints, f"the answer {response.status_code} of {response.url}")


def summary_of(page: HtmlElement) -> HtmlElement | None:
    """Find the error summary: `id="error-summary"` or `class="error-summary"`."""
    return next(iter(page.xpath(SUMMARY)), None)


def words(element: HtmlElement) -> str:
    """Give an element's text as a person reads it: blocks apart, white space as single spaces."""
    parts: list[str] = []
    for event, node in etree.iterwalk(element, events=("start", "end", "comment")):
        apart = "" if event == "comment" or node.tag in INLINE else " "
        inside = node.text if event == "start" else node.tail if node is not element else ""
        parts += [apart, inside or ""]
    return " ".join("".join(parts).split())


def _report(hints: list[str], what: str) -> None:
    assert not hints, f"{what} needs mending:" + "".join(f"\n- {hint}" for hint in hints)


def _say(element: HtmlElement) -> str:
    attributes = "".join(f' {key}="{value}"' for key, value in element.attrib.items())
    return f"<{element.tag}{attributes}>"


# The page


class _Tags(HTMLParser):
    """Reads tags as they are written, before a lenient parser repairs them."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.hints: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        line = self.getpos()[0]
        for name, times in Counter(name for name, _ in attrs).items():
            if times > 1:
                self.hints.append(f"line {line}: <{tag}> has the attribute {name} {times} times; keep one")
        if tag == "form" and "form" in self.open:
            self.hints.append(f"line {line}: a form inside a form; browsers drop it, close the outer first")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open[-1] != tag and self.open[-1] in MAY_STAY_OPEN:
            self.open.pop()
        if self.open and self.open[-1] == tag:
            self.open.pop()
        else:
            inside = f"<{self.open[-1]}>" if self.open else "nothing"
            self.hints.append(f"line {self.getpos()[0]}: </{tag}> closes nothing, {inside} is open")


def _markup(html: str) -> Hints:
    if not html.lstrip().lower().startswith("<!doctype html>"):
        yield "it must begin with <!doctype html>, or browsers fall back to quirks"
    tags = _Tags()
    tags.feed(html)
    tags.close()
    yield from tags.hints
    for tag in tags.open:
        if tag not in MAY_STAY_OPEN:
            yield f"<{tag}> is never closed"


def _frame(page: HtmlElement) -> Hints:
    if not page.get("lang"):
        yield 'give <html> its language: lang="en", for screen readers'
    for tag in ("h1", "main", "title"):
        # An <svg> has titles of its own.
        found = page.xpath("/html/head/title") if tag == "title" else page.xpath(f"//{tag}")
        if len(found) != 1:
            yield f"exactly one <{tag}>, not {len(found)}"
        elif not words(found[0]):
            yield f"<{tag}> is empty"


def _ids(page: HtmlElement) -> Hints:
    for name, times in Counter(page.xpath("//@id")).items():
        if times > 1 or not name.strip() or " " in name:
            yield f'id="{name}" stands {times} times; an id is one word, once in a page'


def _labels(page: HtmlElement) -> Hints:
    labelled = {label.get("for") for label in page.iter("label") if words(label)}
    for field in page.xpath(FIELDS):
        wrapped = any(words(label) for label in field.iterancestors("label"))
        named = field.get("aria-label", "").strip() or field.get("aria-labelledby")
        if not (wrapped or named or (field.get("id") in labelled)):
            yield f'{_say(field)} has no label: give it an id and a <label for="…"> with words'


def _references(page: HtmlElement) -> Hints:
    ids = set(page.xpath("//@id"))
    for attribute in ("for", "aria-describedby", "aria-labelledby"):
        for element in page.xpath(f"//*[@{attribute}]"):
            for missing in set(element.get(attribute).split()) - ids:
                yield f'{_say(element)}: {attribute} names "{missing}", and no element has that id'


def _forms(page: HtmlElement) -> Hints:
    for form in page.iter("form"):
        if not form.get("action"):
            yield f"{_say(form)} has no action: name the place it posts to, with url_for"
        method = form.get("method", "").lower()
        if method not in ("get", "post"):
            yield f'{_say(form)}: say method="post" (changes something) or method="get"'
        if method == "post" and not any(form.xpath(".//input[@name='csrf_token']/@value")):
            yield f"{_say(form)} has no csrf_token: put {{{{ form.csrf_token }}}} into it"


def _inline(page: HtmlElement) -> Hints:
    for element in page.iter("style", "script"):
        if element.tag == "style" or (element.text or "").strip():
            yield f"inline <{element.tag}>: the security policy blocks it, move it to a file in static/"
    for element in page.xpath("//*[@*]"):
        for name, value in element.attrib.items():
            if name == "style" or name.startswith("on"):
                yield f"{_say(element)}: the security policy blocks {name}=, use the stylesheet or a script"
            if name != "value" and re.match(r"[\s\x00-\x1f]*javascript:", value, re.IGNORECASE):
                yield f"{_say(element)}: a javascript: address never works here, use a button in a form"


def _links(page: HtmlElement) -> Hints:
    for link in page.xpath("//a[@href]"):
        if not (words(link) or link.get("aria-label") or any(link.xpath(".//img/@alt"))):
            yield f"{_say(link)} has no text: say where it leads"


def _images(page: HtmlElement) -> Hints:
    for image in page.xpath("//img[not(@alt)] | //input[@type='image'][not(@alt)]"):
        yield f'{_say(image)} has no alt: describe it, or alt="" for an ornament'


def _summary(page: HtmlElement) -> Hints:
    summary = summary_of(page)
    if summary is None:
        return
    error = ERROR.get(page.get("lang", ""), ERROR["en"])
    if not "".join(page.xpath("/html/head/title/text()")).strip().startswith(error):
        yield f'a page with an error summary has a title that starts with "{error}"'
    for link in summary.iter("a"):
        target = link.get("href", "")
        if not target.startswith("#") or not page.xpath(f"({FIELDS})[@id=$id]", id=target[1:]):
            yield f"the error summary's {_say(link)} must lead to a field of this page, by #id"
        elif not page.xpath("//*[@id=$id][@aria-invalid='true']", id=target[1:]):
            yield f'the error summary names the field {target}: mark it aria-invalid="true"'


# The answer


def _policy(response: httpx.Response) -> Hints:
    header = response.headers.get("Content-Security-Policy", "")
    policy = {rule.split()[0]: rule.split()[1:] for rule in header.lower().split(";") if rule.split()}
    demo = urlsplit(str(response.url)).path.startswith("/dev")
    wanted = {"default-src": "'none'", "base-uri": "'none'", "form-action": "'self'"}
    for rule, source in wanted.items():
        if policy.get(rule) != [source]:
            yield f"Content-Security-Policy must say {rule} {source}, not {policy.get(rule)}"
    if policy.get("frame-ancestors") != ["'none'"] and not (demo and _is_own(policy, "frame-ancestors")):
        yield "Content-Security-Policy must say frame-ancestors 'none': no site may frame a page"
    if "frame-src" in policy and not (demo and _is_own(policy, "frame-src")):
        yield "Content-Security-Policy may say frame-src 'self' under /dev and nowhere else"
    if "unsafe-" in header or " *" in header:
        yield f"Content-Security-Policy must allow nothing unsafe- and no *: {header}"


def _is_own(policy: dict[str, list[str]], rule: str) -> bool:
    return policy.get(rule) in (["'self'"], ["'none'"])


def _headers(response: httpx.Response) -> Hints:
    have = response.headers
    wanted = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin"}
    for name, value in wanted.items():
        if have.get(name, "").lower() != value:
            yield f"{name} must be {value}, not {have.get(name)}"
    for name in ("Cross-Origin-Opener-Policy", "Permissions-Policy"):
        if not have.get(name):
            yield f"{name} is missing"
    path = urlsplit(str(response.url)).path
    if path.startswith(("/static/", "/accent/")) or path.endswith("/logo") or path in ("/healthz", "/readyz"):
        return
    if "no-store" not in have.get("Cache-Control", ""):
        yield f"Cache-Control must say no-store, not {have.get('Cache-Control')}: pages are personal"
    if "cookie" not in {name.strip().lower() for name in have.get("Vary", "").split(",")}:
        yield f"Vary must name Cookie, not {have.get('Vary')}: the same address differs by session"


def _cookies(response: httpx.Response) -> Hints:
    secure = response.url.scheme == "https"
    for header in response.headers.get_list("Set-Cookie"):
        first, *rest = (part.strip() for part in header.split(";"))
        name, said = first.split("=")[0], {part.lower() for part in rest}
        for attribute in ("HttpOnly", "SameSite=Lax", "Path=/", *(["Secure"] if secure else [])):
            if attribute.lower() not in said:
                yield f"the cookie {name} lacks {attribute} (also needed when it is deleted): {header}"
        if any(part.startswith("domain") for part in said):
            yield f"the cookie {name} must have no Domain, so that no other host gets it"
        if name.startswith("__Host-") != secure:
            yield f"the cookie {name} must begin with __Host- on https, and only there"
