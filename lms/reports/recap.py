"""After a class: who was there, what it gave them, which papers came of it; and over all classes.

A page shows fifty people and figures of all, counted by the database; files are read in pieces.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, Select, Subquery, and_, func, or_, select

from lms.accounts.models import Person
from lms.cohorts import models as cohort_models
from lms.cohorts import services as cohorts
from lms.cohorts.models import ClassSession, Cohort, Enrolment, Organisation, OrganisationKind
from lms.competency import baselines, summaries
from lms.competency import services as competency
from lms.competency.baselines import Missing
from lms.competency.due import CHANGES
from lms.competency.models import Baseline, StandingSummary
from lms.competency.rules import TRAINER_CURRICULUM
from lms.competency.services import Current
from lms.core.db import db, unit_of_work
from lms.core.errors import NotFound
from lms.core.login import Viewer
from lms.credentials.models import Certificate, CertificateEvent, Decision, EventKind
from lms.modules.models import Lesson, LessonDone
from lms.practice.attendance.models import Attendance, Presence
from lms.reports import due, rules
from lms.reports.rules import COUNTED, Gain, Shown, Tally, hide_small, paired_gain

PAGE = 50
PIECE = 250
"""People read at a time for a file: memory stays flat in a class of any size."""
JUDGED = 250
"""People at most whose ledgers are judged while a page waits; the round stores the others."""
ROUND = 500
"""Baselines stored in one round."""
HalfKey = tuple[int, str]


@dataclass(frozen=True, slots=True)
class Paper:
    """A certificate that came of a class."""

    number: str
    is_revoked: bool


@dataclass(frozen=True, slots=True)
class PersonLine:
    """One person of a class."""

    person_id: int
    public_id: str
    name: str
    organisation: str
    kind: OrganisationKind
    tally: Tally
    online_jp: int
    before: int | None
    """Criteria reached when the class began; None without any evidence."""
    after: int
    papers: tuple[Paper, ...]

    @property
    def gain(self) -> int | None:
        """Return how many criteria more are reached; None where nothing was known before."""
        return None if self.before is None else self.after - self.before


@dataclass(frozen=True, slots=True)
class Group:
    """People of one organisation or of one kind of it."""

    name: str
    kind: OrganisationKind
    people: int
    counted: int
    """Half days that count, of all of them together."""
    halves: int
    jp: int
    papers: int

    @property
    def share(self) -> float:
        """Return the mean attendance, 0–100."""
        whole = self.people * self.halves
        return 100 * self.counted / whole if whole else 0.0


@dataclass(frozen=True, slots=True)
class Summary:
    """A whole class in figures."""

    whole: Group
    organisations: tuple[Group, ...]
    kinds: tuple[Group, ...]
    hours: Mapping[HalfKey, int]
    """JP of each half day."""

    @property
    def jp(self) -> int:
        """Return the training hours of the timetable."""
        return sum(self.hours.values())


@dataclass(frozen=True, slots=True)
class ClassGain:
    """What a class gained, of how many people that is known, how many are still being counted."""

    gain: Gain | None
    without: int
    """People about whom nothing was known before the class."""
    pending: int
    total: int
    """Criteria there are."""


def began(cohort: Cohort) -> datetime:
    """Return when a class begins: the first moment of its first day by its own clock."""
    return due.began(cohort.starts_on, cohort.zone)


# One class


def summary(cohort: Cohort) -> Summary:
    """Count a class by organisation and by kind. Four queries at any size."""
    hours = _hours(cohort.id)
    people = db.session.execute(
        select(Organisation.id, Organisation.name, Organisation.kind, func.count())
        .join(Enrolment, Enrolment.organisation_id == Organisation.id)
        .where(Enrolment.cohort_id == cohort.id)
        .group_by(Organisation.id, Organisation.name, Organisation.kind)
        .order_by(Organisation.name)
    ).all()
    noted = db.session.execute(
        select(Enrolment.organisation_id, Attendance.day, Attendance.half, func.count())
        .join(Enrolment, _same_seat())
        .where(Attendance.id.in_(_newest().where(Attendance.cohort_id == cohort.id)))
        .where(Attendance.presence.in_(COUNTED))
        .group_by(Enrolment.organisation_id, Attendance.day, Attendance.half)
    )
    counted: dict[int, int] = defaultdict(int)
    jp: dict[int, int] = defaultdict(int)
    for organisation, day, half, count in noted:
        if (day, half) in hours:
            counted[organisation] += count
            jp[organisation] += count * hours[day, half]
    papers = {
        organisation: count
        for _cohort, organisation, count in db.session.execute(_papers_by(cohort.id))
    }
    lines = tuple(
        Group(name, kind, count, counted[one], len(hours), jp[one], papers.get(one, 0))
        for one, name, kind, count in people
    )
    return Summary(
        whole=_add(lines, "", OrganisationKind.OTHER, len(hours)),
        organisations=lines,
        kinds=_by_kind(lines, len(hours)),
        hours=hours,
    )


def page(cohort: Cohort, number: int, *, now: datetime) -> list[PersonLine]:
    """Return one page of the people of a class by name. Raises NotFound for no such page."""
    lines = _lines(cohort, _seats(cohort.id, (number - 1) * PAGE, PAGE), _hours(cohort.id), now)
    if number < 1 or (number > 1 and not lines):
        raise NotFound(str(number))
    return lines


def everybody(cohort: Cohort, *, now: datetime) -> Iterator[PersonLine]:
    """Give the people of a class by name, read in pieces. Six queries a piece."""
    hours = _hours(cohort.id)
    first = 0
    while seats := _seats(cohort.id, first, PIECE):
        yield from _lines(cohort, seats, hours, now)
        first += PIECE


def class_gain(cohort: Cohort, *, now: datetime) -> ClassGain:
    """Compare everybody with what they had reached when the class began.

    Two queries. Who is not stored yet is judged here, unless that are many: then they are counted
    as pending and the round stores them.
    """
    found = competency.current()
    total = len(_own_criteria(found))
    start = began(cohort)
    if now < start:
        return ClassGain(None, 0, 0, total)
    pairs, behind = _stored(cohort, None, found, now)
    if len(behind) <= JUDGED:
        pairs |= _judged(cohort, behind, found, now)
        behind = []
    return ClassGain(
        gain=paired_gain(pairs.values()),
        without=sum(before is None for before, _after in pairs.values()),
        pending=len(behind),
        total=total,
    )


def refresh_baselines(now: datetime) -> int:
    """Store what people had reached when their classes began, at most ROUND of them.

    Opens its own units of work. Returns how many lines it wrote.
    """
    try:
        found = competency.current()
    except competency.NoStandard:
        return 0
    done = 0
    for cohort_id, start in due.classes_behind(found.id, now):
        missing = _missing(cohort_id, start, found, ROUND - done)
        if missing:
            reached = baselines.judged(start, [one.person_id for one in missing], found)
            with unit_of_work():
                baselines.store(cohort_id, start, missing, reached, found)
            done += len(missing)
        if done >= ROUND:
            break
    db.session.rollback()
    return done


def _missing(cohort_id: int, start: datetime, found: Current, limit: int) -> list[Missing]:
    rows = db.session.execute(
        select(Enrolment.person_id, CHANGES.label("changes"))
        .join(StandingSummary, StandingSummary.person_id == Enrolment.person_id, isouter=True)
        .join(Baseline, _baseline_of(), isouter=True)
        .where(Enrolment.cohort_id == cohort_id)
        .where(or_(Baseline.person_id.is_(None), ~baselines.is_fresh(start, found)))
        .order_by(Enrolment.person_id)
        .limit(limit)
    )
    return [Missing(row.person_id, row.changes) for row in rows]


def _baseline_of() -> ColumnElement[bool]:
    return and_(
        Baseline.person_id == Enrolment.person_id, Baseline.cohort_id == Enrolment.cohort_id
    )


Pair = tuple[int | None, int]
"""Criteria reached when the class began (None without evidence), and now."""


def _stored(
    cohort: Cohort, people: Sequence[int] | None, found: Current, now: datetime
) -> tuple[dict[int, Pair], list[int]]:
    """Return what is stored of these people, or of all, and of whom it is behind. One query."""
    query = (
        select(
            Enrolment.person_id,
            Baseline.reached,
            StandingSummary.reached,
            and_(
                Baseline.person_id.is_not(None),
                StandingSummary.person_id.is_not(None),
                baselines.is_fresh(began(cohort), found),
                summaries.is_fresh(found.id, now),
            ),
        )
        .join(StandingSummary, StandingSummary.person_id == Enrolment.person_id, isouter=True)
        .join(Baseline, _baseline_of(), isouter=True)
        .where(Enrolment.cohort_id == cohort.id)
    )
    if people is not None:
        query = query.where(Enrolment.person_id.in_(people))
    pairs: dict[int, Pair] = {}
    behind: list[int] = []
    for person_id, before, after, is_fresh in db.session.execute(query):
        if is_fresh:
            pairs[person_id] = before, after
        else:
            behind.append(person_id)
    return pairs, behind


def _judged(
    cohort: Cohort, people: Sequence[int], found: Current, now: datetime
) -> dict[int, Pair]:
    """Judge people whose stored lines are behind."""
    start = began(cohort)
    if now < start:
        before: dict[int, int | None] = dict.fromkeys(people)
    else:
        before = baselines.of(cohort.id, start, people, found) if people else {}
    after = summaries.of(people, found, now) if people else {}
    return {one: (before[one], after[one].reached) for one in people}


def _own_criteria(found: Current) -> list[str]:
    return [
        code for code, kuk in found.standard.kuk.items() if kuk.curriculum != TRAINER_CURRICULUM
    ]


@dataclass(frozen=True, slots=True)
class _Seat:
    person_id: int
    public_id: str
    name: str
    organisation: str
    kind: OrganisationKind


def _seats(cohort_id: int, first: int, size: int) -> list[_Seat]:
    rows = db.session.execute(
        select(Person.id, Person.public_id, Person.name, Organisation.name, Organisation.kind)
        .join(Enrolment, Enrolment.person_id == Person.id)
        .join(Organisation, Organisation.id == Enrolment.organisation_id)
        .where(Enrolment.cohort_id == cohort_id)
        .order_by(Person.name, Person.id)
        .offset(max(first, 0))
        .limit(size)
    )
    return [_Seat(*row) for row in rows]


def _lines(
    cohort: Cohort, seats: Sequence[_Seat], hours: Mapping[HalfKey, int], now: datetime
) -> list[PersonLine]:
    ids = [seat.person_id for seat in seats]
    found = competency.current()
    noted = _noted(cohort.id, ids)
    online = _online(ids)
    papers = _papers(cohort.id, ids)
    pairs, behind = _stored(cohort, ids, found, now)
    pairs |= _judged(cohort, behind, found, now)
    return [
        PersonLine(
            person_id=seat.person_id,
            public_id=seat.public_id,
            name=seat.name,
            organisation=seat.organisation,
            kind=seat.kind,
            tally=rules.tally(hours, noted.get(seat.person_id, {})),
            online_jp=online.get(seat.person_id, 0),
            before=pairs[seat.person_id][0],
            after=pairs[seat.person_id][1],
            papers=tuple(papers.get(seat.person_id, ())),
        )
        for seat in seats
    ]


def _hours(cohort_id: int) -> dict[HalfKey, int]:
    """Return the JP of each half day of a class, in order."""
    rows = db.session.execute(
        select(ClassSession.day, ClassSession.half, func.sum(ClassSession.jp))
        .where(ClassSession.cohort_id == cohort_id, ClassSession.removed_at.is_(None))
        .group_by(ClassSession.day, ClassSession.half)
        .order_by(ClassSession.day, ClassSession.half)
    )
    return {(day, half): int(jp) for day, half, jp in rows}


def _newest() -> Select[int]:
    """Return a query of the notes that count: the newest of each person and half day."""
    return select(func.max(Attendance.id)).group_by(
        Attendance.cohort_id, Attendance.person_id, Attendance.day, Attendance.half
    )


def _same_seat() -> ColumnElement[bool]:
    return and_(
        Enrolment.person_id == Attendance.person_id, Enrolment.cohort_id == Attendance.cohort_id
    )


def _noted(cohort_id: int, ids: Sequence[int]) -> dict[int, dict[HalfKey, str]]:
    newest = _newest().where(Attendance.cohort_id == cohort_id, Attendance.person_id.in_(ids))
    rows = db.session.execute(
        select(Attendance.person_id, Attendance.day, Attendance.half, Attendance.presence).where(
            Attendance.id.in_(newest), Attendance.presence != Presence.CLEARED
        )
    )
    found: dict[int, dict[HalfKey, str]] = defaultdict(dict)
    for row in rows:
        found[row.person_id][row.day, row.half] = row.presence.value
    return found


def _online(ids: Sequence[int]) -> dict[int, int]:
    """Return the JP of the online lessons each of these people finished."""
    rows = db.session.execute(
        select(LessonDone.person_id, func.sum(Lesson.jp))
        .join(Lesson, Lesson.id == LessonDone.lesson_id)
        .where(LessonDone.person_id.in_(ids), Lesson.in_person.is_(False))
        .group_by(LessonDone.person_id)
    )
    return {person_id: int(jp) for person_id, jp in rows}


def _papers(cohort_id: int, ids: Sequence[int]) -> dict[int, list[Paper]]:
    """Return the certificates that came of a class, each number once."""
    revoked = select(CertificateEvent.certificate_id).where(
        CertificateEvent.kind == EventKind.REVOKED
    )
    rows = db.session.execute(
        select(Certificate.person_id, Certificate.number, Certificate.id.in_(revoked))
        .join(Decision, Decision.id == Certificate.decision_id)
        .where(Decision.cohort_id == cohort_id, Decision.person_id.in_(ids))
        .order_by(Certificate.id)
    )
    found: dict[int, dict[str, Paper]] = defaultdict(dict)
    for person_id, number, is_revoked in rows:
        found[person_id][number] = Paper(number, bool(is_revoked))
    return {person_id: list(numbered.values()) for person_id, numbered in found.items()}


def _papers_by(*cohort_ids: int) -> Select[int, int, int]:
    """Return a query of class, organisation and the people who got a certificate there.

    A certificate that was revoked is none.
    """
    revoked = select(CertificateEvent.certificate_id).where(
        CertificateEvent.kind == EventKind.REVOKED
    )
    return (
        select(
            Decision.cohort_id,
            Enrolment.organisation_id,
            func.count(func.distinct(Decision.person_id)),
        )
        .join(Certificate, Certificate.decision_id == Decision.id)
        .join(
            Enrolment,
            and_(
                Enrolment.person_id == Decision.person_id,
                Enrolment.cohort_id == Decision.cohort_id,
            ),
        )
        .where(Decision.cohort_id.in_(cohort_ids), Certificate.id.not_in(revoked))
        .group_by(Decision.cohort_id, Enrolment.organisation_id)
    )


def _by_kind(lines: Sequence[Group], halves: int) -> tuple[Group, ...]:
    kinds: dict[OrganisationKind, list[Group]] = {kind: [] for kind in OrganisationKind}
    for line in lines:
        kinds[line.kind].append(line)
    return tuple(_add(found, "", kind, halves) for kind, found in kinds.items() if found)


def _add(lines: Sequence[Group], name: str, kind: OrganisationKind, halves: int) -> Group:
    return Group(
        name=name,
        kind=kind,
        people=sum(line.people for line in lines),
        counted=sum(line.counted for line in lines),
        halves=halves,
        jp=sum(line.jp for line in lines),
        papers=sum(line.papers for line in lines),
    )


# All classes


@dataclass(frozen=True, slots=True)
class Filter:
    """What somebody asked to see of all classes; empty is everything."""

    year: int | None = None
    city: str = ""
    kind: str = ""
    """Kind of the organisations people come from."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What a group gave; None is hidden, because the group is small."""

    people: int | None
    jp: int | None
    share: float | None
    """Mean attendance, 0–100."""
    papers: int | None


