"""Writes Moodle XML, with the images of a text beside it."""

import base64
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from lms.quizzes.exchange import model
from lms.quizzes.exchange.batch import Written, each
from lms.quizzes.exchange.gift import MOODLE_TAG
from lms.quizzes.exchange.model import HUNDRED, NOTHING, Question, Text, digits
from lms.quizzes.exchange.moodle_xml import FORMATS
from lms.quizzes.exchange.problems import Key, Report

TYPES = {
    model.Single: "multichoice",
    model.Multiple: "multichoice",
    model.TrueFalse: "truefalse",
    model.Matching: "matching",
    model.Ordering: "ordering",
    model.ShortAnswer: "shortanswer",
    model.Numeric: "numerical",
    model.Essay: "essay",
    model.Description: "description",
    model.Category: "category",
}
NAMES = {format_: name for name, format_ in FORMATS.items()}
LONGEST_NAME = 60
"""Characters of a name that is made from the text."""


def write(questions: Sequence[Question]) -> Written:
    """Return a Moodle XML file."""
    report = Report()
    pieces = each(questions, report, lambda question: _Writer(question, report).element())
    head = '<?xml version="1.0" encoding="UTF-8"?>\n<quiz>\n'
    data = "".join([head, *pieces, "</quiz>\n"]).encode()
    return Written(data, len(pieces), report.problems())


@dataclass(slots=True)
class _Writer:
    """Writes one question."""

    question: Question
    report: Report

    def element(self) -> str:
        """Return the element of the question."""
        body = self.question.body
        type_ = TYPES[type(body)]
        if isinstance(body, model.Multiple) and body.all_or_nothing:
            type_ = "multichoiceset"
            self.report.warn(Key.PLUGIN, what="qtype_multichoiceset")
        lines: Iterable[str] = self._category() if isinstance(body, model.Category) else (
            *self._head(), *BODIES[type(body)](body), *self._tail(),
        )  # fmt: skip
        inside = "".join(f"    {line}\n" for line in lines)
        return f'  <question type="{type_}">\n{inside}  </question>\n'

    def _category(self) -> Iterator[str]:
        body = self.question.body
        assert isinstance(body, model.Category)  # noqa: S101 - for the type checker
        yield f"<category><text>{_safe(body.path)}</text></category>"
        if self.question.stem:
            yield _text("info", self.question.stem)
        yield from self._marks()

    def _head(self) -> Iterator[str]:
        question = self.question
        name = question.name or question.id
        if not question.name:
            words = re.sub(r"<[^>]*>", " ", question.stem.value)
            name = name or " ".join(words.split())[:LONGEST_NAME]
            self.report.note(Key.NAME_MADE)
        yield f"<name><text>{_safe(name)}</text></name>"
        yield _text("questiontext", question.stem)
        yield _text("generalfeedback", question.feedback)
        asks = not isinstance(question.body, model.Description)
        yield f"<defaultgrade>{digits(question.mark) if asks else 0}</defaultgrade>"
        if question.mark != 1 and not asks:
            self.report.warn(Key.ELEMENT, what="the mark of a description")
        yield "<hidden>0</hidden>"
        yield from self._marks()

    def _marks(self) -> Iterator[str]:
        question = self.question
        if question.id:
            yield f"<idnumber>{_safe(question.id)}</idnumber>"
        labels = question.tags.labels()
        for label in labels:
            if len(label) > MOODLE_TAG:
                self.report.warn(Key.TAG, what=label)
        if labels:
            inside = "".join(f"<tag><text>{_safe(one)}</text></tag>" for one in labels)
            yield f"<tags>{inside}</tags>"

    def _tail(self) -> Iterator[str]:
        question = self.question
        has_outcomes = isinstance(
            question.body, model.Single | model.Multiple | model.Matching | model.Ordering
        )
        outcomes = question.outcomes
        if has_outcomes:
            yield _text("correctfeedback", outcomes.right)
            yield _text("partiallycorrectfeedback", outcomes.partly)
            yield _text("incorrectfeedback", outcomes.wrong)
            yield "<shownumcorrect/>"
        elif outcomes != model.SILENT:
            self.report.warn(Key.ELEMENT, what="feedback on the whole answer")
        for hint in question.hints:
            yield _text("hint", hint)


def _safe(text: str) -> str:
    return escape(text)


