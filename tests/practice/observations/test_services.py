"""Marks at the stations, and the evidence that follows from them."""

import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from lms.cohorts import services as cohorts
from lms.cohorts.models import ConflictKind, Part
from lms.competency import services as competency
from lms.competency.models import Evidence, EvidenceVoid
from lms.competency.rules import EvidenceKind, State
from lms.core.db import db, unit_of_work
from lms.core.errors import NotFound
from lms.practice.observations import services, sheets
from lms.practice.observations.models import ObservationMark, ObservationRound
from lms.practice.observations.rules import Stage
from lms.practice.observations.services import Entry, Refusal
from lms.practice.observations.sheets import Why
from tests import factories
from tests.practice.observations.rooms import AT, Room
from tests.queries import counted

TOMORROW = AT + timedelta(days=1)
K, N = "02.2.1", "02.2.2"
"""ST1: the first is critical, the second is not."""


def facts() -> list[Evidence]:
    return list(db.session.scalars(select(Evidence).order_by(Evidence.id)))


def marks() -> list[ObservationMark]:
    return list(db.session.scalars(select(ObservationMark).order_by(ObservationMark.id)))


def test_a_mark_becomes_evidence_with_who_and_when(app: Flask):
    room = Room()
    outcome = room.mark(K, Entry(2, "", ""), None)
    assert outcome == services.Outcome(frozenset([room.people[0].id]), {})
    (fact,) = facts()
    place = db.session.scalars(select(ObservationRound)).one()
    assert (fact.kind, fact.source, fact.ref) == (EvidenceKind.OBS, "ST1", "ST1/A")
    assert (fact.group_key, fact.mark, fact.harmful) == (place.public_id, 2, False)
    assert (fact.assessor_id, fact.happened_at, fact.replaces_id) == (room.assessor.id, AT, None)
    (mark,) = marks()
    assert (mark.round_id, mark.kuk, mark.mark) == (place.id, K, 2)
    assert (mark.assessor_id, mark.observed_at) == (room.assessor.id, AT)
    assert room.state(K) is State.PASS
    assert room.state(K, 1) is State.NONE


def test_a_row_that_cannot_be_saved_does_not_hold_up_the_others(app: Flask):
    room = Room(4)
    outcome = room.mark(K, Entry(1, "", ""), 2, Entry(None, "kata", ""), Entry(None, "", "H8"))
    one, two, three, four = (each.id for each in room.people)
    assert outcome.saved == {two}
    assert outcome.refused == {one: Refusal.NOTE, three: Refusal.EMPTY, four: Refusal.NOTE}
    assert [mark.kuk for mark in marks()] == [K]


def test_all_stations_of_a_day_are_one_round(app: Flask):
    room = Room(1)
    room.mark(K, 2)
    room.mark(N, 1)
    room.mark("03.1.1", 2, code="ST2")
    assert len({fact.group_key for fact in facts()}) == 1
    assert room.standing().stage is Stage.PASSED
    assert room.standing(code="ST2").stage is Stage.PASSED
    assert room.standing(code="ST3").stage is Stage.OPEN


def test_a_repeat_station_names_the_row_it_replaces(app: Flask):
    room = Room(1)
    room.mark(K, 1)
    room.mark(N, 2)
    assert room.standing().stage is Stage.REPEAT
    assert room.mark(K, 2, variant="B", feedback=False).refused == {
        room.people[0].id: Refusal.FEEDBACK
    }
    assert room.mark(K, 2, variant="B").saved
    first, _second, repeat = facts()
    assert (repeat.ref, repeat.replaces_id) == ("ST1/B", first.id)
    assert repeat.group_key == first.group_key
    assert room.state(K) is State.PASS
    assert room.standing().stage is Stage.PASSED
    assert room.mark(N, 0, variant="B").refused == {room.people[0].id: Refusal.CLOSED}


