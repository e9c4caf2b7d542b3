"""Pages of the register for holders, trainers and administrators."""

import hashlib
import re
import time
from dataclasses import replace
from datetime import timedelta

import pytest
import time_machine
from flask import Flask, current_app

from lms.accounts import services as accounts
from lms.core.db import unit_of_work
from lms.credentials import register, services, signatures
from lms.credentials.models import Method
from lms.credentials.rules import Reason, Status
from tests import factories
from tests.credentials.test_verify import text_of
from tests.credentials.world import NOW, World, fulfil
from tests.queries import counted


@pytest.fixture
def world(app: Flask) -> World:
    return World()


@pytest.fixture(autouse=True)
def _now():
    with time_machine.travel(NOW + timedelta(minutes=5)):
        yield


def held(world: World) -> list[register.Entry]:
    return register.list_held([world.trainee.id], NOW + timedelta(hours=1))


# Holder


def test_before_anything_the_page_says_what_is_missing(world: World, sign_in):
    page = text_of(sign_in(world.trainee).get("/sertifikat").text)
    assert "Belum ada sertifikat" in page
    assert "0 dari 21 kriteria" in page
    assert "0 dari 84 kriteria" in page
    assert "KUK 03.1.1 (" in page
    assert "Studi kasus SK1 belum memenuhi" in page
    assert "Kehadiran di pelajaran tatap muka K1.T belum tercatat." in page
    assert "paling sedikit 4 dari 5 soal" in page
    assert "Belum ada yang memeriksa." in page
    assert "dari 6 kriteria" not in page


def test_a_scheme_on_top_of_another_shows_once_it_is_begun(world: World, sign_in):
    fulfil(world.trainee, "T")
    page = text_of(sign_in(world.trainee).get("/sertifikat").text)
    assert "6 dari 6 kriteria" in page
    assert "Sertifikat Pendamping yang berlaku belum ada." in page


def test_when_everything_is_there_the_trainer_is_named_as_the_next_step(world: World, sign_in):
    fulfil(world.trainee, "K1")
    page = text_of(sign_in(world.trainee).get("/sertifikat").text)
    assert "Semua syarat terpenuhi." in page
    assert "21 dari 21 kriteria" in page


def test_whose_decision_is_put_off_reads_why_and_what_to_do(world: World, sign_in):
    fulfil(world.trainee, "K1")
    other = world.join("Maria Ulfah")
    ids = world.trainee.id, world.cohort.id, world.trainer.id
    browser, beside = sign_in(world.trainee), sign_in(other)
    with unit_of_work():
        signatures.put_off(
            ids[0], "K1", cohort_id=ids[1], by_id=ids[2], now=NOW,
            reason="Rencana <b>rujukan</b> belum lengkap.", todo="Lengkapi rencana SK1.",
        )  # fmt: skip
    page = browser.get("/sertifikat").text
    assert "Keputusan untuk" in page
    assert "Yang perlu dilakukan: Lengkapi rencana SK1." in page
    assert "Alasan: Rencana &lt;b&gt;rujukan&lt;/b&gt; belum lengkap." in page
    assert "Semua syarat terpenuhi." not in page, "nobody is told that only a signature is missing"
    assert "Lengkapi rencana" not in beside.get("/sertifikat").text
    with unit_of_work():
        signatures.lift(ids[0], "K1", cohort_id=ids[1], by_id=ids[2], now=NOW)
    page = browser.get("/sertifikat").text
    assert "Lengkapi rencana" not in page
    assert "Semua syarat terpenuhi." in page


