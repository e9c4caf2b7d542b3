"""Rules of item statistics that need no matrix: intervals, agreement at a cut, groups, flags.

Nothing is clamped: a reliability below zero or an interval as wide as the scale is an answer.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import NormalDist

NORMAL = NormalDist()
Z95 = NORMAL.inv_cdf(0.975)
SMALL = 60
"""Fewer answers than this say little; it is said wherever a number is shown."""
FEW_IN_GROUP = 100
"""Groups smaller than this are not compared."""
EASY, HARD = 0.95, 0.30
"""Shares of right answers beyond which an item tells people apart hardly at all."""
DEAD = 0.05
"""A wrong option that fewer choose does no work."""
TINY = 1e-12
"""A variance this small beside its terms is zero that was rounded."""
STEPS = 200
"""Pairs of steps of the integral below; its error is far under 1e-12."""


def wilson(right: float, n: int, z: float = Z95) -> tuple[float, float] | None:
    """Return the Wilson interval of a share, or None of nobody."""
    if n == 0:
        return None
    share, square = right / n, z * z
    middle = (share + square / (2 * n)) / (1 + square / n)
    half = z / (1 + square / n) * math.sqrt(share * (1 - share) / n + square / (4 * n * n))
    return middle - half, middle + half


@dataclass(frozen=True, slots=True)
class Sums:
    """Sums over pairs of values: all that a correlation needs."""

    n: float
    x: float
    xx: float
    y: float
    yy: float
    xy: float

    @property
    def spread_x(self) -> float:
        """Sum of squares of x about its mean; zero where only rounding is left of it."""
        return _about_mean(self.n, self.x, self.xx)

    @property
    def spread_y(self) -> float:
        """The same of y."""
        return _about_mean(self.n, self.y, self.yy)

    @property
    def across(self) -> float:
        """Sum of products about both means."""
        return self.xy - self.x * self.y / self.n if self.n else 0.0

    @property
    def r(self) -> float | None:
        """Pearson's correlation; None where one of the two does not vary."""
        both = self.spread_x * self.spread_y
        return self.across / math.sqrt(both) if both else None

    def less_x(self) -> "Sums":
        """Return the sums of x and of y less x: an item and the score on the others."""
        return Sums(
            self.n,
            self.x,
            self.xx,
            self.y - self.x,
            self.yy - 2 * self.xy + self.xx,
            self.xy - self.xx,
        )


def _about_mean(n: float, total: float, squares: float) -> float:
    spread = squares - total * total / n if n else 0.0
    return spread if spread > TINY * max(1.0, squares) else 0.0


def biserial(r: float | None, sd: float, share: float, n: int) -> float | None:
    """Return the two-step biserial correlation of a point-biserial one; `sd` is the item's, n-1."""
    if r is None or not 0 < share < 1:
        return None
    height = NORMAL.pdf(NORMAL.inv_cdf(share))
    return math.sqrt((n - 1) / n) * sd * r / height


def spearman_brown(r: float | None) -> float | None:
    """Return the reliability of a whole from the correlation of its halves."""
    return None if r is None or r == -1 else 2 * r / (1 + r)


def both_below(z: float, rho: float) -> float:
    """Return how likely two standard normal values of correlation `rho` both lie below `z`."""
    end = math.asin(rho)
    width = end / (2 * STEPS)

    def height(step: int) -> float:
        sine = math.sin(step * width)
        return math.exp(-z * z / (1 + sine)) if sine > -1 else float(z == 0)

    odd = sum(height(step) for step in range(1, 2 * STEPS, 2))
    even = sum(height(step) for step in range(2, 2 * STEPS, 2))
    area = width / 3 * (height(0) + 4 * odd + 2 * even + height(2 * STEPS))
    return NORMAL.cdf(z) ** 2 + area / (2 * math.pi)


@dataclass(frozen=True, slots=True)
class Consistency:
    """How often two equal tests would agree on who reaches the cut."""

    agreement: float
    kappa: float | None
    livingston: float | None


def consistency(mean: float, sd: float, alpha: float | None, cut: float) -> Consistency | None:
    """Return the agreement of two parallel tests at a cut, or None when it is not defined.

    Peng and Subkoviak (1980): the two scores are taken as bivariate normal with correlation
    alpha; the cut has a correction for continuity of a half. Livingston (1972): squared error
    about the cut instead of about the mean.
    """
    if alpha is None or sd == 0 or abs(alpha) > 1:
        return None
    below = (cut - 0.5 - mean) / sd
    low, share = both_below(below, alpha), NORMAL.cdf(below)
    agreement = 1 - 2 * (share - low)
    chance = share * share + (1 - share) * (1 - share)
    kappa = None if chance == 1 else (agreement - chance) / (1 - chance)
    spread, away = sd * sd, (mean - cut) ** 2
    return Consistency(agreement, kappa, (alpha * spread + away) / (spread + away))


@dataclass(frozen=True, slots=True)
class Stratum:
    """People of one score: right and wrong answers of the reference and of the other group."""

    right: int
    wrong: int
    other_right: int
    other_wrong: int

    @property
    def people(self) -> int:
        """How many they are."""
        return self.right + self.wrong + self.other_right + self.other_wrong


