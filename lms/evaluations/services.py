"""What participants say about a class, without a name. Services flush; entry points commit.

Who answered and what was said are never written so that one leads to the other: the answer holds
neither person nor time, its key is random, and with each answer those not shown yet are taken out
and put back in another order. So neither their place in the table nor the transaction that wrote
them tells which one came last. They are shown five at a time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from random import SystemRandom

from sqlalchemy import delete, func, insert, select

from lms.cohorts import seating
from lms.cohorts import services as cohorts
from lms.cohorts.models import Cohort, Enrolment
from lms.core.db import db, insert_once
from lms.core.errors import DomainError, NotFound
from lms.core.ids import new_token
from lms.evaluations import rules
from lms.evaluations.content import Sheet, Statement
from lms.evaluations.models import Feedback, FeedbackGiven
from lms.evaluations.rules import Door, Spread

TEXTS = 50
"""Open answers on one page."""


class NotAsked(DomainError):
    """The class has not ended yet, or answers are no longer taken."""


class AlreadyGiven(DomainError):
    """Who answers has answered already."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether somebody is asked about a class."""

    door: Door
    closes_on: date
    given: bool


@dataclass(frozen=True, slots=True)
class Line:
    """How one statement was answered."""

    statement: Statement
    spread: Spread | None


@dataclass(frozen=True, slots=True)
class Results:
    """What a class said, over the answers that are shown: a multiple of five."""

    asked: int
    """People of the class."""
    shown: int
    door: Door
    closes_on: date
    lines: list[Line]
    good: list[str]
    better: list[str]


def own_cohort(slug: str, person_id: int) -> Cohort:
    """Return a class somebody sits in. Raises NotFound."""
    found = db.session.scalar(
        select(Cohort)
        .join(Enrolment, Enrolment.cohort_id == Cohort.id)
        .where(Cohort.slug == slug, Enrolment.person_id == person_id)
    )
    if found is None:
        raise NotFound(slug)
    return found


def standing(cohort: Cohort, person_id: int, *, now: datetime) -> Standing:
    """Return whether somebody is asked about this class. One query."""
    return Standing(
        rules.door(cohort.ends_on, cohorts.today_in(cohort, now)),
        rules.closes_on(cohort.ends_on),
        db.session.get(FeedbackGiven, (cohort.id, person_id)) is not None,
    )


def answer(
    cohort: Cohort,
    person_id: int,
    *,
    marks: dict[str, int],
    good: str,
    better: str,
    now: datetime,
) -> None:
    """Take somebody's answer. Raises NotFound, NotAsked, AlreadyGiven. Flushes."""
    cohorts.lock(cohort)  # one answer after the other: groups of five are counted
    own_cohort(cohort.slug, person_id)
    if rules.door(cohort.ends_on, cohorts.today_in(cohort, now)) is not Door.OPEN:
        raise NotAsked(cohort.slug)
    if not insert_once(FeedbackGiven, cohort_id=cohort.id, person_id=person_id):
        raise AlreadyGiven(cohort.slug)
    waiting = Feedback.cohort_id == cohort.id, Feedback.is_shown.is_(False)
    rows = [
        {"marks": row.marks, "good": row.good, "better": row.better}
        for row in db.session.execute(
            select(Feedback.marks, Feedback.good, Feedback.better).where(*waiting)
        )
    ]
    db.session.execute(delete(Feedback).where(*waiting))
    rows.append({"marks": marks, "good": good, "better": better})
    SystemRandom().shuffle(rows)
    full = len(rows) >= rules.STEP
    db.session.execute(
        insert(Feedback),
        [{**row, "id": new_token(), "cohort_id": cohort.id, "is_shown": full} for row in rows],
    )


def results(cohort: Cohort, sheet: Sheet, *, now: datetime) -> Results:
    """Return what a class said. Two queries; cost grows with the answers of the class.

    Each list of texts has an order of its own, so that no two texts stand together because one
    person wrote them.
    """
    rows = db.session.execute(
        select(Feedback.id, Feedback.marks, Feedback.good, Feedback.better).where(
            Feedback.cohort_id == cohort.id, Feedback.is_shown.is_(True)
        )
    ).all()
    return Results(
        asked=seating.count_seats(cohort.id),
        shown=len(rows),
        door=rules.door(cohort.ends_on, cohorts.today_in(cohort, now)),
        closes_on=rules.closes_on(cohort.ends_on),
        lines=[
            Line(one, rules.spread(row.marks[one.id] for row in rows if one.id in row.marks))
            for one in sheet.statements
        ],
        good=_shuffled([(row.id, row.good) for row in rows], "good"),
        better=_shuffled([(row.id, row.better) for row in rows], "better"),
    )


def count_shown(cohort_id: int) -> int:
    """Return how many answers of a class are shown."""
    query = select(func.count()).where(Feedback.cohort_id == cohort_id, Feedback.is_shown)
    return db.session.scalar(query) or 0


def _shuffled(texts: Sequence[tuple[str, str]], salt: str) -> list[str]:
    """Return the texts that are not empty in an order that stays and says nothing."""
    mixed = sorted(texts, key=lambda pair: sha256(f"{salt}/{pair[0]}".encode()).digest())
    return [text for _key, text in mixed if text]
