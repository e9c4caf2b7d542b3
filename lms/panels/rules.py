"""What the ratings of a standard-setting panel say: the cut, its error, agreement. Pure.

The method is Angoff's (1971) as it is mostly used ("modified"): for each item a panellist states
how probable it is that somebody who is only just good enough answers right; the panel sees the
spread, talks, and rates again. A panellist's cut is the mean of their ratings, the panel's the mean
of those. Sources: Cizek and Bunch (2007), Standard Setting, chapter 6; for the error over
panellists and items Brennan and Lockwood (1980), Applied Psychological Measurement 4, 219-240, and
Brennan (2001), Generalizability Theory, chapter 2; for agreement Shrout and Fleiss (1979),
Psychological Bulletin 86, 420-428.

Ratings are per cent. A table has one row for each panellist, with the items in the same order.
"""

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from lms.core.errors import DomainError
from lms.core.figures import LEAST as FEWEST_PEOPLE
from lms.core.figures import t_quantile

STEP = 5
CHOICES = tuple(range(0, 101, STEP))
"""What may be chosen; finer steps are more than anybody can tell apart."""
FEWEST, MOST = 5, 15
"""Panellists a room should have; fewer is said plainly."""
LEAST = 2
"""Below two panellists, or two items, there is no spread and so no error."""
MOST_TRAINING = 3
MOST_INVITED = 30
FAR = 20
"""Per cent from the middle of the others from which a panellist is asked to look again."""
LONGEST_PERSON = 1500
LONGEST_NOTE = 500
LONGEST_REASON = 500

Table = Sequence[Sequence[int]]


class Stage(StrEnum):
    """Where a room is."""

    INVITING = "inviting"
    FIRST = "first"
    TALK = "talk"
    SECOND = "second"
    SIGNING = "signing"
    CLOSED = "closed"
    STOPPED = "stopped"
    """Given up, with a reason; it has no result."""


NEXT = {
    Stage.INVITING: Stage.FIRST,
    Stage.FIRST: Stage.TALK,
    Stage.TALK: Stage.SECOND,
    Stage.SECOND: Stage.SIGNING,
    Stage.SIGNING: Stage.CLOSED,
}
RATED_IN = {Stage.FIRST: 1, Stage.SECOND: 2}
"""The stages in which ratings are given, and the round that is."""
ENDED = frozenset({Stage.CLOSED, Stage.STOPPED})


class Due(StrEnum):
    """What somebody is waited for in a room."""

    RATE = "rate"
    """To rate the items of this round, and say that they have finished."""
    SIGN = "sign"
    """To sign the result, or say why not."""
    INVITE = "invite"
    """To invite the panel and begin."""
    LEAD = "lead"
    """To take the room on: nobody else is waited for."""


@dataclass(frozen=True, slots=True)
class Seat:
    """Where a panellist stands in the stage a room is in."""

    finished: bool
    """They said that they have finished this round."""
    counted: bool
    """The result counts their ratings."""
    answered: bool
    """They have signed the result, or said why not."""


def due(stage: Stage, seat: Seat | None, *, chairs: bool, missing: int) -> Due | None:
    """Return what a room waits for from a panellist (`seat`), or from whoever may lead it.

    `missing` is how many panellists the stage still waits for. Talking waits for nobody: the chair
    ends it when all is said.
    """
    if seat is not None and stage in RATED_IN and not seat.finished:
        return Due.RATE
    if seat is not None and stage is Stage.SIGNING and seat.counted and not seat.answered:
        return Due.SIGN
    if chairs and stage is Stage.INVITING:
        return Due.INVITE
    if chairs and stage not in ENDED and not missing:
        return Due.LEAD
    return None


class Choice(StrEnum):
    """What a panellist says to the result."""

    SIGNED = "signed"
    ABSTAINED = "abstained"
    ABSENT = "absent"
    """Did not answer; the chair wrote that down."""


class RoomOpen(DomainError):
    """There is an unfinished room for this curriculum."""


class NoItems(DomainError):
    """The bank of this curriculum has fewer than two items that could be rated."""


class WrongStage(DomainError):
    """The room has gone on since the page was opened."""


class TooFew(DomainError):
    """Fewer than two panellists have rated every item."""


