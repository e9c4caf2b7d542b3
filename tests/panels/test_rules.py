"""The arithmetic of a panel, against published examples and plain computations."""

import math
import statistics
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lms.panels import rules
from lms.panels.rules import (
    CHOICES,
    NEXT,
    Due,
    Seat,
    Stage,
    TooFew,
    carried,
    cut,
    deviation,
    effect,
    is_below,
    is_far,
    needed,
    spread,
    variance,
    whole_rows,
)

FOUR_JUDGES = [
    [9, 6, 8, 7, 10, 6],
    [2, 1, 4, 1, 5, 2],
    [5, 3, 6, 2, 6, 4],
    [8, 2, 8, 6, 9, 7],
]
"""Shrout and Fleiss (1979), table 2: four judges (rows here), six targets."""

ratings = st.sampled_from(CHOICES)
tables = st.integers(2, 7).flatmap(
    lambda items: st.lists(
        st.lists(ratings, min_size=items, max_size=items), min_size=2, max_size=9
    )
)


def test_agreement_is_that_of_the_published_example():
    """Shrout and Fleiss (1979), tables 3 and 4: mean squares and the two coefficients."""
    found = variance(FOUR_JUDGES)
    assert found is not None
    squares = found.ms_items, found.ms_people, found.ms_rest
    assert [round(one, 2) for one in squares] == [11.24, 32.49, 1.02]
    assert found.icc == pytest.approx(0.29, abs=0.005)
    assert found.icc_mean == pytest.approx(0.62, abs=0.005)


def test_three_panellists_and_four_items_by_hand():
    """Ratings in per cent, worked out on paper.

    Cuts 65, 70 and 75: mean 70, SD 5, error 5 / √3. Sums of squares: panellists 4·(25+0+25) = 200,
    items 3·(100+0+0+100) = 600 with means 60, 70, 70, 80, rest 200.
    """
    table = [[50, 60, 70, 80], [60, 75, 65, 80], [70, 75, 75, 80]]
    found = cut(table)
    assert found.share == Fraction(7, 10)
    assert found.percent == 70
    assert found.each == (65, 70, 75)
    assert found.sd == pytest.approx(5)
    assert found.error == pytest.approx(5 / math.sqrt(3))
    assert (found.high - found.low) / 2 == pytest.approx(4.303 * 5 / math.sqrt(3), rel=1e-3)
    parts = found.parts
    assert (parts.ms_people, parts.ms_items) == (pytest.approx(100), pytest.approx(200))
    assert parts.ms_rest == pytest.approx(200 / 6)
    assert parts.of_people == pytest.approx((100 - 200 / 6) / 4)
    assert parts.of_items == pytest.approx((200 - 200 / 6) / 3)
    expected = parts.of_people / 3 + parts.of_items / 4 + parts.of_rest / 12
    assert parts.error == pytest.approx(math.sqrt(expected))


@given(tables)
def test_numbers_are_those_of_another_computation(table: list[list[int]]):
    found, matrix = cut(table), np.array(table, dtype=float)
    people, items = matrix.shape
    means = matrix.mean(axis=1)
    assert found.percent == pytest.approx(matrix.mean())
    assert found.each == pytest.approx(tuple(means))
    assert found.sd == pytest.approx(means.std(ddof=1), abs=1e-9)
    assert found.error == pytest.approx(means.std(ddof=1) / math.sqrt(people), abs=1e-9)
    assert found.parts.error_same_items == pytest.approx(found.error, abs=1e-9)
    # The sums of squares add up to that of all ratings, whichever way it is split.
    total = ((matrix - matrix.mean()) ** 2).sum()
    parts = found.parts
    split = (
        parts.ms_people * (people - 1)
        + parts.ms_items * (items - 1)
        + parts.ms_rest * (people - 1) * (items - 1)
    )
    assert split == pytest.approx(total, abs=1e-6)
    assert parts.error >= 0
    assert 0 <= found.low <= found.percent <= found.high <= 100


@given(tables)
def test_error_of_other_items_is_never_smaller(table: list[list[int]]):
    parts = variance(table)
    assert parts is not None
    if parts.of_people >= 0 and parts.of_items >= 0:
        assert parts.error >= parts.error_same_items - 1e-9


@given(tables, st.randoms())
def test_the_order_of_panellists_and_items_says_nothing(table: list[list[int]], random):
    places = list(range(len(table[0])))
    random.shuffle(places)
    mixed = [[row[place] for place in places] for row in table]
    random.shuffle(mixed)
    one, other = cut(table), cut(mixed)
    assert one.share == other.share
    assert one.error == pytest.approx(other.error, abs=1e-9)
    assert one.parts.error == pytest.approx(other.parts.error, abs=1e-9)
    if one.parts.icc is not None:
        assert other.parts.icc == pytest.approx(one.parts.icc, abs=1e-6)


def test_where_all_agree_there_is_no_error_and_nothing_to_agree_about():
    found = cut([[80, 80], [80, 80]])
    assert (found.sd, found.error, found.low, found.high) == (0, 0, 80, 80)
    assert found.parts.error == 0
    assert found.parts.icc is None
    assert found.parts.icc_mean is None


@pytest.mark.parametrize("table", [[], [[50, 60]], [[50], [60]]])
def test_one_row_or_one_item_is_no_panel(table: list[list[int]]):
    assert variance(table) is None
    with pytest.raises(TooFew):
        cut(table)


