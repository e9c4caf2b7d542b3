"""The gain between two quizzes, against computations that share nothing with it."""

from math import sqrt
from statistics import correlation, mean, stdev
from statistics import variance as sample_variance

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from lms.statistics import classical
from lms.statistics.classes import rules

shares = st.integers(0, 20).map(lambda n: n / 20)
pairs_of = st.lists(st.tuples(shares, shares), min_size=2, max_size=30)


def test_a_worked_example():
    """Ten people; t with nine degrees of freedom is 2.262, everything else by hand."""
    before = [0.4, 0.5, 0.3, 0.6, 0.5, 0.7, 0.4, 0.2, 0.6, 0.5]
    after = [0.6, 0.7, 0.6, 0.7, 0.8, 0.8, 0.5, 0.6, 0.7, 0.9]
    found = rules.gain(list(zip(before, after, strict=True)))
    differences = [0.2, 0.2, 0.3, 0.1, 0.3, 0.1, 0.1, 0.4, 0.1, 0.4]
    assert found.pairs == 10
    assert found.mean == pytest.approx(0.22)
    half = 2.262 * stdev(differences) / sqrt(10)
    assert (found.low, found.high) == pytest.approx((0.22 - half, 0.22 + half))
    assert found.hake == pytest.approx((0.69 - 0.47) / (1 - 0.47))
    assert found.is_small
    d = 0.22 / sqrt((sample_variance(before) + sample_variance(after)) / 2)
    assert found.effect.d == pytest.approx(d)
    # As ci.stdmean.ps of the R package statpsych writes Bonett's interval.
    sd1, sd2, r = stdev(before), stdev(after), correlation(before, after)
    v1, v2 = sd1**2, sd2**2
    s = sqrt((v1 + v2) / 2)
    vd = v1 + v2 - 2 * r * sd1 * sd2
    se = sqrt(d**2 * (v1**2 + v2**2 + 2 * r**2 * v1 * v2) / (8 * 9 * s**4) + vd / (9 * s**2))
    assert found.effect.low == pytest.approx(d - 1.959963984540054 * se)
    assert found.effect.high == pytest.approx(d + 1.959963984540054 * se)


@pytest.mark.parametrize(
    ("means", "spreads", "r", "people", "wanted"),
    [
        ((110.4, 102.1), (15.3, 14.6), 0.75, 25, (0.5550319, 0.2394905, 0.8705732)),
        ((602.4, 705.6), (33.17, 51.08), 0.769, 8, (-2.3963, -3.6744, -1.1182)),
    ],
)
def test_the_interval_of_the_effect_is_the_published_one(
    means: tuple[float, float],
    spreads: tuple[float, float],
    r: float,
    people: int,
    wanted: tuple[float, float, float],
):
    """The examples in the manual of statpsych for ci.stdmean.ps (first minus second)."""
    rng = np.random.default_rng(2)
    raw = rng.normal(size=(people, 2))
    raw -= raw.mean(axis=0)
    # Make the sample have exactly these moments: no correlation first, then the wanted one.
    raw = raw @ np.linalg.inv(np.linalg.cholesky(np.cov(raw, rowvar=False))).T
    one = raw[:, 0] * spreads[0] + means[0]
    two = (r * raw[:, 0] + sqrt(1 - r * r) * raw[:, 1]) * spreads[1] + means[1]
    found = rules.effect(list(zip(two.tolist(), one.tolist(), strict=True)))
    digits = 5e-8 if people == 25 else 5e-5
    assert (found.d, found.low, found.high) == pytest.approx(wanted, abs=digits)


@given(pairs_of)
def test_the_other_way_round_the_gain_is_a_loss(pairs: list[tuple[float, float]]):
    there = rules.gain(pairs)
    back = rules.gain([(after, before) for before, after in pairs])
    assert back.mean == pytest.approx(-there.mean, abs=1e-9)
    assert back.low == pytest.approx(-there.high, abs=1e-9)
    assert (there.effect is None) == (back.effect is None)
    if there.effect:
        assert back.effect.d == pytest.approx(-there.effect.d, abs=1e-6)
        assert back.effect.low == pytest.approx(-there.effect.high, abs=1e-6)


