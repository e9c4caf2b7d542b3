"""Rows leave as files that no spreadsheet runs."""

import csv
from datetime import date
from io import BytesIO, StringIO
from zipfile import ZipFile

import pytest
from defusedxml import ElementTree
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from lms.core import sheets
from tests import factories

EVIL = ["=1+1", "+62811", "-2+3", "@SUM(A1)", "\tx", "\rx", "\nx", "\0x"]


def read_csv(text: str) -> list[list[str]]:
    assert text.startswith("\ufeff")
    return list(csv.reader(StringIO(text[1:], newline=""), delimiter=";"))


def test_rows_come_back_as_they_were():
    rows = [['Sri; "Rahayu"', 3, date(2026, 3, 20), None], ["Dua\nbaris", -4, 0.5, "x"]]
    text = "".join(sheets.csv_pieces(["Nama", "JP", "Tanggal", "Catatan"], rows))
    assert read_csv(text) == [
        ["Nama", "JP", "Tanggal", "Catatan"],
        ['Sri; "Rahayu"', "3", "2026-03-20", ""],
        ["Dua\nbaris", "-4", "0.5", "x"],
    ]


@pytest.mark.parametrize("cell", EVIL)
def test_no_cell_is_a_formula(cell: str):
    assert str(sheets.inert(cell)).startswith("'")
    assert sheets.inert("Sri") == "Sri"
    assert sheets.inert(-3) == -3


@given(st.lists(st.text(max_size=20), min_size=1, max_size=5))
def test_whatever_is_typed_starts_no_formula(cells: list[str]):
    assert not any(str(sheets.inert(cell)).startswith(sheets.FORMULA) for cell in cells)


def test_a_long_file_comes_in_pieces():
    asked = []

    def rows():
        for number in range(1000):
            asked.append(number)
            yield [number]

    pieces = sheets.csv_pieces(["n"], rows())
    next(pieces)
    assert len(asked) == sheets.CHUNK  # the positive control: the rest was not read yet
    rest = "".join(pieces)
    assert rest.splitlines()[-1] == "999"


def test_a_workbook_holds_text_as_text():
    rows = [[cell, 7] for cell in EVIL[:4]] + [["http://contoh.test", 8]]
    with sheets.xlsx_file("Rekap [2026]: uji/coba", ["Nama", "JP"], rows) as file:
        book = CalamineWorkbook.from_filelike(BytesIO(file.read()))
    assert book.sheet_names == ["Rekap 2026 ujicoba"]
    found = book.get_sheet_by_index(0).to_python()
    assert found[0] == ["Nama", "JP"]
    assert found[1:] == [[cell, 7.0] for cell in EVIL[:4]] + [["http://contoh.test", 8.0]]


def test_answers_are_attachments(app):
    with app.test_request_context():
        answer = sheets.answer_csv("rekap", ["Nama"], [["Sri"]], None)
        assert answer.headers["Content-Disposition"] == "attachment; filename*=UTF-8''rekap.csv"
        assert read_csv(answer.get_data(as_text=True)) == [["Nama"], ["Sri"]]
        answer = sheets.answer_xlsx("rekap", ["Nama"], [["Sri"]], None)
        assert "rekap.xlsx" in answer.headers["Content-Disposition"]
        assert answer.get_data()[:2] == b"PK"
        answer.close()


EVIL_NAMES = (
    "=HYPERLINK(1)",
    "Sri & Ani",
    "&D&F&[Tab]",
    "<b>Sri</b>",
    "&" * 300,
    "x" * 149 + "&&",
)


@pytest.mark.parametrize("name", EVIL_NAMES)
def test_a_mark_is_text_wherever_it_stands(app, name: str):
    with app.test_request_context():
        mark = factories.mark(by=name)
        with sheets.xlsx_file("Rekap", ["Nama"], [["Sri"]], mark) as file:
            data = file.read()
    book = CalamineWorkbook.from_filelike(BytesIO(data))
    assert book.sheet_names == ["Rekap", "Tentang berkas ini"]
    assert book.get_sheet_by_index(0).to_python() == [["Nama"], ["Sri"]]
    assert ["Diambil oleh", name] in book.get_sheet_by_index(1).to_python()
    with ZipFile(BytesIO(data)) as parts:
        for number in (1, 2):
            found = ElementTree.fromstring(parts.read(f"xl/worksheets/sheet{number}.xml"))
            foot = found.find(".//{*}oddFooter").text
            assert foot.startswith("&L&7 Rujukan brk-7k3m9-qx2d4 · ")
            assert len(foot) <= sheets.LONGEST_FOOT
            assert "&" not in foot.removeprefix("&L&7").replace("&&", ""), "no command"
        assert "<f>" not in parts.read("xl/worksheets/sheet2.xml").decode()


def test_a_name_that_fits_stands_in_the_foot(app):
    """The control of the test above."""
    with app.test_request_context():
        foot = sheets._footer(factories.mark(by="Sri & Ani"))
    assert "Diambil oleh Sri && Ani, " in foot
    assert foot.endswith(" WITA · Angkatan Melati")


@pytest.mark.parametrize(
    "name", ["Lembaga P&G", "A&&G", "&[Picture]", "\N{GRINNING FACE}" * 200, "&" * 300]
)
def test_no_name_takes_the_foot_out_of_a_workbook(app: Flask, name: str):
    """The library warns and writes none when it sees a picture announced or counts too many."""
    with app.test_request_context():
        found = sheets.xlsx_file("rekap", ["Nama"], [["Sri"]], factories.mark(by=name))
    with found, ZipFile(found) as parts:
        written = parts.read("xl/worksheets/sheet1.xml").decode()
    assert "brk-7k3m9-qx2d4" in written.partition("<oddFooter>")[2]


def test_a_table_for_programs_is_as_it_was_and_its_name_carries_the_mark(app):
    with app.test_request_context():
        plain = sheets.answer_csv("rekap", ["Nama"], [["Sri"]], None)
        marked = sheets.answer_csv("rekap", ["Nama"], [["Sri"]], factories.mark())
        assert plain.get_data() == marked.get_data()
    assert "''rekap-brk-7k3m9-qx2d4.csv" in marked.headers["Content-Disposition"]
