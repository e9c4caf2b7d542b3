"""Kota Contoh and the walk behind it: from nothing to a certificate, by services alone."""

from datetime import timedelta
from pathlib import Path
from random import Random

import pytest
from flask import Flask
from sqlalchemy import select

from certificates.codes import normalise
from lms import demo
from lms.accounts.models import Person
from lms.cohorts import services as cohorts
from lms.cohorts.models import Part
from lms.competency import services as competency
from lms.competency.rules import Verdict, verdicts
from lms.config import CONTENT
from lms.core import clock
from lms.core.db import db
from lms.core.login import Viewer
from lms.credentials import meeting, register
from lms.credentials import services as credentials
from lms.demo import companions, people
from lms.demo.walk import Walk, attend, coach, keys
from lms.quizzes.classes import services as class_quizzes
from lms.quizzes.classes.models import Purpose
from lms.quizzes.essays import services as essays
from lms.quizzes.models import AnswerMark
from lms.ratings import appeals
from lms.ratings import services as ratings
from lms.reports import services as reports
from lms.reports.rules import Reason
from lms.statistics.classes import services as class_results
from tests import factories

DAY = timedelta(days=1)
BASE = "http://127.0.0.1:8000"


def states(person_id: int) -> dict[str, Verdict]:
    found = competency.current()
    rows = competency.rows_of_one(person_id, found)
    return verdicts(found.standard, rows, clock.now())


@pytest.mark.both
def test_the_whole_way_from_nothing_to_a_certificate(app: Flask):
    now = clock.now()
    start = now - 20 * DAY
    trainer, assessor = factories.person("trainer"), factories.person("assessor")
    place = factories.cohort(
        starts_on=(now - 5 * DAY).date(), ends_on=(now - 4 * DAY).date(), now=start - 20 * DAY
    )
    factories.staff(trainer, place)
    factories.staff(assessor, place, Part.ASSESSOR)
    someone = factories.person(name="Rahma Contoh", now=start - 10 * DAY)
    factories.seat(someone, place)
    judge = Viewer(assessor.id, "", "Penilai", frozenset(["assessor"]), "id", "")
    walk = Walk(someone.id, someone.public_id, keys(CONTENT), Random(3))
    person_id, place_id, trainer_id = someone.id, place.id, trainer.id
    assessor_id = assessor.id
    signers = (trainer_id, assessor_id)

    def missing() -> int:
        here = cohorts.get_cohort_by_id(place_id)
        found = meeting.get_meeting(here, "K1", signers[0], only=[walk.public_id], now=clock.now())
        return len(found.lines[0].judgement.missing)

    steps = [missing()]
    walk.read(range(1, 11), start)
    walk.practise("S1", start + DAY)
    assert missing() == steps[-1], "lessons and practice are not evidence in K1"
    walk.graded("S1", start + 2 * DAY)
    walk.graded("S2", start + 2 * DAY)
    steps.append(missing())
    walk.sit(start + 3 * DAY, wrong={"03.1.4"})
    steps.append(missing())
    assert states(person_id)["03.1.4"] is Verdict.NOT_YET
    walk.sit(start + 5 * DAY)
    submission = walk.write(start + 6 * DAY)
    walk.mark(submission, judge, start + 7 * DAY, weak={"03.1.1"})
    steps.append(missing())
    again = walk.write(start + 8 * DAY)
    walk.mark(again, judge, start + 9 * DAY)
    steps.append(missing())
    attend(cohorts.get_cohort_by_id(place_id), (), trainer_id, now - 4 * DAY)
    steps.append(missing())
    with pytest.raises(credentials.NotReady) as refused:
        walk.certify(cohorts.get_cohort_by_id(place_id), signers, now, BASE, sample=False)
    assert {m.code for m in refused.value.missing} == {"02.2.1", "03.1.1", "03.1.3"}
    walk.observe(cohorts.get_cohort_by_id(place_id), assessor_id, now - 4 * DAY)
    assert missing() == 0
    # Things missing: at first; after the simulations (the quiz is still missing everywhere); after
    # a quiz with one critical KUK open; after a case with one; after its repair; after the class.
    assert steps == [24, 24, 18, 5, 4, 3]
    code = walk.certify(cohorts.get_cohort_by_id(place_id), signers, now, BASE, sample=False)
    assert normalise(code) == code
    found = register.find_by_code(code, now)
    assert found is not None
    assert found.entry.status == "valid"


