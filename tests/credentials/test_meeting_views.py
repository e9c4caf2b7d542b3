"""Pages of the decision meeting and of the issue of a class."""

import io
import re
import zipfile
from dataclasses import replace
from datetime import timedelta

import pytest
import time_machine
from flask import Flask, current_app
from flask.testing import FlaskClient
from sqlalchemy import func, select

from lms.accounts import services as accounts
from lms.cohorts import services as cohorts
from lms.cohorts.models import ConflictKind
from lms.competency import services as competency
from lms.core import clock, jobs
from lms.core.db import db, unit_of_work
from lms.credentials import meeting, register
from lms.credentials.models import Certificate, Decision, Proposal, Signature
from lms.credentials.rules import Status
from tests import factories, ledgers
from tests.credentials.test_verify import text_of
from tests.credentials.world import NOW, World, append, fulfil

MEET = "/angkatan/melati/pleno"
SIGN = f"{MEET}/tanda-tangan"
ISSUE = "/angkatan/melati/penerbitan"


@pytest.fixture
def world(app: Flask) -> World:
    return World()


@pytest.fixture(autouse=True)
def _now():
    with time_machine.travel(NOW + timedelta(minutes=5)):
        yield


def case_path(world: World, scheme: str = "K1") -> str:
    return f"{MEET}/{world.trainee.public_id}/{scheme}"


def who(world: World) -> str:
    """What the signing page sends for the trainee: whom, and under which evidence."""
    return f"{world.trainee.public_id}.{world.seen(now=clock.now())}"


def form(world: World, **values: object) -> dict[str, object]:
    return {"skema": "K1", "language": "id", "confirm": "y", "siapa": [who(world)]} | values


def count(table: type) -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(table)) or 0


def issued(browser: FlaskClient) -> str:
    """Issue everything that waits. Returns the page of the job."""
    answer = browser.post(ISSUE, data={"skema": "K1", "confirm": "y"})
    assert answer.status_code == 302, text_of(answer.text)
    jobs.work(clock.now())
    return str(answer.location)


def held(world: World) -> list[register.Entry]:
    db.session.rollback()
    return register.list_held([world.trainee.id], clock.now() + timedelta(hours=1))


def test_the_meeting_shows_who_is_ready_and_what_others_lack(world: World, sign_in):
    ready = world.join("Maria Ulfah")
    fulfil(ready, "K1")
    page = sign_in(world.trainer).get(MEET).text
    text = text_of(page)
    assert "Siap diputuskan (1)" in text
    assert "Terhalang (1)" in text
    assert "Terhalang: 24 hal belum ada" in text
    assert f"{case_path(world)}#k-03.1.1" in page
    assert f'name="siapa" value="{ready.public_id}"' in page
    assert f'value="{world.trainee.public_id}"' not in page
    assert "02: 8/8" in text


def test_a_scheme_nobody_knows_is_not_there(world: World, sign_in):
    trainer = sign_in(world.trainer)
    for page in (MEET, ISSUE):
        assert trainer.get(f"{page}?skema=K9").status_code == 404
        assert trainer.get(f"{page}?skema=K1").status_code == 200


