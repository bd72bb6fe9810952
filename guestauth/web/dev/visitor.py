"""Somebody who goes through pages without a window: opens them and submits the forms they see.

The one thing to understand: only what stands on the page is sent, with its token and its cookies; so a page that
is reached here is reached by the same code as in a browser.

Called by the gallery.
"""

from html.parser import HTMLParser
from io import BytesIO
from typing import Any, Self
from urllib.parse import urlsplit

from flask import Flask
from werkzeug.test import TestResponse

BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


class Visitor:
    """A person at an application of this process; `answer` is the last one."""

    def __init__(self, app: Flask, origin: str, language: str) -> None:
        self._client, self._origin = app.test_client(), origin
        self._headers = {"User-Agent": BROWSER, "Accept-Language": language, "Accept": "text/html"}
        self.answer: TestResponse | None = None

    @property
    def html(self) -> str:
        """The page before them."""
        return self.answer.get_data(as_text=True) if self.answer else ""

    @property
    def path(self) -> str:
        """Its address, without the site and the query."""
        return self.answer.request.path if self.answer else "/"

    def open(self, address: str) -> Self:
        """Type an address, or follow a link."""
        parts = urlsplit(address)
        return self.ask("GET", parts.path + (f"?{parts.query}" if parts.query else ""))

    def submit(self, form_id: str, button: tuple[str, str] | None = None, **typed: Any) -> Self:
        """Fill in the form with this id and press its button; a file is `(content, name)`."""
        form = _Form(form_id)
        form.feed(self.html)
        form.close()
        sent = {**form.values, **dict([button] if button else []), **typed}
        files = {
            name: (BytesIO(value[0]), value[1]) if isinstance(value, tuple) else value
            for name, value in sent.items()
        }
        if form.method == "get":
            return self.ask("GET", form.action, query_string=sent)
        return self.ask("POST", form.action, data=files)

    def ask(self, method: str, path: str, **more: Any) -> Self:
        """Send any request, also one that no page of ours would."""
        self.answer = self._client.open(
            path, method=method, base_url=self._origin, headers=self._headers, follow_redirects=True, **more
        )
        return self


class _Form(HTMLParser):
    """Reads one form: where it goes, and what it would send as it stands."""

    def __init__(self, form_id: str) -> None:
        super().__init__()
        self._id, self._inside, self._area, self._select = form_id, False, "", ""
        self.action, self.method = "", "get"
        self.values: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the form and its fields."""
        have = {name: value or "" for name, value in attrs}
        if tag == "form" and have.get("id") == self._id:
            self._inside, self.action, self.method = True, have["action"], have.get("method", "get").lower()
        if not self._inside:
            return
        name = have.get("name", "")
        if tag == "input" and name and have.get("type") != "file":
            choice = have.get("type") in ("radio", "checkbox")
            if not choice or "checked" in have:
                self.values[name] = have.get("value", "on" if choice else "")
        elif tag == "textarea":
            self._area, self.values[name] = name, ""
        elif tag == "select":
            self._select = name
        elif tag == "option" and ("selected" in have or self._select not in self.values):
            self.values[self._select] = have.get("value", "")

    def handle_data(self, data: str) -> None:
        """Note what stands in a text area."""
        if self._area:
            self.values[self._area] += data

    def handle_endtag(self, tag: str) -> None:
        """Close what was open."""
        if tag == "textarea":
            self._area = ""
        elif tag == "form":
            self._inside = False

    def close(self) -> None:
        """Fail if the page has no such form."""
        super().close()
        if not self.action:
            raise LookupError(f"the page has no form {self._id!r}")
