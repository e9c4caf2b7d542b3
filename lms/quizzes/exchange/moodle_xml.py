"""Reads Moodle XML. Document types and entities are refused; depth, elements and bytes are bounded.

What an element says that we have no place for is listed, unless it is what Moodle says anyway.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from lms.quizzes.exchange import model
from lms.quizzes.exchange.batch import Collector, reading
from lms.quizzes.exchange.model import (
    HUNDRED,
    NOTHING,
    SILENT,
    Format,
    Outcomes,
    Question,
    Tags,
    Text,
)
from lms.quizzes.exchange.problems import Key, Refused, Report
from lms.quizzes.exchange.texts import LARGEST, Reader, decode

DEEPEST = 12
"""Levels; Moodle writes eight at most."""
MOST_ELEMENTS = 250_000
PIECE = 65536
DECLARED = re.compile(rb"<\?xml[^>]{0,100}?encoding\s*=\s*[\"']([A-Za-z0-9._-]{1,40})[\"']")
ENCODINGS = {
    "utf-8": "",
    "utf8": "",
    "us-ascii": "",
    "ascii": "",
    "utf-16": "utf-16",
    "iso-8859-1": "cp1252",  # as browsers read it
    "latin1": "cp1252",
    "windows-1252": "cp1252",
    "cp1252": "cp1252",
}
FORMATS = {
    "html": Format.HTML,
    "plain_text": Format.PLAIN,
    "markdown": Format.MARKDOWN,
    "moodle_auto_format": Format.MOODLE,
}


@dataclass(slots=True)
class Node:
    """One element."""

    tag: str
    attributes: dict[str, str]
    line: int
    children: list["Node"] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)

    @property
    def value(self) -> str:
        """Its own letters."""
        return "".join(self.pieces).strip()

    def find(self, tag: str) -> "Node | None":
        """Return the first child of that name."""
        return next((one for one in self.children if one.tag == tag), None)

    def all(self, tag: str) -> Iterator["Node"]:
        """Yield the children of that name."""
        return (one for one in self.children if one.tag == tag)

    def said(self, tag: str) -> str:
        """Return the letters of a child, or of the `text` in it; empty without one."""
        found = self.find(tag)
        if found is None:
            return ""
        inner = found.find("text")
        return (inner or found).value


class _Builder:
    """Makes nodes of what the parser meets. Raises Refused at a limit."""

    def __init__(self) -> None:
        self.root: Node | None = None
        self.stack: list[Node] = []
        self.count = 0
        self.line: Callable[[], int] = lambda: 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self.count += 1
        if self.count > MOST_ELEMENTS:
            raise Refused(Key.XML_MANY, self.line(), most=MOST_ELEMENTS)
        if len(self.stack) >= DEEPEST:
            raise Refused(Key.XML_DEEP, self.line(), most=DEEPEST)
        node = Node(tag, dict(attributes), self.line())
        if self.stack:
            self.stack[-1].children.append(node)
        else:
            self.root = node
        self.stack.append(node)

    def end(self, _tag: str) -> None:
        self.stack.pop()

    def data(self, text: str) -> None:
        if self.stack:
            self.stack[-1].pieces.append(text)

    def close(self) -> Node | None:
        return self.root


def parse(data: bytes, report: Report) -> Node:
    """Return the first element of an XML file. Raises Refused."""
    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import DefusedXMLParser, ParseError

    if len(data) > LARGEST:
        raise Refused(Key.TOO_LARGE, most=LARGEST)
    text = decode(data, report, declared=_declared(data)).lstrip()
    builder = _Builder()
    parser: Any = DefusedXMLParser(
        target=builder, encoding="utf-8", forbid_dtd=True, forbid_entities=True
    )
    builder.line = lambda: int(parser.parser.CurrentLineNumber)
    raw = text.encode()
    try:
        for start in range(0, len(raw), PIECE):
            parser.feed(raw[start : start + PIECE])
        root: Node | None = parser.close()
    except DefusedXmlException:
        raise Refused(Key.XML_ENTITY, builder.line()) from None
    except ParseError as error:
        raise Refused(Key.XML_BROKEN, error.position[0], what=error.msg) from None
    if root is None or root.tag != "quiz":
        raise Refused(Key.XML_ROOT, 1, what=root.tag if root else "")
    return root


def _declared(data: bytes) -> str:
    """Return the encoding a file says it has; empty for UTF-8. Raises Refused."""
    found = DECLARED.match(data.removeprefix(b"\xef\xbb\xbf").lstrip()[:200])
    if not found:
        return ""
    name = found[1].decode("ascii").lower()
    if name not in ENCODINGS:
        raise Refused(Key.ENCODING)
    return ENCODINGS[name]


# Questions


def _fill(data: bytes, collector: Collector) -> None:
    """Return the questions of a Moodle XML file."""
    reader = Reader(collector.report)
    for node in parse(data, collector.report).children:
        collector.report.line = node.line
        if node.tag == "question":
            collector.take(_Maker(reader, node).question)
        else:
            collector.report.warn(Key.ELEMENT, what=f"<{node.tag}>")
    collector.report.line = None


read = reading(_fill)

EVERYWHERE = {
    "name", "questiontext", "generalfeedback", "defaultgrade", "idnumber", "tags", "hint",
}  # fmt: skip
INSIDE = {"text", "file", "feedback", "tolerance", "answer"}
"""What stands in an element that is a text."""
FIXED_PENALTY = {"truefalse", "essay", "description"}
"""Types whose penalty Moodle sets itself."""
OUTCOMES = {"correctfeedback", "partiallycorrectfeedback", "incorrectfeedback"}
READ = {
    "multichoice": {"answer", "single", "shuffleanswers"} | OUTCOMES,
    "multichoiceset": {"answer", "shuffleanswers"} | OUTCOMES,
    "truefalse": {"answer"},
    "shortanswer": {"answer", "usecase"},
    "numerical": {"answer", "units"},
    "matching": {"subquestion", "shuffleanswers"} | OUTCOMES,
    "essay": {"minwordlimit", "maxwordlimit", "graderinfo", "responsetemplate"},
    "description": set[str](),
    "ordering": {"answer", "gradingtype"} | OUTCOMES,
    "category": {"category", "info"},
}
USUAL = {
    "penalty": {"", "0.3333333"},
    "hidden": {"", "0"},
    "answernumbering": {"", "abc"},
    "showstandardinstruction": {"", "0", "1"},
    "shownumcorrect": {""},
    "unitgradingtype": {"", "0"},
    "unitpenalty": {"", "0.1"},
    "showunits": {"", "0", "3"},
    "unitsleft": {"", "0"},
    "instructions": {""},
    "responseformat": {"", "editor"},
    "responserequired": {"", "1"},
    "responsefieldlines": {"", "10", "15"},
    "attachments": {"", "0"},
    "attachmentsrequired": {"", "0"},
    "maxbytes": {"", "0"},
    "filetypeslist": {""},
    "layouttype": {"", "VERTICAL", "0"},
    "selecttype": {"", "ALL", "0"},
    "selectcount": None,
    "showgrading": {"", "SHOW", "1"},
    "numberingstyle": {"", "none"},
}
"""What says nothing that the writer would not say again; None: whatever it says."""


@dataclass(slots=True)
class _Maker:
    """Makes one question of its element."""

    reader: Reader
    node: Node
    format: Format = Format.HTML

    def question(self) -> Question:
        """Return the question. Raises Refused."""
        node, reader = self.node, self.reader
        type_ = node.attributes.get("type", "")
        name, id_ = reader.line(node.said("name")), reader.line(node.said("idnumber"))
        reader.report.question = id_ or name
        if type_ == "match":
            type_ = "matching"
        if type_ not in READ:
            raise Refused(Key.KIND, what=type_)
        for tag in ("answer", "subquestion"):
            model.check_count(sum(1 for _ in node.all(tag)))
        stem = self._stem(type_)
        body: model.Body = MAKERS[type_](self)
        self._tell_rest(type_)
        return Question(
            body,
            stem,
            name=name,
            id=id_,
            feedback=self._text("generalfeedback"),
            outcomes=self._outcomes() if READ[type_] >= OUTCOMES else SILENT,
            hints=tuple(filter(None, map(self._of, node.all("hint")))),
            tags=self._tags(),
            mark=self._mark(type_),
        )

    def _stem(self, type_: str) -> Text:
        found = self.node.find("info" if type_ == "category" else "questiontext")
        if found is None:
            return NOTHING
        self.format = self._format(found, Format.HTML)
        return self._of(found)

    def _format(self, node: Node, default: Format) -> Format:
        name = node.attributes.get("format", "").strip()
        if name and name not in FORMATS:
            self.reader.report.warn(Key.FORMAT_UNKNOWN, what=name)
            return Format.PLAIN
        return FORMATS[name] if name else default

    def _of(self, node: Node, default: Format | None = None) -> Text:
        """Return the text of an element with its images. Raises Refused."""
        inner = node.find("text")
        for child in node.children:
            if child.tag not in INSIDE:
                what = f"<{node.tag}> <{child.tag}> {_short(child.value)}"
                self.reader.report.warn(Key.ELEMENT, what=what)
        files = {
            (one.attributes.get("path", "/") + one.attributes.get("name", "")).strip("/"): one.value
            for one in node.all("file")
        }
        format_ = self._format(node, default or self.format)
        return self.reader.text((inner or node).value, format_, files)

    def _text(self, tag: str) -> Text:
        found = self.node.find(tag)
        return self._of(found) if found is not None else NOTHING

    def _outcomes(self) -> Outcomes:
        return Outcomes(
            self._text("correctfeedback"),
            self._text("partiallycorrectfeedback"),
            self._text("incorrectfeedback"),
        )

    def _tags(self) -> Tags:
        tags = self.node.find("tags")
        labels = [one.said("text") for one in tags.all("tag")] if tags else []
        if len(labels) > model.MOST_TAGS:
            raise Refused(Key.TAGS_MANY, most=model.MOST_TAGS)
        return Tags.of([self.reader.line(one) for one in labels])

    def _mark(self, type_: str) -> Decimal:
        said = self.node.said("defaultgrade")
        if not said or type_ in ("description", "category"):
            return Decimal(1)
        try:
            return model.number_of(said)
        except Refused:
            raise Refused(Key.MARK, what=said) from None

    def _tell_rest(self, type_: str) -> None:
        """Report what stands there and was not read."""
        known = EVERYWHERE | READ[type_] | ({"penalty"} if type_ in FIXED_PENALTY else set())
        for child in self.node.children:
            if child.tag not in known and not _is_usual(child):
                self.reader.report.warn(Key.ELEMENT, what=f"<{child.tag}> {_short(child.value)}")

    # The types

    def _options(self) -> tuple[model.Option, ...]:
        return tuple(
            model.Option(self._of(one), _fraction(one), self._feedback(one))
            for one in self.node.all("answer")
        )

    def _feedback(self, answer: Node) -> Text:
        found = answer.find("feedback")
        return self._of(found) if found is not None else NOTHING

    def choice(self) -> model.Body:
        """Read single or multiple choice. Raises Refused."""
        shuffle = _is_yes(self.node.said("shuffleanswers"))
        if _is_yes(self.node.said("single")):
            return model.Single(self._options(), shuffle)
        return model.Multiple(self._options(), shuffle=shuffle)

    def choice_set(self) -> model.Body:
        """Read the plug-in's choice of all or nothing. Raises Refused."""
        options = tuple(
            model.Option(one.text, HUNDRED if one.weight > 0 else Decimal(0), one.feedback)
            for one in self._options()
        )
        shuffle = _is_yes(self.node.said("shuffleanswers"))
        return model.Multiple(options, all_or_nothing=True, shuffle=shuffle)

    def true_false(self) -> model.Body:
        """Read true or false. Raises Refused."""
        answers = {one.said("text").lower(): one for one in self.node.all("answer")}
        if set(answers) != {"true", "false"}:
            raise Refused(Key.ANSWER_UNKNOWN, what=", ".join(answers))
        weights = {name: _fraction(one) for name, one in answers.items()}
        if sorted(weights.values()) != [0, HUNDRED]:
            raise Refused(Key.NO_RIGHT)
        return model.TrueFalse(
            weights["true"] == HUNDRED,
            self._feedback(answers["true"]),
            self._feedback(answers["false"]),
        )

    def short(self) -> model.Body:
        """Read a short answer. Raises Refused."""
        accepted = tuple(
            model.Accepted(
                self.reader.letters(one.said("text")), _fraction(one), self._feedback(one)
            )
            for one in self.node.all("answer")
        )
        return model.ShortAnswer(accepted, _is_yes(self.node.said("usecase") or "0"))

    def numeric(self) -> model.Body:
        """Read a number with its units. Raises Refused."""
        accepted = []
        for one in self.node.all("answer"):
            value, _ = model.accepted_number(one.said("text"))
            tolerance = model.number_of(one.said("tolerance") or "0")
            if tolerance < 0:
                raise Refused(Key.TOLERANCE)
            if value is None:
                tolerance = Decimal(0)
            accepted.append(model.Number(value, tolerance, _fraction(one), self._feedback(one)))
        units = self.node.find("units")
        return model.Numeric(
            tuple(accepted),
            tuple(
                model.Unit(
                    self.reader.line(one.said("unit_name")),
                    model.number_of(one.said("multiplier") or "1"),
                )
                for one in (units.all("unit") if units else ())
            ),
        )

    def matching(self) -> model.Body:
        """Read pairs. Raises Refused."""
        return model.Matching(
            tuple(
                model.Pair(self._of(one), self.reader.line(_answer_of(one)))
                for one in self.node.all("subquestion")
            ),
            _is_yes(self.node.said("shuffleanswers")),
        )

    def ordering(self) -> model.Body:
        """Read items in their order. Raises Refused."""
        items, report = [], self.reader.report
        for one in self.node.all("answer"):
            items.append(self._of(one))
            if self._feedback(one):
                report.warn(Key.ELEMENT, what="feedback on an item to be ordered")
        grading = self.node.said("gradingtype")
        if grading not in ("", "ALL_OR_NOTHING", "ABSOLUTE_POSITION", "-1", "0"):
            report.warn(Key.GRADING, what=grading)
        return model.Ordering(tuple(items), grading in ("ALL_OR_NOTHING", "-1"))

    def essay(self) -> model.Body:
        """Read a long text. Raises Refused."""
        return model.Essay(
            _words(self.node.said("minwordlimit")),
            _words(self.node.said("maxwordlimit")),
            self._text("graderinfo"),
            self._text("responsetemplate"),
        )

    def description(self) -> model.Body:
        """Read a text between questions."""
        return model.Description()

    def category(self) -> model.Body:
        """Read a heading. Raises Refused."""
        return model.Category(self.reader.line(self.node.said("category")))


