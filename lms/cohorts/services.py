"""What people do with classes and the seats in them. Services flush.

Organisations and invitations have modules of their own, above this one.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime, time
from functools import cache
from typing import Any, cast

from sqlalchemy import (
    ColumnElement,
    ScalarSelect,
    Select,
    String,
    and_,
    bindparam,
    delete,
    exists,
    func,
    literal,
    null,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import aliased

from lms.accounts import services as accounts
from lms.accounts.models import Person
from lms.cohorts import rules
from lms.cohorts.guests.rules import access_ends_on, has_access
from lms.cohorts.models import (
    ClassSession,
    ClassState,
    Cohort,
    CohortCurriculum,
    CohortStaff,
    Conflict,
    ConflictKind,
    Enrolment,
    Guest,
    Membership,
    Organisation,
    Part,
)
from lms.cohorts.timetables.rules import class_days, held_on
from lms.core import audit
from lms.core.clock import ZONES
from lms.core.db import db, insert_once
from lms.core.errors import DomainError, NotFound
from lms.core.login import Viewer
from lms.core.prepared import read


class NameTaken(DomainError):
    """There is an organisation or a class of this name already."""


class NotOpen(NotFound):
    """The class is still a draft: nobody can be invited into it or sit in it."""


class StillUsed(DomainError):
    """The days of a class were cut, but its timetable uses them. `day` is the last one it uses."""

    def __init__(self, day: int) -> None:
        super().__init__(str(day))
        self.day = day


class NoAccount(DomainError):
    """Nobody signs in with this address yet."""


class TooManyOfficers(DomainError):
    """The organisation has its two officers already."""


class MayNotAssess(DomainError):
    """The assessor is the person, a relative, or above or below them in line."""


@dataclass(frozen=True, slots=True)
class Seat:
    """One companion of a class."""

    person_id: int
    public_id: str
    name: str
    organisation_id: int
    organisation: str


@dataclass(frozen=True, slots=True)
class StaffLine:
    """One trainer, assessor or speaker of a class."""

    person_id: int
    public_id: str
    name: str
    part: Part


@dataclass(frozen=True, slots=True, kw_only=True)
class Timetabled:
    """One session to be put into a timetable."""

    day: int
    half: str
    position: int
    title: str
    title_en: str
    jp: int
    lesson_code: str | None = None
    speaker_id: int | None = None
    begins: time | None = None
    ends: time | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassData:
    """What is known about a class beside its timetable: the fields of `Cohort` people fill in."""

    title: str
    city: str
    place: str
    zone: str
    host_id: int
    starts_on: date
    ends_on: date
    letterhead: list[str]
    signatory_title: str
    signatory_name: str
    signatory_number: str = ""
    address: str = ""
    contact_name: str = ""
    contact_phone: str = ""
    contact_email: str = ""
    bring: str = ""

    def write_to(self, cohort: Cohort) -> None:
        """Put everything into the row of a class."""
        for field in fields(self):
            setattr(cohort, field.name, getattr(self, field.name))


@dataclass(frozen=True, slots=True)
class Meeting:
    """When and where somebody meets for an in-person lesson, or speaks in a class."""

    slug: str
    cohort: str
    place: str
    city: str
    on: date
    half: str
    title: str
    title_en: str
    jp: int


@dataclass(frozen=True, slots=True)
class CohortLine:
    """One class in the administrator's list."""

    slug: str
    title: str
    city: str
    starts_on: date
    ends_on: date
    seats: int
    is_draft: bool


@dataclass(frozen=True, slots=True)
class OwnClass:
    """One class in the list of somebody who works in it."""

    cohort: Cohort
    parts: frozenset[Part]
    """Empty for an administrator who only looks on."""


@dataclass(frozen=True, slots=True)
class ConflictLine:
    """Why somebody may not assess somebody else."""

    assessor: str
    assessor_id: str
    person: str
    person_id: str
    kind: ConflictKind


