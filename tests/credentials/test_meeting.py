"""The decision meeting: who may sign, under which evidence, and what stops it."""

from datetime import timedelta

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from lms.accounts import services as accounts
from lms.cohorts import services as cohorts
from lms.cohorts.models import ConflictKind, Part
from lms.competency import services as competency
from lms.core.db import db, unit_of_work
from lms.core.errors import NotFound
from lms.core.models import AuditEvent
from lms.credentials import meeting, rules, services, signatures
from lms.credentials.minutes import get_minutes
from lms.credentials.models import Decision, Proposal, ProposalState, Signature
from lms.credentials.rules import Standing, Step
from tests import factories, ledgers
from tests.credentials.world import NOW, World, append, fulfil, refuses
from tests.queries import counted

LATER = NOW + timedelta(hours=1)


@pytest.fixture
def world(app: Flask) -> World:
    return World()


@pytest.fixture
def ready(world: World) -> World:
    fulfil(world.trainee, "K1")
    return world


def standing(world: World, viewer_id: int | None = None, at=LATER) -> meeting.Line:
    viewer = viewer_id or world.trainer.id
    found = meeting.get_meeting(world.cohort, "K1", viewer, only=[world.trainee.public_id], now=at)
    return found.lines[0]


def states() -> list[str]:
    return list(db.session.scalars(select(Proposal.state).order_by(Proposal.id)))


def observe(world: World, mark: int = 2, group: str = "o9") -> None:
    """Let one more mark of the observation test come in."""
    row = ledgers.Maker().row(ledgers.OBS, "03.1.1", group, mark=mark, at=NOW)
    append(world.trainee.id, [row])


def conflict(assessor_id: int, person_id: int) -> None:
    with unit_of_work():
        cohorts.declare_conflict(
            assessor_id, person_id, ConflictKind.RELATIVE, declared_by=assessor_id, now=NOW
        )


def test_two_signatures_make_the_decision(ready: World):
    assert ready.sign() == (Step.PROPOSE,)
    assert db.session.scalar(select(func.count()).select_from(Decision)) == 0
    line = standing(ready, ready.assessor.id)
    assert (line.standing, line.is_second, line.may_sign) == (Standing.PROPOSED, True, True)
    assert [mark.name for mark in line.marks] == ["Endang Lestari"]
    own = standing(ready)
    assert isinstance(own.hindrance, rules.AlreadySigned)

    assert ready.sign(by=ready.assessor, now=LATER) == (Step.DECIDE,)
    decision = db.session.scalars(select(Decision)).one()
    assert (decision.signed_by, decision.decided_at) == (ready.trainer.id, LATER)
    assert set(decision.trace["verdicts"].values()) == {"T"}
    line = standing(ready)
    assert line.standing is Standing.DECIDED
    assert isinstance(line.hindrance, signatures.AlreadyDecided)
    assert states() == [ProposalState.DECIDED]
    refuses(signatures.AlreadyDecided, ready.sign)
    audited = db.session.scalars(
        select(AuditEvent.detail).where(AuditEvent.action == "credentials.sign")
    ).all()
    assert [detail["steps"] for detail in audited] == [["propose"], ["decide"]]


def test_the_same_person_never_signs_twice(ready: World):
    ready.sign()
    refuses(rules.AlreadySigned, ready.sign)
    proposal_id, signer_id = db.session.scalars(select(Proposal.id)).one(), ready.trainer.id

    def twice() -> None:
        with unit_of_work():
            db.session.add(
                Signature(
                    proposal_id=proposal_id,
                    position=2,
                    signer_id=signer_id,
                    trains=True,
                    signed_at=NOW,
                )
            )

    refuses(IntegrityError, twice)  # nor past the service: the table refuses


def test_one_of_the_two_is_a_trainer(ready: World):
    judge = factories.person("assessor")
    factories.staff(judge, ready.cohort, Part.ASSESSOR)
    ready.sign(by=ready.assessor)
    refuses(rules.NeedsTrainer, lambda: ready.sign(by=judge))
    assert isinstance(standing(ready, judge.id).hindrance, rules.NeedsTrainer)
    assert ready.sign() == (Step.DECIDE,)


def test_only_the_staff_of_the_class_signs_for_its_people(ready: World):
    speaker, stranger = factories.person("speaker"), factories.person("trainer")
    factories.staff(speaker, ready.cohort, Part.SPEAKER)
    for someone in (speaker, stranger):
        refuses(services.NotTheirTrainer, lambda who=someone: ready.sign(by=who))
        assert isinstance(standing(ready, someone.id).hindrance, services.NotTheirTrainer)
    guest = factories.person("trainee")
    fulfil(guest, "K1")
    refuses(services.NotTheirTrainer, lambda: ready.sign(guest))


