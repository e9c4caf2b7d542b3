"""Correcting a wrong key: a new wording, and the closed sittings marked again. Services flush.

The wording that was wrong and the score of a sitting never change; what counts for a person is a
new entry of the ledger beside the voided one.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import aliased

from lms.accounts import services as accounts
from lms.competency import services as competency
from lms.competency.models import Evidence, EvidenceVoid
from lms.competency.rules import EvidenceKind
from lms.competency.services import NewEvidence
from lms.core import audit
from lms.core.db import db
from lms.core.errors import DomainError, NotFound
from lms.core.ids import digest_of_text
from lms.quizzes import keys, rules, services
from lms.quizzes.models import (
    AnswerEvent,
    Attempt,
    AttemptItem,
    Item,
    ItemCorrection,
    ItemVersion,
    Quiz,
)
from lms.quizzes.types import NotAKey, SameKey, stored
from lms.quizzes.types.stored import Asked
from lms.ratings import services as ratings
from lms.ratings.services import MODERATED

NewKey = str | tuple[str, ...] | None
"""What is right instead: the letter of an option, or what the fields of another type hold (see
QuestionType.rekey). None: nothing is right."""


class AlreadyCorrected(DomainError):
    """The wording was corrected before; `public_id` names the correction."""

    def __init__(self, public_id: str) -> None:
        super().__init__(public_id)
        self.public_id = public_id


class NotAnOption(DomainError):
    """The new key is none for this question, or is the key already."""


class SameAnswer(NotAnOption):
    """The new key is the key already."""


class OwnSitting(DomainError):
    """Who corrects has answered the item themselves: somebody else has to."""


@dataclass(frozen=True, slots=True)
class Wording:
    """One wording of an item with its key, and what was done about it."""

    id: int
    item_id: int
    slug: str
    number: int
    kind: str
    kuk: str
    curriculum: str
    stem: str
    options: tuple[tuple[str, str, str], ...]
    """Letter, text and rationale; empty for other types than a single best answer."""
    key: str
    body: Mapping[str, Any] | None
    """What any other type asks, with its key."""
    is_newest: bool
    is_withdrawn: bool
    corrected: str | None
    """Public id of its correction, if there is one."""

    @property
    def choices(self) -> tuple[str, ...]:
        """Letters that could be the key instead."""
        return tuple(letter for letter, *_ in self.options if letter != self.key)

    @property
    def asked(self) -> Asked | None:
        """What another type asks; None where four options stand in `options`."""
        return stored.find(self.kind, self.stem, self.body)

    @property
    def is_marked_by_hand(self) -> bool:
        """Tell whether people mark the answers: then there is no key to correct."""
        return self.asked is not None and self.asked.type.by_hand


@dataclass(frozen=True, slots=True)
class Right:
    """What marks the answers to a wording instead."""

    key: str
    asked: Asked | None


def find_right(wording: Wording, key: NewKey, reason: str = "") -> Right | None:
    """Return what a new key makes of a wording; None where nothing is right.

    Raises NotAnOption, SameAnswer.
    """
    if key is None:
        return None
    if isinstance(key, str):
        if key not in wording.choices:
            raise NotAnOption(key)
        return Right(key, None)
    if wording.asked is None:
        raise NotAnOption(wording.kind)
    try:
        return Right("", stored.rekeyed(wording.asked, key, reason))
    except SameKey as error:
        raise SameAnswer(str(error)) from None
    except NotAKey as error:
        raise NotAnOption(str(error)) from None


def get_wording(slug: str, number: int) -> Wording:
    """Return one wording. One query. Raises NotFound."""
    later = aliased(ItemVersion)
    newest = select(func.max(later.number)).where(later.item_id == Item.id).scalar_subquery()
    row = db.session.execute(
        select(
            ItemVersion,
            Item.slug,
            Item.kuk,
            Item.withdrawn_at,
            Quiz.curriculum_code,
            newest.label("newest"),
            ItemCorrection.public_id,
        )
        .join(Item, Item.id == ItemVersion.item_id)
        .join(Quiz, Quiz.id == Item.quiz_id)
        .join(ItemCorrection, ItemCorrection.wrong_id == ItemVersion.id, isouter=True)
        .where(Item.slug == slug, ItemVersion.number == number)
    ).first()
    if row is None:
        raise NotFound(f"{slug}/{number}")
    version = row[0]
    return Wording(
        id=version.id,
        item_id=version.item_id,
        slug=row.slug,
        number=version.number,
        kind=version.kind,
        kuk=row.kuk,
        curriculum=row.curriculum_code,
        stem=version.stem,
        options=tuple((one["key"], one["text"], one["rationale"]) for one in version.options),
        key=version.key,
        body=version.body,
        is_newest=version.number == row.newest,
        is_withdrawn=row.withdrawn_at is not None,
        corrected=row.public_id,
    )


def words_of(wording: Wording, key: NewKey = "") -> str:
    """Return a key of a wording in words: another one, or its own. Raises NotAnOption."""
    letter, asked = wording.key, wording.asked
    if key != "":
        right = find_right(wording, key)
        if right is None:
            return ""
        letter, asked = right.key, right.asked
    if asked is not None:
        return asked.type.answer(asked.body)
    return next((f"{one}. {text}" for one, text, _why in wording.options if one == letter), "")


def find_newest(slug: str) -> int | None:
    """Return the number of the newest wording of an item, if there is one. One query."""
    return db.session.scalar(
        select(func.max(ItemVersion.number))
        .join(Item, Item.id == ItemVersion.item_id)
        .where(Item.slug == slug)
    )


@dataclass(frozen=True, slots=True)
class Sitting:
    """One closed sitting that holds a wording, and what it would be worth by another key."""

    attempt_id: int
    public_id: str
    person_id: int
    closed_at: datetime
    evidence_id: int | None
    """The entry that counts now; None: the item does not count in this sitting."""
    was_right: bool | None
    is_right: bool | None
    """None: the item counts no more."""

    @property
    def changes(self) -> bool:
        """Tell whether the mark is another one."""
        return self.evidence_id is not None and self.was_right != self.is_right


def holding(wording: Wording) -> tuple[int, ...]:
    """Return the wordings that this one stands for: itself, and those it corrected."""
    found = keys.corrections_of([wording.item_id])
    earlier = [
        wrong
        for wrong in found
        if any(step.corrected == wording.id for step in rules.corrected_by(wrong, found))
    ]
    return (wording.id, *earlier)


def count_sittings(versions: Sequence[int]) -> tuple[int, int]:
    """Return how many closed and how many running sittings hold any of these wordings."""
    closed, every = db.session.execute(
        select(func.count(Attempt.closed_at), func.count())
        .select_from(AttemptItem)
        .join(Attempt, Attempt.id == AttemptItem.attempt_id)
        .where(AttemptItem.item_version_id.in_(versions))
    ).one()
    return closed, every - closed


def closed_sittings(versions: Sequence[int]) -> list[int]:
    """Return the closed sittings that hold any of these wordings, oldest first."""
    return list(
        db.session.scalars(
            select(Attempt.id)
            .join(AttemptItem, AttemptItem.attempt_id == Attempt.id)
            .where(AttemptItem.item_version_id.in_(versions), Attempt.closed_at.is_not(None))
            .order_by(Attempt.id)
        )
    )


def has_sat(person_id: int, item_id: int) -> bool:
    """Tell whether somebody has met an item in any sitting."""
    return (
        db.session.scalar(
            select(AttemptItem.id)
            .join(Attempt, Attempt.id == AttemptItem.attempt_id)
            .join(ItemVersion, ItemVersion.id == AttemptItem.item_version_id)
            .where(Attempt.person_id == person_id, ItemVersion.item_id == item_id)
            .limit(1)
        )
        is not None
    )


def look_at(
    attempt_ids: Sequence[int], versions: Sequence[int], right: Right | None
) -> list[Sitting]:
    """Say what closed sittings would be worth by another key. Three queries.

    Whatever wording of these was drawn: it shows the same as the others under the same order.
    """
    lines = db.session.execute(
        select(
            Attempt.id,
            Attempt.public_id,
            Attempt.person_id,
            Attempt.closed_at,
            AttemptItem.id.label("question"),
            AttemptItem.option_order,
            Item.kuk,
        )
        .join(AttemptItem, AttemptItem.attempt_id == Attempt.id)
        .join(ItemVersion, ItemVersion.id == AttemptItem.item_version_id)
        .join(Item, Item.id == ItemVersion.item_id)
        .where(
            Attempt.id.in_(attempt_ids),
            Attempt.closed_at.is_not(None),
            AttemptItem.item_version_id.in_(versions),
        )
        .order_by(Attempt.id)
    ).all()
    entries = _entries([row.public_id for row in lines], versions)
    marks = {} if right is None else _mark(lines, right)
    return [
        Sitting(
            attempt_id=row.id,
            public_id=row.public_id,
            person_id=row.person_id,
            closed_at=row.closed_at,
            evidence_id=entry.id if entry else None,
            was_right=entry.passed if entry else None,
            is_right=marks.get(row.question),
        )
        for row in lines
        for entry in [entries.get(row.public_id)]
    ]


def _mark(lines: Sequence[Any], right: Right) -> dict[int, bool]:
    """Mark the answers to one question in many sittings by a key."""
    rows = db.session.execute(
        select(
            AnswerEvent.id,
            AnswerEvent.attempt_item_id,
            AnswerEvent.seq,
            AnswerEvent.choice,
            AnswerEvent.flagged,
            AnswerEvent.received_at,
            AnswerEvent.response,
        ).where(AnswerEvent.attempt_item_id.in_([row.question for row in lines]))
    )
    answers = rules.latest(rules.Event(*row) for row in rows)
    drawn = (
        rules.Drawn(
            id=row.question,
            version=0,
            kuk=row.kuk,
            order=row.option_order,
            key=right.key,
            asked=right.asked,
        )
        for row in lines
    )
    return {mark.question.id: mark.right for mark in rules.score_attempt(drawn, answers)}


def _entries(groups: Sequence[str], versions: Sequence[int]) -> dict[str, Any]:
    """Return sitting to the entry of the ledger that counts there for a wording."""
    rows = db.session.execute(
        select(Evidence.group_key, Evidence.id, Evidence.passed)
        .join(Attempt, Attempt.public_id == Evidence.group_key)
        .join(EvidenceVoid, EvidenceVoid.evidence_id == Evidence.id, isouter=True)
        .where(
            Evidence.person_id == Attempt.person_id,  # the index of the ledger is by person
            Evidence.kind == EvidenceKind.Q,
            Evidence.ref.in_([ref for one in versions for ref in (str(one), f"{one}/{MODERATED}")]),
            Attempt.public_id.in_(groups),
            EvidenceVoid.id.is_(None),
        )
        # Where a third person decided about an essay, that row comes after the one it replaced.
        .order_by(Evidence.id)
    )
    return {row.group_key: row for row in rows}


@dataclass(frozen=True, slots=True)
class Made:
    """What a correction made: its name, and the closed sittings to be marked again."""

    id: int
    public_id: str
    sittings: tuple[int, ...]


def correct(wording: Wording, key: NewKey, *, reason: str, by_id: int, now: datetime) -> Made:
    """Correct the key of a wording; None: no option is right, and it is drawn no more. Flushes.

    Sittings that are handed in from now on are marked by it; see rescore for the closed ones.
    Raises AlreadyCorrected, NotAnOption, SameAnswer, OwnSitting.
    """
    right = find_right(wording, key, reason)
    if has_sat(by_id, wording.item_id):
        raise OwnSitting(wording.slug)
    keys.hold(wording.curriculum, alone=True)
    before = keys.corrections_of([wording.item_id]).get(wording.id)
    if before is not None:  # a double click, or somebody else was first
        raise AlreadyCorrected(before.public_id)
    made = ItemCorrection(
        item_id=wording.item_id,
        wrong_id=wording.id,
        corrected_id=None if right is None else _copy(wording.id, now, right, reason),
        reason=reason,
        by_id=by_id,
        at=now,
    )
    db.session.add(made)
    if not wording.is_newest:
        newest = find_newest_id(wording.item_id, but=made.corrected_id)
        _copy(newest, now)  # what the files say stays what is drawn
    elif right is None:
        item = db.session.get_one(Item, wording.item_id)
        item.withdrawn_at, item.withdrawn_reason = now, services.WRONG_KEY
    db.session.flush()
    services.note_laws()
    if wording.is_marked_by_hand:  # nobody reads the answers any more: see lms.quizzes.essays
        ratings.drop_open(EvidenceKind.Q, str(wording.id), now=now)
    audit.record(
        "quizzes.correct",
        f"item_version:{wording.id}",
        actor_id=by_id,
        now=now,
        item=wording.slug,
        number=wording.number,
        corrected=made.corrected_id,
        reason=reason,
    )
    return Made(made.id, made.public_id, tuple(closed_sittings(holding(wording))))


def find_newest_id(item_id: int, *, but: int | None) -> int:
    """Return the newest wording of an item, leaving one out."""
    return db.session.scalars(
        select(ItemVersion.id)
        .where(ItemVersion.item_id == item_id, ItemVersion.id != (but or 0))
        .order_by(ItemVersion.number.desc())
        .limit(1)
    ).one()


def _copy(version_id: int, now: datetime, right: Right | None = None, reason: str = "") -> int:
    """Store a wording once more as the newest; with another key nobody has reviewed it yet.

    Why the old key is not right and the new one is, says the reason: the rationales of the two
    said the contrary.
    """
    old = db.session.get_one(ItemVersion, version_id)
    key, body, digest = old.key, old.body, old.digest
    if right is not None:
        key = right.key
        asked = right.asked
        body = None if asked is None else asked.packed()
        digest = digest_of_text(f"{old.digest} {json.dumps(body, sort_keys=True) if body else key}")
    last = select(func.max(ItemVersion.number)).where(ItemVersion.item_id == old.item_id)
    copied = ItemVersion(
        item_id=old.item_id,
        number=(db.session.scalar(last) or 0) + 1,
        digest=digest,
        level=old.level,
        kind=old.kind,
        stem=old.stem,
        options=[
            {**one, "rationale": reason} if right and one["key"] in (key, old.key) else one
            for one in old.options
        ],
        key=key,
        body=body,
        source=old.source,
        law_ref=old.law_ref,
        checked_on=old.checked_on,
        reviewed=old.reviewed and right is None,
        created_at=now,
    )
    db.session.add(copied)
    db.session.flush()
    return copied.id


@dataclass(frozen=True, slots=True)
class Corrected:
    """One correction as it is read: what, why, by whom."""

    id: int
    public_id: str
    item_id: int
    wrong: int
    corrected: int | None
    slug: str
    number: int
    new_number: int | None
    kuk: str
    curriculum: str
    stem: str
    old_key: str
    new_key: str | None
    right: Right | None
    """What marks the answers now; None where nothing is right."""
    old_answer: str
    """The key in words, as it was; empty where people mark the answers."""
    new_answer: str
    reason: str
    by_id: int
    by: str
    at: datetime


def _select() -> Select[*tuple[Any, ...]]:
    wrong, new = aliased(ItemVersion), aliased(ItemVersion)
    return (
        select(ItemCorrection, wrong, new, Item.slug, Item.kuk, Quiz.curriculum_code)
        .join(wrong, wrong.id == ItemCorrection.wrong_id)
        .join(new, new.id == ItemCorrection.corrected_id, isouter=True)
        .join(Item, Item.id == ItemCorrection.item_id)
        .join(Quiz, Quiz.id == Item.quiz_id)
    )


def _read(rows: Sequence[Any]) -> list[Corrected]:
    names = accounts.names_of({row[0].by_id for row in rows})
    return [
        Corrected(
            id=row.id,
            public_id=row.public_id,
            item_id=row.item_id,
            wrong=wrong.id,
            corrected=row.corrected_id,
            slug=slug,
            number=wrong.number,
            new_number=new.number if new else None,
            kuk=kuk,
            curriculum=curriculum,
            stem=wrong.stem,
            old_key=wrong.key,
            new_key=new.key if new else None,
            right=Right(new.key, stored.find(new.kind, new.stem, new.body)) if new else None,
            old_answer=keys.answer_of(wrong),
            new_answer=keys.answer_of(new) if new else "",
            reason=row.reason,
            by_id=row.by_id,
            by=names.get(row.by_id, ""),
            at=row.at,
        )
        for row, wrong, new, slug, kuk, curriculum in rows
    ]


def get_correction(public_id: str) -> Corrected:
    """Return one correction. Two queries. Raises NotFound."""
    rows = db.session.execute(_select().where(ItemCorrection.public_id == public_id)).all()
    if not rows:
        raise NotFound(public_id)
    return _read(rows)[0]


def list_corrections(*, before: int | None = None, limit: int = 50) -> list[Corrected]:
    """Return corrections, newest first. Two queries."""
    query = _select().order_by(ItemCorrection.id.desc()).limit(limit)
    if before is not None:
        query = query.where(ItemCorrection.id < before)
    return _read(db.session.execute(query).all())


def versions_of(made: Corrected) -> tuple[int, ...]:
    """Return the wordings a correction stands for: the wrong one, and those it had corrected."""
    found = keys.corrections_of([made.item_id])
    return tuple(
        wrong
        for wrong in found
        if wrong == made.wrong
        or any(step.corrected == made.wrong for step in rules.corrected_by(wrong, found))
    )


def rescore(made: Corrected, sitting: Sitting, *, now: datetime) -> int | None:
    """Put a new entry in the place of the one that counted; returns its id, if there is one.

    The old row is voided and stays. The new one is about the same sitting and moment, names the
    row it replaces and the wording it was marked by. Again changes nothing. Flushes.
    """
    if sitting.evidence_id is None:
        return None
    old = db.session.get_one(Evidence, sitting.evidence_id)
    competency.void(old.id, reason=made.reason, by_id=made.by_id, now=now)
    if made.corrected is None or sitting.is_right is None:
        return None
    competency.append(
        [
            NewEvidence(
                person_id=old.person_id,
                kind=EvidenceKind.Q,
                kuk=old.kuk,
                source=old.source,
                group=old.group_key,
                ref=str(made.corrected),
                passed=sitting.is_right,
                replaces=old.id,
                assessor_id=made.by_id,
                note=made.reason,
                happened_at=old.happened_at,
            )
        ],
        standard_id=old.standard_version_id,
        now=now,
    )
    return db.session.scalar(select(Evidence.id).where(Evidence.replaces_id == old.id))
