"""People note themselves by the code of the moment. Services flush; entry points commit."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from sqlalchemy import select, update

from lms.cohorts import seating
from lms.cohorts import services as cohorts
from lms.cohorts.models import Cohort
from lms.core import audit, throttle
from lms.core.clock import ZONES
from lms.core.db import db, insert_into
from lms.core.errors import DomainError
from lms.practice.attendance import rules, services
from lms.practice.attendance.models import Attendance, Opening, Way
from lms.practice.attendance.rules import Half, Mark, Standing
from lms.practice.attendance.services import Timetable

TRIES, WITHIN = 10, timedelta(minutes=10)
"""So many wrong codes, then a pause of so long."""
LATE_AFTER = 15
"""Minutes after the beginning until which somebody is on time, unless the trainer says else."""
LIVE = 50
"""Lines of the list that grows while people come in."""


class WrongCode(DomainError):
    """The code is not, or no longer, one of an open half day of a class they sit in."""


class OwnClass(DomainError):
    """Who opened the half day sees the code, so a colleague has to note them."""


@dataclass(frozen=True, slots=True)
class Begin:
    """What the form that opens a half day proposes: the hour and the minutes of grace."""

    at: time
    late_after: int


@dataclass(frozen=True, slots=True)
class Screen:
    """What stands on the big screen."""

    half: services.HalfLine
    halves: tuple[Half, ...]
    opening: Opening | None
    is_open: bool
    code: str
    """Empty unless it is open."""
    seconds: int
    """How long the code still stands there."""
    total: int
    begin: Begin


@dataclass(frozen=True, slots=True)
class Arrival:
    """Somebody who noted themselves, for the trainer to look at."""

    public_id: str
    name: str
    organisation: str
    mark: Mark
    at: datetime
    shares: tuple[str, ...]


class Result(StrEnum):
    """What became of showing the code."""

    RECORDED = "recorded"
    ALREADY = "already"
    BY_TRAINER = "by_trainer"


@dataclass(frozen=True, slots=True)
class CheckIn:
    """What became of it, and what is noted now."""

    result: Result
    cohort: Cohort
    half: Half
    mark: Mark


@dataclass(frozen=True, slots=True)
class MyHalf:
    """One half day as a companion sees their own attendance."""

    half: Half
    on: date
    mark: Mark | None
    is_open: bool


@dataclass(frozen=True, slots=True)
class MyClass:
    """One class somebody sits in, with their attendance."""

    cohort: Cohort
    halves: tuple[MyHalf, ...]


def open_half(cohort: Cohort, key: str, begin: Begin, *, actor_id: int, now: datetime) -> None:
    """Let people note themselves in a half day from now until it is closed or the day is over.

    The hour is one of today by the clock of the class. Raises NotFound. Flushes.
    """
    half = services.timetable_of(cohort).find(key)
    zone = ZONES[cohort.zone]
    begins = datetime.combine(now.astimezone(zone).date(), begin.at, zone)
    values = {
        "begins_at": begins,
        "late_after": begin.late_after,
        "opened_by": actor_id,
        "opened_at": now,
        "closed_at": None,
    }
    statement = insert_into(Opening).values(
        cohort_id=cohort.id, day=half.day, half=half.half, **values
    )
    db.session.execute(
        statement.on_conflict_do_update(
            index_elements=[Opening.cohort_id, Opening.day, Opening.half], set_=values
        )
    )
    audit.record(
        "attendance.open",
        f"cohort:{cohort.id}",
        actor_id=actor_id,
        now=now,
        half=half.key,
        begins=f"{begin.at:%H:%M}",
        late_after=begin.late_after,
    )


def close_half(cohort: Cohort, key: str, *, actor_id: int, now: datetime) -> None:
    """Take no codes any more; closing twice is closing once. Raises NotFound. Flushes."""
    half = services.timetable_of(cohort).find(key)
    # What is returned is sure on both databases; row counts are not.
    closed = db.session.execute(
        update(Opening)
        .where(
            Opening.cohort_id == cohort.id,
            Opening.day == half.day,
            Opening.half == half.half,
            Opening.closed_at.is_(None),
        )
        .values(closed_at=now)
        .returning(Opening.cohort_id)
    ).first()
    if closed is not None:
        audit.record(
            "attendance.close", f"cohort:{cohort.id}", actor_id=actor_id, now=now, half=half.key
        )


def get_screen(cohort: Cohort, key: str | None, *, secret: bytes, now: datetime) -> Screen:
    """Return what the big screen shows of a half day. Raises NotFound."""
    table = services.timetable_of(cohort)
    half = table.choose(cohort, key, now)
    opening = db.session.get(Opening, (cohort.id, half.day, half.half))
    is_open = opening is not None and _is_open(opening, cohort, now)
    return Screen(
        half=services.half_line(cohort, table, half),
        halves=tuple(table.days),
        opening=opening,
        is_open=is_open,
        code=rules.code_at(secret, cohort.id, half, rules.step_of(now)) if is_open else "",
        seconds=rules.seconds_left(now),
        total=seating.count_seats(cohort.id),
        begin=_begin(cohort, table, half, opening),
    )


def get_code(cohort: Cohort, key: str, *, secret: bytes, now: datetime) -> str | None:
    """Return the code of an open half day at this moment; None while it is not open."""
    table = services.timetable_of(cohort)
    half = table.find(key)
    opening = db.session.get(Opening, (cohort.id, half.day, half.half))
    if opening is None or not _is_open(opening, cohort, now):
        return None
    return rules.code_at(secret, cohort.id, half, rules.step_of(now))


def list_arrivals(cohort: Cohort, half: Half) -> list[Arrival]:
    """Return who noted themselves by code, the newest first; their note is the one that counts."""
    newest = services.newest_ids(cohort.id)
    rows = db.session.scalars(
        select(Attendance)
        .where(
            Attendance.id.in_(newest),
            Attendance.day == half.day,
            Attendance.half == half.half,
            Attendance.way == Way.CODE,
        )
        .order_by(Attendance.id.desc())
        .limit(LIVE)
    ).all()
    seats = {seat.person_id: seat for seat in cohorts.list_seats(cohort.id)}
    shares = services.shares_of(cohort.id, half)
    return [
        Arrival(
            public_id=seats[row.person_id].public_id,
            name=seats[row.person_id].name,
            organisation=seats[row.person_id].organisation,
            mark=Mark(row.presence),
            at=row.recorded_at,
            shares=shares.get(row.person_id, ()),
        )
        for row in rows
        if row.person_id in seats
    ]


def check_in(
    code: str,
    *,
    slug: str | None,
    person_id: int,
    shown_at: datetime,
    device: str,
    secret: bytes,
    now: datetime,
) -> CheckIn:
    """Note somebody who shows the code of the moment `shown_at`.

    With `slug` only in that class, else in every class they sit in. Who is noted already stays as
    noted. Raises WrongCode (count it with `count_wrong`), OwnClass, throttle.TooSoon. Flushes.
    """
    throttle.check_count(_key(person_id), TRIES, WITHIN, now)
    cohort, half, opening = _find(code, slug, person_id, shown_at, secret)
    if opening.opened_by == person_id:
        raise OwnClass(cohort.slug)
    services.lock(cohort)
    known = services.newest_marks(cohort.id, [person_id]).get((person_id, half))
    throttle.succeeded(_key(person_id))
    standing = rules.standing(known.presence if known else None)
    if known is not None and standing is not Standing.RECORD:
        return CheckIn(Result(standing.value), cohort, half, known)
    mark = Mark(rules.checked_in(shown_at, opening.begins_at, opening.late_after))
    services.note(
        cohort,
        services.timetable_of(cohort),
        half,
        {person_id: mark},
        by_id=person_id,
        vouched_by=opening.opened_by,
        way=Way.CODE,
        device=device,
        now=now,
    )
    return CheckIn(Result.RECORDED, cohort, half, mark)


def count_wrong(person_id: int, *, now: datetime) -> None:
    """Count a wrong code against somebody. Needs a unit of work of its own."""
    throttle.failed([_key(person_id)], now, forget=WITHIN)


def list_mine(person_id: int, *, now: datetime) -> list[MyClass]:
    """Return the newest classes somebody sits in with their attendance. Four queries."""
    classes = seating.classes_of(person_id)
    tables = services.timetables_of(classes)
    openings = {(one.cohort_id, Half(one.day, one.half)): one for one in _openings(classes)}
    marks = services.marks_of(person_id, [cohort.id for cohort in classes])
    return [
        MyClass(
            cohort,
            tuple(
                MyHalf(
                    half,
                    on,
                    marks.get((cohort.id, half)),
                    (cohort.id, half) in openings
                    and _is_open(openings[cohort.id, half], cohort, now),
                )
                for half, on in tables[cohort.id].days.items()
            ),
        )
        for cohort in classes
    ]


def has_seat(slug: str, person_id: int) -> bool:
    """Tell whether somebody sits in the class of this address. One query."""
    return any(cohort.slug == slug for cohort in seating.classes_of(person_id))


def _find(
    code: str, slug: str | None, person_id: int, shown_at: datetime, secret: bytes
) -> tuple[Cohort, Half, Opening]:
    classes = [
        cohort for cohort in seating.classes_of(person_id) if slug is None or cohort.slug == slug
    ]
    by_id = {cohort.id: cohort for cohort in classes}
    found = [
        (by_id[opening.cohort_id], Half(opening.day, opening.half), opening)
        for opening in _openings(classes)
        if _is_open(opening, by_id[opening.cohort_id], shown_at)
        and rules.fits(code, secret, opening.cohort_id, Half(opening.day, opening.half), shown_at)
    ]
    if not found:
        raise WrongCode(slug or "")
    return found[0]


def _openings(classes: Sequence[Cohort]) -> Sequence[Opening]:
    return db.session.scalars(
        select(Opening).where(Opening.cohort_id.in_([cohort.id for cohort in classes]))
    ).all()


def _is_open(opening: Opening, cohort: Cohort, moment: datetime) -> bool:
    return rules.is_open(opening.opened_at, opening.closed_at, moment, ZONES[cohort.zone])


def _begin(cohort: Cohort, table: Timetable, half: Half, opening: Opening | None) -> Begin:
    """Return what the trainer said last, else the timetable, else the usual hour."""
    if opening is not None:
        local = opening.begins_at.astimezone(ZONES[cohort.zone])
        return Begin(local.time().replace(second=0, microsecond=0), opening.late_after)
    return Begin(table.begins.get(half, rules.FIRST_HOUR.get(half.half, time(8))), LATE_AFTER)


def _key(person_id: int) -> str:
    return f"attendance:{person_id}"
