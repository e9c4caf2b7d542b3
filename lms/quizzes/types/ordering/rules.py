"""Put into order. Pure."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
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
    mixed,
    place,
    places,
    stored,
    unmixed,
)
from lms.quizzes.types.model import Kind, Text, check_options
from lms.quizzes.types.problems import Report


@dataclass(frozen=True, slots=True)
class Ordering:
    """Put into order; the items stand in the right one, unless a corrected key says other."""

    kind: ClassVar[Kind] = Kind.ORDERING
    items: tuple[Text, ...]
    all_or_nothing: bool = False
    places: tuple[int, ...] = ()
    """The right place of each item, from 1, where the key was corrected."""

    @property
    def right_places(self) -> tuple[int, ...]:
        """The right place of each item."""
        listed = tuple(range(1, len(self.items) + 1))
        return self.places if tuple(sorted(self.places)) == listed else listed

    @property
    def in_order(self) -> tuple[int, ...]:
        """The items in their right order, by where they are listed."""
        places = self.right_places
        return tuple(sorted(range(len(places)), key=places.__getitem__))


class OrderingType(QuestionType[Ordering]):
    """A place for each item. A response is `{"places": [2, 1, 3]}`; 0 is none yet."""

    kind = Kind.ORDERING
    body = Ordering
    kept = ("places",)

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
        """Read one place for each item; see `placed`."""
        return {"places": placed(values)}

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
        return {"places": [body.right_places[n] for n in unmixed(order, len(body.items))]}

    def result(self, body: Ordering, order: str, response: Response | None) -> Result:
        """Return the items in their right order, each with the place it was given."""
        shown = unmixed(order, len(body.items))
        given = dict(zip(shown, self._given(body, response), strict=True))
        used = Counter(given.values())
        return Result(
            tuple(
                Line(
                    body.items[n],
                    best=self._is_at(body, n, given[n], used),
                    said=str(given[n] or ""),
                    wanted=str(body.right_places[n]),
                )
                for n in body.in_order
            ),
            blank=not any(given.values()),
        )

    def keyless(self, found: Result) -> Result:
        """Return the items as the person put them; then those without a place, by their words."""
        plain = super().keyless(found)
        last = len(plain.lines) + 1
        lines = sorted(plain.lines, key=lambda one: (int(one.said or last), one.text.value))
        return replace(plain, lines=tuple(lines))

    def answer(self, body: Ordering) -> str:
        """Return the items in their order."""
        return " → ".join(body.items[n].value for n in body.in_order)

    def key_of(self, body: Ordering) -> list[str]:
        """Return the place of each item, as `placed` reads it."""
        return [f"{n}:{at}" for n, at in enumerate(body.right_places, 1)]

    def rekey(self, body: Ordering, values: Sequence[str], why: Text) -> Ordering:  # noqa: ARG002
        """Give the items other places; they stay where they stand, so old answers fit."""
        try:
            found = tuple(placed(values))
        except BadResponse as error:
            raise NotAKey(str(error)) from None
        if sorted(found) != list(range(1, len(body.items) + 1)):
            raise NotAKey(" ".join(values)[:20])
        new = replace(body, places=() if list(found) == sorted(found) else found)
        if [new.items[n] for n in new.in_order] == [body.items[n] for n in body.in_order]:
            raise SameKey(" ".join(values)[:20])
        return new

    @staticmethod
    def _is_at(body: Ordering, n: int, at: int, used: Counter[int]) -> bool:
        """Tell whether an item is where it, or one of the same words, belongs."""
        belongs = body.items[body.in_order[at - 1]] if at > 0 else None
        return used[at] == 1 and belongs == body.items[n]

    @staticmethod
    def _given(body: Ordering, response: Response | None) -> list[int]:
        """Return the place of each item as shown; 0 where it has none."""
        count = len(body.items)
        found = (stored(response, "places") + [0] * count)[:count]
        return [at if 0 < at <= count else 0 for at in found]


def placed(values: Sequence[str]) -> list[int]:
    """Return the place each item was given, 0 for none. Raises BadResponse.

    A value names its item: `2:1` puts the second one first, `2:` nowhere. So a page may move its
    lines. Without names the values stand in the order of the items.
    """
    named = [value.partition(":") for value in values]
    if not any(colon for _item, colon, _at in named):
        return places([value or "0" for value in values], least=0)
    found = {place(item): place(at or "0", least=0) for item, _colon, at in named}
    whole = all(colon for _item, colon, _at in named) and max(found) == len(values)
    if len(found) != len(values) or not whole:
        raise BadResponse(str(len(values)))
    return [found[n] for n in sorted(found)]


TYPE = OrderingType()
