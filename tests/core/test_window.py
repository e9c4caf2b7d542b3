"""A moving window lets through what its limit says, and never more."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lms.core import window
from lms.core.window import BadLimit, Limit, Window, parse


def test_limits_are_read_as_they_are_written():
    assert parse("30/minute") == Limit(30, 60)
    assert parse("5/hour") == Limit(5, 3600)
    for text in ("", "0/minute", "30", "30/week", "-1/hour", "30/minute "):
        with pytest.raises(BadLimit, match="30/minute"):
            parse(text)


def test_the_window_opens_when_the_oldest_hit_leaves_it():
    counts, limit = Window(), Limit(2, 60)
    assert [counts.hit(limit, "a", at) for at in (0, 10)] == [None, None]
    assert counts.hit(limit, "a", 30) == 30
    assert counts.hit(limit, "b", 30) is None  # the positive control: only "a" is full
    assert counts.hit(limit, "a", 60) is None
    assert counts.hit(limit, "a", 61) == 9
    counts.reset()
    assert counts.hit(limit, "a", 61) is None


def test_a_clock_set_back_shuts_nobody_out():
    counts, limit = Window(), Limit(1, 60)
    assert counts.hit(limit, "a", 10_000) is None
    assert counts.hit(limit, "a", 10_001) is not None
    assert counts.hit(limit, "a", 100) is None


@given(
    st.lists(st.floats(0, 500), max_size=60).map(sorted),
    st.integers(1, 5),
    st.sampled_from([1, 60]),
)
def test_no_window_ever_holds_more_than_the_limit(times: list[float], amount: int, seconds: int):
    counts, limit = Window(), Limit(amount, seconds)
    passed = [at for at in times if counts.hit(limit, "a", at) is None]
    for at in passed:
        assert sum(at - seconds < other <= at for other in passed) <= amount
    assert len(passed) >= min(amount, len(times))


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(window, "MOST_KEYS", 10)
    counts, limit = Window(), Limit(1, 60)
    for n in range(10):
        counts.hit(limit, n, n)
    assert counts.hit(limit, "new", 65) is None  # 0 … 5 count no more
    assert counts.hit(limit, 9, 65) is not None
    for n in range(100, 200):
        counts.hit(limit, n, 66)
    assert len(counts._hits) <= 10
