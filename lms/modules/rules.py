"""How a lesson's text is cut into blocks, measured and searched for known mistakes. Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

MOST_WORDS = 700
"""Words of an online lesson. Source: docs/content.md, "Lessons"."""
MEAN_SENTENCE = 20
LONGEST_SENTENCE = 35


class BlockKind(StrEnum):
    """What a part of a lesson is."""

    PROSE = "prose"
    LAW = "law"
    CARE = "care"
    CASE = "case"
    DO = "do"
    NEVER = "never"


REQUIRED = (BlockKind.CASE, BlockKind.DO, BlockKind.NEVER)
"""Every online lesson has exactly one of each."""
TITLED = (BlockKind.LAW, BlockKind.CARE, BlockKind.CASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One part of a lesson. `line` counts from 1 within the text."""

    kind: BlockKind
    text: str
    line: int
    title: str = ""
    minutes: int | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong at a line of a text, counted from 1."""

    line: int
    message: str


def split_blocks(text: str) -> tuple[list[Block], list[Fault]]:
    """Cut a text at its `:::` lines. Blocks with nothing in them are dropped."""
    blocks: list[Block] = []
    faults: list[Fault] = []
    head, head_line = "", 0
    held: list[str] = []
    first = 1
    lines = text.split("\n")
    for number, line in enumerate(lines, 1):
        if not line.startswith(":::"):
            held.append(line)
            continue
        _close(blocks, faults, head, held, first)
        rest = line[3:].strip()
        if head and rest:
            faults.append(Fault(number, f"a block begins inside the block of line {head_line}"))
        if not head and not rest:
            faults.append(Fault(number, "::: closes nothing; a block begins with its kind"))
        head, head_line, held, first = rest, number, [], number + 1
    if head:
        faults.append(Fault(head_line, f"the block is not closed: ::: {head}"))
    _close(blocks, faults, head, held, first)
    return blocks, faults


def _close(
    blocks: list[Block], faults: list[Fault], head: str, held: list[str], first: int
) -> None:
    """Add the block that ends here, with what its head line says."""
    text = "\n".join(held).strip("\n")
    if not head:
        if text.strip():
            blocks.append(Block(kind=BlockKind.PROSE, text=text, line=first))
        return
    name, _gap, title = head.partition(" ")
    if name not in set(BlockKind) - {BlockKind.PROSE}:
        faults.append(Fault(first - 1, f"unknown kind of block: {name}"))
        return
    title, bar, minutes = (part.strip() for part in title.partition("|"))
    kind = BlockKind(name)
    faults += [Fault(first - 1, message) for message in _head_faults(kind, title, bar, minutes)]
    if not text.strip():
        faults.append(Fault(first - 1, f"the block is empty: ::: {head}"))
        return
    if kind is BlockKind.LAW and re.search(r"\n\s*\n", text.strip()):
        faults.append(Fault(first, "a law block is one paragraph"))
    blocks.append(
        Block(
            kind=kind,
            text=text,
            line=first,
            title=title,
            minutes=int(minutes) if minutes.isdecimal() else None,
        )
    )


def _head_faults(kind: BlockKind, title: str, bar: str, minutes: str) -> Iterable[str]:
    if (kind in TITLED) != bool(title):
        yield f"a {kind} block {'needs' if kind in TITLED else 'has no'} title"
    if kind is BlockKind.CARE and not minutes.isdecimal():
        yield "a care block says how long it takes: ::: care Title | minutes"
    if kind is not BlockKind.CARE and bar:
        yield f"a {kind} block has no minutes"


_FENCE = re.compile(r"^:::.*$", re.M)


def count_words(text: str) -> int:
    """Count the words people read: fence lines do not count."""
    return len(re.findall(r"\w[\w\-/.]*", _FENCE.sub("", text)))


_MARKUP = re.compile(r"^[ \t]*(?:#+|[-*>]|\d+\.)[ \t]+", re.M)
_SENTENCE = re.compile(r"(?<=[.?!:;])[\"”)*]*\s+|\n\s*\n|\n(?=[ \t]*(?:[-*#>]|\d+\.)[ \t])|\|")


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence, list entry or table cell of more than one word."""

    line: int
    words: int


def sentences(text: str) -> list[Sentence]:
    """Return the sentences of a Markdown text with their lines, counted from 1."""
    found = []
    start = 0
    text = _FENCE.sub("", text)
    for end in [*_SENTENCE.finditer(text), None]:
        piece = text[start : end.start() if end else len(text)]
        words = len(_MARKUP.sub("", piece).split())
        if words > 1:
            lead = len(piece) - len(piece.lstrip())
            found.append(Sentence(text.count("\n", 0, start + lead) + 1, words))
        start = end.end() if end else start
    return found


FORBIDDEN = (
    (
        r"(?<![\w/.])(?:\+62|62|0)[\s-]?(?:8\d|2\d|3\d)[\d\s-]{5,}\d",
        "no telephone numbers in content: only content/directory.yaml holds them",
    ),
    (
        r"(?i)\b(?:telepon|hubungi|nomor|hotline|call center|sapa)\s+(?:\w+\s+){0,2}"
        r"(?:110|112|119|129)\b",
        "no emergency numbers in content: only content/directory.yaml holds them",
    ),
    (
        r"(?i)\bUU\s+(?:No\.?\s*)?31(?:/| Tahun )2014\s+(?:ps|pasal)\s+41\b",
        "UU 31/2014 ps 41 is revoked (now KUHP ps 299)",
    ),
    (
        r"(?i)\bUU\s+(?:No\.?\s*)?35(?:/| Tahun )2014\s+(?:ps|pasal)\s+(?:81\s*\(1\)|82)",
        "UU 35/2014 ps 81(1) and 82 are not in force as they stand",
    ),
    (
        r"(?i)\bUU\s+(?:No\.?\s*)?21(?:/| Tahun )2007\s+(?:ps|pasal)\s+2\b",
        "UU 21/2007 ps 2 is not in force as it stands",
    ),
    (
        r"(?i)\b(?:ps|pasal)\s+44\s*(?:ayat\s*)?\(4\)[^.\n]*\b(?:4|empat)\s+tahun",
        "UU 23/2004 ps 44(4) says 4 bulan, not 4 tahun",
    ),
    (
        r"(?i)\b(?:pidana|penjara|denda)\b[^.\n]*\bdan/atau\b|\bdan/atau\b[^.\n]*\b(?:pidana|penjara|denda)\b",
        "no dan/atau in a penalty",
    ),
    (
        r"(?i)\b(?:ps|pasal)\s+(?:29|30)\b[^.\n]*\bTPKS\b[^.\n]*\bkeadilan restoratif",
        "the ban of restorative justice is UU 12/2022 ps 23",
    ),
    (r"(?i)Program Kreativitas Mahasiswa", "PKM of the seeds is Puskesmas"),
)
"""Wrong statements met in public sources while the lessons were written."""


def find_forbidden(text: str) -> list[Fault]:
    """Return known mistakes in a text with their lines, counted from 1."""
    return [
        Fault(text.count("\n", 0, match.start()) + 1, message)
        for pattern, message in FORBIDDEN
        for match in re.finditer(pattern, text)
    ]