@contextmanager
def unique(name: str) -> Iterator[None]:
    """Write what has to have a name of its own. Raises NameTaken when the database refuses it."""
    try:
        with db.session.begin_nested():
            yield
    except IntegrityError:
        raise NameTaken(name) from None


def create_cohort(
    data: ClassData,
    *,
    slug: str,
    timetable: Iterable[Timetabled],
    actor_id: int | None,
    now: datetime,
    state: ClassState = ClassState.OPEN,
    curricula: Mapping[str, str] | None = None,
) -> Cohort:
    """Make a class, open or as a draft. `curricula`: code to version. Raises NameTaken. Flushes."""
    cohort = Cohort(slug=slug, state=state, created_at=now)
    if state is ClassState.OPEN:
        cohort.opened_at = now
    data.write_to(cohort)
    with unique(slug):
        db.session.add(cohort)
    for entry in timetable:
        db.session.add(ClassSession(cohort_id=cohort.id, **asdict(entry)))
    for code, version in (curricula or {}).items():
        db.session.add(CohortCurriculum(cohort_id=cohort.id, curriculum=code, version=version))
    db.session.flush()
    action = "cohorts.create" if state is ClassState.OPEN else "cohorts.draft"
    audit.record(action, f"cohort:{cohort.id}", actor_id=actor_id, now=now)
    return cohort


def update_cohort(cohort: Cohort, data: ClassData, *, actor_id: int | None, now: datetime) -> None:
    """Change the data of a class; its address stays. Raises StillUsed. Flushes."""
    lock(cohort)
    last = last_day(cohort.id)
    if last > class_days(data.starts_on, data.ends_on):
        raise StillUsed(last)
    names = [field.name for field in fields(data)]
    changed = [name for name in names if getattr(cohort, name) != getattr(data, name)]
    data.write_to(cohort)
    cohort.changed_at = now
    audit.record(
        "cohorts.update", f"cohort:{cohort.id}", actor_id=actor_id, now=now, changed=changed
    )
    db.session.flush()


def open_cohort(cohort_id: int, *, actor_id: int, now: datetime) -> bool:
    """Open a draft; tell whether it was one. Flushes."""
    opened = db.session.execute(
        update(Cohort)
        .where(Cohort.id == cohort_id, Cohort.state == ClassState.DRAFT)
        .values(state=ClassState.OPEN, opened_at=now)
        .returning(Cohort.id)
    ).first()
    if opened is not None:
        audit.record("cohorts.open", f"cohort:{cohort_id}", actor_id=actor_id, now=now)
        db.session.flush()
    return opened is not None


def discard_draft(cohort_id: int, *, actor_id: int, now: datetime) -> None:
    """Throw a draft away with its timetable. Raises NotFound when the class is open. Flushes."""
    draft = db.session.scalar(
        select(Cohort.id)
        .where(Cohort.id == cohort_id, Cohort.state == ClassState.DRAFT)
        .with_for_update()
    )
    if draft is None:
        raise NotFound(str(cohort_id))
    for table in (ClassSession, CohortCurriculum):
        db.session.execute(delete(table).where(table.cohort_id == cohort_id))
    db.session.execute(delete(Cohort).where(Cohort.id == cohort_id))
    audit.record("cohorts.discard", f"cohort:{cohort_id}", actor_id=actor_id, now=now)
    db.session.flush()


def set_curricula(
    cohort_id: int, chosen: Mapping[str, str], *, actor_id: int, now: datetime
) -> None:
    """Let a class cover these curricula, code to version, and no others. Flushes."""
    db.session.execute(delete(CohortCurriculum).where(CohortCurriculum.cohort_id == cohort_id))
    for code, version in chosen.items():
        insert_once(CohortCurriculum, cohort_id=cohort_id, curriculum=code, version=version)
    audit.record(
        "cohorts.curricula",
        f"cohort:{cohort_id}",
        actor_id=actor_id,
        now=now,
        curricula=dict(chosen),
    )
    db.session.flush()


