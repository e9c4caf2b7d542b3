"""Sessions: seen and ended by their owner, forgotten when staff leave them, safe at once."""

import sqlite3
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from lms.accounts import resets, rules, services
from lms.accounts.door import with_proof
from lms.accounts.models import LoginSession, Person
from lms.accounts.vault import Vault
from lms.core import readonly, throttle
from lms.core.db import db, unit_of_work
from lms.core.login import ROLES
from lms.core.models import Throttle
from tests import factories
from tests.queries import counted
from tests.races import race

NOW, PASSWORD, MAKER = factories.NOW, factories.PASSWORD, factories.MAKER
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
PHONE = "Mozilla/5.0 (Linux; Android 13) AppleWebKit/537.36 Chrome/120.0 Mobile Safari/537.36"
SignIn = Callable[[Person], FlaskClient]


def begin(person: Person, now: datetime = NOW, agent: str = "") -> str:
    with unit_of_work():
        return services.begin_session(db.session.merge(person), now=now, agent=agent).token


def prove(email: str, maker: PasswordHasher = MAKER) -> services.Proof:
    return services.prove(
        email=email, password=PASSWORD, address="", device_token=None, maker=maker, now=NOW
    )


# Limits


@pytest.mark.parametrize("role", ROLES)
def test_staff_are_forgotten_after_an_idle_hour_and_nobody_outlives_twelve(app: Flask, role: str):
    token = begin(factories.person(role))
    is_staff = role in rules.STAFF_ROLES
    for after, there in [(HOUR - MINUTE, True), (HOUR, not is_staff), (12 * HOUR, False)]:
        with time_machine.travel(NOW + after, tick=False):
            assert (services.load_viewer(token, idle=HOUR) is not None) is there, after


def test_a_visit_keeps_staff_signed_in_but_never_beyond_twelve_hours(app: Flask):
    token, at = begin(factories.person("trainer")), NOW
    for _ in range(14):
        at += 50 * MINUTE
        with unit_of_work():
            services.note_visit(token, now=at)
    assert at < NOW + rules.SESSION
    with time_machine.travel(at, tick=False):
        viewer = services.load_viewer(token, idle=HOUR)
    assert viewer is not None
    assert viewer.seen_at == at
    with unit_of_work():
        services.note_visit(token, now=NOW + rules.SESSION)
    with time_machine.travel(NOW + rules.SESSION, tick=False):
        assert services.load_viewer(token, idle=HOUR) is None


def test_visits_are_written_down_every_five_minutes_at_most(app: Flask):
    token = begin(factories.person())

    def seen() -> datetime | None:
        db.session.rollback()
        return db.session.scalars(select(LoginSession.seen_at)).one()

    for after, wanted in [(4 * MINUTE, None), (5 * MINUTE, 5), (9 * MINUTE, 5), (10 * MINUTE, 10)]:
        with unit_of_work():
            services.note_visit(token, now=NOW + after)
        assert seen() == (NOW + wanted * MINUTE if wanted else None)


def test_a_page_notes_the_visit_after_it_was_sent(app: Flask):
    maria = factories.person()
    start = datetime.now(UTC)
    token, browser = begin(maria, start), app.test_client()
    with browser.session_transaction() as session:
        session["_user_id"] = token

    def visit() -> list[str]:
        with counted() as sent:
            answer = browser.get("/akun")
            assert answer.status_code == 200
            before = len(sent)
            answer.close()
        assert not any(one.startswith("UPDATE") for one in sent[:before])
        return [one for one in sent if one.startswith("UPDATE")]

    assert visit() == []
    with time_machine.travel(start + 6 * MINUTE):
        assert len(visit()) == 1
        assert visit() == []


