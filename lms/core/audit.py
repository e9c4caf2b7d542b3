"""The audit trail: one line for each thing that changes somebody's rights or results."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select

from lms.core.db import db
from lms.core.models import AuditEvent


def record(
    action: str, subject: str, *, actor_id: int | None, now: datetime, **detail: object
) -> None:
    """Append one event. `subject` is `table:id`; `detail` must be JSON and hold no secret."""
    db.session.add(
        AuditEvent(at=now, actor_id=actor_id, action=action, subject=subject, detail=detail)
    )


def list_events(
    *, before: int | None = None, action: str = "", subject: str = "", limit: int = 50
) -> Sequence[AuditEvent]:
    """Return events, newest first; `before` is the id the previous page ended at.

    `action` is the beginning of an action (`cohorts.`), `subject` the whole of one (`person:7`).
    """
    query = select(AuditEvent).order_by(AuditEvent.id.desc()).limit(limit)
    if before is not None:
        query = query.where(AuditEvent.id < before)
    if action:
        query = query.where(AuditEvent.action.startswith(action, autoescape=True))
    if subject:
        query = query.where(AuditEvent.subject == subject)
    return db.session.scalars(query).all()
