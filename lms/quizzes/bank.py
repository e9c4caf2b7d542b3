"""What the bank of a curriculum holds, for those who judge its items. Reads only; keys included."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import case, exists, func, select

from lms.competency.models import Evidence, EvidenceVoid
from lms.competency.rules import EvidenceKind
from lms.core.db import db
from lms.modules import laws
from lms.quizzes.models import Attempt, Item, ItemLaw, ItemVersion, Quiz


@dataclass(frozen=True, slots=True)
class Wording:
    """One wording of an item, without its options."""

    version: int
    slug: str
    number: int
    kuk: str
    stem: str


_COLUMNS = (ItemVersion.id, Item.slug, ItemVersion.number, Item.kuk, ItemVersion.stem)


def list_newest(curriculum: str) -> list[Wording]:
    """Return what may be drawn for a curriculum in its newest wording, by name. Two queries.

    What stands on an article that was marked superseded here is left out, as a draw leaves it out.
    """
    marked = laws.superseded()
    cites = exists().where(ItemLaw.item_version_id == ItemVersion.id, ItemLaw.article.in_(marked))
    newest = select(func.max(ItemVersion.id)).group_by(ItemVersion.item_id)
    rows = db.session.execute(
        select(*_COLUMNS)
        .join(Item, Item.id == ItemVersion.item_id)
        .join(Quiz, Quiz.id == Item.quiz_id)
        .where(
            ItemVersion.id.in_(newest),
            Item.withdrawn_at.is_(None),
            Quiz.curriculum_code == curriculum,
            ~cites,
        )
        .order_by(Item.slug)
    )
    return [Wording(*row) for row in rows]


def list_wordings(versions: Collection[int]) -> dict[int, Wording]:
    """Return these wordings by their id, whatever became of them since. One query."""
    rows = db.session.execute(
        select(*_COLUMNS)
        .join(Item, Item.id == ItemVersion.item_id)
        .where(ItemVersion.id.in_(versions))
    )
    return {row.id: Wording(*row) for row in rows}


@dataclass(frozen=True, slots=True)
class First:
    """What one person's first sitting of a quiz was worth, over some KUK."""

    person_id: int
    right: int
    shown: int


def first_sittings(curriculum: str, kuk: Collection[str]) -> list[First]:
    """Return everybody's first sitting as the ledger has it, over these KUK only. One query.

    What was voided since counts neither as right nor as shown. Cost grows with the people who
    have handed in: a row of the ledger for each item they were shown.
    """
    rows = db.session.execute(
        select(
            Attempt.person_id,
            func.sum(case((Evidence.passed.is_(True), 1), else_=0)).label("right"),
            func.count().label("shown"),
        )
        .join(Quiz, Quiz.id == Attempt.quiz_id)
        .join(
            Evidence,
            (Evidence.person_id == Attempt.person_id)
            & (Evidence.kind == EvidenceKind.Q)
            & (Evidence.group_key == Attempt.public_id),
        )
        .join(EvidenceVoid, EvidenceVoid.evidence_id == Evidence.id, isouter=True)
        .where(
            Quiz.curriculum_code == curriculum,
            Attempt.number == 1,
            Attempt.closed_at.is_not(None),
            Evidence.kuk.in_(kuk),
            EvidenceVoid.id.is_(None),
        )
        .group_by(Attempt.person_id)
        .order_by(Attempt.person_id)
    )
    return [First(*row) for row in rows]
