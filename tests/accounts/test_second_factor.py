"""The second factor: no code twice, no way around it, and a way back for who lost it."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pyotp
import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from lms.accounts import rules, second_factor, services
from lms.accounts.models import LoginSession, PendingEntry, Person, RecoveryCode, SecondFactor
from lms.accounts.vault import Locked, Vault
from lms.core import throttle
from lms.core.db import db, unit_of_work
from lms.core.errors import NotFound
from lms.core.login import ROLES
from lms.core.models import AuditEvent, Mail
from tests import factories
from tests.conftest import Browser
from tests.races import race

NOW, PASSWORD, MAKER = factories.NOW, factories.PASSWORD, factories.MAKER
VAULT = Vault("x" * 40)
STEP = timedelta(seconds=rules.STEP)
SignIn = Callable[[Person], FlaskClient]


def secret_of(person_id: int, *, now: datetime) -> str:
    with unit_of_work():
        second_factor.begin(person_id, vault=VAULT, now=now)
    secret = second_factor.waiting_secret(person_id, vault=VAULT, now=now)
    assert secret
    return secret


def enrolled(person: Person, *, now: datetime = NOW) -> tuple[str, list[str]]:
    """Set a second factor up an hour ago; return its secret and the recovery codes."""
    person_id, before = person.id, now - timedelta(hours=1)
    secret = secret_of(person_id, now=before)
    with unit_of_work():
        codes = second_factor.enrol(
            person_id, pyotp.TOTP(secret).at(before), token="", vault=VAULT, now=before
        )
    return secret, codes


def prove(email: str, now: datetime = NOW) -> services.Proof:
    return services.prove(
        email=email, password=PASSWORD, address="", device_token=None, maker=MAKER, now=now
    )


def half(email: str, now: datetime = NOW, *, remember: bool = False) -> str:
    proof = prove(email, now)
    with unit_of_work():
        entry = services.enter(proof, now=now, remember=remember)
    assert isinstance(entry, services.HalfSignedIn)
    return entry.token


def complete(token: str, typed: str, now: datetime = NOW) -> services.SignedIn:
    with unit_of_work():
        return second_factor.complete(token, typed, vault=VAULT, now=now)


def code(secret: str, now: datetime = NOW) -> str:
    return pyotp.TOTP(secret).at(now)


# The vault


def test_what_is_sealed_opens_with_the_same_key_only():
    sealed = VAULT.seal("rahasia")
    assert "rahasia" not in sealed
    assert VAULT.open(sealed) == "rahasia"
    assert VAULT.seal("rahasia") != sealed
    with pytest.raises(Locked):
        Vault("y" * 40).open(sealed)


def test_a_digest_is_of_its_purpose_and_key():
    assert VAULT.digest("a", "x") == VAULT.digest("a", "x")
    assert len({VAULT.digest("a", "x"), VAULT.digest("b", "x"), VAULT.digest("a", "y"),
                Vault("y" * 40).digest("a", "x")}) == 4  # fmt: skip
    assert "x" * 40 not in repr(VAULT)


# Services


def test_a_secret_counts_once_its_first_code_fits(app: Flask):
    maria = factories.person("trainer")
    secret = secret_of(maria.id, now=NOW)
    assert len(secret) == 32  # 20 bytes
    assert secret not in (db.session.get_one(SecondFactor, maria.id).next_sealed or "")
    assert not services.has_second_factor(maria.id)
    with pytest.raises(services.WrongCode), unit_of_work():
        second_factor.enrol(maria.id, "000000", token="", vault=VAULT, now=NOW)
    with unit_of_work():
        codes = second_factor.enrol(maria.id, code(secret), token="", vault=VAULT, now=NOW)
    assert services.has_second_factor(maria.id)
    assert len(set(codes)) == 10
    stored = db.session.scalars(select(RecoveryCode.code_hash)).all()
    assert not {rules.plain_code(one) for one in codes} & set(stored)
    assert second_factor.read(maria.id) == second_factor.Standing(NOW, 10)
    with pytest.raises(second_factor.NothingBegun), unit_of_work():
        second_factor.enrol(maria.id, code(secret), token="", vault=VAULT, now=NOW)


def test_a_new_secret_waits_fifteen_minutes_and_leaves_the_old_one_in_force(app: Flask):
    maria = factories.person(email="maria@contoh.test")
    old, _codes = enrolled(maria)
    new = secret_of(maria.id, now=NOW)
    late = NOW + rules.ENROLMENT + timedelta(seconds=1)
    with pytest.raises(second_factor.NothingBegun), unit_of_work():
        second_factor.enrol(maria.id, code(new, late), token="", vault=VAULT, now=late)
    assert complete(half(maria.email), code(old))
    with unit_of_work():
        second_factor.enrol(maria.id, code(new), token="", vault=VAULT, now=NOW)
    later = NOW + 4 * STEP
    token = half(maria.email, later)
    with pytest.raises(services.WrongCode):
        complete(token, code(old, later), later)
    assert complete(token, code(new, later), later)


def test_a_password_alone_opens_nothing(app: Flask):
    maria = factories.person("trainer", email="maria@contoh.test")
    secret, _codes = enrolled(maria)
    token = half(maria.email)
    assert db.session.scalars(select(LoginSession)).all() == []
    with time_machine.travel(NOW):
        assert services.load_viewer(token) is None
    begun = complete(token, code(secret))
    assert begun.viewer.id == maria.id
    with pytest.raises(second_factor.EntryOver):
        complete(token, code(secret, NOW + STEP), NOW + STEP)


def test_a_code_is_taken_once_and_none_older_after_it(app: Flask):
    maria = factories.person(email="maria@contoh.test")
    secret, _codes = enrolled(maria)
    assert complete(half(maria.email), code(secret))
    for at in (NOW, NOW - STEP):
        with pytest.raises(services.WrongCode):
            complete(half(maria.email), code(secret, at))
    assert complete(half(maria.email), code(secret, NOW + STEP))  # a clock that is a step ahead


def test_codes_of_far_away_steps_are_refused(app: Flask):
    maria = factories.person(email="maria@contoh.test")
    secret, _codes = enrolled(maria)
    for at in (NOW - 2 * STEP, NOW + 2 * STEP):
        with pytest.raises(services.WrongCode):
            complete(half(maria.email), code(secret, at))
    assert complete(half(maria.email), code(secret, NOW - STEP))


def test_a_recovery_code_opens_once_and_its_owner_is_told(app: Flask):
    maria = factories.person(email="maria@contoh.test")
    _secret, codes = enrolled(maria)
    assert complete(half(maria.email), f" {codes[3].lower()} ")
    with pytest.raises(services.WrongCode):
        complete(half(maria.email), codes[3])
    assert second_factor.read(maria.id).codes_left == 9
    bodies = db.session.scalars(select(Mail.body)).all()
    assert any("Satu kode cadangan baru saja dipakai" in body for body in bodies)
    other = factories.person(email="yohanes@contoh.test")
    enrolled(other)
    with pytest.raises(services.WrongCode):
        complete(half(other.email), codes[4])


def test_new_recovery_codes_end_the_old_ones(app: Flask):
    maria = factories.person(email="maria@contoh.test")
    _secret, old = enrolled(maria)
    with unit_of_work():
        new = second_factor.renew_codes(maria.id, vault=VAULT, now=NOW)
    with pytest.raises(services.WrongCode):
        complete(half(maria.email), old[0])
    assert complete(half(maria.email), new[0])


def test_the_half_of_a_sign_in_waits_ten_minutes(app: Flask):
    maria = factories.person(email="maria@contoh.test")
    secret, _codes = enrolled(maria)
    token = half(maria.email)
    late = NOW + rules.HALF
    assert second_factor.find_half(token, now=NOW) == maria.id
    assert second_factor.find_half(token, now=late) is None
    assert second_factor.find_half(None, now=NOW) is None
    with pytest.raises(second_factor.EntryOver):
        complete(token, code(secret, late), late)


def test_guessing_codes_is_slowed_down_and_a_new_password_try_does_not_forget_it(app: Flask):
    maria = factories.person(email="maria@contoh.test")
    secret, _codes = enrolled(maria)
    for _ in range(throttle.FREE):
        with unit_of_work():
            second_factor.count_wrong_code(maria.id, now=NOW)
    with pytest.raises(throttle.TooSoon):
        complete(half(maria.email), code(secret))
    later = NOW + timedelta(seconds=2)
    assert complete(half(maria.email, later), code(secret, later), later)


def test_a_closed_account_does_not_complete(app: Flask):
    maria, admin = factories.person(email="maria@contoh.test"), factories.person("admin")
    secret, _codes = enrolled(maria)
    token = half(maria.email)
    with unit_of_work():
        services.set_disabled(maria.public_id, True, actor_id=admin.id, now=NOW)
    with pytest.raises(second_factor.EntryOver):
        complete(token, code(secret))


def test_a_new_password_ends_the_half_of_an_old_one(app: Flask):
    maria = factories.person(email="maria@contoh.test")
    secret, _codes = enrolled(maria)
    token = half(maria.email)
    proof = services.prove_own(maria.id, PASSWORD, maker=MAKER, now=NOW)
    with unit_of_work():
        services.change_password(proof, password_hash="x", token="", now=NOW)
    with pytest.raises(second_factor.EntryOver):
        complete(token, code(secret))


def test_under_another_secret_key_no_code_fits_and_nothing_opens(app: Flask):
    maria = factories.person(email="maria@contoh.test")
    secret, codes = enrolled(maria)
    other, token = Vault("y" * 40), half(maria.email)
    for typed in (code(secret), codes[0]):
        with pytest.raises(services.WrongCode), unit_of_work():
            second_factor.complete(token, typed, vault=other, now=NOW)
    secret_of(maria.id, now=NOW)
    assert second_factor.waiting_secret(maria.id, vault=other, now=NOW) is None


def test_a_removed_factor_ends_sessions_and_its_owner_is_told(app: Flask):
    maria, admin = factories.person(email="maria@contoh.test"), factories.person("admin")
    secret, _codes = enrolled(maria)
    session = complete(half(maria.email), code(secret)).viewer.token
    with unit_of_work():
        second_factor.remove(maria.id, actor_id=admin.id, now=NOW)
    with time_machine.travel(NOW):
        assert services.load_viewer(session) is None
    proof = prove(maria.email)
    with unit_of_work():
        assert isinstance(services.enter(proof, now=NOW), services.SignedIn)
    assert db.session.scalars(select(RecoveryCode)).all() == []
    event = db.session.scalars(select(AuditEvent).order_by(AuditEvent.id.desc())).first()
    assert event is not None
    assert (event.action, event.actor_id) == ("accounts.no_second_factor", admin.id)
    assert any("dilepas" in body for body in db.session.scalars(select(Mail.body)))
    with pytest.raises(NotFound), unit_of_work():
        second_factor.remove(maria.id, actor_id=admin.id, now=NOW)


@pytest.mark.both
@pytest.mark.parametrize("way", ["authenticator", "paper"])
def test_one_code_used_at_once_in_three_places_opens_one(bare_app: Flask, way: str):
    with bare_app.app_context():
        maria = factories.person(email="maria@contoh.test")
        secret, codes = enrolled(maria)
        tokens = [half("maria@contoh.test") for _ in range(3)]
    typed = code(secret) if way == "authenticator" else codes[0]

    def task(token: str) -> Callable[[], object]:
        return lambda: complete(token, typed)

    results = race(bare_app, [task(token) for token in tokens])
    assert sum(isinstance(one, services.SignedIn) for one in results) == 1
    assert sum(isinstance(one, services.WrongCode) for one in results) == 2


@pytest.mark.both
def test_one_half_completed_twice_at_once_begins_one_session(bare_app: Flask):
    with bare_app.app_context():
        maria = factories.person(email="maria@contoh.test")
        secret, codes = enrolled(maria)
        token = half("maria@contoh.test")
    results = race(
        bare_app, [lambda: complete(token, code(secret)), lambda: complete(token, codes[0])]
    )
    assert sorted(type(one).__name__ for one in results) == ["EntryOver", "SignedIn"]
    with bare_app.app_context():
        assert len(db.session.scalars(select(LoginSession)).all()) == 1


# Pages


def now_code(secret: str, ahead: int = 0) -> str:
    return code(secret, datetime.now(UTC) + ahead * STEP)


def enter(browser: FlaskClient, **values: str) -> TestResponse:
    return browser.post(
        "/masuk", data={"email": "maria@contoh.test", "password": PASSWORD} | values
    )


def shown_secret(page: str) -> str:
    found = re.findall(r'<p class="code">([A-Z2-7 ]+)</p>', page)
    return str(found[0]).replace(" ", "")


def test_the_way_in_asks_for_the_code_and_goes_on_where_one_wanted(app: Flask):
    maria = factories.person("trainer", email="maria@contoh.test")
    secret, codes = enrolled(maria, now=datetime.now(UTC))
    browser = app.test_client()
    assert enter(browser, next="/akun", device="own").location == "/masuk/kedua"
    assert browser.get("/akun").location.startswith("/masuk?")
    assert "Satu langkah lagi" in browser.get("/masuk/kedua").text
    wrong = browser.post("/masuk/kedua", data={"code": "000000"})
    assert wrong.status_code == 422
    assert "Kode belum cocok" in wrong.text
    done = browser.post("/masuk/kedua", data={"code": now_code(secret)})
    assert done.location == "/akun"
    assert browser.get_cookie("suluh-device") is not None
    assert browser.get("/akun").status_code == 200
    assert "Masuk dulu" in browser.get("/masuk/kedua").text

    again = app.test_client()
    enter(again)
    assert again.post("/masuk/kedua", data={"code": codes[0]}).location == "/"
    assert "Satu kode cadangan terpakai. Tersisa 9." in again.get("/").text


def test_a_known_device_is_asked_for_the_code_too(app: Flask):
    maria = factories.person(email="maria@contoh.test")
    browser = app.test_client()
    assert enter(browser, device="own").location == "/"
    enrolled(maria, now=datetime.now(UTC))
    assert browser.get_cookie("suluh-device") is not None
    assert enter(browser, device="own").location == "/masuk/kedua"


def test_guessing_at_the_second_step_is_slowed_down(app: Flask):
    enrolled(factories.person(email="maria@contoh.test"), now=datetime.now(UTC))
    browser = app.test_client()
    enter(browser)
    for _ in range(throttle.FREE):
        assert "belum cocok" in browser.post("/masuk/kedua", data={"code": "000000"}).text
    assert "Coba lagi dalam" in browser.post("/masuk/kedua", data={"code": "000000"}).text


def test_a_factor_is_set_up_shown_and_taken_off_again(sign_in: SignIn):
    maria = factories.person("trainee", email="maria@contoh.test")
    browser, other = sign_in(maria), sign_in(maria)
    assert "Belum terpasang" in browser.get("/akun").text
    assert "Pasang faktor kedua" in browser.get("/akun/kedua").text
    refused = browser.post("/akun/kedua/ubah", data={"password": "bukan ini", "do": "new"})
    assert refused.status_code == 422
    assert "Kata sandi sekarang belum cocok" in refused.text
    assert "<svg" not in browser.get("/akun/kedua").text.split("<main")[1].split("qr")[0]
    begun = browser.post("/akun/kedua/ubah", data={"password": PASSWORD, "do": "new"})
    assert begun.location == "/akun/kedua"
    page = browser.get("/akun/kedua").text
    assert 'class="qr"><svg' in page
    secret = shown_secret(page)
    wrong = browser.post("/akun/kedua", data={"code": "000000"})
    assert wrong.status_code == 422
    done = browser.post("/akun/kedua", data={"code": now_code(secret)})
    codes = re.findall(r'<li class="code">([A-Z2-7]{5}-[A-Z2-7]{5})</li>', done.text)
    assert len(codes) == 10
    assert other.get("/akun").status_code == 302
    page = browser.get("/akun/kedua").text
    assert codes[0] not in page
    assert secret not in page.replace(" ", "")
    assert "Terpasang" in browser.get("/akun").text

    typed = {"password": PASSWORD, "do": "codes"}
    for bad in ("", "000000", now_code(secret)):  # none, wrong, used already
        answer = browser.post("/akun/kedua/ubah", data=typed | {"code": bad})
        assert answer.status_code == 422, bad
        assert "Kode belum cocok" in answer.text
    fresh = browser.post("/akun/kedua/ubah", data=typed | {"code": codes[0]})
    new = re.findall(r'<li class="code">([A-Z2-7-]{11})</li>', fresh.text)
    assert len(new) == 10
    off = browser.post("/akun/kedua/ubah", data={"password": PASSWORD, "code": new[1], "do": "off"})
    assert off.location == "/masuk"
    assert db.session.scalars(select(SecondFactor)).all() == []
    assert enter(browser).location == "/"


def test_a_new_secret_that_waited_too_long_is_begun_anew(sign_in: SignIn):
    browser = sign_in(factories.person())
    answer = browser.post("/akun/kedua", data={"code": "123456"})
    assert answer.location == "/akun/kedua"
    assert "Waktunya habis" in browser.get("/akun/kedua").text


def test_an_administrator_helps_who_lost_the_telephone(app: Flask, sign_in: SignIn):
    maria = factories.person("trainer", email="maria@contoh.test")
    enrolled(maria, now=datetime.now(UTC))
    browser, address = sign_in(factories.person("admin")), f"/admin/orang/{maria.public_id}"
    assert "Telepon hilang" in browser.get(address).text
    assert browser.post(f"{address}/kedua/lepas").location == address
    assert "Telepon hilang" not in browser.get(address).text
    assert enter(app.test_client()).location == "/"
    assert browser.post(f"{address}/kedua/lepas").status_code == 404


# Where it is required


def strict(make_app: Callable[..., Flask]) -> Flask:
    app = make_app(second_factor="required")
    app.config["WTF_CSRF_ENABLED"] = False
    app.test_client_class = Browser
    return app


@pytest.mark.parametrize("role", ROLES)
def test_who_needs_one_does_nothing_else_first(make_app: Callable[..., Flask], role: str):
    app = strict(make_app)
    with app.app_context():
        maria = factories.person(role, email="maria@contoh.test")
        browser = app.test_client()
        enter(browser)
        if role not in rules.SECOND_FACTOR_ROLES:
            assert browser.get("/").status_code == 200
            return
        for path in ("/", "/akun", "/angkatan", "/admin/orang", "/instansi", "/pelajaran"):
            answer = browser.get(path)
            assert answer.status_code in {302, 403}, path
            assert answer.status_code == 403 or answer.location == "/akun/kedua", path
        refused = browser.post("/akun/nama", data={"name": "Lain"})
        assert refused.location == "/akun/kedua"
        asked = browser.get("/akun", headers={"Accept": "application/json"})
        assert asked.status_code == 403
        for path in ("/bantuan", "/aman", "/privasi"):
            assert browser.get(path).status_code == 200
        page = browser.get("/akun/kedua").text
        assert "Peran Anda membuka data orang lain" in page
        browser.post("/akun/kedua/ubah", data={"password": PASSWORD, "do": "new"})
        secret = shown_secret(browser.get("/akun/kedua").text)
        assert browser.get("/").status_code == 302
        done = browser.post("/akun/kedua", data={"code": now_code(secret)})
        assert "Kode cadangan Anda" in done.text
        assert browser.get("/").status_code == 200
        codes = re.findall(r'<li class="code">([A-Z2-7-]{11})</li>', done.text)
        typed = {"password": PASSWORD, "code": codes[0], "do": "off"}
        assert browser.post("/akun/kedua/ubah", data=typed).location == "/akun/kedua"
        assert services.has_second_factor(maria.id)


def test_who_must_set_one_up_may_leave(make_app: Callable[..., Flask]):
    app = strict(make_app)
    with app.app_context():
        factories.person("admin", email="maria@contoh.test")
        browser = app.test_client()
        enter(browser)
        assert browser.post("/akun/akhiri-sesi").location == "/masuk"
        enter(browser)
        assert browser.post("/keluar-cepat").status_code == 200
        assert browser.get("/akun/kedua").location.startswith("/masuk")


def test_a_role_given_later_asks_for_one_at_once(make_app: Callable[..., Flask]):
    app = strict(make_app)
    with app.app_context():
        maria = factories.person("author", email="maria@contoh.test")
        browser = app.test_client()
        enter(browser)
        assert browser.get("/").status_code == 200
        with unit_of_work():
            services.add_roles(maria.id, ["trainer"])
        assert browser.get("/").location == "/akun/kedua"


def test_the_first_administrator_sets_one_up_right_away(make_app: Callable[..., Flask]):
    app = strict(make_app)
    with app.app_context():
        with unit_of_work():
            setup = services.new_setup_code(now=datetime.now(UTC))
        browser = app.test_client()
        typed = {"name": "Sri", "email": "maria@contoh.test", "password": PASSWORD}
        browser.post("/mulai", data=typed | {"code": setup})
        assert browser.get("/").location == "/akun/kedua"


def test_the_demonstration_offers_it_only(make_app: Callable[..., Flask]):
    app = make_app(second_factor="required", demo=True)
    app.config["WTF_CSRF_ENABLED"] = False
    app.test_client_class = Browser
    with app.app_context():
        factories.person("admin", email="maria@contoh.test")
        browser = app.test_client()
        enter(browser)
        assert browser.get("/").status_code == 200


def test_leftover_halves_are_tidied_away(app: Flask):
    from lms.accounts import upkeep

    maria = factories.person(email="maria@contoh.test")
    enrolled(maria)
    half(maria.email)
    upkeep.tidy(NOW + timedelta(hours=23))
    assert len(db.session.scalars(select(PendingEntry)).all()) == 1
    upkeep.tidy(NOW + timedelta(hours=25))
    assert db.session.scalars(select(PendingEntry)).all() == []
