"""Moodle's GIFT: questions as texts with their answers in braces.

As Moodle reads it: empty lines part questions, a line that begins with // is a comment, `[id:…]`
and `[tag:…]` in a comment are read. Images stand inside HTML as data: addresses.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from lms.quizzes.exchange import model
from lms.quizzes.exchange.batch import Collector, Written, each, reading
from lms.quizzes.exchange.features import Feature, tell_losses
from lms.quizzes.exchange.model import HUNDRED, NOTHING, Format, Kind, Question, Tags, Text
from lms.quizzes.exchange.problems import Key, Refused, Report
from lms.quizzes.exchange.texts import Reader, decode, embedded

NAME = "GIFT"
ESCAPED = ":#={}~"
PLACES = {char: chr(0xFDD0 + n) for n, char in enumerate((*ESCAPED, "\\", "\n"))}
"""Letters that no clean text holds stand for escaped ones until the text is cut up."""
ESCAPE = re.compile(r"\\([\\:#={}~n])")
BACK = {ord(place): char for char, place in PLACES.items()}
FORMAT = re.compile(r"\[(html|moodle|plain|markdown)\]")
MARK = re.compile(r"\[(id|tag):((?:\\\]|[^\]])+)\]")
WEIGHT = re.compile(r"\s*%(-?\d{1,3}(?:\.\d*)?)%")
HEAD = re.compile(
    r"\s*\d*\s*(ALL|EXACT|RANDOM|REL|CONTIGUOUS|CONTIG)?\s*"
    r"(?:HORIZONTAL|HORI|H|1|VERTICAL|VERT|V|0)?\s*([A-Z]+(?:_[A-Z]+)+|ABSOLUTE|ABS)?\s*"
)
TRUTHS = {"T": True, "TRUE": True, "F": False, "FALSE": False}
CATEGORY = "$CATEGORY:"
GAP = "_____"
MOODLE_TAG = 50
"""Characters of a tag that Moodle keeps."""


# Reading


@dataclass(slots=True)
class _Block:
    """The lines of one question, without its comments."""

    line: int = 0
    """The first line that asks; in a block of comments, the first of them."""
    lines: list[str] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)


def _fill(data: bytes, collector: Collector) -> None:
    """Return the questions of a GIFT file."""
    report = collector.report
    reader = Reader(report)
    for block in _blocks(decode(data, report)):
        report.line = block.line
        id_, labels = _marks(block.comments, report)
        if not block.lines and (id_ or labels):
            report.warn(Key.ELEMENT, what="an id or tags with an empty line after them")
        if block.lines:
            maker = _Maker(reader, id_, labels, "\n".join(block.lines))
            collector.take(maker.question)
    report.line = None


read = reading(_fill)


def _blocks(text: str) -> Iterator[_Block]:
    """Yield what stands between empty lines; a category is a block of its own."""
    block = _Block()
    for number, line in enumerate(text.split("\n"), 1):
        clean = line.strip()
        if not clean or (clean.startswith(CATEGORY) and block.lines):
            yield block
            block = _Block()
        if clean.startswith("//"):
            block.line = block.line or number
            block.comments.append(clean)
        elif clean:
            block.line = block.line if block.lines else number
            block.lines.append(line)
        if clean.startswith(CATEGORY):
            yield block
            block = _Block()
    yield block


def _marks(comments: Sequence[str], report: Report) -> tuple[str, list[str]]:
    """Return the id and the tags that stand in comments; say that other comments are not kept."""
    id_, labels = "", []
    for line in comments:
        marks = MARK.findall(line)
        for sign, said in marks:
            value = said.replace("\\]", "]").strip()
            if sign == "tag":
                labels.append(value)
            elif not id_:
                id_ = value
        if not marks and line.strip("/ -=*"):
            report.note(Key.COMMENTS)
    return id_, labels


@dataclass(slots=True)
class _Maker:
    """Makes one question of its text."""

    reader: Reader
    id: str
    labels: list[str]
    raw: str
    format: Format = Format.MOODLE

    def question(self) -> Question:
        """Return the question. Raises Refused."""
        text = ESCAPE.sub(lambda found: PLACES["\n" if found[1] == "n" else found[1]], self.raw)
        text = text.strip()
        if len(self.labels) > model.MOST_TAGS:
            raise Refused(Key.TAGS_MANY, most=model.MOST_TAGS)
        tags = Tags.of([self.reader.line(one) for one in self.labels])
        id_ = self.reader.line(self.id)
        if text.startswith(CATEGORY):
            path = self.reader.line(_unescaped(text.removeprefix(CATEGORY)))
            return Question(model.Category(path), id=id_, tags=tags)
        name, text = self._name(text)
        self.reader.report.question = id_ or name
        stem, answer = _split(text)
        self.format, _ = self._format(stem, Format.MOODLE)
        body: model.Body
        feedback = NOTHING
        if answer is None:
            body = model.Description()
        else:
            if "####" in answer:
                answer, _, general = answer.rpartition("####")
                feedback = self._text(general)
            body = self._body(answer.strip())
        return Question(
            body, self._text(stem, Format.MOODLE), name=name, id=id_, feedback=feedback, tags=tags
        )

    def _name(self, text: str) -> tuple[str, str]:
        if not text.startswith("::") or "::" not in text[2:]:
            return "", text
        name, _, rest = text[2:].partition("::")
        return self.reader.line(_unescaped(name)), rest.strip()

    def _format(self, text: str, default: Format) -> tuple[Format, str]:
        text = text.strip()
        found = FORMAT.match(text)
        return (Format(found[1]), text[found.end() :]) if found else (default, text)

    def _text(self, text: str, default: Format | None = None) -> Text:
        format_, rest = self._format(text, default or self.format)
        return self.reader.text(_unescaped(rest), format_)

    def _body(self, answer: str) -> model.Body:
        """Tell the type as Moodle does, and read the answer."""
        if not answer:
            return model.Essay()
        if answer.startswith(">"):
            return self._ordering(answer[1:])
        if answer.startswith("#"):
            return self._numeric(answer[1:])
        if "~" in answer:
            return self._choice(answer)
        if "=" in answer and "->" in answer:
            return self._matching(answer)
        word = answer.partition("#")[0].strip()
        if word.upper() in TRUTHS:
            return self._true_false(answer, word)
        return self._short(answer)

    def _choice(self, answer: str) -> model.Body:
        options = []
        for sign, part in _cut(answer, "~="):
            weight, rest = _weight(part, HUNDRED if sign == "=" else Decimal(0))
            text, feedback = self._with_feedback(rest)
            options.append(model.Option(text, weight, feedback))
        if "=" in answer:
            return model.Single(tuple(options))
        return model.Multiple(tuple(options))

    def _with_feedback(self, part: str) -> tuple[Text, Text]:
        text, _, feedback = part.partition("#")
        return self._text(text), self._text(feedback)

    def _matching(self, answer: str) -> model.Matching:
        pairs = []
        for _, part in _cut(answer, "="):
            left, arrow, right = part.partition("->")
            if not arrow:
                raise Refused(Key.NO_ARROW, what=_unescaped(part))
            pairs.append(model.Pair(self._text(left), self.reader.line(_unescaped(right))))
        return model.Matching(tuple(pairs))

    def _true_false(self, answer: str, word: str) -> model.TrueFalse:
        if word not in TRUTHS:
            self.reader.report.warn(Key.TRUE_FALSE, what=word)
        _, wrong, right = (*answer.split("#", 2), "", "")[:3]
        texts = self._text(right), self._text(wrong)
        is_true = TRUTHS[word.upper()]
        return model.TrueFalse(is_true, *(texts if is_true else texts[::-1]))

    def _short(self, answer: str) -> model.ShortAnswer:
        accepted = []
        for _, part in _cut(answer, "="):
            weight, rest = _weight(part, HUNDRED)
            word, _, feedback = rest.partition("#")
            _, word = self._format(word, self.format)
            accepted.append(
                model.Accepted(self.reader.letters(_unescaped(word)), weight, self._text(feedback))
            )
        return model.ShortAnswer(tuple(accepted))

    def _numeric(self, answer: str) -> model.Numeric:
        answer, tilde, wrong = answer.partition("~")
        accepted = []
        for _, part in _cut(answer, "="):
            weight, rest = _weight(part, HUNDRED)
            number, _, feedback = rest.partition("#")
            value, tolerance = model.accepted_number(_unescaped(number))
            accepted.append(model.Number(value, tolerance, weight, self._text(feedback)))
        if tilde:
            feedback = wrong.strip().removeprefix("#")
            accepted.append(model.Number(None, weight=Decimal(0), feedback=self._text(feedback)))
        return model.Numeric(tuple(accepted))

    def _ordering(self, answer: str) -> model.Ordering:
        """Read what the plug-in for ordering writes: a head of four words, then an item a line."""
        head, _, rest = answer.partition("\n")
        found = HEAD.fullmatch(head)
        choice, grading = (found[1] or "", found[2] or "") if found else ("", "")
        if choice not in ("", "ALL", "EXACT"):
            self.reader.report.warn(Key.ELEMENT, what=f"the choice of some items ({choice})")
        if grading not in ("ALL_OR_NOTHING", "ABSOLUTE_POSITION", "ABSOLUTE", "ABS", ""):
            self.reader.report.warn(Key.GRADING, what=grading)
        lines = [line for line in (rest if found else answer).split("\n") if line.strip()]
        model.check_count(len(lines))
        items = tuple(map(self._text, lines))
        return model.Ordering(items, grading == "ALL_OR_NOTHING")


def _unescaped(text: str) -> str:
    return text.translate(BACK)


def _split(text: str) -> tuple[str, str | None]:
    """Return the stem and what stands in the braces; None without braces. Raises Refused."""
    opened, closed = text.count("{"), text.count("}")
    if not opened and not closed:
        return text, None
    start, end = text.find("{"), text.find("}")
    if opened != 1 or closed != 1 or end < start:
        raise Refused(Key.BRACES)
    gap = "" if end == len(text) - 1 else GAP
    return text[:start] + gap + text[end + 1 :], text[start + 1 : end].strip()


def _cut(answer: str, signs: str) -> Iterator[tuple[str, str]]:
    """Yield sign and text of each part; what stands before the first sign has none."""
    model.check_count(sum(map(answer.count, signs)))
    parts = re.split(f"([{signs}])", answer)
    if parts[0].strip():
        yield "", parts[0]
    yield from zip(parts[1::2], parts[2::2], strict=True)


def _weight(part: str, default: Decimal) -> tuple[Decimal, str]:
    found = WEIGHT.match(part)
    return (model.weight_of(found[1]), part[found.end() :]) if found else (default, part)


# Writing

KINDS = frozenset(Kind)
CANNOT = frozenset(
    {
        Feature.OUTCOMES,
        Feature.HINTS,
        Feature.MARK,
        Feature.ORDER,
        Feature.CASE,
        Feature.UNITS,
        Feature.WORD_LIMITS,
        Feature.GUIDANCE,
        Feature.START,
        Feature.INFO,
    }
)


def write(questions: Sequence[Question]) -> Written:
    """Return a GIFT file."""
    report = Report()
    pieces = each(questions, report, lambda question: _Writer(question, report).block())
    return Written("".join(f"{one}\n\n" for one in pieces).encode(), len(pieces), report.problems())


@dataclass(slots=True)
class _Writer:
    """Writes one question."""

    question: Question
    report: Report

    def block(self) -> str:
        """Return the lines of the question. Raises Refused."""
        question, body = self.question, self.question.body
        cannot = CANNOT
        if isinstance(body, model.Multiple):
            cannot |= {Feature.ALL_OR_NOTHING}
        answer = self._answer(body)
        tell_losses(question, self.report, kinds=KINDS, cannot=cannot, name=NAME)
        head = self._head()
        if isinstance(body, model.Category):
            return f"{head}{CATEGORY} {_escaped(body.path)}"
        name = f"::{_escaped(question.name)}::" if question.name else ""
        stem = self._text(question.stem, Format.MOODLE, at_start=not name)
        if answer is None:
            self._nothing_else()
            return f"{head}{name}{stem}"
        general = self._feedback(question.feedback, "####")
        if "\n" in answer:
            general = general and f"\t{general}\n"
        return f"{head}{name}{stem}{{{answer}{general}}}"

    def _head(self) -> str:
        marks = []
        for sign, label in (
            ("id", self.question.id),
            *(("tag", one) for one in self.question.tags.labels()),
        ):
            if "\\" in label:
                self.report.warn(Key.TAG_LOST, what=label)
            elif label:
                marks.append(f"[{sign}:{label.replace(']', chr(92) + ']')}]")
            if sign == "tag" and (len(label) > MOODLE_TAG or re.search(r"[<>`\[]", label)):
                self.report.warn(Key.TAG, what=label)
        return f"// {' '.join(marks)}\n" if marks else ""

    def _nothing_else(self) -> None:
        if self.question.feedback:
            self.report.warn(Key.LOST, format=NAME, what=Feature.ITEM_FEEDBACK)

    def _text(self, text: Text, default: Format | None = None, *, at_start: bool = False) -> str:
        """Return a text with its format before it, where that is another or the text needs it."""
        default = default or self._stem_format
        value = embedded(text)
        odd = value.startswith("[") or (at_start and value.startswith(("//", "$", "::")))
        sign = f"[{text.format}]" if text and (text.format is not default or odd) else ""
        return sign + _escaped(value)

    @property
    def _stem_format(self) -> Format:
        return self.question.stem.format

    def _feedback(self, text: Text, sign: str = "#") -> str:
        return sign + self._text(text) if text else ""

    def _answer(self, body: model.Body) -> str | None:
        """Return what stands in the braces; None where there are none. Raises Refused."""
        match body:
            case model.Single() | model.Multiple():
                return _lines(self._option(body, one) for one in body.options)
            case model.TrueFalse():
                return self._truth(body)
            case model.Matching():
                return _lines(self._pair(pair) for pair in body.pairs)
            case model.Ordering():
                return self._ordering(body)
            case model.ShortAnswer():
                return _lines(self._accepted(one) for one in body.answers)
            case model.Numeric():
                return "#" + _lines(self._number(one) for one in body.answers)
            case model.Essay():
                return ""
            case _:
                return None

    def _option(self, body: model.Single | model.Multiple, option: model.Option) -> str:
        weight = option.weight
        if isinstance(body, model.Multiple):
            if body.all_or_nothing and weight:
                weight = model.share(len(body.right))
            sign = f"~%{model.digits(weight)}%" if weight else "~"
        elif weight == HUNDRED:
            sign = "="
        else:
            sign = f"~%{model.digits(weight)}%" if weight else "~"
        text = self._text(option.text)
        if text.startswith("%") and not sign.endswith("%"):
            sign += f"%{model.digits(weight)}%"
        return sign + text + self._feedback(option.feedback)

    def _truth(self, body: model.TrueFalse) -> str:
        right, wrong = body.when_true, body.when_false
        if not body.answer:
            right, wrong = wrong, right
        says = f"#{self._text(wrong)}" if wrong or right else ""
        return ("TRUE" if body.answer else "FALSE") + says + self._feedback(right)

    def _pair(self, pair: model.Pair) -> str:
        left = self._text(pair.left)
        if "->" in left:
            left = self._without_arrow(pair.left, left)
        return f"={left} -> {_escaped(pair.right)}"

    def _without_arrow(self, text: Text, written: str) -> str:
        """Write an arrow that belongs to the text; only HTML has other letters for it."""
        if text.format not in (Format.HTML, Format.MOODLE):
            raise Refused(Key.ODD_TEXT, format=NAME, what=text.value)
        return written.replace("->", "-&gt;")

    def _accepted(self, one: model.Accepted) -> str:
        word, feedback = _escaped(one.value), self._feedback(one.feedback)
        if "->" in word:
            raise Refused(Key.ODD_TEXT, format=NAME, what=one.value)
        if "->" in feedback:
            feedback = self._without_arrow(one.feedback, feedback)
        if FORMAT.match(word):
            word = f"[{self._stem_format}]{word}"
        needs = one.weight != HUNDRED or word.startswith("%")
        sign = f"%{model.digits(one.weight)}%" if needs else ""
        return f"={sign}{word}{feedback}"

    def _number(self, one: model.Number) -> str:
        sign = "" if one.weight == HUNDRED else f"%{model.digits(one.weight)}%"
        return f"={sign}{one}{self._feedback(one.feedback)}"

    def _ordering(self, body: model.Ordering) -> str:
        self.report.note(Key.PLUGIN, what="qtype_ordering (in Moodle itself since 4.4)")
        grading = "ALL_OR_NOTHING" if body.all_or_nothing else "ABSOLUTE_POSITION"
        items = "".join(f"{self._item(one)}\n" for one in body.items)
        return f">{len(body.items)} ALL VERTICAL {grading}\n{items}"

    def _item(self, text: Text) -> str:
        written = self._text(text)
        if written.startswith("//"):
            raise Refused(Key.ODD_TEXT, format=NAME, what=text.value)
        return written


def _lines(parts: Iterator[str]) -> str:
    return "\n" + "".join(f"\t{one}\n" for one in parts)


def _escaped(text: str) -> str:
    for char in ("\\", *ESCAPED):
        text = text.replace(char, "\\" + char)
    return text.replace("\n", "\\n")
