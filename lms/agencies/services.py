"""What an officer may know of the agency's own people. Services flush.

People belong to cohorts, papers to credentials.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from lms.cohorts import organisations
from lms.cohorts.services import Seat
from lms.core.errors import NotFound
from lms.credentials import register, schemes
from lms.credentials.models import Method
from lms.credentials.register import Entry
from lms.credentials.rules import SchemeText, Status, day_of, end_of

MONTHS_AHEAD = 11
"""Months of the forecast after the present one."""
NEAR = timedelta(days=30)


class Standing(StrEnum):
    """What the best certificate of somebody is worth, in the officer's words."""

    VALID = "valid"
    SOON = "soon"
    """Ends within 90 days, but not within 30."""
    NEAR = "near"
    """Ends within 30 days."""
    EXPIRED = "expired"
    REVOKED = "revoked"
    NONE = "none"


HOLDING = frozenset({Standing.VALID, Standing.SOON, Standing.NEAR})


@dataclass(frozen=True, slots=True)
class Line:
    """One of the agency's people with the certificate that says the most."""

    seat: Seat
    leading: Entry | None
    others: int
    """How many other certificates of theirs hold."""
    standing: Standing


@dataclass(frozen=True, slots=True)
class Level:
    """How many of the people stand where at one level."""

    scheme: SchemeText
    counts: Counter[Standing]


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
    levels: list[Level]
    """By level, in the order of the schemes; somebody may stand at several."""
    forecast: list[Bar]

    @property
    def holding(self) -> int:
        """How many hold a valid certificate."""
        return sum(self.counts[one] for one in HOLDING)

    @property
    def ending(self) -> int:
        """How many hold one that ends within 90 days."""
        return self.counts[Standing.SOON] + self.counts[Standing.NEAR]


def overview(
    officer_id: int,
    *,
    name: str = "",
    standing: str = "",
    unit: str = "",
    level: str = "",
    at: datetime,
) -> Overview:
    """Return the officer's people, the nearest to their end first; three queries.

    Of one level only its certificates count for the lines; the numbers are over all of them.
    """
    seats = {seat.person_id: seat for seat in reversed(organisations.list_members_for(officer_id))}
    held = _held(seats, at)
    known = schemes.list_schemes()
    lines = [_line(seat, held[seat.person_id], at) for seat in seats.values()]
    if any(level == scheme.code for scheme in known):
        shown = [
            _line(seat, [one for one in held[seat.person_id] if one.scheme == level], at)
            for seat in seats.values()
        ]
    else:
        shown = lines
    return Overview(
        lines=[
            line
            for line in sorted(shown, key=_nearest_end)
            if name.casefold() in line.seat.name.casefold()
            and standing in ("", line.standing)
            and unit in ("", line.seat.organisation)
        ],
        units=sorted({seat.organisation for seat in seats.values()}),
        total=len(lines),
        counts=Counter(line.standing for line in lines),
        levels=_levels(known, held, at),
        forecast=_forecast(lines, day_of(at)),
    )


def count_levels(person_ids: Collection[int], *, at: datetime) -> list[Level]:
    """Count where these people stand at each level, in the order of the levels; two queries.

    Who never had a certificate of a level counts as none there: each level adds up to everybody.
    """
    levels = _levels(schemes.list_schemes(), _held(person_ids, at), at)
    for level in levels:
        level.counts[Standing.NONE] = len(person_ids) - level.counts.total()
    return levels


def export(officer_id: int, *, now: datetime, **asked: str) -> list[Line]:
    """Return the people that pass a filter, for a file, and note a look at each. Flushes."""
    lines = overview(officer_id, at=now, **asked).lines
    by_organisation: dict[int, list[int]] = defaultdict(list)
    for line in lines:
        if line.leading is not None:
            by_organisation[line.seat.organisation_id].append(line.leading.id)
    for organisation_id, certificate_ids in by_organisation.items():
        register.record_looks(
            certificate_ids,
            viewer_id=officer_id,
            organisation_id=organisation_id,
            method=Method.LIST,
            matched=None,
            now=now,
        )
    return lines


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


def _held(seats: Iterable[int], at: datetime) -> dict[int, list[Entry]]:
    """Return the certificates of people that were not replaced by a corrected one."""
    held: dict[int, list[Entry]] = defaultdict(list)
    for entry in register.list_held(list(seats), at):
        if entry.status is not Status.REPLACED:
            held[entry.person_id].append(entry)
    return held


def _line(seat: Seat, entries: Sequence[Entry], at: datetime) -> Line:
    leading = _leading(entries)
    holding = sum(entry.status is Status.VALID for entry in entries)
    return Line(seat, leading, max(0, holding - 1), standing_of(leading, at))


def _leading(entries: Sequence[Entry]) -> Entry | None:
    """Choose the certificate that says the most: one that holds, of the highest scheme."""
    valid = [entry for entry in entries if entry.status is Status.VALID]
    return max(
        valid or entries,
        key=lambda entry: (entry.position, entry.life.valid_until, entry.id),
        default=None,
    )


def standing_of(entry: Entry | None, at: datetime) -> Standing:
    """Return what a certificate is worth to an officer."""
    if entry is None:
        return Standing.NONE
    if entry.status is Status.VALID:
        if end_of(entry.life.valid_until) - at <= NEAR:
            return Standing.NEAR
        return Standing.SOON if entry.ends_soon else Standing.VALID
    return Standing.EXPIRED if entry.status is Status.EXPIRED else Standing.REVOKED


def _levels(known: Iterable[SchemeText], held: dict[int, list[Entry]], at: datetime) -> list[Level]:
    counts: dict[str, Counter[Standing]] = defaultdict(Counter)
    for entries in held.values():
        by_scheme: dict[str, list[Entry]] = defaultdict(list)
        for entry in entries:
            by_scheme[entry.scheme].append(entry)
        for scheme, found in by_scheme.items():
            counts[scheme][standing_of(_leading(found), at)] += 1
    return [Level(scheme, counts[scheme.code]) for scheme in known]


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