def test_nobody_signs_for_themselves_or_for_relatives(ready: World):
    factories.staff(ready.trainee, ready.cohort)
    refuses(cohorts.MayNotAssess, lambda: ready.sign(by=ready.trainee))
    conflict(ready.trainer.id, ready.trainee.id)
    refuses(cohorts.MayNotAssess, ready.sign)
    assert isinstance(standing(ready).hindrance, cohorts.MayNotAssess)
    assert states() == []


def test_a_conflict_found_between_the_signatures_takes_the_first_one_away(ready: World):
    other = factories.person("trainer")
    factories.staff(other, ready.cohort)
    ready.sign()
    conflict(ready.trainer.id, ready.trainee.id)
    assert ready.sign(by=ready.assessor) == (Step.RENEW,)
    assert ready.sign(by=other) == (Step.DECIDE,)
    assert states() == [ProposalState.OUTDATED, ProposalState.DECIDED]


def test_nothing_is_signed_while_something_is_missing(world: World):
    error = refuses(services.NotReady, world.sign)
    assert len(error.missing) == 24
    line = standing(world)
    assert (line.standing, line.may_sign) == (Standing.BLOCKED, False)
    assert [unit.unit.number for unit in line.blocked_units] == ["02", "03", "04"]


def test_what_the_signer_did_not_see_is_not_signed(ready: World):
    seen = ready.seen()
    observe(ready)
    refuses(signatures.EvidenceChanged, lambda: ready.sign(seen=seen))
    assert states() == []
    assert ready.sign() == (Step.PROPOSE,)


def test_evidence_that_changed_between_the_signatures_makes_a_new_proposal(ready: World):
    ready.sign()
    observe(ready)
    line = standing(ready, ready.assessor.id)
    assert (line.standing, line.is_second, line.may_sign) == (Standing.CHANGED, False, True)
    [change] = line.changes
    assert (change.code, change.before, change.after) == ("03.1.1", "T", "T")
    assert (len(change.added), len(change.removed)) == (1, 1)
    assert ready.sign(by=ready.assessor) == (Step.RENEW,)
    assert states() == [ProposalState.OUTDATED, ProposalState.OPEN]
    assert ready.sign() == (Step.DECIDE,)
    decision = db.session.scalars(select(Decision)).one()
    assert decision.signed_by == ready.assessor.id
    assert change.added[0] in decision.trace["evidence"]["03.1.1"]


def test_evidence_that_turned_bad_blocks_the_second_signature(ready: World):
    ready.sign()
    observe(ready, mark=0)
    assert standing(ready, ready.assessor.id).standing is Standing.CHANGED
    assert isinstance(standing(ready, ready.assessor.id).hindrance, services.NotReady)
    refuses(services.NotReady, lambda: ready.sign(by=ready.assessor))
    assert db.session.scalar(select(func.count()).select_from(Decision)) == 0


@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("sign"), st.integers(0, 2)),
            st.tuples(st.just("evidence"), st.sampled_from([0, 2])),
            st.tuples(st.just("withdraw"), st.integers(0, 2)),
        ),
        min_size=3,
        max_size=7,
    )
)
def test_a_decision_always_has_two_signers_of_the_same_evidence(world: World, steps):
    """Whatever happens in whatever order, through the services and on real tables."""
    someone = world.join("Peserta Acak")
    fulfil(someone, "K1")
    judge = factories.person("assessor")
    factories.staff(judge, world.cohort, Part.ASSESSOR)
    people, person_id, cohort_id = (
        [world.trainer, world.assessor, judge],
        someone.id,
        world.cohort.id,
    )
    for n, (what, value) in enumerate(steps):
        try:
            if what == "evidence":
                row = ledgers.Maker().row(ledgers.OBS, "03.1.1", f"o-{n}", mark=value, at=NOW)
                append(person_id, [row])
            elif what == "withdraw":
                by = people[value].id
                with unit_of_work():
                    signatures.withdraw(person_id, "K1", cohort_id=cohort_id, by_id=by, now=NOW)
            else:
                world.sign(someone, by=people[value])
        except (
            services.NotReady,
            rules.AlreadySigned,
            rules.NeedsTrainer,
            signatures.NothingSigned,
            signatures.AlreadyDecided,
        ):
            continue
    for proposal in db.session.scalars(select(Proposal).where(Proposal.person_id == person_id)):
        signed = db.session.scalars(
            select(Signature).where(Signature.proposal_id == proposal.id)
        ).all()
        assert len(signed) == len({one.signer_id for one in signed})
        assert (len(signed) == 2) is (proposal.decision_id is not None)
        if proposal.decision_id:
            assert any(one.trains for one in signed)
            decision = db.session.get_one(Decision, proposal.decision_id)
            assert rules.digest(decision.trace) == proposal.digest
    decisions = select(func.count()).select_from(Decision).where(Decision.person_id == person_id)
    assert (db.session.scalar(decisions) or 0) <= 1


