"""Which notice is due, and at which hour a mail may go out."""

from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lms.core.clock import ZONES
from lms.notices import rules
from lms.notices.rules import ALL, Kind

TODAY = date(2026, 3, 10)


@pytest.mark.parametrize(
    ("days_left", "stage"),
    [(30, None), (8, None), (7, 7), (4, 7), (2, 7), (1, 1), (0, None), (-3, None)],
)
def test_only_the_nearest_reminder_of_a_class_is_due(days_left: int, stage: int | None):
    assert rules.class_stage(days_left) == stage


@given(st.integers(-400, 400))
def test_a_certificate_is_told_in_one_stage_at_most(days_left: int):
    ends = TODAY + timedelta(days=days_left)
    stages = [s.stage for s in rules.paper_spans(TODAY) if s.first <= ends <= s.last]
    expected = [
        stage
        for stage, low, high in ((0, -30, -1), (7, 0, 7), (30, 8, 30), (90, 31, 90))
        if low <= days_left <= high
    ]
    assert stages == expected


@given(st.integers(-400, 400))
def test_the_stage_of_one_certificate_is_that_of_its_span(days_left: int):
    ends = TODAY + timedelta(days=days_left)
    stages = [s.stage for s in rules.paper_spans(TODAY) if s.first <= ends <= s.last]
    assert rules.paper_stage(ends, TODAY) == (stages[0] if stages else None)
    first, last = rules.paper_window(TODAY)
    assert (first <= ends <= last) is bool(stages)


@given(
    st.dates(date(2026, 1, 1), date(2026, 12, 31)),
    st.times(),
    st.sampled_from(sorted(ZONES)),
)
def test_no_mail_goes_out_at_night(on: date, hour: time, zone: str):
    there = datetime.combine(on, hour, ZONES[zone])
    sent = rules.at_a_good_hour(there)
    assert time(7) <= sent.time() < time(20)
    assert timedelta() <= sent - there <= timedelta(hours=11)
    if time(7) <= there.time() < time(20):
        assert sent == there


def test_who_wants_no_mail_gets_none():
    assert rules.goes_by_mail(Kind.PAPER_ENDS, set())
    assert rules.goes_by_mail(Kind.PAPER_ENDS, {Kind.CLASS_SOON.value})
    assert not rules.goes_by_mail(Kind.PAPER_ENDS, {Kind.PAPER_ENDS.value})
    assert not rules.goes_by_mail(Kind.PAPER_ENDS, {ALL})
