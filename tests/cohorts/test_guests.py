"""Guest speakers: invited to one session, with a profile, files, and access that ends."""

import io
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from lms.accounts import services as accounts
from lms.accounts.models import Person
from lms.cohorts import invitations, services
from lms.cohorts import speakers as guests
from lms.cohorts.guests import rules
from lms.cohorts.models import Cohort, Guest, Invitation, Material, MaterialPiece, Part
from lms.core import clock
from lms.core.db import db, unit_of_work
from lms.core.http import FORM_AROUND_FILE
from lms.core.models import Mail
from tests import factories
from tests.cohorts import files
from tests.conftest import SqliteHome
from tests.races import race

SignIn = Callable[[Person], FlaskClient]
HERE = "/angkatan/melati"
PAGE = f"{HERE}/narasumber"
TODAY = clock.now().date()


@pytest.fixture
def melati(app: Flask) -> Cohort:
    """A class of yesterday and today."""
    return factories.cohort(
        slug="melati",
        starts_on=TODAY - timedelta(days=1),
        ends_on=TODAY,
        address="Jalan Melati 1",
        contact_name="Ibu Kontak",
        contact_phone="0812 3456 7890",
    )


def guest_of(cohort: Cohort, name: str = "Ibu Tamu", number: int = 1) -> Person:
    """Let somebody speak in the session of this number, from 0."""
    found = factories.person("speaker", name=name)
    factories.staff(found, cohort, Part.SPEAKER)
    person_id, cohort_id = found.id, cohort.id
    with unit_of_work():
        services.list_sessions(cohort_id)[number].speaker_id = person_id
    return db.session.get_one(Person, person_id)


def form_with_file(body: bytes, name: str, **fields: str) -> dict[str, object]:
    """Return a form as browsers send it, whole in memory."""
    mark = "batas-bagian"
    parts = [f'--{mark}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'
             for key, value in fields.items()]  # fmt: skip
    head = f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
    data = "".join([*parts, head]).encode() + body + f"\r\n--{mark}--\r\n".encode()
    return {"data": data, "content_type": f"multipart/form-data; boundary={mark}"}


def upload(browser: FlaskClient, body: bytes, name: str = "Materi K5.pdf") -> TestResponse:
    return browser.post(f"{PAGE}/materi", **form_with_file(body, name))


def end_access(cohort: Cohort, guest: Person, until: date) -> None:
    with unit_of_work():
        guests.set_access(cohort.id, guest.public_id, until, actor_id=guest.id, now=clock.now())


# What a guest sees


def test_a_guest_sees_the_own_session_the_place_and_the_agenda(melati: Cohort, sign_in: SignIn):
    guest, other = guest_of(melati), guest_of(melati, "Pak Lain", 2)
    learner = factories.person(name="Peserta Rahasia")
    factories.seat(learner, melati)
    browser = sign_in(guest)
    page = browser.get(PAGE).text
    assert "Lokakarya" in page
    assert "Uji observasi" not in page
    for words in ("Aula Dinas", "Jalan Melati 1", "Ibu Kontak", "0812 3456 7890"):
        assert words in page
    agenda = browser.get(f"{HERE}/agenda").text
    assert "Uji observasi" in agenda
    assert other.name in agenda
    for text in (page, agenda):
        assert learner.name not in text
    for closed in ("", "/hadir", "/undangan", "/observasi"):
        assert browser.get(f"{HERE}{closed}").status_code in {403, 404}
    foreign = factories.cohort(slug="mawar")
    assert browser.get("/angkatan/mawar/narasumber").status_code == 404
    assert browser.get("/angkatan/mawar/agenda").status_code == 404
    assert foreign.title not in browser.get("/angkatan").text


def test_guests_do_not_see_what_other_guests_leave(melati: Cohort, sign_in: SignIn):
    guest, other = guest_of(melati), guest_of(melati, "Pak Lain", 2)
    browser = sign_in(other)
    browser.post(f"{PAGE}/profil", data={"bio": "Profil Pak Lain."})
    upload(browser, files.GOOD["pdf"], "punya-lain.pdf")
    line = guests.list_files(melati.id)[0]
    mine = sign_in(guest)
    assert "punya-lain.pdf" not in mine.get(PAGE).text + mine.get(f"{HERE}/agenda").text
    assert "Profil Pak Lain." not in mine.get(f"{HERE}/agenda").text
    assert mine.get(f"{HERE}/materi/{line.public_id}").status_code == 404
    assert mine.post(f"{PAGE}/materi/{line.public_id}/hapus").status_code == 404
    assert browser.get(f"{HERE}/materi/{line.public_id}").status_code == 200


