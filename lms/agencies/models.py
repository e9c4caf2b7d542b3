"""Tables of agencies: who is on duty, who serves where, and what officers ask about papers."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from lms.accounts import models as accounts  # noqa: F401  # tables ours point to
from lms.agencies.rules import Outcome, Stage
from lms.cohorts import models as cohorts  # noqa: F401  # tables ours point to
from lms.core.db import Base, text_enum
from lms.core.ids import public_id
from lms.credentials import models as credentials  # noqa: F401  # tables ours point to


class ComplaintKind(StrEnum):
    """What a complaint is about."""

    CONDUCT = "conduct"
    """What the holder does or says in this work."""
    DOUBTED = "doubted"
    """Whether the paper is what it seems."""
    DATA = "data"
    """Something on the paper is wrong."""


class Duty(Base):
    """Somebody of an agency is on duty for one shift."""

    __tablename__ = "duty"
    # Nobody is put down twice, however many officers save the same week at once.
    __table_args__ = (UniqueConstraint("organisation_id", "begins_at", "person_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    begins_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    noted_by: Mapped[int] = mapped_column(ForeignKey("person.id"))


class Village(Base):
    """A kelurahan, or another area of service, of one city."""

    __tablename__ = "village"
    # One list a city, whoever pastes it.
    __table_args__ = (UniqueConstraint("city", "normal"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default=public_id)
    city: Mapped[str]
    """In small letters, as cities are compared."""
    name: Mapped[str]
    normal: Mapped[str]
    """The name as it is compared."""
    created_at: Mapped[datetime]


class ServiceArea(Base):
    """Somebody serves a village."""

    __tablename__ = "service_area"

    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True)
    village_id: Mapped[int] = mapped_column(ForeignKey("village.id"), primary_key=True, index=True)
    noted_by: Mapped[int] = mapped_column(ForeignKey("person.id"))


class CoverageTarget(Base):
    """How many people with a valid certificate of a level an agency wants in a village."""

    __tablename__ = "coverage_target"

    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), primary_key=True)
    village_id: Mapped[int] = mapped_column(ForeignKey("village.id"), primary_key=True)
    scheme_code: Mapped[str] = mapped_column(primary_key=True)
    wanted: Mapped[int]


class Complaint(Base):
    """An officer complains about a certificate, or asks to revoke it."""

    __tablename__ = "complaint"
    __table_args__ = (
        # An agency asks once about a paper until that is settled.
        Index(
            "uq_complaint_open",
            "certificate_id",
            "organisation_id",
            unique=True,
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
        Index("ix_complaint_organisation", "organisation_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default=public_id)
    certificate_id: Mapped[int] = mapped_column(ForeignKey("certificate.id"))
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    kind: Mapped[ComplaintKind] = mapped_column(text_enum(ComplaintKind))
    text: Mapped[str]
    at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    """When it was decided; the steps say how."""


class ComplaintStep(Base):
    """One step of a complaint: who did what when. Append-only; the last one is its stage."""

    __tablename__ = "complaint_step"
    # Two people who act at once make one step; the second reads what the first did.
    __table_args__ = (UniqueConstraint("complaint_id", "position"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    complaint_id: Mapped[int] = mapped_column(ForeignKey("complaint.id"))
    position: Mapped[int]
    stage: Mapped[Stage] = mapped_column(text_enum(Stage))
    outcome: Mapped[Outcome | None] = mapped_column(text_enum(Outcome))
    """What is proposed or decided."""
    by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    at: Mapped[datetime]
    note: Mapped[str]
