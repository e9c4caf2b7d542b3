"""The items as texts that can be reviewed: with key and rationales, so not for everybody."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import Row, Select, func, select

from lms.core.db import db
from lms.core.errors import NotFound
from lms.core.i18n import day
from lms.core.i18n import gettext as _
from lms.core.reviewing import Listed, Passage, Piece
from lms.quizzes.models import Attempt, Item, ItemVersion, Quiz
from lms.quizzes.types import stored

KIND = "item"
TEXT: tuple[Any, ...] = (
    Item.kuk,
    ItemVersion.level,
    ItemVersion.stem,
    ItemVersion.options,
    ItemVersion.key,
    ItemVersion.kind,
    ItemVersion.body,
    ItemVersion.source,
    ItemVersion.law_ref,
    ItemVersion.checked_on,
)
"""What an item is read from."""


def _newest(*columns: Any) -> Select[*tuple[Any, ...]]:
    """Select from the newest version of every item in use; questions of a class are its own."""
    newest = select(func.max(ItemVersion.id)).group_by(ItemVersion.item_id)
    return (
        select(Item.slug, Quiz.curriculum_code, ItemVersion.digest, *columns)
        .join(Item, Item.id == ItemVersion.item_id)
        .join(Quiz, Quiz.id == Item.quiz_id)
        .where(ItemVersion.id.in_(newest), Item.withdrawn_at.is_(None), Quiz.for_class.is_(False))
    )


def list_texts() -> list[Listed]:
    """Return every item in use by its question. One query."""
    rows = db.session.execute(
        _newest(ItemVersion.stem, ItemVersion.reviewed, ItemVersion.law_ref).order_by(Item.id)
    )
    return [
        Listed(
            kind=KIND,
            code=row.slug,
            digest=row.digest,
            curriculum=row.curriculum_code,
            title=row.stem,
            title_en=row.stem,
            reviewed=row.reviewed,
            laws=tuple(row.law_ref),
        )
        for row in rows
    ]


def read_text(listed: Listed) -> tuple[Passage, ...]:
    """Return an item with its key, every rationale and its source. One query. Raises NotFound."""
    row = db.session.execute(
        _newest(*TEXT).where(Item.slug == listed.code, ItemVersion.digest == listed.digest)
    ).first()
    if row is None:
        raise NotFound(listed.code)
    return _passages(row)


def read_version(version: int) -> tuple[Passage, ...]:
    """Return one wording, also an old one, with its key. One query. Raises NotFound."""
    row = db.session.execute(
        select(*TEXT).join(Item, Item.id == ItemVersion.item_id).where(ItemVersion.id == version)
    ).first()
    if row is None:
        raise NotFound(str(version))
    return _passages(row)


def _passages(row: Row[*tuple[Any, ...]]) -> tuple[Passage, ...]:
    return (
        Passage("stem", _("Pertanyaan"), (Piece(row.stem),)),
        *(_options(row.options, row.key) if row.body is None else _lines(row)),
        Passage(
            "source",
            _("Sumber"),
            (
                Piece(row.source),
                Piece(", ".join(row.law_ref) or "–", _("Pasal")),
                Piece(day(date.fromisoformat(row.checked_on)), _("Diperiksa")),
                Piece(f"{row.kuk}, {row.level}", _("Kriteria dan tingkat")),
            ),
        ),
    )


def _options(options: Sequence[dict[str, Any]], key: str) -> list[Passage]:
    return [
        Passage(
            option["key"],
            _("Pilihan %(letter)s, kunci", letter=option["key"])
            if option["key"] == key
            else _("Pilihan %(letter)s", letter=option["key"]),
            (
                Piece(option["text"], tone="best" if option["key"] == key else "other"),
                Piece(option["rationale"], _("Alasan")),
            ),
        )
        for option in options
    ]


def _lines(row: Row[*tuple[Any, ...]]) -> list[Passage]:
    """Return a question of another type than the content's own: its key, line by line."""
    asked = stored.unpack(row.kind, row.stem, row.body)
    found = asked.type.result(asked.body, "", None)
    passages = [
        Passage(
            str(number),
            _("Baris %(number)d, kunci", number=number)
            if line.best
            else _("Baris %(number)d", number=number),
            tuple(
                piece
                for piece in (
                    Piece(line.text.value, tone="best" if line.best else "other"),
                    Piece(line.wanted, _("Jawaban"), "answer"),
                    Piece(line.feedback.value, _("Alasan")),
                )
                if piece.text
            ),
        )
        for number, line in enumerate(found.lines, 1)
    ]
    texts = [text for text in asked.type.texts(asked.body) if text] if asked.type.by_hand else []
    said = [*texts, *(text for text in (asked.feedback, *asked.outcomes.texts()) if text)]
    if said:
        pieces = tuple(Piece(text.value) for text in said)
        passages.append(Passage("said", _("Pedoman dan umpan balik"), pieces))
    return passages


def list_sitting(person_id: int) -> frozenset[str]:
    """Return the curricula whose quiz a person is sitting now. One query."""
    return frozenset(
        db.session.scalars(
            select(Quiz.curriculum_code)
            .join(Attempt, Attempt.quiz_id == Quiz.id)
            .where(Attempt.person_id == person_id, Attempt.closed_at.is_(None))
        )
    )
