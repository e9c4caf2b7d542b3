"""Sittings whose time is over are closed here, with the answers they have."""

from datetime import datetime

from sqlalchemy import select

from lms.core.db import db, unit_of_work
from lms.quizzes import rules, services
from lms.quizzes.models import Attempt, Quiz
from lms.quizzes.sheets import AttemptRef

AT_ONCE = 200
"""Sittings one round closes; the next one goes on."""


def end(ref: AttemptRef, *, now: datetime) -> bool:
    """Close a sitting if its time is over; tell whether it was. Raises NotFound. Flushes."""
    found = db.session.execute(
        select(Attempt.deadline_at, Attempt.paused_at).where(
            Attempt.public_id == ref.public_id, Attempt.closed_at.is_(None)
        )
    ).first()
    if found is None or not rules.is_over(found.deadline_at, found.paused_at, now):
        return False
    services.submit(ref, now=now)
    return True


def sweep(now: datetime) -> int:
    """Close every sitting whose time is over and that nobody touches, each on its own."""
    due = db.session.execute(
        select(Attempt.public_id, Attempt.person_id, Quiz.curriculum_code)
        .join(Quiz, Quiz.id == Attempt.quiz_id)
        .where(
            Attempt.closed_at.is_(None),
            Attempt.paused_at.is_(None),
            Attempt.deadline_at < now - rules.SWEEP_AFTER,
        )
        .order_by(Attempt.deadline_at)
        .limit(AT_ONCE)
    ).all()
    ended = 0
    for row in due:
        with unit_of_work():
            ended += end(AttemptRef(row.public_id, row.curriculum_code, row.person_id), now=now)
    return ended
