"""How much a class gained between two quizzes, and how sure that is. Pure.

Scores are shares of the full mark, 0 to 1. Nothing is clamped; what is not defined is None.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

from lms.core.figures import mean_of

Z95 = 1.959963984540054
FEW = 30
"""Below so many pairs the interval rests on few people."""
TINY = 1e-12


@dataclass(frozen=True, slots=True)
class Effect:
    """A standardised mean difference with its 95 % interval."""

    d: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Gain:
    """What people reached more in the second quiz than in the first."""

    pairs: int
    before: float
    after: float
    mean: float
    low: float | None
    high: float | None
    effect: Effect | None
    hake: float | None
    """The share of what could still be gained."""

    @property
    def is_small(self) -> bool:
        """Tell whether it rests on few people."""
        return self.pairs < FEW


@dataclass(frozen=True, slots=True)
class Matched:
    """Who did both quizzes, and who only one of them."""

    both: tuple[int, ...]
    only_before: tuple[int, ...]
    only_after: tuple[int, ...]


def match(before: Mapping[int, float], after: Mapping[int, float]) -> Matched:
    """Return who did both quizzes and who only one, each in the order of their numbers."""
    first, second = set(before), set(after)
    return Matched(
        tuple(sorted(first & second)),
        tuple(sorted(first - second)),
        tuple(sorted(second - first)),
    )


def gain(pairs: Sequence[tuple[float, float]]) -> Gain | None:
    """Return the gain of people who did both quizzes; None where nobody did.

    Source: Student's paired t interval; effect size d_av with Bonett's interval; Hake's normalised
    gain of the class means.
    """
    if not pairs:
        return None
    found = mean_of([after - before for before, after in pairs])
    first = sum(before for before, _after in pairs) / len(pairs)
    second = sum(after for _before, after in pairs) / len(pairs)
    return Gain(
        pairs=len(pairs),
        before=first,
        after=second,
        mean=found.mean,
        low=found.low,
        high=found.high,
        effect=effect(pairs),
        hake=(second - first) / (1 - first) if first < 1 - TINY else None,
    )


def effect(pairs: Sequence[tuple[float, float]]) -> Effect | None:
    """Return d_av: the mean difference over the root of the mean of both variances.

    Source: Bonett, D. G. (2008), Confidence intervals for standardized linear contrasts of means,
    Psychological Methods 13, 99-109, for two repeated measurements with the mean of both variances
    as the standardiser, variances not taken as equal. Compared with the source of `ci.stdmean.ps`
    in statpsych, the R package of the same author, whose published examples the tests repeat; the
    article itself was not at hand. It rests on normal scores and is rough for few people. Not
    corrected for bias: that would multiply d by √((n - 2) / (n - 1)).

    None below two pairs, or where nobody differs from anybody.
    """
    count = len(pairs)
    if count < 2:
        return None
    one = variance([before for before, _after in pairs])
    two = variance([after for _before, after in pairs])
    middle = (one + two) / 2
    if middle < TINY:
        return None
    both = _covariance(pairs)
    d = sum(after - before for before, after in pairs) / count / sqrt(middle)
    spread = d * d * (one * one + two * two + 2 * both * both) / (8 * middle * middle)
    apart = max(0.0, one + two - 2 * both)  # the variance of the differences, but for rounding
    error = sqrt((spread + apart / middle) / (count - 1))
    return Effect(d, d - Z95 * error, d + Z95 * error)


def variance(values: Sequence[float]) -> float:
    """Return the variance of a sample; needs two values."""
    mean = sum(values) / len(values)
    return sum((one - mean) ** 2 for one in values) / (len(values) - 1)


def _covariance(pairs: Sequence[tuple[float, float]]) -> float:
    first = sum(before for before, _after in pairs) / len(pairs)
    second = sum(after for _before, after in pairs) / len(pairs)
    return sum((one - first) * (two - second) for one, two in pairs) / (len(pairs) - 1)


Marks = Sequence[Sequence[float]]
"""Rows people, columns questions; each mark 0 to 1."""


def alpha(marks: Marks) -> float | None:
    """Return Cronbach's alpha; None with fewer than two people or questions, or without spread."""
    questions = len(marks[0]) if marks else 0
    if len(marks) < 2 or questions < 2:
        return None
    whole = variance([sum(row) for row in marks])
    if whole < TINY:
        return None
    own = sum(variance([row[n] for row in marks]) for n in range(questions))
    return questions / (questions - 1) * (1 - own / whole)


def error_of_measurement(marks: Marks) -> float | None:
    """Return the standard error of measurement of one score, as a share; None without alpha.

    An alpha below 0 says that the questions do not measure one thing: the error is then larger
    than the spread of the scores, and that is said, not hidden.
    """
    found = alpha(marks)
    if found is None:
        return None
    questions = len(marks[0])
    spread = variance([sum(row) / questions for row in marks])
    return sqrt(max(0.0, spread * (1 - found)))


def half_width(before: float | None, after: float | None) -> float | None:
    """Return half the 95 % interval of one person's difference, from the errors of both quizzes.

    With equal errors this is 1.96 · √2 · SEM.
    """
    if before is None or after is None:
        return None
    return Z95 * sqrt(before * before + after * after)


@dataclass(frozen=True, slots=True)
class Difficulty:
    """One question as the class answered it."""

    people: int
    mean: float
    """Mean mark; the share of right answers where marks are 0 or 1."""
    low: float
    high: float
    """Wilson's 95 % interval of the share that earned everything."""
    right: int
    r_rest: float | None
    """Correlation with the rest of the quiz."""


def difficulties(marks: Marks) -> list[Difficulty]:
    """Describe each question; needs somebody."""
    totals = [sum(row) for row in marks]
    found = []
    for n in range(len(marks[0])):
        column = [row[n] for row in marks]
        right = sum(one >= 1 - TINY for one in column)
        low, high = wilson(right, len(column))
        rest = [total - one for total, one in zip(totals, column, strict=True)]
        found.append(
            Difficulty(len(column), sum(column) / len(column), low, high, right, _r(column, rest))
        )
    return found


def wilson(right: int, people: int) -> tuple[float, float]:
    """Return Wilson's 95 % interval of a share; needs somebody."""
    share, square = right / people, Z95 * Z95 / people
    middle = share + square / 2
    half = Z95 * sqrt(share * (1 - share) / people + square / (4 * people))
    return (middle - half) / (1 + square), (middle + half) / (1 + square)


def _r(one: Sequence[float], two: Sequence[float]) -> float | None:
    if len(one) < 3:
        return None
    first, second = variance(one), variance(two)
    if first < TINY or second < TINY:
        return None
    return _covariance(list(zip(one, two, strict=True))) / sqrt(first * second)
