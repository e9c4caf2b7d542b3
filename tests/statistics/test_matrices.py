"""Tables of answers from files: what is read, and what is refused with its place."""

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lms.statistics import matrices
from lms.statistics.matrices import BadTable, Matrix, read, read_key


@pytest.fixture
def write(tmp_path: Path):
    """Write a file and return where it is."""

    def call(text: str | bytes, name: str = "answers.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return call


def cells(found: Matrix) -> list[list[str]]:
    """Return the answers as text again."""
    wide = len(found.items)
    named = [found.choices[code] for code in found.codes]
    return [named[start : start + wide] for start in range(0, len(named), wide)]


def test_marks_and_blanks(write):
    found = read(write('"a","b"\n1,0\n\n ,0.5\n"1",NA\n,\n'))
    assert (found.items, found.people, found.groups, found.left_out) == (("a", "b"), 3, (), ())
    assert cells(found) == [["1", "0"], ["", "0.5"], ["1", ""]]


@pytest.mark.parametrize("separator", ";,\t")
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_dialects(write, separator, end, encoding):
    lines = [separator.join(row) for row in (["satu", "dua"], ["1", "0"], ["0", "1"])]
    found = read(write(end.join(lines).encode(encoding)))
    assert (found.items, cells(found)) == (("satu", "dua"), [["1", "0"], ["0", "1"]])


def test_a_decimal_comma(write):
    assert cells(read(write("a;b\n0,5;1\n"))) == [["0,5", "1"]]
    assert matrices.mark("0,5") == 0.5


def test_options_and_what_is_no_item(write):
    path = write("id,kota,i2,i1\np1,X,b,A \np2,Y,,a\np3,,C,B\n")
    found = read(path, key={"i1": "A", "i2": "B"}, group="kota")
    assert found.items == ("i2", "i1")
    assert found.left_out == ("id",)
    assert found.groups == ("X", "Y", "")
    assert cells(found) == [["B", "A"], ["", "A"], ["C", "B"]]


def test_marks_beside_other_columns(write):
    path = write(",nama,a\n1,Ani,1\n2,Budi,0\n")
    found = read(path, skip=("nama",))
    assert (found.items, found.left_out, cells(found)) == (("a",), ("", "nama"), [["1"], ["0"]])


def test_results_as_moodle_has_them(write):
    path = write("quizattempt,slots.1.mark,slots.2.mark,summarks\n7,1,0.5,1.5\n")
    found = read(path)
    assert found.items == ("slots.1.mark", "slots.2.mark")
    assert found.left_out == ("quizattempt", "summarks")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "answers.csv is empty"),
        ("\n\n", "answers.csv is empty"),
        ("a,b\n", "answers.csv has a heading and no people"),
        ("a,b\n1,0\n1\n", "answers.csv, row 3: 1 cells, the heading has 2 columns"),
        ("a,b\n1,0\n\n1,0,1\n", "answers.csv, row 4: 3 cells, the heading has 2 columns"),
        ("a,b\n1,0\n0,D\n", 'answers.csv, row 3, column b: "D": a mark lies between 0 and 1'),
        ("a,b\n1,2\n", 'answers.csv, row 2, column b: "2": a mark'),
        ("a,b\n1,-1\n", 'answers.csv, row 2, column b: "-1": a mark'),
        ("a,b\n1,nan\n", 'answers.csv, row 2, column b: "nan": a mark'),
        ("a,b\n1,١\n", 'answers.csv, row 2, column b: "١": a mark'),
        ("a,b\n1,=1+1\n", 'answers.csv, row 2, column b: "=1+1": a mark'),
        ("a,a\n1,1\n", "answers.csv, row 1, column 2: a stands there twice"),
        (",\n1,1\n", "answers.csv has no item"),
        ("a" * 101 + ",b\n1,1\n", "answers.csv, row 1, column 1: a name longer than 100"),
        ('a,b\n1,"0\n', "answers.csv, after row 1: unexpected end of data"),
        ("a,b\n1,\0\n", "answers.csv is not text: it holds a zero byte"),
        (b"a,b\n1,\xe9\n", "answers.csv is not text in utf-8"),
        (b"\xff\xfea", "answers.csv is not text in utf-16"),
        (f"a,b\n1,{'1,' * 1_100_000}\n", "answers.csv has a row of more than 200000 characters"),
        (f"a,b\n1,{'x' * 150_000}\n", "answers.csv, after row 1: field larger than field limit"),
        ("a\x1b[31m,b\n1,\x1b[31mD\n", 'row 2, column b: "?[31mD": a mark'),
        (f"a,b\n1,{'x' * 99}\n", "x…"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(write, text, says):
    with pytest.raises(BadTable) as caught:
        read(write(text))
    assert says in str(caught.value)
    assert len(str(caught.value)) < 250


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"group": "kota"}, "answers.csv has no column kota"),
        ({"skip": ("x",)}, "answers.csv has no column x"),
        ({"key": {"b": "A", "c": "A"}}, "answers.csv has no column c"),
        ({"key": {}}, "answers.csv has no item"),
        ({"skip": ("a", "b")}, "answers.csv has no item"),
    ],
)
def test_columns_that_are_missing(write, values, says):
    with pytest.raises(BadTable, match=says):
        read(write("a,b\n1,1\n"), **values)