def test_the_holder_sees_certificates_and_who_looked(world: World, sign_in):
    made = world.certified()
    officer, agency_id, row = factories.person("agency"), world.agency.id, made.id
    viewer_id, code = officer.id, made.code
    with unit_of_work():
        for method, matched in ((Method.CODE, True), (Method.NUMBER, False), (Method.LIST, None)):
            register.record_looks(
                [row],
                viewer_id=viewer_id,
                organisation_id=agency_id,
                method=method,
                matched=matched,
                now=NOW,
            )
        register.record_looks(
            [row],
            viewer_id=viewer_id,
            organisation_id=None,
            method=Method.CODE,
            matched=True,
            now=NOW,
        )
    page = text_of(sign_in(world.trainee).get("/sertifikat").text)
    for words in (
        "0001/SULUH-K1/2026",
        "Berlaku sampai 1 April 2028",
        f"/c/{code}",
        "Puskesmas Kenanga",
        "dengan kode",
        "dengan nomor",
        "dari daftar instansi",
        "tidak dicocokkan",
        "tidak cocok",
        "Tanpa lembaga",
        "1 April 2026, 09.30 WIB",
    ):
        assert words in page
    others = text_of(sign_in(world.join("Maria Ulfah")).get("/sertifikat").text)
    assert "0001/SULUH" not in others
    assert "Belum ada yang memeriksa." in others


def test_the_page_says_when_a_paper_no_longer_holds(world: World, sign_in):
    first, by_id = world.certified(), factories.person("admin").id
    trainee_id, code = world.trainee.id, first.code
    with unit_of_work():
        accounts.rename(trainee_id, "Rahma Y.", now=NOW)
    browser = sign_in(world.trainee)
    assert "Nama di akun Anda berbeda" in browser.get("/sertifikat").text
    with unit_of_work():
        new = services.reissue(code, by_id=by_id, now=NOW, base_url="https://x.example").code
    page = text_of(browser.get("/sertifikat").text)
    assert "Diganti" in page
    assert "Nama di akun Anda berbeda" not in page
    with unit_of_work():
        services.revoke(
            new, reason_public=Reason.WITHDRAWN, reason_internal="x", by_id=by_id, now=NOW
        )
    assert "ditarik atas permintaan pemegang" in text_of(browser.get("/sertifikat").text)


def test_somebody_who_does_not_learn_sees_no_way_ahead(world: World, sign_in):
    page = text_of(sign_in(world.trainer).get("/sertifikat").text)
    assert "Menuju sertifikat berikutnya" not in page
    assert "Belum ada sertifikat" in page


def test_the_download_is_the_paper_as_it_was_issued(world: World, sign_in):
    made = world.certified()
    digest, code = made.document_sha256, made.code
    trainee_id = world.trainee.id
    with unit_of_work():
        accounts.rename(trainee_id, "Nama Baru", now=NOW)
    for someone in (world.trainee, world.trainer, factories.person("admin")):
        answer = sign_in(someone).get(f"/sertifikat/{code}/berkas")
        assert hashlib.sha256(answer.data).hexdigest() == digest
        assert answer.mimetype == "application/pdf"
        mark = "" if someone is world.trainee else r"-brk-\w{5}-\w{5}"
        named = rf'attachment; filename="sertifikat-{code}{mark}\.pdf"'
        assert re.fullmatch(named, answer.headers["Content-Disposition"])
    assert sign_in(world.join("Maria")).get(f"/sertifikat/{code}/berkas").status_code == 404
    own = sign_in(world.trainee)
    assert own.get("/sertifikat/x/berkas").status_code == 404
    typed = own.get(f"/sertifikat/{code[:5].lower()}%0d%0a{code[5:]}/berkas")
    assert typed.headers["Content-Disposition"].endswith(f'"sertifikat-{code}.pdf"')


def test_the_own_page_costs_the_same_however_many_certificates(world: World, sign_in):
    browser = sign_in(world.trainee)
    browser.get("/sertifikat")
    with counted() as before:
        browser.get("/sertifikat")
    for scheme in ("K1", "K2", "K3"):
        fulfil(world.trainee, scheme)
        world.issue(scheme=scheme)
    with counted() as after:
        browser.get("/sertifikat")
    assert len(after) == len(before)
    assert len(after) <= 8


# Administrator


def test_the_register_lists_and_searches(world: World, sign_in):
    code = world.certified().code
    world.certified(world.join("Maria Ulfah"))
    browser = sign_in(factories.person("admin"))
    page = text_of(browser.get("/admin/sertifikat").text)
    assert page.index("0002/SULUH-K1/2026") < page.index("0001/SULUH-K1/2026")
    page = text_of(browser.get(f"/admin/sertifikat?cari={code.lower()}").text)
    assert "Rahma Yuliani" in page
    assert "Maria Ulfah" not in page
    for odd in ("?sebelum=1", "?sebelum=99999999999", "?sebelum=x", "?cari=%"):
        assert browser.get(f"/admin/sertifikat{odd}").status_code == 200
    assert "Tidak ada yang cocok" in browser.get("/admin/sertifikat?cari=zzz").text


