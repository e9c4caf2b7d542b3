"""Which language a page speaks, and how days and hours are written."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import cast

import flask_babel
from flask import Flask, current_app, has_request_context, session
from flask_babel import Babel

from lms.core import login
from lms.core.clock import ZONES

LANGUAGES = ("id", "en")


def gettext(message: str, **values: object) -> str:
    """Translate a message now. The typed door to flask_babel, which ships no types."""
    return cast(str, flask_babel.gettext(message, **values))


def ngettext(one: str, many: str, num: int, **values: object) -> str:
    """Translate a message that depends on a number; `%(num)s` is the number."""
    return cast(str, flask_babel.ngettext(one, many, num, **values))


def lazy_gettext(message: str, **values: object) -> str:
    """Translate a message when it is printed. Behaves like a text."""
    return cast(str, flask_babel.lazy_gettext(message, **values))


def init_app(app: Flask) -> None:
    """Attach Babel and the filters that write days and hours."""
    app.config["BABEL_DEFAULT_LOCALE"] = "id"
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = "translations"
    Babel(app, locale_selector=language)
    app.jinja_env.filters["day"] = day
    app.jinja_env.filters["moment"] = moment
    app.jinja_env.filters["clock"] = clock
    app.jinja_env.filters["recent"] = recent
    app.jinja_env.globals["get_locale"] = language
    app.jinja_env.globals["pick"] = pick


@contextmanager
def speaking(locale: str) -> Iterator[None]:
    """Translate, and write days, in `locale` for a while: for a letter in two languages."""
    with flask_babel.force_locale(locale):
        yield


def language() -> str:
    """Return the language of this request: the person's choice, this browser's, or Indonesian."""
    if not has_request_context():
        return "id"
    found = login.viewer()
    chosen = found.locale if found else session.get("lang", "id")
    return chosen if chosen in LANGUAGES else "id"


def day(value: date) -> str:
    """Write a day: `9 Desember 2026`."""
    if isinstance(value, datetime):
        value = local(value).date()
    return cast(str, flask_babel.format_date(value, "d MMMM y", rebase=False))


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