def test_once_more_on_the_same_day_and_then_in_a_new_round(app: Flask):
    room = Room(1)
    room.mark(K, 0)
    room.mark(K, 1, variant="B")
    room.mark(N, 2, variant="B")
    assert room.standing().stage is Stage.LATER
    assert room.mark(K, 2).refused == {room.people[0].id: Refusal.TAKEN}
    assert room.standing(now=TOMORROW).variant == "A"
    assert room.mark(K, 2, now=TOMORROW).saved
    numbers = db.session.scalars(select(ObservationRound.number)).all()
    assert sorted(numbers) == [1, 2]
    assert facts()[-1].replaces_id is None
    assert room.state(K, now=TOMORROW) is State.PASS
    assert room.state(N, now=TOMORROW) is State.PASS


def test_a_trainers_guidance_opens_the_fourth_try(app: Flask):
    room = Room(1)
    room.mark(K, 0)
    room.mark(K, 0, variant="B")
    room.mark(N, 2, variant="B")
    room.mark(K, 0, now=TOMORROW)
    room.mark(N, 2, now=TOMORROW)
    assert room.standing(now=TOMORROW).stage is Stage.COACHING
    with unit_of_work():
        competency.coach(
            room.people[0].id, kind=EvidenceKind.OBS, source="ST1", note="Berlatih bersama.",
            trainer_id=room.assessor.id, now=TOMORROW,
        )  # fmt: skip
    assert room.standing(now=TOMORROW).stage is Stage.REPEAT


def test_a_harmful_act_fails_every_criterion_of_the_station(app: Flask):
    room = Room(1)
    room.mark("04.2.1", 2, code="ST3")
    act = Entry(None, "Menelepon suami.", "H1")
    assert room.mark("03.1.3", act, code="ST3").saved
    plain, kept, stopped = facts()
    assert (kept.kuk, kept.mark, kept.harmful, kept.ref) == ("03.1.3", 0, True, "ST3/A")
    assert (stopped.kuk, stopped.mark, stopped.harmful) == ("04.2.1", 2, True)
    assert (stopped.ref, stopped.replaces_id) == ("ST3/A/H1", plain.id)
    assert [(mark.kuk, mark.harmful_act) for mark in marks()] == [("04.2.1", ""), ("", "H1")]
    assert {room.state("03.1.3"), room.state("04.2.1")} == {State.FAIL}
    assert room.standing(code="ST3").stage is Stage.REPEAT
    assert room.mark("04.2.1", 1, code="ST3").refused[room.people[0].id] is Refusal.TAKEN
    room.mark("03.1.3", 2, code="ST3", variant="B")
    assert room.standing(code="ST3").stage is Stage.BEGUN
    room.mark("04.2.1", 1, code="ST3", variant="B")
    assert room.standing(code="ST3").stage is Stage.PASSED
    assert [fact.replaces_id for fact in facts()[3:]] == [kept.id, stopped.id]


def test_a_harmful_act_keeps_the_mark_given_with_it(app: Flask):
    room = Room(1)
    room.mark(K, Entry(2, "Lalu bertanya di depan kerabat.", "H8"))
    assert [(fact.kuk, fact.mark, fact.harmful) for fact in facts()] == [(K, 2, True), (N, 0, True)]
    assert [(mark.kuk, mark.mark) for mark in marks()] == [(K, 2), ("", 0)]
    assert room.state(K) is State.FAIL


def test_a_harmful_act_may_be_noted_after_the_last_mark_but_not_tomorrow(app: Flask):
    room = Room(1)
    room.mark(K, 2)
    room.mark(N, 2)
    act = Entry(None, "Menyebut layanan di lorong.", "H8")
    assert room.mark(K, act, now=TOMORROW).refused == {room.people[0].id: Refusal.CLOSED}
    assert room.mark(K, act).saved
    assert room.standing().stage is Stage.REPEAT
    assert room.sheet(K, variant="A").lines[0].stopped.act == "H8"
    again = replace(act, act="H5")
    assert room.mark(N, again).refused == {room.people[0].id: Refusal.TAKEN}


