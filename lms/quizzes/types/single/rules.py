"""Choose the best answer of several. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from random import Random
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
    key_places,
    mixed,
    part,
    place,
    unmixed,
)
from lms.quizzes.types.model import HUNDRED, Kind, Option, Text, check_options, check_weights
from lms.quizzes.types.problems import Key, Refused, Report


@dataclass(frozen=True, slots=True)
class Single:
    """Choose the best answer; other options may earn a part."""

    kind: ClassVar[Kind] = Kind.SINGLE
    options: tuple[Option, ...]
    shuffle: bool = True

    @property
    def right(self) -> tuple[int, ...]:
        """The places of the options that earn everything."""
        return tuple(n for n, one in enumerate(self.options) if one.weight == HUNDRED)


class SingleType(QuestionType[Single]):
    """One choice. A response is `{"choice": 2}`; it is stored as `AnswerEvent.choice`."""

    kind = Kind.SINGLE
    body = Single

    def check(self, body: Single, report: Report) -> None:
        """Raise Refused without a right option."""
        check_options([one.text for one in body.options])
        check_weights([one.weight for one in body.options])
        if not body.right:
            raise Refused(Key.NO_RIGHT)
        if len(body.right) > 1:
            report.note(Key.SEVERAL_RIGHT, count=len(body.right))

    def texts(self, body: Single) -> Iterator[Text]:
        """Yield options and what is said about them."""
        for one in body.options:
            yield from (one.text, one.feedback)

    def deal(self, body: Single, random: Random) -> str:
        """Mix the options where the author allows it."""
        return mixed(len(body.options), random, mix=body.shuffle)

    def shown(self, body: Single, order: str) -> dict[str, Any]:
        """Return the options in the order shown."""
        return {"options": [body.options[n].text for n in unmixed(order, len(body.options))]}

    def read(self, values: Sequence[str]) -> Response:
        """Read the one choice."""
        if len(values) > 1:
            raise BadResponse(str(len(values)))
        return {"choice": place(values[0]) if values else None}

    def is_blank(self, response: Response) -> bool:
        """Tell whether nothing is chosen."""
        return response.get("choice") is None

    def score(self, body: Single, order: str, response: Response | None) -> Fraction:
        """Give the chosen option's weight; a negative one earns nothing."""
        chosen = self._chosen(body, order, response)
        return NONE if chosen is None else part(body.options[chosen].weight)

    def solve(self, body: Single, order: str) -> Response | None:
        """Choose the first option that earns everything."""
        for at, n in enumerate(unmixed(order, len(body.options)), 1):
            if part(body.options[n].weight) == ALL:
                return {"choice": at}
        return None

    def result(self, body: Single, order: str, response: Response | None) -> Result:
        """Return each option as shown, with why it is as good as it is."""
        chosen, right = self._chosen(body, order, response), body.right
        return Result(
            tuple(
                Line(
                    body.options[n].text,
                    chosen=n == chosen,
                    best=n in right,
                    feedback=body.options[n].feedback,
                )
                for n in unmixed(order, len(body.options))
            ),
            blank=chosen is None,
        )

    def answer(self, body: Single) -> str:
        """Return the options that earn everything."""
        return " / ".join(self.calls_right(body))

    def calls_right(self, body: Single) -> tuple[str, ...]:
        """Return each option that earns everything."""
        return tuple(body.options[n].text.value for n in body.right)

    def key_of(self, body: Single) -> list[str]:
        """Return the place of the best option."""
        return [str(n + 1) for n in body.right[:1]]

    def rekey(self, body: Single, values: Sequence[str], why: Text) -> Single:
        """Make another option the best one; what earns a part goes on earning it."""
        best = [n - 1 for n in key_places(values, len(body.options))]
        if len(best) > 1:
            raise NotAKey(str(len(best)))
        if tuple(best) == body.right:
            raise SameKey(str(best[0] + 1))
        options = [
            replace(one, weight=HUNDRED if n in best else Decimal(0), feedback=why)
            if n in best or n in body.right
            else one
            for n, one in enumerate(body.options)
        ]
        return replace(body, options=tuple(options))

    @staticmethod
    def _chosen(body: Single, order: str, response: Response | None) -> int | None:
        choice = response.get("choice") if response else None
        if not isinstance(choice, int) or not 1 <= choice <= len(body.options):
            return None
        return unmixed(order, len(body.options))[choice - 1]


TYPE = SingleType()