def test_a_long_register_goes_on_over_the_page(world: World, sign_in, monkeypatch):
    monkeypatch.setattr("lms.credentials.views.register.PAGE", 2)
    for name in ("Satu", "Dua", "Tiga"):
        world.certified(world.join(name))
    browser = sign_in(factories.person("admin"))
    first = browser.get("/admin/sertifikat?cari=SULUH").text
    assert "Tiga" in first
    assert "Satu" not in first
    link = first.split('rel="next"')[0].split('href="')[-1].split('"')[0].replace("&amp;", "&")
    second = browser.get(link).text
    assert "Satu" in second
    assert "Tiga" not in second
    assert 'rel="next"' not in second


REVOKING = {"reason": "violation", "note": "lihat berkas 12", "confirm": "y"}


def test_two_administrators_revoke_with_a_reason(world: World, sign_in):
    code = world.certified().code
    asking = sign_in(factories.person("admin", name="Admin Contoh"))
    path = f"/admin/sertifikat/{code}"
    alone = text_of(asking.get(path).text)
    assert "Pencabutan perlu dua administrator" in alone
    assert "Anda satu-satunya administrator. Beri peran administrator" in alone
    answer = asking.post(f"{path}/cabut", data=REVOKING)
    assert (answer.status_code, answer.location) == (302, path)
    assert "Sertifikat ini berlaku" in text_of(asking.get(f"/c/{code}").text)
    page = text_of(asking.get(path).text)
    assert "Admin Contoh meminta pencabutan (pelanggaran kode etik)" in page
    assert "Anda satu-satunya administrator" in page
    assert "Sahkan pencabutan" not in page
    again = asking.post(f"{path}/cabut", data=REVOKING)
    assert (again.status_code, "sudah diminta" in again.text) == (422, True)

    forced = asking.post(f"{path}/cabut/sahkan", follow_redirects=True)
    assert "Yang meminta tidak dapat mengesahkan" in forced.text
    assert held(world)[0].status is Status.VALID

    second = sign_in(factories.person("admin", name="Admin Kedua"))
    assert "1 pencabutan menunggu pengesahan" in text_of(second.get("/admin/sertifikat").text)
    assert "Anda satu-satunya administrator" not in asking.get(path).text
    assert "Sahkan pencabutan" in second.get(path).text
    before = time.monotonic()
    assert second.post(f"{path}/cabut/sahkan").status_code == 302
    public = text_of(second.get(f"/c/{code}").text)
    assert "Sertifikat ini dicabut" in public
    assert time.monotonic() - before < 1
    assert "lihat berkas 12" not in public
    page = text_of(second.get(path).text)
    assert "dicabut oleh Admin Kedua (pelanggaran kode etik)" in page
    assert "pencabutan diminta Admin Contoh, disahkan Admin Kedua" in page
    assert "lihat berkas 12" in page
    assert "Catatan untuk administrator" not in page
    late = second.post(f"{path}/cabut/sahkan", follow_redirects=True)
    assert "sudah diselesaikan" in late.text
    again = second.post(f"{path}/cabut", data=REVOKING)
    assert again.status_code == 422
    assert "tidak berlaku lagi" in again.text


def test_the_second_administrator_may_decline_and_the_first_take_back(world: World, sign_in):
    code = world.certified().code
    first, second = (sign_in(factories.person("admin", name=n)) for n in ("Satu", "Dua"))
    path = f"/admin/sertifikat/{code}"
    first.post(f"{path}/cabut", data=REVOKING)
    assert "Beri tahu rekan Anda bila mendesak" in first.get(path).text
    empty = second.post(f"{path}/cabut/tolak", data={"note": " "})
    assert (empty.status_code, "mengapa sertifikat ini tetap berlaku" in empty.text) == (422, True)
    assert second.post(f"{path}/cabut/tolak", data={"note": "keliru orang"}).status_code == 302
    page = text_of(first.get(path).text)
    assert "tidak dilanjutkan oleh Dua. keliru orang" in page
    assert held(world)[0].status is Status.VALID
    late = first.post(f"{path}/cabut/tolak", data={"note": "x"}, follow_redirects=True)
    assert "sudah diselesaikan" in late.text
    assert first.post(f"{path}/cabut", data=REVOKING).status_code == 302
    assert first.post(f"{path}/cabut/tolak", data={"note": "salah tekan"}).status_code == 302
    assert held(world)[0].status is Status.VALID


