"""Which previews have run out. Light: the round asks here before it loads what clears them."""

from datetime import datetime

from sqlalchemy import ColumnElement, and_, select

from lms.core.db import db
from lms.quizzes.collections.models import ImportState, QuestionImport


def files(now: datetime) -> bool:
    """Tell whether there is a preview to delete."""
    return db.session.scalar(select(QuestionImport.id).where(lapsed(now)).limit(1)) is not None


def lapsed(now: datetime) -> ColumnElement[bool]:
    """Return the condition of previews nobody confirmed in time."""
    return and_(QuestionImport.state == ImportState.DRAFT, QuestionImport.expires_at <= now)
