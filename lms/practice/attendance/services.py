"""What trainers do with attendance. Services flush; entry points commit.

What people do with a code of the moment is in `checkin`.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time

from sqlalchemy import Select, func, insert, select

from lms.accounts import services as accounts
from lms.cohorts import seating
from lms.cohorts import services as cohorts
from lms.cohorts.models import Cohort
from lms.cohorts.seating import Held
from lms.competency import services as competency
from lms.competency.rules import EvidenceKind, Row
from lms.core.clock import ZONES
from lms.core.db import db
from lms.core.errors import NotFound
from lms.practice.attendance import rules
from lms.practice.attendance.models import Attendance, Presence, Way
from lms.practice.attendance.rules import Change, Half, Mark

PAGE = 50
"""People on one page of a list."""


@dataclass(frozen=True, slots=True)
class Note:
    """What somebody noted about one person and half day, how and when."""

    mark: Mark
    by: str
    at: datetime
    way: Way
    elsewhere: str = ""
    """The name of the class it was made up in."""

    @property
    def presence(self) -> Presence:
        """Return the word alone."""
        return self.mark.presence


@dataclass(frozen=True, slots=True)
class Entry:
    """What one row of the screen says: the choice, and what stood there when it was drawn."""

    chosen: str
    shown: str
    minutes: int | None = None
    note: str = ""
    elsewhere: str = ""

    @property
    def mark(self) -> Mark | None:
        """Return what was chosen. Raises BadMark."""
        if not self.chosen:
            return None
        presence = Presence(self.chosen)
        return rules.check_mark(Mark(presence, self.minutes, self.note, self.elsewhere))


@dataclass(frozen=True, slots=True)
class HalfLine:
    """One half day of a class and how far its list is."""

    half: Half
    on: date
    titles: tuple[tuple[str, str], ...]
    """What is taught, in Indonesian and English."""
    counts: Mapping[Presence, int]

    @property
    def noted(self) -> int:
        """How many people are noted."""
        return sum(count for presence, count in self.counts.items() if _stands(presence))


@dataclass(frozen=True, slots=True)
class Line:
    """One person in the list of a half day; the newest note counts."""

    seat: cohorts.Seat
    notes: tuple[Note, ...]
    elsewhere: tuple[tuple[str, str], ...] = ()
    """Address and name of the classes in which they attended the same part."""
    shares: tuple[str, ...] = ()
    """Names of people noted from the same browser."""

    @property
    def note(self) -> Note | None:
        """Return the note that counts."""
        return self.notes[-1] if self.notes and _stands(self.notes[-1].presence) else None

    @property
    def stamp(self) -> str:
        """Return what the hidden field of the row holds."""
        return self.note.mark.stamp if self.note else ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """The attendance list of one half day, and the way to the others."""

    half: HalfLine
    halves: tuple[HalfLine, ...]
    lines: tuple[Line, ...]
    total: int
    page: int = 1

    @property
    def first(self) -> int:
        """Return the number of the first person on this page, from 1."""
        return (self.page - 1) * PAGE + 1

    @property
    def pages(self) -> int:
        """Return how many pages there are, at least one."""
        return max(1, -(-self.total // PAGE))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a save did: how many notes were added, and whose row a colleague had changed."""

    added: int
    overtaken: frozenset[int]


@dataclass(frozen=True, slots=True)
class Timetable:
    """The half days of a class: when they are, what they hold, which lessons they make up."""

    days: Mapping[Half, date]
    titles: Mapping[Half, tuple[tuple[str, str], ...]]
    lessons: Mapping[str, frozenset[Half]]
    begins: Mapping[Half, time] = field(default_factory=dict)
    """When the first entry of a half day begins, where the timetable says so."""

    def find(self, key: str) -> Half:
        """Return the half day of this name. Raises NotFound."""
        found = next((half for half in self.days if half.key == key), None)
        if found is None:
            raise NotFound(key)
        return found

    def choose(self, cohort: Cohort, key: str | None, now: datetime) -> Half:
        """Return the half day named, or the newest one that has begun. Raises NotFound."""
        if not self.days:
            raise NotFound(f"{cohort.slug} has no timetable")
        return self.find(key) if key else rules.newest_begun(self.days, _local(cohort, now))


def timetable_of(cohort: Cohort) -> Timetable:
    """Return the half days of a class, in one query."""
    return _timetable(seating.held_in([cohort.id]))