def list_curricula(cohort_id: int) -> dict[str, str]:
    """Return the curricula a class covers, code to version, in order."""
    rows = db.session.execute(
        select(CohortCurriculum.curriculum, CohortCurriculum.version)
        .where(CohortCurriculum.cohort_id == cohort_id)
        .order_by(CohortCurriculum.curriculum)
    )
    return {code: version for code, version in rows}


def curricula_of(cohort_ids: Iterable[int]) -> dict[int, list[str]]:
    """Return the codes of the curricula many classes cover, in order, in one query."""
    rows = db.session.execute(
        select(CohortCurriculum.cohort_id, CohortCurriculum.curriculum)
        .where(CohortCurriculum.cohort_id.in_(set(cohort_ids)))
        .order_by(CohortCurriculum.curriculum)
    )
    found: dict[int, list[str]] = {}
    for cohort_id, code in rows:
        found.setdefault(cohort_id, []).append(code)
    return found


def lock(cohort: Cohort) -> None:
    """Make others who change this class or its timetable wait. What was read is read again."""
    db.session.refresh(cohort, with_for_update={"key_share": True})


def require_open(cohort_id: int) -> None:
    """Let an open class pass. A class never becomes a draft again. Raises NotOpen."""
    if get_cohort_by_id(cohort_id).state is ClassState.DRAFT:
        raise NotOpen(str(cohort_id))


def today_in(cohort: Cohort, now: datetime) -> date:
    """Return which day it is by the clock of a class."""
    return now.astimezone(ZONES[cohort.zone]).date()


def list_cohort_lines() -> list[CohortLine]:
    """Return all classes, newest first, with how many sit in them, in one query."""
    rows = db.session.execute(
        select(Cohort, func.count(Enrolment.id))
        .join(Enrolment, Enrolment.cohort_id == Cohort.id, isouter=True)
        .group_by(Cohort.id)
        .order_by(Cohort.starts_on.desc(), Cohort.id.desc())
    )
    return [
        CohortLine(
            one.slug,
            one.title,
            one.city,
            one.starts_on,
            one.ends_on,
            seats,
            one.state is ClassState.DRAFT,
        )
        for one, seats in rows
    ]


def list_cohorts(viewer: Viewer, *parts: Part) -> Sequence[Cohort]:
    """Return the open classes a viewer works in (as one of `parts`, if given), newest first.

    An administrator sees all.
    """
    query = select(Cohort).order_by(Cohort.starts_on.desc(), Cohort.id.desc())
    query = query.where(Cohort.state == ClassState.OPEN)
    if "admin" not in viewer.roles:
        query = query.where(Cohort.id.in_(staffed_by(viewer.id, *parts)))
    return db.session.scalars(query).all()


def list_own_classes(viewer: Viewer, *, now: datetime) -> list[OwnClass]:
    """Return the open classes a viewer may look into, newest first, and what they do there.

    A guest speaker whose access has ended no longer finds the class. One query.
    """
    mine = and_(CohortStaff.cohort_id == Cohort.id, CohortStaff.person_id == viewer.id)
    own = and_(Guest.cohort_id == Cohort.id, Guest.person_id == viewer.id)
    rows = db.session.execute(
        select(Cohort, CohortStaff.part, Guest.access_ends_on)
        .join(CohortStaff, mine, isouter="admin" in viewer.roles)
        .join(Guest, own, isouter=True)
        .where(Cohort.state == ClassState.OPEN)
        .order_by(Cohort.starts_on.desc(), Cohort.id.desc())
    )
    found: dict[Cohort, set[Part]] = {}
    for cohort, part, chosen in rows:
        parts = found.setdefault(cohort, set())
        until = access_ends_on(chosen, cohort.ends_on)
        if part is not None and (
            part is not Part.SPEAKER or has_access(today_in(cohort, now), until)
        ):
            parts.add(part)
    return [
        OwnClass(cohort, frozenset(parts))
        for cohort, parts in found.items()
        if parts or "admin" in viewer.roles
    ]