class NotFinished(DomainError):
    """Items are left without a rating."""


class TrainingFirst(DomainError):
    """The training items come first."""


class Unanswered(DomainError):
    """Somebody who rated has neither signed nor abstained, or nobody signed."""


class AlreadyAnswered(DomainError):
    """The panellist has signed or abstained."""


class NotOnPanel(DomainError):
    """The person may not be, or is not, a panellist of this room."""


class Tested(DomainError):
    """The person learns this curriculum and has not passed its quiz: the key is not for them."""


@dataclass(frozen=True, slots=True)
class Spread:
    """The ratings of one item: where they lie."""

    count: int
    low: float
    lower: float
    middle: float
    upper: float
    high: float
    mean: float
    sd: float | None

    @property
    def width(self) -> float:
        """From the lowest rating to the highest."""
        return self.high - self.low


def spread(ratings: Sequence[int]) -> Spread | None:
    """Describe the ratings of one item; None when there are none.

    The quartiles are the medians of the halves, the middle one left out (Moore and McCabe).
    """
    if not ratings:
        return None
    ordered = sorted(ratings)
    half = len(ordered) // 2
    below, above = ordered[:half] or ordered, ordered[-half:] if half else ordered
    return Spread(
        count=len(ordered),
        low=ordered[0],
        lower=statistics.median(below),
        middle=statistics.median(ordered),
        upper=statistics.median(above),
        high=ordered[-1],
        mean=statistics.fmean(ordered),
        sd=statistics.stdev(ordered) if len(ordered) > 1 else None,
    )


def is_far(own: int, others: Sequence[int]) -> bool:
    """Tell whether a rating lies so far from the others that its owner should look again.

    At least FAR per cent from their middle, and half as far again as their box is high.
    """
    found = spread(others)
    if found is None or len(others) < LEAST:
        return False
    room = max(FAR, 1.5 * (found.upper - found.lower))
    return abs(own - found.middle) >= room


def deviation(own: Sequence[int], others: Table) -> float | None:
    """Return how far a panellist is from the others on average, item by item; None without them."""
    if not others:
        return None
    means = [statistics.fmean(column) for column in zip(*others, strict=True)]
    return statistics.fmean(abs(mine - mean) for mine, mean in zip(own, means, strict=True))


@dataclass(frozen=True, slots=True)
class Variance:
    """Mean squares of a table of panellists by items, each cell rated once."""

    people: int
    items: int
    ms_people: float
    ms_items: float
    ms_rest: float

    @property
    def of_people(self) -> float:
        """Variance between panellists: how strict they are. Below zero it is an estimate of 0."""
        return (self.ms_people - self.ms_rest) / self.items

    @property
    def of_items(self) -> float:
        """Variance between items: how hard they are held to be."""
        return (self.ms_items - self.ms_rest) / self.people

    @property
    def of_rest(self) -> float:
        """Variance of panellists on single items, with everything that is not explained."""
        return self.ms_rest

    @property
    def error(self) -> float:
        """Standard error of the cut over other panellists and other items (Brennan 2001, Delta).

        Components below zero count as zero, as is usual.
        """
        people, items = max(self.of_people, 0.0), max(self.of_items, 0.0)
        both = self.of_rest / (self.people * self.items)
        return math.sqrt(people / self.people + items / self.items + both)

    @property
    def error_same_items(self) -> float:
        """Standard error over other panellists who rate these items; equals SD / √people."""
        return math.sqrt(self.ms_people / (self.items * self.people))

    @property
    def icc(self) -> float | None:
        """Agreement of single ratings: ICC(2,1). None where nothing varies."""
        extra = self.people * (self.ms_people - self.ms_rest) / self.items
        whole = self.ms_items + (self.people - 1) * self.ms_rest + extra
        return (self.ms_items - self.ms_rest) / whole if whole > 0 else None

    @property
    def icc_mean(self) -> float | None:
        """Agreement of the panel's mean ratings: ICC(2,k). None where nothing varies."""
        whole = self.ms_items + (self.ms_people - self.ms_rest) / self.items
        return (self.ms_items - self.ms_rest) / whole if whole > 0 else None


