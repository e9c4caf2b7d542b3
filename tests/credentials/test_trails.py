"""From a certificate to its evidence, in few queries, told apart by what was known when."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import insert, select

from lms.accounts.models import Person
from lms.cohorts.models import Part
from lms.competency import services as competency
from lms.competency.models import Evidence, StandardVersion
from lms.competency.qualities import Answer, Quality, Stated
from lms.competency.rules import EvidenceKind, Verdict
from lms.competency.trails import trail_of
from lms.core.db import db, unit_of_work
from lms.core.ids import digest_of_text
from lms.core.login import Viewer
from lms.credentials.trails import Trail, read_trail
from lms.quizzes import wordings
from tests import factories
from tests.corrections.world import CRITICAL, LATER, NOW, Sat, correct, wording_in
from tests.credentials.world import World
from tests.ledgers import SPEC
from tests.queries import counted, watched


def viewer_of(person: Person, *roles: str) -> Viewer:
    return Viewer(person.id, person.public_id, person.name, frozenset(roles), "id", "")


def line_of(trail: Trail, kuk: str):
    return next(line for unit in trail.units for line in unit.lines if line.kuk.code == kuk)


def test_every_criterion_is_traced_to_the_rows_the_decision_rests_on(app: Flask):
    sat = Sat()
    paper = sat.certify()
    trail = read_trail(paper.code, viewer_of(sat.world.trainee, "trainee"), now=NOW)
    lines = [line for unit in trail.units for line in unit.lines]
    assert {line.kuk.code for line in lines} == {k.code for k in trail.standard.of("K1")}
    assert all(line.basis and line.decided.reached for line in lines)
    assert all(not line.later and line.now == line.decided for line in lines)
    quiz = [p for p in line_of(trail, CRITICAL).basis if p.kept.row.kind is EvidenceKind.Q]
    assert len(quiz) == 2
    assert {p.item.slug[:3] for p in quiz} == {"K1-"}
    assert trail.signed_by == ("Endang Lestari", "Lestari Widodo")
    assert trail.recomputed


def test_what_came_after_the_decision_stands_apart(app: Flask):
    sat = Sat()
    paper = sat.certify()
    wording = wording_in(sat.ref)
    correct(wording, wording.choices[0], sat.reviewer)
    trail = read_trail(
        paper.code, viewer_of(sat.world.trainee, "trainee"), now=LATER + timedelta(days=1)
    )
    line = line_of(trail, CRITICAL)
    assert (line.decided, line.now) == (Verdict.REACHED, Verdict.NOT_YET)
    [old] = [p for p in line.basis if p.kept.voided]
    assert old.is_voided_later
    # As it was known then it had all four; today it counts no more.
    assert old.qualities[Quality.SUFFICIENT] is Answer.YES
    [new] = line.later
    assert (new.kept.row.replaces, old.replaced_by) == (old.kept.row.id, new.kept.row.id)
    assert (new.item.number, new.kept.assessor) == (wording.number + 1, "Sari Ahli")
    assert trail.recomputed  # the past reads as it read


def test_what_was_noted_under_another_standard_says_so(app: Flask):
    sat = Sat()
    paper = sat.certify()
    document = SPEC.model_dump(mode="json") | {"version": "0.9"}
    document["units"][2]["elements"][0]["kuk"][0]["text"] = "bunyi baru"
    newer = StandardVersion(
        version="0.9", digest=digest_of_text("x"), document=document, loaded_at=LATER
    )
    with unit_of_work():
        db.session.add(newer)
        db.session.flush()
        facts = [
            competency.NewEvidence(
                person_id=sat.world.trainee.id, kind=EvidenceKind.SK, kuk=kuk, source="SK1",
                group="baru", mark=2, qualities=Stated(), happened_at=LATER,
            )
            for kuk in ("03.1.1", "03.1.2")
        ]  # fmt: skip
        competency.append(facts, standard_id=newer.id, now=LATER)
    trail = read_trail(paper.code, viewer_of(sat.admin, "admin"), now=LATER + timedelta(days=1))
    [changed] = line_of(trail, "03.1.1").later
    [same] = line_of(trail, "03.1.2").later
    assert changed.kept.standard == same.kept.standard == "0.9"
    # The certificate's standard asks for another text, so this is no evidence of it.
    assert changed.qualities[Quality.CURRENT] is Answer.NO
    assert same.qualities[Quality.CURRENT] is Answer.YES
    assert trail.recomputed


def test_nobody_without_evidence_has_a_trail(app: Flask):
    found = competency.current()
    assert trail_of(factories.person().id, found.id) == (found, [])
    assert wordings.names_of(()) == {}


def test_the_four_qualities(app: Flask):
    sat = Sat()
    with unit_of_work():
        for row in db.session.query(Evidence).filter_by(kind=EvidenceKind.SK):
            row.is_valid, row.is_authentic, row.is_current, row.is_sufficient = (
                True,
                True,
                True,
                False,
            )
    paper = sat.certify()
    trail = read_trail(paper.code, viewer_of(sat.admin, "admin"), now=NOW)
    found = {
        piece.kept.row.kind: dict(piece.qualities)
        for unit in trail.units
        for line in unit.lines
        for piece in line.basis
    }
    [(lesson, [present])] = trail.attendance
    found[EvidenceKind.HDR] = dict(present.qualities)
    assert lesson == "K1.T"
    yes, no, unsaid = Answer.YES, Answer.NO, Answer.OPEN
    names = (Quality.VALID, Quality.AUTHENTIC, Quality.CURRENT, Quality.SUFFICIENT)

    def of(kind: EvidenceKind) -> tuple[Answer, ...]:
        return tuple(found[kind][name] for name in names)

    assert of(EvidenceKind.Q) == (unsaid, yes, yes, yes)  # no expert has signed the items
    assert of(EvidenceKind.SK) == (yes, yes, yes, no)
    assert of(EvidenceKind.OBS) == (unsaid, unsaid, yes, unsaid)
    assert of(EvidenceKind.SIM) == of(EvidenceKind.HDR) == (yes, yes, yes, yes)


def test_qualities_are_stated_with_the_entry(app: Flask):
    person = factories.person()
    fact = competency.NewEvidence(
        person_id=person.id, kind=EvidenceKind.SK, kuk="03.1.1", source="SK1", group="g", mark=0,
        qualities=Stated(is_authentic=False), happened_at=NOW,
    )  # fmt: skip
    with unit_of_work():
        competency.append([fact], standard_id=competency.current().id, now=NOW)
    [row] = competency.list_evidence(person.id)
    assert (row.is_valid, row.is_authentic, row.is_current, row.is_sufficient) == (
        True, False, True, True,
    )  # fmt: skip


def test_who_may_read_it(app: Flask, sign_in):
    sat = Sat()
    paper = sat.certify()
    page = f"/sertifikat/{paper.code}/jejak"
    for person in (sat.world.trainee, sat.world.trainer, sat.world.assessor, sat.admin):
        answer = sign_in(person).get(page)
        assert answer.status_code == 200
        assert paper.number in answer.text
    other = factories.person("trainer")
    factories.staff(other, factories.cohort(slug="lain"), Part.TRAINER)
    for person in (other, factories.person(), factories.person("agency")):
        assert sign_in(person).get(page).status_code == 404
    assert sign_in(sat.admin).get("/sertifikat/AAAAABBBBBCCCCC/jejak").status_code == 404
    assert app.test_client().get(page).status_code == 302
    browser = sign_in(sat.world.trainee)
    assert browser.get(f"{page}?unit=99").status_code == 404
    whole = browser.get(f"{page}?unit=semua").text
    assert whole.count("Dasar keputusan") == len(competency.current().standard.of("K1"))
    assert page in browser.get("/sertifikat").text
    assert "/sertifikat" in browser.get("/kompetensi").text
    person = f"/angkatan/{sat.world.cohort.slug}/peserta/{sat.world.trainee.public_id}"
    assert page in sign_in(sat.world.trainer).get(person).text
    stem = wording_in(sat.ref).stem
    assert stem not in whole  # names and numbers, no text and no key


MANY = 10_000


@pytest.mark.both
def test_five_queries_with_ten_thousand_people(app: Flask, sign_in):
    sat = Sat()
    paper = sat.certify()
    _grow(sat.world, MANY)
    browser = sign_in(sat.world.trainer)
    page = f"/sertifikat/{paper.code}/jejak"
    browser.get(page)  # the text of a standard is read once per process
    with watched(db.engine) as sent:
        assert browser.get(page).status_code == 200
    assert len(sent) <= 5, "\n".join(one.text for one in sent)
    ledger = next(one for one in sent if "FROM evidence" in one.text)
    with db.engine.connect() as connection:
        explain = "EXPLAIN QUERY PLAN " if db.engine.name == "sqlite" else "EXPLAIN "
        connection.exec_driver_sql("ANALYZE")
        plan = str(connection.exec_driver_sql(explain + ledger.text, ledger.values).all())
    assert "ix_evidence_person" in plan, plan
    code, viewer = paper.code, viewer_of(sat.world.trainee, "trainee")
    with counted() as asked:
        read_trail(code, viewer, now=NOW)
    assert len(asked) <= 5


def _grow(world: World, people: int) -> None:
    """Add companions with a ledger of their own."""
    someone, rows = _values(Person, id=world.trainee.id), _values(Evidence)[:4]
    first = 100_000
    with unit_of_work():
        db.session.execute(
            insert(Person),
            [
                someone[0] | {"id": n, "public_id": f"kembar{n}", "email": f"k{n}@contoh.test"}
                for n in range(first, first + people)
            ],
        )
        db.session.execute(
            insert(Evidence),
            [
                {**row, "person_id": n, "id": n * 10 + place}
                for n in range(first, first + people)
                for place, row in enumerate(rows)
            ],
        )


def _values(table: type, **conditions: object) -> list[dict[str, object]]:
    rows = db.session.scalars(select(table).filter_by(**conditions)).all()
    return [{c.name: getattr(row, c.name) for c in table.__table__.columns} for row in rows]
