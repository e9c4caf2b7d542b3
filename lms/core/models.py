"""Tables that belong to no feature: the audit trail, the outbox, throttles, content releases."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from lms.core.db import Base


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


class SchemaMark(Base):
    """The fingerprint of the schema as the last migration left it. One row."""

    __tablename__ = "schema_mark"

    id: Mapped[int] = mapped_column(primary_key=True)
    fingerprint: Mapped[str]
