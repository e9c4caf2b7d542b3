"""What is due to be told, and at which hour it may be. Pure."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum


class Kind(StrEnum):
    """What somebody is told."""

    CLASS_SOON = "class_soon"
    LESSONS_LEFT = "lessons_left"
    CASE_DECIDED = "case_decided"
    PUT_OFF = "put_off"
    """The decision meeting wants something else first."""
    PAPER_READY = "paper_ready"
    PAPER_ENDS = "paper_ends"
    PAPER_REVOKED = "paper_revoked"
    PAPER_QUESTION = "paper_question"
    """An administrator asks about one of their certificates."""
    APPEAL_ASKED = "appeal_asked"
    """Somebody of their class appeals against a result."""
    APPEAL_MOVED = "appeal_moved"
    """Their appeal was taken up or answered."""


ALL = "all"
"""The choice of who wants no mail at all, because somebody else may read it."""
CLASS_STAGES = (1, 7)
"""Days before the class at which people are reminded, the nearest first."""
PAPER_STAGES = (0, 7, 30, 90)
"""Days before the end of a certificate; 0 is the day after its last."""
LESSONS_STAGE = 7
FRESH = timedelta(days=7)
"""A result older than this is no news: the server was away, and people have seen it."""
GONE = timedelta(days=30)
"""A certificate that ended longer ago is not told any more."""
MORNING, EVENING = time(7), time(20)


@dataclass(frozen=True, slots=True)
class Span:
    """Days in which one stage is the one to tell, both ends included."""

    stage: int
    first: date
    last: date


def class_stage(days_left: int) -> int | None:
    """Return which reminder of a class is due, or None; only ever the nearest one.

    A reminder that could not be sent in time is sent late as long as the next is not due.
    """
    if days_left < 1:
        return None
    return next((stage for stage in CLASS_STAGES if days_left <= stage), None)


def paper_spans(today: date) -> list[Span]:
    """Return for each stage the last days of certificates that are told of it today."""
    spans = [Span(0, today - GONE, today - timedelta(days=1))]
    first = today
    for stage in PAPER_STAGES[1:]:
        last = today + timedelta(days=stage)
        spans.append(Span(stage, first, last))
        first = last + timedelta(days=1)
    return spans


def paper_stage(ends: date, today: date) -> int | None:
    """Return the stage of which somebody is told whose certificate ends on this day, or None."""
    spans = paper_spans(today)
    return next((span.stage for span in spans if span.first <= ends <= span.last), None)


def paper_window(today: date) -> tuple[date, date]:
    """Return the first and the last day of the ends of which people are told today."""
    spans = paper_spans(today)
    return spans[0].first, spans[-1].last


def at_a_good_hour(there: datetime) -> datetime:
    """Return when a mail may go out: at once by day, at seven when it is night.

    `there` is a moment on the reader's own clock.
    """
    if MORNING <= there.time() < EVENING:
        return there
    day = there.date() + timedelta(days=1) if there.time() >= EVENING else there.date()
    return datetime.combine(day, MORNING, there.tzinfo)


def goes_by_mail(kind: Kind, muted: Collection[str]) -> bool:
    """Tell whether somebody who muted these kinds gets a mail of this one."""
    return ALL not in muted and kind.value not in muted
