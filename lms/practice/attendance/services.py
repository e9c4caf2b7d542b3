"""What trainers do with attendance. Services flush; entry points commit."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time

from sqlalchemy import insert, select

from lms.accounts import services as accounts
from lms.cohorts import services as cohorts
from lms.cohorts.models import Cohort
from lms.competency import services as competency
from lms.competency.rules import EvidenceKind, Row
from lms.core.clock import ZONES
from lms.core.db import db
from lms.core.errors import NotFound
from lms.practice.attendance import rules
from lms.practice.attendance.models import Attendance, Presence
from lms.practice.attendance.rules import Change, Half


@dataclass(frozen=True, slots=True)
class Note:
    """What somebody noted about one person and half day, and when."""

    presence: Presence
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Entry:
    """What one row of the screen says: the choice, and what stood there when it was drawn."""

    chosen: str
    shown: str


@dataclass(frozen=True, slots=True)
class HalfLine:
    """One half day of a class and how far its list is."""

    half: Half
    on: date
    titles: tuple[tuple[str, str], ...]
    """What is taught, in Indonesian and English."""
    noted: int


@dataclass(frozen=True, slots=True)
class Line:
    """One person in the list of a half day; the newest note counts."""

    seat: cohorts.Seat
    notes: tuple[Note, ...]

    @property
    def note(self) -> Note | None:
        """Return the note that counts."""
        return self.notes[-1] if self.notes else None


@dataclass(frozen=True, slots=True)
class Sheet:
    """The attendance list of one half day, and the way to the others."""

    half: HalfLine
    halves: tuple[HalfLine, ...]
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a save did: how many notes were added, and whose row a colleague had changed."""

    added: int
    overtaken: frozenset[int]


def get_sheet(cohort: Cohort, key: str | None, *, now: datetime) -> Sheet:
    """Return the list of the half day named by `key`, or of the newest one that has begun.

    Raises NotFound when the timetable has no such half day.
    """
    days, titles = _halves(cohort)
    if not days:
        raise NotFound(f"{cohort.slug} has no timetable")
    half = _half(days, key) if key else rules.newest_begun(days, _local(cohort, now))
    seats, notes = cohorts.list_seats(cohort.id), _notes(cohort.id)
    halves = tuple(
        HalfLine(
            half=each,
            on=days[each],
            titles=tuple(titles[each]),
            noted=sum((seat.person_id, each) in notes for seat in seats),
        )
        for each in sorted(days)
    )
    lines = tuple(Line(seat, tuple(notes.get((seat.person_id, half), ()))) for seat in seats)
    return Sheet(next(line for line in halves if line.half == half), halves, lines)


def record(
    cohort: Cohort,
    key: str,
    entries: Mapping[str, Entry],
    *,
    fill: bool,
    recorder_id: int,
    now: datetime,
) -> Outcome:
    """Add a note for each row that was changed; `entries` are by public id.

    With `fill` people without any note are noted as present. Nobody notes themselves. Lessons that
    are attended in full become evidence; a correction takes it back. Raises NotFound. Flushes.
    """
    # Two telephones may save at once; whoever comes second sees the first one's notes.
    db.session.refresh(cohort, with_for_update={"key_share": True})
    days, _titles = _halves(cohort)
    half = _half(days, key)
    notes = _newest(cohort.id)
    added: dict[int, Presence] = {}
    overtaken: set[int] = set()
    for seat in cohorts.list_seats(cohort.id):
        if seat.person_id == recorder_id:
            continue
        entry = entries.get(seat.public_id, Entry("", ""))
        newest = notes.get((seat.person_id, half), "")
        chosen = entry.chosen or (Presence.PRESENT.value if fill and not newest else "")
        found = rules.change(chosen, entry.shown, newest)
        if found is Change.APPEND:
            added[seat.person_id] = Presence(chosen)
        elif found is Change.OVERTAKEN:
            overtaken.add(seat.person_id)
    values = [
        {
            "cohort_id": cohort.id,
            "person_id": person_id,
            "day": half.day,
            "half": half.half,
            "presence": presence,
            "recorded_by": recorder_id,
            "recorded_at": now,
        }
        for person_id, presence in added.items()
    ]
    if values:
        db.session.execute(insert(Attendance), values)
        _restate(cohort, half, list(added), recorder_id=recorder_id, now=now)
    return Outcome(len(added), frozenset(overtaken))


def halves_of(cohort: Cohort) -> dict[Half, date]:
    """Return the half days of a class in order, each with its date."""
    days, _titles = _halves(cohort)
    return {half: days[half] for half in sorted(days)}


