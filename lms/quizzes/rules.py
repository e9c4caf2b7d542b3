"""Which items a sitting draws and what its answers are worth. Pure: no Flask, database or clock.

Source: content/standard.yaml, "blueprint", and the rules written out in docs/decision-rules.md.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from random import Random

from lms.core.errors import DomainError
from lms.quizzes.types import TYPES, Kind, Response
from lms.quizzes.types.base import ALL, NONE
from lms.quizzes.types.stored import Asked

LETTERS = "ABCD"
PLAIN_STEP = 1000
"""How far a page sent without a script jumps ahead; see `next_seq`."""
LARGEST_SEQ = 1_000_000_000
"""Fits an INTEGER of PostgreSQL with room to spare."""


GRACE = timedelta(seconds=60)
"""How long after its time an answer is still taken, for one that was on a bad line."""
SWEEP_AFTER = GRACE + timedelta(seconds=15)
"""When a sitting nobody touches is closed: longer than an answer may wait to be written."""
EXTRA = (25, 50, 100)
"""Per cent that can be added to the time of a quiz."""
LONGEST = 480
"""Minutes of the longest limit: one day of training."""


class Refusal(DomainError):
    """A sitting cannot begin now."""


class NothingToAsk(Refusal):
    """Every criterion of this quiz is passed."""


class TooSoon(Refusal):
    """The next try opens at `at`."""

    def __init__(self, at: datetime) -> None:
        super().__init__(at.isoformat())
        self.at = at


class NeedsCoaching(Refusal):
    """Three tries are used: a trainer's guidance opens the next one."""


class BankTooSmall(Refusal):
    """A criterion has fewer items that may be drawn than a sitting has to show."""


class AttemptClosed(DomainError):
    """The sitting was handed in; nothing about it changes any more."""


class TimeUp(DomainError):
    """The time of the sitting is over: it has to be closed with the answers it has."""


class Paused(DomainError):
    """The clock of the sitting stands still; whoever goes on starts it again."""


class AttemptOpen(DomainError):
    """The sitting is not handed in yet; nothing about its key is said before that."""


class OfClass(DomainError):
    """The sitting is of a quiz of a class; its result has a page of its own."""


class KeyReused(DomainError):
    """The browser sent another answer under the name of one that is stored already."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One item that may be drawn, in its newest wording."""

    item: int
    version: int
    has_letters: bool = True
    """Whether its options are A to D; other questions get their order from their type."""


@dataclass(frozen=True, slots=True)
class Draw:
    """One item to be shown, and the order of its options: `CADB` shows the file's C first."""

    version: int
    order: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """One question of a sitting, with its key."""

    id: int
    version: int
    kuk: str
    order: str
    key: str
    withdrawn: bool = False
    """Taken out of use before the sitting was handed in: it counts neither as right nor wrong."""
    asked: Asked | None = None
    """What it asks, where that is more than the letter of `key`."""
    by_hand: "ByHand | None" = None
    """What somebody found who read the answer."""


@dataclass(frozen=True, slots=True)
class ByHand:
    """The mark of somebody who read an answer."""

    level: int
    """0, 1 or 2, as everywhere."""
    passed: bool