@dataclass(frozen=True, slots=True)
class ClassLine:
    """One class in the list of all."""

    slug: str
    title: str
    city: str
    starts_on: date
    ends_on: date
    host: str
    hours: int
    """JP of its timetable."""
    figures: Figures


@dataclass(frozen=True, slots=True)
class Part:
    """One line by organisation or by kind."""

    name: str
    kind: OrganisationKind
    classes: int
    figures: Figures


@dataclass(frozen=True, slots=True)
class Cell:
    """People of one class and organisation."""

    cohort_id: int
    organisation_id: int
    organisation: str
    kind: OrganisationKind
    people: int
    counted: int
    possible: int
    """Half days everybody together could have attended."""
    jp: int
    papers: int


@dataclass(frozen=True, slots=True)
class Overview:
    """Every class a viewer may see, with what all gave together."""

    classes: tuple[ClassLine, ...]
    organisations: tuple[Part, ...]
    kinds: tuple[Part, ...]
    whole: Figures
    hides: bool
    """Whether small groups are hidden."""
    years: tuple[int, ...]
    cities: tuple[str, ...]


def overview(viewer: Viewer, chosen: Filter) -> Overview:
    """Return the report over all classes: an administrator's all, a trainer's own. Six queries.

    An administrator also sees classes of others, so groups of few people are hidden by
    organisation, by kind, and by class where only one kind is asked for. A trainer knows each
    person of their own classes.
    """
    seen = select(Cohort.id, Cohort.starts_on, Cohort.city)
    hides = "admin" in viewer.roles
    if not hides:
        seen = seen.where(Cohort.id.in_(cohorts.staffed_by(viewer.id, cohort_models.Part.TRAINER)))
    known = db.session.execute(seen).all()
    kept = [
        row.id
        for row in known
        if (chosen.year is None or row.starts_on.year == chosen.year)
        and chosen.city in ("", row.city)
    ]
    timetables = _timetables(kept)
    cells = [cell for cell in _cells(kept, timetables) if chosen.kind in ("", cell.kind.value)]
    by_class = {one: [cell for cell in cells if cell.cohort_id == one] for one in kept}
    rows = [
        (cohort, host)
        for cohort, host in _with_hosts(kept)
        if not chosen.kind or by_class[cohort.id]
    ]
    figures, whole = _figures(
        [by_class[cohort.id] for cohort, _host in rows], hides and chosen.kind != ""
    )
    return Overview(
        classes=tuple(
            _class_line(cohort, host, timetables, shown)
            for (cohort, host), shown in zip(rows, figures, strict=True)
        ),
        organisations=_parts(cells, lambda cell: (cell.organisation, cell.kind), hides),
        kinds=_parts(cells, lambda cell: ("", cell.kind), hides),
        whole=whole,
        hides=hides,
        years=tuple(sorted({row.starts_on.year for row in known}, reverse=True)),
        cities=tuple(sorted({row.city for row in known})),
    )


