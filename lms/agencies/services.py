"""What an officer may know of the agency's own people, and of a paper shown to them.

An agency has no tables of its own: people belong to cohorts, papers to credentials. Services flush.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from lms.cohorts import organisations
from lms.cohorts.models import Part
from lms.cohorts.services import Seat
from lms.core.errors import NotFound
from lms.credentials import register
from lms.credentials.models import Method
from lms.credentials.register import Entry, Found
from lms.credentials.rules import Status, day_of

MONTHS_AHEAD = 5


class Standing(StrEnum):
    """What the best certificate of somebody is worth, in the officer's words."""

    VALID = "valid"
    SOON = "soon"
    EXPIRED = "expired"
    REVOKED = "revoked"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Line:
    """One of the agency's people with the certificate that says the most."""

    seat: Seat
    leading: Entry | None
    others: int
    """How many other certificates of theirs hold."""

    @property
    def standing(self) -> Standing:
        """What the leading certificate is worth."""
        if self.leading is None:
            return Standing.NONE
        if self.leading.ends_soon:
            return Standing.SOON
        return {Status.VALID: Standing.VALID, Status.EXPIRED: Standing.EXPIRED}.get(
            self.leading.status, Standing.REVOKED
        )


@dataclass(frozen=True, slots=True)
class Bar:
    """How many certificates end in one month. `month` is its first day; None for all later."""

    month: date | None
    count: int
    soon: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """An agency's people: those that pass the filter, and numbers over all of them."""

    lines: list[Line]
    units: list[str]
    """Names of the organisations the officer asks for."""
    total: int
    counts: Counter[Standing]
    forecast: list[Bar]

    @property
    def holding(self) -> int:
        """How many hold a valid certificate."""
        return self.counts[Standing.VALID] + self.counts[Standing.SOON]


@dataclass(frozen=True, slots=True)
class Answer:
    """What an officer is told about one paper; `found` is None when nothing fits."""

    found: Found | None
    matched: bool
    by_code: bool = False
    """Whether the officer knew the code; who asked by number is not told it."""


def overview(
    officer_id: int, *, name: str = "", standing: str = "", unit: str = "", at: datetime
) -> Overview:
    """Return the officer's people, the nearest to their end first; three queries."""
    seats = {seat.person_id: seat for seat in reversed(organisations.list_members_for(officer_id))}
    lines = _lines(seats.values(), at)
    return Overview(
        lines=[
            line
            for line in lines
            if name.casefold() in line.seat.name.casefold()
            and standing in ("", line.standing)
            and unit in ("", line.seat.organisation)
        ],
        units=sorted({seat.organisation for seat in seats.values()}),
        total=len(lines),
        counts=Counter(line.standing for line in lines),
        forecast=_forecast(lines, day_of(at)),
    )


def open_person(officer_id: int, public_id: str, *, now: datetime) -> tuple[Seat, list[Entry]]:
    """Return the certificates of one of the officer's people and note the look. Flushes.

    Raises NotFound for anybody else's people.
    """
    seats = organisations.list_members_for(officer_id)
    seat = next((seat for seat in seats if seat.public_id == public_id), None)
    if seat is None:
        raise NotFound(public_id)
    entries = register.list_held([seat.person_id], now)
    register.record_looks(
        [entry.id for entry in entries],
        viewer_id=officer_id,
        organisation_id=seat.organisation_id,
        method=Method.LIST,
        matched=None,
        now=now,
    )
    return seat, entries[::-1]


def check(officer_id: int, *, asked: str, name: str, now: datetime) -> Answer:
    """Compare a paper's code or number and name with the register and note the look. Flushes.

    A code is proof of having seen the paper, so its status is told whatever the name. A number can
    be guessed: without the right name it is answered like one that does not exist. Every holder
    whose paper was asked for sees that it was.
    """
    found = register.find_by_code(asked, now)
    if found is not None:
        matched = found.entry.is_held_by(name)
        _note(officer_id, [found], Method.CODE, matched, now)
        return Answer(found, matched, by_code=True)
    numbered = register.list_by_number(asked, now)
    fitting = [candidate for candidate in numbered if candidate.entry.is_held_by(name)]
    _note(officer_id, fitting[-1:] or numbered, Method.NUMBER, bool(fitting), now)
    return Answer(fitting[-1], matched=True) if fitting else Answer(None, matched=False)


def _note(
    officer_id: int, looked_at: Iterable[Found], method: Method, matched: bool, now: datetime
) -> None:
    asks_for = organisations.organisations_of(officer_id, Part.OFFICER)
    register.record_looks(
        [found.entry.id for found in looked_at],
        viewer_id=officer_id,
        organisation_id=asks_for[0].id if asks_for else None,
        method=method,
        matched=matched,
        now=now,
    )


def _lines(seats: Iterable[Seat], at: datetime) -> list[Line]:
    seats = list(seats)
    held: dict[int, list[Entry]] = defaultdict(list)
    for entry in register.list_held([seat.person_id for seat in seats], at):
        if entry.status is not Status.REPLACED:
            held[entry.person_id].append(entry)
    lines = [_line(seat, held[seat.person_id]) for seat in seats]
    return sorted(lines, key=_nearest_end)


def _line(seat: Seat, entries: Sequence[Entry]) -> Line:
    """Choose the certificate that says the most: one that holds, of the highest scheme."""
    valid = [entry for entry in entries if entry.status is Status.VALID]
    leading = max(
        valid or entries,
        key=lambda entry: (entry.position, entry.life.valid_until, entry.id),
        default=None,
    )
    return Line(seat, leading, max(0, len(valid) - 1))


def _nearest_end(line: Line) -> tuple[bool, date, str]:
    end = line.leading.life.valid_until if line.leading else date.max
    return line.leading is None, end, line.seat.name


def _forecast(lines: Iterable[Line], today: date) -> list[Bar]:
    """Count the ends of what holds now: month by month, then all later ones."""
    ends = [
        line.leading.life.valid_until
        for line in lines
        if line.leading is not None and line.leading.status is Status.VALID
    ]
    soon = {
        line.leading.life.valid_until.replace(day=1)
        for line in lines
        if line.leading is not None and line.leading.ends_soon
    }
    first = today.year * 12 + today.month - 1
    months = [date(n // 12, n % 12 + 1, 1) for n in range(first, first + MONTHS_AHEAD + 1)]
    found = Counter(end.replace(day=1) for end in ends)
    bars = [Bar(month, found[month], month in soon) for month in months]
    return [*bars, Bar(None, sum(end.replace(day=1) > months[-1] for end in ends), False)]
