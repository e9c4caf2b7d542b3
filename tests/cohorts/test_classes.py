"""Classes, their people and the invitations into them, through the browser's door."""

import re
from collections.abc import Callable
from datetime import date

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from lms.accounts import services as accounts
from lms.accounts.models import Person
from lms.cohorts import services
from lms.cohorts.models import Conflict, Invitation, Part
from lms.core.db import db, unit_of_work
from lms.core.login import Viewer
from lms.core.models import Mail
from tests import factories
from tests.queries import counted

SignIn = Callable[[Person], FlaskClient]


@pytest.fixture
def admin(app: Flask) -> Person:
    return factories.person("admin", name="Sri Wahyuni", email="sri@contoh.test")


@pytest.fixture
def browser(sign_in: SignIn, admin: Person) -> FlaskClient:
    return sign_in(admin)


def count(model: type) -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(model)) or 0


def test_staff_is_added_from_accounts_and_ends(browser: FlaskClient):
    made = factories.cohort(slug="kota-contoh-1")
    rahma = factories.person("speaker", email="rahma@contoh.test", name="Rahma Yuliani")
    address = "/admin/angkatan/kota-contoh-1/tim"
    typed = {"email": "Rahma@contoh.test", "part": "trainer"}
    assert browser.post(address, data=typed).location.endswith("#tim")
    page = browser.get("/admin/angkatan/kota-contoh-1").text
    assert "Rahma Yuliani" in page
    assert accounts.roles_of(rahma.id) == ("speaker", "trainer")
    unknown = browser.post(address, data=typed | {"email": "tidak@contoh.test"})
    assert unknown.status_code == 422
    assert "Belum ada akun dengan alamat ini." in unknown.text
    assert 'value="tidak@contoh.test"' in unknown.text
    assert browser.post(address, data=typed | {"part": "staff"}).status_code == 422
    end = {"person": rahma.public_id, "part": "trainer"}
    assert browser.post(f"{address}/akhiri", data=end).location.endswith("#tim")
    assert services.list_staff(made.id) == []
    assert browser.post(f"{address}/akhiri", data=end).status_code == 404
    assert browser.post(f"{address}/akhiri", data=end | {"part": "x"}).status_code == 404


def test_conflicts_are_declared_between_people_of_the_class_only(browser: FlaskClient):
    made = factories.cohort(slug="kota-contoh-1")
    judge, speaker, companion = (factories.person() for _ in range(3))
    factories.staff(judge, made, Part.ASSESSOR)
    factories.staff(speaker, made, Part.SPEAKER)
    address = "/admin/angkatan/kota-contoh-1/benturan"
    assert (
        "Dapat dicatat setelah kelas punya penilai dan peserta"
        in browser.get("/admin/angkatan/kota-contoh-1").text
    )
    factories.seat(companion, made)
    typed = {
        "assessor": judge.public_id,
        "person": companion.public_id,
        "kind": "superior",
    }
    for bad in (
        {"assessor": speaker.public_id},
        {"person": factories.person().public_id},
        {"kind": "teman"},
    ):
        assert browser.post(address, data=typed | bad).status_code == 422
    assert count(Conflict) == 0
    assert browser.post(address, data=typed).location.endswith("#benturan")
    assert "Penilai adalah atasan langsung" in browser.get("/admin/angkatan/kota-contoh-1").text
    with pytest.raises(services.MayNotAssess):
        services.check_may_assess(judge.id, companion.id)
    assert browser.post(f"{address}/hapus", data=typed).location.endswith("#benturan")
    assert count(Conflict) == 0
    assert browser.post(f"{address}/hapus", data=typed).status_code == 404
    assert browser.post(f"{address}/hapus", data={}).status_code == 404


INVITED = {"email": "maria@contoh.test", "name": "Maria Ulfah", "role": "trainee"}


