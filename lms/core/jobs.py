"""Work of many items that survives whoever does it: a table, a lease, one worker at a time.

What an item makes is the truth. Its row here is settled in the same transaction, so a process may
be killed anywhere: the next one goes on with what is still to do. Items that are refused keep
their reason and stop nobody else.
"""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import ColumnElement, CursorResult, Update, exists, func, or_, select, update
from sqlalchemy.exc import IntegrityError, OperationalError

from lms.core import readonly
from lms.core.crash import crash_point
from lms.core.db import db, unit_of_work
from lms.core.errors import DomainError, NotFound
from lms.core.ids import public_id
from lms.core.models import ItemState, Job, JobItem

LEASE = timedelta(seconds=20)
"""How long a job waits for a worker that died. Every settled item begins it anew."""
SLICE = 10.0
"""Seconds one call of `work` takes at most, so that other rounds get their turn."""
MOST_TRIES = 3
"""An item under which so many workers died is put aside."""
MOST_PREPARED = 5
"""So often an item is prepared anew because the world moved meanwhile; then it is done whole."""

log = logging.getLogger(__name__)


class AlreadyOpen(DomainError):
    """A job of this kind and subject is not finished yet; `public_id` names it if it is known."""

    def __init__(self, open_one: str = "") -> None:
        super().__init__(open_one)
        self.public_id = open_one


class NothingToDo(DomainError):
    """A job without items."""


class Outdated(DomainError):
    """What was prepared does not fit any more: prepare it anew."""


class LeaseLost(DomainError):
    """The job was stopped, or another worker has it."""


@dataclass(frozen=True, slots=True)
class Task:
    """One item as its handler sees it."""

    subject: str
    detail: dict[str, Any]
    created_by: int | None


@dataclass(frozen=True, slots=True)
class Handler:
    """What is done with one item.

    `prepare` runs outside any transaction: what is slow, and writes nothing. `apply` runs in the
    item's unit of work with what was prepared, or with None: then it prepares for itself. It may
    raise Outdated. A DomainError of either becomes the problem of the item.
    """

    apply: Callable[[Task, Any, datetime], None]
    prepare: Callable[[Task, datetime], Any] = lambda _task, _now: None


HANDLERS: dict[str, Handler] = {}
"""Handler of each kind of job. `lms.app` fills it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a job is."""

    id: int
    public_id: str
    kind: str
    subject: str
    created_by: int | None
    created_at: datetime
    finished_at: datetime | None
    stopped: bool
    total: int
    done: int
    problems: int

    @property
    def settled(self) -> int:
        """How many items are settled, well or not."""
        return self.done + self.problems

    @property
    def running(self) -> bool:
        """Tell whether a worker has to do something yet."""
        return self.finished_at is None


# What people do


def open_job(
    kind: str,
    subject: str,
    items: Sequence[str],
    *,
    detail: dict[str, Any],
    by_id: int | None,
    now: datetime,
) -> str:
    """Write down work to be done. Returns the job's public id; a worker begins within a second.

    Raises AlreadyOpen, NothingToDo. Flushes.
    """
    if not items:
        raise NothingToDo(subject)
    job = Job(
        kind=kind,
        subject=subject,
        detail=detail,
        created_by=by_id,
        created_at=now,
        lease_until=now,
    )
    try:
        with db.session.begin_nested():
            db.session.add(job)
    except IntegrityError:
        raise AlreadyOpen(_find_open(kind, subject) or "") from None
    db.session.add_all(
        JobItem(job_id=job.id, position=n, subject=one, state=ItemState.TODO)
        for n, one in enumerate(items, 1)
    )
    db.session.flush()
    return job.public_id


def _find_open(kind: str, subject: str) -> str | None:
    return db.session.scalar(
        select(Job.public_id).where(
            Job.kind == kind, Job.subject == subject, Job.finished_at.is_(None)
        )
    )


def get_progress(public_id: str, kind: str, subject: str = "") -> Progress:
    """Return how far a job is, in one query. Raises NotFound."""
    wanted = [Job.public_id == public_id, Job.kind == kind]
    if subject:
        wanted.append(Job.subject == subject)
    found = _progress(*wanted)
    if not found:
        raise NotFound(public_id)
    return found[0]


def list_jobs(kind: str, subject: str, limit: int = 20) -> list[Progress]:
    """Return the jobs about one subject, newest first, in one query."""
    return _progress(Job.kind == kind, Job.subject == subject, limit=limit)


