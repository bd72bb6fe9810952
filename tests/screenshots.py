"""`make screenshots`: what people see, as pictures for the documentation.

`python -m tests.screenshots [NAME …] [--to FOLDER]` writes all pictures, or those that are named.

The one thing to understand: a picture is a state of the gallery (or a letter, or the demo's mailbox), reached on
the gallery's stage while time stands still and chance is a fixed sequence. So what is written is the same each
time, to the byte, as long as pages, fonts and Chromium are.

It asks no network: whatever Chromium asks for, the stage's application hands over.
"""

import os
import random
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import pytest
from playwright.sync_api import Browser, Route

from guestauth import create_app, database, languages, mailbox
from guestauth.web.dev.gallery import BAR
from guestauth.web.dev.stage import ALEX, NICOLE, ORIGIN, Stage
from guestauth.web.dev.states import STATES
from tests.png import small
from tests.servers import ROOT, chromium

FOLDER = ROOT / "docs" / "screenshots"
MORNING = datetime(2026, 9, 14, 9, 30, tzinfo=UTC)
DESK, CONSOLE_DESK, PHONE = 800, 1280, 390  # CSS pixels
SAME_EVERYWHERE = ("--font-render-hinting=none", "--disable-lcd-text", "--force-color-profile=srgb")
LOOKS = ("", "-dark", "-phone")
ALL_LOOKS = ("sign-in", "send-code", "enter-code", "consent", "apps", "resource-file", "passcode-mail")
KEY = (*ALL_LOOKS, "enter-code-wrong", "session-over", "invitation", "invitation-mail", "mailbox")
OF_CONSOLE = ("guests", "guest-accepted", "settings-off")


@dataclass(frozen=True)
class Picture:
    """A scene in a language, and how it is looked at."""

    scene: str
    lang: str
    look: str = ""

    @property
    def name(self) -> str:
        """How its file is called, without the ending."""
        return self.scene + ("" if self.lang == "en" else f"-{self.lang}") + self.look


def _invitation_mail(stage: Stage) -> str:
    kim = "kim@proseware.example"
    words = "Hello Kim, here is the plan we talked about. See you on Thursday!"
    console = stage.console("/guests/invite")
    console.submit("invite", email=kim, display_name="Kim Abe", message=words, language=stage.language)
    stage.invitation(kim)
    return _mail(stage, kim)


def _passcode_mail(stage: Stage) -> str:
    stage.at_enter_code()
    stage.code(NICOLE)
    return _mail(stage, NICOLE)


def _mail(stage: Stage, to: str) -> str:
    return stage.do(mailbox.letters, to=to)[0].part("html")


def _mailbox(stage: Stage) -> str:
    stage.at_enter_code(ALEX)
    stage.code(ALEX)
    return stage.at("/dev/mailbox").html


SCENES: dict[str, Callable[[Stage], str]] = {
    "passcode-mail": _passcode_mail,
    "invitation-mail": _invitation_mail,
    "mailbox": _mailbox,
}
PICTURES = {
    picture.name: picture
    for picture in (
        *(Picture(scene, lang) for scene in (*KEY, *OF_CONSOLE) for lang in languages.NAMES),
        *(Picture(scene, "en", look) for scene in ALL_LOOKS for look in LOOKS[1:]),
    )
}


class Still(datetime):
    """A clock that goes on by a millisecond whenever it is looked at, and stands still meanwhile."""

    ticks = 0

    @classmethod
    def now(cls, tz: Any = None) -> datetime:
        """Tell the time."""
        cls.ticks += 1
        return MORNING + timedelta(milliseconds=cls.ticks)


class Studio:
    """A stage on which everything happens at the same time and by the same chance."""

    def __init__(self, instance: Path) -> None:
        self._chance = random.Random()
        self._begin("stage")
        with self.still():
            demo = {"GUESTAUTH_DEMO": "on", "INSTANCE_PATH": str(instance), "LOG_LEVEL": "ERROR"}
            self._stage = Stage(create_app({**demo, "MAIL_DELIVERY": "worker"}))

    def page(self, scene: str, lang: str) -> str:
        """Let a scene happen and return what is seen at its end."""
        self._begin(f"{scene} {lang}")
        with self.still():
            self._stage.set(lang)
            if scene in SCENES:
                return SCENES[scene](self._stage)
            return BAR.sub("", self._stage.act(STATES[scene].journey).html)

    def file(self, address: str) -> tuple[bytes, str]:
        """Return what a page asks for, and its type."""
        answer = self._stage.at(address).answer
        return (answer.data, answer.content_type) if answer else (b"", "")

    @contextmanager
    def still(self) -> Iterator[None]:
        """Stop the clock and chance while the block lasts."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(database, "datetime", Still)
            patch.setattr(os, "urandom", self._chance.randbytes)
            patch.setattr(random, "_urandom", self._chance.randbytes)
            yield

    def _begin(self, what: str) -> None:
        self._chance.seed(what)
        Still.ticks = 0


class Camera:
    """A Chromium that takes pictures of pages it is handed."""

    def __init__(self, browser: Browser, studio: "Studio") -> None:
        self._browser, self._studio = browser, studio

    def take(self, picture: Picture, html: str) -> bytes:
        """Return the picture of a page, as PNG."""
        context = self._browser.new_context(
            viewport={"width": _width(picture), "height": 480},
            color_scheme="dark" if picture.look == "-dark" else "light",
            reduced_motion="reduce",
            locale=picture.lang,
            timezone_id="UTC",
        )
        page = context.new_page()
        page.clock.set_fixed_time(MORNING)
        page.route("**/*", self._hand_over)
        page.route(f"{ORIGIN}/", lambda route: route.fulfill(body=html, content_type="text/html; charset=utf-8"))
        page.goto(f"{ORIGIN}/")
        taken = small(page, page.screenshot(full_page=True, animations="disabled", caret="hide"))
        context.close()
        return taken

    def _hand_over(self, route: Route) -> None:
        body, content_type = self._studio.file(route.request.url.removeprefix(ORIGIN))
        route.fulfill(body=body, content_type=content_type)


def chromium_for_pictures() -> AbstractContextManager[Browser]:
    """Run a Chromium that draws the same each time."""
    return chromium(*SAME_EVERYWHERE, FONTCONFIG_FILE=str(ROOT / "tests" / "fonts.conf"))


def _width(picture: Picture) -> int:
    if picture.look == "-phone":
        return PHONE
    return CONSOLE_DESK if picture.scene in OF_CONSOLE else DESK


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(list(PICTURES)))
@click.option("--to", "folder", default=FOLDER, type=click.Path(path_type=Path), help="Where to write them.")
def main(names: tuple[str, ...], folder: Path) -> None:
    """Write the pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as instance, chromium_for_pictures() as browser:
        studio = Studio(Path(instance))
        camera = Camera(browser, studio)
        for picture in (PICTURES[name] for name in names or PICTURES):
            taken = camera.take(picture, studio.page(picture.scene, picture.lang))
            (folder / f"{picture.name}.png").write_bytes(taken)
            click.echo(f"{picture.name}.png {len(taken):,} bytes")


if __name__ == "__main__":
    main()