def timetables_of(classes: Sequence[Cohort]) -> dict[int, Timetable]:
    """Return the half days of these classes by id, in one query."""
    entries: dict[int, list[Held]] = {cohort.id: [] for cohort in classes}
    for entry in seating.held_in(entries):
        entries[entry.cohort_id].append(entry)
    return {cohort_id: _timetable(held) for cohort_id, held in entries.items()}


def half_line(cohort: Cohort, table: Timetable, half: Half) -> HalfLine:
    """Return how far the list of one half day is, in one query."""
    counts = _counts(cohort.id)
    return HalfLine(half, table.days[half], table.titles[half], counts.get(half, {}))


def get_sheet(cohort: Cohort, key: str | None, *, now: datetime, page: int = 1) -> Sheet:
    """Return a page of the list of the half day `key`, or of the newest one that has begun.

    Raises NotFound when the timetable has no such half day, or the list no such page.
    """
    table = timetable_of(cohort)
    half = table.choose(cohort, key, now)
    counts = _counts(cohort.id)
    total = seating.count_seats(cohort.id)
    if page < 1 or (page - 1) * PAGE >= max(total, 1):
        raise NotFound(str(page))
    seats = seating.page_of_seats(cohort.id, first=(page - 1) * PAGE, size=PAGE)
    halves = tuple(
        HalfLine(each, table.days[each], table.titles[each], counts.get(each, {}))
        for each in table.days
    )
    return Sheet(
        half=next(line for line in halves if line.half == half),
        halves=halves,
        lines=_lines(cohort, table, half, seats),
        total=total,
        page=page,
    )


def record(
    cohort: Cohort,
    key: str,
    entries: Mapping[str, Entry],
    *,
    fill: bool,
    recorder_id: int,
    now: datetime,
    way: Way = Way.LIST,
    only: Collection[str] | None = None,
) -> Outcome:
    """Add a note for each row that was changed; `entries` are by public id.

    With `fill` people without any note are noted as present, of `only` these if given. Nobody
    notes themselves. Lessons that are attended in full become evidence; a correction takes it
    back. Raises NotFound (also for a class in which somebody did not attend), BadMark. Flushes.
    """
    lock(cohort)
    table = timetable_of(cohort)
    half = table.find(key)
    seats = [seat for seat in cohorts.list_seats(cohort.id) if seat.person_id != recorder_id]
    newest = {who: mark for (who, h), mark in newest_marks(cohort.id).items() if h == half}
    added: dict[int, Mark] = {}
    overtaken: set[int] = set()
    for seat in seats:
        entry = entries.get(seat.public_id, Entry("", ""))
        known = newest.get(seat.person_id)
        stands = known.stamp if known else ""
        mark = entry.mark
        fills = fill and not stands and (only is None or seat.public_id in only)
        if mark is None and fills:
            mark = Mark(Presence.PRESENT)
        if mark is None:
            continue
        found = rules.change(mark.stamp, entry.shown, stands)
        if found is Change.APPEND:
            added[seat.person_id] = mark
        elif found is Change.OVERTAKEN:
            overtaken.add(seat.person_id)
    note(cohort, table, half, added, by_id=recorder_id, way=way, now=now)
    return Outcome(len(added), frozenset(overtaken))


def undo(cohort: Cohort, key: str, public_id: str, *, recorder_id: int, now: datetime) -> bool:
    """Take back what is noted about somebody; tell whether there was anything. Flushes.

    The notes stay to be read. Raises NotFound, also for oneself.
    """
    lock(cohort)
    table = timetable_of(cohort)
    half = table.find(key)
    seat = cohorts.get_seat(cohort.id, public_id)
    if seat.person_id == recorder_id:
        raise NotFound(public_id)
    if (seat.person_id, half) not in newest_marks(cohort.id, [seat.person_id]):
        return False
    cleared = {seat.person_id: Mark(Presence.CLEARED)}
    note(cohort, table, half, cleared, by_id=recorder_id, way=Way.LIST, now=now)
    return True


def lock(cohort: Cohort) -> None:
    """Let whoever else notes attendance in this class wait, and see what they noted."""
    db.session.refresh(cohort, with_for_update={"key_share": True})


