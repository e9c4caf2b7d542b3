"""Sheets from outside: every dialect is read, nothing crashes, nothing explodes."""

import io
import resource
import subprocess
import sys
import time
import zipfile
import zlib
from collections.abc import Callable
from datetime import date
from functools import cache

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lms.core import tables_in, workbook
from lms.core.sheets import csv_pieces, xlsx_file
from lms.core.tables_in import BadSheet, Line, read

PEOPLE = [["Nama", "E-mail"], ["Zoë", "zoe@contoh.id"]]


def book(rows: list[list[object]]) -> bytes:
    columns, *rest = rows
    with xlsx_file("Daftar", columns, rest) as file:  # type: ignore[arg-type]
        return file.read()


def cells(data: bytes | str, name: str = "") -> list[list[str]]:
    return [list(line.cells) for line in read(data, name=name).lines]


def why(data: bytes | str, name: str = "") -> str:
    with pytest.raises(BadSheet) as caught:
        read(data, name=name)
    return caught.value.key


@pytest.mark.parametrize(
    "data",
    [
        "Nama;E-mail\r\nZoë;zoe@contoh.id\r\n".encode(),
        "Nama,E-mail\nZoë,zoe@contoh.id".encode(),
        "Nama\tE-mail\nZoë\tzoe@contoh.id\n\n\n".encode(),
        "Nama|E-mail\rZoë|zoe@contoh.id\r".encode(),
        "sep=;\nNama;E-mail\nZoë;zoe@contoh.id".encode(),
        '"Nama";"E-mail"\n"Zoë";"zoe@contoh.id";;\n'.encode(),
        "\ufeffNama;E-mail\nZoë;zoe@contoh.id\n".encode(),
        "Nama;E-mail\nZoë;zoe@contoh.id\n".encode("cp1252"),
        "Nama;E-mail\nZoë;zoe@contoh.id\n".encode("utf-16"),
        "\ufeffNama\tE-mail\nZoë\tzoe@contoh.id\n".encode("utf-16-be"),
        "Nama\tE-mail\nZoë\tzoe@contoh.id\n".encode("utf-16-le"),
        "Nama\tE-mail\nZoë\tzoe@contoh.id\n".encode("utf-16-be"),
        b"Na\0ma;E-mail\nZo\xc3\xab;zoe@contoh.id\n",
        "".join(csv_pieces(PEOPLE[0], PEOPLE[1:])).encode(),
        book(PEOPLE),
        "Nama\tE-mail\nZoë\tzoe@contoh.id",
    ],
)
def test_every_dialect_says_the_same(data: bytes | str):
    assert cells(data) == PEOPLE


def test_quotes_hold_line_ends_and_separators():
    text = 'Nama,Alamat\n"Ani, S.H.","Jalan 1\nKota"\nBudi,"kata ""dia"""\n'
    assert cells(text) == [
        ["Nama", "Alamat"], ["Ani, S.H.", "Jalan 1\nKota"], ["Budi", 'kata "dia"'],
    ]  # fmt: skip


def test_a_quotation_mark_nobody_closed_swallows_nothing():
    rest = "".join(f"Orang {n};o{n}@contoh.id\n" for n in range(30))
    found = cells(f'Nama;E-mail\n"Ani;ani@contoh.id\n{rest}')
    assert len(found) == 32
    assert found[1] == ['"Ani', "ani@contoh.id"]


def test_lines_keep_their_numbers():
    sheet = read("\n\nNama;E-mail\n;;\nAni;a@contoh.id\n")
    assert sheet.lines == (Line(3, ("Nama", "E-mail")), Line(5, ("Ani", "a@contoh.id")))
    assert sheet.columns == ("Nama", "E-mail")
    assert sheet.rows == (Line(5, ("Ani", "a@contoh.id")),)
    assert read("sep=,\nNama,E-mail\n").lines[0].number == 2


def test_cells_of_a_workbook_are_written_as_one_types_them():
    rows: list[list[object]] = [["a", "b", "c", "d"], [7, 1.5, date(2026, 3, 2), "=1+1"]]
    assert cells(book(rows))[1] == ["7", "1.5", "2026-03-02", "=1+1"]
    assert cells(book([["a"], [6471010101900001]]))[1] == ["6471010101900001"]


