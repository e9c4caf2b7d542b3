"""Bringing people in, through the browser's door: from the sheet to the result and back."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from lms.accounts.models import Person
from lms.cohorts.models import Cohort, Invitation, Organisation, OrganisationKind
from lms.core import clock
from lms.core.db import db
from lms.core.sheets import xlsx_file
from lms.roster.models import RosterBatch, RosterRow, State
from tests import factories

NIK = "6471010101900001"
HEADINGS = ["No", "Nama", "E-mail", "NIK", "Instansi", "Jabatan"]


@pytest.fixture
def where(app: Flask) -> Cohort:
    return factories.cohort(
        slug="melati",
        starts_on=clock.now().date() + timedelta(days=20),
        ends_on=clock.now().date() + timedelta(days=21),
    )


@pytest.fixture
def trainer(where: Cohort, sign_in: Callable[[Person], FlaskClient]) -> FlaskClient:
    person = factories.person("trainer", name="Bu Pelatih")
    factories.staff(person, where)
    return sign_in(person)


def workbook(rows: list[list[object]]) -> bytes:
    columns, *rest = rows
    with xlsx_file("Peserta", columns, rest) as file:  # type: ignore[arg-type]
        return file.read()


def upload(browser: FlaskClient, data: bytes, name: str = "peserta.xlsx", slug: str = "melati"):
    head = f'--x\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
    return browser.post(
        f"/angkatan/{slug}/peserta/impor",
        data=head.encode() + data + b"\r\n--x--\r\n",
        content_type="multipart/form-data; boundary=x",
    )


def paste(browser: FlaskClient, text: str, slug: str = "melati"):
    return browser.post(f"/angkatan/{slug}/peserta/impor", data={"rows": text})


def latest() -> RosterBatch:
    db.session.rollback()
    return db.session.scalars(select(RosterBatch).order_by(RosterBatch.id.desc())).first()


def rows_of(batch: RosterBatch) -> list[RosterRow]:
    query = select(RosterRow).where(RosterRow.batch_id == batch.id).order_by(RosterRow.number)
    return list(db.session.scalars(query))


def real_sheet() -> list[list[object]]:
    """A list as an office sends it: 25 rows, five of them with something to look at."""
    rows: list[list[object]] = [HEADINGS]
    agencies = ["Puskesmas Melati", "P2TP2A Kota Contoh", "PKM Kenanga", "Polsek Contoh Barat"]
    for n in range(1, 26):
        rows.append([n, f"Orang {chr(64 + n)}", f"orang{n}@contoh.id", int(NIK) + n,
                     agencies[n % 4], "Bidan"])  # fmt: skip
    rows[3][1] = ""
    rows[7][2] = "bukan alamat"
    rows[9][2] = "ORANG8@contoh.id "
    rows[11][4] = "Rumah Cinta"
    rows[13][1] = f"Siti {NIK}"
    return rows


def test_a_sheet_of_25_goes_all_the_way(trainer: FlaskClient, where: Cohort):
    factories.organisation("Puskesmas Melati")
    factories.organisation("Puskesmas Kenanga")
    factories.organisation("UPTD PPA Kota Contoh", OrganisationKind.UPTD_PPA)
    factories.organisation("Kepolisian Sektor Contoh Barat", OrganisationKind.POLSEK)
    answer = upload(trainer, workbook(real_sheet()))
    assert answer.status_code == 302
    page = trainer.get(answer.location).text
    for says in (
        "Kolom yang dibuang tanpa dibaca: NIK.",
        "1 sel berisi nomor panjang",
        "Jabatan",
        "Nama kosong. Isi nama lengkapnya.",
        "Alamat e-mail belum lengkap.",
        "Alamat sama dengan baris 9; cukup satu.",
        "Instansi belum dikenal.",
        "Instansi dapat berarti lebih dari satu.",
        "“<bdi>PKM Kenanga</bdi>”?",
        "“<bdi>Rumah Cinta</bdi>”",
    ):
        assert says in page, says
    assert NIK not in page
    # Two names are decided, one row corrected, one skipped.
    kenanga = db.session.scalars(
        select(Organisation.public_id).where(Organisation.name == "Puskesmas Kenanga")
    ).one()
    here = answer.location
    for choice in (
        {"text": "PKM Kenanga", "choice": kenanga},
        {"text": "Rumah Cinta", "choice": "baru", "kind": "lsm"},
    ):
        assert trainer.post(f"{here}/instansi", data=choice).location == here
    fixed = {"name": "Orang C", "email": "orang3@contoh.id", "organisation": "Polsek Contoh Barat"}
    assert trainer.post(f"{here}/baris/4", data=fixed).status_code == 302
    assert trainer.post(f"{here}/lewati", data={"number": 8, "skipped": 1}).status_code == 302
    page = trainer.get(here).text
    assert "Instansi yang perlu Anda tentukan" not in page
    assert "23 orang siap" in page
    assert "Undang 23 orang" in page
    assert trainer.post(f"{here}/kirim").location == here
    page = trainer.get(here).text
    assert "23 orang diundang." in page
    assert "2 baris tidak dikirim." in page
    sent = db.session.scalars(select(Invitation)).all()
    assert len(sent) == 23
    assert {one.roles[0] for one in sent} == {"trainee"}
    made = db.session.scalars(select(Organisation).where(Organisation.name == "Rumah Cinta")).one()
    assert (made.kind, made.city) == (OrganisationKind.NGO, where.city)
    assert {one.name for one in sent if one.organisation_id == made.id} == {"Orang K"}


def everything_stored() -> str:
    """Return every text of every table."""
    db.session.rollback()
    return "\n".join(
        repr(tuple(row))
        for table in db.metadata.sorted_tables
        for row in db.session.execute(select(table))
    )


def test_no_identity_number_is_ever_stored(trainer: FlaskClient):
    factories.organisation("Puskesmas Melati")
    rows = [
        ["Nama", "E-mail", "Instansi", "NIK", f"Catatan {NIK}"],
        ["Ani Contoh", "ani@contoh.id", "Puskesmas Melati", NIK, NIK],
        [f"Budi {NIK}", f"{NIK}@contoh.id", f"Puskesmas Melati {NIK}", int(NIK), "x"],
        ["Cici 6471 0101 0190 0001", "cici@contoh.id", "6471.0101.0190.0001", "", ""],
    ]
    assert upload(trainer, workbook(rows), name=f"daftar {NIK}.xlsx").status_code == 302
    here = f"/impor/{latest().public_id}"
    typed = {"name": f"Budi {NIK}", "email": f"{NIK}@contoh.id", "organisation": NIK}
    assert trainer.post(f"{here}/baris/3", data=typed).status_code == 302
    assert trainer.post(f"{here}/kirim").status_code == 302
    stored = everything_stored()
    assert "Ani Contoh" in stored  # the positive control
    assert "cici@contoh.id" in stored
    for written in (NIK, "6471 0101", "6471.0101", "64710101"):
        assert written not in stored


@pytest.mark.parametrize(
    ("data", "name", "says"),
    [
        (b"", "x.xlsx", "Pilih berkas, atau tempel barisnya."),
        (b"PK\x03\x04" + b"0" * 100, "x.xlsx", "Berkas XLSX ini rusak."),
        (b"\xd0\xcf\x11\xe0" + b"0" * 600, "x.xls", "Berkas Excel lama"),
        (b"%PDF-1.7", "x.csv", "Ini bukan XLSX atau CSV."),
        (b"Nama;NIK\nAni;1\n", "x.csv", "Kolom e-mail belum ada."),
        (b"a;b\nc;d\n", "x.csv", "Kolomnya belum dikenali."),
        (b"Nama;E-mail\n", "x.csv", "Tidak ada baris yang terbaca."),
        (b"Nama;E-mail\n" + b"A;a@x.id\n" * 501, "x.csv", "Lebih dari 500 orang."),
        (b"x" * (2 * 1024 * 1024 + 1), "x.csv", "Berkas terlalu besar."),
    ],
)
def test_what_cannot_be_read_is_explained(trainer: FlaskClient, data: bytes, name: str, says: str):
    answer = upload(trainer, data, name) if data else paste(trainer, "")
    assert answer.status_code == 422
    assert says in answer.text
    assert latest() is None


def test_a_request_far_too_large_is_refused_before_it_is_read(trainer: FlaskClient):
    assert upload(trainer, b"x" * (3 * 1024 * 1024)).status_code == 413


def test_pasted_rows_without_headings_are_read(trainer: FlaskClient):
    factories.organisation("Puskesmas Melati 2")
    answer = paste(trainer, "Ani\tani@contoh.id\tPuskesmas Melati 2\nBudi\tbudi@contoh.id\t\n")
    page = trainer.get(answer.location).text
    assert "1 orang siap" in page
    assert "Instansi kosong. Isi instansi yang mengutus." in page


def test_a_draft_is_there_again_and_can_be_thrown_away(trainer: FlaskClient):
    paste(trainer, "Nama,E-mail\nAni,ani@contoh.id\n")
    batch = latest()
    start = trainer.get("/angkatan/melati/peserta/impor").text
    assert f"/impor/{batch.public_id}" in start
    assert "Belum dikirim" in start
    here = f"/impor/{batch.public_id}"
    assert trainer.post(f"{here}/buang").location == "/angkatan/melati/peserta/impor"
    assert trainer.get(here).status_code == 404
    assert db.session.scalars(select(RosterRow)).all() == []


def test_others_see_nothing_of_a_batch(
    trainer: FlaskClient, sign_in: Callable[[Person], FlaskClient]
):
    paste(trainer, "Nama,E-mail\nAni,ani@contoh.id\n")
    here = f"/impor/{latest().public_id}"
    stranger = sign_in(factories.person("trainer"))
    officer = sign_in(factories.officer())
    admin = sign_in(factories.person("admin"))
    assert stranger.get("/angkatan/melati/peserta/impor").status_code == 404
    for browser in (stranger, officer):
        assert browser.get(here).status_code == 404
        assert browser.get(f"{here}/masalah").status_code == 404
        assert browser.get(f"{here}/baris/2").status_code == 404
        for step in ("kirim", "urungkan", "buang"):
            assert browser.post(f"{here}/{step}").status_code == 404
        assert browser.post(f"{here}/lewati", data={"number": 2, "skipped": 1}).status_code == 404
        assert browser.post(f"{here}/instansi", data={"text": "x"}).status_code == 404
    assert latest().state is State.DRAFT
    assert admin.get(here).status_code == 200


def test_names_in_any_script_are_kept_whole_and_set_apart(trainer: FlaskClient):
    factories.organisation("Puskesmas Melati")
    decomposed = "Zoe\u0308 <b>"
    text = f"Nama,E-mail,Instansi\n{decomposed},z@contoh.id,Puskesmas Melati\n"
    text += "\u202eسارة أحمد\u202c,s@contoh.id,Puskesmas Melati\n"
    answer = paste(trainer, text)
    names = [row.name for row in rows_of(latest())]
    assert names == ["Zo\u00eb <b>", "سارة أحمد"]
    page = trainer.get(answer.location).text
    assert "<bdi>Zoë &lt;b&gt;</bdi>" in page
    assert "<bdi>سارة أحمد</bdi>" in page
    assert "\u202e" not in page


def test_problem_rows_are_a_file_without_formulas(trainer: FlaskClient):
    paste(trainer, "Nama;E-mail\n=HYPERLINK(1);bukan\n+Ani;@b\n")
    text = trainer.get(f"/impor/{latest().public_id}/masalah").text
    assert "'=HYPERLINK(1)" in text
    assert "'+Ani" in text
    assert "'@b" in text
    assert ";=HY" not in text


def test_an_empty_sheet_to_fill_in_is_read_back(trainer: FlaskClient):
    for kind in ("xlsx", "csv"):
        with trainer.get(f"/impor/contoh/{kind}") as answer:
            data = answer.data
        assert upload(trainer, data, f"x.{kind}").status_code == 302
        assert [row.email for row in rows_of(latest())] == ["siti@contoh.id"]
    assert trainer.get("/impor/contoh/pdf").status_code == 404


def test_choices_that_are_not_whole_are_explained(trainer: FlaskClient):
    factories.organisation("Puskesmas Melati")
    factories.organisation("Puskesmas Melati Dua")
    paste(trainer, "Nama,E-mail,Instansi\nAni,ani@contoh.id,Klinik Melati\n")
    here = f"/impor/{latest().public_id}"
    for values, says in (
        ({}, "Pilih salah satu."),
        ({"choice": "baru"}, "Pilih jenis instansinya."),
        ({"choice": "lain"}, "Tulis nama instansinya."),
        ({"choice": "lain", "other": "PKM Melati"}, "belum cocok dengan tepat satu instansi"),
        ({"choice": "lain", "other": "Entah"}, "belum cocok dengan tepat satu instansi"),
    ):
        answer = trainer.post(f"{here}/instansi", data={"text": "Klinik Melati"} | values)
        assert answer.status_code == 422, values
        assert says in answer.text, values
    typed = {"text": "Klinik Melati", "choice": "lain", "other": "puskesmas melati"}
    assert trainer.post(f"{here}/instansi", data=typed).location == here
    assert "1 orang siap" in trainer.get(here).text
    # What was settled meanwhile is not asked again; what nobody wrote is not there.
    assert trainer.post(f"{here}/instansi", data=typed).location == here
    long = trainer.post(
        f"{here}/baris/2", data={"name": "x" * 121, "email": "", "organisation": ""}
    )
    assert long.status_code == 422
    assert trainer.get(f"{here}/baris/9").status_code == 404
    assert trainer.post(f"{here}/lewati", data={"number": "9", "skipped": "1"}).status_code == 404
    assert trainer.post(f"{here}/lewati", data={"number": "x", "skipped": "1"}).status_code == 404


def test_only_an_administrator_makes_a_name_remembered(
    trainer: FlaskClient, sign_in: Callable[[Person], FlaskClient]
):
    clinic = factories.organisation("Puskesmas Melati").public_id
    text = "Nama,E-mail,Instansi\nAni,ani@contoh.id,PKM Melati\n"
    typed = {"text": "PKM Melati", "choice": clinic, "remember": "y"}
    admin = sign_in(factories.person("admin"))
    for browser, asked_again in ((trainer, True), (admin, False)):
        paste(browser, text)
        here = f"/impor/{latest().public_id}"
        assert "Instansi yang perlu Anda tentukan" in browser.get(here).text
        assert browser.post(f"{here}/instansi", data=typed).location == here
        paste(browser, text)
        page = browser.get(f"/impor/{latest().public_id}").text
        assert ("Instansi yang perlu Anda tentukan" in page) is asked_again


def test_long_sheets_are_paged_and_filtered(trainer: FlaskClient):
    factories.organisation("Puskesmas Melati")
    lines = "".join(f"Orang {n},orang{n}@contoh.id,Puskesmas Melati\n" for n in range(120))
    paste(trainer, f"Nama,E-mail,Instansi\n{lines},kosong@contoh.id,Puskesmas Melati\n")
    here = f"/impor/{latest().public_id}"
    first, second = trainer.get(here).text, trainer.get(f"{here}?hal=2").text
    assert first.count("<tr id=") == 50
    assert "51–100 dari 121" in second
    asked = trainer.get(f"{here}?tampil=ask").text
    assert asked.count("<tr id=") == 1
    assert "kosong@contoh.id" in asked
    assert "Tidak ada baris seperti ini." in trainer.get(f"{here}?tampil=skipped").text
    trainer.post(f"{here}/kirim")
    assert "51–100 dari 121" in trainer.get(f"{here}?hal=2").text


def test_a_class_that_is_prepared_takes_nobody_yet(
    sign_in: Callable[[Person], FlaskClient], app: Flask
):
    draft = factories.cohort(slug="nanti", starts_on=date(2030, 1, 1), ends_on=date(2030, 1, 2))
    from lms.cohorts.models import ClassState
    from lms.core.db import unit_of_work

    with unit_of_work():
        db.session.get_one(Cohort, draft.id).state = ClassState.DRAFT
    admin = sign_in(factories.person("admin"))
    assert admin.get("/angkatan/nanti/peserta/impor").status_code == 302
    assert "masih disiapkan" in admin.get("/").text
