"""Reads Suluh's own `items.yaml`, so that authors can take their bank elsewhere."""

from decimal import Decimal
from pathlib import Path
from typing import Any

from lms.core.content import LARGEST, Source, Unreadable, parse_yaml
from lms.quizzes.content import BadItem, ItemSpec, read_item
from lms.quizzes.exchange import model
from lms.quizzes.exchange.batch import Collector, reading
from lms.quizzes.exchange.model import HUNDRED, Question, Tags
from lms.quizzes.exchange.problems import Key, Refused
from lms.quizzes.exchange.texts import Reader, decode


def _fill(data: bytes, collector: Collector) -> None:
    """Return the questions of an items.yaml."""
    if len(data) > LARGEST:
        raise Refused(Key.TOO_LARGE, most=LARGEST)
    text = decode(data, collector.report)
    try:
        source = parse_yaml(text, Path("items.yaml"))
    except Unreadable as error:
        problem = error.problem
        raise Refused(Key.YAML, problem.line, what=problem.message) from None
    items = source.data.get("items") if isinstance(source.data, dict) else None
    if not isinstance(items, list):
        raise Refused(Key.YAML, 1, what="the file must have a list of `items`")
    reader = Reader(collector.report)
    for n, item in enumerate(items):
        collector.report.line = source.line(("items", n))
        collector.take(_Maker(reader, source, n, item).question)
    collector.report.line = None


read = reading(_fill)


class _Maker:
    """Makes one question of its entry."""

    def __init__(self, reader: Reader, source: Source, place: int, raw: Any) -> None:
        self.reader, self.source, self.place, self.raw = reader, source, place, raw

    def question(self) -> Question:
        """Return the question. Raises Refused."""
        report = self.reader.report
        try:
            item = read_item(self.raw)
        except BadItem as error:
            says, at = error.faults[0]
            line = self.source.line(("items", self.place, *at))
            raise Refused(Key.YAML, line, what=f"{'.'.join(map(str, at))}: {says}") from None
        report.question = item.id
        report.note(Key.REVIEW)
        text = self.reader.text
        tags = Tags(
            (item.kuk,),
            tuple(item.law_ref),
            item.level,
            self.reader.line(item.source),
            item.checked_on,
        )
        if not isinstance(item, ItemSpec):
            body, why = item.question().body, text(item.feedback)
            return Question(body, text(item.stem), item.id, item.id, why, tags=tags)
        options = tuple(
            model.Option(
                text(option.text),
                HUNDRED if letter == item.key else Decimal(0),
                text(option.rationale),
            )
            for letter, option in item.options.by_letter().items()
        )
        return Question(model.Single(options), text(item.stem), item.id, item.id, tags=tags)
