"""Two tabs, double clicks and late requests, on both databases."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier, BrokenBarrierError, Event
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from lms.competency.models import Evidence
from lms.core.db import db, unit_of_work
from lms.core.group_commit import Execute
from lms.quizzes import rules, services
from lms.quizzes.models import AnswerEvent, Attempt, AttemptItem, Quiz
from lms.quizzes.services import AttemptRef
from tests import factories
from tests.factories import NOW
from tests.quizzes.helpers import DAY, answer, begin, drawn, hand_in

pytestmark = pytest.mark.both
CROWD = 6


def at_once(app: Flask, *calls: Callable[[], Any]) -> list[Any]:
    """Run calls in threads that start together; an error is a result too."""
    barrier = Barrier(len(calls))

    def run(call: Callable[[], Any]) -> Any:
        with app.app_context():
            try:
                barrier.wait(10)
                return call()
            except Exception as error:  # the test looks at it
                return error
            finally:
                db.session.remove()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


@pytest.fixture
def person_id(bare_app: Flask) -> int:
    with bare_app.app_context():
        return factories.person().id


@pytest.fixture
def ref(bare_app: Flask, person_id: int) -> AttemptRef:
    with bare_app.app_context():
        return begin(person_id)


def count(app: Flask, column) -> int:
    with app.app_context():
        return db.session.scalar(select(func.count(column)))


def test_many_clicks_open_one_sitting(bare_app: Flask, person_id: int):
    found = at_once(bare_app, *[lambda: begin(person_id)] * CROWD)
    assert {type(one) for one in found} == {AttemptRef}
    assert len(set(found)) == 1
    assert count(bare_app, Attempt.id) == 1
    assert count(bare_app, AttemptItem.id) == 26


def test_one_request_that_arrives_many_times_is_one_answer(bare_app: Flask, ref: AttemptRef):
    calls = [
        lambda n=n: answer(ref, 1, 2, client_key="same-key", seq=1, now=NOW + n * DAY)
        for n in range(CROWD)
    ]
    found = at_once(bare_app, *calls)
    assert {type(one) for one in found} == {services.Saved}
    assert len(set(found)) == 1
    assert count(bare_app, AnswerEvent.id) == 1


def test_of_two_values_under_one_key_one_is_refused(bare_app: Flask, ref: AttemptRef):
    calls = [lambda c=c: answer(ref, 1, c, client_key="same-key", seq=1) for c in (1, 2)]
    found = at_once(bare_app, *calls)
    assert {type(one) for one in found} == {services.Saved, rules.KeyReused}
    assert count(bare_app, AnswerEvent.id) == 1


def test_handing_in_many_times_at_once_counts_once(bare_app: Flask, ref: AttemptRef):
    found = at_once(bare_app, *[lambda n=n: hand_in(ref, NOW + n * DAY) for n in range(CROWD)])
    assert set(found) == {None}
    assert count(bare_app, Evidence.id) == 26


def test_an_answer_with_a_receipt_is_marked_even_when_handed_in_meanwhile(
    bare_app: Flask, ref: AttemptRef
):
    with bare_app.app_context():
        lines = drawn(ref)
    calls: list[Callable[[], Any]] = [
        lambda line=line: answer(ref, line[0], line[4]) for line in lines[: 2 * CROWD]
    ]
    calls.insert(CROWD, lambda: hand_in(ref))
    found = at_once(bare_app, *calls)
    del found[CROWD]
    assert {type(one) for one in found} <= {services.Saved, rules.AttemptClosed}
    acknowledged = {
        str(line[3])
        for line, one in zip(lines, found, strict=False)
        if isinstance(one, services.Saved)
    }
    with bare_app.app_context():
        right = set(db.session.scalars(select(Evidence.ref).where(Evidence.passed)))
    assert right == acknowledged
    assert count(bare_app, AnswerEvent.id) == len(acknowledged)


def meet(original: Callable[..., Any], barrier: Barrier) -> Callable[..., Any]:
    """Let two threads come this far before either goes on, where the database lets them."""

    def wrapped(*args: Any) -> Any:
        found = original(*args)
        with suppress(BrokenBarrierError):  # SQLite lets in one writer after the other
            barrier.wait(0.5)
        return found

    return wrapped


def test_two_who_both_saw_no_sitting_open_one(
    bare_app: Flask, person_id: int, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(services, "_seen", meet(services._seen, Barrier(2)))
    found = at_once(bare_app, lambda: begin(person_id), lambda: begin(person_id))
    assert {type(one) for one in found} == {AttemptRef}
    assert len(set(found)) == 1
    assert count(bare_app, AttemptItem.id) == 26


def test_two_who_both_saw_no_such_key_store_one(
    bare_app: Flask, ref: AttemptRef, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(services, "_place", meet(services._place, Barrier(2)))
    call = lambda: answer(ref, 1, 2, client_key="same-key", seq=1)  # noqa: E731
    found = at_once(bare_app, call, call)
    assert found == [services.Saved(NOW, counts=True)] * 2
    assert count(bare_app, AnswerEvent.id) == 1


def test_handing_in_waits_for_an_answer_that_was_let_in(
    bare_app: Flask, ref: AttemptRef, monkeypatch: pytest.MonkeyPatch
):
    let_in, handed_in, original = Event(), Event(), services._store

    def slow(event: dict[str, Any], execute: Execute) -> bool:
        let_in.set()
        assert not handed_in.wait(0.5)
        return original(event, execute)

    def end() -> None:
        assert let_in.wait(10)
        hand_in(ref)
        handed_in.set()

    with bare_app.app_context():
        position, *_rest, right = drawn(ref)[0]
    monkeypatch.setattr(services, "_store", slow)
    found = at_once(bare_app, lambda: answer(ref, position, right), end)
    assert found == [services.Saved(NOW, counts=True), None]
    with bare_app.app_context():
        assert db.session.scalar(select(func.count(Evidence.id)).where(Evidence.passed)) == 1


def test_the_tables_refuse_what_the_services_never_do(bare_app: Flask, ref: AttemptRef):
    with bare_app.app_context():
        answer(ref, 1, 2, client_key="same-key")
        quiz = db.session.scalars(select(Quiz.id).where(Quiz.curriculum_code == "K1")).one()
        values = {"quiz_id": quiz, "person_id": ref.person_id, "kuk": [], "opened_at": NOW}
        line = db.session.scalars(select(AttemptItem).limit(1)).one()
        event = db.session.scalars(select(AnswerEvent)).one()
        twice = [
            Attempt(**values, number=2),  # a second open sitting
            Attempt(**values, number=1, closed_at=NOW),  # a second first one
            AnswerEvent(
                attempt_id=event.attempt_id,
                attempt_item_id=event.attempt_item_id,
                client_key="same-key",
                seq=2,
                received_at=NOW,
            ),
            AttemptItem(
                attempt_id=line.attempt_id,
                item_version_id=line.item_version_id,
                position=27,
                option_order="ABCD",
            ),
        ]
        db.session.rollback()
        for row in twice:
            with pytest.raises(IntegrityError), unit_of_work():
                db.session.add(row)
