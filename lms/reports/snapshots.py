"""The round that counts classes: what their pages and the desk show of many people at once."""

from collections import Counter
from datetime import datetime

from sqlalchemy import func, select

from lms.cohorts.models import Cohort, Enrolment
from lms.competency import overviews, summaries
from lms.competency import services as competency
from lms.competency.models import ClassOverview, StandingSummary
from lms.competency.overviews import Overview, Stored
from lms.competency.services import Current
from lms.core.db import db, unit_of_work
from lms.reports import rules, services, themes

BATCH = 250
"""People looked at together: memory stays flat in a class of any size."""
MOST_CLASSES = 5
"""Classes counted in one round: the others wait a few seconds."""


def refresh(now: datetime) -> int:
    """Bring stored standings up to date, then count the classes that are due.

    Opens its own units of work. Returns how many lines and classes it wrote.
    """
    newcomers = _newcomers()
    if newcomers:
        with unit_of_work():
            summaries.expect(newcomers)
    done = summaries.refresh(now)
    db.session.rollback()
    due = _due(now)
    for cohort_id in due:
        count(cohort_id, now=now)
    return done + len(due)


def _newcomers() -> list[int]:
    """Return people with a seat of whom nothing is stored yet."""
    known = select(StandingSummary.person_id).where(
        StandingSummary.person_id == Enrolment.person_id
    )
    query = select(Enrolment.person_id).where(~known.exists()).distinct().limit(summaries.BATCH)
    return list(db.session.scalars(query))


def _due(now: datetime) -> list[int]:
    rows = db.session.execute(
        select(Cohort.id, Cohort.ends_on, ClassOverview.computed_at, func.count(Enrolment.id))
        .join(Enrolment, Enrolment.cohort_id == Cohort.id)
        .join(ClassOverview, ClassOverview.cohort_id == Cohort.id, isouter=True)
        .group_by(Cohort.id, ClassOverview.cohort_id)
        .order_by(ClassOverview.computed_at.is_not(None), ClassOverview.computed_at)
    )
    due = [one for one, ends, at, people in rows if rules.is_due(at, people, ends, now)]
    return due[:MOST_CLASSES]


def count(cohort_id: int, *, now: datetime) -> None:
    """Count one class and store it. Everything is read before anything is locked."""
    try:
        found = competency.current()
    except competency.NoStandard:
        return
    cohort = db.session.get_one(Cohort, cohort_id)
    overview, lines = _count(cohort, found, now)
    with unit_of_work():
        overviews.store(cohort_id, overview, lines)


def _count(cohort: Cohort, found: Current, now: datetime) -> tuple[Overview, list[Stored]]:
    everybody = list(
        db.session.scalars(
            select(Enrolment.person_id)
            .where(Enrolment.cohort_id == cohort.id)
            .order_by(Enrolment.person_id)
        )
    )
    asked = services.requirements()
    stuck: Counter[str] = Counter()
    not_yet: Counter[str] = Counter()
    stored: list[Stored] = []
    for begin in range(0, len(everybody), BATCH):
        part = everybody[begin : begin + BATCH]
        for line in services.lines_of(cohort, part, found, asked, now):
            stuck.update(one.reason.value for one in line.stuck[:1])
            not_yet.update(line.standing.not_yet)
            stored.append(
                Stored(
                    person_id=line.seat.person_id,
                    pressing=rules.pressing(line.stuck),
                    reached=line.reached,
                    ready=bool(line.ready),
                    last_seen=line.last_seen,
                )
            )
    answers = f"{found.id}/{themes.fingerprint(cohort.id)}"
    before = overviews.of([cohort.id]).get(cohort.id)
    if before and before.answers == answers:
        chosen = [dict(one) for one in before.themes]
    else:
        chosen = themes.find(cohort.id, found.standard)
    overview = Overview(
        people=len(stored),
        stuck=stuck,
        ready=sum(one.ready for one in stored),
        not_yet=not_yet,
        themes=chosen,
        answers=answers,
        computed_at=now,
    )
    return overview, stored
