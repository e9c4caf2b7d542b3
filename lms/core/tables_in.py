"""Tables from outside: XLSX, CSV and pasted rows. The one door in for sheets, and a narrow one.

A workbook is a program of its own kind: it is read in another process with little memory and time,
and only after its parts were unpacked there under a limit. Nothing in it is calculated.
"""

import csv
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Literal

from lms.core.errors import DomainError

LARGEST = 2 * 1024 * 1024
"""Bytes of a file, characters of a pasted text."""
MOST_ROWS, MOST_COLUMNS = 2000, 30
MOST_LINES = 20_000
"""Lines looked through for rows that hold anything: sheets may end in many empty ones."""
LONGEST_CELL = 1000
"""Characters of a cell that are kept."""
SECONDS = 10
CHILD = Path(__file__).with_name("workbook.py")

MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"\xef\xbb\xbf": "utf-8-sig"}
SEPARATORS = (";", "\t", ",", "|")
PROBE = 50
"""Lines by which the separator is told."""


class BadSheet(DomainError):
    """The file cannot be read; `key` says why.

    `empty`, `large`, `rows`, `columns`, `cell`, `format`, `old` (an Excel of before 2007, or one
    with a password), `broken`, `packed` (it unpacks to far more than a list of people), `time`.
    """

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a sheet that holds anything: its number there, from 1, and its cells."""

    number: int
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """The lines of one sheet, without empty ones; all cells are text."""

    lines: tuple[Line, ...]
    others: tuple[str, ...] = ()
    """Names of the other sheets of a workbook: they were not read."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The first line, which usually names the columns."""
        return self.lines[0].cells

    @property
    def rows(self) -> tuple[Line, ...]:
        """All lines below the first."""
        return self.lines[1:]


@dataclass(frozen=True, slots=True)
class Size:
    """How wide a table may be, and how much of a cell is kept."""

    columns: int = MOST_COLUMNS
    cell: int = LONGEST_CELL


LIST = Size()
"""A list of people."""


def read(data: bytes | str, *, name: str = "", size: Size = LIST) -> Sheet:
    """Return the table in a file or in pasted text. Raises BadSheet.

    What the bytes are is told from the bytes; `name` only helps to word what they are not.
    """
    if len(data) > LARGEST:
        raise BadSheet("large")
    if isinstance(data, str):
        return _sheet(_parse(data), size, pasted=True)
    if data.startswith(b"PK\x03\x04"):
        return _read_workbook(data, size)
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        raise BadSheet("old")
    if data.startswith((b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"PK")):
        raise BadSheet("format")
    if name.lower().endswith((".xlsx", ".xls", ".ods", ".pdf", ".docx")) and data.strip():
        raise BadSheet("format")
    return _sheet(_parse(_decode(data)), size)


def _sheet(
    lines: Iterable[tuple[int, list[str]]],
    size: Size,
    *,
    others: Iterable[str] = (),
    pasted: bool = False,
) -> Sheet:
    """Keep the lines that hold anything, within the limits. Raises BadSheet."""
    kept: list[Line] = []
    for number, cells in lines:
        if number > MOST_LINES:
            raise BadSheet("rows")
        clean = _clean(cells, size)
        if clean and len(kept) > MOST_ROWS:  # one more than rows: the headings
            raise BadSheet("rows")
        if clean:
            kept.append(Line(number, clean))
    if not kept:
        raise BadSheet("empty")
    if not pasted and _is_noise(kept):
        raise BadSheet("format")
    return Sheet(tuple(kept), tuple(others))


def _clean(cells: Iterable[str], size: Size) -> tuple[str, ...]:
    """Return the cells of a line without empty ones at its end. Raises BadSheet."""
    clean = [cell.replace("\0", "").strip()[: size.cell] for cell in cells]
    while clean and not clean[-1]:
        clean.pop()
    if len(clean) > size.columns:
        raise BadSheet("columns")
    return tuple(clean)


def _is_noise(lines: list[Line]) -> bool:
    """Tell whether this is not text at all: some other file with another name."""
    start = "".join(cell for line in lines[:PROBE] for cell in line.cells)[:4000]
    strange = sum(not (letter.isprintable() or letter.isspace()) for letter in start)
    return strange * 20 > len(start)


# CSV


def _decode(data: bytes) -> str:
    """Return the text of a file: by its mark, as UTF-16 if every other byte is 0, or as Excel."""
    for mark, encoding in MARKS.items():
        if data.startswith(mark):
            return data.decode(encoding, "replace")
    start = data[:4000]
    if len(start) > 3 and start.count(0) * 3 > len(start):
        return data.decode(
            "utf-16-le" if start[1::2].count(0) > start[::2].count(0) else "utf-16-be", "replace"
        )
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _parse(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield numbered lines of cells. Raises BadSheet."""
    text = text.replace("\0", "")
    separator, first = _separator(text)
    body = text.split("\n", 1)[1] if first == 2 and "\n" in text else text
    try:
        rows = list(_rows(body, separator, csv.QUOTE_MINIMAL))
        if any(cell.count("\n") > 10 for cells in rows for cell in cells):
            # A quotation mark that nobody closed swallows the rest: read it as a letter.
            rows = list(_rows(body, separator, csv.QUOTE_NONE))
    except csv.Error:
        raise BadSheet("cell") from None
    return enumerate(rows, first)


def _rows(text: str, separator: str, quoting: Literal[0, 3]) -> Iterator[list[str]]:
    # csv wants lines with their ends; "\r" alone, as old Macs wrote it, is one as well.
    lines = StringIO(text.replace("\r\n", "\n").replace("\r", "\n"), newline="")
    for number, row in enumerate(csv.reader(lines, delimiter=separator, quoting=quoting), 1):
        if number > MOST_LINES:
            raise BadSheet("rows")
        yield row


def _separator(text: str) -> tuple[str, int]:
    """Return what stands between cells, and the number of the first line (2 after `sep=;`)."""
    start = text[:64].lstrip("\ufeff")
    if start[:4].lower() == "sep=" and start[4:5] in SEPARATORS:
        return start[4], 2
    lines = [line for line in text[: LONGEST_CELL * PROBE].splitlines()[:PROBE] if line.strip()]
    counts = {one: [_outside(line, one) for line in lines] for one in SEPARATORS}
    # The one that stands in the most lines; among equals the one that stands there most often.
    return max(
        SEPARATORS,
        key=lambda one: (sum(map(bool, counts[one])), sum(counts[one]), -SEPARATORS.index(one)),
    ), 1


def _outside(line: str, separator: str) -> int:
    """Count a separator outside of quotation marks."""
    return sum(part.count(separator) for part in line.split('"')[::2])


# XLSX


def _read_workbook(data: bytes, size: Size) -> Sheet:
    """Let a process of its own read a workbook. Raises BadSheet."""
    try:
        done = subprocess.run(  # noqa: S603  # our own file, and nothing of theirs on the line
            [sys.executable, "-I", str(CHILD), str(size.cell + 100)],
            input=data,
            capture_output=True,
            timeout=SECONDS,
            check=False,
            env={key: one for key, one in os.environ.items() if not key.startswith("SULUH_")},
        )
    except subprocess.TimeoutExpired:
        raise BadSheet("time") from None
    if done.returncode != 0:
        # It ran out of memory or time, or the reader gave up on what it found.
        raise BadSheet("packed" if done.returncode < 0 else "broken")
    found = json.loads(done.stdout)
    if "bad" in found:
        raise BadSheet(found["bad"])
    lines = ((number, cells) for number, cells in found["lines"])
    return _sheet(lines, size, others=found["others"])
