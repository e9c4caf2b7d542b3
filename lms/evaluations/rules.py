"""When people are asked, what anonymous answers may show, when promises are checked. Pure."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from math import sqrt

from lms.core.figures import t_quantile

ANSWERED_FOR = timedelta(days=14)
"""So long after the last day of a class people may say what it was like."""
STEP = 5
"""Answers become visible in groups of so many: with one at a time the last could be worked out."""
LOWEST, HIGHEST = 1, 4


class Door(StrEnum):
    """Whether answers are taken."""

    AHEAD = "ahead"
    OPEN = "open"
    OVER = "over"


def door(ends_on: date, today: date) -> Door:
    """Tell whether answers are taken: from the last day of the class, for fourteen days."""
    if today < ends_on:
        return Door.AHEAD
    return Door.OPEN if today <= closes_on(ends_on) else Door.OVER


def closes_on(ends_on: date) -> date:
    """Return the last day answers are taken."""
    return ends_on + ANSWERED_FOR


LONG_NUMBER = re.compile(r"\d(?:[\s.,()/+-]{0,2}\d){8,}")
"""Nine digits or more, however they are set apart: a NIK has 16, telephones from nine on."""


def has_long_number(text: str) -> bool:
    """Tell whether a text holds a number that may be a NIK or a telephone."""
    return LONG_NUMBER.search(text) is not None


@dataclass(frozen=True, slots=True)
class Spread:
    """How marks from 1 to 4 are spread, with the mean and its 95 % interval."""

    counts: tuple[int, ...]
    mean: float
    low: float
    high: float

    @property
    def total(self) -> int:
        """How many marks there are."""
        return sum(self.counts)


def spread(marks: Iterable[int]) -> Spread | None:
    """Return how marks are spread; None without any. The interval never leaves the scale.

    Source: Student's t interval of the mean; the whole scale for one mark.
    """
    found = Counter(marks)
    counts = tuple(found[mark] for mark in range(LOWEST, HIGHEST + 1))
    total = sum(counts)
    if not total:
        return None
    mean = sum(mark * count for mark, count in found.items()) / total
    if total == 1:
        return Spread(counts, mean, LOWEST, HIGHEST)
    square = sum(count * (mark - mean) ** 2 for mark, count in found.items()) / (total - 1)
    half = t_quantile(total - 1) * sqrt(square / total)
    return Spread(counts, mean, max(float(LOWEST), mean - half), min(float(HIGHEST), mean + half))


# Promises


STAGES = (30, 90)
"""Days after a class at which promises are looked at."""
CHECKED_FOR = timedelta(days=59)
"""So long after such a day a check is open."""
LINK_HOLDS = timedelta(days=30)
"""How long the personal link of a superior opens its page."""
REMIND_AFTER = timedelta(days=10)
"""Who has not answered by then is reminded, once."""
MOST_PROMISES = 5


class Side(StrEnum):
    """Who looks at the promises."""

    PERSON = "person"
    SUPERIOR = "superior"


class Rating(StrEnum):
    """How far a promise is kept."""

    DONE = "done"
    PARTLY = "partly"
    NOT_YET = "not_yet"


def open_stage(ends_on: date, today: date) -> int | None:
    """Return the check that is open now, 30 or 90, or None between and outside them."""
    for stage in STAGES:
        first = ends_on + timedelta(days=stage)
        if first <= today <= first + CHECKED_FOR:
            return stage
    return None


def may_begin(ends_on: date, today: date) -> bool:
    """Tell whether a plan may be written: from the last day until the last check begins."""
    return ends_on <= today < ends_on + timedelta(days=STAGES[-1])


def next_letter(sent: Iterable[date], today: date, *, answered: bool) -> int | None:
    """Return the number of the letter that is due, 1 or 2 (a reminder); None when none is."""
    days = sorted(sent)
    if answered or len(days) > 1:
        return None
    if not days:
        return 1
    return 2 if today - days[0] >= REMIND_AFTER else None


def first_name(name: str) -> str:
    """Return the first word of a name: all that a superior's page shows."""
    return name.split()[0] if name.split() else ""
