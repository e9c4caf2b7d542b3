"""Who sits where: seats a page at a time, the classes of one person, what each half day holds."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, time

from sqlalchemy import Select, func, select

from lms.accounts.models import Person
from lms.cohorts.models import ClassSession, Cohort, Enrolment, Organisation
from lms.cohorts.services import Seat
from lms.core.db import db


@dataclass(frozen=True, slots=True)
class Held:
    """One entry of a timetable, with the class it belongs to."""

    cohort_id: int
    slug: str
    cohort: str
    day: int
    half: str
    lesson_code: str | None
    jp: int
    title: str
    title_en: str
    begins: time | None
    starts_on: date
    ends_on: date


def seated_in(cohort_id: int) -> Select[int]:
    """Return a query of the companions of a class."""
    return select(Enrolment.person_id).where(Enrolment.cohort_id == cohort_id)


def count_seats(cohort_id: int) -> int:
    """Return how many companions a class has."""
    query = select(func.count()).where(Enrolment.cohort_id == cohort_id)
    return db.session.scalar(query) or 0


def page_of_seats(cohort_id: int, *, first: int, size: int) -> list[Seat]:
    """Return `size` companions of a class by name, from the `first` one on, in one query."""
    rows = db.session.execute(
        select(Person.id, Person.public_id, Person.name, Organisation.id, Organisation.name)
        .join(Enrolment, Enrolment.person_id == Person.id)
        .join(Organisation, Organisation.id == Enrolment.organisation_id)
        .where(Enrolment.cohort_id == cohort_id)
        .order_by(Person.name, Person.id)
        .offset(first)
        .limit(size)
    )
    return [Seat(*row) for row in rows]


def classes_of(person_id: int, *, limit: int = 5) -> Sequence[Cohort]:
    """Return the newest classes somebody sits in."""
    return db.session.scalars(
        select(Cohort)
        .join(Enrolment, Enrolment.cohort_id == Cohort.id)
        .where(Enrolment.person_id == person_id)
        .order_by(Cohort.starts_on.desc(), Cohort.id.desc())
        .limit(limit)
    ).all()


def held_in(cohort_ids: Iterable[int]) -> list[Held]:
    """Return the timetables of these classes in order, in one query; none for no class."""
    wanted = sorted(set(cohort_ids))
    if not wanted:
        return []
    rows = db.session.execute(
        select(
            Cohort.id.label("cohort_id"),
            Cohort.slug,
            Cohort.title.label("cohort"),
            ClassSession.day,
            ClassSession.half,
            ClassSession.lesson_code,
            ClassSession.jp,
            ClassSession.title,
            ClassSession.title_en,
            ClassSession.begins,
            Cohort.starts_on,
            Cohort.ends_on,
        )
        .join(Cohort, Cohort.id == ClassSession.cohort_id)
        .where(Cohort.id.in_(wanted), ClassSession.removed_at.is_(None))
        .order_by(Cohort.id, ClassSession.day, ClassSession.half, ClassSession.position)
    )
    return [Held(**row._mapping) for row in rows]