def test_nobody_marks_themselves_or_somebody_near(app: Flask):
    room = Room(2)
    factories.seat(room.assessor, room.cohort)
    with unit_of_work():
        cohorts.declare_conflict(
            room.assessor.id, room.people[1].id, ConflictKind.RELATIVE,
            declared_by=room.assessor.id, now=AT,
        )  # fmt: skip
    room.people.append(room.assessor)
    room.keys.append(room.assessor.public_id)
    outcome = room.mark(K, 2, 2, 2)
    assert outcome.saved == {room.people[0].id}
    assert set(outcome.refused.values()) == {Refusal.MAY_NOT}
    why = {line.seat.person_id: line.why for line in room.sheet(K).lines}
    assert why[room.people[1].id] is Why.CONFLICT
    assert why[room.assessor.id] is Why.ONESELF
    assert all(not line.can_stop for line in room.sheet(K).lines if line.why)
    board = sheets.get_board(room.cohort, room.assessor.id, now=AT)
    assert {line.seat.person_id for line in board.lines if line.may_not} == {
        room.people[1].id, room.assessor.id,
    }  # fmt: skip


def test_the_same_save_twice_is_one_save_and_a_second_opinion_is_shown(app: Flask):
    room = Room(1)
    said = Entry(1, "Bertanya sesudah diingatkan.", "")
    room.mark(K, said)
    assert room.mark(K, said).saved == {room.people[0].id}
    assert room.mark(K, Entry(2, "", "")).refused == {room.people[0].id: Refusal.TAKEN}
    assert room.mark(K, replace(said, note="Lain.")).refused == {room.people[0].id: Refusal.TAKEN}
    other = factories.person("trainer")
    factories.staff(other, room.cohort, Part.TRAINER)
    assert room.mark(K, said, by=other).refused == {room.people[0].id: Refusal.TAKEN}
    act = Entry(None, "Di depan kerabat.", "H8")
    room.mark(N, act)
    assert room.mark(N, act).saved == {room.people[0].id}
    assert len(marks()) == 2


def test_a_slip_is_taken_back_and_noted_afresh(app: Flask):
    room = Room(1)
    room.mark(K, 0)
    room.mark(N, 0)
    room.annul()
    assert room.standing().stage is Stage.OPEN
    assert room.state(K) is State.NONE
    voids = db.session.scalars(select(EvidenceVoid)).all()
    assert {(each.by_id, each.reason) for each in voids} == {(room.assessor.id, "Salah orang.")}
    assert room.mark(K, 2).saved
    assert room.state(K) is State.PASS
    history = sheets.get_history(room.cohort, "ST1", room.keys[0], room.assessor.id, now=AT)
    assert [(each.number, each.counts, len(each.marks)) for each in history.tries] == [
        (1, False, 2), (2, True, 1),
    ]  # fmt: skip
    assert history.tries[0].marks[0].by == "Daud Rante"
    assert history.may_annul


def test_a_repeat_taken_back_may_be_played_again(app: Flask):
    room = Room(1)
    room.mark(K, 0)
    room.mark(N, 2)
    room.mark(K, 0, variant="B")
    room.annul()
    assert room.standing().slot("B", K) is not None
    assert room.mark(K, 2, variant="B").saved
    assert room.state(K) is State.PASS


def test_what_was_voided_before_is_left_alone_when_the_rest_is_taken_back(app: Flask):
    room = Room(1)
    room.mark(K, 2)
    room.mark(N, 2)
    with unit_of_work():
        competency.void(facts()[0].id, reason="Banding.", by_id=None, now=AT)
    room.annul()
    reasons = db.session.scalars(select(EvidenceVoid.reason).order_by(EvidenceVoid.id)).all()
    assert reasons == ["Banding.", "Salah orang."]


def test_nothing_is_taken_back_that_was_not_noted_here(app: Flask):
    room = Room(1)
    with pytest.raises(services.NothingToAnnul):
        room.annul()
    room.mark(K, 2)
    elsewhere = factories.cohort()
    factories.seat(room.people[0], elsewhere)
    room.cohort = elsewhere
    with pytest.raises(services.NothingToAnnul):
        room.annul()


def test_an_assessor_may_not_take_back_what_she_may_not_mark(app: Flask):
    room = Room(1)
    room.mark(K, 2)
    with unit_of_work():
        cohorts.declare_conflict(
            room.assessor.id, room.people[0].id, ConflictKind.SUPERIOR,
            declared_by=room.assessor.id, now=AT,
        )  # fmt: skip
    with pytest.raises(cohorts.MayNotAssess):
        room.annul()
    history = sheets.get_history(room.cohort, "ST1", room.keys[0], room.assessor.id, now=AT)
    assert not history.may_annul


