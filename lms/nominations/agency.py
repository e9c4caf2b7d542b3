"""What an agency's officer sees: classes to nominate for, own people, own nominations."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select

from lms.accounts import services as accounts
from lms.cohorts import organisations, seats
from lms.cohorts.models import Cohort, Organisation, OrganisationKind, Part
from lms.cohorts.services import Seat
from lms.core.db import db
from lms.core.errors import NotFound
from lms.credentials import register
from lms.credentials.rules import Status
from lms.nominations import board, halls, rules
from lms.nominations.board import Person
from lms.nominations.models import Nomination, Seating, SeatQuota
from lms.nominations.rules import Phase, State
from lms.nominations.services import Letter, Nominee, Outcome, nominate_many

PEOPLE = 50
"""Own people offered on one page; a search finds the others."""
PAGE = 50


@dataclass(frozen=True, slots=True)
class Share:
    """What a class holds for one of the officer's kinds of agency."""

    kind: OrganisationKind
    quota: int
    left: int


@dataclass(frozen=True, slots=True)
class OpenClass:
    """A class the officer may nominate for."""

    cohort: Cohort
    nominate_until: datetime
    phase: Phase
    free: int
    """Seats of the class nobody holds."""
    shares: list[Share]
    """For the officer's kinds that have a quota; another kind waits."""
    own: Counter[State]
    """Own nominations, by stored state."""


@dataclass(frozen=True, slots=True)
class OwnNomination:
    """One nomination of the officer's agencies, in whichever class."""

    cohort: Cohort
    person: Person


@dataclass(frozen=True, slots=True)
class Desk:
    """The officer's start: open classes, and a page of own nominations, the newest first."""

    agencies: Sequence[Organisation]
    classes: list[OpenClass]
    nominations: list[OwnNomination]
    total: int


@dataclass(frozen=True, slots=True)
class Candidate:
    """One of the agency's own people, and what speaks for or against a nomination."""

    person_id: int
    public_id: str
    name: str
    organisation_id: int
    organisation: str
    is_seated: bool
    is_nominated: bool
    is_certified: bool

    @property
    def is_free(self) -> bool:
        """Tell whether they can be nominated for this class."""
        return not (self.is_seated or self.is_nominated)


@dataclass(frozen=True, slots=True)
class Sheet:
    """One class as the officer sees it: who could go, who was nominated."""

    found: OpenClass
    agencies: Sequence[Organisation]
    candidates: list[Candidate]
    people: int
    """How many of the own people fit the search; no more than PEOPLE are shown."""
    nominations: list[Person]


def agencies_of(officer_id: int) -> Sequence[Organisation]:
    """Return the organisations somebody nominates for."""
    return organisations.organisations_of(officer_id, Part.OFFICER)


def get_desk(officer_id: int, *, now: datetime, first: int = 0) -> Desk:
    """Return the officer's classes and nominations; a fixed number of queries."""
    agencies = agencies_of(officer_id)
    ours = Nomination.organisation_id.in_([one.id for one in agencies])
    found = db.session.scalars(
        select(Nomination)
        .where(ours)
        .order_by(Nomination.nominated_at.desc(), Nomination.id.desc())
        .offset(first)
        .limit(PAGE)
    ).all()
    classes = seats.classes_by_id(one.cohort_id for one in found)
    people = board.as_people(found, {})
    return Desk(
        agencies,
        open_classes(agencies, now),
        [
            OwnNomination(classes[one.cohort_id], person)
            for one, person in zip(found, people, strict=True)
        ],
        db.session.scalar(select(func.count()).select_from(Nomination).where(ours)) or 0,
    )


def open_classes(agencies: Sequence[Organisation], now: datetime) -> list[OpenClass]:
    """Return the classes in reach that have not begun: in the same city, or with a quota."""
    upcoming = {one.id: one for one in seats.list_upcoming((now - timedelta(days=1)).date())}
    seatings = {
        one.cohort_id: one
        for one in db.session.scalars(select(Seating).where(Seating.cohort_id.in_(upcoming)))
    }
    quotas: dict[int, list[SeatQuota]] = {cohort_id: [] for cohort_id in seatings}
    for row in db.session.scalars(select(SeatQuota).where(SeatQuota.cohort_id.in_(seatings))):
        quotas[row.cohort_id].append(row)
    own: dict[int, Counter[State]] = {cohort_id: Counter() for cohort_id in seatings}
    counted = (
        select(Nomination.cohort_id, Nomination.state, func.count())
        .where(Nomination.organisation_id.in_([one.id for one in agencies]))
        .where(Nomination.cohort_id.in_(seatings))
        .group_by(Nomination.cohort_id, Nomination.state)
    )
    for cohort_id, state, count in db.session.execute(counted):
        own[cohort_id][state] = count
    kinds = {one.kind for one in agencies}
    cities = {one.city.casefold() for one in agencies}
    found = []
    for cohort in upcoming.values():
        seat = seatings.get(cohort.id)
        if seat is None:
            continue
        phase = halls.phase_of(seat, cohort, now)
        shares = [
            Share(row.kind, row.seats, row.free) for row in quotas[cohort.id] if row.kind in kinds
        ]
        if phase is not Phase.CLOSED and (shares or cohort.city.casefold() in cities):
            own_here = own[cohort.id]
            found.append(OpenClass(cohort, seat.nominate_until, phase, seat.free, shares, own_here))
    return found


