"""Tables of marks by two assessors, of the third person, of appeals."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from lms.accounts import models as accounts  # noqa: F401  # tables ours point to
from lms.cohorts import models as cohorts  # noqa: F401  # tables ours point to
from lms.competency import models as competency  # noqa: F401  # tables ours point to
from lms.competency.kinds import EvidenceKind
from lms.core.db import Base, text_enum
from lms.core.ids import public_id
from lms.ratings.rules import Stage

LIVE = text("annulled_at IS NULL")


class RaterPlan(Base):
    """How many assessors mark something in one class, where it is not the usual one."""

    __tablename__ = "rater_plan"

    cohort_id: Mapped[int] = mapped_column(ForeignKey("cohort.id"), primary_key=True)
    kind: Mapped[EvidenceKind] = mapped_column(text_enum(EvidenceKind), primary_key=True)
    source: Mapped[str] = mapped_column(primary_key=True)
    """Case, station, or the curriculum whose quiz asks essays."""
    raters: Mapped[int]
    set_by: Mapped[int] = mapped_column(ForeignKey("person.id"))
    set_at: Mapped[datetime]


class Rating(Base):
    """One of two assessors looks at something, blind to the other. Append-only."""

    __tablename__ = "rating"
    __table_args__ = (
        # Two places, each taken once, each by somebody else: whoever comes at the same moment.
        Index(
            "uq_rating_slot",
            "kind",
            "subject",
            "slot",
            unique=True,
            sqlite_where=LIVE,
            postgresql_where=LIVE,
        ),
        Index(
            "uq_rating_rater",
            "kind",
            "subject",
            "rater_id",
            unique=True,
            sqlite_where=LIVE,
            postgresql_where=LIVE,
        ),
        Index("ix_rating_person", "person_id", "kind", "source"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[EvidenceKind] = mapped_column(text_enum(EvidenceKind))
    subject: Mapped[str]
    """SK: the submission. OBS: round/station/variant. Q: sitting/version of the essay.

    Up to the first slash: the ledger's group.
    """
    source: Mapped[str]
    """Case, station or curriculum."""
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    rater_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    slot: Mapped[int]
    """1 who marked first, 2 who marked second."""
    feedback: Mapped[str] = mapped_column(default="")
    began_at: Mapped[datetime]
    annulled_at: Mapped[datetime | None]
    """When what was marked was taken back, to be marked afresh."""


class RatingMark(Base):
    """What one of two assessors gave for one criterion."""

    __tablename__ = "rating_mark"
    # A harmful act after the mark is a row of its own, and the one that counts.
    __table_args__ = (UniqueConstraint("rating_id", "kuk", "act"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    rating_id: Mapped[int] = mapped_column(ForeignKey("rating.id"))
    kuk: Mapped[str]
    mark: Mapped[int]
    act: Mapped[str]
    note: Mapped[str]
    at: Mapped[datetime]


class Moderation(Base):
    """Two assessors differ on a criterion; a third person decides, once."""

    __tablename__ = "moderation"
    __table_args__ = (
        Index(
            "uq_moderation_subject",
            "kind",
            "subject",
            "kuk",
            unique=True,
            sqlite_where=text("dropped_at IS NULL"),
            postgresql_where=text("dropped_at IS NULL"),
        ),
        Index("ix_moderation_person", "person_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default=public_id)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    kind: Mapped[EvidenceKind] = mapped_column(text_enum(EvidenceKind))
    subject: Mapped[str]
    source: Mapped[str]
    kuk: Mapped[str]
    opened_at: Mapped[datetime]
    moderator_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    mark: Mapped[int | None]
    act: Mapped[str] = mapped_column(default="")
    reason: Mapped[str] = mapped_column(default="")
    decided_at: Mapped[datetime | None]
    dropped_at: Mapped[datetime | None]
    """When what was marked was taken back: there is nothing left to decide."""


class Appeal(Base):
    """Somebody asks for one of their results to be looked at again. Its steps are facts."""

    __tablename__ = "appeal"
    __table_args__ = (
        Index(
            "uq_appeal_open",
            "evidence_id",
            unique=True,
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
        Index("ix_appeal_person", "person_id", "closed_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default=public_id)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    evidence_id: Mapped[int] = mapped_column(ForeignKey("evidence.id"))
    kind: Mapped[EvidenceKind] = mapped_column(text_enum(EvidenceKind))
    source: Mapped[str]
    kuk: Mapped[str]
    text: Mapped[str]
    at: Mapped[datetime]
    closed_at: Mapped[datetime | None]


class AppealStep(Base):
    """One step of an appeal. Append-only; the last one is its stage."""

    __tablename__ = "appeal_step"

    appeal_id: Mapped[int] = mapped_column(ForeignKey("appeal.id"), primary_key=True)
    # Two people who answer at once cannot both take the same place.
    position: Mapped[int] = mapped_column(primary_key=True)
    stage: Mapped[Stage] = mapped_column(text_enum(Stage))
    by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    at: Mapped[datetime]
    note: Mapped[str] = mapped_column(default="")
    mark: Mapped[int | None]
    """The new mark, where an appeal was upheld with one."""
