"""The columns of a table of questions, and the words that stand in them."""

import re

from lms.quizzes.exchange.model import Kind

LETTERS = "ABCDEFGHIJKLMNOP"
"""Options a row has room for."""
MOST_HINTS = 5

HEADINGS: dict[str, tuple[str, ...]] = {
    "id": ("kode", "id"),
    "name": ("nama", "name"),
    "kind": ("jenis", "type"),
    "stem": ("soal", "question", "stem"),
    "key": ("kunci", "key"),
    "scoring": ("penilaian", "scoring"),
    "case": ("huruf besar", "case"),
    "unit": ("satuan", "unit"),
    **{
        name + letter: tuple(f"{word}{letter}".lower() for word in words)
        for letter in LETTERS
        for name, words in (
            ("option ", ("", "option ")),
            ("match ", ("pasangan ", "match ")),
            ("weight ", ("bobot ", "weight ")),
            ("feedback ", ("umpan balik ", "feedback ")),
        )
    },
    "feedback": ("umpan balik", "feedback"),
    "right": ("jika benar", "if right"),
    "partly": ("jika sebagian", "if partly right"),
    "wrong": ("jika salah", "if wrong"),
    **{
        f"hint {n}": (f"petunjuk {n}", f"hint {n}") for n in range(1, MOST_HINTS + 1)
    },
    "least": ("kata minimal", "least words"),
    "most": ("kata maksimal", "most words"),
    "guidance": ("panduan penilai", "guidance"),
    "start": ("isi awal", "start"),
    "shuffle": ("acak", "shuffle"),
    "mark": ("nilai", "mark"),
    "kuk": ("kuk",),
    "law_ref": ("dasar hukum", "law_ref"),
    "level": ("tingkat", "level"),
    "source": ("sumber", "source"),
    "checked_on": ("diperiksa", "checked_on"),
    "other": ("label", "tags"),
    "format": ("format",),
}  # fmt: skip
"""Each column: how it is written, then how else it may be called. Capitals do not matter."""

SPACES = re.compile(r"[\s_-]+")

KINDS = {
    Kind.SINGLE: "pilihan tunggal",
    Kind.MULTIPLE: "pilihan jamak",
    Kind.TRUE_FALSE: "benar salah",
    Kind.MATCHING: "menjodohkan",
    Kind.ORDERING: "mengurutkan",
    Kind.SHORT_ANSWER: "isian singkat",
    Kind.NUMERIC: "isian angka",
    Kind.ESSAY: "uraian",
    Kind.DESCRIPTION: "keterangan",
    Kind.CATEGORY: "kategori",
}
SCORING = {"semua": True, "all": True, "sebagian": False, "partial": False, "": False}
TRUTHS = {
    word: value
    for value, words in (
        (True, ("benar", "b", "true", "t")),
        (False, ("salah", "s", "false", "f")),
    )
    for word in words
}
YES_NO = {
    word: value
    for value, words in (
        (True, ("ya", "y", "yes", "true", "1")),
        (False, ("tidak", "t", "no", "n", "false", "0")),
    )
    for word in words
}


def folded(word: str) -> str:
    """Return a word as it is compared."""
    return SPACES.sub(" ", word.strip().lower())


COLUMNS = {folded(word): name for name, words in HEADINGS.items() for word in words}
KIND_WORDS = {folded(word): kind for kind, own in KINDS.items() for word in (own, str(kind))}


def heading(name: str) -> str:
    """Return how a column is written."""
    own = HEADINGS[name][0]
    if name.startswith("option "):
        return own.upper()
    for word in ("bobot ", "pasangan ", "umpan balik "):
        if own.startswith(word):
            return word.capitalize() + own.removeprefix(word).upper()
    return own.upper() if name == "kuk" else own.capitalize()