def test_a_new_link_is_shown_once(browser: FlaskClient):
    made, house = factories.cohort(slug="kota-contoh-1"), factories.organisation("Puskesmas A")
    address = "/admin/angkatan/kota-contoh-1"
    typed = INVITED | {"organisation": house.public_id}
    answer = browser.post(f"{address}/undangan", data=typed)
    assert answer.location == f"{address}#undangan"
    page = browser.get(address).text
    link = re.search(r'value="http://127\.0\.0\.1:8000(/undangan/[\w-]+)"', page)
    assert link is not None
    assert "Tautan pribadi untuk Maria Ulfah" in page
    assert link[1] not in browser.get(address).text
    assert "Terbuka" in page
    fresh = browser.application.test_client().get(link[1])
    assert fresh.status_code == 200
    assert made.title in fresh.text


def test_the_message_waits_in_the_outbox_in_both_languages_with_a_neutral_subject(
    browser: FlaskClient,
):
    made, house = factories.cohort(slug="kota-contoh-1"), factories.organisation("Puskesmas A")
    browser.post(
        "/admin/angkatan/kota-contoh-1/undangan", data=INVITED | {"organisation": house.public_id}
    )
    letter = db.session.scalars(select(Mail)).one()
    assert letter.to == "maria@contoh.test"
    assert letter.subject == "Undangan kelas"
    assert len(re.findall(r"http://127\.0\.0\.1:8000/undangan/[\w-]{43}", letter.body)) == 2
    for words in ("Sri Wahyuni", "Maria Ulfah", made.title, "Aula Dinas", "Puskesmas A"):
        assert letter.body.count(words) == 2
    assert "{link}" not in letter.body
    for loaded in ("kdrt", "kekerasan", "korban", "violence", "victim"):
        assert loaded not in (letter.subject + letter.body).lower()


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"email": "maria"}, "Tulis alamat e-mail lengkap"),
        ({"email": "maria@contoh.test\r\nBcc: x@y.id"}, "Tulis alamat e-mail lengkap"),
        ({"name": ""}, "Bagian ini perlu diisi."),
        ({"role": "admin"}, "Pilih salah satu yang tersedia."),
        ({"role": "agency"}, "Pilih salah satu yang tersedia."),
        ({"organisation": ""}, "Pilih instansi yang mengutus."),
        ({"organisation": "tidak-ada"}, "Pilih salah satu yang tersedia."),
    ],
)
def test_an_invitation_that_is_not_whole_is_explained(
    browser: FlaskClient, values: dict[str, str], says: str
):
    factories.cohort(slug="kota-contoh-1")
    house = factories.organisation().public_id
    typed = INVITED | {"organisation": house} | values
    answer = browser.post("/admin/angkatan/kota-contoh-1/undangan", data=typed)
    assert answer.status_code == 422
    assert says in answer.text
    assert count(Invitation) == count(Mail) == 0


def test_the_same_invitation_twice_and_a_seat_that_is_taken_are_refused(browser: FlaskClient):
    made, house = factories.cohort(slug="kota-contoh-1"), factories.organisation()
    address = "/admin/angkatan/kota-contoh-1/undangan"
    typed = INVITED | {"organisation": house.public_id}
    browser.post(address, data=typed)
    again = browser.post(address, data=typed)
    assert again.status_code == 422
    assert "Undangan yang sama masih terbuka." in again.text
    seated = factories.person(email="duduk@contoh.test")
    factories.seat(seated, made, house)
    taken = browser.post(address, data=typed | {"email": "duduk@contoh.test"})
    assert "Orang ini sudah punya kursi di kelas ini." in taken.text
    assert count(Invitation) == 1


def test_an_invitation_is_withdrawn_from_the_page_of_the_class(browser: FlaskClient):
    factories.cohort(slug="kota-contoh-1")
    house = factories.organisation()
    address = "/admin/angkatan/kota-contoh-1"
    browser.post(f"{address}/undangan", data=INVITED | {"organisation": house.public_id})
    link = re.search(r"/undangan/[\w-]{43}", browser.get(address).text)
    action = re.search(r'action="(/angkatan/[^"]+/tarik)"', browser.get(address).text)
    assert link is not None
    assert action is not None
    assert browser.post(action[1], data={"back": "kelas"}).location == address
    assert "Undangan ditarik." in browser.get(address).text
    assert browser.application.test_client().get(link[0]).status_code == 410
    browser.post(action[1], data={"back": "kelas"})
    page = browser.get(address).text
    assert "Undangan ini sudah tidak terbuka" in page
    assert action[1] not in page


