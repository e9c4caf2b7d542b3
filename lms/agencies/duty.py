"""Who is on duty, and whether one of them may assess risk. Services flush."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

from sqlalchemy import delete, select

from lms.accounts import services as accounts
from lms.agencies import rules
from lms.agencies.models import Duty
from lms.agencies.rules import Shift, Span
from lms.cohorts import organisations
from lms.core.db import db, insert_once
from lms.core.errors import DomainError
from lms.credentials import register, schemes
from lms.credentials.rules import Status, end_of

NIGHTS = 7
SLOTS = 2
"""People of one shift."""
DAY, WEEK = timedelta(days=1), timedelta(days=7)

Cell = tuple[date, Shift]


class UnknownNames(DomainError):
    """Names in a roster are not of the agency's people; `cells` says which stand where."""

    def __init__(self, cells: Mapping[Cell, Sequence[str]]) -> None:
        super().__init__(cells)
        self.cells = cells


@dataclass(frozen=True, slots=True)
class OnDuty:
    """Somebody on duty, and when within the shift their certificate lets them assess risk."""

    name: str
    span: Span
    assessing: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Night:
    """One night: who is there, and when nobody of them may assess risk."""

    day: date
    span: Span
    people: list[OnDuty]
    gaps: list[Span]

    @property
    def assessors(self) -> list[str]:
        """Names of those who may assess risk for at least a part of it."""
        return [one.name for one in self.people if one.assessing]


@dataclass(frozen=True, slots=True)
class Board:
    """The answer for now and for the next nights."""

    now: list[str]
    """Names of those on duty now who may assess risk now."""
    others: list[str]
    """Names of the others on duty now."""
    nights: list[Night]

    @property
    def open(self) -> int:
        """How many of the nights have a gap."""
        return sum(bool(night.gaps) for night in self.nights)


def read_board(organisation_ids: Sequence[int], *, at: datetime, zone: tzinfo) -> Board:
    """Return who is on duty now and in the next nights; four queries, one when nobody is."""
    first = rules.night_of(at.astimezone(zone))
    spans = [rules.span_of(first + n * DAY, Shift.NIGHT, zone) for n in range(NIGHTS)]
    rows = db.session.scalars(
        select(Duty)
        .where(
            Duty.organisation_id.in_(organisation_ids),
            Duty.begins_at < spans[-1].ends,
            Duty.ends_at > min(at, spans[0].begins),
        )
        .order_by(Duty.begins_at, Duty.id)
    ).all()
    names = accounts.names_of({row.person_id for row in rows}) if rows else {}
    certified = _certified({row.person_id for row in rows}, at)
    people = [
        OnDuty(
            names[row.person_id],
            span := Span(row.begins_at, row.ends_at),
            tuple(filter(None, (rules.common(span, one) for one in certified[row.person_id]))),
        )
        for row in rows
    ]
    present = [one for one in people if one.span.covers(at)]
    assessing = [one.name for one in present if any(span.covers(at) for span in one.assessing)]
    return Board(
        now=list(dict.fromkeys(assessing)),
        others=list(dict.fromkeys(one.name for one in present if one.name not in assessing)),
        nights=[_night(first + n * DAY, span, people) for n, span in enumerate(spans)],
    )


def _night(day: date, span: Span, people: Iterable[OnDuty]) -> Night:
    there = [one for one in people if rules.common(span, one.span)]
    covered = [part for one in there for part in one.assessing]
    return Night(day, span, there, rules.gaps(span, covered))


def _certified(person_ids: Iterable[int], at: datetime) -> dict[int, list[Span]]:
    """Return when each of these people holds a certificate that covers the unit of risk."""
    found: dict[int, list[Span]] = defaultdict(list)
    wanted = list(person_ids)
    if not wanted:
        return found
    known = {one.code for one in schemes.list_schemes() if rules.assesses_risk(one.unit_jp)}
    for entry in register.list_held(wanted, at):
        if entry.status is Status.VALID and entry.scheme in known:
            found[entry.person_id].append(Span(entry.issued_at, end_of(entry.life.valid_until)))
    return found


