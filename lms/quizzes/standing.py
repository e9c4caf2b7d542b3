"""Where people stand with quizzes: what is open, passed, waiting. Reads only."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import Row, Select, String, bindparam, case, func, literal, or_, select

from lms.competency import rules as competency_rules
from lms.competency import services as competency
from lms.competency.rules import EvidenceKind, Kuk, NextTry, Standard, TryState
from lms.competency.services import Current
from lms.core.db import db
from lms.core.errors import NotFound
from lms.core.prepared import read
from lms.quizzes import rules
from lms.quizzes.models import AnswerEvent, Attempt, AttemptItem, Quiz

AnyRow = Row[*tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Closed:
    """A sitting that was handed in."""

    public_id: str
    number: int
    closed_at: datetime


@dataclass(frozen=True, slots=True)
class Running:
    """A sitting that is not handed in yet."""

    id: int
    public_id: str
    number: int
    opened_at: datetime
    deadline_at: datetime | None
    paused_at: datetime | None
    answered: int
    total: int

    def is_over(self, now: datetime) -> bool:
        """Tell whether its time is over: it only has to be closed."""
        return rules.is_over(self.deadline_at, self.paused_at, now)


@dataclass(frozen=True, slots=True, kw_only=True)
class QuizState:
    """Where somebody stands with the quiz of one curriculum."""

    curriculum: str
    title: str
    title_en: str
    asked: tuple[str, ...]
    """Every KUK the quiz asks."""
    scope: tuple[str, ...]
    """What the next sitting shows; empty when the quiz is passed."""
    shown: int
    """How many items the next sitting shows."""
    others: int
    """How many items of non-critical KUK a first sitting shows, and …"""
    needed: int
    """… how many of them must be right."""
    shown_critical: int
    """Items of one critical KUK; all must be right."""
    wait_hours: int
    """Between two tries."""
    free_tries: int
    """Before a trainer's guidance is needed."""
    minutes: int | None
    """Time limit of the next sitting; None where there is none."""
    pausable: bool
    """Whether a pause stops the clock."""
    running: Running | None
    closed: tuple[Closed, ...]
    """Sittings handed in, oldest first."""
    next: NextTry

    @property
    def passed(self) -> bool:
        """Tell whether nothing is left to ask."""
        return not self.scope

    @property
    def reached(self) -> int:
        """How many KUK are passed."""
        return len(self.asked) - len(self.scope)

    @property
    def last(self) -> Closed | None:
        """The newest sitting that was handed in."""
        return self.closed[-1] if self.closed else None


@dataclass(frozen=True, slots=True)
class Stuck:
    """Why somebody cannot sit the quiz of a curriculum just now."""

    curriculum: str
    state: TryState
    """WAIT until `at`, or COACHING: a trainer has to give guidance."""
    at: datetime | None
    tries: int
    public_id: str
    """The last sitting."""


def quiz_states(
    person_id: int,
    now: datetime,
    *,
    found: Current | None = None,
    rows: Sequence[competency_rules.Row] | None = None,
) -> dict[str, QuizState]:
    """Return where somebody stands with each quiz there is, by curriculum.

    One query when `found` and `rows` are at hand, three otherwise; one more for each quiz of
    which three tries are used. Raises competency.NoStandard.
    """
    current = found or competency.current()
    known = competency.rows_of_one(person_id, current) if rows is None else rows
    return _states(person_id, now, current, known, None)


def quiz_state(
    person_id: int,
    curriculum: str,
    now: datetime,
    *,
    found: Current | None = None,
    rows: Sequence[competency_rules.Row] | None = None,
) -> QuizState:
    """Return where somebody stands with one quiz; see quiz_states. Raises NotFound."""
    current = found or competency.current()
    known = competency.rows_of_one(person_id, current) if rows is None else rows
    states = _states(person_id, now, current, known, curriculum)
    if curriculum not in states:
        raise NotFound(curriculum)
    return states[curriculum]


