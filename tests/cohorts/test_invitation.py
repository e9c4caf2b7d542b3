"""The invitation page, through the browser's door."""

import logging
import re
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from lms.accounts import services as accounts
from lms.accounts.models import LoginSession, Person
from lms.cohorts import invitations, organisations
from lms.cohorts.models import Enrolment, Organisation
from lms.core import throttle
from lms.core.db import db, unit_of_work
from tests import factories

PASSWORD = factories.PASSWORD
SHEET = {"name": "Maria Ulfah, S.Psi.", "password": PASSWORD, "again": PASSWORD}
SignIn = Callable[[Person], FlaskClient]


def send(
    app: Flask,
    *,
    roles: tuple[str, ...] = ("trainee",),
    email: str = "maria@contoh.test",
    hours_ago: int = 0,
    outside: bool = False,
) -> str:
    """Invite somebody into a class; return the token."""
    cohort = None if outside else factories.cohort(title="Angkatan Contoh", zone="WITA").id
    house = factories.organisation("Puskesmas Melati").id
    admin = factories.person("admin", name="Sri Wahyuni").id
    with unit_of_work():
        return invitations.invite(
            email=email,
            name="Maria Ulfah",
            roles=list(roles),
            cohort_id=cohort,
            organisation_id=house,
            created_by=admin,
            base_url="http://127.0.0.1:8000",
            subject="Undangan kelas",
            body="{link}",
            now=datetime.now(UTC) - timedelta(hours=hours_ago),
        ).token


@pytest.fixture
def token(app: Flask) -> str:
    return send(app)


def maria() -> Person | None:
    db.session.rollback()
    return db.session.scalar(select(Person).where(Person.email == "maria@contoh.test"))


def seats() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(Enrolment)) or 0


def test_it_says_who_invites_to_what_and_what_is_done_with_the_data(
    client: FlaskClient, token: str
):
    answer = client.get(f"/undangan/{token}")
    assert answer.status_code == 200
    for words in (
        "Sri Wahyuni mengundang Anda.",
        "Angkatan Contoh",
        "20–21 Maret 2026",
        "Aula Dinas, Kota Contoh",
        "Puskesmas Melati",
        "Peserta",
        " WITA",
        "Data yang dipakai",
        "Data korban tidak pernah diminta",
        "Keluar cepat",
        'value="Maria Ulfah"',
        'value="maria@contoh.test"',
    ):
        assert words in answer.text, words
    assert "<title>Undangan – Suluh</title>" in answer.text


def test_accepting_makes_the_account_and_signs_in(client: FlaskClient, token: str):
    answer = client.post(f"/undangan/{token}", data=SHEET)
    assert answer.location == "/"
    found = maria()
    assert found is not None
    assert found.name == "Maria Ulfah, S.Psi."
    assert seats() == 1
    page = client.get("/akun")
    assert page.status_code == 200
    assert "Undangan diterima. Selamat datang." in page.text
    assert client.get_cookie("suluh-device") is None


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"name": "  "}, "Bagian ini perlu diisi."),
        ({"name": "x" * 121}, "Paling banyak 120 huruf."),
        ({"password": "pendek", "again": "pendek"}, "Gunakan 10 sampai 128 huruf."),
        ({"password": "maria ulfah 1", "again": "maria ulfah 1"}, "mudah ditebak"),
        ({"again": "sawah hijau luas 8"}, "Kedua kata sandi belum sama."),
    ],
)
def test_a_sheet_that_is_not_whole_keeps_what_was_typed_and_the_invitation(
    client: FlaskClient, token: str, values: dict[str, str], says: str
):
    answer = client.post(f"/undangan/{token}", data=SHEET | values)
    assert answer.status_code == 422
    assert says in answer.text
    assert f'value="{(SHEET | values)["name"].strip()}"' in answer.text
    assert PASSWORD not in answer.text
    assert maria() is None
    assert client.post(f"/undangan/{token}", data=SHEET).location == "/"


@pytest.mark.both
def test_a_double_click_makes_one_person_and_tells_the_second_kindly(bare_app: Flask):
    with bare_app.app_context():
        token = send(bare_app)
    barrier, answers = threading.Barrier(2), []

    def click() -> None:
        browser = bare_app.test_client()
        barrier.wait(10)
        answers.append(browser.post(f"/undangan/{token}", data=SHEET))

    threads = [threading.Thread(target=click) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answer.status_code for answer in answers) == [302, 410]
    late = next(answer for answer in answers if answer.status_code == 410)
    assert "Undangan ini sudah dipakai" in late.text
    with bare_app.app_context():
        people = select(func.count()).select_from(Person).where(Person.email.like("maria%"))
        assert db.session.scalar(people) == 1
        assert seats() == 1


