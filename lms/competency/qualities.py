"""The four qualities of evidence: valid, asli, terkini, memadai. Pure: no Flask, database or clock.

Source: the form on which Indonesian assessors state what evidence is worth. A quality is derived
where the system knows it, and stated by the assessor where a person judges (SK and OBS).
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from enum import StrEnum

from lms.competency.rules import EvidenceKind, Kuk, Ledger, Row, Standard

STATED = frozenset({EvidenceKind.SK, EvidenceKind.OBS})
"""Kinds of evidence whose quality a person judges."""


class Quality(StrEnum):
    """The four qualities, in the order of the form."""

    VALID = "valid"
    """It shows this criterion."""
    AUTHENTIC = "asli"
    """It is the person's own work."""
    CURRENT = "terkini"
    """It is young enough, and the criterion still reads the same."""
    SUFFICIENT = "memadai"
    """There is enough of it to judge."""


class Answer(StrEnum):
    """What is known of one quality."""

    YES = "yes"
    NO = "no"
    OPEN = "open"
    """Nobody has said so yet: an item without a review, a mark from before assessors were asked."""


@dataclass(frozen=True, slots=True)
class Stated:
    """What an assessor said of one piece of evidence."""

    is_valid: bool = True
    is_authentic: bool = True
    is_current: bool = True
    is_sufficient: bool = True

    @property
    def is_whole(self) -> bool:
        """Tell whether it has all four."""
        return self.is_valid and self.is_authentic and self.is_current and self.is_sufficient


COLUMNS = tuple(one.name for one in fields(Stated))
"""Columns of the ledger, in the order of Quality."""


def columns(stated: Stated | None) -> dict[str, bool | None]:
    """Return what stands in the columns of the ledger."""
    return {name: getattr(stated, name) if stated else None for name in COLUMNS}


def supports(mark: int | None, stated: Stated | None) -> bool:
    """Tell whether a mark may stand on evidence of this quality.

    Evidence that lacks one of the four shows nothing, so only "Belum aman" may stand on it.
    """
    return stated is None or stated.is_whole or not mark


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one row beside what the rules read."""

    stated: Stated | None = None
    reviewed: bool | None = None
    """Whether an expert has read the item; None for anything but an item."""


def of_row(
    row: Row, facts: Facts, kuk: Kuk, ledger: Ledger, enough: frozenset[int]
) -> dict[Quality, Answer]:
    """Return the four qualities of one row, as of the moment of the ledger.

    `enough` are the rows of groups that are complete; see `complete`.
    """
    said = facts.stated
    return {
        Quality.VALID: _valid(row, facts, kuk),
        Quality.AUTHENTIC: _authentic(row, said),
        Quality.CURRENT: _yes(ledger.is_live(row) or row.voided, said.is_current if said else None),
        Quality.SUFFICIENT: _sufficient(row, said, enough),
    }


def _yes(derived: bool, said: bool | None = None) -> Answer:
    return Answer.YES if derived and said is not False else Answer.NO


def _said(value: bool | None) -> Answer:
    return Answer.OPEN if value is None else _yes(value)


def _valid(row: Row, facts: Facts, kuk: Kuk) -> Answer:
    """Tell whether it shows the criterion; a voided row does not, whatever was said of it."""
    if row.voided or row.kind not in kuk.ev:
        return Answer.NO
    if row.kind in STATED:
        return _said(facts.stated.is_valid if facts.stated else None)
    return Answer.OPEN if facts.reviewed is False else Answer.YES


def _authentic(row: Row, said: Stated | None) -> Answer:
    """Tell whether it is the person's own: so is what was done signed in, or noted by a trainer."""
    return _said(said.is_authentic if said else None) if row.kind in STATED else Answer.YES


def _sufficient(row: Row, said: Stated | None, enough: frozenset[int]) -> Answer:
    if row.kind in STATED:
        return _said(said.is_sufficient if said else None)
    return _yes(row.id in enough)


def complete(standard: Standard, kuk: Kuk, rows: Iterable[Row]) -> frozenset[int]:
    """Return the ids of rows whose group holds as much as the blueprint asks for.

    Of a quiz: as many items as a sitting shows. Of anything else the row itself is the whole.
    """
    rows = list(rows)
    replaced = {row.replaces for row in rows}  # by another row about the same item
    counts: dict[tuple[EvidenceKind, str], list[int]] = {}
    for row in rows:
        counts.setdefault((row.kind, row.group), [])
        if not row.voided:
            counts[row.kind, row.group].append(row.id)
    return frozenset(
        one
        for (kind, _group), ids in counts.items()
        if kind is not EvidenceKind.Q or len(set(ids) - replaced) >= standard.shown_for(kuk)
        for one in ids
    )
