"""The round that counts classes: what their pages and the desk show of many people at once."""

from collections import Counter
from datetime import datetime

from sqlalchemy import select

from lms.cohorts.models import Cohort, Enrolment
from lms.competency import overviews, summaries
from lms.competency import services as competency
from lms.competency.overviews import Overview, Stored
from lms.competency.services import Current
from lms.core.db import db, unit_of_work
from lms.reports import due, rules, services, themes

BATCH = 250
"""People looked at together: memory stays flat in a class of any size."""


def refresh(now: datetime) -> int:
    """Bring stored standings up to date, then count the classes that are due.

    Opens its own units of work. Returns how many lines and classes it wrote.
    """
    newcomers = due.newcomers(summaries.BATCH)
    if newcomers:
        with unit_of_work():
            summaries.expect(newcomers)
    done = summaries.refresh(now)
    db.session.rollback()
    classes = due.classes(now)
    for cohort_id in classes:
        count(cohort_id, now=now)
    return done + len(classes)


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
