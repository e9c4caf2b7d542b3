"""Quizzes of a class: put together, sat by its people, and never evidence."""

import logging
from datetime import timedelta
from fractions import Fraction

import pytest
from flask import Flask
from sqlalchemy import func, select

from lms.competency.models import Evidence
from lms.core.db import db, unit_of_work
from lms.core.errors import NotFound
from lms.core.models import AuditEvent
from lms.operations import reconcile
from lms.quizzes import rules as quiz_rules
from lms.quizzes import services as quizzes
from lms.quizzes import sheets, standing
from lms.quizzes.classes import rules, services
from lms.quizzes.classes.models import ClassQuiz, Purpose
from lms.quizzes.collections import services as collections
from lms.quizzes.models import Attempt, Item, ItemVersion, Quiz
from lms.quizzes.sheets import AttemptRef
from tests import factories
from tests.factories import NOW
from tests.quizzes.classes import helpers
from tests.quizzes.classes.helpers import DAY, Room
from tests.quizzes.collections import helpers as files
from tests.quizzes.collections.helpers import MOODLE, PNG, viewer_of


@pytest.mark.both
def test_a_class_sits_a_quiz_of_its_own_and_nothing_of_it_is_evidence(app: Flask):
    room = Room()
    code = room.quiz(tries=2)
    first, second = room.people
    ref = helpers.sit(first, code, right=3)
    helpers.sit(second, code, right=5)
    assert db.session.scalar(select(func.count()).select_from(Evidence)) == 0
    quiz_id = services.get(code, room.cohort_id).quiz_id
    papers = services.papers([quiz_id])[quiz_id]
    assert {paper.person_id: paper.share for paper in papers} == {
        first.id: Fraction(3, 5),
        second.id: Fraction(1),
    }
    assert [paper.right for paper in papers] == [3, 5]
    (alone,) = services.papers([quiz_id], public_id=ref.public_id)[quiz_id]
    assert alone == papers[0]
    assert services.papers([999_999]) == {}
    assert [line.people for line in services.list_of_class(room.cohort_id)] == [2]
    assert next((kind, stem) for _id, kind, stem in services.list_questions(quiz_id)) == (
        "single",
        "Siapa yang memutuskan?",
    )
    helpers.sit(first, code, right=5)
    papers = services.papers([quiz_id])[quiz_id]
    assert services.latest_of_each(papers)[first.id].share == 1
    with pytest.raises(rules.NoMoreTries), unit_of_work():
        services.open_attempt(first.id, code, now=NOW)


def test_what_only_curricula_may_do_leaves_quizzes_of_classes_alone(app: Flask):
    """Loading content, standings, guidance and reconciling see no quiz of a class."""
    room = Room(1)
    code = room.quiz(tries=2)
    (someone,) = room.people
    helpers.sit(someone, code, right=0)
    with unit_of_work():
        counts = quizzes.load([], now=NOW)
    assert counts["withdrawn"] > 0
    assert db.session.scalar(
        select(func.count()).where(Item.slug.startswith(code), Item.withdrawn_at.is_not(None))
    ) == 0  # fmt: skip
    assert code not in quizzes.quiz_states(someone.id, NOW)
    assert standing.waiting([someone.id], NOW) == {}
    assert db.session.execute(standing.history_query(someone.id)).all()
    assert code not in {row.code for row in db.session.execute(standing.history_query(someone.id))}
    report = reconcile.reconcile()
    assert report.problems == []
    attempt = services.list_own(room.cohort_id, someone.id)[0].closed[0][0]
    with pytest.raises(quiz_rules.OfClass):
        sheets.get_result(AttemptRef(attempt, code, someone.id), now=NOW)


@pytest.mark.both
def test_a_sitting_is_for_people_of_the_class_in_its_time(
    app: Flask, caplog: pytest.LogCaptureFixture
):
    room = Room(1)
    code = room.quiz(minutes=30)
    (someone,) = room.people
    stranger = factories.person()
    factories.seat(stranger, factories.cohort())
    with caplog.at_level(logging.WARNING), pytest.raises(NotFound), unit_of_work():
        services.open_attempt(stranger.id, code, now=NOW)
    assert "of another class" in caplog.text
    with pytest.raises(rules.NotOpenYet), unit_of_work():
        services.open_attempt(someone.id, code, now=NOW - 2 * DAY)
    with pytest.raises(rules.Over), unit_of_work():
        services.open_attempt(someone.id, code, now=NOW + 2 * DAY)
    with unit_of_work():
        ref = services.open_attempt(someone.id, code, now=NOW)
    with unit_of_work():
        assert services.open_attempt(someone.id, code, now=NOW) == ref
    attempt = db.session.scalars(select(Attempt)).one()
    assert attempt.deadline_at == NOW + timedelta(minutes=30)
    assert attempt.kuk == []
    own = services.get_own(code, room.cohort_id, someone.id)
    assert own.running == ref.public_id
    assert not own.may_begin(NOW)
    assert own.left == 0


def test_the_home_page_hears_of_what_is_open(app: Flask):
    room = Room(1)
    (someone,) = room.people
    code = room.quiz(title="Latihan minggu ini")
    room.quiz(opens_at=NOW + DAY, closes_at=NOW + 2 * DAY)

    def told(person_id: int) -> list[str]:
        return [row.code for row in db.session.execute(services.history_query(person_id, NOW))]

    assert told(someone.id) == [code]
    assert told(room.trainer.id) == []
    helpers.sit(someone, code, right=1)
    assert told(someone.id) == []


