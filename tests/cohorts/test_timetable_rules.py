"""Days, order, hours and clashes of a timetable: no Flask, no database."""

from datetime import date, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lms.cohorts.timetable import pattern as two_days
from lms.cohorts.timetables.rules import (
    HALVES,
    LONGEST_CLASS,
    MOST_DAYS,
    BadDates,
    CannotMove,
    Clash,
    ClockProblem,
    Difference,
    Entry,
    check_dates,
    clashes,
    class_days,
    differences,
    has_begun,
    held_on,
    lesson_hours,
    move,
    places,
    put,
    span,
    sums,
)
from lms.config import CONTENT

FIRST = date(2026, 12, 9)
DAYS = st.integers(1, MOST_DAYS)


def entry(number: int, day: int = 1, half: str = "am", **values: object) -> Entry:
    return Entry(id=number, day=day, half=half, **values)


@st.composite
def timetables(draw: st.DrawFn) -> list[Entry]:
    """Timetables in order, of up to five days."""
    halves = draw(st.lists(st.tuples(DAYS, st.sampled_from(HALVES)), max_size=12))
    hours = draw(st.lists(st.integers(0, 8), min_size=len(halves), max_size=len(halves)))
    return [
        entry(number, day, half, jp=jp)
        for number, ((day, half), jp) in enumerate(zip(sorted(halves), hours, strict=True), 1)
    ]


@pytest.mark.parametrize(("length", "days"), [(0, 1), (1, 2), (4, 5), (5, 5), (30, 5)])
def test_a_class_has_as_many_days_as_its_dates_give_but_five_at_most(length: int, days: int):
    assert class_days(FIRST, FIRST + timedelta(days=length)) == days


def test_days_of_a_class():
    check_dates(FIRST, FIRST)
    check_dates(FIRST, FIRST + LONGEST_CLASS, 5)
    for ends, last, why in (
        (FIRST - timedelta(days=1), 0, "order"),
        (FIRST + LONGEST_CLASS + timedelta(days=1), 0, "long"),
        (FIRST, 2, "days"),
        (FIRST + timedelta(days=3), 5, "days"),
    ):
        with pytest.raises(BadDates, match=why):
            check_dates(FIRST, ends, last)


def test_the_last_day_of_a_timetable_is_the_last_day_of_the_class():
    """A class of two days may pause over a weekend."""
    friday, monday = date(2026, 12, 11), date(2026, 12, 14)
    assert [held_on(day, 2, friday, monday) for day in (1, 2)] == [friday, monday]
    assert [held_on(day, 3, friday, monday).day for day in (1, 2, 3)] == [11, 12, 14]
    assert held_on(1, 1, friday, monday) == friday
    assert held_on(4, 5, friday, friday) == friday


def test_a_class_has_begun_on_its_first_day():
    assert not has_begun(FIRST - timedelta(days=1), FIRST)
    assert has_begun(FIRST, FIRST)


@given(timetables())
def test_places_count_from_one_in_each_half_day(found: list[Entry]):
    given_places = places(found)
    assert len(set(given_places.values())) == len(found)
    assert sorted(given_places.values(), key=lambda p: (p[0], HALVES.index(p[1]), p[2])) == list(
        given_places.values()
    )
    for day, half, position in given_places.values():
        assert position == 1 or (day, half, position - 1) in given_places.values()


@given(timetables(), DAYS, st.sampled_from(HALVES))
def test_a_new_entry_is_the_last_of_its_half_day_and_disturbs_nobody(
    found: list[Entry], day: int, half: str
):
    after = put(found, entry(99, day, half))
    assert [one for one in after if one.id != 99] == found
    place = places(after)[99]
    assert place == (day, half, 1 + sum(one.when == (day, half) for one in found))
    assert put(after, entry(99, day, half, jp=5)) == [
        entry(99, day, half, jp=5) if one.id == 99 else one for one in after
    ]


@given(timetables().filter(bool), st.data(), st.sampled_from([-1, 1]))
def test_a_step_and_the_step_back_change_nothing(
    found: list[Entry], data: st.DataObject, step: int
):
    chosen = data.draw(st.sampled_from(found)).id
    try:
        there = move(found, chosen, step, MOST_DAYS)
    except CannotMove:
        edge = found[0] if step < 0 else found[-1]
        assert chosen == edge.id
        assert edge.when == ((1, "am") if step < 0 else (MOST_DAYS, "pm"))
        return
    assert there != found
    assert move(there, chosen, -step, MOST_DAYS) == found
    others = [[one for one in many if one.id != chosen] for many in (found, there)]
    assert others[0] == others[1]


