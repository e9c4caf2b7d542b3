"""The paper itself: what it says, that it fits, and that it is the same every time."""

import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from functools import cache
from io import BytesIO
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import pypdf
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from reportlab import rl_config

from certificates.__main__ import sample
from certificates.document import Certificate, UnitLine
from certificates.layout import render
from certificates.sheet import Face, advances, printable
from certificates.typeset import Block, set_block, set_column

KIB = 1024
POINTS_PER_MM = 72 / 25.4
SHORT = replace(sample("id"), sample=False, standard_is_draft=False)
ENGLISH = replace(sample("en"), sample=False)

TITLE = (
    "Mengidentifikasi kekerasan dalam rumah tangga dan kebutuhan awal korban serta "
    "mendokumentasikan seluruh tindak lanjutnya bersama lembaga layanan di wilayah terpencil"
)
LONG = replace(
    sample("id"),
    sample=False,
    issuer_lines=(
        "Pemerintah Provinsi Contoh Timur",
        "Dinas Kependudukan, Pemberdayaan Perempuan dan Perlindungan Anak",
        "Unit Pelaksana Teknis Daerah Perlindungan Perempuan dan Anak",
        "Jalan Contoh Nomor 13, Kota Contoh 00000",
    ),
    holder_name=(
        "Prof. Dr. Hj. Raden Ajeng Siti Rahmawatie Kusumaningtyas Wulandari Prameswari "
        "binti Muhammad Abdurrahman, S.Psi., M.Psi."
    ),
    training_title=(
        "Pelatihan bagi Pelatih (Training of Trainers) Pendampingan Korban Kekerasan dalam "
        "Rumah Tangga bagi Petugas Unit Pelaksana Teknis Daerah Perlindungan Perempuan dan "
        "Anak se-Provinsi Contoh Timur Angkatan II Tahun Anggaran 2026"
    ),
    scheme_title="Pelatih Pendamping Korban Kekerasan dalam Rumah Tangga Tingkat Lanjutan",
    number="400.2.4/0147/PELATIH-PENDAMPING-KDRT/DKP3A/2026",
    verify_url=f"https://sertifikat.dinas.provinsicontoh.go.id/c/{SHORT.code}",
    signatory_title=(
        "Plt. Kepala Dinas Kependudukan, Pemberdayaan Perempuan dan Perlindungan Anak "
        "Provinsi Contoh Timur"
    ),
    signatory_name="Dr. H. Muhammad Contohwijaya Kusumanegara, S.Sos., M.Si., M.A.P.",
    units=tuple(
        UnitLine(
            code=f"SLH.PKDRT.{number:03}.01",
            title=TITLE,
            jp=6 if number % 2 else None,
            mark="Sangat baik",
            achieved=number != 8,
        )
        for number in range(1, 13)
    ),
    trainers=tuple(f"Dr. Pengajar Contoh {number}, M.Psi., Psikolog" for number in range(1, 13)),
)

WIDEST = "W" * 300
FULLEST = replace(
    LONG,
    number=WIDEST,
    verify_url=f"https://{'w' * 90}.id/{SHORT.code}",
    issuer_lines=(WIDEST,) * 4,
    holder_name=WIDEST,
    scheme_title=WIDEST,
    training_title=WIDEST,
    jp=10**9,
    place=WIDEST,
    signatory_title=WIDEST,
    signatory_name=WIDEST,
    signatory_number=WIDEST,
    units=(UnitLine(code=WIDEST, title=WIDEST, jp=10**9, mark=WIDEST, achieved=True),) * 20,
    standard_version=WIDEST,
    trainers=(WIDEST,) * 24,
)
BAREST = replace(
    SHORT,
    issuer_lines=("LBH Contoh",),
    holder_name="Al",
    signatory_number=None,
    units=SHORT.units[:1],
    law_checked_on=None,
    trainers=(),
)
ALL = {
    "short": SHORT,
    "english": ENGLISH,
    "long": LONG,
    "fullest": FULLEST,
    "barest": BAREST,
}
shapes = pytest.mark.parametrize("certificate", ALL.values(), ids=ALL.keys())