def test_the_spread_of_an_item():
    found = spread([70, 40, 55, 60, 90, 65, 75])
    assert found is not None
    assert (found.low, found.lower, found.middle, found.upper, found.high) == (40, 55, 65, 75, 90)
    assert (found.count, found.width) == (7, 50)
    assert found.mean == pytest.approx(65)
    assert found.sd == pytest.approx(statistics.stdev([70, 40, 55, 60, 90, 65, 75]))
    alone = spread([35])
    assert alone is not None
    assert (alone.lower, alone.middle, alone.upper, alone.sd) == (35, 35, 35, None)
    assert spread([]) is None


@given(st.lists(ratings, min_size=1, max_size=15))
def test_the_parts_of_a_spread_stand_in_order(given_: list[int]):
    found = spread(given_)
    assert found is not None
    parts = [found.low, found.lower, found.middle, found.upper, found.high]
    assert parts == sorted(parts)
    assert found.low <= found.mean <= found.high


def test_far_is_far_from_the_others_and_outside_their_box():
    assert is_far(40, [60, 65, 70])
    assert not is_far(50, [60, 65, 70])
    assert not is_far(40, [30, 60, 90]), "they differ among themselves more than that"
    assert not is_far(0, [100]), "one other is no panel"
    assert not is_far(0, [])


def test_deviation_is_from_the_mean_of_the_others():
    assert deviation([50, 70], [[60, 60], [70, 70]]) == pytest.approx((15 + 5) / 2)
    assert deviation([50, 70], []) is None


def test_needed_rounds_up_and_an_exact_share_is_exact():
    assert needed(Fraction(11, 14), 14) == 11
    assert needed(11 / 14, 14) == 11
    assert needed(Fraction(4, 5), 14) == 12
    assert needed(0.8 + 1e-6, 5) == 5
    assert needed(Fraction(0), 5) == 0


@given(st.integers(1, 60), st.integers(0, 20 * 100))
def test_needed_reaches_the_share_and_one_less_does_not(shown: int, points: int):
    share = Fraction(points, 2000)
    right = needed(share, shown)
    assert Fraction(right, shown) >= share
    assert right == 0 or Fraction(right - 1, shown) < share


def test_the_effect_counts_people_and_is_silent_about_a_few():
    sittings = [(14, 14, 3), (11, 14, 2), (10, 14, 4), (6, 7, 1)]
    found = effect(sittings, Fraction(11, 14), 14)
    assert found is not None
    assert (found.right, found.people, found.of, found.share) == (11, 6, 10, 0.6)
    assert effect([(14, 14, 4)], Fraction(1, 2), 14) is None
    assert effect([(14, 14, 5)], Fraction(1, 2), 14) is not None


@given(st.lists(st.tuples(st.integers(0, 14), st.just(14), st.integers(1, 9)), min_size=5), tables)
def test_a_higher_cut_never_lets_more_people_pass(
    sittings: list[tuple[int, int, int]], table: list[list[int]]
):
    found = [effect(sittings, share, 14) for share in cut(table).shares()]
    counts = [one.people for one in found if one]
    assert len(counts) == 3
    assert counts == sorted(counts, reverse=True)


def test_a_standard_is_below_a_cut_when_it_asks_for_fewer_items():
    assert is_below((4, 5), Fraction(90, 100), 14)
    assert not is_below((4, 5), Fraction(85, 100), 14), "12 of 14 either way"
    assert not is_below((11, 14), Fraction(78, 100), 14)


def test_only_whole_rows_count_and_the_second_rating_goes_before_the_first():
    first = {1: {7: 50, 8: 60}, 2: {7: 40}, 3: {7: 10, 8: 20}}
    second = {1: {8: 80}, 2: {8: 90}, 4: {7: 5}}
    rows = whole_rows(carried(first, second), [7, 8])
    assert rows == {1: (50, 80), 2: (40, 90), 3: (10, 20)}


def test_every_stage_leads_to_the_end():
    for stage in NEXT:
        seen = [stage]
        while seen[-1] in NEXT:
            seen.append(NEXT[seen[-1]])
        assert seen[-1] is Stage.CLOSED
    assert set(rules.ENDED).isdisjoint(NEXT)


@given(
    st.sampled_from(list(Stage)),
    st.none() | st.builds(Seat, st.booleans(), st.booleans(), st.booleans()),
    st.booleans(),
    st.integers(0, 3),
)
def test_nobody_is_waited_for_who_has_done_it_or_may_not(stage, seat, chairs, missing):
    found = rules.due(stage, seat, chairs=chairs, missing=missing)
    if seat is None and not chairs:
        assert found is None
    if stage in rules.ENDED:
        assert found is None
    if found is Due.RATE:
        assert not seat.finished
        assert stage in rules.RATED_IN
    if found is Due.SIGN:
        assert (stage, seat.counted, seat.answered) == (Stage.SIGNING, True, False)
    if found is Due.LEAD:
        assert chairs
        assert not missing
        assert stage is not Stage.INVITING
    if found is Due.INVITE:
        assert chairs
        assert stage is Stage.INVITING


def test_what_is_due_in_each_stage():
    idle, done = Seat(False, True, False), Seat(True, True, True)
    for stage, waits in {Stage.FIRST: Due.RATE, Stage.SECOND: Due.RATE, Stage.SIGNING: Due.SIGN,
                         Stage.TALK: None, Stage.INVITING: None}.items():  # fmt: skip
        assert rules.due(stage, idle, chairs=False, missing=1) is waits
        assert rules.due(stage, done, chairs=False, missing=1) is None
        leads = Due.INVITE if stage is Stage.INVITING else Due.LEAD
        assert rules.due(stage, done, chairs=True, missing=0) is leads
    left_out = Seat(False, False, False)
    assert rules.due(Stage.SIGNING, left_out, chairs=False, missing=1) is None
