"""Tables of questions: what stands in which column, and cells that mean harm."""

from decimal import Decimal
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from xlsxwriter import Workbook

from lms.core import sheets
from lms.quizzes.exchange import columns, model, table
from lms.quizzes.exchange.batch import Batch
from lms.quizzes.exchange.model import NOTHING, Format, Image, Kind, Question, Tags, Text
from lms.quizzes.exchange.problems import Key
from tests.quizzes.exchange import strategies
from tests.quizzes.exchange.strategies import PNG


def read(*lines: str) -> Batch:
    return table.read_csv("\n".join(lines).encode())


def keys(batch: Batch) -> list[Key]:
    return [problem.key for problem in batch.problems]


def test_a_row_is_a_question_and_the_type_may_be_left_out():
    batch = read(
        "Kode;Soal;Kunci;A;B;C;Umpan balik B;KUK;Dasar hukum;Tingkat",
        "S1;Apa?;B;satu;dua;tiga;Tepat;02.1.1;UU 23/2004 ps 5; UU 23/2004 ps 6;C3".replace(
            "ps 5; UU", "ps 5|UU"
        ),
        "S2;Mana?;A, C;satu;dua;tiga",
    )
    assert batch.problems == ()
    first, second = batch.questions
    assert first.body == model.Single(
        (
            model.Option(Text("satu")),
            model.Option(Text("dua"), Decimal(100), Text("Tepat")),
            model.Option(Text("tiga")),
        )
    )
    assert (first.id, first.tags.kuk, first.tags.level) == ("S1", ("02.1.1",), "C3")
    assert isinstance(second.body, model.Multiple)
    assert [o.weight for o in second.body.options] == [50, 0, 50]


@pytest.mark.parametrize("separator", [",", "\t", "|", ";"])
def test_any_usual_separator(separator: str):
    batch = read("soal;kunci;a;b".replace(";", separator), separator.join(["Apa", "a", "x", "y"]))
    assert batch.counts == {"single": 1}
    assert read(f"sep={separator}", "soal", "x").refused == 1


def test_headings_may_be_english_and_in_any_order():
    batch = read("key,type,question,option A,option B,law_ref", "a,single,Apa,x,y,UU 1/2000 ps 1")
    assert batch.questions[0].tags.law_ref == ("UU 1/2000 ps 1",)


def test_every_type_of_the_template_is_read_and_written_again():
    for data, reader in (
        (table.template_csv(), table.read_csv),
        (table.template_xlsx(), table.read_xlsx),
    ):
        batch = reader(data)
        assert batch.problems == ()
        assert batch.questions == table.examples()
    kinds = {one.kind for one in table.examples()}
    assert kinds == set(Kind) - {Kind.DESCRIPTION, Kind.CATEGORY}


@pytest.mark.parametrize(
    ("row", "key"),
    [
        ("pilihan tunggal;;A;x;y;;", Key.NO_STEM),
        ("pilihan tunggal;Apa?;C;x;y;;", Key.ANSWER_UNKNOWN),
        ("pilihan tunggal;Apa?;;x;y;;", Key.NO_RIGHT),
        ("pilihan tunggal;Apa?;A;x;;;", Key.FEW_OPTIONS),
        ("pilihan tunggal;Apa?;A;x;y;50;", Key.KEY_AND_WEIGHT),
        ("pilihan tunggal;Apa?;A;x;y;lima;", Key.NOT_A_WEIGHT),
        ("esai bebas;Apa?;;;;;", Key.KIND),
        (";Apa?;;;;;", Key.KIND),
        ("benar salah;Apa?;mungkin;;;;", Key.ANSWER_UNKNOWN),
        ("isian angka;Apa?;;3,5;;;", Key.NOT_A_NUMBER),
        ("uraian;Apa?;;;;;banyak", Key.MARK),
        ("menjodohkan;Apa?;;x;;;", Key.FEW_OPTIONS),
        ("menjodohkan;Apa?;;x;y;;", Key.EMPTY_OPTION),
        ("kategori;;;;;;9", Key.NO_STEM),
    ],
)
def test_what_cannot_be_asked_is_refused_with_its_row(row: str, key: Key):
    batch = read("jenis;soal;kunci;A;B;bobot A;nilai", "uraian;Baik;;;;;", row, "uraian;Juga;;;;;")
    assert [(p.key, p.row) for p in batch.problems] == [(key, 3)]
    assert len(batch.questions) == 2