paper = cache(render)  # most tests only look at the same few certificates


def pages(pdf: bytes) -> list[str]:
    return [
        re.sub(r"\s+", " ", page.extract_text()) for page in pypdf.PdfReader(BytesIO(pdf)).pages
    ]


def run(package: str, *command: str, into: bytes = b"") -> bytes:
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is missing: apt-get install {package}")
    return subprocess.run(command, input=into, capture_output=True, check=True).stdout


def test_page_one_says_who_was_trained_in_what():
    first, _ = pages(render(SHORT))
    for text in (
        "Pemerintah Kota Contoh",
        "Dinas Pemberdayaan Perempuan dan Anak",
        "Sertifikat Kelulusan Pelatihan",
        "Nomor 800.2/0001/CONTOH/2026",
        "diberikan kepada",
        "Nama Contoh, S.Psi.",
        "Pelatihan Pendamping Korban Kekerasan dalam Rumah Tangga",
        "Skema Pendamping Korban KDRT",
        "2–19 November 2026 · 30 jam pelajaran (JP)",
        "Berlaku 20 November 2026 sampai dengan 20 November 2029",
        "Kota Contoh, 20 November 2026",
        "Kepala Dinas",
        "Nama Pejabat Contoh, M.Si.",
        "NIP 00000000 000000 0 000",
        "7QK4M-9TXHC-2RWVR",
        "atau buka suluh.example dan masukkan kode",
        "Sertifikat pelatihan; bukan izin praktik profesi.",
        "Halaman 1 dari 2",
    ):
        assert text in first


def test_page_two_says_what_was_reached():
    unit = replace(SHORT.units[1], jp=None, mark="Cukup", achieved=False)
    _, second = pages(render(replace(SHORT, units=(SHORT.units[0], unit))))
    for text in (
        "Transkrip Hasil Pelatihan",
        "Nama Contoh, S.Psi.",
        "Nomor 800.2/0001/CONTOH/2026 · Kode 7QK4M-9TXHC-2RWVR",
        "No Kode unit Judul unit JP Nilai Hasil",
        "1 SLH.PKDRT.001.01 Menerapkan etika dan kerahasiaan dalam pendampingan korban 6 81",
        "Tercapai",
        "2 SLH.PKDRT.002.01 Mengidentifikasi KDRT dan kebutuhan awal korban – Cukup",
        "Belum",
        "Jumlah jam pelajaran (1 JP = 45 menit) 30",
        "Versi standar 0.2-rancangan",
        "Ketentuan hukum diperiksa per 1 November 2026",
        "Pengajar Pengajar Contoh Satu, M.Psi.; Pengajar Contoh Dua, S.H.",
        "Sertifikat pelatihan; bukan izin praktik profesi.",
        "Halaman 2 dari 2",
    ):
        assert text in second


def test_english_paper_is_english():
    first, second = pages(render(ENGLISH))
    assert "Certificate of Training Completion" in first
    assert "Valid from 20 November 2026 to 20 November 2029" in first
    assert "Transcript of Training Results" in second
    assert "Achieved" in second
    assert "Draft standard, not yet adopted by the agency" in second
    both = first + second
    assert not re.search(r"\b(Nomor|Berlaku|Kode|Nilai|Hasil|Tercapai|Halaman)\b", both)


def test_what_is_not_known_is_left_out():
    first, second = pages(render(BAREST))
    assert "NIP" not in first
    assert "Pengajar" not in second
    assert "diperiksa" not in second


def test_a_draft_standard_is_marked_on_both_pages():
    mark = "Standar masih rancangan, belum ditetapkan instansi"
    assert all(mark in page for page in pages(render(replace(SHORT, standard_is_draft=True))))
    assert not any(mark in page for page in pages(render(SHORT)))


@pytest.mark.parametrize("language", ["id", "en"])
def test_a_sample_is_marked_on_both_pages(language: str):
    real = replace(SHORT if language == "id" else ENGLISH, number="1")
    assert all("CONTOH" in page for page in pages(render(replace(real, sample=True))))
    assert not any("CONTOH" in page for page in pages(render(real)))


