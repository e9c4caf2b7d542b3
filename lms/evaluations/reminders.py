"""The round that asks both sides to look at the promises, 30 and 90 days after a class."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from flask import current_app
from sqlalchemy import select

from lms.accounts.models import Person
from lms.cohorts import services as cohorts
from lms.cohorts.models import Cohort
from lms.config import Config
from lms.core import mail
from lms.core.clock import ZONES
from lms.core.db import db, insert_once, unit_of_work
from lms.core.i18n import LANGUAGES, speaking
from lms.core.ids import hash_token, new_token
from lms.evaluations import letters, plans, rules
from lms.evaluations.models import Plan, PlanCheck, PlanLetter
from lms.evaluations.rules import Side

BATCH = 100
"""Plans looked at in one unit of work."""
LATEST = timedelta(days=rules.STAGES[-1]) + rules.CHECKED_FOR


@dataclass(frozen=True, slots=True)
class Place:
    """Which letter: of which class and check, to which side, the first or the reminder."""

    slug: str
    stage: int
    side: Side
    number: int


def sweep(now: datetime) -> int:
    """Send every letter that is due, a batch in each unit of work. Returns how many were sent."""
    config: Config = current_app.extensions["suluh"]
    sent, after = 0, 0
    while ids := _next_plans(after, now):
        with unit_of_work():
            sent += _send(ids, config.base_url, now)
        after = ids[-1]
    return sent


def _next_plans(after: int, now: datetime) -> list[int]:
    """Return plans of classes that ended so long ago that a check is open, in any zone."""
    today = now.date()
    query = (
        select(Plan.id)
        .join(Cohort, Cohort.id == Plan.cohort_id)
        .where(
            Plan.id > after,
            Cohort.ends_on >= today - LATEST - timedelta(days=1),
            Cohort.ends_on <= today - timedelta(days=rules.STAGES[0] - 1),
        )
    )
    return list(db.session.scalars(query.order_by(Plan.id).limit(BATCH)))


def _send(ids: Sequence[int], base_url: str, now: datetime) -> int:
    """Send what is due for these plans. Three queries, and few more for each letter."""
    rows = db.session.execute(
        select(Plan, Person, Cohort)
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
    sent = 0
    for plan, person, cohort in rows:
        stage = rules.open_stage(cohort.ends_on, cohorts.today_in(cohort, now))
        if stage is None:
            continue
        for side in Side:
            key = (plan.id, stage, side)
            days = [_day(at, cohort) for at in before[key]]
            number = rules.next_letter(days, _day(now, cohort), answered=key in answered)
            if number is not None:
                place = Place(cohort.slug, stage, side, number)
                sent += _post(plan, person, place, base_url, now)
    return sent


def _day(at: datetime, cohort: Cohort) -> date:
    return at.astimezone(ZONES[cohort.zone]).date()


def _post(plan: Plan, person: Person, place: Place, base_url: str, now: datetime) -> bool:
    """Send one letter unless another round has just done so; tell whether it was sent."""
    stage, side, number = place.stage, place.side, place.number
    is_superior = side is Side.SUPERIOR
    token = new_token()
    is_new = insert_once(
        PlanLetter,
        plan_id=plan.id,
        stage=stage,
        side=side,
        number=number,
        token_hash=hash_token(token) if is_superior else None,
        sent_at=now,
        expires_at=now + rules.LINK_HOLDS if is_superior else None,
    )
    if not is_new:
        return False
    with speaking(person.locale if person.locale in LANGUAGES else "id"):
        subject = str(letters.SUBJECT)
        if is_superior:
            name, email = plans.address_of(plan)
            body = letters.to_superior(
                name=name,
                first_name=rules.first_name(person.name),
                stage=stage,
                link=f"{base_url}/tinjau/{token}",
            )
        else:
            email = person.email
            link = f"{base_url}/angkatan/{place.slug}/rencana"
            body = letters.to_person(name=person.name, stage=stage, link=link)
    mail.put(email, subject, body, now=now)
    return True
