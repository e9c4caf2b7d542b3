"""What pages say about questions that come from files."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from lms.core.i18n import gettext as _
from lms.quizzes.exchange.features import Feature
from lms.quizzes.exchange.model import digits
from lms.quizzes.exchange.problems import Key, Severity


def N_(text: str) -> str:  # gettext's own name for "mark, do not translate yet"
    """Mark a text for translation."""
    return text


KINDS: dict[str, str] = {
    "single": N_("Pilihan tunggal"),
    "multiple": N_("Pilihan jamak"),
    "true_false": N_("Benar atau salah"),
    "matching": N_("Menjodohkan"),
    "ordering": N_("Mengurutkan"),
    "short_answer": N_("Isian singkat"),
    "numeric": N_("Isian angka"),
    "essay": N_("Uraian"),
    "description": N_("Keterangan"),
    "category": N_("Kategori"),
}
FORMATS: dict[str, str] = {
    "gift": "GIFT",
    "aiken": "Aiken",
    "moodle-xml": "Moodle XML",
    "csv": "CSV",
    "xlsx": "XLSX",
    "suluh": "Suluh YAML",
}
SEVERITIES: dict[str, tuple[str, str, str]] = {
    Severity.ERROR: (N_("Ditinggalkan"), "wait", "stop"),
    Severity.WARNING: (N_("Berubah"), "info", "info"),
    Severity.NOTE: (N_("Catatan"), "", "info"),
}
"""Word, kind of badge, icon."""

PROBLEMS: dict[str, str] = {
    Key.TOO_LARGE: N_("Berkas lebih besar dari %(most)s bita. Bagi menjadi beberapa berkas."),
    Key.TOO_MANY_LINES: N_("Berkas lebih dari %(most)s baris. Bagi menjadi beberapa berkas."),
    Key.TOO_MANY_QUESTIONS: N_("Lebih dari %(most)s soal. Bagi menjadi beberapa berkas."),
    Key.NOT_TEXT: N_("Ini bukan berkas teks, tampaknya %(what)s."),
    Key.ENCODING: N_("Hurufnya tidak terbaca. Simpan berkas sebagai UTF-8, lalu unggah lagi."),
    Key.DECODED: N_("Dibaca sebagai %(encoding)s."),
    Key.CONTROLS: N_("Tanda kendali yang tidak terlihat dibuang."),
    Key.EMPTY: N_("Tidak ada soal di dalam berkas. Periksa pilihan formatnya."),
    Key.XML_BROKEN: N_("XML-nya rusak: %(what)s"),
    Key.XML_ENTITY: N_("Berkas memuat deklarasi entitas. Berkas soal tidak memerlukannya."),
    Key.XML_DEEP: N_("Elemen XML bersarang lebih dari %(most)s tingkat."),
    Key.XML_MANY: N_("Elemen XML lebih dari %(most)s."),
    Key.XML_ROOT: N_("Elemen pertamanya <%(what)s>; berkas Moodle dimulai dengan <quiz>."),
    Key.YAML: N_("YAML: %(what)s"),
    Key.SHEET: N_("Lembar kerja tidak terbaca (%(what)s)."),
    Key.SHEET_QUOTE: N_("Tanda kutip tidak ditutup, atau ada di tengah sel: %(what)s"),
    Key.OTHER_SHEETS: N_("Hanya lembar pertama dibaca. Lembar lain: %(what)s"),
    Key.COLUMN_MISSING: N_("Kolom “%(what)s” tidak ada."),
    Key.COLUMN_UNKNOWN: N_("Kolom “%(what)s” tidak dikenal dan tidak dibaca."),
    Key.COLUMN_TWICE: N_("Kolom “%(what)s” ada dua kali."),
    Key.MORE: N_("Masih ada hal lain yang tidak ditulis satu per satu."),
    Key.BRACES: N_(
        "Kurung kurawal tidak berpasangan. Jawaban ditulis di antara satu kurung buka dan satu "
        "kurung tutup, tanpa baris kosong."
    ),
    Key.NO_ANSWERS: N_("Belum ada jawabannya."),
    Key.NO_ARROW: N_("Pasangan tanpa tanda panah: “%(what)s”."),
    Key.NOT_A_NUMBER: N_("“%(what)s” bukan angka (3.14), angka dengan toleransi (3.14:0.01), atau "
                         "rentang (3..4)."),
    Key.NOT_A_WEIGHT: N_("“%(what)s” bukan bobot dalam persen."),
    Key.LETTERS: N_("Pilihan %(what)s tidak mengikuti huruf sebelumnya."),
    Key.STRAY: N_("Baris ini tidak termasuk soal mana pun: “%(what)s”."),
    Key.ANSWER_MISSING: N_("Baris ANSWER: tidak ada."),
    Key.ANSWER_UNKNOWN: N_("Kunci “%(what)s” tidak ada di antara pilihannya."),
    Key.KEY_AND_WEIGHT: N_("Kunci dan bobot pilihan %(what)s tidak cocok."),
    Key.VALUE_UNKNOWN: N_("“%(what)s” tidak dikenal di kolom “%(column)s”."),
    Key.NO_STEM: N_("Soalnya belum ada teksnya."),
    Key.FEW_OPTIONS: N_("Pilihannya kurang dari %(least)s."),
    Key.MANY_OPTIONS: N_("Pilihannya lebih dari %(most)s."),
    Key.EMPTY_OPTION: N_("Ada pilihan yang kosong."),
    Key.NO_RIGHT: N_("Tidak ada pilihan yang benar."),
    Key.SEVERAL_RIGHT: N_("%(count)s pilihan benar, masing-masing sendiri."),
    Key.SUM: N_("Jumlah bobot pilihan yang benar %(sum)s persen, bukan 100."),
    Key.WEIGHT_RANGE: N_("Bobot di antara -100 dan 100 persen, bukan %(what)s."),
    Key.ALL_WEIGHTS: N_("Bila semua pilihan benar harus dipilih, bobotnya 100 atau 0."),
    Key.TOLERANCE: N_("Toleransi paling kecil 0."),
    Key.WORD_LIMITS: N_("Batas jumlah katanya bertentangan."),
    Key.MARK: N_("Nilai “%(what)s” bukan angka 0 sampai 1000."),
    Key.TEXT_LONG: N_("Ada teks lebih dari %(most)s huruf."),
    Key.MARKUP_MANY: N_("Terlalu banyak tag HTML sampai di sini (%(most)s). Bagi berkasnya."),
    Key.TAGS_MANY: N_("Label soal lebih dari %(most)s."),
    Key.KIND: N_("Jenis soal “%(what)s” belum ada di sini."),
    Key.MARKUP: N_("Dibuang dari HTML: %(what)s"),
    Key.MARKDOWN_HTML: N_("HTML di dalam Markdown ditampilkan sebagai tulisan biasa."),
    Key.FORMAT_UNKNOWN: N_("Format teks “%(what)s” tidak dikenal; ditampilkan sebagai teks biasa."),
    Key.IMAGE_MISSING: N_("Gambar “%(what)s” tidak ada di dalam berkas."),
    Key.IMAGE_AWAY: N_("Gambar di komputer lain tidak dibawa: %(what)s"),
    Key.IMAGE_REFUSED: N_("“%(what)s” bukan gambar PNG, JPEG, GIF atau WebP."),
    Key.IMAGE_LARGE: N_("Gambar “%(what)s” terlalu besar, atau gambarnya terlalu banyak."),
    Key.IMAGE_UNUSED: N_("Gambar “%(what)s” tidak ditampilkan di mana pun dan ditinggalkan."),
    Key.ELEMENT: N_("Tidak dibawa: %(what)s"),
    Key.COMMENTS: N_("Komentar di dalam berkas tidak dibawa."),
    Key.TRUE_FALSE: N_("“%(what)s” dibaca sebagai benar atau salah."),
    Key.LOST: N_("%(format)s tidak punya tempat untuk %(what)s."),
    Key.KIND_LOST: N_("%(format)s tidak punya tempat untuk soal jenis %(what)s."),
    Key.ODD_TEXT: N_("%(format)s akan membaca teks ini lain: “%(what)s”."),
    Key.CELL_LONG: N_("Satu sel memuat paling banyak %(most)s huruf."),
    Key.LINE_BREAKS: N_("%(format)s tidak mengenal baris baru di dalam teks; menjadi spasi."),
    Key.TAG: N_("Moodle memotong atau membuang label “%(what)s”; Suluh membacanya."),
    Key.TAG_LOST: N_("Label “%(what)s” tidak dapat ditulis."),
    Key.NAME_MADE: N_("Nama soal dibuat dari teksnya, karena Moodle memerlukannya."),
    Key.PLUGIN: N_("Moodle memerlukan tambahan %(what)s untuk soal ini."),
    Key.REVIEW: N_("Siapa yang menelaah tidak ikut dibawa: soal masuk sebagai belum ditelaah."),
    Key.GRADING: N_("Di sana dinilai menurut %(what)s; di sini menurut tempat."),
}  # fmt: skip

FEATURES: dict[str, str] = {
    Feature.NAME: N_("nama di samping kode"),
    Feature.ID: N_("kode soal"),
    Feature.TAGS: N_("label (KUK, dasar hukum, tingkat, sumber)"),
    Feature.FORMAT: N_("format teks"),
    Feature.IMAGES: N_("gambar"),
    Feature.OPTION_FEEDBACK: N_("umpan balik untuk satu jawaban"),
    Feature.ITEM_FEEDBACK: N_("umpan balik umum"),
    Feature.OUTCOMES: N_("umpan balik untuk seluruh jawaban (benar, sebagian, salah)"),
    Feature.HINTS: N_("petunjuk"),
    Feature.MARK: N_("nilai selain 1"),
    Feature.ORDER: N_("urutan pilihan yang tetap"),
    Feature.PARTS: N_("sebagian nilai untuk satu pilihan"),
    Feature.SEVERAL_RIGHT: N_("beberapa pilihan benar"),
    Feature.ALL_OR_NOTHING: N_("“semua atau tidak”: di sana dinilai per bagian"),
    Feature.CASE: N_("huruf besar yang berarti"),
    Feature.UNITS: N_("satuan"),
    Feature.WORD_LIMITS: N_("batas jumlah kata"),
    Feature.GUIDANCE: N_("panduan penilai"),
    Feature.START: N_("isi awal uraian"),
    Feature.INFO: N_("keterangan kategori"),
}


def explain(problem: Mapping[str, Any]) -> str:
    """Say a problem of a file in the reader's language; what came from the file stays as it is."""
    key = Key(problem["key"])
    values: dict[str, object] = dict(problem["values"])
    what = values.get("what")
    if isinstance(what, str):
        if key in (Key.LOST, Key.KIND_LOST) and what in FEATURES:
            values["what"] = _(FEATURES[what])
        elif key is Key.KIND_LOST and what in KINDS:
            values["what"] = kind(what)
    return _(PROBLEMS[key], **values)


def place(problem: Mapping[str, Any]) -> str:
    """Say where in a file a problem is; empty when it is about all of it."""
    parts = []
    if problem["line"] is not None:
        parts.append(_("baris %(num)s", num=problem["line"]))
    if problem["row"] is not None:
        parts.append(_("baris tabel %(num)s", num=problem["row"]))
    if problem["file"] is not None:
        parts.append(_("berkas %(name)s", name=problem["file"]))
    return ", ".join(parts)


def kind(name: str) -> str:
    """Return the word for a type of question."""
    return _(KINDS[name])


def severity(name: str) -> tuple[str, str, str]:
    """Return word, kind of badge and icon of how bad a problem is."""
    word, colour, icon = SEVERITIES[name]
    return _(word), colour, icon


def number(value: Decimal) -> str:
    """Return a number as people write it here, with a decimal comma."""
    return digits(value).replace(".", ",")


def tag(label: str) -> str:
    """Return a tag as a page shows it."""
    name, colon, value = label.partition(":")
    words = {"kuk": _("KUK"), "law": _("Dasar hukum"), "level": _("Tingkat"),
             "source": _("Sumber"), "checked": _("Diperiksa")}  # fmt: skip
    return f"{words[name]} {value}" if colon and name in words else label
