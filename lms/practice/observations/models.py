"""Tables of the final observation test: stations, rounds, marks."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from lms.accounts import models as accounts  # noqa: F401  # tables ours point to
from lms.cohorts import models as cohorts  # noqa: F401  # tables ours point to
from lms.core.db import Base
from lms.core.ids import public_id


class StationVersion(Base):
    """One text of a station. Immutable; the newest is used."""

    __tablename__ = "station_version"
    __table_args__ = (UniqueConstraint("code", "digest"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str]
    curriculum_code: Mapped[str]
    digest: Mapped[str]
    title: Mapped[str]
    title_en: Mapped[str]
    document: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]


class ObservationRound(Base):
    """One person's sitting of the test in one class. A repeat station belongs to its round."""

    __tablename__ = "observation_round"
    __table_args__ = (UniqueConstraint("person_id", "cohort_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default=public_id)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    cohort_id: Mapped[int] = mapped_column(ForeignKey("cohort.id"), index=True)
    number: Mapped[int]
    opened_at: Mapped[datetime]


class ObservationMark(Base):
    """What one assessor saw of one KUK at one station. Append-only."""

    __tablename__ = "observation_mark"
    __table_args__ = (UniqueConstraint("round_id", "station_code", "variant", "kuk"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    round_id: Mapped[int] = mapped_column(ForeignKey("observation_round.id"))
    station_code: Mapped[str]
    variant: Mapped[str]
    """A first, B after feedback."""
    kuk: Mapped[str]
    """Empty in the one row that says a harmful act ended this try."""
    mark: Mapped[int]
    note: Mapped[str]
    harmful_act: Mapped[str]
    """H1 … H8, or empty."""
    assessor_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    observed_at: Mapped[datetime]
