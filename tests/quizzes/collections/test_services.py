"""Files go into collections and come out again as they were."""

from datetime import timedelta

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from lms.cohorts import services as cohorts
from lms.cohorts.models import Part
from lms.core.db import db, unit_of_work
from lms.core.errors import Forbidden, NotFound
from lms.core.models import AuditEvent
from lms.quizzes.collections import labels, rules, services
from lms.quizzes.collections.models import (
    CollectedImage,
    CollectedQuestion,
    CollectedTag,
    ImportState,
    QuestionImage,
    QuestionImport,
)
from lms.quizzes.collections.services import Filter
from lms.quizzes.exchange import features, formats, problems
from lms.quizzes.exchange.batch import Batch
from lms.quizzes.exchange.problems import Key
from tests import factories
from tests.factories import NOW
from tests.quizzes.collections import helpers
from tests.quizzes.collections.helpers import GIFT, MOODLE, PNG, viewer_of
from tests.quizzes.exchange import strategies


def count(model: type) -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(model))


def id_of(public_id: str, someone: object) -> int:
    return services.get_collection(public_id, viewer_of(someone, "admin")).id


@pytest.mark.both
def test_a_file_is_seen_only_once_it_is_confirmed(app: Flask):
    someone = factories.person("trainer")
    where = helpers.collection(someone)
    made = helpers.preview(someone, where)
    found = helpers.file_of(made)
    assert found.counts == {
        "single": 1, "short_answer": 1, "true_false": 1, "matching": 1, "numeric": 1
    }  # fmt: skip
    assert found.refused == 1
    assert [one["line"] for one in found.problems if one["severity"] == "error"] == [9]
    assert services.list_questions(found.collection_id, Filter())[1] == 0
    assert services.count_labels(found.collection_id) == {}
    with unit_of_work():
        services.confirm(made, viewer_of(someone, "trainer"), now=NOW)
    with unit_of_work():  # a double click
        services.confirm(made, viewer_of(someone, "trainer"), now=NOW + timedelta(hours=1))
    found = helpers.file_of(made)
    assert found.confirmed_at == NOW
    lines, total = services.list_questions(found.collection_id, Filter())
    assert total == 5
    assert [line.row.code for line in lines] == ["S1", "S2", "S3", "S4", "S5"]
    labels_ = services.count_labels(found.collection_id)
    assert labels_ == {"kuk:02.1.1": 2, "law:UU 23/2004 ps 16": 1}
    tagged = services.list_questions(found.collection_id, Filter(label="kuk:02.1.1"))
    assert tagged[1] == 2
    assert services.list_questions(found.collection_id, Filter(kind="numeric"))[1] == 1
    assert services.count_kinds(found.collection_id)["matching"] == 1
    assert db.session.scalar(
        select(func.count()).where(AuditEvent.action == "collections.confirm")
    ) == 1  # fmt: skip


@pytest.mark.both
def test_taken_back_a_file_leaves_nothing_but_what_is_in_a_quiz(app: Flask):
    someone = factories.person("trainer")
    viewer = viewer_of(someone, "trainer")
    where = helpers.collection(someone)
    made = helpers.bring(someone, where, MOODLE, "moodle-xml")
    kept = helpers.bring(someone, where)
    assert count(QuestionImage) == 1
    with unit_of_work():
        assert services.undo(made, viewer, now=NOW) == services.Undone(1, 0)
    assert count(QuestionImage) == count(CollectedImage) == 0
    with unit_of_work():
        first = services.list_all(id_of(where, someone), Filter())[0]
        assert set(services.take([first.id, 999_999], now=NOW)) == {first.id}
    with unit_of_work():
        assert services.undo(kept, viewer, now=NOW) == services.Undone(4, 1)
    with unit_of_work():
        assert services.undo(kept, viewer, now=NOW) is None
    assert count(CollectedQuestion) == 1
    assert services.list_all(id_of(where, someone), Filter()) == []
    with unit_of_work():  # what is withdrawn goes into no further quiz
        assert services.take([first.id], now=NOW) == {}
    (line, other) = services.list_imports(id_of(where, someone))
    assert (line.kept, line.withdrawn) == (0, 1)
    assert (other.kept, other.withdrawn) == (0, 0)


