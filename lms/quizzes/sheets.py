"""What a sitting shows: no key while it runs, every reason afterwards. Reads only."""

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from fractions import Fraction
from typing import Any

from sqlalchemy import Row, String, bindparam, cast, func, select
from sqlalchemy.orm import aliased

from lms.competency import rules as competency_rules
from lms.competency import services as competency
from lms.competency.models import Evidence
from lms.competency.rules import EvidenceKind, Kuk, State
from lms.core import reviewing
from lms.core.errors import NotFound
from lms.core.prepared import read
from lms.core.reviewing import Mark
from lms.modules import services as modules
from lms.quizzes import keys, rules, standing
from lms.quizzes.models import (
    AnswerEvent,
    AnswerMark,
    Attempt,
    AttemptItem,
    Item,
    ItemVersion,
    Quiz,
)
from lms.quizzes.types import TYPES, Kind, base, stored
from lms.quizzes.types.model import Text
from lms.quizzes.types.stored import Asked
from lms.ratings.services import MODERATED

log = logging.getLogger(__name__)
AnyRow = Row[*tuple[Any, ...]]

# Statements of every request, put together once: that costs more than running them.
SITTING = (
    select(
        Attempt.id,
        Attempt.person_id,
        Attempt.number,
        Attempt.opened_at,
        Attempt.closed_at,
        Attempt.deadline_at,
        Attempt.paused_at,
        Quiz.pausable,
        Quiz.curriculum_code,
        Quiz.for_class,
    )
    .join(Quiz, Quiz.id == Attempt.quiz_id)
    .where(Attempt.public_id == bindparam("sitting"))
)
EVENTS = select(
    AnswerEvent.id,
    AnswerEvent.attempt_item_id,
    AnswerEvent.seq,
    AnswerEvent.choice,
    AnswerEvent.flagged,
    AnswerEvent.received_at,
    AnswerEvent.response,
).where(AnswerEvent.attempt_id == bindparam("attempt"))
ITEMS = (
    select(
        AttemptItem.id,
        AttemptItem.position,
        AttemptItem.item_version_id,
        AttemptItem.option_order,
        ItemVersion.kind,
    )
    .join(ItemVersion, ItemVersion.id == AttemptItem.item_version_id)
    .where(AttemptItem.attempt_id == bindparam("attempt"))
    .order_by(AttemptItem.position)
)
TEXTS = select(
    ItemVersion.kind, ItemVersion.stem, ItemVersion.options, ItemVersion.key, ItemVersion.body
).where(ItemVersion.id == bindparam("version"))
_THIRD = aliased(Evidence)
DRAWN = (
    select(
        AttemptItem.id,
        AttemptItem.position,
        AttemptItem.option_order,
        ItemVersion.id.label("version"),
        ItemVersion.key,
        ItemVersion.stem,
        ItemVersion.source,
        ItemVersion.options,
        ItemVersion.digest,
        ItemVersion.reviewed,
        Item.id.label("item_id"),
        ItemVersion.kind,
        ItemVersion.body,
        Item.kuk,
        Item.slug,
        Item.withdrawn_at,
        # What a third person decided takes the place of the lower of two marks.
        func.coalesce(_THIRD.mark, AnswerMark.level).label("level"),
        func.coalesce(_THIRD.passed, AnswerMark.passed).label("passed"),
        func.coalesce(_THIRD.note, AnswerMark.note).label("note"),
        func.coalesce(_THIRD.recorded_at, AnswerMark.at).label("marked_at"),
    )
    .join(ItemVersion, ItemVersion.id == AttemptItem.item_version_id)
    .join(Item, Item.id == ItemVersion.item_id)
    .join(Attempt, Attempt.id == AttemptItem.attempt_id)
    .join(
        _THIRD,
        (_THIRD.person_id == Attempt.person_id)
        & (_THIRD.kind == EvidenceKind.Q)
        & (_THIRD.group_key == Attempt.public_id)
        & (_THIRD.kuk == Item.kuk)
        & (_THIRD.ref == cast(ItemVersion.id, String) + f"/{MODERATED}"),
        isouter=True,
    )
    .join(AnswerMark, AnswerMark.attempt_item_id == AttemptItem.id, isouter=True)
    .where(AttemptItem.attempt_id == bindparam("attempt"))
    .order_by(AttemptItem.position)
)


