"""What people do with classes and the seats in them. Services flush.

Organisations and invitations have modules of their own, above this one.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Select, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import aliased

from lms.accounts import services as accounts
from lms.accounts.models import Person
from lms.cohorts.models import (
    ClassSession,
    Cohort,
    CohortStaff,
    Conflict,
    ConflictKind,
    Enrolment,
    Membership,
    Organisation,
    Part,
)
from lms.core import audit
from lms.core.db import db, insert_once
from lms.core.errors import DomainError, NotFound
from lms.core.login import Viewer


class NameTaken(DomainError):
    """There is an organisation or a class of this name already."""


class NoAccount(DomainError):
    """Nobody signs in with this address yet."""


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


@dataclass(frozen=True, slots=True)
class Meeting:
    """When and where somebody meets for an in-person lesson, or speaks in a class."""

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
    *,
    slug: str,
    title: str,
    city: str,
    place: str,
    zone: str,
    host_id: int,
    starts_on: date,
    ends_on: date,
    letterhead: list[str],
    signatory_title: str,
    signatory_name: str,
    signatory_number: str,
    timetable: Iterable[Timetabled],
    actor_id: int | None,
    now: datetime,
) -> Cohort:
    """Open a class with its timetable. Raises NameTaken. Flushes."""
    cohort = Cohort(
        slug=slug,
        title=title,
        city=city,
        place=place,
        zone=zone,
        host_id=host_id,
        starts_on=starts_on,
        ends_on=ends_on,
        letterhead=letterhead,
        signatory_title=signatory_title,
        signatory_name=signatory_name,
        signatory_number=signatory_number,
        created_at=now,
    )
    with unique(slug):
        db.session.add(cohort)
    for entry in timetable:
        db.session.add(
            ClassSession(
                cohort_id=cohort.id,
                day=entry.day,
                half=entry.half,
                position=entry.position,
                title=entry.title,
                title_en=entry.title_en,
                jp=entry.jp,
                lesson_code=entry.lesson_code,
                speaker_id=entry.speaker_id,
            )
        )
    db.session.flush()
    audit.record("cohorts.create", f"cohort:{cohort.id}", actor_id=actor_id, now=now)
    return cohort


def update_cohort(
    cohort: Cohort,
    *,
    title: str,
    city: str,
    place: str,
    zone: str,
    host_id: int,
    starts_on: date,
    ends_on: date,
    letterhead: list[str],
    signatory_title: str,
    signatory_name: str,
    signatory_number: str,
    actor_id: int | None,
    now: datetime,
) -> None:
    """Change the basic data of a class; its address stays. Flushes."""
    cohort.title, cohort.city, cohort.place, cohort.zone = title, city, place, zone
    cohort.host_id, cohort.starts_on, cohort.ends_on = host_id, starts_on, ends_on
    cohort.letterhead = letterhead
    cohort.signatory_title, cohort.signatory_name = signatory_title, signatory_name
    cohort.signatory_number = signatory_number
    audit.record("cohorts.update", f"cohort:{cohort.id}", actor_id=actor_id, now=now)
    db.session.flush()


def update_session(
    session: ClassSession, *, title: str, title_en: str, speaker: str, staff: Iterable[StaffLine]
) -> None:
    """Change what a session is called and who speaks: the public id of a speaker, or empty.

    Raises NotFound when the speaker is not one of the class. Flushes.
    """
    speakers = {line.public_id: line.person_id for line in staff if line.part is Part.SPEAKER}
    if speaker and speaker not in speakers:
        raise NotFound(speaker)
    session.title, session.title_en = title, title_en
    session.speaker_id = speakers.get(speaker)
    db.session.flush()


def list_cohort_lines() -> list[CohortLine]:
    """Return all classes, newest first, with how many sit in them, in one query."""
    rows = db.session.execute(
        select(Cohort, func.count(Enrolment.id))
        .join(Enrolment, Enrolment.cohort_id == Cohort.id, isouter=True)
        .group_by(Cohort.id)
        .order_by(Cohort.starts_on.desc(), Cohort.id.desc())
    )
    return [
        CohortLine(one.slug, one.title, one.city, one.starts_on, one.ends_on, seats)
        for one, seats in rows
    ]


def list_cohorts(viewer: Viewer) -> Sequence[Cohort]:
    """Return the classes a viewer works in, newest first; an administrator sees all."""
    query = select(Cohort).order_by(Cohort.starts_on.desc(), Cohort.id.desc())
    if "admin" not in viewer.roles:
        query = query.where(Cohort.id.in_(staffed_by(viewer.id)))
    return db.session.scalars(query).all()


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
    return get_cohort(slug, viewer, *(() if "admin" in viewer.roles else (Part.TRAINER,)))


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


def find_cohort_of(person_id: int) -> Cohort | None:
    """Return the newest class a companion sits in, or None."""
    return db.session.scalar(
        select(Cohort)
        .join(Enrolment, Enrolment.cohort_id == Cohort.id)
        .where(Enrolment.person_id == person_id)
        .order_by(Cohort.starts_on.desc(), Cohort.id.desc())
        .limit(1)
    )


def find_zone_of(person_id: int) -> str | None:
    """Return the clock a companion's pages show: WIB, WITA or WIT; None without a class."""
    cohort = find_cohort_of(person_id)
    return cohort.zone if cohort else None


