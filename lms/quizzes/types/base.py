"""What every type of question can do. Pure: no Flask, database or clock.

An order is the permutation of a sitting, written as letters: `CAB` shows the third first. What a
page sends is a list of values under one name, in the order of its fields; `read` makes of it a
response that JSON can hold. A response speaks of places as shown, from 1.
"""

import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from random import Random
from string import ascii_uppercase
from typing import Any, ClassVar, Generic, TypeVar

from lms.core.errors import DomainError
from lms.quizzes.types import codec
from lms.quizzes.types.model import HUNDRED, MOST_OPTIONS, NOTHING, Kind, Text
from lms.quizzes.types.problems import Report

B = TypeVar("B")
Response = Mapping[str, Any]
NONE = Fraction(0)
ALL = Fraction(1)
LONGEST_LINE = 500
"""Characters of an answer of one line."""


class BadResponse(DomainError):
    """What a page sent is not an answer to a question of this type; a page of ours never does."""


class TooLong(BadResponse):
    """An answer has more than `most` characters."""

    def __init__(self, most: int) -> None:
        super().__init__(str(most))
        self.most = most


class NotAKey(DomainError):
    """What should be the key instead is none for a question of this type."""


class SameKey(NotAKey):
    """What should be the key instead is the one there is."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a result: an option, a left side, an item, or an answer that is accepted."""

    text: Text
    chosen: bool = False
    """Whether the person chose it."""
    best: bool = False
    """Whether it belongs to the right answer, or was found."""
    said: str = ""
    """What the person put beside it."""
    wanted: str = ""
    """What belongs beside it."""
    feedback: Text = NOTHING


@dataclass(frozen=True, slots=True)
class Result:
    """A question after the sitting, with its key."""

    lines: tuple[Line, ...] = ()
    given: str = ""
    """What the person wrote, if it was to be written."""
    blank: bool = False
    """Whether there is no answer."""


class QuestionType(ABC, Generic[B]):
    """One type of question: how it is shown, read, and marked."""

    kind: ClassVar[Kind]
    body: type[B]
    by_hand: ClassVar[bool] = False
    """Whether somebody has to mark it."""
    is_written: ClassVar[bool] = False
    """Whether the answer is written: the lines of a result are what is accepted then."""
    kept: ClassVar[tuple[str, ...]] = ()
    """Fields of the body that only a corrected key fills: nobody writes them into a file."""

    @abstractmethod
    def check(self, body: B, report: Report) -> None:
        """Raise Refused when it cannot be asked; report what is odd about it."""

    @abstractmethod
    def texts(self, body: B) -> Iterator[Text]:
        """Yield every text of the body."""

    def deal(self, body: B, random: Random) -> str:  # noqa: ARG002  # for the types that mix
        """Return the order of one sitting; empty where nothing is mixed."""
        return ""

    @abstractmethod
    def shown(self, body: B, order: str) -> dict[str, Any]:
        """Return what a running page may say: no key, no rationale, no feedback."""

    @abstractmethod
    def read(self, values: Sequence[str]) -> Response:
        """Return the response a page sent. Raises BadResponse."""

    @abstractmethod
    def is_blank(self, response: Response) -> bool:
        """Tell whether a response leaves the question without an answer."""

    @abstractmethod
    def score(self, body: B, order: str, response: Response | None) -> Fraction | None:
        """Return the share of the mark, 0 to 1; None while it waits for whoever marks it."""

    @abstractmethod
    def solve(self, body: B, order: str) -> Response | None:
        """Return a response that earns everything, if there is one."""

    @abstractmethod
    def result(self, body: B, order: str, response: Response | None) -> Result:
        """Return what the page says after the sitting."""

    @abstractmethod
    def answer(self, body: B) -> str:
        """Return the key in words, on one line; empty where there is none."""

    def calls_right(self, body: B) -> tuple[str, ...]:
        """Return in words each thing the key calls right; the whole key where it is one thing."""
        words = self.answer(body)
        return (words,) if words else ()

    @abstractmethod
    def key_of(self, body: B) -> list[str]:
        """Return the key as the fields of a page hold it, as `rekey` reads it."""

    @abstractmethod
    def rekey(self, body: B, values: Sequence[str], why: Text) -> B:
        """Return the body with another key, and `why` where a text spoke for the other one.

        What a page shows stays the same under every order: old answers are marked by the new key.
        Raises NotAKey, SameKey.
        """

    def keyless(self, found: Result) -> Result:
        """Return a result of a question in which nothing is right: what was answered, no more."""
        lines = () if self.is_written else found.lines
        said = tuple(Line(line.text, chosen=line.chosen, said=line.said) for line in lines)
        return Result(said, found.given, found.blank)

    def dump(self, body: B) -> dict[str, Any]:
        """Return the body as JSON."""
        found: dict[str, Any] = codec.dump(body)
        return found

    def load(self, raw: object) -> B:
        """Return the body that JSON (or a file of content) held. Raises codec.Unloadable."""
        return codec.load(self.body, raw)


