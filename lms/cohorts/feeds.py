"""Calendars for programs: secret addresses, and what stands in them. Services flush.

An address opens its calendar to whoever has it, so it holds 256 random bits, only their hash is
stored, and its owner can change or end it at any time. What it tells is neutral: days, hours and
place, never what is taught.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import groupby

from sqlalchemy import Select, or_, select, update

from lms.accounts import services as accounts
from lms.accounts.models import Person
from lms.cohorts import services as cohorts
from lms.cohorts.guests.rules import access_ends_on, has_access
from lms.cohorts.models import (
    CalendarFeed,
    ClassSession,
    ClassState,
    Cohort,
    CohortStaff,
    Enrolment,
    Guest,
    Part,
)
from lms.cohorts.timetables.rules import Entry, held_on, span
from lms.core import audit
from lms.core.clock import ZONES
from lms.core.db import db, insert_once
from lms.core.errors import NotFound
from lms.core.ids import hash_token, new_token
from lms.core.login import Viewer

KEPT = timedelta(days=180)
"""How long a class that has ended stays in the calendars."""
TRIES = 3
"""Addresses one owner may make at the same moment before somebody is refused."""

Line = tuple[ClassSession, Cohort, int | None]
"""An entry of a timetable, its class, and the last day of that timetable."""


@dataclass(frozen=True, slots=True)
class Event:
    """One half day of a class, or one session a guest gives."""

    key: str
    """Names it for ever: the address of the class, the day and half."""
    slug: str
    day: int
    half: str
    is_own: bool
    """Its owner speaks here."""
    begins: datetime | date
    """A date where the timetable gives no hours: then it takes the whole day."""
    ends: datetime | date
    place: str
    stamp: datetime


@dataclass(frozen=True, slots=True)
class Calendar:
    """What one address answers."""

    locale: str
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class FeedLine:
    """One address in its owner's list."""

    slug: str
    """Of its class; empty for the owner's own sessions."""
    title: str
    created_at: datetime


def make_feed(owner_id: int, cohort_id: int | None, *, now: datetime) -> str:
    """Return a new secret for a calendar; the address before it ends. Flushes.

    Without a class it is the calendar of what the owner takes part in.
    """
    for _try in range(TRIES):
        _end(owner_id, cohort_id, now)
        token = new_token()
        if insert_once(
            CalendarFeed,
            token_hash=hash_token(token),
            owner_id=owner_id,
            cohort_id=cohort_id,
            created_at=now,
        ):
            audit.record(
                "cohorts.calendar", _subject(owner_id, cohort_id), actor_id=owner_id, now=now
            )
            return token
    raise NotFound(str(owner_id))  # somebody presses the button again and again, all at once


def end_feed(owner_id: int, cohort_id: int | None, *, now: datetime) -> None:
    """End a secret address. Raises NotFound when there is none. Flushes."""
    if not _end(owner_id, cohort_id, now):
        raise NotFound(str(owner_id))
    audit.record("cohorts.calendar_end", _subject(owner_id, cohort_id), actor_id=owner_id, now=now)


def _subject(owner_id: int, cohort_id: int | None) -> str:
    return f"cohort:{cohort_id}" if cohort_id else f"person:{owner_id}"


def _end(owner_id: int, cohort_id: int | None, now: datetime) -> bool:
    same = CalendarFeed.cohort_id == cohort_id if cohort_id else CalendarFeed.cohort_id.is_(None)
    ended = db.session.execute(
        update(CalendarFeed)
        .where(CalendarFeed.owner_id == owner_id, same, CalendarFeed.revoked_at.is_(None))
        .values(revoked_at=now)
        .returning(CalendarFeed.id)
    ).all()
    return bool(ended)


def list_feeds(owner_id: int) -> list[FeedLine]:
    """Return the addresses of an owner that are in force, the own one first. One query."""
    rows = db.session.execute(
        select(Cohort.slug, Cohort.title, CalendarFeed.created_at)
        .join(Cohort, Cohort.id == CalendarFeed.cohort_id, isouter=True)
        .where(CalendarFeed.owner_id == owner_id, CalendarFeed.revoked_at.is_(None))
        .order_by(CalendarFeed.cohort_id.is_not(None), Cohort.starts_on.desc())
    )
    return [FeedLine(slug or "", title or "", created_at) for slug, title, created_at in rows]