def list_sessions(cohort_id: int) -> Sequence[ClassSession]:
    """Return the timetable of a class in order."""
    order = (ClassSession.day, ClassSession.half, ClassSession.position)
    return db.session.scalars(
        select(ClassSession).where(ClassSession.cohort_id == cohort_id).order_by(*order)
    ).all()


def get_session(cohort_id: int, number: int) -> ClassSession:
    """Return the entry that stands at `number` (from 1) in a timetable. Raises NotFound."""
    entries = list_sessions(cohort_id)
    if not 1 <= number <= len(entries):
        raise NotFound(str(number))
    return entries[number - 1]


def find_lesson_session(person_id: int, lesson_code: str) -> Meeting | None:
    """Return when a companion's newest class meets for this lesson, or None. One query."""
    query = (
        select(ClassSession, Cohort)
        .join(Cohort, Cohort.id == ClassSession.cohort_id)
        .join(Enrolment, Enrolment.cohort_id == Cohort.id)
        .where(Enrolment.person_id == person_id, ClassSession.lesson_code == lesson_code)
        .order_by(Cohort.starts_on.desc(), Cohort.id.desc(), ClassSession.day)
        .limit(1)
    )
    row = db.session.execute(query).first()
    return _meeting(*row) if row else None


def list_talks(speaker_id: int) -> list[Meeting]:
    """Return the sessions somebody speaks in, in the order of time. One query."""
    query = (
        select(ClassSession, Cohort)
        .join(Cohort, Cohort.id == ClassSession.cohort_id)
        .where(ClassSession.speaker_id == speaker_id)
        .order_by(Cohort.starts_on, ClassSession.day, ClassSession.half, ClassSession.position)
    )
    return [_meeting(*row) for row in db.session.execute(query)]


def _meeting(session: ClassSession, cohort: Cohort) -> Meeting:
    return Meeting(
        cohort=cohort.title,
        place=cohort.place,
        city=cohort.city,
        on=cohort.starts_on + timedelta(days=session.day - 1),
        half=session.half,
        title=session.title,
        title_en=session.title_en,
        jp=session.jp,
    )


def list_seats(cohort_id: int) -> list[Seat]:
    """Return the companions of a class by name, in one query."""
    rows = db.session.execute(
        select(
            Person.id,
            Person.public_id,
            Person.name,
            Organisation.id.label("organisation_id"),
            Organisation.name.label("organisation"),
        )
        .join(Enrolment, Enrolment.person_id == Person.id)
        .join(Organisation, Organisation.id == Enrolment.organisation_id)
        .where(Enrolment.cohort_id == cohort_id)
        .order_by(Person.name, Person.id)
    )
    return [
        Seat(row.id, row.public_id, row.name, row.organisation_id, row.organisation) for row in rows
    ]


def get_seat(cohort_id: int, public_id: str) -> Seat:
    """Return one companion of a class. Raises NotFound."""
    for seat in list_seats(cohort_id):
        if seat.public_id == public_id:
            return seat
    raise NotFound(public_id)


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


def enrol(person_id: int, cohort_id: int, organisation_id: int, *, now: datetime) -> None:
    """Give somebody a seat; a seat already taken stays as it is. Flushes."""
    insert_once(
        Enrolment,
        cohort_id=cohort_id,
        person_id=person_id,
        organisation_id=organisation_id,
        created_at=now,
    )
    add_member(person_id, organisation_id, Part.STAFF)


def add_staff(person_id: int, cohort_id: int, part: Part) -> None:
    """Let somebody work in a class. Flushes."""
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
    """Let somebody belong to an organisation. Flushes."""
    insert_once(Membership, person_id=person_id, organisation_id=organisation_id, part=part)


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
    found = db.session.scalars(
        select(Conflict.person_id).where(Conflict.assessor_id == assessor_id)
    )
    return frozenset([assessor_id, *found])
