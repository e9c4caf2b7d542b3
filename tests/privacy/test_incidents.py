"""The kit for an incident: clock, steps, letters, list."""

from collections.abc import Callable

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from lms.accounts.models import Person
from lms.core.db import db
from lms.core.models import AuditEvent
from lms.privacy.models import Incident
from tests import factories

Enter = Callable[[Person], FlaskClient]


def test_an_incident_from_begin_to_end(app: Flask, sign_in: Enter):
    browser = sign_in(factories.person("admin", name="Admin Satu"))
    factories.person(name="=Rumus Sekali", email="rumus@contoh.test")
    assert browser.get("/admin/insiden").status_code == 200
    for sent in ({"what": "", "hours": "0"}, {"what": "x", "hours": "-1"}):
        assert browser.post("/admin/insiden", data=sent).status_code == 422
    sent = {"what": "Cadangan tertinggal di komputer lain.", "hours": "30"}
    place = browser.post("/admin/insiden", data=sent).location
    page = browser.get(place).text
    assert "41 jam lagi" in page
    assert "41 jam lagi" in browser.get("/admin/insiden").text
    noted = {"step": "tell_people", "note": "Surat dikirim."}
    assert browser.post(place, data=noted).location == place
    assert browser.post(place, data={"step": "lain"}).status_code == 422
    page = browser.get(place).text
    assert "Surat dikirim." in page
    assert "Admin Satu" in page
    assert page.count("Sudah</span>") == 1
    for whom, word in (("people", "ganti kata sandi"), ("authority", "Jumlah orang")):
        assert word in browser.get(f"{place}/surat/{whom}").text
    assert browser.get(f"{place}/surat/lain").status_code == 404
    listed = browser.get(f"{place}/orang.csv")
    assert listed.mimetype == "text/csv"
    assert "rumus@contoh.test" in listed.text
    assert ";=Rumus" not in listed.text
    assert "\n=Rumus" not in listed.text
    browser.post(place, data={"close": "1"})
    assert "Tutup insiden" not in browser.get(place).text
    assert "Selesai" in browser.get("/admin/insiden").text
    actions = db.session.scalars(
        select(AuditEvent.action).where(AuditEvent.subject.startswith("incident:"))
    ).all()
    assert list(actions) == [
        "privacy.open_incident",
        "privacy.incident_step",
        "privacy.close_incident",
    ]


def test_too_late_is_said(app: Flask, sign_in: Enter):
    browser = sign_in(factories.person("admin"))
    place = browser.post("/admin/insiden", data={"what": "Lama", "hours": "80"}).location
    assert "Waktunya lewat" in browser.get(place).text
    assert "Lewat waktu" in browser.get("/admin/insiden").text


def test_only_the_office_may(app: Flask, sign_in: Enter):
    admin = sign_in(factories.person("admin"))
    place = admin.post("/admin/insiden", data={"what": "Sesuatu", "hours": "0"}).location
    trainer = sign_in(factories.person("trainer"))
    for path in ("/admin/insiden", place, f"{place}/orang.csv", f"{place}/surat/people"):
        assert trainer.get(path).status_code == 403
    assert admin.get("/admin/insiden/tidak-ada").status_code == 404
    assert len(db.session.scalars(select(Incident)).all()) == 1
