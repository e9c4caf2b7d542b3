"""Appeals: who may ask, who may answer, what the ledger holds afterwards, what waits meanwhile."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from lms.competency import rules as verdicts
from lms.competency import services as competency
from lms.competency.rules import EvidenceKind, MissingKind, Requirement, State
from lms.core.db import db, unit_of_work
from lms.core.errors import NotFound
from lms.core.login import Viewer
from lms.practice.cases import services as cases
from lms.practice.cases.rules import Stage as CaseStage
from lms.ratings import appeals, rules
from lms.ratings.models import AppealStep
from lms.ratings.rules import Stage
from tests.factories import NOW
from tests.practice.cases import scene as scenes
from tests.practice.cases.scene import CODE, Scene, hand_in
from tests.races import race
from tests.ratings.test_two import LATER, rows, third

WHY = "Tanda bahaya sudah saya tulis di bagian dua."
ANSWER = "Bagian dua memang menyebut semua tanda bahaya."
KUK = "03.1.1"


def marked() -> Scene:
    """Let the assessor find one critical criterion not safe alone."""
    here = scenes.scene()
    scenes.decide(hand_in(here.trainee), here.assessor, {KUK: 1})
    return here


def ask(here: Scene, text: str = WHY, now=LATER) -> str:  # type: ignore[no-untyped-def]  # a moment
    [candidate] = appeals.candidates(here.trainee, now)
    with unit_of_work():
        return appeals.ask(here.trainee, candidate.key, text=text, now=now)


def take(public_id: str, who: Viewer) -> None:
    with unit_of_work():
        appeals.take(public_id, who, now=LATER)


def missing(here: Scene) -> set[tuple[MissingKind, str]]:
    found = competency.current()
    asked = Requirement(scheme="K1", curricula=("K1",), in_person=())
    open_ = appeals.open_kuk([here.trainee]).get(here.trainee, frozenset())
    kept = competency.rows_of_one(here.trainee, found)
    judged = verdicts.judge(found.standard, kept, asked, LATER, appeals=open_)
    return {(one.kind, one.code) for one in judged.missing}


def test_only_what_is_not_reached_may_be_appealed_and_only_in_time(app: Flask):
    here = marked()
    assert [one.kuk for one in appeals.candidates(here.trainee, LATER)] == [KUK]
    last = LATER + timedelta(days=rules.APPEAL_DAYS)
    assert [one.kuk for one in appeals.candidates(here.trainee, last)] == [KUK]
    assert appeals.candidates(here.trainee, last + timedelta(days=1)) == []
    with pytest.raises(NotFound), unit_of_work():
        appeals.ask(here.trainee, "SK|02.1.1|x|", text=WHY, now=LATER)
    with pytest.raises(rules.NoReason):
        ask(here, "Tidak adil.")


def test_an_appeal_is_asked_once_and_holds_the_decision(app: Flask):
    here = marked()
    assert (MissingKind.APPEAL, KUK) not in missing(here)
    ask(here)
    assert (MissingKind.APPEAL, KUK) in missing(here)
    assert appeals.candidates(here.trainee, LATER) == []


def test_who_marked_does_not_answer_and_others_see_it(app: Flask):
    here = marked()
    public_id = ask(here)
    assert [case.appeal.public_id for case in appeals.list_queue(here.assessor.id)] == [public_id]
    with pytest.raises(rules.NotThirdPerson):
        take(public_id, here.assessor)
    take(public_id, here.trainer)
    with pytest.raises(rules.WrongStage):
        take(public_id, third(here))
    with pytest.raises(NotFound):
        appeals.get_own(here.assessor.id, public_id)


def test_an_upheld_appeal_voids_the_row_and_a_new_one_follows(app: Flask):
    here = marked()
    public_id = ask(here)
    [old] = [row for row in competency.list_evidence(here.trainee) if row.kuk == KUK]
    take(public_id, here.trainer)
    with pytest.raises(rules.NoGain), unit_of_work():
        appeals.uphold(public_id, here.trainer, level=1, reason=ANSWER, now=LATER)
    with unit_of_work():
        appeals.uphold(public_id, here.trainer, level=2, reason=ANSWER, now=LATER)
    assert competency.void_ids(here.trainee) == {old.id}
    assert rows(here.trainee)[KUK] == (2, 1, here.trainer.id)
    assert cases.case_state(here.trainee, CODE, LATER).stage is CaseStage.DONE
    assert (MissingKind.APPEAL, KUK) not in missing(here)
    case = appeals.get_own(here.trainee, public_id)
    assert [step.stage for step in case.steps] == [Stage.ASKED, Stage.TAKEN, Stage.UPHELD]
    assert (case.last.note, case.last.mark, case.due_at) == (ANSWER, 2, None)


def test_upheld_without_a_mark_it_is_done_anew_and_costs_no_try(app: Flask):
    here = marked()
    public_id = ask(here)
    take(public_id, here.trainer)
    with unit_of_work():
        appeals.uphold(public_id, here.trainer, level=None, reason=ANSWER, now=LATER)
    found = competency.current()
    ledger = verdicts.Ledger(found.standard, competency.rows_of_one(here.trainee, found), LATER)
    assert ledger.state(found.standard.find(KUK), EvidenceKind.SK) is State.NONE
    state = cases.case_state(here.trainee, CODE, LATER)
    assert (state.stage, state.open_kuk, state.failed) == (CaseStage.WRITE, (KUK,), frozenset())


def test_refused_the_result_stands_and_may_not_be_appealed_again(app: Flask):
    here = marked()
    public_id = ask(here)
    take(public_id, here.trainer)
    with pytest.raises(rules.NoReason), unit_of_work():
        appeals.refuse(public_id, here.trainer, reason="Tidak.", now=LATER)
    with unit_of_work():
        appeals.refuse(public_id, here.trainer, reason=ANSWER, now=LATER)
    assert rows(here.trainee)[KUK][0] == 1
    assert (MissingKind.APPEAL, KUK) not in missing(here)
    assert appeals.candidates(here.trainee, LATER) == []
    with pytest.raises(rules.WrongStage), unit_of_work():
        appeals.withdraw(here.trainee, public_id, now=LATER)


def test_who_asked_may_take_it_back_and_nobody_else(app: Flask):
    here = marked()
    public_id = ask(here)
    with pytest.raises(NotFound), unit_of_work():
        appeals.withdraw(here.trainer.id, public_id, now=LATER)
    with unit_of_work():
        appeals.withdraw(here.trainee, public_id, now=LATER)
    assert appeals.get_own(here.trainee, public_id).is_open is False
    assert appeals.list_queue(here.trainer.id) == []
    assert (MissingKind.APPEAL, KUK) not in missing(here)


def test_quiz_answers_are_voided_together_and_no_mark_follows(app: Flask):
    here = scenes.scene()
    facts = [
        competency.NewEvidence(
            person_id=here.trainee,
            kind=EvidenceKind.Q,
            kuk=KUK,
            source="K1",
            group="kuis",
            ref=str(n),
            passed=False,
            happened_at=NOW,
        )
        for n in range(2)
    ]
    with unit_of_work():
        competency.append(facts, standard_id=competency.current().id, now=NOW)
    public_id = ask(here)  # one choice for both answers
    assert appeals.candidates(here.trainee, LATER) == []
    take(public_id, here.trainer)
    with unit_of_work():
        case = appeals.uphold(public_id, here.trainer, level=2, reason=ANSWER, now=LATER)
    assert not case.is_marked
    assert len(competency.void_ids(here.trainee)) == 2
    assert len(competency.list_evidence(here.trainee)) == 2


@pytest.mark.both
def test_two_who_answer_at_once_make_one_answer(bare_app: Flask):
    with bare_app.app_context():
        here = marked()
        judges = [here.trainer, third(here)]
        public_id = ask(here)
        take(public_id, here.trainer)

    def uphold() -> None:
        with unit_of_work():
            appeals.uphold(public_id, judges[0], level=2, reason=ANSWER, now=LATER)

    def refuse() -> None:
        with unit_of_work():
            appeals.refuse(public_id, judges[1], reason=ANSWER, now=LATER)

    found = race(bare_app, [uphold, refuse])
    assert sorted(type(one).__name__ for one in found) == ["NoneType", "WrongStage"]
    with bare_app.app_context():
        steps = db.session.scalars(select(AppealStep.stage).order_by(AppealStep.position)).all()
        assert len(steps) == 3
        upheld = steps[-1] is Stage.UPHELD
        assert rows(here.trainee)[KUK][0] == (2 if upheld else 1)
