"""Texts, weights and numbers: the words all types of questions share. Pure.

Weights are per cent of the mark, with at most five digits behind the point. Texts carry their
format; whoever shows one must escape `PLAIN`, render `MARKDOWN` with `core.markdown` and may print
`HTML` and `MOODLE` as they are: readers clean them.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Context, Decimal
from enum import StrEnum

from lms.quizzes.types.problems import Key, Refused

MOST_OPTIONS = 26
HUNDRED = Decimal(100)
DIGITS = Decimal("0.00001")
"""The finest weight, as Moodle keeps them: a third is 33.33333."""
EXACT = Context(prec=400)
NUMBER = re.compile(r"[+-]?(?:\d{1,15}(?:\.\d{0,15})?|\.\d{1,15})(?:[eE][+-]?\d{1,2})?", re.ASCII)


class Kind(StrEnum):
    """The types of questions; also what stands between questions."""

    SINGLE = "single"
    MULTIPLE = "multiple"
    TRUE_FALSE = "true_false"
    MATCHING = "matching"
    ORDERING = "ordering"
    SHORT_ANSWER = "short_answer"
    NUMERIC = "numeric"
    ESSAY = "essay"
    DESCRIPTION = "description"
    CATEGORY = "category"


class Format(StrEnum):
    """How a text is meant."""

    PLAIN = "plain"
    HTML = "html"
    MARKDOWN = "markdown"
    MOODLE = "moodle"
    """Moodle's own: HTML where a line break is one."""


@dataclass(frozen=True, slots=True)
class Image:
    """A picture inside a text, which shows it as `@@PLUGINFILE@@/name`."""

    name: str
    media: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Text:
    """A text as somebody wrote it, without space around it."""

    value: str = ""
    format: Format = Format.PLAIN
    images: tuple[Image, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.value)


NOTHING = Text()


@dataclass(frozen=True, slots=True)
class Option:
    """One of several answers to choose from."""

    text: Text
    weight: Decimal = Decimal(0)
    feedback: Text = NOTHING


def check_count(count: int) -> None:
    """Raise Refused at more options than a question may have; before they are read."""
    if count > MOST_OPTIONS:
        raise Refused(Key.MANY_OPTIONS, most=MOST_OPTIONS)


def check_options(texts: Sequence[Text]) -> None:
    """Raise Refused unless there is a choice between texts that say something."""
    if len(texts) < 2:
        raise Refused(Key.FEW_OPTIONS, least=2)
    check_count(len(texts))
    if not all(texts):
        raise Refused(Key.EMPTY_OPTION)


def check_weights(weights: Sequence[Decimal]) -> None:
    """Raise Refused at a weight of more than everything."""
    for weight in weights:
        if abs(weight) > HUNDRED:
            raise Refused(Key.WEIGHT_RANGE, what=weight)


def check_answers(weights: Sequence[Decimal]) -> None:
    """Raise Refused unless one of the accepted answers earns something."""
    if not weights:
        raise Refused(Key.NO_ANSWERS)
    check_count(len(weights))
    check_weights(weights)
    if not any(weight > 0 for weight in weights):
        raise Refused(Key.NO_RIGHT)


# Numbers


def digits(number: Decimal) -> str:
    """Return a number as somebody writes it: no exponent, no zeros that say nothing."""
    text = f"{number:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def number_of(text: str) -> Decimal:
    """Return the number somebody wrote, with a point. Raises Refused."""
    clean = text.strip().replace("\N{MINUS SIGN}", "-")
    if not NUMBER.fullmatch(clean):
        raise Refused(Key.NOT_A_NUMBER, what=text)
    return Decimal(clean)


def weight_of(text: str) -> Decimal:
    """Return a weight in per cent. Raises Refused."""
    try:
        weight = number_of(text.strip().removesuffix("%"))
    except Refused:
        raise Refused(Key.NOT_A_WEIGHT, what=text) from None
    if abs(weight) > HUNDRED:
        raise Refused(Key.WEIGHT_RANGE, what=text)
    return weight.quantize(DIGITS) + 0


def share(count: int) -> Decimal:
    """Return the weight of each of so many right options."""
    return (HUNDRED / count).quantize(DIGITS)


def accepted_number(text: str) -> tuple[Decimal | None, Decimal]:
    """Return value and tolerance of `3.14`, `3.14:0.01`, `3..4` or `*` (any). Raises Refused."""
    clean = text.strip()
    if clean == "*":
        return None, Decimal(0)
    low, dots, high = clean.partition("..")
    if dots:
        least, most = number_of(low), number_of(high)
        middle = EXACT.divide(EXACT.add(least, most), Decimal(2))
        return middle, _not_negative(EXACT.subtract(most, middle))
    value, colon, tolerance = clean.partition(":")
    return number_of(value), _not_negative(number_of(tolerance)) if colon else Decimal(0)


def _not_negative(tolerance: Decimal) -> Decimal:
    if tolerance < 0:
        raise Refused(Key.TOLERANCE)
    return tolerance
