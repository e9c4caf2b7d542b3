"""A question as the columns of an item version hold it. Pure.

`body` is the dump of its type's body. Beside it may stand what is said about the question as a
whole, and its text where that is more than plain words: `stem`, `feedback`, `right`, `partly`,
`wrong`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from lms.quizzes.types import codec
from lms.quizzes.types.base import QuestionType
from lms.quizzes.types.model import HUNDRED, NOTHING, Format, Kind, Option, Text
from lms.quizzes.types.question import SILENT, TYPES, Outcomes, Question
from lms.quizzes.types.single.rules import Single

BESIDE = ("stem", "feedback", "right", "partly", "wrong")


@dataclass(frozen=True, slots=True)
class Asked:
    """One wording of a question, with its key: never send it to a page as it is."""

    type: QuestionType[Any]
    body: Any
    stem: Text
    feedback: Text = NOTHING
    """Said to everybody after the sitting."""
    outcomes: Outcomes = SILENT

    def outcome(self, earned: Fraction) -> Text:
        """Return what is said about an answer that earned so much."""
        if earned == 1:
            return self.outcomes.right
        return self.outcomes.partly if earned else self.outcomes.wrong


def pack(question: Question) -> tuple[str, str, dict[str, Any]]:
    """Return the columns kind, stem and body of a question. Raises KeyError for what asks nothing.

    Hints, name, tags and the mark are not in them.
    """
    body = TYPES[question.kind].dump(question.body)
    texts = (question.feedback, *_said(question.outcomes))
    if question.stem.format is not Format.PLAIN or question.stem.images:
        body["stem"] = codec.dump(question.stem)
    body |= {name: codec.dump(text) for name, text in zip(BESIDE[1:], texts, strict=True) if text}
    return str(question.kind), question.stem.value, body


def _said(outcomes: Outcomes) -> tuple[Text, Text, Text]:
    return outcomes.right, outcomes.partly, outcomes.wrong


def unpack(kind: str, stem: str, body: Mapping[str, Any]) -> Asked:
    """Return the question that stands in the columns. Raises codec.Unloadable, ValueError."""
    found = TYPES[Kind(kind)]
    beside = {name: codec.load(Text, body[name], (name,)) for name in BESIDE if name in body}
    return Asked(
        found,
        found.load({name: value for name, value in body.items() if name not in BESIDE}),
        beside.get("stem", Text(stem)),
        beside.get("feedback", NOTHING),
        Outcomes(*(beside.get(name, NOTHING) for name in BESIDE[2:])),
    )


def of_options(stem: str, options: Sequence[Mapping[str, str]], key: str) -> Asked:
    """Return the single best answer that stands in the columns `options` and `key`."""
    body = Single(
        tuple(
            Option(
                Text(option["text"]),
                HUNDRED if option["key"] == key else Decimal(0),
                Text(option["rationale"]),
            )
            for option in options
        )
    )
    return Asked(TYPES[Kind.SINGLE], body, Text(stem))
