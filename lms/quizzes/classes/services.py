"""What people do with quizzes of a class. Services flush; entry points commit."""

import logging
import secrets
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction
from random import Random
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, func, literal, or_, select
from sqlalchemy.exc import IntegrityError

from lms.cohorts.models import Cohort, Enrolment
from lms.core import audit
from lms.core.db import db
from lms.core.errors import DomainError, NotFound
from lms.core.ids import digest_of_text
from lms.core.ids import public_id as new_public_id
from lms.quizzes import rules as quiz_rules
from lms.quizzes import services as quizzes
from lms.quizzes import timing
from lms.quizzes.classes import rules
from lms.quizzes.classes.models import ClassPair, ClassQuiz, ClassQuizItem, Purpose
from lms.quizzes.collections import services as collections
from lms.quizzes.models import (
    AnswerEvent,
    AnswerMark,
    Attempt,
    AttemptItem,
    Item,
    ItemVersion,
    Quiz,
)
from lms.quizzes.sheets import (
    DRAWN,
    AttemptRef,
    QuestionResult,
    by_hand_of,
    events_of,
    get_attempt,
    is_read,
    reading_of,
)
from lms.quizzes.types import stored
from lms.quizzes.types.base import NONE

log = logging.getLogger(__name__)
AnyRow = Row[*tuple[Any, ...]]


class NoQuestions(DomainError):
    """None of the chosen questions can be used any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A quiz as a trainer put it together."""

    title: str
    purpose: Purpose
    opens_at: datetime
    closes_at: datetime
    tries: int
    minutes: int | None
    shows_answers: bool
    questions: Sequence[int]
    """Ids of questions of a collection."""


@dataclass(frozen=True, slots=True)
class QuizLine:
    """One quiz of a class, for its trainers."""

    quiz: ClassQuiz
    code: str
    minutes: int | None
    questions: int
    people: int
    """How many handed a sitting in."""
    pair: str | None
    """The public id of its pair."""


@dataclass(frozen=True, slots=True)
class OwnQuiz:
    """One quiz of a class and where somebody stands with it."""

    quiz: ClassQuiz
    code: str
    minutes: int | None
    questions: int
    running: str | None
    """The public id of the sitting that is not handed in yet."""
    closed: tuple[tuple[str, datetime], ...]
    """Sittings handed in, oldest first: public id and when."""
    answers_from: datetime | None

    @property
    def left(self) -> int:
        """How many sittings may still be begun."""
        return max(0, self.quiz.tries - len(self.closed) - (self.running is not None))

    def may_begin(self, now: datetime) -> bool:
        """Tell whether a sitting may begin now."""
        quiz = self.quiz
        return self.left > 0 and quiz.cancelled_at is None and quiz.opens_at <= now < quiz.closes_at


@dataclass(frozen=True, slots=True)
class Paper:
    """A sitting of a quiz that was handed in, with what it earned."""

    person_id: int
    attempt_id: int
    public_id: str
    closed_at: datetime
    marks: tuple[tuple[int, Fraction], ...]
    """Item and share of its mark, in the order of the quiz."""
    waiting: frozenset[int] = frozenset()
    """Items whose answer nobody has read yet; they earn nothing until then."""
    lost: frozenset[int] = frozenset()
    """Items whose answer was erased before anybody had read it; they never earn anything."""
    is_read: bool = False
    """Whether it holds questions whose answers somebody reads, or has read."""

    @property
    def is_whole(self) -> bool:
        """Whether every answer has its mark, so that figures may count it."""
        return not self.waiting and not self.lost

    @property
    def share(self) -> Fraction:
        """The share of the full mark."""
        return sum((earned for _item, earned in self.marks), Fraction(0)) / len(self.marks)

    @property
    def right(self) -> int:
        """How many questions earned everything."""
        return sum(earned == 1 for _item, earned in self.marks)


# Putting together