def test_after_a_harmful_act_the_way_back_is_open(app: Flask):
    now = clock.now()
    start = now - 9 * DAY
    someone = factories.person(now=start - DAY)
    walk = Walk(someone.id, someone.public_id, keys(CONTENT), Random(3))
    walk.read(range(1, 11), start)
    walk.graded("S2", start + DAY, harm=True)
    assert states(someone.id)["03.1.3"] is Verdict.NOT_YET
    walk.practise("S2", start + 3 * DAY)
    walk.graded("S2", start + 4 * DAY)
    assert states(someone.id)["03.1.3"] is not Verdict.NOT_YET


def test_guidance_after_three_tries_opens_the_fourth(app: Flask):
    now = clock.now()
    start = now - 20 * DAY
    someone, trainer = factories.person(now=start), factories.person("trainer")
    walk = Walk(someone.id, someone.public_id, keys(CONTENT), Random(3))
    walk.read(range(1, 11), start)
    for n in range(3):
        walk.sit(start + (2 + 2 * n) * DAY, wrong={"03.1.1"})
    coach(someone.id, trainer.id, "K1", start + 9 * DAY)
    walk.sit(start + 10 * DAY)
    rows = competency.rows_of_one(someone.id, competency.current())
    assert len({row.group for row in rows if row.kind == "Q"}) == 4


def test_the_city_has_somebody_at_every_stage(app: Flask, tmp_path: Path):
    made = demo.build(BASE, tmp_path, now=clock.now())
    assert [a["role"] for a in made["accounts"]] == [
        "trainee", "trainer", "assessor", "speaker", "agency", "author", "reviewer", "admin",
    ]  # fmt: skip
    assert {c["status"] for c in made["certificates"]} == {"valid", "expired", "revoked"}
    for entry in made["certificates"]:
        assert Path(entry["pdf"]).read_bytes().startswith(b"%PDF")
        found = register.find_by_code(entry["code"], clock.now())
        assert found is not None
        assert found.entry.status == entry["status"]
    assert len({kind for _name, kind in people.AGENCIES.values()}) == 8
    admin = Viewer(0, "", "", frozenset(["admin"]), "id", "")
    where = cohorts.get_cohort("kota-contoh-2", admin)
    matrix = reports.matrix(where, reports.View(), now=clock.now())
    assert len(matrix.lines) == 25
    reasons = {stuck.reason for line in matrix.lines for stuck in line.stuck}
    assert reasons == set(Reason)
    cohort = cohorts.get_cohort("kota-contoh-2", admin)
    found = meeting.get_meeting(cohort, "K1", 0, now=clock.now())
    assert {line.standing.value for line in found.lines} >= {
        "ready", "proposed", "decided", "issued", "held", "blocked",
    }  # fmt: skip
    held = register.list_held(
        [seat.person_id for seat in cohorts.list_seats(where.id)], clock.now()
    )
    whole = [entry for entry in held if entry.scheme == "PENDAMPING"]
    assert {entry.holder_name for entry in whole} == companions.NAMES
    assert {entry.status for entry in whole} == {"valid"}
    assert found.waiting == 1
    pairs = [one for one in ratings.list_both() if one.source == "SK1"]
    assert {one.levels for one in pairs} == {(2, 2), (2, 1)}
    trainer = next(a["email"] for a in made["accounts"] if a["role"] == "trainer")
    third = db.session.scalars(select(Person).where(Person.email == trainer)).one()
    assert [one.kuk for one in ratings.list_disputes(third.id)] == ["03.1.1"]
    assert [case.appeal.kuk for case in appeals.list_queue(third.id)] == ["03.1.1"]
    lines = {line.quiz.purpose: line for line in class_quizzes.list_of_class(cohort.id)}
    assert set(lines) == set(Purpose)
    pair = lines[Purpose.BEFORE].pair
    assert pair is not None
    assert pair == lines[Purpose.AFTER].pair
    gain = class_results.pair_report(cohort.id, pair).gain
    assert gain is not None
    assert gain.pairs == 20
    assert gain.low is not None
    assert 0.05 < gain.low < gain.mean < 0.5
    practice = class_results.quiz_report(cohort.id, lines[Purpose.PRACTICE].code)
    assert (practice.done, practice.waiting) == (4, 1)
    assessor = next(a["email"] for a in made["accounts"] if a["role"] == "assessor")
    reader = db.session.scalars(select(Person).where(Person.email == assessor)).one()
    roles = frozenset(["assessor"])
    (waits,) = essays.queue(Viewer(reader.id, "", "", roles, "id", "")).lines
    assert (waits.title, waits.waiting) == ("Latihan sebelum pleno", 1)
    (read,) = db.session.scalars(select(AnswerMark))
    assert (read.by_id, read.level) == (reader.id, 1)