def get_cohort(slug: str, viewer: Viewer, *parts: Part) -> Cohort:
    """Return a class the viewer works in (as one of `parts`, if given). Raises NotFound.

    An administrator may look into every class unless `parts` are asked for.
    """
    query = select(Cohort).where(Cohort.slug == slug)
    if parts or "admin" not in viewer.roles:
        query = query.where(Cohort.id.in_(staffed_by(viewer.id, *parts)))
    found = db.session.scalar(query)
    if found is None:
        raise NotFound(slug)
    return found


def get_cohort_to_invite(slug: str, viewer: Viewer) -> Cohort:
    """Return a class the viewer may invite people into: a trainer's own, an administrator's any.

    Raises NotFound.
    """
    found = get_cohort(slug, viewer, *(() if "admin" in viewer.roles else (Part.TRAINER,)))
    if found.state is ClassState.DRAFT:
        raise NotOpen(slug)
    return found


def staffed_by(person_id: int, *parts: Part) -> Select[int]:
    """Return a query of the classes somebody works in, as one of `parts` if given."""
    query = select(CohortStaff.cohort_id).where(CohortStaff.person_id == person_id)
    return query.where(CohortStaff.part.in_(parts)) if parts else query


def get_cohort_by_id(cohort_id: int) -> Cohort:
    """Return the class of this id. Raises NotFound."""
    found = db.session.get(Cohort, cohort_id)
    if found is None:
        raise NotFound(str(cohort_id))
    return found


def get_cohort_by_slug(slug: str) -> Cohort:
    """Return the class at this address, whoever asks: check who it is. Raises NotFound."""
    found = db.session.scalar(select(Cohort).where(Cohort.slug == slug))
    if found is None:
        raise NotFound(slug)
    return found


def find_cohort_of(person_id: int) -> Cohort | None:
    """Return the newest class a companion sits in, or None."""
    return cast("Cohort | None", db.session.scalar(_newest_of(Cohort), {"person": person_id}))


def find_zone_of(person_id: int) -> str | None:
    """Return the clock a companion's pages show: WIB, WITA or WIT; None without a class."""
    rows = read(_newest_of(Cohort.zone), {"person": person_id})
    return rows[0].zone if rows else None


@cache
def _newest_of(what: Any) -> Select[Any]:
    """Return the statement that finds something of a companion's newest class."""
    return (
        select(what)
        .select_from(Cohort)
        .join(Enrolment, Enrolment.cohort_id == Cohort.id)
        .where(Enrolment.person_id == bindparam("person"))
        .order_by(Cohort.starts_on.desc(), Cohort.id.desc())
        .limit(1)
    )


