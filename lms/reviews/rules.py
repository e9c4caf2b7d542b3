"""What counts as reviewed, which text follows which, and when something may be undone. Pure."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from lms.core.errors import DomainError, NotFound

UNDO = timedelta(hours=24)
"""How long a reviewer may take a signature back."""
LONGEST_COMMENT = 2000
LONGEST_BASIS = 200
KEY_ROLES = frozenset({"reviewer", "trainer", "admin"})
"""Who may read the keys of items, model answers and stations."""
RESOLVERS = frozenset({"author", "trainer", "admin"})
"""Who may say that a comment was dealt with."""


class Expertise(StrEnum):
    """What a reviewer is an expert of."""

    PSYCHOLOGIST = "psychologist"
    DOCTOR = "doctor"
    LAWYER = "lawyer"
    SOCIAL_WORKER = "social_worker"
    CHILD = "child_protection"
    DISABILITY = "disability"
    TRAINER = "trainer"


class Kind(StrEnum):
    """What can be reviewed, in the order of a queue."""

    LESSON = "lesson"
    ITEM = "item"
    CASE = "case"
    SIMULATION = "simulation"
    STATION = "station"
    DRILL = "drill"
    ROLES = "roles"
    RECORD = "record"


SECRET = frozenset({Kind.ITEM, Kind.CASE, Kind.STATION})
"""Kinds that hold a key, a model answer or what an assessor looks for."""


class State(StrEnum):
    """What a list is narrowed to."""

    ALL = ""
    OPEN = "open"
    SIGNED = "signed"
    COMMENTED = "commented"


class Closed(NotFound):
    """The reader is still to be tested on this text; it opens when they have shown it."""


class NoExpertise(DomainError):
    """No administrator has written down what this reviewer is an expert of."""


class TextChanged(DomainError):
    """The text is no longer the one that was read."""


class AlreadySigned(DomainError):
    """The same person has signed this very text."""


class NothingToUndo(DomainError):
    """There is no signature of this person that may still be taken back."""


class NotTheirs(DomainError):
    """Only who answers for the texts, or who wrote the comment, may close it."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """What somebody may not read here now: whole kinds, and what they are being tested on."""

    kinds: frozenset[str] = frozenset()
    curricula: frozenset[str] = frozenset()
    """Curricula whose quiz they are sitting: its items."""
    cases: frozenset[str] = frozenset()
    simulations: frozenset[str] = frozenset()
    """Codes without the variant: a run may meet any of them."""
    stations: frozenset[str] = frozenset()
    """Curricula whose observation test is ahead of them."""

    def hides(self, kind: str, code: str, curriculum: str) -> bool:
        """Tell whether a text is closed to them."""
        return (
            kind in self.kinds
            or (kind == Kind.ITEM and curriculum in self.curricula)
            or (kind == Kind.CASE and code in self.cases)
            or (kind == Kind.SIMULATION and code.split("-")[0] in self.simulations)
            or (kind == Kind.STATION and curriculum in self.stations)
        )

    def refuses(self, kind: str, code: str, curriculum: str) -> bool:
        """Tell whether a text of a kind they may read is closed to them as a learner."""
        return kind not in self.kinds and self.hides(kind, code, curriculum)

    def __or__(self, other: "Sealed") -> "Sealed":
        """Close what either of two closes."""
        return Sealed(
            self.kinds | other.kinds,
            self.curricula | other.curricula,
            self.cases | other.cases,
            self.simulations | other.simulations,
            self.stations | other.stations,
        )

    @property
    def is_tested(self) -> bool:
        """Tell whether something is hidden because they are being tested on it."""
        return bool(self.curricula or self.cases or self.simulations or self.stations)


def kinds_closed_to(roles: Collection[str]) -> frozenset[str]:
    """Return the kinds whose keys none of these roles may see."""
    return frozenset(SECRET) if KEY_ROLES.isdisjoint(roles) else frozenset()


def is_reviewed(in_file: bool, signatures: int) -> bool:
    """Tell whether a text counts as reviewed: its file says so, or somebody signed it."""
    return in_file or signatures > 0


def may_undo(signed_at: datetime, now: datetime) -> bool:
    """Tell whether a signature may still be taken back."""
    return now - signed_at < UNDO


def may_resolve(roles: Collection[str], *, is_author: bool) -> bool:
    """Tell whether somebody may close a comment."""
    return is_author or not RESOLVERS.isdisjoint(roles)


def natural(code: str) -> tuple[tuple[int, str], ...]:
    """Return a key that puts K1.2 before K1.10."""
    return tuple(
        (int(part), "") if part.isdecimal() else (-1, part) for part in re.findall(r"\d+|\D+", code)
    )


def fits(state: State, *, reviewed: bool, comments: int) -> bool:
    """Tell whether a text belongs into a list narrowed to `state`."""
    return {
        State.ALL: True,
        State.OPEN: not reviewed,
        State.SIGNED: reviewed,
        State.COMMENTED: comments > 0,
    }[state]


def neighbours(order: Sequence[str], here: str, kept: Collection[str]) -> tuple[str, str]:
    """Return what stands before and after `here` among what is kept; empty at the ends.

    `here` itself need not be kept: who has just signed a text goes on to the next unsigned one.
    """
    place = order.index(here)
    before = next((one for one in reversed(order[:place]) if one in kept), "")
    after = next((one for one in order[place + 1 :] if one in kept), "")
    return before, after


def count_done(texts: Iterable[tuple[str, bool]]) -> Mapping[str, tuple[int, int]]:
    """Return kind to how many of its texts are reviewed, and how many there are."""
    found: dict[str, tuple[int, int]] = {}
    for kind, reviewed in texts:
        done, total = found.get(kind, (0, 0))
        found[kind] = done + reviewed, total + 1
    return found


class Step(StrEnum):
    """Where the adoption of a standard is."""

    DRAFT = "draft"
    ASKED = "asked"
    """One administrator wants it; another has to confirm."""
    ADOPTED = "adopted"


class AlreadyAsked(DomainError):
    """The adoption of this standard was asked for or done before."""


class NothingAsked(DomainError):
    """Nobody asks for the adoption of this standard now, or it was settled meanwhile."""


class SamePerson(DomainError):
    """Who asked for the adoption may not confirm it."""


class AlreadyUsed(DomainError):
    """A certificate names the adopted standard: it stays adopted."""