def _progress(*where: Any, limit: int = 1) -> list[Progress]:
    def count(state: ItemState) -> Any:
        return func.count(JobItem.id).filter(JobItem.state == state)

    query = (
        select(Job, func.count(JobItem.id), count(ItemState.DONE), count(ItemState.PROBLEM))
        .join(JobItem, JobItem.job_id == Job.id)
        .where(*where)
        .group_by(Job.id)
        .order_by(Job.id.desc())
        .limit(limit)
    )
    return [
        Progress(
            id=job.id,
            public_id=job.public_id,
            kind=job.kind,
            subject=job.subject,
            created_by=job.created_by,
            created_at=job.created_at,
            finished_at=job.finished_at,
            stopped=job.stopped_by is not None,
            total=total,
            done=done,
            problems=problems,
        )
        for job, total, done, problems in db.session.execute(query)
    ]


def list_items(job_id: int, *states: ItemState) -> Sequence[JobItem]:
    """Return the items of a job in order, those in `states` if given."""
    query = select(JobItem).where(JobItem.job_id == job_id).order_by(JobItem.position)
    return db.session.scalars(query.where(JobItem.state.in_(states)) if states else query).all()


def stop(job_id: int, *, by_id: int, now: datetime) -> bool:
    """End an open job; what is settled stays. Tells whether it was open. Flushes.

    Waits for the item that is being settled, no longer.
    """
    return _touch(
        update(Job)
        .where(Job.id == job_id, Job.finished_at.is_(None))
        .values(finished_at=now, stopped_by=by_id, leased_by="")
    )


def retry(job_id: int, *, now: datetime) -> int:
    """Open a finished job again for its problems and what was left. Returns how many items.

    Raises AlreadyOpen when another job of the subject runs. Flushes.
    """
    left = (JobItem.job_id == job_id, JobItem.state != ItemState.DONE)
    try:
        with db.session.begin_nested():
            opened = _touch(
                update(Job)
                .where(Job.id == job_id, Job.finished_at.is_not(None))
                .where(exists().where(*left))
                .values(finished_at=None, stopped_by=None, lease_until=now, leased_by="", tries=0)
            )
    except IntegrityError:
        raise AlreadyOpen from None
    if not opened:
        return 0
    values = {"state": ItemState.TODO, "problem": "", "detail": "", "at": None}
    return _count(update(JobItem).where(*left).values(values))


# The worker


