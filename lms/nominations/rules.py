"""Who gets a seat of a class, who waits, in which order, and whether the log kept to it. Pure."""

from bisect import insort
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from lms.core.errors import DomainError

POLICE = frozenset({"polsek", "polres"})
"""Kinds that answer for one another: a class with one of them is not without police."""
SHORTEST_OFFER, LONGEST_OFFER = 12, 72
"""Hours somebody has to answer. The longest is the life of an invitation."""


class BadPlan(DomainError):
    """Quotas or seats that cannot be.

    `problem` is `sum`, `capacity`, `quota` or `beyond`; `count` is the number that does not fit.
    """

    def __init__(self, problem: str, kind: str = "", count: int = 0) -> None:
        super().__init__(problem)
        self.problem, self.kind, self.count = problem, kind, count


class Phase(StrEnum):
    """How seats are given away at a moment."""

    QUOTA = "quota"
    """Up to the deadline: each kind of agency from its own quota."""
    POOL = "pool"
    """After the deadline: every seat that is left, to the waiting list."""
    CLOSED = "closed"
    """The class has begun: nobody is nominated or promoted any more."""


class Course(StrEnum):
    """Where a class is on its way."""

    COMING = "coming"
    RUNNING = "running"
    OVER = "over"


class State(StrEnum):
    """What has become of a nomination."""

    WAITING = "waiting"
    OFFERED = "offered"
    CONFIRMED = "confirmed"
    """Never stored: the invitation was accepted and the seat is there."""
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


LIVE = (State.WAITING, State.OFFERED)
"""Stored states of which one person has at most one in a class."""


class Step(StrEnum):
    """What happened to a nomination."""

    NOMINATED = "nominated"
    OFFERED = "offered"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


class Why(StrEnum):
    """By which part of the rule a seat was offered, or why the waiting ended."""

    QUOTA = "quota"
    BALANCE = "balance"
    BELOW = "below"
    ORDER = "order"
    HAND = "hand"
    """A trainer chose, and wrote why."""
    SEATED = "seated"
    """The person got a seat or an invitation another way."""
    STARTED = "started"
    """The class began."""


@dataclass(frozen=True, slots=True, order=True)
class Waiting:
    """Somebody on the waiting list; they stand in the order of time, then of id."""

    at: datetime
    id: int
    kind: str = field(compare=False)


@dataclass(frozen=True, slots=True)
class Hall:
    """The seats of a class at one moment, by kind of agency."""

    phase: Phase
    capacity: int
    quotas: Mapping[str, int]
    """Kinds without an entry have no quota."""
    held: Mapping[str, int]
    """Seats that are confirmed, or offered and not yet answered."""

    @property
    def free(self) -> int:
        """Seats nobody holds."""
        return max(0, self.capacity - sum(self.held.values()))

    @property
    def loose(self) -> int:
        """Free seats that belong to no quota."""
        return max(0, self.capacity - sum(self.quotas.values()) - self.beyond)

    @property
    def beyond(self) -> int:
        """Seats held beyond the quota of their kind, or by kinds without one."""
        return sum(max(0, count - self.quotas.get(kind, 0)) for kind, count in self.held.items())

    def left(self, kind: str) -> int:
        """Seats of this kind's quota that nobody holds."""
        return max(0, self.quotas.get(kind, 0) - self.held.get(kind, 0))

    def room(self, kind: str) -> int:
        """Seats that somebody of this kind could be given now, by an invitation or by hand."""
        if self.phase is not Phase.QUOTA:
            return self.free
        return min(self.free, self.left(kind) if kind in self.quotas else self.loose)

    def with_one_more(self, kind: str) -> "Hall":
        """Return the hall after one more seat went to this kind."""
        return replace(self, held={**self.held, kind: self.held.get(kind, 0) + 1})


@dataclass(frozen=True, slots=True)
class Promotion:
    """A seat for somebody who waited: by which part of the rule, and how the hall stood."""

    id: int
    kind: str
    why: Why
    hall: Hall


def phase(now: datetime, *, nominate_until: datetime, starts_at: datetime) -> Phase:
    """Return how seats are given away at `now`."""
    if now >= starts_at:
        return Phase.CLOSED
    return Phase.POOL if now >= nominate_until else Phase.QUOTA


def course(now: datetime, *, starts_at: datetime, ends_at: datetime) -> Course:
    """Return where a class is on its way; `ends_at` is the first moment after it."""
    if now < starts_at:
        return Course.COMING
    return Course.RUNNING if now < ends_at else Course.OVER


def check_plan(hall: Hall) -> None:
    """Let capacity and quotas pass or raise BadPlan.

    Quotas are parts of the capacity. What people hold is not taken from them: a capacity is never
    below what is held, and up to the deadline neither is a quota, nor is a seat promised twice.
    """
    total = sum(hall.quotas.values())
    if total > hall.capacity:
        raise BadPlan("sum", count=total)
    held = sum(hall.held.values())
    if held > hall.capacity:
        raise BadPlan("capacity", count=held)
    for kind, seats in hall.quotas.items():
        if hall.phase is Phase.QUOTA and hall.held.get(kind, 0) > seats:
            raise BadPlan("quota", kind, hall.held[kind])
    if hall.phase is Phase.QUOTA and total + hall.beyond > hall.capacity:
        raise BadPlan("beyond", count=hall.beyond)


