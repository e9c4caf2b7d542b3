"""The pages of the third person, of appeals and of the assessors of a class; who is told."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from lms.accounts.models import Person
from lms.cohorts import services as cohorts
from lms.cohorts.models import ConflictKind, Part
from lms.competency import services as competency
from lms.competency.rules import EvidenceKind
from lms.core.db import db, unit_of_work
from lms.core.models import Mail
from lms.ratings import appeals
from lms.ratings import services as ratings
from lms.ratings.models import Appeal, AppealStep, Moderation
from lms.ratings.rules import Stage
from tests import factories
from tests.practice.cases import scene as scenes
from tests.practice.cases.scene import CODE, Scene, hand_in
from tests.ratings.test_two import third

NOW = datetime.now(UTC)
"""Pages read the clock, so the scene plays today."""
KUK = "03.1.1"
WHY = "Semua tanda bahaya sudah ditanyakan satu per satu."
Enter = Callable[[int], FlaskClient]


@pytest.fixture
def here(app: Flask) -> Scene:
    return scenes.scene()


@pytest.fixture
def enter(sign_in: Callable[[Person], FlaskClient]) -> Enter:
    """Return a browser for somebody known by id."""
    return lambda person_id: sign_in(db.session.get_one(Person, person_id))


def mark(public_id: str, by: object, level: int) -> None:
    scenes.decide(public_id, by, {KUK: level}, now=NOW)  # type: ignore[arg-type]  # a viewer


def disputed(here: Scene) -> str:
    """Let the two of the class differ on one critical criterion; return the dispute's address."""
    with unit_of_work():
        ratings.set_plan(here.cohort, {(EvidenceKind.SK, CODE): 2}, by_id=here.trainer.id, now=NOW)
    public_id = hand_in(here.trainee, now=NOW - timedelta(hours=1))
    mark(public_id, here.assessor, 1)
    mark(public_id, here.trainer, 2)
    return f"/moderasi/beda/{db.session.scalars(select(Moderation.public_id)).one()}"


def appealed(here: Scene, enter: Enter) -> str:
    """Let the assessor find one criterion not safe alone, and the companion appeal."""
    mark(hand_in(here.trainee, now=NOW - timedelta(hours=1)), here.assessor, 1)
    answer = enter(here.trainee).post("/banding/baru", data=asked(here))
    assert answer.status_code == 302
    return db.session.scalars(select(Appeal.public_id)).one()


def asked(here: Scene) -> dict[str, str]:
    [about] = appeals.candidates(here.trainee, NOW)
    return {"hasil": about.key, "alasan": WHY}


def level_of(person_id: int) -> list[int | None]:
    db.session.rollback()
    return [row.mark for row in competency.list_evidence(person_id) if row.kuk == KUK]


def stages() -> list[Stage]:
    db.session.rollback()
    return list(db.session.scalars(select(AppealStep.stage).order_by(AppealStep.position)))


def mails() -> list[Mail]:
    db.session.rollback()
    return list(db.session.scalars(select(Mail).order_by(Mail.id)))


def relative(here: Scene, who: int) -> None:
    with unit_of_work():
        cohorts.declare_conflict(who, here.trainee, ConflictKind.RELATIVE, declared_by=who, now=NOW)


# The third person


def test_the_third_person_decides_once(here: Scene, enter: Enter):
    address, judge = disputed(here), enter(third(here).id)
    assert address in judge.get("/moderasi").text
    answer = judge.post(address, data={"hasil": "2", "alasan": WHY})
    assert (answer.status_code, answer.location) == (302, address)
    assert level_of(here.trainee) == [1, 2]
    page = judge.get(address).text
    assert "Sudah diputuskan" in page
    assert "<form" not in page.split("<main")[1].split("</main")[0]
    assert address not in judge.get("/moderasi").text
    assert judge.post(address, data={"hasil": "0", "alasan": WHY}).status_code == 302
    assert level_of(here.trainee) == [1, 2]
    assert "Orang lain sudah memutuskan" in judge.get(address).text


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"hasil": "2", "alasan": "Terlalu singkat"}, "sedikitnya 20 huruf"),
        ({"alasan": WHY}, "Pilih salah satu tanda"),
        ({"hasil": "7", "alasan": WHY}, ""),
        ({"hasil": "2", "alasan": WHY, "tindakan": "H99"}, ""),
    ],
)
def test_a_decision_that_is_not_whole_keeps_what_was_typed(
    here: Scene, enter: Enter, sent: dict[str, str], said: str
):
    address, judge = disputed(here), enter(third(here).id)
    answer = judge.post(address, data=sent)
    assert answer.status_code == 422
    assert said in answer.text
    assert sent["alasan"] in answer.text
    assert level_of(here.trainee) == [1]