@dataclass(frozen=True, slots=True)
class AttemptRef:
    """A sitting somebody asks for; it is theirs only once it was found."""

    public_id: str
    curriculum: str
    person_id: int


@dataclass(frozen=True, slots=True)
class Clock:
    """The time of a sitting."""

    opened_at: datetime
    deadline_at: datetime | None
    paused_at: datetime | None
    pausable: bool

    def is_over(self, now: datetime) -> bool:
        """Tell whether no answer is taken any more."""
        return rules.is_over(self.deadline_at, self.paused_at, now)


@dataclass(frozen=True, slots=True)
class Line:
    """One question of a running sitting, without its text."""

    id: int
    position: int
    version: int
    order: str
    answer: rules.Answer
    kind: str = "single"

    @property
    def is_answered(self) -> bool:
        """Tell whether it has an answer."""
        return self.answer.given(self.kind) is not None


@dataclass(frozen=True, slots=True)
class Sheet:
    """A running sitting: its questions in order and the highest seq that arrived."""

    ref: AttemptRef
    number: int
    lines: tuple[Line, ...]
    seq: int
    clock: Clock
    for_class: bool = False
    """Whether it is the quiz of a class."""

    @property
    def answered(self) -> int:
        """How many questions have an answer."""
        return len(self.lines) - len(self.unanswered)

    @property
    def unanswered(self) -> tuple[int, ...]:
        """Positions without an answer."""
        return tuple(line.position for line in self.lines if not line.is_answered)

    @property
    def flagged(self) -> tuple[int, ...]:
        """Positions the person wants to see again."""
        return tuple(line.position for line in self.lines if line.answer.flagged)


@dataclass(frozen=True, slots=True)
class Question:
    """What a page may say about one question while the sitting runs: no key, no rationale."""

    position: int
    kind: str
    stem: Text
    shown: Mapping[str, Any]
    """What the page part of this type draws."""
    answer: rules.Answer

    @property
    def options(self) -> tuple[str, ...]:
        """The words of the options in the order shown, where there are any."""
        found = self.shown.get("options", ())
        return tuple(one.value if isinstance(one, Text) else one[1] for one in found)

    @property
    def response(self) -> Mapping[str, Any]:
        """What is stored as the answer so far; of an open question, an empty one."""
        if self.kind == Kind.SINGLE:
            return {"choice": self.answer.choice}
        return self.answer.response or TYPES[Kind(self.kind)].read([])


@dataclass(frozen=True, slots=True)
class Reading:
    """What somebody found who read the answer."""

    level: int
    passed: bool
    note: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Remark:
    """The key of a question was corrected: when, why, and what it means for this sitting."""

    at: datetime
    reason: str
    is_later: bool
    """It was corrected after the sitting; else the sitting was marked by the corrected key."""
    right: bool | None
    """What the answer counts now; None: nothing."""


@dataclass(frozen=True, slots=True)
class QuestionResult:
    """One question after the sitting, with why each option is as safe as it is."""

    position: int
    kind: str
    stem: Text
    source: str
    result: base.Result
    said: tuple[Text, ...]
    """What the author says about the answer, or to everybody."""
    earned: Fraction | None
    """The share of the mark; None while it waits for whoever reads it."""
    right: bool
    counts: bool
    waits: bool
    reviewed: bool
    """Whether its file says that an expert has read it."""
    marks: tuple[Mark, ...]
    """Who signed this very text."""
    corrected: Remark | None = None
    """Its key was corrected; the options then stand as they were corrected."""
    reading: Reading | None = None

    @property
    def options(self) -> tuple[base.Line, ...]:
        """The lines of the result: the options of a choice."""
        return self.result.lines


