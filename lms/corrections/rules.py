"""What a corrected key changes for one person. Pure: no Flask, database or clock.

Source: decision rules 2 and 8: the voided row leaves numerator and denominator, the new one takes
its place in the same sitting, and nothing else is touched.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from lms.competency.rules import (
    EvidenceKind,
    Kuk,
    Ledger,
    Requirement,
    Row,
    Standard,
    State,
    Verdict,
    judge_by,
)

RESCORE = "corrections.rescore"
"""The kind of job that marks closed sittings again."""


@dataclass(frozen=True, slots=True)
class Picture:
    """How somebody stands in what one item touches."""

    quiz: State
    """What the quiz says about the criterion."""
    verdict: Verdict
    enough: bool
    """Whether enough of the curriculum's non-critical items are right."""
    complete: bool
    """Whether the whole curriculum is reached."""

    def as_dict(self) -> dict[str, str | bool]:
        """Return it as it is stored."""
        return {
            "quiz": self.quiz.value,
            "verdict": self.verdict.value,
            "enough": self.enough,
            "complete": self.complete,
        }


def read_picture(stored: dict[str, str | bool]) -> Picture:
    """Return what was stored by as_dict."""
    return Picture(
        State(str(stored["quiz"])),
        Verdict(str(stored["verdict"])),
        bool(stored["enough"]),
        bool(stored["complete"]),
    )


def picture(standard: Standard, rows: Iterable[Row], kuk: Kuk, at: datetime) -> Picture:
    """Return how somebody stands in what an item on `kuk` touches."""
    ledger = Ledger(standard, rows, at)
    alone = Requirement(scheme="", curricula=(kuk.curriculum,), in_person=())
    return Picture(
        ledger.state(kuk, EvidenceKind.Q),
        ledger.verdict(kuk),
        ledger.enough_items(kuk.curriculum),
        judge_by(ledger, alone).ready,
    )


def swap(rows: Iterable[Row], old_id: int, passed: bool | None) -> list[Row]:
    """Return the rows after one was voided and, unless `passed` is None, replaced by another mark.

    The new row gets an id nobody has; it is about the same sitting and moment.
    """
    rows = list(rows)
    old = next((row for row in rows if row.id == old_id), None)
    if old is None:
        return rows
    swapped = [row._replace(voided=True) if row is old else row for row in rows]
    if passed is not None:
        new = max(row.id for row in rows) + 1
        swapped.append(old._replace(id=new, passed=passed, replaces=old.id, voided=False))
    return swapped
