"""Who marks which written answer, once, and what becomes of it."""

import re
from datetime import timedelta
from fractions import Fraction
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Select, func, insert, select, text, update

from lms.cohorts import services as cohorts
from lms.cohorts.models import ConflictKind
from lms.cohorts.services import MayNotAssess
from lms.competency import services as competency
from lms.competency.models import Evidence, EvidenceVoid, StandardVersion
from lms.competency.rules import EvidenceKind
from lms.core import audit
from lms.core.db import db, unit_of_work
from lms.core.errors import NotFound
from lms.core.models import AuditEvent
from lms.operations import reconcile
from lms.privacy import erasure
from lms.quizzes import corrections, sheets
from lms.quizzes.classes import services as classes
from lms.quizzes.essays import rules, services
from lms.quizzes.models import AnswerEvent, AnswerMark, Attempt, AttemptItem, Item, ItemVersion
from tests import factories
from tests.factories import NOW
from tests.quizzes.essays import helpers
from tests.quizzes.essays.helpers import Room, ask, kuk, lines, sit, sit_class_quiz, viewer_of
from tests.quizzes.helpers import answer, begin
from tests.races import race

LATER = NOW + timedelta(days=2)
HALF = Fraction(1, 2)


@pytest.fixture
def room(app: Flask) -> Room:
    return Room()


def mark(ref, viewer, level=2, note="", position=None, now=LATER) -> bool:
    with unit_of_work():
        return services.mark(
            ref.public_id, position or lines(ref)[0], viewer, level=level, note=note, now=now
        )


def entries(ref) -> list[Evidence]:
    """The entries of the ledger about essays of a sitting."""
    return list(
        db.session.scalars(
            select(Evidence)
            .join(ItemVersion, func.cast(ItemVersion.id, db.String) == Evidence.ref)
            .where(Evidence.group_key == ref.public_id, ItemVersion.kind == "essay")
        )
    )


def waiting(viewer) -> list[tuple[str, int]]:
    return [(line.public_id, line.waiting) for line in services.queue(viewer).lines]


@pytest.mark.both
def test_a_mark_becomes_evidence_of_the_sitting(room: Room):
    code = kuk(critical=False)
    ask(code)
    ref = sit(room.people[0].id)
    viewer = room.viewer
    (line,) = services.queue(viewer).lines
    assert (line.person, line.curriculum, line.title) == ("Peserta 0", "K1", "")
    assert (line.position, line.waiting, line.closed_at) == (lines(ref)[0], 1, NOW)
    assert entries(ref) == []

    assert mark(ref, viewer, 1, "Tanyakan juga keadaan anak.") is True

    (entry,) = entries(ref)
    assert (entry.kuk, entry.passed, entry.source) == (code, True, "K1")
    assert (entry.person_id, entry.assessor_id) == (room.people[0].id, viewer.id)
    assert (entry.happened_at, entry.recorded_at) == (NOW, LATER)
    assert entry.note == "Tanyakan juga keadaan anak."
    assert waiting(viewer) == []
    assert services.find_next(ref.public_id, viewer) is None
    trail = db.session.scalars(select(AuditEvent).where(AuditEvent.action == "quizzes.mark")).one()
    assert (trail.actor_id, trail.detail["level"]) == (viewer.id, 1)
    assert "anak" not in str(trail.detail)
    audit.verify()
    assert reconcile.reconcile().problems == []


@pytest.mark.parametrize(
    ("critical", "level", "passed"),
    [(False, 0, False), (False, 1, True), (True, 1, False), (True, 2, True)],
)
def test_what_passes(room: Room, critical, level, passed):
    ask(kuk(critical))
    ref = sit(room.people[0].id)

    assert mark(ref, room.viewer, level, "Catatan.") is passed

    assert [entry.passed for entry in entries(ref)] == [passed]
    assert reconcile.reconcile().problems == []


def test_the_trainee_reads_level_and_note(room: Room):
    ask(kuk(critical=False))
    ref = sit(room.people[0].id)
    before = sheets.get_result(ref, now=LATER)
    assert len(before.by(sheets.Outcome.WAITING)) == 1

    mark(ref, room.viewer, 0, "Jangan menghubungi pelaku.")

    after = sheets.get_result(ref, now=LATER)
    assert after.by(sheets.Outcome.WAITING) == []
    (question,) = [one for entry in after.kuk for one in entry.questions if one.reading is not None]
    assert (question.reading.level, question.reading.passed) == (0, False)
    assert question.reading.note == "Jangan menghubungi pelaku."
    assert question.right is False


