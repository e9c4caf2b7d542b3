"""Sign-in, the account page and people, through the browser's door."""

from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from werkzeug.test import TestResponse

from lms.accounts import services
from lms.accounts.door import DEVICE_COOKIE, safe_next
from lms.accounts.models import LoginSession, Person, PersonRole
from lms.core import throttle
from lms.core.db import db, unit_of_work
from lms.core.login import ROLES
from tests import factories
from tests.queries import counted

PASSWORD = factories.PASSWORD
SignIn = Callable[[Person], FlaskClient]


@pytest.fixture
def maria(app: Flask) -> Person:
    return factories.person("speaker", name="Maria Ulfah", email="maria@contoh.test")


def enter(browser: FlaskClient, password: str = PASSWORD, **values: str) -> TestResponse:
    return browser.post(
        "/masuk", data={"email": "maria@contoh.test", "password": password} | values
    )


def person(public_id: str) -> Person:
    db.session.expire_all()
    return services.get_person(public_id)


def roles_of(one: Person) -> set[str]:
    query = select(PersonRole.role).where(PersonRole.person_id == one.id)
    return set(db.session.scalars(query))


def test_an_empty_house_asks_for_its_administrator_first(client: FlaskClient):
    assert client.get("/masuk").location == "/mulai"
    assert "Kode dari terminal" in client.get("/mulai").text


def test_the_first_administrator_is_made_once(client: FlaskClient):
    with unit_of_work():
        code = services.new_setup_code(now=datetime.now(UTC))
    typed = {"name": "Sri", "email": "sri@contoh.test", "password": PASSWORD}
    wrong = client.post("/mulai", data=typed | {"code": "1234-1234-1234-1234"})
    assert wrong.status_code == 422
    assert "Kode belum cocok" in wrong.text
    assert 'value="sri@contoh.test"' in wrong.text
    weak = client.post("/mulai", data=typed | {"code": code, "password": "srisrisrisri"})
    assert weak.status_code == 422
    assert "mudah ditebak" in weak.text
    done = client.post("/mulai", data=typed | {"code": code})
    assert done.location == "/"
    assert client.get("/admin/orang").status_code == 200
    assert client.get("/mulai").location == "/masuk"
    assert client.post("/mulai", data=typed | {"code": code}).location == "/masuk"


def test_guessing_the_setup_code_is_slowed_down(client: FlaskClient):
    typed = {"name": "Sri", "email": "sri@contoh.test", "password": PASSWORD, "code": "1"}
    for _ in range(throttle.FREE):
        assert "Kode belum cocok" in client.post("/mulai", data=typed).text
    assert "Coba lagi dalam" in client.post("/mulai", data=typed).text


def test_signing_in_leads_to_where_one_wanted_to_go(client: FlaskClient, maria: Person):
    asked = client.get("/akun")
    assert asked.location == "/masuk?next=/akun"
    assert 'name="next" value="/akun"' in client.get(asked.location).text
    assert enter(client, next="/akun").location == "/akun"
    page = client.get("/akun")
    assert page.status_code == 200
    assert "maria@contoh.test" in page.text
    assert "Narasumber" in page.text


def test_a_shared_device_keeps_nothing_after_the_window(client: FlaskClient, maria: Person):
    answer = enter(client)
    cookies = answer.headers.getlist("Set-Cookie")
    session = next(one for one in cookies if one.startswith("suluh="))
    assert "HttpOnly" in session
    assert "SameSite=Lax" in session
    assert "Expires" not in session
    assert client.get_cookie(DEVICE_COOKIE) is None


def test_an_own_device_is_remembered_and_forgotten_again_on_request(
    client: FlaskClient, maria: Person
):
    answer = enter(client, device="own")
    session = next(one for one in answer.headers.getlist("Set-Cookie") if one.startswith("suluh="))
    assert "Expires" in session
    first = client.get_cookie(DEVICE_COOKIE)
    assert first is not None
    assert first.http_only
    assert enter(client, device="own").status_code == 302
    again = client.get_cookie(DEVICE_COOKIE)
    assert again is not None
    assert again.value == first.value
    enter(client, device="shared")
    assert client.get_cookie(DEVICE_COOKIE) is None