def test_limits_are_said():
    assert why("x" * (tables_in.LARGEST + 1)) == "large"
    assert why("a;b\n" * 2002) == "rows"
    assert len(read("a;b\n" * 2001).lines) == 2001
    assert why("\n" * 30_000 + "a;b") == "rows"
    assert why(";".join("x" * 31)) == "columns"
    assert why('"' + "a" * 200_000) == "cell"
    assert read("x" * 5000 + ";b").lines[0].cells == ("x" * tables_in.LONGEST_CELL, "b")
    assert why("") == why(" \n ; ;\n") == "empty"
    assert why(book([[""], [""]])) == "empty"
    assert why(book([["x"]] + [["y"]] * 2001)) == "rows"
    assert why(book([["x"] * 31])) == "columns"
    assert why(book([["x"] * 101])) == "columns"


@pytest.mark.parametrize(
    ("data", "name", "key"),
    [
        (b"%PDF-1.7 ...", "daftar.csv", "format"),
        (b"\x89PNG\r\n", "x", "format"),
        (b"Nama;E-mail", "daftar.xlsx", "format"),
        (bytes(range(1, 32)) * 20, "daftar.csv", "format"),
        (b"\xd0\xcf\x11\xe0" + b"\0" * 600, "daftar.xls", "old"),
        (b"PK\x05\x06" + b"\0" * 18, "kosong.xlsx", "format"),
        (b"PK\x03\x04" + b"\0" * 200, "daftar.xlsx", "broken"),
    ],
)
def test_what_is_no_sheet_is_named(data: bytes, name: str, key: str):
    assert why(data, name) == key


@given(st.binary(max_size=400) | st.text(max_size=400))
@example(b"\xff\xfe\x00")
@example(b"\xef\xbb\xbf")
@example("sep=;")
@example('"')
def test_anything_is_a_sheet_or_a_reason(data: bytes | str):
    if isinstance(data, bytes) and data.startswith(b"PK\x03\x04"):
        return  # a process each: see below
    try:
        sheet = read(data)
    except BadSheet:
        return
    assert sheet.lines
    assert all(line.cells[-1] for line in sheet.lines)
    assert all("\0" not in cell for line in sheet.lines for cell in line.cells)


@given(st.data())
def test_a_damaged_workbook_is_a_sheet_or_a_reason(data: st.DataObject):
    """What the other process does, done here: bytes of the archive, or of a part, are wrong."""
    with zipfile.ZipFile(io.BytesIO(WHOLE)) as source:
        parts = {name: bytearray(source.read(name)) for name in source.namelist()}
    part = data.draw(st.sampled_from([None, *parts]))
    whole = bytearray(WHOLE) if part is None else parts[part]
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    if data.draw(st.booleans()):
        del whole[data.draw(st.integers(0, len(whole))) :]
    if part is not None:
        whole = archive([(name, bytes(body)) for name, body in parts.items()])
    found = workbook.answer_to(bytes(whole))
    assert found.get("lines") or found["bad"] in KEYS


@pytest.mark.parametrize("data", ["whole", "numbers"])
def test_what_the_process_answers(data: str):
    rows = {"whole": PEOPLE, "numbers": [["a", "b"], [1.5, date(2026, 3, 2)]]}[data]
    lines = workbook.answer_to(book(rows))["lines"]
    texts = {"whole": PEOPLE[1], "numbers": ["1.5", "2026-03-02"]}[data]
    assert lines == [(1, rows[0]), (2, texts)]


WHOLE = book(PEOPLE)
KEYS = {"broken", "packed", "format", "old", "empty", "rows", "columns"}


def test_the_largest_list_there_may_be_is_read():
    rows = [[f"Orang dengan nama panjang {n} {c}" for c in range(20)] for n in range(2001)]
    sheet = read(book(rows))
    assert len(sheet.rows) == 2000
    assert len(sheet.columns) == 20


def test_what_breaks_the_reader_breaks_only_its_process(monkeypatch: pytest.MonkeyPatch, tmp_path):
    for code, key in (
        ("import os; os.abort()", "packed"),
        ("raise SystemExit(3)", "broken"),
        ("import time; time.sleep(5)", "time"),
    ):
        child = tmp_path / "child.py"
        child.write_text(code)
        monkeypatch.setattr(tables_in, "CHILD", child)
        monkeypatch.setattr(tables_in, "SECONDS", 1)
        assert why(WHOLE) == key


