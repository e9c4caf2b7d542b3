"""Classical item statistics of a matrix of marks. Needs numpy: import this module where it is used.

Blanks are missing. An item is described by those who answered it; a total is the sum of what
somebody answered. Covariances are of those who answered both items. The variance of a sample has
n - 1 below the line unless its name says otherwise. What is not defined is None, never a number.

Every correlation comes from sums that a few products of matrices give for all items at once; marks
of 0 and 1 give whole numbers, so nothing is lost in them.
"""

import math
import os
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

# Matrices here are tall and narrow: threads of the algebra would only wait for each other.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from numpy.typing import NDArray

from lms.statistics.rules import TINY, Functioning, Option, Stratum, Sums, functioning

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Codes = NDArray[np.int16]
Places = NDArray[np.int64]

DECIMALS = 9
"""By how many totals are told apart: three thirds are as much as one whole."""


def table(codes: "array[int]", people: int) -> Codes:
    """Return codes that stand row after row as a matrix."""
    flat: Codes = np.frombuffer(codes, dtype=np.int16)
    return flat.reshape(people, -1)


def seen(codes: Codes) -> set[int]:
    """Return the codes that occur."""
    return set(np.unique(codes).tolist())


def members(groups: Sequence[str], name: str) -> Bools:
    """Return who is in a group."""
    return np.array([one == name for one in groups])


@dataclass(frozen=True, slots=True)
class Scores:
    """Marks of people (rows) on items (columns), blanks as 0, and what follows for each person."""

    marks: Floats
    there: Floats | None
    """1 where something was answered, 0 where not; None when nothing is blank."""
    totals: Floats

    @property
    def people(self) -> int:
        """How many rows."""
        return int(self.marks.shape[0])

    @property
    def items(self) -> int:
        """How many columns."""
        return int(self.marks.shape[1])

    @property
    def blanks(self) -> int:
        """How many cells say nothing."""
        return 0 if self.there is None else self.marks.size - int(self.there.sum())


def scores(codes: Codes, worth: Callable[[int], Sequence[float]]) -> Scores:
    """Return the marks of a matrix: `worth` says what the codes of an item are; 0 is blank."""
    marks: Floats = np.empty(codes.shape, order="F")
    for item in range(codes.shape[1]):
        marks[:, item] = np.array(worth(item), dtype=np.float64)[codes[:, item]]
    there = None
    if not codes.all():
        there = np.asfortranarray(codes, dtype=np.bool_).astype(np.float64)
    return Scores(marks, there, np.round(marks.sum(axis=1), DECIMALS))


@dataclass(frozen=True, slots=True)
class Spread:
    """How a score lies over the people."""

    n: int
    mean: float
    sd: float | None
    sd_n: float
    median: float
    low: float
    high: float
    skewness: float | None
    """Of the population: third moment over the cube of its standard deviation."""
    kurtosis: float | None
    """Of the population, in excess of the normal distribution's."""
    skewness_k: float | None
    """As Moodle has it: from the k-statistics of a sample."""
    kurtosis_k: float | None


def spread(values: Floats) -> Spread:
    """Describe a score. Needs somebody."""
    n, mean = len(values), float(values.mean())
    away = values - mean
    second, third, fourth = (float((away**power).mean()) for power in (2, 3, 4))
    flat = second <= TINY * max(1.0, mean * mean)
    if flat:
        second = 0.0
    k2 = second * n / (n - 1) if n > 1 else 0.0
    skewness_k = kurtosis_k = None
    if n > 2 and not flat:
        skewness_k = n * n * third / ((n - 1) * (n - 2)) / k2**1.5
    if n > 3 and not flat:
        k4 = n * n * ((n + 1) * fourth - 3 * (n - 1) * second**2)
        kurtosis_k = k4 / ((n - 1) * (n - 2) * (n - 3)) / k2**2
    return Spread(
        n=n,
        mean=mean,
        sd=math.sqrt(k2) if n > 1 else None,
        sd_n=math.sqrt(second),
        median=float(np.median(values)),
        low=float(values.min()),
        high=float(values.max()),
        skewness=None if flat else third / second**1.5,
        kurtosis=None if flat else fourth / second**2 - 3,
        skewness_k=skewness_k,
        kurtosis_k=kurtosis_k,
    )


def halves(given: Scores) -> float | None:
    """Return the correlation of the sums over the odd and the even items."""
    odd, even = given.marks[:, 0::2].sum(axis=1), given.marks[:, 1::2].sum(axis=1)
    sums = [float(one.sum()) for one in (odd, odd * odd, even, even * even, odd * even)]
    return Sums(given.people, *sums).r


def covariances(given: Scores) -> Floats:
    """Return covariances of items with n - 1, each of those who answered both; NaN below two."""
    products = given.marks.T @ given.marks
    if given.there is None:
        both = np.full_like(products, given.people)
        sums = np.broadcast_to(given.marks.sum(axis=0)[:, None], products.shape)
    else:
        both, sums = given.there.T @ given.there, given.marks.T @ given.there
    with np.errstate(invalid="ignore", divide="ignore"):
        found: Floats = (products - sums * sums.T / both) / (both - 1)
    found[both < 2] = np.nan
    return found