def test_two_people_sign_and_a_job_issues(world: World, sign_in):
    fulfil(world.trainee, "K1")
    first, second = sign_in(world.trainer), sign_in(world.assessor)
    page = text_of(first.get(f"{SIGN}?skema=K1&siapa={world.trainee.public_id}").text)
    assert "Tanda tangani 1 keputusan" in page
    assert "Rahma Yuliani" in page
    assert "tanda tangan pertama" in page
    answer = first.post(SIGN, data=form(world))
    assert (answer.status_code, answer.location) == (302, f"{MEET}?skema=K1")
    assert "1 usulan Anda tanda tangani. Sekarang perlu tanda tangan kedua." in first.get(MEET).text
    assert held(world) == []
    own = text_of(first.get(f"{SIGN}?skema=K1&siapa={world.trainee.public_id}").text)
    assert "1 orang tidak dapat Anda tanda tangani sekarang" in own
    assert "Anda sudah menandatangani" in own

    page = text_of(second.get(f"{SIGN}?skema=K1&siapa={world.trainee.public_id}").text)
    assert "tanda tangan kedua" in page
    assert "Yang pertama: Endang Lestari" in page
    assert second.post(SIGN, data=form(world)).status_code == 302
    page = text_of(second.get(MEET).text)
    assert "1 keputusan lengkap dan menunggu penerbitan." in page
    assert "Pelatih kelas menerbitkannya." in page
    assert second.get(ISSUE).status_code == 403
    assert held(world) == []

    page = text_of(first.get(ISSUE).text)
    assert "Terbitkan 1 sertifikat" in page
    empty = first.post(ISSUE, data={"skema": "K1"})
    assert (empty.status_code, "memeriksa nama-namanya" in empty.text) == (422, True)
    location = issued(first)
    [entry] = held(world)
    assert (entry.status, entry.number) == (Status.VALID, "0001/SULUH-K1/2026")
    page = text_of(first.get(location).text)
    assert "1 sertifikat terbit." in page
    assert "0001/SULUH-K1/2026" in page
    assert "Sudah bersertifikat" in text_of(first.get(MEET).text)
    assert "Tidak ada yang menunggu" in text_of(first.get(ISSUE).text)
    late = first.post(ISSUE, data={"skema": "K1", "confirm": "y"})
    assert (late.status_code, "Tidak ada keputusan yang menunggu" in late.text) == (422, True)
    download = first.get(f"{location}/berkas/1")
    assert download.mimetype == "application/zip"
    [_paper, about] = zipfile.ZipFile(io.BytesIO(download.data)).namelist()
    assert about == "tentang-berkas-ini.txt"
    assert first.get(f"{location}/berkas/2").status_code == 404
    assert first.get(f"{location}/berkas/0").status_code == 404


def test_without_the_confirmation_or_language_nothing_is_signed(world: World, sign_in):
    fulfil(world.trainee, "K1")
    browser = sign_in(world.trainer)
    answer = browser.post(SIGN, data=form(world, confirm=""))
    assert answer.status_code == 422
    assert "Centang setelah Anda memeriksa bukti." in answer.text
    assert "Rahma Yuliani" in answer.text
    assert browser.post(SIGN, data=form(world, language="jv")).status_code == 422
    assert count(Signature) == 0


def test_who_ticks_nobody_is_told_so(world: World, sign_in):
    answer = sign_in(world.trainer).get(f"{SIGN}?skema=K1", follow_redirects=True)
    assert "Centang dulu siapa yang akan Anda tanda tangani." in answer.text


def test_evidence_that_changed_under_the_eyes_of_the_signer_is_shown(world: World, sign_in):
    fulfil(world.trainee, "K1")
    browser, sent = sign_in(world.trainer), form(world)
    row = ledgers.Maker().row(ledgers.OBS, "03.1.1", "o9", mark=2, at=NOW)
    append(world.trainee.id, [row])
    answer = browser.post(SIGN, data=sent)
    assert answer.status_code == 422
    assert "Rahma Yuliani: Bukti berubah sejak halaman ini dibuka." in text_of(answer.text)
    assert count(Signature) == 0
    assert browser.post(SIGN, data=form(world)).status_code == 302
    row = ledgers.Maker().row(ledgers.OBS, "03.1.1", "o10", mark=2, at=NOW)
    append(world.trainee.id, [row])
    page = text_of(sign_in(world.assessor).get(case_path(world)).text)
    assert "Bukti berubah sejak tanda tangan pertama" in page
    assert "03.1.1: 1 bukti baru, 1 tidak dihitung lagi" in page
    page = text_of(sign_in(world.assessor).get(MEET).text)
    assert "03.1.1: 1 bukti baru" in page
    second = sign_in(world.assessor)
    assert second.post(SIGN, data=form(world)).status_code == 302
    assert "Sekarang perlu tanda tangan kedua." in second.get(MEET).text
    assert (count(Proposal), count(Decision)) == (2, 0)