def note(
    cohort: Cohort,
    table: Timetable,
    half: Half,
    marks: Mapping[int, Mark],
    *,
    by_id: int,
    way: Way,
    now: datetime,
    vouched_by: int | None = None,
    device: str | None = None,
    counts: bool = True,
) -> None:
    """Append these marks, by person id, and bring the evidence in line. Lock first. Flushes.

    `vouched_by` stands in the evidence where people note themselves. Of people who have not
    accepted their seat nothing `counts` yet: see `count_earlier`. Raises NotFound for a class in
    which somebody did not attend the same part.
    """
    if not marks:
        return
    made_up = [who for who, mark in marks.items() if mark.elsewhere]
    classes = _elsewhere(cohort, table, half, made_up) if made_up else {}
    slugs = {who: {one.slug: one.cohort_id for one in found} for who, found in classes.items()}
    values = []
    for who, mark in marks.items():
        if mark.elsewhere and mark.elsewhere not in slugs.get(who, {}):
            raise NotFound(mark.elsewhere)
        values.append(
            {
                "cohort_id": cohort.id,
                "person_id": who,
                "day": half.day,
                "half": half.half,
                "presence": mark.presence,
                "minutes": mark.minutes,
                "note": mark.note,
                "made_up_in_id": slugs[who][mark.elsewhere] if mark.elsewhere else None,
                "way": way,
                "device_hash": device,
                "recorded_by": by_id,
                "recorded_at": now,
            }
        )
    db.session.execute(insert(Attendance), values)
    if not counts:
        return
    vouched = by_id if vouched_by is None else vouched_by
    _restate(cohort, table, half, list(marks), recorder_id=vouched, now=now)


def count_earlier(person_id: int, cohort_id: int, *, now: datetime) -> None:
    """Let what was noted of somebody before they accepted their seat become evidence. Flushes.

    One query where nothing was noted, as of nearly everybody.
    """
    rows = db.session.execute(
        select(Attendance.day, Attendance.half, Attendance.recorded_by)
        .where(Attendance.id.in_(newest_ids(cohort_id, [person_id])))
        .order_by(Attendance.id)
    ).all()
    if not rows:
        return
    cohort = cohorts.get_cohort_by_id(cohort_id)
    table = timetable_of(cohort)
    for row in rows:
        half = Half(row.day, row.half)
        if half in table.days:
            _restate(cohort, table, half, [person_id], recorder_id=row.recorded_by, now=now)


def noted_at_door(cohort_id: int) -> Select[int]:
    """Return a query of the people who came to a class without a seat, and were noted.

    Not of those for whom that was taken back.
    """
    newest = (
        select(func.max(Attendance.id))
        .where(Attendance.cohort_id == cohort_id, Attendance.way == Way.DOOR)
        .group_by(Attendance.person_id)
    )
    return select(Attendance.person_id).where(
        Attendance.id.in_(newest), Attendance.presence != Presence.CLEARED
    )


def halves_at_door(cohort_id: int, person_id: int) -> dict[Half, datetime]:
    """Return the half days somebody came to by the door, each with when first; one query."""
    rows = db.session.execute(
        select(Attendance.day, Attendance.half, func.min(Attendance.recorded_at).label("at"))
        .where(
            Attendance.cohort_id == cohort_id,
            Attendance.person_id == person_id,
            Attendance.way == Way.DOOR,
        )
        .group_by(Attendance.day, Attendance.half)
    )
    return {Half(row.day, row.half): row.at for row in rows}


def clear_marks(
    cohort: Cohort, person_id: int, *, recorder_id: int, counts: bool, now: datetime
) -> None:
    """Take back whatever is noted about somebody in a class, and that they came. Lock first.

    Flushes.
    """
    table = timetable_of(cohort)
    rows = db.session.scalars(
        select(Attendance).where(Attendance.id.in_(newest_ids(cohort.id, [person_id])))
    )
    newest = {Half(row.day, row.half): row for row in rows}
    at_door = halves_at_door(cohort.id, person_id)
    taken = [
        (half, Way.LIST)
        for half, row in newest.items()
        if row.presence is not Presence.CLEARED and row.way is not Way.DOOR
    ]
    for half, way in [*taken, *((half, Way.DOOR) for half in at_door)]:
        cleared = {person_id: Mark(Presence.CLEARED)}
        note(cohort, table, half, cleared, by_id=recorder_id, way=way, now=now, counts=counts)


