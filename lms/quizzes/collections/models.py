"""Tables of collections: questions trainers bring in. None of them is part of the item bank."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from lms.accounts import models as accounts  # noqa: F401  # tables ours point to
from lms.cohorts import models as cohorts  # noqa: F401  # tables ours point to
from lms.core.db import Base, text_enum
from lms.core.ids import public_id


class ImportState(StrEnum):
    """How far a file is. It leaves DRAFT once, whoever clicks how often."""

    DRAFT = "draft"
    CONFIRMED = "confirmed"
    UNDONE = "undone"


class QuestionCollection(Base):
    """Questions kept together under a title."""

    __tablename__ = "question_collection"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default=public_id)
    title: Mapped[str]
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"), index=True)
    """Whose it is; None where it is the person's own."""
    owner_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    """Who began it, and looks after it."""
    shared: Mapped[bool]
    """Whether every trainer may look and take questions from it."""
    created_at: Mapped[datetime]


class QuestionImport(Base):
    """One file of questions: what was in it, and whether it was confirmed or taken back."""

    __tablename__ = "question_import"
    # The round that clears up asks for drafts by their end.
    __table_args__ = (Index("ix_question_import_state", "state", "expires_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default=public_id)
    collection_id: Mapped[int] = mapped_column(ForeignKey("question_collection.id"), index=True)
    source: Mapped[str]
    """The name of the file."""
    format: Mapped[str]
    state: Mapped[ImportState] = mapped_column(text_enum(ImportState))
    counts: Mapped[dict[str, int]]
    """How many questions of each type were read."""
    refused: Mapped[int]
    """How many questions, or files, could not be read."""
    problems: Mapped[list[dict[str, Any]]]
    """Everything that was said about the file, as `exchange.problems` writes it."""
    created_by: Mapped[int] = mapped_column(ForeignKey("person.id"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    """A draft is deleted then."""
    confirmed_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    confirmed_at: Mapped[datetime | None]
    undone_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    undone_at: Mapped[datetime | None]


class CollectedQuestion(Base):
    """One question of a file, whole. It is seen once its file is confirmed; never changed."""

    __tablename__ = "collected_question"
    __table_args__ = (
        Index("uq_collected_question_place", "import_id", "position", unique=True),
        Index("ix_collected_question_kind", "collection_id", "kind"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default=public_id)
    collection_id: Mapped[int] = mapped_column(ForeignKey("question_collection.id"))
    import_id: Mapped[int] = mapped_column(ForeignKey("question_import.id"))
    position: Mapped[int]
    """From 1, as in the file."""
    kind: Mapped[str]
    code: Mapped[str]
    """Its id or name in the file; may be empty."""
    stem: Mapped[str]
    """The beginning of its text, without markup: what lists show."""
    question: Mapped[dict[str, Any]]
    """All of it, as `exchange.stored` packs it. Holds the key: only for who may see that."""
    used_at: Mapped[datetime | None]
    """When it was first put into a quiz; from then on it is withdrawn, not deleted."""
    withdrawn_at: Mapped[datetime | None]
    """Set when it must go into no further quiz."""


class CollectedTag(Base):
    """A tag of a question: `kuk:02.1.1`, `law:UU 23/2004 ps 16`, `level:C3`, or any other word."""

    __tablename__ = "collected_tag"

    question_id: Mapped[int] = mapped_column(ForeignKey("collected_question.id"), primary_key=True)
    label: Mapped[str] = mapped_column(primary_key=True)


class QuestionImage(Base):
    """The bytes of an image, kept once whatever shows it."""

    __tablename__ = "question_image"

    digest: Mapped[str] = mapped_column(primary_key=True)
    """SHA-256 of the bytes: its name in addresses, which nobody guesses."""
    media: Mapped[str]
    """PNG, JPEG, GIF or WebP, told from the bytes."""
    data: Mapped[bytes] = mapped_column(LargeBinary)


class CollectedImage(Base):
    """A question shows an image."""

    __tablename__ = "collected_image"

    question_id: Mapped[int] = mapped_column(ForeignKey("collected_question.id"), primary_key=True)
    digest: Mapped[str] = mapped_column(
        ForeignKey("question_image.digest"), primary_key=True, index=True
    )
