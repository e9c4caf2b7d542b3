"""What assessors do with written answers of quizzes. Services flush; entry points commit."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    String,
    cast,
    exists,
    func,
    literal,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.orm import aliased

from lms.accounts import services as accounts
from lms.cohorts import services as cohorts
from lms.cohorts.models import Part
from lms.competency import services as competency
from lms.competency.rules import EvidenceKind, Kuk
from lms.competency.services import Current, NewEvidence
from lms.core import audit
from lms.core.db import db, insert_once
from lms.core.errors import DomainError, NotFound
from lms.core.login import Viewer
from lms.quizzes import keys
from lms.quizzes.classes.models import ClassQuiz
from lms.quizzes.essays import rules
from lms.quizzes.models import (
    AnswerEvent,
    AnswerMark,
    Attempt,
    AttemptItem,
    Item,
    ItemCorrection,
    ItemVersion,
    Quiz,
)
from lms.quizzes.rules import ERASED
from lms.quizzes.sheets import Reading, asked_of
from lms.quizzes.types import Kind
from lms.quizzes.types.essay.rules import words
from lms.quizzes.types.model import Text
from lms.quizzes.types.stored import Asked
from lms.ratings import rules as rating_rules
from lms.ratings import services as ratings
from lms.ratings.models import Rating
from lms.ratings.rules import Mark
from lms.ratings.services import MODERATED

AnyRow = Row[*tuple[Any, ...]]
ASSESSORS = (Part.ASSESSOR, Part.TRAINER)
PAGE = 50
"""Sittings on one page of the list."""


class AlreadyMarked(DomainError):
    """Somebody marked the answer before, or the same assessor did."""


@dataclass(frozen=True, slots=True)
class Opinion:
    """What one of two assessors, or the third person, found."""

    name: str
    """Empty while a third person has to decide."""
    reading: Reading


@dataclass(frozen=True, slots=True)
class Line:
    """One sitting with answers that wait."""

    public_id: str
    position: int
    """The first question that waits."""
    person: str
    curriculum: str
    title: str
    """Of the quiz of a class; empty for the quiz of a curriculum."""
    waiting: int
    closed_at: datetime


@dataclass(frozen=True, slots=True)
class Queue:
    """One page of what waits, oldest first."""

    lines: tuple[Line, ...]
    after: str | None
    """The sitting after which the next page begins, if there is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Essay:
    """One written answer beside what it was asked for."""

    public_id: str
    position: int
    person: str
    curriculum: str
    title: str
    number: int
    closed_at: datetime
    zone: str | None
    is_evidence: bool
    kuk: Kuk | None
    stem: Text
    guidance: Text
    least_words: int | None
    most_words: int | None
    text: str
    words: int
    mark: Reading | None
    """What counts, once everybody who has to has marked."""
    marked_by: str
    raters: int = 1
    """How many assessors mark it."""
    own: Reading | None = None
    """What the reader gave, while the second assessor has not marked."""
    others: Sequence[Opinion] = ()
    """What each of two gave, once both are in; after them the third person."""
    waits_for_third: bool = False


@dataclass(frozen=True, slots=True)
class Disputed:
    """What a third person reads before deciding about an essay."""

    stem: Text
    guidance: Text
    text: str


def _unread() -> type[AttemptItem]:
    """Return the drawn essays nobody has marked, found before anything else is looked at.

    What has been marked costs one look into the index of marks. Left to itself, a planner looks
    for the marks last, after the texts and the people of everything that was ever written.
    """
    unread = (
        select(AttemptItem)
        .join(ItemVersion, ItemVersion.id == AttemptItem.item_version_id)
        .where(
            ItemVersion.kind == Kind.ESSAY,
            ~exists().where(AnswerMark.attempt_item_id == AttemptItem.id),
        )
        .cte("unread")
        .prefix_with("MATERIALIZED")
    )
    return aliased(AttemptItem, unread, name="unread")


