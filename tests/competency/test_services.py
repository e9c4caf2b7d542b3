"""The ledger in the database: facts once, voided never deleted, many people in one query."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import event, func, select

from lms.competency import services
from lms.competency.models import Evidence, StandardVersion
from lms.competency.rules import EvidenceKind, Ledger, Verdict
from lms.core.db import db, unit_of_work
from lms.core.errors import Forbidden
from lms.core.ids import digest_of_text
from lms.core.models import AuditEvent
from tests import factories
from tests.ledgers import SPEC

NOW = factories.NOW


def fact(person_id: int, **values: object) -> services.NewEvidence:
    base = services.NewEvidence(
        person_id=person_id,
        kind=EvidenceKind.SK,
        kuk="03.1.1",
        source="SK1",
        group="sub-1",
        mark=2,
        note="jelas",
        happened_at=NOW,
    )
    return replace(base, **values)  # type: ignore[arg-type]


def append(*facts: services.NewEvidence) -> None:
    found = services.current()
    with unit_of_work():
        services.append(facts, standard_id=found.id, now=NOW)


@pytest.mark.both
def test_a_fact_stated_twice_is_one_row(app: Flask):
    someone = factories.person()
    append(fact(someone.id), fact(someone.id, kuk="03.1.2"))
    append(fact(someone.id, mark=0))
    marks = db.session.execute(select(Evidence.kuk, Evidence.mark).order_by(Evidence.id)).all()
    assert [tuple(row) for row in marks] == [("03.1.1", 2), ("03.1.2", 2)]


def test_nothing_to_append_is_nothing(app: Flask):
    append()
    assert db.session.scalar(select(func.count()).select_from(Evidence)) == 0


@pytest.mark.both
def test_a_voided_row_stays_but_no_longer_counts(app: Flask):
    someone, admin = factories.person(), factories.person("admin")
    append(fact(someone.id))
    row_id = db.session.scalars(select(Evidence.id)).one()
    found = services.current()
    assert not services.rows_of_one(someone.id, found)[0].voided
    with unit_of_work():
        services.void(row_id, reason="penilai kerabat", by_id=admin.id, now=NOW)
    assert services.void_ids(someone.id) == {row_id}
    ledger = Ledger(found.standard, services.rows_of_one(someone.id, found), NOW)
    assert ledger.verdict(found.standard.find("03.1.1")) is Verdict.NO_EVIDENCE
    assert [e.id for e in services.list_evidence(someone.id)] == [row_id]
    assert db.session.scalars(select(AuditEvent.action)).all()[-1] == "competency.void"
    with pytest.raises(services.AlreadyVoided), unit_of_work():
        services.void(row_id, reason="lagi", by_id=admin.id, now=NOW)


def test_ledgers_of_many_people_are_one_query(app: Flask):
    people = [factories.person() for _ in range(3)]
    append(*(fact(p.id) for p in people))
    ids, found, seen = [p.id for p in people], services.current(), []
    event.listen(db.engine, "after_cursor_execute", lambda *args: seen.append(args[2]))
    ledgers = services.rows_of(ids, found)
    assert len([s for s in seen if "evidence" in s]) == 1
    assert {k: len(v) for k, v in ledgers.items()} == dict.fromkeys(ids, 1)


def test_evidence_of_an_older_standard_carries_its_own_text(app: Flask):
    someone = factories.person()
    append(fact(someone.id), fact(someone.id, kuk="03.1.2"))
    changed = SPEC.model_copy(update={"version": "0.3"})
    document = changed.model_dump(mode="json")
    document["units"][2]["elements"][0]["kuk"][0]["text"] = "bunyi baru"
    with unit_of_work():
        db.session.add(
            StandardVersion(
                version="0.3",
                digest=digest_of_text(json.dumps(document)),
                document=document,
                loaded_at=NOW,
            )
        )
    found = services.current()
    assert found.standard.version == "0.3"
    ledger = Ledger(
        found.standard, services.rows_of_one(someone.id, found), NOW + timedelta(days=1)
    )
    live = {row.kuk for kuk in ("03.1.1", "03.1.2") for row in ledger.latest(EvidenceKind.SK, kuk)}
    assert live == {"03.1.2"}, "only the KUK whose text changed is open again"


def test_the_same_standard_is_stored_once(app: Flask):
    before = services.current()
    with unit_of_work():
        assert services.load_standard(SPEC, now=NOW).id == before.id
        newer = services.load_standard(SPEC.model_copy(update={"version": "9"}), now=NOW).id
    assert services.current().id == newer
    assert services.current().is_draft


def test_without_a_standard_it_says_so(app: Flask):
    with unit_of_work():
        db.session.query(StandardVersion).delete()
    with pytest.raises(services.NoStandard):
        services.current()
    services._standard.cache_clear()
    with pytest.raises(services.NoStandard):
        services.texts_of(99)


def test_nobody_guides_themselves(app: Flask):
    trainer_id = factories.person("trainer").id
    with pytest.raises(Forbidden), unit_of_work():
        services.coach(
            trainer_id, kind=EvidenceKind.Q, source="K1", note="x", trainer_id=trainer_id, now=NOW
        )
    assert services.coached_at(trainer_id, EvidenceKind.Q, "K1") == []


def test_guidance_is_remembered_with_who_gave_it(app: Flask):
    someone, trainer = factories.person(), factories.person("trainer")
    person_id, trainer_id = someone.id, trainer.id
    with unit_of_work():
        services.coach(
            person_id,
            kind=EvidenceKind.Q,
            source="K1",
            note="Bahas ulang 03.1.4",
            trainer_id=trainer_id,
            now=NOW,
        )
    assert services.coached_at(person_id, EvidenceKind.Q, "K1") == [NOW]
    assert services.coached_at(person_id, EvidenceKind.SIM, "K1") == []
    entry = db.session.scalars(select(AuditEvent).order_by(AuditEvent.id.desc())).first()
    assert (entry.action, entry.actor_id) == ("competency.coach", trainer_id)


def test_a_version_of_the_standard_is_found_by_its_number(app: Flask):
    newest = services.current()
    assert services.version(newest.id) == newest
    with pytest.raises(services.NoStandard):
        services.version(newest.id + 1)