def alpha(covariance: Floats) -> float | None:
    """Return Cronbach's alpha, or None for one item or for totals that do not vary."""
    return _alpha(len(covariance), float(covariance.sum()), float(np.trace(covariance)))


def alphas_without(covariance: Floats) -> list[float | None]:
    """Return for each item the alpha of the others."""
    unknown = np.isnan(covariance)
    known = np.where(unknown, 0.0, covariance)
    holes = _without(unknown.astype(np.int64)).tolist()
    parts = np.diag(known).sum() - np.diag(known)
    return [
        None if hole else _alpha(len(known) - 1, whole, part)
        for hole, whole, part in zip(holes, _without(known).tolist(), parts.tolist(), strict=True)
    ]


def _without(square: NDArray[Any]) -> NDArray[Any]:
    """Return for each item the sum of a square table without its row and column."""
    found: NDArray[Any] = square.sum() - square.sum(axis=0) - square.sum(axis=1) + np.diag(square)
    return found


def _alpha(k: int, whole: float, own: float) -> float | None:
    if k < 2 or not math.isfinite(whole) or whole <= TINY * max(1.0, own):
        return None
    return k / (k - 1) * (1 - own / whole)


@dataclass(frozen=True, slots=True)
class Item:
    """One item as those see it who answered it."""

    n: int
    p: float | None
    """Mean mark; the share of right answers where marks are 0 or 1."""
    sd: float | None
    r_total: float | None
    r_rest: float | None
    """With the total of the other items."""
    thirds: float | None
    ends27: float | None
    """Mean mark of the 27 % with the highest totals less that of the 27 % with the lowest."""


def describe(given: Scores) -> list[Item]:
    """Describe every item.

    Groups by total are as near as can be to their share of the people; where the border runs
    through people of one total, those further up in the file count as lower.
    """
    order = np.argsort(given.totals, kind="stable")
    third, ends = given.people // 3, round(given.people * 0.27)
    totals = _centred(given)
    weights = np.column_stack(
        [np.ones(given.people), totals, totals * totals]
        + [_members(part, given.people) for part in (order[:third], order[given.people - third :])]
        + [_members(part, given.people) for part in (order[:ends], order[given.people - ends :])]
    )
    worth = (given.marks.T @ weights).tolist()
    who = (_presence(given).T @ weights).tolist()
    squares = np.einsum("ij,ij->j", given.marks, given.marks).tolist()
    return [_item(*one) for one in zip(worth, who, squares, strict=True)]


def _centred(given: Scores) -> Floats:
    """Return totals from near their mean; whole numbers stay whole."""
    return given.totals - round(float(given.totals.mean()))


def _members(places: Places, people: int) -> Floats:
    found = np.zeros(people)
    found[places] = 1.0
    return found


def _presence(given: Scores) -> Floats:
    """Return who answered what; one column stands for all when all answered all."""
    if given.there is not None:
        return given.there
    return np.broadcast_to(np.ones(1), (given.people, given.items))


def _item(worth: list[float], who: list[float], squares: float) -> Item:
    n, marks = int(who[0]), worth[0]
    sums = Sums(n, marks, squares, who[1], who[2], worth[1])
    return Item(
        n=n,
        p=marks / n if n else None,
        sd=math.sqrt(sums.spread_x / (n - 1)) if n > 1 else None,
        r_total=sums.r,
        r_rest=sums.less_x().r,
        thirds=_gap(worth[3:5], who[3:5]),
        ends27=_gap(worth[5:7], who[5:7]),
    )


def _gap(worth: list[float], who: list[float]) -> float | None:
    """Return the mean mark of the upper group less that of the lower, of those who answered."""
    return worth[1] / who[1] - worth[0] / who[0] if all(who) else None


def quarters(totals: Floats) -> Places:
    """Return the quarter of each person, 0 to 3.

    The borders are the quartiles (linear between people, type 7 of R); who lies on a border is in
    the lower quarter. People of one total are never parted, so a quarter may be empty.
    """
    borders = np.round(np.quantile(totals, (0.25, 0.5, 0.75)), DECIMALS)
    return np.searchsorted(borders, totals, side="left")


@dataclass(frozen=True, slots=True)
class Choice:
    """How one option of an item was chosen."""

    option: Option
    r_without_choice: float | None
    """As the R package CTT has it: with the total less one for those who chose it."""
    mean_total: float | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """An option to describe: its code in the matrix, its name, and whether it is the key."""

    code: int
    name: str
    is_key: bool