class Line:
    """The waiting list, kept by kind: within a kind only the first can be next."""

    def __init__(self, waiting: Iterable[Waiting] = ()) -> None:
        self._kinds: dict[str, list[Waiting]] = {}
        for one in sorted(waiting):
            self._kinds.setdefault(one.kind, []).append(one)

    def add(self, one: Waiting) -> None:
        """Let somebody join at their place."""
        insort(self._kinds.setdefault(one.kind, []), one)

    def remove(self, one: Waiting) -> None:
        """Let somebody leave; who is not there stays away."""
        queue = self._kinds.get(one.kind, [])
        if one in queue:
            queue.remove(one)

    def heads(self) -> list[Waiting]:
        """Return the first of each kind."""
        return [queue[0] for queue in self._kinds.values() if queue]


def next_offer(line: Line, hall: Hall) -> Promotion | None:
    """Return who gets the next free seat and why, or None.

    Up to the deadline each kind has its own queue and its own quota: the first one in line whose
    kind has a seat left gets it. Kinds without a quota wait.

    After the deadline all free seats, of whatever kind they were, are one pool. Each goes to the
    first in line
    1. of a kind that has nobody in the class yet, so that no kind is missing (balance),
    2. else of a kind that is still below its quota,
    3. else of all.
    "In line" is the order of nomination: the moment, and at the same moment the number. A kind has
    somebody as soon as one person of it is confirmed or holds an offer; when that offer lapses the
    kind comes first again. Once the class has begun no seat is given away.
    """
    if hall.phase is Phase.CLOSED or not hall.free:
        return None
    found: list[tuple[int, Waiting, Why]] = []
    for head in line.heads():
        if hall.phase is Phase.QUOTA:
            if hall.left(head.kind):
                found.append((0, head, Why.QUOTA))
        elif not hall.held.get(head.kind):
            found.append((0, head, Why.BALANCE))
        elif hall.left(head.kind):
            found.append((1, head, Why.BELOW))
        else:
            found.append((2, head, Why.ORDER))
    if not found:
        return None
    _tier, head, why = min(found)
    return Promotion(head.id, head.kind, why, hall)


def promotions(waiting: Iterable[Waiting], hall: Hall) -> list[Promotion]:
    """Return everybody who gets a seat now, in the order they get it; see `next_offer`."""
    people = {one.id: one for one in waiting}
    line, found = Line(people.values()), list[Promotion]()
    while promotion := next_offer(line, hall):
        found.append(promotion)
        line.remove(people[promotion.id])
        hall = hall.with_one_more(promotion.kind)
    return found


@dataclass(frozen=True, slots=True)
class Offer:
    """What the invitation behind an offer says; `seated` is whether its person has the seat."""

    expires_at: datetime
    accepted_at: datetime | None
    withdrawn_at: datetime | None
    seated: bool


def state_of(stored: State, offer: Offer | None) -> State:
    """Return what has become of a nomination: the stored state, or what its invitation says.

    Confirmed is who accepted and has the seat; who gave the seat up is withdrawn. An invitation
    that was closed after its time had lapsed.
    """
    if stored is not State.OFFERED or offer is None:
        return stored
    if offer.accepted_at is not None:
        return State.CONFIRMED if offer.seated else State.WITHDRAWN
    if offer.withdrawn_at is not None:
        return State.EXPIRED if offer.withdrawn_at >= offer.expires_at else State.WITHDRAWN
    return State.OFFERED


def absent(quotas: Iterable[str], confirmed: Iterable[str]) -> list[str]:
    """Return the kinds that have a quota and nobody confirmed; both kinds of police as `police`.

    One kind of police is enough for the class to have police.
    """
    present = set(confirmed)
    missing = [kind for kind in quotas if kind not in present]
    police = [kind for kind in missing if kind in POLICE]
    if not police:
        return missing
    others = [kind for kind in missing if kind not in POLICE]
    return others if present & POLICE else ["police", *others]


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the log; `hall` is how it stood when a seat was offered."""

    person: Waiting
    step: Step
    why: Why | None = None
    hall: Hall | None = None


def departures(entries: Sequence[Entry]) -> list[int]:
    """Return the places in the log, from 0, where a seat was not offered by the rule.

    The waiting list is built again from the log alone; each offer must be the one `next_offer`
    makes. An offer by hand may pass others, but there must have been room.
    """
    line, found = Line(), list[int]()
    for place, entry in enumerate(entries):
        if entry.step is Step.NOMINATED:
            line.add(entry.person)
            continue
        if entry.step is Step.OFFERED and not _fits(line, entry):
            found.append(place)
        line.remove(entry.person)
    return found


def _fits(line: Line, entry: Entry) -> bool:
    if entry.hall is None:
        return False
    if entry.why is Why.HAND:
        return entry.hall.room(entry.person.kind) > 0
    wanted = next_offer(line, entry.hall)
    return wanted is not None and (wanted.id, wanted.why) == (entry.person.id, entry.why)