def test_where_one_person_is_enough_one_revokes(world: World, sign_in, monkeypatch):
    config = replace(current_app.extensions["suluh"], two_person_revoke=False)
    monkeypatch.setitem(current_app.extensions, "suluh", config)
    code = world.certified().code
    browser, path = sign_in(factories.person("admin")), f"/admin/sertifikat/{code}"
    assert "Pencabutan perlu dua administrator" not in browser.get(path).text
    done = browser.post(f"{path}/cabut", data=REVOKING, follow_redirects=True)
    assert "Sertifikat dicabut." in done.text
    assert held(world)[0].status is Status.REVOKED


@pytest.mark.parametrize(
    "data",
    [
        {"reason": "", "note": "x", "confirm": "y"},
        {"reason": "other", "note": "x", "confirm": "y"},
        {"reason": "error", "note": " ", "confirm": "y"},
        {"reason": "error", "note": "x"},
        {"reason": "error", "note": "x" * 1001, "confirm": "y"},
    ],
)
def test_a_revocation_needs_reason_note_and_confirmation(world: World, sign_in, data):
    code = world.certified().code
    browser = sign_in(factories.person("admin"))
    answer = browser.post(f"/admin/sertifikat/{code}/cabut", data=data)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert held(world)[0].status is Status.VALID


def test_an_administrator_issues_again_with_the_corrected_name(world: World, sign_in):
    code = world.certified().code
    browser, path = sign_in(factories.person("admin")), f"/admin/sertifikat/{code}"
    assert "Perbaiki nama" not in browser.get(path).text
    early = browser.post(f"{path}/terbitkan-ulang", follow_redirects=True)
    assert "sudah sama dengan nama di akun" in early.text
    trainee_id = world.trainee.id
    with unit_of_work():
        accounts.rename(trainee_id, "Rahma Yuliani, S.Psi.", now=NOW)
    assert "Rahma Yuliani, S.Psi." in browser.get(path).text
    answer = browser.post(f"{path}/terbitkan-ulang")
    old, new = held(world)
    assert answer.location == f"/admin/sertifikat/{new.code}"
    assert (old.status, new.status) == (Status.REPLACED, Status.VALID)
    assert new.holder_name == "Rahma Yuliani, S.Psi."
    assert "karena nama diperbaiki" in text_of(browser.get(path).text)


def test_unknown_certificates_are_not_found(world: World, sign_in):
    browser = sign_in(factories.person("admin"))
    data = {"reason": "error", "note": "x", "confirm": "y"}
    assert browser.get("/admin/sertifikat/x").status_code == 404
    assert browser.post("/admin/sertifikat/x/cabut", data=data).status_code == 404
    assert browser.post("/admin/sertifikat/x/cabut", data={}).status_code == 404
    assert browser.post("/admin/sertifikat/x/terbitkan-ulang").status_code == 404
    assert browser.post("/admin/sertifikat/x/cabut/sahkan").status_code == 404
    assert browser.post("/admin/sertifikat/x/cabut/tolak", data={"note": "x"}).status_code == 404


def test_who_is_no_trainer_any_more_downloads_nothing(world: World, sign_in):
    """Taking the role away is enough; the part in the class may still stand."""
    made = world.certified()
    browser = sign_in(world.trainer)
    address = f"/sertifikat/{made.code}/berkas"
    assert browser.get(address).status_code == 200
    with unit_of_work():
        accounts.set_roles(
            world.trainer.public_id, {"speaker"}, actor_id=world.trainer.id, now=factories.NOW
        )
    assert browser.get(address).status_code == 404