# Archives that lie


def archive(parts: list[tuple[str, bytes]]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as target:
        for name, body in parts:
            target.writestr(name, body)
    return file.getvalue()


def changed(part: str, change: bytes | None = None, **swap: bytes) -> bytes:
    """Return WHOLE with one part replaced, or with bytes swapped inside it."""
    with zipfile.ZipFile(io.BytesIO(WHOLE)) as source:
        parts = [(name, source.read(name)) for name in source.namelist()]
    assert any(part in name for name, _body in parts)
    return archive([(n, change if part in n and change is not None else b) for n, b in parts])


@cache
def zeros(mebibytes: int) -> tuple[bytes, int]:
    """Return so many packed zeros and their checksum; packed once, since all blocks are alike."""
    block, crc = b"0" * (1 << 20), 0
    for _ in range(mebibytes):
        crc = zlib.crc32(block, crc)
    engine = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = engine.compress(block) + engine.flush(zlib.Z_FULL_FLUSH)
    return packed * mebibytes + engine.flush(), crc


def bomb(mebibytes: int, *, says: int | None = None) -> bytes:
    """Return a workbook whose sheet unpacks to so much, made without holding it."""
    packed, crc = zeros(mebibytes)
    plain = archive([("xl/workbook.xml", b"<a/>"), ("xl/worksheets/sheet1.xml", b"MARK")])
    with zipfile.ZipFile(io.BytesIO(plain)) as source:
        info = source.getinfo("xl/worksheets/sheet1.xml")
    size = says if says is not None else mebibytes << 20
    name = info.filename.encode()
    local = (
        b"PK\x03\x04\x14\0\0\0\x08\0\0\0\0\0" + crc.to_bytes(4, "little")
        + len(packed).to_bytes(4, "little") + size.to_bytes(4, "little")
        + len(name).to_bytes(2, "little") + b"\0\0" + name + packed
    )  # fmt: skip
    start = info.header_offset
    end = plain.index(b"PK\x01\x02")
    directory = bytearray(plain[end:])
    place = directory.index(b"PK\x01\x02", 4)
    directory[place + 16 : place + 28] = (
        crc.to_bytes(4, "little") + len(packed).to_bytes(4, "little") + size.to_bytes(4, "little")
    )
    tail = directory.index(b"PK\x05\x06")
    offset = start + len(local)
    directory[tail + 16 : tail + 20] = offset.to_bytes(4, "little")
    return plain[:start] + local + bytes(directory)


def measured(data: bytes) -> tuple[str, float, float]:
    """Return what the other process answers, its seconds and its largest memory in MiB."""
    code = (
        "import resource, subprocess, sys\n"
        "done = subprocess.run([sys.executable, '-I', sys.argv[1]], stdin=sys.stdin.buffer,"
        " stdout=subprocess.PIPE)\n"
        "used = resource.getrusage(resource.RUSAGE_CHILDREN)\n"
        "print(done.returncode, used.ru_maxrss // 1024, done.stdout.decode()[:60])"
    )
    begun = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-I", "-c", code, str(tables_in.CHILD)],
        input=data, capture_output=True, check=True,
    )  # fmt: skip
    _code, memory, answer = done.stdout.decode().split(" ", 2)
    return answer, time.monotonic() - begun, float(memory)


STRING = b'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><t>%s</t></si></sst>'
SHEET = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>%s</sheetData></worksheet>'


def grid(rows: int, columns: int) -> bytes:
    """Return a sheet every cell of which is the first shared string."""
    lines = (
        b'<row r="%d">%s</row>'
        % (n, b"".join(b'<c r="%c%d" t="s"><v>0</v></c>' % (65 + c, n) for c in range(columns)))
        for n in range(1, rows + 1)
    )
    return SHEET % b"".join(lines)


def exploding() -> bytes:
    with zipfile.ZipFile(io.BytesIO(WHOLE)) as source:
        parts = dict.fromkeys(source.namelist(), b"")
        for name in parts:
            parts[name] = source.read(name)
    parts["xl/sharedStrings.xml"] = STRING % (b"A" * 20_000_000)
    parts["xl/worksheets/sheet1.xml"] = grid(1500, 20)
    return archive(list(parts.items()))


