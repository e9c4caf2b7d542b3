"""What assessors do at the stations of the observation test. Services flush; entry points commit.

The ledger is the truth about what counts; the marks keep what one assessor saw, word for word.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import replace as dc_replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import insert, select

from lms.cohorts import services as cohorts
from lms.cohorts.models import Cohort
from lms.competency import qualities
from lms.competency import services as competency
from lms.competency.qualities import Stated
from lms.competency.rules import EvidenceKind
from lms.core.db import Base, db
from lms.core.errors import DomainError, NotFound
from lms.core.ids import public_id
from lms.practice.observations import rules
from lms.practice.observations.models import ObservationMark, ObservationRound
from lms.practice.observations.rules import Slot
from lms.practice.observations.standing import (
    Known,
    Marks,
    cases_of,
    last_here,
    marks_of,
    subject_of,
)
from lms.practice.observations.texts import Station, get_station
from lms.ratings import services as ratings
from lms.ratings.rules import TWO, Mark
from lms.ratings.services import Given, Pair


class NothingToAnnul(DomainError):
    """No try of this person at this station counts in this class."""


class Refusal(StrEnum):
    """Why one row was not saved."""

    MAY_NOT = "may_not"
    """It is the assessor themselves, a relative, or somebody above or below them in line."""
    NOTE = "note"
    QUALITY = "quality"
    """A mark above the lowest stands on evidence that lacks one of the four qualities."""
    EMPTY = "empty"
    FEEDBACK = "feedback"
    """A repeat needs the word that feedback was given."""
    TAKEN = "taken"
    """Somebody marked it in the meantime."""
    TWO = "two"
    """Two other assessors mark this person here."""
    CLOSED = "closed"
    """This criterion may not be marked with this story now."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What one row of the screen says; nothing chosen means not seen."""

    mark: int | None
    note: str
    act: str
    stated: Stated | None = None
    """What one assessor says of its quality; of two nobody is asked."""

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing was said about the person."""
        return self.mark is None and not self.note and not self.act

    @property
    def fault(self) -> Refusal | None:
        """Return why its mark may not stand on evidence of this quality, or None."""
        return None if qualities.supports(self.mark, self.stated) else Refusal.QUALITY


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a save did, by person: saved now or before, or refused and why."""

    saved: frozenset[int]
    refused: Mapping[int, Refusal]


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
    cases = cases_of([station], people, zone=cohort.zone, now=now)
    marks = marks_of(cohort.id, code, people)
    barred = cohorts.conflicted_people(assessor_id)
    needed = ratings.needed(cohort.id, EvidenceKind.OBS, code, station.curriculum)
    write = _Write(cohort, station, kuk, variant, assessor_id, now, marks)
    double = _Double(write)
    saved, refused = set(), {}
    for person_id in people:
        case, entry = cases[person_id, code], given[person_id]
        found = Refusal.MAY_NOT if person_id in barred else entry.fault
        if found is None and (needed > 1 or double.is_begun(person_id, case)):
            found = double.refusal(person_id, case, entry, has_feedback)
            if found is None:
                double.add(person_id, case, entry)
                saved.add(person_id)
            elif found is Refusal.TAKEN and double.says_same(person_id, case, entry):
                saved.add(person_id)
            else:
                refused[person_id] = found
            continue
        found = found or write.refusal(person_id, case, entry, has_feedback)
        if found and not write.is_repeated(person_id, case, entry, found):
            refused[person_id] = found
            continue
        saved.add(person_id)
        if found is None:
            write.add(person_id, case, entry)
    write.flush()
    double.settle()
    return Outcome(frozenset(saved), refused)


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
        marks: Marks,
    ) -> None:
        self.cohort, self.station, self.kuk, self.variant = cohort, station, kuk, variant
        self.assessor_id, self.now, self.marks = assessor_id, now, marks
        self.facts: list[competency.NewEvidence] = []
        self.rows: list[tuple[_Place, dict[str, Any]]] = []

    def refusal(
        self, person_id: int, case: Known, entry: Entry, has_feedback: bool
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

    def _is_shut(self, person_id: int, case: Known, *kuk: str) -> Refusal:
        keys = [self._key(person_id, case, each) for each in kuk]
        is_taken = any(key in self.marks.lines for key in keys if key)
        return Refusal.TAKEN if is_taken else Refusal.CLOSED

    def is_repeated(self, person_id: int, case: Known, entry: Entry, why: Refusal) -> bool:
        """Tell whether the same assessor sends again what is saved, so that nothing is wrong."""
        if why is not Refusal.TAKEN:
            return False
        said = {self.kuk: entry.mark is not None, "": bool(entry.act)}
        return all(
            self._says_same(person_id, case, entry, kuk) for kuk, is_said in said.items() if is_said
        )

    def _says_same(self, person_id: int, case: Known, entry: Entry, kuk: str) -> bool:
        key = self._key(person_id, case, kuk)
        line = self.marks.lines.get(key) if key else None
        if line is None or key is None or self.marks.assessors[key] != self.assessor_id:
            return False
        same = line.act == entry.act if kuk == "" else line.mark == entry.mark
        return same and line.note == entry.note

    def _key(self, person_id: int, case: Known, kuk: str) -> tuple[int, str, str, str] | None:
        done = [each for each in case.tries if each.variant == self.variant]
        return (person_id, done[-1].round, self.variant, kuk) if done else None

    def add(self, person_id: int, case: Known, entry: Entry) -> None:
        """Prepare the marks and the evidence of one person."""
        slot, running = case.standing.slot(self.variant, self.kuk), case.standing.running
        wanted = slot.round if slot else running.round if running else None
        place = self.place_for(person_id, wanted)
        if entry.mark is not None:
            self.rows.append((place, self._mark(self.kuk, entry.mark, entry)))
        if entry.act:
            self.rows.append((place, self._mark("", 0, entry)))
        concerned = case.rule.kuk if entry.act else (self.kuk,)
        for kuk in concerned:
            self.facts.append(self._fact(person_id, place, case, entry, kuk))

    def place_for(self, person_id: int, wanted: str | None) -> _Place:
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
        self,
        person_id: int,
        place: _Place,
        case: Known,
        entry: Entry,
        kuk: str,
        mark: int | None = None,
    ) -> competency.NewEvidence:
        """Return the evidence for one criterion; it names the row it stands in for."""
        prior = rules.effective(case.seen, place.public_id, kuk)
        own = [s for s in case.seen if (s.round, s.variant) == (place.public_id, self.variant)]
        ref = f"{self.station.code}/{self.variant}"
        if any(s.kuk == kuk for s in own):
            ref += f"/{entry.act}"  # a harmful act after the mark: a fact of its own
        if kuk == self.kuk and mark is None:
            mark = entry.mark
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
            qualities=entry.stated if kuk == self.kuk else None,
            happened_at=self.now,
        )

    def flush(self) -> None:
        """Write everything that was prepared, in as many statements for one row as for many."""
        self.open_rounds(place for place, _values in self.rows)
        self._write_rows()
        competency.append(self.facts, standard_id=competency.current().id, now=self.now)

    def open_rounds(self, wanted: Iterable[_Place]) -> None:
        """Open the rounds among these that are new."""
        places = {place.public_id: place for place in wanted}
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

    def _write_rows(self) -> None:
        places = {place.public_id for place, _values in self.rows}
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

    def add_settled(self, settled: Sequence[tuple[_Place, Known, Pair]]) -> None:
        """Write what two assessors came to: the marks that count, and the evidence that follows."""
        self.rows, self.facts, stopped = [], [], set()
        for place, case, pair in settled:
            mark = pair.mark
            key = (place.person_id, place.public_id, self.variant)
            row = {"assessor_id": pair.rater_id, "note": mark.note, "mark": mark.level}
            entry = Entry(mark.level, mark.note, mark.act)
            if (*key, pair.kuk) not in self.marks.lines:
                self.rows.append((place, {**self._mark(pair.kuk, mark.level, entry), **row}))
            if mark.act and key not in stopped and (*key, "") not in self.marks.lines:
                stopped.add(key)
                self.rows.append((place, {**self._mark("", 0, entry), **row, "mark": 0}))
            fact = self._fact(place.person_id, place, case, entry, pair.kuk, mark.level)
            self.facts.append(dc_replace(fact, assessor_id=pair.rater_id, raters=TWO))
        if settled:
            self._write_rows()
            competency.append(self.facts, standard_id=competency.current().id, now=self.now)


