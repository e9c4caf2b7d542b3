"""What assessors read: the board of a class, the sheet of a criterion, a history. Reads only."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from itertools import groupby

from lms.cohorts import services as cohorts
from lms.cohorts.models import Cohort
from lms.competency import services as competency
from lms.competency.rules import EvidenceKind, Kuk
from lms.core.errors import NotFound
from lms.practice.observations import rules
from lms.practice.observations.rules import Slot, Standing
from lms.practice.observations.standing import Known, MarkLine, Marks, cases_of, last_here, marks_of
from lms.practice.observations.texts import Station, Variant, get_station, list_stations_of
from lms.ratings import services as ratings


class Why(StrEnum):
    """Why there is nothing to mark in a row."""

    ONESELF = "oneself"
    CONFLICT = "conflict"
    PASSED = "passed"
    TWO = "two"
    """Two other assessors mark this person here."""
    OTHER_STORY = "other_story"
    LATER = "later"
    COACHING = "coaching"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One person on the page of a criterion."""

    seat: cohorts.Seat
    standing: Standing
    slot: Slot | None
    """Where the criterion may be marked now, or None."""
    saved: MarkLine | None
    stopped: MarkLine | None
    """The harmful act that ended this try."""
    can_stop: bool
    """Whether a harmful act may still be noted."""
    why: Why | None
    waits: bool = False
    """Whether what is saved is the reader's own mark, and the second one is not in yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """The page of one criterion at one station, for a group."""

    station: Station
    kuk: Kuk
    variant: Variant
    indicators: Mapping[str, Sequence[str]]
    acts: Mapping[str, str]
    """Code and text of the harmful acts to watch for."""
    people: tuple[cohorts.Seat, ...]
    """Everybody in the class, to choose a group from."""
    lines: tuple[Line, ...]
    """The people of the group."""
    steps: tuple[tuple[str, bool], ...]
    """Every criterion of the station, and whether nobody is left to be marked there."""
    open_in: Mapping[str, int]
    """How many people may be marked with each story."""
    raters: int
    """How many assessors mark this station here."""

    @property
    def has_two_stories(self) -> bool:
        """Tell whether people wait for the other story, or this is not the first one."""
        others = [count for code, count in self.open_in.items() if code != self.variant.code]
        return any(others) or self.variant.code != next(iter(self.open_in))

    @property
    def concerned(self) -> list[Line]:
        """Return the rows with something to mark or to read; the others only say why."""
        return [line for line in self.lines if line.why in (None, Why.ONESELF, Why.CONFLICT)]

    @property
    def others(self) -> list[Line]:
        """Return the people this criterion and story have nothing to do with now."""
        return [line for line in self.lines if line not in self.concerned]

    @property
    def done(self) -> int:
        """Return how many rows have a mark or were ended."""
        return sum(bool(line.saved or line.stopped) for line in self.lines)

    @property
    def total(self) -> int:
        """Return how many rows have a mark or may get one."""
        return sum(bool(line.saved or line.stopped or line.slot) for line in self.lines)

    @property
    def needs_feedback(self) -> bool:
        """Tell whether somebody here may repeat, once feedback was given."""
        return any(line.slot and line.slot.repeat for line in self.lines)

    @property
    def next_kuk(self) -> str | None:
        """Return the criterion after this one."""
        codes = [code for code, _done in self.steps]
        after = codes[codes.index(self.kuk.code) + 1 :]
        return after[0] if after else None


@dataclass(frozen=True, slots=True)
class BoardLine:
    """One person and how far they are at each station."""

    seat: cohorts.Seat
    standings: Mapping[str, Standing]
    may_not: bool


@dataclass(frozen=True, slots=True)
class Board:
    """Stations and people of a class."""

    stations: tuple[Station, ...]
    lines: tuple[BoardLine, ...]

    @property
    def groups(self) -> list[tuple[str, list[Station]]]:
        """Return the stations by curriculum, in order."""
        by_curriculum = groupby(self.stations, key=lambda station: station.curriculum)
        return [(curriculum, list(stations)) for curriculum, stations in by_curriculum]

    def count(self, station: str, *stages: rules.Stage) -> int:
        """Return how many people are in one of `stages` at a station."""
        return sum(line.standings[station].stage in stages for line in self.lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class TryLine:
    """One time somebody played a station, with every mark."""

    number: int
    variant: str
    marks: tuple[MarkLine, ...]
    counts: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """Everything noted about one person at one station in one class."""

    station: Station
    seat: cohorts.Seat
    standing: Standing
    tries: tuple[TryLine, ...]
    texts: Mapping[str, str]
    acts: Mapping[str, str]
    may_annul: bool
    waits: bool
    """Whether one assessor has marked and a second one has not."""


def get_board(cohort: Cohort, assessor_id: int, *, now: datetime) -> Board:
    """Return stations and people of a class with how far each is."""
    seats, stations = cohorts.list_seats(cohort.id), list_stations_of(cohort)
    barred = cohorts.conflicted_people(assessor_id)
    cases = cases_of(stations, [s.person_id for s in seats], zone=cohort.zone, now=now)
    return Board(
        tuple(stations),
        tuple(
            BoardLine(
                seat,
                {s.code: cases[seat.person_id, s.code].standing for s in stations},
                seat.person_id in barred,
            )
            for seat in seats
        ),
    )


def get_sheet(
    cohort: Cohort,
    code: str,
    *,
    kuk: str | None,
    variant: str | None,
    chosen: Sequence[str],
    assessor_id: int,
    now: datetime,
) -> Sheet:
    """Return the page of one criterion for a group; `chosen` are public ids, none means all.

    Without a criterion the first is meant, without a story the one most people wait for.
    Raises NotFound.
    """
    station = get_station(code)
    kuk = kuk or station.kuk[0]
    if kuk not in station.kuk or (variant and variant not in station.variants):
        raise NotFound(f"{code}/{kuk}/{variant}")
    everybody = cohorts.list_seats(cohort.id)
    seats = [seat for seat in everybody if seat.public_id in chosen] or everybody
    people = [seat.person_id for seat in seats]
    standard = competency.current().standard
    cases = cases_of([station], people, zone=cohort.zone, now=now)
    standings = [cases[person_id, code].standing for person_id in people]
    open_in = {each: _count_open(standings, each) for each in station.variants}
    variant = variant or max(station.variants, key=lambda each: open_in[each])
    marks = marks_of(cohort.id, code, people)
    barred = cohorts.conflicted_people(assessor_id)
    left = list(zip(people, standings, strict=True))
    return Sheet(
        station=station,
        kuk=standard.find(kuk),
        variant=station.variants[variant],
        indicators=station.indicators[kuk],
        acts={act: standard.harmful_acts.get(act, act) for act in station.harmful_acts},
        people=tuple(everybody),
        lines=tuple(
            _line(seat, cases[seat.person_id, code], marks, kuk, variant, assessor_id, barred)
            for seat in seats
        ),
        steps=tuple(
            (each, not any(_is_left(s, marks, variant, each, one, assessor_id) for one, s in left))
            for each in station.kuk
        ),
        open_in=open_in,
        raters=ratings.needed(cohort.id, EvidenceKind.OBS, code, station.curriculum),
    )


def _is_left(
    standing: Standing, marks: Marks, variant: str, kuk: str, person_id: int, assessor_id: int
) -> bool:
    """Tell whether an assessor may still mark a criterion of somebody with this story."""
    slot = standing.slot(variant, kuk)
    if slot is None:
        return False
    place = marks.pending(person_id, slot) or slot.round
    own = marks.own(person_id, place, variant, assessor_id)
    if own is not None:
        return kuk not in own.marks
    return not marks.is_full(person_id, place, variant, assessor_id)


def _count_open(standings: Iterable[Standing], variant: str) -> int:
    return sum(any(slot.variant == variant for slot in s.slots) for s in standings)


def _line(
    seat: cohorts.Seat,
    case: Known,
    marks: Marks,
    kuk: str,
    variant: str,
    assessor_id: int,
    barred: frozenset[int],
) -> Line:
    standing, person_id = case.standing, seat.person_id
    may_not = person_id in barred
    slot = standing.slot(variant, kuk)
    last = next((each for each in reversed(case.tries) if each.variant == variant), None)
    place = (person_id, last.round, variant) if last and not slot else None
    saved = marks.lines.get((*place, kuk)) if place else None
    stopped = marks.lines.get((*place, "")) if place else None
    running = standing.running
    at = last.round if last else None
    if slot:
        at = marks.pending(person_id, slot) or slot.round
    own = marks.own(person_id, at, variant, assessor_id)
    line = Line(
        seat=seat,
        standing=standing,
        slot=None if may_not else slot,
        saved=saved,
        stopped=stopped,
        can_stop=not may_not and bool(slot or (running and running.variant == variant)),
        why=_why(standing, slot, person_id, assessor_id, may_not, bool(saved or stopped)),
    )
    if own is not None:
        return _own_line(line, own, kuk, is_in=slot is None or may_not)
    if slot and marks.is_full(person_id, at, variant, assessor_id):
        return replace(line, slot=None, can_stop=False, why=Why.TWO)
    return line


def _own_line(line: Line, own: ratings.Given, kuk: str, *, is_in: bool) -> Line:
    """Return the line as one of two assessors sees it: their own marks, never the other's."""
    mine = own.marks.get(kuk)
    if mine is None:
        return line
    shown = MarkLine(kuk=kuk, mark=mine.level, note=mine.note, act=mine.act, by="", at=own.at[kuk])
    return replace(
        line,
        slot=None,
        saved=shown,
        stopped=shown if mine.act else None,
        can_stop=line.can_stop and not mine.act,
        why=None,
        waits=not is_in,
    )


