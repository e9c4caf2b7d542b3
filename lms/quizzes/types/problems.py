"""Says what is wrong with a file of questions, or lost on the way: where, how bad, in words.

A page that wants other words than the English ones here has the key and the values.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from lms.core.errors import DomainError

MOST_PROBLEMS = 500
"""Different problems that are listed one by one; more are only counted."""
SHOWN = 60
"""Characters of a foreign text that a problem repeats."""


class Severity(StrEnum):
    """How bad it is."""

    NOTE = "note"
    """Said so that nobody is surprised; nothing is lost."""
    WARNING = "warning"
    """Something was changed or is not carried."""
    ERROR = "error"
    """A question, or the whole file, was refused."""


class Key(StrEnum):
    """What a problem is about."""

    # the whole file
    TOO_LARGE = "too_large"
    TOO_MANY_LINES = "too_many_lines"
    TOO_MANY_QUESTIONS = "too_many_questions"
    NOT_TEXT = "not_text"
    ENCODING = "encoding"
    DECODED = "decoded"
    CONTROLS = "controls"
    EMPTY = "empty"
    XML_BROKEN = "xml_broken"
    XML_ENTITY = "xml_entity"
    XML_DEEP = "xml_deep"
    XML_MANY = "xml_many"
    XML_ROOT = "xml_root"
    YAML = "yaml"
    SHEET = "sheet"
    SHEET_QUOTE = "sheet_quote"
    OTHER_SHEETS = "other_sheets"
    COLUMN_MISSING = "column_missing"
    COLUMN_UNKNOWN = "column_unknown"
    COLUMN_TWICE = "column_twice"
    MORE = "more"
    # one question
    BRACES = "braces"
    NO_ANSWERS = "no_answers"
    NO_ARROW = "no_arrow"
    NOT_A_NUMBER = "not_a_number"
    NOT_A_WEIGHT = "not_a_weight"
    LETTERS = "letters"
    STRAY = "stray"
    ANSWER_MISSING = "answer_missing"
    ANSWER_UNKNOWN = "answer_unknown"
    KEY_AND_WEIGHT = "key_and_weight"
    VALUE_UNKNOWN = "value_unknown"
    NO_STEM = "no_stem"
    FEW_OPTIONS = "few_options"
    MANY_OPTIONS = "many_options"
    EMPTY_OPTION = "empty_option"
    NO_RIGHT = "no_right"
    SEVERAL_RIGHT = "several_right"
    SUM = "sum"
    WEIGHT_RANGE = "weight_range"
    ALL_WEIGHTS = "all_weights"
    TOLERANCE = "tolerance"
    WORD_LIMITS = "word_limits"
    MARK = "mark"
    TEXT_LONG = "text_long"
    MARKUP_MANY = "markup_many"
    TAGS_MANY = "tags_many"
    KIND = "kind"
    # parts of a question
    MARKUP = "markup"
    MARKDOWN_HTML = "markdown_html"
    FORMAT_UNKNOWN = "format_unknown"
    IMAGE_MISSING = "image_missing"
    IMAGE_AWAY = "image_away"
    IMAGE_REFUSED = "image_refused"
    IMAGE_LARGE = "image_large"
    IMAGE_UNUSED = "image_unused"
    ELEMENT = "element"
    COMMENTS = "comments"
    TRUE_FALSE = "true_false"
    LOST = "lost"
    KIND_LOST = "kind_lost"
    ODD_TEXT = "odd_text"
    CELL_LONG = "cell_long"
    LINE_BREAKS = "line_breaks"
    TAG = "tag"
    TAG_LOST = "tag_lost"
    NAME_MADE = "name_made"
    PLUGIN = "plugin"
    REVIEW = "review"
    GRADING = "grading"


WORDS = {
    Key.TOO_LARGE: "the file is larger than {most} bytes",
    Key.TOO_MANY_LINES: "the file has more than {most} lines",
    Key.TOO_MANY_QUESTIONS: "there are more than {most} questions: split the file",
    Key.NOT_TEXT: "this is not a text file: it looks like {what}",
    Key.ENCODING: "the letters cannot be read: save the file as UTF-8",
    Key.DECODED: "read as {encoding}",
    Key.CONTROLS: "control characters were taken out",
    Key.EMPTY: "there is no question in the file",
    Key.XML_BROKEN: "not XML: {what}",
    Key.XML_ENTITY: "the file declares a document type or entities; no question file needs them",
    Key.XML_DEEP: "elements stand deeper than {most} levels",
    Key.XML_MANY: "the file has more than {most} elements",
    Key.XML_ROOT: "the first element is <{what}>, of a Moodle file it is <quiz>",
    Key.YAML: "{what}",
    Key.SHEET: "the sheet cannot be read ({what})",
    Key.SHEET_QUOTE: "a quotation mark is not closed, or stands inside a cell: {what}",
    Key.OTHER_SHEETS: "other sheets of the workbook were not read: {what}",
    Key.COLUMN_MISSING: "the column “{what}” is missing",
    Key.COLUMN_UNKNOWN: "the column “{what}” is not known and was not read",
    Key.COLUMN_TWICE: "the column “{what}” stands there twice",
    Key.MORE: "more problems that are not listed",
    Key.BRACES: "the braces do not match: an answer stands between one {{ and one }}, without an "
    "empty line; a brace that belongs to the text is written \\{{ or \\}}",
    Key.NO_ANSWERS: "there is no answer",
    Key.NO_ARROW: "a pair has no ->: “{what}”",
    Key.NOT_A_NUMBER: "“{what}” is not a number (3.14), a number with tolerance (3.14:0.01) or a "
    "range (3..4)",
    Key.NOT_A_WEIGHT: "“{what}” is not a weight in per cent",
    Key.LETTERS: "option {what} does not follow the one before it",
    Key.STRAY: "this line belongs to no question: “{what}”",
    Key.ANSWER_MISSING: "the line ANSWER: is missing",
    Key.ANSWER_UNKNOWN: "the key “{what}” is not an option",
    Key.KEY_AND_WEIGHT: "the key and the weight of {what} do not agree",
    Key.VALUE_UNKNOWN: "“{what}” is not a value of the column “{column}”",
    Key.NO_STEM: "the question has no text",
    Key.FEW_OPTIONS: "there are fewer than {least} options",
    Key.MANY_OPTIONS: "there are more than {most} options",
    Key.EMPTY_OPTION: "an option is empty",
    Key.NO_RIGHT: "no option is right",
    Key.SEVERAL_RIGHT: "{count} options are right, each by itself",
    Key.SUM: "the weights of the right options make {sum} per cent, not 100",
    Key.WEIGHT_RANGE: "a weight lies between -100 and 100 per cent, not {what}",
    Key.ALL_WEIGHTS: "where all right options are needed, weights are 100 or 0",
    Key.TOLERANCE: "a tolerance is 0 or more",
    Key.WORD_LIMITS: "the limits of words contradict each other",
    Key.MARK: "the mark “{what}” is not a number from 0 to 1000",
    Key.TEXT_LONG: "a text has more than {most} characters",
    Key.MARKUP_MANY: "there are more than {most} HTML tags up to here: split the file",
    Key.TAGS_MANY: "there are more than {most} tags",
    Key.KIND: "questions of type “{what}” are not known here",
    Key.MARKUP: "taken out of the HTML: {what}",
    Key.MARKDOWN_HTML: "HTML inside Markdown is shown as text",
    Key.FORMAT_UNKNOWN: "the text format “{what}” is not known; it is shown as plain text",
    Key.IMAGE_MISSING: "the image “{what}” is not in the file",
    Key.IMAGE_AWAY: "an image on another computer is not carried: {what}",
    Key.IMAGE_REFUSED: "“{what}” is not a PNG, JPEG, GIF or WebP image",
    Key.IMAGE_LARGE: "the image “{what}” is too large, or there are too many",
    Key.IMAGE_UNUSED: "the image “{what}” is shown nowhere and was left out",
    Key.ELEMENT: "not carried: {what}",
    Key.COMMENTS: "comments are not carried",
    Key.TRUE_FALSE: "“{what}” is read as true or false",
    Key.LOST: "{format} cannot hold {what}",
    Key.KIND_LOST: "{format} cannot hold questions of type {what}",
    Key.ODD_TEXT: "{format} would read this text as something else: “{what}”",
    Key.CELL_LONG: "a cell holds at most {most} characters",
    Key.LINE_BREAKS: "{format} has no line breaks inside a text: they became spaces",
    Key.TAG: "Moodle cuts or leaves out the tag “{what}”; Suluh reads it",
    Key.TAG_LOST: "the tag “{what}” cannot be written",
    Key.NAME_MADE: "a name was made from the text: Moodle wants one",
    Key.PLUGIN: "Moodle needs the plug-in {what} for this question",
    Key.REVIEW: "who reviewed an item is not carried: what is read in starts unreviewed",
    Key.GRADING: "marked by {what} there; here by position",
}
"""The words of each key; `{…}` are its values."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to say about a file, and the first place where it is so."""

    severity: Severity
    key: Key
    values: tuple[tuple[str, str], ...] = ()
    line: int | None = None
    row: int | None = None
    file: str | None = None
    question: str = ""
    """Id, name or first words of the question."""
    count: int = 1

    @property
    def message(self) -> str:
        """What is said, in English."""
        return WORDS[self.key].format_map(dict(self.values))

    @property
    def place(self) -> str:
        """Line, row or file, in English; empty when it is about all of it."""
        parts = [
            f"{name} {value}"
            for name, value in (("line", self.line), ("row", self.row), ("file", self.file))
            if value is not None
        ]
        return ", ".join(parts)

    def __str__(self) -> str:
        where = ": ".join(part for part in (self.place, self.question) if part)
        times = f" ({self.count} times)" if self.count > 1 else ""
        return f"{self.severity}: {where + ': ' if where else ''}{self.message}{times}"

    def as_dict(self) -> dict[str, object]:
        """Return what a program reads."""
        return {
            "severity": str(self.severity),
            "key": str(self.key),
            "message": self.message,
            "values": dict(self.values),
            "line": self.line,
            "row": self.row,
            "file": self.file,
            "question": self.question,
            "count": self.count,
        }