def create(cohort_id: int, draft: Draft, *, actor_id: int, now: datetime) -> str:
    """Make a quiz of a class; return its name in addresses. Raises NoQuestions. Flushes."""
    taken = collections.take(draft.questions, now=now)
    usable = [taken[one] for one in dict.fromkeys(draft.questions) if one in taken]
    if not usable:
        raise NoQuestions(draft.title)
    code = new_public_id().upper()
    # It ends with the class's hour, so its clock never stops.
    quiz = Quiz(curriculum_code=code, minutes=draft.minutes, pausable=False, for_class=True)
    db.session.add(quiz)
    db.session.flush()
    db.session.add(
        ClassQuiz(
            quiz_id=quiz.id,
            cohort_id=cohort_id,
            title=draft.title,
            purpose=draft.purpose,
            opens_at=draft.opens_at,
            closes_at=draft.closes_at,
            tries=draft.tries if draft.purpose is Purpose.PRACTICE else 1,
            shows_answers=draft.shows_answers,
            created_by=actor_id,
            created_at=now,
        )
    )
    db.session.flush()
    for position, line in enumerate(usable, 1):
        _add_item(quiz.id, code, position, line, now)
    audit.record(
        "class_quizzes.create",
        f"class_quiz:{quiz.id}",
        actor_id=actor_id,
        now=now,
        questions=len(usable),
        purpose=draft.purpose.value,
    )
    return code


def _add_item(
    quiz_id: int, code: str, position: int, line: collections.Line, now: datetime
) -> None:
    """Make an item of a question: its own wording, which nothing changes afterwards."""
    question = line.question
    kind, stem, body = stored.pack(question)
    item = Item(
        slug=f"{code}-{position}",
        quiz_id=quiz_id,
        kuk=question.tags.kuk[0] if question.tags.kuk else "",
    )
    db.session.add(item)
    db.session.flush()
    db.session.add_all(
        [
            ClassQuizItem(
                item_id=item.id, quiz_id=quiz_id, question_id=line.row.id, position=position
            ),
            ItemVersion(
                item_id=item.id,
                number=1,
                digest=digest_of_text(f"{kind} {stem} {sorted(body.items())}"),
                level=question.tags.level,
                kind=kind,
                stem=stem,
                options=[],
                key="",
                body=body,
                source=question.tags.source,
                # Changes of the law concern the item bank: the tags stay with the collection.
                law_ref=[],
                checked_on=question.tags.checked_on,
                reviewed=False,
                created_at=now,
            ),
        ]
    )
    db.session.flush()


def change(
    code: str,
    cohort_id: int,
    *,
    title: str,
    opens_at: datetime,
    closes_at: datetime,
    shows_answers: bool,
    actor_id: int,
    now: datetime,
) -> None:
    """Change what a quiz is called and when it is open. Raises NotFound. Flushes."""
    found = get(code, cohort_id)
    found.title, found.shows_answers = title, shows_answers
    found.opens_at, found.closes_at = opens_at, closes_at
    _note("change", found, actor_id, now)


def cancel(code: str, cohort_id: int, *, actor_id: int, now: datetime) -> None:
    """Call a quiz off: nobody begins it any more. Raises NotFound. Flushes."""
    found = get(code, cohort_id)
    if found.cancelled_at is None:
        found.cancelled_at = now
        _note("cancel", found, actor_id, now)


def _note(verb: str, found: ClassQuiz, actor_id: int, now: datetime) -> None:
    audit.record(f"class_quizzes.{verb}", f"class_quiz:{found.quiz_id}", actor_id=actor_id, now=now)
    db.session.flush()


def pair(before: str, after: str, cohort_id: int, *, actor_id: int, now: datetime) -> str:
    """Bind a test before and a test after; return the pair's public id.

    Raises NotFound, rules.BadPair, rules.Paired. Flushes.
    """
    first, second = get(before, cohort_id), get(after, cohort_id)
    rules.check_pair(first.opens_at, second.opens_at, (first.purpose, second.purpose))
    made = ClassPair(
        cohort_id=cohort_id,
        before_id=first.quiz_id,
        after_id=second.quiz_id,
        created_by=actor_id,
        created_at=now,
    )
    try:
        with db.session.begin_nested():
            db.session.add(made)
    except IntegrityError:
        raise rules.Paired(before) from None
    _note_pair("pair", made, actor_id, now)
    return made.public_id