def test_a_test_before_or_after_is_sat_once_and_can_be_called_off(app: Flask):
    room = Room(1)
    code = room.quiz(purpose=Purpose.BEFORE, tries=5)
    assert services.get(code, room.cohort_id).tries == 1
    with unit_of_work():
        services.cancel(code, room.cohort_id, actor_id=room.trainer.id, now=NOW)
    with unit_of_work():
        services.cancel(code, room.cohort_id, actor_id=room.trainer.id, now=NOW + DAY)
    assert services.get(code, room.cohort_id).cancelled_at == NOW
    with pytest.raises(rules.Over), unit_of_work():
        services.open_attempt(room.people[0].id, code, now=NOW)
    with unit_of_work():
        services.change(
            code, room.cohort_id, title="Baru", opens_at=NOW, closes_at=NOW + DAY,
            shows_answers=False, actor_id=room.trainer.id, now=NOW,
        )  # fmt: skip
    own = services.get_own(code, room.cohort_id, room.people[0].id)
    assert (own.quiz.title, own.answers_from) == ("Baru", None)
    with pytest.raises(NotFound):
        services.get(code, factories.cohort().id)
    with pytest.raises(NotFound):
        services.get_own("TIDAKADA", room.cohort_id, room.people[0].id)
    assert services.find_class("TIDAKADA") is None
    assert services.find_class(code) == room.cohort.slug


@pytest.mark.both
def test_two_quizzes_are_bound_once_and_hide_their_keys_until_both_are_closed(app: Flask):
    room = Room(1)
    before = room.quiz(purpose=Purpose.BEFORE)
    after = room.quiz(purpose=Purpose.AFTER, opens_at=NOW + DAY, closes_at=NOW + 3 * DAY)
    other = room.quiz(purpose=Purpose.AFTER, opens_at=NOW + DAY, closes_at=NOW + 3 * DAY)
    own = services.get_own(before, room.cohort_id, room.people[0].id)
    assert own.answers_from == NOW + DAY
    made = {"actor_id": room.trainer.id, "now": NOW}
    with unit_of_work():
        public_id = services.pair(before, after, room.cohort_id, **made)
    with pytest.raises(rules.Paired), unit_of_work():
        services.pair(before, other, room.cohort_id, **made)
    with pytest.raises(rules.BadPair), unit_of_work():
        services.pair(after, before, room.cohort_id, **made)
    for one in (before, after):
        own = services.get_own(one, room.cohort_id, room.people[0].id)
        assert own.answers_from == NOW + 3 * DAY
    pairs = {line.code: line.pair for line in services.list_of_class(room.cohort_id)}
    assert pairs == {before: public_id, after: public_id, other: None}
    with pytest.raises(NotFound), unit_of_work():
        services.unpair(public_id, factories.cohort().id, **made)
    with unit_of_work():
        services.unpair(public_id, room.cohort_id, **made)
    noted = db.session.execute(
        select(AuditEvent.action, AuditEvent.actor_id, AuditEvent.detail)
        .where(AuditEvent.action.in_(["class_quizzes.pair", "class_quizzes.unpair"]))
        .order_by(AuditEvent.id)
    ).all()
    bound = {"before": services.get(before, room.cohort_id).quiz_id}
    bound["after"] = services.get(after, room.cohort_id).quiz_id
    assert [tuple(one) for one in noted] == [
        (f"class_quizzes.{verb}", room.trainer.id, bound) for verb in ("pair", "unpair")
    ]
    assert db.session.scalar(select(func.count()).select_from(ClassQuiz)) == 3


def test_what_is_in_a_quiz_stays_when_its_file_is_taken_back(app: Flask):
    room = Room(1)
    chosen = helpers.questions(room.collection)[:2]
    code = room.quiz(questions=[*chosen, chosen[0]])
    made = collections.list_imports(collections.get_collection(
        room.collection, viewer_of(room.trainer, "trainer")).id)[0].batch.public_id  # fmt: skip
    with unit_of_work():
        done = collections.undo(made, viewer_of(room.trainer, "trainer"), now=NOW)
    assert (done.deleted, done.withdrawn) == (3, 2)
    assert services.used_questions(code, room.cohort_id) == chosen
    helpers.sit(room.people[0], code, right=2)
    with pytest.raises(services.NoQuestions):
        room.quiz(questions=chosen)
    assert db.session.scalar(select(func.count()).where(Quiz.for_class.is_(True))) == 1


def test_images_go_along_into_the_quiz(app: Flask):
    room = Room(1)
    where = files.collection(room.trainer)
    files.bring(room.trainer, where, MOODLE, "moodle-xml")
    code = room.quiz(questions=helpers.questions(where))
    version = db.session.scalars(
        select(ItemVersion).join(Item, Item.id == ItemVersion.item_id)
        .where(Item.slug == f"{code}-1")
    ).one()  # fmt: skip
    assert [one.data for one in helpers.stored.unpack(
        version.kind, version.stem, version.body).stem.images] == [PNG]  # fmt: skip
    assert version.law_ref == []