class Refused(DomainError):
    """A question, or the whole file, is refused; `key` and `values` say why."""

    def __init__(self, key: Key, line: int | None = None, **values: object) -> None:
        super().__init__(key)
        self.key = key
        self.line = line
        self.values = values


def shown(text: object) -> str:
    """Return a short piece of a foreign text on one line, with nothing a terminal obeys."""
    one = " ".join("".join(c if c.isprintable() else " " for c in str(text)[: 4 * SHOWN]).split())
    return one if len(one) <= SHOWN else one[: SHOWN - 1] + "…"


Place = dict[str, int | str | None]


class Report:
    """Collects problems. The same one at many places is listed once, with its number."""

    def __init__(self) -> None:
        self._found: dict[tuple[object, ...], Problem] = {}
        self._more: dict[Severity, int] = {}
        self.line: int | None = None
        """Where the reader is; the place of what is said next."""
        self.row: int | None = None
        self.question = ""

    def note(self, key: Key, **values: object) -> None:
        """Say something that loses nothing."""
        self._add(Severity.NOTE, key, values)

    def warn(self, key: Key, *, file: str | None = None, **values: object) -> None:
        """Say what was changed or is not carried; `file` is one that came inside."""
        self._add(Severity.WARNING, key, values, file)

    def refuse(self, error: Refused) -> None:
        """Say that a question, or the file, was refused."""
        before, self.line = self.line, error.line or self.line
        self._add(Severity.ERROR, error.key, error.values)
        self.line = before

    def _add(
        self, severity: Severity, key: Key, values: dict[str, object], file: str | None = None
    ) -> None:
        file = file and shown(file)
        said = tuple((name, shown(value)) for name, value in values.items())
        alone = (self.line, self.row, self.question) if severity is Severity.ERROR else ()
        same = (severity, key, said, file, alone)
        if same in self._found:
            found = self._found[same]
            self._found[same] = replace(found, count=found.count + 1)
        elif len(self._found) >= MOST_PROBLEMS:
            self._more[severity] = self._more.get(severity, 0) + 1
        else:
            self._found[same] = Problem(
                severity, key, said, self.line, self.row, file, shown(self.question)
            )

    def problems(self) -> tuple[Problem, ...]:
        """Return what was found, in the order in which it was."""
        return (*self._found.values(), *self._rest())

    def _rest(self) -> Iterator[Problem]:
        for severity, count in self._more.items():
            yield Problem(severity, Key.MORE, count=count)
