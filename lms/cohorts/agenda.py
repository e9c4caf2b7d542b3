"""What people of a class see of it: who may look, when it meets, what guests hand out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time

from sqlalchemy import and_, select

from lms.accounts.models import Person
from lms.cohorts import services as cohorts
from lms.cohorts import speakers as guests
from lms.cohorts.guests.rules import access_ends_on, has_access
from lms.cohorts.models import (
    ClassSession,
    ClassState,
    Cohort,
    CohortStaff,
    Enrolment,
    Guest,
    Organisation,
    Part,
)
from lms.cohorts.speakers import AccessEnded, FileLine, Profile
from lms.cohorts.timetables.rules import HALVES, held_on
from lms.core.db import db
from lms.core.errors import NotFound
from lms.core.login import Viewer


@dataclass(frozen=True, slots=True)
class Look:
    """A class, and as what somebody looks at it."""

    cohort: Cohort
    person_id: int
    is_admin: bool
    is_seated: bool
    parts: frozenset[Part]

    @property
    def is_insider(self) -> bool:
        """Tell whether they learn or teach there, or look after it: guests come for an hour."""
        return self.is_admin or self.is_seated or bool(self.parts - {Part.SPEAKER})

    @property
    def is_staff(self) -> bool:
        """Tell whether they train or assess there, or look after it."""
        return self.is_admin or bool(self.parts - {Part.SPEAKER})

    @property
    def is_guest(self) -> bool:
        """Tell whether they speak there and may still look in."""
        return Part.SPEAKER in self.parts


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of the agenda."""

    title: str
    title_en: str
    jp: int
    lesson_code: str | None
    begins: time | None
    ends: time | None
    speaker: str | None
    is_own: bool
    """The reader speaks here."""


@dataclass(frozen=True, slots=True)
class HalfDay:
    """The morning or the afternoon of one day, with something in it."""

    half: str
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Day:
    """One day of the agenda."""

    number: int
    on: date
    halves: tuple[HalfDay, ...]
    jp: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Agenda:
    """The page of a class for the people in it."""

    cohort: Cohort
    host: str
    days: tuple[Day, ...]
    jp: int
    curricula: dict[str, str]
    profiles: Sequence[Profile]
    files: Sequence[FileLine]


def look(slug: str, viewer: Viewer, *, now: datetime) -> Look:
    """Return a class to somebody who belongs there; an administrator sees every one. One query.

    Raises NotFound, and AccessEnded for a guest whose time is over.
    """
    mine = and_(CohortStaff.cohort_id == Cohort.id, CohortStaff.person_id == viewer.id)
    seat = and_(Enrolment.cohort_id == Cohort.id, Enrolment.person_id == viewer.id)
    own = and_(Guest.cohort_id == Cohort.id, Guest.person_id == viewer.id)
    rows = db.session.execute(
        select(Cohort, CohortStaff.part, Enrolment.id, Guest.access_ends_on)
        .join(CohortStaff, mine, isouter=True)
        .join(Enrolment, seat, isouter=True)
        .join(Guest, own, isouter=True)
        .where(Cohort.slug == slug)
    ).all()
    is_admin = "admin" in viewer.roles
    if not rows or (rows[0][0].state is ClassState.DRAFT and not is_admin):
        raise NotFound(slug)
    cohort, _part, seat_id, chosen = rows[0]
    parts = {part for _cohort, part, _seat, _chosen in rows if part is not None}
    until = access_ends_on(chosen, cohort.ends_on)
    ended = not has_access(cohorts.today_in(cohort, now), until)
    staying = parts - {Part.SPEAKER} if ended else parts
    found = Look(cohort, viewer.id, is_admin, seat_id is not None, frozenset(staying))
    if not found.is_insider and not found.is_guest:
        if parts:
            raise AccessEnded(cohort.title, until)
        raise NotFound(slug)
    return found


def look_as_guest(slug: str, viewer: Viewer, *, now: datetime) -> Look:
    """Return a class to one of its guest speakers. Raises NotFound, AccessEnded."""
    found = look(slug, viewer, now=now)
    if not found.is_guest:
        raise NotFound(slug)
    return found


def read_agenda(found: Look) -> Agenda:
    """Return the page of a class. Guests see of each other only the names. Five queries."""
    cohort = found.cohort
    days = read_days(cohort, found.person_id)
    return Agenda(
        cohort=cohort,
        host=db.session.scalar(select(Organisation.name).where(Organisation.id == cohort.host_id))
        or "",
        days=days,
        jp=sum(day.jp for day in days),
        curricula=cohorts.list_curricula(cohort.id),
        profiles=guests.list_profiles(cohort.id) if found.is_insider else (),
        files=guests.list_files(cohort.id) if found.is_insider else (),
    )


def read_days(cohort: Cohort, person_id: int | None) -> tuple[Day, ...]:
    """Return the agenda by day. One query."""
    rows = db.session.execute(
        select(ClassSession, Person.name)
        .join(Person, Person.id == ClassSession.speaker_id, isouter=True)
        .where(ClassSession.cohort_id == cohort.id, cohorts.in_timetable())
        .order_by(*cohorts.IN_ORDER)
    ).all()
    last = max((session.day for session, _name in rows), default=0)
    return tuple(
        _day(number, cohort, last, [row for row in rows if row[0].day == number], person_id)
        for number in sorted({session.day for session, _name in rows})
    )


def _day(
    number: int,
    cohort: Cohort,
    last: int,
    rows: Sequence[tuple[ClassSession, str | None]],
    person_id: int | None,
) -> Day:
    items = {
        half: tuple(
            Item(
                title=session.title,
                title_en=session.title_en,
                jp=session.jp,
                lesson_code=session.lesson_code,
                begins=session.begins,
                ends=session.ends,
                speaker=name,
                is_own=session.speaker_id is not None and session.speaker_id == person_id,
            )
            for session, name in rows
            if session.half == half
        )
        for half in HALVES
    }
    return Day(
        number=number,
        on=held_on(number, last, cohort.starts_on, cohort.ends_on),
        halves=tuple(HalfDay(half, found) for half, found in items.items() if found),
        jp=sum(session.jp for session, _name in rows),
    )