def choices(
    totals: Floats, codes: Codes, wanted: Sequence[Wanted], quarter: Places
) -> list[Choice]:
    """Describe the options of one item that has one right one; code 0 is blank."""
    middle = round(float(totals.mean()))
    away = totals - middle
    size = 1 + max(int(codes.max()), *(one.code for one in wanted))
    counts = np.bincount(codes, minlength=size).astype(np.float64)
    sums = np.bincount(codes, weights=away, minlength=size)
    squares = np.bincount(codes, weights=away * away, minlength=size)
    curves = np.bincount(quarter * size + codes, minlength=4 * size).reshape(4, size)
    whole = [float(one[1:].sum()) for one in (counts, sums, squares)]
    people = curves[:, 1:].sum(axis=1).tolist()
    key = [one.code for one in wanted if one.is_key]
    right = float(counts[key].sum()), float(sums[key].sum())
    found = []
    for one in wanted:
        count, total = float(counts[one.code]), float(sums[one.code])
        pairs = Sums(whole[0], count, count, whole[1], whole[2], total)
        rest = Sums(
            whole[0],
            count,
            count,
            whole[1] - right[0],
            whole[2] - 2 * right[1] + right[0],
            total - count if one.is_key else total,
        )
        curve = tuple(
            part / every if every else None
            for part, every in zip(curves[:, one.code].tolist(), people, strict=True)
        )
        share = count / whole[0] if whole[0] else None
        option = Option(one.name, one.is_key, int(count), share, rest.r, curve)
        mean = middle + total / count if count else None
        found.append(Choice(option, pairs.less_x().r, mean))
    return found


@dataclass(frozen=True, slots=True)
class Slot:
    """What Moodle prints of a question; its percentages are of 100."""

    s: int
    facility: float
    sd: float
    effective_weight: float | None
    """None where the question works against the total: its covariance is negative."""
    covariance: float
    mark_variance: float
    other_variance: float
    discrimination_index: float | None
    covariance_max: float
    discriminative_efficiency: float | None


@dataclass(frozen=True, slots=True)
class Quiz:
    """What Moodle prints of a quiz; its percentages are of 100."""

    cic: float | None
    """Coefficient of internal consistency."""
    error_ratio: float | None
    standard_error: float | None


def moodle(given: Scores) -> tuple[Quiz, list[Slot]]:
    """Return what Moodle prints: there a blank is no mark. Needs two people."""
    totals = _centred(given)
    all_of = float(totals.sum()), float((totals * totals).sum())
    own = given.marks.sum(axis=0).tolist()
    squares = np.einsum("ij,ij->j", given.marks, given.marks).tolist()
    products = (given.marks.T @ totals).tolist()
    sums = [
        Sums(given.people, x, xx, *all_of, xy)
        for x, xx, xy in zip(own, squares, products, strict=True)
    ]
    slots = [_slot(one, given.marks[:, item], totals) for item, one in enumerate(sums)]
    roots = [math.sqrt(one.across) if one.across >= 0 else None for one in sums]
    every = sum(one for one in roots if one is not None)
    weights = [None if one is None or not every else 100 * one / every for one in roots]
    variance = sums[0].spread_y / (given.people - 1)
    return _quiz(given, variance, sum(one.mark_variance for one in slots)), [
        replace(slot, effective_weight=weight) for slot, weight in zip(slots, weights, strict=True)
    ]


def _slot(sums: Sums, marks: Floats, totals: Floats) -> Slot:
    others, n = sums.less_x(), int(sums.n)
    most = float((np.sort(marks) * np.sort(totals - marks)).sum()) - others.x * others.y / n
    moves = others.r is not None
    return Slot(
        s=n,
        facility=sums.x / n,
        sd=math.sqrt(sums.spread_x / (n - 1)),
        effective_weight=None,
        covariance=others.across / (n - 1),
        mark_variance=others.spread_x / (n - 1),
        other_variance=others.spread_y / (n - 1),
        discrimination_index=None if others.r is None else 100 * others.r,
        covariance_max=most / (n - 1),
        discriminative_efficiency=100 * others.across / most if moves else None,
    )


def _quiz(given: Scores, variance: float, marks: float) -> Quiz:
    if given.people < 3 or given.items < 2 or not variance:
        return Quiz(None, None, None)
    cic = 100 * given.items / (given.items - 1) * (1 - marks / variance)
    ratio = 100 * math.sqrt(max(0.0, 1 - cic / 100))  # rounding may lead just below zero
    return Quiz(cic, ratio, ratio * math.sqrt(variance) / 100)


def levels(totals: Floats) -> Places:
    """Return the rank of each person's total among the different totals, from 0."""
    return np.unique(totals, return_inverse=True)[1]


def compare(
    given: Scores, item: int, level: Places, reference: Bools, other: Bools
) -> Functioning | None:
    """Compare two groups at an item of marks 0 and 1, within people of the same total."""
    who = reference | other
    if given.there is not None:
        who = who & (given.there[:, item] == 1)
    cells = level[who] * 4 + other[who] * 2 + (given.marks[who, item] == 0)
    counted = np.bincount(cells, minlength=4 * (int(level.max()) + 1)).reshape(-1, 4)
    return functioning(Stratum(*one) for one in counted.tolist())
