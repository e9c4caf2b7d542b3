"""Tables of curricula, lessons and what has been read."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from lms.core.db import Base, text_enum


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
