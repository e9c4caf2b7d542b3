"""Tables of evaluations: answers without a name, and promises that two sides look at."""

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from lms.accounts import models as accounts  # noqa: F401  # tables ours point to
from lms.cohorts import models as cohorts  # noqa: F401  # tables ours point to
from lms.core.db import Base, text_enum
from lms.core.ids import public_id
from lms.evaluations.rules import Rating, Side

__all__ = ["Feedback", "FeedbackGiven", "Plan", "PlanCheck", "PlanLetter", "Promise", "Rating"]


class Feedback(Base):
    """What one participant says about a class. Nothing here says who, or when.

    The key is random and the table kept in its order, so that rows do not stand in the order they
    came. Rows that are not shown yet are written anew with each answer; see services.answer.
    """

    __tablename__ = "feedback"
    __table_args__ = (
        Index("ix_feedback_cohort", "cohort_id", "is_shown"),
        {"sqlite_with_rowid": False},
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    cohort_id: Mapped[int] = mapped_column(ForeignKey("cohort.id"))
    marks: Mapped[dict[str, int]]
    """Statement to 1 … 4."""
    good: Mapped[str]
    better: Mapped[str]
    is_shown: Mapped[bool]
    """Counts in the results: set for five answers at a time."""


class FeedbackGiven(Base):
    """Somebody has answered. Not what, and not when."""

    __tablename__ = "feedback_given"
    __table_args__ = ({"sqlite_with_rowid": False},)

    cohort_id: Mapped[int] = mapped_column(ForeignKey("cohort.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True, index=True)


class Plan(Base):
    """What somebody promises to do after a class, and who looks at it beside them."""

    __tablename__ = "follow_up_plan"
    # Two browsers at once write one plan.
    __table_args__ = (UniqueConstraint("cohort_id", "person_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default=public_id)
    cohort_id: Mapped[int] = mapped_column(ForeignKey("cohort.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    superior_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    """An officer of the own agency; None where name and address were typed."""
    superior_name: Mapped[str]
    superior_email: Mapped[str]
    """Empty where `superior_id` is set."""
    written_at: Mapped[datetime]


class Promise(Base):
    """One thing somebody promises: what, by when, with whom."""

    __tablename__ = "follow_up_promise"
    __table_args__ = (UniqueConstraint("plan_id", "position"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    plan_id: Mapped[int] = mapped_column(ForeignKey("follow_up_plan.id"))
    position: Mapped[int]
    """1 to 5."""
    what: Mapped[str]
    by_on: Mapped[date]
    with_whom: Mapped[str]


class PlanCheck(Base):
    """One side looked at a plan, 30 or 90 days after the class. Append-only."""

    __tablename__ = "follow_up_check"
    # Each side answers once for each stage, however often the button is pressed.
    __table_args__ = (UniqueConstraint("plan_id", "stage", "side"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    plan_id: Mapped[int] = mapped_column(ForeignKey("follow_up_plan.id"))
    stage: Mapped[int]
    """30 or 90."""
    side: Mapped[Side] = mapped_column(text_enum(Side))
    comment: Mapped[str]
    answered_at: Mapped[datetime]


class PromiseRating(Base):
    """How far one promise is kept, as one side says. Append-only."""

    __tablename__ = "follow_up_rating"

    check_id: Mapped[int] = mapped_column(ForeignKey("follow_up_check.id"), primary_key=True)
    promise_id: Mapped[int] = mapped_column(
        ForeignKey("follow_up_promise.id"), primary_key=True, index=True
    )
    rating: Mapped[Rating] = mapped_column(text_enum(Rating))
    reason: Mapped[str]


class PlanLetter(Base):
    """A mail that asked one side to look. Only the hash of a superior's token is kept."""

    __tablename__ = "follow_up_letter"
    # Two rounds at once send one letter.
    __table_args__ = (UniqueConstraint("plan_id", "stage", "side", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    plan_id: Mapped[int] = mapped_column(ForeignKey("follow_up_plan.id"))
    stage: Mapped[int]
    side: Mapped[Side] = mapped_column(text_enum(Side))
    number: Mapped[int]
    """1, or 2 for the reminder."""
    token_hash: Mapped[str | None] = mapped_column(unique=True)
    sent_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
