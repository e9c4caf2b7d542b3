"""What counts as attendance, which half days make a lesson, what one more note changes. Pure."""

import hashlib
import hmac
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from enum import StrEnum

from lms.core.errors import DomainError

NOON = 12
MOST_MINUTES = 480
"""Nobody attends more of a half day than this."""
LONGEST_NOTE = 200
SHORTEST_REASON = 5
"""Letters of the name of a class somebody typed, with the reason."""
FIRST_HOUR = {"am": time(8), "pm": time(13)}
"""When a half day begins where nobody has said another hour."""


@dataclass(frozen=True, slots=True, order=True)
class Half:
    """One half day of a class: day 1, 2, … and `am` or `pm`."""

    day: int
    half: str

    @property
    def key(self) -> str:
        """Name it in an address: `1am`."""
        return f"{self.day}{self.half}"


class Presence(StrEnum):
    """How somebody attended one half day."""

    PRESENT = "present"
    LATE = "late"
    PARTIAL = "partial"
    """Was there for a part of it only."""
    ABSENT = "absent"
    MADE_UP = "made_up"
    """Attended the same part in another class."""
    CLEARED = "cleared"
    """What was noted before is taken back: nothing is known."""

    @property
    def counts(self) -> bool:
        """Tell whether it is attendance. A part does not count until it is made up.

        Source: decision-rules 1, HDR.
        """
        return self in COUNTING


COUNTING = frozenset({Presence.PRESENT, Presence.LATE, Presence.MADE_UP})


class BadMark(DomainError):
    """A mark says too little: `minutes`, `elsewhere`, or it is no mark at all (`letter`)."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What is noted about one person and half day, with what a part or another class needs."""

    presence: Presence
    minutes: int | None = None
    """Of a part: how long."""
    note: str = ""
    """Of a part: which session. Of another class that is not kept here: which one and why."""
    elsewhere: str = ""
    """The address of the class it was made up in, if that is kept here."""

    @property
    def stamp(self) -> str:
        """Tell this mark from every other in a few letters, for a hidden field of a form."""
        if not (self.minutes or self.note or self.elsewhere):
            return self.presence.value
        details = f"{self.minutes or ''}\n{self.note}\n{self.elsewhere}"
        return f"{self.presence}:{hashlib.sha256(details.encode()).hexdigest()[:8]}"


def check_mark(mark: Mark) -> Mark:
    """Return a mark without what does not belong to it. Raises BadMark when something misses."""
    if mark.presence is Presence.PARTIAL:
        if not mark.note and mark.minutes is None:
            raise BadMark("minutes")
        if mark.minutes is not None and not 0 < mark.minutes <= MOST_MINUTES:
            raise BadMark("minutes")
        return Mark(mark.presence, mark.minutes, mark.note)
    if mark.presence is Presence.MADE_UP:
        if not mark.elsewhere and len(mark.note) < SHORTEST_REASON:
            raise BadMark("elsewhere")
        return Mark(mark.presence, note=mark.note, elsewhere=mark.elsewhere)
    return Mark(mark.presence)


LETTERS = {
    "h": Presence.PRESENT,
    "t": Presence.LATE,
    "l": Presence.LATE,
    "s": Presence.PARTIAL,
    "a": Presence.ABSENT,
}
"""What is written on paper: hadir, terlambat (or late), sebagian, absen."""


def read_letter(text: str) -> Mark | None:
    """Read what was keyed in from paper; nothing typed is no mark. Raises BadMark.

    `h`, `t` (or `l`), `a`; `s45` is 45 minutes.
    """
    found = re.fullmatch(r"([a-z])\s*(\d{0,3})", text.strip().lower(), re.ASCII)
    if found is None:
        if text.strip():
            raise BadMark("letter")
        return None
    presence = LETTERS.get(found[1])
    if presence is None or (found[2] and presence is not Presence.PARTIAL):
        raise BadMark("letter")
    return check_mark(Mark(presence, int(found[2]) if found[2] else None))


def written(mark: Mark) -> str:
    """Write a mark as it would be keyed in; empty for one that paper cannot say."""
    letter = next((key for key, value in LETTERS.items() if value is mark.presence), "")
    if mark.presence is not Presence.PARTIAL:
        return letter
    return f"{letter}{mark.minutes}" if mark.minutes and not mark.note else ""


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


def covers(
    here: Collection[str],
    half: Half,
    there: Mapping[str, frozenset[Half]],
    counted: Collection[Half],
) -> bool:
    """Tell whether attendance in another class makes up for a half day here.

    `here` are the lessons taught in `half`; `there` are the lessons of the other class with their
    half days, `counted` the half days attended there. Each lesson has to be attended there as a
    whole, or in the same part. Where no lesson is taught the same half day is enough.
    """
    if not here:
        return half in counted
    return all(
        lesson in there
        and (there[lesson] <= set(counted) or (half in there[lesson] and half in counted))
        for lesson in here
    )


