"""What agencies, trainers and nominated people do with the seats of a class. Services flush."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import func, select

from lms.accounts.rules import normal_email
from lms.cohorts import invitations, organisations, seats
from lms.cohorts.models import Cohort, Organisation
from lms.cohorts.seats import NoSeat
from lms.core import audit
from lms.core.db import db, unit_of_work
from lms.core.errors import DomainError, NotFound
from lms.core.forms import one_line
from lms.core.ids import public_id
from lms.nominations import due, rules, seating
from lms.nominations.models import Nomination, NominationEvent
from lms.nominations.rules import Phase, Promotion, State, Step, Why
from lms.nominations.seating import NotOpen as NotOpen
from lms.nominations.seating import Overtaken as Overtaken
from lms.nominations.seating import set_quotas as set_quotas

EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
LONGEST_NAME, LONGEST_EMAIL, LONGEST_LETTER = 120, 200, 80


class TooLate(DomainError):
    """The seat cannot be given back any more: the class has begun."""


class Ended(DomainError):
    """The nomination is no longer on the list."""


class Result(StrEnum):
    """What became of one row of a list of nominees."""

    OFFERED = "offered"
    WAITING = "waiting"
    NOMINATED = "nominated"
    """The address is nominated for this class already."""
    SEATED = "seated"
    """The address has a seat, or an invitation, already."""
    TWICE = "twice"
    """The address stands in an earlier row of the same list."""
    BAD_EMAIL = "bad_email"
    BAD_NAME = "bad_name"
    UNKNOWN = "unknown"
    """There is no such organisation."""


MADE = frozenset({Result.OFFERED, Result.WAITING})
"""Results of rows that became a nomination."""


@dataclass(frozen=True, slots=True)
class Nominee:
    """Somebody an organisation wants to send."""

    organisation_id: int
    name: str
    email: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one nominee."""

    nominee: Nominee
    result: Result
    public_id: str | None = None


@dataclass(frozen=True, slots=True)
class Letter:
    """Number and date of a letter of assignment, as written on it."""

    number: str = ""
    on: str = ""


def nominate(
    cohort_id: int,
    nominee: Nominee,
    *,
    actor_id: int,
    now: datetime,
    letter: Letter | None = None,
) -> Outcome:
    """Nominate one person; see `nominate_many`."""
    [outcome] = nominate_many(cohort_id, [nominee], actor_id=actor_id, now=now, letter=letter)
    return outcome


def nominate_many(
    cohort_id: int,
    rows: Sequence[Nominee],
    *,
    actor_id: int,
    now: datetime,
    letter: Letter | None = None,
) -> list[Outcome]:
    """Nominate people in this order and report what became of each row. Flushes.

    A row that cannot be nominated is reported and hinders no other. Whoever the rule gives a seat
    is invited at once, the others wait. Whether `actor_id` may speak for the organisations is the
    caller's to check. Raises NotOpen when the class takes no nominations.
    """
    room = seating.require_open(seating.enter(cohort_id, now=now))
    known = seats.organisations_by_id(row.organisation_id for row in rows)
    checked = _check_rows(cohort_id, rows, known)
    letter = letter or Letter()
    made: dict[int, str] = {}
    for place, (row, result) in enumerate(zip(rows, checked, strict=True)):
        if result is None:
            made[place] = public_id()
            _add(cohort_id, row, known[row.organisation_id], letter, made[place], actor_id, now)
    seating.give_away(room, now=now)
    states = _states_of(made.values())
    audit.record(
        "nominations.nominate",
        f"cohort:{cohort_id}",
        actor_id=actor_id,
        now=now,
        people=len(made),
    )
    return [
        Outcome(row, checked[place] or Result(states[made[place]].value), made.get(place))
        for place, row in enumerate(rows)
    ]


def is_email(text: str) -> bool:
    """Tell whether this is a whole address, not too long."""
    return len(text) <= LONGEST_EMAIL and EMAIL.fullmatch(normal_email(text)) is not None


def _check_rows(
    cohort_id: int, rows: Sequence[Nominee], known: dict[int, Organisation]
) -> list[Result | None]:
    """Return what is wrong with each row, or None; two queries."""
    emails = {normal_email(row.email) for row in rows}
    query = select(Nomination.email).where(
        Nomination.cohort_id == cohort_id,
        Nomination.state.in_(rules.LIVE),
        Nomination.email.in_(emails),
    )
    live, seated = set(db.session.scalars(query)), seats.emails_seated(cohort_id, emails)
    found: list[Result | None] = []
    earlier: set[str] = set()
    for row in rows:
        email = normal_email(row.email)
        if row.organisation_id not in known:
            problem: Result | None = Result.UNKNOWN
        elif not 0 < len(one_line(row.name)) <= LONGEST_NAME:
            problem = Result.BAD_NAME
        elif not is_email(email):
            problem = Result.BAD_EMAIL
        elif email in earlier:
            problem = Result.TWICE
        elif email in live:
            problem = Result.NOMINATED
        else:
            problem = Result.SEATED if email in seated else None
        earlier.add(email)
        found.append(problem)
    return found


