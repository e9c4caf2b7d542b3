"""Tables of quizzes. Item versions and answers are never changed, only added."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from lms.accounts import models as accounts  # noqa: F401  # tables ours point to
from lms.core.db import Base
from lms.core.ids import public_id


class Quiz(Base):
    """The quiz of one curriculum; what it draws follows from the standard's blueprint."""

    __tablename__ = "quiz"

    id: Mapped[int] = mapped_column(primary_key=True)
    curriculum_code: Mapped[str] = mapped_column(unique=True)
    """Its name in addresses: the curriculum's code, or the public id of a quiz of a class."""
    minutes: Mapped[int | None]
    """Time limit of a sitting; None where people may take as long as they need."""
    pausable: Mapped[bool] = mapped_column(default=True, server_default=text("true"))
    """Whether a pause stops the clock of a sitting with a time limit."""
    for_class: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    """Whether a trainer made it for a class: it is no curriculum's, and never evidence."""


class Item(Base):
    """One question through all its versions."""

    __tablename__ = "item"

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(unique=True)
    """Name in the content files, for example K1-0321-1."""
    quiz_id: Mapped[int] = mapped_column(ForeignKey("quiz.id"), index=True)
    kuk: Mapped[str]
    withdrawn_at: Mapped[datetime | None]
    """Set when it must not be drawn any more; past attempts keep it."""
    withdrawn_reason: Mapped[str] = mapped_column(default="")