def test_an_entry_at_the_edge_goes_into_the_next_half_day_even_an_empty_one():
    found = [entry(1), entry(2), entry(3, 2, "pm")]
    down = move(found, 2, 1, 2)
    assert places(down)[2] == (1, "pm", 1)
    further = move(move(down, 2, 1, 2), 2, 1, 2)
    assert [(one.id, one.when) for one in further] == [
        (1, (1, "am")), (2, (2, "pm")), (3, (2, "pm")),
    ]  # fmt: skip
    assert places(move(found, 3, -1, 2))[3] == (2, "am", 1)
    with pytest.raises(CannotMove):
        move(found, 3, 1, 2)
    with pytest.raises(CannotMove):
        move(found, 1, -1, 2)


def test_an_entry_beyond_the_days_of_a_shortened_class_can_come_back():
    found = [entry(1), entry(2, 4, "am")]
    assert places(move(found, 2, -1, 2))[2] == (3, "pm", 1)
    with pytest.raises(CannotMove):
        move(move(found, 2, 1, 2), 2, 1, 2)


@given(timetables())
def test_hours_add_up(found: list[Entry]):
    added = sums(found)
    assert added.total == sum(one.jp for one in found)
    assert sum(added.days.values()) == sum(added.halves.values()) == added.total
    assert added.lessons == 0


def pattern() -> list[Entry]:
    return [
        entry(n, one.day, one.half, jp=one.jp, lesson=one.lesson_code)
        for n, one in enumerate(two_days(CONTENT))
    ]


def test_the_pattern_has_the_hours_of_the_curriculum():
    """10 JP of lessons and 4 JP of test; the opening carries none."""
    added = sums(pattern())
    assert (added.total, added.lessons) == (14, 10)
    assert (added.days, added.halves[1, "am"]) == ({1: 6, 2: 8}, 2)
    assert lesson_hours(pattern()) == {"K1.T": 2, "K2.T": 1, "K3.T": 3, "K4.T": 2, "K5.T": 2}
    assert lesson_hours(pattern(), ["K4", "T"]) == {"K4.T": 2}


def test_differences_name_what_is_missing_changed_and_more():
    wanted = {"K1.T": 2, "K2.T": 1, "K3.T": 3}
    assert differences(wanted, wanted) == []
    assert differences({"K1.T": 3, "K3.T": 3, "T.T": 8}, wanted) == [
        Difference("K1.T", 3, 2),
        Difference("K2.T", 0, 1),
        Difference("T.T", 8, 0),
    ]


def timed(number: int, begins: str, ends: str, **values: object) -> Entry:
    return entry(number, begins=time.fromisoformat(begins), ends=time.fromisoformat(ends), **values)


def test_hours_that_fit_are_no_clash():
    assert clashes([]) == []
    assert (
        clashes(
            [
                timed(1, "08:00", "09:30"),
                entry(2),
                timed(3, "09:30", "12:00"),
                timed(4, "12:00", "13:00", half="pm"),
                timed(5, "08:00", "09:30", day=2),
            ]
        )
        == []
    )


def test_clashes_are_found():
    late = timed(1, "12:00", "13:00")
    assert clashes([late]) == [Clash(ClockProblem.HALF, 1)]
    assert clashes([timed(1, "11:59", "13:00", half="pm")]) == [Clash(ClockProblem.HALF, 1)]
    first, second = timed(1, "09:00", "10:00"), timed(2, "08:00", "09:00")
    assert clashes([first, second]) == [Clash(ClockProblem.ORDER, 2, 1)]
    assert clashes([first, timed(2, "09:59", "11:00")]) == [Clash(ClockProblem.OVERLAP, 2, 1)]
    over_noon = timed(2, "12:00", "13:00", half="pm")
    assert clashes([timed(1, "11:00", "12:30"), over_noon]) == [Clash(ClockProblem.OVERLAP, 2, 1)]
    half_known = entry(1, begins=time(9))
    assert clashes([half_known, timed(2, "09:00", "10:00")]) == []


def test_a_half_day_lasts_from_its_first_hour_to_its_last():
    assert span([]) is None
    assert span([entry(1), entry(2, begins=time(9))]) is None
    assert span([entry(1), timed(2, "09:00", "10:00"), timed(3, "08:15", "09:00")]) == (
        time(8, 15),
        time(10),
    )
