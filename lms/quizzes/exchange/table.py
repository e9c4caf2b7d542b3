"""Questions as the rows of a table: CSV and XLSX, with a template to begin with.

A row is a question. Nothing in a cell is calculated; what a spreadsheet would run gets a quotation
mark before it when it is written, and loses it when it is read. A text in another format than its
row begins with `[html]`, as in GIFT.
"""

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from io import BytesIO, StringIO
from typing import Any

from lms.core import tables_in
from lms.quizzes.exchange import columns, model
from lms.quizzes.exchange.batch import Collector, Written, reading
from lms.quizzes.exchange.columns import LETTERS, MOST_HINTS
from lms.quizzes.exchange.features import Feature, tell_losses
from lms.quizzes.exchange.model import (
    HUNDRED,
    NOTHING,
    Format,
    Kind,
    Outcomes,
    Question,
    Tags,
    Text,
)
from lms.quizzes.exchange.problems import Key, Refused, Report
from lms.quizzes.exchange.texts import Reader, decode, without_images

LONGEST_CELL = 32_000
"""Characters; Excel has room for 32,767."""
SIZE = tables_in.Size(columns=100, cell=40_000)
SEPARATORS = ";\t,|"
CSV, XLSX = "CSV", "XLSX"
FORMAT = re.compile(r"\[(html|moodle|plain|markdown)\]")
ITEMS = re.compile(r"[\n;]")


# What a spreadsheet would run

START = re.compile(r"('*)(?=[=+\-@])")
INSIDE = re.compile(r"(?<=[,\t\n])([^\S\t\n]*)('*)(?=[=+\-@])")
"""Where a cell begins for a program that parts them in another way."""
INSIDE_QUOTED = re.compile(r"(?<=[,\t\n])([^\S\t\n]*)('+)(?=[=+\-@])")


def guarded(cell: str, *, inside: bool) -> str:
    """Return a cell that no spreadsheet runs. `unguarded` gives the same back."""
    found = START.match(cell)
    if found:
        cell = "'" + cell
    return (INSIDE if inside else INSIDE_QUOTED).sub(r"\1'\2", cell)


def unguarded(cell: str) -> str:
    """Return what the cell says without the quotation marks of `guarded`."""
    cell = INSIDE_QUOTED.sub(lambda found: found[1] + found[2][1:], cell)
    found = START.match(cell)
    return cell[1:] if found and found[1] else cell


# Reading

Row = Mapping[str, str]


def _fill_csv(data: bytes, collector: Collector) -> None:
    """Return the questions of a CSV file."""
    text = decode(data, collector.report)
    _fill(_csv_lines(text), collector)


def _csv_lines(text: str) -> Iterator[tuple[int, Sequence[str]]]:
    """Yield numbered rows that hold anything. Raises Refused."""
    first, begin = 1, text[:64].lstrip("\ufeff")
    separator = ""
    if begin[:4].lower() == "sep=" and begin[4:5] and begin[4] in SEPARATORS:
        separator, first = begin[4], 2
        text = text.partition("\n")[2]
    head = next((line for line in text.split("\n", 100) if line.strip()), "")
    separator = separator or max(SEPARATORS, key=head.count)
    rows = csv.reader(StringIO(text, newline=""), delimiter=separator, strict=True)
    number = first - 1
    while True:
        number += 1
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            raise Refused(Key.SHEET_QUOTE, rows.line_num + first - 1, what=error) from None
        if any(cell.strip() for cell in row):
            yield number, row


def _fill_xlsx(data: bytes, collector: Collector) -> None:
    """Return the questions of the first sheet of a workbook that holds anything."""
    try:
        sheet = tables_in.read(data, name="x.xlsx", size=SIZE)
    except tables_in.BadSheet as error:
        raise Refused(Key.SHEET, what=error.key) from None
    if sheet.others:
        collector.report.warn(Key.OTHER_SHEETS, what=", ".join(sheet.others))
    _fill(((line.number, line.cells) for line in sheet.lines), collector)


read_csv = reading(_fill_csv)
read_xlsx = reading(_fill_xlsx)


def _fill(lines: Iterator[tuple[int, Sequence[str]]], collector: Collector) -> None:
    report, reader = collector.report, Reader(collector.report)
    number, head = next(lines, (1, ()))
    report.row = number
    names = _names(head, report)
    for number, cells in lines:
        report.row = number
        row: dict[str, str] = {}
        for place, cell in enumerate(cells):
            if not cell.strip():
                continue
            name = names[place] if place < len(names) else None
            if name:
                row[name] = unguarded(cell.strip())
            else:
                what = head[place] if place < len(head) else f"({place + 1})"
                report.warn(Key.COLUMN_UNKNOWN, what=what)
        if row:
            maker = _Maker(reader, row)
            collector.take(maker.question)
    report.row = None


