"""A wrong key is corrected: versions, sittings marked again, verdicts, certificates."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from lms.accounts.models import Person
from lms.competency import services as competency
from lms.competency.models import Evidence, EvidenceVoid
from lms.competency.rules import State, Verdict
from lms.core import jobs
from lms.core.db import db, unit_of_work
from lms.core.login import Viewer
from lms.core.models import AuditEvent, Job
from lms.corrections import services
from lms.corrections.models import Rescore
from lms.credentials import rechecks, register
from lms.credentials.models import RecheckStep
from lms.credentials.rules import Status
from lms.operations import reconcile
from lms.quizzes import corrections, sheets
from lms.quizzes.models import Item, ItemVersion
from tests import factories
from tests.corrections.world import (
    CRITICAL,
    LATER,
    NOW,
    OTHER,
    SAT,
    Sat,
    chosen,
    correct,
    entries,
    wording_in,
)
from tests.quizzes import helpers
from tests.races import race


def viewer_of(person: Person, *roles: str) -> Viewer:
    return Viewer(person.id, person.public_id, person.name, frozenset(roles), "id", "")


def other_key(wording: corrections.Wording) -> str:
    return wording.choices[0]


def count(table: type) -> int:
    return db.session.scalar(select(func.count()).select_from(table)) or 0


@pytest.mark.both
def test_a_corrected_key_is_a_new_wording_and_a_new_entry_beside_the_voided_one(app: Flask):
    sat = Sat()
    wording = wording_in(sat.ref)
    before = sheets.get_result(sat.ref, now=NOW)
    correct(wording, other_key(wording), sat.reviewer)

    [old, *_rest] = [e for e in entries(sat.ref, CRITICAL) if e[0] == str(wording.id)]
    newest = corrections.get_wording(wording.slug, wording.number + 1)
    assert old == (str(wording.id), True, False)
    assert (str(newest.id), False, True) in entries(sat.ref, CRITICAL)
    assert (newest.key, newest.stem) == (other_key(wording), wording.stem)
    assert corrections.get_wording(wording.slug, wording.number).key == wording.key
    entry = db.session.scalars(select(Evidence).where(Evidence.ref == str(newest.id))).one()
    void = db.session.scalars(
        select(EvidenceVoid).where(EvidenceVoid.evidence_id == entry.replaces_id)
    ).one()
    assert (entry.note, entry.assessor_id) == (void.reason, sat.reviewer.id)
    assert (void.by_id, entry.happened_at) == (sat.reviewer.id, SAT)
    assert entry.recorded_at >= LATER

    # The score of the sitting stays; what it counts now stands beside it.
    after = sheets.get_result(sat.ref, now=LATER)
    scores = [{one.kuk.code: one.score for one in found.kuk} for found in (before, after)]
    assert scores[0] == scores[1]
    [shown] = [q for k in after.kuk for q in k.questions if q.corrected]
    assert (shown.right, shown.corrected.right, shown.corrected.is_later) == (True, False, True)
    assert [o.text for o in shown.options if o.best] != [o.text for o in shown.options if o.chosen]
    assert reconcile.reconcile().problems == []


def test_people_who_were_right_all_along_get_their_mark(app: Flask):
    sat = Sat()
    missed = factories.person()
    ref = sat.sit(missed, wrong=lambda kuk: kuk == CRITICAL)
    wording = wording_in(ref)
    correct(wording, chosen(ref, wording), sat.reviewer)
    marks = {passed for _ref, passed, counts in entries(ref, CRITICAL) if counts}
    assert marks == {False, True}  # the other item on the criterion stays wrong
    row = db.session.scalars(select(Rescore).where(Rescore.person_id == missed.id)).one()
    assert (row.was_right, row.is_right, row.changed) == (False, True, False)


def test_what_a_correction_does_to_a_verdict_is_said_before_and_stored_after(app: Flask):
    sat = Sat()
    factories.seat(sat.admin, sat.world.cohort)  # nobody else: a control without a sitting
    wording = wording_in(sat.ref)
    count_before = count(Evidence)
    found = services.preview(wording, other_key(wording), now=LATER)
    assert (found.closed, found.running, found.counted) == (1, 0, 1)
    assert (found.to_right, found.to_wrong, found.gone, found.is_cut) == (0, 1, 0, False)
    [effect] = found.effects
    assert (effect.before.verdict, effect.after.verdict) == (Verdict.REACHED, Verdict.NOT_YET)
    assert (effect.before.complete, effect.after.complete) == (True, False)
    assert count(Evidence) == count_before  # a preview writes nothing

    made = corrections.get_correction(correct(wording, other_key(wording), sat.reviewer))
    assert services.read_outcome(made) == services.Outcome(1, 0, 1, 0, 1, 0)
    [(_id, stored)] = services.list_changed(made, viewer_of(sat.admin, "admin"))
    assert (stored.before, stored.after) == (effect.before, effect.after)
    assert competency.tree_of(sat.world.trainee.id, now=LATER).lines
    trainer, stranger = sat.world.trainer, factories.person("trainer")
    assert len(services.list_changed(made, viewer_of(trainer, "trainer"))) == 1
    assert services.list_changed(made, viewer_of(stranger, "trainer")) == []
    assert services.list_changed(made, viewer_of(sat.reviewer, "reviewer")) == []


def test_a_preview_and_the_job_agree_on_every_key_of_every_item(app: Flask):
    """Simulated rows and the ledger itself must read the same."""
    sat = Sat()
    missed = factories.person()
    ref = sat.sit(missed, wrong=lambda kuk: kuk in (OTHER, CRITICAL))
    for kuk in (CRITICAL, OTHER):
        wording = wording_in(ref, kuk)
        for key in (chosen(ref, wording), None):
            wording = corrections.get_wording(wording.slug, corrections.find_newest(wording.slug))
            foreseen = services.preview(wording, key, now=LATER)
            made = corrections.get_correction(correct(wording, key, sat.reviewer))
            stored = services.list_changed(made, viewer_of(sat.admin, "admin"))
            assert {(e.person_id, e.before, e.after) for e in foreseen.effects if e.changed} == {
                (e.person_id, e.before, e.after) for _id, e in stored
            }
            outcome = services.read_outcome(made)
            assert (outcome.to_right, outcome.to_wrong, outcome.gone) == (
                foreseen.to_right,
                foreseen.to_wrong,
                foreseen.gone,
            )
    assert reconcile.reconcile().problems == []


def test_no_right_option_voids_the_marks_and_withdraws_the_item(app: Flask):
    sat = Sat()
    wording = wording_in(sat.ref)
    correct(wording, None, sat.reviewer)
    item = db.session.scalars(select(Item).where(Item.slug == wording.slug)).one()
    assert item.withdrawn_at == LATER
    assert (str(wording.id), True, False) in entries(sat.ref, CRITICAL)
    assert len(entries(sat.ref, CRITICAL)) == 2  # nothing came in its place
    [shown] = [
        q for k in sheets.get_result(sat.ref, now=LATER).kuk for q in k.questions if q.corrected
    ]
    assert (shown.corrected.right, any(o.best for o in shown.options)) == (None, False)
    state = quiz_state_of(sat.world.trainee.id)
    assert state == State.NONE
    assert reconcile.reconcile().problems == []


def quiz_state_of(person_id: int, kuk: str = CRITICAL) -> State:
    from lms.competency.rules import EvidenceKind, Ledger

    found = competency.current()
    ledger = Ledger(found.standard, competency.rows_of_one(person_id, found), LATER)
    return ledger.state(found.standard.find(kuk), EvidenceKind.Q)


@pytest.mark.both
def test_a_sitting_handed_in_after_the_correction_is_marked_by_it(app: Flask):
    sat = Sat()
    running = factories.person()
    ref = helpers.begin(running.id, SAT)
    wording = wording_in(ref)
    position, right = next(
        (line[0], line[4]) for line in helpers.drawn(ref) if line[3] == wording.id
    )
    helpers.answer(ref, position, right, now=SAT)  # by the key as it was
    correct(wording, other_key(wording), sat.reviewer)
    assert entries(ref, CRITICAL) == []
    helpers.hand_in(ref, LATER + timedelta(hours=1))
    newest = corrections.get_wording(wording.slug, wording.number + 1)
    marks = {ref: (passed, counts) for ref, passed, counts in entries(ref, CRITICAL)}
    assert marks[str(newest.id)] == (False, True)
    assert str(wording.id) not in marks
    shown = sheets.get_result(ref, now=LATER + timedelta(hours=2))
    [question] = [q for k in shown.kuk for q in k.questions if q.corrected]
    assert (question.right, question.counts, question.corrected.is_later) == (False, True, False)
    assert reconcile.reconcile().problems == []


def test_a_sitting_handed_in_after_an_item_lost_its_key_does_not_count_it(app: Flask):
    sat = Sat()
    ref = helpers.begin(factories.person().id, SAT)
    wording = wording_in(ref)
    correct(wording, None, sat.reviewer)
    helpers.hand_in(ref, LATER + timedelta(hours=1))
    assert str(wording.id) not in {ref for ref, *_ in entries(ref, CRITICAL)}
    assert len(entries(ref, CRITICAL)) == 1
    assert reconcile.reconcile().problems == []


def test_an_old_wording_may_be_corrected_and_the_newest_stays_the_newest(app: Flask):
    sat = Sat()
    wording = wording_in(sat.ref)
    with unit_of_work():  # the file was changed since
        old = db.session.get_one(ItemVersion, wording.id)
        values = {c.name: getattr(old, c.name) for c in ItemVersion.__table__.columns}
        db.session.add(ItemVersion(**(values | {"id": None, "number": 2, "digest": "later"})))
    correct(wording, other_key(wording), sat.reviewer)
    newest = corrections.get_wording(wording.slug, corrections.find_newest(wording.slug))
    assert (newest.number, newest.key) == (4, wording.key)
    assert db.session.get_one(ItemVersion, newest.id).digest == "later"
    correct(newest, None, sat.reviewer)  # and the newest may be withdrawn in its turn
    assert corrections.get_wording(wording.slug, 4).is_withdrawn


def test_a_correction_may_be_corrected(app: Flask):
    sat = Sat()
    wording = wording_in(sat.ref)
    correct(wording, other_key(wording), sat.reviewer)
    second = corrections.get_wording(wording.slug, wording.number + 1)
    correct(second, wording.key, sat.reviewer, now=LATER + timedelta(hours=1))
    live = [(ref, passed) for ref, passed, counts in entries(sat.ref, CRITICAL) if counts]
    third = corrections.get_wording(wording.slug, wording.number + 2)
    assert (str(third.id), True) in live
    assert len(live) == 2
    assert quiz_state_of(sat.world.trainee.id) is State.PASS
    assert reconcile.reconcile().problems == []


def test_a_later_correction_overtakes_an_earlier_job(app: Flask):
    sat = Sat()
    wording = wording_in(sat.ref)
    correct(wording, other_key(wording), sat.reviewer, work=False)
    second = corrections.get_wording(wording.slug, wording.number + 1)
    correct(second, wording.key, sat.reviewer, work=False)
    last = db.session.scalars(select(Job).order_by(Job.id.desc()).limit(1)).one()
    with unit_of_work():  # the newer job is done first
        db.session.execute(
            update(Job).where(Job.id < last.id).values(lease_until=LATER + timedelta(seconds=30))
        )
    assert jobs.work(LATER) == 1
    jobs.work(LATER + timedelta(minutes=1))
    live = {(ref, passed) for ref, passed, counts in entries(sat.ref, CRITICAL) if counts}
    third = corrections.get_wording(wording.slug, wording.number + 2)
    assert (str(third.id), True) in live
    assert len(live) == 2


def test_a_certificate_stays_and_is_listed(app: Flask):
    sat = Sat()
    paper = sat.certify()
    bystander = factories.person()
    sat.sit(bystander)
    factories.seat(bystander, sat.world.cohort)
    wording = wording_in(sat.ref)
    foreseen = services.preview(wording, other_key(wording), now=LATER)
    made = correct(wording, other_key(wording), sat.reviewer)
    [(_id, listed)] = rechecks.list_rechecks()
    assert listed.code == paper.code
    assert listed.correction == made
    assert listed.verdicts == {CRITICAL: ["T", "B"]}
    assert listed.missing == [["kuk", CRITICAL]]
    assert [p.code for _e, p in foreseen.certificates] == [paper.code]
    assert register.get_entry(paper.code, LATER).status is Status.VALID
    assert rechecks.count_open() == 1

    def say(step: RecheckStep) -> None:
        with unit_of_work():
            rechecks.decide(
                listed.public_id, step, "Alasan.", by_id=sat.admin.id, two_persons=True, now=LATER
            )

    say(RecheckStep.NOTE)
    assert rechecks.count_open() == 1
    say(RecheckStep.KEEP)
    assert rechecks.count_open() == 0
    [(_id, settled)] = rechecks.list_rechecks(settled=True, cause=f"correction:{made}")
    assert [one.step for one in settled.notes] == [RecheckStep.NOTE, RecheckStep.KEEP]
    say(RecheckStep.REVOKE)  # a second thought goes the way of every revocation
    assert register.get_entry(paper.code, LATER).status is Status.VALID
    actions = db.session.scalars(select(AuditEvent.action)).all()
    assert actions.count("credentials.recheck") == 3
    assert actions.count("credentials.ask_revocation") == 1


def test_a_certificate_that_still_holds_by_compensation_is_listed_as_that(app: Flask):
    sat = Sat()
    sat.certify()
    wording = wording_in(sat.ref, OTHER)
    correct(wording, other_key(wording), sat.reviewer)
    [(_id, listed)] = rechecks.list_rechecks()
    assert (listed.verdicts, listed.missing) == ({OTHER: ["T", "TK"]}, [])


def test_a_certificate_whose_marks_stay_is_not_listed(app: Flask):
    sat = Sat()
    missed = factories.person()
    factories.seat(missed, sat.world.cohort)
    ref = sat.sit(missed, wrong=lambda kuk: kuk == OTHER)
    sat.certify(missed)
    wording = wording_in(ref, OTHER)
    third = next(key for key in wording.choices if key != chosen(ref, wording))
    correct(wording, third, sat.reviewer)
    assert entries(ref, OTHER)[-1][1:] == (False, True)  # wrong before and after
    assert rechecks.list_rechecks() == []


@pytest.mark.both
def test_pressed_twice_at_once_it_is_corrected_once(bare_app: Flask):
    with bare_app.app_context():
        sat = Sat()
        wording, by_id = wording_in(sat.ref), sat.reviewer.id
        slug, number, key = wording.slug, wording.number, other_key(wording)
        db.session.remove()

    def press() -> str:
        with unit_of_work():
            found = corrections.get_wording(slug, number)
            return services.correct(found, key, reason="Keliru.", by_id=by_id, now=LATER)[0]

    results = race(bare_app, [press, press])
    errors = [one for one in results if isinstance(one, Exception)]
    [made] = [one for one in results if isinstance(one, str)]
    assert [type(one) for one in errors] == [corrections.AlreadyCorrected]
    assert errors[0].public_id == made
    with bare_app.app_context():
        assert corrections.find_newest(slug) == number + 1
        assert count(Job) == 1


@pytest.mark.both
def test_handing_in_while_the_key_is_corrected_is_marked_by_it_in_the_end(bare_app: Flask):
    """Whoever comes first: the sitting meets the corrected key, or the job meets the sitting."""
    with bare_app.app_context():
        sat = Sat()
        refs = [helpers.begin(factories.person().id, SAT) for _ in range(6)]
        wording = wording_in(refs[0])
        holding = [ref for ref in refs if any(line[3] == wording.id for line in helpers.drawn(ref))]
        slug, number, key, by_id = wording.slug, wording.number, other_key(wording), sat.reviewer.id
        db.session.remove()

    def press() -> None:
        with unit_of_work():
            found = corrections.get_wording(slug, number)
            services.correct(found, key, reason="Keliru.", by_id=by_id, now=LATER)

    tasks = [lambda ref=ref: helpers.hand_in(ref, LATER) for ref in holding]
    results = race(bare_app, [*tasks, press])
    assert [one for one in results if one is not None] == []
    with bare_app.app_context():
        jobs.work(LATER)
        newest = corrections.get_wording(slug, number + 1)
        for ref in holding:
            live = [one for one, _passed, counts in entries(ref, CRITICAL) if counts]
            assert str(newest.id) in live
            assert str(wording.id) not in live
        assert reconcile.reconcile().problems == []


def test_a_worker_that_died_anywhere_leaves_nothing_twice(app: Flask):
    sat = Sat()
    others = [sat.sit(factories.person()) for _ in range(3)]
    wording = wording_in(sat.ref)
    made = correct(wording, other_key(wording), sat.reviewer, work=False)
    held = corrections.closed_sittings([wording.id])
    assert jobs.work(LATER, seconds=0) == 0
    jobs.work(LATER)
    before = count(Evidence), count(EvidenceVoid), count(Rescore)
    with unit_of_work():  # as after a restart from before the marks were settled
        from lms.core.models import ItemState, JobItem

        db.session.execute(update(JobItem).values(state=ItemState.TODO))
        db.session.execute(update(Job).values(finished_at=None, lease_until=LATER, leased_by=""))
    assert jobs.work(LATER + timedelta(minutes=1)) == len(held)
    assert (count(Evidence), count(EvidenceVoid), count(Rescore)) == before
    assert others
    assert services.find_job(corrections.get_correction(made)).problems == 0


def test_who_may_not(app: Flask):
    sat = Sat()
    wording = wording_in(sat.ref)
    with unit_of_work(), pytest.raises(corrections.NotAnOption):
        corrections.correct(wording, wording.key, reason="x", by_id=sat.admin.id, now=LATER)
    with unit_of_work(), pytest.raises(corrections.OwnSitting):
        corrections.correct(
            wording, other_key(wording), reason="x", by_id=sat.world.trainee.id, now=LATER
        )
    correct(wording, other_key(wording), sat.reviewer)
    with unit_of_work(), pytest.raises(corrections.AlreadyCorrected):
        corrections.correct(wording, wording.choices[1], reason="x", by_id=sat.admin.id, now=LATER)
    assert count(Rescore) == 1


def test_a_correction_of_what_nobody_handed_in_needs_no_job(app: Flask):
    reviewer = factories.person("reviewer")
    wording = corrections.get_wording("K1-0321-1", 1)
    made = correct(wording, other_key(wording), reviewer)
    assert services.find_job(corrections.get_correction(made)) is None
    assert [one.public_id for one in corrections.list_corrections()] == [made]


def test_a_mark_that_was_voided_before_stays_voided(app: Flask):
    sat = Sat()
    wording = wording_in(sat.ref)
    old = db.session.scalars(select(Evidence.id).where(Evidence.ref == str(wording.id))).one()
    with unit_of_work():
        competency.void(old, reason="banding", by_id=None, now=NOW)
    correct(wording, other_key(wording), sat.reviewer)
    assert len(entries(sat.ref, CRITICAL)) == 2
    row = db.session.scalars(select(Rescore)).one()
    assert (row.was_right, row.is_right, row.changed) == (None, False, False)