MAKERS: dict[str, Callable[[_Maker], model.Body]] = {
    "multichoice": _Maker.choice,
    "multichoiceset": _Maker.choice_set,
    "truefalse": _Maker.true_false,
    "shortanswer": _Maker.short,
    "numerical": _Maker.numeric,
    "matching": _Maker.matching,
    "ordering": _Maker.ordering,
    "essay": _Maker.essay,
    "description": _Maker.description,
    "category": _Maker.category,
}


def _fraction(answer: Node) -> Decimal:
    return model.weight_of(answer.attributes.get("fraction", "0"))


def _answer_of(pair: Node) -> str:
    answer = pair.find("answer")
    return answer.said("text") or answer.value if answer else ""


def _is_yes(word: str) -> bool:
    """Tell what Moodle takes for yes; yes when nothing is said."""
    return word.strip().lower() not in ("false", "0")


def _words(said: str) -> int | None:
    """Return a limit of words; none when nothing is said. Raises Refused."""
    if said in ("", "0"):
        return None
    if not said.isascii() or not said.isdigit() or len(said) > 6:
        raise Refused(Key.NOT_A_NUMBER, what=said)
    return int(said)


def _short(said: str) -> str:
    """Return a number without the zeros that say nothing; other words as they are."""
    try:
        return model.digits(model.number_of(said))
    except Refused:
        return said


def _is_usual(node: Node) -> bool:
    """Tell whether an element says only what Moodle says anyway."""
    if node.tag not in USUAL:
        return False
    usual = USUAL[node.tag]
    said = _short(node.said("text") if node.find("text") else node.value)
    return usual is None or said in usual
