"""Which criteria have what they need: lessons, items, cases, simulations, observation. Pure.

Source: docs/content.md, "Coverage".
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from lms.competency.rules import EvidenceKind, Kuk, Standard


class Part(StrEnum):
    """What a criterion may need."""

    LESSON = "lesson"
    ITEMS = "items"
    CASE = "case"
    SIMULATION = "simulation"
    STATION = "station"
    IN_PERSON = "in_person"


class Status(StrEnum):
    """How far a curriculum is."""

    PUBLISHED = "published"
    DRAFT = "draft"
    ABSENT = "absent"
    """The standard names it; no file does."""


NAMES: dict[Part, str] = {
    Part.LESSON: "online lesson",
    Part.ITEMS: "items",
    Part.CASE: "case study",
    Part.SIMULATION: "simulation",
    Part.STATION: "observation station",
    Part.IN_PERSON: "in-person lesson",
}
"""Words of the messages for authors."""


COUNTED = (
    "lessons_online",
    "lessons_in_person",
    "items",
    "cases",
    "simulations",
    "nodes",
    "stations",
    "drills",
    "roles",
    "records",
)
"""What is counted for each curriculum, in the order of reports."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Supply:
    """What the content holds, by KUK: codes of what shows it, and how many items ask it."""

    shown: Mapping[Part, Mapping[str, Sequence[str]]]
    items: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Cell:
    """One part of one criterion."""

    have: int
    wanted: int
    codes: tuple[str, ...] = ()
    """Where it is; empty for items."""

    @property
    def is_hole(self) -> bool:
        """Tell whether there is less than the blueprint asks for."""
        return self.have < self.wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One criterion with all its parts."""

    kuk: str
    text: str
    text_en: str
    critical: bool
    cells: Mapping[Part, Cell]

    @property
    def holes(self) -> list[Part]:
        """The parts that are short."""
        return [part for part, cell in self.cells.items() if cell.is_hole]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One curriculum."""

    code: str
    title: str
    title_en: str
    status: Status
    counts: Mapping[str, int]
    lines: tuple[Line, ...]

    @property
    def all_counts(self) -> dict[str, int]:
        """How many of each thing there are, none left out."""
        return {name: self.counts.get(name, 0) for name in COUNTED}

    @property
    def with_holes(self) -> list[Line]:
        """The criteria that miss something."""
        return [line for line in self.lines if line.holes]

    @property
    def totals(self) -> dict[Part, tuple[int, int]]:
        """For each part: how many criteria have enough, of how many that need it."""
        asked = {part: [line.cells[part] for line in self.lines] for part in Part}
        return {
            part: (
                sum(cell.wanted > 0 and not cell.is_hole for cell in cells),
                sum(cell.wanted > 0 for cell in cells),
            )
            for part, cells in asked.items()
        }


@dataclass(frozen=True, slots=True)
class Hole:
    """One thing a criterion misses."""

    curriculum: str
    kuk: str
    critical: bool
    part: Part
    have: int
    wanted: int

    @property
    def message(self) -> str:
        """Say it to an author."""
        kind = "critical KUK" if self.critical else "KUK"
        if self.part is Part.ITEMS:
            return f"{kind} {self.kuk} has {self.have} items, at least {self.wanted}"
        return f"{kind} {self.kuk} has no {NAMES[self.part]}"


@dataclass(frozen=True, slots=True)
class Coverage:
    """Every curriculum of one standard."""

    standard: str
    tables: tuple[Table, ...] = field(default=())

    @property
    def holes(self) -> list[Hole]:
        """Everything that is missing in the curricula that exist."""
        return [
            Hole(table.code, line.kuk, line.critical, part, cell.have, cell.wanted)
            for table in self.tables
            if table.status is not Status.ABSENT
            for line in table.lines
            for part, cell in line.cells.items()
            if cell.is_hole
        ]

    def refused(self) -> list[Hole]:
        """Return what keeps a curriculum from being published: holes in critical criteria."""
        published = {table.code for table in self.tables if table.status is Status.PUBLISHED}
        return [hole for hole in self.holes if hole.critical and hole.curriculum in published]


def wanted(kuk: Kuk, part: Part, standard: Standard) -> int:
    """Return how much of one part the blueprint asks for."""
    match part:
        case Part.LESSON:
            return 1
        case Part.ITEMS:
            asked = EvidenceKind.Q in kuk.ev
            return standard.shown_for(kuk) * standard.bank_per_shown if asked else 0
        case Part.CASE:
            return int(EvidenceKind.SK in kuk.ev)
        case Part.SIMULATION:
            return int(EvidenceKind.SIM in kuk.ev)
        case _:  # a station, a lesson in person
            return int(_is_observed(kuk))


def _is_observed(kuk: Kuk) -> bool:
    """Tell whether observation decides: for a critical KUK always, else when nothing else does."""
    decides = {EvidenceKind.Q, EvidenceKind.SK, EvidenceKind.SIM, EvidenceKind.OBS} & set(kuk.ev)
    return EvidenceKind.OBS in decides and (kuk.critical or len(decides) == 1)


def cover(
    standard: Standard,
    supply: Supply,
    statuses: Mapping[str, Status],
    counts: Mapping[str, Mapping[str, int]],
) -> Coverage:
    """Hold what there is against what the standard asks for, one table for each curriculum."""
    return Coverage(
        standard.version,
        tuple(
            Table(
                code=code,
                title=title,
                title_en=title_en,
                status=statuses.get(code, Status.ABSENT),
                counts=dict(counts.get(code, {})),
                lines=tuple(_line(kuk, standard, supply) for kuk in standard.of(code)),
            )
            for code, (title, title_en) in standard.curricula.items()
        ),
    )


def _line(kuk: Kuk, standard: Standard, supply: Supply) -> Line:
    cells = {}
    for part in Part:
        codes = tuple(supply.shown.get(part, {}).get(kuk.code, ()))
        have = supply.items.get(kuk.code, 0) if part is Part.ITEMS else len(codes)
        cells[part] = Cell(have, wanted(kuk, part, standard), codes)
    return Line(
        kuk=kuk.code, text=kuk.text, text_en=kuk.text_en, critical=kuk.critical, cells=cells
    )


def collect(pairs: Iterable[tuple[str, Iterable[str]]]) -> dict[str, list[str]]:
    """Turn (code, its KUK) into KUK to codes, each once, in order."""
    found: dict[str, list[str]] = {}
    for code, listed in pairs:
        for kuk in listed:
            codes = found.setdefault(kuk, [])
            if code not in codes:
                codes.append(code)
    return found


# --- As stored with a content release


def to_json(coverage: Coverage) -> dict[str, Any]:
    """Return the coverage as plain data."""
    return asdict(coverage)


def from_json(document: Mapping[str, Any]) -> Coverage:
    """Return stored coverage as it was."""
    return Coverage(document["standard"], tuple(_tables(document["tables"])))


def _tables(documents: Iterable[Mapping[str, Any]]) -> Iterator[Table]:
    for each in documents:
        lines = tuple(
            Line(
                **line
                | {
                    "cells": {
                        Part(part): Cell(cell["have"], cell["wanted"], tuple(cell["codes"]))
                        for part, cell in line["cells"].items()
                    }
                }
            )
            for line in each["lines"]
        )
        yield Table(**dict(each) | {"status": Status(each["status"]), "lines": lines})
