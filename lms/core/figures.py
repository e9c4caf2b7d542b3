"""Figures about groups of people: which counts may be shown, how sure a mean is. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

LEAST = 5
"""Groups of fewer people are not shown outside their own class."""


@dataclass(frozen=True, slots=True)
class Shown:
    """Counts as a report may show them; None is hidden."""

    cells: tuple[int | None, ...]
    total: int | None


def hide_small(counts: Sequence[int], least: int = LEAST) -> Shown:
    """Hide counts below `least`, and the smallest of the others, so that nobody works them out.

    Nothing is a count of nobody, so 0 is shown. What is hidden depends on no order: whoever knows
    the total and this rule learns of no hidden count what it is, nor that it is small, for each may
    be the one that is not. Where all are small the total goes too.
    """
    if not any(0 < count < least for count in counts):
        return Shown(tuple(counts), sum(counts))
    smallest = min((count for count in counts if count >= least), default=None)
    edge = least - 1 if smallest is None else smallest
    cells = tuple(None if 0 < count <= edge else count for count in counts)
    return Shown(cells, None if smallest is None else sum(counts))


T_FEW = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262)
"""Student's t for 95 %, two-sided, one to nine degrees of freedom."""


def t_quantile(freedom: int) -> float:
    """Return Student's t for a two-sided 95 % interval, right to three digits after the point.

    Source: Cornish and Fisher's expansion from ten degrees of freedom on (Abramowitz 26.7.5).
    """
    if freedom <= len(T_FEW):
        return T_FEW[freedom - 1]
    z = 1.959963984540054
    parts = (
        z,
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
    )
    return sum(part / float(freedom) ** power for power, part in enumerate(parts))


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean with its 95 % interval; no interval below two values."""

    count: int
    mean: float
    low: float | None
    high: float | None


def mean_of(values: Sequence[float]) -> Mean:
    """Return the mean of values with Student's t interval; needs a value."""
    count = len(values)
    mean = sum(values) / count
    if count < 2:
        return Mean(count, mean, None, None)
    spread = sqrt(sum((one - mean) ** 2 for one in values) / (count - 1))
    half = t_quantile(count - 1) * spread / sqrt(count)
    return Mean(count, mean, mean - half, mean + half)