def test_an_answer_is_marked_once(room: Room):
    ask(kuk(critical=False))
    ref = sit(room.people[0].id)
    mark(ref, room.viewer, 0, "Belum.")

    for again in (room.viewer, viewer_of(room.trainer, "trainer")):
        with pytest.raises(services.AlreadyMarked):
            mark(ref, again, 2)

    assert [row.level for row in db.session.scalars(select(AnswerMark))] == [0]
    assert len(entries(ref)) == 1
    essay = services.get_essay(ref.public_id, lines(ref)[0], room.viewer)
    assert (essay.mark.level, essay.marked_by) == (0, "Bu Penilai")


@pytest.mark.parametrize(
    ("level", "note", "error"), [(1, "", rules.NoNote), (3, "a", rules.NoLevel)]
)
def test_a_mark_that_is_none_is_refused(room: Room, level, note, error):
    ask(kuk(critical=False))
    ref = sit(room.people[0].id)
    with pytest.raises(error):
        mark(ref, room.viewer, level, note)
    assert db.session.scalar(select(func.count(AnswerMark.id))) == 0


@pytest.mark.both
def test_two_who_mark_at_once_leave_one_mark(bare_app: Flask):
    with bare_app.app_context():
        room = Room()
        ask(kuk(critical=False))
        ref = sit(room.people[0].id)
        viewers = [room.viewer, viewer_of(room.trainer, "trainer")] * 2
        position = lines(ref)[0]
        db.session.remove()

    found = race(
        bare_app,
        [
            lambda one=one, level=level: mark(ref, one, level, "Catatan.", position)
            for one, level in zip(viewers, (0, 1, 2, 0), strict=True)
        ],
    )

    refused = [one for one in found if isinstance(one, services.AlreadyMarked)]
    assert len(refused) == 3, found
    with bare_app.app_context():
        (row,) = db.session.scalars(select(AnswerMark))
        (entry,) = entries(ref)
        assert (entry.passed, entry.assessor_id) == (row.passed, row.by_id)
        events = select(func.count(AuditEvent.id)).where(AuditEvent.action == "quizzes.mark")
        assert db.session.scalar(events) == 1


def test_who_may_mark(room: Room):
    ask(kuk(critical=False))
    person_id = room.people[0].id
    ref = sit(person_id)
    position = lines(ref)[0]
    admin, stranger = factories.person("admin"), factories.person("assessor")
    factories.staff(stranger, factories.cohort())
    for viewer in (room.viewer, viewer_of(room.trainer, "trainer"), viewer_of(admin, "admin")):
        assert waiting(viewer) == [(ref.public_id, 1)]
        assert services.get_essay(ref.public_id, position, viewer).text == helpers.TEXT
    outside = viewer_of(stranger, "assessor")
    assert waiting(outside) == []
    assert services.find_next(ref.public_id, outside) is None
    with pytest.raises(NotFound):
        services.get_essay(ref.public_id, position, outside)
    with pytest.raises(NotFound):
        mark(ref, outside)


@pytest.mark.parametrize("role", ["assessor", "admin"])
def test_nobody_marks_a_relative(room: Room, role):
    ask(kuk(critical=False))
    person_id = room.people[0].id
    ref = sit(person_id)
    with unit_of_work():
        cohorts.declare_conflict(
            room.assessor.id, person_id, ConflictKind.RELATIVE, declared_by=person_id, now=NOW
        )
    viewer = viewer_of(room.assessor, role)
    assert waiting(viewer) == []
    with pytest.raises(MayNotAssess):
        services.get_essay(ref.public_id, lines(ref)[0], viewer)
    with pytest.raises(MayNotAssess):
        mark(ref, viewer)
    assert waiting(viewer_of(room.trainer, "trainer")) == [(ref.public_id, 1)]


def test_nobody_marks_themselves(room: Room):
    ask(kuk(critical=False))
    factories.seat(room.trainer, room.cohort)
    ref = sit(room.trainer.id)
    own = viewer_of(room.trainer, "trainer")
    assert waiting(own) == []
    assert waiting(room.viewer) == [(ref.public_id, 1)]
    with pytest.raises(MayNotAssess):
        mark(ref, own)
    with pytest.raises(NotFound):
        mark(ref, viewer_of(room.trainer, "admin"))


