"""Tables of simulations: versions of the story, runs through it, steps of a run."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from lms.accounts import models as accounts  # noqa: F401  # tables ours point to
from lms.core.db import Base, text_enum
from lms.core.ids import public_id
from lms.practice.simulations.rules import RunOutcome


class SimulationVersion(Base):
    """One text of one variant of a simulation. Immutable; the newest row is played.

    A text that comes back after another one is a new row: only so is it the newest again.
    """

    __tablename__ = "simulation_version"
    __table_args__ = (Index("ix_simulation_version_code", "code", "variant"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str]
    variant: Mapped[str]
    digest: Mapped[str]
    title: Mapped[str]
    title_en: Mapped[str]
    document: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]


class SimulationRun(Base):
    """One way through. Graded runs are evidence once finished; practice never is."""

    __tablename__ = "simulation_run"
    __table_args__ = (
        # One open run per simulation and purpose: two tabs play the same one.
        Index(
            "uq_simulation_run_open",
            "person_id",
            "code",
            "graded",
            unique=True,
            sqlite_where=text("finished_at IS NULL"),
            postgresql_where=text("finished_at IS NULL"),
        ),
        Index("ix_simulation_run_person", "person_id", "code"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default=public_id)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    simulation_version_id: Mapped[int] = mapped_column(ForeignKey("simulation_version.id"))
    code: Mapped[str]
    graded: Mapped[bool]
    scored_kuk: Mapped[list[str]]
    """KUK this run scores: those whose lessons were done when it began. Empty in practice."""
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    outcome: Mapped[RunOutcome | None] = mapped_column(text_enum(RunOutcome))


class SimulationStep(Base):
    """One choice of a run. Append-only."""

    __tablename__ = "simulation_step"
    # A double click is one step.
    __table_args__ = (UniqueConstraint("run_id", "position"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("simulation_run.id"))
    position: Mapped[int]
    """From 1."""
    node: Mapped[str]
    choice: Mapped[str]
    at: Mapped[datetime]