def get_class(officer_id: int, slug: str, *, now: datetime) -> tuple[OpenClass, list[Organisation]]:
    """Return a class the officer may nominate for, and for whom. Raises NotFound."""
    agencies = agencies_of(officer_id)
    for found in open_classes(agencies, now):
        if found.cohort.slug == slug:
            return found, list(agencies)
    raise NotFound(slug)


def get_sheet(officer_id: int, slug: str, *, search: str = "", now: datetime) -> Sheet:
    """Return a class with the officer's people and nominations. Raises NotFound."""
    found, agencies = get_class(officer_id, slug, now=now)
    own = db.session.scalars(
        select(Nomination)
        .where(Nomination.cohort_id == found.cohort.id)
        .where(Nomination.organisation_id.in_([one.id for one in agencies]))
        .order_by(Nomination.nominated_at.desc(), Nomination.id.desc())
        .limit(PAGE)
    ).all()
    wanted = search.casefold()
    people = [seat for seat in _own_people(officer_id) if wanted in seat.name.casefold()]
    shown = people[:PEOPLE]
    ids = [seat.person_id for seat in shown]
    emails = accounts.emails_of(ids)
    live = set(
        db.session.scalars(
            select(Nomination.email).where(
                Nomination.cohort_id == found.cohort.id, Nomination.state.in_(rules.LIVE)
            )
        )
    )
    seated = seats.seated_pairs((found.cohort.id, person_id) for person_id in ids)
    certified = {
        entry.person_id for entry in register.list_held(ids, now) if entry.status is Status.VALID
    }
    candidates = [
        Candidate(
            seat.person_id,
            seat.public_id,
            seat.name,
            seat.organisation_id,
            seat.organisation,
            is_seated=(found.cohort.id, seat.person_id) in seated,
            is_nominated=emails.get(seat.person_id) in live,
            is_certified=seat.person_id in certified,
        )
        for seat in shown
    ]
    return Sheet(found, agencies, candidates, len(people), board.as_people(own, {}))


def _own_people(officer_id: int) -> list[Seat]:
    """Return the people of the officer's agencies by name, each for the first of their agencies."""
    members = organisations.list_members_for(officer_id)
    return list({seat.person_id: seat for seat in reversed(members)}.values())[::-1]


def nominate(
    officer_id: int,
    slug: str,
    *,
    people: Iterable[str],
    typed: Iterable[tuple[str, str]],
    organisation: str,
    letter: Letter,
    now: datetime,
) -> list[Outcome]:
    """Nominate own people, by public id, and others by name and address. Flushes.

    `organisation` is the public id of the agency that sends the typed ones. Raises NotFound for
    what is not the officer's, NotOpen.
    """
    found, agencies = get_class(officer_id, slug, now=now)
    chosen = set(people)
    own = [seat for seat in _own_people(officer_id) if seat.public_id in chosen]
    if chosen - {seat.public_id for seat in own}:
        raise NotFound("person")
    emails = accounts.emails_of(seat.person_id for seat in own)
    rows = [Nominee(seat.organisation_id, seat.name, emails[seat.person_id]) for seat in own]
    typed = list(typed)
    if typed:
        sender = next((one for one in agencies if one.public_id == organisation), None)
        if sender is None:
            raise NotFound(organisation)
        rows += [Nominee(sender.id, name, email) for name, email in typed]
    return nominate_many(found.cohort.id, rows, actor_id=officer_id, now=now, letter=letter)


def find_own(officer_id: int, public_id: str) -> Nomination:
    """Return a nomination of one of the officer's agencies. Raises NotFound."""
    found = db.session.scalar(
        select(Nomination).where(
            Nomination.public_id == public_id,
            Nomination.organisation_id.in_([one.id for one in agencies_of(officer_id)]),
        )
    )
    if found is None:
        raise NotFound(public_id)
    return found