class Outcome(StrEnum):
    """What the quiz says about one KUK."""

    OPEN = "open"
    """Asked again, with other items."""
    WAITING = "waiting"
    """An answer is not read yet."""
    AGAIN = "again"
    """Right, but asked again because too few of the non-critical items are right."""
    COMPENSATED = "compensated"
    """Not right, but enough of the non-critical items are."""
    PASSED = "passed"


@dataclass(frozen=True, slots=True)
class KukResult:
    """One KUK after a sitting. Without questions when an earlier sitting settled it."""

    kuk: Kuk
    outcome: Outcome
    score: rules.Score
    questions: tuple[QuestionResult, ...]
    lessons: tuple[tuple[str, str], ...]
    """Title and address of the lessons that teach it."""


@dataclass(frozen=True, slots=True)
class Result:
    """A sitting after it was handed in, and where the person stands now."""

    number: int
    closed_at: datetime
    deadline_at: datetime | None
    kuk: tuple[KukResult, ...]
    others: rules.Score
    """Items of non-critical KUK, over all sittings that counted by then."""
    needed: int
    """How many of `others` had to be right."""
    state: standing.QuizState

    def by(self, outcome: Outcome) -> list[KukResult]:
        """Return the KUK of one outcome, in the order of the standard."""
        return [kuk for kuk in self.kuk if kuk.outcome is outcome]

    @property
    def ended_by_time(self) -> bool:
        """Whether its time was over before it was handed in."""
        return self.deadline_at is not None and self.closed_at > self.deadline_at

    @property
    def passed(self) -> int:
        """How many KUK the quiz had settled by then."""
        return len(self.by(Outcome.PASSED)) + len(self.by(Outcome.COMPENSATED))


def get_attempt(ref: AttemptRef) -> AnyRow:
    """Return the sitting's id, number, beginning and end. Raises NotFound."""
    rows = read(SITTING, {"sitting": ref.public_id})
    if not rows or not is_own(ref, rows[0].person_id, rows[0].curriculum_code):
        raise NotFound(ref.public_id)
    row: AnyRow = rows[0]
    return row


def is_own(ref: AttemptRef, person_id: int, curriculum: str) -> bool:
    """Tell whether a sitting is the asker's; somebody else's is noted for the operator."""
    if person_id != ref.person_id:
        log.warning("person %s asked for sitting %s of another", ref.person_id, ref.public_id)
        return False
    return curriculum == ref.curriculum


def events_of(attempt_id: int) -> list[rules.Event]:
    """Return everything that arrived about the questions of a sitting. One query."""
    rows = read(EVENTS, {"attempt": attempt_id})
    return [
        rules.Event(
            row.id,
            row.attempt_item_id,
            row.seq,
            row.choice,
            row.flagged,
            row.received_at,
            row.response,
        )
        for row in rows
    ]


def get_sheet(ref: AttemptRef) -> Sheet:
    """Return a running sitting without the texts. Raises NotFound, rules.AttemptClosed."""
    attempt = get_attempt(ref)
    if attempt.closed_at is not None:
        raise rules.AttemptClosed(ref.public_id)
    events = events_of(attempt.id)
    answers = rules.latest(events)
    rows = read(ITEMS, {"attempt": attempt.id})
    lines = tuple(
        Line(
            row.id,
            row.position,
            row.item_version_id,
            row.option_order,
            answers.get(row.id, rules.Answer()),
            row.kind,
        )
        for row in rows
    )
    seq = max((event.seq for event in events), default=0)
    return Sheet(ref, attempt.number, lines, seq, clock_of(attempt), attempt.for_class)


def clock_of(attempt: AnyRow) -> Clock:
    """Return the time of a sitting that was found."""
    return Clock(attempt.opened_at, attempt.deadline_at, attempt.paused_at, attempt.pausable)


def get_question(sheet: Sheet, position: int) -> Question:
    """Return what a page may say about one question. Raises NotFound."""
    line = next((line for line in sheet.lines if line.position == position), None)
    if line is None:
        raise NotFound(str(position))
    [row] = read(TEXTS, {"version": line.version})
    asked = asked_of(row)
    shown = asked.type.shown(asked.body, line.order)
    return Question(position, row.kind, asked.stem, shown, line.answer)


