"""The table of item statistics: what was counted of each quiz."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from lms.core.db import Base
from lms.quizzes import models as quizzes  # noqa: F401  # tables ours point to


class QuizFigures(Base):
    """A quiz and its items in figures, of all classes together. A derived cache."""

    __tablename__ = "quiz_figures"

    quiz_id: Mapped[int] = mapped_column(ForeignKey("quiz.id"), primary_key=True)
    sittings: Mapped[int]
    """First sittings that were handed in when it was counted."""
    whole: Mapped[dict[str, Any]]
    """See pooling.Whole."""
    items: Mapped[list[dict[str, Any]]]
    """One entry for each wording that was shown; see pooling.Figures."""
    computed_at: Mapped[datetime]
