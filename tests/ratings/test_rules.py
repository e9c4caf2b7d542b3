"""Which of two marks counts, who may look a third time, how an appeal goes."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lms.core.clock import ZONES
from lms.ratings import rules
from lms.ratings.rules import Mark, Stage

AT = datetime(2026, 3, 20, 23, 30, tzinfo=UTC)
MARKS = st.builds(Mark, st.sampled_from(rules.LEVELS), st.sampled_from(["", "H1"]))


@pytest.mark.parametrize(
    ("first", "second", "critical", "counts", "disputed"),
    [
        (Mark(2), Mark(2), True, 0, False),
        (Mark(2), Mark(1), True, 1, True),
        (Mark(0), Mark(1), True, 0, True),
        (Mark(2), Mark(1), False, 1, False),
        (Mark(2), Mark(2, "H3"), False, 1, True),
        (Mark(0, "H1"), Mark(2, "H3"), False, 0, False),
    ],
)
def test_the_lower_mark_counts_and_critical_differences_go_to_a_third(
    first: Mark, second: Mark, critical: bool, counts: int, disputed: bool
):
    found = rules.settle([first, second], critical=critical)
    assert (found.counts, found.disputed) == (counts, disputed)


@given(MARKS, MARKS, st.booleans())
def test_it_does_not_matter_who_came_first(one: Mark, other: Mark, critical: bool):
    there = rules.settle([one, other], critical=critical)
    back = rules.settle([other, one], critical=critical)
    assert [one, other][there.counts].rank == [other, one][back.counts].rank
    assert there.disputed is back.disputed
    assert [one, other][there.counts].rank == min(one.rank, other.rank)


def test_there_are_two_places_and_nobody_takes_both():
    assert rules.place_of(7, [], begun=False) == 1
    assert rules.place_of(7, [5], begun=False) == 2
    assert rules.place_of(7, [5, 7], begun=True) == 2
    with pytest.raises(rules.AlreadyRated):
        rules.place_of(7, [7], begun=False)
    with pytest.raises(rules.TwoAlready):
        rules.place_of(7, [5, 6], begun=True)


def test_the_third_person_is_not_one_of_the_two():
    rules.check_third(3, {1, 2})
    with pytest.raises(rules.NotThirdPerson):
        rules.check_third(2, {1, 2})


def test_a_reason_is_more_than_a_word_and_has_an_end():
    with pytest.raises(rules.NoReason):
        rules.check_reason("   Setuju saja.      ")
    assert rules.check_reason("x" * 5000) == "x" * rules.LONGEST


@pytest.mark.parametrize(
    ("last", "following", "goes"),
    [
        (Stage.ASKED, Stage.TAKEN, True),
        (Stage.ASKED, Stage.WITHDRAWN, True),
        (Stage.ASKED, Stage.UPHELD, False),
        (Stage.TAKEN, Stage.UPHELD, True),
        (Stage.TAKEN, Stage.WITHDRAWN, True),
        (Stage.REFUSED, Stage.UPHELD, False),
        (Stage.WITHDRAWN, Stage.TAKEN, False),
    ],
)
def test_the_stages_of_an_appeal_follow_each_other(last: Stage, following: Stage, goes: bool):
    if goes:
        rules.check_follows(last, following)
    else:
        with pytest.raises(rules.WrongStage):
            rules.check_follows(last, following)


def test_the_days_to_appeal_are_counted_by_the_clock_of_the_class():
    wit = ZONES["WIT"]  # it is 21 March there
    last = rules.last_day(AT, wit)
    assert last.isoformat() == "2026-04-04"
    rules.check_in_time(AT, AT + timedelta(days=14), wit)
    with pytest.raises(rules.TooLate):
        rules.check_in_time(AT, AT + timedelta(days=15), wit)


def test_what_is_upheld_gives_more_than_there_was():
    rules.check_gain(Mark(1), Mark(2))
    rules.check_gain(Mark(2, "H1"), Mark(0))
    with pytest.raises(rules.NoGain):
        rules.check_gain(Mark(1), Mark(1))
    assert rules.due_at(AT, 3) == AT + timedelta(days=3)


@pytest.mark.parametrize(
    ("ref", "subject"),
    [
        ("", "g"),
        ("moderasi", "g"),
        ("ST1/A", "g/ST1/A"),
        ("ST1/A/moderasi", "g/ST1/A"),
        ("12", "g/12"),
        ("12/moderasi", "g/12"),
    ],
)
def test_a_row_of_the_ledger_names_what_was_marked(ref: str, subject: str):
    assert rules.subject_of("g", ref) == subject


@pytest.mark.parametrize(
    ("level", "critical", "expected"),
    [(0, False, False), (1, False, True), (1, True, False), (2, True, True)],
)
def test_a_critical_criterion_asks_for_the_highest_level(
    level: int, critical: bool, expected: bool
):
    assert rules.passes(level, critical=critical) is expected
