"""What happens today in classes, each by its own clock. Reads only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time

from sqlalchemy import func, select

from lms.accounts.models import Person
from lms.cohorts.models import ClassSession, Cohort
from lms.cohorts.services import IN_ORDER, in_timetable, today_in
from lms.cohorts.timetables.rules import held_on
from lms.core.db import db


@dataclass(frozen=True, slots=True, kw_only=True)
class Today:
    """One session of today."""

    cohort: Cohort
    half: str
    title: str
    title_en: str
    begins: time | None
    ends: time | None
    speaker: str
    """Empty when the trainers teach it themselves."""


def list_today(cohorts: Sequence[Cohort], now: datetime) -> list[Today]:
    """Return today's sessions of these classes. One query; none when no class meets today."""
    running = {one.id: one for one in cohorts if one.starts_on <= today_in(one, now) <= one.ends_on}
    if not running:
        return []
    rows = db.session.execute(
        select(ClassSession, func.coalesce(Person.name, ""))
        .join(Person, Person.id == ClassSession.speaker_id, isouter=True)
        .where(ClassSession.cohort_id.in_(running), in_timetable())
        .order_by(ClassSession.cohort_id, *IN_ORDER)
    ).all()
    last: dict[int, int] = {}
    for session, _speaker in rows:
        last[session.cohort_id] = max(last.get(session.cohort_id, 0), session.day)
    return [
        Today(
            cohort=cohort,
            half=session.half,
            title=session.title,
            title_en=session.title_en,
            begins=session.begins,
            ends=session.ends,
            speaker=speaker,
        )
        for session, speaker in rows
        if (cohort := running[session.cohort_id])
        and held_on(session.day, last[cohort.id], cohort.starts_on, cohort.ends_on)
        == today_in(cohort, now)
    ]
