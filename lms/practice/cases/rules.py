"""Which parts of a written case study are open, and when text and marks are complete. Pure.

Source: content/standard.yaml, "rules"; decision rules 3 and 7 in docs/decision-rules.md.
Whether a criterion is met (a critical one needs 2, any other 1) is asked of the evidence ledger,
`competency.rules.Ledger`: here it arrives as a set of criteria.
"""

import hashlib
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from lms.core.errors import DomainError

LONGEST = 20_000
"""Characters of one answer: five times the longest answer any task asks for."""
LONGEST_NOTE = 2_000
LONGEST_FEEDBACK = 5_000
LEVELS = (0, 1, 2)
SAFE_ALONE = 2


class Stage(StrEnum):
    """Where somebody stands with one case study."""

    WRITE = "write"
    """Parts are open and may be handed in."""
    WAITING = "waiting"
    """Handed in; an assessor has not decided yet."""
    LATER = "later"
    """Parts are open again after a wait."""
    COACHING = "coaching"
    """Three tries are used: a trainer's guidance opens the next one."""
    DONE = "done"
    """Every criterion is met."""


class Receipt(StrEnum):
    """What became of a text that arrived."""

    SAVED = "saved"
    OLDER = "older"
    """A newer text of the same page is stored already."""
    UNTOUCHED = "untouched"
    """Nothing was written here, and another page has changed it since: its text stays."""
    CONFLICT = "conflict"
    """Another page changed it in between; neither text may be lost unseen."""


class Lack(StrEnum):
    """What keeps an answer from being handed in."""

    SHORT = "short"
    LONG = "long"
    UNCHANGED = "unchanged"
    """It is the text that was marked as not there yet."""


class Gap(StrEnum):
    """What a mark still needs."""

    MARK = "mark"
    NOTE = "note"


class MarksIncomplete(DomainError):
    """A criterion has no mark, or a mark has no note though it needs one."""

    def __init__(self, gaps: Mapping[str, Gap]) -> None:
        super().__init__(", ".join(f"{kuk} {gap}" for kuk, gap in gaps.items()))
        self.gaps = gaps


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One part of a case study. Lengths in words."""

    id: str
    kuk: tuple[str, ...]
    min_words: int
    max_words: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What is stored of one answer, by which page, as which of its saves."""

    text: str
    page: str
    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """One answer that is to be handed in. `off` is how many words it lacks or exceeds."""

    task: str
    words: int
    lack: Lack | None = None
    off: int = 0


@dataclass(frozen=True, slots=True)
class Mark:
    """An assessor's mark of one criterion: 0, 1 or 2, or None while it is not chosen."""

    level: int | None
    note: str = ""


def count_words(text: str) -> int:
    """Count the words of a text: what stands between blanks and holds a letter or a digit."""
    return sum(1 for part in text.split() if re.search(r"\w", part))


def tidy(text: str) -> str:
    """Return a text as it is stored: no blanks around it, lines end alike in every browser."""
    return text.replace("\x00", "").replace("\r\n", "\n").replace("\r", "\n").strip()


def trace(text: str) -> str:
    """Return a short mark of a text, 16 hex characters: pages tell with it what they showed."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def trace_of(answers: Mapping[str, str]) -> str:
    """Return the mark of several answers together."""
    return trace("\x00".join(f"{task}\x01{answers[task]}" for task in sorted(answers)))


def open_kuk(asked: Iterable[str], met: Collection[str]) -> tuple[str, ...]:
    """Return the criteria the next try shows: a met one is not put at risk again."""
    return tuple(code for code in asked if code not in met)


def open_tasks(tasks: Iterable[Task], met: Collection[str]) -> tuple[Task, ...]:
    """Return the parts the next try holds: those with a criterion that is not met."""
    return tuple(task for task in tasks if open_kuk(task.kuk, met))


def receive(stored: Draft | None, arrived: Draft, *, seen: str) -> Receipt:
    """Say what becomes of a text. `seen` is the trace of the text its page showed when opened.

    Saves of one page are ordered by its own count. A text of another page is taken when nobody
    changed the stored one since that page was opened.
    """
    if stored is None:
        return Receipt.SAVED
    if stored.page == arrived.page:
        return Receipt.SAVED if arrived.seq > stored.seq else Receipt.OLDER
    if stored.text == arrived.text or trace(stored.text) == seen:
        return Receipt.SAVED
    return Receipt.UNTOUCHED if trace(arrived.text) == seen else Receipt.CONFLICT


def check_answers(
    tasks: Iterable[Task],
    answers: Mapping[str, str],
    *,
    refused: Mapping[str, str],
) -> tuple[Checked, ...]:
    """Measure each answer. `refused` is task to the text that was marked as not there yet."""
    return tuple(
        _check(task, tidy(answers.get(task.id, "")), refused.get(task.id)) for task in tasks
    )


def _check(task: Task, text: str, refused: str | None) -> Checked:
    words = count_words(text)
    if words < task.min_words:
        return Checked(task=task.id, words=words, lack=Lack.SHORT, off=task.min_words - words)
    if words > task.max_words:
        return Checked(task=task.id, words=words, lack=Lack.LONG, off=words - task.max_words)
    lack = Lack.UNCHANGED if refused is not None and text == tidy(refused) else None
    return Checked(task=task.id, words=words, lack=lack)


def may_hand_in(checked: Sequence[Checked]) -> bool:
    """Tell whether the answers may be handed in. No answer at all may not."""
    return bool(checked) and all(answer.lack is None for answer in checked)


def needs_note(level: int, *, critical: bool) -> bool:
    """Tell whether a mark needs a note: any 0, and a critical criterion below 2."""
    return level == 0 or (critical and level < SAFE_ALONE)


def check_marks(
    asked: Iterable[str], marks: Mapping[str, Mark], critical: Collection[str]
) -> dict[str, Mark]:
    """Return the marks of exactly the asked criteria. Raises MarksIncomplete."""
    chosen = {code: marks.get(code, Mark(None)) for code in asked}
    gaps: dict[str, Gap] = {}
    for code, mark in chosen.items():
        if mark.level not in LEVELS:
            gaps[code] = Gap.MARK
        elif needs_note(mark.level, critical=code in critical) and not mark.note.strip():
            gaps[code] = Gap.NOTE
    if gaps:
        raise MarksIncomplete(gaps)
    return chosen