def test_a_trainer_invites_companions_into_an_own_class(sign_in: SignIn, admin: Person):
    made, house = factories.cohort(slug="kota-contoh-1"), factories.organisation()
    trainer = factories.person("trainer", name="Rahma Yuliani")
    factories.staff(trainer, made)
    browser, address = sign_in(trainer), "/angkatan/kota-contoh-1/undangan"
    page = browser.get(address).text
    assert 'type="hidden" name="role" value="trainee"' in page
    typed = INVITED | {"organisation": house.public_id}
    assert browser.post(address, data=typed).location == address
    page = browser.get(address).text
    assert "Tautan pribadi untuk Maria Ulfah" in page
    for role in ("trainer", "assessor", "speaker", "admin"):
        refused = browser.post(address, data=typed | {"role": role, "email": "x@y.id"})
        assert refused.status_code == 422
    assert count(Invitation) == 1
    action = re.search(r'action="(/angkatan/[^"]+/tarik)"', page)
    assert action is not None
    assert browser.post(action[1], data={"back": ""}).location == address
    assert "Ditarik" in browser.get(address).text


def test_a_trainer_sees_no_invitation_of_staff(sign_in: SignIn, browser: FlaskClient):
    made, house = factories.cohort(slug="kota-contoh-1"), factories.organisation()
    trainer = factories.person("trainer")
    factories.staff(trainer, made)
    typed = INVITED | {"organisation": house.public_id}
    address = "/admin/angkatan/kota-contoh-1/undangan"
    browser.post(address, data=typed | {"role": "assessor", "email": "penilai@contoh.test"})
    browser.post(address, data=typed)
    page = sign_in(trainer).get("/angkatan/kota-contoh-1/undangan").text
    assert "maria@contoh.test" in page
    assert "penilai@contoh.test" not in page
    line = db.session.scalars(select(Invitation).order_by(Invitation.id)).first()
    assert line is not None
    path = f"/angkatan/kota-contoh-1/undangan/{line.public_id}/tarik"
    assert sign_in(trainer).post(path).status_code == 404
    everything = browser.get("/angkatan/kota-contoh-1/undangan").text
    assert "penilai@contoh.test" in everything


def test_a_foreign_class_is_not_there(sign_in: SignIn, admin: Person):
    own, foreign = factories.cohort(slug="milik-sendiri"), factories.cohort(slug="milik-lain")
    house = factories.organisation().public_id
    trainer, judge = factories.person("trainer"), factories.person("trainer", "assessor")
    factories.staff(trainer, own)
    factories.staff(judge, foreign, Part.ASSESSOR)
    typed = INVITED | {"organisation": house}
    for person in (trainer, judge):
        browser = sign_in(person)
        assert browser.get("/angkatan/milik-lain/undangan").status_code == 404
        assert browser.post("/angkatan/milik-lain/undangan", data=typed).status_code == 404
    assert count(Invitation) == 0
    sign_in(admin).post("/admin/angkatan/milik-lain/undangan", data=typed)
    line = db.session.scalars(select(Invitation)).one().public_id
    for slug in ("milik-sendiri", "milik-lain"):
        path = f"/angkatan/{slug}/undangan/{line}/tarik"
        assert sign_in(trainer).post(path).status_code == 404
    assert sign_in(trainer).get("/admin/angkatan/milik-sendiri").status_code == 403


def test_addresses_of_classes_that_are_not_there_are_not_found(browser: FlaskClient):
    for path in ("", "/ubah", "/jadwal/1"):
        assert browser.get(f"/admin/angkatan/tidak-ada{path}").status_code == 404
    for path in ("/tim", "/tim/akhiri", "/benturan", "/benturan/hapus", "/undangan"):
        assert browser.post(f"/admin/angkatan/tidak-ada{path}").status_code == 404
    assert browser.get("/angkatan/tidak-ada/undangan").status_code == 404