@pytest.mark.parametrize(
    ("column", "value"),
    [("acak", "mungkin"), ("penilaian", "x"), ("format", "word")],
)
def test_a_word_that_is_not_known_is_refused(column: str, value: str):
    batch = read(f"soal;kunci;A;B;{column}", f"Apa;A;x;y;{value}")
    assert keys(batch) == [Key.VALUE_UNKNOWN]


def test_limits_of_words_are_numbers():
    batch = read("jenis;soal;kata minimal", "uraian;Apa;dua")
    assert keys(batch) == [Key.NOT_A_NUMBER]


def test_columns_that_are_not_read_are_said():
    batch = read("soal;jenis;catatan;soal", "Apa;uraian;penting;x;lebih")
    assert [(p.key, dict(p.values)["what"]) for p in batch.problems] == [
        (Key.COLUMN_TWICE, "soal"),
        (Key.COLUMN_UNKNOWN, "catatan"),
        (Key.COLUMN_UNKNOWN, "soal"),
        (Key.COLUMN_UNKNOWN, "(5)"),
    ]


def test_cells_no_question_of_the_type_has_are_said():
    batch = read(
        "jenis;soal;kunci;A;B;umpan balik A;bobot C;umpan balik C",
        "uraian;Apa;;x;;y;;",
        "benar salah;Apa;b;;;ya;;z",
        "pilihan;Apa;A;x;y;;5;".replace("pilihan", "single"),
    )
    assert [p.message for p in batch.problems] == [
        "not carried: A (uraian)",
        "not carried: Umpan balik A (uraian)",
        "not carried: Umpan balik C (benar salah)",
        "not carried: Bobot C (pilihan tunggal)",
    ]


def test_a_table_without_questions_is_refused():
    assert keys(read("nama;umur", "a;b")) == [Key.COLUMN_MISSING]
    assert keys(read("soal;jenis")) == [Key.EMPTY]
    assert keys(read("")) == [Key.COLUMN_MISSING]


def test_a_quotation_mark_that_nobody_closed_is_refused_with_its_line():
    batch = read("soal;jenis", "Apa;uraian", '"Apa;uraian', "Lagi;uraian")
    assert keys(batch) == [Key.SHEET_QUOTE]
    assert batch.questions == ()


def test_a_cell_may_have_another_format():
    batch = read("soal;kunci;A;B;format", "<b>Apa</b>;A;[plain]<b>;**y**;html")
    body = batch.questions[0].body
    assert isinstance(body, model.Single)
    assert batch.questions[0].stem == Text("<b>Apa</b>", Format.HTML)
    assert body.options[0].text == Text("<b>", Format.PLAIN)


# Harm


def test_formulas_stay_words_and_come_back_as_they_were():
    for value in ("=1+1", "@x", "-a", "+62", "'=x", "''-y", "a\n=b", "a,=b", "\t=x", "a\n'-b"):
        stem = strategies.canonical(value, Format.PLAIN)
        for write, reader in (
            (table.write_csv, table.read_csv),
            (table.write_xlsx, table.read_xlsx),
        ):
            written = write([Question(model.Essay(), stem)])
            assert reader(written.data).questions[0].stem == stem
    data = table.write_csv([Question(model.Essay(), Text("=HYPERLINK(1)"))]).data.decode()
    assert "'=HYPERLINK(1)" in data


