"""Which language a page speaks, and how days and hours are written."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date, datetime
from functools import cache, lru_cache
from gettext import NullTranslations
from numbers import Number
from pathlib import Path
from typing import cast

import flask_babel
from babel.dates import format_date
from babel.support import Translations
from flask import Flask, current_app, has_request_context, session
from flask_babel import Babel
from flask_babel.speaklater import LazyString
from markupsafe import Markup, escape

from lms.core import login
from lms.core.clock import ZONES

LANGUAGES = ("id", "en")
TEXTS = 4096
"""Messages of templates that a process keeps at hand, of both languages."""


CATALOGS = Path(__file__).parents[1] / "translations"
_language: ContextVar[str | None] = ContextVar("language", default=None)
"""The language of this request once somebody asked, or the one a letter is written in."""


_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
"""Letters that run from right to left."""
_MARKS = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Marks without a shape that turn the text around them."""


def _apart(values: dict[str, object]) -> dict[str, object]:
    """Keep what such letters do inside the value, as `<bdi>` does: a sentence stays in order."""
    for name, value in values.items():
        if type(value) is str and not value.isascii():
            plain = _MARKS.sub("", value)
            values[name] = f"\u2068{plain}\u2069" if _LEFT.search(plain) else plain
    return values


def gettext(message: str, **values: object) -> str:
    """Translate a message now."""
    text = _catalog(language()).gettext(message)
    return text % _apart(values) if values else text


def ngettext(one: str, many: str, num: int, **values: object) -> str:
    """Translate a message that depends on a number; `%(num)s` is the number."""
    return _catalog(language()).ngettext(one, many, num) % {"num": num, **_apart(values)}


def lazy_gettext(message: str, **values: object) -> str:
    """Translate a message when it is printed. Behaves like a text."""
    return cast(str, LazyString(gettext, message, **values))


def page_gettext(message: str, /, **values: object) -> Markup:
    """Translate a message in a template: the text is ours, the values are escaped.

    Like Jinja's own, but in one call instead of four: a page has dozens of messages.
    """
    text, takes_values = _text(language(), message)
    return _filled(text, values) if takes_values else text


@lru_cache(TEXTS)
def _text(locale: str, message: str) -> tuple[Markup, bool]:
    """Return a message of a template in a language, and whether values belong into it."""
    text = _catalog(locale).gettext(message)
    return Markup(text), "%" in text  # noqa: S704 - a text of ours


def page_ngettext(one: str, many: str, num: int, /, **values: object) -> Markup:
    """Translate a message that depends on a number, in a template."""
    text = _catalog(language()).ngettext(one, many, num)
    return _filled(text, {"num": num, **values})


def _filled(text: str, values: dict[str, object]) -> Markup:
    """Put values into a text of ours. What `Markup` does, without an object for each value."""
    for name, value in _apart(values).items():
        if isinstance(value, str) or not isinstance(value, Number):
            values[name] = escape(value)
    return Markup(str.__mod__(text, values))  # noqa: S704 - a text of ours


@cache
def _catalog(locale: str) -> NullTranslations:
    """Return the messages of a language. Indonesian has none: its messages are the source."""
    return Translations.load(CATALOGS, [locale])


def init_app(app: Flask) -> None:
    """Attach Babel and the filters that write days and hours."""
    app.before_request(_ask_anew)
    app.teardown_request(_ask_anew)
    app.config["BABEL_DEFAULT_LOCALE"] = "id"
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = "translations"
    Babel(app, locale_selector=language)
    app.jinja_env.filters["day"] = day
    app.jinja_env.filters["moment"] = moment
    app.jinja_env.filters["clock"] = clock
    app.jinja_env.filters["recent"] = recent
    app.jinja_env.globals["get_locale"] = language
    # The names the extraction looks for. Every template is HTML, so every text is marked as safe.
    app.jinja_env.globals |= {
        "_": page_gettext,
        "gettext": page_gettext,
        "ngettext": page_ngettext,
    }
    app.jinja_env.globals["pick"] = pick


@contextmanager
def speaking(locale: str) -> Iterator[None]:
    """Translate, and write days, in `locale` for a while: for a letter in two languages."""
    before = _language.set(locale)
    try:
        with flask_babel.force_locale(locale):
            yield
    finally:
        _language.reset(before)


def language() -> str:
    """Return the language of this request: the person's choice, this browser's, or Indonesian."""
    found = _language.get()
    if found is not None:
        return found
    if not has_request_context():
        return "id"
    who = login.viewer()
    chosen = who.locale if who else session.get("lang", "id")
    found = chosen if chosen in LANGUAGES else "id"
    _language.set(found)
    return found


def _ask_anew(_error: BaseException | None = None) -> None:
    """Forget the language: a thread answers one reader after another."""
    _language.set(None)


def day(value: date) -> str:
    """Write a day: `9 Desember 2026`."""
    if isinstance(value, datetime):
        value = local(value).date()
    return _day(value, language())


@lru_cache(maxsize=4096)
def _day(value: date, locale: str) -> str:
    # A page names the same few days again and again; Babel looks its pattern up each time.
    return format_date(value, "d MMMM y", locale=locale)


def clock(value: datetime, zone: str | None = None) -> str:
    """Write an hour: `10.42`."""
    return local(value, zone).strftime("%H.%M")


def moment(value: datetime, zone: str | None = None) -> str:
    """Write a day and an hour with its zone: `9 Desember 2026, 10.42 WIB`."""
    there = local(value, zone)
    return f"{day(there.date())}, {there:%H.%M} {there.tzname()}"


def recent(value: datetime, zone: str | None, now: datetime) -> str:
    """Write the hour of a moment of today, and the day before it for any other."""
    today = local(now, zone).date()
    return clock(value, zone) if local(value, zone).date() == today else moment(value, zone)


def local(value: datetime, zone: str | None = None) -> datetime:
    """Move a moment into `zone` (WIB, WITA, WIT); without one, the installation's."""
    return value.astimezone(ZONES[zone or current_app.extensions["suluh"].zone])


def pick(indonesian: str, english: str | None) -> str:
    """Return the text of content that exists in both languages, in the reader's."""
    return english if english and language() == "en" else indonesian