def read_calendar(token: str, *, now: datetime) -> Calendar:
    """Return what a secret address tells. Raises NotFound when it leads nowhere (any more).

    Three queries at most.
    """
    row = db.session.execute(
        select(CalendarFeed.owner_id, CalendarFeed.cohort_id, Person.locale)
        .join(Person, Person.id == CalendarFeed.owner_id)
        .where(
            CalendarFeed.token_hash == hash_token(token),
            CalendarFeed.revoked_at.is_(None),
            Person.disabled_at.is_(None),
        )
    ).first()
    if row is None:
        raise NotFound("calendar")
    if row.cohort_id is None:
        return Calendar(row.locale, own_events(row.owner_id, now=now))
    if not _looks_after(row.owner_id, row.cohort_id):
        raise NotFound("calendar")
    return Calendar(row.locale, class_events(row.cohort_id))


def _looks_after(person_id: int, cohort_id: int) -> bool:
    """Tell whether somebody still trains or assesses in a class, or administers everything."""
    parts = cohorts.staffed_by(person_id, Part.TRAINER, Part.ASSESSOR)
    works = db.session.scalar(parts.where(CohortStaff.cohort_id == cohort_id).limit(1))
    return works is not None or "admin" in accounts.roles_of(person_id)


def class_events(cohort_id: int) -> tuple[Event, ...]:
    """Return the half days of a class. One query."""
    rows = db.session.execute(_lines().where(Cohort.id == cohort_id))
    return tuple(_half_days((row[0], row[1], row[2]) for row in rows))


def own_events(person_id: int, *, now: datetime) -> tuple[Event, ...]:
    """Return what somebody takes part in: half days of classes, and sessions they give. One query.

    A guest finds a session for as long as the access lasts.
    """
    seats = select(Enrolment.cohort_id).where(Enrolment.person_id == person_id)
    works = cohorts.staffed_by(person_id, Part.TRAINER, Part.ASSESSOR)
    speaks = cohorts.staffed_by(person_id, Part.SPEAKER)
    inside = or_(Cohort.id.in_(seats), Cohort.id.in_(works))
    until = (
        select(Guest.access_ends_on)
        .where(Guest.cohort_id == Cohort.id, Guest.person_id == person_id)
        .scalar_subquery()
    )
    gives = (ClassSession.speaker_id == person_id) & Cohort.id.in_(speaks)
    rows = db.session.execute(
        _lines()
        .add_columns(inside, until)
        .where(or_(inside, gives), Cohort.ends_on >= now.date() - KEPT)
    ).all()
    found: list[Event] = []
    for _cohort_id, group in groupby(rows, key=lambda row: row[1].id):
        lines = list(group)
        _session, cohort, _last, is_inside, chosen = lines[0]
        if is_inside:
            found += _half_days((line[0], line[1], line[2]) for line in lines)
        elif has_access(cohorts.today_in(cohort, now), access_ends_on(chosen, cohort.ends_on)):
            found += [_event([line[0]], cohort, line[2], is_own=True) for line in lines]
    return tuple(found)


def may_make_class_feed(viewer: Viewer, cohort_id: int) -> bool:
    """Tell whether somebody may make the calendar of a class."""
    return _looks_after(viewer.id, cohort_id)


def _lines() -> Select[ClassSession, Cohort, int | None]:
    return (
        select(ClassSession, Cohort, cohorts.last_day_of_cohort())
        .join(Cohort, Cohort.id == ClassSession.cohort_id)
        .where(Cohort.state == ClassState.OPEN, cohorts.in_timetable())
        .order_by(Cohort.starts_on, Cohort.id, *cohorts.IN_ORDER)
    )


def _half_days(lines: Iterable[Line]) -> list[Event]:
    """Return one event for each half day of one class."""
    found: list[Event] = []
    for _when, group in groupby(lines, key=lambda line: (line[0].day, line[0].half)):
        own = list(group)
        found.append(_event([line[0] for line in own], own[0][1], own[0][2], is_own=False))
    return found


def _event(
    sessions: Sequence[ClassSession], cohort: Cohort, last: int | None, *, is_own: bool
) -> Event:
    first = sessions[0]
    on = held_on(first.day, last or first.day, cohort.starts_on, cohort.ends_on)
    hours = span(
        Entry(id=one.id, day=one.day, half=one.half, begins=one.begins, ends=one.ends)
        for one in sessions
    )
    begins: datetime | date = on
    ends: datetime | date = on + timedelta(days=1)
    if hours is not None:
        zone = ZONES[cohort.zone]
        begins, ends = (datetime.combine(on, hour, zone).astimezone(UTC) for hour in hours)
    return Event(
        key=f"{cohort.slug}-{first.day}{first.half}" + (f"-{first.id}" if is_own else ""),
        slug=cohort.slug,
        day=first.day,
        half=first.half,
        is_own=is_own,
        begins=begins,
        ends=ends,
        place=", ".join(filter(None, [cohort.place, cohort.city])),
        stamp=cohort.changed_at or cohort.created_at,
    )
