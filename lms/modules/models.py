"""Tables of curricula, lessons and what has been read."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from lms.accounts import models as accounts  # noqa: F401  # tables ours point to
from lms.core.db import Base, text_enum
from lms.core.ids import public_id
from lms.modules.law.rules import MarkState, Status


class Outcome(StrEnum):
    """How a lesson was finished. Both count the same. Source: decision rules 1, REF."""

    DONE = "done"
    WITH_TRAINER = "with_trainer"


class Curriculum(Base):
    """One curriculum as last loaded."""

    __tablename__ = "curriculum"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    """K1 … K5, T."""
    position: Mapped[int]
    title: Mapped[str]
    title_en: Mapped[str]
    modules: Mapped[list[dict[str, Any]]]
    """Parts in order: code, title, title_en, lessons (codes)."""
    digest: Mapped[str]


class Lesson(Base):
    """One lesson as last loaded, already rendered to safe HTML."""

    __tablename__ = "lesson"

    id: Mapped[int] = mapped_column(primary_key=True)
    curriculum_id: Mapped[int] = mapped_column(ForeignKey("curriculum.id"), index=True)
    code: Mapped[str] = mapped_column(unique=True)
    """K1.1 … K1.10, K1.T."""
    module_code: Mapped[str]
    position: Mapped[int]
    """1 … n within its curriculum: the number in its address."""
    title: Mapped[str]
    title_en: Mapped[str]
    objective: Mapped[str]
    in_person: Mapped[bool]
    jp: Mapped[int]
    minutes: Mapped[int]
    kuk: Mapped[list[str]]
    practice: Mapped[list[str]]
    """Simulations practised here."""
    material: Mapped[list[dict[str, Any]] | None]
    """What is printed or filled in for it: code, kind, title, title_en. Set by every load."""
    reflection: Mapped[str]
    blocks: Mapped[list[dict[str, Any]]]
    """Parts of the text: kind (prose, law, care, case, do, never), title, minutes, html."""
    sources: Mapped[list[dict[str, Any]]]
    reviewed: Mapped[bool]
    digest: Mapped[str]
    version: Mapped[int]
    """Counts the changes of its text on this installation, from 1."""
    updated_at: Mapped[datetime]
    retired_at: Mapped[datetime | None]
    """When its file left the content. The row stays for those who finished it."""


class LessonDone(Base):
    """Somebody finished a lesson. Kept when the lesson's text changes later."""

    __tablename__ = "lesson_done"
    __table_args__ = (UniqueConstraint("person_id", "lesson_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    lesson_id: Mapped[int] = mapped_column(ForeignKey("lesson.id"), index=True)
    version: Mapped[int]
    outcome: Mapped[Outcome] = mapped_column(text_enum(Outcome))
    at: Mapped[datetime]


class Law(Base):
    """One statute of the registry as last loaded, with its articles."""

    __tablename__ = "law"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    """`UU 23/2004`."""
    slug: Mapped[str] = mapped_column(unique=True)
    """As it stands in an address: `uu-23-2004`."""
    position: Mapped[int]
    title: Mapped[str]
    short: Mapped[str]
    status: Mapped[Status] = mapped_column(text_enum(Status))
    in_force_since: Mapped[date | None]
    source: Mapped[str]
    checked_on: Mapped[date]
    note: Mapped[str]
    articles: Mapped[list[dict[str, Any]]]
    """In the order of the file: ps, status, about, replaced_by, note."""
    digest: Mapped[str]
    retired_at: Mapped[datetime | None]
    """When it left the files. What was marked stays marked."""


class LessonLaw(Base):
    """A wording of a lesson names an article. Never changed: who finished a wording learned it."""

    __tablename__ = "lesson_law"
    __table_args__ = (Index("ix_lesson_law_article", "article", "lesson_id", "version"),)

    lesson_id: Mapped[int] = mapped_column(ForeignKey("lesson.id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    article: Mapped[str] = mapped_column(primary_key=True)
    """`UU 23/2004 ps 16`."""


class LawMark(Base):
    """Somebody marked an article, or took the mark back. Append-only: the newest one counts."""

    __tablename__ = "law_mark"
    __table_args__ = (Index("ix_law_mark_article", "article", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default=public_id)
    article: Mapped[str]
    state: Mapped[MarkState] = mapped_column(text_enum(MarkState))
    since: Mapped[date]
    reason: Mapped[str]
    replaced_by: Mapped[str]
    delta_title: Mapped[str]
    """Of the reading for those who learned the article; empty while there is none."""
    delta_text: Mapped[str]
    """Markdown, as it was typed."""
    delta_html: Mapped[str]
    """The same, cleaned and ready to print."""
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    """None from the command line."""
    at: Mapped[datetime]


class DeltaRead(Base):
    """Somebody read what changed."""

    __tablename__ = "law_delta_read"
    __table_args__ = (UniqueConstraint("mark_id", "person_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    mark_id: Mapped[int] = mapped_column(ForeignKey("law_mark.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    at: Mapped[datetime]
