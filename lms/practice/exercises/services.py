"""Load material for practising, list it, read it. Services flush; entry points commit."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Row, Select, func, select

from lms.core.db import db
from lms.core.errors import NotFound
from lms.core.ids import digest_of_text
from lms.core.login import Viewer
from lms.modules.services import Material
from lms.practice.exercises import content
from lms.practice.exercises.content import AnySpec, DrillSpec, InjectSpec, PlacedExercise
from lms.practice.exercises.models import ExerciseVersion
from lms.practice.exercises.rules import ExerciseKind

GUIDED = ("trainer", "assessor", "author", "reviewer", "admin")
"""Who sees what happens behind a drill or a meeting; everybody else gets a card in their hand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One piece of material in a list."""

    id: int
    code: str
    kind: ExerciseKind
    curriculum: str
    lesson: str
    title: str
    title_en: str
    reviewed: bool
    digest: str

    @property
    def slug(self) -> str:
        """Its name in addresses."""
        return self.code.lower()


@dataclass(frozen=True, slots=True)
class Exercise:
    """One piece of material as it is used now."""

    entry: Entry
    spec: AnySpec


def load(placed: Iterable[PlacedExercise], *, now: datetime) -> dict[str, int]:
    """Store new and changed texts; material no longer there is retired. Flushes."""
    before = {row.code: row for row in db.session.scalars(_newest())}
    counts = {"added": 0, "changed": 0, "unchanged": 0, "retired": 0}
    for one in placed:
        document = one.spec.model_dump(mode="json")
        old = before.pop(one.spec.code, None)
        if old and not old.retired and (old.document, old.kind) == (document, one.kind):
            counts["unchanged"] += 1
            continue
        _add_version(one, document, old, now)
        counts["changed" if old and not old.retired else "added"] += 1
    for old in before.values():
        if not old.retired:
            _retire(old, now)
            counts["retired"] += 1
    db.session.flush()
    return counts


def _add_version(
    one: PlacedExercise, document: dict[str, Any], old: ExerciseVersion | None, now: datetime
) -> None:
    spec = one.spec
    db.session.add(
        ExerciseVersion(
            code=spec.code,
            kind=one.kind,
            curriculum_code=one.curriculum,
            lesson_code=spec.lesson,
            digest=_digest(old, [one.kind, document]),
            title=spec.title,
            title_en=spec.title_en,
            reviewed=spec.review.status != "unreviewed",
            document=document,
            retired=False,
            created_at=now,
        )
    )


def _retire(old: ExerciseVersion, now: datetime) -> None:
    db.session.add(
        ExerciseVersion(
            code=old.code,
            kind=old.kind,
            curriculum_code=old.curriculum_code,
            lesson_code=old.lesson_code,
            digest=_digest(old, []),
            title=old.title,
            title_en=old.title_en,
            reviewed=old.reviewed,
            document=old.document,
            retired=True,
            created_at=now,
        )
    )


def _digest(old: ExerciseVersion | None, text: list[Any]) -> str:
    # The digest covers what the version follows, so that an old text may come back as a new one.
    return digest_of_text(json.dumps([old.id if old else 0, *text], sort_keys=True))


def _newest_ids() -> Select[int]:
    return select(func.max(ExerciseVersion.id)).group_by(ExerciseVersion.code)


def _newest() -> Select[ExerciseVersion]:
    return select(ExerciseVersion).where(ExerciseVersion.id.in_(_newest_ids()))


_ENTRIES = (
    select(
        ExerciseVersion.id,
        ExerciseVersion.code,
        ExerciseVersion.kind,
        ExerciseVersion.curriculum_code,
        ExerciseVersion.lesson_code,
        ExerciseVersion.title,
        ExerciseVersion.title_en,
        ExerciseVersion.reviewed,
        ExerciseVersion.digest,
    )
    .where(ExerciseVersion.id.in_(_newest_ids()), ExerciseVersion.retired.is_(False))
    .order_by(ExerciseVersion.curriculum_code, ExerciseVersion.lesson_code, ExerciseVersion.code)
)
"""Everything in use, without the long texts."""


def _entry(row: Row[*tuple[Any, ...]]) -> Entry:
    return Entry(
        id=row.id,
        code=row.code,
        kind=row.kind,
        curriculum=row.curriculum_code,
        lesson=row.lesson_code,
        title=row.title,
        title_en=row.title_en,
        reviewed=row.reviewed,
        digest=row.digest,
    )


def by_lesson(placed: Iterable[PlacedExercise]) -> dict[str, list[Material]]:
    """Return what its lesson's page says about each piece of material."""
    found: dict[str, list[Material]] = {}
    for one in placed:
        spec = one.spec
        line = Material(spec.code, one.kind.value, spec.title, spec.title_en)
        found.setdefault(spec.lesson, []).append(line)
    return found


def readable(material: Iterable[Material], viewer: Viewer) -> list[Material]:
    """Return what a viewer may read of a lesson's material. No query."""
    return [one for one in material if may_read(ExerciseKind(one.kind), viewer)]


def may_read(kind: ExerciseKind, viewer: Viewer) -> bool:
    """Tell whether somebody may read material of a kind before it is handed out."""
    return kind is ExerciseKind.RECORD or viewer.is_any(*GUIDED)


def list_exercises(viewer: Viewer, lessons: Sequence[str] | None = None) -> list[Entry]:
    """Return what a viewer may read, of all lessons or of some. One query, none for no lessons."""
    if lessons is not None and not lessons:
        return []
    query = _ENTRIES
    if lessons is not None:
        query = query.where(ExerciseVersion.lesson_code.in_(lessons))
    found = [_entry(row) for row in db.session.execute(query)]
    return [entry for entry in found if may_read(entry.kind, viewer)]


def list_all() -> list[Entry]:
    """Return everything in use, whoever may read it: for reviews. One query."""
    return [_entry(row) for row in db.session.execute(_ENTRIES)]


def read_spec(entry: Entry) -> AnySpec:
    """Return the whole text of an entry. At most one query."""
    return _spec(entry.id, entry.kind, entry.digest)


def get_exercise(code: str, viewer: Viewer) -> Exercise:
    """Return one piece of material; `code` in any case. Raises NotFound. One query, or two."""
    row = db.session.execute(_ENTRIES.where(ExerciseVersion.code == code.upper())).first()
    if row is None or not may_read(row.kind, viewer):
        raise NotFound(code)
    entry = _entry(row)
    return Exercise(entry, _spec(entry.id, entry.kind, entry.digest))


@lru_cache(maxsize=32)
def _spec(version_id: int, kind: ExerciseKind, digest: str) -> AnySpec:
    """Return a parsed text. It never changes, so the cache needs no owner but size."""
    document = db.session.scalars(
        select(ExerciseVersion.document).where(
            ExerciseVersion.id == version_id, ExerciseVersion.digest == digest
        )
    ).one()
    return content.parse(kind, document)


@dataclass(frozen=True, slots=True)
class HandedOut:
    """One card of a drill as it is cut out for one seat."""

    number: int
    """Its place in the round, from 1: the controller's script has the same."""
    round_title: str
    round_title_en: str
    inject: InjectSpec


def cards_of(spec: DrillSpec, seat: str) -> list[HandedOut]:
    """Return the cards one seat gets, as time goes."""
    return [
        HandedOut(n, each.title, each.title_en, inject)
        for each in spec.rounds
        for n, inject in enumerate(each.injects, 1)
        if seat in inject.to
    ]