FAR = SHEET % (
    b'<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
)
ENTITIES = b'<!DOCTYPE a [<!ENTITY b "xxxxxxxx">]>' + SHEET % b""


@pytest.mark.parametrize(
    ("made", "key"),
    [
        (lambda: bomb(1000), "packed"),
        (lambda: bomb(1000, says=1000), "packed"),
        (
            lambda: archive(
                [("xl/workbook.xml", b"<a/>")] + [(f"{n}", b"") for n in range(15_000)]
            ),
            "packed",
        ),
        (exploding, "packed"),
        (lambda: changed("sheet1", FAR), "packed"),
        (lambda: changed("sheet1", ENTITIES), "broken"),
        (lambda: changed("sheet1", b"<worksheet"), "broken"),
        (lambda: archive([("word/document.xml", b"x")]), "format"),
    ],
    ids=[
        "bomb",
        "lying header",
        "many parts",
        "shared string",
        "far cell",
        "entities",
        "cut",
        "word",
    ],
)
def test_a_workbook_that_explodes_is_refused_soon_and_small(made: Callable[[], bytes], key: str):
    data = made()
    assert len(data) <= tables_in.LARGEST
    answer, seconds, memory = measured(data)
    assert seconds < 3
    assert memory < 100
    if answer.strip():
        assert key in answer
    assert why(data) == key


def test_what_explodes_is_a_whole_workbook():
    """The positive control: it is refused for its size, not because its packing is broken."""
    with zipfile.ZipFile(io.BytesIO(bomb(3))) as found:
        assert found.testzip() is None
        assert len(found.read("xl/worksheets/sheet1.xml")) == 3 << 20


def test_the_measure_sees_what_a_sheet_takes():
    """The positive control: a plain list takes little and is read."""
    answer, _seconds, memory = measured(WHOLE)
    assert "Nama" in answer
    assert 5 < memory < 100


def test_the_process_limits_itself():
    code = (
        "import resource, sys; sys.path.insert(0, sys.argv[1]); import workbook; workbook.limit();"
        "print(*resource.getrlimit(resource.RLIMIT_CPU), resource.getrlimit(resource.RLIMIT_AS)[0])"
    )
    folder = str(tables_in.CHILD.parent)
    done = subprocess.run(
        [sys.executable, "-I", "-c", code, folder], capture_output=True, check=True, text=True
    )
    soft, hard, memory = map(int, done.stdout.split())
    assert soft == hard == workbook.SECONDS
    assert 0 < memory < 400 * 1024 * 1024
    assert resource.getrlimit(resource.RLIMIT_CPU)[0] != workbook.SECONDS  # ours is as it was


def test_hidden_sheets_are_passed_over_and_others_named():
    import xlsxwriter

    file = io.BytesIO()
    with xlsxwriter.Workbook(file) as target:
        for name, hidden, rows in (
            ("Rahasia", True, [["x"]]), ("Kosong", False, []), ("Daftar", False, PEOPLE),
            ("Lain", False, [["y"]]),
        ):  # fmt: skip
            sheet = target.add_worksheet(name)
            for number, row in enumerate(rows):
                sheet.write_row(number, 0, row)
            if hidden:
                sheet.hide()
            elif name == "Kosong":
                sheet.activate()
    sheet = read(file.getvalue())
    assert [list(line.cells) for line in sheet.lines] == PEOPLE
    assert sheet.others == ("Kosong", "Lain")


def test_archives_of_another_kind_are_refused():
    part = WHOLE.index(b"PK\x01\x02")
    locked = bytearray(WHOLE)
    locked[part + 8] |= 1  # the first part says that it is encrypted
    assert workbook.answer_to(bytes(locked)) == {"bad": "old"}
    other = bytearray(WHOLE)
    other[part + 10] = 12  # packed in a way that workbooks are not
    assert workbook.answer_to(bytes(other)) == {"bad": "broken"}
    moved = bytearray(WHOLE)
    moved[part + 42] = 7  # its bytes are said to stand elsewhere
    assert workbook.answer_to(bytes(moved)) == {"bad": "broken"}
    with_picture = archive([("xl/workbook.xml", b"<a/>"), ("xl/media/", b""), ("a.png", b"x" * 99)])
    assert workbook.answer_to(with_picture) == {"bad": "broken"}
