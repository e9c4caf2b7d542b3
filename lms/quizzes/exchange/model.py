"""A question, whatever file it stands in: one neutral model between all formats.

Weights are per cent of the mark, with at most five digits
behind the point. Texts carry their format; whoever shows one must escape `PLAIN`, render
`MARKDOWN` with `core.markdown` and may print `HTML` and `MOODLE` as they are: readers clean them.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Context, Decimal
from enum import StrEnum
from typing import Any, ClassVar

from lms.quizzes.exchange.problems import Key, Refused, Report

MOST_OPTIONS = 26
MOST_TAGS = 50
MOST_MARK = 1000
HUNDRED = Decimal(100)
DIGITS = Decimal("0.00001")
"""The finest weight, as Moodle keeps them: a third is 33.33333."""
SUM_SLACK = Decimal(1)
"""Per cent by which rounded weights may miss 100 in all."""
EXACT = Context(prec=400)
NUMBER = re.compile(r"[+-]?(?:\d{1,15}(?:\.\d{0,15})?|\.\d{1,15})(?:[eE][+-]?\d{1,2})?", re.ASCII)


class Kind(StrEnum):
    """The types of questions; also what stands between questions."""

    SINGLE = "single"
    MULTIPLE = "multiple"
    TRUE_FALSE = "true_false"
    MATCHING = "matching"
    ORDERING = "ordering"
    SHORT_ANSWER = "short_answer"
    NUMERIC = "numeric"
    ESSAY = "essay"
    DESCRIPTION = "description"
    CATEGORY = "category"


class Format(StrEnum):
    """How a text is meant."""

    PLAIN = "plain"
    HTML = "html"
    MARKDOWN = "markdown"
    MOODLE = "moodle"
    """Moodle's own: HTML where a line break is one."""


@dataclass(frozen=True, slots=True)
class Image:
    """A picture inside a text, which shows it as `@@PLUGINFILE@@/name`."""

    name: str
    media: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Text:
    """A text as somebody wrote it, without space around it."""

    value: str = ""
    format: Format = Format.PLAIN
    images: tuple[Image, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.value)


NOTHING = Text()


@dataclass(frozen=True, slots=True)
class Option:
    """One of several answers to choose from."""

    text: Text
    weight: Decimal = Decimal(0)
    feedback: Text = NOTHING


@dataclass(frozen=True, slots=True)
class Single:
    """Choose the best answer; other options may earn a part."""

    kind: ClassVar[Kind] = Kind.SINGLE
    options: tuple[Option, ...]
    shuffle: bool = True

    @property
    def right(self) -> tuple[int, ...]:
        """The places of the options that earn everything."""
        return tuple(n for n, one in enumerate(self.options) if one.weight == HUNDRED)


@dataclass(frozen=True, slots=True)
class Multiple:
    """Choose all that are right: all of them or nothing (weights 100 and 0), or each its part."""

    kind: ClassVar[Kind] = Kind.MULTIPLE
    options: tuple[Option, ...]
    all_or_nothing: bool = False
    shuffle: bool = True

    @property
    def right(self) -> tuple[int, ...]:
        """The places of the options that belong to the answer."""
        return tuple(n for n, one in enumerate(self.options) if one.weight > 0)


@dataclass(frozen=True, slots=True)
class TrueFalse:
    """Say whether it is so; each of the two answers has its feedback."""

    kind: ClassVar[Kind] = Kind.TRUE_FALSE
    answer: bool
    when_true: Text = NOTHING
    when_false: Text = NOTHING


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


@dataclass(frozen=True, slots=True)
class Ordering:
    """Put into order; the items stand in the right one."""

    kind: ClassVar[Kind] = Kind.ORDERING
    items: tuple[Text, ...]
    all_or_nothing: bool = False


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