def test_a_preview_lapses_and_gives_way_and_is_thrown_away(app: Flask):
    someone = factories.person("trainer")
    viewer = viewer_of(someone, "trainer")
    where = helpers.collection(someone)
    made = [helpers.preview(someone, where) for _ in range(rules.MOST_DRAFTS + 1)]
    drafts = services.list_drafts(id_of(where, someone), viewer)
    assert [one.public_id for one in drafts] == made[:0:-1]
    with unit_of_work():
        services.discard(made[1], viewer)
    assert services.clear_up(NOW + rules.DRAFT_LIFE - timedelta(seconds=1)) == 0
    with unit_of_work():
        services.confirm(made[2], viewer, now=NOW)
    with pytest.raises(rules.Settled), unit_of_work():
        services.discard(made[2], viewer)
    assert services.clear_up(NOW + rules.DRAFT_LIFE) == 3
    assert services.clear_up(NOW + rules.DRAFT_LIFE) == 0
    assert count(QuestionImport) == 1
    assert count(CollectedQuestion) == 5
    assert count(CollectedTag) == 3


def test_an_empty_file_is_not_confirmed(app: Flask):
    someone = factories.person("trainer")
    where = helpers.collection(someone)
    made = helpers.preview(someone, where, "tidak ada soal {")
    with pytest.raises(rules.NothingRead), unit_of_work():
        services.confirm(made, viewer_of(someone, "trainer"), now=NOW)
    assert helpers.file_of(made).state is ImportState.DRAFT


def test_a_collection_does_not_grow_without_end(app: Flask, monkeypatch: pytest.MonkeyPatch):
    someone = factories.person("trainer")
    where = helpers.collection(someone)
    helpers.bring(someone, where)
    monkeypatch.setattr(rules, "MOST_QUESTIONS", 9)
    with pytest.raises(rules.CollectionFull):
        helpers.preview(someone, where)
    assert count(CollectedQuestion) == 5