def test_a_wrong_password_says_so_and_keeps_the_address(client: FlaskClient, maria: Person):
    answer = enter(client, "bukan yang ini", device="own")
    assert answer.status_code == 422
    assert "Alamat atau kata sandi belum cocok" in answer.text
    assert 'value="maria@contoh.test"' in answer.text
    assert "bukan yang ini" not in answer.text
    assert '<input checked id="device-1"' in answer.text
    assert client.get("/akun").status_code == 302


def test_an_unknown_address_reads_the_same(client: FlaskClient, maria: Person):
    known = enter(client, "bukan yang ini")
    unknown = client.post("/masuk", data={"email": "tidak@contoh.test", "password": "bukan ini"})
    assert unknown.status_code == known.status_code
    assert unknown.text.replace("tidak@", "maria@") == known.text


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ({}, "Bagian ini perlu diisi."),
        ({"email": "   ", "password": "   "}, "Bagian ini perlu diisi."),
        ({"email": "maria", "password": "x"}, "Tulis alamat e-mail lengkap"),
        ({"email": "m@c.id", "password": "x" * 129}, "Paling banyak 128 huruf."),
        ({"email": "m@c.id", "password": "x", "device": "warnet"}, "Pilih salah satu"),
    ],
)
def test_a_sheet_that_is_not_whole_is_explained(
    client: FlaskClient, maria: Person, data: dict[str, str], says: str
):
    answer = client.post("/masuk", data=data)
    assert answer.status_code == 422
    assert says in answer.text
    assert "Not a valid" not in answer.text


def test_guessing_is_slowed_down_and_a_known_device_is_not(app: Flask, maria: Person):
    own, stranger = app.test_client(), app.test_client()
    enter(own, device="own")
    for _ in range(throttle.FREE):
        assert "belum cocok" in enter(stranger, "tebakan panjang").text
    slowed = enter(stranger)
    assert slowed.status_code == 422
    assert "Terlalu banyak percobaan. Coba lagi dalam" in slowed.text
    assert enter(own, device="own").status_code == 302


def test_guessing_on_a_remembered_device_is_slowed_down_on_that_device(app: Flask, maria: Person):
    """Whoever picks up her telephone gets no more tries than a stranger."""
    phone, laptop = app.test_client(), app.test_client()
    for browser in (phone, laptop):
        enter(browser, device="own")
    for _ in range(throttle.FREE):
        assert "belum cocok" in enter(phone, "tebakan panjang", device="own").text
    assert "Terlalu banyak percobaan" in enter(phone, device="own").text
    assert enter(laptop, device="own").status_code == 302


def test_trying_old_passwords_in_an_open_session_is_slowed_down(sign_in: SignIn, maria: Person):
    browser, new = sign_in(maria), "danau biru tenang 3"
    typed = {"old": "tebakan panjang", "new": new, "again": new}
    for _ in range(throttle.FREE):
        assert "belum cocok" in browser.post("/akun/kata-sandi", data=typed).text
    slowed = browser.post("/akun/kata-sandi", data=typed | {"old": PASSWORD})
    assert slowed.status_code == 422
    assert "Terlalu banyak percobaan" in slowed.text


@pytest.mark.parametrize(
    "target",
    [
        "https://jahat.test/",
        "//jahat.test",
        "/\\jahat.test",
        "/\t/jahat.test",
        "\\\\jahat.test",
        "javascript:alert(1)",
        "jahat.test",
        "",
    ],
)
def test_signing_in_never_leads_off_the_site(client: FlaskClient, maria: Person, target: str):
    assert enter(client, next=target).location == "/"


@given(st.text(alphabet=st.sampled_from("/\\:.@?#% \t\r\nae0http"), max_size=20) | st.text())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
def test_no_target_at_all_leads_off_the_site(app: Flask, target: str):
    with app.test_request_context():
        found = urlsplit(safe_next(target))
    assert (found.scheme, found.netloc) == ("", "")
    assert found.path.startswith("/")


def test_a_form_from_elsewhere_is_refused(make_app: Callable[..., Flask]):
    app = make_app()
    with app.app_context():
        factories.person("speaker", email="maria@contoh.test")
    browser = app.test_client()
    assert enter(browser).status_code == 400
    crossed = browser.post("/masuk", headers={"Sec-Fetch-Site": "cross-site"})
    assert crossed.status_code == 403


