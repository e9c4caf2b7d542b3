"""Preparing a class step by step, and changing it later, through the browser's door."""

from collections.abc import Callable
from datetime import date

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from lms.accounts.models import Person
from lms.cohorts import services
from lms.cohorts.curricula import list_offers
from lms.cohorts.models import ClassSession, ClassState, Cohort, Part
from lms.cohorts.timetable import pattern
from lms.core.db import db, unit_of_work
from tests import factories

SignIn = Callable[[Person], FlaskClient]
NEW = "/admin/angkatan/baru"
HERE = "/admin/angkatan/kota-contoh-1"


@pytest.fixture
def browser(app: Flask, sign_in: SignIn) -> FlaskClient:
    return sign_in(factories.person("admin", name="Sri Wahyuni"))


def sheet(host: str, **values: str) -> dict[str, str]:
    """Return a whole form of the data of a class."""
    return {
        "title": "Angkatan 1",
        "host": host,
        "city": "Kota Contoh",
        "place": "Aula",
        "address": "Jalan Melati 1\r\nPintu timur",
        "contact_name": "Ibu Kontak",
        "contact_phone": "0812 3456 7890",
        "contact_email": "",
        "bring": "Surat tugas\r\n\r\n  Alat tulis ",
        "zone": "WITA",
        "starts_on": "2099-12-09",
        "ends_on": "2099-12-10",
        "slug": "kota-contoh-1",
        "letterhead": "PEMERINTAH KOTA CONTOH\r\n\r\n  DINAS CONTOH ",
        "signatory_title": "Kepala Dinas",
        "signatory_name": "Nama Pejabat, M.Si.",
        "signatory_number": "",
    } | values


def found(slug: str = "kota-contoh-1") -> Cohort:
    db.session.rollback()
    return db.session.scalars(select(Cohort).where(Cohort.slug == slug)).one()


def count(model: type) -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(model)) or 0


def sessions() -> list[ClassSession]:
    db.session.rollback()
    return list(services.list_sessions(found().id))


def test_the_list_begins_empty_and_points_to_organisations(browser: FlaskClient):
    page = browser.get("/admin/angkatan").text
    assert "Belum ada kelas" in page
    assert 'href="/admin/instansi"' in page
    assert "Belum ada instansi" in browser.get(NEW).text


def test_a_class_is_prepared_step_by_step_and_opened(browser: FlaskClient):
    host = factories.organisation("Dinas Contoh").public_id
    page = browser.get(NEW).text
    assert '<option selected value="WIB">' in page
    assert 'aria-current="step">Data' in page
    answer = browser.post(NEW, data=sheet(host))
    assert answer.location == f"{HERE}/kurikulum"
    made = found()
    assert made.state is ClassState.DRAFT
    assert (made.starts_on, made.zone) == (date(2099, 12, 9), "WITA")
    assert made.letterhead == ["PEMERINTAH KOTA CONTOH", "DINAS CONTOH"]
    assert made.bring == "Surat tugas\nAlat tulis"
    stored = [(s.day, s.half, s.position, s.title, s.jp, s.lesson_code) for s in sessions()]
    assert stored == [(e.day, e.half, e.position, e.title, e.jp, e.lesson_code) for e in pattern()]

    page = browser.get(answer.location).text
    assert 'aria-current="step">Kurikulum' in page
    assert "K1 Asesmen Risiko" in page
    answer = browser.post(answer.location, data={"curricula": ["K1", "K2"]})
    assert answer.location == f"{HERE}/jadwal"
    versions = {one.code: one.version for one in list_offers()}
    assert services.list_curricula(made.id) == {"K1": versions["K1"], "K2": versions["K2"]}
    assert len(versions["K1"]) == 12

    page = browser.get(answer.location).text
    assert "Jumlah 14 JP, di antaranya 10 JP pelajaran" in page
    assert "Periksa jadwal ini" not in page
    assert "tanpa JP" in page
    assert f'href="{HERE}/periksa"' in page

    page = browser.get(f"{HERE}/periksa").text
    assert "Yang belum lengkap" not in page
    assert "Ibu Kontak, 0812 3456 7890" in page
    assert browser.get(HERE).location == f"{HERE}/periksa"
    assert browser.post(f"{HERE}/periksa").location == HERE
    assert found().state is ClassState.OPEN
    page = browser.get(HERE).text
    assert "Kelas dibuka" in page
    assert "Hari 1 siang" in page
    assert browser.get(f"{HERE}/periksa").location == HERE
    assert browser.post(f"{HERE}/periksa").location == HERE
    assert browser.post(f"{HERE}/buang").status_code == 404
    assert "Kelas dibuka" not in browser.get(HERE).text