def test_the_name_that_will_be_printed_is_shown_against_the_one_signed(ready: World):
    ready.sign()
    person_id = ready.trainee.id
    with unit_of_work():
        accounts.rename(person_id, "Rahma Yuliani, S.Psi.", now=NOW)
    line = standing(ready, ready.assessor.id)
    assert (line.signed_name, line.new_name) == ("Rahma Yuliani", "Rahma Yuliani, S.Psi.")


def test_a_signature_may_be_taken_back_before_the_second(ready: World):
    person_id, cohort_id = ready.trainee.id, ready.cohort.id
    signer_id, other_id = ready.trainer.id, ready.assessor.id

    def withdraw(by_id: int) -> None:
        with unit_of_work():
            signatures.withdraw(person_id, "K1", cohort_id=cohort_id, by_id=by_id, now=NOW)

    refuses(signatures.NothingSigned, lambda: withdraw(signer_id))
    ready.sign()
    refuses(signatures.NothingSigned, lambda: withdraw(other_id))
    withdraw(signer_id)
    assert standing(ready).standing is Standing.READY
    ready.decided()
    refuses(signatures.NothingSigned, lambda: withdraw(signer_id))
    assert states() == [ProposalState.WITHDRAWN, ProposalState.DECIDED]


def put_off(world: World, by_id: int | None = None) -> None:
    person_id, cohort_id = world.trainee.id, world.cohort.id
    by = by_id or world.assessor.id
    with unit_of_work():
        signatures.put_off(
            person_id,
            "K1",
            cohort_id=cohort_id,
            by_id=by,
            reason="Observasi perlu dilihat lagi.",
            todo="Ulangi ST1 dengan penilai lain.",
            now=NOW,
        )


@pytest.mark.both
def test_who_is_put_off_is_not_decided_until_it_is_lifted(ready: World):
    ready.sign()
    put_off(ready)
    put_off(ready)  # said twice is said once
    line = standing(ready)
    assert line.standing is Standing.HELD
    assert line.held_back is not None
    assert (line.held_back.by, line.held_back.todo) == (
        "Lestari Widodo",
        "Ulangi ST1 dengan penilai lain.",
    )
    refuses(signatures.PutOff, ready.sign)
    person_id, cohort_id, by_id = ready.trainee.id, ready.cohort.id, ready.trainer.id

    def lift() -> None:
        with unit_of_work():
            signatures.lift(person_id, "K1", cohort_id=cohort_id, by_id=by_id, now=LATER)

    lift()
    refuses(NotFound, lift)
    assert standing(ready).standing is Standing.READY
    case = meeting.get_case(
        ready.cohort, "K1", ready.trainee.public_id, ready.trainer.id, now=LATER
    )
    assert [one.reason for one in case.past] == ["Observasi perlu dilihat lagi."]
    ready.decided()
    assert states() == [ProposalState.HELD, ProposalState.DECIDED]


def test_a_decision_may_be_put_off_until_its_certificate_is_issued(ready: World):
    decision_id = ready.decided()
    put_off(ready)

    def issue() -> None:
        with unit_of_work():
            services.issue(
                decision_id, by_id=None, now=NOW, base_url="https://x.example", sample=False
            )

    refuses(services.NotDecided, issue)
    conflict(ready.assessor.id, ready.trainee.id)
    refuses(cohorts.MayNotAssess, lambda: put_off(ready))
    refuses(services.NotTheirTrainer, lambda: put_off(ready, factories.person("trainer").id))


def test_one_signature_is_enough_where_the_setting_says_so(ready: World):
    refuses(rules.NeedsTrainer, lambda: ready.sign(by=ready.assessor, needed=1))
    assert ready.sign(needed=1) == (Step.PROPOSE, Step.DECIDE)
    assert states() == [ProposalState.DECIDED]