def test_a_missing_file_is_a_sentence(tmp_path):
    with pytest.raises(BadTable, match=r"gone\.csv cannot be read: No such file"):
        read(tmp_path / "gone.csv")


def test_a_folder_is_a_sentence(tmp_path):
    with pytest.raises(BadTable, match="cannot be read: Is a directory"):
        read(tmp_path)


def test_a_file_without_end_is_refused(write, monkeypatch):
    monkeypatch.setattr(matrices, "MOST_CELLS", 7)
    assert read(write("a,b\n" + "1,0\n" * 3)).people == 3
    with pytest.raises(BadTable, match="too large: at most 1000000 people and 7 answers"):
        read(write("a,b\n" + "1,0\n" * 4))


def test_too_many_items_answers_groups(write, monkeypatch):
    path = write("a,b,g\n1,0,x\n0,1,y\n1,1,z\n")
    monkeypatch.setattr(matrices, "MOST_GROUPS", 2)
    with pytest.raises(BadTable, match="column g: more than 2 groups"):
        read(path, group="g")
    monkeypatch.setattr(matrices, "MOST_CHOICES", 3)
    with pytest.raises(BadTable, match='row 2, column g: "x": more than 3 different answers'):
        read(path, key={"b": "1", "g": "z", "a": "0"})
    monkeypatch.setattr(matrices, "MOST_ITEMS", 1)
    with pytest.raises(BadTable, match="has 2 items, at most 1"):
        read(path, skip=("g",))


def test_long_names_of_groups_and_options(write):
    path = write(f"a,g\n1,{'x' * 101}\n")
    with pytest.raises(BadTable, match="column g: a name longer than 100 letters"):
        read(path, group="g")
    with pytest.raises(BadTable, match=r"row 2, column g: .*at most 100 letters"):
        read(path, key={"g": "A"})


def test_many_rows_keep_their_numbers(write):
    rows = matrices.CHUNK + 5
    found = read(write("a,b\n" + "1,0\n" * rows))
    assert (found.people, len(found.codes)) == (rows, 2 * rows)
    with pytest.raises(BadTable, match=f'row {rows + 2}, column b: "Z"'):
        read(write("a,b\n" + "1,0\n" * rows + "1,Z\n"))


def test_blocks_are_put_together(write, monkeypatch):
    monkeypatch.setattr(matrices, "BLOCK", 7)
    assert cells(read(write("satu,dua\n1,0\n0,1\n1,1"))) == [["1", "0"], ["0", "1"], ["1", "1"]]


def test_a_key(write):
    path = write("Item;Key\ni1; D\n\n;\ni2;a\n", "key.csv")
    assert read_key(path) == {"i1": "D", "i2": "a"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "key.csv, row 1: the columns of a key are item,key"),
        ("i1,i2\nA,B\n", "key.csv, row 1: the columns of a key are item,key"),
        ("item,key\n", "key.csv is empty"),
        ("item,key\ni1,A\ni1,B\n", "key.csv, row 3: i1 stands there twice"),
        ("item,key\ni1,\n", "key.csv, row 2: write an item and its key"),
        ("item,key\ni1,NA\n", "key.csv, row 2: write an item and its key"),
        ("item,key\ni1,A,B\n", "key.csv, row 2: write an item and its key"),
    ],
)
def test_a_key_that_is_none(write, text, says):
    with pytest.raises(BadTable, match=says):
        read_key(write(text, "key.csv"))


def test_a_key_has_an_end(write, monkeypatch):
    monkeypatch.setattr(matrices, "MOST_ITEMS", 1)
    with pytest.raises(BadTable, match="more than 1 items"):
        read_key(write("item,key\ni1,A\ni2,A\n", "key.csv"))


@given(st.binary(max_size=200) | st.text(max_size=100).map(str.encode))
def test_noise_is_read_or_refused(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("noise") / "a.csv"
    path.write_bytes(data)
    for call in (read, read_key):
        with suppress(BadTable):
            assert call(path)
