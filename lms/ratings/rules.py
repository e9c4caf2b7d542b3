"""Which of two marks counts, who may look a third time, how an appeal goes. Pure.

Source: decision rules 2 (two raters: the lower mark until moderated), 6 (two assessors for the
trainer's stations) and 2 (a row is voided when an appeal was upheld). The days are proposals of
Suluh: no agency has set them yet.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from enum import StrEnum

from lms.core.errors import DomainError

LEVELS = (0, 1, 2)
TWO = 2
"""Nobody is marked by more than two; the third person only decides between them."""
LONGEST = 2_000
"""Characters of a reason or an appeal."""
SHORTEST = 20
"""Characters of a reason: a word is none."""
SECOND_DAYS = 3
"""Days after which a second mark is late."""
MODERATION_DAYS = 7
"""Days within which a third person decides."""
APPEAL_DAYS = 14
"""Days after a mark was written down in which it may be appealed."""
ANSWER_DAYS = 10
"""Days within which an appeal is answered."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What one assessor gave for one criterion."""

    level: int
    act: str = ""
    """The harmful act that ended it, H1 … H8, or empty."""
    note: str = ""

    @property
    def rank(self) -> int:
        """Its place from the lowest up: a harmful act is below every level."""
        return -1 if self.act else self.level


@dataclass(frozen=True, slots=True)
class Settled:
    """What two marks come to."""

    counts: int
    """Place of the mark that counts: the lower one, the first of two equal ones."""
    disputed: bool
    """Whether a third person has to decide."""


def settle(marks: Sequence[Mark], *, critical: bool) -> Settled:
    """Say which mark counts. A third person is asked about critical criteria and harmful acts."""
    ranks = [mark.rank for mark in marks]
    acts = {bool(mark.act) for mark in marks}
    differs = len(set(ranks)) > 1
    return Settled(ranks.index(min(ranks)), differs and (critical or len(acts) > 1))


def passes(level: int, *, critical: bool) -> bool:
    """Tell whether a level passes: a critical criterion asks for the highest, others for 1."""
    return level >= (LEVELS[-1] if critical else 1)


class RatingRefused(DomainError):
    """The mark cannot be taken."""


class AlreadyRated(RatingRefused):
    """The same assessor has marked it before."""


class TwoAlready(RatingRefused):
    """Two other assessors mark this."""


class NotThirdPerson(DomainError):
    """Who decides between two marks, or answers an appeal, gave none of them."""


class AlreadySettled(DomainError):
    """Somebody else has decided, or there is nothing left to decide."""


class NoReason(DomainError):
    """A decision needs a reason in words."""


class NoGain(DomainError):
    """An upheld appeal gives a higher mark, or has the thing marked anew."""


def subject_of(group: str, ref: str) -> str:
    """Return what was marked, from the group and the reference of its ledger row.

    A case is its submission, a station the story played there in one round, an essay its wording
    in one sitting: no station has a number for a name.
    """
    first = ref.partition("/")[0]
    if first.isdecimal():
        return f"{group}/{first}"
    story = ref.split("/")[:2]
    return "/".join((group, *story)) if len(story) == 2 else group


def place_of(rater_id: int, raters: Sequence[int], *, begun: bool) -> int:
    """Return the place, 1 or 2, at which an assessor marks. `raters` hold the places in order.

    `begun` lets an assessor go on where they have begun. Raises AlreadyRated, TwoAlready.
    """
    if rater_id in raters:
        if begun:
            return raters.index(rater_id) + 1
        raise AlreadyRated(str(rater_id))
    if len(raters) >= TWO:
        raise TwoAlready(str(rater_id))
    return len(raters) + 1


def check_third(person_id: int, marked_by: Collection[int]) -> None:
    """Raise NotThirdPerson for somebody whose mark it is about."""
    if person_id in marked_by:
        raise NotThirdPerson(str(person_id))


def check_reason(text: str) -> str:
    """Return a reason as it is stored. Raises NoReason when it is too short."""
    tidy = text.strip()
    if len(tidy) < SHORTEST:
        raise NoReason(str(len(tidy)))
    return tidy[:LONGEST]


# Appeals


class Stage(StrEnum):
    """What was done last about an appeal."""

    ASKED = "asked"
    TAKEN = "taken"
    """Somebody who did not mark looks at it."""
    UPHELD = "upheld"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    """By the person who asked."""


CLOSING = frozenset({Stage.UPHELD, Stage.REFUSED, Stage.WITHDRAWN})
FOLLOWS: dict[Stage, frozenset[Stage]] = {
    Stage.ASKED: frozenset({Stage.TAKEN, Stage.WITHDRAWN}),
    Stage.TAKEN: CLOSING,
    Stage.UPHELD: frozenset(),
    Stage.REFUSED: frozenset(),
    Stage.WITHDRAWN: frozenset(),
}


class WrongStage(DomainError):
    """The step does not follow the last one: somebody else was quicker."""


class TooLate(DomainError):
    """The days in which a mark may be appealed are over."""


class AlreadyAppealed(DomainError):
    """The mark was appealed before."""


def check_follows(last: Stage, following: Stage) -> None:
    """Raise WrongStage unless a step may follow."""
    if following not in FOLLOWS[last]:
        raise WrongStage(last)


def last_day(recorded_at: datetime, zone: tzinfo) -> date:
    """Return the last day on which a mark may be appealed."""
    return recorded_at.astimezone(zone).date() + timedelta(days=APPEAL_DAYS)


def check_in_time(recorded_at: datetime, now: datetime, zone: tzinfo) -> None:
    """Raise TooLate when the days to appeal are over."""
    if now.astimezone(zone).date() > last_day(recorded_at, zone):
        raise TooLate(recorded_at.isoformat())


def check_gain(before: Mark, after: Mark) -> None:
    """Raise NoGain unless an upheld appeal gives more than there was."""
    if after.rank <= before.rank:
        raise NoGain(f"{before.rank} {after.rank}")


def due_at(since: datetime, days: int) -> datetime:
    """Return when something that waits since then is due."""
    return since + timedelta(days=days)