@given(value=strategies.raw(8), inside=st.booleans())
@settings(deadline=None)
def test_a_guarded_cell_is_as_harmless_as_any_we_write(value: str, inside: bool):
    cell = strategies.canonical(value, Format.PLAIN).value
    found = table.guarded(cell, inside=inside)
    assert sheets.inert(found) == found
    if inside:
        assert sheets._written(found) == found
    assert table.unguarded(found) == cell


def workbook(rows: list[list[object]], *names: str) -> bytes:
    file = BytesIO()
    book = Workbook(file, {"in_memory": True})
    for name in names or ("Soal",):
        sheet = book.add_worksheet(name)
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
    book.close()
    return file.getvalue()


def test_a_workbook_may_hold_numbers_and_formulas():
    batch = table.read_xlsx(
        workbook(
            [
                ["soal", "jenis", "A", "nilai"],
                ["Berapa?", "isian angka", 1822, 2],
                ["=1+1", "uraian"],
            ]
        )
    )
    body = batch.questions[0].body
    assert isinstance(body, model.Numeric)
    assert (body.answers[0].value, batch.questions[0].mark) == (1822, 2)
    assert len(batch.questions) == 2


def test_long_cells_and_other_sheets_are_not_cut_in_silence():
    batch = table.read_xlsx(workbook([["soal", "jenis"], ["x" * 15_000, "uraian"]], "S", "Lain"))
    assert len(batch.questions[0].stem.value) == 15_000
    assert keys(batch) == [Key.OTHER_SHEETS]
    batch = table.read_xlsx(workbook([["soal", "jenis"], ["x" * 25_000, "uraian"]]))
    assert [(p.key, p.row) for p in batch.problems] == [(Key.TEXT_LONG, 2)]


@pytest.mark.parametrize("data", [b"PK\x03\x04 rusak", b"\xd0\xcf\x11\xe0", b"soal;jenis", b""])
def test_what_is_no_workbook_is_refused(data: bytes):
    assert keys(table.read_xlsx(data)) == [Key.SHEET]


def test_a_workbook_is_no_csv():
    assert keys(table.read_csv(table.template_xlsx())) == [Key.NOT_TEXT]


# Writing


def test_what_a_row_has_no_room_for_is_said():
    picture = Image("a.png", "image/png", PNG)
    shown = Text('<p>x<img src="@@PLUGINFILE@@/a.png" alt="Peta"></p>', Format.HTML, (picture,))
    only = Text('<img src="@@PLUGINFILE@@/a.png">', Format.HTML, (picture,))
    full, none = Decimal(100), Decimal(0)
    many = tuple(model.Option(Text(str(n)), full if n == 1 else none) for n in range(17))
    questions = [
        Question(model.Essay(), shown, "a", tags=Tags(("a;b",)), hints=(Text("h"),) * 6),
        Question(model.Single(many), Text("Apa?"), "b"),
        Question(model.Single((model.Option(only, full), many[0])), Text("Apa?"), "c"),
        Question(model.Essay(guidance=Text("x" * 33_000)), Text("Apa?"), "d"),
        Question(model.Single(many[:2]), NOTHING, "e"),
    ]
    written = table.write_csv(questions)
    assert [(p.key, p.question, p.count) for p in written.problems] == [
        (Key.LOST, "a", 2),  # images, of "a" and of "c"
        (Key.LOST, "a", 1),
        (Key.TAG_LOST, "a", 1),
        (Key.MANY_OPTIONS, "b", 1),
        (Key.ODD_TEXT, "c", 1),
        (Key.CELL_LONG, "d", 1),
        (Key.NO_STEM, "e", 1),
    ]
    assert (written.count, written.refused) == (1, 4)
    assert table.read_csv(written.data).questions[0].stem.value == "<p>xPeta</p>"


def test_every_column_has_one_heading_of_its_own():
    written = [columns.folded(columns.heading(name)) for name in columns.HEADINGS]
    assert len(set(written)) == len(columns.HEADINGS)
    assert [columns.COLUMNS[one] for one in written] == list(columns.HEADINGS)
    assert len(columns.HEADINGS) <= table.SIZE.columns
