"""The curricula as lists of lessons, and how far a reader is in them. Reads only.

What everybody sees of a curriculum is read once and kept until content or a mark of the law
changes; each request reads what its reader finished, and the two numbers that tell of a change.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Pool, Row, bindparam, func, literal, select

from lms.core.db import db
from lms.core.models import ContentRelease
from lms.core.prepared import read
from lms.modules import laws
from lms.modules.models import Curriculum, LawMark, Lesson, LessonDone


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One lesson in a list, and how the reader stands with it."""

    id: int
    code: str
    curriculum: str
    module: str
    number: int
    title: str
    title_en: str
    minutes: int
    jp: int
    in_person: bool
    kuk: tuple[str, ...]
    practice: tuple[str, ...]
    reviewed: bool
    digest: str
    version: int
    done_at: datetime | None
    done_version: int | None
    in_review: bool
    """The text names an article that was marked superseded here."""

    @property
    def url(self) -> str:
        """Return its address."""
        return address_of(self.curriculum, self.number)

    @property
    def changed(self) -> bool:
        """Tell whether its text changed after the reader finished it."""
        return self.done_version is not None and self.done_version < self.version


@dataclass(frozen=True, slots=True)
class Part:
    """One module of a curriculum with its lessons."""

    code: str
    title: str
    title_en: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Outline:
    """One curriculum with its modules and lessons."""

    code: str
    title: str
    title_en: str
    parts: tuple[Part, ...]

    @property
    def lines(self) -> tuple[Line, ...]:
        """Every lesson in the order they are taught."""
        return tuple(line for part in self.parts for line in part.lines)

    @property
    def online(self) -> tuple[Line, ...]:
        """The lessons read on the screen, in order."""
        return tuple(line for line in self.lines if not line.in_person)

    @property
    def done(self) -> int:
        """How many online lessons the reader has finished."""
        return sum(line.done_at is not None for line in self.online)


Stamp = tuple[int | None, int | None]
"""The newest load of content and the newest mark of the law."""

_kept: WeakKeyDictionary[Pool, tuple[Stamp, list[Outline]]] = WeakKeyDictionary()
"""A cache, owned by this module: the outlines of a database without a reader, and their stamp.

By pool, not by engine: a database put in the place of another is met by a new one.
"""

# Put together once: that costs more than running it.
_TEXTS = (
    select(
        Lesson.id,
        Lesson.code,
        Lesson.module_code,
        Lesson.position,
        Lesson.title,
        Lesson.title_en,
        Lesson.minutes,
        Lesson.jp,
        Lesson.in_person,
        Lesson.kuk,
        Lesson.practice,
        Lesson.reviewed,
        Lesson.digest,
        Lesson.version,
        Curriculum.code.label("curriculum"),
        Curriculum.title.label("curriculum_title"),
        Curriculum.title_en.label("curriculum_title_en"),
        Curriculum.modules,
        laws.lesson_in_review().label("in_review"),
    )
    .join(Curriculum, Curriculum.id == Lesson.curriculum_id)
    .where(Lesson.retired_at.is_(None))
    .order_by(Curriculum.position, Lesson.position)
)
_one = select(literal(1).label("one")).subquery()
_STAMP = select(
    select(func.max(ContentRelease.id)).scalar_subquery().label("release"),
    select(func.max(LawMark.id)).scalar_subquery().label("mark"),
)
_DONE = (
    _STAMP.add_columns(
        LessonDone.lesson_id,
        LessonDone.at,
        LessonDone.version,
    )
    .select_from(_one)
    .join(LessonDone, LessonDone.person_id == bindparam("person"), isouter=True)
)


def list_outlines(person_id: int, curriculum: str | None = None) -> list[Outline]:
    """Return the curricula that have lessons, with what the person finished.

    One query; two when content or a mark of the law changed since this process last looked.
    """
    rows = read(_DONE, {"person": person_id})
    done = {row.lesson_id: row for row in rows if row.lesson_id is not None}
    outlines = _texts((rows[0].release, rows[0].mark))
    if curriculum is not None:
        outlines = [one for one in outlines if one.code == curriculum]
    return [_with(one, done) for one in outlines] if done else list(outlines)


def list_texts() -> list[Outline]:
    """Return the curricula as nobody has begun them. One query, two after a change."""
    [stamp] = read(_STAMP, {})
    return _texts((stamp.release, stamp.mark))


def forget() -> None:
    """Read the texts again next time: content is being loaded into this database."""
    _kept.pop(db.engine.pool, None)


def _texts(stamp: Stamp) -> list[Outline]:
    """Return the curricula as nobody has begun them."""
    kept = _kept.get(db.engine.pool)
    if kept is not None and kept[0] == stamp:
        return kept[1]
    rows: dict[str, list[Row[*tuple[Any, ...]]]] = {}
    for row in db.session.execute(_TEXTS):
        rows.setdefault(row.curriculum, []).append(row)
    outlines = [_outline(code, found) for code, found in rows.items()]
    _kept[db.engine.pool] = stamp, outlines
    return outlines


def _with(outline: Outline, done: dict[int, Row[*tuple[Any, ...]]]) -> Outline:
    """Return an outline with what somebody finished; parts without any are shared by everybody."""
    parts = tuple(
        replace(part, lines=tuple(_line(line, done) for line in part.lines))
        if any(line.id in done for line in part.lines)
        else part
        for part in outline.parts
    )
    return replace(outline, parts=parts)


def _line(line: Line, done: dict[int, Row[*tuple[Any, ...]]]) -> Line:
    found = done.get(line.id)
    if found is None:
        return line
    return replace(line, done_at=found.at, done_version=found.version)


def find_opened(outlines: Iterable[Outline], asked: str | None = None) -> str:
    """Return the curriculum whose lessons are unfolded: the one asked for, or the one gone on with.

    That is the first one begun and not finished, then the first one not finished.
    """
    known = list(outlines)
    ways = (
        [one for one in known if one.code == asked],
        [one for one in known if 0 < one.done < len(one.online)],
        [one for one in known if one.done < len(one.online)],
    )
    return next((one.code for way in ways for one in way), "")


def _outline(code: str, rows: list[Row[*tuple[Any, ...]]]) -> Outline:
    lines: dict[str, list[Line]] = {}
    for row in rows:
        lines.setdefault(row.module_code, []).append(
            Line(
                id=row.id,
                code=row.code,
                curriculum=code,
                module=row.module_code,
                number=row.position,
                title=row.title,
                title_en=row.title_en,
                minutes=row.minutes,
                jp=row.jp,
                in_person=row.in_person,
                kuk=tuple(row.kuk),
                practice=tuple(row.practice),
                reviewed=row.reviewed,
                digest=row.digest,
                version=row.version,
                done_at=None,
                done_version=None,
                in_review=bool(row.in_review),
            )
        )
    parts = tuple(
        Part(part["code"], part["title"], part["title_en"], tuple(lines.get(part["code"], ())))
        for part in rows[0].modules
    )
    return Outline(code, rows[0].curriculum_title, rows[0].curriculum_title_en, parts)


def address_of(curriculum: str, position: int) -> str:
    """Return the path of a lesson."""
    return f"/modul/{curriculum.lower()}/{position}"
