"""A real Chromium, the machine's own, driven by Playwright."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Error, sync_playwright

from tests.servers.policy import Absent

NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = (
    "--no-sandbox",  # needed as root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@contextmanager
def chromium(*more: str, **environment: str) -> Iterator[Browser]:
    """Run Chromium without a window while the block lasts; `new_context()` of it is a fresh person.

    `more` are further arguments of its command line, `environment` further variables.
    """
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        raise Absent(f"no browser: none of {', '.join(NAMES)} is on this machine")
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(
                executable_path=program, args=[*ARGUMENTS, *more], env={**os.environ, **environment}
            )
        except Error as failure:
            raise Absent(f"{program} does not start: {failure}") from failure
        try:
            yield browser
        finally:
            browser.close()
