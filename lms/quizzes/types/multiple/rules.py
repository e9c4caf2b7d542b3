"""Choose all that are right. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from random import Random
from typing import Any, ClassVar

from lms.quizzes.types.base import (
    ALL,
    NONE,
    Line,
    QuestionType,
    Response,
    Result,
    SameKey,
    key_places,
    mixed,
    places,
    stored,
    unmixed,
)
from lms.quizzes.types.model import (
    HUNDRED,
    Kind,
    Option,
    Text,
    check_options,
    check_weights,
    digits,
    share,
)
from lms.quizzes.types.problems import Key, Refused, Report

SUM_SLACK = Decimal(1)
"""Per cent by which rounded weights may miss 100 in all."""


@dataclass(frozen=True, slots=True)
class Multiple:
    """Choose all that are right: all of them or nothing (weights 100 and 0), or each its part."""

    kind: ClassVar[Kind] = Kind.MULTIPLE
    options: tuple[Option, ...]
    all_or_nothing: bool = False
    shuffle: bool = True

    @property
    def right(self) -> tuple[int, ...]:
        """The places of the options that belong to the answer."""
        return tuple(n for n, one in enumerate(self.options) if one.weight > 0)


class MultipleType(QuestionType[Multiple]):
    """Several choices. A response is `{"picks": [1, 3]}`."""

    kind = Kind.MULTIPLE
    body = Multiple

    def check(self, body: Multiple, report: Report) -> None:
        """Raise Refused without a right option; report weights that do not make 100."""
        check_options([one.text for one in body.options])
        check_weights([one.weight for one in body.options])
        if not body.right:
            raise Refused(Key.NO_RIGHT)
        if body.all_or_nothing:
            if any(one.weight not in (0, HUNDRED) for one in body.options):
                raise Refused(Key.ALL_WEIGHTS)
            return
        total = sum((body.options[n].weight for n in body.right), Decimal(0))
        if abs(total - HUNDRED) > SUM_SLACK:
            report.warn(Key.SUM, sum=digits(total))

    def texts(self, body: Multiple) -> Iterator[Text]:
        """Yield options and what is said about them."""
        for one in body.options:
            yield from (one.text, one.feedback)

    def deal(self, body: Multiple, random: Random) -> str:
        """Mix the options where the author allows it."""
        return mixed(len(body.options), random, mix=body.shuffle)

    def shown(self, body: Multiple, order: str) -> dict[str, Any]:
        """Return the options in the order shown."""
        return {"options": [body.options[n].text for n in unmixed(order, len(body.options))]}

    def read(self, values: Sequence[str]) -> Response:
        """Read the boxes that are ticked; none is allowed."""
        return {"picks": sorted(set(places(values)))}

    def is_blank(self, response: Response) -> bool:
        """Tell whether no box is ticked."""
        return not stored(response, "picks")

    def score(self, body: Multiple, order: str, response: Response | None) -> Fraction:
        """Give all or nothing, or the sum of the weights of what is ticked, never below 0.

        That sum is Moodle's rule for "multiple answers allowed": the weights of the right ones add
        up, a wrong one takes its negative weight away, and less than nothing is nothing (Moodle,
        question/type/multichoice, `qtype_multichoice_multi_question::grade_response`). Two things
        are ours. The sum is divided by that of all right options, so that thirds of 33.33333 make
        a whole. And where the author gave no wrong option a weight, the wrong ones share -100 per
        cent among them: otherwise whoever ticks every box would be right.
        """
        picks = self._picked(body, order, response)
        right = set(body.right)
        if body.all_or_nothing:
            return ALL if picks == right else NONE
        whole = sum((Fraction(body.options[n].weight) for n in right), NONE)
        wrong = [n for n in range(len(body.options)) if n not in right]
        silent = all(body.options[n].weight == 0 for n in wrong)
        earned = NONE
        for n in picks:
            if n in right or not silent:
                earned += Fraction(body.options[n].weight) / whole
            else:
                earned -= Fraction(1, len(wrong))
        return max(NONE, earned)

    def solve(self, body: Multiple, order: str) -> Response | None:
        """Tick every right option."""
        shown = enumerate(unmixed(order, len(body.options)), 1)
        return {"picks": [at for at, n in shown if n in body.right]}

    def result(self, body: Multiple, order: str, response: Response | None) -> Result:
        """Return each option as shown, with why it belongs or not."""
        picks = self._picked(body, order, response)
        return Result(
            tuple(
                Line(
                    body.options[n].text,
                    chosen=n in picks,
                    best=n in body.right,
                    feedback=body.options[n].feedback,
                )
                for n in unmixed(order, len(body.options))
            ),
            blank=not picks,
        )

    def answer(self, body: Multiple) -> str:
        """Return the options that belong to the answer."""
        return "; ".join(self.calls_right(body))

    def calls_right(self, body: Multiple) -> tuple[str, ...]:
        """Return each option that belongs to the answer."""
        return tuple(body.options[n].text.value for n in body.right)

    def key_of(self, body: Multiple) -> list[str]:
        """Return the places of the options that belong to the answer."""
        return [str(n + 1) for n in body.right]

    def rekey(self, body: Multiple, values: Sequence[str], why: Text) -> Multiple:
        """Make other options the right ones.

        They share the whole evenly. What was not right and is not now keeps its weight; what is
        right no more takes away as much as the worst of those.
        """
        right = {n - 1 for n in key_places(values, len(body.options))}
        if right == set(body.right):
            raise SameKey(", ".join(values))
        worst = min(one.weight for one in (*body.options, Option(Text(""))))
        whole = HUNDRED if body.all_or_nothing else share(len(right))
        options = []
        for n, one in enumerate(body.options):
            if n in right:
                kept = one.feedback if n in body.right else why
                options.append(replace(one, weight=whole, feedback=kept))
            else:
                options.append(replace(one, weight=worst, feedback=why) if n in body.right else one)
        return replace(body, options=tuple(options))

    @staticmethod
    def _picked(body: Multiple, order: str, response: Response | None) -> set[int]:
        shown = unmixed(order, len(body.options))
        return {shown[at - 1] for at in stored(response, "picks") if 1 <= at <= len(shown)}


TYPE = MultipleType()