def _names(head: Sequence[str], report: Report) -> list[str | None]:
    """Return which column stands at which place. Raises Refused without the needed ones."""
    names: list[str | None] = []
    for cell in head:
        name = columns.COLUMNS.get(columns.folded(unguarded(cell.strip())))
        if name in names and name:
            report.warn(Key.COLUMN_TWICE, what=cell)
            name = None
        names.append(name)
    if "stem" not in names:
        raise Refused(Key.COLUMN_MISSING, what=columns.heading("stem"))
    return names


@dataclass(slots=True)
class _Maker:
    """Makes one question of its row."""

    reader: Reader
    row: Row
    format: Format = Format.PLAIN

    def question(self) -> Question:
        """Return the question. Raises Refused."""
        id_, name = self._line("id"), self._line("name")
        self.reader.report.question = id_ or name
        word = self._said("format").lower()
        if word and word not in tuple(Format):
            raise Refused(Key.VALUE_UNKNOWN, what=word, column=columns.heading("format"))
        self.format = Format(word) if word else Format.PLAIN
        kind = self._kind()
        stem = NOTHING if kind is Kind.CATEGORY else self._text("stem")
        body = self._body(kind)
        self._tell_unused(kind)
        return Question(
            body,
            self._text("feedback") if kind is Kind.CATEGORY else stem,
            name=name,
            id=id_,
            feedback=NOTHING if kind is Kind.CATEGORY else self._text("feedback"),
            outcomes=Outcomes(self._text("right"), self._text("partly"), self._text("wrong")),
            hints=tuple(filter(None, (self._text(f"hint {n}") for n in range(1, MOST_HINTS + 1)))),
            tags=self._tags(),
            mark=self._mark(),
        )

    # Cells

    def _said(self, name: str) -> str:
        return self.row.get(name, "")

    def _line(self, name: str) -> str:
        return self.reader.line(self._said(name))

    def _text(self, name: str) -> Text:
        said = self._said(name)
        found = FORMAT.match(said)
        if found:
            return self.reader.text(said[found.end() :], Format(found[1]))
        return self.reader.text(said, self.format)

    def _choose(self, name: str, words: Mapping[str, bool], default: bool) -> bool:
        said = columns.folded(self._said(name))
        if not said:
            return default
        if said not in words:
            raise Refused(Key.VALUE_UNKNOWN, what=said, column=columns.heading(name))
        return words[said]

    def _items(self, name: str) -> tuple[str, ...]:
        return tuple(filter(None, (self.reader.line(one) for one in ITEMS.split(self._said(name)))))

    def _tags(self) -> Tags:
        return Tags(
            self._items("kuk"),
            self._items("law_ref"),
            self._line("level"),
            self._line("source"),
            self._line("checked_on"),
            self._items("other"),
        )

    def _mark(self) -> Decimal:
        said = self._said("mark")
        try:
            return model.number_of(said) if said else Decimal(1)
        except Refused:
            raise Refused(Key.MARK, what=said) from None

    def _letters(self, name: str) -> list[str]:
        """Return the letters up to the last cell of that name that says anything."""
        used = [n for n, letter in enumerate(LETTERS, 1) if self._said(name + letter)]
        return list(LETTERS[: max(used, default=0)])

    def _key(self) -> list[str]:
        """Return the letters of the key. Raises Refused."""
        said = self._said("key").upper()
        found = [one for one in re.split(r"[\s,;.+&/]+|(?<=[A-P])(?=[A-P])", said) if one]
        options = self._letters("option ")
        for letter in found:
            if letter not in options:
                raise Refused(Key.ANSWER_UNKNOWN, what=said)
        return found

    # Types

    def _kind(self) -> Kind:
        """Tell the type; without a word for it, by the key."""
        said = columns.folded(self._said("kind"))
        if said in columns.KIND_WORDS:
            return columns.KIND_WORDS[said]
        if said or not self._letters("option "):
            raise Refused(Key.KIND, what=said)
        return Kind.MULTIPLE if len(self._key()) > 1 else Kind.SINGLE

    def _body(self, kind: Kind) -> model.Body:
        if kind in (Kind.SINGLE, Kind.MULTIPLE):
            return self._choice(kind)
        return MAKERS[kind](self)

    def ordering(self) -> model.Body:
        """Read items in their order. Raises Refused."""
        items = tuple(self._text(f"option {one}") for one in self._letters("option "))
        return model.Ordering(items, self._choose("scoring", columns.SCORING, default=False))

    def essay(self) -> model.Body:
        """Read a long text. Raises Refused."""
        return model.Essay(
            self._words("least"), self._words("most"), self._text("guidance"), self._text("start")
        )

    def description(self) -> model.Body:
        """Read a text between questions."""
        return model.Description()

    def category(self) -> model.Body:
        """Read a heading. Raises Refused."""
        return model.Category(self._line("stem"))

    def _choice(self, kind: Kind) -> model.Body:
        key, letters = self._key(), self._letters("option ")
        whole = self._choose("scoring", columns.SCORING, default=False)
        is_single = kind is Kind.SINGLE
        full = HUNDRED if is_single or whole else model.share(max(1, len(key)))
        options = []
        for letter in letters:
            weight = self._weight(letter, full if letter in key else Decimal(0))
            is_right = weight == HUNDRED if is_single else weight > 0
            if key and is_right != (letter in key):
                raise Refused(Key.KEY_AND_WEIGHT, what=letter)
            text, feedback = self._text(f"option {letter}"), self._text(f"feedback {letter}")
            options.append(model.Option(text, weight, feedback))
        shuffle = self._choose("shuffle", columns.YES_NO, default=True)
        if is_single:
            return model.Single(tuple(options), shuffle)
        return model.Multiple(tuple(options), whole, shuffle)

    def _weight(self, letter: str, default: Decimal) -> Decimal:
        said = self._said(f"weight {letter}")
        return model.weight_of(said) if said else default

    def truth(self) -> model.Body:
        """Read true or false. Raises Refused."""
        said = columns.folded(self._said("key"))
        if said not in columns.TRUTHS:
            raise Refused(Key.ANSWER_UNKNOWN, what=said)
        return model.TrueFalse(
            columns.TRUTHS[said], self._text("feedback A"), self._text("feedback B")
        )

    def matching(self) -> model.Body:
        """Read pairs. Raises Refused."""
        lefts, rights = self._letters("option "), self._letters("match ")
        letters = max(lefts, rights, key=len)
        return model.Matching(
            tuple(
                model.Pair(self._text(f"option {one}"), self._line(f"match {one}"))
                for one in letters
            ),
            self._choose("shuffle", columns.YES_NO, default=True),
        )

    def short(self) -> model.Body:
        """Read a short answer. Raises Refused."""
        return model.ShortAnswer(
            tuple(
                model.Accepted(
                    self.reader.letters(self._said(f"option {one}")),
                    self._weight(one, HUNDRED),
                    self._text(f"feedback {one}"),
                )
                for one in self._letters("option ")
            ),
            self._choose("case", columns.YES_NO, default=False),
        )

    def numeric(self) -> model.Body:
        """Read a number with its units. Raises Refused."""
        return model.Numeric(
            tuple(
                model.Number(
                    *model.accepted_number(self._said(f"option {one}")),
                    self._weight(one, HUNDRED),
                    self._text(f"feedback {one}"),
                )
                for one in self._letters("option ")
            ),
            tuple(self._unit(one) for one in self._said("unit").split("\n") if one.strip()),
        )

    def _unit(self, said: str) -> model.Unit:
        name, sign, factor = said.rpartition("=")
        if not sign:
            return model.Unit(self.reader.line(said))
        return model.Unit(self.reader.line(name), model.number_of(factor))

    def _words(self, name: str) -> int | None:
        said = self._said(name)
        if not said:
            return None
        if not re.fullmatch(r"[0-9]{1,6}", said):
            raise Refused(Key.NOT_A_NUMBER, what=said)
        return int(said)

    def _tell_unused(self, kind: Kind) -> None:
        """Report cells that say something no question of this type has."""
        letters = self._letters("option ")
        if kind is Kind.MATCHING:
            letters = max(letters, self._letters("match "), key=len)
        if kind is Kind.TRUE_FALSE:
            letters = list(LETTERS[:2])
        for name in self.row:
            word, space, letter = name.partition(" ")
            is_used = word + space in COMMON | USED[kind]
            if not is_used or (space and word != "hint" and letter not in letters):
                what = f"{columns.heading(name)} ({columns.KINDS[kind]})"
                self.reader.report.warn(Key.ELEMENT, what=what)


