"""Which classes follow from which, found by the database in one walk.

A class follows from another when somebody trained in the first taught in it after the first had
ended. Reads other features' tables: their services would cost a query for each class.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import (
    ColumnElement,
    Select,
    String,
    and_,
    case,
    cast,
    exists,
    extract,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.orm import aliased

from lms.accounts.models import Person
from lms.cohorts.models import (
    ClassState,
    Cohort,
    CohortCurriculum,
    CohortStaff,
    Enrolment,
    Organisation,
    Part,
)
from lms.competency.models import Evidence, EvidenceVoid, StandingSummary
from lms.competency.rules import EvidenceKind
from lms.core.db import db
from lms.credentials.models import Certificate, Decision
from lms.lineage import rules
from lms.lineage.models import OutsideTraining, TrainingClosure
from lms.lineage.rules import Group

TEACHING = (Part.TRAINER, Part.SPEAKER)
AT_ONCE = 500
"""Classes whose people are read in one query."""


@dataclass(frozen=True, slots=True)
class Reached:
    """What follows: the level of each class, and people trained elsewhere beside."""

    levels: dict[int, int]
    outside: frozenset[int] = field(default_factory=frozenset)


@dataclass(frozen=True, slots=True)
class Node:
    """One class in a chain."""

    id: int
    slug: str
    title: str
    city: str
    starts_on: date
    ends_on: date
    level: int
    group: Group


@dataclass(frozen=True, slots=True)
class Edge:
    """Somebody trained in one class taught another."""

    above: int
    below: int
    person_id: int
    name: str


@dataclass(frozen=True, slots=True)
class Contact:
    """Somebody downstream, and how to reach them."""

    person_id: int
    name: str
    email: str
    organisation: str
    cohort: str
    city: str
    cohort_id: int | None


def taught_by(person_id: int) -> Select[int]:
    """Return a query of the open classes somebody taught or spoke in."""
    return (
        select(Cohort.id)
        .join(CohortStaff, CohortStaff.cohort_id == Cohort.id)
        .where(
            CohortStaff.person_id == person_id,
            CohortStaff.part.in_(TEACHING),
            Cohort.state == ClassState.OPEN,
        )
    )


def of_version(curriculum: str, version: str) -> Select[int]:
    """Return a query of the open classes that taught this version of a curriculum."""
    return (
        select(Cohort.id)
        .join(CohortCurriculum, CohortCurriculum.cohort_id == Cohort.id)
        .where(
            CohortCurriculum.curriculum == curriculum,
            CohortCurriculum.version == version,
            Cohort.state == ClassState.OPEN,
        )
    )


def walk(roots: Select[int] | Collection[int], *, curriculum: str | None = None) -> dict[int, int]:
    """Return every class that follows from `roots` with its level, from 1, in one query.

    With a curriculum only classes that cover it are followed, in whatever version.
    """
    statement = walking(roots, curriculum)
    return {row.cohort_id: row.level for row in db.session.execute(statement)}


def walking(
    roots: Select[int] | Collection[int], curriculum: str | None
) -> Select[tuple[int, int]]:
    """Return the query of `walk`.

    Nobody teaches in a draft, so the state of a class is not asked: asked for it, SQLite would look
    at every class for each class.
    """
    begin = select(Cohort.id.label("cohort_id"), literal(1).label("level")).where(
        Cohort.id.in_(roots)
    )
    reached = begin.cte("reached", recursive=True)
    before, after = aliased(Cohort, name="before"), aliased(Cohort, name="after")
    step = (
        select(after.id, reached.c.level + 1)
        .select_from(reached)
        .join(before, before.id == reached.c.cohort_id)
        .join(Enrolment, Enrolment.cohort_id == before.id)
        .join(CohortStaff, CohortStaff.person_id == Enrolment.person_id)
        .join(after, after.id == CohortStaff.cohort_id)
        .where(
            CohortStaff.part.in_(TEACHING),
            after.starts_on > before.ends_on,
            reached.c.level < rules.DEEPEST,
            was_trained(),
        )
    )
    if curriculum is not None:
        covers = exists().where(
            CohortCurriculum.cohort_id == after.id, CohortCurriculum.curriculum == curriculum
        )
        step = step.where(covers)
    reached = reached.union(step)
    return select(reached.c.cohort_id, func.min(reached.c.level).label("level")).group_by(
        reached.c.cohort_id
    )


def was_trained() -> ColumnElement[bool]:
    """Return what is true of an `Enrolment` that came to something: attended, or certified."""
    voided = exists().where(EvidenceVoid.evidence_id == Evidence.id)
    attended = exists().where(
        Evidence.person_id == Enrolment.person_id,
        Evidence.kind == EvidenceKind.HDR,
        Evidence.group_key == literal("cohort:") + cast(Enrolment.cohort_id, String),
        ~voided,
    )
    return or_(attended, _was_decided())


def _was_decided() -> ColumnElement[bool]:
    return exists().where(
        Decision.person_id == Enrolment.person_id, Decision.cohort_id == Enrolment.cohort_id
    )


def downstream(curriculum: str, version: str) -> Reached:
    """Return what follows from this version of a curriculum.

    Three queries; two more for each step that leads over somebody trained elsewhere.
    """
    levels = walk(of_version(curriculum, version), curriculum=curriculum)
    learned = select(OutsideTraining.person_id).where(
        OutsideTraining.curriculum == curriculum, OutsideTraining.version == version
    )
    outside = set(db.session.scalars(learned))
    while True:
        outside |= _below(outside, levels)
        more = _taught_by_any(outside, curriculum) - levels.keys()
        if not more:
            return Reached(levels, frozenset(outside))
        following = walk(more, curriculum=curriculum)
        levels |= {one: level for one, level in following.items() if one not in levels}


def _below(people: Collection[int], classes: Collection[int]) -> set[int]:
    """Return who was trained elsewhere by these people, or by people trained in these classes."""
    if not _any_outside():
        return set()
    found = set(
        db.session.scalars(
            select(TrainingClosure.descendant_id)
            .join(Enrolment, Enrolment.person_id == TrainingClosure.ancestor_id)
            .where(Enrolment.cohort_id.in_(classes), was_trained())
        )
    )
    direct = select(TrainingClosure.descendant_id)
    return found | set(
        db.session.scalars(direct.where(TrainingClosure.ancestor_id.in_(list(people))))
    )


def _any_outside() -> bool:
    return db.session.scalar(select(TrainingClosure.ancestor_id).limit(1)) is not None


def _taught_by_any(people: Collection[int], curriculum: str) -> set[int]:
    """Return open classes on a curriculum that people trained elsewhere taught, from then on."""
    if not people:
        return set()
    since = (
        select(func.min(OutsideTraining.year))
        .where(OutsideTraining.person_id == CohortStaff.person_id)
        .correlate(CohortStaff)
        .scalar_subquery()
    )
    return set(
        db.session.scalars(
            select(Cohort.id)
            .join(CohortStaff, CohortStaff.cohort_id == Cohort.id)
            .join(CohortCurriculum, CohortCurriculum.cohort_id == Cohort.id)
            .where(
                CohortStaff.person_id.in_(list(people)),
                CohortStaff.part.in_(TEACHING),
                CohortCurriculum.curriculum == curriculum,
                Cohort.state == ClassState.OPEN,
                extract("year", Cohort.starts_on) >= since,
            )
        )
    )


def nodes(levels: dict[int, int]) -> list[Node]:
    """Return these classes with what their people reached, by level and date. One query a part."""
    found: list[Node] = []
    for part in _parts(sorted(levels)):
        certified = exists().where(
            Decision.person_id == Enrolment.person_id,
            Decision.cohort_id == Enrolment.cohort_id,
            Certificate.decision_id == Decision.id,
        )
        share = case(
            (StandingSummary.total > 0, StandingSummary.reached * 1.0 / StandingSummary.total)
        )
        rows = db.session.execute(
            select(
                Cohort.id,
                Cohort.slug,
                Cohort.title,
                Cohort.city,
                Cohort.starts_on,
                Cohort.ends_on,
                func.count(Enrolment.id),
                func.sum(case((and_(Enrolment.id.is_not(None), certified), 1), else_=0)),
                func.avg(share),
            )
            .select_from(Cohort)
            .join(Enrolment, and_(Enrolment.cohort_id == Cohort.id, was_trained()), isouter=True)
            .join(StandingSummary, StandingSummary.person_id == Enrolment.person_id, isouter=True)
            .where(Cohort.id.in_(part))
            .group_by(Cohort.id)
        )
        found += [
            Node(
                id=one_id,
                slug=slug,
                title=title,
                city=city,
                starts_on=starts_on,
                ends_on=ends_on,
                level=levels[one_id],
                group=Group(people, int(papers or 0), _real(average)),
            )
            for one_id, slug, title, city, starts_on, ends_on, people, papers, average in rows
        ]
    return sorted(found, key=lambda one: (one.level, one.starts_on, one.id))


def _real(value: object) -> float | None:
    return None if value is None else float(str(value))


def edges(classes: Collection[int]) -> list[Edge]:
    """Return who leads from which of these classes to which; one query."""
    before, after = aliased(Cohort, name="before"), aliased(Cohort, name="after")
    rows = db.session.execute(
        select(before.id, after.id, Person.id, Person.name)
        .select_from(before)
        .join(Enrolment, Enrolment.cohort_id == before.id)
        .join(CohortStaff, CohortStaff.person_id == Enrolment.person_id)
        .join(after, after.id == CohortStaff.cohort_id)
        .join(Person, Person.id == CohortStaff.person_id)
        .where(
            before.id.in_(classes),
            after.id.in_(classes),
            CohortStaff.part.in_(TEACHING),
            after.starts_on > before.ends_on,
            was_trained(),
        )
        .distinct()
        .order_by(Person.name, Person.id, before.id, after.id)
    )
    return [Edge(*row) for row in rows]


def count_people(found: Reached) -> int:
    """Return how many people are downstream, each once. One query a part."""
    people = set(found.outside)
    for part in _parts(sorted(found.levels)):
        people |= set(
            db.session.scalars(
                select(Enrolment.person_id).where(Enrolment.cohort_id.in_(part), was_trained())
            )
        )
    return len(people)


def contacts(found: Reached) -> Iterator[Contact]:
    """Yield everybody downstream once, class by class, then who was trained elsewhere."""
    seen: set[int] = set()
    for part in _parts(sorted(found.levels, key=lambda one: (found.levels[one], one))):
        rows = db.session.execute(
            select(
                Person.id,
                Person.name,
                Person.email,
                Organisation.name,
                Cohort.title,
                Cohort.city,
                Cohort.id,
            )
            .join(Enrolment, Enrolment.person_id == Person.id)
            .join(Organisation, Organisation.id == Enrolment.organisation_id)
            .join(Cohort, Cohort.id == Enrolment.cohort_id)
            .where(Enrolment.cohort_id.in_(part), Person.disabled_at.is_(None), was_trained())
            .order_by(Cohort.id, Person.name, Person.id)
        )
        for row in rows:
            if row[0] not in seen:
                seen.add(row[0])
                yield Contact(*row)
    rest = sorted(found.outside - seen)
    for part in _parts(rest):
        people = select(Person.id, Person.name, Person.email).where(
            Person.id.in_(part), Person.disabled_at.is_(None)
        )
        for who, name, email in db.session.execute(people.order_by(Person.name, Person.id)):
            yield Contact(who, name, email, "", "", "", None)


def _parts(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    for begin in range(0, len(ids), AT_ONCE):
        yield ids[begin : begin + AT_ONCE]


def list_versions() -> list[tuple[str, str, int]]:
    """Return each curriculum and version that was taught, and in how many open classes."""
    rows = db.session.execute(
        select(CohortCurriculum.curriculum, CohortCurriculum.version, func.count())
        .join(Cohort, Cohort.id == CohortCurriculum.cohort_id)
        .where(Cohort.state == ClassState.OPEN)
        .group_by(CohortCurriculum.curriculum, CohortCurriculum.version)
    )
    found = {(row[0], row[1]): row[2] for row in rows}
    outside = select(OutsideTraining.curriculum, OutsideTraining.version).distinct()
    for code, version in db.session.execute(outside):
        found.setdefault((code, version), 0)
    return [(*key, count) for key, count in sorted(found.items())]
