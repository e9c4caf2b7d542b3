"""How far people are at the stations, by the ledger, and what was noted. Reads only."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from lms.accounts import services as accounts
from lms.competency import services as competency
from lms.competency.rules import EvidenceKind, Ledger, Row, State, TryState, next_try
from lms.core.clock import ZONES
from lms.core.db import db
from lms.practice.observations import rules
from lms.practice.observations.models import ObservationMark, ObservationRound
from lms.practice.observations.rules import Seen, Slot, Standing, Try
from lms.practice.observations.texts import Station
from lms.ratings import services as ratings
from lms.ratings.rules import TWO
from lms.ratings.services import Given


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkLine:
    """One mark with who gave it and when. Without a criterion: the act that ended the station."""

    kuk: str
    mark: int
    note: str
    act: str
    by: str
    """Empty while a third person, or a second assessor, is waited for."""
    at: datetime
    waits: bool = False
    """Whether name and note are kept back for them."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of one person at one station."""

    rule: rules.Station
    seen: Sequence[Seen]
    tries: Sequence[Try]
    standing: Standing


@dataclass(frozen=True, slots=True)
class Marks:
    """The marks of some people at one station in one class, and their rounds."""

    lines: Mapping[tuple[int, str, str, str], MarkLine]
    """By person, round, story and criterion."""
    assessors: Mapping[tuple[int, str, str, str], int]
    rounds: Mapping[int, Sequence[ObservationRound]]
    """Every round by person, oldest first, also those without this station."""
    used: frozenset[str]
    """Rounds in which this station was played."""
    settled: frozenset[tuple[int, str]]
    """People and rounds in which this station has a mark that counts, or counted."""
    begun: Mapping[int, Sequence[tuple[str, str, Sequence[Given]]]]
    """By person: round, story and what two assessors gave there so far, where two mark."""

    def pending(self, person_id: int, slot: Slot) -> str | None:
        """Return the round in which an assessor has begun what the slot asks for, or None."""
        for place, variant, _given in self.begun.get(person_id, ()):
            if variant != slot.variant:
                continue
            if place == slot.round or (slot.round is None and self._is_open(person_id, place)):
                return place
        return None

    def _is_open(self, person_id: int, place: str) -> bool:
        here = {each.public_id for each in self.rounds.get(person_id, ())}
        return place in here and (person_id, place) not in self.settled

    def given(self, person_id: int, place: str | None, variant: str) -> Sequence[Given]:
        """Return what assessors gave in a round so far, where two mark."""
        found = self.begun.get(person_id, ())
        return next(
            (given for where, what, given in found if (where, what) == (place, variant)), ()
        )

    def own(self, person_id: int, place: str | None, variant: str, rater_id: int) -> Given | None:
        """Return what one of two assessors gave in a round, or None."""
        some = self.given(person_id, place, variant)
        return next((one for one in some if one.rater_id == rater_id), None)

    def is_full(self, person_id: int, place: str | None, variant: str, rater_id: int) -> bool:
        """Tell whether two others mark there."""
        some = self.given(person_id, place, variant)
        return len(some) >= TWO and all(one.rater_id != rater_id for one in some)

    def to_annul(self, person_id: int, last: Try | None) -> list[tuple[str, str]]:
        """Return rounds and stories two assessors mark: those not settled, and the newest try."""
        return [
            (place, variant)
            for place, variant, _given in self.begun.get(person_id, ())
            if self._is_open(person_id, place)
            or (last is not None and (place, variant) == (last.round, last.variant))
        ]


def subject_of(place: str, station: str, variant: str) -> str:
    """Return what two assessors mark: one story played at one station in one round."""
    return f"{place}/{station}/{variant}"


def last_here(case: Known, marks: Marks, person_id: int) -> Try | None:
    """Return the newest try that counts, if it was made in this class."""
    here = {each.public_id for each in marks.rounds.get(person_id, ())}
    last = case.tries[-1] if case.tries else None
    return last if last and last.round in here else None


def cases_of(
    stations: Sequence[Station],
    people: Sequence[int],
    *,
    zone: str,
    now: datetime,
) -> dict[tuple[int, str], Known]:
    """Return what is known of people at stations, by person and station, in three queries."""
    found = competency.current()
    ledgers = competency.rows_of(people, found)
    coached = competency.coached_many(people, EvidenceKind.OBS)
    cases: dict[tuple[int, str], Known] = {}
    for person_id in people:
        rows = [
            row
            for row in ledgers.get(person_id, ())
            if row.kind is EvidenceKind.OBS and row.at <= now
        ]
        ledger = Ledger(found.standard, rows, now)
        for station in stations:
            given = coached.get((person_id, station.code), [])
            cases[person_id, station.code] = _case(station, ledger, rows, given, zone, now)
    return cases