def test_one_refusal_stops_nobody_else(world: World, sign_in):
    other = world.join("Maria Ulfah")
    fulfil(other, "K1")
    seen = world.seen(other, now=clock.now())
    sent = form(world, siapa=[who(world), f"{other.public_id}.{seen}", "x.y"])
    answer = sign_in(world.trainer).post(SIGN, data=sent)
    assert answer.status_code == 422
    page = text_of(answer.text)
    assert "Rahma Yuliani: Belum semua syarat terpenuhi." in page
    assert "1 usulan Anda tanda tangani" in page
    assert db.session.scalars(select(Proposal.person_id)).all() == [other.id]


def test_the_case_shows_every_criterion_with_its_evidence(world: World, sign_in):
    fulfil(world.trainee, "K1")
    row = ledgers.Maker().row(ledgers.OBS, "03.1.1", "o9", mark=1, at=NOW)
    append(world.trainee.id, [row])
    page = sign_in(world.trainer).get(case_path(world)).text
    text = text_of(page)
    assert "Keputusan Asesmen Risiko: Rahma Yuliani" in text
    assert 'id="k-03.1.1"' in page
    assert 'id="k-K1.T"' in page
    assert "1 hal masih perlu" in text
    assert "Aman dengan bimbingan" in text
    assert "tidak dihitung: ada yang lebih baru" in text
    assert "8 dari 9" in text
    assert "Belum semua syarat terpenuhi." in text
    voided = competency.rows_of_one(world.trainee.id, competency.current())[-1].id
    with unit_of_work():
        competency.void(voided, reason="keliru", by_id=None, now=NOW)
    assert "(dibatalkan)" in text_of(sign_in(world.trainer).get(case_path(world)).text)


def test_somebody_is_put_off_and_taken_up_again(world: World, sign_in):
    fulfil(world.trainee, "K1")
    browser, path = sign_in(world.assessor), case_path(world)
    empty = browser.post(f"{path}/tunda", data={"reason": "", "todo": " "})
    assert empty.status_code == 422
    assert "Tulis apa yang perlu dilakukan" in empty.text
    sent = {"reason": "Catatan ST1 tidak jelas.", "todo": "Ulangi ST1."}
    assert browser.post(f"{path}/tunda", data=sent).status_code == 302
    page = text_of(browser.get(MEET).text)
    assert "Ditunda (1)" in page
    assert "Yang perlu: Ulangi ST1." in page
    refused = browser.post(SIGN, data=form(world))
    assert (refused.status_code, "Ditunda oleh rapat." in refused.text) == (422, True)
    assert "Catatan ST1 tidak jelas." in text_of(browser.get(f"{MEET}/berita-acara").text)
    assert browser.post(f"{path}/lanjutkan").status_code == 302
    assert browser.post(f"{path}/lanjutkan").status_code == 404
    page = text_of(browser.get(path).text)
    assert "Pernah ditunda" in page
    assert "Siap" in page


def test_a_signature_is_taken_back(world: World, sign_in):
    fulfil(world.trainee, "K1")
    world.sign()
    path = case_path(world)
    other, own = sign_in(world.assessor), sign_in(world.trainer)
    refused = other.post(f"{path}/tarik", follow_redirects=True)
    assert "Tidak ada tanda tangan Anda yang dapat ditarik." in refused.text
    assert "Tanda tangan Anda ditarik." in own.post(f"{path}/tarik", follow_redirects=True).text
    assert "Menunggu tanda tangan kedua" not in own.get(MEET).text


def test_a_relative_cannot_sign_or_put_off(world: World, sign_in):
    fulfil(world.trainee, "K1")
    trainer_id, trainee_id = world.trainer.id, world.trainee.id
    with unit_of_work():
        cohorts.declare_conflict(
            trainer_id, trainee_id, ConflictKind.SUPERIOR, declared_by=trainer_id, now=NOW
        )
    browser = sign_in(world.trainer)
    assert "Minta pelatih lain." in text_of(browser.get(case_path(world)).text)
    assert browser.post(SIGN, data=form(world)).status_code == 422
    sent = {"reason": "x", "todo": "y"}
    assert browser.post(f"{case_path(world)}/tunda", data=sent).status_code == 422
    assert count(Signature) == 0