@pytest.mark.both
@pytest.mark.parametrize("text", ["", "  ", helpers.START])
def test_what_was_left_open_is_wrong_at_once(room: Room, text):
    ask(kuk(critical=False))
    ref = sit(room.people[0].id, text)
    assert waiting(room.viewer) == []
    assert [entry.passed for entry in entries(ref)] == [False]
    with pytest.raises(NotFound):
        mark(ref, room.viewer)


def test_a_running_sitting_is_nobodys_to_read(room: Room):
    ask(kuk(critical=False))
    ref = begin(room.people[0].id)
    answer(ref, lines(ref)[0], None, values=[helpers.TEXT])
    assert waiting(room.viewer) == []
    with pytest.raises(NotFound):
        services.get_essay(ref.public_id, lines(ref)[0], room.viewer)


def test_a_question_that_was_called_faulty_waits_no_more(room: Room):
    code = kuk(critical=False)
    ask(code)
    ref = sit(room.people[0].id)
    with unit_of_work():
        corrections.correct(
            wording_of(ref), None, reason="Keliru.",
            by_id=room.trainer.id, now=LATER,
        )  # fmt: skip

    assert waiting(room.viewer) == []
    with pytest.raises(NotFound):
        mark(ref, room.viewer)
    result = sheets.get_result(ref, now=LATER)
    assert result.by(sheets.Outcome.WAITING) == []
    assert reconcile.reconcile().problems == []


def fault(room: Room, ref, *, now) -> None:
    """Call the first essay of a sitting faulty, and mark the closed sittings again."""
    with unit_of_work():
        made = corrections.correct(
            wording_of(ref), None, reason="Keliru.", by_id=room.trainer.id, now=now
        )
    again = corrections.get_correction(made.public_id)
    with unit_of_work():
        for sitting in corrections.look_at(made.sittings, corrections.versions_of(again), None):
            corrections.rescore(again, sitting, now=now)


def wording_of(ref) -> corrections.Wording:
    slug, number = db.session.execute(
        select(Item.slug, ItemVersion.number)
        .join(ItemVersion, ItemVersion.item_id == Item.id)
        .where(ItemVersion.id == version_of(ref))
    ).one()
    return corrections.get_wording(slug, number)


def version_of(ref) -> int:
    return db.session.scalars(
        select(AttemptItem.item_version_id)
        .join(Attempt, Attempt.id == AttemptItem.attempt_id)
        .where(
            Attempt.public_id == ref.public_id,
            AttemptItem.position == lines(ref)[0],
        )
    ).one()


def test_a_faulty_question_that_was_marked_leaves_the_ledger_and_not_the_sheet(room: Room):
    ask(kuk(critical=False))
    ref = sit(room.people[0].id)
    mark(ref, room.viewer, 2)
    fault(room, ref, now=LATER)

    (entry,) = entries(ref)
    assert db.session.scalars(select(EvidenceVoid.evidence_id)).all() == [entry.id]
    result = sheets.get_result(ref, now=LATER)
    (read,) = [one for part in result.kuk for one in part.questions if one.reading]
    assert (read.counts, read.right, read.corrected.reason) == (True, True, "Keliru.")
    assert reconcile.reconcile().problems == []


def test_a_standard_that_came_later_does_not_mark_it(room: Room):
    """Its other questions were recorded under the standard of that day."""
    ask(kuk(critical=False))
    ref = sit(room.people[0].id)
    old = db.session.scalars(select(StandardVersion).order_by(StandardVersion.id.desc())).first()
    with unit_of_work():
        db.session.add(
            StandardVersion(version="lain", digest="lain", document=old.document, loaded_at=LATER)
        )
    mark(ref, room.viewer, 2)
    standards = db.session.scalars(
        select(Evidence.standard_version_id).where(Evidence.group_key == ref.public_id).distinct()
    ).all()
    assert standards == [old.id]


