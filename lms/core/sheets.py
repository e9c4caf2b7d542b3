"""Tables as files: CSV that streams, XLSX that keeps memory flat. The one door out for rows."""

import csv
import re
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from io import StringIO
from typing import IO
from urllib.parse import quote

from flask import Response, stream_with_context

Cell = str | int | float | date | None

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\0")
"""What a spreadsheet takes for a formula, or for the end of a cell."""
INSIDE = re.compile(r"(?<=[,\t\r\n])(\s*)(?=[=+\-@])")
"""Where a formula begins for a spreadsheet that takes commas for the ends of cells."""
CHUNK = 200
"""Rows of one piece of a streamed CSV."""


def inert(cell: Cell) -> Cell:
    """Return a cell that no spreadsheet runs: text that looks like a formula gets a quote before.

    Numbers stay numbers, a negative one too.
    """
    if isinstance(cell, str) and cell.startswith(FORMULA):
        return "'" + cell
    return cell


def _written(cell: Cell) -> Cell:
    """Return a cell for a CSV file, inert however the reader splits its line."""
    found = inert(cell)
    return INSIDE.sub(r"\1'", found) if isinstance(found, str) else found


def csv_pieces(columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[str]:
    """Yield a CSV file piece by piece: with BOM and semicolons, as Indonesian Excel opens it."""
    buffer = StringIO()
    writer = csv.writer(buffer, delimiter=";", lineterminator="\r\n")
    buffer.write("\ufeff")
    writer.writerow([_written(one) for one in columns])
    for count, row in enumerate(rows, 1):
        writer.writerow([_written(one) for one in row])
        if count % CHUNK == 0:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()


def xlsx_file(title: str, columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> IO[bytes]:
    """Write a workbook of one sheet row by row; the caller closes the file it gets, at its start.

    Text is written as text: nothing in it becomes a formula or a link.
    """
    from xlsxwriter import Workbook

    file = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it
    book = Workbook(
        file,
        {
            "constant_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
            "default_date_format": "yyyy-mm-dd",
        },
    )
    sheet = book.add_worksheet("".join(c for c in title if c not in "[]:*?/\\'")[:31] or "Suluh")
    bold = book.add_format({"bold": True, "bottom": 1})
    for column, name in enumerate(columns):
        sheet.set_column(column, column, max(10, min(40, len(name) + 4)))
        sheet.write_string(0, column, name, bold)
    sheet.freeze_panes(1, 0)
    for number, row in enumerate(rows, 1):
        sheet.write_row(number, 0, row)
    book.close()
    file.seek(0)
    return file


def _attachment(response: Response, name: str) -> Response:
    response.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name)}"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def answer_csv(name: str, columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Response:
    """Answer with a streamed CSV file; `name` has no ending."""
    pieces = stream_with_context(csv_pieces(columns, rows))
    return _attachment(Response(pieces, content_type="text/csv; charset=utf-8"), f"{name}.csv")


def answer_xlsx(name: str, columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Response:
    """Answer with a workbook; `name` has no ending."""
    file = xlsx_file(name, columns, rows)
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    response = Response(iter(lambda: file.read(65536), b""), content_type=kind)
    response.call_on_close(file.close)
    return _attachment(response, f"{name}.xlsx")