def unpair(public: str, cohort_id: int, *, actor_id: int, now: datetime) -> None:
    """Part a pair; both quizzes stay as they are. Raises NotFound. Flushes."""
    found = get_pair(public, cohort_id)
    _note_pair("unpair", found, actor_id, now)
    db.session.delete(found)
    db.session.flush()


def _note_pair(verb: str, found: ClassPair, actor_id: int, now: datetime) -> None:
    # The row is gone once the pair is parted: which quizzes it bound stands here.
    audit.record(
        f"class_quizzes.{verb}",
        f"class_pair:{found.id}",
        actor_id=actor_id,
        now=now,
        before=found.before_id,
        after=found.after_id,
    )


# Finding


def get(code: str, cohort_id: int) -> ClassQuiz:
    """Return a quiz of a class. Raises NotFound."""
    found = db.session.scalar(
        select(ClassQuiz)
        .join(Quiz, Quiz.id == ClassQuiz.quiz_id)
        .where(Quiz.curriculum_code == code, ClassQuiz.cohort_id == cohort_id)
    )
    if found is None:
        raise NotFound(code)
    return found


def find_class(code: str) -> str | None:
    """Return the class a quiz belongs to, by its address; None for the quiz of a curriculum."""
    return db.session.scalar(
        select(Cohort.slug)
        .join(ClassQuiz, ClassQuiz.cohort_id == Cohort.id)
        .join(Quiz, Quiz.id == ClassQuiz.quiz_id)
        .where(Quiz.curriculum_code == code)
    )


def get_pair(public: str, cohort_id: int) -> ClassPair:
    """Return a pair of a class. Raises NotFound."""
    found = db.session.scalar(
        select(ClassPair).where(ClassPair.public_id == public, ClassPair.cohort_id == cohort_id)
    )
    if found is None:
        raise NotFound(public)
    return found


def list_of_class(cohort_id: int) -> list[QuizLine]:
    """Return the quizzes of a class, newest first, with how many sat them. One query."""
    asked = (
        select(func.count(ClassQuizItem.item_id))
        .where(ClassQuizItem.quiz_id == ClassQuiz.quiz_id)
        .scalar_subquery()
    )
    people = (
        select(func.count(Attempt.person_id.distinct()))
        .where(Attempt.quiz_id == ClassQuiz.quiz_id, Attempt.closed_at.is_not(None))
        .scalar_subquery()
    )
    rows = db.session.execute(
        select(ClassQuiz, Quiz.curriculum_code, Quiz.minutes, asked, people, ClassPair.public_id)
        .join(Quiz, Quiz.id == ClassQuiz.quiz_id)
        .join(
            ClassPair,
            or_(ClassPair.before_id == ClassQuiz.quiz_id, ClassPair.after_id == ClassQuiz.quiz_id),
            isouter=True,
        )
        .where(ClassQuiz.cohort_id == cohort_id)
        .order_by(ClassQuiz.opens_at.desc(), ClassQuiz.quiz_id.desc())
    )
    return [QuizLine(*row) for row in rows]


def list_own(cohort_id: int, person_id: int, *, code: str | None = None) -> list[OwnQuiz]:
    """Return the quizzes of a class and where somebody stands with each. Two queries."""
    asked = (
        select(func.count(ClassQuizItem.item_id))
        .where(ClassQuizItem.quiz_id == ClassQuiz.quiz_id)
        .scalar_subquery()
    )
    one, two = ClassPair.before_id, ClassPair.after_id
    other = ClassQuiz.__table__.alias("other")
    partner = (
        select(func.max(other.c.closes_at))
        .join(
            ClassPair,
            or_(
                and_(one == ClassQuiz.quiz_id, two == other.c.quiz_id),
                and_(two == ClassQuiz.quiz_id, one == other.c.quiz_id),
            ),
        )
        .correlate(ClassQuiz)
        .scalar_subquery()
    )
    query = (
        select(ClassQuiz, Quiz.curriculum_code, Quiz.minutes, asked, partner)
        .join(Quiz, Quiz.id == ClassQuiz.quiz_id)
        .where(ClassQuiz.cohort_id == cohort_id)
        .order_by(ClassQuiz.opens_at, ClassQuiz.quiz_id)
    )
    rows = db.session.execute(
        query if code is None else query.where(Quiz.curriculum_code == code)
    ).all()
    sat: dict[int, list[AnyRow]] = defaultdict(list)
    for row in db.session.execute(
        select(Attempt.quiz_id, Attempt.public_id, Attempt.closed_at)
        .where(
            Attempt.person_id == person_id,
            Attempt.quiz_id.in_([quiz.quiz_id for quiz, *_rest in rows]),
        )
        .order_by(Attempt.number)
    ):
        sat[row.quiz_id].append(row)
    return [_own(row, sat[row[0].quiz_id]) for row in rows]