def test_people_of_the_class_read_profiles_and_take_files_along(melati: Cohort, sign_in: SignIn):
    guest, learner, trainer = guest_of(melati), factories.person(), factories.person("trainer")
    factories.seat(learner, melati)
    factories.staff(trainer, melati)
    browser = sign_in(guest)
    answer = browser.post(f"{PAGE}/profil", data={"bio": "Baris <b>satu</b>.\r\nBaris dua."})
    assert answer.location == PAGE
    assert "Baris &lt;b&gt;satu&lt;/b&gt;." in browser.get(PAGE).text
    assert upload(browser, files.GOOD["pptx"], "Materi K5.pptx").location == f"{PAGE}#materi"
    line = guests.list_files(melati.id)[0]
    for person in (learner, trainer, factories.person("admin")):
        page = sign_in(person).get(f"{HERE}/agenda").text
        assert "Baris &lt;b&gt;satu&lt;/b&gt;." in page
        assert "Materi K5.pptx" in page
        file = sign_in(person).get(f"{HERE}/materi/{line.public_id}")
        assert file.data == files.GOOD["pptx"]
        name = "attachment; filename*=UTF-8''Materi%20K5.pptx"
        assert file.headers["Content-Disposition"] == name
        assert file.headers["X-Content-Type-Options"] == "nosniff"
        assert file.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert file.headers["Content-Length"] == str(len(files.GOOD["pptx"]))
        assert file.mimetype.endswith("presentationml.presentation")
    stranger = sign_in(factories.person("trainer"))
    assert stranger.get(f"{HERE}/materi/{line.public_id}").status_code == 404
    foreign = factories.cohort(slug="mawar")
    factories.seat(learner, foreign)
    crossed = sign_in(learner).get(f"/angkatan/mawar/materi/{line.public_id}")
    assert crossed.status_code == 404


def test_a_profile_is_bounded(melati: Cohort, sign_in: SignIn):
    browser = sign_in(guest_of(melati))
    long = "x" * (rules.LONGEST_BIO + 1)
    refused = browser.post(f"{PAGE}/profil", data={"bio": long})
    assert refused.status_code == 422
    assert "Paling banyak 1000 huruf." in refused.text
    assert long in refused.text
    assert browser.post(f"{PAGE}/profil", data={"bio": long[:-1]}).status_code == 302


# Files