def _states(
    person_id: int,
    now: datetime,
    current: Current,
    rows: Sequence[competency_rules.Row],
    curriculum: str | None,
) -> dict[str, QuizState]:
    sittings: dict[str, list[AnyRow]] = defaultdict(list)
    asked: dict[str, Any] = {"person": person_id}
    query = _find_sittings()
    if curriculum is not None:
        query, asked = _find_sittings_of_one(), {**asked, "curriculum": curriculum}
    limits: dict[str, tuple[int | None, bool]] = {}
    # A quiz without a sitting has one empty line.
    for row in read(query, asked):
        limits[row.curriculum_code] = row.minutes, row.pausable
        sittings[row.curriculum_code] += [row] if row.public_id else []
    ledger = competency_rules.Ledger(current.standard, rows, now)
    return {
        code: _quiz_state(code, person_id, now, ledger, rows, lines, limits[code])
        for code, lines in sittings.items()
        if code in current.standard.curricula
    }


@cache
def _find_sittings_of_one() -> Select[*tuple[Any, ...]]:
    return _find_sittings().where(Quiz.curriculum_code == bindparam("curriculum"))


@cache
def _find_sittings() -> Select[*tuple[Any, ...]]:
    """Return the statement of `_states`, put together once."""
    is_open = Attempt.closed_at.is_(None)
    answered = (
        select(func.count(AnswerEvent.attempt_item_id.distinct()))
        .where(
            AnswerEvent.attempt_id == Attempt.id,
            or_(AnswerEvent.choice.is_not(None), AnswerEvent.response.is_not(None)),
        )
        .scalar_subquery()
    )
    total = (
        select(func.count(AttemptItem.id))
        .where(AttemptItem.attempt_id == Attempt.id)
        .scalar_subquery()
    )
    return (
        select(
            Quiz.curriculum_code,
            Quiz.minutes,
            Quiz.pausable,
            Attempt.id.label("attempt_id"),
            Attempt.public_id,
            Attempt.number,
            Attempt.opened_at,
            Attempt.deadline_at,
            Attempt.paused_at,
            Attempt.closed_at,
            case((is_open, answered), else_=0).label("answered"),
            case((is_open, total), else_=0).label("total"),
        )
        .join(
            Attempt,
            (Attempt.quiz_id == Quiz.id) & (Attempt.person_id == bindparam("person")),
            isouter=True,
        )
        .where(Quiz.for_class.is_(False))
        .order_by(Quiz.curriculum_code, Attempt.number)
    )


def _quiz_state(
    code: str,
    person_id: int,
    now: datetime,
    ledger: competency_rules.Ledger,
    rows: Sequence[competency_rules.Row],
    sittings: Sequence[AnyRow],
    limit: tuple[int | None, bool],
) -> QuizState:
    standard = ledger.standard
    closed = [row for row in sittings if row.closed_at is not None]
    running = next((row for row in sittings if row.closed_at is None), None)
    asked = asked_by(standard, code)
    scope = competency_rules.open_in_quiz(ledger, code)
    others = sum(standard.shown_for(kuk) for kuk in asked if not kuk.critical)
    tries = tries_of(standard, code, rows, [row.closed_at for row in closed])
    coached = (
        competency.coached_at(person_id, EvidenceKind.Q, code)
        if len(tries) >= standard.tries_before_coaching
        else []
    )
    return QuizState(
        curriculum=code,
        title=standard.curricula[code][0],
        title_en=standard.curricula[code][1],
        asked=tuple(kuk.code for kuk in asked),
        scope=scope,
        shown=sum(standard.shown_for(standard.find(kuk)) for kuk in scope),
        others=others,
        needed=rules.needed(standard.ratio_of(code), others),
        shown_critical=standard.shown_critical,
        wait_hours=standard.wait[EvidenceKind.Q] // timedelta(hours=1),
        free_tries=standard.tries_before_coaching,
        minutes=limit[0],
        pausable=limit[1],
        running=None if running is None else _running(running),
        closed=tuple(Closed(row.public_id, row.number, row.closed_at) for row in closed),
        next=competency_rules.next_try(standard, EvidenceKind.Q, tries, coached, now),
    )