def test_a_used_invitation_points_to_the_way_in(app: Flask, client: FlaskClient, token: str):
    client.post(f"/undangan/{token}", data=SHEET)
    for answer in (
        app.test_client().get(f"/undangan/{token}"),
        app.test_client().post(f"/undangan/{token}", data=SHEET),
        app.test_client().post(f"/undangan/{token}/akun", data={"password": PASSWORD}),
    ):
        assert answer.status_code == 410
        assert "Undangan ini sudah dipakai" in answer.text
        assert 'class="button" href="/masuk"' in answer.text
        assert "maria" not in answer.text.lower()


def test_an_old_invitation_asks_for_a_new_one(app: Flask, client: FlaskClient):
    token = send(app, hours_ago=73)
    answer = client.get(f"/undangan/{token}")
    assert answer.status_code == 410
    assert "Masa undangan ini sudah lewat" in answer.text
    assert "Minta undangan baru" in answer.text
    assert client.post(f"/undangan/{token}", data=SHEET).status_code == 410
    assert maria() is None


def test_a_withdrawn_invitation_says_so(app: Flask, client: FlaskClient, token: str):
    with unit_of_work():
        line = invitations.list_invitations(now=datetime.now(UTC))[0]
        invitations.withdraw(line.id, actor_id=1, now=datetime.now(UTC))
    answer = client.get(f"/undangan/{token}")
    assert answer.status_code == 410
    assert "Undangan ini ditarik kembali" in answer.text
    assert client.post(f"/undangan/{token}", data=SHEET).status_code == 410
    assert maria() is None


def test_an_unknown_link_is_explained(client: FlaskClient, token: str):
    for path in (f"/undangan/{token[:-1]}", "/undangan/tebakan", f"/undangan/{token.upper()}"):
        answer = client.get(path)
        assert answer.status_code == 404
        assert "Mungkin tautannya terpotong" in answer.text
    assert client.post("/undangan/tebakan", data=SHEET).status_code == 404
    assert client.post("/undangan/tebakan/akun", data={"password": "x"}).status_code == 404


def test_an_address_with_an_account_signs_in_and_accepts(client: FlaskClient, token: str):
    factories.person("speaker", email="maria@contoh.test")
    page = client.get(f"/undangan/{token}").text
    assert "Alamat ini sudah punya akun" in page
    assert f'action="/undangan/{token}/akun"' in page
    for typed, says in (("", "Bagian ini perlu diisi."), ("bukan ini", "Kata sandi belum cocok")):
        refused = client.post(f"/undangan/{token}/akun", data={"password": typed})
        assert refused.status_code == 422
        assert says in refused.text
    assert seats() == 0
    assert client.post(f"/undangan/{token}/akun", data={"password": PASSWORD}).location == "/"
    assert client.get("/akun").status_code == 200
    assert seats() == 1
    found = maria()
    assert found is not None
    assert accounts.roles_of(found.id) == ("speaker", "trainee")


def test_guessing_a_password_through_an_invitation_is_slowed_down(client: FlaskClient, token: str):
    factories.person("speaker", email="maria@contoh.test")
    for _ in range(throttle.FREE):
        client.post(f"/undangan/{token}/akun", data={"password": "tebakan panjang"})
    slowed = client.post(f"/undangan/{token}/akun", data={"password": PASSWORD})
    assert slowed.status_code == 422
    assert "Terlalu banyak percobaan" in slowed.text
    assert seats() == 0


def test_an_account_made_a_moment_ago_is_asked_for_its_password(client: FlaskClient, token: str):
    client.get(f"/undangan/{token}")
    factories.person("speaker", email="maria@contoh.test")
    answer = client.post(f"/undangan/{token}", data=SHEET)
    assert answer.status_code == 200
    assert "Alamat ini sudah punya akun" in answer.text
    assert seats() == 0


def test_the_right_account_accepts_with_one_button(sign_in: SignIn, token: str):
    browser = sign_in(factories.person("speaker", email="maria@contoh.test", name="Maria"))
    page = browser.get(f"/undangan/{token}").text
    assert "Anda sudah masuk sebagai Maria." in page
    assert f'action="/undangan/{token}/terima"' in page
    assert 'type="password"' not in page
    assert browser.post(f"/undangan/{token}/terima").location == "/"
    assert seats() == 1
    assert browser.post(f"/undangan/{token}/terima").status_code == 410


