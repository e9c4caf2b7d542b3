"""Pages of the chain of trainers."""

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from lms.accounts.models import Person
from lms.cohorts.models import Cohort
from lms.core.db import db
from lms.lineage.models import OutsideTraining, TrainingClosure
from tests import factories
from tests.lineage import world

SignIn = Callable[[Person], FlaskClient]


def test_a_trainer_sees_own_classes_and_what_follows(sign_in: SignIn) -> None:
    trainer = factories.person("trainer", name="Bu Pelatih")
    one, *rest = world.people(8)
    first = world.held([trainer.id], [one, *rest[:5]], 0)
    world.held([one], rest[5:], 30)
    browser = sign_in(trainer)
    page = browser.get("/silsilah").text
    slug = db.session.get_one(Cohort, first).slug
    assert f"/angkatan/{slug}/silsilah" in page
    assert f"Melatih lagi: {db.session.get_one(Person, one).name}" in page
    assert "disembunyikan" in page  # two people in the class that follows
    own = browser.get(f"/angkatan/{slug}/silsilah")
    assert own.status_code == 200
    stranger = sign_in(factories.person("trainer"))
    assert stranger.get(f"/angkatan/{slug}/silsilah").status_code == 404
    assert "Belum ada kelas" in stranger.get("/silsilah").text
    assert stranger.get(f"/silsilah/orang/{trainer.public_id}").status_code == 403
    assert stranger.get("/silsilah/versi").status_code == 403


def test_an_administrator_finds_somebody_and_writes_down_who_trained_them(sign_in: SignIn) -> None:
    boss, trainer = factories.person("speaker", name="Bu Narasumber"), factories.person("trainer")
    world.held([boss.id], [trainer.id], 0)
    browser = sign_in(factories.person("admin"))
    assert "Bu Narasumber" in browser.get("/silsilah?cari=narasumber").text
    assert "Bu Narasumber" not in browser.get("/silsilah?cari=entah").text
    assert browser.get("/silsilah?hal=9").status_code == 404
    page = f"/silsilah/orang/{trainer.public_id}"
    given = {
        "trainer_name": "Bu Narasumber",
        "trainer_email": boss.email,
        "place": "Jakarta",
        "year": "2019",
        "curriculum": "K1",
        "version": "v0",
    }
    assert browser.post(f"{page}/luar", data=given).status_code == 302
    assert "Oleh Bu Narasumber, 2019" in browser.get(page).text
    assert "sudah ada" in browser.post(f"{page}/luar", data=given).text
    back = given | {"trainer_email": trainer.email}
    circle = browser.post(f"/silsilah/orang/{boss.public_id}/luar", data=back)
    assert circle.status_code == 422
    assert "Periksa siapa melatih siapa" in circle.text
    nobody = browser.post(f"{page}/luar", data=given | {"trainer_email": "tidak@contoh.test"})
    assert "Belum ada akun" in nobody.text
    assert browser.post(f"{page}/luar", data=given | {"year": "19"}).status_code == 422
    [noted] = db.session.scalars(select(OutsideTraining)).all()
    browser.post(f"/silsilah/luar/{noted.public_id}/hapus")
    db.session.rollback()
    assert not db.session.scalars(select(TrainingClosure)).all()


@pytest.mark.parametrize("asked", ["K1|v1", "K1%7Cv1"])
def test_the_people_downstream_of_a_version_as_page_and_file(sign_in: SignIn, asked: str) -> None:
    boss, one, *rest = world.people(5)
    world.held([boss], [one], 0, version="v1")
    world.held([one], rest, 30, version="v2")
    browser = sign_in(factories.person("admin"))
    assert "Unduh" not in browser.get("/silsilah/versi").text
    page = browser.get(f"/silsilah/versi?versi={asked}").text
    assert "4 orang di 2 kelas" in page
    sheet = browser.get(f"/silsilah/versi.csv?versi={asked}").text
    assert sheet.count("@contoh.test") == 4
    assert browser.get("/silsilah/versi.csv").status_code == 404
    assert browser.get(f"/silsilah/versi?versi={asked}&hal=2").status_code == 404