def test_the_session_cookie_is_fenced_on_https(make_app: Callable[..., Flask]):
    app = make_app(base_url="https://suluh.contoh.test")
    app.config["WTF_CSRF_ENABLED"] = False
    with app.app_context():
        factories.person("speaker", email="maria@contoh.test")
    answer = enter(app.test_client(), device="own")
    cookies = answer.headers.getlist("Set-Cookie")
    assert any(one.startswith("__Host-suluh=") and "; Secure;" in one for one in cookies)
    assert all("Secure" in one for one in cookies)


def test_ending_the_session_ends_it_on_the_server_too(app: Flask, sign_in: SignIn, maria: Person):
    browser = sign_in(maria)
    thief = app.test_client()
    with browser.session_transaction() as session:
        token = session["_user_id"]
    with thief.session_transaction() as session:
        session["_user_id"] = token
    assert thief.get("/akun").status_code == 200
    answer = browser.post("/akun/akhiri-sesi")
    assert answer.location == "/masuk"
    assert answer.headers["Clear-Site-Data"] == '"cache"'
    assert thief.get("/akun").location.startswith("/masuk")
    assert browser.get("/akun").location.startswith("/masuk")


def test_a_get_never_ends_a_session(sign_in: SignIn, maria: Person):
    browser = sign_in(maria)
    for path in ("/akun/akhiri-sesi", "/akun/akhiri-semua", "/keluar-cepat"):
        assert browser.get(path).status_code == 405
    assert browser.get("/akun").status_code == 200


def test_other_sessions_end_and_this_one_stays(sign_in: SignIn, maria: Person):
    here, there = sign_in(maria), sign_in(maria)
    assert here.post("/akun/akhiri-semua").location == "/akun"
    assert "Sesi di perangkat lain sudah diakhiri" in here.get("/akun").text
    assert there.get("/akun").status_code == 302


def test_a_name_is_kept_as_it_is_typed(sign_in: SignIn, maria: Person):
    browser = sign_in(maria)
    answer = browser.post("/akun/nama", data={"name": "  Maria Ulfah, S.Psi.  "})
    assert answer.location == "/akun"
    assert person(maria.public_id).name == "Maria Ulfah, S.Psi."
    page = browser.get("/akun").text
    assert 'value="Maria Ulfah, S.Psi."' in page
    assert "Nama tersimpan" in page


def test_a_name_cannot_be_markup_or_nothing(sign_in: SignIn, maria: Person):
    browser = sign_in(maria)
    browser.post("/akun/nama", data={"name": "<script>alert(1)</script>"})
    page = browser.get("/akun").text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page
    for bad in ("", "   ", "x" * 121):
        refused = browser.post("/akun/nama", data={"name": bad})
        assert refused.status_code == 422
        assert 'role="alert"' in refused.text
    assert person(maria.public_id).name == "<script>alert(1)</script>"


def test_a_password_is_changed_with_the_old_one(app: Flask, sign_in: SignIn, maria: Person):
    browser = sign_in(maria)
    new = "danau biru tenang 3"

    def change(**values: str) -> TestResponse:
        return browser.post(
            "/akun/kata-sandi", data={"old": PASSWORD, "new": new, "again": new} | values
        )

    for values, says in [
        ({"old": "bukan ini"}, "Kata sandi sekarang belum cocok."),
        ({"again": "danau biru tenang 4"}, "Kedua kata sandi belum sama."),
        ({"new": "pendek", "again": "pendek"}, "Gunakan 10 sampai 128 huruf."),
        ({"new": "maria maria", "again": "maria maria"}, "mudah ditebak"),
    ]:
        refused = change(**values)
        assert refused.status_code == 422
        assert says in refused.text
    assert change().location == "/akun"
    assert "Kata sandi diganti" in browser.get("/akun").text
    assert enter(app.test_client(), new).status_code == 302
    assert enter(app.test_client()).status_code == 422


