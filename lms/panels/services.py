"""Rooms and who sits in them. Services flush; entry points commit."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import CursorResult, Row, ScalarSelect, delete, exists, func, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import aliased

from lms.accounts import services as accounts
from lms.accounts.services import PersonLine
from lms.competency import rules as competency_rules
from lms.competency import services as competency
from lms.competency.rules import EvidenceKind, Kuk, Standard
from lms.core import audit
from lms.core.db import db, insert_once
from lms.core.errors import NotFound
from lms.core.login import Viewer
from lms.panels import rules
from lms.panels.models import PanelItem, PanelMember, PanelRating, PanelRoom, PanelSignature
from lms.panels.rules import Due, Seat, Stage
from lms.quizzes import bank

ROLES = ("reviewer", "trainer")
"""Who may be invited: people who know the work and may read keys."""
MOST_LISTED = 200
"""People of a role in the list to invite from: an office has a handful."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """A room as one of those who may enter it sees it."""

    id: int
    public_id: str
    curriculum: str
    standard_version_id: int
    person: str
    """Who is only just good enough, in words."""
    stage: Stage
    opened_at: datetime
    ended_at: datetime | None
    ended_why: str
    member_id: int | None
    """The reader's own seat on the panel, if they have one."""
    label: int | None
    chairs: bool
    """Whether the reader leads it: every administrator may."""

    @property
    def round(self) -> int | None:
        """The round in which ratings are given now."""
        return rules.RATED_IN.get(self.stage)


_COLUMNS: tuple[Any, ...] = (
    PanelRoom.id,
    PanelRoom.public_id,
    PanelRoom.curriculum_code,
    PanelRoom.standard_version_id,
    PanelRoom.person,
    PanelRoom.stage,
    PanelRoom.opened_at,
    PanelRoom.ended_at,
    PanelRoom.ended_why,
    PanelMember.id.label("member_id"),
    PanelMember.label,
)


def _room(row: Row[Any], viewer: Viewer) -> Room:
    return Room(
        id=row.id,
        public_id=row.public_id,
        curriculum=row.curriculum_code,
        standard_version_id=row.standard_version_id,
        person=row.person,
        stage=row.stage,
        opened_at=row.opened_at,
        ended_at=row.ended_at,
        ended_why=row.ended_why,
        member_id=row.member_id,
        label=row.label,
        chairs=viewer.is_any("admin"),
    )


@dataclass(frozen=True, slots=True)
class RoomLine:
    """One room of a list, and what the reader is waited for in it."""

    room: Room
    due: Due | None


def _missing() -> ScalarSelect[int]:
    """Return how many panellists the stage of a room still waits for, as a column."""
    one = aliased(PanelMember)
    answered = exists().where(PanelSignature.member_id == one.id)
    return (
        select(func.count(one.id))
        .where(
            one.room_id == PanelRoom.id,
            or_(
                (PanelRoom.stage == Stage.FIRST) & one.first_done_at.is_(None),
                (PanelRoom.stage == Stage.SECOND) & one.second_done_at.is_(None),
                (PanelRoom.stage == Stage.SIGNING) & one.label.is_not(None) & ~answered,
            ),
        )
        .correlate(PanelRoom)
        .scalar_subquery()
    )


def list_rooms(viewer: Viewer) -> list[RoomLine]:
    """Return the rooms somebody may enter: what waits for them, open ones, the newest. One query.

    Its cost grows with the rooms the reader sees and the panellists in them.
    """
    columns: tuple[Any, ...] = (
        *_COLUMNS,
        PanelMember.first_done_at,
        PanelMember.second_done_at,
        exists().where(PanelSignature.member_id == PanelMember.id).label("answered"),
        _missing().label("missing"),
    )
    query = (
        select(*columns)
        .join(
            PanelMember,
            (PanelMember.room_id == PanelRoom.id) & (PanelMember.person_id == viewer.id),
            isouter=True,
        )
        .order_by(PanelRoom.ended_at.is_not(None), PanelRoom.id.desc())
    )
    if not viewer.is_any("admin"):
        query = query.where(PanelMember.id.is_not(None))
    lines = [RoomLine(_room(row, viewer), _due(row, viewer)) for row in db.session.execute(query)]
    return sorted(lines, key=lambda one: one.due is None)


def _due(row: Row[Any], viewer: Viewer) -> Due | None:
    done_at = row.first_done_at if row.stage is Stage.FIRST else row.second_done_at
    seat = Seat(done_at is not None, row.label is not None, row.answered)
    return rules.due(
        row.stage,
        seat if row.member_id is not None else None,
        chairs=viewer.is_any("admin"),
        missing=row.missing,
    )


