"""What assessors do at the stations of the observation test. Services flush; entry points commit.

The ledger is the truth about what counts; the marks keep what one assessor saw, word for word.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import func, insert, select

from lms.accounts import services as accounts
from lms.cohorts import services as cohorts
from lms.cohorts.models import Cohort
from lms.competency import services as competency
from lms.competency.rules import EvidenceKind, Kuk, Ledger, Row, State, TryState, next_try
from lms.core.clock import ZONES
from lms.core.content import digest_of_text
from lms.core.db import Base, db
from lms.core.errors import DomainError, NotFound
from lms.core.ids import public_id
from lms.practice.observations import rules
from lms.practice.observations.content import PlacedStation
from lms.practice.observations.models import ObservationMark, ObservationRound, StationVersion
from lms.practice.observations.rules import Seen, Slot, Standing, Try


class NothingToAnnul(DomainError):
    """No try of this person at this station counts in this class."""


class Refusal(StrEnum):
    """Why one row was not saved."""

    MAY_NOT = "may_not"
    """It is the assessor themselves, a relative, or somebody above or below them in line."""
    NOTE = "note"
    EMPTY = "empty"
    FEEDBACK = "feedback"
    """A repeat needs the word that feedback was given."""
    TAKEN = "taken"
    """Somebody marked it in the meantime."""
    CLOSED = "closed"
    """This criterion may not be marked with this story now."""


class Why(StrEnum):
    """Why there is nothing to mark in a row."""

    ONESELF = "oneself"
    CONFLICT = "conflict"
    PASSED = "passed"
    OTHER_STORY = "other_story"
    LATER = "later"
    COACHING = "coaching"


@dataclass(frozen=True, slots=True)
class Variant:
    """One story of a station."""

    code: str
    scenario: str
    role_card: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Station:
    """The text of one station, as it is used now."""

    code: str
    curriculum: str
    title: str
    title_en: str
    minutes: int
    kuk: tuple[str, ...]
    variants: Mapping[str, Variant]
    indicators: Mapping[str, Mapping[str, Sequence[str]]]
    harmful_acts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """What one row of the screen says; nothing chosen means not seen."""

    mark: int | None
    note: str
    act: str

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing was said about the person."""
        return self.mark is None and not self.note and not self.act


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a save did, by person: saved now or before, or refused and why."""

    saved: frozenset[int]
    refused: Mapping[int, Refusal]


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkLine:
    """One mark with who gave it and when. Without a criterion: the act that ended the station."""

    kuk: str
    mark: int
    note: str
    act: str
    by: str
    at: datetime


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


@dataclass(frozen=True, slots=True)
class _Case:
    """What is known of one person at one station."""

    rule: rules.Station
    seen: Sequence[Seen]
    tries: Sequence[Try]
    standing: Standing


def load(specs: Iterable[PlacedStation], *, now: datetime) -> dict[str, int]:
    """Store new and changed texts; a station no longer there is retired. Flushes."""
    before = {row.code: row for row in _newest_versions()}
    counts = {"added": 0, "changed": 0, "unchanged": 0, "retired": 0}
    for placed in specs:
        document = placed.spec.model_dump(mode="json")
        old = before.pop(placed.spec.code, None)
        if old and (old.document, old.curriculum_code) == (document, placed.curriculum):
            counts["unchanged"] += 1
            continue
        _add_version(placed.curriculum, document, old, now)
        counts["changed" if old and old.document else "added"] += 1
    for old in before.values():
        if old.document:
            _add_version(old.curriculum_code, {}, old, now)
            counts["retired"] += 1
    db.session.flush()
    return counts


def _add_version(
    curriculum: str, document: dict[str, Any], old: StationVersion | None, now: datetime
) -> None:
    # The digest covers what the version follows, so that an old text may come back as a new one.
    text = json.dumps([old.id if old else 0, document], sort_keys=True)
    db.session.add(
        StationVersion(
            code=document.get("code") or (old.code if old else ""),
            curriculum_code=curriculum,
            digest=digest_of_text(text),
            title=document.get("title", ""),
            title_en=document.get("title_en", ""),
            document=document,
            created_at=now,
        )
    )


def _newest_versions() -> Sequence[StationVersion]:
    newest = select(func.max(StationVersion.id)).group_by(StationVersion.code)
    return db.session.scalars(
        select(StationVersion)
        .where(StationVersion.id.in_(newest))
        .order_by(StationVersion.curriculum_code, StationVersion.code)
    ).all()


def list_stations() -> list[Station]:
    """Return every station in use, in order."""
    return [_station(row) for row in _newest_versions() if row.document]


def get_station(code: str) -> Station:
    """Return the station of this code. Raises NotFound."""
    found = next((station for station in list_stations() if station.code == code), None)
    if found is None:
        raise NotFound(code)
    return found


def _station(row: StationVersion) -> Station:
    document = row.document
    return Station(
        code=row.code,
        curriculum=row.curriculum_code,
        title=row.title,
        title_en=row.title_en,
        minutes=document["minutes"],
        kuk=tuple(document["kuk"]),
        variants={v["code"]: Variant(**v) for v in document["variants"]},
        indicators={i["kuk"]: i["levels"] for i in document["indicators"]},
        harmful_acts=tuple(document["harmful_acts"]),
    )


def round_state(
    person_ids: Sequence[int],
    *,
    zone: str,
    now: datetime,
    ledgers: Mapping[int, Sequence[Row]] | None = None,
) -> dict[int, dict[str, Standing]]:
    """Return how far people are at each station, in four queries however many they are.

    Whoever has read the ledgers already hands them over, and saves the largest query.
    """
    stations = list_stations()
    cases = _cases(stations, person_ids, zone=zone, now=now, ledgers=ledgers)
    return {
        person_id: {station.code: cases[person_id, station.code].standing for station in stations}
        for person_id in person_ids
    }


def get_board(cohort: Cohort, assessor_id: int, *, now: datetime) -> Board:
    """Return stations and people of a class with how far each is."""
    seats, stations = cohorts.list_seats(cohort.id), list_stations()
    barred = cohorts.conflicted_people(assessor_id)
    cases = _cases(stations, [s.person_id for s in seats], zone=cohort.zone, now=now)
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
    cases = _cases([station], people, zone=cohort.zone, now=now)
    standings = [cases[person_id, code].standing for person_id in people]
    open_in = {each: _count_open(standings, each) for each in station.variants}
    variant = variant or max(station.variants, key=lambda each: open_in[each])
    marks = _marks(cohort.id, code, people)
    barred = cohorts.conflicted_people(assessor_id)
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
            (each, not any(standing.slot(variant, each) for standing in standings))
            for each in station.kuk
        ),
        open_in=open_in,
    )


def _count_open(standings: Iterable[Standing], variant: str) -> int:
    return sum(any(slot.variant == variant for slot in s.slots) for s in standings)


def _line(
    seat: cohorts.Seat,
    case: _Case,
    marks: "_Marks",
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
    return Line(
        seat=seat,
        standing=standing,
        slot=None if may_not else slot,
        saved=saved,
        stopped=stopped,
        can_stop=not may_not and bool(slot or (running and running.variant == variant)),
        why=_why(standing, slot, person_id, assessor_id, may_not, bool(saved or stopped)),
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


def record(
    cohort: Cohort,
    code: str,
    *,
    kuk: str,
    variant: str,
    entries: Mapping[str, Entry],
    has_feedback: bool,
    assessor_id: int,
    now: datetime,
) -> Outcome:
    """Save what one assessor saw of one criterion, for many people; `entries` are by public id.

    Rows that are in order are saved whatever becomes of the others. A mark is final: see annul.
    Raises NotFound. Flushes.
    """
    # Two telephones may save at once; whoever comes second sees the first one's marks.
    db.session.refresh(cohort, with_for_update={"key_share": True})
    station = get_station(code)
    if kuk not in station.kuk or variant not in station.variants:
        raise NotFound(f"{code}/{kuk}/{variant}")
    seats = [seat for seat in cohorts.list_seats(cohort.id) if seat.public_id in entries]
    people = [seat.person_id for seat in seats if not entries[seat.public_id].is_empty]
    given = {seat.person_id: entries[seat.public_id] for seat in seats}
    cases = _cases([station], people, zone=cohort.zone, now=now)
    marks = _marks(cohort.id, code, people)
    barred = cohorts.conflicted_people(assessor_id)
    write = _Write(cohort, station, kuk, variant, assessor_id, now, marks)
    saved, refused = set(), {}
    for person_id in people:
        case, entry = cases[person_id, code], given[person_id]
        found = Refusal.MAY_NOT if person_id in barred else None
        found = found or write.refusal(person_id, case, entry, has_feedback)
        if found and not write.is_repeated(person_id, case, entry, found):
            refused[person_id] = found
            continue
        saved.add(person_id)
        if found is None:
            write.add(person_id, case, entry)
    write.flush()
    return Outcome(frozenset(saved), refused)


@dataclass(frozen=True, slots=True)
class _Marks:
    """The marks of some people at one station in one class, and their rounds."""

    lines: Mapping[tuple[int, str, str, str], MarkLine]
    """By person, round, story and criterion."""
    assessors: Mapping[tuple[int, str, str, str], int]
    rounds: Mapping[int, Sequence[ObservationRound]]
    """Every round by person, oldest first, also those without this station."""
    used: frozenset[str]
    """Rounds in which this station was played."""


@dataclass(frozen=True, slots=True)
class _Place:
    """The round to write into; a new one has no id yet."""

    public_id: str
    person_id: int
    number: int
    is_new: bool


class _Write:
    """One save of one criterion: decides row by row, then writes all of them at once."""

    def __init__(
        self,
        cohort: Cohort,
        station: Station,
        kuk: str,
        variant: str,
        assessor_id: int,
        now: datetime,
        marks: _Marks,
    ) -> None:
        self.cohort, self.station, self.kuk, self.variant = cohort, station, kuk, variant
        self.assessor_id, self.now, self.marks = assessor_id, now, marks
        self.facts: list[competency.NewEvidence] = []
        self.rows: list[tuple[_Place, dict[str, Any]]] = []

    def refusal(
        self, person_id: int, case: _Case, entry: Entry, has_feedback: bool
    ) -> Refusal | None:
        """Return why a row cannot be saved, or None."""
        fault = rules.fault(case.rule, self.kuk, entry.mark, entry.note, entry.act)
        slot = case.standing.slot(self.variant, self.kuk)
        running = case.standing.running
        can_stop = slot or (running and running.variant == self.variant)
        if entry.mark is not None and not slot:
            return self._is_shut(person_id, case, self.kuk, "")
        if entry.act and not can_stop:
            return self._is_shut(person_id, case, "")
        if fault:
            return Refusal(fault.value)
        return Refusal.FEEDBACK if slot and slot.repeat and not has_feedback else None

    def _is_shut(self, person_id: int, case: _Case, *kuk: str) -> Refusal:
        keys = [self._key(person_id, case, each) for each in kuk]
        is_taken = any(key in self.marks.lines for key in keys if key)
        return Refusal.TAKEN if is_taken else Refusal.CLOSED

    def is_repeated(self, person_id: int, case: _Case, entry: Entry, why: Refusal) -> bool:
        """Tell whether the same assessor sends again what is saved, so that nothing is wrong."""
        if why is not Refusal.TAKEN:
            return False
        said = {self.kuk: entry.mark is not None, "": bool(entry.act)}
        return all(
            self._says_same(person_id, case, entry, kuk) for kuk, is_said in said.items() if is_said
        )

    def _says_same(self, person_id: int, case: _Case, entry: Entry, kuk: str) -> bool:
        key = self._key(person_id, case, kuk)
        line = self.marks.lines.get(key) if key else None
        if line is None or key is None or self.marks.assessors[key] != self.assessor_id:
            return False
        same = line.act == entry.act if kuk == "" else line.mark == entry.mark
        return same and line.note == entry.note

    def _key(self, person_id: int, case: _Case, kuk: str) -> tuple[int, str, str, str] | None:
        done = [each for each in case.tries if each.variant == self.variant]
        return (person_id, done[-1].round, self.variant, kuk) if done else None

    def add(self, person_id: int, case: _Case, entry: Entry) -> None:
        """Prepare the marks and the evidence of one person."""
        slot, running = case.standing.slot(self.variant, self.kuk), case.standing.running
        wanted = slot.round if slot else running.round if running else None
        place = self._place(person_id, wanted)
        if entry.mark is not None:
            self.rows.append((place, self._mark(self.kuk, entry.mark, entry)))
        if entry.act:
            self.rows.append((place, self._mark("", 0, entry)))
        concerned = case.rule.kuk if entry.act else (self.kuk,)
        for kuk in concerned:
            self.facts.append(self._fact(person_id, place, case, entry, kuk))

    def _place(self, person_id: int, wanted: str | None) -> _Place:
        """Return the round to write into; without a wish, one this station was not played in."""
        rounds = self.marks.rounds.get(person_id, ())
        for each in rounds:
            if each.public_id == wanted:
                return _Place(each.public_id, person_id, each.number, is_new=False)
        newest = rounds[-1] if rounds else None
        if newest and newest.public_id not in self.marks.used:
            return _Place(newest.public_id, person_id, newest.number, is_new=False)
        return _Place(public_id(), person_id, newest.number + 1 if newest else 1, is_new=True)

    def _mark(self, kuk: str, mark: int, entry: Entry) -> dict[str, Any]:
        return {
            "station_code": self.station.code,
            "variant": self.variant,
            "kuk": kuk,
            "mark": mark,
            "note": entry.note,
            "harmful_act": entry.act,
            "assessor_id": self.assessor_id,
            "observed_at": self.now,
        }

    def _fact(
        self, person_id: int, place: _Place, case: _Case, entry: Entry, kuk: str
    ) -> competency.NewEvidence:
        """Return the evidence for one criterion; it names the row it stands in for."""
        prior = rules.effective(case.seen, place.public_id, kuk)
        own = [s for s in case.seen if (s.round, s.variant) == (place.public_id, self.variant)]
        ref = f"{self.station.code}/{self.variant}"
        if any(s.kuk == kuk for s in own):
            ref += f"/{entry.act}"  # a harmful act after the mark: a fact of its own
        mark = entry.mark if kuk == self.kuk else None
        if mark is None:
            mark = prior.mark if prior in own and prior else 0
        return competency.NewEvidence(
            person_id=person_id,
            kind=EvidenceKind.OBS,
            kuk=kuk,
            source=self.station.code,
            group=place.public_id,
            ref=ref,
            mark=mark,
            harmful=bool(entry.act),
            replaces=prior.id if prior else None,
            assessor_id=self.assessor_id,
            note=entry.note,
            happened_at=self.now,
        )

    def flush(self) -> None:
        """Write everything that was prepared, in as many statements for one row as for many."""
        places = {place.public_id: place for place, _values in self.rows}
        _insert_all(
            ObservationRound,
            [
                {
                    "public_id": place.public_id,
                    "person_id": place.person_id,
                    "cohort_id": self.cohort.id,
                    "number": place.number,
                    "opened_at": self.now,
                }
                for place in places.values()
                if place.is_new
            ],
        )
        found = db.session.execute(
            select(ObservationRound.public_id, ObservationRound.id).where(
                ObservationRound.public_id.in_(places)
            )
        )
        ids = {row.public_id: row.id for row in found}
        _insert_all(
            ObservationMark,
            [{**values, "round_id": ids[place.public_id]} for place, values in self.rows],
        )
        competency.append(self.facts, standard_id=competency.current().id, now=self.now)


def _insert_all(table: type[Base], values: list[dict[str, Any]]) -> None:
    if values:
        db.session.execute(insert(table), values)


def get_history(
    cohort: Cohort, code: str, person: str, assessor_id: int, *, now: datetime
) -> History:
    """Return everything noted about one person at one station. Raises NotFound."""
    station, seat = get_station(code), cohorts.get_seat(cohort.id, person)
    case = _cases([station], [seat.person_id], zone=cohort.zone, now=now)[seat.person_id, code]
    marks = _marks(cohort.id, code, [seat.person_id])
    standard = competency.current().standard
    counting = {(each.round, each.variant) for each in case.tries}
    grouped: dict[tuple[str, str], list[MarkLine]] = defaultdict(list)
    for (_person, place, variant, _kuk), line in marks.lines.items():
        grouped[place, variant].append(line)
    numbers = {each.public_id: each.number for each in marks.rounds.get(seat.person_id, ())}
    barred = cohorts.conflicted_people(assessor_id)
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
        may_annul=seat.person_id not in barred and bool(_last_here(case, marks, seat.person_id)),
    )


def annul(
    cohort: Cohort, code: str, person: str, *, reason: str, assessor_id: int, now: datetime
) -> None:
    """Take back the newest try of a person at a station, so that it can be noted afresh.

    For slips of the finger and marks given to the wrong person. The rows stay, voided, with the
    reason. Raises NotFound, NothingToAnnul, cohorts.MayNotAssess. Flushes.
    """
    db.session.refresh(cohort, with_for_update={"key_share": True})
    station, seat = get_station(code), cohorts.get_seat(cohort.id, person)
    cohorts.check_may_assess(assessor_id, seat.person_id)
    case = _cases([station], [seat.person_id], zone=cohort.zone, now=now)[seat.person_id, code]
    last = _last_here(case, _marks(cohort.id, code, [seat.person_id]), seat.person_id)
    if last is None:
        raise NothingToAnnul(f"{code}/{person}")
    for row in case.seen:
        if row.live and (row.round, row.variant) == (last.round, last.variant):
            competency.void(row.id, reason=reason, by_id=assessor_id, now=now)


def _last_here(case: _Case, marks: _Marks, person_id: int) -> Try | None:
    """Return the newest try that counts, if it was made in this class."""
    here = {each.public_id for each in marks.rounds.get(person_id, ())}
    last = case.tries[-1] if case.tries else None
    return last if last and last.round in here else None


def _cases(
    stations: Sequence[Station],
    people: Sequence[int],
    *,
    zone: str,
    now: datetime,
    ledgers: Mapping[int, Sequence[Row]] | None = None,
) -> dict[tuple[int, str], _Case]:
    """Return what is known of people at stations, by person and station, in three queries."""
    found = competency.current()
    if ledgers is None:
        ledgers = competency.rows_of(people, found)
    coached = competency.coached_many(people, EvidenceKind.OBS)
    cases: dict[tuple[int, str], _Case] = {}
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
) -> _Case:
    standard = ledger.standard
    known = [standard.kuk[code] for code in station.kuk if code in standard.kuk]
    rule = rules.Station(
        code=station.code,
        kuk=tuple(kuk.code for kuk in known),
        critical=frozenset(kuk.code for kuk in known if kuk.critical),
        variants=tuple(station.variants),
    )
    seen = [_seen(row, ledger, zone) for row in rows if row.source == station.code]
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
    return _Case(rule, seen, done, standing)


def _seen(row: Row, ledger: Ledger, zone: str) -> Seen:
    return Seen(
        id=row.id,
        kuk=row.kuk,
        round=row.group,
        variant=row.ref.split("/")[1],
        mark=row.mark or 0,
        harmful=row.harmful,
        at=row.at,
        on=row.at.astimezone(ZONES[zone]).date(),
        live=ledger.is_live(row),
    )


def _marks(cohort_id: int, station: str, people: Sequence[int]) -> _Marks:
    """Return marks and rounds of people at one station of a class, in three queries."""
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
    names = accounts.names_of(row.ObservationMark.assessor_id for row in found)
    lines, assessors = {}, {}
    for row in found:
        mark = row.ObservationMark
        key = (row.person_id, row.public_id, mark.variant, mark.kuk)
        assessors[key] = mark.assessor_id
        lines[key] = MarkLine(
            kuk=mark.kuk,
            mark=mark.mark,
            note=mark.note,
            act=mark.harmful_act,
            by=names[mark.assessor_id],
            at=mark.observed_at,
        )
    return _Marks(lines, assessors, rounds, frozenset(row.public_id for row in found))