COMMON = {
    "id", "name", "kind", "stem", "format", "feedback", "right", "partly", "wrong", "hint ", "mark",
    "kuk", "law_ref", "level", "source", "checked_on", "other",
}  # fmt: skip
USED: dict[Kind, set[str]] = {
    Kind.SINGLE: {"key", "option ", "feedback ", "weight ", "shuffle"},
    Kind.MULTIPLE: {"key", "option ", "feedback ", "weight ", "scoring", "shuffle"},
    Kind.TRUE_FALSE: {"key", "feedback "},
    Kind.MATCHING: {"option ", "match ", "shuffle"},
    Kind.ORDERING: {"option ", "scoring"},
    Kind.SHORT_ANSWER: {"option ", "feedback ", "weight ", "case"},
    Kind.NUMERIC: {"option ", "feedback ", "weight ", "unit"},
    Kind.ESSAY: {"least", "most", "guidance", "start"},
    Kind.DESCRIPTION: set(),
    Kind.CATEGORY: set(),
}
MAKERS: dict[Kind, Callable[[_Maker], model.Body]] = {
    Kind.TRUE_FALSE: _Maker.truth,
    Kind.MATCHING: _Maker.matching,
    Kind.ORDERING: _Maker.ordering,
    Kind.SHORT_ANSWER: _Maker.short,
    Kind.NUMERIC: _Maker.numeric,
    Kind.ESSAY: _Maker.essay,
    Kind.DESCRIPTION: _Maker.description,
    Kind.CATEGORY: _Maker.category,
}