class ItemVersion(Base):
    """One wording of an item. Immutable; the newest version of an item is drawn."""

    __tablename__ = "item_version"
    # Two loads at once must not both write version 2. A digest may come back: a text taken back is
    # a new version, so that the newest is always the one in the files.
    __table_args__ = (
        UniqueConstraint("item_id", "number"),
        # Few types wait for somebody who reads them, and desks ask for those.
        Index("ix_item_version_kind", "kind"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("item.id"))
    number: Mapped[int]
    digest: Mapped[str]
    level: Mapped[str]
    """C2, C3 or C4 (Bloom, revised)."""
    kind: Mapped[str] = mapped_column(default="single", server_default="single")
    """The type of question, as lms.quizzes.types knows it."""
    stem: Mapped[str]
    options: Mapped[list[dict[str, Any]]]
    """Of a single best answer: {key, text, rationale}, in the order of the file; else empty."""
    key: Mapped[str]
    """Of a single best answer: its letter. Leaves the server only after the attempt is closed."""
    body: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """Of every other type: what it asks and its key. Leaves the server like `key`."""
    source: Mapped[str]
    law_ref: Mapped[list[str]]
    checked_on: Mapped[str]
    reviewed: Mapped[bool]
    created_at: Mapped[datetime]


class ItemLaw(Base):
    """A wording of an item stands on an article. Never changed."""

    __tablename__ = "item_law"
    __table_args__ = (Index("ix_item_law_article", "article", "item_version_id"),)

    item_version_id: Mapped[int] = mapped_column(ForeignKey("item_version.id"), primary_key=True)
    article: Mapped[str] = mapped_column(primary_key=True)
    """`UU 23/2004 ps 16`."""


class ItemCorrection(Base):
    """The key of one wording was wrong, and what was done about it. Append-only.

    The wording itself never changes. `corrected_id` is the same text with another key; None: no
    option is right, so it counts for nobody.
    """

    __tablename__ = "item_correction"
    # One wording is corrected once; what corrected it may be corrected in its turn.
    __table_args__ = (
        UniqueConstraint("wrong_id"),
        Index("ix_item_correction_item", "item_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default=public_id)
    item_id: Mapped[int] = mapped_column(ForeignKey("item.id"))
    wrong_id: Mapped[int] = mapped_column(ForeignKey("item_version.id"))
    corrected_id: Mapped[int | None] = mapped_column(ForeignKey("item_version.id"))
    reason: Mapped[str]
    """Read by those who sat the item."""
    by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    at: Mapped[datetime]


class Attempt(Base):
    """One sitting. It is a try and evidence only once `closed_at` is set."""

    __tablename__ = "attempt"
    __table_args__ = (
        UniqueConstraint("quiz_id", "person_id", "number"),
        # A double click must not open two sittings.
        Index(
            "uq_attempt_open",
            "quiz_id",
            "person_id",
            unique=True,
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
        # Looked through every few seconds for those whose time is over.
        Index(
            "ix_attempt_due",
            "deadline_at",
            sqlite_where=text("closed_at IS NULL AND deadline_at IS NOT NULL"),
            postgresql_where=text("closed_at IS NULL AND deadline_at IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default=public_id)
    quiz_id: Mapped[int] = mapped_column(ForeignKey("quiz.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    number: Mapped[int]
    kuk: Mapped[list[str]]
    """What it shows: all of the curriculum at first, only what is open in a re-sit."""
    opened_at: Mapped[datetime]
    deadline_at: Mapped[datetime | None]
    """When its time is over; None where there is no limit. Moves when a pause ends."""
    closed_at: Mapped[datetime | None]
    paused_at: Mapped[datetime | None]
    """Since when its clock stands still."""


class AttemptPause(Base):
    """A pause that has ended: why a deadline is later than it was at first. Append-only."""

    __tablename__ = "attempt_pause"
    __table_args__ = (UniqueConstraint("attempt_id", "began_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    attempt_id: Mapped[int] = mapped_column(ForeignKey("attempt.id"))
    began_at: Mapped[datetime]
    ended_at: Mapped[datetime]


class ExtraTime(Base):
    """More time for one person in every quiz with a limit. Append-only: the newest counts."""

    __tablename__ = "extra_time"

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    percent: Mapped[int | None]
    """Added to the time of a quiz: 25, 50 or 100; 0 takes it back; None: no limit at all."""
    until: Mapped[date | None]
    """The last day it holds; None: until it is taken back."""
    reason: Mapped[str]
    """A few words, never about health."""
    given_by: Mapped[int] = mapped_column(ForeignKey("person.id"))
    given_at: Mapped[datetime]


class AttemptItem(Base):
    """One drawn item version, its place in the sitting and the order of its options."""

    __tablename__ = "attempt_item"
    __table_args__ = (
        UniqueConstraint("attempt_id", "position"),
        UniqueConstraint("attempt_id", "item_version_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    attempt_id: Mapped[int] = mapped_column(ForeignKey("attempt.id"))
    item_version_id: Mapped[int] = mapped_column(ForeignKey("item_version.id"), index=True)
    position: Mapped[int]
    """From 1."""
    option_order: Mapped[str]
    """For example `CADB`: the first option shown is the file's C."""


class AnswerEvent(Base):
    """What arrived about one question. Append-only: the highest seq (then id) counts.

    An event may speak of the choice, of the flag or of both; what is None it leaves as it was.
    So a flag that overtakes an answer on a bad line does not undo it.
    """

    __tablename__ = "answer_event"
    # A browser that repeats itself is one answer.
    __table_args__ = (UniqueConstraint("attempt_id", "client_key"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    attempt_id: Mapped[int] = mapped_column(ForeignKey("attempt.id"))
    attempt_item_id: Mapped[int] = mapped_column(ForeignKey("attempt_item.id"), index=True)
    client_key: Mapped[str]
    seq: Mapped[int]
    choice: Mapped[int | None]
    """Position of the chosen option as shown; None when the event says nothing of it."""
    response: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """The answer to a question of another type than a single best answer; None: says nothing."""
    flagged: Mapped[bool | None]
    """Whether to show it again before handing in; None when the event says nothing of it."""
    received_at: Mapped[datetime]


class AnswerMark(Base):
    """What somebody found who read an answer that no rule can mark. Never changed."""

    __tablename__ = "answer_mark"
    # Two who mark at once: the first one counts, the second is told.
    __table_args__ = (UniqueConstraint("attempt_item_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    attempt_item_id: Mapped[int] = mapped_column(ForeignKey("attempt_item.id"))
    level: Mapped[int]
    """0, 1 or 2."""
    passed: Mapped[bool]
    """2 on a critical KUK, at least 1 on another: as the rule was on that day."""
    note: Mapped[str]
    by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    at: Mapped[datetime]
