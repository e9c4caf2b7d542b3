"""Write a text that somebody marks. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar

from lms.quizzes.types.base import (
    NONE,
    BadResponse,
    NotAKey,
    QuestionType,
    Response,
    Result,
    said,
    written,
)
from lms.quizzes.types.model import NOTHING, Kind, Text
from lms.quizzes.types.problems import Key, Refused, Report

LONGEST = 20_000
"""Characters of an essay: about 3,000 words."""


@dataclass(frozen=True, slots=True)
class Essay:
    """Write a text that somebody marks."""

    kind: ClassVar[Kind] = Kind.ESSAY
    least_words: int | None = None
    most_words: int | None = None
    guidance: Text = NOTHING
    """For whoever marks it."""
    start: Text = NOTHING
    """What stands in the field at first."""


class EssayType(QuestionType[Essay]):
    """A text. A response is `{"text": "…"}`."""

    kind = Kind.ESSAY
    body = Essay
    by_hand = True

    def check(self, body: Essay, report: Report) -> None:  # noqa: ARG002  # nothing odd
        """Raise Refused when the limits contradict each other."""
        least, most = body.least_words, body.most_words
        if least is not None and most is not None and least > most:
            raise Refused(Key.WORD_LIMITS)

    def texts(self, body: Essay) -> Iterator[Text]:
        """Yield what is said to whoever marks, and what the field starts with."""
        yield from (body.guidance, body.start)

    def shown(self, body: Essay, order: str) -> dict[str, Any]:  # noqa: ARG002  # nothing is mixed
        """Return the limits of words and what the field starts with."""
        return {
            "least_words": body.least_words,
            "most_words": body.most_words,
            "start": body.start,
            "most_letters": LONGEST,
        }

    def read(self, values: Sequence[str]) -> Response:
        """Read the text. Its number of words is not refused: who marks it sees it."""
        if len(values) > 1:
            raise BadResponse(str(len(values)))
        return {"text": written(values[0], LONGEST) if values else ""}

    def is_blank(self, response: Response) -> bool:
        """Tell whether nothing is written."""
        return not said(response, "text")

    def score(self, body: Essay, order: str, response: Response | None) -> Fraction | None:  # noqa: ARG002
        """Give nothing for nothing; all else waits for whoever marks it."""
        text = said(response, "text")
        return None if text and text != body.start.value else NONE

    def solve(self, body: Essay, order: str) -> Response | None:  # noqa: ARG002
        """Have no answer: no text is right by itself."""
        return None

    def result(self, body: Essay, order: str, response: Response | None) -> Result:  # noqa: ARG002
        """Return what was written."""
        text = said(response, "text")
        return Result((), text, blank=not text or text == body.start.value)

    def answer(self, body: Essay) -> str:  # noqa: ARG002  # no text is right by itself
        """Return nothing: people mark it."""
        return ""

    def key_of(self, body: Essay) -> list[str]:  # noqa: ARG002
        """Return nothing: people mark it."""
        return []

    def rekey(self, body: Essay, values: Sequence[str], why: Text) -> Essay:  # noqa: ARG002
        """Refuse: what people marked, people look at again."""
        raise NotAKey(self.kind)


def words(text: str) -> int:
    """Count the words of a text."""
    return len(text.split())


TYPE = EssayType()
