"""Tables of the chain of trainers: what no class of this installation shows is written down here.

Who trained whom in a class follows from its staff, its seats and what came of them; nothing of that
is stored again.
"""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from lms.accounts import models as accounts  # noqa: F401  # tables ours point to
from lms.core.db import Base
from lms.core.ids import public_id


class OutsideTraining(Base):
    """Somebody was trained elsewhere, by a person of this installation or by one only named."""

    __tablename__ = "outside_training"
    __table_args__ = (
        UniqueConstraint("person_id", "trainer_id", "year", "curriculum"),
        CheckConstraint("person_id <> trainer_id", name="not_oneself"),
        # The people downstream of a version begin here too.
        Index("ix_outside_training_version", "curriculum", "version", "person_id"),
        Index("ix_outside_training_trainer", "trainer_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default=public_id)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    trainer_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    trainer_name: Mapped[str]
    """As it was written down."""
    place: Mapped[str]
    year: Mapped[int]
    curriculum: Mapped[str]
    version: Mapped[str]
    """Empty where nobody knows."""
    recorded_by: Mapped[int] = mapped_column(ForeignKey("person.id"))
    recorded_at: Mapped[datetime]


class TrainingClosure(Base):
    """By what was written down, `ancestor_id` trained `descendant_id`, directly or through others.

    A circle would need a row of somebody above themselves: the database refuses it.
    """

    __tablename__ = "training_closure"
    __table_args__ = (CheckConstraint("ancestor_id <> descendant_id", name="no_circle"),)

    ancestor_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True)
    descendant_id: Mapped[int] = mapped_column(
        ForeignKey("person.id"), primary_key=True, index=True
    )
