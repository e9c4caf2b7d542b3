"""Write a word or a few. Pure."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from string import ascii_lowercase
from typing import Any, ClassVar

from lms.quizzes.types.base import (
    ALL,
    LONGEST_LINE,
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
from lms.quizzes.types.model import HUNDRED, MOST_OPTIONS, NOTHING, Kind, Text, check_answers
from lms.quizzes.types.problems import Key, Refused, Report

PIECES = re.compile(r"\\\*|\*|[^*\\]+|\\")
ANY = None
"""What a `*` became."""


@dataclass(frozen=True, slots=True)
class Accepted:
    r"""One accepted (or expected wrong) answer. `*` stands for any letters, `\*` for a star."""

    value: str
    weight: Decimal = HUNDRED
    feedback: Text = NOTHING


@dataclass(frozen=True, slots=True)
class ShortAnswer:
    """Write a word; the first that fits decides."""

    kind: ClassVar[Kind] = Kind.SHORT_ANSWER
    answers: tuple[Accepted, ...]
    case_matters: bool = False


class ShortAnswerType(QuestionType[ShortAnswer]):
    """A line of text. A response is `{"text": "…"}`, as it was written."""

    kind = Kind.SHORT_ANSWER
    body = ShortAnswer
    is_written = True

    def check(self, body: ShortAnswer, report: Report) -> None:  # noqa: ARG002  # nothing odd
        """Raise Refused without an answer that earns something."""
        check_answers([one.weight for one in body.answers])
        if not all(one.value for one in body.answers):
            raise Refused(Key.EMPTY_OPTION)

    def texts(self, body: ShortAnswer) -> Iterator[Text]:
        """Yield what is said about each answer."""
        yield from (one.feedback for one in body.answers)

    def shown(self, body: ShortAnswer, order: str) -> dict[str, Any]:  # noqa: ARG002
        """Return how long an answer may be; whatever is accepted is the key."""
        return {"most_letters": LONGEST_LINE}

    def read(self, values: Sequence[str]) -> Response:
        """Read the line."""
        if len(values) > 1:
            raise BadResponse(str(len(values)))
        return {"text": written(values[0]) if values else ""}

    def is_blank(self, response: Response) -> bool:
        """Tell whether nothing is written."""
        return not said(response, "text")

    def score(self, body: ShortAnswer, order: str, response: Response | None) -> Fraction:  # noqa: ARG002
        """Give the weight of the first answer that fits."""
        found = self._fitting(body, said(response, "text"))
        return part(found.weight) if found else NONE

    def solve(self, body: ShortAnswer, order: str) -> Response | None:
        """Write the first answer that earns everything, with some letter where any will do."""
        for one in body.answers:
            pieces = _pieces(one.value)
            for any_letter in ("", *ascii_lowercase) if ANY in pieces else ("",):
                text = "".join(any_letter if piece is ANY else piece for piece in pieces).strip()
                if self.score(body, order, {"text": text}) == ALL:
                    return {"text": text}
        return None

    def result(self, body: ShortAnswer, order: str, response: Response | None) -> Result:  # noqa: ARG002
        """Return what was written, what fits it, and what is accepted."""
        text = said(response, "text")
        found = self._fitting(body, text)
        return Result(
            tuple(
                Line(
                    Text("".join("…" if piece is ANY else piece for piece in _pieces(one.value))),
                    chosen=one is found,
                    best=part(one.weight) == ALL,
                    feedback=one.feedback,
                )
                for one in body.answers
                if one is found or part(one.weight) == ALL
            ),
            text,
            blank=not text,
        )

    def answer(self, body: ShortAnswer) -> str:
        """Return what is accepted."""
        return " / ".join(self.calls_right(body))

    def calls_right(self, body: ShortAnswer) -> tuple[str, ...]:
        """Return what is accepted."""
        return tuple(one.value for one in body.answers if part(one.weight) == ALL)

    def key_of(self, body: ShortAnswer) -> list[str]:
        """Return what is accepted, a line each."""
        return ["\n".join(one.value for one in body.answers if part(one.weight) == ALL)]

    def rekey(self, body: ShortAnswer, values: Sequence[str], why: Text) -> ShortAnswer:
        """Accept the answers of some lines, each wholly.

        Whoever wrote anything else is marked as before: the first that fits decides, so all keep
        their sequence and what is new stands in front. What earned a part goes on earning it,
        unless it is one of the new lines.
        """
        known = {one.value for one in body.answers if part(one.weight) == ALL}
        lines = key_lines(values)
        if set(lines) == known:
            raise SameKey(lines[0])
        new = [Accepted(line, HUNDRED, why) for line in lines if line not in known]
        added = {one.value for one in new}
        kept = [
            one
            for one in body.answers
            if one.value not in added and (one.value in lines or part(one.weight) != ALL)
        ]
        if len(new) + len(kept) > MOST_OPTIONS:
            raise NotAKey(str(len(lines)))
        return replace(body, answers=(*new, *kept))

    @staticmethod
    def _fitting(body: ShortAnswer, text: str) -> Accepted | None:
        if not text:
            return None
        return next(
            (one for one in body.answers if fits(one.value, text, case=body.case_matters)), None
        )


def normal(text: str, *, case: bool = False) -> str:
    """Return a text as it is compared.

    Letters that look the same are the same (NFKC), spaces count once, and signs at the ends do not
    count, unless there is nothing else. Capital letters count only where the author says so.
    """
    folded = _folded(text, case).strip()
    return _trim(_trim(folded, left=True), left=False) or folded


def _is_sign(letter: str) -> bool:
    return letter.isspace() or unicodedata.category(letter).startswith("P")


def _pieces(pattern: str) -> list[str | None]:
    """Return an accepted answer in pieces: texts, and None for each `*`."""
    return [
        ANY if piece == "*" else "*" if piece == r"\*" else piece
        for piece in PIECES.findall(pattern)
    ]


def fits(pattern: str, text: str, *, case: bool = False) -> bool:
    """Tell whether an answer is the accepted one. No pattern makes it slow."""
    parts = [""]
    for piece in _pieces(pattern):
        if piece is ANY:
            parts.append("")
        else:
            parts[-1] += piece
    if len(parts) == 1:
        return normal(parts[0], case=case) == normal(text, case=case)
    first, *middle, last = [_folded(one, case) for one in parts]
    first, last = _trim(first, left=True), _trim(last, left=False)
    left = normal(text, case=case)
    if not left.startswith(first) or not left[len(first) :].endswith(last):
        return False
    left = left[len(first) : len(left) - len(last)]
    for one in middle:
        at = left.find(one)
        if at < 0:
            return False
        left = left[at + len(one) :]
    return True


def _folded(text: str, case: bool) -> str:
    """Return a piece of a text as it is compared, with its spaces and signs at the ends."""
    # Folding may take letters apart; what looks the same must stay so.
    text = unicodedata.normalize("NFKC", text)
    if not case:
        text = unicodedata.normalize("NFKC", text.casefold())
    return re.sub(r"\s+", " ", text)


def _trim(text: str, *, left: bool) -> str:
    """Take signs and spaces from one end."""
    while text and _is_sign(text[0 if left else -1]):
        text = text[1:] if left else text[:-1]
    return text


TYPE = ShortAnswerType()
