"""Lists to check, shifts and their gaps, the stages of a complaint. Pure."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from enum import StrEnum

from lms.core.errors import DomainError

# Lists of papers

MOST_ROWS = 200
"""Rows of one list that are checked at once."""
LONGEST_ASKED, LONGEST_NAME = 100, 200
HEADINGS = frozenset(
    {"kode", "nomor", "no", "no.", "kode atau nomor", "kode/nomor", "code", "number"}
    | {f"{one} sertifikat" for one in ("kode", "nomor", "no", "no.", "kode atau nomor")}
)
"""What the first cell of a line of headings may say."""


class TooManyRows(DomainError):
    """A list has more rows than are checked at once; `count` says how many."""

    def __init__(self, count: int) -> None:
        super().__init__(count)
        self.count = count


@dataclass(frozen=True, slots=True)
class Asked:
    """One row of a list: its line there, a code or number, and a name."""

    line: int
    code: str
    name: str


def rows_of(lines: Iterable[tuple[int, Sequence[str]]]) -> list[Asked]:
    """Return the rows of a list without its headings. Raises TooManyRows.

    A name may hold commas, which cut it into cells: all behind the first cell is the name.
    """
    rows = [
        Asked(
            number,
            cells[0].strip()[:LONGEST_ASKED],
            ", ".join(cell.strip() for cell in cells[1:] if cell.strip())[:LONGEST_NAME],
        )
        for number, cells in lines
    ]
    if rows and rows[0].code.casefold() in HEADINGS:
        rows = rows[1:]
    if len(rows) > MOST_ROWS:
        raise TooManyRows(len(rows))
    return rows


# Duty

RISK_UNIT = "03"
"""The unit of the standard "Melakukan asesmen risiko"."""
DAY_BEGINS, NIGHT_BEGINS = time(7), time(19)


class Shift(StrEnum):
    """The two halves of a day of duty."""

    DAY = "day"
    NIGHT = "night"


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """From one moment to another, the second not included."""

    begins: datetime
    ends: datetime

    def covers(self, at: datetime) -> bool:
        """Tell whether a moment lies within."""
        return self.begins <= at < self.ends


def assesses_risk(units: Iterable[str]) -> bool:
    """Tell whether a certificate over these units makes somebody an assessor of risk."""
    return RISK_UNIT in units


def span_of(day: date, shift: Shift, zone: tzinfo) -> Span:
    """Return when a shift is; the night belongs to the day on which it begins."""
    morning = datetime.combine(day, DAY_BEGINS, zone)
    evening = datetime.combine(day, NIGHT_BEGINS, zone)
    if shift is Shift.DAY:
        return Span(morning, evening)
    return Span(evening, morning + timedelta(days=1))


def night_of(at: datetime) -> date:
    """Return the day whose night is on, or comes next; `at` is on the reader's own clock."""
    return at.date() - timedelta(days=1) if at.time() < DAY_BEGINS else at.date()


def common(one: Span, other: Span) -> Span | None:
    """Return what two spans share, or None."""
    begins, ends = max(one.begins, other.begins), min(one.ends, other.ends)
    return Span(begins, ends) if begins < ends else None


def gaps(whole: Span, covered: Iterable[Span]) -> list[Span]:
    """Return the parts of a span that none of the others covers, in order."""
    found, begins = [], whole.begins
    for one in sorted(filter(None, (common(whole, other) for other in covered))):
        if one.begins > begins:
            found.append(Span(begins, one.begins))
        begins = max(begins, one.ends)
    if begins < whole.ends:
        found.append(Span(begins, whole.ends))
    return found


def week_of(day: date) -> list[date]:
    """Return the seven days of the week a day is in, from Monday."""
    monday = day - timedelta(days=day.weekday())
    return [monday + timedelta(days=n) for n in range(7)]


# Complaints


class Stage(StrEnum):
    """What was done last about a complaint."""

    RECEIVED = "received"
    EXAMINED = "examined"
    """An administrator looks into it; the holder was asked."""
    HEARD = "heard"
    """The holder has answered, or let the time pass."""
    PROPOSED = "proposed"
    """One administrator proposes how it ends."""
    DECLINED = "declined"
    """The second one does not agree."""
    DECIDED = "decided"


class Outcome(StrEnum):
    """How a complaint ends."""

    REVOKED = "revoked"
    REFUSED = "refused"
    CORRECTED = "corrected"


FOLLOWS: dict[Stage, frozenset[Stage]] = {
    Stage.RECEIVED: frozenset({Stage.EXAMINED}),
    Stage.EXAMINED: frozenset({Stage.HEARD}),
    Stage.HEARD: frozenset({Stage.PROPOSED}),
    Stage.PROPOSED: frozenset({Stage.DECIDED, Stage.DECLINED}),
    Stage.DECLINED: frozenset({Stage.PROPOSED}),
    Stage.DECIDED: frozenset(),
}
DAYS: dict[Stage, int] = {
    Stage.RECEIVED: 3,
    Stage.EXAMINED: 10,
    Stage.HEARD: 5,
    Stage.PROPOSED: 3,
    Stage.DECLINED: 5,
}
"""Working days within which the next step is due. A proposal: no agency has set them yet."""


class WrongStage(DomainError):
    """The step does not follow the last one: somebody else was quicker."""


class TooEarly(DomainError):
    """The holder has not answered, and still has time to."""


def check_follows(last: Stage, following: Stage) -> None:
    """Raise WrongStage unless a step may follow."""
    if following not in FOLLOWS[last]:
        raise WrongStage(last)


def due_on(stage: Stage, since: date) -> date | None:
    """Return the day by which the next step is due, or None at the end.

    Saturdays and Sundays do not count; public holidays are not known.
    """
    if stage not in DAYS:
        return None
    day, left = since, DAYS[stage]
    while left:
        day += timedelta(days=1)
        left -= day.weekday() < 5
    return day


def check_heard(*, answered: bool, due: date, today: date) -> None:
    """Raise TooEarly while a holder who has not answered may still do so."""
    if not answered and today <= due:
        raise TooEarly(due)


LONG_NUMBER = re.compile(r"(?<!\d)(?:\d[ .\-]?){15}\d(?!\d)")
TELEPHONE = re.compile(r"(?<![\d/])(?:\+62|62|0)[ .\-]?8(?:[ .\-]?\d){7,11}(?!\d)")


def has_private_number(text: str) -> bool:
    """Tell whether a text holds what looks like a NIK or a telephone number."""
    return bool(LONG_NUMBER.search(text) or TELEPHONE.search(text))
