"""Several people press the button at once: one certificate, and no number is lost or doubled."""

import threading
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import func, select

from lms.competency import services as competency
from lms.core.db import db, unit_of_work
from lms.credentials import paper, rules, services, signatures
from lms.credentials.models import (
    Certificate,
    Decision,
    Document,
    NumberCounter,
    Proposal,
    Signature,
)
from lms.credentials.rules import AlreadyIssued, Reason
from tests import factories
from tests.credentials.world import BASE, NOW, World, fulfil, refuses

CROWD = 6


def at_once(app: Flask, calls: list[Callable[[], object]]) -> list[object]:
    """Run every call in a thread and a unit of work of its own; return results and errors."""
    barrier, answers = threading.Barrier(len(calls)), []

    def run(call: Callable[[], object]) -> None:
        with app.app_context():
            barrier.wait(10)
            try:
                with unit_of_work():
                    answers.append(call())
            except Exception as error:  # the test looks at what was raised
                answers.append(error)
            finally:
                db.session.remove()

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def issuing(decision_id: int) -> Callable[[], str]:
    return lambda: (
        services.issue(decision_id, by_id=None, now=NOW, base_url=BASE, sample=False).number
    )


@pytest.mark.both
def test_one_decision_gives_one_certificate(bare_app: Flask):
    paper.warm_up()
    with bare_app.app_context():
        world = World()
        fulfil(world.trainee, "K1")
        calls = [issuing(world.decided())] * CROWD
        second = world.join("Maria Ulfah")
        fulfil(second, "K1")
        after = issuing(world.decided(second))
    answers = at_once(bare_app, calls)
    assert [answer for answer in answers if isinstance(answer, str)] == ["0001/SULUH-K1/2026"]
    refused = [answer for answer in answers if not isinstance(answer, str)]
    assert {type(answer) for answer in refused} == {AlreadyIssued}
    assert len(refused) == CROWD - 1
    with bare_app.app_context():
        for table in (Certificate, Document):
            assert db.session.scalar(select(func.count()).select_from(table)) == 1
        assert db.session.scalar(select(NumberCounter.last)) == 1
    assert at_once(bare_app, [after]) == ["0002/SULUH-K1/2026"]


@pytest.mark.both
def test_two_second_signatures_at_once_make_one_decision(bare_app: Flask):
    """Six people press for the same person: one is first, one is second, the others are told."""
    with bare_app.app_context():
        world = World()
        fulfil(world.trainee, "K1")
        signers = [world.trainer, *(factories.person("trainer") for _ in range(CROWD - 1))]
        for signer in signers[1:]:
            factories.staff(signer, world.cohort)
        seen, person_id, cohort_id = world.seen(), world.trainee.id, world.cohort.id
        ids = [signer.id for signer in signers]

    def signing(signer_id: int) -> Callable[[], object]:
        return lambda: signatures.sign(
            person_id, "K1", cohort_id=cohort_id, signer_id=signer_id, seen=seen, now=NOW
        )

    answers = at_once(bare_app, [signing(one) for one in ids])
    done = [step for answer in answers if isinstance(answer, tuple) for step in answer]
    refused = {type(answer) for answer in answers if isinstance(answer, Exception)}
    # Nobody was lost but to somebody who was quicker; who was told so may press again.
    assert refused <= {signatures.AlreadyDecided, rules.AlreadySigned}
    assert done.count(rules.Step.PROPOSE) == 1
    if rules.Step.DECIDE not in done:
        at_once(bare_app, [signing(one) for one in ids])
    with bare_app.app_context():
        assert db.session.scalar(select(func.count()).select_from(Decision)) == 1
        assert db.session.scalar(select(func.count()).select_from(Proposal)) == 1
        signed = db.session.scalars(select(Signature.signer_id)).all()
        assert len(signed) == len(set(signed)) == 2


@pytest.mark.both
def test_numbers_of_many_people_have_no_gap(bare_app: Flask):
    paper.warm_up()
    with bare_app.app_context():
        world = World()
        people = [world.join(f"Peserta {n}") for n in range(CROWD)]
        for someone in people:
            fulfil(someone, "K1")
        decisions = [world.decided(someone) for someone in people]
        # The evidence of the first one is voided after the decision: it must not cost a number.
        row = competency.rows_of_one(people[0].id, competency.current())[0].id
        with unit_of_work():
            competency.void(row, reason="keliru", by_id=None, now=NOW)
    answers = at_once(bare_app, [issuing(one) for one in decisions])
    numbers = sorted(answer for answer in answers if isinstance(answer, str))
    assert numbers == [f"{n:04d}/SULUH-K1/2026" for n in range(1, CROWD)]
    assert [type(a) for a in answers if not isinstance(a, str)] == [services.NotReady]


def store_twice(decision: Decision, written: services.Paper) -> None:
    with services._all_or_nothing():
        db.session.add(decision)
        db.session.flush()
        services._store(services.draw(written), decision, services.Place(1, None), NOW)


@pytest.mark.both
def test_the_database_itself_refuses_a_second_certificate(bare_app: Flask):
    """What the check before misses, the unique key catches; nothing of the try remains."""
    with bare_app.app_context():
        world = World()
        first = world.certified()
        decision_id, cohort_id = first.decision_id, world.cohort.id
        again = Decision(
            person_id=first.person_id,
            scheme_code="K1",
            cohort_id=cohort_id,
            standard_version_id=first.standard_version_id,
            signed_by=world.trainer.id,
            decided_at=NOW,
            trace={},
        )
        written = paper.correct(
            paper.read(first.snapshot),
            code=services.codes.new_code(),
            base_url=BASE,
            holder_name="Orang Lain",
        )
        with unit_of_work():
            refuses(AlreadyIssued, lambda: store_twice(again, written))
        assert db.session.scalars(select(Decision.id)).all() == [decision_id]
        assert db.session.scalar(select(func.count()).select_from(Document)) == 1


@pytest.mark.both
def test_two_administrators_revoke_once(bare_app: Flask):
    with bare_app.app_context():
        code = World().certified().code
        admins = [factories.person("admin").id for _ in range(2)]

    def revoking(by_id: int) -> Callable[[], str]:
        def call() -> str:
            services.revoke(
                code, reason_public=Reason.ERROR, reason_internal="x", by_id=by_id, now=NOW
            )
            return "revoked"

        return call

    answers = at_once(bare_app, [revoking(by_id) for by_id in admins])
    assert sorted(type(answer).__name__ for answer in answers) == ["NotInForce", "str"]
