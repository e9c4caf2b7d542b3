"""Checks and loads everything in `content/`: the one place that knows each feature's files."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from lms.cohorts import abbreviations
from lms.competency import content as standard_content
from lms.competency import services as competency
from lms.core import releases
from lms.core.content import Problem, Unreadable, digest_of
from lms.core.db import db
from lms.core.errors import DomainError
from lms.core.models import ContentRelease
from lms.credentials import content as scheme_content
from lms.credentials import schemes
from lms.evaluations import content as evaluation_content
from lms.modules import content as lesson_content
from lms.modules import services as modules
from lms.pages import directory
from lms.practice.cases import content as case_content
from lms.practice.cases import services as cases
from lms.practice.observations import content as station_content
from lms.practice.observations import texts as stations
from lms.practice.simulations import content as simulation_content
from lms.practice.simulations import services as simulations
from lms.privacy import notice
from lms.quizzes import content as item_content
from lms.quizzes import services as quizzes

Check = Callable[[Path, standard_content.StandardSpec], tuple[Any, list[Problem]]]

CHECKS: dict[str, Check] = {
    "lessons": lesson_content.check,
    "items": item_content.check,
    "simulations": simulation_content.check,
    "cases": case_content.check,
    "stations": station_content.check,
    "schemes": scheme_content.check,
}
LOADS: dict[str, Callable[..., dict[str, int]]] = {
    "lessons": modules.load,
    "items": quizzes.load,
    "simulations": simulations.load,
    "cases": cases.load,
    "stations": stations.load,
    "schemes": schemes.load,
}


class BrokenContent(DomainError):
    """The content has problems; nothing was loaded."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(f"{len(problems)} problems")
        self.problems = problems


@dataclass(slots=True)
class Checked:
    """What a check found: validated parts by name, and problems with file and line."""

    standard: standard_content.StandardSpec | None = None
    parts: dict[str, Any] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    @property
    def counts(self) -> dict[str, int]:
        """How many of each part there are."""
        return {name: len(part) for name, part in self.parts.items()}


def files_of(folder: Path) -> list[Path]:
    """Return every content file in a fixed order."""
    return sorted(p for p in folder.rglob("*") if p.suffix in {".yaml", ".md"})


def check(folder: Path) -> Checked:
    """Check everything; all problems are found in one go, sorted by file and line."""
    found = Checked()
    try:
        found.standard, found.problems = standard_content.check(folder)
        found.problems = found.problems + directory.check(folder)[1]
        found.problems += abbreviations.check(folder)[1]
        found.problems += notice.check(folder)[1]
        found.problems += evaluation_content.check(folder)[1]
    except (Unreadable, OSError) as error:
        found.problems.append(_unreadable(error))
    if found.standard is None:
        return found
    for name, part in CHECKS.items():
        try:
            found.parts[name], problems = part(folder, found.standard)
        except (Unreadable, OSError) as error:
            problems = [_unreadable(error)]
        found.problems += problems
    found.problems.sort()
    return found


def _unreadable(error: Exception) -> Problem:
    if isinstance(error, Unreadable):
        return error.problem
    return Problem(str(getattr(error, "filename", "content")), 1, str(error))


def load(folder: Path, *, now: datetime, force: bool = False) -> ContentRelease | None:
    """Load the content, all or nothing. Returns None when nothing changed since the last load.

    Call it in a unit of work. Raises BrokenContent.
    """
    digest = digest_of(files_of(folder), folder)
    last = releases.latest()
    if last is not None and last.digest == digest and not force:
        return None
    found = check(folder)
    if found.problems or found.standard is None:
        raise BrokenContent(found.problems)
    competency.load_standard(found.standard, now=now)
    counts: dict[str, Any] = {
        name: {"total": found.counts[name], **load_part(found.parts[name], now=now)}
        for name, load_part in LOADS.items()
    }
    release = ContentRelease(digest=digest, loaded_at=now, counts=counts)
    db.session.add(release)
    db.session.flush()
    return release