def _add(
    cohort_id: int,
    row: Nominee,
    organisation: Organisation,
    letter: Letter,
    name: str,
    actor_id: int,
    now: datetime,
) -> None:
    nomination = Nomination(
        public_id=name,
        cohort_id=cohort_id,
        organisation_id=organisation.id,
        kind=organisation.kind,
        name=one_line(row.name),
        email=normal_email(row.email),
        letter_number=one_line(letter.number)[:LONGEST_LETTER],
        letter_on=one_line(letter.on)[:LONGEST_LETTER],
        nominated_by=actor_id,
        nominated_at=now,
        state=State.WAITING,
    )
    db.session.add(nomination)
    db.session.flush()
    seating.note_step(nomination, Step.NOMINATED, actor_id=actor_id, now=now)


def _states_of(public_ids: Iterable[str]) -> dict[str, State]:
    query = select(Nomination.public_id, Nomination.state).where(
        Nomination.public_id.in_(list(public_ids))
    )
    return {row.public_id: row.state for row in db.session.execute(query)}


def _lock(public_id: str, cohort_id: int, now: datetime) -> tuple[seating.Room, Nomination]:
    """Return a nomination of a class whose seats are locked and settled. Raises NotFound."""
    room = seating.enter(cohort_id, now=now)
    nomination = db.session.scalar(
        select(Nomination).where(
            Nomination.public_id == public_id, Nomination.cohort_id == cohort_id
        ),
        execution_options=seating.FRESH,
    )
    if room is None or nomination is None:
        raise NotFound(public_id)
    return room, nomination


def withdraw(
    public_id: str, cohort_id: int, *, actor_id: int, now: datetime, note: str = ""
) -> None:
    """Take a nomination back, with its offer or its seat; the seat goes on by the rule. Flushes.

    A confirmed seat is given back only before the class begins. Raises NotFound, Ended, TooLate.
    """
    room, nomination = _lock(public_id, cohort_id, now)
    offer = seating.offers_of([nomination], cohort_id).get(nomination.id)
    state = rules.state_of(nomination.state, offer)
    if state is State.OFFERED:
        _take_offer_back(nomination, actor_id, now)
    elif state is State.CONFIRMED:
        _take_seat_back(room, nomination, actor_id, now)
    elif state is not State.WAITING:
        raise Ended(state.value)
    seating.close(nomination, State.WITHDRAWN, None, actor_id=actor_id, note=note, now=now)
    audit.record("nominations.withdraw", f"nomination:{nomination.id}", actor_id=actor_id, now=now)
    seating.settle(cohort_id, now=now)


def _take_offer_back(nomination: Nomination, actor_id: int | None, now: datetime) -> None:
    # An open offer has an invitation; one that was accepted this very moment raises.
    invitations.withdraw(nomination.invitation_id or 0, actor_id=actor_id, now=now)


def _take_seat_back(
    room: seating.Room, nomination: Nomination, actor_id: int, now: datetime
) -> None:
    if room.hall.phase is Phase.CLOSED:
        raise TooLate
    invitation_id = nomination.invitation_id or 0
    person_id = seats.replies_to([invitation_id])[invitation_id].person_id
    seats.leave(person_id or 0, room.cohort.id, actor_id=actor_id, now=now)


def letter_of(token: str) -> tuple[str, str] | None:
    """Return number and date of the letter of assignment behind an invitation, in one query.

    None for an invitation that was no nomination.
    """
    row = db.session.execute(
        select(Nomination.letter_number, Nomination.letter_on).where(
            Nomination.invitation_id.in_(seats.invitations_with(token))
        )
    ).first()
    return (row.letter_number, row.letter_on) if row else None


def withdraw_many(
    public_ids: Iterable[str], cohort_id: int, *, actor_id: int, now: datetime
) -> int:
    """Take back what of these nominations nobody has accepted yet; the seats go on by the rule.

    Returns how many. A confirmed seat stays. Flushes.
    """
    room = seating.enter(cohort_id, now=now)
    rows = _find_many(public_ids, cohort_id)
    if room is None or not rows:
        return 0
    offers = seating.offers_of(rows, cohort_id)
    done = 0
    for one in rows:
        state = rules.state_of(one.state, offers.get(one.id))
        if state not in rules.LIVE:
            continue
        if state is State.OFFERED:
            try:
                _take_offer_back(one, actor_id, now)
            except invitations.InvitationClosed:
                continue  # accepted this very moment
        seating.close(one, State.WITHDRAWN, None, actor_id=actor_id, now=now)
        done += 1
    audit.record(
        "nominations.withdraw_many", f"cohort:{cohort_id}", actor_id=actor_id, now=now, people=done
    )
    seating.settle(cohort_id, now=now)
    return done