def halves_of(cohort: Cohort) -> dict[Half, date]:
    """Return the half days of a class in order, each with its date."""
    return dict(timetable_of(cohort).days)


def newest_marks(
    cohort_id: int, people: Sequence[int] | None = None
) -> dict[tuple[int, Half], Mark]:
    """Return what is noted in a class now, of some people or of all, in one query."""
    query = (
        select(Attendance, Cohort.slug)
        .join(Cohort, Cohort.id == Attendance.made_up_in_id, isouter=True)
        .where(Attendance.id.in_(newest_ids(cohort_id, people)))
        .where(Attendance.presence != Presence.CLEARED)
    )
    return {
        (row.person_id, Half(row.day, row.half)): _mark(row, slug)
        for row, slug in db.session.execute(query)
    }


def marks_of(person_id: int, cohort_ids: Sequence[int]) -> dict[tuple[int, Half], Mark]:
    """Return what is noted about one person in these classes, in one query."""
    newest = (
        select(func.max(Attendance.id))
        .where(Attendance.person_id == person_id, Attendance.cohort_id.in_(cohort_ids))
        .group_by(Attendance.cohort_id, Attendance.day, Attendance.half)
    )
    rows = db.session.scalars(
        select(Attendance).where(Attendance.id.in_(newest), Attendance.presence != Presence.CLEARED)
    )
    return {(row.cohort_id, Half(row.day, row.half)): _mark(row, None) for row in rows}


def newest_ids(cohort_id: int, people: Sequence[int] | None = None) -> Select[int]:
    """Return a query of the newest note of each person and half day of a class."""
    query = (
        select(func.max(Attendance.id))
        .where(Attendance.cohort_id == cohort_id)
        .group_by(Attendance.person_id, Attendance.day, Attendance.half)
    )
    return query if people is None else query.where(Attendance.person_id.in_(people))


def present_people(cohort_id: int) -> frozenset[int]:
    """Return who was in a class for at least a part of one half day, in one query."""
    came = (Presence.PRESENT, Presence.LATE, Presence.PARTIAL)
    query = (
        select(Attendance.person_id)
        .where(Attendance.id.in_(newest_ids(cohort_id)), Attendance.presence.in_(came))
        .distinct()
    )
    return frozenset(db.session.scalars(query))


def _counts(cohort_id: int) -> dict[Half, dict[Presence, int]]:
    """Return how many people of a class are noted as what, by half day, in one query."""
    query = (
        select(Attendance.day, Attendance.half, Attendance.presence, func.count())
        .where(Attendance.id.in_(newest_ids(cohort_id)))
        .where(Attendance.person_id.in_(seating.seated_in(cohort_id)))
        .group_by(Attendance.day, Attendance.half, Attendance.presence)
    )
    found: dict[Half, dict[Presence, int]] = defaultdict(dict)
    for day, half, presence, count in db.session.execute(query):
        found[Half(day, half)][presence] = count
    return found


def _lines(
    cohort: Cohort, table: Timetable, half: Half, seats: Sequence[cohorts.Seat]
) -> tuple[Line, ...]:
    ids = [seat.person_id for seat in seats]
    notes = _notes(cohort.id, half, ids)
    shares = shares_of(cohort.id, half)
    classes = _elsewhere(cohort, table, half, ids)
    return tuple(
        Line(
            seat,
            tuple(notes.get(seat.person_id, ())),
            tuple((one.slug, one.cohort) for one in classes.get(seat.person_id, ())),
            shares.get(seat.person_id, ()),
        )
        for seat in seats
    )


def _notes(cohort_id: int, half: Half, people: Sequence[int]) -> dict[int, list[Note]]:
    """Return every note of one half day about these people, oldest first. Two queries."""
    rows = db.session.execute(
        select(Attendance, Cohort.slug, Cohort.title)
        .join(Cohort, Cohort.id == Attendance.made_up_in_id, isouter=True)
        .where(
            Attendance.cohort_id == cohort_id,
            Attendance.day == half.day,
            Attendance.half == half.half,
            Attendance.person_id.in_(people),
        )
        .order_by(Attendance.id)
    ).all()
    names = accounts.names_of(row.recorded_by for row, _slug, _title in rows)
    found: dict[int, list[Note]] = defaultdict(list)
    for row, slug, title in rows:
        found[row.person_id].append(
            Note(_mark(row, slug), names[row.recorded_by], row.recorded_at, row.way, title or "")
        )
    return found