def taught_query(person: int) -> Select[*tuple[Any, ...]]:
    """Return a query of what a companion's newest class covers, in the columns home unites.

    Columns: feature, code (the curriculum), what, began_at, ended_at.
    """
    newest = (
        select(Cohort.id)
        .join(Enrolment, Enrolment.cohort_id == Cohort.id)
        .where(Enrolment.person_id == person)
        .order_by(Cohort.starts_on.desc(), Cohort.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    return select(
        literal("taught", String).label("feature"),
        CohortCurriculum.curriculum.label("code"),
        literal("", String).label("what"),
        null().label("began_at"),
        null().label("ended_at"),
    ).where(CohortCurriculum.cohort_id == newest)


def list_sessions(cohort_id: int) -> Sequence[ClassSession]:
    """Return the timetable of a class in order, without the entries that were removed."""
    return db.session.scalars(
        select(ClassSession)
        .where(ClassSession.cohort_id == cohort_id, in_timetable())
        .order_by(*IN_ORDER)
    ).all()


IN_ORDER = (ClassSession.day, ClassSession.half, ClassSession.position)


def in_timetable() -> ColumnElement[bool]:
    """Return the condition that leaves removed entries of timetables out."""
    return ClassSession.removed_at.is_(None)


def last_day(cohort_id: int) -> int:
    """Return the last day a timetable has an entry on; 0 when it has none."""
    query = select(func.max(ClassSession.day)).where(in_timetable())
    return db.session.scalar(query.where(ClassSession.cohort_id == cohort_id)) or 0


def last_day_of_cohort() -> ScalarSelect[int | None]:
    """Return the last day of the timetable of the `Cohort` of the query around it."""
    other = aliased(ClassSession)
    return (
        select(func.max(other.day))
        .where(other.cohort_id == Cohort.id, other.removed_at.is_(None))
        .correlate(Cohort)
        .scalar_subquery()
    )


def find_lesson_session(person_id: int, lesson_code: str) -> Meeting | None:
    """Return when a companion's newest class meets for this lesson, or None. One query."""
    query = (
        select(ClassSession, Cohort, last_day_of_cohort())
        .join(Cohort, Cohort.id == ClassSession.cohort_id)
        .join(Enrolment, Enrolment.cohort_id == Cohort.id)
        .where(
            Enrolment.person_id == person_id,
            ClassSession.lesson_code == lesson_code,
            in_timetable(),
        )
        .order_by(Cohort.starts_on.desc(), Cohort.id.desc(), ClassSession.day)
        .limit(1)
    )
    row = db.session.execute(query).first()
    return _meeting(*row) if row else None


def list_talks(speaker_id: int, *, now: datetime) -> list[Meeting]:
    """Return the sessions somebody speaks in, in the order of time, while their access lasts.

    One query.
    """
    own = and_(Guest.cohort_id == Cohort.id, Guest.person_id == speaker_id)
    query = (
        select(ClassSession, Cohort, last_day_of_cohort(), Guest.access_ends_on)
        .join(Cohort, Cohort.id == ClassSession.cohort_id)
        .join(Guest, own, isouter=True)
        .where(
            ClassSession.speaker_id == speaker_id,
            Cohort.state == ClassState.OPEN,
            in_timetable(),
        )
        .order_by(Cohort.starts_on, *IN_ORDER)
    )
    return [
        _meeting(session, cohort, last)
        for session, cohort, last, chosen in db.session.execute(query)
        if has_access(today_in(cohort, now), access_ends_on(chosen, cohort.ends_on))
    ]


def _meeting(session: ClassSession, cohort: Cohort, last: int | None) -> Meeting:
    return Meeting(
        slug=cohort.slug,
        cohort=cohort.title,
        place=cohort.place,
        city=cohort.city,
        on=held_on(session.day, last or session.day, cohort.starts_on, cohort.ends_on),
        half=session.half,
        title=session.title,
        title_en=session.title_en,
        jp=session.jp,
    )


def list_seats(cohort_id: int) -> list[Seat]:
    """Return the companions of a class by name, in one query."""
    query = _seats(cohort_id).order_by(Person.name, Person.id)
    return [Seat(*row) for row in db.session.execute(query)]


def get_seat(cohort_id: int, public_id: str) -> Seat:
    """Return one companion of a class. Raises NotFound."""
    row = db.session.execute(_seats(cohort_id).where(Person.public_id == public_id)).first()
    if row is None:
        raise NotFound(public_id)
    return Seat(*row)


def _seats(cohort_id: int) -> Select[int, str, str, int, str]:
    return (
        select(Person.id, Person.public_id, Person.name, Organisation.id, Organisation.name)
        .join(Enrolment, Enrolment.person_id == Person.id)
        .join(Organisation, Organisation.id == Enrolment.organisation_id)
        .where(Enrolment.cohort_id == cohort_id)
    )


def list_staff(cohort_id: int) -> list[StaffLine]:
    """Return the trainers, assessors and speakers of a class."""
    rows = db.session.execute(
        select(Person.id, Person.public_id, Person.name, CohortStaff.part)
        .join(CohortStaff, CohortStaff.person_id == Person.id)
        .where(CohortStaff.cohort_id == cohort_id)
        .order_by(CohortStaff.part, Person.name)
    )
    return [StaffLine(row.id, row.public_id, row.name, row.part) for row in rows]


def people_in_scope(viewer: Viewer, *parts: Part) -> list[int]:
    """Return ids of the companions in classes the viewer works in, as one of `parts`."""
    return list(
        db.session.scalars(
            select(Enrolment.person_id)
            .where(Enrolment.cohort_id.in_(staffed_by(viewer.id, *parts)))
            .distinct()
        )
    )


def has_seat_with(viewer: Viewer, person: Any, *parts: Part) -> ColumnElement[bool]:
    """Return the condition that a column's person has a seat in a class the viewer works in."""
    return exists().where(
        Enrolment.person_id == person,
        Enrolment.cohort_id.in_(staffed_by(viewer.id, *parts)),
    )


def enrol(person_id: int, cohort_id: int, organisation_id: int, *, now: datetime) -> None:
    """Give somebody a seat; a seat already taken stays as it is. Raises NotOpen. Flushes."""
    require_open(cohort_id)
    insert_once(
        Enrolment,
        cohort_id=cohort_id,
        person_id=person_id,
        organisation_id=organisation_id,
        created_at=now,
    )
    add_member(person_id, organisation_id, Part.STAFF)


def add_staff(person_id: int, cohort_id: int, part: Part) -> None:
    """Let somebody work in a class. Raises NotOpen. Flushes."""
    require_open(cohort_id)
    insert_once(CohortStaff, cohort_id=cohort_id, person_id=person_id, part=part)


def appoint_staff(cohort_id: int, email: str, part: Part, *, actor_id: int, now: datetime) -> None:
    """Let somebody who has an account work in a class. Raises NoAccount. Flushes."""
    person_id = person_at(email)
    add_staff(person_id, cohort_id, part)
    accounts.add_roles(person_id, [part.value])
    audit.record(
        "cohorts.appoint",
        f"cohort:{cohort_id}",
        actor_id=actor_id,
        now=now,
        person=person_id,
        part=part.value,
    )


def dismiss_staff(
    cohort_id: int, public_id: str, part: Part, *, actor_id: int, now: datetime
) -> None:
    """Take somebody's part in a class away; their role stays. Raises NotFound. Flushes."""
    person_id = accounts.get_person(public_id).id
    row = db.session.get(CohortStaff, (cohort_id, person_id, part))
    if row is None:
        raise NotFound(public_id)
    db.session.delete(row)
    if part is Part.SPEAKER:
        for session in list_sessions(cohort_id):
            if session.speaker_id == person_id:
                session.speaker_id = None
    audit.record(
        "cohorts.dismiss",
        f"cohort:{cohort_id}",
        actor_id=actor_id,
        now=now,
        person=person_id,
        part=part.value,
    )
    db.session.flush()


def person_at(email: str) -> int:
    """Return who signs in with this address. Raises NoAccount."""
    person_id = accounts.find_person_id(email)
    if person_id is None:
        raise NoAccount(email)
    return person_id


def add_member(person_id: int, organisation_id: int, part: Part) -> None:
    """Let somebody belong to an organisation. Raises TooManyOfficers. Flushes."""
    if part is Part.OFFICER:
        _add_officer(person_id, organisation_id)
    else:
        insert_once(Membership, person_id=person_id, organisation_id=organisation_id, part=part)


def _add_officer(person_id: int, organisation_id: int) -> None:
    """Give somebody a free officer's slot; the database lets nobody else stand in it."""
    officers = Membership.organisation_id == organisation_id, Membership.part == Part.OFFICER
    rows = db.session.execute(select(Membership.person_id, Membership.slot).where(*officers))
    taken = {row.person_id: row.slot for row in rows}
    free = [slot for slot in rules.SLOTS if slot not in taken.values()]
    # Officers of before there were slots count as if they stood in the first free ones.
    without = sum(slot is None for slot in taken.values())
    if person_id not in taken and not any(
        insert_once(
            Membership,
            person_id=person_id,
            organisation_id=organisation_id,
            part=Part.OFFICER,
            slot=slot,
        )
        for slot in free[without:]
    ):
        # Nothing new: two appointed at once. The same person twice is as good as once.
        again = select(Membership.person_id).where(*officers, Membership.person_id == person_id)
        if db.session.scalar(again) is None:
            raise TooManyOfficers(str(organisation_id))


def declare_conflict(
    assessor_id: int, person_id: int, kind: ConflictKind, *, declared_by: int, now: datetime
) -> None:
    """Note that one may not assess the other. Flushes; said twice is said once."""
    is_new = insert_once(
        Conflict,
        assessor_id=assessor_id,
        person_id=person_id,
        kind=kind,
        declared_by=declared_by,
        declared_at=now,
    )
    if is_new:
        audit.record(
            "cohorts.conflict",
            f"person:{person_id}",
            actor_id=declared_by,
            now=now,
            assessor=assessor_id,
            kind=kind.value,
        )


def withdraw_conflict(
    assessor_id: int, person_id: int, kind: ConflictKind, *, actor_id: int, now: datetime
) -> None:
    """Take back a conflict that was declared by mistake. Raises NotFound. Flushes."""
    found = db.session.scalar(
        select(Conflict).where(
            Conflict.assessor_id == assessor_id,
            Conflict.person_id == person_id,
            Conflict.kind == kind,
        )
    )
    if found is None:
        raise NotFound(kind.value)
    db.session.delete(found)
    audit.record(
        "cohorts.conflict_end",
        f"person:{person_id}",
        actor_id=actor_id,
        now=now,
        assessor=assessor_id,
        kind=kind.value,
    )
    db.session.flush()


def list_conflicts(cohort_id: int) -> list[ConflictLine]:
    """Return the conflicts of the companions of a class, in one query."""
    assessor, person = aliased(Person), aliased(Person)
    rows = db.session.execute(
        select(
            Conflict.kind,
            assessor.name.label("assessor"),
            assessor.public_id.label("assessor_id"),
            person.name.label("person"),
            person.public_id.label("person_id"),
        )
        .join(assessor, assessor.id == Conflict.assessor_id)
        .join(person, person.id == Conflict.person_id)
        .join(Enrolment, Enrolment.person_id == Conflict.person_id)
        .where(Enrolment.cohort_id == cohort_id)
        .order_by(assessor.name, person.name, Conflict.kind)
    )
    return [
        ConflictLine(row.assessor, row.assessor_id, row.person, row.person_id, row.kind)
        for row in rows
    ]


def check_may_assess(assessor_id: int, person_id: int) -> None:
    """Let the assessment pass or raise MayNotAssess. Source: decision rules 6."""
    if assessor_id == person_id:
        raise MayNotAssess("oneself")
    found = db.session.scalar(
        select(Conflict.kind)
        .where(Conflict.assessor_id == assessor_id, Conflict.person_id == person_id)
        .limit(1)
    )
    if found is not None:
        raise MayNotAssess(found.value)


def conflicted_people(assessor_id: int) -> frozenset[int]:
    """Return ids of the people somebody may not assess, themselves among them."""
    return frozenset([assessor_id, *db.session.scalars(conflicts_of(assessor_id))])


def conflicts_of(assessor_id: int) -> Select[int]:
    """Return a query of the people somebody may not assess beside themselves."""
    return select(Conflict.person_id).where(Conflict.assessor_id == assessor_id)
