"""Tables of seats and nominations."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from lms.accounts import models as accounts  # noqa: F401  # tables ours point to
from lms.cohorts.models import OrganisationKind
from lms.core.db import Base, text_enum
from lms.core.ids import public_id
from lms.nominations.rules import State, Step, Why


class Seating(Base):
    """How many seats a class has and how they are given away; without a row nobody counts them.

    `free` and `loose` follow from enrolments and open invitations. They are counted again under a
    lock on this row before seats are given, and the database lets neither fall below nought.
    """

    __tablename__ = "seating"
    __table_args__ = (
        CheckConstraint("capacity > 0", name="capacity"),
        CheckConstraint("free >= 0 AND free <= capacity", name="free"),
        CheckConstraint("loose >= 0 AND loose <= capacity", name="loose"),
    )

    cohort_id: Mapped[int] = mapped_column(ForeignKey("cohort.id"), primary_key=True)
    capacity: Mapped[int]
    free: Mapped[int]
    """Seats nobody holds."""
    loose: Mapped[int]
    """Free seats that belong to no quota."""
    nominate_until: Mapped[datetime]
    """From this moment on all free seats go to the waiting list."""
    offer_hours: Mapped[int]
    """How long somebody has to answer an offer."""
    changed_by: Mapped[int] = mapped_column(ForeignKey("person.id"))
    changed_at: Mapped[datetime]


class SeatQuota(Base):
    """The seats of a class that are kept for one kind of agency up to the deadline."""

    __tablename__ = "seat_quota"
    __table_args__ = (
        CheckConstraint("seats > 0", name="seats"),
        CheckConstraint("free >= 0 AND free <= seats", name="free"),
    )

    cohort_id: Mapped[int] = mapped_column(ForeignKey("seating.cohort_id"), primary_key=True)
    kind: Mapped[OrganisationKind] = mapped_column(text_enum(OrganisationKind), primary_key=True)
    seats: Mapped[int]
    free: Mapped[int]


class Nomination(Base):
    """Somebody an agency wants to send to a class."""

    __tablename__ = "nomination"
    # One person is nominated once at a time, by whichever agency. An invitation is one offer.
    __table_args__ = (
        Index(
            "uq_nomination_live",
            "cohort_id",
            "email",
            unique=True,
            sqlite_where=text("state IN ('waiting', 'offered')"),
            postgresql_where=text("state IN ('waiting', 'offered')"),
        ),
        Index("ix_nomination_cohort", "cohort_id", "state"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default=public_id)
    cohort_id: Mapped[int] = mapped_column(ForeignKey("seating.cohort_id"))
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), index=True)
    kind: Mapped[OrganisationKind] = mapped_column(text_enum(OrganisationKind))
    """Of the organisation when it nominated; a correction there moves nobody in the line."""
    name: Mapped[str]
    email: Mapped[str]
    """Lower case."""
    letter_number: Mapped[str]
    """Number of the letter of assignment, as written on it; may be empty."""
    letter_on: Mapped[str]
    """Its date, as written on it; may be empty."""
    nominated_by: Mapped[int] = mapped_column(ForeignKey("person.id"))
    nominated_at: Mapped[datetime]
    state: Mapped[State] = mapped_column(text_enum(State))
    """Waiting, offered, or how it ended. Whether an offer is confirmed says its invitation."""
    invitation_id: Mapped[int | None] = mapped_column(ForeignKey("invitation.id"), unique=True)
    """The offer. The person is the one who accepted it."""


class NominationEvent(Base):
    """One line of the waiting list's log. Append-only."""

    __tablename__ = "nomination_event"
    __table_args__ = (Index("ix_nomination_event_cohort", "cohort_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    cohort_id: Mapped[int] = mapped_column(ForeignKey("seating.cohort_id"))
    nomination_id: Mapped[int] = mapped_column(ForeignKey("nomination.id"), index=True)
    at: Mapped[datetime]
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    """Who did it; None for the rule, and for the nominated person."""
    step: Mapped[Step] = mapped_column(text_enum(Step))
    why: Mapped[Why | None] = mapped_column(text_enum(Why))
    note: Mapped[str]
    """A trainer's reason."""
    hall: Mapped[dict[str, Any] | None]
    """How the seats stood when this one was offered: phase, capacity, quotas, held."""