def _why(
    standing: Standing,
    slot: Slot | None,
    person_id: int,
    assessor_id: int,
    may_not: bool,
    is_noted: bool,
) -> Why | None:
    if slot and may_not:
        return Why.ONESELF if person_id == assessor_id else Why.CONFLICT
    if slot or is_noted:
        return None
    if standing.slots:
        return Why.OTHER_STORY
    others = {rules.Stage.LATER: Why.LATER, rules.Stage.COACHING: Why.COACHING}
    return others.get(standing.stage, Why.PASSED)


def get_history(
    cohort: Cohort, code: str, person: str, assessor_id: int, *, now: datetime
) -> History:
    """Return everything noted about one person at one station. Raises NotFound."""
    station, seat = get_station(code), cohorts.get_seat(cohort.id, person)
    case = cases_of([station], [seat.person_id], zone=cohort.zone, now=now)[seat.person_id, code]
    marks = marks_of(cohort.id, code, [seat.person_id])
    standard = competency.current().standard
    counting = {(each.round, each.variant) for each in case.tries}
    grouped: dict[tuple[str, str], list[MarkLine]] = defaultdict(list)
    for (_person, place, variant, _kuk), line in marks.lines.items():
        grouped[place, variant].append(line)
    numbers = {each.public_id: each.number for each in marks.rounds.get(seat.person_id, ())}
    barred = cohorts.conflicted_people(assessor_id)
    last = last_here(case, marks, seat.person_id)
    begun = marks.to_annul(seat.person_id, last)
    return History(
        station=station,
        seat=seat,
        standing=case.standing,
        tries=tuple(
            TryLine(
                number=numbers[place],
                variant=variant,
                marks=tuple(lines),
                counts=(place, variant) in counting,
            )
            for (place, variant), lines in grouped.items()
        ),
        texts={kuk: standard.find(kuk).text for kuk in case.rule.kuk},
        acts=standard.harmful_acts,
        may_annul=seat.person_id not in barred and bool(last or begun),
        waits=any(len(marks.given(seat.person_id, *one)) == 1 for one in begun),
    )