def states_of(public_ids: Iterable[str], cohort_id: int) -> dict[str, State]:
    """Return what has become of many nominations of a class; a fixed number of queries."""
    rows = _find_many(public_ids, cohort_id)
    offers = seating.offers_of(rows, cohort_id)
    return {one.public_id: rules.state_of(one.state, offers.get(one.id)) for one in rows}


def emails_live(cohort_id: int) -> set[str]:
    """Return the addresses that wait for a seat of a class or were offered one, in one query."""
    query = select(Nomination.email).where(
        Nomination.cohort_id == cohort_id, Nomination.state.in_(rules.LIVE)
    )
    return set(db.session.scalars(query))


def _find_many(public_ids: Iterable[str], cohort_id: int) -> Sequence[Nomination]:
    return db.session.scalars(
        select(Nomination)
        .where(Nomination.public_id.in_(list(public_ids)), Nomination.cohort_id == cohort_id)
        .order_by(Nomination.id),
        execution_options=seating.FRESH,
    ).all()


def decline(token: str, *, now: datetime) -> Cohort | None:
    """Let an invited companion say no; the seat goes on by the rule. Flushes.

    Returns the class. Raises invitations.UnknownInvitation, invitations.InvitationClosed.
    """
    invitation = invitations.find_open(token, now=now)
    cohort_id, number = invitation.cohort_id, invitation.id
    if cohort_id is None or invitation.roles != ["trainee"]:
        raise invitations.UnknownInvitation
    db.session.expire(invitation)  # it is read again, locked, after the seats are
    seating.enter(cohort_id, now=now)
    invitations.withdraw(number, actor_id=None, now=now)
    nomination = db.session.scalar(
        select(Nomination).where(Nomination.invitation_id == number),
        execution_options=seating.FRESH,
    )
    if nomination is not None:
        seating.close(nomination, State.DECLINED, None, now=now)
    seating.settle(cohort_id, now=now)
    return db.session.get(Cohort, cohort_id)


def offer_by_hand(
    public_id: str, cohort_id: int, *, reason: str, actor_id: int, now: datetime
) -> None:
    """Give somebody on the waiting list a seat out of turn, and say why. Flushes.

    There must be room for their kind. Raises NotFound, Ended, NotOpen, seats.NoSeat.
    """
    room, nomination = _lock(public_id, cohort_id, now)
    seating.require_open(room)
    if nomination.state is not State.WAITING:
        raise Ended(nomination.state.value)
    kind = nomination.kind.value
    names = organisations.organisation_names([nomination.organisation_id])
    if not room.hall.room(kind):
        with_quota = room.hall.free and kind in room.hall.quotas
        raise NoSeat(nomination.kind if with_quota else None, room.hall.quotas.get(kind, 0))
    promotion = Promotion(nomination.id, kind, Why.HAND, room.hall)
    seating.offer(
        room,
        nomination,
        names[nomination.organisation_id],
        promotion,
        actor_id=actor_id,
        note=reason,
        now=now,
    )
    audit.record("nominations.by_hand", f"nomination:{nomination.id}", actor_id=actor_id, now=now)
    seating.settle(cohort_id, now=now)


def renew_link(public_id: str, cohort_id: int, *, actor_id: int, now: datetime) -> tuple[str, str]:
    """Send an open offer again with a new link; return the person's name and the link. Flushes.

    Raises NotFound, Ended.
    """
    room, nomination = _lock(public_id, cohort_id, now)
    try:
        link = seating.renew_link(nomination, room.cohort, actor_id=actor_id, now=now)
    except (NotFound, invitations.InvitationClosed):
        raise Ended(nomination.state.value) from None
    return nomination.name, link


def sweep(now: datetime) -> int:
    """Close lapsed offers and give free seats to who waits, class by class, in units of its own.

    Returns how many offers it made and nominations it ended. Doing it twice changes nothing.
    """
    classes = due.classes(now)
    db.session.rollback()
    done = 0
    for cohort_id in classes:
        with unit_of_work():
            seating.lock(cohort_id)
            before = _count_steps(cohort_id)
            seating.settle(cohort_id, now=now)
            done += _count_steps(cohort_id) - before
    return done


def _count_steps(cohort_id: int) -> int:
    query = select(func.count()).where(NominationEvent.cohort_id == cohort_id)
    return db.session.scalar(query) or 0