def test_another_account_is_told_whose_it_is_and_cannot_take_it(
    client: FlaskClient, sign_in: SignIn, token: str
):
    browser = sign_in(factories.person("speaker", name="Yohanes Bria"))
    page = browser.get(f"/undangan/{token}").text
    assert "Anda sedang masuk sebagai Yohanes Bria. Undangan ini untuk maria@contoh.test" in page
    assert 'action="/akun/akhiri-sesi"' in page
    assert browser.post(f"/undangan/{token}/terima").status_code == 404
    assert client.post(f"/undangan/{token}/terima").location == "/masuk"
    assert seats() == 0


@pytest.mark.parametrize("with_account", [False, True])
def test_the_token_stands_in_the_form_actions_and_nowhere_else(
    client: FlaskClient, token: str, with_account: bool
):
    if with_account:
        factories.person("speaker", email="maria@contoh.test")
    page = client.get(f"/undangan/{token}").text
    in_actions = re.findall(rf'action="/undangan/{token}(?:/\w+)?"', page)
    assert len(in_actions) == page.count(token) == 3  # to accept, to decline, to change language


def test_the_token_is_in_no_log_line_whatever_happens(
    app: Flask, client: FlaskClient, token: str, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.DEBUG)
    client.get(f"/undangan/{token}")
    client.post(f"/undangan/{token}", data={})
    client.post(f"/undangan/{token}/bahasa", data={"lang": "en"})
    client.post(f"/undangan/{token}", data=SHEET)
    client.get(f"/undangan/{token}")
    client.post(f"/undangan/{token}/akun", data={"password": "x"})
    assert token not in caplog.text


def test_the_token_is_in_no_address_another_site_could_see(client: FlaskClient, token: str):
    answer = client.get(f"/undangan/{token}")
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Robots-Tag"] == "noindex"


def test_the_language_changes_without_leaving_the_invitation(client: FlaskClient, token: str):
    answer = client.post(f"/undangan/{token}/bahasa", data={"lang": "en"})
    assert answer.location == f"/undangan/{token}"
    assert '<html lang="en">' in client.get(answer.location).text
    client.post(f"/undangan/{token}/bahasa", data={"lang": "xx"})
    assert '<html lang="en">' in client.get(answer.location).text
    client.post(f"/undangan/{token}", data=SHEET)
    found = maria()
    assert found is not None
    assert found.locale == "en"


def test_an_invitation_outside_a_class_names_no_class(app: Flask, client: FlaskClient):
    token = send(app, roles=("agency",), outside=True)
    page = client.get(f"/undangan/{token}").text
    assert "<h1>Undangan</h1>" in page
    assert "Tatap muka" not in page
    assert "Petugas instansi" in page
    client.post(f"/undangan/{token}", data=SHEET)
    house = db.session.scalars(select(Organisation)).one()
    assert len(organisations.list_officers(house.id)) == 1


def test_a_name_cannot_be_markup(app: Flask, client: FlaskClient, token: str):
    client.post(f"/undangan/{token}", data=SHEET | {"name": "<b>Maria</b>"})
    page = client.get("/akun").text
    assert "<b>Maria" not in page
    assert "&lt;b&gt;Maria&lt;/b&gt;" in page


def test_looking_at_an_invitation_writes_nothing(client: FlaskClient, token: str):
    def state() -> list[str]:
        db.session.rollback()
        connection = db.session.connection()
        return [
            str(row)
            for table in db.metadata.sorted_tables
            for row in connection.execute(table.select())
        ]

    before = state()
    client.get(f"/undangan/{token}")
    client.get("/undangan/tebakan")
    assert state() == before
    assert not db.session.scalars(select(LoginSession)).all()


def test_a_form_without_its_token_of_the_session_is_refused(make_app: Callable[..., Flask]):
    app = make_app()
    with app.app_context():
        token = send(app)
    browser = app.test_client()
    assert browser.post(f"/undangan/{token}", data=SHEET).status_code == 400
    page = browser.get(f"/undangan/{token}").text
    secret = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert secret is not None
    accepted: TestResponse = browser.post(
        f"/undangan/{token}", data=SHEET | {"csrf_token": secret[1]}
    )
    assert accepted.location == "/"