def test_a_file_of_the_largest_size_is_kept_whole_and_one_byte_more_is_refused(
    melati: Cohort, sign_in: SignIn
):
    guest = guest_of(melati)
    browser = sign_in(guest)
    body = b"%PDF-" + bytes(range(256)) * ((rules.LARGEST_FILE - 5) // 256 + 1)
    body = body[: rules.LARGEST_FILE]
    assert upload(browser, body).status_code == 302
    line = guests.list_files(melati.id)[0]
    assert line.size == rules.LARGEST_FILE
    assert browser.get(f"{HERE}/materi/{line.public_id}").data == body
    assert db.session.scalar(select(func.max(func.length(MaterialPiece.body)))) == guests.PIECE
    refused = upload(browser, body + b"x")
    assert refused.status_code == 422
    assert "Berkas paling besar 10 MiB." in refused.text
    far_beyond = upload(browser, body + bytes(FORM_AROUND_FILE))
    assert far_beyond.status_code == 413
    assert len(guests.list_files(melati.id)) == 1


def test_other_forms_stay_small(melati: Cohort, sign_in: SignIn):
    """The positive control: what a file may have, no other form may."""
    browser = sign_in(guest_of(melati))
    assert upload(browser, b"%PDF-" + bytes(600 * 1024)).status_code == 302
    assert browser.post(f"{PAGE}/profil", data={"bio": "x" * 600 * 1024}).status_code == 413


@pytest.mark.parametrize(
    ("name", "body", "says"),
    [
        ("a.html", b"<html>", "Pilih berkas PDF, PPTX, DOCX, ODP, PNG, atau JPG."),
        ("a.svg", b"<svg/>", "Pilih berkas PDF"),
        ("a.pdf", b"<html><script>1</script>", "Isi berkas tidak sesuai namanya."),
        ("a.png", files.GOOD["jpg"], "Isi berkas tidak sesuai namanya."),
        ("a.pdf", b"", "Berkas ini kosong."),
        ("a.docx", files.zipped("docx", ["word/vbaProject.bin"]), "memuat makro"),
        ("", b"", "Pilih berkasnya dulu."),
    ],
)
def test_a_file_that_is_refused_is_explained(
    melati: Cohort, sign_in: SignIn, name: str, body: bytes, says: str
):
    browser = sign_in(guest_of(melati))
    answer = upload(browser, body, name)
    assert answer.status_code == 422
    assert says in answer.text
    assert guests.list_files(melati.id) == []
    assert upload(browser, files.GOOD["pdf"]).status_code == 302


def test_five_files_and_no_more_until_one_goes(melati: Cohort, sign_in: SignIn):
    browser = sign_in(guest_of(melati))
    for number in range(5):
        assert upload(browser, files.GOOD["pdf"], f"berkas-{number}.pdf").status_code == 302
    refused = upload(browser, files.GOOD["pdf"])
    assert refused.status_code == 422
    assert "Sudah 5 berkas." in refused.text
    assert "Sudah ada 5 berkas." not in browser.get(PAGE).text
    chosen = guests.list_files(melati.id)[2]
    assert browser.post(f"{PAGE}/materi/{chosen.public_id}/hapus").location == f"{PAGE}#materi"
    assert upload(browser, files.GOOD["pdf"], "baru.pdf").status_code == 302
    names = [line.name for line in guests.list_files(melati.id)]
    assert names == ["berkas-0.pdf", "berkas-1.pdf", "baru.pdf", "berkas-3.pdf", "berkas-4.pdf"]
    pieces = db.session.scalar(select(func.count()).select_from(MaterialPiece))
    assert pieces == 5
    assert browser.post(f"{PAGE}/materi/{chosen.public_id}/hapus").status_code == 404


@pytest.mark.both
def test_uploads_at_once_never_make_six(bare_app: Flask):
    with bare_app.app_context():
        where = factories.cohort().id
        guest = factories.person("speaker").id

    def keep() -> object:
        with unit_of_work():
            return guests.add_file(
                where, guest, "a.pdf", io.BytesIO(files.GOOD["pdf"]), now=factories.NOW
            )

    results = race(bare_app, [keep] * 8)
    assert sum(isinstance(one, str) for one in results) == 5
    assert sum(isinstance(one, guests.TooManyFiles) for one in results) == 3
    with bare_app.app_context():
        assert sorted(db.session.scalars(select(Material.slot))) == [1, 2, 3, 4, 5]


@pytest.mark.both
def test_bytes_come_back_as_they_went_in(app: Flask):
    where, guest = factories.cohort().id, factories.person("speaker").id
    body = b"%PDF-" + bytes(range(256)) * 3000
    with unit_of_work():
        made = guests.add_file(where, guest, "a.pdf", io.BytesIO(body), now=factories.NOW)
    assert b"".join(guests.read_file(made)) == body
    assert list(guests.read_file("tidak-ada")) == []


# Access ends


def test_access_ends_after_its_last_day(melati: Cohort, sign_in: SignIn):
    guest, learner = guest_of(melati), factories.person()
    factories.seat(learner, melati)
    browser = sign_in(guest)
    upload(browser, files.GOOD["pdf"])
    line = guests.list_files(melati.id)[0]
    paths = [PAGE, f"{HERE}/agenda", f"{HERE}/agenda.ics", f"{HERE}/materi/{line.public_id}"]
    end_access(melati, guest, TODAY)  # by the clock of the class it may be tomorrow already
    end_access(melati, guest, TODAY + timedelta(days=1))
    assert [browser.get(path).status_code for path in paths] == [200] * 4
    assert melati.title in browser.get("/angkatan").text
    assert PAGE in browser.get("/").text
    end_access(melati, guest, TODAY - timedelta(days=1))
    for path in paths:
        answer = browser.get(path)
        assert answer.status_code == 410
        assert "Akses telah berakhir" in answer.text
        assert "Lokakarya" not in answer.text
    assert browser.post(f"{PAGE}/profil", data={"bio": "x"}).status_code == 410
    assert upload(browser, files.GOOD["pdf"]).status_code == 410
    assert browser.post(f"{PAGE}/materi/{line.public_id}/hapus").status_code == 410
    assert melati.title not in browser.get("/angkatan").text
    assert PAGE not in browser.get("/").text
    assert sign_in(learner).get(f"{HERE}/materi/{line.public_id}").status_code == 200


def test_by_rule_access_ends_two_weeks_after_the_class(app: Flask, sign_in: SignIn):
    for slug, days, status in (("melati", 13, 200), ("mawar", 16, 410)):
        on = TODAY - timedelta(days=days)
        where = factories.cohort(slug=slug, starts_on=on, ends_on=on)
        guest = guest_of(where)
        assert sign_in(guest).get(f"/angkatan/{slug}/narasumber").status_code == status


def test_who_also_trains_or_sits_there_stays_when_the_talk_is_over(melati: Cohort, sign_in: SignIn):
    guest = guest_of(melati)
    with unit_of_work():
        accounts.add_roles(guest.id, ["trainer"])
    factories.staff(guest, melati)
    end_access(melati, guest, TODAY - timedelta(days=3))
    browser = sign_in(guest)
    assert browser.get(f"{HERE}/agenda").status_code == 200
    assert browser.get(PAGE).status_code == 404


def test_the_list_of_classes_leads_where_one_may_go(melati: Cohort, sign_in: SignIn):
    """A trainer who only speaks in a class finds the page of guests, not a page that is closed."""
    someone = factories.person("trainer", "speaker")
    own = factories.cohort(slug="mawar")
    factories.staff(someone, own)
    factories.staff(someone, melati, Part.SPEAKER)
    browser = sign_in(someone)
    page = browser.get("/angkatan").text
    links = re.findall(r'href="(/angkatan/[^"]+)"', page)
    assert PAGE in links
    assert "/angkatan/mawar" in links
    assert HERE not in links
    assert f"{HERE}/hadir" not in links
    assert {browser.get(link).status_code for link in links} == {200}
    home = re.findall(r'href="(/angkatan/[^"]+)"', browser.get("/").text)
    assert HERE not in home


# Inviting


@pytest.fixture
def browser(app: Flask, sign_in: SignIn) -> FlaskClient:
    return sign_in(factories.person("admin", name="Sri Wahyuni"))


ADMIN = "/admin/angkatan/melati/narasumber"


def free(cohort: Cohort, number: int) -> str:
    return str(services.list_sessions(cohort.id)[number].id)


def test_a_guest_is_invited_to_one_session_and_speaks_there(melati: Cohort, browser: FlaskClient):
    entry = free(melati, 1)
    until = TODAY + timedelta(days=3)
    typed = {
        "email": "tamu@contoh.test",
        "name": "Dr. Tamu",
        "session": entry,
        "access_ends_on": until.isoformat(),
    }
    assert browser.post(ADMIN, data=typed).location == ADMIN
    page = browser.get(ADMIN).text
    link = re.search(r'value="http://127\.0\.0\.1:8000(/undangan/[\w-]+)"', page)
    assert link is not None
    letter = db.session.scalars(select(Mail)).one()
    assert letter.subject == "Undangan kelas"
    assert "Sesi Anda:" in letter.body
    assert "Your session:" in letter.body or letter.body.count("Sesi Anda:") == 2
    assert "Lokakarya" not in letter.body
    again = browser.post(ADMIN, data=typed)
    assert again.status_code == 422
    assert "Undangan yang sama masih terbuka." in again.text
    made = db.session.scalars(select(Invitation)).one()
    with unit_of_work():
        person = accounts.create_person(
            email="tamu@contoh.test",
            name="Dr. Tamu",
            password=factories.PASSWORD,
            roles=["speaker"],
            maker=factories.MAKER,
            now=factories.NOW,
        ).id
        invitations._take_place(db.session.get_one(Invitation, made.id), person, clock.now())
    found = guests.list_guests(services.get_cohort_by_slug("melati"), now=clock.now())
    assert [(one.name, one.sessions, one.until) for one in found] == [
        ("Dr. Tamu", (("Lokakarya", "Workshop"),), until)
    ]
    assert f'value="{entry}"' not in browser.get(ADMIN).text
    assert browser.post(ADMIN, data=typed | {"email": "lain@contoh.test"}).status_code == 422


def test_whoever_accepts_second_gets_no_session_of_somebody_else(melati: Cohort):
    entry = int(free(melati, 1))
    first, second = (factories.person("speaker").id for _ in range(2))
    for person in (first, second):
        with unit_of_work():
            guests.welcome(melati.id, person, session_id=entry, access_ends_on=None)
    assert services.list_sessions(melati.id)[1].speaker_id == first
    foreign = factories.cohort()
    with unit_of_work():
        guests.welcome(foreign.id, second, session_id=int(free(melati, 2)), access_ends_on=None)
    assert services.list_sessions(melati.id)[2].speaker_id is None


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"email": "tamu"}, "Tulis alamat e-mail lengkap"),
        ({"name": ""}, "Bagian ini perlu diisi."),
        ({"session": ""}, "Pilih satu sesi."),
        ({"session": "999"}, "Pilih salah satu yang tersedia."),
        ({"access_ends_on": "besok"}, "Tulis tanggal lengkap"),
    ],
)
def test_an_invitation_of_a_guest_that_is_not_whole_is_explained(
    melati: Cohort, browser: FlaskClient, values: dict[str, str], says: str
):
    typed = {"email": "t@contoh.test", "name": "T", "session": free(melati, 1)} | values
    answer = browser.post(ADMIN, data=typed)
    assert answer.status_code == 422
    assert says in answer.text
    assert db.session.scalar(select(func.count()).select_from(Invitation)) == 0


