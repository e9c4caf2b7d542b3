"""Find what belongs to each. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from random import Random
from typing import Any, ClassVar

from lms.quizzes.types.base import (
    Line,
    NotAKey,
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
from lms.quizzes.types.model import Kind, Text, check_count
from lms.quizzes.types.problems import Key, Refused, Report


@dataclass(frozen=True, slots=True)
class Pair:
    """What belongs together. Without a left side, `right` only distracts."""

    left: Text
    right: str


@dataclass(frozen=True, slots=True)
class Matching:
    """Find what belongs to each left side."""

    kind: ClassVar[Kind] = Kind.MATCHING
    pairs: tuple[Pair, ...]
    shuffle: bool = True
    offered: tuple[str, ...] = ()
    """The right sides as they are shown, where a corrected key does not give them so."""

    @property
    def asked(self) -> tuple[Pair, ...]:
        """The pairs that have a left side."""
        return tuple(pair for pair in self.pairs if pair.left)

    @property
    def choices(self) -> tuple[str, ...]:
        """The right sides, each once."""
        return tuple(dict.fromkeys((*self.offered, *(pair.right for pair in self.pairs))))


class MatchingType(QuestionType[Matching]):
    """A choice for each left side. A response is `{"picks": [2, 0, 1]}`; 0 is none yet.

    An order has two parts: of the left sides, which the author may keep, and of the choices.
    """

    kind = Kind.MATCHING
    body = Matching
    kept = ("offered",)

    def check(self, body: Matching, report: Report) -> None:  # noqa: ARG002  # nothing odd
        """Raise Refused without pairs to find."""
        if len(body.pairs) < 2 or not body.asked:
            raise Refused(Key.FEW_OPTIONS, least=2)
        check_count(len(body.pairs))
        if not all(pair.right for pair in body.pairs):
            raise Refused(Key.EMPTY_OPTION)

    def texts(self, body: Matching) -> Iterator[Text]:
        """Yield the left sides."""
        yield from (pair.left for pair in body.pairs)

    def deal(self, body: Matching, random: Random) -> str:
        """Mix both sides; the left one only where the author allows it."""
        left = mixed(len(body.asked), random, mix=body.shuffle)
        return f"{left}-{mixed(len(body.choices), random)}"

    def shown(self, body: Matching, order: str) -> dict[str, Any]:
        """Return the left sides and the choices, each in the order shown."""
        lefts, rights = self._layout(body, order)
        return {
            "lefts": [pair.left for pair in lefts],
            "choices": list(enumerate(rights, 1)),
        }

    def read(self, values: Sequence[str]) -> Response:
        """Read one choice for each left side."""
        return {"picks": places([value or "0" for value in values], least=0)}

    def is_blank(self, response: Response) -> bool:
        """Tell whether nothing is chosen."""
        return not any(stored(response, "picks"))

    def score(self, body: Matching, order: str, response: Response | None) -> Fraction:
        """Give each left side the same part, as Moodle does."""
        lefts, _rights = self._layout(body, order)
        found = self._found(body, order, response)
        right = sum(pair.right == said for pair, said in zip(lefts, found, strict=True))
        return Fraction(right, len(lefts))

    def solve(self, body: Matching, order: str) -> Response | None:
        """Choose what belongs to each."""
        lefts, rights = self._layout(body, order)
        return {"picks": [rights.index(pair.right) + 1 for pair in lefts]}

    def result(self, body: Matching, order: str, response: Response | None) -> Result:
        """Return each left side with what was chosen and what belongs to it."""
        lefts, _rights = self._layout(body, order)
        found = self._found(body, order, response)
        return Result(
            tuple(
                Line(pair.left, best=said == pair.right, said=said, wanted=pair.right)
                for pair, said in zip(lefts, found, strict=True)
            ),
            blank=not any(found),
        )

    def answer(self, body: Matching) -> str:
        """Return what belongs to each left side."""
        return "; ".join(self.calls_right(body))

    def calls_right(self, body: Matching) -> tuple[str, ...]:
        """Return each pair."""
        return tuple(f"{pair.left.value}: {pair.right}" for pair in body.asked)

    def key_of(self, body: Matching) -> list[str]:
        """Return the choice that belongs to each left side, by its place."""
        return [str(body.choices.index(pair.right) + 1) for pair in body.asked]

    def rekey(self, body: Matching, values: Sequence[str], why: Text) -> Matching:  # noqa: ARG002
        """Put other choices beside the left sides; what could be chosen stays what it was."""
        choices = body.choices
        found = key_places(values, len(choices))
        if len(found) != len(body.asked):
            raise NotAKey(str(len(found)))
        if list(map(str, found)) == self.key_of(body):
            raise SameKey(" ".join(values))
        rights = iter(choices[at - 1] for at in found)
        pairs = tuple(
            replace(pair, right=next(rights)) if pair.left else pair for pair in body.pairs
        )
        plain = replace(body, pairs=pairs, offered=())
        return plain if plain.choices == choices else replace(plain, offered=choices)

    @staticmethod
    def _layout(body: Matching, order: str) -> tuple[list[Pair], list[str]]:
        left, _dash, right = order.partition("-")
        asked, choices = body.asked, body.choices
        return (
            [asked[n] for n in unmixed(left, len(asked))],
            [choices[n] for n in unmixed(right, len(choices))],
        )

    def _found(self, body: Matching, order: str, response: Response | None) -> list[str]:
        """Return what was chosen for each left side as shown; empty where nothing was."""
        lefts, rights = self._layout(body, order)
        picks = stored(response, "picks") + [0] * len(lefts)
        return [
            rights[at - 1] if 1 <= at <= len(rights) else ""
            for at, _pair in zip(picks, lefts, strict=False)
        ]


TYPE = MatchingType()
