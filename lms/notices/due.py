"""Who has to be told what, and was not yet. Reads only, a batch at a time; light: a round asks it.

It joins the tables of the features below: asking their services person by person would cost as
many queries as there are people.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from flask import current_app
from sqlalchemy import ColumnElement, Row, Select, String, and_, cast, exists, func, literal, select
from sqlalchemy.orm import aliased

from lms.accounts.models import Person
from lms.cohorts.models import ClassState, Cohort, CohortCurriculum, Enrolment
from lms.core import clock
from lms.core.db import db
from lms.credentials.models import (
    Certificate,
    CertificateEvent,
    Deferral,
    EventKind,
    Scheme,
)
from lms.modules.models import Curriculum, Lesson, LessonDone
from lms.notices import rules
from lms.notices.models import Notice
from lms.notices.rules import Kind
from lms.practice.cases.models import CaseReview, CaseSubmission

BATCH = 200
"""People told in one unit of work."""


def notices(now: datetime) -> bool:
    """Tell whether anybody is to be told anything."""
    return bool(next_batch(now, current_app.extensions["suluh"].zone))


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """One thing one person has to be told."""

    person_id: int
    email: str
    name: str
    locale: str
    kind: Kind
    subject: str
    stage: int
    about: str
    path: str
    zone: str
    day: date | None = None
    place: str = ""
    count: int = 0


def next_batch(now: datetime, zone: str) -> list[Due]:
    """Return the next people to tell, at most BATCH; queries do not grow with people.

    `zone` is the clock of who belongs to no class.
    """
    for one in _sources(now, zone):
        if found := list(one):
            return found
    return []


def _sources(now: datetime, zone: str) -> Iterator[Iterator[Due]]:
    for cohort in _classes_soon(now):
        left = (cohort.starts_on - now.astimezone(clock.ZONES[cohort.zone]).date()).days
        stage = rules.class_stage(left)
        if stage is not None:
            yield _class_soon(cohort, stage)
        if stage == rules.LESSONS_STAGE:
            yield _lessons_left(cohort)
    yield _cases_decided(now, zone)
    yield _put_off(now, zone)
    yield _papers_ready(now, zone)
    yield _papers_revoked(now, zone)
    for span in rules.paper_spans(now.astimezone(clock.ZONES["WIB"]).date()):
        yield _papers_ending(span, zone)


def _classes_soon(now: datetime) -> list[Cohort]:
    """Return open classes that begin within the first stage, in any zone."""
    today = now.date()
    farthest = today + timedelta(days=max(rules.CLASS_STAGES) + 1)
    query = select(Cohort).where(
        Cohort.state == ClassState.OPEN, Cohort.starts_on >= today, Cohort.starts_on <= farthest
    )
    return list(db.session.scalars(query.order_by(Cohort.id)))


def _people(kind: Kind, subject: ColumnElement[str], stage: int) -> Select[*tuple[Any, ...]]:
    """Return a query of people who were not told this yet; the caller joins what it is about."""
    told = exists().where(
        Notice.person_id == Person.id,
        Notice.kind == kind,
        Notice.subject == subject,
        Notice.stage == stage,
    )
    return (
        select(Person.id, Person.email, Person.name, Person.locale)
        .where(Person.disabled_at.is_(None), ~told)
        .order_by(Person.id)
        .limit(BATCH)
    )


def _class_soon(cohort: Cohort, stage: int) -> Iterator[Due]:
    subject = f"cohort:{cohort.id}"
    query = _people(Kind.CLASS_SOON, literal(subject), stage)
    for row in db.session.execute(query.join(Enrolment, _sits_in(cohort))):
        yield _due(row, Kind.CLASS_SOON, subject, stage, cohort=cohort)


def _sits_in(cohort: Cohort) -> ColumnElement[bool]:
    return and_(Enrolment.person_id == Person.id, Enrolment.cohort_id == cohort.id)


def _lessons_left(cohort: Cohort) -> Iterator[Due]:
    """Give the people of a class who have not finished its online lessons, with how many."""
    taught = (
        select(Lesson.id)
        .join(Curriculum, Curriculum.id == Lesson.curriculum_id)
        .join(CohortCurriculum, CohortCurriculum.curriculum == Curriculum.code)
        .where(
            CohortCurriculum.cohort_id == cohort.id,
            Lesson.in_person.is_(False),
            Lesson.retired_at.is_(None),
        )
    )
    total = db.session.scalar(select(func.count()).select_from(taught.subquery())) or 0
    done = (
        select(func.count(LessonDone.lesson_id.distinct()))
        .where(LessonDone.person_id == Person.id, LessonDone.lesson_id.in_(taught))
        .scalar_subquery()
    )
    subject = f"cohort:{cohort.id}"
    query = _people(Kind.LESSONS_LEFT, literal(subject), rules.LESSONS_STAGE)
    query = query.add_columns(done.label("done")).join(Enrolment, _sits_in(cohort))
    for row in db.session.execute(query.where(done < total)):
        stage, left = rules.LESSONS_STAGE, total - row.done
        yield _due(row, Kind.LESSONS_LEFT, subject, stage, cohort=cohort, count=left)


def _cases_decided(now: datetime, zone: str) -> Iterator[Due]:
    subject = literal("case_submission:", String) + cast(CaseSubmission.id, String)
    query = (
        _people(Kind.CASE_DECIDED, subject, 0)
        .add_columns(subject.label("subject"), CaseSubmission.case_code)
        .join(CaseSubmission, CaseSubmission.person_id == Person.id)
        .join(CaseReview, CaseReview.submission_id == CaseSubmission.id)
        .where(CaseReview.decided_at > now - rules.FRESH)
    )
    for row in db.session.execute(query):
        yield _to(
            row,
            kind=Kind.CASE_DECIDED,
            subject=row.subject,
            stage=0,
            about=row.case_code,
            path=f"/studi-kasus/{row.case_code.lower()}",
            zone=zone,
        )


def _put_off(now: datetime, zone: str) -> Iterator[Due]:
    """Give those whose decision was put off and not taken up again since."""
    subject = literal("deferral:", String) + cast(Deferral.id, String)
    query = (
        _people(Kind.PUT_OFF, subject, 0)
        .add_columns(subject.label("subject"), Scheme.title, Scheme.title_en)
        .join(Deferral, Deferral.person_id == Person.id)
        .join(Scheme, Scheme.code == Deferral.scheme_code)
        .where(Deferral.at > now - rules.FRESH, Deferral.lifted_at.is_(None))
    )
    for row in db.session.execute(query):
        yield _to(
            row,
            kind=Kind.PUT_OFF,
            subject=row.subject,
            stage=0,
            about=row.title_en if row.locale == "en" else row.title,
            path="/sertifikat",
            zone=zone,
        )


def _papers_ready(now: datetime, zone: str) -> Iterator[Due]:
    query = _held(Kind.PAPER_READY, 0).where(Certificate.issued_at > now - rules.FRESH)
    for row in db.session.execute(query):
        yield _paper(row, Kind.PAPER_READY, 0, zone)


def _papers_revoked(now: datetime, zone: str) -> Iterator[Due]:
    """Give holders whose certificate was revoked: who shows it has to know."""
    query = _papers(Kind.PAPER_REVOKED, 0).join(
        CertificateEvent,
        and_(
            CertificateEvent.certificate_id == Certificate.id,
            CertificateEvent.kind == EventKind.REVOKED,
            CertificateEvent.at > now - rules.FRESH,
        ),
    )
    for row in db.session.execute(query):
        yield _paper(row, Kind.PAPER_REVOKED, 0, zone)


def _papers_ending(span: rules.Span, zone: str) -> Iterator[Due]:
    """Give holders whose newest certificate of a scheme ends within the span."""
    newer = aliased(Certificate)
    query = _held(Kind.PAPER_ENDS, span.stage).where(
        Certificate.valid_until >= span.first,
        Certificate.valid_until <= span.last,
        ~exists().where(
            newer.person_id == Certificate.person_id,
            newer.scheme_code == Certificate.scheme_code,
            newer.id > Certificate.id,
        ),
    )
    for row in db.session.execute(query):
        yield _paper(row, Kind.PAPER_ENDS, span.stage, zone)


def _papers(kind: Kind, stage: int) -> Select[*tuple[Any, ...]]:
    subject = literal("certificate:", String) + cast(Certificate.id, String)
    return (
        _people(kind, subject, stage)
        .add_columns(
            subject.label("subject"), Certificate.valid_until, Scheme.title, Scheme.title_en
        )
        .join(Certificate, Certificate.person_id == Person.id)
        .join(Scheme, Scheme.code == Certificate.scheme_code)
    )


def _held(kind: Kind, stage: int) -> Select[*tuple[Any, ...]]:
    """Return those of `_papers` that were neither revoked nor replaced."""
    ended = exists().where(CertificateEvent.certificate_id == Certificate.id)
    return _papers(kind, stage).where(~ended)


def _paper(row: Row[*tuple[Any, ...]], kind: Kind, stage: int, zone: str) -> Due:
    return _to(
        row,
        kind=kind,
        subject=row.subject,
        stage=stage,
        about=row.title_en if row.locale == "en" else row.title,
        path="/sertifikat",
        zone=zone,
        day=row.valid_until,
    )


def _due(
    row: Row[*tuple[Any, ...]],
    kind: Kind,
    subject: str,
    stage: int,
    *,
    cohort: Cohort,
    count: int = 0,
) -> Due:
    to_lessons = kind is Kind.LESSONS_LEFT
    return _to(
        row,
        kind=kind,
        subject=subject,
        stage=stage,
        about=cohort.title,
        path="/pelajaran" if to_lessons else f"/angkatan/{cohort.slug}/agenda",
        zone=cohort.zone,
        day=cohort.starts_on,
        place=cohort.place,
        count=count,
    )


def _to(row: Row[*tuple[Any, ...]], **values: Any) -> Due:
    """Return what is due to the person of a row."""
    return Due(person_id=row.id, email=row.email, name=row.name, locale=row.locale, **values)
