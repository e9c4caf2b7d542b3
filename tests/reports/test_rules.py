"""Who needs a word and why, how sure a share is, what to prepare, weeks of a way."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lms.reports.rules import (
    CALM,
    FEWEST_WEEKS,
    MOST_WEEKS,
    Fact,
    FactKind,
    Reason,
    Stuck,
    Wrong,
    is_certified,
    is_due,
    plan,
    pressing,
    pressing_rank,
    stuck,
    weeks,
    wilson,
)
from tests.factories import NOW

DAY = timedelta(days=1)


COVERS = {"K1": ("K1",), "K2": ("K2",), "PENDAMPING": ("K1", "K2"), "PELATIH": ("T",)}


@pytest.mark.parametrize(
    ("held", "taught", "certified"),
    [
        ((), ("K1",), False),
        (("K1",), ("K1",), True),
        (("K1",), ("K1", "K2"), False),
        (("K1", "K2"), ("K1", "K2"), True),
        (("PENDAMPING",), ("K1", "K2"), True),
        (("PENDAMPING",), ("T",), False),
        (("LAMA",), ("K1",), False),
        (("K1",), (), True),
        ((), (), False),
    ],
)
def test_a_class_is_behind_somebody_who_holds_all_it_leads_to(
    held: tuple[str, ...], taught: tuple[str, ...], certified: bool
):
    assert is_certified(held, taught, COVERS) is certified


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


# In which order, and how often


def test_the_first_reason_gives_the_rank():
    assert pressing([]) == CALM
    assert pressing([Stuck(Reason.TALK, "K1.5", NOW), Stuck(Reason.QUIET, "", NOW)]) == 1
    assert [pressing_rank(one) for one in Reason] == list(range(CALM))


@pytest.mark.parametrize(
    ("counted", "people", "ended", "due"),
    [
        (None, 25, -5, True),
        (timedelta(seconds=19), 25, -5, False),
        (timedelta(seconds=20), 25, -5, True),
        (timedelta(seconds=249), 2500, -5, False),
        (timedelta(seconds=250), 2500, -5, True),
        (timedelta(hours=23), 25, 61, False),
        (timedelta(days=1), 25, 61, True),
        (timedelta(hours=1), 25, 60, True),
    ],
)
def test_a_large_or_old_class_is_counted_less_often(
    counted: timedelta | None, people: int, ended: int, due: bool
):
    at = None if counted is None else NOW - counted
    assert is_due(at, people, NOW.date() - ended * DAY, NOW) is due


# What to prepare


def wrong(kuk: str, part: int, whole: int = 20, critical: bool = False) -> Wrong:
    return Wrong(kuk, part, whole, critical)


@pytest.mark.parametrize(
    ("part", "critical", "minutes"),
    [
        (15, False, 20), (14, False, 15), (10, False, 15), (9, False, 10), (5, False, 10),
        (10, True, 20), (7, True, 15), (4, True, 10),
    ],
)  # fmt: skip
def test_minutes_follow_the_share_and_what_is_critical(part: int, critical: bool, minutes: int):
    assert plan([wrong("03.1.3", part, critical=critical)]) == [
        (wrong("03.1.3", part, critical=critical), minutes)
    ]


def test_what_few_got_wrong_or_few_answered_is_no_theme():
    assert plan([wrong("03.1.3", 4), wrong("03.1.4", 3, critical=True), wrong("a", 4, 4)]) == []
    assert plan([]) == []


def test_three_themes_at_most_and_45_minutes():
    many = [wrong(f"0{n}.1.1", 20 - n, critical=n == 9) for n in range(10)]
    assert [(one.kuk, minutes) for one, minutes in plan(many)] == [("00.1.1", 20), ("01.1.1", 20)]
    some = [wrong("a", 15), wrong("b", 10), wrong("c", 10), wrong("d", 10)]
    assert [minutes for _one, minutes in plan(some)] == [20, 15, 10]


@given(
    st.lists(
        st.builds(
            lambda whole, share, critical, n: wrong(
                f"{n:02}", round(whole * share), whole, critical
            ),
            st.integers(1, 200),
            st.floats(0, 1),
            st.booleans(),
            st.integers(0, 99),
        )
    )
)
def test_a_plan_is_never_too_long_and_starts_with_the_heaviest(found: list[Wrong]):
    planned = plan(found)
    assert len(planned) <= 3
    assert sum(minutes for _one, minutes in planned) <= 45
    assert all(minutes in (10, 15, 20) for _one, minutes in planned)
    assert all(one.people >= 5 for one, _minutes in planned)
    weights = [one.weight for one, _minutes in planned]
    assert weights == sorted(weights, reverse=True)


# Weeks


def test_weeks_run_without_a_gap_and_end_with_this_one():
    monday = date(2026, 3, 2)
    events = [("kuis", monday), ("kuis", monday + 2 * DAY), ("hadir", monday + 15 * DAY)]
    found = weeks(events, monday + 20 * DAY)
    assert len(found) == FEWEST_WEEKS
    assert [(week.monday, dict(week.counts)) for week in found[-3:]] == [
        (monday, {"kuis": 2}),
        (monday + 7 * DAY, {}),
        (monday + 14 * DAY, {"hadir": 1}),
    ]
    assert [week.total for week in found] == [0] * 9 + [2, 0, 1]
    assert len(weeks(events, monday + 20 * 7 * DAY)) == 21


def test_weeks_end_with_the_last_event_if_that_is_later():
    day = date(2026, 3, 4)
    assert weeks([], day)[-1].monday == date(2026, 3, 2)
    assert weeks([("hadir", day + 30 * DAY)], day)[-1].total == 1


@given(
    st.lists(st.dates(date(2020, 1, 1), date(2027, 1, 1))),
    st.dates(date(2020, 1, 1), date(2027, 1, 1)),
)
def test_never_more_than_half_a_year_of_weeks(days: list[date], last: date):
    found = weeks([("x", day) for day in days], last)
    assert FEWEST_WEEKS <= len(found) <= MOST_WEEKS
    assert all(week.monday.weekday() == 0 for week in found)
    assert all(b.monday - a.monday == 7 * DAY for a, b in pairwise(found))
    newest = [day for day in days if day >= found[0].monday]
    assert sum(week.total for week in found) == len(newest)