def test_a_test_begun_in_another_class_goes_on_in_a_round_of_this_one(app: Flask):
    room = Room(1)
    room.mark(N, 2)
    room.cohort = factories.cohort()
    factories.seat(room.people[0], room.cohort)
    factories.staff(room.assessor, room.cohort, Part.ASSESSOR)
    assert room.mark(K, 2, now=TOMORROW).saved
    assert len({fact.group_key for fact in facts()}) == 2
    assert room.standing(now=TOMORROW).stage is Stage.PASSED


def test_evidence_that_is_too_old_is_observed_again(app: Flask):
    room = Room(1)
    room.mark(K, 2)
    room.mark(N, 2)
    later = AT + timedelta(days=400)
    assert room.standing(now=later).stage is Stage.OPEN
    assert room.mark(K, 1, now=later).saved
    assert room.state(K, now=later) is State.FAIL


def test_what_was_seen_later_says_nothing_about_an_earlier_moment(app: Flask):
    room = Room(1)
    room.mark("03.1.1", 2, code="ST2")
    assert room.standing(code="ST2", now=AT - timedelta(hours=1)).stage is Stage.OPEN
    assert len(room.standing(code="ST2", now=AT - timedelta(hours=1)).slots) == 1
    assert room.standing(code="ST2", now=AT - timedelta(hours=1)).running is None


def test_the_page_shows_who_may_be_marked_with_which_story(app: Flask):
    room = Room(3)
    room.mark(K, 0, 2, None)
    room.mark(N, 2, 2, None)
    sheet = room.sheet()
    assert (sheet.variant.code, sheet.kuk.code) == ("A", K)
    assert dict(sheet.open_in) == {"A": 1, "B": 1}
    assert (sheet.done, sheet.total, sheet.next_kuk) == (2, 3, N)
    assert sheet.steps == ((K, False), (N, False))
    saved = sheet.lines[0].saved
    assert (saved.mark, saved.note, saved.by, saved.at) == (0, "Terlihat.", "Daud Rante", AT)
    assert sheet.lines[2].slot is not None
    repeat = room.sheet(K, variant="B")
    assert repeat.needs_feedback
    assert [line.why for line in repeat.lines] == [None, Why.PASSED, Why.OTHER_STORY]
    assert (repeat.done, repeat.total) == (0, 1)
    room.mark(K, 0, variant="B")
    assert room.mark(N, 2, variant="B").refused == {room.people[0].id: Refusal.CLOSED}
    assert room.sheet(K, variant="B").lines[0].saved.mark == 0
    assert room.sheet(N, variant="B").lines[0].why is Why.LATER
    assert room.sheet(K, variant="A", now=TOMORROW).lines[0].slot is not None
    assert room.sheet(N, variant="B", now=TOMORROW).lines[0].why is Why.OTHER_STORY


def test_a_page_says_why_nobody_can_be_marked_today(app: Flask):
    room = Room(1)
    room.mark(K, Entry(None, "Menelepon di depan kerabat.", "H8"))
    room.mark(K, Entry(None, "Bertanya di depan kerabat.", "H8"), variant="B")
    sheet = room.sheet(N, variant="A")
    assert sheet.lines[0].stopped.act == "H8"
    assert sheet.lines[0].standing.stage is Stage.LATER
    assert not sheet.lines[0].can_stop
    assert (sheet.done, sheet.total) == (1, 1)


def test_a_group_is_chosen_by_its_people(app: Flask):
    room = Room(3)
    sheet = room.sheet(K, chosen=[room.keys[2], "unknown"])
    assert [line.seat.public_id for line in sheet.lines] == [room.keys[2]]
    assert len(sheet.people) == 3
    assert len(room.sheet(K, chosen=["unknown"]).lines) == 3


