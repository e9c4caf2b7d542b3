"""Agreement of two raters: per cent, Cohen's kappa, weighted kappa, Gwet's AC1, with intervals.

Sources: Cohen (1960, 1968); Fleiss, Cohen and Everitt (1969) for the variance of kappa, weighted or
not; Gwet (2008) for AC1 and its variance. Both variances are the delta method over the pairs, so
that one formula serves every coefficient; intervals are normal, 95 %. The interval of the per cent
is Wilson's. Nothing is clamped: an interval may end above 1. What is not defined is None.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import NormalDist

Z95 = NormalDist().inv_cdf(0.975)
LEVELS = 3
"""0, 1 and 2 of the rubric."""
SMALL = 60
"""Fewer pairs than this say little; it is said wherever a number is shown."""
TINY = 1e-12
"""A variance this small is zero that was rounded: all pairs say the same."""
HIGH, LOW = 0.8, 0.4
"""Agreement this high with a kappa this low: the paradox of a line nearly all pass."""

Table = Sequence[Sequence[int]]
"""Rows: the first rater's level; columns: the second's; how many pairs."""
Weight = Callable[[int, int], float]


class Weights(StrEnum):
    """How much a pair of levels agrees."""

    NOMINAL = "nominal"
    """Equal or not."""
    LINEAR = "linear"
    """Half as much one level apart, on a scale of three."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One coefficient with its interval. Each is None where it is not defined."""

    value: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Agreement:
    """How well two raters agree over `n` pairs."""

    n: int
    percent: Figure
    kappa: Figure
    weighted: Figure
    ac1: Figure

    @property
    def is_small(self) -> bool:
        """Tell whether there are too few pairs to say much."""
        return self.n < SMALL

    @property
    def is_paradox(self) -> bool:
        """Tell whether raters agree nearly always and kappa is low all the same."""
        share, kappa = self.percent.value, self.kappa.value
        return share is not None and kappa is not None and share >= HIGH and kappa < LOW


def count(pairs: Iterable[tuple[int, int]], levels: int = LEVELS) -> list[list[int]]:
    """Count pairs of levels into a table."""
    table = [[0] * levels for _ in range(levels)]
    for first, second in pairs:
        table[first][second] += 1
    return table


def weight_of(weights: Weights, levels: int) -> Weight:
    """Return how much a pair of levels agrees, from 0 to 1."""
    if weights is Weights.NOMINAL:
        return lambda i, j: float(i == j)
    return lambda i, j: 1 - abs(i - j) / (levels - 1)


def agreement(table: Table) -> Agreement:
    """Return every coefficient of one table."""
    n = sum(map(sum, table))
    same = sum(table[i][i] for i in range(len(table)))
    return Agreement(
        n=n,
        percent=share_of(same, n),
        kappa=kappa(table, Weights.NOMINAL),
        weighted=kappa(table, Weights.LINEAR),
        ac1=ac1(table),
    )


def share_of(same: int, n: int) -> Figure:
    """Return the share of equal pairs with Wilson's interval."""
    if n == 0:
        return Figure(None)
    share, square = same / n, Z95 * Z95
    middle = (share + square / (2 * n)) / (1 + square / n)
    half = Z95 / (1 + square / n) * math.sqrt(share * (1 - share) / n + square / (4 * n * n))
    return Figure(share, middle - half, middle + half)


def kappa(table: Table, weights: Weights = Weights.NOMINAL) -> Figure:
    """Return Cohen's kappa; undefined where chance alone would agree always."""
    n, size = sum(map(sum, table)), len(table)
    if n == 0:
        return Figure(None)
    weight = weight_of(weights, size)
    rows = [sum(line) / n for line in table]
    columns = [sum(line[j] for line in table) / n for j in range(size)]
    by_row = [sum(weight(i, j) * columns[j] for j in range(size)) for i in range(size)]
    by_column = [sum(weight(i, j) * rows[i] for i in range(size)) for j in range(size)]
    chance = sum(rows[i] * by_row[i] for i in range(size))
    return _coefficient(table, weight, chance, lambda i, j: by_row[i] + by_column[j])


def ac1(table: Table) -> Figure:
    """Return Gwet's AC1."""
    n, size = sum(map(sum, table)), len(table)
    if n == 0:
        return Figure(None)
    mean = [(sum(table[k]) + sum(line[k] for line in table)) / (2 * n) for k in range(size)]
    chance = sum(share * (1 - share) for share in mean) / (size - 1)
    return _coefficient(
        table,
        weight_of(Weights.NOMINAL, size),
        chance,
        lambda i, j: 2 * (1 - (mean[i] + mean[j]) / 2) / (size - 1),
    )


def _coefficient(
    table: Table, weight: Weight, chance: float, slope: Callable[[int, int], float]
) -> Figure:
    """Return (agreement - chance) / (1 - chance) with its interval by the delta method.

    `slope` is how much one pair more of these levels raises twice the chance.
    """
    n, size = sum(map(sum, table)), len(table)
    cells = [(i, j, table[i][j] / n) for i in range(size) for j in range(size)]
    seen = sum(share * weight(i, j) for i, j, share in cells)
    if abs(1 - chance) < TINY:
        return Figure(None)
    value = (seen - chance) / (1 - chance)
    squares = sum(share * (weight(i, j) - (1 - value) * slope(i, j)) ** 2 for i, j, share in cells)
    centre = seen - 2 * (1 - value) * chance
    variance = (squares - centre * centre) / (n * (1 - chance) ** 2)
    if variance < TINY:
        return Figure(value)
    half = Z95 * math.sqrt(variance)
    return Figure(value, value - half, value + half)