# Writing


def write_csv(questions: Sequence[Question]) -> Written:
    """Return a CSV file as Indonesian Excel opens it: with BOM and semicolons."""
    report = Report()
    rows = _rows(questions, report, CSV)
    names = _used(rows)
    buffer = StringIO(newline="")
    buffer.write("\ufeff")
    writer = csv.writer(buffer, delimiter=";", lineterminator="\r\n")
    writer.writerow([columns.heading(name) for name in names])
    for row in rows:
        writer.writerow([guarded(row.get(name, ""), inside=True) for name in names])
    return Written(buffer.getvalue().encode(), len(rows), report.problems())


def write_xlsx(questions: Sequence[Question]) -> Written:
    """Return a workbook of one sheet; every cell is text."""
    report = Report()
    rows = _rows(questions, report, XLSX)
    return Written(_workbook(rows), len(rows), report.problems())


def _workbook(rows: Sequence[Row]) -> bytes:
    from xlsxwriter import Workbook

    names, file = _used(rows), BytesIO()
    book = Workbook(file, {"in_memory": True, "strings_to_urls": False})
    sheet = book.add_worksheet("Soal")
    bold = book.add_format({"bold": True, "bottom": 1})
    wrap = book.add_format({"text_wrap": True, "valign": "top", "num_format": "@"})
    for place, name in enumerate(names):
        is_long = name == "stem" or name.split(" ")[0] in ("option", "feedback", "guidance")
        sheet.set_column(place, place, 40 if is_long else 14, wrap)
        sheet.write_string(0, place, columns.heading(name), bold)
        if name in LISTS:
            sheet.data_validation(1, place, 2000, place, _choices(LISTS[name]))
    sheet.freeze_panes(1, 0)
    for number, row in enumerate(rows, 1):
        for place, name in enumerate(names):
            if row.get(name):
                sheet.write_string(number, place, guarded(row[name], inside=False), wrap)
    book.close()
    return file.getvalue()


LISTS = {
    "kind": tuple(columns.KINDS.values()),
    "scoring": ("sebagian", "semua"),
    "shuffle": ("ya", "tidak"),
    "case": ("ya", "tidak"),
}


def _choices(words: Sequence[str]) -> dict[str, object]:
    return {"validate": "list", "source": list(words), "error_type": "warning"}


def _rows(questions: Sequence[Question], report: Report, name: str) -> list[Row]:
    """Return the row of each question that has one; report the others."""
    rows: list[Row] = []
    for question in questions:
        report.question = question.label
        try:
            model.check(question, Report())
            rows.append(_Writer(question, report, name).row())
        except Refused as error:
            report.refuse(error)
    report.question = ""
    return rows


def _used(rows: Iterable[Row]) -> list[str]:
    """Return the columns that are needed, in their order."""
    used = {name for row in rows for name, cell in row.items() if cell}
    return [name for name in columns.HEADINGS if name in used or name in ("kind", "stem")]


