"""Pages of corrections: who sees what, first the preview, then the correction."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import text

from lms.core import jobs
from lms.core.db import db, unit_of_work
from lms.corrections import services
from lms.credentials import rechecks
from lms.credentials import services as credentials
from lms.credentials.rules import Reason
from lms.quizzes import bank, corrections
from lms.quizzes.models import Attempt
from tests import factories
from tests.corrections.world import CRITICAL, LATER, Sat, correct, wording_in
from tests.quizzes import helpers


@pytest.fixture
def _today() -> Iterator[None]:
    """Pages read the clock; evidence and papers of long ago do not count for ever."""
    with time_machine.travel(LATER - timedelta(hours=1)):
        yield


@pytest.mark.usefixtures("_today")
def test_a_key_is_looked_at_first_and_corrected_after_a_confirmation(app: Flask, sign_in):
    sat = Sat()
    sat.certify()
    wording = wording_in(sat.ref)
    page = f"/telaah/soal/{wording.slug}/kunci/{wording.number}"
    browser = sign_in(sat.reviewer)
    shown = browser.get(page).text
    assert "Kunci sekarang" in shown
    assert "Akibatnya bila diterapkan" not in shown
    sent = {"kunci": wording.choices[0], "alasan": "Menyalahi UU 23/2004.", "langkah": "lihat"}
    looked = browser.post(page, data=sent)
    assert looked.status_code == 200
    assert "Akibatnya bila diterapkan" in looked.text
    assert sat.world.trainee.name not in looked.text  # a reviewer reads numbers, no names
    assert sat.world.trainee.name in sign_in(sat.admin).post(page, data=sent).text
    assert corrections.list_corrections() == []

    unsure = browser.post(page, data=sent | {"langkah": "terapkan"})
    assert unsure.status_code == 422
    assert corrections.list_corrections() == []
    done = browser.post(page, data=sent | {"langkah": "terapkan", "yakin": "y"})
    assert done.status_code == 302
    [made] = corrections.list_corrections()
    assert done.location.endswith(f"/laporan/koreksi/{made.public_id}")
    again = browser.post(page, data=sent | {"langkah": "terapkan", "yakin": "y"})
    assert again.location == done.location

    report = f"/laporan/koreksi/{made.public_id}"
    progress = browser.get(report, headers={"Accept": "application/json"}).json
    assert (progress["running"], progress["total"]) == (True, 1)
    jobs.work(LATER)
    assert sat.world.trainee.name not in browser.get(report).text
    for person in (sat.admin, sat.world.trainer):
        assert sat.world.trainee.name in sign_in(person).get(report).text
    stranger = factories.person("trainer")
    assert sat.world.trainee.name not in sign_in(stranger).get(report).text
    assert made.slug in browser.get("/laporan/koreksi").text
    assert browser.get(page).text.count("sudah diperbaiki") == 1


def test_what_is_typed_wrong_comes_back(app: Flask, sign_in):
    sat = Sat()
    wording = wording_in(sat.ref)
    page = f"/telaah/soal/{wording.slug}/kunci/{wording.number}"
    browser = sign_in(sat.reviewer)
    for sent in (
        {"kunci": wording.key, "alasan": "x"},
        {"kunci": "Z", "alasan": "x"},
        {"kunci": wording.choices[0], "alasan": " "},
        {"alasan": "x"},
    ):
        answer = browser.post(page, data=sent | {"langkah": "terapkan", "yakin": "y"})
        assert answer.status_code == 422
    assert corrections.list_corrections() == []
    assert browser.get("/telaah/soal/tidak-ada/kunci").status_code == 404
    assert browser.get("/telaah/soal/tidak-ada/kunci/1").status_code == 404
    assert browser.get(f"/telaah/soal/{wording.slug}/kunci").location == page
    assert browser.get("/laporan/koreksi/tidakada").status_code == 404
    assert browser.post("/laporan/koreksi/tidakada/ulangi").status_code == 404


def test_no_key_for_who_sits_the_quiz_or_has_answered_the_item(app: Flask, sign_in):
    sat = Sat()
    both = factories.person("reviewer", "trainee")
    ref = helpers.begin(both.id)
    wording = wording_in(ref)
    page = f"/telaah/soal/{wording.slug}/kunci/{wording.number}"
    made = correct(wording_in(sat.ref), wording_in(sat.ref).choices[0], sat.reviewer)
    browser = sign_in(both)
    assert browser.get(page).status_code == 404
    assert browser.get(f"/laporan/koreksi/{made}").status_code == 404
    helpers.hand_in(ref)
    assert browser.get(page).status_code == 200
    wording = corrections.get_wording(wording.slug, corrections.find_newest(wording.slug))
    page = f"/telaah/soal/{wording.slug}/kunci/{wording.number}"
    sent = {"kunci": wording.choices[0], "alasan": "x", "langkah": "terapkan", "yakin": "y"}
    assert browser.post(page, data=sent).status_code == 422
    assert len(corrections.list_corrections()) == 1
    assert sign_in(sat.world.trainee).get(page).status_code == 403


def test_an_administrator_decides_about_a_listed_certificate(app: Flask, sign_in):
    sat = Sat()
    paper = sat.certify()
    wording = wording_in(sat.ref)
    made = correct(wording, wording.choices[0], sat.reviewer)
    browser = sign_in(sat.admin)
    listing = browser.get("/admin/tinjau-sertifikat").text
    assert paper.number in listing
    [(_id, listed)] = rechecks.list_rechecks()
    page = f"/admin/tinjau-sertifikat/{listed.public_id}"
    shown = browser.get(page).text
    assert "tidak terpenuhi" in shown
    assert f"/sertifikat/{paper.code}/jejak?unit={CRITICAL[:2]}" in shown
    assert paper.number in browser.get(f"/admin/tinjau-sertifikat?koreksi={made}").text
    assert paper.number not in browser.get("/admin/tinjau-sertifikat?koreksi=lain").text
    assert browser.post(page, data={"langkah": "keep", "catatan": ""}).status_code == 422
    assert browser.post(page, data={"langkah": "hapus", "catatan": "x"}).status_code == 422
    sent = {"langkah": "revoke", "catatan": "Syarat kritis tidak terpenuhi."}
    assert browser.post(page, data=sent).status_code == 302
    assert browser.post(page, data=sent).status_code == 422  # asked for already
    assert paper.number in browser.get("/admin/tinjau-sertifikat?keadaan=selesai").text
    register = browser.get(f"/admin/sertifikat/{paper.code}").text
    assert "Pencabutan diminta" in register
    assert browser.get("/admin/tinjau-sertifikat/tidakada").status_code == 404
    assert sign_in(sat.reviewer).get("/admin/tinjau-sertifikat").status_code == 403


def test_the_sitting_says_that_its_key_was_corrected(app: Flask, sign_in):
    sat = Sat()
    wording = wording_in(sat.ref)
    page = f"/kuis/k1/{sat.ref.public_id}/hasil"
    browser = sign_in(sat.world.trainee)
    assert "Kunci soal ini diperbaiki" not in browser.get(page).text
    correct(wording, wording.choices[0], sat.reviewer)
    shown = browser.get(page).text
    assert "Kunci soal ini diperbaiki" in shown
    assert "sekarang dihitung belum benar" in shown
    newest = corrections.get_wording(wording.slug, wording.number + 1)
    correct(newest, None, sat.reviewer)
    assert "sekarang tidak dihitung" in browser.get(page).text


def closed(newest: bank.Wording) -> tuple[corrections.Wording, Sequence[int]]:
    """Return a wording and the closed sittings that hold it."""
    wording = corrections.get_wording(newest.slug, newest.number)
    return wording, corrections.closed_sittings(corrections.holding(wording))


def refuse_evidence_of(person_id: int) -> None:
    """Let the database refuse every new entry about one person."""
    db.session.execute(
        text(
            "CREATE TRIGGER refuse BEFORE INSERT ON evidence"
            f" WHEN NEW.person_id = {person_id}"
            " BEGIN SELECT RAISE(ABORT, 'refused'); END"
        )
    )
    db.session.commit()


def test_what_was_refused_for_one_person_is_tried_again(app: Flask, sign_in):
    sat = Sat()
    for n in range(3):  # four sittings draw two of six items: some item is in two of them
        sat.sit(sat.world.join(f"Peserta {n}"))
    newest = [one for one in bank.list_newest("K1") if one.kuk == CRITICAL]
    wording, sittings = next((one, who) for one, who in map(closed, newest) if len(who) > 1)
    many = len(sittings)
    made = correct(wording, wording.choices[0], sat.reviewer, work=False)
    page = f"/laporan/koreksi/{made}"
    browser = sign_in(sat.reviewer)
    running = browser.post(f"{page}/ulangi", follow_redirects=True).text
    assert "penilaian ulang masih berjalan" in running
    refuse_evidence_of(db.session.get_one(Attempt, sittings[0]).person_id)
    jobs.work(LATER)

    shown = browser.get(page).text
    assert f"{many - 1} sesi dinilai ulang, 1 belum berhasil." in shown
    assert "Coba lagi yang belum berhasil" in shown
    progress = browser.get(page, headers={"Accept": "application/json"}).json
    assert (progress["settled"], progress["problems"], progress["running"]) == (many, 1, False)
    assert sign_in(sat.world.trainer).post(f"{page}/ulangi").status_code == 403

    jobs.work(LATER)
    assert "1 belum berhasil" in browser.get(page).text  # nothing tries again by itself
    again = browser.post(f"{page}/ulangi", follow_redirects=True).text
    assert f"{many - 1} dari {many} sesi dinilai ulang." in again
    jobs.work(LATER)
    assert f"{many - 1} sesi dinilai ulang, 1 belum berhasil." in browser.get(page).text
    db.session.execute(text("DROP TRIGGER refuse"))
    db.session.commit()
    browser.post(f"{page}/ulangi")
    jobs.work(LATER)
    whole = browser.get(page).text
    assert f"Semua {many} sesi sudah dinilai ulang." in whole
    assert "Coba lagi yang belum berhasil" not in whole
    assert services.read_outcome(corrections.get_correction(made)).looked_at == many
    nothing = browser.post(f"{page}/ulangi", follow_redirects=True).text
    assert "Tidak ada yang perlu dicoba lagi" in nothing


def test_a_correction_nobody_sat_has_no_job(app: Flask, sign_in):
    sat = Sat()
    wording = next(one for one, who in map(closed, bank.list_newest("K1")) if not who)
    made = correct(wording, wording.choices[0], sat.reviewer)
    browser, page = sign_in(sat.reviewer), f"/laporan/koreksi/{made}"
    assert browser.get(page).status_code == 200
    assert browser.get(page, headers={"Accept": "application/json"}).status_code == 404
    assert browser.post(f"{page}/ulangi").status_code == 404


def test_a_certificate_that_was_revoked_meanwhile_is_not_revoked_again(app: Flask, sign_in):
    sat = Sat()
    paper = sat.certify()
    wording = wording_in(sat.ref)
    correct(wording, wording.choices[0], sat.reviewer)
    [(_id, listed)] = rechecks.list_rechecks()
    with unit_of_work():
        credentials.revoke(
            paper.code,
            reason_public=Reason.ERROR,
            reason_internal="Sudah diputuskan.",
            by_id=sat.admin.id,
            now=LATER,
        )
    sent = sign_in(sat.admin).post(
        f"/admin/tinjau-sertifikat/{listed.public_id}", data={"langkah": "revoke", "catatan": "x"}
    )
    assert sent.status_code == 422
    assert "tidak berlaku lagi; tidak ada yang diubah" in sent.text