def _yes(value: bool) -> str:
    return "true" if value else "false"


def _word(text: str) -> str:
    return f'format="moodle_auto_format"><text>{_safe(text)}</text>'


def _inside(text: Text) -> str:
    """Return format, letters and images of a text; the tag around it stays open at its start."""
    files = "".join(
        f'<file name={quoteattr(one.name)} path="/" encoding="base64">'
        f"{base64.b64encode(one.data).decode()}</file>"
        for one in text.images
    )
    return f'format="{NAMES[text.format]}"><text>{_safe(text.value)}</text>{files}'


def _text(tag: str, text: Text, more: str = "") -> str:
    return f"<{tag} {_inside(text)}{more}</{tag}>"


def _answer(inside: str, weight: Decimal, feedback: Text, more: str = "") -> str:
    told = _text("feedback", feedback)
    return f'<answer fraction="{digits(Decimal(weight))}" {inside}{told}{more}</answer>'


def _single(body: model.Single) -> Iterator[str]:
    yield "<single>true</single>"
    yield from _choice(body)


def _multiple(body: model.Multiple) -> Iterator[str]:
    yield "<single>false</single>"
    yield from _choice(body)


def _choice(body: model.Single | model.Multiple) -> Iterator[str]:
    yield f"<shuffleanswers>{_yes(body.shuffle)}</shuffleanswers>"
    yield "<answernumbering>abc</answernumbering>"
    for one in body.options:
        yield _answer(_inside(one.text), one.weight, one.feedback)


def _truth(body: model.TrueFalse) -> Iterator[str]:
    yield _answer(_word("true"), HUNDRED * body.answer, body.when_true)
    yield _answer(_word("false"), HUNDRED * (not body.answer), body.when_false)


def _matching(body: model.Matching) -> Iterator[str]:
    yield f"<shuffleanswers>{_yes(body.shuffle)}</shuffleanswers>"
    for pair in body.pairs:
        right = f"<answer><text>{_safe(pair.right)}</text></answer>"
        yield _text("subquestion", pair.left, right)


def _short(body: model.ShortAnswer) -> Iterator[str]:
    yield f"<usecase>{int(body.case_matters)}</usecase>"
    for one in body.answers:
        yield _answer(_word(one.value), one.weight, one.feedback)


def _ordering(body: model.Ordering) -> Iterator[str]:
    grading = "ALL_OR_NOTHING" if body.all_or_nothing else "ABSOLUTE_POSITION"
    yield "<layouttype>VERTICAL</layouttype><selecttype>ALL</selecttype>"
    yield f"<selectcount>0</selectcount><gradingtype>{grading}</gradingtype>"
    yield "<showgrading>SHOW</showgrading><numberingstyle>none</numberingstyle>"
    for n, item in enumerate(body.items, 1):
        yield f'<answer fraction="{n}" {_inside(item)}</answer>'


def _numeric(body: model.Numeric) -> Iterator[str]:
    for one in body.answers:
        value = "*" if one.value is None else digits(one.value)
        tolerance = f"<tolerance>{digits(one.tolerance)}</tolerance>"
        yield _answer(_word(value), one.weight, one.feedback, tolerance)
    if body.units:
        inside = "".join(
            f"<unit><multiplier>{digits(one.factor)}</multiplier>"
            f"<unit_name>{_safe(one.name)}</unit_name></unit>"
            for one in body.units
        )
        yield f"<units>{inside}</units>"


def _essay(body: model.Essay) -> Iterator[str]:
    yield "<responseformat>editor</responseformat>"
    for tag, count in (("minwordlimit", body.least_words), ("maxwordlimit", body.most_words)):
        if count is not None:
            yield f"<{tag}>{count}</{tag}>"
    yield _text("graderinfo", body.guidance or NOTHING)
    yield _text("responsetemplate", body.start or NOTHING)


def _nothing(_body: model.Description) -> Iterator[str]:
    return iter(())


BODIES: dict[type[model.Body], Callable[[Any], Iterator[str]]] = {
    model.Single: _single,
    model.Multiple: _multiple,
    model.TrueFalse: _truth,
    model.Matching: _matching,
    model.Ordering: _ordering,
    model.ShortAnswer: _short,
    model.Numeric: _numeric,
    model.Essay: _essay,
    model.Description: _nothing,
}
