"""Jobs: each item once, whoever dies; problems stay with their item; two workers share nothing."""

import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from lms.core import audit, jobs, readonly
from lms.core.db import db, unit_of_work
from lms.core.errors import DomainError, NotFound
from lms.core.jobs import Handler, Progress, Task
from lms.core.models import AuditEvent, ItemState, Job, JobItem
from tests import factories
from tests.credentials.world import refuses
from tests.measure import unmeasured
from tests.queries import counted
from tests.races import race

NOW = datetime(2026, 4, 1, 2, 30, tzinfo=UTC)
KIND = "test.note"


class Refused(DomainError):
    """What the handler of these tests refuses."""


def note(task: Task, _prepared: Any, now: datetime) -> None:
    """Leave one line in the audit trail for an item; items called `bad` are refused."""
    if task.subject.startswith("bad"):
        raise Refused(f"no {task.subject}")
    if task.subject == "bug":
        raise ZeroDivisionError
    audit.record("test.note", task.subject, actor_id=task.created_by, now=now)


@pytest.fixture(autouse=True)
def _handler(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setitem(jobs.HANDLERS, KIND, Handler(note))
    return None


def begin(*items: str, subject: str = "thing:1", by_id: int | None = None) -> str:
    with unit_of_work():
        return jobs.open_job(KIND, subject, items, detail={"x": 1}, by_id=by_id, now=NOW)


def notes() -> list[str]:
    lines = select(AuditEvent.subject).where(AuditEvent.action == "test.note")
    return list(db.session.scalars(lines.order_by(AuditEvent.id)))


def look(public_id: str) -> Progress:
    db.session.rollback()
    return jobs.get_progress(public_id, KIND)


@pytest.mark.both
def test_a_worker_does_every_item_once_and_finishes(app: Flask):
    job = begin("a", "b", "c", by_id=factories.person("trainer").id)
    before = look(job)
    assert (before.total, before.settled, before.running) == (3, 0, True)
    assert jobs.work(NOW) == 3
    assert notes() == ["a", "b", "c"]
    found = look(job)
    assert (found.done, found.problems, found.running, found.stopped) == (3, 0, False, False)
    assert jobs.work(NOW + timedelta(hours=1)) == 0
    assert [one.public_id for one in jobs.list_jobs(KIND, "thing:1")] == [job]


@pytest.mark.both
def test_a_problem_stays_with_its_item_and_may_be_tried_again(app: Flask, caplog):
    job = begin("a", "bad", "bug", "c")
    assert jobs.work(NOW) == 4
    found = look(job)
    assert (found.done, found.problems, found.running) == (2, 2, False)
    problems = jobs.list_items(found.id, ItemState.PROBLEM)
    assert [(one.subject, one.problem, one.detail) for one in problems] == [
        ("bad", "Refused", "no bad"),
        ("bug", "Unexpected", ""),
    ]
    assert "ZeroDivisionError" in caplog.text
    with unit_of_work():
        db.session.execute(update(JobItem).where(JobItem.subject == "bad").values(subject="good"))
    with unit_of_work():
        assert jobs.retry(found.id, now=NOW) == 2
    with unit_of_work():
        assert jobs.retry(found.id, now=NOW) == 0, "it runs again already"
    assert jobs.work(NOW) == 2
    assert notes() == ["a", "c", "good"]
    assert [one.state for one in jobs.list_items(found.id)] == ["done", "done", "problem", "done"]


@pytest.mark.both
def test_one_open_job_of_a_subject(app: Flask):
    job = begin("a")
    assert refuses(jobs.AlreadyOpen, lambda: begin("b")).public_id == job
    other = begin("b", subject="thing:2")
    jobs.work(NOW)
    later = begin("bad")
    jobs.work(NOW)
    begin("d")

    def again() -> None:
        found = look(later)
        with unit_of_work():
            jobs.retry(found.id, now=NOW)

    refuses(jobs.AlreadyOpen, again)
    assert look(other).done == 1
    refuses(jobs.NothingToDo, lambda: begin(subject="thing:3"))
    refuses(NotFound, lambda: jobs.get_progress(job, "other"))
    refuses(NotFound, lambda: jobs.get_progress(job, KIND, "thing:9"))


@pytest.mark.both
def test_two_workers_share_no_item(bare_app: Flask):
    items = [f"item-{n}" for n in range(12)]
    with bare_app.app_context():
        job = begin(*items)
        begin(*items, subject="thing:2")
    done = race(bare_app, [lambda: jobs.work(NOW)] * 4)
    assert sum(one for one in done if isinstance(one, int)) == 24, done
    with bare_app.app_context():
        assert sorted(notes()) == sorted([*items, *items])
        assert look(job).done == 12


def test_a_worker_that_looks_and_takes_in_two_steps_does_items_twice(
    bare_app: Flask, monkeypatch: pytest.MonkeyPatch
):
    """The control of the race above: without the lease and the state, items are done again."""
    monkeypatch.setattr(jobs._Worker, "_renew", lambda *_: None)
    monkeypatch.setattr(jobs._Worker, "_mark", lambda *_: None)
    with bare_app.app_context():
        begin("a")
        jobs.work(NOW, seconds=0.3)
        assert len(notes()) > 1


@pytest.mark.both
def test_a_lease_keeps_others_away_until_it_is_over(app: Flask):
    job = begin("a")
    dead = jobs._Worker(NOW, 10)
    assert dead.take() is not None  # and it never comes back
    assert jobs.work(NOW + jobs.LEASE / 2) == 0
    assert jobs.work(NOW + jobs.LEASE * 2) == 1
    assert look(job).done == 1


@pytest.mark.both
def test_who_lost_the_lease_settles_nothing(app: Flask):
    """A worker that slept past its lease wakes up when another one has the job."""
    job = begin("a", "b")
    asleep = jobs._Worker(NOW, 10)
    taken = asleep.take()
    assert taken is not None
    other = jobs._Worker(NOW + jobs.LEASE * 2, 10)
    assert other.take() is not None
    refuses(jobs.LeaseLost, lambda: asleep.carry_on(taken))
    assert (notes(), look(job).settled) == ([], 0)


@pytest.mark.both
def test_a_job_may_be_stopped_between_two_items(app: Flask, monkeypatch: pytest.MonkeyPatch):
    job = begin("a", "b", "c")
    job_id, by_id = look(job).id, factories.person("trainer").id

    def stopping(task: Task, _prepared: Any, now: datetime) -> None:
        note(task, None, now)
        if task.subject == "a":
            stops.append(task.subject)

    stops: list[str] = []
    monkeypatch.setitem(jobs.HANDLERS, KIND, Handler(stopping, prepare=lambda *_: stop_if(stops)))

    def stop_if(reached: list[str]) -> None:
        if reached:
            with unit_of_work():
                assert jobs.stop(job_id, by_id=by_id, now=NOW)

    assert jobs.work(NOW) == 1
    found = look(job)
    assert (found.done, found.stopped, found.running) == (1, True, False)
    with unit_of_work():
        assert not jobs.stop(job_id, by_id=by_id, now=NOW)
    monkeypatch.setitem(jobs.HANDLERS, KIND, Handler(note))
    assert jobs.work(NOW) == 0
    with unit_of_work():
        assert jobs.retry(job_id, now=NOW) == 2
    assert jobs.work(NOW) == 2
    assert notes() == ["a", "b", "c"]
    assert not look(job).stopped


def test_a_long_job_gives_others_their_turn(app: Flask):
    job = begin("a", "b")
    assert jobs.work(NOW, seconds=0) == 0
    worker = jobs._Worker(NOW, 0)
    taken = worker.take()
    assert taken is not None
    worker.carry_on(taken)  # its time is over: it gives the job back at once
    assert look(job).running
    assert jobs.work(NOW + timedelta(seconds=1)) == 2


def test_what_was_prepared_is_prepared_anew_while_it_does_not_fit(
    app: Flask, monkeypatch: pytest.MonkeyPatch
):
    prepared: list[int] = []

    def prepare(_task: Task, _now: datetime) -> int:
        prepared.append(1)
        return len(prepared)

    def apply(task: Task, found: int | None, now: datetime) -> None:
        if found is not None and (found < 3 or task.subject == "never"):
            raise jobs.Outdated(str(found))
        note(task, None, now)

    monkeypatch.setitem(jobs.HANDLERS, KIND, Handler(apply, prepare))
    begin("a")
    jobs.work(NOW)
    assert (notes(), len(prepared)) == (["a"], 3)
    begin("never")
    jobs.work(NOW)
    assert notes() == ["a", "never"], "at last it is done whole, without preparing"
    assert len(prepared) == 3 + jobs.MOST_PREPARED


def test_an_item_that_is_outdated_even_whole_is_a_problem(
    app: Flask, monkeypatch: pytest.MonkeyPatch
):
    def apply(*_: object) -> None:
        raise jobs.Outdated("always")

    monkeypatch.setitem(jobs.HANDLERS, KIND, Handler(apply))
    job = begin("a")
    jobs.work(NOW)
    [item] = jobs.list_items(look(job).id, ItemState.PROBLEM)
    assert item.problem == "Outdated"


def test_an_item_that_kills_its_workers_is_put_aside(app: Flask):
    job = begin("deadly", "b")
    at = NOW
    for _ in range(jobs.MOST_TRIES):
        assert jobs._Worker(at, 10).take() is not None  # each dies before the first item is settled
        at += jobs.LEASE * 2
    assert jobs.work(at) == 1
    found = look(job)
    assert (found.done, found.problems) == (1, 1)
    [item] = jobs.list_items(found.id, ItemState.PROBLEM)
    assert (item.subject, item.problem) == ("deadly", "Crashed")


def test_nothing_is_written_while_nothing_is_to_do(app: Flask):
    jobs.work(NOW)
    with counted() as sent:
        jobs.work(NOW)
    assert len(sent) == 1
    assert sent[0].startswith("SELECT")


def test_a_kind_nobody_knows_waits(app: Flask, monkeypatch: pytest.MonkeyPatch):
    job = begin("a")
    monkeypatch.delitem(jobs.HANDLERS, KIND)
    assert jobs.work(NOW) == 0
    assert look(job).running


def test_jobs_wait_while_nothing_may_be_written(app: Flask, monkeypatch: pytest.MonkeyPatch):
    job = begin("a")
    monkeypatch.setattr(readonly.Gate, "reason", readonly.Reason.SWITCH)
    assert jobs.work(NOW) == 0
    monkeypatch.undo()
    jobs.HANDLERS[KIND] = Handler(note)
    assert look(job).running


# kill -9

SCRIPT = textwrap.dedent(
    """
    import sys
    from datetime import datetime
    from lms.app import create_app
    from lms.config import Config
    from lms.core import audit, jobs
    app = create_app(Config(database_url=sys.argv[1], secret_key="x" * 40, testing=True))
    jobs.HANDLERS["test.note"] = jobs.Handler(
        lambda task, _p, now: audit.record("test.note", task.subject, actor_id=None, now=now)
    )
    with app.app_context():
        print(jobs.work(datetime.fromisoformat(sys.argv[2])))
    """
)
ROOT = Path(__file__).parents[2]


def worker(url: str, now: datetime, crash: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", SCRIPT, url, now.isoformat()],
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=unmeasured(SULUH_CRASH_AT=crash),
        timeout=60,
    )


@pytest.mark.parametrize("crash", ["1", "2:2", "3:2", "4:2", "5:2", "6"])
def test_after_kill_9_anywhere_the_next_worker_goes_on(make_app: Callable[..., Flask], crash: str):
    app = make_app()
    with app.app_context():
        job = begin("a", "b", "c")
        db.session.remove()
    url = app.config["SQLALCHEMY_DATABASE_URI"]
    died = worker(url, NOW, crash)
    assert died.returncode == -signal.SIGKILL, died.stderr
    with app.app_context():
        assert look(job).running
        assert jobs.work(NOW + jobs.LEASE / 2) == 0, "the lease of the dead still holds"
        jobs.work(NOW + jobs.LEASE * 3)
        found = look(job)
        assert (found.done, found.running) == (3, False)
        assert notes() == ["a", "b", "c"]
        assert db.session.scalar(select(func.count()).select_from(Job)) == 1