def _essays(line: type[AttemptItem] = AttemptItem) -> Select[*tuple[Any, ...]]:
    """Return the query of written answers in closed sittings, with the last text of each.

    `line` are the questions to look at. What was left open is not among them: its score is
    nothing, and nobody has to read it. Neither is what does not count: withdrawn before the end,
    or called faulty since.
    """
    later = aliased(AnswerEvent)
    is_last = ~exists().where(
        later.attempt_item_id == line.id,
        later.response.is_not(None),
        tuple_(later.seq, later.id) > tuple_(AnswerEvent.seq, AnswerEvent.id),
    )
    text = AnswerEvent.response["text"].as_string()
    start = func.coalesce(
        ItemVersion.body[("start", "value")].as_string(), ItemVersion.body["start"].as_string(), ""
    )
    return (
        select(
            Attempt.id.label("attempt_id"),
            Attempt.public_id,
            Attempt.person_id,
            Attempt.number,
            Attempt.closed_at,
            line.id.label("question_id"),
            line.position,
            ItemVersion.id.label("version"),
            Item.kuk,
            Quiz.curriculum_code,
            Quiz.for_class,
            func.coalesce(ClassQuiz.title, "").label("title"),
            text.label("text"),
        )
        .join(line, line.item_version_id == ItemVersion.id)
        .join(Attempt, Attempt.id == line.attempt_id)
        .join(Item, Item.id == ItemVersion.item_id)
        .join(Quiz, Quiz.id == Attempt.quiz_id)
        .join(ClassQuiz, ClassQuiz.quiz_id == Quiz.id, isouter=True)
        .join(
            AnswerEvent,
            (AnswerEvent.attempt_item_id == line.id) & AnswerEvent.response.is_not(None),
        )
        .where(
            ItemVersion.kind == Kind.ESSAY,
            Attempt.closed_at.is_not(None),
            or_(Item.withdrawn_at.is_(None), Item.withdrawn_at > Attempt.closed_at),
            ~exists().where(ItemCorrection.wrong_id == ItemVersion.id),
            is_last,
            text != "",
            text != start,
            AnswerEvent.response[ERASED].as_string().is_(None),
        )
    )


def _in_scope(viewer: Viewer) -> ColumnElement[bool]:
    """Return the condition that the viewer's work is with the person of the sitting."""
    if "admin" in viewer.roles:
        return Attempt.person_id != viewer.id
    return cohorts.has_seat_with(viewer, Attempt.person_id, *ASSESSORS)


def _waiting_for(viewer: Viewer) -> Select[*tuple[Any, ...]]:
    """Return the query of answers that wait for this viewer; see `_essays`."""
    rated = exists().where(
        Rating.kind == EvidenceKind.Q,
        Rating.subject == Attempt.public_id + "/" + cast(ItemVersion.id, String),
        Rating.rater_id == viewer.id,
        Rating.annulled_at.is_(None),
    )
    return _essays(_unread()).where(
        ~rated,  # what waits for the second assessor waits for others
        _in_scope(viewer),
        Attempt.person_id != viewer.id,
        Attempt.person_id.not_in(cohorts.conflicts_of(viewer.id)),
    )


def waiting_query(viewer: Viewer) -> Select[*tuple[Any, ...]]:
    """Return a query of how many answers wait for this assessor, and since when: one row.

    Its cost grows with what waits or was left open; what was marked costs a look into an index.
    Columns: feature, count, oldest.
    """
    found = _waiting_for(viewer).subquery()
    return select(
        literal("essays", String).label("feature"), func.count(), func.min(found.c.closed_at)
    ).select_from(found)


def queue(viewer: Viewer, *, after: str | None = None) -> Queue:
    """Return sittings with answers that wait for the viewer, oldest first, a page at a time.

    People the viewer may not assess are not in it. Two queries, three for a later page.
    """
    found = _waiting_for(viewer).subquery()
    columns = (
        found.c.attempt_id,
        found.c.public_id,
        found.c.person_id,
        found.c.curriculum_code,
        found.c.title,
        found.c.closed_at,
    )
    query = (
        select(
            *columns, func.min(found.c.position).label("position"), func.count().label("waiting")
        )
        .group_by(*columns)
        .order_by(found.c.closed_at, found.c.attempt_id)
        .limit(PAGE + 1)
    )
    if after is not None:
        last = db.session.execute(
            select(Attempt.closed_at, Attempt.id).where(
                Attempt.public_id == after, Attempt.closed_at.is_not(None)
            )
        ).first()
        if last is None:
            raise NotFound(after)
        query = query.where(
            or_(
                found.c.closed_at > last.closed_at,
                (found.c.closed_at == last.closed_at) & (found.c.attempt_id > last.id),
            )
        )
    rows = db.session.execute(query).all()
    shown = rows[:PAGE]
    names = accounts.names_of(row.person_id for row in shown)
    return Queue(
        tuple(
            Line(
                row.public_id,
                row.position,
                names[row.person_id],
                row.curriculum_code,
                row.title,
                row.waiting,
                row.closed_at,
            )
            for row in shown
        ),
        shown[-1].public_id if len(rows) > PAGE else None,
    )


