"""A table of answers from a file: people are rows, items are columns. Nothing is guessed.

The file is read line by line and bounded in every direction; what is wrong with it is said with
row and column. A row is the line of the file, the heading is row 1.
"""

import csv
import re
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from operator import itemgetter
from pathlib import Path
from typing import TextIO

from lms.core.errors import DomainError

LONGEST_LINE = 200_000
"""Characters; a heading of 2,000 items of 90 letters fits."""
LONGEST_CELL = 100
MOST_ITEMS = 2_000
MOST_PEOPLE = 1_000_000
MOST_CELLS = 20_000_000
MOST_CHOICES = 1_000
"""Different answers of one file."""
MOST_GROUPS = 50
BLANKS = {"", "na"}
"""Nothing was answered; `NA` is what R writes."""
BLOCK = 1 << 20
"""Characters read at once."""
CHUNK = 2_000
"""Rows turned into numbers at once."""
SEPARATORS = ",;\t"
MARK = re.compile(r"[0-9]{1,3}([.,][0-9]{1,17})?(e-[0-9]{1,3})?", re.ASCII)
MOODLE = re.compile(r"slots\.[0-9]+\.mark", re.ASCII)
"""The columns of marks in a table of results as Moodle's tests have them."""


_Row = tuple[int, list[str]]
"""The line of the file it ends on, and its cells."""


class BadTable(DomainError):
    """The table cannot be used; the message says where and why."""


@dataclass(frozen=True, slots=True)
class Matrix:
    """Answers as small numbers: `codes` has one for each cell, row by row; 0 is blank."""

    items: tuple[str, ...]
    people: int
    codes: "array[int]"
    choices: tuple[str, ...]
    """What each code stands for; the first is the blank."""
    left_out: tuple[str, ...]
    """Columns of the file that are no items."""
    groups: tuple[str, ...]
    """The group of each person, empty when none is named; nothing without a group column."""


@dataclass(slots=True)
class _Plan:
    """Which columns of a file are what."""

    heading: list[str]
    items: list[int]
    group: int | None

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.heading[one] for one in self.items)

    @property
    def left_out(self) -> tuple[str, ...]:
        taken = {*self.items, self.group}
        return tuple(name for one, name in enumerate(self.heading) if one not in taken)


class _Codes(dict[str, int]):
    """Numbers for answers, given out as they turn up; large and small letters are one answer."""

    def __init__(self, first: Iterable[str], check: Callable[[str], None]) -> None:
        self.choices = [""]
        self._folded = dict.fromkeys(BLANKS, 0)
        self._check = check
        for one in first:
            self.of(one)

    def of(self, cell: str) -> int:
        """Return the number of an answer."""
        return self[cell]

    def __missing__(self, cell: str) -> int:
        text = cell.strip()
        code = self._folded.get(text.casefold())
        if code is None:
            self._check(text)
            if len(self.choices) > MOST_CHOICES:
                raise _BadCell(f"more than {MOST_CHOICES} different answers")
            code = self._folded[text.casefold()] = len(self.choices)
            self.choices.append(text)
        self[cell] = code
        return code


class _BadCell(Exception):
    """A cell says what it must not say."""


def read(
    path: Path,
    *,
    key: dict[str, str] | None = None,
    group: str | None = None,
    skip: Sequence[str] = (),
) -> Matrix:
    """Read a table of answers. Raises BadTable.

    With a key the cells are chosen options and only columns with a key are items. Without one
    they are marks from 0 to 1.
    """
    rows = _rows(path)
    _number, heading = next(rows, (0, None))
    if heading is None:
        raise BadTable(f"{path.name} is empty")
    plan = _plan(path.name, heading, key, group, skip)
    known = key.values() if key is not None else ("0", "1")
    codes = _Codes(known, _check_choice if key is not None else _check_mark)
    answers, groups, people = array("h"), list[str](), 0
    for chunk in _chunks(path.name, rows, len(heading)):
        kept = [one for one in chunk if any(one[1])]
        people += len(kept)
        if people > MOST_PEOPLE or people * len(plan.items) > MOST_CELLS:
            raise BadTable(
                f"{path.name} is too large: at most {MOST_PEOPLE} people and {MOST_CELLS} answers"
            )
        answers.extend(_coded(path.name, kept, plan, codes))
        if plan.group is not None:
            groups.extend(cells[plan.group].strip() for _number, cells in kept)
    if people == 0:
        raise BadTable(f"{path.name} has a heading and no people")
    if len(set(groups)) > MOST_GROUPS:
        raise BadTable(f"{path.name}, column {group}: more than {MOST_GROUPS} groups")
    if any(len(one) > LONGEST_CELL for one in set(groups)):
        raise BadTable(f"{path.name}, column {group}: a name longer than {LONGEST_CELL} letters")
    return Matrix(plan.names, people, answers, tuple(codes.choices), plan.left_out, tuple(groups))


def read_key(path: Path) -> dict[str, str]:
    """Read the right option of each item: columns `item` and `key`. Raises BadTable."""
    rows = _rows(path)
    _number, heading = next(rows, (0, []))
    if [one.strip().casefold() for one in heading] != ["item", "key"]:
        raise BadTable(f"{path.name}, row 1: the columns of a key are item,key")
    found: dict[str, str] = {}
    for number, row in rows:
        if not any(cell.strip() for cell in row):
            continue
        item, right = (cell.strip() for cell in row) if len(row) == 2 else ("", "")
        if not item or right.casefold() in BLANKS:
            raise BadTable(f"{path.name}, row {number}: write an item and its key")
        if item in found:
            raise BadTable(f"{path.name}, row {number}: {_short(item)} stands there twice")
        found[item] = right
        if len(found) > MOST_ITEMS:
            raise BadTable(f"{path.name} has more than {MOST_ITEMS} items")
    if not found:
        raise BadTable(f"{path.name} is empty")
    return found