@shapes
def test_two_sheets_of_a4_under_60_kib(certificate: Certificate):
    pdf = paper(certificate)
    assert len(pdf) <= 60 * KIB
    boxes = [page.mediabox for page in pypdf.PdfReader(BytesIO(pdf)).pages]
    assert [(round(box.width), round(box.height)) for box in boxes] == [(842, 595)] * 2


def test_metadata_is_neutral():
    reader = pypdf.PdfReader(BytesIO(render(SHORT)))
    assert reader.metadata is not None
    assert reader.metadata.title == "Sertifikat Kelulusan Pelatihan"
    assert reader.metadata.author == reader.metadata.subject == ""
    assert reader.metadata.creator == "Suluh"
    assert reader.metadata["/CreationDate"] == "D:20261120000000Z"
    assert reader.root_object["/Lang"] == "id"
    english = pypdf.PdfReader(BytesIO(render(ENGLISH)))
    assert english.root_object["/Lang"] == "en"


def test_every_font_is_embedded_as_a_subset():
    listing = run("poppler-utils", "pdffonts", "-", into=render(LONG)).decode().splitlines()[2:]
    assert sorted(line.split("+")[1].split()[0] for line in listing) == sorted(Face)
    assert all(re.search(r"yes yes yes", line) for line in listing)


@shapes
def test_equal_certificates_give_equal_bytes(certificate: Certificate):
    again = Certificate.from_dict(certificate.to_dict())
    assert render(again) == paper(certificate)


def test_another_process_gives_the_same_bytes():
    program = (
        "import sys; from certificates.__main__ import sample;"
        "from certificates.layout import render; sys.stdout.buffer.write(render(sample('id')))"
    )
    elsewhere = {"PYTHONHASHSEED": "7", "SOURCE_DATE_EPOCH": "1000000000", "TZ": "Asia/Makassar"}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, env=os.environ | elsewhere
    )
    assert done.stdout == render(sample("id")), done.stderr


def test_threads_do_not_disturb_each_other():
    # Without the turns in layout.py, about one in thirty of these differs or fails.
    accents = "".join(map(chr, range(0xC0, 0x17F)))
    wanted = [
        replace(SHORT, holder_name=accents[start:], training_title=accents[:-start])
        for start in (10, 20, 30, 40)
    ] * 15
    patience = sys.getswitchinterval()
    sys.setswitchinterval(1e-7)  # so that threads interrupt each other at every chance
    try:
        with ThreadPoolExecutor(8) as pool:
            drawn = list(pool.map(render, wanted))
    finally:
        sys.setswitchinterval(patience)
    assert drawn == [paper(certificate) for certificate in wanted]


def test_any_printed_fact_changes_the_bytes():
    changes = {"holder_name": "Nama Lain", "jp": 31, "valid_until": date(2029, 11, 21)}
    for name, value in changes.items():
        assert render(replace(SHORT, **{name: value})) != render(SHORT), name


class Word(NamedTuple):
    """A word on the page with the box of its letters, in millimetres."""

    left: float
    top: float
    right: float
    bottom: float
    text: str

    def touches(self, other: "Word") -> bool:
        return (
            self.left < other.right
            and other.left < self.right
            and self.top < other.bottom
            and other.top < self.bottom
        )


def words_of(pdf: bytes, page: int) -> list[Word]:
    number = str(page)
    html = run(
        "poppler-utils", "pdftotext", "-bbox", "-f", number, "-l", number, "-", "-", into=pdf
    )
    found = re.findall(
        r'<word xMin="(\S+)" yMin="(\S+)" xMax="(\S+)" yMax="(\S+)">(.*?)</word>', html.decode()
    )
    words = []
    for *numbers, text in found:
        left, top, right, bottom = (float(number) / POINTS_PER_MM for number in numbers)
        # The box is as tall as the font's tallest accent allows; its letters take the middle.
        inset = (bottom - top) * 0.22
        words.append(Word(left, top + inset, right, bottom - inset, text))
    return words


