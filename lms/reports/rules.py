"""Who needs a word and why; how sure a share is. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from math import sqrt

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
    no station was marked; `done` means the certificate is there.
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
