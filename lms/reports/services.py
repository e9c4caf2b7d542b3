"""Read-only queries across features: the matrix of a class, who is stuck, one person's way.

Queries are constant whatever the number of people. The cost of a class grows with its evidence:
about a hundred rows a person, read once and judged in memory.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, String, func, literal, select, union_all

from lms.accounts import services as accounts
from lms.cohorts import services as cohorts
from lms.cohorts.models import Cohort, Enrolment
from lms.cohorts.services import Seat
from lms.competency import services as competency
from lms.competency.models import Coaching, Evidence
from lms.competency.rules import (
    EvidenceKind,
    Kuk,
    Requirement,
    Row,
    Standard,
    Unit,
    Verdict,
    judge,
    quiz_scope,
)
from lms.competency.rules import verdicts as verdicts_of
from lms.core.db import db
from lms.credentials import schemes
from lms.credentials.models import Certificate
from lms.modules.models import Lesson, LessonDone, Outcome
from lms.practice.cases.models import CaseDraft, CaseReview, CaseSubmission
from lms.practice.simulations.models import SimulationRun
from lms.quizzes.models import Attempt, Quiz
from lms.reports import rules
from lms.reports.rules import Fact, FactKind, Reason, Stuck


@dataclass(frozen=True, slots=True)
class Cell:
    """What one person has reached of one unit."""

    unit: str
    reached: int
    total: int
    critical_open: bool


@dataclass(frozen=True, slots=True)
class Line:
    """One person of the matrix."""

    seat: Seat
    cells: tuple[Cell, ...]
    verdicts: dict[str, Verdict]
    stuck: tuple[Stuck, ...]
    ready: tuple[str, ...]
    """Schemes a trainer may sign: everything is there and no certificate counts yet."""
    last_seen: datetime | None

    @property
    def reached(self) -> int:
        """How many KUK are reached in all."""
        return sum(cell.reached for cell in self.cells)


@dataclass(frozen=True, slots=True)
class Open:
    """One KUK many have not reached, with the 95 % interval of the share, percent 0-100."""

    kuk: Kuk
    count: int
    low: float
    share: float
    high: float


@dataclass(frozen=True, slots=True)
class Matrix:
    """A class at one moment."""

    cohort: Cohort
    standard: Standard
    units: tuple[str, ...]
    lines: tuple[Line, ...]
    open: tuple[Open, ...]

    @property
    def total(self) -> int:
        """How many KUK there are for companions."""
        return sum(len(u.kuk) for u in self.standard.units if u.number in self.units)


@dataclass(frozen=True, slots=True)
class Person:
    """One companion as their trainer sees them."""

    cohort: Cohort
    seat: Seat
    standard: Standard
    line: Line
    evidence: Sequence[Evidence]
    voided: frozenset[int]
    names: dict[int, str]


COMPANION_UNITS = 10
"""Units 01-10 are the companion's; 11 is the trainer's own."""


def matrix(cohort: Cohort, *, now: datetime) -> Matrix:
    """Return the class people × units. Six queries at any size."""
    seats = cohorts.list_seats(cohort.id)
    found = competency.current()
    ids = [seat.person_id for seat in seats]
    ledgers = competency.rows_of(ids, found)
    facts = _facts(cohort.id, now)
    asked = _requirements()
    lines = tuple(
        _line(
            seat,
            cohort,
            asked,
            found.standard,
            ledgers.get(seat.person_id, []),
            facts[seat.person_id],
            now,
        )
        for seat in seats
    )
    units = tuple(unit.number for unit in found.standard.units[:COMPANION_UNITS])
    taught = {kuk.code for line in lines for kuk, v in _touched(line, found.standard)}
    return Matrix(cohort, found.standard, units, lines, _most_open(found.standard, lines, taught))


def _touched(line: Line, standard: Standard) -> list[tuple[Kuk, Verdict]]:
    return [
        (standard.find(code), verdict)
        for code, verdict in line.verdicts.items()
        if verdict is not Verdict.NO_EVIDENCE
    ]


def _most_open(standard: Standard, lines: Sequence[Line], taught: set[str]) -> tuple[Open, ...]:
    """Return the five KUK that most people have tried and not reached."""
    counted = []
    for code in taught:
        count = sum(line.verdicts[code] is Verdict.NOT_YET for line in lines)
        if count:
            low, high = rules.wilson(count, len(lines))
            share = 100 * count / len(lines)
            counted.append(Open(standard.find(code), count, low, share, high))
    return tuple(sorted(counted, key=lambda one: (-one.count, one.kuk.code))[:5])


def _line(
    seat: Seat,
    cohort: Cohort,
    asked: Sequence[Requirement],
    standard: Standard,
    rows: list[Row],
    facts: list[Fact],
    now: datetime,
) -> Line:
    verdicts = verdicts_of(standard, rows, now)
    cells = tuple(
        Cell(
            unit.number,
            sum(verdicts[kuk.code].reached for kuk in unit.kuk),
            len(unit.kuk),
            any(kuk.critical and not verdicts[kuk.code].reached for kuk in unit.kuk),
        )
        for unit in standard.units[:COMPANION_UNITS]
    )
    tried = {fact.source for fact in facts if fact.kind is FactKind.TRY}
    open_quizzes = frozenset(c for c in tried if quiz_scope(standard, c, rows, now))
    seen = [fact.at for fact in facts if fact.kind is FactKind.SEEN]
    held = frozenset(fact.source for fact in facts if fact.kind is FactKind.HELD)
    joined = next((fact.at for fact in facts if fact.source == "joined"), now)
    unseen = cohort.ends_on < now.date() and not any(r.kind is EvidenceKind.OBS for r in rows)
    found = rules.stuck(
        facts,
        joined_at=joined,
        now=now,
        done=bool(held),
        open_quizzes=open_quizzes,
        unobserved=unseen,
        wait=standard.wait[EvidenceKind.Q],
        tries_before_coaching=standard.tries_before_coaching,
    )
    ready = tuple(
        one.scheme
        for one in asked
        if one.scheme not in held
        # Judging costs more than looking: most people have something open.
        and all(verdicts[kuk.code].reached for code in one.curricula for kuk in standard.of(code))
        and judge(standard, rows, one, now, holds=held).ready
    )
    return Line(seat, cells, verdicts, tuple(found), ready, max(seen, default=None))


def _requirements() -> list[Requirement]:
    return [schemes.requirement(scheme) for scheme in schemes.list_schemes()]


def _facts(cohort_id: int, now: datetime) -> dict[int, list[Fact]]:
    """Return what is known about the people of a class beside evidence, in one query."""
    people = select(Enrolment.person_id).where(Enrolment.cohort_id == cohort_id)

    def part(person, kind: FactKind, source, at, *where) -> Select:  # type: ignore[no-untyped-def,type-arg]  # columns of many tables
        return select(
            person.label("person_id"),
            literal(kind.value, String).label("kind"),
            source.label("source"),
            at.label("at"),
        ).where(person.in_(people), *where)

    def seen(person, at, name: str = "") -> Select:  # type: ignore[no-untyped-def,type-arg]  # as above
        return part(person, FactKind.SEEN, literal(name, String), func.max(at)).group_by(person)

    reviewed = select(CaseReview.submission_id)
    query = union_all(
        seen(Enrolment.person_id, Enrolment.created_at, "joined"),
        seen(LessonDone.person_id, LessonDone.at),
        seen(Attempt.person_id, Attempt.opened_at),
        seen(SimulationRun.person_id, SimulationRun.started_at),
        seen(CaseDraft.person_id, CaseDraft.updated_at),
        part(
            Certificate.person_id,
            FactKind.HELD,
            Certificate.scheme_code,
            Certificate.issued_at,
            Certificate.valid_until >= now.date(),
        ),
        part(
            Attempt.person_id,
            FactKind.TRY,
            Quiz.curriculum_code,
            Attempt.closed_at,
            Quiz.id == Attempt.quiz_id,
            Attempt.closed_at.is_not(None),
        ),
        part(
            Coaching.person_id,
            FactKind.COACHED,
            Coaching.source,
            Coaching.at,
        ),
        part(
            CaseSubmission.person_id,
            FactKind.WAITS_FOR_MARK,
            CaseSubmission.case_code,
            CaseSubmission.submitted_at,
            CaseSubmission.id.not_in(reviewed),
        ),
        part(
            LessonDone.person_id,
            FactKind.TALK,
            Lesson.code,
            LessonDone.at,
            Lesson.id == LessonDone.lesson_id,
            LessonDone.outcome == Outcome.WITH_TRAINER,
        ),
    )
    facts: dict[int, list[Fact]] = defaultdict(list)
    for row in db.session.execute(query):
        facts[row.person_id].append(Fact(FactKind(row.kind), row.source, row.at))
    return facts


def person(cohort: Cohort, public_id: str, *, now: datetime) -> Person:
    """Return one companion of a class with all evidence. Raises core.errors.NotFound."""
    seat = cohorts.get_seat(cohort.id, public_id)
    found = competency.current()
    rows = competency.rows_of_one(seat.person_id, found)
    evidence = competency.list_evidence(seat.person_id)
    facts = _facts(cohort.id, now)[seat.person_id]
    assessors = {row.assessor_id for row in evidence if row.assessor_id is not None}
    return Person(
        cohort=cohort,
        seat=seat,
        standard=found.standard,
        line=_line(seat, cohort, _requirements(), found.standard, rows, facts, now),
        evidence=evidence,
        voided=competency.void_ids(seat.person_id),
        names=accounts.names_of(assessors),
    )


def arrange(lines: Sequence[Line], *, agency: str, order: str) -> list[Line]:
    """Return the lines of one organisation (or all) by name, by reached, or who needs a word first.

    Unknown words fall back to everybody, who needs a word first.
    """
    kept = [line for line in lines if not agency or line.seat.organisation == agency]
    if order == "nama":
        return kept
    if order == "tercapai":
        return sorted(kept, key=lambda line: -line.reached)
    pressing = list(Reason)
    return sorted(
        kept,
        key=lambda line: (
            pressing.index(line.stuck[0].reason) if line.stuck else len(pressing),
            line.reached,
        ),
    )


def find_unit(found: Matrix, number: str) -> Unit | None:
    """Return the unit of this number for a matrix opened to its criteria, or None."""
    return next((u for u in found.standard.units if u.number == number), None)


def lesson_codes() -> Sequence[str]:
    """Return the codes of all lessons in order."""
    return db.session.scalars(
        select(Lesson.code).order_by(Lesson.curriculum_id, Lesson.position)
    ).all()
