"""Tables of privacy."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from lms.accounts import models as accounts  # noqa: F401  # tables ours point to
from lms.core.db import Base, text_enum
from lms.core.ids import public_id


class Answer(StrEnum):
    """What somebody said to a notice."""

    GIVEN = "given"
    WITHDRAWN = "withdrawn"


class Way(StrEnum):
    """How a deletion came about."""

    ASKED = "asked"
    WITHDRAWN = "withdrawn"
    """Consent was taken back: the account closes at once."""
    WRITTEN = "written"
    """An administrator acts on a written request."""


class Consent(Base):
    """Somebody agreed to a notice, or took that back. Append-only; the last row counts."""

    __tablename__ = "consent"
    __table_args__ = (Index("ix_consent_person", "person_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    kind: Mapped[Answer] = mapped_column(text_enum(Answer))
    version: Mapped[int]
    """Of the notice."""
    digest: Mapped[str]
    """SHA-256 of the notice in both languages."""
    place: Mapped[str]
    """Where: `invitation`, `sign-in` or `account`."""
    at: Mapped[datetime]


class Deletion(Base):
    """An account is to be deleted. It can be undone until it is due, then a round does it."""

    __tablename__ = "deletion"
    __table_args__ = (
        # Asked for twice at once, there is one.
        Index(
            "uq_deletion_open",
            "person_id",
            unique=True,
            sqlite_where=text("undone_at IS NULL AND executed_at IS NULL"),
            postgresql_where=text("undone_at IS NULL AND executed_at IS NULL"),
        ),
        Index("ix_deletion_due", "executed_at", "due_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default=public_id)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    way: Mapped[Way] = mapped_column(text_enum(Way))
    token_hash: Mapped[str] = mapped_column(unique=True)
    """Of the link in the mail that undoes it."""
    asked_by: Mapped[int] = mapped_column(ForeignKey("person.id"))
    asked_at: Mapped[datetime]
    due_at: Mapped[datetime]
    undone_at: Mapped[datetime | None]
    executed_at: Mapped[datetime | None]


class RetentionTimer(Base):
    """What an installation changed about a timer, and when it last ran. See rules.TIMERS."""

    __tablename__ = "retention_timer"

    name: Mapped[str] = mapped_column(primary_key=True)
    days: Mapped[int | None]
    """None: the default."""
    changed_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    changed_at: Mapped[datetime | None]
    ran_at: Mapped[datetime | None]
    removed: Mapped[int] = mapped_column(default=0)
    """Rows the last run that found any has cleared."""


class Incident(Base):
    """Something went wrong with personal data. Holds nobody's data, only what is being done."""

    __tablename__ = "incident"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default=public_id)
    what: Mapped[str]
    known_at: Mapped[datetime]
    """When it became known: the clock runs from here."""
    opened_by: Mapped[int] = mapped_column(ForeignKey("person.id"))
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]


class IncidentStep(Base):
    """One thing that was done about an incident. Append-only."""

    __tablename__ = "incident_step"
    __table_args__ = (Index("ix_incident_step_incident", "incident_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incident.id"))
    step: Mapped[str]
    """One of `rules.STEPS`."""
    note: Mapped[str]
    by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    at: Mapped[datetime]
