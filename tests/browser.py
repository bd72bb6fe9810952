"""A browser for the tests: opens pages, follows links and submits the form it sees.

Works on the application in-process and on a real server alike. The one thing to understand: it does only what
a person can do on the page before them, sends what a browser sends (cookies, Referer, Origin,
Sec-Fetch-Site), and checks every page and answer it gets by `tests/pages.py`.
What must stay true: a test that passes here would pass by hand, without scripts.
Called by tests of pages. It runs no scripts and shows nothing; the tests in `tests/e2e` use Chromium.
"""

import copy
import ssl
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlencode, urljoin

import httpx
from lxml.html import HtmlElement

from tests.forms import submission
from tests.pages import check_answer, check_page, summary_of, words

MOST_HOPS = 10


class Browser:
    """One person's browser: `Browser(app)` in-process, `Browser(url=…)` on a real server.

    `response` is the last answer, `history` the redirects that led there, oldest first.
    """

    def __init__(
        self,
        app: Callable[..., Any] | None = None,
        *,
        url: str = "http://127.0.0.1:5000",
        ca: Path | None = None,
        language: str = "en",
        remote_addr: str = "127.0.0.1",
        behind_proxy: bool = False,
    ) -> None:
        """`ca`: PEM file to trust on https; `language`: Accept-Language.

        `remote_addr`: whence it comes; on a real server only if that trusts a proxy, `behind_proxy`.
        """
        self._settings = {"url": url, "ca": ca, "language": language}
        self._settings |= {"remote_addr": remote_addr, "behind_proxy": behind_proxy}
        self._app = app
        transport = app and httpx.WSGITransport(_with_bytes_in_path(app), remote_addr=remote_addr)
        self._client = httpx.Client(
            transport=transport,
            base_url=url,
            verify=ssl.create_default_context(cafile=ca) if ca else app is None,
            trust_env=False,
            timeout=30,
            limits=httpx.Limits(keepalive_expiry=1),  # before gunicorn hangs up, at 2 s
            headers={
                "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
                "Accept-Language": language,
                "User-Agent": "Mozilla/5.0 (GuestAuth tests)",
                **({"X-Forwarded-For": remote_addr} if behind_proxy else {}),
            },
        )
        self.response: httpx.Response | None = None
        self.history: list[httpx.Response] = []
        self._page: HtmlElement | None = None
        self._left_for: str | None = None

    # What a person does.

    def open(self, path: str, **query: str) -> Self:
        """Type an address, or follow a link from a letter: a path or a whole address of this site."""
        url = urljoin(str(self._client.base_url), path)
        assert self._is_here(url), f"{url} is not on {self._client.base_url}: is PUBLIC_URL right?"
        if query:
            url += ("&" if "?" in url else "?") + urlencode(query)
        return self._go("GET", url, headers={"Sec-Fetch-Site": "none"})

    def click(self, link_text: str) -> Self:
        """Follow the link with this text, all of it; links of the same text must lead to the same place."""
        links = [(words(link), link.get("href")) for link in self.page.xpath("//a[@href]")]
        found = {href for text, href in links if text == link_text}
        assert len(found) == 1, f"{len(found)} links say {link_text!r}; the page has {links}"
        url = urljoin(self.url, found.pop())
        if not self._is_here(url):
            return self._leave(url)
        return self._go("GET", url, headers=self._from_this_page())

    def submit(self, form_id: str, button: tuple[str, str] | None = None, **fields: object) -> Self:
        """Fill in the form as it stands on the page and press its button, `button=(name, value)` if several.

        A field is text, a choice, a list of choices, True/False for a checkbox, or (file name, content).
        """
        sent = submission(self.form(form_id), self.url, button, fields)
        content = {"data": sent.data, "files": sent.files} if sent.method == "POST" else {}
        return self._go(sent.method, sent.url, by_form=True, headers=self._from_this_page(sent.method), **content)

    def post(
        self, path: str, data: Mapping[str, Any] | None = None, *, headers: Mapping[str, str] | None = None
    ) -> Self:
        """Post what no form offers, as a script on this page could; `headers` are added or replaced."""
        url = urljoin(self.url if self.response else str(self._client.base_url), path)
        sent = {**(self._from_this_page("POST") if self.response else {}), **(headers or {})}
        return self._go("POST", url, data=data or {}, headers=sent)

    def fork(self) -> "Browser":
        """Give a second browser with a copy of the cookies: a thief's, or a second device."""
        other = self.new()
        for cookie in self._client.cookies.jar:
            other._client.cookies.jar.set_cookie(copy.copy(cookie))
        return other

    def new(self, **settings: Any) -> "Browser":
        """Give a different browser on the same application, with other settings if given."""
        return Browser(self._app, **{**self._settings, **settings})

    def keep(self, name: str, value: str) -> None:
        """Take a cookie of this site's, as if an answer had set it."""
        self._client.cookies.set(name, value, domain=self._client.base_url.host)

    # What a person sees.

    @property
    def page(self) -> HtmlElement:
        """The document before the person."""
        assert self._left_for is None, f"the browser has left for {self._left_for}"
        assert self._page is not None, "there is no page: nothing opened yet, or it is not HTML"
        return self._page

    @property
    def h1(self) -> str:
        return words(self.page.find(".//h1"))

    @property
    def title(self) -> str:
        return words(self.page.find(".//title"))

    @property
    def text(self) -> str:
        """All words of the page; for an answer that is not HTML, its text as it is."""
        return self._answer.text if self._page is None else words(self.page.body)

    @property
    def errors(self) -> list[str]:
        """The texts of the error summary: its list items, or else its links."""
        summary = summary_of(self.page)
        if summary is None:
            return []
        return [words(each) for each in summary.xpath(".//li") or summary.xpath(".//a")]

    def form(self, form_id: str) -> HtmlElement:
        """The form with this id."""
        forms = {form.get("id"): form for form in self.page.iter("form")}
        assert form_id in forms, f"the page {self.title!r} has no form {form_id!r}, but {list(forms)}"
        return forms[form_id]

    def has_form(self, form_id: str) -> bool:
        """Whether a form with this id is there."""
        return any(form.get("id") == form_id for form in self.page.iter("form"))

    # What the machine sees.

    @property
    def status(self) -> int:
        return self._answer.status_code

    @property
    def url(self) -> str:
        """The address in the address bar, whole."""
        return self._left_for or str(self._answer.url)

    @property
    def path(self) -> str:
        """The address without scheme, host and query."""
        return httpx.URL(self.url).path

    @property
    def headers(self) -> httpx.Headers:
        return self._answer.headers

    @property
    def cookies(self) -> dict[str, str]:
        """The cookies it keeps, by name."""
        return {cookie.name: cookie.value or "" for cookie in self._client.cookies.jar}

    def json(self) -> Any:
        """The answer read as JSON."""
        return self._answer.json()

    @property
    def _answer(self) -> httpx.Response:
        assert self.response is not None, "nothing opened yet"
        return self.response

    def _from_this_page(self, method: str = "GET") -> dict[str, str]:
        """What a browser says about where a request comes from, by our Referrer-Policy same-origin."""
        here = self._answer.url
        sent = {"Referer": str(here.copy_with(fragment=None)), "Sec-Fetch-Site": "same-origin"}
        if method == "POST":
            sent["Origin"] = f"{here.scheme}://{here.netloc.decode()}"
        return sent

    def _is_here(self, url: str) -> bool:
        one, other = httpx.URL(url), self._client.base_url
        return (one.scheme, one.host, one.port) == (other.scheme, other.host, other.port)

    def _leave(self, url: str) -> Self:
        self._page, self._left_for = None, url
        return self

    def _go(self, method: str, url: str, *, by_form: bool = False, **options: Any) -> Self:
        options["headers"] = {
            "Sec-Fetch-Mode": "navigate",
            "Sec-Fetch-Dest": "document",
            **options["headers"],
        }
        request: httpx.Request | None = self._client.build_request(method, url, **options)
        self.history, self._left_for, self._page = [], None, None
        while request is not None:
            self.response = self._client.send(request, follow_redirects=False)
            check_answer(self.response)
            request = self.response.next_request
            if request is None:
                break
            self.history.append(self.response)
            assert len(self.history) <= MOST_HOPS, f"redirected {MOST_HOPS} times, last to {request.url}"
            if not self._is_here(str(request.url)):
                assert not by_form, BLOCKED.format(request.url)
                return self._leave(str(request.url))
            if request.method == "GET":
                request.headers.pop("Origin", None)
        if self.headers.get("Content-Type", "").startswith("text/html"):
            self._page = check_page(self._answer.text, self.url)
        return self


BLOCKED = (
    "a form's answer redirects to {}: Chromium blocks that, since form-action 'self' holds for the whole "
    "way; show a page with a link instead"
)


def _with_bytes_in_path(app: Callable[..., Any]) -> Callable[..., Any]:
    """Give WSGI its path as PEP 3333 wants it, bytes as latin-1; httpx gives it decoded."""

    def with_bytes_in_path(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        path = environ["PATH_INFO"].encode().decode("latin-1")
        return app({**environ, "PATH_INFO": path}, start_response)

    return with_bytes_in_path
