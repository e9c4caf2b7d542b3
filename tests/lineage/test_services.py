"""What follows from what, as the database finds it; what is written down never forms a circle."""

from collections.abc import Sequence
from functools import partial
from random import Random

import pytest
from flask import Flask
from sqlalchemy import insert, select, text
from sqlalchemy.exc import IntegrityError

from lms.accounts.models import Person
from lms.cohorts.models import Cohort
from lms.competency.models import StandingSummary
from lms.core.db import db, unit_of_work
from lms.core.errors import NotFound
from lms.core.login import Viewer
from lms.lineage import chains, rules, services
from lms.lineage.models import OutsideTraining, TrainingClosure
from lms.lineage.rules import Drop, Held
from lms.lineage.services import Branch
from tests import factories
from tests.lineage import world
from tests.queries import counted
from tests.races import race


def viewer(person_id: int, *roles: str) -> Viewer:
    return Viewer(person_id, "", "", frozenset(roles), "id", "")


def note(person_id: int, trainer_id: int | None, year: int = 2021, version: str = "v1") -> None:
    with unit_of_work():
        services.record(
            person_id,
            trainer_name="Narasumber",
            trainer_id=trainer_id,
            place="Jakarta",
            year=year,
            curriculum="K1",
            version=version,
            actor_id=person_id,
            now=factories.NOW,
        )


def reach_share(who: Sequence[int], share: float) -> None:
    rows = [
        {"person_id": one, "units": {}, "gates": {}, "reached": int(100 * share), "total": 100}
        for one in who
    ]
    with unit_of_work():
        db.session.execute(insert(StandingSummary), rows)


@pytest.mark.both
def test_a_class_follows_from_another_only_in_time_and_through_who_was_trained(app: Flask) -> None:
    boss, trainer, absent, other, *rest = world.people(10)
    first = world.held([boss], [trainer], 0, absent=[absent])
    later = world.held([trainer], rest[:3], 30)
    world.held([trainer], rest[3:4], 1)  # the same day the first one ended
    world.held([absent], rest[4:5], 40)  # had a seat in the first and did not come
    world.held([other], rest[4:5], 40)
    assert chains.walk([first]) == {first: 1, later: 2}
    assert chains.walk(chains.taught_by(boss)) == {first: 1, later: 2}
    assert chains.walk(chains.taught_by(rest[0])) == {}


@pytest.mark.both
def test_the_database_walks_as_the_rule_does(app: Flask) -> None:
    random = Random(11)
    everybody = world.people(14)
    classes: dict[int, Held] = {}
    for _ in range(16):
        staff, trained = random.sample(everybody, 2), random.sample(everybody, 3)
        one = world.held(staff, trained, random.randint(0, 40))
        found = db.session.get_one(Cohort, one)
        classes[one] = Held(found.starts_on, found.ends_on, frozenset(staff), frozenset(trained))
    deep = 0
    for one in classes:
        expected = rules.reach(classes, [one])
        assert chains.walk([one]) == expected
        deep = max(deep, *expected.values())
    assert deep >= 3


@pytest.mark.both
def test_everybody_downstream_of_a_version_is_found_and_nobody_else(app: Flask) -> None:
    people = world.people(12)
    boss, one, two = people[:3]
    first = world.held([boss], [one, two], 0, version="alt")
    world.held([one], people[3:5], 30, version="neu")  # taught by who learned the old one
    world.held([two], people[5:6], 30, version="neu", curriculum="K2")  # another curriculum
    world.held([boss], people[6:7], 60, version="neu")  # the boss learned it elsewhere
    found = chains.downstream("K1", "alt")
    assert found.levels[first] == 1
    names = {contact.person_id for contact in chains.contacts(found)}
    assert names == {one, two, *people[3:5]}
    assert chains.count_people(found) == 4
    assert chains.downstream("K1", "none").levels == {}


@pytest.mark.both
def test_who_was_trained_elsewhere_is_downstream_with_all_that_follows(app: Flask) -> None:
    one, two, three, *rest = world.people(9)
    note(one, None, year=2020, version="luar")
    note(two, one, year=2020)
    here = world.held([two], [three], 30, version="v9")
    world.held([three], rest[:2], 60, version="v9")
    note(rest[2], rest[0], year=2021)
    found = chains.downstream("K1", "luar")
    assert found.levels[here] == 1
    assert {one.person_id for one in chains.contacts(found)} == {one, two, three, *rest[:3]}


@pytest.mark.both
def test_circles_are_refused_and_nothing_of_them_stays(app: Flask) -> None:
    a, b, c, d = world.people(4)
    note(b, a)
    note(c, b)
    with pytest.raises(services.Circle):
        note(a, c)
    with pytest.raises(services.Circle):
        note(a, a)
    with pytest.raises(services.AlreadyRecorded):
        note(b, a)
    note(d, c)
    pairs = {
        (row.ancestor_id, row.descendant_id) for row in db.session.scalars(select(TrainingClosure))
    }
    assert pairs == {(a, b), (a, c), (b, c), (a, d), (b, d), (c, d)}
    with pytest.raises(IntegrityError), unit_of_work():
        db.session.execute(insert(TrainingClosure), [{"ancestor_id": a, "descendant_id": a}])


