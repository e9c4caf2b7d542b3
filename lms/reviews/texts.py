"""Everything that can be reviewed, from the features that own it, and what somebody may read."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from lms.cohorts import seats
from lms.competency import rules as verdicts
from lms.competency import services as competency
from lms.competency.rules import TRAINER_CURRICULUM, EvidenceKind, Ledger
from lms.core.login import Viewer
from lms.core.reviewing import Listed, Passage
from lms.modules import reviewing as lessons
from lms.practice.cases import reviewing as cases
from lms.practice.exercises import reviewing as exercises
from lms.practice.observations import reviewing as stations
from lms.practice.simulations import reviewing as simulations
from lms.practice.simulations.standing import is_shown
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


def sealed_for(viewer: Viewer, *, now: datetime) -> Sealed:
    """Return what is closed to somebody: keys, and what they are or will be tested on.

    No query for people who are not trainees, four for those without a seat in a class, else six.
    """
    kinds = rules.kinds_closed_to(viewer.roles)
    if "trainee" not in viewer.roles:
        return Sealed(kinds)
    running = Sealed(
        kinds,
        items.list_sitting(viewer.id),
        cases.list_writing(viewer.id),
        simulations.list_playing(viewer.id),
    )
    learning = seats.curricula_of(viewer.id)
    return running | _ahead(viewer.id, learning, now) if learning else running


def _ahead(person_id: int, learning: Collection[str], now: datetime) -> Sealed:
    """Return what somebody with a seat in a class is still to show; keys would show it for them."""
    found = competency.current()
    standard = found.standard
    rows = competency.rows_of_one(person_id, found)
    ledger = Ledger(standard, rows, now)
    every = {code for code in standard.curricula if code != TRAINER_CURRICULUM}
    taught = (set(learning) - {""}) | (every if "" in learning else set())
    own = [kuk for code in taught for kuk in standard.of(code)]
    return Sealed(
        curricula=frozenset(
            code for code in taught if verdicts.quiz_scope(standard, code, rows, now)
        ),
        cases=frozenset(
            case.code
            for case in standard.cases.values()
            if taught.intersection(case.gates) and not ledger.case_met(case)
        ),
        simulations=frozenset(
            simulation
            for kuk in own
            if EvidenceKind.SIM in kuk.ev
            for simulation in standard.listing(kuk.code)
            if not is_shown(ledger, kuk.code, simulation)
        ),
        stations=frozenset(
            kuk.curriculum
            for kuk in own
            if EvidenceKind.OBS in kuk.ev and not ledger.verdict(kuk).reached
        ),
    )
