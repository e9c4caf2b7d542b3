"""Tables of standard-setting rooms: what was rated, by whom, and the result that was signed."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from lms.accounts import models as accounts  # noqa: F401  # tables ours point to
from lms.competency import models as competency  # noqa: F401  # tables ours point to
from lms.core.db import Base, text_enum
from lms.core.ids import public_id
from lms.panels.rules import Choice, Stage
from lms.quizzes import models as quizzes  # noqa: F401  # tables ours point to


class PanelRoom(Base):
    """A panel that sets the cut of one curriculum's quiz under one version of the standard."""

    __tablename__ = "panel_room"
    __table_args__ = (
        # Two panels at once about the same bank would compete for one cut.
        Index(
            "uq_panel_room_open",
            "curriculum_code",
            unique=True,
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default=public_id)
    curriculum_code: Mapped[str]
    standard_version_id: Mapped[int] = mapped_column(ForeignKey("standard_version.id"))
    person: Mapped[str]
    """Who is only just good enough, in words: nobody in particular."""
    stage: Mapped[Stage] = mapped_column(text_enum(Stage))
    chair_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    opened_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    """When it was closed with a result, or stopped without one."""
    ended_why: Mapped[str] = mapped_column(default="")
    """Why it was stopped."""


class PanelItem(Base):
    """One wording the panel rates. The list is frozen when the room opens."""

    __tablename__ = "panel_item"
    __table_args__ = (
        UniqueConstraint("room_id", "position"),
        UniqueConstraint("room_id", "item_version_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    room_id: Mapped[int] = mapped_column(ForeignKey("panel_room.id"))
    item_version_id: Mapped[int] = mapped_column(ForeignKey("item_version.id"))
    position: Mapped[int]
    """From 1; training items come first."""
    training: Mapped[bool]
    """To get used to rating: it counts for nothing."""


class PanelMember(Base):
    """Somebody who rates in a room."""

    __tablename__ = "panel_member"
    __table_args__ = (
        UniqueConstraint("room_id", "person_id"),
        UniqueConstraint("room_id", "label"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    room_id: Mapped[int] = mapped_column(ForeignKey("panel_room.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    invited_by: Mapped[int] = mapped_column(ForeignKey("person.id"))
    invited_at: Mapped[datetime]
    first_done_at: Mapped[datetime | None]
    """When they said that the first round is finished, and …"""
    second_done_at: Mapped[datetime | None]
    """… the second."""
    label: Mapped[int | None]
    """Their number in papers, drawn by lot: papers name no rating's owner. Set with the result;
    None of somebody who did not rate every item."""


class PanelRating(Base):
    """What a panellist holds to be the probability that the borderline person answers right."""

    __tablename__ = "panel_rating"
    # A browser that repeats itself, or two tabs, leave one rating: the newest.
    __table_args__ = (UniqueConstraint("member_id", "item_id", "round"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("panel_member.id"))
    item_id: Mapped[int] = mapped_column(ForeignKey("panel_item.id"), index=True)
    round: Mapped[int]
    percent: Mapped[int]
    seq: Mapped[int]
    """Rises with every change a page makes: what is late overwrites nothing newer."""
    at: Mapped[datetime]


class PanelNote(Base):
    """Something said about one item between the rounds or in the second. Append-only."""

    __tablename__ = "panel_note"

    id: Mapped[int] = mapped_column(primary_key=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("panel_item.id"), index=True)
    author_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    text: Mapped[str]
    at: Mapped[datetime]


class PanelResult(Base):
    """What a panel set. Never changed: it belongs to this list of wordings and this standard."""

    __tablename__ = "panel_result"

    id: Mapped[int] = mapped_column(primary_key=True)
    room_id: Mapped[int] = mapped_column(ForeignKey("panel_room.id"), unique=True)
    curriculum_code: Mapped[str] = mapped_column(index=True)
    standard_version_id: Mapped[int] = mapped_column(ForeignKey("standard_version.id"))
    versions: Mapped[list[int]] = mapped_column(JSON)
    """Ids of the wordings that were rated, in order."""
    points: Mapped[int]
    """Sum of all ratings; the cut is points / (100 · panellists · wordings), exactly."""
    panellists: Mapped[int]
    shown: Mapped[int]
    """Items of these criteria one whole sitting shows."""
    figures: Mapped[dict[str, Any]]
    """Everything computed from the ratings; see results.figures."""
    digest: Mapped[str]
    """Of all this and of every rating: what people sign."""
    made_at: Mapped[datetime]


class PanelSignature(Base):
    """What a panellist says to the result. Append-only, once."""

    __tablename__ = "panel_signature"

    id: Mapped[int] = mapped_column(primary_key=True)
    result_id: Mapped[int] = mapped_column(ForeignKey("panel_result.id"), index=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("panel_member.id"), unique=True)
    choice: Mapped[Choice] = mapped_column(text_enum(Choice))
    reason: Mapped[str] = mapped_column(default="")
    name: Mapped[str]
    """As it was then."""
    by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    """The panellist; the chair where they did not answer."""
    at: Mapped[datetime]
