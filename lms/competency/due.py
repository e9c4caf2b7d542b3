"""What is stored of ledgers and is behind them. Light: a round asks before it loads the rest."""

from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, or_, select

from lms.competency.models import Baseline, StandardVersion, StandingSummary
from lms.core.db import db

NEWEST = (
    select(StandardVersion.id, StandardVersion.digest, StandardVersion.adopted_at)
    .order_by(StandardVersion.id.desc())
    .limit(1)
)
"""The standard that decides. Asked by most requests: to put it together costs more than to run."""

NEVER = -1
"""What stands for StandingSummary.changes of people whose ledger never changed: 0 is the first."""
CHANGES: ColumnElement[int] = func.coalesce(StandingSummary.changes, NEVER)


def newest_standard() -> int | None:
    """Return the id of the standard that decides, if one is loaded. One query."""
    row = db.session.connection().execute(NEWEST).first()
    return row.id if row else None


def is_summary_behind(standard_id: int, now: datetime) -> ColumnElement[bool]:
    """Return the condition under which a stored standing is to be judged again."""
    # Not simply "not fresh": what is unknown in SQL is neither, and each part has its index.
    table = StandingSummary
    return or_(
        table.dirty,
        table.standard_version_id.is_(None),
        table.standard_version_id != standard_id,
        table.computed_at > now,
        table.holds_until <= now,
    )


def has_summaries(standard_id: int, now: datetime) -> bool:
    """Tell whether the stored standing of anybody is behind. One query."""
    behind = select(StandingSummary.person_id).where(is_summary_behind(standard_id, now))
    return db.session.scalar(behind.limit(1)) is not None


def holds(standard_id: int) -> ColumnElement[bool]:
    """Return the condition under which a stored baseline, joined with the summary, still holds.

    That it is of the moment the class began is another.
    """
    return and_(Baseline.standard_version_id == standard_id, Baseline.changes == CHANGES)
