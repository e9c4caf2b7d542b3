"""Table of attendance."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from lms.core.db import Base, text_enum


class Presence(StrEnum):
    """How somebody attended one half day."""

    PRESENT = "present"
    LATE = "late"
    ABSENT = "absent"
    MADE_UP = "made_up"
    """Attended the same part in another class."""

    @property
    def counts(self) -> bool:
        """Tell whether it is attendance. Source: decision-rules 1, HDR."""
        return self is not Presence.ABSENT


class Attendance(Base):
    """One note in the attendance list. Append-only: the newest row of a half day counts."""

    __tablename__ = "attendance"
    __table_args__ = (Index("ix_attendance_cohort", "cohort_id", "day", "half"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    cohort_id: Mapped[int] = mapped_column(ForeignKey("cohort.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    day: Mapped[int]
    half: Mapped[str]
    presence: Mapped[Presence] = mapped_column(text_enum(Presence))
    recorded_by: Mapped[int] = mapped_column(ForeignKey("person.id"))
    recorded_at: Mapped[datetime]
