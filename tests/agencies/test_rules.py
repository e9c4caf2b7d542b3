"""Rules of lists, shifts and stages."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lms.agencies import rules
from lms.agencies.rules import Asked, Shift, Span, Stage
from lms.core.clock import ZONES

WITA = ZONES["WITA"]
START = datetime(2026, 11, 23, 19, tzinfo=WITA)
HOURS = st.integers(-5, 30)


def at(hours: float) -> datetime:
    return START + timedelta(hours=hours)


def test_headings_are_left_out_and_names_are_joined():
    lines = [(1, ("Kode", "Nama")), (2, ("A1", "Siti", "S.Psi")), (4, ("B2",))]
    assert rules.rows_of(lines) == [Asked(2, "A1", "Siti, S.Psi"), Asked(4, "B2", "")]
    assert rules.rows_of([(1, ("A1", "kode"))]) == [Asked(1, "A1", "kode")]
    assert rules.rows_of([]) == []


def test_two_hundred_rows_pass_and_one_more_does_not():
    lines = [(n, (f"A{n}", "x")) for n in range(1, 202)]
    assert len(rules.rows_of(lines[:200])) == 200
    assert len(rules.rows_of([(0, ("nomor", "nama")), *lines[:200]])) == 200
    with pytest.raises(rules.TooManyRows) as raised:
        rules.rows_of(lines)
    assert raised.value.count == 201


def test_the_unit_of_risk_makes_an_assessor():
    assert rules.assesses_risk(["02", "03", "04"])
    assert not rules.assesses_risk(["01", "05"])


def test_a_night_ends_the_next_morning():
    day = date(2026, 11, 23)
    assert rules.span_of(day, Shift.NIGHT, WITA) == Span(at(0), at(12))
    assert rules.span_of(day, Shift.DAY, WITA) == Span(at(-12), at(0))
    assert rules.night_of(at(11.9)) == day
    assert rules.night_of(at(12)) == date(2026, 11, 24)
    assert [one.weekday() for one in rules.week_of(date(2026, 11, 29))] == list(range(7))
    assert rules.week_of(date(2026, 11, 29))[0] == day


def test_a_span_holds_its_beginning_but_not_its_end():
    span = Span(at(0), at(12))
    assert span.covers(at(0))
    assert not span.covers(at(12))
    assert rules.common(span, Span(at(12), at(13))) is None
    assert rules.common(span, Span(at(-1), at(3))) == Span(at(0), at(3))


def test_what_nobody_covers_is_a_gap():
    night = Span(at(0), at(12))
    assert rules.gaps(night, []) == [night]
    assert rules.gaps(night, [night]) == []
    held = [Span(at(6), at(13)), Span(at(-2), at(2)), Span(at(1), at(4))]
    assert rules.gaps(night, held) == [Span(at(4), at(6))]


@given(st.lists(st.tuples(HOURS, HOURS)))
def test_every_hour_is_covered_or_in_a_gap(pairs: list[tuple[int, int]]):
    night = Span(at(0), at(12))
    covered = [Span(at(a), at(b)) for a, b in pairs]
    gaps = rules.gaps(night, covered)
    for hour in range(12):
        moment = at(hour + 0.5)
        held = any(one.covers(moment) for one in covered)
        assert held != any(gap.covers(moment) for gap in gaps)


def test_stages_follow_one_another():
    rules.check_follows(Stage.RECEIVED, Stage.EXAMINED)
    for last, following in [
        (Stage.RECEIVED, Stage.PROPOSED),
        (Stage.EXAMINED, Stage.PROPOSED),
        (Stage.HEARD, Stage.DECIDED),
        (Stage.DECIDED, Stage.PROPOSED),
    ]:
        with pytest.raises(rules.WrongStage):
            rules.check_follows(last, following)


def test_deadlines_count_working_days():
    friday = date(2026, 11, 20)
    assert rules.due_on(Stage.RECEIVED, friday) == date(2026, 11, 25)
    assert rules.due_on(Stage.EXAMINED, friday) == date(2026, 12, 4)
    assert rules.due_on(Stage.RECEIVED, friday + timedelta(days=1)) == date(2026, 11, 25)
    assert rules.due_on(Stage.DECIDED, friday) is None


def test_a_holder_has_the_whole_last_day():
    due = date(2026, 11, 25)
    with pytest.raises(rules.TooEarly):
        rules.check_heard(answered=False, due=due, today=due)
    rules.check_heard(answered=True, due=due, today=due)
    rules.check_heard(answered=False, due=due, today=due + timedelta(days=1))


@pytest.mark.parametrize(
    "text",
    [
        "NIK 6471011203900001",
        "6471 0112 0390 0001.",
        "hubungi 0812-3456-7890",
        "+62 812 3456 7890",
        "(081234567890)",
    ],
)
def test_private_numbers_are_noticed(text: str):
    assert rules.has_private_number(text)


@pytest.mark.parametrize(
    "text", ["0001/SULUH-K1/2026", "pada 12 November 2026 pukul 08.30", "UU 23/2004 Pasal 19", ""]
)
def test_other_numbers_pass(text: str):
    assert not rules.has_private_number(text)


def test_moments_may_come_from_other_zones():
    night = Span(at(0), at(12))
    assert rules.gaps(night, [Span(at(0).astimezone(UTC), at(12).astimezone(UTC))]) == []