@dataclass(frozen=True, slots=True)
class OwnClasses:
    """What the classes of a year gave the people one organisation sent."""

    classes: tuple[ClassLine, ...]
    """The last one first."""
    whole: Figures
    year: int
    years: tuple[int, ...]
    """Years with classes in which the organisation has people, and the present one."""


def own_classes(organisation_id: int, year: int | None, *, today: date) -> OwnClasses:
    """Return the classes of a year that have begun, of this year unless asked. Six queries.

    Small groups are hidden.
    """
    known = db.session.execute(
        select(Cohort.id, Cohort.starts_on)
        .join(Enrolment, Enrolment.cohort_id == Cohort.id)
        .where(Enrolment.organisation_id == organisation_id, Cohort.starts_on <= today)
        .group_by(Cohort.id, Cohort.starts_on)
    ).all()
    years = sorted({row.starts_on.year for row in known} | {today.year}, reverse=True)
    chosen = year if year is not None and year in years else today.year
    kept = [row.id for row in known if row.starts_on.year == chosen]
    timetables = _timetables(kept)
    cells: dict[int, list[Cell]] = defaultdict(list)
    for cell in _cells(kept, timetables):
        if cell.organisation_id == organisation_id:
            cells[cell.cohort_id].append(cell)
    rows = _with_hosts(kept)
    figures, whole = _figures([cells[cohort.id] for cohort, _host in rows], hides=True)
    return OwnClasses(
        tuple(
            _class_line(cohort, host, timetables, shown)
            for (cohort, host), shown in zip(rows, figures, strict=True)
        ),
        whole,
        chosen,
        tuple(years),
    )


