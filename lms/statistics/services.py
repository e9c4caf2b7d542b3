"""Counting quizzes again and again, and reading what was counted."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    String,
    and_,
    case,
    cast,
    exists,
    func,
    literal,
    select,
    union_all,
)
from sqlalchemy.orm import aliased

from lms.competency import services as competency
from lms.competency.models import Evidence
from lms.competency.rules import EvidenceKind
from lms.core.db import db, insert_into, unit_of_work
from lms.core.errors import NotFound
from lms.core.login import Viewer
from lms.quizzes import reviewing
from lms.quizzes.models import AnswerEvent, Attempt, AttemptItem, Item, ItemVersion, Quiz
from lms.ratings.services import MODERATED
from lms.statistics import due, pooling
from lms.statistics.due import FIRST
from lms.statistics.models import QuizFigures
from lms.statistics.pooling import Cell
from lms.statistics.rules import Flag


def refresh(now: datetime) -> int:
    """Count one quiz that has new sittings. Opens its own unit of work. Returns how many."""
    quiz_id = due.next_quiz(now)
    if quiz_id is None:
        return 0
    cells = _cells(quiz_id)
    keys, gated = _wordings({cell.version for cell in cells})
    code = db.session.scalars(select(Quiz.curriculum_code).where(Quiz.id == quiz_id)).one()
    ratio = competency.current().standard.ratio_of(code)
    found = pooling.pool(cells, keys, gated, ratio)
    values: dict[str, Any] = {
        "sittings": due.count_sittings().get(quiz_id, 0),
        "whole": asdict(found.whole) if found.whole else {},
        "items": [asdict(one) for one in found.items],
        "computed_at": now,
    }
    with unit_of_work():
        statement = insert_into(QuizFigures).values(quiz_id=quiz_id, **values)
        db.session.execute(statement.on_conflict_do_update(index_elements=["quiz_id"], set_=values))
    return 1


def _cells(quiz_id: int) -> list[Cell]:
    """Return the answers to a quiz, counted by the database. Two queries."""
    last = (
        select(AnswerEvent.choice)
        .where(AnswerEvent.attempt_item_id == AttemptItem.id, AnswerEvent.choice.is_not(None))
        .order_by(AnswerEvent.seq.desc(), AnswerEvent.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    critical = [code for code, kuk in competency.current().standard.kuk.items() if kuk.critical]
    gate = case((Item.kuk.in_(critical), 0), else_=1).label("gate")
    lettered = (
        select(
            AttemptItem.attempt_id,
            AttemptItem.item_version_id.label("version"),
            func.substr(AttemptItem.option_order, last, 1).label("letter"),
            ItemVersion.key,
            gate,
        )
        .join(Attempt, Attempt.id == AttemptItem.attempt_id)
        .join(ItemVersion, ItemVersion.id == AttemptItem.item_version_id)
        .join(Item, Item.id == ItemVersion.item_id)
        .where(Attempt.quiz_id == quiz_id, FIRST, ItemVersion.key != "")
    )
    # What has no letters was marked by its type, or by whoever read it: the ledger says how.
    answered = exists().where(
        AnswerEvent.attempt_item_id == AttemptItem.id, AnswerEvent.response.is_not(None)
    )
    # Where two assessors differed about an essay, the third person's word counts.
    third = aliased(Evidence)
    wording = cast(ItemVersion.id, String)
    passed = func.coalesce(third.passed, Evidence.passed).is_(True)
    others = (
        select(
            AttemptItem.attempt_id,
            AttemptItem.item_version_id,
            case((~answered, None), (passed, pooling.RIGHT), else_=pooling.WRONG),
            literal(pooling.RIGHT),
            gate,
        )
        .join(Attempt, Attempt.id == AttemptItem.attempt_id)
        .join(ItemVersion, ItemVersion.id == AttemptItem.item_version_id)
        .join(Item, Item.id == ItemVersion.item_id)
        .join(
            Evidence,
            and_(
                Evidence.person_id == Attempt.person_id,
                Evidence.kind == EvidenceKind.Q,
                Evidence.group_key == Attempt.public_id,
                Evidence.kuk == Item.kuk,
                Evidence.ref == wording,
            ),
        )
        .join(
            third,
            and_(
                third.person_id == Evidence.person_id,
                third.kind == Evidence.kind,
                third.group_key == Evidence.group_key,
                third.kuk == Evidence.kuk,
                third.ref == wording + f"/{MODERATED}",
            ),
            isouter=True,
        )
        .where(Attempt.quiz_id == quiz_id, FIRST, ItemVersion.key == "")
    )
    both = union_all(lettered, others) if _has_others(quiz_id) else lettered
    chosen = both.cte("chosen")
    right = case((chosen.c.letter == chosen.c.key, 1), else_=0)
    score = (
        select(
            chosen.c.attempt_id,
            func.sum(right).label("right"),
            func.count().label("shown"),
            func.sum(right * chosen.c.gate).label("gate_right"),
            func.sum(chosen.c.gate).label("gate"),
        )
        .group_by(chosen.c.attempt_id)
        .cte("score")
    )
    columns = [
        chosen.c.version,
        chosen.c.letter,
        score.c.right,
        score.c.shown,
        score.c.gate_right,
        score.c.gate,
    ]
    rows = db.session.execute(
        select(*columns, func.count().label("people"))
        .join(score, score.c.attempt_id == chosen.c.attempt_id)
        .group_by(*columns)
        .order_by(*columns)
    )
    return [
        Cell(row.version, row.letter, row.right, row.shown, row.gate_right, row.gate, row.people)
        for row in rows
    ]


def _has_others(quiz_id: int) -> bool:
    """Tell whether a quiz has questions without lettered options: most have none."""
    found = (
        select(ItemVersion.id)
        .join(Item, Item.id == ItemVersion.item_id)
        .where(Item.quiz_id == quiz_id, ItemVersion.key == "")
        .limit(1)
    )
    return db.session.scalar(found) is not None


def _wordings(versions: Collection[int]) -> tuple[dict[int, str], set[int]]:
    """Return the key of each wording, and the wordings that count at the cut."""
    kuk = competency.current().standard.kuk
    rows = db.session.execute(
        select(ItemVersion.id, ItemVersion.key, Item.kuk)
        .join(Item, Item.id == ItemVersion.item_id)
        .where(ItemVersion.id.in_(versions))
    ).all()
    gated = {row.id for row in rows if row.kuk not in kuk or not kuk[row.kuk].critical}
    return {row.id: row.key or pooling.RIGHT for row in rows}, gated


@dataclass(frozen=True, slots=True)
class Line:
    """One wording in a list: where it stands, and its figures."""

    slug: str
    number: int
    stem: str
    kuk: str
    is_newest: bool
    is_withdrawn: bool
    figures: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Counted:
    """One quiz in figures, with its wordings."""

    curriculum: str
    sittings: int
    whole: dict[str, Any]
    computed_at: datetime | None
    lines: tuple[Line, ...]


def read_quiz(curriculum: str) -> Counted:
    """Return what was counted of the quiz of a curriculum, if it has one. Two queries."""
    row = db.session.execute(
        select(Quiz.id, QuizFigures)
        .join(QuizFigures, QuizFigures.quiz_id == Quiz.id, isouter=True)
        .where(Quiz.curriculum_code == curriculum)
    ).first()
    found: QuizFigures | None = row[1] if row is not None else None
    if row is None or found is None:
        return Counted(curriculum, 0, {}, None, ())
    figures = {one["version"]: one for one in found.items}
    later = aliased(ItemVersion)
    newest = select(func.max(later.id)).where(later.item_id == Item.id).scalar_subquery()
    rows = db.session.execute(
        select(
            ItemVersion.id,
            ItemVersion.number,
            ItemVersion.stem,
            Item.slug,
            Item.kuk,
            Item.withdrawn_at,
            newest.label("newest"),
        )
        .join(Item, Item.id == ItemVersion.item_id)
        .where(ItemVersion.id.in_(figures))
        .order_by(Item.slug, ItemVersion.number)
    )
    lines = tuple(
        Line(
            slug=one.slug,
            number=one.number,
            stem=one.stem,
            kuk=one.kuk,
            is_newest=one.id == one.newest,
            is_withdrawn=one.withdrawn_at is not None,
            figures=figures[one.id],
        )
        for one in rows
    )
    return Counted(curriculum, found.sittings, found.whole, found.computed_at, lines)


ORDERS = {"n": "n", "p": "p", "beda": "r"}
"""Word in the address to the figure it sorts by, smallest first."""


def choose(lines: Sequence[Line], flag: Flag | None, order: str) -> list[Line]:
    """Return the lines with a flag, in an order; what has no figure comes last."""
    kept = [line for line in lines if flag is None or flag.value in line.figures["flags"]]
    name = ORDERS.get(order)
    if name is not None:
        kept.sort(key=lambda line: (line.figures[name] is None, line.figures[name] or 0.0))
    return kept


@dataclass(frozen=True, slots=True)
class Wording:
    """One wording of an item with its text and its figures."""

    slug: str
    number: int
    kuk: str
    curriculum: str
    stem: str
    texts: dict[str, str]
    """Letter to the text of the option."""
    is_withdrawn: bool
    figures: dict[str, Any] | None
    """None where nobody met it in a first sitting that was counted."""
    computed_at: datetime | None


def read_wording(slug: str, number: int, viewer: Viewer) -> Wording:
    """Return one wording with its key. Two queries for a trainee, else one.

    Raises NotFound, also to somebody who sits this quiz just now.
    """
    row = db.session.execute(
        select(Item, ItemVersion, Quiz.curriculum_code, QuizFigures)
        .join(ItemVersion, ItemVersion.item_id == Item.id)
        .join(Quiz, Quiz.id == Item.quiz_id)
        .join(QuizFigures, QuizFigures.quiz_id == Quiz.id, isouter=True)
        .where(Item.slug == slug, ItemVersion.number == number)
    ).first()
    if row is None:
        raise NotFound(slug)
    item, version, curriculum, counted = row
    if "trainee" in viewer.roles and curriculum in reviewing.list_sitting(viewer.id):
        raise NotFound(slug)
    figures = counted.items if counted is not None else []
    return Wording(
        slug=item.slug,
        number=version.number,
        kuk=item.kuk,
        curriculum=curriculum,
        stem=version.stem,
        texts={one["key"]: one["text"] for one in version.options},
        is_withdrawn=item.withdrawn_at is not None,
        figures=next((one for one in figures if one["version"] == version.id), None),
        computed_at=counted.computed_at if counted is not None else None,
    )
