"""The notice: asked at joining, asked again when it changes, never ticked beforehand."""

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from lms.accounts.models import Person
from lms.cohorts import invitations
from lms.config import CONTENT
from lms.core import clock
from lms.core.content import Unreadable
from lms.core.db import db, unit_of_work
from lms.privacy import consent, notice
from lms.privacy.models import Answer, Consent
from tests import factories
from tests.factories import NOW, PASSWORD
from tests.queries import watched

Enter = Callable[[Person], FlaskClient]
SHEET = {
    "name": "Baru Sekali",
    "password": "sungai lebar sekali 9",
    "again": "sungai lebar sekali 9",
}


@pytest.fixture
def asking(app: Flask) -> Iterator[Flask]:
    """The application as an installation has it: consent is asked."""
    before = app.extensions["suluh"]
    app.extensions["suluh"] = dataclasses.replace(before, consent="asked")
    yield app
    app.extensions["suluh"] = before


def _invite() -> str:
    admin = factories.person("admin").id
    with unit_of_work():
        return invitations.invite(
            email="baru@contoh.test", name="Baru Sekali", roles=["author"], cohort_id=None,
            organisation_id=None, created_by=admin, base_url="http://localhost",
            subject="Undangan", body="{link}", now=clock.now(),
        ).token  # fmt: skip


def _consents() -> list[Consent]:
    return list(db.session.scalars(select(Consent).order_by(Consent.id)))


def test_joining_asks_and_writes_down(asking: Flask, client: FlaskClient):
    token = _invite()
    page = client.get(f"/undangan/{token}").text
    assert 'name="agree"' in page
    assert "checked" not in page
    assert "/privasi/pemberitahuan" in page
    refused = client.post(f"/undangan/{token}", data=SHEET)
    assert refused.status_code == 422
    assert "Beri tanda bila Anda setuju" in refused.text
    assert _consents() == []
    assert client.post(f"/undangan/{token}", data=SHEET | {"agree": "y"}).location == "/"
    (found,) = _consents()
    assert (found.kind, found.place, found.version) == (Answer.GIVEN, "invitation", 1)
    assert found.digest == notice.load(CONTENT).digest
    assert client.get("/").status_code == 200  # not asked again


def test_consent_on_paper_asks_nobody(app: Flask, client: FlaskClient, sign_in: Enter):
    token = _invite()
    assert 'name="agree"' not in client.get(f"/undangan/{token}").text
    assert client.post(f"/undangan/{token}", data=SHEET).location == "/"
    assert _consents() == []
    assert sign_in(factories.person()).get("/").status_code == 200


def test_who_joined_before_is_asked_once(asking: Flask, sign_in: Enter):
    ani = factories.person()
    browser = sign_in(ani)
    asked = browser.get("/kompetensi?a=1")
    assert asked.location == "/privasi/persetujuan?next=/kompetensi?a%3D1"
    page = browser.get(asked.location).text
    assert "checked" not in page
    for path in ("/bantuan", "/aman", "/privasi", "/privasi/pemberitahuan", "/akun/data",
                 "/privasi/data", "/healthz"):  # fmt: skip
        assert browser.get(path).status_code == 200, path
    refused = browser.post("/privasi/persetujuan", data={"next": "/kompetensi"})
    assert refused.status_code == 422
    sent = {"next": "/kompetensi", "agree": "y"}
    assert browser.post("/privasi/persetujuan", data=sent).location == "/kompetensi"
    assert browser.get("/kompetensi").status_code == 200
    browser.post("/privasi/persetujuan", data=sent)
    assert len(_consents()) == 1  # once, however often it is sent
    assert "/akun/data" in browser.get("/akun").text
    assert "Setuju" in browser.get("/akun/data").text
    assert browser.post("/akun/akhiri-sesi").location == "/masuk"


def test_it_leads_nowhere_else(asking: Flask, sign_in: Enter):
    sent = {"next": "https://jahat.test/", "agree": "y"}
    answer = sign_in(factories.person()).post("/privasi/persetujuan", data=sent)
    assert answer.location == "/"


def test_it_costs_one_query_a_session(asking: Flask, sign_in: Enter):
    ani = factories.person()
    with unit_of_work():
        consent.agree(ani.id, "sign-in", NOW)
    browser = sign_in(ani)
    with watched(db.engine) as first:
        assert browser.get("/kompetensi").status_code == 200
    with watched(db.engine) as second:
        assert browser.get("/kompetensi").status_code == 200
    assert len(first) == len(second) + 1


def test_writing_is_never_interrupted(asking: Flask, sign_in: Enter):
    """Only pages are turned away: an answer on its way is saved."""
    browser = sign_in(factories.person())
    name = browser.post("/akun/nama", data={"name": "Nama Lain"})
    assert name.location == "/akun"
    assert browser.get("/kompetensi", headers={"Accept": "application/json"}).status_code == 200


def test_a_new_notice_is_asked_at_the_next_sign_in(asking: Flask, sign_in: Enter, tmp_path: Path):
    ani = factories.person()
    ani_id = ani.id
    with unit_of_work():
        consent.agree(ani_id, "sign-in", NOW)
    old = sign_in(ani)
    assert old.get("/kompetensi").status_code == 200
    text = (CONTENT / notice.FILE).read_text().replace("version: 1", "version: 2")
    (tmp_path / notice.FILE).write_text(text)
    config = asking.extensions["suluh"]
    asking.extensions["suluh"] = dataclasses.replace(config, content_dir=tmp_path)
    assert not consent.has_agreed(ani_id)
    asking.extensions["suluh"] = config
    with unit_of_work():
        db.session.execute(Consent.__table__.update().values(digest="lain"))
    assert old.get("/kompetensi").status_code == 200  # the session goes on
    assert sign_in(db.session.get_one(Person, ani_id)).get("/kompetensi").status_code == 302


def test_a_broken_notice_is_told(tmp_path: Path):
    (tmp_path / notice.FILE).write_text("version: eins\n")
    with pytest.raises(Unreadable):
        notice.load(tmp_path)
    assert notice.load(tmp_path / "leer") == notice.load(CONTENT)
    assert notice.load(CONTENT).version >= 1


def test_both_languages(app: Flask, client: FlaskClient):
    assert "Siapa yang memakai data Anda" in client.get("/privasi/pemberitahuan").text
    client.post("/bahasa", data={"lang": "en", "next": "/"})
    assert "Who uses your data" in client.get("/privasi/pemberitahuan").text
    assert PASSWORD