def _with_hosts(cohort_ids: Sequence[int]) -> list[tuple[Cohort, str]]:
    """Return classes with the name of their host, the last one first."""
    rows = db.session.execute(
        select(Cohort, Organisation.name)
        .join(Organisation, Organisation.id == Cohort.host_id)
        .where(Cohort.id.in_(cohort_ids))
        .order_by(Cohort.starts_on.desc(), Cohort.id.desc())
    )
    return [(cohort, host) for cohort, host in rows]


def _class_line(
    cohort: Cohort, host: str, timetables: Mapping[int, tuple[int, int]], figures: Figures
) -> ClassLine:
    return ClassLine(
        cohort.slug,
        cohort.title,
        cohort.city,
        cohort.starts_on,
        cohort.ends_on,
        host,
        timetables.get(cohort.id, (0, 0))[1],
        figures,
    )


def online_jp(people: Sequence[int], begins: datetime, ends: datetime) -> tuple[int, int]:
    """Return how many of these people finished online lessons in a time, and the JP. One query."""
    row = db.session.execute(
        select(func.count(func.distinct(LessonDone.person_id)), func.sum(Lesson.jp))
        .join(Lesson, Lesson.id == LessonDone.lesson_id)
        .where(LessonDone.person_id.in_(people), Lesson.in_person.is_(False))
        .where(LessonDone.at >= begins, LessonDone.at < ends)
    ).one()
    return row[0], int(row[1] or 0)


