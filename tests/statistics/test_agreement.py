"""Agreement against worked examples and against an independent computation (the jackknife)."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lms.statistics.agreement import rules
from lms.statistics.agreement.rules import Weights

FCE = [[106, 10, 4], [22, 28, 10], [2, 12, 6]]
"""Fleiss, Cohen and Everitt (1969): two clinicians, 200 people, 3 diagnoses."""
PARADOX = [[118, 5], [2, 0]]
"""Gwet (2002, 2008): 125 people, nearly all of one class."""
BALANCED, SKEWED = [[40, 9], [6, 45]], [[80, 10], [5, 5]]
"""Feinstein and Cicchetti (1990): the same agreement of 85 %, another kappa."""


def test_kappa_as_printed_by_fleiss_cohen_and_everitt():
    found = rules.kappa(FCE)
    assert found.value == pytest.approx(0.429, abs=5e-4)
    half = (found.high - found.low) / 2
    assert half / rules.Z95 == pytest.approx(0.0534, abs=1e-3)


def test_the_paradox_as_gwet_prints_it():
    found = rules.agreement(PARADOX)
    assert found.percent.value == pytest.approx(0.944)
    assert found.kappa.value == pytest.approx(-0.0234, abs=5e-5)
    assert found.ac1.value == pytest.approx(0.9408, abs=5e-5)
    assert found.is_paradox
    assert not found.is_small


@pytest.mark.parametrize(("table", "kappa"), [(BALANCED, 0.70), (SKEWED, 0.32)])
def test_the_same_agreement_with_another_kappa(table: list[list[int]], kappa: float):
    found = rules.agreement(table)
    assert found.percent.value == pytest.approx(0.85)
    assert found.kappa.value == pytest.approx(kappa, abs=5e-3)


def test_what_is_not_defined_is_none():
    empty = rules.agreement([[0] * 3 for _ in range(3)])
    assert (empty.n, empty.percent.value, empty.kappa.value, empty.ac1.value) == (0,) + (None,) * 3
    one = rules.agreement(rules.count([(2, 2)] * 5))
    assert one.kappa.value is None
    assert one.weighted.value is None
    assert (one.ac1.value, one.ac1.low) == (1.0, None)
    assert not one.is_paradox
    assert one.is_small


def test_one_level_apart_agrees_by_half_when_levels_are_weighted():
    near = rules.agreement(rules.count([(2, 1)] * 5 + [(0, 0)] * 5 + [(1, 1)] * 5))
    far = rules.agreement(rules.count([(2, 0)] * 5 + [(0, 0)] * 5 + [(1, 1)] * 5))
    assert near.weighted.value > far.weighted.value


def plain(pairs: list[tuple[int, int]], which: str) -> float | None:
    """Compute a coefficient by its words, over all pairs of pairs."""
    n = len(pairs)
    weight = rules.weight_of(Weights.LINEAR if which == "weighted" else Weights.NOMINAL, 3)
    seen = sum(weight(a, b) for a, b in pairs) / n
    if which == "ac1":
        every = [one for pair in pairs for one in pair]
        shares = [every.count(k) / len(every) for k in range(3)]
        chance = sum(p * (1 - p) for p in shares) / 2
    else:
        chance = sum(weight(a, b) for a, _ in pairs for _, b in pairs) / (n * n)
    return None if math.isclose(chance, 1) else (seen - chance) / (1 - chance)


PAIRS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=2, max_size=40)


@given(PAIRS, st.sampled_from(["kappa", "weighted", "ac1"]))
def test_values_equal_an_independent_computation(pairs: list[tuple[int, int]], which: str):
    found = getattr(rules.agreement(rules.count(pairs)), which)
    asked = plain(pairs, which)
    assert (found.value is None) == (asked is None)
    if asked is not None:
        assert found.value == pytest.approx(asked, abs=1e-9)


@pytest.mark.parametrize("which", ["kappa", "weighted", "ac1"])
def test_intervals_agree_with_the_jackknife(which: str):
    pairs = [(i, j) for i, line in enumerate(FCE) for j, n in enumerate(line) for _ in range(n)]
    whole = getattr(rules.agreement(FCE), which)
    n = len(pairs)
    variance, left = 0.0, []
    for i, line in enumerate(FCE):
        for j, times in enumerate(line):
            less = [list(row) for row in FCE]
            less[i][j] -= 1
            left.append((getattr(rules.agreement(less), which).value, times))
    mean = sum(value * times for value, times in left) / n
    variance = (n - 1) / n * sum(times * (value - mean) ** 2 for value, times in left)
    half = (whole.high - whole.low) / 2
    assert half / rules.Z95 == pytest.approx(math.sqrt(variance), rel=0.02)
