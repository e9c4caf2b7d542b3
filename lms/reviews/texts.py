"""Everything that can be reviewed, from the features that own it, and what somebody may read."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from lms.core.login import Viewer
from lms.core.reviewing import Listed, Passage
from lms.modules import reviewing as lessons
from lms.practice.cases import reviewing as cases
from lms.practice.exercises import reviewing as exercises
from lms.practice.observations import reviewing as stations
from lms.practice.simulations import reviewing as simulations
from lms.quizzes import reviewing as items
from lms.reviews import rules
from lms.reviews.rules import Kind, Sealed


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where the texts of some kinds come from."""

    list_texts: Callable[[], list[Listed]]
    read_text: Callable[[Listed], tuple[Passage, ...]]


_EXERCISES = Shelf(exercises.list_texts, exercises.read_text)
SHELVES: dict[Kind, Shelf] = {
    Kind.LESSON: Shelf(lessons.list_texts, lessons.read_text),
    Kind.ITEM: Shelf(items.list_texts, items.read_text),
    Kind.CASE: Shelf(cases.list_texts, cases.read_text),
    Kind.SIMULATION: Shelf(simulations.list_texts, simulations.read_text),
    Kind.STATION: Shelf(stations.list_texts, stations.read_text),
    **dict.fromkeys((Kind.DRILL, Kind.ROLES, Kind.RECORD), _EXERCISES),
}
"""Kind to what owns such texts, in the order of a queue."""


def list_texts() -> list[Listed]:
    """Return every text in use, by kind and in the order of its feature. A query or two a kind."""
    return [text for shelf in dict.fromkeys(SHELVES.values()) for text in shelf.list_texts()]


def in_order(texts: Iterable[Listed]) -> list[Listed]:
    """Return texts by curriculum, then kind, then code: the order in which people go through."""
    kinds = list(Kind)
    return sorted(
        texts,
        key=lambda one: (one.curriculum, kinds.index(Kind(one.kind)), rules.natural(one.code)),
    )


def read_text(listed: Listed) -> tuple[Passage, ...]:
    """Return the whole of one text. Raises NotFound."""
    return SHELVES[Kind(listed.kind)].read_text(listed)


def sealed_for(viewer: Viewer) -> Sealed:
    """Return what is closed to somebody: keys, and what they are being tested on right now.

    No query for people who are not trainees, else three.
    """
    kinds = rules.kinds_closed_to(viewer.roles)
    if "trainee" not in viewer.roles:
        return Sealed(kinds)
    return Sealed(
        kinds,
        items.list_sitting(viewer.id),
        cases.list_writing(viewer.id),
        simulations.list_playing(viewer.id),
    )