def _timetables(cohort_ids: Sequence[int]) -> dict[int, tuple[int, int]]:
    """Return how many half days and JP each class has."""
    hours = _hours_of(cohort_ids)
    rows = db.session.execute(
        select(hours.c.cohort_id, func.count(), func.sum(hours.c.jp)).group_by(hours.c.cohort_id)
    )
    return {cohort_id: (halves, int(jp)) for cohort_id, halves, jp in rows}


def _hours_of(cohort_ids: Sequence[int]) -> Subquery:
    return (
        select(
            ClassSession.cohort_id,
            ClassSession.day,
            ClassSession.half,
            func.sum(ClassSession.jp).label("jp"),
        )
        .where(ClassSession.cohort_id.in_(cohort_ids), ClassSession.removed_at.is_(None))
        .group_by(ClassSession.cohort_id, ClassSession.day, ClassSession.half)
        .subquery()
    )


def _cells(cohort_ids: Sequence[int], timetables: Mapping[int, tuple[int, int]]) -> list[Cell]:
    hours = _hours_of(cohort_ids)
    noted = {
        (cohort_id, organisation): (count, int(jp))
        for cohort_id, organisation, count, jp in db.session.execute(
            select(
                Enrolment.cohort_id,
                Enrolment.organisation_id,
                func.count(),
                func.sum(hours.c.jp),
            )
            .select_from(Attendance)
            .join(Enrolment, _same_seat())
            .join(
                hours,
                and_(
                    hours.c.cohort_id == Attendance.cohort_id,
                    hours.c.day == Attendance.day,
                    hours.c.half == Attendance.half,
                ),
            )
            .where(Attendance.id.in_(_newest().where(Attendance.cohort_id.in_(cohort_ids))))
            .where(Attendance.presence.in_(COUNTED))
            .group_by(Enrolment.cohort_id, Enrolment.organisation_id)
        )
    }
    papers = {(row[0], row[1]): row[2] for row in db.session.execute(_papers_by(*cohort_ids))}
    people = db.session.execute(
        select(
            Enrolment.cohort_id,
            Organisation.id,
            Organisation.name,
            Organisation.kind,
            func.count(),
        )
        .join(Organisation, Organisation.id == Enrolment.organisation_id)
        .where(Enrolment.cohort_id.in_(cohort_ids))
        .group_by(Enrolment.cohort_id, Organisation.id, Organisation.name, Organisation.kind)
        .order_by(Organisation.name, Enrolment.cohort_id)
    )
    found = []
    for cohort_id, organisation, name, kind, count in people:
        counted, jp = noted.get((cohort_id, organisation), (0, 0))
        halves = timetables.get(cohort_id, (0, 0))[0]
        paper = papers.get((cohort_id, organisation), 0)
        found.append(
            Cell(cohort_id, organisation, name, kind, count, counted, count * halves, jp, paper)
        )
    return found


