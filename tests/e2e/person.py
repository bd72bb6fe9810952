"""Somebody with a real browser: opens, presses and types, and notes whatever the browser complains about.

The one thing to understand: `complaints` has every console error, script fault and violation of the content
security policy of every page and tab; the fixture that makes a person fails a test that leaves one.
A 4xx answer to a form is no complaint: Chromium notes it, but it is what the page should answer.
"""

from typing import Self

from playwright.sync_api import BrowserContext, ConsoleMessage, Page

from tests.e2e.site import HOME, Site

REPORT_VIOLATIONS = """addEventListener("securitypolicyviolation", (event) =>
  console.error("content security policy:", event.violatedDirective, event.blockedURI))"""
SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
PATIENCE = 8000  # ms


class Person:
    """A person at a site; `page` is the tab before them."""

    def __init__(self, site: Site, context: BrowserContext) -> None:
        self.site, self.context = site, context
        self.complaints: list[str] = []
        context.set_default_timeout(PATIENCE)
        context.add_init_script(REPORT_VIOLATIONS)
        context.on("console", self._listen)
        context.on("weberror", lambda fault: self.complaints.append(str(fault.error)))
        self.page: Page = context.new_page()

    def new_tab(self) -> "Person":
        """Give the same person looking at another tab."""
        other = object.__new__(Person)
        other.__dict__ = {**self.__dict__, "page": self.context.new_page()}
        return other

    def open(self, path: str) -> Self:
        """Type an address."""
        self.page.goto(path if "://" in path else self.site.url + path)
        return self

    def press(self, words: str, *, double: bool = False) -> Self:
        """Press the button, or follow the link, that says exactly this."""
        where = self.page.get_by_role("button", name=words, exact=True).or_(
            self.page.get_by_role("link", name=words, exact=True)
        )
        where.dblclick() if double else where.click()
        self.page.wait_for_load_state()
        return self

    def type(self, label: str, words: str) -> Self:
        """Fill in the field with this label."""
        self.page.get_by_label(label, exact=True).fill(words)
        return self

    def ask_for_code(self, mail: str, path: str = HOME) -> Self:
        """Go from a link to the Enter code page."""
        self.open(path).type("Email address", mail).press("Continue")
        return self.press("Send code")

    def enter_code(self, mail: str, *, nth: int = 1) -> Self:
        """Read the code in the mail, and enter it."""
        return self.type("8-digit code", self.site.code(mail, nth=nth)).press("Sign in")

    def sign_in(self, mail: str, path: str = HOME) -> Self:
        """Go the whole way from a link to what it leads to, as a new guest."""
        return self.ask_for_code(mail, path).enter_code(mail).press("Accept")

    def sees(self, heading: str) -> bool:
        """Wait until the page says this in its one h1."""
        self.page.get_by_role("heading", level=1, name=heading, exact=True).wait_for()
        return True

    @property
    def path(self) -> str:
        """The address without the site."""
        return self.page.url.removeprefix(self.site.url)

    @property
    def sideways(self) -> int:
        """How many pixels the page is wider than the window."""
        return int(self.page.evaluate(SIDEWAYS))

    def _listen(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and "responded with a status of 4" not in message.text:
            self.complaints.append(f"{message.type}: {message.text}")