def find_next(public_id: str, viewer: Viewer) -> int | None:
    """Return the first question of a sitting that still waits for the viewer. One query."""
    waiting = _waiting_for(viewer).where(Attempt.public_id == public_id)
    row = db.session.execute(waiting.order_by("position").limit(1)).first()
    return None if row is None else int(row.position)


def _find(public_id: str, position: int, viewer: Viewer) -> AnyRow:
    """Return a written answer of somebody in the viewer's classes. Raises as get_essay."""
    row = db.session.execute(
        _essays().where(
            Attempt.public_id == public_id, AttemptItem.position == position, _in_scope(viewer)
        )
    ).first()
    if row is None:
        raise NotFound(f"{public_id}/{position}")
    cohorts.check_may_assess(viewer.id, row.person_id)
    return row


def get_essay(public_id: str, position: int, viewer: Viewer) -> Essay:
    """Return one written answer, with its mark once there is one.

    Raises NotFound, and cohorts.services.MayNotAssess for oneself, relatives and the line.
    """
    row = _find(public_id, position, viewer)
    asked = _asked(row.version)
    mark = _mark_of(row)
    given = _given(row)
    own = next((one for one in given if one.rater_id == viewer.id), None)
    # Before both are in, nobody is shown anything but their own mark.
    shown = given if mark else []
    third = _third(row) if shown else None
    waits = bool(shown) and own is None and ratings.has_open_dispute(_about(row))
    known = [one.rater_id for one in shown] + [one.by_id for one in (mark, third) if one]
    names = accounts.names_of([row.person_id, *known])
    opinions = [Opinion("" if waits else names[one.rater_id], _reading(one, row)) for one in shown]
    if third:
        opinions.append(Opinion(names[third.by_id], third.reading))
    counts = Reading(mark.level, mark.passed, mark.note, mark.at) if mark else None
    return Essay(
        public_id=public_id,
        position=position,
        person=names[row.person_id],
        curriculum=row.curriculum_code,
        title=row.title,
        number=row.number,
        closed_at=row.closed_at,
        zone=cohorts.find_zone_of(row.person_id),
        is_evidence=not row.for_class,
        kuk=None if row.for_class else _standard_of(row).standard.kuk.get(row.kuk),
        stem=asked.stem,
        guidance=asked.body.guidance,
        least_words=asked.body.least_words,
        most_words=asked.body.most_words,
        text=row.text,
        words=words(row.text),
        mark=third.reading if third else counts,
        marked_by="" if not mark or waits else names[third.by_id if third else mark.by_id],
        raters=rating_rules.TWO if given else 1 if mark else _raters(row),
        own=_reading(own, row) if own and not mark else None,
        others=opinions,
        waits_for_third=waits,
    )


def _about(row: AnyRow) -> ratings.About:
    """Return what two assessors mark when they mark an essay."""
    return ratings.About(
        kind=EvidenceKind.Q,
        subject=f"{row.public_id}/{row.version}",
        source=row.curriculum_code,
        person_id=row.person_id,
    )


def _given(row: AnyRow) -> list[ratings.Given]:
    """Return what was given for an essay so far. One query, none for the quiz of a class."""
    if row.for_class:
        return []
    about = _about(row)
    return ratings.given_by_subject(about.kind, [about.subject]).get(about.subject, [])


def _raters(row: AnyRow) -> int:
    """Return how many assessors an essay that nobody has marked yet wants."""
    if row.for_class:
        return 1
    cohort = cohorts.find_cohort_of(row.person_id)
    return ratings.needed(cohort.id if cohort else None, EvidenceKind.Q, row.curriculum_code)


def _reading(given: ratings.Given, row: AnyRow) -> Reading:
    """Return what one of two assessors gave, as pages show it."""
    said = given.marks[row.kuk]
    kuk = _standard_of(row).standard.kuk.get(row.kuk)
    passed = rules.passes(said.level, critical=kuk is not None and kuk.critical)
    return Reading(said.level, passed, said.note, given.at[row.kuk])


