"""Measure the content when it is checked; show what was measured when it was loaded."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from lms.competency.content import StandardSpec
from lms.competency.rules import Standard, build_standard
from lms.core import releases
from lms.core.sheets import Cell
from lms.reports.coverage import rules
from lms.reports.coverage.rules import Coverage, Part, Status, Supply

Parts = Mapping[str, Any]
"""What the checks read, by the names of lms.release.CHECKS."""


def measure(spec: StandardSpec, parts: Parts) -> Coverage:
    """Hold the checked content against its standard. Reads no file and no database."""
    standard = build_standard(spec.model_dump(mode="json"))
    return rules.cover(standard, _supply(parts), _statuses(parts), _counts(standard, parts))


def _supply(parts: Parts) -> Supply:
    lessons = parts.get("lessons", ())
    return Supply(
        shown={
            Part.LESSON: rules.collect(
                (text.spec.code, text.spec.kuk) for text in lessons if not text.spec.in_person
            ),
            Part.IN_PERSON: rules.collect(
                (text.spec.code, text.spec.kuk) for text in lessons if text.spec.in_person
            ),
            Part.CASE: rules.collect((case.code, case.kuk) for case in parts.get("cases", ())),
            Part.SIMULATION: rules.collect(
                (one.code, one.kuk) for one in parts.get("simulations", ())
            ),
            Part.STATION: rules.collect(
                (one.spec.code, one.spec.kuk) for one in parts.get("stations", ())
            ),
        },
        items=Counter(item.spec.kuk for item in parts.get("items", ())),
    )


def _statuses(parts: Parts) -> dict[str, Status]:
    return {
        text.curriculum.code: Status(text.curriculum.status) for text in parts.get("lessons", ())
    }


def _counts(standard: Standard, parts: Parts) -> dict[str, Counter[str]]:
    counts = {code: Counter[str]() for code in standard.curricula}
    unknown: Counter[str] = Counter()
    for curriculum, name, number in _counted(parts):
        counts.get(curriculum, unknown)[name] += number
    return counts


def _counted(parts: Parts) -> Iterator[tuple[str, str, int]]:
    """Yield curriculum, what is counted, how many."""
    for text in parts.get("lessons", ()):
        kind = "lessons_in_person" if text.spec.in_person else "lessons_online"
        yield text.curriculum.code, kind, 1
    for item in parts.get("items", ()):
        yield item.curriculum, "items", 1
    for case in parts.get("cases", ()):
        yield case.lesson.split(".")[0], "cases", 1
    for simulation in parts.get("simulations", ()):
        yield simulation.curriculum, "simulations", 1
        yield simulation.curriculum, "nodes", len(simulation.nodes)
    for station in parts.get("stations", ()):
        yield station.curriculum, "stations", 1
    for exercise in parts.get("exercises", ()):
        yield exercise.curriculum, exercise.kind.value, 1


def report(coverage: Coverage) -> dict[str, Any]:
    """Return counts by curriculum and the list of holes, for programs."""
    return {
        "curricula": {
            table.code: {
                "status": table.status.value,
                **table.all_counts,
                "items_per_kuk": {
                    line.kuk: cell.have
                    for line in table.lines
                    if (cell := line.cells[Part.ITEMS]).have or cell.wanted
                },
            }
            for table in coverage.tables
        },
        "holes": [
            {
                "curriculum": hole.curriculum,
                "kuk": hole.kuk,
                "critical": hole.critical,
                "part": hole.part.value,
                "have": hole.have,
                "wanted": hole.wanted,
            }
            for hole in coverage.holes
        ],
    }


def read() -> Coverage | None:
    """Return what was measured when the content was loaded; None before that. One query."""
    document = releases.latest_coverage()
    return rules.from_json(document) if document else None


def rows(
    coverage: Coverage, *, only_holes: bool, words: Mapping[bool, str]
) -> Iterator[list[Cell]]:
    """Yield one row for each criterion; `words` says what critical is called."""
    for table in coverage.tables:
        for line in table.with_holes if only_holes else table.lines:
            cells: list[Cell] = []
            for cell in line.cells.values():
                cells += [cell.have, cell.wanted]
            yield [table.code, line.kuk, line.text, words[line.critical], *cells, len(line.holes)]
