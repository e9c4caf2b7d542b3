"""Checks and loads everything in `content/`: the one place that knows each feature's files."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from lms.cohorts import abbreviations, timetable
from lms.competency import content as standard_content
from lms.competency import services as competency
from lms.core import releases
from lms.core.content import Problem, Unreadable, read_yaml
from lms.core.db import db
from lms.core.models import ContentRelease
from lms.core.releases import BrokenContent
from lms.credentials import content as scheme_content
from lms.credentials import schemes
from lms.evaluations import content as evaluation_content
from lms.modules import content as lesson_content
from lms.modules import laws
from lms.modules import services as modules
from lms.modules.glossary import content as glossary
from lms.modules.law import citations
from lms.pages import directory_content
from lms.practice.cases import content as case_content
from lms.practice.cases import services as cases
from lms.practice.exercises import content as exercise_content
from lms.practice.exercises import services as exercises
from lms.practice.observations import content as station_content
from lms.practice.observations import texts as stations
from lms.practice.simulations import content as simulation_content
from lms.practice.simulations import services as simulations
from lms.privacy import notice
from lms.quizzes import content as item_content
from lms.quizzes import services as quizzes
from lms.reports.coverage import rules as coverage_rules
from lms.reports.coverage import services as coverages
from lms.reports.coverage.rules import Coverage, Part

Check = Callable[[Path, standard_content.StandardSpec], tuple[Any, list[Problem]]]

CHECKS: dict[str, Check] = {
    "laws": citations.check,
    "lessons": lesson_content.check,
    "items": item_content.check,
    "simulations": simulation_content.check,
    "cases": case_content.check,
    "stations": station_content.check,
    "exercises": exercise_content.check,
    "schemes": scheme_content.check,
}
LOADS: dict[str, Callable[..., dict[str, int]]] = {
    "laws": laws.load,
    "lessons": modules.load,
    "items": quizzes.load,
    "simulations": simulations.load,
    "cases": cases.load,
    "stations": stations.load,
    "exercises": exercises.load,
    "schemes": schemes.load,
}

HOLES = {Part.CASE: "cases", Part.SIMULATION: "simulations", Part.IN_PERSON: "lessons"}
"""Parts whose holes are named here, and the check that has to be clean before: a file that cannot
be read is no hole. Of the other parts, the checks of their own files say what is missing."""


@dataclass(slots=True)
class Checked:
    """What a check found: validated parts by name, and problems with file and line."""

    standard: standard_content.StandardSpec | None = None
    parts: dict[str, Any] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    coverage: Coverage | None = None
    days: timetable.TimetableSpec | None = None
    """The days every class begins with."""

    @property
    def counts(self) -> dict[str, int]:
        """How many of each part there are."""
        return {name: len(part) for name, part in self.parts.items()}


def check(folder: Path) -> Checked:
    """Check everything; all problems are found in one go, sorted by file and line."""
    found = Checked()
    try:
        found.standard, found.problems = standard_content.check(folder)
        found.problems = found.problems + directory_content.check(folder)
        found.problems += abbreviations.check(folder)[1]
        found.problems += notice.check(folder)[1]
        found.problems += evaluation_content.check(folder)[1]
        found.problems += glossary.check(folder)[1]
    except (Unreadable, OSError) as error:
        found.problems.append(_unreadable(error))
    if found.standard is None:
        return found
    broken: set[str] = set()
    for name, part in CHECKS.items():
        try:
            found.parts[name], problems = part(folder, found.standard)
        except (Unreadable, OSError) as error:
            problems = [_unreadable(error)]
        found.problems += problems
        broken |= {name} if problems else set()
    found.problems += _check_timetable(folder, found)
    found.coverage = coverages.measure(found.standard, found.parts)
    found.problems += _refused(folder, found.coverage, broken)
    found.problems.sort()
    return found


def _check_timetable(folder: Path, found: Checked) -> list[Problem]:
    guides = None
    if "lessons" in found.parts:
        specs = [text.spec for text in found.parts["lessons"]]
        guides = {s.code: timetable.Guide(s.in_person, s.jp, s.minutes) for s in specs}
    try:
        found.days, problems = timetable.check(folder, guides)
    except (Unreadable, OSError) as error:
        return [_unreadable(error)]
    return problems


def _refused(folder: Path, coverage: Coverage, broken: set[str]) -> Iterator[Problem]:
    """Yield what keeps a curriculum from being published: write it, or call it a draft."""
    heads = {}
    for path in folder.glob("*/curriculum.yaml"):
        try:
            source = read_yaml(path)
        except Unreadable:
            continue  # the check of the lessons says so
        if isinstance(source.data, dict):
            heads[source.data.get("code")] = source
    for hole in coverage.refused():
        if hole.part in HOLES and HOLES[hole.part] not in broken:
            message = f"{hole.message}: write it, or set `status: draft`"
            yield heads[hole.curriculum].problem(message, "code")


def _taught(
    parts: dict[str, Any], coverage: Coverage, standard: standard_content.StandardSpec
) -> dict[str, Any]:
    """Return the parts without what belongs to drafts only: nobody learns or plays it."""
    drafts = {t.code for t in coverage.tables if t.status is coverage_rules.Status.DRAFT}
    home = {k.code: k.curriculum for u in standard.units for e in u.elements for k in e.kuk}
    belongs: dict[str, Callable[[Any], set[str]]] = {
        "lessons": lambda text: {text.curriculum.code},
        "items": lambda item: {item.curriculum},
        "stations": lambda station: {station.curriculum},
        "exercises": lambda exercise: {exercise.curriculum},
        "cases": lambda case: set(case.gates),
        "simulations": lambda simulation: {home[kuk] for kuk in simulation.kuk},
    }
    return {
        name: [one for one in part if belongs[name](one) - drafts] if name in belongs else part
        for name, part in parts.items()
    }


def _unreadable(error: Exception) -> Problem:
    if isinstance(error, Unreadable):
        return error.problem
    return Problem(str(getattr(error, "filename", "content")), 1, str(error))


def load(folder: Path, *, now: datetime, force: bool = False) -> ContentRelease | None:
    """Load the content, all or nothing. Returns None when nothing changed since the last load.

    Call it in a unit of work. Raises BrokenContent.
    """
    digest = releases.digest_of(folder)
    if releases.is_loaded(digest) and not force:
        return None
    found = check(folder)
    if found.problems or found.standard is None or found.coverage is None:
        raise BrokenContent(found.problems)
    competency.load_standard(found.standard, now=now)
    parts = _taught(found.parts, found.coverage, found.standard)
    counts: dict[str, Any] = {
        name: {"total": len(parts[name]), **load_part(parts[name], now=now)}
        for name, load_part in LOADS.items()
    }
    modules.attach_material(exercises.by_lesson(parts["exercises"]))
    release = ContentRelease(
        digest=digest,
        loaded_at=now,
        counts=counts,
        coverage=coverage_rules.to_json(found.coverage),
    )
    db.session.add(release)
    db.session.flush()
    return release