@shapes
@pytest.mark.parametrize("page", [1, 2])
def test_nothing_overlaps_or_leaves_the_frame(certificate: Certificate, page: int):
    words = words_of(paper(certificate), page)
    assert len(words) > 30
    for word in words:
        assert word.left > 19, word
        assert word.right < 297 - 19, word
        assert word.top > 18, word
        assert word.bottom < 210 - 12, word
    assert [pair for pair in combinations(words, 2) if pair[0].touches(pair[1])] == []


@pytest.mark.parametrize("certificate", [SHORT, LONG], ids=["short", "long"])
def test_nothing_real_is_cut_off(certificate: Certificate):
    both = " ".join(pages(paper(certificate)))
    assert "…" not in both
    assert certificate.holder_name in both
    assert certificate.host in both
    assert certificate.signatory_name in both
    assert certificate.trainers[-1] in both


def test_a_name_of_120_characters_stays_large():
    assert len(LONG.holder_name) == 120
    fonts = {}

    def note(text: str, _cm: object, tm: list[float], _font: object, size: float) -> None:
        fonts[text.strip()] = size * tm[3]

    pypdf.PdfReader(BytesIO(render(LONG))).pages[0].extract_text(visitor_text=note)
    assert next(size for text, size in fonts.items() if text.startswith("Prof.")) > 14


@pytest.mark.parametrize(
    ("name", "printed"),
    [
        (
            '<b>Siti</b> <img src="https://x.example/"/>',
            '<b>Siti</b> <img src="https://x.example/"/>',
        ),
        ("<para>&lt;Siti&gt;&#0;</para>", "<para>&lt;Siti&gt;&#0;</para>"),
        ("(Siti) Tj \\) ET Q", "(Siti) Tj \\) ET Q"),
        ("Siti\0\x07 \x1b[31mRahma\x7f", "Siti [31mRahma"),
        ("\u202eamhaR\u202c \u2066Siti\u2069\u200f\u200b\ufeff", "amhaR Siti"),
        ("Siti\r\n\tRahma\u2028\u00a0Putri", "Siti Rahma Putri"),
        ("E\u0301milie Nguye\u0302\u0303n Łukasz", "Émilie Nguyễn Łukasz"),
        ("Siti \u0633\u064a\u062a\u064a", "Siti \ufffd\ufffd\ufffd\ufffd"),
        ("Siti \U0001f600 \ud800 \ue000", "Siti \ufffd \ufffd \ufffd"),
        ("{holder_name} {0} %s", "{holder_name} {0} %s"),
        ("\u202e", ""),
    ],
)
def test_hostile_names_print_as_plain_text(name: str, printed: str):
    assert printable(name, Face.SERIF_BOLD) == printed
    first, second = pages(render(replace(SHORT, holder_name=name)))
    assert re.sub(r"\s", "", printed) in re.sub(r"\s", "", first)
    assert re.sub(r"\s", "", printed) in re.sub(r"\s", "", second)


@settings(max_examples=20, deadline=None)
@given(st.text(min_size=1, max_size=300).filter(lambda text: text.strip() != ""))
@example("W" * 300)
@example("i" * 300)
@example("W " * 150)
@example("\u0301" * 300)
@example("\u4e00" * 300)
def test_any_text_prints_anywhere(text: str):
    hostile = replace(
        SHORT,
        number=text,
        issuer_lines=(text,) * 4,
        holder_name=text,
        scheme_title=text,
        training_title=text,
        place=text,
        signatory_title=text,
        signatory_name=text,
        signatory_number=text,
        units=(UnitLine(code=text, title=text, jp=None, mark=text, achieved=False),) * 6,
        standard_version=text,
        trainers=(text,) * 2,
    )
    assert len(pages(render(hostile))) == 2


@given(st.text(max_size=60), st.sampled_from(Face))
def test_printable_text_stays_as_it_is(text: str, face: Face):
    once = printable(text, face)
    assert printable(once, face) == once


def test_reportlab_may_open_nothing():
    assert rl_config.trustedSchemes == []
    assert rl_config.trustedHosts == []