def get_room(public_id: str, viewer: Viewer, *, now: datetime) -> Room:
    """Return a room for its chair or one of its panellists. One query, for a trainee four.

    Raises NotFound; rules.Tested when the reader learns this curriculum and has not passed.
    """
    row = db.session.execute(
        select(*_COLUMNS)
        .join(
            PanelMember,
            (PanelMember.room_id == PanelRoom.id) & (PanelMember.person_id == viewer.id),
            isouter=True,
        )
        .where(PanelRoom.public_id == public_id)
    ).first()
    if row is None or (row.member_id is None and not viewer.is_any("admin")):
        raise NotFound(public_id)
    room = _room(row, viewer)
    if viewer.is_any("trainee"):
        refuse_tested(room.curriculum, [viewer.id], now=now)
    return room


def tested(curriculum: str, person_ids: Collection[int], *, now: datetime) -> frozenset[int]:
    """Return who of these people has something of this quiz still before them. Two queries."""
    found = competency.current()
    ledgers = competency.rows_of(list(person_ids), found)
    return frozenset(
        one
        for one in person_ids
        if competency_rules.quiz_scope(found.standard, curriculum, ledgers.get(one, ()), now)
    )


def refuse_tested(curriculum: str, person_ids: Collection[int], *, now: datetime) -> None:
    """Raise rules.Tested when one of these trainees has not passed the quiz of a curriculum."""
    if tested(curriculum, person_ids, now=now):
        raise rules.Tested(curriculum)


def gated(standard: Standard, curriculum: str) -> list[Kuk]:
    """Return the criteria whose items the cut is about: those that are not critical."""
    return [kuk for kuk in standard.of(curriculum) if EvidenceKind.Q in kuk.ev and not kuk.critical]


