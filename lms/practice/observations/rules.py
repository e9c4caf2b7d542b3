"""What may be observed next at a station, and how far somebody is there. Pure.

Source: decision rules 2 (a repeat station replaces the mark it names), 3 (a harmful act fails the
whole station) and 7 (once more on the same day, after feedback; later in a new round).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

SAFE_ALONE = 2
GUIDED = 1


class Stage(StrEnum):
    """How far one person is at one station."""

    OPEN = "open"
    """Nothing counts yet."""
    BEGUN = "begun"
    """Some criteria were seen, none is open again."""
    REPEAT = "repeat"
    """Something is not reached: the other story may be played now, after feedback."""
    LATER = "later"
    """Both stories were played today: a new round opens on another day."""
    COACHING = "coaching"
    """Three tries: a trainer's guidance opens the next one."""
    PASSED = "passed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Station:
    """What the rules need to know of a station."""

    code: str
    kuk: tuple[str, ...]
    critical: frozenset[str]
    variants: tuple[str, ...]
    """Two stories; the first is played first."""

    def other(self, variant: str) -> str:
        """Return the other story."""
        return next(each for each in self.variants if each != variant)

    def is_safe(self, kuk: str, mark: int) -> bool:
        """Tell whether a mark is enough: alone for a critical criterion, else with guidance."""
        return mark >= (SAFE_ALONE if kuk in self.critical else GUIDED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One row of evidence about one criterion at a station."""

    id: int
    kuk: str
    round: str
    variant: str
    mark: int
    harmful: bool
    at: datetime
    on: date
    """The day by the clock of the class."""
    live: bool
    """Whether it counts: not voided, not too old, its criterion unchanged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Try:
    """One time somebody played one story: the rows of one round and variant."""

    round: str
    variant: str
    at: datetime
    on: date
    taken: frozenset[str]
    """Criteria with a row, voided or not: none of them is marked twice in one try."""
    fails: bool
    stopped: bool
    """Whether a harmful act ended it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """What may be marked now: which criteria, in which round and story."""

    round: str | None
    """None: a round without rows of this station, a new one if need be."""
    variant: str
    kuk: tuple[str, ...]
    repeat: bool = False
    """Whether it comes after feedback on an earlier try."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How far one person is at one station, and what may be marked now."""

    stage: Stage
    passed: frozenset[str]
    failed: frozenset[str]
    slots: tuple[Slot, ...] = ()
    running: Try | None = None
    """Today's try, while a harmful act may still end it."""

    @property
    def is_begun(self) -> bool:
        """Tell whether anything was noted that counts."""
        return bool(self.passed or self.failed)

    @property
    def seen(self) -> int:
        """Return how many criteria have a mark that counts."""
        return len(self.passed | self.failed)

    def slot(self, variant: str, kuk: str) -> Slot | None:
        """Return the slot in which this criterion may be marked with this story, or None."""
        return next((s for s in self.slots if s.variant == variant and kuk in s.kuk), None)

    @property
    def variant(self) -> str | None:
        """Return the story to be played next, or None when there is nothing to mark."""
        return self.slots[-1].variant if self.slots else None


class Fault(StrEnum):
    """Why a row of the screen cannot be saved as it is."""

    NOTE = "note"
    """A mark below 2 on a critical criterion, or a harmful act, needs a note."""
    EMPTY = "empty"
    """There is a note but neither a mark nor an act."""


def fault(station: Station, kuk: str, mark: int | None, note: str, act: str) -> Fault | None:
    """Return what is missing in one row, or None. An empty row is not at fault: not seen."""
    if mark is None and not act:
        return Fault.EMPTY if note else None
    guided = mark is not None and kuk in station.critical and not station.is_safe(kuk, mark)
    return Fault.NOTE if (guided or act) and not note else None


def tries(station: Station, rows: Iterable[Seen]) -> list[Try]:
    """Return the tries that count, oldest first. One whose rows are all dead never was."""
    grouped: dict[tuple[str, str], list[Seen]] = {}
    for row in rows:
        grouped.setdefault((row.round, row.variant), []).append(row)
    counting = [group for group in grouped.values() if any(row.live for row in group)]
    counting.sort(key=lambda group: max((row.at, row.id) for row in group))
    return [_try(station, group) for group in counting]


def _try(station: Station, rows: Sequence[Seen]) -> Try:
    last = max(rows, key=lambda row: (row.at, row.id))
    live = [row for row in rows if row.live]
    return Try(
        round=last.round,
        variant=last.variant,
        at=last.at,
        on=last.on,
        taken=frozenset(row.kuk for row in rows),
        fails=any(row.harmful or not station.is_safe(row.kuk, row.mark) for row in live),
        stopped=any(row.harmful for row in live),
    )


def effective(rows: Iterable[Seen], round: str, kuk: str) -> Seen | None:
    """Return the row of a round that says most recently how safe this criterion was, or None."""
    there = [row for row in rows if row.round == round and row.kuk == kuk and row.live]
    return max(there, key=lambda row: (row.at, row.id), default=None)


def standing(
    station: Station,
    rows: Sequence[Seen],
    *,
    passed: frozenset[str],
    failed: frozenset[str],
    today: date,
    needs_coaching: bool,
) -> Standing:
    """Say how far somebody is and what may be marked. `passed`, `failed`: the ledger's verdicts.

    What is passed is not put at risk again: only criteria that are open may be marked.
    """
    done = tries(station, rows)
    last = done[-1] if done else None
    wanted = tuple(kuk for kuk in station.kuk if kuk not in passed)
    slots: list[Slot] = []
    if wanted and last is None:
        slots.append(Slot(round=None, variant=station.variants[0], kuk=wanted))
    elif wanted and last is not None:
        left = tuple(kuk for kuk in wanted if kuk not in last.taken)
        if left and (last.on >= today or not failed):
            slots.append(Slot(round=last.round, variant=last.variant, kuk=left))
        again = None
        if failed and not needs_coaching and (last.fails or not slots):
            again = _again(station, last, rows, wanted, today)
        elif not failed and not slots:
            again = Slot(round=None, variant=station.other(last.variant), kuk=wanted)
        slots += [again] if again else []
    return Standing(
        stage=_stage(station, slots, passed, failed, needs_coaching),
        passed=passed,
        failed=failed,
        slots=tuple(slots),
        running=last if last and last.on >= today and not last.stopped else None,
    )


def _again(
    station: Station, last: Try, rows: Iterable[Seen], wanted: tuple[str, ...], today: date
) -> Slot | None:
    """Return the repeat: in the same round today, in a new round on a later day."""
    variant = station.other(last.variant)
    there = [row for row in rows if row.round == last.round and row.variant == variant]
    if last.on < today:
        place = None
    elif any(row.live for row in there):
        return None
    else:
        place = None if there else last.round
    return Slot(round=place, variant=variant, kuk=wanted, repeat=True)


def _stage(
    station: Station,
    slots: Sequence[Slot],
    passed: frozenset[str],
    failed: frozenset[str],
    needs_coaching: bool,
) -> Stage:
    if not failed:
        if station.critical <= passed and passed:
            return Stage.PASSED
        return Stage.BEGUN if passed else Stage.OPEN
    if any(slot.repeat for slot in slots):
        return Stage.REPEAT
    if slots:
        return Stage.BEGUN
    return Stage.COACHING if needs_coaching else Stage.LATER
