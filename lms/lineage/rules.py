"""Who can have taught what whom, and what is lost on the way down. Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from math import exp, log

from lms.core.figures import LEAST

DEEPEST = 12
"""Levels that are followed; a chain of classes that follow each other in time has an end anyway."""
KEPT, SLIGHT = 0.9, 0.75
"""Shares of the level above from which on a result is kept, or down a little."""
HELP_BELOW = 0.6
"""Where people reach less than this share of the criteria, a second facilitator may help."""


@dataclass(frozen=True, slots=True)
class Held:
    """One class: when it was, who taught it, whom it trained."""

    starts_on: date
    ends_on: date
    staff: frozenset[int]
    trained: frozenset[int]


def leads_to(one: Held, other: Held) -> bool:
    """Tell whether somebody trained in one class taught the other, after the first had ended.

    Time goes one way: classes that lead to each other cannot form a circle.
    """
    return one.ends_on < other.starts_on and not one.trained.isdisjoint(other.staff)


def reach(classes: Mapping[int, Held], roots: Collection[int]) -> dict[int, int]:
    """Return the level of each class that follows from `roots`: 1 for these, 2 for the next.

    What the database does with one query, in plain words.
    """
    levels = {one: 1 for one in roots}
    edge = list(roots)
    for level in range(2, DEEPEST + 1):
        edge = [
            number
            for number, other in classes.items()
            if number not in levels and any(leads_to(classes[one], other) for one in edge)
        ]
        levels |= dict.fromkeys(edge, level)
    return levels


@dataclass(frozen=True, slots=True)
class Group:
    """People of one class or level: how many, how many certified, mean share of criteria."""

    people: int = 0
    certified: int = 0
    share: float | None = None
    """0 to 1; None where nobody has a standing yet."""

    def __add__(self, other: "Group") -> "Group":
        """Return both together; the share is weighted by people."""
        parts = [(one.people, one.share) for one in (self, other) if one.share is not None]
        people = sum(count for count, _share in parts)
        share = sum(count * share for count, share in parts) / people if people else None
        return Group(self.people + other.people, self.certified + other.certified, share)


class Drop(StrEnum):
    """How a result compares with the level above."""

    KEPT = "kept"
    SLIGHT = "slight"
    LARGE = "large"
    UNKNOWN = "unknown"


def drop(above: Group | None, here: Group) -> Drop:
    """Compare a group with the one it follows from; says nothing about few people."""
    if above is None or not above.share or here.share is None:
        return Drop.UNKNOWN
    if min(above.people, here.people) < LEAST:
        return Drop.UNKNOWN
    kept = round(here.share / above.share, 9)
    return Drop.KEPT if kept >= KEPT else Drop.SLIGHT if kept >= SLIGHT else Drop.LARGE


def retention(levels: Sequence[Group]) -> float | None:
    """Return which share of the result each level hands on, over all levels; None for one level.

    Least squares through the logarithms of the shares, each level weighted by its people.
    """
    points = [
        (float(level), log(one.share), float(one.people))
        for level, one in enumerate(levels)
        if one.share and one.people >= LEAST
    ]
    if len(points) < 2:
        return None
    weight = sum(people for _x, _y, people in points)
    middle = sum(x * people for x, _y, people in points) / weight
    height = sum(y * people for _x, y, people in points) / weight
    spread = sum(people * (x - middle) ** 2 for x, _y, people in points)
    slope = sum(people * (x - middle) * (y - height) for x, y, people in points) / spread
    return exp(slope)


def may_want_help(here: Group) -> bool:
    """Tell whether a class may want a second facilitator; never for few people."""
    return here.people >= LEAST and here.share is not None and here.share < HELP_BELOW
