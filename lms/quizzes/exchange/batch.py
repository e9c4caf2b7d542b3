"""What was read from a file, and what was written to one."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lms.quizzes.exchange.model import Question, check
from lms.quizzes.exchange.problems import Key, Problem, Refused, Report, Severity
from lms.quizzes.exchange.texts import MOST_QUESTIONS


@dataclass(frozen=True, slots=True)
class Batch:
    """The questions of a file in their order, and everything to say about it."""

    questions: tuple[Question, ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def counts(self) -> dict[str, int]:
        """How many questions there are of each type."""
        return dict(Counter(str(one.kind) for one in self.questions))

    @property
    def refused(self) -> int:
        """How many questions, or files, were refused."""
        return refused(self.problems)


@dataclass(frozen=True, slots=True)
class Written:
    """The bytes of a file, how many questions are in it, and what it could not hold."""

    data: bytes
    count: int
    problems: tuple[Problem, ...] = ()

    @property
    def refused(self) -> int:
        """How many questions could not be written."""
        return refused(self.problems)


def refused(problems: Sequence[Problem]) -> int:
    """Count what was refused."""
    return sum(one.count for one in problems if one.severity is Severity.ERROR)


class Collector:
    """Takes the questions of a file as they are read."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self.questions: list[Question] = []

    def take(self, make: Callable[[], Question | None]) -> None:
        """Make one question and keep it, or report why not. Raises Refused at too many."""
        try:
            question = make()
            if question is not None:
                self.report.question = question.label
                check(question, self.report)
        except Refused as error:
            self.report.refuse(error)
            question = None
        self.report.question = ""
        if question is None:
            return
        if len(self.questions) >= MOST_QUESTIONS:
            self.report.line = self.report.row = None
            raise Refused(Key.TOO_MANY_QUESTIONS, most=MOST_QUESTIONS)
        self.questions.append(question)


def reading(fill: Callable[[bytes, Collector], None]) -> Callable[[bytes], Batch]:
    """Make of a function that fills a collector one that returns a batch and never raises Refused.

    A file that is refused as a whole gives no question at all.
    """

    def read(data: bytes) -> Batch:
        report = Report()
        collector = Collector(report)
        try:
            fill(data, collector)
        except Refused as error:
            report.refuse(error)
            return Batch((), report.problems())
        if not collector.questions and not refused(report.problems()):
            report.refuse(Refused(Key.EMPTY))
        return Batch(tuple(collector.questions), report.problems())

    read.__doc__ = fill.__doc__
    return read


def each(
    questions: Sequence[Question], report: Report, write: Callable[[Question], str]
) -> list[str]:
    """Write each question that can be; report the others. What writes nothing is left out."""
    pieces = []
    for question in questions:
        report.question = question.label
        try:
            check(question, Report())
            pieces.append(write(question))
        except Refused as error:
            report.refuse(error)
    report.question = ""
    return [piece for piece in pieces if piece]