def test_a_sitting_of_essays_alone_is_marked_by_the_standard_of_today(room: Room):
    standard = competency.current().standard
    ask(*[one.code for one in standard.of("K1") if EvidenceKind.Q in one.ev])
    ref = sit(room.people[0].id)
    assert waiting(room.viewer) == [(ref.public_id, 26)]
    first = lines(ref)[0]

    mark(ref, room.viewer, 2)

    assert waiting(room.viewer) == [(ref.public_id, 25)]
    assert services.find_next(ref.public_id, room.viewer) == lines(ref)[1]
    assert services.get_essay(ref.public_id, first, room.viewer).mark is not None
    assert len(entries(ref)) == 1


@pytest.mark.both
def test_the_list_is_paged_oldest_first(room: Room, monkeypatch):
    monkeypatch.setattr(services, "PAGE", 2)
    ask(kuk(critical=False))
    people = [*room.people, *(factories.person(name=f"Orang {n}") for n in range(3))]
    for one in people[2:]:
        factories.seat(one, room.cohort)
    moments = [5, 3, 1, 3, 4]
    refs = [
        sit(one.id, now=NOW + timedelta(hours=hour))
        for one, hour in zip([db.session.merge(p) for p in people], moments, strict=True)
    ]
    seen, after = [], None
    for _page in range(3):
        found = services.queue(room.viewer, after=after)
        seen += [line.public_id for line in found.lines]
        after = found.after
    assert after is None
    assert seen == [refs[n].public_id for n in (2, 1, 3, 4, 0)]
    with pytest.raises(NotFound):
        services.queue(room.viewer, after="tidak-ada")


def write_and_mark(ref: sheets.AttemptRef, marker_id: int, count: int) -> None:
    """Let the writer of a sitting have written and been marked so often before; others chose."""
    old = db.session.scalars(select(Attempt).where(Attempt.public_id == ref.public_id)).one()
    version = version_of(ref)
    others = db.session.scalars(select(ItemVersion.id).where(ItemVersion.id != version)).all()
    rows = [
        {"quiz_id": old.quiz_id, "person_id": old.person_id, "number": n, "kuk": [],
         "opened_at": NOW, "closed_at": NOW, "public_id": f"dahulu{n}"}
        for n in range(10, 10 + count)
    ]  # fmt: skip
    attempts = db.session.scalars(insert(Attempt).returning(Attempt.id), rows).all()
    asked = [
        {"attempt_id": attempt, "item_version_id": one, "position": n, "option_order": ""}
        for attempt in attempts
        for n, one in enumerate([version, *others[:9]], 1)
    ]
    db.session.execute(insert(AttemptItem), asked)
    items = db.session.execute(
        select(AttemptItem.id, AttemptItem.attempt_id).where(
            AttemptItem.attempt_id.in_(attempts), AttemptItem.item_version_id == version
        )
    ).all()
    db.session.execute(
        insert(AnswerEvent),
        [
            {"attempt_id": attempt, "attempt_item_id": item, "client_key": "k", "seq": 1,
             "response": {"text": helpers.TEXT}, "received_at": NOW}
            for item, attempt in items
        ],
    )  # fmt: skip
    db.session.execute(
        insert(AnswerMark),
        [
            {"attempt_item_id": item, "level": 2, "passed": True, "note": "", "by_id": marker_id,
             "at": NOW}
            for item, _attempt in items
        ],
    )  # fmt: skip
    db.session.commit()
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))


def plan_of(query: Select[Any]) -> str:
    """Return how the database carries out a query; PostgreSQL does so while it says it."""
    asked = query.compile(db.engine, compile_kwargs={"literal_binds": True})
    is_sqlite = db.engine.name == "sqlite"
    explain = "EXPLAIN QUERY PLAN" if is_sqlite else "EXPLAIN (ANALYZE, COSTS OFF)"
    return "\n".join(row[-1] for row in db.session.connection().exec_driver_sql(
        f"{explain} {asked}".replace("%", "%%")))  # fmt: skip


