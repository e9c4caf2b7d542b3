"""Aiken: a line that asks, lettered lines to choose from, `ANSWER: B`. Nothing else fits in.

Tags, ids, feedback and images are listed as lost. Texts are plain; one line each, because most
programs that read Aiken take a second line for another question.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from lms.quizzes.exchange import model
from lms.quizzes.exchange.batch import Collector, Written, each, reading
from lms.quizzes.exchange.features import Feature, tell_losses
from lms.quizzes.exchange.model import HUNDRED, Kind, Question
from lms.quizzes.exchange.problems import Key, Refused, Report
from lms.quizzes.exchange.texts import Reader, decode, plain, without_images

NAME = "Aiken"
OPTION = re.compile(r"([A-Z])[.)](?:\s+(.*))?", re.DOTALL)
ANSWER = re.compile(r"ANSWER\s*:\s*(.*)", re.IGNORECASE)
FIRST = ord("A")


# Reading


@dataclass(slots=True)
class _Draft:
    """The lines of one question."""

    line: int
    stem: list[str] = field(default_factory=list)
    options: list[tuple[str, str]] = field(default_factory=list)
    key: str | None = None


def _fill(data: bytes, collector: Collector) -> None:
    """Return the questions of an Aiken file."""
    reader = Reader(collector.report)
    draft: _Draft | None = None
    for number, line in enumerate(decode(data, collector.report).split("\n"), 1):
        clean = line.strip()
        if not clean:
            continue
        option, answer = OPTION.fullmatch(clean), ANSWER.fullmatch(clean)
        if draft and draft.options and not option and not answer:
            _take(draft, reader, collector)  # the line before should have been ANSWER
            draft = None
        draft = draft or _Draft(number)
        if answer:
            draft.key = answer[1].strip()
            _take(draft, reader, collector)
            draft = None
        elif option:
            draft.options.append((option[1], option[2] or ""))
        else:
            draft.stem.append(clean)
    if draft:
        _take(draft, reader, collector)
    collector.report.line = None


read = reading(_fill)


def _take(draft: _Draft, reader: Reader, collector: Collector) -> None:
    collector.report.line = draft.line
    collector.take(lambda: _question(draft, reader))


def _question(draft: _Draft, reader: Reader) -> Question:
    """Make a question of its lines. Raises Refused."""
    stem = reader.text("\n".join(draft.stem))
    reader.report.question = stem.value
    if draft.key is None:
        raise Refused(Key.ANSWER_MISSING)
    letters = [letter for letter, _ in draft.options]
    for n, letter in enumerate(letters):
        if ord(letter) != FIRST + n:
            raise Refused(Key.LETTERS, what=letter)
    if draft.key.upper().rstrip(".)") not in letters:
        raise Refused(Key.ANSWER_UNKNOWN, what=draft.key)
    right = draft.key.upper().rstrip(".)")
    options = tuple(
        model.Option(reader.text(text), HUNDRED if letter == right else Decimal(0))
        for letter, text in draft.options
    )
    return Question(model.Single(options), stem)


# Writing

KINDS = frozenset({Kind.SINGLE})
CANNOT = frozenset(Feature) - {Feature.SEVERAL_RIGHT, Feature.IMAGES}


def write(questions: Sequence[Question]) -> Written:
    """Return an Aiken file."""
    report = Report()
    pieces = each(questions, report, lambda question: _block(question, report))
    return Written("\n".join(pieces).encode(), len(pieces), report.problems())


def _block(question: Question, report: Report) -> str:
    body = question.body
    if isinstance(body, model.Category | model.Description):
        report.warn(Key.KIND_LOST, format=NAME, what=question.kind)  # it asks nothing
        return ""
    tell_losses(question, report, kinds=KINDS, cannot=CANNOT | {Feature.IMAGES}, name=NAME)
    assert isinstance(body, model.Single)  # noqa: S101 - the only kind; for the type checker
    if len(body.right) != 1:
        raise Refused(Key.KIND_LOST, format=NAME, what=Feature.SEVERAL_RIGHT)
    stem = _line(question.stem, report)
    if OPTION.fullmatch(stem) or ANSWER.fullmatch(stem):
        raise Refused(Key.ODD_TEXT, format=NAME, what=stem)
    lines = [stem]
    for n, option in enumerate(body.options):
        lines.append(f"{chr(FIRST + n)}) {_line(option.text, report)}")
    return "\n".join([*lines, f"ANSWER: {chr(FIRST + body.right[0])}", ""])


def _line(text: model.Text, report: Report) -> str:
    """Return a text on one line. Raises Refused when nothing is left of it."""
    lines = [line.strip() for line in plain(without_images(text)).split("\n")]
    if len(lines) > 1:
        report.warn(Key.LINE_BREAKS, format=NAME)
    line = " ".join(line for line in lines if line)
    if len(line) < 1:
        raise Refused(Key.ODD_TEXT, format=NAME, what=text.value)
    return line