@dataclass(slots=True)
class _Worker:
    """One call of `work`: its name on leases, and what time it is meanwhile."""

    began: datetime
    seconds: float
    name: str = field(default_factory=public_id)
    start: float = field(default_factory=time.monotonic)
    settled: int = 0

    @property
    def now(self) -> datetime:
        """The moment, counted from the one the call was given."""
        return self.began + timedelta(seconds=time.monotonic() - self.start)

    @property
    def is_over(self) -> bool:
        """Tell whether others should have their turn."""
        return time.monotonic() - self.start >= self.seconds

    def take(self) -> Job | None:
        """Take the oldest job whose lease is free, or none."""
        free = (*_is_free(self.now), Job.kind.in_(list(HANDLERS)))
        # Nearly always there is nothing: only a read, no transaction that others wait for.
        db.session.rollback()
        for job_id in db.session.scalars(select(Job.id).where(*free).order_by(Job.id)).all():
            with unit_of_work():
                mine = _touch(
                    update(Job)
                    .where(Job.id == job_id, *free)
                    .values(leased_by=self.name, lease_until=self.now + LEASE, tries=Job.tries + 1)
                )
            if mine:
                return db.session.get_one(Job, job_id)
        return None

    def carry_on(self, job: Job) -> None:
        """Settle items until none is left, time is over, or the lease is lost."""
        job_id, task_of, handler = job.id, _tasks(job), HANDLERS[job.kind]
        crash_point(1)
        if job.tries > MOST_TRIES:
            self._put_aside(job_id)
        while not self.is_over:
            item = db.session.execute(
                select(JobItem.id, JobItem.subject)
                .where(JobItem.job_id == job_id, JobItem.state == ItemState.TODO)
                .order_by(JobItem.position)
                .limit(1)
            ).first()
            if item is None:
                crash_point(6)
                self._finish(job_id)
                return
            self._settle(job_id, item.id, task_of(item.subject), handler)
        self._release(job_id)

    def _settle(self, job_id: int, item_id: int, task: Task, handler: Handler) -> None:
        try:
            self._do(job_id, item_id, task, handler)
        except (LeaseLost, OperationalError, readonly.ReadOnly):
            raise
        except DomainError as error:
            self._note(job_id, item_id, type(error).__name__, str(error))
        except Exception:
            log.exception("job item %s", item_id)
            self._note(job_id, item_id, "Unexpected", "")
        self.settled += 1
        crash_point(5)

    def _do(self, job_id: int, item_id: int, task: Task, handler: Handler) -> None:
        """Settle one item well; prepared anew while what was prepared does not fit."""
        for left in reversed(range(MOST_PREPARED + 1)):
            db.session.rollback()
            prepared = handler.prepare(task, self.now) if left else None
            crash_point(2)
            try:
                with unit_of_work():
                    self._renew(job_id)
                    handler.apply(task, prepared, self.now)
                    crash_point(3)
                    self._mark(item_id, ItemState.DONE)
                    crash_point(4)
            except Outdated:
                if not left:
                    raise
            else:
                return

    def _note(self, job_id: int, item_id: int, problem: str, detail: str) -> None:
        with unit_of_work():
            self._renew(job_id)
            self._mark(item_id, ItemState.PROBLEM, problem, detail[:500])

    def _renew(self, job_id: int) -> None:
        """Keep the lease, in the item's own transaction: who lost it settles nothing."""
        mine = self._mine(job_id).values(lease_until=self.now + LEASE, tries=0)
        if not _touch(mine):
            raise LeaseLost(str(job_id))

    def _mark(self, item_id: int, state: ItemState, problem: str = "", detail: str = "") -> None:
        settled = (
            update(JobItem)
            .where(JobItem.id == item_id, JobItem.state == ItemState.TODO)
            .values(state=state, problem=problem, detail=detail, at=self.now)
        )
        if not _touch(settled):
            raise LeaseLost(f"item {item_id}")

    def _put_aside(self, job_id: int) -> None:
        """Put the item aside under which worker after worker died, so that the others are done."""
        first = db.session.scalar(
            select(JobItem.id)
            .where(JobItem.job_id == job_id, JobItem.state == ItemState.TODO)
            .order_by(JobItem.position)
            .limit(1)
        )
        if first is not None:
            self._note(job_id, first, "Crashed", "")

    def _finish(self, job_id: int) -> None:
        left = exists().where(JobItem.job_id == job_id, JobItem.state == ItemState.TODO)
        with unit_of_work():
            _touch(self._mine(job_id).where(~left).values(finished_at=self.now, leased_by=""))

    def _release(self, job_id: int) -> None:
        with unit_of_work():
            _touch(self._mine(job_id).values(lease_until=self.now, leased_by="", tries=0))

    def _mine(self, job_id: int) -> Update:
        return update(Job).where(
            Job.id == job_id, Job.leased_by == self.name, Job.finished_at.is_(None)
        )


def _is_free(now: datetime) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions under which a job waits for a worker."""
    # A lease that ends later than one can was given by a clock that has been set back.
    over = or_(Job.lease_until <= now, Job.lease_until > now + 2 * LEASE)
    return Job.finished_at.is_(None), over


def is_due(now: datetime) -> bool:
    """Tell whether a job waits for a worker."""
    return db.session.scalar(select(Job.id).where(*_is_free(now)).limit(1)) is not None


def work(now: datetime, *, seconds: float = SLICE) -> int:
    """Settle items of open jobs for a while. Returns how many. Opens its own units of work.

    Any number of processes may call it at once: a job belongs to one of them at a time.
    """
    worker = _Worker(now, seconds)
    if readonly.gate().reason is not None:
        return 0  # jobs wait until writing is allowed again
    while not worker.is_over and (job := worker.take()) is not None:
        try:
            worker.carry_on(job)
        except LeaseLost:
            continue
    return worker.settled


def _tasks(job: Job) -> Callable[[str], Task]:
    detail, created_by = dict(job.detail), job.created_by
    return lambda subject: Task(subject, detail, created_by)


def _touch(statement: Update) -> bool:
    return _count(statement) == 1


def _count(statement: Update) -> int:
    # Without synchronisation: nothing is asked back, so every driver counts the rows.
    options = {"synchronize_session": False}
    found = db.session.execute(statement, execution_options=options)
    return cast("CursorResult[Any]", found).rowcount