def test_people_are_listed_filtered_and_paged(sign_in: SignIn, maria: Person):
    admin = factories.person("admin", email="a@contoh.test", name="Sri <b>Wahyuni</b>")
    for n in range(55):
        factories.person("trainee", email=f"p{n:02}@contoh.test")
    browser = sign_in(admin)
    first = browser.get("/admin/orang").text
    assert first.count('<th scope="row">') == 50
    assert "Sri &lt;b&gt;Wahyuni" in first
    assert "setelah=p47@contoh.test" in first.replace("%40", "@")
    second = browser.get("/admin/orang?setelah=p47@contoh.test").text
    assert second.count('<th scope="row">') == 7
    assert "p48@contoh.test" in second
    assert 'rel="next"' not in second
    found = browser.get("/admin/orang?cari=ulfah&peran=speaker").text
    assert found.count('<th scope="row">') == 1
    assert 'value="ulfah"' in found
    assert '<option value="speaker" selected>' in found
    nobody = browser.get("/admin/orang?cari=tidak-ada").text
    assert "Tidak ada yang cocok" in nobody


def test_the_list_of_people_asks_the_same_number_of_questions_for_any_number(
    sign_in: SignIn,
):
    admin = factories.person("admin", email="a@contoh.test")
    browser = sign_in(admin)
    counts = []
    for more in (5, 40):
        for _ in range(more):
            factories.person("trainee")
        with counted() as asked:
            assert browser.get("/admin/orang").status_code == 200
        counts.append(len(asked))
    assert counts[0] == counts[1] <= 4


def test_roles_are_given_and_taken(sign_in: SignIn, maria: Person):
    browser = sign_in(factories.person("admin"))
    address = f"/admin/orang/{maria.public_id}"
    page = browser.get(address).text
    assert page.count('name="roles"') == len(ROLES)
    assert 'checked id="roles-3"' in page
    answer = browser.post(f"{address}/peran", data={"roles": ["trainer", "assessor"]})
    assert answer.location == address
    assert roles_of(maria) == {"trainer", "assessor"}
    assert "Peran tersimpan" in browser.get(address).text
    browser.post(f"{address}/peran", data={"roles": ["pemilik"]})
    assert "Pilih peran dari daftar" in browser.get(address).text
    assert roles_of(maria) == {"trainer", "assessor"}


def test_a_role_taken_away_closes_its_pages_at_once(sign_in: SignIn):
    admin, other = factories.person("admin"), factories.person("admin")
    browser, theirs = sign_in(admin), sign_in(other)
    assert theirs.get("/admin/orang").status_code == 200
    browser.post(f"/admin/orang/{other.public_id}/peran", data={"roles": ["speaker"]})
    assert theirs.get("/admin/orang").status_code == 403


def test_an_account_is_closed_and_opened_again(app: Flask, sign_in: SignIn, maria: Person):
    browser, hers = sign_in(factories.person("admin")), sign_in(maria)
    address = f"/admin/orang/{maria.public_id}"
    assert browser.post(f"{address}/akun", data={"disabled": "yes"}).location == address
    assert "Ditutup sejak" in browser.get(address).text
    assert hers.get("/akun").status_code == 302
    assert enter(app.test_client()).status_code == 422
    assert "Ditutup" in browser.get("/admin/orang?cari=maria").text
    browser.post(f"{address}/akun", data={"disabled": "no"})
    assert enter(app.test_client()).status_code == 302
    browser.post(f"{address}/akun", data={"disabled": "mungkin"})
    assert "Pilih salah satu keadaan akun" in browser.get(address).text


def test_the_last_administrator_is_told_why(sign_in: SignIn):
    admin = factories.person("admin")
    browser = sign_in(admin)
    address = f"/admin/orang/{admin.public_id}"
    for path, data in (("peran", {"roles": ["trainer"]}), ("akun", {"disabled": "yes"})):
        browser.post(f"{address}/{path}", data=data)
        assert "Tunjuk administrator lain lebih dulu" in browser.get(address).text
    assert roles_of(admin) == {"admin"}


def test_people_who_are_not_there_are_not_found(sign_in: SignIn):
    browser = sign_in(factories.person("admin"))
    assert browser.get("/admin/orang/tidak-ada").status_code == 404
    for path in ("peran", "akun"):
        data = {"roles": ["trainer"], "disabled": "no"}
        assert browser.post(f"/admin/orang/tidak-ada/{path}", data=data).status_code == 404


def test_pages_of_accounts_are_not_kept_by_the_browser(sign_in: SignIn, maria: Person):
    browser = sign_in(maria)
    for path in ("/akun", "/masuk"):
        assert browser.get(path).headers["Cache-Control"] == "no-store"
    assert db.session.scalars(select(LoginSession)).all()