def test_the_organiser_prolongs_access_and_takes_files_away(
    melati: Cohort, browser: FlaskClient, sign_in: SignIn
):
    guest = guest_of(melati)
    own = sign_in(guest)
    upload(own, files.GOOD["pdf"])
    end_access(melati, guest, TODAY - timedelta(days=2))
    assert "Akses berakhir" in browser.get(ADMIN).text
    typed = {"person": guest.public_id, "until": (TODAY + timedelta(days=9)).isoformat()}
    assert browser.post(f"{ADMIN}/akses", data=typed).location == ADMIN
    assert own.get(PAGE).status_code == 200
    browser.post(f"{ADMIN}/akses", data=typed | {"until": ""})
    assert db.session.scalars(select(Guest)).one().access_ends_on is None
    browser.post(f"{ADMIN}/akses", data=typed | {"until": "besok"})
    assert "Tanggal belum terbaca." in browser.get(ADMIN).text
    trainer = factories.person("trainer")
    factories.staff(trainer, melati)
    for other in (trainer.public_id, "tidak-ada"):
        assert browser.post(f"{ADMIN}/akses", data=typed | {"person": other}).status_code == 404
    line = guests.list_files(melati.id)[0]
    path = f"/admin/angkatan/melati/materi/{line.public_id}/hapus"
    assert browser.post(path).location == ADMIN
    assert browser.post(path).status_code == 404
    assert guests.list_files(melati.id) == []


