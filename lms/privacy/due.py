"""Which accounts are to be deleted now. Light: the round asks here before it loads the rest."""

from datetime import datetime

from sqlalchemy import select

from lms.core.db import db
from lms.privacy.models import Deletion


def deletions(now: datetime) -> bool:
    """Tell whether the time of a deletion has come."""
    return bool(list_deletions(now, 1))


def list_deletions(now: datetime, limit: int = 50) -> list[int]:
    """Return the deletions whose time has come, oldest first."""
    due = select(Deletion.id).where(
        Deletion.undone_at.is_(None), Deletion.executed_at.is_(None), Deletion.due_at <= now
    )
    return list(db.session.scalars(due.order_by(Deletion.id).limit(limit)))
