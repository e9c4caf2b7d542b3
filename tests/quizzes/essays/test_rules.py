"""When a written answer counts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lms.quizzes.essays import rules


@pytest.mark.parametrize(
    ("level", "critical", "expected"),
    [
        (0, False, False), (1, False, True), (2, False, True),
        (0, True, False), (1, True, False), (2, True, True),
    ],
)  # fmt: skip
def test_a_critical_criterion_asks_for_the_highest_level(level, critical, expected):
    assert rules.passes(level, critical=critical) is expected


def test_a_mark_below_the_highest_says_why():
    rules.check_mark(2, "")
    rules.check_mark(0, "Belum menanyakan keadaan anak.")
    for level in (0, 1):
        with pytest.raises(rules.NoNote):
            rules.check_mark(level, " \n")


@given(st.integers().filter(lambda n: n not in (0, 1, 2)), st.text())
def test_there_are_three_levels(level, note):
    with pytest.raises(rules.NoLevel):
        rules.check_mark(level, note)
