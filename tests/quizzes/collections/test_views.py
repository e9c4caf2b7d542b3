"""Collections through the browser's door: from the file to the questions and back."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from lms.accounts.models import Person
from lms.core.db import db, unit_of_work
from lms.quizzes.collections import rules, services, showing
from lms.quizzes.collections.models import CollectedQuestion, QuestionImage
from lms.quizzes.exchange import formats
from lms.quizzes.exchange.model import Format, Text
from tests import factories
from tests.factories import NOW
from tests.quizzes.collections import helpers
from tests.quizzes.collections.helpers import GIFT, MOODLE, PNG


@pytest.fixture
def someone(app: Flask) -> Person:
    return factories.person("trainer", name="Bu Pelatih")


@pytest.fixture
def trainer(someone: Person, sign_in: Callable[[Person], FlaskClient]) -> FlaskClient:
    return sign_in(someone)


def test_from_a_file_to_a_collection_and_back(trainer: FlaskClient):
    assert "Belum ada koleksi" in trainer.get("/soal/koleksi").text
    assert trainer.post("/soal/koleksi/baru", data={"title": ""}).status_code == 422
    begun = trainer.post("/soal/koleksi/baru", data={"title": "Latihan", "shared": "y"})
    upload = begun.location
    where = upload.split("/")[-2]
    page = trainer.get(upload).text
    assert "tidak pernah menjadi bagian bank soal sertifikasi" in page
    assert "Pilih berkasnya." in trainer.post(upload, data={}).text
    sent = helpers.send(trainer, where, GIFT.encode(), "soal.gift")
    assert sent.status_code == 302
    page = trainer.get(sent.location).text
    for words in ("5 soal terbaca", "Pilihan tunggal: 1", "1 bagian tidak dapat dibaca",
                  "baris 9", "Siapa yang memutuskan?", "KUK 02.1.1", "Masukkan 5 "):  # fmt: skip
        assert words in page
    assert "Menunggu persetujuan Anda" in trainer.get(f"/soal/koleksi/{where}").text
    done = trainer.post(f"{sent.location}/masukkan", follow_redirects=True).text
    assert "5 soal masuk koleksi." in done
    page = trainer.get(f"/soal/koleksi/{where}").text
    assert "Siapa yang memutuskan?" in page
    assert "Menunggu persetujuan Anda" not in page
    assert "24" in trainer.get(f"/soal/koleksi/{where}?jenis=numeric").text
    assert "Berapa jam?" not in trainer.get(f"/soal/koleksi/{where}?label=kuk:02.1.1").text
    back = trainer.post(f"{sent.location}/urungkan", follow_redirects=True).text
    assert "5 soal dihapus." in back
    assert "Semua soalnya sudah dihapus." in back
    assert "Belum ada soal" in trainer.get(f"/soal/koleksi/{where}").text


def test_nothing_a_file_brings_runs_in_the_page(trainer: FlaskClient, someone: Person):
    where = helpers.collection(someone)
    hostile = "<b>x</b><script>alert(1)</script> {=<img src=x onerror=alert(2)> ~b}"
    sent = helpers.send(trainer, where, hostile.encode(), "<script>.gift", "gift")
    page = trainer.get(sent.location).text
    assert "<script>alert" not in page
    assert "onerror=" not in page
    assert "<script>.gift" not in page
    sent = helpers.send(trainer, where, MOODLE.encode(), "soal.xml")
    page = trainer.get(sent.location).text
    assert "onclick=" not in page
    assert "alert(2)" not in page
    address = page.split('src="/soal/gambar/')[1].split('"')[0]
    image = trainer.get(f"/soal/gambar/{address}")
    assert image.data == PNG
    assert image.content_type == "image/png"
    assert image.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in image.headers["Content-Security-Policy"]
    assert "jahat.svg" in page  # said, not dropped in silence


def test_a_file_that_is_no_file_of_questions_says_so(trainer: FlaskClient, someone: Person):
    where = helpers.collection(someone)
    for data, name, words in (
        (b"\x89PNG\r\n\x1a\n" + b"x" * 100, "a.gift", "bukan berkas teks"),
        (b"", "kosong.gift", "Tidak ada soal di dalam berkas"),
        (b"<?xml version='1.0'?><!DOCTYPE x [<!ENTITY a 'b'>]><quiz>&a;</quiz>", "a.xml",
         "deklarasi entitas"),
    ):  # fmt: skip
        sent = helpers.send(trainer, where, data, name)
        page = trainer.get(sent.location).text
        assert words in page
        assert "0 soal terbaca" in page
        refused = trainer.post(f"{sent.location}/masukkan", follow_redirects=True).text
        assert "Tidak ada soal yang dapat dimasukkan" in refused
        assert "Pratinjau dibuang" in trainer.post(
            f"{sent.location}/buang", follow_redirects=True
        ).text  # fmt: skip


def test_a_row_of_a_table_that_cannot_be_read_is_named(trainer: FlaskClient, someone: Person):
    where = helpers.collection(someone)
    rows = formats.FORMATS["csv"].template().decode("utf-8-sig").splitlines()
    spoilt = "\r\n".join([rows[0], "tidak ada jenis seperti ini" + ";" * rows[0].count(";")])
    sent = helpers.send(trainer, where, spoilt.encode(), "soal.csv")
    page = trainer.get(sent.location).text
    assert "0 soal terbaca" in page
    assert "baris tabel 2" in page


def test_a_file_that_is_too_large_is_refused(trainer: FlaskClient, someone: Person):
    where = helpers.collection(someone)
    assert helpers.send(trainer, where, b"x" * (9 * 1024 * 1024), "a.gift").status_code == 413
    big = helpers.send(trainer, where, b"x" * (8 * 1024 * 1024 + 10), "a.gift")
    assert "lebih besar dari" in trainer.get(big.location).text


@pytest.mark.parametrize("name", formats.TEMPLATES)
def test_a_template_is_read_again_without_a_problem(trainer: FlaskClient, name: str):
    given = trainer.get(f"/soal/contoh/{name}")
    assert "attachment" in given.headers["Content-Disposition"]
    batch = formats.read(name, given.data)
    assert batch.refused == 0
    assert len(batch.counts) >= 8
    assert trainer.get("/soal/contoh/gift").status_code == 404


def test_a_collection_is_given_out_in_every_format_with_its_losses(
    trainer: FlaskClient, someone: Person
):
    where = helpers.collection(someone)
    batch = helpers.bring(someone, where)
    helpers.bring(someone, where, MOODLE, "moodle-xml")
    for name in formats.WRITABLE:
        assert trainer.get(f"/soal/koleksi/{where}/ekspor/{name}").status_code == 200
        given = trainer.get(f"/soal/koleksi/{where}/unduh/{name}")
        assert formats.read(name, given.data).questions
    assert "tidak punya tempat untuk gambar" in (
        trainer.get(f"/soal/koleksi/{where}/ekspor/csv").text
    )
    assert "2 soal tidak" not in trainer.get(f"/soal/koleksi/{where}/ekspor/moodle-xml").text
    one = trainer.get(f"/soal/koleksi/{where}/unduh/moodle-xml?impor={batch}").data
    assert formats.read("moodle-xml", one).counts == formats.read("gift", GIFT.encode()).counts
    assert trainer.get(f"/soal/koleksi/{where}/ekspor/suluh").status_code == 404
    other = helpers.collection(someone)
    assert trainer.get(f"/soal/koleksi/{other}/unduh/gift?impor={batch}").status_code == 404


def test_others_do_not_find_it(
    trainer: FlaskClient, someone: Person, sign_in: Callable[[Person], FlaskClient]
):
    where = helpers.collection(someone)
    made = helpers.bring(someone, where)
    stranger = sign_in(factories.person("trainer"))
    learner = sign_in(factories.person("trainee"))
    for path in (f"/soal/koleksi/{where}", f"/soal/impor/{made}",
                 f"/soal/koleksi/{where}/unduh/gift"):  # fmt: skip
        assert trainer.get(path).status_code == 200
        assert stranger.get(path).status_code == 404
        assert learner.get(path).status_code == 403
    assert stranger.post(f"/soal/impor/{made}/urungkan").status_code == 404


def test_a_collection_changes_its_name_and_a_question_goes(trainer: FlaskClient, someone: Person):
    where = helpers.collection(someone)
    helpers.bring(someone, where)
    assert 'value="Koleksi"' in trainer.get(f"/soal/koleksi/{where}/ubah").text
    assert trainer.post(f"/soal/koleksi/{where}/ubah", data={"title": ""}).status_code == 422
    page = trainer.post(
        f"/soal/koleksi/{where}/ubah", data={"title": "Lain"}, follow_redirects=True
    ).text
    assert "Koleksi diubah." in page
    address = page.split('/tarik"')[0].split('action="')[-1] + "/tarik"
    assert "Soal ditarik." in trainer.post(address, follow_redirects=True).text


def test_two_files_at_once_and_a_full_collection_say_what_to_do(
    trainer: FlaskClient, someone: Person, monkeypatch: pytest.MonkeyPatch
):
    where = helpers.collection(someone)
    monkeypatch.setattr(services, "WAIT", 0.01)
    with services._one_at_a_time():
        busy = helpers.send(trainer, where, GIFT.encode(), "soal.gift")
    assert busy.status_code == 503
    assert busy.headers["Retry-After"] == "30"
    monkeypatch.setattr(rules, "MOST_QUESTIONS", 4)
    full = helpers.send(trainer, where, GIFT.encode(), "soal.gift")
    assert full.status_code == 422
    assert "Koleksi ini sudah penuh (4 soal). Buat koleksi baru." in full.text
    monkeypatch.setattr(rules, "MOST_QUESTIONS", 5)
    assert helpers.send(trainer, where, GIFT.encode(), "soal.gift").status_code == 302


def test_what_is_settled_is_not_settled_again(trainer: FlaskClient, someone: Person):
    where = helpers.collection(someone)
    batch = f"/soal/impor/{helpers.preview(someone, where)}"
    told = {"masukkan": "5 soal masuk koleksi.", "urungkan": "5 soal dihapus."}
    for step in ("masukkan", "buang", "urungkan", "urungkan", "masukkan"):
        sent = trainer.post(f"{batch}/{step}")
        assert sent.location == batch, step
        page = trainer.get(batch).text
        first = told.pop(step, None)
        assert first is None or first in page
        assert first is not None or not any(words in page for words in ("masuk koleksi.", "buang."))
    assert "Belum ada soal" in trainer.get(f"/soal/koleksi/{where}").text


def test_a_question_in_use_is_withdrawn_when_its_file_is_taken_back(
    trainer: FlaskClient, someone: Person
):
    where = helpers.collection(someone)
    made = helpers.bring(someone, where)
    used = db.session.scalars(select(CollectedQuestion.id).order_by(CollectedQuestion.id)).first()
    with unit_of_work():
        services.take([used], now=NOW)
    back = trainer.post(f"/soal/impor/{made}/urungkan", follow_redirects=True).text
    assert "4 soal dihapus. 1 soal sudah dipakai kuis, jadi ditarik dan tidak dihapus." in back


def test_an_image_of_another_kind_is_not_given(trainer: FlaskClient, someone: Person):
    """Only four kinds are ever stored; this holds should a row say otherwise."""
    where = helpers.collection(someone)
    helpers.bring(someone, where, MOODLE, "moodle-xml")
    address = f"/soal/gambar/{db.session.scalars(select(QuestionImage.digest)).one()}"
    db.session.rollback()
    assert trainer.get(address).status_code == 200
    with unit_of_work():
        db.session.execute(update(QuestionImage).values(media="image/svg+xml"))
    assert trainer.get(address).status_code == 404


def test_texts_are_printed_as_their_format_says(app: Flask):
    with app.test_request_context():
        plain = showing.html(Text("a < b\nlalu c", Format.PLAIN))
        drawn = showing.html(Text("**tebal** <script>x</script>", Format.MARKDOWN))
    assert plain == "a &lt; b<br>lalu c"
    assert "<strong>tebal</strong>" in drawn
    assert "<script>" not in drawn


def test_an_administrator_keeps_a_collection_for_any_organisation(
    app: Flask, sign_in: Callable[[Person], FlaskClient]
):
    agency = factories.organisation(name="Dinas Contoh Utama")
    browser = sign_in(factories.person("admin"))
    form = browser.get("/soal/koleksi/baru").text
    assert "Dinas Contoh Utama" in form
    made = browser.post(
        "/soal/koleksi/baru", data={"title": "Milik dinas", "organisation": agency.public_id}
    )
    assert made.status_code == 302
    assert "Dinas Contoh Utama" in browser.get("/soal/koleksi").text
