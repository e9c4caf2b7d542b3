"""Tables that belong to no feature: the trail, the outbox, jobs, throttles, content releases."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from lms.core.db import Base, text_enum
from lms.core.ids import public_id


class AuditEvent(Base):
    """Who did what to which thing. Append-only; names no victim and holds no answer or token."""

    __tablename__ = "audit_event"
    # The administrator reads the newest first, and may follow one subject.
    __table_args__ = (Index("ix_audit_event_subject", "subject", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    """Who did it; None when the operator's command line did."""
    action: Mapped[str]
    """What was done, as `feature.verb`, for example `credentials.revoke`."""
    subject: Mapped[str]
    """The thing it was done to, as `table:id`."""
    detail: Mapped[dict[str, Any]]
    position: Mapped[int | None] = mapped_column(unique=True)
    """Its place in the chain, from 1; set when the unit of work that wrote it commits."""
    hash: Mapped[str | None]
    """Ties it to the event before it; see lms.core.chain."""


class AuditHead(Base):
    """The end of the audit chain. One row, locked by whoever appends."""

    __tablename__ = "audit_head"

    id: Mapped[int] = mapped_column(primary_key=True)
    count: Mapped[int]
    hash: Mapped[str]


class Mail(Base):
    """The outbox. The row is the truth: a message is sent when `sent_at` says so."""

    __tablename__ = "mail"
    # The sender asks for what is due; most rows are sent.
    __table_args__ = (Index("ix_mail_due", "sent_at", "due_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    to: Mapped[str]
    subject: Mapped[str]
    """Neutral: it may be read on a shared telephone."""
    body: Mapped[str]
    created_at: Mapped[datetime]
    due_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    tries: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str | None]


class Throttle(Base):
    """Failures counted against one key, for example an account or a network address."""

    __tablename__ = "throttle"

    key: Mapped[str] = mapped_column(primary_key=True)
    failures: Mapped[int]
    last_at: Mapped[datetime]


class ContentRelease(Base):
    """One successful `content load`: what the installation has taught since then."""

    __tablename__ = "content_release"

    id: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[str]
    """SHA-256 over every file that was loaded."""
    loaded_at: Mapped[datetime]
    counts: Mapped[dict[str, Any]]
    coverage: Mapped[dict[str, Any] | None] = mapped_column(deferred=True)
    """What there was for each criterion; see lms.reports.coverage. Not read unless asked for."""


class SchemaMark(Base):
    """The fingerprint of the schema as the last migration left it. One row."""

    __tablename__ = "schema_mark"

    id: Mapped[int] = mapped_column(primary_key=True)
    fingerprint: Mapped[str]


class ItemState(StrEnum):
    """How far one item of a job is."""

    TODO = "todo"
    DONE = "done"
    PROBLEM = "problem"


class Job(Base):
    """Work of many items that a worker does step by step, whoever dies meanwhile. See jobs.py."""

    __tablename__ = "job"
    __table_args__ = (
        # One open job of a kind and subject: pressed twice, the second finds the first.
        Index(
            "uq_job_open",
            "kind",
            "subject",
            unique=True,
            sqlite_where=text("finished_at IS NULL"),
            postgresql_where=text("finished_at IS NULL"),
        ),
        # The worker asks every second what is open; nearly all jobs are finished.
        Index("ix_job_finished", "finished_at", "lease_until"),
        Index("ix_job_subject", "kind", "subject", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default=public_id)
    kind: Mapped[str]
    """Names the handler, for example `certificates.issue`."""
    subject: Mapped[str]
    """The thing it is about, as `table:id` or finer."""
    detail: Mapped[dict[str, Any]]
    """What the handler needs beside the item. JSON without names or secrets."""
    created_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    created_at: Mapped[datetime]
    lease_until: Mapped[datetime]
    """Until then it belongs to `leased_by`; a worker that died lets it pass."""
    leased_by: Mapped[str] = mapped_column(default="")
    tries: Mapped[int] = mapped_column(default=0)
    """How often it was taken since an item was last settled."""
    finished_at: Mapped[datetime | None]
    stopped_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    """Who ended it before every item was settled."""


class JobItem(Base):
    """One item of a job. Settled in the transaction that holds what it made."""

    __tablename__ = "job_item"
    __table_args__ = (
        UniqueConstraint("job_id", "subject"),
        Index("ix_job_item_state", "job_id", "state", "position"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    job_id: Mapped[int] = mapped_column(ForeignKey("job.id"))
    position: Mapped[int]
    subject: Mapped[str]
    """What it is about, in the words of the handler, for example the id of a decision."""
    state: Mapped[ItemState] = mapped_column(text_enum(ItemState))
    problem: Mapped[str] = mapped_column(default="")
    """The refusal it ended with, as the name of its class; empty when there was none."""
    detail: Mapped[str] = mapped_column(default="")
    at: Mapped[datetime | None]
    """When it was settled."""
