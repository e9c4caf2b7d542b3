"""Pages of the register for holders, trainers and administrators."""

import hashlib
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select

from lms.accounts import services as accounts
from lms.cohorts import services as cohorts
from lms.cohorts.models import ConflictKind
from lms.core.db import db, unit_of_work
from lms.credentials import register, services
from lms.credentials.models import Certificate, Method
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


def decision_path(world: World, scheme: str = "K1") -> str:
    return f"/angkatan/{world.cohort.slug}/peserta/{world.trainee.public_id}/keputusan/{scheme}"


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
        assert answer.headers["Content-Disposition"] == (
            f'attachment; filename="sertifikat-{code}.pdf"'
        )
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


# Trainer


def test_the_decision_page_shows_units_and_what_is_missing(world: World, sign_in):
    answer = sign_in(world.trainer).get(decision_path(world))
    page = text_of(answer.text)
    assert answer.status_code == 200
    assert "Keputusan Asesmen Risiko: Rahma Yuliani" in page
    assert "24 hal masih perlu" in page
    assert "0 dari 9" in page
    assert "Belum dapat ditandatangani." in page
    assert "Tanda tangani dan terbitkan" not in page


def test_a_trainer_signs_and_the_certificate_is_there(world: World, sign_in):
    fulfil(world.trainee, "K1")
    browser, path = sign_in(world.trainer), decision_path(world)
    page = text_of(browser.get(path).text)
    assert "9 dari 9" in page
    assert "Tanda tangani dan terbitkan" in page
    answer = browser.post(path, data={"confirm": "y", "language": "id"})
    assert (answer.status_code, answer.location) == (302, path)
    [entry] = held(world)
    assert (entry.status, entry.number) == (Status.VALID, "0001/SULUH-K1/2026")
    after = text_of(browser.get(path).text)
    assert "Keputusan ditandatangani dan sertifikat terbit." in after
    assert "Nomor 0001/SULUH-K1/2026" in after
    assert "sudah terbit dan masih berlaku" in after


def test_without_the_confirmation_nothing_is_signed(world: World, sign_in):
    fulfil(world.trainee, "K1")
    answer = sign_in(world.trainer).post(decision_path(world), data={"language": "en"})
    assert answer.status_code == 422
    assert "Centang setelah Anda memeriksa bukti." in answer.text
    assert '<option selected value="en">' in answer.text
    assert held(world) == []


def test_an_unknown_language_is_refused(world: World, sign_in):
    fulfil(world.trainee, "K1")
    answer = sign_in(world.trainer).post(
        decision_path(world), data={"confirm": "y", "language": "jv"}
    )
    assert answer.status_code == 422
    assert held(world) == []


def test_signing_too_early_says_what_is_missing(world: World, sign_in):
    answer = sign_in(world.trainer).post(
        decision_path(world), data={"confirm": "y", "language": "id"}
    )
    assert answer.status_code == 422
    assert "Belum semua syarat terpenuhi." in answer.text
    assert "24 hal masih perlu" in text_of(answer.text)
    assert db.session.scalar(select(func.count()).select_from(Certificate)) == 0


def test_signing_twice_issues_once(world: World, sign_in):
    fulfil(world.trainee, "K1")
    browser, data = sign_in(world.trainer), {"confirm": "y", "language": "id"}
    assert browser.post(decision_path(world), data=data).status_code == 302
    again = browser.post(decision_path(world), data=data)
    assert again.status_code == 422
    assert "sudah terbit dan masih berlaku" in again.text
    assert len(held(world)) == 1


def test_a_relative_cannot_sign(world: World, sign_in):
    fulfil(world.trainee, "K1")
    trainer_id, trainee_id = world.trainer.id, world.trainee.id
    with unit_of_work():
        cohorts.declare_conflict(
            trainer_id, trainee_id, ConflictKind.SUPERIOR, declared_by=trainer_id, now=NOW
        )
    browser = sign_in(world.trainer)
    page = text_of(browser.get(decision_path(world)).text)
    assert "Minta pelatih lain." in page
    assert "Tanda tangani dan terbitkan" not in page
    forced = browser.post(decision_path(world), data={"confirm": "y", "language": "id"})
    assert forced.status_code == 422
    assert held(world) == []


def test_a_letterhead_that_does_not_fit_is_explained(world: World, sign_in):
    fulfil(world.trainee, "K1")
    bad = factories.cohort(world.host, letterhead=["x"] * 5)
    factories.staff(world.trainer, bad)
    factories.seat(world.trainee, bad)
    path = f"/angkatan/{bad.slug}/peserta/{world.trainee.public_id}/keputusan/K1"
    answer = sign_in(world.trainer).post(path, data={"confirm": "y", "language": "id"})
    assert answer.status_code == 422
    assert "issuer_lines" in answer.text
    assert held(world) == []


def test_decisions_are_hidden_from_other_classes(world: World, sign_in):
    stranger = factories.person("trainer")
    data = {"confirm": "y", "language": "id"}
    for path in (decision_path(world), decision_path(world, "K9")):
        browser = sign_in(stranger)
        assert browser.get(path).status_code == 404
        assert browser.post(path, data=data).status_code == 404
    own = sign_in(world.trainer)
    assert own.get(decision_path(world, "K9")).status_code == 404
    assert own.post(decision_path(world, "K9"), data=data).status_code == 404
    nobody = decision_path(world).replace(world.trainee.public_id, "x")
    assert own.get(nobody).status_code == 404
    assert sign_in(factories.person("admin")).get(decision_path(world)).status_code == 403


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
    monkeypatch.setattr("lms.credentials.views.PAGE", 2)
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


def test_an_administrator_revokes_with_a_reason(world: World, sign_in):
    code = world.certified().code
    browser = sign_in(factories.person("admin", name="Admin Contoh"))
    path = f"/admin/sertifikat/{code}"
    assert "Cabut sertifikat" in browser.get(path).text
    answer = browser.post(
        f"{path}/cabut", data={"reason": "violation", "note": "lihat berkas 12", "confirm": "y"}
    )
    assert (answer.status_code, answer.location) == (302, path)
    page = text_of(browser.get(path).text)
    assert "dicabut oleh Admin Contoh (pelanggaran kode etik)" in page
    assert "lihat berkas 12" in page
    assert "Catatan untuk administrator" not in page
    public = text_of(browser.get(f"/c/{code}").text)
    assert "Sertifikat ini dicabut" in public
    assert "lihat berkas 12" not in public
    again = browser.post(f"{path}/cabut", data={"reason": "error", "note": "x", "confirm": "y"})
    assert again.status_code == 422
    assert "tidak berlaku lagi" in again.text


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
