"""What is known about people beside the evidence, over the tables of many features. Reads only."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    CompoundSelect,
    Date,
    Integer,
    Select,
    String,
    bindparam,
    func,
    literal,
    select,
    union_all,
)

from lms.cohorts.models import Enrolment
from lms.competency.models import Coaching
from lms.core.db import db
from lms.credentials.models import Certificate
from lms.credentials.rules import day_of
from lms.modules.models import Lesson, LessonDone, Outcome
from lms.practice.cases.models import CaseDraft, CaseReview, CaseSubmission
from lms.practice.simulations.models import SimulationRun
from lms.quizzes.models import Attempt, Quiz
from lms.ratings.models import Appeal
from lms.reports.rules import Fact, FactKind

JOINED = "joined"
"""Source of the fact that says since when somebody has a seat."""


def facts_of(cohort_id: int, person_ids: Sequence[int], now: datetime) -> dict[int, list[Fact]]:
    """Return what is known of these people of a class, in one query; none for nobody.

    Cost grows with the people asked for, about ten rows each, not with the class.
    """
    if not person_ids:
        return {}
    asked = {"cohort": cohort_id, "people": person_ids, "today": day_of(now)}
    facts: dict[int, list[Fact]] = defaultdict(list)
    for row in db.session.execute(_statement(), asked):
        facts[row.person_id].append(Fact(FactKind(row.kind), row.source, row.at))
    return facts


@cache
def _statement() -> CompoundSelect[Any]:
    """Return the statement of `facts_of`: putting it together takes longer than running it."""
    people = select(
        select(Enrolment.person_id)
        .where(
            Enrolment.cohort_id == bindparam("cohort", type_=Integer),
            Enrolment.person_id.in_(bindparam("people", type_=Integer, expanding=True)),
        )
        .cte("people")
        .c.person_id
    )

    def part(person, kind: FactKind, source, at, *where) -> Select:  # type: ignore[no-untyped-def,type-arg]  # columns of many tables
        return select(
            person.label("person_id"),
            literal(kind.value, String).label("kind"),
            source.label("source"),
            at.label("at"),
        ).where(person.in_(people), *where)

    def seen(person, at, name: str = "") -> Select:  # type: ignore[no-untyped-def,type-arg]  # as above
        return part(person, FactKind.SEEN, literal(name, String), func.max(at)).group_by(person)

    reviewed = select(CaseReview.id).where(CaseReview.submission_id == CaseSubmission.id)
    return union_all(
        seen(Enrolment.person_id, Enrolment.created_at, JOINED),
        seen(LessonDone.person_id, LessonDone.at),
        seen(Attempt.person_id, Attempt.opened_at),
        seen(SimulationRun.person_id, SimulationRun.started_at),
        seen(CaseDraft.person_id, CaseDraft.updated_at),
        part(
            Certificate.person_id,
            FactKind.HELD,
            Certificate.scheme_code,
            Certificate.issued_at,
            Certificate.valid_until >= bindparam("today", type_=Date),
        ),
        part(
            Attempt.person_id,
            FactKind.TRY,
            Quiz.curriculum_code,
            Attempt.closed_at,
            Quiz.id == Attempt.quiz_id,
            Attempt.closed_at.is_not(None),
        ),
        part(Coaching.person_id, FactKind.COACHED, Coaching.source, Coaching.at),
        part(
            CaseSubmission.person_id,
            FactKind.WAITS_FOR_MARK,
            CaseSubmission.case_code,
            CaseSubmission.submitted_at,
            ~reviewed.exists(),
        ),
        part(
            LessonDone.person_id,
            FactKind.TALK,
            Lesson.code,
            LessonDone.at,
            Lesson.id == LessonDone.lesson_id,
            LessonDone.outcome == Outcome.WITH_TRAINER,
        ),
        part(
            Appeal.person_id, FactKind.APPEALED, Appeal.kuk, Appeal.at, Appeal.closed_at.is_(None)
        ),
    )
