"""What is to be counted again. Light: the rounds ask here before they load what counts."""

from datetime import date, datetime, time, timedelta

from sqlalchemy import and_, case, func, select

from lms.cohorts.models import Cohort, Enrolment
from lms.competency import due as ledger
from lms.competency.models import Baseline, ClassOverview, StandingSummary
from lms.core.clock import ZONES
from lms.core.db import db
from lms.reports import rules

MOST_CLASSES = 5
"""Classes counted in one round: the others wait a few seconds."""


def standings(now: datetime) -> bool:
    """Tell whether a stored standing is missing or behind, or a class is to be counted."""
    if newcomers(1):
        return True
    standard = ledger.newest_standard()
    if standard is None:
        return False
    return ledger.has_summaries(standard, now) or bool(classes(now))


def newcomers(limit: int) -> list[int]:
    """Return people with a seat of whom nothing is stored yet. One query."""
    known = select(StandingSummary.person_id).where(
        StandingSummary.person_id == Enrolment.person_id
    )
    query = select(Enrolment.person_id).where(~known.exists()).distinct().limit(limit)
    return list(db.session.scalars(query))


def classes(now: datetime) -> list[int]:
    """Return the classes whose figures are to be counted again, the oldest figures first."""
    rows = db.session.execute(
        select(Cohort.id, Cohort.ends_on, ClassOverview.computed_at, func.count(Enrolment.id))
        .join(Enrolment, Enrolment.cohort_id == Cohort.id)
        .join(ClassOverview, ClassOverview.cohort_id == Cohort.id, isouter=True)
        .group_by(Cohort.id, ClassOverview.cohort_id)
        .order_by(ClassOverview.computed_at.is_not(None), ClassOverview.computed_at)
    )
    due = [one for one, ends, at, people in rows if rules.is_due(at, people, ends, now)]
    return due[:MOST_CLASSES]


def baselines(now: datetime) -> bool:
    """Tell whether somebody's baseline is missing or behind."""
    standard = ledger.newest_standard()
    return standard is not None and bool(classes_behind(standard, now))


def classes_behind(standard_id: int, now: datetime) -> list[tuple[int, datetime]]:
    """Return classes in which a baseline is missing or behind, with when they began; one query.

    The newest class comes first.
    """
    rows = db.session.execute(
        select(
            Cohort.id,
            Cohort.starts_on,
            Cohort.zone,
            case((ledger.holds(standard_id), Baseline.began_at)),
        )
        .distinct()
        .join(Enrolment, Enrolment.cohort_id == Cohort.id)
        .join(StandingSummary, StandingSummary.person_id == Enrolment.person_id, isouter=True)
        .join(
            Baseline,
            and_(Baseline.person_id == Enrolment.person_id, Baseline.cohort_id == Cohort.id),
            isouter=True,
        )
        # East of Greenwich the first day has come before it has there.
        .where(Cohort.starts_on <= now.date() + timedelta(days=1))
        .order_by(Cohort.starts_on.desc(), Cohort.id)
    )
    behind = {}
    for cohort_id, starts_on, zone, judged_at in rows:
        start = began(starts_on, zone)
        if start <= now and judged_at != start:
            behind[cohort_id] = start
    return list(behind.items())


def began(starts_on: date, zone: str) -> datetime:
    """Return when a class begins: the first moment of its first day by its own clock."""
    return datetime.combine(starts_on, time(0), ZONES[zone])