def test_one_file_is_read_at_a_time(app: Flask, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(services, "WAIT", 0.01)
    with services._one_at_a_time(), pytest.raises(services.Busy):
        services.read(b"a {=b}", "gift")
    assert services.read(b"a {=b}", "gift").counts == {"short_answer": 1}


def test_a_question_can_be_withdrawn_alone(app: Flask):
    someone, other = factories.person("trainer"), factories.person("trainer")
    where = helpers.collection(someone, shared=True)
    helpers.bring(someone, where)
    first = services.list_all(id_of(where, someone), Filter())[0].public_id
    with pytest.raises(Forbidden), unit_of_work():
        services.withdraw_question(where, first, viewer_of(other, "trainer"), now=NOW)
    viewer = viewer_of(someone, "trainer")
    with unit_of_work():
        assert services.withdraw_question(where, first, viewer, now=NOW)
    with unit_of_work():
        assert not services.withdraw_question(where, first, viewer, now=NOW)
    assert services.list_questions(id_of(where, someone), Filter())[1] == 4


def test_whose_a_collection_is_decides_who_finds_it(app: Flask):
    owner, colleague, stranger = (factories.person("trainer") for _ in range(3))
    admin = viewer_of(factories.person("admin"), "admin")
    agency, elsewhere = factories.organisation(), factories.organisation()
    for one in (owner, colleague):
        with unit_of_work():
            cohorts.add_member(one.id, agency.id, Part.STAFF)
    own = helpers.collection(owner, title="A sendiri")
    shared = helpers.collection(owner, title="B dibagi", shared=True)
    theirs = helpers.collection(owner, title="C instansi", organisation_id=agency.id)
    found = {
        name: [line.collection.public_id for line in services.list_collections(viewer)[0]]
        for name, viewer in {
            "owner": viewer_of(owner, "trainer"),
            "colleague": viewer_of(colleague, "trainer"),
            "stranger": viewer_of(stranger, "trainer"),
            "admin": admin,
        }.items()
    }
    assert found == {
        "owner": [own, shared, theirs],
        "colleague": [shared, theirs],
        "stranger": [shared],
        "admin": [own, shared, theirs],
    }
    assert services.list_collections(admin)[1] == 3
    with pytest.raises(NotFound):
        services.get_collection(own, viewer_of(colleague, "trainer"))
    assert services.get_collection(theirs, viewer_of(colleague, "trainer"), change=True)
    with pytest.raises(Forbidden):
        services.get_collection(shared, viewer_of(stranger, "trainer"), change=True)
    with pytest.raises(NotFound):
        services.get_collection("tidak-ada", admin)
    with pytest.raises(NotFound):
        services.get_import("tidak-ada", admin)
    with pytest.raises(NotFound):
        helpers.collection(owner, organisation_id=elsewhere.id)
    viewer = viewer_of(owner, "trainer")
    with pytest.raises(NotFound), unit_of_work():
        services.update_collection(
            own, "A", organisation_id=elsewhere.id, shared=False, viewer=viewer, now=NOW
        )
    with unit_of_work():
        services.update_collection(
            own, "A baru", organisation_id=agency.id, shared=False, viewer=viewer, now=NOW
        )
    assert services.get_collection(own, viewer_of(colleague, "trainer"), change=True).title == (
        "A baru"
    )
    noted = db.session.scalars(
        select(AuditEvent.action)
        .where(AuditEvent.subject == f"question_collection:{id_of(own, owner)}")
        .order_by(AuditEvent.id)
    ).all()
    assert noted == ["collections.create", "collections.change"]


def test_a_preview_is_only_for_who_may_confirm_it(app: Flask):
    owner, other = factories.person("trainer"), factories.person("trainer")
    where = helpers.collection(owner, shared=True)
    made = helpers.preview(owner, where)
    with pytest.raises(Forbidden):
        services.get_import(made, viewer_of(other, "trainer"))
    confirmed = helpers.bring(owner, where)
    assert services.get_import(confirmed, viewer_of(other, "trainer"))[0].state is (
        ImportState.CONFIRMED
    )
    with pytest.raises(Forbidden), unit_of_work():
        services.undo(confirmed, viewer_of(other, "trainer"), now=NOW)


def test_images_come_out_as_they_went_in(app: Flask):
    someone = factories.person("trainer")
    where = helpers.collection(someone)
    made = helpers.bring(someone, where, MOODLE, "moodle-xml")
    (question,) = services.whole(id_of(where, someone))
    assert [one.data for one in question.stem.images] == [PNG]
    assert "script" not in question.stem.value
    assert "onclick" not in question.stem.value
    told = helpers.file_of(made).problems
    assert {"image_refused", "markup"} <= {one["key"] for one in told}
    assert question.tags.kuk == ("03.1.1",)
    with pytest.raises(NotFound):
        services.find_image("0" * 64)


@given(questions=st.lists(strategies.questions, min_size=1, max_size=4))
@settings(
    max_examples=30,
    suppress_health_check=[
        HealthCheck.filter_too_much,
        HealthCheck.too_slow,
        HealthCheck.function_scoped_fixture,
    ],
)
def test_what_is_stored_is_given_out_with_its_meaning(app: Flask, questions: list):
    """A file, read, stored, and written again equals what was read, tags and all."""
    someone = factories.person("trainer")
    where = helpers.collection(someone)
    collection_id = id_of(where, someone)
    batch = Batch(tuple(questions))
    with unit_of_work():
        made = services.keep(
            batch, collection_id, source="x", format_="csv", actor_id=someone.id, now=NOW
        ).public_id
    with unit_of_work():
        services.confirm(made, viewer_of(someone, "admin"), now=NOW)
    stored = services.whole(collection_id)
    assert stored == questions
    for name in ("moodle-xml", "csv", "gift"):
        written = services.export(stored, name)
        assert written.data == formats.write(name, questions).data
        if written.count == len(questions):
            back = formats.read(name, written.data).questions
            told = {one.key for one in written.problems}
            assert told & {Key.TAG, Key.TAG_LOST} or (
                [one.tags for one in back] == [one.tags for one in questions]
            )
            assert [(one.tags.kuk, one.tags.law_ref) for one in back] == [
                (one.tags.kuk, one.tags.law_ref) for one in questions
            ]


def test_every_problem_and_feature_has_words(app: Flask):
    with app.test_request_context():
        for key in problems.Key:
            said = labels.explain(
                {
                    "key": str(key),
                    "values": {
                        name: "N"
                        for name in ("what", "most", "least", "format", "encoding", "count",
                                     "sum", "column")
                    },
                }
            )  # fmt: skip
            assert said
            assert "%(" not in said
    assert labels.FEATURES.keys() == set(features.Feature)
    assert GIFT