def open_room(curriculum: str, *, person: str, training: int, chair_id: int, now: datetime) -> str:
    """Open a room for the bank of a curriculum as it is now; return its public id. Flushes.

    Raises NotFound, rules.NoItems, rules.RoomOpen.
    """
    found = competency.current()
    if curriculum not in found.standard.curricula:
        raise NotFound(curriculum)
    asked = {kuk.code for kuk in gated(found.standard, curriculum)}
    wordings = bank.list_newest(curriculum)
    rated = [one for one in wordings if one.kuk in asked]
    if len(rated) < rules.LEAST:
        raise rules.NoItems(curriculum)
    # One item of each of the first critical criteria: they are not part of what is set here.
    others = {one.kuk: one for one in reversed(wordings) if one.kuk not in asked}
    trained = sorted(others.values(), key=lambda one: one.slug)[:training]
    room = PanelRoom(
        curriculum_code=curriculum,
        standard_version_id=found.id,
        person=person,
        stage=Stage.INVITING,
        chair_id=chair_id,
        opened_at=now,
    )
    try:
        with db.session.begin_nested():
            db.session.add(room)
    except IntegrityError:
        raise rules.RoomOpen(curriculum) from None
    db.session.add_all(
        PanelItem(
            room_id=room.id,
            item_version_id=one.version,
            position=position,
            training=position <= len(trained),
        )
        for position, one in enumerate([*trained, *rated], 1)
    )
    db.session.flush()
    audit.record(
        "panels.open",
        f"panel_room:{room.id}",
        actor_id=chair_id,
        now=now,
        curriculum=curriculum,
        items=len(rated),
    )
    return room.public_id


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody who could be invited, and whether something speaks against it."""

    id: int
    public_id: str
    name: str
    email: str
    tested: bool
    """They learn this curriculum and have not passed its quiz."""


def chair_of(room: Room) -> int:
    """Return who opened a room. One query."""
    return db.session.scalars(select(PanelRoom.chair_id).where(PanelRoom.id == room.id)).one()


def list_candidates(room: Room, *, now: datetime) -> list[Candidate]:
    """Return who could be invited, by name. Seven queries whatever the number of people."""
    seated = set(
        db.session.scalars(select(PanelMember.person_id).where(PanelMember.room_id == room.id))
    )
    people: dict[int, PersonLine] = {
        one.id: one
        for role in ROLES
        for one in accounts.list_people(role=role, limit=MOST_LISTED)
        if not one.disabled and one.id not in seated
    }
    learning = [one.id for one in people.values() if "trainee" in one.roles]
    closed = tested(room.curriculum, learning, now=now)
    return sorted(
        (
            Candidate(one.id, one.public_id, one.name, one.email, one.id in closed)
            for one in people.values()
        ),
        key=lambda one: (one.name.casefold(), one.id),
    )


def invite(
    room: Room, public_ids: Collection[str], *, by_id: int, now: datetime
) -> list[Candidate]:
    """Seat people on the panel; return who was not on it before. Flushes.

    Raises rules.WrongStage once the first round is over, rules.NotOnPanel for somebody who may
    not be invited, rules.Tested for somebody who still learns this curriculum.
    """
    hold(room, Stage.INVITING, Stage.FIRST)
    known = {one.public_id: one for one in list_candidates(room, now=now)}
    chosen = [known[one] for one in public_ids if one in known]
    if len(chosen) < len(public_ids) or _count(room) + len(chosen) > rules.MOST_INVITED:
        raise rules.NotOnPanel(room.public_id)
    if any(one.tested for one in chosen):
        raise rules.Tested(room.curriculum)
    for one in chosen:
        insert_once(
            PanelMember, room_id=room.id, person_id=one.id, invited_by=by_id, invited_at=now
        )
        audit.record(
            "panels.invite", f"panel_room:{room.id}", actor_id=by_id, now=now, person=one.id
        )
    return chosen


def _count(room: Room) -> int:
    number = db.session.scalar(
        select(func.count()).select_from(PanelMember).where(PanelMember.room_id == room.id)
    )
    return number or 0


def release(room: Room, member_id: int, *, by_id: int, now: datetime) -> None:
    """Take somebody off the panel who has rated nothing yet. Flushes.

    Raises rules.WrongStage, rules.NotOnPanel.
    """
    hold(room, Stage.INVITING, Stage.FIRST)
    gone = db.session.execute(
        delete(PanelMember).where(
            PanelMember.id == member_id,
            PanelMember.room_id == room.id,
            ~exists().where(PanelRating.member_id == member_id),
        )
    )
    if cast("CursorResult[Any]", gone).rowcount != 1:
        raise rules.NotOnPanel(str(member_id))
    audit.record(
        "panels.release", f"panel_room:{room.id}", actor_id=by_id, now=now, member=member_id
    )


def hold(room: Room, *stages: Stage, alone: bool = False) -> Stage:
    """Hold a room in one of these stages until the unit of work ends; return which it is.

    Whoever rates holds it with others, whoever leads it on `alone`. Raises rules.WrongStage.
    """
    stage = db.session.scalars(
        select(PanelRoom.stage).where(PanelRoom.id == room.id).with_for_update(read=not alone)
    ).one()
    if stage not in stages:
        raise rules.WrongStage(stage)
    return stage


def set_stage(room: Room, stage: Stage, *, by_id: int, now: datetime, why: str = "") -> None:
    """Write down that a room, which is held alone, has gone on. Flushes."""
    values: dict[str, Any] = {"stage": stage}
    if stage in rules.ENDED:
        values |= {"ended_at": now, "ended_why": why}
    db.session.execute(update(PanelRoom).where(PanelRoom.id == room.id).values(**values))
    audit.record(
        "panels.stage", f"panel_room:{room.id}", actor_id=by_id, now=now, stage=stage.value
    )


@dataclass(frozen=True, slots=True)
class Member:
    """One panellist, for the list of the room: how far they are, never what they gave."""

    id: int
    person_id: int
    name: str
    first: int
    """Items rated in the first round, training items among them."""
    second: int
    first_done: bool
    second_done: bool
    label: int | None


def list_members(room: Room) -> list[Member]:
    """Return the panel by name. Three queries."""
    rows = db.session.execute(
        select(
            PanelMember.id,
            PanelMember.person_id,
            PanelMember.first_done_at,
            PanelMember.second_done_at,
            PanelMember.label,
        ).where(PanelMember.room_id == room.id)
    ).all()
    counts = {
        (row.member_id, row.round): row.number
        for row in db.session.execute(
            select(PanelRating.member_id, PanelRating.round, func.count().label("number"))
            .where(PanelRating.member_id.in_([row.id for row in rows]))
            .group_by(PanelRating.member_id, PanelRating.round)
        )
    }
    names = accounts.names_of(row.person_id for row in rows)
    found = [
        Member(
            row.id,
            row.person_id,
            names[row.person_id],
            counts.get((row.id, 1), 0),
            counts.get((row.id, 2), 0),
            row.first_done_at is not None,
            row.second_done_at is not None,
            row.label,
        )
        for row in rows
    ]
    return sorted(found, key=lambda one: (one.name.casefold(), one.id))


@dataclass(frozen=True, slots=True)
class Listed:
    """One wording on the list of a room."""

    id: int
    position: int
    training: bool
    version: int
    slug: str
    number: int
    kuk: str
    stem: str


def list_items(room: Room) -> list[Listed]:
    """Return the list of a room in order, training items first. Two queries."""
    rows = db.session.execute(
        select(PanelItem.id, PanelItem.position, PanelItem.training, PanelItem.item_version_id)
        .where(PanelItem.room_id == room.id)
        .order_by(PanelItem.position)
    ).all()
    texts = bank.list_wordings([row.item_version_id for row in rows])
    return [
        Listed(
            row.id,
            row.position,
            row.training,
            row.item_version_id,
            texts[row.item_version_id].slug,
            texts[row.item_version_id].number,
            texts[row.item_version_id].kuk,
            texts[row.item_version_id].stem,
        )
        for row in rows
    ]


def ratings_of(items: Iterable[Listed], round_: int) -> dict[int, dict[int, int]]:
    """Return panellist to item to rating, of one round. One query."""
    wanted: Sequence[int] = [one.id for one in items]
    found: dict[int, dict[int, int]] = {}
    for row in db.session.execute(
        select(PanelRating.member_id, PanelRating.item_id, PanelRating.percent).where(
            PanelRating.item_id.in_(wanted), PanelRating.round == round_
        )
    ):
        found.setdefault(row.member_id, {})[row.item_id] = row.percent
    return found