@pytest.mark.both
def test_what_was_marked_costs_a_look_into_an_index(room: Room):
    """The desk counts what waits on each visit of an assessor, in an office of many years."""
    (ref,) = sit_class_quiz(room.trainer, room.cohort_id, room.people[:1])
    viewer = room.viewer
    write_and_mark(ref, room.assessor.id, 300)
    assert [row[1] for row in db.session.execute(services.waiting_query(viewer))] == [1]
    plan = plan_of(services.waiting_query(viewer))
    for index in (
        "ix_item_version_kind", "ix_attempt_item_item_version_id",
        "ix_answer_event_attempt_item_id",
    ):  # fmt: skip
        assert index in plan, plan
    if db.engine.name == "sqlite":
        looked = re.findall(r"^(?:SEARCH|SCAN) (\w+)", plan, re.MULTILINE)
        assert looked.index("answer_mark") < looked.index("unread") < looked.index("attempt")
        scanned = set(re.findall(r"^SCAN (\w+)", plan, re.MULTILINE))
        assert not scanned & {"attempt", "attempt_item", "answer_event", "answer_mark"}, plan
    else:
        texts = re.findall(r"on answer_event\w* .*loops=(\d+)", plan)
        assert texts, plan
        assert max(map(int, texts)) <= 2, plan  # only what waits is opened


# Quizzes of a class


@pytest.mark.both
def test_in_the_quiz_of_a_class_only_the_result_changes(room: Room):
    (ref,) = sit_class_quiz(room.trainer, room.cohort_id, room.people[:1])
    (line,) = services.queue(room.viewer).lines
    assert line.title == "Tulisan pendek"
    before = classes.list_answered(ref)
    assert (before[0].waits, before[0].earned) == (True, None)

    mark(ref, room.viewer, 1, "Hampir.", position=1)

    (after,) = classes.list_answered(ref)
    assert (after.waits, after.earned, after.reading.note) == (False, HALF, "Hampir.")
    quiz_id = db.session.scalars(
        select(Attempt.quiz_id).where(Attempt.public_id == ref.public_id)
    ).one()
    ((_item, earned),) = classes.papers([quiz_id])[quiz_id][0].marks
    assert earned == HALF
    assert db.session.scalar(select(func.count(Evidence.id))) == 0
    assert services.get_essay(ref.public_id, 1, room.viewer).is_evidence is False


# Erasure


@pytest.mark.both
def test_erasure_takes_what_was_written_and_leaves_the_rest(room: Room):
    ask(kuk(critical=False), kuk(critical=True))
    one, other = (person.id for person in room.people)
    refs = {who: sit(who) for who in (one, other)}
    mark(refs[one], room.viewer, 0, "Catatan tentang tulisan.")
    left = waiting(room.viewer)
    assert refs[one].public_id in dict(left)
    choices = select(AnswerEvent.id, AnswerEvent.choice).order_by(AnswerEvent.id)
    before = db.session.execute(choices).all()

    with unit_of_work():
        erasure.erase(one, now=LATER)

    texts = {who: texts_of(who) for who in (one, other)}
    assert set(texts[one]) == {"(dihapus)"}
    assert set(texts[other]) == {"Belum selesai", helpers.TEXT}
    assert db.session.execute(choices).all() == before
    (row,) = db.session.scalars(select(AnswerMark))
    assert (row.level, row.note) == (0, "(dihapus)")
    assert [public_id for public_id, _n in waiting(room.viewer)] == [refs[other].public_id]
    assert reconcile.reconcile().problems == []


@pytest.mark.parametrize("text", ["", helpers.START])
def test_an_essay_left_open_stays_so_after_erasure(room: Room, text):
    ask(kuk(critical=False))
    one = room.people[0].id
    sit(one, text)
    with unit_of_work():
        erasure.erase(one, now=LATER)
    assert text in texts_of(one)
    assert "Belum selesai" not in texts_of(one)
    assert reconcile.reconcile().problems == []


def test_other_types_stay_after_erasure(room: Room):
    """A verdict on a short answer is worked out from it again."""
    ask(kuk(critical=False))
    one = room.people[0].id
    ref = sit(one)
    with unit_of_work():
        version = version_of(ref)
        db.session.execute(
            update(ItemVersion)
            .where(ItemVersion.id == version)
            .values(kind="short_answer", body={"accepted": [{"pattern": "x"}]})
        )
    before = texts_of(one)
    with unit_of_work():
        erasure.erase(one, now=LATER)
    assert texts_of(one) == before


def texts_of(person_id: int) -> list[str]:
    rows = db.session.scalars(
        select(AnswerEvent.response)
        .join(Attempt, Attempt.id == AnswerEvent.attempt_id)
        .where(Attempt.person_id == person_id, AnswerEvent.response.is_not(None))
    )
    return [row["text"] for row in rows]
