"""Table of material for practising together."""

from datetime import datetime
from typing import Any

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from lms.core.db import Base, text_enum
from lms.practice.exercises.rules import ExerciseKind


class ExerciseVersion(Base):
    """One text of a drill, role cards or a recording exercise. Immutable; the newest is used."""

    __tablename__ = "exercise_version"
    __table_args__ = (UniqueConstraint("code", "digest"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str]
    """K3.T, K5.10: mostly the code of its lesson."""
    kind: Mapped[ExerciseKind] = mapped_column(text_enum(ExerciseKind))
    curriculum_code: Mapped[str]
    lesson_code: Mapped[str]
    digest: Mapped[str]
    title: Mapped[str]
    title_en: Mapped[str]
    reviewed: Mapped[bool]
    document: Mapped[dict[str, Any]]
    retired: Mapped[bool]
    """Whether this version only says that the material left the content."""
    created_at: Mapped[datetime]
