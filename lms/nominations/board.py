"""What trainers see of the seats of a class: the grid, the waiting list, the people, the log."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, func, select

from lms.accounts import services as accounts
from lms.cohorts import seats
from lms.cohorts.models import Cohort, OrganisationKind
from lms.cohorts.organisations import organisation_names
from lms.core.db import db
from lms.nominations import halls, rules, seating
from lms.nominations.models import Nomination, NominationEvent, Seating
from lms.nominations.rules import Entry, Hall, Phase, State, Step, Waiting, Why
from lms.practice.attendance import services as attendance

PAGE = 50
"""People, or lines of the log, on one page."""


@dataclass(frozen=True, slots=True)
class Row:
    """One kind of agency in the grid; without a kind the whole class."""

    kind: OrganisationKind | None
    quota: int | None
    nominated: int
    waiting: int
    offered: int
    confirmed: int
    present: int

    @property
    def size(self) -> int:
        """Seats its bar stands for: the quota, or what is held where that is more."""
        return max(self.quota or 0, self.offered + self.confirmed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """One nomination in a list."""

    public_id: str
    name: str
    email: str
    organisation: str
    kind: OrganisationKind
    state: State
    nominated_by: str
    nominated_at: datetime
    expires_at: datetime | None
    """Until when an open offer holds."""
    letter_number: str
    letter_on: str
    present: bool


@dataclass(frozen=True, slots=True)
class Place:
    """Somebody on the waiting list, with their number in it and why they wait."""

    number: int
    person: Person
    is_kind_full: bool
    """The quota of their kind is used up."""
    has_quota: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """The seats of a class at a glance."""

    seating: Seating | None
    hall: Hall
    rows: list[Row]
    total: Row
    absent: list[str]
    """Kinds with a quota and nobody confirmed; `police` for both kinds of police."""
    queue: list[Place]
    """The first page of the waiting list."""
    people: list[Person]
    """One page of everybody else who was nominated, the newest first."""
    others: int
    """How many everybody else is."""

    @property
    def longest(self) -> int:
        """Seats of the longest bar."""
        return max([1, *(row.size for row in self.rows)])


def get_board(cohort: Cohort, *, now: datetime, first: int = 0) -> Board:
    """Return the seats of a class; a fixed number of queries however many people there are."""
    found = seating.find_seating(cohort.id)
    present = attendance.present_people(cohort.id)
    enrolled, invited = seats.count_enrolled(cohort.id), seats.count_invited(cohort.id)
    held = {kind.value: count for kind, count in (enrolled + invited).items()}
    if found is None:
        hall = Hall(Phase.QUOTA, 0, {}, held)
    else:
        hall = halls.read_hall(found, cohort, now, held)
    holders = seats.list_holders(cohort.id) if present else []
    came = Counter(one.kind for one in holders if one.person_id in present)
    nominated, waiting, others = _count_nominated(cohort.id)
    rows = [
        Row(
            kind,
            hall.quotas.get(kind),
            nominated[kind],
            waiting[kind],
            invited[kind],
            enrolled[kind],
            came[kind],
        )
        for kind in OrganisationKind
        if kind in hall.quotas or nominated[kind] or held.get(kind.value)
    ]
    line = db.session.scalars(_in_line(cohort.id).limit(PAGE)).all()
    rest = db.session.scalars(
        select(Nomination)
        .where(Nomination.cohort_id == cohort.id, Nomination.state != State.WAITING)
        .order_by(Nomination.nominated_at.desc(), Nomination.id.desc())
        .offset(first)
        .limit(PAGE)
    ).all()
    people = as_people([*line, *rest], {cohort.id: present})
    return Board(
        seating=found,
        hall=hall,
        rows=rows,
        total=_total(rows, hall),
        absent=rules.absent(hall.quotas, [kind.value for kind in enrolled if enrolled[kind]]),
        queue=[
            Place(number, one, not hall.left(one.kind), one.kind in hall.quotas)
            for number, one in enumerate(people[: len(line)], 1)
        ],
        people=people[len(line) :],
        others=others,
    )


def list_people(cohort: Cohort) -> Iterator[Person]:
    """Yield everybody who was nominated for a class in the order of nomination, for a file."""
    query = (
        select(Nomination)
        .where(Nomination.cohort_id == cohort.id)
        .order_by(Nomination.nominated_at, Nomination.id)
    )
    found = db.session.scalars(query).all()
    yield from as_people(found, {cohort.id: attendance.present_people(cohort.id)})


def _total(rows: Iterable[Row], hall: Hall) -> Row:
    rows = list(rows)
    return Row(
        None,
        hall.capacity,
        sum(row.nominated for row in rows),
        sum(row.waiting for row in rows),
        sum(row.offered for row in rows),
        sum(row.confirmed for row in rows),
        sum(row.present for row in rows),
    )


def _count_nominated(
    cohort_id: int,
) -> tuple[Counter[OrganisationKind], Counter[OrganisationKind], int]:
    """Count the people who were nominated and those who wait, by kind, and the rows of the others.

    One query. A person who was nominated twice counts once in each state.
    """
    people = func.count(Nomination.email.distinct())
    query = (
        select(Nomination.kind, Nomination.state, people, func.count())
        .where(Nomination.cohort_id == cohort_id)
        .group_by(Nomination.kind, Nomination.state)
    )
    nominated: Counter[OrganisationKind] = Counter()
    waiting: Counter[OrganisationKind] = Counter()
    others = 0
    for kind, state, count, rows in db.session.execute(query):
        if state is not State.WITHDRAWN:
            nominated[kind] += count
        if state is State.WAITING:
            waiting[kind] += count
        else:
            others += rows
    return nominated, waiting, others


def _in_line(cohort_id: int) -> Select[Nomination]:
    return (
        select(Nomination)
        .where(Nomination.cohort_id == cohort_id, Nomination.state == State.WAITING)
        .order_by(Nomination.nominated_at, Nomination.id)
    )


# The log


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of the waiting list's log as people read it."""

    id: int
    at: datetime
    step: Step
    why: Why | None
    name: str
    organisation: str
    kind: OrganisationKind
    actor: str | None
    note: str
    hall: Hall | None

    @property
    def counts(self) -> tuple[int, int]:
        """Seats this kind held when it was offered one, and its quota then."""
        if self.hall is None:
            return 0, 0
        return self.hall.held.get(self.kind, 0), self.hall.quotas.get(self.kind, 0)