def _own(row: AnyRow, sittings: Sequence[AnyRow]) -> OwnQuiz:
    quiz, code, minutes, questions, partner = row
    return OwnQuiz(
        quiz,
        code,
        minutes,
        questions,
        next((one.public_id for one in sittings if one.closed_at is None), None),
        tuple((one.public_id, one.closed_at) for one in sittings if one.closed_at is not None),
        rules.answers_from(quiz.closes_at, partner, shows=quiz.shows_answers),
    )


def get_own(code: str, cohort_id: int, person_id: int) -> OwnQuiz:
    """Return one quiz of a class and where somebody stands with it. Raises NotFound."""
    found = list_own(cohort_id, person_id, code=code)
    if not found:
        raise NotFound(code)
    return found[0]


def may_sit(code: str, person_id: int) -> bool:
    """Tell whether somebody has a seat in the class of a quiz; a stranger is noted."""
    seat = db.session.scalar(
        select(Enrolment.id)
        .join(ClassQuiz, ClassQuiz.cohort_id == Enrolment.cohort_id)
        .join(Quiz, Quiz.id == ClassQuiz.quiz_id)
        .where(Quiz.curriculum_code == code, Enrolment.person_id == person_id)
    )
    if seat is None:
        log.warning("person %s asked for quiz %s of another class", person_id, code)
    return seat is not None


def history_query(person: int, now: datetime) -> Select[*tuple[Any, ...]]:
    """Return a query of the quizzes somebody may begin or go on with now, for the home page.

    Columns as in `standing.history_query`; `what` is the address of the class, a line break and
    the title.
    """
    mine = and_(Attempt.quiz_id == ClassQuiz.quiz_id, Attempt.person_id == person)
    used = (
        select(func.count(Attempt.id)).where(mine, Attempt.closed_at.is_not(None)).scalar_subquery()
    )
    return (
        select(
            literal("class_quiz").label("feature"),
            Quiz.curriculum_code.label("code"),
            (Cohort.slug + "\n" + ClassQuiz.title).label("what"),
            ClassQuiz.opens_at.label("began_at"),
            ClassQuiz.closes_at.label("ended_at"),
        )
        .select_from(ClassQuiz)
        .join(Quiz, Quiz.id == ClassQuiz.quiz_id)
        .join(Cohort, Cohort.id == ClassQuiz.cohort_id)
        .join(
            Enrolment,
            and_(Enrolment.cohort_id == ClassQuiz.cohort_id, Enrolment.person_id == person),
        )
        .where(
            ClassQuiz.cancelled_at.is_(None),
            ClassQuiz.opens_at <= now,
            ClassQuiz.closes_at > now,
            used < ClassQuiz.tries,
        )
    )


# Sitting


