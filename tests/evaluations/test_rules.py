"""When people are asked, what is shown, when promises are checked."""

from datetime import date, timedelta
from statistics import mean, stdev

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lms.evaluations import rules
from lms.evaluations.rules import Door

END = date(2026, 3, 21)


@pytest.mark.parametrize(
    ("days", "door"),
    [(-1, Door.AHEAD), (0, Door.OPEN), (14, Door.OPEN), (15, Door.OVER)],
)
def test_answers_are_taken_from_the_last_day_for_fourteen_days(days: int, door: Door) -> None:
    assert rules.door(END, END + timedelta(days=days)) is door


@pytest.mark.parametrize(
    "text",
    [
        "NIK 3174012345678901",
        "0812 3456 789",
        "hubungi 0812-3456-7890",
        "3174.0123.4567.8901",
        "(021) 555-1234-9",
    ],
)
def test_long_numbers_are_found_however_they_are_written(text: str) -> None:
    assert rules.has_long_number(text)


@pytest.mark.parametrize(
    "text", ["", "UU 23 Tahun 2004 Pasal 19", "20-21 Maret 2026", "3 dari 10 orang, 45 menit"]
)
def test_laws_dates_and_counts_are_no_long_numbers(text: str) -> None:
    assert not rules.has_long_number(text)


@given(st.lists(st.integers(1, 4), min_size=2, max_size=60))
def test_the_mean_lies_in_its_interval_on_the_scale(marks: list[int]) -> None:
    found = rules.spread(marks)
    assert found is not None
    assert sum(found.counts) == found.total == len(marks)
    assert found.mean == pytest.approx(mean(marks))
    assert 1 <= found.low <= found.mean + 1e-9
    assert found.mean - 1e-9 <= found.high <= 4


def test_the_interval_is_students() -> None:
    marks = [2, 3, 3, 4, 3]
    found = rules.spread(marks)
    assert found is not None
    half = 2.776 * stdev(marks) / 5**0.5
    assert (found.low, found.high) == pytest.approx((3 - half, 3 + half), abs=1e-3)


def test_one_mark_says_nothing_about_the_others() -> None:
    assert rules.spread([]) is None
    one = rules.spread([3])
    assert one is not None
    assert (one.low, one.high) == (1, 4)


@pytest.mark.parametrize(
    ("days", "stage"),
    [(29, None), (30, 30), (89, 30), (90, 90), (149, 90), (150, None)],
)
def test_checks_open_after_30_and_90_days(days: int, stage: int | None) -> None:
    assert rules.open_stage(END, END + timedelta(days=days)) == stage


def test_plans_are_begun_from_the_last_day_until_the_last_check() -> None:
    may = [rules.may_begin(END, END + timedelta(days=days)) for days in (-1, 0, 89, 90)]
    assert may == [False, True, True, False]


def test_one_letter_and_one_reminder() -> None:
    day = END + timedelta(days=30)
    assert rules.next_letter([], day, answered=False) == 1
    assert rules.next_letter([], day, answered=True) is None
    assert rules.next_letter([day], day + timedelta(days=9), answered=False) is None
    assert rules.next_letter([day], day + timedelta(days=10), answered=False) == 2
    assert rules.next_letter([day], day + timedelta(days=10), answered=True) is None
    assert rules.next_letter([day, day], day + timedelta(days=50), answered=False) is None


def test_first_names() -> None:
    assert rules.first_name("Siti Rahmawati") == "Siti"
    assert rules.first_name(" ") == ""