class _Double:
    """Marks of two assessors: kept apart until both are in, then written like any other."""

    def __init__(self, write: _Write) -> None:
        self.write, self.marks, self.kuk = write, write.marks, write.kuk
        self.code, self.variant = write.station.code, write.variant
        self.rater_id, self.now = write.assessor_id, write.now
        self.said: list[tuple[_Place, Known, dict[str, Mark]]] = []

    def _round(self, person_id: int, case: Known) -> str | None:
        """Return the round in which this story is being marked, or None for one to come."""
        slot = self._slot(case)
        if slot:
            return self.marks.pending(person_id, slot) or slot.round
        done = [each for each in case.tries if each.variant == self.variant]
        return done[-1].round if done else None

    def _slot(self, case: Known) -> Slot | None:
        """Return the slot of the criterion; for an act, of any criterion with this story."""
        standing = case.standing
        any_one = next((one for one in standing.slots if one.variant == self.variant), None)
        return standing.slot(self.variant, self.kuk) or any_one

    def is_begun(self, person_id: int, case: Known) -> bool:
        """Tell whether two mark here already, whatever the class wants by now."""
        slot = self._slot(case)
        return bool(slot and self.marks.pending(person_id, slot))

    def _own(self, person_id: int, case: Known) -> Given | None:
        place = self._round(person_id, case)
        return self.marks.own(person_id, place, self.variant, self.rater_id)

    def refusal(
        self, person_id: int, case: Known, entry: Entry, has_feedback: bool
    ) -> Refusal | None:
        """Return why a row cannot be saved, or None."""
        own, place = self._own(person_id, case), self._round(person_id, case)
        slot, running = case.standing.slot(self.variant, self.kuk), case.standing.running
        if self.marks.is_full(person_id, place, self.variant, self.rater_id):
            return Refusal.TWO
        stopped = own is not None and any(mark.act for mark in own.marks.values())
        marked = own is not None and self.kuk in own.marks
        if stopped or (marked and entry.mark is not None):
            return Refusal.TAKEN
        can_stop = self._slot(case) or (running and running.variant == self.variant)
        if entry.mark is not None and not slot:
            taken = place is not None and (person_id, place, self.variant, self.kuk)
            return Refusal.TAKEN if taken in self.marks.lines else Refusal.CLOSED
        if entry.act and not can_stop:
            return Refusal.CLOSED
        fault = rules.fault(case.rule, self.kuk, entry.mark, entry.note, entry.act)
        if fault:
            return Refusal(fault.value)
        return Refusal.FEEDBACK if slot and slot.repeat and not has_feedback else None

    def says_same(self, person_id: int, case: Known, entry: Entry) -> bool:
        """Tell whether the same assessor sends again what is saved."""
        own = self._own(person_id, case)
        mark = own.marks.get(self.kuk) if own else None
        if mark is None:
            return False
        level = mark.level if entry.mark is None else entry.mark
        return (mark.level, mark.note, mark.act) == (level, entry.note, entry.act)

    def add(self, person_id: int, case: Known, entry: Entry) -> None:
        """Prepare what this assessor gives. An act is given for every criterion of the station."""
        place = self.write.place_for(person_id, self._round(person_id, case))
        own = self._own(person_id, case)
        before = own.marks if own else {}
        marks = {}
        for kuk in case.rule.kuk if entry.act else (self.kuk,):
            level = entry.mark if kuk == self.kuk and entry.mark is not None else None
            if level is None:
                level = before[kuk].level if kuk in before else 0
            marks[kuk] = Mark(level, entry.act, entry.note)
        self.said.append((place, case, marks))

    def settle(self) -> None:
        """Keep what was given; where both are in, write the mark that counts and its evidence."""
        self.write.open_rounds(place for place, _case, _marks in self.said)
        given = {
            about_of(place.public_id, self.code, self.variant, place.person_id): marks
            for place, _case, marks in self.said
        }
        pairs = ratings.rate_many(given, self.rater_id, goes_on=True, now=self.now)
        writes, disputed = [], {}
        for (place, case, _marks), about in zip(self.said, given, strict=True):
            disputed[about] = [pair for pair in pairs[about] if self._changes(place, case, pair)]
            writes += [(place, case, pair) for pair in disputed[about]]
        self.write.add_settled(writes)
        ratings.open_disputes(disputed, now=self.now)

    def _changes(self, place: _Place, case: Known, pair: Pair) -> bool:
        """Tell whether a pair says something the ledger does not: it is new, or now harmful."""
        rows = [
            row
            for row in case.seen
            if (row.round, row.variant, row.kuk) == (place.public_id, self.variant, pair.kuk)
        ]
        return not rows or (bool(pair.mark.act) and not any(row.harmful for row in rows))


def about_of(place: str, station: str, variant: str, person_id: int) -> ratings.About:
    """Return what two assessors mark at a station."""
    return ratings.About(
        kind=EvidenceKind.OBS,
        subject=subject_of(place, station, variant),
        source=station,
        person_id=person_id,
    )


def _insert_all(table: type[Base], values: list[dict[str, Any]]) -> None:
    if values:
        db.session.execute(insert(table), values)


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
    case = cases_of([station], [seat.person_id], zone=cohort.zone, now=now)[seat.person_id, code]
    marks = marks_of(cohort.id, code, [seat.person_id])
    last = last_here(case, marks, seat.person_id)
    begun = marks.to_annul(seat.person_id, last)
    if last is None and not begun:
        raise NothingToAnnul(f"{code}/{person}")
    for place, variant in begun:
        about = about_of(place, code, variant, seat.person_id)
        ratings.annul(about, by_id=assessor_id, reason=reason, now=now)
    if last is None:
        return
    for row in case.seen:
        if row.live and (row.round, row.variant) == (last.round, last.variant):
            competency.void(row.id, reason=reason, by_id=assessor_id, now=now)
