"""Which formats are there? The one door of this package."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lms.quizzes.exchange import aiken, gift, moodle_out, moodle_xml, suluh, table
from lms.quizzes.exchange.batch import Batch, Written
from lms.quizzes.exchange.model import Question


@dataclass(frozen=True, slots=True)
class Exchange:
    """How files of one format are read, and written where that is possible."""

    ending: str
    read: Callable[[bytes], Batch]
    write: Callable[[Sequence[Question]], Written] | None = None
    template: Callable[[], bytes] | None = None


FORMATS = {
    "gift": Exchange(".gift", gift.read, gift.write),
    "aiken": Exchange(".txt", aiken.read, aiken.write),
    "moodle-xml": Exchange(".xml", moodle_xml.read, moodle_out.write),
    "csv": Exchange(".csv", table.read_csv, table.write_csv, table.template_csv),
    "xlsx": Exchange(".xlsx", table.read_xlsx, table.write_xlsx, table.template_xlsx),
    "suluh": Exchange(".yaml", suluh.read),
}
READABLE = tuple(FORMATS)
WRITABLE = tuple(name for name, one in FORMATS.items() if one.write)
TEMPLATES = tuple(name for name, one in FORMATS.items() if one.template)


def read(name: str, data: bytes) -> Batch:
    """Return the questions of a file, and all there is to say about it. Never raises Refused."""
    return FORMATS[name].read(data)


def write(name: str, questions: Sequence[Question]) -> Written:
    """Return a file of questions, and what it could not hold."""
    writer = FORMATS[name].write
    if writer is None:
        raise ValueError(f"{name} is only read")
    return writer(questions)
