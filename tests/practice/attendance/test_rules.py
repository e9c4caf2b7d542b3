"""Half days, lessons and changes, without Flask or a database."""

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lms.core.clock import ZONES
from lms.practice.attendance.rules import (
    Change,
    Half,
    attended,
    change,
    held_on,
    lesson_halves,
    newest_begun,
)

AM1, PM1, AM2, PM2 = Half(1, "am"), Half(1, "pm"), Half(2, "am"), Half(2, "pm")
START = datetime(2026, 3, 20, tzinfo=ZONES["WIB"])
NOTES = st.sampled_from(["", "present", "late", "absent", "made_up"])


def test_a_lesson_that_goes_over_noon_needs_both_halves():
    lessons = lesson_halves([(AM1, "K1.T"), (AM1, None), (PM1, "K1.T"), (PM1, "K4.T")])
    assert lessons == {"K1.T": {AM1, PM1}, "K4.T": {PM1}}
    assert attended(lessons, [PM1]) == {"K4.T"}
    assert attended(lessons, [PM1, AM1]) == {"K1.T", "K4.T"}
    assert attended(lessons, []) == frozenset()


@given(NOTES, NOTES, NOTES)
def test_only_a_touched_row_is_noted_and_never_over_a_colleague(chosen, shown, newest):
    found = change(chosen, shown, newest)
    if found is Change.APPEND:
        assert chosen not in ("", newest)
        assert shown == newest
    elif found is Change.OVERTAKEN:
        assert newest not in (shown, chosen)
        assert chosen not in ("", shown)
    else:
        assert chosen in ("", shown, newest)


def test_the_first_and_the_last_day_are_known_and_days_between_follow_the_first():
    start, end = date(2026, 3, 20), date(2026, 3, 28)
    assert [held_on(Half(n, "am"), 3, start, end).day for n in (1, 2, 3)] == [20, 21, 28]
    assert held_on(AM1, 1, start, end) == start
    assert held_on(Half(3, "am"), 9, start, date(2026, 3, 21)) == date(2026, 3, 21)


@pytest.mark.parametrize(
    ("day", "hour", "expected"),
    [(19, 23, AM1), (20, 0, AM1), (20, 11, AM1), (20, 12, PM1), (21, 9, AM2), (30, 3, PM2)],
)
def test_the_list_that_opens_is_the_newest_half_day_that_has_begun(day, hour, expected):
    days = {AM1: date(2026, 3, 20), PM1: date(2026, 3, 20)}
    days |= {AM2: date(2026, 3, 21), PM2: date(2026, 3, 21)}
    local = datetime(2026, 3, day, hour, 30, tzinfo=ZONES["WITA"])
    assert newest_begun(days, local) == expected


@given(
    st.dictionaries(
        st.builds(Half, st.integers(1, 3), st.sampled_from(["am", "pm"])),
        st.integers(0, 5).map(lambda n: date(2026, 3, 20) + timedelta(days=n)),
        min_size=1,
    ),
    st.integers(-40, 200).map(lambda hours: START + timedelta(hours=hours)),
)
def test_some_half_day_always_opens(days, local):
    assert newest_begun(days, local) in days


def test_a_half_day_has_a_name_for_addresses():
    assert PM2.key == "2pm"
