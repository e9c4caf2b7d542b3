"""The chain of trainers as people see it, and what is written down of it. Services flush."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, delete, func, select, text
from sqlalchemy.exc import IntegrityError

from lms.accounts import services as accounts
from lms.accounts.models import Person
from lms.cohorts.models import Cohort, CohortStaff, Enrolment, Part
from lms.core import audit
from lms.core.db import db, insert_into
from lms.core.errors import DomainError, NotFound
from lms.core.figures import LEAST, hide_small
from lms.core.login import Viewer
from lms.lineage import chains, rules
from lms.lineage.chains import TEACHING, Edge, Node
from lms.lineage.models import OutsideTraining, TrainingClosure
from lms.lineage.rules import Drop, Group

MOST = 200
"""Classes drawn in one tree."""
PAGE = 50


class Circle(DomainError):
    """Somebody would have been trained by a person they trained themselves."""


class AlreadyRecorded(DomainError):
    """The same is written down already."""


@dataclass(frozen=True, slots=True)
class Branch:
    """One class of a tree as the viewer may see it."""

    node: Node
    is_own: bool
    """The viewer sees names and every figure."""
    people: int | None
    """None where the figure is hidden."""
    certified: int | None
    share: float | None
    drop: Drop
    wants_help: bool
    onward: tuple[str, ...]
    """Names of people of this class who went on to teach; empty where they are not shown."""
    onward_count: int
    children: tuple["Branch", ...]


@dataclass(frozen=True, slots=True)
class LevelLine:
    """One level of a tree in sums; None is hidden."""

    level: int
    classes: int
    people: int | None
    certified: int | None
    share: float | None
    drop: Drop


@dataclass(frozen=True, slots=True)
class Tree:
    """What follows from a person or a class."""

    levels: list[LevelLine]
    branches: list[Branch]
    retention: float | None
    total: int
    """Classes in all; at most MOST are drawn."""


@dataclass(frozen=True, slots=True)
class Above:
    """Somebody who taught, and where they were trained themselves."""

    person_id: int
    public_id: str
    name: str
    classes: tuple[Node, ...]
    outside: tuple[OutsideTraining, ...]


@dataclass(frozen=True, slots=True)
class Teacher:
    """Somebody who taught or spoke in a class."""

    public_id: str
    name: str
    classes: int


def tree_of_person(person_id: int, viewer: Viewer) -> Tree:
    """Return what follows from the classes somebody taught. Four queries."""
    return _tree(chains.walk(chains.taught_by(person_id)), viewer)


def tree_of_class(cohort_id: int, viewer: Viewer) -> Tree:
    """Return what follows from one class. Four queries."""
    return _tree(chains.walk([cohort_id]), viewer)


def above_class(cohort_id: int) -> list[Above]:
    """Return who taught a class and where they were trained before it. Three queries."""
    cohort = db.session.get_one(Cohort, cohort_id)
    rows = db.session.execute(
        select(Person.id, Person.public_id, Person.name)
        .join(CohortStaff, CohortStaff.person_id == Person.id)
        .where(CohortStaff.cohort_id == cohort_id, CohortStaff.part.in_(TEACHING))
        .distinct()
        .order_by(Person.name, Person.id)
    ).all()
    return _above(
        [(row.id, row.public_id, row.name) for row in rows], Cohort.ends_on < cohort.starts_on
    )


def above_person(person_id: int) -> Above:
    """Return where somebody was trained. Three queries."""
    person = accounts.get_person_by_id(person_id)
    return _above([(person.id, person.public_id, person.name)])[0]


def _above(people: Sequence[tuple[int, str, str]], *where: ColumnElement[bool]) -> list[Above]:
    ids = [one[0] for one in people]
    classes: dict[int, list[Node]] = defaultdict(list)
    rows = db.session.execute(
        select(Enrolment.person_id, Cohort)
        .join(Cohort, Cohort.id == Enrolment.cohort_id)
        .where(Enrolment.person_id.in_(ids), chains.was_trained(), *where)
        .order_by(Cohort.starts_on, Cohort.id)
    )
    for who, one in rows:
        node = Node(
            one.id, one.slug, one.title, one.city, one.starts_on, one.ends_on, 0, Group()
        )  # fmt: skip
        classes[who].append(node)
    outside: dict[int, list[OutsideTraining]] = defaultdict(list)
    for noted in db.session.scalars(
        select(OutsideTraining)
        .where(OutsideTraining.person_id.in_(ids))
        .order_by(OutsideTraining.year, OutsideTraining.id)
    ):
        outside[noted.person_id].append(noted)
    return [Above(*one, tuple(classes[one[0]]), tuple(outside[one[0]])) for one in people]


def list_teachers(searched: str, *, page: int = 1) -> tuple[int, list[Teacher]]:
    """Return how many people taught, and a page of them by name. Raises NotFound. Two queries."""
    query = (
        select(Person.public_id, Person.name, func.count(CohortStaff.cohort_id.distinct()))
        .join(CohortStaff, CohortStaff.person_id == Person.id)
        .where(CohortStaff.part.in_(TEACHING))
        .group_by(Person.id)
    )
    if searched:
        query = query.where(func.lower(Person.name).contains(searched.lower(), autoescape=True))
    total = db.session.scalar(select(func.count()).select_from(query.subquery())) or 0
    if page < 1 or (page - 1) * PAGE >= max(total, 1):
        raise NotFound(str(page))
    rows = query.order_by(Person.name, Person.id).offset((page - 1) * PAGE).limit(PAGE)
    return total, [Teacher(*row) for row in db.session.execute(rows)]


def _tree(levels: dict[int, int], viewer: Viewer) -> Tree:
    found = chains.nodes(levels)
    shown = found[:MOST]
    links = chains.edges([one.id for one in shown])
    own = _own(viewer, [one.id for one in found])
    figures = _figures(found, own)
    lines = _level_lines(found, own)
    return Tree(
        levels=lines,
        branches=_branches(shown, links, own, figures),
        retention=rules.retention(
            [
                Group(one.people, one.certified or 0, one.share)
                for one in lines
                if one.people is not None
            ]
        )
        if all(one.people is not None for one in lines)
        else None,
        total=len(found),
    )


def _own(viewer: Viewer, ids: Sequence[int]) -> frozenset[int]:
    """Return the classes in which the viewer sees names and every figure."""
    if "admin" in viewer.roles:
        return frozenset(ids)
    mine = select(CohortStaff.cohort_id).where(CohortStaff.person_id == viewer.id)
    return frozenset(db.session.scalars(mine.where(CohortStaff.part == Part.TRAINER)))


Figures = tuple[int | None, int | None]


def _figures(found: Sequence[Node], own: frozenset[int]) -> dict[int, Figures]:
    """Return people and certified of each class, hidden where they would speak of few."""
    figures: dict[int, Figures] = {
        one.id: (one.group.people, one.group.certified) for one in found if one.id in own
    }
    for others in _by_level(one for one in found if one.id not in own).values():
        people = hide_small([one.group.people for one in others]).cells
        certified = hide_small([one.group.certified for one in others]).cells
        for one, count, papers in zip(others, people, certified, strict=True):
            figures[one.id] = count, None if count is None else papers
    return figures


def _by_level(found: Iterable[Node]) -> dict[int, list[Node]]:
    levels: dict[int, list[Node]] = defaultdict(list)
    for one in found:
        levels[one.level].append(one)
    return levels


def _level_lines(found: Sequence[Node], own: frozenset[int]) -> list[LevelLine]:
    lines: list[LevelLine] = []
    above: Group | None = None
    for level, here in sorted(_by_level(found).items()):
        others = [one.group for one in here if one.id not in own]
        people = hide_small([one.people for one in others]).total
        certified = hide_small([one.certified for one in others]).total
        whole = sum((one.group for one in here), Group())
        is_shown = people is not None and whole.people >= LEAST
        is_open = people is not None and (whole.people >= LEAST or not others)
        lines.append(
            LevelLine(
                level,
                len(here),
                whole.people if is_open else None,
                whole.certified if is_open and certified is not None else None,
                whole.share if is_shown else None,
                rules.drop(above, whole) if is_shown else Drop.UNKNOWN,
            )
        )
        above = whole if is_shown else None
    return lines


def _branches(
    shown: Sequence[Node],
    links: Sequence[Edge],
    own: frozenset[int],
    figures: Mapping[int, Figures],
) -> list[Branch]:
    """Put classes under the first class they follow from, the deepest ones first."""
    by_id = {one.id: one for one in shown}
    parent: dict[int, int] = {}
    onward: dict[int, dict[int, str]] = defaultdict(dict)
    for link in links:
        onward[link.above][link.person_id] = link.name
        if by_id[link.above].level == by_id[link.below].level - 1:
            parent[link.below] = min(link.above, parent.get(link.below, link.above))
    children: dict[int | None, list[Branch]] = defaultdict(list)
    for one in sorted(shown, key=lambda node: (-node.level, node.starts_on, node.id)):
        above = by_id.get(parent.get(one.id, 0))
        people, certified = figures[one.id]
        is_known = people is not None and people >= LEAST
        branch = Branch(
            one,
            one.id in own,
            people,
            certified,
            one.group.share if is_known else None,
            rules.drop(above.group if above else None, one.group) if is_known else Drop.UNKNOWN,
            is_known and rules.may_want_help(one.group),
            tuple(onward[one.id].values()) if one.id in own else (),
            len(onward[one.id]),
            tuple(children[one.id]),
        )
        children[above.id if above else None].append(branch)
    return children[None]


# What is written down


def list_outside(person_id: int) -> Sequence[OutsideTraining]:
    """Return where somebody was trained elsewhere, oldest first."""
    return db.session.scalars(
        select(OutsideTraining)
        .where(OutsideTraining.person_id == person_id)
        .order_by(OutsideTraining.year, OutsideTraining.id)
    ).all()


def record(
    person_id: int,
    *,
    trainer_name: str,
    trainer_id: int | None,
    place: str,
    year: int,
    curriculum: str,
    version: str,
    actor_id: int,
    now: datetime,
) -> OutsideTraining:
    """Write down that somebody was trained elsewhere. Raises Circle, AlreadyRecorded. Flushes."""
    _lock()
    if trainer_id is not None:
        _link(trainer_id, person_id)
    row = OutsideTraining(
        person_id=person_id,
        trainer_id=trainer_id,
        trainer_name=trainer_name,
        place=place,
        year=year,
        curriculum=curriculum,
        version=version,
        recorded_by=actor_id,
        recorded_at=now,
    )
    try:
        with db.session.begin_nested():
            db.session.add(row)
    except IntegrityError:
        raise AlreadyRecorded(str(person_id)) from None
    audit.record(
        "lineage.record",
        f"person:{person_id}",
        actor_id=actor_id,
        now=now,
        trainer=trainer_id,
        curriculum=curriculum,
        year=year,
    )
    return row


def remove(public_id: str, *, actor_id: int, now: datetime) -> int:
    """Take back what was written down by mistake. Returns whose it was. Raises NotFound. Flushes.

    The closure is made anew from what is left: it is small.
    """
    _lock()
    row = db.session.scalar(select(OutsideTraining).where(OutsideTraining.public_id == public_id))
    if row is None:
        raise NotFound(public_id)
    person_id = row.person_id
    db.session.delete(row)
    db.session.flush()
    db.session.execute(delete(TrainingClosure))
    for trainer_id, trained_id in db.session.execute(
        select(OutsideTraining.trainer_id, OutsideTraining.person_id)
        .where(OutsideTraining.trainer_id.is_not(None))
        .order_by(OutsideTraining.id)
    ).all():
        if trainer_id is not None:
            _link(trainer_id, trained_id)
    audit.record("lineage.remove", f"person:{person_id}", actor_id=actor_id, now=now)
    return person_id


def _lock() -> None:
    """Let nobody else change the closure meanwhile: two halves of a circle would not meet.

    SQLite has one writer anyway.
    """
    if db.engine.dialect.name == "postgresql":
        db.session.execute(text("LOCK TABLE training_closure IN SHARE ROW EXCLUSIVE MODE"))


def _link(trainer_id: int, person_id: int) -> None:
    """Put everybody above the trainer over everybody below the person. Raises Circle."""
    table = TrainingClosure
    over = select(table.ancestor_id).where(table.descendant_id == trainer_id)
    under = select(table.descendant_id).where(table.ancestor_id == person_id)
    above = {trainer_id, *db.session.scalars(over)}
    below = {person_id, *db.session.scalars(under)}
    pairs = [{"ancestor_id": a, "descendant_id": d} for a in sorted(above) for d in sorted(below)]
    try:
        with db.session.begin_nested():
            db.session.execute(insert_into(TrainingClosure).on_conflict_do_nothing(), pairs)
    except IntegrityError:
        raise Circle(f"{trainer_id} {person_id}") from None