HIGHEST = 2
"""The highest level of a mark by hand."""
ERASED = "erased"
"""Stands in a response whose text was taken out; nobody is asked to read it."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that arrived about one question; None where it says nothing."""

    id: int
    question: int
    seq: int
    choice: int | None
    flagged: bool | None
    at: datetime
    response: Response | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What counts for one question."""

    choice: int | None = None
    """Position of the chosen option as shown, from 1."""
    flagged: bool = False
    at: datetime | None = None
    """When the choice or response arrived; None when there is none."""
    response: Response | None = None
    """The answer to a question of another type."""

    @property
    def is_erased(self) -> bool:
        """Tell whether its text was taken out."""
        return self.response is not None and ERASED in self.response

    def given(self, kind: str) -> Response | None:
        """Return the answer to a question of a type, a choice too; None when it is left open."""
        if kind == Kind.SINGLE:
            return None if self.choice is None else {"choice": self.choice}
        if self.response is None or TYPES[Kind(kind)].is_blank(self.response):
            return None
        return self.response


@dataclass(frozen=True, slots=True)
class Mark:
    """What the answer to one question is worth."""

    question: Drawn
    answer: Answer
    earned: Fraction | None
    """The share of the mark, 0 to 1; None while it waits for whoever reads it."""

    @property
    def choice(self) -> int | None:
        """Position of the chosen option as shown."""
        return self.answer.choice

    @property
    def right(self) -> bool:
        """Tell whether it is wholly right, or whoever read it says so."""
        if self.question.by_hand is not None:
            return self.question.by_hand.passed
        return self.earned == ALL

    @property
    def waits(self) -> bool:
        """Tell whether somebody has to read it first."""
        return self.earned is None and not self.question.withdrawn and not self.is_lost

    @property
    def is_lost(self) -> bool:
        """Tell whether it was erased before anybody had read it: it will never have a mark."""
        return self.earned is None and self.answer.is_erased

    @property
    def counts(self) -> bool:
        """Tell whether it is evidence."""
        return not self.question.withdrawn and self.earned is not None


@dataclass(frozen=True, slots=True)
class Score:
    """Right answers out of those that count. Integers, so equal work scores equally."""

    right: int = 0
    shown: int = 0
    waiting: int = 0
    """Not yet read by anybody; not among `shown`."""

    @property
    def passed(self) -> bool:
        """Tell whether all are right. Nothing shown is nothing passed."""
        return self.shown > 0 and self.right == self.shown and not self.waiting


def draw(
    wanted: Mapping[str, int],
    bank: Mapping[str, Sequence[Candidate]],
    seen: Mapping[int, int],
    random: Random,
) -> tuple[Draw, ...]:
    """Draw items for each KUK of `wanted`, mixed, each with its own order of options.

    `seen` says in which sitting (1, 2, …) the person last met an item. Items never met come
    first, then those met longest ago. Raises BankTooSmall. Source: decision rules 7.
    """
    drawn: list[Candidate] = []
    for kuk, number in wanted.items():
        candidates = list(bank.get(kuk, ()))
        if len(candidates) < number:
            raise BankTooSmall(kuk)
        random.shuffle(candidates)
        candidates.sort(key=lambda candidate: seen.get(candidate.item, 0))
        drawn += candidates[:number]
    random.shuffle(drawn)
    return tuple(
        Draw(found.version, "".join(random.sample(LETTERS, 4)) if found.has_letters else "")
        for found in drawn
    )


def latest(events: Iterable[Event]) -> dict[int, Answer]:
    """Return what counts for each question: the highest seq, then the highest id.

    The choice and the flag are followed apart, so one that arrives late does not undo the other.
    """
    found: dict[int, Answer] = defaultdict(Answer)
    for event in sorted(events, key=lambda event: (event.seq, event.id)):
        old = found[event.question]
        found[event.question] = Answer(
            choice=old.choice if event.choice is None else event.choice,
            flagged=old.flagged if event.flagged is None else event.flagged,
            at=old.at if event.choice is None and event.response is None else event.at,
            response=old.response if event.response is None else event.response,
        )
    return dict(found)


def next_seq(page: int, stored: int | None) -> int:
    """Return the seq of a page sent without a script.

    It must outrun what the script of the same page may still have on its way, and a page sends
    far fewer than PLAIN_STEP changes. `page` is the seq the page began with.
    """
    return min(max(page, stored or 0) + PLAIN_STEP, LARGEST_SEQ)


def score_attempt(drawn: Iterable[Drawn], answers: Mapping[int, Answer]) -> tuple[Mark, ...]:
    """Mark each drawn question by its answer. One without an answer is not right.

    Answers to anything that was not drawn are ignored.
    """
    marks = []
    for question in drawn:
        answer = answers.get(question.id, Answer())
        marks.append(Mark(question, answer, earned(question, answer)))
    return tuple(marks)


def earned(question: Drawn, answer: Answer) -> Fraction | None:
    """Return the share of the mark an answer earns; None while it waits for whoever reads it."""
    if question.by_hand is not None:
        return Fraction(question.by_hand.level, HIGHEST)
    if question.asked is not None:
        kind = question.asked.type
        return kind.score(question.asked.body, question.order, answer.given(kind.kind))
    choice = answer.choice
    if choice is None or not 1 <= choice <= len(question.order):
        return NONE
    return ALL if question.order[choice - 1] == question.key else NONE


def scores(marks: Iterable[Mark]) -> dict[str, Score]:
    """Add up marks per KUK, leaving out withdrawn items; a KUK of which none is left has 0 of 0."""
    totals: dict[str, Score] = {}
    for mark in marks:
        old = totals.get(mark.question.kuk, Score())
        totals[mark.question.kuk] = Score(
            old.right + (mark.counts and mark.right),
            old.shown + mark.counts,
            old.waiting + mark.waits,
        )
    return totals


def tries_since(tries: Iterable[datetime], passed: Iterable[datetime]) -> list[datetime]:
    """Return the tries after the last one that passed: a new round starts counting anew."""
    last = max(passed, default=None)
    return [at for at in tries if last is None or at > last]


def time_for(minutes: int | None, percent: int | None) -> timedelta | None:
    """Return how long a sitting may take; None: as long as it needs.

    `percent` is what a person gets on top, None when no limit holds for them.
    """
    if minutes is None or percent is None:
        return None
    return timedelta(minutes=minutes) * (100 + percent) / 100


def is_over(deadline: datetime | None, paused: datetime | None, now: datetime) -> bool:
    """Tell whether a sitting takes no answer any more that arrives `now`. A pause stops its clock.

    What a browser says about the time of an answer is never asked: it counts when it arrives.
    """
    return deadline is not None and paused is None and now > deadline + GRACE


def end_of_time(deadline: datetime, now: datetime) -> datetime:
    """Return when a sitting that is closed because of its time has ended, however late we look."""
    return min(now, deadline + GRACE)


def after_pause(deadline: datetime, paused: datetime, now: datetime) -> datetime:
    """Return the deadline after a pause: later by its length. A clock set back takes nothing."""
    return deadline + max(now - paused, timedelta(0))


def needed(ratio: tuple[int, int], shown: int) -> int:
    """Return how many of `shown` items must be right: the smallest r with 5·r >= 4·shown."""
    numerator, denominator = ratio
    return -(-numerator * shown // denominator)


@dataclass(frozen=True, slots=True)
class Correction:
    """The key of the wording `wrong` was wrong; `corrected` is the same text with another key."""

    public_id: str
    wrong: int
    corrected: int | None
    """None: no option is right."""
    reason: str
    at: datetime


def corrected_by(wrong: int, found: Mapping[int, Correction]) -> tuple[Correction, ...]:
    """Return what corrected a wording, and what corrected that, oldest first.

    A correction names a later wording, so there is always an end.
    """
    steps: list[Correction] = []
    step = found.get(wrong)
    while step is not None:
        steps.append(step)
        step = found.get(step.corrected) if step.corrected is not None else None
    return tuple(steps)


def brings_back(
    digest: str,
    answers: Iterable[str],
    decided: Iterable[tuple[str, Iterable[str], Iterable[str]]],
) -> bool:
    """Tell whether a file holds a key that was found wrong.

    `answers` is what the file calls right, thing by thing: in any order, and beside whatever else.
    `decided` are, oldest first, the digest of a wording with a wrong key, what it called right, and
    what is right now. A file that is the very text, holds a refused key, or still calls right what
    one did and the last word does not, brings it back; one that agrees with the last word, or asks
    something else, does not. Where people mark the answers there is none: of those only the very
    text is known.
    """
    known = [(found, _plain(wrong), _plain(right)) for found, wrong, right in decided]
    if not known:
        return False
    mine, last = _plain(answers), known[-1][2]
    if mine and mine == last:
        return False
    return any(
        digest == found or (mine and mine == wrong) or mine & (wrong - last)
        for found, wrong, _right in known
    )


def _plain(texts: Iterable[str]) -> frozenset[str]:
    return frozenset(" ".join(text.casefold().split()) for text in texts)
