"""Who needs a word and why, and how sure a share is."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lms.reports.rules import Fact, FactKind, Reason, Stuck, stuck, wilson
from tests.factories import NOW

DAY = timedelta(days=1)


def reasons(*facts: Fact, **values: object) -> list[Stuck]:
    settings: dict[str, object] = {
        "joined_at": NOW - 30 * DAY,
        "now": NOW,
        "done": False,
        "open_quizzes": frozenset({"K1"}),
        "unobserved": False,
        "wait": DAY,
        "tries_before_coaching": 3,
    }
    return stuck(facts, **(settings | values))  # type: ignore[arg-type]


def fact(kind: FactKind, days_ago: float, source: str = "K1") -> Fact:
    return Fact(kind, source, NOW - days_ago * DAY)


ACTIVE = fact(FactKind.SEEN, 0.1, "")


def test_seven_days_without_activity():
    assert [s.reason for s in reasons(fact(FactKind.SEEN, 7))] == [Reason.QUIET]
    assert reasons(fact(FactKind.SEEN, 6.9)) == []
    assert [s.reason for s in reasons()] == [Reason.QUIET], "never came since joining"
    assert reasons(joined_at=NOW) == []


def test_an_attempt_waits_a_day():
    found = reasons(ACTIVE, fact(FactKind.TRY, 0.5))
    assert found == [Stuck(Reason.ATTEMPT_WAITS, "K1", NOW + 0.5 * DAY)]
    assert reasons(ACTIVE, fact(FactKind.TRY, 1)) == []
    assert reasons(ACTIVE, fact(FactKind.TRY, 0.5), open_quizzes=frozenset()) == []


def test_three_tries_need_guidance_which_resets_the_count():
    tries = [fact(FactKind.TRY, n) for n in (9, 6, 3)]
    assert [s.reason for s in reasons(ACTIVE, *tries)] == [Reason.TRIES_USED]
    assert reasons(ACTIVE, *tries, fact(FactKind.COACHED, 2)) == []
    elsewhere = fact(FactKind.COACHED, 2, "S1")
    assert [s.reason for s in reasons(ACTIVE, *tries, elsewhere)] == [Reason.TRIES_USED]


def test_work_that_waits_for_somebody_else():
    found = reasons(
        ACTIVE,
        fact(FactKind.WAITS_FOR_MARK, 1, "SK1"),
        fact(FactKind.TALK, 2, "K1.5"),
        unobserved=True,
    )
    assert [s.reason for s in found] == [Reason.TALK, Reason.WAITS_FOR_MARK, Reason.OBSERVE]


def test_a_wish_to_talk_ends_with_the_talk():
    wish = fact(FactKind.TALK, 2, "K1.5")
    assert reasons(ACTIVE, wish, fact(FactKind.COACHED, 1, "K1.5")) == []
    assert reasons(ACTIVE, wish, fact(FactKind.COACHED, 3, "K1.5")) != []


def test_somebody_certified_is_never_stuck():
    assert reasons(fact(FactKind.SEEN, 90), unobserved=True, done=True) == []


@pytest.mark.parametrize(
    ("part", "whole", "low", "high"),
    [(14, 25, 37, 73), (12, 25, 30, 67), (0, 10, 0, 28), (10, 10, 72, 100), (0, 0, 0, 100)],
)
def test_the_interval_of_a_share(part: int, whole: int, low: int, high: int):
    found = wilson(part, whole)
    assert (round(found[0]), round(found[1])) == (low, high)


@given(st.integers(1, 500), st.data())
def test_the_interval_holds_the_share_and_narrows_with_more_people(whole: int, data: st.DataObject):
    part = data.draw(st.integers(0, whole))
    low, high = wilson(part, whole)
    assert 0 <= low <= 100 * part / whole + 1e-9
    assert 100 * part / whole - 1e-9 <= high <= 100
    wide = high - low
    low, high = wilson(4 * part, 4 * whole)
    assert high - low < wide