def test_classes_are_hidden_from_those_outside(world: World, sign_in):
    fulfil(world.trainee, "K1")
    world.decided()
    own = sign_in(world.trainer)
    location = issued(own)
    stranger = sign_in(factories.person("trainer"))
    for path in (MEET, case_path(world), f"{MEET}/berita-acara", ISSUE, location):
        assert stranger.get(path).status_code == 404, path
        assert own.get(path).status_code == 200, path
    asked = f"{SIGN}?skema=K1&siapa={world.trainee.public_id}"
    assert stranger.get(asked).status_code == 404
    assert stranger.post(SIGN, data=form(world)).status_code == 404
    for path in ("tunda", "lanjutkan", "tarik"):
        sent = {"reason": "x", "todo": "y"}
        assert stranger.post(f"{case_path(world)}/{path}", data=sent).status_code == 404
    assert stranger.post(ISSUE, data={"skema": "K1", "confirm": "y"}).status_code == 404
    for path in ("berhenti", "ulangi"):
        assert stranger.post(f"{location}/{path}").status_code == 404
    assert stranger.get(f"{location}/berkas/1").status_code == 404
    assert own.get(f"{MEET}?skema=K9").status_code == 404
    assert own.get(f"{MEET}?hal=2").status_code == 404
    assert own.get(f"{MEET}?hal=x").status_code == 200
    assert own.get(f"{SIGN}?skema=K1&siapa=x").status_code == 404
    assert own.get(f"{ISSUE}?skema=K9").status_code == 404
    assert own.get(case_path(world, "K9")).status_code == 404
    assert own.get(f"{MEET}/x/K1").status_code == 404
    assert sign_in(factories.person("admin")).get(MEET).status_code == 403


def test_a_job_is_followed_by_numbers_stopped_and_tried_again(world: World, sign_in):
    people = [world.join(name) for name in ("Ani", "Budi")]
    for someone in people:
        fulfil(someone, "K1")
        world.decided(someone)
    browser = sign_in(world.trainer)
    answer = browser.post(ISSUE, data={"skema": "K1", "confirm": "y"})
    again = browser.post(ISSUE, data={"skema": "K1", "confirm": "y"})
    assert again.location == answer.location, "pressed twice: the one that runs"
    assert "Lihat penerbitan yang berjalan" in browser.get(ISSUE).text
    page = browser.get(answer.location).text
    assert '<meta http-equiv="refresh"' in page
    assert "Hentikan" in page
    found = browser.get(answer.location, headers={"Accept": "application/json"}).json
    assert (found["total"], found["settled"], found["running"]) == (2, 0, True)
    assert found["label"].startswith("0 dari 2 selesai.")

    stopped = browser.post(f"{answer.location}/berhenti", follow_redirects=True).text
    assert "Dihentikan. Yang sudah terbit tetap terbit." in stopped
    assert "Dihentikan; 2 belum dikerjakan." in text_of(stopped)
    assert '<meta http-equiv="refresh"' not in stopped
    jobs.work(clock.now())
    assert count(Certificate) == 0
    assert (
        "2 orang dicoba lagi."
        in browser.post(f"{answer.location}/ulangi", follow_redirects=True).text
    )
    jobs.work(clock.now())
    page = text_of(browser.get(answer.location).text)
    assert "2 sertifikat terbit." in page
    assert "Coba lagi" not in page
    assert (
        "dicoba lagi" not in browser.post(f"{answer.location}/ulangi", follow_redirects=True).text
    )


def test_problems_stand_by_name_with_what_to_do(world: World, sign_in):
    people = [world.join(name) for name in ("Ani", "Budi")]
    for someone in people:
        fulfil(someone, "K1")
        world.decided(someone)
    decision = db.session.scalars(select(Decision).order_by(Decision.id)).first()
    assert decision is not None
    row = decision.trace["evidence"]["K1.T"][0]
    with unit_of_work():
        competency.void(row, reason="keliru orang", by_id=None, now=NOW)
    browser = sign_in(world.trainer)
    location = issued(browser)
    page = text_of(browser.get(location).text)
    assert "1 sertifikat terbit. 1 orang perlu dilihat." in page
    assert "Ani Ada bukti yang dibatalkan setelah keputusan." in page
    assert "Coba lagi yang belum terbit" in page


