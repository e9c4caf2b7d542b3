"""How a lesson's text is cut into blocks and measured. Pure."""

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
