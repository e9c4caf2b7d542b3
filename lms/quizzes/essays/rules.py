"""When a written answer counts. Pure: no Flask, database or clock."""

from lms.core.errors import DomainError
from lms.quizzes.rules import HIGHEST
from lms.ratings import rules as ratings

LEVELS = (0, 1, HIGHEST)
LONGEST_NOTE = 2000


class NoLevel(DomainError):
    """A mark is 0, 1 or 2."""


class NoNote(DomainError):
    """Below the highest level people have to be told what is missing."""


def check_mark(level: int, note: str) -> None:
    """Raise NoLevel or NoNote where a mark cannot be given as it is."""
    if level not in LEVELS:
        raise NoLevel(str(level))
    if level < HIGHEST and not note.strip():
        raise NoNote(str(level))


def passes(level: int, *, critical: bool) -> bool:
    """Tell whether a level passes: a critical criterion asks for the highest, others for 1."""
    return ratings.passes(level, critical=critical)
