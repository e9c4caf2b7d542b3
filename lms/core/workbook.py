"""Reads one workbook from standard input and writes its cells as JSON. Run as a process of its own.

It limits itself first: memory, time, files. Then it unpacks the parts of the workbook itself and
counts real bytes, because the sizes in an archive are what its maker wrote. What it has counted is
packed anew, so the reader sees nothing else. It imports nothing of the application.
"""

import io
import json
import sys
import zipfile
import zlib
from pathlib import Path
from typing import Any

MOST_PARTS = 300
MOST_UNPACKED = 12 * 1024 * 1024
MOST_ROWS, MOST_COLUMNS, LONGEST_CELL = 20_000, 100, 1100
MEMORY = 76 * 1024 * 1024
"""Bytes above what the process has at its start."""
SECONDS = 8


class Refused(Exception):
    """The workbook is refused; its argument is a key of lms.core.tables_in.BadSheet."""


def limit() -> None:
    """Take away what a small list cannot need. Elsewhere than on Unix only the time is limited."""
    try:
        import resource
    except ImportError:
        return
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    except OSError:
        pass  # not Linux: the archive is still counted before anything is read from it
    else:
        most = pages * resource.getpagesize() + MEMORY
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def repack(data: bytes) -> io.BytesIO:
    """Return the workbook with every part unpacked and counted. Raises Refused."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OverflowError):
        raise Refused("broken") from None
    parts = archive.infolist()
    if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > MOST_UNPACKED:
        raise Refused("packed")
    names = {part.filename for part in parts}
    if "xl/workbook.xml" not in names:
        raise Refused("format")
    clean, left = io.BytesIO(), MOST_UNPACKED
    with zipfile.ZipFile(clean, "w", zipfile.ZIP_STORED) as target:
        for part in parts:
            if part.is_dir() or not part.filename.endswith((".xml", ".rels")):
                continue  # pictures, macros and printers' settings are of no use here
            body = unpack(data, part, left)
            left -= len(body)
            if b"<!DOCTYPE" in body[:4096]:
                raise Refused("broken")  # no workbook needs one; entities could explode
            target.writestr(part.filename, body)
    clean.seek(0)
    return clean


def unpack(data: bytes, part: zipfile.ZipInfo, most: int) -> bytes:
    """Return the bytes of one part, at most so many, whatever its sizes say. Raises Refused."""
    if part.flag_bits & 1:
        raise Refused("old")
    start = part.header_offset
    head = data[start : start + 30]
    if len(head) < 30 or not head.startswith(b"PK\x03\x04"):
        raise Refused("broken")
    start += 30 + int.from_bytes(head[26:28], "little") + int.from_bytes(head[28:30], "little")
    packed = data[start : start + part.compress_size]
    if part.compress_type == zipfile.ZIP_STORED:
        body = packed
    elif part.compress_type == zipfile.ZIP_DEFLATED:
        engine = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            body = engine.decompress(packed, most + 1)
        except zlib.error:
            raise Refused("broken") from None
    else:
        raise Refused("broken")
    if len(body) > most:
        raise Refused("packed")
    return body


def cells_of(book: io.BytesIO, longest: int) -> dict[str, object]:
    """Return the lines of the first sheet that is shown and holds anything. Raises Refused."""
    import python_calamine as calamine

    try:
        found = calamine.CalamineWorkbook.from_filelike(book)
    except calamine.PasswordError:
        raise Refused("old") from None
    except calamine.CalamineError:
        raise Refused("broken") from None
    shown = [
        one.name
        for one in found.sheets_metadata
        if one.visible == calamine.SheetVisibleEnum.Visible
        and one.typ == calamine.SheetTypeEnum.WorkSheet
    ]
    for name in shown:
        try:
            lines = lines_of(found.get_sheet_by_name(name), longest)
        except (calamine.CalamineError, calamine.WorksheetNotFound):
            raise Refused("broken") from None
        if lines:
            return {"lines": lines, "others": [one[:80] for one in shown if one != name][:20]}
    raise Refused("empty")


def lines_of(sheet: Any, longest: int) -> list[tuple[int, list[str]]]:
    """Return the numbered lines of a sheet that hold anything. Raises Refused."""
    if sheet.start is None:
        return []
    if sheet.height > MOST_ROWS:
        raise Refused("rows")
    if sheet.width > MOST_COLUMNS:
        raise Refused("columns")
    lines = []
    for number, row in enumerate(sheet.to_python(skip_empty_area=True), sheet.start[0] + 1):
        texts = [text(cell)[:longest] for cell in row]
        if any(texts):
            lines.append((number, texts))
    return lines


def text(cell: object) -> str:
    """Write a cell as somebody would type it: whole numbers without a point, days as ISO."""
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e18:
        return f"{cell:.0f}"
    if isinstance(cell, float | int | str):
        return str(cell)
    return cell.isoformat() if hasattr(cell, "isoformat") else str(cell)


def answer_to(data: bytes, longest: int = LONGEST_CELL) -> dict[str, object]:
    """Return the cells of a workbook, or under `bad` why there are none."""
    try:
        return cells_of(repack(data), longest)
    except Refused as error:
        return {"bad": str(error)}
    except MemoryError:
        return {"bad": "packed"}
    except BaseException:  # whatever a strange archive does to a reader, a panic of it too
        return {"bad": "broken"}


def main() -> None:
    """Answer with one line of JSON. The argument: how many characters of a cell are wanted."""
    limit()
    longest = int(sys.argv[1]) if len(sys.argv) > 1 else LONGEST_CELL
    sys.stdout.write(json.dumps(answer_to(sys.stdin.buffer.read(), longest)))


if __name__ == "__main__":
    main()
