"""Which half days make an attended lesson, and what one more note changes. Pure."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

NOON = 12


@dataclass(frozen=True, slots=True, order=True)
class Half:
    """One half day of a class: day 1, 2, … and `am` or `pm`."""

    day: int
    half: str

    @property
    def key(self) -> str:
        """Name it in an address: `1am`."""
        return f"{self.day}{self.half}"


class Change(StrEnum):
    """What a note on the screen does to the list."""

    NONE = "none"
    APPEND = "append"
    OVERTAKEN = "overtaken"
    """A colleague noted something else after the screen was drawn."""


def lesson_halves(timetable: Iterable[tuple[Half, str | None]]) -> dict[str, frozenset[Half]]:
    """Return each in-person lesson with the half days that hold a part of it."""
    found: dict[str, frozenset[Half]] = {}
    for half, lesson in timetable:
        if lesson:
            found[lesson] = found.get(lesson, frozenset()) | {half}
    return found


def attended(lessons: Mapping[str, frozenset[Half]], counted: Collection[Half]) -> frozenset[str]:
    """Return the lessons all of whose half days are among `counted`."""
    return frozenset(lesson for lesson, halves in lessons.items() if halves <= set(counted))


def change(chosen: str, shown: str, newest: str) -> Change:
    """Say what to do with what somebody chose on a screen that showed `shown`.

    A row that was not touched never undoes what a colleague noted in the meantime. Empty texts
    stand for "nothing chosen" and "nothing noted".
    """
    if chosen in ("", shown, newest):
        return Change.NONE
    return Change.APPEND if shown == newest else Change.OVERTAKEN


def held_on(half: Half, last_day: int, starts_on: date, ends_on: date) -> date:
    """Return the date of a half day: the first and the last are known, others follow the first."""
    if half.day >= last_day > 1:
        return ends_on
    return min(starts_on + timedelta(days=half.day - 1), ends_on)


def newest_begun(days: Mapping[Half, date], local: datetime) -> Half:
    """Return the newest half day that has begun by the class's clock, or the first of all.

    An afternoon begins at noon. `days` must not be empty.
    """
    begun = [
        half
        for half, day in days.items()
        if (day, half.half == "pm") <= (local.date(), local.hour >= NOON)
    ]
    return max(begun, default=min(days))
