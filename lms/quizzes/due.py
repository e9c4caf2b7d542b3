"""Sittings whose time is over. Light: the round asks here before it loads what closes them."""

from datetime import datetime

from sqlalchemy import select

from lms.core.db import db
from lms.quizzes.models import Attempt


def sittings(now: datetime) -> bool:
    """Tell whether the time of a sitting is over that nobody has closed.

    A little sooner than the round closes it: the rule leaves room for answers on their way.
    """
    query = select(Attempt.id).where(
        Attempt.closed_at.is_(None), Attempt.paused_at.is_(None), Attempt.deadline_at < now
    )
    return db.session.scalar(query.limit(1)) is not None
