"""Tables of quizzes of a class. Sittings and answers stand in the tables of all quizzes."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from lms.accounts import models as accounts  # noqa: F401  # tables ours point to
from lms.cohorts import models as cohorts  # noqa: F401  # tables ours point to
from lms.core.db import Base, text_enum
from lms.core.ids import public_id
from lms.quizzes import models as quizzes  # noqa: F401  # tables ours point to
from lms.quizzes.collections import models as collections  # noqa: F401  # tables ours point to


class Purpose(StrEnum):
    """What a quiz of a class is for."""

    PRACTICE = "latihan"
    BEFORE = "pra"
    AFTER = "pasca"


class ClassQuiz(Base):
    """A quiz a trainer put together for a class. Its questions are fixed once it is made."""

    __tablename__ = "class_quiz"

    quiz_id: Mapped[int] = mapped_column(ForeignKey("quiz.id"), primary_key=True)
    cohort_id: Mapped[int] = mapped_column(ForeignKey("cohort.id"), index=True)
    title: Mapped[str]
    purpose: Mapped[Purpose] = mapped_column(text_enum(Purpose))
    opens_at: Mapped[datetime]
    closes_at: Mapped[datetime]
    tries: Mapped[int]
    """How many sittings each person has; one where it is a test before or after."""
    shows_answers: Mapped[bool]
    """Whether people see keys and reasons once it is closed."""
    created_by: Mapped[int] = mapped_column(ForeignKey("person.id"))
    created_at: Mapped[datetime]
    cancelled_at: Mapped[datetime | None]
    """Set when nobody shall begin it any more; sittings that were handed in stay."""


class ClassQuizItem(Base):
    """Which question of a collection became which item of a quiz."""

    __tablename__ = "class_quiz_item"
    __table_args__ = (UniqueConstraint("quiz_id", "question_id"),)

    item_id: Mapped[int] = mapped_column(ForeignKey("item.id"), primary_key=True)
    quiz_id: Mapped[int] = mapped_column(ForeignKey("class_quiz.quiz_id"))
    question_id: Mapped[int] = mapped_column(ForeignKey("collected_question.id"), index=True)
    position: Mapped[int]


class ClassPair(Base):
    """A test before and a test after that belong together. A quiz belongs to one pair at most."""

    __tablename__ = "class_pair"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default=public_id)
    cohort_id: Mapped[int] = mapped_column(ForeignKey("cohort.id"), index=True)
    before_id: Mapped[int] = mapped_column(ForeignKey("class_quiz.quiz_id"), unique=True)
    after_id: Mapped[int] = mapped_column(ForeignKey("class_quiz.quiz_id"), unique=True)
    created_by: Mapped[int] = mapped_column(ForeignKey("person.id"))
    created_at: Mapped[datetime]
