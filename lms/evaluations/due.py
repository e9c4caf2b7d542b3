"""Which letters about promises are due. Light: the round asks here before it loads what sends."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, select

from lms.accounts.models import Person
from lms.cohorts import officers
from lms.cohorts.models import Cohort, Enrolment, Membership, Part
from lms.core.clock import ZONES
from lms.core.db import db
from lms.evaluations import rules
from lms.evaluations.models import Plan, PlanCheck, PlanLetter
from lms.evaluations.rules import Side

BATCH = 100
"""Plans looked at together."""
LATEST = timedelta(days=rules.STAGES[-1]) + rules.CHECKED_FOR


@dataclass(frozen=True, slots=True)
class Letter:
    """One letter: about whose plan and which check, to which side, the first or the reminder."""

    plan: Plan
    person: Person
    slug: str
    """Of the class."""
    stage: int
    side: Side
    number: int


def letters(now: datetime) -> bool:
    """Tell whether a letter is due."""
    return any(list_letters(ids, now) for ids in batches(now))


def batches(now: datetime) -> Iterator[list[int]]:
    """Yield plans of classes that ended so long ago that a check is open, in any zone."""
    today, ids = now.date(), [0]
    while ids:
        query = (
            select(Plan.id)
            .join(Cohort, Cohort.id == Plan.cohort_id)
            .where(
                Plan.id > ids[-1],
                Cohort.ends_on >= today - LATEST - timedelta(days=1),
                Cohort.ends_on <= today - timedelta(days=rules.STAGES[0] - 1),
            )
        )
        ids = list(db.session.scalars(query.order_by(Plan.id).limit(BATCH)))
        if ids:
            yield ids


def may_look() -> ColumnElement[bool]:
    """Return what is true of plans whose superior may see them: an officer only while they are one.

    Who has no account was named by the person, with an address.
    """
    appointed = (
        select(Membership.person_id)
        .join(Enrolment, Enrolment.organisation_id == Membership.organisation_id)
        .where(
            officers.holds(Part.OFFICER),
            Membership.person_id == Plan.superior_id,
            Enrolment.cohort_id == Plan.cohort_id,
            Enrolment.person_id == Plan.person_id,
        )
    )
    return Plan.superior_id.is_(None) | appointed.exists()


def list_letters(ids: Sequence[int], now: datetime) -> list[Letter]:
    """Return what is due for these plans. Three queries."""
    rows = db.session.execute(
        select(Plan, Person, Cohort, may_look())
        .join(Person, Person.id == Plan.person_id)
        .join(Cohort, Cohort.id == Plan.cohort_id)
        .where(Plan.id.in_(ids), Person.disabled_at.is_(None))
        .order_by(Plan.id)
    ).all()
    answered = {
        (row.plan_id, row.stage, row.side)
        for row in db.session.execute(
            select(PlanCheck.plan_id, PlanCheck.stage, PlanCheck.side).where(
                PlanCheck.plan_id.in_(ids)
            )
        )
    }
    before: dict[tuple[int, int, Side], list[datetime]] = defaultdict(list)
    for one in db.session.scalars(select(PlanLetter).where(PlanLetter.plan_id.in_(ids))):
        before[one.plan_id, one.stage, one.side].append(one.sent_at)
    found = []
    for plan, person, cohort, is_asked in rows:
        today = _day(now, cohort)
        stage = rules.open_stage(cohort.ends_on, today)
        if stage is None:
            continue
        for side in Side if is_asked else (Side.PERSON,):
            key = (plan.id, stage, side)
            days = [_day(at, cohort) for at in before[key]]
            number = rules.next_letter(days, today, answered=key in answered)
            if number is not None:
                found.append(Letter(plan, person, cohort.slug, stage, side, number))
    return found


def _day(at: datetime, cohort: Cohort) -> date:
    return at.astimezone(ZONES[cohort.zone]).date()
