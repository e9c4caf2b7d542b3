"""Write a number. Pure; all of it exact."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from itertools import product
from typing import Any, ClassVar

from lms.quizzes.types.base import (
    ALL,
    NONE,
    BadResponse,
    Line,
    NotAKey,
    QuestionType,
    Response,
    Result,
    SameKey,
    key_lines,
    part,
    said,
    written,
)
from lms.quizzes.types.model import (
    HUNDRED,
    MOST_OPTIONS,
    NOTHING,
    NUMBER,
    Kind,
    Text,
    accepted_number,
    check_answers,
    digits,
)
from lms.quizzes.types.problems import Key, Refused, Report

LONGEST = 80
"""Characters of a number with its unit."""
WRITTEN = re.compile(r"([+-]?[\d.,]*\d[.,]?(?:[eE][+-]?\d{1,2})?)(.*)", re.DOTALL | re.ASCII)
GROUPED = re.compile(r"[+-]?[1-9]\d{0,2}([.,])\d{3}(?:\1\d{3})*", re.ASCII)
"""A number that can be read as thousands: `1.000`, `12,500,000`."""
ENDS = re.compile(r"\.\.|:")
"""What stands between the numbers of one line of a key."""


@dataclass(frozen=True, slots=True)
class Number:
    """One accepted (or expected wrong) number; without a value, any number."""

    value: Decimal | None
    tolerance: Decimal = Decimal(0)
    weight: Decimal = HUNDRED
    feedback: Text = NOTHING

    @property
    def span(self) -> tuple[Decimal | None, Decimal]:
        """What it accepts."""
        return self.value, self.tolerance

    def __str__(self) -> str:
        if self.value is None:
            return "*"
        return f"{digits(self.value)}:{digits(self.tolerance)}"


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit; a number given in it is divided by `factor` before it is compared."""

    name: str
    factor: Decimal = Decimal(1)


@dataclass(frozen=True, slots=True)
class Numeric:
    """Write a number; the first that fits decides."""

    kind: ClassVar[Kind] = Kind.NUMERIC
    answers: tuple[Number, ...]
    units: tuple[Unit, ...] = ()


class NumericType(QuestionType[Numeric]):
    """A number. A response is `{"text": "2,5", "unit": "kg"}`, as it was written."""

    kind = Kind.NUMERIC
    body = Numeric
    is_written = True

    def check(self, body: Numeric, report: Report) -> None:  # noqa: ARG002  # nothing odd
        """Raise Refused without an answer that earns something."""
        check_answers([one.weight for one in body.answers])
        if any(one.tolerance < 0 for one in body.answers):
            raise Refused(Key.TOLERANCE)

    def texts(self, body: Numeric) -> Iterator[Text]:
        """Yield what is said about each answer."""
        yield from (one.feedback for one in body.answers)

    def shown(self, body: Numeric, order: str) -> dict[str, Any]:  # noqa: ARG002
        """Return the units to choose from; not what they are worth."""
        return {"units": sorted({one.name for one in body.units}), "most_letters": LONGEST}

    def read(self, values: Sequence[str]) -> Response:
        """Read the number and, if there is one to choose, its unit. A text that is no number stays.

        What is on the screen is what is stored; marking says whether it is a number.
        """
        if len(values) > 2:
            raise BadResponse(str(len(values)))
        text, unit = (*(written(value, LONGEST) for value in values), "", "")[:2]
        return {"text": text, "unit": unit}

    def is_blank(self, response: Response) -> bool:
        """Tell whether nothing is written."""
        return not said(response, "text")

    def score(self, body: Numeric, order: str, response: Response | None) -> Fraction:  # noqa: ARG002
        """Give the weight of the first answer that fits; see `readings` for the ways to read it."""
        found = self._fitting(body, response)
        return part(found.weight) if found else NONE

    def solve(self, body: Numeric, order: str) -> Response | None:
        """Write the first number that earns everything, in the first unit in which one does."""
        largest = max(abs(one.value or Decimal(0)) + one.tolerance + 1 for one in body.answers)
        for unit, one in product(body.units or (Unit(""),), body.answers):
            middle = (Decimal(0), largest) if one.value is None else (one.value,)
            for value in (*middle, middle[0] - one.tolerance, middle[0] + one.tolerance):
                response = {"text": digits(value * unit.factor), "unit": unit.name}
                if self.score(body, order, response) == ALL:
                    return response
        return None

    def result(self, body: Numeric, order: str, response: Response | None) -> Result:  # noqa: ARG002
        """Return what was written, what fits it, and what is accepted."""
        found = self._fitting(body, response)
        given = " ".join(filter(None, (said(response, "text"), said(response, "unit"))))
        return Result(
            tuple(
                Line(
                    Text(wording(one, body.units)),
                    chosen=one is found,
                    best=part(one.weight) == ALL,
                    feedback=one.feedback,
                )
                for one in body.answers
                if one is found or part(one.weight) == ALL
            ),
            given,
            blank=not given,
        )

    def answer(self, body: Numeric) -> str:
        """Return what is accepted, with its tolerance."""
        return " / ".join(self.calls_right(body))

    def calls_right(self, body: Numeric) -> tuple[str, ...]:
        """Return each number that is accepted."""
        return tuple(wording(one, body.units) for one in body.answers if part(one.weight) == ALL)

    def key_of(self, body: Numeric) -> list[str]:
        """Return what is accepted, a line each: `2,5:0,1`."""
        found = [one for one in body.answers if part(one.weight) == ALL]
        return ["\n".join(str(one).removesuffix(":0").replace(".", ",") for one in found)]

    def rekey(self, body: Numeric, values: Sequence[str], why: Text) -> Numeric:
        """Accept the numbers of some lines, each wholly: `2,5`, `2,5:0,1`, `2..3` or `*`.

        Whoever wrote anything else is marked as before: the first that fits decides, so all keep
        their sequence and what is new stands in front. What earned a part goes on earning it,
        unless it is one of the new lines. Units stay. `50.000` is refused: of a learner it is read
        in both ways, but a key must not say fifty to one who means fifty thousand.
        """
        known = {one.span for one in body.answers if part(one.weight) == ALL}
        lines = key_lines(values)
        if any(_points_thousands(one) for line in lines for one in ENDS.split(line)):
            raise NotAKey(" ".join(lines)[:20])
        try:
            found = [accepted_number(line.replace(",", ".")) for line in lines]
        except Refused as error:
            raise NotAKey(str(error)) from None
        if set(found) == known:
            raise SameKey(str(len(found)))
        new = [Number(*one, HUNDRED, why) for one in dict.fromkeys(found) if one not in known]
        added = {one.span for one in new}
        kept = [
            one
            for one in body.answers
            if one.span not in added and (one.span in found or part(one.weight) != ALL)
        ]
        if len(new) + len(kept) > MOST_OPTIONS:
            raise NotAKey(str(len(found)))
        return replace(body, answers=(*new, *kept))

    @staticmethod
    def _fitting(body: Numeric, response: Response | None) -> Number | None:
        """Return the answer that decides: of all readings the one that earns most."""
        numbers = values_of(said(response, "text"), said(response, "unit"), body.units)
        found = []
        for number in numbers:
            first = next((one for one in body.answers if _accepts(one, number)), None)
            found += [first] if first else []
        return max(found, key=lambda one: one.weight, default=None)


