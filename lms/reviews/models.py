"""Tables of reviews: experts, signatures, comments, the adoption of a standard."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from lms.accounts import models as accounts  # noqa: F401  # tables ours point to
from lms.competency import models as competency  # noqa: F401  # tables ours point to
from lms.core.db import Base, text_enum
from lms.core.ids import public_id
from lms.reviews.rules import Expertise


class Reviewer(Base):
    """What somebody with the role reviewer is an expert of, as an administrator wrote it down."""

    __tablename__ = "reviewer"

    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True)
    field: Mapped[Expertise] = mapped_column(text_enum(Expertise))
    given_by: Mapped[int] = mapped_column(ForeignKey("person.id"))
    at: Mapped[datetime]


class ReviewSignature(Base):
    """A named expert has read this very text. A changed text has another digest: it needs anew."""

    __tablename__ = "review_signature"
    __table_args__ = (
        # A double click signs once; what was taken back may be signed again.
        Index(
            "uq_review_signature_once",
            "kind",
            "code",
            "digest",
            "reviewer_id",
            unique=True,
            sqlite_where=text("withdrawn_at IS NULL"),
            postgresql_where=text("withdrawn_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    """See rules.Kind."""
    code: Mapped[str]
    digest: Mapped[str]
    """Of the version that was read."""
    reviewer_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    name: Mapped[str]
    """As it was then: readers see it under the text."""
    field: Mapped[Expertise] = mapped_column(text_enum(Expertise))
    at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]
    """When the same person took it back."""


class ReviewComment(Base):
    """Something said about one place of a text. Append-only, but for its being dealt with."""

    __tablename__ = "review_comment"
    __table_args__ = (Index("ix_review_comment_text", "kind", "code"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default=public_id)
    kind: Mapped[str]
    code: Mapped[str]
    digest: Mapped[str]
    """Of the version it speaks of."""
    place: Mapped[str]
    """Which passage: see core.reviewing.Passage; empty for the whole text."""
    text: Mapped[str]
    author_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    at: Mapped[datetime]
    resolved_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    resolved_at: Mapped[datetime | None]


class StandardAdoption(Base):
    """An administrator lets the installation adopt a standard; where two are needed, asks for it.

    `competency` holds since when; here stands who did it, on what ground, and how it ended.
    """

    __tablename__ = "standard_adoption"
    __table_args__ = (
        # One at a time for each text of the standard.
        Index(
            "uq_standard_adoption_open",
            "standard_version_id",
            unique=True,
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    standard_version_id: Mapped[int] = mapped_column(ForeignKey("standard_version.id"))
    basis: Mapped[str]
    """The decision it rests on: number and day of a letter, or a meeting."""
    asked_by: Mapped[int] = mapped_column(ForeignKey("person.id"))
    asked_at: Mapped[datetime]
    confirmed_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    """The second administrator; None where one is enough."""
    adopted_at: Mapped[datetime | None]
    closed_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    """Who took it back."""
    closed_at: Mapped[datetime | None]