def mixed(count: int, random: Random, *, mix: bool = True) -> str:
    """Return an order of so many."""
    letters = ascii_uppercase[:count]
    return "".join(random.sample(letters, count)) if mix else letters


def unmixed(order: str, count: int) -> list[int]:
    """Return which one stands at each place shown; as in the file when the order does not fit."""
    letters = ascii_uppercase[:count]
    if sorted(order) != list(letters):
        return list(range(count))
    return [letters.index(letter) for letter in order]


def part(weight: Decimal) -> Fraction:
    """Return a weight in per cent as a share of the mark; never below 0."""
    return max(NONE, min(ALL, Fraction(weight) / Fraction(HUNDRED)))


def place(value: str, least: int = 1) -> int:
    """Return a place among what is shown; 0 is none, where that may be. Raises BadResponse."""
    number = int(value) if len(value) <= 2 and value.isascii() and value.isdigit() else -1
    if not least <= number <= MOST_OPTIONS:
        raise BadResponse(value[:20])
    return number


def key_places(values: Sequence[str], count: int) -> list[int]:
    """Return places that were chosen for a key, each of so many. Raises NotAKey."""
    try:
        found = [place(value) for value in values]
    except BadResponse as error:
        raise NotAKey(str(error)) from None
    if not found or max(found) > count:
        raise NotAKey(" ".join(values)[:20])
    return found


def key_lines(values: Sequence[str]) -> list[str]:
    """Return the lines of a key that is written, one answer each. Raises NotAKey."""
    try:
        text = written("\n".join(values), MOST_OPTIONS * LONGEST_LINE)
    except BadResponse as error:
        raise NotAKey(str(error)) from None
    lines = [line for line in map(str.strip, text.split("\n")) if line]
    if not 0 < len(lines) <= MOST_OPTIONS or max(map(len, lines)) > LONGEST_LINE:
        raise NotAKey(str(len(lines)))
    return list(dict.fromkeys(lines))


def places(values: Sequence[str], least: int = 1) -> list[int]:
    """Return several places. Raises BadResponse."""
    if len(values) > MOST_OPTIONS:
        raise BadResponse(str(len(values)))
    return [place(value, least) for value in values]


def written(value: str, most: int = LONGEST_LINE) -> str:
    """Return a text somebody wrote, with nothing a database cannot hold. Raises TooLong."""
    if len(value) > most:
        raise TooLong(most)
    value = value.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(
        " " if unicodedata.category(one) in ("Cc", "Cs") and one not in "\n\t" else one
        for one in value
    ).strip()


def stored(response: Response | None, name: str) -> list[int]:
    """Return the places of a stored response; none when it is of another type."""
    found = response.get(name) if response else None
    return [one for one in found if isinstance(one, int)] if isinstance(found, list) else []


def said(response: Response | None, name: str) -> str:
    """Return a text of a stored response; empty when it is of another type."""
    found = response.get(name) if response else None
    return found if isinstance(found, str) else ""