@dataclass(frozen=True, slots=True)
class _Third:
    """What a third person decided."""

    by_id: int
    reading: Reading


def _third(row: AnyRow) -> _Third | None:
    """Return what a third person decided about an essay of two assessors. One query."""
    found = ratings.standing_row(row.person_id, EvidenceKind.Q, _about(row).subject, row.kuk)
    if found is None or not found.ref.endswith(f"/{MODERATED}"):
        return None
    reading = Reading(found.mark or 0, bool(found.passed), found.note, found.recorded_at)
    return _Third(found.assessor_id or 0, reading)


def get_disputed(subject: str) -> Disputed:
    """Return an essay by what two assessors marked there: sitting/wording. Raises NotFound.

    Who may read it, the caller has checked: see lms.ratings.
    """
    public_id, _slash, version = subject.partition("/")
    row = db.session.execute(
        select(AnswerEvent.response)
        .join(AttemptItem, AttemptItem.id == AnswerEvent.attempt_item_id)
        .join(Attempt, Attempt.id == AttemptItem.attempt_id)
        .where(
            Attempt.public_id == public_id,
            Attempt.closed_at.is_not(None),
            AttemptItem.item_version_id == int(version),
            AnswerEvent.response.is_not(None),
        )
        .order_by(AnswerEvent.seq.desc(), AnswerEvent.id.desc())
        .limit(1)
    ).first()
    if row is None:
        raise NotFound(subject)
    asked = _asked(int(version))
    return Disputed(asked.stem, asked.body.guidance, row.response["text"])


def places_of(subjects: Collection[str]) -> Mapping[str, tuple[str, int]]:
    """Return the sitting and position of essays, by what two assessors marked. One query."""
    if not subjects:
        return {}
    rows = db.session.execute(
        select(Attempt.public_id, AttemptItem.item_version_id, AttemptItem.position)
        .join(AttemptItem, AttemptItem.attempt_id == Attempt.id)
        .where(Attempt.public_id.in_({one.partition("/")[0] for one in subjects}))
    )
    found = {f"{row[0]}/{row[1]}": (row[0], row[2]) for row in rows}
    return {one: found[one] for one in subjects if one in found}


def asking_curricula() -> frozenset[str]:
    """Return the curricula whose quiz asks an essay. One query."""
    later = aliased(ItemVersion)
    return frozenset(
        db.session.scalars(
            select(Quiz.curriculum_code)
            .join(Item, Item.quiz_id == Quiz.id)
            .join(ItemVersion, ItemVersion.item_id == Item.id)
            .where(
                Quiz.for_class.is_(False),
                Item.withdrawn_at.is_(None),
                ItemVersion.kind == Kind.ESSAY,
                ~exists().where(later.item_id == Item.id, later.number > ItemVersion.number),
            )
            .distinct()
        )
    )


def _mark_of(row: AnyRow) -> AnswerMark | None:
    return db.session.scalar(
        select(AnswerMark).where(AnswerMark.attempt_item_id == row.question_id)
    )


def _asked(version: int) -> Asked:
    return asked_of(db.session.get_one(ItemVersion, version))


def _standard_of(row: AnyRow) -> Current:
    """Return the standard by which the other questions of the sitting were marked."""
    found = competency.find_standard_of(row.person_id, row.public_id)
    return competency.current() if found is None else competency.version(found)


def mark(
    public_id: str, position: int, viewer: Viewer, *, level: int, note: str, now: datetime
) -> bool | None:
    """Write the mark of an answer down, once; tell whether it passes. Flushes.

    An answer in the quiz of a curriculum becomes evidence here, of the moment the sitting was
    handed in. Where two assessors mark it that comes with the second one, and the lower mark
    counts: None until then. Raises as get_essay, and AlreadyMarked, rules.NoLevel, rules.NoNote.
    """
    rules.check_mark(level, note)
    curriculum = db.session.scalar(
        select(Quiz.curriculum_code)
        .join(Attempt, Attempt.quiz_id == Quiz.id)
        .where(Attempt.public_id == public_id)
    )
    # Nobody can call the question faulty between this look and the mark.
    keys.hold(curriculum or "")
    row = _find(public_id, position, viewer)
    end = _End(level, note, viewer.id)
    pairs: list[ratings.Pair] = []
    if not row.for_class:
        # One after the other: who comes second sees what the first one gave.
        db.session.execute(
            select(AttemptItem.id).where(AttemptItem.id == row.question_id).with_for_update()
        )
        if _mark_of(row) is not None:
            raise AlreadyMarked(public_id)
        if _given(row) or _raters(row) > 1:
            pairs = _rate(row, end, now)
            if not pairs:
                return None
            (pair,) = pairs
            end = _End(pair.mark.level, pair.mark.note, pair.rater_id, rating_rules.TWO)
    passed = _close(row, end, viewer.id, now)
    ratings.open_disputes({_about(row): pairs}, now=now)
    return passed


