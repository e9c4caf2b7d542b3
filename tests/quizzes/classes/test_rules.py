"""When a quiz of a class may be begun, and when its answers are shown."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lms.quizzes.classes import rules

OPENS = datetime(2026, 3, 1, 8, tzinfo=UTC)
CLOSES = OPENS + timedelta(days=2)
HOUR = timedelta(hours=1)
moments = st.integers(-100, 100).map(lambda n: OPENS + n * HOUR)


def begin(now: datetime, *, cancelled: bool = False, tries: int = 1, used: int = 0) -> None:
    rules.check_begin(OPENS, CLOSES, cancelled=cancelled, tries=tries, used=used, now=now)


def test_a_sitting_begins_while_the_quiz_is_open_and_a_try_is_left():
    begin(OPENS)
    begin(CLOSES - timedelta(seconds=1), tries=3, used=2)
    with pytest.raises(rules.NotOpenYet) as early:
        begin(OPENS - timedelta(seconds=1))
    assert early.value.at == OPENS
    for now, values in (
        (CLOSES, {}),
        (OPENS, {"cancelled": True}),
    ):
        with pytest.raises(rules.Over):
            begin(now, **values)
    with pytest.raises(rules.NoMoreTries):
        begin(OPENS, tries=2, used=2)


@given(moments, moments, st.none() | st.integers(1, rules.LONGEST))
def test_a_sitting_never_outlives_its_quiz(now: datetime, closes: datetime, minutes: int | None):
    allowed = None if minutes is None else timedelta(minutes=minutes)
    end = rules.deadline(now, closes, allowed)
    assert end <= closes
    assert end == closes if allowed is None else end <= now + allowed
    assert end in (closes, now + (allowed or timedelta()))


@given(moments, st.none() | moments)
def test_answers_wait_for_the_other_half_of_a_pair(closes: datetime, partner: datetime | None):
    assert rules.answers_from(closes, partner, shows=False) is None
    shown = rules.answers_from(closes, partner, shows=True)
    assert shown >= closes
    assert partner is None or shown >= partner
    assert shown in (closes, partner)


def test_a_pair_is_a_test_before_and_one_after():
    rules.check_pair(OPENS, CLOSES, ("pra", "pasca"))
    for first, second, purposes in (
        (CLOSES, OPENS, ("pra", "pasca")),
        (OPENS, OPENS, ("pra", "pasca")),
        (OPENS, CLOSES, ("pasca", "pra")),
        (OPENS, CLOSES, ("latihan", "pasca")),
    ):
        with pytest.raises(rules.BadPair):
            rules.check_pair(first, second, purposes)