def shares_of(cohort_id: int, half: Half) -> dict[int, tuple[str, ...]]:
    """Return who noted themselves from one browser with somebody else, and the others' names."""
    rows = db.session.execute(
        select(Attendance.person_id, Attendance.device_hash).where(
            Attendance.cohort_id == cohort_id,
            Attendance.day == half.day,
            Attendance.half == half.half,
            Attendance.device_hash.is_not(None),
        )
    ).all()
    together = rules.shared_devices((row.person_id, row.device_hash) for row in rows)
    names = accounts.names_of(together) if together else {}
    return {
        one: tuple(sorted(names[other] for other in others)) for one, others in together.items()
    }


def _elsewhere(
    cohort: Cohort, table: Timetable, half: Half, people: Sequence[int]
) -> dict[int, list[Held]]:
    """Return the other classes in which these people attended what `half` holds.

    One query, two when somebody was noted elsewhere. Each class is given by one entry of it.
    """
    newest = (
        select(func.max(Attendance.id))
        .where(Attendance.person_id.in_(people), Attendance.cohort_id != cohort.id)
        .group_by(Attendance.cohort_id, Attendance.person_id, Attendance.day, Attendance.half)
    )
    rows = db.session.execute(
        select(Attendance.cohort_id, Attendance.person_id, Attendance.day, Attendance.half).where(
            Attendance.id.in_(newest), Attendance.presence.in_((Presence.PRESENT, Presence.LATE))
        )
    ).all()
    counted: dict[tuple[int, int], set[Half]] = defaultdict(set)
    for row in rows:
        counted[row.person_id, row.cohort_id].add(Half(row.day, row.half))
    held: dict[int, list[Held]] = defaultdict(list)
    for entry in seating.held_in(row.cohort_id for row in rows):
        held[entry.cohort_id].append(entry)
    here = {lesson for lesson, halves in table.lessons.items() if half in halves}
    found: dict[int, list[Held]] = defaultdict(list)
    for (who, where), halves in counted.items():
        if where in held and rules.covers(here, half, _timetable(held[where]).lessons, halves):
            found[who].append(held[where][0])
    return found


def _mark(row: Attendance, elsewhere: str | None) -> Mark:
    return Mark(row.presence, row.minutes, row.note, elsewhere or "")


def _stands(presence: Presence) -> bool:
    return presence is not Presence.CLEARED


def _restate(
    cohort: Cohort,
    table: Timetable,
    half: Half,
    people: Sequence[int],
    *,
    recorder_id: int,
    now: datetime,
) -> None:
    """Bring the evidence of these people in line with the list, for the lessons of `half`."""
    lessons = {code: halves for code, halves in table.lessons.items() if half in halves}
    if not lessons:
        return
    newest = newest_marks(cohort.id, people)
    found = competency.current()
    ledgers = competency.rows_of(people, found)
    facts: list[competency.NewEvidence] = []
    for person_id in people:
        noted = {h: newest[person_id, h].presence for h in table.days if (person_id, h) in newest}
        reached = rules.attended(lessons, [h for h, p in noted.items() if p.counts])
        for lesson in sorted(lessons):
            stated = _stated(ledgers.get(person_id, ()), cohort.id, lesson)
            live = [row for row in stated if not row.voided]
            if lesson in reached and not live:
                moment = _moment(cohort, lessons[lesson], noted, table.days, now)
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


def _timetable(entries: Sequence[Held]) -> Timetable:
    """Put the entries of one class together."""
    titles: dict[Half, list[tuple[str, str]]] = defaultdict(list)
    begins: dict[Half, time] = {}
    for entry in entries:
        half = Half(entry.day, entry.half)
        titles[half].append((entry.title, entry.title_en))
        if entry.begins is not None:
            begins[half] = min(entry.begins, begins.get(half, entry.begins))
    last = max((half.day for half in titles), default=0)
    return Timetable(
        days={
            half: rules.held_on(half, last, entries[0].starts_on, entries[0].ends_on)
            for half in sorted(titles)
        },
        titles={half: tuple(named) for half, named in titles.items()},
        lessons=rules.lesson_halves((Half(e.day, e.half), e.lesson_code) for e in entries),
        begins=begins,
    )