def open_attempt(
    person_id: int, code: str, *, now: datetime, random: Random | None = None
) -> AttemptRef:
    """Open a sitting of a quiz of a class; one that is running is given back as it is.

    Raises NotFound and a Refusal that says why not. Flushes.
    """
    if not may_sit(code, person_id):
        raise NotFound(code)
    row = db.session.execute(
        select(ClassQuiz, Quiz.minutes)
        .join(Quiz, Quiz.id == ClassQuiz.quiz_id)
        .where(Quiz.curriculum_code == code)
    ).one()
    quiz: ClassQuiz = row[0]
    own = get_own(code, quiz.cohort_id, person_id)
    if own.running is not None:
        return AttemptRef(own.running, code, person_id)
    rules.check_begin(
        quiz.opens_at,
        quiz.closes_at,
        cancelled=quiz.cancelled_at is not None,
        tries=quiz.tries,
        used=len(own.closed),
        now=now,
    )
    allowed = timing.time_for(person_id, row.minutes, now)
    chance = random or Random(secrets.randbits(256))  # noqa: S311  # seeded from secrets
    versions = list(
        db.session.scalars(
            select(func.max(ItemVersion.id))
            .join(Item, Item.id == ItemVersion.item_id)
            .where(Item.quiz_id == quiz.quiz_id, Item.withdrawn_at.is_(None))
            .group_by(Item.id)
        )
    )
    chance.shuffle(versions)
    drawn = quizzes.deal([quiz_rules.Draw(version, "") for version in versions], chance)
    return quizzes.begin(
        AttemptRef("", code, person_id),
        quiz_id=quiz.quiz_id,
        number=len(own.closed) + 1,
        kuk=(),
        drawn=drawn,
        deadline_at=rules.deadline(now, quiz.closes_at, allowed),
        now=now,
    )


# Results


def papers(quiz_ids: Iterable[int], *, public_id: str | None = None) -> dict[int, list[Paper]]:
    """Return every sitting handed in, per quiz, oldest first, marked anew. Three queries.

    With `public_id` only that sitting.

    A question that waits for whoever reads it earns nothing yet.
    """
    handed_in: list[ColumnElement[bool]] = [
        Attempt.quiz_id.in_(list(quiz_ids)),
        Attempt.closed_at.is_not(None),
    ]
    if public_id is not None:
        handed_in.append(Attempt.public_id == public_id)
    attempts = db.session.execute(
        select(Attempt.id, Attempt.public_id, Attempt.quiz_id, Attempt.person_id, Attempt.closed_at)
        .where(*handed_in)
        .order_by(Attempt.number, Attempt.id)
    ).all()
    closed = select(Attempt.id).where(*handed_in)
    answers: dict[int, list[quiz_rules.Event]] = defaultdict(list)
    for event in db.session.scalars(select(AnswerEvent).where(AnswerEvent.attempt_id.in_(closed))):
        answers[event.attempt_id].append(
            quiz_rules.Event(
                event.id,
                event.attempt_item_id,
                event.seq,
                event.choice,
                event.flagged,
                event.received_at,
                event.response,
            )
        )
    drawn = _drawn(closed)
    found: dict[int, list[Paper]] = defaultdict(list)
    for row in attempts:
        marks = quiz_rules.score_attempt(
            [question for _item, question in drawn[row.id]],
            quiz_rules.latest(answers[row.id]),
        )
        found[row.quiz_id].append(_paper(row, [item for item, _question in drawn[row.id]], marks))
    return dict(found)


def _paper(row: AnyRow, items: Sequence[int], marks: Sequence[quiz_rules.Mark]) -> Paper:
    both = list(zip(items, marks, strict=True))
    return Paper(
        row.person_id,
        row.id,
        row.public_id,
        row.closed_at,
        tuple((item, mark.earned or Fraction(0)) for item, mark in both),
        waiting=frozenset(item for item, mark in both if mark.waits),
        lost=frozenset(item for item, mark in both if mark.is_lost),
        is_read=any(one.question.asked and one.question.asked.type.by_hand for one in marks),
    )


def _drawn(closed: Select[int]) -> Mapping[int, list[tuple[int, quiz_rules.Drawn]]]:
    """Return the questions of sittings in the order of the quiz, each with its item."""
    rows = db.session.execute(
        select(
            AttemptItem.id,
            AttemptItem.attempt_id,
            AttemptItem.item_version_id,
            AttemptItem.option_order,
            ItemVersion.item_id,
            ItemVersion.kind,
            ItemVersion.stem,
            ItemVersion.body,
            AnswerMark.level,
            AnswerMark.passed,
        )
        .join(ItemVersion, ItemVersion.id == AttemptItem.item_version_id)
        .join(AnswerMark, AnswerMark.attempt_item_id == AttemptItem.id, isouter=True)
        .where(AttemptItem.attempt_id.in_(closed))
        .order_by(ItemVersion.item_id)
    ).all()
    wordings = {row.item_version_id: row for row in rows}
    asked = {
        version: stored.unpack(row.kind, row.stem, row.body) for version, row in wordings.items()
    }
    found: dict[int, list[tuple[int, quiz_rules.Drawn]]] = defaultdict(list)
    for row in rows:
        found[row.attempt_id].append(
            (
                row.item_id,
                quiz_rules.Drawn(
                    id=row.id,
                    version=row.item_version_id,
                    kuk="",
                    order=row.option_order,
                    key="",
                    asked=asked[row.item_version_id],
                    by_hand=by_hand_of(row),
                ),
            )
        )
    return found


