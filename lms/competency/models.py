"""Tables of the standard and of the evidence ledger. Facts only: verdicts are derived."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from lms.accounts import models as accounts  # noqa: F401  # tables ours point to
from lms.cohorts import models as cohorts  # noqa: F401  # tables ours point to
from lms.competency.kinds import EvidenceKind
from lms.core.db import Base, text_enum


class StandardVersion(Base):
    """One text of the standard. Immutable; the newest row is the current one."""

    __tablename__ = "standard_version"
    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[str]
    digest: Mapped[str]
    document: Mapped[dict[str, Any]]
    loaded_at: Mapped[datetime]
    adopted_at: Mapped[datetime | None]
    """When the installation adopted it; until then it is a draft and papers say so."""


class Evidence(Base):
    """One fact about one person and one KUK. Append-only: see EvidenceVoid.

    Source: decision-rules 1. What the columns mean per kind:
    Q:   source = curriculum, group = attempt, ref = item version, passed
         (ref = version/moderasi, and mark, where a third person decided about an essay)
    SK:  source = case, group = submission, ref = "", mark
         (ref = moderasi or banding-<appeal> for a mark that replaces an earlier one)
    SIM: source = simulation, group = run, ref = node, passed, harmful for the whole run
    OBS: source = station, group = round, ref = station/variant, mark, harmful per station
         (ref = station/variant/act for the row of a harmful act that came after the mark,
         station/variant/moderasi or …/banding-<appeal> for a mark that replaces an earlier one)
    REF: source = lesson, group = lesson, passed (done or skipped with the trainer)
    HDR: source = in-person lesson, group = cohort, kuk = "", ref = lesson/count, passed (present)
    """

    __tablename__ = "evidence"
    __table_args__ = (
        # The same fact arrives once, even when the request that states it is repeated.
        UniqueConstraint("person_id", "kind", "group_key", "kuk", "ref"),
        # Verdicts read all rows of one person, or of the people of one class.
        Index("ix_evidence_person", "person_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    standard_version_id: Mapped[int] = mapped_column(ForeignKey("standard_version.id"))
    kind: Mapped[EvidenceKind] = mapped_column(text_enum(EvidenceKind))
    kuk: Mapped[str]
    source: Mapped[str]
    group_key: Mapped[str]
    ref: Mapped[str]
    passed: Mapped[bool | None]
    mark: Mapped[int | None]
    """0 Belum aman, 1 Aman dengan bimbingan, 2 Aman mandiri."""
    harmful: Mapped[bool] = mapped_column(default=False)
    replaces_id: Mapped[int | None] = mapped_column(ForeignKey("evidence.id"))
    """A repeat station names the mark it replaces."""
    assessor_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    raters: Mapped[int] = mapped_column(default=1, server_default="1")
    """How many assessors marked it blind to each other; what each gave is in lms.ratings."""
    note: Mapped[str] = mapped_column(default="")
    is_valid: Mapped[bool | None]
    """What the assessor said of its quality; None where nobody was asked. See qualities.py."""
    is_authentic: Mapped[bool | None]
    is_current: Mapped[bool | None]
    is_sufficient: Mapped[bool | None]
    happened_at: Mapped[datetime]
    recorded_at: Mapped[datetime]


class EvidenceVoid(Base):
    """A row that no longer counts, and why. The row itself stays. Source: decision-rules 2."""

    __tablename__ = "evidence_void"

    id: Mapped[int] = mapped_column(primary_key=True)
    evidence_id: Mapped[int] = mapped_column(ForeignKey("evidence.id"), unique=True)
    reason: Mapped[str]
    by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    at: Mapped[datetime]


class Coaching(Base):
    """A trainer's guidance after three tries; it opens the next try. Source: decision-rules 7."""

    __tablename__ = "coaching"
    __table_args__ = (Index("ix_coaching_person", "person_id", "kind", "source"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    kind: Mapped[EvidenceKind] = mapped_column(text_enum(EvidenceKind))
    source: Mapped[str]
    """Curriculum, simulation, case or station the tries were made at."""
    note: Mapped[str]
    trainer_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    at: Mapped[datetime]


class StandingSummary(Base):
    """How one person stands, in few figures. A derived cache: the ledger is the truth.

    Owner: lms.competency.summaries. Whoever appends to the ledger counts `changes` up and sets
    `dirty` in the same transaction; a round brings the row up to date again.
    """

    __tablename__ = "standing_summary"
    # The round asks for what is behind: rows marked, and rows whose time is over.
    __table_args__ = (
        Index("ix_standing_summary_dirty", "dirty"),
        Index("ix_standing_summary_holds_until", "holds_until"),
    )

    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True)
    standard_version_id: Mapped[int | None] = mapped_column(ForeignKey("standard_version.id"))
    """The standard it was judged by; None before the first time."""
    units: Mapped[dict[str, Any]]
    """Unit to [criteria reached, criteria in all, critical ones open]."""
    gates: Mapped[dict[str, Any]]
    """The other parts of rules.Standing."""
    reached: Mapped[int] = mapped_column(default=0)
    total: Mapped[int] = mapped_column(default=0)
    rows: Mapped[int] = mapped_column(default=0)
    """Rows of the ledger it was made from, and …"""
    voids: Mapped[int] = mapped_column(default=0)
    """… how many of them were voided."""
    computed_at: Mapped[datetime | None]
    holds_until: Mapped[datetime | None]
    """When time alone may change a verdict: evidence grows too old."""
    changes: Mapped[int] = mapped_column(default=0)
    """Counts every change of the ledger: who computed from an older count writes nothing."""
    dirty: Mapped[bool] = mapped_column(default=True)


class ClassOverview(Base):
    """A whole class in figures, as counted at `computed_at`. A derived cache.

    Owner: lms.competency.overviews; the round of the reports fills it.
    """

    __tablename__ = "class_overview"

    cohort_id: Mapped[int] = mapped_column(ForeignKey("cohort.id"), primary_key=True)
    people: Mapped[int]
    stuck: Mapped[dict[str, Any]]
    """First reason to how many people wait for it."""
    ready: Mapped[int]
    """People for whom a decision may be taken."""
    not_yet: Mapped[dict[str, Any]]
    """KUK to how many people tried it and have not reached it."""
    themes: Mapped[list[dict[str, Any]]]
    """KUK of wrong quiz answers: see lms.reports.themes."""
    answers: Mapped[str]
    """Which handed-in sittings the themes were made from."""
    computed_at: Mapped[datetime]


class ClassLine(Base):
    """One person of a class, as far as a list of many is ordered by it. A derived cache.

    Owner: lms.competency.overviews; the round of the reports fills it.
    """

    __tablename__ = "class_line"

    cohort_id: Mapped[int] = mapped_column(ForeignKey("cohort.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True, index=True)
    pressing: Mapped[int]
    """Rank of the first reason why somebody may be stuck; 0 presses most."""
    reached: Mapped[int]
    ready: Mapped[bool]
    last_seen: Mapped[datetime | None]


class Baseline(Base):
    """How many criteria one person had reached when a class began. A derived cache.

    Owner: lms.competency.baselines. It holds as long as the ledger has not changed since, as
    StandingSummary.changes tells.
    """

    __tablename__ = "baseline"

    cohort_id: Mapped[int] = mapped_column(ForeignKey("cohort.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True, index=True)
    began_at: Mapped[datetime]
    standard_version_id: Mapped[int] = mapped_column(ForeignKey("standard_version.id"))
    changes: Mapped[int]
    """StandingSummary.changes when the ledger was read."""
    reached: Mapped[int | None]
    """None where there was no evidence yet."""