def _points_thousands(number: str) -> bool:
    """Tell whether the point of a number may group. A comma marks decimals, as a key shows them."""
    clean = number.strip().replace("\N{MINUS SIGN}", "-")
    return "." in clean and GROUPED.fullmatch(clean) is not None


def _accepts(one: Number, number: Fraction) -> bool:
    if one.value is None:
        return True
    return abs(number - Fraction(one.value)) <= Fraction(one.tolerance)


def values_of(text: str, unit: str, units: Sequence[Unit]) -> list[Fraction]:
    """Return what a text may mean, brought to the unit of the key; nothing if it is no number.

    The unit may be chosen or written behind the number. Where the question has units, a number
    without one is no answer; where it has none, none may be written.
    """
    clean = unicodedata.normalize("NFKC", text).replace("\N{MINUS SIGN}", "-").strip()
    match = WRITTEN.fullmatch(clean)
    if not match:
        return []
    number, behind = match[1], match[2].strip()
    if behind and unit:
        return []
    factor = _factor(behind or unit, units)
    if factor is None:
        return []
    return [reading / factor for reading in readings(number)]


def _factor(name: str, units: Sequence[Unit]) -> Fraction | None:
    if not units:
        return None if name else Fraction(1)
    for key in (lambda one: one, str.casefold):  # `Mg` is not `mg`, but `KG` is `kg`
        for one in units:
            if key(one.name.strip()) == key(name) and one.factor:
                return Fraction(one.factor)
    return None


def readings(text: str) -> list[Fraction]:
    """Return the numbers a text may mean.

    Comma and point are both the mark of decimals: `2,5` and `2.5`. With both, the last one is it,
    and the other only groups. `1.000` is read in both ways, as one and as a thousand: which of the
    two somebody is used to is not what is asked.
    """
    found = []
    if GROUPED.fullmatch(text):
        found.append(re.sub(r"[.,]", "", text))
    last = max(text.rfind("."), text.rfind(","))
    whole, decimals = (text[:last], text[last + 1 :]) if last >= 0 else (text, "")
    marks = set(re.findall(r"[.,]", whole))
    if last >= 0 and (not marks or (marks != {text[last]} and GROUPED.fullmatch(whole))):
        found.append(f"{re.sub(r'[.,]', '', whole)}.{decimals}")
    elif last < 0:
        found.append(text)
    return [Fraction(Decimal(one)) for one in found if NUMBER.fullmatch(one)]


def wording(one: Number, units: Sequence[Unit]) -> str:
    """Return an accepted number as a learner reads it."""
    if one.value is None:
        return "…"
    unit = next((unit.name for unit in units if unit.factor == 1), "")
    tolerance = f"± {digits(one.tolerance)}" if one.tolerance else ""
    return " ".join(
        filter(None, (digits(one.value).replace(".", ","), tolerance.replace(".", ","), unit))
    )


TYPE = NumericType()
