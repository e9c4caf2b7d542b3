"""Which sheets have run out. Light: the round asks here before it loads what clears them."""

from datetime import datetime

from sqlalchemy import ColumnElement, and_, or_, select

from lms.core.db import db
from lms.roster import rules
from lms.roster.models import RosterBatch, State


def sheets(now: datetime) -> bool:
    """Tell whether there is a sheet to clear."""
    query = select(RosterBatch.id).where(or_(lapsed(now), old(now))).limit(1)
    return db.session.scalar(query) is not None


def lapsed(now: datetime) -> ColumnElement[bool]:
    """Return the condition of drafts nobody confirmed in time."""
    return and_(RosterBatch.state == State.DRAFT, RosterBatch.expires_at <= now)


def old(now: datetime) -> ColumnElement[bool]:
    """Return the condition of batches settled so long ago that their rows go."""
    return and_(
        RosterBatch.state != State.DRAFT,
        RosterBatch.confirmed_at <= now - rules.ROWS_LIFE,
        RosterBatch.cleared_at.is_(None),
    )
