"""Languages: which there are, and what is said in them.

What it does: `set_up` loads the catalogues; `speaking` makes what is written in a block be in a language.

The one thing to understand: a language is named by its BCP 47 tag, as in `lang` and in addresses; the locale
behind it says how dates are written. English is the source: what a catalogue lacks is said in English.

What must stay true: a tag that is none of ours never gets further than `known`.

Called by the letters and the web. It does not decide which language somebody gets.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from flask import Flask
from flask_babel import Babel, force_locale, format_date, format_time, gettext
from markupsafe import Markup

LOCALES = {"en": "en_GB", "nl": "nl_NL", "zh-Hant-TW": "zh_Hant_TW"}
NAMES = {"en": "English", "nl": "Nederlands", "zh-Hant-TW": "繁體中文"}  # each in its own words


def set_up(app: Flask) -> None:
    """Load the catalogues."""
    app.config.update(BABEL_DEFAULT_LOCALE=LOCALES["en"], BABEL_TRANSLATION_DIRECTORIES="guestauth/translations")
    Babel(app)
    app.jinja_env.filters.update(
        utc=moment, bdi=Markup("<bdi>{}</bdi>").format, strong=Markup("<strong>{}</strong>").format
    )


def known(tag: str | None) -> str:
    """Return the tag if it is one of ours, else `en`."""
    return tag if tag in LOCALES else "en"


@contextmanager
def speaking(tag: str | None) -> Iterator[None]:
    """Write in this language while the block lasts."""
    with force_locale(LOCALES[known(tag)]):
        yield


def moment(at: datetime) -> str:
    """Write a moment for people, in UTC, as the language does: `12:30 UTC on 20 November 2026`."""
    at = at.astimezone(UTC)
    words: str = gettext("%(time)s UTC on %(date)s", time=format_time(at, "HH:mm"), date=format_date(at, "long"))
    return words
