"""On which days a class meets, in which order, for how many hours, and what collides. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, time, timedelta
from enum import StrEnum

from lms.core.errors import DomainError

HALVES = ("am", "pm")
NOON = time(12)
MOST_DAYS = 5
"""Days a timetable may have; the pattern has two."""
LONGEST_CLASS = timedelta(days=30)
"""From the first day to the last: a class may pause over a weekend, not over a season."""
MOST_ENTRIES = 40

HalfDay = tuple[int, str]
"""A day from 1, and `am` or `pm`."""


class BadDates(DomainError):
    """The days of a class are in the wrong `order`, too far apart (`long`) or too few (`days`)."""


class CannotMove(DomainError):
    """The entry stands at the edge of the timetable already."""


class ClockProblem(StrEnum):
    """What the clock times of a timetable contradict. It warns: sessions may run in parallel."""

    OVERLAP = "overlap"
    ORDER = "order"
    HALF = "half"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of a timetable, as far as its rules need it. A timetable is in order."""

    id: int
    day: int
    half: str
    jp: int = 0
    lesson: str | None = None
    begins: time | None = None
    ends: time | None = None

    @property
    def when(self) -> HalfDay:
        """Return its half day."""
        return self.day, self.half


@dataclass(frozen=True, slots=True)
class Difference:
    """A lesson whose hours in the timetable are not those of the pattern."""

    lesson: str
    planned: int
    wanted: int


@dataclass(frozen=True, slots=True)
class Sums:
    """Training hours of a timetable."""

    halves: Mapping[HalfDay, int]
    days: Mapping[int, int]
    lessons: int
    """In entries that teach a lesson of a curriculum."""
    total: int


@dataclass(frozen=True, slots=True)
class Clash:
    """A contradiction of clock times: the entry, and the one before it that it collides with."""

    problem: ClockProblem
    id: int
    other: int | None = None


def class_days(starts_on: date, ends_on: date) -> int:
    """Return how many days the timetable of a class may use."""
    return min(MOST_DAYS, (ends_on - starts_on).days + 1)


def check_dates(starts_on: date, ends_on: date, last_day: int = 0) -> None:
    """Let the days of a class pass or raise BadDates. `last_day`: the last day with an entry."""
    if ends_on < starts_on:
        raise BadDates("order")
    if ends_on - starts_on > LONGEST_CLASS:
        raise BadDates("long")
    if last_day > class_days(starts_on, ends_on):
        raise BadDates("days")


def held_on(day: int, last_day: int, starts_on: date, ends_on: date) -> date:
    """Return the date of a day of the timetable, whose last day with entries is `last_day`.

    The first and the last are known; those between follow the first.
    """
    if day >= last_day > 1:
        return ends_on
    return min(starts_on + timedelta(days=day - 1), ends_on)


def has_begun(today: date, starts_on: date) -> bool:
    """Tell whether a class has begun: what changes now needs a reason."""
    return today >= starts_on


def places(timetable: Iterable[Entry]) -> dict[int, tuple[int, str, int]]:
    """Return day, half and position, from 1 in each half day, of every entry by its id."""
    counted: dict[HalfDay, int] = {}
    found: dict[int, tuple[int, str, int]] = {}
    for entry in timetable:
        counted[entry.when] = counted.get(entry.when, 0) + 1
        found[entry.id] = (*entry.when, counted[entry.when])
    return found


def put(timetable: Sequence[Entry], entry: Entry, at: int | None = None) -> list[Entry]:
    """Return the timetable with `entry` as the `at`-th of its half day (from 1), else as the last.

    An entry that stands in that half day already stays where it is unless `at` is given.
    """
    if at is None and any(one.id == entry.id and one.when == entry.when for one in timetable):
        return [entry if one.id == entry.id else one for one in timetable]
    others = [one for one in timetable if one.id != entry.id]
    before = [one for one in others if _key(one.when) < _key(entry.when)]
    same = [one for one in others if one.when == entry.when]
    place = len(same) if at is None else at - 1
    after = others[len(before) + len(same) :]
    return [*before, *same[:place], entry, *same[place:], *after]


def move(timetable: Sequence[Entry], entry_id: int, step: int, days: int) -> list[Entry]:
    """Return the timetable with one entry a place earlier (-1) or later (1).

    At the edge of its half day it goes into the next one. Raises CannotMove.
    """
    place = next(n for n, one in enumerate(timetable) if one.id == entry_id)
    entry, to = timetable[place], place + step
    if 0 <= to < len(timetable) and timetable[to].when == entry.when:
        moved = list(timetable)
        moved[place], moved[to] = moved[to], moved[place]
        return moved
    there = _key(entry.when)[0] * 2 + _key(entry.when)[1] + step
    day, half = there // 2, HALVES[there % 2]
    if not 1 <= day <= max(days, entry.day):
        raise CannotMove(str(entry_id))
    return put(timetable, replace(entry, day=day, half=half), at=1 if step > 0 else None)


def _key(when: HalfDay) -> tuple[int, int]:
    return when[0], HALVES.index(when[1])


def sums(timetable: Iterable[Entry]) -> Sums:
    """Add up the training hours of a timetable."""
    halves: dict[HalfDay, int] = {}
    days: dict[int, int] = {}
    lessons = 0
    for entry in timetable:
        halves[entry.when] = halves.get(entry.when, 0) + entry.jp
        days[entry.day] = days.get(entry.day, 0) + entry.jp
        lessons += entry.jp if entry.lesson else 0
    return Sums(halves, days, lessons, sum(days.values()))


def lesson_hours(timetable: Iterable[Entry], curricula: Iterable[str] = ()) -> dict[str, int]:
    """Return lesson to training hours; with `curricula` only lessons of these (K1.T is of K1)."""
    wanted = frozenset(curricula)
    found: dict[str, int] = {}
    for entry in timetable:
        if entry.lesson and (not wanted or entry.lesson.partition(".")[0] in wanted):
            found[entry.lesson] = found.get(entry.lesson, 0) + entry.jp
    return found


def differences(planned: Mapping[str, int], wanted: Mapping[str, int]) -> list[Difference]:
    """Return the lessons whose hours differ from the pattern, those missing among them."""
    return [
        Difference(lesson, planned.get(lesson, 0), wanted.get(lesson, 0))
        for lesson in sorted({*planned, *wanted})
        if planned.get(lesson, 0) != wanted.get(lesson, 0)
    ]


def clashes(timetable: Sequence[Entry]) -> list[Clash]:
    """Return where clock times contradict each other or the half day, in order."""
    found: list[Clash] = []
    for place, entry in enumerate(timetable):
        if entry.begins is None:
            continue
        if (entry.begins >= NOON) is (entry.half == "am"):
            found.append(Clash(ClockProblem.HALF, entry.id))
        for other in timetable[:place]:
            if other.day != entry.day or other.begins is None:
                continue
            if other.half == entry.half and entry.begins < other.begins:
                found.append(Clash(ClockProblem.ORDER, entry.id, other.id))
            elif _overlap(other, entry):
                found.append(Clash(ClockProblem.OVERLAP, entry.id, other.id))
    return found


def _overlap(one: Entry, other: Entry) -> bool:
    if one.begins is None or one.ends is None or other.begins is None or other.ends is None:
        return False
    return one.begins < other.ends and other.begins < one.ends


def span(timetable: Iterable[Entry]) -> tuple[time, time] | None:
    """Return from when to when the entries last by the clock; None where no time is set."""
    timed = [(one.begins, one.ends) for one in timetable if one.begins and one.ends]
    if not timed:
        return None
    return min(begins for begins, _ends in timed), max(ends for _begins, ends in timed)
