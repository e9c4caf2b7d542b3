"""What a corrected key would change, and the job that changes it. Services flush.

The preview and the job ask the same rules; the preview writes nothing.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import func, select

from lms.accounts import services as accounts
from lms.cohorts import services as cohorts
from lms.cohorts.models import Part
from lms.competency import services as competency
from lms.competency.rules import Row
from lms.core import jobs
from lms.core.db import db, insert_once
from lms.core.jobs import Handler, Progress, Task
from lms.core.login import Viewer
from lms.corrections import rules
from lms.corrections.models import Rescore
from lms.corrections.rules import RESCORE, Picture
from lms.credentials import rechecks
from lms.credentials.rechecks import Shaken
from lms.quizzes import corrections
from lms.quizzes.corrections import Corrected, NewKey, Sitting, Wording

BATCH = 200
"""Sittings looked at together."""
MOST = 1000
"""Sittings with another mark whose people a preview looks at; the job looks at all."""
PAGE = 50


@dataclass(frozen=True, slots=True)
class Effect:
    """What a correction does, or did, to one person."""

    person_id: int
    name: str
    was_right: bool | None
    is_right: bool | None
    before: Picture
    after: Picture
    certificates: tuple[Shaken, ...] = ()

    @property
    def changed(self) -> bool:
        """Tell whether a verdict reads otherwise."""
        return self.before != self.after


@dataclass(slots=True)
class Preview:
    """What would happen, before anybody confirms it."""

    closed: int
    running: int
    counted: int = 0
    """Closed sittings in which the item counts."""
    to_right: int = 0
    to_wrong: int = 0
    gone: int = 0
    """Marks that would count no more."""
    looked_at: int = 0
    effects: list[Effect] = field(default_factory=list)
    """People whose verdict would change."""
    is_cut: bool = False
    """More people have another mark than a preview looks at."""

    @property
    def certificates(self) -> list[tuple[Effect, Shaken]]:
        """Certificates that would be listed to be looked at."""
        return [(one, paper) for one in self.effects for paper in one.certificates]


def preview(wording: Wording, key: NewKey, *, now: datetime) -> Preview:
    """Say what a correction would change. Writes nothing. Raises corrections.NotAnOption.

    Cost grows with the closed sittings that hold the item: three queries for each BATCH of them,
    and the ledgers of those whose mark changes, up to MOST.
    """
    right = corrections.find_right(wording, key)
    versions = corrections.holding(wording)
    found = Preview(*corrections.count_sittings(versions))
    attempts = corrections.closed_sittings(versions)
    for chunk in _chunks(attempts):
        sittings = corrections.look_at(chunk, versions, right)
        _count(found, sittings)
        changing = [one for one in sittings if one.changes]
        room = MOST - found.looked_at
        found.is_cut = found.is_cut or len(changing) > room
        found.looked_at += len(changing[:room])
        found.effects += [
            one
            for one in _effects(changing[:room], wording.kuk, now)
            if one.changed or one.certificates
        ]
    return found


def _chunks(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    return (ids[first : first + BATCH] for first in range(0, len(ids), BATCH))


def _count(found: Preview, sittings: Sequence[Sitting]) -> None:
    for one in sittings:
        found.counted += one.evidence_id is not None
        found.to_right += one.changes and one.is_right is True
        found.to_wrong += one.changes and one.is_right is False
        found.gone += one.changes and one.is_right is None


def _effects(sittings: Sequence[Sitting], code: str, now: datetime) -> list[Effect]:
    """Say what other marks do to people: their standing now, and their certificates. Five queries.

    A criterion the standard does not know any more changes nobody's standing.
    """
    found = competency.current()
    kuk = found.standard.kuk.get(code)
    if not sittings or kuk is None:
        return []
    people = {one.person_id: one for one in sittings}
    ledgers = competency.rows_of(list(people), found)
    shaken = rechecks.list_shaken(people, lambda one: partial(_swap, people[one]), now=now)
    names = accounts.names_of(people)
    return [
        Effect(
            person_id,
            names.get(person_id, ""),
            one.was_right,
            one.is_right,
            rules.picture(found.standard, ledgers[person_id], kuk, now),
            rules.picture(found.standard, _swap(one, ledgers[person_id]), kuk, now),
            tuple(shaken.get(person_id, ())),
        )
        for person_id, one in people.items()
    ]


def _swap(sitting: Sitting, rows: Sequence[Row]) -> list[Row]:
    return rules.swap(rows, sitting.evidence_id or 0, sitting.is_right)


def correct(
    wording: Wording, key: NewKey, *, reason: str, by_id: int, now: datetime
) -> tuple[str, str | None]:
    """Correct a key, and open the job that marks the closed sittings again. Flushes.

    Returns the public ids of the correction and of its job; no job where nobody has handed it in.
    Raises what corrections.correct raises.
    """
    made = corrections.correct(wording, key, reason=reason, by_id=by_id, now=now)
    job = None
    if made.sittings:
        job = jobs.open_job(
            RESCORE,
            made.public_id,
            [str(one) for one in made.sittings],
            detail={"correction": made.public_id},
            by_id=by_id,
            now=now,
        )
    return made.public_id, job


def _apply(task: Task, _prepared: Any, now: datetime) -> None:
    """Mark one closed sitting again, write down what it changed, list the certificates."""
    made = corrections.get_correction(task.detail["correction"])
    done = select(Rescore.id).filter_by(correction_id=made.id, attempt_id=int(task.subject))
    if db.session.scalar(done) is not None:
        return
    for sitting in corrections.look_at(
        [int(task.subject)], corrections.versions_of(made), made.right
    ):
        effects = _effects([sitting] if sitting.changes else [], made.kuk, now)
        corrections.rescore(made, sitting, now=now)
        _write_down(made, sitting, effects, now)


def _write_down(
    made: Corrected, sitting: Sitting, effects: Sequence[Effect], now: datetime
) -> None:
    effect = effects[0] if effects else None
    papers = effect.certificates if effect else ()
    insert_once(
        Rescore,
        correction_id=made.id,
        attempt_id=sitting.attempt_id,
        person_id=sitting.person_id,
        was_right=sitting.was_right,
        is_right=sitting.is_right,
        before=effect.before.as_dict() if effect else {},
        after=effect.after.as_dict() if effect else {},
        changed=effect is not None and effect.changed,
        certificates=len(papers),
        at=now,
    )
    for paper in papers:
        rechecks.open_recheck(
            paper,
            cause=f"correction:{made.public_id}",
            about=f"{made.slug}, versi {made.number}",
            now=now,
        )


HANDLER = Handler(apply=_apply)


# What came of it


@dataclass(frozen=True, slots=True)
class Outcome:
    """What marking the closed sittings again did, in numbers."""

    looked_at: int
    to_right: int
    to_wrong: int
    gone: int
    changed: int
    """People whose verdict reads otherwise."""
    certificates: int


def read_outcome(made: Corrected) -> Outcome:
    """Return what a correction did. Two queries."""
    rows = db.session.execute(
        select(Rescore.was_right, Rescore.is_right, Rescore.changed, func.count().label("number"))
        .where(Rescore.correction_id == made.id)
        .group_by(Rescore.was_right, Rescore.is_right, Rescore.changed)
    )
    counts: Counter[str] = Counter()
    for row in rows:
        counts["all"] += row.number
        counts["changed"] += row.number * row.changed
        if row.was_right is not None and row.was_right != row.is_right:
            counts[str(row.is_right)] += row.number
    return Outcome(
        counts["all"],
        counts["True"],
        counts["False"],
        counts["None"],
        counts["changed"],
        rechecks.count_by_cause(f"correction:{made.public_id}"),
    )


def list_changed(
    made: Corrected, viewer: Viewer, *, after: int = 0, limit: int = PAGE
) -> list[tuple[int, Effect]]:
    """Return people whose verdict changed, with the id the next page begins after. Two queries.

    An administrator sees everybody, a trainer or assessor the people of their classes (one query
    more), nobody else any.
    """
    query = select(Rescore).where(
        Rescore.correction_id == made.id, Rescore.changed.is_(True), Rescore.id > after
    )
    if "admin" not in viewer.roles:
        people = cohorts.people_in_scope(viewer, Part.TRAINER, Part.ASSESSOR)
        query = query.where(Rescore.person_id.in_(people))
    rows = db.session.scalars(query.order_by(Rescore.id).limit(limit)).all()
    names = accounts.names_of({row.person_id for row in rows})
    return [
        (
            row.id,
            Effect(
                row.person_id,
                names.get(row.person_id, ""),
                row.was_right,
                row.is_right,
                rules.read_picture(row.before),
                rules.read_picture(row.after),
            ),
        )
        for row in rows
    ]


def find_job(made: Corrected) -> Progress | None:
    """Return how far the job of a correction is, if it had anything to mark. One query."""
    return next(iter(jobs.list_jobs(RESCORE, made.public_id, limit=1)), None)