def test_what_is_not_in_the_content_does_not_exist(app: Flask):
    room = Room(1)
    for kuk, code, variant in (("03.1.1", "ST1", "A"), (K, "ST1", "C"), (K, "ST9", "A")):
        with pytest.raises(NotFound):
            room.sheet(kuk, code=code, variant=variant)
        with pytest.raises(NotFound):
            room.mark(kuk, 2, code=code, variant=variant)
    with pytest.raises(NotFound):
        sheets.get_history(room.cohort, "ST1", "nobody", room.assessor.id, now=AT)


def test_somebody_of_another_class_is_not_marked_here(app: Flask):
    room, other = Room(1), Room(1)
    room.keys = other.keys
    assert room.mark(K, 2) == services.Outcome(frozenset(), {})


def test_the_board_counts_people_by_stage(app: Flask):
    room = Room(3)
    room.mark("03.1.1", 2, 0, None, code="ST2")
    board = sheets.get_board(room.cohort, room.assessor.id, now=AT)
    assert [station.code for station in board.stations] == ["ST1", "ST2", "ST3"]
    assert board.count("ST2", Stage.PASSED) == 1
    assert board.count("ST2", Stage.REPEAT, Stage.OPEN) == 2


@pytest.mark.parametrize("people", [2, 12])
def test_the_number_of_queries_does_not_grow_with_the_class(app: Flask, people: int):
    room = Room(people)
    room.mark(K, *[1] * people)
    counts = []
    for read in (
        lambda: sheets.get_board(room.cohort, room.assessor.id, now=AT),
        lambda: room.sheet(K),
        lambda: room.mark(N, *[2] * people),
        lambda: room.mark(K, *[0] * people, variant="B"),
        lambda: room.mark(N, *[Entry(2, "Di lorong.", "H8")] * people, variant="B"),
    ):
        db.session.commit()
        with counted() as seen:
            read()
        counts.append(len(seen))
    assert max(counts[:2]) <= 15
    assert max(counts[2:]) <= 20


@pytest.mark.both
def test_two_assessors_at_once_give_one_mark(bare_app: Flask):
    """The second waits for the first and is told; nothing is written twice."""
    with bare_app.app_context():
        room = Room(2)
        others = [factories.person("assessor") for _ in range(2)]
        for each in others:
            factories.staff(each, room.cohort, Part.ASSESSOR)
        ids = [each.id for each in others]
        cohort_id = room.cohort.id
    barrier, outcomes, failures = threading.Barrier(2), [], []

    def save(assessor_id: int, mark: int) -> None:
        try:
            with bare_app.app_context():
                barrier.wait(5)
                with unit_of_work():
                    outcome = services.record(
                        cohorts.get_cohort_by_id(cohort_id), "ST1", kuk=K, variant="A",
                        entries=dict.fromkeys(room.keys, Entry(mark, "Terlihat.", "")),
                        has_feedback=False, assessor_id=assessor_id, now=AT,
                    )  # fmt: skip
                outcomes.append(outcome)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=save, args=(who, mark)) for mark, who in enumerate(ids)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert sorted(len(outcome.saved) for outcome in outcomes) == [0, 2]
    refused = [why for outcome in outcomes for why in outcome.refused.values()]
    assert refused == [Refusal.TAKEN, Refusal.TAKEN]
    with bare_app.app_context():
        assert len(marks()) == len(facts()) == 2
        assert len({mark.assessor_id for mark in marks()}) == 1


@pytest.mark.both
def test_the_database_itself_refuses_a_second_mark_and_a_second_round(app: Flask):
    room = Room(1)
    room.mark(K, 2)
    (mark,) = marks()
    place = db.session.scalars(select(ObservationRound)).one()
    same_mark = {"round_id": place.id, "station_code": "ST1", "variant": "A", "kuk": K}
    rest = {"mark": 0, "note": "", "harmful_act": "", "assessor_id": mark.assessor_id}
    with pytest.raises(IntegrityError), unit_of_work():
        db.session.add(ObservationMark(**same_mark, **rest, observed_at=AT))
    with pytest.raises(IntegrityError), unit_of_work():
        db.session.add(
            ObservationRound(
                person_id=room.people[0].id, cohort_id=room.cohort.id, number=1, opened_at=AT
            )
        )
    assert len(marks()) == 1