@dataclass(frozen=True, slots=True)
class _End:
    """The mark that counts, and whose it is."""

    level: int
    note: str
    by_id: int
    raters: int = 1


def _rate(row: AnyRow, said: _End, now: datetime) -> list[ratings.Pair]:
    """Keep what one of two assessors gave; return the pair once both are in."""
    try:
        pairs = ratings.rate(
            _about(row), said.by_id, {row.kuk: Mark(said.level, note=said.note)}, now=now
        )
    except rating_rules.RatingRefused:
        raise AlreadyMarked(row.public_id) from None
    # Neither level nor note: who reads the trail may be the second assessor.
    audit.record(
        "quizzes.rate",
        f"attempt_item:{row.question_id}",
        actor_id=said.by_id,
        now=now,
        sitting=row.public_id,
    )
    return pairs


def _close(row: AnyRow, end: _End, actor_id: int, now: datetime) -> bool:
    """Write the mark that counts down, and the evidence that follows; tell whether it passes."""
    found = _standard_of(row)
    kuk = None if row.for_class else found.standard.kuk.get(row.kuk)
    passed = rules.passes(end.level, critical=kuk is not None and kuk.critical)
    is_new = insert_once(
        AnswerMark,
        attempt_item_id=row.question_id,
        level=end.level,
        passed=passed,
        note=end.note,
        by_id=end.by_id,
        at=now,
    )
    if not is_new:
        raise AlreadyMarked(row.public_id)
    audit.record(
        "quizzes.mark",
        f"attempt_item:{row.question_id}",
        actor_id=actor_id,
        now=now,
        sitting=row.public_id,
        level=end.level,
        passed=passed,
    )
    if not row.for_class:
        competency.append(
            [
                NewEvidence(
                    person_id=row.person_id,
                    kind=EvidenceKind.Q,
                    kuk=row.kuk,
                    source=row.curriculum_code,
                    group=row.public_id,
                    ref=str(row.version),
                    passed=passed,
                    assessor_id=end.by_id,
                    raters=end.raters,
                    note=end.note,
                    happened_at=row.closed_at,
                )
            ],
            standard_id=found.id,
            now=now,
        )
    db.session.flush()
    return passed


def blank_texts(person_id: int, gone: str) -> None:
    """Take what somebody wrote out of their answers to essays. Flushes.

    That something was written stays, and so do marks. Choices, numbers and short answers stay as
    they are: a verdict is worked out from them again.
    """
    rows = db.session.execute(
        select(AnswerEvent.id, AnswerEvent.response, ItemVersion.id.label("version"))
        .join(Attempt, Attempt.id == AnswerEvent.attempt_id)
        .join(AttemptItem, AttemptItem.id == AnswerEvent.attempt_item_id)
        .join(ItemVersion, ItemVersion.id == AttemptItem.item_version_id)
        .where(
            Attempt.person_id == person_id,
            ItemVersion.kind == Kind.ESSAY,
            AnswerEvent.response.is_not(None),
        )
    ).all()
    starts = _starts({row.version for row in rows})
    for row in rows:
        if row.response.get("text") not in ("", starts[row.version]):
            db.session.execute(
                update(AnswerEvent)
                .where(AnswerEvent.id == row.id)
                .values(response={"text": gone, ERASED: True})
            )
    db.session.flush()


def _starts(versions: Sequence[int] | set[int]) -> dict[int, str]:
    """Return what stood in the field of each question at first: nobody's own words."""
    rows = db.session.scalars(select(ItemVersion).where(ItemVersion.id.in_(versions)))
    return {row.id: asked_of(row).body.start.value for row in rows}