def test_a_draft_is_left_and_gone_on_with(browser: FlaskClient, sign_in: SignIn):
    host = factories.organisation()
    browser.post(NEW, data=sheet(host.public_id, contact_name="", contact_phone="", address=""))
    page = browser.get("/admin/angkatan").text
    assert "Draf" in page
    assert f'href="{HERE}/periksa"' in page
    assert browser.get("/angkatan/kota-contoh-1/undangan").status_code == 404
    assert browser.get("/angkatan/kota-contoh-1/agenda").status_code == 200
    trainer = sign_in(factories.person("trainer"))
    assert trainer.get("/angkatan/kota-contoh-1/agenda").status_code == 404
    page = browser.get(f"{HERE}/periksa").text
    for missing in ("kurikulum yang dipilih", "narahubung untuk peserta", "alamat dan cara"):
        assert f"Belum ada {missing}" in page
    page = browser.get(f"{HERE}/ubah").text
    assert 'value="Angkatan 1"' in page
    changed = sheet(
        host.public_id, title="Angkatan Baru", starts_on="2026-01-01", ends_on="2026-01-02"
    )
    assert browser.post(f"{HERE}/ubah", data=changed).location == f"{HERE}/kurikulum"
    assert found().title == "Angkatan Baru"
    assert "Hari pertama sudah lewat" in browser.get(f"{HERE}/periksa").text
    assert browser.post(f"{HERE}/buang").location == "/admin/angkatan"
    assert count(Cohort) == count(ClassSession) == 0


def test_an_empty_timetable_does_not_open(browser: FlaskClient):
    factories.cohort(slug="kota-contoh-1", state=ClassState.DRAFT, timetable=[])
    answer = browser.post(f"{HERE}/periksa")
    assert answer.status_code == 422
    assert "Jadwal masih kosong" in answer.text
    assert found().state is ClassState.DRAFT


@pytest.mark.parametrize(("ends_on", "entries"), [("2099-12-09", 5), ("2099-12-13", 8)])
def test_a_class_may_have_one_day_or_five(browser: FlaskClient, ends_on: str, entries: int):
    host = factories.organisation().public_id
    browser.post(NEW, data=sheet(host, ends_on=ends_on))
    assert len(sessions()) == entries
    page = browser.get(f"{HERE}/jadwal").text
    days = (found().ends_on - found().starts_on).days + 1
    assert page.count("Tambah acara hari") == days


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"title": " "}, "Bagian ini perlu diisi."),
        ({"host": "tidak-ada"}, "Pilih salah satu yang tersedia."),
        ({"zone": "UTC"}, "Pilih salah satu yang tersedia."),
        ({"starts_on": "9 Desember"}, "Tulis tanggal lengkap, misalnya 2026-12-09."),
        ({"starts_on": ""}, "Bagian ini perlu diisi."),
        ({"ends_on": "2099-12-08"}, "Hari terakhir tidak boleh sebelum hari pertama."),
        ({"ends_on": "2100-01-09"}, "Kelas paling lama 31 hari"),
        ({"slug": "Kota Contoh"}, "Pakai huruf kecil, angka, dan tanda hubung"),
        ({"slug": "baru"}, "Alamat ini sudah dipakai halaman lain."),
        ({"slug": "tot-kdrt"}, "Pilih kata yang netral."),
        ({"letterhead": "1\n2\n3\n4\n5"}, "Paling banyak 4 baris"),
        ({"letterhead": "x" * 81}, "Paling banyak 4 baris"),
        ({"contact_phone": ""}, "Tulis juga telepon atau e-mail narahubung."),
        ({"contact_phone": "nol delapan"}, "Tulis nomor telepon dengan angka"),
        ({"contact_email": "ibu"}, "Tulis alamat e-mail lengkap"),
        ({"address": "x" * 401}, "Paling banyak 400 huruf."),
    ],
)
def test_a_class_that_is_not_whole_is_explained_and_nothing_typed_is_lost(
    browser: FlaskClient, values: dict[str, str], says: str
):
    host = factories.organisation().public_id
    answer = browser.post(NEW, data=sheet(host, place="Aula <b>Dinas</b>") | values)
    assert answer.status_code == 422
    assert says in answer.text
    assert "Not a valid" not in answer.text
    assert 'value="Aula &lt;b&gt;Dinas&lt;/b&gt;"' in answer.text
    for name, value in values.items():
        if value.strip() and name not in {"host", "zone", "letterhead", "address"}:
            assert f'value="{value}"' in answer.text
        assert f'href="#{name}"' in answer.text or name in {"contact_phone", "ends_on"}
    assert count(Cohort) == 0