def _parts(
    cells: Sequence[Cell], key: Callable[[Cell], tuple[str, OrganisationKind]], hides: bool
) -> tuple[Part, ...]:
    groups: dict[tuple[str, OrganisationKind], list[Cell]] = defaultdict(list)
    for cell in cells:
        groups[key(cell)].append(cell)
    order = list(OrganisationKind)
    names = sorted(groups, key=lambda one: (one[0], order.index(one[1])))
    figures, _whole = _figures([groups[name] for name in names], hides)
    return tuple(
        Part(name, kind, len({cell.cohort_id for cell in groups[name, kind]}), shown)
        for (name, kind), shown in zip(names, figures, strict=True)
    )


def _figures(groups: Sequence[Sequence[Cell]], hides: bool) -> tuple[list[Figures], Figures]:
    """Return what each group gave and all together; small groups are hidden if asked."""
    people = [sum(cell.people for cell in group) for group in groups]
    papers = [sum(cell.papers for cell in group) for group in groups]
    heads = hide_small(people) if hides else Shown(tuple(people), sum(people))
    # A certificate belongs to a person: few of them are as telling as few people.
    earned = hide_small(papers) if hides else Shown(tuple(papers), sum(papers))
    found = []
    for group, head, paper in zip(groups, heads.cells, earned.cells, strict=True):
        if head is None:
            found.append(Figures(None, None, None, None))
        else:
            found.append(Figures(head, sum(c.jp for c in group), _share(group), paper))
    everything = [cell for group in groups for cell in group]
    if heads.total is None:
        return found, Figures(None, None, None, None)
    jp, share = sum(cell.jp for cell in everything), _share(everything)
    return found, Figures(heads.total, jp, share, earned.total)


def _share(cells: Sequence[Cell]) -> float:
    possible = sum(cell.possible for cell in cells)
    return 100 * sum(cell.counted for cell in cells) / possible if possible else 0.0
