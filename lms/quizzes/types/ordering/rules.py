"""Put into order. Pure."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
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
    mixed,
    places,
    stored,
    unmixed,
)
from lms.quizzes.types.model import Kind, Text, check_options
from lms.quizzes.types.problems import Report


@dataclass(frozen=True, slots=True)
class Ordering:
    """Put into order; the items stand in the right one."""

    kind: ClassVar[Kind] = Kind.ORDERING
    items: tuple[Text, ...]
    all_or_nothing: bool = False


class OrderingType(QuestionType[Ordering]):
    """A place for each item. A response is `{"places": [2, 1, 3]}`; 0 is none yet."""

    kind = Kind.ORDERING
    body = Ordering

    def check(self, body: Ordering, report: Report) -> None:  # noqa: ARG002  # nothing odd
        """Raise Refused without items to order."""
        check_options(body.items)

    def texts(self, body: Ordering) -> Iterator[Text]:
        """Yield the items."""
        yield from body.items

    def deal(self, body: Ordering, random: Random) -> str:
        """Mix the items, always: their order is the key."""
        return mixed(len(body.items), random)

    def shown(self, body: Ordering, order: str) -> dict[str, Any]:
        """Return the items as mixed."""
        return {"items": [body.items[n] for n in unmixed(order, len(body.items))]}

    def read(self, values: Sequence[str]) -> Response:
        """Read one place for each item."""
        return {"places": places([value or "0" for value in values], least=0)}

    def is_blank(self, response: Response) -> bool:
        """Tell whether no item has a place."""
        return not any(stored(response, "places"))

    def score(self, body: Ordering, order: str, response: Response | None) -> Fraction:
        """Give each item at its place the same part, or all or nothing.

        A place given twice is nobody's. Items of the same words may stand for one another.
        """
        shown = unmixed(order, len(body.items))
        given = self._given(body, response)
        used = Counter(given)
        right = sum(self._is_at(body, n, at, used) for n, at in zip(shown, given, strict=True))
        if body.all_or_nothing:
            return ALL if right == len(shown) else NONE
        return Fraction(right, len(shown))

    def solve(self, body: Ordering, order: str) -> Response | None:
        """Give each item its place."""
        return {"places": [n + 1 for n in unmixed(order, len(body.items))]}

    def result(self, body: Ordering, order: str, response: Response | None) -> Result:
        """Return the items in their right order, each with the place it was given."""
        shown = unmixed(order, len(body.items))
        given = dict(zip(shown, self._given(body, response), strict=True))
        used = Counter(given.values())
        return Result(
            tuple(
                Line(
                    item,
                    best=self._is_at(body, n, given[n], used),
                    said=str(given[n] or ""),
                    wanted=str(n + 1),
                )
                for n, item in enumerate(body.items)
            ),
            blank=not any(given.values()),
        )

    @staticmethod
    def _is_at(body: Ordering, n: int, at: int, used: Counter[int]) -> bool:
        """Tell whether an item is where it, or one of the same words, belongs."""
        return at > 0 and used[at] == 1 and body.items[at - 1] == body.items[n]

    @staticmethod
    def _given(body: Ordering, response: Response | None) -> list[int]:
        """Return the place of each item as shown; 0 where it has none."""
        count = len(body.items)
        found = (stored(response, "places") + [0] * count)[:count]
        return [at if 0 < at <= count else 0 for at in found]


TYPE = OrderingType()
