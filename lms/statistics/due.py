"""Which quiz is to be counted again. Light: the round asks here before it loads what counts."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, func, select

from lms.core.db import db
from lms.quizzes.models import Attempt, Quiz
from lms.statistics.models import QuizFigures

COUNTED_EVERY = timedelta(hours=1)
"""A quiz is counted again after so long, when sittings were handed in since."""

FIRST: ColumnElement[bool] = and_(Attempt.number == 1, Attempt.closed_at.is_not(None))
"""First sittings show the whole quiz; later ones only what is open, to those it is open for."""


def items(now: datetime) -> bool:
    """Tell whether a quiz is to be counted."""
    return next_quiz(now) is not None


def next_quiz(now: datetime) -> int | None:
    """Return the quiz whose figures are oldest, of those with sittings that are not in them."""
    stored = {
        row.quiz_id: row
        for row in db.session.execute(
            select(QuizFigures.quiz_id, QuizFigures.sittings, QuizFigures.computed_at)
        )
    }
    due = []
    for quiz_id, count in count_sittings().items():
        old = stored.get(quiz_id)
        if old is None:
            return quiz_id
        if old.sittings != count and now - old.computed_at >= COUNTED_EVERY:
            due.append((old.computed_at, quiz_id))
    return min(due)[1] if due else None


def count_sittings() -> dict[int, int]:
    """Return how many sittings of each quiz of a curriculum are counted."""
    rows = db.session.execute(
        select(Attempt.quiz_id, func.count())
        .join(Quiz, Quiz.id == Attempt.quiz_id)
        .where(FIRST, Quiz.for_class.is_(False))
        .group_by(Attempt.quiz_id)
    )
    return {quiz_id: count for quiz_id, count in rows}