def _restate(
    cohort: Cohort, half: Half, people: Sequence[int], *, recorder_id: int, now: datetime
) -> None:
    """Bring the evidence of these people in line with the list, for the lessons of `half`."""
    lessons = {code: halves for code, halves in _lessons(cohort.id).items() if half in halves}
    if not lessons:
        return
    days, _titles = _halves(cohort)
    newest = _newest(cohort.id)
    found = competency.current()
    ledgers = competency.rows_of(people, found)
    facts: list[competency.NewEvidence] = []
    for person_id in people:
        noted = {h: newest[person_id, h] for h in days if (person_id, h) in newest}
        reached = rules.attended(lessons, [h for h, p in noted.items() if p.counts])
        for lesson in sorted(lessons):
            stated = _stated(ledgers.get(person_id, ()), cohort.id, lesson)
            live = [row for row in stated if not row.voided]
            if lesson in reached and not live:
                moment = _moment(cohort, lessons[lesson], noted, days, now)
                facts.append(
                    _fact(person_id, cohort.id, lesson, len(stated) + 1, recorder_id, moment)
                )
            elif lesson not in reached:
                reason = f"kehadiran dikoreksi: {half.key}"
                for row in live:
                    competency.void(row.id, reason=reason, by_id=recorder_id, now=now)
    competency.append(facts, standard_id=found.id, now=now)


def _stated(rows: Iterable[Row], cohort_id: int, lesson: str) -> list[Row]:
    """Return every row, voided ones too, that said the lesson was attended in this class."""
    return [
        row
        for row in rows
        if row.kind is EvidenceKind.HDR and row.group == _group(cohort_id) and row.source == lesson
    ]


def _fact(
    person_id: int, cohort_id: int, lesson: str, count: int, recorder_id: int, at: datetime
) -> competency.NewEvidence:
    return competency.NewEvidence(
        person_id=person_id,
        kind=EvidenceKind.HDR,
        kuk="",
        source=lesson,
        group=_group(cohort_id),
        # The count makes a fact stated again after a correction a new one.
        ref=f"{lesson}/{count}",
        passed=True,
        assessor_id=recorder_id,
        happened_at=at,
    )


def _group(cohort_id: int) -> str:
    return f"cohort:{cohort_id}"


def _moment(
    cohort: Cohort,
    halves: frozenset[Half],
    noted: Mapping[Half, Presence],
    days: Mapping[Half, date],
    now: datetime,
) -> datetime:
    """Return when the lesson was attended: noon of its last day, but never a moment to come."""
    if any(noted[half] is Presence.MADE_UP for half in halves):
        return now  # on which day the other class was is not known
    last = max(days[half] for half in halves)
    return min(now, datetime.combine(last, time(12), ZONES[cohort.zone]))


def _local(cohort: Cohort, now: datetime) -> datetime:
    return now.astimezone(ZONES[cohort.zone])


def _half(days: Mapping[Half, date], key: str) -> Half:
    found = next((half for half in days if half.key == key), None)
    if found is None:
        raise NotFound(key)
    return found


def _halves(cohort: Cohort) -> tuple[dict[Half, date], dict[Half, list[tuple[str, str]]]]:
    """Return the half days of a timetable with their dates, and what is taught in each."""
    titles: dict[Half, list[tuple[str, str]]] = defaultdict(list)
    for session in cohorts.list_sessions(cohort.id):
        titles[Half(session.day, session.half)].append((session.title, session.title_en))
    last = max((half.day for half in titles), default=0)
    days = {half: rules.held_on(half, last, cohort.starts_on, cohort.ends_on) for half in titles}
    return days, titles


def _lessons(cohort_id: int) -> dict[str, frozenset[Half]]:
    return rules.lesson_halves(
        (Half(session.day, session.half), session.lesson_code)
        for session in cohorts.list_sessions(cohort_id)
    )


def _rows(cohort_id: int) -> Sequence[Attendance]:
    return db.session.scalars(
        select(Attendance).where(Attendance.cohort_id == cohort_id).order_by(Attendance.id)
    ).all()


def _newest(cohort_id: int) -> dict[tuple[int, Half], Presence]:
    return {(row.person_id, Half(row.day, row.half)): row.presence for row in _rows(cohort_id)}


def _notes(cohort_id: int) -> dict[tuple[int, Half], list[Note]]:
    rows = _rows(cohort_id)
    names = accounts.names_of(row.recorded_by for row in rows)
    found: dict[tuple[int, Half], list[Note]] = defaultdict(list)
    for row in rows:
        note = Note(row.presence, names[row.recorded_by], row.recorded_at)
        found[row.person_id, Half(row.day, row.half)].append(note)
    return found
