"""Languages: which there are, which somebody gets, and what is said in them.

What it does: `set_up` loads the catalogues; `speaking` makes what is written in a block be in a language;
`nearest` and `agreed` find ours among those somebody reads; `prefer` keeps a user's choice; `N_` and `NN_` make a
text that `said` says in the language of the page.

The one thing to understand: a language is named by its BCP 47 tag, as in `lang` and in addresses; the locale
behind it says how dates are written. English is the source: what a catalogue lacks is said in English. So a `Text`
is its English words, for the command line and the logs, and knows how to be said in other ones.

What must stay true: a tag that is none of ours never gets further than `known` and `nearest`.

Called by every noun that has something to say to people, and by the web. It reads no request.
"""

import functools
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime
from gettext import NullTranslations
from typing import Any, Literal, Self

from babel import Locale
from babel.dates import format_date
from flask import Flask
from flask.globals import app_ctx
from flask_babel import (
    Babel,
    force_locale,
    format_decimal,
    get_locale,
    get_translations,
    gettext,
    ngettext,
)
from jinja2 import pass_eval_context
from jinja2.nodes import EvalContext
from markupsafe import Markup, escape
from sqlalchemy import update

from guestauth.database import changed, operation
from guestauth.models import User

LOCALES = {"en": "en_GB", "nl": "nl_NL", "zh-Hant-TW": "zh_Hant_TW"}
_LOCALES = {tag: Locale.parse(name) for tag, name in LOCALES.items()}
NAMES = {"en": "English", "nl": "Nederlands", "zh-Hant-TW": "繁體中文"}  # each in its own words
IN_TRADITIONAL = {"tw", "hk", "mo"}  # where Chinese is written so, if a tag does not say


def set_up(app: Flask) -> None:
    """Load the catalogues."""
    app.config.update(BABEL_DEFAULT_LOCALE=LOCALES["en"], BABEL_TRANSLATION_DIRECTORIES="guestauth/translations")
    Babel(app)
    app.jinja_env.globals.update(_=_text, ngettext=_texts)
    app.jinja_env.filters.update(
        utc=moment,
        said=said,
        brief=brief,
        size=size,
        bdi=functools.partial(_within, "bdi"),
        strong=functools.partial(_within, "strong"),
    )


class Text(str):
    """Words in English, for who reads no other, that know their message and what stands in it."""

    message: str
    values: dict[str, object]  # by placeholder
    plural: str  # the message for many; empty: it has none
    num: int  # what decides between the two

    def __new__(cls, message: str, values: dict[str, object], plural: str = "", num: int = 1) -> Self:
        """Write it in English."""
        form = plural if plural and num != 1 else message
        inserted = {name: _in_english(value) for name, value in values.items()} | ({"num": num} if plural else {})
        text = super().__new__(cls, form % inserted if inserted else form)
        text.message, text.values, text.plural, text.num = message, values, plural, num
        return text

    def __getnewargs__(self) -> tuple[str, dict[str, object], str, int]:  # type: ignore[override]
        """Give what it can be made from again: by a copy, and out of JSON."""
        return self.message, self.values, self.plural, self.num


def N_(message: str, /, **values: object) -> Text:  # noqa: N802 -- the name by which such texts are found
    """Mark a text that is said in the language of the page, where it is shown.

    :param values: by placeholder; numbers and moments are written as the language does, a `Text` is said, too.
    """
    return Text(message, values)


def NN_(message: str, plural: str, num: int, /, **values: object) -> Text:  # noqa: N802 -- as above
    """Mark a text with a number in it, `%(num)s`, that decides between its forms."""
    return Text(message, values, plural, num)


def said(text: str) -> str:
    """Say a text in the language of the page; what no catalogue has stays as it is."""
    known = text if isinstance(text, Text) else N_(text)
    values = {name: _in_language(value) for name, value in known.values.items()}
    if known.plural:
        return str(ngettext(known.message, known.plural, known.num, **values))
    return str(gettext(known.message, **values)) if known else ""


def known(tag: str | None) -> str:
    """Return the tag if it is one of ours, else `en`."""
    return tag if tag in LOCALES else "en"


def nearest(tag: str) -> str | None:
    """Return which of ours somebody reads who reads this; None: none."""
    language, *rest = tag.lower().replace("_", "-").split("-")
    if language == "zh":
        in_traditional = "hant" in rest or ("hans" not in rest and not IN_TRADITIONAL.isdisjoint(rest))
        return "zh-Hant-TW" if in_traditional else None
    return language if language in LOCALES else None


