"""Essays that two assessors mark: blind, both kept, the lower counts, a third person decides."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from lms.cohorts.models import Part
from lms.competency import qualities
from lms.competency import services as competency
from lms.competency.models import Evidence
from lms.competency.rules import EvidenceKind, Ledger, State
from lms.core import audit
from lms.core.db import db, unit_of_work
from lms.core.models import AuditEvent
from lms.operations import reconcile
from lms.quizzes import sheets
from lms.quizzes.essays import services
from lms.quizzes.models import AnswerMark, Quiz
from lms.ratings import appeals
from lms.ratings import rules as rating_rules
from lms.ratings import services as ratings
from lms.ratings.models import Moderation, Rating
from lms.statistics import services as statistics
from lms.statistics.agreement import services as agreement
from tests import factories
from tests.factories import NOW
from tests.quizzes.essays.helpers import (
    TEXT,
    Room,
    ask,
    kuk,
    lines,
    sit,
    sit_class_quiz,
    viewer_of,
)
from tests.quizzes.essays.test_services import entries, fault, mark, waiting, wording_of
from tests.races import race

LATER = NOW + timedelta(days=2)
LAST = NOW + timedelta(days=3)
REASON = "Yang pokok ada dan urutannya aman."
FIRST, SECOND = "catatan kenari", "catatan merpati"


class Two(Room):
    """A class that wants two assessors for essays of K1, and has a third."""

    def __init__(self) -> None:
        super().__init__()
        self.judge_person = factories.person("assessor", name="Tiga Penengah")
        factories.staff(self.judge_person, self.cohort, Part.ASSESSOR)
        want(self, 2)

    @property
    def other(self):
        """The trainer, who marks second."""
        return viewer_of(self.trainer, "trainer")

    @property
    def judge(self):
        """Who has marked nothing."""
        return viewer_of(self.judge_person, "assessor")


def want(room: Room, raters: int, code: str = "K1") -> None:
    with unit_of_work():
        ratings.set_plan(
            room.cohort_id, {(EvidenceKind.Q, code): raters}, by_id=room.trainer.id, now=NOW
        )


@pytest.fixture
def room(app: Flask) -> Two:
    return Two()


def count(model: type) -> int:
    return db.session.scalar(select(func.count()).select_from(model))


def disputed(room: Two) -> tuple[sheets.AttemptRef, str]:
    """Let the two differ on every essay of a critical criterion; return sitting and one dispute."""
    ask(kuk(critical=True))
    ref = sit(room.people[0].id)
    for position in lines(ref):
        mark(ref, room.viewer, 1, FIRST, position)
        mark(ref, room.other, 2, SECOND, position)
    [*found] = ratings.list_disputes(room.judge.id)
    assert len(found) == len(lines(ref)) > 1
    return ref, found[0].public_id


@pytest.mark.both
def test_the_first_of_two_marks_says_nothing_to_anybody(room: Two):
    ask(kuk(critical=False))
    ref = sit(room.people[0].id)
    (position,) = lines(ref)

    assert mark(ref, room.viewer, 0, FIRST) is None

    assert count(AnswerMark) == 0
    assert entries(ref) == []
    result = sheets.get_result(ref, now=LATER)
    assert len(result.by(sheets.Outcome.WAITING)) == 1
    assert not any(one.reading for entry in result.kuk for one in entry.questions)
    for other in (room.other, room.judge):
        essay = services.get_essay(ref.public_id, position, other)
        assert (essay.raters, essay.own, essay.mark, essay.others) == (2, None, None, [])
        assert essay.marked_by == ""
        assert waiting(other) == [(ref.public_id, 1)]
        assert services.find_next(ref.public_id, other) == position
        assert db.session.execute(services.waiting_query(other)).one().count == 1
    own = services.get_essay(ref.public_id, position, room.viewer)
    assert (own.own.level, own.own.note) == (0, FIRST)
    assert waiting(room.viewer) == []
    assert services.find_next(ref.public_id, room.viewer) is None
    assert db.session.execute(services.waiting_query(room.viewer)).one().count == 0
    with pytest.raises(services.AlreadyMarked):
        mark(ref, room.viewer, 2)
    (event,) = db.session.scalars(select(AuditEvent).where(AuditEvent.action == "quizzes.rate"))
    assert event.detail == {"sitting": ref.public_id}
    assert reconcile.reconcile().problems == []


@pytest.mark.both
@pytest.mark.parametrize(("levels", "by"), [((0, 1), 0), ((2, 1), 1), ((1, 1), 0)])
def test_both_are_kept_and_the_lower_one_counts(room: Two, levels, by):
    ask(kuk(critical=False))
    ref = sit(room.people[0].id)
    notes = (FIRST, SECOND)
    viewers = (room.viewer, room.other)
    lower = min(levels)

    assert mark(ref, viewers[0], levels[0], notes[0]) is None
    assert mark(ref, viewers[1], levels[1], notes[1]) is (lower >= 1)

    (row,) = db.session.scalars(select(AnswerMark))
    assert (row.level, row.note, row.by_id) == (lower, notes[by], viewers[by].id)
    (entry,) = entries(ref)
    assert (entry.passed, entry.raters) == (lower >= 1, 2)
    assert (entry.assessor_id, entry.note) == (viewers[by].id, notes[by])
    assert entry.happened_at == NOW
    for viewer in (*viewers, room.judge):
        essay = services.get_essay(ref.public_id, lines(ref)[0], viewer)
        assert [one.reading.level for one in essay.others] == list(levels)
        assert [one.name for one in essay.others] == ["Bu Penilai", "Bu Pelatih"]
        assert essay.mark.level == lower
        assert waiting(viewer) == []
    # Not critical: nobody else is asked.
    assert ratings.list_disputes(room.judge.id) == []
    assert not essay.waits_for_third
    with pytest.raises(services.AlreadyMarked):
        mark(ref, room.judge, 2)
    (line,) = agreement.read(viewer_of(room.trainer, "admin")).rubric
    assert line.name == f"Esai kuis K1, KUK {kuk(critical=False)}"
    audit.verify()
    assert reconcile.reconcile().problems == []


def reading(ref, position: int) -> sheets.Reading | None:
    result = sheets.get_result(ref, now=LAST)
    (found,) = [
        one.reading for entry in result.kuk for one in entry.questions if one.position == position
    ]
    return found


def state(person_id: int) -> State:
    found = competency.current()
    ledger = Ledger(found.standard, competency.rows_of_one(person_id, found), LAST)
    return ledger.state(found.standard.find(kuk(critical=True)), EvidenceKind.Q)


@pytest.mark.both
def test_a_third_person_decides_on_a_critical_criterion(room: Two):
    ref, dispute = disputed(room)
    person_id = room.people[0].id
    assert state(person_id) is State.FAIL
    shown = ratings.get_dispute(dispute, room.judge)
    assert ([one.level for one in shown.marks], shown.names) == ([1, 2], ())
    places = services.places_of([shown.row.subject])
    decided = places[shown.row.subject][1]
    assert services.get_disputed(shown.row.subject).text == TEXT
    essay = services.get_essay(ref.public_id, decided, room.judge)
    assert essay.waits_for_third
    assert (essay.marked_by, [one.name for one in essay.others]) == ("", ["", ""])
    for one in (room.viewer, room.other):
        with pytest.raises(rating_rules.NotThirdPerson):
            ratings.get_dispute(dispute, one)
    before = entries(ref)

    with unit_of_work():
        ratings.moderate(dispute, room.judge, level=2, act="", reason=REASON, now=LAST)

    assert reading(ref, decided) == sheets.Reading(2, True, REASON, LAST)
    others = [one for one in lines(ref) if one != decided]
    assert [reading(ref, one).level for one in others] == [1] * len(others)
    assert [(one.ref, one.passed, one.raters) for one in entries(ref)] == [
        (one.ref, False, 2) for one in before
    ]
    version = shown.row.subject.partition("/")[2]
    (third,) = db.session.scalars(select(Evidence).where(Evidence.replaces_id.is_not(None)))
    assert (third.ref, third.passed, third.mark) == (f"{version}/moderasi", True, 2)
    assert (third.raters, third.assessor_id, third.happened_at) == (3, room.judge.id, NOW)
    essay = services.get_essay(ref.public_id, decided, room.other)
    assert [one.name for one in essay.others] == ["Bu Penilai", "Bu Pelatih", "Tiga Penengah"]
    assert (essay.mark.level, essay.marked_by) == (2, "Tiga Penengah")
    statistics.refresh(LAST)
    counted = {line.figures["version"]: line.figures for line in statistics.read_quiz("K1").lines}
    assert {one: figures["p"] for one, figures in counted.items() if figures["n"]} == {
        int(one.ref): float(one.ref == version) for one in before
    }
    assert state(person_id) is State.FAIL  # the other essays still wait

    for line in ratings.list_disputes(room.judge.id):
        with unit_of_work():
            ratings.moderate(line.public_id, room.judge, level=2, act="", reason=REASON, now=LAST)

    assert state(person_id) is State.PASS
    assert ratings.list_disputes(room.judge.id) == []
    # An item with two rows of the ledger is one item still.
    found = competency.current()
    asked = found.standard.find(kuk(critical=True))
    rows = [row for row in competency.rows_of_one(person_id, found) if row.kuk == asked.code]
    assert len(rows) == 2 * found.standard.shown_for(asked)
    assert qualities.complete(found.standard, asked, rows)
    less = [row for row in rows if row.ref.partition("/")[0] != version]
    assert not qualities.complete(found.standard, asked, less)
    assert reconcile.reconcile().problems == []
    audit.verify()


@pytest.mark.parametrize("level", [0, 1])
def test_a_third_person_below_safe_alone_does_not_pass_it(room: Two, level: int):
    _ref, dispute = disputed(room)
    with unit_of_work():
        ratings.moderate(dispute, room.judge, level=level, act="", reason=REASON, now=LAST)
    (third,) = db.session.scalars(select(Evidence).where(Evidence.replaces_id.is_not(None)))
    assert (third.passed, third.mark) == (False, level)


def test_no_appeal_while_a_third_person_decides(room: Two):
    ref, _dispute = disputed(room)
    person_id = room.people[0].id
    code = kuk(critical=True)
    assert code not in [one.kuk for one in appeals.candidates(person_id, LAST)]
    disputes = ratings.list_disputes(room.judge.id)
    for line in disputes[1:]:
        with unit_of_work():
            ratings.moderate(line.public_id, room.judge, level=1, act="", reason=REASON, now=LAST)
    assert code not in [one.kuk for one in appeals.candidates(person_id, LAST)]
    with unit_of_work():
        ratings.moderate(
            disputes[0].public_id, room.judge, level=1, act="", reason=REASON, now=LAST
        )
    [about] = [one for one in appeals.candidates(person_id, LAST) if one.kuk == code]
    with unit_of_work():
        asked = appeals.ask(person_id, about.key, text=REASON, now=LAST)
    assert appeals.get_own(person_id, asked).marked_by == {
        room.viewer.id,
        room.other.id,
        room.judge.id,
    }
    assert lines(ref)


@pytest.mark.both
def test_two_who_come_second_at_once_leave_two_marks(bare_app: Flask):
    with bare_app.app_context():
        room = Two()
        ask(kuk(critical=True))
        ref = sit(room.people[0].id)
        position = lines(ref)[0]
        mark(ref, room.viewer, 1, FIRST, position)
        viewers = [room.other, room.judge] * 2
        db.session.remove()

    found = race(
        bare_app,
        [lambda one=one: mark(ref, one, 2, SECOND, position) for one in viewers],
    )

    assert sorted(type(one).__name__ for one in found) == ["AlreadyMarked"] * 3 + ["bool"]
    with bare_app.app_context():
        assert count(Rating) == 2
        (row,) = db.session.scalars(select(AnswerMark))
        assert row.level == 1
        (entry,) = entries(ref)[:1]
        assert (entry.raters, entry.passed) == (2, False)
        assert count(Moderation) == 1


@pytest.mark.both
def test_two_who_come_first_at_once_are_the_two(bare_app: Flask):
    with bare_app.app_context():
        room = Two()
        ask(kuk(critical=False))
        ref = sit(room.people[0].id)
        position = lines(ref)[0]
        viewers = [room.viewer, room.other]
        db.session.remove()

    found = race(
        bare_app,
        [
            lambda one=one, level=level: mark(ref, one, level, FIRST, position)
            for one, level in zip(viewers, (1, 2), strict=True)
        ],
    )

    assert sorted(map(str, found)) == ["None", "True"]
    with bare_app.app_context():
        assert count(Rating) == 2
        assert [row.level for row in db.session.scalars(select(AnswerMark))] == [1]
        assert [one.raters for one in entries(ref)] == [2]


def test_what_one_has_begun_stays_with_two_and_what_was_marked_with_one(room: Two):
    ask(kuk(critical=False))
    begun, fresh = sit(room.people[0].id), sit(room.people[1].id)
    mark(begun, room.viewer, 1, FIRST)
    want(room, 1)
    assert services.get_essay(begun.public_id, lines(begun)[0], room.other).raters == 2
    assert services.get_essay(fresh.public_id, lines(fresh)[0], room.other).raters == 1
    assert mark(begun, room.other, 2) is True
    assert [one.raters for one in entries(begun)] == [2]
    assert mark(fresh, room.viewer, 2) is True
    want(room, 2)
    with pytest.raises(services.AlreadyMarked):
        mark(fresh, room.other, 2)
    assert [one.raters for one in entries(fresh)] == [1]
    essay = services.get_essay(fresh.public_id, lines(fresh)[0], room.other)
    assert (essay.raters, essay.others) == (1, [])


def test_the_quiz_of_a_class_has_one(room: Two):
    (ref,) = sit_class_quiz(room.trainer, room.cohort_id, room.people[:1])
    (code,) = db.session.scalars(select(Quiz.curriculum_code).where(Quiz.for_class))
    want(room, 2, code)
    essay = services.get_essay(ref.public_id, lines(ref)[0], room.viewer)
    assert essay.raters == 1
    assert mark(ref, room.viewer, 1, FIRST) is True
    assert count(Rating) == 0
    assert [row.level for row in db.session.scalars(select(AnswerMark))] == [1]
    assert services.asking_curricula() == frozenset()


@pytest.mark.both
def test_a_faulty_question_leaves_nothing_to_wait_for(room: Two):
    ask(kuk(critical=False))
    ref = sit(room.people[0].id)
    mark(ref, room.viewer, 1, FIRST)
    assert len(ratings.list_halves(room.judge.id)) == 1
    assert ratings.sealed([room.people[0].id]).things
    fault(room, ref, now=LAST)
    assert ratings.list_halves(room.judge.id) == []
    assert not ratings.sealed([room.people[0].id]).things
    assert reconcile.reconcile().problems == []


@pytest.mark.both
@pytest.mark.parametrize("is_decided", [False, True])
def test_a_faulty_question_takes_its_dispute_along(room: Two, is_decided: bool):
    ref, _dispute = disputed(room)
    person_id, open_ = room.people[0].id, ratings.list_disputes(room.judge.id)
    if is_decided:
        for line in open_:
            with unit_of_work():
                ratings.moderate(
                    line.public_id, room.judge, level=2, act="", reason=REASON, now=LAST
                )
        assert state(person_id) is State.PASS
    fault(room, ref, now=LAST)
    assert len(ratings.list_disputes(room.judge.id)) == (0 if is_decided else len(open_) - 1)
    version = wording_of(ref).id
    standing = ratings.standing_row(
        person_id, EvidenceKind.Q, f"{ref.public_id}/{version}", kuk(critical=True)
    )
    # Neither what a third person decided counts any more, nor what it had replaced.
    assert standing is None or standing.ref == str(version)
    found = competency.current()
    ledger = Ledger(found.standard, competency.rows_of_one(person_id, found), LAST)
    left = ledger.latest(EvidenceKind.Q, kuk(critical=True))
    assert str(version) not in {row.ref.partition("/")[0] for row in left}
    assert len(left) == len(lines(ref)) - 1
    assert reconcile.reconcile().problems == []
