"""The file somebody takes along: everything of theirs, no secret, nobody else."""

import io
import json
import zipfile
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from lms.accounts.models import Person
from lms.core.db import db
from lms.core.models import AuditEvent, Mail
from lms.privacy import data_map, export
from lms.privacy.data_map import MAP, Kind
from tests import copies, factories
from tests.privacy.world import canary, fill

Enter = Callable[[Person], FlaskClient]


def _two() -> tuple[Person, Person]:
    ani = factories.person(name="Ani Kenari", email="ani@contoh.test")
    budi = factories.person(name="Budi Rahasia", email="budi@contoh.test")
    return ani, budi


def _unpack(body: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(body)) as packed:
        assert packed.testzip() is None
        return {name: packed.read(name) for name in packed.namelist()}


def _written(person_id: int) -> dict[str, bytes]:
    with export.write(person_id, now=factories.NOW) as file:
        return _unpack(file.read())


def test_every_owned_table_is_in_the_map():
    named = {table.name for table, _column in copies.owned()} | copies.LEFT_OUT
    assert named <= {entry.name for entry in data_map.owned()}


@pytest.mark.both
def test_export_holds_each_own_canary_and_nobody_elses(app: Flask):
    ani, budi = _two()
    a, b = (ani.id, ani.email), (budi.id, budi.email)
    fill("ani", a, b[0], 1)
    fill("budi", b, a[0], 2)
    with app.test_request_context():
        files = _written(a[0])
    everything = "\n".join(body.decode() for name, body in files.items() if name[-4:] != ".pdf")
    tables = {
        name: rows
        for path, body in files.items()
        if path.startswith("data/")
        for name, rows in json.loads(body).items()
    }
    for entry in data_map.owned():
        assert tables[entry.name]["rows"], entry.name
        for column in entry.exported:
            planted = canary("ani", entry.name, column)
            text = entry.columns[column] in {Kind.TEXT, Kind.IDENTITY} and entry.name != "person"
            if text and column not in {"to"}:
                assert planted in everything, planted
        for column in [*entry.of_kind(Kind.SEALED), *entry.withheld]:
            assert canary("ani", entry.name, column) not in json.dumps(tables[entry.name])
    for foreign in ("kenari-budi", "Budi Rahasia", "budi@contoh.test"):
        assert foreign not in everything
    assert "Ani Kenari" in everything  # the positive control
    assert "ani@contoh.test" in everything
    assert tables["evidence"]["rows"][0]["assessor_id"] == "penilai"
    assert tables["deletion"]["rows"][0]["person_id"] == "Anda"
    papers = [body for name, body in files.items() if name.startswith("sertifikat/")]
    assert papers == [canary("ani", "document", "body").encode()]


def test_a_cut_is_told(app: Flask, monkeypatch: pytest.MonkeyPatch):
    ani, budi = _two()
    a, b = (ani.id, ani.email), budi.id
    fill("ani", a, b, 1)
    monkeypatch.setattr(export, "MOST", 0)
    with app.test_request_context():
        files = _written(a[0])
    found = json.loads(files["data/competency.json"])["evidence"]
    assert found["rows"] == []
    assert found["cut_off_after"] == 0


def test_the_password_is_asked_again(sign_in: Enter):
    ani, _budi = _two()
    ani_id = ani.id
    browser = sign_in(ani)
    page = browser.get("/akun/data")
    assert page.status_code == 200
    assert page.text.count('name="password"') == 2  # nothing to withdraw on paper
    wrong = browser.post("/akun/data", data={"do": "export", "password": "bukan ini sama sekali"})
    assert wrong.status_code == 422
    assert "belum cocok" in wrong.text
    assert browser.post("/akun/data", data={"do": "", "password": "x"}).status_code == 422
    answer = browser.post("/akun/data", data={"do": "export", "password": factories.PASSWORD})
    assert answer.mimetype == "application/zip"
    assert "attachment" in answer.headers["Content-Disposition"]
    files = _unpack(answer.data)
    answer.close()
    assert {"index.html", "data/accounts.json"} <= files.keys()
    assert b"Ani Kenari" in files["index.html"]
    assert "password_hash" not in files["data/accounts.json"].decode()
    done = db.session.scalar(select(AuditEvent).where(AuditEvent.action == "privacy.export"))
    assert done is not None
    assert done.actor_id == ani_id
    told = db.session.scalar(select(Mail).where(Mail.to == "ani@contoh.test"))
    assert told is not None
    assert told.subject == "Pemberitahuan akun"


def test_a_person_who_guesses_is_slowed(sign_in: Enter):
    ani, _budi = _two()
    browser = sign_in(ani)
    for _try in range(12):
        answer = browser.post("/akun/data", data={"do": "export", "password": "tebakan panjang"})
    assert "Coba lagi dalam" in answer.text


def test_withheld_columns_have_a_reason_in_the_file(app: Flask):
    ani, budi = _two()
    a, b = (ani.id, ani.email), budi.id
    fill("ani", a, b, 1)
    with app.test_request_context():
        files = _written(a[0])
    found = json.loads(files["data/credentials.json"])["certificate_event"]
    assert found["not_given"] == {
        "reason_internal": MAP["certificate_event"].withheld_because,
    }
