"""What waits on the desk: counted for who may do it, and gone when it is done."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from lms.accounts.models import Person
from lms.cohorts import services as cohorts
from lms.competency.rules import EvidenceKind, Standing
from lms.core.db import db, unit_of_work
from lms.ratings import appeals
from lms.ratings import services as ratings
from lms.reports import services as reports
from tests.practice.cases import scene as scenes
from tests.practice.cases.scene import CODE, Scene, hand_in
from tests.ratings.test_two import Hall, K, third

NOW = datetime.now(UTC)


def counts(who: int) -> tuple[int, int, int]:
    found = appeals.waiting(who)
    return found.disputes, found.seconds, found.appeals


@pytest.mark.both
def test_a_difference_waits_for_a_third_person_only(app: Flask):
    here = scenes.scene()
    judge = third(here)
    with unit_of_work():
        ratings.set_plan(here.cohort, {(EvidenceKind.SK, CODE): 2}, by_id=here.trainer.id, now=NOW)
    public_id = hand_in(here.trainee, now=NOW - timedelta(hours=1))
    scenes.decide(public_id, here.assessor, {"03.1.1": 1}, now=NOW)
    scenes.decide(public_id, here.trainer, now=NOW)
    assert counts(judge.id) == (1, 0, 0)
    assert counts(here.assessor.id) == counts(here.trainer.id) == (0, 0, 0)
    [line] = ratings.list_disputes(judge.id)
    with unit_of_work():
        ratings.moderate(
            line.public_id, judge, level=1, act="", reason="Belum ditanyakan semuanya.", now=NOW
        )
    assert counts(judge.id) == (0, 0, 0)
    ask(here)
    # Of the two and the third, nobody is left to answer.
    assert counts(judge.id) == counts(here.assessor.id) == counts(here.trainer.id) == (0, 0, 0)
    assert counts(third(here).id) == (0, 0, 1)


def ask(here: Scene) -> None:
    [about] = appeals.candidates(here.trainee, NOW)
    with unit_of_work():
        appeals.ask(here.trainee, about.key, text="Tanda bahaya sudah saya tulis.", now=NOW)


@pytest.mark.both
def test_a_second_mark_at_a_station_waits_for_the_others(app: Flask):
    hall = Hall()
    hall.mark(0, K, 2)
    assert [counts(who) for who in hall.by] == [(0, 0, 0), (0, 1, 0), (0, 1, 0)]
    hall.mark(1, K, 2)
    assert [counts(who) for who in hall.by] == [(0, 0, 0)] * 3


def test_the_home_of_a_trainer_says_what_waits(app: Flask, sign_in):  # type: ignore[no-untyped-def]
    here = scenes.scene()
    scenes.decide(
        hand_in(here.trainee, now=NOW - timedelta(hours=1)), here.assessor, {"03.1.1": 1}, now=NOW
    )
    browser = sign_in(db.session.get_one(Person, here.trainer.id))
    assert "banding menunggu jawaban" not in browser.get("/").text
    ask(here)
    assert "1 banding menunggu jawaban" in browser.get("/").text
    other = sign_in(db.session.get_one(Person, here.assessor.id))
    assert "banding menunggu jawaban" not in other.get("/").text


def test_nobody_is_ready_while_an_appeal_is_open(app: Flask, monkeypatch: pytest.MonkeyPatch):
    here = scenes.scene()
    scenes.decide(
        hand_in(here.trainee, now=NOW - timedelta(hours=1)), here.assessor, {"03.1.1": 1}, now=NOW
    )
    cohort = cohorts.get_cohort_by_id(here.cohort)
    # As if nothing was missing: only the appeal may hold it.
    monkeypatch.setattr(Standing, "is_ready", lambda *_: True)

    def ready() -> set[str]:
        [line] = reports.matrix(cohort, reports.View(), now=datetime.now(UTC)).lines
        return set(line.ready)

    asked = {one.scheme: set(one.curricula) for one in reports.requirements()}
    assert ready() == set(asked)
    ask(here)
    held = {scheme for scheme, curricula in asked.items() if "K1" in curricula}
    assert held
    assert ready() == set(asked) - held
