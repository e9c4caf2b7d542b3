"""Tables of attendance."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from lms.accounts import models as accounts  # noqa: F401  # tables ours point to
from lms.cohorts import models as cohorts  # noqa: F401  # tables ours point to
from lms.core.db import Base, text_enum
from lms.practice.attendance.rules import Presence

__all__ = ["Attendance", "Opening", "Presence", "Way"]


class Way(StrEnum):
    """How a note came into the list."""

    LIST = "list"
    """A trainer noted it on the screen."""
    CODE = "code"
    """The person showed the code of the moment."""
    SHEET = "sheet"
    """Keyed in from the signed paper."""
    DOOR = "door"
    """Noted when somebody came without a seat and was given one."""


class Attendance(Base):
    """One note in the attendance list. Append-only: the newest row of a half day counts."""

    __tablename__ = "attendance"
    __table_args__ = (
        Index("ix_attendance_cohort", "cohort_id", "day", "half"),
        # Reports and the list ask for the newest note of each person and half day.
        Index("ix_attendance_newest", "cohort_id", "person_id", "day", "half", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    cohort_id: Mapped[int] = mapped_column(ForeignKey("cohort.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    day: Mapped[int]
    half: Mapped[str]
    presence: Mapped[Presence] = mapped_column(text_enum(Presence))
    minutes: Mapped[int | None]
    """Of a part: how many minutes."""
    note: Mapped[str] = mapped_column(default="", server_default="")
    """Of a part: which session. Of another class: its name and the reason, where it is typed."""
    made_up_in_id: Mapped[int | None] = mapped_column(ForeignKey("cohort.id"))
    way: Mapped[Way] = mapped_column(text_enum(Way), default=Way.LIST, server_default="list")
    device_hash: Mapped[str | None]
    """Of a note by code: which browser, so that one telephone for many people is seen."""
    recorded_by: Mapped[int] = mapped_column(ForeignKey("person.id"))
    recorded_at: Mapped[datetime]


class Opening(Base):
    """People may note themselves in this half day by the code on the screen."""

    __tablename__ = "attendance_opening"

    cohort_id: Mapped[int] = mapped_column(ForeignKey("cohort.id"), primary_key=True)
    day: Mapped[int] = mapped_column(primary_key=True)
    half: Mapped[str] = mapped_column(primary_key=True)
    begins_at: Mapped[datetime]
    late_after: Mapped[int]
    """Minutes after the beginning until which somebody is on time."""
    opened_by: Mapped[int] = mapped_column(ForeignKey("person.id"))
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
