"""Who needs a word and why; how sure a share is; what to prepare; weeks of a way. Pure."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from math import sqrt

from lms.core.figures import LEAST, Shown, hide_small, mean_of, t_quantile

__all__ = ["LEAST", "Shown", "hide_small", "t_quantile"]
"""Figures that stand in core, under the names reports know them by."""

QUIET = timedelta(days=7)
"""Without any activity for this long, somebody should say hello."""
SURE = 1.96
"""Standard errors either side of a 95 % interval."""


class FactKind(StrEnum):
    """What is known about a person beside the evidence."""

    SEEN = "seen"
    TRY = "try"
    COACHED = "coached"
    WAITS_FOR_MARK = "waits"
    TALK = "talk"
    HELD = "held"
    """Has a certificate whose time is not over, also a revoked one; the source is its scheme."""
    APPEALED = "appealed"
    """An open appeal about this criterion."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One such fact: what, about which curriculum, case or lesson, when."""

    kind: FactKind
    source: str
    at: datetime


class Reason(StrEnum):
    """Why somebody may be stuck, the most pressing first."""

    TRIES_USED = "tries_used"
    TALK = "talk"
    WAITS_FOR_MARK = "waits"
    OBSERVE = "observe"
    ATTEMPT_WAITS = "attempt_waits"
    QUIET = "quiet"


@dataclass(frozen=True, slots=True)
class Stuck:
    """One reason, about what, and since or until when."""

    reason: Reason
    source: str
    at: datetime


def is_certified(
    held: Collection[str], taught: Collection[str], covers: Mapping[str, Iterable[str]]
) -> bool:
    """Tell whether somebody holds what their class leads to: `held` schemes cover all `taught`.

    In a class that names no curricula any certificate does.
    """
    covered = {curriculum for scheme in held for curriculum in covers.get(scheme, ())}
    return covered.issuperset(taught) if taught else bool(held)


def stuck(
    facts: Iterable[Fact],
    *,
    joined_at: datetime,
    now: datetime,
    done: bool,
    open_quizzes: frozenset[str],
    unobserved: bool,
    wait: timedelta,
    tries_before_coaching: int,
) -> list[Stuck]:
    """Return why a person may be stuck, the most pressing first; empty when nothing is.

    `open_quizzes` are curricula whose quiz is not passed; `unobserved` means the class is over and
    no station was marked; `done` means what the class leads to is certified.
    """
    if done:
        return []
    facts = list(facts)
    found = [
        Stuck(Reason(fact.kind.value), fact.source, fact.at)
        for fact in facts
        if fact.kind is FactKind.WAITS_FOR_MARK
        or (fact.kind is FactKind.TALK and not _answered(facts, fact))
    ]
    if unobserved:
        found.append(Stuck(Reason.OBSERVE, "", joined_at))
    for source in sorted(open_quizzes):
        found += _quiz(facts, source, now, wait, tries_before_coaching)
    last = max((fact.at for fact in facts if fact.kind is FactKind.SEEN), default=joined_at)
    if not found and now - last >= QUIET:
        found.append(Stuck(Reason.QUIET, "", last))
    order = list(Reason)
    return sorted(found, key=lambda one: (order.index(one.reason), one.source))


def _answered(facts: Sequence[Fact], wish: Fact) -> bool:
    """Tell whether a trainer spoke with the person after they asked to."""
    return any(
        f.kind is FactKind.COACHED and f.source == wish.source and f.at > wish.at for f in facts
    )


def _quiz(
    facts: Sequence[Fact], source: str, now: datetime, wait: timedelta, limit: int
) -> list[Stuck]:
    tries = [f.at for f in facts if f.kind is FactKind.TRY and f.source == source]
    coached = [f.at for f in facts if f.kind is FactKind.COACHED and f.source == source]
    if not tries:
        return []
    since = max(coached, default=None)
    if sum(since is None or at > since for at in tries) >= limit:
        return [Stuck(Reason.TRIES_USED, source, max(tries))]
    opens = max(tries) + wait
    return [Stuck(Reason.ATTEMPT_WAITS, source, opens)] if now < opens else []


def wilson(part: int, whole: int) -> tuple[float, float]:
    """Return the 95 % interval of a share, both in percent 0-100; the whole scale for nobody.

    Source: E. B. Wilson, 1927.
    """
    if whole == 0:
        return 0.0, 100.0
    share, square = part / whole, SURE**2
    middle = (share + square / (2 * whole)) / (1 + square / whole)
    half = SURE * sqrt(share * (1 - share) / whole + square / (4 * whole**2))
    half /= 1 + square / whole
    return max(0.0, 100 * (middle - half)), min(100.0, 100 * (middle + half))


CALM = len(Reason)
"""The rank of somebody whom nothing holds up."""


def pressing(found: Sequence[Stuck]) -> int:
    """Return the rank of the first reason; 0 presses most, CALM not at all."""
    return pressing_rank(found[0].reason) if found else CALM


def pressing_rank(reason: Reason) -> int:
    """Return the rank of one reason."""
    return list(Reason).index(reason)


COUNTED_EVERY = timedelta(seconds=20)
"""How long the figures of a class may stand, at least."""
PER_PERSON = timedelta(seconds=0.1)
"""Counting a person takes about a millisecond: so it takes a hundredth of one core, at most."""
OVER = timedelta(days=60)
"""So long after its last day hardly anything happens in a class."""


