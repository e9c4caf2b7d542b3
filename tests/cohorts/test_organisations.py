"""Organisations and their officers, through the browser's door."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from lms.accounts import services as accounts
from lms.accounts.models import Person
from lms.cohorts import labels, organisations
from lms.cohorts.models import Organisation, OrganisationKind, Part
from lms.cohorts.rules import Standing
from lms.core.db import db
from tests import factories


@pytest.fixture
def browser(app: Flask, sign_in: Callable[[Person], FlaskClient]) -> FlaskClient:
    return sign_in(factories.person("admin"))


def count() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(Organisation)) or 0


def test_everything_that_is_chosen_has_a_name(app: Flask):
    assert set(labels.KINDS) == set(OrganisationKind)
    assert set(labels.STANDINGS) == set(Standing)
    assert set(labels.PARTS) == {Part.TRAINER, Part.ASSESSOR, Part.SPEAKER}


def test_an_organisation_is_added_with_its_kind(browser: FlaskClient):
    page = browser.get("/admin/instansi").text
    assert "Belum ada instansi" in page
    for kind in ("Puskesmas", "Rumah sakit", "Kantor Urusan Agama", "UPTD PPA", "Kecamatan",
                 "Dinas Sosial", "Polsek", "Polres"):  # fmt: skip
        assert kind in page
    typed = {"name": "UPTD PPA Kota Contoh", "kind": "uptd_ppa", "city": "Kota Contoh"}
    assert browser.post("/admin/instansi", data=typed).location == "/admin/instansi"
    page = browser.get("/admin/instansi").text
    assert "Instansi tersimpan." in page
    assert "UPTD PPA Kota Contoh" in page


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"name": ""}, "Bagian ini perlu diisi."),
        ({"name": "x" * 121}, "Paling banyak 120 huruf."),
        ({"kind": "warung"}, "Pilih salah satu yang tersedia."),
        ({"name": "Sudah Ada"}, "Sudah ada instansi dengan nama ini."),
    ],
)
def test_a_sheet_that_is_not_whole_is_explained(
    browser: FlaskClient, values: dict[str, str], says: str
):
    factories.organisation("Sudah Ada")
    typed = {"name": "Polres", "kind": "polres", "city": "Kota <i>Contoh</i>"} | values
    answer = browser.post("/admin/instansi", data=typed)
    assert answer.status_code == 422
    assert says in answer.text
    assert 'value="Kota &lt;i&gt;Contoh&lt;/i&gt;"' in answer.text
    assert count() == 1


def test_an_organisation_is_corrected(browser: FlaskClient):
    one, other = factories.organisation("Salah Tulis"), factories.organisation("Lain")
    address = f"/admin/instansi/{one.public_id}"
    assert 'value="Salah Tulis"' in browser.get(address).text
    typed = {"name": "Benar", "kind": "rs", "city": "Kota Lain"}
    assert browser.post(address, data=typed).location == address
    page = browser.get(address).text
    assert "<h1>Benar</h1>" in page
    assert "Rumah sakit, Kota Lain" in page
    for values, says in (
        ({"name": other.name}, "Sudah ada instansi dengan nama ini."),
        ({"city": ""}, "Bagian ini perlu diisi."),
    ):
        answer = browser.post(address, data=typed | values)
        assert answer.status_code == 422
        assert says in answer.text
    assert organisations.get_organisation(one.public_id).name == "Benar"
    assert browser.get("/admin/instansi/tidak-ada").status_code == 404


def test_an_officer_is_appointed_and_dismissed(browser: FlaskClient):
    house = factories.organisation()
    officer = factories.person("speaker", email="petugas@contoh.test", name="Petugas Satu")
    address = f"/admin/instansi/{house.public_id}"
    unknown = browser.post(f"{address}/petugas", data={"email": "tidak@contoh.test"})
    assert unknown.status_code == 422
    assert "Belum ada akun dengan alamat ini." in unknown.text
    assert 'value="tidak@contoh.test"' in unknown.text
    appointed = browser.post(f"{address}/petugas", data={"email": "petugas@contoh.test"})
    assert appointed.location == address
    assert "Petugas Satu" in browser.get(address).text
    assert "agency" in accounts.roles_of(officer.id)
    end = {"person": officer.public_id}
    assert browser.post(f"{address}/petugas/akhiri", data=end).location == address
    assert organisations.list_officers(house.id) == []
    assert browser.post(f"{address}/petugas/akhiri", data=end).status_code == 404
    assert browser.post(f"{address}/petugas/akhiri", data={}).status_code == 404


def test_people_of_an_organisation_are_named(browser: FlaskClient):
    house, companion = factories.organisation(), factories.person(name="Maria <b>Ulfah</b>")
    factories.seat(companion, factories.cohort(), house)
    page = browser.get(f"/admin/instansi/{house.public_id}").text
    assert "Maria &lt;b&gt;Ulfah&lt;/b&gt;" in page
