"""Who can have taught whom; what is lost on the way down."""

from datetime import date, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lms.lineage import rules
from lms.lineage.rules import Drop, Group, Held

DAY = date(2026, 1, 1)


@st.composite
def classes(draw: st.DrawFn) -> dict[int, Held]:
    people = st.frozensets(st.integers(1, 6), max_size=4)
    found = {}
    for number in range(draw(st.integers(1, 8))):
        begin = DAY + timedelta(days=draw(st.integers(0, 20)))
        end = begin + timedelta(days=draw(st.integers(0, 3)))
        found[number] = Held(begin, end, draw(people), draw(people))
    return found


@given(classes())
def test_classes_never_form_a_circle(found: dict[int, Held]) -> None:
    below = {
        one: {other for other in found if rules.leads_to(found[one], found[other])} for one in found
    }
    left = set(found)
    while free := {one for one in left if not any(one in below[other] for other in left)}:
        left -= free
    assert not left


@given(classes(), st.data())
def test_reach_is_the_shortest_way_from_the_roots(
    found: dict[int, Held], data: st.DataObject
) -> None:
    roots = data.draw(st.sets(st.sampled_from(sorted(found)), min_size=1))
    levels = rules.reach(found, roots)
    assert {one for one, level in levels.items() if level == 1} == roots
    for one, level in levels.items():
        above = {levels[o] for o in levels if rules.leads_to(found[o], found[one])}
        assert level == 1 or min(above) == level - 1
    for one, held in found.items():
        if one not in levels:
            assert not any(rules.leads_to(found[o], held) for o in levels)


def test_somebody_must_be_trained_before_the_class_they_teach() -> None:
    first = Held(DAY, DAY + timedelta(days=1), frozenset([1]), frozenset([2]))
    same_day = Held(DAY + timedelta(days=1), DAY + timedelta(days=2), frozenset([2]), frozenset())
    later = Held(DAY + timedelta(days=2), DAY + timedelta(days=2), frozenset([2]), frozenset())
    assert not rules.leads_to(first, same_day)
    assert rules.leads_to(first, later)


@given(st.integers(0, 10_000))
def test_a_loss_of_a_quarter_a_level_is_found(seed: int) -> None:
    random = Random(seed)
    levels = []
    for level in range(4):
        true, people = 0.9 * 0.75**level, 80 * (level + 1)
        shares = [min(1.0, max(0.0, random.gauss(true, 0.12))) for _ in range(people)]
        levels.append(Group(people, 0, sum(shares) / people))
    found = rules.retention(levels)
    assert found is not None
    assert found == pytest.approx(0.75, abs=0.05)


def test_one_level_and_few_people_give_no_estimate() -> None:
    assert rules.retention([Group(50, 0, 0.9)]) is None
    assert rules.retention([Group(50, 0, 0.9), Group(4, 0, 0.3), Group(50, 0, None)]) is None


@pytest.mark.parametrize(
    ("above", "here", "drop"),
    [
        (Group(20, 0, 0.8), Group(20, 0, 0.72), Drop.KEPT),
        (Group(20, 0, 0.8), Group(20, 0, 0.6), Drop.SLIGHT),
        (Group(20, 0, 0.8), Group(20, 0, 0.59), Drop.LARGE),
        (Group(20, 0, 0.8), Group(4, 0, 0.1), Drop.UNKNOWN),
        (Group(4, 0, 0.8), Group(20, 0, 0.1), Drop.UNKNOWN),
        (None, Group(20, 0, 0.1), Drop.UNKNOWN),
        (Group(20, 0, None), Group(20, 0, 0.1), Drop.UNKNOWN),
        (Group(20, 0, 0.8), Group(20, 0, None), Drop.UNKNOWN),
    ],
)
def test_drops_are_said_of_groups_only(above: Group | None, here: Group, drop: Drop) -> None:
    assert rules.drop(above, here) is drop


def test_groups_together_weigh_by_people() -> None:
    both = Group(10, 2, 0.5) + Group(30, 3, 0.9) + Group(5, 1, None)
    assert (both.people, both.certified) == (45, 6)
    assert both.share == pytest.approx(0.8)
    assert (Group() + Group()).share is None


def test_help_is_offered_to_classes_of_five_and_more() -> None:
    assert rules.may_want_help(Group(5, 0, 0.59))
    assert not rules.may_want_help(Group(4, 0, 0.2))
    assert not rules.may_want_help(Group(9, 0, 0.6))
    assert not rules.may_want_help(Group(9, 0, None))