def test_an_address_is_given_once(browser: FlaskClient):
    host = factories.organisation().public_id
    browser.post(NEW, data=sheet(host))
    answer = browser.post(NEW, data=sheet(host, title="Yang kedua"))
    assert answer.status_code == 422
    assert "Sudah ada kelas dengan alamat ini." in answer.text
    assert 'value="Yang kedua"' in answer.text
    assert count(Cohort) == 1


def test_basic_data_are_edited(browser: FlaskClient):
    one, other = factories.organisation(), factories.organisation()
    made = factories.cohort(one, slug="kota-contoh-1")
    page = browser.get(f"{HERE}/ubah").text
    assert f'<option selected value="{one.public_id}">' in page
    assert "PEMERINTAH KOTA CONTOH\nDinas Contoh</textarea>" in page
    assert 'value="2026-03-20"' in page
    assert "Langkah menyiapkan kelas" not in page
    typed = sheet(other.public_id, title="Angkatan Dua")
    answer = browser.post(f"{HERE}/ubah", data=typed)
    assert answer.location == HERE
    assert "Data kelas tersimpan." in browser.get(answer.location).text
    changed = found()
    assert (changed.id, changed.title, changed.host_id) == (made.id, "Angkatan Dua", other.id)
    assert browser.post(f"{HERE}/ubah", data=typed | {"place": ""}).status_code == 422
    short = browser.post(f"{HERE}/ubah", data=typed | {"ends_on": "2099-12-09"})
    assert short.status_code == 422
    assert "Jadwal memuat acara sampai hari ke-2." in short.text


def test_a_class_keeps_the_version_of_a_curriculum_until_it_is_renewed(browser: FlaskClient):
    made = factories.cohort(slug="kota-contoh-1", curricula={"K1": "lama", "K2": ""})
    now = {one.code: one.version for one in list_offers()}["K1"]
    page = browser.get(f"{HERE}/kurikulum").text
    assert "dicatat: isi lama" in page
    assert f"sekarang {now}" in page
    assert browser.post(f"{HERE}/kurikulum", data={"curricula": ["K1"]}).location == HERE
    assert services.list_curricula(made.id) == {"K1": "lama"}
    browser.post(f"{HERE}/kurikulum", data={"curricula": ["K1"], "renew": "y"})
    assert services.list_curricula(made.id) == {"K1": now}
    assert "Isi berubah sejak dicatat" not in browser.get(f"{HERE}/kurikulum").text
    assert browser.post(f"{HERE}/kurikulum", data={"curricula": ["K9"]}).status_code == 422
    assert browser.post(f"{HERE}/kurikulum", data={"renew": ""}).location == HERE
    assert services.list_curricula(made.id) == {}


# The timetable