def test_people_without_a_class_are_invited_by_the_administrator(browser: FlaskClient):
    house = factories.organisation("Polres Contoh")
    page = browser.get("/admin/undangan").text
    assert '<option value="reviewer">' in page
    assert '<option value="trainee">' not in page
    typed = {"email": "petugas@contoh.test", "name": "Petugas", "role": "agency"}
    missing = browser.post("/admin/undangan", data=typed | {"organisation": ""})
    assert missing.status_code == 422
    assert "Pilih instansi yang mengutus." in missing.text
    alone = browser.post("/admin/undangan", data=typed | {"organisation": house.public_id})
    assert alone.status_code == 422
    assert "Tulis siapa yang menjamin petugas ini." in alone.text
    word = {"vouched_by": "Bu Kepala", "letter": "800/9", "letter_on": "2026-03-01"}
    browser.post("/admin/undangan", data=typed | word | {"organisation": house.public_id})
    page = browser.get("/admin/undangan").text
    assert "Tautan pribadi untuk Petugas" in page
    assert "Polres Contoh" in page
    author = {"email": "penulis@contoh.test", "name": "Penulis", "role": "author"}
    assert browser.post("/admin/undangan", data=author | {"organisation": ""}).status_code == 302
    action = re.search(
        r'action="(/admin/undangan/[^"]+/tarik)"', browser.get("/admin/undangan").text
    )
    assert action is not None
    assert browser.post(action[1]).location == "/admin/undangan"
    assert "Ditarik" in browser.get("/admin/undangan").text
    assert browser.post("/admin/undangan/tidak-ada/tarik").status_code == 404


def test_all_invitations_are_paged(browser: FlaskClient, admin: Person):
    for n in range(53):
        typed = {"email": f"p{n:02}@contoh.test", "name": "P", "role": "author"}
        browser.post("/admin/undangan", data=typed | {"organisation": ""})
    first = browser.get("/admin/undangan").text
    assert first.count('<th scope="row">') == 50
    following = re.search(r'href="(/admin/undangan\?sebelum=\d+)" rel="next"', first)
    assert following is not None
    second = browser.get(following[1]).text
    assert second.count('<th scope="row">') == 3
    assert "p00@contoh.test" in second
    assert browser.get("/admin/undangan?sebelum=bukan-angka").status_code == 200


def test_the_page_of_a_class_asks_the_same_for_five_people_and_for_twenty_five(
    browser: FlaskClient, admin: Person
):
    made, house = factories.cohort(slug="kota-contoh-1"), factories.organisation()
    factories.staff(factories.person("assessor"), made, Part.ASSESSOR)
    counts = []
    for more in (5, 20):
        for _ in range(more):
            companion = factories.person()
            factories.seat(companion, made, house)
            typed = {"email": companion.email + "x", "name": "P", "role": "trainee"}
            browser.post(
                "/admin/angkatan/kota-contoh-1/undangan",
                data=typed | {"organisation": house.public_id},
            )
        browser.get("/admin/angkatan/kota-contoh-1")  # takes the new link away
        with counted() as asked:
            browser.get("/admin/angkatan/kota-contoh-1")
        counts.append(len(asked))
    assert counts[0] == counts[1] <= 10


def test_a_class_without_trainer_is_the_administrators_to_invite(admin: Person):
    made = factories.cohort()
    viewer = Viewer(admin.id, "x", "Sri", frozenset({"admin"}), "id", "t")
    assert services.get_cohort_to_invite(made.slug, viewer).id == made.id


def test_a_letter_speaks_the_inviters_language_first_and_the_other_after(
    app: Flask, sign_in: SignIn
):
    factories.cohort(slug="satu-hari", ends_on=date(2026, 3, 20))
    house = factories.organisation().public_id
    typed = INVITED | {"organisation": house}
    path = "/admin/angkatan/satu-hari/undangan"
    for locale, email in (("id", "a@contoh.test"), ("en", "b@contoh.test")):
        admin = factories.person("admin")
        with unit_of_work():
            accounts.set_locale(admin.id, locale)
        sign_in(admin).post(path, data=typed | {"email": email})
    indonesian, english = db.session.scalars(select(Mail).order_by(Mail.id))
    assert (indonesian.subject, english.subject) == ("Undangan kelas", "Class invitation")
    first, second = indonesian.body.split("-" * 40)
    assert first.startswith("Salam, Maria Ulfah.")
    assert "Tatap muka: 20 Maret 2026\n" in first
    assert "20 March 2026\n" in second
    assert english.body.split("-" * 40)[1].strip().startswith("Salam, Maria Ulfah.")