def test_who_marked_a_relative_a_stranger_and_a_trainee_decide_nothing(here: Scene, enter: Enter):
    address = disputed(here)
    kin, stranger = third(here), factories.person("assessor").id
    relative(here, kin.id)
    sent = {"hasil": "2", "alasan": WHY}
    for who, status in (
        (here.assessor.id, 403),
        (here.trainer.id, 403),
        (kin.id, 403),
        (stranger, 404),
        (here.trainee, 403),
    ):
        browser = enter(who)
        assert browser.get(address).status_code == status
        assert browser.post(address, data=sent).status_code == status
    assert level_of(here.trainee) == [1]
    assert enter(third(here).id).get("/moderasi/beda/tidakada").status_code == 404


# Appeals


def test_an_appeal_from_asking_to_the_answer(here: Scene, enter: Enter):
    key = appealed(here, enter)
    trainee, judge = enter(here.trainee), enter(here.trainer.id)
    assert WHY in trainee.get("/banding").text
    assert f"/moderasi/banding/{key}" in judge.get("/moderasi").text
    address = f"/moderasi/banding/{key}"
    assert judge.get(address).status_code == 200
    early = judge.post(address, data={"putusan": "2", "alasan": WHY})
    assert early.status_code == 302
    assert stages() == [Stage.ASKED]  # it has to be taken up first
    judge.post(f"{address}/ambil")
    judge.post(f"{address}/ambil")
    assert stages() == [Stage.ASKED, Stage.TAKEN]
    for _twice in range(2):
        answer = judge.post(address, data={"putusan": "2", "alasan": WHY})
        assert (answer.status_code, answer.location) == (302, address)
    assert stages() == [Stage.ASKED, Stage.TAKEN, Stage.UPHELD]
    assert level_of(here.trainee) == [1, 2]
    page = trainee.get("/banding").text
    assert "Dikabulkan" in page
    assert "Rini Pelatih" not in page  # who answered is the office, not a person


def test_refused_and_done_anew(here: Scene, enter: Enter):
    key = appealed(here, enter)
    judge = enter(here.trainer.id)
    judge.post(f"/moderasi/banding/{key}/ambil")
    judge.post(f"/moderasi/banding/{key}", data={"putusan": "tetap", "alasan": WHY})
    assert stages()[-1] is Stage.REFUSED
    assert level_of(here.trainee) == [1]
    assert competency.void_ids(here.trainee) == frozenset()
    assert "Tidak ada hasil yang dapat dibanding" in enter(here.trainee).get("/banding/baru").text


def test_upheld_to_be_done_anew_voids_and_gives_no_mark(here: Scene, enter: Enter):
    key = appealed(here, enter)
    judge = enter(here.trainer.id)
    judge.post(f"/moderasi/banding/{key}/ambil")
    judge.post(f"/moderasi/banding/{key}", data={"putusan": "ulang", "alasan": WHY})
    assert stages()[-1] is Stage.UPHELD
    assert level_of(here.trainee) == [1]
    assert len(competency.void_ids(here.trainee)) == 1


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"putusan": "2", "alasan": "Ya."}, "sedikitnya 20 huruf"),
        ({"alasan": WHY}, "Pilih putusannya"),
        ({"putusan": "1", "alasan": WHY}, ""),  # no gain: it is not offered
    ],
)
def test_an_answer_that_is_not_whole_keeps_what_was_typed(
    here: Scene, enter: Enter, sent: dict[str, str], said: str
):
    key = appealed(here, enter)
    judge = enter(here.trainer.id)
    judge.post(f"/moderasi/banding/{key}/ambil")
    answer = judge.post(f"/moderasi/banding/{key}", data=sent)
    assert answer.status_code == 422
    assert said in answer.text
    assert sent["alasan"] in answer.text
    assert stages() == [Stage.ASKED, Stage.TAKEN]


def test_who_marked_a_relative_and_a_stranger_answer_nothing(here: Scene, enter: Enter):
    key = appealed(here, enter)
    kin, stranger = third(here), factories.person("assessor").id
    relative(here, kin.id)
    address, sent = f"/moderasi/banding/{key}", {"putusan": "tetap", "alasan": WHY}
    assert "Anda ikut menandai" in enter(here.assessor.id).get(address).text
    assert enter(here.assessor.id).post(f"{address}/ambil").status_code == 302
    assert enter(here.assessor.id).post(address, data=sent).status_code == 302
    for path in (address, f"{address}/ambil"):
        assert enter(kin.id).post(path, data=sent).status_code in (302, 403)
        assert enter(stranger).post(path, data=sent).status_code == 404
        assert enter(here.trainee).post(path, data=sent).status_code == 403
    assert enter(kin.id).get(address).status_code == 403
    assert enter(stranger).get(address).status_code == 404
    assert stages() == [Stage.ASKED]


@pytest.mark.parametrize(
    "changed", [{"alasan": "Tidak adil."}, {"hasil": ""}, {"hasil": "SK|x|y|"}]
)
def test_an_appeal_that_is_not_whole_keeps_what_was_typed(
    here: Scene, enter: Enter, changed: dict[str, str]
):
    mark(hand_in(here.trainee, now=NOW - timedelta(hours=1)), here.assessor, 1)
    sent = asked(here) | changed
    answer = enter(here.trainee).post("/banding/baru", data=sent)
    assert answer.status_code == 422
    assert sent["alasan"] in answer.text
    assert stages() == []


