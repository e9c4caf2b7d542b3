"""Drafts, submissions, marks and evidence, on real databases."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from lms.cohorts import services as cohorts
from lms.cohorts.models import ConflictKind, Part
from lms.competency import services as competency
from lms.competency.rules import EvidenceKind, Verdict, verdicts
from lms.core.db import db, unit_of_work
from lms.core.errors import NotFound
from lms.core.models import AuditEvent
from lms.practice.cases import rules, services
from lms.practice.cases.models import (
    CaseDraft,
    CaseMark,
    CaseReview,
    CaseSubmission,
    CaseVersion,
)
from lms.practice.cases.rules import Lack, Mark, Receipt, Stage
from tests import factories
from tests.factories import NOW
from tests.practice.cases import scene as scenes
from tests.practice.cases.scene import CODE, decide, hand_in, one_try, scene
from tests.queries import counted

LATER = NOW + timedelta(days=10)


def state(person_id: int, now=LATER) -> services.CaseState:  # type: ignore[no-untyped-def]  # datetime
    return services.case_state(person_id, CODE, now)


def versions_of(code: str) -> int | None:
    query = select(func.count()).select_from(CaseVersion).where(CaseVersion.code == code)
    return db.session.scalar(query)


# Content


def test_loading_the_same_text_again_changes_nothing(app: Flask):
    spec = services.get_case(CODE).spec
    with unit_of_work():
        assert services.load([spec], now=NOW) == {"added": 0, "changed": 0, "unchanged": 1}
    assert versions_of(CODE) == 1


@pytest.mark.both
def test_a_new_text_is_a_new_version_and_an_old_one_may_come_back(app: Flask):
    old = services.get_case(CODE)
    new = old.spec.model_copy(update={"content_note": "Catatan lain."})
    with unit_of_work():
        assert services.load([new], now=NOW)["changed"] == 1
    assert services.get_case("sk1").spec.content_note == "Catatan lain."
    with unit_of_work():
        assert services.load([old.spec], now=LATER)["changed"] == 1
    assert services.get_case(CODE).version_id == old.version_id
    assert versions_of(CODE) == 2


def test_a_case_study_nobody_wrote_is_not_found(app: Flask):
    with pytest.raises(NotFound):
        services.get_case("SK9")


def test_markdown_is_stored_as_harmless_html(app: Flask):
    case = services.get_case(CODE)
    assert "<h3>" in case.file_html
    assert "<script" not in case.file_html
    assert "<table>" in case.model_html["tanda-bahaya"]


# Drafts


def save(person_id: int, text: str, *, page: str = "a", seq: int = 1, seen: str = "") -> Receipt:
    with unit_of_work():
        return services.save_draft(
            person_id, CODE, "anak", text, page=page, seq=seq, seen=seen, now=NOW
        )


def text_of(person_id: int) -> str:
    return services.drafts_of(person_id, CODE)["anak"].text


@pytest.mark.both
def test_an_older_save_that_arrives_late_never_overwrites(app: Flask):
    someone = factories.person().id
    assert save(someone, "satu", seq=1) is Receipt.SAVED
    assert save(someone, "tiga", seq=3) is Receipt.SAVED
    assert save(someone, "dua", seq=2) is Receipt.OLDER
    assert text_of(someone) == "tiga"
    assert db.session.scalar(select(func.count()).select_from(CaseDraft)) == 1


def test_two_tabs_do_not_overwrite_each_other(app: Flask):
    someone = factories.person().id
    nothing = rules.trace("")
    save(someone, "di meja", page="meja", seen=nothing)
    assert save(someone, "di ponsel", page="ponsel", seen=nothing) is Receipt.CONFLICT
    assert text_of(someone) == "di meja"
    assert save(someone, "gabungan", page="ponsel", seen=rules.trace("di meja")) is Receipt.SAVED
    assert text_of(someone) == "gabungan"


def test_a_whole_form_is_newer_than_what_its_page_saved_before(app: Flask):
    someone = factories.person().id
    save(someone, "empat", seq=4)
    with unit_of_work():
        found = services.save_drafts(
            someone, CODE, {"anak": "lima", "tinjau": "baru"}, page="a", seen={}, now=NOW
        )
    assert set(found.values()) == {Receipt.SAVED}
    assert save(someone, "terlambat", seq=5) is Receipt.OLDER
    assert text_of(someone) == "lima"


def test_a_form_that_did_not_touch_a_part_leaves_it_alone(app: Flask):
    someone = factories.person().id
    save(someone, "lama", page="a")
    save(someone, "dari ponsel", page="ponsel", seen=rules.trace("lama"))
    with unit_of_work():
        found = services.save_drafts(
            someone, CODE, {"anak": "lama"}, page="b", seen={"anak": rules.trace("lama")}, now=NOW
        )
    assert found == {"anak": Receipt.UNTOUCHED}
    assert text_of(someone) == "dari ponsel"


def test_a_task_the_case_does_not_have_is_not_found(app: Flask):
    someone = factories.person().id
    with pytest.raises(NotFound), unit_of_work():
        services.save_draft(someone, CODE, "lain", "x", page="a", seq=1, seen="", now=NOW)


def test_nothing_is_written_while_a_submission_waits(app: Flask):
    here = scene()
    hand_in(here.trainee)
    before = text_of(here.trainee)
    with pytest.raises(services.NotOpen):
        save(here.trainee, "terlambat", page="hal-kata", seq=99)
    assert text_of(here.trainee) == before


# Handing in


def test_a_first_try_holds_every_part_and_every_criterion(app: Flask):
    here = scene()
    public_id = hand_in(here.trainee)
    row = db.session.scalars(select(CaseSubmission)).one()
    assert row.public_id == public_id
    assert row.number == 1
    assert sorted(row.kuk) == sorted(scenes.kuk())
    assert set(row.answers) == {task.id for task in services.get_case(CODE).tasks}
    assert state(here.trainee).stage is Stage.WAITING


def test_short_long_and_missing_answers_are_not_taken(app: Flask):
    here = scene()
    scenes.write(here.trainee)
    with unit_of_work():
        services.save_drafts(
            here.trainee,
            CODE,
            {"anak": "pendek", "tinjau": scenes.prose(201)},
            page="hal-kata",
            seen={},
            now=NOW,
        )
    with pytest.raises(services.NotReady) as refused, unit_of_work():
        services.submit(here.trainee, CODE, reviewed=None, now=NOW)
    lacks = {entry.task: entry.lack for entry in refused.value.checked if entry.lack}
    assert lacks == {"anak": Lack.SHORT, "tinjau": Lack.LONG}
    assert state(here.trainee).stage is Stage.WRITE


def test_what_is_handed_in_is_what_was_looked_over(app: Flask):
    here = scene()
    scenes.write(here.trainee)
    looked = services.look_over(here.trainee, state(here.trainee)).trace
    with unit_of_work():
        services.save_drafts(
            here.trainee, CODE, {"anak": scenes.prose(150)}, page="hal-kata", seen={}, now=NOW
        )
    with pytest.raises(services.ChangedSince), unit_of_work():
        services.submit(here.trainee, CODE, reviewed=looked, now=NOW)
    looked = services.look_over(here.trainee, state(here.trainee)).trace
    with unit_of_work():
        services.submit(here.trainee, CODE, reviewed=looked, now=NOW)
    assert state(here.trainee).stage is Stage.WAITING


def test_the_next_try_waits_until_the_earlier_one_is_decided(app: Flask):
    here = scene()
    hand_in(here.trainee)
    with pytest.raises(services.NotOpen) as refused, unit_of_work():
        services.submit(here.trainee, CODE, reviewed=None, now=NOW)
    assert refused.value.stage is Stage.WAITING
    assert db.session.scalar(select(func.count()).select_from(CaseSubmission)) == 1


def race(app: Flask, *requests: Callable[[], None]) -> list[Exception]:
    """Run requests at the same time; return what they raised."""
    barrier, raised = threading.Barrier(len(requests)), []

    def run(request: Callable[[], None]) -> None:
        with app.app_context():
            db.session.execute(select(1))
            barrier.wait(10)
            try:
                with unit_of_work():
                    request()
            except Exception as error:
                raised.append(error)
            finally:
                db.session.remove()

    threads = [threading.Thread(target=run, args=(request,)) for request in requests]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised


@pytest.mark.both
def test_a_double_click_hands_in_once(bare_app: Flask):
    with bare_app.app_context():
        here = scene()
        scenes.write(here.trainee)

    def click() -> None:
        services.submit(here.trainee, CODE, reviewed=None, now=NOW)

    raised = race(bare_app, click, click, click)
    assert [type(error) for error in raised] == [services.NotOpen] * 2
    with bare_app.app_context():
        assert db.session.scalar(select(func.count()).select_from(CaseSubmission)) == 1


@pytest.mark.both
def test_two_first_saves_at_once_keep_one_text(bare_app: Flask):
    with bare_app.app_context():
        someone = factories.person().id
    receipts: list[Receipt] = []

    def from_page(page: str) -> Callable[[], None]:
        return lambda: receipts.append(
            services.save_draft(
                someone, CODE, "anak", page, page=page, seq=1, seen=rules.trace(""), now=NOW
            )
        )

    assert race(bare_app, from_page("meja"), from_page("ponsel")) == []
    assert sorted(receipts) == [Receipt.CONFLICT, Receipt.SAVED]


@pytest.mark.both
def test_the_database_refuses_a_second_submission_of_the_same_number(app: Flask):
    here = scene()
    hand_in(here.trainee)
    first = db.session.scalars(select(CaseSubmission)).one()
    with pytest.raises(IntegrityError), unit_of_work():
        db.session.add(
            CaseSubmission(
                person_id=first.person_id,
                case_version_id=first.case_version_id,
                case_code=CODE,
                number=1,
                kuk=[],
                answers={},
                submitted_at=NOW,
            )
        )


# Marking


def test_a_decision_is_a_review_marks_and_evidence(app: Flask):
    here = scene()
    public_id = hand_in(here.trainee)
    decide(public_id, here.assessor, {"03.1.1": 1, "02.1.1": 0})
    review = db.session.scalars(select(CaseReview)).one()
    assert (review.assessor_id, review.feedback) == (here.assessor.id, "Sudah runtut.")
    stored = {row.kuk: row.mark for row in db.session.scalars(select(CaseMark))}
    assert stored == {code: 2 for code in scenes.kuk()} | {"03.1.1": 1, "02.1.1": 0}
    rows = competency.list_evidence(here.trainee)
    assert {row.kuk: row.mark for row in rows} == stored
    assert {(row.kind, row.source, row.group_key, row.ref) for row in rows} == {
        (EvidenceKind.SK, CODE, public_id, "")
    }
    assert {(row.assessor_id, row.passed, row.happened_at) for row in rows} == {
        (here.assessor.id, None, review.decided_at)
    }
    assert {row.kuk: row.note for row in rows}["02.1.1"] == "Catatan 02.1.1"
    action = db.session.scalars(select(AuditEvent).where(AuditEvent.action == "cases.decide")).one()
    assert action.actor_id == here.assessor.id


def test_a_refused_decision_leaves_nothing_behind(app: Flask):
    here = scene()
    public_id = hand_in(here.trainee)
    chosen = scenes.marks({"03.1.1": 1}) | {"03.1.1": Mark(1, "")}
    with pytest.raises(rules.MarksIncomplete) as refused, unit_of_work():
        services.decide(public_id, here.assessor, marks=chosen, feedback="x", now=NOW)
    assert refused.value.gaps == {"03.1.1": rules.Gap.NOTE}
    assert db.session.scalars(select(CaseReview)).all() == []
    assert competency.list_evidence(here.trainee) == []
    assert len(services.queue(here.assessor)) == 1


def test_nobody_marks_oneself(app: Flask):
    here = scene()
    both = factories.person("trainee", "assessor")
    where = cohorts.find_cohort_of(here.trainee)
    factories.seat(both, where)
    factories.staff(both, where, Part.ASSESSOR)
    viewer = scenes.viewer_of(both)
    public_id = hand_in(both.id)
    assert services.queue(viewer) == []
    with pytest.raises(cohorts.MayNotAssess, match="oneself"):
        services.get_marking(public_id, viewer)
    with pytest.raises(cohorts.MayNotAssess), unit_of_work():
        services.decide(public_id, viewer, marks=scenes.marks(), feedback="x", now=NOW)
    assert competency.list_evidence(both.id) == []
    assert [line.public_id for line in services.queue(here.assessor)] == [public_id]


@pytest.mark.parametrize("kind", list(ConflictKind))
def test_relatives_and_the_line_are_marked_by_others(app: Flask, kind: ConflictKind):
    here = scene()
    public_id = hand_in(here.trainee)
    with unit_of_work():
        cohorts.declare_conflict(
            here.assessor.id, here.trainee, kind, declared_by=here.trainer.id, now=NOW
        )
    assert services.queue(here.assessor) == []
    with pytest.raises(cohorts.MayNotAssess), unit_of_work():
        services.decide(public_id, here.assessor, marks=scenes.marks(), feedback="x", now=NOW)
    decide(public_id, here.trainer)
    assert state(here.trainee).stage is Stage.DONE


def test_another_class_is_out_of_sight(app: Flask):
    here, elsewhere = scene(), scene()
    public_id = hand_in(here.trainee)
    assert services.queue(elsewhere.assessor) == []
    with pytest.raises(NotFound):
        services.get_marking(public_id, elsewhere.assessor)
    with pytest.raises(NotFound), unit_of_work():
        services.decide(public_id, elsewhere.trainer, marks=scenes.marks(), feedback="x", now=NOW)
    with pytest.raises(NotFound):
        services.get_marking("tidakada", here.assessor)


def test_a_guest_speaker_of_the_class_marks_nothing(app: Flask):
    here = scene()
    speaker = factories.person("speaker", "assessor")
    factories.staff(speaker, cohorts.find_cohort_of(here.trainee), Part.SPEAKER)
    public_id = hand_in(here.trainee)
    viewer = scenes.viewer_of(speaker)
    assert services.queue(viewer) == []
    with pytest.raises(NotFound):
        services.get_marking(public_id, viewer)


@pytest.mark.both
def test_two_assessors_at_once_make_one_decision(bare_app: Flask):
    with bare_app.app_context():
        here = scene()
        public_id = hand_in(here.trainee)
        marks = scenes.marks()

    def by(viewer, level: int) -> Callable[[], None]:  # type: ignore[no-untyped-def]  # Viewer
        chosen = {code: Mark(level, "Catatan") for code in marks}
        return lambda: services.decide(public_id, viewer, marks=chosen, feedback="x", now=NOW)

    raised = race(bare_app, by(here.assessor, 2), by(here.trainer, 0))
    assert [type(error) for error in raised] == [services.AlreadyDecided]
    with bare_app.app_context():
        review = db.session.scalars(select(CaseReview)).one()
        won = 2 if review.assessor_id == here.assessor.id else 0
        assert {row.mark for row in db.session.scalars(select(CaseMark))} == {won}
        rows = competency.list_evidence(here.trainee)
        assert {(row.mark, row.assessor_id) for row in rows} == {(won, review.assessor_id)}


def test_the_queue_shows_the_oldest_first_and_only_what_waits(app: Flask):
    here = scene()
    second = factories.person(name="Wati")
    factories.seat(second, cohorts.find_cohort_of(here.trainee))
    second_id = second.id
    late = hand_in(here.trainee, now=NOW + timedelta(days=1))
    early = hand_in(second_id, now=NOW)
    assert [line.public_id for line in services.queue(here.trainer)] == [early, late]
    assert [line.person for line in services.queue(here.assessor)] == ["Wati", "Siti Peserta"]
    decide(early, here.assessor)
    assert [line.public_id for line in services.queue(here.trainer)] == [late]


# Tries


def test_a_critical_criterion_needs_two_and_another_one(app: Flask):
    here = scene()
    one_try(here, "satu", {"03.1.1": 1}, default=1)
    found = state(here.trainee)
    assert set(found.open_kuk) == set(scenes.CRITICAL)
    assert {task.id for task in found.open_tasks} == {"tanda-bahaya", "anak", "kesimpulan"}
    assert found.reached == 11
    assert (found.stage, found.number, found.tries) == (Stage.WRITE, 2, 1)


def test_the_worked_example_one_part_is_done_again(app: Flask):
    """Decision rules 9: 03.1.1 = 1, then resubmitted after feedback: 2; the case is met."""
    here = scene()
    one_try(here, "satu", {"03.1.1": 1})
    second = hand_in(here.trainee, "dua", now=NOW + timedelta(days=2))
    row = db.session.scalars(select(CaseSubmission).where(CaseSubmission.number == 2)).one()
    assert row.kuk == ["03.1.1"]
    assert list(row.answers) == ["tanda-bahaya"]
    decide(second, here.trainer, now=NOW + timedelta(days=3))
    assert state(here.trainee).stage is Stage.DONE
    found = competency.current()
    rows = competency.rows_of_one(here.trainee, found)
    # No quiz and no observation yet: the case alone is not the criterion.
    assert verdicts(found.standard, rows, LATER)["03.1.1"] is Verdict.NO_EVIDENCE


def test_the_same_text_is_not_taken_twice(app: Flask):
    here = scene()
    one_try(here, "satu", {"03.1.1": 1})
    with pytest.raises(services.NotReady) as refused, unit_of_work():
        services.submit(here.trainee, CODE, reviewed=None, now=LATER)
    assert [entry.lack for entry in refused.value.checked] == [Lack.UNCHANGED]


def test_after_three_tries_guidance_opens_the_next(app: Flask):
    here = scene()
    for day, word in enumerate(("satu", "dua", "tiga")):
        assert state(here.trainee, NOW + timedelta(days=day)).stage is Stage.WRITE
        one_try(here, word, {"03.1.1": 1}, day=day)
    assert state(here.trainee).stage is Stage.COACHING
    with pytest.raises(services.NotOpen) as refused, unit_of_work():
        services.submit(here.trainee, CODE, reviewed=None, now=LATER)
    assert refused.value.stage is Stage.COACHING
    with unit_of_work():
        competency.coach(
            here.trainee,
            kind=EvidenceKind.SK,
            source=CODE,
            note="Dibahas bersama.",
            trainer_id=here.trainer.id,
            now=NOW + timedelta(days=5),
        )
    found = state(here.trainee)
    assert (found.stage, found.number) == (Stage.WRITE, 4)


def test_voided_marks_open_the_parts_again_and_cost_no_try(app: Flask):
    here = scene()
    public_id = one_try(here, "satu", {"02.1.1": 0})
    for row in scenes.evidence_ids(here.trainee, public_id):
        with unit_of_work():
            competency.void(row, reason="kerabat", by_id=None, now=LATER)
    found = state(here.trainee)
    assert (found.stage, found.reached, found.failed) == (Stage.WRITE, 0, frozenset())
    # Nothing says the text was not good enough: it may be handed in to another assessor as it is.
    with unit_of_work():
        services.submit(here.trainee, CODE, reviewed=None, now=LATER)
    decide(
        db.session.scalars(
            select(CaseSubmission.public_id).where(CaseSubmission.number == 2)
        ).one(),
        here.trainer,
        now=LATER,
    )
    assert state(here.trainee, LATER + timedelta(days=1)).stage is Stage.DONE


def test_three_voided_tries_ask_for_no_guidance(app: Flask):
    here = scene()
    for day, word in enumerate(("satu", "dua", "tiga")):
        public_id = one_try(here, word, {"03.1.1": 1}, day=day)
        if day == 0:
            for row in scenes.evidence_ids(here.trainee, public_id):
                with unit_of_work():
                    competency.void(row, reason="kerabat", by_id=None, now=LATER)
    assert state(here.trainee).stage is Stage.WRITE


def test_marks_older_than_a_year_no_longer_count(app: Flask):
    here = scene()
    one_try(here, "satu", {})
    assert state(here.trainee).stage is Stage.DONE
    found = state(here.trainee, NOW + timedelta(days=400))
    assert (found.stage, found.reached) == (Stage.WRITE, 0)


def test_a_wait_between_tries_is_said_when_the_standard_asks_for_one(app: Flask):
    here = scene()
    one_try(here, "satu", {"03.1.1": 1})
    row = db.session.scalars(select(competency.StandardVersion)).one()
    document = dict(row.document)
    document["rules"] = document["rules"] | {
        "retry_gap_hours": document["rules"]["retry_gap_hours"] | {"SK": 48}
    }
    with unit_of_work():
        db.session.add(
            competency.StandardVersion(
                version="0.3", digest="wait", document=document, loaded_at=NOW
            )
        )
    found = state(here.trainee, NOW + timedelta(hours=5))
    assert (found.stage, found.opens_at) == (Stage.LATER, NOW + timedelta(hours=48))
    assert state(here.trainee, NOW + timedelta(hours=49)).stage is Stage.WRITE


# What other pages ask


def test_states_are_told_for_home_with_or_without_the_ledger_at_hand(app: Flask):
    here = scene()
    told = services.states(here.trainee, NOW)
    assert [s.case.code for s in told] == list(competency.current().standard.cases)
    assert {(s.stage, s.tries) for s in told} == {(Stage.WRITE, 0)}
    one_try(here, "satu", {})
    rows = competency.rows_of_one(here.trainee, competency.current())
    assert services.states(here.trainee, LATER, rows) == services.states(here.trainee, LATER)
    assert services.states(here.trainee, LATER)[0].stage is Stage.DONE


def test_waiting_names_who_waits_for_marking_and_who_has_parts_to_redo(app: Flask):
    here = scene()
    where = cohorts.find_cohort_of(here.trainee)
    others = []
    for _ in range(3):
        someone = factories.person()
        factories.seat(someone, where)
        others.append(someone.id)
    redo, done, nothing = others
    hand_in(here.trainee)
    decide(hand_in(redo), here.assessor, {"03.1.1": 1})
    decide(hand_in(done), here.assessor)
    found = services.waiting([here.trainee, *others], LATER)
    assert set(found) == {here.trainee, redo}
    assert found[here.trainee][0].stage is Stage.WAITING
    assert found[here.trainee][0].submitted_at == NOW
    assert found[redo][0].stage is Stage.WRITE
    assert found[redo][0].open_kuk == ("03.1.1",)
    assert nothing not in found
    assert services.waiting([nothing], LATER) == {}
    assert services.waiting([], LATER) == {}


def test_queries_do_not_grow_with_the_people(app: Flask):
    here = scene()
    where = cohorts.find_cohort_of(here.trainee)
    people = [here.trainee]
    hand_in(here.trainee)

    def cost() -> tuple[int, int]:
        db.session.rollback()
        with counted() as queue:
            services.queue(here.assessor)
        with counted() as waiting:
            services.waiting(people, LATER)
        return len(queue), len(waiting)

    small = cost()
    for _ in range(6):
        someone = factories.person()
        factories.seat(someone, where)
        people.append(someone.id)
        hand_in(someone.id)
    decide(services.queue(here.assessor)[0].public_id, here.assessor, {"03.1.1": 0})
    assert cost() == small
    assert max(small) <= 6


def test_results_show_the_model_answer_only_where_nothing_is_left_to_write(app: Flask):
    here = scene()
    one_try(here, "satu", {"03.1.1": 1})
    parts = {part.task.id: part for part in services.results(here.trainee, state(here.trainee))}
    assert parts["tanda-bahaya"].model_html is None
    assert "<strong>Fisik:</strong>" in (parts["bentuk"].model_html or "")
    open_ = {r.kuk.code: (r.level, r.met) for r in parts["tanda-bahaya"].results}
    assert open_ == {"03.1.1": (1, False), "03.1.2": (2, True)}
    assert parts["tanda-bahaya"].answer == scenes.prose(word="satu")


def test_the_newest_mark_and_answer_of_each_criterion_stand(app: Flask):
    here = scene()
    one_try(here, "satu", {"03.1.1": 1})
    second = one_try(here, "dua", {}, day=2)
    parts = {part.task.id: part for part in services.results(here.trainee, state(here.trainee))}
    assert parts["tanda-bahaya"].answer == scenes.prose(word="dua")
    assert parts["anak"].answer == scenes.prose(word="satu")
    assert parts["tanda-bahaya"].met
    assert [entry.decided_at.day for entry in services.list_feedback(here.trainee, CODE)] == [4, 2]
    marking = services.get_marking(second, here.trainer)
    assert marking.kuk == ("03.1.1",)
    entry = marking.parts[0].kuk[0]
    assert (entry.earlier, entry.mark) == (Mark(1, "Catatan 03.1.1"), Mark(2, "Catatan 03.1.1"))