def agreed(wanted: Iterable[str]) -> str | None:
    """Return the first of ours among the languages somebody reads, the dearest first; None: none.

    Simplified Chinese is not ours: who reads nothing else of ours gets English, not the tenant's language.
    """
    wanted = list(wanted)
    found = next(filter(None, map(nearest, wanted)), None)
    return found or ("en" if any(tag.lower().startswith("zh") for tag in wanted) else None)


def locale(tag: str) -> Locale:
    """Return how dates and numbers are written in one of ours."""
    return _LOCALES[tag]


@contextmanager
def speaking(tag: str | None) -> Iterator[None]:
    """Write in this language while the block lasts."""
    here = app_ctx.g
    before = here.pop("spoken", None)
    try:
        with force_locale(locale(known(tag))):
            yield
    finally:
        here.spoken = before


@operation
def prefer(tenant_id: uuid.UUID, user_id: uuid.UUID, tag: str) -> None:
    """Keep the language a user has chosen: theirs wherever they are signed in.

    :param tag: one of `NAMES`.
    """
    changed(update(User).where(User.id == user_id, User.tenant_id == tenant_id).values(language=tag))


@pass_eval_context
def _text(page: EvalContext, text: str, /, **values: Any) -> str:
    """Say a text that a template gets to know when it is rendered; others are in it already (`templating`)."""
    return _filled(page, spoken().gettext(text), values)


@pass_eval_context
def _texts(page: EvalContext, one: str, many: str, num: int, /, **values: Any) -> str:
    """Say a text of a template that depends on a number."""
    return _filled(page, spoken().ngettext(one, many, num), {"num": num, **values})


def spoken() -> NullTranslations:
    """Return what is said in the language of the page or letter that is being written."""
    return _language()[1]


def _language() -> tuple[Locale, NullTranslations]:
    """Return that language, and what is said in it; it is asked for once for each page or letter."""
    here = app_ctx.g
    language: tuple[Locale, NullTranslations] | None = here.get("spoken")
    if language is None:
        locale = get_locale()
        language = here.spoken = locale, _catalogue(locale)
    return language


def _within(tag: str, text: object) -> Markup:
    return Markup(f"<{tag}>{escape(text)}</{tag}>")  # noqa: S704 -- escaped


def _filled(page: EvalContext, words: str, values: Mapping[str, Any]) -> str:
    words = Markup(words) if page.autoescape else words  # noqa: S704 -- a template's own words; values are escaped
    return words % values if values or "%" in words else words


@functools.cache
def _catalogue(_locale: Locale) -> NullTranslations:
    """Return what is said in a language, which is the one spoken now."""
    catalogue: NullTranslations = get_translations()
    return catalogue


def moment(at: datetime) -> str:
    """Write a moment for people, in UTC, as the language does: `12:30 UTC on 20 November 2026`."""
    at = at.astimezone(UTC)
    locale, catalogue = _language()
    words = catalogue.gettext("%(time)s UTC on %(date)s")
    return words % {"time": f"{at:%H:%M}", "date": _day(locale, at.date(), "long")}


def brief(at: datetime) -> str:
    """Write a moment for a table, in UTC, on one line: `20 Nov 2026 12:30 UTC`."""
    at = at.astimezone(UTC)
    return f"{_day(_language()[0], at.date(), 'medium')} {at:%H:%M} UTC"


@functools.lru_cache(maxsize=1000)
def _day(locale: Locale, day: date, style: Literal["medium", "long"]) -> str:
    """Write a day; on a page, and in most letters, it is one of two."""
    return format_date(day, style, locale=locale)


def size(number: int) -> str:
    """Write how large a file is, as the language does: `13.4 kB`.

    :param number: bytes.
    """
    if number < 1000:
        few: str = ngettext("%(num)s Byte", "%(num)s Bytes", number)
        return few
    unit, much = ("MB", number / 1e6) if number >= 999_950 else ("kB", number / 1e3)
    return f"{format_decimal(round(much, 1), '#,##0.0')} {unit}"


def _in_english(value: object) -> str:
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _in_language(value: object) -> str:
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, Text):
        return said(value)
    return str(format_decimal(value)) if isinstance(value, int) else str(value)
