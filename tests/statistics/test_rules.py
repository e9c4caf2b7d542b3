"""Intervals, agreement at a cut, comparison of groups, flags: values worked out elsewhere."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lms.statistics import rules
from lms.statistics.rules import Flag, Option, Stratum, Sums

BERKELEY = [
    Stratum(512, 313, 89, 19),
    Stratum(353, 207, 17, 8),
    Stratum(120, 205, 202, 391),
    Stratum(138, 279, 131, 244),
    Stratum(53, 138, 94, 299),
    Stratum(22, 351, 24, 317),
]
"""Admissions at Berkeley in 1973 by department: men and women, admitted and rejected."""


@pytest.mark.parametrize(
    ("right", "n", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0, 0.1611), (29, 29, 0.8830, 1)],
)
def test_wilson_intervals_are_those_of_newcombe(right, n, low, high):
    assert rules.wilson(right, n) == pytest.approx((low, high), abs=5e-5)


def test_nobody_has_no_interval():
    assert rules.wilson(0, 0) is None


def test_an_interval_is_not_clamped_and_holds_the_share():
    low, high = rules.wilson(3, 4)
    assert low < 0.75 < high


PAIRS = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=2, max_size=30)


def sums(pairs):
    return Sums(
        len(pairs),
        sum(x for x, _y in pairs),
        sum(x * x for x, _y in pairs),
        sum(y for _x, y in pairs),
        sum(y * y for _x, y in pairs),
        sum(x * y for x, y in pairs),
    )


def naive_r(pairs):
    n = len(pairs)
    mean_x, mean_y = sum(x for x, _y in pairs) / n, sum(y for _x, y in pairs) / n
    xx = sum((x - mean_x) ** 2 for x, _y in pairs)
    yy = sum((y - mean_y) ** 2 for _x, y in pairs)
    return sum((x - mean_x) * (y - mean_y) for x, y in pairs) / math.sqrt(xx * yy)


@given(PAIRS)
def test_sums_give_the_correlation(pairs):
    if len({x for x, _y in pairs}) == 1 or len({y for _x, y in pairs}) == 1:
        assert sums(pairs).r is None
    else:
        assert sums(pairs).r == pytest.approx(naive_r(pairs), abs=1e-12)


@given(PAIRS)
def test_the_item_is_taken_out_of_the_total(pairs):
    rest = sums([(x, y - x) for x, y in pairs])
    assert sums(pairs).less_x() == rest


def test_nobody_correlates_with_nothing():
    assert Sums(0, 0, 0, 0, 0, 0).r is None


def test_biserial_is_larger_by_the_height_of_the_normal_curve():
    assert rules.biserial(0.5, math.sqrt(1 / 3), 0.5, 4) == pytest.approx(0.25 / 0.3989422804014327)
    assert rules.biserial(None, 0.5, 0.5, 4) is None
    assert rules.biserial(0.5, 0, 1.0, 4) is None


def test_halves_make_a_whole():
    assert rules.spearman_brown(0.5) == pytest.approx(2 / 3)
    assert rules.spearman_brown(-1) is None
    assert rules.spearman_brown(None) is None


@pytest.mark.parametrize(
    ("z", "rho", "expected"),
    [
        (0, 0.5, 1 / 3),
        (0, -0.5, 1 / 6),
        (1.3, 0, rules.NORMAL.cdf(1.3) ** 2),
        (0.7, 1, rules.NORMAL.cdf(0.7)),
        (0, -1, 0),
        (1, -1, 2 * rules.NORMAL.cdf(1) - 1),
    ],
)
def test_two_normal_values_below_a_border(z, rho, expected):
    assert rules.both_below(z, rho) == pytest.approx(expected, abs=1e-10)


def test_agreement_at_a_cut_at_the_mean():
    found = rules.consistency(mean=9.5, sd=2, alpha=0.5, cut=10)
    assert found.agreement == pytest.approx(2 / 3)
    assert found.kappa == pytest.approx(1 / 3)
    assert found.livingston == pytest.approx(2.25 / 4.25)


def test_a_cut_far_from_everybody_leaves_nothing_to_agree_on_by_more_than_chance():
    found = rules.consistency(mean=9, sd=0.1, alpha=0.5, cut=1)
    assert (found.agreement, found.kappa) == (1, None)


def test_a_reliability_below_zero_is_an_answer():
    found = rules.consistency(mean=9.5, sd=2, alpha=-0.5, cut=10)
    assert found.agreement == pytest.approx(1 / 3)
    assert found.kappa == pytest.approx(-1 / 3)


@pytest.mark.parametrize(("sd", "alpha"), [(0, 0.5), (1, None), (1, -1.5)])
def test_agreement_is_not_always_defined(sd, alpha):
    assert rules.consistency(5, sd, alpha, 6) is None


def test_groups_are_compared_as_elsewhere():
    """The common odds ratio 0.9046968, its interval and the test are as R prints them."""
    found = rules.functioning(BERKELEY)
    assert found.odds_ratio == pytest.approx(0.9046968, rel=1e-6)
    half = 1.959963984540054 * found.delta_se / 2.35
    low, high = (math.exp(math.log(found.odds_ratio) + sign * half) for sign in (-1, 1))
    assert (low, high) == pytest.approx((0.7719074, 1.0603298), rel=1e-6)
    assert found.chi_square == pytest.approx(1.4269, abs=5e-5)
    assert found.p_value == pytest.approx(0.2323, abs=5e-5)
    assert found.ets == "A"


def test_equal_groups_differ_by_nothing():
    found = rules.functioning([Stratum(10, 10, 10, 10)])
    assert (found.odds_ratio, found.delta, found.chi_square, found.p_value) == (1, 0, 0, 1)


@pytest.mark.parametrize(
    "strata",
    [
        [],
        [Stratum(1, 0, 0, 0)],
        [Stratum(5, 5, 0, 0)],
        [Stratum(5, 0, 5, 0)],
        [Stratum(5, 5, 0, 5)],
    ],
)
def test_groups_that_cannot_be_compared(strata):
    assert rules.functioning(strata) is None


@pytest.mark.parametrize(
    ("delta", "error", "p", "expected"),
    [
        (0.9, 0.1, 0.0001, "A"),
        (3, 2, 0.06, "A"),
        (1.2, 0.1, 0.001, "B"),
        (-2, 0.2, 0.001, "C"),
        (-2, 0.9, 0.01, "B"),
    ],
)
def test_classes_of_ets(delta, error, p, expected):
    assert rules.ets_class(delta, error, p) == expected


def option(name="B", *, is_key=False, share=0.25, r=-0.2, curve=(0.4, 0.3, 0.2, 0.1)):
    return Option(name, is_key, 10, share, r, curve)


KEY = option("A", is_key=True, share=0.6, r=0.4, curve=(0.3, 0.5, 0.7, 0.9))


def test_a_good_item_has_no_flag():
    assert rules.flags(60, 0.6, 0.4, [KEY, option()]) == []
    assert rules.flags(60, 0.6, 0.0) == []
    assert rules.flags(60, rules.EASY, None) == []
    assert rules.flags(60, rules.HARD, None) == []


@pytest.mark.parametrize(
    ("n", "p", "r", "options", "flag"),
    [
        (59, 0.6, 0.4, [KEY], Flag.SMALL),
        (60, 0.951, 0.4, [KEY], Flag.EASY),
        (60, 0.299, 0.4, [KEY], Flag.HARD),
        (60, 0.6, -0.01, [KEY], Flag.NEGATIVE),
        (60, 0.6, 0.4, [KEY, option(share=0.049)], Flag.DEAD),
        (60, 0.6, 0.4, [KEY, option(curve=(0.2, 0.4, 0.75, 0.1))], Flag.CROSSING),
        (60, 0.6, 0.4, [KEY, option(curve=(None, 0.4, 0.75, 0.1))], Flag.CROSSING),
    ],
)
def test_each_flag(n, p, r, options, flag):
    assert rules.flags(n, p, r, options) == [flag]


def test_a_wrong_key_shows():
    mute = option("A", is_key=True, r=-0.3, curve=(0.5, 0.4, 0.2, 0.05))
    found = rules.flags(60, 0.4, -0.3, [mute, option(r=0.4, curve=(0.1, 0.4, 0.7, 0.9))])
    assert found == [Flag.NEGATIVE, Flag.KEY, Flag.CROSSING]


@pytest.mark.parametrize(
    ("r", "top"), [(None, 0.95), (0.0, 0.95), (0.39, 0.95), (0.5, 0.89), (0.5, None)]
)
def test_a_wrong_option_is_not_suspected_easily(r, top):
    assert not rules.is_rival(KEY, option(r=r, curve=(0.1, 0.1, 0.1, top)))


def test_a_key_that_everybody_chose_has_rivals_all_the_same():
    key = option("A", is_key=True, r=None, curve=(0.1, 0.1, 0.1, 0.2))
    assert rules.is_rival(key, option(r=0.2, curve=(0.1, 0.1, 0.1, 0.3)))


def test_to_be_ahead_from_the_start_is_no_crossing():
    assert not rules.overtakes((0.3, 0.6), (0.5, 0.4))
    assert not rules.overtakes((0.3, 0.3), (0.3, 0.7))
    assert rules.overtakes((0.4, 0.3), (0.3, 0.7))