@dataclass(slots=True)
class _Writer:
    """Writes one question."""

    question: Question
    report: Report
    name: str

    def row(self) -> Row:
        """Return the cells of the question. Raises Refused."""
        question = self.question
        tell_losses(
            question, self.report, kinds=tuple(Kind), cannot={Feature.IMAGES}, name=self.name
        )
        if len(question.hints) > MOST_HINTS:
            self.report.warn(Key.LOST, format=self.name, what=f"more than {MOST_HINTS} hints")
        row = {
            "id": question.id,
            "name": question.name,
            "kind": columns.KINDS[question.kind],
            "mark": "" if question.mark == 1 else model.digits(question.mark),
            "format": "" if self._format is Format.PLAIN else str(self._format),
            **{
                key: self._text(text)
                for key, text in (
                    ("stem", question.stem),
                    ("feedback", question.feedback),
                    ("right", question.outcomes.right),
                    ("partly", question.outcomes.partly),
                    ("wrong", question.outcomes.wrong),
                    *((f"hint {n}", one) for n, one in enumerate(question.hints[:MOST_HINTS], 1)),
                )
            },
            **self._tags(),
            **BODIES[type(question.body)](self, question.body),
        }
        if any(len(cell) > LONGEST_CELL for cell in row.values()):
            raise Refused(Key.CELL_LONG, most=LONGEST_CELL)
        return row

    @property
    def _format(self) -> Format:
        return self.question.stem.format

    def _text(self, text: Text) -> str:
        text = without_images(text)
        if text and (text.format is not self._format or text.value.startswith("[")):
            return f"[{text.format}]{text.value}"
        return text.value

    def _tags(self) -> Row:
        tags = self.question.tags
        return {
            "kuk": self._items(tags.kuk),
            "law_ref": self._items(tags.law_ref),
            "level": tags.level,
            "source": tags.source,
            "checked_on": tags.checked_on,
            "other": self._items(tags.other),
        }

    def _items(self, items: Sequence[str]) -> str:
        for one in items:
            if ";" in one:
                self.report.warn(Key.TAG_LOST, what=one)
        return "\n".join(one for one in items if ";" not in one)

    def choice(self, body: model.Single | model.Multiple) -> Row:
        """Write the options and the key. Raises Refused."""
        row = dict(self._options([one.text for one in body.options]))
        full = HUNDRED
        if isinstance(body, model.Multiple) and not body.all_or_nothing:
            full = model.share(len(body.right))
        for n, one in enumerate(body.options):
            row[f"feedback {LETTERS[n]}"] = self._text(one.feedback)
            if one.weight != (full if n in body.right else 0):
                row[f"weight {LETTERS[n]}"] = model.digits(one.weight)
        row["key"] = " ".join(LETTERS[n] for n in body.right)
        row["shuffle"] = "" if body.shuffle else "tidak"
        row["scoring"] = _scoring(body)
        return row

    def truth(self, body: model.TrueFalse) -> Row:
        """Write true or false."""
        return {
            "key": "benar" if body.answer else "salah",
            "feedback A": self._text(body.when_true),
            "feedback B": self._text(body.when_false),
        }

    def matching(self, body: model.Matching) -> Row:
        """Write the pairs. Raises Refused."""
        self._room(len(body.pairs))
        row = {"shuffle": "" if body.shuffle else "tidak"}
        for n, pair in enumerate(body.pairs):
            row[f"option {LETTERS[n]}"] = self._text(pair.left)
            row[f"match {LETTERS[n]}"] = pair.right
        return row

    def ordering(self, body: model.Ordering) -> Row:
        """Write the items. Raises Refused."""
        return {**self._options(body.items), "scoring": _scoring(body)}

    def short(self, body: model.ShortAnswer) -> Row:
        """Write the accepted words. Raises Refused."""
        return {
            **self._accepted([(one.value, one) for one in body.answers]),
            "case": "ya" if body.case_matters else "",
        }

    def numeric(self, body: model.Numeric) -> Row:
        """Write the accepted numbers and the units. Raises Refused."""
        return {
            **self._accepted([(str(one), one) for one in body.answers]),
            "unit": "\n".join(f"{one.name} = {model.digits(one.factor)}" for one in body.units),
        }

    def essay(self, body: model.Essay) -> Row:
        """Write what belongs to a long text."""
        return {
            "least": "" if body.least_words is None else str(body.least_words),
            "most": "" if body.most_words is None else str(body.most_words),
            "guidance": self._text(body.guidance),
            "start": self._text(body.start),
        }

    def description(self, _body: model.Description) -> Row:
        """Write nothing more."""
        return {}

    def category(self, body: model.Category) -> Row:
        """Write a heading."""
        return {"stem": body.path, "feedback": self._text(self.question.stem)}

    def _room(self, count: int) -> None:
        if count > len(LETTERS):
            raise Refused(Key.MANY_OPTIONS, most=len(LETTERS))

    def _options(self, texts: Sequence[Text]) -> Row:
        self._room(len(texts))
        row = {f"option {LETTERS[n]}": self._text(one) for n, one in enumerate(texts)}
        if not all(row.values()):
            raise Refused(Key.ODD_TEXT, format=self.name, what=Feature.IMAGES)
        return row

    def _accepted(self, answers: Sequence[tuple[str, model.Accepted | model.Number]]) -> Row:
        self._room(len(answers))
        row = {}
        for n, (value, one) in enumerate(answers):
            row[f"option {LETTERS[n]}"] = value
            row[f"feedback {LETTERS[n]}"] = self._text(one.feedback)
            if one.weight != HUNDRED:
                row[f"weight {LETTERS[n]}"] = model.digits(one.weight)
        return row


