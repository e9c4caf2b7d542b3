"""Say whether it is so. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
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
)
from lms.quizzes.types.model import NOTHING, Kind, Text
from lms.quizzes.types.problems import Report

WORDS = {True: "Benar", False: "Salah"}
"""What a page offers: in Indonesian, like every question."""


@dataclass(frozen=True, slots=True)
class TrueFalse:
    """Say whether it is so; each of the two answers has its feedback."""

    kind: ClassVar[Kind] = Kind.TRUE_FALSE
    answer: bool
    when_true: Text = NOTHING
    when_false: Text = NOTHING


class TrueFalseType(QuestionType[TrueFalse]):
    """Two choices. A response is `{"answer": true}`."""

    kind = Kind.TRUE_FALSE
    body = TrueFalse

    def check(self, body: TrueFalse, report: Report) -> None:
        """Find nothing: it can always be asked."""

    def texts(self, body: TrueFalse) -> Iterator[Text]:
        """Yield what is said about either answer."""
        yield from (body.when_true, body.when_false)

    def shown(self, body: TrueFalse, order: str) -> dict[str, Any]:  # noqa: ARG002  # always both
        """Return the two answers."""
        return {"options": [("true", WORDS[True]), ("false", WORDS[False])]}

    def read(self, values: Sequence[str]) -> Response:
        """Read the one choice."""
        if len(values) > 1 or not set(values) <= {"true", "false"}:
            raise BadResponse(" ".join(values)[:20])
        return {"answer": values[0] == "true" if values else None}

    def is_blank(self, response: Response) -> bool:
        """Tell whether nothing is chosen."""
        return response.get("answer") is None

    def score(self, body: TrueFalse, order: str, response: Response | None) -> Fraction:  # noqa: ARG002
        """Give all or nothing."""
        return ALL if response and response.get("answer") is body.answer else NONE

    def solve(self, body: TrueFalse, order: str) -> Response | None:  # noqa: ARG002
        """Say what is so."""
        return {"answer": body.answer}

    def result(self, body: TrueFalse, order: str, response: Response | None) -> Result:  # noqa: ARG002
        """Return both answers."""
        answer = response.get("answer") if response else None
        return Result(
            tuple(
                Line(Text(WORDS[so]), chosen=answer is so, best=body.answer is so, feedback=why)
                for so, why in ((True, body.when_true), (False, body.when_false))
            ),
            blank=answer is None,
        )

    def answer(self, body: TrueFalse) -> str:
        """Say whether it is so."""
        return WORDS[body.answer]

    def key_of(self, body: TrueFalse) -> list[str]:
        """Return what is so."""
        return ["true" if body.answer else "false"]

    def rekey(self, body: TrueFalse, values: Sequence[str], why: Text) -> TrueFalse:
        """Turn it round: what was said about either answer is wrong then."""
        if len(values) != 1 or values[0] not in ("true", "false"):
            raise NotAKey(" ".join(values)[:20])
        if list(values) == self.key_of(body):
            raise SameKey(values[0])
        return TrueFalse(not body.answer, why, why)


TYPE = TrueFalseType()
