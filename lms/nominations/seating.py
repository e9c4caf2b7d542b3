"""How seats of a class are counted and given away. Services flush.

Everything that gives or frees a seat goes through `settle`: it locks the class's seats, closes
what has lapsed, counts who holds a seat, and offers what is free by the rule of `rules.next_offer`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import current_app
from sqlalchemy import ColumnElement, select, update
from sqlalchemy.sql import Executable

from lms.cohorts import invitations, seats
from lms.cohorts import services as cohorts
from lms.cohorts.models import ClassState, Cohort, OrganisationKind
from lms.cohorts.organisations import organisation_names
from lms.cohorts.seats import NoSeat
from lms.core import audit
from lms.core.db import db
from lms.core.errors import DomainError
from lms.nominations import halls, letters, rules
from lms.nominations.models import Nomination, NominationEvent, Seating, SeatQuota
from lms.nominations.rules import Hall, Phase, Promotion, State, Step, Why


class NotOpen(DomainError):
    """The class takes no nominations: it has no seats set, is a draft, or has begun."""


class Overtaken(DomainError):
    """Somebody else changed the nomination a moment ago."""


FRESH = {"populate_existing": True}
"""Read again what the session holds already: somebody may have changed it before the lock."""


@dataclass(frozen=True, slots=True)
class Room:
    """A class whose seats are locked for the rest of the unit of work."""

    cohort: Cohort
    seating: Seating
    hall: Hall


def find_seating(cohort_id: int) -> Seating | None:
    """Return the seats of a class, or None where nobody counts them."""
    return db.session.get(Seating, cohort_id)


def settle(cohort_id: int, *, now: datetime) -> Room | None:
    """Lock and count the seats of a class, and offer by the rule what is free. Flushes.

    Returns None for a class without seats set. Doing it twice changes nothing.
    """
    room = enter(cohort_id, now=now)
    return give_away(room, now=now) if room else None


def enter(cohort_id: int, *, now: datetime) -> Room | None:
    """Lock the seats of a class, close what has lapsed, and count; None without seats. Flushes.

    Whoever comes second waits here and then counts what the first one did.
    """
    seating = lock(cohort_id)
    if seating is None:
        return None
    cohort = cohorts.get_cohort_by_id(cohort_id)
    seats.close_lapsed(cohort_id, now=now)
    _close_ended(seating, cohort, now)
    hall = halls.read_hall(seating, cohort, now)
    _write_counts(cohort_id, hall)
    return Room(cohort, seating, hall)


def lock(cohort_id: int) -> Seating | None:
    """Lock the seats of a class until the end of the unit of work; None without seats."""
    return db.session.scalar(
        select(Seating).where(Seating.cohort_id == cohort_id).with_for_update(),
        execution_options=FRESH,
    )


def _close_ended(seating: Seating, cohort: Cohort, now: datetime) -> None:
    """Write down which nominations have ended without anybody here doing it."""
    ended = Nomination.invitation_id.in_(seats.ended_invitations())
    offers = _read(cohort.id, State.OFFERED, ended)
    replies = offers_of(offers, cohort.id)
    for one in offers:
        close(one, rules.state_of(one.state, replies.get(one.id)), None, now=now)
    elsewhere = halls.seated_elsewhere(cohort.id)
    for one in _read(cohort.id, State.WAITING, Nomination.id.in_(elsewhere)):
        close(one, State.WITHDRAWN, Why.SEATED, now=now)
    if halls.phase_of(seating, cohort, now) is Phase.CLOSED:
        for one in _read(cohort.id, State.WAITING):
            close(one, State.EXPIRED, Why.STARTED, now=now)


def _read(cohort_id: int, state: State, *conditions: ColumnElement[bool]) -> Sequence[Nomination]:
    """Return nominations of a class in one stored state, as they stand in the table now."""
    return db.session.scalars(
        select(Nomination)
        .where(Nomination.cohort_id == cohort_id, Nomination.state == state, *conditions)
        .order_by(Nomination.nominated_at, Nomination.id),
        execution_options=FRESH,
    ).all()


def offers_of(nominations: Sequence[Nomination], cohort_id: int) -> dict[int, rules.Offer]:
    """Return what the invitations behind nominations say, by nomination; two queries."""
    ids = {one.invitation_id: one.id for one in nominations if one.invitation_id is not None}
    if not ids:
        return {}
    replies = seats.replies_to(ids)
    seated = seats.seated_pairs((cohort_id, one.person_id) for one in replies.values())
    return {
        ids[invitation_id]: rules.Offer(
            reply.expires_at,
            reply.accepted_at,
            reply.withdrawn_at,
            (cohort_id, reply.person_id) in seated,
        )
        for invitation_id, reply in replies.items()
    }


def close(
    nomination: Nomination,
    state: State,
    why: Why | None,
    *,
    actor_id: int | None = None,
    note: str = "",
    now: datetime,
) -> None:
    """End a nomination and write it into the log. Flushes."""
    _move(nomination, state=state)
    note_step(nomination, Step(state.value), why, actor_id=actor_id, note=note, now=now)
    db.session.flush()


def _move(nomination: Nomination, **values: Any) -> None:
    """Change a nomination that is still in the state it was read in. Raises Overtaken."""
    statement = (
        update(Nomination)
        .where(Nomination.id == nomination.id, Nomination.state == nomination.state)
        .values(**values)
    )
    found = db.session.execute(statement)
    if found.rowcount != 1:  # type: ignore[attr-defined]  # an UPDATE has a row count
        raise Overtaken
    db.session.refresh(nomination)


def note_step(
    nomination: Nomination,
    step: Step,
    why: Why | None = None,
    *,
    actor_id: int | None = None,
    note: str = "",
    hall: Hall | None = None,
    now: datetime,
) -> None:
    """Append one line to the log."""
    event = NominationEvent(
        cohort_id=nomination.cohort_id,
        nomination_id=nomination.id,
        at=now,
        actor_id=actor_id,
        step=step,
        why=why,
        note=note,
    )
    if hall is not None:
        event.hall = _packed(hall)
    db.session.add(event)


def _packed(hall: Hall) -> dict[str, Any]:
    return {
        "phase": hall.phase.value,
        "capacity": hall.capacity,
        "quotas": dict(hall.quotas),
        "held": dict(hall.held),
    }


def unpacked(hall: Mapping[str, Any]) -> Hall:
    """Return a hall as the log holds it."""
    return Hall(Phase(hall["phase"]), hall["capacity"], hall["quotas"], hall["held"])


def _write_counts(cohort_id: int, hall: Hall) -> None:
    """Bring the guarded counters in line with who holds seats."""
    change(
        update(Seating)
        .where(Seating.cohort_id == cohort_id)
        .values(free=hall.free, loose=min(hall.free, hall.loose))
    )
    for kind in hall.quotas:
        change(
            update(SeatQuota)
            .where(SeatQuota.cohort_id == cohort_id, SeatQuota.kind == OrganisationKind(kind))
            .values(free=hall.left(kind))
        )


def change(statement: Executable) -> int:
    """Run an UPDATE that ORM objects need not know of; return how many rows it changed."""
    found = db.session.execute(statement, execution_options={"synchronize_session": False})
    return int(found.rowcount)  # type: ignore[attr-defined]  # an UPDATE has a row count


def take(cohort_id: int, kind: str, hall: Hall) -> None:
    """Take one seat for somebody of this kind, or raise NoSeat.

    The rule has looked already; here the database decides, one statement a counter.
    """
    of_class = update(Seating).where(Seating.cohort_id == cohort_id, Seating.free > 0)
    of_kind = (
        update(SeatQuota)
        .where(SeatQuota.cohort_id == cohort_id, SeatQuota.kind == OrganisationKind(kind))
        .where(SeatQuota.free > 0)
        .values(free=SeatQuota.free - 1)
    )
    if hall.phase is not Phase.QUOTA:
        change(of_kind)
        taken = change(of_class.values(free=Seating.free - 1))
    elif kind in hall.quotas:
        taken = change(of_kind) and change(of_class.values(free=Seating.free - 1))
    else:
        one_less = {"free": Seating.free - 1, "loose": Seating.loose - 1}
        taken = change(of_class.where(Seating.loose > 0).values(one_less))
    if not taken:
        full = hall.phase is Phase.QUOTA and kind in hall.quotas and hall.free > 0
        raise NoSeat(OrganisationKind(kind) if full else None, hall.quotas.get(kind, 0))


def give_away(room: Room, *, now: datetime) -> Room:
    """Offer the free seats of a locked class by the rule, and return how it stands then. Flushes.

    Nothing but nominations may have changed since the class was entered.
    """
    chosen = rules.promotions(halls.list_waiting(room.cohort.id, room.hall), room.hall)
    if not chosen:
        return room
    people = {
        one.id: one
        for one in _read(
            room.cohort.id, State.WAITING, Nomination.id.in_([one.id for one in chosen])
        )
    }
    names = organisation_names(one.organisation_id for one in people.values())
    hall = room.hall
    for promotion in chosen:
        nomination = people[promotion.id]
        offer(room, nomination, names[nomination.organisation_id], promotion, now=now)
        hall = promotion.hall.with_one_more(promotion.kind)
    return Room(room.cohort, room.seating, hall)


def offer(
    room: Room,
    nomination: Nomination,
    organisation: str,
    promotion: Promotion,
    *,
    actor_id: int | None = None,
    note: str = "",
    now: datetime,
) -> None:
    """Take a seat for somebody who waits and send the invitation. Raises NoSeat. Flushes."""
    cohort = room.cohort
    take(cohort.id, promotion.kind, promotion.hall)
    life = timedelta(hours=room.seating.offer_hours)
    subject, body = _letter(nomination, organisation, cohort, now + life)
    invited = invitations.invite(
        email=nomination.email,
        name=nomination.name,
        roles=["trainee"],
        cohort_id=cohort.id,
        organisation_id=nomination.organisation_id,
        created_by=nomination.nominated_by,
        base_url=current_app.extensions["suluh"].base_url,
        subject=subject,
        body=body,
        now=now,
        life=life,
        has_seat=True,
    )
    _move(nomination, state=State.OFFERED, invitation_id=invited.invitation.id)
    note_step(
        nomination,
        Step.OFFERED,
        promotion.why,
        actor_id=actor_id,
        note=note,
        hall=promotion.hall,
        now=now,
    )
    db.session.flush()


def _letter(
    nomination: Nomination, organisation: str, cohort: Cohort, expires_at: datetime
) -> tuple[str, str]:
    return letters.offer(
        name=nomination.name,
        organisation=organisation,
        cohort=cohort,
        letter=nomination.letter_number,
        expires_at=expires_at,
    )


def renew_link(nomination: Nomination, cohort: Cohort, *, actor_id: int, now: datetime) -> str:
    """Send an open offer again with a new link, and return the link. Flushes.

    Raises NotFound, invitations.InvitationClosed.
    """
    invitation_id = nomination.invitation_id or 0
    reply = seats.replies_to([invitation_id]).get(invitation_id)
    [organisation] = organisation_names([nomination.organisation_id]).values()
    until = reply.expires_at if reply else now
    subject, body = _letter(nomination, organisation, cohort, until)
    base_url = current_app.extensions["suluh"].base_url
    invited = invitations.renew(
        invitation_id, actor_id=actor_id, base_url=base_url, subject=subject, body=body, now=now
    )
    return f"{base_url}/undangan/{invited.token}"


def claim(cohort_id: int, organisation_id: int, now: datetime) -> None:
    """Take a seat for somebody who is invited without a nomination. Raises NoSeat. Flushes.

    Up to the deadline one of their kind's quota, or one that belongs to no quota; later any that
    the waiting list leaves. Where no seats are set, nobody counts.
    """
    room = settle(cohort_id, now=now)
    if room is None:
        return
    [organisation] = seats.organisations_by_id([organisation_id]).values()
    take(cohort_id, organisation.kind.value, room.hall)


def add_seat(cohort_id: int, *, reason: str, actor_id: int, now: datetime) -> None:
    """Make a full class that has begun one seat larger, and say why. Flushes.

    Where a seat is free, or nobody counts them, nothing changes. Raises NoSeat before the class
    has begun: then quotas and the waiting list have their say.
    """
    room = enter(cohort_id, now=now)
    if room is None or room.hall.free:
        return
    if room.hall.phase is not Phase.CLOSED:
        raise NoSeat
    room.seating.capacity += 1
    room.seating.changed_by, room.seating.changed_at = actor_id, now
    db.session.flush()
    audit.record(
        "nominations.add_seat",
        f"cohort:{cohort_id}",
        actor_id=actor_id,
        now=now,
        capacity=room.seating.capacity,
        reason=reason,
    )


def set_quotas(
    cohort_id: int,
    *,
    capacity: int,
    nominate_until: datetime,
    offer_hours: int,
    quotas: Mapping[OrganisationKind, int],
    actor_id: int,
    now: datetime,
) -> None:
    """Set the seats of a class, their quotas and the deadline, and offer what is free. Flushes.

    A kind with 0 has no quota. Raises rules.BadPlan.
    """
    cohort = db.session.get_one(Cohort, cohort_id, with_for_update={"key_share": True})
    seating = db.session.get(Seating, cohort_id, with_for_update=True)
    seats.close_lapsed(cohort_id, now=now)
    wanted = {kind.value: count for kind, count in quotas.items() if count}
    hall = Hall(
        rules.phase(now, nominate_until=nominate_until, starts_at=halls.starts_at(cohort)),
        capacity,
        wanted,
        halls.held_by_kind(cohort_id),
    )
    rules.check_plan(hall)
    if seating is None:
        seating = Seating(cohort_id=cohort_id)
        db.session.add(seating)
    seating.capacity, seating.nominate_until = capacity, nominate_until
    seating.offer_hours = offer_hours
    seating.free, seating.loose = hall.free, min(hall.free, hall.loose)
    seating.changed_by, seating.changed_at = actor_id, now
    db.session.flush()
    _write_quotas(cohort_id, hall)
    audit.record(
        "nominations.seats",
        f"cohort:{cohort_id}",
        actor_id=actor_id,
        now=now,
        capacity=capacity,
        until=nominate_until.isoformat(),
        hours=offer_hours,
        quotas=wanted,
    )
    settle(cohort_id, now=now)


def _write_quotas(cohort_id: int, hall: Hall) -> None:
    known = db.session.scalars(select(SeatQuota).where(SeatQuota.cohort_id == cohort_id))
    rows = {row.kind.value: row for row in known}
    for kind, row in rows.items():
        if kind not in hall.quotas:
            db.session.delete(row)
    for kind, count in hall.quotas.items():
        row = rows.get(kind) or SeatQuota(cohort_id=cohort_id, kind=OrganisationKind(kind))
        row.seats, row.free = count, hall.left(kind)
        db.session.add(row)
    db.session.flush()


def require_open(room: Room | None) -> Room:
    """Return a class that takes nominations. Raises NotOpen."""
    if room is None or room.cohort.state is ClassState.DRAFT or room.hall.phase is Phase.CLOSED:
        raise NotOpen
    return room
