"""Tables of corrections: what marking a closed sitting again did. The ledger is the truth."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from lms.accounts import models as accounts  # noqa: F401  # tables ours point to
from lms.core.db import Base
from lms.quizzes import models as quizzes  # noqa: F401  # tables ours point to


class Rescore(Base):
    """One closed sitting that was marked again by a corrected key, and what it changed."""

    __tablename__ = "rescore"
    __table_args__ = (
        # A worker that begins again finds what is done.
        UniqueConstraint("correction_id", "attempt_id"),
        # The list of people whose verdict changed.
        Index("ix_rescore_changed", "correction_id", "changed", "id"),
        Index("ix_rescore_person", "person_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    correction_id: Mapped[int] = mapped_column(ForeignKey("item_correction.id"))
    attempt_id: Mapped[int] = mapped_column(ForeignKey("attempt.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    was_right: Mapped[bool | None]
    """None: the item did not count in this sitting, so nothing was done."""
    is_right: Mapped[bool | None]
    """None: it counts no more."""
    before: Mapped[dict[str, Any]]
    """See rules.Picture; empty where the mark stayed."""
    after: Mapped[dict[str, Any]]
    changed: Mapped[bool]
    """Whether a verdict reads otherwise now."""
    certificates: Mapped[int]
    """Certificates of the person that were listed to be looked at."""
    at: Mapped[datetime]