def _running(row: AnyRow) -> Running:
    return Running(
        row.attempt_id,
        row.public_id,
        row.number,
        row.opened_at,
        row.deadline_at,
        row.paused_at,
        row.answered,
        row.total,
    )


def tries_of(
    standard: Standard,
    code: str,
    rows: Iterable[competency_rules.Row],
    closed: Sequence[datetime],
) -> list[datetime]:
    """Return the tries that count: those after the last sitting that passed.

    Somebody whose evidence grew old, or lost an item to a change of the law, begins anew.
    """
    if not closed:
        return []
    then = as_it_was(rows)
    return rules.tries_since(
        closed,
        [at for at in closed if not competency_rules.quiz_scope(standard, code, then, at)],
    )


def waiting(
    person_ids: Sequence[int],
    now: datetime,
    *,
    found: Current | None = None,
    ledgers: Mapping[int, Sequence[competency_rules.Row]] | None = None,
) -> dict[int, list[Stuck]]:
    """Return who cannot sit a quiz just now: it waits 24 hours, or three tries are used.

    Two queries when `found` and `ledgers` are at hand, four otherwise, however many people.
    """
    sat = db.session.execute(
        select(
            Attempt.person_id,
            Quiz.curriculum_code,
            Attempt.public_id,
            Attempt.closed_at,
        )
        .join(Quiz, Quiz.id == Attempt.quiz_id)
        .where(Attempt.person_id.in_(person_ids), Quiz.for_class.is_(False))
        .order_by(Attempt.number)
    )
    groups: dict[tuple[int, str], list[AnyRow]] = defaultdict(list)
    for row in sat:
        groups[row.person_id, row.curriculum_code].append(row)
    current = found or competency.current()
    known = competency.rows_of(person_ids, current) if ledgers is None else ledgers
    coached = competency.coached_many(person_ids, EvidenceKind.Q)
    stuck: dict[int, list[Stuck]] = defaultdict(list)
    for (person_id, code), sittings in groups.items():
        rows = known.get(person_id, ())
        if sittings[-1].closed_at is None or not competency_rules.quiz_scope(
            current.standard, code, rows, now
        ):
            continue
        tries = tries_of(current.standard, code, rows, [row.closed_at for row in sittings])
        step = competency_rules.next_try(
            current.standard, EvidenceKind.Q, tries, coached.get((person_id, code), []), now
        )
        if step.state is not TryState.OPEN:
            stuck[person_id].append(
                Stuck(code, step.state, step.at, len(tries), sittings[-1].public_id)
            )
    return dict(stuck)


def asked_by(standard: Standard, curriculum: str) -> list[Kuk]:
    """Return the KUK the quiz of a curriculum asks, in the order of the standard."""
    return [kuk for kuk in standard.of(curriculum) if EvidenceKind.Q in kuk.ev]


def as_it_was(rows: Iterable[competency_rules.Row]) -> list[competency_rules.Row]:
    """Return the Q rows as they counted on their day: nothing voided, no text changed."""
    return [row._replace(voided=False, text=None) for row in rows if row.kind is EvidenceKind.Q]


def history_query(person_id: int) -> Select[*tuple[Any, ...]]:
    """Return a query of every quiz with one person's sittings, in the columns the home page unites.

    Columns: feature, code, what, began_at, ended_at; a quiz without a sitting has no dates.
    """
    return (
        select(
            literal("quiz", String).label("feature"),
            Quiz.curriculum_code.label("code"),
            literal("", String).label("what"),
            Attempt.opened_at.label("began_at"),
            Attempt.closed_at.label("ended_at"),
        )
        .select_from(Quiz)
        .join(
            Attempt, (Attempt.quiz_id == Quiz.id) & (Attempt.person_id == person_id), isouter=True
        )
        .where(Quiz.for_class.is_(False))
    )
