"""How long ago the law behind the lessons was looked at. Reads only."""

from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import select

from lms.core.db import db
from lms.modules.models import Lesson

STALE = timedelta(days=180)
"""After so long somebody has to look at an article again."""


@dataclass(frozen=True, slots=True)
class Stale:
    """A lesson with a source that nobody has looked at for long."""

    code: str
    title: str
    title_en: str
    checked_on: date
    """The oldest day among its sources."""


def list_stale(today: date) -> list[Stale]:
    """Return the lessons whose sources are to be looked at again, the oldest first. One query."""
    rows = db.session.execute(
        select(Lesson.code, Lesson.title, Lesson.title_en, Lesson.sources).where(
            Lesson.retired_at.is_(None)
        )
    )
    found = [
        Stale(row.code, row.title, row.title_en, min(days))
        for row in rows
        if (days := [date.fromisoformat(one["checked_on"]) for one in row.sources])
        and today - min(days) > STALE
    ]
    return sorted(found, key=lambda one: (one.checked_on, one.code))