@dataclass(frozen=True, slots=True)
class Number:
    """One accepted (or expected wrong) number; without a value, any number."""

    value: Decimal | None
    tolerance: Decimal = Decimal(0)
    weight: Decimal = HUNDRED
    feedback: Text = NOTHING

    def __str__(self) -> str:
        if self.value is None:
            return "*"
        return f"{digits(self.value)}:{digits(self.tolerance)}"


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit; a number given in it is divided by `factor` before it is compared."""

    name: str
    factor: Decimal = Decimal(1)


@dataclass(frozen=True, slots=True)
class Numeric:
    """Write a number; the first that fits decides."""

    kind: ClassVar[Kind] = Kind.NUMERIC
    answers: tuple[Number, ...]
    units: tuple[Unit, ...] = ()


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
        yield from (self.outcomes.right, self.outcomes.partly, self.outcomes.wrong)
        yield from self.hints
        yield from body_texts(self.body)


def body_texts(body: Body) -> Iterator[Text]:
    """Yield the texts of one type of question."""
    match body:
        case Single() | Multiple():
            for one in body.options:
                yield from (one.text, one.feedback)
        case TrueFalse():
            yield from (body.when_true, body.when_false)
        case Matching():
            yield from (pair.left for pair in body.pairs)
        case Ordering():
            yield from body.items
        case ShortAnswer() | Numeric():
            yield from (one.feedback for one in body.answers)
        case Essay():
            yield from (body.guidance, body.start)
        case _:
            return


# Numbers


def digits(number: Decimal) -> str:
    """Return a number as somebody writes it: no exponent, no zeros that say nothing."""
    text = f"{number:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def number_of(text: str) -> Decimal:
    """Return the number somebody wrote, with a point. Raises Refused."""
    clean = text.strip().replace("\N{MINUS SIGN}", "-")
    if not NUMBER.fullmatch(clean):
        raise Refused(Key.NOT_A_NUMBER, what=text)
    return Decimal(clean)


def weight_of(text: str) -> Decimal:
    """Return a weight in per cent. Raises Refused."""
    try:
        weight = number_of(text.strip().removesuffix("%"))
    except Refused:
        raise Refused(Key.NOT_A_WEIGHT, what=text) from None
    if abs(weight) > HUNDRED:
        raise Refused(Key.WEIGHT_RANGE, what=text)
    return weight.quantize(DIGITS) + 0


def share(count: int) -> Decimal:
    """Return the weight of each of so many right options."""
    return (HUNDRED / count).quantize(DIGITS)


def accepted_number(text: str) -> tuple[Decimal | None, Decimal]:
    """Return value and tolerance of `3.14`, `3.14:0.01`, `3..4` or `*` (any). Raises Refused."""
    clean = text.strip()
    if clean == "*":
        return None, Decimal(0)
    low, dots, high = clean.partition("..")
    if dots:
        least, most = number_of(low), number_of(high)
        middle = EXACT.divide(EXACT.add(least, most), Decimal(2))
        return middle, _not_negative(EXACT.subtract(most, middle))
    value, colon, tolerance = clean.partition(":")
    return number_of(value), _not_negative(number_of(tolerance)) if colon else Decimal(0)


def _not_negative(tolerance: Decimal) -> Decimal:
    if tolerance < 0:
        raise Refused(Key.TOLERANCE)
    return tolerance


# Does it make sense?


def check(question: Question, report: Report) -> None:
    """Raise Refused when a question cannot be asked; report what is odd about it."""
    body = question.body
    if len(question.tags.labels()) > MOST_TAGS:
        raise Refused(Key.TAGS_MANY, most=MOST_TAGS)
    if not 0 <= question.mark <= MOST_MARK:
        raise Refused(Key.MARK, what=question.mark)
    if not question.stem and not isinstance(body, Category):
        raise Refused(Key.NO_STEM)
    checks = CHECKS.get(type(body))
    if checks:
        checks(body, report)


def check_count(count: int) -> None:
    """Raise Refused at more options than a question may have; before they are read."""
    if count > MOST_OPTIONS:
        raise Refused(Key.MANY_OPTIONS, most=MOST_OPTIONS)


def _check_options(texts: Sequence[Text]) -> None:
    if len(texts) < 2:
        raise Refused(Key.FEW_OPTIONS, least=2)
    check_count(len(texts))
    if not all(texts):
        raise Refused(Key.EMPTY_OPTION)


def _check_single(body: Single, report: Report) -> None:
    _check_options([one.text for one in body.options])
    if not body.right:
        raise Refused(Key.NO_RIGHT)
    if len(body.right) > 1:
        report.note(Key.SEVERAL_RIGHT, count=len(body.right))


def _check_multiple(body: Multiple, report: Report) -> None:
    _check_options([one.text for one in body.options])
    if not body.right:
        raise Refused(Key.NO_RIGHT)
    if body.all_or_nothing:
        if any(one.weight not in (0, HUNDRED) for one in body.options):
            raise Refused(Key.ALL_WEIGHTS)
        return
    total = sum((body.options[n].weight for n in body.right), Decimal(0))
    if abs(total - HUNDRED) > SUM_SLACK:
        report.warn(Key.SUM, sum=digits(total))


def _check_pairs(body: Matching, _report: Report) -> None:
    if len(body.pairs) < 2 or not any(pair.left for pair in body.pairs):
        raise Refused(Key.FEW_OPTIONS, least=2)
    check_count(len(body.pairs))
    if not all(pair.right for pair in body.pairs):
        raise Refused(Key.EMPTY_OPTION)


def _check_accepted(body: ShortAnswer | Numeric, _report: Report) -> None:
    if not body.answers:
        raise Refused(Key.NO_ANSWERS)
    check_count(len(body.answers))
    if isinstance(body, ShortAnswer) and not all(one.value for one in body.answers):
        raise Refused(Key.EMPTY_OPTION)
    if not any(one.weight > 0 for one in body.answers):
        raise Refused(Key.NO_RIGHT)


def _check_words(body: Essay, _report: Report) -> None:
    least, most = body.least_words, body.most_words
    if least is not None and most is not None and least > most:
        raise Refused(Key.WORD_LIMITS)


def _check_path(body: Category, _report: Report) -> None:
    if not body.path:
        raise Refused(Key.NO_STEM)


def _check_items(body: Ordering, _report: Report) -> None:
    _check_options(body.items)


CHECKS: dict[type[Body], Callable[[Any, Report], None]] = {
    Single: _check_single,
    Multiple: _check_multiple,
    Matching: _check_pairs,
    Ordering: _check_items,
    ShortAnswer: _check_accepted,
    Numeric: _check_accepted,
    Essay: _check_words,
    Category: _check_path,
}