def list_answered(ref: AttemptRef) -> list[QuestionResult]:
    """Return the questions of a sitting that was handed in, with keys and reasons. Three queries.

    Whether they may be shown is for the caller to say. Raises NotFound, quiz_rules.AttemptOpen.
    """
    attempt = get_attempt(ref)
    if attempt.closed_at is None:
        raise quiz_rules.AttemptOpen(ref.public_id)
    lines = db.session.execute(DRAWN, {"attempt": attempt.id}).all()
    asked = [stored.unpack(line.kind, line.stem, line.body) for line in lines]
    drawn = [
        quiz_rules.Drawn(
            id=line.id,
            version=line.version,
            kuk="",
            order=line.option_order,
            key="",
            asked=one,
            by_hand=by_hand_of(line),
        )
        for line, one in zip(lines, asked, strict=True)
    ]
    marks = quiz_rules.score_attempt(drawn, quiz_rules.latest(events_of(attempt.id)))
    return [
        QuestionResult(
            position=line.position,
            kind=line.kind,
            stem=one.stem,
            source=line.source,
            result=one.type.result(one.body, line.option_order, mark.answer.given(line.kind)),
            said=tuple(text for text in (one.outcome(mark.earned or NONE), one.feedback) if text),
            earned=mark.earned,
            right=mark.right,
            counts=True,
            waits=mark.waits,
            reviewed=False,
            marks=(),
            reading=reading_of(line),
        )
        for line, one, mark in zip(lines, asked, marks, strict=True)
    ]


def list_written(ref: AttemptRef) -> list[QuestionResult]:
    """Return the questions of a sitting whose answers somebody reads, with what was said to it.

    Their writer may read this at any time after the end: the note is about their own words. No
    reason, no feedback and no source of the author is in it. Raises as list_answered.
    """
    return [replace(one, said=(), source="") for one in list_answered(ref) if is_read(one.kind)]


def latest_of_each(found: Sequence[Paper]) -> dict[int, Paper]:
    """Return the newest sitting of each person."""
    return {paper.person_id: paper for paper in found}


def list_questions(quiz_id: int) -> list[tuple[int, str, str]]:
    """Return item, type and text of each question of a quiz, in its order."""
    rows = db.session.execute(
        select(Item.id, ItemVersion.kind, ItemVersion.stem)
        .join(ItemVersion, ItemVersion.item_id == Item.id)
        .where(Item.quiz_id == quiz_id)
        .order_by(Item.id)
    )
    return [(row.id, row.kind, row.stem) for row in rows]


def used_questions(code: str, cohort_id: int) -> list[int]:
    """Return the questions of a quiz, to put another one together of them. Raises NotFound."""
    found = get(code, cohort_id)
    return list(
        db.session.scalars(
            select(ClassQuizItem.question_id)
            .where(ClassQuizItem.quiz_id == found.quiz_id)
            .order_by(ClassQuizItem.position)
        )
    )


def asked_questions(quiz_id: int) -> Sequence[int]:
    """Return the questions of collections a quiz asks."""
    return db.session.scalars(
        select(ClassQuizItem.question_id).where(ClassQuizItem.quiz_id == quiz_id)
    ).all()


def get_by_ids(first: int, second: int) -> tuple[ClassQuiz, ClassQuiz]:
    """Return two quizzes. One query."""
    rows = db.session.scalars(select(ClassQuiz).where(ClassQuiz.quiz_id.in_([first, second])))
    found = {one.quiz_id: one for one in rows}
    return found[first], found[second]
