"""Who learned an article of law, holds a certificate, and is to read what changed in it.

Reads other features' tables: their services would cost a query for each person.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, String, and_, exists, func, literal, null, select
from sqlalchemy.orm import aliased

from lms.accounts.models import Person
from lms.core.db import db
from lms.credentials.models import Certificate, CertificateEvent
from lms.credentials.rules import day_of
from lms.modules.laws import is_superseding
from lms.modules.models import DeltaRead, LawMark, LessonDone, LessonLaw
from lms.quizzes.models import Attempt, AttemptItem, ItemLaw

PAGE = 50


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody who holds a valid certificate and learned an article."""

    person_id: int
    public_id: str
    name: str
    email: str
    read_at: datetime | None
    """When they said that they read what changed; None while they did not."""


@dataclass(frozen=True, slots=True)
class Reach:
    """How many people an article concerns, and how many of them read what changed."""

    people: int
    read: int


def holders_query(article: str, mark_id: int | None, now: datetime) -> Select[*tuple[Any, ...]]:
    """Return the query of the holders of valid certificates who learned an article, by name.

    They finished a lesson in a wording that named it, or handed in a quiz with one of its items.
    """
    read = (
        select(DeltaRead.at)
        .where(DeltaRead.mark_id == mark_id, DeltaRead.person_id == Person.id)
        .scalar_subquery()
    )
    return (
        select(Person.id, Person.public_id, Person.name, Person.email, read.label("read_at"))
        .where(Person.id.in_(learned(article)), Person.disabled_at.is_(None), holds(now))
        .order_by(Person.name, Person.id)
    )


def learned(article: str) -> Any:
    """Return a query of the people who learned an article: it begins at the article."""
    lessons = (
        select(LessonDone.person_id)
        .join(
            LessonLaw,
            and_(
                LessonLaw.lesson_id == LessonDone.lesson_id,
                # An older wording was followed by this one: it is taken to have said the same.
                LessonLaw.version >= LessonDone.version,
            ),
        )
        .where(LessonLaw.article == article)
    )
    items = (
        select(Attempt.person_id)
        .join(AttemptItem, AttemptItem.attempt_id == Attempt.id)
        .join(ItemLaw, ItemLaw.item_version_id == AttemptItem.item_version_id)
        .where(ItemLaw.article == article, Attempt.closed_at.is_not(None))
    )
    return lessons.union(items)


def holds(now: datetime, person: Any = Person.id, today: Any = None) -> ColumnElement[bool]:
    """Return what is true of somebody with a certificate in force."""
    ended = exists().where(
        CertificateEvent.certificate_id == Certificate.id, CertificateEvent.at <= now
    )
    return exists().where(
        Certificate.person_id == person,
        Certificate.issued_at <= now,
        Certificate.valid_until >= (day_of(now) if today is None else today),
        ~ended,
    )


def count_reach(article: str, mark_id: int | None, now: datetime) -> Reach:
    """Return how many people are concerned and how many read what changed. One query."""
    people = holders_query(article, mark_id, now).order_by(None).subquery()
    row = db.session.execute(select(func.count(), func.count(people.c.read_at))).one()
    return Reach(row[0], row[1])


def list_holders(article: str, mark_id: int | None, now: datetime, *, page: int) -> list[Holder]:
    """Return a page of the people concerned, by name. One query."""
    asked = holders_query(article, mark_id, now).offset((page - 1) * PAGE).limit(PAGE)
    return [Holder(*row) for row in db.session.execute(asked)]


def every_holder(article: str, mark_id: int | None, now: datetime) -> Iterator[Holder]:
    """Yield everybody concerned, by name. One query, read piece by piece."""
    for row in db.session.execute(holders_query(article, mark_id, now)).yield_per(500):
        yield Holder(*row)


def concerns(mark: LawMark, person_id: int, now: datetime) -> bool:
    """Tell whether somebody is to read what changed. One query."""
    asked = delta_query(person_id, now, day_of(now)).where(LawMark.id == mark.id)
    return db.session.execute(asked).first() is not None


def delta_query(
    person_id: int, now: datetime, today: date, *, unread: bool = False
) -> Select[*tuple[Any, ...]]:
    """Return a query of what somebody is to read, in the columns the home page unites.

    Columns: feature, code (of the mark), what (title, a line end, the article), began_at, ended_at.
    It begins at the marks that hold: without one it costs nothing.
    """
    done = aliased(LessonDone)
    finished = exists().where(
        LessonLaw.article == LawMark.article,
        done.lesson_id == LessonLaw.lesson_id,
        done.person_id == person_id,
        done.version <= LessonLaw.version,
    )
    answered = exists().where(
        ItemLaw.article == LawMark.article,
        AttemptItem.item_version_id == ItemLaw.item_version_id,
        Attempt.id == AttemptItem.attempt_id,
        Attempt.person_id == person_id,
        Attempt.closed_at.is_not(None),
    )
    asked = select(
        literal("delta", String).label("feature"),
        LawMark.public_id.label("code"),
        (LawMark.delta_title + "\n" + LawMark.article).label("what"),
        LawMark.at.label("began_at"),
        null().label("ended_at"),
    ).where(
        LawMark.delta_title != "",
        is_superseding(),
        holds(now, person_id, today),
        finished | answered,
    )
    if unread:
        asked = asked.where(
            ~exists().where(DeltaRead.mark_id == LawMark.id, DeltaRead.person_id == person_id)
        )
    return asked
