"""A question as the columns of an item version hold it. Pure.

`body` is the dump of its type's body. Beside it may stand what is said about the question as a
whole, and its text where that is more than plain words: `stem`, `feedback`, `right`, `partly`,
`wrong`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from string import ascii_uppercase
from typing import Any

from lms.quizzes.types import codec
from lms.quizzes.types.base import QuestionType
from lms.quizzes.types.model import HUNDRED, NOTHING, Format, Kind, Option, Text
from lms.quizzes.types.question import SILENT, TYPES, Outcomes, Question
from lms.quizzes.types.single.rules import Single

KEPT = 1024
"""Questions a process keeps at hand: all of the content, some 3 KiB each."""
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

    def packed(self) -> dict[str, Any]:
        """Return the column `body` that holds it."""
        question = Question(self.body, self.stem, feedback=self.feedback, outcomes=self.outcomes)
        return pack(question)[2]

    def outcome(self, earned: Fraction) -> Text:
        """Return what is said about an answer that earned so much."""
        if earned == 1:
            return self.outcomes.right
        return self.outcomes.partly if earned else self.outcomes.wrong


def columns_of(question: Question) -> dict[str, Any]:
    """Return the columns of an item version that hold a question: kind, stem, options, key, body.

    A single best answer in plain words stands in `options` and `key`, as those of the content do.
    Raises KeyError for what asks nothing.
    """
    kind, stem, body = pack(question)
    if isinstance(question.body, Single) and _is_plain(question, question.body):
        letters = ascii_uppercase[: len(question.body.options)]
        options = [
            {"key": letter, "text": one.text.value, "rationale": one.feedback.value}
            for letter, one in zip(letters, question.body.options, strict=True)
        ]
        key = letters[question.body.right[0]]
        return {"kind": kind, "stem": stem, "options": options, "key": key, "body": None}
    return {"kind": kind, "stem": stem, "options": [], "key": "", "body": body}


def _is_plain(question: Question, body: Single) -> bool:
    texts = [question.stem, *(text for one in body.options for text in (one.text, one.feedback))]
    return (
        body.shuffle
        and len(body.right) == 1
        and all(one.weight in (0, HUNDRED) for one in body.options)
        and all(text.format is Format.PLAIN and not text.images for text in texts)
        and not question.feedback
        and question.outcomes == SILENT
    )


def pack(question: Question) -> tuple[str, str, dict[str, Any]]:
    """Return the columns kind, stem and body of a question. Raises KeyError for what asks nothing.

    Hints, name, tags and the mark are not in them.
    """
    body = TYPES[question.kind].dump(question.body)
    texts = (question.feedback, *question.outcomes.texts())
    if question.stem.format is not Format.PLAIN or question.stem.images:
        body["stem"] = codec.dump(question.stem)
    body |= {name: codec.dump(text) for name, text in zip(BESIDE[1:], texts, strict=True) if text}
    return str(question.kind), question.stem.value, body


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


def find(kind: str, stem: str, body: Mapping[str, Any] | None) -> Asked | None:
    """Return the question that stands in `body`; None where it stands in `options` and `key`."""
    return None if body is None else unpack(kind, stem, body)


def answer_of(kind: str, stem: str, body: Mapping[str, Any]) -> str:
    """Return the key that stands in the columns, in words; empty where there is none."""
    asked = unpack(kind, stem, body)
    words = asked.type.answer(asked.body)
    # What is true or false is the statement: the two words say nothing without it.
    return f"{asked.stem.value} {words}" if asked.type.kind is Kind.TRUE_FALSE else words


def calls_right(kind: str, stem: str, body: Mapping[str, Any]) -> tuple[str, ...]:
    """Return in words each thing the key that stands in the columns calls right."""
    asked = unpack(kind, stem, body)
    if asked.type.kind is Kind.TRUE_FALSE:
        return (answer_of(kind, stem, body),)
    return asked.type.calls_right(asked.body)


def rekeyed(asked: Asked, values: Sequence[str], why: str) -> Asked:
    """Return a question with another key. What was said about the old one gives way to `why`.

    Raises base.NotAKey, base.SameKey.
    """
    body = asked.type.rekey(asked.body, values, Text(why))
    return Asked(asked.type, body, asked.stem, Text(why))


def of_options(stem: str, options: Sequence[Mapping[str, str]], key: str) -> Asked:
    """Return the single best answer that stands in the columns `options` and `key`."""
    return _single(stem, tuple((one["key"], one["text"], one["rationale"]) for one in options), key)


@lru_cache(KEPT)
def _single(stem: str, options: tuple[tuple[str, str, str], ...], key: str) -> Asked:
    body = Single(
        tuple(
            Option(Text(text), HUNDRED if letter == key else Decimal(0), Text(rationale))
            for letter, text, rationale in options
        )
    )
    return Asked(TYPES[Kind.SINGLE], body, Text(stem))