def test_one_result_is_appealed_once_and_withdrawn_once(here: Scene, enter: Enter):
    mark(hand_in(here.trainee, now=NOW - timedelta(hours=1)), here.assessor, 1)
    sent, trainee = asked(here), enter(here.trainee)
    assert trainee.post("/banding/baru", data=sent).status_code == 302
    assert trainee.post("/banding/baru", data=sent).status_code == 422
    key = db.session.scalars(select(Appeal.public_id)).one()
    other = factories.person(name="Orang Lain")
    assert enter(other.id).post(f"/banding/{key}/tarik").status_code == 404
    assert enter(here.trainer.id).post(f"/banding/{key}/tarik").status_code == 403
    assert stages() == [Stage.ASKED]
    assert trainee.post(f"/banding/{key}/tarik").status_code == 302
    assert stages() == [Stage.ASKED, Stage.WITHDRAWN]
    trainee.post(f"/banding/{key}/tarik")
    assert stages() == [Stage.ASKED, Stage.WITHDRAWN]
    assert f"/moderasi/banding/{key}" not in enter(here.trainer.id).get("/moderasi").text


def test_what_waits_for_a_third_person_is_not_appealed_before(here: Scene, enter: Enter):
    address = disputed(here)
    assert appeals.candidates(here.trainee, NOW) == []
    judge = enter(third(here).id)
    judge.post(address, data={"hasil": "1", "alasan": WHY})
    [about] = appeals.candidates(here.trainee, datetime.now(UTC))
    assert (about.kuk, about.mark) == (KUK, 1)


def test_letters_go_to_who_may_answer_and_to_who_asked_and_say_nothing(here: Scene, enter: Enter):
    kin, judge = third(here), third(here)
    relative(here, kin.id)
    key = appealed(here, enter)
    address = {one.id: db.session.get_one(Person, one.id).email for one in (here.trainer, judge)}
    # Not who marked, not a relative, not who asked.
    assert {one.to for one in mails()} == set(address.values())
    before = len(mails())
    enter(judge.id).post(f"/moderasi/banding/{key}/ambil")
    enter(judge.id).post(f"/moderasi/banding/{key}/ambil")
    enter(judge.id).post(f"/moderasi/banding/{key}", data={"putusan": "2", "alasan": WHY})
    later = mails()[before:]
    trainee = db.session.get_one(Person, here.trainee)
    assert [one.to for one in later] == [trainee.email] * 2
    for one in mails():
        assert not re.search(r"banding|kekerasan|korban|KDRT|KUK|nilai", one.subject, re.IGNORECASE)
        assert not re.search(r"kekerasan|korban|KDRT", one.body, re.IGNORECASE)
        assert WHY not in one.body


# How many assessors a class wants


def test_a_trainer_sets_how_many_assess_and_nobody_from_outside(here: Scene, enter: Enter):
    address = f"/angkatan/{here.slug}/penilai"
    trainer = enter(here.trainer.id)
    page = trainer.get(address).text
    assert "Untuk dua penilai dan orang ketiga perlu tiga" in page
    assert trainer.post(address, data={f"dua-{CODE}": "y"}).status_code == 302
    assert ratings.plan_of(here.cohort)[EvidenceKind.SK, CODE] == 2
    assert re.search(rf'<input[^>]*checked[^>]*name="dua-{CODE}"', trainer.get(address).text)
    trainer.post(address, data={"csrf_token": "ada"})  # as a browser sends it: no box ticked
    assert ratings.plan_of(here.cohort)[EvidenceKind.SK, CODE] == 1
    stranger = factories.person("trainer")
    for who, status in ((stranger.id, 404), (here.assessor.id, 403), (here.trainee, 403)):
        assert enter(who).get(address).status_code == status
        assert enter(who).post(address, data={f"dua-{CODE}": "y"}).status_code == status
    assert ratings.plan_of(here.cohort)[EvidenceKind.SK, CODE] == 1
    admin = factories.person("admin")
    assert enter(admin.id).post(address, data={f"dua-{CODE}": "y"}).status_code == 302
    assert ratings.plan_of(here.cohort)[EvidenceKind.SK, CODE] == 2


def test_a_result_is_one_case_study_in_both_languages(here: Scene, enter: Enter):
    browser = enter(here.trainer.id)
    address = f"/angkatan/{here.slug}/penilai"
    assert "Studi kasus <b>SK1</b>" in browser.get(address).text
    browser.post("/bahasa", data={"lang": "en"})
    assert "Case study <b>SK1</b>" in browser.get(address).text


def test_stations_of_trainers_stay_with_two(app: Flask, enter: Enter):
    where = factories.cohort(curricula={"T": "", "K1": ""})
    trainer = factories.person("trainer")
    factories.staff(trainer, where, Part.TRAINER)
    page = enter(trainer.id).get(f"/angkatan/{where.slug}/penilai").text
    assert "selalu dua" in page
    assert 'name="dua-ST13"' not in page