def asked_of(row: AnyRow | ItemVersion) -> Asked:
    """Return what a wording asks, with its key, from its kind, stem, options, key and body."""
    found = stored.find(row.kind, row.stem, row.body)
    return found or stored.of_options(row.stem, row.options, row.key)


def get_result(ref: AttemptRef, *, now: datetime) -> Result:
    """Return a sitting with its key and reasons.

    Raises NotFound, rules.AttemptOpen, rules.OfClass.
    """
    attempt = get_attempt(ref)
    if attempt.for_class:
        raise rules.OfClass(ref.public_id)
    if attempt.closed_at is None:
        raise rules.AttemptOpen(ref.public_id)
    found = competency.current()
    rows = competency.rows_of_one(ref.person_id, found)
    questions, totals = _results(ref, attempt, rows)
    links = modules.kuk_links(questions)
    then = standing.as_it_was(rows)
    ledger = competency_rules.Ledger(found.standard, then, attempt.closed_at)
    scope = competency_rules.open_in_quiz(ledger, ref.curriculum)
    shown, right, _whole = ledger.items(ref.curriculum)
    return Result(
        number=attempt.number,
        closed_at=attempt.closed_at,
        deadline_at=attempt.deadline_at,
        kuk=tuple(
            KukResult(
                kuk=kuk,
                outcome=Outcome.WAITING
                if totals.get(kuk.code, rules.Score()).waiting
                else _outcome(kuk.code in scope, ledger.state(kuk, EvidenceKind.Q)),
                score=totals.get(kuk.code, rules.Score()),
                questions=tuple(questions.get(kuk.code, ())),
                lessons=links.get(kuk.code, ()),
            )
            for kuk in standing.asked_by(found.standard, ref.curriculum)
        ),
        others=rules.Score(right, shown),
        needed=rules.needed(found.standard.ratio_of(ref.curriculum), shown),
        state=standing.quiz_state(ref.person_id, ref.curriculum, now, found=found, rows=rows),
    )


def _outcome(in_scope: bool, state: State) -> Outcome:
    if in_scope:
        return Outcome.AGAIN if state is State.PASS else Outcome.OPEN
    return Outcome.PASSED if state is State.PASS else Outcome.COMPENSATED


def _results(
    ref: AttemptRef, attempt: AnyRow, rows: Iterable[competency_rules.Row]
) -> tuple[dict[str, list[QuestionResult]], dict[str, rules.Score]]:
    """Return the questions of a closed sitting per KUK, and what they add up to."""
    # What counted is in the ledger since then, whatever became of the item.
    counted = {
        row.ref: row for row in rows if row.kind is EvidenceKind.Q and row.group == ref.public_id
    }
    found = read(DRAWN, {"attempt": attempt.id})
    signed = reviewing.marks_of("item", [(line.slug, line.digest) for line in found])
    wordings = _wordings(found, counted)
    drawn = [
        rules.Drawn(
            id=line.id,
            version=line.version,
            kuk=line.kuk,
            order=line.option_order,
            key=wording.key,
            withdrawn=_withdrawn(line, attempt.closed_at) or _is_faulty(line, wording)
            if is_read(line.kind)
            else not wording.counts,
            asked=stored.find(line.kind, line.stem, wording.body),
            by_hand=by_hand_of(line),
        )
        for line, wording in zip(found, wordings, strict=True)
    ]
    marks = rules.score_attempt(drawn, rules.latest(events_of(attempt.id)))
    questions: dict[str, list[QuestionResult]] = defaultdict(list)
    for mark, line, wording in zip(marks, found, wordings, strict=True):
        asked = stored.find(line.kind, line.stem, wording.body_now) or stored.of_options(
            line.stem, wording.options, wording.best
        )
        shown = asked.type.result(asked.body, line.option_order, mark.answer.given(line.kind))
        questions[line.kuk].append(
            QuestionResult(
                position=line.position,
                kind=line.kind,
                stem=asked.stem,
                source=line.source,
                result=shown if wording.has_key else asked.type.keyless(shown),
                said=_said(asked, mark.earned, wording),
                earned=mark.earned,
                right=mark.right,
                counts=not mark.question.withdrawn,
                waits=mark.waits,
                reviewed=line.reviewed,
                marks=signed.get((line.slug, line.digest), ()),
                corrected=wording.remark,
                reading=reading_of(line),
            )
        )
    return questions, rules.scores(marks)