@pytest.fixture
def future(browser: FlaskClient) -> FlaskClient:
    factories.cohort(slug="kota-contoh-1", starts_on=date(2099, 3, 20), ends_on=date(2099, 3, 21))
    return browser


def titles() -> list[str]:
    return [one.title for one in sessions()]


def test_entries_move_go_and_come_back_by_buttons(future: FlaskClient):
    first, second, third = (one.id for one in sessions())
    answer = future.post(f"{HERE}/jadwal", data={"act": f"turun-{first}"})
    assert answer.location == f"{HERE}/jadwal#acara-{first}"
    assert titles() == ["Lokakarya", "Pembukaan", "Uji observasi"]
    future.post(f"{HERE}/jadwal", data={"act": f"naik-{first}"})
    assert titles()[0] == "Pembukaan"
    future.post(f"{HERE}/jadwal", data={"act": f"hapus-{second}"})
    assert titles() == ["Pembukaan", "Uji observasi"]
    page = future.get(f"{HERE}/jadwal").text
    assert "Lokakarya dihapus dari jadwal" in page
    assert f'value="pulihkan-{second}"' in page
    assert "Urungkan" not in future.get(f"{HERE}/jadwal").text
    future.post(f"{HERE}/jadwal", data={"act": f"pulihkan-{second}"})
    assert titles() == ["Pembukaan", "Lokakarya", "Uji observasi"]
    future.post(f"{HERE}/jadwal", data={"act": f"turun-{third}"})
    assert "sudah di tepi jadwal" in future.get(f"{HERE}/jadwal").text
    foreign = factories.cohort()
    stranger = services.list_sessions(foreign.id)[0].id
    for act in (f"naik-{stranger}", f"hapus-{stranger}", f"pulihkan-{stranger}", "turun-999"):
        assert future.post(f"{HERE}/jadwal", data={"act": act}).status_code == 404
    for act in ("", "buka-1", "naik-x", "naik-"):
        assert future.post(f"{HERE}/jadwal", data={"act": act}).status_code == 422


def test_an_entry_is_added_changed_and_given_a_speaker(future: FlaskClient):
    speaker = factories.person("speaker", name="Ibu Narasumber")
    page = future.get(f"{HERE}/jadwal/baru?hari=2").text
    assert '<option selected value="2">Hari 2</option>' in page
    assert 'name="speaker" value=""' in page
    factories.staff(speaker, found(), Part.SPEAKER)
    typed = {
        "title": "Doa",
        "title_en": "",
        "day": "2",
        "half": "am",
        "begins": "08.00",
        "ends": "08:30",
        "jp": "",
        "lesson_code": "",
        "speaker": speaker.public_id,
    }
    answer = future.post(f"{HERE}/jadwal/baru", data=typed)
    entry = next(one for one in sessions() if one.title == "Doa")
    assert answer.location == f"{HERE}/jadwal#acara-{entry.id}"
    assert (entry.title_en, entry.jp, entry.speaker_id) == ("Doa", 0, speaker.id)
    page = future.get(f"{HERE}/jadwal").text
    assert "08.00–08.30" in page
    assert "Ibu Narasumber" in page
    address = f"{HERE}/jadwal/{entry.id}"
    page = future.get(address).text
    assert 'value="08:00"' in page
    assert f'<option selected value="{speaker.public_id}">' in page
    future.post(address, data=typed | {"title": "Doa bersama", "jp": "1", "begins": "", "ends": ""})
    entry = next(one for one in sessions() if one.title == "Doa bersama")
    assert (entry.jp, entry.begins) == (1, None)
    for number in (999, services.list_sessions(factories.cohort().id)[0].id):
        assert future.get(f"{HERE}/jadwal/{number}").status_code == 404
    assert future.get(f"{HERE}/jadwal/baru?hari=x").status_code == 200


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"title": ""}, "Bagian ini perlu diisi."),
        ({"title": "x" * 91}, "Paling banyak 90 huruf."),
        ({"day": "3"}, "Pilih salah satu yang tersedia."),
        ({"half": "malam"}, "Pilih salah satu yang tersedia."),
        ({"jp": "dua"}, "Tulis bilangan bulat, misalnya 2."),
        ({"jp": "13"}, "Antara 0 dan 12 JP."),
        ({"jp": "-1"}, "Antara 0 dan 12 JP."),
        ({"lesson_code": "K9.T"}, "Tulis seperti K1.T, atau kosongkan."),
        ({"begins": "pagi"}, "Tulis jam dan menit, misalnya 08.30."),
        ({"begins": ""}, "Isi juga jam mulai, atau kosongkan keduanya."),
        ({"ends": ""}, "Isi juga jam selesai, atau kosongkan keduanya."),
        ({"ends": "08:00"}, "Jam selesai perlu setelah jam mulai."),
        ({"speaker": "tidak-ada"}, "Pilih salah satu yang tersedia."),
    ],
)
def test_an_entry_that_is_not_whole_is_explained(
    future: FlaskClient, values: dict[str, str], says: str
):
    typed = {"title": "A", "day": "1", "half": "am", "begins": "08:00", "ends": "09:00", "jp": "1"}
    answer = future.post(f"{HERE}/jadwal/baru", data=typed | {"speaker": ""} | values)
    assert answer.status_code == 422
    assert says in answer.text
    assert "Not a valid" not in answer.text
    assert len(sessions()) == 3
    assert future.post(f"{HERE}/jadwal/baru", data=typed | {"speaker": ""}).status_code == 302