def list_log(cohort: Cohort, *, before: int | None = None, limit: int = PAGE) -> list[LogLine]:
    """Return lines of the log, newest first; `before` is the id the previous page ended at."""
    query = (
        select(NominationEvent, Nomination)
        .join(Nomination, Nomination.id == NominationEvent.nomination_id)
        .where(NominationEvent.cohort_id == cohort.id)
        .order_by(NominationEvent.id.desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(NominationEvent.id < before)
    rows = db.session.execute(query).all()
    names = organisation_names(one.organisation_id for _event, one in rows)
    actors = accounts.names_of(event.actor_id for event, _one in rows if event.actor_id)
    return [
        LogLine(
            event.id,
            event.at,
            event.step,
            event.why,
            one.name,
            names[one.organisation_id],
            one.kind,
            actors.get(event.actor_id or 0),
            event.note,
            seating.unpacked(event.hall) if event.hall else None,
        )
        for event, one in rows
    ]


@dataclass(frozen=True, slots=True)
class Proof:
    """The log worked through again: how many offers there were, and which do not follow."""

    offers: int
    departures: list[int]
    """Ids of log lines."""


def prove(cohort: Cohort) -> Proof:
    """Build the waiting list again from the log alone and check each offer by the rule."""
    query = (
        select(NominationEvent, Nomination.nominated_at, Nomination.kind)
        .join(Nomination, Nomination.id == NominationEvent.nomination_id)
        .where(NominationEvent.cohort_id == cohort.id)
        .order_by(NominationEvent.id)
    )
    rows = db.session.execute(query).all()
    entries = [
        Entry(
            Waiting(at, event.nomination_id, kind.value),
            event.step,
            event.why,
            seating.unpacked(event.hall) if event.hall else None,
        )
        for event, at, kind in rows
    ]
    offers = sum(entry.step is Step.OFFERED for entry in entries)
    return Proof(offers, [rows[place][0].id for place in rules.departures(entries)])


# People


def as_people(found: Sequence[Nomination], present: Mapping[int, frozenset[int]]) -> list[Person]:
    """Return nominations as lists show them; four queries. `present` is by class."""
    names = organisation_names(one.organisation_id for one in found)
    nominators = accounts.names_of(one.nominated_by for one in found)
    replies = seats.replies_to(one.invitation_id for one in found if one.invitation_id)
    seated = seats.seated_pairs(
        (one.cohort_id, replies[one.invitation_id].person_id)
        for one in found
        if one.invitation_id in replies
    )
    people = []
    for one in found:
        reply = replies.get(one.invitation_id or 0)
        offer = None
        if reply:
            has_seat = (one.cohort_id, reply.person_id) in seated
            offer = rules.Offer(reply.expires_at, reply.accepted_at, reply.withdrawn_at, has_seat)
        state = rules.state_of(one.state, offer)
        people.append(
            Person(
                public_id=one.public_id,
                name=one.name,
                email=one.email,
                organisation=names[one.organisation_id],
                kind=one.kind,
                state=state,
                nominated_by=nominators[one.nominated_by],
                nominated_at=one.nominated_at,
                expires_at=reply.expires_at if reply and state is State.OFFERED else None,
                letter_number=one.letter_number,
                letter_on=one.letter_on,
                present=bool(
                    state is State.CONFIRMED
                    and reply
                    and reply.person_id in present.get(one.cohort_id, frozenset())
                ),
            )
        )
    return people