def _rows(path: Path) -> Iterator[_Row]:
    """Yield the line number and the cells of every line that is not empty. Raises BadTable."""
    encoding, number = "", 1
    try:
        encoding = _encoding(path)
        with path.open(encoding=encoding) as file:
            separator = max(SEPARATORS, key=file.readline(LONGEST_LINE).count)
            file.seek(0)
            lines = chain.from_iterable(_lines(path.name, file))
            reader = csv.reader(lines, delimiter=separator, strict=True)
            for row in reader:
                number = reader.line_num
                if row:
                    yield number, row
    except UnicodeError as error:
        raise BadTable(f"{path.name} is not text in {encoding.removesuffix('-sig')}") from error
    except csv.Error as error:
        raise BadTable(f"{path.name}, after row {number}: {error}") from error
    except OSError as error:
        raise BadTable(f"{path.name} cannot be read: {error.strerror}") from error


def _encoding(path: Path) -> str:
    with path.open("rb") as file:
        start = file.read(2)
    return "utf-16" if start in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"


def _lines(name: str, file: TextIO) -> Iterator[list[str]]:
    """Yield lines in blocks; a line without end does not fill the memory. Raises BadTable."""
    rest = ""
    while block := file.read(BLOCK):
        if "\0" in block:
            raise BadTable(f"{name} is not text: it holds a zero byte")
        lines = (rest + block).split("\n")
        rest = lines.pop()
        if len(rest) > LONGEST_LINE:
            raise BadTable(f"{name} has a row of more than {LONGEST_LINE} characters")
        yield lines
    yield [rest]


def _chunks(name: str, rows: Iterator[_Row], width: int) -> Iterator[list[_Row]]:
    """Yield rows by the thousand, all as wide as the heading. Raises BadTable."""
    while chunk := list(islice(rows, CHUNK)):
        for number, cells in chunk:
            if len(cells) != width:
                raise BadTable(
                    f"{name}, row {number}: {len(cells)} cells, the heading has {width} columns"
                )
        yield chunk


def _coded(name: str, rows: list[_Row], plan: _Plan, codes: _Codes) -> Iterable[int]:
    """Return the codes of the items' cells, row by row. Raises BadTable."""
    pick = _picker(plan)
    try:
        return array("h", map(codes.__getitem__, chain.from_iterable(pick(c) for _n, c in rows)))
    except _BadCell:
        raise _place(name, rows, plan, codes) from None


def _picker(plan: _Plan) -> Callable[[list[str]], Sequence[str]]:
    """Return what takes the items' cells from a row."""
    if len(plan.items) == len(plan.heading):
        return lambda cells: cells
    if len(plan.items) == 1:
        return lambda cells: (cells[plan.items[0]],)
    return itemgetter(*plan.items)


def _place(name: str, rows: list[_Row], plan: _Plan, codes: _Codes) -> BadTable:
    """Return the complaint about the first bad cell of some rows."""
    for number, cells in rows:
        for column in plan.items:
            try:
                codes.of(cells[column])
            except _BadCell as error:
                return BadTable(
                    f"{name}, row {number}, column {_short(plan.heading[column])}: "
                    f'"{_short(cells[column].strip())}": {error}'
                )
    raise AssertionError("no cell is bad")  # pragma: no cover


def _check_mark(text: str) -> None:
    if not MARK.fullmatch(text) or mark(text) > 1:
        raise _BadCell("a mark lies between 0 and 1; for chosen options give --key")


def _check_choice(text: str) -> None:
    if len(text) > LONGEST_CELL:
        raise _BadCell(f"an option has at most {LONGEST_CELL} letters")


def mark(text: str) -> float:
    """Return what a mark is worth; a comma is a decimal point."""
    return float(text.replace(",", "."))


def _plan(
    name: str,
    heading: list[str],
    key: dict[str, str] | None,
    group: str | None,
    skip: Sequence[str],
) -> _Plan:
    """Tell items from other columns. Raises BadTable."""
    names = [one.strip() for one in heading]
    _check_heading(name, names)
    for wanted in (*skip, *([group] if group is not None else []), *(key or ())):
        if wanted not in names:
            raise BadTable(f"{name} has no column {_short(wanted)}")
    others = {"", group, *skip}
    items = [number for number, one in enumerate(names) if one not in others]
    if key is not None:
        items = [number for number in items if names[number] in key]
    elif any(MOODLE.fullmatch(one) for one in names):
        items = [number for number in items if MOODLE.fullmatch(names[number])]
    if not items:
        raise BadTable(f"{name} has no item: every column is left out")
    if len(items) > MOST_ITEMS:
        raise BadTable(f"{name} has {len(items)} items, at most {MOST_ITEMS} are read")
    return _Plan(names, items, names.index(group) if group is not None else None)


def _check_heading(name: str, names: list[str]) -> None:
    seen: set[str] = set()
    for number, one in enumerate(names, 1):
        if len(one) > LONGEST_CELL:
            raise BadTable(f"{name}, row 1, column {number}: a name longer than {LONGEST_CELL}")
        if one and one in seen:
            raise BadTable(f"{name}, row 1, column {number}: {_short(one)} stands there twice")
        seen.add(one)


def _short(text: str) -> str:
    """Return text for a message: one line, and not long."""
    plain = "".join(one if one.isprintable() else "?" for one in text)
    return plain if len(plain) <= 40 else plain[:39] + "…"