def test_a_class_that_has_begun_is_changed_with_a_reason(browser: FlaskClient):
    factories.cohort(slug="kota-contoh-1")
    first = sessions()[0].id
    refused = browser.post(f"{HERE}/jadwal", data={"act": f"hapus-{first}", "reason": " "})
    assert refused.status_code == 422
    assert "Kelas sudah mulai: tulis alasan perubahan jadwal." in refused.text
    assert titles()[0] == "Pembukaan"
    browser.post(f"{HERE}/jadwal", data={"act": f"hapus-{first}", "reason": "Ruang banjir"})
    assert titles()[0] == "Lokakarya"
    page = browser.get(f"{HERE}/jadwal").text
    assert 'value="Penghapusan diurungkan"' in page
    trail = browser.get("/admin/catatan").text
    assert "Ruang banjir" in trail
    typed = {"title": "A", "day": "1", "half": "am", "jp": "1", "speaker": ""}
    assert browser.post(f"{HERE}/jadwal/baru", data=typed).status_code == 422
    typed["reason"] = "Tambahan"
    assert browser.post(f"{HERE}/jadwal/baru", data=typed).status_code == 302


def test_a_full_timetable_says_so(future: FlaskClient):
    place = found().id
    with unit_of_work():
        for number in range(37):
            db.session.add(
                ClassSession(
                    cohort_id=place, day=2, half="am", position=number + 1,
                    title=f"Acara {number}", title_en="x", jp=0,
                )
            )  # fmt: skip
    typed = {"title": "Satu lagi", "day": "1", "half": "am", "jp": "1", "speaker": ""}
    answer = future.post(f"{HERE}/jadwal/baru", data=typed)
    assert answer.status_code == 422
    assert "paling banyak 40 acara" in answer.text
    first = sessions()[0].id
    future.post(f"{HERE}/jadwal", data={"act": f"hapus-{first}"})
    future.post(f"{HERE}/jadwal/baru", data=typed)
    future.post(f"{HERE}/jadwal", data={"act": f"pulihkan-{first}"})
    assert "paling banyak 40 acara" in future.get(f"{HERE}/jadwal").text


def test_pages_of_classes_that_are_not_there_are_not_found(browser: FlaskClient):
    for path in ("ubah", "kurikulum", "jadwal", "jadwal/baru", "jadwal/1", "periksa"):
        for method in ("get", "post"):
            answer = getattr(browser, method)(f"/admin/angkatan/tidak-ada/{path}")
            assert answer.status_code == 404
    assert browser.post("/admin/angkatan/tidak-ada/buang").status_code == 404