def test_a_page_comes_though_nothing_can_be_written(
    make_app: Callable[..., Flask], tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    app = make_app(folder=tmp_path)
    with app.app_context():
        token = begin(factories.person(), datetime.now(UTC) - 6 * MINUTE)
    browser = app.test_client()
    with browser.session_transaction() as session:
        session["_user_id"] = token
    (tmp_path / readonly.SWITCH).touch()
    time.sleep(readonly.EVERY + 0.1)
    answer = browser.get("/akun")
    assert answer.status_code == 200
    answer.close()
    assert "a visit was not noted" in caplog.text
    with app.app_context():
        assert db.session.scalars(select(LoginSession.seen_at)).all() == [None]


# Seen and ended by their owner


def test_the_account_page_lists_the_open_sessions_and_ends_one(app: Flask, sign_in: SignIn):
    maria, other = factories.person(email="maria@contoh.test"), factories.person()
    browser, phone = sign_in(maria), app.test_client()
    typed = {"email": maria.email, "password": PASSWORD}
    phone.post("/masuk", data=typed, headers={"User-Agent": PHONE})
    strange = sign_in(other)
    page = browser.get("/akun").text
    assert page.count("Chrome, Android") == 1
    assert "13" not in page.split("Chrome, Android")[1][:10]  # no version, no model
    assert page.count("Sesi ini") == 1
    ids = {one.person_id: one.id for one in db.session.scalars(select(LoginSession))}
    theirs = ids[other.id]
    browser.post("/akun/perangkat", data={"session": theirs})
    assert strange.get("/akun").status_code == 200  # not hers to end
    mine = db.session.scalars(
        select(LoginSession.id).where(LoginSession.agent == "Chrome, Android")
    ).one()
    answer = browser.post("/akun/perangkat", data={"session": mine})
    assert answer.location == "/akun#perangkat"
    assert phone.get("/akun").status_code == 302
    assert browser.get("/akun").status_code == 200
    assert "Chrome, Android" not in browser.get("/akun").text
    for bad in ("", "x", "9" * 20):
        assert browser.post("/akun/perangkat", data={"session": bad}).status_code == 302


def test_whoever_signs_in_hears_of_other_open_sessions(app: Flask, sign_in: SignIn):
    maria = factories.person(email="maria@contoh.test")
    typed = {"email": maria.email, "password": PASSWORD}
    browser = app.test_client()
    browser.post("/masuk", data=typed)
    assert "di tempat lain" not in browser.get("/akun").text
    browser.post("/masuk", data=typed)  # the same browser again: its old session has ended
    page = browser.get("/akun").text
    assert "tempat lain" not in page
    second = app.test_client()
    second.post("/masuk", data=typed)
    assert "masih terbuka di 1 tempat lain" in second.get("/akun").text
    assert len(services.list_sessions(maria.id, now=datetime.now(UTC))) == 2


# At once


@pytest.mark.both
def test_one_person_signing_in_four_times_at_once_sees_no_error(bare_app: Flask):
    with bare_app.app_context():
        maria = factories.person("trainee", email="maria@contoh.test").id
        with unit_of_work():
            services.count_failure("maria@contoh.test", "", now=NOW)
    dearer = services.hasher(16, 1)  # so that each of them would also renew the hash

    def sign_in() -> object:
        return with_proof(
            lambda: prove("maria@contoh.test", dearer),
            lambda proof: services.enter(proof, now=NOW, remember=True),
        )

    results = race(bare_app, [sign_in] * 4)
    assert [type(one).__name__ for one in results] == ["SignedIn"] * 4
    with bare_app.app_context():
        assert len(services.list_sessions(maria, now=NOW)) == 4
        assert "m=16," in db.session.get_one(Person, maria).password_hash


def test_a_password_changed_meanwhile_is_noticed(app: Flask):
    maria = factories.person(email="maria@contoh.test")
    proof, own = prove(maria.email), services.prove_own(maria.id, PASSWORD, maker=MAKER, now=NOW)
    with unit_of_work():
        services.change_password(own, password_hash="x", token="", now=NOW)
    with pytest.raises(services.PasswordMoved), unit_of_work():
        services.enter(proof, now=NOW)
    with pytest.raises(services.PasswordMoved), unit_of_work():
        services.change_password(own, password_hash="y", token="", now=NOW)
    with pytest.raises(services.WrongCredentials):
        with_proof(lambda: proof, lambda given: services.enter(given, now=NOW))
    assert services.count_sessions(maria.id, now=NOW) == 0


def test_an_account_closed_meanwhile_does_not_open(app: Flask):
    maria, admin = factories.person(email="maria@contoh.test"), factories.person("admin")
    proof = prove(maria.email)
    with unit_of_work():
        services.set_disabled(maria.public_id, True, actor_id=admin.id, now=NOW)
    with pytest.raises(services.WrongCredentials), unit_of_work():
        services.enter(proof, now=NOW)


class Watching(PasswordHasher):
    """A hasher that notes whether somebody else could write while it works."""

    def __init__(self, path: Path) -> None:
        super().__init__(1, 8, 1)
        self.path, self.free = path, list[bool]()

    def _look(self) -> None:
        other = sqlite3.connect(self.path, timeout=0, isolation_level=None)
        try:
            other.execute("BEGIN IMMEDIATE")
            self.free.append(True)
        except sqlite3.OperationalError:
            self.free.append(False)
        finally:
            other.close()

    def hash(self, *values: object, **more: object) -> str:
        self._look()
        return super().hash(*values, **more)  # type: ignore[arg-type]

    def verify(self, *values: object, **more: object) -> bool:
        self._look()
        return super().verify(*values, **more)  # type: ignore[arg-type]


def test_nobody_waits_for_a_hash_to_write(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
):
    maker = Watching(Path(app.config["SQLALCHEMY_DATABASE_URI"].removeprefix("sqlite:///")))
    monkeypatch.setattr(services, "hasher", lambda _memory, _rounds: maker)
    with unit_of_work():
        code = services.new_setup_code(now=datetime.now(UTC))
    me = {"email": "sri@contoh.test", "password": PASSWORD}
    assert client.post("/mulai", data=me | {"code": code, "name": "Sri"}).status_code == 302
    assert client.post("/masuk", data=me).status_code == 302
    new = "danau biru tenang 3"
    changed = {"old": PASSWORD, "new": new, "again": new}
    assert client.post("/akun/kata-sandi", data=changed).status_code == 302
    assert client.post("/akun/kedua/ubah", data={"password": new, "do": "new"}).status_code == 302
    maria, sri = factories.person(), services.find_person_id("sri@contoh.test")
    assert sri
    with unit_of_work():
        printed = resets.print_code(
            maria.id,
            actor_id=sri,
            is_admin=True,
            vault=Vault(app.config["SECRET_KEY"]),
            now=datetime.now(UTC),
        )
    typed = {"email": maria.email, "code": printed.code, "new": new, "again": new}
    assert client.post("/masuk/kode", data=typed).status_code == 302
    assert len(maker.free) == 6
    assert all(maker.free)
    with unit_of_work():
        maker.hash("x")
    assert maker.free[-1] is False  # the positive control


# Networks


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:aaaa:bbbb:cccc:dddd", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("", ""),
        ("unix:", "unix:"),
    ],
)
def test_a_network_is_what_one_house_has_in_common(address: str, network: str):
    assert throttle.network(address) == network


def test_a_guesser_does_not_escape_within_one_house(app: Flask):
    for n in range(throttle.FREE_ADDRESS):
        with unit_of_work():
            services.count_failure(f"p{n}@contoh.test", f"2001:db8::{n:x}", now=NOW)
    keys = db.session.scalars(select(Throttle.key).where(Throttle.key.startswith("address:")))
    assert list(keys) == ["address:2001:db8::/64"]
    with pytest.raises(throttle.TooSoon):
        services.prove(
            email="maria@contoh.test",
            password=PASSWORD,
            address="2001:db8::ffff",
            device_token=None,
            maker=MAKER,
            now=NOW,
        )