BODIES: dict[type[model.Body], Callable[[_Writer, Any], Row]] = {
    model.Single: _Writer.choice,
    model.Multiple: _Writer.choice,
    model.TrueFalse: _Writer.truth,
    model.Matching: _Writer.matching,
    model.Ordering: _Writer.ordering,
    model.ShortAnswer: _Writer.short,
    model.Numeric: _Writer.numeric,
    model.Essay: _Writer.essay,
    model.Description: _Writer.description,
    model.Category: _Writer.category,
}


def _scoring(body: object) -> str:
    return "semua" if getattr(body, "all_or_nothing", False) else ""


# The template


def examples() -> tuple[Question, ...]:
    """Return one small question of each type, to write over."""
    yes, no = HUNDRED, Decimal(0)

    def option(text: str, weight: Decimal, feedback: str = "") -> model.Option:
        return model.Option(Text(text), weight, Text(feedback) if feedback else NOTHING)

    return (
        Question(
            model.Single(
                (
                    option("Pelapor", no, "Bukan: jam terjadinya belum terjawab."),
                    option("Waktu", yes, "Tepat: “kapan” menanyakan waktu."),
                    option("Tempat", no, "Bukan: tempat menjawab “di mana”."),
                    option("Alasan", no, "Bukan: alasan menjawab “mengapa”."),
                )
            ),
            Text("Apa yang ditanyakan kata “kapan” dalam sebuah catatan?"),
            id="CONTOH-1",
            tags=Tags(("01.1.1",), ("UU 23/2004 ps 10",), "C2"),
        ),
        Question(
            model.Multiple(
                (option("Dua", yes), option("Tiga", yes), option("Empat", no)), all_or_nothing=True
            ),
            Text("Mana bilangan prima?"),
            id="CONTOH-2",
        ),
        Question(model.TrueFalse(answer=True), Text("Satu jam ada 60 menit."), id="CONTOH-3"),
        Question(
            model.Matching(
                (
                    model.Pair(Text("Senin"), "hari"),
                    model.Pair(Text("Mei"), "bulan"),
                    model.Pair(NOTHING, "tahun"),
                )
            ),
            Text("Jodohkan. Pasangan tanpa isi di kiri hanya pengecoh."),
            id="CONTOH-4",
        ),
        Question(
            model.Ordering((Text("Pagi"), Text("Siang"), Text("Malam"))),
            Text("Urutkan menurut waktu. Tulis dalam urutan yang benar."),
            id="CONTOH-5",
        ),
        Question(
            model.ShortAnswer((model.Accepted("tujuh"), model.Accepted("7"))),
            Text("Berapa hari dalam seminggu?"),
            id="CONTOH-6",
        ),
        Question(
            model.Numeric((model.Number(Decimal("1.5"), Decimal("0.1")),), (model.Unit("jam"),)),
            Text("Berapa lama 90 menit?"),
            id="CONTOH-7",
        ),
        Question(
            model.Essay(20, 150, Text("Nilai susunannya, bukan panjangnya.")),
            Text("Tulis ringkasan dari satu bacaan."),
            id="CONTOH-8",
        ),
    )


def template_csv() -> bytes:
    """Return a CSV file with the headings and a row of each type."""
    return write_csv(examples()).data


def template_xlsx() -> bytes:
    """Return a workbook with the headings, lists to choose from and a row of each type."""
    return write_xlsx(examples()).data
