"""What organisers do with the timetable of a class: fill, add, change, move, take out, put back.

Every change locks the class first, so that two people never work on different lists. Services
flush.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time

from sqlalchemy import select

from lms.cohorts import services as cohorts
from lms.cohorts.models import ClassSession, ClassState, Cohort, Part
from lms.cohorts.timetable import pattern
from lms.cohorts.timetables import rules
from lms.cohorts.timetables.rules import Clash, Difference, Entry, Sums
from lms.core import audit
from lms.core.db import db
from lms.core.errors import DomainError, NotFound


class ReasonNeeded(DomainError):
    """The class has begun: say why its timetable changes."""


class TooManyEntries(DomainError):
    """The timetable has as many entries as it may have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Who changes a timetable, when and why."""

    actor_id: int
    now: datetime
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryData:
    """What organisers fill in for one entry of a timetable."""

    day: int
    half: str
    title: str
    title_en: str
    jp: int
    lesson_code: str | None = None
    begins: time | None = None
    ends: time | None = None
    speaker_id: int | None = None


@dataclass(frozen=True, slots=True)
class Half:
    """One half day of a timetable."""

    half: str
    entries: tuple[ClassSession, ...]
    jp: int


@dataclass(frozen=True, slots=True)
class Day:
    """One day of a timetable; its halves in order, empty ones too."""

    number: int
    halves: tuple[Half, ...]
    jp: int
    is_outside: bool
    """The class is shorter than its timetable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A timetable with its sums and what is odd about it."""

    days: tuple[Day, ...]
    sums: Sums
    differences: tuple[Difference, ...]
    """From the pattern of content/timetable.yaml, in the curricula the class covers."""
    clashes: tuple[Clash, ...]
    titles: dict[int, tuple[str, str]]
    """Entry id to title in both languages."""


def fill(days: int) -> list[cohorts.Timetabled]:
    """Return the pattern a new class of so many days begins with."""
    return [entry for entry in pattern() if entry.day <= days]


def read_plan(cohort: Cohort) -> Plan:
    """Return the timetable of a class by day and half. Two queries."""
    sessions, curricula = cohorts.list_sessions(cohort.id), cohorts.list_curricula(cohort.id)
    entries = [_entry(one) for one in sessions]
    found, length = rules.sums(entries), rules.class_days(cohort.starts_on, cohort.ends_on)
    last = max([length, *(one.day for one in sessions)])
    given = [
        Entry(id=n, day=one.day, half=one.half, jp=one.jp, lesson=one.lesson_code)
        for n, one in enumerate(pattern())
    ]
    wanted = rules.lesson_hours(given, curricula)
    planned = rules.lesson_hours(entries, curricula)
    return Plan(
        days=tuple(_day(number, sessions, found, number > length) for number in range(1, last + 1)),
        sums=found,
        differences=tuple(rules.differences(planned, wanted)),
        clashes=tuple(rules.clashes(entries)),
        titles={one.id: (one.title, one.title_en) for one in sessions},
    )


def _day(number: int, sessions: Sequence[ClassSession], sums: Sums, is_outside: bool) -> Day:
    halves = tuple(
        Half(
            half,
            tuple(one for one in sessions if (one.day, one.half) == (number, half)),
            sums.halves.get((number, half), 0),
        )
        for half in rules.HALVES
    )
    return Day(number, halves, sums.days.get(number, 0), is_outside)


def get_entry(cohort_id: int, entry_id: int) -> ClassSession:
    """Return one entry of the timetable of a class. Raises NotFound."""
    found = db.session.scalar(
        select(ClassSession).where(
            ClassSession.id == entry_id,
            ClassSession.cohort_id == cohort_id,
            cohorts.in_timetable(),
        )
    )
    if found is None:
        raise NotFound(str(entry_id))
    return found


def needs_reason(cohort: Cohort, now: datetime) -> bool:
    """Tell whether a change of the timetable has to be explained: the class has begun."""
    if cohort.state is ClassState.DRAFT:
        return False
    return rules.has_begun(cohorts.today_in(cohort, now), cohort.starts_on)


def find_speaker(cohort_id: int, public_id: str) -> int | None:
    """Return the person of a guest speaker of the class; None for an empty id. Raises NotFound."""
    if not public_id:
        return None
    for line in cohorts.list_staff(cohort_id):
        if line.part is Part.SPEAKER and line.public_id == public_id:
            return line.person_id
    raise NotFound(public_id)


def add_entry(cohort: Cohort, data: EntryData, change: Change) -> ClassSession:
    """Put a new entry at the end of its half day. Raises ReasonNeeded, TooManyEntries. Flushes."""
    entries = _begin(cohort, change)
    _check_day(cohort, data.day)
    _check_room(entries)
    session = ClassSession(cohort_id=cohort.id, position=_free(entries, data), **_values(data))
    db.session.add(session)
    db.session.flush()
    _record(cohort, session, "add", change)
    return session


def change_entry(cohort: Cohort, entry_id: int, data: EntryData, change: Change) -> None:
    """Change an entry; in another half day it becomes the last. Raises NotFound, ReasonNeeded."""
    entries = _begin(cohort, change)
    session = get_entry(cohort.id, entry_id)
    values = _values(data)
    if data.day != session.day:
        _check_day(cohort, data.day)
    before = {name: getattr(session, name) for name in values}
    if before == values:
        return
    moved = rules.put(entries, Entry(id=entry_id, day=data.day, half=data.half))
    for name in values.keys() - {"day", "half"}:
        setattr(session, name, values[name])
    _arrange(entries, moved)
    changed = {
        name: [_plain(before[name]), _plain(value)]
        for name, value in values.items()
        if before[name] != value
    }
    _record(cohort, session, "change", change, changed=changed)


def move_entry(cohort: Cohort, entry_id: int, step: int, change: Change) -> None:
    """Move an entry a place earlier (-1) or later (1).

    Raises NotFound, ReasonNeeded, rules.CannotMove. Flushes.
    """
    entries = _begin(cohort, change)
    session = get_entry(cohort.id, entry_id)
    days = rules.class_days(cohort.starts_on, cohort.ends_on)
    _arrange(entries, rules.move(entries, entry_id, step, days))
    _record(cohort, session, "move", change, step=step)


def remove_entry(cohort: Cohort, entry_id: int, change: Change) -> None:
    """Take an entry out of the timetable. Raises NotFound, ReasonNeeded. Flushes."""
    entries = _begin(cohort, change)
    session = get_entry(cohort.id, entry_id)
    session.removed_at, session.position = change.now, -session.id
    db.session.flush()
    _arrange(entries, [one for one in entries if one.id != entry_id])
    _record(cohort, session, "remove", change)


def restore_entry(cohort: Cohort, entry_id: int, change: Change) -> None:
    """Put an entry that was taken out back, as the last of its half day.

    Raises NotFound, ReasonNeeded, TooManyEntries. Flushes.
    """
    entries = _begin(cohort, change)
    _check_room(entries)
    removed = select(ClassSession).where(
        ClassSession.id == entry_id,
        ClassSession.cohort_id == cohort.id,
        ClassSession.removed_at.is_not(None),
    )
    session = db.session.scalar(removed)
    if session is None:
        raise NotFound(str(entry_id))
    session.day = min(session.day, rules.class_days(cohort.starts_on, cohort.ends_on))
    session.removed_at, session.position = None, _free(entries, session)
    db.session.flush()
    _record(cohort, session, "restore", change)


def _begin(cohort: Cohort, change: Change) -> list[Entry]:
    """Lock the class and return its timetable as it is now."""
    cohorts.lock(cohort)
    if needs_reason(cohort, change.now) and not change.reason:
        raise ReasonNeeded(cohort.slug)
    cohort.changed_at = change.now
    return [_entry(one) for one in cohorts.list_sessions(cohort.id)]


def _check_day(cohort: Cohort, day: int) -> None:
    if not 1 <= day <= rules.class_days(cohort.starts_on, cohort.ends_on):
        raise NotFound(f"day {day}")


def _check_room(entries: Sequence[Entry]) -> None:
    if len(entries) >= rules.MOST_ENTRIES:
        raise TooManyEntries(str(len(entries)))


def _free(entries: Iterable[Entry], at: EntryData | ClassSession) -> int:
    return 1 + sum(one.when == (at.day, at.half) for one in entries)


def _entry(session: ClassSession) -> Entry:
    return Entry(
        id=session.id,
        day=session.day,
        half=session.half,
        jp=session.jp,
        lesson=session.lesson_code,
        begins=session.begins,
        ends=session.ends,
    )


def _values(data: EntryData) -> dict[str, object]:
    return {name: getattr(data, name) for name in EntryData.__slots__}


def _arrange(before: Sequence[Entry], after: Sequence[Entry]) -> None:
    """Write the new places; first away from the old ones, so that no two rows share a place."""
    places, old = rules.places(after), rules.places(before)
    moved = [key for key, place in places.items() if old.get(key) != place]
    rows = {
        row.id: row
        for row in db.session.scalars(select(ClassSession).where(ClassSession.id.in_(moved)))
    }
    for row in rows.values():
        row.position = -row.id
    db.session.flush()
    for key, row in rows.items():
        row.day, row.half, row.position = places[key]
    db.session.flush()


def _record(
    cohort: Cohort, session: ClassSession, act: str, change: Change, **detail: object
) -> None:
    if change.reason:
        detail["reason"] = change.reason
    audit.record(
        "cohorts.timetable",
        f"cohort:{cohort.id}",
        actor_id=change.actor_id,
        now=change.now,
        act=act,
        entry=session.id,
        title=session.title,
        **detail,
    )


def _plain(value: object) -> object:
    return value.strftime("%H.%M") if isinstance(value, time) else value
