"""Items in figures from counted answers: sittings draw their items, so no two people sat one test.

Everything comes from one table of counts, so a hundred thousand answers cost no more memory than a
hundred. An item is described by those who answered it; in the score of a sitting a question without
an answer is not right. Pure.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import quantiles

from lms.statistics import rules
from lms.statistics.rules import Consistency, Flag, Option, Sums

LETTERS = "ABCD"
RIGHT, WRONG = "+", "-"
"""Letters of a question without lettered options: an answer is wholly right, or it is not."""


@dataclass(frozen=True, slots=True)
class Cell:
    """So many sittings of one score chose one letter at one wording."""

    version: int
    letter: str | None
    """None where nothing was chosen."""
    right: int
    shown: int
    gate_right: int
    """Right answers at items of non-critical criteria: the cut is on these."""
    gate: int
    count: int

    @property
    def share(self) -> float:
        """The share of the sitting that was right."""
        return self.right / self.shown


@dataclass(frozen=True, slots=True)
class Figures:
    """One wording of an item in figures."""

    version: int
    n: int
    omitted: int
    p: float | None
    low: float | None
    high: float | None
    r: float | None
    """With the share of the other items of the sitting that was right."""
    discrimination: float | None
    """Share of right answers in the highest quarter of sittings less that in the lowest."""
    options: tuple[Option, ...]
    flags: tuple[Flag, ...]


@dataclass(frozen=True, slots=True)
class Whole:
    """A quiz in figures: of sittings that showed as many questions as most did."""

    sittings: int
    shown: int
    mean: float
    sd: float | None
    skewness: float | None
    alpha: float | None
    """As if all had the same items: the variance of items as shown, on average."""
    sem: float | None
    error_ratio: float | None
    """Per cent, as Moodle has it."""
    gate: int
    cut: int
    decision: Consistency | None


@dataclass(frozen=True, slots=True)
class Pool:
    """What was counted of one quiz."""

    whole: Whole | None
    items: tuple[Figures, ...]


def pool(
    cells: Sequence[Cell],
    keys: Mapping[int, str],
    gated: Collection[int],
    ratio: tuple[int, int],
) -> Pool:
    """Describe a quiz: `keys` has the right letter of each wording, `gated` counts at the cut."""
    if not cells:
        return Pool(None, ())
    borders = _borders(cells)
    by_version: dict[int, list[Cell]] = defaultdict(list)
    for cell in cells:
        by_version[cell.version].append(cell)
    items = tuple(
        _figures(version, keys[version], found, borders) for version, found in by_version.items()
    )
    return Pool(_whole(cells, keys, gated, ratio), items)


def _sittings(cells: Iterable[Cell]) -> Counter[tuple[int, int, int, int]]:
    """Return how many sittings had which score: each was counted once for each item it showed."""
    found: Counter[tuple[int, int, int, int]] = Counter()
    for cell in cells:
        found[cell.right, cell.shown, cell.gate_right, cell.gate] += cell.count
    return Counter({score: count // score[1] for score, count in found.items()})


def _borders(cells: Iterable[Cell]) -> list[float]:
    """Return the quartiles of the share that was right."""
    shares = Counter[float]()
    for (right, shown, _gate_right, _gate), count in _sittings(cells).items():
        shares[right / shown] += count
    every = sorted(shares.elements())
    return quantiles(every, n=4, method="inclusive") if len(every) > 1 else every * 3


def _figures(version: int, key: str, cells: Sequence[Cell], borders: Sequence[float]) -> Figures:
    answered = [cell for cell in cells if cell.letter is not None]
    n = sum(cell.count for cell in answered)
    right = sum(cell.count for cell in answered if cell.letter == key)
    people = _by_quarter(answered, borders)
    letters = {*LETTERS, *(cell.letter for cell in answered if cell.letter)}
    options = tuple(
        _option(letter, key, answered, borders, people)
        for letter in sorted({RIGHT} if key == RIGHT else letters)
    )
    mine = next(one for one in options if one.is_key)
    if key == RIGHT:
        options = ()  # nobody chose among any
    p = right / n if n else None
    interval = rules.wilson(right, n)
    low, high = mine.curve[0], mine.curve[-1]
    return Figures(
        version=version,
        n=n,
        omitted=sum(cell.count for cell in cells) - n,
        p=p,
        low=interval[0] if interval else None,
        high=interval[1] if interval else None,
        r=mine.r,
        discrimination=None if low is None or high is None else high - low,
        options=options,
        flags=tuple(rules.flags(n, p, mine.r, options)),
    )


def _option(
    letter: str,
    key: str,
    answered: Sequence[Cell],
    borders: Sequence[float],
    people: Sequence[int],
) -> Option:
    chosen = [cell for cell in answered if cell.letter == letter]
    count, n = sum(cell.count for cell in chosen), sum(people)
    pairs = [(cell.count, float(cell.letter == letter), _rest(cell, key)) for cell in answered]
    sums = Sums(
        n,
        count,
        count,
        math.fsum(times * rest for times, _x, rest in pairs),
        math.fsum(times * rest * rest for times, _x, rest in pairs),
        math.fsum(times * x * rest for times, x, rest in pairs),
    )
    mine = _by_quarter(chosen, borders)
    curve = tuple(part / every if every else None for part, every in zip(mine, people, strict=True))
    return Option(letter, letter == key, count, count / n if n else None, sums.r, curve)


def _rest(cell: Cell, key: str) -> float:
    """Return the share of the other questions that was right; of none it is 0."""
    return (cell.right - (cell.letter == key)) / max(1, cell.shown - 1)


def _by_quarter(cells: Iterable[Cell], borders: Sequence[float]) -> list[int]:
    """Return how many chose, by quarter; who lies on a border is in the lower one."""
    found = [0] * (len(borders) + 1)
    for cell in cells:
        found[sum(border < cell.share for border in borders)] += cell.count
    return found


def _whole(
    cells: Sequence[Cell],
    keys: Mapping[int, str],
    gated: Collection[int],
    ratio: tuple[int, int],
) -> Whole:
    forms: Counter[tuple[int, int]] = Counter()
    for (_right, shown, _gate_right, gate), count in _sittings(cells).items():
        forms[shown, gate] += count
    (shown, gate), n = max(forms.items(), key=lambda form: (form[1], form[0]))
    kept = [cell for cell in cells if (cell.shown, cell.gate) == (shown, gate)]
    sittings = _sittings(kept)
    scores: Counter[int] = Counter()
    gates: Counter[int] = Counter()
    for (right, _shown, gate_right, _gate), count in sittings.items():
        scores[right] += count
        gates[gate_right] += count
    mean, variance, skewness = _moments(scores)
    alpha = _alpha(kept, keys, n, shown, variance)
    sd = math.sqrt(variance * n / (n - 1)) if n > 1 else None
    gate_mean, gate_variance, _skew = _moments(gates)
    part = [cell for cell in kept if cell.version in gated]
    cut = -(-ratio[0] * gate // ratio[1])
    decision = rules.consistency(
        gate_mean,
        math.sqrt(gate_variance * n / (n - 1)) if n > 1 else 0.0,
        _alpha(part, keys, n, gate, gate_variance),
        cut,
    )
    error = math.sqrt(1 - alpha) if alpha is not None and alpha <= 1 else None
    return Whole(
        sittings=n,
        shown=shown,
        mean=mean,
        sd=sd,
        skewness=skewness,
        alpha=alpha,
        sem=sd * error if sd is not None and error is not None else None,
        error_ratio=100 * error if error is not None else None,
        gate=gate,
        cut=cut,
        decision=decision,
    )


def _moments(scores: Mapping[int, int]) -> tuple[float, float, float | None]:
    """Return mean, variance and skewness of the population."""
    n = sum(scores.values())
    mean = sum(score * count for score, count in scores.items()) / n
    second = math.fsum(count * (score - mean) ** 2 for score, count in scores.items()) / n
    third = math.fsum(count * (score - mean) ** 3 for score, count in scores.items()) / n
    return mean, second, third / second**1.5 if second else None


def _alpha(
    cells: Iterable[Cell], keys: Mapping[int, str], n: int, items: int, variance: float
) -> float | None:
    """Return an alpha for tests whose items were drawn; an item not answered is not right."""
    if items < 2 or not variance:
        return None
    shown: Counter[int] = Counter()
    right: Counter[int] = Counter()
    for cell in cells:
        shown[cell.version] += cell.count
        right[cell.version] += cell.count * (cell.letter == keys[cell.version])
    own = math.fsum(right[one] * (1 - right[one] / shown[one]) for one in shown) / n
    return items / (items - 1) * (1 - own / variance)