def is_due(counted_at: datetime | None, people: int, ends_on: date, now: datetime) -> bool:
    """Tell whether a class has to be counted again."""
    if counted_at is None:
        return True
    if now.date() - ends_on > OVER:
        return now - counted_at >= timedelta(days=1)
    return now - counted_at >= max(COUNTED_EVERY, people * PER_PERSON)


@dataclass(frozen=True, slots=True)
class Wrong:
    """How many people answered a criterion not rightly, of those who answered."""

    kuk: str
    wrong: int
    people: int
    critical: bool

    @property
    def weight(self) -> float:
        """The share that is wrong; a critical criterion counts half as much again."""
        return self.wrong / self.people * (1.5 if self.critical else 1.0)


FEWEST_ANSWERS = 5
"""Below that a theme would speak of single people."""
FEWEST_CHOICES = 3
"""As many people must have chosen a wrong answer before it is shown."""
MOST_THEMES = 3
MOST_MINUTES = 45
STEPS = ((0.75, 20), (0.5, 15), (0.25, 10))
"""From which weight on how many minutes are worth while."""


def plan(found: Iterable[Wrong]) -> list[tuple[Wrong, int]]:
    """Return what to prepare for a workshop and for how many minutes, the heaviest first.

    At most three themes and 45 minutes in all.
    """
    asked = sorted(
        (one for one in found if one.people >= FEWEST_ANSWERS),
        key=lambda one: (-one.weight, not one.critical, one.kuk),
    )
    chosen: list[tuple[Wrong, int]] = []
    left = MOST_MINUTES
    for one in asked[:MOST_THEMES]:
        wanted = next((minutes for least, minutes in STEPS if one.weight >= least), 0)
        minutes = max((m for _least, m in STEPS if m <= min(wanted, left)), default=0)
        if minutes:
            chosen.append((one, minutes))
            left -= minutes
    return chosen


@dataclass(frozen=True, slots=True)
class Week:
    """What happened in the week that begins on `monday`, by kind."""

    monday: date
    counts: Mapping[str, int]

    @property
    def total(self) -> int:
        """How much happened in all."""
        return sum(self.counts.values())


FEWEST_WEEKS = 12
MOST_WEEKS = 26
"""Half a year fits on a telephone."""


def weeks(events: Iterable[tuple[str, date]], last: date) -> list[Week]:
    """Return the weeks from the first event to `last`, the empty ones too.

    At least twelve, so that a short way looks short; at most half a year.
    """
    found: dict[date, Counter[str]] = {}
    for kind, day in events:
        found.setdefault(_monday(day), Counter())[kind] += 1
    end = max([_monday(last), *found])
    count = (end - min(found, default=end)).days // 7 + 1
    mondays = [end - timedelta(weeks=n) for n in range(max(FEWEST_WEEKS, min(count, MOST_WEEKS)))]
    return [Week(monday, found.get(monday, Counter())) for monday in reversed(mondays)]


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


AGAIN_AFTER = timedelta(hours=24)
"""One message a person and class in this time, unless the writer insists."""


@dataclass(frozen=True, slots=True)
class Gain:
    """The mean of paired differences with its 95 % interval; no interval below two pairs."""

    pairs: int
    mean: float
    low: float | None
    high: float | None

    @property
    def is_small(self) -> bool:
        """Tell whether the interval rests on few people."""
        return self.pairs < FEW_PAIRS


FEW_PAIRS = 30


def paired_gain(pairs: Iterable[tuple[int | None, int]]) -> Gain | None:
    """Return how much people reached more than before; None where nobody has a "before".

    Source: Student's paired t interval.
    """
    differences = [after - before for before, after in pairs if before is not None]
    if not differences:
        return None
    found = mean_of(differences)
    return Gain(found.count, found.mean, found.low, found.high)


def parts_shown(counts: Sequence[int]) -> tuple[int | None, ...]:
    """Return the parts of a whole whose size is known as a report may show them; None is hidden.

    Where all parts are small even the empty ones are hidden: who knows the whole could work out
    the others, five parts of five people for example.
    """
    shown = hide_small(counts)
    return (None,) * len(counts) if shown.total is None else shown.cells


@dataclass(frozen=True, slots=True)
class Tally:
    """How often somebody was noted as what, and the training hours of the half days that count."""

    present: int = 0
    late: int = 0
    partial: int = 0
    made_up: int = 0
    absent: int = 0
    unknown: int = 0
    """Half days nobody noted."""
    jp: int = 0

    @property
    def counted(self) -> int:
        """How many half days count as attended."""
        return self.present + self.late + self.made_up

    @property
    def halves(self) -> int:
        """How many half days the class has."""
        return self.counted + self.partial + self.absent + self.unknown


def tally(hours: Mapping[tuple[int, str], int], noted: Mapping[tuple[int, str], str]) -> Tally:
    """Count one person's half days. `hours` are the JP of each half day of the class.

    A half day gives its JP when it was attended, late or made up elsewhere; a part gives none until
    it is made up. What was noted for a half day that is no longer in the timetable is left out.
    """
    words = [noted.get(half, "") for half in hours]
    return Tally(
        present=words.count("present"),
        late=words.count("late"),
        partial=words.count("partial"),
        made_up=words.count("made_up"),
        absent=words.count("absent"),
        unknown=len(words) - sum(words.count(word) for word in NOTED),
        jp=sum(jp for half, jp in hours.items() if noted.get(half, "") in COUNTED),
    )


COUNTED = frozenset({"present", "late", "made_up"})
"""Marks of attendance that count. Source: decision rules 1, HDR."""
NOTED = COUNTED | {"partial", "absent"}