@dataclass(frozen=True, slots=True)
class Functioning:
    """Whether people of equal score have equal chances at an item (Mantel-Haenszel)."""

    odds_ratio: float
    """Above 1 the item is easier for the reference group."""
    delta: float
    """On the scale of ETS: -2.35 times the logarithm; below 0 it is harder for the others."""
    delta_se: float
    chi_square: float
    p_value: float
    ets: str
    """A: negligible, B: moderate, C: large."""


def functioning(strata: Iterable[Stratum]) -> Functioning | None:
    """Compare two groups within strata of equal score, or return None when nothing can be said."""
    used = [
        one
        for one in strata
        if one.right + one.wrong and one.other_right + one.other_wrong and one.people > 1
    ]
    with_reference = sum(one.right * one.other_wrong / one.people for one in used)
    with_others = sum(one.wrong * one.other_right / one.people for one in used)
    variance = sum(_variance(one) for one in used)
    if not with_reference or not with_others or not variance:
        return None
    excess = sum(
        one.right - (one.right + one.wrong) * (one.right + one.other_right) / one.people
        for one in used
    )
    chi = max(0.0, abs(excess) - 0.5) ** 2 / variance  # with Yates' correction
    odds = with_reference / with_others
    error = 2.35 * math.sqrt(_log_variance(used, with_reference, with_others))
    delta, p = -2.35 * math.log(odds), math.erfc(math.sqrt(chi / 2))
    return Functioning(odds, delta, error, chi, p, ets_class(delta, error, p))


def _variance(one: Stratum) -> float:
    """Return the variance of the right answers of the reference group, all margins given."""
    n = one.people
    rows = (one.right + one.wrong) * (one.other_right + one.other_wrong)
    columns = (one.right + one.other_right) * (one.wrong + one.other_wrong)
    return rows * columns / (n * n * (n - 1))


def _log_variance(used: Sequence[Stratum], left: float, right: float) -> float:
    """Return the variance of the log of the common odds ratio (Robins, Breslow, Greenland)."""
    first = middle = last = 0.0
    for one in used:
        n = one.people
        agree, cross = (one.right + one.other_wrong) / n, (one.wrong + one.other_right) / n
        with_reference = one.right * one.other_wrong / n
        with_others = one.wrong * one.other_right / n
        first += agree * with_reference
        middle += agree * with_others + cross * with_reference
        last += cross * with_others
    return first / (2 * left * left) + middle / (2 * left * right) + last / (2 * right * right)


def ets_class(delta: float, error: float, p: float) -> str:
    """Return A, B or C as ETS sorts items (Zieky 1993)."""
    size = abs(delta)
    if size < 1 or p >= 0.05:
        return "A"
    surely_above_one = size - NORMAL.inv_cdf(0.95) * error > 1
    return "C" if size >= 1.5 and surely_above_one else "B"


class Flag(StrEnum):
    """What somebody should look at; a hint, never a verdict."""

    NEGATIVE = "negative_discrimination"
    KEY = "suspected_wrong_key"
    CROSSING = "curve_crossing"
    DEAD = "dead_distractor"
    EASY = "too_easy"
    HARD = "too_hard"
    SMALL = "small_n"


@dataclass(frozen=True, slots=True)
class Option:
    """One option of an item, as people of rising score chose it."""

    name: str
    is_key: bool
    count: int
    share: float | None
    """Of those who answered."""
    r: float | None
    """Correlation of choosing it with the score on the other items."""
    curve: tuple[float | None, ...]
    """Share that chose it, by group of score from the lowest up; None where nobody is."""


def flags(n: int, p: float | None, r: float | None, options: Sequence[Option] = ()) -> list[Flag]:
    """Return what to look at in an item that `n` answered."""
    key = next((one for one in options if one.is_key), None)
    wrong = [one for one in options if not one.is_key]
    found = {
        Flag.NEGATIVE: r is not None and r < 0,
        Flag.KEY: key is not None and any(is_rival(key, one) for one in wrong),
        Flag.CROSSING: key is not None and any(overtakes(key.curve, one.curve) for one in wrong),
        Flag.DEAD: any(one.share is not None and one.share < DEAD for one in wrong),
        Flag.EASY: p is not None and p > EASY,
        Flag.HARD: p is not None and p < HARD,
        Flag.SMALL: n < SMALL,
    }
    return [flag for flag, is_set in found.items() if is_set]


def is_rival(key: Option, other: Option) -> bool:
    """Tell whether people who do well choose `other` rather than the key."""
    if other.r is None or other.r <= 0 or (key.r is not None and other.r <= key.r):
        return False
    top, mine = other.curve[-1], key.curve[-1]
    return top is not None and mine is not None and top > mine


def overtakes(key: Sequence[float | None], other: Sequence[float | None]) -> bool:
    """Tell whether an option is behind the key at some score and ahead of it at a higher one."""
    behind = False
    for mine, theirs in zip(key, other, strict=True):
        if mine is None or theirs is None:
            continue
        if behind and theirs > mine:
            return True
        behind = behind or mine > theirs
    return False