def _case(
    station: Station,
    ledger: Ledger,
    rows: Sequence[Row],
    coached: Sequence[datetime],
    zone: str,
    now: datetime,
) -> Known:
    standard = ledger.standard
    known = [standard.kuk[code] for code in station.kuk if code in standard.kuk]
    rule = rules.Station(
        code=station.code,
        kuk=tuple(kuk.code for kuk in known),
        critical=frozenset(kuk.code for kuk in known if kuk.critical),
        variants=tuple(station.variants),
    )
    here = [row for row in rows if row.source == station.code]
    # A mark that another one of the same try stands in for (a third person's, an appeal's, a
    # harmful act's) says nothing any more; a repeat with another story takes nothing away.
    story = {row.id: (row.group, *row.ref.split("/")[:2]) for row in here}
    gone = {
        row.replaces for row in here if row.replaces and story.get(row.replaces) == story[row.id]
    }
    seen = [_seen(row, ledger, zone, is_gone=row.id in gone) for row in here]
    done = rules.tries(rule, seen)
    states = {kuk.code: ledger.state(kuk, EvidenceKind.OBS) for kuk in known}
    next_one = next_try(standard, EvidenceKind.OBS, [t.at for t in done], coached, now)
    standing = rules.standing(
        rule,
        seen,
        passed=frozenset(code for code, state in states.items() if state is State.PASS),
        failed=frozenset(code for code, state in states.items() if state is State.FAIL),
        today=now.astimezone(ZONES[zone]).date(),
        needs_coaching=next_one.state is TryState.COACHING,
    )
    return Known(rule, seen, done, standing)


def _seen(row: Row, ledger: Ledger, zone: str, *, is_gone: bool) -> Seen:
    return Seen(
        id=row.id,
        kuk=row.kuk,
        round=row.group,
        variant=row.ref.split("/")[1],
        mark=row.mark or 0,
        harmful=row.harmful,
        at=row.at,
        on=row.at.astimezone(ZONES[zone]).date(),
        live=ledger.is_live(row) and not is_gone,
    )


def marks_of(cohort_id: int, station: str, people: Sequence[int]) -> Marks:
    """Return marks and rounds of people at one station of a class, in five queries."""
    rounds: dict[int, list[ObservationRound]] = defaultdict(list)
    query = select(ObservationRound).where(
        ObservationRound.cohort_id == cohort_id, ObservationRound.person_id.in_(people)
    )
    for each in db.session.scalars(query.order_by(ObservationRound.number)):
        rounds[each.person_id].append(each)
    found = db.session.execute(
        select(ObservationMark, ObservationRound.person_id, ObservationRound.public_id)
        .join(ObservationRound, ObservationRound.id == ObservationMark.round_id)
        .where(
            ObservationRound.cohort_id == cohort_id,
            ObservationRound.person_id.in_(people),
            ObservationMark.station_code == station,
        )
        .order_by(ObservationMark.id)
    ).all()
    given = ratings.given_to_people(EvidenceKind.OBS, station, people)
    names = accounts.names_of(row.ObservationMark.assessor_id for row in found)
    sealed = ratings.sealed(people)
    lines, assessors = {}, {}
    for row in found:
        mark = row.ObservationMark
        story = f"{station}/{mark.variant}"
        waits = sealed.hides(EvidenceKind.OBS, row.public_id, story)
        key = (row.person_id, row.public_id, mark.variant, mark.kuk)
        assessors[key] = mark.assessor_id
        lines[key] = MarkLine(
            kuk=mark.kuk,
            mark=mark.mark,
            note="" if waits else mark.note,
            act=mark.harmful_act,
            by="" if waits else names[mark.assessor_id],
            at=mark.observed_at,
            waits=waits,
        )
    used = frozenset(row.public_id for row in found)
    settled = frozenset((person_id, place) for person_id, place, _variant, _kuk in lines)
    begun = defaultdict(list)
    for subject, some in given.items():
        place, _code, variant = subject.split("/")
        begun[some[0].person_id].append((place, variant, some))
    return Marks(lines, assessors, rounds, used, settled, begun)
