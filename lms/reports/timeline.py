"""One person's way as a list of moments: what they did, what was said of it. Reads only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    String,
    case,
    cast,
    exists,
    func,
    literal,
    select,
    union_all,
)

from lms.cohorts.models import ClassMessage, ClassMessageTo, Cohort, Enrolment
from lms.competency.models import Coaching
from lms.core.clock import ZONES
from lms.core.db import db
from lms.credentials.models import Certificate, CertificateEvent, Decision
from lms.modules.models import Lesson, LessonDone
from lms.practice.attendance.models import Attendance, Way
from lms.practice.cases.models import CaseReview, CaseSubmission
from lms.practice.observations.models import ObservationMark, ObservationRound
from lms.practice.simulations.models import SimulationRun
from lms.quizzes.classes.models import ClassQuiz
from lms.quizzes.models import Attempt, Quiz
from lms.reports import rules
from lms.reports.rules import Week


class Kind(StrEnum):
    """What sort of thing happened; the order of the picture."""

    LESSON = "pelajaran"
    QUIZ = "kuis"
    CASE = "kasus"
    SIMULATION = "simulasi"
    ATTENDANCE = "hadir"
    OBSERVATION = "observasi"
    COACHING = "bimbingan"
    MESSAGE = "pesan"
    DECISION = "keputusan"


@dataclass(frozen=True, slots=True)
class Event:
    """One moment: what, about which thing, and how it ended."""

    kind: Kind
    what: str
    """What happened, in one word of the kind."""
    code: str
    """About which lesson, curriculum, case …"""
    how: str
    """How it ended: an outcome, a count, a text."""
    at: datetime


@dataclass(frozen=True, slots=True)
class Cell:
    """How much of one kind happened in one week."""

    column: int
    row: int
    count: int
    shade: int
    """1 to 4."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """The way of one person, newest first, and its weeks."""

    events: tuple[Event, ...]
    """On this page, of the kind that was asked for."""
    counts: dict[Kind, int]
    """How much there is of each kind."""
    kind: Kind | None
    page: int
    pages: int
    weeks: tuple[Week, ...]
    cells: tuple[Cell, ...]
    rows: tuple[Kind, ...]
    """The kinds there is anything of, as the picture shows them."""

    @property
    def busiest(self) -> Week | None:
        """The week in which most happened; the newest of them."""
        found = max(reversed(self.weeks), key=lambda week: week.total, default=None)
        return found if found and found.total else None


PAGE = 50
SHADES = (1, 2, 4, 7)
"""From how many things a week a cell takes the next shade."""


def read(person_id: int, zone: str, *, kind: str, page: int, now: datetime) -> Timeline:
    """Return the way of one person. One query, whatever has happened."""
    found = [
        Event(Kind(row.kind), row.what, row.code, row.how, row.at)
        for row in db.session.execute(_query(person_id))
    ]
    found = sorted(_newest_presence(found), key=lambda event: event.at, reverse=True)
    counts = {one: sum(event.kind is one for event in found) for one in Kind}
    wanted = next((one for one in Kind if one.value == kind), None)
    chosen = [event for event in found if wanted in (None, event.kind)]
    pages = max(1, -(-len(chosen) // PAGE))
    page = min(max(1, page), pages)
    weeks = _weeks(found, ZONES[zone], now)
    rows = tuple(one for one in Kind if counts[one])
    return Timeline(
        events=tuple(chosen[(page - 1) * PAGE : page * PAGE]),
        counts=counts,
        kind=wanted,
        page=page,
        pages=pages,
        weeks=weeks,
        cells=tuple(_cells(weeks, rows)),
        rows=rows,
    )


def _weeks(events: Sequence[Event], zone: tzinfo, now: datetime) -> tuple[Week, ...]:
    days: list[tuple[str, date]] = [
        (event.kind.value, event.at.astimezone(zone).date()) for event in events
    ]
    return tuple(rules.weeks(days, now.astimezone(zone).date()))


def _cells(weeks: Sequence[Week], rows: Sequence[Kind]) -> list[Cell]:
    return [
        Cell(column, row, count, sum(count >= least for least in SHADES))
        for column, week in enumerate(weeks)
        for row, kind in enumerate(rows)
        if (count := week.counts.get(kind.value, 0))
    ]


def _newest_presence(events: Sequence[Event]) -> list[Event]:
    """Leave out notes of the attendance list that a later note of the half day replaced."""
    newest: dict[str, Event] = {}
    for event in events:
        if event.kind is Kind.ATTENDANCE:
            known = newest.get(event.code)
            if known is None or event.at >= known.at:
                newest[event.code] = event
    others = [event for event in events if event.kind is not Kind.ATTENDANCE]
    return others + list(newest.values())


def _query(person_id: int) -> Any:
    def part(kind: Kind, what: Any, code: Any, how: Any, at: Any) -> Select[Any]:
        said = literal(what, String) if isinstance(what, str) else what
        return select(
            literal(kind.value, String).label("kind"),
            cast(said, String).label("what"),
            cast(code, String).label("code"),
            cast(how, String).label("how"),
            at.label("at"),
        )

    none = literal("", String)
    mark = (ObservationMark.station_code, ObservationMark.variant, ObservationRound.id)
    return union_all(
        part(Kind.LESSON, "done", Lesson.code, LessonDone.outcome, LessonDone.at)
        .join(Lesson, Lesson.id == LessonDone.lesson_id)
        .where(LessonDone.person_id == person_id),
        part(
            Kind.QUIZ,
            case((Attempt.closed_at.is_(None), "opened"), else_="closed"),
            func.coalesce(ClassQuiz.title, Quiz.curriculum_code),
            Attempt.number,
            func.coalesce(Attempt.closed_at, Attempt.opened_at),
        )
        .join(Quiz, Quiz.id == Attempt.quiz_id)
        .join(ClassQuiz, ClassQuiz.quiz_id == Quiz.id, isouter=True)
        .where(Attempt.person_id == person_id),
        part(
            Kind.CASE,
            "handed",
            CaseSubmission.case_code,
            CaseSubmission.number,
            CaseSubmission.submitted_at,
        ).where(CaseSubmission.person_id == person_id),
        part(
            Kind.CASE,
            "decided",
            CaseSubmission.case_code,
            CaseSubmission.number,
            CaseReview.decided_at,
        )
        .join(CaseReview, CaseReview.submission_id == CaseSubmission.id)
        .where(CaseSubmission.person_id == person_id),
        part(
            Kind.SIMULATION,
            case((SimulationRun.graded, "graded"), else_="practice"),
            SimulationRun.code,
            func.coalesce(cast(SimulationRun.outcome, String), "open"),
            func.coalesce(SimulationRun.finished_at, SimulationRun.started_at),
        ).where(SimulationRun.person_id == person_id),
        part(
            Kind.ATTENDANCE,
            Attendance.presence,
            Cohort.title
            + literal("/", String)
            + cast(Attendance.day, String)
            + literal("/", String)
            + Attendance.half,
            none,
            Attendance.recorded_at,
        )
        .join(Cohort, Cohort.id == Attendance.cohort_id)
        .where(Attendance.person_id == person_id, _counts()),
        part(
            Kind.OBSERVATION,
            case((func.max(ObservationMark.harmful_act) > "", "harmful"), else_="seen"),
            ObservationMark.station_code,
            ObservationMark.variant,
            func.min(ObservationMark.observed_at),
        )
        .join(ObservationRound, ObservationRound.id == ObservationMark.round_id)
        .where(ObservationRound.person_id == person_id)
        .group_by(*mark),
        part(Kind.COACHING, Coaching.kind, Coaching.source, Coaching.note, Coaching.at).where(
            Coaching.person_id == person_id
        ),
        part(Kind.MESSAGE, "sent", ClassMessage.reason, ClassMessage.text, ClassMessage.at)
        .join(ClassMessageTo, ClassMessageTo.message_id == ClassMessage.id)
        .where(ClassMessageTo.person_id == person_id),
        part(Kind.DECISION, "decided", Decision.scheme_code, none, Decision.decided_at).where(
            Decision.person_id == person_id
        ),
        part(
            Kind.DECISION,
            "issued",
            Certificate.scheme_code,
            Certificate.number,
            Certificate.issued_at,
        ).where(Certificate.person_id == person_id),
        part(
            Kind.DECISION,
            CertificateEvent.kind,
            Certificate.scheme_code,
            Certificate.number,
            CertificateEvent.at,
        )
        .join(Certificate, Certificate.id == CertificateEvent.certificate_id)
        .where(Certificate.person_id == person_id),
    )


def _counts() -> ColumnElement[bool]:
    """Leave out what was noted at the door of a class whose seat the person has not accepted."""
    seated = exists().where(
        Enrolment.cohort_id == Attendance.cohort_id, Enrolment.person_id == Attendance.person_id
    )
    return (Attendance.way != Way.DOOR) | seated
