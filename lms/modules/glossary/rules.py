"""Which words need an explanation, and what counts as one. Pure.

Source: docs/content.md, "Glossary".
"""

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")
JARGON = (
    "abreaksi",
    "advokasi",
    "akomodasi yang layak",
    "amicus curiae",
    "asesmen",
    "autentikasi dua faktor",
    "benturan kepentingan",
    "burnout",
    "case conference",
    "compassion fatigue",
    "coping",
    "cyberbullying",
    "debriefing",
    "deeskalasi",
    "delik",
    "disosiasi",
    "diversi",
    "doxing",
    "eskalasi",
    "femisida",
    "flashback",
    "follow-up",
    "freeze",
    "gaslighting",
    "grooming",
    "grounding",
    "handover",
    "hiperarousal",
    "informed consent",
    "inkrah",
    "interseksionalitas",
    "kalibrasi",
    "keadilan restoratif",
    "kelelahan empati",
    "kendali koersif",
    "kilas balik",
    "letalitas",
    "lex specialis",
    "manajemen kasus",
    "microteaching",
    "metadata",
    "paralegal",
    "pemicu",
    "perintah perlindungan",
    "pertemuan kasus",
    "profilaksis",
    "psikoedukasi",
    "psikososial",
    "rapport",
    "reintegrasi",
    "rekam medis",
    "resiliensi",
    "restitusi",
    "restorative justice",
    "reviktimisasi",
    "rujukan hangat",
    "screening",
    "self-care",
    "sextortion",
    "shelter",
    "skrining",
    "spyware",
    "stakeholder",
    "stalking",
    "survivor",
    "trauma sekunder",
    "trauma vikarius",
    "triase",
    "trigger",
    "victim blaming",
    "viktimisasi",
    "visum",
    "BAP",
    "KBGO",
    "LPSK",
    "OBH",
    "PFA",
    "PTSD",
    "SPPA",
    "STS",
    "TPKS",
    "TPPO",
    "UPTD PPA",
)
"""Words people outside the field may not know. Those in capitals are looked for as they stand."""

_TELLS = r"(?:yaitu|ialah|adalah|artinya|maksudnya|berarti)"


@dataclass(frozen=True, slots=True)
class Unexplained:
    """A word nobody explains. `line` counts from 1 within the text."""

    line: int
    word: str


def find_unexplained(text: str, known: Collection[str]) -> Iterator[Unexplained]:
    """Yield the first use of each word of JARGON that the glossary and the text leave unexplained.

    A longer word of the glossary covers a shorter one in it: “delik aduan” says what a delik is.
    """
    covered = [one for one in known if " " in one]
    for word in JARGON:
        if word.lower() in known:
            continue
        flags = 0 if word.isupper() else re.IGNORECASE
        uses = list(re.finditer(rf"(?<![\w-]){re.escape(word)}(?:nya)?(?![\w-])", text, flags))
        uses = [use for use in uses if not _is_inside(text, use, covered)]
        if uses and not any(_explains(text, use) for use in uses):
            yield Unexplained(text.count("\n", 0, uses[0].start()) + 1, word)


def _is_inside(text: str, use: re.Match[str], phrases: Iterable[str]) -> bool:
    """Tell whether a use is a part of a longer phrase."""
    for phrase in phrases:
        for found in re.finditer(rf"(?<![\w-]){re.escape(phrase)}", text, re.IGNORECASE):
            if found.start() <= use.start() and use.end() <= found.end():
                return True
    return False


def _explains(text: str, use: re.Match[str]) -> bool:
    """Tell whether the words around a use say what it is: “visum, yaitu …”, “laporan … (visum)”."""
    after, before = text[use.end() : use.end() + 40], text[max(0, use.start() - 40) : use.start()]
    if re.match(rf"[”\"*_]*(?:,? {_TELLS}\b| \(|: )", after):
        return True
    return bool(re.search(r"(?:\(|\b(?:disebut|dinamai|disingkat|atau) )[“\"*_]*$", before))


def search(entries: Iterable[tuple[T, Iterable[str]]], asked: str) -> list[T]:
    """Return the entries one of whose texts holds every word asked for; all for none."""
    words = asked.lower().split()
    return [
        entry
        for entry, texts in entries
        if all(any(word in text.lower() for text in texts) for word in words)
    ]