def test_a_guest_without_a_session_is_told_so(
    melati: Cohort, browser: FlaskClient, sign_in: SignIn
):
    guest = factories.person("speaker")
    factories.staff(guest, melati, Part.SPEAKER)
    assert "Belum punya sesi." in browser.get(ADMIN).text
    assert "Belum ada sesi" in sign_in(guest).get(PAGE).text


def test_an_upload_needs_its_token(make_app: Callable[..., Flask], sqlite_home: SqliteHome):
    """CSRF is read from a form larger than other forms may be, and still refused without token."""
    app = make_app()
    with app.app_context():
        where = factories.cohort(slug="melati", starts_on=TODAY, ends_on=TODAY)
        guest = guest_of(where)
        with unit_of_work():
            token = accounts.begin_session(db.session.merge(guest), now=datetime.now(UTC)).token
    browser = app.test_client()
    with browser.session_transaction() as session:
        session["_user_id"], session["_fresh"] = token, True
    body = b"%PDF-" + bytes(2**20)
    assert upload(browser, body).status_code == 400
    page = browser.get(PAGE).text
    csrf = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert csrf is not None
    sent = form_with_file(body, "a.pdf", csrf_token=csrf[1])
    answer = browser.post(f"{PAGE}/materi", **sent)
    assert answer.status_code == 302
