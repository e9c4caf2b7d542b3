"""Tables as files: CSV that streams, XLSX that keeps memory flat. The one door out for rows."""

import csv
import re
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from io import StringIO
from typing import IO, Any
from urllib.parse import quote

from flask import Response, stream_with_context

from lms.core.i18n import gettext as _
from lms.core.marks import Mark

Cell = str | int | float | date | None

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\0")
"""What a spreadsheet takes for a formula, or for the end of a cell."""
INSIDE = re.compile(r"(?<=[,\t\r\n])(\s*)(?=[=+\-@])")
"""Where a formula begins for a spreadsheet that takes commas for the ends of cells."""
CHUNK = 200
"""Rows of one piece of a streamed CSV."""
LONGEST_FOOT = 255
"""Characters of the foot of a printed sheet, as UTF-16 counts; none takes a longer one."""


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


def xlsx_file(
    title: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[Cell]],
    mark: Mark | None = None,
) -> IO[bytes]:
    """Write a workbook row by row; the caller closes the file it gets, at its start.

    The rows are one sheet; a mark stands in the properties, at the foot of what is printed and on
    a last sheet. Text is written as text: nothing in it becomes a formula or a link.
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
    if mark is not None:
        _sign(book, sheet, title, mark)
    book.close()
    file.seek(0)
    return file


def _sign(book: Any, sheet: Any, title: str, mark: Mark) -> None:
    """Put a mark into a workbook whose rows are written."""
    about = book.add_worksheet(_("Tentang berkas ini")[:31])
    about.set_column(0, 0, 26)
    about.set_column(1, 1, 70)
    for number, (name, value) in enumerate(mark.facts):
        about.write_string(number, 0, name)
        about.write_string(number, 1, value)
    about.write_string(len(mark.facts) + 1, 0, mark.advice)
    for one in (sheet, about):
        one.set_footer(_footer(mark))
    book.set_properties(
        {
            "title": title,
            "author": "Suluh",
            "keywords": mark.reference,
            "comments": "\n".join(mark.lines),
            "created": mark.at.replace(tzinfo=None),
        }
    )


def _footer(mark: Mark) -> str:
    """Return the foot of a printed sheet: small, nothing in it is a command, not too long."""
    first, second = (_literal(line) for line in mark.lines)
    start = f"&L&7 {first}\n"
    cut = second[:LONGEST_FOOT]
    while len((start + cut).encode("utf-16-le")) > 2 * LONGEST_FOOT:
        cut = cut[:-1]
    # An odd number of & at the end would be half of an escaped one, cut in two.
    odd = (len(cut) - len(cut.rstrip("&"))) % 2
    return start + (cut[:-1] if odd else cut)


def _literal(line: str) -> str:
    """Return a line in which no & is a command; our library takes &&G and &&[ for pictures."""
    return re.sub(r"&&(?=[G\[])", "&& ", line.replace("&", "&&"))


def _attachment(response: Response, name: str) -> Response:
    response.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name)}"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def answer_csv(
    name: str, columns: Sequence[str], rows: Iterable[Sequence[Cell]], mark: Mark | None
) -> Response:
    """Answer with a streamed CSV file; `name` has no ending.

    Programs read it from its first line on, so the mark stands in its name only. A file about
    nobody has none.
    """
    pieces = stream_with_context(csv_pieces(columns, rows))
    named = mark.name(name) if mark else name
    return _attachment(Response(pieces, content_type="text/csv; charset=utf-8"), f"{named}.csv")


def answer_xlsx(
    name: str, columns: Sequence[str], rows: Iterable[Sequence[Cell]], mark: Mark | None
) -> Response:
    """Answer with a workbook; `name` has no ending. A file about nobody has no mark."""
    file = xlsx_file(name, columns, rows, mark)
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    response = Response(iter(lambda: file.read(65536), b""), content_type=kind)
    response.call_on_close(file.close)
    return _attachment(response, f"{mark.name(name) if mark else name}.xlsx")


def answer_pdf(name: str, body: bytes, mark: Mark | None) -> Response:
    """Answer with a paper, to be looked at first, that carries `mark` at the foot of its pages.

    A paper about nobody has none.
    """
    response = Response(body, mimetype="application/pdf")
    response.headers["Content-Disposition"] = (
        f"inline; filename*=UTF-8''{quote(mark.name(name) if mark else name)}.pdf"
    )
    return response
