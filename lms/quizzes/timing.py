"""How long a sitting may take: limits of quizzes, more time for one person, pauses."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select, update

from lms.accounts.models import Person
from lms.core import audit
from lms.core.db import db, insert_once
from lms.core.errors import NotFound
from lms.quizzes import rules
from lms.quizzes.models import Attempt, AttemptPause, ExtraTime, Quiz


class BadLimit(ValueError):
    """A limit that is no whole number of minutes from 1 to rules.LONGEST."""


@dataclass(frozen=True, slots=True)
class Limit:
    """How much time the quiz at an address gives."""

    curriculum: str
    minutes: int | None
    pausable: bool


@dataclass(frozen=True, slots=True)
class Extra:
    """What somebody was given on top of the time of every quiz, and by whom."""

    percent: int | None
    until: date | None
    reason: str
    given_by: str
    given_at: datetime


def list_limits() -> list[Limit]:
    """Return the limit of every quiz of a curriculum. One query."""
    rows = db.session.execute(
        select(Quiz.curriculum_code, Quiz.minutes, Quiz.pausable)
        .where(Quiz.for_class.is_(False))
        .order_by(Quiz.curriculum_code)
    )
    return [Limit(*row) for row in rows]


def set_limit(
    curriculum: str, minutes: int | None, *, pausable: bool, actor_id: int | None, now: datetime
) -> None:
    """Give a quiz a time limit, or none. A sitting that runs keeps the time it began with.

    `curriculum` is the quiz's name in addresses. Raises NotFound, BadLimit. Flushes.
    """
    if minutes is not None and not 1 <= minutes <= rules.LONGEST:
        raise BadLimit(str(minutes))
    done = db.session.execute(
        update(Quiz)
        .where(Quiz.curriculum_code == curriculum)
        .values(minutes=minutes, pausable=pausable)
        .returning(Quiz.id)
    ).first()
    if done is None:
        raise NotFound(curriculum)
    audit.record(
        "quizzes.limit",
        f"quiz:{done.id}",
        actor_id=actor_id,
        now=now,
        minutes=minutes,
        pausable=pausable,
    )


def find_extra(person_id: int) -> Extra | None:
    """Return what was said last about somebody's time, whether it still holds or not."""
    row = db.session.execute(
        select(
            ExtraTime.percent,
            ExtraTime.until,
            ExtraTime.reason,
            Person.name,
            ExtraTime.given_at,
        )
        .join(Person, Person.id == ExtraTime.given_by)
        .where(ExtraTime.person_id == person_id)
        .order_by(ExtraTime.id.desc())
        .limit(1)
    ).first()
    return None if row is None else Extra(*row)


def percent_for(person_id: int, today: date) -> int | None:
    """Return the per cent somebody gets on top of the time of a quiz; None: no limit holds."""
    found = find_extra(person_id)
    if found is None or (found.until is not None and found.until < today):
        return 0
    return found.percent


def time_for(person_id: int, minutes: int | None, now: datetime) -> timedelta | None:
    """Return how long somebody may take for a quiz of so many minutes; None: no limit.

    Asks nothing when the quiz has none.
    """
    if minutes is None:
        return None
    return rules.time_for(minutes, percent_for(person_id, now.date()))


def give_extra(
    person_id: int,
    percent: int | None,
    *,
    until: date | None,
    reason: str,
    giver_id: int,
    now: datetime,
) -> None:
    """Give somebody more time in every quiz with a limit; 0 takes it back. Flushes.

    A sitting that runs gets it too. Taking back shortens none that runs.
    """
    db.session.add(
        ExtraTime(
            person_id=person_id,
            percent=percent,
            until=until,
            reason=reason,
            given_by=giver_id,
            given_at=now,
        )
    )
    db.session.flush()
    audit.record(
        "quizzes.extra_time",
        f"person:{person_id}",
        actor_id=giver_id,
        now=now,
        percent=percent,
        until=until.isoformat() if until else None,
    )
    if until is None or until >= now.date():
        _lengthen_running(person_id, percent)


def _lengthen_running(person_id: int, percent: int | None) -> None:
    """Move the deadlines of somebody's running sittings to what they would be had they begun now.

    Pauses that have ended stay added.
    """
    running = db.session.execute(
        select(Attempt.id, Attempt.opened_at, Attempt.deadline_at, Quiz.minutes)
        .join(Quiz, Quiz.id == Attempt.quiz_id)
        .where(
            Attempt.person_id == person_id,
            Attempt.closed_at.is_(None),
            Attempt.deadline_at.is_not(None),
        )
    ).all()
    for row in running:
        allowed = rules.time_for(row.minutes, percent)
        if allowed is None:
            later = None
        else:
            spans = db.session.execute(
                select(AttemptPause.began_at, AttemptPause.ended_at).where(
                    AttemptPause.attempt_id == row.id
                )
            )
            paused = sum((span.ended_at - span.began_at for span in spans), timedelta(0))
            later = max(row.deadline_at, row.opened_at + allowed + paused)
        db.session.execute(update(Attempt).where(Attempt.id == row.id).values(deadline_at=later))


def pause(attempt_id: int, *, now: datetime) -> bool:
    """Stop the clock of a sitting that has one and may pause; tell whether it stands still now.

    Flushes.
    """
    pausable = select(Quiz.id).where(Quiz.pausable.is_(True))
    stopped = db.session.execute(
        update(Attempt)
        .where(
            Attempt.id == attempt_id,
            Attempt.closed_at.is_(None),
            Attempt.paused_at.is_(None),
            Attempt.deadline_at >= now,
            Attempt.quiz_id.in_(pausable),
        )
        .values(paused_at=now)
        .returning(Attempt.id)
    )
    return stopped.first() is not None


def resume(attempt_id: int, *, now: datetime) -> None:
    """Let the clock of a sitting run again, later by the pause. Again changes nothing. Flushes."""
    row = db.session.execute(
        select(Attempt.deadline_at, Attempt.paused_at)
        .where(Attempt.id == attempt_id, Attempt.closed_at.is_(None))
        .with_for_update()
    ).first()
    if row is None or row.paused_at is None:
        return
    values: dict[str, datetime | None] = {"paused_at": None}
    if row.deadline_at is not None:  # a limit that was lifted meanwhile stays lifted
        values["deadline_at"] = rules.after_pause(row.deadline_at, row.paused_at, now)
        ended = max(now, row.paused_at)
        insert_once(AttemptPause, attempt_id=attempt_id, began_at=row.paused_at, ended_at=ended)
    db.session.execute(update(Attempt).where(Attempt.id == attempt_id).values(values))
