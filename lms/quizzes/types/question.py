"""A question, whatever file it stands in: one neutral model between all formats. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar

from lms.quizzes.types.base import QuestionType
from lms.quizzes.types.essay import rules as essay
from lms.quizzes.types.essay.rules import Essay
from lms.quizzes.types.matching import rules as matching
from lms.quizzes.types.matching.rules import Matching
from lms.quizzes.types.model import NOTHING, Kind, Text
from lms.quizzes.types.multiple import rules as multiple
from lms.quizzes.types.multiple.rules import Multiple
from lms.quizzes.types.numeric import rules as numeric
from lms.quizzes.types.numeric.rules import Numeric
from lms.quizzes.types.ordering import rules as ordering
from lms.quizzes.types.ordering.rules import Ordering
from lms.quizzes.types.problems import Key, Refused, Report
from lms.quizzes.types.short_answer import rules as short_answer
from lms.quizzes.types.short_answer.rules import ShortAnswer
from lms.quizzes.types.single import rules as single
from lms.quizzes.types.single.rules import Single
from lms.quizzes.types.true_false import rules as true_false
from lms.quizzes.types.true_false.rules import TrueFalse

MOST_TAGS = 50
MOST_MARK = 1000

TYPES: dict[Kind, QuestionType[Any]] = {
    one.kind: one
    for one in (
        single.TYPE,
        multiple.TYPE,
        true_false.TYPE,
        matching.TYPE,
        ordering.TYPE,
        short_answer.TYPE,
        numeric.TYPE,
        essay.TYPE,
    )
}
"""Every type of question. A new one is a folder beside these, and a line here."""


@dataclass(frozen=True, slots=True)
class Description:
    """A text between questions; asks nothing."""

    kind: ClassVar[Kind] = Kind.DESCRIPTION


@dataclass(frozen=True, slots=True)
class Category:
    """What follows belongs to this category; the stem may say what it is."""

    kind: ClassVar[Kind] = Kind.CATEGORY
    path: str


Body = (
    Single
    | Multiple
    | TrueFalse
    | Matching
    | Ordering
    | ShortAnswer
    | Numeric
    | Essay
    | Description
    | Category
)


@dataclass(frozen=True, slots=True)
class Tags:
    """Where a question belongs. In other programs these are tags: `kuk:02.1.1`, `law:UU …`."""

    kuk: tuple[str, ...] = ()
    law_ref: tuple[str, ...] = ()
    level: str = ""
    source: str = ""
    checked_on: str = ""
    other: tuple[str, ...] = ()

    def labels(self) -> tuple[str, ...]:
        """Return all as plain tags."""
        return (
            *(f"kuk:{one}" for one in self.kuk),
            *(f"law:{one}" for one in self.law_ref),
            *(
                f"{name}:{value}"
                for name, value in (
                    ("level", self.level),
                    ("source", self.source),
                    ("checked", self.checked_on),
                )
                if value
            ),
            *self.other,
        )

    @classmethod
    def of(cls, labels: Sequence[str]) -> "Tags":
        """Return plain tags sorted into what we know and the rest."""
        many: dict[str, list[str]] = {"kuk": [], "law": []}
        one: dict[str, str] = {}
        other = []
        for label in dict.fromkeys(" ".join(text.split()) for text in labels):
            name, colon, value = label.partition(":")
            value = value.strip()
            if colon and value and name in many:
                many[name].append(value)
            elif colon and value and name in SINGLES and name not in one:
                one[name] = value
            elif label:
                other.append(label)
        return cls(
            tuple(many["kuk"]),
            tuple(many["law"]),
            one.get("level", ""),
            one.get("source", ""),
            one.get("checked", ""),
            tuple(other),
        )


SINGLES = ("level", "source", "checked")


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What is said about the answer as a whole."""

    right: Text = NOTHING
    partly: Text = NOTHING
    wrong: Text = NOTHING

    def texts(self) -> tuple[Text, Text, Text]:
        """Return all three."""
        return self.right, self.partly, self.wrong


SILENT = Outcomes()
UNTAGGED = Tags()


@dataclass(frozen=True, slots=True)
class Question:
    """One question, or what stands between questions."""

    body: Body
    stem: Text = NOTHING
    name: str = ""
    id: str = ""
    feedback: Text = NOTHING
    """Said to everybody, whatever the answer."""
    outcomes: Outcomes = SILENT
    hints: tuple[Text, ...] = ()
    tags: Tags = UNTAGGED
    mark: Decimal = Decimal(1)

    @property
    def kind(self) -> Kind:
        """The type of the question."""
        return self.body.kind

    @property
    def label(self) -> str:
        """What to call it in a list of problems."""
        return self.id or self.name or self.stem.value

    def texts(self) -> Iterator[Text]:
        """Yield every text of it."""
        yield self.stem
        yield self.feedback
        yield from self.outcomes.texts()
        yield from self.hints
        yield from body_texts(self.body)


def body_texts(body: Body) -> Iterator[Text]:
    """Yield the texts of one type of question."""
    kind = TYPES.get(body.kind)
    if kind:
        yield from kind.texts(body)


def check(question: Question, report: Report) -> None:
    """Raise Refused when a question cannot be asked; report what is odd about it."""
    body = question.body
    if len(question.tags.labels()) > MOST_TAGS:
        raise Refused(Key.TAGS_MANY, most=MOST_TAGS)
    if not 0 <= question.mark <= MOST_MARK:
        raise Refused(Key.MARK, what=question.mark)
    if not question.stem and not isinstance(body, Category):
        raise Refused(Key.NO_STEM)
    if isinstance(body, Category) and not body.path:
        raise Refused(Key.NO_STEM)
    kind = TYPES.get(body.kind)
    if kind:
        kind.check(body, report)