def test_a_letterhead_that_does_not_fit_is_explained(world: World, sign_in):
    fulfil(world.trainee, "K1")
    world.decided()
    cohort_id = world.cohort.id
    with unit_of_work():
        cohorts.get_cohort_by_id(cohort_id).letterhead = ["x"] * 5
    browser = sign_in(world.trainer)
    location = issued(browser)
    page = text_of(browser.get(location).text)
    assert "tidak muat di kertas" in page
    assert "issuer_lines" in page
    with unit_of_work():
        cohorts.get_cohort_by_id(cohort_id).letterhead = ["PEMERINTAH KOTA CONTOH"]
    browser.post(f"{location}/ulangi")
    jobs.work(clock.now())
    assert [one.number for one in held(world)] == ["0001/SULUH-K1/2026"]


def test_a_changed_name_stands_beside_the_one_that_was_signed(world: World, sign_in):
    fulfil(world.trainee, "K1")
    world.sign()
    person_id = world.trainee.id
    with unit_of_work():
        accounts.rename(person_id, "Rahma Yuliani, S.Psi.", now=NOW)
    asked = f"{SIGN}?skema=K1&siapa={world.trainee.public_id}"
    page = text_of(sign_in(world.assessor).get(asked).text)
    assert "Saat ditandatangani pertama tertulis Rahma Yuliani." in page
    world.sign(by=world.assessor)
    page = text_of(sign_in(world.trainer).get(ISSUE).text)
    assert "Nama berubah" in page
    assert "Saat ditandatangani tertulis Rahma Yuliani." in page


def test_where_one_signature_is_enough_the_pages_say_so(world: World, sign_in, monkeypatch):
    config = replace(current_app.extensions["suluh"], two_signatures=False)
    monkeypatch.setitem(current_app.extensions, "suluh", config)
    fulfil(world.trainee, "K1")
    browser = sign_in(world.trainer)
    assert "satu tanda tangan pelatih cukup" in browser.get(MEET).text
    page = browser.get(f"{SIGN}?skema=K1&siapa={world.trainee.public_id}").text
    assert "menjadi keputusan" in page
    done = text_of(browser.post(SIGN, data=form(world), follow_redirects=True).text)
    assert "1 keputusan lengkap dan menunggu penerbitan." in done
    assert "Sekarang perlu tanda tangan kedua" not in done


def test_a_class_of_many_comes_in_pages(world: World, sign_in, monkeypatch):
    monkeypatch.setattr(meeting, "PAGE", 1)
    world.join("Ani")
    browser = sign_in(world.trainer)
    first = text_of(browser.get(MEET).text)
    assert "1–1 dari 2" in first
    assert "Rahma" not in first
    assert "Rahma Yuliani" in browser.get(f"{MEET}?hal=2").text


def test_an_empty_class_says_so(world: World, sign_in):
    empty = factories.cohort(slug="kosong")
    factories.staff(world.trainer, empty)
    browser = sign_in(world.trainer)
    assert "Belum ada peserta" in browser.get("/angkatan/kosong/pleno").text
    page = text_of(browser.get("/angkatan/kosong/pleno/berita-acara").text)
    assert "Belum ada keputusan" in page
    assert "belum ada tanda tangan" in page


@pytest.mark.parametrize(
    ("covered", "scheme"),
    [((), "K1"), (("K3",), "K3"), (("K2", "K4"), "K2"), (("T",), "PELATIH")],
)
def test_a_meeting_begins_with_a_scheme_the_class_leads_to(
    app: Flask, sign_in, covered: tuple[str, ...], scheme: str
):
    where = factories.cohort(curricula=dict.fromkeys(covered, ""))
    trainer = factories.person("trainer")
    factories.staff(trainer, where)
    browser, address = sign_in(trainer), f"/angkatan/{where.slug}"
    for query, shown in (("", scheme), ("?skema=K5", "K5")):
        page = browser.get(f"{address}/pleno{query}").text
        assert re.findall(r'<option value="(\w+)" selected>', page) == [shown]
        assert f"pleno?skema={shown}" in browser.get(f"{address}/penerbitan{query}").text