def assessors_of(organisation_id: int, at: datetime) -> frozenset[int]:
    """Return which of an agency's people may assess risk now; three queries."""
    people = [person_id for person_id, _name in organisations.members_of(organisation_id)]
    return frozenset(person_id for person_id, spans in _certified(people, at).items() if spans)


def labels_of(organisation_id: int) -> dict[int, str]:
    """Return how each of an agency's people is written in the roster; one query.

    Of two of the same name the second is told apart by a number.
    """
    found, seen = {}, Counter[str]()
    for person_id, name in organisations.members_of(organisation_id):
        seen[_plain(name)] += 1
        count = seen[_plain(name)]
        found[person_id] = name if count == 1 else f"{name} ({count})"
    return found


def _plain(name: str) -> str:
    return " ".join(name.casefold().split())


def read_week(
    organisation_id: int, week: Sequence[date], labels: Mapping[int, str], zone: tzinfo
) -> dict[Cell, list[str]]:
    """Return who stands in each shift of a week, as labels; one query."""
    cells = {(day, shift): rules.span_of(day, shift, zone) for day in week for shift in Shift}
    by_begin = {span.begins: cell for cell, span in cells.items()}
    found: dict[Cell, list[str]] = {cell: [] for cell in cells}
    for row in _rows(organisation_id, week, zone):
        # Whoever left the agency since is not offered again.
        if row.begins_at in by_begin and row.person_id in labels:
            found[by_begin[row.begins_at]].append(labels[row.person_id])
    return found


def _rows(organisation_id: int, week: Sequence[date], zone: tzinfo) -> Sequence[Duty]:
    first = rules.span_of(week[0], Shift.DAY, zone).begins
    return db.session.scalars(
        select(Duty)
        .where(
            Duty.organisation_id == organisation_id,
            Duty.begins_at >= first,
            Duty.begins_at < first + WEEK,
        )
        .order_by(Duty.id)
    ).all()


def save_week(
    organisation_id: int,
    week: Sequence[date],
    wanted: Mapping[Cell, Sequence[str]],
    *,
    zone: tzinfo,
    officer_id: int,
) -> None:
    """Replace the roster of a week. Raises UnknownNames. Flushes."""
    by_label = {_plain(label): person for person, label in labels_of(organisation_id).items()}
    unknown = {
        cell: missing
        for cell, names in wanted.items()
        if (missing := [name for name in names if _plain(name) not in by_label])
    }
    if unknown:
        raise UnknownNames(unknown)
    first = rules.span_of(week[0], Shift.DAY, zone).begins
    db.session.execute(
        delete(Duty).where(
            Duty.organisation_id == organisation_id,
            Duty.begins_at >= first,
            Duty.begins_at < first + WEEK,
        )
    )
    for (day, shift), names in wanted.items():
        span = rules.span_of(day, shift, zone)
        for person_id in dict.fromkeys(by_label[_plain(name)] for name in names):
            _put(organisation_id, person_id, span, officer_id)


def copy_last_week(
    organisation_id: int, week: Sequence[date], *, zone: tzinfo, officer_id: int
) -> int:
    """Add who stood in the week before to the same shifts of this one. Flushes.

    Whoever left the agency since is left out. Returns how many shifts were added.
    """
    people = labels_of(organisation_id)
    before = _rows(organisation_id, [day - WEEK for day in week], zone)
    return sum(
        _put(
            organisation_id,
            row.person_id,
            Span(row.begins_at + WEEK, row.ends_at + WEEK),
            officer_id,
        )
        for row in before
        if row.person_id in people
    )


def _put(organisation_id: int, person_id: int, span: Span, officer_id: int) -> bool:
    return insert_once(
        Duty,
        organisation_id=organisation_id,
        person_id=person_id,
        begins_at=span.begins,
        ends_at=span.ends,
        noted_by=officer_id,
    )