@pytest.mark.both
def test_parts_of_a_circle_written_at_once_never_close_it(app: Flask) -> None:
    for _ in range(3):
        a, b, c = world.people(3)
        links = [(b, a), (c, b), (a, c)]
        results = race(app, [partial(note, *link) for link in links])
        db.session.rollback()
        assert sum(isinstance(one, services.Circle) for one in results) == 1
        assert results.count(None) == 2


def test_what_was_written_by_mistake_is_taken_back(app: Flask) -> None:
    a, b, c = world.people(3)
    note(b, a)
    note(c, b)
    wrong = db.session.scalars(
        select(OutsideTraining.public_id).where(OutsideTraining.person_id == b)
    ).one()
    with unit_of_work():
        assert services.remove(wrong, actor_id=a, now=factories.NOW) == b
    with pytest.raises(NotFound), unit_of_work():
        services.remove(wrong, actor_id=a, now=factories.NOW)
    note(a, c)  # no circle any more
    pairs = db.session.execute(select(TrainingClosure.ancestor_id, TrainingClosure.descendant_id))
    assert {tuple(row) for row in pairs} == {(b, c), (c, a), (b, a)}


def family() -> tuple[int, int, int, list[int]]:
    """Return a resource person, a trainer, their local class, and its people: three levels."""
    boss, *trainers = world.people(7)
    world.held([boss], trainers, 0)
    companions = world.people(8, "pendamping")
    local = world.held([trainers[0]], companions, 30)
    few = world.people(2, "sedikit")
    world.held([companions[0]], few, 60)
    reach_share(trainers, 0.9)
    reach_share(companions, 0.5)
    reach_share(few, 0.4)
    return boss, trainers[0], local, companions


def leaves(branches: Sequence[Branch]) -> list[Branch]:
    return [one for branch in branches for one in (branch, *leaves(branch.children))]


def test_the_tree_shows_levels_drops_and_who_went_on(app: Flask) -> None:
    boss, trainer, local, companions = family()
    tree = services.tree_of_person(boss, viewer(boss, "admin"))
    assert [(one.level, one.classes, one.people) for one in tree.levels] == [
        (1, 1, 6),
        (2, 1, 8),
        (3, 1, 2),
    ]
    assert tree.levels[1].drop is Drop.LARGE
    assert tree.retention is not None
    assert tree.retention == pytest.approx(0.5 / 0.9)
    first, second, third = leaves(tree.branches)
    assert (first.node.level, second.node.id, third.people) == (1, local, 2)
    assert first.onward == (db.session.get_one(Person, trainer).name,)
    assert second.onward == (db.session.get_one(Person, companions[0]).name,)
    assert second.wants_help
    assert not first.wants_help
    assert third.drop is Drop.UNKNOWN


def test_a_trainer_reads_names_of_the_own_class_only_and_no_small_counts(app: Flask) -> None:
    boss, trainer, local, _companions = family()
    for who in (boss, trainer):
        tree = services.tree_of_person(who, viewer(who, "trainer"))
        for one in leaves(tree.branches):
            is_own = one.node.level == 1
            assert one.is_own is is_own
            assert bool(one.onward) is is_own
        last = leaves(tree.branches)[-1]
        assert (last.people, last.certified, last.share) == (None, None, None)
        assert (tree.levels[-1].people, tree.levels[-1].share) == (None, None)
    assert services.tree_of_class(local, viewer(trainer, "trainer")).total == 2


def test_above_a_class_stand_who_taught_it_and_where_they_learned(app: Flask) -> None:
    boss, trainer, local, _companions = family()
    note(trainer, None)
    [found] = services.above_class(local)
    assert found.person_id == trainer
    assert [one.id for one in found.classes] == list(chains.walk(chains.taught_by(boss)))[:1]
    assert [one.trainer_name for one in found.outside] == ["Narasumber"]
    assert services.above_person(boss).classes == ()
    total, teachers = services.list_teachers("orang", page=1)
    assert total == len(teachers) == 2
    with pytest.raises(NotFound):
        services.list_teachers("", page=2)


def big(classes: int, size: int) -> None:
    """Insert a class of trainers and one class of companions for each of them."""
    trainers = world.people(classes, "pelatih")
    world.held(world.people(1, "narasumber"), trainers, 0)
    for number, trainer in enumerate(trainers):
        world.held([trainer], world.people(size, f"k{number}x"), 30)


@pytest.mark.both
def test_two_thousand_people_cost_the_queries_of_few(app: Flask) -> None:
    big(2, 3)
    costs = []
    for more in (0, 40):
        if more:
            big(more, 50)
        with counted() as sent:
            found = chains.downstream("K1", "v1")
            people = list(chains.contacts(found))
        costs.append(len(sent))
        assert chains.count_people(found) == len(people) == len({p.person_id for p in people})
    assert len(people) >= 2_000
    assert costs[0] == costs[1] <= 5


def test_the_walk_uses_indexes(app: Flask) -> None:
    statement = chains.walking(chains.of_version("K1", "v1"), "K1").compile(
        db.engine, compile_kwargs={"literal_binds": True}
    )
    plan = [row.detail for row in db.session.execute(text(f"EXPLAIN QUERY PLAN {statement}"))]
    scans = [one for one in plan if one.startswith("SCAN") and "reached" not in one]
    assert not scans, plan
    assert not [one for one in plan if "AUTOMATIC" in one], plan
    assert any("enrolment" in one and "INDEX" in one for one in plan)
    assert any("cohort_staff" in one and "INDEX" in one for one in plan)