def test_the_qr_code_is_one_path_of_28_mm_at_level_q():
    page = pypdf.PdfReader(BytesIO(render(SHORT))).pages[0]
    contents = page.get_contents()
    assert contents is not None
    number = rb"[\d.]+ "
    paths = re.findall(rb"n ((?:" + 4 * number + rb"re\s)+)f", contents.get_data())
    runs = [tuple(map(float, found.split())) for found in max(paths, key=len).split(b"re")[:-1]]
    assert len(runs) > 200
    left, top = min(x for x, *_ in runs), max(y for _, y, *_ in runs)
    right = max(x + width for x, _, width, _ in runs)
    assert (right - left) / POINTS_PER_MM == pytest.approx(28, abs=0.01)

    module = runs[0][3]
    dark = {
        (round((top - y) / module), round((x - left) / module) + step)
        for x, y, width, _ in runs
        for step in range(round(width / module))
    }
    # Row 8 starts with the masked level: L dark dark, M dark light, Q light dark, H light light.
    # Source: ISO/IEC 18004, 7.9 (format information).
    assert ((8, 0) in dark, (8, 1) in dark) == (False, True)


@shapes
@pytest.mark.parametrize("marked", [False, True], ids=["plain", "sample"])
def test_the_qr_code_leads_to_the_verification_page(
    certificate: Certificate, marked: bool, tmp_path: Path
):
    source = tmp_path / "paper.pdf"
    source.write_bytes(paper(replace(certificate, sample=marked)))
    image = tmp_path / "paper"
    run("poppler-utils", "pdftoppm", "-r", "150", "-png", "-singlefile", str(source), str(image))
    read = run("zbar-tools", "zbarimg", "--quiet", "--raw", f"{image}.png")
    assert read.decode().strip() == certificate.verify_url


def block(text: str, **changes: object) -> Block:
    return replace(Block(text=text, face=Face.SANS, size=10, colour="#000000"), **changes)


@given(st.text("abc iW", max_size=200), st.integers(20, 200), st.booleans())
def test_every_line_keeps_to_the_column(text: str, width: int, balanced: bool):
    done = set_block(block(text, most_lines=3, balanced=balanced), width)
    assert len(done.lines) <= 3
    assert done.width <= width + 1e-6
    assert 6.5 <= done.size <= 10


def test_words_are_kept_whole_and_in_order():
    text = "Menerapkan etika dan kerahasiaan dalam pendampingan korban"
    done = set_block(block(text, most_lines=9), 30)
    assert " ".join(done.lines) == text
    assert len(done.lines) > 2


def test_balanced_lines_are_about_equally_long():
    text = "Pelatihan Pendamping Korban Kekerasan dalam Rumah Tangga bagi Petugas"
    ragged = set_block(block(text, most_lines=2), 100)
    even = set_block(block(text, most_lines=2, balanced=True), 100)

    def difference(lines: tuple[str, ...]) -> float:
        first, second = (sum(advances(line, Face.SANS)) for line in lines)
        return abs(first - second)

    assert difference(even.lines) < difference(ragged.lines) / 2


def test_a_text_shrinks_before_it_is_cut():
    small = set_block(block("x" * 60), 100)
    assert small.lines == ("x" * 60,)
    assert small.size < 10
    cut = set_block(block("x" * 200), 100)
    assert cut.size == 6.5
    assert cut.lines[0].endswith("x…")


def test_a_column_shrinks_as_a_whole():
    column = set_column([block("satu", gap=4), block("dua", size=20)], 100, 8)
    assert sum(done.height for done in column) <= 8
    assert column[1].size == pytest.approx(2 * column[0].size)


def test_the_transcript_says_whether_the_standard_was_adopted():
    draft, adopted = (
        pages(render(replace(SHORT, standard_version="0.2", standard_is_draft=is_draft)))[1]
        for is_draft in (True, False)
    )
    assert "Versi standar 0.2, rancangan yang belum ditetapkan instansi" in draft
    assert "Versi standar 0.2, ditetapkan instansi" in adopted
    assert "rancangan" not in adopted
    english = pages(render(replace(ENGLISH, standard_version="0.2", standard_is_draft=False)))[1]
    assert "0.2, adopted by the agency" in english
    assert "draft" not in english.lower()
