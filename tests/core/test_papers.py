"""Office papers: lines, tables over pages, and text that stays text."""

import threading
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader

from lms.core.papers import REPLACEMENT, Column, Paper, fit, measure, printable, wrap

COLUMNS = [Column("No", 5, "right"), Column("Nama", 60), Column("Instansi", 35, "centre")]


def finish(paper: Paper) -> PdfReader:
    return PdfReader(BytesIO(paper.finish(lambda n, count: f"Halaman {n}/{count}")))


def table(rows: int) -> Paper:
    paper = Paper("Daftar uji")
    paper.line("Daftar uji", size=14, bold=True, align="centre")
    paper.table(COLUMNS, [(str(n), f"Orang ke-{n}.", "Instansi") for n in range(1, rows + 1)])
    return paper


@pytest.mark.parametrize("rows", [0, 1, 25, 400])
def test_each_row_stands_once_and_the_heading_on_every_page(rows: int):
    pages = [page.extract_text() for page in finish(table(rows)).pages]
    words = " ".join(pages).split()
    for n in range(1, rows + 1):
        assert words.count(f"ke-{n}.") == 1
    for number, page in enumerate(pages, 1):
        assert "Nama" in page
        assert f"Halaman {number}/{len(pages)}" in page
    assert len(pages) == 1 or rows > 25


def test_equal_papers_are_equal_bytes():
    first, second = (table(30).finish(lambda n, c: f"{n}/{c}") for _twice in range(2))
    assert first == second


def test_accents_survive_many_threads():
    """The typeface is shared: without turns its reading position is too."""
    done: list[bytes] = []

    def draw(n: int) -> None:
        paper = Paper("Uji")
        for _line in range(40):
            paper.line("Émilie Ñandú Ågren Željko Ç ő ű " + "áéíóúàèìòùâêîôûäëïöüãõ"[n:])
        done.append(paper.finish(lambda _n, _c: ""))

    threads = [threading.Thread(target=draw, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == 6
    for body in done:
        assert PdfReader(BytesIO(body)).pages[0].extract_text().count("Ñandú Ågren Željko") == 40


def test_what_cannot_be_drawn_is_replaced_and_what_forges_lines_disappears():
    assert printable("a\x00b\u202ec\nd\te") == "abc d e"
    assert printable("字") == REPLACEMENT
    assert printable("e\u0301") == "é"
    assert printable("\ud800x") == "x"


@given(st.text(alphabet=st.characters(codec="latin-1"), max_size=200), st.floats(30, 300))
def test_no_line_is_wider_than_asked_and_no_letter_is_lost(text: str, width: float):
    lines = wrap(text, width, 9)
    assert lines
    assert all(measure(line, 9) <= width for line in lines if len(line) > 1)
    assert "".join("".join(lines).split()) == "".join(printable(text).split())


def test_a_title_that_is_too_long_is_cut():
    assert fit("pendek", 100, 9) == "pendek"
    cut = fit("panjang sekali " * 30, 100, 9)
    assert cut.endswith("…")
    assert measure(cut, 9) <= 100


def test_a_long_title_leaves_room_for_the_words_of_the_page():
    paper = Paper("Laporan instansi – " + "Kabupaten Kepulauan " * 9)
    paper.line("x")
    words = "Halaman 1 dari 1 · dicetak 22 November 2026, 17.35 WITA"
    body = paper.finish(lambda _number, _count: words)
    lines = PdfReader(BytesIO(body)).pages[0].extract_text().splitlines()
    [title] = [line for line in lines if line.startswith("Laporan instansi")]
    cut = title.partition("…")[0] + "…"
    assert "…" in title
    assert measure(cut, 7.5) + 12 + measure(words, 7.5) <= paper.width
    assert any(words in line for line in lines)


def test_facts_stand_beside_their_names_and_pages_break_between_lines():
    paper = Paper("Uji", landscape=True)
    paper.facts([("Tempat", "Aula"), ("Dasar", "kata " * 200)])
    for n in range(80):
        paper.line(f"baris {n}.", soft=True, x=20)
    paper.rule()
    reader = finish(paper)
    assert len(reader.pages) > 1
    whole = " ".join(page.extract_text() for page in reader.pages).split()
    assert whole.count("kata") == 200
    assert all(f"{n}." in whole for n in range(80))


def test_a_page_that_is_empty_is_not_left_behind():
    paper = Paper("Uji")
    paper.need(10_000)
    paper.line("satu")
    assert len(finish(paper).pages) == 1


def test_small_lines_stand_at_the_foot_of_every_page_and_are_cut_rather_than_broken():
    paper = Paper("Daftar")
    for number in range(200):
        paper.line(f"Baris {number}")
    evil = "<b>Sri</b> &amp; \u202e(x)\\ " + "y" * 400
    body = paper.finish(lambda n, _count: f"Halaman {n}", ("Rujukan brk-7k3m9-qx2d4", evil))
    pages = [page.extract_text() for page in PdfReader(BytesIO(body)).pages]
    assert len(pages) > 2
    for page in pages:
        assert "Rujukan brk-7k3m9-qx2d4" in page
        assert "<b>Sri</b> &amp; (x)\\ yyy" in page
        assert "y" * 400 not in page
