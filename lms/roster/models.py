"""Tables of bringing people in: one batch a sheet, one row a person, until they are settled."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from lms.accounts import models as accounts  # noqa: F401  # tables ours point to
from lms.cohorts.models import OrganisationKind
from lms.core.db import Base, text_enum
from lms.core.ids import public_id
from lms.roster.rules import Problem


class Way(StrEnum):
    """What becomes of the people of a batch."""

    INVITE = "invite"
    NOMINATE = "nominate"


class State(StrEnum):
    """How far a batch is. It leaves DRAFT once, whoever clicks how often."""

    DRAFT = "draft"
    CONFIRMED = "confirmed"
    UNDONE = "undone"


class Outcome(StrEnum):
    """What became of a row when its batch was confirmed."""

    INVITED = "invited"
    OFFERED = "offered"
    """Nominated, and a seat was free: the invitation went out."""
    WAITING = "waiting"
    """Nominated, on the waiting list."""
    LEFT = "left"
    """Nothing was sent; `problem` says why, or the row was skipped."""


class RosterBatch(Base):
    """People read from one sheet for one class. Nothing of the sheet but these rows is kept."""

    __tablename__ = "roster_batch"
    # The round that clears up asks for drafts and for old batches with rows.
    __table_args__ = (Index("ix_roster_batch_state", "state", "expires_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default=public_id)
    way: Mapped[Way] = mapped_column(text_enum(Way))
    cohort_id: Mapped[int] = mapped_column(ForeignKey("cohort.id"), index=True)
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"))
    """The agency that nominates; None when people are invited."""
    source: Mapped[str]
    """The name of the file; empty for pasted rows."""
    ignored: Mapped[list[str]]
    """Headings of columns that were not kept."""
    secret: Mapped[list[str]]
    """Headings of columns that looked like identity numbers; dropped unread."""
    scrubbed: Mapped[int]
    """How many cells held a long number that was dropped."""
    created_by: Mapped[int] = mapped_column(ForeignKey("person.id"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    """A draft is deleted then; a confirmed batch can be undone until then."""
    state: Mapped[State] = mapped_column(text_enum(State))
    confirmed_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    confirmed_at: Mapped[datetime | None]
    undone_at: Mapped[datetime | None]
    cleared_at: Mapped[datetime | None]
    """When the rows were deleted; the numbers stay."""
    counts: Mapped[dict[str, int]]
    """How many rows had which outcome, from the confirmation on."""


class RosterRow(Base):
    """One person of a batch, as read and corrected."""

    __tablename__ = "roster_row"
    # A row of the sheet stands in its batch once.
    __table_args__ = (UniqueConstraint("batch_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    batch_id: Mapped[int] = mapped_column(ForeignKey("roster_batch.id"))
    number: Mapped[int]
    """The row's number in the sheet, from 1."""
    name: Mapped[str]
    email: Mapped[str]
    """Lower case."""
    organisation_text: Mapped[str]
    """What the sheet says."""
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"))
    """What somebody chose; None while the text speaks for itself."""
    new_kind: Mapped[OrganisationKind | None] = mapped_column(text_enum(OrganisationKind))
    """Make a new organisation of the text, of this kind."""
    scrubbed: Mapped[bool]
    """Whether a long number was dropped from this row."""
    skipped: Mapped[bool]
    outcome: Mapped[Outcome | None] = mapped_column(text_enum(Outcome))
    problem: Mapped[Problem | None] = mapped_column(text_enum(Problem))
    """Why nothing was sent."""
    invitation_id: Mapped[int | None] = mapped_column(ForeignKey("invitation.id"))
    nomination: Mapped[str | None]
    """The public id of the nomination it became."""