@dataclass(frozen=True, slots=True)
class _Wording:
    """By which key a question was marked, and how it reads now."""

    key: str
    """The sitting was marked by it."""
    counts: bool
    best: str
    """The key now; empty where no option is right."""
    options: Sequence[dict[str, Any]]
    remark: Remark | None
    body: Mapping[str, Any] | None
    """Of other types: what it was marked by."""
    body_now: Mapping[str, Any] | None
    """What it reads now."""
    has_key: bool = True
    """Whether anything is right."""


def _wordings(
    found: Sequence[AnyRow], counted: Mapping[str, competency_rules.Row]
) -> list[_Wording]:
    """Return by which key each question was marked: one query, two where a key was corrected.

    A sitting handed in after a correction was marked by the corrected key. Its score never moves;
    what was corrected later is a remark beside it, and nobody reads a wrong key as the right one.
    """
    chains = keys.chains({line.item_id for line in found})
    steps = {line.version: chains.get(line.version, ()) for line in found}
    other = keys.keys_of(
        {step.corrected for some in steps.values() for step in some if step.corrected is not None}
    )
    return [_wording(line, steps[line.version], other, counted) for line in found]


def _wording(
    line: AnyRow,
    steps: Sequence[rules.Correction],
    other: Mapping[int, keys.Key],
    counted: Mapping[str, competency_rules.Row],
) -> _Wording:
    chain = [line.version, *(step.corrected for step in steps)]
    marked = next((one for one in chain if str(one) in counted), None)
    by = other.get(marked or 0)
    key, body = (by.key, by.body) if by else (line.key, line.body)
    if not steps:
        return _Wording(key, marked is not None, key, line.options, None, body, body)
    last = steps[-1]
    row = counted.get(str(last.corrected))
    remark = Remark(
        at=last.at,
        reason=last.reason,
        is_later=marked is not None and marked != last.corrected,
        right=row.passed if row is not None else None,
    )
    now = other.get(last.corrected or 0)
    return _Wording(
        key,
        marked is not None,
        now.key if now else "",
        now.options if now else line.options,
        remark,
        body,
        now.body if now else line.body,
        has_key=now is not None or is_read(line.kind),
    )


def is_read(kind: str) -> bool:
    """Tell whether somebody has to read the answers to questions of a type."""
    return TYPES[Kind(kind)].by_hand


def by_hand_of(line: AnyRow) -> rules.ByHand | None:
    """Return the mark of whoever read an answer, from the columns level and passed."""
    return None if line.level is None else rules.ByHand(line.level, line.passed)


def reading_of(line: AnyRow) -> Reading | None:
    """Return what whoever read an answer found, from its line of DRAWN."""
    if line.level is None:
        return None
    return Reading(line.level, line.passed, line.note, line.marked_at)


def _is_faulty(line: AnyRow, wording: _Wording) -> bool:
    """Tell whether a question was called faulty before anybody read the answer: nobody will."""
    return line.level is None and wording.remark is not None and not wording.counts


def _withdrawn(line: AnyRow, closed_at: datetime) -> bool:
    return line.withdrawn_at is not None and line.withdrawn_at <= closed_at


def _said(asked: Asked, earned: Fraction | None, wording: _Wording) -> tuple[Text, ...]:
    """Return what the author says, but not what the remark about its key says already."""
    if wording.remark is not None and not is_read(asked.type.kind):
        return ()
    found = (asked.outcome(earned), asked.feedback) if earned is not None else (asked.feedback,)
    return tuple(text for text in found if text)