def checked_in(moment: datetime, begins_at: datetime, late_after: int) -> Presence:
    """Return how somebody is noted who shows the code at `moment`: on time up to the last minute.

    The minute itself is not late: 08.15 with 15 minutes is on time until 08.15.59.
    """
    latest = begins_at + timedelta(minutes=late_after + 1)
    return Presence.PRESENT if moment < latest else Presence.LATE


def is_open(
    opened_at: datetime, closed_at: datetime | None, moment: datetime, here: tzinfo
) -> bool:
    """Tell whether people could note themselves: not closed yet, and the day it was opened on."""
    same_day = moment.astimezone(here).date() == opened_at.astimezone(here).date()
    return same_day and (closed_at is None or moment < closed_at)


STEP = 30
"""Seconds one code stands on the screen; it is taken for as long again."""
LENGTH = 6
ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Without what is taken for something else: 0 O, 1 I L, U V."""
GRACE = timedelta(minutes=10)
"""How long somebody may take to sign in after they showed the code."""


def code_at(secret: bytes, cohort_id: int, half: Half, step: int) -> str:
    """Return the code of one half day for one step of 30 seconds."""
    message = f"{cohort_id}:{half.key}:{step}".encode()
    number = int.from_bytes(hmac.digest(secret, message, "sha256"))
    letters = []
    for _position in range(LENGTH):
        number, rest = divmod(number, len(ALPHABET))
        letters.append(ALPHABET[rest])
    return "".join(letters)


def step_of(moment: datetime) -> int:
    """Return the number of the step a moment lies in."""
    return int(moment.timestamp()) // STEP


def seconds_left(moment: datetime) -> int:
    """Return how many seconds the code of this moment still stands on the screen, at least 1."""
    return STEP - int(moment.timestamp()) % STEP


def normal_code(typed: str) -> str:
    """Return what somebody typed as codes are written: capitals without blanks and dashes."""
    return "".join(letter for letter in typed.upper() if letter.isascii() and letter.isalnum())


def fits(code: str, secret: bytes, cohort_id: int, half: Half, moment: datetime) -> bool:
    """Tell whether a code is the one of this moment's step or of the one before."""
    now = step_of(moment)
    right = [code_at(secret, cohort_id, half, step) for step in (now, now - 1)]
    # Both are always compared, in a time that says nothing about how far they agree.
    return sum(hmac.compare_digest(code.encode(), one.encode()) for one in right) > 0


class Standing(StrEnum):
    """What becomes of somebody who shows the code."""

    RECORD = "record"
    ALREADY = "already"
    """They are noted as having been there."""
    BY_TRAINER = "by_trainer"
    """A trainer noted something else; only a trainer changes that."""


def standing(newest: Presence | None) -> Standing:
    """Say what a code does when this is noted already: it never changes what somebody noted."""
    if newest is None or newest is Presence.CLEARED:
        return Standing.RECORD
    return Standing.ALREADY if newest.counts else Standing.BY_TRAINER


def shared_devices(notes: Iterable[tuple[int, str | None]]) -> dict[int, frozenset[int]]:
    """Return who was noted from the same browser as somebody else, with whom.

    `notes` are (person id, browser); several notes of one person are one.
    """
    people: dict[str, set[int]] = {}
    for person_id, device in notes:
        if device:
            people.setdefault(device, set()).add(person_id)
    found: dict[int, frozenset[int]] = {}
    for together in people.values():
        for one in together if len(together) > 1 else ():
            found[one] = found.get(one, frozenset()) | (together - {one})
    return found


def row_code(public_id: str) -> str:
    """Return the short code of a person's row on paper: it stays when the list moves."""
    return public_id[:4].upper()


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


EXERCISES = (5, 10, 15, 20)
"""Minutes of an exercise that can be chosen; others are typed."""
LONGEST_EXERCISE = 180
BREAK = 15
"""Minutes of a break that is proposed."""
ROUNDED = 5
"""The hour after it is rounded up to so many minutes."""
HOUR = re.compile(r"([01]?[0-9]|2[0-3])[:.]([0-5][0-9])")


def read_minutes(text: str) -> int | None:
    """Return how many minutes an exercise takes, or None where that is no such number."""
    if not (text.isascii() and text.isdecimal() and len(text) < 4):
        return None
    minutes = int(text)
    return minutes if 0 < minutes <= LONGEST_EXERCISE else None


def read_hour(text: str) -> time | None:
    """Return the hour somebody wrote, as `10:15` or `10.15`, or None."""
    found = HOUR.fullmatch(text)
    return time(int(found[1]), int(found[2])) if found else None


def hour_after(local: datetime, minutes: int, step: int = 1) -> time:
    """Return the hour so many minutes from now, up to the next whole `step` of minutes."""
    reached = local + timedelta(minutes=minutes)
    whole = reached.replace(second=0, microsecond=0)
    if whole < reached:
        whole += timedelta(minutes=1)
    return (whole + timedelta(minutes=-whole.minute % step)).time()