@given(pairs_of)
def test_the_interval_holds_the_mean_and_the_order_of_people_says_nothing(
    pairs: list[tuple[float, float]],
):
    found, turned = rules.gain(pairs), rules.gain(pairs[::-1])
    assert found.low <= found.mean <= found.high
    assert found.mean == pytest.approx(mean(b - a for a, b in pairs), abs=1e-9)
    assert turned.mean == pytest.approx(found.mean, abs=1e-9)
    if found.effect:
        assert found.effect.low <= found.effect.d <= found.effect.high


@given(pairs_of)
def test_two_of_each_person_narrow_the_interval(pairs: list[tuple[float, float]]):
    one, two = rules.gain(pairs), rules.gain(pairs * 2)
    assert two.high - two.low <= one.high - one.low + 1e-9


def test_where_there_is_nothing_to_say_nothing_is_said():
    assert rules.gain([]) is None
    alone = rules.gain([(0.5, 1.0)])
    assert (alone.low, alone.high, alone.effect) == (None, None, None)
    assert alone.hake == 1.0
    full = rules.gain([(1.0, 1.0), (1.0, 1.0)])
    assert full.hake is None
    assert full.effect is None
    assert not rules.gain([(0.1, 0.2)] * 30).is_small
    assert rules.effect([(0.2, 0.2), (0.4, 0.4), (0.9, 0.9)]).d == 0


def test_who_did_only_one_quiz_is_counted_and_left_out():
    found = rules.match({1: 0.1, 2: 0.2, 4: 0.3}, {2: 0.5, 3: 0.5, 4: 1.0})
    assert found == rules.Matched((2, 4), (1,), (3,))


@st.composite
def matrices(draw: st.DrawFn) -> list[list[float]]:
    people, questions = draw(st.integers(3, 12)), draw(st.integers(2, 8))
    mark = st.sampled_from([0.0, 0.5, 1.0])
    row = st.lists(mark, min_size=questions, max_size=questions)
    return draw(st.lists(row, min_size=people, max_size=people))


@given(matrices())
def test_alpha_and_questions_agree_with_the_item_statistics(marks: list[list[float]]):
    array = np.array(marks)
    given_ = classical.Scores(array, None, np.round(array.sum(axis=1), 9))
    assume(float(given_.totals.var()) > 1e-6)
    found = rules.alpha(marks)
    covariance = np.cov(array, rowvar=False)
    k = array.shape[1]
    assert found == pytest.approx(k / (k - 1) * (1 - np.trace(covariance) / covariance.sum()))
    assert rules.error_of_measurement(marks) == pytest.approx(
        float(array.mean(axis=1).std(ddof=1)) * sqrt(1 - found), abs=1e-7
    )
    for mine, theirs in zip(rules.difficulties(marks), classical.describe(given_), strict=True):
        assert mine.mean == pytest.approx(theirs.p)
        if mine.r_rest is None or theirs.r_rest is None:
            assert mine.r_rest is theirs.r_rest
        else:
            assert mine.r_rest == pytest.approx(theirs.r_rest, abs=1e-6)


def test_alpha_is_not_made_up():
    assert rules.alpha([]) is None
    assert rules.alpha([[1.0, 0.0]]) is None
    assert rules.alpha([[1.0], [0.0]]) is None
    assert rules.alpha([[1.0, 0.0], [0.0, 1.0]]) is None
    assert rules.error_of_measurement([[1.0, 0.0]]) is None
    assert rules.difficulties([[1.0, 0.0], [0.0, 1.0]])[0].r_rest is None
    assert rules.half_width(None, 0.1) is None
    assert rules.half_width(0.1, None) is None
    assert rules.half_width(0.1, 0.1) == pytest.approx(1.959963984540054 * sqrt(2) * 0.1)


def test_the_interval_of_a_share_is_wilsons():
    low, high = rules.wilson(7, 10)
    assert (low, high) == pytest.approx((0.3968, 0.8922), abs=1e-4)
    assert rules.wilson(0, 5)[0] == pytest.approx(0, abs=1e-12)