def variance(table: Table) -> Variance | None:
    """Split the variance of a table; None below two panellists or two items."""
    people = len(table)
    items = len(table[0]) if table else 0
    if people < LEAST or items < LEAST:
        return None
    whole = statistics.fmean(value for row in table for value in row)
    rows = [statistics.fmean(row) - whole for row in table]
    columns = [statistics.fmean(column) - whole for column in zip(*table, strict=True)]
    rest = math.fsum(
        (value - whole - mine - theirs) ** 2
        for row, mine in zip(table, rows, strict=True)
        for value, theirs in zip(row, columns, strict=True)
    )
    return Variance(
        people=people,
        items=items,
        ms_people=items * math.fsum(one * one for one in rows) / (people - 1),
        ms_items=people * math.fsum(one * one for one in columns) / (items - 1),
        ms_rest=rest / ((people - 1) * (items - 1)),
    )


@dataclass(frozen=True, slots=True)
class Cut:
    """What a panel set, in per cent of the items it rated."""

    share: Fraction
    """The cut itself as a part of one, not rounded."""
    each: tuple[float, ...]
    """The cut of each panellist, in the order of the table."""
    sd: float
    error: float
    """Standard error over panellists: SD / √people."""
    low: float
    high: float
    """Interval of 95 per cent, by Student's t: few panellists, wide interval."""
    parts: Variance

    @property
    def percent(self) -> float:
        """The cut in per cent."""
        return float(100 * self.share)

    def shares(self) -> tuple[float, float, float]:
        """Return the cut less its error, the cut, and the cut with its error, as parts of one."""
        middle, step = float(self.share), self.error / 100
        return max(middle - step, 0.0), middle, min(middle + step, 1.0)


def cut(table: Table) -> Cut:
    """Return the cut a panel set. Raises TooFew."""
    parts = variance(table)
    if parts is None:
        raise TooFew
    each = tuple(statistics.fmean(row) for row in table)
    share = Fraction(sum(sum(row) for row in table), 100 * parts.people * parts.items)
    sd = statistics.stdev(each)
    error = sd / math.sqrt(parts.people)
    half = t_quantile(parts.people - 1) * error
    middle = float(100 * share)
    return Cut(share, each, sd, error, max(middle - half, 0.0), min(middle + half, 100.0), parts)


def needed(share: Fraction | float, shown: int) -> int:
    """Return how many of `shown` items reach a share: the smallest whole number that does.

    A share that is a float is one that was computed: a billionth above a whole number is none.
    """
    if isinstance(share, Fraction):
        return math.ceil(share * shown)
    return math.ceil(share * shown - 1e-9)


@dataclass(frozen=True, slots=True)
class Reached:
    """How many people reach a share of the items they were shown."""

    right: int
    """How many items that is, of a whole sitting."""
    people: int
    of: int

    @property
    def share(self) -> float:
        """As a part of one."""
        return self.people / self.of


def effect(
    sittings: Iterable[tuple[int, int, int]], share: Fraction | float, shown: int
) -> Reached | None:
    """Return who of past first sittings would reach a share; None of too few people.

    `sittings` are items right, items shown, and how many people had that.
    """
    known = list(sittings)
    of = sum(people for _right, _shown, people in known)
    if of < FEWEST_PEOPLE:
        return None
    there = sum(people for right, whole, people in known if right >= needed(share, whole))
    return Reached(needed(share, shown), there, of)


def is_below(ratio: tuple[int, int], share: Fraction, shown: int) -> bool:
    """Tell whether a standard asks for fewer items of a sitting than a panel's cut."""
    return needed(Fraction(*ratio), shown) < needed(share, shown)


def whole_rows(
    ratings: Mapping[int, Mapping[int, int]], items: Sequence[int]
) -> dict[int, tuple[int, ...]]:
    """Return the rows of those who rated every item; what others gave does not count."""
    wanted = set(items)
    return {
        who: tuple(given[item] for item in items)
        for who, given in ratings.items()
        if wanted <= given.keys()
    }


def carried(
    first: Mapping[int, Mapping[int, int]], second: Mapping[int, Mapping[int, int]]
) -> dict[int, dict[int, int]]:
    """Return what counts at the end: the second rating, or the first where there is no other."""
    return {who: {**first.get(who, {}), **second.get(who, {})} for who in {*first, *second}}