def test_a_certificate_that_holds_leaves_nothing_to_decide(world: World):
    world.certified()
    line = standing(world)
    assert line.standing is Standing.ISSUED
    assert isinstance(line.hindrance, rules.AlreadyIssued)
    assert line.held is not None
    refuses(rules.AlreadyIssued, world.sign)


def test_a_proposal_of_another_class_is_renewed_here(ready: World):
    elsewhere = factories.cohort()
    for someone, part in ((ready.trainer, Part.TRAINER), (ready.assessor, Part.ASSESSOR)):
        factories.staff(someone, elsewhere, part)
    factories.seat(ready.trainee, elsewhere)
    ready.sign(where=elsewhere)
    assert standing(ready).standing is Standing.CHANGED
    assert ready.sign(by=ready.assessor) == (Step.RENEW,)
    assert db.session.scalars(select(Proposal.cohort_id).order_by(Proposal.id)).all() == [
        elsewhere.id,
        ready.cohort.id,
    ]


def test_the_case_shows_every_row_and_what_counts(ready: World):
    observe(ready)
    found = meeting.get_case(
        ready.cohort, "K1", ready.trainee.public_id, ready.trainer.id, now=LATER
    )
    observed = [one for one in found.proofs["03.1.1"] if one.row.kind is ledgers.OBS]
    assert [one.counts for one in observed] == [True, False]
    assert [one.row.source for one in found.proofs["K1.T"]] == ["K1.T"]
    row_id, by_id = observed[0].row.id, ready.assessor.id
    with unit_of_work():
        competency.void(row_id, reason="keliru", by_id=by_id, now=NOW)
    found = meeting.get_case(
        ready.cohort, "K1", ready.trainee.public_id, ready.trainer.id, now=LATER
    )
    [newest, _old] = [one for one in found.proofs["03.1.1"] if one.row.kind is ledgers.OBS]
    assert (newest.voided, newest.counts) == (True, False)
    assert found.line.standing is Standing.BLOCKED
    refuses(
        NotFound,
        lambda: meeting.get_case(ready.cohort, "K1", "x", ready.trainer.id, now=LATER),
    )


def test_the_minutes_say_who_decided_what_and_what_is_put_off(world: World):
    names = ["Maria Ulfah", "Nur Aisyah", "Siti Rahmawati"]
    people = [world.join(name) for name in names]
    for someone in people:
        fulfil(someone, "K1")
    world.issue(people[0], now=NOW)
    world.sign(people[1], now=LATER)
    put_off(world)
    found = get_minutes(world.cohort, "K1")
    [decided] = found.decided
    assert (decided.name, decided.number) == ("Maria Ulfah", "0001/SULUH-K1/2026")
    assert [mark.name for mark in decided.marks] == ["Endang Lestari", "Lestari Widodo"]
    assert [one.name for one in found.proposed] == ["Nur Aisyah"]
    assert [(seat.name, held.by) for seat, held in found.held] == [
        ("Rahma Yuliani", "Lestari Widodo")
    ]
    assert found.signers == [("Endang Lestari", True), ("Lestari Widodo", False)]
    assert (found.total, found.open, found.first_at, found.last_at) == (4, 1, NOW, LATER)
    refuses(NotFound, lambda: get_minutes(world.cohort, "K9"))


def test_a_meeting_costs_the_same_at_any_size(world: World):
    def cost() -> int:
        slug_id, viewer_id = world.cohort.id, world.trainer.id
        with counted() as sent:
            cohort = cohorts.get_cohort_by_id(slug_id)
            found = meeting.get_meeting(cohort, "K1", viewer_id, now=LATER)
        assert found.total == len(found.lines)
        return len(sent)

    first = world.join("Peserta pertama")
    fulfil(first, "K1")
    world.sign(first)
    few = cost()
    for n in range(6):
        someone = world.join(f"Peserta {n}")
        fulfil(someone, "K1")
        if n < 3:
            world.sign(someone)
    assert cost() == few <= 13


def test_a_large_class_comes_in_pages(world: World, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(meeting, "PAGE", 2)
    for name in ("Ani", "Budi"):
        world.join(name)
    names = [
        [
            line.seat.name
            for line in meeting.get_meeting(
                world.cohort, "K1", world.trainer.id, page=page, now=NOW
            ).lines
        ]
        for page in (1, 2, 3)
    ]
    assert names == [["Ani", "Budi"], ["Rahma Yuliani"], []]
